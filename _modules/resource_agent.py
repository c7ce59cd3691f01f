"""
Call a resource agent's monitor by hand, as the guide does before the resource is configured.
"""

import contextlib
import os
import re

import salt.utils.files
import salt.utils.path
from salt.exceptions import CommandExecutionError

__virtualname__ = "resource_agent"

# Pacemaker's OCF_ROOT; the path is the guide's.
_OCF_ROOT = "/usr/lib/ocf"
_INIT_SCRIPTS = "/etc/init.d"
_OCF_ANSWERS = {0: "running", 7: "stopped"}
# LSB 5, Init Script Actions
_LSB_ANSWERS = {0: "running", 3: "stopped"}
# dead and a pid file is there; dead and a lock file is there; not running
_LSB_DEAD = dict.fromkeys((1, 2, 3), False)
# OCF's success, and not implemented
_VALID = (0, 3)


def __virtual__():
    return __virtualname__


def monitor(agent, params=None):
    """
    Ask a resource agent on this host whether its service runs.

    agent
        ``ocf:PROVIDER:TYPE``, ``lsb:NAME`` or ``systemd:UNIT``, as in a primitive.
    params
        The parameters of an ocf agent, a mapping.

    Returns ``running`` or ``stopped``.

    Raises CommandExecutionError when the agent isn't there, or answers neither.

    CLI Example:

    .. code-block:: bash

        salt mgmt1 resource_agent.monitor ocf:cm:agent
    """
    standard, _, rest = agent.partition(":")
    asking = {"ocf": _ocf, "lsb": _lsb, "systemd": _service, "service": _service}
    if standard not in asking:
        raise CommandExecutionError(
            f"resource agent {agent}: can ask {', '.join(asking)}, not {standard}"
        )
    return asking[standard](rest, params or {})


def installed(agent):
    """
    Whether a resource agent is on this host. Starts no process, but for systemd's units.

    agent
        As in a primitive: ``ocf:PROVIDER:TYPE``, ``lsb:NAME``, ``systemd:UNIT``, ``stonith:TYPE``.

    A kind of agent that can't be looked up in the file system counts as installed.

    CLI Example:

    .. code-block:: bash

        salt mgmt1 resource_agent.installed ocf:heartbeat:IPaddr2
    """
    standard, _, rest = agent.partition(":")
    if standard == "ocf":
        return os.access(_ocf_path(rest), os.X_OK)
    if standard == "lsb":
        return os.access(os.path.join(_INIT_SCRIPTS, rest), os.X_OK)
    if standard == "systemd":
        return __salt__["service.available"](rest)
    if standard == "stonith" and rest.startswith("fence_"):
        return bool(salt.utils.path.which(rest))
    return True


def runs(agent, params=None):
    """
    Whether a resource agent's service runs on this host, for who wants to know and not to judge the agent: a
    service that is dead doesn't run, also where its script has another exit code for that than Pacemaker
    wants.

    agent, params
        See ``monitor``.

    Returns a mapping: ``running``, a boolean, or ``None`` when nobody can tell; ``text``, what was said.

    CLI Example:

    .. code-block:: bash

        salt cms1 resource_agent.runs lsb:cloudera-scm-server
    """
    standard, _, rest = agent.partition(":")
    try:
        if standard == "lsb":
            return _seen_by_script(rest)
        return {"running": monitor(agent, params) == "running", "text": ""}
    except CommandExecutionError as error:
        return {"running": None, "text": str(error)}


def fault(agent, params=None, service=None):
    """
    Why a resource agent couldn't start its service on this host, as far as that is seen beforehand: the agent
    isn't there or may not be executed, its unit is masked, or it finds its own parameters wrong.

    agent, params
        See ``monitor``.
    service
        Name of the service that it starts; the default is what an lsb or systemd agent is called.

    Returns a line, or ``None``.

    CLI Example:

    .. code-block:: bash

        salt cms2 resource_agent.fault ocf:cm:agent
    """
    standard, _, rest = agent.partition(":")
    if standard in ("lsb", "ocf"):
        broken = _broken_script(agent, params or {})
        if broken:
            return broken
    elif standard in ("systemd", "service") and not __salt__["service.available"](rest):
        return f"{agent} isn't there: no unit {rest}"
    # init scripts, too, pass on to systemd
    service = service or (rest if standard in ("lsb", "systemd", "service") else None)
    if service and _is_masked(service):
        return f"{service} is masked; systemctl unmask {service}"
    return None


def _is_masked(service):
    return __grains__.get("init") == "systemd" and __salt__["service.masked"](service)


def frozen(service):
    """
    Whether the main process of a service is stopped, as by a signal or a debugger: it is there, and does
    nothing.

    service
        Its name.

    Returns a text, or ``None``.

    Source: proc(5), state; systemctl(1), MainPID; the files in /run where init scripts note it.

    CLI Example:

    .. code-block:: bash

        salt mgmt1 resource_agent.frozen cloudera-scm-agent
    """
    for pid in _main_processes(service):
        with (
            contextlib.suppress(OSError),
            salt.utils.files.fopen(f"/proc/{pid}/stat", errors="replace") as stat,
        ):
            # its name, in brackets, may hold anything
            if stat.read().rpartition(")")[2].split()[0] in "Tt":
                return f"its process {pid} is stopped"
    return None


def _main_processes(service):
    found = set()
    if __grains__.get("init") == "systemd":
        show = ["systemctl", "show", "--property=MainPID", f"{service}.service"]
        found.add(__salt__["bounded.run"](show)["stdout"].partition("=")[2].strip())
    for note in (f"/run/{service}/{service}.pid", f"/run/{service}.pid"):
        with contextlib.suppress(OSError, UnicodeError), salt.utils.files.fopen(note) as file:
            found.add(file.read(20).strip())
    return {pid for pid in found if pid.isdecimal() and pid != "0"}


def _invalid(path, name, params):
    said = __salt__["bounded.run"]([path, "validate-all"], env=_ocf_environment(name, params))
    if said["retcode"] in _VALID or said.get(
        "late"
    ):  # who says nothing, says nothing of its fitness
        return None
    return f"ocf:{name} finds itself unfit: exit code {said['retcode']}, {_last_line(said)}"


def _seen_by_script(name):
    """What an init script says of its service."""
    path = os.path.join(_INIT_SCRIPTS, name)
    if _is_masked(name):  # Debian's init scripts then say 0 to everything
        return {"running": bool(__salt__["service.status"](name)), "text": "is masked"}
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        why = "is empty" if os.path.exists(path) else "is not there"
        return {"running": None, "text": f"{path} {why}"}
    said = __salt__["bounded.run"]([path, "status"])
    if _is_broken(path, said):
        return {"running": None, "text": f"{path} can't be run: {_last_line(said)}"}
    return _told(said, {0: True, **_LSB_DEAD})


def _broken_script(agent, params):
    """Why the file of an lsb or ocf agent can't do its work."""
    standard, _, name = agent.partition(":")
    path = os.path.join(_INIT_SCRIPTS, name) if standard == "lsb" else _ocf_path(name)
    if not os.path.exists(path):
        return f"{agent} isn't there: no {path}"
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        return f"{agent} can't be executed: {path}"
    if os.path.getsize(path) == 0:  # and says with success that it runs, whatever one asks
        return f"{agent} is empty: {path}"
    if standard == "ocf":
        return _invalid(path, name, params)
    said = __salt__["bounded.run"]([path, "status"])
    return f"{agent} can't be run: {_last_line(said)}" if _is_broken(path, said) else None


def _is_broken(path, answer):
    """
    Whether a script says nothing of its service, since the system, or its shell, can't run it to its end: the
    shell then says where in the script, in words of its own.
    """
    if answer["retcode"] in (126, 127):
        return True
    by_the_shell = re.search(rf"^{re.escape(path)}: (line )?\d+: ", answer["stderr"], re.MULTILINE)
    return answer["retcode"] in (1, 2) and bool(by_the_shell)


def _told(answer, meanings):
    code, text = answer["retcode"], _last_line(answer)
    if code not in meanings:
        text = f"exit code {code}, {text}"
    return {"running": meanings.get(code), "text": text}


def _ocf_path(name):
    provider, _, kind = name.partition(":")
    return os.path.join(_OCF_ROOT, "resource.d", provider, kind)


def _ocf(name, params):
    path = _ocf_path(name)
    _need(path, f"ocf:{name}")
    return _answer([path, "monitor"], _OCF_ANSWERS, _ocf_environment(name, params))


def _ocf_environment(name, params):
    kind = name.rpartition(":")[2]
    given = {f"OCF_RESKEY_{key}": str(value) for key, value in params.items()}
    return {**given, "OCF_ROOT": _OCF_ROOT, "OCF_RESOURCE_INSTANCE": f"{kind}-by-hand"}


def _lsb(name, _):
    path = os.path.join(_INIT_SCRIPTS, name)
    _need(path, f"lsb:{name}", f"; if it is a unit of systemd, say agent: systemd:{name} in pillar")
    return _answer([path, "status"], _LSB_ANSWERS)


def _service(name, _):
    if not __salt__["service.available"](name):
        raise CommandExecutionError(f"no service {name} on {__grains__['id']}; install it first")
    return "running" if __salt__["service.status"](name) else "stopped"


def _need(path, agent, hint=""):
    if not os.access(path, os.X_OK):
        raise CommandExecutionError(
            f"resource agent {agent}: {path} is not there or not executable on "
            f"{__grains__['id']}{hint}"
        )


def _answer(command, answers, environment=None):
    done = __salt__["bounded.run"](command, env=environment)
    if done["retcode"] not in answers:
        raise CommandExecutionError(
            f"{' '.join(command)} on {__grains__['id']} answers neither running nor stopped: "
            f"exit code {done['retcode']}, {_last_line(done)}"
        )
    return answers[done["retcode"]]


def _last_line(answer):
    """What a command said last."""
    return ((answer["stderr"] or answer["stdout"]).strip().splitlines() or ["nothing"])[-1]
