"""
Fence agents, asked before a cluster counts on them; and the passwords that they read.
"""

import contextlib
import os
import re
import stat
import tempfile
import time

import salt.utils.files
import salt.utils.path
from salt.exceptions import CommandExecutionError

# Of an agent's status
_ON, _OFF = 0, 2
_SAYS_OFF = re.compile(r"^Status: OFF$", re.MULTILINE)
# What the fencer says after its devices, in words that have changed; and its own device
_COUNTED = re.compile(r"(?:no|\d+) (?:fence |fencing )?devices? found", re.IGNORECASE)
_OF_A_WATCHDOG = "watchdog"
# Pacemaker's program for agents of cluster-glue, and what it says when one fails: no more than that
_CALLS_PLUGINS = "fence_legacy"
_SAYS_NO = re.compile(r"failed: .* ?\d+$")
_MODE = 0o700
# Pacemaker's versions: that knows pcmk_delay_base; that prefers plug to port, where an agent knows both
_KNOWS_DELAY_BASE, _KNOWS_DELAYS_OF_NODES, _TAKES_PLUG = "1.1.18", "2.1.2", "3.0.2"
# What stands in the CIB for a secret that Pacemaker keeps
_KEPT_BY_PACEMAKER = "lrm://"
# Seconds for an agent: as long as Pacemaker's own monitor of a short device may take, a BMC can be slow
_PATIENCE = 60


def __virtual__():
    return True


def unproven(devices):
    """
    Those fence devices that the cluster doesn't have as they are declared, or doesn't count on, since fencing
    isn't on; and those whose password on this host isn't pillar's.

    devices
        Mapping by name, see ``cmha_fencing.devices``.

    Returns a list of names.

    CLI Example: none; parameters are secrets.
    """
    there = __utils__["cib.model"](__salt__["crm.query"]())["properties"]
    is_on = __utils__["cib_values.is_true"](there.get("stonith-enabled", "true"))
    changes = __salt__["crm.plan"](declared=_declared(devices))["changes"]
    touched = {path.split(":")[1] for path in changes}
    touched |= {name for name, kept in _passwords().items() if not _has(kept)}
    return [
        name
        for name, each in devices.items()
        if touched.intersection((name, *each["template"])) or (each["on"] and not is_on)
    ]


def _declared(devices):
    """As pillar declares them: a device of a template is compared with a device of a template."""
    found = {"primitives": {}, "templates": {}, "allow_unknown": []}
    for name, each in devices.items():
        found["primitives"][name] = each["primitive"]
        found["templates"].update(each["template"])
        found["allow_unknown"] = each["allow_unknown"]
    return {key: value for key, value in found.items() if value}


def leftovers(devices):
    """
    The parameters that the cluster has of devices that pillar declares in short, and pillar hasn't: Pacemaker
    goes on using them.

    devices
        See ``unproven``.

    Returns a list of pairs, device and parameter.

    CLI Example: none; parameters are secrets.
    """
    there = __utils__["cib.model"](__salt__["crm.query"]())["primitives"]
    return [
        (name, param)
        for name, each in devices.items()
        if each["short"]
        for param in there.get(name, {}).get("params", {})
        if param not in each["params"]
    ]


def unconfigured(xml=None):
    """
    The devices with which Pacemaker's fencer would fence from here, and which the configuration doesn't have:
    Pacemaker 2.0.5 can go on with one that was renamed.

    xml
        The CIB as text, for whoever has it already.

    Returns a list of names.

    Raises ``CommandExecutionError`` when the fencer doesn't say.

    Source: ``stonith_admin(8)``; Pacemaker's pull request 2262.

    CLI Example:

    .. code-block:: bash

        salt cms1 fencing.unconfigured
    """
    answer = __salt__["bounded.run"](["stonith_admin", "--list-registered"])
    said = answer["stdout"] + answer["stderr"]
    if answer["retcode"] != 0 and not _COUNTED.search(said):
        lines = " ".join(said.split())[:300]
        raise CommandExecutionError(
            f"{__grains__['id']}: stonith_admin --list-registered fails: {lines}"
        )
    held = {line.strip() for line in answer["stdout"].splitlines()} - {"", _OF_A_WATCHDOG}
    there = __utils__["cib.model"](xml or __salt__["crm.query"]())["primitives"]
    return sorted(
        name
        for name in held
        if not _COUNTED.fullmatch(name) and name.partition(":")[0] not in there
    )


def unknown(devices):
    """
    What the installed Pacemaker would pass over in fence devices: it knows ``pcmk_delay_base`` since 1.1.18,
    and one for each node since 2.1.2.

    devices
        See ``unproven``.

    Returns a list of lines.

    CLI Example: none; parameters are secrets.

    Source: Pacemaker's ChangeLog, 1.1.18 and 2.1.2.
    """
    version = __salt__["crm.version"]()
    said = {
        name: str(each["params"]["pcmk_delay_base"])
        for name, each in devices.items()
        if "pcmk_delay_base" in each["params"]
    }
    if not version or not said:
        return []
    is_before = __utils__["corosync_keys.is_before"]
    if is_before(version, _KNOWS_DELAY_BASE):
        what, instead = "pcmk_delay_base", "give one of both pcmk_delay_max"
    elif is_before(version, _KNOWS_DELAYS_OF_NODES):
        what, instead = "a pcmk_delay_base for each node", "give a plain one to one of both"
        said = {name: base for name, base in said.items() if ":" in base}
    else:
        return []
    return [
        f"{name} has {what}, which Pacemaker {version} doesn't know: when the network is cut, both hosts "
        f"would be fenced; {instead}"
        for name in said
    ]


def ask(  # noqa: PLR0917
    agent, params, target, device=None, online=True, seconds=_PATIENCE
):
    """
    Ask the agent of a fence device whether a node is on. Nothing is switched.

    agent
        As in a primitive: ``stonith:fence_ipmilan``.
    params
        The device's parameters. The agent reads them from its standard input, as from Pacemaker.
    target
        The node's name.
    device
        Its name, when the password is to be the one that pillar has, and not the one that this host keeps.
    online
        Whether the cluster has the node online: then it isn't off.
    seconds
        The most that it may take, on a host that isn't busy.

    Returns a mapping: ``works``, ``None`` for a device that isn't asked (an agent of another kind, a secret
    that Pacemaker keeps itself); ``why``, a line, where it doesn't work or wasn't asked; and ``late``,
    whether it was given up. An agent of cluster-glue says whether the device answers, and not whether the
    node is on.

    Source: ``fence_ipmilan(8)``, "STDIN PARAMETERS"; ``fence_legacy(8)``.

    CLI Example: none; parameters are secrets.
    """
    if any(str(value).startswith(_KEPT_BY_PACEMAKER) for value in params.values()):
        return _answer(
            None, f"{agent} isn't asked: its secrets are Pacemaker's (crm resource secret)"
        )
    program = __utils__["cmha_fencing.program"](agent)
    plugin = __utils__["cmha_fencing.plugin"](agent)
    if not program and not plugin:
        return _answer(None, f"{agent} isn't asked")
    path = salt.utils.path.which(program or _CALLS_PLUGINS)
    if path is None:
        return _answer(
            False, f"there is no {program or plugin}; name its package in cmha:fencing:packages"
        )
    known = list(__salt__["crm_agents.parameters"](agent) or {})
    twice = __utils__["cmha_fencing.plugs_twice"](params, known, _takes())
    if twice:
        return _answer(False, _twice_line(params, twice))
    with _with_password(params, device) as tried:
        if program:
            question = __utils__["cmha_fencing.question"](tried, target, known)
        else:
            question = __utils__["cmha_fencing.question_to_plugin"](agent, tried)
        limit = __salt__["bounded.stretched"](seconds)
        said = __salt__["bounded.run"]([path], stdin=question, seconds=limit)
    return _judged(said, params, target, online)


def _judged(said, params, target, online):
    # what Python itself can't start ends as who says OFF
    is_off = said["retcode"] == _OFF and _SAYS_OFF.search(said["stdout"])
    if said["retcode"] == _ON or (is_off and not online):
        return _answer(True)
    if is_off:
        return _answer(False, f"says that {target} is off, which is online: it is another host's")
    secrets = [kept["password"] for kept in _passwords().values()]
    line = __utils__["cmha_fencing.answer"](said["stderr"] or said["stdout"], params, secrets)
    if _SAYS_NO.match(line):
        line = "the device refuses, or doesn't answer; its agent says more in the system's log"
    return _answer(False, line, late=bool(said.get("late")))


def _takes():
    """Which name of two Pacemaker takes for an agent's plug."""
    version = __salt__["crm.version"]()
    old = version and __utils__["corosync_keys.is_before"](version, _TAKES_PLUG)
    return "port" if old else "plug"


def _twice_line(params, sent):
    (own,) = {"port", "plug"} - {sent}
    return (
        f"it has {own}={params[own]}, and Pacemaker would send {sent}, the node's name, beside it; add "
        f"pcmk_host_argument: {own}"
    )


def fence(node, seconds=180):
    """
    Have Pacemaker fence a node: its power is taken away, without a shutdown, and given back.

    node
        Its name.
    seconds
        The most that it may take.

    Returns a mapping: ``seconds``, how long it took, and ``said``, what Pacemaker remembers of it.

    Raises ``CommandExecutionError`` when it wasn't fenced.

    Source: ``stonith_admin(8)``.

    CLI Example:

    .. code-block:: bash

        salt cms2 fencing.fence cms1
    """
    began = time.monotonic()
    command = ["stonith_admin", "--reboot", node, "--timeout", str(seconds)]
    done = __salt__["bounded.run"](command, seconds=seconds + 10)
    took = time.monotonic() - began
    if done.get("late"):
        raise CommandExecutionError(
            f"{__grains__['id']}: nobody knows yet whether {node} was fenced: Pacemaker is still at it after "
            f"{took:.0f} s; see stonith_admin --history {node}"
        )
    if done["retcode"] != 0:
        said = __utils__["cmha_fencing.answer"](done["stderr"] or done["stdout"], {})
        raise CommandExecutionError(f"{__grains__['id']}: {node} wasn't fenced: {said}")
    history = __salt__["bounded.run"](["stonith_admin", "--history", node])
    lines = [line.strip() for line in history["stdout"].splitlines() if node in line]
    return {"seconds": took, "said": lines[0] if lines else "Pacemaker remembers nothing of it"}


def confirm_off(node):
    """
    Tell Pacemaker that a node, whose end it waits for, has no power, as a person has seen.

    node
        Its name.

    Raises ``CommandExecutionError`` when Pacemaker doesn't take that.

    Source: ``stonith_admin(8)``, "--confirm".

    CLI Example:

    .. code-block:: bash

        salt cms2 fencing.confirm_off cms1
    """
    answer = __salt__["bounded.run"](["stonith_admin", "--confirm", node])
    if answer["retcode"] != 0:
        said = __utils__["cmha_fencing.answer"](answer["stderr"] or answer["stdout"], {})
        raise CommandExecutionError(
            f"{__grains__['id']}: Pacemaker doesn't take it that {node} is off: {said}"
        )


def keep_passwords():
    """
    Keep the passwords of fence devices on this host, each in a file that root alone may read: a program that
    prints it, where the agent runs one. Files of devices that are no more are removed.

    Returns a list of the files that weren't there as pillar has them, or are no more.

    CLI Example:

    .. code-block:: bash

        salt cms1 fencing.keep_passwords
    """
    wanted = {kept["file"]: kept["content"] for kept in _passwords().values()}
    changed = unkept_passwords()
    try:
        for name in changed:
            if name in wanted:
                _put(_path(name), wanted[name])
            else:
                os.unlink(_path(name))
    except OSError as error:
        raise CommandExecutionError(
            f"{__grains__['id']}: {error.filename}: {error.strerror}; the password can't be kept there"
        ) from None
    return changed


def unkept_passwords():
    """
    The files that ``keep_passwords`` would write, or remove.

    CLI Example:

    .. code-block:: bash

        salt cms1 fencing.unkept_passwords
    """
    wanted = list(_passwords().values())
    return [
        *(kept["file"] for kept in wanted if not _has(kept)),
        *_strangers({kept["file"] for kept in wanted}),
    ]


def missing_passwords():
    """
    The devices of which this host has no password at all, as after a new disk.

    CLI Example:

    .. code-block:: bash

        salt cms1 fencing.missing_passwords
    """
    return [name for name, kept in _passwords().items() if _read(_path(kept["file"])) is None]


def _answer(works, why=None, late=False):
    return {"works": works, "why": why, "late": late}


def _passwords():
    pillar = __pillar__.get("cmha")
    if not pillar:
        return {}
    return __utils__["cmha_fencing.passwords"](pillar, __grains__["id"])


@contextlib.contextmanager
def _with_password(params, device):
    """The parameters with which a device is tried: pillar's password comes from a file, as it will."""
    name, kept = __utils__["cmha_fence_passwords.reads_file"](params), _passwords().get(device)
    if name is None or kept is None:
        yield params
        return
    tried = _put_beside(_path(kept["file"]), kept["content"])
    try:
        yield {**params, name: tried}
    finally:
        os.unlink(tried)


def _path(name):
    return os.path.join(__utils__["cmha_fence_passwords.place"](), name)


def _strangers(wanted):
    """Files of cmha's, of devices that are no more; what somebody else has put there stays."""
    try:
        there = os.listdir(__utils__["cmha_fence_passwords.place"]())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in set(there) - wanted if _is_ours(name))


def _is_ours(name):
    content = _read(_path(name))
    return content is not None and __utils__["cmha_fence_passwords.is_ours"](name, content)


def _has(kept):
    path = _path(kept["file"])
    if _read(path) != kept["content"]:
        return False
    return stat.S_IMODE(os.stat(path).st_mode) == _MODE


def _read(path):
    try:
        with salt.utils.files.fopen(path, "r", encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, UnicodeDecodeError):
        return None


def _put(path, content):
    os.replace(_put_beside(path, content), path)


def _put_beside(path, content):
    """A file of another name beside a path, which nobody else may read from the first moment on."""
    os.makedirs(os.path.dirname(path), mode=_MODE, exist_ok=True)
    handle, new = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, _MODE)
            file.write(content)
            file.flush()
            os.fsync(handle)
    except BaseException:
        os.unlink(new)
        raise
    return new
