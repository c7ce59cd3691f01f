"""Hosts that are down, come back, or fail half-way. The tests tell one story, in their order."""

import pytest
from day_two import lost_in_its_installation
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")


def stopped(lab, host):
    return lab.code(host, "systemctl", "is-active", "--quiet", "corosync") != 0


def test_a_host_that_is_lost_in_the_middle_of_its_step_is_named(lab):
    lab.on("mgmt2", "dpkg", "--remove", "--force-depends", "crmsh")
    done = lost_in_its_installation(lab, "mgmt2")
    assert done.code != 0
    assert done.failed == ["lab mgmt: prepare mgmt1 and mgmt2"]
    assert "Run failed on minions: mgmt2" in done.steps[done.failed[0]]["comment"]


def test_a_silent_host_stops_the_run_before_it_begins(lab):
    epoch = lab.cib("cms1").split("\n", 1)[0]
    done = lab.orchestrate()
    assert done.code != 0
    (line,) = done.failed
    assert line.startswith("site lab: nothing was done there: mgmt2 doesn't answer this master")
    assert lab.cib("cms1").split("\n", 1)[0] == epoch


def test_highstate_is_safe_while_the_peer_is_down(lab):
    states = lab.state(["mgmt1"], "cmha")["mgmt1"]
    assert all(state["result"] for state in states.values()), states
    assert not any(state["changes"] for state in states.values()), states
    assert lab.started("mgmt1", "cloudera-scm-agent") == ["mgmt1"]


def test_a_host_that_comes_back_stays_out_until_someone_says_so(lab):
    lab.run("boot", "mgmt2")
    assert stopped(lab, "mgmt2")
    assert lab.code("mgmt2", "service", "cloudera-scm-agent", "status") == 3
    states = lab.state(["mgmt2"], "cmha")["mgmt2"]
    assert all(state["result"] for state in states.values()), states
    said = states["cmha cluster is stopped"]["comment"]
    assert "salt-run cmha.rejoin mgmt2" in said
    assert stopped(lab, "mgmt2")


def test_the_command_that_highstate_names_brings_it_back(lab):
    states = lab.state(["mgmt2"], "cmha.start")["mgmt2"]
    assert all(state["result"] for state in states.values()), states
    assert states["cmha two nodes online"]["comment"].startswith("online: mgmt1, mgmt2")
    assert lab.started("mgmt1", "cloudera-scm-agent") == ["mgmt1"]


def test_a_missing_peer_is_named_by_the_barrier(lab):
    lab.on("mgmt2", "systemctl", "stop", "pacemaker", "corosync")
    comment = lab.salt(
        ["mgmt1"], "state.single", "crm.online", "name=mgmt", "timeout=3",
        "nodes=[{name: mgmt1, nodeid: 1, address: 192.0.2.21},"
        " {name: mgmt2, nodeid: 2, address: 192.0.2.22}]",
        check=False,
    )["mgmt1"]  # fmt: skip
    (state,) = comment.values()
    assert state["result"] is False
    assert "mgmt2 (192.0.2.22, nodeid 2) hasn't joined" in state["comment"]
    assert lab.orchestrate().code == 0


def test_a_cut_host_is_missed_and_found_again(lab):
    lab.run("cut", "cms2")
    wait_for(lab, "cms1", "crm_mon -1 | grep -q 'OFFLINE: . cms2 .'")
    lab.run("heal", "cms2")
    wait_for(lab, "cms1", "crm_mon -1 | grep -q 'Online: . cms1 cms2 .'")
    assert lab.orchestrate().code == 0
