"""
How a pair is, found in the facts that its hosts give.

Pure functions. The facts are ``cmha_host.health``'s.
"""

import datetime
import operator

import cmha_fenced
import cmha_presence
import cmha_service
import cmha_site
import pacemaker_versions


def __virtual__():
    return True


def judge(pair, facts, silent):
    """
    How a pair is.

    pair
        The pair, as ``cmha.sites`` lists it.
    facts
        By minion id, what ``cmha_host.health`` returned.
    silent
        By minion id, why nothing is known of a host: a text, or a ``cmha_master.HostError``.

    Returns a mapping:

    ``health``
        ``good``; ``poor`` (the service runs, but something isn't as it should be, or it wouldn't survive its
        host); ``bad`` (it doesn't run on exactly one host, or doesn't answer there); ``unknown``.
    ``problems``
        Lines, the worst first.
    ``outlook``
        Lines: what happens next when the active host dies, or the network between the hosts is cut. What is a
        problem isn't among them.
    ``cluster_name``, ``dc``, ``quorum``
        As Corosync and Pacemaker have them; ``None`` where no cluster runs.
    ``nodes``
        By name: ``online``, ``standby``, ``in maintenance``, ``pending``, ``shutting down``, ``unclean``,
        ``offline``, ``stopped`` (the host is there, its cluster isn't), ``hanging`` (its cluster doesn't
        answer, and no other host can say how it is) or ``silent``.
    ``service``
        ``resource``; ``nodes`` where Pacemaker has it started, and ``since`` (ISO 8601, UTC, or ``None``);
        ``seen``, the nodes whose own service manager or agent says that it runs there; ``answers``, by node,
        whether its port gives a page.
    ``survival``
        By node that runs the service: what happens when it dies now. ``takes_over``, a node or ``None``;
        ``why``, a list of lines.
    ``twice``
        The nodes that would both run the service when the network between them is cut, where nothing keeps
        them from that.
    ``fencing``
        See ``cmha_fenced.seen``.
    ``hangs``, ``unable``
        By minion id, lists of lines: daemons that don't answer; why the service couldn't start there.
    ``wrong``
        By minion id, what is wrong with its pillar or platform.
    ``silent``
        By minion id, why nothing is known of it.
    ``failures``, ``leftovers``
        What ``crm.status`` and ``cib.leftovers`` list.
    ``maintenance``
        ``off``, ``cmha`` or ``somebody``.
    ``drift``, ``at_boot``
        By minion id, lists of what isn't as pillar says, and of what starts at boot.
    ``device``
        By minion id, what ``qdevice.status`` says of the quorum device, where the pair has one.
    ``pacemaker``
        By minion id, its ``version`` and ``feature_set``, where a host says it.
    """
    views = {host: each for host, each in facts.items() if each["cluster"]}
    view = _best(views)
    cluster = view["cluster"] if view else None
    silent = _with_what_peers_see(pair, silent, cluster)
    resource = pair["resource"]
    found = cluster["resources"].get(resource) if cluster else None
    where = found["started"] if found else []
    of_node = {node["name"]: facts[node["id"]] for node in pair["nodes"] if node["id"] in facts}
    survival = _survival(pair, view, facts)
    report = {
        "cluster_name": pair["cluster_name"],
        "dc": cluster["dc"] if cluster else None,
        "quorum": cluster["with_quorum"] if cluster else None,
        "nodes": {node["name"]: _node(node, facts, cluster) for node in pair["nodes"]},
        "silent": silent,
        "service": {
            "resource": resource,
            "nodes": where,
            "since": _iso(view["since"].get(where[0])) if len(where) == 1 else None,
            "seen": [name for name, each in of_node.items() if each["service"]["running"]],
            "answers": {
                name: each["answers"]
                for name, each in of_node.items()
                if each["answers"] is not None
            },
        },
        "survival": survival,
        "twice": _twice(view, survival),
        "fencing": cmha_fenced.seen(cluster, facts),
        "failures": cluster["failures"] if cluster else [],
        "leftovers": view["leftovers"] if view else [],
        "maintenance": _maintenance(view),
        "hangs": _by_host(facts, lambda each: each["hangs"] + each["recovers"]),
        **{
            key: _by_host(facts, operator.itemgetter(key))
            for key in ("drift", "at_boot", "device", "unable", "wrong")
        },
        "pacemaker": {
            host: each["pacemaker"] for host, each in facts.items() if each.get("pacemaker")
        },
    }
    bad = [
        *_bad(pair, report, views, silent),
        *cmha_service.bad(pair, report["service"], found, of_node),
    ]
    unknown = [] if views else _nobody_knows(report, silent)
    poor = _apart(views) + _poor(pair, report, silent if views else {}, view, of_node)
    return {
        "outlook": [line for line in outlook(report) if line not in doomed(report)],
        "health": "bad" if bad else "unknown" if unknown else "poor" if poor else "good",
        "problems": bad + unknown + poor,
        **report,
    }


def _by_host(facts, said):
    """Of the hosts that say something there, what they say."""
    found = {host: said(each) for host, each in facts.items()}
    return {host: each for host, each in found.items() if each}


def outlook(report):
    """
    What happens when the active host dies, a line for each node that runs the service; and what a cut network
    does, where nothing keeps the service from running twice then.

    report
        What ``judge`` returned.
    """
    lines = [_foreseen(report, node) for node in report["survival"]]
    if report["twice"]:
        lines.append(
            f"if the network between {' and '.join(report['twice'])} is cut, "
            f"{report['service']['resource']} runs on both: nothing fences, and no quorum device decides"
        )
    return lines


def doomed(report):
    """
    Of ``outlook``, what says that nobody takes the service over.

    report
        What ``judge`` returned.
    """
    return [
        _foreseen(report, node)
        for node, each in report["survival"].items()
        if each["takes_over"] is None
    ]


def warnings(report):
    """
    What one should know of a pair that runs: nobody takes the service over, or a host can't fence the other.

    report
        What ``judge`` returned.
    """
    return doomed(report) + cmha_fenced.unable(report["fencing"])


# The daemon that starts the others, and looks after them. While it hangs, they go on.
_ONLY_WATCHES = "pacemakerd "


def _foreseen(report, node):
    resource, each = report["service"]["resource"], report["survival"][node]
    if each["takes_over"] is None:
        return f"if {node} dies, nobody takes {resource} over: {'; '.join(each['why'])}"
    return f"if {node} dies, {resource} starts on {each['takes_over']}"


def _survival(pair, view, facts):
    """What the scheduler foresees, and what it can't know: whether the host that takes over could do it."""
    host_of = {node["name"]: node["id"] for node in pair["nodes"]}
    maintenance = _maintenance(view)
    survival = {}
    for node in view["survival"] if view else ():
        foreseen = _seen_by_who_is_left(pair, node, facts) or view["survival"][node]
        host = host_of.get(foreseen["takes_over"])
        there = facts.get(host)
        if there and there["unsure"]:  # it would act, and can't foresee what it does
            continue
        # what it can't start, and what in it doesn't answer. A daemon that pacemakerd replaces may take the
        # controller along, which then never learns that the other node has died.
        faults = there["unable"] + there["hangs"] + there["recovers"] if there else []
        why = [f"{host}: {line}" for line in faults if not line.startswith(_ONLY_WATCHES)]
        if maintenance != "off":
            why = [_MAINTENANCE[maintenance]]
        survival[node] = {"takes_over": None, "why": why} if why else foreseen
    return survival


def _twice(view, survival):
    foreseen = any(each["takes_over"] for each in survival.values())
    return view.get("twice", []) if view and foreseen else []


def _seen_by_who_is_left(pair, node, facts):
    """It is the other host that would act, with the votes that it counts itself."""
    left = [
        facts[each["id"]] for each in pair["nodes"] if each["name"] != node and each["id"] in facts
    ]
    return next((each["survival"][node] for each in left if node in each["survival"]), None)


def _nobody_knows(report, silent):
    hanging = [f"{host}: {line}" for host, lines in report["hangs"].items() for line in lines]
    return _named(silent) + hanging


def _best(views):
    """One host's view of the cluster: of the partition that has quorum, and a DC."""
    ranked = sorted(
        views.values(),
        key=lambda each: (
            not each["cluster"]["with_quorum"],
            each["cluster"]["dc"] is None,
            -sum(node["online"] for node in each["cluster"]["nodes"].values()),
        ),
    )
    return ranked[0] if ranked else None


_FLAGS = (
    ("pending", "pending"),
    ("shutdown", "shutting down"),
    ("standby", "standby"),
    ("maintenance", "in maintenance"),
)


def _node(node, facts, cluster):
    if node["id"] not in facts:
        return "silent"
    fact = facts[node["id"]]
    if not fact["cluster"] and not (fact["hangs"] and cluster):
        return "hanging" if fact["hangs"] else "stopped"
    seen = cluster["nodes"].get(node["name"])
    if seen is None:
        return "offline"
    if seen["unclean"] or not seen["online"]:
        return "unclean" if seen["unclean"] else "offline"
    return next((word for flag, word in _FLAGS if seen[flag]), "online")


def _maintenance(view):
    maintenance = view and view["maintenance"]
    if not maintenance or not maintenance["on"]:
        return "off"
    return "cmha" if maintenance["ours"] else "somebody"


def _iso(seconds):
    if not seconds:
        return None
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _bad(pair, report, views, silent):
    if not views:
        if silent or report["hangs"]:
            return []
        return [f"the cluster {pair['cluster_name']} runs on no host; {_start(pair)}"]
    resource, where = report["service"]["resource"], report["service"]["nodes"]
    lines = []
    if len(where) != 1:
        lines.append(f"{resource} runs on {' and '.join(where) or 'no host'}, not on one")
    known = {node["name"] for node in pair["nodes"]}
    lines += [
        f"{resource} runs on {node}, which is no node of this pair; nobody sees how it is there"
        for node in where
        if node not in known
    ]
    lines += _split(resource, views)
    if report["quorum"] is False:
        lines.append("the cluster has no quorum")
    if report["dc"] is None:
        lines.append("the cluster has no designated controller (DC)")
    return lines


def _with_what_peers_see(pair, silent, cluster):
    """Of a host that is merely silent, its peer knows more."""
    lines = {}
    for node in pair["nodes"]:
        host, why = node["id"], silent.get(node["id"])
        if getattr(why, "state", None) == cmha_presence.SILENT:
            (peer,) = (each["id"] for each in pair["nodes"] if each["id"] != host)
            seen = cluster["nodes"].get(node["name"], {}) if cluster else {}
            lines[host] = cmha_presence.seen_by_peer(host, peer, seen.get("online"))
        elif why is not None:
            lines[host] = str(why)
    return lines


def _named(silent):
    return [why if host in why else f"{host}: {why}" for host, why in silent.items()]


def _split(resource, views):
    """Each host may see itself alone, and the service with it."""
    places = {
        tuple(each["cluster"]["resources"].get(resource, {}).get("started", []))
        for each in views.values()
    }
    if len(places) < 2:
        return []
    seen = "; ".join(
        f"{host} sees {resource} on "
        f"{' and '.join(each['cluster']['resources'].get(resource, {}).get('started', [])) or 'no host'}"
        for host, each in views.items()
    )
    return [f"the hosts disagree: {seen}. Is the network between them cut?"]


def _apart(views):
    """One cluster has one DC, and its quorum. Before each side has acted, that shows that there are two."""
    seen = {
        host: (each["cluster"]["dc"], each["cluster"]["with_quorum"])
        for host, each in views.items()
    }
    if len(set(seen.values())) < 2 or any(dc is None for dc, _ in seen.values()):
        return []
    said = "; ".join(
        f"{host} has the DC {dc} and {'quorum' if quorum else 'no quorum'}"
        for host, (dc, quorum) in seen.items()
    )
    return [f"the hosts disagree: {said}. Is the network between them cut?"]


def _poor(pair, report, silent, view, of_node):
    names = {node["id"]: node["name"] for node in pair["nodes"]}
    lines = _named(silent)
    if view:
        lines += [
            f"{host}: {line}"
            for kind in ("hangs", "unable")
            for host, said in report[kind].items()
            for line in said
        ]
    lines += _unsure(report, view, of_node)
    lines += cmha_service.untold(pair, of_node)
    lines += [f"{host}: {line}" for host, line in report["wrong"].items()]
    for node, state in report["nodes"].items():
        if state == "stopped" and any(each != "stopped" for each in report["nodes"].values()):
            host = next(host for host, name in names.items() if name == node)
            lines.append(
                f"the cluster doesn't run on {node}: nothing to fail over to; salt-run cmha.rejoin "
                f"node={host} says why, and starts it"
            )
        elif state not in ("online", "silent", "stopped"):
            lines.append(f"{node} is {state}")
    lines += [
        f"{each['resource']}: {each['task']} failed on {each['node']}: {each['reason']} ({each['when']}); "
        f"crm resource cleanup {each['resource']}"
        for each in report["failures"]
    ]
    maintenance = report["maintenance"] != "off"
    lines += cmha_fenced.problems(report["fencing"], report["nodes"], maintenance)
    lines += [
        f"a move left the constraint {each['id']} behind, which ties {each['resource']} to or off "
        f"{each['node']}; crm resource clear {each['resource']}"
        for each in report["leftovers"]
    ]
    if maintenance:
        lines.append(_MAINTENANCE[report["maintenance"]])
    lines += _drift(report, names)
    lines += [
        f"{host}: the quorum device doesn't vote ({device['state']}); see corosync-qdevice there, and "
        "corosync-qnetd on the device"
        for host, device in report["device"].items()
        if not device["votes"]
    ]
    lines += pacemaker_versions.mixed(
        report["pacemaker"], [host for host, name in names.items() if _is_in(report, name)]
    )
    lines += _wrong_at_boot(pair, report, names, of_node)
    first = doomed(report)
    said = " ".join(first)
    return first + [line for line in lines if line not in said]


def _drift(report, names):
    """What to do is said once for a host. A line with an advice of its own has it after a semicolon; where
    the cluster doesn't run, the host is to rejoin it first."""
    lines = []
    for host, drift in report["drift"].items():
        plain = [line for line in drift if "; " not in line]
        last = plain[-1:] if report["nodes"][names[host]] != "stopped" else []
        lines += [f"{host}: {line}{_BY_PLAN if line in last else ''}" for line in drift]
    return lines


_BY_PLAN = "; salt-run cmha.plan says what an orchestration would change"


def _is_in(report, node):
    """Whether a node is in the cluster, whatever it is told to do there."""
    return report["nodes"][node] in ("online", "standby", "in maintenance")


def _unsure(report, view, of_node):
    """It is the others that would act: one that can't foresee what it does is never foreseen to do well."""
    if not view:
        return []
    where = report["service"]["nodes"]
    others = [each["unsure"] for node, each in of_node.items() if node not in where]
    said = next(filter(None, [*others, view["unsure"]]), None)
    if said is None and (len(where) != 1 or where[0] in report["survival"]):
        return []
    return [f"nobody can tell what would fail over: {said or 'no host says'}"]


def _wrong_at_boot(pair, report, names, of_node):
    shall = cmha_site.at_boot(pair["start_on_boot"], bool(pair["device"]))
    lines = []
    for host, name in names.items():
        if name not in of_node or of_node[name]["at_boot"] is None:
            continue
        does = report["at_boot"].get(host, [])
        wrong = [each for each in does if each not in shall]
        if wrong:
            verb = "starts" if len(wrong) == 1 else "start"
            lines.append(
                f"{host}: {' and '.join(wrong)} {verb} at boot; highstate switches that off"
            )
        missing = [each for each in shall if each not in does]
        if missing:
            verb = "doesn't" if len(missing) == 1 else "don't"
            lines.append(
                f"{host}: {' and '.join(missing)} {verb} start at boot (start_on_boot: "
                f"{pair['start_on_boot']}); highstate switches that on"
            )
    return lines


_MAINTENANCE = {
    "cmha": "cmha's maintenance mode is on: nothing fails over; an orchestration that goes well ends it",
    "somebody": "maintenance mode is on, and not by cmha: nothing fails over; crm configure property "
    "maintenance-mode=false",
}


def _start(pair):
    return "salt-run state.orch cmha.orchestrate starts it, when you know why it is down"
