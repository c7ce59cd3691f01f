"""Dates and spans in rules: what Pacemaker reads, and what it would take for never."""

import pytest


@pytest.fixture
def dates(pure):
    return pure("cib_dates")


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-27", "2026-1-7", "20261127", "2026-331", "2026-W48-5", "epoch", "12:00", "T12:00:00Z",
        "2026-11-27 08:00:00 +01:00", "2026-11-27T08:00:00Z", "20261127T080000", "2024-02-29",
        "2026-11-27 24:00:00", "2026-11-27 8", "2026-11-27T08:00:00.000Z", "2026-11-27 08:00:00 UTC",
    ],
)  # fmt: skip
def test_what_is_a_moment(dates, said):
    assert dates.moment(said, "start") == said


@pytest.mark.parametrize(
    "said",
    [
        "tomorrow", "27.11.2026", "2026/11/27", "2026-02-29", "2026-13-01", "27-11-2026", "2026-11", "",
        "2026-11-27 25:00", "2026-11-27 08:60", "2026-W54-1", "2026-W10-8", "2026-400", "2026-11-27 noon",
        "2026-11-27 08:00:00+01:00",
    ],
)  # fmt: skip
def test_what_is_none(dates, said):
    with pytest.raises(ValueError, match="^start: is no date that Pacemaker reads, "):
        dates.moment(said, "start")


@pytest.mark.parametrize("said", ["9", "9-17", "9-", "-17", "0-23", "23-40", 9])
def test_what_is_a_span(dates, said):
    assert dates.span(0, 23)(said, "hours") == str(said)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("nine", "should be a number or a span such as 9-17, is 'nine'"),
        ("9:00-17:00", "should be a number or a span"),
        ("-", "should be a number or a span"),
        ("9,10", "should be a number or a span"),
        ("22-6", "should begin with the lesser number, is '22-6': nothing is in it"),
        ("24", "should be from 0 to 23, is '24'"),
        ("24-30", "should be from 0 to 23, is '24-30'"),
    ],
)
def test_what_no_moment_is_in(dates, said, message):
    with pytest.raises(ValueError) as error:
        dates.span(0, 23)(said, "hours")
    assert str(error.value).startswith(f"hours: {message}")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"operation": "in_range"}, "with operation in_range needs start or end"),
        ({"operation": "gt", "end": "2026-11-27"}, "with operation gt needs start"),
        ({"operation": "lt", "start": "2026-11-27"}, "with operation lt needs end"),
        ({"operation": "date_spec"}, "with operation date_spec needs date_spec"),
        ({"operation": "lt", "end": "soon"}, "end: is no date"),
        ({"operation": "date_spec", "date_spec": {"weekdays": "mon-fri"}}, "date_spec:weekdays: should"),
        (
            {"operation": "in_range", "start": "2026-11-27", "duration": {"hours": "two"}},
            "duration:hours: should be a whole number",
        ),
    ],
)  # fmt: skip
def test_expressions_that_never_count(pure, expression, message):
    rule = {"expressions": [{"date_expression": expression}]}
    with pytest.raises(ValueError) as error:
        pure("cib_rules").check(rule, "rule")
    assert message in str(error.value)
