"""Versions of packages, which are there, and which a repository has; whom packages ask before they start."""

import os
import subprocess
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from salt.exceptions import CommandExecutionError


@pytest.fixture
def daemons(load_file):
    def on(installed=None, repositories=None):
        installed, repositories, calls = installed or {}, repositories or {}, []
        module = load_file(
            "_modules/daemons.py",
            salt={
                "pkg.version": lambda name: installed.get(name, ""),
                "pkg.refresh_db": lambda: calls.append("refresh"),
                "bounded.hurried": lambda: False,
                "pkg.list_repo_pkgs": lambda *names: calls.append("list") or repositories,
            },
        )
        module.calls = calls
        return module

    return on


@pytest.mark.parametrize(
    ("installed", "other"),
    [
        ({"corosync": "3.1.7"}, {"corosync": {"old": "3.1.7", "new": "3.1.8"}}),
        ({"corosync": "3.1.8"}, {}),
        # it comes in the right version by itself
        ({}, {}),
        ({"pacemaker": "1"}, {}),
    ],
)
def test_other_versions(daemons, installed, other):
    assert daemons(installed).other_versions({"corosync": "3.1.8"}) == other
    assert daemons(installed).other_versions({}) == {}


@pytest.mark.parametrize(
    ("package", "wanted", "version"),
    [
        ("3.1.7-1+deb12u2", None, "3.1.7"),
        ("1:2.4.5-4.el7", None, "2.4.5"),
        ("3.1.7-1", "2.4.3-0ubuntu1", "2.4.3"),
        ("", None, None),  # the package manager knows none
        ("3", None, "3"),
    ],
)
def test_the_version_that_would_be_installed(daemons, package, wanted, version):
    module = daemons()
    module.__salt__["pkg.latest_version"] = lambda name, refresh: package
    assert module.to_come("corosync", wanted) == version


def test_nobody_who_is_in_a_hurry_waits_for_a_package_manager(daemons):
    """As status, which answers in time whatever hangs: a mirror that is away may take minutes."""
    module = daemons()
    module.__salt__["pkg.latest_version"] = asked = Mock(return_value="3.1.7-1")
    module.__salt__["bounded.hurried"] = lambda: True
    assert module.to_come("corosync") is None
    assert module.to_come("corosync", "2.4.5-1") == "2.4.5"
    assert not asked.called


def test_a_package_manager_that_cannot_be_asked(daemons):
    module = daemons()
    assert module.to_come("corosync") is None  # there is none
    module.__salt__["pkg.latest_version"] = Mock(side_effect=CommandExecutionError("no lists"))
    assert module.to_come("corosync") is None
    assert module.to_come("corosync", "2.4.5-1") == "2.4.5"


@pytest.mark.parametrize(
    ("repositories", "missing"),
    [
        ({"corosync": ["3.1.8", "3.1.7"]}, []),
        ({"corosync": ["3.1.7"]}, ["corosync"]),
        ({"corosync": []}, ["corosync"]),
        ({}, ["corosync"]),
    ],
)
def test_not_in_repositories(daemons, repositories, missing):
    module = daemons(repositories=repositories)
    assert module.not_in_repositories({"corosync": "3.1.8"}) == missing
    assert module.calls == ["refresh", "list"]


def test_nothing_is_wanted_and_no_index_is_read(daemons):
    module = daemons()
    assert (module.not_in_repositories({}), module.calls) == ([], [])


# --- policy-rc.d ---------------------------------------------------------------------------------

FORBIDDEN, ALLOWED = 101, 0


@pytest.fixture
def policy(daemons, tmp_path, monkeypatch):
    """The module, on a host whose policy-rc.d is where a test may write."""
    module = daemons()
    module.file = tmp_path / "policy-rc.d"
    monkeypatch.setattr(module, "_POLICY", str(module.file))
    monkeypatch.setattr(module, "_THEIRS", f"{module.file}.not-cmha")
    module.there = lambda: sorted(path.name for path in tmp_path.iterdir())
    return module


def asked(policy, *words):
    """As invoke-rc.d does it."""
    return subprocess.run([policy.file, *words], check=False).returncode


def somebody_elses(policy, code):
    policy.file.write_text(f"#!/bin/sh\nexit {code}\n")
    policy.file.chmod(0o755)


def test_held_back_daemons_may_not_start_and_others_may(policy):
    policy.hold_back(["corosync", "pacemaker"])
    assert asked(policy, "corosync", "start", "2") == FORBIDDEN
    assert asked(policy, "--quiet", "pacemaker", "restart", "2") == FORBIDDEN
    assert asked(policy, "cron", "start", "2") == ALLOWED
    policy.release()
    assert policy.there() == []


def test_somebody_elses_policy_holds_meanwhile_and_comes_back(policy):
    somebody_elses(policy, 106)
    for _ in range(2):  # the second finds what a killed one has left
        policy.hold_back(["corosync"])
    assert asked(policy, "corosync", "start") == FORBIDDEN
    assert asked(policy, "cron", "start") == 106
    policy.release()
    assert policy.there() == ["policy-rc.d"]
    assert asked(policy, "corosync", "start") == 106


def test_what_a_killed_installation_leaves_forbids_nothing(policy, monkeypatch):
    gone = subprocess.Popen(["true"])
    gone.wait()
    monkeypatch.setattr(os, "getpid", lambda: gone.pid)
    policy.hold_back(["corosync"])
    assert asked(policy, "corosync", "start") == ALLOWED


def test_a_release_without_more_touches_nothing(policy):
    policy.release()
    assert policy.there() == []
    somebody_elses(policy, 0)
    policy.release()
    assert policy.there() == ["policy-rc.d"]


# --- daemons that hang ---------------------------------------------------------------------------


def test_daemons_that_are_stopped(load_file, tmp_path, monkeypatch):
    module = load_file("_modules/daemons.py")
    monkeypatch.setattr(module, "_PROC", str(tmp_path))
    processes = {
        "1": "1 (systemd) T 0",
        "7": "7 (pacemaker-based) T 1",
        "8": "8 (pacemaker-execd) S 1",
        "9": "9 (corosync) t 1",
        "10": "10 (a) b (crmd) T 1",
        "11": "11 (cib) T 1",
        "12": "12 (pacemakerd) R 1",
        "self": "7 (pacemaker-based) T 1",
    }
    for number, line in processes.items():
        (tmp_path / number).mkdir()
        (tmp_path / number / "stat").write_text(line)
    (tmp_path / "14").mkdir()
    (tmp_path / "14/stat").write_bytes(b"14 (caf\xe9) T 1")
    (tmp_path / "13").mkdir()  # ended meanwhile
    assert module.hanging() == ["cib", "corosync", "pacemaker-based"]


# --- daemons that are missing --------------------------------------------------------------------

NEW = (
    "pacemaker-based pacemaker-fenced pacemaker-execd pacemaker-attrd pacemaker-schedulerd "
    "pacemaker-controld"
)
OLD = "cib stonithd lrmd attrd pengine crmd"


@pytest.fixture
def running(load_file, tmp_path, monkeypatch, clock):
    """The module on a host with processes of these names, as the kernel cuts them; ``later`` start in 2 s."""

    def runs(*names, later=()):
        module = load_file("_modules/daemons.py")

        def start(name):
            number = str(len(list(tmp_path.iterdir())) + 1)
            (tmp_path / number).mkdir()
            (tmp_path / number / "stat").write_text(f"{number} ({name[:15]}) S 1")

        def sleep(seconds):
            clock.sleep(seconds)
            if clock.monotonic() >= 2:
                for name in later:
                    start(name)

        for name in names:
            start(name)
        monkeypatch.setattr(module, "_PROC", str(tmp_path))
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic, sleep=sleep))
        return module

    return runs


@pytest.mark.parametrize("names", [NEW, OLD])
def test_all_of_pacemakers_daemons_are_there(running, clock, names):
    assert running("corosync", "pacemakerd", *names.split()).missing() == []
    assert clock.monotonic() == 0


@pytest.mark.parametrize("gone", [*NEW.split(), *OLD.split()])
def test_one_is_missing(running, gone):
    names = NEW if gone in NEW.split() else OLD
    module = running("corosync", "pacemakerd", *(each for each in names.split() if each != gone))
    assert module.missing() == [gone]


def test_one_that_is_started_again_is_waited_for(running, clock):
    names = [each for each in NEW.split() if each != "pacemaker-attrd"]
    module = running("corosync", "pacemakerd", *names, later=["pacemaker-attrd"])
    assert module.missing() == []
    assert 2 <= clock.monotonic() < 3


def test_without_corosync_none_is_given_up(running, clock):
    """Corosync died: pacemakerd waits for it, and then starts what ended with it."""
    assert running("pacemakerd", "pacemaker-execd", "pacemaker-schedulerd").missing() == []
    assert clock.monotonic() == 0


@pytest.mark.parametrize("names", [[], ["pacemakerd"], ["pacemaker-based"], ["corosync", "cib"]])
def test_where_pacemaker_does_not_run_nothing_is_missing(running, names):
    assert running(*names).missing() == []


# --- an end that is waited for -------------------------------------------------------------------


@pytest.fixture
def stopping(load_file, monkeypatch, clock):
    """The module where a daemon is in each of these states of systemd's, one after the other."""

    def through(*states, systemd=True, runs=True, stops=True):
        asked, left = [], list(states)
        module = load_file(
            "_modules/daemons.py",
            grains={"id": "cms1"},
            salt={
                "service.show": lambda name: {"ActiveState": left.pop(0) if left[1:] else left[0]},
                "service.status": lambda name: runs,
                "service.stop": lambda name, **how: asked.append((name, how)) or stops,
            },
        )
        monkeypatch.setattr(module.salt.utils.systemd, "booted", lambda: systemd)
        module.time, module.asked = clock, asked
        return module

    return through


@pytest.mark.parametrize("last", ["inactive", "failed"])
def test_an_end_is_waited_for(stopping, last):
    module = stopping("active", "deactivating", "deactivating", last)
    assert module.stop("pacemaker") is True
    assert module.asked == [("pacemaker", {"no_block": True})]


def test_what_has_ended_is_not_told_to_stop(stopping):
    module = stopping("inactive")
    assert (module.stop("pacemaker"), module.asked) == (True, [])


@pytest.mark.parametrize("first", ["active", "deactivating"])
def test_one_that_does_not_end_is_a_line_in_time(stopping, first):
    """One that somebody else told to stop is stopping, and not stopped."""
    module = stopping(first, "deactivating")
    with pytest.raises(
        CommandExecutionError, match="^cms1: pacemaker was told to stop 5 s ago and still runs"
    ):
        module.stop("pacemaker", seconds=5)


def test_without_systemd_the_init_script_is_waited_for(stopping):
    assert stopping("x", systemd=False).stop("pacemaker") is True
    assert stopping("x", systemd=False, runs=False).stop("pacemaker") is True
    with pytest.raises(CommandExecutionError, match="^pacemaker doesn't stop on cms1"):
        stopping("x", systemd=False, stops=False).stop("pacemaker")
