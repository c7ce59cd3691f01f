"""A third host decides which half of a cut pair goes on. The tests tell one story, in their order."""

import pytest
import turns
from conftest import CMS
from guide import wait_for

pytestmark = [pytest.mark.lab(begins="converged"), turns.only("quorum device")]

SERVER = "cloudera-scm-server"
HOSTED = f"crm_mon --as-xml | grep -A9 'resource id=\"{SERVER}\"' | grep -q 'name=\"%s\"'"

DEVICE = """cluster_name: cmf
      qnetd: master
      corosync: {quorum: {device: {model: net, votes: 1, net: {host: 192.0.2.2, algorithm: ffsplit}}}}"""


@pytest.fixture(scope="module")
def third(lab):
    """The master's host, with a minion."""
    lab.on("master", "systemctl", "start", "salt-minion")
    wait_for(lab, "master", "salt --timeout 2 master test.ping | grep -q True")
    yield "master"
    lab.on("master", "systemctl", "stop", "salt-minion", "corosync-qnetd")


@pytest.fixture(scope="module")
def with_device(lab, third):
    """The pair cms gets a device while its service runs: what was done, and what a client saw."""
    before = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(before.replace("cluster_name: cmf", DEVICE, 1))
    with lab.client() as seen:
        done = orchestrate(lab)
    yield done, seen
    lab.write_pillar(before)


def orchestrate(lab, *arguments):
    return lab.orchestrate("pillar={cmha_only: {pair: cms}}", *arguments)


def status(lab):
    code, data = lab.runner("cmha.status", "pair=cms")
    return code, data["sites"]["lab"]["cms"]


def wait_for_votes(lab):
    for host in CMS:
        wait_for(lab, host, "corosync-quorumtool -s | grep -q 'A,V,NMW.*local'")


def test_a_running_pair_gets_a_device(with_device):
    done, seen = with_device
    assert (done.code, done.failed) == (0, [])
    assert seen["asked"] > 20
    assert seen["missed"] == []
    assert list(done.steps)[:4] == [
        "lab cms: prepare cms1 and cms2",
        "lab cms: prepare the quorum device master",
        "lab cms: reach master from cms1 and cms2",
        "lab cms: certify cms1 and cms2 at master",
    ]


def test_both_nodes_have_its_vote_over_an_encrypted_line(lab, with_device):
    code, report = status(lab)
    votes = {"state": "Connected", "tls": True, "votes": True}
    assert (code, report["device"]) == (0, dict.fromkeys(CMS, votes))
    quorum = lab.on("cms1", "corosync-quorumtool", "-s")
    assert "Expected votes:   3" in quorum
    assert "2Node" not in quorum


def test_no_key_has_left_its_node(lab, with_device):
    keys = {
        lab.on(host, "sh", "-c", "certutil -K -d /etc/corosync/qdevice/net/nssdb") for host in CMS
    }
    assert len(keys) == 2


def test_it_starts_with_the_cluster_and_not_at_boot(lab, with_device):
    for host in CMS:
        assert (
            lab.on(host, "systemctl", "is-enabled", "corosync-qdevice", check=False) == "disabled"
        )
    assert lab.on("master", "systemctl", "is-enabled", "corosync-qnetd") == "enabled"


def test_a_second_run_changes_nothing(lab, with_device):
    done = orchestrate(lab)
    assert (done.code, done.failed, done.restarted) == (0, [], {})
    assert not any(changes for step in done.changed.values() for changes in step.values())


def test_a_device_that_was_made_anew_certifies_anew_and_votes_again(lab, with_device):
    lab.on("master", "systemctl", "stop", "corosync-qnetd")
    lab.on("master", "rm", "-r", "/etc/corosync/qnetd/nssdb")
    (planned,) = orchestrate(lab, "test=True").restarted.values()
    assert list(planned) == list(CMS)
    with lab.client() as seen:
        done = orchestrate(lab)
    assert (done.code, done.failed) == (0, [])
    (certified,) = done.restarted.values()
    assert list(certified) == list(CMS)
    assert seen["missed"] == []
    code, report = status(lab)
    votes = {"state": "Connected", "tls": True, "votes": True}
    assert (code, report["device"]) == (0, dict.fromkeys(CMS, votes))


def test_a_device_that_is_not_reached_stops_nothing(lab, with_device):
    closed = ("-p", "tcp", "--dport", "5403", "-j", "REJECT")
    lab.on("master", "iptables", "-I", "INPUT", *closed)
    done = orchestrate(lab)
    lab.on("master", "iptables", "-D", "INPUT", *closed)
    assert done.failed[0] == "lab cms: reach master from cms1 and cms2"
    (state,) = done.steps[done.failed[0]]["changes"]["ret"]["cms1"].values()
    assert state["comment"].startswith("cms1 doesn't reach the quorum device 192.0.2.2 on TCP port")
    assert done.code != 0
    wait_for_votes(lab)


def test_a_device_whose_minion_is_silent_keeps_nothing_from_being_done(lab, with_device):
    lab.on("master", "systemctl", "stop", "salt-minion")
    done = orchestrate(lab)
    lab.on("master", "systemctl", "start", "salt-minion")
    assert (done.code, done.failed) == (0, [])
    assert any("master, the minion of its quorum device" in line for line in done.warnings)
    assert not any("master" in step for step in done.steps)
    wait_for(lab, "master", "salt --timeout 2 master test.ping | grep -q True")


def test_without_its_vote_the_service_runs_on_and_status_tells(lab, with_device):
    lab.on("master", "systemctl", "stop", "corosync-qnetd")
    wait_for(lab, "cms1", "! corosync-quorumtool -s | grep -q 'A,V'")
    code, report = status(lab)
    lab.on("master", "systemctl", "start", "corosync-qnetd")
    assert (code, report["health"], report["quorum"]) == (1, "poor", True)
    assert all("the quorum device doesn't vote" in line for line in report["problems"])
    wait_for_votes(lab)


def test_a_host_that_is_cut_off_stops_the_service_and_the_other_starts_it(lab, with_device):
    """With the guide's own settings both would run it."""
    _, report = status(lab)
    (here,) = report["service"]["nodes"]
    (there,) = (host for host in CMS if host != here)
    lab.run("cut", here)
    wait_for(lab, there, HOSTED % there)
    wait_for(lab, here, f"! service {SERVER} status")
    assert lab.code(there, "service", SERVER, "status") == 0
    lab.run("heal", here)
    wait_for(lab, there, f"crm_node --list | grep -q '{here} member'")
    wait_for(lab, "master", f"salt --timeout 2 {here} test.ping | grep -q True")
    wait_for_votes(lab)
    assert lab.code(here, "service", SERVER, "status") == 3
    assert lab.code(there, "service", SERVER, "status") == 0
    code, report = status(lab)
    assert (code, report["problems"]) == (0, [])


def test_a_pair_goes_back_to_the_guides_quorum(lab, with_device):
    before = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(before.replace(DEVICE, "cluster_name: cmf"))
    done = orchestrate(lab)
    assert (done.code, done.failed) == (0, [])
    for host in CMS:
        assert "2Node" in lab.on(host, "corosync-quorumtool", "-s")
        assert lab.code(host, "systemctl", "is-active", "--quiet", "corosync-qdevice") != 0
    code, report = status(lab)
    assert (code, report["problems"]) == (0, [])
