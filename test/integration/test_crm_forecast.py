"""What the scheduler foresees, and what it finds in the way: Pacemaker's real tools on a CIB in a file."""

import contextlib
import os
import re

import pytest

OPERATION = (
    '<lrm_rsc_op id="cm_last_0" operation_key="cm_{0}_0" operation="{0}" crm_feature_set="3.16.1" '
    'transition-key="3:1:0:b" transition-magic="0:{1};3:1:{1}:b" call-id="5" rc-code="{1}" op-status="0" '
    'interval="0" last-rc-change="1700000000"/>'
)
HISTORY = (
    '<lrm id="{0}"><lrm_resources><lrm_resource id="cm" class="ocf" provider="pacemaker" type="Dummy">{1}'
    "</lrm_resource></lrm_resources></lrm>"
)
STATE = (
    '<node_state id="{0}" uname="cms{0}" in_ccm="true" crmd="online" join="member" expected="member">'
    '{1}<transient_attributes id="{0}"><instance_attributes id="status-{0}">{2}</instance_attributes>'
    "</transient_attributes></node_state>"
)
CIB = """
<cib admin_epoch="0" epoch="1" num_updates="0" crm_feature_set="3.16.1" validate-with="pacemaker-3.9"
     have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options">
      <nvpair id="p1" name="no-quorum-policy" value="ignore"/>
      <nvpair id="p2" name="stonith-enabled" value="false"/>
    </cluster_property_set></crm_config>
    <nodes><node id="1" uname="cms1"/><node id="2" uname="cms2"/></nodes>
    <resources><primitive id="cm" class="ocf" provider="pacemaker" type="Dummy"/></resources>
    <constraints/>
  </configuration>
  <status>STATES</status>
</cib>
"""


def cib(transient="", there=("monitor", 7)):
    states = (("1", ("start", 0), ""), ("2", there, transient))
    return CIB.replace(
        "STATES",
        "".join(
            STATE.format(number, HISTORY.format(number, OPERATION.format(*said)), attributes)
            for number, said, attributes in states
        ),
    )


FENCED = cib().replace('"stonith-enabled" value="false"', '"stonith-enabled" value="true"')


@pytest.fixture
def survival(cib_file, salt_modules):
    cib_file.path.write_text(cib())
    return lambda: salt_modules["crm_forecast.survival"]("cm")["cms1"]


def test_a_pair_that_survives(survival):
    assert survival() == {"takes_over": "cms2", "why": []}


def meta(**values):
    values = {name.replace("_", "-"): value for name, value in values.items()}
    return {"primitives": {"cm": {"agent": "ocf:pacemaker:Dummy", "meta": values}}}


def properties(**values):
    return {"properties": {name.replace("_", "-"): value for name, value in values.items()}}


def location(name, rsc="cm", node="cms2", score="-INFINITY", **rest):
    return {"locations": {name: {"rsc": rsc, "node": node, "score": score, **rest}}}


def attribute(**values):
    return {"node_attributes": {"cms2": values}}


OTHER = {"primitives": {"other": {"agent": "ocf:pacemaker:Dummy"}}}
STOPPED = {
    "primitives": {"other": {"agent": "ocf:pacemaker:Dummy", "meta": {"target-role": "Stopped"}}}
}
ZONE_B = {"attribute": "zone", "operation": "eq", "value": "b"}
ZONE = {
    "locations": {"zone": {"rsc": "cm", "rules": [{"score": "-INFINITY", "expressions": [ZONE_B]}]}}
}
WITH_OTHER = {"colocations": {"with": {"rsc": "cm", "with-rsc": "other", "score": "INFINITY"}}}


def merged(*parts):
    found = {}
    for part in parts:
        for section, values in part.items():
            found.setdefault(section, {}).update(values)
    return found


@pytest.fixture
def declare(salt_modules):
    return lambda *parts: salt_modules["crm.apply"](merged(*parts))


HARMLESS = [
    meta(target_role="Started"),
    meta(resource_stickiness=5000),
    meta(migration_threshold=1),
    location("rather", node="cms1", score=50),
    STOPPED,
    properties(node_health_strategy="only-green"),
    attribute(zone="b"),
]


@pytest.mark.parametrize("declared", HARMLESS)
def test_what_is_in_nobodys_way(survival, declare, declared):
    declare(declared)
    assert survival() == {"takes_over": "cms2", "why": []}


PROPERTY = "the cluster's property "
NO_QUORUM = "the cluster has no quorum then"
IN_THE_WAY = [
    ([meta(is_managed=False)], ["cm has the meta attribute is-managed=false; crm resource manage cm"]),
    ([meta(maintenance=True)], ["cm has the meta attribute maintenance=true; crm resource maintenance cm"]),
    ([{"rsc_defaults": {"is-managed": False}}], ["rsc_defaults say is-managed=false; crm_attribute"]),
    ([properties(maintenance_mode=True)], [f"{PROPERTY}maintenance-mode is true; crm configure property"]),
    ([location("never")], ["the constraint never is in the way: location (cm cms2 -INFINITY); crm"]),
    ([attribute(standby="on")], ["cms2 has the attribute standby=on; crm node online cms2"]),
    ([attribute(maintenance="true")], ["cms2 has the attribute maintenance=true; crm node ready cms2"]),
    (
        [location("here", node="cms1", score=100), properties(symmetric_cluster=False)],
        [f"{PROPERTY}symmetric-cluster is false"],
    ),
    (
        [attribute(zone="b"), ZONE],
        ["cms2 has the attribute zone=b; crm_attribute --node cms2 --name 'zone' --lifetime forever"],
    ),
    ([properties(no_quorum_policy="stop")], [f"{PROPERTY}no-quorum-policy is stop: {NO_QUORUM}"]),
    ([properties(no_quorum_policy="freeze")], [f"{PROPERTY}no-quorum-policy is freeze: {NO_QUORUM}"]),
    ([OTHER, location("never", rsc="other"), WITH_OTHER], ["the constraint never is in the way"]),
    (
        [{"tickets": {"tk": {"ticket": "site", "rsc": "cm", "loss-policy": "freeze"}}}],
        ["the constraint tk is in the way: ticket (cm site); crm_ticket --ticket site --grant"],
    ),
    # two at once, each of which would do
    (
        [location("never"), meta(is_managed=False)],
        ["cm has the meta attribute is-managed=false", "the constraint never is in the way"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "why"), IN_THE_WAY)
def test_what_is_in_the_way_is_found(survival, declare, declared, why):
    declare(*declared)
    found = survival()
    assert found["takes_over"] is None
    assert len(found["why"]) == len(why)
    for line, begin in zip(sorted(found["why"]), sorted(why)):
        assert line.startswith(begin)


NVPAIR = '<nvpair id="status-2-{0}" name="{0}" value="{1}"/>'


@pytest.mark.parametrize(
    ("name", "value", "declared", "line"),
    [
        ("fail-count-cm#start_0", "INFINITY", {}, "cm has failed on cms2 (fail count INFINITY); when"),
        (
            *("fail-count-cm#monitor_30000", "3", meta(migration_threshold=2)),
            "cm has failed on cms2 (fail count 3)",
        ),
        (
            *("#health-disk", "red", properties(node_health_strategy="only-green")),
            "cms2 has the attribute #health-disk=red",
        ),
        (
            *("standby", "on", {}),
            "cms2 has the attribute standby=on; crm_attribute --node cms2 --name 'standby' --lifetime reboot",
        ),
        # of the passing one, crm node ready knows nothing
        (
            *("maintenance", "true", {}),
            "cms2 has the attribute maintenance=true; crm_attribute --node cms2 --name 'maintenance' --life",
        ),
    ],
)  # fmt: skip
def test_what_is_gone_with_the_next_boot(began_with, name, value, declared, line):
    found = began_with(cib(NVPAIR.format(name, value)), declared)
    assert (found["takes_over"], len(found["why"])) == (None, 1)
    assert found["why"][0].startswith(line)


@pytest.fixture
def began_with(survival, cib_file, declare):
    def ask(text, *declared):
        cib_file.path.write_text(text)
        declare(*declared)
        return survival()

    return ask


def test_fencing_without_a_device(began_with):
    found = began_with(FENCED)
    assert found == {
        "takes_over": None,
        "why": [
            f"{PROPERTY}stonith-enabled is true: no device that works can fence the other node"
        ],
    }


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("no-quorum-policy", f"no-quorum-policy isn't set and stop then: {NO_QUORUM}"),
        ("stonith-enabled", "stonith-enabled isn't set and true then: no device that works can"),
    ],
)
def test_a_property_that_nobody_has_set(began_with, name, line):
    found = began_with(re.sub(rf'<nvpair id="p." name="{name}".*?/>', "", cib()))
    assert (found["takes_over"], len(found["why"])) == (None, 1)
    assert found["why"][0].startswith(PROPERTY + line)


RULE = '<rule id="r" score="0"><date_expression id="d" operation="lt" end="2020-01-01"/></rule>'


def test_what_a_rule_has_switched_off_is_not_set(began_with):
    """Pacemaker says whether fencing is on, not the text."""
    before = '<cluster_property_set id="cib-bootstrap-options">'
    found = began_with(cib().replace(before, before + RULE))
    assert found["takes_over"] is None
    assert [line.partition(" isn't set")[0] for line in found["why"]] == [
        f"{PROPERTY}{name}" for name in ("no-quorum-policy", "stonith-enabled")
    ]


def test_a_name_that_this_version_does_not_know_switches_nothing(began_with, salt_modules):
    found = began_with(
        cib().replace('"stonith-enabled" value="false"', '"fencing-enabled" value="false"')
    )
    if not salt_modules["crm.status"]()["fencing"]:
        assert found["takes_over"] == "cms2"  # a version that does
    else:
        assert found["why"][0].startswith(f"{PROPERTY}stonith-enabled isn't set and true then")


REMOTE = (
    '<primitive id="r1" class="ocf" provider="pacemaker" type="remote"><instance_attributes id="ria">'
    '<nvpair id="rias" name="server" value="r1.example"/></instance_attributes></primitive>'
)
REMOTE_STATE = (
    '<node_state id="r1" uname="r1" remote_node="true" in_ccm="true" node_fenced="0"><lrm id="r1">'
    "<lrm_resources/></lrm></node_state></status>"
)


def test_a_remote_node_is_nobody_that_starts_something(began_with):
    """Nobody is left who could tell it to start something."""
    text = cib().replace(
        'uname="cms2" in_ccm="true" crmd="online"', 'uname="cms2" in_ccm="false" crmd="offline"'
    )
    text = text.replace("<resources>", f"<resources>{REMOTE}").replace("</status>", REMOTE_STATE)
    text = text.replace('<node id="2"', '<node id="r1" uname="r1" type="remote"/><node id="2"')
    text = text.replace("<lrm_resources>", f"<lrm_resources>{OF_REMOTE}", 1)
    assert began_with(text) == {"takes_over": None, "why": ["cms2 is offline"]}


OF_REMOTE = (
    '<lrm_resource id="r1" class="ocf" provider="pacemaker" type="remote">'
    + OPERATION.format("start", 0).replace("cm_", "r1_")
    + "</lrm_resource>"
)


def test_what_a_node_in_maintenance_runs_dies_with_it(began_with):
    """Where fencing is on: then it is the dying one that is in the way."""
    node, device = (
        '<node id="1" uname="cms1"/>',
        '<primitive id="fd" class="stonith" type="fence_x"/>',
    )
    kept = node.replace(
        "/>", '><instance_attributes id="i"><nvpair id="m" name="maintenance" value="true"/>'
    )
    text = cib().replace(node, f"{kept}</instance_attributes></node>")
    text = text.replace("<resources>", f"<resources>{device}")
    found = began_with(
        text.replace('"stonith-enabled" value="false"', '"stonith-enabled" value="true"')
    )
    assert found == {
        "takes_over": None,
        "why": ["cms1 has the attribute maintenance=true; crm node ready cms1"],
    }


def test_an_agent_that_wasnt_there_at_the_probe(survival, cib_file):
    cib_file.path.write_text(cib(there=("monitor", 5)))
    assert survival()["why"][0].startswith(
        "cm has failed on cms2; when that is mended: crm resource cleanup cm"
    )


def test_a_node_that_is_not_there(survival, cib_file):
    cib_file.path.write_text(
        cib().replace(
            'uname="cms2" in_ccm="true" crmd="online"', 'uname="cms2" in_ccm="false" crmd="offline"'
        )
    )
    assert survival() == {"takes_over": None, "why": ["cms2 is offline"]}


def test_a_service_that_runs_nowhere_has_nothing_to_survive(cib_file, salt_modules):
    assert salt_modules["crm_forecast.survival"]("cm") == {}
    cib_file.path.write_text(cib().replace('operation="start"', 'operation="stop"'))
    assert salt_modules["crm_forecast.survival"]("cm") == {}


def test_nothing_was_touched(survival, cib_file):
    before = cib_file.text()
    survival()
    assert cib_file.text() == before


@pytest.mark.parametrize(
    ("declared", "where"),
    [
        ({}, ["cms2"]),
        (location("rather", node="cms1", score=50), ["cms1"]),
        (
            merged(location("rather", node="cms1", score=50), meta(resource_stickiness=100)),
            ["cms2"],
        ),
        (location("cli-prefer-cm", node="cms1", score="INFINITY"), ["cms2"]),
        (location("never"), ["cms1"]),
    ],
)
def test_where_it_is_after_a_move(began_with, salt_modules, cib_file, declared, where):
    began_with(cib(), declared)
    before = cib_file.text()
    assert salt_modules["crm_forecast.after_move"]("cm", "cms2") == where
    assert cib_file.text() == before


LEVEL = '<fencing-level id="l{0}" index="{0}" devices="{1}" {2}="{3}"/>'


def topology(*levels):
    found = "".join(LEVEL.format(*each) for each in levels)
    return cib().replace(
        "<constraints/>", f"<constraints/><fencing-topology>{found}</fencing-topology>"
    )


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        ([], {}),
        ([("1", "fd,nope", "target", "cms1")], {"1": ["fd", "nope"]}),
        ([("1", "fd", "target", "cms2")], {}),
        ([("1", "fd", "target", "CMS1")], {"1": ["fd"]}),
        ([("2", "fd", "target-pattern", "^cms[13]$")], {"2": ["fd"]}),
        ([("1", "fd", "target-pattern", "[")], {}),
        ([("1", "fd", "target-pattern", "CMS.*")], {}),
        ([("1", "fd", "target-pattern", "cms[[:digit:]]$")], {"1": ["fd"]}),
        # the one by name counts alone, and else the first that fits
        (
            [("2", "fd", "target-pattern", "cms.*"), ("1", "nope", "target", "cms1")],
            {"1": ["nope"]},
        ),
        (
            [("1", "fd", "target-pattern", "cms"), ("1", "no", "target-pattern", "1$")],
            {"1": ["fd"]},
        ),
        ([("1", "nope", "target", "cms1"), ("10", "fd", "target", "cms1")], {"1": ["nope"]}),
        ([("1", "a", "target", "cms1"), ("2", "b", "target", "cms1")], {"1": ["a"], "2": ["b"]}),
    ],
)
def test_the_levels_of_a_topology(pure, levels, found):
    assert pure("cib_obstacles").fencing_levels(topology(*levels), "cms1") == found


def test_a_level_for_nodes_of_an_attribute(pure):
    text = topology().replace("<fencing-topology>", '<fencing-topology><fencing-level id="l" index="1" '
        'devices="fd" target-attribute="rack" target-value="7"/>')  # fmt: skip
    levels = pure("cib_obstacles").fencing_levels
    assert levels(text, "cms1") == {}
    there = text.replace(
        '<node id="1" uname="cms1"/>',
        '<node id="1" uname="cms1"><instance_attributes id="i"><nvpair id="i1" name="rack" value="7"/>'
        "</instance_attributes></node>",
    )
    assert levels(there, "cms1") == {"1": ["fd"]}


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ({}, []),
        ({"1": ["fd"]}, []),
        ({"1": ["fd", "nope"], "2": ["fd"]}, []),
        ({"1": ["fd", "nope"]}, ["level 1 lacks nope"]),
        ({"1": ["a", "b"], "2": ["c"]}, ["level 1 lacks a and b, level 2 lacks c"]),
    ],
)
def test_what_a_topology_lacks(load_file, levels, why):
    lacking = load_file("_modules/crm_forecast.py")._lacking
    said = lacking("cms1", levels, {"fd"})
    assert [line.partition(": ")[2].partition(";")[0] for line in said] == why


WORKS = {"works": True, "why": None, "late": False}
FAILS = {"works": False, "why": "wrong password", "late": False}
LATE = {"works": False, "why": "fence_x doesn't answer within 25 s", "late": True}
NOT_ASKED = {"works": None, "why": "stonith:x/y isn't asked", "late": False}
DEVICES = "".join(
    f'<primitive id="{name}" class="stonith" type="fence_x"/>' for name in ("fd", "fe")
)


@pytest.fixture
def unfenced(load_file, pure):
    """Why cms1 wouldn't be fenced by cms2, whose devices answer so."""

    def found(answers, xml=None):
        answers = dict(zip(("fd", "fe"), answers))
        listed = "".join(f" {name}\n" for name in answers)
        asked = iter(answers.values())

        def ask(agent, params, target, online, seconds):
            assert (agent, target, online) == ("stonith:fence_x", "cms1", True)
            return next(asked)

        module = load_file(
            "_modules/crm_forecast.py",
            salt={
                "crm.node": lambda: "cms2",
                "fencing.ask": ask,
                "bounded.patience": contextlib.nullcontext,
                "bounded.run": lambda command: {
                    "retcode": 0,
                    "stdout": f"{listed}{len(answers)} fence devices found\n",
                    "stderr": "",
                },
            },
            utils={
                "cib.with_templates": pure("cib").with_templates,
                "cib_obstacles.has_watchdog": pure("cib_obstacles").has_watchdog,
                "cib_obstacles.fencing_levels": pure("cib_obstacles").fencing_levels,
            },
            grains={"id": "cms2"},
        )
        text = (xml or cib()).replace("<resources>", f"<resources>{DEVICES}")
        return module._unfenced("cms1", text, ["cms2"])

    return found


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([WORKS], []),
        ([NOT_ASKED], []),
        ([LATE], []),  # a cloud may take its time
        ([FAILS, WORKS], []),
        ([FAILS], ["no fence device that answers can fence cms1: fd: wrong password"]),
        (
            [FAILS, FAILS],
            ["no fence device that answers can fence cms1: fd: wrong password; fe: wrong password"],
        ),
    ],
)
def test_a_device_has_to_answer(unfenced, answers, why):
    assert unfenced(answers) == why


@pytest.mark.parametrize(
    ("flags", "alone"), [("2Node Quorate WaitForAll", True), ("Quorate Qdevice", False)]
)
def test_a_watchdog_alone_ends_the_host_that_is_left(load_file, flags, alone):
    module = load_file(
        "_modules/crm_forecast.py",
        salt={
            "crm.node": lambda: "cms2",
            "bounded.run": lambda command: {"stdout": f"Quorum: 1\nFlags:            {flags}\n"},
        },
        utils={"cib_obstacles.has_watchdog": lambda xml: True},
    )
    why = module._unfenced("cms1", "", ["cms2"])
    assert [line.partition(" (")[0] for line in why] == ["a watchdog alone fences"] * alone


def test_a_cluster_without_fencing_fences_nobody(cib_file, salt_modules):
    cib_file.path.write_text(cib())
    assert salt_modules["crm_forecast.unfenced"]("cms1") == ["fencing is off (stonith-enabled)"]


def test_a_level_needs_all_of_its_devices_to_answer(unfenced):
    one = topology(("1", "fd,fe", "target", "cms1"))
    (line,) = unfenced([WORKS, FAILS], one)
    assert line.startswith("no level of the fencing topology can fence cms1: level 1 lacks fe; see")
    assert unfenced([WORKS, WORKS], one) == []
    two = topology(("1", "fe", "target", "cms1"), ("2", "fd", "target", "cms1"))
    assert unfenced([WORKS, FAILS], two) == []


def of_cms2(inner):
    return f'<rsc_location id="a" rsc="cm">{inner}</rsc_location>'


RULE_A = (
    '<rule id="r1" score="-INFINITY">'
    '<expression id="e1" attribute="#uname" operation="eq" value="cms2"/></rule>'
)
PAIR_M = (
    '<meta_attributes id="m"><nvpair id="m1" name="is-managed" value="false"/></meta_attributes>'
)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        # a rule that another constraint refers to: each keeps it from there
        (
            "<constraints/>",
            f'<constraints>{of_cms2(RULE_A)}<rsc_location id="b" rsc="cm"><rule id-ref="r1"/></rsc_location>'
            "</constraints>",
            ["the constraint a is in the way", "the constraint b is in the way"],
        ),
        # a set of resources that another constraint has too, and a tag that names the rule's own id
        (
            "<constraints/>",
            f'<constraints>{of_cms2(RULE_A)}<rsc_colocation id="c1" score="INFINITY"><resource_set id="s1">'
            '<resource_ref id="cm"/></resource_set></rsc_colocation><rsc_colocation id="c2" score="INFINITY">'
            '<resource_set id-ref="s1"/></rsc_colocation></constraints><tags><tag id="t"><obj_ref id="r1"/>'
            "</tag></tags>",
            ["the constraint a is in the way"],
        ),
        # a constraint that a permission names
        (
            "<constraints/>",
            f'<constraints>{of_cms2(RULE_A)}</constraints><acls><acl_role id="o"><acl_permission id="o1" '
            'kind="read" reference="a"/></acl_role></acls>',
            ["the constraint a is in the way"],
        ),
        # values that stand elsewhere
        (
            'type="Dummy"/></resources>',
            'type="Dummy"><meta_attributes id-ref="m"/></primitive><primitive id="x" class="ocf" '
            f'provider="pacemaker" type="Dummy">{PAIR_M}</primitive></resources>',
            ["cm has the meta attribute is-managed=false"],
        ),
        (
            'type="Dummy"/></resources>',
            'type="Dummy"><meta_attributes id="n"><nvpair id-ref="m1"/></meta_attributes></primitive>'
            f'<primitive id="x" class="ocf" provider="pacemaker" type="Dummy">{PAIR_M}</primitive>'
            "</resources>",
            ["cm has the meta attribute is-managed=false"],
        ),
    ],
)  # fmt: skip
def test_what_refers_to_something_else_by_its_id(began_with, before, after, why):
    text = cib()
    assert text.count(before) == 1
    found = began_with(text.replace(before, after))
    assert found["takes_over"] is None
    assert [line.partition(":")[0].partition(";")[0] for line in found["why"]] == why


@pytest.mark.parametrize("limit", ["", '<nvpair id="p4" name="shutdown-lock-limit" value="5min"/>'])
def test_a_lock_on_what_a_node_ran(began_with, limit):
    lock = f'<nvpair id="p3" name="shutdown-lock" value="true"/>{limit}</cluster_property_set>'
    found = began_with(cib().replace("</cluster_property_set>", lock))
    line = f"{PROPERTY}shutdown-lock is true; crm configure property shutdown-lock=false"
    assert found == {"takes_over": None, "why": [line]}


@pytest.mark.parametrize(("is_dc", "takes_over"), [("true", None), ("false", "cms2")])
def test_who_is_left_is_the_dc_then(began_with, is_dc, takes_over):
    rule = RULE_A.replace("#uname", "#is_dc").replace("cms2", is_dc)
    found = began_with(
        cib().replace("<constraints/>", f"<constraints>{of_cms2(rule)}</constraints>")
    )
    assert found["takes_over"] == takes_over


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (
            'uname="cms2" in_ccm="true" crmd="online"',
            'uname="cms2" in_ccm="true" crmd="offline"',
            "unclean",
        ),
        ("", NVPAIR.format("shutdown", "1700000000"), "shutting down"),
    ],
)
def test_one_that_is_about_to_go(began_with, before, after, why):
    text = cib().replace(before, after) if before else cib(after)
    text = text.replace('"stonith-enabled" value="false"', '"stonith-enabled" value="true"')
    assert began_with(text) == {"takes_over": None, "why": [f"cms2 is {why}"]}


WATCHDOG = (
    '<nvpair id="p8" name="have-watchdog" value="true"/><nvpair id="p9" name="{}" value="{}"/>'
)


@pytest.mark.parametrize(
    ("name", "value", "has"),
    [
        ("stonith-watchdog-timeout", "10s", True),
        ("fencing-watchdog-timeout", "-1", True),
        ("stonith-watchdog-timeout", "0", False),
        ("x", "10", False),
    ],
)
def test_a_watchdog_that_fences(pure, name, value, has):
    text = cib().replace(
        "</cluster_property_set>", f"{WATCHDOG.format(name, value)}</cluster_property_set>"
    )
    has_watchdog = pure("cib_obstacles").has_watchdog
    assert has_watchdog(text) is has
    assert has_watchdog(text.replace('value="true"', 'value="false"')) is False


@pytest.mark.parametrize(("value", "on"), [("true", True), ("false", False), (None, True)])
def test_whether_fencing_is_on_where_the_tools_do_not_say(pure, value, on):
    """Before Pacemaker 1.1.14."""
    text = cib().replace('"stonith-enabled" value="false"', f'"stonith-enabled" value="{value}"')
    if value is None:
        text = re.sub('<nvpair id="p2".*?/>', "", text)
    assert pure("cib_obstacles").fences(text) is on


# Each half of two nodes has quorum, as the guide has it, or none
TWO_NODE = r"Quorum: 1\nFlags: 2Node Quorate\nMembership information\n 1 1 cms1\n 2 1 cms2\n"
MAJORITY = TWO_NODE.replace("Quorum: 1", "Quorum: 2")


@pytest.fixture
def goes_on(salt_modules, monkeypatch, tmp_path):
    """Whether cms1 goes on alone, when corosync-quorumtool says this of votes."""

    def asked(votes):
        tool = tmp_path / "corosync-quorumtool"
        tool.write_text(f"#!/bin/sh\nprintf '{votes}'\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return salt_modules["crm_forecast.stays"]("cms1")

    return asked


@pytest.mark.parametrize(
    ("policy", "votes", "stays"),
    [
        ("ignore", MAJORITY, True),
        ("freeze", MAJORITY, True),
        ("stop", MAJORITY, False),
        ("stop", TWO_NODE, True),
    ],
)
def test_who_goes_on_alone(began_with, goes_on, policy, votes, stays):
    began_with(cib(), properties(no_quorum_policy=policy))
    assert goes_on(votes) is stays


def test_who_is_fenced_does_not_go_on(cib_file, goes_on):
    cib_file.path.write_text(FENCED)
    assert goes_on(TWO_NODE) is False
