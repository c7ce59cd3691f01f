"""Fencing by SBD with a disk that both hosts share, set up by hand as docs/fencing.md says; without a
watchdog, since none can be had here. The tests tell one story, in their order."""

import pytest
import turns
from cmhalab.shared_disk import IN_HOSTS as DISK
from conftest import CMS, booted_pair
from day_two import PAGE, SERVER, back, home, it_is_good, mate, orchestrated, served, status
from guide import wait_for

pytestmark = turns.only("fencing")

SITE = "/srv/pillar/cmha.sls"


@pytest.fixture(scope="module")
def lab(ready):
    with booted_pair("sbd", LAB_DISK="yes") as lab:
        yield lab


def declare(lab):
    nodes = ", ".join(f"{host}: {{plug: {host}}}" for host in CMS)
    fencing = f"""fencing:
    packages: [fence-agents, sbd]
    agent: fence_sbd
    params: {{devices: {DISK}}}
    nodes: {{{nodes}}}
  site: lab"""
    site = lab.on("master", "cat", SITE)
    lab.write_pillar(site.replace("site: lab", fencing, 1), CMS)


def set_up_by_hand(lab):
    """On hosts whose cluster runs; it starts with Corosync."""
    settings = f'SBD_DEVICE={DISK}\\nSBD_OPTS="-W -W"\\n'
    for host in CMS:
        lab.on(host, "apt-get", "-qq", "install", "sbd")
        lab.on(
            host,
            "sh",
            "-c",
            f"sed -i /^SBD_OPTS=/d /etc/default/sbd; printf '{settings}' >> /etc/default/sbd",
        )
        lab.on(host, "systemctl", "enable", "sbd")
    lab.on("cms1", "sbd", "-d", DISK, "create")
    for host in CMS:
        lab.on("cms1", "sbd", "-d", DISK, "allocate", host)


def restarted(lab, host):
    lab.on(host, "service", "pacemaker", "stop")
    lab.on(host, "service", "corosync", "stop")
    code, data = lab.runner("cmha.rejoin", host, "confirm=True")
    assert (code, data["error"]) == (0, None)


def test_a_disk_without_sbd_is_one_line(lab):
    orchestrated(lab)
    declare(lab)
    done = lab.orchestrate()
    assert done.failed == ["lab cms: see that cms1 and cms2 can fence each other"]
    assert "fence-cms1 (stonith:fence_sbd) doesn't work from cms2: " in done.printed
    assert "fence-cms1" not in lab.cib("cms1")


def test_sbd_is_set_up_while_the_pair_runs(lab):
    set_up_by_hand(lab)
    restarted(lab, mate(home(lab)))
    assert lab.runner("cmha.failover", "cms")[0] == 0
    restarted(lab, mate(home(lab)))
    for host in CMS:
        assert lab.salt([host], "sbd.running") == {host: True}
    orchestrated(lab)
    assert orchestrated(lab).changed == {}
    it_is_good(lab)
    assert status(lab)[1]["twice"] == []


def test_a_person_has_the_active_host_fenced(lab):
    victim = home(lab)
    code, data = lab.runner("cmha.fence", victim, "confirm=True")
    assert (code, data["error"]) == (0, None)
    assert data["done"][-1] == f"{SERVER} runs on {mate(victim)}"
    lab.run("activity.py")
    back(lab, victim)


def test_a_crashed_host_is_taken_for_dead_when_it_had_its_time(lab):
    victim = home(lab)
    lab.run("crash", victim)
    served(lab, mate(victim))
    assert "successful" in lab.on(mate(victim), "stonith_admin", "--history", victim)
    lab.run("activity.py")
    back(lab, victim)


def test_a_cut_network_leaves_one_server(lab):
    cut = home(lab)
    lab.run("cut", cut)
    fenced = f"stonith_admin --history cms2 | grep -q successful && {PAGE}"
    wait_for(lab, "cms1", fenced)
    lab.run("activity.py")
    lab.run("heal", cut)
    back(lab, "cms2")
