"""An orchestration, and others who work on the same hosts: a highstate, a second orchestration, a failover.
The tests tell one story, in their order."""

import contextlib
import subprocess

import pytest
from conftest import HERE, Orchestration
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")

ORCHESTRATE = ("salt-run", "--out=json", "state.orch", "cmha.orchestrate")
AT_WORK = "site lab: orchestrate is at work there, started by root at "


@contextlib.contextmanager
def busy(lab, host):
    """A state that runs on a host, as a highstate of a schedule does, until the body ends."""
    until = "while [ ! -e /run/enough ]; do sleep 0.2; done; rm /run/enough"
    lab.on("master", "salt", "--async", host, "state.single", "cmd.run", until)
    wait_for(lab, host, "salt-call --local saltutil.is_running 'state.*' | grep -q state.single")
    try:
        yield
    finally:
        lab.on(host, "touch", "/run/enough")


@contextlib.contextmanager
def orchestrating(lab):
    """An orchestration that goes on beside the body."""
    with subprocess.Popen(
        [str(HERE / "on"), "master", *ORCHESTRATE],
        env=lab.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def wait_until_it_waits(process):
    """Until it says that it waits for other states; what it says."""
    for line in process.stderr:
        if "waiting for other states to end" in line:
            return line
    return pytest.fail(f"it ended: {process.communicate()}")


def ended(process):
    out, said = process.communicate()
    return Orchestration(subprocess.CompletedProcess([], process.returncode, out, said))


@pytest.fixture(scope="module")
def story(lab):
    """An orchestration that meets a highstate on cms1; what others were told in the meantime."""
    told = {}
    with orchestrating(lab) as first:
        with busy(lab, "cms1"):
            told["first"] = wait_until_it_waits(first)
            told["second"] = lab.orchestrate()
            told["failover"] = lab.runner("cmha.failover", "cms")
            told["clean"] = lab.runner("cmha.clean", "cms", "keep=cms1")
        told["end"] = ended(first)
    return told


def test_an_orchestration_waits_for_a_highstate_and_says_so(story):
    assert 'cms1: The function "state.single" is running as PID' in story["first"]
    end = story["end"]
    assert (end.code, end.failed, end.changed) == (0, [], {}), end.printed


def test_a_second_one_is_told_who_is_at_work(story):
    second = story["second"]
    (line,) = second.failed
    assert second.code != 0
    assert line.startswith(AT_WORK)
    assert list(second.steps) == [line]


def test_a_failover_is_told_too(story):
    code, data = story["failover"]
    assert (code, data["error"].startswith(AT_WORK)) == (1, True)


def test_who_only_looks_is_not_kept_from_it(story):
    code, data = story["clean"]
    assert (code, data["error"]) == (0, None)


def test_one_that_was_killed_leaves_no_lock(lab):
    with busy(lab, "cms1"), orchestrating(lab) as killed:
        wait_until_it_waits(killed)
        lab.on("master", "sh", "-c", "pkill -KILL -f '[s]tate.orch cmha.orchestrate'")
        killed.communicate()
    done = lab.orchestrate()
    assert (done.code, done.failed) == (0, [])
