"""
What Pacemaker's scheduler makes of a configuration: what the cluster would do about it, and start.
"""

import logging
import tempfile

log = logging.getLogger(__name__)

# crm_simulate(8), where actions wait for each other
_LOOP = "Transition failed: terminated"


def __virtual__():
    return True


def effects(xml):
    """
    What the cluster would do about a configuration. Whatever the scheduler can't tell is no reason to fail.

    xml
        The CIB as text.

    Returns a list, see the ``crm_simulate`` utility's ``effects``.

    Source: ``crm_simulate(8)``.

    CLI Example: none; a CIB doesn't fit a command line.
    """
    return __utils__["crm_simulate.effects"](_simulate(xml)["stdout"])


def waits_for_itself(xml):
    """
    Whether resources wait for each other by the orders of a configuration.

    xml
        The CIB as text.

    Source: ``crm_simulate(8)``.

    CLI Example: none; a CIB doesn't fit a command line.
    """
    answer = _simulate(__utils__["cib_fresh.only_ordered"](xml))
    return _LOOP in answer["stdout"] + answer["stderr"]


def starts(xml, primitives):
    """
    Whether the cluster would start resources.

    xml
        The CIB as text.
    primitives
        List of ids.

    Returns ``None`` where the scheduler doesn't say.

    Source: ``crm_simulate(8)``.

    CLI Example: none; a CIB doesn't fit a command line.
    """
    answer = _simulate(xml)
    if answer["retcode"] != 0:
        log.warning(
            "what a change does to %s isn't known: %s",
            primitives,
            __utils__["crm_commands.said"](answer),
        )
        return None
    started = {
        effect["what"].partition(":")[0]
        for effect in __utils__["crm_simulate.effects"](answer["stdout"])
        if effect["action"] == "Start" and "blocked" not in effect["where"] + effect["why"]
    }
    return started.issuperset(primitives)


def what_keeps(xml, primitives, node, gone):
    """
    What keeps resources from a node, when another one is gone.

    xml
        The CIB as text.
    primitives
        List of ids.
    node
        Name of the node.
    gone
        Name of the other one, or ``None``.

    Returns a list of lines, empty where nothing is found.

    Source: ``crm_simulate(8)``.

    CLI Example: none; a CIB doesn't fit a command line.
    """
    search = __utils__["cib_obstacles.search"](
        __utils__["cib_obstacles.obstacles"](xml, node, gone or "")
    )
    while search.part is not None:
        search.tell(starts(__utils__["cib_obstacles.without"](xml, search.part), primitives))
    return [obstacle.what for obstacle in search.found or ()]


def _simulate(xml):
    with tempfile.TemporaryDirectory(prefix="cmha-") as directory:
        # there it keeps a copy while it works, and not beside the cluster's own
        return __salt__["bounded.run"](
            ["crm_simulate", "--simulate", "--xml-pipe"],
            stdin=xml,
            env={"CIB_shadow_dir": directory},
            rstrip=False,
        )
