"""The table of what Corosync knows, against what is known of its older generations."""

import pytest

# What the model writes by itself, or has no use for
OWN = {
    "totem": {"cluster_name", "nodeid", "interface", "key"},
    "interface": {"ringnumber", "linknumber", "member"},
    "node": {"ringX_addr", "nodeid", "name"},
    "quorum": {"device", "votes"},
    "quorum:device": {"net", "heuristics"},
    "logging": {"logger_subsys"},
}


@pytest.fixture
def keys(pure):
    return pure("corosync_keys")


def of_generation(table, generation, section):
    return {key for key, (known, _) in table.SECTIONS[section].items() if generation in known}


@pytest.fixture
def documented(formula_yaml):
    def read(version, section):
        names = set(formula_yaml("test/corosync-keys.yaml")[version][section].split())
        return names - OWN.get(section, set())

    return read


@pytest.mark.parametrize(
    ("generation", "version", "section"),
    [
        (1, "1.4", "totem"),
        (1, "1.4", "interface"),
        (1, "1.4", "logging"),
        (2, "2.4", "totem"),
        (2, "2.4", "interface"),
        (2, "2.4", "logging"),
        (2, "2.4", "quorum"),
        (3, "qdevice", "quorum:device"),
        (3, "qdevice", "quorum:device:net"),
    ],
)
def test_a_generations_keys_are_those_of_its_manual(keys, documented, generation, version, section):
    assert of_generation(keys, generation, section) == documented(version, section)


def test_the_keys_of_heuristics(keys, documented):
    known = of_generation(keys, 3, "quorum:device:heuristics")
    assert {key.replace("exec_", "exec_NAME") for key in known} == documented(
        "qdevice", "quorum:device:heuristics"
    )


def test_1_counts_no_votes(keys):
    for section in keys.SECTIONS:
        if section.startswith("quorum"):
            assert of_generation(keys, 1, section) == set()


def test_every_word_is_known_to_a_generation_that_knows_its_key(keys):
    for section in keys.SECTIONS.values():
        for generations, rule in section.values():
            for those in rule.values() if isinstance(rule, dict) else ():
                assert set(those) <= set(generations)


def test_every_hint_is_a_key_that_its_generation_knows(keys):
    for (section, key, generation), instead in keys.INSTEAD.items():
        assert keys.unknown(generation, section, key, "x").endswith(f"it; use {instead}")
        assert instead in of_generation(keys, generation, section)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ((3, "totem", "token", 1000), None),
        ((3, "totem", "transport", "knet"), None),
        ((2, "totem", "version", 2), None),
        ((2, "quorum:device:heuristics", "exec_ping", "ping"), None),
        ((1, "quorum:device:heuristics", "exec_ping", "ping"), "Corosync 1.x doesn't know it"),
        ((2, "logging", "timestamp", "hires"), "Corosync 2.x doesn't know hires; it knows on, off"),
    ],
)
def test_unknown(keys, asked, problem):
    assert keys.unknown(*asked) == problem
