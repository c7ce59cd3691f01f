"""
What stands in corosync.conf, what a running Corosync holds in memory, and how a difference is taken in.

Pure functions: text in, mappings out. Sources: ``corosync.conf(5)``, ``cmap_keys(7)``,
``corosync-cmapctl(8)``.
"""

import ipaddress
import re

import corosync_totem

RELOAD, ONE_BY_ONE, TOGETHER = "reload", "one by one", "together"

_SECTIONS = ("totem", "nodelist", "quorum", "logging")

# Blocks of which there may be several, and the key that tells them apart in memory.
_NUMBERED = {"totem.interface": ("linknumber", "ringnumber")}
_NAMED = {"logging.logger_subsys": "subsys"}
_LISTED = ("nodelist.node",)

# What Corosync adds in memory by itself.
_COROSYNCS_OWN = re.compile(r"nodelist\.local_node_pos|totem\.interface\.\d+\.bindnetaddr")

# What 2.x, and 3.x with multicast, add where the file says nothing (totem_config_read)
_ADDED = re.compile(r"totem\.interface\.([0-9]{1,9})\.(mcastaddr|mcastport)")

# Corosync 2 and later take an interface's number for its place in memory; 1.x has no places.
_NUMBERS = re.compile(r"totem\.interface\.\d+\.(?:link|ring)number")
_PLACES = re.compile(r"(?<=totem\.interface\.)\d+\.|(?<=logging\.logger_subsys\.)[^.]+\.")
_OF_1 = "totem.interface.ringnumber"

_IN_MEMORY = re.compile(r"^(?P<key>[\w.-]+)(?: \(\w+\))?\s*=\s*(?P<value>.*?)\s*$")

# What Corosync reads again while it runs (totem_volatile_config_read, logsys).
_RELOADED = re.compile(
    r"logging\..*|totem\.(?:token|token_retransmit|token_retransmits_before_loss_const|token_coefficient|"
    r"token_warning|hold|join|consensus|merge|downcheck|fail_recv_const|seqno_unchanged_const|"
    r"heartbeat_failures_allowed|max_network_delay|window_size|max_messages|miss_count_const|send_join|"
    r"cancel_token_hold_on_retransmit|knet_pmtud_interval)"
)

# What hosts may disagree about and still talk to each other.
_MAY_DIFFER = re.compile(r"quorum\..*|totem\.cluster_name|totem\.threads")

_SECRETS = ("totem.key",)


def __virtual__():
    return True


def keys(text):
    """
    What a corosync.conf says, by the keys that it gets in memory.

    text
        Content of a corosync.conf.

    Returns a mapping of key (``totem.token``, ``nodelist.node.0.ring0_addr``) to value, both text.
    """
    return _keys(_block(iter(text.splitlines())), "")


def memory(text):
    """
    What a running Corosync holds.

    text
        Output of ``corosync-cmapctl``, or of ``corosync-objctl`` in 1.x.

    Returns a mapping of key to value, both text.
    """
    found = (_IN_MEMORY.match(line) for line in text.splitlines())
    return {match["key"]: match["value"] for match in found if match}


def difference(held, wanted):
    """
    What a running Corosync, or a file, holds otherwise than it should.

    held
        What ``memory`` returned, or ``keys``.
    wanted
        What ``keys`` returned.

    Returns ``{key: {'old': held, 'new': wanted}}``; ``None`` stands for a key that isn't there.
    """
    configured = {
        key: value
        for key, value in held.items()
        if key.split(".")[0] in _SECTIONS
        and not _COROSYNCS_OWN.fullmatch(key)
        and not _NUMBERS.fullmatch(key)
        and not _is_added(key, value, wanted)
    }
    wanted = {
        _PLACES.sub("", key) if _OF_1 in held else key: value
        for key, value in wanted.items()
        if key.split(".")[0] in _SECTIONS and (_OF_1 in held or not _NUMBERS.fullmatch(key))
    }
    differing = sorted(key for key in {*configured, *wanted} if _held(held, key) != wanted.get(key))
    return {key: _change(key, _held(held, key), wanted.get(key)) for key in differing}


def way(changes, wanted):
    """
    How a running pair takes a difference in.

    changes
        What ``difference`` returned.
    wanted
        What ``keys`` returned for the new file.

    Returns ``None`` for no difference, ``reload``; ``one by one``, when one host after the other can be
    restarted; or ``together``, when hosts with the old and the new values can't talk to each other, or
    nobody knows whether they can.
    """
    if not changes:
        return None
    # 1.x, which alone has this key, can't reload
    if all(_RELOADED.fullmatch(key) for key in changes) and "compatibility" not in wanted:
        return RELOAD
    # with multicast and no address of its own, the cluster's name makes the address
    by_name = wanted.get("totem.transport", "udp") == "udp"
    harmless = all(_RELOADED.fullmatch(key) or _MAY_DIFFER.fullmatch(key) for key in changes)
    return (
        ONE_BY_ONE if harmless and not (by_name and "totem.cluster_name" in changes) else TOGETHER
    )


def shows_key(text):
    """
    Whether a corosync.conf has a secret in it: the key itself (``totem.key``).

    text
        Content of a corosync.conf.
    """
    return not keys(text).keys().isdisjoint(_SECRETS)


def addresses(text):
    """
    The addresses that a corosync.conf names: its nodes', its members' and the one that it binds to.

    text
        Content of a corosync.conf.

    Returns a set of texts, without what is no IP address.
    """
    named = re.findall(r"^\s*(?:ring\d+_addr|memberaddr|bindnetaddr):\s*(\S+)", text, re.MULTILINE)
    return {each for each in named if _is_address(each)}


def _is_added(key, value, wanted):
    added = _ADDED.fullmatch(key)
    if not added:
        return False
    number, what = int(added[1]), added[2]
    # the address is made of the cluster's name, which is compared itself
    return what == "mcastaddr" or value == str(
        corosync_totem.port(number, wanted.get("totem.transport", "udp"), _interfaces(wanted))
    )


def _interfaces(keys):
    found = {}
    for key, value in keys.items():
        match = re.fullmatch(r"totem\.interface\.([0-9]{1,9})\.(\w+)", key)
        if match:
            found.setdefault(int(match[1]), {})[match[2]] = value
    return found


def _held(held, key):
    # A number counts when it counts: what the running totem has
    in_effect = held.get(f"runtime.config.{key}")
    value = held.get(key)
    return in_effect if value is not None and value.isdigit() and in_effect else value


def _change(key, old, new):
    if key in _SECRETS:
        return {"old": "(secret)", "new": "(secret)"}
    return {"old": old, "new": new}


def _block(lines):
    """The entries of a block, in their order: pairs of a key and a value, which is a text or a block."""
    entries = []
    for line in lines:
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if words.endswith("{"):
            entries.append((words[:-1].strip(), _block(lines)))
        elif words == "}":
            break
        elif ":" in words:
            key, _, value = words.partition(":")
            entries.append((key.strip(), value.strip()))
    return entries


def _keys(entries, path):
    found, counted = {}, {}
    for key, value in entries:
        here = f"{path}.{key}" if path else key
        if isinstance(value, str):
            found[here] = value
            continue
        position = counted.setdefault(here, 0)
        counted[here] += 1
        found.update(_keys(value, _place(here, dict(value), position)))
    return found


def _place(path, values, position):
    if path in _NUMBERED:
        numbers = (values[key] for key in _NUMBERED[path] if key in values)
        return f"{path}.{next(numbers, position)}"
    if path in _NAMED:
        return f"{path}.{values.get(_NAMED[path], position)}"
    return f"{path}.{position}" if path in _LISTED else path


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
