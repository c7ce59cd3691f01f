"""What can befall a pair, each fault with what ends it.

A fault strikes one host, the active one or the standby. ``strike`` and ``mend`` get the field (see ``field``)
and that host. What isn't mended is for whoever brings the pair back: a host that is off is switched on, one
that is out rejoins.

Left out, since it can't be had here: a full disk and a jump of the clock would be the whole machine's.
"""

from collections.abc import Callable
from dataclasses import dataclass

_SERVICE = "[c]loudera-stand-in/(server|agent).py"
_MINION = "[s]alt-minion"
_SETTINGS = "/etc/default/cloudera-scm-*"

DAEMONS = (
    "corosync",
    "pacemakerd",
    "pacemaker-based",
    "pacemaker-fenced",
    "pacemaker-execd",
    "pacemaker-attrd",
    "pacemaker-schedulerd",
    "pacemaker-controld",
)


def _nothing(field, host):
    pass


@dataclass(frozen=True)
class Fault:
    """``holds``: whether it lasts for a while, and ``mend`` ends it; else ``mend`` comes when the pair has
    done what it does by itself. ``alone``: whether a host is left that could do anything. ``standby``:
    whether it may strike there, too. ``unfinished``: whether it interrupts what a person begins again."""

    name: str
    strike: Callable
    mend: Callable = _nothing
    holds: bool = False
    alone: bool = True
    standby: bool = True
    unfinished: bool = False
    needs: str = ""  # the protection without which it means nothing


def _on(*command):
    return lambda field, host: field.try_on(host, *command)


def _signal(name, pattern):
    return lambda field, host: field.signal(host, name, pattern)


def _go_on(pattern):
    """It may have been replaced meanwhile, or its host fenced."""
    return _on("pkill", "-CONT", "-f", pattern)


def _daemon(name):
    return f"/[{name[0]}]{name[1:]}( |$)"


def _stopped(name, pattern):
    return Fault(f"{name} hangs", _signal("STOP", pattern), _go_on(pattern), holds=True)


def _set(field, host, name, value):
    """A setting of the stand-in for Cloudera Manager's service there."""
    field.try_on(host, "sh", "-c", f"sed -i 's/^{name}=.*/{name}={value}/' {_SETTINGS}")


def _crash_with_slow_start(field, host):
    _set(field, field.mate(host), "START_DELAY", 12)
    field.crash(host)


def _quick_start(field, host):
    _set(field, field.mate(host), "START_DELAY", 2)


def _killed_for_good(field, host):
    _set(field, host, "FAIL_START", "yes")
    field.signal(host, "KILL", _SERVICE)


def _starts_again(field, host):
    _set(field, host, "FAIL_START", "no")


def _heal(field, host):
    field.heal(host)


def _bad(name, **how):
    return Fault(name, lambda field, host: field.spoil(host, **how), _heal, holds=True)


# --- in the middle of what an administrator does -------------------------------------------------


def _failover(field, host):
    field.begin_deed("cmha.failover", field.pair)


def _change(field, host):
    """One that goes from host to host, and restarts each cluster's stack."""
    field.change_pillar()
    field.begin_deed("state.orch", "cmha.orchestrate")


def _twice(field, host):
    _change(field, host)
    field.begin_deed("state.orch", "cmha.orchestrate")


def _and_crash(field, host):
    field.crash(host)
    field.wait_for_deeds()


def _and_end(field, host):
    field.wait_for_deeds()


def _and_master_dies(field, host):
    field.kill_master()
    field.wait_for_deeds()


def _during(name, strike):
    return (
        Fault(f"the host crashes during {name}", strike, _and_crash, holds=True, unfinished=True),
        Fault(
            f"the master is killed during {name}", strike, _and_master_dies,
            holds=True, standby=False, unfinished=True,
        ),
    )  # fmt: skip


def _crash_without_bmc(field, host):
    """Nobody can fence it, since who would has no way to its BMC."""
    field.try_on(field.mate(host), "ip", "link", "set", "dev", "eth1", "down")
    field.crash(host)


def _bmc_again(field, host):
    field.try_on(field.mate(host), "ip", "link", "set", "dev", "eth1", "up")


def _both(field, host):
    field.crash(host)
    field.crash(field.mate(host))


FAULTS = (
    Fault("the service is killed", _signal("KILL", _SERVICE), standby=False),
    Fault(
        "the service hangs",
        _signal("STOP", _SERVICE),
        _go_on(_SERVICE),
        holds=True,
        standby=False,
    ),
    Fault(
        "the service is killed, and doesn't start again",
        _killed_for_good,
        _starts_again,
        standby=False,
    ),
    *(Fault(f"{each} is killed", _signal("KILL", _daemon(each))) for each in DAEMONS),
    *(_stopped(each, _daemon(each)) for each in DAEMONS),
    Fault(
        "salt-minion is killed",
        _signal("KILL", _MINION),
        _on("systemctl", "start", "salt-minion"),
    ),
    _stopped("salt-minion", _MINION),
    Fault(
        "the network is cut",
        lambda field, host: field.cut(host),
        _heal,
        holds=True,
    ),
    _bad("a third of all frames is lost", lost=(0.33, 0.33)),
    _bad("all frames from the host are lost", lost=(1, 0)),
    _bad("all frames to the host are lost", lost=(0, 1)),
    _bad("frames come late, in another order, some twice", late=0.3, twice=0.1),
    Fault("the host crashes", lambda field, host: field.crash(host)),
    Fault("the host reboots", _on("systemctl", "--no-block", "reboot")),
    Fault("the host shuts down", _on("systemctl", "--no-block", "poweroff")),
    Fault("the host crashes, the service starts slowly", _crash_with_slow_start, _quick_start),
    Fault("both hosts crash", _both, alone=False),
    Fault(
        "the host crashes, its BMC can't be reached",
        _crash_without_bmc,
        _bmc_again,
        holds=True,
        needs="fencing",
    ),
    *_during("a failover", _failover),
    *_during("a change", _change),
    Fault(
        "two orchestrations at once", _twice, _and_end, holds=True, standby=False, unfinished=True
    ),
)
