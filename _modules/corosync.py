"""
Corosync on this host: its version, its membership, and whose cluster it is.

Works with Corosync 1.4 to 3.1.
"""

import ipaddress
import os
import re
import stat
import tempfile

import salt.utils.path
from salt.exceptions import CommandExecutionError

__virtualname__ = "corosync"

# corosync-cmapctl(8) since 2.0; corosync-objctl(8) in 1.x.
_MAP_READERS = ("corosync-cmapctl", "corosync-objctl")

# Where Pacemaker keeps its configuration.
_CIB = "/var/lib/pacemaker/cib"

# cmap_keys(7): runtime.members since 3.0, runtime.totem.pg.mrp.srp.members before.
_MEMBER = re.compile(
    r"^runtime\.(?:totem\.pg\.mrp\.srp\.)?members\.(\d+)\.(ip|status)(?: \(str\))?\s*=\s*(.*)$"
)


def __virtual__():
    return __virtualname__


def version():
    """
    The version of the installed Corosync, as text, or None when it isn't installed.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.version
    """
    if not salt.utils.path.which("corosync"):
        return None
    seen = _run("corosync", "-v")["stdout"]
    found = re.search(r"version '?(\d[^'\s]*)", seen)
    if not found:
        raise CommandExecutionError(f"corosync -v on {_host()} names no version: {seen!r}")
    return found.group(1)


def generation(default):
    """
    Which corosync.conf the installed Corosync reads: 1, or 2 for 2.x and later.

    default
        The answer when Corosync isn't installed yet.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.generation 2
    """
    installed = version()
    if installed is None:
        return default
    return 1 if installed.startswith("1.") else 2


def running():
    """
    Whether Corosync runs here and answers.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.running
    """
    return _map() is not None


def members():
    """
    The members that Corosync sees, as a mapping from nodeid (int) to ``address`` and ``status``
    (``joined`` or ``left``); empty when Corosync doesn't run here.

    Source: cmap_keys(7), runtime.members; the guide's ``corosync-objctl | grep member``.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.members
    """
    found = {}
    for line in (_map() or "").splitlines():
        match = _MEMBER.match(line)
        if match:
            nodeid, key, value = match.groups()
            member = found.setdefault(int(nodeid), {"address": "", "status": ""})
            if key == "ip":
                member["address"] = _address(value)
            else:
                member["status"] = value.strip()
    return found


def cluster(nodes):
    """
    Whose cluster this host has: what runs here, or what its CIB on disk remembers.

    nodes
        The nodes of the pair, a list of mappings with ``name`` and ``address``.

    Returns a mapping:

    ``is``
        ``none`` (no cluster was ever here), ``this pair``, ``packaged`` (the one-node cluster that Debian's
        packages start: on a loopback address, without resources), or ``another``.
    ``runs``
        The same when Corosync runs, else ``none``.
    ``seen``
        What led to the answer, as text.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.cluster '[{name: cms1, address: 192.0.2.11}, {name: cms2, address: 192.0.2.12}]'
    """
    up = running()
    addresses = {member["address"] for member in members().values()}
    cib = __salt__["crm.query"]()
    known = set(__utils__["cib.nodes"](cib))
    answer = _whose(
        nodes, up, addresses, known, has_resources=bool(__utils__["cib.model"](cib)["primitives"])
    )
    seen = f"nodes in the CIB: {_listed(known)}; members: {_listed(addresses)}"
    return {"is": answer, "runs": answer if up else "none", "seen": seen}


def _whose(nodes, up, addresses, known, has_resources):
    names_fit = known <= {node["name"] for node in nodes}
    addresses_fit = addresses <= {node["address"] for node in nodes}
    if not up and not known:
        return "none"
    if names_fit and addresses_fit:
        return "this pair"
    alone = len(known) <= 1 and all(_is_loopback(address) for address in addresses)
    return "packaged" if alone and not has_resources else "another"


def remove_packaged_cluster():
    """
    Stop the cluster that runs here and set its CIB aside, so that the next start begins with none.

    Meant for the one-node cluster that Debian's packages start; ask ``cluster`` first.

    Returns the directory that holds the old CIB now, or None when there was none. Raises
    CommandExecutionError when a daemon doesn't stop.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.remove_packaged_cluster
    """
    for daemon in ("pacemaker", "corosync"):
        if __salt__["service.status"](daemon) and not __salt__["service.stop"](daemon):
            raise CommandExecutionError(f"{daemon} doesn't stop on {_host()}; see its log")
    if not os.path.isdir(_CIB):
        return None
    owner = os.stat(_CIB)
    aside = tempfile.mkdtemp(prefix="cib-packaged-", dir=os.path.dirname(_CIB))
    os.rename(_CIB, aside)
    os.mkdir(_CIB)
    os.chown(_CIB, owner.st_uid, owner.st_gid)
    os.chmod(_CIB, stat.S_IMODE(owner.st_mode))
    return aside


def _is_loopback(address):
    return ipaddress.ip_address(address).is_loopback


def _listed(names):
    return ", ".join(sorted(names)) or "none"


def _address(value):
    # r(0) ip(192.0.2.11) r(1) ip(198.51.100.11): the first ring's.
    found = re.search(r"ip\(([^)]*)\)", value)
    return found.group(1) if found else value.strip()


def _map():
    for reader in _MAP_READERS:
        if salt.utils.path.which(reader):
            answer = _run(reader)
            return answer["stdout"] if answer["retcode"] == 0 else None
    return None


def _run(*command):
    return __salt__["cmd.run_all"](
        list(command), python_shell=False, ignore_retcode=True, output_loglevel="debug"
    )


def _host():
    return __grains__["id"]
