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
import subprocess
import sys
import time

import conftest
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
    return {name: round(statistics.median(each), 2) for name, each in seconds.items()}


def main():
    if subprocess.run([str(conftest.HERE / "ready")], capture_output=True, check=False).returncode:
        print("\nno lab can run here: what a first run takes isn't measured")
        return
    lab = conftest.Lab(os.environ.get("LAB", "bench"))
    lab.run("down")
    try:
        seconds = measure(lab)
    finally:
        lab.run("down")
    ratio = round(seconds["first_run"] / seconds["guide"], 2)
    row = {"seconds": seconds["first_run"], "compared_to": "the guide's commands by a script"}
    figures.keep(first_run={**row, "its_seconds": seconds["guide"], "ratio": ratio})
    print("\nfirst run: median seconds, those of the guide's commands, ratio")
    print(f"first_run         {seconds['first_run']:6.2f} {seconds['guide']:6.2f} {ratio:5.2f}")


if __name__ == "__main__":
    main()
