"""The orchestration's SLS at a master whose runner says this or that."""

import itertools
import json

import jinja2
import pytest
import salt.serializers.yaml as salt_yaml
import salt.utils.jinja
import salt.utils.yaml


@pytest.fixture
def render(formula):
    """The states that the master gets when the runner answers so."""

    def render(found, **setting):
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(formula), extensions=["jinja2.ext.do"], **setting
        )
        environment.filters["unique"] = salt.utils.jinja.unique

        def runner(name, kwarg=None, saltenv="base"):
            asked.append((name, {**(kwarg or {}), "saltenv": saltenv}))  # as Salt does it
            return found if name == "cmha.fit_sites" else None

        functions = {
            "saltutil.runner": runner,
            "pillar.get": lambda name: None,
            "slsutil.serialize": lambda _, value, **options: salt_yaml.serialize(value, **options),
        }
        template = environment.get_template("cmha/orchestrate/init.sls")
        given = {
            "salt": functions,
            "saltenv": "prod",
            "opts": {"pillarenv": "dev"},
            "pillar": {"x": 1},
        }
        return salt.utils.yaml.safe_load(template.render(given)) or {}

    asked = render.asked = []
    return render


def test_all_is_of_the_environment_of_the_orchestration(render):
    render({"errors": [], "warnings": [], "states": []})
    assert len(render.asked) == 5
    assert all(kwarg["saltenv"] == "prod" for _, kwarg in render.asked)
    assert render.asked[-1][1]["pillarenv"] == "dev"
    assert render.asked[-1][1]["keys"] == ["x"]


@pytest.mark.parametrize(
    "said", ["Exception occurred in runner cmha.fit_sites: KeyError: 1\n  File x", "", "{{ x }}: y"]
)
def test_a_runner_that_fails_is_one_failing_state(render, said):
    states = render(said)
    assert list(states) == ["cmha.fit_sites failed at this master"]
    ((function, (comment,)),) = states["cmha.fit_sites failed at this master"].items()
    assert function == "test.fail_without_changes"
    assert comment == {"comment": f"nothing was done; salt-run cmha.preflight may say more: {said}"}


def pair(
    name,
    hosts,
    resource="cm",
    *,
    qnetd=None,
    wants_certificate=False,
    fenced=False,
    cluster_name="cmf",
):
    """A pair as the runner lists it, as far as the steps ask."""
    return {
        "pair": name,
        "cluster_name": cluster_name,
        "resource": resource,
        "nodes": [{"id": host} for host in hosts],
        "qnetd": qnetd,
        "wants_certificate": wants_certificate,
        "has_fence_devices": fenced,
    }


@pytest.fixture
def states_of(render, pure):
    """The states that the master gets for these sites."""

    def states(*sites, pace=None, **setting):
        room = pure("cmha_steps")
        found = room.states([{**site, "steps": room.of_site(site)} for site in sites], pace or {})
        return render({"errors": [], "warnings": [], "states": found}, **setting)

    return states


def said(state):
    """A state's function, and its arguments."""
    ((function, arguments),) = state.items()
    return function, {key: value for each in arguments for key, value in each.items()}


@pytest.mark.parametrize("setting", [{}, {"trim_blocks": True, "lstrip_blocks": True}])
@pytest.mark.parametrize("name", ["007", "yes", "1e3", "null", "2026-11-26", "0x1f", "x" * 255])
def test_a_name_is_a_name(states_of, name, setting):
    hosts = [f"{name}.a"[-255:], f"{name}.b"[-255:]]
    of_it = pair(
        name, hosts, name, qnetd=name, wants_certificate=True, fenced=True, cluster_name=name
    )
    states = states_of({"site": name, "pairs": [of_it]}, **setting)
    assert len(states) == 11
    for step, state in states.items():
        assert step.startswith(f"{name} {name}: ")
        arguments = said(state)[1]
        assert (arguments["site"], arguments["pair"]) == (name, of_it)


# --- the order -----------------------------------------------------------------------------------

CMS, MGMT = (
    pair("cms", ["cms1", "cms2"]),
    pair("mgmt", ["mgmt1", "mgmt2"], "agent", cluster_name="mgmt"),
)
BOTH, ONE = ["cms1", "cms2"], ["cms1"]
OF_CMS = [
    ("prepare cms1 and cms2", "step", BOTH, ["cmha.host", "cmha.corosync"]),
    ("reload or restart what changed on cms1 and cms2", "reconfigured", None, None),
    ("start the cluster cmf on cms1 and cms2", "step", BOTH, ["cmha.start"]),
    ("configure the cluster cmf on cms1", "step", ONE, ["cmha.managed", "cmha.cluster"]),
    ("verify that cm runs once", "verified", BOTH, ["cmha.verify"]),
]
DEVICE = [
    ("prepare the quorum device qnetd", "step", ["qnetd"], ["cmha.qnetd"]),
    ("reach qnetd from cms1 and cms2", "step", BOTH, ["cmha.qdevice"]),
]
FENCING = [
    ("leave maintenance mode on cms1", "step", ONE, ["cmha.managed"]),
    ("see that cms1 and cms2 can fence each other", "step", BOTH, ["cmha.fencing"]),
    (
        "keep the passwords of fence devices on cms1 and cms2",
        "step",
        BOTH,
        ["cmha.fence_passwords"],
    ),
]
CERTIFY = [("certify cms1 and cms2 at qnetd", "certified", None, None)]


@pytest.mark.parametrize(
    ("device", "steps"),
    [
        ({}, OF_CMS),
        ({"qnetd": "qnetd"}, [*OF_CMS[:1], *DEVICE, *OF_CMS[1:]]),
        (
            {"qnetd": "qnetd", "wants_certificate": True},
            [*OF_CMS[:1], *DEVICE, *CERTIFY, *OF_CMS[1:]],
        ),
        ({"has_fence_devices": True}, [*OF_CMS[:3], *FENCING, *OF_CMS[3:]]),
        # what somebody else's device wants isn't the orchestration's
        ({"wants_certificate": True}, OF_CMS),
    ],
)
def test_the_steps_of_a_pair_in_their_order(states_of, device, steps):
    states = states_of({"site": "east", "pairs": [{**CMS, **device}]})
    found = [(name, *said(state)) for name, state in states.items()]
    assert [
        (name.removeprefix("east cms: "), function, of.get("hosts"), of.get("sls"))
        for name, function, of in found
    ] == [(what, f"cmha.{function}", hosts, sls) for what, function, hosts, sls in steps]


def test_each_step_requires_the_one_before_it(states_of):
    """CMS before MGMT; but no site waits for another, whose hosts may be down."""
    states = states_of({"site": "east", "pairs": [CMS, MGMT]}, {"site": "west", "pairs": [CMS]})
    found = {
        site: [
            (name, said(state)[1].get("require"))
            for name, state in states.items()
            if name.startswith(f"{site} ")
        ]
        for site in ("east", "west")
    }
    assert [len(steps) for steps in found.values()] == [10, 5]
    for steps in found.values():
        assert steps[0][1] is None
        for (before, _), (_, required) in itertools.pairwise(steps):
            assert required == [{"cmha": before}]


@pytest.mark.parametrize(
    "line",
    [
        "x" * 3000,
        "a\nb: c",
        "\x1b[2J",
        "\x80\x85\u2028",
        "{{ x }}",
        "{% x %}",
        "# x",
        "- x",
        "é😀",
        "'\"",
        " ",
    ],
)
def test_a_line_of_any_kind_is_a_state(render, line):
    states = render({"errors": [line, line], "warnings": [line, line], "states": []})
    assert list(states) == [line, f"warning: {line}"]
    assert states[f"warning: {line}"] == {"test.show_notification": [{"text": line}]}


def test_several_sites_are_worked_at_by_one_state_first(states_of, pure):
    """Their steps then say what was done; that this one failed keeps none of them from saying so."""
    sites = [{"site": name, "pairs": [CMS, MGMT]} for name in ("east", "west")]
    pace = {"batch": "10%", "fail_fast": 2, "canary": "east"}
    states = states_of(*sites, pace=pace)
    assert next(iter(states)) == "2 sites"
    function, arguments = said(states.pop("2 sites"))
    steps = pure("cmha_steps").of_site
    whole = [{**site, "steps": steps(site)} for site in sites]
    assert json.loads(arguments.pop("sites")) == whole
    assert (function, arguments) == ("cmha.at_sites", pace)
    names = [step["name"] for site in whole for step in site["steps"]]
    assert [(name, said(state)[0]) for name, state in states.items()] == [
        (name, "cmha.reported") for name in names
    ]
    required = [each for state in states.values() for each in said(state)[1].get("require", [])]
    assert len(required) == len(states) - len(sites)
    assert {"cmha": "2 sites"} not in required
    assert "1 sites" not in states_of(sites[0], pace=pace)


def test_a_pair_that_has_nothing_to_do_says_so(render, pure):
    seen = {"cms": {"comment": "nothing to do. if cms1 dies", "warnings": ["w"]}}
    site = {"site": "east", "pairs": [CMS, MGMT]}
    room = pure("cmha_steps")
    found = room.states([{**site, "steps": room.of_site(site, seen)}], {})
    states = render({"errors": [], "warnings": [], "states": found})
    functions = {name: said(state) for name, state in states.items()}
    of_cms = [each for name, each in functions.items() if name.startswith("east cms: ")]
    assert [function for function, _ in of_cms] == ["cmha.idle"] * 5
    assert [of["comment"] for _, of in of_cms] == ["nothing to do"] * 4 + [seen["cms"]["comment"]]
    assert of_cms[-1][1]["warnings"] == ["w"]
    assert of_cms[-1][1]["verified"] == {"site": "east", "pair": "cms", "hosts": ["cms1", "cms2"]}
    assert functions["east mgmt: prepare mgmt1 and mgmt2"][0] == "cmha.step"


def test_nothing_to_do(render):
    assert render({"errors": [], "warnings": [], "states": []}) == {}
