"""Asking a resource agent by hand, with real scripts."""

import subprocess

import pytest
from salt.exceptions import CommandExecutionError


def run_all(command, env=None, **_):
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return {"retcode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


@pytest.fixture
def module(load_file, tmp_path, monkeypatch):
    module = load_file(
        "_modules/resource_agent.py",
        grains={"id": "mgmt1"},
        salt={
            "cmd.run_all": run_all,
            "service.available": lambda name: name != "missing",
            "service.status": lambda name: name == "runs",
        },
    )
    monkeypatch.setattr(module, "_OCF_ROOT", str(tmp_path))
    return module


@pytest.fixture
def agent(tmp_path):
    def write(text, mode=0o755):
        path = tmp_path / "resource.d/cm/agent"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(mode)

    return write


@pytest.mark.parametrize(("code", "answer"), [(0, "running"), (7, "stopped")])
def test_two_clear_answers(module, agent, code, answer):
    agent(f'[ "$1" = monitor ] && exit {code}')
    assert module.monitor("ocf:cm:agent") == answer


def test_an_agent_that_fails_is_named_with_what_it_said(module, agent):
    agent("echo no database >&2; exit 1")
    with pytest.raises(CommandExecutionError, match="on mgmt1 .* exit code 1, no database"):
        module.monitor("ocf:cm:agent")


def test_an_agent_that_is_not_there(module):
    with pytest.raises(CommandExecutionError, match="ocf:cm:agent: .* not there .* on mgmt1"):
        module.monitor("ocf:cm:agent")


def test_an_agent_gets_its_parameters(module, agent):
    agent('[ "$OCF_RESKEY_config" = /etc/x ] && exit 0; exit 1')
    assert module.monitor("ocf:cm:agent", {"config": "/etc/x"}) == "running"


def test_an_lsb_name_without_a_script_names_the_way_out(module):
    with pytest.raises(CommandExecutionError, match="say agent: systemd:no-such-service"):
        module.monitor("lsb:no-such-service")


def test_a_unit(module):
    assert module.monitor("systemd:runs") == "running"
    assert module.monitor("systemd:else") == "stopped"
    with pytest.raises(CommandExecutionError, match="no service missing on mgmt1"):
        module.monitor("systemd:missing")


def test_a_standard_that_cannot_be_asked(module):
    with pytest.raises(CommandExecutionError, match="not nagios"):
        module.monitor("nagios:check")


@pytest.mark.parametrize(
    ("name", "test", "result"),
    [("ocf:cm:agent", False, False), ("ocf:cm:agent", True, None), ("lsb:nothing", True, False)],
)
def test_the_state_passes_the_error_on(load_file, module, name, test, result):
    state = load_file(
        "_states/resource_agent.py",
        opts={"test": test},
        salt={"resource_agent.monitor": module.monitor},
    )
    ret = state.answers(name)
    assert (ret["result"], ret["changes"]) == (result, {})
    assert "is not there" in ret["comment"]


def test_the_state_says_what_the_agent_answered(load_file, module, agent):
    agent("exit 7")
    state = load_file(
        "_states/resource_agent.py",
        opts={"test": False},
        salt={"resource_agent.monitor": module.monitor},
    )
    ret = state.answers("ocf:cm:agent")
    assert (ret["result"], ret["comment"]) == (True, "ocf:cm:agent answers: stopped")
