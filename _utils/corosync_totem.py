"""
What Corosync's totem makes of its settings: the transport's links and their ports, and whether it
authenticates what it hears.

Pure functions. Sources: ``corosync.conf(5)``, ``corosync-keygen(8)``, Corosync's ``totemconfig.c``.
"""

__virtualname__ = "corosync_totem"

# Bytes: the least and the most that Corosync takes; and what 1.x and 2.x read, whatever the file has
KEY_SIZES = (128, 4096)
KEY_SIZE_UNTIL_2 = 128

KEY_FILE = "/etc/corosync/authkey"

_PORT = 5405


def __virtual__():
    return __virtualname__


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


def _link(number, transport, interfaces):
    to = port(number, transport, interfaces)
    knet = transport == "knet"
    proto = interfaces.get(number, {}).get("knet_transport", "udp") if knet else "udp"
    # the others send from the port below, and receive on it too
    ports = [to] if knet else [to - 1, to]
    return {"number": number, "proto": proto, "ports": ports, "multicast": transport == "udp"}


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
