"""
What the cluster would do when a node dies: asked of Pacemaker's own scheduler, on the configuration and the
state that there are now.
"""

import os
import re
import tempfile

import salt.utils.files
from salt.exceptions import CommandExecutionError

# The values of no-quorum-policy under which a half without quorum keeps what it runs
_GOES_ON = ("ignore", "freeze")
# Seconds for a fence device: fence_ipmilan itself gives up after 20
_FOR_A_DEVICE = 25
# What sbd does: with two_node half of the nodes has quorum for Corosync, and not for sbd
_LEFT_ALONE = (
    "a watchdog alone fences (SBD without a disk), and with Corosync's two_node it ends the host that is "
    "left, too: give the pair a quorum device, or SBD a disk"
)
# The words have changed, the sense hasn't
_NO_DEVICE = re.compile(
    r"^\s*(?:no|0) (?:fence |fencing )?devices? found", re.IGNORECASE | re.MULTILINE
)


def __virtual__():
    return True


def survival(resource):
    """
    For each node where a resource is started: where it goes when that node dies now, or why nowhere.

    The scheduler gets the live configuration, with that node dead and the quorum that the others would have;
    where fencing is on, it has to fence the node first. Why the resource goes nowhere is found by taking away
    what could be in the way and asking again.

    resource
        Id of a resource.

    Returns a mapping by node: ``takes_over``, the name of a node or ``None``, and ``why``, a list of lines.
    Raises ``CommandExecutionError`` when no cluster answers here.

    Source: ``crm_simulate(8)``, ``corosync-quorumtool(8)``, ``stonith_admin(8)``.

    CLI Example:

    .. code-block:: bash

        salt cms1 crm_forecast.survival cloudera-scm-server
    """
    seen = __salt__["crm.status"]()
    where = seen["resources"].get(resource, {}).get("started", [])
    if not where:
        return {}
    xml = __utils__["cib_obstacles.resolved"](_cib())
    return {node: _without(node, xml, seen, resource) for node in where}


def after_move(resource, node):
    """
    Where a resource is when it has been moved to a node, and nothing holds it there any more.

    resource
        Id of a resource.
    node
        Name of a node.

    Returns a list of nodes. Raises ``CommandExecutionError`` when no cluster answers here.

    Source: ``crm_simulate(8)``.

    CLI Example:

    .. code-block:: bash

        salt cms1 crm_forecast.after_move cloudera-scm-server cms2
    """
    held = __utils__["cib_obstacles.held"](_cib(), resource, node)
    return _started_after(held, resource, then=__utils__["cib_obstacles.released"])


def stays(node):
    """
    Whether a node goes on with what it runs when it can't reach the others, and they can't reach it: nobody
    fences it, and it doesn't stop what it runs by itself.

    node
        Its name.

    Raises ``CommandExecutionError`` when no cluster answers here.

    Source: ``pacemaker-schedulerd(7)``, "no-quorum-policy"; ``corosync-quorumtool(8)``.

    CLI Example:

    .. code-block:: bash

        salt cms1 crm_forecast.stays cms1
    """
    seen = __salt__["crm.status"]()
    xml = __utils__["cib_obstacles.resolved"](_cib())
    if _fences(seen, xml):
        return False
    if __utils__["cib_obstacles.no_quorum_policy"](xml) in _GOES_ON:
        return True
    nodes = seen["nodes"]
    others = [name for name in nodes if name != node and not nodes[name]["remote"]]
    # more than two nodes are cut in many ways
    return len(others) == 1 and _quorate_without(nodes[others[0]]["id"], device=False)


def unfenced(node):
    """
    Why a node wouldn't be fenced from here.

    node
        Its name.

    Returns a list of lines; empty when a device that answers can. Raises ``CommandExecutionError`` when no
    cluster answers here.

    Source: ``stonith_admin(8)``.

    CLI Example:

    .. code-block:: bash

        salt cms1 crm_forecast.unfenced cms2
    """
    seen = __salt__["crm.status"]()
    xml = __utils__["cib_obstacles.resolved"](_cib())
    if not _fences(seen, xml):
        return ["fencing is off (stonith-enabled)"]
    return _unfenced(node, xml, [__salt__["crm.node"]()], _is_up(seen["nodes"].get(node)))


def _is_up(node):
    return bool(node) and node["online"] and not node["unclean"]


def _fences(seen, xml):
    return __utils__["cib_obstacles.fences"](xml, seen["fencing"])


def _without(dead, xml, seen, resource):
    nodes = seen["nodes"]
    others = [name for name in nodes if name != dead and not nodes[name]["remote"]]
    left = [nodes[name]["id"] for name in others if nodes[name]["online"]]
    quorate = _quorate_without(nodes[dead]["id"])

    def takes_over(cib):
        after = __utils__["cib_obstacles.without_node"](cib, nodes[dead]["id"], left[0], quorate)
        return next((node for node in _started_after(after, resource) if node != dead), None)

    # the scheduler lets a remote node go on without anybody who could tell it what to do
    found = takes_over(xml) if left else None
    if found is not None:
        why = _unfenced(dead, xml, others, _is_up(nodes[dead])) if _fences(seen, xml) else []
        return {"takes_over": None if why else found, "why": why}
    try:
        why = [
            line for node in others for line in _why_not(node, dead, nodes[node], xml, takes_over)
        ]
    except CommandExecutionError as error:  # that it goes nowhere is known all the same
        why = [f"Pacemaker wouldn't start it elsewhere, and why isn't found: {error}"]
    return {"takes_over": None, "why": why or ["the cluster has no other node"]}


def _unfenced(dead, xml, others, online=True):
    """
    Why that node wouldn't be fenced, a list of lines. The scheduler takes it that whoever has a device can
    fence with it; only the fencer knows for whom it is, and only the device whether it answers. Both are
    asked on a host that is left.
    """
    if __salt__["crm.node"]() not in others:
        return []
    if __utils__["cib_obstacles.has_watchdog"](xml):
        # a host whose cluster it has lost ends itself; nobody has a device for another one
        return [_LEFT_ALONE] if _is_two_node() else []
    answer = __salt__["bounded.run"](["stonith_admin", "--list", dead])
    said = answer["stdout"] + answer["stderr"]
    if answer.get("late"):
        return []  # it asks the devices themselves, and some take their time
    if answer["retcode"] != 0 and not _NO_DEVICE.search(said):
        lines = " ".join(said.split())[:300]
        raise CommandExecutionError(
            f"{__grains__['id']}: stonith_admin --list {dead} fails: {lines}"
        )
    if _NO_DEVICE.search(said):
        return [f"no fence device that runs can fence {dead}; see stonith_admin --list {dead}"]
    devices = _devices(xml, answer["stdout"])
    silent = _silent(dead, devices, online)
    levels = __utils__["cib_obstacles.fencing_levels"](xml, dead)
    works = set(devices) - set(silent)
    why = _lacking(dead, levels, works)
    if not levels and silent and not works:
        why = [f"no fence device that answers can fence {dead}: {'; '.join(silent.values())}"]
    return why


def _devices(xml, listed):
    """Those lines of the fencer's list that are devices, and what they are."""
    lines = [("primitives", line.strip()) for line in listed.splitlines()]
    known = __utils__["cib.with_templates"](xml, lines)
    return {name: device for (_, name), device in known.items() if device}


def _silent(dead, devices, online):
    """Why devices don't answer this host, by device: the fencer lists all that may run here, whatever they
    answer. A BMC may take its time. What a rule says of parameters, only Pacemaker knows."""
    silent = {}
    for name, device in devices.items():
        if device.get("params_sets"):
            continue
        with __salt__["bounded.patience"]():
            answer = __salt__["fencing.ask"](
                device["agent"],
                device.get("params", {}),
                dead,
                online=online,
                seconds=_FOR_A_DEVICE,
            )
        # one that takes its time may work all the same
        if answer["works"] is False and not answer["late"]:
            silent[name] = f"{name}: {answer['why']}"
    return silent


def _lacking(dead, levels, running):
    """Where a topology says how a node is fenced, only a level can that has all of its devices."""
    lacks = {
        index: [each for each in devices if each not in running]
        for index, devices in levels.items()
    }
    if not lacks or not all(lacks.values()):
        return []
    said = ", ".join(f"level {index} lacks {' and '.join(each)}" for index, each in lacks.items())
    return [
        f"no level of the fencing topology can fence {dead}: {said}; see stonith_admin --list {dead}"
    ]


def _why_not(node, dead, state, xml, takes_over):
    if state["unclean"] or not state["online"]:
        return [f"{node} is {'unclean' if state['unclean'] else 'offline'}"]
    for flag, words in (("pending", "is pending"), ("shutdown", "is shutting down")):
        if state[flag]:
            return [f"{node} {words}"]
    search = __utils__["cib_obstacles.search"](
        __utils__["cib_obstacles.obstacles"](xml, node, dead)
    )
    while search.part is not None:
        search.tell(takes_over(__utils__["cib_obstacles.without"](xml, search.part)) == node)
    if search.found is None:
        return [
            f"Pacemaker wouldn't start it on {node}, and nothing was found that keeps it from there; see "
            "crm_simulate -L -s"
        ]
    return [obstacle.line for obstacle in search.found]


def _started_after(cib, resource, then=None):
    """
    The nodes where the resource is started when the cluster has done what it would do; and when it has, after
    that, done what it would with what ``then`` makes of its CIB.
    """
    with tempfile.TemporaryDirectory(prefix="cmha-") as directory:
        after = _simulated(directory, cib)
        if then:
            with salt.utils.files.fopen(after) as file:
                after = _simulated(directory, then(file.read()))
        return __salt__["crm.status"](after)["resources"].get(resource, {}).get("started", [])


def _simulated(directory, cib):
    """The path of the CIB that there is when the cluster has done what it would do with another one."""
    before, after = os.path.join(directory, "before"), os.path.join(directory, "after")
    with salt.utils.files.fopen(before, "w") as file:
        file.write(cib)
    answer = __salt__["bounded.run"](
        ["crm_simulate", "--simulate", "--xml-file", before, "--save-output", after],
        env={"CIB_shadow_dir": directory},
    )
    if answer["retcode"] != 0 or not os.path.exists(after):
        said = " ".join((answer["stderr"] or answer["stdout"]).split())[:300]
        raise CommandExecutionError(f"{__grains__['id']}: crm_simulate fails: {said}")
    return after


def _is_two_node():
    said = __salt__["bounded.run"](["corosync-quorumtool", "-s"])["stdout"]
    return re.search(r"^Flags:.*\b2Node\b", said, re.MULTILINE) is not None


def _quorate_without(nodeid, device=True):
    answer = __salt__["bounded.run"](["corosync-quorumtool", "-s"])
    if answer.get("late"):
        raise CommandExecutionError(f"{__grains__['id']}: {answer['stderr']}")
    ties = re.search(
        r"^quorum\.auto_tie_breaker_node \(str\) = (.*)$", __salt__["corosync.cmap"](), re.MULTILINE
    )
    return __utils__["corosync_votes.quorate_without"](
        answer["stdout"], str(nodeid), ties.group(1).strip() if ties else "lowest", device
    )


def _cib():
    answer = __salt__["bounded.run"](["cibadmin", "--query"], rstrip=False)
    if answer["retcode"] != 0:
        raise CommandExecutionError(
            f"{__grains__['id']}: no configuration: {answer['stderr'].strip()}"
        )
    return answer["stdout"]
