"""
Regular expressions of POSIX, extended, as grep and Pacemaker take them, in Python's syntax.

Pure functions. Source: regex(7).
"""

import re


def __virtual__():
    return True


_CLASSES = {
    "alnum": "A-Za-z0-9", "alpha": "A-Za-z", "blank": " \\t", "cntrl": "\\x00-\\x1f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~", "space": "\\s",
    "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


_NAMED = re.compile(r"\[:(\w*):\]")


def as_python(pattern):
    """
    An extended regular expression of POSIX in Python's syntax, as far as people write them.

    pattern
        Text.

    Returns text. Raises ``re.error`` for a class that isn't there, or stands outside brackets.
    """

    def known(match):
        if match[1] not in _CLASSES:
            raise re.error(f"there is no class [:{match[1]}:]")
        return _CLASSES[match[1]]

    for alone in filter(_NAMED.fullmatch, _tokens(pattern)):
        raise re.error(f"{alone} stands in brackets of its own, [{alone}]")
    return _NAMED.sub(known, pattern)


_MOST_REPETITIONS = 6


def costly(pattern):
    """
    Why a program that tries one way after the other, as Python's, could take for ever to match: repetitions
    of what is repeated, or has alternatives, and too many of them.

    pattern
        An extended regular expression of POSIX.

    Returns a text, or ``None``.
    """
    groups, closed, repetitions = [False], False, 0
    for token in _tokens(pattern):
        repeats, was_closed = token in ("*", "+", "{"), closed
        closed = False
        if token == "(":
            groups.append(False)
        elif token == ")" and len(groups) > 1:
            closed = groups.pop()
            groups[-1] = groups[-1] or closed
        elif token in ("|", "?") or repeats:
            repetitions += repeats
            if repeats and was_closed:
                return "repeats a group that has a repetition, or alternatives, in it"
            groups[-1] = True
    if repetitions > _MOST_REPETITIONS:
        return f"has {repetitions} repetitions, of at most {_MOST_REPETITIONS}"
    return None


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\[[:.=]\w*[:.=]\]|[^]])*\]|.", re.DOTALL)


def _tokens(pattern):
    """The characters of an expression; an escaped one, and brackets with what is in them, as one."""
    return _TOKEN.findall(pattern)
