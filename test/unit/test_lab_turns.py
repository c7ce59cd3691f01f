"""Whose turn it is in the lab: each day somebody's, and whoever is asked for."""

import datetime
import importlib.util

import pytest


@pytest.fixture
def turns(formula):
    spec = importlib.util.spec_from_file_location("turns", formula / "test/lab/turns.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_within_as_many_days_as_there_are_all_have_had_their_turn(turns):
    first = datetime.date(2026, 12, 29)
    days = [first + datetime.timedelta(days=number) for number in range(len(turns.NAMES))]
    had = [turns.chosen(environment={}, today=day) for day in days]
    assert sorted(had) == [[name] for name in turns.NAMES]


def test_who_is_asked_for(turns):
    assert turns.chosen(environment={"CMHA_TURN": "boot"}) == ["boot"]
    assert turns.chosen(["boot"], environment={"CMHA_TURN": "trixie"}) == []
    assert turns.chosen(["trixie", "boot"], environment={"CMHA_TURN": "all"}) == ["trixie", "boot"]


def test_who_is_not_known(turns):
    with pytest.raises(
        pytest.UsageError, match="CMHA_TURN=boots: should be all, or one of: boot, "
    ):
        turns.chosen(environment={"CMHA_TURN": "boots"})
