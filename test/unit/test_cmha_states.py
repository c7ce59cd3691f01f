"""The orchestration's states: each is a step, or says what was done at it while sites were worked at."""

import pytest

ARGUMENTS = {
    "step": {"site": "east", "pair": {"pair": "cms"}, "hosts": ["h1"], "sls": "cmha.host"},
    "verified": {"site": "east", "pair": {"pair": "cms"}, "hosts": ["h1"], "sls": "cmha.verify"},
    "certified": {"site": "east", "pair": {"pair": "cms"}},
    "reconfigured": {"site": "east", "pair": {"pair": "cms"}},
    "idle": {"comment": "nothing to do", "warnings": [], "verified": {"site": "east"}},
}


@pytest.fixture
def cmha(load_file):
    asked = []

    def at_sites(opts, *given):
        asked.append(given)
        return {"result": False, "comment": "1 failed", "steps": {"x": {"name": "x"}}}

    module = load_file(
        "_states/cmha.py",
        opts={"test": False},
        utils={
            "cmha_orchestration.do": lambda opts, step: (
                asked.append(step) or {"name": step["name"]}
            ),
            "cmha_orchestration.at_sites": at_sites,
        },
    )
    module.__context__ = {}
    module.asked = asked
    return module


@pytest.mark.parametrize("function", ARGUMENTS)
def test_a_step_is_done(cmha, function):
    assert getattr(cmha, function)("x", **ARGUMENTS[function]) == {"name": "x"}
    assert cmha.asked == [{"name": "x", "function": function, "arguments": ARGUMENTS[function]}]


@pytest.mark.parametrize("sites", [[{"site": "east"}], '[{"site": "east"}]'])
def test_what_was_done_side_by_side_is_reported(cmha, sites):
    pace = {"batch": "10%", "fail_fast": 1, "canary": "east"}
    assert cmha.at_sites("2 sites", sites, **pace) == {
        "name": "2 sites",
        "changes": {},
        "result": False,
        "comment": "1 failed",
    }
    assert cmha.reported("x") == {"name": "x"}
    ret = cmha.reported("y")
    assert (ret["result"], ret["comment"]) == (False, "wasn't begun")
    assert cmha.asked == [([{"site": "east"}], "10%", 1, "east")]
