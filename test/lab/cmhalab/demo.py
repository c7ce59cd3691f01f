"""The formula at work: two verified pairs from bare hosts, and every service moved to and fro; with FENCING=1
a network that is cut, too."""

import json
import os
import subprocess
import sys
import time
from collections import namedtuple

import activity

from . import fencing, hosts, inside, orders, settings, states, waiting
from .settings import FORMULA_ON_MASTER, LAB, MASTER, LabError, Unverified

ANSWER_TIME = 60
FENCED_TIME = 120
BOOT_TIME = 120
URL = "http://localhost:7180/"

Pair = namedtuple("Pair", "name resource hosts")
Run = namedtuple("Run", "seconds changed")


def demo(words):
    """demo: boots the lab, orchestrates, moves each service and back, orchestrates again."""
    if words:
        raise settings.UsageError("demo")
    fenced = os.environ.get("FENCING", "") not in ("", "0")
    if fenced:
        os.environ["LAB_BMC"] = "yes"
    sys.stdout.reconfigure(line_buffering=True)  # in order with what others print there
    os.environ["LAB_STATE_EVENTS"] = "yes"  # what is shown while a host works comes from them
    lab = settings.from_environment()
    _title("Booting")
    began = time.monotonic()
    if subprocess.run([LAB / "up"], check=False).returncode:
        raise LabError("the lab isn't up")
    print(f"{time.monotonic() - began:6.1f} s  Salt's master and {', '.join(lab.hosts)} are up")

    if fenced:
        _declare_fencing(lab)
    _title("salt-run state.orch cmha.orchestrate")
    first = _orchestrate(lab)
    pairs = _pairs(lab)
    for pair in pairs:
        _title(f"{pair.name}: crm status")
        print(inside.run(lab, pair.hosts[0], "crm", "status").strip())
        _verify(lab, pair, _whereabouts(lab, pair))

    for pair in pairs:
        home = _whereabouts(lab, pair)
        _title(f"{pair.name}: {pair.resource} moves to the other host and back")
        for target in (_other(pair, home), home):
            _move(lab, pair, target)

    _title("salt-run state.orch cmha.orchestrate, again")
    second = _orchestrate(lab)
    for pair in pairs:
        _verify(lab, pair, _whereabouts(lab, pair))
    if fenced:
        _cut(lab, pairs[0])
    _never_twice(lab, began)

    _title("Summary")
    for name, run in (("first", first), ("second", second)):
        print(f"{name} orchestration: {run.seconds:5.1f} s, {_described(run.changed)}")
    if second.changed:
        raise Unverified("the second orchestration changed something")
    print("verified; the lab runs on (test/lab/on cms1 crm status; make lab-down ends it)")


def _orchestrate(lab):
    """Orchestrates, with its steps on the terminal as they come."""
    master, *_ = states.bases(lab)
    program = (f"{master.venv}/bin/python", f"{FORMULA_ON_MASTER}/test/lab/orchestrate.py")
    start = time.monotonic()
    done = subprocess.run(
        [LAB / "on", MASTER, *program],
        check=False,
        stdout=subprocess.PIPE,
        stderr=sys.stdout,  # the steps
        text=True,
    )
    seconds = time.monotonic() - start
    print(f"{seconds:6.1f} s  done")
    steps = _steps(done.stdout)
    failed = [step["comment"] for step in steps if step["result"] is False]
    if done.returncode or failed or not steps:
        raise Unverified(f"the orchestration failed: {'; '.join(failed) or 'see above'}")
    return Run(seconds, [step["__id__"] for step in steps if step["changes"]])


def _steps(output):
    """The states of the orchestration itself, from what salt-run printed as JSON."""
    try:
        (states,) = json.loads(output)["data"].values()
        return list(states.values())
    except (ValueError, KeyError, AttributeError):
        return []


def _pairs(lab):
    """The pairs as the formula reads them from the pillar."""
    said = json.loads(inside.run(lab, MASTER, "salt-run", "--out=json", "cmha.sites"))
    return [
        Pair(pair["pair"], pair["resource"], [node["id"] for node in pair["nodes"]])
        for site in said["sites"]
        for pair in site["pairs"]
    ]


def _whereabouts(lab, pair):
    """The one host where Pacemaker has the resource started."""
    locate = ("crm_resource", "--quiet", "--locate", "--resource", pair.resource)
    hosts = inside.run(lab, pair.hosts[0], *locate).split()
    if len(hosts) != 1:
        raise Unverified(f"{pair.resource} is started on {hosts or 'no host'}, not on one")
    return hosts[0]


def _declare_fencing(lab):
    """Each host has a BMC, and pillar says so before anything is orchestrated."""
    _title("Fencing in pillar")
    path = "/srv/pillar/cmha.sls"
    before = inside.run(lab, MASTER, "cat", path)
    site = fencing.declared(lab, before)
    inside.run(lab, MASTER, "sh", "-c", 'printf %s "$1" > "$2"', "sh", site, path)
    inside.run(lab, MASTER, "salt", "*", "saltutil.refresh_pillar", "wait=True")
    print(site[: site.index("site: lab")].rstrip())


def _cut(lab, pair):
    """The network between a pair's hosts is cut: one of them is fenced, the service runs on the other."""
    first, second = pair.hosts
    if _whereabouts(lab, pair) == first:  # whose fencing waits: so that one sees it move
        _title(f"{pair.name}: {pair.resource} moves to {second}")
        _move(lab, pair, second)
    _title(f"{pair.name}: the network between {first} and {second} is cut")
    booted = {host: hosts.boots(lab, host) for host in pair.hosts}
    start = time.monotonic()
    orders.ask(lab, "cut", first)
    try:
        waiting.wait_until(
            lambda: any(hosts.boots(lab, host) > booted[host] for host in pair.hosts),
            FENCED_TIME,
            lambda: "nobody was fenced",
        )
        (lost,) = (host for host in pair.hosts if hosts.boots(lab, host) > booted[host])
        left = _other(pair, lost)
        print(f"{time.monotonic() - start:6.1f} s  {lost} was fenced")
        waiting.wait_until(
            lambda: _answers(lab, left), ANSWER_TIME, lambda: f"nothing answers {URL} on {left}"
        )
        print(f"{time.monotonic() - start:6.1f} s  {pair.resource} answers on {left}")
    finally:
        orders.ask(lab, "heal", first)
    _back(lab, pair, lost)
    _verify(lab, pair, left)


def _back(lab, pair, host):
    """A host that was fenced has booted, and doesn't start its cluster before somebody says so."""
    _title(f"salt-run cmha.rejoin {host} confirm=True")
    reaches = ("salt", "--out=txt", host, "test.ping")
    waiting.wait_until(
        lambda: _succeeds(lab, MASTER, *reaches), BOOT_TIME, lambda: f"{host} doesn't answer Salt"
    )
    if _succeeds(lab, host, "pidof", "corosync"):
        raise Unverified(f"the cluster of {host} has started by itself")
    done = inside.attempt(lab, MASTER, "salt-run", "cmha.rejoin", host, "confirm=True")
    print(done.stdout.strip())
    if done.returncode:
        raise Unverified(f"{host} didn't rejoin")


def _other(pair, host):
    (other,) = set(pair.hosts) - {host}
    return other


def _move(lab, pair, target):
    start = time.monotonic()
    move = ("salt", "--out=txt", pair.hosts[0], "crm.move", pair.resource, target)
    done = inside.attempt(lab, MASTER, *move)
    if done.returncode:
        raise Unverified(f"crm.move failed: {done.stdout.strip() or done.stderr.strip()}")
    _verify(lab, pair, target)
    print(f"{time.monotonic() - start:6.1f} s  on {target}")


def _verify(lab, pair, host):
    """The resource is on this host alone: as Pacemaker has it, as the service says, as one sees."""
    if _whereabouts(lab, pair) != host:
        raise Unverified(f"{pair.resource} is on {_whereabouts(lab, pair)}, not on {host}")
    for each in pair.hosts:
        runs = _succeeds(lab, each, "service", pair.resource, "status")
        if runs != (each == host):
            raise Unverified(f"{pair.resource} {'runs' if runs else 'does not run'} on {each}")
    if pair.resource == "cloudera-scm-server":
        waiting.wait_until(
            lambda: _answers(lab, host), ANSWER_TIME, lambda: f"nothing answers {URL} on {host}"
        )
        if _answers(lab, _other(pair, host)):
            raise Unverified(f"something answers {URL} on {_other(pair, host)} too")
    constraints = inside.run(lab, host, "cibadmin", "--query", "--xpath", "//constraints")
    if "cli-" in constraints:
        raise Unverified(f"a move left its constraint behind: {constraints.strip()}")


def _answers(lab, host):
    return _succeeds(lab, host, "curl", "--silent", "--fail", "--max-time", "5", URL)


def _succeeds(lab, host, *command):
    return inside.attempt(lab, host, *command).returncode == 0


def _never_twice(lab, since):
    """No service was active on two hosts at once, by what the services themselves wrote down."""
    for twice in activity.overlaps(activity.read(lab.shared / activity.LOG, since)):
        both = " and ".join(twice.hosts)
        raise Unverified(f"{twice.service} was active on {both} at once, at {twice.start:.2f}")


def _described(changed):
    return f"changed by {len(changed)} steps" if changed else "nothing changed"


def _title(text):
    print(f"\n=== {text}")
