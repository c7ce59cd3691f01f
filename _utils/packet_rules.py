"""
A rule of the packet filter in the words of iptables, nftables, firewalld and ufw, and what these have.

Pure functions. A rule is one of ``cmha_firewall.rules``. Sources: ``iptables-save(8)``, ``nft(8)``,
``firewalld.richlanguage(5)``, ``ufw(8)``.
"""

import ipaddress
import re
import shlex

_ASLEEP = (
    "firewalld",
    "ufw",
)  # cmha turns none of them on: they would close what else the host offers

_HOOKS = {"INPUT": "input", "OUTPUT": "output"}
_TABLES = {"ipv4": ("ip", "inet"), "ipv6": ("ip6", "inet")}
_ADDRESSES = {"ipv4": "ip", "ipv6": "ip6"}

# iptables-nft's chains, which nft lists too
_OF_IPTABLES = ("INPUT", "FORWARD", "OUTPUT")


def __virtual__():
    return True


def choose(wanted, active, otherwise, host):
    """
    The backend that a host's rules are for.

    wanted
        The pillar's ``firewall:backend``.
    active
        What is active there, see ``packet_filter.active``.
    otherwise
        The backend where nothing is.
    host
        The minion id, for the message.

    Raises ValueError when pillar has to choose between two, or names one that is off.
    """
    if wanted in _ASLEEP and wanted not in active:
        raise ValueError(
            f"pillar cmha:firewall:backend: {wanted} isn't active on {host}, and cmha turns no firewall on, "
            "since that would close the host's other ports; start it there, or leave the choice to auto"
        )
    if wanted != "auto":
        return wanted
    if len(active) > 1:
        raise ValueError(
            f"pillar cmha:firewall:backend: is auto, and {' and '.join(active)} are active on {host}; say "
            "which of them shall let the pair through, or turn one off"
        )
    return active[0] if active else otherwise


# --- iptables ------------------------------------------------------------------------------------


def iptables_rule(rule):
    """A rule as ``iptables-save`` prints it, without its chain."""
    words = []
    for side, option in (("source", "-s"), ("destination", "-d")):
        if side in rule["match"]:
            words += [option, str(ipaddress.ip_network(rule["match"][side]))]
    proto, ports = rule["match"]["proto"], rule["match"]["dports"]
    return " ".join([*words, f"-p {proto} -m multiport --dports {ports} -j ACCEPT"])


def iptables_saved(text, rule):
    """Whether a file that ``iptables-save`` wrote has a rule."""
    # before 1.4.16 a saved rule ends with a space
    lines = [line.rstrip() for line in text.splitlines()]
    return f"-A {rule['chain']} {iptables_rule(rule)}" in lines


# --- nftables ------------------------------------------------------------------------------------


def nft_chains(listing, rule=None):
    """
    The chains of the host's own ruleset that a packet has to pass.

    listing
        What ``nft list chains`` prints.
    rule
        For whose packets; the default is what comes in, of any family.

    Returns a list of ``(family, table, chain)``. An accept in one of them doesn't count in the next: a rule
    has to stand in each. The chains of iptables-nft and of firewalld aren't the host's own.
    """
    hook = _HOOKS[rule["chain"]] if rule else "input"
    families = _TABLES[rule["family"]] if rule else ("ip", "ip6", "inet")
    found, table, chain = [], None, None
    for line in listing.splitlines():
        words = line.split()
        if words[:1] == ["table"]:
            # family and name
            table, chain = tuple(words[1:3]) if words[2:] else None, None
        elif words[:1] == ["chain"]:
            chain = "".join(words[1:2])
        elif words[:4] == ["type", "filter", "hook", hook] and chain and table:
            found += [(*table, chain)] if table[0] in families else []
    return [each for each in found if not _is_of_others(*each)]


def _is_of_others(family, table, chain):
    return table == "firewalld" or (family != "inet" and chain in _OF_IPTABLES)


def nft_rule(family, rule):
    """A rule as nft prints it in a table of that family."""
    match, addresses = rule["match"], _ADDRESSES[rule["family"]]
    words = [
        f"{addresses} {field} {match[side]}"
        for side, field in (("source", "saddr"), ("destination", "daddr"))
        if side in match
    ]
    if family == "inet" and not words:
        words = [f"meta nfproto {rule['family']}"]
    ports = match["dports"].split(",")
    ports = f"{{ {', '.join(ports)} }}" if len(ports) > 1 else ports[0]
    return " ".join([*words, f"{match['proto']} dport {ports} accept"])


def nft_handles(listing, text):
    """
    Where a rule stands in a chain.

    listing
        What ``nft --handle list chain`` prints.
    text
        The rule, see ``nft_rule``.

    Returns the handles, a list of texts. A comment or a counter doesn't make it another rule.
    """
    handles = []
    for line in listing.splitlines():
        there, _, handle = line.partition(" # handle ")
        if _plain(there) == _plain(text):
            handles.append(handle)
    return handles


def nft_script(listing, rules):
    """
    A script for ``sh`` that puts rules at the head of chains, as far as these are there: a program that is
    still to start may have made one of them.

    listing
        What ``nft list chains`` prints.
    rules
        The rules.
    """
    lines = [
        "# Written by Salt (cmha). Runs after the host's own ruleset is read: systemctl cat nftables"
    ]
    for rule in rules:
        for chain in nft_chains(listing, rule):
            command = f"insert rule {' '.join(chain)} {nft_commented(chain, rule)}"
            lines.append(f"nft {shlex.quote(command)} || :")
    return "\n".join([*lines, ""])


def nft_commented(chain, rule):
    """A rule with a comment that says whose it is, for one of ``nft_chains``."""
    return f'{nft_rule(chain[0], rule)} comment "cmha"'


def _plain(line):
    line = re.sub(r'counter packets \d+ bytes \d+ | comment ".*?"', "", line.strip())
    return re.sub(r"\s*([{},])\s*", r"\1", line)  # versions differ


# --- firewalld -----------------------------------------------------------------------------------


def rich_rules(rule):
    """
    A rule as firewalld lists it in a zone: one for each range of ports. Zones filter what comes in; for the
    rest there are none.
    """
    if rule["chain"] != "INPUT":
        return []
    match = rule["match"]
    who = f'rule family="{rule["family"]}"'
    if "source" in match:
        who += f' source address="{match["source"]}"'
    return [
        f'{who} port port="{ports}" protocol="{match["proto"]}" accept'
        for ports in _ranges(match["dports"])
    ]


def _ranges(dports):
    first, *others = map(int, dports.split(","))
    ranges = [[first, first]]
    for port in others:
        if port == ranges[-1][1] + 1:
            ranges[-1][1] = port
        else:
            ranges.append([port, port])
    return [str(low) if low == high else f"{low}-{high}" for low, high in ranges]


def zones(listed):
    """
    firewalld's zones.

    listed
        What ``firewalld.list_zones`` returns, whose names may have a remark: ``public (active)``.

    Returns ``{name: {'active': bool, 'open': bool, 'rich': [rule, …]}}``; an open zone lets everything in.
    """
    found = {}
    for title, settings in listed.items():
        name, _, remark = title.partition(" ")
        found[name] = {
            "active": "active" in remark,
            "open": "ACCEPT" in settings.get("target", []),
            "rich": [each for each in settings.get("rich rules", []) if each],
        }
    return found


# --- ufw -----------------------------------------------------------------------------------------


def ufw_rule(rule):
    """A rule as ``ufw show added`` prints it, without the word ufw."""
    match = rule["match"]
    words = ["allow"] if rule["chain"] == "INPUT" else ["allow", "out"]
    if "source" in match:
        words += ["from", match["source"], "to any"]
    elif "destination" in match:
        words += ["to", match["destination"]]
    else:
        return " ".join([*words, f"{match['dports']}/{match['proto']}"])
    return " ".join([*words, "port", match["dports"], "proto", match["proto"]])


def ufw_added(listing):
    """The rules in what ``ufw show added`` prints, without the word ufw and without comments."""
    return [
        line.partition(" comment ")[0].partition(" ")[2]
        for line in listing.splitlines()
        if line.startswith("ufw ")
    ]


def ufw_prepends(version):
    """Whether a ufw of this version (what ``ufw version`` prints) can put a rule before all others."""
    numbers = re.search(r"(\d+)\.(\d+)", version)
    return bool(numbers) and tuple(map(int, numbers.groups())) >= (0, 36)


def ufw_enabled(text):
    """Whether ``/etc/ufw/ufw.conf`` turns ufw on."""
    return bool(re.search(r'^\s*ENABLED\s*=\s*["\']?yes\b', text, re.MULTILINE | re.IGNORECASE))
