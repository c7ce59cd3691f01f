"""One host of the lab: a disk, a cable, and a systemd-nspawn that boots from one to the other."""

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

from . import cgroups, network
from .disk import Disk
from .settings import FORMULA, FORMULA_ON_MASTER, MASTER, LabError

# systemd-nspawn --boot ends with this status when a host that it can't restart itself rebooted.
REBOOTED = 133

# Beyond nspawn's own set: firewall rules; Corosync's locked memory.
CAPABILITIES = "CAP_NET_ADMIN,CAP_IPC_LOCK"


class Machine:
    """States: off (also after a crash), booting, up. Called by the keeper alone."""

    def __init__(self, name, settings, base, shared_disk=None):
        self.name = name
        self.settings = settings
        self.is_cut = False
        self.bridge = network.BRIDGE
        self.bmc_takes = 0  # seconds
        self.boots = 0  # how often it was powered on or rebooted
        self.state = "off"
        self.process = None
        self.leader = None  # the host's pid 1, as the keeper counts pids
        self.base = base
        self.shared_disk = shared_disk
        place = settings.directory / "disks" / name
        self.disk = Disk(place, base)
        self.namespace = place.with_name(f"{name}.network")
        self.news = _listen(place.with_name(f"{name}.notify"))
        self.disk.make(name, settings)
        cgroups.make(settings.name, name)

    def describe(self):
        return {
            "state": self.state,
            "boots": self.boots,
            "cut": self.is_cut,
            "bmc_takes": self.bmc_takes,
        }

    def boot(self):
        self._plug_in()
        if self.is_cut:
            network.cut(self.name)
        with open(self.settings.directory / f"{self.name}.console", "ab") as console:
            self.process = subprocess.Popen(
                self._nspawn(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env={**os.environ, "NOTIFY_SOCKET": self.news.getsockname()},
                preexec_fn=self._enter_cgroups,  # noqa: PLW1509  # the keeper has no threads
            )
        self.boots += 1
        self.state = "booting"

    def _plug_in(self):
        network.make_namespace(self.namespace)
        address = self.settings.addresses()[self.name]
        network.plug_in(self.name, address, self.namespace, self.bridge)
        side = self.settings.side_addresses().get(self.name)
        if side:
            network.plug_in(
                network.side_cable(self.name), side, self.namespace, network.SIDE, "eth1"
            )

    def open_leader(self):
        """An open file on the host's first process."""
        try:
            return os.pidfd_open(self.leader or 0)
        except OSError:
            raise LabError(f"{self.name} is off: test/lab/boot {self.name}") from None

    def crash(self):
        """Power loss: the cable goes dead, then the processes, none of which is told."""
        if self.state == "off":
            return
        victim = self.leader or self.process.pid
        self._off()
        with contextlib.suppress(ProcessLookupError):  # it was about to end by itself
            os.kill(victim, signal.SIGKILL)
        self.process.wait()

    def reset(self, layer=None, base=None):
        """Back to a bare disk, perhaps of another base, or to a saved one, powered off, its cable whole."""
        self.crash()
        self.is_cut = False
        self.disk.base = base or self.base
        if layer is None:
            self.disk.make(self.name, self.settings)
        else:
            self.disk.take(layer)

    def save(self, into):
        """Copies what the disk has above its image. The host is off, and was shut down in order."""
        if self.state != "off":
            raise LabError(f"{self.name} is {self.state}: what it writes meanwhile would be lost")
        self.disk.save(into)

    def cut(self):
        self.is_cut = True
        if self.state != "off":
            network.cut(self.name)

    def heal(self):
        self.is_cut = False
        if self.state != "off":
            network.heal(self.name, self.namespace)

    def move(self, bridge):
        """Plugs its cable in elsewhere, from now on."""
        self.bridge = bridge
        if self.state != "off":
            network.move(self.name, bridge)

    def hear(self):
        """Takes systemd-nspawn's news: the leader's pid, and that the host is up."""
        for line in self.news.recv(4096).decode().splitlines():
            key, _, value = line.partition("=")
            if key == "X_NSPAWN_LEADER_PID":
                self.leader = int(value)
            elif (key, value) == ("READY", "1") and self.state == "booting":
                self.state = "up"

    def ended(self):
        """systemd-nspawn ended; says whether that was because the host rebooted."""
        status = self.process.wait()
        if self.state == "off":  # it crashed, and we know
            return False
        self._off()
        return status == REBOOTED

    def _off(self):
        self.state = "off"
        self.leader = None
        has_side = self.name in self.settings.side_addresses()
        network.unplug(
            [self.name, *([network.side_cable(self.name)] if has_side else [])], self.namespace
        )

    def _enter_cgroups(self):
        cgroups.enter(self.settings.name, self.name)

    def _nspawn(self):
        directory = self.settings.directory
        binds = [
            *(f"--bind-ro={venv}" for venv in self.disk.base[1:] if venv),
            f"--bind={self.settings.shared}:/mnt/cm-shared",
            *(self.shared_disk.binds() if self.shared_disk else ()),
        ]
        if self.name == MASTER:
            binds += [
                f"--bind-ro={FORMULA}:{FORMULA_ON_MASTER}",
                f"--bind={directory}/salt:/srv/salt",
                f"--bind={directory}/pillar:/srv/pillar",
            ]
        return [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            "--register=no",
            "--keep-unit",
            "--notify-ready=yes",
            "--console=read-only",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            f"--machine={self.settings.name}-{self.name}",
            f"--hostname={self.name}",
            f"--directory={self.disk.root}",
            f"--network-namespace-path={self.namespace}",
            f"--capability={CAPABILITIES}",
            *binds,
        ]


def _listen(path: Path):
    news = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    news.bind(str(path))
    return news
