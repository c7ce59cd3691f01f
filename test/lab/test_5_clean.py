"""The end of a pair. The tests tell one story, in their order."""

import time

import activity
import pytest
from conftest import MGMT
from day_two import AGENT, KEY_FILE, faults, home, mate, orchestrate

pytestmark = pytest.mark.lab(begins="converged")


def test_clean_only_says_what_it_would_do(lab):
    before = lab.cib("mgmt1").split("\n", 1)[0]
    code, data = lab.runner("cmha.clean", "mgmt", "keep=mgmt2")
    assert (code, data["error"]) == (0, None)
    assert data["steps"][-1] == f"{AGENT} starts at boot on mgmt2, and on no other host"
    assert lab.cib("mgmt1").split("\n", 1)[0] == before


def test_a_host_out_of_its_cluster_can_not_be_cleaned(lab):
    away = mate(home(lab, "mgmt"))
    lab.on(away, "systemctl", "stop", "pacemaker", "corosync")
    code, data = lab.runner("cmha.clean", "mgmt", "keep=mgmt2", "confirm=True")
    lab.salt([away], "state.apply", "cmha.start")
    assert code == 1
    assert data["error"].startswith("refused: ")
    assert f"{away} is stopped" in data["error"]


def test_a_pair_is_taken_apart_and_its_service_goes_on(lab):
    if home(lab, "mgmt") == "mgmt2":
        lab.runner("cmha.failover", "mgmt")
    for host in MGMT:
        lab.on(host, "sh", "-c", f"head -c 128 /dev/urandom > {KEY_FILE}")
    began = time.monotonic()
    code, data = lab.runner("cmha.clean", "mgmt", "keep=mgmt2", "confirm=True")
    assert (code, data["error"]) == (0, None)
    for host in MGMT:
        assert lab.code(host, "systemctl", "is-active", "--quiet", "corosync") != 0
        assert lab.code(host, "systemctl", "is-active", "--quiet", "pacemaker") != 0
        assert lab.code(host, "test", "-e", "/etc/corosync/corosync.conf") == 1
        assert lab.code(host, "test", "-e", KEY_FILE) == 1
        assert lab.code(host, "test", "-e", "/usr/lib/ocf/resource.d/cm/agent") == 1
        assert "5404,5405" not in lab.on(host, "iptables-save")
        kept = host == "mgmt2"
        assert (lab.code(host, "service", AGENT, "status") == 0) == kept
        assert (lab.code(host, "systemctl", "is-enabled", "--quiet", AGENT) == 0) == kept
    assert activity.overlaps(lab.active(began)) == []
    assert [spell for spell in lab.active(began) if spell.host == "mgmt2"]


def test_and_is_put_together_again_around_its_running_service(lab):
    began = time.monotonic()
    done = orchestrate(lab, "mgmt")
    assert (done.code, done.failed) == (0, [])
    assert faults(lab, "mgmt") == []
    assert home(lab, "mgmt") == "mgmt2"
    assert [spell.host for spell in lab.active(began) if spell.service == AGENT] == ["mgmt2"]
    assert lab.orchestrate("test=True").changed == {}
    for host in MGMT:
        assert lab.code(host, "systemctl", "is-enabled", "--quiet", AGENT) != 0
