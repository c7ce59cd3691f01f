"""How long it takes to find that there is nothing to do, against what Salt takes to do nothing, in one run.

    make bench                     after the other tables, where a lab can run

On booted hosts, two verified pairs. All figures are medians:

noop_orchestrate   cmha.orchestrate, against an orchestration of four steps with an empty state file each
noop_highstate     state.apply cmha on one host, against an empty state file there
noop_status        cmha.status, against a test.ping to the same hosts

Seconds depend on the machine; the ratio is what counts. They go to bench.json (or $CMHA_BENCH), too.
"""

import os
import statistics
import subprocess
import sys
import time

import conftest
import figures

RUNS = 5
ALL = ("salt", "-L", ",".join(conftest.HOSTS))
ROWS = {
    "noop_orchestrate": (
        ("salt-run", "state.orch", "cmha.orchestrate"),
        ("salt-run", "state.orch", "test.bench.four_steps"),
    ),
    "noop_highstate": (
        ("salt", "cms1", "state.apply", "cmha"),
        ("salt", "cms1", "state.apply", "test.bench.empty"),
    ),
    "noop_status": (("salt-run", "cmha.status"), (*ALL, "test.ping")),
}


def took(lab, command):
    """Seconds of a command on the master, which has to go well."""
    began = time.monotonic()
    lab.on("master", *command)
    return time.monotonic() - began


def measured(lab, command, against):
    """By turns: what else the machine does meets both."""
    both = [(took(lab, command), took(lab, against)) for _ in range(RUNS)]
    seconds, floor = (statistics.median(each) for each in zip(*both))
    return {
        "seconds": round(seconds, 2),
        "compared_to": " ".join(against),
        "its_seconds": round(floor, 2),
        "ratio": round(seconds / floor, 2),
    }


def measure(lab):
    lab.run("up", "--die-with", str(os.getpid()))
    lab.run("restore", "converged")
    rows = {}
    for name, (command, against) in ROWS.items():
        print(f"{name}: {' '.join(command)}", file=sys.stderr)
        rows[name] = measured(lab, command, against)
    return rows


def main():
    if subprocess.run([str(conftest.HERE / "ready")], capture_output=True, check=False).returncode:
        print("\nno lab can run here: what it costs to have nothing to do isn't measured")
        return
    lab = conftest.Lab(os.environ.get("LAB", "bench"))
    lab.run("down")
    try:
        rows = measure(lab)
    finally:
        lab.run("down")
    figures.keep(**rows)
    print("\nnothing to do: median seconds, those of what it is compared to, ratio")
    for name, row in rows.items():
        print(f"{name:17} {row['seconds']:6.2f} {row['its_seconds']:6.2f} {row['ratio']:5.2f}")


if __name__ == "__main__":
    main()
