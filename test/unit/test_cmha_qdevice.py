"""How nodes become known to their quorum device: who asks whom, and what travels."""

import cmha_qdevice
import pytest
from cmha_master import HostError
from masters import PAIR, FakeMaster

WITH_DEVICE = {**PAIR, "qnetd": "third"}


class Device:
    """A device and the nodes that have its certificate."""

    def __init__(self, *certified):
        self.certified = set(certified)
        self.asked_by = []
        self.modules = ["qnetd.authority"]
        self.answers = {
            "qnetd.authority": self.authority,
            "sys.list_functions": lambda host, module: list(self.modules),
            "qnetd.sign": lambda host, request, cluster: (
                f"{request} signed for {cluster} by {host}"
            ),
            "qdevice.certified": self.is_certified,
            "qdevice.request": lambda host, cluster, authority: f"{host} {cluster} {authority}",
            "qdevice.accept": self.accept,
        }

    def authority(self, _):
        return "AUTHORITY" if self.modules else HostError("third doesn't know qnetd.authority yet")

    def sync(self, hosts):
        assert hosts == ["third"]
        self.modules = ["qnetd.authority"]

    def is_certified(self, host, cluster, authority):
        self.asked_by.append((cluster, authority))
        return host in self.certified

    def accept(self, host, certificate, cluster):
        assert cluster == "cmf"
        assert certificate == f"{host} cmf AUTHORITY signed for cmf by third"
        self.certified.add(host)
        return True


@pytest.fixture
def on(monkeypatch):
    """``certify`` at the master of a device, and what it did there."""

    def at_master(device):
        master = FakeMaster(device.answers)
        master.sync = device.sync
        monkeypatch.setattr(cmha_qdevice, "Master", master)
        return (lambda test=False: cmha_qdevice.certify({}, "east", WITH_DEVICE, test)), master

    return at_master


CHANGE = {"certificate": {"old": None, "new": "CN=cmf"}}


def test_each_node_gets_a_certificate_of_its_own_key(on):
    device = Device()
    certify, master = on(device)
    ret = certify()
    assert (ret["result"], ret["changes"]) == (True, {"h1": CHANGE, "h2": CHANGE})
    assert ret["comment"] == "h1 and h2 got a certificate"
    assert device.certified == {"h1", "h2"}
    assert [step for *_, step in master.steps] == ["certify h1 at third", "certify h2 at third"]


def test_who_is_certified_is_left_alone(on):
    device = Device("h1", "h2")
    certify, master = on(device)
    assert certify() == {
        "result": True,
        "changes": {},
        "comment": "all nodes have their certificate",
    }
    assert not any("request" in deed or "accept" in deed for deed in master.deeds)
    assert device.asked_by == [("cmf", "AUTHORITY")] * 2


def test_only_who_lacks_one_gets_one(on):
    certify, _ = on(Device("h1"))
    assert certify()["changes"] == {"h2": CHANGE}


def test_a_test_run_changes_nothing(on):
    device = Device("h1")
    certify, master = on(device)
    assert certify(test=True) == {
        "result": None,
        "changes": {"h2": CHANGE},
        "comment": "h2 would get a certificate",
    }
    asked = ["sys.list_functions", "qnetd.authority", "qdevice.certified"]
    assert [name for name, *_ in master.asked] == asked
    assert device.asked_by == [("cmf", "AUTHORITY")] * 2


def test_a_test_run_with_a_device_that_knows_nothing_of_cmha(on):
    device = Device()
    device.modules = []
    certify, _ = on(device)
    assert certify(test=True)["changes"] == {"h1": CHANGE, "h2": CHANGE}
    assert device.asked_by == [("cmf", None)] * 2
    assert device.modules == []


def test_a_test_run_with_a_device_that_has_no_authority_any_more(on):
    def none(_):
        raise HostError("third: no authority of corosync-qnetd here")

    device = Device()
    device.answers["qnetd.authority"] = none
    certify, _ = on(device)
    assert certify(test=True)["changes"] == {"h1": CHANGE, "h2": CHANGE}
    assert device.asked_by == [("cmf", "")] * 2


def test_a_device_that_does_not_know_cmha_yet_gets_its_modules(on):
    device = Device("h1", "h2")
    device.modules = []
    certify, _ = on(device)
    assert certify()["result"] is True


def test_a_device_that_does_not_sign(on):
    def refuses(*_):
        raise HostError("third: corosync-qnetd-certutil doesn't sign: no")

    device = Device()
    device.answers["qnetd.sign"] = refuses
    certify, _ = on(device)
    assert certify() == {
        "result": False,
        "changes": {},
        "comment": "third: corosync-qnetd-certutil doesn't sign: no",
    }
