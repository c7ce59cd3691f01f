"""
What hosts answer to the master's questions: which fields an answer has, and of which type.

Pure functions. A host's modules may be older or newer than the master's, and a host that was taken over says
what it likes. So an answer is checked once, where it comes in, and nobody behind that door has to ask again.
"""

import re


def __virtual__():
    return True


class EachOf:
    """A mapping of names to values that are all of one shape."""

    def __init__(self, shape):
        self.shape = shape


class Text:
    """A text of one form."""

    def __init__(self, form):
        self.form = re.compile(form)


class Lately:
    """A field that has come lately: a host that isn't synchronised yet doesn't have it."""

    def __init__(self, shape):
        self.shape = shape


class Seconds:
    """A time, or a span of it, that can be reckoned with."""

    MOST = 1e11


TIME = Seconds()
OPTIONAL_TEXT = (str, None)
FEATURE_SET = Text(r"[0-9]{1,5}\.[0-9]{1,5}(\.[0-9]{1,5})?")
_NAMES, _LINES = [str], [str]
_CHANGES = EachOf(
    {
        "old": (str, int, float, bool, None, dict, list),
        "new": (str, int, float, bool, None, dict, list),
    }
)

_CLUSTER = {
    "dc": OPTIONAL_TEXT,
    "with_quorum": bool,
    "nodes": EachOf(
        dict.fromkeys(("online", "standby", "maintenance", "pending", "unclean", "shutdown"), bool)
    ),
    "resources": EachOf(
        {
            **dict.fromkeys(("started", "nodes"), _NAMES),
            **dict.fromkeys(("failed", "blocked", "managed"), bool),
        }
    ),
    "failures": [
        {
            "resource": OPTIONAL_TEXT,
            "task": OPTIONAL_TEXT,
            "node": OPTIONAL_TEXT,
            "rc": int,
            "status": OPTIONAL_TEXT,
            "reason": OPTIONAL_TEXT,
            "when": OPTIONAL_TEXT,
        }
    ],
    "fencing": Lately((bool, None)),
    "fencings": Lately(
        [
            {
                "node": str,
                **dict.fromkeys(
                    ("action", "status", "by", "asked_by", "reason", "when"), OPTIONAL_TEXT
                ),
            }
        ]
    ),
}

# By function. A type stands for itself, a tuple for one of several, [shape] for a list, a mapping for what
# has at least these fields: a newer host may say more.
SHAPES = {
    "cmha_host.fitness": {
        "pillar": str,
        "time": TIME,
        "code": str,
        "nodename": str,
        "platform": str,
        "taken_as": OPTIONAL_TEXT,
        "addresses": _NAMES,
        "resolves": EachOf(_NAMES),
        "corosync": OPTIONAL_TEXT,
        "pacemaker": OPTIONAL_TEXT,
        "to_come": Lately(EachOf(OPTIONAL_TEXT)),
        "agent": str,
        "has_agent": bool,
        "service": str,
        "has_service": bool,
        "cluster": {"is": str, "runs": str, "seen": str},
        "conf": str,
        "running": bool,
        "members": _NAMES,
        "ports": EachOf(str),
        "firewall_open": bool,
        "firewall": OPTIONAL_TEXT,
        "authenticated": bool,
        "device_silent": OPTIONAL_TEXT,
        "own_failover": bool,
        "watchdog": Lately(_LINES),
        "certified": bool,
    },
    "cmha_host.health": {
        "hangs": _LINES,
        "recovers": _LINES,
        "corosync": (bool, None),
        "cluster": (_CLUSTER, None),
        "leftovers": [{"id": str, "resource": OPTIONAL_TEXT, "node": OPTIONAL_TEXT}],
        "maintenance": ({"on": bool, "ours": bool}, None),
        "since": EachOf((TIME, None)),
        "service": {
            "running": (bool, None),
            "text": str,
            "every": (TIME, None),
            "owner": OPTIONAL_TEXT,
        },
        "answers": (bool, None),
        "frozen": OPTIONAL_TEXT,
        "unable": _LINES,
        "survival": EachOf({"takes_over": OPTIONAL_TEXT, "why": _LINES}),
        "twice": Lately(_NAMES),
        "unfenced": Lately(_LINES),
        "unsure": OPTIONAL_TEXT,
        "pillar": Lately(OPTIONAL_TEXT),
        "wrong": OPTIONAL_TEXT,
        "drift": _LINES,
        "at_boot": (_NAMES, None),
        "device": ({"state": str, "tls": bool, "votes": bool}, None),
        "pacemaker": Lately(({"version": str, "feature_set": FEATURE_SET}, None)),
    },
    "cmha_host.pending": {
        "running": bool,
        "pacemaker": bool,
        "corosync": _CHANGES,
        "way": OPTIONAL_TEXT,
        "refused": _NAMES,
        "packages": _CHANGES,
    },
    "cmha_host.causes": {"booted": TIME, "logs": EachOf(_LINES), "service": str},
    "cmha_host.move": {"away": TIME, "seen_by": str, "started": _NAMES, "overcome": _LINES},
    "crm.plan": {
        "changes": dict,
        "summary": _LINES,
        "warnings": _LINES,
        "effects": [{"action": str, "what": str, "where": str}],
    },
    "crm.check": {"running": bool, "rc": int, "text": str},
    "crm.feature_set": (FEATURE_SET, None),
    "crm.started": _NAMES,
    "crm_forecast.after_move": _NAMES,
    "crm_forecast.unfenced": _LINES,
    "fencing.missing_passwords": _NAMES,
    "fencing.fence": {"seconds": TIME, "said": str},
    "crm.running": bool,
}
SHAPES["cmha_host.plan"] = SHAPES["crm.plan"]
SHAPES["cmha_look.everything"] = {
    "fitness": SHAPES["cmha_host.fitness"],
    "to_do": (_LINES, None),
    "pending": (SHAPES["cmha_host.pending"], None),
    "health": (SHAPES["cmha_host.health"], None),
    "spent": TIME,
}

# What is data to the last character, for pillar and not for a terminal. Salt's outputters quote it.
CONFIGURATION = ("crm.export",)


def problem(function, answer):
    """
    What is wrong with the shape of an answer.

    function
        The execution function that a host was asked for.
    answer
        What came.

    Returns a text that names the place, or ``None``: all is well, or nothing is known of that function.
    """
    return _problem(answer, SHAPES[function], "the answer") if function in SHAPES else None


def taken(function, answer):
    """
    An answer as the master goes on with it: a configuration as it is, everything else as ``shown`` makes it.

    function, answer
        See ``problem``.
    """
    return answer if function in CONFIGURATION else shown(answer)


def shown(value):
    """
    An answer in which every character that a terminal could take for a command is written out. Line breaks
    and tabs stay: they are part of logs and differences.

    value
        Text, a list, a mapping; anything else is returned as it is.
    """
    if isinstance(value, str):
        return value if value.isprintable() else "".join(map(_shown, value))
    if isinstance(value, dict):
        return {
            shown(key) if isinstance(key, str) else key: shown(each) for key, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [shown(each) for each in value]
    return value


def _shown(character):
    return character if character.isprintable() or character in "\n\t" else ascii(character)[1:-1]


def _problem(value, shape, place):
    if isinstance(shape, tuple):
        if any(_problem(value, each, place) is None for each in shape):
            return None
        # of several, the one that is nearest says best what is wrong
        near = [each for each in shape if _is_near(value, each)]
        return _problem(value, near[0], place) if near else f"{place} is {_kind(value)}"
    return _PROBLEMS.get(type(shape), _problem_of_type)(value, shape, place)


def _is_near(value, shape):
    kinds = {dict: dict, Seconds: (int, float), Text: str}.get(type(shape), ())
    return isinstance(value, kinds) and not isinstance(value, bool)


def _problem_of_type(value, shape, place):
    # to Python a boolean is a number
    fits = value is None if shape is None else type(value) is shape
    return None if fits else f"{place} is {_kind(value)}"


def _problem_of_list(value, shape, place):
    if not isinstance(value, list):
        return f"{place} is {_kind(value)}"
    found = (_problem(each, shape[0], f"{place}[{number}]") for number, each in enumerate(value))
    return next(filter(None, found), None)


def _problem_of_fields(value, shape, place):
    if not isinstance(value, dict):
        return f"{place} is {_kind(value)}"
    missing = [
        field
        for field, each in shape.items()
        if field not in value and not isinstance(each, Lately)
    ]
    if missing:
        return f"{place} has no {missing[0]}"
    found = (_problem(value[field], each, field) for field, each in shape.items() if field in value)
    return next(filter(None, found), None)


def _problem_of_each(value, shape, place):
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return f"{place} is {_kind(value)}"
    found = (_problem(each, shape.shape, f"an entry of {place}") for each in value.values())
    return next(filter(None, found), None)


def _problem_of_seconds(value, shape, place):
    if type(value) not in (int, float):
        return f"{place} is {_kind(value)}"
    return None if 0 <= value <= shape.MOST else f"{place} is no time"


def _problem_of_text(value, shape, place):
    if not isinstance(value, str):
        return f"{place} is {_kind(value)}"
    return None if shape.form.fullmatch(value) else f"{place} is another text"


def _problem_of_what_may_be_missing(value, shape, place):
    return _problem(value, shape.shape, place)


_PROBLEMS = {
    Text: _problem_of_text,
    Lately: _problem_of_what_may_be_missing,
    Seconds: _problem_of_seconds,
    list: _problem_of_list,
    dict: _problem_of_fields,
    EachOf: _problem_of_each,
}


def _kind(value):
    names = {
        dict: "a mapping",
        list: "a list",
        str: "a text",
        bool: "a flag",
        type(None): "nothing",
    }
    return names.get(
        type(value), "a number" if isinstance(value, (int, float)) else "something else"
    )
