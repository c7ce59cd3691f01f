"""Makes of Debian's image, from inside of it, one that looks like another distribution.

    python3 dress.py LOOK.toml

What stays Debian's: the programs, how they were built, the links of init scripts. There is no SELinux, and
no Python of that distribution.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import rpms
import tomllib

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

# Neither the formula nor Salt finds these on a host that has RPMs.
DEBIANS_OWN = """
    /usr/bin/apt* /usr/bin/dpkg* /usr/sbin/dpkg* /usr/lib/apt /usr/lib/dpkg /usr/share/dpkg /etc/apt /etc/dpkg
    /var/lib/apt /var/lib/dpkg /var/cache/apt /opt/debs /etc/debian_version
"""


def dress(look):
    manager = look["manager"]
    if manager != "apt":
        _install_tools(look["base"], [manager, *RPM_MAKERS], look.get("offered", []))
        _purge(look.get("purged", []))
        rpms.make_repositories(look, DEBS)
        _tell_manager(manager)
        _remove_debian()
    _write_files(look["files"])
    for link, target in look.get("links", {}).items():
        _link(Path(link), target)
    if look.get("first"):
        run(*INSTALL[manager], *look["first"])
    for command in look.get("commands", []):
        run("sh", "-ec", command)


def _install_tools(suite, packages, offered):
    """From Debian's mirror, for once; what is offered beside goes to the other packages."""
    own = SOURCES.read_text()
    SOURCES.write_text(MIRROR.format(suite))
    run("apt-get", "-qq", "update")
    run("apt-get", "-qq", "install", "--no-install-recommends", *packages)
    for package in offered:
        run("apt-get", "-qq", "download", package, cwd=DEBS)
    run("apt-get", "clean")
    SOURCES.write_text(own)


def _purge(packages):
    """What that distribution doesn't bring by itself."""
    for package in packages:
        run("dpkg", "--purge", "--force-depends", package)


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


def run(*command, **how):
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, **how
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as described:
        dress(tomllib.load(described))
