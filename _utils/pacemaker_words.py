"""
What Pacemaker would ignore of a configuration, without a word: names that it doesn't know, values that are
none.

Pure. The words are in ``pacemaker_table``. Sources: "Pacemaker Explained"; Pacemaker's own sources for how it
reads a value.
"""

import re

import cib_values
from cib_values import InvalidCib, at
from corosync_keys import is_before
from pacemaker_table import (
    ACTIONS,
    AGENTS_OWN,
    ALERT_META,
    BOOLEAN,
    CLONE_META,
    COLOURS,
    DURATION,
    FENCING,
    FENCING_ACTIONS,
    GROUP_META,
    HEALTH,
    INTEGER,
    KNOWN,
    OF_A_NODE,
    OF_THE_FENCER,
    OPERATION,
    PERCENTAGE,
    POSITIVE,
    PROPERTIES,
    RESOURCE_META,
    SCORE,
    SPAN,
    TEXT,
    THRESHOLD,
    TIMEOUT,
)

# What an administrator needs when a name is newer than this table, or only an agent of his own reads it
ALLOW = "allow_unknown"

# The label of an operation in a change's path: its name, and what tells it from others of that name
_OPERATION_LABEL = re.compile(r"(:operations:[^:\s]+)[^:]*")


def __virtual__():
    return True


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
        if word in KNOWN and name not in allowed and is_new(at(where, name))
    ]


def _versioned(name, value, *_):
    """The word, when not all versions know it."""
    return next((word for word in (name, f"{name}={value}") if word in KNOWN), None)


def unknown_to(version, word):
    """
    When a version of Pacemaker doesn't know a word: since when, or until when, there is one that does.

    version
        Pacemaker's.
    word
        One of those that ``of_some_versions`` found.

    Returns a line, or ``None``.
    """
    if any(_is_in(version, *span) for span in KNOWN[word]):
        return None
    return f"Pacemaker {version} doesn't know {word}, which there is {', '.join(map(_span, KNOWN[word]))}"


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
                    if OF_THE_FENCER.match(name)
                }
                yield from _in_values(
                    at(place, "params"), own, FENCING, "parameter of a fence device", judge
                )
            yield from _in_values(at(place, "utilization"), each.get("utilization"), *_NUMBERS)
            yield from _in_sets(
                at(place, "utilization_sets"), each.get("utilization_sets"), *_NUMBERS
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
        yield from _in_values(at("node_utilization", node), values, *_NUMBERS)
    for node, sets in (declared.get("node_utilization_sets") or {}).items():
        yield from _in_sets(at("node_utilization_sets", node), sets, *_NUMBERS)


def _of_nodes(path, values):
    for name, value in values.items() if isinstance(values, dict) else ():
        if name in OF_A_NODE and value is not None and not _is_boolean(value):
            yield path, name, f"should be {BOOLEAN}, is {value!r}"
        if HEALTH.match(name) and value not in COLOURS and not _is_score(value):
            yield (
                path,
                name,
                f"should be {cib_values.alternatives(COLOURS)}, or a score, is {value!r}",
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


def _of_utilization(_name, value, *_):
    """What is needed, and what there is, are whole numbers; Pacemaker takes other text for 0, or 4G for 4."""
    if value is None or _KINDS[INTEGER](value):
        return None
    return f"should be {INTEGER}, is {value!r}"


# Names are an administrator's
_NUMBERS = ({}, "", _of_utilization)


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
        elif _CUTS.fullmatch(name) and str(value).lower() in _CUT_NO_POWER:
            yield (
                path,
                name,
                f"is {value!r}, which cuts no power, and counts as fencing all the same",
            )


def _in_operations(path, operations, judge):
    for name, said in (operations or {}).items():
        if name not in ACTIONS:
            yield path, name, f"is no action that Pacemaker has{_nearest(name, ACTIONS)}"
        several = said if isinstance(said, list) else [said]
        yield path, name, _run_by_nobody(several)
        for operation in several:
            yield from _in_operation(at(path, name), operation, judge)


def _in_operation(path, operation, judge):
    for key, value in operation.items():
        if key in OPERATION:
            yield path, key, judge(key, value, OPERATION, "")
        elif not isinstance(value, dict):
            # a parameter may have any name but one that is meant to be an attribute's
            near = _nearest(key, list(OPERATION), 0.8)
            yield path, key, near and f"is no attribute of an operation{near}"
    told = OPERATION, "option of an operation", judge
    yield from _in_values(at(path, "meta"), operation.get("meta"), *told)
    yield from _in_sets(at(path, "meta_sets"), operation.get("meta_sets"), *told)


def _run_by_nobody(operations):
    """Of those that recur, Pacemaker looks at the interval alone (``is_op_dup`` of its scheduler)."""
    intervals = [cib_values.operation_identity(each)[0] for each in operations]
    if any(each and intervals.count(each) > 1 for each in intervals):
        return "two of one interval, and Pacemaker runs neither, whatever their roles"
    return None


_FENCING_ACTION = re.compile(r"action|pcmk_(?:on|off|reboot)_action")
_CUTS = re.compile("pcmk_(reboot|off|poweroff)_action")
_CUT_NO_POWER = {*FENCING_ACTIONS, "list-status"} - {"reboot", "off"}


# Where a word of the cluster's own sections belongs, which stands in another of them
_HOMES = ((PROPERTIES, "properties"), (RESOURCE_META, "rsc_defaults"), (OPERATION, "op_defaults"))


_WRITTEN_BY_ITSELF = ("cluster-infrastructure", "dc-version", "have-watchdog")
# Whoever says this may mean a node, or maintenance-mode; as a default it would leave every resource alone
_OF_SEVERAL = ("maintenance",)


def home(name):
    """
    The section that a word belongs to.

    name
        A property's, or a meta attribute's.

    Returns ``None`` where it is no word of Pacemaker's, belongs to several, or is for nobody to say.
    """
    if name in _WRITTEN_BY_ITSELF or name in _OF_SEVERAL:
        return None
    return next((section for known, section in _HOMES[:2] if name in known), None)


def _unknown(name, words, what):
    if words is PROPERTIES and AGENTS_OWN.search(name):
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
    BOOLEAN: _is_boolean,
    DURATION: _is_duration,
    # -1: twice SBD_WATCHDOG_TIMEOUT
    TIMEOUT: lambda value: value == "-1" or _is_duration(value),
    INTEGER: lambda value: re.fullmatch(r"[+-]?[0-9]+", value),
    SCORE: _is_score,
    SPAN: lambda value: _is_duration(value) and not value.startswith("P"),
    THRESHOLD: _is_threshold,
    POSITIVE: lambda value: value == "INFINITY" or re.fullmatch(r"[+]?0*[1-9][0-9]*", value),
    PERCENTAGE: lambda value: re.fullmatch(r"[0-9]+%", value),
    TEXT: lambda value: True,
}


def _nearest(said, known, cutoff=0.6):
    # a name with underscores is meant to have hyphens
    plain = {each.replace("_", "-").lower(): each for each in known}
    near = plain.get(cib_values.nearest(said.replace("_", "-").lower(), plain, cutoff))
    return f"; did you mean {near}?" if near and near != said else ""
