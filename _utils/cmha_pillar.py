"""
What the pillar ``cmha`` may say: its keys, and what stands under each.

Pure functions. The keys and their spelling are those of corosync.conf(5), votequorum(5) and the guide;
``pillar.example`` explains each. A rule takes a value and its pillar path, and returns the value as it is
used, or raises ``SiteError``.
"""

import base64
import binascii
import copy
import ipaddress
import re

import cib_values
import corosync_keys
import corosync_totem

__virtualname__ = "cmha_pillar"

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_LONGEST_NAME = 255  # of a host in DNS; site, pair and cluster have no longer one
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*")
_PACKAGES = ("corosync", "pacemaker", "crmsh", "corosync-qdevice")
# By what Debian, Red Hat and SUSE call their packages of Corosync, Pacemaker and what is built with them
_OF_THE_CLUSTER = re.compile(
    r"corosync|pacemaker|crmsh|cluster-glue|(resource|fence)-agents|libqb|knet|^sbd$"
    r"|^lib(cib|cmap|cfg|cpg|crm|lrm|pe-|pe[0-9]|pengine|pils|plumb|quorum|sam|stonith|totem|transitioner|votequorum)"
)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:+~^_-]*")
_AGENT = re.compile(
    r"(lsb|systemd|service|upstart):[A-Za-z0-9_.@-]+|ocf:[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+"
)
_WORD = re.compile(r"[A-Za-z0-9_./:@+,-]+")
# Of a line in corosync.conf (512 bytes with its end), what is left beside the key and the indentation.
# Corosync 2.x takes what is longer for another line.
_LONGEST_VALUE = 400

# What preflight finds out and a site may have it only warn of (cmha:preflight:ignore).
PREFLIGHT_CHECKS = ("nodename", "address", "resolve", "reach", "versions", "service", "clock")


class SiteError(ValueError):
    """The pillar is wrong: says where (the pillar path), what is wrong and what to do."""

    def __init__(self, path, problem):
        super().__init__(f"pillar {path}: {problem}")
        self.path = path


def __virtual__():
    return __virtualname__


def checked(pillar):
    """
    Check what a site's pillar says, key by key; what the keys mean together is ``cmha_site.site``'s.

    pillar
        The value of the pillar key ``cmha``.

    Returns it with every value as it is used. Raises SiteError for the first thing that is wrong.
    """
    return _checked(pillar, _SITE, "cmha")


def settings(layer):
    """
    What of a layer of pillar may stand at a site, at a role and at a pair alike.

    layer
        A site, a role or a pair.
    """
    return {key: value for key, value in layer.items() if key in _SETTINGS}


def authkey(value, path):
    """
    Corosync's key. What is wrong with it is said without it.

    value
        Base64.
    path
        Its pillar path.

    Returns bytes. Raises SiteError when it is no key.
    """
    if isinstance(value, str) and "-----BEGIN PGP MESSAGE-----" in value:
        raise SiteError(
            path,
            "is still encrypted: the first line of that file has to be #!yaml|gpg, and this master needs the "
            "GPG key (Salt's gpg renderer)",
        )
    try:
        # as corosync-keygen's output is folded by base64(1)
        key = base64.b64decode("".join(value.split()), validate=True)
    except (AttributeError, ValueError, binascii.Error):
        raise SiteError(path, "should be base64; salt-run cmha.keygen makes a key") from None
    low, high = corosync_totem.KEY_SIZES
    if not low <= len(key) <= high:
        raise SiteError(
            path,
            f"should be a key of {low} to {high} bytes, has {len(key)}; salt-run cmha.keygen makes one",
        )
    return key


def below(path, key):
    """
    The pillar path of a key.

    path
        Where the key stands.
    key
        Of a mapping there, whatever somebody has written.
    """
    return f"{path}:{key if _WORD.fullmatch(str(key)) else repr(key)}"


def nearest(key, known):
    """
    A question after the name that was meant, or nothing where none is near.

    key
        What somebody has written.
    known
        The names that there are.
    """
    near = cib_values.nearest(key, [str(name) for name in known])
    return f"; did you mean {near}?" if near else ""


# --- rules ---------------------------------------------------------------------------------------


def _checked(value, rule, path):
    return rule(value, path) if callable(rule) else _mapping(rule)(value, path)


def _mapping(rules):
    def rule(value, path):
        _need_mapping(value, path)
        for key in value:
            if key not in rules:
                raise SiteError(below(path, key), f"is no known key{_belongs(key, rules)}")
        return {key: _checked(value[key], rules[key], below(path, key)) for key in value}

    return rule


def _mapping_of(key_rule, value_rule):
    def rule(value, path):
        _need_mapping(value, path)
        if not value:
            raise SiteError(path, "is empty")
        found = {
            key_rule(key, below(path, key)): _checked(item, value_rule, below(path, key))
            for key, item in value.items()
        }
        if len(found) < len(value):
            raise SiteError(path, "has a number twice, once as text")
        return found

    return rule


def _need_mapping(value, path):
    if not isinstance(value, dict):
        raise SiteError(path, f"should be a mapping, is {_shown(value)}")


def _belongs(key, rules):
    """Where a key belongs, or the nearest that is known here."""
    homes = [home for home, keys in _homes().items() if key in keys]
    if homes and key not in rules:
        return f"; it belongs under {' or '.join(homes)}"
    return nearest(key, rules)


def _name(value, path):
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise SiteError(
            path,
            f"should be a name of letters, digits, dots, dashes and underscores, is {_shown(value)}",
        )
    if len(value) > _LONGEST_NAME:
        raise SiteError(path, f"should have at most {_LONGEST_NAME} characters, has {len(value)}")
    return value


def _resource(value, path):
    if isinstance(value, str) and _AGENT.fullmatch(value):
        return value
    return _name(value, path)


def _word(value, path):
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise SiteError(path, f"should be one word, is {_shown(value)}")
    if len(value) > _LONGEST_VALUE:
        raise SiteError(path, f"should have at most {_LONGEST_VALUE} characters, has {len(value)}")
    return value


def _file(value, path):
    parts = _word(value, path).split("/")
    if parts[0] or len(parts) < 2:
        raise SiteError(path, f"should be an absolute path, is {_shown(value)}")
    if not all(parts[1:]) or {".", ".."} & set(parts):
        raise SiteError(
            path, f"should be the path of a file, without //, . and .. in it, is {_shown(value)}"
        )
    if parts[1] in _OF_THE_SYSTEM and parts[1:3] != ["etc", "corosync"]:
        raise SiteError(
            path,
            f"{value} is in a place of the system's own, where cmha writes nothing; a key may be in "
            "/etc/corosync, a log in /var/log",
        )
    return value


# Where a file of Corosync's, written or grown there, would take the place of another program's
_OF_THE_SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys", "usr")


def _pattern(value, path):
    # The OCF agent, a shell script, holds it in single quotes, and gives it to grep.
    if not isinstance(value, str) or not value or "'" in value:
        raise SiteError(
            path, f"should be a regular expression without single quotes, is {_shown(value)}"
        )
    _need_printable(value, path)
    if value.startswith("-"):
        raise SiteError(path, f"begins with a dash, as an option does; [-] means it: {value!r}")
    try:
        matches = re.compile(_as_python_has_it(value)).search
    except re.error as error:
        raise SiteError(path, f"is no regular expression, {error}: {value!r}") from None
    if "(?" in value:
        raise SiteError(path, f"has a (?, which grep doesn't know: {value!r}")
    unknown = re.search(r"(?<!\\)(?:\\\\)*(\\[AC-RT-VX-Zac-rt-vx-z0])", value)
    if unknown:
        raise SiteError(
            path,
            f"has {unknown[1]}, which grep -E doesn't know; [0-9] and its like mean it: {value!r}",
        )
    if any(map(matches, _VARIABLES)):
        raise SiteError(
            path, f"matches the environment of every process, not of the roles alone: {value!r}"
        )
    return value


# Of processes that are no roles
_VARIABLES = ("PATH=/usr/sbin:/usr/bin", "HOME=/", "LANG=C", "PWD=/root", "_=/bin/true")
_CLASSES = {
    "alnum": "A-Za-z0-9", "alpha": "A-Za-z", "blank": " \\t", "cntrl": "\\x00-\\x1f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~", "space": "\\s",
    "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


def _as_python_has_it(pattern):
    """An extended regular expression of POSIX in Python's syntax, as far as people write them."""

    def known(match):
        if match[1] not in _CLASSES:
            raise re.error(f"there is no class [:{match[1]}:]")
        return _CLASSES[match[1]]

    return re.sub(r"\[:(\w*):\]", known, pattern)


def _need_printable(value, path):
    odd = [character for character in value if not character.isprintable()]
    if odd:
        raise SiteError(path, f"has a character that can't be printed: {odd[0]!r}")


def _address(value, path):
    address = _ip_address(
        value, path, "; a host name may resolve to a loopback address on the host itself"
    )
    for is_such, what in _NO_NODES.items():
        if is_such(address):
            raise SiteError(path, f"{value} can't be reached from the peer: it is {what}")
    return str(address)


def _ip_address(value, path, hint=""):
    try:
        if not isinstance(value, str) or "%" in value:  # a scope may be any text
            raise ValueError
        return ipaddress.ip_address(value)
    except ValueError:
        raise SiteError(path, f"should be an IP address, is {_shown(value)}{hint}") from None


# What no other host can reach, or Corosync can't send to.
_NO_NODES = {
    lambda address: address.is_loopback: "the host's own, for itself (loopback)",
    lambda address: address.is_unspecified: "no host's (unspecified)",
    lambda address: address.is_multicast: "many hosts' (multicast)",
    lambda address: address == ipaddress.ip_address("255.255.255.255"): "every host's (broadcast)",
    lambda address: address in ipaddress.ip_network("0.0.0.0/8"): "no host's (0.0.0.0/8)",
    lambda address: address.is_link_local: "of one link only (link-local)",
    lambda address: getattr(address, "ipv4_mapped", None) is not None: (
        "an IPv4 address in IPv6's clothes; write the IPv4 address"
    ),
    lambda address: address.is_reserved: "of a range that nobody may use yet (reserved)",
}


def _addresses(value, path):
    if not isinstance(value, list) or not 1 <= len(value) <= _LINKS:
        raise SiteError(
            path,
            f"should be a list of 1 to {_LINKS} addresses, one for each link, is {_shown(value)}",
        )
    addresses = [_address(each, path) for each in value]
    if len(set(addresses)) < len(addresses):
        raise SiteError(path, "has an address twice; each link has its own")
    return addresses


def _network(value, path):
    return str(_ip_address(value, path))


def _multicast(value, path):
    address = _network(value, path)
    if not ipaddress.ip_address(address).is_multicast:
        raise SiteError(path, f"should be a multicast address, is {_shown(value)}")
    return address


def _tie_breaker(value, path):
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"lowest|highest|[0-9]+( [0-9]+)*", text):
        raise SiteError(
            path, f"should be lowest, highest or the nodeid of a node, is {_shown(value)}"
        )
    return value


def _tie_breaker_of_device(value, path):
    if " " in str(value):
        raise SiteError(path, f"should be lowest, highest or one nodeid, is {_shown(value)}")
    return _tie_breaker(value, path)


def _command(value, path):
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise SiteError(path, f"should be a command in one line, is {_shown(value)}")
    _need_printable(value, path)
    if "{" in value:
        raise SiteError(path, f"has a {{, with which corosync.conf begins a section: {value!r}")
    if len(value.encode()) > _LONGEST_VALUE:
        raise SiteError(
            path,
            f"should have at most {_LONGEST_VALUE} bytes, has {len(value.encode())}; put it into a script",
        )
    return value


def _host(value, path):
    """Of a quorum device: an address that a node can reach, or the name of a host in DNS."""
    said = _word(value, path)
    try:
        ipaddress.ip_address(said)
    except ValueError:
        labels = said.rstrip(".").split(".")
        if not all(map(_LABEL.fullmatch, labels)) or len(said) > _LONGEST_NAME:
            raise SiteError(
                path, f"should be an IP address or the name of a host, is {said!r}"
            ) from None
        if labels[-1].isdecimal():
            raise SiteError(path, f"should be an IP address, is {said!r}") from None
        if re.fullmatch("0[xX][0-9a-fA-F]*", labels[-1]):  # inet_aton(3) reads it as a number
            raise SiteError(path, f"should be an IP address, is {said!r}") from None
        if (
            re.match("(ip6-)?(localhost|loopback)", labels[0].lower())
            or labels[-1].lower() == "localhost"
        ):
            raise SiteError(path, f"{said} is each node itself") from None
        return said
    return _address(said, path)


def _heuristics(value, path):
    _need_mapping(value, path)
    commands = {
        key: _COMMANDS["exec_"]
        for key in value
        # Corosync's names of keys end at 255 characters, those before it included
        if isinstance(key, str) and re.fullmatch(r"exec_[A-Za-z0-9_-]{1,225}", key)
    }
    known = {key: rule for key, rule in _COMMANDS.items() if key != "exec_"}
    return _mapping({**known, **commands})(value, path)


def _number(low, high):
    def rule(value, path):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SiteError(path, f"should be a number from {low} to {high}, is {_shown(value)}")
        return value

    return rule


def _flag(value, path):
    if not isinstance(value, bool):
        raise SiteError(path, f"should be true or false, is {_shown(value)}")
    return value


def _one_of(*words):
    def rule(value, path):
        if value not in words or isinstance(value, bool):
            raise SiteError(
                path,
                f"should be {cib_values.alternatives(words)}, is {_shown(value)}{nearest(value, words)}",
            )
        return value

    return rule


def _spelt(words):
    # As _one_of, where YAML reads some of the words as booleans or numbers.
    def rule(value, path):
        text = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
        if isinstance(text, (int, float)):
            text = str(text)
        return _one_of(*words)(text if text in words else value, path)

    return rule


def _switch(on, off):
    # YAML reads an unquoted off, no, on or yes as a boolean. What was meant is plain: print it as
    # this key spells it.
    def rule(value, path):
        if isinstance(value, bool):
            return on if value else off
        if value not in (on, off):
            raise SiteError(path, f"should be {on} or {off}, is {_shown(value)}")
        return value

    return rule


def _section(value, path):
    # What stands in a section of the CIB is checked by the CIB model, which knows its rules.
    _need_mapping(value, path)
    section = {key: copy.deepcopy(each) for key, each in value.items() if each is not None}
    # what the roles' own are laid over
    _need_mapping(section.get("primitives", {}), below(path, "primitives"))
    # Before the layers become one: by whichever name pillar calls a property, it overrides the default
    properties = section.get("properties")
    for old, new in cib_values.RENAMED_PROPERTIES.items():
        if isinstance(properties, dict) and new in properties and old not in properties:
            properties[old] = properties.pop(new)
    return section


def _versions(value, path):
    _need_mapping(value, path)
    return {_package(name, path): _version(value[name], below(path, name)) for name in value}


def _package(value, path):
    if not isinstance(value, str) or not _PACKAGE.fullmatch(value):
        raise SiteError(path, f"should be the name of a package, is {_shown(value)}")
    if not _OF_THE_CLUSTER.search(value):
        raise SiteError(
            below(path, value),
            f"is no package of the cluster{nearest(value, _PACKAGES)}; cmha keeps the versions of "
            f"{cib_values.alternatives(_PACKAGES)} and of what belongs to them",
        )
    return value


def _version(value, path):
    if not isinstance(value, str) or not _VERSION.fullmatch(value) or value.isalpha():
        raise SiteError(
            path,
            f"should be a version as the package manager spells it, in quotes, is {_shown(value)}",
        )
    return value


def _repository(value, path):
    # Salt's own pkgrepo.managed takes it, whose arguments differ by package manager.
    _need_mapping(value, path)
    for key in value:
        if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z_]+", key) or key in _REQUISITES:
            raise SiteError(below(path, key), "is no option of Salt's pkgrepo.managed")
    if value and not (isinstance(value.get("name"), str) and value["name"].strip()):
        said = f"should be text, is {_shown(value['name'])}" if "name" in value else "is missing"
        raise SiteError(f"{path}:name", f"{said}; see Salt's pkgrepo.managed")
    for key, each in value.items():
        for text in each if isinstance(each, list) else [each]:
            _need_printable(
                str(text), below(path, key)
            )  # it goes, a line each, into a file of the host
    return copy.deepcopy(value)


# Of every state, and cmha's own to set
_REQUISITES = (
    "require", "require_in", "require_any", "watch", "watch_in", "watch_any", "onchanges", "onchanges_in",
    "onchanges_any", "onfail", "onfail_in", "onfail_any", "prereq", "prereq_in", "use", "use_in", "listen",
    "listen_in", "order", "onlyif", "unless", "failhard", "reload_modules", "fun", "state",
)  # fmt: skip


def _checks(value, path):
    if not isinstance(value, list):
        raise SiteError(path, f"should be a list, is {_shown(value)}")
    return [_one_of(*PREFLIGHT_CHECKS)(each, path) for each in value]


def _shown(value):
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    return repr(value)


_PORT = _number(1, 65535)
_COUNT = _number(0, 2**31 - 1)
_SECONDS = _number(1, 24 * 60 * 60)
_ON_OFF = _switch("on", "off")
_YES_NO = _switch("yes", "no")
_ONE_ZERO = _switch(1, 0)

_LINKS = 8  # as many as Corosync has


def _link(value, path):
    # JSON has no other keys than text
    plain = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]", value) else value
    return _number(0, _LINKS - 1)(plain, path)


_KINDS = {
    corosync_keys.COUNT: _COUNT,
    corosync_keys.PORT: _PORT,
    corosync_keys.BYTE: _number(0, 255),
    corosync_keys.WORD: _word,
    corosync_keys.FILE: _file,
    corosync_keys.ON_OFF: _ON_OFF,
    corosync_keys.YES_NO: _YES_NO,
    corosync_keys.ONE_ZERO: _ONE_ZERO,
    corosync_keys.ADDRESS: _network,
    corosync_keys.MULTICAST: _multicast,
    corosync_keys.HOST: _host,
    corosync_keys.COMMAND: _command,
    corosync_keys.TIE_BREAKER: _tie_breaker,
    corosync_keys.TIE_BREAKER_OF_DEVICE: _tie_breaker_of_device,
}


def _section_of_corosync(name):
    """The rules of a section of corosync.conf, for all generations together."""
    return {
        key: _rule_of_corosync(rule, corosync_keys.RANGES.get((name, key)))
        for key, (_, rule) in corosync_keys.SECTIONS[name].items()
    }


def _rule_of_corosync(rule, limits):
    if limits:
        return _number(*limits)
    return _spelt(tuple(rule)) if isinstance(rule, dict) else _KINDS[rule]


_COMMANDS = _section_of_corosync("quorum:device:heuristics")

_COROSYNC = {
    "totem": _section_of_corosync("totem"),
    "interface": _mapping_of(_link, _section_of_corosync("interface")),
    "quorum": {
        **_section_of_corosync("quorum"),
        "device": {
            **_section_of_corosync("quorum:device"),
            "net": _section_of_corosync("quorum:device:net"),
            "heuristics": _heuristics,
        },
    },
    "logging": {
        **_section_of_corosync("logging"),
        "logger_subsys": _mapping_of(_name, _section_of_corosync("logging:logger_subsys")),
    },
    "authkey": authkey,
}

_SETTINGS = {
    "service": _name,
    "resource": _resource,
    "port": _PORT,
    "corosync": _COROSYNC,
    "firewall": {
        "enabled": _flag,
        "backend": _one_of("auto", "iptables", "nftables", "firewalld", "ufw"),
        "sources": _one_of("pair", "any"),
        "save": _flag,
    },
    "pacemaker": _section,
    "alerts": _flag,
    "start_on_boot": _one_of("never", "after_clean_shutdown", "always"),
    "timeouts": {"online": _SECONDS, "started": _SECONDS},
    "versions": _versions,
    "qnetd": _name,
    "crmsh": {"install": _flag, "repository": _repository},
    "agent_stop": _one_of("hard_stop_confirmed", "next_stop_hard", "stop_supervisord"),
    "agent_processes": _pattern,
    "preflight": {"clock_difference": _SECONDS, "ignore": _checks},
}


def _homes():
    """By section, the keys that people look for elsewhere."""
    return {
        "corosync:totem": _COROSYNC["totem"],
        "corosync:quorum": {key for key in _COROSYNC["quorum"] if key != "device"},
        "corosync:quorum:device:net": _COROSYNC["quorum"]["device"]["net"],
        "corosync:logging": _COROSYNC["logging"],
        "corosync:interface:NUMBER": _section_of_corosync("interface"),
        "corosync": _COROSYNC,
    }


_NODE = {
    "nodeid": _number(1, 2**31 - 1),
    "address": _address,
    "addresses": _addresses,
    "name": _name,
    **_section_of_corosync("node"),
}

_PAIR = {
    **_SETTINGS,
    "role": _one_of("server", "agent"),
    "cluster_name": _name,
    "nodes": _mapping_of(_name, _NODE),
}

_SITE = {
    **_SETTINGS,
    "site": _name,
    "pairs": _mapping_of(_name, _PAIR),
    "roles": {"server": _SETTINGS, "agent": _SETTINGS},
}
