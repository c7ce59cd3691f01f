"""Stands for Cloudera Manager Agent: it starts the roles of the management services.

The roles are processes of their own, which go on when the agent stops. An agent that finds them
running lets them run. Each has the environment that supervisord gives its processes, and the name
that Cloudera Manager gives them.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import heart

ROLES = ("cloudera-mgmt-eventserver", "cloudera-mgmt-hostmonitor")
PIDS = Path("/run/cloudera-scm-agent/roles")


def start_roles():
    PIDS.mkdir(parents=True, exist_ok=True)
    for role in ROLES:
        note = PIDS / f"{role}.pid"
        if not _runs(note):
            note.write_text(str(_start(role)))


def _runs(note):
    try:
        os.kill(int(note.read_text()), 0)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return True


def _start(role):
    command = [sys.executable, __file__, role]
    name = f"{ROLES.index(role) + 1}-{role}"
    environment = {"SUPERVISOR_ENABLED": "1", "SUPERVISOR_PROCESS_NAME": name}
    return subprocess.Popen(command, env=environment, start_new_session=True).pid


signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a role that ends leaves no zombie
if sys.argv[1:]:
    heart.live(sys.argv[1])
else:
    heart.live("cloudera-scm-agent", start_roles)
