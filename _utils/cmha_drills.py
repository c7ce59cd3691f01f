"""
The drill of a failover at several sites.
"""

import contextlib

import cmha_failover
import cmha_fence
import cmha_lock
from cmha_master import line_on
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
    done = {}

    def at(site, pair):
        try:
            done[site] = _drill(opts, site, pair, by_fencing)
        except (Exception, KeyboardInterrupt) as error:
            done[site] = {"error": line_on(error)}
        return {"failed": done[site]["error"]}

    def all_went_well():
        return not any(one["error"] for one in done.values())

    # who interrupts it is told by the sites, each of which has ended
    with contextlib.suppress(KeyboardInterrupt, SystemExit):
        each(opts, "sites", pairs, at, at_once(batch, len(pairs)), all_went_well)
    return done


def _drill(opts, site, pair, by_fencing):
    with cmha_lock.held(opts, site, "failover") as busy:
        if busy:
            return {"error": busy}
        if by_fencing:
            return cmha_fence.drill(opts, site, pair)
        return cmha_failover.failover(opts, site, pair, drill=True)
