"""
The host's packet filter: which one is active, and the rules of the pair in it.

iptables and firewalld are asked and changed by Salt's own modules; for ufw Salt has none, and its nftables
module doesn't find its own rules again, nor does it write those of a table of the family inet.
"""

import functools
import pathlib
from collections import namedtuple

import salt.utils.path
from salt.exceptions import CommandExecutionError

_UFW_CONF = "/etc/ufw/ufw.conf"

# How often a rule may stand in a chain of iptables, since persons may add it too
_COPIES = 10

# Where a rule has to stand: a line for people, whether it is there, and how to change that
_Place = namedtuple("_Place", "line there add remove")


def __virtual__():
    return True


def active():
    """
    The packet filters that are in use here, iptables aside.

    Returns a list of ``firewalld`` (it runs), ``ufw`` (it is enabled) and ``nftables`` (``nftables.service``
    is on, and there is a chain for what comes in that is neither firewalld's nor iptables-nft's).

    CLI Example:

    .. code-block:: bash

        salt cms1 packet_filter.active
    """
    ways = {
        "firewalld": ("firewall-cmd", lambda: _is_on("firewalld", "status")),
        "ufw": ("ufw", lambda: __utils__["packet_rules.ufw_enabled"](_read(_UFW_CONF))),
        "nftables": ("nft", lambda: _is_on("nftables", "status", "enabled") and _nft_chains()),
    }
    return [
        backend
        for backend, (program, is_active) in ways.items()
        if salt.utils.path.which(program) and is_active()
    ]


def lines(backend, rule):
    """
    Where a rule has to stand, and whether it does.

    backend
        ``iptables``, ``nftables``, ``firewalld`` or ``ufw``.
    rule
        Mapping with ``chain`` (``INPUT`` or ``OUTPUT``), ``family`` (``ipv4`` or ``ipv6``) and ``match``
        (``proto``, ``dports`` and at most one of ``source`` and ``destination``), see
        ``cmha_firewall.rules``.

    Returns ``{line: bool}``; nothing where this backend doesn't filter that direction. Raises
    ``CommandExecutionError``.

    CLI Example:

    .. code-block:: bash

        salt cms1 packet_filter.lines ufw '{chain: INPUT, family: ipv4, match: {proto: udp, dports: "5405"}}'
    """
    return {place.line: place.there for place in _BACKENDS[backend](rule)}


def allow(backend, rule):
    """
    Add a rule, before all others, wherever it isn't yet.

    backend, rule
        See ``lines``.

    CLI Example:

    .. code-block:: bash

        salt cms1 packet_filter.allow ufw '{chain: INPUT, family: ipv4, match: {proto: udp, dports: "5405"}}'
    """
    for place in list(_BACKENDS[backend](rule)):
        if not place.there:
            place.add()


def withdraw(backend, rule):
    """
    Take a rule away, wherever it is.

    backend, rule
        See ``lines``.

    CLI Example:

    .. code-block:: bash

        salt cms1 packet_filter.withdraw ufw \\
            '{chain: INPUT, family: ipv4, match: {proto: udp, dports: "5405"}}'
    """
    for place in list(_BACKENDS[backend](rule)):
        if place.there:
            place.remove()


def nft_script(rules):
    """
    A script for ``sh`` that adds rules to the chains that there are now.

    rules
        A list of rules, see ``lines``.

    CLI Example:

    .. code-block:: bash

        salt cms1 packet_filter.nft_script \\
            '[{chain: INPUT, family: ipv4, match: {proto: udp, dports: "5405"}}]'
    """
    return __utils__["packet_rules.nft_script"](_said("nft", "list", "chains"), rules)


def saved(path, rules):
    """
    The rules that a file of ``iptables-save`` has.

    path
        The file. One that isn't there has none.
    rules
        A list of rules, see ``lines``.

    Returns a list of rules.

    CLI Example:

    .. code-block:: bash

        salt cms1 packet_filter.saved /etc/iptables/rules.v4 \\
            '[{chain: INPUT, family: ipv4, match: {proto: udp, dports: "5405"}}]'
    """
    text = _read(path)
    return [rule for rule in rules if __utils__["packet_rules.iptables_saved"](text, rule)]


# --- where a rule has to stand, by backend -------------------------------------------------------


def _iptables(rule):
    chain, family = rule["chain"], rule["family"]
    text = __utils__["packet_rules.iptables_rule"](rule)
    command = "ip6tables" if family == "ipv6" else "iptables"

    def there():
        if "iptables.check" not in __salt__:  # it isn't installed yet
            return False
        return __salt__["iptables.check"]("filter", chain, text, family) is True

    def add():
        # it may warn and succeed
        said = __salt__["iptables.insert"]("filter", chain, 1, text, family)
        if not there():
            raise CommandExecutionError(f"{command} on {__grains__['id']}: {said}")

    def remove():
        for _ in range(_COPIES):
            said = __salt__["iptables.delete"]("filter", chain, rule=text, family=family)
            if not there():
                return
        raise CommandExecutionError(f"{command} on {__grains__['id']}: {said}")

    yield _Place(f"{command} {chain} {text}", there(), add, remove)


def _nftables(rule):
    for chain in _nft_chains(rule):
        text = __utils__["packet_rules.nft_rule"](chain[0], rule)
        commented = __utils__["packet_rules.nft_commented"](chain, rule)
        listing = _said("nft", "--handle", "list", "chain", *chain)
        handles = __utils__["packet_rules.nft_handles"](listing, text)
        yield _Place(
            f"nft {' '.join(chain)} {text}",
            bool(handles),
            functools.partial(_said, "nft", "insert", "rule", *chain, commented),
            functools.partial(_nft_delete, chain, handles),
        )


def _firewalld(rule):
    rich = __utils__["packet_rules.rich_rules"](rule)
    if not rich:
        return
    listed = {
        permanent: __utils__["packet_rules.zones"](__salt__["firewalld.list_zones"](permanent))
        for permanent in (False, True)
    }
    # an interface that no zone names is in the default one
    default = __salt__["firewalld.default_zone"]()
    used = [name for name, zone in listed[False].items() if zone["active"] or name == default]
    for permanent, zones in listed.items():
        for name, zone in zones.items():
            for text in rich:
                there = text in zone["rich"]
                if there or (name in used and not zone["open"]):
                    yield _Place(
                        f"firewalld zone {name}{' permanently' if permanent else ''}: {text}",
                        there,
                        functools.partial(
                            __salt__["firewalld.add_rich_rule"], name, text, permanent
                        ),
                        functools.partial(
                            __salt__["firewalld.remove_rich_rule"], name, text, permanent
                        ),
                    )


def _ufw(rule):
    text = __utils__["packet_rules.ufw_rule"](rule)
    there = text in __utils__["packet_rules.ufw_added"](_said("ufw", "show", "added"))

    def add():
        prepends = __utils__["packet_rules.ufw_prepends"](_said("ufw", "version"))
        _said("ufw", *(["prepend"] if prepends else []), *text.split())

    yield _Place(f"ufw {text}", there, add, lambda: _said("ufw", "delete", *text.split()))


_BACKENDS = {"iptables": _iptables, "nftables": _nftables, "firewalld": _firewalld, "ufw": _ufw}


# --- helpers -------------------------------------------------------------------------------------


def _is_on(service, *how):
    return __salt__["service.available"](service) and any(
        __salt__[f"service.{each}"](service) for each in how
    )


def _nft_chains(rule=None):
    if not salt.utils.path.which("nft"):
        return []
    return __utils__["packet_rules.nft_chains"](_said("nft", "list", "chains"), rule)


def _nft_delete(chain, handles):
    for handle in handles:
        _said("nft", "delete", "rule", *chain, "handle", handle)


def _read(path):
    try:
        return pathlib.Path(path).read_text()
    except FileNotFoundError:
        return ""


def _said(*command):
    answer = __salt__["bounded.run"](list(command))
    if answer["retcode"]:
        said = (answer["stderr"] or answer["stdout"]).strip().splitlines() or ["failed"]
        raise CommandExecutionError(f"{' '.join(command)} on {__grains__['id']}: {said[0]}")
    return answer["stdout"]
