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
