"""
How a single value in pillar may look, whatever its key: words, names, files, addresses, numbers.

Pure functions. A rule takes a value and its pillar path, and returns the value as it is used, or raises
``SiteError``; a function that takes no value makes a rule.
"""

import base64
import binascii
import ipaddress
import math
import re

import cib_values
import corosync_totem
import posix_regex

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_LONGEST_NAME = 255  # of a host in DNS; site, pair and cluster have no longer one
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_FENCE_AGENT = re.compile(r"(stonith:)?(fence_[\w.-]+|[A-Za-z][\w.-]*/[A-Za-z][\w.-]*)", re.ASCII)
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*")
_PACKAGES = ("corosync", "pacemaker", "crmsh", "corosync-qdevice")
# By what Debian, Red Hat and SUSE call their packages of Corosync, Pacemaker and what is built with them
_OF_THE_CLUSTER = re.compile(
    r"corosync|pacemaker|crmsh|cluster-glue|(resource|fence)-agents|libqb|knet|^sbd$"
    r"|^lib(cib|cmap|cfg|cpg|crm|lrm|pe-|pe[0-9]|pengine|pils|plumb|quorum|sam|stonith|totem|transitioner|votequorum)"
)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:+~^_-]*")
_PLATFORM = re.compile(r"[A-Za-z]+ [0-9]{1,4}")
_AGENT = re.compile(
    r"(lsb|systemd|service|upstart):[A-Za-z0-9_.@-]+|ocf:[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+"
)
_WORD = re.compile(r"[A-Za-z0-9_./:@+,-]+")
# Of a line in corosync.conf (512 bytes with its end), what is left beside the key and the indentation.
# Corosync 2.x takes what is longer for another line.
_LONGEST_VALUE = 400


class SiteError(ValueError):
    """The pillar is wrong: says where (the pillar path), what is wrong and what to do."""

    def __init__(self, path, problem):
        super().__init__(f"pillar {path}: {problem}")
        self.path = path


def __virtual__():
    return True


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


def need_mapping(value, path):
    """Raises where a value is no mapping."""
    if not isinstance(value, dict):
        raise SiteError(path, f"should be a mapping, is {shown(value)}")


def mapping(value):
    """
    What may be a mapping, as one: what isn't is refused where it is checked.

    value
        Any value of pillar.
    """
    return value if isinstance(value, dict) else {}


def name(value, path):
    """Of a site, a pair, a node, a cluster or a service."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise SiteError(
            path,
            f"should be a name of letters, digits, dots, dashes and underscores, is {shown(value)}",
        )
    if len(value) > _LONGEST_NAME:
        raise SiteError(path, f"should have at most {_LONGEST_NAME} characters, has {len(value)}")
    return value


def platform(value, path):
    """The platform that a host is like, as ``cmha/platforms.yaml`` names it."""
    if not isinstance(value, str) or not _PLATFORM.fullmatch(value):
        raise SiteError(
            path,
            f"should be a platform as RedHat 9 or Debian 12, is {shown(value)}; docs/platforms.md",
        )
    return value


def service(value, path):
    """The name of the service that a pair keeps running, and that starts at boot no more."""
    if name(value, path) in _NOT_TO_SWITCH_OFF:
        raise SiteError(path, f"{value} is no service for a pair: cmha would switch it off at boot")
    if value.endswith(".service"):
        raise SiteError(path, f"say the service's name alone: {value[: -len('.service')]}")
    return value


_NOT_TO_SWITCH_OFF = (
    "corosync", "corosync-qdevice", "corosync-qnetd", "pacemaker", "pcsd", "sbd", "salt-minion",
    "salt-master", "ssh", "sshd", "dbus", "systemd-journald",
)  # fmt: skip


def resource(value, path):
    """A resource's name, or its agent: then it is called like the agent's service."""
    if isinstance(value, str) and _AGENT.fullmatch(value):
        return value
    return name(value, path)


def word(value, path):
    """Goes into corosync.conf as it is."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise SiteError(path, f"should be one word, is {shown(value)}")
    if len(value) > _LONGEST_VALUE:
        raise SiteError(path, f"should have at most {_LONGEST_VALUE} characters, has {len(value)}")
    return value


def file(value, path):
    """The path of a file that Corosync has for itself."""
    if not isinstance(value, str) or not value.startswith("/"):
        # the key itself, perhaps, where its file belongs
        said = "another text" if len(str(value)) > _LONGEST_NAME // 10 else shown(value)
        raise SiteError(path, f"should be an absolute path, is {said}")
    parts = word(value, path).split("/")
    if not all(parts[1:]) or {".", ".."} & set(parts):
        raise SiteError(
            path, f"should be the path of a file, without //, . and .. in it, is {shown(value)}"
        )
    own = parts[1:3] in (["etc", "corosync"], ["var", "log"]) and len(parts) > 3
    own = own or parts[1:4] == ["var", "lib", "corosync"]
    if (parts[1] in _OF_THE_SYSTEM and not own) or any(each.startswith(".") for each in parts):
        raise SiteError(
            path,
            f"{value} is in a place of the system's own, where cmha writes nothing; a key may be in "
            "/etc/corosync, a log in /var/log",
        )
    if parts[1:3] == ["etc", "corosync"] and parts[3] in _NOT_A_KEY:
        raise SiteError(path, f"{value} is Corosync's own, for something else")
    return value


# Where a file of Corosync's, written or grown there, would take the place of another program's
_OF_THE_SYSTEM = (
    "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "proc", "root", "run", "sbin",
    "sys", "usr", "var",
)  # fmt: skip
_NOT_A_KEY = ("corosync.conf", "uidgid.d", "service.d", "qdevice", "qnetd")


def log(value, path):
    """The path of a file that grows."""
    parts = file(value, path).split("/")
    if parts[1] == "etc":
        raise SiteError(path, f"{value} is where configuration is; a log may be in /var/log")
    return value


def pattern(value, path):
    """A regular expression of POSIX, extended, for grep."""
    # The OCF agent, a shell script, holds it in single quotes, and gives it to grep.
    if not isinstance(value, str) or not value or "'" in value:
        raise SiteError(
            path, f"should be a regular expression without single quotes, is {shown(value)}"
        )
    need_printable(value, path)
    if value.startswith("-"):
        raise SiteError(path, f"begins with a dash, as an option does; [-] means it: {value!r}")
    if len(value) > _LONGEST_PATTERN:
        raise SiteError(
            path, f"should have at most {_LONGEST_PATTERN} characters, has {len(value)}"
        )
    costly = posix_regex.costly(value)
    if costly:
        raise SiteError(path, f"{costly}, which takes too long to match: {value!r}")
    try:
        matches = re.compile(posix_regex.as_python(value)).search
    except (re.error, RecursionError, OverflowError) as error:
        raise SiteError(path, f"is no regular expression, {error}: {value!r}") from None
    times = [int(each) for each in re.findall(r"\{(?:[0-9]*,)?([0-9]+)", value)]
    if math.prod(times) > _MOST_TIMES:
        raise SiteError(path, f"repeats too often for grep: {value!r}")
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


_LONGEST_PATTERN, _MOST_TIMES = 500, 1000
# Of processes that are no roles
_VARIABLES = (
    "PATH=/usr/sbin:/usr/bin", "HOME=/", "LANG=C", "PWD=/root", "_=/bin/true", "USER=root", "LOGNAME=root",
    "SHELL=/bin/bash", "SHLVL=1", "TERM=linux", "MAIL=/var/mail/root", "OLDPWD=/", "LC_ALL=C.UTF-8",
    "INVOCATION_ID=5d0c8e1f7b3a49266d0c8e1f7b3a4926", "JOURNAL_STREAM=8:12345", "SYSTEMD_EXEC_PID=1",
)  # fmt: skip


def need_printable(value, path):
    """Raises where a text has what a terminal, a file or a unit would take for more than text."""
    odd = [character for character in value if not character.isprintable()]
    if odd:
        raise SiteError(path, f"has a character that can't be printed: {odd[0]!r}")


def address(value, path):
    """Of a node: an address that its peer can reach."""
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
        raise SiteError(path, f"should be an IP address, is {shown(value)}{hint}") from None


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


def addresses(value, path):
    """A node's, one for each link."""
    if not isinstance(value, list) or not 1 <= len(value) <= LINKS:
        raise SiteError(
            path,
            f"should be a list of 1 to {LINKS} addresses, one for each link, "
            f"{f'has {len(value)}' if isinstance(value, list) else f'is {shown(value)}'}",
        )
    addresses = [address(each, path) for each in value]
    if len(set(addresses)) < len(addresses):
        raise SiteError(path, "has an address twice; each link has its own")
    return addresses


def network(value, path):
    """Any IP address, as Corosync's ``bindnetaddr``."""
    return str(_ip_address(value, path))


def multicast(value, path):
    """An address that many hosts listen to."""
    address = network(value, path)
    if not ipaddress.ip_address(address).is_multicast:
        raise SiteError(path, f"should be a multicast address, is {shown(value)}")
    return address


def tie_breaker(value, path):
    """Which nodes win where both halves have as many votes."""
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"lowest|highest|[0-9]+( [0-9]+)*", text):
        raise SiteError(
            path, f"should be lowest, highest or the nodeid of a node, is {shown(value)}"
        )
    return value


def tie_breaker_of_device(value, path):
    """As a quorum device has it: one node."""
    if " " in str(value):
        raise SiteError(path, f"should be lowest, highest or one nodeid, is {shown(value)}")
    return tie_breaker(value, path)


def command(value, path):
    """What corosync-qdevice calls."""
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise SiteError(path, f"should be a command in one line, is {shown(value)}")
    need_printable(value, path)
    if "{" in value:
        raise SiteError(path, f"has a {{, with which corosync.conf begins a section: {value!r}")
    if len(value.encode()) > _LONGEST_VALUE:
        raise SiteError(
            path,
            f"should have at most {_LONGEST_VALUE} bytes, has {len(value.encode())}; put it into a script",
        )
    if not value.lstrip().startswith("/"):
        raise SiteError(
            path, f"should begin with the path of a program, which no shell looks for: {value!r}"
        )
    return value


def host(value, path):
    """Of a quorum device: an address that a node can reach, or the name of a host in DNS."""
    said = word(value, path)
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
            re.fullmatch("(ip6-)?(localhost[0-9]*|loopback)", labels[0].lower())
            or labels[-1].lower() == "localhost"
        ):
            raise SiteError(path, f"{said} is each node itself") from None
        return said
    return address(said, path)


def number(low, high):
    """A rule for whole numbers, the least and the most of them."""

    def rule(value, path):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SiteError(path, f"should be a number from {low} to {high}, is {shown(value)}")
        return value

    return rule


def flag(value, path):
    """A boolean, and no word for one."""
    if not isinstance(value, bool):
        raise SiteError(path, f"should be true or false, is {shown(value)}")
    return value


def one_of(*words):
    """A rule for some words."""

    def rule(value, path):
        if value not in words or isinstance(value, bool):
            raise SiteError(
                path,
                f"should be {cib_values.alternatives(words)}, is {shown(value)}{nearest(value, words)}",
            )
        return value

    return rule


def spelt(words):
    """As ``one_of``, where YAML reads some of the words as booleans or numbers."""

    def rule(value, path):
        text = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
        if isinstance(text, (int, float)):
            text = str(text)
        return one_of(*words)(text if text in words else value, path)

    return rule


def switch(on, off):
    """A rule for a key that spells its booleans with these words."""

    # YAML reads an unquoted off, no, on or yes as a boolean. What was meant is plain: print it as
    # this key spells it.
    def rule(value, path):
        if isinstance(value, bool):
            return on if value else off
        if value not in (on, off):
            raise SiteError(path, f"should be {on} or {off}, is {shown(value)}")
        return value

    return rule


def any_package(value, path):
    """The name of a package."""
    if not isinstance(value, str) or not _PACKAGE.fullmatch(value):
        raise SiteError(path, f"should be the name of a package, is {shown(value)}")
    return value


def fence_agent(value, path):
    """The name of a fence agent, with or without its class."""
    if not isinstance(value, str) or not _FENCE_AGENT.fullmatch(value):
        raise SiteError(
            path, f"should be a fence agent as fence_ipmilan or external/ipmi, is {shown(value)}"
        )
    return value


def package(value, path):
    """The name of a package of the cluster's."""
    any_package(value, path)
    if not _OF_THE_CLUSTER.search(value):
        raise SiteError(
            below(path, value),
            f"is no package of the cluster{nearest(value, _PACKAGES)}; cmha keeps the versions of "
            f"{cib_values.alternatives(_PACKAGES)} and of what belongs to them",
        )
    return value


def version(value, path):
    """As a package manager spells it."""
    if not isinstance(value, str) or not _VERSION.fullmatch(value) or value.isalpha():
        raise SiteError(
            path,
            f"should be a version as the package manager spells it, in quotes, is {shown(value)}",
        )
    return value


def shown(value):
    """A value in a message, by what it is."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    return repr(value)


LINKS = 8  # as many as Corosync has
