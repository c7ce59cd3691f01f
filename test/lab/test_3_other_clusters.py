"""Hosts that had a cluster before: Debian's own, the guide's by hand, somebody else's."""

import re

import pytest
from conftest import CMS
from guide import CLUSTER, SERVER, install, start, wait_for, write_corosync_conf

pytestmark = pytest.mark.lab

RUNS = ("service", "cloudera-scm-server", "status")
PID = "/run/cloudera-scm-server/cloudera-scm-server.pid"


@pytest.fixture
def bare(lab):
    """The CMS hosts as new; the Cloudera service isn't slow to start on them."""
    lab.run("reset", *CMS)


def by_hand(lab, names):
    """The guide, followed by hand, with these node names."""
    nodes = dict(zip(("first", "second"), zip(names, ("192.0.2.11", "192.0.2.12"))))
    for host in CMS:
        install(lab, host)
    for host in CMS:
        write_corosync_conf(lab, host, cluster_name="cmf", **nodes)
    start(lab, CMS)
    for command in (*CLUSTER, SERVER):
        lab.on("cms1", *command.split())
    wait_for(lab, "cms1", "crm_mon -1 | grep -q 'Started '")


@pytest.fixture(scope="module")
def after_debians_own(lab):
    """Orchestrated, on hosts where Debian's packages had started their own cluster."""
    lab.run("reset", *CMS)
    for host in CMS:
        install(lab, host)
        wait_for(lab, host, "crm_mon -1 | grep -q 'Online: . node1 .'")
    return lab.orchestrate(), lab.cib("cms1")


def test_debians_own_cluster_is_taken_away(lab, after_debians_own):
    done, cib = after_debians_own
    assert (done.code, done.failed) == (0, [])
    assert re.findall(r'<node id="(\d)" uname="([^"]+)"', cib) == [("1", "cms1"), ("2", "cms2")]
    assert 'value="debian"' not in cib
    assert lab.on("cms1", "sh", "-c", "ls -d /var/lib/pacemaker/cib-packaged-*")


def test_highstate_does_not_touch_debians_own_cluster(lab, bare):
    install(lab, "cms1")
    wait_for(lab, "cms1", "crm_mon -1 | grep -q 'Online: . node1 .'")
    states = lab.state(["cms1"], "cmha")["cms1"]
    assert all(state["result"] for state in states.values()), states
    assert "cmha cluster is stopped" in states
    assert "node1" in lab.on("cms1", "crm_mon", "-1")


def test_the_guide_by_hand_gives_the_same_and_is_gone_on_with(lab, after_debians_own, bare, pure):
    by_hand(lab, ("cms1", "cms2"))
    guide = pure("cib").model(lab.cib("cms1"))
    formula = pure("cib").model(after_debians_own[1])
    (active,) = [host for host in CMS if lab.code(host, *RUNS) == 0]
    pid = lab.on(active, "cat", PID)

    # Deliberate: operations with time limits of minutes, where the guide's primitive has none. All else
    # is equal.
    operations = formula["primitives"]["cloudera-scm-server"].pop("operations")
    assert set(operations) == {"start", "stop", "monitor"}
    assert not guide["primitives"]["cloudera-scm-server"].pop("operations", None)
    assert guide == formula

    done = lab.orchestrate()
    assert (done.code, done.failed) == (0, [])
    assert lab.on(active, "cat", PID) == pid
    changes = done.steps["lab cms: configure the cluster cmf on cms1"]["changes"]["ret"]["cms1"]
    (state,) = changes.values()
    assert all("cloudera-scm-server:operations" in path for path in state["changes"])
    assert pure("cib").model(lab.cib("cms1")) == pure("cib").model(after_debians_own[1])


def test_somebody_elses_cluster_is_left_alone(lab, bare):
    by_hand(lab, ("alpha", "beta"))
    before = lab.on(
        "cms1", "sh", "-c", "cat /etc/corosync/corosync.conf; iptables-save | grep -v '#'"
    )
    done = lab.orchestrate()
    assert done.failed == ["lab cms: prepare cms1 and cms2"]
    result = done.steps[done.failed[0]]["changes"]["ret"]["cms1"]
    comments = [state["comment"] for state in result.values() if state["result"] is False]
    assert any(
        "cms1 belongs to another cluster (nodes in the CIB: alpha, beta" in comment
        for comment in comments
    )
    after = lab.on(
        "cms1", "sh", "-c", "cat /etc/corosync/corosync.conf; iptables-save | grep -v '#'"
    )
    assert after == before
    assert lab.code("cms1", "systemctl", "is-enabled", "corosync") == 0
