"""Orchestrates, and says what happens while it does. Runs on the lab's master, with Salt's Python.

Steps go to stderr, one a line; the result of salt-run, as JSON, goes to stdout.
"""

import re
import subprocess
import sys
import tempfile
import time

import salt.config
import salt.utils.event

COMMAND = ("salt-run", "--out=json", "state.orch", "cmha.orchestrate")
STEP = re.compile(r"cmha/[^/]+/[^/]+/orchestrate/begin")
STATE = re.compile(r"salt/job/\d+/prog/(?P<host>[^/]+)/\d+")
WIDTH = 100


def main():
    opts = salt.config.master_config("/etc/salt/master")
    with (
        salt.utils.event.get_event("master", opts=opts, listen=True) as bus,
        tempfile.TemporaryFile() as result,
        tempfile.TemporaryFile() as complaints,
    ):
        bus.connect_pub()
        start = time.monotonic()
        orchestration = subprocess.Popen(COMMAND, stdout=result, stderr=complaints)
        while orchestration.poll() is None:
            _tell(start, bus.get_event(wait=0.5, full=True))
        while event := bus.get_event(wait=0.5, full=True):
            _tell(start, event)
        _copy(result, sys.stdout)
        if orchestration.returncode:
            _copy(complaints, sys.stderr)
        return orchestration.returncode


def _tell(start, event):
    line = _line(event) if event else None
    if line:
        print(f"{time.monotonic() - start:6.1f} s  {line}", file=sys.stderr, flush=True)


def _line(event):
    """An event of Salt's bus in words, or None when it is no step of the orchestration."""
    tag, data = event["tag"], event["data"]
    if STEP.fullmatch(tag):
        return f"{data['site']} {data['pair']}: {data['step']}"
    state = STATE.fullmatch(tag)
    if not state:
        return None
    done = data["data"]["ret"]
    outcome = "FAILED" if done["result"] is False else "changed" if done["changes"] else "fine"
    comment = " ".join(str(done["comment"]).split())
    line = f"    {state['host']:6} {outcome:8} {done['__id__']}: {comment}"
    return line if outcome == "FAILED" else line[:WIDTH]


def _copy(file, stream):
    file.seek(0)
    stream.write(file.read().decode())


if __name__ == "__main__":
    sys.exit(main())
