"""What pillar declares for this host's cluster, as `crm.plan` and `crm.apply` take it."""

import pytest
import yaml
from pillars import SITE, with_
from salt.exceptions import CommandExecutionError

EMPTY = "<cib><configuration><resources/></configuration></cib>"


@pytest.fixture
def cmha(load_file, pure, formula):
    """The module on a minion with this pillar and this id."""
    defaults = (formula / "cmha/defaults.yaml").read_text()

    def on(minion, pillar, pacemaker=None, *, generation=None, active=(), cib=EMPTY, only=None):
        return load_file(
            "_modules/cmha.py",
            salt={
                "cp.get_file_str": {"salt://cmha/defaults.yaml": defaults}.get,
                "crm.version": lambda: pacemaker,
                "corosync.generation": lambda default, known: generation or default,
                "corosync.version": lambda: None,
                "daemons.to_come": lambda name, wanted: wanted,
                "packet_filter.active": lambda: active,
                "crm.query": lambda: cib,
            },
            utils={
                "cmha_corosync.fitted": pure("cmha_corosync").fitted,
                "cmha_site.site": pure("cmha_site").site,
                "cmha_site.pair_of": pure("cmha_site").pair_of,
                "cmha_firewall.rules": pure("cmha_firewall").rules,
                "quorum_device.wants_certificate": pure("quorum_device").wants_certificate,
                "quorum_device.declared": pure("quorum_device").declared,
                "quorum_device.port": pure("quorum_device").port,
                "cmha_site.daemons": pure("cmha_site").daemons,
                "cmha_platform.service": pure("cmha_platform").service,
                "cmha_site.without_alerts": pure("cmha_site").without_alerts,
                "cmha_site.with_agent": pure("cmha_site").with_agent,
                "cmha_site.at_boot": pure("cmha_site").at_boot,
                "cmha_site.of_host": pure("cmha_site").of_host,
                "cmha_platform.platform": pure("cmha_platform").platform,
                "cmha_fencing.devices": pure("cmha_fencing").devices,
                "cmha_platform.packages": pure("cmha_platform").packages,
                "cmha_platform.need_place_to_save": pure("cmha_platform").need_place_to_save,
                "packet_rules.choose": pure("packet_rules").choose,
                "cib.agent": pure("cib").agent,
                "cib.check_whole": pure("cib").check_whole,
                "cib.masked": pure("cib").masked,
            },
            pillar={"cmha": pillar, **({"cmha_only": only} if only else {})},
            grains={"id": minion, "os_family": "Debian", "osmajorrelease": 12},
            context={},
            opts={},
        )

    return on


FENCE = {"agent": "stonith:fence_ipmilan", "params": {"password": "hunter2", "ip": "10.0.0.9"}}


def test_defaults_and_pillar_become_one(cmha):
    pillar = with_("pacemaker:properties:no-quorum-policy", "stop")
    declared = cmha("mgmt2", pillar).declared()
    assert declared["properties"] == {
        "no-quorum-policy": "stop",
        "stonith-enabled": "false",
        "cluster-name": "mgmt",
    }
    assert list(declared["primitives"]) == ["cloudera-scm-agent"]
    assert (declared["absent"], declared["purge"]) == ({}, [])


def test_secrets_are_masked_unless_asked_for(cmha):
    minion = cmha("cms1", with_("pairs:cms:pacemaker:primitives:fence", FENCE))
    params = minion.declared()["primitives"]["fence"]["params"]
    assert params == {"password": "********", "ip": "10.0.0.9"}
    assert minion.declared(secrets=True)["primitives"]["fence"]["params"] == FENCE["params"]


def test_what_shall_go(cmha):
    pillar = with_("pacemaker:absent", {"primitives": ["old"]})
    assert cmha("cms1", pillar).declared()["absent"] == {"primitives": ["old"]}
    assert "tags" in cmha("cms1", with_("pacemaker:purge", True)).declared()["purge"]


@pytest.mark.parametrize(
    ("minion", "pillar", "message"),
    [
        ("cms1", with_("site", 7), "^cms1: pillar cmha:site: should be a name"),
        ("nosuch", SITE, "^nosuch: pillar cmha:pairs: no pair lists this minion, nosuch"),
        (
            "cms1",
            with_("pacemaker:absent", {"primitives": ["cloudera-scm-server"]}),
            "^cms1: pillar cmha:pairs:cms:pacemaker:primitives:cloudera-scm-server: is declared and",
        ),
        (
            "cms1",
            with_("pacemaker:purge", ["tag"]),
            "^cms1: pillar cmha:pacemaker:purge:tag: unknown section, did you mean tags",
        ),
    ],
)
def test_a_wrong_pillar_is_one_line(cmha, minion, pillar, message):
    with pytest.raises(CommandExecutionError, match=message):
        cmha(minion, pillar).declared()


@pytest.mark.parametrize(
    ("pacemaker", "alerts"),
    [
        (None, True),
        ("1.1.12-22.el7", False),
        ("1.1.14", False),
        ("1.1.15-11.el7", True),
        ("1.1.24", True),
        ("2.0.0", True),
        ("2.1.5", True),
        ("3.0.1-1.fc42", True),
    ],
)
def test_only_a_pacemaker_that_knows_alerts_gets_one(
    cmha, defaults, formula_yaml, pacemaker, alerts
):
    minion = cmha("cms1", SITE, pacemaker)
    mapping = minion.mapping(defaults, formula_yaml("cmha/platforms.yaml"))
    assert mapping["alerts"] is alerts
    assert mapping["pacemaker"] == minion.declared()
    assert ("cmha" in mapping["pacemaker"]["alerts"]) is alerts
    assert mapping["pacemaker"]["absent"] == ({} if alerts else {"alerts": ["cmha"]})


# --- the host's firewall ----------------------------------------------------------------------------


@pytest.fixture
def firewall(cmha, defaults, formula_yaml):
    def found(active, pillar=SITE):
        minion = cmha("cms1", pillar, active=active)
        mapping = minion.mapping(defaults, formula_yaml("cmha/platforms.yaml"))
        if "error" in mapping:
            return mapping["error"]
        return mapping["firewall"]["backend"], mapping["packages"][-1]

    return found


@pytest.mark.parametrize(
    ("active", "wanted", "found"),
    [
        ([], "auto", ("iptables", "iptables")),
        (["nftables"], "auto", ("nftables", "nftables")),
        (["ufw"], "auto", ("ufw", "crmsh")),
        (["firewalld"], "auto", ("firewalld", "crmsh")),
        (["firewalld", "ufw"], "ufw", ("ufw", "crmsh")),
        (["firewalld"], "iptables", ("iptables", "iptables")),
        ([], "nftables", ("nftables", "nftables")),
    ],
)
def test_rules_are_for_the_firewall_that_is_active(firewall, active, wanted, found):
    assert firewall(active, with_("firewall:backend", wanted)) == found


def test_nobody_guesses_between_two_firewalls(firewall):
    assert firewall(["firewalld", "ufw"]) == (
        "pillar cmha:firewall:backend: is auto, and firewalld and ufw are active on cms1; say which of them "
        "shall let the pair through, or turn one off"
    )


def test_no_firewall_is_turned_on(firewall):
    said = firewall([], with_("firewall:backend", "ufw"))
    assert said.startswith(
        "pillar cmha:firewall:backend: ufw isn't active on cms1, and cmha turns no"
    )


def test_a_firewall_that_cannot_be_asked_is_one_line(cmha, defaults, formula_yaml):
    minion = cmha("cms1", SITE)

    def active():
        raise CommandExecutionError("nft list chains on cms1: no")

    minion.__salt__["packet_filter.active"] = active
    mapping = minion.mapping(defaults, formula_yaml("cmha/platforms.yaml"))
    assert mapping == {"error": "nft list chains on cms1: no"}


def test_a_firewall_that_is_not_cmhas_may_be_any(firewall):
    pillar = with_("firewall", {"enabled": False, "backend": "ufw"})
    assert firewall(["firewalld", "nftables"], pillar) == ("ufw", "crmsh")


# --- the host's init system ------------------------------------------------------------------------


@pytest.fixture
def host(cmha, tmp_path, monkeypatch):
    """The module on a host with this init system and these files."""

    def made(minion, init, files, pillar=SITE, **options):
        for file in files:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).touch()
        module = cmha(minion, pillar, **options)
        module.__grains__["init"] = init
        monkeypatch.setattr(module, "_INIT_SCRIPTS", f"{tmp_path}/init.d")
        monkeypatch.setattr(module, "_UNITS", [f"{tmp_path}/etc", f"{tmp_path}/usr"])
        return module

    return made


@pytest.fixture
def agent_stop(host, defaults, formula_yaml):
    """How cmha would stop the agent on a host with these files."""

    def found(init, *files, pillar=SITE):
        module = host("mgmt1", init, files, pillar)
        return module.mapping(defaults, formula_yaml("cmha/platforms.yaml"))["agent_stop"]

    return found


SCRIPT, UNIT = "init.d/cloudera-scm-agent", "usr/cloudera-scm-agent.service"


@pytest.mark.parametrize(
    ("init", "files", "stop"),
    [
        ("sysvinit", [SCRIPT], "hard_stop_confirmed"),
        ("upstart", [SCRIPT], "hard_stop_confirmed"),
        ("sysvinit", [UNIT], "hard_stop_confirmed"),
        ("systemd", [SCRIPT], "next_stop_hard"),
        ("systemd", [SCRIPT, UNIT], "next_stop_hard"),
        ("systemd", [], "next_stop_hard"),
        ("systemd", [UNIT], "stop_supervisord"),
        ("systemd", ["etc/cloudera-scm-agent.service"], "stop_supervisord"),
        ("systemd", ["usr/cloudera-scm-server.service"], "next_stop_hard"),
    ],
)
def test_the_host_decides_how_the_agent_stops(agent_stop, init, files, stop):
    assert agent_stop(init, *files) == stop


def test_pillar_decides_before_the_host(agent_stop):
    pillar = with_("roles:agent:agent_stop", "hard_stop_confirmed")
    assert agent_stop("systemd", UNIT, pillar=pillar) == "hard_stop_confirmed"


# --- the server's agent --------------------------------------------------------------------------


@pytest.fixture
def agent(host):
    """By which agent the server is run on a host with these files, in a cluster with this CIB."""

    def found(init, *files, pillar=SITE, cib=EMPTY):
        primitives = host("cms1", init, files, pillar, cib=cib).declared()["primitives"]
        return primitives["cloudera-scm-server"]["agent"]

    return found


SERVER_SCRIPT, SERVER_UNIT = "init.d/cloudera-scm-server", "usr/cloudera-scm-server.service"
LSB, SYSTEMD = "lsb:cloudera-scm-server", "systemd:cloudera-scm-server"


def cib_with(agent):
    kind, _, name = agent.rpartition(":")
    kind, _, provider = kind.partition(":")
    provider = f'provider="{provider}"' if provider else ""
    primitive = f'<primitive id="cloudera-scm-server" class="{kind}" type="{name}" {provider}/>'
    return EMPTY.replace("<resources/>", f"<resources>{primitive}</resources>")


@pytest.mark.parametrize(
    ("init", "files", "chosen"),
    [
        ("systemd", [SERVER_SCRIPT], LSB),
        ("systemd", [SERVER_SCRIPT, SERVER_UNIT], LSB),
        ("systemd", [SERVER_UNIT], SYSTEMD),
        ("systemd", [], LSB),
        ("systemd", [UNIT], LSB),
        ("sysvinit", [SERVER_UNIT], LSB),
    ],
)
def test_the_host_decides_by_which_agent_the_server_runs(agent, init, files, chosen):
    assert agent(init, *files) == chosen


@pytest.mark.parametrize("there", [LSB, SYSTEMD])
@pytest.mark.parametrize("files", [[SERVER_SCRIPT], [SERVER_UNIT], []])
def test_a_cluster_keeps_the_agent_that_it_has(agent, files, there):
    assert agent("systemd", *files, cib=cib_with(there)) == there


def test_another_agent_in_the_cluster_is_no_choice(agent):
    assert agent("systemd", SERVER_UNIT, cib=cib_with("ocf:pacemaker:Dummy")) == SYSTEMD


@pytest.mark.parametrize("place", ["roles:server:", "pairs:cms:"])
@pytest.mark.parametrize("says", [LSB, {"agent": LSB}])
def test_pillar_decides_before_host_and_cluster(agent, place, says):
    pillar = with_(f"{place}pacemaker:primitives:cloudera-scm-server", says)
    assert agent("systemd", SERVER_UNIT, pillar=pillar, cib=cib_with(SYSTEMD)) == LSB


def test_what_else_pillar_says_of_the_server_leaves_the_agent_to_the_host(agent):
    pillar = with_(
        "roles:server:pacemaker:primitives:cloudera-scm-server", {"meta": {"priority": 5}}
    )
    assert agent("systemd", SERVER_UNIT, pillar=pillar) == SYSTEMD


def test_another_resource_has_the_agent_that_pillar_gives_it(host):
    pillar = with_("pairs:cms:resource", "cm")
    pillar["pairs"]["cms"]["pacemaker"] = {"primitives": {"cm": {"agent": LSB}}}
    module = host("cms1", "systemd", [SERVER_UNIT], pillar)
    primitives = module.declared()["primitives"]
    assert primitives["cm"]["agent"] == LSB
    assert list(primitives) == ["cm"]  # and not the default's, which would be a second server


WITH_DEVICE = {
    "corosync": {
        "quorum": {"device": {"model": "net", "net": {"host": "192.0.2.2", "algorithm": "ffsplit"}}}
    }
}


@pytest.fixture
def mapping_of(defaults, formula_yaml):
    return lambda module: module.mapping(defaults, formula_yaml("cmha/platforms.yaml"))


@pytest.mark.parametrize(
    ("init", "changes", "daemons"),
    [
        ("systemd", {}, ("corosync pacemaker", "corosync-qdevice.service", "")),
        (
            "systemd",
            {**WITH_DEVICE, "start_on_boot": "always"},
            (
                "corosync corosync-qdevice.service pacemaker",
                "",
                "corosync corosync-qdevice.service pacemaker",
            ),
        ),
        (
            "sysvinit",
            {**WITH_DEVICE, "start_on_boot": "after_clean_shutdown"},
            ("corosync corosync-qdevice pacemaker", "", "cmha-boot"),
        ),
    ],
)
def test_the_daemons_of_the_cluster(host, mapping_of, init, changes, daemons):
    mapping = mapping_of(host("cms1", init, [], {**SITE, **changes}))
    keys = ("daemons", "idle_daemons", "at_boot")
    assert [mapping[key] for key in keys] == [each.split() for each in daemons]


def test_a_deed_with_one_pair_needs_no_other_to_be_right(cmha, mapping_of):
    pillar = with_("pairs:mgmt:role", "sever")
    assert "cmha:pairs:mgmt:role" in mapping_of(cmha("cms1", pillar))["error"]
    assert "cmha:pairs:mgmt:role" in mapping_of(cmha("cms1", pillar, only={"sites": []}))["error"]
    assert mapping_of(cmha("cms1", pillar, only={"pair": "cms"}))["cluster_name"] == "cmf"
    assert "role" in mapping_of(cmha("mgmt1", pillar, only={"pair": "mgmt"}))["error"]


def test_what_would_be_installed_decides_before_the_platform(cmha, mapping_of):
    """A newer repository than the distribution's, a version that pillar wants, or a host like another one."""
    pillar = {**SITE, "versions": {"corosync": "1.4.7-1"}}
    module = cmha("cms1", pillar)
    module.__salt__["corosync.generation"] = lambda default, known: (
        int(known[0]) if known else default
    )
    module.__salt__["daemons.to_come"] = lambda name, wanted: wanted and wanted.split("-")[0]
    assert mapping_of(module)["conf_template"] == "corosync-1.conf.jinja"
    module.__salt__["corosync.version"] = lambda: "3.1.7"
    assert mapping_of(module)["conf_template"] != "corosync-1.conf.jinja"


def test_a_run_of_states_makes_one_mapping(cmha, mapping_of):
    module = cmha("cms1", SITE)
    asked = []
    module.__salt__["corosync.version"] = lambda: asked.append(1)
    for runs, file_client in enumerate((None, None, "one", "one", "another", "another"), 1):
        module.__context__["fileclient"] = file_client
        assert (module.made() is None) == (runs in (1, 2, 3, 5))
        assert mapping_of(module)["cluster_name"] == "cmf"
        assert len(asked) == {1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 6: 4}[runs]
    module.mapping({}, {}, pillar={"x": 1})
    assert mapping_of(module)["cluster_name"] == "cmf"
    assert len(asked) == 4


@pytest.mark.parametrize(
    "value",
    [
        "007",
        7,
        True,
        None,
        "yes",
        "a\nb",
        "\x85\u2028",
        "x" * 3000,
        "{{ x }}: #",
        {"b": ["1e3"], "a": {}},
    ],
)
def test_data_stay_what_they_are_on_one_line(cmha, value):
    text = cmha("cms1", SITE).data({"key": value})
    assert len(text.splitlines()) == 1
    assert yaml.safe_load(f"- {text}") == [{"key": value}]


def test_data_keep_their_order_unless_they_are_to_be_sorted(cmha):
    module = cmha("cms1", SITE)
    assert list(yaml.safe_load(module.data({"b": 1, "a": 2}))) == ["b", "a"]
    assert list(yaml.safe_load(module.data({"b": 1, "a": 2}, True))) == ["a", "b"]
