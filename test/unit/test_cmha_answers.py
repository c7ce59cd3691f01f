"""The door for what hosts answer: what has another shape is one line, and nobody behind it meets it."""

import copy

import facts
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pillars import SITE

JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.text(max_size=3), max_size=2), st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)  # fmt: skip


@pytest.fixture(scope="module")
def answers(pure):
    return pure("cmha_answers")


@pytest.mark.parametrize("function", facts.functions())
def test_what_a_good_host_says_comes_in(answers, function):
    assert answers.problem(function, facts.answer(function)) is None


def test_every_shape_has_a_good_answer(answers):
    assert sorted(facts.functions()) == sorted(answers.SHAPES)


def test_a_newer_host_may_say_more(answers):
    assert answers.problem("cmha_host.health", facts.answer("cmha_host.health", more=1)) is None


def test_of_other_functions_nothing_is_known(answers):
    assert answers.problem("test.ping", "whatever") is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (7, "pacemaker is a number"),
        ({"version": "2.1.5"}, "pacemaker has no feature_set"),
        ({"version": "2.1.5", "feature_set": "3"}, "feature_set is another text"),
        ({"version": "2.1.5", "feature_set": None}, "feature_set is nothing"),
        (None, None),
    ],
)
def test_a_field_that_has_come_lately_is_checked_where_it_is(answers, wrong, says):
    good = facts.answer("cmha_host.health")
    assert answers.problem("cmha_host.health", {**good, "pacemaker": wrong}) == says


@pytest.mark.parametrize("function", facts.functions())
def test_each_field_that_is_missing_is_named(answers, function):
    good = facts.answer(function)
    for field in good if isinstance(good, dict) else ():
        if field in answers.SHAPES[function]:
            less = {key: value for key, value in good.items() if key != field}
            may_be = isinstance(answers.SHAPES[function][field], answers.Lately)
            says = None if may_be else f"the answer has no {field}"
            assert answers.problem(function, less) == says


@pytest.mark.parametrize(
    ("function", "changes", "says"),
    [
        ("cmha_host.fitness", {"has_agent": 1}, "has_agent is a number"),
        ("cmha_host.fitness", {"members": ["a", None]}, "members[1] is nothing"),
        (
            "cmha_host.fitness",
            {"resolves": {"cms1": "192.0.2.1"}},
            "an entry of resolves is a text",
        ),
        ("cmha_host.fitness", {"time": float("nan")}, "time is no time"),
        ("cmha_host.fitness", {"time": True}, "time is a flag"),
        ("cmha_host.health", {"cluster": {"dc": None}}, "cluster has no with_quorum"),
        ("cmha_host.health", {"cluster": "none"}, "cluster is a text"),
        ("cmha_host.health", {"since": {"cms1": 1e300}}, "an entry of since is no time"),
        ("cmha_host.health", {"device": []}, "device is a list"),
        ("cmha_host.health", {"leftovers": [{"id": "x"}]}, "leftovers[0] has no resource"),
    ],
)
def test_another_shape(answers, function, changes, says):
    assert answers.problem(function, facts.answer(function, **changes)) == says


@pytest.mark.parametrize("answer", [None, [], "x", 7, {7: 7}, True])
def test_another_kind_of_answer(answers, answer):
    assert answers.problem("cmha_host.health", answer)


# --- what is behind the door never meets anything else ---------------------------------------------


def places(value, path=()):
    """The paths of all that an answer holds."""
    yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, each in items:
        yield from places(each, (*path, key))


def spoilt(function, place, junk, drop):
    answer = {"it": facts.answer(function)}
    *parents, last = ("it", *place)
    target = answer
    for key in parents:
        target = target[key]
    if drop and len(place):
        del target[last]
    else:
        target[last] = copy.deepcopy(junk)
    return answer["it"]


def an_answer(function):
    where = st.sampled_from(list(places(facts.answer(function))))
    return st.builds(spoilt, st.just(function), where, JUNK, st.booleans())


FEW = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(spoilt_answer=an_answer("cmha_host.fitness"))
def test_preflight_gets_no_other_shape(answers, pure, site_model, spoilt_answer):
    if answers.problem("cmha_host.fitness", spoilt_answer) is None:
        pair = site_model(SITE)["pairs"][0]
        here = {"cms1": spoilt_answer, "cms2": facts.answer("cmha_host.fitness")}
        errors, warnings = pure("cmha_preflight").judge(pair, here, "0f", 1e6, 1e6)
        assert all(isinstance(line, str) for line in errors + warnings)


@FEW
@given(spoilt_answer=an_answer("cmha_host.health"))
def test_status_gets_no_other_shape(answers, pure, load_file, site_model, spoilt_answer):
    if answers.problem("cmha_host.health", spoilt_answer) is None:
        pair = {**site_model(SITE)["pairs"][0], "device": None}
        here = {"cms1": spoilt_answer, "cms2": facts.answer("cmha_host.health")}
        report = pure("cmha_status").judge(pair, here, {})
        assert report["health"] in ("good", "poor", "bad")
        output = load_file("_output/cmha.py", opts={"color": False, "color_theme": None})
        data = {"report": "status", "sites": {"east": {"cms": report}}, "errors": []}
        assert all(line.isprintable() for line in output.output(data).split("\n"))


# --- what goes to a terminal -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("\x1b[2J\x1b[1;1Hgood  east cms", "\\x1b[2J\\x1b[1;1Hgood  east cms"),
        ("\x9b2J", "\\x9b2J"),
        ("a\rb", "a\\rb"),
        ("a\x08b\x7f\x00", "a\\x08b\\x7f\\x00"),
        ("\u202egnp.exe\u2028", "\\u202egnp.exe\\u2028"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("Zürich 東京", "Zürich 東京"),
    ],
)
def test_control_characters_are_shown(answers, said, seen):
    assert answers.shown(said) == seen
    assert answers.shown({said: [said, (said,)]}) == {seen: [seen, [seen]]}


@pytest.mark.parametrize("value", [None, 7, 1.5, True])
def test_what_is_no_text_stays(answers, value):
    assert answers.shown(value) is value
