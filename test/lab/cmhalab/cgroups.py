"""A cgroup for each host, since every systemd takes the one it starts in for the whole tree.

They are directories of the kernel's, so a killed keeper leaves them behind, empty.
"""

import errno
from pathlib import Path


def of(lab, host):
    """The cgroups of one host, one in each hierarchy that systemd uses."""
    return [hierarchy / _name(lab) / host for hierarchy in _hierarchies()]


def make(lab, host):
    for group in of(lab, host):
        group.mkdir(parents=True, exist_ok=True)


def enter(lab, host):
    """Moves this process into the host's cgroups."""
    for group in of(lab, host):
        (group / "cgroup.procs").write_text("0")


def remove(lab):
    """Removes a lab's cgroups, but for those in which a process is still dying; says whether all are gone."""
    return all(
        _removed(group)
        for hierarchy in _hierarchies()
        for group in sorted(
            (hierarchy / _name(lab)).glob("**/"), reverse=True
        )  # the innermost first
    )


def _removed(group):
    try:
        group.rmdir()
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True


def _name(lab):
    return f"cmha-lab-{lab}"


def _hierarchies():
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            yield Path(place)
