"""
A node is fenced on a person's word: the proof that fencing works, and the end of a host that hangs.
"""

from cmha_master import Trouble
from cmha_pair import Pair

_FIT = "online"


def __virtual__():
    return True


def fence(opts, site, pair, host, confirm=False):
    """
    Show what it would mean to fence a node, and, confirmed, have Pacemaker do it.

    opts, site, pair
        See ``cmha_reconfigure.reconfigure``.
    host
        Minion id of the host.
    confirm
        Fence it. Without it nothing is touched.

    Returns a mapping: ``host``; ``by``, the node that has it fenced; ``service`` (see ``cmha_status.judge``);
    ``done``, lines on what was done; ``next``, a line on what to do now, or ``None``; ``error``, a line, or
    ``None``.
    """
    return _Fence(opts, site, pair).run(host, confirm)


def drill(opts, site, pair):
    """
    Have the node fenced where the service is, and see that it starts on the other one.

    opts, site, pair
        See ``cmha_reconfigure.reconfigure``.

    Returns what ``fence`` does; ``host`` is ``None`` when nobody knows where the service is.
    """
    return _Fence(opts, site, pair).drill()


class _Fence(Pair):
    deed = "fence"

    def run(self, host, confirm):
        return self._run(self.health(), host, confirm)

    def drill(self):
        report = self.health()
        try:
            home = self.home(report)
        except Trouble as trouble:
            nothing = {"host": None, "by": None, "done": [], "next": None}
            return {**nothing, "service": report["service"], "error": str(trouble)}
        return self._run(report, self.host_of[home], confirm=True)

    def _run(self, report, host, confirm):
        name = self.name_of[host]
        mate = self.other(name)
        done = {"host": host, "by": mate, "done": [], "next": None, "error": None}
        done["service"] = report["service"]
        runs_here = name in report["service"]["nodes"]
        try:
            self._refuse(report, name, mate, runs_here)
            if not confirm:
                then = f", and {self.resource} starts on {mate}" if runs_here else ""
                done["next"] = (
                    f"salt-run cmha.fence node={host} confirm=True takes its power away, without a shutdown, "
                    f"and gives it back{then}"
                )
                return done
            self._fence(name, mate, done["done"])
            if runs_here:
                self._follow(name, mate, done["done"])
            done["next"] = (
                f"when {host} has booted, and you have looked: salt-run cmha.rejoin node={host} confirm=True"
                if self.pair["start_on_boot"] != "always"
                else f"{host} boots, and joins its cluster by itself (start_on_boot: always)"
            )
        except Trouble as trouble:
            done["error"] = str(trouble)
        return done

    def _refuse(self, report, name, mate, runs_here):
        other = self.host_of[mate]
        if other in report["silent"]:
            raise Trouble(f"refused, nothing was fenced: {report['silent'][other]}")
        if report["nodes"][mate] != _FIT:
            raise Trouble(
                f"refused, nothing was fenced: {mate}, which would have it done, is {report['nodes'][mate]}"
            )
        if runs_here:
            survival = report["survival"].get(name, {})
            if survival.get("takes_over") != mate:
                why = "; ".join(survival.get("why") or report["problems"])
                raise Trouble(
                    f"refused, nothing was fenced: nobody would take {self.resource} over: {why}"
                )
        why = self.master.need([other], "crm_forecast.unfenced", name)[other]
        if why:
            raise Trouble(f"refused, nothing was fenced: {'; '.join(why)}")

    def _fence(self, name, mate, done):
        other = self.host_of[mate]
        with self.step(f"fence {name} from {mate}", [other]):
            seen = self.master.need([other], "fencing.fence", name)[other]
        done.append(f"{name} was fenced in {seen['seconds']:.1f} s: {seen['said']}")

    def _follow(self, name, mate, done):
        other = self.host_of[mate]
        with self.step(f"wait for {self.resource} on {mate}", [other]):
            self.master.need([other], "crm.wait", self.pair["timeouts"]["started"])
            where = self.master.need([other], "crm.started", self.resource)[other]
            answer = self.master.need([other], "crm.check", self.resource)[other]
        if where != [mate] or not answer["running"]:
            raise Trouble(
                f"{name} was fenced, but {self.resource} runs on {' and '.join(where) or 'no node'}: "
                f"{answer['text']}; see salt-run cmha.status"
            )
        done.append(f"{self.resource} runs on {mate}")
