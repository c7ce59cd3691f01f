"""
What the orchestration has to see of a host before it begins: all of it at once, by one Salt job.
"""

import time


def __virtual__():
    return True


def everything(sls, saltenv=None, pillarenv=None):
    """
    Whether this host can be worked on; and, where Corosync runs, whether there is anything to do. Touches
    nothing.

    sls
        The state files that the orchestration would apply here, separated by commas.
    saltenv, pillarenv
        See ``cmha_host.fitness``.

    Returns a mapping: ``fitness`` (see ``cmha_host.fitness``), ``spent`` (seconds since its ``time``), and,
    where Corosync runs, else ``None``: ``to_do`` (a list of the states that would do something, or why nobody
    can tell), ``pending`` (see ``cmha_host.pending``, from pillar) and ``health`` (see ``cmha_host.health``).

    CLI Example:

    .. code-block:: bash

        salt -L cms1,cms2 cmha_look.everything cmha.host,cmha.corosync
    """
    said = {"saltenv": saltenv, "pillarenv": pillarenv}
    environment = {key: value for key, value in said.items() if value}
    with __salt__["cmha_host.at_once"]():
        return _seen(sls, environment)


def _seen(sls, environment):
    fitness = __salt__["cmha_host.fitness"](**environment)
    seen = dict.fromkeys(("to_do", "pending", "health"))
    if fitness["running"]:
        seen = {
            # by a test run of the state files, which are the ones that would do it
            "to_do": __utils__["state_returns.to_do"](
                __salt__["state.apply"](sls, test=True, **environment)
            ),
            "pending": __salt__["cmha_host.pending"](planned=True, **environment),
            "health": __salt__["cmha_host.health"](**environment),
        }
    return {"fitness": fitness, **seen, "spent": time.time() - fitness["time"]}
