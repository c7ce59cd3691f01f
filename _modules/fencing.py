"""
Fence agents, asked before a cluster counts on them; and the passwords that they read.
"""

import contextlib
import logging
import os
import re
import stat
import tempfile
import time

import salt.utils.files
import salt.utils.path
from salt.exceptions import CommandExecutionError

log = logging.getLogger(__name__)

# Of an agent's status
_ON, _OFF = 0, 2
_SAYS_OFF = re.compile(r"^Status: OFF$", re.MULTILINE)
_MODE = 0o700
_KNOWS_DELAY_BASE = "1.1.18"
# Seconds for an agent: as long as Pacemaker's own monitor of a short device may take, a BMC can be slow
_PATIENCE = 60


def __virtual__():
    return True


def unproven(devices):
    """
    Those fence devices that the cluster doesn't have as they are declared, and those whose password on this
    host isn't pillar's.

    devices
        Mapping by name, see ``cmha_fencing.devices``.

    Returns a list of names.

    CLI Example: none; parameters are secrets.
    """
    declared = {
        name: {"agent": each["agent"], "params": each["params"]} for name, each in devices.items()
    }
    changes = __salt__["crm.plan"](declared={"primitives": declared})["changes"]
    touched = {path.split(":")[1] for path in changes}
    touched |= {name for name, password in _passwords().items() if not _has(name, password)}
    return [name for name in devices if name in touched]


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


def unknown(devices):
    """
    What the installed Pacemaker would pass over in fence devices: it knows ``pcmk_delay_base`` since 1.1.18.

    devices
        See ``unproven``.

    Returns a list of lines.

    CLI Example: none; parameters are secrets.

    Source: Pacemaker's ChangeLog, 1.1.18.
    """
    version = __salt__["crm.version"]()
    if not version or not __utils__["corosync_keys.is_before"](version, _KNOWS_DELAY_BASE):
        return []
    return [
        f"{name} has pcmk_delay_base, which Pacemaker {version} doesn't know: when the network is cut, both "
        "hosts would be fenced; give one of both pcmk_delay_max"
        for name, each in devices.items()
        if "pcmk_delay_base" in each["params"]
    ]


def ask(agent, params, target, device=None, seconds=_PATIENCE):
    """
    Ask the agent of a fence device whether a node that is online is on. Nothing is switched.

    agent
        As in a primitive: ``stonith:fence_ipmilan``.
    params
        The device's parameters. The agent reads them from its standard input, as from Pacemaker.
    target
        The node's name.
    device
        Its name, when the password is to be the one that pillar has, and not the one that this host keeps.
    seconds
        The most that it may take.

    Returns a mapping: ``works``, ``None`` for an agent that isn't asked (one of cluster-glue); ``why``, a
    line, where it doesn't work or wasn't asked; and ``late``, whether it was given up.

    Source: ``fence_ipmilan(8)``, "STDIN PARAMETERS".

    CLI Example: none; parameters are secrets.
    """
    program = __utils__["cmha_fencing.program"](agent)
    if program is None:
        return _answer(None, f"{agent} isn't asked")
    path = salt.utils.path.which(program)
    if path is None:
        return _answer(False, f"there is no {program}; name its package in cmha:fencing:packages")
    with _with_password(params, device) as tried:
        known = __salt__["crm_agents.parameters"](agent) or {}
        question = __utils__["cmha_fencing.question"](tried, target, list(known))
        said = __salt__["bounded.run"]([path], stdin=question, seconds=seconds)
    if said["retcode"] == _ON:
        return _answer(True)
    # what Python itself can't start ends so, too
    if said["retcode"] == _OFF and _SAYS_OFF.search(said["stdout"]):
        return _answer(False, f"says that {target} is off, which is online: it is another host's")
    secrets = list(_passwords().values())
    line = __utils__["cmha_fencing.answer"](said["stderr"] or said["stdout"], params, secrets)
    return _answer(False, line, late=bool(said.get("late")))


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
    if done["retcode"] != 0:
        said = __utils__["cmha_fencing.answer"](done["stderr"] or done["stdout"], {})
        raise CommandExecutionError(f"{__grains__['id']}: {node} wasn't fenced: {said}")
    history = __salt__["bounded.run"](["stonith_admin", "--history", node])
    lines = [line.strip() for line in history["stdout"].splitlines() if node in line]
    return {"seconds": took, "said": lines[0] if lines else "Pacemaker remembers nothing of it"}


def keep_passwords():
    """
    Keep the passwords of fence devices on this host, each in a program that root alone may read, and that
    prints it. Programs of devices that are no more are removed.

    Returns a list of the devices whose password wasn't there as pillar has it, or is no more.

    CLI Example:

    .. code-block:: bash

        salt cms1 fencing.keep_passwords
    """
    wanted = _passwords()
    changed = [device for device, password in wanted.items() if not _has(device, password)]
    try:
        for device in changed:
            _put(_path(device), __utils__["cmha_fencing.script"](wanted[device]))
        for device in _strangers(wanted):
            os.unlink(_path(device))
            changed.append(device)
    except OSError as error:
        raise CommandExecutionError(
            f"{__grains__['id']}: {error.filename}: {error.strerror}; the password can't be kept there"
        ) from None
    return changed


def unkept_passwords():
    """
    The devices whose password ``keep_passwords`` would write, or remove.

    CLI Example:

    .. code-block:: bash

        salt cms1 fencing.unkept_passwords
    """
    wanted = _passwords()
    return [
        *(device for device, password in wanted.items() if not _has(device, password)),
        *_strangers(wanted),
    ]


def _answer(works, why=None, late=False):
    return {"works": works, "why": why, "late": late}


def _passwords():
    pillar = __pillar__.get("cmha")
    if not pillar:
        return {}
    return __utils__["cmha_fencing.passwords"](pillar, __grains__["id"])


@contextlib.contextmanager
def _with_password(params, device):
    """The parameters with which a device is tried: pillar's password comes from a program, as it will."""
    name, password = __utils__["cmha_fencing.reads_program"](params), _passwords().get(device)
    if not device or name is None or password is None:
        yield params
        return
    tried = _put_beside(_path(device), __utils__["cmha_fencing.script"](password))
    try:
        yield {**params, name: tried}
    finally:
        os.unlink(tried)


def _path(device):
    return os.path.join(__utils__["cmha_fencing.place"](), device)


def _strangers(wanted):
    try:
        there = os.listdir(__utils__["cmha_fencing.place"]())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(set(there) - set(wanted))


def _has(device, password):
    try:
        with salt.utils.files.fopen(_path(device), "r", encoding="utf-8") as file:
            there = file.read()
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return False
    return there == __utils__["cmha_fencing.script"](password) and mode == _MODE


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
