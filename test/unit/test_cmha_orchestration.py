"""The orchestration at sites: what a step does, and what becomes of many sites."""

import contextlib
import threading

import pytest

CMS = {"pair": "cms", "nodes": [{"id": "h1"}, {"id": "h2"}]}
GOOD, BAD = (
    {"a": {"__id__": "a", "result": result, "changes": {}, "comment": "why"}}
    for result in (True, False)
)
CHANGED = {"a": {"__id__": "a", "result": True, "changes": {"x": 1}, "comment": ""}}
BUSY = ['The function "state.apply" is running as PID 4711 and was started at … with jid 2026']


@pytest.fixture
def orchestration(pure, monkeypatch):
    """The module at a master. ``answers`` has what hosts return, job by job; ``asked`` the jobs; ``told_of``
    what was said."""
    module = pure("cmha_orchestration")
    module.answers, module.asked, module.told_of = [], [], []
    module.still, module.at_rest = None, []

    class Master:
        def __init__(self, opts, patience=None):
            module.patience = patience

        def ask_once(self, hosts, function, *arguments, **options):
            module.asked.append((list(hosts), function, arguments, options))
            answers = module.answers.pop(0) if module.answers else dict.fromkeys(hosts, GOOD)
            if isinstance(answers, Exception):
                raise answers
            return answers

        def need_rest(self, hosts):
            module.at_rest.append(list(hosts))
            if module.still:
                raise module.HostError(module.still)

    @contextlib.contextmanager
    def told(opts, *names, what, hosts):
        outcome = {"failed": None}
        yield outcome
        module.told_of.append((*names, what, hosts, outcome["failed"]))

    monkeypatch.setattr(module, "Master", Master)
    monkeypatch.setattr(module, "told", told)
    monkeypatch.setattr(module.cmha_reconfigure, "way_back", lambda opts, pair: "")
    return module


OPTS = {"test": False}


def applied(module, sls="cmha.host", what="prepare", *, test=False, hosts=("h1", "h2")):
    return module.apply(
        {"test": test}, f"east cms: {what}", site="east", pair=CMS, hosts=list(hosts), sls=sls
    )


@pytest.mark.parametrize(
    ("answers", "result", "comment", "kept"),
    [
        (
            {"h1": GOOD, "h2": GOOD},
            True,
            "States ran successfully. No changes made to h1, h2",
            None,
        ),
        (
            {"h1": GOOD, "h2": CHANGED},
            True,
            "States ran successfully. Updating h2. No changes made to h1",
            {"h2": CHANGED},
        ),
        (
            {"h1": CHANGED, "h2": BAD},
            False,
            "Run failed on minions: h2. h2: a: why",
            {"h1": CHANGED, "h2": BAD},
        ),
        (
            {"h1": ["Rendering SLS failed", "line 3"], "h2": GOOD},
            False,
            "Run failed on minions: h1. h1: Rendering SLS failed line 3",
            {"h1": ["Rendering SLS failed", "line 3"]},
        ),
        (
            {"h1": "text", "h2": {}},
            False,
            "Run failed on minions: h1, h2. h1: text. h2: it answered without a state",
            {"h1": "text", "h2": {}},
        ),
        (
            {"h1": None, "h2": {"a": 7}},
            False,
            "Run failed on minions: h1. h1: None",
            {"h1": None},
        ),
    ],
)
def test_a_step(orchestration, answers, result, comment, kept):
    orchestration.answers = [answers]
    assert applied(orchestration, ["cmha.host", "cmha.corosync"]) == {
        "name": "east cms: prepare",
        "result": result,
        "comment": comment,
        "changes": {"out": "highstate", "ret": kept} if kept else {},
    }
    failed = None if result else comment
    assert orchestration.told_of == [
        ("east", "cms", "orchestrate", "prepare", ["h1", "h2"], failed)
    ]
    assert orchestration.asked == [(["h1", "h2"], "state.apply", ("cmha.host,cmha.corosync",), {})]


def test_the_first_state_that_failed_is_named(orchestration):
    def state(number, name):
        return {
            "__run_num__": number, "__id__": name, "result": False, "changes": {}, "comment": f"of {name}",
        }  # fmt: skip

    answer = {"z": state(2, "later"), "a": state(1, "first"), "m": GOOD["a"]}
    orchestration.answers = [{"h1": answer}]
    assert applied(orchestration)["comment"].endswith(". h1: first: of first")


def test_a_silent_host(orchestration):
    orchestration.answers = [{"h1": GOOD, "h2": orchestration.HostError("h2 doesn't answer")}]
    ret = applied(orchestration)
    assert ret["comment"] == "Run failed on minions: h2. h2 doesn't answer"
    assert ret["changes"]["ret"] == {"h2": False}


@pytest.mark.parametrize(
    ("answers", "result"), [([GOOD, CHANGED], None), ([GOOD, GOOD], True), ([CHANGED, BAD], False)]
)
def test_a_test_run(orchestration, answers, result):
    orchestration.answers = [dict(zip(("h1", "h2"), answers))]
    assert applied(orchestration, test=True)["result"] is result
    assert orchestration.asked[0][-1] == {"test": True}


def test_a_step_that_fails_in_maintenance_mode_tells_the_way_back(orchestration, monkeypatch):
    monkeypatch.setattr(
        orchestration.cmha_reconfigure, "way_back", lambda opts, pair: "The pair stays"
    )
    orchestration.answers = [{"h1": BAD}]
    ret = applied(orchestration)
    assert ret["comment"].endswith("h1: a: why. The pair stays")
    assert orchestration.told_of[0][-1] == ret["comment"]


@pytest.mark.parametrize(
    ("runs", "still", "asked", "end"),
    [
        # a highstate on h2, then the step is applied there alone
        (
            [{"h1": CHANGED, "h2": BUSY}, {"h2": CHANGED}],
            None,
            [["h1", "h2"], ["h2"]],
            (True, {"h1": CHANGED, "h2": CHANGED}),
        ),
        # nothing to change there
        (
            [{"h1": CHANGED, "h2": BUSY}, {"h2": GOOD}],
            None,
            [["h1", "h2"], ["h2"]],
            (True, {"h1": CHANGED}),
        ),
        # nobody waits for anything where the step has failed
        ([{"h1": BAD, "h2": BUSY}], None, [["h1", "h2"]], (False, {"h1": BAD, "h2": BUSY})),
        (
            [{"h1": ["no SLS"], "h2": BUSY}],
            None,
            [["h1", "h2"]],
            (False, {"h1": ["no SLS"], "h2": BUSY}),
        ),
        ([{"h2": BUSY}], "still busy", [["h1", "h2"]], (False, {"h2": BUSY})),
    ],
)
def test_a_host_that_is_busy_with_other_states_is_waited_for(
    orchestration, runs, still, asked, end
):
    orchestration.answers, orchestration.still = list(runs), still
    ret = applied(orchestration)
    assert [job[0] for job in orchestration.asked] == asked
    assert (ret["result"], ret["changes"]["ret"]) == end
    if len(asked) > 1:
        assert ret["comment"].startswith("h2 had other states to do first. States ran ")
    if still:
        assert ret["comment"] == still


def test_a_test_run_whose_last_host_has_nothing_to_change_foresees_the_others(orchestration):
    orchestration.answers = [{"h1": CHANGED, "h2": BUSY}, {"h2": GOOD}]
    assert applied(orchestration, test=True)["result"] is None


@pytest.mark.parametrize(("sls", "waits"), [(["cmha.start"], [["h1", "h2"]]), (["cmha.host"], [])])
def test_hosts_that_wait_for_each_other_begin_together(orchestration, sls, waits):
    applied(orchestration, sls)
    assert (orchestration.at_rest, len(orchestration.asked)) == (waits, 1)
    assert orchestration.patience == (0.5 if waits else None)
    orchestration.still = "h2 is busy"
    ret = applied(orchestration, ["cmha.start"])
    assert (ret["result"], ret["comment"], len(orchestration.asked)) == (False, "h2 is busy", 1)


def test_who_interrupts_a_step_has_it_fail(orchestration):
    orchestration.answers = [orchestration.HostError("interrupted; state.apply goes on on h1")]
    ret = applied(orchestration)
    assert (ret["result"], ret["comment"]) == (False, "interrupted; state.apply goes on on h1")


DIES = "if cms1 dies, nobody takes cm over: x"
WELL = "States ran successfully. No changes made to h1"


@pytest.mark.parametrize(
    ("answer", "foreseen", "said"),
    [
        (
            GOOD,
            {"takes_over": "cms2", "why": []},
            (f"{WELL}. if cms1 dies, cm starts on cms2", None),
        ),
        (GOOD, {"takes_over": None, "why": ["x"]}, (f"{WELL}. {DIES}", [DIES])),
        (BAD, None, ("Run failed on minions: h1. h1: a: why", None)),
    ],
)
def test_a_verified_pair_that_would_not_survive_is_a_warning(
    orchestration, monkeypatch, answer, foreseen, said
):
    report = {
        "service": {"resource": "cm"},
        "survival": {"cms1": foreseen},
        "twice": [],
        "fencing": {"unable": {}},
    }
    monkeypatch.setattr(orchestration.cmha_pair, "health", lambda opts, pairs: [report])
    orchestration.answers = [{"h1": answer}]
    ret = orchestration.verify(OPTS, "east cms: v", "east", CMS, ["h1"], "cmha.verify")
    assert ret["result"] is (answer is GOOD)
    assert (ret["comment"], ret.get("warnings")) == said


def test_a_pair_whose_hosts_cannot_fence_each_other_is_a_warning(orchestration, monkeypatch):
    report = {
        "service": {"resource": "cm"},
        "survival": {},
        "twice": [],
        "fencing": {"unable": {"h1": ["no device can fence cms2"]}},
    }
    monkeypatch.setattr(orchestration.cmha_pair, "health", lambda opts, pairs: [report])
    ret = orchestration.verify(OPTS, "east cms: v", "east", CMS, ["h1"], "cmha.verify")
    assert (ret["result"], ret["warnings"]) == (True, ["h1: no device can fence cms2"])


@pytest.mark.parametrize("test", [False, True])
@pytest.mark.parametrize(
    ("function", "of_room"),
    [
        ("reconfigured", ("cmha_reconfigure", "attempt")),
        ("certified", ("cmha_qdevice", "certify")),
    ],
)
def test_other_steps_are_their_rooms(orchestration, monkeypatch, test, function, of_room):
    asked, (room, work) = [], of_room
    done = {"result": True, "changes": {"h1": {}}, "comment": "taken in"}
    monkeypatch.setattr(
        getattr(orchestration, room), work, lambda opts, *rest: asked.append(rest) or done
    )
    step = {"name": "n", "function": function, "arguments": {"site": "east", "pair": CMS}}
    assert orchestration.do({"test": test}, step) == {"name": "n", **done}
    assert asked == [("east", CMS, test)]


def test_a_step_with_nothing_to_do(orchestration):
    step = {"name": "n", "function": "idle", "arguments": {"comment": "nothing to do"}}
    said = {"name": "n", "result": True, "changes": {}, "comment": "nothing to do"}
    assert orchestration.do(OPTS, step) == said
    assert (orchestration.asked, orchestration.told_of) == ([], [])


def test_a_pair_that_is_seen_to_be_good_is_told(orchestration):
    where = {"site": "east", "pair": "cms", "hosts": ["h1", "h2"]}
    arguments = {"comment": "if h1 dies", "warnings": ["w"], "verified": where}
    ret = orchestration.do(
        OPTS, {"name": "east cms: verify it", "function": "idle", "arguments": arguments}
    )
    assert (ret["result"], ret["comment"], ret["warnings"]) == (True, "if h1 dies", ["w"])
    assert orchestration.asked == []
    assert orchestration.told_of == [
        ("east", "cms", "orchestrate", "verify it", ["h1", "h2"], None)
    ]


# --- many sites ----------------------------------------------------------------------------------


def site(name, steps=3):
    return {
        "site": name,
        "steps": [
            {"name": f"{name} cms: {n}", "function": "step", "arguments": {}} for n in range(steps)
        ],
    }


@pytest.fixture
def at_sites(orchestration, monkeypatch):
    """What becomes of these sites, where these steps fail; and the names of the steps in their order."""

    def at(*names, failing=(), result=True, interrupted_at=None, **pace):
        order = []

        def do(opts, step):
            with lock:
                order.append(step["name"])
            wrong = step["name"] in failing
            return {
                "name": step["name"],
                "result": False if wrong else result,
                "comment": "no disk" if wrong else "",
                "changes": {},
            }

        monkeypatch.setattr(orchestration, "do", do)
        return orchestration.at_sites(OPTS, [site(name) for name in names], **pace), order

    lock = threading.Lock()
    return at


def test_all_sites_go_well(at_sites):
    done, order = at_sites("east", "west", "north")
    assert (done["result"], done["comment"]) == (True, "3 of 3 sites went well")
    assert set(done["steps"]) == set(order)
    for name in ("east", "west", "north"):
        assert [each for each in order if each.startswith(name)] == [
            f"{name} cms: {n}" for n in range(3)
        ]


def test_a_site_that_fails_holds_no_other_up(at_sites):
    done, order = at_sites("east", "west", failing=["east cms: 1"])
    assert (done["result"], done["comment"]) == (False, "1 failed: east; 1 of 2 sites went well")
    assert sorted(order) == ["east cms: 0", "east cms: 1", *(f"west cms: {n}" for n in range(3))]
    assert done["steps"]["east cms: 1"]["comment"] == "no disk"


def test_what_is_foreseen_at_one_is_foreseen(at_sites):
    assert at_sites("east", "west", result=None)[0]["result"] is None


@pytest.mark.parametrize(("batch", "at_most"), [(1, 1), ("34%", 1), ("1%", 1), ("67%", 2)])
def test_a_batch(orchestration, at_sites, monkeypatch, batch, at_most):
    most = []
    each = orchestration.cmha_together.each

    def limited(*given):
        most.append(given[4])
        return each(*given)

    monkeypatch.setattr(orchestration.cmha_together, "each", limited)
    done, order = at_sites("a", "b", "c", batch=batch)
    assert (done["result"], most[-1], len(order)) == (True, at_most, 9)
    if at_most == 1:
        assert order == [f"{name} cms: {n}" for name in "abc" for n in range(3)]


def test_after_so_many_failures_no_other_is_begun(at_sites):
    done, order = at_sites("a", "b", "c", failing=["a cms: 0"], batch=1, fail_fast=1)
    assert order == ["a cms: 0"]
    assert (done["result"], done["comment"]) == (
        False,
        "1 failed: a; 2 not begun: b, c; 0 of 3 sites went well",
    )
    _, order = at_sites("a", "b", "c", failing=["a cms: 0"], batch=1, fail_fast=2)
    assert len(order) == 7


def test_a_canary_goes_first_and_alone(at_sites):
    _, order = at_sites("a", "b", "c", canary="b")
    assert order[:3] == [f"b cms: {n}" for n in range(3)]
    assert len(order) == 9
    done, order = at_sites("a", "b", "c", canary="b", failing=["b cms: 1"])
    assert order == ["b cms: 0", "b cms: 1"]
    assert done["comment"] == "1 failed: b; 2 not begun: a, c; 0 of 3 sites went well"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("x"), "KeyError('x')"),
        (KeyboardInterrupt(), "KeyboardInterrupt()"),
        (None, "interrupted; m.f goes on"),
    ],
)
def test_a_defect_at_one_site_is_no_other_ones_concern(orchestration, monkeypatch, error, said):
    def do(opts, step):
        if step["name"] == "b cms: 1":
            raise error or orchestration.HostError("interrupted; m.f goes on")
        return {"name": step["name"], "result": True, "comment": "", "changes": {}}

    monkeypatch.setattr(orchestration, "do", do)
    done = orchestration.at_sites(OPTS, [site(name) for name in "abc"], batch=1, fail_fast=1)
    assert done["steps"]["b cms: 1"] == {
        "name": "b cms: 1",
        "result": False,
        "changes": {},
        "comment": said,
    }
    assert done["comment"] == "1 failed: b; 1 not begun: c; 1 of 3 sites went well"


@pytest.mark.parametrize("canary", [None, "a"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_told_by_the_sites(orchestration, monkeypatch, error, canary):
    def interrupted(opts, what, sites, at, *_):
        if sites:
            at("a", sites["a"])
            raise error

    monkeypatch.setattr(orchestration.cmha_together, "each", interrupted)
    monkeypatch.setattr(
        orchestration, "do", lambda opts, step: {"name": step["name"], "result": True}
    )
    done = orchestration.at_sites(OPTS, [site(name) for name in "abc"], canary=canary)
    assert (done["result"], done["comment"]) == (False, "2 not begun: b, c; 1 of 3 sites went well")


@pytest.mark.parametrize("what", ["health", "way back"])
def test_what_is_interrupted_after_a_step_is_told(orchestration, monkeypatch, what):
    def interrupted(*_):
        raise orchestration.HostError("interrupted")

    monkeypatch.setattr(orchestration.cmha_pair, "health", interrupted)
    monkeypatch.setattr(orchestration.cmha_reconfigure, "way_back", interrupted)
    orchestration.answers = [{"h1": GOOD if what == "health" else BAD}]
    ret = orchestration.verify(OPTS, "east cms: v", "east", CMS, ["h1"], "cmha.verify")
    well, badly = f"{WELL}. interrupted", "Run failed on minions: h1. h1: a: why"
    assert (ret["result"], ret["comment"]) == (False, well if what == "health" else badly)


def test_of_many_some_are_named(at_sites):
    names = [f"s{n:02}" for n in range(15)]
    done, _ = at_sites(*names, failing=[f"{name} cms: 0" for name in names])
    assert done["comment"] == f"15 failed: {', '.join(names[:10])}, …; 0 of 15 sites went well"
