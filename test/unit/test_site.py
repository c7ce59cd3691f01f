"""The site model: what is accepted, how it is completed, and what each mistake is called."""

import base64
import copy

import pytest
from pillars import REMOVED, SITE, WRONG, with_


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


def test_a_minion_whose_id_has_other_capitals(site_model, cmha_site):
    with pytest.raises(ValueError, match="cms:nodes:cms1: this minion's id is CMS1: write it so"):
        cmha_site.pair_of(site_model(SITE), "CMS1")


PLACES = ("", "roles:server:", "pairs:cms:")


# What the site says is of both pairs, and so is what it allows
@pytest.mark.parametrize(
    ("place", "allowing"),
    [(place, allowing) for place in PLACES for allowing in PLACES if place or not allowing],
)
def test_a_name_is_allowed_wherever_that_is_said(site_model, place, allowing):
    pillar = with_(f"{place}pacemaker", {"properties": {"foo": 1}})
    section = pillar
    for key in [*allowing.split(":")[:-1], "pacemaker"]:
        section = section.setdefault(key, {})
    section["allow_unknown"] = ["foo"]
    assert site_model(pillar)["pairs"][0]["pacemaker"]["properties"]["foo"] == "1"


def test_an_empty_section_is_none(site_model):
    assert site_model(with_("pacemaker", {"primitives": None, "tags": None}))


def test_a_pillar_from_json_has_keys_of_text(site_model):
    cms, _ = site_model(with_("corosync:interface", {"0": {"mcastport": 5407}}))["pairs"]
    assert cms["corosync"]["interface"] == {0: {"mcastport": 5407}}


@pytest.mark.parametrize(
    "pattern",
    [
        "^SUPERVISOR_PROCESS_NAME=",
        "^CONF_DIR=/.*/[[:digit:]]+-cloudera",
        "a{2,3}",
        "[]a]b",
        "CMF_[[:alpha:][:digit:]_]+=x",
        "CMF_[[:alpha:]_[:digit:]]+=x",
        "CMF_[^][:space:]]+=y",
    ],
)
def test_an_expression_that_marks_the_roles(site_model, pattern):
    assert site_model(with_("agent_processes", pattern))


@pytest.mark.parametrize(
    "package", ["pacemaker-cli-utils", "libcorosync-common4", "libcib27", "resource-agents"]
)
def test_a_version_of_what_belongs_to_the_cluster(site_model, package):
    assert site_model(with_("versions", {package: "1.2-3"}))


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
        "addresses": ["192.0.2.11"],
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


# --- the key -------------------------------------------------------------------------------------

KEYS = {level: base64.b64encode(level.encode() * 64).decode() for level in ("site", "role", "pair")}
PLACES = {"site": "corosync", "role": "roles:server:corosync", "pair": "pairs:cms:corosync"}


def with_keys(*levels):
    pillar = SITE
    for level in levels:
        *parents, last = PLACES[level].split(":")
        place = pillar = copy.deepcopy(pillar)
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = {"authkey": KEYS[level]}
    return pillar


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        ((), None),
        (("site",), "site"),
        (("site", "role"), "role"),
        (("site", "role", "pair"), "pair"),
        (("site", "pair"), "pair"),
    ],
)
def test_the_key_that_is_nearer_to_the_pair_wins(cmha_site, site_model, levels, found):
    pillar = with_keys(*levels)
    key = cmha_site.authkey(pillar, "cms1")
    assert key == (found.encode() * 64 if found else None)
    # what the state places is what the model speaks of
    assert site_model(pillar)["pairs"][0]["key_size"] == (len(key) if key else None)


def test_another_pairs_key_is_not_this_ones(cmha_site):
    assert cmha_site.authkey(with_keys("pair"), "mgmt1") is None
    assert cmha_site.authkey(with_keys("role"), "mgmt1") is None
    assert cmha_site.authkey(with_keys("site"), "nobody") is None


@pytest.mark.parametrize("secret", ["hunter2-hunter2", "aHVudGVyMg==", 1234567, ["hunter2"]])
def test_what_is_no_key_is_not_shown(site_model, cmha_site, secret):
    pillar = with_("corosync:authkey", secret)
    for read in (site_model, lambda pillar: cmha_site.authkey(pillar, "cms1")):
        with pytest.raises(ValueError, match="^pillar cmha:corosync:authkey: should be ") as error:
            read(pillar)
        assert not any(word in str(error.value) for word in ("hunter", "aHVu", "1234"))


def test_a_key_may_be_in_lines(site_model):
    text = base64.encodebytes(bytes(256)).decode()
    assert text.count("\n") > 1
    assert site_model(with_("corosync:authkey", text))["pairs"][0]["key_size"] == 256


def test_the_pillar_given_is_not_changed(site_model):
    pillar = with_("pairs:cms:timeouts", {"online": 5})
    before = copy.deepcopy(pillar)
    site_model(pillar)
    assert pillar == before


def test_pillar_example_says_what_the_defaults_are(cmha_site, site_model, formula_yaml, defaults):
    example = formula_yaml("pillar.example")["cmha"]
    settings = {key: value for key, value in example.items() if key not in ("site", "pairs")}
    conditional = ("with_device", "agents")
    assert settings == {key: defaults[key] for key in defaults if key not in conditional}
    site_model(example)


def test_alerts_are_declared_unless_pillar_says_no(site_model):
    for pair in site_model(SITE)["pairs"]:
        alert = pair["pacemaker"]["alerts"]["cmha"]
        assert alert["path"] == "/usr/lib/cmha/alert"
        assert alert["recipients"]["cmha-recipient-1"]["value"] == "/var/spool/cmha/alerts"
        assert (pair["alerts"], pair["pacemaker"]["absent"]) == (True, {})


@pytest.mark.parametrize(
    ("place", "without"),
    [
        ("alerts", ["cms", "mgmt"]),
        ("roles:server:alerts", ["cms"]),
        ("pairs:mgmt:alerts", ["mgmt"]),
    ],
)
def test_without_alerts_the_alert_goes_where_it_was(site_model, place, without):
    pairs = site_model(with_(place, False))["pairs"]
    assert [pair["pair"] for pair in pairs if not pair["alerts"]] == without
    for pair in pairs:
        absent = {"alerts": ["cmha"]} if pair["pair"] in without else {}
        assert pair["pacemaker"]["absent"] == absent
        assert ("cmha" in pair["pacemaker"]["alerts"]) == (not absent)


def test_without_our_alert_others_are_as_they_were(site_model):
    pillar = with_("pacemaker:alerts", {"mail": "/usr/local/bin/mail"})
    pillar["alerts"] = False
    pillar["pacemaker"]["absent"] = {"alerts": ["old"], "tags": ["t"]}
    pacemaker = site_model(pillar)["pairs"][0]["pacemaker"]
    assert list(pacemaker["alerts"]) == ["mail"]
    assert pacemaker["absent"] == {"alerts": ["old", "cmha"], "tags": ["t"]}


# --- a quorum device -----------------------------------------------------------------------------

DEVICE = {"model": "net", "net": {"host": "192.0.2.2", "algorithm": "ffsplit"}}


def test_a_device_changes_what_is_done_without_quorum(site_model):
    cms, mgmt = site_model(with_("pairs:cms:corosync:quorum:device", DEVICE))["pairs"]
    policies = [pair["pacemaker"]["properties"]["no-quorum-policy"] for pair in (cms, mgmt)]
    assert policies == ["stop", "ignore"]


def test_what_pillar_says_beside_a_device_wins(site_model):
    pillar = with_("pairs:cms:corosync:quorum:device", DEVICE)
    pillar["pacemaker"] = {"properties": {"no-quorum-policy": "freeze"}}
    cms, _ = site_model(pillar)["pairs"]
    assert cms["pacemaker"]["properties"]["no-quorum-policy"] == "freeze"


def test_the_daemons_of_a_pair(cmha_site, pure, site_model):
    cms, mgmt = site_model(with_("pairs:cms:corosync:quorum:device", DEVICE))["pairs"]
    assert cmha_site.daemons(bool(pure("quorum_device").declared(cms))) == [
        "corosync",
        "corosync-qdevice",
        "pacemaker",
    ]
    assert cmha_site.daemons(bool(pure("quorum_device").declared(mgmt))) == [
        "corosync",
        "pacemaker",
    ]


@pytest.mark.parametrize(
    ("place", "device", "where"),
    [
        ("corosync", {"model": "net"}, "cmha:corosync:quorum:device:net:host"),
        ("corosync", {"net": {"host": "192.0.2.2"}}, "cmha:corosync:quorum:device:model"),
        (
            "corosync",
            {"model": "net", "net": {"host": "192.0.2.2"}},
            "cmha:corosync:quorum:device:net:algorithm",
        ),
        (
            "pairs:cms:corosync",
            {"model": "net", "net": {"tls": "off"}},
            "cmha:pairs:cms:corosync:quorum:device:net:host",
        ),
        ("corosync", {}, "cmha:pairs:cms:corosync:quorum:device:model"),
    ],
)
def test_a_device_that_lacks_something(site_model, place, device, where):
    with pytest.raises(ValueError, match=f"^pillar {where}: is missing$"):
        site_model(with_(f"{place}:quorum:device", device))


def test_a_device_that_cmha_sets_up_listens_where_it_always_does(site_model):
    pillar = with_("corosync:quorum:device", {**DEVICE, "net": {**DEVICE["net"], "port": 5500}})
    site_model(pillar)
    with pytest.raises(
        ValueError, match="^pillar cmha:corosync:quorum:device:net:port: .* on 5403;"
    ):
        site_model({**pillar, "qnetd": "third"})


def test_a_minion_for_a_device_that_is_not_declared(site_model):
    with pytest.raises(
        ValueError, match="^pillar cmha:pairs:cms:qnetd: names a quorum device, and"
    ):
        site_model(with_("qnetd", "third"))


@pytest.mark.parametrize("place", ["pacemaker", "roles:server:pacemaker", "pairs:cms:pacemaker"])
def test_a_property_overrides_the_default_by_its_newer_name_too(site_model, place):
    site = site_model(with_(f"{place}:properties", {"fencing-enabled": True}))
    properties = site["pairs"][0]["pacemaker"]["properties"]
    assert properties["stonith-enabled"] == "true"
    assert "fencing-enabled" not in properties


def test_a_property_by_both_names_is_refused_where_it_stands(site_model):
    both = {"fencing-enabled": True, "stonith-enabled": True}
    with pytest.raises(
        ValueError, match="cmha:pacemaker:properties:fencing-enabled: is stonith-enab"
    ):
        site_model(with_("pacemaker:properties", both))


# --- the agent by which the service is run -------------------------------------------------------


@pytest.mark.parametrize("place", ["resource", "roles:server:resource", "pairs:cms:resource"])
@pytest.mark.parametrize("agent", ["systemd:cloudera-scm-server", "lsb:cm", "ocf:acme:cm"])
def test_a_resource_may_be_said_by_its_agent(site_model, place, agent):
    pillar = with_(place, agent)
    pillar["roles"] = {**pillar.get("roles", {}), "agent": {"resource": "cloudera-scm-agent"}}
    cms, mgmt = site_model(pillar)["pairs"]
    primitive = cms["pacemaker"]["primitives"]["cloudera-scm-server"]
    assert (cms["resource"], primitive["agent"]) == ("cloudera-scm-server", agent)
    assert "monitor" in str(primitive["operations"])
    assert cms["agent_by_host"] is False
    assert mgmt["resource"] == "cloudera-scm-agent"


@pytest.mark.parametrize("place", ["roles:server:resource", "pairs:cms:resource"])
def test_the_agent_that_asks_for_the_page_has_its_own_times(site_model, place):
    cms, mgmt = site_model(with_(place, "ocf:cm:server"))["pairs"]
    operations = cms["pacemaker"]["primitives"]["cloudera-scm-server"]["operations"]
    assert operations == {
        "start": [{"timeout": "900s", "interval": "0s"}],
        "stop": [{"timeout": "300s", "interval": "0s"}],
        "monitor": [{"interval": "30s", "timeout": "120s"}],
    }
    assert "900s" not in str(mgmt["pacemaker"])
    assert (cms["timeouts"]["started"], mgmt["timeouts"]["started"]) == (1200, 600)


def test_what_pillar_says_of_its_times_counts(site_model):
    pillar = with_("pairs:cms:resource", "ocf:cm:server")
    operations = {"operations": {"start": {"timeout": "7s"}}}
    pillar["roles"] = {"server": {"pacemaker": {"primitives": {"cloudera-scm-server": operations}}}}
    primitive = site_model(pillar)["pairs"][0]["pacemaker"]["primitives"]["cloudera-scm-server"]
    assert primitive["operations"]["start"][0]["timeout"] == "7s"
    assert primitive["operations"]["monitor"][0]["timeout"] == "120s"


def test_one_failure_may_move_what_waits_for_a_claim(site_model):
    pillar = with_("pairs:cms:resource", "ocf:cm:server")
    pillar["pairs"]["cms"]["pacemaker"] = {"rsc_defaults": {"migration-threshold": 1}}
    assert site_model(pillar)["pairs"][0]["pacemaker"]["rsc_defaults"]["migration-threshold"] == "1"


@pytest.mark.parametrize(
    ("pair", "changes", "line"),
    [
        (
            "mgmt",
            {"resource": "ocf:cm:server"},
            "mgmt:resource: ocf:cm:server is for a pair of role",
        ),
        ("cms", {"resource": "ocf:cm:server", "port": None}, "cms:port"),
    ],
)
def test_the_agent_that_asks_for_the_page_needs_one(site_model, pair, changes, line):
    pillar = copy.deepcopy(SITE)
    pillar["pairs"][pair].update(changes)
    with pytest.raises(ValueError, match=line):
        site_model(pillar)


SERVER = "cloudera-scm-server"
OPERATIONS = f"cmha:pairs:cms:pacemaker:primitives:{SERVER}:operations"


def fenced(**primitives):
    """What turns fencing on, with such parameters of devices, or agents of other resources."""
    spelt_out = {
        name: {"agent": "stonith:fence_x", "params": said} if isinstance(said, dict) else said
        for name, said in primitives.items()
    }
    return {"properties": {"stonith-enabled": True}, "primitives": spelt_out}


ON_CMS2 = {"rsc": "t", "node": "cms2", "score": 1}
SHARED = {
    "cms1": {"ip": "pdu", "plug": 1},
    "cms2": {"ip": "pdu", "plug": 2},
    "mgmt1": {"ip": "pdu", "plug": 3},
    "mgmt2": {"ip": "pdu", "plug": 4},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("fencing", {"agent": "fence_x", "nodes": SHARED}),
        (
            "pairs:cms:fencing",
            {
                "agent": "fence_x",
                "params": {"pcmk_delay_base": "cms1:5s;cms2:0s"},
                "nodes": {"cms1": {"ip": "x"}, "cms2": {"ip": "y"}},
            },
        ),
        (
            "fencing",
            {
                "agent": "fence_virsh",
                "nodes": {
                    "cms1": {"ip": "kvm1"},
                    "cms2": {"ip": "kvm2"},
                    "mgmt1": {"ip": "kvm1"},
                    "mgmt2": {"ip": "kvm2"},
                },
            },
        ),
        (
            "pairs:cms:fencing",
            {
                "agent": "fence_xenapi",
                "params": {"ip": "x"},
                "nodes": {"cms1": {"username": "a"}, "cms2": {"username": "b"}},
            },
        ),
        (
            "pairs:cms:fencing",
            {"agent": "fence_lpar", "nodes": {"cms1": {"plug": "LPAR"}, "cms2": {"plug": "lpar"}}},
        ),
        (
            "pairs:cms:pacemaker",
            fenced(
                f={"ip": "x", "pcmk_host_list": "CMS1 CMS2"},
                r={"ip": "y", "pcmk_host_list": "remote1"},
                remote1="ocf:pacemaker:remote",
            ),
        ),
        (
            "pairs:cms:pacemaker",
            fenced(f={"ip": "x", "pcmk_host_list": "other", "pcmk_host_check": "none"}),
        ),
        (
            "pairs:cms",
            {
                **copy.deepcopy(SITE["pairs"]["cms"]),
                "fencing": {
                    "agent": "fence_x",
                    "nodes": {"cms1": {"ip": "x"}, "cms2": {"ip": "y"}},
                },
                "pacemaker": {
                    "primitives": {
                        "spare": {
                            "agent": "stonith:fence_x",
                            "params": {"pcmk_list_timeout": "3s"},
                            "meta": {"target-role": "Stopped"},
                        }
                    }
                },
            },
        ),
        (
            "pairs:cms:fencing",
            {
                "agent": "fence_x",
                "params": {"pcmk_delay_base": "CMS1:5s;cms2:0s"},
                "nodes": {"cms1": {"ip": "x"}, "cms2": {"ip": "y"}},
            },
        ),
        (
            "pairs:cms:pacemaker",
            {
                "properties": {"stonith-enabled": True, "symmetric-cluster": False},
                "templates": {"t": {"agent": "stonith:fence_x"}},
                "primitives": {"f": {"agent": "@t", "params": {"ip": "x"}}},
                "locations": {"l": {"rsc": "t", "node": "cms1", "score": 1}, "m": ON_CMS2},
            },
        ),
        (
            "pairs:cms:pacemaker",
            fenced(f={"ip": "x", "pcmk_host_map": "a:1;b:2", "pcmk_host_check": "dynamic-list"}),
        ),
        (
            "pairs:cms",
            {
                **copy.deepcopy(SITE["pairs"]["cms"]),
                "qnetd": "cms1.dc2.example",
                "corosync": {"quorum": {"device": DEVICE}},
            },
        ),
        ("pairs:cms:pacemaker:properties", {"stonith-timeout": "4s"}),
        (
            "pairs:cms:pacemaker:primitives",
            {
                "cloudera-scm-server": {
                    "operations": {
                        "monitor": [
                            {"interval": "30s"},
                            {"interval": "10m", "on-fail": "ignore", "start-delay": "20m"},
                        ]
                    }
                }
            },
        ),
        ("corosync:quorum", {"two_node": 0}),
        ("pairs:cms:pacemaker:properties", {"no-quorum-policy": "stop"}),
        ("corosync:totem", {"token": 300_000}),
        (
            "pairs:cms:pacemaker:primitives",
            {"f": {"agent": "stonith:fence_x", "params": {"pcmk_host_list": "cms1 other1"}}},
        ),
    ],
)
def test_what_is_near_to_something_wrong_and_right(site_model, path, value):
    assert site_model(with_(path, value))["pairs"]


def site_with(pacemaker, **fencing):
    pillar = with_("pairs:cms:pacemaker", pacemaker)
    pillar["pairs"]["cms"].update(fencing)
    return pillar


def server(**own):
    return {"primitives": {SERVER: own}}


FENCED = {
    "fencing": {
        "agent": "fence_ipmilan",
        "nodes": {"cms1": {"ip": "10.2.0.11"}, "cms2": {"ip": "10.2.0.12"}},
    }
}


@pytest.mark.parametrize(
    "monitor",
    [
        {"interval": 0},
        {"interval": "0s"},
        {"interval": "30s", "enabled": False},
        {"interval": "30s", "role": "Stopped"},
        {"interval": "30s", "role": "Promoted"},
        {"interval": "30s", "role": "Slave"},
    ],
)
def test_a_service_that_nobody_watches_is_refused(site_model, monitor):
    with pytest.raises(ValueError, match=f"{OPERATIONS}:monitor: never runs again after the start"):
        site_model(site_with(server(operations={"monitor": monitor})))


@pytest.mark.parametrize(
    "monitor",
    [
        {"interval": "30s", "role": "Started"},
        {"interval": "PT30S"},
        [{"interval": 0, "timeout": "90s"}, {"interval": "30s", "timeout": "60s"}],
        {"timeout": "90s", "interval": "1min"},
    ],
)
def test_a_service_that_is_watched(site_model, monitor):
    assert site_model(site_with(server(operations={"monitor": monitor})))


def test_a_stop_that_failed_is_not_ignored(site_model):
    with pytest.raises(ValueError, match=f"{OPERATIONS}:stop:on-fail: ignore starts {SERVER} on"):
        site_model(site_with(server(operations={"stop": {"on-fail": "ignore"}})))
    assert site_model(site_with(server(operations={"stop": {"on-fail": "block"}})))


@pytest.mark.parametrize(
    ("pacemaker", "fencing", "where"),
    [
        (server(meta={"requires": "nothing"}), {}, f"primitives:{SERVER}:meta"),
        (server(meta={"requires": "quorum"}), FENCED, f"primitives:{SERVER}:meta"),
        ({"rsc_defaults": {"requires": "quorum"}}, FENCED, "rsc_defaults"),
        ({"rsc_defaults": {"requires": "nothing"}}, {}, "rsc_defaults"),
    ],
)
def test_a_service_waits_until_its_other_host_is_fenced(site_model, pacemaker, fencing, where):
    with pytest.raises(ValueError, match=f"{where}:requires: .* before its other host is fenced"):
        site_model(site_with(pacemaker, **fencing))


@pytest.mark.parametrize(
    ("requires", "fencing"), [("quorum", {}), ("fencing", FENCED), ("unfencing", FENCED)]
)
def test_what_a_service_may_require(site_model, requires, fencing):
    assert site_model(site_with(server(meta={"requires": requires}), **fencing))


def test_the_page_agent_beside_the_servers_own_is_a_second_server(site_model):
    again = {"primitives": {"cm": {"agent": "ocf:cm:server"}}}
    with pytest.raises(ValueError, match="pacemaker:primitives:cm: is for cloudera-scm-server too"):
        site_model(site_with(again))


@pytest.mark.parametrize("said", ["status", "on", "Monitor", "metadata"])
@pytest.mark.parametrize("name", ["pcmk_reboot_action", "pcmk_off_action"])
def test_an_action_that_cuts_no_power_is_no_fencing(site_model, name, said):
    fencing = copy.deepcopy(FENCED["fencing"])
    fencing["params"] = {name: said}
    with pytest.raises(ValueError, match=f"{name}: is '{said}', which cuts no power"):
        site_model(site_with({}, fencing=fencing))
    fencing["params"] = {"pcmk_reboot_action": "off"}
    assert site_model(site_with({}, fencing=fencing))


def test_a_mask_is_no_password(site_model):
    fencing = copy.deepcopy(FENCED["fencing"])
    fencing["nodes"]["cms1"]["password"] = "********"
    with pytest.raises(ValueError, match="cms1:password: is the mask of a password"):
        site_model(site_with({}, fencing=fencing))


def test_a_resource_by_its_name_leaves_the_agent_to_the_host(site_model):
    cms, _ = site_model(with_("pairs:cms:resource", "cloudera-scm-server"))["pairs"]
    assert cms["agent_by_host"] is True


def test_what_cmha_declares_itself_passes_on_the_hosts(site_model, pure):
    """There the whole is checked, with what the site model has added."""
    for pair in site_model(SITE)["pairs"]:
        rest = ("absent", "purge")
        declared = {key: each for key, each in pair["pacemaker"].items() if key not in rest}
        pure("cib").check_words(declared)
