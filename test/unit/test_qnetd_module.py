"""corosync-qnetd's authority: its certificate, and what it signs."""

import base64
import fcntl
import os

import pytest
from salt.exceptions import CommandExecutionError

EXPORTED = (
    "Certificate:\n    Data:\n"
    "-----BEGIN CERTIFICATE-----\nQUJD\nREVG\n-----END CERTIFICATE-----\n\nTrust:\n"
)


@pytest.fixture
def ran():
    return []


def somebody_else_waits(directory):
    """Whether another process could not have the tool count now: it would get the same serial number."""
    other = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(other)
    return False


@pytest.fixture
def qnetd(load_file, tmp_path, ran):
    def run(command, **options):
        assert options["python_shell"] is False
        assert somebody_else_waits(tmp_path)
        with open(command[3], "rb") as file:
            ran.append((command[:3], file.read(), command[4:]))
        name = command[5]
        if name == "bad":
            return {"retcode": 1, "stdout": "", "stderr": "no\nsuch"}
        made = {"nothing": None, "empty": b""}.get(name, b"\x30certificate")
        if made is not None:
            (tmp_path / f"cluster-{name}.crt").write_bytes(made)
        return {"retcode": 0, "stdout": "", "stderr": ""}

    module = load_file("_modules/qnetd.py", salt={"cmd.run_all": run}, grains={"id": "q"})
    module._DIRECTORY = str(tmp_path)
    return module


def test_the_authority(qnetd, tmp_path):
    (tmp_path / "qnetd-cacert.crt").write_text(EXPORTED)
    assert qnetd.authority() == "QUJDREVG"


def test_no_authority(qnetd):
    with pytest.raises(CommandExecutionError, match="^q: no authority of corosync-qnetd here"):
        qnetd.authority()


def test_a_request_is_signed(qnetd, ran):
    answer = qnetd.sign(base64.b64encode(b"request").decode(), "cmf")
    assert base64.b64decode(answer) == b"\x30certificate"
    assert ran == [(["corosync-qnetd-certutil", "-s", "-c"], b"request", ["-n", "cmf"])]


def test_two_are_signed_one_after_the_other(qnetd, tmp_path):
    qnetd.sign("QUJD", "cmf")
    assert not somebody_else_waits(tmp_path)


def test_a_host_without_the_authority_s_directory_says_what_its_tool_says(qnetd, tmp_path):
    qnetd._DIRECTORY = str(tmp_path / "nowhere")
    qnetd.__salt__["cmd.run_all"] = lambda command, **_: {
        "retcode": 1, "stdout": "", "stderr": "no authority",
    }  # fmt: skip
    with pytest.raises(CommandExecutionError, match="doesn't sign: no authority"):
        qnetd.sign("QUJD", "cmf")


def test_a_request_that_is_not_signed(qnetd):
    with pytest.raises(
        CommandExecutionError, match="^q: corosync-qnetd-certutil doesn't sign: no such"
    ):
        qnetd.sign("QUJD", "bad")


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_a_tool_that_makes_nothing_and_says_nothing(qnetd, tmp_path, name):
    (tmp_path / f"cluster-{name}.crt").write_bytes(b"another node's")
    with pytest.raises(CommandExecutionError, match="^q: corosync-qnetd-certutil doesn't sign: "):
        qnetd.sign("QUJD", name)


@pytest.mark.parametrize("name", ["../x", "", "a b"])
def test_a_name_that_is_a_path_is_none(qnetd, ran, name):
    with pytest.raises(CommandExecutionError, match="is no cluster_name"):
        qnetd.sign("QUJD", name)
    assert ran == []
