"""Hosts that had a cluster before: Debian's own, the guide's by hand, somebody else's."""

import re

import pytest
from conftest import CMS
from guide import AGENT_FILE, PAIRS, follow, install, wait_for

pytestmark = pytest.mark.lab


@pytest.fixture
def bare(lab):
    """The CMS hosts as new; the Cloudera service isn't slow to start on them."""
    lab.run("reset", *CMS)


@pytest.fixture(scope="module")
def after_debians_own(lab):
    """Orchestrated, on hosts where Debian's packages had started their own cluster."""
    lab.run("reset", *CMS)
    for host in CMS:
        install(lab, host)
        wait_for(lab, host, "crm_mon -1 | grep -q 'Online: . node1 .'")
    return lab.orchestrate(), {name: lab.cib(pair.hosts[0]) for name, pair in PAIRS.items()}


def test_debians_own_cluster_is_taken_away(lab, after_debians_own):
    done, cibs = after_debians_own
    assert (done.code, done.failed) == (0, [])
    nodes = re.findall(r'<node id="(\d)" uname="([^"]+)"', cibs["cms"])
    assert nodes == [("1", "cms1"), ("2", "cms2")]
    assert 'value="debian"' not in cibs["cms"]
    assert lab.on("cms1", "sh", "-c", "ls -d /var/lib/pacemaker/cib-packaged-*")


@pytest.mark.parametrize("name", PAIRS)
def test_the_guide_by_hand_gives_the_same_and_is_gone_on_with(lab, after_debians_own, pure, name):
    pair = PAIRS[name]
    lab.run("reset", *pair.hosts)
    follow(lab, pair, names=pair.hosts)
    active, pid = running(lab, pair)
    guide, formula = (
        pure("cib").model(xml) for xml in (lab.cib(pair.hosts[0]), after_debians_own[1][name])
    )

    # Deliberate: the alert that feeds the events, and operations with time limits of minutes, where the
    # guide's primitive has none. All else is equal.
    assert set(formula.pop("alerts")) == {"cmha"}
    assert not guide.pop("alerts")
    operations = formula["primitives"][pair.service].pop("operations")
    assert set(operations) == {"start", "stop", "monitor"}
    assert not guide["primitives"][pair.service].pop("operations", None)
    assert guide == formula

    done = lab.orchestrate()
    assert (done.code, done.failed) == (0, [])
    assert running(lab, pair) == (active, pid)
    configure = f"lab {name}: configure the cluster {pair.cluster_name} on {pair.hosts[0]}"
    states = done.steps[configure]["changes"]["ret"][pair.hosts[0]].values()
    (state,) = (each for each in states if each["changes"])
    ours = (f"{pair.service}:operations", "alerts:cmha")
    assert all(any(each in path for each in ours) for path in state["changes"])
    assert pure("cib").model(lab.cib(pair.hosts[0])) == pure("cib").model(
        after_debians_own[1][name]
    )


def test_the_agents_mode_is_the_other_deliberate_difference(lab, after_debians_own):
    """After the guide was followed by hand and gone on with."""
    reads_metadata = ("runuser", "-u", "hacluster", "--", AGENT_FILE, "meta-data")
    assert lab.code("mgmt1", *reads_metadata) == 0
    lab.on("mgmt1", "chmod", "770", AGENT_FILE)
    assert lab.code("mgmt1", *reads_metadata) != 0
    states = lab.state(["mgmt1"], "cmha")["mgmt1"]
    assert states["cmha ocf agent"]["changes"] == {"mode": "0755"}
    assert lab.code("mgmt1", *reads_metadata) == 0


def running(lab, pair):
    """On which host of a pair the service runs, and as which process."""
    (active,) = [
        host for host in pair.hosts if lab.code(host, "service", pair.service, "status") == 0
    ]
    return active, lab.on(active, "cat", f"/run/{pair.service}/{pair.service}.pid")


def test_highstate_does_not_touch_debians_own_cluster(lab, bare):
    install(lab, "cms1")
    wait_for(lab, "cms1", "crm_mon -1 | grep -q 'Online: . node1 .'")
    states = lab.state(["cms1"], "cmha")["cms1"]
    assert all(state["result"] for state in states.values()), states
    assert "cmha cluster is stopped" in states
    assert "node1" in lab.on("cms1", "crm_mon", "-1")


def test_somebody_elses_cluster_is_left_alone(lab, bare):
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
