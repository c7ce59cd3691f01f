"""The orchestration's steps: what Salt's state says, told on the way."""

import contextlib

import pytest


@pytest.fixture
def cmha(load_file, pure):
    """The states at a master; ``cmha.told`` notes what was said, ``cmha.ran`` what was run."""

    def at_master(result=True, attempt=None, test=False, way_back=""):
        told, ran = [], []

        @contextlib.contextmanager
        def tell(opts, *names, what, hosts):
            outcome = {"failed": None}
            yield outcome
            told.append((*names, what, hosts, outcome["failed"]))

        def state(name, **options):
            ran.append(options)
            return {"name": name, "result": result, "changes": {}, "comment": "so"}

        module = load_file(
            "_states/cmha.py",
            opts={"test": test},
            states={"salt.state": state},
            utils={
                "cmha_master.told": tell,
                "cmha_master.at_rest": lambda opts, hosts: None,
                "cmha_master.busy": pure("cmha_master").busy,
                "cmha_master.environment": lambda opts: opts.get("environment", {}),
                "cmha_answers.shown": pure("cmha_answers").shown,
                "cmha_reconfigure.way_back": lambda opts, pair: way_back,
                "cmha_reconfigure.attempt": lambda opts, *rest: ran.append(rest) or attempt,
            },
        )
        module.told, module.ran = told, ran
        return module

    return at_master


@pytest.mark.parametrize(("result", "failed"), [(True, None), (None, None), (False, "so")])
def test_a_step(cmha, result, failed):
    module = cmha(result)
    ret = module.step("east cms: prepare h1", "east", {"pair": "cms"}, ["h1"], "cmha.host")
    assert (ret["name"], ret["result"]) == ("east cms: prepare h1", result)
    assert module.told == [("east", "cms", "orchestrate", "prepare h1", ["h1"], failed)]
    (options,) = module.ran
    assert (options["tgt"], options["tgt_type"], options["sls"]) == (["h1"], "list", "cmha.host")


def test_a_step_that_fails_in_maintenance_mode_tells_the_way_back(cmha):
    module = cmha(False, way_back="The pair stays")
    ret = module.step("east cms: start h1", "east", {"pair": "cms"}, ["h1"], "cmha.start")
    assert ret["comment"] == "so. The pair stays"
    assert module.told[0][-1] == ret["comment"]


BUSY = ['The function "state.apply" is running as PID 4711 and was started at … with jid 2026']
GOOD, BAD = {"a": {"result": True}}, {"a": {"result": False}}


@pytest.mark.parametrize(
    ("runs", "still", "asked", "end"),
    [
        # a highstate on h2, then the step is applied there alone
        (
            [(False, {"h1": GOOD, "h2": BUSY}), (True, {"h2": GOOD})],
            None,
            [["h1", "h2"], ["h2"]],
            (True, {"h1": GOOD, "h2": GOOD}),
        ),
        # nothing to change there
        (
            [(False, {"h1": GOOD, "h2": BUSY}), (True, {})],
            None,
            [["h1", "h2"], ["h2"]],
            (True, {"h1": GOOD}),
        ),
        # nobody waits for anything where the step has failed
        (
            [(False, {"h1": BAD, "h2": BUSY})],
            None,
            [["h1", "h2"]],
            (False, {"h1": BAD, "h2": BUSY}),
        ),
        (
            [(False, {"h1": ["no SLS"], "h2": BUSY})],
            None,
            [["h1", "h2"]],
            (False, {"h1": ["no SLS"], "h2": BUSY}),
        ),
        ([(False, {"h2": BUSY})], "still busy", [["h1", "h2"]], (False, {"h2": BUSY})),
    ],
)
def test_a_host_that_is_busy_with_other_states_is_waited_for(cmha, runs, still, asked, end):
    module = cmha()
    left = list(runs)

    def state(name, tgt, **_):
        module.ran.append(tgt)
        result, answers = left.pop(0)
        changes = {"out": "highstate", "ret": answers} if answers else {}
        return {"name": name, "result": result, "changes": changes, "comment": "so"}

    module.__states__["salt.state"] = state
    module.__utils__["cmha_master.at_rest"] = lambda opts, hosts: still
    ret = module.step("east cms: prepare", "east", {"pair": "cms"}, ["h1", "h2"], "cmha.host")
    assert module.ran == asked
    assert (ret["result"], ret["changes"]["ret"]) == end
    said = "h2 had other states to do first. so" if len(asked) > 1 else "so"
    assert ret["comment"] == (still or said)


def test_a_test_run_whose_last_host_has_nothing_to_change_foresees_the_others(cmha):
    module = cmha(test=True)
    left = [(None, {"h1": {"a": {"result": None, "changes": {}}}, "h2": BUSY}), (True, {})]

    def state(name, **_):
        result, answers = left.pop(0)
        return {"name": name, "result": result, "changes": {"ret": answers}, "comment": "so"}

    module.__states__["salt.state"] = state
    module.__utils__["cmha_master.at_rest"] = lambda opts, hosts: None
    ret = module.step("east cms: prepare", "east", {"pair": "cms"}, ["h1", "h2"], "cmha.host")
    assert ret["result"] is None


@pytest.mark.parametrize(("sls", "waits"), [(["cmha.start"], [["h1", "h2"]]), (["cmha.host"], [])])
def test_hosts_that_wait_for_each_other_begin_together(cmha, sls, waits):
    module, asked = cmha(), []
    module.__utils__["cmha_master.at_rest"] = lambda opts, hosts: asked.append(hosts)
    module.step("east cms: start", "east", {"pair": "cms"}, ["h1", "h2"], sls)
    assert (asked, len(module.ran)) == (waits, 1)
    module.__utils__["cmha_master.at_rest"] = lambda opts, hosts: "h2 is busy"
    ret = module.step("east cms: start", "east", {"pair": "cms"}, ["h1", "h2"], ["cmha.start"])
    assert (ret["result"], ret["comment"], len(module.ran)) == (False, "h2 is busy", 1)


DIES = "if cms1 dies, nobody takes cm over: x"


@pytest.mark.parametrize(
    ("result", "foreseen", "said"),
    [
        (True, {"takes_over": "cms2", "why": []}, ("so. if cms1 dies, cm starts on cms2", None)),
        (True, {"takes_over": None, "why": ["x"]}, (f"so. {DIES}", [DIES])),
        (False, None, ("so", None)),
    ],
)
def test_a_verified_pair_that_would_not_survive_is_a_warning(cmha, pure, result, foreseen, said):
    module = cmha(result)
    report = {
        "service": {"resource": "cm"},
        "survival": {"cms1": foreseen},
        "twice": [],
        "fencing": {"unable": {}},
    }
    for name in ("outlook", "warnings"):
        module.__utils__[f"cmha_status.{name}"] = getattr(pure("cmha_status"), name)
    module.__utils__["cmha_pair.health"] = lambda opts, pairs: [report]
    ret = module.verified("east cms: verify", "east", {"pair": "cms"}, ["h1"], "cmha.verify")
    assert (ret["result"], (ret["comment"], ret.get("warnings"))) == (result, said)


def test_a_pair_whose_hosts_cannot_fence_each_other_is_a_warning(cmha, pure):
    module = cmha(True)
    report = {
        "service": {"resource": "cm"},
        "survival": {},
        "twice": [],
        "fencing": {"unable": {"h1": ["no device can fence cms2"]}},
    }
    for name in ("outlook", "warnings"):
        module.__utils__[f"cmha_status.{name}"] = getattr(pure("cmha_status"), name)
    module.__utils__["cmha_pair.health"] = lambda opts, pairs: [report]
    ret = module.verified("east cms: verify", "east", {"pair": "cms"}, ["h1"], "cmha.verify")
    assert (ret["result"], ret["warnings"]) == (True, ["h1: no device can fence cms2"])


@pytest.mark.parametrize("test", [False, True])
def test_reconfigured(cmha, test):
    done = {"result": True, "changes": {"h1": {}}, "comment": "taken in"}
    module = cmha(attempt=done, test=test)
    assert module.reconfigured("n", "east", {"pair": "cms"}) == {"name": "n", **done}
    assert module.ran == [("east", {"pair": "cms"}, test)]


def test_certification_is_the_utilitys(load_file):
    asked = []
    done = {"result": None, "changes": {"h1": {}}, "comment": "so"}
    module = load_file(
        "_states/cmha.py",
        opts={"test": True},
        utils={"cmha_qdevice.certify": lambda opts, *rest: asked.append(rest) or done},
    )
    assert module.certified("certify", "east", {"pair": "cms"}) == {"name": "certify", **done}
    assert asked == [("east", {"pair": "cms"}, True)]
