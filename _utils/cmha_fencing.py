"""
Fencing: what one device for each node means in Pacemaker's words, and what a host asks of a device.

Pure functions. Sources: ``pacemaker-fenced(7)``, Pacemaker Explained, "Fencing"; the library of fence-agents.
"""

import re

import cib_values
import cmha_fence_passwords
import cmha_fence_refusals
from pillar_values import SiteError, mapping, nearest

_STONITH = "stonith:"

# A BMC may take its time: Pacemaker's own 20 s are too few for some
_OPERATIONS = {"start": {"timeout": "60s"}, "monitor": {"interval": "60s", "timeout": "60s"}}

# What tells Pacemaker whom a device fences: in the short form that is said by where a parameter stands
_PLUGS = ("port", "plug")  # in the order in which Pacemaker before 3.0.2 looks for them
_DYNAMIC = "dynamic"  # a plug that is the node's after all
_WHOM = ("pcmk_host_list", "pcmk_host_map", "pcmk_host_check")


def __virtual__():
    return True


# --- what pillar says in short -------------------------------------------------------------------


def layer(fencing, nodes, foreign, path):
    """
    What a pair has by default since pillar declares a fence device for each of its nodes.

    fencing
        The setting ``fencing`` of the pair.
    nodes
        The pair's nodes, by ascending nodeid.
    foreign
        Minion ids of the site's other pairs: a site may list the nodes of all of them.
    path
        Called with a key of ``fencing``: where pillar says it.

    Returns a layer of settings, without the devices' passwords where their agent can read one from a program;
    it is empty when no device is declared. Raises SiteError.
    """
    if not {"agent", "params", "nodes"} & set(fencing):
        return {}
    for key in ("agent", "nodes"):
        if key not in fencing:
            raise SiteError(path(key), "is missing")
    devices = _each_with_its_params(fencing, nodes, foreign, path)
    agent = fencing["agent"]
    _refuse_alike(agent, devices, path)
    _delay_one(devices, path)
    return {
        "pacemaker": {
            "properties": {"stonith-enabled": True, "no-quorum-policy": "stop"},
            "primitives": {
                _device(node): {
                    "agent": agent if agent.startswith(_STONITH) else f"{_STONITH}{agent}",
                    "params": {
                        "pcmk_host_list": node,
                        **_host_argument(params),
                        **cmha_fence_passwords.without(_device(node), agent, params),
                    },
                    "operations": {name: dict(each) for name, each in _OPERATIONS.items()},
                }
                for node, params in devices.items()
            },
            # who is cut off can't be asked to fence itself
            "locations": {
                f"{_device(node)}-elsewhere": {
                    "rsc": _device(node),
                    "node": node,
                    "score": "-INFINITY",
                }
                for node in devices
            },
        }
    }


def names(fencing, nodes):
    """
    The devices that pillar declares in short.

    fencing, nodes
        See ``layer``.
    """
    return [_device(node["name"]) for node in nodes] if "nodes" in fencing else []


def refuse_turned_off(pair, path):
    """
    Refuse devices in short beside a property that keeps them from being used: one of both was forgotten.

    pair
        A pair of a site's model.
    path
        Where pillar says ``fencing``.

    Raises SiteError.
    """
    properties = pair["pacemaker"]["properties"]
    if pair["fencing"]["devices"] and not cib_values.is_true(properties["stonith-enabled"]):
        raise SiteError(
            path,
            "declares fence devices, and pacemaker:properties:stonith-enabled keeps them from being used; "
            "take one of both out of pillar",
        )


def refuse_unused(pair, at):
    """
    Refuse what keeps devices from fencing, and times in which none can.

    pair, at
        See ``cmha_fence_refusals.unused``.
    """
    nodes = [node["name"] for node in pair["nodes"]]
    own = dict(zip(pair["fencing"]["devices"], nodes))
    cmha_fence_refusals.times(pair["pacemaker"], at)
    found = {
        name: {
            **device,
            "own": own.get(name),
            "nodes": [node for node in nodes if _is_for(device["params"], node)],
        }
        for name, device in devices(pair, nodes[0]).items()
    }
    cmha_fence_refusals.unused(pair, found, at)


def refuse_shared(pairs, path_of):
    """
    Refuse that hosts of a site, of one pair or of two, have one device, where that is seen.

    pairs
        All of a site's model.
    path_of
        Called with a pair and a device's name; where pillar says it.
    """
    cmha_fence_refusals.shared(
        [
            (
                f"{pair['pair']}'s {node['name']}",
                device["agent"],
                device["params"],
                path_of(pair, name),
            )
            for pair in pairs
            for node in pair["nodes"]
            for name, device in devices(pair, node["name"]).items()
            if [each["name"] for each in pair["nodes"] if _is_for(device["params"], each["name"])]
            == [node["name"]]
        ]
    )


def passwords(pillar, minion_id):
    """
    The passwords that a host keeps for its fence devices. The one function that gives them: no model, no
    mapping and no return of a job has them.

    pillar
        The value of the pillar key ``cmha``. What is wrong about it gives nothing: to say so is for whoever
        checks it.
    minion_id
        The host's minion id.

    Returns a mapping by device, see ``cmha_fence_passwords.kept``.
    """
    for pair in map(mapping, mapping(mapping(pillar).get("pairs")).values()):
        if minion_id in mapping(pair.get("nodes")):
            return _passwords(pillar, pair)
    return {}


def _each_with_its_params(fencing, nodes, foreign, path):
    """The parameters of each node's device, by the node's name."""
    ids, own = [node["id"] for node in nodes], fencing["nodes"]
    for each in own:
        if each not in (*ids, *foreign):
            near = nearest(each, [*ids, *foreign])
            raise SiteError(f"{path('nodes')}:{each}", f"is no node of this site{near}")
    for each in ids:
        if each not in own:
            raise SiteError(
                f"{path('nodes')}:{each}", "is missing: each node of a pair needs its device"
            )
    common = fencing.get("params", {})
    _check(common, path("params"))
    found = {}
    for node in nodes:
        place_of_node = f"{path('nodes')}:{node['id']}"
        _check(own[node["id"]], place_of_node)
        params = {**common, **own[node["id"]]}
        twice = cmha_fence_passwords.named_twice(params)
        if twice:
            raise SiteError(place_of_node, f"has {' and '.join(twice)}; say the password once")
        found[node["name"]] = params
    return found


def _check(params, path):
    cmha_fence_refusals.params(params, path)
    for name in cmha_fence_passwords.said():
        if name not in params:
            continue
        value = params[name]
        if not isinstance(value, str) or not value or not value.isprintable():
            raise SiteError(
                f"{path}:{name}",
                "should be text of one line, in quotes where it looks like a number; it isn't shown here",
            )
        if value == cib_values.MASK:
            raise SiteError(f"{path}:{name}", "is the mask of a password, and not the password")
    for name in cmha_fence_passwords.reading():
        if cmha_fence_passwords.is_there(params.get(name, "")):
            place = cmha_fence_passwords.place()
            raise SiteError(
                f"{path}:{name}", f"is in {place}, which is cmha's own; put it elsewhere"
            )
    for name in _WHOM:
        if name in params:
            raise SiteError(f"{path}:{name}", "isn't for this short form: a device fences its node")


def _refuse_alike(agent, devices, path):
    own = [
        {name: str(value) for name, value in _without_pacemakers(params).items()}
        for params in devices.values()
    ]
    if own[0] == own[1]:
        raise SiteError(
            path("nodes"),
            f"the devices of {' and '.join(devices)} are the same: what of their parameters tells one host "
            "from the other?",
        )
    cmha_fence_refusals.shared(
        [(node, agent, params, path("nodes")) for node, params in devices.items()]
    )


def _delay_one(devices, path):
    """Sees to it that both nodes don't fence each other at the same time: a cut network lets both try, and
    nobody would be left. The first node is fenced with a delay, it is the one that survives."""
    name, longest = cmha_fence_refusals.DELAY, cmha_fence_refusals.LONGEST_DELAY
    if not any(key in params for params in devices.values() for key in (name, longest)):
        next(iter(devices.values()))[name] = "5s"
        return
    if any(cib_values.duration(str(params.get(longest, "0"))) for params in devices.values()):
        return
    if len({cmha_fence_refusals.delay(params, node) for node, params in devices.items()}) == 1:
        raise SiteError(
            path("nodes"),
            f"both devices have the same {name}: when the network is cut, both hosts would be fenced; "
            "give it to one of them",
        )


def _host_argument(params):
    """By which parameter an agent is told whom to fence. Where it knows two names for that, Pacemaker takes
    the other one for its own, and sends the node's name beside what stands here."""
    said = [name for name in _PLUGS if name in params]
    if "pcmk_host_argument" in params or len(said) != 1:
        return {}
    return {"pcmk_host_argument": said[0]}


def _passwords(pillar, pair):
    agent, common, own = "", {}, {}
    role = mapping(mapping(pillar.get("roles")).get(pair.get("role")))
    for layer_of_pillar in (pillar, role, pair):
        said = mapping(layer_of_pillar.get("fencing"))
        agent = str(said.get("agent", agent))
        common.update(mapping(said.get("params")))
        for node, params in mapping(said.get("nodes")).items():
            own.setdefault(node, {}).update(mapping(params))
    found = {}
    for minion, node in pair["nodes"].items():
        device = _device(mapping(node).get("name", minion))
        kept = cmha_fence_passwords.kept(device, agent, {**common, **own.get(minion, {})})
        if kept:
            found[device] = kept
    return found


def _device(node):
    return f"{cmha_fence_passwords.DEVICES}{node}"


# --- what a host asks of them --------------------------------------------------------------------


def devices(pair, node):
    """
    A cluster's fence devices, as a node sees them.

    pair
        A pair of a site's model.
    node
        The node's name.

    Returns a mapping by device: ``agent`` and ``params``, with those of its template; ``primitive`` and
    ``template``, as they are declared; ``here``, whether it may run on that node; ``target``, the other
    node's name, or ``None`` when it isn't for that; ``short``, whether pillar declares it in short; ``on``,
    whether fencing shall be on; ``allow_unknown``, names of parameters.
    """
    pacemaker = pair["pacemaker"]
    banned = {
        each.get("rsc")
        for each in pacemaker["locations"].values()
        if each.get("node") == node and each.get("score") == "-INFINITY"
    }
    (other,) = (each["name"] for each in pair["nodes"] if each["name"] != node)
    found = {}
    for name, primitive in pacemaker["primitives"].items():
        base = primitive["agent"].removeprefix("@")
        template = pacemaker["templates"].get(base, {}) if base != primitive["agent"] else {}
        agent = template.get("agent", primitive["agent"])
        if agent.startswith(_STONITH):
            params = {**template.get("params", {}), **primitive.get("params", {})}
            found[name] = {
                "agent": agent,
                "params": params,
                "primitive": _agent_and_params(primitive),
                "template": {base: _agent_and_params(template)} if template else {},
                "here": name not in banned,
                "target": other if _is_for(params, other) else None,
                "short": name in pair["fencing"]["devices"],
                "on": cib_values.is_true(pacemaker["properties"].get("stonith-enabled", "true")),
                "allow_unknown": list(pacemaker.get("allow_unknown") or ()),
            }
    return found


def _agent_and_params(primitive):
    return {key: primitive[key] for key in ("agent", "params") if key in primitive}


def _is_for(params, node):
    """Whether a device can fence a node, as far as its parameters say."""
    # by other ways than a list Pacemaker, or the agent, finds out
    if params.get("pcmk_host_check", "static-list") != "static-list":
        return True
    said = re.split(r"[,;\s]+", str(params.get("pcmk_host_list", "")))
    named = {each.lower() for each in (*filter(None, said), *_host_map(params))}
    return not named or node.lower() in named


def has_devices(pair):
    """
    Whether a pair's pillar declares any fence device, in short or in Pacemaker's words.

    pair
        A pair of a site's model.
    """
    return bool(devices(pair, pair["nodes"][0]["name"]))


def program(agent):
    """
    The program of a fence agent, or ``None`` where it isn't called by its name.

    agent
        As in a primitive.
    """
    name = agent.removeprefix(_STONITH)
    return name if re.fullmatch(r"fence_[\w.-]+", name, re.ASCII) else None


def plugin(agent):
    """
    The name of an agent of cluster-glue, or ``None``: Pacemaker calls it by ``fence_legacy``.

    agent
        As in a primitive.
    """
    name = agent.removeprefix(_STONITH)
    return name if re.fullmatch(r"external/[\w.-]+", name, re.ASCII) else None


def question_to_plugin(agent, params):
    """
    What ``fence_legacy`` reads when a device of cluster-glue is asked whether it works. Of the node itself it
    says nothing.

    agent
        As in a primitive.
    params
        The device's parameters.
    """
    return _lines({"plugin": plugin(agent), **_without_pacemakers(params), "action": "monitor"})


def question(params, target, known):
    """
    What a fence agent reads when it is asked whether a node is on: as Pacemaker asks, whose own parameters
    aren't the agent's.

    params
        The device's parameters.
    target
        The node's name.
    known
        Names of the parameters that the agent knows.
    """
    own = _without_pacemakers(params)
    plug = params.get("pcmk_host_argument") or next(
        (name for name in _PLUGS if name in known), None
    )
    if plug and plug != "none" and not _plugs_said(own):
        own[plug] = _host_map(params).get(target, target)
    return _lines({**own, "action": "status"})


def _without_pacemakers(params):
    return {name: value for name, value in params.items() if not name.startswith("pcmk_")}


def _lines(params):
    return "".join(f"{name}={value}\n" for name, value in params.items())


def plugs_twice(params, known, takes):
    """
    Which parameter Pacemaker would send beside the one that is declared, so that nobody knows which of both
    counts; ``None`` where that isn't so.

    params
        The device's parameters.
    known
        Names of the parameters that the agent knows.
    takes
        ``port`` or ``plug``, which the installed Pacemaker takes when the agent knows both.
    """
    said = _plugs_said(params)
    if "pcmk_host_argument" in params or not said or not set(_PLUGS) <= set(known):
        return None
    return None if takes in said else takes


def _plugs_said(params):
    return [name for name in _PLUGS if str(params.get(name, _DYNAMIC)).lower() != _DYNAMIC]


def answer(said, params, secrets=()):
    """
    What of an agent's output says why it failed: its last line, without the time, and without secrets.

    said
        What it printed on standard error, or else on standard output.
    params
        The device's parameters.
    secrets
        More text that isn't shown.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1].partition("ERROR: ")[2] or lines[-1] if lines else "it says nothing"
    secret = {
        str(value) for name, value in params.items() if cib_values.masked(value, name) != value
    }
    for each in sorted({*secret, *secrets}, key=len, reverse=True):
        last = last.replace(each, "****") if each else last
    return last


def _host_map(params):
    """Pacemaker's ``pcmk_host_map``: ``cms1:1;cms2:2,3``."""
    pairs = re.split(r"[;\s]+", str(params.get("pcmk_host_map", "")))
    found = (re.split(r"[:=]", each, maxsplit=1) for each in pairs if re.search(r"[:=]", each))
    return dict(found)
