"""
A host that was down comes back into its cluster, when a person has seen why.
"""

import cmha_fenced
import cmha_status
import pacemaker_versions
from cmha_master import HostError
from cmha_pair import Pair


def __virtual__():
    return True


def rejoin(opts, site, pair, host, confirm=False):
    """
    Show why a host is out of its cluster, and, confirmed, bring it back.

    opts, site, pair
        See ``cmha_reconfigure.reconfigure``.
    host
        Minion id of the host.
    confirm
        Start its cluster. Without it nothing is touched.

    Returns a mapping: ``host``; ``service`` (see ``cmha_status.judge``); ``failures``; ``fenced``, a line on
    the last time that Pacemaker fenced it, or ``None``; ``causes`` (see ``cmha_host.causes``); ``done``,
    lines on what was done; ``next``, a line on what to do now, or ``None``; ``error``, a line, or ``None``.
    """
    return _Rejoin(opts, site, pair).run(host, confirm)


class _Rejoin(Pair):
    action = "rejoin"

    def run(self, host, confirm):
        name, peer = self.name_of[host], self.other(self.name_of[host])
        done = {"host": host, "done": [], "next": None, "error": None, "causes": None}
        report = self.health()
        failures = [each for each in report["failures"] if each["node"] == name]
        fenced = report["fencing"]["last"].get(name)
        done["fenced"] = cmha_fenced.line(name, fenced) if fenced else None
        done.update(service=report["service"], failures=failures)
        try:
            if host in report["silent"]:
                raise HostError(report["silent"][host])
            if host in report["hangs"]:
                raise HostError(
                    f"{host}: {'; '.join(report['hangs'][host])}. Nothing joins a cluster there meanwhile; "
                    "end that (kill -CONT, else restart pacemaker, or boot the host), then try again"
                )
            state = report["nodes"][name]
            if state in ("offline", "unclean"):
                raise HostError(
                    f"{host}: its cluster runs, and is {state} for {peer}: they don't hear each other; see "
                    "the network and the firewalls between them"
                )
            out = state == "stopped"
            if not out and not failures:
                done["next"] = f"nothing: {name} is in the cluster ({state})"
                return done
            done["causes"] = self.master.need([host], "cmha_host.causes")[host]
            self._refuse(report, name, peer, done["causes"]["service"])
            if not confirm:
                done["next"] = (
                    f"when you know why: salt-run cmha.rejoin node={host} confirm=True, which "
                    f"{'starts its cluster' if out else 'cleans up'}"
                )
            else:
                self._bring_back(host, name, out, done["done"])
                self._forgive(report, peer, done["done"])
                done["done"] += cmha_status.outlook(self.health())
        except HostError as trouble:
            done["error"] = str(trouble)
        return done

    def _refuse(self, report, name, peer, service):
        host, other = self.host_of[name], self.host_of[peer]
        where = report["service"]["nodes"]
        if report["nodes"][name] != "stopped":
            return
        if report["nodes"][peer] == "stopped":
            raise HostError(
                f"the cluster doesn't run on {peer} either, so nothing has failed over; each waits for the "
                "other. When you know why: salt-run state.orch cmha.orchestrate starts both"
            )
        if report["nodes"][peer] == "silent":
            raise HostError(
                f"nobody knows whether {self.resource} runs on {other}: {report['silent'][other]}"
            )
        self._refuse_older(host, other)
        planned = self.master.need([other], "cmha_host.pending", planned=True)[other]
        if planned["corosync"]:
            keys = ", ".join(planned["corosync"])
            raise HostError(
                f"pillar says otherwise than the Corosync of {peer} about {keys}: {name} might not meet it; "
                f"run the orchestration, which starts {name} and changes both"
            )
        if service != "stopped" and where:
            raise HostError(
                f"{self.resource} on {host} is {service}, outside the cluster, while it runs on "
                f"{' and '.join(where)}; stop it there first: service {self.resource} stop"
            )

    def _refuse_older(self, host, other):
        """Pacemaker lets nobody join who has become too old, and whose controller ends itself then."""
        sets = self.master.need([host, other], "crm.feature_set")
        if pacemaker_versions.may_join(sets[host], sets[other]):
            return
        versions = self.master.need([host, other], "crm.version")
        raise HostError(
            f"{host} has Pacemaker {versions[host]} (feature set {sets[host]}), and may not join a cluster "
            f"that {versions[other]} (feature set {sets[other]}) has gone on with, alone on {other}: upgrade "
            f"Pacemaker on {host} to at least {versions[other]}, then rejoin"
        )

    def _bring_back(self, host, name, start, done):
        if start:
            with self.step(f"put {host} in order", [host]):
                self.apply([host], "cmha.host", "cmha.corosync")
            if self._lacks_passwords(host):
                with self.step(f"keep the passwords of fence devices on {host}", [host]):
                    self.apply([host], "cmha.fence_passwords")
            with self.step(f"start Corosync and Pacemaker on {host}", [host]):
                self.apply([host], "cmha.start")
            done.append(f"Corosync and Pacemaker run on {host}, both nodes are online")
        with self.step(f"clean up the failures on {name}", [host]):
            self.master.need([host], "crm.cleanup", node=name)
            self.master.need([host], "crm.wait", self.pair["timeouts"]["started"])
        done.append(f"failures on {name} are cleaned up")
        with self.step(f"verify that {self.resource} runs once", self.hosts):
            self.apply(self.hosts, "cmha.verify")
        where = self.master.need([host], "crm.started", self.resource)[host]
        done.append(f"{self.resource} runs on {' and '.join(where)}")

    def _lacks_passwords(self, host):
        """As on a new disk. Others stay as they are: a new one is for both hosts to try."""
        if not self.pair.get("has_fence_devices"):
            return False
        return bool(self.master.need([host], "fencing.missing_passwords")[host])

    def _forgive(self, report, peer, done):
        """The service failed over to the peer: what went wrong there is over, and counts against it."""
        failures = [
            each
            for each in report["failures"]
            if (each["node"], each["resource"]) == (peer, self.resource)
        ]
        if not failures or report["service"]["nodes"] != [peer]:
            return
        host = self.host_of[peer]
        with self.step(f"clean up what {self.resource} failed in on {peer}", [host]):
            self.master.need([host], "crm.cleanup", self.resource, node=peer)
        done += [
            f"{self.resource}: {each['task']} failed on {peer} ({each['reason']}), which is over; cleaned up"
            for each in failures
        ]
