"""
The end of a pair: its service goes on without a cluster.
"""

from cmha_master import Trouble
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
    deed = "clean"

    def run(self, keep, confirm):
        done = {"steps": [], "next": None, "error": None}
        try:
            name, report = self.node(keep), self.health()
            states = set(report["nodes"].values())
            if states not in ({"online"}, {"stopped"}):
                seen = ", ".join(f"{node} is {state}" for node, state in report["nodes"].items())
                raise Trouble(
                    f"refused: {seen}; both hosts have to be online in their cluster, or both stopped"
                )
            home = self.home(report) if states == {"online"} else None
            if home not in (None, name):
                self.refuse_unless_fit(report, home, name)
                self.refuse_unless_foreseen(report, home, name)
            if not confirm:
                done["steps"] = self._steps(name, home)
                done["next"] = "nothing was touched; confirm=True does it"
            else:
                self._take_apart(name, home, done["steps"])
                done["next"] = (
                    "take cmha out of the pillar's and the states' top.sls for these hosts now: a highstate "
                    "would switch the start at boot off again. The packages are still there"
                )
        except Trouble as trouble:
            done["error"] = str(trouble)
        return done

    def _steps(self, keep, home):
        return [
            *([f"move {self.resource} from {home} to {keep}"] if home not in (None, keep) else []),
            *([f"maintenance mode, so that {self.resource} runs on"] if home else []),
            f"stop Pacemaker and Corosync on {' and '.join(self.hosts)}",
            "take cmha's files, firewall rules and the cluster's configuration away (set aside as *.removed)",
            f"{self.pair['service']} starts at boot on {self.host_of[keep]}, and on no other host",
        ]

    def _take_apart(self, keep, home, done):
        steps = iter(self._steps(keep, home))
        if home not in (None, keep):
            self.move(home, keep)
            done.append(next(steps))
        if home:
            with self.step("begin maintenance mode", self.hosts[:1]):
                self.master.need(self.hosts[:1], "maintenance.begin")
            done.append(next(steps))
        with self.step(f"stop Pacemaker and Corosync on {' and '.join(self.hosts)}", self.hosts):
            self.master.need(self.hosts, "corosync.stop")
        done.append(next(steps))
        with self.step(f"take the pair apart, {self.resource} stays on {keep}", self.hosts):
            self.apply(self.hosts, "cmha.clean", cmha_clean={"keep": self.host_of[keep]})
            if home:
                self._verify_alone(keep)
        done += steps

    def _verify_alone(self, keep):
        answers = self.master.need(self.hosts, "service.status", self.pair["service"])
        for host, runs in answers.items():
            if runs is not (self.name_of[host] == keep):
                raise Trouble(
                    f"{self.pair['service']} {'runs' if runs else 'is stopped'} on {host}, where it should "
                    f"{'be stopped' if runs else 'run'}"
                )
