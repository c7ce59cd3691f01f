"""A change of the cluster's configuration in lines for people."""

import pytest

STARTS = {"action": "Start", "what": "vip", "where": "cms1", "why": ""}
MOVES = {"action": "Move", "what": "cm", "where": "cms1 -> cms2", "why": ""}


@pytest.fixture
def lines(pure):
    return pure("crm_summary").lines


def test_nothing(lines):
    assert lines({}, [MOVES]) == ["nothing differs"]


def test_what_comes_goes_and_changes(lines):
    changes = {
        "primitives:vip": {"old": None, "new": {"agent": "ocf:heartbeat:IPaddr2", "params": {}}},
        "primitives:old": {"old": "lsb:ä", "new": None},
        "properties:a": {"old": "1", "new": ["2"]},
    }
    assert lines(changes, []) == [
        'would add primitives:vip: {"agent": "ocf:heartbeat:IPaddr2"}',
        "would remove primitives:old: lsb:ä",
        'would change properties:a: 1 -> ["2"]',
    ]


def test_what_stops_or_moves_comes_first(lines):
    first, *_, last = lines({"properties:a": {"old": "1", "new": "2"}}, [STARTS, MOVES])
    assert first.startswith("would stop or move what runs: ")
    assert "cm" in first
    assert last.startswith("and then: ")
    assert "vip" in last


def test_no_order_for_a_terminal(lines):
    (line,) = lines({"properties:a": {"old": None, "new": "\x1b[2J"}}, [])
    assert "\x1b" not in line
