"""
The quorum device of this node's cluster (corosync-qdevice), and the certificate by which it is known to
corosync-qnetd.

A node makes its key itself, and the key never leaves it: only the request and the certificate travel.

Source: corosync-qdevice(8), corosync-qdevice-net-certutil(8), corosync-qdevice-tool(8),
corosync-quorumtool(8).
"""

import base64
import contextlib
import os
import re
import shutil
import socket
import tempfile

import salt.utils.files
import salt.utils.path
from salt.exceptions import CommandExecutionError

_DIRECTORY = "/etc/corosync/qdevice/net/nssdb"
_AUTHORITY, _OWN = "QNet CA", "Cluster Cert"
_REQUEST = f"{_DIRECTORY}/qdevice-net-node.crq"
_CERTUTIL = "corosync-qdevice-net-certutil"


def __virtual__():
    return True


def certified(cluster_name, authority=None):
    """
    Whether this node has a certificate for its cluster.

    cluster_name
        The cluster's name, which the certificate has to bear.
    authority
        The certificate of corosync-qnetd's authority, in base64; with it, whether this one issued it.

    CLI Example:

    .. code-block:: bash

        salt cms1 qdevice.certified cmf
    """
    own = _certificate(_OWN)
    if own is None or not re.search(rf'Subject: "CN={re.escape(cluster_name)}"', own):
        return False
    return authority is None or _der(_AUTHORITY) == authority


def request(cluster_name, authority):
    """
    Begin with a new database: trust an authority, make a key, and ask for a certificate. A database that was
    there is set aside, beside the new one.

    cluster_name
        The cluster's name.
    authority
        The certificate of corosync-qnetd's authority, in base64.

    Returns the request, in base64. Raises CommandExecutionError when Corosync's tool makes none.

    CLI Example:

    .. code-block:: bash

        salt cms1 qdevice.request cmf MIID…
    """
    if os.path.isdir(_DIRECTORY):
        shutil.rmtree(f"{_DIRECTORY}.replaced", ignore_errors=True)
        os.rename(_DIRECTORY, f"{_DIRECTORY}.replaced")
    with _file(authority) as path:
        _need(_CERTUTIL, "-i", "-c", path)
    _need(_CERTUTIL, "-r", "-n", cluster_name)
    # its exit code is 0 whatever becomes of it
    if not os.path.exists(_REQUEST) or not os.path.getsize(_REQUEST):
        raise CommandExecutionError(
            f"{__grains__['id']}: {_CERTUTIL} -r made no request; see NSS's certutil"
        )
    with salt.utils.files.fopen(_REQUEST, "rb") as file:
        return base64.b64encode(file.read()).decode()


def accept(certificate, cluster_name):
    """
    Take the certificate that corosync-qnetd's authority made of this node's request.

    A corosync-qdevice that runs and doesn't vote is restarted, since it reads certificates only when it
    starts. One that votes has its line already: it is left alone, for without its vote a node whose peer is
    down would have no quorum.

    certificate
        In base64.
    cluster_name
        The cluster's name, which the certificate has to bear.

    Returns ``True``. Raises CommandExecutionError when Corosync's tool takes it not, or the daemon doesn't
    start again.

    CLI Example:

    .. code-block:: bash

        salt cms1 qdevice.accept MIID… cmf
    """
    with _file(certificate) as path:
        _need(_CERTUTIL, "-M", "-c", path)
    if not certified(cluster_name):
        raise CommandExecutionError(
            f"{__grains__['id']}: {_CERTUTIL} -M took no certificate of {cluster_name}; see NSS's certutil"
        )
    daemon = __utils__["cmha_platform.service"]("corosync-qdevice", __grains__.get("init"))
    silent = __salt__["service.status"](daemon) and not status()["votes"]
    if silent and not __salt__["service.restart"](daemon):
        raise CommandExecutionError(
            f"{daemon} doesn't start again on {__grains__['id']}; see its log"
        )
    return True


def status():
    """
    How the quorum device is, as this node sees it.

    Returns a mapping: ``state`` (``Connected``, another word of corosync-qdevice-tool(8), or why there is
    none), ``tls`` (whether the connection is encrypted) and ``votes`` (whether Corosync counts its vote for
    this node).

    CLI Example:

    .. code-block:: bash

        salt cms1 qdevice.status
    """
    said = _run("corosync-qdevice-tool", "-sv")
    if said["retcode"] != 0:
        lines = (said["stderr"] or said["stdout"]).split("\n")
        return {"state": lines[0].strip() or "unknown", "tls": False, "votes": False}
    return {
        "state": _value(said["stdout"], "State"),
        "tls": _value(said["stdout"], "TLS active").startswith("Yes"),
        "votes": _votes(_run("corosync-quorumtool", "-s")["stdout"]),
    }


def reaches(host, port, timeout=2):
    """
    Whether corosync-qnetd answers this node: ``None``, or why it doesn't.

    host
        Its address or name.
    port
        Its TCP port.
    timeout
        Seconds to wait for it.

    CLI Example:

    .. code-block:: bash

        salt cms1 qdevice.reaches 192.0.2.2 5403
    """
    try:
        socket.create_connection((host, int(port)), timeout=float(timeout)).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _value(text, name):
    found = re.search(rf"^{name}:\s*(.*?)\s*$", text, re.MULTILINE)
    return found.group(1) if found else "unknown"


def _votes(text):
    # The line of this node, "1 1 A,V,NMW cms1 (local)": the device is alive and votes
    found = re.search(r"^\s*\d+\s+\d+\s+(\S+)\s.*\(local\)\s*$", text, re.MULTILINE)
    return bool(found) and {"A", "V"} <= set(found.group(1).split(","))


def _certificate(nickname, *options):
    if not os.path.isdir(_DIRECTORY):
        return None
    said = _run("certutil", "-L", "-d", _DIRECTORY, "-n", nickname, *options)
    return said["stdout"] if said["retcode"] == 0 else None


def _der(nickname):
    """A certificate in base64, without the lines around it."""
    lines = (_certificate(nickname, "-a") or "").splitlines()
    return "".join(line.strip() for line in lines if not line.startswith("-----"))


@contextlib.contextmanager
def _file(content):
    """The path of a file with a content that is given in base64."""
    with tempfile.NamedTemporaryFile(prefix="cmha-") as file:
        file.write(base64.b64decode(content))
        file.flush()
        yield file.name


def _need(*command):
    said = _run(*command)
    if said["retcode"] != 0:
        lines = " ".join((said["stderr"] or said["stdout"]).split())
        raise CommandExecutionError(f"{__grains__['id']}: {command[0]} {command[1]} fails: {lines}")


def _run(*command):
    if not salt.utils.path.which(command[0]):
        return {"retcode": 127, "stdout": "", "stderr": f"{command[0]} isn't installed"}
    return __salt__["bounded.run"](list(command))
