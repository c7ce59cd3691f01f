"""What the tests of day two ask of a pair, and do with it."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from cmhalab.settings import LabError
from conftest import CMS, MGMT
from guide import wait_for

SERVER, AGENT = "cloudera-scm-server", "cloudera-scm-agent"
KEY_FILE = "/etc/corosync/authkey"
ALERT = "/usr/lib/cmha/alert"  # of the files that cmha keeps on a host, one that nobody misses meanwhile
PAGE = "curl -sf -m 2 -o /dev/null http://127.0.0.1:7180/"


def status(lab, pair="cms"):
    code, data = lab.runner("cmha.status", f"pair={pair}")
    return code, data["sites"]["lab"][pair]


def faults(lab, pair="cms"):
    return lab.faults(f"pair={pair}")


def home(lab, pair="cms"):
    """Where Pacemaker has a pair's service, as a node says that is there. It costs less than status."""
    hosts, resource = {"cms": (CMS, SERVER), "mgmt": (MGMT, AGENT)}[pair]
    locate = ("crm_resource", "--quiet", "--locate", "--resource", resource)
    for host in hosts:
        with suppress(LabError):  # it's off
            found = lab.on(host, *locate, check=False).split()
            if found:
                (name,) = found
                return name
    return pytest.fail(f"{resource} is on no node")


def served(lab, host, seconds=120):
    """The server answers on a host: it is started there, and then some, since its start ends before that."""
    wait_for(lab, host, PAGE, seconds)


def mate(name):
    pair = CMS if name in CMS else MGMT
    return next(each for each in pair if each != name)


_INSTALLS_FOR_EVER = """#!/bin/sh
case "$*" in *install*) exec sleep 7777 ;; esac
exec /root/apt-get "$@"
"""


def lost_in_its_installation(lab, host):
    """An orchestration in which a host loses its power while it installs something, which takes for ever."""
    apt_get = "/usr/bin/apt-get"
    lab.on(host, "mv", apt_get, "/root/apt-get")
    lab.on(
        host, "sh", "-c", 'printf %s "$1" >"$2"; chmod 755 "$2"', "sh", _INSTALLS_FOR_EVER, apt_get
    )
    with ThreadPoolExecutor() as pool:
        orchestration = pool.submit(lab.orchestrate)
        wait_for(lab, host, "pgrep -x -f 'sleep 7777'")
        lab.on(host, "mv", "/root/apt-get", apt_get)
        lab.run("crash", host)
        return orchestration.result()


@contextmanager
def pillar(lab, old, new):
    """The site's pillar with a change, and the first again afterwards."""
    before = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    assert old in before
    lab.write_pillar(before.replace(old, new, 1))
    try:
        yield
    finally:
        lab.write_pillar(before)


@contextmanager
def moved(lab, host, path):
    """A file that is away for a while."""
    lab.on(host, "mv", path, f"{path}.away")
    try:
        yield
    finally:
        lab.on(host, "mv", f"{path}.away", path)


@contextmanager
def unwatched(lab, host):
    """No monitor looks at the server before a test has."""
    option = ("crm_resource", "--resource", SERVER, "--meta")
    lab.on(host, *option, "--parameter-value", "true", "--set-parameter", "maintenance")
    lab.on(host, "timeout", "60", "crm_resource", "--wait")
    try:
        yield
    finally:
        lab.on(host, *option, "--delete-parameter", "maintenance")


@contextmanager
def uninterrupted(lab):
    """Cloudera Manager answers every question, and no process of either service ends or begins."""
    began = time.monotonic()
    served(lab, home(lab))
    with lab.client() as seen:
        yield
    assert seen["asked"] > 20
    assert seen["missed"] == []
    services = [spell.service for spell in lab.active(began)]
    assert {SERVER, AGENT} <= set(services)
    assert len(services) == len(set(services)), lab.active(began)


def orchestrate(lab, pair="cms"):
    return lab.orchestrate(f"pillar={{cmha_only: {{pair: {pair}}}}}")


def orchestrated(lab):
    done = lab.orchestrate()
    assert (done.code, done.failed) == (0, []), done.printed
    return done


def it_is_good(lab):
    """The pair cms is well, and the other host would take its service over."""
    code, report = status(lab)
    assert (code, report["health"], report["problems"]) == (0, "good", [])
    assert {host: each["takes_over"] for host, each in report["survival"].items()} == {
        home(lab): mate(home(lab))
    }


def rejoined(lab, host):
    """What was fenced or crashed is switched on by now, or gets its power; then a person has it back."""
    lab.run("boot", host)
    code, data = lab.runner("cmha.rejoin", host, "confirm=True")
    assert (code, data["error"]) == (0, None)


def back(lab, host):
    """And all is well."""
    rejoined(lab, host)
    it_is_good(lab)


# Salt's own cache of pillars on the master (minion_data_cache), see SECURITY.md
PILLARS = ("/var/cache/salt/master/pillar/", "/var/cache/salt/master/minions/")


def nobody_can_read(lab, secret):
    """No log has it, no cache but Salt's own of pillars, and no CIB."""
    for host in ("master", *CMS):
        found = lab.on(
            host, "sh", "-c",
            'grep -rlF -- "$1" /var/log /var/cache/salt /var/lib/pacemaker 2>/dev/null; '
            'journalctl | grep -F -- "$1"',
            "sh", secret, check=False,
        )  # fmt: skip
        own = [each for each in found.splitlines() if not each.startswith(PILLARS)]
        assert own == [], host
    for host in CMS:
        assert secret not in lab.cib(host)


def corosyncs(lab):
    return {host: lab.on(host, "pidof", "corosync") for host in CMS}


def taken_in(done):
    """How each host took its changes in, and what they were."""
    (changes,) = done.restarted.values()
    return {host: (each["how"], list(each["corosync"])) for host, each in changes.items()}


def cms_alone(text):
    return f"cluster_name: cmf\n      {text}"
