"""What the master remembers of sites, in Salt's own cache."""

import copy

import pytest
import salt.config

PAIR = {
    "pair": "cms",
    "role": "server",
    "cluster_name": "cmf",
    "resource": "cm",
    "service": "cm",
    "port": 7180,
    "timeouts": {},
    "qnetd": None,
    "start_on_boot": "never",
    "device": None,
    "wants_certificate": False,
    "nodes": [{"id": "h1"}, {"id": "h2"}],
}


def site(name="east"):
    return {"site": name, "pairs": [copy.deepcopy(PAIR)]}


@pytest.fixture
def memory(pure):
    return pure("cmha_memory")


@pytest.fixture
def opts(tmp_path):
    return {**salt.config.master_config(None), "cachedir": str(tmp_path)}


@pytest.mark.parametrize("name", ["east", "007", "a.b-c_d", "a/../../b", "ü ☃"])
def test_what_was_remembered_is_recalled(memory, opts, name):
    memory.remember(opts, [site(name)])
    (kept,) = memory.recall(opts).values()
    assert kept["site"] == site(name)
    assert kept["at"] > 1_700_000_000


def test_what_is_forgotten_is_not(memory, opts):
    memory.remember(opts, [site("east"), site("west")])
    memory.forget(opts, "east")
    memory.forget(opts, "north")
    assert list(memory.recall(opts)) == ["west"]


def test_nothing_was_ever_known(memory, opts):
    assert memory.recall(opts) == {}


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        "x",
        {},
        {"at": "then", "site": site()},
        {"at": 1, "site": {"site": "east"}},
        {"at": 1, "site": {"site": "east", "pairs": [{"nodes": [1, 2]}]}},
        {"at": 1, "site": {"site": "east", "pairs": [{**PAIR, "nodes": []}]}},
    ],
)
def test_what_another_version_wrote(memory, opts, kept):
    memory.salt.cache.factory(opts).store("cmha/sites", "east", kept)
    assert memory.recall(opts) == {}


def test_a_cache_that_is_broken_hinders_nobody(memory, opts, tmp_path):
    memory.remember(opts, [site()])
    (file,) = tmp_path.rglob("*.p")
    file.write_bytes(b"\xff\x00")
    assert memory.recall(opts) == {}
    file.unlink()
    file.mkdir()
    memory.remember(opts, [site()])
    assert memory.recall(opts) == {}
