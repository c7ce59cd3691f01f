"""A pair in the middle of an upgrade: cms1 has an older Debian than cms2, with an older Pacemaker. The tests
tell one story, in their order."""

import pytest
import turns
from conftest import CMS, booted_pair
from day_two import SERVER, home, served, status

pytestmark = turns.only("mixed")

OLD, NEW = CMS
STAYS = (
    "cms1 has Pacemaker 2.1.5, cms2 has 3.0.0: when cms1 leaves the cluster (a crash, a stop, a reboot), it "
    "can't come back before its Pacemaker is upgraded; upgrade cms1 next"
)
OUT = (
    "cms1 has Pacemaker 2.1.5, and can't come back to cms2, which has 3.0.0; upgrade Pacemaker on cms1, then "
    "salt-run cmha.rejoin node=cms1"
)


@pytest.fixture(scope="module")
def lab(ready):
    with booted_pair("mixed", LAB_SUITE=f"bookworm {NEW}=trixie") as lab:
        yield lab


def test_preflight_says_what_a_mixed_pair_is(lab):
    done = lab.orchestrate()
    lines = [line for line in done.failed if "pacemaker is" in line]
    assert done.code != 0
    assert lines == [
        "site lab, pair cms: pacemaker is 2.1.5 on cms1 (to be installed), 3.0.0 on cms2 (to be installed); "
        "upgrade the older one, or say in cmha:versions which is wanted. "
        "A host whose Pacemaker is older may not come back when it has left the cluster"
    ]


def test_it_can_be_orchestrated(lab):
    site = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(site.replace("site: lab", "site: lab\n  preflight: {ignore: [versions]}"), CMS)
    done = lab.orchestrate()
    assert done.code == 0, done.printed
    assert lab.orchestrate().changed == {}


def test_status_says_who_is_next(lab):
    code, report = status(lab)
    assert (code, report["health"], report["problems"]) == (1, "poor", [STAYS])
    (active,) = report["service"]["nodes"]
    assert report["survival"][active]["takes_over"] == next(each for each in CMS if each != active)


@pytest.mark.parametrize("target", [NEW, OLD])
def test_it_fails_over_both_ways(lab, target):
    if home(lab) == target:
        pytest.fail(f"{SERVER} is there already")
    code, data = lab.runner("cmha.failover", "cms", f"to={target}")
    assert (code, data["error"]) == (0, None)


def test_the_older_one_is_never_restarted_for_a_change(lab):
    """Else it would stay out, and the pair in maintenance mode."""
    before = lab.on(OLD, "pidof", "corosync")
    site = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(site.replace("cluster_name: cmf", "cluster_name: cmg"), CMS)
    done = lab.orchestrate()
    lab.write_pillar(site, CMS)
    (step,) = done.failed
    said = done.steps[step]["comment"]
    assert said.startswith(f"{OLD} has an older Pacemaker (feature set 3.16.1) than {NEW} (3.20.0)")
    assert "nothing was restarted" in said
    assert lab.on(OLD, "pidof", "corosync") == before
    assert "maintenance-mode" not in lab.cib(OLD)
    done = lab.orchestrate()
    assert (done.code, done.failed, done.restarted) == (0, [], {})


def test_the_newer_one_crashes_and_comes_back_to_the_older(lab):
    """The older one is the DC then, and the cluster keeps to what it knows."""
    lab.run("crash", NEW)
    served(lab, OLD)
    lab.run("boot", NEW)
    code, data = lab.runner("cmha.rejoin", NEW, "confirm=True")
    assert (code, data["error"]) == (0, None)
    assert lab.on(OLD, "crmadmin", "--dc_lookup").endswith(OLD)
    code, report = status(lab)
    assert (code, report["health"], report["problems"]) == (1, "poor", [STAYS])


def test_the_older_one_crashes_and_can_not_come_back(lab):
    lab.run("crash", OLD)
    served(lab, NEW)
    lab.run("boot", OLD)
    code, report = status(lab)
    assert (code, report["service"]["nodes"]) == (1, [NEW])
    assert OUT in report["problems"]
    code, data = lab.runner("cmha.rejoin", OLD, "confirm=True")
    assert (code, data["done"]) == (1, [])
    assert data["error"].startswith(
        "cms1 has Pacemaker 2.1.5 (feature set 3.16.1), and may not join"
    )
    assert lab.code(OLD, "systemctl", "is-active", "--quiet", "corosync") != 0
