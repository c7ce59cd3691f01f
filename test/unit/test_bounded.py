"""Tools end in time, with all that they have started."""

import os
import subprocess
import threading
import time

import pytest
from salt.exceptions import CommandExecutionError


def run_all(command, stdin=None, env=None, rstrip=True, **_):
    done = subprocess.run(
        command, input=stdin, env=env, capture_output=True, text=True, check=False
    )
    return {"retcode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


@pytest.fixture
def bounded(load_file):
    return load_file("_modules/bounded.py", salt={"cmd.run_all": run_all}, grains={"id": "cms1"})


def test_a_tool_that_is_quick(bounded):
    assert bounded.run(["cat"], stdin="x") == {"retcode": 0, "stdout": "x", "stderr": ""}
    assert bounded.run(["sh", "-c", "echo no >&2; exit 3"])["retcode"] == 3


@pytest.mark.parametrize(
    "script", ["sleep 60", "trap '' TERM; sleep 60; sleep 60", "sleep 60 & wait", "kill -STOP $$"]
)
def test_a_tool_that_hangs_and_what_it_started(bounded, script):
    began = time.monotonic()
    answer = bounded.run(["sh", "-c", f"echo half; {script}"], seconds=0.3)
    assert time.monotonic() - began < 10
    assert (answer["retcode"], answer["stdout"]) == (124, "")
    assert answer["stderr"] == "sh doesn't answer within 0.3 s"


@pytest.mark.parametrize("code", [124, 137])
def test_its_own_exit_code_is_no_end(bounded, code):
    answer = bounded.run(["sh", "-c", f"echo said; exit {code}"])
    assert (answer["retcode"], answer["stdout"]) == (code, "said\n")


def test_a_limit_that_can_not_be_set(bounded, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    with pytest.raises(
        CommandExecutionError, match="^cms1: true can't be started with a limit: timeout: "
    ):
        bounded.run(["true"], seconds=-1)
    assert bounded.run(["sh", "-c", "echo x >&2; exit 125"])["retcode"] == 125


def test_in_a_hurry_everything_is_limited(bounded):
    began = time.monotonic()
    assert not bounded.hurried()
    with bounded.hurry(0.2, 0.3):
        assert bounded.hurried()
        late = [bounded.run(["sleep", "60"], seconds=50) for _ in range(3)]
        quick = bounded.run(["echo", "x"])
    assert [each["retcode"] for each in late] == [124] * 3
    assert quick["stdout"] == "x\n"
    assert time.monotonic() - began < 10
    assert bounded._limit() == float("inf")


def test_a_hurry_ends_with_an_error_too(bounded):
    with pytest.raises(ValueError, match="x"), bounded.hurry(1, 1):
        raise ValueError("x")
    assert bounded._limit() == float("inf")
    assert not bounded.hurried()


@pytest.fixture
def paced(load_file, monkeypatch):
    """The module; ``paced.takes`` is how many seconds the next tool takes, where it has them."""
    now = [0.0]
    module = load_file("_modules/bounded.py", grains={"id": "cms1"})

    def ran(command, **_):
        limit = float(command[2])
        now[0] += min(module.takes, limit)
        return {"retcode": 124 if module.takes >= limit else 0, "stdout": "", "stderr": ""}

    module.__salt__ = {"cmd.run_all": ran}
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(module.os, "getloadavg", lambda: (module.load, 0, 0))
    module.load, module.takes = 0.5, 0
    return module


def lasted(paced, takes):
    """For how long at most each of these tools may run: those that don't answer say so."""
    limits = []
    for paced.takes in takes:
        answer = paced.run(["x"])
        limits.append(answer["stderr"].rpartition("within ")[2] if answer.get("late") else "")
    return limits


def test_only_what_does_not_answer_costs_time(paced):
    with paced.hurry(4, 10):
        assert lasted(paced, [0.9] * 50) == [""] * 50
        assert lasted(paced, [99] * 5) == ["4 s", "4 s", "2 s", "0.5 s", "0.5 s"]
        assert lasted(paced, [0.4]) == [""]


def test_what_answers_slowly_costs_time_too(paced):
    with paced.hurry(4, 10):
        assert lasted(paced, [3.5] * 3) == [""] * 3
        assert lasted(paced, [3.5]) == ["2.5 s"]


@pytest.mark.parametrize(("load", "limits"), [(2, "4 s"), (5, "10 s"), (90, "12 s")])
def test_on_a_busy_host_everything_takes_longer(paced, load, limits):
    paced.load = load
    with paced.hurry(4, 10):
        assert lasted(paced, [99]) == [limits]
        assert lasted(paced, [1] * 50) == [""] * 50


def test_patience_takes_nothing_of_the_time_of_others(paced):
    with paced.hurry(4, 10):
        with paced.patience():
            assert not paced.hurried()
            assert lasted(paced, [30]) == [""]
        assert lasted(paced, [99] * 3) == ["4 s", "4 s", "2 s"]
    with paced.patience():
        pass
    assert not paced.hurried()


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Tools that count how often each is asked, by what they were told."""
    log = tmp_path / "asked"
    log.touch()
    for name in ("crm_mon", "cibadmin", "crm_resource", "corosync-cmapctl"):
        tool = tmp_path / name
        tool.write_text(f'#!/bin/sh\necho "${{0##*/}} $* ${{CIB_file-}}" >>{log}\nwc -l <{log}\n')
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return lambda: [" ".join(line.split()) for line in log.read_text().splitlines()]


MON = ["crm_mon", "-1", "--inactive", "--output-as=xml"]
SEEN, QUERIED = " ".join(MON), "cibadmin --query"


def test_in_a_hurry_what_only_tells_is_asked_once(bounded, asked):
    for _ in range(2):
        with bounded.hurry(5, 20):
            first, again = bounded.run(MON), bounded.run(MON)
            assert first == again
            again["stdout"] = "changed by whoever asked"
            assert bounded.run(MON) == first
            bounded.run(["cibadmin", "--query"])
            bounded.run(MON)
    bounded.run(MON)
    bounded.run(MON)
    assert asked() == [SEEN, QUERIED] * 2 + [SEEN] * 2


def test_what_is_asked_otherwise_is_asked_again(bounded, asked):
    with bounded.hurry(5, 20):
        for file in ("a", "b", "a"):
            bounded.run(MON, env={**os.environ, "CIB_file": file})
        for text in "xx":
            bounded.run(["cibadmin", "--query"], stdin=text)
    assert asked() == [f"{SEEN} a", f"{SEEN} b", QUERIED, QUERIED]


def test_after_somebody_took_his_time_all_is_asked_anew(bounded, asked):
    with bounded.hurry(5, 20):
        bounded.run(MON)
        with bounded.patience():
            bounded.run(MON)
            bounded.run(MON)
        bounded.run(MON)
        bounded.run(MON)
    assert asked() == [SEEN] * 4


def test_another_thread_asks_for_itself(bounded, asked):
    with bounded.hurry(5, 20):
        bounded.run(MON)
        other = threading.Thread(target=bounded.run, args=(MON,))
        other.start()
        other.join()
    assert asked() == [SEEN] * 2


def test_what_does_something_is_done_each_time(bounded, asked):
    commands = (
        ["crm_resource", "--cleanup"],
        ["cibadmin", "--patch"],
        ["corosync-cmapctl", "-s", "a", "u8", "1"],
    )
    with bounded.hurry(5, 20):
        for command in commands * 2:
            bounded.run(command)
    assert asked() == [" ".join(each) for each in commands * 2]
