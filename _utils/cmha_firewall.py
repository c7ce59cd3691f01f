"""
The packet filter rules that a pair needs.

Pure functions.
"""

import ipaddress

import corosync_totem
import quorum_device


def __virtual__():
    return True


def rules(pair):
    """
    The packet filter rules that let a pair's Corosync talk.

    The guide's outbound rule asks for source ports, which never matches: with udpu Corosync sends
    from a port that the kernel picked. Both directions therefore go by destination port.

    Returns a list of mappings, each with ``id``, ``chain``, ``family`` and ``match`` (a list of single
    iptables options and their values).
    """
    settings = pair["firewall"]
    if not settings["enabled"]:
        return []
    for_pair = _rules_for_anybody if settings["sources"] == "any" else _rules_for_the_pair
    return for_pair(pair, corosync_totem.links(pair)) + _rules_for_the_device(pair)


def _rules_for_anybody(pair, links):
    talks = {}
    for link in links:
        family = corosync_totem.family(pair["nodes"][0]["addresses"][link["number"]])
        talks.setdefault((family, link["proto"]), set()).update(link["ports"])
    # one of each chain is named after the chain alone, as the guide's is
    names = [" ".join(kind) if place else "" for place, kind in enumerate(sorted(talks))]
    return [
        {
            "id": f"{chain} {name}".strip(),
            "chain": chain,
            "family": family,
            "match": {"proto": proto, "dports": _dports(ports)},
        }
        for chain in ("INPUT", "OUTPUT")
        for name, ((family, proto), ports) in zip(names, sorted(talks.items()))
    ]


def _rules_for_the_device(pair):
    net = (quorum_device.declared(pair) or {}).get("net", {})
    try:
        # in the spelling in which a packet filter lists it
        address = str(ipaddress.ip_address(net.get("host")))
    except ValueError:  # none, or a name: whoever resolves it lets the packets out
        return []
    match = {"destination": address, "proto": "tcp", "dports": str(quorum_device.port(pair))}
    rule = {"chain": "OUTPUT", "family": corosync_totem.family(address), "match": match}
    return [{"id": "OUTPUT quorum device", **rule}]


def _rules_for_the_pair(pair, links):
    rules = []
    for chain, side in (("INPUT", "source"), ("OUTPUT", "destination")):
        for link in links:
            number = link["number"]
            match = {"proto": link["proto"], "dports": _dports(link["ports"])}
            at = f" link {number}" if number else ""
            # what goes to a multicast address goes to no node's
            everywhere = chain == "OUTPUT" and link["multicast"]
            for node in pair["nodes"][:1] if everywhere else pair["nodes"]:
                address = node["addresses"][number]
                rules.append(
                    {
                        "id": f"{chain} {'multicast' if everywhere else node['name']}{at}",
                        "chain": chain,
                        "family": corosync_totem.family(address),
                        "match": match if everywhere else {side: address, **match},
                    }
                )
    return rules


def _dports(ports):
    return ",".join(str(port) for port in sorted(ports))
