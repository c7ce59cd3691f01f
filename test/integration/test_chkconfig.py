"""
Switching services off at boot where chkconfig does it: the real states, through Salt's own service modules,
with the grains of hosts that can't be booted here and stand-ins for their programs (test/stand-in).
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FORMULA = Path(__file__).resolve().parents[2]
STAND_IN = FORMULA / "test/stand-in"
DAEMONS = ("corosync", "pacemaker")
LSB_HEADER = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: {name}\n### END INIT INFO\n"
HEADER = "#!/bin/sh\n# chkconfig: - 20 80\n"


class Host:
    """A host in a directory, before and while it runs."""

    def __init__(self, directory, grains):
        self.directory, self.grains = directory, grains
        for level in range(7):
            self.path(f"etc/rc.d/rc{level}.d").mkdir(parents=True)
        for place in ("etc/init.d", "etc/xinetd.d", "etc/stand-in", "units", "run"):
            self.path(place).mkdir(parents=True)

    def path(self, name):
        return self.directory / name

    def script(self, name, header=HEADER, on=()):
        path = self.path(f"etc/init.d/{name}")
        path.write_text(header.format(name=name))
        path.chmod(0o755)
        for level in range(7) if on is not None else ():
            kind = "S" if level in on else "K"
            link = self.path(f"etc/rc.d/rc{level}.d/{kind}20{name}")
            link.symlink_to(f"../init.d/{name}")

    def unit(self, name):
        self.path(f"units/{name}.service").write_text("[Service]\nExecStart=/bin/true\n")
        self.path("run/systemd/system").mkdir(parents=True, exist_ok=True)

    def run(self, *steps):
        """What the states say, one after the other, in one host's life."""
        asked = {"grains": self.grains, "cache": str(self.path("cache")), "steps": steps}
        done = subprocess.run(
            [STAND_IN / "host", self.directory, sys.executable, STAND_IN / "states.py"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.said = done.stderr
        return json.loads(done.stdout)

    def asked(self):
        """What changed, or should have changed, the start at boot."""
        log = self.path("written/stand-in/log")
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if "--list" not in line]


def not_at_boot(name, **options):
    return {"state": "daemons.not_at_boot", "arguments": {"name": name}, **options}


def at_boot(name):
    return {"state": "daemons.at_boot", "arguments": {"name": name}}


@pytest.fixture(scope="module")
def namespaces(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tried")
    tried = subprocess.run(
        [STAND_IN / "host", directory, "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode != 0:
        pytest.skip(f"needs root, and overlay mounts of its own: {tried.stderr.strip()}")


@pytest.fixture
def host(namespaces, tmp_path, formula_yaml):
    def made(platform):
        grains = formula_yaml(f"test/platforms/{platform}.yaml")[0]["grains"]
        made = Host(tmp_path, grains)
        if platform.startswith("sles"):
            made.path("etc/SuSE-release").write_text("SUSE Linux Enterprise Server 11\n")
        return made

    return made


OLD = ("rhel-6", "sles-11")
CHANGE = {"old": "starts at boot", "new": "does not start at boot"}


@pytest.mark.parametrize("header", [HEADER, LSB_HEADER])
@pytest.mark.parametrize("platform", OLD)
def test_off_once_and_every_run_looks_again(host, platform, header):
    host = host(platform)
    host.script("corosync", header, on=(2, 3, 4, 5))
    predicted, first, second, again, on, predicted_off = host.run(
        not_at_boot("corosync", test=True),
        not_at_boot("corosync"),
        not_at_boot("corosync"),
        # an upgrade of the package
        {"shell": "chkconfig corosync on"},
        not_at_boot("corosync"),
        at_boot("corosync"),
        not_at_boot("corosync", test=True),
    )
    assert first["service_module"] == "rh_service"
    assert (predicted["result"], predicted["changes"]) == (None, {"corosync": CHANGE})
    assert (first["result"], first["changes"]) == (True, {"corosync": CHANGE})
    assert (second["result"], second["changes"]) == (True, {})
    assert (again["result"], again["changes"]) == (True, {"corosync": CHANGE})
    assert (on["result"], list(on["changes"])) == (True, ["corosync"])
    assert predicted_off["result"] is None
    switched = [f"chkconfig corosync {state}" for state in ("off", "on", "off", "on")]
    assert host.asked() == switched


@pytest.mark.parametrize("platform", OLD)
def test_a_chkconfig_that_exits_0_and_changes_nothing_is_a_failure(host, platform):
    host = host(platform)
    host.script("corosync", on=(3, 5))
    host.path("etc/stand-in/chkconfig-does-nothing").touch()
    (ret,) = host.run(not_at_boot("corosync"))
    assert host.asked() == ["chkconfig corosync off"]
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"].startswith("corosync still starts at boot on cms1: ")


@pytest.mark.parametrize("platform", OLD)
def test_a_service_that_is_not_there(host, platform):
    host = host(platform)
    (ret,) = host.run(not_at_boot("corosync"))
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"] == "cms1 has no service corosync; install it first"
    assert host.asked() == []


def test_a_script_that_no_runlevel_knows_is_off(host):
    host = host("rhel-6")
    host.script("corosync", on=None)
    ret, on = host.run(not_at_boot("corosync"), at_boot("corosync"))
    assert (ret["result"], ret["changes"]) == (True, {})
    assert on["result"] is True
    assert host.asked() == ["chkconfig --add corosync", "chkconfig corosync on"]


def test_a_script_that_is_not_chkconfigs_and_yet_starts_is_a_failure(host):
    host = host("rhel-6")
    host.script("corosync", "#!/bin/sh\n", on=(3,))
    (ret,) = host.run(not_at_boot("corosync"))
    assert ret["result"] is False
    assert ret["comment"].startswith("corosync still starts at boot on cms1: ")


def test_a_service_of_xinetd_with_a_name_alike_is_no_matter(host):
    host = host("rhel-6")
    host.script("corosync", on=())
    host.path("etc/xinetd.d/corosync-x").write_text("service corosync-x\n{\n disable = no\n}\n")
    host.path("etc/xinetd.d/rsync").write_text("service rsync\n{\n disable = yes\n}\n")
    ret, gone = host.run(not_at_boot("corosync"), not_at_boot("rsync"))
    assert (ret["result"], ret["changes"]) == (True, {})
    assert (gone["result"], gone["changes"]) == (True, {})
    assert host.asked() == []


def test_on_rhel_7_chkconfig_is_systemctl(host):
    host = host("rhel-7")
    for name in DAEMONS:
        host.unit(name)
    by_cmha, by_hand = host.run(
        # the guide, typed by a person, whom chkconfig sends to systemctl
        {"shell": "chkconfig corosync on && chkconfig pacemaker on"},
        not_at_boot("corosync"),
        {"shell": "chkconfig pacemaker off"},
        not_at_boot("pacemaker"),
    )
    assert by_cmha["service_module"] == "systemd_service"
    assert (by_cmha["result"], by_cmha["changes"]) == (True, {"corosync": CHANGE})
    assert (by_hand["result"], by_hand["changes"]) == (True, {})
    assert "Note: Forwarding request to 'systemctl disable pacemaker.service'." in host.said
    assert [line for line in host.asked() if line.startswith("systemctl")] == [
        "systemctl enable corosync.service",
        "systemctl enable pacemaker.service",
        "systemctl disable corosync.service",
        "systemctl disable pacemaker.service",
    ]


def test_on_rhel_7_a_systemctl_that_changes_nothing_is_a_failure(host):
    host = host("rhel-7")
    host.unit("corosync")
    (ret,) = host.run(
        {"shell": "systemctl enable corosync; touch /etc/stand-in/systemctl-does-nothing"},
        not_at_boot("corosync"),
    )
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"].startswith("corosync still starts at boot on cms1: ")
