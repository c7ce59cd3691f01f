"""The quorum device in a node's states: it may start, and it votes."""

import pytest


@pytest.fixture
def state(load_file, clock):
    def on(statuses=(), certified=True, test=False):
        left = list(statuses)
        module = load_file(
            "_states/qdevice.py",
            salt={
                "qdevice.certified": lambda name: certified and name == "cmf",
                "qdevice.reaches": lambda host, port: left.pop(0) if len(left) > 1 else left[0],
                "qdevice.status": lambda: left.pop(0) if len(left) > 1 else left[0],
            },
            opts={"test": test},
            grains={"id": "cms1"},
        )
        module.time = clock
        return module

    return on


VOTES = {"state": "Connected", "tls": True, "votes": True}
WAITS = {"state": "Connect failed", "tls": False, "votes": False}


def test_a_certificate(state):
    assert state().certified("cmf")["result"] is True


def test_no_certificate(state):
    ret = state(certified=False).certified("cmf")
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"].startswith(
        "cms1 has no certificate for the quorum device of cmf. With cmha:qnetd"
    )


def test_no_certificate_in_a_test_run(state):
    ret = state(certified=False, test=True).certified("cmf", made=True)
    assert (ret["result"], ret["changes"]) == (True, {})
    assert "has to be made first" in ret["comment"]
    # nobody would make it
    assert state(certified=False, test=True).certified("cmf")["result"] is False


def test_a_device_that_answers_in_the_end(state, clock):
    ret = state(["Connection refused", None]).reached("192.0.2.2", 5403)
    assert (ret["result"], ret["comment"]) == (True, "the quorum device 192.0.2.2 answers")
    assert clock.monotonic() == 1


def test_a_device_that_never_answers(state, clock):
    ret = state(["timed out"]).reached("192.0.2.2", 5403)
    assert ret["result"] is False
    assert ret["comment"].startswith(
        "cms1 doesn't reach the quorum device 192.0.2.2 on TCP port 5403 (timed out). Its cluster"
    )
    assert clock.monotonic() == 10


def test_a_device_that_votes_in_the_end(state, clock):
    ret = state([WAITS, WAITS, VOTES]).votes("192.0.2.2", timeout=10)
    assert (ret["result"], ret["comment"]) == (True, "the quorum device 192.0.2.2 votes")
    assert clock.monotonic() == 2


def test_a_device_that_never_votes(state, clock):
    ret = state([WAITS]).votes("192.0.2.2", timeout=10)
    assert ret["result"] is False
    assert ret["comment"].startswith(
        "after 10 s the quorum device 192.0.2.2 doesn't vote on cms1: Connect failed;"
    )
    assert clock.monotonic() == 10


def test_a_test_run_looks_and_waits_for_nothing(state, clock):
    """It calls nothing well that it hasn't seen: the orchestration would have nothing to do."""
    ret = state([WAITS], test=True).votes("192.0.2.2", timeout=10)
    assert (ret["result"], ret["comment"]) == (None, "it would have to vote (Connect failed)")
    assert state([VOTES], test=True).votes("192.0.2.2", timeout=10)["result"] is True
    ret = state(["timed out"], test=True).reached("192.0.2.2", 5403)
    assert (ret["result"], ret["comment"]) == (None, "it would have to answer (timed out)")
    assert state([None], test=True).reached("192.0.2.2", 5403)["result"] is True
    assert clock.monotonic() == 0
