"""
Whatever comes from outside, spoiled at random: it is understood, or refused with one line, and nothing else.

`make fuzz` tries 100,000 examples of each kind, `make test` a few hundred. An example is a seed, so that a failure
can be had again.
"""
# ruff: noqa: E501 - lines are long where tools print long ones

import copy
import json
import os
import random
from xml.etree import ElementTree

import pytest
from everything import EVERYTHING
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pillars import SITE

LONG = "CMHA_FUZZ" in os.environ
PARTS = 20 if LONG else 1  # of a long fuzz, so that every worker has something to do until its end
EXAMPLES = max(1, int(os.environ.get("CMHA_FUZZ", "300")) // PARTS)

ODD = [
    "", " ", "0", "-1", "99999999999999999999", "NaN", "\x00", "\x1b[2J", "\n", "\x85", "\u2028", "é", "😀", "{", "}", ":",
    "<", "&amp;", "]]>", "../../x", "%s", "{{ x }}", "'", '"', "true", "null", "x" * 3000, "9" * 5000, "1e999", "٣", "²", "02",
    "P", "PT", "a b",
]  # fmt: skip
ODD_VALUES = [
    *ODD, None, True, False, 0, -1, 2**70, 0.5, float("inf"), float("nan"), [], {}, [[]], [None], {"": ""}, {7: {}},
    {None: None}, ["x"] * 50, (1, 2), b"bytes",
]  # fmt: skip

CIB = """<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config>
<cluster_property_set id="p"><nvpair id="p1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="cms1"/><node id="2" uname="cms2"/></nodes><resources/><constraints/></configuration>
<status><node_state id="1" uname="cms1"><lrm id="1"><lrm_resources><lrm_resource id="vip">
<lrm_rsc_op id="a" operation="start" rc-code="0" last-rc-change="1"/></lrm_resource></lrm_resources></lrm></node_state>
</status></cib>"""

MON = """<pacemaker-result api-version="2.25"><summary><current_dc present="true" name="cms1" version="2.1.5"
with_quorum="true"/><cluster_options maintenance-mode="false"/></summary><nodes><node name="cms1" id="1" online="true"
resources_running="2"/></nodes><resources><group id="g"><resource id="vip:0" resource_agent="ocf:x:y" role="Started"
active="true"><node name="cms1" id="1"/></resource></group></resources><failures><failure op_key="vip_start_0" node="cms1"
exitcode="1" exitreason="x" task="start"/></failures></pacemaker-result>"""

SIMULATE = """Transition Summary:
  * Fence (reboot) cms1 'peer is no longer part of the cluster'
  * Move       vip     (        cms1 -> cms2 )
  * Restart    vip     (        cms2 )  due to required fence1 start

Executing Cluster Transition:
"""

CONF = """totem {
    version: 2
    interface {
        ringnumber: 0
        mcastport: 5405
    }
}
nodelist {
    node {
        ring0_addr: 192.0.2.11
        nodeid: 1
    }
}
logging {
    logger_subsys {
        subsys: QB
    }
}
"""

CMAP = """totem.token (u32) = 1000
totem.interface.0.mcastport (u16) = 5405
nodelist.node.0.ring0_addr (str) = 192.0.2.11
runtime.members.1.status (str) = joined
runtime.members.1.ip (str) = r(0) ip(192.0.2.11)
"""

QUORUM = """Quorum provider:  corosync_votequorum

Votequorum information
----------------------
Expected votes:   3
Total votes:      3
Quorum:           2
Flags:            Quorate Qdevice AutoTieBreaker

Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          1    A,V,NMW cms1 (local)
         2          1    A,V,NMW cms2
         0          1            Qdevice
"""

NFT = """table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ip saddr 192.0.2.11 udp dport { 5404, 5405 } accept comment "cmha" # handle 7
    }
}
"""

RULE = {
    "id": "INPUT cms1", "chain": "INPUT", "family": "ipv4",
    "match": {"source": "192.0.2.11", "proto": "udp", "dports": "5404,5405"},
}  # fmt: skip

ALERT = "kind resource\nnode cms1\nrsc vip\ntask start\nrc 1\ntarget_rc 0\nstatus 4\ntimestamp_epoch 1700000000\ndesc x\n"


def fuzz(test):
    """Run a test with as many seeds as are asked for."""
    examples = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=not LONG,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return examples(given(seed=st.integers(0, 2**48))(test))


@pytest.fixture(autouse=True, params=range(PARTS))
def part():
    """Each test as often as a long fuzz has parts; each part draws seeds of its own."""


# --- how things are spoiled ----------------------------------------------------------------------


def spoiled(text, seed):
    """A text with a few pieces of it taken out, doubled, moved, cut off, or made another."""
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(text) + 1)
        end = min(len(text), start + dice.choice((1, 1, 3, 20, 200)))
        text = dice.choice(
            (
                text[:start] + text[end:],
                text[:end] + text[start:],
                text[:start] + dice.choice(ODD) + text[end:],
                text[:start],
                text[end:] + text[:end],
                text[:start] + text[start:end][::-1] + text[end:],
            )
        )
    return text


def spoiled_attributes(text, seed):
    """An XML text in which a few quoted values, or names of elements and attributes, are others."""
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 4)):
        parts = text.split('"')
        where = dice.randrange(len(parts))
        if where % 2:
            odd = dice.choice([*ODD, *parts[1::2]])
            parts[where] = odd.replace("<", "&lt;").replace("\x00", "").replace("\x1b", "")
        elif dice.random() < 0.5:
            words = parts[where].split()
            parts[where] = " ".join(dice.sample(words, max(len(words) - 1, 0)))
        else:
            parts[where] = parts[dice.randrange(0, len(parts), 2)]
        text = '"'.join(parts)
    return text


def spoiled_data(value, seed):
    """Data in which a few values or keys are others."""
    dice, value = random.Random(seed), copy.deepcopy(value)
    for _ in range(dice.randint(1, 3)):
        place = value
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = dice.choice(keys)
            inner = place[key]
            if isinstance(inner, (dict, list)) and inner and dice.random() < 0.8:
                place = inner
                continue
            if isinstance(place, dict) and dice.random() < 0.3:
                new = dice.choice(
                    [each for each in ODD_VALUES if not isinstance(each, (list, dict))]
                )
                place[new] = place.pop(key)
            else:
                place[key] = copy.deepcopy(dice.choice(ODD_VALUES))
            break
    return value


def refused(call, *arguments):
    """What a call returns; or None, when it refuses with one line that a terminal can show."""
    try:
        return call(*arguments)
    except ValueError as error:
        assert type(error).__name__ in ("InvalidCib", "SiteError", "ValueError"), repr(error)
        said = str(error)
        assert said
        assert "invalid literal" not in said
        assert "unpack" not in said
        assert "Exceeds" not in said  # a number of more digits than Python reads
        return None


def ids_are_unique(xml):
    """Whether it can be a CIB at all: each id is one object's, and each object has one."""
    configuration = ElementTree.fromstring(xml).find("configuration")
    named = [each.get("id") for each in configuration.iter() if each.tag not in NO_IDS]
    found = [each for each in named if each is not None]
    return len(found) == len(set(found)) and len(configuration) == len(
        {each.tag for each in configuration}
    )


NO_IDS = ("obj_ref", "resource_ref", "role", "node", "acl_target")


# --- the parsers ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def full(pure):
    """A CIB with something in every section."""
    return pure("cib").difference(CIB, EVERYTHING)["xml"]


@pytest.mark.parametrize("how", [spoiled, spoiled_attributes])
def test_a_cib(pure, full, how):
    cib, obstacles = pure("cib"), pure("cib_obstacles")

    @fuzz
    def one(seed):
        xml = how(full, seed)
        exported = refused(cib.export, xml, True)
        difference = exported and refused(cib.difference, xml, exported)
        if difference and ids_are_unique(xml):
            assert difference["changes"] == {}
        for call in (cib.nodes, cib.leftovers, cib.maintenance, cib.masked_xml):
            refused(call, xml)
        refused(cib.since, xml, "vip", "cms1")
        if difference:  # it is a CIB
            found = list(obstacles.obstacles(xml, "cms2", "cms1"))
            for obstacle in found:
                assert obstacle.line
                obstacles.fences(obstacles.without(xml, [obstacle]))
            obstacles.fences(obstacles.without(xml, found))
        refused(cib.difference, xml, {"properties": {"stonith-enabled": False}}, None, True)

    one()


def test_what_is_declared(pure, full):
    cib = pure("cib")

    @fuzz
    def one(seed):
        declared = spoiled_data(EVERYTHING, seed)
        if refused(cib.check_whole, declared) is not None:
            refused(cib.difference, full, declared)

    one()


@pytest.mark.parametrize("how", [spoiled, spoiled_attributes])
def test_the_clusters_status(pure, how):
    @fuzz
    def one(seed):
        refused(pure_mon.status, how(MON, seed))

    pure_mon = pure("crm_mon")
    one()


def test_the_lines_of_tools(pure):
    simulate, conf, rules = pure("crm_simulate"), pure("corosync_conf"), pure("packet_rules")
    votes = pure("corosync_votes")

    @fuzz
    def one(seed):
        for effect in simulate.effects(spoiled(SIMULATE, seed)):
            assert simulate.described(effect)
        keys, memory = conf.keys(spoiled(CONF, seed)), conf.memory(spoiled(CMAP, seed))
        assert conf.way(conf.difference(memory, keys), keys) in (
            None,
            "reload",
            "one by one",
            "together",
        )
        conf.addresses(spoiled(CONF, seed))
        assert votes.quorate_without(spoiled(QUORUM, seed), "1") in (True, False)
        listing = spoiled(NFT, seed)
        rules.nft_chains(listing, RULE)
        rules.nft_handles(listing, rules.nft_rule("inet", RULE))
        rules.nft_script(listing, [RULE])
        rules.iptables_saved(spoiled("-A INPUT -s 192.0.2.11/32 -p udp -j ACCEPT\n", seed), RULE)
        rules.ufw_added(
            spoiled("ufw allow from 192.0.2.11 to any port 5404,5405 proto udp comment 'x'\n", seed)
        )

    one()


def test_a_pillar(site_model, pure):
    fitted = pure("cmha_corosync").fitted

    @fuzz
    def one(seed):
        site = refused(site_model, spoiled_data(WITH_MUCH, seed))
        for pair in site["pairs"] if site else ():
            for generation in (1, 2, 3):
                refused(fitted, pair, generation)
            json.dumps(pair, default=repr)

    one()


WITH_MUCH = {
    **SITE,
    "corosync": {
        "totem": {"token": 5000, "transport": "knet", "crypto_cipher": "aes256"},
        "interface": {0: {"mcastport": 5407}},
        "quorum": {
            "device": {
                "model": "net",
                "net": {"host": "q", "algorithm": "ffsplit"},
                "heuristics": {"mode": "on", "exec_x": "/x"},
            }
        },
        "logging": {"logger_subsys": {"QB": {"debug": "on"}}},
    },
    "firewall": {"sources": "any", "save": True},
    "pacemaker": {
        "properties": {"no-quorum-policy": "stop"},
        "absent": {"primitives": ["y"]},
        "purge": ["tags"],
    },
    "versions": {"corosync": "3.1.7"},
    "crmsh": {"install": True, "repository": {"name": "x", "baseurl": "y"}},
    "timeouts": {"online": 5},
    "preflight": {"ignore": ["clock"]},
    "agent_processes": "^X=",
    "roles": {"server": {"port": 7180}},
}


def test_an_alert(load_file, tmp_path, caplog):
    beacon = load_file("_beacons/cmha_alerts.py", opts={"id": "cms1"})
    file = tmp_path / "alert"

    @fuzz
    def one(seed):
        caplog.clear()
        file.write_text(spoiled(ALERT, seed), encoding="utf-8", errors="replace")
        event = beacon._event(str(file), {"site": "east", "pair": "cms"}, "cms1")
        if event is not None:
            tag, data = event
            assert tag.startswith("cmha/east/cms/alert/")
            assert tag.isprintable()
            assert all(text.isprintable() for text in data.values() if isinstance(text, str))

    one()


def test_an_answer_of_a_host(pure):
    answers = pure("cmha_answers")
    known = list(answers.SHAPES)

    @fuzz
    def one(seed):
        answer = spoiled_data({"a": [1, {"b": "c"}], "nodes": {"cms1": {"online": True}}}, seed)
        for function in known:
            said = answers.problem(function, answer)
            assert said is None or said.isprintable()
        answers.shown(answer)

    one()
