"""
SBD, which ends its host by a watchdog: whether it suits what a cluster shall count on. It is set up by hand.
"""

import os
import re

import salt.utils.files

# Where a distribution keeps its settings, and where its process says that it runs
_SETTINGS = ("/etc/sysconfig/sbd", "/etc/default/sbd")
_PID = ("/run/sbd.pid", "/var/run/sbd.pid")
_PROC = "/proc"
_SERVICE = "sbd"

_TIMEOUT = "stonith-watchdog-timeout"


def __virtual__():
    return True


def unfit(properties, starts=False):
    """
    Why Pacemaker would end itself on this host, and all that runs there with it, when the cluster has these
    properties: it does where it is to count on a watchdog, and SBD doesn't run, or needs longer.

    properties
        The cluster's properties, by name.
    starts
        Corosync is still to start here, and SBD with it.

    Returns a list of lines.

    Source: Pacemaker's lib/common/watchdog.c; ``sbd(8)``.

    CLI Example:

    .. code-block:: bash

        salt cms1 sbd.unfit '{stonith-watchdog-timeout: 10s}'
    """
    wanted = timeout(properties)
    if not wanted:
        return []
    name, value = _said(properties)
    there = __salt__["service.enabled"](_SERVICE) if starts else running()
    if not there:
        doing = "start with Corosync" if starts else "run"
        return [
            f"{name} is {value}, and SBD doesn't {doing} here: Pacemaker would end itself; set SBD up first, "
            "see sbd(8), or take it out of pillar"
        ]
    needs = __utils__["cib_values.duration"](_setting("SBD_WATCHDOG_TIMEOUT", "5"))
    if isinstance(wanted, int) and isinstance(needs, int) and 0 < wanted <= needs:
        return [
            f"{name} is {value}, and SBD's watchdog here needs {needs / 1000:g} s (SBD_WATCHDOG_TIMEOUT): "
            "Pacemaker would end itself, or start elsewhere what may still run here; make it twice as long"
        ]
    return []


def timeout(properties):
    """
    After how long a cluster with these properties takes it that a watchdog has ended a host.

    properties
        The cluster's properties, by name.

    Returns milliseconds, 0 where it doesn't count on any; the text where that is no number for all versions
    of Pacemaker.

    CLI Example:

    .. code-block:: bash

        salt cms1 sbd.timeout '{stonith-watchdog-timeout: 10s}'
    """
    return __utils__["cib_values.duration"](str(_said(properties)[1]))


def _said(properties):
    """The property, under the name that it has here, and its value."""
    property_name = __utils__["cib_values.property_name"]
    said = (each for each in properties.items() if property_name(each[0]) == _TIMEOUT)
    return next(said, (_TIMEOUT, "0"))


def running():
    """
    Whether SBD runs on this host.

    CLI Example:

    .. code-block:: bash

        salt cms1 sbd.running
    """
    pid = _first_line(_PID)
    if not pid.isdigit():
        return False
    return _first_line([os.path.join(_PROC, pid, "comm")]) == "sbd"


def _setting(name, default):
    """One of SBD's settings, which a shell would read."""
    found = default
    for line in _read(_SETTINGS).splitlines():
        said = re.fullmatch(rf"\s*(?:export\s+)?{name}=(.*?)\s*(?:#.*)?", line)
        if said:
            found = said.group(1).strip("\"'") or default
    return found


def _first_line(paths):
    return _read(paths).partition("\n")[0].strip()


def _read(paths):
    for path in paths:
        try:
            with salt.utils.files.fopen(path, "r", errors="replace") as file:
                return file.read()
        except OSError:
            continue
    return ""
