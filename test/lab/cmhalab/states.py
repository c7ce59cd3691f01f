"""The states in which a lab can be saved, and to which it can be put back: bare, prepared, converged.

    bare       Salt answers everywhere; nothing of a cluster is there
    prepared   the cluster's packages are installed, by the formula; nothing is configured
    converged  verified pairs, by the orchestration

A state is made once, and what it came from is kept in a snapshot. A lab that was put back is looked at before
anybody works with it: it has to show what the saved one showed.
"""

import functools
import json
import shutil
import subprocess

from . import hosts, inside, minions, orders, snapshots, waiting
from .disk import Base, service_of
from .settings import LAB, LOOK_ALIKES, MASTER, MASTER_SUITE, LabError, UsageError, check_suite

STATES = ("bare", "prepared", "converged")
USAGE = f"restore {'|'.join(STATES)}"

START_TIME = 120

# What is looked at on each host: by what it is called, a command. A host without it shows nothing.
RULES = {
    "its firewall's rules": "iptables-save",
    "its firewall's IPv6 rules": "ip6tables-save",
}
UNTIL_STARTED = "until crm_mon -1 2>/dev/null | grep -q Started; do sleep 1; done"
WITHOUT_COUNTERS = r" | sed -e '/^#/d' -e 's/\[[0-9:]*\]/[0:0]/'"
MEMBERS = "the members"
LOOKS = {
    "its minion's key": "cat /etc/salt/pki/minion/minion.pub",
    "Corosync's files": "sha256sum /etc/corosync/corosync.conf /etc/corosync/authkey",
    **{name: command + WITHOUT_COUNTERS for name, command in RULES.items()},
    MEMBERS: "crm_node --list | sort; corosync-quorumtool -s | grep -E '^(Nodes|Quorate|Flags)'",
    "the CIB's epoch": "cibadmin --query | grep -o ' epoch=.[0-9]*' | head -1",
    "the CIB": "cibadmin --query --scope configuration",
    "what Pacemaker runs": "crm_mon -1 | grep -c Started; crm_mon -1 | grep -A9 Failed",
    "what answers as Cloudera Manager": "for address in {servers}; do"
    " curl -s -o /dev/null -m 5 -w '%{{http_code}}\n' http://$address:7180/; done | sort",
}


def put_back(lab, state):
    """Puts a whole lab back to a state, which is made first where nobody has made it."""
    if state not in STATES:
        raise UsageError(USAGE)
    snapshot = _snapshot(lab, state)
    if _is_untouched(lab, snapshot) and not _differences(snapshot.facts["hosts"], _look(lab)):
        return
    touch(lab)
    if not snapshot.exists:
        with snapshot.being_made() as directory:
            if directory is not None:
                _MAKE[state](lab)
                _save(lab, directory)
    _lay(lab, snapshot)
    if state != "converged":  # now, since a service that was just installed starts at the next boot
        hosts.install_cloudera(lab, lab.hosts)
    _wake(lab, snapshot.facts)
    _mark(lab).write_text(str(snapshot.path))


def touch(lab):
    """Somebody is about to work with the lab: from now on it may be another one than was put back."""
    _mark(lab).unlink(missing_ok=True)


def _is_untouched(lab, snapshot):
    return _mark(lab).exists() and _mark(lab).read_text() == str(snapshot.path)


def _mark(lab):
    return lab.directory / "untouched"


def bases(lab):
    """What each host's disk is made of, the master's first; made first when it isn't there."""
    of_kind = functools.cache(_base)
    master = of_kind(MASTER_SUITE, lab.init_of(MASTER), lab.salt, lab.next_salt)
    return [
        master,
        *(
            of_kind(lab.suite_of(host), lab.init_of(host), lab.minion_salt, lab.next_salt)
            for host in lab.hosts
        ),
    ]


def base_of(lab, suite):
    """What a host's disk is made of when it gets this release."""
    check_suite(suite)
    return _base(suite, lab.init, lab.minion_salt, lab.next_salt)


def bmc_python(lab):
    """A Python that can run a BMC (cmhalab.bmc), or nothing where the lab has none."""
    if not lab.side_addresses():
        return ""
    return f"{make('salt-venv', '3008', str(LAB / 'bmc-requirements.txt'))}/bin/python"


def _base(suite, init, *salts):
    image = make("look-alike", suite) if suite in LOOK_ALIKES else make("image", suite, init)
    return Base(image, *(make("salt-venv", salt, "--for", image) for salt in salts if salt))


def make(program, *words):
    """Has something made that takes a while the first time; returns the path that is printed."""
    done = subprocess.run([LAB / program, *words], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise LabError(f"test/lab/{program} failed")
    return done.stdout.strip()


def _snapshot(lab, state):
    return snapshots.of(lab, state, bases(lab), formula=state != "bare")


# --- how a state comes to be ---------------------------------------------------------------------


def _make_bare(lab):
    for host in lab.everyone:
        orders.ask(lab, "reset", host)
    _serve(lab, LAB)
    hosts.boot(lab, lab.everyone)
    minions.wait_for(lab, lab.hosts)
    minions.sync(lab, lab.hosts)


def _make_prepared(lab):
    _make_bare(lab)
    _salt(lab, "salt", "--timeout=60", "-L", ",".join(lab.hosts), "state.apply", "cmha.packages")


def _make_converged(lab):
    _make_bare(lab)
    hosts.install_cloudera(lab, lab.hosts)
    _salt(lab, "salt-run", "state.orch", "cmha.orchestrate", f"pillar={json.dumps(_only(lab))}")


def _only(lab):
    """The orchestration keeps to the pairs that the lab has hosts for."""
    pairs = [pair for pair in ("cms", "mgmt") if f"{pair}1" in lab.hosts]
    return {"cmha_only": {"pair": pairs[0]}} if len(pairs) == 1 else {}


def _salt(lab, *command):
    done = inside.attempt(lab, MASTER, *command)
    if done.returncode:
        raise LabError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


_MAKE = {"bare": _make_bare, "prepared": _make_prepared, "converged": _make_converged}


# --- saving, and putting back --------------------------------------------------------------------


def _save(lab, directory):
    """Notes what the hosts show, stops all of it in order, and copies the disks."""
    facts = {"formula": snapshots.formula_digest(), "hosts": _look(lab)}
    for daemon in ("pacemaker", "corosync"):
        hosts.on_each(lab, lab.hosts, "service", daemon, "stop")
    hosts.shut_down(lab, lab.everyone)
    for host in lab.everyone:
        orders.ask(lab, "save", host, into=str(directory / host))
    for tree in snapshots.TREES:
        shutil.copytree(lab.directory / tree, directory / tree)
    (directory / snapshots.FACTS).write_text(json.dumps(facts))


def _lay(lab, snapshot):
    """Gives each host the saved disk, below an empty one of its own, and switches it on."""
    for host in lab.everyone:
        orders.ask(lab, "reset", host, layer=str(snapshot.layer(host)))
    _serve(lab, snapshot.path)
    hosts.boot(lab, lab.everyone)


def _serve(lab, origin):
    """What the master serves is what it was; nobody has written into the shared directory yet."""
    for tree in snapshots.TREES:
        shutil.rmtree(lab.directory / tree, ignore_errors=True)
        shutil.copytree(origin / tree, lab.directory / tree)
    shutil.rmtree(lab.shared, ignore_errors=True)
    lab.shared.mkdir()


def _wake(lab, facts):
    """Starts what the saved lab ran, and waits until this one shows the same."""
    saved = facts["hosts"]
    for name, save in RULES.items():
        rules = {host: looks[name] for host, looks in saved.items() if looks[name]}
        hosts.on_each(lab, list(rules), save.replace("save", "restore"), stdin=rules)
    running = [host for host, looks in saved.items() if looks[MEMBERS]]
    hosts.run_on_each(lab, running, "sh", "-c", "service corosync start && service pacemaker start")
    minions.wait_for(lab, lab.hosts)
    # a look costs more than this, and the first election of a cluster takes its time
    hosts.on_each(lab, running, "timeout", str(START_TIME), "sh", "-c", UNTIL_STARTED)
    if facts["formula"] != snapshots.formula_digest():
        minions.sync(lab, lab.hosts)
    waiting.wait_until(
        lambda: not _differences(saved, _look(lab)),
        START_TIME,
        lambda: f"put back, {_told(saved, _look(lab))}",
    )


def _look(lab):
    """What each host shows, by what it is called."""
    addresses = lab.addresses()
    servers = " ".join(addresses[host] for host in lab.hosts if service_of(host) == "server")
    script = {name: _command(command, servers) for name, command in LOOKS.items()}
    shown = {name: hosts.on_each(lab, lab.hosts, "sh", "-c", each) for name, each in script.items()}
    return {host: {name: shown[name][host] for name in LOOKS} for host in lab.hosts}


def _command(command, servers):
    return command.format(servers=servers) if "{servers}" in command else command


def _differences(saved, shown):
    return [f"{name} on {host}" for host, name in _differing(saved, shown)]


def _differing(saved, shown):
    return [
        (host, name)
        for host, looks in saved.items()
        for name, look in looks.items()
        if shown[host][name] != look
    ]


def _told(saved, shown):
    """What differs, and of the first what it is."""
    values = [
        f"{name} on {host} is {shown[host][name][:300]!r}, was {saved[host][name][:300]!r}"
        for host, name in _differing(saved, shown)[:3]
    ]
    return f"{', '.join(_differences(saved, shown))} is another one ({'; '.join(values)})"
