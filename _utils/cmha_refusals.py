"""
What in a site's pillar doesn't go together, though each value by itself is one that it may be.

Pure functions: what was checked key by key in, and a ``SiteError`` for the first thing that is wrong.
Sources: ``corosync-qdevice(8)``, ``votequorum(5)``.
"""

import re

import cib_values
import corosync_totem
from pillar_values import SiteError

_MOST_COMMANDS = 32
_PAGE_AGENT = "ocf:cm:server"
_THRESHOLD = "migration-threshold"


def __virtual__():
    return True


def alike(names):
    """
    Refuse two names that are the same, or the same but for capital letters: hosts and files can't tell them
    apart, and people even less.

    names
        A list of tuples: the name, its pillar path, and whose it is, for the message.
    """
    seen = {}
    for name, path, whose in names:
        same, before = seen.setdefault(name.lower(), (name, whose))
        if before != whose:
            problem = (
                f"is {before}'s too"
                if same == name
                else f"and {before}'s {same} differ in capitals only"
            )
            raise SiteError(path, f"{name} {problem}; each needs its own")


def shared_names(checked):
    """
    Refuse names that a site has twice: of pairs, of clusters, and of hosts by their minion id.

    checked
        The pillar, as ``cmha_pillar.checked`` returns it.
    """
    pairs = checked["pairs"]
    alike([(name, f"cmha:pairs:{name}", f"pair {name}") for name in pairs])
    alike(
        [
            (pair["cluster_name"], f"cmha:pairs:{name}:cluster_name", f"pair {name}")
            for name, pair in pairs.items()
            if "cluster_name" in pair
        ]
    )
    alike(
        [
            (node, f"cmha:pairs:{name}:nodes:{node}", f"pair {name}, {node}")
            for name, pair in pairs.items()
            for node in pair.get("nodes", {})
        ]
    )


def votes(pair, at):
    """
    Refuse votes that don't add up.

    pair
        A pair with its ``nodes``, and with ``corosync`` as all layers of pillar and defaults make it.
    at
        Called with keys below ``corosync``; gives the pillar path.
    """
    quorum = pair["corosync"]["quorum"]
    of_nodes = [node.get("quorum_votes", 1) for node in pair["nodes"]]
    device = quorum.get("device")
    if device and quorum.get("allow_downscale"):
        raise SiteError(
            at("quorum", "allow_downscale"),
            "goes not with a quorum device: Corosync doesn't start then",
        )
    if device and "expected_votes" in quorum and "votes" not in device:
        raise SiteError(
            at("quorum", "device", "votes"),
            "is missing, and Corosync wants it where expected_votes is; leave that out",
        )
    all_votes = sum(of_nodes) + (device.get("votes", 1) if device else 0)
    expected = quorum.get("expected_votes", all_votes)
    if expected != all_votes:
        raise SiteError(
            at("quorum", "expected_votes"),
            f"is {expected}, and the nodes{' and the device' if device else ''} have {all_votes}; leave "
            "it out",
        )
    alone = quorum.get("two_node") and not device and not quorum.get("auto_tie_breaker")
    for node, count in zip(pair["nodes"], of_nodes):
        if count != 1 and (alone or device):
            why = "two_node" if alone else "a quorum device"
            raise SiteError(
                f"cmha:pairs:{pair['pair']}:nodes:{node['id']}:quorum_votes",
                f"goes not with {why}, by which each node has one vote; leave it out",
            )


def times(pair, at):
    """
    Refuse times that no Corosync takes.

    pair, at
        See ``votes``.
    """
    wrong = corosync_totem.wrong_time(pair["corosync"]["totem"], None)
    if wrong:
        raise SiteError(at("totem", wrong[0]), wrong[1])


def tie_breakers(pair, at):
    """
    Refuse a tie breaker that is no node of the pair.

    pair, at
        See ``votes``.
    """
    quorum = pair["corosync"]["quorum"]
    device = quorum.get("device", {}).get("net", {})
    ids = [node["nodeid"] for node in pair["nodes"]]
    for keys, value in (
        (("quorum", "auto_tie_breaker_node"), quorum.get("auto_tie_breaker_node")),
        (("quorum", "device", "net", "tie_breaker"), device.get("tie_breaker")),
    ):
        said = "" if value is None else str(value)
        named = [int(word) for word in said.split() if word.isdecimal()]
        for each in named:
            if each not in ids:
                known = " and ".join(map(str, ids))
                raise SiteError(
                    at(*keys), f"no node of this pair has the nodeid {each}; they have {known}"
                )


def device(pair, at):
    """
    Refuse a quorum device that can't be one, or not this pair's.

    pair, at
        See ``votes``.
    """
    declared = pair["corosync"]["quorum"].get("device")
    names = {each: node["id"] for node in pair["nodes"] for each in _names(node)}
    if str(pair["qnetd"]).lower() in names:
        raise SiteError(
            f"cmha:pairs:{pair['pair']}:qnetd",
            f"{pair['qnetd']} is a node of this pair: the device has to be a third host",
        )
    if pair["qnetd"] and declared is None:
        raise SiteError(
            f"cmha:pairs:{pair['pair']}:qnetd",
            "names a quorum device, and corosync:quorum:device is missing",
        )
    if declared is None:
        return
    net = declared.get("net", {})
    for keys, value in (
        (("model",), declared.get("model")),
        (("net", "host"), net.get("host")),
        (("net", "algorithm"), net.get("algorithm")),
    ):
        if not value:
            raise SiteError(at("quorum", "device", *keys), "is missing")
    host = net["host"].lower().rstrip(".")
    if host in names:
        raise SiteError(
            at("quorum", "device", "net", "host"),
            f"{net['host']} is {names[host]}, a node of this pair: the device has to be "
            "a third host",
        )
    if declared.get("votes", 1) != 1:
        raise SiteError(
            at("quorum", "device", "votes"),
            f"a pair's device has one vote, with {net['algorithm']} as with any; leave it out",
        )
    if pair["qnetd"] and net.get("port", corosync_totem.QNETD_PORT) != corosync_totem.QNETD_PORT:
        raise SiteError(
            at("quorum", "device", "net", "port"),
            f"the corosync-qnetd that cmha sets up (qnetd) listens on {corosync_totem.QNETD_PORT}; leave "
            "it out",
        )


def heuristics(pair, at):
    """
    Refuse commands of the quorum device's heuristics that aren't run, and a mode that runs none.

    pair, at
        See ``votes``.
    """
    declared = pair["corosync"]["quorum"].get("device", {}).get("heuristics")
    if not declared:
        return
    keys = ("quorum", "device", "heuristics", "mode")
    commands = [key for key in declared if key.startswith("exec_")]
    if len(commands) > _MOST_COMMANDS:
        raise SiteError(
            at(*keys[:-1]),
            f"has {len(commands)} commands; corosync-qdevice runs {_MOST_COMMANDS} at most",
        )
    if commands and "mode" not in declared:
        raise SiteError(
            at(*keys), f"is missing, and off then: {commands[0]} isn't run; write on or sync"
        )
    if not commands and declared.get("mode", "off") != "off":
        raise SiteError(at(*keys), f"is {declared['mode']}, and no exec_NAME says what to run")


def rings(pair, at):
    """
    Refuse rings of a pair that hear each other. Corosync 2.4 doesn't start with such, others mix them up.

    pair, at
        See ``votes``.
    """
    heard = corosync_totem.groups(pair)
    for number, each in heard.items():
        for ring in range(number):
            if ring in heard and corosync_totem.meet(each, heard[ring]):
                raise SiteError(
                    at("interface", number, "mcastport"),
                    f"goes to {each[0]} and port {each[1]}, which interface {ring} hears too; give it "
                    "another port, at least 2 away",
                )


def heard_by_others(pairs):
    """
    Pairs whose nodes would hear each other, and be one cluster, where one network carries what both say.

    pairs
        All of the site.

    Returns lines by pair, for those that come later in the list.
    """
    lines = {}
    for index, pair in enumerate(pairs):
        for other in pairs[:index]:
            met = next(
                (
                    one
                    for one in corosync_totem.groups(pair).values()
                    for each in corosync_totem.groups(other).values()
                    if corosync_totem.meet(one, each)
                ),
                None,
            )
            if met:
                lines.setdefault(pair["pair"], []).append(
                    f"Corosync of pair {other['pair']} goes to {met[0]} and port {met[1]} too: on one "
                    "network the two pairs are one cluster; give one of them another mcastport, at least 2 "
                    "away"
                )
    return lines


def page_agent(pair):
    """
    Refuse the agent that asks Cloudera Manager for its page where there is none.

    pair
        The pair, with its settings.
    """
    if not _asks_for_page(pair):
        return
    if pair["role"] != "server":
        raise SiteError(
            f"cmha:pairs:{pair['pair']}:resource",
            f"{_PAGE_AGENT} is for a pair of role server; {pair['service']} gives no page",
        )
    if pair["port"] is None:
        raise SiteError(
            f"cmha:pairs:{pair['pair']}:port", f"{_PAGE_AGENT} needs the port of the page"
        )


def _asks_for_page(pair):
    primitive = pair["pacemaker"]["primitives"].get(pair["resource"])
    return (primitive.get("agent") if isinstance(primitive, dict) else primitive) == _PAGE_AGENT


def threshold(pair):
    """
    Refuse to give the server up after one failure. A server that starts while the database is still claimed
    by the host that has crashed ends itself, and Pacemaker counts that: it would stay stopped for good. The
    start of an agent that asks for the page waits for the claim to run out.

    pair
        The pair, with its settings.
    """
    if pair["role"] != "server" or _asks_for_page(pair):
        return
    said, where = _meta(pair, _THRESHOLD)
    if re.fullmatch(r"[+]?0*1", str(said).strip()):
        raise SiteError(
            where,
            "1 leaves Cloudera Manager stopped after a crash: its server ends itself while the database "
            "is claimed by the host that crashed, and that is a failure; leave it out, or say 3",
        )


def requires(pair):
    """
    Refuse that the service is started before its other host is fenced, or without quorum.

    pair
        The pair, with its settings.
    """
    said, where = _meta(pair, "requires")
    fences = cib_values.is_true(str(pair["pacemaker"]["properties"].get("stonith-enabled")))
    if said == "nothing" or (said == "quorum" and fences):
        raise SiteError(
            where,
            f"{said} starts {pair['service']} before its other host is fenced: it may run on both; leave it "
            "out",
        )


def watched(pair):
    """
    Refuse operations by which nobody sees that the service has died, or that it didn't stop.

    pair
        The pair, with its settings.
    """
    resource = pair["resource"]
    operations = _mapping(_mapping(pair["pacemaker"]["primitives"].get(resource)).get("operations"))
    where = f"cmha:pairs:{pair['pair']}:pacemaker:primitives:{resource}:operations"
    monitors = [each for each in _several(operations.get("monitor", ())) if isinstance(each, dict)]
    if monitors and not any(map(_recurs, monitors)):
        raise SiteError(
            f"{where}:monitor",
            f"never runs again after the start: nobody would see that {pair['service']} has died; say an "
            "interval, as 30s",
        )
    for each in _several(operations.get("stop", ())):
        if str(_mapping(each).get("on-fail")).lower() == "ignore":
            raise SiteError(
                f"{where}:stop:on-fail",
                f"ignore starts {pair['service']} on the other host while it still runs on the first; leave "
                "it out",
            )


def _recurs(monitor):
    """Whether it runs again and again where the service is started."""
    every = cib_values.duration(str(monitor.get("interval", "0")))
    return (
        every != 0  # what is no duration is refused where its section is checked
        and cib_values.is_true(str(monitor.get("enabled", "true")))
        and cib_values.role(str(monitor.get("role", "Started"))) == "Started"
    )


def _meta(pair, name):
    """The meta attribute that the pair's resource has, and its path: what stands nearest to it counts."""
    declared = pair["pacemaker"]
    resource = declared["primitives"].get(pair["resource"])
    primitive = _mapping(resource)
    for values, where in (
        (primitive.get("meta"), f"primitives:{pair['resource']}:meta"),
        *_in_sets(primitive.get("meta_sets"), f"primitives:{pair['resource']}:meta_sets"),
        *_inherited(declared, pair["resource"], primitive.get("agent", resource)),
        (declared["rsc_defaults"], "rsc_defaults"),
        *_in_sets(declared.get("rsc_defaults_sets"), "rsc_defaults_sets"),
    ):
        # what isn't what it should be is refused where its section is checked
        said = values.get(name) if isinstance(values, dict) else None
        if said is not None:
            return said, f"cmha:pairs:{pair['pair']}:pacemaker:{where}:{name}"
    return None, None


def second_server(pair):
    """
    Refuse what would run the pair's service twice: a clone of its resource, and another resource for it.

    pair
        The pair, with its settings.
    """
    declared, resource, service = pair["pacemaker"], pair["resource"], pair["service"]
    where = f"cmha:pairs:{pair['pair']}:pacemaker"
    holders = {resource} | {
        name
        for name, each in _mapping(declared.get("groups")).items()
        if resource in _several(each.get("members") if isinstance(each, dict) else each)
    }
    for section, key in (("clones", "resource"), ("bundles", "primitive")):
        for name, each in _mapping(declared.get(section)).items():
            held = each.get(key) if isinstance(each, dict) else each
            if isinstance(held, str) and held in holders:
                raise SiteError(
                    f"{where}:{section}:{name}",
                    f"would run {resource} on both hosts at once; a pair's service runs on one",
                )
    for name, each in _mapping(declared.get("primitives")).items():
        agent = str(each.get("agent") if isinstance(each, dict) else each)
        if (
            name != resource
            and resource in declared["primitives"]
            and re.fullmatch(
                rf"(lsb|systemd|service|upstart):{re.escape(service)}(\.service)?|ocf:cm:{pair['role']}",
                agent,
            )
        ):
            raise SiteError(
                f"{where}:primitives:{name}",
                f"is for {service} too, which {resource} runs; one resource is for one service",
            )


def _mapping(said):
    return said if isinstance(said, dict) else {}


def _inherited(declared, resource, agent):
    """The meta attributes that a resource has from its template and its group, and where they stand."""
    for key, is_its in (
        ("templates", lambda name, _: agent == f"@{name}"),
        ("groups", lambda _, each: resource in _several(each.get("members"))),
    ):
        for name, each in _mapping(declared.get(key)).items():
            if isinstance(each, dict) and is_its(name, each):
                yield each.get("meta"), f"{key}:{name}:meta"
                yield from _in_sets(each.get("meta_sets"), f"{key}:{name}:meta_sets")


def _several(said):
    return said if isinstance(said, (list, tuple)) else [said]


def _in_sets(sets, where):
    for name, each in _mapping(sets).items():
        yield each.get("values") if isinstance(each, dict) else None, f"{where}:{name}:values"


def _names(node):
    return [node["id"].lower(), node["name"].lower(), *node["addresses"]]
