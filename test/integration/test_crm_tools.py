"""The `crm` module and state with Salt's loader and Pacemaker's real tools, on a CIB in a file."""

import json
import threading
from xml.etree import ElementTree

import pytest
from everything import EVERYTHING
from salt.exceptions import CommandExecutionError

GUIDE = [
    "configure property no-quorum-policy=ignore",
    "configure property stonith-enabled=false",
    "configure rsc_defaults resource-stickiness=100",
    "configure primitive cloudera-scm-server lsb:cloudera-scm-server",
]

DECLARED = {
    "properties": {"no-quorum-policy": "ignore", "stonith-enabled": False},
    "rsc_defaults": {"resource-stickiness": 100},
    "primitives": {"cloudera-scm-server": "lsb:cloudera-scm-server"},
}


@pytest.fixture
def crm(salt_modules, cib_file):
    """The module, as Salt's loader has it."""
    return lambda function, *args, **kwargs: salt_modules[f"crm.{function}"](*args, **kwargs)


@pytest.fixture
def spied(load_file, beside, salt_modules, salt_utils, cib_file):
    """The module with the real `cmd.run_all`, whose calls can be seen and interrupted."""

    class Spy:
        def __init__(self):
            self.commands = []
            self.before_patch = []

        def run_all(self, command, **options):
            self.commands.append(command)
            if "--patch" in command and self.before_patch:
                self.before_patch.pop(0)()
            return salt_modules["cmd.run_all"](command, **options)

        def writes(self):
            return [command for command in self.commands if "--patch" in command]

    spy = Spy()
    spy.crm = load_file(
        "_modules/crm.py",
        salt={"cmd.run_all": spy.run_all},
        utils=salt_utils,
        grains={"id": "cms1"},
    )
    spy.rooms = beside(spy.crm, "crm_refusals", "crm_scheduler")
    return spy


# --- the guide -----------------------------------------------------------------------------------


def test_the_same_as_the_guides_own_commands(crm, cib, cib_file, another_cib_file):
    for line in GUIDE:
        another_cib_file.crm(line)
    crm("apply", DECLARED)
    assert cib.model(cib_file.text()) == cib.model(another_cib_file.text())


def test_what_the_guide_configured_by_hand_needs_no_change(crm, cib_file):
    for line in GUIDE:
        cib_file.crm(line)
    by_hand = cib_file.text()
    assert crm("apply", DECLARED) == {"changes": {}}
    assert cib_file.text() == by_hand


def test_crm_configure_show_reads_naturally(crm, cib_file):
    crm("apply", DECLARED)
    assert cib_file.crm("configure show").splitlines() == [
        "node 1: cms1",
        "node 2: cms2",
        "primitive cloudera-scm-server lsb:cloudera-scm-server",
        "property cib-bootstrap-options: \\",
        "\tno-quorum-policy=ignore \\",
        "\tstonith-enabled=false",
        "rsc_defaults rsc-options: \\",
        "\tresource-stickiness=100",
    ]


def test_crm_shows_everything_as_one_would_type_it(crm, cib_file):
    crm("apply", EVERYTHING)
    shown = [
        " ".join(line.strip(" \t\\").split())
        for line in cib_file.crm("configure show").splitlines()
    ]
    for line in (
        "primitive vip IPaddr2",
        "op start interval=0s timeout=300s",
        "op monitor interval=30s timeout=60s",
        "op_params OCF_CHECK_LEVEL=10",
        "primitive from-template @dummy-template",
        "group cloudera vip cm",
        "clone ping-everywhere ping",
        "clone db-pair db",
        "meta promotable=true promoted-max=1 notify=true",
        "location cloudera-likes-cms1 cloudera 50: cms1",
        "rule -inf: not_defined pingd or pingd number:lt 1",
        "colocation db-with-cloudera inf: cloudera db-pair:Promoted",
        "order db-then-cloudera Mandatory: db-pair:promote cloudera:start",
        "rsc_ticket cloudera-needs-ticket ticketA: cloudera loss-policy=stop",
        "location dummies-stay-away /dummy-.*/ resource-discovery=never -inf: cms2",
        "order ping-then-rest ping-everywhere [ lonely from-template sequential=true ] symmetrical=false",
        "colocation set-of-three 5: ( lonely from-template ) cloudera",
        "cms1: fence1 fence1,fence2",
        "acl_target alice",
        "tag everything-of-cm cloudera db-with-cloudera",
    ):
        assert line in shown, "\n".join(shown)


def test_the_same_ids_as_crmsh(crm, cib_file, another_cib_file):
    dummy = {
        "agent": "ocf:pacemaker:Dummy",
        "params": {"fake": "x"},
        "meta": {"priority": 5},
        "operations": {"monitor": {"interval": "10s", "timeout": "20s"}},
    }
    crm("apply", {"properties": {"stonith-enabled": False}, "primitives": {"d": dummy}})
    another_cib_file.crm("configure property stonith-enabled=false")
    another_cib_file.crm(
        "configure primitive d ocf:pacemaker:Dummy params fake=x meta priority=5 "
        "op monitor interval=10s timeout=20s"
    )
    ours, theirs = (
        sorted(
            element.get("id")
            for element in ElementTree.fromstring(file.text()).iterfind(".//*[@id]")
        )
        for file in (cib_file, another_cib_file)
    )
    assert ours == theirs


# --- apply ---------------------------------------------------------------------------------------


def test_everything_arrives_and_stays(crm, cib, cib_file):
    planned = crm("plan", EVERYTHING)["changes"]
    assert crm("apply", EVERYTHING)["changes"] == planned
    password = cib.model(cib_file.text())["primitives"]["fence1"]["params"]["password"]
    assert password == 'it\'s; $(secret) "x"'
    before = cib_file.path.stat().st_mtime_ns
    assert crm("apply", EVERYTHING) == {"changes": {}}
    assert cib_file.path.stat().st_mtime_ns == before


def test_an_export_is_nothing_to_change(crm, cib_file):
    crm("apply", EVERYTHING)
    exported = crm("export", secrets=True)
    assert crm("plan", exported, purge=True)["changes"] == {}
    masked = json.dumps(crm("export"))
    assert "hunter2" not in masked
    assert "secret" not in masked


def test_an_applied_model_is_the_same_cluster_again(crm, cib, cib_file, another_cib_file):
    crm("apply", EVERYTHING)
    model = cib.model(cib_file.text())
    cib_file.path.write_text(another_cib_file.text())
    crm("apply", model)
    assert cib.model(cib_file.text()) == model


def test_a_change_raises_the_epoch_once(crm, cib_file):
    crm("apply", DECLARED)
    assert ' epoch="2"' in cib_file.text()


def test_the_number_of_processes(spied):
    spied.crm.apply(DECLARED)
    first = [command[0] for command in spied.commands]
    assert first == ["cibadmin", "crm_verify", "crm_diff", "cibadmin"]
    spied.commands.clear()
    assert spied.crm.apply(DECLARED) == {"changes": {}}
    assert [command[:2] for command in spied.commands] == [["cibadmin", "--query"]]


def test_a_lost_race_loses_nobodys_edit(spied, cib, cib_file):
    spied.before_patch.append(lambda: cib_file.crm("configure property cluster-name=theirs"))
    spied.crm.apply(DECLARED)
    assert len(spied.writes()) == 3  # lost, doesn't fit any more, made anew
    properties = cib.model(cib_file.text())["properties"]
    assert properties["cluster-name"] == "theirs"
    assert properties["no-quorum-policy"] == "ignore"


def test_a_lost_race_is_won_with_the_same_patch(spied, cib, cib_file):
    spied.crm.apply(DECLARED)
    spied.commands.clear()
    spied.before_patch.append(lambda: cib_file.crm("configure primitive theirs lsb:theirs"))
    more = {"rsc_defaults": {"resource-stickiness": 5}, "primitives": {"ours": "lsb:ours"}}
    assert len(spied.crm.apply(more)["changes"]) == 2
    assert [command[0] for command in spied.commands].count("crm_diff") == 1
    assert len(spied.writes()) == 2
    assert {"theirs", "ours"} <= set(cib.model(cib_file.text())["primitives"])


def test_a_status_update_is_no_race(spied, cib_file):
    def node_joins():
        joined = '<node_state id="1" uname="cms1" crmd="online"/>'
        update = ["cibadmin", "--modify", "--allow-create", "--scope", "status", "--xml-pipe"]
        cib_file.run(*update, stdin=joined)
        assert 'num_updates="0"' not in cib_file.text()
        assert ' epoch="1"' in cib_file.text()

    spied.before_patch.append(node_joins)
    spied.crm.apply(DECLARED)
    assert len(spied.writes()) == 1
    assert "node_state" in cib_file.text()


def test_a_race_that_is_always_lost_ends(spied, cib_file):
    counter = iter(range(99))
    spied.before_patch += [
        lambda: cib_file.run("crm_attribute", "--name", "x", "--update", str(next(counter)))
    ] * 99
    with pytest.raises(CommandExecutionError, match="try again"):
        spied.crm.apply(DECLARED)


def test_the_old_patch_format_of_an_old_cib(spied, cib, cib_file):
    cib_file.path.write_text(cib.empty())
    spied.before_patch.append(lambda: cib_file.crm("configure property cluster-name=theirs"))
    spied.crm.apply(DECLARED)
    assert len(spied.writes()) == 3  # lost, doesn't fit any more, made anew
    assert cib.model(cib_file.text())["properties"]["cluster-name"] == "theirs"
    assert spied.crm.apply(DECLARED) == {"changes": {}}


def test_what_makes_the_scheduler_end_itself_is_not_pushed(spied, cib_file):
    """An order that is whole only with what the cluster has: declared, it says one half."""
    dummy = "ocf:pacemaker:Dummy"
    state = '<node_state id="1" uname="cms1" in_ccm="true" crmd="online" join="member" expected="member"/>'
    online = cib_file.text().replace("<status/>", f"<status>{state}</status>")
    cib_file.path.write_text(online)
    spied.crm.apply(
        {
            "properties": {"stonith-enabled": False},
            "primitives": {"a": dummy, "b": dummy},
            "orders": {"o": {"first": "a", "then": "b"}},
        }
    )
    before, written = cib_file.text(), len(spied.writes())
    with pytest.raises(CommandExecutionError, match="invalid: crm_verify ends itself; .*assertion"):
        spied.crm.apply({"orders": {"o": {"then": "a"}}})
    assert (cib_file.text(), len(spied.writes())) == (before, written)


LOOPS = {
    "two orders": {
        "orders": {"o": {"first": "a", "then": "b"}, "p": {"first": "b", "then": "a"}},
    },
    "three orders": {
        "orders": {
            "o": {"first": "a", "then": "b", "kind": "Optional"},
            "p": {"first": "b", "then": "c", "kind": "Optional"},
            "q": {"first": "c", "then": "a", "kind": "Optional"},
        },
    },
    "a set": {
        "orders": {
            "o": {"first": "a", "then": "b"},
            "p": {"sets": [{"resources": ["b"]}, {"resources": ["c", "a"]}]},
        }
    },
    "against a group's order": {
        "groups": {"g": ["a", "b"]},
        "orders": {"o": {"first": "b", "then": "a"}},
    },
    "a member before its group": {
        "groups": {"g": ["a", "b"]},
        "orders": {"o": {"first": "a", "then": "g"}},
    },
    "by a tag": {
        "tags": {"t": ["a", "b"]},
        "orders": {"o": {"first": "t", "then": "c"}, "p": {"first": "c", "then": "b"}},
    },
    "clones": {
        "clones": {"d": {"resource": "a"}, "e": {"resource": "b"}},
        "orders": {"o": {"first": "d", "then": "e"}, "p": {"first": "e", "then": "d"}},
        "locations": {},
        "colocations": {},
    },
}


@pytest.mark.parametrize("part", LOOPS)
def test_resources_that_would_wait_for_each_other_are_not_pushed(spied, cib_file, part):
    """All of them run, so for now nothing would happen; the next failover would be the first to show it."""
    stopped = {"agent": "ocf:pacemaker:Dummy", "meta": {"target-role": "Stopped"}}
    whole = {
        "properties": {"maintenance-mode": True, "no-quorum-policy": "stop"},
        "primitives": {"a": stopped, "b": "ocf:pacemaker:Dummy", "c": "ocf:pacemaker:Dummy"},
        "locations": {"l": {"rsc": "b", "node": "cms1", "score": "-INFINITY"}},
        "colocations": {"n": {"rsc": "c", "with-rsc": "a", "score": "-INFINITY"}},
        "alerts": {"cmha": "/bin/true"},  # as each pair has it
        **LOOPS[part],
    }
    orders = whole.pop("orders")
    last = list(orders)[-1]
    spied.crm.apply({**whole, "orders": {name: orders[name] for name in orders if name != last}})
    before, written = cib_file.text(), len(spied.writes())
    said = f"cms1: resources would wait for each other, .*; see orders:{last}, and"
    with pytest.raises(CommandExecutionError, match=said):
        spied.crm.apply({"orders": orders})
    with pytest.raises(CommandExecutionError, match=said):
        spied.crm.plan({"orders": orders})
    assert (cib_file.text(), len(spied.writes())) == (before, written)


CM = {
    "properties": {"no-quorum-policy": "ignore", "stonith-enabled": False},
    "primitives": {"cm": "ocf:pacemaker:Dummy", "vip": "ocf:pacemaker:Dummy"},
    "alerts": {"cmha": "/bin/true"},  # as each pair has it
}
BAN = {"rsc": "cm", "score": "-INFINITY"}
# what is declared on top of that; when the resource isn't started then, and what is named as the cause
UNSERVED = {
    "stopped": (
        {
            "primitives": {
                "cm": {"agent": "ocf:pacemaker:Dummy", "meta": {"target-role": "Stopped"}}
            }
        },
        "started nowhere: cm has the meta attribute target-role=Stopped ",
    ),
    "stopped by default": (
        {"rsc_defaults": {"target-role": "Stopped"}},
        "started nowhere: rsc_defaults say target-role=Stopped ",
    ),
    "the whole cluster": (
        {"properties": {"stop-all-resources": True}},
        "started nowhere: the cluster's property stop-all-resources is true ",
    ),
    "banned from both": (
        {"locations": {"a": {**BAN, "node": "cms1"}, "b": {**BAN, "node": "cms2"}}},
        "started nowhere: the constraint a is in the way: location (cm cms1 -INFINITY) ",
    ),
    "banned from one": (
        {"locations": {"a": {**BAN, "node": "cms1"}}},
        "started nowhere when cms2 is gone: the constraint a is in the way: location (cm cms1 -INFINITY) ",
    ),
    "opt-in": (
        {
            "properties": {"symmetric-cluster": False},
            "locations": {"a": {"rsc": "cm", "node": "cms1", "score": 5}},
        },
        "started nowhere when cms1 is gone: the cluster's property symmetric-cluster is false ",
    ),
    "standby": (
        {"node_attributes": {"cms2": {"standby": True}}},
        "started nowhere when cms1 is gone: cms2 has the attribute standby=true ",
    ),
    "with what is stopped": (
        {
            "primitives": {
                "vip": {"agent": "ocf:pacemaker:Dummy", "meta": {"target-role": "Stopped"}}
            },
            "colocations": {"c": {"rsc": "cm", "with-rsc": "vip", "score": "INFINITY"}},
        },
        "started nowhere: vip has the meta attribute target-role=Stopped ",
    ),
    "a rule on a lasting attribute": (
        {
            "node_attributes": {"cms2": {"rack": "b"}},
            "locations": {
                "l": {"rsc": "cm", "rules": [{"score": "-INFINITY", "expressions": ["rack eq b"]}]}
            },
        },
        "started nowhere when cms1 is gone: cms2 has the attribute rack=b ",
    ),
    "after what is elsewhere": (
        {
            "orders": {"o": {"first": "vip", "then": "cm"}},
            "locations": {"a": {"rsc": "vip", "node": "cms1", "score": "-INFINITY"}},
        },
        "started nowhere when cms2 is gone: the constraint a is in the way: location (vip cms1 -INFINITY) ",
    ),
}


@pytest.mark.parametrize("part", UNSERVED)
@pytest.mark.parametrize("new", [False, True], ids=["there already", "new"])
def test_what_keeps_the_service_from_starting_is_not_pushed(spied, cib_file, part, new):
    declared, said = UNSERVED[part]
    if new:
        declared = {
            section: {**CM.get(section, {}), **declared.get(section, {})}
            for section in {**CM, **declared}
        }
    else:
        spied.crm.apply(CM, serves="cm")
    before, written = cib_file.text(), len(spied.writes())
    for function in (spied.crm.apply, spied.crm.plan):
        with pytest.raises(CommandExecutionError, match="^cms1: with this cm would be ") as refused:
            function(declared, serves="cm")
        assert said in str(refused.value)
    assert (cib_file.text(), len(spied.writes())) == (before, written)


def test_fencing_without_a_device_is_refused_for_what_is_new(spied):
    """Pacemaker's own tools call that invalid, also when nobody has turned fencing on."""
    why = (
        "started nowhere: the cluster's property stonith-enabled is true: no device that works can"
    )
    declared = {**CM, "properties": {"no-quorum-policy": "ignore", "stonith-enabled": True}}
    with pytest.raises(CommandExecutionError, match=why):
        spied.crm.apply(declared, serves="cm")
    assert spied.writes() == []


LEFT_ALONE = {
    "what a rule on an attribute keeps away": {
        "locations": {
            "l": {
                "rsc": "cm",
                "rules": [{"score": "-INFINITY", "expressions": ["not_defined pingd"]}],
            }
        }
    },
    "what a rule on an attribute invites where nobody is else": {
        "properties": {"symmetric-cluster": False},
        "locations": {
            "l": {"rsc": "cm", "rules": [{"score": 100, "expressions": ["defined pingd"]}]}
        },
    },
    "what a rule on a lasting attribute invites": {
        "properties": {"symmetric-cluster": False},
        "node_attributes": {"cms1": {"rack": "a"}, "cms2": {"rack": "b"}},
        "locations": {
            "l": {"rsc": "cm", "rules": [{"score": 100, "expressions": ["defined rack"]}]}
        },
    },
    "what follows a promoted one, which agents choose": {
        "primitives": {"drbd": "ocf:linbit:drbd"},
        "clones": {"ms": {"resource": "drbd", "meta": {"promotable": True, "promoted-max": 1}}},
        "colocations": {
            "c": {"rsc": "cm", "with-rsc": "ms", "with-rsc-role": "Promoted", "score": "INFINITY"}
        },
        "orders": {
            "o": {"first": "ms", "first-action": "promote", "then": "cm", "then-action": "start"}
        },
    },
    "what is stopped at times": {
        "rsc_defaults_sets": {
            "w": {
                "score": 10,
                "rule": {
                    "expressions": [
                        {
                            "date_expression": {
                                "operation": "date_spec",
                                "date_spec": {"years": "2020-2090"},
                            }
                        }
                    ]
                },
                "values": {"target-role": "Stopped"},
            }
        }
    },
    "capacities that an agent measures": {
        "properties": {"placement-strategy": "utilization"},
        "primitives": {
            "u": "ocf:heartbeat:NodeUtilization",
            "cm": {"agent": "ocf:pacemaker:Dummy", "utilization": {"cpu": 2}},
        },
        "clones": {"us": "u"},
    },
    "a resource in maintenance": {
        "primitives": {"cm": {"agent": "ocf:pacemaker:Dummy", "meta": {"maintenance": True}}}
    },
    "a resource that people manage": {
        "primitives": {"cm": {"agent": "ocf:pacemaker:Dummy", "meta": {"is-managed": False}}}
    },
    "a node in maintenance": {"node_attributes": {"cms2": {"maintenance": True}}},
    "a score that an agent gives": {
        "locations": {
            "l": {
                "rsc": "cm",
                "rules": [{"score-attribute": "pingd", "expressions": ["#uname ne x"]}],
            }
        }
    },
    "a node's health": {
        "locations": {
            "l": {
                "rsc": "cm",
                "rules": [{"score": "-INFINITY", "expressions": ["not_defined #health_disk"]}],
            }
        }
    },
    "what an agent says later": {
        "node_attributes": {"cms1": {"pingd": 0}, "cms2": {"pingd": 0}},
        "locations": {
            "l": {"rsc": "cm", "rules": [{"score": "-INFINITY", "expressions": ["pingd lt 1"]}]}
        },
    },
    "what waits for a ticket": {"tickets": {"t": {"ticket": "T", "rsc": "cm"}}},
    "maintenance mode, in which people know that nothing is started": {
        "properties": {"maintenance-mode": True}
    },
    "a preferred node": {"locations": {"l": {"rsc": "cm", "node": "cms1", "score": 50}}},
    "another resource that is stopped": {
        "primitives": {"vip": {"agent": "ocf:pacemaker:Dummy", "meta": {"target-role": "Stopped"}}}
    },
}


@pytest.mark.parametrize("part", LEFT_ALONE)
def test_what_only_a_running_cluster_knows_is_no_reason(spied, part):
    spied.crm.apply(CM, serves="cm")
    assert spied.crm.apply(LEFT_ALONE[part], serves="cm")["changes"]


@pytest.mark.parametrize(
    "line",
    [
        "configure property maintenance-mode=true",
        "configure property stop-all-resources=true",
        "configure property stonith-enabled=true",
    ],
)
def test_what_keeps_it_already_hinders_nothing_else(spied, cib_file, line):
    spied.crm.apply(CM, serves="cm")
    cib_file.crm(line)
    change = {"rsc_defaults": {"resource-stickiness": 100}}
    assert spied.crm.apply(change, serves="cm")["changes"]


@pytest.mark.parametrize(
    ("line", "part", "said"),
    [
        ("configure property maintenance-mode=true", "stopped", "target-role=Stopped"),
        ("resource maintenance cm on", "banned from both", "constraint a is in the way"),
        ("resource unmanage cm", "stopped", "target-role=Stopped"),
        ("node standby cms2", "banned from one", "constraint a is in the way"),
        ("resource stop cm", "banned from both", "constraint a is in the way"),
    ],
)
def test_what_somebody_does_meanwhile_hides_nothing(spied, cib_file, line, part, said):
    spied.crm.apply(CM, serves="cm")
    cib_file.crm(line)
    with pytest.raises(CommandExecutionError, match=said):
        spied.crm.apply(UNSERVED[part][0], serves="cm")


@pytest.mark.parametrize(
    "line", ["node standby cms2", "configure property stop-all-resources=true"]
)
def test_what_somebody_does_meanwhile_hinders_nobody(spied, cib_file, line):
    cib_file.crm(line)
    assert spied.crm.apply(CM, serves="cm")["changes"]


def test_what_somebody_has_started_is_started(spied, cib_file):
    spied.crm.apply(CM, serves="cm")
    cib_file.crm("resource meta cm set target-role Started")
    assert spied.crm.apply({"rsc_defaults": {"target-role": "Stopped"}}, serves="cm")["changes"]


@pytest.mark.parametrize("function", ["only_ordered", "just_come"])
def test_the_scheduler_reads_a_cluster_on_nodes_that_have_just_come(cib_file, pure, crm, function):
    """With every section, and each id once."""
    crm("apply", {**EVERYTHING, "alerts": {"cmha": "/bin/true"}})
    fresh = getattr(pure("cib_fresh"), function)(cib_file.text())
    cib_file.run("crm_simulate", "--simulate", "--xml-pipe", stdin=fresh)


def test_what_the_scheduler_does_not_say_refuses_nothing(spied, monkeypatch):
    spied.crm.apply(CM, serves="cm")
    silent = {"retcode": 78, "stdout": "", "stderr": "schema"}
    monkeypatch.setattr(spied.rooms["crm_scheduler"], "_simulate", lambda xml: silent)
    assert spied.crm.apply({"rsc_defaults": {"priority": 1}}, serves="cm")["changes"]


def test_what_is_served_may_be_a_group_or_a_clone(spied):
    more = {"groups": {"g": ["vip"]}, "clones": {"c": "cm"}}
    for served in ("g", "c"):
        assert "changes" in spied.crm.apply({**CM, **more}, serves=served)
    ban = {"locations": {"a": {"rsc": "g", "node": "cms1", "score": "-INFINITY"}}}
    with pytest.raises(
        CommandExecutionError, match="with this g would be started nowhere when cms2"
    ):
        spied.crm.apply(ban, serves="g")


@pytest.mark.parametrize("served", ["cmm", "", 5])
def test_what_is_served_has_to_be_there(spied, served):
    with pytest.raises(
        CommandExecutionError, match=f"serves: there would be no resource {served}$"
    ):
        spied.crm.apply(CM, serves=served)
    assert spied.writes() == []


def test_resources_that_wait_for_each_other_already_hinder_nothing_else(spied, cib, cib_file):
    spied.crm.apply(
        {
            "properties": {"stonith-enabled": False},
            "primitives": dict.fromkeys("abcd", "ocf:pacemaker:Dummy"),
            "orders": {"o": {"first": "a", "then": "b"}},
        }
    )
    cib_file.crm("configure order p Mandatory: b a")
    spied.crm.apply({"orders": {"q": {"first": "c", "then": "d"}}})
    spied.crm.apply({}, absent={"orders": ["p"]})
    assert set(cib.model(cib_file.text())["orders"]) == {"o", "q"}


def test_what_pacemaker_finds_invalid_is_not_pushed(spied, cib_file):
    before = cib_file.text()
    bad = {
        "primitives": {
            "d": {"agent": "ocf:pacemaker:Dummy", "operations": {"start": {"on-fail": "panic"}}}
        },
        "allow_unknown": ["on-fail"],
    }
    with pytest.raises(
        CommandExecutionError, match="^cms1: Pacemaker finds the new configuration invalid"
    ):
        spied.crm.apply(bad)
    assert spied.writes() == []
    assert cib_file.text() == before


def test_an_absent_primitive_leaves_a_valid_cib(crm, cib_file):
    cib_file.crm("configure property stonith-enabled=false")
    cib_file.crm("configure primitive a ocf:pacemaker:Dummy")
    cib_file.crm("configure primitive b ocf:pacemaker:Dummy")
    cib_file.crm("configure location la a 100: cms1")
    cib_file.crm("configure colocation ca inf: b a")
    crm("apply", {}, {"primitives": ["a"]})
    shown = cib_file.crm("configure show")
    assert "primitive b" in shown
    for gone in ("primitive a", "location", "colocation"):
        assert gone not in shown


def test_two_hosts_apply_at_once(crm, cib, cib_file):
    """Both hosts of a pair run their highstate: whoever comes second finds it done."""
    results = []

    def apply():
        results.append(crm("apply", DECLARED))

    threads = [threading.Thread(target=apply) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert crm("plan", DECLARED)["changes"] == {}


def test_no_log_tells_a_secret(crm, salt_modules, caplog):
    with caplog.at_level(0):
        salt_modules["cmd.run"]("echo a command that is no secret")
        crm("plan", EVERYTHING)
        crm("apply", EVERYTHING)
        crm("apply", EVERYTHING, purge=True)
        crm("query")
        crm("export")
    assert "a command that is no secret" in caplog.text
    assert "hunter2" not in caplog.text
    assert "$(secret)" not in caplog.text


def test_a_refusal_tells_no_secrets(spied, cib_file, monkeypatch):
    bad = {"on-fail": "panic"}
    fence = {
        "agent": "stonith:fence_x",
        "params": {"passwd": "hunter2"},
        "operations": {"start": bad},
    }
    with pytest.raises(
        CommandExecutionError, match="invalid: it doesn't fit the schema"
    ) as refused:
        spied.crm.apply({"primitives": {"f": fence}, "allow_unknown": ["on-fail"]})
    assert "hunter2" not in str(refused.value)
    monkeypatch.setattr(spied.rooms["crm_refusals"], "_verify", lambda before, after: None)
    with pytest.raises(CommandExecutionError, match="the cluster refused the change") as refused:
        spied.crm.apply({"primitives": {"f": fence}, "allow_unknown": ["on-fail"]})
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in str(spied.commands)


def test_the_wrong_nodes(crm, cib_file):
    before = cib_file.text()
    with pytest.raises(CommandExecutionError, match="mgmt1 is missing; cms2 doesn't belong"):
        crm("apply", DECLARED, nodes=["cms1", "mgmt1"])
    assert cib_file.text() == before


def test_nothing_to_work_on(crm, cib_file):
    cib_file.path.unlink()
    assert not crm("running")
    with pytest.raises(CommandExecutionError, match="no cluster runs here"):
        crm("apply", DECLARED)


# --- status --------------------------------------------------------------------------------------


@pytest.fixture
def simulated(cib_file):
    """The cluster as Pacemaker's scheduler would run it, with a failure."""
    for line in (
        "configure property stonith-enabled=false",
        "configure primitive solo ocf:pacemaker:Dummy",
        "configure primitive inner ocf:pacemaker:Dummy",
        "configure group g inner",
        "configure primitive many ocf:pacemaker:Dummy",
        "configure clone c many",
        "configure primitive off ocf:pacemaker:Dummy meta target-role=Stopped",
    ):
        cib_file.crm(line)
    # once for the nodes to come up, once more for what they then start
    for step in (["--node-up", "cms1", "--node-up", "cms2"], []):
        simulated = cib_file.path.with_suffix(".simulated")
        files = ["-x", str(cib_file.path), "--save-output", str(simulated)]
        cib_file.run("crm_simulate", "--simulate", *files, *step)
        cib_file.path.write_text(simulated.read_text())
    return cib_file


def test_status_of_a_simulated_cluster(crm, simulated):
    status = crm("status")
    assert {name: node["online"] for name, node in status["nodes"].items()} == {
        "cms1": True,
        "cms2": True,
    }
    assert status["dc"] == "cms1"
    assert status["with_quorum"]
    assert set(status["resources"]) == {"solo", "inner", "many", "off"}
    assert len(crm("started", "solo")) == 1
    assert len(crm("started", "inner")) == 1
    assert crm("started", "many") == ["cms1", "cms2"]
    assert crm("started", "off") == []
    assert status["resources"]["off"]["target_role"] == "Stopped"


def test_a_plan_says_what_the_cluster_would_do(crm, simulated):
    (here,) = crm("started", "solo")
    there = "cms2" if here == "cms1" else "cms1"
    away = {"locations": {"away": {"rsc": "solo", "node": here, "score": "-INFINITY"}}}
    before = simulated.text()
    plan = crm("plan", away)
    first = plan["summary"][0]
    assert first.startswith("would stop or move what runs: ")
    assert f"Move solo ({here} -> {there})" in first
    assert simulated.text() == before
    assert crm("plan", {"properties": {"cluster-recheck-interval": "5min"}})["effects"] == []


def test_what_runs_isnt_purged(crm, simulated):
    rest = crm("export")
    del rest["primitives"]["solo"]
    before = simulated.text()
    with pytest.raises(
        CommandExecutionError, match=r"the purge would remove what runs: solo \(on cms"
    ):
        crm("apply", rest, purge=True)
    assert simulated.text() == before
    rest = crm("export")
    del rest["primitives"]["off"]
    assert list(crm("apply", rest, purge=True)["changes"]) == ["primitives:off"]


# --- the state -----------------------------------------------------------------------------------


def test_the_state_by_salts_loader(salt_states, minion_opts, cib_file, monkeypatch):
    configured = salt_states["crm.configured"]
    monkeypatch.setitem(minion_opts, "test", False)
    first = configured("cms", nodes=["cms1", "cms2"], **DECLARED)
    assert (first["result"], len(first["changes"])) == (True, 4), first
    applied = cib_file.text()
    second = configured("cms", nodes=["cms1", "cms2"], **DECLARED)
    assert (second["result"], second["changes"]) == (True, {})
    assert cib_file.text() == applied
