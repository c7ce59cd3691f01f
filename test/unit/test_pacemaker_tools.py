"""What Pacemaker's tools of each version know, and that the modules get their answers from all of them."""

import ast
import re
from pathlib import Path

import pytest

MODULES = Path(__file__).resolve().parents[2] / "_modules"
OLDEST = "1.1.10"

# Versions at which a tool learned something, and what came before
VERSIONS = [OLDEST, "1.1.12", "1.1.13", "1.1.24", "2.0.2", "2.0.4", "2.0.5", "2.1.5", "3.0.2"]
DECLARED = {"properties": {"no-quorum-policy": "ignore"}, "primitives": {"cm": "lsb:cm"}}


def numbers(version):
    return [int(number) for number in version.split(".")]


@pytest.fixture(scope="module")
def table(formula_yaml):
    return formula_yaml("test/pacemaker-tools.yaml")


def options(words):
    """The long options among the texts of a piece of code."""
    for word in ast.walk(words):
        if isinstance(word, ast.Constant) and isinstance(word.value, str):
            found = re.match(r"--([a-z_-]+)", word.value)
            if found:
                yield found[1]


def used(tools):
    """Each option in a function that starts a tool, or hands it to the helper which does."""
    for path in sorted(MODULES.glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                texts = {
                    each.value for each in ast.walk(function) if isinstance(each, ast.Constant)
                }
                names = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
                started = {tool for tool in tools if tool in texts or f"_{tool}" in names}
                for option in options(function):
                    if started:
                        yield path.name, function.name, started, option


def test_the_table_has_every_option_that_is_used_and_no_other(table):
    unknown = [use for use in used(table) if not any(use[3] in table[tool] for tool in use[2])]
    assert not unknown, "write into test/pacemaker-tools.yaml since when it is known"
    seen = {(tool, option) for *_, started, option in used(table) for tool in started}
    assert {(tool, each) for tool in table for each in table[tool]} - seen == {
        ("crm_mon", "one-shot")
    }


@pytest.fixture(params=VERSIONS)
def tools(request, cluster, monkeypatch, table):
    """The tools of a version, which say of an option that they don't know it, each as it then did."""
    version = numbers(request.param)
    of_today = cluster.answer

    def answer(command, stdin):
        tool = command[0]
        asked = [found[1] for found in map(re.compile("--([a-z_-]+)").match, command) if found]
        newer = [each for each in asked if numbers(table[tool][each]) > version]
        if not newer:
            return of_today(command, stdin)
        said = f"{tool}: unrecognized option '--{newer[0]}'\n"
        # help on standard output, for an unknown option is read as a wish for it
        return (0, said) if version < [2, 0, 5] else (64, said)

    monkeypatch.setattr(cluster, "answer", answer)
    return request.param


def test_the_dc_and_whether_it_rests(crm, cluster, tools):
    assert crm.dc() == "cms1"
    assert crm.settled() is True
    cluster.controller = "S_TRANSITION_ENGINE"
    assert crm.settled() is False


def test_the_status(crm, tools):
    assert crm.status()["resources"]["cm"]["started"] == ["cms1"]


def test_waiting(crm, tools):
    assert crm.wait() is True


def test_a_move_and_what_is_left_of_it(crm, cluster, tools):
    assert crm.move("cm", "cms2") == ["cms2"]
    assert ["crm_resource", "--clear", "--resource", "cm", "--node", "cms2"] in cluster.commands


def test_a_change_of_the_cib(crm, tools):
    assert list(crm.apply(DECLARED)["changes"]) == ["properties:no-quorum-policy", "primitives:cm"]
    assert crm.plan(DECLARED)["changes"] == {}


def test_one_resource_more(crm, tools):
    assert crm.cleanup("cm") is True
    assert crm.node() == "cms1"
    assert crm.check("cm")["running"] is True
