"""
Check that a resource agent answers on this host, before Pacemaker depends on it.
"""

from salt.exceptions import CommandExecutionError


def __virtual__():
    return True


def answers(name, params=None):
    """
    The agent's monitor says that its service is running or stopped; anything else is a failure.

    Changes nothing. Source: the guide's "Test the OCF resource script".

    name
        The agent, as in a primitive: ``ocf:cm:agent``, ``lsb:cloudera-scm-server``.
    params
        The parameters of an ocf agent, a mapping.

    .. code-block:: yaml

        ocf:cm:agent:
          resource_agent.answers
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    try:
        seen = __salt__["resource_agent.monitor"](name, params)
    except CommandExecutionError as error:
        if __opts__["test"] and name.startswith("ocf:"):
            # Its file may come with this run.
            return {**ret, "result": None, "comment": f"{name} would be asked; now: {error}"}
        return {**ret, "result": False, "comment": str(error)}
    return {**ret, "comment": f"{name} answers: {seen}"}
