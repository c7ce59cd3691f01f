"""What a campaign makes of heartbeats and rounds."""

import random

import faults
import pytest
import record
import table
from activity import Interval


def on(host, start, end):
    return Interval("s", host, start, end)


@pytest.mark.parametrize(
    ("intervals", "cuts", "seen"),
    [
        ([on("a", 0, 100)], {}, (0, 0, 0)),
        ([on("a", 0, 20), on("b", 25, 100)], {}, (5, 15, 0)),
        # a gap that ends, and another one
        ([on("a", 0, 20), on("b", 25, 30), on("a", 40, 100)], {}, (15, 30, 0)),
        ([on("a", 0, 50), on("b", 40, 100)], {}, (0, 0, 10)),
        # nobody reaches who is cut off, though it is active
        ([on("a", 0, 100)], {"a": [(20, 30)]}, (10, 20, 0)),
        ([on("a", 0, 100)], {"b": [(20, 30)]}, (0, 0, 0)),
        ([on("a", 0, 100), on("b", 22, 60)], {"a": [(20, 30)]}, (2, 12, 38)),
        # not yet back
        ([on("a", 0, 20)], {}, (80, 90, 0)),
        ([], {}, (90, 90, 0)),
        # a busy machine
        ([on("a", 0, 20), on("a", 20.4, 100)], {}, (0, 0, 0)),
    ],
)
def test_what_the_heartbeats_say(intervals, cuts, seen):
    assert record.seen(intervals, cuts, began=10, ended=100) == seen


def test_a_table():
    rounds = [
        table.Round("crash", 5.0, 6.0, 0.0, True, []),
        table.Round("crash", 7.0, 8.0, 1.5, True, ["two were active"]),
        table.Round("kill", 0.0, 0.0, 0.0, False, []),
    ]
    _, _, crash, kill, every = table.markdown(rounds).splitlines()
    assert crash == "| crash | 2 | 7.0, 8.0, 8.0 s | 7.0 s | 1, 1.5 s at most | 2 | 1 |"
    assert kill == "| kill | 1 | 0.0, 0.0, 0.0 s | 0.0 s | none | 0 | 0 |"
    assert every.startswith("| all | 3 | 6.0, 8.0, 8.0 s |")


def test_a_seed_chooses_the_same_faults_again():
    chosen = [[random.Random("7").choice(faults.FAULTS) for _ in range(20)] for _ in range(2)]
    assert chosen[0] == chosen[1]


def test_each_fault_has_a_name_of_its_own():
    names = [each.name for each in faults.FAULTS]
    assert len(names) == len(set(names))
