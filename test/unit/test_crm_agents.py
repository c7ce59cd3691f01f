"""Parameters against what agents say of themselves: what is refused, and what passes."""

import pytest

METADATA = """<?xml version="1.0"?><!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="x"><parameters>
  <parameter name="ip" required="1" obsoletes="ipaddr"><content type="string"/></parameter>
  <parameter name="ipaddr" required="1" deprecated="1"><content type="string"/></parameter>
  <parameter name="plug" required="1"><content type="string"/></parameter>
  <parameter name="nic"><content type="string"/></parameter>
  <parameter name="cidr" required="0"><content type="integer"/></parameter>
  <parameter name="ssl"><content type="boolean"/></parameter>
  <parameter name="bare"/>
  <parameter name="ssl_insecure"><content type="boolean"/></parameter>
  <parameter name="kind" required="1"><content type="string" default="qemu"/></parameter>
</parameters></resource-agent>"""
IP, FENCE = "ocf:heartbeat:IPaddr2", "stonith:fence_x"
WHOLE = {"ip": "192.0.2.1", "plug": "1"}


@pytest.fixture
def faults(pure):
    room = pure("agent_metadata")

    def found(params, agent=IP, names=None):
        return room.faults(agent, room.parameters(METADATA), params, names)

    return found


@pytest.mark.parametrize(
    ("params", "agent", "expected"),
    [
        (WHOLE, IP, []),
        ({"ipaddr": "192.0.2.1", "plug": "1"}, IP, []),
        ({"ip": "192.0.2.1"}, IP, [("plug", f"is missing: {IP} needs it")]),
        ({}, FENCE, [("ip", f"is missing: {FENCE} needs it")]),  # the fencer gives the plug
        ({**WHOLE, "nicc": "e"}, IP, [("nicc", f"{IP} has no such parameter; did you mean nic?")]),
        ({**WHOLE, "qqqqq": "e"}, IP, [("qqqqq", f"{IP} has no such parameter")]),
        ({**WHOLE, "ssl": "maybe"}, FENCE, [("ssl", f"{FENCE} takes it for true or false")]),
        ({**WHOLE, "ssl": "safe"}, IP, []),  # a third word, as Filesystem's force_unmount has
        ({**WHOLE, "ssl-insecure": "1"}, FENCE, []),
        (
            {**WHOLE, "ssl-insecure": "1"},
            IP,
            [("ssl-insecure", f"{IP} has no such parameter; did you mean ssl_insecure?")],
        ),
        ({**WHOLE, "cidr": "wide"}, IP, [("cidr", f"{IP} takes it for a number")]),
        ({**WHOLE, "ssl": "ON", "cidr": "24", "bare": "x"}, IP, []),
        ({**WHOLE, "cidr": "30s", "ssl": None}, IP, []),
        ({**WHOLE, "trace_ra": "1"}, IP, []),
        ({**WHOLE, "trace_ra": "1"}, FENCE, [("trace_ra", f"{FENCE} has no such parameter")]),
        ({**WHOLE, "pcmk_host_list": "a"}, FENCE, []),
        ({**WHOLE, "pcmk_host_list": "a"}, IP, [("pcmk_host_list", f"{IP} has no such parameter")]),
    ],
)
def test_a_new_resource(faults, params, agent, expected):
    assert faults(params, agent) == expected


def test_only_what_changes_is_looked_at(faults):
    assert faults({"wrong": "1", "nic": "e"}, names=["nic"]) == []
    assert len(faults({"wrong": "1", "nic": "e"}, names=["nic", "wrong"])) == 1


@pytest.mark.parametrize("text", ["", "usage: x", "<a/>", "<resource-agent"])
def test_what_is_no_metadata(pure, text):
    assert pure("agent_metadata").parameters(text) is None


# --- on the host ---------------------------------------------------------------------------------

CIB = """<cib><configuration><crm_config/><nodes/><constraints/><resources>
  <template id="tpl" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="t">
    <nvpair id="t1" name="plug" value="1"/></instance_attributes></template>
  <primitive id="vip" template="tpl"><instance_attributes id="v"><nvpair id="v1" name="nicc" value="e"/>
    </instance_attributes></primitive>
  <primitive id="cm" class="lsb" type="cm"/>
  <primitive id="ruled" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="r" score="1">
    <nvpair id="r1" name="ip" value="x"/><nvpair id="r2" name="plug" value="1"/><nvpair id="r3" name="ssl"
    value="maybe"/></instance_attributes></primitive>
</resources></configuration></cib>"""


@pytest.fixture
def module(load_file, pure):
    asked = []

    def run(command):
        asked.append(command)
        return {"retcode": 0 if command[-1] == IP else 1, "stdout": METADATA}

    module = load_file(
        "_modules/crm_agents.py",
        salt={"bounded.run": run},
        utils={
            "cib.with_templates": pure("cib").with_templates,
            **{
                f"agent_metadata.{name}": getattr(pure("agent_metadata"), name)
                for name in ("faults", "parameters")
            },
        },
        context={},
    )
    module.asked = asked
    return module


def new(what):
    return {"old": None, "new": what}


@pytest.mark.parametrize(
    ("changes", "allowed", "lines"),
    [
        (
            {"primitives:vip": new({})},
            (),
            [
                f"primitives:vip:params:nicc: {IP} has no such parameter; did you mean nic?",
                f"primitives:vip:params:ip: is missing: {IP} needs it",
            ],
        ),
        (
            {"primitives:vip:params:nicc": new("e")},
            (),
            [f"primitives:vip:params:nicc: {IP} has no such parameter; did you mean nic?"],
        ),
        ({"primitives:vip:params:nicc": new("e")}, ["nicc"], []),
        ({"primitives:vip:params:nicc": {"old": "e", "new": None}}, (), []),
        ({"primitives:vip:meta:x": new("1")}, (), []),
        ({"primitives:ruled": new({})}, (), []),
        ({"primitives:cm": new({})}, (), []),
        ({"templates:tpl": new({})}, (), []),
        ({"primitives:gone": new({})}, (), []),
        ({"properties:x": new("1"), "locations:vip:params:a": new("1")}, (), []),
        ({"primitives:vip:agent": new(IP), "primitives:vip:params:nic": new("e")}, ["ip"], 1),
    ],
)
def test_what_a_change_makes(module, changes, allowed, lines):
    found = module.faults(CIB, changes, allowed)
    assert found == lines if isinstance(lines, list) else len(found) == lines


def test_each_agent_is_asked_once(module):
    module.faults(CIB, {"primitives:vip": new({}), "primitives:ruled": new({})})
    assert module.asked == [["crm_resource", "--show-metadata", IP]]


def test_an_agent_that_says_nothing_is_no_fault(module):
    xml = CIB.replace("IPaddr2", "Mute")
    assert module.faults(xml, {"primitives:ruled": new({})}) == []
