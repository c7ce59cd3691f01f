"""
What in a site's pillar doesn't go together, though each value by itself is one that it may be.

Pure functions: what was checked key by key in, and a ``SiteError`` for the first thing that is wrong.
Sources: ``corosync-qdevice(8)``, ``votequorum(5)``.
"""

import corosync_totem
from cib_objects import MAINTENANCE_MARK
from pillar_values import SiteError, mapping

_MOST_COMMANDS = 32
# Milliseconds before a failover begins; sites far apart say 30 s
_LONGEST = 300_000
_DELAYS = (
    (("totem", "token"), "a dead host would be noticed"),
    (("totem", "consensus"), "the others would go on without a dead host"),
    (("quorum", "device", "timeout"), "a quorum device that died would be noticed"),
    (
        ("quorum", "device", "sync_timeout"),
        "a host's death would be decided without the quorum device",
    ),
)


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


def reserved(section, path):
    """
    Refuse what cmha itself writes into the cluster, and takes out again.

    section
        A ``pacemaker`` section as pillar has it; it may not be checked yet.
    path
        Its pillar path.
    """
    if MAINTENANCE_MARK in mapping(mapping(section).get("properties")):
        raise SiteError(
            f"{path}:properties:{MAINTENANCE_MARK}",
            "is cmha's own mark of a change that is under way; take it out of pillar",
        )


def left_alone(pair, at):
    """
    Refuse votes by which no node that is left has quorum, where what has none starts nothing.

    pair, at
        See ``votes``. The pair has its ``pacemaker``, too, which may not be checked yet.
    """
    quorum, pacemaker = pair["corosync"]["quorum"], pair["pacemaker"]
    policy = _policy(pacemaker)
    if policy not in _STARTS_NOTHING or any(
        map(quorum.get, ("two_node", "device", "auto_tie_breaker"))
    ):
        return
    votes = [node.get("quorum_votes", 1) for node in pair["nodes"]]
    if not any(2 * each > sum(votes) for each in votes):
        raise SiteError(
            at("quorum", "two_node"),
            f"is 0, and no-quorum-policy is {policy}: when a node dies, the other one has no quorum and "
            "starts nothing; leave two_node out, declare a quorum device, or set auto_tie_breaker",
        )


_STARTS_NOTHING = ("stop", "freeze", "demote", "suicide", "fence")


def _policy(pacemaker):
    """What pillar says for all of the cluster; ``None`` where a set of properties says it, too."""
    said = pacemaker.get("properties")
    sets = map(mapping, mapping(pacemaker.get("properties_sets")).values())
    if any("no-quorum-policy" in mapping(each.get("values")) for each in sets):
        return None
    return said.get("no-quorum-policy", "stop") if isinstance(said, dict) else None


def times(pair, at):
    """
    Refuse times that no Corosync takes, and those with which a failover begins too late to be one.

    pair, at
        See ``votes``.
    """
    for keys, what in _DELAYS:
        said = _said(pair["corosync"], keys)
        if said > _LONGEST:
            problem = f"is in milliseconds: {what} after {said // 1000} s; say at most {_LONGEST}"
            raise SiteError(at(*keys), problem)
    wrong = corosync_totem.wrong_time(pair["corosync"]["totem"], None)
    if wrong:
        raise SiteError(at("totem", wrong[0]), wrong[1])


def _said(section, keys):
    for key in keys[:-1]:
        section = section.get(key, {})
    return section.get(keys[-1], 0)


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
    if pair["qnetd"] and _node_of(str(pair["qnetd"]), names):
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
    node = _node_of(net["host"], names)
    if node:
        raise SiteError(
            at("quorum", "device", "net", "host"),
            f"{net['host']} is {node}, a node of this pair: the device has to be a third host",
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


def _names(node):
    return [node["id"].lower(), node["name"].lower(), *node["addresses"]]


def _node_of(host, names):
    """The node that a host is, by one of its names, or by its minion id without the domain."""
    host = host.lower().rstrip(".")
    if host in names:
        return names[host]
    of_id = (node for node in names.values() if node.lower().startswith(f"{host}."))
    return next(of_id, None) if "." not in host else None
