"""
The words that Pacemaker 1.1 to 3.0 knows: cluster properties, meta attributes by kind of object, operations
and their attributes. Pacemaker ignores one that it doesn't know, without a word: hence this table.

Pure. Sources: ``pacemaker-schedulerd(7)``, ``pacemaker-controld(7)`` and ``pacemaker-fenced(7)`` of each
version, and their sources for what these leave out; "Pacemaker Explained".
"""

import re

import cib_values
from cib_values import InvalidCib, at
from corosync_keys import is_before

__virtualname__ = "pacemaker_words"

# What an administrator needs when a name is newer than this table, or only an agent of his own reads it
ALLOW = "allow_unknown"

_BOOLEAN, _DURATION, _INTEGER = "true or false", "a duration, as 60s or 5min", "a whole number"
_TIMEOUT = "a duration, as 10s, or -1"
_SPAN = "a duration, as 60s or 5min, and not of ISO 8601"
_THRESHOLD, _POSITIVE = "a number from 0 on, or INFINITY", "a number from 1 on"
_SCORE, _PERCENTAGE, _TEXT = "a number, INFINITY or -INFINITY", "a percentage, as 80%", "text"


def _of(kind, names):
    return dict.fromkeys(names.split(), kind)


PROPERTIES = {
    **_of(
        _BOOLEAN,
        "symmetric-cluster maintenance-mode start-failure-is-fatal enable-startup-probes stonith-enabled "
        "fencing-enabled startup-fencing concurrent-fencing stop-all-resources stop-orphan-resources "
        "stop-orphan-actions stop-removed-resources cancel-removed-actions remove-after-stop "
        "is-managed-default "
        "enable-acl shutdown-lock have-watchdog fence-remote-without-quorum",
    ),
    **_of(
        _DURATION,
        "cluster-delay dc-deadtime cluster-recheck-interval election-timeout shutdown-escalation "
        "join-integration-timeout join-finalization-timeout transition-delay crmd-integration-timeout "
        "crmd-finalization-timeout crmd-transition-delay stonith-timeout fencing-timeout "
        "priority-fencing-delay "
        "shutdown-lock-limit node-pending-timeout default-action-timeout",
    ),
    **_of(
        _INTEGER,
        "batch-limit migration-limit node-action-limit pe-error-series-max pe-warn-series-max "
        "pe-input-series-max",
    ),
    **_of(_POSITIVE, "cluster-ipc-limit stonith-max-attempts fencing-max-attempts"),
    **_of(
        _SCORE,
        "default-resource-stickiness "
        "default-resource-failure-stickiness default-migration-threshold node-health-base "
        "node-health-green "
        "node-health-yellow node-health-red",
    ),
    **_of(_PERCENTAGE, "load-threshold"),
    **_of(
        _TEXT,
        "cluster-infrastructure cluster-name dc-version last-lrm-refresh notification-agent "
        "notification-recipient "
        "cmha-maintenance",
    ),
    **_of(_TIMEOUT, "stonith-watchdog-timeout fencing-watchdog-timeout"),
    **_of(_INTEGER, "expected-quorum-votes"),
    "no-quorum-policy": ("stop", "freeze", "ignore", "demote", "fence", "suicide"),
    "stonith-action": ("reboot", "off", "poweroff"),
    "fencing-action": ("reboot", "off", "poweroff"),
    "fence-reaction": ("stop", "panic"),
    "fencing-reaction": ("stop", "panic"),
    "node-health-strategy": ("none", "migrate-on-red", "only-green", "progressive", "custom"),
    "placement-strategy": ("default", "utilization", "minimal", "balanced"),
}

# Some agents keep their state among the properties, as redis_REPL_INFO
_AGENTS_OWN = re.compile(r"_REPL_INFO$|^hana_|^azure-events")

_ROLES = ("Stopped", "Started", "Promoted", "Unpromoted", "Master", "Slave")
_REQUIRES = ("nothing", "quorum", "fencing", "unfencing", "stonith")

RESOURCE_META = {
    **_of(
        _BOOLEAN,
        "is-managed maintenance critical allow-migrate allow-unhealthy-nodes remote-allow-migrate",
    ),
    **_of(_SCORE, "priority resource-stickiness resource-failure-stickiness"),
    **_of(_THRESHOLD, "migration-threshold"),
    **_of(_DURATION, "failure-timeout remote-connect-timeout"),
    **_of(_INTEGER, "remote-port"),
    **_of(
        _TEXT,
        "container container-attribute-target remote-node remote-addr provides isolation isolation-wrapper "
        "isolation-instance isolation-host",
    ),
    "target-role": _ROLES,
    "requires": _REQUIRES,
    "multiple-active": ("block", "stop_only", "stop_start", "stop_unexpected"),
    "restart-type": ("ignore", "restart"),
}

GROUP_META = {**RESOURCE_META, **_of(_BOOLEAN, "ordered collocated")}

CLONE_META = {
    **GROUP_META,
    **_of(_BOOLEAN, "globally-unique notify interleave promotable"),
    **_of(
        _INTEGER,
        "clone-max clone-min clone-node-max promoted-max promoted-node-max master-max master-node-max",
    ),
}

OPERATION = {
    **_of(_DURATION, "interval"),
    **_of(_SPAN, "timeout start-delay"),
    **_of(_BOOLEAN, "enabled record-pending"),
    **_of(_TEXT, "interval-origin description"),
    "on-fail": (
        "ignore",
        "block",
        "demote",
        "migrate",
        "stop",
        "restart",
        "standby",
        "fence",
        "restart-container",
    ),
    "role": _ROLES,
    "requires": _REQUIRES,
}

ALERT_META = {
    **_of(_SPAN, "timeout"),
    **_of(_TEXT, "timestamp-format"),
    **_of(_BOOLEAN, "enabled"),
}

# What Pacemaker itself reads of a fence device's parameters; all that begins so is its own
_OF_THE_FENCER = re.compile(r"pcmk_")
_FENCING_ACTIONS = ("reboot", "off", "on", "list", "monitor", "status", "metadata", "validate-all")
FENCING = {
    "pcmk_host_check": ("dynamic-list", "static-list", "status", "none"),
    **_of(
        _TEXT, "pcmk_host_list pcmk_host_map pcmk_host_argument pcmk_arg_map pcmk_poweroff_action"
    ),
    **_of(_TEXT, "pcmk_delay_base"),  # a duration, or one for each node
    **_of(_DURATION, "pcmk_delay_max"),
    **_of(_INTEGER, "pcmk_action_limit"),
    **{f"pcmk_{action}_action": _TEXT for action in _FENCING_ACTIONS},
    **{f"pcmk_{action}_timeout": _DURATION for action in _FENCING_ACTIONS},
    **{f"pcmk_{action}_retries": _INTEGER for action in _FENCING_ACTIONS},
}

# Attributes of a node that Pacemaker acts by; any other name is an administrator's
_HEALTH = re.compile("#health")
_OF_A_NODE = dict.fromkeys(
    ("standby", "maintenance", "terminate", "resource-discovery-enabled"), _BOOLEAN
)
_COLOURS = ("red", "yellow", "green")

# Between which versions a word, or one of its values, is known: the first and the last, for each time. What
# isn't here, all of them know, or cmha spells as the version does. Distributions take some into older ones.
_KNOWN = {
    "allow-unhealthy-nodes": [("2.1.3", None)],
    "clone-min": [("1.1.14", None)],
    "cluster-ipc-limit": [("1.1.17", None)],
    "concurrent-fencing": [("1.1.15", None)],
    "container-attribute-target": [("1.1.18", None)],
    "crmd-finalization-timeout": [(None, "2.1.11")],
    "crmd-integration-timeout": [(None, "2.1.11")],
    "crmd-transition-delay": [(None, "2.1.11")],
    "critical": [("2.1.0", None)],
    "default-action-timeout": [(None, "1.1.24")],
    "default-migration-threshold": [(None, "1.1.7")],
    "default-resource-failure-stickiness": [(None, "1.1.24")],
    "default-resource-stickiness": [(None, "1.1.24")],
    "expected-quorum-votes": [(None, "2.1.11")],
    "fence-reaction": [("1.1.22", "1.1.24"), ("2.0.3", None)],
    "fence-remote-without-quorum": [("2.1.10", "2.1.11"), ("3.0.1", None)],
    "is-managed-default": [(None, "1.1.24")],
    "isolation": [("1.1.13", "2.1.11")],
    "isolation-host": [("1.1.13", "2.1.11")],
    "isolation-instance": [("1.1.13", "2.1.11")],
    "isolation-wrapper": [("1.1.13", "2.1.11")],
    "join-finalization-timeout": [("2.0.0", None)],
    "join-integration-timeout": [("2.0.0", None)],
    "load-threshold": [("1.1.11", None)],
    "multiple-active=stop_unexpected": [("2.1.3", None)],
    "no-quorum-policy=demote": [("2.0.5", None)],
    "no-quorum-policy=fence": [("2.1.9", None)],
    "node-action-limit": [("1.1.11", None)],
    "node-health-base": [("1.1.16", None)],
    "node-pending-timeout": [("2.1.7", None)],
    "notification-agent": [("1.1.14", "1.1.24")],
    "notification-recipient": [("1.1.14", "1.1.24")],
    "on-fail=demote": [("2.0.5", None)],
    "priority-fencing-delay": [("1.1.23", "1.1.24"), ("2.0.4", None)],
    "remote-allow-migrate": [("1.1.12", None)],
    "remove-after-stop": [(None, "2.1.11")],
    "resource-failure-stickiness": [(None, "1.1.24")],
    "restart-type": [(None, "2.1.11")],
    "shutdown-lock": [("2.0.4", None)],
    "shutdown-lock-limit": [("2.0.4", None)],
    "stonith-max-attempts": [("1.1.17", None)],
    "stonith-watchdog-timeout": [("1.1.13", None)],
    "transition-delay": [("2.0.0", None)],
}
# The label of an operation in a change's path: its name, and what tells it from others of that name
_OPERATION_LABEL = re.compile(r"(:operations:[^:\s]+)[^:]*")

# Of OCF, of fencing devices, and what Pacemaker itself asks for
ACTIONS = (
    "start stop monitor promote demote notify migrate_to migrate_from reload reload-agent validate-all "
    "meta-data status "
    "recover usage methods restart force-reload on off reboot list list-status metadata"
).split()


def __virtual__():
    return __virtualname__


def check(declared, path):
    """
    Refuse the first word that Pacemaker doesn't know.

    declared
        All sections, as ``cib.check`` returns them, and with ``allow_unknown``, the names that pass unseen.
    path
        Where the sections stand, as a prefix for messages.
    """
    for where, fault in faults(declared):
        raise InvalidCib(at(path, where), f"{fault}; {ALLOW} lets it pass")


def unknown(declared):
    """
    The names that Pacemaker doesn't know, or not with this value.

    declared
        As ``check`` takes it.

    Returns a sorted list.
    """
    return sorted({where.rpartition(":")[2] for where, _ in faults(declared)})


def faults(declared):
    """What is wrong: tuples of the path, whose last part is the name to allow, and the fault."""
    allowed = set(declared.get(ALLOW, ()))
    for where, name, fault in _all_faults(declared):
        if fault and name not in allowed:
            yield at(where, name), fault


def of_some_versions(declared, changes):
    """
    What changes of a configuration not all versions of Pacemaker know.

    declared
        All sections, as ``cib.check`` returns them, and with ``allow_unknown``.
    changes
        By path, as ``cib.difference`` gives them.

    Returns a list of tuples: the path, its last name, and the word: that name, or ``NAME=VALUE``.
    """
    new = [
        _OPERATION_LABEL.sub(r"\1", path)
        for path, change in changes.items()
        if change["new"] is not None
    ]
    allowed = set(declared.get(ALLOW, ()))

    def is_new(path):
        return any(path == each or path.startswith(f"{each}:") for each in new)

    return [
        (at(where, name), name, word)
        for where, name, word in _all_faults(declared, _versioned)
        if word in _KNOWN and name not in allowed and is_new(at(where, name))
    ]


def _versioned(name, value, *_):
    """The word, when not all versions know it."""
    return next((word for word in (name, f"{name}={value}") if word in _KNOWN), None)


def unknown_to(version, word):
    """
    When a version of Pacemaker doesn't know a word: since when, or until when, there is one that does.

    version
        Pacemaker's.
    word
        One of those that ``of_some_versions`` found.

    Returns a line, or ``None``.
    """
    if any(_is_in(version, *span) for span in _KNOWN[word]):
        return None
    return f"Pacemaker {version} doesn't know {word}, which there is {', '.join(map(_span, _KNOWN[word]))}"


def _is_in(version, first, last):
    return not (first and is_before(version, first)) and not (last and is_before(last, version))


def _span(span):
    first, last = span
    if not first:
        return f"until {last}"
    return f"since {first}" if not last else f"from {first} to {last}"


def _all_faults(declared, judge=None):
    judge = judge or _fault
    for section, words, what in (
        ("properties", PROPERTIES, "property"),
        ("rsc_defaults", CLONE_META, "meta attribute of a resource"),
        ("op_defaults", OPERATION, "option of an operation"),
    ):
        told = words, what, judge
        yield from _in_values(section, declared.get(section), *told)
        yield from _in_sets(f"{section}_sets", declared.get(f"{section}_sets"), *told)
    for section, words, what in (
        ("templates", CLONE_META, "template"),
        ("primitives", RESOURCE_META, "primitive"),
        ("groups", GROUP_META, "group"),
        ("clones", CLONE_META, "clone"),
        ("bundles", CLONE_META, "bundle"),
        ("alerts", ALERT_META, "alert"),
    ):
        for identifier, each in (declared.get(section) or {}).items():
            place = at(section, identifier)
            told = words, f"meta attribute of a {what}", judge
            yield from _in_values(at(place, "meta"), each.get("meta"), *told)
            yield from _in_sets(at(place, "meta_sets"), each.get("meta_sets"), *told)
            yield from _in_operations(at(place, "operations"), each.get("operations"), judge)
            yield from _in_parameters(at(place, "params"), each.get("params"))
            if str(each.get("agent", "")).startswith("stonith:"):
                own = {
                    name: value
                    for name, value in (each.get("params") or {}).items()
                    if _OF_THE_FENCER.match(name)
                }
                yield from _in_values(
                    at(place, "params"), own, FENCING, "parameter of a fence device", judge
                )
            yield from _in_utilization(at(place, "utilization"), each.get("utilization"))
            yield from _in_utilization_sets(
                at(place, "utilization_sets"), each.get("utilization_sets")
            )
            for name, recipient in (each.get("recipients") or {}).items():
                there = at(place, f"recipients:{name}")
                yield from _in_values(at(there, "meta"), recipient.get("meta"), *told)
                yield from _in_sets(at(there, "meta_sets"), recipient.get("meta_sets"), *told)

    for node, values in (declared.get("node_attributes") or {}).items():
        yield from _of_nodes(at("node_attributes", node), values)
    for identifier, each in (declared.get("colocations") or {}).items():
        yield at("colocations", identifier), "score", _without_score(each)
    for node, values in (declared.get("node_utilization") or {}).items():
        yield from _in_utilization(at("node_utilization", node), values)
    for node, sets in (declared.get("node_utilization_sets") or {}).items():
        yield from _in_utilization_sets(at("node_utilization_sets", node), sets)


def _of_nodes(path, values):
    for name, value in values.items() if isinstance(values, dict) else ():
        if name in _OF_A_NODE and value is not None and not _is_boolean(value):
            yield path, name, f"should be {_BOOLEAN}, is {value!r}"
        if _HEALTH.match(name) and value not in _COLOURS and not _is_score(value):
            yield (
                path,
                name,
                f"should be {cib_values.alternatives(_COLOURS)}, or a score, is {value!r}",
            )


def _without_score(colocation):
    """Pacemaker ignores a colocation without one, and one of 0, and says nothing."""
    scores = [
        each.get(key)
        for each in (colocation, *(colocation.get("sets") or ()))
        for key in ("score", "score-attribute", "score-attribute-mangle")
        if each.get(key)
    ]
    if all(re.fullmatch("[+-]?0*", each) for each in scores):
        said = "is 0" if scores else "is missing"
        return f"{said}, and Pacemaker ignores the colocation then; INFINITY keeps them together"
    return None


def _in_utilization_sets(path, sets):
    for identifier, each in sets.items() if isinstance(sets, dict) else ():
        if isinstance(each, dict):
            yield from _in_utilization(at(path, f"{identifier}:values"), each.get("values"))


def _in_utilization(path, values):
    """What is needed, and what there is, are whole numbers; Pacemaker takes other text for 0, or 4G for 4."""
    for name, value in values.items() if isinstance(values, dict) else ():
        if value is not None and not _KINDS[_INTEGER](value):
            yield path, name, f"should be {_INTEGER}, is {value!r}"


def _in_sets(path, sets, words, what, judge):
    for identifier, each in (sets or {}).items():
        if isinstance(each, dict):
            values = each.get("values")
            yield from _in_values(at(path, f"{identifier}:values"), values, words, what, judge)


def _in_values(path, values, words, what, judge):
    # what is no mapping is refused by its section
    for name, value in values.items() if isinstance(values, dict) else ():
        yield path, name, judge(name, value, words, what)


def _in_parameters(path, params):
    """No agent of fencing has an action true or false; but YAML reads on and off so."""
    for name, value in params.items() if isinstance(params, dict) else ():
        meant = {"true": "on", "false": "off"}.get(str(value).lower())
        if meant and _FENCING_ACTION.fullmatch(name):
            yield (
                path,
                name,
                f"is {value!r}; write '{meant}', in quotes, which YAML leaves as it is",
            )


def _in_operations(path, operations, judge):
    for name, several in (operations or {}).items():
        if name not in ACTIONS:
            yield path, name, f"is no action that Pacemaker has{_nearest(name, ACTIONS)}"
        for operation in several if isinstance(several, list) else [several]:
            for key, value in operation.items():
                if key in OPERATION:
                    yield at(path, name), key, judge(key, value, OPERATION, "")
                elif not isinstance(value, dict):
                    # a parameter may have any name but one that is meant to be an attribute's
                    near = _nearest(key, list(OPERATION), 0.8)
                    fault = near and f"is no attribute of an operation{near}"
                    yield at(path, name), key, fault
            place, told = at(path, name), (OPERATION, "option of an operation", judge)
            yield from _in_values(at(place, "meta"), operation.get("meta"), *told)
            yield from _in_sets(at(place, "meta_sets"), operation.get("meta_sets"), *told)


_FENCING_ACTION = re.compile(r"action|pcmk_(?:on|off|reboot)_action")


# Where a word of the cluster's own sections belongs, which stands in another of them
_HOMES = ((PROPERTIES, "properties"), (RESOURCE_META, "rsc_defaults"), (OPERATION, "op_defaults"))


_WRITTEN_BY_ITSELF = ("cluster-infrastructure", "dc-version", "have-watchdog")


def _unknown(name, words, what):
    if words is PROPERTIES and _AGENTS_OWN.search(name):
        return None
    home = next((home for known, home in _HOMES if name in known and known is not words), None)
    if home and words in (PROPERTIES, CLONE_META, OPERATION):
        return f"is no {what}; it belongs under {home}"
    return f"is no {what} that Pacemaker knows{_nearest(name, list(words))}"


def _fault(name, value, words, what):
    if name not in words:
        return _unknown(name, words, what)
    if words is PROPERTIES and name in _WRITTEN_BY_ITSELF:
        return "is what Pacemaker writes itself; leave it out"
    kind = words[name]
    if isinstance(kind, tuple):
        same = {cib_values.role(word): word for word in kind}
        if cib_values.role(value) in same or value in kind or value == "#default":
            return None
        read = value == "false" and "off" in kind
        hint = "; write 'off', in quotes" if read else _nearest(value, kind)
        return f"should be {cib_values.alternatives(kind)}, is {value!r}{hint}"
    if _KINDS[kind](value) or value == "#default":
        return None
    return f"should be {kind}, is {value!r}"


def _is_boolean(value):
    return cib_values.fault(cib_values.boolean, value) is None


def _is_score(value):
    return cib_values.fault(cib_values.score, value) is None


def _is_threshold(value):
    return _is_score(value) and cib_values.rank(value) >= 0


def _is_duration(value):
    # Some versions take a blank, or a longer unit; none refuses what is without
    return cib_values.is_duration(value) and not re.search(r"\s", value)


_KINDS = {
    _BOOLEAN: _is_boolean,
    _DURATION: _is_duration,
    # -1: twice SBD_WATCHDOG_TIMEOUT
    _TIMEOUT: lambda value: value == "-1" or _is_duration(value),
    _INTEGER: lambda value: re.fullmatch(r"[+-]?[0-9]+", value),
    _SCORE: _is_score,
    _SPAN: lambda value: _is_duration(value) and not value.startswith("P"),
    _THRESHOLD: _is_threshold,
    _POSITIVE: lambda value: value == "INFINITY" or re.fullmatch(r"[+]?0*[1-9][0-9]*", value),
    _PERCENTAGE: lambda value: re.fullmatch(r"[0-9]+%", value),
    _TEXT: lambda value: True,
}


def _nearest(said, known, cutoff=0.6):
    # a name with underscores is meant to have hyphens
    plain = {each.replace("_", "-").lower(): each for each in known}
    near = plain.get(cib_values.nearest(said.replace("_", "-").lower(), plain, cutoff))
    return f"; did you mean {near}?" if near and near != said else ""
