"""How a pair is, found in what its hosts say: nothing that matters is missed, the worst comes first."""

import copy

import pytest

PAIR = {
    "start_on_boot": "never",
    "device": None,
    "pair": "cms",
    "cluster_name": "cmf",
    "resource": "cm",
    "service": "cm-service",
    "port": 7180,
    "nodes": [
        {"id": "cms1.example.com", "name": "cms1", "address": "192.0.2.11"},
        {"id": "cms2.example.com", "name": "cms2", "address": "192.0.2.12"},
    ],
}
CMS1, CMS2 = (node["id"] for node in PAIR["nodes"])
NODE = dict.fromkeys(("standby", "maintenance", "pending", "unclean", "shutdown"), False)
FAILURE = {
    "resource": "cm",
    "task": "monitor",
    "node": "cms2",
    "reason": "not running",
    "when": "2026-11-24",
}
LEFTOVER = {"id": "cli-prefer-cm", "resource": "cm", "node": "cms2"}


def run_by(*nodes, **flags):
    return {
        "started": list(nodes),
        "nodes": list(nodes),
        "failed": False,
        "blocked": False,
        "managed": True,
        **flags,
    }


def service(running, text="", every=30, owner=None):
    return {"running": running, "text": text, "every": every, "owner": owner}


def view(runs=False, **changes):
    """What a host of a good pair says, which runs the service or doesn't."""
    cluster = {
        "dc": "cms1",
        "with_quorum": True,
        "nodes": {name: {"online": True, **NODE} for name in ("cms1", "cms2")},
        "resources": {"cm": run_by("cms1")},
        "failures": [],
        "fencing": False,
        "fencings": [],
    }
    return {
        "hangs": [],
        "recovers": [],
        "corosync": True,
        "cluster": cluster,
        "leftovers": [],
        "maintenance": {"on": False, "ours": False, "before": None},
        "since": {"cms1": 1_700_000_000},
        "service": service(runs),
        "answers": runs,
        "frozen": None,
        "unable": [],
        "survival": {"cms1": {"takes_over": "cms2", "why": []}},
        "unsure": None,
        "wrong": None,
        "drift": [],
        "at_boot": [],
        "device": None,
        **changes,
    }


STOPPED = view(corosync=False, cluster=None, maintenance=None, since={}, survival={})


@pytest.fixture
def judge(pure):
    def judged(facts, silent=(), **settings):
        return pure("cmha_status").judge({**PAIR, **settings}, facts, dict(silent))

    return judged


@pytest.fixture
def facts():
    return {CMS1: view(runs=True), CMS2: view()}


def see(facts, **changes):
    """Both hosts see this of their cluster."""
    for each in facts.values():
        each["cluster"].update(copy.deepcopy(changes))


def test_a_good_pair(judge, facts):
    assert judge(facts) == {
        "health": "good",
        "problems": [],
        "cluster_name": "cmf",
        "dc": "cms1",
        "quorum": True,
        "nodes": {"cms1": "online", "cms2": "online"},
        "service": {
            "resource": "cm",
            "nodes": ["cms1"],
            "since": "2023-11-14T22:13:20Z",
            "seen": ["cms1"],
            "answers": {"cms1": True, "cms2": False},
        },
        "silent": {},
        "outlook": ["if cms1 dies, cm starts on cms2"],
        "survival": {"cms1": {"takes_over": "cms2", "why": []}},
        "twice": [],
        "fencing": {"on": False, "devices": {}, "last": {}, "unclean": [], "unable": {}},
        "failures": [],
        "leftovers": [],
        "maintenance": "off",
        "drift": {},
        "at_boot": {},
        "device": {},
        "pacemaker": {},
        "hangs": {},
        "unable": {},
        "wrong": {},
    }


@pytest.mark.parametrize(
    ("resources", "where"),
    [
        ({}, "no host"),
        ({"cm": run_by()}, "no host"),
        ({"cm": run_by("cms1", "cms2")}, "cms1 and cms2"),
    ],
)
def test_a_service_that_does_not_run_once(judge, facts, resources, where):
    see(facts, resources=resources)
    for host, each in facts.items():
        each["service"] = service(host.partition(".")[0] in where)
        each["answers"] = each["service"]["running"]
    report = judge(facts)
    assert (report["health"], report["problems"]) == ("bad", [f"cm runs on {where}, not on one"])
    assert report["service"]["since"] is None


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"with_quorum": False}, "the cluster has no quorum"),
        ({"dc": None}, "the cluster has no designated controller (DC)"),
    ],
)
def test_a_cluster_that_can_not_act_is_bad(judge, facts, change, line):
    see(facts, **change)
    report = judge(facts)
    assert (report["health"], report["problems"]) == ("bad", [line])


# --- hosts ---------------------------------------------------------------------------------------


def alone(facts, here, other):
    """A host that sees itself alone, with the service."""
    cluster = facts[here]["cluster"]
    mine, theirs = here.partition(".")[0], other.partition(".")[0]
    cluster["dc"] = mine
    cluster["nodes"][theirs]["online"] = False
    cluster["resources"] = {"cm": run_by(mine)}
    facts[here]["service"] = service(True)


def test_each_host_sees_itself_alone(judge, facts):
    alone(facts, CMS1, CMS2)
    alone(facts, CMS2, CMS1)
    report = judge(facts)
    assert report["health"] == "bad"
    assert report["problems"][0] == (
        f"the hosts disagree: {CMS1} sees cm on cms1; {CMS2} sees cm on cms2. Is the network between them "
        "cut?"
    )


@pytest.mark.parametrize(
    "worse", [{"with_quorum": False}, {"dc": None}, {"nodes": {"cms2": {"online": True, **NODE}}}]
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_view_that_counts(judge, facts, worse, turned):
    """Of the partition with quorum, with a DC, with more nodes; whoever is asked first."""
    facts[CMS2]["cluster"].update(worse)
    report = judge(dict(reversed(facts.items())) if turned else facts)
    assert (report["dc"], report["quorum"]) == ("cms1", True)
    assert report["nodes"] == {"cms1": "online", "cms2": "online"}


def test_two_versions_of_pacemaker(judge, facts):
    facts[CMS1]["pacemaker"] = {"version": "3.0.0", "feature_set": "3.20.0"}
    facts[CMS2]["pacemaker"] = {"version": "2.1.5", "feature_set": "3.16.1"}
    report = judge(facts)
    (line,) = report["problems"]
    assert report["health"] == "poor"
    assert line.startswith(f"{CMS2} has Pacemaker 2.1.5, {CMS1} has 3.0.0: when {CMS2} leaves")
    see(facts, nodes={"cms1": {"online": True, **NODE}, "cms2": {"online": False, **NODE}})
    assert any(f"can't come back to {CMS1}" in line for line in judge(facts)["problems"])


def test_a_stopped_host(judge, facts):
    facts[CMS2] = STOPPED
    facts[CMS1]["cluster"]["nodes"]["cms2"]["online"] = False
    report = judge(facts)
    assert report["nodes"] == {"cms1": "online", "cms2": "stopped"}
    assert (report["health"], report["problems"]) == (
        "poor",
        [
            f"the cluster doesn't run on cms2: nothing to fail over to; salt-run cmha.rejoin node={CMS2} "
            "says why, and starts it"
        ],
    )


def test_a_silent_host(judge, facts):
    del facts[CMS2]
    report = judge(facts, {CMS2: "no answer"})
    assert report["nodes"] == {"cms1": "online", "cms2": "silent"}
    assert report["health"] == "poor"
    (line,) = report["problems"]
    assert CMS2 in line
    assert "no answer" in line


def test_both_hosts_silent(judge):
    report = judge({}, {CMS1: "no answer", CMS2: "no key"})
    assert report["health"] == "unknown"
    assert report["nodes"] == {"cms1": "silent", "cms2": "silent"}
    assert (report["dc"], report["quorum"], report["service"]["nodes"]) == (None, None, [])
    assert ["no answer" in line or "no key" in line for line in report["problems"]] == [True, True]


def test_both_hosts_stopped(judge):
    report = judge({CMS1: STOPPED, CMS2: STOPPED})
    (line,) = report["problems"]
    assert report["health"] == "bad"
    assert line.startswith("the cluster cmf runs on no host; salt-run state.orch cmha.orchestrate")


def test_of_one_stopped_and_one_silent_nobody_knows(judge):
    report = judge({CMS1: STOPPED}, {CMS2: "no answer"})
    assert report["health"] == "unknown"
    assert report["nodes"] == {"cms1": "stopped", "cms2": "silent"}
    assert "no answer" in report["problems"][0]


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ({"online": True, "pending": True, "standby": True}, "pending"),
        ({"online": True, "standby": True}, "standby"),
        ({"online": True, "maintenance": True}, "in maintenance"),
        ({"online": True, "shutdown": True}, "shutting down"),
        ({"online": True, "unclean": True}, "unclean"),
        ({"online": False}, "offline"),
        ({"online": False, "unclean": True}, "unclean"),
        (None, "offline"),
    ],
)
def test_a_node_that_is_not_fit(judge, facts, seen, state):
    nodes = {"cms1": {"online": True, **NODE}}
    see(facts, nodes={**nodes, "cms2": {**NODE, **seen}} if seen else nodes)
    report = judge(facts)
    assert report["nodes"]["cms2"] == state
    assert (report["health"], report["problems"]) == ("poor", [f"cms2 is {state}"])


@pytest.mark.parametrize(
    ("here", "there", "one", "other"),
    [
        ({"dc": "cms1"}, {"dc": "cms2"}, "cms1 and quorum", "cms2 and quorum"),
        ({}, {"with_quorum": False}, "cms1 and quorum", "cms1 and no quorum"),
    ],
)
def test_a_cut_that_nobody_has_acted_on_yet(judge, facts, here, there, one, other):  # noqa: PLR0917
    """Where fencing takes its time, both still list the service where it was."""
    facts[CMS1]["cluster"].update(here)
    facts[CMS2]["cluster"].update(there)
    report = judge(facts)
    assert report["health"] == "poor"
    said = f"{CMS1} has the DC {one}; {CMS2} has the DC {other}"
    assert f"the hosts disagree: {said}. Is the network between them cut?" in report["problems"]


def test_a_service_on_a_third_node(judge, facts):
    see(facts, resources={"cm": run_by("x3")})
    for each in facts.values():
        each.update(service=service(False), answers=False)
    report = judge(facts)
    assert report["health"] == "bad"
    assert "cm runs on x3, which is no node of this pair" in report["problems"][0]


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        ({"answers": True}, "port 7180 of cms2 gives a page, where cm shouldn't run"),
        (
            {"answers": True, "service": None, "unable": ["no /etc/init.d/cm"]},
            "port 7180 of cms2 gives a page",
        ),
        (
            {"frozen": "its process 5 is stopped", "service": None},
            "cm hangs on cms2, where it shouldn't be: its process 5 is stopped; end it there",
        ),
    ],
)
def test_a_second_one_that_its_own_script_does_not_see(judge, facts, fact, says):
    if "service" in fact:
        fact = {**fact, "service": service(None)}
    facts[CMS2].update(fact)
    report = judge(facts, port=7180)
    assert report["health"] == "bad"
    assert report["problems"][0].startswith(says)


def test_maintenance_mode_that_began_after_the_forecast(judge, facts):
    facts[CMS1]["maintenance"] = {"on": True, "ours": False, "before": None}
    (foreseen,) = judge(facts)["survival"].values()
    assert foreseen["takes_over"] is None


# --- what else isn't as it should be -------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says", "remedy"),
    [
        (
            {"leftovers": [LEFTOVER]},
            "a move left the constraint cli-prefer-cm behind, which ties cm to or off cms2",
            "crm resource clear cm",
        ),
        (
            {"maintenance": {"on": True, "ours": True, "before": None}},
            "if cms1 dies, nobody takes cm over: cmha's maintenance mode is on: nothing fails over",
            "an orchestration that goes well ends it",
        ),
        (
            {"maintenance": {"on": True, "ours": False, "before": None}},
            "if cms1 dies, nobody takes cm over: maintenance mode is on, and not by cmha: nothing fails over",
            "crm configure property maintenance-mode=false",
        ),
        ({"drift": ["package x is 1"]}, f"{CMS1}: package x is 1;", "salt-run cmha.plan"),
        ({"at_boot": ["corosync"]}, f"{CMS1}: corosync starts at boot;", "highstate"),
        (
            {"device": {"state": "Connect failed", "tls": False, "votes": False}},
            f"{CMS1}: the quorum device doesn't vote (Connect failed);",
            "corosync-qnetd",
        ),
        (
            {"at_boot": ["corosync", "pacemaker"]},
            f"{CMS1}: corosync and pacemaker start at boot;",
            "highstate",
        ),
    ],
)
def test_the_service_runs_and_something_is_wrong(judge, facts, change, says, remedy):
    facts[CMS1].update(change)
    report = judge(facts)
    (line,) = report["problems"]
    assert report["health"] == "poor"
    assert line.startswith(says)
    assert remedy in line


def test_a_device_that_votes(judge, facts):
    votes = {"state": "Connected", "tls": True, "votes": True}
    facts[CMS1]["device"] = votes
    report = judge(facts)
    assert (report["health"], report["device"]) == ("good", {CMS1: votes})


def test_a_failure(judge, facts):
    see(facts, failures=[FAILURE])
    report = judge(facts)
    assert (report["health"], report["failures"]) == ("poor", [FAILURE])
    assert report["problems"] == [
        "cm: monitor failed on cms2: not running (2026-11-24); crm resource cleanup cm"
    ]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"on": True, "ours": True}, "cmha"),
        ({"on": True, "ours": False}, "somebody"),
        # ended by hand
        ({"on": False, "ours": True}, "off"),
    ],
)
def test_whose_maintenance_mode(judge, facts, seen, said):
    for each in facts.values():
        each["maintenance"] = seen
    assert judge(facts)["maintenance"] == said


def test_drift_and_start_at_boot_are_told_by_host(judge, facts):
    facts[CMS2].update(drift=["x"], at_boot=["corosync"])
    report = judge(facts)
    assert (report["drift"], report["at_boot"]) == ({CMS2: ["x"]}, {CMS2: ["corosync"]})


@pytest.mark.parametrize(
    ("setting", "does", "says"),
    [
        ("never", ["cmha-boot"], ["cmha-boot starts at boot; highstate switches that off"]),
        ("after_clean_shutdown", ["cmha-boot"], []),
        (
            "after_clean_shutdown",
            ["pacemaker"],
            [
                "pacemaker starts at boot; highstate switches that off",
                "cmha-boot doesn't start at boot (start_on_boot: after_clean_shutdown); highstate "
                "switches that on",
            ],
        ),
        ("always", ["corosync", "pacemaker"], []),
        (
            "always",
            ["corosync", "cm"],
            [
                "cm starts at boot; highstate switches that off",
                "pacemaker doesn't start at boot (start_on_boot: always); highstate switches that on",
            ],
        ),
    ],
)
def test_what_starts_at_boot_is_what_pillar_says(judge, facts, setting, does, says):
    shall = {
        "never": [],
        "after_clean_shutdown": ["cmha-boot"],
        "always": ["corosync", "pacemaker"],
    }
    facts[CMS1]["at_boot"], facts[CMS2]["at_boot"] = does, shall[setting]
    report = judge(facts, start_on_boot=setting)
    assert report["problems"] == [f"{CMS1}: {line}" for line in says]


def test_a_silent_host_is_not_said_to_lack_anything_at_boot(judge, facts):
    facts[CMS1]["at_boot"] = ["cmha-boot"]
    del facts[CMS2]
    report = judge(facts, silent={CMS2: "doesn't answer"}, start_on_boot="after_clean_shutdown")
    assert report["problems"] == [f"{CMS2}: doesn't answer"]


def test_what_to_do_about_drift_is_said_once_for_a_host(judge, facts):
    own = "a device is old; stonith_admin --deregister it"
    facts[CMS1].update(drift=["x", "y", own])
    facts[CMS2].update(drift=[own])
    assert judge(facts)["problems"] == [
        f"{CMS1}: x",
        f"{CMS1}: y; salt-run cmha.plan says what an orchestration would change",
        f"{CMS1}: {own}",
        f"{CMS2}: {own}",
    ]


def test_a_stopped_host_drifts_too(judge, facts):
    facts[CMS2] = {**STOPPED, "drift": ["x"]}
    assert f"{CMS2}: x" in judge(facts)["problems"]


def test_the_worst_comes_first(judge, facts):
    facts[CMS1].update(leftovers=[LEFTOVER], drift=["drift"], at_boot=["corosync"])
    for each in facts.values():
        each["survival"] = {}
    see(
        facts,
        resources={},
        with_quorum=False,
        failures=[FAILURE],
        nodes={"cms1": {"online": True, **NODE}, "cms2": {**NODE, "online": False}},
    )
    facts[CMS1]["maintenance"] = {"on": True, "ours": True}
    order = (
        "cm runs on no host",
        "the cluster has no quorum",
        "cm runs on cms1, which Pacemaker doesn't know",
        "cms2 is offline",
        "cm: monitor failed",
        "a move left",
        "cmha's maintenance mode",
        f"{CMS1}: drift",
        f"{CMS1}: corosync starts",
    )
    problems = judge(facts)["problems"]
    assert len(problems) == len(order)
    assert all(line.startswith(begin) for line, begin in zip(problems, order))


@pytest.mark.parametrize("since", [{}, {"cms1": None}, {"cms1": 0}])
def test_nobody_remembers_since_when(judge, facts, since):
    for each in facts.values():
        each["since"] = since
    assert judge(facts)["service"]["since"] is None


def test_a_silent_host_is_told_beside_a_cluster_without_a_dc(judge, facts):
    del facts[CMS2]
    facts[CMS1]["cluster"]["dc"] = None
    problems = judge(facts, {CMS2: "no answer"})["problems"]
    assert any("no answer" in line for line in problems)


# --- where the service really is, and whether it answers -----------------------------------------


@pytest.mark.parametrize(
    ("here", "there", "line"),
    [
        (
            {},
            {"service": service(True)},
            "cm runs on cms2 too, which Pacemaker doesn't know; crm resource refresh cm",
        ),
        (
            {},
            {**STOPPED, "service": service(True)},
            "cm runs on cms2, outside the cluster, and on cms1; stop it on cms2",
        ),
        (
            {"service": service(False)},
            {},
            "cm doesn't run on cms1, where Pacemaker has it started; Pacemaker looks in at most 30 s",
        ),
        (
            {"service": service(False, every=None)},
            {},
            "cm doesn't run on cms1, where Pacemaker has it started; Pacemaker looks never",
        ),
        (
            {"service": service(False, owner="cms9")},
            {},
            "cm doesn't run on cms1, where Pacemaker has it started; Pacemaker looks in at most 30 s; its "
            "log says: the database is owned by cms9",
        ),
        (
            {"answers": False},
            {},
            "cm doesn't answer on port 7180 of cms1, where it is started, since 2023-11-14T22:13:20Z, and",
        ),
        (
            {"frozen": "its process 7 is stopped"},
            {},
            "cm hangs on cms1: its process 7 is stopped; salt-run",
        ),
    ],
)
def test_what_pacemaker_does_not_know(judge, facts, here, there, line):
    facts[CMS1].update(here)
    facts[CMS2].update(there)
    report = judge(facts)
    assert report["health"] == "bad"
    assert report["problems"][0].startswith(line)


HANGING = {**STOPPED, "hangs": ["pacemakerd hangs: it is stopped"], "service": service(True)}


def test_who_runs_it_while_its_cluster_hangs(judge, facts):
    facts[CMS2].update(HANGING)
    report = judge(facts)
    assert report["health"] == "bad"
    assert report["problems"][0] == (
        "cm runs on cms2 too, whose cluster doesn't answer; stop it on cms2"
    )


def test_who_alone_runs_it_while_its_cluster_hangs(judge, facts):
    facts[CMS1].update(HANGING)
    facts[CMS2].update(STOPPED)
    report = judge(facts)
    assert report["health"] == "unknown"
    assert report["problems"][0] == f"{CMS1}: pacemakerd hangs: it is stopped"
    assert not any("outside the cluster" in line for line in report["problems"])


def test_who_runs_it_is_seen_by_the_hosts_themselves(judge, facts):
    facts[CMS2].update(service=service(True), answers=True)
    found = judge(facts)["service"]
    assert (found["nodes"], found["seen"]) == (["cms1"], ["cms1", "cms2"])
    assert found["answers"] == {"cms1": True, "cms2": True}


def test_nobody_can_tell_whether_it_runs(judge, facts):
    facts[CMS2]["service"] = service(None, "exit code 4")
    assert judge(facts)["service"]["seen"] == ["cms1"]


def test_a_service_without_a_port_answers_nobody(judge, facts):
    for each in facts.values():
        each["answers"] = None
    report = judge(facts)
    assert (report["health"], report["service"]["answers"]) == ("good", {})


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ({"blocked": True}, "is blocked"),
        ({}, "Pacemaker is at it"),
        ({"managed": False}, "Pacemaker doesn't manage it: it leaves it as it is"),
        ({"managed": False, "blocked": True}, "Pacemaker doesn't manage it"),
    ],
)
def test_a_resource_that_has_failed(judge, facts, flags, says):
    see(facts, resources={"cm": run_by("cms1", failed=True, **flags)})
    report = judge(facts)
    assert report["health"] == "bad"
    assert report["problems"][0].startswith("cm has failed on cms1")
    assert says in report["problems"][0]


# --- what would happen ---------------------------------------------------------------------------


def test_a_pair_that_would_not_survive(judge, facts):
    foreseen = {"cms1": {"takes_over": None, "why": ["the constraint x is in the way", "y"]}}
    for each in facts.values():
        each["survival"] = foreseen
    report = judge(facts)
    assert (report["health"], report["survival"]) == ("poor", foreseen)
    assert report["problems"] == [
        "if cms1 dies, nobody takes cm over: the constraint x is in the way; y"
    ]


@pytest.mark.parametrize("field", ["unable", "hangs"])
def test_a_host_that_could_not_take_over(judge, facts, field):
    facts[CMS2][field] = ["no agent"]
    report = judge(facts)
    assert report["health"] == "poor"
    assert report["survival"] == {"cms1": {"takes_over": None, "why": [f"{CMS2}: no agent"]}}
    assert report[field] == {CMS2: ["no agent"]}
    assert report["problems"] == [f"if cms1 dies, nobody takes cm over: {CMS2}: no agent"]


def test_what_the_active_host_lacks_is_no_hindrance(judge, facts):
    facts[CMS1]["unable"] = ["no agent"]
    report = judge(facts)
    assert report["survival"]["cms1"]["takes_over"] == "cms2"


def test_why_is_not_said_twice(judge, facts):
    see(facts, nodes={"cms1": {"online": True, **NODE}, "cms2": {**NODE, "online": False}})
    for each in facts.values():
        each["survival"] = {"cms1": {"takes_over": None, "why": ["cms2 is offline"]}}
    assert judge(facts)["problems"] == ["if cms1 dies, nobody takes cm over: cms2 is offline"]


def test_nobody_can_tell_what_would_happen(judge, facts):
    facts[CMS1].update(survival={}, unsure="crm_simulate fails")
    facts[CMS2].update(survival={}, unsure="crm_simulate fails")
    report = judge(facts)
    assert (report["health"], report["problems"]) == (
        "poor",
        ["nobody can tell what would fail over: crm_simulate fails"],
    )


LEFT = "agent monitor on cms2 answers neither running nor stopped: exit code 1, left behind"


def test_something_of_the_service_is_left_on_the_other_host(judge, facts):
    facts[CMS2].update(service=service(None, LEFT))
    report = judge(facts)
    assert report["health"] == "bad"
    assert report["problems"] == [f"something of cm is left on cms2: {LEFT}; end it there"]


def test_it_has_failed_and_pacemaker_has_not_looked(judge, facts):
    facts[CMS1].update(service=service(None, LEFT), answers=None)
    report = judge(facts)
    assert report["health"] == "bad"
    assert report["problems"] == [
        f"cm has failed on cms1, where Pacemaker has it started: {LEFT}; Pacemaker looks in at most 30 s"
    ]


@pytest.mark.parametrize("host", [CMS1, CMS2])
def test_a_host_that_can_not_tell_whether_it_runs(judge, facts, host):
    facts[host].update(service=service(None, "exit code 4, unknown"))
    report = judge(facts)
    assert report["health"] == "poor"
    name = {CMS1: "cms1", CMS2: "cms2"}[host]
    assert report["problems"] == [
        f"nobody can tell whether cm runs on {name}: exit code 4, unknown"
    ]


def test_of_an_agent_that_can_not_be_asked_others_tell(judge, facts):
    facts[CMS2].update(service=service(None, "is not there"), unable=["lsb:cm isn't there"])
    assert judge(facts)["problems"] == [
        f"if cms1 dies, nobody takes cm over: {CMS2}: lsb:cm isn't there"
    ]


def test_of_one_that_hangs_it_is_said_that_it_hangs(judge, facts):
    facts[CMS1].update(service=service(None, LEFT), answers=None, frozen="its process 7 is stopped")
    assert judge(facts)["problems"] == [
        "cm hangs on cms1: its process 7 is stopped; salt-run cmha.failover cms"
    ]


def test_the_host_that_would_act_can_not_tell(judge, facts):
    """The one that would be dead then doesn't know it better."""
    facts[CMS2].update(survival={}, unsure="stonith_admin fails")
    report = judge(facts)
    assert (report["health"], report["survival"]) == ("poor", {})
    assert report["problems"] == ["nobody can tell what would fail over: stonith_admin fails"]


def test_no_host_says_what_would_happen(judge, facts):
    for each in facts.values():
        each["survival"] = {}
    assert judge(facts)["problems"] == ["nobody can tell what would fail over: no host says"]


def test_a_daemon_that_hangs(judge, facts):
    facts[CMS1].update(hangs=["pacemakerd hangs: it is stopped"], cluster=None, survival={})
    report = judge(facts)
    assert (report["health"], report["nodes"]["cms1"]) == ("poor", "online")
    assert f"{CMS1}: pacemakerd hangs: it is stopped" in report["problems"]


def test_a_daemon_that_only_watches_hinders_nobody(judge, facts):
    facts[CMS2].update(hangs=["pacemakerd hangs: it is stopped"], cluster=None, survival={})
    report = judge(facts)
    assert report["survival"]["cms1"]["takes_over"] == "cms2"
    assert report["problems"] == [f"{CMS2}: pacemakerd hangs: it is stopped"]
    assert report["health"] == "poor"


def test_daemons_that_hang_on_both(judge, facts):
    for each in facts.values():
        each.update(hangs=["corosync hangs: it is stopped"], cluster=None, survival={})
    facts[CMS1]["service"] = facts[CMS2]["service"] = service(False)
    report = judge(facts)
    assert report["health"] == "unknown"
    assert report["problems"][0] == f"{CMS1}: corosync hangs: it is stopped"


def test_a_wrong_pillar_hides_nothing(judge, facts):
    facts[CMS1].update(wrong="pillar cmha:x: no", at_boot=None)
    report = judge(facts)
    assert (report["health"], report["problems"]) == ("poor", [f"{CMS1}: pillar cmha:x: no"])
    assert report["service"]["nodes"] == ["cms1"]


def test_while_a_daemon_is_replaced_nobody_takes_over(judge, facts):
    """It may take the controller along, which never learns then that the other node has died."""
    facts[CMS2]["recovers"] = ["pacemaker-execd hangs: it is stopped; pacemakerd replaces it"]
    report = judge(facts)
    assert (report["health"], report["survival"]["cms1"]["takes_over"]) == ("poor", None)
    assert report["problems"] == [
        f"if cms1 dies, nobody takes cm over: {CMS2}: pacemaker-execd hangs: it is stopped; pacemakerd "
        "replaces it"
    ]


class Silence(str):
    """What a master says of a host that is merely silent."""

    state = "silent"


@pytest.mark.parametrize(
    ("online", "says"),
    [
        (True, f"{CMS2} doesn't answer this master, but {CMS1} sees it online"),
        (False, f"{CMS2} doesn't answer this master, and {CMS1} sees it offline"),
    ],
)
def test_a_silent_host_that_its_peer_knows(judge, facts, online, says):
    del facts[CMS2]
    facts[CMS1]["cluster"]["nodes"]["cms2"]["online"] = online
    report = judge(facts, {CMS2: Silence("mute")})
    assert report["silent"][CMS2].startswith(says)
    assert report["silent"][CMS2] in report["problems"]


def test_a_silent_host_whose_peer_is_silent_too(judge):
    report = judge({}, {CMS1: Silence("mute"), CMS2: Silence("mute")})
    assert report["problems"][1] == (
        f"{CMS2} doesn't answer this master, nor does a cluster on {CMS1} say how it is; see that it and its "
        "salt-minion run"
    )


def test_the_host_that_is_left_is_the_one_that_acts(judge, facts):
    facts[CMS2]["survival"] = {"cms1": {"takes_over": None, "why": ["no quorum"]}}
    assert judge(facts)["survival"] == {"cms1": {"takes_over": None, "why": ["no quorum"]}}
    facts[CMS1]["survival"], facts[CMS2]["survival"] = (
        facts[CMS2]["survival"],
        facts[CMS1]["survival"],
    )
    assert judge(facts)["survival"]["cms1"]["takes_over"] == "cms2"


# --- fencing -------------------------------------------------------------------------------------


TWICE = (
    "if the network between cms1 and cms2 is cut, cm runs on both: nothing fences, and no quorum device "
    "decides"
)


def test_a_cut_that_leaves_two_is_said_each_time(judge, facts):
    for each in facts.values():
        each["twice"] = ["cms1", "cms2"]
    report = judge(facts)
    assert (report["health"], report["twice"]) == ("good", ["cms1", "cms2"])
    assert report["outlook"] == ["if cms1 dies, cm starts on cms2", TWICE]


def test_where_nobody_takes_over_nothing_runs_twice(judge, facts):
    for each in facts.values():
        each["twice"] = ["cms1", "cms2"]
        each["maintenance"] = {"on": True, "ours": False, "before": None}
    report = judge(facts)
    assert (report["twice"], report["outlook"]) == ([], [])


EVENT = {
    "node": "cms1",
    "action": "reboot",
    "status": "success",
    "by": "cms2",
    "asked_by": "pacemaker-controld.1 on cms2",
    "reason": None,
    "when": "noon",
}


def fenced_by(*where):
    return {**run_by(*where), "agent": "stonith:fence_ipmilan"}


def test_devices_and_who_was_fenced_last(judge, facts):
    devices = {"fence-cms1": fenced_by("cms2"), "fence-cms2": fenced_by("cms1")}
    see(
        facts,
        resources={"cm": run_by("cms1"), **devices},
        fencing=True,
        fencings=[EVENT, {**EVENT, "status": "failed", "when": "before"}],
    )
    report = judge(facts)
    assert report["problems"] == []
    assert report["fencing"] == {
        "on": True,
        "devices": {"fence-cms1": ["cms2"], "fence-cms2": ["cms1"]},
        "last": {"cms1": {name: value for name, value in EVENT.items() if name != "node"}},
        "unclean": [],
        "unable": {},
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"status": "failed", "reason": "no route"},
            "cms1 was to be fenced (reboot) at noon by cms2, as pacemaker-controld.1 on cms2 asked, which "
            "failed: no route; when that is mended: stonith_admin --cleanup --history cms1",
        ),
        (
            {"status": "pending", "by": None, "when": None},
            "cms1 is being fenced (reboot), as pacemaker-controld.1 on cms2 asked",
        ),
    ],
)
def test_a_fencing_that_failed_or_goes_on(judge, facts, changes, said):
    see(facts, fencing=True, fencings=[{**EVENT, **changes}])
    report = judge(facts)
    assert (report["health"], report["problems"]) == ("poor", [said])


def test_a_device_that_runs_nowhere(judge, facts):
    see(facts, resources={"cm": run_by("cms1"), "fence-cms1": fenced_by()}, fencing=True)
    (problem,) = judge(facts)["problems"]
    assert problem.startswith("the fence device fence-cms1 runs on no node: nobody watches")
    see(facts, fencing=False)
    assert judge(facts)["problems"] == []
    # in maintenance mode it can't be started
    facts[CMS1]["maintenance"] = {"on": True, "ours": True}
    see(facts, resources={"cm": run_by("cms1"), "fence-cms1": fenced_by()}, fencing=True)
    assert not [line for line in judge(facts)["problems"] if "runs on no node" in line]
    facts[CMS1]["maintenance"] = {"on": False, "ours": False}
    # it may not run on the node that it fences, and the other one is off
    alone = {name: {**NODE, "online": name == "cms1"} for name in ("cms1", "cms2")}
    see(facts, fencing=True, nodes=alone)
    assert not [line for line in judge(facts)["problems"] if "runs on no node" in line]


def test_an_active_host_that_could_not_fence_the_other(judge, facts, pure):
    see(facts, fencing=True)
    facts[CMS1]["unfenced"] = ["no fence device that answers can fence cms2: x"]
    report = judge(facts)
    said = f"{CMS1}: no fence device that answers can fence cms2: x"
    assert (report["health"], report["problems"]) == ("poor", [said])
    assert pure("cmha_status").warnings(report) == [said]


@pytest.mark.parametrize(
    ("on", "unclean", "status", "told"),
    [
        (True, True, "failed", True),
        (True, True, "pending", True),
        (True, True, "success", False),
        (True, True, None, True),  # Pacemaker before 2.0.3
        (True, False, "failed", False),
        (False, True, "failed", False),
    ],
)
def test_a_node_whose_end_nobody_knows(judge, facts, on, unclean, status, told):  # noqa: PLR0917
    nodes = {
        name: {**NODE, "online": name == "cms1", "unclean": name == "cms2" and unclean}
        for name in ("cms1", "cms2")
    }
    event = {**dict.fromkeys(("by", "asked_by", "reason", "when")), "node": "cms2"}
    events = [{**event, "action": "off", "status": status}] if status else []
    see(facts, fencing=on, nodes=nodes, fencings=events)
    report = judge(facts)
    said = [line for line in report["problems"] if "node=cms2 is_off=True" in line]
    assert (len(said), report["fencing"]["unclean"]) == (int(told), ["cms2"] if unclean else [])
