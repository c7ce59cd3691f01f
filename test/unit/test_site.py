"""The site model: what is accepted, how it is completed, and what each mistake is called."""

import copy

import pytest

SITE = {
    "site": "east",
    "pairs": {
        "cms": {
            "role": "server",
            "cluster_name": "cmf",
            "nodes": {
                "cms1": {"nodeid": 1, "address": "192.0.2.11"},
                "cms2": {"nodeid": 2, "address": "192.0.2.12"},
            },
        },
        "mgmt": {
            "role": "agent",
            "cluster_name": "mgmt",
            "nodes": {
                "mgmt1": {"nodeid": 1, "address": "192.0.2.21"},
                "mgmt2": {"nodeid": 2, "address": "192.0.2.22"},
            },
        },
    },
}

REMOVED = object()


def with_(path, value):
    """SITE with the value at a pillar path below cmha; REMOVED takes it out."""
    pillar = copy.deepcopy(SITE)
    *parents, last = path.split(":")
    place = pillar
    for key in parents:
        place = place.setdefault(key, {})
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    return pillar


# (what is wrong, where, and what the message says: where it is and what helps)
WRONG = [
    ("pairs", REMOVED, "pillar cmha:pairs: is missing"),
    ("pairs", {}, "pillar cmha:pairs: is empty"),
    ("pairs", ["cms"], "pillar cmha:pairs: should be a mapping, is a list"),
    ("pairs:cms", None, "pillar cmha:pairs:cms: should be a mapping, is empty"),
    ("site", REMOVED, "pillar cmha:site: is missing"),
    ("site", "the east", "pillar cmha:site: should be a name of letters"),
    ("site", 7, "pillar cmha:site: should be a name of letters"),
    ("pears", {}, "pillar cmha:pears: is no known key; did you mean pairs?"),
    ("pairs:cms:nodes", REMOVED, "pillar cmha:pairs:cms:nodes: is missing"),
    (
        "pairs:cms:nodes:cms2",
        REMOVED,
        "pillar cmha:pairs:cms:nodes: a pair has two nodes, this one",
    ),
    ("pairs:cms:nodes:cms3", {"nodeid": 3, "address": "192.0.2.13"}, "this one has 3"),
    ("pairs:cms:nodes:cms2:nodeid", 1, "cms:nodes:cms2:nodeid: 1 is cms1's too"),
    ("pairs:cms:nodes:cms2:nodeid", REMOVED, "cms:nodes:cms2:nodeid: is missing"),
    ("pairs:cms:nodes:cms2:nodeid", "2", "nodeid: should be a number from 1 to 2147483647, is '2'"),
    ("pairs:cms:nodes:cms2:nodeid", True, "nodeid: should be a number from 1"),
    ("pairs:cms:nodes:cms2:nodeid", 0, "nodeid: should be a number from 1"),
    ("pairs:cms:nodes:cms2:address", "192.0.2.11", "cms2:address: 192.0.2.11 is cms1's too"),
    ("pairs:cms:nodes:cms2:address", "cms2", "cms2:address: should be an IP address, is 'cms2'"),
    ("pairs:cms:nodes:cms2:address", "127.0.1.1", "address: 127.0.1.1 can't be reached"),
    ("pairs:cms:nodes:cms2:name", "cms1", "cms2:name: cms1 is cms1's too"),
    ("pairs:cms:nodes:cms2:name", "cms 2", "cms2:name: should be a name of letters"),
    ("pairs:cms:nodes:cms2:adress", "192.0.2.12", "adress: is no known key; did you mean address?"),
    (
        "pairs:mgmt:nodes:cms1",
        {"nodeid": 3, "address": "192.0.2.99"},
        "pillar cmha:pairs:mgmt:nodes: a pair has two nodes",
    ),
    (
        "pairs:cms:role",
        "sever",
        "pillar cmha:pairs:cms:role: should be server or agent, is 'sever'",
    ),
    ("pairs:cms:role", REMOVED, "pillar cmha:pairs:cms:role: is missing"),
    ("pairs:cms:cluster_name", 'c"m', "pillar cmha:pairs:cms:cluster_name: should be a name"),
    (
        "pairs:cms:cluster_name",
        "cmf; reboot",
        "pillar cmha:pairs:cms:cluster_name: should be a name",
    ),
    ("corosync:quorum:two_nodes", 1, "two_nodes: is no known key; did you mean two_node?"),
    ("corosync:totemm", {}, "pillar cmha:corosync:totemm: is no known key; did you mean totem?"),
    ("corosync:totem:secauth", "of", "pillar cmha:corosync:totem:secauth: should be on or off"),
    ("corosync:totem:token", "1s", "pillar cmha:corosync:totem:token: should be a number"),
    ("corosync:totem:transport", "tcp", "transport: should be udpu, udp or knet, is 'tcp'"),
    ("corosync:logging:logfile", "corosync.log", "logfile: should be an absolute path"),
    ("corosync:logging:logfile", "/var/log/a b.log", "logfile: should be one word"),
    ("corosync:totem:cluster_name", "cmf", "pillar cmha:corosync:totem:cluster_name: is no known"),
    ("firewall:enabled", "yes", "pillar cmha:firewall:enabled: should be true or false, is 'yes'"),
    ("firewall:sources", "all", "pillar cmha:firewall:sources: should be pair or any, is 'all'"),
    ("timeouts:online", -1, "pillar cmha:timeouts:online: should be a number from 1"),
    ("roles:master", {}, "pillar cmha:roles:master: is no known key"),
    ("pairs:cms:resource", "cloudera-scm-serve", "did you mean cloudera-scm-server?"),
    (
        "pacemaker:properties:no-quorum-policy",
        ["ignore", "stop"],
        "cmha:pacemaker:properties:no-quorum-policy",
    ),
    (
        "pairs:mgmt:pacemaker:primitives:bad id",
        "lsb:x",
        "cmha:pairs:mgmt:pacemaker:primitives:",
    ),
    ("pacemaker:propertys", {}, "did you mean properties?"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG)
def test_a_wrong_pillar_is_named(site_model, path, value, message):
    with pytest.raises(ValueError) as error:
        site_model(with_(path, value))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_no_pillar_at_all(site_model):
    for nothing in (None, {}, ""):
        with pytest.raises(ValueError, match="pillar cmha: is missing"):
            site_model(nothing)


def test_a_node_in_two_pairs(site_model):
    pillar = with_("pairs:mgmt:nodes:mgmt2", REMOVED)
    pillar["pairs"]["mgmt"]["nodes"]["cms1"] = {"nodeid": 2, "address": "192.0.2.99"}
    with pytest.raises(ValueError, match="mgmt:nodes:cms1: cms1 is in pair cms already"):
        site_model(pillar)


def test_an_address_in_two_pairs(site_model):
    with pytest.raises(ValueError, match="nodes:mgmt1: 192.0.2.11 is in pair cms already"):
        site_model(with_("pairs:mgmt:nodes:mgmt1:address", "192.0.2.11"))


def test_a_minion_that_no_pair_knows(site_model, cmha_site):
    with pytest.raises(ValueError, match="no pair lists this minion, cms3; did you mean"):
        cmha_site.pair_of(site_model(SITE), "cms3")


def test_pairs_keep_their_order_and_nodes_are_sorted_by_nodeid(site_model):
    pillar = with_("pairs:cms:nodes:cms1:nodeid", 7)
    site = site_model(pillar)
    assert [pair["pair"] for pair in site["pairs"]] == ["cms", "mgmt"]
    assert [node["name"] for node in site["pairs"][0]["nodes"]] == ["cms2", "cms1"]


def test_a_node_may_have_a_name_of_its_own(site_model):
    site = site_model(with_("pairs:cms:nodes:cms1:name", "CMS1"))
    assert site["pairs"][0]["nodes"][0] == {
        "id": "cms1",
        "name": "CMS1",
        "nodeid": 1,
        "address": "192.0.2.11",
    }


def test_what_is_nearer_to_the_pair_wins(site_model):
    pillar = with_("timeouts", {"online": 10, "started": 10})
    pillar["roles"] = {"server": {"timeouts": {"online": 20}}}
    pillar["pairs"]["mgmt"]["timeouts"] = {"started": 30}
    cms, mgmt = site_model(pillar)["pairs"]
    assert cms["timeouts"] == {"online": 20, "started": 10}
    assert mgmt["timeouts"] == {"online": 10, "started": 30}


def test_switches_are_spelled_as_corosync_reads_them(site_model):
    pillar = with_("corosync", {"totem": {"secauth": False}, "quorum": {"two_node": True}})
    pillar["corosync"]["logging"] = {"to_syslog": False, "debug": False, "timestamp": "hires"}
    corosync = site_model(pillar)["pairs"][0]["corosync"]
    assert corosync["totem"]["secauth"] == "off"
    assert corosync["quorum"]["two_node"] == 1
    assert corosync["quorum"]["two_node"] is not True
    assert corosync["logging"]["to_syslog"] == "no"
    assert corosync["logging"]["debug"] == "off"
    assert corosync["logging"]["timestamp"] == "hires"


def test_the_roles_are_the_guides(site_model):
    cms, mgmt = site_model(SITE)["pairs"]
    assert cms["pacemaker"]["primitives"]["cloudera-scm-server"]["agent"] == (
        "lsb:cloudera-scm-server"
    )
    assert list(cms["pacemaker"]["primitives"]) == ["cloudera-scm-server"]
    assert mgmt["pacemaker"]["primitives"]["cloudera-scm-agent"]["agent"] == "ocf:cm:agent"
    assert (cms["port"], mgmt["port"]) == (7180, None)


def test_the_firewall_lets_the_pair_through_and_nobody_else(site_model, cmha_site):
    rules = cmha_site.firewall_rules(site_model(SITE)["pairs"][0])
    udp = {"proto": "udp", "dports": "5404,5405"}
    assert [(rule["chain"], rule["family"], rule["match"]) for rule in rules] == [
        ("INPUT", "ipv4", {"source": "192.0.2.11", **udp}),
        ("INPUT", "ipv4", {"source": "192.0.2.12", **udp}),
        ("OUTPUT", "ipv4", {"destination": "192.0.2.11", **udp}),
        ("OUTPUT", "ipv4", {"destination": "192.0.2.12", **udp}),
    ]


def test_the_guides_firewall_and_none(site_model, cmha_site):
    udp = {"proto": "udp", "dports": "5404,5405"}
    pair = site_model(with_("firewall:sources", "any"))["pairs"][0]
    assert [rule["match"] for rule in cmha_site.firewall_rules(pair)] == [udp, udp]
    pair = site_model(with_("firewall:enabled", False))["pairs"][0]
    assert cmha_site.firewall_rules(pair) == []


def test_the_pillar_given_is_not_changed(site_model):
    pillar = with_("pairs:cms:timeouts", {"online": 5})
    before = copy.deepcopy(pillar)
    site_model(pillar)
    assert pillar == before


def test_pillar_example_says_what_the_defaults_are(cmha_site, site_model, formula_yaml, defaults):
    example = formula_yaml("pillar.example")["cmha"]
    settings = {key: value for key, value in example.items() if key not in ("site", "pairs")}
    assert settings == defaults
    site_model(example)
