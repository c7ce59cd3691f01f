"""
What a resource agent says of its parameters, and what of a primitive doesn't agree with it.

Pure functions. Source: OCF Resource Agent API 1.0, ra-api-1.dtd; the metadata of fence agents.
"""

import re
from xml.etree import ElementTree

import cib_values

# What the agents' own shells, or Pacemaker's fencer, know of every agent
_COMMON = {
    "ocf": {"trace_ra", "trace_file", "trace_dir"},
    "stonith": {"priority", "provides", "stonith_timeout"},
}
_COMMON_OF_FENCING = "pcmk_"
# What the fencer gives a fence agent itself
_GIVEN = {"stonith": {"action", "nodename", "plug", "port"}}
_NUMBER = re.compile(r"[+-]?\d")


def __virtual__():
    return True


def parameters(xml):
    """
    The parameters of an agent.

    xml
        Its metadata.

    Returns a mapping by name: ``required``, ``deprecated``, ``instead_of`` (an older name, or ``None``),
    ``type`` and ``default``; ``None`` when the text is no metadata.
    """
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None
    if root.tag != "resource-agent":
        return None
    found = {}
    for each in root.iterfind("parameters/parameter"):
        content = each.find("content")
        found[each.get("name")] = {
            "required": each.get("required") in ("1", "true", "yes"),
            "deprecated": each.get("deprecated") in ("1", "true", "yes"),
            "instead_of": each.get("obsoletes"),
            "type": content.get("type", "string") if content is not None else "string",
            "default": content.get("default") if content is not None else None,
        }
    return found


def faults(agent, known, params, names=None):
    """
    What of a primitive's parameters its agent doesn't know, misses, or takes for something else.

    agent
        As in a primitive: ``ocf:heartbeat:IPaddr2``.
    known
        What ``parameters`` returned.
    params
        All that the primitive has, by name; a value is ``None`` where it depends on a rule.
    names
        Those that are looked at; the default is all, and whether one is missing.

    Returns a list of pairs: the parameter's name, and what is wrong with it. Values aren't shown: some are
    secrets.
    """
    standard = agent.partition(":")[0]
    spelled = _spellings(standard)
    known = {spelled(name): each for name, each in known.items()}
    given = {spelled(name): value for name, value in params.items()}
    common = _COMMON.get(standard, set())
    found = []
    for said in params if names is None else names:
        name = spelled(said)
        if name in common or (standard == "stonith" and name.startswith(_COMMON_OF_FENCING)):
            continue
        if name not in known:
            near = cib_values.nearest(name, known)
            hint = f"; did you mean {near}?" if near else ""
            found.append((said, f"{agent} has no such parameter{hint}"))
        elif not _fits(standard, known[name]["type"], given.get(name)):
            found.append((said, f"{agent} takes it for {_KINDS[known[name]['type']]}"))
    if names is None:
        missing = [name for name, each in known.items() if _is_missing(name, each, given)]
        by_fencer = _GIVEN.get(standard, set())
        found += [
            (name, f"is missing: {agent} needs it") for name in missing if name not in by_fencer
        ]
    return found


def _spellings(standard):
    """Fence agents take a hyphen for an underscore."""
    return (lambda name: name.replace("-", "_")) if standard == "stonith" else str


_KINDS = {"boolean": "true or false", "integer": "a number"}


def _fits(standard, kind, value):
    if value is None or kind not in _KINDS:
        return True
    if kind == "boolean":
        # some agents of resources have a third word, and call it boolean all the same
        is_boolean = value == "" or cib_values.fault(cib_values.boolean, value) is None
        return standard != "stonith" or is_boolean
    return bool(_NUMBER.match(value.strip())) or value == ""  # many say integer of 30s


def _is_missing(name, parameter, params):
    if not parameter["required"] or parameter["deprecated"] or parameter["default"]:
        return False
    return name not in params and parameter["instead_of"] not in params
