"""All that the orchestration has to see of a host at once."""

import contextlib
import time

import facts
import pytest

CLEAN = {"a": {"result": True, "changes": {}}, "b": {"result": True, "changes": {}}}


@pytest.fixture
def look(load_file, pure):
    """The module on a host; ``look.asked`` has what was asked, with its arguments."""

    def on(running, states=CLEAN):
        asked = []

        def function(name, answer):
            return lambda *words, **more: asked.append((name, words, more)) or answer

        answers = {
            "cmha_host.fitness": facts.answer(
                "cmha_host.fitness", running=running, time=time.time() - 5
            ),
            "state.apply": states,
            "cmha_host.pending": "pending",
            "cmha_host.health": "health",
        }
        module = load_file(
            "_modules/cmha_look.py",
            salt={
                "cmha_host.at_once": contextlib.nullcontext,
                **{name: function(name, answer) for name, answer in answers.items()},
            },
            utils={"state_returns.to_do": pure("state_returns").to_do},
        )
        module.asked = asked
        return module

    return on


def test_a_host_whose_cluster_runs(look):
    module = look(True)
    seen = module.everything("cmha.host,cmha.start", saltenv="prod")
    assert (seen["to_do"], seen["pending"], seen["health"]) == ([], "pending", "health")
    assert seen["fitness"]["running"] is True
    assert 5 <= seen["spent"] < 60
    prod = {"saltenv": "prod"}
    assert module.asked == [
        ("cmha_host.fitness", (), prod),
        ("state.apply", ("cmha.host,cmha.start",), {"test": True, **prod}),
        ("cmha_host.pending", (), {"planned": True, **prod}),
        ("cmha_host.health", (), prod),
    ]


def test_a_host_without_a_cluster_is_not_looked_at_further(look):
    module = look(False)
    seen = module.everything("cmha.host")
    assert (seen["to_do"], seen["pending"], seen["health"]) == (None, None, None)
    assert [each[0] for each in module.asked] == ["cmha_host.fitness"]


@pytest.mark.parametrize(
    ("states", "to_do"),
    [
        ({**CLEAN, "b": {"result": None, "changes": {}}}, ["b"]),
        ({**CLEAN, "b": {"result": False, "changes": {}}}, ["b"]),
        ({**CLEAN, "a": {"result": True, "changes": {"x": 1}}}, ["a"]),
        ({**CLEAN, "b": {"changes": {}}}, ["b"]),
        ({"a": "text"}, ["a"]),
        (["Rendering SLS failed", 7], ["Rendering SLS failed", "7"]),
        ("text", ["text"]),
        (None, ["None"]),
    ],
)
def test_whatever_is_not_clean_is_something_to_do(look, states, to_do):
    assert look(True, states).everything("cmha.host")["to_do"] == to_do
