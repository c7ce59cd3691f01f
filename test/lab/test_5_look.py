"""What an administrator sees of good pairs and of others: preflight, plan, status."""

import re

import pytest
from conftest import CMS, MGMT
from day_two import AGENT, SERVER, faults, mate, moved, orchestrate, pillar, status

pytestmark = pytest.mark.lab(begins="converged")


# --- preflight -----------------------------------------------------------------------------------


def test_preflight_finds_nothing_against_good_pairs_and_warns(lab):
    code, data = lab.runner("cmha.preflight")
    assert (code, data["errors"]) == (0, [])
    assert data["sites"] == {"lab": ["cms", "mgmt"]}
    for pair in ("cms", "mgmt"):
        said = [each for each in data["warnings"] if each.startswith(f"site lab, pair {pair}: ")]
        assert [("authenticated" in each, "fencing is off" in each) for each in said] == [
            (True, False),
            (False, True),
        ]


def test_preflight_names_what_is_wrong_on_a_host(lab):
    # the one where no monitor of Pacemaker looks for the script meanwhile
    (idle,) = set(CMS) - set(lab.started("cms1", SERVER))
    with moved(lab, idle, f"/etc/init.d/{SERVER}"):
        lab.on(idle, "systemctl", "daemon-reload")
        code, data = lab.runner("cmha.preflight", "pair=cms")
    lab.on(idle, "systemctl", "daemon-reload")
    (line,) = data["errors"]
    assert code == 1
    assert line.startswith(f"site lab, pair cms: {idle} has no ")
    assert SERVER in line


def test_the_orchestration_begins_no_site_that_preflight_refuses(lab):
    lab.on("mgmt2", "sh", "-c", "cp /etc/hosts /root/hosts; echo 127.0.1.1 mgmt1 > /etc/hosts")
    done = lab.orchestrate()
    lab.on("mgmt2", "cp", "/root/hosts", "/etc/hosts")
    assert done.code != 0
    (line,) = done.failed
    assert line.startswith(
        "site lab, pair mgmt: mgmt2 resolves mgmt1, its peer's name, to itself (127.0.1.1)"
    )
    assert list(done.steps) == [line]


# --- plan and status -----------------------------------------------------------------------------


def test_a_plan_of_what_is_as_it_should_be(lab):
    printed, _ = lab.shown("cmha.plan")
    assert "lab cms: nothing differs" in printed
    assert "lab mgmt: nothing differs" in printed


def test_a_plan_touches_nothing_and_foretells(lab):
    running = lab.on("cms1", "pidof", "corosync")
    file = lab.on("cms1", "cat", "/etc/corosync/corosync.conf")
    change = "cluster_name: cmf\n      pacemaker: {properties: {maintenance-mode: true}}"
    with pillar(lab, "cluster_name: cmf", change.replace("cmf", "cmg")):
        code, data = lab.runner("cmha.plan", "pair=cms")
    plan = data["sites"]["lab"]["cms"]
    assert (code, data["errors"]) == (0, [])
    for host in CMS:
        assert [each["state"] for each in plan["hosts"][host]] == ["cmha corosync.conf"]
        assert plan["restart"]["changes"][host] == {
            "corosync": {"totem.cluster_name": {"old": "cmf", "new": "cmg"}},
            "how": "one by one",
        }
    assert sorted(plan["cluster"]["changes"]) == [
        "properties:cluster-name",
        "properties:maintenance-mode",
    ]
    assert lab.on("cms1", "pidof", "corosync") == running
    assert lab.on("cms1", "cat", "/etc/corosync/corosync.conf") == file


def test_what_would_keep_the_service_from_starting_is_refused(lab):
    """It would run on, and the next failover would be the first to show it."""
    before = lab.on("cms1", "cibadmin", "--query", "--scope", "configuration")
    (here,) = lab.started("cms1", SERVER)
    there = mate(here)
    ban = f"{{rsc: {SERVER}, node: {there}, score: -INFINITY}}"
    change = f"cluster_name: cmf\n      pacemaker: {{locations: {{never: {ban}}}}}"
    said = (
        f"with this {SERVER} would be started nowhere when {here} is gone: the constraint never is in the "
        f"way: location ({SERVER} {there} -INFINITY)"
    )
    with pillar(lab, "cluster_name: cmf", change):
        code, data = lab.runner("cmha.plan", "pair=cms")
        assert code != 0
        assert said in str(data["sites"]["lab"]["cms"]["error"])
        done = lab.orchestrate()
        assert (len(done.failed), said in done.printed) == (1, True), done.printed
    assert lab.on("cms1", "cibadmin", "--query", "--scope", "configuration") == before
    ignored = f"{change}\n      preflight: {{ignore: [failover]}}"
    with pillar(lab, "cluster_name: cmf", ignored):
        code, data = lab.runner("cmha.plan", "pair=cms")
        assert code == 0
        assert list(data["sites"]["lab"]["cms"]["cluster"]["changes"]) == ["locations:never"]


def test_good_pairs(lab):
    code, data = lab.runner("cmha.status")
    problems = {pair: each["problems"] for pair, each in data["sites"]["lab"].items()}
    assert (problems, data["errors"]) == ({"cms": [], "mgmt": []}, [])
    assert (code, data["retcode"]) == (0, 0)
    for pair, hosts, service in (("cms", CMS, SERVER), ("mgmt", MGMT, AGENT)):
        report = data["sites"]["lab"][pair]
        assert report["health"] == "good"
        assert report["nodes"] == dict.fromkeys(hosts, "online")
        assert report["dc"] in hosts
        assert report["quorum"] is True
        assert report["service"]["resource"] == service
        assert report["service"]["nodes"] == lab.started(hosts[0], service)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", report["service"]["since"])
        assert report["maintenance"] == "off"
        for key in ("failures", "leftovers", "drift", "at_boot"):
            assert not report[key]


def test_everything_that_is_not_as_it_should_be_is_said(lab):
    lab.on("cms2", "systemctl", "enable", "pacemaker")
    lab.on(
        "cms1",
        "sed",
        "-i",
        "s/version: 2/version: 2\\n    token: 7000/",
        "/etc/corosync/corosync.conf",
    )
    lab.on("cms1", "crm", "configure", "property", "maintenance-mode=true")
    lab.on("cms1", "crm", "configure", "rsc_defaults", "resource-stickiness=5")
    code, report = status(lab)
    assert (code, report["health"]) == (1, "poor")
    assert report["maintenance"] == "somebody"
    assert report["at_boot"] == {"cms2": ["pacemaker"]}
    assert report["drift"]["cms1"] == [
        "corosync.conf says totem.token 7000, pillar says None",
        "Corosync runs with totem.token None, its file says 7000",
        "Pacemaker: rsc_defaults:resource-stickiness",
    ]
    assert any("nothing fails over" in line for line in report["problems"])


def test_maintenance_that_somebody_else_has_set_stays_while_all_else_is_put_right(lab):
    done = orchestrate(lab)
    assert (done.code, done.failed) == (0, [])
    code, report = status(lab)
    assert (code, report["maintenance"]) == (1, "somebody")
    assert (report["drift"], report["at_boot"]) == ({}, {})
    lab.on("cms1", "crm", "configure", "property", "maintenance-mode=false")
    assert faults(lab) == []
    lab.on("cms1", "crm_attribute", "--name", "maintenance-mode", "--delete")
