"""
What in pillar keeps a fence device from fencing the host that it is for.

Pure functions. What refuses raises a ``SiteError`` for the first thing that is wrong.
Sources: ``pacemaker-fenced(7)``, Pacemaker Explained, "Fencing"; the library of fence-agents.
"""

import re

import cib_meta
import cib_values
from pillar_values import SiteError, mapping, shown

DELAY, LONGEST_DELAY = "pcmk_delay_base", "pcmk_delay_max"

# Agents that speak to one machine's own management processor: its address says which machine
_PROCESSORS = re.compile(
    r"(stonith:)?(fence_(ipmilan|ipmilanplus|idrac|ilo[2345]?|imm|redfish)|external/ipmi)"
)
_ADDRESSES = ("ip", "ipaddr")
_WHICH = {"ipport": "623", "target": "", "systems_uri": ""}

# Milliseconds that switching a host off and on takes at least, and by which the fencer would give it up
_SHORTEST = 5_000
_TIMES = re.compile(r"pcmk_(reboot|off)_timeout|(stonith|fencing)-timeout")
_ASKS_THE_NETWORK = "heuristics"  # such an agent switches nothing


def __virtual__():
    return True


def params(said, path):
    """
    Refuse names of parameters that are no text: YAML reads ``on`` as true.

    said
        The parameters.
    path
        Where pillar says them.
    """
    for name in said:
        if not isinstance(name, str):
            raise SiteError(path, f"has the key {name!r}; write names in quotes, as 'on'")


def _processor(agent, said):
    """Which management processor a device speaks to: what can be compared, or ``None`` where nobody knows."""
    address = next((said[name] for name in _ADDRESSES if name in said), None)
    if address is None or not _PROCESSORS.fullmatch(agent):
        return None
    more = [str(said.get(name, default)) for name, default in _WHICH.items()]
    return (str(address).strip().rstrip(".").lower(), *more)


def shared(devices):
    """
    Refuse two hosts with one management processor: who fences one, switches the other one off.

    devices
        A list of tuples: the host, its device's agent, its parameters, and where pillar says them.
    """
    owners = {}
    for host, agent, said, path in devices:
        which = _processor(agent, said)
        if which is None:
            continue
        owner = owners.setdefault(which, host)
        if owner != host:
            raise SiteError(
                path,
                f"the devices of {owner} and {host} are the same: what of their parameters tells one host "
                f"from the other? Both are at {which[0]}",
            )


def delay(said, node):
    """
    By how many milliseconds a node is fenced later, as far as pillar says.

    said
        The device's parameters.
    node
        The node's name.
    """
    base = str(said.get(DELAY, "0"))
    if ":" in base:  # from Pacemaker 2.1.2 on: for each node its own
        of_nodes = {each.lower(): value for each, value in reversed(list(_delays(base)))}
        base = of_nodes.get(node.lower(), "0")
    return cib_values.duration(base)


def _delays(base):
    """What stands for each node, as Pacemaker reads it: ``cms1:5s;cms2:0s``."""
    for each in re.split(r"[; \t]+", base.strip()):
        node, _, value = each.partition(":")
        yield node, value


def times(pacemaker, at):
    """
    Refuse times in which no device can fence.

    pacemaker
        The pair's ``pacemaker``, in its full form.
    at
        Called with keys below ``pacemaker``; gives the pillar path.
    """
    properties = pacemaker["properties"]
    if cib_values.is_true(properties.get("stonith-enabled", "true")):
        _refuse_short(properties, lambda name: at("properties", name))
    for section in ("primitives", "templates"):
        for name, each in pacemaker[section].items():
            agent = str(each.get("agent", "")) if isinstance(each, dict) else ""
            if agent.startswith("stonith:") and _ASKS_THE_NETWORK not in agent:
                said = each.get("params", {})
                where = (section, name, "params")
                _refuse_short(said, lambda key, where=where: at(*where, key))
                _refuse_no_delay(said, at(*where, DELAY))


def _refuse_short(values, path):
    for name, value in values.items():
        said = cib_values.duration(str(value))
        if _TIMES.fullmatch(name) and isinstance(said, int) and said < _SHORTEST:
            raise SiteError(
                path(name),
                f"is {said / 1000:g} s, in which no device fences; say at least {_SHORTEST // 1000}s, or "
                "leave it out",
            )


def _refuse_no_delay(said, path):
    base = str(said.get(DELAY, "0"))
    values = [value for _, value in _delays(base)] if ":" in base else [base]
    for value in values:
        if value.strip() and not isinstance(cib_values.duration(value), int):
            raise SiteError(path, f"should be a duration as 5s, is {shown(value)}")


def unused(pair, devices, at):
    """
    Refuse what keeps all devices of a node from fencing it, where fencing is on.

    pair
        A pair of a site's model.
    devices
        By device, what ``cmha_fencing.devices`` says of it; ``nodes``: the names of those it is for; ``own``:
        the node for which pillar declares it in short, or ``None``.
    at
        See ``times``.
    """
    pacemaker = pair["pacemaker"]
    properties = pacemaker["properties"]
    if not devices or not cib_values.is_true(properties.get("stonith-enabled", "true")):
        return
    if not cib_values.is_true(properties.get("startup-fencing", "true")):
        raise SiteError(
            at("properties", "startup-fencing"),
            f"false starts {pair['service']} while a host that wasn't seen yet may run it; leave it out",
        )
    names = [node["name"] for node in pair["nodes"]]
    for name, device in devices.items():
        _refuse_for_others(name, device, names, pacemaker, at)
    for node in names:
        faults = {
            name: _fault(pacemaker, name, node, names, at)
            for name, device in devices.items()
            if node in device["nodes"]
        }
        if faults and all(faults.values()):
            raise next(iter(faults.values()))
    _refuse_levels(pacemaker, devices, names, at)


def _refuse_for_others(name, device, names, pacemaker, at):
    where = at("primitives", name, "params")
    if not device["nodes"] and not _has_remote_nodes(pacemaker):
        said = device["params"].get("pcmk_host_list") or device["params"].get("pcmk_host_map")
        raise SiteError(
            where, f"is for {shown(said)}, and the pair's nodes are {' and '.join(names)}"
        )
    if device["own"] and device["own"] not in device["nodes"]:
        raise SiteError(
            where, f"{name} is {device['own']}'s device, and isn't for {device['own']} here"
        )


def _has_remote_nodes(pacemaker):
    return bool(pacemaker.get("bundles")) or any(
        str(each.get("agent", "")).endswith(":remote") or "remote-node" in mapping(each.get("meta"))
        for section in ("primitives", "templates")
        for each in map(mapping, pacemaker[section].values())
    )


def _fault(pacemaker, name, node, names, at):
    """Why nobody can fence a node with a device, or ``None``."""
    role, keys = cib_meta.nearest(pacemaker, name, "target-role", sets=False)
    if str(role).lower() == "stopped":
        return SiteError(at(*keys), f"Stopped keeps {name} from fencing; leave it out")
    others = [each for each in names if each != node]
    bans = [_ban(pacemaker, name, each) for each in others]
    if all(bans):
        return SiteError(
            at("locations", bans[0]),
            f"{name} may not run on {' or '.join(others)}: nobody can fence {node} with it",
        )
    if not _is_invited(pacemaker, name, others):
        return SiteError(
            at("properties", "symmetric-cluster"),
            f"false lets a resource run only where a location has it, and {name} has none for "
            f"{' or '.join(others)}: nobody can fence {node} with it",
        )
    return None


def _ban(pacemaker, resource, node):
    """The location by which a resource may not run on a node, if there is one."""
    return next(
        (
            name
            for name, each in pacemaker["locations"].items()
            if each.get("rsc") == resource
            and each.get("node") == node
            and re.fullmatch(r"-INFINITY|-\d{7,}", str(each.get("score")))
        ),
        None,
    )


def _is_invited(pacemaker, resource, nodes):
    """Whether a resource may run on one of the nodes as far as locations invite it: where nothing runs that
    isn't invited, what stands for it, a pattern, a set or a rule may invite it, too."""
    if cib_values.is_true(pacemaker["properties"].get("symmetric-cluster", "true")):
        return True
    of_others = set(pacemaker["primitives"]) - {resource}
    return any(
        each.get("rsc") not in of_others
        and each.get("node") in (None, *nodes)
        and not str(each.get("score", "")).startswith("-")
        for each in pacemaker["locations"].values()
    )


def _refuse_levels(pacemaker, devices, names, at):
    for name, level in pacemaker["fencing_levels"].items():
        target = next(
            (each for each in names if each.lower() == str(level.get("target")).lower()), None
        )
        for each in level.get("devices", "").split(","):
            if target and each in devices and target not in devices[each]["nodes"]:
                whom = " and ".join(devices[each]["nodes"]) or "others"
                raise SiteError(
                    at("fencing_levels", name), f"{each} is for {whom}, and not for {target}"
                )
