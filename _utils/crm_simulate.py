"""
What ``crm_simulate`` says that the cluster would do, as data.

Pure functions. Source: ``crm_simulate(8)``. Its text is read, since its XML has this part only since 2.1.
"""

import re

_BEGIN = "Transition Summary:"
_ACTION = re.compile(
    r"^\s*\*\s+(?P<action>[A-Z]\w*)\s+(?P<what>\S+)\s+\(\s*(?P<where>.*?)\s*\)(?P<rest>.*)$"
)
_FENCE = re.compile(r"^\s*\*\s+Fence\s+\((?P<how>\w+)\)\s+(?P<node>\S+)(?P<rest>.*)$")
_ENDS_SOMETHING = ("Stop", "Restart", "Move", "Migrate", "Recover", "Demote", "Fence")


def __virtual__():
    return True


def effects(text):
    """
    What the cluster would do.

    text
        Output of ``crm_simulate --simulate``.

    Returns a list of mappings: ``action`` (``Start``, ``Stop``, ``Restart``, ``Move``, …), ``what`` (a
    resource, or with ``Fence`` a node), ``where`` (``cms1``, or ``cms1 -> cms2``), ``why`` (text, may be
    empty).
    """
    found = []
    _, _, summary = text.partition(_BEGIN)
    for line in summary.split("\n\n", 1)[0].splitlines():
        fence, action = _FENCE.match(line), _ACTION.match(line)
        if fence:
            found.append(_effect("Fence", fence["node"], fence["how"], fence["rest"]))
        elif action:
            where = " ".join(action["where"].split())
            found.append(_effect(action["action"], action["what"], where, action["rest"]))
    return found


def _effect(action, what, where, rest):
    return {"action": action, "what": what, "where": where, "why": rest.strip()}


def disruptive(found):
    """Those effects that stop or move something that runs."""
    return [effect for effect in found if effect["action"] in _ENDS_SOMETHING]


def described(effect):
    """An effect in a few words: ``Move cloudera-scm-server (cms1 -> cms2)``."""
    return f"{effect['action']} {effect['what']} ({effect['where']})"
