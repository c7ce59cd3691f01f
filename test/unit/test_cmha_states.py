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
    report = {"service": {"resource": "cm"}, "survival": {"cms1": foreseen}}
    for name in ("outlook", "doomed"):
        module.__utils__[f"cmha_status.{name}"] = getattr(pure("cmha_status"), name)
    module.__utils__["cmha_pair.health"] = lambda opts, pairs: [report]
    ret = module.verified("east cms: verify", "east", {"pair": "cms"}, ["h1"], "cmha.verify")
    assert (ret["result"], (ret["comment"], ret.get("warnings"))) == (result, said)


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
