"""What happens in a cluster comes on the master's event bus, and waits where there is no master."""

import json
import subprocess
import sys
import threading

import pytest
from conftest import CMS, HERE, HOSTS
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")

SERVICE = "cloudera-scm-server"
SPOOL = "/var/spool/cmha/alerts"
BEACONS = ("cmha_alerts", "cmha_watch")
TO_TELL = f"ls {SPOOL} | grep -q ."
ALL_TOLD = f"! {TO_TELL}"
# What there is of fencing without a device: it says that it fenced, and does nothing.
FENCING = (
    "crm configure primitive fence stonith:null params hostlist='cms1 cms2'",
    "crm configure property stonith-enabled=true",
)


class Bus:
    """The master's event bus, from now on."""

    def __init__(self, lab):
        program = ("/srv/formula/test/lab/listen.py", "cmha/lab/")
        self._process = subprocess.Popen(
            [str(HERE / "on"), "master", sys.executable, *program],
            env=lab.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "\n"
        self.events = []
        self._more = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._process.stdout:
            event = json.loads(line)
            with self._more:
                # what a minion sends has its own data inside
                self.events.append((event["tag"], event["data"].get("data", event["data"])))
                self._more.notify()

    def wait_for(self, *wanted, seconds=120):
        """Until events with these data have come; all that came, in the order of their coming."""
        with self._more:
            if not self._more.wait_for(lambda: self._has(wanted), seconds):
                pytest.fail(f"wanted {wanted}, came {self.events}")
            return list(self.events)

    def _has(self, wanted):
        seen = [data for _, data in self.events]
        return all(any(each.items() <= data.items() for data in seen) for each in wanted)

    def close(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture
def bus(lab):
    """The bus, when all that happened before has been told."""
    for host in HOSTS:
        wait_for(lab, host, ALL_TOLD)
    bus = Bus(lab)
    yield bus
    bus.close()


@pytest.fixture
def no_alerts(lab):
    """A pillar without alerts, and the right one again afterwards."""
    right = lab.on("master", "cat", "/srv/pillar/cmha.sls") + "\n"
    lab.write_pillar(f"{right}  alerts: false\n")
    yield
    lab.write_pillar(right)
    assert lab.orchestrate().code == 0


def operation(host, task):
    return {"host": host, "node": host, "task": task}


def test_a_move_is_a_stop_and_a_start_and_nothing_else(lab, bus):
    """There and back: with its second stop a host has told of all that its start brought, a monitor too."""
    (first,) = lab.started("cms1", SERVICE)
    (second,) = set(CMS) - {first}
    for target in (second, first):
        lab.salt(["cms1"], "crm.move", SERVICE, target)
    wanted = [
        operation(first, "stop"),
        operation(second, "start"),
        operation(second, "stop"),
        operation(first, "start"),
    ]
    # each host tells when it comes to it: what came first is in the events' own time
    events = sorted(bus.wait_for(*wanted), key=lambda event: event[1]["time"])
    for _, data in events:
        data.pop("time")
    always = {"site": "lab", "pair": "cms", "kind": "resource", "resource": SERVICE}
    well = {"rc": 0, "status": 0, "text": "ok"}
    assert events == [
        ("cmha/lab/cms/alert/resource", {**always, **well, **each}) for each in wanted
    ]


def test_a_second_server_is_told_and_that_it_is_over(lab, bus):
    (active,) = lab.started("cms1", SERVICE)
    (standby,) = set(CMS) - {active}
    lab.on(standby, f"/etc/init.d/{SERVICE}", "start")
    second = {"kind": "second", "host": standby, "node": standby, "resource": SERVICE}
    text = f"{SERVICE} runs on {standby} too, which Pacemaker doesn't know"
    bus.wait_for({**second, "text": text})
    lab.on(standby, f"/etc/init.d/{SERVICE}", "stop")
    told = bus.wait_for({**second, "text": f"over: {text}"})
    assert [data["kind"] for _, data in told] == ["second", "second"]


def test_a_lost_node_and_its_fencing_are_told_by_the_one_that_is_left(lab, bus):
    for command in FENCING:
        lab.on("cms1", "sh", "-c", command)
    lab.salt(["cms1"], "crm.move", SERVICE, "cms2")
    lab.run("crash", "cms2")
    lost = {"host": "cms1", "kind": "node", "node": "cms2", "text": "lost"}
    fenced = {"host": "cms1", "kind": "fencing", "node": "cms2", "rc": 0}
    failover = {**operation("cms1", "start"), "resource": SERVICE}
    told = dict(bus.wait_for(lost, fenced, failover))
    assert told["cmha/lab/cms/alert/node"].items() >= lost.items()
    assert told["cmha/lab/cms/alert/fencing"]["text"].startswith("Operation reboot of cms2 by cms1")
    lab.on("cms1", "crm", "configure", "property", "stonith-enabled=false")
    lab.on("cms1", "crm", "--force", "configure", "delete", "fence")


def test_what_happens_while_the_master_is_away_waits_for_it(lab):
    lab.run("boot", "cms2")
    assert lab.orchestrate().code == 0
    lab.on("master", "systemctl", "stop", "salt-master")
    lab.on("cms1", "crm_resource", "--ban", "--resource", SERVICE, "--node", "cms1")
    for host in CMS:
        wait_for(lab, host, TO_TELL)
    # Nothing comes before somebody listens.
    lab.run("cut", "master")
    lab.on("master", "systemctl", "start", "salt-master")
    bus = Bus(lab)
    lab.run("heal", "master")
    bus.wait_for(operation("cms1", "stop"), operation("cms2", "start"))
    bus.close()
    wait_for(lab, "cms1", ALL_TOLD)
    lab.on("cms1", "crm_resource", "--clear", "--resource", SERVICE)
    wait_for(lab, "master", "salt -L cms1,cms2 --out=txt test.ping | grep -c True | grep -qx 2")


def test_a_minion_that_starts_anew_goes_on(lab, bus):
    """The beacon is in its configuration, and not only in its memory."""
    for host in CMS:
        lab.on(host, "systemctl", "restart", "salt-minion")
    for states in lab.state(CMS, "cmha.alerts").values():
        assert not any(state["changes"] for state in states.values()), states
    (first,) = lab.started("cms1", SERVICE)
    (second,) = set(CMS) - {first}
    lab.salt(["cms1"], "crm.move", SERVICE, second)
    bus.wait_for(operation(first, "stop"), operation(second, "start"))


def test_what_the_master_does_is_told_too(lab, bus):
    (first,) = lab.started("cms1", SERVICE)
    (second,) = set(CMS) - {first}
    assert lab.runner("cmha.failover", "cms")[0] == 0
    assert lab.orchestrate().code == 0
    move = {"step": f"move {SERVICE} from {first} to {second}", "hosts": [second]}
    verified = {"site": "lab", "pair": "mgmt", "step": "verify that cloudera-scm-agent runs once"}
    events = bus.wait_for(move, verified)
    told = {(tag, data["step"]) for tag, data in events if "step" in data}
    assert {
        ("cmha/lab/cms/failover/begin", move["step"]),
        ("cmha/lab/cms/failover/done", move["step"]),
        ("cmha/lab/mgmt/orchestrate/begin", verified["step"]),
    } <= told
    assert not any(tag.endswith("/failed") for tag, _ in events)


def deployed(lab, host):
    """Which of the parts of all this a host has: the agent, the spool, the file, the beacon and the alert."""
    places = (
        "/usr/lib/cmha/alert",
        SPOOL,
        *(f"/etc/salt/minion.d/{name}.conf" for name in BEACONS),
    )
    running = lab.salt([host], "beacons.list", "return_yaml=False")[host]
    return [
        *(lab.code(host, "test", "-e", place) == 0 for place in places),
        *(name in running for name in BEACONS),
        '<alert id="cmha"' in lab.cib(host),
    ]


def test_all_of_it_is_deployed(lab):
    assert [deployed(lab, host) for host in HOSTS] == [[True] * 7] * 4


def test_without_alerts_all_of_it_goes(lab, no_alerts):
    assert lab.orchestrate().code == 0
    assert [deployed(lab, host) for host in HOSTS] == [[False] * 7] * 4
    done = lab.orchestrate()
    assert (done.code, done.changed) == (0, {})


def test_and_comes_back(lab):
    assert [deployed(lab, host) for host in HOSTS] == [[True] * 7] * 4
