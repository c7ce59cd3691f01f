"""
What stands against working on a pair, found in the facts that its hosts give.

Pure functions. The facts are ``cmha_host.fitness``'s.
"""

import re
from collections import namedtuple

import cib_values
import corosync_keys
import quorum_device

# The guide's. Before it, crm_resource can't take back what a move leaves in the CIB.
_OLDEST_PACEMAKER = "1.1.10"


def __virtual__():
    return True


def judge(pair, facts, pillar, asked, answered):
    """
    What is wrong with a pair before anything is touched.

    pair
        The pair, as ``cmha_site.site`` makes it.
    facts
        By minion id, what ``cmha_host.fitness`` returned, of those hosts that answered.
    pillar
        The digest of the pillar that the master compiled for these hosts.
    asked, answered
        When the hosts were asked and had answered, by the master's clock, in seconds of the epoch.

    Returns ``(errors, warnings)``, two lists of lines that each say what is wrong, where and what to do.
    What the pillar's ``preflight:ignore`` names is a warning.
    """
    case = _Case(pair, facts, pillar, asked, answered)
    elsewhere = _pillars(case)
    if elsewhere:
        # what such a host says of the pair is about another pair
        return elsewhere, []
    errors, warnings = [], []
    for check in _CHECKS:
        is_error = check.weight == _ALWAYS or (
            check.weight == _UNLESS_IGNORED and check.name not in pair["preflight"]["ignore"]
        )
        (errors if is_error else warnings).extend(check.lines(case))
    return errors, warnings


def _pillars(case):
    return [
        f"{host} sees another pillar than this master; see its pillarenv, saltenv and grains, and run "
        f"salt {host} saltutil.refresh_pillar"
        for host, each in case.facts.items()
        if each["pillar"] != case.pillar
    ]


def _nodes(pair):
    return {node["id"]: node for node in pair["nodes"]}


def _peer(pair, host):
    return next(node for node in pair["nodes"] if node["id"] != host)


# --- each check: lines for one pair --------------------------------------------------------------


def _foreign(case):
    facts = case.facts
    lines = [
        f"{host} belongs to another cluster ({each['cluster']['seen']}); nothing replaces it. If it is the "
        "same cluster, give its nodes those names in pillar (cmha:pairs:…:nodes:…:name); if it is an old "
        "one, remove it first"
        for host, each in facts.items()
        if each["cluster"]["is"] == "another"
    ]
    return lines + [
        f"{host} has a corosync.conf of another cluster, which would be replaced; if it is old, remove "
        "/etc/corosync/corosync.conf"
        for host, each in facts.items()
        if each["conf"] == "another" and each["cluster"]["is"] != "another"
    ]


def _nodenames(case):
    pair, facts = case.pair, case.facts
    nodes = _nodes(pair)
    return [
        f"{host} calls itself {each['nodename']} (uname -n), pillar calls it {nodes[host]['name']}; set "
        f"cmha:pairs:{pair['pair']}:nodes:{host}:name, or the host's name"
        for host, each in facts.items()
        if not _same_host(each["nodename"], nodes[host]["name"])
        # a cluster that was made with these names goes on with them
        and each["cluster"]["is"] != "this pair"
    ]


def _same_host(one, other):
    short, long = sorted((one.lower(), other.lower()), key=len)
    return long == short or long.startswith(f"{short}.")


def _addresses(case):
    pair, facts = case.pair, case.facts
    nodes = _nodes(pair)
    return [
        f"{host} has no address {address} (it has {', '.join(each['addresses'])}); set "
        f"cmha:pairs:{pair['pair']}:nodes:{host}:"
        f"{'addresses' if len(nodes[host]['addresses']) > 1 else 'address'}"
        for host, each in facts.items()
        for address in nodes[host]["addresses"]
        if address not in each["addresses"]
    ]


def _names(case):
    pair, facts = case.pair, case.facts
    lines = []
    for host, each in facts.items():
        name = _peer(pair, host)["name"]
        found = each["resolves"].get(name)
        if not found:
            lines.append(
                f"{host} can't resolve the name of its peer, {name}; see DNS or /etc/hosts"
            )
        elif any(address == "::1" or address.startswith("127.") for address in found):
            lines.append(
                f"{host} resolves {name}, its peer's name, to itself ({', '.join(found)}); see its "
                "/etc/hosts"
            )
    return lines


def _ports(case):
    pair, facts = case.pair, case.facts
    if len(facts) < len(pair["nodes"]):
        return []  # nobody was there to be heard
    lines = []
    for host, each in facts.items():
        peer = _peer(pair, host)
        if each["running"]:
            both_ours = all(_runs_this_pair(fact) for fact in facts.values())
            if both_ours and peer["address"] not in each["members"]:
                lines.append(
                    f"Corosync runs on {host} and {peer['id']}, and they are no cluster: {host} has "
                    f"{', '.join(each['members']) or 'no member'} only; see the network between them, and "
                    "/var/log/cluster/corosync.log"
                )
            continue
        lines += [
            f"{host} doesn't hear {peer['id']} on UDP port {port} ({outcome}); see the network and the "
            "firewalls between them"
            for port, outcome in each["ports"].items()
            if outcome != "heard" and _was_tried(pair, facts)
        ]
    return lines


def _device(case):
    pair, facts = case.pair, case.facts
    if not quorum_device.declared(pair) or pair["qnetd"]:
        # what cmha sets up need not answer before
        return []
    net = quorum_device.declared(pair)["net"]
    return [
        f"{host} doesn't reach the quorum device {net['host']} ({each['device_silent']}); see that "
        "corosync-qnetd runs there, and the network and the firewalls between them"
        for host, each in facts.items()
        if each["device_silent"]
    ]


def _own_failovers(case):
    """Nobody may ignore it: Pacemaker keeps one server stopped, that mode wants both."""
    facts = case.facts
    return [
        f"{host} has Cloudera Manager's own failover switched on (-Dcom.cloudera.cmf.haMode=true in "
        "CMF_JAVA_OPTS), in which both servers run, and Pacemaker would keep one stopped; choose one of the "
        "two: set it to false, or take this pair out of pillar"
        for host, each in facts.items()
        if each["own_failover"]
    ]


def _watchdogs(case):
    """Nobody may ignore it: Pacemaker would end itself, and the service with it."""
    return [
        f"{host}: {line}" for host, each in case.facts.items() for line in each.get("watchdog", ())
    ]


def _uncertified(case):
    """Nobody may ignore it: such a node would be stopped, and couldn't start."""
    pair, facts = case.pair, case.facts
    if pair["qnetd"]:
        return []
    return [
        f"{host} has no certificate of {pair['cluster_name']} for the quorum device; make one with "
        f"corosync-qdevice-net-certutil (salt {host} state.apply cmha.packages installs it), or set tls: "
        "'off' in corosync:quorum:device:net"
        for host, each in facts.items()
        if not each["certified"]
    ]


def _runs_this_pair(fact):
    # and not the one-node cluster that Debian's packages start
    return fact["running"] and fact["cluster"]["is"] == "this pair"


def _was_tried(pair, facts):
    """Whether silence means anything: both hosts listened, and their own firewalls let the pair talk."""
    return all(not each["running"] and each["firewall_open"] for each in facts.values())


def _untried_ports(case):
    pair, facts = case.pair, case.facts
    if (
        len(facts) < len(pair["nodes"])
        or any(each["running"] for each in facts.values())
        or _was_tried(pair, facts)
    ):
        return []
    silent = {
        port
        for each in facts.values()
        for port, outcome in each["ports"].items()
        if outcome != "heard"
    }
    if not silent:
        return []
    return [
        f"its hosts don't hear each other on UDP {' and '.join(sorted(silent))} yet; their own firewalls "
        "aren't opened by cmha so far"
    ]


# What two versions of it mean for a pair
_MEANS = {
    "pacemaker": ". A host whose Pacemaker is older may not come back when it has left the cluster"
}


def _versions(case):
    pair, facts = case.pair, case.facts
    lines = []
    for name in ("corosync", "pacemaker"):
        found = {host: _version(each, name) for host, each in facts.items()}
        found = {host: version for host, version in found.items() if version}
        if _differ(found, facts, name) and name not in pair["versions"]:
            there = ", ".join(
                f"{version} on {host}{'' if facts[host][name] else ' (to be installed)'}"
                for host, version in found.items()
            )
            lines.append(
                f"{name} is {there}; upgrade the older one, or say in cmha:versions which is wanted"
                f"{_MEANS.get(name, '')}"
            )
    for host, each in facts.items():
        version = _version(each, "pacemaker")
        if version and corosync_keys.is_before(version, _OLDEST_PACEMAKER):
            has = "has" if each["pacemaker"] else "would get"
            lines.append(
                f"{host} {has} pacemaker {version}; {_OLDEST_PACEMAKER} is the oldest for cmha; upgrade it"
            )
    return lines


def _version(facts, name):
    """The version that is there, or else the one that an installation would bring."""
    return facts[name] or facts.get("to_come", {}).get(name)


def _differ(found, facts, name):
    """Of what is to come only the version itself is known."""
    if not all(facts[host][name] for host in found):
        found = {host: re.match(r"[0-9.]*", version)[0] for host, version in found.items()}
    return len(set(found.values())) > 1


def _services(case):
    pair, facts = case.pair, case.facts
    lines = []
    for host, each in facts.items():
        if not each["has_service"]:
            lines.append(f"{host} has no service {each['service']}; install it first")
        elif not each["has_agent"]:
            service = each["service"]
            hint = (
                f"; if it is a unit of systemd, say agent: systemd:{service} "
                f"(cmha:pairs:{pair['pair']}:pacemaker:primitives:{pair['resource']}:agent), which restarts "
                "it where it runs"
            )
            lines.append(
                f"{host} has no {each['agent']}{hint if each['agent'].startswith('lsb:') else ''}"
            )
    return lines or _agents(pair, facts)


def _agents(pair, facts):
    """Hosts choose by what they have, and one cluster has one agent."""
    found = {host: each["agent"] for host, each in facts.items()}
    if len(set(found.values())) == 1:
        return []
    there = ", ".join(f"{agent} on {host}" for host, agent in found.items())
    return [
        f"{pair['resource']} would be {there}; install the same package on both, or say which it is: "
        f"cmha:pairs:{pair['pair']}:pacemaker:primitives:{pair['resource']}:agent"
    ]


def _clocks(case):
    """A host's clock was read at some time between question and answer: only what is off for certain
    counts."""
    pair, facts, asked, answered = case.pair, case.facts, case.asked, case.answered
    bound = pair["preflight"]["clock_difference"]
    lines = []
    for host, each in facts.items():
        behind, ahead = asked - each["time"], each["time"] - answered
        off, way = max((behind, "behind"), (ahead, "ahead of"))
        if off > bound:
            lines.append(
                f"{host}'s clock is {off:.0f} s {way} this master's; a pair's clocks may differ by {bound} s "
                "(cmha:preflight:clock_difference); see NTP there"
            )
    return lines


# --- what is no error ----------------------------------------------------------------------------


def _heard_by_others(case):
    return case.pair["heard_by"]


def _unknown_platforms(case):
    taken = {}
    for host, each in case.facts.items():
        if each["taken_as"]:
            taken.setdefault((each["platform"], each["taken_as"]), []).append(host)
    return [
        f"{' and '.join(hosts)}: cmha doesn't know {platform} yet, and takes it as {known}; if it is like "
        "another one, name that in pillar, cmha:platform"
        for (platform, known), hosts in taken.items()
    ]


def _open_traffic(case):
    if all(each["authenticated"] for each in case.facts.values()):
        return []
    return [
        "cluster traffic isn't authenticated: whoever reaches its UDP ports can disturb the cluster; "
        "salt-run cmha.keygen makes a key"
    ]


def _no_fencing(case):
    if cib_values.is_true(case.pair["pacemaker"]["properties"].get("stonith-enabled", "true")):
        return []
    if quorum_device.declared(case.pair) and _policy(case) not in ("ignore", "freeze"):
        return [
            "fencing is off (stonith-enabled): a host that is cut off and can't stop its service runs it "
            "beside the other one; the quorum device decides, and ends nobody"
        ]
    return [
        "fencing is off (stonith-enabled): a cut network gives two active servers, as the guide says; "
        "see docs/fencing.md"
    ]


def _policy(case):
    return case.pair["pacemaker"]["properties"].get("no-quorum-policy")


def _a_vote_for_nothing(case):
    if not quorum_device.declared(case.pair) or _policy(case) != "ignore":
        return []
    return [
        "the vote of the quorum device decides nothing (no-quorum-policy is ignore); stop makes it count"
    ]


def _rules_that_a_boot_forgets(case):
    firewall, boot = case.pair["firewall"], case.pair["start_on_boot"]
    forgets = [host for host, each in case.facts.items() if each["firewall"] == "iptables"]
    if boot == "never" or not firewall["enabled"] or not forgets or firewall["save"]:
        return []
    return [
        f"start_on_boot is {boot}, and the firewall's rules don't survive a boot of {' and '.join(forgets)}: "
        "a host that then doesn't hear its peer may start a second server; set firewall:save"
    ]


# --- all checks ----------------------------------------------------------------------------------

# What a pair's hosts said, and when
_Case = namedtuple("_Case", "pair facts pillar asked answered")

# A check's name is the word by which pillar ignores it (preflight:ignore, cmha_pillar.PREFLIGHT_CHECKS);
# weight, whether what it finds is an error; lines, what it finds
_Check = namedtuple("_Check", "name weight lines")
_ALWAYS, _UNLESS_IGNORED, _NEVER = "always", "unless ignored", "never"

_CHECKS = (
    _Check("heard by others", _NEVER, _heard_by_others),
    _Check("platform", _NEVER, _unknown_platforms),
    _Check("authentication", _NEVER, _open_traffic),
    _Check("fencing", _NEVER, _no_fencing),
    _Check("votes", _NEVER, _a_vote_for_nothing),
    _Check("firewall at boot", _NEVER, _rules_that_a_boot_forgets),
    _Check("foreign", _ALWAYS, _foreign),
    _Check("nodename", _UNLESS_IGNORED, _nodenames),
    _Check("address", _UNLESS_IGNORED, _addresses),
    _Check("resolve", _UNLESS_IGNORED, _names),
    _Check("reach", _UNLESS_IGNORED, _ports),
    _Check("reach", _UNLESS_IGNORED, _device),
    _Check("versions", _UNLESS_IGNORED, _versions),
    _Check("service", _UNLESS_IGNORED, _services),
    _Check("clock", _UNLESS_IGNORED, _clocks),
    _Check("own failover", _ALWAYS, _own_failovers),
    _Check("watchdog", _ALWAYS, _watchdogs),
    _Check("certificate", _ALWAYS, _uncertified),
    _Check("untried ports", _NEVER, _untried_ports),
)
