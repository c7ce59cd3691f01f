"""What a host starts from: the image below, a layer of its own above, and its own few files."""

import shutil
from collections import namedtuple
from pathlib import Path

from .settings import LAB, MASTER
from .shell import run

IDENTITY = "etc/salt/pki"  # whom the master knows: outlives the disk, as an enrolled host's would

# What hosts have in common: a root file system, and the virtual environment with Salt for its Python.
Base = namedtuple("Base", "image venv")


class Disk:
    """One host's root file system. It lives in memory and goes with the keeper."""

    def __init__(self, place, base):
        self.place = Path(place)
        self.base = base
        self.root = self.place / "root"

    def make(self, host, settings):
        """Makes a bare disk, with the identity that the one before had."""
        saved = self.place.with_name(f"{self.place.name}.identity")
        if (self.root / IDENTITY).exists():
            shutil.copytree(self.root / IDENTITY, saved, dirs_exist_ok=True)
        if self.root.exists():
            self._unmount()
        self._mount()
        init = settings.init_of(host)
        for tree in _trees(host, init):
            shutil.copytree(tree, self.root, dirs_exist_ok=True, symlinks=True)
        self._name(host, settings.addresses())
        self._link_salt()
        self._start_salt_at_boot(host, init)
        if saved.exists():
            shutil.copytree(saved, self.root / IDENTITY, dirs_exist_ok=True)

    def _mount(self):
        self.place.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755", "cmha-lab", self.place)
        for part in ("upper", "work", "root"):
            (self.place / part).mkdir()
        layers = f"lowerdir={self.base.image},upperdir={self.place}/upper,workdir={self.place}/work"
        run("mount", "-t", "overlay", "-o", layers, "cmha-lab", self.root)

    def _unmount(self):
        run("umount", "--lazy", self.root)
        run("umount", "--lazy", self.place)

    def _name(self, host, addresses):
        (self.root / "etc/hostname").write_text(f"{host}\n")
        (self.root / "etc/salt/minion_id").write_text(f"{host}\n")
        names = "".join(f"{address} {name}\n" for name, address in addresses.items())
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{names}")

    def _link_salt(self):
        for program in Path(self.base.venv).glob("bin/salt*"):
            (self.root / "usr/local/bin" / program.name).symlink_to(program)

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
