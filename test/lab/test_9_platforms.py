"""The whole orchestration on the platforms that boot here and that no other test boots, each in a lab of its
own: other releases of Debian with their Corosync, Pacemaker and Python, an init that isn't systemd, and hosts
that look like RHEL, SLES and Ubuntu (look-alikes/). They take turns.
"""

import json
from dataclasses import dataclass

import pytest
import turns
import yaml
from cmhalab.settings import LOOK_ALIKES
from conftest import CMS, HERE, HOSTS, booted
from day_two import served

pytestmark = pytest.mark.lab

SERVICE = {"cms": "cloudera-scm-server", "mgmt": "cloudera-scm-agent"}
DAEMONS = ("corosync", "pacemaker")
THIRD = "third"  # where there is a host for a quorum device
DEVICE = """cluster_name: cmg
      qnetd: third
      corosync: {quorum: {device: {model: net, votes: 1, net: {host: 192.0.2.31, algorithm: ffsplit}}}}"""


@dataclass(frozen=True)
class Platform:
    suite: str
    init: str
    salt: str  # the release series that its Python carries
    python: str
    corosync: str
    pacemaker: str
    hosts: list
    release: str  # as test/platforms calls it

    @property
    def environment(self):
        return {
            "LAB_SUITE": self.suite,
            "LAB_INIT": self.init,
            "LAB_SALT": "3008",  # a master is never older than its minions
            "LAB_MINION_SALT": self.salt,
            "LAB_HOSTS": " ".join([*self.hosts, *self.third]),
        }

    @property
    def third(self):
        return [THIRD] if self.suite in LOOK_ALIKES else []

    @property
    def pairs(self):
        return [pair for pair in SERVICE if f"{pair}1" in self.hosts]


def look_alike(release, base):
    python, corosync, pacemaker = {
        "bookworm": ("3.11", "3.1.7", "2.1.5"),
        "trixie": ("3.13", "3.1.9", "3.0.0"),
    }[base]
    return Platform(release, "systemd", "3008", python, corosync, pacemaker, CMS, release)


PLATFORMS = {
    "bullseye": Platform("bullseye", "systemd", "3006", "3.9", "3.1.2", "2.0.5", CMS, "debian-11"),
    "trixie": Platform("trixie", "systemd", "3008", "3.13", "3.1.9", "3.0.0", CMS, "debian-13"),
    # both pairs: there the agent is stopped in another way
    "sysvinit": Platform(
        "bookworm", "sysvinit", "3008", "3.11", "3.1.7", "2.1.5", HOSTS, "debian-12"
    ),
    "rhel-9": look_alike("rhel-9", "bookworm"),
    "rhel-10": look_alike("rhel-10", "trixie"),
    "sles-15": look_alike("sles-15", "bookworm"),
    "sles-16": look_alike("sles-16", "trixie"),
    "ubuntu-24.04": look_alike("ubuntu-24.04", "bookworm"),
    "ubuntu-26.04": look_alike("ubuntu-26.04", "trixie"),
}


@pytest.fixture(scope="module", params=turns.chosen(PLATFORMS))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def platform(name):
    return PLATFORMS[name]


@pytest.fixture(scope="module")
def lab(ready, name, platform):
    with booted(name.replace(".", "-"), **platform.environment) as lab:
        if "mgmt" not in platform.pairs:
            lab.keep_to_cms()
        yield lab


@pytest.fixture(scope="module")
def orchestrated(lab):
    return lab.orchestrate()


def home(lab, pair):
    (node,) = lab.started(f"{pair}1", SERVICE[pair])
    return node


def mate(host):
    return host[:-1] + ("2" if host.endswith("1") else "1")


def has_rpms(lab):
    return lab.code("cms1", "test", "-d", "/opt/rpms") == 0


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


def test_it_is_rendered_from_the_grains_that_it_has(lab, platform):
    """What the tests render every state file from is what such a host says."""
    known = yaml.safe_load((HERE.parent / "platforms" / f"{platform.release}.yaml").read_text())
    forms = [{**each["grains"], "init": platform.init} for each in known]
    for seen in lab.salt(platform.hosts, "grains.item", *forms[0]).values():
        assert seen in forms


def test_nothing_of_debian_is_left_where_there_are_rpms(lab, platform):
    if not has_rpms(lab):
        pytest.skip("its packages are Debian's")
    for host in platform.hosts:
        assert lab.on(host, "sh", "-c", "command -v apt-get dpkg dpkg-query; true") == ""
        assert lab.code(host, "test", "-e", "/etc/default/corosync") == 1
        assert lab.on(host, "firewall-cmd", "--state") == "running"


def test_from_bare_hosts_to_verified_pairs(lab, platform, orchestrated):
    assert (orchestrated.code, orchestrated.failed) == (0, []), orchestrated.printed
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
    assert lab.faults() == []


def test_nothing_starts_at_boot(lab, platform, orchestrated):
    for host in platform.hosts:
        for service in (*DAEMONS, SERVICE[host[:-1]]):
            assert not starts_at_boot(lab, host, service), (host, service)


def test_a_second_orchestration_changes_nothing(lab, orchestrated):
    again = lab.orchestrate()
    assert (again.code, again.changed, again.restarted) == (0, {}, {})


def test_its_own_firewall_lets_the_cluster_through(lab, platform, orchestrated):
    """firewalld runs on RHEL and SLES from the beginning."""
    if lab.code("cms1", "sh", "-c", "command -v firewall-cmd"):
        pytest.skip("it has no firewalld")
    for host in platform.hosts:
        for saved in ([], ["--permanent"]):
            rules = lab.on(host, "firewall-cmd", *saved, "--list-rich-rules").splitlines()
            assert [rule.split('"')[3] for rule in sorted(rules)] == ["192.0.2.11", "192.0.2.12"]


def test_an_export_changes_nothing_where_it_came_from(lab, platform, orchestrated):
    exported = json.loads(lab.on("master", "salt-run", "--out=json", "cmha.export"))["lab"]
    for pair in platform.pairs:
        configuration = json.dumps(exported[pair]["pacemaker"])
        first = f"{pair}1"
        (plan,) = lab.salt([first], "crm.plan", configuration, "purge=True").values()
        assert plan["summary"] == ["nothing differs"]


def test_a_failover_is_verified(lab, platform, orchestrated):
    for pair in platform.pairs:
        here = home(lab, pair)
        code, data = lab.runner("cmha.failover", pair)
        assert (code, data["error"]) == (0, None)
        assert home(lab, pair) == mate(here)
        assert runs(lab, mate(here), SERVICE[pair])
        assert not runs(lab, here, SERVICE[pair])
    assert lab.faults() == []
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
    assert lab.faults() == []
    lab.run("activity.py")


def test_the_other_host_takes_over_after_a_crash(lab, platform, orchestrated):
    here = home(lab, "cms")
    there = mate(here)
    lab.run("crash", here)
    served(lab, there)
    lab.run("boot", here)
    code, data = lab.runner("cmha.rejoin", here, "confirm=True")
    assert (code, data["error"]) == (0, None)
    assert home(lab, "cms") == there
    assert lab.faults() == []
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
    assert lab.faults() == []
    lab.run("activity.py")


def test_a_newer_package_rolls_through_a_pair_below_its_service(lab, platform, orchestrated):
    script = (HERE / "newer-package").read_text()
    # an upgrade of Pacemaker's RPM restarts it where it runs, which a pin doesn't let happen
    names = ["corosync", *(["pacemaker"] if has_rpms(lab) else [])]
    versions = {}
    for name in names:
        brought = {lab.run("on", host, "sh", "-s", name, stdin=script).stdout for host in CMS}
        (versions[name],) = (each.strip() for each in brought)
    site = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    pinned = f"cluster_name: cmg\n      versions: {json.dumps(versions)}"
    lab.write_pillar(site.replace("cluster_name: cmg", pinned), platform.hosts)
    with lab.client() as seen:
        done = lab.orchestrate()
    assert (done.code, done.failed) == (0, []), done.printed
    assert (seen["asked"] > 20, seen["missed"]) == (True, [])
    for name, version in versions.items():
        assert lab.salt(CMS, "pkg.version", name) == dict.fromkeys(CMS, version)
    for host in CMS:
        assert not any(starts_at_boot(lab, host, daemon) for daemon in DAEMONS)
    assert lab.faults() == []
    lab.run("activity.py")


def test_a_pair_gets_a_quorum_device(lab, platform, orchestrated):
    if not platform.third:
        pytest.skip("it has no third host")
    if lab.code(THIRD, "sh", "-c", "command -v firewall-cmd") == 0:  # the administrator's part
        for kept in ([], ["--permanent"]):
            lab.on(THIRD, "firewall-cmd", *kept, "--add-port=5403/tcp")
    site = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(site.replace("cluster_name: cmg", DEVICE), [*platform.hosts, THIRD])
    with lab.client() as seen:
        done = lab.orchestrate()
    assert (done.code, done.failed) == (0, []), done.printed
    assert (seen["asked"] > 20, seen["missed"]) == (True, [])
    code, data = lab.runner("cmha.status")
    votes = {"state": "Connected", "tls": True, "votes": True}
    assert (code, data["sites"]["lab"]["cms"]["device"]) == (0, dict.fromkeys(CMS, votes))
    assert lab.on(THIRD, "systemctl", "is-enabled", "corosync-qnetd") == "enabled"
    lab.write_pillar(site, [*platform.hosts, THIRD])
    assert lab.orchestrate().code == 0
    assert lab.faults() == []


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
