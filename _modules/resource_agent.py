"""
Call a resource agent's monitor by hand, as the guide does before the resource is configured.
"""

import os

import salt.utils.path
from salt.exceptions import CommandExecutionError

__virtualname__ = "resource_agent"

# Pacemaker's OCF_ROOT; the path is the guide's.
_OCF_ROOT = "/usr/lib/ocf"
_INIT_SCRIPTS = "/etc/init.d"
_OCF_ANSWERS = {0: "running", 7: "stopped"}
# LSB 5, Init Script Actions
_LSB_ANSWERS = {0: "running", 3: "stopped"}


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


def _ocf_path(name):
    provider, _, kind = name.partition(":")
    return os.path.join(_OCF_ROOT, "resource.d", provider, kind)


def _ocf(name, params):
    path, kind = _ocf_path(name), name.rpartition(":")[2]
    _need(path, f"ocf:{name}")
    environment = {f"OCF_RESKEY_{key}": str(value) for key, value in params.items()}
    environment.update(OCF_ROOT=_OCF_ROOT, OCF_RESOURCE_INSTANCE=f"{kind}-by-hand")
    return _answer([path, "monitor"], _OCF_ANSWERS, environment)


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
    done = __salt__["cmd.run_all"](
        command, python_shell=False, ignore_retcode=True, env=environment, output_loglevel="quiet"
    )
    if done["retcode"] not in answers:
        said = (done["stderr"] or done["stdout"]).strip().splitlines() or ["nothing"]
        raise CommandExecutionError(
            f"{' '.join(command)} on {__grains__['id']} answers neither running nor stopped: "
            f"exit code {done['retcode']}, {said[-1]}"
        )
    return answers[done["retcode"]]
