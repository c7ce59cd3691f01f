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
import sys
import time

import booted
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
    return figures.row(seconds, " ".join(against), floor)


def measure(lab):
    lab.run("up", "--die-with", str(os.getpid()))
    lab.run("restore", "converged")
    rows = {}
    for name, (command, against) in ROWS.items():
        print(f"{name}: {' '.join(command)}", file=sys.stderr)
        rows[name] = measured(lab, command, against)
    return rows


def main():
    rows = booted.measured(
        measure, "what it costs to have nothing to do isn't", os.environ.get("LAB", "bench")
    )
    if rows is None:
        return
    figures.keep(**rows)
    print("\nnothing to do: median seconds, those of what it is compared to, ratio")
    figures.show(**rows)


if __name__ == "__main__":
    main()
