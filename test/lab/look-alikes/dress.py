"""Makes of Debian's image, from inside of it, one that looks like another distribution.

    python3 dress.py LOOK.toml

What stays Debian's: the programs, how they were built, the links of init scripts. There is no SELinux, and
no Python of that distribution.
"""

import shutil
import sys
from pathlib import Path

import rpms
import tomllib
from rpms import run

MIRROR = "deb http://deb.debian.org/debian {} main\n"
SOURCES = Path("/etc/apt/sources.list")
DEBS = Path("/opt/debs")

RPM_MAKERS = ["rpm", "createrepo-c"]

# How each package manager is told of a repository, and installs from it.
REPOSITORIES = {"dnf": "/etc/yum.repos.d/lab.repo", "zypper": "/etc/zypp/repos.d/lab.repo"}
REPOSITORY = "[lab]\nname=lab\nenabled=1\ngpgcheck=0\nautorefresh=1\nbaseurl=file://{}\n"
INSTALL = {
    "apt": ["apt-get", "-qq", "install"],
    "dnf": ["dnf", "-q", "-y", "install"],
    "zypper": ["zypper", "-q", "-n", "install"],
}

# What runs there from the beginning; ufw is off. The administrator has opened Cloudera Manager's ports.
FIREWALL = {"apt": "ufw", "dnf": "firewalld", "zypper": "firewalld"}
OPEN = ["firewall-offline-cmd --add-port=7180/tcp --add-port=7182/tcp"]
OPENED = {"apt": [], "dnf": OPEN, "zypper": OPEN}

# In Debian's image, and there a package of the distribution's.
OFFERED = ["iptables"]

PRESETS = {
    "/usr/lib/systemd/system-preset/90-default.preset": "enable firewalld.service\n",
    "/usr/lib/systemd/system-preset/99-default-disable.preset": "disable *\n",
}

# Neither the formula nor Salt finds these on a host that has RPMs.
DEBIANS_OWN = """
    /usr/bin/apt* /usr/bin/dpkg* /usr/sbin/dpkg* /usr/lib/apt /usr/lib/dpkg /usr/share/dpkg /etc/apt /etc/dpkg
    /var/lib/apt /var/lib/dpkg /var/cache/apt /opt/debs /etc/debian_version
"""


def dress(look):
    manager = look["manager"]
    if manager != "apt":
        _pack_as_rpms(look)
    _write_files(look["files"])
    for link, target in look.get("links", {}).items():
        _link(Path(link), target)
    run(*INSTALL[manager], FIREWALL[manager])
    for command in (*OPENED[manager], *look.get("commands", [])):
        run("sh", "-ec", command)


def _pack_as_rpms(look):
    manager = look["manager"]
    _install_tools(look["base"], [manager, *RPM_MAKERS])
    rpms.make_repositories(look, DEBS)
    _tell_manager(manager)
    _remove_debian()
    _write_files(PRESETS)


def _install_tools(suite, packages):
    """From Debian's mirror, for once; and what is a package there is none of the image any more."""
    own = SOURCES.read_text()
    SOURCES.write_text(MIRROR.format(suite))
    run("apt-get", "-qq", "update")
    run("apt-get", "-qq", "install", "--no-install-recommends", *packages)
    for package in OFFERED:
        run("apt-get", "-qq", "download", package, cwd=DEBS)
        run("dpkg", "--purge", "--force-depends", package)
    run("apt-get", "clean")
    SOURCES.write_text(own)


def _tell_manager(manager):
    place = Path(REPOSITORIES[manager])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(REPOSITORY.format(rpms.REPOSITORY))


def _remove_debian():
    for pattern in DEBIANS_OWN.split():
        for path in Path("/").glob(pattern[1:]):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _write_files(files):
    for name, text in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # /etc/os-release is a link
        path.write_text(text)


def _link(link, target):
    """A directory that is somewhere else there, with what it holds."""
    place = link.parent / target
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(link, place)
    link.symlink_to(target)


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as described:
        dress(tomllib.load(described))
