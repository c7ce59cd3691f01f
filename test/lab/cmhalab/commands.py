"""What one types: each function is the command of its name in test/lab, given its words."""

import contextlib
import fcntl
import os
import shutil
import subprocess

from . import inside, minions, needs, orders, settings
from .disk import Base, service_of
from .settings import LAB, LABS, MASTER, MASTER_SUITE, LabError, UsageError

BOOT_TIME = 120


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
    off = [host for host, is_ in orders.ask(lab, "hosts").items() if is_["state"] == "off"]
    _boot(lab, off)
    if fresh:
        _install_cloudera(lab, lab.hosts)
    reachable = _reachable(lab, lab.hosts)
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
    inside.become(settings.from_environment(), host, command)


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
    _boot(lab, words)
    minions.wait_for(lab, _reachable(lab, words))


def reboot(words):
    """reboot HOST: as typed on the host; waits until it is up again and Salt reaches it."""
    _expect(words, 1, "reboot HOST")
    (host,) = words
    lab = settings.from_environment()
    orders.leader(lab, host)  # has a word for a host that is off, or isn't there
    before = _boots(lab, host)
    inside.attempt(lab, host, "reboot")  # may be cut off in the middle
    orders.wait_until(
        lambda: _boots(lab, host) > before, BOOT_TIME, lambda: f"{host} didn't reboot"
    )
    boot(words)


def reset(words):
    """reset [HOST…]: gives hosts (all of the cluster) a bare disk and boots them from it."""
    lab = settings.from_environment()
    hosts = words or orders.ask(lab, "settings")["hosts"]
    for host in hosts:
        orders.ask(lab, "reset", host)
    _boot(lab, hosts)
    _install_cloudera(lab, hosts)
    reachable = _reachable(lab, hosts)
    minions.wait_for(lab, reachable)
    minions.sync(lab, reachable)


def _order(order, words):
    _expect(words, 1, f"{order} HOST")
    orders.ask(settings.from_environment(), order, words[0])


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
    """Holds off every other up and down."""
    LABS.mkdir(exist_ok=True)
    lock = os.open(LABS, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _start(lab):
    _make("install")
    needs.check()
    master = Base(_make("image", MASTER_SUITE, "systemd"), _make("salt-venv", lab.salt))
    image = _make("image", lab.suite, lab.init)
    others = Base(image, _make("salt-venv", lab.minion_salt, "--for", image))
    orders.end_keeper(lab)  # there is none, but one that was killed left its cgroups
    shutil.rmtree(lab.directory, ignore_errors=True)
    lab.shared.mkdir(parents=True)
    for tree in ("salt", "pillar"):
        shutil.copytree(LAB / tree, lab.directory / tree)
    orders.start_keeper(lab, master, others)


def _make(program, *words):
    """Has something made that takes a while the first time; returns the path that is printed."""
    done = subprocess.run([LAB / program, *words], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise LabError(f"test/lab/{program} failed")
    return done.stdout.strip()


def _refuse_other_settings(lab):
    running = orders.ask(lab, "settings")
    for key, wanted in lab.as_dict().items():
        if running[key] != wanted:
            raise LabError(
                f"the lab {lab.name!r} is up with {key} {running[key]}: test/lab/down comes first"
            )


def _boot(lab, hosts):
    for host in hosts:
        orders.ask(lab, "boot", host)
    orders.wait_until(
        lambda: not _not_up(lab, hosts),
        BOOT_TIME,
        lambda: f"{', '.join(_not_up(lab, hosts))} didn't boot (see {lab.directory}/*.console)",
    )


def _not_up(lab, hosts):
    states = orders.ask(lab, "hosts")
    return [host for host in hosts if states[host]["state"] != "up"]


def _boots(lab, host):
    return orders.ask(lab, "hosts")[host]["boots"]


def _reachable(lab, among):
    """Those hosts whose minions the master can reach."""
    fine = [
        host
        for host, is_ in orders.ask(lab, "hosts").items()
        if is_["state"] == "up" and not is_["cut"]
    ]
    return [host for host in among if host in fine and host != MASTER] if MASTER in fine else []


def _install_cloudera(lab, hosts):
    """The end of a package's installation, a minute ago: enabled at boot, never started."""
    for host in hosts:
        service = service_of(host)
        if service:
            inside.run(lab, host, "update-rc.d", f"cloudera-scm-{service}", "defaults")
