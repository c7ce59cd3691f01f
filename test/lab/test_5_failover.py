"""The service moves when somebody says so, and stays where it is when it may not."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import activity
import pytest
from day_two import AGENT, SERVER, faults, home, mate, served, status
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")


def test_a_failover_is_verified_and_timed(lab):
    here = home(lab)
    code, data = lab.runner("cmha.failover", "cms", f"to={mate(here)}")
    assert (code, data["error"], data["cleared"]) == (0, None, [])
    (move,) = data["moves"]
    assert (move["from"], move["to"], move["seen_by"]) == (
        here,
        mate(here),
        "the page on port 7180",
    )
    # the stand-in takes 0.5 s to stop and 2 s to start
    assert 2 <= move["away"] <= 30
    assert home(lab) == mate(here)
    assert lab.code(mate(here), "service", SERVER, "status") == 0
    assert lab.code(here, "service", SERVER, "status") == 3
    assert "cli-" not in lab.cib("cms1")


def test_a_drill_comes_back(lab):
    began, here = time.monotonic(), home(lab, "mgmt")
    code, data = lab.runner("cmha.failover", "mgmt", "drill=True")
    assert (code, data["error"]) == (0, None)
    there = mate(here)
    assert [(move["from"], move["to"]) for move in data["moves"]] == [(here, there), (there, here)]
    assert home(lab, "mgmt") == here
    assert {spell.host for spell in lab.active(began) if spell.service == AGENT} == {here, there}
    assert activity.overlaps(lab.active(began)) == []


def test_a_failover_to_where_it_is_moves_nothing(lab):
    code, data = lab.runner("cmha.failover", "cms", f"to={home(lab)}")
    assert (code, data["moves"], data["error"]) == (0, [], None)


def test_a_target_that_is_not_fit_is_refused(lab):
    here = home(lab)
    lab.on("cms1", "crm", "node", "standby", mate(here))
    code, data = lab.runner("cmha.failover", "cms")
    lab.on("cms1", "crm", "node", "online", mate(here))
    wait_for(lab, "cms1", "crm_mon -1 | grep -q 'Online: . cms1 cms2 .'")
    refused = f"refused, {SERVER} stays on {here}: {mate(here)} is standby"
    assert (code, data["moves"], data["error"]) == (1, [], refused)


def test_a_service_that_does_not_start_on_the_target_is_told_and_a_second_try_refused(lab):
    here = home(lab)
    there = mate(here)
    lab.on(there, "sh", "-c", "echo FAIL_START=yes >> /etc/default/cloudera-scm-server")
    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["moves"]) == (1, [])
    assert data["error"].startswith(f"{there}: {SERVER} doesn't start on {there}: ")
    wait_for(lab, here, f"crm_mon -1 | grep -q 'Started {here}'")
    assert "cli-" not in lab.cib(here)

    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["moves"]) == (1, [])
    assert data["error"].startswith(f"refused, {SERVER} stays on {here}: start failed on {there}")

    lab.on(there, "sed", "-i", "/^FAIL_START=yes/d", "/etc/default/cloudera-scm-server")
    lab.on("cms1", "crm_resource", "--cleanup", "--resource", SERVER)
    served(lab, here)


def test_where_a_start_may_be_tried_for_ever_it_is_moved_home(lab):
    here = home(lab)
    there = mate(here)
    lab.on("cms1", "crm_attribute", "-n", "start-failure-is-fatal", "-v", "false")
    lab.on(there, "sh", "-c", "echo FAIL_START=yes >> /etc/default/cloudera-scm-server")
    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["moves"]) == (1, [])
    assert data["error"].endswith(f"; it runs on {here} again"), data["error"]
    assert home(lab) == here
    assert "cli-" not in lab.cib(here)
    lab.on(there, "sed", "-i", "/^FAIL_START=yes/d", "/etc/default/cloudera-scm-server")
    lab.on("cms1", "crm_attribute", "-n", "start-failure-is-fatal", "-D")
    lab.on("cms1", "crm_resource", "--cleanup")
    served(lab, here)


def test_what_has_to_be_where_it_is_does_not_start_there(lab):
    """Another member of its group, before it."""
    here = home(lab)
    there = mate(here)
    beside = {"agent": "ocf:pacemaker:Dummy", "params": {"fail_start_on": there}}
    declared = {"primitives": {"beside": beside}, "groups": {"all": ["beside", SERVER]}}
    lab.salt(["cms1"], "crm.apply", json.dumps(declared))
    wait_for(lab, here, f"crm_resource --resource {SERVER} --locate | grep -q {here}")
    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["moves"]) == (1, [])
    assert "since this failed: beside (start on" in data["error"], data["error"]
    assert data["error"].endswith(f"; it runs on {here} again")
    assert home(lab) == here
    assert "cli-" not in lab.cib(here)
    lab.salt(["cms1"], "crm.apply", "{}", "absent={groups: [all], primitives: [beside]}")
    lab.on("cms1", "crm_resource", "--cleanup")


def test_where_it_would_not_stay_is_refused(lab):
    here = home(lab)
    draws = {
        "locations": {"rather": {"rsc": SERVER, "node": here, "score": 500}},
        "rsc_defaults": {"resource-stickiness": 0},
    }
    before = {"rsc_defaults": {"resource-stickiness": 100}}
    lab.salt(["cms1"], "crm.apply", json.dumps(draws))
    code, data = lab.runner("cmha.failover", "cms")
    lab.salt(["cms1"], "crm.apply", json.dumps(before), "absent={locations: [rather]}")
    assert (code, data["moves"]) == (1, [])
    assert f"moved to {mate(here)}, it would go to {here} as soon as it is there" in data["error"]


def test_what_pacemaker_would_not_do_is_refused_before_it_is_tried(lab):
    here = home(lab)
    never = {"locations": {"never": {"rsc": SERVER, "node": mate(here), "score": "-INFINITY"}}}
    lab.salt(["cms1"], "crm.apply", json.dumps(never))
    code, data = lab.runner("cmha.failover", "cms")
    lab.salt(["cms1"], "crm.apply", "{}", "absent={locations: [never]}")
    assert (code, data["moves"]) == (1, [])
    assert f"Pacemaker would not move it to {mate(here)}" in data["error"]


SLOW = "sed -i 's/^START_DELAY=.*/START_DELAY={}/' /etc/default/cloudera-scm-server"


@pytest.mark.parametrize(
    "interrupt",
    [
        "kill -INT $(pgrep -f 'salt-run cmha.failover' | head -1)",
        "systemctl restart salt-master",
    ],
)
def test_an_interrupted_failover_leaves_no_constraint(lab, interrupt):
    here = home(lab)
    there = mate(here)
    lab.on(there, "sh", "-c", SLOW.format(6))
    # what is started in the background ignores SIGINT
    failover = ("env", "--default-signal=INT", "salt-run", "cmha.failover", "cms")
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(lab.run, "on", "master", *failover, check=False)
        wait_for(lab, there, "cibadmin --query | grep -q cli-prefer")
        lab.on("master", "sh", "-c", interrupt)
        wait_for(lab, there, f"crm_mon -1 | grep -q 'Started {there}'")
        wait_for(lab, there, "! cibadmin --query | grep -q cli-prefer")
        said = asked.result()
    lab.on(there, "sh", "-c", SLOW.format(2))
    assert "Traceback" not in said.stdout + said.stderr
    wait_for(lab, "master", "salt -L cms1,cms2 test.ping >/dev/null")
    served(lab, there)
    assert home(lab) == there
    assert faults(lab) == []


def test_a_constraint_that_was_left_behind_is_shown_and_cleaned_up(lab):
    here = home(lab)
    lab.on("cms1", "crm_resource", "--ban", "--resource", SERVER, "--node", mate(here))
    code, report = status(lab)
    assert (code, [each["resource"] for each in report["leftovers"]]) == (1, [SERVER])
    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["error"], data["cleared"]) == (
        0,
        None,
        [f"cli-ban-{SERVER}-on-{mate(here)}"],
    )
    assert home(lab) == mate(here)
    assert faults(lab) == []
