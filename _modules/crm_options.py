"""
Which cluster properties the installed Pacemaker knows, by what its own daemons say of themselves.
"""

import glob
import os
from xml.etree import ElementTree

# They have had other names before 2.0, and their directory is the distribution's choice
_DAEMONS = (
    ("pacemaker-schedulerd", "pengine"),
    ("pacemaker-controld", "crmd"),
    ("pacemaker-based", "cib"),
    ("pacemaker-fenced", "stonithd"),
)
_PLACES = (
    "/usr/libexec/pacemaker",
    "/usr/lib/pacemaker",
    "/usr/lib/*/pacemaker",
    "/usr/lib64/pacemaker",
)


def __virtual__():
    return True


def known():
    """
    The cluster properties that Pacemaker's daemons on this host have.

    Returns a sorted list of names; ``None`` where not all of them say.

    Source: ``pacemaker-schedulerd(7)`` and its like: the daemons' action ``metadata``.

    CLI Example:

    .. code-block:: bash

        salt cms1 crm_options.known
    """
    said = [_said_by(daemon) for daemon in _installed()]
    if len(said) < len(_DAEMONS) or not all(said):
        return None
    return sorted(set().union(*said))


def _installed():
    for own_names in _DAEMONS:
        paths = (
            path for place in _PLACES for name in own_names for path in glob.glob(f"{place}/{name}")
        )
        found = next((path for path in paths if os.access(path, os.X_OK)), None)
        if found:
            yield found


def _said_by(daemon):
    """The names of what a daemon can be told."""
    answer = __salt__["bounded.run"]([daemon, "metadata"])
    try:
        root = ElementTree.fromstring(answer["stdout"])
    except ElementTree.ParseError:
        return set()
    return {each.get("name") for each in root.iter("parameter")}
