"""The keeper of a lab: pid 1 of namespaces of its own, which hold everything that a lab is.

Hosts, mounts and networks exist only inside them. When the keeper ends, however it ends, the kernel
removes them all: nothing has to clean up, so nothing can forget to.

Run by `orders.start_keeper` as: unshare … python3 -m cmhalab.keeper SETTINGS BASES BMC_PYTHON
(what each host's disk is made of: disk.Base), each as JSON, and the Python by which BMCs run, if any do
"""

import contextlib
import fcntl
import itertools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path

from . import network
from .disk import Base
from .machine import Machine
from .orders import SIZE, listen
from .settings import MASTER, LabError, Settings
from .shared_disk import SharedDisk
from .shell import run

PATIENCE = 5  # with a caller who says nothing

WATCHERS = Path("/proc/sys/fs/inotify/max_user_instances")  # inotify(7)
ENOUGH_WATCHERS = 1024


class Keeper:
    """Does what it is told over a socket, and minds the hosts in between."""

    def __init__(self, settings, bases, bmc_python):
        self.settings = settings
        self.loop = selectors.DefaultSelector()
        self._make_rooms()
        disk = SharedDisk(settings.directory / "cluster-disk") if settings.disk == "yes" else None
        self.machines = {
            name: Machine(name, settings, base, None if name == MASTER else disk)
            for name, base in zip(settings.everyone, bases, strict=True)
        }
        for machine in self.machines.values():
            self._on(machine.news, machine.hear)
        self.relay = None  # of the one cable that is bad
        self.door = listen(settings)
        self._on(self.door, self._answer)
        self.bmcs = {
            host: [
                self._start_bmc(host, address, bmc_python)
                for address in settings.bmc_addresses(host)
            ]
            for host in settings.side_addresses()
        }

    def run(self):
        while True:
            for key, _ in self.loop.select():
                key.data()

    def _make_rooms(self):
        disks = self.settings.directory / "disks"
        disks.mkdir()
        run("mount", "-t", "tmpfs", "-o", "mode=755", "cmha-lab", disks)
        # systemd-nspawn keeps notes on the machine's /run. Not on this one's.
        notes = Path("/run/systemd/nspawn")
        notes.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755", "cmha-lab", notes)
        network.make_bridge()
        with_bmc = self.settings.side_addresses()
        if with_bmc:
            run("ip", "link", "set", "dev", "lo", "up")  # a BMC wakes itself over it
            addresses = map(self.settings.bmc_addresses, with_bmc)
            network.make_bridge(network.SIDE, itertools.chain.from_iterable(addresses))
        _let_hosts_watch()

    def _start_bmc(self, host, address, python):
        """It ends with the keeper, as everything does."""
        return subprocess.Popen(
            [python, "-m", "cmhalab.bmc", json.dumps(self.settings.as_dict()), host, address],
            stdin=subprocess.DEVNULL,
        )

    def _on(self, source, action):
        self.loop.register(source, selectors.EVENT_READ, action)

    def _answer(self):
        """Hears one order, obeys it, and says how it went. Whoever gave it may be gone by then."""
        caller, _ = self.door.accept()
        with caller, contextlib.suppress(OSError):
            caller.settimeout(PATIENCE)
            message, received, _, _ = socket.recv_fds(caller, SIZE, 1)
            if not message:  # somebody only asked whether we are here
                return
            try:
                answer, sent = self._obey(json.loads(message), received)
            except (LabError, OSError) as error:
                answer, sent = {"error": str(error)}, []
            socket.send_fds(caller, [json.dumps(answer).encode()], sent)
            for fd in sent:
                os.close(fd)

    def _obey(self, message, received):
        """Does what an order says; returns the answer, and the open files that go with it."""
        order = message["order"]
        if order == "hosts":
            return {name: machine.describe() for name, machine in self.machines.items()}, []
        if order == "settings":
            return self.settings.as_dict(), []
        if order == "end-with":
            self._on(received[0], lambda: os._exit(0))
            return {}, []
        machine = self._machine(message["host"])
        if order == "leader":
            return {}, [machine.open_leader()]
        if order not in _OF_A_HOST:
            raise LabError(f"this lab knows no {order}: it was made by another checkout")
        _OF_A_HOST[order](self, machine, message)
        return {}, []

    def _machine(self, host):
        if host not in self.machines:
            raise LabError(f"no host {host!r} in this lab; it has {', '.join(self.machines)}")
        return self.machines[host]

    def reset(self, machine, message):
        """Back to a bare disk, or a saved one; the host is off then."""
        base = Base(*message["base"]) if message.get("base") else None
        if base:
            hold(base)
        machine.reset(message.get("layer"), base)
        self.heal(machine)

    def spoil(self, machine, how):
        """A cable that lets through what it likes, see relay.How."""
        if self.relay:
            raise LabError("a cable is bad already: heal its host first")
        network.make_bad()
        self.relay = subprocess.Popen(
            [sys.executable, "-m", "cmhalab.relay", *network.BAD_ENDS, json.dumps(how)],
            stdin=subprocess.DEVNULL,
        )
        network.wait_for_bad()
        machine.move(network.BAD)

    def heal(self, machine):
        if machine.bridge == network.BAD:
            machine.move(network.BRIDGE)
            self.relay.kill()
            self.relay.wait()
            self.relay = None
            network.remove_bad()
        machine.heal()

    def change_bmc(self, machine, answer=(0, 1), takes=0):
        """Which of a host's BMCs answer, and how many seconds they take to say whether it is on."""
        for which, bmc in enumerate(self.bmcs[machine.name]):
            bmc.send_signal(signal.SIGCONT if which in answer else signal.SIGSTOP)
        machine.bmc_takes = takes

    def boot(self, machine):
        """Boots a host that is off, and boots it again whenever it reboots."""
        if machine.state != "off":
            return
        machine.boot()
        process = machine.process
        fd = os.pidfd_open(process.pid)

        def ended():
            self.loop.unregister(fd)
            os.close(fd)
            if machine.process is process and machine.ended():
                self.boot(machine)

        self._on(fd, ended)


_OF_A_HOST = {
    "boot": lambda keeper, machine, _: keeper.boot(machine),
    "crash": lambda _, machine, __: machine.crash(),
    "reset": lambda keeper, machine, message: keeper.reset(machine, message),
    "save": lambda _, machine, message: machine.save(message["into"]),
    "cut": lambda _, machine, __: machine.cut(),
    "spoil": lambda keeper, machine, message: keeper.spoil(machine, message["how"]),
    "heal": lambda keeper, machine, _: keeper.heal(machine),
    "bmc": lambda keeper, machine, message: keeper.change_bmc(machine, **message["how"]),
}


def _let_hosts_watch():
    """Each host's daemons watch files. The kernel's usual 128 watchers are too few for five labs, and a host
    that gets none doesn't boot."""
    with contextlib.suppress(OSError):  # a machine that forbids it: fewer labs then
        if int(WATCHERS.read_text()) < ENOUGH_WATCHERS:
            WATCHERS.write_text(str(ENOUGH_WATCHERS))


def hold(base):
    """A newer recipe's image is no reason to remove this one from under running hosts."""
    in_use = os.open(base.image, os.O_RDONLY)
    fcntl.flock(in_use, fcntl.LOCK_SH)


def main(settings, bases, bmc_python):
    bases = [Base(*base) for base in json.loads(bases)]
    for base in dict.fromkeys(bases):
        hold(base)
    Keeper(Settings.from_dict(json.loads(settings)), bases, bmc_python).run()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (LabError, OSError) as error:
        sys.exit(str(error))
