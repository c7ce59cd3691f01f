"""
What every action with a pair starts from, and the two that only look: how it is, and what would change.
"""

import cmha_reconfigure
import cmha_status
import cmha_together
from cmha_master import HostError, Master

# What a host has to know of its pair, whatever pillar says
_KNOWN = ("resource", "service", "port")


def __virtual__():
    return True


def health(opts, pairs):
    """
    How pairs are, by one look at all their hosts at once.

    opts
        The master's configuration.
    pairs
        A list of pairs, each a site's name and a pair as ``cmha.sites`` lists it.

    Returns a list of what ``cmha_status.judge`` says of each.
    """
    return seen(opts, pairs)[0]


def seen(opts, pairs):
    """
    As ``health``; and which pillar hosts see.

    opts, pairs
        See ``health``.

    Returns what ``health`` does; and by minion id a digest of the pillar that the host sees, if it says so.
    """
    answers = _facts(Master(opts), pairs)
    digests = {
        host: each["pillar"]
        for host, each in answers.items()
        if not isinstance(each, HostError) and each.get("pillar")
    }
    return [_judged(pair, answers) for _, pair in pairs], digests


def _facts(master, pairs):
    """What hosts say. Those of which the same is known are one job: each host returns what it was asked, so
    that mustn't grow with the number of pairs."""
    of_known = {}
    for _, pair in pairs:
        known = tuple(pair[key] for key in _KNOWN)
        of_known.setdefault(known, []).extend(node["id"] for node in pair["nodes"])
    if not of_known:
        return {}
    of = ", ".join(f"{site} {pair['pair']}" for site, pair in pairs[:3])
    every = [host for hosts in of_known.values() for host in hosts]
    with master.shown(f"{of}{', …' if len(pairs) > 3 else ''}: status", every):
        answers = cmha_together.each(
            master.opts,
            None,
            of_known,
            lambda known, hosts: master.ask(hosts, "cmha_host.health", dict(zip(_KNOWN, known))),
        )
    return {host: answer for each in answers.values() for host, answer in each.items()}


def _judged(pair, answers):
    here = {node["id"]: answers[node["id"]] for node in pair["nodes"]}
    silent = {host: each for host, each in here.items() if isinstance(each, HostError)}
    facts = {host: each for host, each in here.items() if host not in silent}
    return cmha_status.judge(pair, facts, silent)


def plans(opts, pairs):
    """
    What the orchestration would change on pairs' hosts and in their clusters; all pairs side by side.

    opts, pairs
        See ``health``.

    Returns a list of mappings: ``hosts``, by minion id a list of mappings with ``state``, ``changes`` and
    ``comment``; ``restart``, what the running cluster would take in by a reload or restart, and how (see
    ``cmha_reconfigure``); ``cluster``, see ``crm.plan``; ``error``, a line, or ``None``.
    """
    return _each(opts, pairs, lambda site, pair: _Plan(opts, site, pair).run())


def exports(opts, pairs, secrets):
    """
    The configuration of pairs' clusters, as pillar data; all pairs side by side.

    opts, pairs
        See ``health``.
    secrets
        Show secrets, and don't mask them.

    Returns a list of what ``crm.export`` says, or a ``HostError``, or ``None`` where the cluster runs on no
    host.
    """
    return _each(opts, pairs, lambda _, pair: _exported(Master(opts), pair, secrets))


def _exported(master, pair, secrets):
    running = master.ask([node["id"] for node in pair["nodes"]], "crm.running")
    host = next((each for each, answer in running.items() if answer is True), None)
    return master.ask([host], "crm.export", secrets)[host] if host else None


def _each(opts, pairs, work):
    of_name = {f"{site} {pair['pair']}": (site, pair) for site, pair in pairs}
    what = "pairs" if len({site for site, _ in pairs}) > 1 else None
    done = cmha_together.each(opts, what, of_name, lambda _, where: work(*where))
    return [done[name] for name in of_name]


class Pair:
    """A pair and the master that asks its hosts. ``action`` names, in events, what is done."""

    action = None

    def __init__(self, opts, site, pair):
        self.master, self.site, self.pair = Master(opts), site, pair
        self.resource = pair["resource"]
        self.hosts = [node["id"] for node in pair["nodes"]]
        self.name_of = {node["id"]: node["name"] for node in pair["nodes"]}
        self.host_of = {node["name"]: node["id"] for node in pair["nodes"]}

    def health(self):
        return _judged(self.pair, _facts(self.master, [(self.site, self.pair)]))

    def node(self, said):
        """The name of the node that is meant by a name or a minion id."""
        name = self.name_of.get(said, said)
        if name not in self.host_of:
            known = " and ".join(self.host_of)
            raise HostError(f"the pair {self.pair['pair']} has no node {said}; it has {known}")
        return name

    def other(self, name):
        return next(each for each in self.host_of if each != name)

    def step(self, what, hosts):
        return self.master.told(self.site, self.pair["pair"], self.action, what, hosts)

    def apply(self, hosts, *sls, **pillar):
        """Applies state files to this pair; what is wrong in pillar about another one is not its concern."""
        only = {"cmha_only": {"pair": self.pair["pair"]}}
        self.master.apply(hosts, *sls, pillar={**only, **pillar})

    def home(self, report):
        where = report["service"]["nodes"]
        if len(where) != 1:
            raise HostError(f"refused: {report['problems'][0]}")
        if where[0] not in self.host_of:
            raise HostError(
                f"refused: {self.resource} runs on {where[0]}, which is no node of this pair"
            )
        return where[0]

    def refuse_unless_fit(self, report, home, *targets):
        faults = {
            fault: None
            for target in targets
            for fault in _unfit(report, self.resource, target, self.host_of[target])
        }
        if faults:
            raise HostError(f"refused, {self.resource} stays on {home}: {'; '.join(faults)}")

    def refuse_unless_foreseen(self, report, home, target, cleared=()):
        """What Pacemaker says that it would do, before it is asked to, when some constraints are cleared."""
        trial = {"cmha-trial": {"rsc": self.resource, "node": target, "score": "INFINITY"}}
        gone = {"locations": [each["id"] for each in cleared]}
        host = self.host_of[target]
        plan = self.master.need([host], "crm.plan", {"locations": trial}, gone)[host]
        moves = [each for each in plan["effects"] if each["what"] == self.resource]
        if not any(each["where"].endswith(f"-> {target}") for each in moves):
            said = "; ".join(f"{each['action']} ({each['where']})" for each in moves) or "nothing"
            why = report["survival"].get(home, {}).get("why") or ["see its constraints"]
            raise HostError(
                f"refused, {self.resource} stays on {home}: Pacemaker would not move it to {target}, but do: "
                f"{said}; {'; '.join(why)}"
            )

    def refuse_unless_it_stays(self, home, target):
        """When the move is done, nothing holds it there; what draws it elsewhere would move it once more."""
        host = self.host_of[target]
        after = self.master.need([host], "crm_forecast.after_move", self.resource, target)[host]
        if after != [target]:
            there = " and ".join(after) or "no node"
            raise HostError(
                f"refused, {self.resource} stays on {home}: moved to {target}, it would go to {there} as "
                "soon as it is there. See what draws it (crm_simulate -L -s): a preference for a node, "
                "and no resource-stickiness that outweighs it"
            )

    def leftovers(self, report):
        return [each for each in report["leftovers"] if each["resource"] == self.resource]

    def move(self, home, target):
        """Moves the service; returns what a client saw of it."""
        host = self.host_of[target]
        with self.step(f"move {self.resource} from {home} to {target}", [host]):
            seen = self.master.need(
                [host], "cmha_host.move", self.resource, target,
                [node["address"] for node in self.pair["nodes"]], self.pair["port"],
                self.pair["timeouts"]["started"], service=self.pair["service"],
            )[host]  # fmt: skip
            self.verify(target)
        return {
            "from": home,
            "to": target,
            **{key: seen[key] for key in ("away", "seen_by", "overcome")},
        }

    def verify(self, home):
        """The agent itself says on each host what Pacemaker believes."""
        answers = self.master.need(self.hosts, "crm.check", self.resource)
        for host, answer in answers.items():
            expected = self.name_of[host] == home
            if answer["running"] is not expected:
                raise HostError(
                    f"{self.resource} should {'run' if expected else 'be stopped'} on {host}, but its agent "
                    f"there says rc {answer['rc']}: {answer['text']}"
                )


def _unfit(report, resource, target, host):
    if host in report["silent"]:
        yield report["silent"][host]
    elif report["nodes"][target] != "online":
        yield f"{target} is {report['nodes'][target]}"
    for line in report["unable"].get(host, []) + report["hangs"].get(host, []):
        yield f"{host}: {line}"
    if report["maintenance"] != "off":
        yield "the cluster is in maintenance mode"
    for each in report["failures"]:
        if (each["resource"], each["node"]) == (resource, target):
            yield (
                f"{each['task']} failed on {target}: {each['reason']} ({each['when']}); when that is mended: "
                f"crm resource cleanup {resource}"
            )


class _Plan(Pair):
    def run(self):
        planned = {"hosts": {}, "restart": None, "cluster": None, "error": None}
        try:
            with self.master.shown(f"{self.site} {self.pair['pair']}: plan", self.hosts):
                answers = self.master.ask(self.hosts, "state.apply", self._sls(), test=True)
            lost = [str(each) for each in answers.values() if isinstance(each, HostError)]
            there = {
                host: each for host, each in answers.items() if not isinstance(each, HostError)
            }
            planned["hosts"] = {host: self._changes(host, each) for host, each in there.items()}
            if not lost:
                planned["restart"] = cmha_reconfigure.reconfigure(
                    self.master.opts, self.site, self.pair, test=True
                )
            if there:
                planned["cluster"] = self._of_the_cluster(list(there))
            planned["error"] = "; ".join(lost) or None
        except HostError as trouble:
            planned["error"] = str(trouble)
        return planned

    def _sls(self):
        fencing = ["cmha.fencing", "cmha.fence_passwords"] if self.pair["has_fence_devices"] else []
        return ",".join(["cmha.host", "cmha.corosync", "cmha.start", *fencing])

    def _changes(self, host, states):
        if not isinstance(states, dict):
            raise HostError(f"{host}: {' '.join(map(str, states))}")
        ran = sorted(states.items(), key=lambda each: each[1].get("__run_num__", 0))
        return [
            {"state": each["__id__"], "changes": each["changes"], "comment": each["comment"]}
            for _, each in ran
            if each["changes"] or each["result"] is False
        ]

    def _of_the_cluster(self, hosts):
        running = self.master.need(hosts, "crm.running")
        host = next((each for each in hosts if running[each]), hosts[0])
        return self.master.need([host], "cmha_host.plan")[host]
