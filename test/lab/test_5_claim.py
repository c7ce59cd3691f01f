"""The guide's agent, an init script, and a server that knows of another's claim on the database: the script
says that all is well, and the server ends itself. The tests tell one story, in their order."""

import time

import pytest
from conftest import CMS
from day_two import SERVER, home, mate, served, status, unwatched
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")

CLAIM_AGE = 15  # seconds; Cloudera's is 30
MONITOR = 30  # seconds, the guide's


@pytest.fixture(scope="module")
def here(lab):
    for host in CMS:
        path = "/etc/default/cloudera-scm-server"
        lab.on(host, "sed", "-i", f"s/^CLAIM_AGE=.*/CLAIM_AGE={CLAIM_AGE}/", path)
    where = home(lab)
    lab.on(where, "crm_resource", "--restart", "--resource", SERVER)
    served(lab, where)
    return where


def test_a_failover_cleans_up_what_the_claim_brought(lab, here):
    code, data = lab.runner("cmha.failover", "cms")
    (move,) = data["moves"]
    assert (code, data["error"]) == (0, None)
    assert move["overcome"] == [f"monitor failed on {mate(here)}: not running"]
    assert move["away"] <= CLAIM_AGE + MONITOR + 15
    code, report = status(lab)
    assert (code, report["failures"], report["problems"]) == (0, [], [])


def test_after_a_crash_status_says_who_owns_it_and_rejoin_cleans_up(lab, here):
    dead, left = mate(here), here
    lab.run("crash", dead)
    began = time.monotonic()
    ended = f"grep -q 'owned by {dead}' /var/log/{SERVER}/{SERVER}.log"
    wait_for(lab, left, f"{ended} && ! service {SERVER} status >/dev/null")
    with unwatched(lab, left):
        report = status(lab)[1]
    assert report["health"] == "bad"
    assert f"its log says: the database is owned by {dead}" in report["problems"][0]
    served(lab, left)
    assert time.monotonic() - began <= CLAIM_AGE + MONITOR + 90
    assert [each["node"] for each in status(lab)[1]["failures"]] == [left]
    lab.run("boot", dead)
    code, data = lab.runner("cmha.rejoin", dead, "confirm=True")
    assert (code, data["error"]) == (0, None)
    assert any("which is over; cleaned up" in line for line in data["done"])
    code, report = status(lab)
    assert (code, report["failures"]) == (0, [])
