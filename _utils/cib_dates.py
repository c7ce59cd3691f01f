"""
Points and spans of time in the rules of Pacemaker's configuration. What Pacemaker can't read, or what no
moment is in, never counts, and it says so in its log alone.

Pure functions, each a check as those of ``cib_values``. Source: Pacemaker's ``iso8601.c``, ``rules.c``.
"""

import datetime
import re

import cib_values
from cib_values import InvalidCib

_TIME = r"(?P<hour>\d{1,2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,]\d+)?)?)?"
# An offset without a blank before it is one that Pacemaker 2.1 doesn't see
_ZONE = r"(?:\s*(?:Z|UTC|GMT)|\s+[+-]\d{1,2}(?::?\d{2})?)?"
_DATES = (
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    r"\d{4}-(?P<of_year>\d{3})",
    r"\d{4}-W(?P<week>\d{1,2})-[1-7]",
)
_MOMENTS = [
    re.compile(pattern, re.ASCII)
    for pattern in (
        "(?i:epoch)",
        rf"(?:T|(?=\d+:)){_TIME}{_ZONE}",
        *(f"{date}(?:[ T]{_TIME}{_ZONE})?" for date in _DATES),
    )
]
_MOST = {"hour": 24, "minute": 59, "second": 59, "of_year": 366, "week": 53}
_SPAN = re.compile(r"(?P<first>\d{1,9})?(?:(?P<to>-)(?P<last>\d{1,9})?)?", re.ASCII)


def __virtual__():
    return True


def moment(value, path):
    """A date, a time or both: ``2026-11-27 08:00:00 +01:00``, ``20261127T0800Z``, ``2026-331``."""
    said = cib_values.text(value, path)
    parts = next(
        (found.groupdict() for each in _MOMENTS if (found := each.fullmatch(said.strip()))), None
    )
    if parts is None or not _is_there(parts):
        raise InvalidCib(
            path,
            f"is no date that Pacemaker reads, {said!r}; write it as 2026-11-27 08:00:00 +01:00",
        )
    return said


def _is_there(parts):
    numbers = {name: int(said) for name, said in parts.items() if said is not None}
    if "month" in numbers:
        try:
            datetime.date(numbers["year"], numbers["month"], numbers["day"])
        except ValueError:
            return False
    return all(numbers.get(name, 0) <= most for name, most in _MOST.items())


def span(least, most):
    """A check for a number, or a span of numbers, of which at least one is in these bounds: ``9-17``."""

    def check(value, path):
        said = cib_values.text(value, path)
        found = _SPAN.fullmatch(said.strip())
        if not found or not (found["first"] or found["last"]):
            raise InvalidCib(path, f"should be a number or a span such as 9-17, is {said!r}")
        first = int(found["first"]) if found["first"] else least
        last = int(found["last"]) if found["last"] else most if found["to"] else first
        if first > last:
            raise InvalidCib(
                path, f"should begin with the lesser number, is {said!r}: nothing is in it"
            )
        if last < least or first > most:
            raise InvalidCib(path, f"should be from {least} to {most}, is {said!r}")
        return said

    return check
