"""Failover, rejoin and clean: what they refuse, in which order they act, and what they say of it."""

import copy

import cmha_clean
import cmha_failover
import cmha_fence
import cmha_pair
import cmha_rejoin
import pytest
from cmha_master import HostError
from masters import PAIR, FakeMaster

NODE = dict.fromkeys(("standby", "maintenance", "pending", "unclean", "shutdown"), False)
FAILURE = {
    "resource": "cm",
    "task": "start",
    "node": "cms2",
    "reason": "timed out",
    "when": "today",
}
LEFTOVER = {"id": "cli-prefer-cm", "resource": "cm", "node": "cms1"}


class Pair:
    """A pair that does as it is told. ``where`` is the node that runs the service."""

    def __init__(self):
        self.where = ["cms1"]
        self.running = {"h1", "h2"}
        self.unfit = {}
        self.silent = {}
        self.unable = {}
        self.hangs = []
        self.failures, self.leftovers = [], []
        self.maintenance = {"on": False, "ours": False}
        self.foreseen, self.planned_without, self.drawn_to = None, None, None
        self.planned, self.unfenced, self.follows = {}, [], True
        self.feature_sets = {"h1": "3.16.1", "h2": "3.16.1"}
        self.services = {"h1": "running", "h2": "stopped"}
        self.answers = {
            "cmha_host.health": self.health,
            "cmha_host.causes": lambda host: {"logs": {}, "service": self.services[host]},
            "cmha_host.move": self.move,
            "cmha_host.pending": lambda host, planned: {"corosync": self.planned},
            "corosync.stop": self.stop,
            "crm.check": self.check,
            "crm.feature_set": lambda host: self.feature_sets[host],
            "crm.clear": lambda host, resource: self.leftovers.clear(),
            "crm.plan": self.plan,
            "crm_forecast.after_move": lambda host, _, node: [self.drawn_to or node],
            "crm.started": lambda host, resource: self.where,
            "crm_forecast.unfenced": lambda host, node: self.unfenced,
            "fencing.fence": self.fence,
            "fencing.confirm_off": self.told_off,
            "service.status": lambda host, service: self.services[host] == "running",
        }

    def health(self, host, known):
        assert known == {"resource": "cm", "service": "cm-service", "port": 7180}
        if host in self.silent:
            raise HostError(self.silent[host])
        nodes = {
            name: {**NODE, "online": each in self.running, **self.unfit.get(name, {})}
            for each, name in (("h1", "cms1"), ("h2", "cms2"))
        }
        cluster = {
            "dc": "cms1",
            "with_quorum": True,
            "nodes": nodes,
            "resources": {
                "cm": {
                    **dict.fromkeys(("started", "nodes"), self.where),
                    "failed": False,
                    "blocked": False,
                    "managed": True,
                }
            },
            "failures": self.failures,
        }
        runs = self.services[host] == "running"
        return {
            "hangs": self.hangs if host == "h2" else [],
            "recovers": [],
            "service": {"running": runs, "text": "", "every": 30, "owner": None},
            "answers": runs,
            "frozen": None,
            "unable": self.unable.get(host, []),
            "survival": {
                node: {"takes_over": "cms2" if node == "cms1" else "cms1", "why": []}
                for node in self.where
            },
            "unsure": None,
            "pillar": "a digest",
            "wrong": None,
            "cluster": cluster if host in self.running else None,
            "leftovers": list(self.leftovers),
            "maintenance": self.maintenance,
            "since": {},
            "drift": [],
            "at_boot": [],
            "device": None,
        }

    def move(self, host, resource, target, *rest, service):
        assert (resource, *rest) == ("cm", ["192.0.2.11", "192.0.2.12"], 7180, 6)
        assert service == PAIR["service"]
        self.where = [target]
        self.services = {
            each: "running" if target == name else "stopped"
            for each, name in (("h1", "cms1"), ("h2", "cms2"))
        }
        return {
            "away": 1.5,
            "seen_by": "the page on port 7180",
            "started": [target],
            "overcome": [],
        }

    def fence(self, host, node):
        self.running = {host}
        if node in self.where and self.follows:
            self.where = ["cms2" if node == "cms1" else "cms1"]
            self.services = {"h1": "stopped", "h2": "stopped", host: "running"}
        return {"seconds": 4.25, "said": f"was able to reboot {node}"}

    def told_off(self, host, node):
        self.unfit = {}
        self.fence(host, node)

    def stop(self, host):
        self.running = self.running - {host}
        return True

    def check(self, host, resource):
        runs = self.services[host] == "running"
        return {"running": runs, "rc": 0 if runs else 7, "text": "so"}

    def plan(self, host, declared, absent):
        self.planned_without = absent["locations"]
        (trial,) = declared["locations"].values()
        assert trial == {"rsc": "cm", "node": trial["node"], "score": "INFINITY"}
        effect = {"action": "Move", "what": "cm", "where": f"{self.where[0]} -> {trial['node']}"}
        return {"effects": [effect] if self.foreseen is None else self.foreseen}


@pytest.fixture
def pair():
    return Pair()


@pytest.fixture
def master(pair, monkeypatch):
    """The master of that pair; it notes what hosts were asked."""
    master = FakeMaster(pair.answers)
    monkeypatch.setattr(cmha_pair, "Master", master)
    return master


@pytest.fixture
def deeds(master):
    return master.deeds


@pytest.fixture
def failover(master):
    return lambda **options: cmha_failover.failover({}, "east", PAIR, **options)


@pytest.fixture
def rejoin(master):
    return lambda host="h2", **options: cmha_rejoin.rejoin({}, "east", PAIR, host, **options)


@pytest.fixture
def fence(master):
    return lambda host="h1", **options: cmha_fence.fence({}, "east", PAIR, host, **options)


@pytest.fixture
def clean(master):
    return lambda keep="cms1", **options: cmha_clean.clean({}, "east", PAIR, keep, **options)


def fails(text):
    def answer(*_, **__):
        raise HostError(text)

    return answer


def test_health(master, pair, deeds):
    pair.silent = {"h2": "h2 doesn't answer"}
    (report,), digests = cmha_pair.seen({}, [("east", PAIR)])
    assert report["nodes"] == {"cms1": "online", "cms2": "silent"}
    assert digests == {"h1": "a digest"}
    assert deeds == []


def test_a_rejoin_of_a_host_that_its_peer_does_not_hear(rejoin, pair, deeds):
    """Its own cluster runs: there is nothing to start."""
    pair.unfit = {"cms1": {"online": False}}
    done = rejoin("h1", confirm=True)
    assert done["error"].startswith(
        "h1: its cluster runs, and is offline for cms2: they don't hear each"
    )
    assert deeds == []


# --- failover ------------------------------------------------------------------------------------

MOVED = {
    "from": "cms1",
    "to": "cms2",
    "away": 1.5,
    "seen_by": "the page on port 7180",
    "overcome": [],
}
MOVED_BACK = {**MOVED, "from": "cms2", "to": "cms1"}


@pytest.mark.parametrize("to", [None, "cms2", "h2"])
def test_failover(failover, master, deeds, to):
    assert failover(to=to) == {
        "resource": "cm",
        "moves": [MOVED],
        "cleared": [],
        "outlook": ["if cms2 dies, cm starts on cms1"],
        "error": None,
    }
    assert deeds == ["cmha_host.move h2"]
    assert [each[0] for each in master.asked][-2:] == ["crm.check", "cmha_host.health"]
    assert master.steps == [("east", "cms", "failover", "move cm from cms1 to cms2")]


def test_a_service_that_is_there_already(failover, deeds):
    done = failover(to="cms1")
    assert (done["moves"], done["cleared"], done["error"]) == ([], [], None)
    assert done["outlook"] == ["if cms1 dies, cm starts on cms2"]
    assert deeds == []


@pytest.mark.parametrize("broken", ["h1", "h2"])
def test_a_drill_looks_in_both_directions_first(failover, pair, deeds, broken):
    pair.unable[broken] = ["cm-service is masked"]
    assert (
        failover(drill=True)["error"]
        == f"refused, cm stays on cms1: {broken}: cm-service is masked"
    )
    assert deeds == []


def test_a_service_on_a_node_that_is_not_the_pairs(failover, pair, deeds):
    pair.where = ["cms3"]
    assert (
        failover(drill=True)["error"] == "refused: cm runs on cms3, which is no node of this pair"
    )
    assert deeds == []


def test_a_constraint_that_no_host_can_clear(failover, pair, deeds):
    pair.leftovers = [LEFTOVER]
    pair.unfit = {name: {"pending": True} for name in ("cms1", "cms2")}
    assert failover(to="cms1")["error"].startswith("refused: no host is in its cluster")
    assert deeds == []


def test_constraints_are_cleared_where_nobody_is_merely_online(failover, pair, deeds):
    pair.leftovers = [LEFTOVER]
    pair.unfit = {"cms1": {"maintenance": True}, "cms2": {"standby": True}}
    failover(to="cms1")
    assert deeds == ["crm.clear h2"]


def test_a_move_that_pacemaker_would_not_make_says_why(failover, pair, monkeypatch):
    pair.foreseen = []
    health = pair.answers["cmha_host.health"]
    why = {"cms1": {"takes_over": None, "why": ["cm has is-managed=false"]}}
    pair.answers["cmha_host.health"] = lambda *asked: {**health(*asked), "survival": why}
    assert failover()["error"].endswith("but do: nothing; cm has is-managed=false")


def test_a_drill_moves_back(failover, deeds):
    assert failover(drill=True)["moves"] == [MOVED, MOVED_BACK]
    assert deeds == ["cmha_host.move h2", "cmha_host.move h1"]


@pytest.mark.parametrize(
    ("to", "expected"),
    [(None, ["crm.clear h1", "cmha_host.move h2"]), ("cms1", ["crm.clear h1"])],
)
def test_what_an_earlier_move_left_is_cleared_first(failover, pair, deeds, to, expected):
    another = {"id": "cli-ban-x", "resource": "x", "node": "cms1"}
    pair.leftovers += [LEFTOVER, another]
    done = failover(to=to)
    assert (done["cleared"], done["error"]) == (["cli-prefer-cm"], None)
    assert deeds == expected


def test_nothing_is_cleared_for_a_move_that_pacemaker_would_not_make(failover, pair, deeds):
    """A constraint that is left may be what holds the service where it is."""
    pair.leftovers += [LEFTOVER]
    pair.foreseen = []
    done = failover()
    assert done["error"].startswith(
        "refused, cm stays on cms1: Pacemaker would not move it to cms2"
    )
    assert (done["cleared"], deeds) == ([], [])
    assert pair.planned_without == ["cli-prefer-cm"]


def test_the_constraints_are_cleared_where_the_cluster_is(failover, pair, deeds):
    pair.leftovers.append(LEFTOVER)
    pair.where, pair.unfit = ["cms2"], {"cms1": {"standby": True}}
    failover(to="cms2")
    assert deeds == ["crm.clear h2"]


@pytest.mark.parametrize("to", [None, "cms1"])
def test_what_is_left_of_another_resources_move_stays(failover, pair, deeds, to):
    pair.leftovers.append({**LEFTOVER, "resource": "x"})
    assert failover(to=to)["cleared"] == []
    assert not any(each.startswith("crm.clear") for each in deeds)


STAYS = "refused, cm stays on cms1: "


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({"where": []}, "refused: cm runs on no host, not on one"),
        ({"where": ["cms1", "cms2"]}, "refused: cm runs on cms1 and cms2, not on one"),
        ({"running": set()}, "refused: the cluster cmf runs on no host"),
        ({"silent": {"h1": "h1 is mute", "h2": "h2 is mute"}}, "refused: h1"),
        ({"running": {"h1"}}, f"{STAYS}cms2 is stopped"),
        ({"silent": {"h2": "h2 is mute"}}, f"{STAYS}h2 is mute"),
        ({"unfit": {"cms2": {"standby": True}}}, f"{STAYS}cms2 is standby"),
        ({"unable": {"h2": ["lsb:cm isn't there"]}}, f"{STAYS}h2: lsb:cm isn't there"),
        ({"unfit": {"cms2": {"online": False}}}, f"{STAYS}cms2 is offline"),
        (
            {"maintenance": {"on": True, "ours": True}},
            f"{STAYS}the cluster is in maintenance mode",
        ),
        (
            {"maintenance": {"on": True, "ours": False}},
            f"{STAYS}the cluster is in maintenance mode",
        ),
        (
            {"failures": [FAILURE]},
            f"{STAYS}start failed on cms2: timed out (today); when that is mended: crm resource cleanup cm",
        ),
        (
            {"foreseen": []},
            f"{STAYS}Pacemaker would not move it to cms2, but do: nothing; see its constraints",
        ),
        (
            {"foreseen": [{"action": "Restart", "what": "cm", "where": "cms1"}]},
            f"{STAYS}Pacemaker would not move it to cms2, but do: Restart (cms1)",
        ),
        (
            {"foreseen": [{"action": "Move", "what": "x", "where": "cms1 -> cms2"}]},
            f"{STAYS}Pacemaker would not move it to cms2, but do: nothing",
        ),
        (
            {"drawn_to": "cms1"},
            f"{STAYS}moved to cms2, it would go to cms1 as soon as it is there.",
        ),
    ],
)
def test_failover_refuses_and_touches_nothing(failover, pair, deeds, state, error):
    vars(pair).update(state)
    done = failover()
    assert done["error"].startswith(error)
    assert (done["moves"], deeds) == ([], [])


def test_all_that_is_wrong_with_a_target_is_told(failover, pair):
    pair.unfit = {"cms2": {"standby": True}}
    pair.maintenance = {"on": True, "ours": False}
    assert failover()["error"] == f"{STAYS}cms2 is standby; the cluster is in maintenance mode"


@pytest.mark.parametrize(
    "failure", [{**FAILURE, "node": "cms1"}, {**FAILURE, "resource": "another"}]
)
def test_a_failure_elsewhere_is_no_hindrance(failover, pair, failure):
    pair.failures = [failure]
    assert failover()["error"] is None


def test_a_node_of_another_pair(failover, deeds):
    assert failover(to="mgmt1")["error"] == ("the pair cms has no node mgmt1; it has cms1 and cms2")
    assert deeds == []


def test_a_move_that_fails_is_reported(failover, pair):
    pair.answers["cmha_host.move"] = fails("h2: cm didn't start on cms2 within 6 s")
    done = failover(drill=True)
    assert (done["moves"], done["error"]) == ([], "h2: cm didn't start on cms2 within 6 s")


def test_a_move_whose_outcome_is_another_is_reported(failover, pair):
    pair.answers["crm.check"] = lambda host, _: {"running": True, "rc": 0, "text": "is up"}
    assert failover()["error"] == (
        "cm should be stopped on h1, but its agent there says rc 0: is up"
    )
    pair.answers["crm.check"] = lambda host, _: {"running": None, "rc": 1, "text": "is ill"}
    assert "on h1, but its agent there says rc 1: is ill" in failover(to="cms1")["error"]


def test_a_way_back_that_fails_is_reported_with_the_way_there(failover, pair):
    good = pair.move

    def move(host, *arguments, **options):
        return fails("h1 is full")() if host == "h1" else good(host, *arguments, **options)

    pair.answers["cmha_host.move"] = move
    done = failover(drill=True)
    assert (done["moves"], done["error"]) == ([MOVED], "h1 is full")


# --- rejoin --------------------------------------------------------------------------------------


@pytest.fixture
def out(pair):
    """h2 is out of the cluster."""
    pair.running = {"h1"}
    return pair


def test_rejoin_unconfirmed_shows_and_touches_nothing(rejoin, out, deeds):
    out.failures = [FAILURE]
    done = rejoin()
    assert done["service"]["nodes"] == ["cms1"]
    assert (done["failures"], done["causes"]["service"]) == ([FAILURE], "stopped")
    assert done["next"] == (
        "when you know why: salt-run cmha.rejoin node=h2 confirm=True, which starts its cluster"
    )
    assert (done["done"], done["error"], deeds) == ([], None, [])


def test_rejoin_confirmed(rejoin, out, master, deeds):
    done = rejoin(confirm=True)
    assert (done["error"], done["next"]) == (None, None)
    assert deeds == [
        "cmha.host cmha.corosync h2",
        "cmha.start h2",
        "crm.cleanup h2",
        "cmha.verify h1+h2",
    ]
    assert ("crm.wait", 6) in master.asked
    assert done["done"] == [
        "Corosync and Pacemaker run on h2, both nodes are online",
        "failures on cms2 are cleaned up",
        "cm runs on cms1",
        "if cms1 dies, cm starts on cms2",
    ]


ON_MATE = {**FAILURE, "node": "cms1", "resource": "cm", "task": "monitor"}


@pytest.mark.parametrize(
    ("failure", "where", "cleaned"),
    [
        ({}, ["cms1"], [("h1", "cm", "cms1")]),
        ({"resource": "x"}, ["cms1"], []),
        ({}, [], []),
    ],
)
def test_what_it_failed_in_on_the_mate_before_it_ran_there_is_over(
    rejoin, out, failure, where, cleaned
):
    done = []
    out.failures, out.where = [{**ON_MATE, **failure}], where
    out.answers["crm.cleanup"] = lambda host, resource=None, node=None: done.append(
        (host, resource, node)
    )
    said = rejoin(confirm=True)
    assert done == [("h2", None, "cms2"), *cleaned]
    line = f"cm: monitor failed on cms1 ({FAILURE['reason']}), which is over; cleaned up"
    assert (line in said["done"]) == bool(cleaned)


def test_a_host_with_a_new_disk_gets_the_passwords_of_its_fence_devices(
    rejoin, out, deeds, monkeypatch
):
    monkeypatch.setitem(PAIR, "has_fence_devices", True)
    out.answers["fencing.missing_passwords"] = lambda host: ["fence-cms1"]
    rejoin(confirm=True)
    assert deeds[:3] == ["cmha.host cmha.corosync h2", "cmha.fence_passwords h2", "cmha.start h2"]


def test_a_host_that_has_passwords_keeps_them(rejoin, out, deeds, monkeypatch):
    """A new one is for both hosts to try first."""
    monkeypatch.setitem(PAIR, "has_fence_devices", True)
    out.answers["fencing.missing_passwords"] = lambda host: []
    rejoin(confirm=True)
    assert deeds[:2] == ["cmha.host cmha.corosync h2", "cmha.start h2"]


def test_a_host_whose_daemon_hangs_joins_nothing(rejoin, out, deeds):
    out.hangs = ["pacemakerd hangs: it is stopped"]
    assert rejoin(confirm=True)["error"].startswith(
        "h2: pacemakerd hangs: it is stopped. Nothing joins"
    )
    assert deeds == []


@pytest.mark.parametrize("confirm", [False, True])
def test_a_host_that_is_in_its_cluster(rejoin, deeds, confirm):
    done = rejoin(confirm=confirm)
    assert (done["next"], done["done"]) == ("nothing: cms2 is in the cluster (online)", [])
    assert deeds == []


@pytest.mark.parametrize(
    ("confirm", "expected"), [(False, []), (True, ["crm.cleanup h2", "cmha.verify h1+h2"])]
)
def test_a_host_with_failures_is_cleaned_up_and_not_started(rejoin, pair, deeds, confirm, expected):
    pair.failures = [FAILURE]
    done = rejoin(confirm=confirm)
    assert deeds == expected
    assert (done["next"] or "which cleans up").endswith("which cleans up")


def test_a_host_that_is_in_its_cluster_needs_no_mate_to_be_cleaned_up(rejoin, out):
    out.failures = [{**FAILURE, "node": "cms1"}]
    done = rejoin("h1")
    assert (done["error"], done["next"].endswith("which cleans up")) == (None, True)


def test_only_the_hosts_own_failures_are_cleaned_up(rejoin, out):
    cleaned = []
    out.answers["crm.cleanup"] = lambda host, node: cleaned.append((host, node))
    rejoin(confirm=True)
    assert cleaned == [("h2", "cms2")]


@pytest.mark.parametrize("confirm", [False, True])
@pytest.mark.parametrize(
    "case",
    [
        ({"silent": {"h2": "h2 is mute"}}, "h2 is mute"),
        ({"running": set()}, "the cluster doesn't run on cms1 either, so nothing has failed over;"),
        (
            {"running": {"h1"}, "silent": {"h1": "h1 is mute"}},
            "nobody knows whether cm runs on h1: h1 is mute",
        ),
        (
            {"running": {"h1"}, "services": {"h1": "running", "h2": "running"}},
            "cm on h2 is running, outside the cluster, while it runs on cms1; stop it there first: service",
        ),
        (
            {"running": {"h1"}, "services": {"h1": "running", "h2": "cm: exit code 4"}},
            "cm on h2 is cm: exit code 4, outside the cluster",
        ),
        (
            {"running": {"h1"}, "planned": {"totem.transport": {}, "totem.secauth": {}}},
            "pillar says otherwise than the Corosync of cms1 about totem.transport, totem.secauth: cms2",
        ),
    ],
)
def test_rejoin_refuses_and_touches_nothing(rejoin, pair, deeds, case, confirm):
    state, error = case
    vars(pair).update(state)
    done = rejoin(confirm=confirm)
    assert done["error"].startswith(error)
    assert (done["done"], deeds) == ([], [])


@pytest.mark.parametrize("confirm", [False, True])
def test_an_older_pacemaker_is_told_before_it_is_started(rejoin, out, deeds, confirm):
    out.feature_sets = {"h1": "3.20.0", "h2": "3.16.1"}
    out.answers["crm.version"] = lambda host: {"h1": "3.0.0", "h2": "2.1.5"}[host]
    done = rejoin(confirm=confirm)
    assert done["error"] == (
        "h2 has Pacemaker 2.1.5 (feature set 3.16.1), and may not join a cluster that 3.0.0 (feature set "
        "3.20.0) has gone on with, alone on h1: upgrade Pacemaker on h2 to at least 3.0.0, then rejoin"
    )
    assert (done["done"], deeds) == ([], [])


def test_a_service_that_runs_nowhere_else_may_run_there(rejoin, out):
    """After a crash of both, the cluster finds it running."""
    out.where, out.services = [], {"h1": "stopped", "h2": "running"}
    assert rejoin()["error"] is None


def test_a_start_that_fails_is_reported(rejoin, out, deeds):
    out.answers["cmha.start"] = "cmha two nodes online: cms2 hasn't joined"
    done = rejoin(confirm=True)
    assert done["error"] == "h2: cmha two nodes online: cms2 hasn't joined"
    assert (done["done"], deeds) == ([], ["cmha.host cmha.corosync h2", "cmha.start h2"])


def test_a_later_failure_is_reported_with_what_was_done(rejoin, out):
    out.answers["crm.cleanup"] = fails("h2: no")
    done = rejoin(confirm=True)
    assert (len(done["done"]), done["error"]) == (1, "h2: no")


# --- clean ---------------------------------------------------------------------------------------

STOP = "stop Pacemaker and Corosync on h1 and h2"


def test_clean_unconfirmed_lists_the_steps_and_touches_nothing(clean, deeds):
    done = clean("cms2")
    assert [step.partition(",")[0] for step in done["steps"]] == [
        "move cm from cms1 to cms2",
        "maintenance mode",
        STOP,
        "take cmha's files",
        "cm-service starts at boot on h2",
    ]
    assert done["next"] == "nothing was touched; confirm=True does it"
    assert deeds == []


def test_clean_where_it_is(clean, master, deeds):
    promised = clean()["steps"]
    done = clean(confirm=True)
    assert deeds == ["maintenance.begin h1", "corosync.stop h1+h2", "cmha.clean h1+h2"]
    assert (done["steps"], done["error"]) == (promised, None)
    assert done["next"].startswith("take cmha out of the pillar's and the states' top.sls")
    assert master.asked[-1] == ("service.status", "cm-service")


@pytest.mark.parametrize("keep", ["cms2", "h2"])
def test_clean_moves_the_service_first(clean, master, deeds, keep):
    done = clean(keep, confirm=True)
    assert deeds == [
        *("cmha_host.move h2", "maintenance.begin h1"),
        *("corosync.stop h1+h2", "cmha.clean h1+h2"),
    ]
    assert (len(done["steps"]), done["error"]) == (5, None)


def test_the_host_that_keeps_the_service_is_told_to(clean, pair):
    kept = []
    pair.answers["cmha.clean"] = lambda host, pillar: kept.append(pillar)
    clean("cms2", confirm=True)
    assert kept == [{"cmha_only": {"pair": "cms"}, "cmha_clean": {"keep": "h2"}}] * 2


def test_a_stopped_pair_is_taken_apart_as_it_is(clean, pair, deeds):
    pair.running = set()
    assert clean("cms2")["steps"][0] == STOP
    assert clean("cms2", confirm=True)["error"] is None
    assert deeds == ["corosync.stop h1+h2", "cmha.clean h1+h2"]


@pytest.mark.parametrize("confirm", [False, True])
@pytest.mark.parametrize(
    "case",
    [
        ({}, "cms3", "the pair cms has no node cms3; it has cms1 and cms2"),
        (
            {"running": {"h1"}},
            "cms1",
            "refused: cms1 is online, cms2 is stopped; both hosts have to",
        ),
        ({"silent": {"h2": "x"}}, "cms1", "refused: cms1 is online, cms2 is silent;"),
        (
            {"unfit": {"cms2": {"standby": True}}},
            "cms1",
            "refused: cms1 is online, cms2 is standby;",
        ),
        ({"where": []}, "cms1", "refused: cm runs on no host"),
    ],
)
def test_clean_refuses_and_touches_nothing(clean, pair, deeds, case, confirm):
    state, keep, error = case
    vars(pair).update(state)
    done = clean(keep, confirm=confirm)
    assert done["error"].startswith(error)
    assert (done["steps"], deeds) == ([], [])


@pytest.mark.parametrize(
    ("function", "steps"),
    [
        ("cmha_host.move", 0),
        ("maintenance.begin", 1),
        ("corosync.stop", 2),
        ("cmha.clean", 3),
        ("service.status", 3),
    ],
)
def test_nothing_follows_a_step_that_failed(clean, pair, deeds, function, steps):
    pair.answers[function] = fails("h1: no")
    done = clean("cms2", confirm=True)
    assert done["error"].endswith("h1: no")
    assert (len(done["steps"]), done["next"]) == (steps, None)
    if function not in ("cmha.clean", "service.status"):
        assert not any(each.startswith("cmha.clean") for each in deeds)


@pytest.mark.parametrize(
    ("services", "error"),
    [
        ({"h1": "stopped", "h2": "stopped"}, "cm-service is stopped on h1, where it should run"),
        ({"h1": "running", "h2": "running"}, "cm-service runs on h2, where it should be stopped"),
    ],
)
def test_the_outcome_is_verified(clean, pair, services, error):
    pair.services = services
    assert clean(confirm=True)["error"] == error


# --- plan ----------------------------------------------------------------------------------------


def state(result, changes, number, identifier="x"):
    return {
        "__id__": identifier,
        "__run_num__": number,
        "result": result,
        "changes": changes,
        "comment": "c",
    }


@pytest.fixture
def plan(master, pair, monkeypatch):
    taken_in = {"changes": {}, "comment": "nothing"}
    monkeypatch.setattr(cmha_pair.cmha_reconfigure, "reconfigure", lambda *_, test: taken_in)
    pair.answers.update(
        {
            "state.apply": lambda host, sls, test: {
                "file_|-a": state(None, {"diff": "+x"}, 2, "second"),
                "packet_filter_|-b": state(None, {"line": "x"}, 1, "first"),
                "pkg_|-c": state(True, {}, 3),
                "pkg_|-d": state(None, {}, 4),
                "pkg_|-e": state(False, {}, 5, "fails"),
            },
            "crm.running": lambda host: host == "h2",
            "cmha_host.plan": lambda host: {"changes": {}, "of": host},
        }
    )
    return lambda: cmha_pair.plans({}, [("east", copy.deepcopy(PAIR))])[0]


def test_plan_tells_what_would_change_and_touches_nothing(plan, deeds):
    planned = plan()
    assert [each["state"] for each in planned["hosts"]["h1"]] == ["first", "second", "fails"]
    assert planned["restart"] == {"changes": {}, "comment": "nothing"}
    assert planned["cluster"] == {"changes": {}, "of": "h2"}
    assert (planned["error"], deeds) == (None, [])


def test_a_plan_of_a_stopped_pair_asks_the_first_host(plan, pair):
    pair.answers["crm.running"] = False
    assert plan()["cluster"]["of"] == "h1"


def test_states_that_do_not_render_are_an_error(plan, pair):
    pair.answers["state.apply"] = lambda *_, **__: ["Rendering SLS failed"]
    assert plan()["error"] == "h1: Rendering SLS failed"


@pytest.mark.parametrize("silent", [["h2"], ["h1", "h2"]])
def test_a_silent_host_is_named_once(master, pair, silent):
    pair.silent = {host: f"{host} doesn't answer this master" for host in silent}
    (report,) = cmha_pair.health({}, [("east", PAIR)])
    said = [line for line in report["problems"] if "this master" in line]
    assert said == list(pair.silent.values())


def test_a_refused_failover_clears_nothing_either(failover, pair, deeds):
    pair.leftovers.append(LEFTOVER)
    pair.unfit = {"cms2": {"standby": True}}
    assert failover()["error"] == f"{STAYS}cms2 is standby"
    assert deeds == []


@pytest.mark.parametrize("confirm", [False, True])
def test_the_other_hosts_failures_are_not_this_ones(rejoin, pair, deeds, confirm):
    pair.failures = [{**FAILURE, "node": "cms1"}]
    assert rejoin("h2", confirm=confirm)["next"] == "nothing: cms2 is in the cluster (online)"
    assert deeds == []


@pytest.mark.parametrize(
    "state", [{"maintenance": {"on": True, "ours": False}}, {"failures": [FAILURE]}]
)
def test_clean_refuses_a_move_that_failover_would_refuse(clean, pair, deeds, state):
    vars(pair).update(state)
    assert clean("cms2", confirm=True)["error"].startswith(STAYS)
    assert deeds == []


def test_a_plan_says_what_it_can_of_the_host_that_answers(plan, pair):
    good = pair.answers["state.apply"]

    def apply(host, sls, test):
        return fails("h1 is mute")() if host == "h1" else good(host, sls, test)

    pair.answers["state.apply"] = apply
    planned = plan()
    assert (list(planned["hosts"]), planned["error"], planned["restart"]) == (
        ["h2"],
        "h1 is mute",
        None,
    )
    assert planned["cluster"] == {"changes": {}, "of": "h2"}


# --- fence ---------------------------------------------------------------------------------------


def test_fence_unconfirmed_says_what_it_means(fence, deeds):
    done = fence()
    assert (done["error"], done["done"], deeds) == (None, [], [])
    assert done["next"] == (
        "salt-run cmha.fence node=h1 confirm=True takes its power away, without a shutdown, and gives it "
        "back, and cm starts on cms2"
    )


def test_the_active_host_is_fenced(fence, deeds):
    done = fence(confirm=True)
    assert (done["error"], done["by"]) == (None, "cms2")
    assert deeds[0] == "fencing.fence h2"
    assert done["done"] == [
        "cms1 was fenced in 4.2 s: was able to reboot cms1",
        "cm runs on cms2",
    ]
    assert "salt-run cmha.rejoin node=h1" in done["next"]


def test_a_drill_fences_where_the_service_is(master, deeds):
    done = cmha_fence.drill({}, "east", PAIR)
    assert (done["host"], done["error"], deeds[0]) == ("h1", None, "fencing.fence h2")


def test_a_drill_needs_to_know_where_that_is(master, pair, deeds):
    pair.where = []
    done = cmha_fence.drill({}, "east", PAIR)
    assert (done["host"], deeds) == (None, [])
    assert done["error"].startswith("refused: cm runs on no host")


def test_the_standby_is_fenced(fence):
    done = fence("h2", confirm=True)
    assert (done["error"], done["by"], len(done["done"])) == (None, "cms1", 1)
    assert "starts on" not in fence("h2")["next"]


def test_a_service_that_does_not_follow_is_told(fence, pair):
    pair.follows = False
    assert fence(confirm=True)["error"].startswith("cms1 was fenced, but cm runs on cms1: so; see")


@pytest.mark.parametrize("confirm", [True, False])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"unfenced": ["no device"]}, "no device"),
        ({"unfit": {"cms2": {"standby": True}}}, "cms2, which would have it done, is standby"),
        ({"running": {"h1"}}, "cms2, which would have it done, is "),
        ({"silent": {"h2": "h2 doesn't answer"}}, "h2 doesn't answer"),
    ],
)
def test_a_fencing_that_nobody_would_survive_is_refused(  # noqa: PLR0917
    fence, pair, deeds, change, why, confirm
):
    for name, value in change.items():
        setattr(pair, name, value)
    error = fence(confirm=confirm)["error"]
    assert error.startswith(f"refused, nothing was fenced: {why}")
    assert deeds == []


def test_a_service_that_nobody_would_take_over_keeps_its_host(fence, pair, deeds):
    health = pair.health
    pair.answers["cmha_host.health"] = lambda host, known: {
        **health(host, known),
        "survival": {"cms1": {"takes_over": None, "why": ["for a reason"]}},
    }
    error = fence(confirm=True)["error"]
    assert error == "refused, nothing was fenced: nobody would take cm over: for a reason"
    assert deeds == []


@pytest.fixture
def lost(pair):
    """The active host is gone, and so is its BMC."""
    pair.silent = {"h1": "h1 doesn't answer this master"}
    pair.unfit = {"cms1": {"online": False, "unclean": True}}
    return pair


def test_a_person_may_say_that_a_host_has_no_power(fence, lost, deeds):
    asked = fence(is_off=True)
    assert (asked["error"], asked["done"], deeds) == (None, [], [])
    assert asked["next"].startswith("have you seen that h1 has no power, and keeps none")
    assert "salt-run cmha.fence node=h1 is_off=True confirm=True" in asked["next"]
    done = fence(is_off=True, confirm=True)
    assert (done["error"], done["by"], deeds[0]) == (None, "cms2", "fencing.confirm_off h2")
    assert done["done"] == ["Pacemaker was told that cms1 is off", "cm runs on cms2"]
    assert done["next"] == "when h1 works again: salt-run cmha.rejoin node=h1 confirm=True"


def test_a_service_that_does_not_start_then_is_told(fence, lost):
    lost.follows = False
    error = fence(is_off=True, confirm=True)["error"]
    assert error.startswith("Pacemaker was told that cms1 is off, but cm runs on cms1: so; see")


@pytest.mark.parametrize("confirm", [True, False])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"silent": {}}, "refused: h1 answers this master, so it is on"),
        ({"unfit": {}}, "refused: nobody waits for the end of cms1; see salt-run cmha.status"),
        (
            {"silent": {"h1": "x", "h2": "h2 is mute"}},
            "refused, nothing was fenced: h2 is mute",
        ),
        (
            {"unfit": {"cms1": {"unclean": True}, "cms2": {"standby": True}}},
            "refused, nothing was fenced: cms2, which would have it done, is standby",
        ),
    ],
)
def test_what_is_not_known_to_be_off_is_not_said_to_be(  # noqa: PLR0917
    fence, lost, deeds, change, why, confirm
):
    for name, value in change.items():
        setattr(lost, name, value)
    assert fence(is_off=True, confirm=confirm)["error"] == why
    assert deeds == []
