"""
What speaks against a change of the cluster's configuration, before anything is changed.
"""

import logging
import re

from salt.exceptions import CommandExecutionError

log = logging.getLogger(__name__)

# crm_verify(8), before Pacemaker 3 and since
_MERE_WARNINGS = ("Warnings found", "(with warnings)")
_NO_FIT = "it doesn't fit the schema"
# The sections by which one resource may wait for another
_WHAT_ORDERS = ("orders", "groups", "tags")
# As Salt and a shell say it: of SIGABRT and SIGSEGV
_ENDED_BY_A_SIGNAL = (-6, -11, 134, 139)


def __virtual__():
    return True


def of_plan(before, wanted, declared, serves):
    """
    Refuse what would be lost by a change on a live cluster.

    before
        The CIB as text.
    wanted
        What ``cib.difference`` says of it.
    declared, serves
        See ``crm.plan``.

    Returns a list of lines: what Pacemaker may ignore of what changes, and what it newly finds odd. Raises
    ``CommandExecutionError`` that says what speaks against the change.

    CLI Example: none; a CIB doesn't fit a command line.
    """
    _refuse_purge_of_running(wanted["purged_resources"])
    _refuse_deadlock(before, wanted)
    _refuse_unserved(before, wanted, serves)
    return _warnings(before, wanted, declared)


def of_apply(before, wanted, declared, serves):
    """
    Refuse what ``of_plan`` does, and a change that this host, or Pacemaker, can't carry out as it is meant.

    before, wanted, declared, serves
        See ``of_plan``.

    Raises ``CommandExecutionError`` that says what speaks against the change.

    CLI Example: none; a CIB doesn't fit a command line.
    """
    _refuse_purge_of_running(wanted["purged_resources"])
    _require_agents(wanted["changes"])
    _require_watchdog(wanted["changes"], declared)
    for line in _not_understood(wanted, declared):
        log.warning(line)
    _verify(before, wanted["xml"])
    _refuse_deadlock(before, wanted)
    _refuse_unserved(before, wanted, serves)


def _refuse_purge_of_running(purged):
    if not purged:
        return
    seen = __salt__["crm.status"]()["resources"]
    running = [each for each in purged if seen.get(each, {}).get("active")]
    if running:
        where = ", ".join(f"{each} (on {', '.join(seen[each]['nodes'])})" for each in running)
        raise CommandExecutionError(
            f"{__grains__['id']}: the purge would remove what runs: {where}; "
            "declare it, or name it in absent if it shall go"
        )


def _require_agents(changes):
    """Refuse a resource whose agent isn't here, before Pacemaker fails to start it."""
    if __utils__["crm_commands.on_a_file"]():
        return  # this host isn't the cluster's
    for path, change in changes.items():
        agent = _new_agent(path, change["new"])
        if agent and not __salt__["resource_agent.installed"](agent):
            raise CommandExecutionError(
                f"{__grains__['id']}: {path}: the resource agent {agent} isn't installed on this host"
            )


def _require_watchdog(changes, declared):
    """Refuse that Pacemaker counts on a watchdog that isn't there: it would end itself."""
    if __utils__["crm_commands.on_a_file"]() or not any(
        "-watchdog-timeout" in path for path in changes
    ):
        return
    unfit = __salt__["sbd.unfit"]((declared or {}).get("properties") or {})
    if unfit:
        raise CommandExecutionError(f"{__grains__['id']}: {'; '.join(unfit)}")


def _warnings(before, wanted, declared):
    """What Pacemaker may ignore of what changes, and what it newly finds odd; it refuses nothing for that."""
    if __utils__["crm_commands.on_a_file"]() or wanted["xml"] is None:
        return []
    lines = _not_understood(wanted, declared)
    odd = _odd(wanted["xml"])
    known = _odd(before) if odd else []
    return lines + [f"crm_verify: {line}" for line in odd if line not in known]


def _not_understood(wanted, declared):
    """Refuses what the agents, or Pacemaker itself, wouldn't understand of what changes: Pacemaker would pass
    it on, or ignore it. Returns lines on what it may not understand."""
    if __utils__["crm_commands.on_a_file"]() or wanted["xml"] is None:
        return []
    allowed = declared.get("allow_unknown") or ()
    lines = __salt__["crm_agents.faults"](wanted["xml"], wanted["changes"], allowed)
    if lines:
        raise CommandExecutionError(
            f"{__grains__['id']}: {'; '.join(lines)} (allow_unknown: [NAME] in pillar lets a parameter pass)"
        )
    return _strange(declared, wanted["changes"])


def _strange(declared, changes):
    """Lines on words of other versions. Distributions have some of them, so Pacemaker's own word counts."""
    words = __utils__["cib.words_of_some_versions"](declared, changes)
    here = __salt__["crm.version"]() if words else None
    faults = {
        path: __utils__["pacemaker_words.unknown_to"](here, word) for path, _, word in words if here
    }
    # by name; of a value, the daemons don't say whether they know it
    properties = {path: name for path, name, word in words if path == f"properties:{word}"}
    known = __salt__["crm_options.known"]() if any(map(faults.get, properties)) else None
    lines = []
    for path, fault in faults.items():
        name = properties.get(path)
        if fault and (known is None or name is None):
            lines.append(f"{path}: {fault}")
        elif fault and name not in known:
            raise CommandExecutionError(
                f"{__grains__['id']}: {path}: {fault}; allow_unknown: [{name}] in pillar lets it pass"
            )
    return lines


def _odd(xml):
    """What ``crm_verify`` warns of."""
    said = _crm_verify(xml)["stderr"]
    return [line.partition("warning: ")[2] for line in said.splitlines() if "warning: " in line]


def _new_agent(path, new):
    parts = path.split(":")
    if parts[0] not in ("primitives", "templates") or new is None:
        return None
    agent = new.get("agent") if isinstance(new, dict) else new if parts[2:] == ["agent"] else None
    return None if agent is None or agent.startswith("@") else agent


def _verify(before, after):
    """Refuse what is invalid by our doing. A cluster without fencing is called invalid too."""
    faults = _faults(after)
    if faults:
        known = _faults(before)
        # what doesn't fit the schema is refused by Pacemaker itself
        ours = [line for line in faults if line == _NO_FIT or line not in known]
        if ours:
            raise CommandExecutionError(
                f"{__grains__['id']}: Pacemaker finds the new configuration invalid: {'; '.join(ours)[:500]}"
            )


def _refuse_deadlock(before, wanted):
    """Refuse that resources wait for each other by our doing: what runs goes on, and never starts again."""
    orders = [
        path
        for path, change in wanted["changes"].items()
        if change["new"] is not None and path.partition(":")[0] in _WHAT_ORDERS
    ]
    waits = __salt__["crm_scheduler.waits_for_itself"]
    if orders and waits(wanted["xml"]) and not waits(before):
        raise CommandExecutionError(
            f"{__grains__['id']}: resources would wait for each other, and never start again once they have "
            f"stopped; see {', '.join(orders)}, and the orders, groups and tags that are there already"
        )


def _refuse_unserved(before, wanted, resource):
    """Refuse that a resource isn't started any more by our doing, now or after a node's death: it may run on
    until then, and nobody would know."""
    if resource is None or wanted["xml"] is None:
        return
    by_hand = __utils__["cib_fresh.kept_stopped"](before)
    by_hand &= __utils__["cib_fresh.kept_stopped"](wanted["xml"])
    now, then = (__utils__["cib_fresh.just_come"](xml, by_hand) for xml in (before, wanted["xml"]))
    had, has = (__utils__["cib_fresh.primitives"](xml, resource) for xml in (now, then))
    if has == []:
        raise CommandExecutionError(
            f"{__grains__['id']}: serves: there would be no resource {resource}"
        )
    nodes = __utils__["cib_fresh.nodes"](then)
    if has is None or not nodes:
        return
    starts = __salt__["crm_scheduler.starts"]
    for gone in [None, *nodes] if len(nodes) > 1 else [None]:
        case = __utils__["cib_fresh.lost"](then, gone)
        if starts(case, has) is False and (
            not had or starts(__utils__["cib_fresh.lost"](now, gone), had)
        ):
            left = next(node for node in nodes if node != gone)
            why = __salt__["crm_scheduler.what_keeps"](case, has, left, gone) or wanted["changes"]
            raise CommandExecutionError(
                f"{__grains__['id']}: with this {resource} would be started nowhere"
                f"{f' when {gone} is gone' if gone else ''}: {'; '.join(why)} "
                "(pillar's preflight: {ignore: [failover]} lets it pass, or a call without serves)"
            )


def _faults(xml):
    """Lines on what ``crm_verify`` calls an error; it exits alike for mere warnings. Where it ends itself, as
    over an order of a resource with itself, the cluster's scheduler would too."""
    answer = _crm_verify(xml)
    if answer["retcode"] == 0 or any(words in answer["stderr"] for words in _MERE_WARNINGS):
        return []
    said = [line.strip() for line in answer["stderr"].splitlines() if "<" not in line]
    errors = [line for line in said if re.search(r"\berror\b", line)] or [
        __utils__["crm_commands.said"](answer)
    ]
    schema = [_NO_FIT] if "schema validation" in answer["stderr"] else []
    crash = ["crm_verify ends itself"] if answer["retcode"] in _ENDED_BY_A_SIGNAL else []
    return [*schema, *crash, *errors]


def _crm_verify(xml):
    return __salt__["bounded.run"](
        ["crm_verify", "--xml-pipe", "--verbose"], stdin=xml, rstrip=False
    )
