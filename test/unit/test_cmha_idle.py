"""Which pairs have nothing to do; whatever isn't seen to be well has."""

import copy

import facts
import pytest
from facts import NOTHING_WAITS as NOTHING
from masters import PAIR, FakeMaster

CLEAN = {"a": {"result": True, "changes": {}}, "b": {"result": True, "changes": {}}}


@pytest.fixture
def idle(pure, monkeypatch):
    """The module at a master; what hosts say, and what is made of it, may be changed."""
    module = pure("cmha_idle")
    module.seen = {host: everything() for host in ("h1", "h2")}
    module.device = CLEAN
    module.certificates = {"result": True, "changes": {}, "comment": ""}
    module.report = {"health": "good"}
    module.master = FakeMaster({"state.apply": lambda host, sls, test: module.device})
    monkeypatch.setattr(module, "Master", module.master)
    monkeypatch.setattr(
        module.cmha_qdevice, "certify", lambda *_, test: test and module.certificates
    )
    monkeypatch.setattr(module.cmha_status, "judge", lambda pair, facts, silent: module.report)
    monkeypatch.setattr(module.cmha_status, "outlook", lambda report: ["if cms1 dies"])
    monkeypatch.setattr(module.cmha_status, "warnings", lambda report: ["w"])
    return module


def everything(**changes):
    return facts.answer("cmha_look.everything", **{"pending": NOTHING, **changes})


def site(*names, **more):
    without = {"qnetd": None, "wants_certificate": False}
    return {
        "site": "east",
        "pairs": [{**copy.deepcopy(PAIR), "pair": name, **without, **more} for name in names],
    }


SAID = {"comment": "nothing to do. if cms1 dies", "warnings": ["w"]}


def of(module, *names, **more):
    return module.of_sites({}, [site(*names, **more)], {"east": module.seen})["east"]


def test_nothing_to_do(idle):
    assert of(idle, "cms") == {"cms": SAID}
    assert idle.master.asked == []


@pytest.mark.parametrize("host", ["h1", "h2"])
@pytest.mark.parametrize(
    "changes",
    [
        {"to_do": ["file_|-a"]},
        {"to_do": None},
        {"health": None},
        {"pending": None},
        {"pending": {**NOTHING, "running": False}},
        {"pending": {**NOTHING, "corosync": {"totem.token": {"old": "1", "new": "2"}}}},
        {"pending": {**NOTHING, "packages": {"corosync": {"old": "1", "new": "2"}}}},
    ],
)
def test_whatever_a_host_has_to_do_is_something_to_do(idle, host, changes):
    idle.seen[host] = everything(**changes)
    assert of(idle, "cms") == {}


@pytest.mark.parametrize("host", ["h1", "h2"])
def test_of_a_host_that_does_not_answer_the_steps_say_it(idle, host):
    del idle.seen[host]
    assert of(idle, "cms") == {}


@pytest.mark.parametrize("health", ["poor", "bad", "unknown"])
def test_a_pair_that_is_not_good_has_something_to_do(idle, health):
    idle.report = {"health": health}
    assert of(idle, "cms") == {}


def test_the_quorum_device_is_looked_at_too(idle):
    assert of(idle, "cms", qnetd="qnetd") == {"cms": SAID}
    assert (idle.master.asked, idle.master.deeds) == ([("state.apply", "cmha.qnetd")], [])


@pytest.mark.parametrize(
    "states",
    [
        {**CLEAN, "a": {"result": None, "changes": {}}},
        {**CLEAN, "a": {"result": False, "changes": {}}},
        {**CLEAN, "a": {"result": True, "changes": {"x": 1}}},
        {**CLEAN, "a": {"changes": {}}},
        {"a": "text"},
        ["Rendering SLS failed"],
        None,
        "text",
    ],
)
def test_a_device_that_is_not_clean_is_something_to_do(idle, states):
    idle.device = states
    assert of(idle, "cms", qnetd="qnetd") == {}


def test_a_device_that_does_not_answer_is_for_the_steps_to_say(idle):
    def lost(host, sls, test):
        raise idle.HostError("qnetd doesn't answer")

    idle.master.answers["state.apply"] = lost
    assert of(idle, "cms", qnetd="qnetd") == {}


@pytest.mark.parametrize("where", ["states", "certificates"])
def test_who_interrupts_it_wants_no_orchestration(idle, monkeypatch, where):
    """What could not be seen would count as something to do."""

    def interrupted(*_, **__):
        raise idle.Interrupted("interrupted")

    if where == "states":
        monkeypatch.setattr(idle.master, "ask", interrupted)
    else:
        monkeypatch.setattr(idle.cmha_qdevice, "certify", interrupted)
    with pytest.raises(idle.Interrupted):
        of(idle, "cms", qnetd="qnetd", wants_certificate=True)


@pytest.mark.parametrize("result", [True, None, False])
def test_a_certificate_that_is_not_there_is_something_to_do(idle, result):
    changes = {"h1": {}} if result else {}
    idle.certificates = {"result": result, "changes": changes, "comment": ""}
    assert of(idle, "cms", qnetd="qnetd", wants_certificate=True) == {}
    assert of(idle, "cms", qnetd="qnetd") == {"cms": SAID}


def test_a_pair_after_one_with_something_to_do_is_not_skipped(idle):
    sites = site("cms", "mgmt")
    assert idle.of_sites({}, [sites], {"east": idle.seen}) == {"east": {"cms": SAID, "mgmt": SAID}}
    for node in sites["pairs"][0]["nodes"]:
        node["id"] += "-other"
    assert idle.of_sites({}, [sites], {"east": idle.seen}) == {"east": {}}


def test_all_state_files_of_the_steps_are_looked_at(pure):
    """Those that the orchestration would apply on the pair's hosts, whatever the pair has."""
    (pair,) = site("cms", qnetd="qnetd", wants_certificate=True, has_fence_devices=True)["pairs"]
    room = pure("cmha_steps")
    assert room.state_files(pair) == [
        "cmha.host", "cmha.corosync", "cmha.qdevice", "cmha.start", "cmha.managed", "cmha.fencing",
        "cmha.fence_passwords", "cmha.cluster", "cmha.verify",
    ]  # fmt: skip
    (plain,) = site("cms")["pairs"]
    assert room.state_files(plain) == [
        "cmha.host", "cmha.corosync", "cmha.start", "cmha.managed", "cmha.cluster", "cmha.verify",
    ]  # fmt: skip
