"""What a host says of itself: put together from its modules, from pillar as it is now, without secrets."""

import base64
import contextlib
import copy
import hashlib

import jinja2
import pytest
from pillars import with_
from salt.exceptions import CommandExecutionError

PASSWORD = "hunter2"
EMPTY = "<cib><configuration/></cib>"
FENCE = {"agent": "stonith:fence_ipmilan", "params": {"password": PASSWORD, "ip": "10.0.0.9"}}
PILLAR = with_("pairs:cms:pacemaker:primitives:fence", FENCE)
GOOD = {
    "fencing": False,
    "resources": {"cloudera-scm-server": {"started": ["cms1"]}},
    "nodes": {},
}
VOTES = {"state": "Connected", "tls": True, "votes": True}
SURVIVAL = {"cms1": {"takes_over": "cms2", "why": []}}
NOTHING = {"changes": {}, "way": None}

TOLD = {"running": True, "text": "runs", "fault": None, "frozen": None}


class Host:
    """cms1, by what its modules answer; ``says`` by function, a value or what is called."""

    def __init__(self, formula):
        self.formula = formula
        self.pillar = copy.deepcopy(PILLAR)
        self.conf = None
        self.asked = []
        self.environments, self.pillar_of = set(), []
        self.says = {
            "corosync.cluster": {"is": "none", "runs": "none", "seen": ""},
            "corosync.conf": lambda: self.declared() if self.conf is None else self.conf,
            "corosync.authkey": {"in_pillar": False, "there": False, "changes": {}},
            "corosync.generation": 3,
            "corosync.members": {
                1: {"address": "192.0.2.11", "status": "joined"},
                2: {"address": "192.0.2.12", "status": "left"},
            },
            "corosync.pending": NOTHING,
            "corosync.refused": {},
            "corosync.reaches": {"5404": "heard", "5405": "heard"},
            "corosync.running": False,
            "corosync.version": "3.1.7",
            "cp.get_file_str": self.file,
            "crm.plan": lambda *_: {"changes": {}},
            "crm.query": EMPTY,
            "crm.running": True,
            "crm.status": GOOD,
            "crm.version": "2.1.5",
            "crm.feature_set": "3.16.1",
            "crm_forecast.survival": SURVIVAL,
            "crm.node": "cms1",
            "crm_forecast.stays": lambda node: False,
            "crm_forecast.unfenced": [],
            "fencing.unkept_passwords": [],
            "fencing.unconfigured": [],
            "sbd.unfit": [],
            "sbd.timeout": lambda properties: int(properties.get("stonith-watchdog-timeout", 0)),
            "daemons.hanging": [],
            "daemons.missing": [],
            "daemons.to_come": lambda name, wanted: "2.1.8",
            "bounded.hurry": lambda *_: contextlib.nullcontext(),
            "bounded.stretched": lambda seconds: seconds,
            "page.answers": True,
            "scm_active.owner": None,
            "resource_agent.seen": TOLD,
            "daemons.other_versions": {},
            "network.ip_addrs": ["192.0.2.11"],
            "network.ip_addrs6": ["2001:db8::1"],
            "packet_filter.active": ["nftables"],
            "packet_filter.lines": lambda backend, rule: {"one": True, "other": True},
            "pillar.items": self.pillar_items,
            "qdevice.certified": False,
            "qdevice.reaches": None,
            "qdevice.status": VOTES,
            "resource_agent.installed": True,
            "resource_agent.monitor": "running",
            "service.available": True,
            "service.enabled": False,
            "slsutil.renderer": self.render,
        }

    def salt(self):
        return {name: self._function(name) for name in self.says}

    def _function(self, name):
        def call(*arguments, **options):
            self.asked.append((name, *arguments))
            answer = self.says[name]
            return answer(*arguments, **options) if callable(answer) else answer

        return call

    def pillar_items(self, unmask=None, **environment):
        self.pillar_of.append(environment)
        return {"cmha": self.pillar}

    def file(self, source, saltenv=None):
        self.environments.add(saltenv)
        return (self.formula / source.removeprefix("salt://")).read_text()

    def render(self, source, default_renderer, saltenv, cmha):
        self.cmha = cmha
        self.environments.add(saltenv)
        return jinja2.Template(self.file(source, saltenv)).render(cmha=cmha)

    def declared(self):
        source = "salt://cmha/files/corosync-2.conf.jinja"
        return self.render(source, "jinja", "base", self.mapping())

    def mapping(self):
        return self.module._mapping(self.pillar, None)


@pytest.fixture
def there(formula):
    return Host(formula)


@pytest.fixture
def host(load_file, pure, there, clock, monkeypatch):
    """The module cmha_host on cms1."""
    modules = {
        "cmha_corosync": ("fitted",),
        "cmha_site": (
            "site",
            "pair_of",
            "digest",
            "authkey",
            "daemons",
            "with_agent",
            "at_boot",
            "of_host",
        ),
        "cmha_firewall": ("rules",),
        "quorum_device": ("declared", "port", "wants_certificate"),
        "corosync_keys": ("is_before",),
        "corosync_totem": ("links",),
        "cmha_platform": ("platform", "packages", "service", "need_place_to_save"),
        "cmha_fencing": ("devices",),
        "cib_values": ("is_true",),
        "cib_obstacles": ("fences",),
        "packet_rules": ("choose",),
        "cib": (
            "agent",
            "check_whole",
            "leftovers",
            "maintenance",
            "model",
            "monitored_every",
            "primitive",
            "since",
        ),
        "corosync_conf": ("keys", "difference", "addresses"),
    }
    utils = {
        f"{module}.{name}": getattr(pure(module), name)
        for module in modules
        for name in modules[module]
    }
    utils["cmha_master.code"] = lambda directory: f"code of {directory}"
    grains = {
        "id": "cms1",
        "os": "Debian",
        "os_family": "Debian",
        "osmajorrelease": 12,
        "init": "systemd",
    }
    salt = there.salt()
    salt["cmha.mapping"] = load_file(
        "_modules/cmha.py", salt=salt, utils=utils, grains=grains, pillar={}, opts={}
    ).mapping
    opts = {"extension_modules": "/ext"}
    module = load_file("_modules/cmha_host.py", salt=salt, utils=utils, grains=grains, opts=opts)
    clock.time = lambda: 1000.0
    module.time = clock
    there.module = module
    monkeypatch.setattr(module, "_resolved", lambda name: [f"address of {name}"])
    monkeypatch.setattr(module.os, "uname", lambda: type("Uname", (), {"nodename": "cms1"}))
    return module


# --- several answers at once ---------------------------------------------------------------------


def test_pillar_is_compiled_for_each_answer_or_once_for_several(host, there):
    host.fitness()
    host.health()
    assert len(there.pillar_of) == 2
    read = sum(name == "cp.get_file_str" for name, *_ in there.asked)
    with host.at_once():
        host.fitness()
        host.pending(planned=True)
        host.health()
        assert len(there.pillar_of) == 3
        host.fitness(pillarenv="prod")
        assert there.pillar_of[-1] == {"pillarenv": "prod"}
        assert len(there.pillar_of) == 4
    assert sum(name == "cp.get_file_str" for name, *_ in there.asked) == read + 2
    there.pillar = {**there.pillar, "site": "west"}
    with host.at_once():
        assert host.fitness()["pillar"] == host.health()["pillar"]
    host.fitness()
    assert len(there.pillar_of) == 6


# --- fitness -------------------------------------------------------------------------------------


def test_every_link_is_tried(host, there):
    for number, node in enumerate(there.pillar["pairs"]["cms"]["nodes"].values(), 1):
        node["addresses"] = [node.pop("address"), f"198.51.100.1{number}"]
    there.says["corosync.reaches"] = lambda own, peer, ports: {str(port): peer for port in ports}
    found = host.fitness()
    assert found["ports"] == {"5405": "192.0.2.12", "5406 (link 1)": "198.51.100.12"}
    assert found["authenticated"] is False


def test_a_link_of_sctp_can_not_be_tried(host, there):
    there.pillar["corosync"] = {
        "totem": {"transport": "knet"},
        "interface": {0: {"knet_transport": "sctp"}},
    }
    assert host.fitness()["ports"] == {}


def test_a_key_makes_it_authenticated(host, there):
    there.pillar["corosync"] = {"authkey": base64.b64encode(bytes(256)).decode()}
    assert host.fitness()["authenticated"] is True


def test_a_conf_that_names_the_second_link_is_the_pairs(host, there):
    for number, node in enumerate(there.pillar["pairs"]["cms"]["nodes"].values(), 1):
        node["addresses"] = [node.pop("address"), f"198.51.100.1{number}"]
    there.conf = "ring0_addr: 192.0.2.11\nring1_addr: 198.51.100.11"
    assert host.fitness()["conf"] == "this pair"
    there.conf += "\nring2_addr: 203.0.113.1"
    assert host.fitness()["conf"] == "another"


def test_what_an_installation_would_bring_is_asked_where_nothing_is_there(host, there):
    there.says["crm.version"] = None
    found = host.fitness()
    assert (found["pacemaker"], found["to_come"]) == (None, {"pacemaker": "2.1.8"})


def test_no_package_manager_is_asked_before_the_peer_is_heard(host, there):
    """Both hosts try at the same time, and a package manager may take longer than they listen."""
    there.says["crm.version"] = None
    host.fitness()
    asked = [name for name, *_ in there.asked]
    assert asked.index("corosync.reaches") < asked.index("daemons.to_come")


def test_fitness_is_what_preflight_judges(host, there, pure, site_model):
    found = host.fitness()
    assert found == {
        "pillar": pure("cmha_site").digest(PILLAR),
        "time": 1000.0,
        "code": "code of /ext",
        "nodename": "cms1",
        "platform": "Debian 12",
        "taken_as": None,
        "addresses": ["192.0.2.11", "2001:db8::1"],
        "resolves": {"cms1": ["address of cms1"], "cms2": ["address of cms2"]},
        "corosync": "3.1.7",
        "pacemaker": "2.1.5",
        "to_come": {},
        "agent": "lsb:cloudera-scm-server",
        "has_agent": True,
        "service": "cloudera-scm-server",
        "has_service": True,
        "cluster": {"is": "none", "runs": "none", "seen": ""},
        "conf": "cmha",
        "running": False,
        "members": ["192.0.2.11"],
        "ports": {"5404": "heard", "5405": "heard"},
        "firewall_open": True,
        "firewall": "nftables",
        "device_silent": None,
        "own_failover": False,
        "watchdog": [],
        "certified": True,
        "authenticated": False,
    }
    assert ("corosync.reaches", "192.0.2.11", "192.0.2.12", [5404, 5405]) in there.asked
    other = {**copy.deepcopy(found), "nodename": "cms2", "addresses": ["192.0.2.12"]}
    judged = pure("cmha_preflight").judge(
        site_model(PILLAR)["pairs"][0], {"cms1": found, "cms2": other}, found["pillar"], 1000, 1001
    )
    assert judged[0] == []


def test_the_ports_of_a_running_corosync_are_left_alone(host, there):
    there.says["corosync.running"] = True
    assert host.fitness()["ports"] == {}
    assert not any(each[0] == "corosync.reaches" for each in there.asked)


def test_a_firewall_that_is_not_open_everywhere(host, there):
    there.says["packet_filter.lines"] = lambda backend, rule: {
        "one": True,
        "other": rule["id"] != "OUTPUT cms2",
    }
    assert host.fitness()["firewall_open"] is False


def test_a_firewall_is_asked_in_its_own_words(host, there):
    host.fitness()
    asked = [each[1:] for each in there.asked if each[0] == "packet_filter.lines"]
    assert [rule["id"] for _, rule in asked] == [
        "INPUT cms1", "INPUT cms2", "OUTPUT cms1", "OUTPUT cms2",
    ]  # fmt: skip
    assert {backend for backend, _ in asked} == {"nftables"}


def test_a_firewall_that_filters_nothing(host, there):
    there.says["packet_filter.lines"] = lambda backend, rule: {}
    assert host.fitness()["firewall_open"] is True


def test_a_firewall_that_is_not_cmhas(host, there):
    there.pillar["firewall"] = {"enabled": False}
    for looks in ("packet_filter.lines", "packet_filter.active"):
        there.says[looks] = lambda *_: pytest.fail("no rules are declared")
    assert host.fitness()["firewall_open"] is True


def test_the_agent_that_cmha_brings_itself(host, there):
    there.says["resource_agent.installed"] = False
    assert host.fitness()["has_agent"] is False
    there.pillar["pairs"]["cms"]["role"] = "agent"
    there.pillar["pairs"]["mgmt"]["role"] = "server"
    assert host.fitness()["has_agent"] is True


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ("", "none"),
        ("\n \n", "none"),
        ("# Written by Salt (cmha) on cms1; …\nring0_addr: 192.0.2.99", "cmha"),
        ("  ring0_addr: 192.0.2.11\n  ring0_addr: 192.0.2.12", "this pair"),
        ("  ring0_addr: 192.0.2.11", "this pair"),
        ("  ring0_addr: 192.0.2.11\n  ring0_addr: 192.0.2.99", "another"),
        ("  bindnetaddr: 127.0.0.1", "packaged"),
        ("  ring0_addr: ::1", "packaged"),
        ("totem {\n version: 2\n}", "packaged"),
    ],
)
def test_whose_corosync_conf(host, there, text, whose):
    there.conf = text
    assert host.fitness()["conf"] == whose


# --- health --------------------------------------------------------------------------------------

CIB = (
    '<cib><configuration><crm_config/><nodes/><resources><primitive id="cloudera-scm-server" class="lsb" '
    'type="cloudera-scm-server"><operations><op id="o" name="monitor" interval="30s"/></operations>'
    "</primitive></resources><constraints>"
    '<rsc_location id="cli-ban-x" '
    'rsc="x" node="cms2"/></constraints></configuration><status><node_state uname="cms1"><lrm_resource '
    'id="cloudera-scm-server"><lrm_rsc_op operation="start" rc-code="0" last-rc-change="77"/></lrm_resource>'
    "</node_state></status></cib>"
)


def test_health(host, there, pure):
    there.says.update({"crm.query": CIB, "corosync.running": True})
    found = host.health()
    maintenance = found.pop("maintenance")
    assert (maintenance["on"], maintenance["ours"]) == (False, False)
    assert found == {
        "hangs": [],
        "recovers": [],
        "corosync": True,
        "cluster": GOOD,
        "leftovers": [{"id": "cli-ban-x", "resource": "x", "node": "cms2"}],
        "since": {"cms1": 77},
        "service": {"running": True, "text": "runs", "every": 30.0, "owner": None},
        "answers": True,
        "frozen": None,
        "unable": [],
        "survival": SURVIVAL,
        "twice": [],
        "unfenced": [],
        "unsure": None,
        "pillar": pure("cmha_site").digest(there.pillar),
        "wrong": None,
        "pacemaker": {"version": "2.1.5", "feature_set": "3.16.1"},
        "drift": [],
        "at_boot": [],
        "device": None,
    }


DEVICE = {"model": "net", "net": {"host": "192.0.2.2", "algorithm": "ffsplit"}}


@pytest.mark.parametrize(("port", "asked"), [({}, 5403), ({"port": 5400}, 5400)])
def test_a_device_that_is_silent(host, there, port, asked):
    there.says["qdevice.reaches"] = "Connection refused"
    assert host.fitness()["device_silent"] is None
    there.pillar["corosync"] = {"quorum": {"device": {**DEVICE, "net": {**DEVICE["net"], **port}}}}
    assert host.fitness()["device_silent"] == "Connection refused"
    assert ("qdevice.reaches", "192.0.2.2", asked) in there.asked


@pytest.mark.parametrize(("tls", "wants"), [("on", True), ("off", False)])
def test_a_node_without_the_certificate_that_it_needs(host, there, tls, wants):
    there.pillar["corosync"] = {
        "quorum": {"device": {**DEVICE, "net": {**DEVICE["net"], "tls": tls}}}
    }
    assert host.fitness()["certified"] is not wants
    assert (("qdevice.certified", "cmf") in there.asked) is wants


@pytest.mark.parametrize(("runs", "device"), [(True, VOTES), (False, None)])
def test_health_of_a_host_with_a_quorum_device(host, there, runs, device):
    there.says.update({"crm.query": CIB, "corosync.running": runs})
    there.pillar["corosync"] = {"quorum": {"device": DEVICE}}
    assert host.health()["device"] == device


def test_a_device_that_starts_at_boot(host, there):
    there.says.update(
        {"crm.query": CIB, "service.enabled": lambda name: name == "corosync-qdevice.service"}
    )
    assert host.health()["at_boot"] == []
    there.pillar["corosync"] = {"quorum": {"device": DEVICE}}
    assert host.health()["at_boot"] == ["corosync-qdevice"]


def test_a_service_that_starts_at_boot_is_told_by_its_whole_name(host, there):
    there.pillar["roles"] = {"server": {"service": "cm.server"}}
    there.says.update({"crm.query": CIB, "service.enabled": lambda name: name == "cm.server"})
    assert host.health()["at_boot"] == ["cm.server"]


def test_health_of_a_stopped_host(host, there):
    there.says["crm.running"] = False
    for name in ("crm.status", "crm.plan"):
        there.says[name] = lambda *_: pytest.fail("no cluster runs here")
    found = host.health()
    assert (found["cluster"], found["maintenance"]) == (None, None)
    assert (found["leftovers"], found["since"], found["drift"]) == ([], {}, [])


def test_drift_of_the_file_of_memory_of_packages_and_of_the_cib(host, there):
    there.conf = there.declared().replace("two_node: 1", "two_node: 0")
    change = {"old": "1", "new": "2"}
    there.says.update(
        {
            "crm.query": CIB,
            "corosync.pending": {"changes": {"totem.token": change}, "way": "reload"},
            "daemons.other_versions": {"corosync": change},
            "crm.plan": lambda *_: {"changes": {"properties:x": change}},
        }
    )
    assert host.health()["drift"] == [
        "corosync.conf says quorum.two_node 0, pillar says 1",
        "Corosync runs with totem.token 1, its file says 2",
        "package corosync is 1, pillar says 2",
        "Pacemaker: properties:x",
    ]


def test_a_cib_that_can_not_be_compared_is_drift_too(host, there):
    def refuses(*_):
        raise CommandExecutionError("cms1: the id is taken")

    there.says.update({"crm.query": CIB, "crm.plan": refuses})
    assert host.health()["drift"] == ["cms1: the id is taken"]


def test_what_starts_at_boot(host, there):
    there.says.update(
        {
            "crm.query": CIB,
            "service.available": lambda name: name != "pacemaker",
            "service.enabled": lambda name: True,
        }
    )
    assert host.health()["at_boot"] == ["corosync", "cmha-boot", "cloudera-scm-server"]


def test_a_key_that_is_not_pillars_is_drift(host, there):
    secret = {"old": "(secret)", "new": "(secret)"}
    there.says["crm.running"] = False
    there.says["corosync.authkey"] = {"in_pillar": True, "there": True, "changes": {"key": secret}}
    assert host.health()["drift"] == ["/etc/corosync/authkey isn't what pillar says: key"]


# --- pending, plan, causes, service --------------------------------------------------------------


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("runs", ["this pair", "packaged", "another", "none"])
def test_pending(host, there, planned, runs):
    change = {"old": "1", "new": "2"}
    there.says.update(
        {
            "corosync.running": runs != "none",
            "corosync.cluster": {"is": runs, "runs": runs, "seen": ""},
            "corosync.pending": {"changes": {"totem.token": change}, "way": "reload"},
            "daemons.other_versions": {"corosync": change},
        }
    )
    ours = runs == "this pair"
    assert host.pending(planned) == {
        "running": ours,
        "pacemaker": True,
        "corosync": {"totem.token": change} if ours else {},
        "way": "reload" if ours else None,
        "refused": [],
        "packages": {"corosync": change} if ours else {},
    }
    asked = [each[1:] for each in there.asked if each[0] == "corosync.pending"]
    assert asked == ([(there.declared(), None) if planned else ()] if ours else [])


@pytest.mark.parametrize(
    ("runs_by", "found"),
    [("lsb:cloudera-scm-server", None), (None, None), ("ocf:cm:server", "ocf:cm:server")],
)
def test_an_agent_that_is_another_than_pillars(host, runs_by, found):
    host.__salt__["crm.agent"] = lambda resource: runs_by
    primitive = {"agent": "lsb:cloudera-scm-server"}
    cmha = {"resource": "cm", "pacemaker": {"primitives": {"cm": primitive}}}
    assert host.other_agent(cmha) == found


def with_fencing(value):
    return f"""<cib><configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
        <nvpair id="x" name="stonith-enabled" value="{value}"/></cluster_property_set></crm_config>
        <nodes/><resources/><constraints/></configuration></cib>"""


@pytest.mark.parametrize(
    ("unproven", "there_is", "declared", "waits"),
    [
        (["a", "b"], "false", "true", "a and b will count when both hosts have seen that it works"),
        ([], "true", "true", None),
        ([], "false", "false", None),
        ([], "false", "true", None),
        ([], "true", "false", "pillar turns fencing off, which is on"),
        ([], "1", "off", "pillar turns fencing off, which is on"),
    ],
)
def test_what_of_fencing_is_for_the_orchestration(  # noqa: PLR0917
    host, there, unproven, there_is, declared, waits
):
    host.__salt__["fencing.unproven"] = lambda devices: unproven
    there.says["crm.query"] = with_fencing(there_is)
    properties = {"stonith-enabled": declared}
    cmha = {"fence_devices": {"a": {}}, "pacemaker": {"properties": properties}}
    assert host.fencing_waits(cmha) == waits
    if not unproven:
        host.__salt__["fencing.unproven"] = lambda devices: pytest.fail("there is none")
        assert host.fencing_waits({**cmha, "fence_devices": {}}) == waits


@pytest.mark.parametrize(
    ("there_is", "declared", "waits"),
    [("0", "10", True), ("5", "10", True), ("10", "10", False), ("10", "0", False)],
)
def test_a_watchdog_is_for_the_orchestration(host, there, there_is, declared, waits):
    name = "stonith-watchdog-timeout"
    there.says["crm.query"] = with_fencing("1").replace(
        "/></cluster", f'/><nvpair id="y" name="{name}" value="{there_is}"/></cluster'
    )
    properties = {"stonith-enabled": "true", name: declared}
    said = host.fencing_waits({"fence_devices": {}, "pacemaker": {"properties": properties}})
    assert (said is not None) is waits
    assert not waits or said.startswith("a watchdog will count when both hosts")


def test_a_mistake_about_fencing_is_a_line_of_highstate(host):
    """It would end the highstate of the whole host, when it came out of a template."""

    def fails(devices):
        raise CommandExecutionError(
            "cms1: primitives:fence:params:usernam: stonith:x doesn't know it"
        )

    host.__salt__["fencing.unproven"] = fails
    said = host.fencing_waits({"fence_devices": {"a": {}}})
    assert said.startswith("nobody can tell what differs about its fencing (cms1: primitives:fence")


def test_a_controller_that_hangs_hides_nothing_of_fencing(host, there):
    def late(*_):
        raise CommandExecutionError("cms1: crm_node doesn't answer within 4 s")

    there.says.update({"crm.query": CIB, "crm.status": FENCING, "crm.node": late})
    found = host.health(KNOWN)
    assert (found["unfenced"], found["answers"]) == (["crm_node doesn't answer within 4 s"], True)


@pytest.mark.parametrize("said", [True, False])
def test_before_pacemaker_says_whether_it_fences_the_cib_does(host, there, said):
    there.says["crm.query"] = with_fencing("1" if said else "0")
    there.says["crm.status"] = {**GOOD, "fencing": None}
    assert host.health(KNOWN)["cluster"]["fencing"] is said


def test_a_password_that_differs_is_drift(host, there):
    there.pillar["pairs"]["cms"]["pacemaker"]["primitives"]["fence"] = FENCE
    there.says.update({"crm.query": CIB, "fencing.unkept_passwords": ["fence-cms2"]})
    assert any(
        line.startswith("the password of fence-cms2 isn't as pillar says")
        for line in host.health(KNOWN)["drift"]
    )


@pytest.mark.parametrize("on", [True, False])
def test_a_device_that_only_the_fencer_has_is_drift(host, there, on):
    there.says["crm.query"] = with_fencing(str(int(on)))
    there.says["crm.status"] = {**GOOD, "fencing": on}
    there.says["fencing.unconfigured"] = ["fence-old"]
    line = (
        "Pacemaker would fence with fence-old from here, which its configuration doesn't have; on this host: "
        "stonith_admin --deregister fence-old"
    )
    assert (line in host.health(KNOWN)["drift"]) is on


def test_what_a_start_did_not_bring(host, there):
    old = {"old": "1", "new": "2"}
    changes = {
        "totem.token": old,
        "totem.join": {"old": "1", "new": None},
        "totem.hold": old,
        "totem.x": old,
    }
    there.says["corosync.pending"] = {"changes": changes, "way": "together"}
    there.says["corosync.cluster"] = {"is": "this pair", "runs": "this pair", "seen": ""}
    there.says["corosync.refused"] = {
        "totem.token": "2",
        "totem.join": None,
        "totem.hold": "3",
        "y": "2",
    }
    assert host.pending()["refused"] == ["totem.token", "totem.join"]


FOR_BOTH = {"changes": {"totem.transport": {"old": "udpu", "new": "knet"}}, "way": "together"}


@pytest.mark.parametrize(
    ("is_pair", "runs", "conf"),
    [
        (True, "this pair", ""),
        (False, "packaged", None),
        (False, "another", None),
        (True, "none", None),
        (True, "none", "ring0_addr: 192.0.2.11"),
        (False, "none", ""),
        (False, "none", "bindnetaddr: 127.0.0.1"),
        (False, "none", "ring0_addr: 203.0.113.1"),
    ],
)
def test_what_only_both_hosts_can_take_in(host, there, is_pair, runs, conf):
    host.__pillar__ = {"cmha": there.pillar}
    there.conf = conf
    there.says.update(
        {
            "corosync.cluster": {"is": runs, "runs": runs, "seen": ""},
            "corosync.pending": lambda *_, at_rest: FOR_BOTH,
        }
    )
    assert host.for_both(there.mapping()) == (["totem.transport"] if is_pair else [])
    asked = [each[1:] for each in there.asked if each[0] == "corosync.pending"]
    assert asked == ([(there.declared(), None)] if is_pair else [])


@pytest.mark.parametrize("way", ["one by one", "reload", None])
def test_what_one_host_can_take_in(host, there, way):
    host.__pillar__ = {"cmha": there.pillar}
    there.says["corosync.pending"] = lambda *_, at_rest: {**FOR_BOTH, "way": way}
    assert host.for_both(there.mapping()) == []


def test_a_plan_is_made_with_the_key_to_come_and_does_not_show_it(host, there):
    key = base64.b64encode(b"k" * 256).decode()
    there.pillar["corosync"] = {"authkey": key}
    there.says["crm.running"] = False
    there.says["corosync.cluster"] = {"is": "this pair", "runs": "this pair", "seen": ""}
    found = host.pending(planned=True)
    ((text, digest),) = (each[1:] for each in there.asked if each[0] == "corosync.pending")
    assert "crypto_cipher: aes256" in text
    assert digest == hashlib.sha256(b"k" * 256).hexdigest()
    assert key[:60] not in str((found, there.asked, host.fitness(), host.health()))


def test_a_plan_is_made_from_what_is_declared(host, there):
    there.pillar["pacemaker"] = {"absent": {"primitives": ["old"]}, "purge": ["tags"]}
    host.plan()
    ((_, declared, absent, purge, serves),) = (
        each for each in there.asked if each[0] == "crm.plan"
    )
    assert (absent, purge, serves) == (
        {"primitives": ["old"]},
        ["tags"],
        "cloudera-scm-server",
    )
    assert {"absent", "purge"}.isdisjoint(declared)
    assert declared["primitives"]["fence"]["params"]["password"] == PASSWORD


def test_whoever_ignores_the_failover_may_keep_the_service_from_starting(host, there):
    there.pillar["preflight"] = {"ignore": ["failover"]}
    host.plan()
    ((*_, serves),) = (each for each in there.asked if each[0] == "crm.plan")
    assert serves is None


def fails(*_):
    raise CommandExecutionError("cms1: exit code 4")


@pytest.mark.parametrize(
    ("says", "answer"),
    [("running", "running"), ("stopped", "stopped"), (fails, "cms1: exit code 4")],
)
def test_service(host, there, says, answer):
    there.says["resource_agent.monitor"] = says
    assert host.service() == answer


@pytest.fixture
def logs(host, there, monkeypatch):
    """``causes``, where every command prints the same; and the commands."""
    commands = []

    def run_all(command, **_):
        commands.append(command)
        return {"retcode": 0, "stdout": "\n".join(f"line {number}" for number in range(9))}

    def causes(journal, says=run_all):
        monkeypatch.setattr(
            host.salt.utils.path, "which", lambda name: "/bin/journalctl" if journal else None
        )
        host.__salt__.update({"cmd.run_all": says, "status.uptime": lambda: {"seconds": 400}})
        return host.causes(3)

    return causes, commands


def test_causes(logs):
    causes, commands = logs
    found = causes(journal=True)
    assert (found["booted"], found["service"]) == (600, "running")
    assert all(log == ["line 6", "line 7", "line 8"] for log in found["logs"].values())
    assert {each[0] for each in commands} == {"journalctl"}
    assert sum("--boot=-1" in each for each in commands) == 2


def test_causes_leave_out_salts_own_chatter(logs):
    causes, _ = logs
    said = "sshd[1]: x\nsalt-minion[2]: y\ncorosync[3]: z\nsalt-minion[2]: y"
    found = causes(True, lambda *_, **__: {"stdout": said})
    assert set(map(tuple, found["logs"].values())) == {("sshd[1]: x", "corosync[3]: z")}


def test_causes_on_a_host_without_a_journal(logs):
    causes, _ = logs
    commands = []

    def says(command, **_):
        commands.append(command)
        said = [f"pacemakerd: {number}" for number in range(5)]
        return {"stdout": "\n".join([*said, "corosync[7]: bye", *(f"cron: {n}" for n in range(9))])}

    assert causes(False, says)["logs"] == {
        "syslog": ["cron: 6", "cron: 7", "cron: 8"],
        "corosync and pacemaker": ["pacemakerd: 3", "pacemakerd: 4", "corosync[7]: bye"],
    }
    assert commands == [["tail", "--quiet", "--lines=300", "/var/log/syslog", "/var/log/messages"]]


# --- pillar --------------------------------------------------------------------------------------


def test_a_wrong_pillar_is_one_line(host, there):
    there.pillar["pairs"]["cms"]["role"] = "sever"
    for function in (host.fitness, host.pending, host.plan, host.service):
        with pytest.raises(CommandExecutionError, match="cmha:pairs:cms:role: should be server"):
            function()


def test_no_answer_holds_a_secret(host, there, pure):
    """The plan's own paths are masked by ``crm.plan``."""
    there.says["crm.query"] = CIB
    answers = [
        host.fitness(),
        host.health(),
        host.pending(),
        host.pending(planned=True),
        host.service(),
    ]
    assert PASSWORD not in repr(answers)
    assert PASSWORD in repr(there.cmha)


# --- the client of a moving service --------------------------------------------------------------


@pytest.fixture
def client(host, clock):
    """A client of a service that answers at these times, asked every tenth of a second."""

    def watching(answers, until=10.0):
        client = host._Client(lambda: answers(round(clock.monotonic(), 3)))
        while clock.monotonic() < until:
            client.ask()
            clock.sleep(0.1)
        return client

    return watching


@pytest.mark.parametrize(
    ("answers", "away"),
    [
        (lambda now: True, 0),
        (lambda now: not 2 <= now < 5, 3.1),
        # away from the start
        (lambda now: now >= 4, 4.0),
        # twice
        (lambda now: not (2 <= now < 3 or 6 <= now < 7), 2.2),
        # one answer that got lost
        (lambda now: now != 2, 0.2),
        # still away
        (lambda now: now < 9, 0),
    ],
)
def test_absence_is_from_the_last_answer_to_the_next(client, answers, away):
    assert client(answers).away == pytest.approx(away)


def test_a_slow_watch_counts_as_it_was(host, clock):
    """Only what nobody answered counts, not the pauses between two answers."""
    client = host._Client(lambda: True)
    for _ in range(3):
        clock.sleep(60)
        client.ask()
    assert client.away == 0


def test_it_waits_until_somebody_answers(host, clock):
    client = host._Client(lambda: clock.monotonic() > 7)
    client.ask_until_answered(timeout=20)
    assert client.away == pytest.approx(7.1)


def test_it_does_not_wait_for_ever(host, clock):
    client = host._Client(lambda: False)
    with pytest.raises(CommandExecutionError, match="^cms1: .* nobody answers within 20 s"):
        client.ask_until_answered(timeout=20)
    assert clock.monotonic() == pytest.approx(20, abs=0.3)


def moving(host, clock, answers_from, failures=lambda now: []):
    """crm.move takes three seconds."""

    def move(resource, node, timeout, watch, until):
        for _ in range(30):
            watch()
            clock.sleep(0.1)
        until()
        return [node]

    asked = []

    def answers(*arguments):
        asked.append(arguments)
        return not 1 <= clock.monotonic() < answers_from

    host.__salt__.update(
        {
            "page.answers": answers,
            "crm.move": move,
            "crm.started": lambda _: ["x"] if clock.monotonic() > 2 else [],
            "crm.status": lambda: {"failures": failures(clock.monotonic())},
            "crm.cleanup": lambda *arguments: asked.append(("cleanup", *arguments)),
            "scm_active.owner": lambda service: f"owner of {service}",
        }
    )
    return asked


def test_a_move_is_seen_by_a_client_of_the_port(host, clock):
    asked = moving(host, clock, 5)
    assert host.move("cm", "cms2", ["a", "b"], "7180") == {
        "away": pytest.approx(4.1),
        "seen_by": "the page on port 7180",
        "started": ["cms2"],
        "overcome": [],
    }
    assert set(asked) == {("7180", "a", 1), ("7180", "b", 1)}


EARLIER = {
    "resource": "cm",
    "node": "cms2",
    "task": "start",
    "reason": "no database",
    "when": "1",
}


def test_what_fails_on_the_way_and_is_over_is_cleaned_up(host, clock):
    new = {**EARLIER, "task": "monitor", "reason": "not running", "when": "2"}
    others = [{**new, "node": "cms1"}, {**new, "resource": "x"}]
    asked = moving(host, clock, 5, lambda now: [EARLIER, *([new, *others] if now > 3 else [])])
    found = host.move("cm", "cms2", ["a"], 7180)
    assert found["overcome"] == ["monitor failed on cms2: not running"]
    assert asked[-1] == ("cleanup", "cm", "cms2")


def test_what_only_failed_before_is_left_as_it_is(host, clock):
    asked = moving(host, clock, 5, lambda now: [EARLIER])
    assert host.move("cm", "cms2", ["a"], 7180)["overcome"] == []
    assert "cleanup" not in str(asked)


@pytest.mark.parametrize(
    ("service", "says"),
    [("cm-service", "; its log says: the database is owned by owner of cm-service"), (None, "")],
)
def test_who_owns_the_database_when_nobody_answers(host, clock, service, says):
    moving(host, clock, 9_999)
    with pytest.raises(CommandExecutionError, match=f"nobody answers within 60 s{says}$"):
        host.move("cm", "cms2", ["a"], 7180, 60, service=service)


@pytest.mark.parametrize("served", [True, False])
def test_where_nobody_answers_it_goes_back_to_where_somebody_did(host, clock, served):
    """And stays where it is when nobody answered before, either."""
    where, ended = ["cms1"], []

    def move(resource, node, timeout, watch, until):
        where[:] = [node]
        try:
            until()
        except CommandExecutionError as error:
            raise CommandExecutionError(f"{error}; it runs on cms1 again") from None
        ended.append(node)
        return [node]

    host.__salt__.update(
        {
            "page.answers": lambda *_: served and where == ["cms1"],
            "crm.move": move,
            "crm.started": lambda _: list(where),
            "crm.status": lambda: {"failures": []},
        }
    )
    says = "; it runs on cms1 again" if served else ""
    with pytest.raises(CommandExecutionError, match=f"nobody answers within 60 s{says}$"):
        host.move("cm", "cms2", ["a"], 7180, 60)
    assert ended == ([] if served else ["cms2"])


def test_a_move_without_a_port_is_seen_by_pacemaker(host, clock):
    asked = moving(host, clock, 5)
    found = host.move("cm", "cms2", ["a", "b"])
    assert (found["seen_by"], asked) == ("Pacemaker's status", [])
    assert found["away"] == pytest.approx(2, abs=0.1001)


def test_a_name_that_resolves_and_one_that_does_not(load_file, monkeypatch):
    module = load_file("_modules/cmha_host.py")
    assert module._resolved("127.0.0.1") == ["127.0.0.1"]

    def unknown(*_, **__):
        raise module.socket.gaierror

    monkeypatch.setattr(module.socket, "getaddrinfo", unknown)
    assert module._resolved("cms2") == []


# --- what is seen doesn't depend on what is wanted, nor on who hangs -----------------------------

KNOWN = {"resource": "cloudera-scm-server", "service": "cloudera-scm-server", "port": 7180}


def test_a_wrong_pillar_hides_nothing(host, there):
    there.says.update({"crm.query": CIB, "corosync.running": True})
    good = host.health(KNOWN)
    there.pillar["pairs"]["cms"]["role"] = "sever"
    found = host.health(KNOWN)
    assert "cmha:pairs:cms:role: should be server" in found["wrong"]
    seen = ("cluster", "service", "answers", "since", "survival", "unable", "hangs")
    assert {key: found[key] for key in seen} == {key: good[key] for key in seen}
    assert (found["at_boot"], found["drift"]) == (None, [])


def test_a_pillar_that_is_wrong_about_another_pair_only_is_told_and_compared_with(host, there):
    there.says.update({"crm.query": CIB, "corosync.running": True})
    there.conf = there.declared()
    good = host.health(KNOWN)
    for other in ({}, None, {"nodes": 7}, {**there.pillar["pairs"]["mgmt"], "role": "sever"}):
        there.pillar["pairs"]["mgmt"] = other
        found = host.health(KNOWN)
        assert "cmha:pairs:mgmt" in found.pop("wrong")
        assert found.pop("pillar") != good["pillar"]
        assert found == {key: good[key] for key in found}
        assert host.pending(planned=True)["corosync"] == {}
        assert host.service() == "running"


def test_a_daemon_that_is_stopped_is_not_waited_for(host, there):
    there.says["daemons.hanging"] = ["pacemaker-based"]
    for name in ("crm.running", "crm.query", "crm.status", "crm_forecast.survival"):
        there.says[name] = lambda *_: pytest.fail("it would wait")
    found = host.health(KNOWN)
    assert (found["hangs"], found["recovers"]) == (["pacemaker-based hangs: it is stopped"], [])
    assert (found["cluster"], found["survival"], found["wrong"]) == (None, {}, None)
    assert found["pillar"] is None
    assert found["service"] == {
        "running": True,
        "text": "runs",
        "every": None,
        "owner": None,
    }


@pytest.mark.parametrize("systemd", [True, False])
def test_a_daemon_that_pacemaker_has_given_up_is_told(host, there, monkeypatch, systemd):
    monkeypatch.setattr(host.salt.utils.systemd, "booted", lambda: systemd)
    there.says.update({"crm.query": CIB, "daemons.missing": ["pacemaker-attrd"]})
    found = host.health(KNOWN)
    (line,) = found["recovers"]
    assert line.startswith("pacemaker-attrd doesn't run, and Pacemaker doesn't start it again")
    assert ("then service pacemaker start" in line) is not systemd
    assert (found["hangs"], found["cluster"]) == ([], GOOD)


@pytest.mark.parametrize("name", ["crm.running", "crm.status", "corosync.running"])
def test_a_tool_that_does_not_come_back_is_told(host, there, name):
    def late(*_):
        raise CommandExecutionError("cms1: x hangs: crm_mon doesn't answer within 4 s")

    there.says.update({"crm.query": CIB, "corosync.running": True, name: late})
    found = host.health(KNOWN)
    assert found["hangs"] == ["x hangs: crm_mon doesn't answer within 4 s"]
    assert found["answers"] is True


def test_who_would_run_it_twice_when_the_network_is_cut(host, there):
    there.says.update({"crm.query": CIB, "crm_forecast.stays": lambda node: node == "cms1"})
    assert host.health(KNOWN)["twice"] == ["cms1", "cms2"]
    there.says["crm_forecast.survival"] = {"cms1": {"takes_over": None, "why": ["x"]}}
    assert host.health(KNOWN)["twice"] == []


FENCING = {
    **GOOD,
    "fencing": True,
    "nodes": {name: {"online": True, "remote": False} for name in ("cms1", "cms2")},
}


@pytest.mark.parametrize(
    ("cluster", "own", "asked"),
    [
        (FENCING, "cms1", ["cms2"]),
        (FENCING, "cms2", []),  # survival has that
        ({**FENCING, "fencing": False}, "cms1", []),
        ({**FENCING, "nodes": {"cms2": {"online": False, "remote": False}}}, "cms1", []),
    ],
)
def test_whether_the_active_host_could_fence_the_other(host, there, cluster, own, asked):
    there.says.update(
        {
            "crm.query": CIB,
            "crm.status": cluster,
            "crm.node": own,
            "crm_forecast.unfenced": lambda node: [f"no device for {node}"],
        }
    )
    assert host.health(KNOWN)["unfenced"] == [f"no device for {node}" for node in asked]


def test_nobody_can_simulate(host, there):
    def fails(*_):
        raise CommandExecutionError("cms1: crm_simulate fails")

    there.says.update({"crm.query": CIB, "crm_forecast.survival": fails})
    found = host.health(KNOWN)
    assert (found["survival"], found["unsure"]) == ({}, "cms1: crm_simulate fails")


def test_why_it_could_not_start_here(host, there):
    told = {**TOLD, "fault": "lsb:x isn't there"}
    there.says.update({"crm.query": CIB, "resource_agent.seen": told})
    assert host.health(KNOWN)["unable"] == ["lsb:x isn't there"]
    service = "cloudera-scm-server"
    assert ("resource_agent.seen", f"lsb:{service}", {}, service) in there.asked


def test_without_a_cluster_the_service_manager_is_asked(host, there):
    there.says["crm.running"] = False
    host.health(KNOWN)
    service = "cloudera-scm-server"
    assert ("resource_agent.seen", f"service:{service}", None, service) in there.asked


@pytest.mark.parametrize(
    ("version", "name", "recovers"),
    [
        ("2.1.5", "pacemaker-execd", True),
        ("2.1.3", "pacemaker-sched", True),
        ("2.1.5", "pacemaker-contr", False),
        ("2.1.2", "pacemaker-execd", False),
        ("1.1.24-3.el7", "crmd", False),
        ("3.0.0", "pacemakerd", False),
        ("3.0.0", "corosync", False),
    ],
)
def test_what_pacemakerd_replaces(host, there, version, name, recovers):
    there.says.update({"daemons.hanging": [name], "crm.version": version, "crm.query": CIB})
    found = host.health(KNOWN)
    assert (len(found["hangs"]), len(found["recovers"])) == ((0, 1) if recovers else (1, 0))


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ('export CMF_JAVA_OPTS="-Xmx2G -Dcom.cloudera.cmf.haMode=true -Dx=y"\n', True),
        ('export CMF_JAVA_OPTS="-Xmx2G -Dcom.cloudera.cmf.haMode=false"\n', False),
        ('# CMF_JAVA_OPTS="-Dcom.cloudera.cmf.haMode=true"\n', False),
        ("CMF_JAVA_OPTS=-Dcom.cloudera.cmf.haMode=trueish\n", False),
        (None, False),
    ],
)
def test_cloudera_managers_own_failover(host, tmp_path, monkeypatch, text, on):
    monkeypatch.setattr(host, "_SETTINGS_OF_SERVICES", (str(tmp_path / "no"), str(tmp_path)))
    if text:
        (tmp_path / "cloudera-scm-server").write_text(text)
    assert host.fitness()["own_failover"] is on
    assert host._own_failover({"role": "agent", "service": "cloudera-scm-server"}) is False


# --- environments --------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["fitness", "health", "pending", "plan", "service"])
def test_all_is_read_in_the_environment_that_is_meant(host, there, function):
    there.conf, there.says["corosync.cluster"] = (
        "x",
        {"is": "this pair", "runs": "this pair", "seen": ""},
    )
    there.says["corosync.running"] = True
    getattr(host, function)(saltenv="prod", pillarenv="dev")
    assert there.environments == {"prod"}
    assert there.pillar_of == [{"saltenv": "prod", "pillarenv": "dev"}]


def test_without_one_the_minions_own_counts(host, there):
    there.conf = "x"
    for own, read in (({}, "base"), ({"saltenv": "prod"}, "prod")):
        there.environments.clear()
        host.__opts__.pop("saltenv", None)
        host.__opts__.update(own)
        host.fitness()
        assert (there.environments, there.pillar_of[-1]) == ({read}, {})


def test_an_environment_without_the_formula_is_one_line(host, there):
    there.says["cp.get_file_str"] = lambda *_, **__: False
    with pytest.raises(CommandExecutionError) as error:
        host.fitness(saltenv="prod")
    assert str(error.value) == (
        "cms1: the master has no salt://cmha/defaults.yaml in the environment prod; set this minion's "
        "saltenv, or name it: saltenv=…"
    )
    assert host.health()["wrong"].startswith("cms1: the master has no")
