"""Asking a resource agent by hand, with real scripts."""

import os
import signal
import subprocess
from types import SimpleNamespace

import pytest
from salt.exceptions import CommandExecutionError


def run_all(command, env=None, **_):
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:  # as timeout(1) says
        return {"retcode": 127, "stdout": "", "stderr": f"timeout: failed to run command: {error}"}
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


# --- whether it runs, and whether it could -------------------------------------------------------


def fault(module, agent, params=None, service=None):
    return module.seen(agent, params, service)["fault"]


@pytest.fixture
def script(module, tmp_path, monkeypatch):
    """An init script of that text."""
    monkeypatch.setattr(module, "_INIT_SCRIPTS", str(tmp_path))

    def write(text="exit 0", mode=0o755, name="cm"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(mode)

    return write


@pytest.mark.parametrize(
    ("code", "running"), [(0, True), (1, False), (2, False), (3, False), (4, None), (150, None)]
)
def test_a_dead_service_does_not_run(module, script, code, running):
    script(f'[ "$1" = status ] || exit 99; echo so; exit {code}')
    found = module.runs("lsb:cm")
    assert found["running"] is running
    assert found["text"].endswith("so")


def test_what_is_not_there_runs_for_all_that_one_knows(module, script, agent):
    assert module.runs("lsb:other")["running"] is None
    assert "not there" in module.runs("ocf:cm:agent")["text"]
    agent("exit 7")
    assert module.runs("ocf:cm:agent") == {"running": False, "text": ""}
    assert module.runs("systemd:runs")["running"] is True
    assert module.runs("systemd:missing")["running"] is None
    assert module.runs("stonith:x")["running"] is None


@pytest.mark.parametrize(
    ("name", "mode", "line"),
    [
        ("cm", 0o755, None),
        ("cm", 0o644, "lsb:cm can't be executed: "),
        ("other", 0o755, "lsb:other isn't there: "),
    ],
)
def test_an_init_script_that_could_not_start(module, script, name, mode, line):
    script(mode=mode)
    found = fault(module, f"lsb:{name}")
    assert found is line or found.startswith(line)


BROKEN = {
    "its interpreter": "#!/no/such/sh\nexit 0\n",
    "what it sources": "#!/bin/sh\n. /no/such/functions\nexit 0\n",
    "its syntax": "#!/bin/bash\nif [ x ; do\n",
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_init_script_that_can_not_be_run_to_its_end(module, script, tmp_path, what):
    script()
    (tmp_path / "cm").write_text(BROKEN[what])
    assert fault(module, "lsb:cm").startswith("lsb:cm can't be run: ")
    found = module.runs("lsb:cm")
    assert found["running"] is None
    assert f"{tmp_path}/cm can't be run: " in found["text"]


def test_an_empty_init_script_says_yes_to_everything(module, script, tmp_path):
    script()
    (tmp_path / "cm").write_text("")
    assert fault(module, "lsb:cm") == f"lsb:cm is empty: {tmp_path}/cm"
    assert module.runs("lsb:cm") == {"running": None, "text": f"{tmp_path}/cm is empty"}


def test_what_a_sound_script_says_beside_its_answer(module, script):
    """A tool that it calls finds nothing: that is no fault of the script."""
    script("cat /no/such/pid; exit 1")
    assert fault(module, "lsb:cm") is None
    assert module.runs("lsb:cm")["running"] is False


def test_an_init_script_that_is_a_directory(module, script, tmp_path):
    (tmp_path / "folder").mkdir()
    assert "can't be executed" in fault(module, "lsb:folder")


@pytest.fixture
def systemd(module):
    """Starts the services here, and tells of those that it is given."""
    units, calls = {}, []
    run = module.__salt__["bounded.run"]

    def answer(command, **options):
        calls.append(command)
        if command[0] != "systemctl":
            return run(command, **options)
        told = units.get(
            command[-1].removesuffix(".service"), "LoadState=not-found\nActiveState=inactive"
        )
        return {"retcode": 0, "stdout": told, "stderr": ""}

    module.__grains__["init"] = "systemd"
    module.__salt__["bounded.run"] = answer
    module.__salt__["service.status"] = module.__salt__["service.available"] = None
    units["masked"] = "LoadState=masked\nActiveState=inactive\nMainPID=0"
    units["runs"] = "LoadState=loaded\nActiveState=active\nMainPID=0"
    units["late"] = ""
    return SimpleNamespace(units=units, calls=calls)


def test_a_masked_unit(module, script, systemd):
    script(name="masked")
    for standard in ("lsb", "systemd", "service"):
        assert fault(module, f"{standard}:masked") == "masked is masked; systemctl unmask masked"
    assert fault(module, "systemd:missing") == "systemd:missing isn't there: no unit missing"


def test_without_systemd_nothing_is_masked(module, script):
    script(name="masked")
    assert fault(module, "lsb:masked") is None
    assert fault(module, "service:missing") == "service:missing isn't there: no unit missing"


def test_a_masked_service_whose_script_says_yes_to_everything(module, script, systemd):
    script("exit 0", name="masked")
    assert module.runs("lsb:masked") == {"running": False, "text": "is masked"}
    script("exit 0", name="runs")
    assert module.runs("lsb:runs")["running"] is True


@pytest.mark.parametrize("agent_of", ["lsb:late", "systemd:late", "service:late"])
def test_systemd_that_does_not_answer(module, script, systemd, agent_of):
    """Whatever it is asked to start waits too."""
    script("exit 3", name="late")
    found = module.seen(agent_of)
    assert found["fault"] == "systemd doesn't tell of late: nothing"
    assert found["running"] is (False if agent_of == "lsb:late" else None)


@pytest.mark.parametrize(
    ("state", "running"),
    [("active", True), ("reloading", True), ("activating", False), ("failed", False)],
)
def test_what_systemd_says_of_a_unit(module, systemd, state, running):
    systemd.units["cm"] = f"LoadState=loaded\nActiveState={state}\nMainPID=0"
    assert module.runs("systemd:cm") == {"running": running, "text": ""}


def test_each_is_asked_once(module, script, systemd):
    script("exit 0", name="runs")
    found = module.seen("lsb:runs", service="runs")
    assert (found["running"], found["fault"], found["frozen"]) == (True, None, None)
    assert sorted(each[0].rpartition("/")[2] for each in systemd.calls) == ["runs", "systemctl"]


def test_without_systemd_a_script_is_asked_by_itself_alone(module, script):
    """Salt's module service would run it a second time, and wait for it without a limit."""
    script("exit 3")
    module.__salt__["service.status"] = module.__salt__["service.available"] = None
    assert module.seen("lsb:cm") == {
        "running": False,
        "text": "nothing",
        "fault": None,
        "frozen": None,
    }
    assert module.runs("lsb:cm")["running"] is False


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[ "$1" = validate-all ] && exit 0; exit 9', None),
        ("exit 3", None),
        ("echo no script >&2; exit 5", "ocf:cm:agent finds itself unfit: exit code 5, no script"),
    ],
)
def test_an_ocf_agent_says_itself(module, agent, text, line):
    agent(text)
    assert fault(module, "ocf:cm:agent") == line
    assert fault(module, "ocf:cm:other").startswith("ocf:cm:other isn't there")


def test_an_ocf_agent_whose_service_is_masked(module, agent, systemd):
    agent("exit 0")
    masked = "masked is masked; systemctl unmask masked"
    assert fault(module, "ocf:cm:agent", None, "masked") == masked
    assert fault(module, "ocf:cm:agent", None, "runs") is None


def test_an_agent_that_nobody_can_look_up(module):
    assert fault(module, "stonith:fence_x") is None


@pytest.fixture
def process():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("stopped", [False, True])
def test_a_main_process_that_is_stopped(module, systemd, process, stopped):
    systemd.units["cm"] = f"LoadState=loaded\nActiveState=active\nMainPID={process.pid}"
    if stopped:
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
    expected = f"its process {process.pid} is stopped" if stopped else None
    assert module.seen("ocf:cm:agent", service="cm")["frozen"] == expected


@pytest.mark.parametrize("said", ["", "MainPID=0", "MainPID=999999999", "nonsense"])
def test_no_main_process(module, systemd, said):
    systemd.units["cm"] = f"LoadState=loaded\nActiveState=active\n{said}"
    assert module.seen("ocf:cm:agent", service="cm")["frozen"] is None
