"""Drills at several sites: one after another, none after one that went wrong."""

import contextlib

import pytest

PAIRS = {name: {"pair": "cms"} for name in ("a", "b", "c")}


@pytest.fixture
def drills(pure, monkeypatch):
    """The module; ``drills.done`` has what was done, ``drills.wrong`` where it goes wrong, ``drills.busy``
    where somebody else is at work."""
    module = pure("cmha_drills")
    module.done, module.wrong, module.busy = [], {}, {}

    @contextlib.contextmanager
    def held(opts, site, action):
        yield module.busy.get(site)

    def work(what):
        def do(opts, site, pair, **more):
            module.done.append((what, site, more))
            return {"error": module.wrong.get(site), "moves": []}

        return do

    monkeypatch.setattr(module.cmha_lock, "held", held)
    monkeypatch.setattr(module.cmha_failover, "failover", work("failover"))
    monkeypatch.setattr(module.cmha_fence, "drill", work("fence"))
    return module


def test_one_after_another(drills):
    assert drills.at_sites({}, PAIRS) == {name: {"error": None, "moves": []} for name in "abc"}
    assert drills.done == [("failover", name, {"drill": True}) for name in "abc"]


def test_by_fencing(drills):
    assert list(drills.at_sites({}, PAIRS, by_fencing=True)) == ["a", "b", "c"]
    assert drills.done == [("fence", name, {}) for name in "abc"]


@pytest.mark.parametrize("how", ["wrong", "busy"])
def test_none_is_begun_after_one_that_went_wrong(drills, how):
    getattr(drills, how)["b"] = "no"
    done = drills.at_sites({}, PAIRS)
    assert {site: each["error"] for site, each in done.items()} == {"a": None, "b": "no"}
    assert [site for _, site, _ in drills.done] == (["a", "b"] if how == "wrong" else ["a"])


def test_some_at_once(drills):
    assert sorted(drills.at_sites({}, PAIRS, batch="100%")) == ["a", "b", "c"]


@pytest.mark.parametrize("error", [OSError("no memory"), KeyError("x"), KeyboardInterrupt()])
def test_a_defect_at_one_is_told_and_ends_it(drills, monkeypatch, error):
    def defect(opts, site, pair, **more):
        if site == "b":
            raise error
        return {"error": None}

    monkeypatch.setattr(drills.cmha_failover, "failover", defect)
    assert drills.at_sites({}, PAIRS) == {"a": {"error": None}, "b": {"error": repr(error)}}


def test_an_interruption_keeps_what_was_done(drills, monkeypatch):
    def interrupted(opts, what, pairs, at, *_):
        at("a", PAIRS["a"])
        raise SystemExit

    monkeypatch.setattr(drills, "each", interrupted)
    assert list(drills.at_sites({}, PAIRS)) == ["a"]
