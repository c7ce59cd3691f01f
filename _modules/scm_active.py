"""
What Cloudera Manager Server's log says of its claim on the database. Since 5.7 a server that finds another
one's fresh claim ends itself, after its init script has said that all is well.
"""

import os
import re
import time

import salt.utils.files

_LOG = "/var/log/{0}/{0}.log"
_END = 65536  # bytes of the log's end that are read
# What was written earlier says nothing of now
_RECENT = 600

_OWNED = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\b.*The database is owned by (?P<owner>\S+)",
    re.MULTILINE,
)


def __virtual__():
    return True


def owner(service):
    """
    Who owned the database when this host's server ended itself for that, in the last ten minutes.

    service
        Name of the service.

    Returns a host's name, as the log has it, or ``None``.

    Source: Cloudera's documentation, "Cloudera Manager Failover Protection".

    CLI Example:

    .. code-block:: bash

        salt cms2 scm_active.owner cloudera-scm-server
    """
    try:
        with salt.utils.files.fopen(_LOG.format(service), "rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(log.tell() - _END, 0))
            said = list(_OWNED.finditer(log.read().decode(errors="replace")))
    except OSError:
        return None
    if not said:
        return None
    try:
        written = time.mktime(time.strptime(said[-1]["time"], "%Y-%m-%d %H:%M:%S"))
    except ValueError:
        return None
    return said[-1]["owner"] if abs(time.time() - written) < _RECENT else None
