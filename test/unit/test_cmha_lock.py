"""One at a time at a site: who is told that somebody else is there, and that no lock outlives its holder."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading

import pytest

HOLDS = """
import sys
import cmha_lock
said = cmha_lock.take({"cachedir": sys.argv[1]}, sys.argv[2], "orchestrate")
print(said, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(pure):
    return pure("cmha_lock")


@pytest.fixture
def opts(tmp_path):
    return {"cachedir": str(tmp_path)}


@pytest.fixture
def another(formula, tmp_path):
    """Another process that takes a site, as an orchestration does."""
    started = []

    def takes(site):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDS, str(tmp_path), site],
            env={**os.environ, "PYTHONPATH": str(formula / "_utils")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        process.said = process.stdout.readline().strip()
        return process

    yield takes
    for process in started:
        process.kill()
        process.communicate()


def tried(lock, opts, site="east", action="failover"):
    with lock.held(opts, site, action) as busy:
        return busy


def test_a_site_that_nobody_works_on(lock, opts):
    assert tried(lock, opts) is None
    assert tried(lock, opts) is None  # it was given back


def test_who_works_there_is_said(lock, opts, another):
    holder = another("east")
    assert holder.said == "None"
    line = tried(lock, opts)
    assert line.startswith("site east: orchestrate is at work there, started by ")
    assert f"(process {holder.pid} on this master)" in line
    assert line.endswith("nothing was done: wait until that has ended")
    assert lock.take(opts, "east", "orchestrate") == line
    assert tried(lock, opts, "west") is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_one_that_died_leaves_no_lock(lock, opts, another, how):
    holder = another("east")
    holder.send_signal(how)
    holder.wait()
    assert tried(lock, opts) is None


def test_what_was_taken_is_kept_until_the_end(lock, opts, another):
    assert lock.take(opts, "east", "orchestrate") is None
    assert lock.take(opts, "east", "orchestrate") is None  # it is one's own
    assert tried(lock, opts) is None  # a failover of this orchestration's own
    assert "orchestrate is at work there" in another("east").said


def test_what_is_held_is_given_back_after_an_error(lock, opts):
    with pytest.raises(ValueError, match="anything"), lock.held(opts, "east", "clean"):
        raise ValueError("anything")
    assert tried(lock, opts) is None


@pytest.mark.parametrize("written", ["", "{", "[]", "null", '{"action": "clean"}', "\udcff"])
def test_a_holder_that_has_not_said_yet_who_it_is(lock, opts, another, tmp_path, written):
    another("east")
    (path,) = (tmp_path / "cmha_locks").iterdir()
    path.write_bytes(written.encode("utf-8", "surrogateescape"))
    assert tried(lock, opts).startswith("site east: somebody else is at work there, on this master")


@pytest.mark.parametrize("site", ["007", "a.b-c", "../../etc/passwd", "a/b", "é"])
def test_any_site_has_a_file_in_the_directory(lock, opts, tmp_path, site):
    assert tried(lock, opts, site) is None
    (path,) = (tmp_path / "cmha_locks").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(path.read_text())["pid"] == os.getpid()


def test_what_is_given_back_is_anybodys(lock, opts, another):
    assert lock.take(opts, "east", "orchestrate") is None
    lock.give_back(opts, "east")
    lock.give_back(opts, "east")
    assert another("east").said == "None"


def test_a_second_loader_knows_what_the_first_has_taken(lock, opts):
    """Salt executes a module again, in its place, for each of its loaders."""
    assert lock.take(opts, "east", "orchestrate") is None
    lock.__spec__.loader.exec_module(lock)
    assert lock.take(opts, "east", "orchestrate") is None
    assert tried(lock, opts) is None


def test_a_process_that_goes_on_for_ever_keeps_nothing(lock, opts, another):
    """As the reactor's, which runs an orchestration in a thread."""
    said = []

    def orchestrate():
        said.append(lock.take(opts, "east", "orchestrate"))

    for _ in range(2):
        thread = threading.Thread(target=orchestrate)
        thread.start()
        thread.join()
    assert said == [None, None]
    assert another("east").said == "None"
    thread = threading.Thread(target=orchestrate)
    thread.start()
    thread.join()
    assert "orchestrate is at work there" in said[-1]


def test_a_file_system_without_locks(lock, opts, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock.fcntl, "flock", flock)
    line = lock.take(opts, "east", "orchestrate")
    assert line.startswith("site east: nobody can tell whether somebody else is at work there: ")
    assert "can't be locked (No locks available)" in line


def test_a_directory_that_can_not_be_made(lock, tmp_path):
    (tmp_path / "file").touch()
    assert "can't be locked (Not a directory)" in lock.take(
        {"cachedir": f"{tmp_path}/file"}, "e", "x"
    )


def test_a_full_disk_takes_no_lock_away(lock, opts, another, monkeypatch):
    def pwrite(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(lock.os, "pwrite", pwrite)
    assert lock.take(opts, "east", "orchestrate") is None
    monkeypatch.undo()
    assert "somebody else is at work there" in another("east").said
