"""A host crashed, and comes back. The tests tell one story, in their order."""

import pytest
from day_two import SERVER, faults, home, mate, pillar, served, status

pytestmark = pytest.mark.lab(begins="converged")


@pytest.fixture(scope="module")
def crashed(lab):
    """The host that ran the server has lost its power, and is back."""
    here = home(lab)
    lab.run("crash", here)
    served(lab, mate(here))
    code, report = status(lab)
    assert (code, report["health"], report["nodes"][here]) == (1, "poor", "silent")
    refused = lab.runner("cmha.rejoin", here, "confirm=True")
    lab.run("boot", here)
    return here, refused


def test_a_host_that_is_still_down_can_not_rejoin(crashed):
    here, (code, data) = crashed
    assert code == 1
    assert data["error"].startswith(f"{here} doesn't answer this master")


def test_rejoin_shows_and_touches_nothing(lab, crashed):
    here, _ = crashed
    code, data = lab.runner("cmha.rejoin", here)
    assert (code, data["error"], data["done"]) == (0, None, [])
    assert data["service"]["nodes"] == [mate(here)]
    assert data["causes"]["service"] == "stopped"
    assert any(data["causes"]["logs"]["corosync and pacemaker"])
    assert f"cmha.rejoin node={here} confirm=True" in data["next"]
    assert lab.code(here, "systemctl", "is-active", "--quiet", "corosync") != 0


def test_what_runs_outside_the_cluster_is_refused(lab, crashed):
    here, _ = crashed
    lab.on(here, "systemctl", "start", SERVER)
    code, data = lab.runner("cmha.rejoin", here, "confirm=True")
    lab.on(here, "systemctl", "stop", SERVER)
    assert code == 1
    assert data["error"].startswith(f"{SERVER} on {here} is running, outside the cluster")
    assert lab.code(here, "systemctl", "is-active", "--quiet", "corosync") != 0


def test_confirmed_it_comes_back(lab, crashed):
    here, _ = crashed
    # the firewall's rules didn't survive
    assert "5404,5405" not in lab.on(here, "iptables-save")
    # what is wrong in pillar about the other pair is not this one's concern
    with pillar(lab, "cluster_name: mgmt", "cluster_nane: mgmt"):
        printed, progress = lab.shown("cmha.rejoin", here, "confirm=True")
    assert f"Corosync and Pacemaker run on {here}, both nodes are online" in printed
    assert f"lab cms: start Corosync and Pacemaker on {here}" in progress
    assert "5404,5405" in lab.on(here, "iptables-save")
    assert faults(lab) == []
    assert home(lab) == mate(here)
