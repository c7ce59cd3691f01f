"""RPMs of Debian's packages, with the names, the layout and the scriptlets that RHEL and SLES give them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = "/opt/rpms"
NEWER = "/opt/newer"  # a package of the next release waits there, see test/lab/newer-package
BUILD = Path("/opt/build")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}

# How RHEL and SLES call what an administrator sees of it. Libraries and Python's packages keep Debian's name.
NAMES = {
    "pacemaker-cli-utils": "pacemaker-cli",
    "pacemaker-common": "pacemaker-libs",  # it makes the cluster's user there
    "python3-yaml": "python3-pyyaml",
}

# Those that come in a newer release too.
UPGRADED = {"corosync", "pacemaker"}

# What has no RPM at all.
LEFT_OUT = {"ufw", "iptables-persistent", "netfilter-persistent", "pacemaker-resource-agents"}

# Beyond what Debian's packages need.
REQUIRES = {"pacemaker": {"pacemaker-cli-utils"}}

# There they are part of another package.
MERGED = {"pacemaker": ["pacemaker-resource-agents"]}

MOVED = {  # of a package's tree; the root file system has /bin, /lib and /sbin merged into /usr
    "lib": "usr/lib",
    "sbin": "usr/sbin",
    "bin": "usr/bin",
    "lib64": "usr/lib64",
    "etc/default": "etc/sysconfig",
    "etc/corosync/corosync.conf": "etc/corosync/corosync.conf.example",
    "var/log/corosync": "var/log/cluster",
}
DROPPED = ("etc/init.d", "usr/share/man", "usr/share/doc", "usr/share/locale", "usr/share/lintian")

OWNED_DIRECTORIES = {  # with the mode and the owner that the packages give them
    "var/lib/pacemaker": "%attr(0750,hacluster,haclient)",
    "var/log/pacemaker": "%attr(0770,hacluster,haclient)",
    "etc/pacemaker": "%attr(0750,root,haclient)",
    "etc/corosync/qnetd": "%attr(0770,coroqnetd,coroqnetd)",
}

USER = """
getent group haclient >/dev/null || groupadd -r haclient -g 189
getent passwd hacluster >/dev/null ||
    useradd -r -g haclient -u 189 -s /sbin/nologin -c "cluster user" hacluster
"""
PRE = {
    "pacemaker-libs": USER,
    "corosync-qnetd": """
getent group coroqnetd >/dev/null || groupadd -r coroqnetd
getent passwd coroqnetd >/dev/null || useradd -r -g coroqnetd -s /sbin/nologin -d / coroqnetd
""",
    "polkitd": """
getent group polkitd >/dev/null || groupadd -r polkitd
getent passwd polkitd >/dev/null || useradd -r -g polkitd -s /sbin/nologin -d / polkitd
""",
}
POST = {
    "crmsh": """
install -d -m 0775 -o hacluster -g haclient /var/log/crmsh
[ -e /var/log/crmsh/crmsh.log ] || install -m 0664 -o hacluster -g haclient /dev/null /var/log/crmsh/crmsh.log
""",
    "firewalld": """
ln -sf org.fedoraproject.FirewallD1.server.policy.choice \\
    /usr/share/polkit-1/actions/org.fedoraproject.FirewallD1.policy
""",
}

# As %systemd_post, %systemd_preun and %systemd_postun do: presets decide about a new unit, and an upgrade
# restarts nothing; but that of Pacemaker, whose package has %systemd_postun_with_restart.
ENABLE = "[ $1 -ne 1 ] || systemctl --no-reload preset {0} >/dev/null 2>&1 || :\n"
DISABLE = "[ $1 -ne 0 ] || systemctl --no-reload disable --now {0} >/dev/null 2>&1 || :\n"
RELOAD = "systemctl daemon-reload >/dev/null 2>&1 || :\n"
RESTARTED = {"pacemaker.service"}
RESTART = "[ $1 -lt 1 ] || systemctl try-restart {0} >/dev/null 2>&1 || :\n"

SPEC = """\
%define debug_package %{{nil}}
%define __os_install_post %{{nil}}
%define _build_id_links none
%define _binary_payload w1.gzdio
Name: {name}
Version: {version}
Release: {release}{dist}
Summary: Debian's {debian}, as a stand-in
License: as Debian's
AutoReqProv: no
{relations}
%description
Debian's package {debian}, built again for a lab.
%install
mkdir -p %{{buildroot}}
cp -a {tree}/. %{{buildroot}}
{scriptlets}
%files
{files}
"""

# Something has to be the distribution, and its shell.
RELEASE_FILES = "%ghost /bin/sh\n"


def make_repositories(look, debs):
    """Makes the repositories that a look names of the Debian packages in a directory."""
    rpm_knows_one_database()
    names = {**NAMES, **look.get("names", {})}
    packages = {deb_field(deb, "Package"): deb for deb in sorted(debs.glob("*.deb"))}
    for debian, deb in packages.items():
        if debian not in LEFT_OUT:
            make_rpm(look, names, packages, debian, deb)
    make_release(look)
    for name in look.get("elsewhere", []):
        take_elsewhere(name)
    for place in [Path(REPOSITORY), *(Path(f"/opt/{each}") for each in look.get("elsewhere", []))]:
        run("createrepo_c", "-q", str(place))
    shutil.rmtree(BUILD)


def rpm_known_options():
    """Debian 12's rpm refuses to install anything but for this word, which Debian 13's doesn't know."""
    return {"--force-debian"} & set(run("rpm", "--help").replace("|", " ").split())


def rpm_knows_one_database():
    """Debian's rpm has each user's own database; zypper looks at the system's."""
    Path("/etc/rpm").mkdir(exist_ok=True)
    Path("/etc/rpm/macros").write_text("%_dbpath /var/lib/rpm\n")
    run("rpm", "--initdb")


def make_rpm(look, names, packages, debian, deb):
    name = names.get(debian, debian)
    tree = BUILD / name
    requires = set(REQUIRES.get(debian, ()))
    for each in [debian, *MERGED.get(debian, [])]:
        tree.mkdir(parents=True, exist_ok=True)
        run("dpkg-deb", "-x", str(packages[each]), str(tree))
        requires |= needed_by(packages[each], packages)
    requires = {names.get(each, each) for each in requires} - {name}
    lay_out(tree)
    units = sorted(
        path.name for path in tree.glob("usr/lib/systemd/system/*.service") if "@" not in path.name
    )
    words = {
        "name": name,
        "debian": debian,
        "version": version_of(deb),
        "relations": [f"Requires: {each}" for each in sorted(requires)],
        "tree": tree,
        "scriptlets": scriptlets(name, units),
        "files": "\n".join(listed(tree)) + "\n",
    }
    build(look, **words)
    if name in UPGRADED:
        build(look, **words, release=2, into=NEWER)


def make_release(look):
    release = look["release"]
    tree = BUILD / "release"
    tree.mkdir(parents=True)
    build(
        look,
        name=release["name"],
        debian="nothing",
        version=release["version"],
        relations=[f"Provides: {each}" for each in [*release.get("provides", []), "/bin/sh"]],
        tree=tree,
        scriptlets="",
        files=RELEASE_FILES,
    )
    (made,) = Path(REPOSITORY).glob(f"{release['name']}-{release['version']}-*.rpm")
    run("rpm", "--install", "--justdb", *rpm_known_options(), "--nodeps", str(made))


def build(look, relations, release=1, into=REPOSITORY, **words):
    spec = BUILD / f"{words['name']}.spec"
    words |= {"release": release, "dist": look["dist"], "relations": "\n".join(relations)}
    spec.write_text(SPEC.format(**words))
    settings = {
        "_topdir": f"{BUILD}/top",
        "_rpmdir": into,
        "_rpmfilename": "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm",
    }
    defined = [word for pair in settings.items() for word in ("--define", " ".join(pair))]
    run("rpmbuild", "-bb", "--quiet", "--nodeps", *defined, str(spec))


def take_elsewhere(name):
    """A package that comes from a repository of its own there."""
    place = Path(f"/opt/{name}")
    place.mkdir()
    for path in Path(REPOSITORY).glob(f"{name}-[0-9]*.rpm"):
        shutil.move(path, place)


def deb_field(deb, field):
    return run("dpkg-deb", "-f", str(deb), field).strip()


def version_of(deb):
    """Its upstream version, in the letters that an RPM's may have."""
    version = deb_field(deb, "Version").rpartition(":")[2]
    upstream = version.rpartition("-")[0] or version
    return re.sub(r"[^A-Za-z0-9.+~]", ".", upstream)


def needed_by(deb, packages):
    """The first of each package's alternatives that is an RPM too; all else is in the image."""
    fields = f"{deb_field(deb, 'Depends')},{deb_field(deb, 'Pre-Depends')}"
    wanted = re.split(r"[,|]", fields)
    found = {re.split(r"[\s(:]", each.strip())[0] for each in wanted}
    return {each for each in found if each in packages and each not in LEFT_OUT}


def lay_out(tree):
    for path in DROPPED:
        remove(tree / path)
    for old, new in MOVED.items():
        if (tree / old).exists() and not (tree / old).is_symlink():
            merge(tree / old, tree / new)
    for unit in tree.glob("usr/lib/systemd/system/*"):
        if unit.is_file():
            unit.write_text(unit.read_text().replace("/etc/default/", "/etc/sysconfig/"))


def merge(old, new):
    new.parent.mkdir(parents=True, exist_ok=True)
    if old.is_dir():
        shutil.copytree(old, new, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(old)
    else:
        old.rename(new)


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def listed(tree):
    """The lines of %files: all files, and the directories that the image hasn't."""
    for path in sorted(tree.rglob("*")):
        name = str(path.relative_to(tree))
        attributes = next(
            (a for top, a in OWNED_DIRECTORIES.items() if f"{name}/".startswith(f"{top}/")), ""
        )
        if path.is_dir() and not path.is_symlink():
            if not Path("/", name).is_dir():
                yield f'%dir {attributes} "/{name}"'
        else:
            config = "%config(noreplace) " if name.startswith("etc/") else ""
            yield f'{config}"/{name}"'


def scriptlets(name, units):
    post = POST.get(name, "") + "ldconfig\n" + "".join(ENABLE.format(each) for each in units)
    parts = {"pre": PRE.get(name, ""), "post": post}
    if units:
        parts["preun"] = "".join(DISABLE.format(each) for each in units)
        parts["postun"] = RELOAD + "".join(RESTART.format(u) for u in units if u in RESTARTED)
    return "\n".join(f"%{each}\n{text}" for each, text in parts.items() if text)


def run(*command, **how):
    done = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, check=False, **how
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
