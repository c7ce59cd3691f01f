"""Another's cluster is left alone; the packages' own is taken away."""

import pytest
from salt.exceptions import CommandExecutionError

PAIR = [
    {"name": "cms1", "address": "192.0.2.11"},
    {"name": "cms2", "address": "192.0.2.12"},
]


@pytest.fixture
def states(load_file):
    def on_a_host_of(whose, test=False, removes=lambda: "/var/lib/pacemaker/cib-packaged-x"):
        def cluster(nodes):
            assert nodes == PAIR
            if isinstance(whose, Exception):
                raise whose
            return {"is": whose, "runs": whose, "seen": "nodes in the CIB: alpha; members: none"}

        return load_file(
            "_states/corosync.py",
            opts={"test": test},
            grains={"id": "cms1"},
            salt={"corosync.cluster": cluster, "corosync.remove_packaged_cluster": removes},
        )

    return on_a_host_of


def never():
    pytest.fail("nothing may be removed here")


@pytest.mark.parametrize("whose", ["none", "this pair", "packaged"])
def test_nothing_in_the_way(states, whose):
    ret = states(whose).no_other_cluster("cmf", PAIR)
    assert (ret["result"], ret["changes"]) == (True, {})


@pytest.mark.parametrize("state", ["no_other_cluster", "packaged_cluster_absent"])
def test_anothers_cluster_is_a_failure_that_names_both(states, state):
    ret = getattr(states("another", removes=never), state)("cmf", PAIR)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "cms1 belongs to another cluster (nodes in the CIB: alpha; members" in ret["comment"]
    assert "cms1 (192.0.2.11) and cms2 (192.0.2.12)" in ret["comment"]


@pytest.mark.parametrize("whose", ["none", "this pair"])
def test_only_the_packages_own_cluster_is_taken_away(states, whose):
    ret = states(whose, removes=never).packaged_cluster_absent("cmf", PAIR)
    assert (ret["result"], ret["changes"]) == (True, {})


def test_the_packages_own_cluster(states):
    ret = states("packaged").packaged_cluster_absent("cmf", PAIR)
    assert ret["result"] is True
    assert ret["changes"]["packaged cluster"]["new"] is None
    assert "/var/lib/pacemaker/cib-packaged-x" in ret["comment"]


def test_a_prediction_removes_nothing(states):
    ret = states("packaged", test=True, removes=never).packaged_cluster_absent("cmf", PAIR)
    assert ret["result"] is None
    assert ret["changes"]


@pytest.mark.parametrize("state", ["no_other_cluster", "packaged_cluster_absent"])
def test_an_error_is_passed_on(states, state):
    ret = getattr(states(CommandExecutionError("cibadmin says no")), state)("cmf", PAIR)
    assert (ret["result"], ret["comment"]) == (False, "cibadmin says no")


# --- stopped and forgotten -----------------------------------------------------------------------

KEY = "/etc/corosync/authkey"


@pytest.fixture
def left(load_file):
    """The states on a host that has this of a cluster."""

    def on_a_host_with(remains=(), running=False, test=False, sets_aside=never):
        return load_file(
            "_states/corosync.py",
            opts={"test": test},
            grains={"id": "cms1"},
            salt={
                "corosync.running": lambda: running,
                "corosync.remains": lambda key_file: list(remains) if key_file == KEY else [],
                "corosync.set_aside": sets_aside,
            },
        )

    return on_a_host_with


@pytest.mark.parametrize("test", [False, True])
def test_stopped(left, test):
    ret = left(test=test).stopped("x")
    assert (ret["name"], ret["result"], ret["changes"]) == ("x", True, {})
    ret = left(running=True, test=test).stopped("x")
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"].startswith("Corosync runs on cms1; salt-run cmha.clean stops it")


@pytest.mark.parametrize("test", [False, True])
def test_nothing_to_forget(left, test):
    ret = left(test=test).forgotten("x", KEY)
    assert (ret["result"], ret["changes"]) == (True, {})


def test_forgotten(left):
    moved = {"/a": {"old": "there", "new": "/a.removed"}}
    predicted = left(["/a"], test=True).forgotten("x", KEY)
    assert (predicted["result"], set(predicted["changes"])) == (None, {"/a"})
    ret = left(["/a"], sets_aside={KEY: moved}.get).forgotten("x", KEY)
    assert (ret["result"], ret["changes"]) == (True, moved)


# --- the key -------------------------------------------------------------------------------------

PLACED = {"key": {"old": None, "new": "(secret)"}}


@pytest.fixture
def keyed(load_file):
    """The state on a host that has, or pillar has, a key."""

    def on_a_host(in_pillar=True, there=False, changes=None, test=False, places=never):
        def look(path):
            assert path == KEY
            if isinstance(in_pillar, Exception):
                raise in_pillar
            return {"in_pillar": in_pillar, "there": there, "changes": changes or {}}

        return load_file(
            "_states/corosync.py",
            opts={"test": test},
            grains={"id": "cms1"},
            salt={"corosync.authkey": look, "corosync.place_authkey": places},
        )

    return on_a_host


def test_a_key_is_placed(keyed):
    ret = keyed(changes=PLACED, places=lambda path: PLACED).authkey(KEY, needed=True)
    assert (ret["result"], ret["changes"]) == (True, PLACED)


def test_a_key_is_predicted(keyed):
    ret = keyed(changes=PLACED, test=True).authkey(KEY)
    assert (ret["result"], ret["changes"]) == (None, PLACED)


@pytest.mark.parametrize("test", [False, True])
def test_a_key_that_is_there(keyed, test):
    ret = keyed(there=True, test=test).authkey(KEY)
    assert (ret["result"], ret["changes"]) == (True, {})


@pytest.mark.parametrize("test", [False, True])
@pytest.mark.parametrize(
    ("there", "needed", "result"),
    [(True, True, True), (True, False, True), (False, False, True), (False, True, False)],
)
def test_without_a_key_in_pillar(keyed, there, needed, result, test):
    ret = keyed(in_pillar=False, there=there, test=test).authkey(KEY, needed=needed)
    assert (ret["result"], ret["changes"]) == (result, {})
    if not result:
        assert ret["comment"].startswith(f"traffic is to be authenticated, and cms1 has no {KEY}")


def test_a_wrong_key_is_a_line(keyed):
    ret = keyed(CommandExecutionError("pillar cmha:corosync:authkey: should be")).authkey(KEY)
    assert (ret["result"], ret["comment"]) == (False, "pillar cmha:corosync:authkey: should be")


def test_a_full_disk_is_a_line(keyed):
    def full(path):
        raise OSError(28, "No space left on device")

    ret = keyed(changes=PLACED, places=full).authkey(KEY)
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "No space left on device" in ret["comment"]


# --- what a start brings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "test", "result", "comment"),
    [
        ({}, False, True, "Corosync holds what corosync.conf says"),
        (
            {"totem.token": {"old": "1000", "new": "3000"}},
            False,
            False,
            "Corosync on cms1 was started with this, and doesn't take it in: totem.token 3000 (it holds",
        ),
        ({}, True, True, "is looked at when it has started"),
        (CommandExecutionError("cms1: Corosync hangs"), False, False, "cms1: Corosync hangs"),
    ],
)
def test_what_it_was_started_with_is_taken_in(load_file, left, test, result, comment):
    def note_refused():
        if isinstance(left, Exception):
            raise left
        return left

    module = load_file(
        "_states/corosync.py",
        opts={"test": test},
        grains={"id": "cms1"},
        salt={"corosync.note_refused": note_refused},
    )
    ret = module.taken_in("cmf")
    assert (ret["result"], ret["changes"]) == (result, {})
    assert ret["comment"].startswith(comment)
