"""Talking to a lab's keeper: one message there, one back, over a socket in the lab's directory."""

import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

from . import cgroups, waiting
from .settings import LAB, LabError

SIZE = 65536
DYING_TIME = 30  # from the kernel's SIGKILL to the end of the last process


def listen(settings):
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    door.bind(_address(settings))
    door.listen()
    return door


def ask(settings, order, host=None, fd=None, **more):
    """Gives the keeper an order, which may bring an open file; returns what it answers."""
    return _exchange(settings, order, host, fd, **more)[0]


def leader(settings, host):
    """The pid of a host's first process, as this process counts pids."""
    _, fds = _exchange(settings, "leader", host, None)
    with open(f"/proc/self/fdinfo/{fds[0]}") as about:
        fields = dict(line.split(":", 1) for line in about)
    os.close(fds[0])
    pid = int(fields["Pid"])
    if pid < 1:
        raise LabError(f"{host} is off: test/lab/boot {host}")
    return pid


def keeper_pid(settings):
    """The keeper's pid, or None when none answers."""
    try:
        with _knock(settings) as keeper:
            peer = keeper.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            return struct.unpack("3i", peer)[0]
    except (ConnectionRefusedError, FileNotFoundError):
        return None


def start_keeper(settings, bases, bmc_python):
    """Starts it with what each host's disk is made of, and the Python by which BMCs run."""
    command = [
        "unshare",
        *("--pid", "--fork", "--kill-child", "--mount-proc"),
        *("--mount", "--propagation", "slave", "--net"),
        *(sys.executable, "-m", "cmhalab.keeper"),
        *map(json.dumps, (settings.as_dict(), bases)),
        bmc_python,
    ]
    log = settings.directory / "keeper.log"
    with open(log, "wb") as said:
        keeper = subprocess.Popen(
            command,
            cwd=LAB,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    while not keeper_pid(settings):
        if keeper.poll() is not None:
            last = log.read_text().strip().splitlines()[-1:]
            raise LabError(f"the lab didn't start: {''.join(last)} (all of it: {log})")
        time.sleep(waiting.POLL)


def end_keeper(settings):
    """Kills the keeper, if there is one, and with it everything it held."""
    pid = keeper_pid(settings)
    if pid:
        ended = os.pidfd_open(pid)
        os.kill(pid, 9)
        wait_for_end(ended)
        os.close(ended)
    waiting.wait_until(
        lambda: cgroups.remove(settings.name),
        DYING_TIME,
        lambda: f"processes of the lab {settings.name!r} don't end",
    )


def wait_for_end(pidfd, timeout=None):
    """Waits until a process ended; says whether it did."""
    ended, _, _ = select.select([pidfd], [], [], timeout)
    return bool(ended)


def _exchange(settings, order, host, fd, **more):
    message = {"order": order, **({} if host is None else {"host": host}), **more}
    try:
        with _knock(settings) as keeper:
            socket.send_fds(keeper, [json.dumps(message).encode()], [] if fd is None else [fd])
            reply, fds, _, _ = socket.recv_fds(keeper, SIZE, 1)
    except (ConnectionRefusedError, FileNotFoundError):
        raise LabError(f"the lab {settings.name!r} isn't up: test/lab/up") from None
    if not reply:
        raise LabError(f"the lab {settings.name!r} ended meanwhile")
    answer = json.loads(reply)
    if "error" in answer:
        raise LabError(answer["error"])
    return answer, fds


def _knock(settings):
    keeper = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        keeper.connect(_address(settings))
    except OSError:
        keeper.close()
        raise
    return keeper


def _address(settings):
    return str(settings.directory / "orders")
