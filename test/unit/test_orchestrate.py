"""The orchestration's SLS at a master whose runner says this or that."""

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
        functions = {
            "saltutil.runner": lambda name, **_: found if name == "cmha.fit_sites" else None,
            "pillar.get": lambda name: None,
            "slsutil.serialize": lambda _, value, **options: salt_yaml.serialize(value, **options),
        }
        template = environment.get_template("cmha/orchestrate/init.sls")
        return salt.utils.yaml.safe_load(template.render(salt=functions)) or {}

    return render


@pytest.mark.parametrize(
    "said", ["Exception occurred in runner cmha.fit_sites: KeyError: 1\n  File x", "", "{{ x }}: y"]
)
def test_a_runner_that_fails_is_one_failing_state(render, said):
    states = render(said)
    assert list(states) == ["cmha.fit_sites failed at this master"]
    ((function, (comment,)),) = states["cmha.fit_sites failed at this master"].items()
    assert function == "test.fail_without_changes"
    assert comment == {"comment": f"nothing was done; salt-run cmha.preflight may say more: {said}"}


@pytest.mark.parametrize("setting", [{}, {"trim_blocks": True, "lstrip_blocks": True}])
@pytest.mark.parametrize("name", ["007", "yes", "1e3", "null", "2026-11-26", "0x1f", "x" * 255])
def test_a_name_is_a_name(render, name, setting):
    nodes = [{"id": f"{name}.{each}"[-255:]} for each in "ab"]
    pair = {
        "pair": name, "cluster_name": name, "resource": name, "nodes": nodes, "qnetd": name,
        "wants_certificate": True,
    }  # fmt: skip
    states = render(
        {"errors": [], "warnings": [], "sites": [{"site": name, "pairs": [pair]}]}, **setting
    )
    assert len(states) == 8
    for step, state in states.items():
        assert step.startswith(f"{name} {name}: ")
        ((_, arguments),) = state.items()
        said = {key: value for each in arguments for key, value in each.items()}
        assert (said["site"], said["pair"]) == (name, pair)


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
    states = render({"errors": [line, line], "warnings": [line, line], "sites": []})
    assert list(states) == [line, f"warning: {line}"]
    assert states[f"warning: {line}"] == {"test.show_notification": [{"text": line}]}


def test_nothing_to_do(render):
    assert render({"errors": [], "warnings": [], "sites": []}) == {}
