"""What a host starts from: the image below, a layer of its own above, and its own few files."""

import fcntl
import os
import shutil
from collections import namedtuple
from pathlib import Path

from .settings import LAB, MASTER, LabError
from .shell import run

IDENTITY = "etc/salt/pki"  # whom the master knows: outlives the disk, as an enrolled host's would

# What hosts have in common: a root file system, the virtual environment with Salt for its Python, and one
# with the Salt to which a host may be upgraded.
Base = namedtuple("Base", "image venv next", defaults=[None])


class Disk:
    """One host's root file system. It lives in memory and goes with the keeper."""

    def __init__(self, place, base):
        self.place = Path(place)
        self.base = base
        self.root = self.place / "root"
        self.held = (
            None  # an open file on the saved disk below this one: nobody removes it meanwhile
        )

    def make(self, host, settings):
        """Makes a bare disk, with the identity that the one before had."""
        saved = self.place.with_name(f"{self.place.name}.identity")
        if (self.root / IDENTITY).exists():
            shutil.copytree(self.root / IDENTITY, saved, dirs_exist_ok=True)
        self._mount()
        init = settings.init_of(host)
        for tree in _trees(host, init):
            shutil.copytree(tree, self.root, dirs_exist_ok=True, symlinks=True)
        self._name(host, settings.addresses())
        self._link_salt()
        self._tell_salt(settings)
        self._start_salt_at_boot(host, init)
        if saved.exists():
            shutil.copytree(saved, self.root / IDENTITY, dirs_exist_ok=True)

    def take(self, layer):
        """Makes the disk that was saved as this layer: whom it belongs to is on it."""
        self._mount(layer)

    def save(self, into):
        """Copies this disk's own layer. The layer that it may stand on itself isn't in it."""
        if self.held is not None:
            raise LabError(f"{self.place.name} stands on a saved disk itself; it can't be saved")
        run("cp", "--archive", "--no-target-directory", self.place / "upper", into)

    def _mount(self, layer=None):
        """An empty layer above the image, or above a saved layer, in place of what was here."""
        if self.root.exists():
            run("umount", "--lazy", self.root)
            run("umount", "--lazy", self.place)
        self._hold(layer)
        self.place.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755", "cmha-lab", self.place)
        for part in ("upper", "work", "root"):
            (self.place / part).mkdir()
        lower = f"{layer}:{self.base.image}" if layer else self.base.image
        layers = f"lowerdir={lower},upperdir={self.place}/upper,workdir={self.place}/work"
        layers += ",redirect_dir=on"  # else nobody could rename a directory of a layer below
        run("mount", "-t", "overlay", "-o", layers, "cmha-lab", self.root)

    def _hold(self, layer):
        if self.held is not None:
            os.close(self.held)
            self.held = None
        if layer:
            self.held = os.open(Path(layer).parent, os.O_RDONLY)
            fcntl.flock(self.held, fcntl.LOCK_SH)

    def _name(self, host, addresses):
        (self.root / "etc/hostname").write_text(f"{host}\n")
        (self.root / "etc/salt/minion_id").write_text(f"{host}\n")
        names = "".join(f"{address} {name}\n" for name, address in addresses.items())
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{names}")

    def _link_salt(self):
        for program in Path(self.base.venv).glob("bin/salt*"):
            (self.root / "usr/local/bin" / program.name).symlink_to(program)

    def _tell_salt(self, settings):
        """What a lab's own settings say to master and minion; their files say the rest."""
        for daemon in ("master", "minion"):
            if (self.root / "etc/salt" / daemon).exists():
                place = self.root / f"etc/salt/{daemon}.d"
                place.mkdir(exist_ok=True)
                (place / "lab.conf").write_text(f"state_events: {settings.state_events}\n")

    def _start_salt_at_boot(self, host, init):
        daemon = "salt-master" if host == MASTER else "salt-minion"
        if init == "systemd":
            wanted = self.root / "etc/systemd/system/multi-user.target.wants" / f"{daemon}.service"
            wanted.symlink_to(f"../{daemon}.service")
        else:  # init waits for the end of all scripts before it comes to these lines
            with open(self.root / "etc/inittab", "a") as inittab:
                inittab.write(f"salt:2345:respawn:/usr/local/bin/{daemon}\n")
                inittab.write("up:2345:once:/usr/local/sbin/tell-ready\n")


def service_of(host):
    """Cloudera's service that a host of this name has, or None."""
    for prefix, service in (("cms", "server"), ("mgmt", "agent")):
        if host.startswith(prefix):
            return service
    return None


def _trees(host, init):
    """The directories of the checkout that are copied onto a host's disk."""
    service = service_of(host)
    if host == MASTER:
        yield LAB / "disk" / "master"
    yield LAB / "disk" / "minion"  # the master's is off; a test may switch it on
    if init != "systemd":
        yield LAB / "disk" / init
    if service:
        yield LAB / "cloudera" / "common"
        yield LAB / "cloudera" / service
