"""Running commands on a host, as root."""

import os
import subprocess

from . import orders
from .settings import LabError

# What a person who logs in has, whatever the machine's own settings are.
LOGIN = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM": os.environ.get("TERM", "dumb"),
    "USER": "root",
}


def become(lab, host, command):
    """Goes on as a command on a host: input, output, terminal and exit status are passed through."""
    entering = _entering(lab, host, command)
    os.execvpe(entering[0], entering, LOGIN)


def run(lab, host, *command, check=True):
    """Runs a command on a host to its end; returns what it printed."""
    done = attempt(lab, host, *command)
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise LabError(f"{' '.join(command)} on {host}: {said[-1] if said else done.returncode}")
    return done.stdout


def attempt(lab, host, *command, stdin=""):
    """Runs a command on a host to its end, well or not; returns the finished process."""
    return subprocess.run(
        _entering(lab, host, command),
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        env=LOGIN,
    )


def _entering(lab, host, command):
    return [
        *("nsenter", "--target", str(orders.leader(lab, host))),
        *("--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"),
        *("setpriv", "--pdeathsig", "KILL", "--"),  # who ends us ends the command
        *command,
    ]
