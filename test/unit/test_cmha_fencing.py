"""Fence devices that pillar declares in short: what they mean, and what a host asks of them."""

import copy
import os
import subprocess

import pytest
import recipes
from pillars import SITE, with_

PASSWORD = "hunter2 &;$"
FENCING = {
    "agent": "fence_ipmilan",
    "params": {"lanplus": True, "password": PASSWORD},
    "nodes": {"cms1": {"ip": "198.51.100.111"}, "cms2": {"ip": "198.51.100.112"}},
}
EVERYONE = {host: {"ip": host} for pair in SITE["pairs"].values() for host in pair["nodes"]}
OF_CMS = "pairs:cms:fencing"


@pytest.fixture
def fencing(pure):
    return pure("cmha_fencing")


@pytest.fixture
def cms(site_model):
    return lambda pillar: site_model(pillar)["pairs"][0]


@pytest.fixture
def declared(cms):
    return lambda value, place=OF_CMS: cms(with_(place, value))["pacemaker"]


@pytest.fixture
def files(pure):
    return pure("cmha_fence_passwords")


# --- what pillar says in short -------------------------------------------------------------------


def test_each_node_has_a_device_that_runs_elsewhere(declared):
    pacemaker = declared(FENCING)
    assert pacemaker["properties"]["stonith-enabled"] == "true"
    assert pacemaker["properties"]["no-quorum-policy"] == "stop"
    device = pacemaker["primitives"]["fence-cms2"]
    assert device["agent"] == "stonith:fence_ipmilan"
    assert device["params"] == {
        "pcmk_host_list": "cms2",
        "lanplus": "true",
        "ip": "198.51.100.112",
        "password_script": "/etc/cmha/fencing/fence-cms2",
    }
    (away,) = (each for each in pacemaker["locations"].values() if each["rsc"] == "fence-cms2")
    assert (away["node"], away["score"]) == ("cms2", "-INFINITY")


@pytest.mark.parametrize(
    ("common", "second", "delays"),
    [
        ({}, {}, ["5s", None]),
        ({}, {"pcmk_delay_base": "9s"}, [None, "9s"]),
        ({"pcmk_delay_max": "9s"}, {}, [None, None]),
        ({"pcmk_delay_base": "5s"}, {"pcmk_delay_base": "9s"}, ["5s", "9s"]),
        ({"pcmk_delay_base": "5s", "pcmk_delay_max": "9s"}, {}, ["5s", "5s"]),
    ],
)
def test_a_cut_network_ends_with_one_node(declared, common, second, delays):
    nodes = {**FENCING["nodes"], "cms2": {**FENCING["nodes"]["cms2"], **second}}
    primitives = declared({**FENCING, "params": common, "nodes": nodes})["primitives"]
    found = [
        primitives[f"fence-{host}"]["params"].get("pcmk_delay_base") for host in ("cms1", "cms2")
    ]
    assert found == delays


def test_pillar_overrides_what_it_means(cms):
    pillar = with_(OF_CMS, FENCING)
    pillar["pairs"]["cms"]["pacemaker"] = {
        "properties": {"no-quorum-policy": "ignore"},
        "primitives": {"fence-cms1": {"operations": {"monitor": {"interval": "30s"}}}},
    }
    pacemaker = cms(pillar)["pacemaker"]
    assert pacemaker["properties"]["no-quorum-policy"] == "ignore"
    (monitor,) = pacemaker["primitives"]["fence-cms1"]["operations"]["monitor"]
    assert monitor == {"interval": "30s", "timeout": "60s"}


@pytest.mark.parametrize("place", ["pairs:cms:", "roles:server:", ""])
@pytest.mark.parametrize("no", [False, "no", "off", "0"])
def test_devices_that_nobody_would_use_are_refused(cms, place, no):
    pillar = with_(f"{place}pacemaker:properties", {"stonith-enabled": no})
    pillar["pairs"]["cms"]["fencing"] = FENCING
    with pytest.raises(
        ValueError, match="^pillar cmha:pairs:cms:fencing:nodes: declares fence devices"
    ):
        cms(pillar)


def test_a_site_lists_the_nodes_of_all_its_pairs(site_model):
    pairs = site_model(with_("fencing", {**FENCING, "nodes": EVERYONE}))["pairs"]
    found = [
        [name for name in pair["pacemaker"]["primitives"] if "fence" in name] for pair in pairs
    ]
    assert found == [["fence-cms1", "fence-cms2"], ["fence-mgmt1", "fence-mgmt2"]]


@pytest.mark.parametrize("place", ["fencing", "roles:server:fencing"])
def test_a_host_that_looks_at_its_own_pair_alone_finds_the_same(pure, cms, place):
    pillar = with_(place, {**FENCING, "nodes": EVERYONE})
    reduced = pure("cmha_site").of_host(pillar, "cms1")
    assert list(reduced["pairs"]) == ["cms"]
    assert cms(reduced)["pacemaker"] == cms(pillar)["pacemaker"]
    wrong = with_(place, {**FENCING, "nodes": {**EVERYONE, "cms22": {}}})
    with pytest.raises(ValueError, match="cms22: is no node of this site; did you mean cms2"):
        cms(pure("cmha_site").of_host(wrong, "cms1"))


def test_the_model_keeps_no_secret(cms, fencing):
    pair = cms(with_(OF_CMS, {**FENCING, "packages": ["fence-agents"]}))
    assert pair["fencing"] == {
        "packages": ["fence-agents"],
        "devices": ["fence-cms1", "fence-cms2"],
    }
    assert PASSWORD not in str(pair)


def test_without_devices_nothing_is_different(cms, fencing):
    alone = cms(with_(OF_CMS, {"packages": ["ipmitool"]}))
    assert alone["pacemaker"] == cms(SITE)["pacemaker"]
    assert not fencing.has_devices(alone)


# --- passwords -----------------------------------------------------------------------------------


def said(fencing, pillar, host):
    return {name: kept["password"] for name, kept in fencing.passwords(pillar, host).items()}


def test_a_host_keeps_the_passwords_of_its_pair(fencing):
    pillar = with_(OF_CMS, FENCING)
    for host in ("cms1", "cms2"):
        assert said(fencing, pillar, host) == {"fence-cms1": PASSWORD, "fence-cms2": PASSWORD}
    assert fencing.passwords(pillar, "mgmt1") == {}
    broken = {**pillar, "pairs": {"first": {}, "second": None, **pillar["pairs"]}}
    assert fencing.passwords(broken, "cms1") == fencing.passwords(pillar, "cms1")


@pytest.mark.parametrize("wrong", [None, "x", 7, ["x"]])
@pytest.mark.parametrize(
    "path",
    [
        "pairs",
        "pairs:cms",
        "pairs:cms:nodes",
        "pairs:cms:nodes:cms1",
        "pairs:cms:fencing",
        "pairs:cms:fencing:nodes",
        "pairs:cms:fencing:nodes:cms1",
        "pairs:cms:fencing:params",
        "roles",
        "roles:server",
    ],
)
def test_a_wrong_pillar_gives_no_traceback(fencing, path, wrong):
    pillar = with_(OF_CMS, copy.deepcopy(FENCING))
    *parents, last = path.split(":")
    place = pillar
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = wrong
    assert isinstance(fencing.passwords(pillar, "cms1"), dict)


def test_what_is_nearer_to_a_node_wins(fencing):
    pillar = with_("fencing", {**FENCING, "nodes": {"cms1": {"password": "own"}}})
    pillar["roles"] = {"server": {"fencing": {"params": {"password": "the role's"}}}}
    pillar["pairs"]["cms"]["nodes"]["cms2"]["name"] = "second"
    pillar["pairs"]["cms"]["fencing"] = {"nodes": {"cms2": {"password": "pair's"}}}
    assert said(fencing, pillar, "cms1") == {"fence-cms1": "own", "fence-second": "pair's"}


def test_agents_of_old_spell_it_otherwise(declared, fencing):
    old = {**FENCING, "params": {"passwd": PASSWORD}}
    params = declared(old)["primitives"]["fence-cms1"]["params"]
    assert params["passwd_script"] == "/etc/cmha/fencing/fence-cms1"
    assert PASSWORD not in str(params)
    assert said(fencing, with_(OF_CMS, old), "cms1")["fence-cms1"] == PASSWORD


@pytest.mark.parametrize("agent", ["external/ipmi", "stonith:external/ipmi"])
def test_an_agent_of_cluster_glue_reads_the_password_itself(declared, fencing, agent):
    of_glue = {**FENCING, "agent": agent, "params": {"passwd": PASSWORD, "userid": "x"}}
    params = declared(of_glue)["primitives"]["fence-cms1"]["params"]
    assert params["passwd"] == "/etc/cmha/fencing/fence-cms1.password"
    assert params["passwd_method"] == "file"
    assert PASSWORD not in str(params)
    kept = fencing.passwords(with_(OF_CMS, of_glue), "cms1")["fence-cms1"]
    assert (kept["file"], kept["content"]) == ("fence-cms1.password", f"{PASSWORD}\n")


@pytest.mark.parametrize(
    "params", [{"passwd": PASSWORD, "passwd_method": "param"}, {"passwd_method": "env"}]
)
def test_who_says_how_the_password_is_passed_is_taken_at_his_word(declared, fencing, params):
    of_glue = {**FENCING, "agent": "external/ipmi", "params": params}
    said_of_it = declared(of_glue)["primitives"]["fence-cms1"]["params"]
    assert params.items() <= said_of_it.items()
    assert fencing.passwords(with_(OF_CMS, of_glue), "cms1") == {}


@pytest.mark.parametrize("agent", ["external/vcenter", "stonith:external/ipmi"])
def test_an_agent_that_reads_no_program_keeps_its_parameter(declared, fencing, agent):
    params = declared({**FENCING, "agent": agent})["primitives"]["fence-cms1"]["params"]
    assert (params["password"], "password_script" in params) == (PASSWORD, False)
    assert fencing.passwords(with_(OF_CMS, {**FENCING, "agent": agent}), "cms1") == {}


def test_a_program_of_ones_own_stays(declared, fencing, files):
    own = {**FENCING, "params": {"password_script": "/root/say"}}
    params = declared(own)["primitives"]["fence-cms1"]["params"]
    assert params["password_script"] == "/root/say"
    assert fencing.passwords(with_(OF_CMS, own), "cms1") == {}
    assert files.reads_file(params) is None


# --- what a host asks of them --------------------------------------------------------------------


def test_a_host_asks_the_devices_that_may_run_there(cms, fencing):
    def here(pair, node):
        return [name for name, each in fencing.devices(pair, node).items() if each["here"]]

    pair = cms(with_(OF_CMS, FENCING))
    assert list(fencing.devices(pair, "cms1")) == ["fence-cms1", "fence-cms2"]
    assert (here(pair, "cms1"), here(pair, "cms2")) == (["fence-cms2"], ["fence-cms1"])
    assert fencing.devices(pair, "cms1")["fence-cms2"]["target"] == "cms2"


@pytest.mark.parametrize(
    "sections",
    [
        {"primitives": {"fence": {"agent": "stonith:fence_x", "params": {"ip": "x"}}}},
        {
            "templates": {"bmc": {"agent": "stonith:fence_x", "params": {"ip": "y"}}},
            "primitives": {"fence": {"agent": "@bmc", "params": {"ip": "x"}}},
        },
    ],
)
def test_devices_in_pacemakers_words(cms, fencing, sections):
    pair = cms(with_("pairs:cms:pacemaker", {**sections, "allow_unknown": ["zip"]}))
    assert fencing.has_devices(pair)
    for node, other in (("cms1", "cms2"), ("cms2", "cms1")):
        assert fencing.devices(pair, node) == {
            "fence": {
                "agent": "stonith:fence_x",
                "params": {"ip": "x"},
                "primitive": sections["primitives"]["fence"],
                "template": sections.get("templates", {}),
                "here": True,
                "target": other,
                "short": False,
                "on": False,
                "allow_unknown": ["zip"],
            }
        }


@pytest.mark.parametrize(
    ("params", "target"),
    [
        ({"pcmk_host_list": "cms1"}, None),
        ({"pcmk_host_list": "cms1 cms2"}, "cms2"),
        ({"pcmk_host_list": "cms1,cms2"}, "cms2"),
        ({"pcmk_host_map": "cms1:1;cms2:2"}, "cms2"),
        ({"pcmk_host_map": "cms1:1,2"}, None),
        ({"pcmk_host_map": "cms1:1", "pcmk_host_list": "cms2"}, "cms2"),
        ({}, "cms2"),
    ],
)
def test_whom_a_device_is_for(cms, fencing, params, target):
    own = {"primitives": {"fence": {"agent": "stonith:fence_x", "params": params}}}
    assert (
        fencing.devices(cms(with_("pairs:cms:pacemaker", own)), "cms1")["fence"]["target"] == target
    )


@pytest.mark.parametrize(
    ("params", "known", "more"),
    [
        ({"ip": "x"}, [], []),
        ({"ip": "x", "action": "off", "pcmk_delay_base": "5s"}, ["ip"], []),
        ({"ip": "x"}, ["plug", "port"], ["port=cms1"]),
        ({"ip": "x"}, ["plug"], ["plug=cms1"]),
        ({"ip": "x", "port": "3"}, ["plug", "port"], ["port=3"]),
        ({"ip": "x", "plug": "3"}, ["plug", "port"], ["plug=3"]),
        ({"ip": "x", "plug": "dynamic", "pcmk_host_argument": "plug"}, ["plug"], ["plug=cms1"]),
        ({"ip": "x", "pcmk_host_map": "cms1:1,2"}, ["port"], ["port=1,2"]),
        ({"ip": "x"}, ["port"], ["port=cms1"]),
        ({"ip": "x", "pcmk_host_map": "cms1:outlet1;cms2:2"}, ["port"], ["port=outlet1"]),
        ({"ip": "x", "pcmk_host_map": "cms2=2"}, ["port"], ["port=cms1"]),
        ({"ip": "x", "pcmk_host_argument": "vm"}, ["port"], ["vm=cms1"]),
        ({"ip": "x", "pcmk_host_argument": "none"}, ["port"], []),
    ],
)
def test_an_agent_is_asked_as_pacemaker_asks(fencing, params, known, more):
    said = fencing.question(params, "cms1", known)
    assert sorted(said.splitlines()) == sorted(["action=status", "ip=x", *more])


@pytest.mark.parametrize(
    ("params", "takes", "sent"),
    [
        ({"plug": "vm1"}, "port", "port"),
        ({"plug": "vm1"}, "plug", None),
        ({"port": "3"}, "plug", "plug"),
        ({"port": "3"}, "port", None),
        ({"plug": "vm1", "pcmk_host_argument": "plug"}, "port", None),
        ({"plug": "dynamic"}, "port", None),
        ({}, "port", None),
    ],
)
def test_a_plug_beside_which_pacemaker_sends_another(fencing, params, takes, sent):
    """Both set the same option of the agent, and nobody knows which of both comes last."""
    assert fencing.plugs_twice(params, ["plug", "port"], takes) == sent
    assert fencing.plugs_twice(params, ["plug"], takes) is None


@pytest.mark.parametrize("name", ["plug", "port"])
def test_the_short_form_says_by_what_an_agent_is_told_whom_to_fence(declared, name):
    own = {"nodes": {"cms1": {name: "vm1"}, "cms2": {name: "vm2"}}}
    params = declared({**FENCING, **own})["primitives"]["fence-cms2"]["params"]
    assert (params[name], params["pcmk_host_argument"]) == ("vm2", name)


def test_a_plug_that_pillar_has(fencing):
    said = fencing.question({"plug": "7", "pcmk_host_list": "cms1"}, "cms1", ["plug"])
    assert sorted(said.splitlines()) == ["action=status", "plug=7"]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            "a warning\n2026-11-28 10:52:42,866 ERROR: Failed: no such plug\n\n",
            "Failed: no such plug",
        ),
        (f"ERROR: {PASSWORD} isn't it, nor word2", "**** isn't it, nor ****"),
        ("", "it says nothing"),
    ],
)
def test_what_an_agent_says(fencing, said, line):
    params = {"passwd": "word2", "ip": "198.51.100.9"}
    assert fencing.answer(said, params, [PASSWORD]) == line


@pytest.mark.parametrize(
    ("agent", "program"),
    [
        ("stonith:fence_ipmilan", "fence_ipmilan"),
        ("stonith:external/ipmi", None),
        ("stonith:meatware", None),
        ("stonith:reboot", None),
        ("stonith:fence_x/../../bin/sh", None),
    ],
)
def test_only_fence_agents_are_started(fencing, agent, program):
    assert fencing.program(agent) == program


@pytest.fixture
def module(load_file, fencing, pure, tmp_path, monkeypatch):
    """The module on cms1, whose fence agent ends with a code; ``asked`` has how, and what the password's
    program said."""
    for name in ("fence_x", "fence_legacy"):
        agent = tmp_path / name
        agent.write_text("#!/bin/sh\n")
        agent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def ends(
        code, stderr="", changes=(), *, stdout="Status: ON\n", late=False, cib=None, pillar=None
    ):
        asked = []

        def run(command, stdin, seconds):
            said = dict(line.split("=", 1) for line in stdin.splitlines())
            program = said.get("password_script")
            password = program and subprocess.run(
                [program], capture_output=True, text=True, check=True
            ).stdout.rstrip("\n")
            asked.append((command, said, password))
            return {"retcode": code, "stdout": stdout, "stderr": stderr, "late": late}

        utils = {
            f"cmha_fencing.{name}": getattr(fencing, name)
            for name in (
                "question",
                "question_to_plugin",
                "answer",
                "passwords",
                "program",
                "plugin",
                "plugs_twice",
            )
        }
        place = str(tmp_path / "fencing")
        module = load_file(
            "_modules/fencing.py",
            salt={
                "bounded.run": run,
                "crm.plan": lambda declared: {"changes": dict.fromkeys(changes)},
                "crm.query": lambda: cib or EMPTY_CIB,
                "crm.version": lambda: "2.1.5",
                "bounded.stretched": lambda seconds: seconds,
                "crm_agents.parameters": lambda agent: {"plug": {}},
            },
            utils={
                **utils,
                "cib.model": pure("cib").model,
                "cib_values.is_true": pure("cib_values").is_true,
                "corosync_keys.is_before": pure("corosync_keys").is_before,
                "cmha_fence_passwords.place": lambda: place,
                "cmha_fence_passwords.is_ours": pure("cmha_fence_passwords").is_ours,
                "cmha_fence_passwords.reads_file": lambda params: next(
                    (name for name in ("password_script", "passwd") if name in params), None
                ),
            },
            pillar={"cmha": pillar or with_(OF_CMS, FENCING)},
            grains={"id": "cms1"},
        )
        module.asked, module.place = asked, tmp_path / "fencing"
        return module

    return ends


PARAMS = {"password_script": "/etc/cmha/fencing/fence-cms2", "pcmk_host_list": "cms2"}


def ask(host, agent="stonith:fence_x", device="fence-cms2"):
    return host.ask(agent, PARAMS, "cms2", device)


@pytest.mark.parametrize(
    ("code", "stderr", "works", "why"),
    [
        (0, "a warning", True, None),
        (1, "no", False, "no"),
        (2, "python3: can't open file", False, "python3: can't open file"),
        (1, f"{PASSWORD} is wrong", False, "**** is wrong"),
    ],
)
def test_a_device_has_to_say_that_the_node_is_on(module, code, stderr, works, why):
    host = module(code, stderr)
    assert ask(host) == {"works": works, "why": why, "late": False}
    ((command, said, password),) = host.asked
    assert command[0].endswith("/fence_x")
    assert password == PASSWORD  # by a program, as Pacemaker will have it read
    assert {key: said[key] for key in ("action", "plug")} == {"action": "status", "plug": "cms2"}
    assert PASSWORD not in str(said) + " ".join(command)
    assert list(host.place.iterdir()) == []  # which is gone


def test_a_device_that_says_off_is_another_hosts(module):
    host = module(2, "DeprecationWarning: x", stdout="Status: OFF\n")
    assert ask(host)["why"] == "says that cms2 is off, which is online: it is another host's"


def test_a_device_of_a_host_that_is_off_may_say_so(module):
    host = module(2, stdout="Status: OFF\n")
    assert host.ask("stonith:fence_x", PARAMS, "cms2", "fence-cms2", online=False)["works"] is True


def test_a_device_whose_secret_is_pacemakers_is_not_asked(module):
    host = module(1)
    answer = host.ask("stonith:fence_x", {"password": "lrm://"}, "cms2")
    assert (answer["works"], host.asked) == (None, [])
    assert "crm resource secret" in answer["why"]


def test_a_device_that_pacemaker_would_send_two_plugs_does_not_work(module):
    host = module(0)
    host.__salt__["crm_agents.parameters"] = lambda agent: {"plug": {}, "port": {}}
    answer = host.ask("stonith:fence_x", {"plug": "vm1"}, "cms2")
    assert (answer["works"], host.asked) == (False, [])
    assert answer["why"] == (
        "it has plug=vm1, and Pacemaker would send port, the node's name, beside it; add "
        "pcmk_host_argument: plug"
    )


def test_a_device_that_the_cluster_has_reads_the_password_that_is_kept(module):
    host = module(0)
    host.keep_passwords()
    params = {"password_script": str(host.place / "fence-cms2")}
    assert host.ask("stonith:fence_x", params, "cms2")["works"]
    ((_, said, password),) = host.asked
    assert (said["password_script"], password) == (params["password_script"], PASSWORD)


def test_an_agent_that_takes_its_time(module):
    answer = ask(module(124, "fence_x doesn't answer within 4 s", late=True))
    assert answer == {"works": False, "why": "fence_x doesn't answer within 4 s", "late": True}


def test_an_agent_that_is_not_here(module):
    why = ask(module(0), "stonith:fence_nothing")["why"]
    assert why == "there is no fence_nothing; name its package in cmha:fencing:packages"


def test_an_agent_that_is_not_asked(module):
    host, agent = module(1), "stonith:reboot"
    assert ask(host, agent) == {"works": None, "why": f"{agent} isn't asked", "late": False}
    assert host.asked == []


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "why"),
    [
        (0, "success:  0", "", None),
        (
            1,
            "Performing: stonith -t external/ipmi -E -S\nfailed:  1\n",
            "",
            "the device refuses, or doesn't answer; its agent says more in the system's log",
        ),
        (1, "failed:  1", "Invalid config info for external/x device.", "Invalid config info"),
    ],
)
def test_an_agent_of_cluster_glue_is_asked_as_pacemaker_asks(module, code, stdout, stderr, why):
    host = module(code, stderr, stdout=stdout)
    host.keep_passwords()
    params = {
        "passwd": str(host.place / "fence-cms2"),
        "pcmk_host_list": "cms2",
        "hostname": "cms2",
    }
    answer = host.ask("stonith:external/ipmi", params, "cms2")
    assert answer["works"] is (code == 0)
    assert str(answer["why"]).startswith(str(why))
    ((command, said, _),) = host.asked
    assert command[0].endswith("/fence_legacy")
    assert said == {
        "plugin": "external/ipmi",
        "passwd": params["passwd"],
        "hostname": "cms2",
        "action": "monitor",
    }


def test_a_node_is_fenced_by_pacemaker(module):
    host, asked = module(0), []

    def run(command, seconds=None):
        asked.append(command)
        return {"retcode": 0, "stdout": "first cms1\nsecond cms1\n", "stderr": ""}

    host.__salt__["bounded.run"] = run
    assert host.fence("cms1", seconds=7)["said"] == "first cms1"
    assert asked[0] == ["stonith_admin", "--reboot", "cms1", "--timeout", "7"]


def test_a_node_that_was_not_fenced_is_one_line(module):
    host = module(0)
    host.__salt__["bounded.run"] = lambda command, seconds: {
        "retcode": 237,
        "stdout": "",
        "stderr": "Command failed: No such device\n",
    }
    with pytest.raises(
        host.CommandExecutionError, match="^cms1: cms2 wasn't fenced: Command failed: No"
    ):
        host.fence("cms2")


def test_nobody_knows_of_a_fencing_that_goes_on(module):
    host = module(0)
    host.__salt__["bounded.run"] = lambda command, seconds: {
        "retcode": 124, "stdout": "", "stderr": "x", "late": True
    }  # fmt: skip
    with pytest.raises(
        host.CommandExecutionError, match="^cms1: nobody knows yet whether cms2 was"
    ):
        host.fence("cms2")


EMPTY_CIB = (
    '<cib><configuration><crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" '
    'value="true"/></cluster_property_set></crm_config><nodes/><resources/><constraints/></configuration></cib>'
)
DEVICES = {
    name: {
        "agent": "stonith:x",
        "params": {"ip": "x"},
        "primitive": {"agent": "stonith:x", "params": {"ip": "x"}},
        "template": {},
        "on": True,
        "allow_unknown": ["zip"],
        "here": name == "fence-cms2",
        "target": "cms2",
        "short": True,
    }
    for name in ("fence-cms1", "fence-cms2")
}


def test_which_devices_the_cluster_does_not_have_so(module):
    host = module(0, changes=["primitives:fence-cms1:params:ip", "primitives:fence-cms3"])
    assert host.unproven(DEVICES) == ["fence-cms1", "fence-cms2"]
    host.keep_passwords()
    assert host.unproven(DEVICES) == ["fence-cms1"]


def test_a_device_is_compared_as_it_is_declared(module):
    """With its template, which may be what differs; and with the names that pillar lets pass."""
    host, asked = module(0), []
    host.keep_passwords()
    primitive = {"agent": "@bmc", "params": {"ip": "x"}}
    template = {"bmc": {"agent": "stonith:x", "params": {"zip": "y"}}}
    fence = {**DEVICES["fence-cms1"], "primitive": primitive, "template": template}

    def plan(declared):
        asked.append(declared)
        return {"changes": {"templates:bmc:params:zip": None}}

    host.__salt__["crm.plan"] = plan
    assert host.unproven({"fence": fence, "other": DEVICES["fence-cms1"]}) == ["fence"]
    assert asked[0]["primitives"]["fence"] == primitive
    assert (asked[0]["templates"], asked[0]["allow_unknown"]) == (template, ["zip"])


@pytest.mark.parametrize(("on", "unproven"), [(True, list(DEVICES)), (False, [])])
def test_while_fencing_is_off_no_device_is_proven(module, on, unproven):
    """Somebody may have switched it off because one doesn't work."""
    host = module(0, cib=EMPTY_CIB.replace('"true"', '"false"'))
    host.keep_passwords()
    devices = {name: {**each, "on": on} for name, each in DEVICES.items()}
    assert host.unproven(devices) == unproven


def test_a_parameter_that_pillar_has_lost_is_told(module):
    nvpair = (
        '<nvpair id="x" name="pcmk_delay_base" value="5s"/><nvpair id="y" name="ip" value="x"/>'
    )
    cib = (
        "<cib><configuration><crm_config/><nodes/><resources>"
        '<primitive id="fence-cms1" class="stonith" type="x"><instance_attributes id="i">'
        f"{nvpair}</instance_attributes></primitive></resources><constraints/></configuration></cib>"
    )
    host = module(0, cib=cib)
    assert host.leftovers(DEVICES) == [("fence-cms1", "pcmk_delay_base")]
    assert host.leftovers({"fence-cms1": {**DEVICES["fence-cms1"], "short": False}}) == []


def program(files, password):
    return files.kept("x", "fence_x", {"password": password})["content"]


@pytest.mark.parametrize("code", [0, 1])
def test_pacemaker_is_told_that_a_node_is_off(module, code):
    host, asked = module(0), []

    def run(command):
        asked.append(command)
        return {"retcode": code, "stdout": "", "stderr": "no such node"}

    host.__salt__["bounded.run"] = run
    if code:
        with pytest.raises(
            host.CommandExecutionError,
            match="^cms1: Pacemaker doesn't take it that cms2 is off: no such node$",
        ):
            host.confirm_off("cms2")
    else:
        assert host.confirm_off("cms2") is None
    assert asked == [["stonith_admin", "--confirm", "cms2"]]


CIB_WITH_A_DEVICE = (
    '<cib><configuration><crm_config/><nodes/><resources><primitive id="fence-cms1" class="stonith" '
    'type="x"/></resources><constraints/></configuration></cib>'
)


@pytest.mark.parametrize(
    ("code", "stdout", "names"),
    [
        (0, "fence-cms1\n1 fence device found\n", []),
        (0, "fence-old\nfence-cms1\n2 fence devices found\n", ["fence-old"]),
        (0, " fence-cms1:0\n other\n2 devices found\n", ["other"]),  # a clone's; as 1.1 writes it
        (0, "watchdog\n1 fence device found\n", []),
        (0, "No fence devices found\n", []),
        (19, "No devices found\n", []),
    ],
)
def test_devices_that_only_the_fencer_has(module, code, stdout, names):
    host = module(0, cib=CIB_WITH_A_DEVICE)
    answer = {"retcode": code, "stdout": stdout, "stderr": ""}
    host.__salt__["bounded.run"] = lambda command: answer
    assert host.unconfigured() == names


def test_a_fencer_that_does_not_say_what_it_holds(module):
    host = module(0, cib=CIB_WITH_A_DEVICE)
    answer = {"retcode": 102, "stdout": "", "stderr": "Could not connect\nto fencer\n"}
    host.__salt__["bounded.run"] = lambda command: answer
    with pytest.raises(
        host.CommandExecutionError,
        match="^cms1: stonith_admin --list-registered fails: Could not connect to fencer$",
    ):
        host.unconfigured()


def test_a_password_is_kept_for_root_alone(module, files):
    host = module(0)
    assert host.unkept_passwords() == list(DEVICES)
    assert host.keep_passwords() == list(DEVICES)
    assert (host.keep_passwords(), host.unkept_passwords()) == ([], [])
    assert host.place.stat().st_mode & 0o777 == 0o700
    for each in host.place.iterdir():
        assert each.stat().st_mode & 0o777 == 0o700
        assert each.read_text() == program(files, PASSWORD)
    (host.place / "fence-cms1").chmod(0o755)
    (host.place / "fence-cms2").write_text("another")
    assert host.keep_passwords() == list(DEVICES)
    (host.place / "fence-old").write_text(program(files, "x"))
    assert host.unkept_passwords() == ["fence-old"]
    assert host.keep_passwords() == ["fence-old"]
    assert sorted(each.name for each in host.place.iterdir()) == list(DEVICES)


def test_what_somebody_else_has_put_there_stays(module):
    host = module(0)
    host.keep_passwords()
    (host.place / "mine").write_text("#!/bin/sh\necho x\n")
    (host.place / "fence-gone").write_text((host.place / "fence-cms1").read_text())
    assert host.keep_passwords() == ["fence-gone"]
    assert sorted(each.name for each in host.place.iterdir()) == [*DEVICES, "mine"]


def test_a_new_disk_has_no_passwords(module):
    host = module(0)
    assert host.missing_passwords() == list(DEVICES)
    host.keep_passwords()
    (host.place / "fence-cms1").write_text("another")
    assert host.missing_passwords() == []


def test_a_password_that_can_not_be_kept_is_one_line(module):
    host = module(0)
    host.place.write_text("no directory")
    with pytest.raises(
        host.CommandExecutionError, match="^cms1: .*fencing: .*; the password can't be kept"
    ):
        host.keep_passwords()


def test_a_host_without_pillar_keeps_nothing(module):
    host = module(0, pillar=SITE)
    assert (host.keep_passwords(), os.path.exists(host.place)) == ([], False)


ANSWERS = {"works": {"works": True}, "fails": {"works": False, "why": "wrong password"}}
NOT_ASKED = {"works": None, "why": "stonith:x isn't asked"}


@pytest.fixture
def state(load_file):
    """The state on cms1, where devices are new and answer so."""

    def finds(new=(), answer=None, *, test=False, running=True, left=(), unkept=(), unknown=()):
        asked = []
        return load_file(
            "_states/fencing.py",
            salt={
                "crm.running": lambda: running,
                "fencing.leftovers": lambda devices: left,
                "fencing.unknown": lambda devices: list(unknown),
                "fencing.unproven": lambda devices: list(new),
                "fencing.ask": lambda agent, params, target, device: asked.append(device) or answer,
                "fencing.keep_passwords": lambda: list(unkept),
                "fencing.unkept_passwords": lambda: list(unkept),
            },
            opts={"test": test},
            grains={"id": "cms1"},
        ), asked

    return finds


@pytest.mark.parametrize(
    ("new", "answer", "result", "says"),
    [
        ([], None, True, "the cluster has them already: fence-cms1, fence-cms2"),
        (DEVICES, ANSWERS["works"], True, "they answer: fence-cms2"),
        (DEVICES, NOT_ASKED, True, "stonith:x isn't asked"),
        (["fence-cms1"], None, True, "none of the new ones may run here"),
        (
            DEVICES,
            ANSWERS["fails"],
            False,
            "fence-cms2 (stonith:x) doesn't work from cms1: wrong password; nothing was configured",
        ),
    ],
)
def test_a_device_counts_when_it_was_seen_to_work(state, new, answer, result, says):
    host, asked = state(new, answer)
    ret = host.proven("cmf", DEVICES)
    assert (ret["result"], ret["changes"]) == (result, {})
    assert ret["comment"].startswith(says)
    assert asked == [each for each in new if each == "fence-cms2"]


@pytest.mark.parametrize("test", [False, True])
def test_what_the_cluster_would_go_on_using_is_told(state, test):
    host, _ = state(left=[("fence-cms1", "password")], test=test)
    ret = host.proven("cmf", DEVICES)
    assert ret["result"] is False
    assert ret["comment"].startswith(
        "fence-cms1 has the parameter password in the cluster, which pillar doesn't have: crm_resource "
        "--resource fence-cms1 --delete-parameter password, or say it in pillar"
    )


@pytest.mark.parametrize(
    ("new", "running", "result", "says"),
    [
        (DEVICES, True, None, "it would be seen whether they answer: fence-cms1, fence-cms2"),
        ([], True, True, "the cluster has them already"),
        (DEVICES, False, True, "it would be seen whether they answer"),
    ],
)
def test_a_test_asks_nobody(state, new, running, result, says):
    host, asked = state(new, test=True, running=running)
    ret = host.proven("cmf", DEVICES)
    assert (ret["result"], asked) == (result, [])
    assert ret["comment"].startswith(says)


@pytest.mark.parametrize(
    ("unkept", "test", "result"),
    [([], False, True), ([], True, True), (["a"], False, True), (["a"], True, None)],
)
def test_passwords_are_kept(state, unkept, test, result):
    host, _ = state(unkept=unkept, test=test)
    ret = host.passwords_kept("cmf")
    assert ret["result"] == result
    assert ret["changes"] == {each: {"password": "(secret)"} for each in unkept}


@pytest.mark.parametrize(
    ("version", "lines"), [("1.1.17", 1), ("1.1.18", 0), ("2.1.5", 0), ("", 0)]
)
def test_a_pacemaker_that_knows_no_delay(load_file, pure, version, lines):
    module = load_file(
        "_modules/fencing.py",
        salt={"crm.version": lambda: version},
        utils={"corosync_keys.is_before": pure("corosync_keys").is_before},
    )
    devices = {"fence-cms1": {"params": {"pcmk_delay_base": "5s"}}, "fence-cms2": {"params": {}}}
    said = module.unknown(devices)
    assert len(said) == lines
    assert all(
        line.startswith(f"fence-cms1 has pcmk_delay_base, which Pacemaker {version}")
        for line in said
    )


@pytest.mark.parametrize(
    ("version", "lines"), [("1.1.17", 1), ("2.1.1", 1), ("2.1.2", 0), ("3.0.0", 0)]
)
def test_a_pacemaker_that_knows_one_delay_for_all_nodes(load_file, pure, version, lines):
    module = load_file(
        "_modules/fencing.py",
        salt={"crm.version": lambda: version},
        utils={"corosync_keys.is_before": pure("corosync_keys").is_before},
    )
    said = module.unknown({"f": {"params": {"pcmk_delay_base": "cms1:5s;cms2:0s"}}})
    what = "pcmk_delay_base" if version == "1.1.17" else "a pcmk_delay_base for each node"
    assert [line.partition(", which")[0] for line in said] == [f"f has {what}"] * lines


@pytest.mark.parametrize("test", [False, True])
def test_what_pacemaker_would_pass_over_is_refused(state, test):
    host, _ = state(unknown=["fence-cms1 has pcmk_delay_base"], test=test)
    ret = host.proven("cmf", DEVICES)
    assert (ret["result"], ret["comment"].partition(";")[0]) == (
        False,
        "fence-cms1 has pcmk_delay_base",
    )


# --- recipes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", recipes.fencing())
def test_a_recipe_of_the_documentation_is_a_good_pillar(site_model, agent):
    fencing = copy.deepcopy(recipes.fencing()[agent])
    fencing["nodes"] = {
        name.removesuffix(".example.com"): own for name, own in fencing["nodes"].items()
    }
    whole_site = len(fencing["nodes"]) > 2
    pairs = site_model(with_("fencing" if whole_site else OF_CMS, fencing))["pairs"]
    for pair in pairs if whole_site else pairs[:1]:
        primitives = pair["pacemaker"]["primitives"]
        devices = [primitives[f"fence-{node['name']}"] for node in pair["nodes"]]
        assert {each["agent"] for each in devices} == {f"stonith:{agent}"}
        assert all("password" not in each["params"] for each in devices)


def test_the_recipe_of_levels_is_a_good_pillar(cms):
    pillar = with_(OF_CMS, FENCING)
    pillar["pairs"]["cms"]["pacemaker"] = recipes.levels()["pacemaker"]
    pacemaker = cms(pillar)["pacemaker"]
    for level in pacemaker["fencing_levels"].values():
        assert (
            pacemaker["primitives"][level["devices"]]["params"]["pcmk_host_list"] == level["target"]
        )
    banned = {each["rsc"]: each["node"] for each in pacemaker["locations"].values()}
    assert banned == {
        f"{kind}-{node}": node for kind in ("fence", "pdu") for node in ("cms1", "cms2")
    }


def test_a_slow_device_has_time(declared):
    operations = declared(FENCING)["primitives"]["fence-cms1"]["operations"]
    times = {name: [each["timeout"] for each in all_] for name, all_ in operations.items()}
    assert times == {"start": ["60s"], "monitor": ["60s"]}
