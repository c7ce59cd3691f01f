"""
The site model: what the pillar ``cmha`` means, as a whole and for one host.

Pure functions: pillar data in, checked (by ``cmha_pillar``) and completed data out.
"""

import copy
import hashlib
import json

import cmha_fencing
import cmha_pillar
import cmha_places
import cmha_refusals
import cmha_resource_refusals
import corosync_totem
import pillar_values
import quorum_device
from pillar_values import SiteError

# The alert of cmha/defaults.yaml that feeds the events.
_ALERT = "cmha"


def __virtual__():
    return True


def site(pillar, defaults, check_cib):
    """
    Check a site's pillar and complete it with the defaults.

    pillar
        The value of the pillar key ``cmha``.
    defaults
        The content of ``cmha/defaults.yaml``.
    check_cib
        Called with a ``pacemaker`` section and its pillar path; returns it in its full form, or raises
        ValueError when the CIB couldn't hold it (``cib.check_whole``).

    Returns a mapping: ``site`` (its name) and ``pairs``, a list in the pillar's order. A pair has
    ``pair`` (its name), ``role``, ``cluster_name``, ``nodes`` (a list of mappings with ``id``, ``name``,
    ``nodeid``, ``addresses`` (one a link) and ``address`` (the first), by ascending nodeid) and the settings
    ``corosync``, ``firewall``, ``pacemaker``, ``alerts``, ``timeouts``, ``agent_processes``, ``service``,
    ``resource``, ``port`` and ``start_on_boot``; ``qnetd``, ``platform`` and ``agent_stop`` where pillar has
    them; and ``agent_by_host``: whether it is left to the hosts by which agent the resource is run (see
    ``with_agent``), since the default is an init script and pillar names none. Of Corosync's key it only has
    the size: ``key_size`` in bytes, ``None`` without a key (see ``authkey``). ``places`` has the pillar path
    of everything that pillar says of Corosync, for ``cmha_corosync.fitted``; ``heard_by`` a list of lines on
    other pairs that would hear it.

    Raises SiteError, a ValueError, for the first thing that is wrong.
    """
    if pillar in (None, "", {}):
        raise SiteError("cmha", "is missing; describe the site there, see pillar.example")
    checked = cmha_pillar.checked(pillar)
    for key in ("site", "pairs"):
        if key not in checked:
            raise SiteError(f"cmha:{key}", "is missing")

    pairs = [_pair(name, checked, defaults) for name in checked["pairs"]]
    _refuse_shared_nodes(pairs)
    cmha_refusals.shared_names(checked)
    for pair in pairs:
        pair["pacemaker"] = _pacemaker(pair, checked, check_cib)
        cmha_fencing.refuse_turned_off(pair, cmha_places.of_device(checked, pair))
        cmha_fencing.refuse_unused(pair, cmha_places.of_pacemaker(checked, pair))
    cmha_fencing.refuse_shared(
        pairs, lambda pair, device: cmha_places.of_device(checked, pair, device)
    )
    heard = cmha_refusals.heard_by_others(pairs)
    pairs = [
        {**pair, "heard_by": heard.get(pair["pair"], []), "serves": _served(pair)} for pair in pairs
    ]
    pairs = [pair if pair["alerts"] else without_alerts(pair) for pair in pairs]
    return {"site": checked["site"], "pairs": pairs}


def _served(pair):
    """The resource that a change of the cluster may not keep from being started."""
    return None if cmha_pillar.FAILOVER in pair["preflight"]["ignore"] else pair["resource"]


def of_host(pillar, minion_id):
    """
    A pillar with no other pair than that of a host: what is wrong about the others isn't its concern.

    pillar
        The value of the pillar key ``cmha``; it may not be checked yet.
    minion_id
        The host's minion id.

    Returns the pillar as it is, when no pair is found there that lists the host.
    """
    pairs = pillar.get("pairs") if isinstance(pillar, dict) else None
    if not isinstance(pairs, dict):
        return pillar
    own = {name: pair for name, pair in pairs.items() if minion_id in _listed_nodes(pair)}
    if not own:
        return pillar
    foreign = {
        minion for name, pair in pairs.items() if name not in own for minion in _listed_nodes(pair)
    }
    reduced = _without_devices_of(foreign, {**pillar, "pairs": own})
    roles = reduced.get("roles")
    if isinstance(roles, dict):
        reduced["roles"] = {
            name: _without_devices_of(foreign, role) for name, role in roles.items()
        }
    return reduced


def _without_devices_of(minions, place):
    """A layer of pillar that names no fence devices of these minions; it may not be checked yet."""
    fencing = place.get("fencing") if isinstance(place, dict) else None
    nodes = fencing.get("nodes") if isinstance(fencing, dict) else None
    if not isinstance(nodes, dict):
        return place
    kept = {minion: each for minion, each in nodes.items() if minion not in minions}
    return {**place, "fencing": {**fencing, "nodes": kept}}


def _listed_nodes(pair):
    nodes = pair.get("nodes") if isinstance(pair, dict) else None
    return nodes if isinstance(nodes, dict) else ()


def pair_of(site_model, minion_id):
    """
    Find the pair of a host.

    site_model
        What ``site`` returned.
    minion_id
        The host's minion id.

    Returns ``(pair, node)``. Raises SiteError when no pair lists the host.
    """
    for pair in site_model["pairs"]:
        for node in pair["nodes"]:
            if node["id"] == minion_id:
                return pair, node
            if node["id"].lower() == minion_id.lower():
                raise SiteError(
                    f"cmha:pairs:{pair['pair']}:nodes:{node['id']}",
                    f"this minion's id is {minion_id}: write it so, with its capital and small letters",
                )
    known = [node["id"] for pair in site_model["pairs"] for node in pair["nodes"]]
    raise SiteError(
        "cmha:pairs",
        f"no pair lists this minion, {minion_id}{pillar_values.nearest(minion_id, known)}; "
        "add it to a pair's nodes, or don't assign cmha to it",
    )


def digest(pillar):
    """
    A digest of a pillar, by which two views of it are compared without showing it.

    pillar
        The value of the pillar key ``cmha``.
    """
    text = json.dumps(pillar, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def without_alerts(pair):
    """
    A pair whose alerts don't become events: its cluster's alert isn't declared, and goes where it was.

    pair
        A pair of what ``site`` returned.

    Returns the pair, changed.
    """
    declared, absent = pair["pacemaker"]["alerts"], pair["pacemaker"]["absent"]
    kept = {name: alert for name, alert in declared.items() if name != _ALERT}
    gone = {**absent, "alerts": [*absent.get("alerts", []), _ALERT]}
    pacemaker = {**pair["pacemaker"], "alerts": kept, "absent": gone}
    return {**pair, "alerts": False, "pacemaker": pacemaker}


def daemons(has_device):
    """
    The daemons of a pair's cluster, in the order in which they start.

    has_device
        Whether the pair has a quorum device.
    """
    return ["corosync", *(["corosync-qdevice"] if has_device else []), "pacemaker"]


def authkey(pillar, minion_id):
    """
    Corosync's key for a host, as pillar has it. The one function that gives it: no model, no mapping and no
    return of a job has it.

    pillar
        The value of the pillar key ``cmha``.
    minion_id
        The host's minion id.

    Returns bytes, or ``None`` when pillar has no key for the host. Raises SiteError when it is no key.
    """
    for name, pair in pillar["pairs"].items():
        if minion_id not in _listed_nodes(pair):
            continue
        places = (("pairs", name), ("roles", pair["role"]), ())
        for place in places:
            layer = pillar
            for key in (*place, "corosync"):
                layer = layer.get(key, {})
            if "authkey" in layer:
                return pillar_values.authkey(
                    layer["authkey"], ":".join(("cmha", *place, "corosync:authkey"))
                )
    return None


def with_agent(pair, agent):
    """
    A pair whose resource is run by another agent.

    pair
        A pair of what ``site`` returned.
    agent
        As in a primitive: ``systemd:cloudera-scm-server``.

    Returns the pair, changed.
    """
    primitives = pair["pacemaker"]["primitives"]
    primitive = {**primitives[pair["resource"]], "agent": agent}
    pacemaker = {**pair["pacemaker"], "primitives": {**primitives, pair["resource"]: primitive}}
    return {**pair, "pacemaker": pacemaker}


def at_boot(start_on_boot, has_device):
    """
    The services that start at boot on the hosts of a pair, as far as cmha has a say in it; the Cloudera
    service is Pacemaker's to start, and never among them.

    start_on_boot
        The pair's setting of that name.
    has_device
        Whether the pair has a quorum device.

    Returns a list of names. ``cmha-boot`` starts the cluster's daemons after a clean shutdown.
    """
    return _AT_BOOT[start_on_boot](has_device)


_AT_BOOT = {
    "never": lambda has_device: [],
    "after_clean_shutdown": lambda has_device: ["cmha-boot"],
    "always": daemons,
}


def _pair(name, checked, defaults):
    path = f"cmha:pairs:{name}"
    own = checked["pairs"][name]
    for key in ("role", "cluster_name", "nodes"):
        if key not in own:
            raise SiteError(f"{path}:{key}", "is missing")
    role = own["role"]
    declared = [
        cmha_pillar.settings(checked),
        checked.get("roles", {}).get(role, {}),
        cmha_pillar.settings(own),
    ]
    by_default = [cmha_pillar.settings(defaults), defaults["roles"][role]]
    if any(map(quorum_device.declared, declared)):
        by_default.append(defaults["with_device"])
    none = {"pair": name, "port": None, "qnetd": None, "platform": None}
    merged, layers = _merged(none, *by_default, *declared)
    of_agent = defaults["agents"].get(str(_agent(merged["resource"], merged)))
    if of_agent:
        by_default.append(
            {
                "timeouts": of_agent["timeouts"],
                "pacemaker": {"primitives": {merged["resource"]: of_agent["primitive"]}},
            }
        )
        merged, layers = _merged(none, *by_default, *declared)
    nodes = _nodes(own["nodes"], path)
    fencing = merged["fencing"]
    devices = _fence_devices(fencing, nodes, checked, role, name)
    if devices:
        by_default.append(devices)
        merged, layers = _merged(none, *by_default, *declared)
    # its parameters are secrets
    merged["fencing"] = {
        "packages": fencing["packages"],
        "devices": cmha_fencing.names(fencing, nodes),
    }
    merged.update(role=role, cluster_name=own["cluster_name"], nodes=nodes)
    key = merged["corosync"].pop("authkey", None)
    merged["key_size"] = None if key is None else len(key)
    merged["places"] = cmha_places.of_corosync(checked, role, name)
    primitives = merged["pacemaker"]["primitives"]
    if merged["resource"] not in primitives:
        raise SiteError(
            f"{path}:resource",
            f"{merged['resource']} is no primitive of this pair"
            f"{pillar_values.nearest(merged['resource'], primitives)}",
        )
    default = defaults["roles"][role]["resource"]
    if merged["resource"] != default and not any(_says_of(default, layer) for layer in declared):
        primitives.pop(default, None)  # of one service, two resources would be two
    _refuse_what_does_not_go_together(merged)
    merged["agent_by_host"] = _is_agent_by_host(
        merged["resource"], layers[: len(by_default)], layers[len(by_default) :]
    )
    return merged


def _fence_devices(fencing, nodes, checked, role, name):
    """What the devices that pillar declares in short mean, as a layer of settings."""
    foreign = [minion for pair in checked["pairs"].values() for minion in _listed_nodes(pair)]

    def path(key):
        return cmha_places.of_fencing(checked, role, name, key)

    return cmha_fencing.layer(fencing, nodes, foreign, path)


def _merged(merged, *layers):
    """All layers of settings as one, and each of them without short forms."""
    spelt_out = []
    for layer in layers:
        spelt_out.append(_with_agent_spelt_out(layer, merged.get("resource")))
        merged = overlaid(merged, spelt_out[-1])
    return merged, spelt_out


def _with_agent_spelt_out(layer, resource):
    """``resource: systemd:x`` is short for: the primitive is the same as before, its agent is systemd:x."""
    agent = layer.get("resource", "")
    if ":" not in agent:
        return layer
    primitive = {"pacemaker": {"primitives": {resource: {"agent": agent}}}}
    return {**overlaid(layer, primitive), "resource": resource}


def _is_agent_by_host(resource, defaults, pillar):
    default = [_agent(resource, layer) for layer in defaults]
    return any(str(agent).startswith("lsb:") for agent in default) and not any(
        _agent(resource, layer) for layer in pillar
    )


def _agent(resource, layer):
    """The agent that one layer of settings names; it may not be checked yet."""
    said = _says_of(resource, layer)
    return said.get("agent") if isinstance(said, dict) else said


def _says_of(resource, layer):
    place = layer
    for key in ("pacemaker", "primitives", resource):
        place = place.get(key) if isinstance(place, dict) else None
    return place


def _pacemaker(pair, checked, check_cib):
    # First what each place in pillar says by itself, so that a mistake is named where it stands. An
    # object may be spread over several places; it is checked when they have become one.
    places = {}
    for place in ((), ("roles", pair["role"]), ("pairs", pair["pair"])):
        section = checked
        for key in (*place, "pacemaker"):
            section = section.get(key, {})
        places[":".join(("cmha", *place, "pacemaker"))] = section
    allowed = _allowed(places.values())
    for path, section in places.items():
        cmha_refusals.reserved(section, path)
        alone = {key: value if key in _NOT_SPREAD else None for key, value in section.items()}
        if isinstance(section.get(_ALLOW), (list, type(None))):
            alone[_ALLOW] = allowed
        _in_pillar(check_cib, alone, path)
    declared = {**pair["pacemaker"], **({_ALLOW: allowed} if allowed else {})}
    whole = _in_pillar(check_cib, declared, f"cmha:pairs:{pair['pair']}:pacemaker")
    # Pacemaker takes it from Corosync once, and keeps it when Corosync's changes
    whole["properties"].setdefault("cluster-name", pair["cluster_name"])
    return whole


# A name that one place allows may stand in another
_ALLOW = "allow_unknown"


def _allowed(sections):
    lists = (section.get(_ALLOW) for section in sections)
    names = [name for each in lists if isinstance(each, list) for name in each]
    return [name for number, name in enumerate(names) if name not in names[:number]]


# What is checked where it stands; a set of values may need what another place declares
_NOT_SPREAD = (
    "properties", "rsc_defaults", "op_defaults", "node_descriptions", "node_scores", "node_attributes",
    "node_utilization", "absent", "purge", _ALLOW,
)  # fmt: skip


def _in_pillar(check, section, path):
    try:
        return check(section, path)
    except ValueError as error:
        raise ValueError(f"pillar {error}") from None


def overlaid(base, over):
    """
    Two layers of settings as one: mappings become one key by key, anything else is replaced.

    base, over
        Mappings; what ``over`` says wins.
    """
    result = copy.deepcopy(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = overlaid(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _nodes(nodes, path):
    if len(nodes) != 2:
        raise SiteError(f"{path}:nodes", f"a pair has two nodes, this one has {len(nodes)}")
    listed = []
    for minion_id, node in nodes.items():
        at = f"{path}:nodes:{minion_id}"
        if "nodeid" not in node:
            raise SiteError(f"{at}:nodeid", "is missing")
        addresses = _node_addresses(node, at)
        named = {"id": minion_id, "name": minion_id, **node}
        listed.append({**named, "address": addresses[0], "addresses": addresses})
    first, second = listed
    _need_same_links(first, second, path)
    if first["nodeid"] == second["nodeid"]:
        raise _taken(path, second["id"], "nodeid", second["nodeid"], first["id"])
    cmha_refusals.alike(
        [(node["name"], f"{path}:nodes:{node['id']}:name", node["id"]) for node in listed]
    )
    for address in second["addresses"]:
        if address in first["addresses"]:
            key = "address" if "address" in nodes[second["id"]] else "addresses"
            raise _taken(path, second["id"], key, address, first["id"])
    return sorted(listed, key=lambda node: node["nodeid"])


def _node_addresses(node, path):
    if ("address" in node) == ("addresses" in node):
        problem = (
            "a node has either one address or addresses, one for each link"
            if "address" in node
            else "is missing; or addresses, one for each link"
        )
        raise SiteError(f"{path}:address", problem)
    return node["addresses"] if "addresses" in node else [node["address"]]


def _need_same_links(first, second, path):
    one, other = len(first["addresses"]), len(second["addresses"])
    at = f"{path}:nodes:{second['id']}:addresses"
    if one != other:
        raise SiteError(
            at, f"has {other}, {first['id']} has {one}; a link needs an address on each node"
        )
    for pair in zip(first["addresses"], second["addresses"]):
        if len({corosync_totem.family(address) for address in pair}) > 1:
            raise SiteError(
                at, f"{pair[1]} and {first['id']}'s {pair[0]} are of one link, and of two families"
            )


def _taken(path, node, key, value, owner):
    return SiteError(
        f"{path}:nodes:{node}:{key}", f"{value} is {owner}'s too; each node needs its own"
    )


def _refuse_what_does_not_go_together(pair):
    def at(*keys):
        return cmha_places.place_of(pair["places"], pair["pair"], ":".join(map(str, keys)))

    cmha_refusals.device(pair, at)
    cmha_refusals.votes(pair, at)
    cmha_refusals.heuristics(pair, at)
    cmha_refusals.tie_breakers(pair, at)
    cmha_refusals.rings(pair, at)
    cmha_refusals.times(pair, at)
    cmha_refusals.left_alone(pair, at)
    cmha_resource_refusals.refuse(pair)


def _refuse_shared_nodes(pairs):
    owner = {}
    for pair in pairs:
        for node in pair["nodes"]:
            for value in (node["id"], *node["addresses"]):
                if value in owner:
                    raise SiteError(
                        f"cmha:pairs:{pair['pair']}:nodes:{node['id']}",
                        f"{value} is in pair {owner[value]} already; a node belongs to one pair",
                    )
                owner[value] = pair["pair"]
