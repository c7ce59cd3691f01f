"""Which meta attribute counts for a resource."""

import pytest


@pytest.fixture
def nearest(pure):
    return lambda declared, name="a": pure("cib_meta").nearest(declared, "cm", name)


OWN = {"agent": "@like", "meta": {"a": "own"}}
SET = {"agent": "@like", "meta_sets": {"night": {"values": {"a": "set"}}}}


@pytest.mark.parametrize(
    ("primitive", "value", "keys"),
    [
        (OWN, "own", ("primitives", "cm", "meta", "a")),
        (SET, "set", ("primitives", "cm", "meta_sets", "night", "values", "a")),
        ({"agent": "@like"}, "template", ("templates", "like", "meta", "a")),
        ("@like", "template", ("templates", "like", "meta", "a")),
        ("lsb:cm", "group", ("groups", "g", "meta", "a")),
    ],
)
def test_what_stands_nearest_counts(nearest, primitive, value, keys):
    declared = {
        "primitives": {"cm": primitive},
        "templates": {"like": {"meta": {"a": "template"}}, "other": {"meta": {"a": "no"}}},
        "groups": {
            "other": {"members": ["vip"], "meta": {"a": "no"}},
            "g": {"members": ["vip", "cm"], "meta": {"a": "group"}},
        },
        "rsc_defaults": {"a": "default"},
    }
    assert nearest(declared) == (value, keys)


def test_without_sets_and_only_its_own_template(pure):
    declared = {
        "primitives": {"cm": SET, "other": "like"},
        "templates": {"like": {"meta": {"a": "template"}}},
        "rsc_defaults_sets": {"night": {"values": {"b": "set"}}},
    }
    nearest = pure("cib_meta").nearest
    assert nearest(declared, "cm", "a", sets=False) == (
        "template",
        ("templates", "like", "meta", "a"),
    )
    assert nearest(declared, "cm", "b", sets=False) == (None, ())
    assert nearest(declared, "other", "a") == (None, ())


def test_the_clusters_defaults_come_last(nearest):
    declared = {
        "primitives": {"cm": "lsb:cm"},
        "rsc_defaults_sets": {"night": {"values": {"a": "set"}}},
    }
    assert nearest(declared) == ("set", ("rsc_defaults_sets", "night", "values", "a"))
    declared["rsc_defaults"] = {"a": "default"}
    assert nearest(declared) == ("default", ("rsc_defaults", "a"))
    assert nearest(declared, "b") == (None, ())


@pytest.mark.parametrize("wrong", [None, 1, [], "x", {"cm": 1}, {"cm": None}])
def test_what_is_wrong_counts_for_nothing(nearest, wrong):
    declared = dict.fromkeys(
        ("primitives", "templates", "groups", "rsc_defaults", "rsc_defaults_sets"), wrong
    )
    assert nearest(declared) == (None, ())
