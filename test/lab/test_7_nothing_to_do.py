"""What the orchestration would do is seen before, by a test run: so whatever somebody changes on a host is
seen, and mended by the next orchestration. Each state of the formula in turn, as the hosts list them."""

import json

import pytest
import turns
from conftest import CMS
from guide import wait_for

pytestmark = [pytest.mark.lab(begins="converged"), turns.only("sites")]

HOST, PEER = CMS
STATE_FILES = "cmha.host,cmha.corosync,cmha.start,cmha.managed,cmha.cluster,cmha.verify"


def sh(script, host=HOST):
    """A change of what a state names ($1), by a shell script: whether there was anything to change."""
    return lambda lab, chunk: lab.code(host, "sh", "-ec", script, "sh", chunk["name"]) == 0


# Nothing that the pair's own traffic meets
FILTERS = """
for chain in INPUT OUTPUT; do iptables -F $chain; done
iptables -A INPUT -s 203.0.113.99 -j DROP
iptables -A OUTPUT -d 203.0.113.99 -j DROP
"""

# By function, how what it cares for is changed by somebody. PEER's daemons, so that the service stays.
CHANGES = {
    "file.managed": sh('echo "# mine" >>"$1"'),
    "file.directory": sh('mv "$1" "$1.away"'),
    "file.absent": sh('mkdir -p "$(dirname "$1")"; touch "$1"'),
    "file.replace": sh('[ -e "$1" ]; echo START=no >"$1"'),
    "pkg.installed": sh('[ "$1" = curl ]; dpkg --remove --force-depends curl'),
    "daemons.installed": sh("dpkg --remove --force-depends crmsh"),
    "daemons.not_at_boot": sh('systemctl cat "$1" >/dev/null; systemctl enable "$1"'),
    "daemons.running": sh("systemctl stop pacemaker corosync", PEER),
    "crm.online": sh("systemctl stop pacemaker", PEER),
    "crm.configured": sh("crm_attribute --name dc-deadtime --update 7s"),
    "maintenance.ended": sh("salt-call --local maintenance.begin"),
    "minion_beacon.present": sh('salt-call beacons.delete "$1"'),
    "packet_filter.allowed": sh(FILTERS),
}

# What only looks, at what another one cares for or Pacemaker does by itself
LOOKS = {
    "corosync.no_other_cluster": "of a stranger's cluster preflight tells",
    "corosync.packaged_cluster_absent": "the packages' own cluster runs where the pair's doesn't",
    "corosync.authkey": "there is no key in the lab's pillar",
    "corosync.taken_in": "after a start only; what waits for one is asked apart",
    "daemons.known": "Salt's own service functions have systemd read a changed unit, in a test run too",
    "packet_filter.kept": "no rules are loaded at boot here: see test_8_firewalls.py",
    "resource_agent.answers": "an ocf agent's file is a state of its own, an init script is its package's",
    "crm.started": "the cluster starts it again by itself, before anybody looks",
    "test.show_notification": "says something",
}


@pytest.fixture(scope="module")
def chunks(lab):
    """The states of a host, one of each function and name."""
    assert lab.orchestrate().failed == []
    low = lab.salt([HOST], "state.show_low_sls", STATE_FILES)[HOST]
    return {f"{each['state']}.{each['fun']}: {each['name']}": each for each in low}


def test_each_function_of_the_formula_is_known_here(chunks):
    functions = {name.split(":")[0] for name in chunks}
    assert functions - CHANGES.keys() - LOOKS.keys() == set()


def idle(lab):
    """Whether the orchestration would do nothing at the pair."""
    printed = lab.on("master", "salt-run", "--out=json", "cmha.fit_sites", "pair=cms")
    (site,) = json.loads(printed[printed.index("{") :])["sites"]
    return {step["function"] for step in site["steps"]} == {"idle"}


def test_whatever_is_changed_is_seen_and_mended(lab, chunks):
    assert idle(lab)
    missed, changed = [], set()
    for name, chunk in chunks.items():
        function = name.split(":")[0]
        if function not in CHANGES or not CHANGES[function](lab, chunk):
            continue
        changed.add(function)
        done = lab.orchestrate("pillar={cmha_only: {pair: cms}}")
        assert (done.code, done.failed) == (0, []), f"{name}: {done.printed}"
        if all(step["comment"].startswith("nothing to do") for step in done.steps.values()):
            missed.append(f"{name}: not seen")
        wait_for(lab, "master", "salt-run cmha.status pair=cms >/dev/null")
        if not idle(lab):
            missed.append(f"{name}: not mended")
    assert missed == []
    assert changed == {name.split(":")[0] for name in chunks} & CHANGES.keys()
