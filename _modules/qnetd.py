"""
corosync-qnetd on this host, the third vote of other hosts' clusters: its authority, which certifies their
nodes.

Source: corosync-qnetd(8), corosync-qnetd-certutil(8).
"""

import base64
import contextlib
import fcntl
import os
import re
import tempfile

import salt.utils.files
from salt.exceptions import CommandExecutionError

_DIRECTORY = "/etc/corosync/qnetd/nssdb"
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def __virtual__():
    return True


def authority():
    """
    The certificate of this host's authority, in base64, without the lines around it.

    Raises CommandExecutionError when there is none.

    CLI Example:

    .. code-block:: bash

        salt qnetd.example.com qnetd.authority
    """
    text = _read(f"{_DIRECTORY}/qnetd-cacert.crt").decode()
    _, _, armoured = text.partition(_BEGIN)  # people can read what is above it
    return "".join(armoured.partition(_END)[0].split())


def sign(request, cluster_name):
    """
    Make a certificate of a node's request.

    request
        What ``qdevice.request`` returned on the node, in base64.
    cluster_name
        The name of the node's cluster.

    Returns the certificate, in base64. Raises CommandExecutionError when Corosync's tool makes none.

    CLI Example:

    .. code-block:: bash

        salt qnetd.example.com qnetd.sign MIIC… cmf
    """
    if not _NAME.fullmatch(cluster_name):
        raise CommandExecutionError(f"{__grains__['id']}: {cluster_name!r} is no cluster_name")
    signed = f"{_DIRECTORY}/cluster-{cluster_name}.crt"
    with contextlib.suppress(FileNotFoundError):
        # an earlier node's: the tool's exit code is 0 whatever becomes of it, so the outcome has to tell
        os.unlink(signed)
    with _alone(), tempfile.NamedTemporaryFile(prefix="cmha-") as file:
        file.write(base64.b64decode(request))
        file.flush()
        said = __salt__["bounded.run"](
            ["corosync-qnetd-certutil", "-s", "-c", file.name, "-n", cluster_name]
        )
    if said["retcode"] != 0 or not os.path.exists(signed) or not os.path.getsize(signed):
        lines = " ".join((said["stderr"] or said["stdout"]).split())
        raise CommandExecutionError(
            f"{__grains__['id']}: corosync-qnetd-certutil doesn't sign: {lines}"
        )
    return base64.b64encode(_read(signed)).decode()


@contextlib.contextmanager
def _alone():
    """Corosync's tool counts serial numbers without a lock: two pairs at once would get the same one, which
    NSS refuses."""
    if not os.path.isdir(_DIRECTORY):  # the tool says what is wrong
        yield
        return
    directory = os.open(_DIRECTORY, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _read(path):
    try:
        with salt.utils.files.fopen(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise CommandExecutionError(
            f"{__grains__['id']}: no authority of corosync-qnetd here ({path}: {error.strerror}); run "
            "corosync-qnetd-certutil -i"
        ) from None
