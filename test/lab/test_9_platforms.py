"""The whole orchestration on the platforms that boot here and that no other test boots, each in a lab of its
own: other releases of Debian with their Corosync, Pacemaker and Python, and an init that isn't systemd.
They take turns.
"""

import os
from dataclasses import dataclass

import pytest
import turns
from conftest import CMS, HOSTS, Lab

pytestmark = pytest.mark.lab

SERVICE = {"cms": "cloudera-scm-server", "mgmt": "cloudera-scm-agent"}
DAEMONS = ("corosync", "pacemaker")


@dataclass(frozen=True)
class Platform:
    suite: str
    init: str
    salt: str  # the release series that its Python carries
    python: str
    corosync: str
    pacemaker: str
    hosts: list

    @property
    def environment(self):
        return {
            "LAB_SUITE": self.suite,
            "LAB_INIT": self.init,
            "LAB_SALT": "3008",  # a master is never older than its minions
            "LAB_MINION_SALT": self.salt,
            "LAB_HOSTS": " ".join(self.hosts),
        }

    @property
    def pairs(self):
        return [pair for pair in SERVICE if f"{pair}1" in self.hosts]


PLATFORMS = {
    "bullseye": Platform("bullseye", "systemd", "3006", "3.9", "3.1.2", "2.0.5", CMS),
    "trixie": Platform("trixie", "systemd", "3008", "3.13", "3.1.9", "3.0.0", CMS),
    # both pairs: there the agent is stopped in another way
    "sysvinit": Platform("bookworm", "sysvinit", "3008", "3.11", "3.1.7", "2.1.5", HOSTS),
}


@pytest.fixture(scope="module", params=turns.chosen(PLATFORMS))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def platform(name):
    return PLATFORMS[name]


@pytest.fixture(scope="module")
def lab(ready, name, platform):
    lab = Lab(name, **platform.environment)
    lab.run("down")
    try:
        lab.run("up", "--die-with", str(os.getpid()))
        if "mgmt" not in platform.pairs:
            without_mgmt(lab, platform)
        yield lab
    finally:
        lab.run("down")


def without_mgmt(lab, platform):
    """A site of one pair, where there are hosts for no more."""
    site = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(site[: site.index("    mgmt:")], platform.hosts)


@pytest.fixture(scope="module")
def orchestrated(lab):
    return lab.orchestrate()


def good(lab):
    """That status finds nothing to say about any pair."""
    code, data = lab.runner("cmha.status")
    problems = [pair["problems"] for pair in data["sites"]["lab"].values()]
    return (code, data["errors"], [line for lines in problems for line in lines]) == (0, [], [])


def home(lab, pair):
    (node,) = lab.started(f"{pair}1", SERVICE[pair])
    return node


def mate(host):
    return host[:-1] + ("2" if host.endswith("1") else "1")


def runs(lab, host, service):
    """Whether the service's own init script, or systemd's unit, says that it runs."""
    return lab.code(host, "service", service, "status") == 0


def starts_at_boot(lab, host, service):
    """Asks all that could start it: the links of init scripts, and systemd where there is one."""
    links = lab.on(host, "sh", "-c", f"find /etc/rc?.d -name 'S??{service}'")
    if lab.code(host, "test", "-d", "/run/systemd/system"):
        return bool(links)
    said = lab.on(host, "systemctl", "is-enabled", service, check=False)
    assert said in ("enabled", "disabled")
    return bool(links) or said == "enabled"


def test_it_is_the_platform_that_was_meant(lab, platform):
    """Otherwise these tests say nothing about it."""
    grains = lab.salt(platform.hosts, "grains.item", "saltversion", "pythonversion", "init")
    for seen in grains.values():
        assert seen["saltversion"].split(".")[0] == platform.salt
        assert ".".join(map(str, seen["pythonversion"][:2])) == platform.python
        assert seen["init"] == platform.init


def test_from_bare_hosts_to_verified_pairs(lab, platform, orchestrated):
    assert (orchestrated.code, orchestrated.failed) == (0, [])
    assert len(orchestrated.steps) == 5 * len(platform.pairs)
    assert all(step["result"] is True for step in orchestrated.steps.values())
    for host, version in lab.salt(platform.hosts, "corosync.version").items():
        assert (host, version) == (host, platform.corosync)
    for host, version in lab.salt(platform.hosts, "crm.version").items():
        assert (host, version) == (host, platform.pacemaker)


def test_no_other_cluster_ran_in_between(lab, platform, orchestrated):
    """Debian's packages start one of their own, of one node, unless they are kept from it."""
    for host in platform.hosts:
        assert lab.code(host, "grep", "-q", "127.0.0.1", "/var/log/cluster/corosync.log") == 1
        assert lab.code(host, "test", "-e", "/var/log/corosync/corosync.log") == 1
        assert lab.code(host, "test", "-e", "/usr/sbin/policy-rc.d") == 1


def test_each_service_runs_on_one_host(lab, platform, orchestrated):
    for pair in platform.pairs:
        here = home(lab, pair)
        assert runs(lab, here, SERVICE[pair])
        assert not runs(lab, mate(here), SERVICE[pair])
    assert good(lab)


def test_nothing_starts_at_boot(lab, platform, orchestrated):
    for host in platform.hosts:
        for service in (*DAEMONS, SERVICE[host[:-1]]):
            assert not starts_at_boot(lab, host, service), (host, service)


def test_a_second_orchestration_changes_nothing(lab, orchestrated):
    again = lab.orchestrate()
    assert (again.code, again.changed, again.restarted) == (0, {}, {})


def test_a_failover_is_verified(lab, platform, orchestrated):
    for pair in platform.pairs:
        here = home(lab, pair)
        code, data = lab.runner("cmha.failover", pair)
        assert (code, data["error"]) == (0, None)
        assert home(lab, pair) == mate(here)
        assert runs(lab, mate(here), SERVICE[pair])
        assert not runs(lab, here, SERVICE[pair])
    assert good(lab)
    lab.run("activity.py")


def test_after_a_reboot_nothing_runs_until_someone_says_so(lab, platform, orchestrated):
    for pair in platform.pairs:
        here = home(lab, pair)
        lab.run("reboot", here)
        for service in (*DAEMONS, SERVICE[pair]):
            assert not runs(lab, here, service), (here, service)
        assert lab.started(mate(here), SERVICE[pair]) == [mate(here)]
        assert any(lab.salt([here], "cmha_host.causes")[here]["logs"]["corosync and pacemaker"])
        code, data = lab.runner("cmha.rejoin", here, "confirm=True")
        assert (code, data["error"]) == (0, None)
    assert good(lab)
    lab.run("activity.py")


def test_a_change_rolls_through_a_pair_below_its_service(lab, platform, orchestrated):
    site = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(site.replace("cluster_name: cmf", "cluster_name: cmg"), platform.hosts)
    with lab.client() as seen:
        done = lab.orchestrate()
    assert (done.code, done.failed) == (0, [])
    assert seen["asked"] > 20
    assert seen["missed"] == []
    (changes,) = done.restarted.values()
    assert {host: each["how"] for host, each in changes.items()} == dict.fromkeys(CMS, "one by one")
    assert good(lab)
    lab.run("activity.py")


def test_a_pair_is_taken_apart_and_its_service_goes_on(lab, platform, orchestrated):
    keep = mate(home(lab, "cms"))
    code, data = lab.runner("cmha.clean", "cms", f"keep={keep}", "confirm=True")
    assert (code, data["error"]) == (0, None)
    for host in CMS:
        assert not any(runs(lab, host, daemon) for daemon in DAEMONS)
        assert not any(starts_at_boot(lab, host, daemon) for daemon in DAEMONS)
        assert runs(lab, host, SERVICE["cms"]) == (host == keep)
        assert starts_at_boot(lab, host, SERVICE["cms"]) == (host == keep)
    lab.run("activity.py")
