"""What `crm_mon` says, as data."""

import pytest


@pytest.fixture
def crm_mon(pure):
    return pure("crm_mon")


def running(resource, *nodes, role="Started", **attributes):
    rest = "".join(f' {name}="{value}"' for name, value in attributes.items())
    where = "".join(f'<node name="{node}"/>' for node in nodes)
    return (
        f'<resource id="{resource}" resource_agent="lsb:a" role="{role}" '
        f'active="{str(bool(nodes)).lower()}"{rest}>{where}</resource>'
    )


MON = f"""
<pacemaker-result>
<summary>
<current_dc present="true" version="2.1.5-a3f" name="cms1" id="1" with_quorum="true"/>
<cluster_options maintenance-mode="true"/>
</summary>
<nodes>
<node name="cms1" id="1" online="true" standby="false" is_dc="true" resources_running="2"/>
<node name="cms2" id="2" online="false" standby="true" unclean="true" resources_running="0"/>
</nodes>
<resources>
{running("up", "cms1", managed="true", failed="true", target_role="Started")}
{running("down", role="Stopped", managed="false")}
{running("coming", "cms2", role="Starting")}
{running("going", "cms2", pending="Stopping")}
<group id="g">{running("inner", "cms2", pending="Monitoring")}</group>
<clone id="m">{running("db", "cms1", role="Master")}{running("db", "cms2", role="Slave")}</clone>
<clone id="u">{running("one:0", role="Stopped")}{running("one:1", "cms2")}</clone>
</resources>
<failures>
<failure op_key="up_monitor_30000" node="cms1" exitstatus="not running" exitreason="" exitcode="7"
 status="complete" task="monitor" last-rc-change="2026-11-24"/>
</failures>
</pacemaker-result>
"""


@pytest.fixture
def seen(crm_mon):
    return crm_mon.status(MON)


def test_status_of_the_cluster(seen):
    assert (seen["dc"], seen["dc_version"]) == ("cms1", "2.1.5-a3f")
    assert (seen["with_quorum"], seen["maintenance"]) == (True, True)


def test_status_without_a_dc(crm_mon):
    nobody = MON.replace('present="true"', 'present="false"')
    assert crm_mon.status(nobody)["dc"] is None


@pytest.mark.parametrize("name", ["stonith-enabled", "fencing-enabled"])
def test_whether_fencing_is_on(crm_mon, seen, name):
    """By whatever name, as Pacemaker has it."""
    assert seen["fencing"] is None  # as before Pacemaker 1.1.14
    said = MON.replace("<cluster_options ", f'<cluster_options {name}="{{}}" ')
    assert [crm_mon.status(said.format(each))["fencing"] for each in ("true", "false")] == [
        True,
        False,
    ]


def test_status_of_nodes(seen):
    assert seen["nodes"]["cms1"] == {
        "id": "1",
        "online": True,
        "standby": False,
        "maintenance": False,
        "pending": False,
        "unclean": False,
        "shutdown": False,
        "dc": True,
        "remote": False,
        "resources": 2,
    }
    assert seen["nodes"]["cms2"]["unclean"]
    assert seen["nodes"]["cms2"]["standby"]


@pytest.mark.parametrize(
    ("resource", "nodes", "started"),
    [
        ("up", ["cms1"], ["cms1"]),
        ("down", [], []),
        ("coming", ["cms2"], []),
        ("going", ["cms2"], []),
        ("inner", ["cms2"], ["cms2"]),
        ("db", ["cms1", "cms2"], ["cms1", "cms2"]),
        ("one", ["cms2"], ["cms2"]),
    ],
)
def test_where_resources_are_active_and_where_they_have_started(seen, resource, nodes, started):
    assert seen["resources"][resource]["nodes"] == nodes
    assert seen["resources"][resource]["started"] == started


def test_status_of_resources(seen):
    up, down, db = (seen["resources"][name] for name in ("up", "down", "db"))
    assert (up["failed"], up["managed"], up["active"], up["target_role"]) == (
        True,
        True,
        True,
        "Started",
    )
    assert (down["failed"], down["managed"], down["active"], down["role"]) == (
        False,
        False,
        False,
        "Stopped",
    )
    assert db["roles"] == {"cms1": "Master", "cms2": "Slave"}
    assert seen["resources"]["one"]["role"] == "Started"


def test_failures(seen):
    assert seen["failures"] == [
        {
            "resource": "up",
            "task": "monitor",
            "node": "cms1",
            "rc": 7,
            "status": "complete",
            "reason": "not running",
            "when": "2026-11-24",
        }
    ]


def test_broken_xml(crm_mon):
    with pytest.raises(ValueError, match="not well-formed"):
        crm_mon.status("oops")


EVENT = (
    '<fence_event target="cms1" action="reboot" client="pacemaker-controld.1" origin="cms2" status="success" '
    'delegate="cms2" completed="noon"/>'
)


def test_who_was_fenced(crm_mon, seen):
    assert seen["fencings"] == []
    history = f"<fence_history>{EVENT}{FAILED}</fence_history></pacemaker-result>"
    newest, older = crm_mon.status(MON.replace("</pacemaker-result>", history))["fencings"]
    assert newest == {
        "node": "cms1",
        "action": "reboot",
        "status": "success",
        "by": "cms2",
        "asked_by": "pacemaker-controld.1 on cms2",
        "reason": None,
        "when": "noon",
    }
    assert (older["status"], older["by"], older["reason"]) == ("failed", None, "no route")


FAILED = (
    '<fence_event target="cms1" action="off" client="stonith_admin.1" origin="cms2" status="failed" '
    'exit-reason="no route"/>'
)
