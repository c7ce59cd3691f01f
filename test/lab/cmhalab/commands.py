"""What one types: each function is the command of its name in test/lab, given its words."""

import contextlib
import fcntl
import os
import shutil

from . import hosts, inside, minions, needs, orders, settings, states, waiting
from .settings import LABS, LabError, UsageError


def ready(words):
    """ready: whether a lab can run here; says what is missing."""
    _expect(words, 0, "ready")
    settings.from_environment()
    needs.check()


def up(words):
    """up [--die-with PID]: boots the lab, or what is off of it, until Salt answers everywhere."""
    lab = settings.from_environment()
    with _lifeline(words) as lifeline, _only_one():
        fresh = not orders.keeper_pid(lab)
        if fresh:
            _start(lab)
        _refuse_other_settings(lab)
        if lifeline is not None:
            orders.ask(lab, "end-with", fd=lifeline)
    if fresh:
        states.put_back(lab, "bare")
        return
    off = [host for host, is_ in orders.ask(lab, "hosts").items() if is_["state"] == "off"]
    hosts.boot(lab, off)
    reachable = hosts.reachable(lab, lab.hosts)
    minions.wait_for(lab, reachable)
    if off:
        minions.sync(lab, reachable)


def down(words):
    """down: removes every trace of the lab, also after its keeper was killed."""
    _expect(words, 0, "down")
    lab = settings.from_environment()
    with _only_one():
        orders.end_keeper(lab)
        shutil.rmtree(lab.directory, ignore_errors=True)
        with contextlib.suppress(OSError):  # another lab is there
            LABS.rmdir()


def on(words):
    """on HOST CMD…: runs a command on a host, as root."""
    if not words[1:]:
        raise UsageError("on HOST CMD…")
    host, *command = words
    lab = settings.from_environment()
    states.touch(lab)
    inside.become(lab, host, command)


def cut(words):
    """cut HOST: pulls the host's network cable."""
    _order("cut", words)


def heal(words):
    """heal HOST: plugs the cable in again."""
    _order("heal", words)


def crash(words):
    """crash HOST: takes the power away. The host stays off until `boot HOST`."""
    _order("crash", words)


def boot(words):
    """boot HOST: switches a host on, and waits until it is up and Salt reaches it."""
    _expect(words, 1, "boot HOST")
    lab = settings.from_environment()
    states.touch(lab)
    hosts.boot(lab, words)
    minions.wait_for(lab, hosts.reachable(lab, words))


def reboot(words):
    """reboot HOST: as typed on the host; waits until it is up again and Salt reaches it."""
    _expect(words, 1, "reboot HOST")
    (host,) = words
    lab = settings.from_environment()
    states.touch(lab)
    orders.leader(lab, host)  # has a word for a host that is off, or isn't there
    before = hosts.boots(lab, host)
    inside.attempt(lab, host, "reboot")  # may be cut off in the middle
    waiting.wait_until(
        lambda: hosts.boots(lab, host) > before,
        hosts.BOOT_TIME,
        lambda: f"{host} didn't reboot",
    )
    boot(words)


def reset(words):
    """reset [HOST[=SUITE]…]: gives hosts (all of the cluster) a bare disk and boots them from it."""
    lab = settings.from_environment()
    states.touch(lab)
    releases = dict(
        word.partition("=")[::2] for word in words or orders.ask(lab, "settings")["hosts"]
    )
    wanted = list(releases)
    for host, suite in releases.items():
        orders.ask(lab, "reset", host, base=states.base_of(lab, suite) if suite else None)
    hosts.boot(lab, wanted)
    hosts.install_cloudera(lab, wanted)
    reachable = hosts.reachable(lab, wanted)
    minions.wait_for(lab, reachable)
    minions.sync(lab, reachable)


def restore(words):
    """restore STATE: puts the whole lab back to bare, prepared or converged (made once)."""
    _expect(words, 1, states.USAGE)
    lab = settings.from_environment()
    _refuse_other_settings(lab)
    states.put_back(lab, *words)


def _order(order, words):
    _expect(words, 1, f"{order} HOST")
    lab = settings.from_environment()
    states.touch(lab)
    orders.ask(lab, order, words[0])


def _expect(words, count, usage):
    if len(words) != count:
        raise UsageError(usage)


@contextlib.contextmanager
def _lifeline(words):
    """An open file on the process that the lab shall end with, if the words name one."""
    if not words:
        yield None
        return
    if len(words) != 2 or words[0] != "--die-with" or not words[1].isdecimal():
        raise UsageError("up [--die-with PID]")
    try:
        fd = os.pidfd_open(int(words[1]))
    except OSError as error:
        raise LabError(f"--die-with {words[1]}: {error.strerror}") from None
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def _only_one():
    """Holds off every other up and down, by what is there before and after any lab."""
    lock = os.open(LABS.parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _start(lab):
    states.make("install")
    needs.check()
    bases = states.bases(lab)
    orders.end_keeper(lab)  # there is none, but one that was killed left its cgroups
    shutil.rmtree(lab.directory, ignore_errors=True)
    lab.shared.mkdir(parents=True)
    orders.start_keeper(lab, bases, states.bmc_python(lab))


def _refuse_other_settings(lab):
    running = orders.ask(lab, "settings")
    for key, wanted in lab.as_dict().items():
        if running.get(key) != wanted:
            raise LabError(
                f"the lab {lab.name!r} is up with {key} {running.get(key)}: test/lab/down comes first"
            )
