"""Every section of the CIB: what may be declared, what is compared, what a change and a purge leave."""

import copy
from xml.etree import ElementTree

import pytest
from everything import EVERYTHING

NODES = '<nodes><node id="1" uname="cms1"/><node id="2" uname="cms2"/></nodes>'


def empty(cib, schema="pacemaker-3.9"):
    text = cib.empty().replace('validate-with="pacemaker-1.2"', f'validate-with="{schema}"')
    return text.replace("<nodes/>", NODES)


@pytest.fixture(scope="module")
def full(pure):
    """The CIB that holds everything."""
    cib = pure("cib")
    return cib.difference(empty(cib), EVERYTHING)["xml"]


def changed(keys, value):
    """What is declared, with one thing in it different."""
    declared = copy.deepcopy(EVERYTHING)
    inner = declared
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    return declared


# --- all of it -----------------------------------------------------------------------------------


def test_everything_is_declared_here(cib):
    assert list(EVERYTHING) == cib.sections()


def test_everything_arrives_and_is_equal_then(cib, full):
    difference = cib.difference(full, EVERYTHING)
    assert (difference["changes"], difference["xml"]) == ({}, None)


def test_what_is_exported_is_equal_and_makes_the_same_anew(cib, full):
    exported = cib.export(full, secrets=True)
    assert cib.difference(full, exported, purge=True)["changes"] == {}
    anew = cib.difference(empty(cib), exported)["xml"]
    assert cib.model(anew) == cib.model(full)


def test_an_export_masks_secrets_unless_asked(cib, full):
    assert "hunter2" not in str(cib.export(full))
    assert "hunter2" in str(cib.export(full, secrets=True))


def test_nothing_declared_changes_nothing(cib, full):
    assert cib.difference(full, {})["xml"] is None


def test_all_of_it_can_be_declared_absent(cib, full):
    absent = {key: list(each) for key, each in EVERYTHING.items() if not key.startswith("node_")}
    absent["node_attributes"] = {"cms1": ["rack", "standby"]}
    absent["node_utilization"] = {"cms1": ["cpu"], "cms2": ["cpu"]}
    absent["node_attributes_sets"] = {"cms2": ["away"]}
    absent["node_utilization_sets"] = {"cms1": ["busy"]}
    absent["node_descriptions"], absent["node_scores"] = ["cms1"], ["cms2"]
    gone = cib.difference(full, {}, absent)["xml"]
    assert not any(cib.model(gone).values())


def test_all_of_it_can_be_purged(cib, full):
    difference = cib.difference(full, {}, purge=True)
    assert not any(cib.model(difference["xml"]).values())
    assert set(EVERYTHING["primitives"]) <= set(difference["purged_resources"])


# --- one change each -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "value", "path", "old"),
    [
        (["properties", "no-quorum-policy"], "ignore", None, "stop"),
        (["node_attributes", "cms1", "rack"], "b", None, "a"),
        (["node_utilization", "cms2", "cpu"], 9, None, "8"),
        (
            ["templates", "dummy-template", "agent"],
            "ocf:heartbeat:Dummy",
            None,
            "ocf:pacemaker:Dummy",
        ),
        (["primitives", "vip", "utilization", "cpu"], 2, None, "1"),
        (
            ["primitives", "vip", "description"],
            "another",
            None,
            "the address of <Cloudera> & 'Manager'",
        ),
        (["groups", "cloudera"], ["cm", "vip"], ["groups", "cloudera", "members"], ["vip", "cm"]),
        (["clones", "db-pair", "meta", "promoted-max"], 2, None, "1"),
        (["bundles", "web-bundle", "docker", "replicas"], 5, None, "3"),
        (["bundles", "web-bundle", "network", "ip-range-start"], "10.0.0.9", None, "10.0.0.100"),
        (
            ["bundles", "web-bundle", "network", "port-mappings", "httpd-port", "port"],
            81,
            None,
            "80",
        ),
        (["locations", "cloudera-likes-cms1", "score"], 60, None, "50"),
        (["locations", "dummies-stay-away", "resource-discovery"], "exclusive", None, "never"),
        (["colocations", "lonely-with-cloudera", "influence"], True, None, "false"),
        (["orders", "db-then-cloudera", "kind"], "Optional", None, "Mandatory"),
        (["tickets", "cloudera-needs-ticket", "loss-policy"], "fence", None, "stop"),
        (["fencing_levels", "by-pattern", "target-pattern"], "cms.*", None, "mgmt.*"),
        (
            ["acl_users", "alice"],
            ["watcher"],
            ["acl_users", "alice", "roles"],
            ["watcher", "operator"],
        ),
        (["alerts", "snmp", "select"], ["nodes"], None, {"nodes": "true", "fencing": "true"}),
        (
            ["alerts", "snmp", "recipients", "snmp-one"],
            "10.0.0.9",
            ["alerts", "snmp", "recipients", "snmp-one", "value"],
            "10.0.0.50",
        ),
        (
            ["tags", "everything-of-cm"],
            ["cloudera"],
            ["tags", "everything-of-cm", "references"],
            ["cloudera", "db-with-cloudera"],
        ),
    ],
)
def test_one_change_is_one_change(cib, full, keys, value, path, old):  # noqa: PLR0917
    declared = changed(keys, value)
    difference = cib.difference(full, declared)
    assert list(difference["changes"]) == [":".join(path or keys)]
    (change,) = difference["changes"].values()
    assert change["old"] == old
    assert cib.difference(difference["xml"], declared)["changes"] == {}
    back = cib.difference(difference["xml"], EVERYTHING)
    assert list(back["changes"]) == list(difference["changes"])


@pytest.mark.parametrize(
    "declared",
    [
        {
            "primitives": {"cm": "lsb:cm", "ip": "lsb:ip"},
            "colocations": {"c": {"rsc": "cm", "with-rsc": "ip", "lifetime": []}},
        },
        {"alerts": {"a": {"path": "/bin/true", "select": []}}},
        {"alerts": {"a": {"path": "/bin/true", "select": {"nodes": False}}}},
        {"acl_roles": {"r": []}},
        {"acl_users": {"u": []}},
        {
            "primitives": {
                "cm": {"agent": "lsb:cm", "operations": {}, "meta": {}, "params_sets": {}}
            }
        },
    ],
)
def test_an_empty_list_is_put_once(cib, declared):
    """It is written as nothing, or as an empty element: either way the next time nothing differs."""
    first = cib.difference(cib.empty(), declared)
    assert cib.difference(first["xml"], declared)["changes"] == {}


def test_a_rule_that_means_the_same_is_no_change(cib, full):
    rules = [
        {
            "score": "-INFINITY",
            "boolean-op": "OR",
            "expressions": [
                {"attribute": "pingd", "operation": "not_defined"},
                {"type": "number", "value": "1", "attribute": "pingd", "operation": "lt"},
            ],
        }
    ]
    assert cib.difference(full, {"locations": {"needs-network": {"rules": rules}}})["xml"] is None


def test_a_changed_rule_is_replaced_and_keeps_its_id(cib, full):
    declared = {"locations": {"needs-network": {"rules": "pingd gt 3"}}}
    difference = cib.difference(full, declared)
    assert list(difference["changes"]) == ["locations:needs-network:rules"]
    assert difference["xml"].count('<rule id="needs-network-rule"') == 1
    assert cib.model(difference["xml"])["locations"]["needs-network"]["rules"] == [
        {
            "score": "INFINITY",
            "expressions": [{"attribute": "pingd", "operation": "gt", "value": "3"}],
        }
    ]


def test_a_node_instead_of_a_rule(cib, full):
    declared = {"locations": {"needs-network": {"node": "cms1", "score": 5}}}
    after = cib.difference(full, declared)["xml"]
    assert cib.model(after)["locations"]["needs-network"] == {
        "rsc": "cloudera",
        "node": "cms1",
        "score": "5",
    }
    back = cib.difference(after, EVERYTHING)["xml"]
    assert cib.model(back)["locations"] == cib.model(full)["locations"]


def test_a_set_instead_of_two_resources(cib, full):
    declared = {"orders": {"db-then-cloudera": {"sets": [["db-pair"], ["cloudera"]]}}}
    after = cib.difference(full, declared)["xml"]
    order = cib.model(after)["orders"]["db-then-cloudera"]
    assert "first" not in order
    assert "then" not in order
    assert order["sets"] == [{"resources": ["db-pair"]}, {"resources": ["cloudera"]}]


def test_a_shared_set_is_read_and_replaced(cib, full):
    """An id-ref stands for a set that is defined elsewhere, and stays as it is there."""
    shared = full.replace(
        "</constraints>",
        '<rsc_order id="again"><resource_set id-ref="ping-then-rest-set"/></rsc_order></constraints>',
    )
    assert cib.model(shared)["orders"]["again"]["sets"] == [{"resources": ["ping-everywhere"]}]
    declared = {"orders": {"again": {"sets": [["lonely"]]}}}
    after = cib.difference(shared, declared)["xml"]
    assert cib.model(after)["orders"]["again"]["sets"] == [{"resources": ["lonely"]}]
    assert (
        cib.model(after)["orders"]["ping-then-rest"] == cib.model(full)["orders"]["ping-then-rest"]
    )


# --- resources in resources ----------------------------------------------------------------------


def test_a_primitive_moves_into_a_group_and_out_again(cib, full):
    into = {"groups": {"cloudera": ["vip", "lonely", "cm"]}}
    after = cib.difference(full, into)["xml"]
    assert cib.model(after)["groups"]["cloudera"]["members"] == ["vip", "lonely", "cm"]
    back = cib.difference(after, EVERYTHING)["xml"]
    resources = ElementTree.fromstring(back).find("configuration/resources")
    assert "lonely" in [each.get("id") for each in resources]


def test_a_clone_around_a_group(cib, full):
    after = cib.difference(full, {"clones": {"of-group": "cloudera"}})["xml"]
    assert cib.model(after)["clones"]["of-group"]["resource"] == "cloudera"
    # the group's constraints still name it, and it can come out again
    out = cib.difference(after, {}, {"clones": ["of-group"]})["xml"]
    assert cib.model(out) == cib.model(full)


def test_a_group_that_would_be_left_empty_is_refused(cib, full):
    stolen = {"groups": {"other": ["vip", "cm"]}}
    with pytest.raises(ValueError, match="^groups:cloudera: has nothing in it any more"):
        cib.difference(full, stolen)
    after = cib.difference(full, stolen, {"groups": ["cloudera"]})["xml"]
    assert cib.model(after)["groups"]["other"]["members"] == ["vip", "cm"]


def test_an_absent_group_leaves_its_members(cib, full):
    after = cib.difference(full, {}, {"groups": ["cloudera"]})["xml"]
    assert {"vip", "cm"} <= set(cib.model(after)["primitives"])
    assert "cloudera-likes-cms1" not in cib.model(after)["locations"]


# --- purge ---------------------------------------------------------------------------------------


def test_a_purge_takes_what_isnt_declared_and_nothing_else(cib, full):
    rest = copy.deepcopy(EVERYTHING)
    del rest["primitives"]["lonely"]
    del rest["primitives"]["vip"]["operations"]["start"]
    del rest["alerts"]["snmp"]["recipients"]["snmp-one"]
    del rest["node_attributes"]["cms1"]["standby"]
    for key, identifier in (
        ("locations", "by-day"),
        ("locations", "both-on-cms2"),
        ("colocations", "lonely-with-cloudera"),
        ("colocations", "set-of-three"),
        ("orders", "ping-then-rest"),
        ("tickets", "others-need-ticket"),
    ):
        del rest[key][identifier]
    difference = cib.difference(full, rest, purge=True)
    assert set(difference["changes"]) == {
        "primitives:lonely", "primitives:vip:operations:start", "node_attributes:cms1:standby",
        "alerts:snmp:recipients:snmp-one", "locations:by-day", "locations:both-on-cms2",
        "colocations:lonely-with-cloudera", "colocations:set-of-three", "orders:ping-then-rest",
        "tickets:others-need-ticket",
    }  # fmt: skip
    assert difference["purged_resources"] == ["lonely"]
    assert cib.difference(difference["xml"], rest, purge=True)["xml"] is None


def test_a_purge_of_one_section_leaves_the_others(cib, full):
    difference = cib.difference(full, {}, purge=["tags"])
    assert list(difference["changes"]) == ["tags:everything-of-cm"]


def test_a_purge_leaves_what_is_pacemakers_and_the_administrators(cib, full):
    theirs = {
        "properties": {"dc-version": "2.1.5", "cluster-infrastructure": "corosync", "have-watchdog": False},
        "primitives": {"lonely": {"agent": "ocf:pacemaker:Dummy", "meta": {"is-managed": False}}},
        "locations": {"cli-prefer-lonely": {"rsc": "lonely", "node": "cms1", "score": "INFINITY"}},
    }  # fmt: skip
    used = cib.difference(full, theirs)["xml"]
    assert cib.difference(used, EVERYTHING, purge=True)["xml"] is None
    assert "cli-prefer-lonely" not in cib.export(used)["locations"]
    assert "dc-version" not in cib.export(used)["properties"]


def test_a_purge_of_what_is_no_section(cib):
    with pytest.raises(ValueError, match="^purge:tag: unknown section, did you mean tags"):
        cib.difference(empty(cib), {}, purge=["tag"])


# --- Pacemaker's versions ------------------------------------------------------------------------


def test_roles_as_old_versions_spell_them(cib):
    declared = {
        "primitives": {
            "db": {
                "agent": "ocf:pacemaker:Stateful",
                "meta": {"target-role": "Promoted"},
                "operations": {"monitor": {"interval": "10s", "role": "Promoted"}},
            }
        },
        "clones": {"db-pair": {"resource": "db", "meta": {"promotable": True, "promoted-max": 1}}},
        "locations": {"l": {"rsc": "db-pair", "role": "Promoted", "node": "cms1", "score": 1}},
    }
    old = cib.difference(empty(cib, "pacemaker-2.10"), declared)["xml"]
    assert "Promoted" not in old
    assert 'name="master-max"' in old
    assert '<master id="db-pair">' in old
    assert "promotable" not in old
    between = cib.difference(empty(cib, "pacemaker-3.2"), declared)["xml"]
    assert "Promoted" not in between
    assert '<clone id="db-pair">' in between
    new = cib.difference(empty(cib, "pacemaker-3.9"), declared)["xml"]
    assert "Master" not in new
    for each in (old, between, new):
        assert cib.difference(each, declared)["changes"] == {}
        assert cib.model(each)["clones"]["db-pair"]["meta"]["promotable"] == "true"


def test_a_master_can_not_be_made_a_plain_clone(cib):
    promotable = {
        "primitives": {"db": "ocf:pacemaker:Stateful"},
        "clones": {"c": {"resource": "db", "meta": {"promotable": True}}},
    }
    old = cib.difference(empty(cib, "pacemaker-2.10"), promotable)["xml"]
    with pytest.raises(ValueError, match="^clones:c:meta:promotable: a master can't"):
        cib.difference(old, {"clones": {"c": {"resource": "db", "meta": {"promotable": False}}}})


# --- bad input -----------------------------------------------------------------------------------


def _operations(**operations):
    return {"primitives": {"cm": {"agent": "ocf:x:y", "operations": operations}}}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"groups": {"g": []}}, "groups:g:members: is empty"),
        (
            {"groups": {"g": ["nosuch"]}},
            "groups:g:members: nosuch should be a primitive, there is none",
        ),
        ({"groups": {"g": ["vip", "vip"]}}, "groups:g:members:1: vip is listed twice"),
        ({"groups": {"g": ["cloudera"]}}, "cloudera should be a primitive, it is a group"),
        ({"groups": {"g": {"meta": {}}}}, "groups:g: has no members"),
        ({"groups": {"vip": ["cm"]}}, "groups:vip: the id is taken by a primitive"),
        (
            {"clones": {"c": {"resources": "vip"}}},
            "clones:c:resources: unknown key, did you mean resource",
        ),
        ({"bundles": {"b": {"network": {}}}}, "bundles:b: needs docker or podman or rkt"),
        (
            {"bundles": {"web-bundle": {"docker": {"replicas": "many"}}}},
            "bundles:web-bundle:docker:replicas: should be a whole number, is 'many'",
        ),
        ({"locations": {"l": {"rsc": "vip", "score": 1}}}, "locations:l: needs node or rules"),
        ({"locations": {"l": {"node": "cms1", "score": 1}}}, "needs rsc or rsc-pattern or sets"),
        (
            {"locations": {"l": {"rsc": "vip", "node": "cms1", "score": "high"}}},
            "locations:l:score: should be a number, INFINITY or -INFINITY, is 'high'",
        ),
        (
            {"locations": {"l": {"rsc": "vip", "sets": [["cm"]], "node": "cms1", "score": 1}}},
            "locations:l:sets: not together with rsc",
        ),
        (
            {"locations": {"l": {"rsc": "vip", "rules": ["pingd is 1"]}}},
            "locations:l:rules:0:expressions:0: 'pingd is 1' is no comparison",
        ),
        (
            {"locations": {"l": {"rsc": "vip", "rules": "pingd lt 1 or not_defined pingd"}}},
            "'pingd lt 1 or not_defined pingd' is several comparisons: write each as one of expressions",
        ),
        (
            {"locations": {"l": {"rsc": "vip", "rules": ["date gt 2026-01-01"]}}},
            "compares with an attribute date; write date_expression",
        ),
        *(
            ({"locations": {"l": {"rsc": "vip", "rules": [rule]}}}, f"locations:l:rules:0:{says}")
            for rule, says in (
                (
                    "#unam eq cms1",
                    "expressions:0:attribute: #unam is none of Pacemaker's own; did you mean #uname",
                ),
                (
                    {"expressions": [{"attribute": "a", "operation": "lt"}]},
                    "expressions:0:value: is missing; lt compares with it",
                ),
                (
                    {"expressions": [{"attribute": "a", "operation": "defined", "value": 1}]},
                    "expressions:0:value: goes not with defined",
                ),
                (
                    {"score": 1, "score-attribute": "a", "expressions": ["defined a"]},
                    "score-attribute: not together with score",
                ),
            )
        ),
        (
            {"locations": {"l": {"rsc": "vip", "rules": [{"score": 1}]}}},
            "locations:l:rules:0: has no expressions",
        ),
        (
            {
                "locations": {
                    "l": {"rsc": "vip", "rules": [{"expressions": [{"date_expresion": {}}]}]}
                }
            },
            "expressions:0:date_expresion: unknown kind of expression, did you mean date_expression",
        ),
        (
            {"colocations": {"c": {"rsc": "vip", "score": 1}}},
            "colocations:c: needs with-rsc or sets",
        ),
        (
            {"orders": {"o": {"first": "vip", "then": "cm", "kind": "Mandatry"}}},
            "should be one of Mandatory, Optional, Serialize, is 'Mandatry'; did you mean Mandatory",
        ),
        ({"tickets": {"t": {"rsc": "vip"}}}, "tickets:t: has no ticket"),
        ({"tickets": {"t": {"rsc": "vip", "ticket": " "}}}, "tickets:t:ticket: is empty"),
        (
            {"locations": {"l": {"rsc-pattern": "(", "node": "cms1", "score": 1}}},
            "locations:l:rsc-pattern: is no regular expression",
        ),
        ({"alerts": {"a": {"path": " "}}}, "alerts:a:path: is empty"),
        (
            {"locations": {"l": {"rsc-pattern": "c{99999999999}", "node": "cms1", "score": 1}}},
            "locations:l:rsc-pattern: is no regular expression",
        ),
        (
            {"acl_roles": {"r": [{"xpath": "//x"}]}},
            "acl_roles:r:permissions:0: has no kind",
        ),
        (
            {"colocations": {"c": {"sets": [{"resources": []}], "score": 1}}},
            "colocations:c:sets:0: needs resources",
        ),
        (
            {"fencing_levels": {"f": {"index": 1, "target-attribute": "rack", "devices": ["d"]}}},
            "fencing_levels:f: needs target or target-pattern or target-value",
        ),
        (
            {"groups": {"g": ["vip"], "h": ["vip"]}},
            "groups:h:members: vip is in groups:g already, and stands in one place",
        ),
        (
            {"groups": {"g": ["vip"]}, "clones": {"c": "vip"}},
            "clones:c:resource: vip is in groups:g already",
        ),
        (
            {"fencing_levels": {"f": {"index": 1, "devices": []}}},
            "fencing_levels:f:devices: is empty",
        ),
        (
            _operations(start={"interval": "10s"}),
            "primitives:cm:operations:start:interval: Pacemaker never repeats a start; leave it out",
        ),
        (
            _operations(monitor={"interval": "10s", "on-fail": "demote"}),
            "primitives:cm:operations:monitor:on-fail: demote is for promote, and for a monitor of",
        ),
        (
            _operations(start={"on-fail": "demote"}),
            "primitives:cm:operations:start:on-fail: demote is for promote",
        ),
        (
            _operations(stop={"on-fail": "Standby"}),
            "primitives:cm:operations:stop:on-fail: Standby isn't for a stop, and Pacemaker takes",
        ),
        (
            {"fencing_levels": {"f": {"index": 10, "target": "cms1", "devices": ["d"]}}},
            "fencing_levels:f:index: should be a number from 1 to 9, is '10'",
        ),
        (
            {"fencing_levels": {"f": {"index": 1, "target-pattern": "(", "devices": ["d"]}}},
            "fencing_levels:f:target-pattern: is no regular expression, ",
        ),
        (
            {"acl_roles": {"r": ["look at //status"]}},
            "acl_roles:r:permissions:0: write KIND xpath XPATH",
        ),
        (
            {"alerts": {"a": {"path": "/bin/true", "select": ["noods"]}}},
            "alerts:a:select:noods: unknown kind of event, did you mean nodes",
        ),
        (
            {"alerts": {"a": {"path": "/bin/true", "recipients": {"r": {"meta": {}}}}}},
            "alerts:a:recipients:r: has no value",
        ),
        (
            {"node_attributes": {"cms9": {"a": 1}}},
            "the cluster has no node cms9 (it has: cms1, cms2)",
        ),
    ],
)
def test_bad_declarations_name_their_path(cib, full, declared, message):
    with pytest.raises(ValueError) as refused:
        cib.difference(full, declared)
    assert message in str(refused.value)


def test_a_bundle_of_any_number_of_containers(cib):
    """Their names are nodes; nobody counts them out."""
    bundle = '<bundle id="web"><podman image="x" replicas="{}"/></bundle>'
    for number in ("100000000000", "9" * 5000, "-1", "x"):
        text = empty(cib).replace("<resources/>", f"<resources>{bundle.format(number)}</resources>")
        assert cib.difference(text, {"properties": {"x-y": 1}, "allow_unknown": ["x-y"]})["changes"]


def test_a_parameter_of_an_operation_may_be_called_meta(cib):
    declared = {"agent": "ocf:x:y", "operations": {"start": {"meta": "x"}}}
    found = cib.check_whole({"primitives": {"p": declared}})["primitives"]["p"]["operations"]
    assert found == {"start": [{"meta": "x", "interval": "0s"}]}
