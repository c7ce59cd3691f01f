"""What stands against working on a pair: each fault is one line that names its host and what to do."""

import copy

import pytest
from facts import answer
from pillars import SITE, with_

DIGEST = "0f"
NOW = 1_000_000.0
FIT = answer("cmha_host.fitness", pillar=DIGEST, time=NOW, pacemaker="2.1.5")
RUNNING = {
    "cluster": {"is": "this pair", "runs": "this pair", "seen": ""},
    "conf": "cmha",
    "running": True,
    "members": ["192.0.2.11", "192.0.2.12"],
    "ports": {},
}


@pytest.fixture
def facts():
    """Two fit hosts without a cluster."""
    resolves = {"cms1": ["192.0.2.11"], "cms2": ["192.0.2.12"]}
    return {
        host: {
            **copy.deepcopy(FIT),
            "nodename": host,
            "addresses": ["127.0.0.1", *resolves[host]],
            "resolves": copy.deepcopy(resolves),
        }
        for host in resolves
    }


@pytest.fixture
def judge_all(pure, site_model):
    return lambda facts, pillar=SITE: pure("cmha_preflight").judge(
        site_model(pillar)["pairs"][0], facts, DIGEST, NOW, NOW
    )


@pytest.fixture
def judge(pure, site_model):
    """Errors and warnings on the pair cms; the warnings without those that the guide's settings give."""

    def judged(facts, pillar=SITE, asked=NOW, answered=NOW + 1):
        pair = site_model(pillar)["pairs"][0]
        errors, warnings = pure("cmha_preflight").judge(pair, facts, DIGEST, asked, answered)
        return errors, [each for each in warnings if not each.startswith(GUIDES_OWN)]

    return judged


GUIDES_OWN = ("cluster traffic isn't authenticated", "fencing is off")


def test_a_fit_pair(judge, facts):
    assert judge(facts) == ([], [])


def test_a_fit_pair_that_runs(judge, facts):
    for each in facts.values():
        each.update(RUNNING)
    assert judge(facts) == ([], [])


def test_a_fit_pair_of_which_one_host_runs(judge, facts):
    """No Corosync listens to packets of ours, and the other's are none of a cluster yet."""
    facts["cms1"].update(RUNNING, members=["192.0.2.11"])
    facts["cms2"]["ports"] = {"5404": "silent", "5405": "silent"}
    assert judge(facts) == ([], [])


# check, what is the matter with cms2, what the line says: who, why, and what to do
FAULTS = [
    (
        "foreign",
        {"cluster": {"is": "another", "runs": "none", "seen": "nodes in the CIB: db1"}},
        "cms2 belongs to another cluster (nodes in the CIB: db1); nothing replaces it.",
        "cmha:pairs:…:nodes:…:name",
    ),
    (
        "foreign",
        {"conf": "another"},
        "cms2 has a corosync.conf of another",
        "remove /etc/corosync/",
    ),
    (
        "foreign",
        {"conf": "another", "cluster": {"is": "another", "runs": "another", "seen": "x"}},
        "cms2 belongs to another cluster (x)",
        "remove it first",
    ),
    (
        "nodename",
        {"nodename": "beta"},
        "cms2 calls itself beta (uname -n), pillar calls it cms2;",
        "set cmha:pairs:cms:nodes:cms2:name, or the host's name",
    ),
    (
        "address",
        {"addresses": ["127.0.0.1", "192.0.2.99"]},
        "cms2 has no address 192.0.2.12 (it has 127.0.0.1, 192.0.2.99);",
        "set cmha:pairs:cms:nodes:cms2:address",
    ),
    (
        "resolve",
        {"resolves": {"cms1": [], "cms2": ["192.0.2.12"]}},
        "cms2 can't resolve the name of its peer, cms1;",
        "see DNS or /etc/hosts",
    ),
    (
        "resolve",
        {"resolves": {"cms1": ["127.0.1.1"], "cms2": ["192.0.2.12"]}},
        "cms2 resolves cms1, its peer's name, to itself (127.0.1.1);",
        "see its /etc/hosts",
    ),
    (
        "resolve",
        {"resolves": {"cms1": ["192.0.2.11", "::1"], "cms2": []}},
        "cms2 resolves cms1, its peer's name, to itself",
        "see its /etc/hosts",
    ),
    (
        "reach",
        {"ports": {"5404": "heard", "5405": "one way"}},
        "cms2 doesn't hear cms1 on UDP port 5405 (one way);",
        "see the network and the firewalls",
    ),
    (
        "reach",
        {"ports": {"5404": "silent", "5405": "heard"}},
        "cms2 doesn't hear cms1",
        "5404 (silent)",
    ),
    (
        "versions",
        {"corosync": "3.1.6"},
        "corosync is 3.1.7 on cms1, 3.1.6 on cms2;",
        "cmha:versions",
    ),
    ("versions", {"pacemaker": "2.1.4"}, "pacemaker is 2.1.5 on cms1, 2.1.4 on cms2;", "upgrade"),
    (
        "service",
        {"has_service": False, "has_agent": False},
        "cms2 has no service cloudera-scm-server;",
        "install it first",
    ),
    (
        "service",
        {"has_agent": False},
        "cms2 has no lsb:cloudera-scm-server;",
        "say agent: systemd:cloudera-scm-server",
    ),
    (
        "service",
        {"agent": "systemd:cloudera-scm-server"},
        "cloudera-scm-server would be lsb:cloudera-scm-server on cms1, systemd:cloudera-scm-server on cms2;",
        "cmha:pairs:cms:pacemaker:primitives:cloudera-scm-server:agent",
    ),
    ("service", {"has_agent": False, "agent": "ocf:x:y"}, "cms2 has no ocf:x:y", ""),
    ("clock", {"time": NOW - 60}, "cms2's clock is 60 s behind this master's;", "see NTP there"),
    (
        "clock",
        {"time": NOW + 61},
        "cms2's clock is 60 s ahead of this master's;",
        "clock_difference",
    ),
    (
        "pillar",
        {"pillar": "another"},
        "cms2 sees another pillar than this master;",
        "run salt cms2 saltutil.refresh_pillar",
    ),
]


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_one_line(judge, facts, case):
    _, fault, says, remedy = case
    facts["cms2"].update(fault)
    (line,), warnings = judge(facts)
    assert line.startswith(says)
    assert remedy in line
    assert warnings == []


IGNORABLE = [fault for fault in FAULTS if fault[0] not in ("foreign", "pillar")]


@pytest.mark.parametrize("case", IGNORABLE)
def test_what_is_ignored_is_a_warning(judge, facts, case):
    check, fault, says, _ = case
    facts["cms2"].update(fault)
    errors, (warning,) = judge(facts, with_("preflight:ignore", [check]))
    assert errors == []
    assert warning.startswith(says)


@pytest.mark.parametrize("case", FAULTS)
def test_nothing_else_is_ignored(judge, facts, case):
    check, fault, says, _ = case
    others = {name for name, *_ in IGNORABLE} - {check}
    facts["cms2"].update(fault)
    (line,), _ = judge(facts, with_("preflight:ignore", sorted(others)))
    assert line.startswith(says)


def test_every_check_that_pillar_may_ignore_is_tried_here(pure):
    assert {name for name, *_ in IGNORABLE} == set(pure("cmha_pillar").PREFLIGHT_CHECKS)


def test_only_an_init_script_may_be_a_unit_instead(judge, facts):
    facts["cms2"].update(has_agent=False, agent="ocf:x:y")
    assert judge(facts)[0] == ["cms2 has no ocf:x:y"]


def test_all_faults_are_told_at_once(judge, facts):
    facts["cms1"].update(has_service=False)
    facts["cms2"].update(nodename="beta", addresses=[])
    assert [line.split()[0] for line in judge(facts)[0]] == ["cms2", "cms2", "cms1"]


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("called", "pillar", "same"),
    [
        ("cms2", "cms2", True),
        ("CMS2", "cms2", True),
        ("cms2.example.com", "cms2", True),
        ("cms2", "cms2.example.com", True),
        ("cms22", "cms2", False),
        ("cms2.example.org", "cms2.example.com", False),
    ],
)
def test_short_and_long_names(judge, facts, called, pillar, same):
    facts["cms2"]["nodename"] = called
    for each in facts.values():
        each["resolves"][pillar] = ["192.0.2.12"]
    errors, _ = judge(facts, with_("pairs:cms:nodes:cms2:name", pillar))
    assert (errors == []) is same


def test_a_cluster_made_with_other_names_goes_on_with_them(judge, facts):
    facts["cms2"].update(RUNNING, nodename="beta")
    facts["cms1"].update(RUNNING)
    assert judge(facts)[0] == []


# --- ports ---------------------------------------------------------------------------------------

SILENT = {"5404": "silent", "5405": "silent"}


def test_each_silent_port_is_told_on_each_host(judge, facts):
    for each in facts.values():
        each["ports"] = SILENT
    assert len(judge(facts)[0]) == 4


@pytest.mark.parametrize("closed", [["cms1"], ["cms1", "cms2"]])
def test_silence_means_nothing_before_cmha_opened_the_firewalls(judge, facts, closed):
    for host in closed:
        facts[host]["firewall_open"] = False
    facts["cms1"]["ports"] = {"5404": "heard", "5405": "silent"}
    errors, (warning,) = judge(facts)
    assert errors == []
    assert warning.startswith(
        "its hosts don't hear each other on UDP 5405 yet; their own firewalls"
    )


def test_a_closed_firewall_that_lets_all_through(judge, facts):
    facts["cms1"]["firewall_open"] = False
    assert judge(facts) == ([], [])


def test_two_that_run_and_are_no_cluster(judge, facts):
    for host, address in (("cms1", "192.0.2.11"), ("cms2", "192.0.2.12")):
        facts[host].update(RUNNING, members=[address])
    errors, _ = judge(facts)
    assert [line.partition(";")[0] for line in errors] == [
        "Corosync runs on cms1 and cms2, and they are no cluster: cms1 has 192.0.2.11 only",
        "Corosync runs on cms2 and cms1, and they are no cluster: cms2 has 192.0.2.12 only",
    ]


def test_the_packages_own_clusters_need_not_be_one(judge, facts):
    for fact in facts.values():
        cluster = {"is": "packaged", "runs": "packaged", "seen": "node1"}
        fact.update(RUNNING, members=["127.0.0.1"], conf="packaged", cluster=cluster)
    assert judge(facts)[0] == []


# --- versions ------------------------------------------------------------------------------------


def test_versions_that_will_be_made_alike(judge, facts):
    facts["cms2"]["corosync"] = "3.1.6"
    assert judge(facts, with_("versions", {"corosync": "3.1.7-1"}))[0] == []
    assert len(judge(facts, with_("versions", {"pacemaker": "2.1.5-1"}))[0]) == 1


@pytest.mark.parametrize(
    ("version", "lines"),
    [
        ("1.1.9-1512.el6", 2),
        ("1.1.8", 2),
        ("1.1.10-14.el6_5.3", 0),
        ("1.1.24", 0),
        ("3.0.2", 0),
        (None, 0),
    ],
)
def test_a_pacemaker_older_than_the_guides(judge, facts, version, lines):
    for each in facts.values():
        each["pacemaker"] = version
    errors, _ = judge(facts)
    assert len(errors) == lines
    assert all(f"has pacemaker {version}; 1.1.10 is the oldest for cmha" in line for line in errors)


def test_versions_that_an_installation_would_bring(judge, facts):
    """Two releases of a distribution: told before anything is installed, and not at the second run."""
    facts["cms1"].update(pacemaker=None, to_come={"pacemaker": "2.1.5"})
    facts["cms2"].update(pacemaker=None, to_come={"pacemaker": "3.0.0"})
    ((line,), _) = judge(facts)
    assert (
        "pacemaker is 2.1.5 on cms1 (to be installed), 3.0.0 on cms2 (to be installed); upgrade the older one"
        in line
    )
    facts["cms1"].update(pacemaker="2.1.5")
    ((line,), _) = judge(facts)
    assert "pacemaker is 2.1.5 on cms1, 3.0.0 on cms2 (to be installed);" in line
    facts["cms1"].update(pacemaker="2.1.5-9.el9_2")
    facts["cms2"]["to_come"] = {"pacemaker": "2.1.5"}
    assert judge(facts)[0] == []
    facts["cms2"]["to_come"] = {"pacemaker": None}  # no repository has any
    assert judge(facts)[0] == []


def test_a_pacemaker_that_would_be_older_than_the_guides(judge, facts):
    for each in facts.values():
        each.update(pacemaker=None, to_come={"pacemaker": "1.1.8"})
    errors, _ = judge(facts)
    assert [line[:27] for line in errors] == [f"{host} would get pacemaker 1." for host in facts]


def test_a_host_that_has_nothing_yet(judge, facts):
    facts["cms2"].update(corosync=None, pacemaker=None)
    assert judge(facts)[0] == []


# --- clocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "bound", "off"),
    [
        # read at once
        ((-5, 0), 5, False),
        ((-6, 0), 5, True),
        ((5, 0), 5, False),
        ((6, 0), 5, True),
        # the answer took long: read at some time in between
        ((20, 20), 5, False),
        ((25, 20), 5, False),
        ((26, 20), 5, True),
        ((-6, 20), 5, True),
        # as pillar says
        ((-59, 0), 60, False),
        ((-2, 0), 1, True),
    ],
)
def test_only_a_clock_that_is_off_for_certain_counts(judge, facts, clock, bound, off):
    time, took = clock
    facts["cms1"]["time"] = NOW + time
    errors, _ = judge(facts, with_("preflight:clock_difference", bound), NOW, NOW + took)
    assert [line.partition("'")[0] for line in errors] == (["cms1"] if off else [])


# --- warnings on what is declared ----------------------------------------------------------------

OPEN = "cluster traffic isn't authenticated"
UNFENCED = "fencing is off (stonith-enabled)"


@pytest.mark.parametrize(
    ("pillar", "warnings"),
    [
        (SITE, [OPEN, UNFENCED]),
        (with_("pacemaker:properties:stonith-enabled", True), [OPEN]),
        (with_("pacemaker:properties:stonith-enabled", "yes"), [OPEN]),
        (with_("pacemaker:properties:stonith-enabled", "TRUE"), [OPEN]),
        (with_("pacemaker:properties:stonith-enabled", "off"), [OPEN, UNFENCED]),
    ],
)
def test_warnings(pure, site_model, facts, pillar, warnings):
    pair = site_model(pillar)["pairs"][0]
    errors, found = pure("cmha_preflight").judge(pair, facts, DIGEST, NOW, NOW)
    assert errors == []
    assert len(found) == len(warnings)
    assert all(line.startswith(begin) for line, begin in zip(found, warnings))


@pytest.mark.parametrize(
    ("authenticated", "warned"),
    [((False, False), True), ((True, False), True), ((False, True), True), ((True, True), False)],
)
def test_traffic_is_authenticated_on_both_hosts_or_open(judge_all, facts, authenticated, warned):
    for host, each in zip(facts, authenticated):
        facts[host]["authenticated"] = each
    _, warnings = judge_all(facts)
    assert any(line.startswith(OPEN) for line in warnings) == warned


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("stop", "a host that is cut off and can't stop its service"),
        ("ignore", "a cut network gives two active servers"),
        ("freeze", "a cut network gives two active servers"),
    ],
)
def test_what_it_means_to_have_a_quorum_device_and_no_fencing(
    pure, site_model, facts, policy, said
):
    properties = {"no-quorum-policy": policy}
    pair = site_model({**WITH_DEVICE, "pacemaker": {"properties": properties}})["pairs"][0]
    _, warnings = pure("cmha_preflight").judge(pair, facts, DIGEST, NOW, NOW)
    (line,) = (each for each in warnings if each.startswith(UNFENCED))
    assert line.partition(": ")[2].startswith(said)


def test_pacemakers_own_default_is_fencing(pure, site_model, facts):
    pair = site_model(SITE)["pairs"][0]
    del pair["pacemaker"]["properties"]["stonith-enabled"]
    _, (warning,) = pure("cmha_preflight").judge(pair, facts, DIGEST, NOW, NOW)
    assert warning.startswith(OPEN)


def test_a_host_whose_other_pillar_has_other_names(judge, facts):
    facts["cms2"].update(pillar="another", resolves={"alpha": [], "cms2": ["192.0.2.12"]})
    (line,), _ = judge(facts)
    assert line.startswith("cms2 sees another pillar than this master")


@pytest.mark.parametrize(
    ("start_on_boot", "firewall", "warns"),
    [
        ("never", {}, False),
        ("after_clean_shutdown", {}, True),
        ("always", {}, True),
        ("always", {"save": True}, False),
        ("always", {"enabled": False}, False),
    ],
)
def test_a_firewall_that_is_gone_when_the_cluster_starts_at_boot(
    judge, facts, start_on_boot, firewall, warns
):
    pillar = {**with_("firewall", firewall), "start_on_boot": start_on_boot}
    errors, warnings = judge(facts, pillar)
    assert (errors, bool(warnings)) == ([], warns)
    assert all("set firewall:save" in line for line in warnings)


def test_a_release_that_cmha_does_not_know_yet(judge, facts):
    for fact in facts.values():
        fact.update(platform="Ubuntu 28", taken_as="Ubuntu 26")
    errors, (warning,) = judge(facts)
    assert (errors, warning) == (
        [],
        "cms1 and cms2: cmha doesn't know Ubuntu 28 yet, and takes it as Ubuntu 26; if it is like another "
        "one, name that in pillar, cmha:platform",
    )


# --- a quorum device -----------------------------------------------------------------------------

WITH_DEVICE = with_(
    "corosync:quorum:device", {"model": "net", "net": {"host": "192.0.2.2", "algorithm": "ffsplit"}}
)


def silent(facts):
    facts["cms2"]["device_silent"] = "Connection refused"
    return facts


def test_a_device_that_is_not_reached(judge, facts):
    (line,), warnings = judge(silent(facts), pillar=WITH_DEVICE)
    assert line.startswith("cms2 doesn't reach the quorum device 192.0.2.2 (Connection refused);")
    assert "corosync-qnetd" in line
    assert warnings == []


def test_a_device_that_cmha_sets_up_need_not_answer_yet(judge, facts):
    assert judge(silent(facts), pillar={**WITH_DEVICE, "qnetd": "third"}) == ([], [])


@pytest.mark.parametrize("ignored", [[], ["reach"]])
def test_a_device_of_others_that_has_not_certified_a_node(judge, facts, ignored):
    facts["cms2"]["certified"] = False
    (line,), warnings = judge(facts, pillar={**WITH_DEVICE, "preflight": {"ignore": ignored}})
    assert line.startswith(
        "cms2 has no certificate of cmf for the quorum device; make one with corosync-"
    )
    assert warnings == []


def test_a_device_that_cmha_sets_up_has_certified_nobody_yet(judge, facts):
    facts["cms2"]["certified"] = False
    assert judge(facts, pillar={**WITH_DEVICE, "qnetd": "third"}) == ([], [])


@pytest.mark.parametrize(("policy", "lines"), [(None, 0), ("stop", 0), ("ignore", 1)])
def test_a_vote_that_decides_nothing_is_a_warning(judge, facts, policy, lines):
    properties = {"no-quorum-policy": policy} if policy else {}
    pillar = {**WITH_DEVICE, "pacemaker": {"properties": properties}}
    errors, warnings = judge(facts, pillar=pillar)
    assert (errors, len(warnings)) == ([], lines)
    assert all("the vote of the quorum device decides nothing" in each for each in warnings)


def test_a_watchdog_that_is_not_there(judge, facts):
    facts["cms2"]["watchdog"] = ["stonith-watchdog-timeout is 10s, and SBD doesn't run here: …"]
    assert judge(facts, SITE)[0] == [
        "cms2: stonith-watchdog-timeout is 10s, and SBD doesn't run here: …"
    ]


def test_cloudera_managers_own_failover_is_on(judge, facts):
    facts["cms2"]["own_failover"] = True
    pillar = with_("preflight:ignore", ["service"])
    for each in (SITE, pillar):
        (line,), _ = judge(facts, each)
        assert line.startswith(
            "cms2 has Cloudera Manager's own failover switched on (-Dcom.cloudera"
        )


@pytest.mark.parametrize(
    ("interface", "heard"),
    [
        ({"mcastaddr": "239.1.1.1"}, "239.1.1.1 and port 5405"),
        ({"broadcast": True, "mcastport": 5500}, "broadcast and port 5500"),
        ({"ttl": 4}, None),
    ],
)
def test_two_pairs_that_hear_each_other(pure, site_model, facts, interface, heard):
    """On one network they would be one cluster; whether they are on one, nobody can tell from pillar."""
    pillar = with_("corosync", {"totem": {"transport": "udp"}, "interface": {0: interface}})
    cms, mgmt = site_model(pillar)["pairs"]
    assert cms["heard_by"] == []
    cms["heard_by"] = mgmt["heard_by"]
    _, warnings = pure("cmha_preflight").judge(cms, facts, DIGEST, NOW, NOW)
    said = [line for line in warnings if line.startswith("Corosync of pair cms goes to")]
    assert [f"goes to {heard} too: on one network" in line for line in said] == [True] * bool(heard)
    mgmt = site_model({**pillar, "pairs": {**pillar["pairs"], "mgmt": {**pillar["pairs"]["mgmt"],
        "corosync": {"interface": {0: {"mcastport": 5600}}}}}})["pairs"][1]  # fmt: skip
    assert mgmt["heard_by"] == []
