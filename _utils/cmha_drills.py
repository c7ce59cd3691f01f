"""
The drill of a failover at several sites.
"""

import cmha_failover
import cmha_fence
import cmha_lock
from cmha_orchestration import at_once
from cmha_together import each


def __virtual__():
    return True


def at_sites(opts, pairs, by_fencing=False, batch=1):
    """
    Drill pairs, one after another, or some at once. After the first that goes wrong no other is begun.

    opts
        The master's configuration.
    pairs
        By site, a pair as ``cmha.sites`` lists it.
    by_fencing
        See ``cmha_fence.drill``; else ``cmha_failover.failover`` moves the service there and back.
    batch
        See ``cmha_orchestration.at_once``.

    Returns by site, of those that were begun, what either of these returns, or only ``error``, a line.
    """
    wrong = []

    def at(site, pair):
        with cmha_lock.held(opts, site, "failover") as busy:
            if busy:
                done = {"error": busy}
            elif by_fencing:
                done = cmha_fence.drill(opts, site, pair)
            else:
                done = cmha_failover.failover(opts, site, pair, drill=True)
        if done["error"]:
            wrong.append(site)
        return {**done, "failed": done["error"]}

    done = each(opts, "sites", pairs, at, at_once(batch, len(pairs)), lambda: not wrong)
    return {site: {k: v for k, v in one.items() if k != "failed"} for site, one in done.items()}
