"""For how long the server is away after a crash, with fencing, against the floor, in one run.

    make bench                     after the other tables, where a lab can run

On booted hosts with a BMC each, with the stand-in for Cloudera Manager. All figures are medians:

floor     what has to pass in any case: Corosync's token and consensus, until a host is taken for lost; the
          fence agent's own time, asked by hand as Pacemaker asks it; the service's start, by hand
crash     the power of the active host is taken away; a client asks for a page ten times a second

Seconds depend on the machine and on the stand-in's delays; the ratio is what counts.
"""

import os
import statistics
import sys
import time

import booted
from cmhalab import fencing, settings
from cmhalab.settings import BMC_PASSWORD, BMC_USER
from day_two import home
from guide import PAIRS, wait_for

RUNS = 3
PAIR = PAIRS["cms"]
ANSWERS = "until curl -sf -o /dev/null http://127.0.0.1:7180/; do sleep 0.02; done"
SITE = "/srv/pillar/cmha.sls"


def prepared(lab):
    """A verified pair with fencing."""
    lab.run("up", "--die-with", str(os.getpid()))
    lab.keep_to_cms()
    here = settings.from_environment(lab.environment)
    lab.write_pillar(fencing.declared(here, lab.on("master", "cat", SITE)), list(PAIR.hosts))
    done = lab.orchestrate()
    if done.code or done.failed:
        sys.exit(f"the pair can't be made: {done.printed}")


def crash(lab):
    """For how long the client has no answer, and the agent's own time; then the host is back."""
    victim = home(lab)
    (left,) = set(PAIR.hosts) - {victim}
    with lab.client() as seen:
        lab.run("crash", victim)
        wait_for(lab, left, "curl -sf -o /dev/null http://127.0.0.1:7180/")
    away = seen["missed"][-1][0] - seen["missed"][0][0] + 0.2
    lab.run("boot", victim)
    agent = timed(lambda: fence_by_hand(lab, left, victim))
    lab.run("boot", victim)
    lab.runner("cmha.rejoin", victim, "confirm=True")
    return away, agent


def fence_by_hand(lab, host, victim):
    """The host is up, and its cluster doesn't run."""
    bmc = settings.from_environment(lab.environment).bmc_addresses(victim)[0]
    question = (
        f"ip={bmc}\\nlanplus=1\\nusername={BMC_USER}\\npassword={BMC_PASSWORD}\\naction=reboot\\n"
    )
    lab.on(host, "sh", "-c", f"printf '{question}' | fence_ipmilan")


def timed(deed):
    began = time.monotonic()
    deed()
    return time.monotonic() - began


def started_by_hand(lab, host):
    lab.on(host, "service", PAIR.service, "stop")
    return timed(lambda: lab.on(host, "sh", "-c", f"service {PAIR.service} start && {ANSWERS}"))


def lost_after(lab, host):
    """Seconds after which Corosync takes a node for lost."""
    said = lab.on(host, "corosync-cmapctl", "-m", "stats", check=False)
    said += lab.on(host, "corosync-cmapctl")
    times = dict(line.split(" = ", 1) for line in said.splitlines() if " = " in line)
    named = {name.split(" ")[0]: value for name, value in times.items()}
    return sum(int(named[f"runtime.config.totem.{each}"]) for each in ("token", "consensus")) / 1000


def measure(lab):
    prepared(lab)
    crashes = []
    for number in range(RUNS):
        print(f"crash {number + 1} of {RUNS}", file=sys.stderr)
        crashes.append(crash(lab))
    host = home(lab)
    lab.on(host, "crm_attribute", "--name", "maintenance-mode", "--update", "true")
    away, agent = (statistics.median(each) for each in zip(*crashes))
    parts = {
        "lost": lost_after(lab, host),
        "agent": agent,
        "start": statistics.median(started_by_hand(lab, host) for _ in range(RUNS)),
    }
    return {**parts, "floor": sum(parts.values()), "crash": away}


def main():
    what = "the seconds of a crash with fencing aren't"
    hosts = " ".join(PAIR.hosts)
    figures = booted.measured(measure, what, "bench", LAB_HOSTS=hosts, LAB_BMC="yes")
    if figures is None:
        return
    print(
        "\nseconds for which the server is away after a crash, with fencing: median, ratio to the floor"
    )
    for name, seconds in figures.items():
        print(f"{name:10} {seconds:6.2f}  {seconds / figures['floor']:5.2f}")


if __name__ == "__main__":
    main()
