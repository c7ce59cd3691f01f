"""The `crm` states on the module, on a cluster in memory: Salt's contract, and what they tell."""

import pytest

NODES = {
    "cms1": {"nodeid": 1, "address": "10.1.0.11"},
    "cms2": {"nodeid": 2, "address": "10.1.0.12"},
}
DECLARED = {
    "properties": {"no-quorum-policy": "ignore", "stonith-enabled": False},
    "rsc_defaults": {"resource-stickiness": 100},
    "primitives": {"cm": "lsb:cm"},
}


# --- configured and the single ones --------------------------------------------------------------


def test_configured_changes_and_then_doesnt(state, cluster):
    first = state.configured("cms", **DECLARED, nodes=list(NODES))
    assert (first["name"], first["result"]) == ("cms", True)
    assert first["changes"]["properties:stonith-enabled"] == {"old": None, "new": "false"}
    assert len(cluster.writes()) == 1

    cluster.commands.clear()
    second = state.configured("cms", **DECLARED, nodes=list(NODES))
    assert (second["result"], second["changes"]) == (True, {})
    assert cluster.writes() == []


def test_a_prediction_is_exact_and_touches_nothing(state, cluster):
    state.opts["test"] = True
    predicted = state.configured("cms", **DECLARED)
    assert predicted["result"] is None
    assert cluster.writes() == []

    state.opts["test"] = False
    assert state.configured("cms", **DECLARED)["changes"] == predicted["changes"]

    state.opts["test"] = True
    assert state.configured("cms", **DECLARED)["result"] is True


def test_a_prediction_says_first_what_would_stop(state, cluster):
    cluster.simulated = "Transition Summary:\n  * Stop  old  ( cms1 )  due to node availability\n"
    state.opts["test"] = True
    lines = state.configured("cms", **DECLARED)["comment"].splitlines()
    assert lines[0] == "would stop or move what runs: Stop old (cms1)"
    assert lines[1] == "would add properties:no-quorum-policy: ignore"


def test_a_stopped_cluster_stays_stopped(state, cluster):
    cluster.is_running = False
    result = state.configured("cms", **DECLARED)
    assert (result["result"], result["changes"]) == (False, {})
    assert "start it with: service corosync start" in result["comment"]

    state.opts["test"] = True
    assert state.configured("cms", **DECLARED)["result"] is None


def test_a_prediction_without_pacemaker(state, crm, monkeypatch):
    monkeypatch.setattr(crm.salt.utils.path, "which", lambda name: None)
    state.opts["test"] = True
    assert set(state.configured("cms", **DECLARED)["changes"]) == {
        "properties:no-quorum-policy",
        "properties:stonith-enabled",
        "rsc_defaults:resource-stickiness",
        "primitives:cm",
    }


def test_bad_input_fails_in_a_prediction_too(state):
    for test in (True, False):
        state.opts["test"] = test
        result = state.configured("cms", properties={"x": [1]})
        assert result["result"] is False
        assert result["comment"] == "cms1: properties:x: one value is wanted, not a list"


@pytest.mark.parametrize(
    ("kind", "arguments", "path"),
    [
        ("property", {"name": "batch-limit", "value": 5}, "properties:batch-limit"),
        ("rsc_default", {"name": "priority", "value": 5}, "rsc_defaults:priority"),
        ("op_default", {"name": "timeout", "value": 5}, "op_defaults:timeout"),
        ("primitive", {"name": "cm", "agent": "lsb:cm", "meta": {"priority": 1}}, "primitives:cm"),
    ],
)
def test_present_and_absent(state, cluster, kind, arguments, path):
    come, go = getattr(state, f"{kind}_present"), getattr(state, f"{kind}_absent")
    name = arguments["name"]
    assert (go(name)["name"], go(name)["result"], go(name)["changes"]) == (name, True, {})

    state.opts["test"] = True
    assert come(**arguments)["result"] is None
    state.opts["test"] = False
    done = come(**arguments)
    assert (done["result"], list(done["changes"])) == (True, [path])
    assert come(**arguments)["changes"] == {}

    state.opts["test"] = True
    assert go(name)["result"] is None
    state.opts["test"] = False
    assert go(name)["changes"][path]["new"] is None
    assert go(name)["changes"] == {}
    assert len(cluster.writes()) == 2


# --- online --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nodes", [NODES, list(NODES), [{"name": name, **each} for name, each in NODES.items()]]
)
def test_online(state, nodes):
    result = state.online("cms", nodes)
    assert result["result"] is True
    assert result["changes"] == {}
    assert "DC cms1" in result["comment"]


def test_a_member_that_left(state, members):
    members[2]["status"] = "left"
    result = state.online("cms", NODES, timeout=5)
    assert result["result"] is False
    assert (
        "cms2 (10.1.0.12, nodeid 2) hasn't joined, corosync sees nodeid 1 at" in result["comment"]
    )
    assert "within 5 s" in result["comment"]


def test_a_list_of_names_counts_the_members(state, members):
    del members[2]
    result = state.online("cms", list(NODES), timeout=1)
    assert result["result"] is False
    assert "1 of 2 members have joined, corosync sees nodeid 1" in result["comment"]


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ('online="false"', "offline"),
        ('online="true" pending="true"', "pending"),
        ('online="false" unclean="true"', "unclean"),
    ],
)
def test_a_node_that_isnt_online(state, cluster, how, word):
    cluster.mon = cluster.mon.replace(
        'name="cms2" id="2" online="true"', f'name="cms2" id="2" {how}'
    )
    result = state.online("cms", NODES, timeout=3)
    assert result["result"] is False
    assert f"cms2 is {word} in Pacemaker, which sees cms1 online, cms2 {word}" in result["comment"]


def test_a_node_that_nobody_knows(state):
    result = state.online("cms", {"cms1": {}, "cms9": {}}, timeout=3)
    assert "cms9 is unknown in Pacemaker, which sees cms1 online, cms2 online" in result["comment"]


def test_a_node_in_standby_is_there(state, cluster):
    cluster.mon = cluster.mon.replace('name="cms2" id="2"', 'name="cms2" id="2" standby="true"')
    assert state.online("cms", NODES)["result"] is True


def test_no_dc_yet(state, cluster):
    cluster.dc = None
    result = state.online("cms", NODES, timeout=3)
    assert result["result"] is False
    assert "no designated controller" in result["comment"]


def test_online_waits(state, cluster, monkeypatch):
    cluster.is_running = False
    sleep = state.time.sleep

    def come_up(seconds):
        cluster.is_running = True
        sleep(seconds)

    monkeypatch.setattr(state.time, "sleep", come_up)
    assert state.online("cms", NODES)["result"] is True


def test_online_in_a_prediction(state, cluster):
    state.opts["test"] = True
    assert state.online("cms", NODES)["result"] is True
    cluster.dc = None
    assert state.online("cms", NODES)["result"] is None
    cluster.is_running = False
    assert state.online("cms", NODES)["result"] is None


# --- started -------------------------------------------------------------------------------------


def test_started_here_with_an_answer(state):
    result = state.started("cm", list(NODES), port=7180)
    assert (result["result"], result["changes"], result["comment"]) == (True, {}, "started on cms1")


def test_started_here_without_an_answer(state):
    result = state.started("cm", NODES, port=7181, timeout=3)
    assert result["result"] is False
    assert "nothing answers on port 7181" in result["comment"]


def test_started_here_by_its_agents_word(state, cluster):
    assert state.started("cm", NODES)["result"] is True
    cluster.check = (7, "dead")
    result = state.started("cm", NODES, timeout=3)
    assert result["result"] is False
    assert "its agent says that it isn't (rc 7: dead)" in result["comment"]


def test_started_elsewhere_and_stopped_here(state, cluster):
    cluster.node = "cms2"
    cluster.check = (7, "not running")
    assert state.started("cm", NODES, port=7180)["comment"] == "started on cms1"


def test_started_elsewhere_and_running_here_too(state, cluster):
    cluster.node = "cms2"
    result = state.started("cm", NODES, port=7180, timeout=3)
    assert result["result"] is False
    assert "cm runs here too" in result["comment"]


def test_started_elsewhere_and_nobody_can_tell_about_here(state, cluster):
    cluster.node = "cms2"
    cluster.check = (5, "not installed")
    result = state.started("cm", NODES, port=7180, timeout=3)
    assert result["result"] is False
    assert "cm may run here too (rc 5: not installed)" in result["comment"]


def test_started_on_both(state, cluster):
    cluster.mon = cluster.mon.replace(
        '<node name="cms1" id="1"/>', '<node name="cms1"/><node name="cms2"/>'
    )
    result = state.started("cm", NODES, timeout=3)
    assert "started on cms1, cms2, not on one" in result["comment"]


def test_what_failed_is_not_started_though_pacemaker_lists_it_so(state, cluster):
    """Until the cluster has stopped it. The other host, where it doesn't run, can't call that good."""
    cluster.node = "cms2"
    cluster.check = (7, "not running")
    cluster.mon = cluster.mon.replace('active="true"', 'active="true" failed="true"')
    result = state.started("cm", NODES, port=7180, timeout=3)
    assert result["result"] is False
    assert "within 3 s: cm has failed on cms1" in result["comment"]


def stop_after_failed_starts(cluster, *nodes):
    failures = "".join(
        f'<failure op_key="cm_start_0" task="start" node="{node}" exitcode="1" exitreason="no disk"/>'
        for node in nodes
    )
    cluster.mon = cluster.mon.replace('role="Started" active="true"', 'role="Stopped"')
    cluster.mon = cluster.mon.replace(
        "</pacemaker-result>", f"<failures>{failures}</failures></pacemaker-result>"
    )


def test_started_nowhere_with_the_reason(state, cluster):
    stop_after_failed_starts(cluster, "cms1")
    result = state.started("cm", NODES, timeout=3)
    assert result["result"] is False
    assert "within 3 s: cm is started on no host" in result["comment"]
    assert "started on no host, not on one (start failed on cms1: no disk)" in result["comment"]


def test_no_waiting_for_what_the_cluster_has_given_up(state, cluster):
    stop_after_failed_starts(cluster, "cms1", "cms2")
    result = state.started("cm", NODES, timeout=600)
    assert result["result"] is False
    assert "start failed on cms2: no disk" in result["comment"]
    assert (
        "makes no further attempt; mend the service, then run: crm resource cleanup cm"
        in result["comment"]
    )
    assert state.time.monotonic() == 0


@pytest.mark.parametrize(
    "still",
    [
        lambda cluster: setattr(cluster, "controller", "S_TRANSITION_ENGINE"),
        lambda cluster: setattr(cluster, "dc", None),
        lambda cluster: setattr(
            cluster,
            "mon",
            cluster.mon.replace('role="Stopped"', 'role="Stopped" pending="Starting"'),
        ),
    ],
)
def test_waiting_while_the_cluster_tries(state, cluster, still):
    stop_after_failed_starts(cluster, "cms1", "cms2")
    still(cluster)
    assert "within 5 s" in state.started("cm", NODES, timeout=5)["comment"]
    assert state.time.monotonic() == 5


def test_started_on_a_stranger(state):
    result = state.started("cm", ["cms2", "cms3"], timeout=3)
    assert "started on cms1, which isn't one of cms2, cms3" in result["comment"]


def test_started_of_an_unknown_resource(state):
    assert "no resource nosuch" in state.started("nosuch", NODES, timeout=3)["comment"]


def test_no_waiting_for_what_a_cluster_that_rests_will_not_end(state, cluster):
    cluster.node = "cms2"
    result = state.started("cm", NODES, port=7180, timeout=600)
    assert result["result"] is False
    assert "cm runs here too" in result["comment"]
    assert "no waiting ends that" in result["comment"]
    assert state.time.monotonic() < 20


def test_a_cluster_that_is_busy_is_waited_for(state, cluster):
    cluster.node, cluster.controller = "cms2", "S_TRANSITION_ENGINE"
    assert "within 100 s" in state.started("cm", NODES, port=7180, timeout=100)["comment"]


def test_a_page_that_may_yet_come_is_waited_for(state):
    result = state.started("cm", NODES, port=7181, timeout=100)
    assert "within 100 s: cm is started here, but nothing answers on port 7181" in result["comment"]


def test_started_in_a_prediction(state, cluster):
    state.opts["test"] = True
    assert state.started("cm", NODES)["result"] is True
    assert state.started("nosuch", NODES)["result"] is None
    cluster.is_running = False
    assert state.started("cm", NODES)["result"] is None
