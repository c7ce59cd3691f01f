"""The OCF agent, run by a real sh, with a `service` that plays cloudera-scm-agent."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import jinja2
import pytest

SUCCESS, GENERIC, UNIMPLEMENTED, INSTALLED, NOT_RUNNING = 0, 1, 3, 5, 7

# Answers each command with the exit code that stands in a file named after it, and writes it down.
SERVICE = """\
#!/bin/sh
echo "$2" >> "$PLAY/calls"
code=$(cat "$PLAY/$2" 2>/dev/null || echo 0)
if [ "$code" = 0 ]; then
    case $2 in
        start) echo 0 > "$PLAY/status" ;;
        stop | hard_stop_confirmed) [ -e "$PLAY/survives" ] || echo 3 > "$PLAY/status" ;;
    esac
fi
exit "$code"
"""


@pytest.fixture
def agent(formula, tmp_path):
    """Runs an action; ``codes`` are the exit codes of cloudera-scm-agent's commands."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for name, text in (("service", SERVICE), ("systemctl", "#!/bin/sh\nexit 0\n")):
        (bin_dir / name).write_text(text)
        (bin_dir / name).chmod(0o755)

    def run(action, stop="next_stop_hard", status=3, survives=False, codes=None):
        source = (formula / "cmha/files/agent.jinja").read_text()
        script = tmp_path / "agent"
        script.write_text(
            jinja2.Template(source).render(service="cloudera-scm-agent", agent_stop=stop)
        )
        script.chmod(0o755)
        for name, code in {"status": status, **(codes or {})}.items():
            (tmp_path / name).write_text(str(code))
        if survives:
            (tmp_path / "survives").touch()
        environment = {"PATH": f"{bin_dir}:{os.environ['PATH']}", "PLAY": str(tmp_path)}
        done = subprocess.run(
            [str(script), action], env=environment, capture_output=True, text=True, check=False
        )
        calls = tmp_path / "calls"
        done.calls = calls.read_text().split() if calls.exists() else []
        return done

    return run


@pytest.mark.parametrize(
    ("status", "answer"),
    [(0, SUCCESS), (3, NOT_RUNNING), (1, GENERIC), (2, GENERIC), (4, GENERIC), (127, GENERIC)],
)
def test_monitor_tells_running_stopped_and_failed(agent, status, answer):
    assert agent("monitor", status=status).returncode == answer


def test_start_succeeds_when_the_service_runs_afterwards(agent):
    assert agent("start").returncode == SUCCESS


def test_start_fails_with_the_service(agent):
    assert agent("start", codes={"start": 1}).returncode == GENERIC


def test_stop_on_systemd_is_a_hard_stop(agent):
    done = agent("stop", status=0)
    assert done.returncode == SUCCESS
    assert done.calls == ["next_stop_hard", "stop", "status"]


def test_stop_elsewhere_is_a_hard_stop(agent):
    done = agent("stop", stop="hard_stop_confirmed", status=0)
    assert done.returncode == SUCCESS
    assert done.calls == ["hard_stop_confirmed", "status"]


def test_a_stop_that_would_leave_the_roles_running_fails(agent):
    done = agent("stop", status=0, codes={"next_stop_hard": 1})
    assert done.returncode == GENERIC
    assert "stop" not in done.calls


@pytest.mark.parametrize(
    ("stop", "failing"),
    [("next_stop_hard", "stop"), ("hard_stop_confirmed", "hard_stop_confirmed")],
)
def test_a_failed_stop_fails(agent, stop, failing):
    assert agent("stop", stop, status=0, codes={failing: 1}).returncode == GENERIC


@pytest.mark.parametrize("stop", ["next_stop_hard", "hard_stop_confirmed"])
def test_a_stop_that_leaves_the_service_running_fails(agent, stop):
    assert agent("stop", stop, status=0, survives=True).returncode == GENERIC


def test_stopping_what_is_stopped_succeeds(agent):
    assert agent("stop", status=3).returncode == SUCCESS


@pytest.mark.parametrize("action", ["promote", "", "monitr"])
def test_an_unknown_action_says_so(agent, action):
    done = agent(action)
    assert done.returncode == UNIMPLEMENTED
    assert done.calls == []


def test_metadata(agent):
    done = agent("meta-data")
    root = ET.fromstring(done.stdout)
    assert done.returncode == SUCCESS
    assert root.get("name") == "agent"
    offered = {action.get("name") for action in root.iter("action")}
    assert offered == {"start", "stop", "monitor", "validate-all", "meta-data"}


@pytest.mark.parametrize("stop", ["next_stop_hard", "hard_stop_confirmed"])
def test_no_shell_has_reason_to_complain(agent, stop, tmp_path):
    agent("meta-data", stop)
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run(
        [shellcheck, tmp_path / "agent"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_happens_where_the_service_is_missing(agent, tmp_path):
    (tmp_path / "bin/systemctl").write_text("#!/bin/sh\nexit 1\n")
    for action in ("start", "monitor", "validate-all"):
        done = agent(action)
        assert done.returncode == INSTALLED
        assert done.calls == []
