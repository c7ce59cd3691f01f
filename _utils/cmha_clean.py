"""
The end of a pair: its service goes on without a cluster.
"""

from cmha_master import HostError
from cmha_pair import Pair


def __virtual__():
    return True


def clean(opts, site, pair, keep, confirm=False):
    """
    Take a pair apart: its service goes on, without a cluster, on one host, where it starts at boot again.

    opts, site, pair
        See ``cmha_reconfigure.reconfigure``.
    keep
        Name or minion id of the node where the service goes on.
    confirm
        Do it. Without it only the steps are listed.

    Returns a mapping: ``steps``, lines on what is, or would be, done; ``next``, a line on what to do now;
    ``error``, a line, or ``None``.
    """
    return _Clean(opts, site, pair).run(keep, confirm)


class _Clean(Pair):
    action = "clean"

    def run(self, keep, confirm):
        done = {"steps": [], "next": None, "error": None}
        try:
            name, report = self.node(keep), self.health()
            states = set(report["nodes"].values())
            if states not in ({"online"}, {"stopped"}):
                seen = ", ".join(f"{node} is {state}" for node, state in report["nodes"].items())
                raise HostError(
                    f"refused: {seen}; both hosts have to be online in their cluster, or both stopped"
                )
            home = self.home(report) if states == {"online"} else None
            if home not in (None, name):
                self.refuse_unless_fit(report, home, name)
                self.refuse_unless_foreseen(report, home, name)
            steps = self._steps(name, home)
            if not confirm:
                done["steps"] = [line for lines, _ in steps for line in lines]
                done["next"] = "nothing was touched; confirm=True does it"
            else:
                for lines, take in steps:
                    take()
                    done["steps"] += lines
                done["next"] = (
                    "take cmha out of the pillar's and the states' top.sls for these hosts now: a highstate "
                    "would switch the start at boot off again. The packages are still there"
                )
        except HostError as trouble:
            done["error"] = str(trouble)
        return done

    def _steps(self, keep, home):
        """In their order: the lines that say it, and what does it."""
        both = " and ".join(self.hosts)
        steps = []
        if home not in (None, keep):
            steps.append(
                ([f"move {self.resource} from {home} to {keep}"], lambda: self.move(home, keep))
            )
        if home:
            steps.append(
                ([f"maintenance mode, so that {self.resource} runs on"], self._begin_maintenance)
            )
        steps.append(([f"stop Pacemaker and Corosync on {both}"], self._stop_cluster))
        gone = [
            "take cmha's files, firewall rules and the cluster's configuration away (set aside as *.removed)",
            f"{self.pair['service']} starts at boot on {self.host_of[keep]}, and on no other host",
        ]
        steps.append((gone, lambda: self._take_apart(keep, home)))
        return steps

    def _begin_maintenance(self):
        with self.step("begin maintenance mode", self.hosts[:1]):
            self.master.need(self.hosts[:1], "maintenance.begin")

    def _stop_cluster(self):
        self.master.need_rest(self.hosts)
        with self.step(f"stop Pacemaker and Corosync on {' and '.join(self.hosts)}", self.hosts):
            self.master.need(self.hosts, "corosync.stop")

    def _take_apart(self, keep, home):
        with self.step(f"take the pair apart, {self.resource} stays on {keep}", self.hosts):
            self.apply(self.hosts, "cmha.clean", cmha_clean={"keep": self.host_of[keep]})
            if home:
                self._verify_alone(keep)

    def _verify_alone(self, keep):
        answers = self.master.need(self.hosts, "service.status", self.pair["service"])
        for host, runs in answers.items():
            if runs is not (self.name_of[host] == keep):
                raise HostError(
                    f"{self.pair['service']} {'runs' if runs else 'is stopped'} on {host}, where it should "
                    f"{'be stopped' if runs else 'run'}"
                )
