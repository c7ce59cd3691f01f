"""The CIB of live clusters: what a plan foretells, what an export holds, and that nobody's edit is lost."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
from conftest import CMS, HERE
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")

ROUNDS = int(os.environ.get("CMHA_ROUNDS", "200"))

DUMMIES = {
    "primitives": {
        name: {"agent": "ocf:pacemaker:Dummy", "operations": {"monitor": {"interval": "10s"}}}
        for name in ("one", "two", "three")
    },
    "groups": {"pair": ["one", "two"]},
    "locations": {"at-cms1": {"rsc": "pair", "node": "cms1", "score": "INFINITY"}},
    "colocations": {"apart": {"rsc": "three", "with-rsc": "pair", "score": "-INFINITY"}},
    "orders": {"after": {"first": "pair", "then": "three", "kind": "Optional"}},
}
GONE = {key: list(objects) for key, objects in DUMMIES.items()}


def crm(lab, function, *arguments, host="cms1"):
    words = [each if isinstance(each, str) else json.dumps(each) for each in arguments]
    return lab.salt([host], f"crm.{function}", *words)[host]


def test_what_pillar_declares_is_the_default(lab):
    assert crm(lab, "plan")["summary"] == ["nothing differs"]
    assert crm(lab, "apply") == {"changes": {}}


def test_a_plan_foretells_what_then_happens(lab):
    kept = ("ls", "-la", "--time-style=full-iso", "/var/lib/pacemaker/cib")
    before = lab.on("cms1", *kept)
    plan = crm(lab, "plan", DUMMIES)
    assert lab.on("cms1", *kept) == before
    assert {(each["action"], each["what"], each["where"]) for each in plan["effects"]} == {
        ("Start", "one", "cms1"), ("Start", "two", "cms1"), ("Start", "three", "cms2"),
    }  # fmt: skip
    assert "one" not in crm(lab, "status")["resources"]
    assert crm(lab, "apply", DUMMIES)["changes"] == plan["changes"]
    assert crm(lab, "wait", "60") is True
    assert [crm(lab, "started", name) for name in ("one", "two", "three")] == [
        ["cms1"], ["cms1"], ["cms2"],
    ]  # fmt: skip

    over = {"locations": {"at-cms1": {"node": "cms2"}}}
    plan = crm(lab, "plan", over)
    assert plan["summary"][0].startswith("would stop or move what runs: ")
    assert {each["what"] for each in plan["effects"] if each["action"] == "Move"} == {
        "one", "two", "three",
    }  # fmt: skip
    assert crm(lab, "started", "one") == ["cms1"]
    crm(lab, "apply", over)
    assert crm(lab, "wait", "60") is True
    assert crm(lab, "started", "one") == ["cms2"]


def test_orders_that_wait_for_each_other_are_refused(lab):
    """While all of it runs, Pacemaker finds nothing wrong with them."""
    before = lab.on("cms1", "cibadmin", "--query", "--scope", "constraints")
    waits = {"orders": {"before": {"first": "three", "then": "pair", "kind": "Optional"}}}
    for function in ("plan", "apply"):
        refused = lab.salt(["cms1"], f"crm.{function}", json.dumps(waits), check=False)["cms1"]
        assert "cms1: resources would wait for each other, and never start again" in refused
        assert "see orders:before, and the orders, groups and tags" in refused
    assert lab.on("cms1", "cibadmin", "--query", "--scope", "constraints") == before
    assert crm(lab, "started", "one") == ["cms2"]


def test_an_export_changes_nothing_where_it_came_from(lab):
    exported = json.loads(lab.on("master", "salt-run", "--out=json", "cmha.export"))["lab"]
    for pair, host in (("cms", "cms1"), ("mgmt", "mgmt1")):
        configuration = exported[pair]["pacemaker"]
        purge = "purge=True"
        plan = crm(lab, "plan", configuration, purge, host=host)
        assert plan["summary"] == ["nothing differs"], plan


def test_what_runs_isnt_purged_and_can_be_removed_by_name(lab):
    refused = lab.salt(["cms1"], "crm.apply", "purge=[primitives]", check=False)["cms1"]
    assert (
        "the purge would remove what runs: three (on cms1), one (on cms2), two (on cms2)" in refused
    )
    assert crm(lab, "started", "one") == ["cms2"]
    assert crm(lab, "apply", {}, f"absent={json.dumps(GONE)}")["changes"]
    assert crm(lab, "wait", "60") is True
    assert crm(lab, "plan")["summary"] == ["nothing differs"]
    assert set(crm(lab, "status")["resources"]) == {"cloudera-scm-server"}


@pytest.mark.parametrize(
    ("agent", "params", "said"),
    [
        (
            "ocf:pacemaker:Dummy",
            {"op_sleeep": 1},
            "op_sleeep: ocf:pacemaker:Dummy has no such parameter",
        ),
        (
            "ocf:pacemaker:ping",
            {"host_list": "127.0.0.1", "multiplier": "many"},
            "multiplier: ocf:pacemaker:ping takes it for a number",
        ),
        ("ocf:pacemaker:ping", {}, "host_list: is missing: ocf:pacemaker:ping needs it"),
        ("stonith:null", {"hostlis": "a"}, "hostlis: stonith:null has no such parameter"),
    ],
)
def test_parameters_that_the_agent_would_not_understand_are_refused(lab, agent, params, said):
    declared = json.dumps({"primitives": {"odd": {"agent": agent, "params": params}}})
    before = lab.cib("cms1")
    for act in ("plan", "apply"):
        answer = lab.salt(["cms1"], f"crm.{act}", declared, check=False)["cms1"]
        assert f"cms1: primitives:odd:params:{said}" in answer
    assert lab.cib("cms1") == before


def test_words_of_another_version_are_told(lab):
    # Debian 12 has Pacemaker 2.1.5
    later = json.dumps({"properties": {"node-pending-timeout": "2h"}})
    for act in ("plan", "apply"):
        answer = lab.salt(["cms1"], f"crm.{act}", later, check=False)["cms1"]
        assert "properties:node-pending-timeout: Pacemaker 2.1.5 doesn't know" in answer
        assert "since 2.1.7" in answer
    assert crm(lab, "plan", {"properties": {"shutdown-lock": False}})["warnings"] == []
    earlier = {"rsc_defaults": {"isolation": "x"}}
    assert crm(lab, "plan", earlier)["warnings"] == []
    (line,) = crm(lab, "plan", {"rsc_defaults": {"resource-failure-stickiness": 1}})["warnings"]
    assert line.endswith("doesn't know resource-failure-stickiness, which there is until 1.1.24")


SECRETIVE = """
      pacemaker:
        primitives:
          secretive:
            agent: ocf:pacemaker:Dummy
            params: {passwd: hunter2}
            meta: {target-role: Stopped}
"""


@pytest.fixture
def a_secret_in_pillar(lab):
    """A resource with a password, and nothing of it afterwards."""
    before = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(before.replace("cluster_name: cmf\n", f"cluster_name: cmf{SECRETIVE}"))
    yield
    lab.write_pillar(before)
    crm(lab, "apply", {}, 'absent={"primitives": ["secretive"]}')


def test_a_secret_reaches_no_log_and_no_job_cache(lab, a_secret_in_pillar):
    assert lab.state(["cms1"], "cmha.cluster", "test=True")["cms1"]["cmha cluster"]["changes"]
    done = lab.orchestrate()
    assert (done.code, done.failed) == (0, [])
    assert "hunter2" not in done.printed
    for function in ("plan", "export", "query", "status"):
        crm(lab, function)
    assert "hunter2" in lab.cib("cms1")
    places = ("/var/cache/salt/master/jobs", "/var/log")
    found = lab.on("master", "grep", "-rl", "--text", "hunter2", *places, check=False)
    assert found == ""
    assert lab.on("cms1", "grep", "-rl", "--text", "hunter2", "/var/log/salt", check=False) == ""


ENOUGH = "/run/enough"

ADMINISTRATOR = f"""
number=0
until [ $number -ge "$2" ] && [ -e {ENOUGH} ]; do
    number=$((number + 1))
    until crm configure property admin-$1-$number=$number >/dev/null; do :; done
done
echo $number
"""

# No failing resource: while the configuration changes all the time, Pacemaker 2.1 schedules no recovery
RESTLESS = """
number=0
while :; do
    number=$((number + 1))
    attrd_updater --name restless --update $number
    sleep 0.1
done
"""


def watch_it_change(lab, times):
    """Until the CIB's status was seen to be another one so often."""
    deadline, seen = time.monotonic() + 300, set()
    while len(seen) < times:
        assert time.monotonic() < deadline, f"the cluster's status changed {len(seen)} times only"
        status = ElementTree.fromstring(lab.cib("cms1")).iterfind(
            "status//nvpair[@name='restless']"
        )
        seen.add(tuple(each.get("value") for each in status))


def test_nobodys_edit_is_lost_on_a_cluster_that_never_rests(lab):
    script = (HERE / "rounds.py").read_text()
    python = lab.on("cms1", "readlink", "-f", "/usr/local/bin/salt-call").rpartition("/")[0]
    with ThreadPoolExecutor() as pool:
        for host in CMS:
            lab.on(host, "systemd-run", "--quiet", "--unit=restless", "sh", "-c", RESTLESS)
        edits = {
            host: pool.submit(lab.on, host, "sh", "-c", ADMINISTRATOR, "sh", host, str(ROUNDS))
            for host in CMS
        }
        applies = {
            host: pool.submit(
                lab.run,
                "on",
                host,
                f"{python}/python",
                "-",
                host,
                str(ROUNDS),
                ENOUGH,
                stdin=script,
            )
            for host in CMS
        }
        try:
            watch_it_change(lab, ROUNDS)
        finally:
            for host in CMS:
                lab.on(host, "touch", ENOUGH)
        applied = {host: int(each.result().stdout) for host, each in applies.items()}
        edited = {host: int(each.result()) for host, each in edits.items()}
    for host in CMS:
        lab.on(host, "systemctl", "stop", "restless")
    wait_for(lab, "cms1", "cibadmin --query >/dev/null")
    held = crm(lab, "export")
    for host in CMS:
        assert min(applied[host], edited[host]) >= ROUNDS
        assert held["properties"][f"salt-{host}"] == str(applied[host])
        assert held["primitives"][f"by-salt-{host}"]["meta"]["priority"] == str(applied[host])
        for number in range(1, edited[host] + 1):
            assert held["properties"][f"admin-{host}-{number}"] == str(number)
    assert held["primitives"]["cloudera-scm-server"]["agent"] == "lsb:cloudera-scm-server"
