"""
What Corosync's totem makes of its settings: the transport's links and their ports, and whether it
authenticates what it hears.

Pure functions. Sources: ``corosync.conf(5)``, ``corosync-keygen(8)``, Corosync's ``totemconfig.c``.
"""

import ipaddress

# Bytes: the least and the most that Corosync takes; and what 1.x and 2.x read, whatever the file has
KEY_SIZES = (128, 4096)
KEY_SIZE_UNTIL_2 = 128

KEY_FILE = "/etc/corosync/authkey"

_PORT = 5405

QNETD_PORT = 5403  # corosync-qnetd(8)


def __virtual__():
    return True


def links(pair):
    """
    How the nodes of a pair talk.

    pair
        A pair, as ``cmha_site.site`` or ``cmha_corosync.fitted`` makes it.

    Returns a list of mappings, one a link: ``number``; ``proto``, ``udp`` or ``sctp``; ``ports``, those that
    packets go to; ``multicast``, whether they go to a multicast or broadcast address too.
    """
    transport = pair["corosync"]["totem"]["transport"]
    interfaces = pair["corosync"].get("interface", {})
    return [
        _link(number, transport, interfaces) for number in range(len(pair["nodes"][0]["addresses"]))
    ]


def port(number, transport, interfaces):
    """
    The port ``mcastport`` of a link.

    number
        The link's.
    transport
        ``udpu``, ``udp`` or ``knet``.
    interfaces
        The settings of interfaces, by number.
    """
    if transport == "knet":
        default = _PORT + number
    else:
        # all rings broadcast where one does, and share an address then
        broadcast = any(each.get("broadcast") == "yes" for each in interfaces.values())
        default = _PORT + 2 * number if broadcast else _PORT
    return interfaces.get(number, {}).get("mcastport", default)


def family(address):
    """
    ``ipv4`` or ``ipv6``.

    address
        An IP address, as text.
    """
    return "ipv6" if ipaddress.ip_address(address).version == 6 else "ipv4"


def groups(pair):
    """
    To whom a pair's interfaces talk, where that isn't their peer alone and pillar says it: by number, a tuple
    of the multicast address, or ``broadcast``, and the port.

    pair
        A pair, as ``cmha_site.site`` makes it.
    """
    interfaces = pair["corosync"].get("interface", {})
    if pair["corosync"]["totem"].get("transport") != "udp":
        return {}
    found = {
        number: "broadcast" if each.get("broadcast") == "yes" else each.get("mcastaddr")
        for number, each in interfaces.items()
    }
    return {
        number: (group, port(number, "udp", interfaces)) for number, group in found.items() if group
    }


def meet(one, other):
    """Whether two of ``groups`` are heard by the same: each takes the port below its own, too."""
    return one[0] == other[0] and abs(one[1] - other[1]) < 2


def _link(number, transport, interfaces):
    to = port(number, transport, interfaces)
    knet = transport == "knet"
    proto = interfaces.get(number, {}).get("knet_transport", "udp") if knet else "udp"
    # the others send from the port below, and receive on it too
    ports = [to] if knet else [to - 1, to]
    return {"number": number, "proto": proto, "ports": ports, "multicast": transport == "udp"}


# Milliseconds, as Corosync's totemconfig.c has them
_LEAST = 30
_LEAST_HOLD = {1: 30, 2: 30, 3: 14}
_TOKEN = {1: 1000, 2: 1000, 3: 3000}
_RETRANSMITS, _JOIN = 4, 50
_WITH_A_LEAST_TIME = (
    "token", "token_retransmit", "join", "consensus", "merge", "downcheck", "max_network_delay",
    "rrp_problem_count_timeout", "rrp_token_expired_timeout",
)  # fmt: skip
_THRESHOLDS = ("rrp_problem_count_threshold", "rrp_problem_count_mcast_threshold")
_LEAST_THRESHOLD = 2
_LEAST_MTU = 576  # what every host has to take (RFC 791)
_MOST_MTU = {1: 10000}  # FRAME_SIZE_MAX of totem.h; later ones don't compare


def wrong_time(totem, generation):
    """
    Which of totem's settings Corosync refuses, or works badly with, given the others.

    totem
        The settings of its section ``totem``, by key; milliseconds. 0 stands for the default, as for
        Corosync.
    generation
        Corosync's, 1, 2 or 3; ``None`` while it isn't known: what is wrong by each of them.

    Returns ``(key, problem)``, or ``None``.
    """
    said = {key: value for key, value in totem.items() if value != 0}
    generations = [generation] if generation else list(_TOKEN)
    wrong = [next(_wrong_times(said, each), None) for each in generations]
    return wrong[-1] if all(wrong) else None


def _wrong_times(said, generation):
    for key in (*_WITH_A_LEAST_TIME, "hold"):
        least = _LEAST_HOLD[generation] if key == "hold" else _LEAST
        if said.get(key, least) < least:
            yield key, f"should be at least {least} ms, is {said[key]}"
    for key in _THRESHOLDS:
        if said.get(key, _LEAST_THRESHOLD) < _LEAST_THRESHOLD:
            yield key, f"should be at least {_LEAST_THRESHOLD}, is {said[key]}"
    token = said.get("token", _TOKEN[generation])
    times = said.get("token_retransmits_before_loss_const", _RETRANSMITS)
    retransmit = said.get("token_retransmit", int(token / (times + 0.2)))
    hold = said.get("hold", int(retransmit * 0.8 - 10))
    if retransmit < _LEAST or hold < _LEAST_HOLD[generation]:
        key = "token" if "token" in said else "token_retransmits_before_loss_const"
        yield (
            key,
            f"leaves {retransmit} ms for each of {times} retransmits, too little for Corosync; make "
            "token longer",
        )
    consensus = said.get("consensus", token * 1.2)
    if consensus < token * 1.2:
        least = int(token * 1.2)
        yield (
            "consensus",
            f"should be at least 1.2 times token ({least} ms), is {consensus}; leave it out, and it is",
        )
    if consensus < said.get("join", _JOIN):
        yield "join", f"should be at most consensus ({int(consensus)} ms), is {said['join']}"
    if said.get("netmtu", _LEAST_MTU) < _LEAST_MTU:
        yield "netmtu", f"should be at least {_LEAST_MTU} bytes, is {said['netmtu']}"
    most = _MOST_MTU.get(generation)
    if most and said.get("netmtu", most) > most:
        yield "netmtu", f"should be at most {most} bytes, is {said['netmtu']}"
    if said.get("token_warning", 0) > 100:
        yield "token_warning", f"should be a percentage, 0 to 100, is {said['token_warning']}"


def is_authenticated(totem, generation):
    """
    Whether Corosync takes messages only from who has the key. One that encrypts them does.

    totem
        The settings of its section ``totem``, by key.
    generation
        Corosync's, 1, 2 or 3.
    """
    on = totem.get("secauth", "off" if generation == 3 else "on") == "on"
    if generation == 1:
        return on
    if generation == 3 and totem.get("transport", "knet") != "knet":
        return False
    return totem.get("crypto_hash", "sha256" if on else "none") != "none"
