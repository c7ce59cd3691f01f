"""For how long the server is away when it fails over, against the floor, in one run.

    make bench                     after the other table, where a lab can run

On booted hosts, with the stand-in for Cloudera Manager. Both figures come from the same client, which
asks for a page ten times a second:

floor     the service is stopped and started by hand on one host, without a cluster's say
failover  salt-run cmha.failover, there and back; beside it what cmha itself reports

Each figure is a median. Seconds depend on the machine and on the stand-in's delays; the ratio is what counts.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

FORMULA = Path(__file__).resolve().parents[2]
LAB = FORMULA / "test/lab"
ENVIRONMENT = {**os.environ, "LAB": "bench"}
RUNS = 3
SERVER = "cloudera-scm-server"
HOSTS = ("cms1", "cms2")
ADDRESSES = ("192.0.2.11", "192.0.2.12")
ANSWERS = "until curl -sf -o /dev/null http://127.0.0.1:7180/; do sleep 0.02; done"
RESTART = f"service {SERVER} stop && service {SERVER} start && {ANSWERS}"


def lab(command, *words, **options):
    return subprocess.run(
        [str(LAB / command), *words], env=ENVIRONMENT, text=True, check=True, **options
    )


def on(host, *command):
    return lab("on", host, *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def away(deed):
    """What a deed returns, and the seconds for which the client had no answer meanwhile."""
    script = (LAB / "client.py").read_text()
    with subprocess.Popen(
        [str(LAB / "on"), "master", "python3", "-c", script, *ADDRESSES],
        env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as client:  # fmt: skip
        client.stdout.readline()
        done = deed()
        missed = json.loads(client.communicate()[0])["missed"]
    if not missed:
        sys.exit("the client has missed nothing: there is nothing to measure")
    # from its last answer, one question before, to the next
    return done, missed[-1][0] - missed[0][0] + 0.2


def failover():
    printed = on("master", "salt-run", "--out=json", "cmha.failover", "cms")
    return json.loads(printed[printed.index("{") :])["moves"][0]


def measure():
    lab("up", "--die-with", str(os.getpid()), stdout=subprocess.DEVNULL)
    on("master", "salt-run", "state.orch", "cmha.orchestrate")
    moves = []
    for number in range(RUNS):
        print(f"failover {number + 1} of {RUNS}", file=sys.stderr)
        move, seconds = away(failover)
        on(move["to"], "timeout", "60", "sh", "-c", ANSWERS)
        moves.append((move["away"], seconds))
    home = move["to"]
    on(home, "crm_attribute", "--name", "maintenance-mode", "--update", "true")
    floors = [away(lambda: on(home, "sh", "-c", RESTART))[1] for _ in range(RUNS)]
    reported, seen = (statistics.median(each) for each in zip(*moves))
    return {"floor": statistics.median(floors), "failover": seen, "reported": reported}


def main():
    if subprocess.run([str(LAB / "ready")], capture_output=True, check=False).returncode:
        print("\nno lab can run here: the seconds of a failover aren't measured")
        return
    lab("down")
    try:
        figures = measure()
    finally:
        lab("down")
    print("\nseconds for which the server is away, as a client sees it: median, ratio to the floor")
    for name, seconds in figures.items():
        print(f"{name:10} {seconds:6.2f}  {seconds / figures['floor']:5.2f}")


if __name__ == "__main__":
    main()
