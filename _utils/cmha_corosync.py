"""
What a pair's corosync.conf is to say, on hosts with one generation of Corosync.

Pure functions: a pair of the site model in, with what follows for its Corosync out; or a line that says what
this generation doesn't know or can't do, and where pillar says it.
"""

import corosync_keys
import corosync_totem
from cmha_places import place_of
from cmha_site import overlaid
from pillar_values import SiteError

# As many as the redundant ring protocol has
_RINGS = 2

# The guide's
_OF_1 = {"logging": {"logger_subsys": {"AMF": {"debug": "off"}}}}

# By generation, the command that tries a corosync.conf, its path to be added. The first of 2.x can't (-t came
# with 2.3.4 or .5), and 2.x is told the path by its environment (corosync(8)).
_TRIED_BY = {
    2: (
        'sh -c \'corosync -h 2>&1 | grep -q -e " -t " || exit 0; '
        'COROSYNC_MAIN_CONFIG_FILE="$0" exec corosync -t\''
    ),
    3: "corosync -t -c",
}

_MULTICAST_ONLY = ("mcastaddr", "broadcast", "ttl")


def __virtual__():
    return True


def fitted(pair, generation, version=None):
    """
    Fit a pair to a generation of Corosync.

    What pillar leaves open follows from what it says. With a key, traffic is encrypted: by 3.x over knet,
    which alone can; by 1.x and 2.x with ``secauth``. Several links, or encryption, make 3.x's transport knet;
    two rings give 1.x and 2.x a ``rrp_mode``; a quorum device, or the tie breaker, takes the place of
    ``two_node``.

    pair
        A pair, as ``cmha_site.site`` makes it.
    generation
        1, 2 or 3.
    version
        Of the Corosync that is installed, as ``2.4.6``; without it, the newest of its generation is meant.

    Returns the pair with ``corosync`` completed, and with ``generation``; ``conf_template``, the file that
    prints it; ``conf_check``, the command that tries it, or ``None``; ``interfaces``, what it says of
    interfaces, a list of mappings with ``number`` and ``settings``; ``key_file``; and ``authenticated``,
    whether the hosts take no stranger's messages.

    Raises ``SiteError``, a ValueError, for the first thing that this generation doesn't know or can't do.
    """
    pair = dict(pair)
    said = _Said(pair.pop("places"), pair["pair"])
    _refuse_unknown(pair["corosync"], generation, version, said)
    _refuse_unknown_of_nodes(pair, generation, said)
    corosync = overlaid(_OF_1 if generation == 1 else {}, pair["corosync"])
    for section, settings in _follows(pair, generation, said).items():
        for key, value in settings.items():
            if not said.says(section, key):
                corosync[section][key] = value
    pair["corosync"] = corosync
    _check_links(pair, generation, said)
    _check_families(pair, said)
    _check_family_of_device(corosync["quorum"], said)
    _check_interfaces(corosync, generation, said)
    _check_broadcast(corosync, generation, version, said)
    if generation == 1:
        _check_multicast(pair, said)
    _check_crypto(corosync["totem"], generation, said)
    _check_key(pair["key_size"], generation, said)
    _check_quorum(corosync["quorum"], said)
    _check_times(corosync["totem"], generation, said)
    _check_ports(pair, said)
    totem = corosync["totem"]
    return {
        **pair,
        "generation": generation,
        "conf_template": f"corosync-{min(generation, 2)}.conf.jinja",
        "conf_check": _TRIED_BY.get(generation),
        "interfaces": _interfaces(pair, generation),
        "key_file": totem.get("keyfile", corosync_totem.KEY_FILE),
        "authenticated": corosync_totem.is_authenticated(totem, generation),
    }


class _Said:
    """What pillar says itself, and where."""

    def __init__(self, places, pair):
        self.places, self.pair = places, pair

    def says(self, *keys):
        return ":".join(map(str, keys)) in self.places

    def wrong(self, keys, problem):
        path = ":".join(map(str, keys))
        return SiteError(place_of(self.places, self.pair, path), problem)

    def of_node(self, node, key):
        return f"cmha:pairs:{self.pair}:nodes:{node['id']}:{key}"


def _follows(pair, generation, said):
    """What pillar leaves open, given what it says: by section."""
    totem = pair["corosync"]["totem"]
    several = len(pair["nodes"][0]["addresses"]) > 1
    six = ":" in pair["nodes"][0]["address"]
    quorum = pair["corosync"]["quorum"]
    follows = {"totem": {}, "quorum": {}}
    if generation == 3:
        secret = _wants_crypto(totem) or (pair["key_size"] and _may_have_crypto(totem, said))
        if secret or several:
            follows["totem"]["transport"] = "knet"
        if secret and pair["key_size"]:
            follows["totem"].update(secauth="on", crypto_cipher="aes256", crypto_hash="sha256")
        if six and totem["transport"] == "udp":
            follows["totem"]["ip_version"] = "ipv6"
    else:
        if pair["key_size"]:
            follows["totem"]["secauth"] = "on"
        if several:
            follows["totem"]["rrp_mode"] = "passive"
        if six and generation == 2:
            follows["totem"]["ip_version"] = "ipv6"
    if "device" in quorum or quorum.get("auto_tie_breaker"):
        follows["quorum"]["two_node"] = 0
    return follows


def _wants_crypto(totem):
    return totem["secauth"] == "on" or any(
        totem.get(key, "none") != "none" for key in ("crypto_cipher", "crypto_hash")
    )


def _may_have_crypto(totem, said):
    """Whether pillar hasn't said that traffic goes in the clear."""
    return not said.says("totem", "secauth") and (
        totem["transport"] == "knet" or not said.says("totem", "transport")
    )


def _interfaces(pair, generation):
    corosync, numbers = pair["corosync"], range(len(pair["nodes"][0]["addresses"]))
    settings = corosync.get("interface", {})
    if generation == 1:
        transport = corosync["totem"]["transport"]
        settings = {
            number: {
                "mcastport": corosync_totem.port(number, transport, settings),
                **settings.get(number, {}),
            }
            for number in numbers
        }
    return [{"number": number, "settings": settings[number]} for number in sorted(settings)]


# --- what is refused -----------------------------------------------------------------------------


def _refuse_unknown(corosync, generation, version, said):
    for section, number, settings in _sections(corosync):
        for key, value in settings.items():
            keys = (*section.split(":"), *number, key)
            if isinstance(value, dict) or not said.says(*keys):
                continue
            problem = corosync_keys.unknown(generation, section, key, value, version)
            if problem:
                raise said.wrong(keys, problem)


def _sections(corosync):
    """What pillar may set, by section of ``corosync_keys``; with the number or name of a block of many."""
    quorum = corosync.get("quorum", {})
    device = quorum.get("device", {})
    yield "totem", (), corosync.get("totem", {})
    for number, settings in corosync.get("interface", {}).items():
        yield "interface", (number,), settings
    yield "quorum", (), quorum
    yield "quorum:device", (), device
    yield "quorum:device:net", (), device.get("net", {})
    yield "quorum:device:heuristics", (), device.get("heuristics", {})
    logging = corosync.get("logging", {})
    yield "logging", (), logging
    for name, settings in logging.get("logger_subsys", {}).items():
        yield "logging:logger_subsys", (name,), settings


def _refuse_unknown_of_nodes(pair, generation, said):
    for node in pair["nodes"]:
        for key in corosync_keys.SECTIONS["node"]:
            problem = key in node and corosync_keys.unknown(generation, "node", key, node[key])
            if problem:
                raise SiteError(said.of_node(node, key), problem)


def _check_links(pair, generation, said):
    node, totem = pair["nodes"][0], pair["corosync"]["totem"]
    count, transport = len(node["addresses"]), totem["transport"]
    at = said.of_node(node, "addresses")
    if generation == 3 and count > 1 and transport != "knet":
        raise SiteError(at, f"{count} links need transport knet, with {transport} there is one")
    if generation < 3 and count > _RINGS:
        raise SiteError(
            at, f"Corosync {generation}.x has {_RINGS} rings at most, these are {count}"
        )
    if generation < 3 and count > 1 and totem["rrp_mode"] == "none":
        raise said.wrong(("totem", "rrp_mode"), "two rings need active or passive")
    families = {":" in address for address in node["addresses"]}
    if generation < 3 and len(families) > 1:
        raise SiteError(at, f"Corosync {generation}.x has rings of one address family only")
    for number in pair["corosync"].get("interface", {}):
        if number >= count:
            raise said.wrong(
                ("interface", number), f"there is no such link; the nodes have {count}, from 0 on"
            )


def _check_families(pair, said):
    """Corosync reads an address only as one of the IP version that it is told, and else doesn't start."""
    corosync = pair["corosync"]
    version = corosync["totem"].get("ip_version")
    for node in pair["nodes"]:
        for address in node["addresses"]:
            if version == ("ipv4" if ":" in address else "ipv6"):
                raise said.wrong(
                    ("totem", "ip_version"),
                    f"is {version}, and {node['id']} has {address}; leave it out",
                )
    for number, settings in corosync.get("interface", {}).items():
        address, group = pair["nodes"][0]["addresses"][number], settings.get("mcastaddr", "")
        if group and (":" in group) != (":" in address):
            raise said.wrong(
                ("interface", number, "mcastaddr"),
                f"{group} isn't of the IP version of the nodes' addresses, such as {address}",
            )


def _check_family_of_device(quorum, said):
    """A host that is a name may have both."""
    net = quorum.get("device", {}).get("net", {})
    forced, host = str(net.get("force_ip_version", 0)), str(net.get("host", ""))
    is_six, is_four = ":" in host, host.replace(".", "").isdigit()
    if (forced == "4" and is_six) or (forced == "6" and is_four):
        raise said.wrong(
            ("quorum", "device", "net", "force_ip_version"),
            f"is {forced}, and the host is {host}; leave it out",
        )


def _check_interfaces(corosync, generation, said):
    transport = corosync["totem"]["transport"]
    for number, settings in corosync.get("interface", {}).items():
        for key in settings:
            keys = ("interface", number, key)
            if key in _MULTICAST_ONLY and transport != "udp":
                raise said.wrong(keys, f"needs transport udp, this is {transport}")
            if key == "bindnetaddr" and generation > 1:
                # 2.x warns, and keeps the node's address in its memory
                raise said.wrong(
                    keys, f"Corosync {generation}.x binds to the node's address; leave it out"
                )
            if key.startswith("knet_") and transport != "knet":
                raise said.wrong(keys, f"needs transport knet, this is {transport}")


def _check_broadcast(corosync, generation, version, said):
    """Where one ring broadcasts, older ones take no address of another: all rings broadcast."""
    interfaces = corosync.get("interface", {})
    loud = [number for number, each in interfaces.items() if each.get("broadcast") == "yes"]
    takes = generation > 2 or (generation == 2 and not corosync_keys.is_before(version, "2.3.5"))
    for number, settings in interfaces.items():
        if loud and "mcastaddr" in settings and not takes:
            raise said.wrong(
                ("interface", number, "mcastaddr"),
                f"goes not with broadcast of ring {loud[0]}: Corosync {version or f'{generation}.x'} then "
                "broadcasts on all rings; leave it out",
            )


def _check_multicast(pair, said):
    """1.x has no address of its own for a ring; later ones make it of the cluster's name."""
    corosync = pair["corosync"]
    if corosync["totem"]["transport"] != "udp":
        return
    for number in range(len(pair["nodes"][0]["addresses"])):
        settings = corosync.get("interface", {}).get(number, {})
        if "mcastaddr" not in settings and settings.get("broadcast") != "yes":
            raise said.wrong(("interface", number, "mcastaddr"), "is missing; with transport udp")


def _check_crypto(totem, generation, said):
    if generation == 3 and totem["transport"] != "knet" and _wants_crypto(totem):
        asked = next(
            key
            for key in ("secauth", "crypto_cipher", "crypto_hash")
            if totem.get(key) not in (None, "off", "none")
        )
        raise said.wrong(
            ("totem", asked),
            f"needs transport knet: Corosync 3.x can't encrypt {totem['transport']}",
        )
    if (
        generation > 1
        and totem.get("crypto_cipher", "none") != "none"
        and totem.get("crypto_hash", "sha256" if totem["secauth"] == "on" else "none") == "none"
    ):
        raise said.wrong(("totem", "crypto_cipher"), "needs a crypto_hash too")


def _check_key(size, generation, said):
    wanted = corosync_totem.KEY_SIZE_UNTIL_2
    if size and generation < 3 and size != wanted:
        raise said.wrong(
            ("authkey",),
            f"Corosync {generation}.x reads {wanted} bytes of a key, this one has {size}; make one with "
            f"salt-run cmha.keygen generation={generation}",
        )


def _check_times(totem, generation, said):
    wrong = corosync_totem.wrong_time(totem, generation)
    if wrong:
        raise said.wrong(("totem", wrong[0]), wrong[1])


def _check_ports(pair, said):
    for link in corosync_totem.links(pair):
        if 0 in link["ports"]:
            raise said.wrong(
                ("interface", link["number"], "mcastport"),
                "should be a number from 2 on: Corosync uses the port below it too",
            )


def _check_quorum(quorum, said):
    if quorum.get("auto_tie_breaker") and quorum.get("two_node"):
        raise said.wrong(("quorum", "two_node"), "goes not with auto_tie_breaker; say one of both")
    if "device" not in quorum:
        return
    for key in ("two_node", "auto_tie_breaker", "last_man_standing"):
        if quorum.get(key):
            raise said.wrong(("quorum", key), "goes not with a quorum device; leave it out")
