"""Tools end in time, with all that they have started."""

import subprocess
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
    assert bounded._limits()[0] == float("inf")


def test_a_hurry_ends_with_an_error_too(bounded):
    with pytest.raises(ValueError, match="x"), bounded.hurry(1, 1):
        raise ValueError("x")
    assert bounded._limits()[0] == float("inf")
    assert not bounded.hurried()
