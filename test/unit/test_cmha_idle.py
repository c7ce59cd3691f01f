"""Which pairs have nothing to do; whatever isn't seen to be well has."""

import copy

import pytest
from masters import PAIR, FakeMaster

CLEAN = {"a": {"result": True, "changes": {}}, "b": {"result": True, "changes": {}}}
GOOD = {"health": "good"}


@pytest.fixture
def idle(pure, monkeypatch):
    """The module at a master; what it finds may be changed."""
    module = pure("cmha_idle")
    module.states = {"h1": CLEAN, "h2": CLEAN, "qnetd": CLEAN}
    module.restart = module.certificates = {"result": True, "changes": {}, "comment": ""}
    module.report = GOOD
    module.master = FakeMaster({"state.apply": lambda host, sls, test: module.states[host]})
    monkeypatch.setattr(module, "Master", module.master)
    for room, work, of in (
        ("cmha_reconfigure", "attempt", "restart"),
        ("cmha_qdevice", "certify", "certificates"),
    ):
        monkeypatch.setattr(
            getattr(module, room), work, lambda *_, test, of=of: test and getattr(module, of)
        )
    monkeypatch.setattr(module.cmha_pair, "health", lambda opts, pairs: [module.report])
    monkeypatch.setattr(module.cmha_status, "outlook", lambda report: ["if cms1 dies"])
    monkeypatch.setattr(module.cmha_status, "warnings", lambda report: ["w"])
    return module


def site(*names, **more):
    return {"site": "east", "pairs": [{**copy.deepcopy(PAIR), "pair": name, "qnetd": None,
            "wants_certificate": False, **more} for name in names]}  # fmt: skip


SAID = {"comment": "nothing to do. if cms1 dies", "warnings": ["w"]}


def seen(module, *names, running=None, **more):
    return module.look({}, [site(*names, **more)], {"east": names if running is None else running})


def test_nothing_to_do(idle):
    assert seen(idle, "cms") == {"east": {"cms": SAID}}
    assert idle.master.asked == [
        ("state.apply", "cmha.host,cmha.corosync,cmha.start,cmha.managed,cmha.cluster,cmha.verify")
    ]
    assert idle.master.deeds == []


def test_all_state_files_of_the_steps_are_looked_at(idle, pure):
    """Those that the orchestration would apply, whatever the pair has."""
    of = site("cms", qnetd="qnetd", wants_certificate=True, has_fence_devices=True)
    steps = pure("cmha_steps").of_site(of)
    applied = [step["arguments"].get("sls", []) for step in steps]
    idle.look({}, [of], {"east": ["cms"]})
    looked = {sls for _, *given in idle.master.asked for each in given for sls in each.split(",")}
    assert looked == {sls for each in applied for sls in each}


@pytest.mark.parametrize("host", ["h1", "h2", "qnetd"])
@pytest.mark.parametrize(
    "states",
    [
        {"a": {"result": None, "changes": {}}},
        {"a": {"result": False, "changes": {}}},
        {"a": {"result": True, "changes": {"x": 1}}},
        {"a": {"changes": {}}},
        {"a": "text"},
        ["Rendering SLS failed"],
        [],
        None,
        "text",
    ],
)
def test_whatever_is_not_clean_is_something_to_do(idle, host, states):
    idle.states = {**idle.states, host: {**CLEAN, **states} if isinstance(states, dict) else states}
    assert seen(idle, "cms", qnetd="qnetd") == {"east": {}}


def test_a_host_that_does_not_answer_is_for_the_steps_to_say(idle):
    def lost(host, sls, test):
        raise idle.Trouble("h2 doesn't answer")

    idle.master.answers["state.apply"] = lost
    assert seen(idle, "cms") == {"east": {}}


@pytest.mark.parametrize("result", [True, None, False])
@pytest.mark.parametrize("of", ["restart", "certificates"])
def test_what_is_no_state_is_asked_too(idle, of, result):
    setattr(idle, of, {"result": result, "changes": {"h1": {}} if result else {}, "comment": ""})
    assert seen(idle, "cms", qnetd="qnetd", wants_certificate=True) == {"east": {}}


@pytest.mark.parametrize("health", ["poor", "bad", "unknown"])
def test_a_pair_that_is_not_good_has_something_to_do(idle, health):
    idle.report = {"health": health}
    assert seen(idle, "cms") == {"east": {}}


def test_a_pair_after_one_with_something_to_do_is_not_skipped(idle):
    assert seen(idle, "cms", "mgmt") == {"east": {"cms": SAID, "mgmt": SAID}}
    assert seen(idle, "cms", "mgmt", running=["mgmt"]) == {"east": {}}
    assert seen(idle, "cms", "mgmt", running=["cms"]) == {"east": {"cms": SAID}}


def test_where_corosync_does_not_run_nobody_looks(idle):
    assert seen(idle, "cms", running=[]) == {"east": {}}
    assert idle.master.asked == []
