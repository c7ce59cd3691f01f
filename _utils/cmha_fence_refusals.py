"""
What in pillar keeps a fence device from fencing the host that it is for.

Pure functions. Each raises a ``SiteError`` for the first thing that is wrong.
Sources: ``pacemaker-fenced(7)``, Pacemaker Explained, "Fencing"; the library of fence-agents.
"""

import re

import cib_values
from pillar_values import SiteError

DELAY, LONGEST_DELAY = "pcmk_delay_base", "pcmk_delay_max"

# What says how a device is spoken to, and not which one it is
_MANNERS = {
    *(
        "action auth cipher command_prompt debug debug_file hexadecimal_kg identity_file inet4_only".split()
    ),
    *("inet6_only lanplus login method notls option passwd passwd_script password".split()),
    *("password_script privlvl quiet secure ssh ssh_options ssl ssl_insecure ssl_secure".split()),
    *("tls1.0 user userid username verbose".split()),
}
_PATIENCE = re.compile(r"pcmk_.*|(.*_)?(timeout|wait|delay)|retry_on|.*_tries")

# Milliseconds that a device at least needs, and by which the fencer would give it up
_SHORTEST = 5_000
_TIMES = re.compile(r"pcmk_(reboot|off|on|status|list|monitor)_timeout|(stonith|fencing)-timeout")


def __virtual__():
    return True


def _which(params):
    """What of a device's parameters tells it from others, as devices and the network see it."""
    return {
        name: str(value).strip().lower()
        for name, value in params.items()
        if name not in _MANNERS and not _PATIENCE.fullmatch(name)
    }


def alike(devices, path):
    """
    Refuse two devices that are one.

    devices
        A list of tuples: the node's name, its device's parameters.
    path
        Where pillar says them.
    """
    seen = []
    for node, params in devices:
        which = _which(params)
        twin = next((other for other, of_other in seen if of_other == which), None)
        if twin:
            raise SiteError(
                path,
                f"the devices of {twin} and {node} are the same: what of their parameters tells one host "
                "from the other?",
            )
        seen.append((node, which))


def delay(params, node):
    """
    By how many milliseconds a node is fenced later, as far as pillar says.

    params
        The device's parameters.
    node
        The node's name.
    """
    said = str(params.get(DELAY, "0"))
    if re.search("[:=]", said):  # from Pacemaker 2.1.2 on: for each node its own
        named = dict(
            re.split("[:=]", each, maxsplit=1)
            for each in re.split(r"[;\s]+", said)
            if re.search("[:=]", each)
        )
        said = named.get(node, "0")
    return cib_values.duration(said)


def times(pacemaker, path):
    """
    Refuse times in which no device can fence.

    pacemaker
        The pair's ``pacemaker``, in its full form.
    path
        Where pillar says it.
    """
    for where, values in _with_times(pacemaker):
        for name, value in values.items():
            said = cib_values.duration(str(value))
            if name == DELAY and not re.search("[:=]", str(value)) and not isinstance(said, int):
                raise SiteError(
                    f"{path}:{where}:{name}", f"should be a duration as 5s, is {str(value)!r}"
                )
            if _TIMES.fullmatch(name) and isinstance(said, int) and said < _SHORTEST:
                raise SiteError(
                    f"{path}:{where}:{name}",
                    f"is {said / 1000:g} s, in which no device fences; say at least {_SHORTEST // 1000}s, "
                    "or leave it out",
                )


def _with_times(pacemaker):
    yield "properties", pacemaker["properties"]
    for section in ("primitives", "templates"):
        for name, each in pacemaker[section].items():
            if isinstance(each, dict) and str(each.get("agent", "")).startswith(("stonith:", "@")):
                yield f"{section}:{name}:params", each.get("params", {})


def unused(pair, devices, path):
    """
    Refuse what keeps a declared device from fencing its node, where fencing is on.

    pair
        A pair of a site's model.
    devices
        By device, what ``cmha_fencing.devices`` says of it, and ``nodes``: the names of those it is for.
    path
        Where pillar says the pair's ``pacemaker``.
    """
    pacemaker = pair["pacemaker"]
    if not devices or not cib_values.is_true(
        pacemaker["properties"].get("stonith-enabled", "true")
    ):
        return
    if not cib_values.is_true(pacemaker["properties"].get("startup-fencing", "true")):
        raise SiteError(
            f"{path}:properties:startup-fencing",
            f"false starts {pair['service']} while a host that wasn't seen yet may run it; leave it out",
        )
    names = [node["name"] for node in pair["nodes"]]
    for name, device in devices.items():
        where = f"{path}:primitives:{name}"
        if not device["nodes"]:
            said = device["params"].get("pcmk_host_list") or device["params"].get("pcmk_host_map")
            raise SiteError(
                f"{where}:params", f"is for {said}, and the pair's nodes are {' and '.join(names)}"
            )
        own = device["own"]
        if own and own not in device["nodes"]:
            raise SiteError(
                f"{where}:params", f"{name} is {own}'s device, and isn't for {own} here"
            )
        meta = pacemaker["primitives"][name].get("meta", {})
        if str(meta.get("target-role", "Started")).lower() == "stopped":
            raise SiteError(
                f"{where}:meta:target-role", "Stopped keeps this device from fencing; leave it out"
            )
        banned = [node for node in names if _is_banned(pacemaker, name, node)]
        if banned == names:
            raise SiteError(
                f"{path}:locations",
                f"{name} is kept from {' and '.join(names)}: nobody can fence with it",
            )
    _levels(pacemaker, devices, path)


def _is_banned(pacemaker, resource, node):
    return any(
        each.get("rsc") == resource
        and each.get("node") == node
        and each.get("score") == "-INFINITY"
        for each in pacemaker["locations"].values()
    )


def _levels(pacemaker, devices, path):
    for name, level in pacemaker["fencing_levels"].items():
        target = level.get("target")
        for each in level.get("devices", "").split(","):
            if target and each in devices and target not in devices[each]["nodes"]:
                raise SiteError(
                    f"{path}:fencing_levels:{name}",
                    f"{each} is for {' and '.join(devices[each]['nodes'])}, and not for {target}",
                )
