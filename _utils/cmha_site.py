"""
The site model: what the pillar ``cmha`` may say, and what it means for one host.

Pure functions: pillar data in, checked and completed data out. The keys and their spelling are
those of corosync.conf(5), votequorum(5) and the guide; ``pillar.example`` explains each.
"""

import base64
import binascii
import copy
import difflib
import hashlib
import ipaddress
import json
import re

import cib_values
import corosync_keys
import corosync_totem

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9.:+~_-]+")

# What preflight finds out and a site may have it only warn of (cmha:preflight:ignore).
PREFLIGHT_CHECKS = ("nodename", "address", "resolve", "reach", "versions", "service", "clock")
_AGENT = re.compile(
    r"(lsb|systemd|service|upstart):[A-Za-z0-9_.@-]+|ocf:[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+"
)
_WORD = re.compile(r"[A-Za-z0-9_./:@+,-]+")

# The alert of cmha/defaults.yaml that feeds the events.
_ALERT = "cmha"

# corosync-qnetd(8)
_QNETD_PORT = 5403


class SiteError(ValueError):
    """The pillar is wrong: says where (the pillar path), what is wrong and what to do."""

    def __init__(self, path, problem):
        super().__init__(f"pillar {path}: {problem}")
        self.path = path


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
    ``resource``, ``port`` and ``start_on_boot``; ``qnetd`` and ``agent_stop`` where pillar has them; and
    ``agent_by_host``: whether it is left to the hosts by which agent the resource is run (see
    ``with_agent``), since the default is an init script and pillar names none. Of Corosync's key it only has
    the size: ``key_size`` in bytes, ``None`` without a key (see ``authkey``). ``places`` has the pillar path
    of everything that pillar says of Corosync, for ``cmha_corosync.fitted``.

    Raises SiteError, a ValueError, for the first thing that is wrong.
    """
    if pillar in (None, "", {}):
        raise SiteError("cmha", "is missing; describe the site there, see pillar.example")
    checked = _checked(pillar, _SITE, "cmha")
    for key in ("site", "pairs"):
        if key not in checked:
            raise SiteError(f"cmha:{key}", "is missing")
    pairs = [_pair(name, checked, defaults) for name in checked["pairs"]]
    _refuse_shared_nodes(pairs)
    for pair in pairs:
        pair["pacemaker"] = _pacemaker(pair, checked, check_cib)
    pairs = [pair if pair["alerts"] else without_alerts(pair) for pair in pairs]
    return {"site": checked["site"], "pairs": pairs}


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
    known = [node["id"] for pair in site_model["pairs"] for node in pair["nodes"]]
    raise SiteError(
        "cmha:pairs",
        f"no pair lists this minion, {minion_id}{_nearest(minion_id, known)}; "
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


def device(settings):
    """
    The quorum device that settings declare (``corosync:quorum:device``), or ``None``.

    settings
        A pair of what ``site`` returned, or a layer of one.
    """
    return settings.get("corosync", {}).get("quorum", {}).get("device")


def device_port(pair):
    """
    The TCP port of a pair's quorum device.

    pair
        A pair of what ``site`` returned, which has one.
    """
    return device(pair)["net"].get("port", _QNETD_PORT)


def wants_certificate(pair):
    """
    Whether a pair's nodes need a certificate for their quorum device (``tls``; Corosync's default is on).

    pair
        A pair of what ``site`` returned.
    """
    return bool(device(pair)) and device(pair)["net"].get("tls", "on") != "off"


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
        if minion_id not in pair["nodes"]:
            continue
        places = (("pairs", name), ("roles", pair["role"]), ())
        for place in places:
            layer = pillar
            for key in (*place, "corosync"):
                layer = layer.get(key, {})
            if "authkey" in layer:
                return _authkey(layer["authkey"], ":".join(("cmha", *place, "corosync:authkey")))
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


def firewall_rules(pair):
    """
    The packet filter rules that let a pair's Corosync talk.

    The guide's outbound rule asks for source ports, which never matches: with udpu Corosync sends
    from a port that the kernel picked. Both directions therefore go by destination port.

    Returns a list of mappings, each with ``id``, ``chain``, ``family`` and ``match`` (a list of single
    iptables options and their values).
    """
    settings = pair["firewall"]
    if not settings["enabled"]:
        return []
    rules = _rules_for_anybody if settings["sources"] == "any" else _rules_for_the_pair
    return rules(pair, corosync_totem.links(pair)) + _rules_for_the_device(pair)


def _rules_for_anybody(pair, links):
    talks = {}
    for link in links:
        family = _family(pair["nodes"][0]["addresses"][link["number"]])
        talks.setdefault((family, link["proto"]), set()).update(link["ports"])
    # one of each chain is named after the chain alone, as the guide's is
    names = [" ".join(kind) if place else "" for place, kind in enumerate(sorted(talks))]
    return [
        {
            "id": f"{chain} {name}".strip(),
            "chain": chain,
            "family": family,
            "match": {"proto": proto, "dports": _dports(ports)},
        }
        for chain in ("INPUT", "OUTPUT")
        for name, ((family, proto), ports) in zip(names, sorted(talks.items()))
    ]


def _rules_for_the_device(pair):
    net = (device(pair) or {}).get("net", {})
    try:
        family = _family(net.get("host"))
    except ValueError:  # none, or a name: whoever resolves it lets the packets out
        return []
    match = {"destination": net["host"], "proto": "tcp", "dports": str(device_port(pair))}
    return [{"id": "OUTPUT quorum device", "chain": "OUTPUT", "family": family, "match": match}]


def _rules_for_the_pair(pair, links):
    rules = []
    for chain, side in (("INPUT", "source"), ("OUTPUT", "destination")):
        for link in links:
            number = link["number"]
            match = {"proto": link["proto"], "dports": _dports(link["ports"])}
            at = f" link {number}" if number else ""
            # what goes to a multicast address goes to no node's
            everywhere = chain == "OUTPUT" and link["multicast"]
            for node in pair["nodes"][:1] if everywhere else pair["nodes"]:
                address = node["addresses"][number]
                rules.append(
                    {
                        "id": f"{chain} {'multicast' if everywhere else node['name']}{at}",
                        "chain": chain,
                        "family": _family(address),
                        "match": match if everywhere else {side: address, **match},
                    }
                )
    return rules


def _dports(ports):
    return ",".join(str(port) for port in sorted(ports))


def _family(address):
    return "ipv6" if ipaddress.ip_address(address).version == 6 else "ipv4"


def _pair(name, checked, defaults):
    path = f"cmha:pairs:{name}"
    own = checked["pairs"][name]
    for key in ("role", "cluster_name", "nodes"):
        if key not in own:
            raise SiteError(f"{path}:{key}", "is missing")
    role = own["role"]
    declared = [_settings(checked), checked.get("roles", {}).get(role, {}), _settings(own)]
    by_default = [_settings(defaults), defaults["roles"][role]]
    if any(map(device, declared)):
        by_default.append(defaults["with_device"])
    merged = {"pair": name, "port": None, "qnetd": None}
    layers = []
    for layer in (*by_default, *declared):
        layers.append(_with_agent_spelt_out(layer, merged.get("resource")))
        merged = overlaid(merged, layers[-1])
    if merged["qnetd"] and not device(merged):
        raise SiteError(
            f"{path}:qnetd", "names a quorum device, and corosync:quorum:device is missing"
        )
    merged.update(role=role, cluster_name=own["cluster_name"], nodes=_nodes(own["nodes"], path))
    key = merged["corosync"].pop("authkey", None)
    merged["key_size"] = None if key is None else len(key)
    merged["places"] = _places(checked, role, name)
    if merged["resource"] not in merged["pacemaker"]["primitives"]:
        raise SiteError(
            f"{path}:resource",
            f"{merged['resource']} is no primitive of this pair"
            f"{_nearest(merged['resource'], merged['pacemaker']['primitives'])}",
        )
    merged["agent_by_host"] = _is_agent_by_host(
        merged["resource"], layers[: len(by_default)], layers[len(by_default) :]
    )
    return merged


def _places(checked, role, name):
    """Where pillar says what of Corosync: ``{'totem:token': 'cmha:pairs:cms:corosync:totem:token'}``."""
    places = {}
    for place in ((), ("roles", role), ("pairs", name)):
        layer = checked
        for key in place:
            layer = layer.get(key, {})
        path = ":".join(("cmha", *place, "corosync"))
        places.update({key: f"{path}:{key}" for key in _leaves(layer.get("corosync", {}), "")})
    return places


def _leaves(mapping, path):
    for key, value in mapping.items():
        here = _below(path, key) if path else str(key)
        if isinstance(value, dict):
            yield from _leaves(value, here)
        else:
            yield here


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
    place = layer
    for key in ("pacemaker", "primitives", resource):
        place = place.get(key) if isinstance(place, dict) else None
    return place.get("agent") if isinstance(place, dict) else place


def _pacemaker(pair, checked, check_cib):
    # First what each place in pillar says by itself, so that a mistake is named where it stands. An
    # object may be spread over several places; it is checked when they have become one.
    for place in ((), ("roles", pair["role"]), ("pairs", pair["pair"])):
        section = checked
        for key in (*place, "pacemaker"):
            section = section.get(key, {})
        alone = {key: value if key in _NOT_SPREAD else None for key, value in section.items()}
        _in_pillar(check_cib, alone, ":".join(("cmha", *place, "pacemaker")))
    whole = _in_pillar(check_cib, pair["pacemaker"], f"cmha:pairs:{pair['pair']}:pacemaker")
    # Pacemaker takes it from Corosync once, and keeps it when Corosync's changes
    whole["properties"].setdefault("cluster-name", pair["cluster_name"])
    return whole


_NOT_SPREAD = (
    "properties", "rsc_defaults", "op_defaults", "node_attributes", "node_utilization", "absent", "purge",
)  # fmt: skip


def _in_pillar(check, section, path):
    try:
        return check(section, path)
    except ValueError as error:
        raise ValueError(f"pillar {error}") from None


def _settings(layer):
    return {key: value for key, value in layer.items() if key in _SETTINGS}


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
    for key in ("nodeid", "name"):
        if first[key] == second[key]:
            raise _taken(path, second["id"], key, second[key], first["id"])
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
        if len({_family(address) for address in pair}) > 1:
            raise SiteError(
                at, f"{pair[1]} and {first['id']}'s {pair[0]} are of one link, and of two families"
            )


def _taken(path, node, key, value, owner):
    return SiteError(
        f"{path}:nodes:{node}:{key}", f"{value} is {owner}'s too; each node needs its own"
    )


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


# The rules: each takes a value and its path, and returns the value as it is used, or raises.


def _checked(value, rule, path):
    return rule(value, path) if callable(rule) else _mapping(rule)(value, path)


def _mapping(rules):
    def rule(value, path):
        _need_mapping(value, path)
        for key in value:
            if key not in rules:
                raise SiteError(_below(path, key), f"is no known key{_nearest(key, rules)}")
        return {key: _checked(value[key], rules[key], _below(path, key)) for key in value}

    return rule


def _mapping_of(key_rule, value_rule):
    def rule(value, path):
        _need_mapping(value, path)
        if not value:
            raise SiteError(path, "is empty")
        return {
            key_rule(key, _below(path, key)): _checked(item, value_rule, _below(path, key))
            for key, item in value.items()
        }

    return rule


def _below(path, key):
    return f"{path}:{key if _WORD.fullmatch(str(key)) else repr(key)}"


def _need_mapping(value, path):
    if not isinstance(value, dict):
        raise SiteError(path, f"should be a mapping, is {_shown(value)}")


def _name(value, path):
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise SiteError(
            path,
            f"should be a name of letters, digits, dots, dashes and underscores, is {_shown(value)}",
        )
    return value


def _resource(value, path):
    if isinstance(value, str) and _AGENT.fullmatch(value):
        return value
    return _name(value, path)


def _word(value, path):
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise SiteError(path, f"should be one word, is {_shown(value)}")
    return value


def _file(value, path):
    if not _word(value, path).startswith("/"):
        raise SiteError(path, f"should be an absolute path, is {_shown(value)}")
    return value


def _pattern(value, path):
    # The OCF agent, a shell script, holds it in single quotes.
    if not isinstance(value, str) or not value or set(value) & set("'\n"):
        raise SiteError(
            path, f"should be a regular expression without single quotes, is {_shown(value)}"
        )
    return value


def _address(value, path):
    try:
        if not isinstance(value, str):
            raise ValueError
        address = ipaddress.ip_address(value)
    except ValueError:
        raise SiteError(
            path,
            f"should be an IP address, is {_shown(value)}; a host name may resolve to a loopback "
            "address on the host itself",
        ) from None
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        raise SiteError(path, f"{value} can't be reached from the peer")
    return str(address)


def _addresses(value, path):
    if not isinstance(value, list) or not 1 <= len(value) <= _LINKS:
        raise SiteError(
            path,
            f"should be a list of 1 to {_LINKS} addresses, one for each link, is {_shown(value)}",
        )
    addresses = [_address(each, path) for each in value]
    if len(set(addresses)) < len(addresses):
        raise SiteError(path, "has an address twice; each link has its own")
    return addresses


def _network(value, path):
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise SiteError(path, f"should be an IP address, is {_shown(value)}") from None


def _multicast(value, path):
    address = _network(value, path)
    if not ipaddress.ip_address(address).is_multicast:
        raise SiteError(path, f"should be a multicast address, is {_shown(value)}")
    return address


def _authkey(value, path):
    # What is wrong with it is said without it.
    if isinstance(value, str) and "-----BEGIN PGP MESSAGE-----" in value:
        raise SiteError(
            path,
            "is still encrypted: the first line of that file has to be #!yaml|gpg, and this master needs the "
            "GPG key (Salt's gpg renderer)",
        )
    try:
        # as corosync-keygen's output is folded by base64(1)
        key = base64.b64decode("".join(value.split()), validate=True)
    except (AttributeError, ValueError, binascii.Error):
        raise SiteError(path, "should be base64; salt-run cmha.keygen makes a key") from None
    low, high = corosync_totem.KEY_SIZES
    if not low <= len(key) <= high:
        raise SiteError(
            path,
            f"should be a key of {low} to {high} bytes, has {len(key)}; salt-run cmha.keygen makes one",
        )
    return key


def _tie_breaker(value, path):
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"lowest|highest|\d+( \d+)*", text):
        raise SiteError(
            path, f"should be lowest, highest or the nodeid of a node, is {_shown(value)}"
        )
    return value


def _command(value, path):
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise SiteError(path, f"should be a command in one line, is {_shown(value)}")
    return value


def _heuristics(value, path):
    _need_mapping(value, path)
    commands = {
        key: _COMMANDS["exec_"]
        for key in value
        if isinstance(key, str) and re.fullmatch(r"exec_[A-Za-z0-9_-]+", key)
    }
    known = {key: rule for key, rule in _COMMANDS.items() if key != "exec_"}
    return _mapping({**known, **commands})(value, path)


def _number(low, high):
    def rule(value, path):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SiteError(path, f"should be a number from {low} to {high}, is {_shown(value)}")
        return value

    return rule


def _flag(value, path):
    if not isinstance(value, bool):
        raise SiteError(path, f"should be true or false, is {_shown(value)}")
    return value


def _one_of(*words):
    def rule(value, path):
        if value not in words or isinstance(value, bool):
            raise SiteError(
                path,
                f"should be {_listed(words)}, is {_shown(value)}{_nearest(value, words)}",
            )
        return value

    return rule


def _spelt(words):
    # As _one_of, where YAML reads some of the words as booleans or numbers.
    def rule(value, path):
        text = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
        if isinstance(text, (int, float)):
            text = str(text)
        return _one_of(*words)(text if text in words else value, path)

    return rule


def _switch(on, off):
    # YAML reads an unquoted off, no, on or yes as a boolean. What was meant is plain: print it as
    # this key spells it.
    def rule(value, path):
        if isinstance(value, bool):
            return on if value else off
        if value not in (on, off):
            raise SiteError(path, f"should be {on} or {off}, is {_shown(value)}")
        return value

    return rule


def _section(value, path):
    # What stands in a section of the CIB is checked by the CIB model, which knows its rules.
    _need_mapping(value, path)
    section = copy.deepcopy(value)
    # Before the layers become one: by whichever name pillar calls a property, it overrides the default
    properties = section.get("properties")
    for old, new in cib_values.RENAMED_PROPERTIES.items():
        if isinstance(properties, dict) and new in properties and old not in properties:
            properties[old] = properties.pop(new)
    return section


def _versions(value, path):
    _need_mapping(value, path)
    return {_word(name, path): _version(value[name], _below(path, name)) for name in value}


def _version(value, path):
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        raise SiteError(
            path,
            f"should be a version as the package manager spells it, in quotes, is {_shown(value)}",
        )
    return value


def _repository(value, path):
    # Salt's own pkgrepo.managed takes it, whose arguments differ by package manager.
    _need_mapping(value, path)
    if value and "name" not in value:
        raise SiteError(f"{path}:name", "is missing; see Salt's pkgrepo.managed")
    return copy.deepcopy(value)


def _checks(value, path):
    if not isinstance(value, list):
        raise SiteError(path, f"should be a list, is {_shown(value)}")
    return [_one_of(*PREFLIGHT_CHECKS)(each, path) for each in value]


def _nearest(key, known):
    near = difflib.get_close_matches(str(key), [str(name) for name in known], n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _listed(words):
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _shown(value):
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    return repr(value)


_PORT = _number(1, 65535)
_COUNT = _number(0, 2**31 - 1)
_SECONDS = _number(1, 24 * 60 * 60)
_ON_OFF = _switch("on", "off")
_YES_NO = _switch("yes", "no")
_ONE_ZERO = _switch(1, 0)

_LINKS = 8  # as many as Corosync has

_KINDS = {
    corosync_keys.COUNT: _COUNT,
    corosync_keys.PORT: _PORT,
    corosync_keys.BYTE: _number(0, 255),
    corosync_keys.WORD: _word,
    corosync_keys.FILE: _file,
    corosync_keys.ON_OFF: _ON_OFF,
    corosync_keys.YES_NO: _YES_NO,
    corosync_keys.ONE_ZERO: _ONE_ZERO,
    corosync_keys.ADDRESS: _network,
    corosync_keys.MULTICAST: _multicast,
    corosync_keys.HOST: _word,
    corosync_keys.COMMAND: _command,
    corosync_keys.TIE_BREAKER: _tie_breaker,
}


def _section_of_corosync(name):
    """The rules of a section of corosync.conf, for all generations together."""
    return {
        key: _spelt(tuple(rule)) if isinstance(rule, dict) else _KINDS[rule]
        for key, (_, rule) in corosync_keys.SECTIONS[name].items()
    }


_COMMANDS = _section_of_corosync("quorum:device:heuristics")

_COROSYNC = {
    "totem": _section_of_corosync("totem"),
    "interface": _mapping_of(_number(0, _LINKS - 1), _section_of_corosync("interface")),
    "quorum": {
        **_section_of_corosync("quorum"),
        "device": {
            **_section_of_corosync("quorum:device"),
            "net": _section_of_corosync("quorum:device:net"),
            "heuristics": _heuristics,
        },
    },
    "logging": {
        **_section_of_corosync("logging"),
        "logger_subsys": _mapping_of(_name, _section_of_corosync("logging:logger_subsys")),
    },
    "authkey": _authkey,
}

_SETTINGS = {
    "service": _name,
    "resource": _resource,
    "port": _PORT,
    "corosync": _COROSYNC,
    "firewall": {
        "enabled": _flag,
        "backend": _one_of("auto", "iptables", "nftables", "firewalld", "ufw"),
        "sources": _one_of("pair", "any"),
        "save": _flag,
    },
    "pacemaker": _section,
    "alerts": _flag,
    "start_on_boot": _one_of(*_AT_BOOT),
    "timeouts": {"online": _SECONDS, "started": _SECONDS},
    "versions": _versions,
    "qnetd": _name,
    "crmsh": {"install": _flag, "repository": _repository},
    "agent_stop": _one_of("hard_stop_confirmed", "next_stop_hard", "stop_supervisord"),
    "agent_processes": _pattern,
    "preflight": {"clock_difference": _SECONDS, "ignore": _checks},
}

_NODE = {
    "nodeid": _number(1, 2**31 - 1),
    "address": _address,
    "addresses": _addresses,
    "name": _name,
    **_section_of_corosync("node"),
}

_PAIR = {
    **_SETTINGS,
    "role": _one_of("server", "agent"),
    "cluster_name": _name,
    "nodes": _mapping_of(_name, _NODE),
}

_SITE = {
    **_SETTINGS,
    "site": _name,
    "pairs": _mapping_of(_name, _PAIR),
    "roles": {"server": _SETTINGS, "agent": _SETTINGS},
}
