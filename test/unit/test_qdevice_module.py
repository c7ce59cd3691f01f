"""The quorum device on its nodes: what Corosync's tools say, and how a node gets its certificate."""

import base64
from types import SimpleNamespace

import pytest
from salt.exceptions import CommandExecutionError

DEVICE = """\
Qdevice information
-------------------
Model:                  Net
Node ID:                1

Qdevice-net information
----------------------
Cluster name:           cmf
QNetd host:             192.0.2.2:5403
TLS:                    Supported
State:                  Connected
TLS active:             Yes (client certificate sent)
"""
QUORUM = """\
Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          1    A,V,NMW cms1 (local)
         2          1    A,NV,NMW cms2
         0          1            Qdevice
"""
OWN = 'Certificate:\n    Data:\n        Subject: "CN=cmf"\n'
AUTHORITY = "-----BEGIN CERTIFICATE-----\nQUJD\nREVG\n-----END CERTIFICATE-----\n"


@pytest.fixture
def node(load_file, tmp_path, monkeypatch):
    """The module on cms1; ``answers`` by command, a text, or the text of a failure in a list."""
    ran, answers, missing = [], {}, set()
    service = {"runs": False, "restarts": True}

    def run(command, **options):
        assert options["python_shell"] is False
        ran.append(command)
        if command[:2] == ["corosync-qdevice-net-certutil", "-r"]:
            (tmp_path / "nssdb").mkdir(exist_ok=True)
            if answers.get("request", b"request") is not None:
                request = tmp_path / "nssdb" / "qdevice-net-node.crq"
                request.write_bytes(answers.get("request", b"request"))
        if command[:2] == ["corosync-qdevice-net-certutil", "-i"]:
            with open(command[3], "rb") as file:
                ran.append(file.read())
        key = " ".join(command[:1] + command[4:]) if command[0] == "certutil" else command[0]
        answer = answers.get(key, "")
        failed = isinstance(answer, list)
        text = answer[0] if failed else answer
        return {"retcode": int(failed), "stdout": "" if failed else text, "stderr": text}

    def restart(daemon):
        ran.append(["restart", daemon])
        return service["restarts"]

    module = load_file(
        "_modules/qdevice.py",
        salt={
            "cmd.run_all": run,
            "service.status": lambda daemon: service["runs"],
            "service.restart": restart,
        },
        utils={"cmha_platform.service": lambda daemon, init: f"{daemon}.service"},
        grains={"id": "cms1"},
    )
    which = lambda program: None if program in missing else program  # noqa: E731
    monkeypatch.setattr("salt.utils.path.which", which)
    module._DIRECTORY = str(tmp_path / "nssdb")
    module._REQUEST = str(tmp_path / "nssdb" / "qdevice-net-node.crq")
    return SimpleNamespace(
        module=module,
        ran=ran,
        answers=answers,
        missing=missing,
        service=service,
        directory=tmp_path / "nssdb",
    )


def test_a_device_that_votes(node):
    node.answers.update({"corosync-qdevice-tool": DEVICE, "corosync-quorumtool": QUORUM})
    assert node.module.status() == {"state": "Connected", "tls": True, "votes": True}


@pytest.mark.parametrize("flags", ["A,NV,NMW", "NA,V,NMW", "NR"])
def test_a_device_that_does_not_vote_for_this_node(node, flags):
    node.answers.update(
        {"corosync-qdevice-tool": DEVICE, "corosync-quorumtool": QUORUM.replace("A,V,NMW", flags)}
    )
    assert node.module.status()["votes"] is False


def test_another_nodes_vote_is_not_this_nodes(node):
    quorum = QUORUM.replace(" (local)", "").replace("cms2", "cms2 (local)")
    node.answers.update({"corosync-qdevice-tool": DEVICE, "corosync-quorumtool": quorum})
    assert node.module.status()["votes"] is False


def test_a_device_that_is_not_encrypted_and_not_connected(node):
    device = DEVICE.replace("Connected", "Connect failed").replace("Yes (client", "No (client")
    node.answers.update({"corosync-qdevice-tool": device, "corosync-quorumtool": ""})
    assert node.module.status() == {"state": "Connect failed", "tls": False, "votes": False}


def test_a_daemon_that_does_not_run(node):
    node.answers["corosync-qdevice-tool"] = ["Can't connect to QDevice socket: No such file\nx"]
    assert node.module.status() == {
        "state": "Can't connect to QDevice socket: No such file",
        "tls": False,
        "votes": False,
    }


def test_a_device_that_is_not_installed_yet(node):
    node.missing.update({"corosync-qdevice-tool", "certutil"})
    state = "corosync-qdevice-tool isn't installed"
    assert node.module.status() == {"state": state, "tls": False, "votes": False}
    node.directory.mkdir()
    assert node.module.certified("cmf") is False
    assert node.ran == []


def certified(node, own=OWN, authority=AUTHORITY):
    node.directory.mkdir()
    node.answers.update({"certutil -n Cluster Cert": own, "certutil -n QNet CA -a": authority})


def test_a_node_without_certificates(node):
    assert node.module.certified("cmf") is False
    assert node.ran == []


@pytest.mark.parametrize(
    ("cluster", "authority", "is_certified"),
    [
        ("cmf", None, True),
        ("cmf", "QUJDREVG", True),
        ("cmf", "WFla", False),  # the device was made anew
        ("cm", None, False),
        ("cmg", "QUJDREVG", False),  # the cluster has another name now
    ],
)
def test_whose_certificate_it_is(node, cluster, authority, is_certified):
    certified(node)
    assert node.module.certified(cluster, authority) is is_certified


def test_a_database_without_a_certificate_of_its_own(node):
    certified(node, own=["certutil: Could not find cert: Cluster Cert"])
    assert node.module.certified("cmf") is False


def test_a_request(node):
    node.directory.mkdir()
    (node.directory / "key4.db").write_text("old")
    answer = node.module.request("cmf", "QUJD")
    assert base64.b64decode(answer) == b"request"
    assert (node.directory.parent / "nssdb.replaced" / "key4.db").read_text() == "old"
    init, content, ask = node.ran
    assert init[:3] == ["corosync-qdevice-net-certutil", "-i", "-c"]
    assert content == b"ABC"
    assert ask == ["corosync-qdevice-net-certutil", "-r", "-n", "cmf"]


def test_a_second_request_replaces_what_was_set_aside(node):
    for content in ("oldest", "old"):
        node.directory.mkdir(exist_ok=True)
        (node.directory / "key4.db").write_text(content)
        node.module.request("cmf", "QUJD")
    assert (node.directory.parent / "nssdb.replaced" / "key4.db").read_text() == "old"


def test_a_tool_that_fails_is_told(node):
    node.answers["corosync-qdevice-net-certutil"] = ["no\nentropy"]
    with pytest.raises(
        CommandExecutionError, match="^cms1: corosync-qdevice-net-certutil -i fails: no entropy$"
    ):
        node.module.request("cmf", "QUJD")
    with pytest.raises(CommandExecutionError, match="certutil -M fails: no entropy$"):
        node.module.accept("QUJD", "cmf")


@pytest.mark.parametrize("made", [None, b""])
def test_a_tool_that_makes_nothing_and_says_nothing(node, made):
    node.answers["request"] = made
    with pytest.raises(CommandExecutionError, match="^cms1: .*certutil -r made no request; see"):
        node.module.request("cmf", "QUJD")


def test_a_certificate_that_is_not_taken(node):
    certified(node, own=["certutil: Could not find cert: Cluster Cert"])
    with pytest.raises(
        CommandExecutionError, match="^cms1: .*certutil -M took no certificate of cmf;"
    ):
        node.module.accept("QUJD", "cmf")


def test_a_certificate_is_accepted(node):
    certified(node)
    assert node.module.accept("QUJD", "cmf") is True
    assert node.ran[0][:3] == ["corosync-qdevice-net-certutil", "-M", "-c"]
    assert ["restart", "corosync-qdevice.service"] not in node.ran


@pytest.mark.parametrize(("quorum", "restarted"), [(QUORUM, False), ("", True)])
def test_a_daemon_that_has_no_line_takes_the_new_certificate(node, quorum, restarted):
    certified(node)
    node.service["runs"] = True
    node.answers.update({"corosync-qdevice-tool": DEVICE, "corosync-quorumtool": quorum})
    assert node.module.accept("QUJD", "cmf") is True
    assert (["restart", "corosync-qdevice.service"] in node.ran) is restarted


def test_a_daemon_that_does_not_start_again(node):
    certified(node)
    node.service.update(runs=True, restarts=False)
    with pytest.raises(
        CommandExecutionError, match="corosync-qdevice.service doesn't start again on cms1"
    ):
        node.module.accept("QUJD", "cmf")


def test_a_device_that_is_reached_and_one_that_is_not(node):
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert node.module.reaches("127.0.0.1", port) is None
    assert node.module.reaches("127.0.0.1", port) == "Connection refused"
