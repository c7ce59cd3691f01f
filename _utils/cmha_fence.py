"""
A node is fenced on a person's word: the proof that fencing works, and the end of a host that hangs.
"""

from cmha_master import HostError
from cmha_pair import Pair

_FIT = "online"


def __virtual__():
    return True


def fence(opts, site, pair, host, confirm=False, is_off=False):  # noqa: PLR0917
    """
    Show what it would mean to fence a node, and, confirmed, have Pacemaker do it.

    opts, site, pair
        See ``cmha_reconfigure.reconfigure``.
    host
        Minion id of the host.
    confirm
        Fence it. Without it nothing is touched.
    is_off
        It has no power, as a person has seen: Pacemaker, which waits for its end, is told so instead.

    Returns a mapping: ``host``; ``by``, the node that has it fenced, or is told; ``service`` (see
    ``cmha_status.judge``); ``done``, lines on what was done; ``next``, a line on what to do now, or
    ``None``; ``error``, a line, or ``None``.
    """
    return _Fence(opts, site, pair).run(host, confirm, is_off)


def drill(opts, site, pair):
    """
    Have the node fenced where the service is, and see that it starts on the other one.

    opts, site, pair
        See ``cmha_reconfigure.reconfigure``.

    Returns what ``fence`` does; ``host`` is ``None`` when nobody knows where the service is.
    """
    return _Fence(opts, site, pair).drill()


class _Fence(Pair):
    action = "fence"

    def run(self, host, confirm, is_off):
        return (self._told_off if is_off else self._run)(self.health(), host, confirm)

    def drill(self):
        report = self.health()
        try:
            home = self.home(report)
        except HostError as trouble:
            nothing = {"host": None, "by": None, "done": [], "next": None}
            return {**nothing, "service": report["service"], "error": str(trouble)}
        return self._run(report, self.host_of[home], confirm=True)

    def _begun(self, report, host):
        name = self.name_of[host]
        peer = self.other(name)
        done = {"host": host, "by": peer, "done": [], "next": None, "error": None}
        done["service"] = report["service"]
        return name, peer, done

    def _told_off(self, report, host, confirm):
        name, peer, done = self._begun(report, host)
        try:
            self._refuse_without(report, peer)
            if host not in report["silent"]:
                raise HostError(f"refused: {host} answers this master, so it is on")
            if name not in report["fencing"]["unclean"]:
                raise HostError(
                    f"refused: nobody waits for the end of {name}; see salt-run cmha.status"
                )
            if not confirm:
                done["next"] = (
                    f"have you seen that {host} has no power, and keeps none (its plugs are out)? If it is "
                    f"on, {self.resource} then runs on both. salt-run cmha.fence node={host} is_off=True "
                    f"confirm=True tells Pacemaker that it is off, and {self.resource} starts on {peer}"
                )
                return done
            other = self.host_of[peer]
            with self.step(f"tell {peer} that {name} is off", [other]):
                self.master.need([other], "fencing.confirm_off", name)
            told = f"Pacemaker was told that {name} is off"
            done["done"].append(told)
            self._follow(told, peer, done["done"])
            done["next"] = f"when {host} works again: salt-run cmha.rejoin node={host} confirm=True"
        except HostError as trouble:
            done["error"] = str(trouble)
        return done

    def _run(self, report, host, confirm):
        name, peer, done = self._begun(report, host)
        runs_here = name in report["service"]["nodes"]
        try:
            self._refuse(report, name, peer, runs_here)
            if not confirm:
                then = f", and {self.resource} starts on {peer}" if runs_here else ""
                done["next"] = (
                    f"salt-run cmha.fence node={host} confirm=True takes its power away, without a shutdown, "
                    f"and gives it back{then}"
                )
                return done
            self._fence(name, peer, done["done"])
            if runs_here:
                self._follow(f"{name} was fenced", peer, done["done"])
            done["next"] = (
                f"when {host} has booted, and you have looked: salt-run cmha.rejoin node={host} confirm=True"
                if self.pair["start_on_boot"] != "always"
                else f"{host} boots, and joins its cluster by itself (start_on_boot: always)"
            )
        except HostError as trouble:
            done["error"] = str(trouble)
        return done

    def _refuse_without(self, report, peer):
        other = self.host_of[peer]
        if other in report["silent"]:
            raise HostError(f"refused, nothing was fenced: {report['silent'][other]}")
        if report["nodes"][peer] != _FIT:
            raise HostError(
                f"refused, nothing was fenced: {peer}, which would have it done, is {report['nodes'][peer]}"
            )

    def _refuse(self, report, name, peer, runs_here):
        other = self.host_of[peer]
        self._refuse_without(report, peer)
        if runs_here:
            survival = report["survival"].get(name, {})
            if survival.get("takes_over") != peer:
                why = "; ".join(survival.get("why") or report["problems"])
                raise HostError(
                    f"refused, nothing was fenced: nobody would take {self.resource} over: {why}"
                )
        why = self.master.need([other], "crm_forecast.unfenced", name)[other]
        if why:
            raise HostError(f"refused, nothing was fenced: {'; '.join(why)}")

    def _fence(self, name, peer, done):
        other = self.host_of[peer]
        with self.step(f"fence {name} from {peer}", [other]):
            seen = self.master.need([other], "fencing.fence", name)[other]
        done.append(f"{name} was fenced in {seen['seconds']:.1f} s: {seen['said']}")

    def _follow(self, action, peer, done):
        other = self.host_of[peer]
        with self.step(f"wait for {self.resource} on {peer}", [other]):
            self.master.need([other], "crm.wait", self.pair["timeouts"]["started"])
            where = self.master.need([other], "crm.started", self.resource)[other]
            answer = self.master.need([other], "crm.check", self.resource)[other]
        if where != [peer] or not answer["running"]:
            raise HostError(
                f"{action}, but {self.resource} runs on {' and '.join(where) or 'no node'}: "
                f"{answer['text']}; see salt-run cmha.status"
            )
        done.append(f"{self.resource} runs on {peer}")
