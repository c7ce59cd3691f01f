"""
The end of the maintenance mode that cmha has begun.
"""

import time

from salt.exceptions import CommandExecutionError

_PAUSE = 1


def __virtual__():
    return True


def ended(name, nodes, timeout=120):
    """
    End the maintenance mode that cmha has begun, when all is well: the nodes are online, and Pacemaker has
    found the resource running on exactly one of them. Waits for that. Maintenance mode that somebody else
    has begun stays.

    name
        Id of the resource that has to run.
    nodes
        List of node names.
    timeout
        Seconds to wait.

    .. code-block:: yaml

        cloudera-scm-server:
          maintenance.ended:
            - nodes: [cms1.example.com, cms2.example.com]
    """
    ret = {"name": name, "result": True, "changes": {}}
    try:
        seen = __salt__["maintenance.status"]()
        if not seen["ours"]:
            whose = (
                "somebody else's maintenance mode stays" if seen["on"] else "no maintenance mode"
            )
            return {**ret, "comment": whose}
        if __opts__["test"]:
            change = {"maintenance mode": {"old": "on", "new": "off"}}
            return {
                **ret,
                "result": None,
                "changes": change,
                "comment": "would end when all is well",
            }
        fault = seen["on"] and _wait_until_well(name, nodes, timeout)
        if fault:
            return {**ret, "result": False, "comment": f"{fault}. {_way_back(name)}"}
        changes = __salt__["maintenance.end"]()
    except CommandExecutionError as error:
        return {**ret, "result": False, "comment": str(error)}
    return {**ret, "changes": changes, "comment": f"the cluster manages {name} again"}


def _wait_until_well(resource, nodes, timeout):
    end = time.monotonic() + timeout
    while (fault := _fault(resource, nodes)) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return fault


def _fault(resource, nodes):
    try:
        seen = __salt__["crm.status"]()
        where = __salt__["crm.started"](resource)
        settled = __salt__["crm.settled"]()
    except CommandExecutionError as error:
        return str(error)
    away = [node for node in nodes if not seen["nodes"].get(node, {}).get("online")]
    if away:
        return f"{' and '.join(away)} not online"
    if len(where) != 1:
        return f"{resource} runs on {' and '.join(where) or 'no host'}, not on one"
    return None if settled else "the cluster hasn't settled yet"


def _way_back(resource):
    return (
        f"The cluster stays in maintenance mode: {resource} is left as it is, and nothing fails over. Mend "
        "the host, then run the orchestration again, which ends it; or end it by hand: crm configure "
        "property maintenance-mode=false"
    )
