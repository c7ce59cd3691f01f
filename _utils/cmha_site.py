"""
The site model: what the pillar ``cmha`` may say, and what it means for one host.

Pure functions: pillar data in, checked and completed data out. The keys and their spelling are
those of corosync.conf(5), votequorum(5) and the guide; ``pillar.example`` explains each.
"""

import copy
import difflib
import hashlib
import ipaddress
import json
import re

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9.:+~_-]+")

# What preflight finds out and a site may have it only warn of (cmha:preflight:ignore).
PREFLIGHT_CHECKS = ("nodename", "address", "resolve", "reach", "versions", "service", "clock")
_WORD = re.compile(r"[A-Za-z0-9_./:@+,-]+")

# The alert of cmha/defaults.yaml that feeds the events.
_ALERT = "cmha"


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
    ``nodeid`` and ``address``, by ascending nodeid) and the settings ``corosync``, ``firewall``,
    ``pacemaker``, ``alerts``, ``timeouts``, ``agent_processes``, ``service``, ``resource`` and ``port``,
    and ``agent_stop`` where pillar has it.

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


def daemons(pair):
    """
    The daemons of a pair's cluster, in the order in which they start.

    pair
        A pair of what ``site`` returned.
    """
    return ["corosync", *(["corosync-qdevice"] if device(pair) else []), "pacemaker"]


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
    ports = {"proto": "udp", "dports": "5404,5405"}
    rules = []
    for chain, side in (("INPUT", "source"), ("OUTPUT", "destination")):
        if settings["sources"] == "any":
            for family in sorted({_family(node["address"]) for node in pair["nodes"]}):
                rules.append({"id": chain, "chain": chain, "family": family, "match": ports})
            continue
        for node in pair["nodes"]:
            match = {side: node["address"], **ports}
            rule = {"id": f"{chain} {node['name']}", "chain": chain}
            rules.append({**rule, "family": _family(node["address"]), "match": match})
    return rules


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
    for layer in (*by_default, *declared):
        merged = overlaid(merged, layer)
    if merged["qnetd"] and not device(merged):
        raise SiteError(
            f"{path}:qnetd", "names a quorum device, and corosync:quorum:device is missing"
        )
    merged.update(role=role, cluster_name=own["cluster_name"], nodes=_nodes(own["nodes"], path))
    if merged["resource"] not in merged["pacemaker"]["primitives"]:
        raise SiteError(
            f"{path}:resource",
            f"{merged['resource']} is no primitive of this pair"
            f"{_nearest(merged['resource'], merged['pacemaker']['primitives'])}",
        )
    return merged


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
        for key in ("nodeid", "address"):
            if key not in node:
                raise SiteError(f"{path}:nodes:{minion_id}:{key}", "is missing")
        listed.append({"id": minion_id, "name": minion_id, **node})
    first, second = listed
    for key in ("nodeid", "address", "name"):
        if first[key] == second[key]:
            raise SiteError(
                f"{path}:nodes:{second['id']}:{key}",
                f"{second[key]} is {first['id']}'s too; each node needs its own",
            )
    return sorted(listed, key=lambda node: node["nodeid"])


def _refuse_shared_nodes(pairs):
    for key in ("id", "address"):
        owner = {}
        for pair in pairs:
            for node in pair["nodes"]:
                value = node[key]
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
    return copy.deepcopy(value)


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

# corosync.conf(5), 1.4 to 3.1. Corosync ignores a key that it doesn't know, without a word: that is why
# every key it has is listed here. Left out are those that this model sets itself (cluster_name, the
# interfaces, the nodelist) and `key`, a secret that has no place in a file that everyone may read.
_TOTEM = {
    **dict.fromkeys(
        (
            "cancel_token_hold_on_retransmit config_version consensus downcheck fail_recv_const "
            "heartbeat_failures_allowed hold join knet_compression_level "
            "knet_compression_threshold knet_mtu knet_pmtud_interval max_messages "
            "max_network_delay merge miss_count_const netmtu send_join seqno_unchanged_const "
            "token token_coefficient token_retransmit token_retransmits_before_loss_const "
            "token_warning window_size threads"
        ).split(),
        _COUNT,
    ),
    "version": _one_of(2),
    "transport": _one_of("udpu", "udp", "knet"),
    "secauth": _ON_OFF,
    "crypto_model": _one_of("nss", "openssl"),
    "crypto_cipher": _one_of("none", "aes256", "aes192", "aes128", "3des"),
    "crypto_hash": _one_of("none", "md5", "sha1", "sha256", "sha384", "sha512"),
    "knet_compression_model": _word,
    "link_mode": _one_of("passive", "active", "rr"),
    "rrp_mode": _one_of("none", "active", "passive"),
    "ip_version": _one_of("ipv4", "ipv6", "ipv4-6", "ipv6-4"),
    "keyfile": _file,
    "clear_node_high_bit": _YES_NO,
    "block_unlisted_ips": _YES_NO,
    "cancel_token_hold_on_retransmit": _YES_NO,
}

_QUORUM = {
    "device": {
        "model": _one_of("net"),
        "votes": _COUNT,
        "timeout": _COUNT,
        "net": {
            "host": _word,
            "port": _PORT,
            "tls": _one_of("on", "off", "required"),
            "algorithm": _one_of("ffsplit", "lms"),
        },
    },
    "provider": _one_of("corosync_votequorum"),
    **dict.fromkeys(
        "two_node wait_for_all last_man_standing auto_tie_breaker allow_downscale "
        "expected_votes_tracking".split(),
        _ONE_ZERO,
    ),
    "expected_votes": _COUNT,
    "last_man_standing_window": _COUNT,
    "auto_tie_breaker_node": _word,
}

_LOGGING = {
    "timestamp": lambda value, path: value if value == "hires" else _ON_OFF(value, path),
    **dict.fromkeys(("fileline", "function_name", "blackbox"), _ON_OFF),
    "debug": lambda value, path: value if value == "trace" else _ON_OFF(value, path),
    **dict.fromkeys(("to_stderr", "to_logfile", "to_syslog"), _YES_NO),
    "logfile": _file,
    **dict.fromkeys(
        ("logfile_priority", "syslog_priority"),
        _one_of("alert", "crit", "debug", "emerg", "err", "info", "notice", "warning"),
    ),
    "syslog_facility": _word,
}

_SETTINGS = {
    "service": _name,
    "resource": _name,
    "port": _PORT,
    "corosync": {"totem": _TOTEM, "quorum": _QUORUM, "logging": _LOGGING},
    "firewall": {
        "enabled": _flag,
        "sources": _one_of("pair", "any"),
        "save": _flag,
    },
    "pacemaker": _section,
    "alerts": _flag,
    "timeouts": {"online": _SECONDS, "started": _SECONDS},
    "versions": _versions,
    "qnetd": _name,
    "crmsh": {"install": _flag, "repository": _repository},
    "agent_stop": _one_of("hard_stop_confirmed", "next_stop_hard", "stop_supervisord"),
    "agent_processes": _pattern,
    "preflight": {"clock_difference": _SECONDS, "ignore": _checks},
}

_NODE = {"nodeid": _number(1, 2**31 - 1), "address": _address, "name": _name}

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
