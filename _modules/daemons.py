"""
The packages of daemons: which versions are there, and which shall be; and that they start nothing meanwhile.
And their processes: which hang, which are gone, and an end that is waited for.
"""

import contextlib
import os
import re
import time

import salt.utils.files
import salt.utils.systemd
from salt.exceptions import CommandExecutionError

# Whom invoke-rc.d(8) asks whether a package may start its daemon, and where somebody else's is meanwhile.
_POLICY = "/usr/sbin/policy-rc.d"
_THEIRS = f"{_POLICY}.not-cmha"

_PROC = "/proc"
# What pacemakerd starts, since 2.0 and before; the kernel cuts names
_SINCE_2 = (
    "pacemaker-based",
    "pacemaker-fenced",
    "pacemaker-execd",
    "pacemaker-attrd",
    "pacemaker-schedulerd",
    "pacemaker-controld",
)
_BEFORE_2 = ("cib", "stonithd", "lrmd", "attrd", "pengine", "crmd")
_CLUSTERS_OWN = re.compile(
    "|".join((r"corosync|corosync-qdevi\S*|pacemakerd|pacemaker-\S+", *_BEFORE_2))
)
_COMM = 15
_RESPAWN = 5  # seconds
_ENDED = ("inactive", "failed")  # systemd's states of a unit of which nothing runs

# Names the process that wrote it: what a killed installation leaves behind forbids nothing.
_ANSWER = """\
#!/bin/sh
# Written by Salt (cmha), process {pid}, which removes it when it has installed {names}.
for word; do
    case $word in
        {pattern}) ! kill -0 {pid} 2>/dev/null || exit 101 ;;
    esac
done
[ ! -x {theirs} ] || exec {theirs} "$@"
"""


def __virtual__():
    return True


def other_versions(versions):
    """
    The packages that are installed in another version than they shall be.

    versions
        Mapping of package name to version, as the package manager spells it.

    Returns ``{name: {'old': installed version, 'new': version}}``.

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.other_versions '{corosync: "3.1.7-1+deb12u1"}'
    """
    installed = {name: __salt__["pkg.version"](name) for name in versions}
    return {
        name: {"old": installed[name], "new": version}
        for name, version in versions.items()
        if installed[name] and installed[name] != version
    }


def not_in_repositories(versions):
    """
    The packages that no repository of this host has in the version that they shall have, after the package
    index was read anew.

    versions
        Mapping of package name to version, as the package manager spells it.

    Returns a list of names.

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.not_in_repositories '{corosync: "3.1.7-1+deb12u1"}'
    """
    if not versions:
        return []
    __salt__["pkg.refresh_db"]()
    there = __salt__["pkg.list_repo_pkgs"](*versions)
    return [name for name, version in versions.items() if version not in there.get(name, [])]


def to_come(name, wanted=None):
    """
    The version of a daemon that the installation of its package would bring here, without the package's own
    part, or None when the package manager doesn't know any, or there is no time to ask it (see
    ``bounded.hurry``).

    name
        The package.
    wanted
        The version that pillar wants, spelt as the package manager does; the default is the newest.

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.to_come corosync
    """
    package = wanted or _newest_package(name)
    found = re.match(r"(?:[0-9]+:)?([0-9]+(?:\.[0-9]+)*)", package)
    return found and found.group(1)


def _newest_package(name):
    if __salt__["bounded.hurried"]():
        return ""  # a mirror that is away may take minutes
    # no package manager that Salt knows, or none that answers: installing will say so
    with contextlib.suppress(KeyError, OSError, CommandExecutionError):
        return __salt__["pkg.latest_version"](name, refresh=False) or ""
    return ""


def missing():
    """
    Pacemaker's daemons that don't run on this host while pacemakerd, which starts them, and Corosync do: it
    can give one up that ended when the CIB manager died, and then can't be stopped in less than 20 minutes.
    One that is being started again is waited for. Without Corosync pacemakerd starts none until that is back,
    and can be stopped.

    Returns a list of names.

    Source: proc(5); Pacemaker's daemons/pacemakerd, "Not respawning", "until cluster returns".

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.missing
    """
    end = time.monotonic() + _RESPAWN
    while True:
        there = {name for name, state in _processes() if state != "Z"}
        if not {"pacemakerd", "corosync"} <= there:
            return []
        wanted = next((each for each in (_SINCE_2, _BEFORE_2) if there.intersection(each)), ())
        gone = [name for name in wanted if name[:_COMM] not in there]
        if not gone or time.monotonic() > end:
            return gone
        time.sleep(0.2)


def hanging():
    """
    The cluster's daemons on this host that are stopped as by a signal or a debugger: they are there, and
    answer nobody.

    Returns a list of names, as the kernel has them, which cuts them at 15 characters.

    Source: proc(5), state.

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.hanging
    """
    return sorted(
        {name for name, state in _processes() if _CLUSTERS_OWN.fullmatch(name) and state in "Tt"}
    )


def _processes():
    """Name and state of each process, as the kernel has them."""
    for process in filter(str.isdigit, os.listdir(_PROC)):
        try:
            with salt.utils.files.fopen(f"{_PROC}/{process}/stat", errors="replace") as file:
                # its name, in brackets, may hold anything
                before, _, after = file.read().rpartition(")")
        except OSError:
            continue  # it has ended meanwhile
        yield before.partition("(")[2], after.split()[0]


def stop(name, seconds=180):
    """
    Stop a daemon, and see that it has ended. In a cluster that is in maintenance mode that takes seconds.
    systemd by itself waits half an hour for a Pacemaker that waits for something.

    name
        The name of its service.
    seconds
        How long it is waited for. Where systemd doesn't run, for as long as the init script does.

    Returns ``True``. Raises CommandExecutionError when it hasn't ended by then; it may end later.

    Source: systemctl(1), ActiveState: ``deactivating`` isn't stopped.

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.stop pacemaker
    """
    if not salt.utils.systemd.booted():
        if __salt__["service.status"](name) and not __salt__["service.stop"](name):
            raise CommandExecutionError(f"{name} doesn't stop on {__grains__['id']}; see its log")
        return True
    if _has_ended(name):
        return True
    __salt__["service.stop"](name, no_block=True)
    end = time.monotonic() + seconds
    while not _has_ended(name):
        if time.monotonic() > end:
            raise CommandExecutionError(
                f"{__grains__['id']}: {name} was told to stop {seconds:g} s ago and still runs; it may end "
                f"by itself: systemctl status {name} there shows what it waits for"
            )
        time.sleep(0.2)
    return True


def _has_ended(name):
    return __salt__["service.show"](name).get("ActiveState") in _ENDED


def hold_back(daemons):
    """
    Have the scripts of Debian's packages start none of these daemons, where there is no systemd that could
    be told so. Ends with ``release``, or with this process.

    daemons
        A list of names.

    Source: invoke-rc.d(8); README.policy-rc.d of Debian's package init-system-helpers.

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.hold_back '[corosync, pacemaker]'
    """
    release()
    if os.path.lexists(_POLICY):
        os.rename(_POLICY, _THEIRS)
    answer = _ANSWER.format(
        pid=os.getpid(), names=" and ".join(daemons), pattern="|".join(daemons), theirs=_THEIRS
    )
    with salt.utils.files.fopen(_POLICY, "w") as policy:
        policy.write(answer)
    os.chmod(_POLICY, 0o755)


def release():
    """
    The end of ``hold_back``: whoever was asked before is asked again.

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.release
    """
    if os.path.lexists(_THEIRS):
        os.replace(_THEIRS, _POLICY)
    elif _is_ours():
        os.remove(_POLICY)


def _is_ours():
    try:
        with salt.utils.files.fopen(_POLICY) as policy:
            return "Salt (cmha)" in policy.read()
    except FileNotFoundError:
        return False
