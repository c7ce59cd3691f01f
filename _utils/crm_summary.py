"""
A change of the cluster's configuration in lines for people.

Pure functions.
"""

import json

import cmha_answers
import crm_simulate


def __virtual__():
    return True


def lines(changes, effects):
    """
    What would change, and what the cluster would then do.

    changes
        By path, as ``cib.difference`` gives them.
    effects
        As ``crm_simulate.effects`` gives them.

    Returns a list of lines; when a running resource would stop or move, the first says so. What others wrote
    has lost what a terminal would take for an order.
    """
    if not changes:
        return ["nothing differs"]
    disruptive = crm_simulate.disruptive(effects)
    rest = [effect for effect in effects if effect not in disruptive]
    described = crm_simulate.described
    said = []
    if disruptive:
        said.append(f"would stop or move what runs: {', '.join(map(described, disruptive))}")
    said += [_change_line(path, change) for path, change in changes.items()]
    if rest:
        said.append(f"and then: {', '.join(map(described, rest))}")
    return cmha_answers.shown(said)


def _change_line(path, change):
    if change["old"] is None:
        return f"would add {path}: {_short(change['new'])}"
    if change["new"] is None:
        return f"would remove {path}: {_short(change['old'])}"
    return f"would change {path}: {_short(change['old'])} -> {_short(change['new'])}"


def _short(value):
    if not isinstance(value, dict):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    kept = {key: each for key, each in value.items() if each not in ({}, [])}
    return json.dumps(kept, ensure_ascii=False)
