"""Can a lab run here?"""

import os
import shutil
import subprocess
import sys

from .settings import LabError

OLDEST_PYTHON = (3, 11)
TOOLS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}


def root():
    if os.geteuid() != 0:
        raise LabError("the lab boots hosts, and only root can")


def check():
    """Raises LabError with what is missing."""
    root()
    if sys.version_info < OLDEST_PYTHON:
        here, needed = (".".join(map(str, each[:2])) for each in (sys.version_info, OLDEST_PYTHON))
        raise LabError(f"this machine's python3 is {here}, and the lab needs {needed} or later")
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        raise LabError(f"not installed: {', '.join(missing)} (test/lab/install)")
    if not _succeeds("unshare", "--pid", "--fork", "--mount-proc", "--mount", "--net", "true"):
        raise LabError("this machine lets nobody make namespaces")
    if not _succeeds("unshare", "--net", "ip", "link", "add", "name", "lan.0", "type", "bridge"):
        raise LabError("this machine's kernel makes no network bridge")
    if not _has_overlayfs():
        raise LabError("this machine's kernel has no overlayfs")


def _has_overlayfs():
    with open("/proc/filesystems") as known:
        return "overlay" in known.read().split() or _succeeds("modprobe", "overlay")


def _succeeds(*command):
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
