"""A disk that all hosts of a lab have: a loop device on a file of the lab's."""

import os

from .shell import run

SIZE = 16 * 1024 * 1024
IN_HOSTS = "/dev/cluster-disk"


class SharedDisk:
    """It is there for as long as this object is, and a host has it open: however the keeper ends, the kernel
    then takes it away."""

    def __init__(self, file):
        with open(file, "wb") as content:
            content.truncate(SIZE)
        self.device = run("losetup", "--find", "--show", file).strip()
        self._held = os.open(self.device, os.O_RDWR)
        run("losetup", "--detach", self.device)  # as soon as nobody has it open

    def binds(self):
        """For systemd-nspawn."""
        return [f"--bind={self.device}:{IN_HOSTS}"]
