"""
The guide's test of the failover: the service moves to the other node, watched and verified.
"""

import cmha_status
from cmha_master import HostError
from cmha_pair import Pair

_IN_THE_CLUSTER = ("online", "standby", "in maintenance")


def __virtual__():
    return True


def failover(opts, site, pair, to=None, drill=False):
    """
    Move a pair's service to its other node, and verify that.

    opts, site, pair
        See ``cmha_reconfigure.reconfigure``.
    to
        Name or minion id of the node; the default is the one where the service isn't.
    drill
        Move it back afterwards.

    Returns a mapping: ``resource``; ``moves``, a list of mappings with ``from``, ``to``, ``away`` (seconds
    for which a client had no answer), ``seen_by`` and ``overcome`` (see ``cmha_host.move``); ``cleared``, the
    constraints that an earlier move had left behind; ``outlook``, what happens when the active host
    dies now (see ``cmha_status.outlook``); ``error``, a line, or ``None``.
    """
    return _Failover(opts, site, pair).run(to, drill)


class _Failover(Pair):
    action = "failover"

    def run(self, to, drill):
        done = {"resource": self.resource, "moves": [], "cleared": [], "outlook": [], "error": None}
        try:
            report = self.health()
            home = self.home(report)
            target = self.node(to) if to else self.other(home)
            if home != target:
                # a drill comes back, and has to be able to
                self.refuse_unless_fit(report, home, target, *([home] if drill else []))
                self.refuse_unless_foreseen(report, home, target, self.leftovers(report))
                self.refuse_unless_it_stays(home, target)
                done["cleared"] = self._clear(report)
                done["moves"].append(self.move(home, target))
                if drill:
                    done["moves"].append(self.move(target, home))
            elif report["leftovers"]:
                done["cleared"] = self._clear(report)
            done["outlook"] = cmha_status.outlook(self.health())
        except HostError as trouble:
            done["error"] = str(trouble)
        return done

    def _clear(self, report):
        """What an interrupted move has left behind."""
        left = self.leftovers(report)
        if left:
            host = self._live_host(report)
            with self.step("clear the constraints that an earlier move left", [host]):
                self.master.need([host], "crm.clear", self.resource)
        return [each["id"] for each in left]

    def _live_host(self, report):
        seen = report["nodes"]
        live = [
            self.host_of[name] for each in _IN_THE_CLUSTER for name in seen if seen[name] == each
        ]
        if not live:
            raise HostError(
                "refused: no host is in its cluster, and can clear what a move has left"
            )
        return live[0]
