"""
Maintenance mode of the cluster that is marked as begun by cmha, and that only cmha ends.

In maintenance mode Pacemaker starts, stops and recovers nothing: services run on while the cluster is
restarted below them, and nothing fails over meanwhile.

The mark is the cluster property ``cmha-maintenance``. Maintenance mode without it is somebody else's, and
stays. While the mark is there, the module ``crm`` leaves ``maintenance-mode`` as it is, whatever pillar
says, so that a highstate can't end it half-way.

Source: "Pacemaker Explained", cluster options.
"""

from salt.exceptions import CommandExecutionError

_MODE, _MARK = "maintenance-mode", "cmha-maintenance"


def __virtual__():
    return True


def status():
    """
    Whether the cluster is in maintenance mode.

    Returns a mapping, see ``cib.maintenance``.

    CLI Example:

    .. code-block:: bash

        salt cms1 maintenance.status
    """
    return __utils__["cib.maintenance"](__salt__["crm.query"]())


def begin():
    """
    Put the cluster in maintenance mode, marked as ours, and wait until it has nothing left to do.

    Where it is in maintenance mode already, nothing is changed: it is then somebody else's, or ours from a
    run that didn't come to its end.

    Returns the status that it leaves, see ``status``. Raises CommandExecutionError.

    CLI Example:

    .. code-block:: bash

        salt cms1 maintenance.begin
    """
    seen = status()
    if not seen["on"]:
        before = __salt__["crm.export"]().get("properties", {}).get(_MODE, "unset")
        __salt__["crm.apply"]({"properties": {_MODE: "true", _MARK: f"was-{before}"}})
        __salt__["crm.wait"](60)
        seen = status()
        if not seen["on"] or not __salt__["crm.status"]()["maintenance"]:
            raise CommandExecutionError(
                f"{__grains__['id']}: the cluster didn't go into maintenance mode"
            )
    return seen


def end():
    """
    End maintenance mode if it is ours; somebody else's stays. ``maintenance-mode`` gets the value again that
    it had before; where somebody has ended it by hand, only the mark goes.

    Returns the changes to the configuration, ``{path: {'old': …, 'new': …}}``. Raises
    CommandExecutionError.

    CLI Example:

    .. code-block:: bash

        salt cms1 maintenance.end
    """
    seen = status()
    if not seen["ours"]:
        return {}
    if not seen["on"]:
        return __salt__["crm.apply"]({}, {"properties": [_MARK]})["changes"]
    if seen["before"] is None:
        return __salt__["crm.apply"]({}, {"properties": [_MODE, _MARK]})["changes"]
    before = {"properties": {_MODE: seen["before"]}}
    return __salt__["crm.apply"](before, {"properties": [_MARK]})["changes"]
