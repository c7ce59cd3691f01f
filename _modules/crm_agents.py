"""
What the resource agents of this host say of the resources that a configuration makes or changes.
"""

import logging

log = logging.getLogger(__name__)

# Who has metadata; an init script and a unit have no parameters
_DESCRIBED = ("ocf:", "stonith:")


def __virtual__():
    return True


def faults(xml, changes, allowed=()):
    """
    What changes of a configuration the agents on this host wouldn't understand: parameters that they don't
    know, need, or take for something else. Pacemaker passes on whatever it is told, and says nothing.

    An agent that isn't here, or says nothing of itself, is no fault.

    xml
        The CIB as text, with the changes.
    changes
        By path, as ``cib.difference`` gives them.
    allowed
        List of names of parameters that pass unseen.

    Returns a list of lines, each with its path.

    Source: ``crm_resource(8)``, ``--show-metadata``.

    CLI Example: none; a CIB doesn't fit a command line.
    """
    found, touched = [], _touched(changes)
    if not touched:
        return found
    primitives = __utils__["cib.with_templates"](xml, list(touched))
    for (section, name), names in touched.items():
        primitive = primitives[section, name]
        agent = primitive["agent"] if primitive else ""
        known = parameters(agent) if agent.startswith(_DESCRIBED) else None
        if known is None:
            continue
        given = _given(primitive)
        # a template needn't be whole: whoever is made from it may have the rest
        looked_at = list(given) if names is None and section == "templates" else names
        found += [
            f"{section}:{name}:params:{each}: {fault}"
            for each, fault in __utils__["agent_metadata.faults"](agent, known, given, looked_at)
            if each not in allowed
        ]
    return found


def _touched(changes):
    """By section and id, the parameters that change; ``None`` for all of a resource that is new, or has
    another agent."""
    touched = {}
    for path, change in changes.items():
        section, _, rest = path.partition(":")
        if section not in ("primitives", "templates") or change["new"] is None:
            continue
        name, _, below = rest.partition(":")
        kind, _, parameter = below.partition(":")
        if kind in ("", "agent"):
            touched[section, name] = None
        elif kind == "params" and touched.get((section, name), ()) is not None:
            touched.setdefault((section, name), []).append(parameter)
    return touched


def _given(primitive):
    """Its parameters by name; without a value where that depends on a rule."""
    under_rules = {
        name: None
        for each in primitive.get("params_sets", {}).values()
        for name in each.get("values", {})
    }
    return {**under_rules, **primitive.get("params", {})}


def parameters(agent):
    """
    The parameters of an agent, by its own metadata; ``None`` where it says nothing of them.

    agent
        As in a primitive: ``stonith:fence_ipmilan``.

    Returns what ``agent_metadata.parameters`` does.

    Source: ``crm_resource(8)``, ``--show-metadata``.

    CLI Example:

    .. code-block:: bash

        salt cms1 crm_agents.parameters stonith:fence_ipmilan
    """
    key = f"crm_agents:{agent}"
    if key not in __context__:
        answer = __salt__["bounded.run"](["crm_resource", "--show-metadata", agent])
        known = None
        if answer["retcode"] == 0:
            known = __utils__["agent_metadata.parameters"](answer["stdout"])
        if known is None:
            log.info("%s says nothing of its parameters", agent)
        __context__[key] = known
    return __context__[key]
