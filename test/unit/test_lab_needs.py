"""What a lab says where it can't run: one line, on what is missing."""

import pytest
from cmhalab import needs, settings


@pytest.fixture
def as_root(monkeypatch):
    monkeypatch.setattr(needs.os, "geteuid", lambda: 0)


def test_without_root(monkeypatch):
    monkeypatch.setattr(needs.os, "geteuid", lambda: 1000)
    with pytest.raises(settings.LabError, match="^the lab boots hosts, and only root can$") as said:
        needs.check()
    assert said.value.status == 69  # by which the tests know that there is none


def test_without_systemd_nspawn(as_root, monkeypatch):
    here = needs.shutil.which
    monkeypatch.setattr(
        needs.shutil, "which", lambda tool: None if tool == "systemd-nspawn" else here(tool) or tool
    )
    with pytest.raises(
        settings.LabError, match=r"^not installed: systemd-container \(test/lab/install"
    ):
        needs.check()


def test_on_an_older_python(as_root, monkeypatch):
    monkeypatch.setattr(needs.sys, "version_info", (3, 9, 2))
    with pytest.raises(
        settings.LabError,
        match="^this machine's python3 is 3.9, and the lab needs 3.11 or later$",
    ):
        needs.check()


@pytest.mark.parametrize(
    "hosts", ["", "cms1 cms1", "master cms1", "CMS1", "a-name-that-is-too-long"]
)
def test_hosts_that_can_not_be(hosts):
    with pytest.raises(settings.LabError):
        settings.from_environment({"LAB_HOSTS": hosts})


@pytest.mark.parametrize(
    "wrong", [{"LAB_SUITE": "buster"}, {"LAB_INIT": "upstart"}, {"LAB_SUITE": ""}]
)
def test_hosts_of_a_kind_that_there_is_not(wrong):
    ((variable, value),) = wrong.items()
    with pytest.raises(settings.LabError, match=f"^{variable}='{value}': the lab knows "):
        settings.from_environment(wrong)


def test_hosts_of_two_releases():
    lab = settings.from_environment({"LAB_SUITE": "bookworm cms2=trixie"})
    suites = [lab.suite_of(host) for host in ("cms1", "cms2")]
    assert suites == ["bookworm", "trixie"]


@pytest.mark.parametrize("wrong", ["bookworm cms2", "bookworm cms2=buster", "trixie other=trixie"])
def test_no_release_of_a_host(wrong):
    with pytest.raises(settings.LabError, match="^LAB_SUITE"):
        settings.from_environment({"LAB_SUITE": wrong})


def test_hosts_that_look_like_another_distribution():
    lab = settings.from_environment({"LAB_SUITE": "rhel-9 cms2=sles-15"})
    assert [lab.suite_of(host) for host in ("cms1", "cms2")] == ["rhel-9", "sles-15"]
    with pytest.raises(settings.LabError, match="^LAB_INIT=sysvinit: sles-15 boots with systemd"):
        settings.from_environment({"LAB_SUITE": "bookworm cms2=sles-15", "LAB_INIT": "sysvinit"})


def test_each_look_alike_has_the_grains_of_a_platform():
    platforms = {path.stem for path in (settings.LAB.parent / "platforms").glob("*.yaml")}
    assert len(settings.LOOK_ALIKES) == 6
    assert set(settings.LOOK_ALIKES) <= platforms


def test_minions_have_the_masters_salt_unless_told_otherwise():
    lab = settings.from_environment({"LAB_SALT": "3006"})
    assert (lab.salt, lab.minion_salt) == ("3006", "3006")
    lab = settings.from_environment({"LAB_MINION_SALT": "3006"})
    assert (lab.salt, lab.minion_salt) == ("3008", "3006")


def test_addresses():
    lab = settings.from_environment({"LAB_HOSTS": "mgmt2 other cms1 another"})
    assert lab.addresses() == {
        "master": "192.0.2.2",
        "mgmt2": "192.0.2.22",
        "other": "192.0.2.31",
        "cms1": "192.0.2.11",
        "another": "192.0.2.32",
    }
