"""A server whose page Pacemaker asks for (ocf:cm:server), with another's claim on the database and without.
The tests tell one story, in their order."""

import time

import activity
import pytest
from conftest import CMS
from day_two import SERVER, cms_alone, faults, home, mate, orchestrate, pillar, served, status
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")

# Times that a test can wait for; one failure moves it, as no other agent may have it
SETTINGS = """resource: ocf:cm:server
      pacemaker:
        primitives:
          cloudera-scm-server:
            operations: {monitor: {interval: 5s, timeout: 20s}, stop: {timeout: 40s}}
            meta: {migration-threshold: 1}"""
CLAIM_AGE = 15  # seconds; Cloudera's is 30
DEFAULTS = "/etc/default/cloudera-scm-server"
PROGRAM = "[c]loudera-stand-in/server.py"


@pytest.fixture(scope="module")
def asked(lab):
    with pillar(lab, "cluster_name: cmf", cms_alone(SETTINGS)):
        yield orchestrate(lab)


@pytest.fixture
def here(lab, asked):
    """Where it runs, of a pair that is well, and does so afterwards."""
    yield home(lab)
    lab.on("cms1", "crm_resource", "--cleanup")
    wait_for(lab, "master", "salt-run cmha.status pair=cms | grep -q '^good'")


def failures(lab):
    return [(each["task"], each["node"], each["reason"]) for each in status(lab)[1]["failures"]]


def set_default(lab, hosts, name, value):
    for host in hosts:
        lab.on(host, "sed", "-i", f"s/^{name}=.*/{name}={value}/", DEFAULTS)


def test_pacemaker_asks_for_the_page(lab, asked):
    assert (asked.code, asked.failed) == (0, [])
    served(lab, home(lab))
    assert lab.salt(["cms1"], "crm.agent", SERVER) == {"cms1": "ocf:cm:server"}
    assert faults(lab) == []
    again = orchestrate(lab)
    assert (again.code, again.changed) == (0, {name: {} for name in again.changed})


def test_a_server_that_stands_still_for_a_moment_is_left_alone(lab, here):
    lab.on(here, "sh", "-c", f"pkill -STOP -f {PROGRAM}; sleep 8; pkill -CONT -f {PROGRAM}")
    served(lab, here)
    assert (home(lab), failures(lab)) == (here, [])


def test_one_that_is_slow_to_start_is_left_alone(lab, here):
    set_default(lab, [mate(here)], "START_DELAY", 26)
    code, data = lab.runner("cmha.failover", "cms")
    set_default(lab, [mate(here)], "START_DELAY", 2)
    (move,) = data["moves"]
    assert (code, data["error"], move["overcome"]) == (0, None, [])
    assert 26 <= move["away"] <= 60
    assert (home(lab), failures(lab)) == (mate(here), [])


def test_one_that_hangs_fails_over(lab, here):
    began = time.monotonic()
    lab.on(here, "pkill", "-STOP", "-f", PROGRAM)
    served(lab, mate(here))
    wait_for(lab, here, f"! pgrep -f {PROGRAM} >/dev/null")
    # 5 s to the next monitor, 20 s until it gives up, 20 s until the stop kills it, 2 s to start
    assert time.monotonic() - began < 90
    assert home(lab) == mate(here)
    said = f"{SERVER} runs, and gives no page on port 7180"
    assert failures(lab) == [("monitor", here, said)]
    assert activity.overlaps(lab.active(began)) == []


# --- a claim on the database ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def claimed(lab, asked):
    """A server has what was said when it started."""
    set_default(lab, CMS, "CLAIM_AGE", CLAIM_AGE)
    set_default(lab, CMS, "CLAIM_GIVEN_BACK", "yes")
    assert lab.runner("cmha.failover", "cms")[0] == 0


def test_what_a_clean_stop_gives_back_needs_no_wait(lab, claimed, here):
    set_default(lab, CMS, "CLAIM_GIVEN_BACK", "no")
    code, data = lab.runner("cmha.failover", "cms")
    (move,) = data["moves"]
    assert (code, data["error"]) == (0, None)
    assert move["away"] < 20


def test_a_failover_waits_for_the_claim_to_run_out(lab, claimed, here):
    code, data = lab.runner("cmha.failover", "cms")
    (move,) = data["moves"]
    assert (code, data["error"], move["overcome"]) == (0, None, [])
    # it was renewed at least 5 s ago; the last try began at most 5 s after it ran out
    assert CLAIM_AGE - 7 <= move["away"] <= CLAIM_AGE + 20
    assert (home(lab), failures(lab)) == (mate(here), [])
    log = lab.on(mate(here), "cat", f"/var/log/{SERVER}/{SERVER}.log")
    assert f"The database is owned by {here}" in log


def test_after_a_crash_it_comes_back_as_soon_as_the_claim_lets_it(lab, claimed, here):
    served(lab, here)
    lab.run("crash", here)
    began = time.monotonic()
    served(lab, mate(here))
    # the cluster sees the crash within a few seconds, meanwhile the claim ages
    assert CLAIM_AGE - 7 <= time.monotonic() - began <= CLAIM_AGE + 45
    assert failures(lab) == []
    lab.run("boot", here)
    code, data = lab.runner("cmha.rejoin", here, "confirm=True")
    assert (code, data["error"], failures(lab)) == (0, None, [])
