"""How long it takes until two bare pairs run, against the guide followed by a script, in one run.

    make bench                     after the other tables, where a lab can run

On booted hosts that have the cluster's packages and nothing else. All figures are medians:

guide       the guide's own commands on CMS1 and CMS2, then on MGMT1 and MGMT2, as test/lab/guide.py has them;
            nothing is looked at but whether the services have started
first_run   cmha.orchestrate, as it is: with preflight before, the firewall, alerts, all verified afterwards

Seconds depend on the machine; the ratio is what counts.
"""

import os
import statistics
import sys
import time

import booted
import figures
import guide

RUNS = 3


def by_hand(lab):
    for pair in guide.PAIRS.values():
        guide.follow(lab, pair, names=pair.hosts)


def orchestrated(lab):
    done = lab.orchestrate()
    if done.code or done.failed:
        sys.exit(f"the pairs can't be made: {done.printed}")


def took(lab, way):
    """Seconds of it, from hosts that have the packages."""
    lab.run("restore", "prepared")
    began = time.monotonic()
    way(lab)
    return time.monotonic() - began


def measure(lab):
    lab.run("up", "--die-with", str(os.getpid()))
    seconds = {"guide": [], "first_run": []}
    for number in range(RUNS):
        for name, way in (("guide", by_hand), ("first_run", orchestrated)):
            print(f"first run, {number + 1} of {RUNS}: {name}", file=sys.stderr)
            seconds[name].append(took(lab, way))
    return {name: statistics.median(each) for name, each in seconds.items()}


def main():
    seconds = booted.measured(
        measure, "what a first run takes isn't", os.environ.get("LAB", "bench")
    )
    if seconds is None:
        return
    row = figures.row(seconds["first_run"], "the guide's commands by a script", seconds["guide"])
    figures.keep(first_run=row)
    print("\nfirst run: median seconds, those of the guide's commands, ratio")
    figures.show(first_run=row)


if __name__ == "__main__":
    main()
