"""
Call a resource agent's monitor by hand, as the guide does before the resource is configured.
"""

import contextlib
import os
import re

import salt.utils.files
import salt.utils.path
from salt.exceptions import CommandExecutionError

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
# As systemctl is-active counts
_ACTIVE = ("active", "reloading", "refreshing")


def __virtual__():
    return True


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
        return _unit(rest, agent)["there"] is not False
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
    unit = _unit(_service_of(agent), agent)
    return _told_of(agent, params or {}, unit, _script_status(agent, unit))


def seen(agent, params=None, service=None):
    """
    As ``runs``, and whether the agent could start its service, and what its process does. Each of them is
    asked once.

    agent, params
        See ``monitor``.
    service
        Name of the service that it starts; the default is what an lsb or systemd agent is called.

    Returns what ``runs`` does, and:

    - ``fault``: why the agent couldn't start its service on this host, as far as that is seen beforehand:
      it isn't there or may not be executed, its unit is masked, or it finds its own parameters wrong; or
      ``None``
    - ``frozen``: how the service's main process is there and does nothing, stopped by a signal or a debugger;
      or ``None``

    Source: ``systemctl(1)``, show; ``proc(5)``, state; the files in /run where init scripts note a process.

    CLI Example:

    .. code-block:: bash

        salt cms2 resource_agent.seen ocf:cm:agent service=cloudera-scm-agent
    """
    params, service = params or {}, service or _service_of(agent)
    unit = _unit(service, agent)
    said = _script_status(agent, unit)
    return {
        **_told_of(agent, params, unit, said),
        "fault": _fault(agent, params, unit, said),
        "frozen": _frozen(service, unit) if service else None,
    }


def _service_of(agent):
    standard, _, name = agent.partition(":")
    return name if standard in ("lsb", "systemd", "service") else None


# --- the unit ------------------------------------------------------------------------------------


def _unit(service, agent):
    """
    What the host's service manager knows of the service that an agent starts: ``name``; ``there``, ``active``
    and ``masked``; ``pid``, of its main process, or "0"; ``late``, that it doesn't answer. Salt's module
    ``service`` asks without a limit: only where there is no systemd, and no script that is asked itself.
    """
    unknown = {"name": service, "there": None, "active": None, "masked": False, "pid": "0"}
    if service is None:
        return unknown
    if __grains__.get("init") != "systemd":
        if agent.partition(":")[0] in ("lsb", "ocf"):
            return unknown
        there = __salt__["service.available"](service)
        return {**unknown, "there": there, "active": there and __salt__["service.status"](service)}
    asked = ("LoadState", "ActiveState", "MainPID")
    show = ["systemctl", "show", *(f"--property={each}" for each in asked), f"{service}.service"]
    answer = __salt__["bounded.run"](show)
    told = dict(line.split("=", 1) for line in answer["stdout"].splitlines() if "=" in line)
    if not {"LoadState", "ActiveState"} <= set(told):
        return {**unknown, "late": f"systemd doesn't tell of {service}: {_last_line(answer)}"}
    return {
        "name": service,
        "there": told["LoadState"] not in ("not-found", "error", "bad-setting"),
        "active": told["ActiveState"] in _ACTIVE,
        "masked": told["LoadState"] == "masked",
        "pid": told.get("MainPID", "0"),
    }


def _frozen(service, unit):
    for pid in _main_processes(service, unit):
        with (
            contextlib.suppress(OSError),
            salt.utils.files.fopen(f"/proc/{pid}/stat", errors="replace") as stat,
        ):
            # its name, in brackets, may hold anything
            if stat.read().rpartition(")")[2].split()[0] in "Tt":
                return f"its process {pid} is stopped"
    return None


def _main_processes(service, unit):
    found = {unit["pid"]}
    for note in (f"/run/{service}/{service}.pid", f"/run/{service}.pid"):
        with contextlib.suppress(OSError, UnicodeError), salt.utils.files.fopen(note) as file:
            found.add(file.read(20).strip())
    return {pid for pid in found if pid.isdecimal() and pid != "0"}


# --- the agent -----------------------------------------------------------------------------------


def _script_status(agent, unit):
    """
    What the script of an lsb agent says of its service, as ``bounded.run`` returns it. ``None`` where there
    is none that could be asked; of a masked unit Debian's scripts say 0 to everything.
    """
    standard, _, name = agent.partition(":")
    path = os.path.join(_INIT_SCRIPTS, name)
    if standard != "lsb" or unit["masked"] or _why_no_script(path):
        return None
    return __salt__["bounded.run"]([path, "status"])


def _told_of(agent, params, unit, said):
    """Whether its service runs, and in which words; see ``runs``."""
    standard, _, name = agent.partition(":")
    if standard == "lsb":
        return _told_by_script(os.path.join(_INIT_SCRIPTS, name), unit, said)
    if standard in ("systemd", "service"):
        return {"running": unit["active"] if unit["there"] else None, "text": _why_unknown(unit)}
    try:
        return {"running": monitor(agent, params) == "running", "text": ""}
    except CommandExecutionError as error:
        return {"running": None, "text": str(error)}


def _why_unknown(unit):
    if unit["there"]:
        return ""
    return unit.get("late") or f"no service {unit['name']} on {__grains__['id']}; install it first"


def _told_by_script(path, unit, said):
    if unit["masked"]:
        return {"running": unit["active"], "text": "is masked"}
    if said is None:
        return {"running": None, "text": f"{path} {_why_no_script(path)}"}
    if _is_broken(path, said):
        return {"running": None, "text": f"{path} can't be run: {_last_line(said)}"}
    code, text = said["retcode"], _last_line(said)
    running = {0: True, **_LSB_DEAD}.get(code)
    return {"running": running, "text": f"exit code {code}, {text}" if running is None else text}


def _fault(agent, params, unit, said):
    standard, _, name = agent.partition(":")
    if standard in ("lsb", "ocf"):
        broken = _broken_script(agent, params, said)
        if broken:
            return broken
    elif standard in ("systemd", "service") and unit["there"] is False:
        return f"{agent} isn't there: no unit {name}"
    # init scripts, too, pass on to systemd
    if unit["masked"]:
        return f"{unit['name']} is masked; systemctl unmask {unit['name']}"
    return unit.get("late")


def _broken_script(agent, params, said):
    """Why the file of an lsb or ocf agent can't do its work."""
    standard, _, name = agent.partition(":")
    path = os.path.join(_INIT_SCRIPTS, name) if standard == "lsb" else _ocf_path(name)
    why = _why_no_script(path)
    if why:
        return f"{agent} {why}: {path}"
    if standard == "ocf":
        return _invalid(path, name, params)
    return f"{agent} can't be run: {_last_line(said)}" if said and _is_broken(path, said) else None


def _why_no_script(path):
    if not os.path.exists(path):
        return "isn't there"
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        return "can't be executed"
    # it says with success that its service runs, whatever one asks
    return None if os.path.getsize(path) else "is empty"


def _invalid(path, name, params):
    said = __salt__["bounded.run"]([path, "validate-all"], env=_ocf_environment(name, params))
    # who says nothing, says nothing of its fitness
    if said["retcode"] in _VALID or said.get("late"):
        return None
    return f"ocf:{name} finds itself unfit: exit code {said['retcode']}, {_last_line(said)}"


def _is_broken(path, answer):
    """
    Whether a script says nothing of its service, since the system, or its shell, can't run it to its end: the
    shell then says where in the script, in words of its own.
    """
    if answer["retcode"] in (126, 127):
        return True
    by_the_shell = re.search(rf"^{re.escape(path)}: (line )?\d+: ", answer["stderr"], re.MULTILINE)
    return answer["retcode"] in (1, 2) and bool(by_the_shell)


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
    unit = _unit(name, f"service:{name}")
    if not unit["there"]:
        raise CommandExecutionError(_why_unknown(unit))
    return "running" if unit["active"] else "stopped"


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
