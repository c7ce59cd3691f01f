"""The alert agent, run by a real sh, with the environment that Pacemaker gives it."""

import os
import subprocess

import pytest

NODE = {
    "kind": "node",
    "node": "cms2",
    "nodeid": "2",
    "desc": "lost",
    "node_sequence": "3",
    "timestamp": "11:54:23.000089",
    "timestamp_epoch": "1795521263",
    "timestamp_usec": "000089",
    "version": "2.1.5",
}


@pytest.fixture
def spool(tmp_path):
    directory = tmp_path / "alerts"
    directory.mkdir()
    return directory


@pytest.fixture
def agent(formula, spool):
    """Runs the agent for an alert."""

    def run(alert, recipient=str(spool)):
        alert = {**alert, "recipient": recipient}
        environment = {f"CRM_alert_{name}": value for name, value in alert.items()}
        done = subprocess.run(
            [str(formula / "cmha/files/alert.sh")],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "")
        return done.stderr

    return run


def only_file(spool):
    (file,) = spool.iterdir()
    return file


def test_an_alert_is_one_file_of_lines(agent, spool):
    assert agent(NODE) == ""
    assert only_file(spool).read_text().splitlines() == [
        "kind node",
        "node cms2",
        "nodeid 2",
        "desc lost",
        "timestamp_epoch 1795521263",
        "timestamp_usec 000089",
    ]


def test_only_the_minion_may_read_it_beside_the_cluster(agent, spool):
    agent(NODE)
    assert only_file(spool).stat().st_mode & 0o777 == 0o640


def test_a_line_more_in_a_value_is_no_line_more_in_the_file(agent, spool):
    agent({**NODE, "desc": "lost\nkind resource\n"})
    lines = only_file(spool).read_text().splitlines()
    assert "desc lost kind resource " in lines
    assert len(lines) == 6


@pytest.mark.parametrize("desc", ["$(touch oops) `touch oops`", "a\\nb %s & \\1", "Größe"])
def test_a_value_is_only_text(agent, spool, desc):
    agent({**NODE, "desc": desc})
    assert f"desc {desc}" in only_file(spool).read_text().splitlines()


def test_names_sort_by_time_and_then_by_number(agent, spool):
    moments = [
        ("999", "5", "1"),
        ("1000", "089000", "2"),
        ("1000", "100000", "9"),
        ("1000", "100000", "10"),
    ]
    for seconds, microseconds, number in reversed(moments):
        alert = {
            "timestamp_epoch": seconds,
            "timestamp_usec": microseconds,
            "node_sequence": number,
        }
        agent({**NODE, **alert, "desc": " ".join((seconds, microseconds, number))})
    texts = [file.read_text() for file in sorted(spool.iterdir())]
    assert [f"desc {' '.join(moment)}\n" in text for moment, text in zip(moments, texts)] == [
        True
    ] * 4


def test_the_same_alert_twice_is_two_files(agent, spool):
    agent(NODE)
    agent(NODE)
    assert len(list(spool.iterdir())) == 2


def test_an_alert_without_a_time_has_the_time_of_its_writing(agent, spool):
    agent({"kind": "node"})
    file = only_file(spool)
    (line,) = [
        each for each in file.read_text().splitlines() if each.startswith("timestamp_epoch ")
    ]
    assert abs(int(line.split()[1]) - file.stat().st_mtime) < 5
    assert file.name.startswith(line.split()[1])


def test_when_too_many_wait_the_new_one_is_dropped(agent, spool):
    for number in range(1000):
        (spool / str(number)).touch()
    assert agent(NODE) == ""
    assert "1000 alerts wait" in agent(NODE)
    assert len(list(spool.iterdir())) == 1001


@pytest.mark.parametrize(
    ("recipient", "message"),
    [
        ("", "cmha: alert dropped: it has no recipient"),
        ("/nonexistent/alerts", "cmha: alert dropped: /nonexistent/alerts is no directory"),
    ],
)
def test_without_a_spool_it_says_so(agent, recipient, message):
    assert agent(NODE, recipient).startswith(message)


def test_nothing_is_left_of_what_could_not_be_written(formula, agent, spool, tmp_path, monkeypatch):
    (tmp_path / "mv").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "mv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert "couldn't be written" in agent(NODE)
    assert list(spool.iterdir()) == []
