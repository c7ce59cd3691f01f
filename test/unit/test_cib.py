"""The CIB as data: what may be declared, what counts as a difference, and what the new CIB says."""

import re
from xml.etree import ElementTree

import pytest

GUIDE = {
    "properties": {"no-quorum-policy": "ignore", "stonith-enabled": False},
    "rsc_defaults": {"resource-stickiness": 100},
    "primitives": {"cloudera-scm-server": "lsb:cloudera-scm-server"},
}


NOTHING_MORE = {"params": {}, "meta": {}, "operations": {}, "utilization": {}}


def xml(crm_config="", resources="", constraints="", rest="", nodes=""):
    return (
        '<cib admin_epoch="0" epoch="7" num_updates="9"><configuration>'
        f"<crm_config>{crm_config}</crm_config><nodes>{nodes}</nodes>"
        f"<resources>{resources}</resources><constraints>{constraints}</constraints>{rest}"
        "</configuration><status/></cib>"
    )


def property_set(identifier, score=None, **values):
    return pairs_of("cluster_property_set", identifier, score, values)


def meta(identifier, score=None, **values):
    return pairs_of("meta_attributes", identifier, score, values)


def params(identifier, **values):
    return pairs_of("instance_attributes", identifier, None, values)


def pairs_of(tag, identifier, score, values):
    pairs = "".join(
        f'<nvpair id="{identifier}-{name}" name="{name.replace("_", "-")}" value="{value}"/>'
        for name, value in values.items()
    )
    scored = f' score="{score}"' if score else ""
    return f'<{tag} id="{identifier}"{scored}>{pairs}</{tag}>'


def primitive(identifier="vip", content=""):
    return (
        f'<primitive id="{identifier}" class="ocf" provider="heartbeat" type="IPaddr2">'
        f"{content}</primitive>"
    )


def declared_vip(**rest):
    return {"primitives": {"vip": {"agent": "ocf:heartbeat:IPaddr2", **rest}}}


def same_as_declared(difference):
    return (difference["changes"], difference["xml"]) == ({}, None)


def applied(cib, before, declared, absent=None):
    """The new CIB; and whoever asks once more sees no difference."""
    after = cib.difference(before, declared, absent)["xml"]
    assert after is not None
    assert same_as_declared(cib.difference(after, declared, absent))
    return after


# --- check ---------------------------------------------------------------------------------------


def test_check_gives_the_full_form_of_the_short_one(cib):
    assert cib.check({"primitives": {"cm": "lsb:cm"}}) == {
        **{key: {} for key in cib.sections()},
        "primitives": {"cm": {"agent": "lsb:cm", **NOTHING_MORE}},
    }


def test_check_of_nothing(cib):
    assert list(cib.check({})) == cib.sections()
    assert cib.check({"properties": None})["properties"] == {}


def test_check_accepts_its_own_result(cib):
    once = cib.check(declared_vip(operations={"monitor": {"interval": "10s"}}))
    assert cib.check(once) == once


def test_check_leaves_what_it_was_given_as_it_was(cib):
    given = {"primitives": {"cm": {"agent": "lsb:cm", "operations": {"start": {"timeout": 5}}}}}
    cib.check(given)
    assert given == {
        "primitives": {"cm": {"agent": "lsb:cm", "operations": {"start": {"timeout": 5}}}}
    }


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        (True, "true"),
        (False, "false"),
        (100, "100"),
        (-1, "-1"),
        (0.5, "0.5"),
        (float("inf"), "INFINITY"),
        (float("-inf"), "-INFINITY"),
        ("yes", "yes"),
        ("", ""),
        ("<&\"'>;", "<&\"'>;"),
        ("zwei Wörter", "zwei Wörter"),
    ],
)
def test_values_are_spelled_as_pacemaker_does(cib, value, spelled):
    assert cib.check({"properties": {"x": value}})["properties"]["x"] == spelled
    # … and arrive as they are
    after = applied(cib, xml(), {"properties": {"x": value}})
    assert cib.model(after)["properties"]["x"] == spelled


BAD = [
    ({"propertys": {}}, "propertys: unknown section, did you mean properties?"),
    ({"nodes": {}}, "nodes: unknown section"),
    ([], ""),
    ({"properties": []}, "properties: a mapping is wanted, not a list"),
    ({"properties": {"x": None}}, "properties:x: one value is wanted, not nothing"),
    ({"properties": {"x": [1]}}, "properties:x: one value is wanted, not a list"),
    ({"properties": {"x": {"y": 1}}}, "properties:x: one value is wanted, not a mapping"),
    ({"properties": {"x": float("nan")}}, "properties:x: not a number"),
    ({"properties": {"x": "a\x00b"}}, "properties:x: the value holds a control character"),
    ({"properties": {"two words": 1}}, "properties:two words: "),
    ({"properties": {"x;y": 1}}, "properties:x;y: "),
    ({"properties": {"": 1}}, "properties:: "),
    ({"properties": {False: 1}}, "properties:False: a name is text, not a boolean"),
    ({"rsc_defaults": {"x": None}}, "rsc_defaults:x: "),
    ({"op_defaults": {"x": None}}, "op_defaults:x: "),
    ({"primitives": ["vip"]}, "primitives: a mapping is wanted"),
    ({"primitives": {"vip": None}}, "primitives:vip: "),
    ({"primitives": {"vip": []}}, "primitives:vip: "),
    ({"primitives": {"vip": {}}}, "primitives:vip: has no agent"),
    (
        {"primitives": {"vip": {"agnet": "lsb:x"}}},
        "primitives:vip:agnet: unknown key, did you mean agent?",
    ),
    ({"primitives": {"1vip": "lsb:x"}}, "primitives:1vip: "),
    ({"primitives": {"a b": "lsb:x"}}, "primitives:a b: "),
    ({"primitives": {"a;b": "lsb:x"}}, "primitives:a;b: "),
    ({"primitives": {"a'b": "lsb:x"}}, "primitives:a'b: "),
    ({"primitives": {'a"b': "lsb:x"}}, 'primitives:a"b: '),
    ({"primitives": {"a<b": "lsb:x"}}, "primitives:a<b: "),
    ({"primitives": {"a&b": "lsb:x"}}, "primitives:a&b: "),
    ({"primitives": {"a\n": "lsb:x"}}, "primitives:a\\n: "),
    ({"primitives": {3: "lsb:x"}}, "primitives:3: an id is text"),
    ({"primitives": {"vip": "IPaddr2"}}, "primitives:vip:agent: "),
    ({"primitives": {"vip": "ocf:IPaddr2"}}, "primitives:vip:agent: "),
    ({"primitives": {"vip": "lsb:a b"}}, "primitives:vip:agent: "),
    ({"primitives": {"vip": "lsb:a;b"}}, "primitives:vip:agent: "),
    ({"primitives": {"vip": "init:x"}}, "primitives:vip:agent: "),
    ({"primitives": {"vip": {"agent": 5}}}, "primitives:vip:agent: "),
    (declared_vip(params={"ip": None}), "primitives:vip:params:ip: "),
    (
        declared_vip(meta={"priority": [1, 2]}),
        "primitives:vip:meta:priority: one value is wanted, not a list",
    ),
    (declared_vip(meta="x"), "primitives:vip:meta: "),
    (declared_vip(operations=[]), "primitives:vip:operations: "),
    (
        declared_vip(operations={"monitor": {}}),
        "primitives:vip:operations:monitor: a monitor needs an interval",
    ),
    (
        declared_vip(operations={"monitor": {"interval": "soon"}}),
        "primitives:vip:operations:monitor:interval: ",
    ),
    (declared_vip(operations={"start": []}), "primitives:vip:operations:start: an empty list"),
    (
        declared_vip(operations={"start": "5min"}),
        "primitives:vip:operations:start: a mapping is wanted",
    ),
    (
        declared_vip(operations={"monitor": [{"interval": "60s"}, {"interval": "1min"}]}),
        "primitives:vip:operations:monitor: two operations with the same interval and role",
    ),
    (
        {"orders": {"o": {"first": "a", "then": "a"}}},
        "orders:o:then: a stands there twice, and would wait for itself",
    ),
    (
        {"orders": {"o": {"first": "a", "first-action": "stop", "then": "a"}}},
        "orders:o:then: a stands there twice",
    ),
    ({"orders": {"o": {"sets": [["b", "a"], ["a"]]}}}, "orders:o:sets:1: a stands there twice"),
    (
        {"orders": {"o": {"sets": [["a", "b"], {"resources": ["a"], "action": "start"}]}}},
        "orders:o:sets:1: a stands there twice",
    ),
    (
        {"colocations": {"c": {"rsc": "a", "with-rsc": "a", "with-rsc-role": "Started"}}},
        "colocations:c:with-rsc: a stands there twice, and is where it is",
    ),
    ({"colocations": {"c": {"sets": [["a"], ["a"]]}}}, "colocations:c:sets:1: a stands there"),
    (
        declared_vip(operations={"monitor": [{"interval": "60s"}, {"interval": None}]}),
        "primitives:vip:operations:monitor:1:interval: ",
    ),
]


@pytest.mark.parametrize(("declared", "message"), BAD)
def test_bad_declarations_name_their_path(cib, declared, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        cib.check(declared)
    # from a pillar the path goes all the way
    with pytest.raises(
        ValueError, match="^" + re.escape(f"cmha:pairs:cms{':' if message else ''}{message}")
    ):
        cib.check(declared, "cmha:pairs:cms")
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        cib.difference(xml(), declared)


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ({"properties": "x"}, "absent:properties: a list is wanted, not text"),
        ({"primitves": []}, "absent:primitves: unknown section, did you mean primitives?"),
        ({"primitives": ["a b"]}, "absent:primitives: 'a b' is not an id"),
        ({"properties": [None]}, "absent:properties: a name is text"),
        ({"properties": ["no-quorum-policy"]}, "properties:no-quorum-policy: is declared and also"),
    ],
)
def test_bad_absents(cib, absent, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        cib.difference(xml(), GUIDE, absent)


# --- difference: the guide -----------------------------------------------------------------------


def test_the_guide_on_an_empty_cib(cib):
    difference = cib.difference(cib.empty(), GUIDE)
    assert difference["changes"] == {
        "properties:no-quorum-policy": {"old": None, "new": "ignore"},
        "properties:stonith-enabled": {"old": None, "new": "false"},
        "rsc_defaults:resource-stickiness": {"old": None, "new": "100"},
        "primitives:cloudera-scm-server": {
            "old": None,
            "new": {"agent": "lsb:cloudera-scm-server", **NOTHING_MORE},
        },
    }
    assert cib.model(difference["xml"]) == {
        **{key: {} for key in cib.sections()},
        "properties": {"no-quorum-policy": "ignore", "stonith-enabled": "false"},
        "rsc_defaults": {"resource-stickiness": "100"},
        "primitives": {"cloudera-scm-server": {"agent": "lsb:cloudera-scm-server", **NOTHING_MORE}},
    }


def test_ids_are_those_that_crmsh_chooses(cib):
    declared = declared_vip(
        params={"ip": "10.0.0.9"},
        meta={"priority": 5},
        operations={"monitor": {"interval": "10s", "depth": 10}, "start": {"timeout": "60s"}},
    )
    after = applied(cib, xml(), {**GUIDE, **declared, "op_defaults": {"timeout": "60s"}})
    ids = {
        element.get("id") for element in ElementTree.fromstring(after).iter() if element.get("id")
    }
    assert ids == {
        "cib-bootstrap-options",
        "cib-bootstrap-options-no-quorum-policy",
        "cib-bootstrap-options-stonith-enabled",
        "rsc-options",
        "rsc-options-resource-stickiness",
        "op-options",
        "op-options-timeout",
        "vip",
        "vip-instance_attributes",
        "vip-instance_attributes-ip",
        "vip-meta_attributes",
        "vip-meta_attributes-priority",
        "vip-monitor-10s",
        "vip-monitor-10s-instance_attributes",
        "vip-monitor-10s-instance_attributes-depth",
        "vip-start-0s",
    }


def test_a_new_id_gives_way_to_an_old_one(cib):
    before = xml(resources=primitive("rsc-options"))
    after = applied(cib, before, {"rsc_defaults": {"resource-stickiness": 1}})
    assert 'id="rsc-options-1"' in after


def test_nothing_declared_nothing_changed(cib):
    assert same_as_declared(cib.difference(xml(resources=primitive()), {}))


def test_what_nobody_declared_stays(cib):
    before = xml(
        property_set("cib-bootstrap-options", dc_version="2.1.5"),
        primitive("other", params("p", ip="10.0.0.1") + meta("m", priority=3)),
        '<rsc_location id="here" rsc="other" node="cms1" score="INFINITY"/>',
        "<tags><tag id='t'><obj_ref id='other'/></tag></tags><!-- ours, don't touch -->",
    )
    after = applied(cib, before, GUIDE)
    assert "<!-- ours, don't touch -->" in after
    assert cib.model(after)["properties"]["dc-version"] == "2.1.5"
    assert cib.model(after)["primitives"]["other"]["params"] == {"ip": "10.0.0.1"}
    for tag in ("rsc_location", "obj_ref"):
        assert ElementTree.fromstring(after).find(f".//{tag}") is not None


def test_reading_alone_makes_no_sections(cib):
    after = applied(cib, xml(), {"properties": {"x": 1}}, {"primitives": ["gone"]})
    for tag in ("rsc_defaults", "op_defaults", "tags"):
        assert ElementTree.fromstring(after).find(f"configuration/{tag}") is None


# --- difference: by meaning ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "present", "wanted"),
    [
        ("stonith-enabled", "no", False),
        ("stonith-enabled", "FALSE", False),
        ("maintenance-mode", "1", True),
        ("symmetric-cluster", "on", "yes"),
        ("cluster-recheck-interval", "15min", "900s"),
        ("cluster-recheck-interval", "15", 15),
        ("cluster-recheck-interval", "PT15M", "15m"),
        ("stonith-timeout", "60000ms", "60s"),
        ("stonith-timeout", "1h", "60 min"),
        ("node-health-red", "-INFINITY", "-1000000"),
        ("node-health-green", "+5", 5),
        ("cluster-name", "cmf", "cmf"),
    ],
)
def test_the_same_in_other_words_is_no_difference(cib, name, present, wanted):
    before = xml(property_set("p", **{name.replace("-", "_"): present}))
    assert cib.difference(before, {"properties": {name: wanted}})["changes"] == {}


@pytest.mark.parametrize(
    ("name", "present", "wanted"),
    [
        ("stonith-enabled", "true", False),
        ("cluster-recheck-interval", "15min", "15s"),
        ("cluster-recheck-interval", "15", "15ms"),
        ("node-health-red", "INFINITY", "-INFINITY"),
        ("node-health-red", "10", "100"),
        ("cluster-name", "yes", "true"),
        ("cluster-name", "60s", "1min"),
        ("cluster-name", "CMF", "cmf"),
    ],
)
def test_another_meaning_is_a_difference(cib, name, present, wanted):
    before = xml(property_set("p", **{name.replace("-", "_"): present}))
    assert list(cib.difference(before, {"properties": {name: wanted}})["changes"]) == [
        f"properties:{name}"
    ]
    applied(cib, before, {"properties": {name: wanted}})


@pytest.mark.parametrize(("present", "wanted"), [("Master", "Promoted"), ("stopped", "Stopped")])
def test_roles_of_all_versions(cib, present, wanted):
    before = xml(resources=primitive(content=meta("m", target_role=present)))
    assert cib.difference(before, declared_vip(meta={"target-role": wanted}))["xml"] is None


def test_an_agents_parameters_compare_as_text(cib):
    before = xml(resources=primitive(content=params("p", timeout="60s")))
    changes = cib.difference(before, declared_vip(params={"timeout": "1min"}))["changes"]
    assert changes == {"primitives:vip:params:timeout": {"old": "60s", "new": "1min"}}


# --- the two names of fencing's properties -------------------------------------------------------

OLD, NEW = "3.20.0", "3.20.5"  # Pacemaker 3.0.0, and 3.0.2


def fencing(feature_set, **properties):
    """A CIB of a cluster with this feature set."""
    before = xml(property_set("cib-bootstrap-options", x=1, **properties))
    return before.replace("<cib ", f'<cib crm_feature_set="{feature_set}" ', 1)


def named(cib_text):
    """The properties as they are spelled."""
    pairs = ElementTree.fromstring(cib_text).iter("nvpair")
    return {each.get("name"): each.get("value") for each in pairs if each.get("name") != "x"}


@pytest.mark.parametrize("declared", ["stonith-enabled", "fencing-enabled"])
@pytest.mark.parametrize(
    ("feature_set", "there", "then"),
    [
        # none there: the one that this version has
        (OLD, {}, {"stonith-enabled": "false"}),
        (NEW, {}, {"fencing-enabled": "false"}),
        # one there, and looked at: it stays
        (OLD, {"stonith_enabled": "true"}, {"stonith-enabled": "false"}),
        (NEW, {"stonith_enabled": "true"}, {"stonith-enabled": "false"}),
        (NEW, {"fencing_enabled": "true"}, {"fencing-enabled": "false"}),
        # one there that isn't looked at: the other comes in its place
        (OLD, {"fencing_enabled": "true"}, {"stonith-enabled": "false"}),
        (OLD, {"fencing_enabled": "false"}, {"stonith-enabled": "false"}),
        # both
        (OLD, {"fencing_enabled": "x", "stonith_enabled": "true"}, {"stonith-enabled": "false"}),
        (
            NEW,
            {"fencing_enabled": "true", "stonith_enabled": "false"},
            {"fencing-enabled": "false"},
        ),
        (
            NEW,
            {"stonith_enabled": "true", "fencing_enabled": "false"},
            {"fencing-enabled": "false"},
        ),
    ],
)
def test_one_spelling_whatever_is_there_and_whatever_is_declared(
    cib, feature_set, there, then, declared
):
    before = fencing(feature_set, **there)
    after = applied(cib, before, {"properties": {declared: False}})
    assert named(after) == then
    assert cib.model(after)["properties"] == {"x": "1", "stonith-enabled": "false"}
    assert cib.difference(after, {"properties": {declared: False}})["xml"] is None


@pytest.mark.parametrize(
    ("feature_set", "there"),
    [
        (OLD, {"stonith_enabled": "no"}),
        (NEW, {"stonith_enabled": "no"}),
        (NEW, {"fencing_enabled": "no"}),
        # somebody has set both, for hosts of both versions
        (NEW, {"fencing_enabled": "no", "stonith_enabled": "no"}),
        (OLD, {"fencing_enabled": "no", "stonith_enabled": "no"}),
    ],
)
def test_what_is_there_by_any_name_is_left(cib, feature_set, there):
    before = fencing(feature_set, **there)
    assert cib.difference(before, {"properties": {"stonith-enabled": False}})["changes"] == {}


def test_what_counts_is_what_is_shown(cib):
    both = fencing(NEW, stonith_enabled="true", fencing_enabled="false")
    # neither is shown: to declare one of both again would be a change
    assert "stonith-enabled" not in cib.model(both)["properties"]
    assert cib.export(both)["left_out"][0].startswith(
        "properties:stonith-enabled: differs in two sets"
    )
    changes = cib.difference(both, {"properties": {"stonith-enabled": True}})["changes"]
    assert changes == {"properties:stonith-enabled": {"old": "false", "new": "true"}}


@pytest.mark.parametrize("name", ["stonith-timeout", "fencing-timeout"])
@pytest.mark.parametrize("feature_set", [OLD, NEW])
def test_absent_by_either_name(cib, feature_set, name):
    for there in ({"stonith_timeout": 9}, {"stonith_timeout": 9, "fencing_timeout": 8}):
        after = cib.difference(fencing(feature_set, **there), {}, {"properties": [name]})["xml"]
        assert named(after) == {}


def test_a_purge_keeps_what_is_declared_by_the_other_name(cib):
    before = fencing(NEW, fencing_enabled="false", stonith_timeout="9")
    after = cib.difference(before, {"properties": {"stonith-enabled": False}}, purge=True)["xml"]
    assert named(after) == {"fencing-enabled": "false"}


def test_both_names_declared(cib):
    declared = {"properties": {"stonith-action": "off", "fencing-action": "off"}}
    with pytest.raises(ValueError, match="^properties:fencing-action: is stonith-action too"):
        cib.check(declared)


def test_only_cluster_properties_have_two_names(cib):
    before = fencing(NEW)
    after = applied(cib, before, {"rsc_defaults": {"stonith-timeout": 9}})
    assert named(after) == {"stonith-timeout": "9"}


# --- several sets of one owner -------------------------------------------------------------------

SEEDED = (
    '<rsc_defaults><meta_attributes id="build-resource-defaults" score="1">'
    '<nvpair id="build-resource-stickiness" name="resource-stickiness" value="1"/>'
    "</meta_attributes>{}</rsc_defaults>"
)


def test_the_distributors_default_gives_way(cib):
    mine = meta("rsc-options", resource_stickiness=100)
    before = xml(rest=SEEDED.format(mine))
    assert cib.model(before)["rsc_defaults"] == {"resource-stickiness": "1"}
    after = applied(cib, before, {"rsc_defaults": {"resource-stickiness": 100}})
    assert cib.model(after)["rsc_defaults"] == {"resource-stickiness": "100"}
    assert 'id="build-resource-stickiness"' in after


# What Pacemaker makes of nothing where it was built with a stickiness for new clusters
FRESH = SEEDED.replace(' score="1"', "").format("")


@pytest.mark.parametrize("declared", [{"resource-stickiness": 100}, {"migration-threshold": 3}])
def test_the_set_that_a_new_cluster_has_is_taken_over(cib, declared):
    after = applied(cib, xml(rest=FRESH), {"rsc_defaults": declared})
    sets = ElementTree.fromstring(after).findall(".//rsc_defaults/meta_attributes")
    assert [each.get("id") for each in sets] == ["build-resource-defaults"]
    found = cib.model(after)["rsc_defaults"]
    assert found == {
        "resource-stickiness": "1",
        **{key: str(value) for key, value in declared.items()},
    }


def test_the_highest_score_counts(cib):
    sets = (
        meta("low", 1, priority=1)
        + meta("high", "INFINITY", priority=2)
        + meta("mid", 5, priority=3)
    )
    before = xml(resources=primitive(content=sets))
    assert cib.difference(before, declared_vip(meta={"priority": 2}))["changes"] == {}
    changes = cib.difference(before, declared_vip(meta={"priority": 3}))["changes"]
    assert changes == {"primitives:vip:meta:priority": {"old": "2", "new": "3"}}
    after = ElementTree.fromstring(applied(cib, before, declared_vip(meta={"priority": 3})))
    values = {each.get("id"): each.get("value") for each in after.iter("nvpair")}
    assert values == {"low-priority": "1", "high-priority": "3", "mid-priority": "3"}


def test_the_bootstrap_options_count_before_any_score(cib):
    sets = property_set("mine", "INFINITY", x=1) + property_set("cib-bootstrap-options", x=2)
    assert cib.model(xml(sets))["properties"] == {"x": "2"}


@pytest.mark.parametrize("wanted", ["1", "2"])
def test_where_equal_sets_disagree_all_of_them_are_set(cib, wanted):
    before = xml(property_set("one", x=1) + property_set("two", x=2))
    after = ElementTree.fromstring(applied(cib, before, {"properties": {"x": wanted}}))
    assert [each.get("value") for each in after.iter("nvpair")] == [wanted, wanted]


def test_a_set_with_a_rule_is_somebody_elses(cib):
    ruled = (
        '<meta_attributes id="r" score="9"><rule id="rr" score="0">'
        '<date_expression id="e" operation="gt" start="2030-01-01"/></rule>'
        '<nvpair id="rx" name="resource-stickiness" value="0"/></meta_attributes>'
    )
    before = xml(rest=f"<rsc_defaults>{ruled}</rsc_defaults>")
    after = applied(cib, before, {"rsc_defaults": {"resource-stickiness": 100}})
    assert cib.model(after)["rsc_defaults"] == {"resource-stickiness": "100"}
    assert '<nvpair id="rx" name="resource-stickiness" value="0"' in after
    assert 'id="rsc-options"' in after


def test_a_shared_set_is_overridden_not_edited(cib):
    shared = primitive("other", meta("shared", priority=1))
    borrower = primitive("vip", '<meta_attributes id-ref="shared"/>')
    before = xml(resources=shared + borrower)
    assert cib.model(before)["primitives"]["vip"]["meta"] == {"priority": "1"}
    after = applied(cib, before, declared_vip(meta={"priority": 2}))
    primitives = cib.model(after)["primitives"]
    assert primitives["other"]["meta"] == {"priority": "1"}
    assert primitives["vip"]["meta"] == {"priority": "2"}


def test_a_shared_pair_is_replaced_not_edited(cib):
    shared = primitive("other", meta("shared", priority=1))
    borrower = primitive(
        "vip", '<meta_attributes id="m"><nvpair id-ref="shared-priority"/></meta_attributes>'
    )
    after = applied(cib, xml(resources=shared + borrower), declared_vip(meta={"priority": 2}))
    primitives = cib.model(after)["primitives"]
    assert primitives["other"]["meta"] == {"priority": "1"}
    assert primitives["vip"]["meta"] == {"priority": "2"}


# --- operations ----------------------------------------------------------------------------------


def operations(*each):
    return f"<operations>{''.join(each)}</operations>"


def op(identifier, name, interval, **attributes):
    rest = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return f'<op id="{identifier}" name="{name}" interval="{interval}"{rest}/>'


def vip_with(*each):
    return xml(resources=primitive(content=operations(*each)))


def test_operations_in_other_words(cib):
    before = vip_with(
        op("a", "start", "0", timeout="5min"),
        op("b", "monitor", "10000ms", role="Master", timeout="20"),
    )
    declared = declared_vip(
        operations={
            "start": {"timeout": "300s"},
            "monitor": {"interval": "10s", "role": "Promoted", "timeout": "20s"},
        }
    )
    assert cib.difference(before, declared)["changes"] == {}


def test_one_monitors_interval_is_edited_in_place(cib):
    before = vip_with(op("mine", "monitor", "10s", timeout="20s", on_fail="block"))
    declared = declared_vip(operations={"monitor": {"interval": "30s"}})
    assert cib.difference(before, declared)["changes"] == {
        "primitives:vip:operations:monitor 10s:interval": {"old": "10s", "new": "30s"}
    }
    monitors = ElementTree.fromstring(applied(cib, before, declared)).findall(".//op")
    assert [monitor.attrib for monitor in monitors] == [
        {"id": "mine", "name": "monitor", "interval": "30s", "timeout": "20s", "on-fail": "block"}
    ]


def test_one_of_two_monitors_changes_its_interval(cib):
    before = vip_with(op("a", "monitor", "10s"), op("b", "monitor", "30s"))
    declared = declared_vip(operations={"monitor": [{"interval": "30s"}, {"interval": "60s"}]})
    after = cib.model(applied(cib, before, declared))
    assert after["primitives"]["vip"]["operations"]["monitor"] == [
        {"interval": "60s"},
        {"interval": "30s"},
    ]


def test_another_monitor_is_somebody_elses(cib):
    before = vip_with(op("a", "monitor", "10s"), op("b", "monitor", "30s"))
    declared = declared_vip(operations={"monitor": {"interval": "60s"}})
    after = cib.model(applied(cib, before, declared))
    assert [each["interval"] for each in after["primitives"]["vip"]["operations"]["monitor"]] == [
        "10s",
        "30s",
        "60s",
    ]


def test_a_monitor_of_another_role_is_another_monitor(cib):
    before = vip_with(op("a", "monitor", "10s", role="Slave"))
    declared = declared_vip(operations={"monitor": {"interval": "11s", "role": "Promoted"}})
    assert list(cib.difference(before, declared)["changes"]) == [
        "primitives:vip:operations:monitor 11s Promoted"
    ]
    assert len(ElementTree.fromstring(applied(cib, before, declared)).findall(".//op")) == 2


def test_a_time_limit_changes(cib):
    before = vip_with(op("a", "start", "0s", timeout="20s"))
    declared = declared_vip(operations={"start": {"timeout": "300s"}})
    assert cib.difference(before, declared)["changes"] == {
        "primitives:vip:operations:start:timeout": {"old": "20s", "new": "300s"}
    }


def test_an_operations_meta_attribute_is_read(cib):
    inside = '<op id="a" name="start" interval="0">' + meta("am", timeout="300s") + "</op>"
    declared = declared_vip(operations={"start": {"timeout": "5min"}})
    assert cib.difference(vip_with(inside), declared)["xml"] is None


def test_shared_operations_are_not_edited(cib):
    shared = primitive(
        "other", '<operations id="ops">' + op("a", "start", "0", timeout="20s") + "</operations>"
    )
    borrower = primitive("vip", '<operations id-ref="ops"/>')
    declared = declared_vip(operations={"start": {"timeout": "300s"}})
    with pytest.raises(ValueError, match="^primitives:vip:operations:start: shared by id-ref"):
        cib.difference(xml(resources=shared + borrower), declared)


# --- primitives ----------------------------------------------------------------------------------


def test_a_primitive_in_a_clone_of_a_group_is_found(cib):
    before = xml(resources=f'<clone id="c"><group id="g">{primitive()}</group></clone>')
    after = applied(cib, before, declared_vip(params={"ip": "10.0.0.9"}))
    assert (
        ElementTree.fromstring(after).find(".//clone/group/primitive/instance_attributes")
        is not None
    )


def test_another_agent(cib):
    before = xml(resources=primitive(content=params("p", ip="10.0.0.9")))
    declared = {"primitives": {"vip": "systemd:vip@1"}}
    assert cib.difference(before, declared)["changes"] == {
        "primitives:vip:agent": {"old": "ocf:heartbeat:IPaddr2", "new": "systemd:vip@1"}
    }
    changed = ElementTree.fromstring(applied(cib, before, declared)).find(".//primitive")
    assert changed.attrib == {"id": "vip", "class": "systemd", "type": "vip@1"}


def test_an_id_that_something_else_has(cib):
    before = xml(resources=f'<group id="g">{primitive("inner")}</group>')
    with pytest.raises(ValueError, match="^primitives:g: the id is taken by a group"):
        cib.difference(before, {"primitives": {"g": "lsb:x"}})
    with pytest.raises(ValueError, match="^primitives:g: is a group, not a primitive"):
        cib.difference(before, {}, {"primitives": ["g"]})


def test_secrets_are_masked_wherever_they_show(cib):
    secret = {"passwd": "hunter2", "login": "admin", "shared_secret": "hunter2"}
    fence = {"fence": {"agent": "stonith:fence_ipmilan", "params": secret}}
    difference = cib.difference(xml(), {"primitives": fence})
    assert "hunter2" in difference["xml"]
    assert "hunter2" not in str(difference["changes"])
    assert difference["changes"]["primitives:fence"]["new"]["params"]["login"] == "admin"

    fence["fence"]["params"] = {"passwd": "new-hunter2"}
    changes = cib.difference(difference["xml"], {"primitives": fence})["changes"]
    assert changes == {"primitives:fence:params:passwd": {"old": cib.MASK, "new": cib.MASK}}

    removed = cib.difference(difference["xml"], {}, {"primitives": ["fence"]})["changes"]
    assert "hunter2" not in str(removed)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "passwd",
        "pass",
        "login_passwd",
        "shared_secret",
        "api_token",
        "ssh_private_key",
        "passphrase",
    ],
)
def test_what_goes_by_the_name_of_a_secret(cib, name):
    assert cib.masked("hunter2", name) == cib.MASK


def test_a_masked_cib_shows_no_secret_and_all_else(cib):
    pairs = (
        '<cluster_property_set id="p"><nvpair id="a" name="passwd" value="hunter2"/>'
        '<nvpair id="b" name="key" value="hunter3"/><nvpair id="c" name="ip" value="10.0.0.9"/>'
        '<nvpair id-ref="b" name="secret"/></cluster_property_set>'
    )
    masked = cib.masked_xml(xml(pairs))
    assert "hunter" not in masked
    assert 'id="c" name="ip" value="10.0.0.9"' in masked
    assert cib.masked_xml(masked) == masked


@pytest.mark.parametrize("name", ["ip", "bypass-count", "compass", "monkey", "passive"])
def test_what_doesnt(cib, name):
    assert cib.masked("10.0.0.9", name) == "10.0.0.9"


# --- absent --------------------------------------------------------------------------------------


def test_absent_values(cib):
    before = xml(property_set("cib-bootstrap-options", a=1, b=2) + property_set("more", a=3))
    assert cib.difference(before, {}, {"properties": ["a"]})["changes"] == {
        "properties:a": {"old": "1", "new": None}
    }
    after = applied(cib, before, {}, {"properties": ["a"]})
    assert cib.model(after)["properties"] == {"b": "2"}
    assert 'id="more"' not in after


def test_absent_is_no_change_where_it_is_absent(cib):
    absent = {"properties": ["a"], "rsc_defaults": ["b"], "op_defaults": ["c"], "primitives": ["d"]}
    assert same_as_declared(cib.difference(xml(), {}, absent))


def test_an_absent_primitive_takes_its_references_along(cib):
    before = xml(
        resources=primitive("vip") + primitive("other") + primitive("third"),
        constraints='<rsc_location id="l" rsc="vip" node="cms1" score="1"/>'
        '<rsc_colocation id="c" rsc="other" with-rsc="vip" score="INFINITY"/>'
        '<rsc_order id="o"><resource_set id="os"><resource_ref id="vip"/><resource_ref id="other"/>'
        '<resource_ref id="third"/></resource_set></rsc_order>'
        '<rsc_order id="kept" first="other" then="third"/>',
        rest='<tags><tag id="t"><obj_ref id="vip"/></tag></tags>',
    )
    absent = {"primitives": ["vip"]}
    changes = cib.difference(before, {}, absent)["changes"]
    assert changes["locations:l"] == {
        "old": {"rsc": "vip", "node": "cms1", "score": "1"},
        "new": None,
    }
    assert changes["orders:o:sets"] == {
        "old": [{"resources": ["vip", "other", "third"]}],
        "new": [{"resources": ["other", "third"]}],
    }
    assert set(changes) == {
        "primitives:vip", "locations:l", "colocations:c", "orders:o:sets", "tags:t",
    }  # fmt: skip
    after = applied(cib, before, {}, absent)
    assert '"vip"' not in after
    root = ElementTree.fromstring(after)
    assert [each.get("id") for each in root.find("configuration/constraints")] == ["o", "kept"]


def test_what_only_wraps_an_absent_primitive_goes_too(cib):
    before = xml(
        resources=f'<clone id="c"><group id="g">{primitive("vip")}</group></clone>{primitive("other")}',
        constraints='<rsc_location id="l" rsc="c" node="cms1" score="1"/>',
    )
    after = applied(cib, before, {}, {"primitives": ["vip"]})
    resources = ElementTree.fromstring(after).find("configuration/resources")
    assert [each.get("id") for each in resources] == ["other"]
    assert "rsc_location" not in after


# --- reading -------------------------------------------------------------------------------------


def test_model_is_declarable(cib):
    before = xml(
        property_set("p", x=1),
        primitive(
            content=params("i", ip="10.0.0.9")
            + operations(op("a", "monitor", "10s"), op("b", "monitor", "30s"))
        ),
    )
    model = cib.model(before)
    assert cib.difference(before, model)["changes"] == {}
    assert cib.model(cib.difference(cib.empty(), model)["xml"]) == model


def test_nodes(cib):
    text = xml(
        nodes='<node id="1" uname="cms1"/><node id="2" uname="cms2"/><node id="r" uname="r" type="remote"/>'
    )
    assert cib.nodes(text) == {"cms1": "1", "cms2": "2"}


def test_broken_xml(cib):
    with pytest.raises(ValueError, match="not well-formed"):
        cib.model("<cib>")
    with pytest.raises(ValueError, match="no configuration"):
        cib.model("<cib/>")


def test_a_patch_has_the_version_of_what_it_is_for_and_none_of_the_status(cib):
    patch = cib.patch_onto(
        '<diff format="2" digest="d"><version><source admin_epoch="0" epoch="5" num_updates="3"/>'
        '<target admin_epoch="0" epoch="5" num_updates="3"/></version><change epoch="x"/></diff>',
        xml().replace('epoch="7"', 'epoch="17"'),
    )
    source, target = ElementTree.fromstring(patch).find("version")
    assert source.attrib == target.attrib == {"admin_epoch": "0", "epoch": "17"}
    assert 'epoch="x"' in patch
    assert "digest" not in patch


def test_an_old_patch_too(cib):
    patch = cib.patch_onto(
        '<diff digest="d"><diff-removed admin_epoch="0" epoch="5" num_updates="3"><cib epoch="5"/>'
        '</diff-removed><diff-added><cib epoch="5" num_updates="4"/></diff-added></diff>',
        xml(),
    )
    assert patch == (
        '<diff><diff-removed admin_epoch="0" epoch="7"><cib epoch="7" /></diff-removed>'
        '<diff-added><cib epoch="7" /></diff-added></diff>'
    )


# --- size ----------------------------------------------------------------------------------------


def test_a_thousand_resources_are_no_matter(cib):
    many = {
        f"dummy{number}": {
            "agent": "ocf:pacemaker:Dummy",
            "operations": {"monitor": {"interval": "10s"}},
        }
        for number in range(1000)
    }
    after = applied(cib, cib.empty(), {"primitives": many})
    many["dummy500"]["operations"]["monitor"]["interval"] = "20s"
    assert len(cib.difference(after, {"primitives": many})["changes"]) == 1


# --- what moves left, and since when something runs ----------------------------------------------

LEFT = """
<rsc_location id="cli-prefer-cm" rsc="cm" role="Started" node="cms2" score="INFINITY"/>
<rsc_location id="cli-ban-cm-on-cms1" rsc="cm" role="Started" node="cms1" score="-INFINITY"/>
<rsc_location id="cli-prefer-vip" rsc="vip">
  <rule id="r" score="INFINITY" boolean-op="and">
    <expression id="e" attribute="#uname" operation="eq" value="cms2" type="string"/>
    <date_expression id="d" operation="lt" end="2126-11-24 12:00:00Z"/>
  </rule>
</rsc_location>
<rsc_location id="mine" rsc="cm" node="cms1" score="50"/>
<rsc_colocation id="cli-odd" rsc="cm" with-rsc="vip"/>
"""


def test_leftovers(cib):
    assert cib.leftovers(xml(constraints=LEFT)) == [
        {"id": "cli-prefer-cm", "resource": "cm", "node": "cms2"},
        {"id": "cli-ban-cm-on-cms1", "resource": "cm", "node": "cms1"},
        {"id": "cli-prefer-vip", "resource": "vip", "node": "cms2"},
    ]
    assert cib.leftovers(xml()) == []


@pytest.mark.parametrize(
    ("end", "is_over"),
    [
        ("2026-11-24 12:00:00Z", True),
        ("2026-11-24 12:00:00 +01:00", True),
        ("2026-11-24 12:00:00 -11:30", True),
        ("2126-11-24 12:00:00 -11:30", False),
        ("2026-11-24", False),  # nobody writes it so, and nobody knows
        ("2026-11-54 12:00:00Z", False),
        ("", False),
    ],
)
def test_a_move_with_an_end_leaves_nothing_behind_that_holds(cib, end, is_over):
    left = LEFT.replace("2126-11-24 12:00:00Z", end)
    found = [each["id"] for each in cib.leftovers(xml(constraints=left))]
    assert ("cli-prefer-vip" not in found) is is_over


def test_what_a_move_left_can_be_planned_away(cib):
    trial = {"locations": {"trial": {"rsc": "cm", "node": "cms2", "score": "INFINITY"}}}
    cm = '<primitive id="cm" class="lsb" type="cm"/>'
    found = xml(resources=cm, constraints=LEFT)
    planned = cib.difference(found, trial, {"locations": ["cli-ban-cm-on-cms1"]})
    assert set(planned["changes"]) == {"locations:trial", "locations:cli-ban-cm-on-cms1"}
    assert set(cib.difference(found, trial, {"locations": []})["changes"]) == {"locations:trial"}


def operation(name, rc, changed, interval=0):
    when = f' last-rc-change="{changed}"' if changed is not None else ""
    return (
        f'<lrm_rsc_op id="cm_{name}_{interval}" operation="{name}" rc-code="{rc}" '
        f'interval="{interval}"{when}/>'
    )


@pytest.mark.parametrize(
    ("operations", "since"),
    [
        ([operation("start", 0, 100), operation("monitor", 0, 130, 30)], 100),
        ([operation("promote", 0, 200), operation("monitor", 0, 130, 30)], 200),
        # found running
        ([operation("monitor", 0, 90)], 90),
        ([operation("monitor", 0, 90), operation("monitor", 0, 120, 30)], 90),
        # a failure is no start
        ([operation("start", 1, 100), operation("monitor", 0, 130, 30)], 130),
        ([operation("start", 1, 100)], None),
        ([operation("monitor", 7, 90)], None),
        ([operation("start", 0, None)], None),
        ([], None),
    ],
)
def test_since(cib, operations, since):
    status = (
        '<status><node_state uname="cms1"><lrm><lrm_resources><lrm_resource id="cm">'
        f"{''.join(operations)}</lrm_resource>"
        f'<lrm_resource id="vip">{operation("start", 0, 1)}</lrm_resource>'
        '</lrm_resources></lrm></node_state><node_state uname="cms2"><lrm><lrm_resources>'
        f'<lrm_resource id="cm">{operation("start", 0, 2)}</lrm_resource>'
        "</lrm_resources></lrm></node_state></status>"
    )
    assert cib.since(xml().replace("<status/>", status), "cm", "cms1") == since


def test_whatever_agents_call_a_secret_is_masked(cib, formula_yaml):
    for package, names in formula_yaml("test/secret-parameters.yaml").items():
        for name in names:
            shown = cib.masked({"params": {name: "hunter2"}})["params"][name]
            assert (shown != "hunter2") is (package != "harmless"), (package, name)


@pytest.mark.parametrize("name", ["keystone", "keycloak", "monitor", "tokenizer", "turkey-farm"])
def test_a_name_that_only_sounds_like_one_is_shown(cib, name):
    assert cib.masked({name: "systemd:x"}) == {name: "systemd:x"}


# --- a primitive with its template ---------------------------------------------------------------


def test_a_primitive_has_what_its_template_says(cib):
    xml = """<cib><configuration><crm_config/><nodes/><constraints/><resources>
      <template id="t" class="lsb" type="cm"><instance_attributes id="a"><nvpair id="a1" name="x" value="t"/>
        <nvpair id="a2" name="y" value="t"/></instance_attributes>
        <operations><op id="o1" name="monitor" interval="30s"/><op id="o2" name="monitor" interval="10s"
          enabled="false"/><op id="o3" name="stop" interval="0" timeout="9s"/></operations></template>
      <primitive id="cm" template="t"><instance_attributes id="b"><nvpair id="b1" name="x" value="own"/>
        </instance_attributes><operations><op id="o4" name="monitor" interval="30000ms" timeout="7s"/>
        <op id="o5" name="monitor" interval="5s" role="Stopped"/></operations></primitive>
      <primitive id="lost" template="nosuch"/>
    </resources></configuration></cib>"""
    found = cib.primitive(xml, "cm")
    assert (found["agent"], found["params"]) == ("lsb:cm", {"x": "own", "y": "t"})
    monitors = [(each["interval"], each.get("timeout")) for each in found["operations"]["monitor"]]
    assert monitors == [("30000ms", "7s"), ("5s", None), ("10s", None)]
    assert cib.monitored_every(found["operations"]) == 30
    assert (cib.agent(xml, "cm"), cib.agent(xml, "lost"), cib.agent(xml, "no")) == (
        "lsb:cm",
        "@nosuch",
        None,
    )
