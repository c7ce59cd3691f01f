"""From bare hosts to two verified pairs. The tests tell one story, in their order."""

import re

import pytest
from conftest import CMS, HOSTS, MGMT
from guide import wait_for

pytestmark = pytest.mark.lab(begins="bare")

SERVICE = {"cms": "cloudera-scm-server", "mgmt": "cloudera-scm-agent"}
PAIRS = {"cms": CMS, "mgmt": MGMT}

AGENT = SERVICE["mgmt"]
AGENT_PID = f"/run/{AGENT}/{AGENT}.pid"

# Everything on a host that the formula may touch, as text.
TOUCHABLE = r"""
dpkg-query -W -f '${Package} ${Version} ${Status}\n'
find /etc /usr/lib/ocf /var/lib/pacemaker/cib /var/log/cluster /run/systemd/system \
    -path /etc/salt -prune -o -printf '%p %m %u %T@\n' 2>/dev/null | sort
iptables-save | grep -v '^#'
for unit in corosync pacemaker; do systemctl is-active $unit; systemctl is-enabled $unit; done 2>&1; true
"""


def touchable(lab, host):
    return lab.on(host, "sh", "-c", TOUCHABLE)


@pytest.fixture
def wrong_pillar(lab):
    """The site's pillar with a mistake in it, and the right one again afterwards."""
    right = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(right.replace("role: server", "role: sever"))
    yield
    lab.write_pillar(right)


# What cms1 has had before anyone thought of a cluster.
OTHER_RULES = (
    "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
    "-A INPUT -s 198.51.100.0/24 -j DROP",
    "-A OUTPUT -d 198.51.100.0/24 -j DROP",
)


@pytest.fixture(scope="module")
def other_rules(lab):
    for rule in OTHER_RULES:
        lab.on("cms1", "iptables", *rule.split())


@pytest.fixture(scope="module")
def like_another_platform(lab):
    """The second pair's hosts are taken for a platform with Corosync 2.x, and will have 3.x: as where a newer
    repository is used than the distribution's."""
    pillar = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(pillar.replace("role: agent", "role: agent\n      platform: Ubuntu 18"))


@pytest.fixture(scope="module")
def orchestrated(lab, other_rules, like_another_platform):
    """The first orchestration, from bare hosts."""
    return lab.orchestrate()


def test_a_wrong_pillar_touches_nothing(lab, wrong_pillar):
    before = {host: touchable(lab, host) for host in CMS}
    done = lab.orchestrate()
    assert done.code != 0
    (line,) = done.failed
    assert line.startswith(
        "site lab: pillar cmha:pairs:cms:role: should be server or agent, is 'sever'"
    )
    for host, states in lab.state(CMS, "cmha").items():
        (state,) = states.values()
        assert state["result"] is False
        assert "cmha:pairs:cms:role: should be server or agent" in state["comment"]
        assert touchable(lab, host) == before[host]
    called = lab.run("on", "cms1", "salt-call", "state.apply", "cmha", check=False)
    assert "Traceback" not in called.stdout + called.stderr + done.printed
    assert called.returncode != 0


NOT_HEARD = "its hosts don't hear each other on UDP 5404 and 5405 yet"


def test_preflight_tries_whether_bare_hosts_hear_each_other(lab, other_rules):
    lab.on("master", "salt-run", "saltutil.sync_all")
    before = {host: touchable(lab, host) for host in CMS}
    code, data = lab.runner("cmha.preflight")
    assert (code, data["errors"], len(data["warnings"])) == (0, [], 4)
    assert not any(NOT_HEARD in line for line in data["warnings"])
    assert {host: touchable(lab, host) for host in CMS} == before

    rule = ("INPUT", "-p", "udp", "-s", "192.0.2.11", "-j", "DROP")
    lab.on("cms2", "iptables", "-A", *rule)
    code, data = lab.runner("cmha.preflight", "pair=cms")
    lab.on("cms2", "iptables", "-D", *rule)
    assert (code, data["errors"]) == (0, [])
    assert any(NOT_HEARD in line for line in data["warnings"])


@pytest.fixture(scope="module")
def predicted(lab, other_rules):
    """A test run on bare hosts, with what was there before and after it."""
    before = {host: touchable(lab, host) for host in HOSTS}
    done = lab.orchestrate("test=True")
    return done, before, {host: touchable(lab, host) for host in HOSTS}


def test_a_test_run_on_bare_hosts_touches_nothing(predicted):
    done, before, after = predicted
    assert done.failed == []
    assert after == before


def test_a_test_run_on_bare_hosts_predicts_what_then_changes(predicted, orchestrated):
    done, _, _ = predicted
    assert done.changed == orchestrated.changed
    assert len(done.changed) == 6


def test_it_succeeds(orchestrated):
    assert orchestrated.failed == []
    assert orchestrated.code == 0
    assert all(step["result"] is True for step in orchestrated.steps.values())


def test_cms_comes_first(orchestrated):
    order = [name.split(":")[0] for name in orchestrated.steps]
    assert order == ["lab cms"] * 5 + ["lab mgmt"] * 5


@pytest.mark.parametrize("pair", PAIRS)
def test_the_service_runs_on_exactly_one_host(lab, orchestrated, pair):
    (active,) = lab.started(PAIRS[pair][0], SERVICE[pair])
    codes = {host: lab.code(host, "service", SERVICE[pair], "status") for host in PAIRS[pair]}
    assert codes == {host: 0 if host == active else 3 for host in PAIRS[pair]}


def test_the_server_answers_where_it_runs(lab, orchestrated):
    (active,) = lab.started("cms1", "cloudera-scm-server")
    for host in CMS:
        code = lab.code(host, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:7180/")
        assert (code == 0) == (host == active)


@pytest.mark.parametrize(("pair", "cluster_name"), [("cms", "cmf"), ("mgmt", "mgmt")])
def test_the_cluster_holds_the_pair_and_nobody_else(lab, orchestrated, pair, cluster_name):
    nodes = PAIRS[pair]
    cib = lab.cib(nodes[0])
    assert re.findall(r'<node id="(\d)" uname="([^"]+)"', cib) == [("1", nodes[0]), ("2", nodes[1])]
    assert re.search(r'name="cluster-name" value="([^"]+)"', cib).group(1) == cluster_name
    assert "node1" not in cib
    assert cib == lab.cib(nodes[1])


@pytest.mark.parametrize("host", HOSTS)
def test_no_other_cluster_ran_in_between(lab, orchestrated, host):
    log = lab.on(host, "cat", "/var/log/cluster/corosync.log")
    journal = lab.on(host, "journalctl", "--no-pager", "--unit=corosync", "--unit=pacemaker")
    assert "127.0.0.1" not in log
    assert "node1" not in log.replace(host, "")
    assert "127.0.0.1" not in journal
    assert lab.code(host, "test", "-e", "/var/log/corosync/corosync.log") == 1


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_starts_at_boot(lab, orchestrated, host):
    service = SERVICE["cms" if host in CMS else "mgmt"]
    for unit in ("corosync", "pacemaker", service):
        assert lab.on(host, "systemctl", "is-enabled", unit, check=False) == "disabled"
        links = f"find /etc/rc?.d -name 'S??{unit}'"
        assert lab.on(host, "sh", "-c", links) == ""
    assert lab.on(host, "find", "/run/systemd/system", "-lname", "/dev/null") == ""


@pytest.mark.parametrize("host", HOSTS)
def test_the_firewall_lets_the_pair_in_and_out(lab, orchestrated, host):
    rules = lab.on(host, "iptables-save").splitlines()
    pair = ("192.0.2.11", "192.0.2.12") if host in CMS else ("192.0.2.21", "192.0.2.22")
    ours = sorted(rule for rule in rules if "5404,5405" in rule)
    assert ours == sorted(
        f"-A {chain} {side} {address}/32 -p udp -m multiport --dports 5404,5405 -j ACCEPT"
        for chain, side in (("INPUT", "-s"), ("OUTPUT", "-d"))
        for address in pair
    )


def test_the_firewall_keeps_everybody_elses_rules(lab, orchestrated):
    rules = lab.on("cms1", "iptables-save").splitlines()
    assert [rule for rule in rules if rule in OTHER_RULES] == list(OTHER_RULES)
    assert len([rule for rule in rules if rule.startswith("-A")]) == len(OTHER_RULES) + 4


def test_pacemaker_can_read_the_agents_metadata(lab, orchestrated):
    for host in MGMT:
        agent = "/usr/lib/ocf/resource.d/cm/agent"
        assert lab.on(host, "stat", "-c", "%a %U:%G", agent) == "755 root:root"
        assert lab.code(host, "runuser", "-u", "hacluster", "--", agent, "meta-data") == 0
        log = lab.on(host, "sh", "-c", "cat /var/log/pacemaker/pacemaker.log")
        assert "Failed to get metadata" not in log


def test_never_two_at_once(lab, orchestrated):
    lab.run("activity.py")


@pytest.fixture(scope="module")
def again(lab, orchestrated):
    """A second orchestration, and what was there before it."""
    before = state_of_things(lab)
    return lab.orchestrate(), before


def state_of_things(lab):
    return {
        host: (touchable(lab, host), re.search("<cib[^>]*>", lab.cib(host)).group(0))
        for host in HOSTS
    }


def test_a_second_run_changes_nothing_and_says_so(lab, again):
    done, before = again
    assert (done.code, done.changed, done.restarted) == (0, {}, {})
    assert state_of_things(lab) == before


def test_a_test_run_on_converged_pairs_predicts_nothing(lab, again):
    before = state_of_things(lab)
    done = lab.orchestrate("test=True")
    assert (done.code, done.failed, done.changed) == (0, [], {})
    assert {step["result"] for step in done.steps.values()} == {True}
    assert state_of_things(lab) == before


def test_highstate_on_one_host_at_a_time_and_on_all_at_once(lab, again):
    before = state_of_things(lab)
    for hosts in ([host] for host in HOSTS):
        no_change(lab.salt(hosts, "state.highstate"))
    no_change(lab.salt(HOSTS, "state.highstate"))
    assert state_of_things(lab) == before


def no_change(answers):
    for host, states in answers.items():
        assert isinstance(states, dict), states
        for name, state in states.items():
            assert state["result"] is True, (host, name, state)
            assert state["changes"] == {}, (host, name, state)


@pytest.mark.parametrize(
    ("totem", "failed", "says"),
    [
        (
            # whether it can depends on how it was built
            "crypto_model: gcrypt",
            "cmha corosync.conf",
            "Invalid crypto model",
        ),
        # it is known before Corosync is asked
        (
            "secauth: 'on'",
            "cmha corosync key",
            "cms1 has no /etc/corosync/authkey: give pillar a key",
        ),
    ],
)
def test_what_corosync_rejects_never_replaces_the_old_file(lab, again, totem, failed, says):
    seen = (
        "sh",
        "-c",
        "cd /etc/corosync; ls -l --time-style=full-iso; cat corosync.conf; pidof corosync",
    )
    before = lab.on("cms1", *seen)
    pillar = f"pillar={{cmha: {{corosync: {{totem: {{{totem}}}}}}}}}"
    states = lab.state(["cms1"], "cmha.corosync", pillar)["cms1"]
    assert states["cmha corosync.conf"]["result"] is False
    assert states[failed]["result"] is False
    assert says in states[failed]["comment"]
    assert lab.on("cms1", *seen) == before


def test_a_changed_pillar_changes_the_file_and_restarts_nothing(lab, again):
    old = lab.on("mgmt1", "cat", "/etc/corosync/corosync.conf")
    running = lab.on("mgmt1", "pidof", "corosync")
    longer = "pillar={cmha: {corosync: {totem: {token: 5000}}}}"
    states = lab.state(["mgmt1"], "cmha", longer)["mgmt1"]
    assert [name for name, state in states.items() if state["changes"]] == ["cmha corosync.conf"]
    waits = states["cmha corosync.conf waits for the next start"]["comment"]
    assert "Corosync on mgmt1 was not restarted: that would stop cloudera-scm-agent" in waits
    assert "token: 5000" in lab.on("mgmt1", "cat", "/etc/corosync/corosync.conf")
    assert lab.on("mgmt1", "pidof", "corosync") == running
    lab.state(["mgmt1"], "cmha")
    assert lab.on("mgmt1", "cat", "/etc/corosync/corosync.conf") == old


def test_what_both_hosts_have_to_take_in_is_left_to_the_orchestration(lab, again):
    seen = ("sh", "-c", "cat /etc/corosync/corosync.conf; ls /etc/corosync; pidof corosync")
    before = lab.on("mgmt1", *seen)
    other = "pillar={cmha: {corosync: {totem: {netmtu: 1400}}}}"
    states = lab.state(["mgmt1"], "cmha", other)["mgmt1"]
    assert [name for name, state in states.items() if state["changes"]] == []
    said = states["cmha corosync.conf waits for the orchestration"]["comment"]
    assert "pillar says otherwise about totem.netmtu, which both hosts" in said
    assert "cmha corosync.conf" not in states
    assert lab.on("mgmt1", *seen) == before


def test_a_key_in_a_file_that_somebody_changed_is_not_shown(lab, again):
    path = "/etc/corosync/corosync.conf"
    old = lab.on("mgmt1", "cat", path)
    lab.on("mgmt1", "sed", "-i", "s/^totem {/&\\n    key: hunter2/", path)
    assert "hunter2" in lab.on("mgmt1", "cat", path)
    states = lab.state(["mgmt1"], "cmha")["mgmt1"]
    assert states["cmha corosync.conf"]["changes"]
    assert "hunter2" not in str(states)
    assert lab.on("mgmt1", "cat", path) == old


def test_an_agent_that_dies_is_started_again(lab, again):
    """systemd, which started it by its init script, believes that it still runs."""
    (here,) = lab.started("mgmt1", AGENT)
    pid = lab.on(here, "cat", AGENT_PID)
    lab.on(here, "kill", "-9", pid)
    assert lab.on(here, "systemctl", "is-active", AGENT) == "active"
    wait_for(lab, here, f"grep -qsvx {pid} {AGENT_PID}")
    lab.salt(["mgmt1"], "crm.wait")
    (failure,) = lab.salt(["mgmt1"], "crm.status")["mgmt1"]["failures"]
    assert (failure["task"], failure["node"]) == ("monitor", here)
    lab.salt(["mgmt1"], "crm.cleanup")
    lab.run("activity.py")


@pytest.mark.parametrize("pair", PAIRS)
def test_the_service_moves_there_and_back_and_leaves_nothing_behind(lab, again, pair):
    first, second = PAIRS[pair]
    (start,) = lab.started(first, SERVICE[pair])
    there = second if start == first else first
    for target in (there, start):
        lab.salt([first], "crm.move", SERVICE[pair], target)
        assert lab.started(first, SERVICE[pair]) == [target]
        other = first if target == second else second
        assert lab.code(target, "service", SERVICE[pair], "status") == 0
        assert lab.code(other, "service", SERVICE[pair], "status") == 3
    assert "rsc_location" not in lab.cib(first)
    lab.run("activity.py")


def test_a_drifted_host_is_put_right_and_nothing_else(lab, again):
    lab.on("cms2", "systemctl", "enable", "pacemaker")
    lab.on("cms2", "iptables", "-D", "INPUT", "1")
    lab.on("cms2", "crm", "configure", "rsc_defaults", "resource-stickiness=1")
    done = lab.orchestrate()
    assert done.code == 0
    assert done.changed == {
        "lab cms: prepare cms1 and cms2": {
            "cms2": ["cmha pacemaker not at boot", "cmha firewall INPUT cms2"],
        },
        "lab cms: configure the cluster cmf on cms1": {"cms1": ["cmha cluster"]},
    }
    cluster = done.steps["lab cms: configure the cluster cmf on cms1"]["changes"]["ret"]["cms1"]
    (state,) = (each for each in cluster.values() if each["changes"])
    assert state["changes"] == {"rsc_defaults:resource-stickiness": {"old": "1", "new": "100"}}
