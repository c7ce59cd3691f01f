"""
Fence devices that were seen to work from this host, before its cluster counts on them.
"""

from salt.exceptions import CommandExecutionError


def __virtual__():
    return True


def proven(name, devices):
    """
    Ask each device that is new, or that pillar changes, whether the other node is on, where it may run on
    this host. Changes nothing.

    name
        The cluster_name.
    devices
        Mapping by name, see ``cmha_fencing.devices``.

    A device that the cluster has already, with the password that pillar has, is Pacemaker's to watch, and
    isn't asked.

    .. code-block:: yaml

        cmf:
          fencing.proven:
            - devices:
                fence-cms2:
                  agent: stonith:fence_ipmilan
                  params: {ip: 198.51.100.12}
                  here: true
                  target: cms2
                  short: true
    """
    ret = {"name": name, "result": True, "changes": {}}
    if __opts__["test"] and not __salt__["crm.running"]():
        return {**ret, "comment": f"it would be seen whether they answer: {', '.join(devices)}"}
    try:
        left = _left_lines(__salt__["fencing.leftovers"](devices))
        left += __salt__["fencing.unknown"](devices)
        new = __salt__["fencing.unproven"](devices)
        if __opts__["test"]:
            return {**ret, **_would(devices, left, new)}
        answers = {
            each: __salt__["fencing.ask"](
                devices[each]["agent"], devices[each]["params"], devices[each]["target"], each
            )
            for each in new
            if devices[each]["here"] and devices[each]["target"]
        }
    except CommandExecutionError as error:
        return {**ret, "result": False, "comment": str(error)}
    wrong = left + [
        f"{each} ({devices[each]['agent']}) doesn't work from {__grains__['id']}: {answer['why']}"
        for each, answer in answers.items()
        if answer["works"] is False
    ]
    if wrong:
        nothing = (
            "nothing was configured: fencing that doesn't work stops the cluster at the next crash"
        )
        return {**ret, "result": False, "comment": f"{'; '.join(wrong)}; {nothing}"}
    if not new:
        return {**ret, "comment": f"the cluster has them already: {', '.join(devices)}"}
    answering = [each for each, answer in answers.items() if answer["works"]]
    others = [answer["why"] for answer in answers.values() if answer["works"] is None]
    said = [f"they answer: {', '.join(answering)}"] if answering else []
    return {**ret, "comment": "; ".join(said + others) or "none of the new ones may run here"}


def passwords_kept(name):
    """
    Keep the passwords of the fence devices, as pillar has them, on this host.

    name
        The cluster_name.

    .. code-block:: yaml

        cmf:
          fencing.passwords_kept: []
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": "they are kept here"}
    try:
        if __opts__["test"]:
            changed = __salt__["fencing.unkept_passwords"]()
        else:
            changed = __salt__["fencing.keep_passwords"]()
    except CommandExecutionError as error:
        return {**ret, "result": False, "comment": str(error)}
    if changed:
        ret["changes"] = {each: {"password": "(secret)"} for each in changed}
        ret["result"] = None if __opts__["test"] else True
    return ret


def _would(devices, left, new):
    if left:
        return {"result": False, "comment": "; ".join(left)}
    if new:
        return {
            "result": None,
            "comment": f"it would be seen whether they answer: {', '.join(new)}",
        }
    return {"comment": f"the cluster has them already: {', '.join(devices)}"}


def _left_lines(left):
    return [
        f"{device} has the parameter {param} in the cluster, which pillar doesn't have: "
        f"crm_resource --resource {device} --delete-parameter {param}, or say it in pillar"
        for device, param in left
    ]
