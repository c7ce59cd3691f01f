"""Status tells the truth of a pair on which something is broken, quickly, whatever hangs; and no failover is
begun that would end badly."""

import contextlib
import json
import time

import activity
import pytest
from conftest import CMS
from day_two import AGENT, SERVER, faults, home, mate, moved, pillar, status, unwatched
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")

PAGES = ("http://192.0.2.11:7180/", "http://192.0.2.12:7180/")

# Seconds in which status answers on a busy machine, whatever hangs; without limits it never did
IN_TIME = 90


@pytest.fixture
def here(lab):
    return home(lab)


@contextlib.contextmanager
def held(lab, host, pattern):
    """Processes that hang for a while."""
    lab.on(host, "pkill", "-STOP", "-f", pattern)
    try:
        yield
    finally:
        # pacemakerd may have replaced them meanwhile
        lab.on(host, "pkill", "-CONT", "-f", pattern, check=False)


def asked(lab, pair="cms"):
    """What status says, and that it doesn't wait for what hangs."""
    began = time.monotonic()
    code, report = status(lab, pair)
    assert time.monotonic() - began < IN_TIME
    return code, report


def assert_all_is_well(lab, pair="cms"):
    for host in CMS:
        lab.on(host, "timeout", "60", "crm_resource", "--wait")
    wait_for(lab, "master", f"salt-run cmha.status pair={pair} >/dev/null")


# --- where the service is ------------------------------------------------------------------------


@pytest.mark.parametrize(("pair", "service"), [("cms", SERVER), ("mgmt", AGENT)])
def test_a_second_one_that_somebody_started(lab, pair, service):
    active = home(lab, pair)
    lab.on(mate(active), f"/etc/init.d/{service}", "start")
    code, report = asked(lab, pair)
    assert (code, report["health"]) == (2, "bad")
    assert report["service"]["nodes"] == [active]
    assert report["service"]["seen"] == sorted([active, mate(active)])
    assert report["problems"][0].startswith(
        f"{service} runs on {mate(active)} too, which Pacemaker doesn't know; crm resource refresh {service}"
    )
    # what the line says helps, does
    lab.on(active, "crm_resource", "--refresh", "--resource", service)
    wait_for(lab, "master", f"salt-run cmha.status pair={pair} | grep -q '^good'")
    assert len(status(lab, pair)[1]["service"]["seen"]) == 1


@pytest.mark.parametrize(("pair", "program"), [("cms", "server.py"), ("mgmt", "agent.py$")])
def test_one_that_hangs(lab, pair, program):
    active = home(lab, pair)
    with held(lab, active, f"[c]loudera-stand-in/{program}"):
        code, report = asked(lab, pair)
    assert (code, report["health"]) == (2, "bad")
    assert "hangs on" in report["problems"][0]
    assert f"salt-run cmha.failover {pair}" in report["problems"][0]
    assert faults(lab, pair) == []


def test_one_that_was_killed_a_moment_ago(lab, here):
    with unwatched(lab, here):
        lab.on(here, "pkill", "-KILL", "-f", "[c]loudera-stand-in/server.py")
        code, report = asked(lab)
    assert (code, report["health"], report["service"]["seen"]) == (2, "bad", [])
    assert report["problems"][0] == (
        f"{SERVER} doesn't run on {here}, where Pacemaker has it started; Pacemaker looks in at most 30 s"
    )
    # where Pacemaker starts it again is its own choice: the failure is noted between its stop and its start,
    # and what is stopped sticks to no node
    wait_for(lab, "master", f"curl -sf -o /dev/null {PAGES[0]} || curl -sf -o /dev/null {PAGES[1]}")
    lab.on(here, "crm_resource", "--cleanup")
    assert_all_is_well(lab)


# --- what hangs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("daemon", ["pacemakerd", "pacemaker-based"])
def test_a_daemon_that_hangs_on_the_active_host(lab, here, daemon):
    with held(lab, here, f"/[p]{daemon[1:]}"):
        code, report = asked(lab)
        assert code > 0
        assert report["health"] in ("poor", "bad")
        assert report["hangs"] == {here: [f"{daemon} hangs: it is stopped"]}
        assert f"{here}: {daemon} hangs: it is stopped" in report["problems"]
        assert report["service"]["answers"][here] is True
    wait_for(lab, here, "timeout 9 crm_mon -1 | grep -q 'Online: . cms1 cms2 .'")
    assert_all_is_well(lab)


def test_corosync_is_killed_on_the_active_host(lab, here):
    """Pacemaker's daemons end with it, the service does not: without fencing it runs on both until a person
    comes. What status and rejoin say brings the host back."""
    there = mate(here)
    lab.on(here, "pkill", "-KILL", "-x", "corosync")
    wait_for(lab, there, f"crm_mon -1 | grep -q 'OFFLINE: . {here} .'")
    lab.on(there, "timeout", "60", "crm_resource", "--wait")
    code, report = asked(lab)
    assert (code, report["health"]) == (2, "bad")
    assert f"stop it on {here}" in report["problems"][0]
    assert f"salt-run cmha.rejoin node={here}" in report["problems"][-1]
    assert not any("pacemakerd" in line for line in report["problems"])
    lab.on(here, "service", SERVER, "stop")
    code, data = lab.runner("cmha.rejoin", here, "confirm=True")
    assert (code, data["error"]) == (0, None)
    assert_all_is_well(lab)
    assert home(lab) == there


# pacemakerd gives up what ended a hundred times; and what ended while it had lost its cluster itself
ENDS_TOO_OFTEN = """
mv "$1" "$1.real"
printf '#!/bin/sh\\nexit 1\\n' >"$1"
chmod 755 "$1"
pkill -KILL -f "^$1"
until grep -q 'respawn count exceeded by pacemaker-attrd' /var/log/pacemaker/pacemaker.log; do sleep 0.1; done
mv "$1.real" "$1"
"""


def test_a_daemon_that_pacemaker_has_given_up(lab, here):
    program = "/usr/lib/pacemaker/pacemaker-attrd"
    there = mate(here)
    lab.on(there, "timeout", "30", "sh", "-c", ENDS_TOO_OFTEN, "sh", program)
    code, report = asked(lab)
    assert (code, report["health"]) == (1, "poor")
    (line,) = (each for each in report["problems"] if "doesn't run, and Pacemaker" in each)
    assert f"{there}: pacemaker-attrd doesn't run" in line
    assert report["survival"][here]["takes_over"] is None
    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["moves"]) == (1, [])
    # what the line says helps, does, and the service goes on
    before = lab.on(here, "pgrep", "-f", "[c]loudera-stand-in/server.py")
    lab.on(there, *line.partition("on this host: ")[2].partition(" (")[0].split())
    wait_for(lab, there, "pidof pacemaker-attrd")
    assert_all_is_well(lab)
    assert lab.on(here, "pgrep", "-f", "[c]loudera-stand-in/server.py") == before


# --- who is silent, and who isn't known ----------------------------------------------------------


def test_a_minion_that_is_stopped_on_the_standby(lab, here):
    lab.on(mate(here), "systemctl", "stop", "salt-minion")
    code, report = status(lab)
    lab.on(mate(here), "systemctl", "start", "salt-minion")
    assert (code, report["health"], report["nodes"][mate(here)]) == (1, "poor", "silent")
    assert report["survival"][here]["takes_over"] == mate(here)
    assert (
        f"{mate(here)} doesn't answer this master, but {here} sees it online"
        in report["problems"][0]
    )
    wait_for(lab, "master", f"salt {mate(here)} test.ping >/dev/null")


def test_a_master_that_takes_no_job(lab, here):
    asked = (["cmha.status"], ["cmha.failover", "cms"])
    lab.on("master", "systemctl", "stop", "salt-master")
    try:
        done = {each[0]: lab.run("on", "master", "salt-run", *each, check=False) for each in asked}
    finally:
        lab.on("master", "systemctl", "start", "salt-master")
    for function, each in done.items():
        said = each.stdout + each.stderr
        assert each.returncode, function
        assert "Traceback" not in said, said
        assert "can't be asked, since this master takes no job" in said, said
    wait_for(lab, "master", "salt -L cms1,cms2 test.ping >/dev/null")
    assert home(lab) == here


def test_a_key_that_is_gone_hides_no_pair(lab, here):
    # one that is merely gone would be accepted anew, here
    accepted, rejected = (
        f"/etc/salt/pki/master/minions{kind}/{mate(here)}" for kind in ("", "_rejected")
    )
    lab.on("master", "mv", accepted, rejected)
    code, data = lab.runner("cmha.status")
    lab.on("master", "mv", rejected, accepted)
    # a minion that has something to return meanwhile is told of it, and ends itself
    lab.on(mate(here), "systemctl", "restart", "salt-minion")
    assert code == 1
    assert set(data["sites"]["lab"]) == {"cms", "mgmt"}
    assert data["sites"]["lab"]["mgmt"]["problems"] == []
    problems = data["sites"]["lab"]["cms"]["problems"]
    assert problems[0].startswith(f"{mate(here)} isn't known to this master")
    wait_for(lab, "master", f"salt {mate(here)} test.ping >/dev/null")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("cluster_name: cmf", "cluster_nane: cmf", "cluster_nane"),
        ("cmha:", "cmha: [", "doesn't render"),
    ],
)
def test_a_wrong_pillar_hides_no_pair(lab, old, new, says):
    assert faults(lab) == []
    before = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    put = ("sh", "-c", 'printf %s "$1" > /srv/pillar/cmha.sls', "sh")
    lab.on("master", *put, before.replace(old, new, 1))
    code, data = lab.runner("cmha.status")
    lab.on("master", *put, before)
    assert code == 1
    (error,) = data["errors"]
    assert says in error
    assert "as they were known at" in error
    assert [each["service"]["nodes"] != [] for each in data["sites"]["lab"].values()] == [
        True,
        True,
    ]


def test_a_wrong_pillar_of_the_other_pair_hinders_no_failover(lab, here):
    with pillar(lab, "cluster_name: mgmt", "cluster_nane: mgmt"):
        code, data = lab.runner("cmha.failover", "cms")
        assert (code, data["error"]) == (0, None)
        code, data = lab.runner("cmha.failover", "mgmt")
        assert code == 1
        assert "cluster_nane" in data["error"]
    assert home(lab) == mate(here)


@pytest.mark.parametrize(
    ("release", "health", "is_wrong"),
    [
        (9, (1, "poor"), True),  # older than all that is known
        (99, (0, "good"), False),  # of the day after an upgrade: taken as the newest
    ],
)
def test_a_platform_that_nobody_knows_hides_nothing(lab, here, release, health, is_wrong):
    grains = f"osmajorrelease: {release}\\nosrelease: {release}\\n"
    lab.on(here, "sh", "-c", f"printf '{grains}' > /etc/salt/grains")
    lab.salt([here], "saltutil.refresh_grains")
    code, report = status(lab)
    lab.on(here, "rm", "/etc/salt/grains")
    lab.salt([here], "saltutil.refresh_grains")
    assert ((code, report["health"]), report["service"]["nodes"]) == (health, [here])
    assert (f"Debian {release}," in report["wrong"].get(here, "")) == is_wrong


# --- no failover that would end badly ------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "path", "says"),
    [
        ("cms", f"/etc/init.d/{SERVER}", f"lsb:{SERVER} isn't there"),
        ("mgmt", "/usr/lib/ocf/resource.d/cm/agent", "ocf:cm:agent isn't there"),
        ("mgmt", f"/etc/init.d/{AGENT}", "ocf:cm:agent finds itself unfit"),
    ],
)
def test_a_host_that_could_not_start_it_gets_nothing(lab, pair, path, says):
    active, began = home(lab, pair), time.monotonic()
    with moved(lab, mate(active), path):
        lab.on(mate(active), "systemctl", "daemon-reload")
        code, data = lab.runner("cmha.failover", pair)
        _, report = status(lab, pair)
    lab.on(mate(active), "systemctl", "daemon-reload")
    assert code == 1
    assert data["error"].startswith("refused")
    assert says in data["error"]
    assert report["survival"][active]["takes_over"] is None
    assert says in report["survival"][active]["why"][0]
    spells = [
        spell
        for spell in lab.active(began)
        if spell.service == {"cms": SERVER, "mgmt": AGENT}[pair]
    ]
    assert {spell.host for spell in spells} == {active}
    assert faults(lab, pair) == []


# --- at the end, since Pacemaker goes on with a monitor whose failure was cleaned up --------------


@pytest.mark.parametrize(("pair", "service"), [("cms", SERVER), ("mgmt", AGENT)])
def test_a_second_one_that_a_second_monitor_finds(lab, pair, service):
    """docs/server.md's recipe, with a shorter time."""
    active = home(lab, pair)
    monitors = [
        {"interval": "30s", "timeout": "60s"},
        {"interval": "8s", "timeout": "60s", "role": "Stopped"},
    ]
    agent = lab.salt([active], "crm.agent", service)[active]
    primitive = {"agent": agent, "operations": {"monitor": monitors}}
    lab.salt([active], "crm.apply", json.dumps({"primitives": {service: primitive}}))
    lab.on(active, "timeout", "60", "crm_resource", "--wait")
    began = time.monotonic()
    lab.on(mate(active), f"/etc/init.d/{service}", "start")
    # Pacemaker stops both and starts one: somewhere a new one begins after the second
    found = f"crm_mon -1 | grep -q '8s-interval monitor on {mate(active)}'"
    new = f"{found} && timeout 60 crm_resource --wait"
    wait_for(lab, active, new)
    lab.on(active, "crm_resource", "--cleanup")
    wait_for(lab, "master", f"salt-run cmha.status pair={pair} | grep -q '^good'")
    report = status(lab, pair)[1]
    assert report["service"]["seen"] == report["service"]["nodes"] != []
    spells = [spell for spell in lab.active(began) if spell.service == service]
    assert len(activity.overlaps(spells)) == 1  # the two, until it looked
