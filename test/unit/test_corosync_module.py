"""What Corosync's tools print, and whose cluster that is."""

import pytest

# corosync-cmapctl of 3.1.7, shortened
CMAP_3 = """\
nodelist.node.0.name (str) = cms1
runtime.members.1.config_version (u64) = 0
runtime.members.1.ip (str) = r(0) ip(192.0.2.11)
runtime.members.1.join_count (u32) = 1
runtime.members.1.status (str) = joined
runtime.members.2.config_version (u64) = 0
runtime.members.2.ip (str) = r(0) ip(192.0.2.12)
runtime.members.2.join_count (u32) = 2
runtime.members.2.status (str) = left
"""

# corosync-objctl of 1.4 and corosync-cmapctl of 2.x, as in the guide
CMAP_1 = """\
runtime.totem.pg.mrp.srp.members.1.ip=r(0) ip(192.0.2.11)
runtime.totem.pg.mrp.srp.members.1.status=joined
"""
CMAP_2 = """\
runtime.totem.pg.mrp.srp.members.1.ip (str) = r(0) ip(192.0.2.11) r(1) ip(198.51.100.11)
runtime.totem.pg.mrp.srp.members.1.status (str) = joined
"""

PAIR = [
    {"name": "cms1", "address": "192.0.2.11"},
    {"name": "cms2", "address": "192.0.2.12"},
]


@pytest.fixture
def corosync(load_file, monkeypatch):
    """The module on a host where corosync is installed; ``says`` is what its tools print."""

    def with_answers(says, retcode=0, cib_nodes=(), resources=()):
        module = load_file(
            "_modules/corosync.py",
            grains={"id": "cms1"},
            salt={
                "cmd.run_all": lambda *_, **__: {
                    "stdout": says,
                    "stderr": "",
                    "retcode": retcode,
                },
                "crm.query": lambda: "<cib/>",
            },
            utils={
                "cib.nodes": lambda xml: dict.fromkeys(cib_nodes, "1"),
                "cib.model": lambda xml: {"primitives": {name: {} for name in resources}},
            },
        )
        monkeypatch.setattr("salt.utils.path.which", lambda name: f"/usr/sbin/{name}")
        return module

    return with_answers


@pytest.mark.parametrize(
    ("says", "version", "generation"),
    [
        ("Corosync Cluster Engine, version '3.1.7'\nCopyright (c) 2006-2021 Red Hat", "3.1.7", 2),
        ("Corosync Cluster Engine, version '2.4.5'", "2.4.5", 2),
        ("Corosync Cluster Engine, version '1.4.7'", "1.4.7", 1),
    ],
)
def test_version_and_generation(corosync, says, version, generation):
    assert corosync(says).version() == version
    assert corosync(says).generation(9) == generation


def test_not_installed(corosync, monkeypatch):
    module = corosync("")
    monkeypatch.setattr("salt.utils.path.which", lambda name: None)
    assert module.version() is None
    assert module.generation(1) == 1
    assert module.members() == {}
    assert module.running() is False


def test_a_version_that_cannot_be_read_is_not_guessed(corosync):
    with pytest.raises(Exception, match="corosync -v on cms1 names no version"):
        corosync("garbage").version()


def test_members_of_three_generations(corosync):
    one = {1: {"address": "192.0.2.11", "status": "joined"}}
    assert corosync(CMAP_1).members() == one
    assert corosync(CMAP_2).members() == one
    assert corosync(CMAP_3).members() == {
        **one,
        2: {"address": "192.0.2.12", "status": "left"},
    }


def test_a_stopped_corosync_has_no_members(corosync):
    module = corosync("Could not connect to CMAP service", retcode=1)
    assert module.members() == {}
    assert module.running() is False


LOOPBACK = (
    "runtime.members.1.ip (str) = r(0) ip(127.0.0.1)\nruntime.members.1.status (str) = joined"
)
FOREIGN = (
    "runtime.members.1.ip (str) = r(0) ip(192.0.2.77)\nruntime.members.1.status (str) = joined"
)


@pytest.mark.parametrize(
    ("cmap", "cib_nodes", "resources", "answer"),
    [
        (None, [], [], "none"),
        (CMAP_3, ["cms1", "cms2"], ["x"], "this pair"),
        (CMAP_3, [], [], "this pair"),
        (None, ["cms1", "cms2"], ["x"], "this pair"),
        (None, ["cms1"], [], "this pair"),
        (LOOPBACK, ["node1"], [], "packaged"),
        (LOOPBACK, [], [], "packaged"),
        (LOOPBACK, ["cms1"], [], "packaged"),
        (None, ["node1"], [], "packaged"),
        (LOOPBACK, ["node1"], ["cloudera-scm-server"], "another"),
        (LOOPBACK, ["cms1"], ["cloudera-scm-server"], "another"),
        (None, ["node1"], ["cloudera-scm-server"], "another"),
        (CMAP_3, ["cms1", "cms2", "node1"], [], "another"),
        (FOREIGN, ["cms1", "cms2"], [], "another"),
        (FOREIGN, [], [], "another"),
        (None, ["db1", "db2"], [], "another"),
    ],
)
def test_whose_cluster(corosync, cmap, cib_nodes, resources, answer):
    module = corosync(cmap or "", 0 if cmap else 1, cib_nodes, resources)
    found = module.cluster(PAIR)
    assert found["is"] == answer
    assert found["runs"] == (answer if cmap else "none")
