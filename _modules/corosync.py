"""
Corosync on this host: its version, its membership, and whose cluster it is.

Works with Corosync 1.4 to 3.1.
"""

import contextlib
import hashlib
import ipaddress
import json
import os
import re
import select
import socket
import stat
import tempfile
import time

import salt.utils.files
import salt.utils.path
from salt.exceptions import CommandExecutionError

# corosync-cmapctl(8) since 2.0; corosync-objctl(8) in 1.x.
_MAP_READERS = ("corosync-cmapctl", "corosync-objctl")

CONF = "/etc/corosync/corosync.conf"

KEY_FILE = "/etc/corosync/authkey"
_OWNER = "0:0"

# How long Corosync may take to hold a reloaded file, in seconds.
_RELOAD_TIME = 10

# What two hosts say to each other while they try whether they can: "I am here", and "I hear you".
_HERE, _HEARD = b"cmha: here", b"cmha: heard"
_BETWEEN_WORDS = 0.2

# Which key a running Corosync has that was placed below it, see _remember_held
_HELD = "/var/run/cmha-authkey"

_PROC = "/proc"

_SECRET = "(secret)"

# Where it is noted, in Corosync's own memory, what it didn't take in
_MAP_WRITER = "corosync-cmapctl"
_REFUSED = "runtime.cmha.refused"
_NOTED_REFUSED = re.compile(r"^runtime\.cmha\.refused \(str\) = (?P<values>.*)$", re.MULTILINE)

# Where Pacemaker keeps its configuration.
_CIB = "/var/lib/pacemaker/cib"

# cmap_keys(7): runtime.members since 3.0, runtime.totem.pg.mrp.srp.members before.
_MEMBER = re.compile(
    r"^runtime\.(?:totem\.pg\.mrp\.srp\.)?members\.(\d+)\.(ip|status)(?: \(str\))?\s*=\s*(.*)$"
)


def __virtual__():
    return True


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
        raise CommandExecutionError(f"corosync -v on {__grains__['id']} names no version: {seen!r}")
    return found.group(1)


def generation(default, known=None):
    """
    The generation of Corosync: 1, 2, or 3 for 3.x and later.

    default
        The answer when nobody knows its version.
    known
        Its version; the default is that of the installed one.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.generation 3
    """
    known = known or version()
    if known is None:
        return default
    return min(int(known.split(".")[0]), 3)


def running():
    """
    Whether Corosync runs here and answers.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.running
    """
    return _map() is not None


def cmap():
    """
    What the running Corosync holds, as its tool prints it, a key a line; empty when none runs here.

    Raises ``CommandExecutionError`` when it is there, and doesn't answer in time.

    Source: corosync-cmapctl(8); corosync-objctl(8) in 1.x.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.cmap
    """
    return _map() or ""


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


def pending(text=None, key=None, at_rest=False):
    """
    What the running Corosync holds otherwise than corosync.conf and the key file say, so that it counts only
    after a reload or a restart.

    text
        Content of a corosync.conf; the default is that of the file on this host.
    key
        SHA-256 of a key, in hexadecimal; the default is that of the file on this host.
    at_rest
        Where Corosync doesn't run, compare with what it would start with, the files on this host.

    Returns a mapping: ``changes`` (``{key: {'old': …, 'new': …}}``, keys as in cmap_keys(7);
    ``totem.authkey`` stands for the key, which isn't shown) and ``way``, see ``corosync_conf.way``. Where
    Corosync doesn't run, nothing is pending: the next start takes all in.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.pending
    """
    running = _map()
    wanted = __utils__["corosync_conf.keys"](conf() if text is None else text)
    if running is not None:
        held = __utils__["corosync_conf.memory"](running)
    elif at_rest:
        held = __utils__["corosync_conf.keys"](conf())
    else:
        return {"changes": {}, "way": None}
    changes = __utils__["corosync_conf.difference"](held, wanted)
    if all(map(_authenticator(), (held, wanted))):
        path = wanted.get("totem.keyfile", KEY_FILE)
        if _held_digest(path) != (key or _digest(path)):
            changes["totem.authkey"] = {"old": _SECRET, "new": _SECRET}
    return {"changes": changes, "way": __utils__["corosync_conf.way"](changes, wanted)}


def refused():
    """
    What the running Corosync didn't take in though it was started with it: another restart wouldn't help.

    Returns a mapping of key, as in cmap_keys(7), to value; empty where nothing is known of that.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.refused
    """
    return _refused(_map())


def _refused(running):
    noted = _NOTED_REFUSED.search(running or "")
    try:
        found = json.loads(noted["values"]) if noted else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def note_refused():
    """
    After a start: note in the memory of the running Corosync, and so for as long as it runs, what it holds
    otherwise than corosync.conf says.

    Returns the changes that are pending, as ``pending`` does.

    Source: ``corosync-cmapctl(8)``. Corosync 1.x notes nothing.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.note_refused
    """
    changes = pending()["changes"]
    values = {key: change["new"] for key, change in changes.items() if change["new"] != _SECRET}
    if values != refused() and salt.utils.path.which(_MAP_WRITER):
        _run(_MAP_WRITER, "-s", _REFUSED, "str", json.dumps(values))
    return changes


def _authenticator():
    """Tells of keys in memory whether Corosync authenticates by them."""
    here = generation(3)

    def authenticates(keys):
        totem = {key[len("totem.") :]: keys[key] for key in keys if key.startswith("totem.")}
        return __utils__["corosync_totem.is_authenticated"](totem, here)

    return authenticates


def authkey(path=KEY_FILE):
    """
    What would change if the key that pillar has for this host were placed. Shows no key.

    path
        The key file.

    Returns a mapping: ``in_pillar`` and ``there``, whether there is a key in pillar and on this host;
    ``changes``, ``{'key': {'old': '(secret)' or None, 'new': '(secret)'}, 'mode': {…}, 'owner': {…}}``, empty
    without a key in pillar. Raises CommandExecutionError when pillar has something else than a key.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.authkey
    """
    key, there = _pillar_key(), os.path.exists(path)
    found = {"in_pillar": key is not None, "there": there, "changes": {}}
    if key is None:
        return found
    if _digest(path) != hashlib.sha256(key).hexdigest():
        found["changes"]["key"] = {"old": _SECRET if there else None, "new": _SECRET}
    if there:
        seen = os.stat(path)
        mode, owner = f"{stat.S_IMODE(seen.st_mode):04o}", f"{seen.st_uid}:{seen.st_gid}"
        if mode != "0400":
            found["changes"]["mode"] = {"old": mode, "new": "0400"}
        if owner != _OWNER:
            found["changes"]["owner"] = {"old": owner, "new": _OWNER}
    return found


def place_authkey(path=KEY_FILE):
    """
    Place the key that pillar has for this host: at once as a whole, readable by root alone. A running
    Corosync goes on with the key that it has.

    path
        The key file.

    Returns what has changed, as ``authkey`` does.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.place_authkey
    """
    changes = authkey(path)["changes"]
    if changes:
        if "key" in changes:
            # first: should this end between the two, the running key isn't taken for the new one
            _remember_held(_digest(path))
        _put(path, _pillar_key())
    return changes


def _pillar_key():
    try:
        return __utils__["cmha_site.authkey"](__pillar__["cmha"], __grains__["id"])
    except ValueError as error:
        raise CommandExecutionError(str(error)) from None


def _put(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # readable by nobody else, from the first moment on
    handle, new = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}-")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o400)
            os.fchown(handle, *(int(number) for number in _OWNER.split(":")))
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise


def _digest(path):
    try:
        with salt.utils.files.fopen(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return None


def _remember_held(digest):
    """
    Remember which key the Corosync has that runs here, before another is placed.

    Corosync reads the key when it starts, and tells nobody which it was. The file's time against the start of
    the process would say, if no clock were ever set; so would a note at each start, if nobody else started
    Corosync. What is left: only here the file changes, so who runs at that time has what was there before,
    until it ends. It is known by its process id and its start since boot.
    """
    running = _processes()
    # with the same process as at the last change, what it has is noted already
    if running and not running & _held()["processes"]:
        note = {"processes": sorted(running), "digest": digest}
        _put(_HELD, json.dumps(note).encode())


def _held_digest(path):
    held = _held()
    return held["digest"] if held["processes"] & _processes() else _digest(path)


def _held():
    try:
        with salt.utils.files.fopen(_HELD) as file:
            note = json.load(file)
    except (FileNotFoundError, ValueError):
        return {"processes": set(), "digest": None}
    return {**note, "processes": set(note["processes"])}


def _processes():
    """The Corosyncs that run here, each by this boot, its process id and its start since boot (proc(5))."""
    boot = _content("sys/kernel/random/boot_id")
    found = set()
    for process in filter(str.isdigit, os.listdir(_PROC)):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if _content(f"{process}/comm") == "corosync":
                # its name, in brackets, may hold anything
                start = _content(f"{process}/stat").rpartition(")")[2].split()[19]
                found.add(f"{boot} {process} {start}")
    return found


def _content(path):
    with salt.utils.files.fopen(f"{_PROC}/{path}") as file:
        return file.read().strip()


def conf():
    """
    Content of this host's corosync.conf; empty when there is none.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.conf
    """
    if not os.path.exists(CONF):
        return ""
    if not os.path.isfile(CONF):
        raise CommandExecutionError(f"{CONF} is no file; move it away")
    with salt.utils.files.fopen(CONF) as file:
        return file.read()


def shows_key():
    """
    Whether this host's corosync.conf has Corosync's key in it, see ``corosync_conf.shows_key``.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.shows_key
    """
    return __utils__["corosync_conf.shows_key"](conf())


def reload():
    """
    Let the Corosync of every host of the cluster read its corosync.conf again, and wait until this host's
    holds all that can be changed at run-time.

    Returns what is still pending, as ``pending`` does. Raises CommandExecutionError when Corosync refuses.

    Source: corosync-cfgtool(8).

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.reload
    """
    answer = _run("corosync-cfgtool", "-R")
    # 1.x doesn't know the option, says so, and exits with 0
    if answer["retcode"] != 0 or "invalid option" in answer["stderr"]:
        said = " ".join((answer["stderr"] or answer["stdout"]).split())
        raise CommandExecutionError(
            f"{__grains__['id']}: Corosync doesn't reload corosync.conf: {said}"
        )
    end = time.monotonic() + _RELOAD_TIME
    while (left := pending())["changes"] and time.monotonic() < end:
        time.sleep(0.2)
    return left


def stop():
    """
    Stop Pacemaker and Corosync on this host, while the services that they manage run on.

    That is so in maintenance mode; without it this refuses, since Pacemaker would stop them.

    Returns ``True``. Raises CommandExecutionError when the cluster isn't in maintenance mode, or a daemon
    doesn't stop.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.stop
    """
    if __salt__["crm.running"]() and not __salt__["crm.status"]()["maintenance"]:
        raise CommandExecutionError(
            f"{__grains__['id']}: the cluster isn't in maintenance mode; "
            "to stop it would stop what it manages"
        )
    gone = __salt__["daemons.missing"]()
    if gone:
        raise CommandExecutionError(
            f"{__grains__['id']}: Pacemaker can't be stopped while its {' and '.join(gone)} doesn't run: see "
            "salt-run cmha.status; nothing was stopped"
        )
    _stop_daemons()
    return True


def reaches(own, peer, ports, seconds=5):
    """
    Whether this host and its peer hear each other on Corosync's UDP ports, tried with packets while no
    Corosync runs. Both have to try at the same time.

    own
        This host's address.
    peer
        The peer's address.
    ports
        List of ports.
    seconds
        How long to try.

    Returns a mapping of port to ``heard`` (both directions work), ``silent``, ``one way`` (the peer's
    packets come, and ours don't reach it), or why nothing could be tried.

    CLI Example:

    .. code-block:: bash

        salt -L cms1,cms2 corosync.reaches …
    """
    tried = {int(port): "silent" for port in ports}
    with contextlib.ExitStack() as stack:
        lines = {}
        for port in tried:
            try:
                lines[stack.enter_context(_line(own, port))] = port
            except OSError as error:
                tried[port] = f"can't be used on {own}: {error.strerror}"
        _converse(lines, peer, seconds, tried)
    return {str(port): outcome for port, outcome in tried.items()}


def _line(own, port):
    line = socket.socket(socket.AF_INET6 if ":" in own else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        line.bind((own, port))
    except OSError:
        line.close()
        raise
    return line


def _converse(lines, peer, seconds, tried):
    """Say what is heard, on each line, until both sides hear each other on all, or the time is over."""
    end = time.monotonic() + seconds
    while lines and time.monotonic() < end:
        for line, port in lines.items():
            with contextlib.suppress(OSError):  # a firewall's way to say no
                line.sendto(_HERE if tried[port] == "silent" else _HEARD, (peer, port))
        for line in select.select(list(lines), [], [], _BETWEEN_WORDS)[0]:
            word, (sender, *_) = line.recvfrom(64)
            if sender == peer and tried[lines[line]] != "heard":
                outcome = {_HERE: "one way", _HEARD: "heard"}.get(word)
                tried[lines[line]] = outcome or tried[lines[line]]
        if all(tried[port] == "heard" for port in lines.values()):
            # the peer may still wait for the word that it is heard
            end = min(end, time.monotonic() + 2 * _BETWEEN_WORDS)


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
    _stop_daemons()
    return _set_cib_aside("cib-packaged-") if os.path.isdir(_CIB) else None


def remains(key_file=KEY_FILE):
    """
    What makes this host a member of a cluster: a list of the paths that are there, of corosync.conf, its key
    and Pacemaker's configuration.

    key_file
        Where Corosync's key is.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.remains
    """
    found = [path for path in (CONF, key_file) if os.path.exists(path)]
    return found + ([_CIB] if os.path.isdir(_CIB) and os.listdir(_CIB) else [])


def set_aside(key_file=KEY_FILE):
    """
    Set aside what ``remains`` lists, beside where it was.

    key_file
        See ``remains``.

    Returns ``{path: {'old': 'there', 'new': where it is now}}``.

    CLI Example:

    .. code-block:: bash

        salt cms1 corosync.set_aside
    """
    moved = {}
    for path in remains(key_file):
        if path == _CIB:
            aside = _set_cib_aside("cib-removed-")
        else:
            aside = f"{path}.removed"
            os.replace(path, aside)
        moved[path] = {"old": "there", "new": aside}
    return moved


def _set_cib_aside(prefix):
    owner = os.stat(_CIB)
    aside = tempfile.mkdtemp(prefix=prefix, dir=os.path.dirname(_CIB))
    os.rename(_CIB, aside)
    os.mkdir(_CIB)
    os.chown(_CIB, owner.st_uid, owner.st_gid)
    os.chmod(_CIB, stat.S_IMODE(owner.st_mode))
    return aside


def _stop_daemons():
    device = __utils__["cmha_platform.service"]("corosync-qdevice", __grains__.get("init"))
    for daemon in ("pacemaker", device, "corosync"):
        __salt__["daemons.stop"](daemon)


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
            if answer.get("late"):
                raise CommandExecutionError(
                    f"{__grains__['id']}: Corosync hangs: {answer['stderr']}"
                )
            return answer["stdout"] if answer["retcode"] == 0 else None
    return None


def _run(*command):
    return __salt__["bounded.run"](list(command))
