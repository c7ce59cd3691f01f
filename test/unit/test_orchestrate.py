"""The orchestration's SLS at a master whose runner says this or that."""

import json

import jinja2
import pytest
import yaml


@pytest.fixture
def render(formula):
    """The states that the master gets when the runner answers so."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(formula), extensions=["jinja2.ext.do"]
    )
    environment.filters["json"] = json.dumps

    def render(found):
        salt = {
            "saltutil.runner": lambda name, **_: found if name == "cmha.fit_sites" else None,
            "pillar.get": lambda name: None,
        }
        template = environment.get_template("cmha/orchestrate/init.sls")
        return yaml.safe_load(template.render(salt=salt)) or {}

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


def test_nothing_to_do(render):
    assert render({"errors": [], "warnings": [], "sites": []}) == {}
