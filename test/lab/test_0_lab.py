"""The lab itself, on a small one of its own: its commands do what they say, and leave nothing behind."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import evidence
import pytest
from cmhalab import orders, settings, waiting
from conftest import Lab, booted

pytestmark = pytest.mark.lab  # which begins from no state of the tests' own lab

NAME = "small"
HOST = "one"
UNAVAILABLE, USAGE = 69, 64  # sysexits.h


@pytest.fixture(scope="module")
def small(ready):
    with booted(NAME, LAB_HOSTS=HOST) as lab:
        yield lab


def pings(lab):
    """Whether the master reaches the host."""
    return lab.code("master", "ping", "-c", "1", "-W", "1", HOST) == 0


def processes():
    return [
        line
        for line in subprocess.run(
            ["ps", "-eo", "args"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        if f"--machine={NAME}-" in line or f'"name": "{NAME}"' in line
    ]


def traces():
    """All that a lab of this name has on this machine."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/cmha-lab-{NAME}")]
    directory = Path("/run/cmha-lab", NAME)
    return [
        *processes(),
        *[line for line in mounts if f"/{NAME}/" in line],
        *groups,
        *([str(directory)] if directory.exists() else []),
    ]


def said(done):
    """The one line that a command says for itself."""
    (line,) = done.stderr.splitlines()
    return done.returncode, line


# --- on ------------------------------------------------------------------------------------------


def test_on_passes_input_output_and_exit_status_through(small):
    script = 'read -r word; echo "$word here"; echo "$word there" >&2; exit 7'
    done = small.run("on", HOST, "sh", "-c", script, check=False, stdin="said\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, "said here\n", "said there\n")


def test_on_passes_words_as_they_are(small):
    words = ["two words", "$HOME", "*", "'", '"', ""]
    assert small.on(HOST, "printf", "%s\\n", *words) == "\n".join(words).rstrip("\n")


def test_salts_commands_work_as_typed(small):
    assert small.salt([HOST], "test.ping") == {HOST: True}
    assert "True" in small.on(HOST, "salt-call", "test.ping")
    assert HOST in small.on("master", "salt-run", "manage.up")


@pytest.mark.parametrize("command", ["on", "cut", "heal", "crash", "boot", "reboot"])
def test_a_host_that_isnt_there(small, command):
    code, line = said(
        small.run(command, "two", *(["true"] if command == "on" else []), check=False)
    )
    assert code == UNAVAILABLE
    assert line == f"{command}: no host 'two' in this lab; it has master, {HOST}"


@pytest.mark.parametrize(
    ("command", "usage"), [("on", "on HOST CMD…"), ("cut", "cut HOST"), ("reboot", "reboot HOST")]
)
def test_a_word_is_missing(small, command, usage):
    code, line = said(small.run(command, check=False))
    assert (code, line) == (USAGE, f"{command}: usage: {usage}")


# --- the network, the power ----------------------------------------------------------------------


# More lines than a log's socket takes that isn't as a real host's
WHILE_THE_JOURNAL_STANDS = """
journal=$(pidof systemd-journald)
kill -STOP "$journal"
timeout 20 sh -c 'for line in $(seq 100); do logger "$line"; done'
code=$?
kill -CONT "$journal"
exit $code
"""


def test_who_logs_does_not_wait_for_the_journal(small):
    """Corosync waits for it spinning, with realtime priority: on a busy machine nothing else goes on then."""
    assert small.code(HOST, "sh", "-c", WHILE_THE_JOURNAL_STANDS) == 0


def test_cut_and_heal(small):
    assert pings(small)
    small.run("cut", HOST)
    assert not pings(small)
    small.run("heal", HOST)
    assert pings(small)
    assert small.salt([HOST], "test.ping") == {HOST: True}


def spoil(lab, **how):
    orders.ask(settings.from_environment(lab.environment), "spoil", HOST, how=how)


@pytest.mark.parametrize("lost", [(1, 0), (0, 1)])
def test_a_cable_that_is_dead_in_one_direction(small, lost):
    spoil(small, lost=lost)
    assert not pings(small)
    with pytest.raises(settings.LabError, match="a cable is bad already"):
        spoil(small, lost=lost)
    small.run("heal", HOST)
    assert pings(small)


def test_a_cable_by_which_frames_come_late_and_twice(small):
    spoil(small, late=0.2, twice=1)
    said = small.on("master", "ping", "-c", "3", "-i", "0.3", "-W", "2", HOST)
    small.run("reset", HOST)  # which gives it a good one
    assert "DUP!" in said
    assert float(said.splitlines()[-1].split("/")[-2]) > 20  # the slowest of them, in milliseconds
    assert "DUP!" not in small.on("master", "ping", "-c", "3", "-i", "0.3", HOST)


def test_a_crash_is_told_to_nobody_and_the_disk_survives(small):
    tells = "trap 'touch /root/told' TERM; touch /root/began; sleep infinity & wait"
    small.on(HOST, "systemd-run", "--quiet", "--unit=tells", "sh", "-c", tells)
    small.on(HOST, "sh", "-c", "until [ -e /root/began ]; do sleep 0.1; done")
    small.run("crash", HOST)
    assert not pings(small)
    code, line = said(small.run("on", HOST, "true", check=False))
    assert (code, line) == (UNAVAILABLE, f"on: {HOST} is off: test/lab/boot {HOST}")
    small.run("boot", HOST)
    assert small.code(HOST, "test", "-e", "/root/told") == 1
    assert small.code(HOST, "test", "-e", "/root/began") == 0
    assert small.salt([HOST], "test.ping") == {HOST: True}


def test_a_reboot_is_a_clean_one(small):
    small.on(HOST, "touch", "/run/before", "/root/before")
    # The shell writes itself: systemd's second look at the unit's processes would end a `touch` of the trap.
    tells = "trap ': > /root/told; exit' TERM; touch /run/began; sleep infinity & wait"
    small.on(HOST, "systemd-run", "--quiet", "--unit=tells", "sh", "-c", tells)
    small.on(HOST, "sh", "-c", "until [ -e /run/began ]; do sleep 0.1; done")
    small.run("reboot", HOST)
    assert small.code(HOST, "test", "-e", "/run/before") == 1
    assert small.code(HOST, "test", "-e", "/root/before") == 0
    assert small.code(HOST, "test", "-e", "/root/told") == 0


def test_a_reset_gives_a_bare_disk_and_the_same_minion(small):
    small.on(HOST, "touch", "/root/before")
    key = small.on(HOST, "cat", "/etc/salt/pki/minion/minion.pub")
    small.run("reset", HOST)
    assert small.code(HOST, "test", "-e", "/root/before") == 1
    assert small.on(HOST, "cat", "/etc/salt/pki/minion/minion.pub") == key


def test_a_lab_is_put_back_as_it_was_saved(small):
    seen = "cat /etc/salt/pki/minion/minion.pub; hostname; systemctl is-enabled salt-minion"
    before = small.on(HOST, "sh", "-c", seen)
    for host in (HOST, "master"):
        small.on(host, "touch", "/root/before", "/mnt/cm-shared/before")
    small.on("master", "sh", "-c", "echo broken > /srv/pillar/cmha.sls")
    small.run("cut", HOST)
    small.run("restore", "bare")
    for host in (HOST, "master"):
        assert small.code(host, "test", "-e", "/root/before") == 1
        assert small.code(host, "test", "-e", "/mnt/cm-shared/before") == 1
    assert "site: lab" in small.on("master", "cat", "/srv/pillar/cmha.sls")
    assert small.on(HOST, "sh", "-c", seen) == before
    assert small.salt([HOST], "test.ping") == {HOST: True}
    assert "crm" in small.salt([HOST], "sys.list_modules")[HOST]


def test_a_lab_that_nobody_touched_is_not_put_back_again(small):
    small.run("restore", "bare")
    lab = settings.from_environment(small.environment)
    booted = orders.ask(lab, "hosts")
    small.run("restore", "bare")
    assert orders.ask(lab, "hosts") == booted
    small.on(HOST, "true")
    small.run("restore", "bare")
    assert orders.ask(lab, "hosts") != booted


def test_a_state_that_nobody_knows(small):
    code, line = said(small.run("restore", "naked", check=False))
    assert (code, line) == (USAGE, "restore: usage: restore bare|prepared|converged")


def test_what_is_kept_of_a_lab_in_which_a_test_failed(small, tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "ARTIFACTS", tmp_path)
    lab = settings.from_environment(small.environment)
    small.run("crash", HOST)
    place = evidence.keep(lab, "test/lab/test_9.py::test_it[that: this]")
    assert place == tmp_path / "test_9.py-test_it-that-this" / NAME
    assert "Started" in (place / "master/journal").read_text()
    assert "site: lab" in (place / "master/pillar").read_text()
    assert (place / f"{HOST}.console").exists()
    assert not (place / HOST).exists()
    small.run("boot", HOST)
    assert "Started" in (evidence.keep(lab, "test_10") / HOST / "journal").read_text()


# --- up, down ------------------------------------------------------------------------------------


def test_a_second_up_boots_only_what_is_off(small):
    boot_id = small.on("master", "cat", "/proc/1/stat")
    small.run("crash", HOST)
    small.run("up")
    assert small.on("master", "cat", "/proc/1/stat").split()[21] == boot_id.split()[21]
    assert small.salt([HOST], "test.ping") == {HOST: True}


def test_up_with_other_settings_is_refused(small):
    other = Lab(NAME, LAB_HOSTS="one two")
    code, line = said(other.run("up", check=False))
    assert code == UNAVAILABLE
    assert "is up with hosts ['one']: test/lab/down comes first" in line


def test_another_checkout_has_its_own_lab(small, tmp_path):
    """Its files are others, and the master serves those of the first."""
    shutil.copytree(
        settings.LAB, tmp_path / "test/lab", ignore=shutil.ignore_patterns("__pycache__")
    )
    for command in (["up"], ["restore", "bare"]):
        command[0] = tmp_path / "test/lab" / command[0]
        done = subprocess.run(
            command, env=small.environment, capture_output=True, text=True, check=False
        )
        code, line = said(done)
        assert code == UNAVAILABLE
        assert f"is up with checkout {settings.FORMULA}: test/lab/down comes first" in line


def test_a_killed_keeper_takes_everything_along(small):
    keeper = orders.keeper_pid(settings.from_environment(small.environment))
    ended = os.pidfd_open(keeper)
    os.kill(keeper, signal.SIGKILL)
    assert orders.wait_for_end(ended, 30)
    os.close(ended)
    assert processes() == []
    small.run("down")
    assert traces() == []


def test_a_killed_lab_comes_up_again(small):
    small.run("up", "--die-with", str(os.getpid()))
    assert small.salt([HOST], "test.ping") == {HOST: True}


def test_the_lab_ends_with_the_process_that_it_was_told(small):
    small.run("down")
    parent = subprocess.Popen(["sleep", "infinity"])
    small.run("up", "--die-with", str(parent.pid))
    parent.kill()
    parent.wait()
    waiting.wait_until(lambda: not processes(), 30, lambda: f"{processes()} goes on")
    small.run("down")
    assert traces() == []
