"""What an administrator does after the first day: looks, moves, brings back, changes, takes apart. The tests
tell one story, in their order."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import activity
import pytest
import yaml
from conftest import CMS, HERE, MGMT
from guide import wait_for

pytestmark = pytest.mark.lab

SERVER, AGENT = "cloudera-scm-server", "cloudera-scm-agent"
KEY_FILE = "/etc/corosync/authkey"


@pytest.fixture(scope="module", autouse=True)
def converged(lab):
    """Two verified pairs, whatever ran before."""
    done = lab.orchestrate()
    assert (done.code, done.failed) == (0, [])


def status(lab, pair="cms"):
    code, data = lab.runner("cmha.status", f"pair={pair}")
    return code, data["sites"]["lab"][pair]


def home(lab, pair="cms"):
    (name,) = status(lab, pair)[1]["service"]["nodes"]
    return name


def mate(name):
    pair = CMS if name in CMS else MGMT
    return next(each for each in pair if each != name)


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


# --- preflight -----------------------------------------------------------------------------------


def test_preflight_finds_nothing_against_good_pairs_and_warns(lab):
    code, data = lab.runner("cmha.preflight")
    assert (code, data["errors"]) == (0, [])
    assert data["sites"] == {"lab": ["cms", "mgmt"]}
    for pair in ("cms", "mgmt"):
        said = [each for each in data["warnings"] if each.startswith(f"site lab, pair {pair}: ")]
        assert [("authenticated" in each, "fencing is off" in each) for each in said] == [
            (True, False),
            (False, True),
        ]


def test_preflight_names_what_is_wrong_on_a_host(lab):
    # the one where no monitor of Pacemaker looks for the script meanwhile
    (idle,) = set(CMS) - set(lab.started("cms1", SERVER))
    with moved(lab, idle, f"/etc/init.d/{SERVER}"):
        lab.on(idle, "systemctl", "daemon-reload")
        code, data = lab.runner("cmha.preflight", "pair=cms")
    lab.on(idle, "systemctl", "daemon-reload")
    (line,) = data["errors"]
    assert code == 1
    assert line.startswith(f"site lab, pair cms: {idle} has no ")
    assert SERVER in line


def test_the_orchestration_begins_no_site_that_preflight_refuses(lab):
    lab.on("mgmt2", "sh", "-c", "cp /etc/hosts /root/hosts; echo 127.0.1.1 mgmt1 > /etc/hosts")
    done = lab.orchestrate()
    lab.on("mgmt2", "cp", "/root/hosts", "/etc/hosts")
    assert done.code != 0
    (line,) = done.failed
    assert line.startswith(
        "site lab, pair mgmt: mgmt2 resolves mgmt1, its peer's name, to itself (127.0.1.1)"
    )
    assert list(done.steps) == [line]


# --- plan and status -----------------------------------------------------------------------------


def test_a_plan_of_what_is_as_it_should_be(lab):
    printed, _ = lab.shown("cmha.plan")
    assert "lab cms: nothing differs" in printed
    assert "lab mgmt: nothing differs" in printed


def test_a_plan_touches_nothing_and_foretells(lab):
    running = lab.on("cms1", "pidof", "corosync")
    file = lab.on("cms1", "cat", "/etc/corosync/corosync.conf")
    change = "cluster_name: cmf\n      pacemaker: {properties: {maintenance-mode: true}}"
    with pillar(lab, "cluster_name: cmf", change.replace("cmf", "cmg")):
        code, data = lab.runner("cmha.plan", "pair=cms")
    plan = data["sites"]["lab"]["cms"]
    assert (code, data["errors"]) == (0, [])
    for host in CMS:
        assert [each["state"] for each in plan["hosts"][host]] == ["cmha corosync.conf"]
        assert plan["restart"]["changes"][host] == {
            "corosync": {"totem.cluster_name": {"old": "cmf", "new": "cmg"}},
            "how": "one by one",
        }
    assert sorted(plan["cluster"]["changes"]) == [
        "properties:cluster-name",
        "properties:maintenance-mode",
    ]
    assert lab.on("cms1", "pidof", "corosync") == running
    assert lab.on("cms1", "cat", "/etc/corosync/corosync.conf") == file


def test_good_pairs(lab):
    code, data = lab.runner("cmha.status")
    problems = {pair: each["problems"] for pair, each in data["sites"]["lab"].items()}
    assert (problems, data["errors"]) == ({"cms": [], "mgmt": []}, [])
    assert (code, data["retcode"]) == (0, 0)
    for pair, hosts, service in (("cms", CMS, SERVER), ("mgmt", MGMT, AGENT)):
        report = data["sites"]["lab"][pair]
        assert report["health"] == "good"
        assert report["nodes"] == dict.fromkeys(hosts, "online")
        assert report["dc"] in hosts
        assert report["quorum"] is True
        assert report["service"]["resource"] == service
        assert report["service"]["nodes"] == lab.started(hosts[0], service)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", report["service"]["since"])
        assert report["maintenance"] == "off"
        for key in ("failures", "leftovers", "drift", "at_boot"):
            assert not report[key]


def test_everything_that_is_not_as_it_should_be_is_said(lab):
    lab.on("cms2", "systemctl", "enable", "pacemaker")
    lab.on(
        "cms1",
        "sed",
        "-i",
        "s/version: 2/version: 2\\n    token: 7000/",
        "/etc/corosync/corosync.conf",
    )
    lab.on("cms1", "crm", "configure", "property", "maintenance-mode=true")
    lab.on("cms1", "crm", "configure", "rsc_defaults", "resource-stickiness=5")
    code, report = status(lab)
    assert (code, report["health"]) == (1, "poor")
    assert report["maintenance"] == "somebody"
    assert report["at_boot"] == {"cms2": ["pacemaker"]}
    assert report["drift"]["cms1"] == [
        "corosync.conf says totem.token 7000, pillar says None",
        "Corosync runs with totem.token None, its file says 7000",
        "Pacemaker: rsc_defaults:resource-stickiness",
    ]
    assert any("nothing fails over" in line for line in report["problems"])


def test_maintenance_that_somebody_else_has_set_stays_while_all_else_is_put_right(lab):
    done = orchestrate(lab)
    assert (done.code, done.failed) == (0, [])
    code, report = status(lab)
    assert (code, report["maintenance"]) == (1, "somebody")
    assert (report["drift"], report["at_boot"]) == ({}, {})
    lab.on("cms1", "crm", "configure", "property", "maintenance-mode=false")
    assert status(lab)[0] == 0
    lab.on("cms1", "crm_attribute", "--name", "maintenance-mode", "--delete")


# --- failover ------------------------------------------------------------------------------------


def test_a_failover_is_verified_and_timed(lab):
    here = home(lab)
    code, data = lab.runner("cmha.failover", "cms", f"to={mate(here)}")
    assert (code, data["error"], data["cleared"]) == (0, None, [])
    (move,) = data["moves"]
    assert (move["from"], move["to"], move["seen_by"]) == (here, mate(here), "TCP port 7180")
    # the stand-in takes 0.5 s to stop and 2 s to start
    assert 2 <= move["away"] <= 30
    assert home(lab) == mate(here)
    assert lab.code(mate(here), "service", SERVER, "status") == 0
    assert lab.code(here, "service", SERVER, "status") == 3
    assert "cli-" not in lab.cib("cms1")


def test_a_drill_comes_back(lab):
    began, here = time.monotonic(), home(lab, "mgmt")
    code, data = lab.runner("cmha.failover", "mgmt", "drill=True")
    assert (code, data["error"]) == (0, None)
    there = mate(here)
    assert [(move["from"], move["to"]) for move in data["moves"]] == [(here, there), (there, here)]
    assert home(lab, "mgmt") == here
    assert {spell.host for spell in lab.active(began) if spell.service == AGENT} == {here, there}
    assert activity.overlaps(lab.active(began)) == []


def test_a_failover_to_where_it_is_moves_nothing(lab):
    code, data = lab.runner("cmha.failover", "cms", f"to={home(lab)}")
    assert (code, data["moves"], data["error"]) == (0, [], None)


def test_a_target_that_is_not_fit_is_refused(lab):
    here = home(lab)
    lab.on("cms1", "crm", "node", "standby", mate(here))
    code, data = lab.runner("cmha.failover", "cms")
    lab.on("cms1", "crm", "node", "online", mate(here))
    wait_for(lab, "cms1", "crm_mon -1 | grep -q 'Online: . cms1 cms2 .'")
    refused = f"refused, {SERVER} stays on {here}: {mate(here)} is standby"
    assert (code, data["moves"], data["error"]) == (1, [], refused)


def test_a_service_that_does_not_start_on_the_target_is_told_and_a_second_try_refused(lab):
    here = home(lab)
    there = mate(here)
    lab.on(there, "sh", "-c", "echo FAIL_START=yes >> /etc/default/cloudera-scm-server")
    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["moves"]) == (1, [])
    assert data["error"].startswith(f"{there}: {SERVER} doesn't start on {there}: ")
    wait_for(lab, here, f"crm_mon -1 | grep -q 'Started {here}'")
    assert "cli-" not in lab.cib(here)

    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["moves"]) == (1, [])
    assert data["error"].startswith(f"refused, {SERVER} stays on {here}: start failed on {there}")

    lab.on(there, "sed", "-i", "/^FAIL_START=yes/d", "/etc/default/cloudera-scm-server")
    lab.on("cms1", "crm_resource", "--cleanup", "--resource", SERVER)
    wait_for(lab, here, "curl -sf -o /dev/null http://127.0.0.1:7180/")


def test_what_pacemaker_would_not_do_is_refused_before_it_is_tried(lab):
    here = home(lab)
    never = {"locations": {"never": {"rsc": SERVER, "node": mate(here), "score": "-INFINITY"}}}
    lab.salt(["cms1"], "crm.apply", json.dumps(never))
    code, data = lab.runner("cmha.failover", "cms")
    lab.salt(["cms1"], "crm.apply", "{}", "absent={locations: [never]}")
    assert (code, data["moves"]) == (1, [])
    assert f"Pacemaker would not move it to {mate(here)}" in data["error"]


SLOW = "sed -i 's/^START_DELAY=.*/START_DELAY={}/' /etc/default/cloudera-scm-server"


@pytest.mark.parametrize(
    "interrupt",
    [
        "kill -INT $(pgrep -f 'salt-run cmha.failover' | head -1)",
        "systemctl restart salt-master",
    ],
)
def test_an_interrupted_failover_leaves_no_constraint(lab, interrupt):
    here = home(lab)
    there = mate(here)
    lab.on(there, "sh", "-c", SLOW.format(6))
    # what is started in the background ignores SIGINT
    failover = ("env", "--default-signal=INT", "salt-run", "cmha.failover", "cms")
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(lab.run, "on", "master", *failover, check=False)
        wait_for(lab, there, "cibadmin --query | grep -q cli-prefer")
        lab.on("master", "sh", "-c", interrupt)
        wait_for(lab, there, f"crm_mon -1 | grep -q 'Started {there}'")
        wait_for(lab, there, "! cibadmin --query | grep -q cli-prefer")
        said = asked.result()
    lab.on(there, "sh", "-c", SLOW.format(2))
    assert "Traceback" not in said.stdout + said.stderr
    wait_for(lab, "master", "salt -L cms1,cms2 test.ping >/dev/null")
    wait_for(lab, there, "curl -sf -o /dev/null http://127.0.0.1:7180/")
    assert home(lab) == there
    assert status(lab)[0] == 0


def test_a_constraint_that_was_left_behind_is_shown_and_cleaned_up(lab):
    here = home(lab)
    lab.on("cms1", "crm_resource", "--ban", "--resource", SERVER, "--node", mate(here))
    code, report = status(lab)
    assert (code, [each["resource"] for each in report["leftovers"]]) == (1, [SERVER])
    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["error"], data["cleared"]) == (
        0,
        None,
        [f"cli-ban-{SERVER}-on-{mate(here)}"],
    )
    assert home(lab) == mate(here)
    assert status(lab)[0] == 0


# --- a crash -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crashed(lab):
    """The host that ran the server has lost its power, and is back."""
    here = home(lab)
    lab.run("crash", here)
    wait_for(lab, mate(here), f"crm_mon -1 | grep -q 'Started {mate(here)}'")
    code, report = status(lab)
    assert (code, report["health"], report["nodes"][here]) == (1, "poor", "silent")
    refused = lab.runner("cmha.rejoin", here, "confirm=True")
    lab.run("boot", here)
    return here, refused


def test_a_host_that_is_still_down_can_not_rejoin(crashed):
    here, (code, data) = crashed
    assert code == 1
    assert data["error"].startswith(f"{here} doesn't answer this master")


def test_rejoin_shows_and_touches_nothing(lab, crashed):
    here, _ = crashed
    code, data = lab.runner("cmha.rejoin", here)
    assert (code, data["error"], data["done"]) == (0, None, [])
    assert data["service"]["nodes"] == [mate(here)]
    assert data["causes"]["service"] == "stopped"
    assert any(data["causes"]["logs"]["corosync and pacemaker"])
    assert f"cmha.rejoin node={here} confirm=True" in data["next"]
    assert lab.code(here, "systemctl", "is-active", "--quiet", "corosync") != 0


def test_what_runs_outside_the_cluster_is_refused(lab, crashed):
    here, _ = crashed
    lab.on(here, "systemctl", "start", SERVER)
    code, data = lab.runner("cmha.rejoin", here, "confirm=True")
    lab.on(here, "systemctl", "stop", SERVER)
    assert code == 1
    assert data["error"].startswith(f"{SERVER} on {here} is running, outside the cluster")
    assert lab.code(here, "systemctl", "is-active", "--quiet", "corosync") != 0


def test_confirmed_it_comes_back(lab, crashed):
    here, _ = crashed
    # the firewall's rules didn't survive
    assert "5404,5405" not in lab.on(here, "iptables-save")
    printed, progress = lab.shown("cmha.rejoin", here, "confirm=True")
    assert f"Corosync and Pacemaker run on {here}, both nodes are online" in printed
    assert f"lab cms: start Corosync and Pacemaker on {here}" in progress
    assert "5404,5405" in lab.on(here, "iptables-save")
    assert status(lab)[0] == 0
    assert home(lab) == mate(here)


# --- changes without downtime --------------------------------------------------------------------


@contextmanager
def uninterrupted(lab):
    """Cloudera Manager answers every question, and no process of either service ends or begins."""
    began = time.monotonic()
    wait_for(lab, home(lab), "curl -sf -o /dev/null http://127.0.0.1:7180/")
    with lab.client() as seen:
        yield
    assert seen["asked"] > 20
    assert seen["missed"] == []
    services = [spell.service for spell in lab.active(began)]
    assert {SERVER, AGENT} <= set(services)
    assert len(services) == len(set(services)), lab.active(began)


def orchestrate(lab, pair="cms"):
    return lab.orchestrate(f"pillar={{cmha_only: {{pair: {pair}}}}}")


def corosyncs(lab):
    return {host: lab.on(host, "pidof", "corosync") for host in CMS}


def taken_in(done):
    """How each host took its changes in, and what they were."""
    (changes,) = done.restarted.values()
    return {host: (each["how"], list(each["corosync"])) for host, each in changes.items()}


def cms_alone(text):
    return f"cluster_name: cmf\n      {text}"


def test_a_token_is_reloaded(lab):
    before = corosyncs(lab)
    with pillar(lab, "cluster_name: cmf", cms_alone("corosync: {totem: {token: 5000}}")):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        assert taken_in(done) == dict.fromkeys(CMS, ("reload", ["totem.token"]))
        assert corosyncs(lab) == before
        for host in CMS:
            token = lab.on(host, "corosync-cmapctl", "-g", "runtime.config.totem.token")
            assert token.endswith("= 5000")
        assert orchestrate(lab).restarted == {}
        assert {name.split(":")[0] for name in done.steps} == {"lab cms"}
    with uninterrupted(lab):
        assert orchestrate(lab).code == 0
    assert corosyncs(lab) == before


def test_a_cluster_name_rolls_through_the_pair(lab):
    before = corosyncs(lab)
    with pillar(lab, "cluster_name: cmf", "cluster_name: cmg"):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        assert taken_in(done) == dict.fromkeys(CMS, ("one by one", ["totem.cluster_name"]))
        for host in CMS:
            assert corosyncs(lab)[host] != before[host]
            name = lab.on(host, "corosync-cmapctl", "-g", "totem.cluster_name")
            assert name.endswith("= cmg")
        assert 'name="cluster-name" value="cmg"' in lab.cib("cms1")
        assert "cmha-maintenance" not in lab.cib("cms1")
        assert status(lab)[0] == 0


def test_transport_and_encryption_change_on_both_hosts_at_once(lab):
    key = lab.on("cms1", "sh", "-c", f"corosync-keygen -l >/dev/null; base64 -w0 {KEY_FILE}")
    lab.on("cms2", "sh", "-c", f"umask 277; echo {key} | base64 -d > {KEY_FILE}")
    # from another cluster_name too: hosts with old and new values must not meet
    with pillar(lab, "cluster_name: cmf", cms_alone("corosync: {totem: {transport: knet}}")):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        keys = ["totem.cluster_name", "totem.transport"]
        assert taken_in(done) == dict.fromkeys(CMS, ("together", keys))
        secret = "corosync: {totem: {transport: knet, secauth: 'on'}}"
        with pillar(lab, "corosync: {totem: {transport: knet}}", secret):
            with uninterrupted(lab):
                done = orchestrate(lab)
            assert (done.code, done.failed) == (0, [])
            assert taken_in(done) == dict.fromkeys(CMS, ("together", ["totem.secauth"]))
            _, data = lab.runner("cmha.preflight", "pair=cms")
            assert not any("authenticated" in line for line in data["warnings"])
            assert status(lab)[0] == 0
    assert orchestrate(lab).code == 0


def new_key(lab):
    """A key from the runner, in one line."""
    printed, _ = lab.shown("cmha.keygen")
    return "".join(yaml.safe_load(printed)["cmha"]["corosync"]["authkey"].split())


# Salt's own cache of compiled pillars (minion_data_cache) has all that pillar has
FIND = """\
import base64, os, subprocess, sys
key = base64.b64decode(sys.stdin.read())
marks = [key[:24], base64.b64encode(key)[:32], key[:24].hex().encode()]
journal = subprocess.run(["journalctl", "--no-pager"], capture_output=True).stdout
contents = [("the journal", journal)]
for top in ("/var/cache/salt", "/var/log", "/run/salt", "/tmp", "/etc/salt"):
    for directory, _, files in os.walk(top):
        if not directory.startswith("/var/cache/salt/master/pillar"):
            for path in (os.path.join(directory, file) for file in files):
                try:
                    with open(path, "rb") as file:
                        contents.append((path, file.read()))
                except OSError:  # no file, or gone
                    pass
print(*(path for path, content in contents if any(mark in content for mark in marks)), sep=chr(10))
"""


def traces(lab, key):
    """Where on any machine the key is, beside its file and Salt's pillar."""
    return {
        host: found
        for host in ("master", *CMS)
        if (found := lab.run("on", host, "python3", "-c", FIND, stdin=key).stdout.split())
    }


def test_a_key_in_pillar_encrypts_and_is_shown_nowhere(lab):
    key, another = new_key(lab), new_key(lab)
    printed = ""
    with pillar(lab, "cluster_name: cmf", cms_alone(f"corosync: {{authkey: {key}}}")):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        printed += done.printed
        keys = ["totem.crypto_cipher", "totem.crypto_hash", "totem.secauth", "totem.transport"]
        assert taken_in(done) == dict.fromkeys(CMS, ("together", keys))
        for host in CMS:
            assert lab.on(host, "stat", "-c", "%a %U %G", KEY_FILE) == "400 root root"
            assert lab.on(host, "base64", "-w0", KEY_FILE) == key
            assert "transport knet" in lab.on(host, "corosync-cfgtool", "-s")
            cipher = lab.on(host, "corosync-cmapctl", "-g", "totem.crypto_cipher")
            assert cipher.endswith("= aes256")
            assert "--dports 5405 " in lab.on(host, "iptables-save")
        _, data = lab.runner("cmha.preflight", "pair=cms")
        assert not any("authenticated" in line for line in data["warnings"])

        with pillar(lab, key, another):
            code, data = lab.runner("cmha.plan", "pair=cms")
            planned = data["sites"]["lab"]["cms"]
            assert (code, data["errors"]) == (0, [])
            secret = {"totem.authkey": {"old": "(secret)", "new": "(secret)"}}
            change = {"corosync": secret, "how": "together"}
            assert planned["restart"]["changes"] == dict.fromkeys(CMS, change)
            with uninterrupted(lab):
                done = orchestrate(lab)
            assert (done.code, done.failed) == (0, [])
            printed += done.printed + str(planned)
            assert taken_in(done) == dict.fromkeys(CMS, ("together", ["totem.authkey"]))
            for host in CMS:
                assert lab.on(host, "base64", "-w0", KEY_FILE) == another
            assert status(lab)[0] == 0

            before = corosyncs(lab)
            done = orchestrate(lab)
            assert (done.code, done.restarted) == (0, {})
            assert corosyncs(lab) == before
        for each in (key, another):
            assert each[:32] not in printed
            assert traces(lab, each) == {}
        lab.on("master", "sh", "-c", f"echo {key} > /tmp/left-behind")
        assert traces(lab, key) == {"master": ["/tmp/left-behind"]}
        lab.on("master", "rm", "/tmp/left-behind")
    with uninterrupted(lab):
        assert orchestrate(lab).code == 0


def test_a_second_link_over_ipv6_carries_the_cluster_alone(lab):
    device = "$(ip -o -4 address show to 192.0.2.0/24 | awk '{print $2}')"
    for number, host in enumerate(CMS, 1):
        lab.on(host, "sh", "-c", f"ip address add 2001:db8::1{number}/64 dev {device} nodad")
    first = "cms1: {nodeid: 1, address: 192.0.2.11}"
    second = "cms2: {nodeid: 2, address: 192.0.2.12}"
    with (
        pillar(lab, first, "cms1: {nodeid: 1, addresses: [192.0.2.11, '2001:db8::11']}"),
        pillar(lab, second, "cms2: {nodeid: 2, addresses: [192.0.2.12, '2001:db8::12']}"),
    ):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        assert "--dports 5406 " in lab.on("cms1", "ip6tables-save")
        drop = ("-p", "udp", "--dport", "5405", "-j", "DROP")
        lab.on("cms1", "iptables", "-I", "INPUT", *drop)
        wait_for(lab, "cms1", "corosync-cfgtool -s | grep -q 'nodeid: *2:.*disconnected'")
        links = lab.on("cms1", "corosync-cfgtool", "-s")
        members = lab.salt(["cms1"], "corosync.members")["cms1"]
        lab.on("cms1", "iptables", "-D", "INPUT", *drop)
        assert re.findall(r"nodeid: +2:\s+(\w+)", links) == ["disconnected", "connected"]
        assert [each["status"] for each in members.values()] == ["joined", "joined"]
        wait_for(lab, "cms1", "! corosync-cfgtool -s | grep -q 'disconnected'")
    with uninterrupted(lab):
        assert orchestrate(lab).code == 0


@pytest.fixture
def newer_corosync(lab):
    """Another version of Corosync in the repositories of CMS; its version."""
    script = (HERE / "newer-package").read_text()
    versions = {lab.run("on", host, "sh", "-s", "corosync", stdin=script).stdout for host in CMS}
    return versions.pop().strip()


def test_a_failure_half_way_stays_in_maintenance_and_tells_the_way_back(lab, newer_corosync):
    """The new package comes, and the host's own Corosync doesn't start any more."""
    here = home(lab)
    there = mate(here)
    broken = "/etc/systemd/system/corosync.service.d/broken.conf"
    unit = "[Service]\\nExecStartPre=/bin/false\\n"
    lab.on(there, "sh", "-c", f"mkdir -p $(dirname {broken}); printf '{unit}' > {broken}")
    lab.on(there, "systemctl", "daemon-reload")
    change = cms_alone(f"versions: {{corosync: '{newer_corosync}'}}")
    with pillar(lab, "cluster_name: cmf", change):
        with uninterrupted(lab):
            done = orchestrate(lab)
        (step,) = done.failed
        assert step == "lab cms: reload or restart what changed on cms1 and cms2"
        said = done.steps[step]["comment"]
        assert said.startswith(f"{there}: cmha corosync runs: ")
        assert f"stays in maintenance mode: {SERVER} is left running on {here}" in said
        assert "run the orchestration again: it goes on from here" in said
        code, report = status(lab)
        assert (code, report["maintenance"]) == (1, "cmha")
        assert report["nodes"] == {here: "online", there: "stopped"}

        # a highstate in between ends nothing
        states = lab.state([here], "cmha")[here]
        assert all(state["result"] for state in states.values()), states
        assert status(lab)[1]["maintenance"] == "cmha"

        lab.on(there, "rm", broken)
        lab.on(there, "systemctl", "daemon-reload")
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        for host in CMS:
            version = lab.on(host, "dpkg-query", "-W", "-f", "${Version}", "corosync")
            assert version == newer_corosync
            for unit in ("corosync", "pacemaker"):
                enabled = lab.on(host, "systemctl", "is-enabled", unit, check=False)
                assert enabled == "disabled"
        assert status(lab)[0] == 0


def test_a_package_that_no_repository_has_restarts_nothing(lab):
    before = corosyncs(lab)
    with pillar(lab, "cluster_name: cmf", cms_alone("versions: {corosync: '9.9-9'}")):
        done = orchestrate(lab)
    (step,) = done.failed
    assert (
        "has corosync 9.9-9 (cmha:versions); nothing was restarted" in done.steps[step]["comment"]
    )
    assert corosyncs(lab) == before
    assert "maintenance" not in lab.cib("cms1")


# --- the end of a pair ---------------------------------------------------------------------------


def test_clean_only_says_what_it_would_do(lab):
    before = lab.cib("mgmt1").split("\n", 1)[0]
    code, data = lab.runner("cmha.clean", "mgmt", "keep=mgmt2")
    assert (code, data["error"]) == (0, None)
    assert data["steps"][-1] == f"{AGENT} starts at boot on mgmt2, and on no other host"
    assert lab.cib("mgmt1").split("\n", 1)[0] == before


def test_a_host_out_of_its_cluster_can_not_be_cleaned(lab):
    away = mate(home(lab, "mgmt"))
    lab.on(away, "systemctl", "stop", "pacemaker", "corosync")
    code, data = lab.runner("cmha.clean", "mgmt", "keep=mgmt2", "confirm=True")
    lab.salt([away], "state.apply", "cmha.start")
    assert code == 1
    assert data["error"].startswith("refused: ")
    assert f"{away} is stopped" in data["error"]


def test_a_pair_is_taken_apart_and_its_service_goes_on(lab):
    if home(lab, "mgmt") == "mgmt2":
        lab.runner("cmha.failover", "mgmt")
    for host in MGMT:
        lab.on(host, "sh", "-c", f"head -c 128 /dev/urandom > {KEY_FILE}")
    began = time.monotonic()
    code, data = lab.runner("cmha.clean", "mgmt", "keep=mgmt2", "confirm=True")
    assert (code, data["error"]) == (0, None)
    for host in MGMT:
        assert lab.code(host, "systemctl", "is-active", "--quiet", "corosync") != 0
        assert lab.code(host, "systemctl", "is-active", "--quiet", "pacemaker") != 0
        assert lab.code(host, "test", "-e", "/etc/corosync/corosync.conf") == 1
        assert lab.code(host, "test", "-e", KEY_FILE) == 1
        assert lab.code(host, "test", "-e", "/usr/lib/ocf/resource.d/cm/agent") == 1
        assert "5404,5405" not in lab.on(host, "iptables-save")
        kept = host == "mgmt2"
        assert (lab.code(host, "service", AGENT, "status") == 0) == kept
        assert (lab.code(host, "systemctl", "is-enabled", "--quiet", AGENT) == 0) == kept
    assert activity.overlaps(lab.active(began)) == []
    assert [spell for spell in lab.active(began) if spell.host == "mgmt2"]


def test_and_is_put_together_again_around_its_running_service(lab):
    began = time.monotonic()
    done = orchestrate(lab, "mgmt")
    assert (done.code, done.failed) == (0, [])
    assert status(lab, "mgmt")[0] == 0
    assert home(lab, "mgmt") == "mgmt2"
    assert [spell.host for spell in lab.active(began) if spell.service == AGENT] == ["mgmt2"]
    assert lab.orchestrate("test=True").changed == {}
    for host in MGMT:
        assert lab.code(host, "systemctl", "is-enabled", "--quiet", AGENT) != 0
