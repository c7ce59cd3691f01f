"""What a lab says where it can't run: one line, on what is missing."""

import pytest
from cmhalab import needs, settings

LAB = settings.from_environment({})


@pytest.fixture
def as_root(monkeypatch):
    monkeypatch.setattr(needs.os, "geteuid", lambda: 0)


def test_without_root(monkeypatch):
    monkeypatch.setattr(needs.os, "geteuid", lambda: 1000)
    with pytest.raises(settings.LabError, match="^the lab boots hosts, and only root can$") as said:
        needs.check(LAB)
    assert said.value.status == 69  # by which the tests know that there is none


def test_without_systemd_nspawn(as_root, monkeypatch):
    here = needs.shutil.which
    monkeypatch.setattr(
        needs.shutil, "which", lambda tool: None if tool == "systemd-nspawn" else here(tool) or tool
    )
    with pytest.raises(
        settings.LabError, match=r"^not installed: systemd-container \(test/lab/install"
    ):
        needs.check(LAB)


def test_on_another_release(as_root, monkeypatch):
    monkeypatch.setattr(needs.shutil, "which", lambda tool: tool)
    monkeypatch.setattr(needs, "_codename", lambda: "trixie")
    with pytest.raises(settings.LabError, match="^this is trixie, and LAB_SUITE is bookworm"):
        needs.check(LAB)


@pytest.mark.parametrize(
    "hosts", ["", "cms1 cms1", "master cms1", "CMS1", "a-name-that-is-too-long"]
)
def test_hosts_that_can_not_be(hosts):
    with pytest.raises(settings.LabError):
        settings.from_environment({"LAB_HOSTS": hosts})


def test_addresses():
    lab = settings.from_environment({"LAB_HOSTS": "mgmt2 other cms1 another"})
    assert lab.addresses() == {
        "master": "192.0.2.2",
        "mgmt2": "192.0.2.22",
        "other": "192.0.2.31",
        "cms1": "192.0.2.11",
        "another": "192.0.2.32",
    }
