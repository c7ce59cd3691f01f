"""How a running pair takes in what waits for a reload or a restart: the order of it, and the way back."""

import copy

import cmha_reconfigure
import pytest
from cmha_master import HostError
from facts import NOTHING_WAITS as NOTHING
from masters import PAIR, FakeMaster

CHANGES = {"totem.token": {"old": "1000", "new": "3000"}}
PACKAGES = {"corosync": {"old": "3.1.7", "new": "3.1.8"}}
WAITS = {**NOTHING, "corosync": CHANGES}


class Pair:
    """A pair on which something waits: by host, what ``cmha_host.pending`` says."""

    def __init__(self, **pending):
        self.waits = copy.deepcopy(pending)
        self.where = ["cms1"]
        self.reload_does_it = True
        self.in_repositories = True
        self.answers = {
            "cmha_host.pending": lambda host, **_: self.waits[host],
            "cmha.start": self.start,
            "corosync.pending": lambda host: {"changes": self.waits[host]["corosync"]},
            "corosync.reload": self.reload,
            "crm.started": lambda host, resource: self.where,
            "daemons.not_in_repositories": lambda host, wanted: (
                [] if self.in_repositories else list(wanted)
            ),
        }

    def start(self, host):
        self.waits[host] = NOTHING

    def reload(self, _):
        if self.reload_does_it:
            self.waits = dict.fromkeys(self.waits, NOTHING)


@pytest.fixture
def on(pure, monkeypatch):
    """``run`` and ``deeds`` of the module at the master of a pair."""

    def at_master(pair):
        module = pure("cmha_reconfigure")
        master = FakeMaster(pair.answers)
        monkeypatch.setattr(module, "Master", master)
        return (lambda test=False: module.attempt({}, "east", PAIR, test)), master.deeds

    return at_master


def both(pending):
    return Pair(h1=pending, h2=pending)


@pytest.mark.parametrize(
    "pair",
    [
        both(NOTHING),
        # a stopped host takes all in when it starts
        Pair(h1=NOTHING, h2={**WAITS, "way": "together", "running": False}),
        both({**WAITS, "way": "together", "running": False}),
    ],
)
@pytest.mark.parametrize("test", [False, True])
def test_nothing_waits(on, pair, test):
    run, deeds = on(pair)
    done = run(test)
    assert (done["result"], done["changes"], deeds) == (True, {}, [])


# --- reload --------------------------------------------------------------------------------------


def test_one_hosts_reload_is_for_all(on):
    run, deeds = on(both({**WAITS, "way": "reload"}))
    done = run()
    change = {"corosync": CHANGES, "how": "reload"}
    assert (done["result"], done["changes"]) == (True, {"h1": change, "h2": change})
    assert done["comment"] == "taken in by a reload on h1 and h2"
    assert deeds == ["corosync.reload h1"]


def test_a_reload_that_leaves_something_is_followed_by_a_restart(on):
    pair = both({**WAITS, "way": "reload"})
    pair.reload_does_it = False
    run, deeds = on(pair)
    done = run()
    assert done["changes"]["h1"]["how"] == "one by one"
    assert done["comment"].startswith("taken in by a restart in maintenance mode, one host after")
    assert deeds == ["corosync.reload h1", "maintenance.begin h1", *restart("h2"), *restart("h1")]


def test_a_reload_that_is_refused(on):
    pair = both({**WAITS, "way": "reload"})
    pair.answers["corosync.reload"] = refuses("h1: Corosync doesn't reload")
    run, deeds = on(pair)
    assert run() == {"result": False, "changes": {}, "comment": "h1: Corosync doesn't reload"}
    assert deeds == ["corosync.reload h1"]


def refuses(text):
    def answer(*_, **__):
        raise HostError(text)

    return answer


# --- restart -------------------------------------------------------------------------------------


def restart(host):
    return [f"corosync.stop {host}", f"cmha.packages {host}", f"cmha.start {host}"]


ONE_BY_ONE = {**WAITS, "way": "one by one"}
TOGETHER = {**WAITS, "way": "together"}
NEWER = {**NOTHING, "packages": PACKAGES}


@pytest.mark.parametrize(("home", "order"), [("cms1", ("h2", "h1")), ("cms2", ("h1", "h2"))])
@pytest.mark.parametrize("waits", [ONE_BY_ONE, NEWER, {**WAITS, **NEWER, "way": "reload"}])
def test_one_after_the_other_the_host_without_the_service_first(on, waits, home, order):
    pair = both(waits)
    pair.where = [home]
    run, deeds = on(pair)
    done = run()
    assert (done["result"], done["changes"]["h2"]["how"]) == (True, "one by one")
    assert deeds == ["maintenance.begin h1", *restart(order[0]), *restart(order[1])]


def test_only_a_host_where_something_waits_is_restarted(on):
    run, deeds = on(Pair(h1=NOTHING, h2=NEWER))
    assert run()["changes"] == {"h2": {"packages": PACKAGES, "how": "one by one"}}
    assert deeds == ["maintenance.begin h1", *restart("h2")]


BOTH_STOPPED = ["maintenance.begin h1", "corosync.stop h1+h2", "cmha.packages h1+h2"]


@pytest.mark.parametrize(
    "pair",
    [both(TOGETHER), Pair(h1=TOGETHER, h2=NOTHING), Pair(h1=ONE_BY_ONE, h2=TOGETHER)],
)
def test_together_stops_both_and_starts_none(on, pair):
    """What follows in the orchestration starts both."""
    run, deeds = on(pair)
    done = run()
    assert {each["how"] for each in done["changes"].values()} == {"together"}
    assert "of both hosts at once" in done["comment"]
    assert deeds == BOTH_STOPPED


@pytest.mark.parametrize("waits", [ONE_BY_ONE, TOGETHER])
def test_a_host_that_runs_alone_is_stopped_and_not_started(on, waits):
    run, deeds = on(Pair(h1={**NOTHING, "running": False}, h2=waits))
    assert run()["result"] is True
    assert deeds == ["maintenance.begin h2", "corosync.stop h2", "cmha.packages h2"]


@pytest.mark.parametrize("left", [NOTHING, ONE_BY_ONE])
def test_a_host_that_was_left_half_way_is_stopped_with_the_other(on, left):
    """Its Corosync runs, its Pacemaker doesn't: the other would wait for it in vain."""
    run, deeds = on(Pair(h1=ONE_BY_ONE, h2={**left, "pacemaker": False}))
    assert run()["result"] is True
    assert deeds == BOTH_STOPPED


def test_where_pacemaker_runs_nowhere_there_is_nothing_to_maintain(on):
    run, deeds = on(both({**ONE_BY_ONE, "pacemaker": False}))
    assert run()["result"] is True
    assert deeds == BOTH_STOPPED[1:]


# --- what keeps it from beginning ----------------------------------------------------------------


def test_a_version_that_no_repository_has(on):
    pair = both(NEWER)
    pair.in_repositories = False
    run, deeds = on(pair)
    done = run()
    assert (done["result"], done["changes"], deeds) == (False, {}, [])
    assert done["comment"] == (
        "no repository of h1 has corosync 3.1.8 (cmha:versions); nothing was restarted"
    )


@pytest.mark.parametrize(("where", "said"), [([], "no host"), (["cms1", "cms2"], "cms1 and cms2")])
@pytest.mark.parametrize("waits", [ONE_BY_ONE, TOGETHER])
def test_a_service_that_does_not_run_once(on, waits, where, said):
    pair = both(waits)
    pair.where = where
    run, deeds = on(pair)
    done = run()
    assert (done["result"], deeds) == (False, [])
    assert done["comment"].startswith(f"cm runs on {said}, not on one; nothing was restarted.")


@pytest.mark.parametrize("waits", [{**WAITS, "way": "reload"}, ONE_BY_ONE, TOGETHER, NEWER])
def test_a_prediction_touches_nothing(on, waits):
    run, deeds = on(both(waits))
    done = run(test=True)
    assert (done["result"], deeds) == (None, [])
    assert set(done["changes"]) == {"h1", "h2"}
    assert done["comment"].startswith("would be taken in by a re")


@pytest.mark.parametrize("test", [False, True])
def test_a_prediction_is_made_from_pillar(on, test):
    pair, planned = both(NOTHING), []
    pair.answers["cmha_host.pending"] = lambda host, **options: planned.append(options) or NOTHING
    on(pair)[0](test)
    assert planned == [{"planned": test}] * 2


def test_maintenance_that_does_not_begin_stops_nothing(on):
    pair = both(ONE_BY_ONE)
    pair.answers["maintenance.begin"] = refuses("h1: no")
    run, deeds = on(pair)
    comment = run()["comment"]
    assert comment.startswith("h1: no; nothing was restarted")
    assert "ends maintenance mode, if it has begun" in comment
    assert deeds == ["maintenance.begin h1"]


# --- half-way ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "function"),
    [
        (ONE_BY_ONE, "corosync.stop"),
        (ONE_BY_ONE, "cmha.packages"),
        (ONE_BY_ONE, "cmha.start"),
        (TOGETHER, "corosync.stop"),
        (TOGETHER, "cmha.packages"),
    ],
)
def test_a_failure_half_way_says_where_things_stand_and_the_way_back(on, waits, function):
    pair = both(waits)
    pair.answers[function] = refuses("h2: no")
    run, deeds = on(pair)
    done = run()
    assert (done["result"], done["changes"]) == (False, {})
    assert (
        "h2: no. The pair stays in maintenance mode: cm is left running on cms1"
        in (done["comment"])
    )
    assert "run the orchestration again" in done["comment"]
    assert "give pillar the old values" in done["comment"]
    assert "crm configure property maintenance-mode=false" in done["comment"]
    assert deeds[-1].startswith(function)
    assert "cmha.start h1" not in deeds


def test_a_host_that_comes_back_with_the_old_values(on):
    pair = both(ONE_BY_ONE)
    pair.answers["cmha.start"] = None
    run, deeds = on(pair)
    assert run()["comment"].startswith(
        "h2 runs again, but without the new totem.token. The pair stays in maintenance mode"
    )
    assert deeds == ["maintenance.begin h1", *restart("h2")]


def test_a_service_that_is_found_elsewhere_afterwards(on):
    pair = both(ONE_BY_ONE)

    def start(host):
        pair.start(host)
        pair.where = []

    pair.answers["cmha.start"] = start
    run, deeds = on(pair)
    assert run()["comment"].startswith("h2: Pacemaker finds cm nowhere, it was on cms1. The pair")
    assert deeds == ["maintenance.begin h1", *restart("h2")]


def test_a_service_that_is_found_on_another_node(on):
    pair = both(ONE_BY_ONE)

    def start(host):
        pair.start(host)
        pair.where = ["cms2"]

    pair.answers["cmha.start"] = start
    assert on(pair)[0]()["comment"].startswith(
        "h2: Pacemaker finds cm on cms2, it was on cms1. The pair"
    )


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ({"h1": {"on": True, "ours": True}, "h2": {"on": True, "ours": True}}, True),
        ({"h1": {"on": True, "ours": True}, "h2": None}, True),
        ({"h1": {"on": True, "ours": False}, "h2": {"on": True, "ours": False}}, False),
        ({"h1": {"on": False, "ours": True}, "h2": {"on": False, "ours": False}}, False),
        ({"h1": None, "h2": None}, False),
    ],
)
def test_the_way_back_from_a_later_step(monkeypatch, statuses, said):
    master = FakeMaster(
        {"maintenance.status": lambda host: statuses[host] or refuses("mute")(host)}
    )
    monkeypatch.setattr(cmha_reconfigure, "Master", master)
    text = cmha_reconfigure.way_back({}, PAIR)
    assert ("cm is left as it is, and nothing fails over" in text) is said
    assert bool(text) is said


@pytest.mark.parametrize("test", [False, True])
@pytest.mark.parametrize("way", ["reload", "one by one", "together"])
def test_what_a_start_did_not_bring_is_not_tried_again(on, way, test):
    waits = {**WAITS, "way": way}
    run, deeds = on(Pair(h1=waits, h2={**waits, "refused": ["totem.token"]}))
    done = run(test)
    assert (done["result"], done["changes"], deeds) == (False, {}, [])
    assert done["comment"].startswith(
        "h2: Corosync was started with totem.token 3000 and doesn't take it in"
    )


def test_another_version_may_take_it_in(on):
    waits = {**WAITS, "way": "together", "refused": ["totem.token"], "packages": PACKAGES}
    run, _ = on(both(waits))
    assert run(True)["result"] is None


# --- in the middle of an upgrade -----------------------------------------------------------------

MIXED = {"h1": "3.16.1", "h2": "3.20.0"}


def mixed(pending, h2=None):
    pair = Pair(h1=pending, h2=h2 or pending)
    pair.answers["crm.feature_set"] = MIXED.get
    return pair


@pytest.mark.parametrize("pending", [ONE_BY_ONE, TOGETHER, NEWER])
@pytest.mark.parametrize("test", [False, True])
def test_the_older_host_is_never_restarted_beside_a_newer_one(on, pending, test):
    """The newer one would be alone meanwhile, and Pacemaker lets the older one in no more."""
    run, deeds = on(mixed(pending))
    done = run(test)
    assert (done["result"], done["changes"], deeds) == (False, {}, [])
    assert done["comment"] == (
        "h1 has an older Pacemaker (feature set 3.16.1) than h2 (3.20.0), and could not come back from a "
        "restart; nothing was restarted. Upgrade h1 first, or take the change out of pillar"
    )


def test_a_reload_takes_nobody_out(on):
    run, deeds = on(mixed({**WAITS, "way": "reload"}))
    assert run()["result"] is True
    assert deeds == ["corosync.reload h1"]


def test_a_reload_that_would_need_a_restart_ends_there(on):
    pair = mixed({**WAITS, "way": "reload"})
    pair.reload_does_it = False
    run, deeds = on(pair)
    assert "could not come back from a restart" in run()["comment"]
    assert deeds == ["corosync.reload h1"]


def test_the_newer_host_may_be_restarted(on):
    run, deeds = on(mixed(NOTHING, h2=ONE_BY_ONE))
    assert run()["result"] is True
    assert deeds == ["maintenance.begin h1", *restart("h2")]


def test_a_restart_that_brings_the_newer_pacemaker_is_the_way_out(on):
    packages = {"pacemaker": {"old": "2.1.5", "new": "3.0.0"}}
    run, deeds = on(mixed({**NOTHING, "packages": packages}, h2=NOTHING))
    assert run()["result"] is True
    assert deeds == ["maintenance.begin h1", *restart("h1")]
