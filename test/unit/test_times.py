"""The order in which files of tests are begun, and what is said and noted of their time."""

import json
from types import SimpleNamespace

import pytest
import times


@pytest.fixture
def noted(tmp_path, monkeypatch):
    monkeypatch.setattr(times, "NOTED", tmp_path / "times.json")
    monkeypatch.chdir(tmp_path)
    for name in ("slow.py", "quick.py", "new.py"):
        (tmp_path / name).touch()
    times.write({"slow.py": 100.4, "quick.py": 0.2, "gone.py": 7})
    return tmp_path / "times.json"


def items(*names):
    return [SimpleNamespace(nodeid=name) for name in names]


class Terminal:
    def __init__(self):
        self.lines = []

    def section(self, title):
        self.lines.append(title)

    write_line = section


@pytest.fixture
def run():
    """What a run of these tests took, and what it then says."""
    run = times.Times(SimpleNamespace())
    for test, seconds in (
        ("quick.py::a", 0.5),
        ("slow.py::b", 2),
        ("quick.py::a", 1),
        ("slow.py::c", 1),
    ):
        run.pytest_runtest_logreport(
            SimpleNamespace(nodeid=test, duration=seconds, user_properties=[])
        )
    return run


def test_the_longest_file_is_begun_first_and_a_new_one_before_it(noted):
    run = items("quick.py::a", "slow.py::b", "slow.py::a", "new.py::a")
    times.pytest_collection_modifyitems(run)
    assert [each.nodeid for each in run] == ["new.py::a", "slow.py::b", "slow.py::a", "quick.py::a"]


def test_what_is_noted(noted):
    assert json.loads(noted.read_text()) == {"quick.py": 1, "slow.py": 100}


def test_the_slowest_tests_and_each_file_are_said(run, monkeypatch):
    monkeypatch.setattr(times, "SLOWEST", 2)
    said = Terminal()
    run.pytest_terminal_summary(said)
    assert said.lines == [
        "the 2 slowest tests, in seconds",
        "    2.0  slow.py::b",
        "    1.5  quick.py::a",
        "by file",
        "    3.0  slow.py",
        "    1.5  quick.py",
    ]


@pytest.mark.parametrize(("asked", "kept"), [("write", {"quick.py": 2, "slow.py": 3}), ("", None)])
def test_it_is_noted_when_one_asks_for_it(noted, run, monkeypatch, asked, kept):
    before = json.loads(noted.read_text())
    monkeypatch.setenv("CMHA_TIMES", asked)
    run.pytest_terminal_summary(Terminal())
    assert json.loads(noted.read_text()) == (kept or before)


def test_a_worker_of_a_run_says_nothing(run):
    run.is_worker = True
    said = Terminal()
    run.pytest_terminal_summary(said)
    assert said.lines == []


def test_what_is_noted_is_of_files_that_there_are(formula):
    for file, seconds in json.loads((formula / "test/times.json").read_text()).items():
        assert (formula / file).exists(), f"{file} is gone: CMHA_TIMES=write make test"
        assert seconds >= 1


def test_the_commands_of_the_lab_are_said(run):
    for spent in ({"restore converged": [1, 30.5], "on": [2, 1.0]}, {"on": [3, 0.5]}):
        properties = [("another's", "x"), (times.OF_THE_LAB, spent)]
        report = SimpleNamespace(nodeid="slow.py::b", duration=0, user_properties=properties)
        run.pytest_runtest_logreport(report)
    said = Terminal()
    run.pytest_terminal_summary(said)
    assert said.lines[-2:] == ["   30.5     1  restore converged", "    1.5     5  on"]
    assert "by command of the lab" in said.lines[-3]
