"""
Values in Pacemaker's configuration: what may be declared, how it is spelled, when two of them mean the
same, and which are secret.

Pure functions. Sources: "Pacemaker Explained"; ``pacemaker-schedulerd(7)`` and
``pacemaker-controld(7)`` for cluster properties; the schemas in ``/usr/share/pacemaker/*.rng``.
"""

import difflib
import math
import re

MASK = "********"

# Cluster properties whose names Pacemaker 3.0.2 has replaced: it reads the new one, and the old one where the
# new isn't there; versions before know nothing of the new. Source: lib/common/options.c.
RENAMED_PROPERTIES = {
    "fence-reaction": "fencing-reaction",
    "stonith-action": "fencing-action",
    "stonith-enabled": "fencing-enabled",
    "stonith-max-attempts": "fencing-max-attempts",
    "stonith-timeout": "fencing-timeout",
    "stonith-watchdog-timeout": "fencing-watchdog-timeout",
}
_OLD_PROPERTIES = {new: old for old, new in RENAMED_PROPERTIES.items()}

# An id is an XML ID, of which only the ASCII part is easy to type in crmsh.
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_REFERENCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_NAME = re.compile(r"[A-Za-z0-9_#][A-Za-z0-9_.:#-]*")
_AGENT = re.compile(
    # a type as external/ipmi of cluster-glue, and the path of a script
    r"(?:ocf:[\w.-]+|lsb|stonith):(?!.*\.\.)/?[\w.@:+-]+(?:/[\w.@:+-]+)*"
    r"|(?:systemd|service|upstart|nagios|heartbeat):[\w.@:\\+-]+"
    r"|@[A-Za-z_][A-Za-z0-9_.-]*",
    re.ASCII,
)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# By what the agents of fence-agents, cluster-glue and resource-agents call it; paths of files with one, too.
_SECRET = re.compile(
    r"pass(wd|word|phrase|code)|secret|credential|credstore"
    r"|(^|[_-])(pass|pw|token|cookies?|community|key|keyfile|kg|psk)($|[_-])"
    r"|(api|access|tls|ssl|ssh|private|auth|rsa)key|(user|db|my|admin)_?p(ass|wd)|pwd$|access_?token",
    re.I,
)


def __virtual__():
    return True


class InvalidCib(ValueError):
    """What was declared can't be configured; the message begins with the path of the fault."""

    def __init__(self, path, message):
        super().__init__(printable(f"{path}: {message}" if path else message, 5000))
        self.path = path
        self.message = message


def property_name(name):
    """The name by which a cluster property goes in the model, whichever of two it is declared by."""
    return _OLD_PROPERTIES.get(name, name) if isinstance(name, str) else name


# --- what may be declared ------------------------------------------------------------------------


def at(path, key):
    """The path of a key below a path."""
    return f"{path}:{key}" if path else str(key)


def kind(value):
    """What a value is, in words for a message."""
    kinds = {
        dict: "a mapping",
        list: "a list",
        tuple: "a list",
        bool: "a boolean",
        str: "text",
        type(None): "nothing",
    }
    return next((word for type_, word in kinds.items() if isinstance(value, type_)), "a number")


def mapping(value, path):
    """The value, a mapping; nothing is an empty one."""
    return {} if value is None else some_mapping(value, path)


def some_mapping(value, path):
    """The value, a mapping; nothing is none."""
    if not isinstance(value, dict):
        raise InvalidCib(path, f"a mapping is wanted, not {kind(value)}")
    return value


def listed(value, path):
    """The value, a list; nothing is an empty one."""
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise InvalidCib(path, f"a list is wanted, not {kind(value)}")
    return value


def known_keys(value, known, path, word, home=None):
    """Refuse a key that isn't known, and name the nearest that is, or where ``home`` has it."""
    for key in value:
        if key not in known:
            near, place = nearest(key, known), home and home(key)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            hint = f"it belongs under {place}" if place else hint
            raise InvalidCib(at(path, key), f"unknown {word}, {hint}")


def nearest(said, known, cutoff=0.6):
    """The known word that was likely meant, or ``None``."""
    return next(iter(difflib.get_close_matches(str(said), known, 1, cutoff)), None)


def alternatives(words):
    """Words for a message: ``a, b or c``."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def identifier(value, path):
    """The value, an id."""
    rule = "begin with a letter or underscore; then letters, digits, underscore, dot and hyphen"
    return _matching(_ID, value, path, "an id", rule)


def reference(value, path):
    """The value, what refers to an id that may be a name too."""
    rule = "letters, digits, underscore, dot, colon and hyphen"
    return _matching(_REFERENCE, value, path, "an id", rule)


def name(value, path):
    """The value, the name of an option."""
    rule = "letters, digits, underscore, dot, colon, # and hyphen"
    return _matching(_NAME, value, path, "a name", rule)


def is_name(value):
    """Whether something can be the name of an option."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def fault(check, value):
    """The ``InvalidCib`` that a check raises for a value, its path below the value; or ``None``."""
    try:
        check(value, "")
    except InvalidCib as error:
        return error
    return None


def unreadable(check, value):
    """What a check finds wrong with what was read, as ``unread`` says it: a path and why."""
    found = fault(check, value)
    if found:
        yield found.path, found.message


def agent(value, path):
    """The value, a resource agent, or ``@`` and the id of a template."""
    rule = (
        "write ocf:PROVIDER:TYPE, or CLASS:TYPE with class lsb, systemd, service or stonith, "
        "or @TEMPLATE"
    )
    return _matching(_AGENT, value, path, "a resource agent", rule)


def _matching(pattern, value, path, word, rule):
    if not isinstance(value, str):
        raise InvalidCib(path, f"{word} is text, not {kind(value)} ({value!r}): quote it")
    if not pattern.fullmatch(value):
        raise InvalidCib(path, f"{value!r} is not {word}: {rule}")
    return value


def text(value, path):
    """One value as Pacemaker spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    if isinstance(value, float) and math.isnan(value):
        raise InvalidCib(path, "not a number")
    if isinstance(value, (int, float)):
        if abs(value) >= _BEYOND:  # nor would Python spell it
            raise InvalidCib(path, "is a number beyond everything that Pacemaker reads")
        return str(value)
    if not isinstance(value, str):
        raise InvalidCib(path, f"one value is wanted, not {kind(value)}")
    if _NOT_IN_XML.search(value):
        raise InvalidCib(path, "the value holds a control character, which XML can't carry")
    return value


def printable(said, most=500):
    """A text for people in which nothing is that a terminal or YAML would act on."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in said)[:most]


def one_of(*words):
    """A check for one of some words, in any spelling that means one of them."""

    def check(value, path):
        said = text(value, path)
        found = next((word for word in words if role(word) == role(said)), None)
        if found is None:
            near = nearest(said, words)
            hint = f"; did you mean {near}?" if near else ""
            raise InvalidCib(path, f"should be one of {', '.join(words)}, is {said!r}{hint}")
        return found

    return check


def boolean(value, path):
    """A truth value, as Pacemaker spells it."""
    meant = _boolean(text(value, path))
    if not isinstance(meant, bool):
        raise InvalidCib(path, f"should be true or false, is {value!r}")
    return "true" if meant else "false"


def score(value, path):
    """A score: a number, INFINITY or -INFINITY."""
    said = text(value, path)
    if not isinstance(_score(said), int):
        raise InvalidCib(path, f"should be a number, INFINITY or -INFINITY, is {said!r}")
    return said


def number(value, path):
    """A whole number, not negative."""
    said = text(value, path)
    if not (said.isascii() and said.isdecimal()):
        raise InvalidCib(path, f"should be a whole number, is {said!r}")
    return said


# --- what values mean ----------------------------------------------------------------------------

_TRUE = ("true", "on", "yes", "y", "1")
_FALSE = ("false", "off", "no", "n", "0")
_MILLISECONDS = {
    "": 1000, "s": 1000, "sec": 1000, "ms": 1, "msec": 1, "us": 0.001, "usec": 0.001,
    "m": 60000, "min": 60000, "h": 3600000, "hr": 3600000,
}  # fmt: skip
_PLAIN_DURATION = re.compile(r"(\d{1,15})[\d.]*\s*([A-Za-z]*)", re.ASCII)
# The first H and S are what Pacemaker takes without a T
_ISO_TIME = re.compile(
    r"P(?:(\d{1,9})H)?(?:(\d{1,9})S)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?", re.ASCII
)
_ISO_DURATION = re.compile(r"P(?=.*\d)(?:\d{1,9}[YMWDHS])*(?:T(?:\d{1,9}[HMS])+)?", re.ASCII)
_INFINITY = 1000000
_LONG = 4000
_BEYOND = 10**300
_OLD_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}


def _boolean(said):
    word = said.lower()
    return True if word in _TRUE else False if word in _FALSE else said


def is_true(said):
    """Whether a value means true."""
    return _boolean(said) is True


def duration(said):
    """
    Milliseconds, or the text itself where it is no duration, or one that not all versions of Pacemaker take
    for the same: years, months, weeks and days of ISO 8601 (some count a day less).

    A decimal counts without its fraction, and of an ISO 8601 duration the T may be missing, as it may for
    Pacemaker. Source: its ``crm_get_msec`` and ``crm_time_parse_duration``.
    """
    plain = _PLAIN_DURATION.fullmatch(said.strip())
    if plain and plain[2].lower() in _MILLISECONDS:
        return int(int(plain[1]) * _MILLISECONDS[plain[2].lower()])
    iso = _ISO_TIME.fullmatch(said)
    if iso and any(iso.groups()):
        parts = zip(iso.groups(), (3600, 1, 3600, 60, 1))
        return 1000 * sum(int(number) * seconds for number, seconds in parts if number)
    return said


def span(said):
    """As ``duration``, of what Pacemaker reads as seconds alone, and not in ISO 8601: each time-out."""
    return said if said.strip().startswith("P") else duration(said)


def is_duration(said):
    """Whether Pacemaker takes a text for a duration."""
    return isinstance(duration(said), int) or _ISO_DURATION.fullmatch(said) is not None


def _score(said):
    if said.lstrip("+") == "INFINITY":
        return _INFINITY
    if said == "-INFINITY":
        return -_INFINITY
    digits = re.fullmatch(r"([+-]?)([0-9]+)", said)
    if digits:
        # a longer one than Python reads is beyond INFINITY, too
        rank = int(digits[2]) if len(digits[2]) < _LONG else _INFINITY
        return max(-_INFINITY, min(_INFINITY, -rank if digits[1] == "-" else rank))
    return said


def rank(said):
    """The score as a number; what is no score counts as 0."""
    meant = _score(said)
    return meant if isinstance(meant, int) else 0


def role(said):
    """A role in the words of Pacemaker 2.1: Promoted and Unpromoted."""
    word = said.capitalize()
    return _OLD_ROLES.get(word, word)


def _named(meaning, names):
    return dict.fromkeys(names.split(), meaning)


# Names of other options, and every agent's parameters, have no meaning that is known here: they
# compare as text.
_MEANINGS = {
    **_named(
        _boolean,
        "symmetric-cluster maintenance-mode stonith-enabled fencing-enabled startup-fencing "
        "stop-all-resources stop-orphan-resources stop-orphan-actions stop-removed-resources "
        "start-failure-is-fatal enable-startup-probes enable-acl remove-after-stop "
        "concurrent-fencing shutdown-lock is-managed-default is-managed maintenance "
        "allow-migrate critical globally-unique ordered interleave notify promotable "
        "allow-unhealthy-nodes remote-allow-migrate enabled record-pending "
        "symmetrical require-all sequential add-host influence",
    ),
    **_named(
        duration,
        "cluster-delay dc-deadtime cluster-recheck-interval election-timeout "
        "shutdown-escalation join-integration-timeout join-finalization-timeout "
        "transition-delay stonith-timeout fencing-timeout stonith-watchdog-timeout "
        "fencing-watchdog-timeout priority-fencing-delay shutdown-lock-limit "
        "node-pending-timeout failure-timeout interval",
    ),
    **_named(span, "timeout start-delay"),
    **_named(
        _score,
        "resource-stickiness default-resource-stickiness migration-threshold priority "
        "node-health-red node-health-yellow node-health-green node-health-base score",
    ),
    **_named(role, "role target-role rsc-role with-rsc-role"),
    **_named(str.lower, "boolean-op kind"),
}


def same(option, one, other):
    """Whether two values of an option mean the same; ``None`` stands for none."""
    if one is None or other is None:
        return one is other
    meaning = _MEANINGS.get(option, str)
    return meaning(one) == meaning(other)


def meant(value, option=""):
    """Something that is equal for two values, mappings or lists exactly when they mean the same."""
    if isinstance(value, dict):
        return {key: meant(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [meant(each, option) for each in value]
    return value if value is None else _MEANINGS.get(option, str)(value)


def operation_identity(operation):
    """What tells the operations of one name apart."""
    said = operation.get("role", "")
    return (duration(operation.get("interval", "0")), role(said) if said else "")


# --- secrets -------------------------------------------------------------------------------------


def masked(value, option=""):
    """
    A copy of a value or a mapping in which whatever has the name of a secret is masked.

    value
        Text, or a mapping or list with text in it.
    option
        The name that the value goes by.
    """
    if isinstance(value, dict):
        return {key: masked(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each, option) for each in value]
    return MASK if value is not None and _SECRET.search(str(option)) else value
