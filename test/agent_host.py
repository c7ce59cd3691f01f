"""A host as the OCF agent sees it: `service` and `systemctl` that play cloudera-scm-agent, and roles that
are real processes. How the real init script and the real systemd answer is the lab's to show."""

import os
import signal
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path

import jinja2
from played_host import PlayedHost

VARIANTS = ("next_stop_hard", "hard_stop_confirmed", "stop_supervisord")

# What a directory holds decides: agent (running, stopped, failed), role (its pid), hard (next_stop_hard
# was said), dead (and systemd doesn't know), fails-ACTION (exits like this), end (how roles end: now, later,
# never), missing (a unit).
PLAY = """\
cd {play}
echo "$*" >> calls

answer() {{ # with what stands there for this action
    [ ! -e "fails-$1" ] || exit "$(cat "fails-$1")"
}}

start() {{
    [ "$(cat agent)" != running ] || return 0
    echo running > agent
    env -i SUPERVISOR_PROCESS_NAME=1-{mark}-HOSTMONITOR sleep 600 >/dev/null 2>&1 &
    echo $! > role
}}

end_roles() {{
    [ -e role ] || return 0
    case $(cat end) in
        now) kill "$(cat role)" 2>/dev/null ;;
        later) (sleep 1.5; kill "$(cat role)") >/dev/null 2>&1 & ;;
    esac
    :
}}
"""

SERVICE = """\
#!/bin/sh
{play}
answer "$2"
case $2 in
    start) start ;;
    status) case $(cat agent) in running) ;; stopped) exit 3 ;; *) exit 1 ;; esac ;;
    next_stop_hard) touch hard ;;
    stop) # through systemd, which doesn't forget a failure
        sed -i s/running/stopped/ agent
        [ ! -e hard ] || end_roles
        rm -f hard ;;
    hard_stop_confirmed)
        echo stopped > agent
        end_roles ;;
    *) exit 2 ;;
esac
"""

# Asks systemd when it is called, as Debian's and Red Hat's do, unless it is told not to
SCRIPT = """\
#!/bin/sh
{play}
[ "$1" = status ] || exit 2
if [ -z "$SYSTEMCTL_SKIP_REDIRECT" ] || [ -z "$SYSTEMD_NO_WRAP" ]; then
    [ "$(cat agent)" = running ]
    exit
fi
[ ! -e dead ]
"""

SYSTEMCTL = """\
#!/bin/sh
{play}
answer "$1"
case $1-$2 in
    start-*-agent) start ;;
    start-*-supervisord) ;;
    stop-*-agent) sed -i s/running/stopped/ agent ;;
    stop-*-supervisord) end_roles ;;
    show---property=ActiveState) # of the agent's unit
        sed 's/running/active/; s/stopped/inactive/; s/^/ActiveState=/' agent ;;
    reset-failed-*-agent) sed -i s/failed/stopped/ agent ;;
    cat-*) [ "$(cat missing)" != "$2" ] ;;
    *) exit 1 ;;
esac
"""


class AgentHost(PlayedHost):
    """One host, in a directory of its own."""

    def __init__(self, formula, directory):
        self._template = (formula / "cmha/files/agent.jinja").read_text()
        super().__init__(directory)
        self._mark = (
            f"test-{uuid.uuid4().hex}"  # this machine may run labs, whose roles aren't ours
        )
        self.script = directory / "ocf-agent"
        self._calls = directory / "calls"
        self.set("agent", "stopped")
        self.set("end", "now")
        self.set("missing", "nothing")
        self._write_commands()

    def install(self, variant, processes=None):
        """The agent, as Salt renders it; the host has the init script that two variants look for."""
        text = jinja2.Template(self._template).render(
            service="cloudera-scm-agent",
            agent_stop=variant,
            agent_processes=processes or f"^SUPERVISOR_PROCESS_NAME=[0-9]+-{self._mark}-",
        )
        self.script.write_text(text.replace("/etc/init.d", str(self._directory / "init.d")))
        self.script.chmod(0o755)

    def run(self, action, timeout_ms=0, **variables):
        """The agent's answer; ``calls`` are those that change something."""
        self._calls.unlink(missing_ok=True)
        variables["OCF_RESKEY_CRM_meta_timeout"] = str(timeout_ms)
        done = subprocess.run(
            [self.script, action],
            env={**self.environment(), **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        calls = self._calls.read_text().splitlines() if self._calls.exists() else []
        looks = ("status", "show", "cat")
        done.calls = [call for call in calls if not set(looks) & set(call.split())]
        return done

    def has_roles(self):
        try:
            return bool(Path(f"/proc/{self._role()}/environ").read_bytes())  # a zombie has none
        except (FileNotFoundError, ProcessLookupError):
            return False

    def clean(self):
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self._role(), signal.SIGKILL)

    def _role(self):
        return int((self._directory / "role").read_text())

    def _write_commands(self):
        play = PLAY.format(play=self._directory, mark=self._mark)
        self._write_program("bin/service", SERVICE.format(play=play))
        self._write_program("bin/systemctl", SYSTEMCTL.format(play=play))
        self._write_program("init.d/cloudera-scm-agent", SCRIPT.format(play=play))
