"""What many sites cost, against one: jobs, seconds, processors and memory, as sites grow in number.

    make bench-sites               SITES="1 10 50 250"; QUICK=1: hosts answer at once

A real salt-master on this machine's loopback, with this formula and sites of two pairs each; and minions that
are none (test/simulated_minions.py): real keys, sessions and returns over Salt's own channels. What they
return is made up, after the seconds that the lab's hosts took. So this measures Salt and cmha, and no host;
"own" is the time of the whole without that of the hosts, which take as long at one site as at many, side by
side. The minions have the same processors as the master.

First all pairs are bare; then there is nothing to do; then comes status. A last line gives the growth: the
power of the number of sites by which a figure grows (0 not at all, 1 as the number itself). To bench.json (or
$CMHA_BENCH) goes ``sites``.
"""

import math
import os
import sys
import tempfile

import figures
from many_sites import Master, Site

ORCHESTRATE = ("state.orch", "cmha.orchestrate")


def measured(number, quick):
    """What a number of sites costs: at first, and then with nothing to do."""
    sites = [Site(each) for each in range(number)]
    with (
        tempfile.TemporaryDirectory(prefix="cmha-bench-sites-") as directory,
        Master(directory, sites, quick) as master,
    ):
        print(f"{number} sites: the first time", file=sys.stderr)
        first = master.cost(*ORCHESTRATE)
        print(f"{number} sites: nothing to do", file=sys.stderr)
        again = master.cost(*ORCHESTRATE)
        return {"first": first, "nothing": again, "status": master.cost("cmha.status")}


def growth(rows, what, key):
    """The power of the number of sites by which a figure grows, by least squares."""
    points = [
        (math.log(number), math.log(max(row[what][key], 0.01))) for number, row in rows.items()
    ]
    if len(points) < 2:
        return 0
    mean_x, mean_y = (sum(each) / len(points) for each in zip(*points))
    across = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / across


COLUMNS = ("jobs", "seconds", "own", "master_cpu", "salt_run_cpu", "master_mib", "salt_run_mib")


def main():
    numbers = [int(each) for each in (os.environ.get("SITES") or "1 10 50 250").split()]
    quick = bool(os.environ.get("QUICK"))
    rows = {number: measured(number, quick) for number in numbers}
    for row in rows.values():
        for what, cost in row.items():
            least = rows[numbers[0]][what]["hosts"]
            cost["own"] = round(cost["seconds"] - (0 if quick else least), 2)
    for what in ("first", "nothing", "status"):
        print(f"\n{what:10}" + "".join(f"{each:>14}" for each in COLUMNS))
        for number, row in rows.items():
            print(f"{number:10}" + "".join(f"{row[what][each]:14}" for each in COLUMNS))
        print(f"{'growth':10}" + "".join(f"{growth(rows, what, each):14.2f}" for each in COLUMNS))
    figures.keep(sites=rows)


if __name__ == "__main__":
    main()
