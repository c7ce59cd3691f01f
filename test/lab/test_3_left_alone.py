"""Clusters that aren't the formula's to change."""

import pytest
from conftest import CMS
from guide import PAIRS, follow, install, wait_for

pytestmark = pytest.mark.lab(begins="bare")


def test_highstate_does_not_touch_debians_own_cluster(lab):
    install(lab, "cms1")
    wait_for(lab, "cms1", "crm_mon -1 | grep -q 'Online: . node1 .'")
    states = lab.state(["cms1"], "cmha")["cms1"]
    assert all(state["result"] for state in states.values()), states
    assert "cmha cluster is stopped" in states
    assert "node1" in lab.on("cms1", "crm_mon", "-1")


def test_somebody_elses_cluster_is_left_alone(lab):
    lab.run("reset", *CMS)
    follow(lab, PAIRS["cms"], names=("alpha", "beta"))
    kept = "cat /etc/corosync/corosync.conf; iptables -S"
    before = lab.on("cms1", "sh", "-c", kept), lab.cib("cms1")
    done = lab.orchestrate()
    assert len(done.failed) == 2
    for host, line in zip(CMS, done.failed):
        assert line.startswith(
            f"site lab, pair cms: {host} belongs to another cluster (nodes in the CIB: alpha, beta"
        )
    states = lab.state(["cms1"], "cmha.host,cmha.corosync")["cms1"]
    assert "cms1 belongs to another cluster" in states["cmha whose cluster is here"]["comment"]
    assert (lab.on("cms1", "sh", "-c", kept), lab.cib("cms1")) == before
    assert lab.code("cms1", "systemctl", "is-enabled", "corosync") == 0
