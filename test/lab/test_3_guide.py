"""Pairs that somebody has set up by hand, after the guide."""

import pytest
from guide import AGENT_FILE, PAIRS, follow

pytestmark = pytest.mark.lab(begins="converged")


@pytest.fixture(scope="module")
def orchestrated(lab):
    """The configuration of the pairs that the orchestration made, by name."""
    return {name: lab.cib(pair.hosts[0]) for name, pair in PAIRS.items()}


@pytest.mark.parametrize("name", PAIRS)
def test_the_guide_by_hand_gives_the_same_and_is_gone_on_with(lab, orchestrated, pure, name):
    pair = PAIRS[name]
    lab.run("reset", *pair.hosts)
    follow(lab, pair, names=pair.hosts)
    active, pid = running(lab, pair)
    guide, formula = (
        pure("cib").model(xml) for xml in (lab.cib(pair.hosts[0]), orchestrated[name])
    )

    # Deliberate: the alert that feeds the events, and operations with time limits of minutes, where the
    # guide's primitive has none; and the one property that the lab's pillar has. All else is equal.
    assert formula["properties"].pop("dc-deadtime") == "2s"
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
    ours = (f"{pair.service}:operations", "alerts:cmha", "properties:dc-deadtime")
    assert all(any(each in path for each in ours) for path in state["changes"])
    assert pure("cib").model(lab.cib(pair.hosts[0])) == pure("cib").model(orchestrated[name])


def test_the_agents_mode_is_the_other_deliberate_difference(lab, orchestrated):
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
