"""The OCF agent, run by a real sh, on a host that plays cloudera-scm-agent."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from agent_host import VARIANTS, AgentHost

SUCCESS, GENERIC, UNIMPLEMENTED, INSTALLED, NOT_RUNNING = 0, 1, 3, 5, 7

# Milliseconds that a stop gets which is to succeed; the others get none
PATIENCE = 60_000

SERVICE, UNIT = "cloudera-scm-agent", "cloudera-scm-supervisord"
HARD_STOPS = {
    "next_stop_hard": [
        f"{SERVICE} next_stop_hard",
        f"{SERVICE} stop",
        f"reset-failed {SERVICE}",
    ],
    "hard_stop_confirmed": [f"{SERVICE} hard_stop_confirmed"],
    "stop_supervisord": [f"stop {SERVICE}", f"stop {UNIT}", f"reset-failed {SERVICE}"],
}
# Each action whose failure is a failure of the stop
STEPS = [
    ("next_stop_hard", "next_stop_hard"),
    ("next_stop_hard", "stop"),
    ("hard_stop_confirmed", "hard_stop_confirmed"),
    ("stop_supervisord", "stop"),
]


@pytest.fixture
def host(formula, tmp_path):
    host = AgentHost(formula, tmp_path)
    yield host
    host.clean()


@pytest.fixture(params=VARIANTS)
def agent(host, request):
    """The host with one of the variants."""
    host.install(request.param)
    host.variant = request.param
    return host


@pytest.mark.parametrize(
    ("state", "answer"), [("running", SUCCESS), ("stopped", NOT_RUNNING), ("failed", GENERIC)]
)
def test_monitor_tells_running_stopped_and_failed(agent, state, answer):
    agent.set("agent", state)
    assert agent.run("monitor").returncode == answer


@pytest.mark.parametrize("code", [2, 4, 127])
def test_a_status_that_says_nothing_clear_is_a_failure(host, code):
    host.install("hard_stop_confirmed")
    host.set("fails-status", code)
    assert host.run("monitor").returncode == GENERIC


def test_an_agent_that_died_without_systemd_noticing_has_failed(host):
    host.install("next_stop_hard")
    host.run("start")
    host.set("dead", "")
    assert host.run("monitor").returncode == GENERIC
    assert host.run("stop", timeout_ms=PATIENCE).returncode == SUCCESS


@pytest.mark.parametrize("state", ["activating", "deactivating", "reloading"])
def test_a_unit_between_states_is_a_failure(host, state):
    host.install("stop_supervisord")
    host.set("agent", state)
    assert host.run("monitor").returncode == GENERIC


def test_an_agent_that_left_its_roles_behind_is_no_clean_stop(agent):
    agent.run("start")
    agent.set("agent", "stopped")
    assert agent.has_roles()
    assert agent.run("monitor").returncode == GENERIC


def test_start_succeeds_when_the_service_runs_afterwards(agent):
    assert agent.run("start").returncode == SUCCESS
    assert agent.run("monitor").returncode == SUCCESS
    assert agent.run("start").returncode == SUCCESS


def test_start_fails_with_the_service(agent):
    agent.set("fails-start", 1)
    assert agent.run("start").returncode == GENERIC


def test_the_supervisor_starts_before_the_agent(host):
    host.install("stop_supervisord")
    assert host.run("start").calls == [f"start {UNIT}", f"start {SERVICE}"]


def test_stop_is_a_hard_stop(agent):
    agent.run("start")
    done = agent.run("stop", timeout_ms=PATIENCE)  # a killed process takes a moment to be gone
    assert (done.returncode, done.stderr) == (SUCCESS, "")
    assert done.calls == HARD_STOPS[agent.variant]
    assert not agent.has_roles()


@pytest.mark.parametrize(("variant", "failing"), STEPS)
def test_a_stop_fails_with_each_of_its_steps(host, variant, failing):
    host.install(variant)
    host.run("start")
    host.set(f"fails-{failing}", 1)
    done = host.run("stop")
    assert done.returncode == GENERIC
    assert done.calls[-1].split()[0 if variant == "stop_supervisord" else 1] == failing


@pytest.mark.parametrize(("variant", "failing"), STEPS)
def test_a_failed_stop_is_a_failure_even_if_nothing_ran(host, variant, failing):
    host.install(variant)
    host.set(f"fails-{failing}", 1)
    assert host.run("stop").returncode == GENERIC


def test_a_stop_that_leaves_the_roles_running_fails(agent):
    agent.run("start")
    agent.set("end", "never")
    done = agent.run("stop")
    assert done.returncode == GENERIC
    assert "cloudera-scm-agent is stopped; processes of roles:" in done.stderr
    assert agent.run("stop").returncode == GENERIC  # nor does it by trying again


def test_a_stop_waits_for_the_last_role(agent):
    agent.run("start")
    agent.set("end", "later")
    assert agent.run("stop", timeout_ms=PATIENCE).returncode == SUCCESS
    assert not agent.has_roles()


def test_a_failed_agent_stops(agent):
    agent.run("start")
    agent.set("agent", "failed")
    assert agent.run("stop", timeout_ms=PATIENCE).returncode == SUCCESS
    assert agent.run("monitor").returncode == NOT_RUNNING


def test_stopping_what_is_stopped_succeeds(agent):
    assert agent.run("stop", timeout_ms=PATIENCE).returncode == SUCCESS


@pytest.mark.parametrize("action", ["promote", "", "monitr"])
def test_an_unknown_action_says_so(agent, action):
    done = agent.run(action)
    assert done.returncode == UNIMPLEMENTED
    assert done.calls == []


def test_metadata(agent):
    done = agent.run("meta-data")
    root = ET.fromstring(done.stdout)
    assert done.returncode == SUCCESS
    assert root.get("name") == "agent"
    offered = {action.get("name") for action in root.iter("action")}
    assert offered == {"start", "stop", "monitor", "validate-all", "meta-data"}


def test_the_mark_of_the_roles_is_a_parameter(agent):
    agent.run("start")
    agent.set("agent", "stopped")
    other = {"OCF_RESKEY_processes": "^SUPERVISOR_PROCESS_NAME=another-"}
    assert agent.run("monitor").returncode == GENERIC
    assert agent.run("monitor", **other).returncode == NOT_RUNNING


def test_any_pattern_gets_into_the_metadata_as_it_is(host):
    pattern = r'^A="<&>$HOME`x`\.{2}'
    host.install("next_stop_hard", pattern)
    root = ET.fromstring(host.run("meta-data").stdout)
    assert root.find("parameters/parameter/content").get("default") == pattern


def test_no_shell_has_reason_to_complain(agent):
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, agent.script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_validation_finds_the_service(agent):
    assert agent.run("validate-all").returncode == SUCCESS


@pytest.mark.parametrize("action", ["start", "monitor", "validate-all"])
def test_nothing_happens_where_the_service_is_missing(agent, tmp_path, action):
    (tmp_path / "init.d/cloudera-scm-agent").unlink()
    agent.set("missing", SERVICE)
    done = agent.run(action)
    assert (done.returncode, done.calls) == (INSTALLED, [])


def test_a_unit_without_its_supervisor_is_not_installed(host):
    host.install("stop_supervisord")
    host.set("missing", UNIT)
    assert host.run("validate-all").returncode == INSTALLED


@pytest.mark.parametrize(
    ("entry", "is_one"),
    [
        ("SUPERVISOR_PROCESS_NAME=1546-cloudera-mgmt-HOSTMONITOR", True),
        ("CONF_DIR=/run/cloudera-scm-agent/process/37-cloudera-mgmt-SERVICEMONITOR", True),
        ("SUPERVISOR_PROCESS_NAME=44-zookeeper-server", False),
        ("SUPERVISOR_PROCESS_NAME=nginx", False),
        ("HUE_CONF_DIR=/run/cloudera-scm-agent/process/37-cloudera-mgmt-SERVICEMONITOR", False),
        ("PWD=/run/cloudera-scm-agent/process/37-cloudera-mgmt-SERVICEMONITOR", False),
    ],
)
def test_by_what_a_role_is_known(defaults, entry, is_one):
    pattern = defaults["agent_processes"]
    assert bool(re.search(pattern, entry)) is is_one
