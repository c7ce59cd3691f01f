"""What an export says of configurations that others wrote: all of it, or why not."""

import pytest

RESOURCE = '<primitive id="{0}" class="ocf" provider="pacemaker" type="Dummy">{1}</primitive>'


def cib_of(resources="", constraints="", *, nodes="", rest="", schema="pacemaker-3.9"):
    return (
        f'<cib validate-with="{schema}" admin_epoch="0" epoch="1" num_updates="0"><configuration>'
        f"<crm_config/><nodes>{nodes}</nodes><resources>{resources}</resources><constraints>{constraints}</constraints>{rest}"
        "</configuration><status/></cib>"
    )


def dummy(identifier, content=""):
    return RESOURCE.format(identifier, content)


def pair(name, value=None, identifier=None):
    said = "" if value is None else f' value="{value}"'
    return f'<nvpair id="{identifier or "nv-" + name}" name="{name}"{said}/>'


def operation(name, interval, *, timeout=None, content="", identifier="o"):
    said = "" if timeout is None else f' timeout="{timeout}"'
    return f'<op id="{identifier}" name="{name}" interval="{interval}"{said}>{content}</op>'


@pytest.fixture
def cib(pure):
    return pure("cib")


@pytest.fixture
def exported(cib):
    """An export that changes nothing where it came from, and makes the same anew."""

    def export(xml):
        found = cib.export(xml, secrets=True)
        assert cib.difference(xml, found)["changes"] == {}
        said = {key: each for key, each in found.items() if key != "left_out"}
        anew = cib.difference(bare(xml), found)["xml"] or bare(xml)
        again = cib.export(anew, secrets=True)
        again.pop("left_out", None)
        assert again == said
        return found

    def bare(xml):
        nodes = xml[xml.index("<nodes>") : xml.index("</nodes>")].removeprefix("<nodes>")
        head = xml[xml.index('"pacemaker-') :].split('"')[1]
        return cib_of(nodes=nodes, schema=head)

    return export


# --- what has words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_", "provider", "type_"),
    [
        ("stonith", "", "external/ipmi"),
        ("lsb", "", "/opt/cm/init.d/server"),
        ("ocf", "heartbeat", "/usr/lib/heartbeat/cts/OCFMSDummy"),
        ("ocf", "a.b", "a+b"),
    ],
)
def test_an_agent_with_a_slash(exported, class_, provider, type_):
    said = f' provider="{provider}"' if provider else ""
    xml = cib_of(f'<primitive id="x" class="{class_}"{said} type="{type_}"/>')
    agent = ":".join(filter(None, (class_, provider, type_)))
    assert exported(xml) == {"primitives": {"x": {"agent": agent}}}


@pytest.mark.parametrize(
    "agent", ["lsb:../x", "stonith:external//x", "lsb:a/../../b", "systemd:a/b", "lsb:/x/"]
)
def test_an_agent_that_leads_elsewhere_is_refused(cib, agent):
    with pytest.raises(ValueError, match="^primitives:x:agent: .* is not a resource agent"):
        cib.check({"primitives": {"x": agent}})


@pytest.mark.parametrize(
    "interval", ["PT10S", "P10S", "PT1M", "P1W", "P1DT2H", "P2Y", "1.5s", "10 s", "10SEC"]
)
def test_an_interval_in_any_form_that_pacemaker_takes(exported, interval):
    ops = f"<operations>{operation('monitor', interval)}</operations>"
    found = exported(cib_of(dummy("x", ops)))
    assert found["primitives"]["x"]["operations"] == {"monitor": {"interval": interval}}


@pytest.mark.parametrize(
    ("one", "other"), [("PT10S", "10s"), ("P10S", "10"), ("PT1M", "60s"), ("10 s", "10000ms")]
)
def test_one_interval_in_two_forms_is_the_same(cib, one, other):
    ops = f"<operations>{operation('monitor', one)}</operations>"
    declared = {
        "primitives": {
            "x": {"agent": "ocf:pacemaker:Dummy", "operations": {"monitor": {"interval": other}}}
        }
    }
    assert cib.difference(cib_of(dummy("x", ops)), declared)["changes"] == {}


@pytest.mark.parametrize(
    "interval", ["P", "PT", "P10", "PT10", "10 parsecs", "P1D2", "-1s", "", "P10s"]
)
def test_what_is_no_interval_is_left_out_with_its_operation(exported, interval):
    ops = f"<operations>{operation('start', interval)}</operations>"
    found = exported(cib_of(dummy("x", ops)))
    assert found["primitives"] == {"x": {"agent": "ocf:pacemaker:Dummy"}}
    assert "is not a duration" in found["left_out"][0]


def test_a_remote_node_and_the_primitive_that_makes_it(exported):
    remote = '<primitive id="remote1" class="ocf" provider="pacemaker" type="remote"/>'
    xml = cib_of(remote, nodes='<node id="remote1" type="remote" uname="remote1"/>')
    assert exported(xml)["primitives"] == {"remote1": {"agent": "ocf:pacemaker:remote"}}


def test_an_acl_user_may_be_called_as_anything_else(cib, exported):
    users = '<acl_target id="x" name="X"><role id="x"/></acl_target><acl_target id="r"/>'
    xml = cib_of(dummy("r"), rest=f'<acls><acl_role id="x"/>{users}</acls>')
    found = exported(xml)
    assert found["acl_users"] == {"x": {"roles": ["x"], "name": "X"}, "r": {}}
    gone = cib.difference(xml, {}, {"acl_users": ["r"]})
    assert list(gone["changes"]) == ["acl_users:r"]
    assert "r" in cib.model(gone["xml"])["primitives"]


def test_meta_attributes_of_an_operation_are_no_parameters(cib, exported):
    content = (
        f'<meta_attributes id="m">{pair("timeout", "20s")}</meta_attributes>'
        f'<instance_attributes id="i">{pair("OCF_CHECK_LEVEL", "10")}</instance_attributes>'
    )
    ops = f"<operations>{operation('monitor', '10s', content=content)}</operations>"
    xml = cib_of(dummy("x", ops))
    monitor = {"interval": "10s", "OCF_CHECK_LEVEL": "10", "meta": {"timeout": "20s"}}
    assert exported(xml)["primitives"]["x"]["operations"]["monitor"] == monitor
    as_attribute = {"monitor": {"interval": "10s", "timeout": "20s"}}
    declared = {"primitives": {"x": {"agent": "ocf:pacemaker:Dummy", "operations": as_attribute}}}
    assert cib.difference(xml, declared)["changes"] == {}


def test_a_tag_refers_to_what_begins_with_a_digit(exported):
    xml = cib_of(
        dummy("x"), rest='<tags><tag id="t"><obj_ref id="1st"/><obj_ref id="x"/></tag></tags>'
    )
    assert exported(xml)["tags"] == {"t": {"references": ["1st", "x"]}}


RULE = '<rule id="{0}-rule"><expression id="{0}-e" attribute="a" operation="defined"/></rule>'
DEFINED = {"expressions": [{"attribute": "a", "operation": "defined"}]}


def test_a_set_under_a_rule_and_one_with_a_score(exported):
    sets = (
        f'<meta_attributes id="ruled">{RULE.format("ruled")}{pair("priority", "1", "n1")}</meta_attributes>'
        f'<meta_attributes id="scored" score="5">{pair("priority", "2", "n2")}</meta_attributes>'
        f'<meta_attributes id="plain">{pair("critical", "0")}</meta_attributes>'
    )
    assert exported(cib_of(dummy("x", sets)))["primitives"]["x"] == {
        "agent": "ocf:pacemaker:Dummy",
        "meta_sets": {
            "ruled": {"rule": DEFINED, "values": {"priority": "1"}},
            "scored": {"score": "5", "values": {"priority": "2"}},
        },
        "meta": {"critical": "0"},
    }


@pytest.mark.parametrize("first", ["ruled", "plain"])
def test_of_two_sets_with_one_score_the_first_counts(exported, first):
    both = {
        "ruled": RULE.format("ruled") + pair("priority", "1", "n1"),
        "plain": pair("priority", "3", "n3"),
    }
    order = [first, *({"ruled", "plain"} - {first})]
    sets = (f'<meta_attributes id="{each}">{both[each]}</meta_attributes>' for each in order)
    found = exported(cib_of(dummy("x", "".join(sets))))["primitives"]["x"]
    assert list(found["meta_sets"]) == order
    assert "meta" not in found


def test_a_set_of_another_object_stays_one(cib, exported):
    shared = f'<meta_attributes id="m">{RULE.format("m")}{pair("priority", "1")}</meta_attributes>'
    xml = cib_of(dummy("x", shared) + dummy("y", '<meta_attributes id-ref="m"/>'))
    assert exported(xml)["primitives"]["y"]["meta_sets"] == {"m": "id-ref"}
    nowhere = {"primitives": {"y": {"agent": "ocf:pacemaker:Dummy", "meta_sets": {"n": "id-ref"}}}}
    with pytest.raises(
        ValueError, match="^primitives:y:meta_sets:n: should be the id of a meta_attributes"
    ):
        cib.difference(xml, nowhere)


def test_a_value_that_a_set_would_override_is_refused(cib):
    defaults = {
        "rsc_defaults": {"priority": 1},
        "rsc_defaults_sets": {"s": {"score": 5, "values": {"priority": 2}}},
    }
    with pytest.raises(
        ValueError, match="^rsc_defaults_sets:s:values:priority: is 2 here, and 1 without a set"
    ):
        cib.check(defaults)
    defaults["rsc_defaults_sets"]["s"]["score"] = -5
    assert cib.check(defaults)


def test_a_set_that_nothing_sets_apart_is_refused(cib):
    with pytest.raises(
        ValueError, match="^op_defaults_sets:s: needs a rule, or a score that isn't 0"
    ):
        cib.check({"op_defaults_sets": {"s": {"values": {"timeout": "1s"}}}})


def test_a_purge_takes_an_undeclared_set_and_leaves_a_declared_one(cib):
    sets = "".join(
        f'<meta_attributes id="{name}" score="5">{pair("priority", "1", "n" + name)}</meta_attributes>'
        for name in ("kept", "gone")
    )
    xml = cib_of(dummy("x", sets))
    kept = {"kept": {"score": 5, "values": {"priority": 1}}}
    declared = {"primitives": {"x": {"agent": "ocf:pacemaker:Dummy", "meta_sets": kept}}}
    difference = cib.difference(xml, declared, purge=["primitives"])
    assert list(difference["changes"]) == ["primitives:x:meta_sets:gone"]
    assert cib.difference(difference["xml"], declared, purge=["primitives"])["xml"] is None


def test_a_constraint_that_counts_for_a_time(exported):
    lifetime = f"<lifetime>{RULE.format('l')}</lifetime>"
    xml = cib_of(
        dummy("x"), f'<rsc_location id="l" rsc="x" node="n" score="5">{lifetime}</rsc_location>'
    )
    assert exported(xml)["locations"]["l"]["lifetime"] == [DEFINED]


def test_a_colocation_by_an_attribute_and_what_a_node_is_for(exported):
    colocation = '<rsc_colocation id="c" rsc="x" with-rsc="y" score-attribute="rack"/>'
    xml = cib_of(
        dummy("x") + dummy("y"),
        colocation,
        nodes='<node id="1" uname="n" description="d" score="-5"/>',
    )
    found = exported(xml)
    assert found["colocations"]["c"]["score-attribute"] == "rack"
    assert (found["node_descriptions"], found["node_scores"]) == ({"n": "d"}, {"n": "-5"})


# --- what has none -------------------------------------------------------------------------------


def left_out(exported, xml):
    return exported(xml)["left_out"]


def test_two_operations_that_are_alike(cib, exported):
    twice = operation("start", "0", timeout="1s", identifier="o1") + operation(
        "start", "0s", timeout="2s", identifier="o2"
    )
    xml = cib_of(dummy("x", f"<operations>{twice}</operations>"))
    found = exported(xml)
    assert found["primitives"]["x"]["operations"]["start"]["timeout"] == "1s"
    assert found["left_out"] == [
        "primitives:x:operations:start: stands there twice; Pacemaker takes the first"
    ]
    # … and is the one that a change changes
    start = {"start": {"interval": 0, "timeout": "3s"}}
    declared = {"primitives": {"x": {"agent": "ocf:pacemaker:Dummy", "operations": start}}}
    after = cib.difference(xml, declared)["xml"]
    assert 'timeout="3s"' in after
    assert 'timeout="2s"' in after


def test_an_operation_that_is_like_one_without_words(cib, exported):
    odd = """<op id="o1" name="monitor" interval="10s" timeout="1s"><instance_attributes id="i" score="5">
        <nvpair id="n1" name="timeout" value="2s"/></instance_attributes></op>"""
    alike = operation("monitor", "10s", timeout="3s", identifier="o2")
    xml = cib_of(dummy("x", f"<operations>{odd}{alike}</operations>"))
    found = exported(xml)
    assert "operations" not in found["primitives"]["x"]
    assert found["left_out"][1:] == [
        "primitives:x:operations:monitor 10s: stands there twice, and Pacemaker runs neither"
    ]
    found.pop("left_out")
    assert cib.difference(xml, found)["xml"] is None


def test_one_name_twice_in_one_set(cib, exported):
    twice = pair("priority", "1", "n1") + pair("priority", "2", "n2")
    xml = cib_of(dummy("x", f'<meta_attributes id="m">{twice}</meta_attributes>'))
    found = exported(xml)
    assert found["primitives"]["x"]["meta"] == {"priority": "1"}
    assert found["left_out"] == ["primitives:x:meta:priority: stands there twice; the first counts"]
    declared = {"primitives": {"x": {"agent": "ocf:pacemaker:Dummy", "meta": {"priority": 3}}}}
    after = cib.difference(xml, declared)["xml"]
    assert cib.difference(after, declared)["xml"] is None


def test_values_that_pacemaker_tolerates(exported):
    orders = '<rsc_order id="o" first="x" then="y" kind="foo"/>'
    colocations = '<rsc_colocation id="c" rsc="x" with-rsc="y" influence="invalid"/>'
    found = exported(cib_of(dummy("x") + dummy("y"), orders + colocations))
    assert found["orders"] == {"o": {"first": "x", "then": "y"}}
    assert [line.split(": ")[0] for line in found["left_out"]] == [
        "colocations:c:influence",
        "orders:o:kind",
    ]


def test_a_pair_without_value_is_none(exported):
    xml = cib_of(
        dummy(
            "x",
            f'<meta_attributes id="m">{pair("priority")}{pair("a b", "1", "n")}</meta_attributes>',
        )
    )
    assert left_out(exported, xml) == [
        "primitives:x:meta:priority: has no value",
        "primitives:x:meta:a b: is no name that could be declared",
    ]


def test_an_object_that_has_no_words_blocks_no_other(exported):
    resources = (
        '<primitive id="x" class="ocf" provider="pacemaker" type="a b"/>'
        f'{dummy("y")}<group id="g">{dummy("z")}<primitive id="w" class="no class" type="t"/></group>'
    )
    constraints = "".join(
        f'<rsc_location id="{each}" rsc="{rsc}" node="n" score="5"/>' for each, rsc in ("lg", "ky")
    )
    found = exported(cib_of(resources, constraints))
    assert set(found["primitives"]) == {"y", "z"}
    assert list(found["locations"]) == ["k"]
    assert [line.split(": ")[0] for line in found["left_out"]] == [
        "primitives:x:agent", "primitives:w:agent", "groups:g", "locations:l",
    ]  # fmt: skip


def test_what_is_unknown_altogether_is_named(exported):
    xml = cib_of(
        '<primitive id="x" class="lsb" type="y" colour="red"><smell/></primitive><cluster id="c"/>',
        '<rsc_location id="cli-ban-x" rsc="x" node="n" score="-INFINITY"/>',
        rest="<moods><mood/></moods>",
    )
    assert left_out(exported, xml) == [
        "primitives:x:colour: is an attribute that has no word",
        "primitives:x:smell: is an element that has no word",
        "locations:cli-ban-x: is what crm_resource has written for an administrator",
        "resources:c: is a cluster, which has no word",
        "moods: is a section that has no word",
    ]


def test_a_rule_that_has_no_words(exported):
    rule = '<rule id="r" score="5"><node_expression id="e" attribute="a"/></rule>'
    found = exported(cib_of(dummy("x"), f'<rsc_location id="l" rsc="x">{rule}</rsc_location>'))
    assert "locations" not in found
    assert found["left_out"][0].startswith("locations:l:")


def test_no_line_of_what_is_left_out_does_anything(exported):
    xml = cib_of(
        dummy(
            "x", f'<meta_attributes id="m">{pair("a&#10;b&#9;&#x85;", "1", "n")}</meta_attributes>'
        )
    )
    assert left_out(exported, xml) == [
        r"primitives:x:meta:a\nb\t\x85: is no name that could be declared"
    ]


def test_the_set_that_always_counts_and_one_with_a_score(cib):
    xml = cib_of().replace(
        "<crm_config/>",
        f'<crm_config><cluster_property_set id="cib-bootstrap-options">{pair("batch-limit", "1", "n1")}'
        f'</cluster_property_set><cluster_property_set id="s" score="9">{pair("batch-limit", "2", "n2")}'
        "</cluster_property_set></crm_config>",
    )
    found = cib.export(xml)
    assert found["properties"] == {"batch-limit": "1"}
    assert cib.difference(xml, found)["changes"] == {}
    anew = cib.difference(cib_of(), found)["xml"]
    assert cib.export(anew) == found
    assert cib.difference(anew, found, purge=True)["changes"] == {}


def test_a_parameter_that_is_called_name(cib, exported):
    content = f'<instance_attributes id="i">{pair("name", "x")}</instance_attributes>'
    xml = cib_of(
        dummy("x", f"<operations>{operation('monitor', '10s', content=content)}</operations>")
    )
    found = exported(xml)
    assert found["primitives"]["x"]["operations"] == {"monitor": {"interval": "10s"}}
    assert found["left_out"][0].startswith(
        "primitives:x:operations:monitor 10s:name: is a parameter"
    )
    with pytest.raises(
        ValueError, match="^primitives:x:operations:monitor:name: is what the operation is called"
    ):
        cib.check(
            {
                "primitives": {
                    "x": {"agent": "lsb:x", "operations": {"monitor": {"interval": 1, "name": 1}}}
                }
            }
        )


def test_what_could_not_be_made_is_left_out(exported):
    found = exported(cib_of(dummy("x"), '<rsc_location id="l" rsc="x" score-attribute="a"/>'))
    assert "locations" not in found
    assert found["left_out"][0] == "locations:l: needs node or rules"


def test_a_mask_is_no_secret(cib):
    secret = f'<instance_attributes id="i">{pair("passwd", "hush")}</instance_attributes>'
    xml = cib_of(dummy("x", secret))
    with pytest.raises(ValueError, match="^primitives:x:params:passwd: is the mask of a secret"):
        cib.difference(xml, cib.export(xml))
    assert cib.difference(xml, cib.export(xml, secrets=True))["changes"] == {}


# --- references that lead nowhere ----------------------------------------------------------------

NODES = '<node id="1" uname="cms1"/><node id="2" uname="cms2"/>'


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"locations": {"l": {"rsc": "y", "node": "cms1", "score": 1}}},
            "locations:l:rsc: the cluster has no resource y",
        ),
        (
            {"locations": {"l": {"rsc": "x", "node": "cms3", "score": 1}}},
            "locations:l:node: the cluster has no node cms3",
        ),
        (
            {"colocations": {"c": {"rsc": "x", "with-rsc": "z"}}},
            "colocations:c:with-rsc: the cluster has no resource z",
        ),
        (
            {"orders": {"o": {"sets": [["x"], ["q"]]}}},
            "orders:o:sets:1:resources: the cluster has no resource q",
        ),
        (
            {"fencing_levels": {"f": {"target": "cms", "index": 1, "devices": ["null"]}}},
            "fencing_levels:f:target: the cluster has no node cms; did you mean cms",
        ),
        (
            {"fencing_levels": {"f": {"target": "cms1", "index": 1, "devices": ["ipmi"]}}},
            "fencing_levels:f:devices: the cluster has no fence device ipmi",
        ),
        (
            {"fencing_levels": {"f": {"target": "cms1", "index": 1, "devices": ["x"]}}},
            "fencing_levels:f:devices: the cluster has no fence device x",
        ),
        ({"tags": {"t": ["y"]}}, "tags:t:references: the cluster has no object y"),
        (
            {"locations": {"l": {"rsc": "x", "rules": ["#uname eq cms9"]}}},
            "locations:l:rules:0:expressions:0:value: the cluster has no node cms9",
        ),
        (
            {
                "node_attributes_sets": {
                    "cms1": {"s": {"rule": "#uname eq cms8", "values": {"zone": "b"}}}
                }
            },
            "node_attributes_sets:cms1:s:rule:expressions:0:value: the cluster has no node cms8",
        ),
        (
            {
                "groups": {
                    "g": {
                        "members": ["x"],
                        "meta_sets": {"s": {"rule": "#uname eq cms7", "values": {"priority": 1}}},
                    }
                }
            },
            "groups:g:meta_sets:s:rule:expressions:0:value: the cluster has no node cms7",
        ),
        ({"acl_users": {"u": ["y"]}}, "acl_users:u:roles: the cluster has no ACL role y"),
        ({"acl_groups": {"u": ["x"]}}, "acl_groups:u:roles: the cluster has no ACL role x"),
        ({"primitives": {"p": "@y"}}, "primitives:p:agent: the cluster has no template y"),
        ({"templates": {"p": "@x"}}, "templates:p:agent: the cluster has no template x"),
    ],
)
def test_what_leads_nowhere(cib, declared, message):
    xml = cib_of(dummy("x") + '<primitive id="null" class="stonith" type="null"/>', nodes=NODES)
    with pytest.raises(ValueError) as error:
        cib.difference(xml, declared)
    assert str(error.value).startswith(message)
    name = message.partition(";")[0].rpartition(" ")[2]
    assert cib.difference(xml, {**declared, "allow_unknown": [name]})["changes"]


@pytest.mark.parametrize("name", ["x", "g", "cms2"])
def test_a_guest_has_a_name_of_its_own(cib, name):
    xml = cib_of(f'<group id="g">{dummy("x")}</group>', nodes=NODES)
    declared = {"primitives": {"p": {"agent": "ocf:heartbeat:VM", "meta": {"remote-node": name}}}}
    with pytest.raises(ValueError, match=f"^primitives:p:meta:remote-node: {name} is a resource"):
        cib.difference(xml, declared)
    assert cib.difference(xml, {**declared, "allow_unknown": [name]})["changes"]
    declared["primitives"]["p"]["meta"]["remote-node"] = "guest"
    guest = '<node id="guest" uname="guest" type="remote"/>'
    assert cib.difference(cib_of(dummy("x"), nodes=NODES + guest), declared)["changes"]


def test_a_node_without_a_name_is_nobodys(cib):
    assert cib.export(cib_of(dummy("x"), nodes='<node id="1"/>'))["primitives"]
    declared = {"primitives": {"p": {"agent": "ocf:pacemaker:Dummy"}}}
    assert cib.difference(cib_of("", nodes='<node id="1"/>'), declared)["changes"]


def test_an_order_of_one_resource_with_its_other_action(cib):
    xml = cib_of(f'<clone id="c">{dummy("x")}</clone>', nodes=NODES)
    for order in (
        {"first": "c", "then": "c", "first-action": "start", "then-action": "stop"},
        {"sets": [{"resources": ["c"], "action": "start"}, {"resources": ["c"], "action": "stop"}]},
    ):
        assert cib.difference(xml, {"orders": {"o": order}})["changes"]


def test_what_makes_no_sense_is_left_out(cib):
    """Pacemaker's scheduler ends itself over such an order; a copy of it would not be taken."""
    order = '<rsc_order id="o" first="x" then="x"/>'
    found = cib.export(cib_of(dummy("x"), order, nodes=NODES))
    assert "orders" not in found
    assert found["left_out"] == ["orders:o:then: x stands there twice, and would wait for itself"]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            {"locations": {"l": {"rsc": "x", "role": "Promoted", "node": "cms1", "score": 1}}},
            "locations:l:role: x",
        ),
        (
            {"colocations": {"l": {"rsc": "x", "rsc-role": "Master", "with-rsc": "y", "score": 1}}},
            "colocations:l:rsc-role: x",
        ),
        (
            {"colocations": {"l": {"rsc": "x", "with-rsc": "y", "with-rsc-role": "Promoted", "score": 1}}},
            "with-rsc-role: y",
        ),
        (
            {"colocations": {"l": {"sets": [{"role": "Promoted", "resources": ["p", "x"]}], "score": 1}}},
            "l:sets:0: x",
        ),
        ({"orders": {"o": {"first": "x", "first-action": "demote", "then": "y"}}}, "first-action: x"),
        ({"orders": {"o": {"first": "p", "first-action": "promote", "then": "y"}}}, "then-action: y"),
        ({"orders": {"o": {"sets": [{"action": "promote", "resources": ["y"]}]}}}, "orders:o:sets:0: y"),
        ({"tickets": {"t": {"ticket": "t", "rsc": "c", "rsc-role": "Promoted"}}}, "rsc-role: c"),
    ],
)  # fmt: skip
def test_what_is_never_promoted(cib, exported, declared, message):
    promotable = f'<meta_attributes id="m">{pair("promotable", "true")}</meta_attributes>'
    clones = f'<clone id="k">{promotable}{dummy("p")}</clone><clone id="c">{dummy("z")}</clone>'
    xml = cib_of(dummy("x") + dummy("y") + clones, nodes=NODES)
    with pytest.raises(ValueError, match=f"{message} is never promoted") as error:
        cib.difference(xml, declared)
    first = declared.get("orders", {}).get("o", {}).get("first", "")
    names = {message.rpartition(" ")[2], *(("y",) if first == "x" else ())}
    allowed = cib.difference(xml, {**declared, "allow_unknown": sorted(names)})
    assert allowed["changes"]
    assert exported(allowed["xml"])["allow_unknown"] == sorted(names)
    assert ("write then-action" in str(error.value)) == ("then-action" in message)


def test_what_may_be_promoted(cib):
    promotable = f'<meta_attributes id="m">{pair("promotable", "true")}</meta_attributes>'
    bundle = f'<bundle id="b"><podman image="i" promoted-max="1"/>{dummy("q")}</bundle>'
    xml = cib_of(f'<clone id="k">{promotable}{dummy("p")}</clone>{bundle}{dummy("x")}', nodes=NODES)
    for resource in ("k", "p", "b", "q"):
        declared = {
            "locations": {"l": {"rsc": resource, "role": "Promoted", "node": "cms1", "score": 1}},
            "orders": {
                "o": {
                    "first": resource,
                    "first-action": "promote",
                    "then": "x",
                    "then-action": "start",
                }
            },
        }
        assert len(cib.difference(xml, declared)["changes"]) == 2


def test_a_device_may_be_of_a_template(cib):
    template = '<template id="ipmi" class="stonith" type="fence_ipmilan"/>'
    xml = cib_of(template + '<primitive id="fence1" template="ipmi"/>', nodes=NODES)
    declared = {"fencing_levels": {"f": {"target": "cms1", "index": 1, "devices": ["fence1"]}}}
    assert cib.difference(xml, declared)["changes"]


def test_what_led_nowhere_before_is_left(cib, exported):
    location = '<rsc_location id="l" rsc="x" node="gone" score="5"/>'
    xml = cib_of(dummy("x"), location, nodes=NODES)
    assert exported(xml)["allow_unknown"] == ["gone"]
    declared = {"locations": {"l": {"rsc": "x", "node": "gone", "score": 5}}}
    assert cib.difference(xml, declared)["changes"] == {}


def test_a_guest_is_a_node(cib):
    remote = '<primitive id="r" class="ocf" provider="pacemaker" type="remote"/>'
    guest = dummy("g", f'<meta_attributes id="m">{pair("remote-node", "guest")}</meta_attributes>')
    bundle = '<bundle id="b"><podman image="i" replicas="2"/></bundle>'
    for node in ("r", "guest", "b-1"):
        declared = {"locations": {"l": {"rsc": "g", "node": node, "score": 1}}}
        assert cib.difference(cib_of(remote + guest + bundle, nodes=NODES), declared)["changes"]


def test_a_span_of_no_bounds(cib):
    spec = '<date_expression id="e" operation="date_spec"><date_spec id="s"/></date_expression>'
    location = f'<rsc_location id="l" rsc="x"><rule id="r" score="1">{spec}</rule></rsc_location>'
    xml = cib_of(dummy("x"), location)
    found = cib.export(xml)
    assert "left_out" not in found
    assert cib.difference(xml, found)["changes"] == {}


def test_two_nodes_of_one_name(cib):
    """A changed nodeid leaves the old one behind. Nothing of it is what the new one has."""
    standby = f'<instance_attributes id="i{{}}">{pair("standby", "{}")}</instance_attributes>'
    one = '<node id="1" uname="cms1"/>'
    two = f'<node id="7" uname="cms1">{standby.format(7, "on")}</node>'
    xml = cib_of(dummy("x"), nodes=one + two)
    found = cib.export(xml)
    assert "node_attributes" not in found
    assert any("node_attributes:cms1: is another node of this name, with the id 7" in line
               for line in found["left_out"])  # fmt: skip
    assert cib.difference(xml, found)["changes"] == {}


@pytest.mark.parametrize("said", ["false", "rubbish"])
def test_a_master_that_says_it_is_none(cib, said):
    meta = f'<meta_attributes id="m">{pair("promotable", said)}</meta_attributes>'
    xml = cib_of(f'<master id="k">{meta}{dummy("p")}</master>')
    assert cib.difference(xml, cib.export(xml))["changes"] == {}


def test_a_clone_of_two(cib):
    found = cib.export(cib_of(f'<clone id="k">{dummy("p")}{dummy("q")}</clone>'))
    assert any("clones:k:resource: q is in it too" in line for line in found["left_out"])


@pytest.mark.parametrize("node", ["my node", "nöde"])
def test_a_node_that_is_gone_and_had_an_odd_name(cib, node):
    xml = cib_of(dummy("x"), f'<rsc_location id="l" rsc="x" node="{node}" score="1"/>', nodes=NODES)
    assert cib.difference(xml, cib.export(xml))["changes"] == {}


def test_a_score_longer_than_python_reads(cib):
    xml = cib_of(
        dummy("x"), f'<rsc_location id="l" rsc="x" node="cms1" score="-{"9" * 5000}"/>', nodes=NODES
    )
    assert cib.difference(xml, cib.export(xml))["changes"] == {}


# --- what spoiling everything at random has shown ------------------------------------------------


def test_an_order_whose_score_pacemaker_does_not_read(cib):
    xml = cib_of(
        dummy("a") + dummy("b"),
        '<rsc_order id="o" first="a" then="b" kind="Mandatory" score="promote"/>',
    )
    found = cib.export(xml)
    assert "orders:o:score" in found["left_out"][0]
    assert cib.difference(xml, found)["changes"] == {}


def test_a_location_without_an_id_is_nobodys_leftover(cib):
    assert cib.leftovers(cib_of(dummy("a"), '<rsc_location rsc="a" node="n" score="1"/>')) == []


def test_a_user_that_stands_there_twice(cib):
    acls = (
        '<acls><acl_role id="r"/><acl_role id="s"/><acl_target id="alice"><role id="r"/></acl_target>'
        '<acl_target id="alice"><role id="s"/></acl_target>'
        '<acl_target id="bob"><role id="s"/></acl_target></acls>'
    )
    found = cib.export(cib_of(rest=acls))
    assert list(found["acl_users"]) == ["bob"]
    assert (
        "acl_users:alice: stands there twice; Pacemaker gives it the roles of both"
        in found["left_out"]
    )
    assert cib.difference(cib_of(rest=acls), found)["changes"] == {}


@pytest.mark.parametrize("key", ["meta_sets", "params_sets"])
def test_sets_of_an_operation_that_are_none(cib, key):
    monitor = {"interval": "10s", "timeout": "5s", "meta": {"a": "b"}, key: "../x"}
    with pytest.raises(ValueError, match=f"{key}: a mapping is wanted"):
        cib.check({"primitives": {"a": {"agent": "lsb:a", "operations": {"monitor": monitor}}}})


def test_sets_without_an_id_are_purged_too(cib):
    sets = '<meta_attributes score="5"/><meta_attributes id="x" score="6"/>'
    done = cib.difference(
        cib_of(dummy("a", sets)), {"primitives": {"a": "ocf:pacemaker:Dummy"}}, None, True
    )
    assert "score=" not in done["xml"]


def test_a_message_holds_nothing_that_a_terminal_acts_on(cib):
    declared = {"locations": {"l": {"rsc": "x", "node": "z\x9b2Jgood\u202e", "score": 1}}}
    with pytest.raises(ValueError, match="the cluster has no node z") as error:
        cib.difference(cib_of(dummy("x"), nodes=NODES), declared)
    assert str(error.value).isprintable()
