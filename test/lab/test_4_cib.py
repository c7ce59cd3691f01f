"""The CIB of live clusters: what a plan foretells, what an export holds, and that nobody's edit is lost."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import CMS, HERE
from guide import wait_for

pytestmark = pytest.mark.lab

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


@pytest.fixture(scope="module", autouse=True)
def converged(lab):
    """Two verified pairs, whatever ran before."""
    lab.run("reset", *CMS)
    assert lab.orchestrate().code == 0


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


ADMINISTRATOR = """
for number in $(seq {rounds}); do
    until crm configure property admin-{host}-$number=$number; do :; done
done
"""

FAILING = """
while :; do
    rm -f /run/resource-agents/Dummy-restless.state
    sleep 0.5
done
"""


def test_nobodys_edit_is_lost_on_a_cluster_that_never_rests(lab):
    restless = {"agent": "ocf:pacemaker:Dummy", "operations": {"monitor": {"interval": "1s"}}}
    crm(lab, "apply", {"primitives": {"restless": restless}})
    script = (HERE / "rounds.py").read_text()
    python = lab.on("cms1", "readlink", "-f", "/usr/local/bin/salt-call").rpartition("/")[0]
    with ThreadPoolExecutor() as pool:
        for host in CMS:
            lab.on(host, "systemd-run", "--quiet", "--unit=failing", "sh", "-c", FAILING)
        edits = [
            pool.submit(lab.on, host, "sh", "-c", ADMINISTRATOR.format(rounds=ROUNDS, host=host))
            for host in CMS
        ]
        applies = [
            pool.submit(
                lab.run, "on", host, f"{python}/python", "-", host, str(ROUNDS), stdin=script
            )
            for host in CMS
        ]
        for each in applies:
            assert f"{ROUNDS} rounds" in each.result().stdout
        for each in edits:
            each.result()
    for host in CMS:
        lab.on(host, "systemctl", "stop", "failing")
    wait_for(lab, "cms1", "cibadmin --query >/dev/null")
    held = crm(lab, "export")
    for host in CMS:
        assert held["properties"][f"salt-{host}"] == str(ROUNDS)
        assert held["primitives"][f"by-salt-{host}"]["meta"]["priority"] == str(ROUNDS)
        for number in range(1, ROUNDS + 1):
            assert held["properties"][f"admin-{host}-{number}"] == str(number)
    assert held["primitives"]["cloudera-scm-server"]["agent"] == "lsb:cloudera-scm-server"
    failures = lab.on(
        "cms1", "sh", "-c", "cat /var/log/pacemaker/pacemaker.log | grep -c restless_monitor"
    )
    assert int(failures) > 10
