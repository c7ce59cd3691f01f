"""The formula and its pillar in an environment other than base, which this master then hasn't at all."""

import pytest
from conftest import CMS, HOSTS
from day_two import ALERT, faults
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")

ALL_ANSWER = f"salt -L {','.join(HOSTS)} --out=txt test.ping | grep -c True | grep -qx {len(HOSTS)}"


@pytest.fixture(scope="module", autouse=True)
def in_prod(lab):
    move(lab, "base", "prod")
    yield
    move(lab, "prod", "base")


def move(lab, one, other):
    """From one environment to the other."""
    lab.on("master", "sed", "-i", f"s/^  {one}: /  {other}: /", "/etc/salt/master")
    lab.on(
        "master", "sed", "-i", f"s/^{one}:/{other}:/", "/srv/pillar/top.sls", "/srv/salt/top.sls"
    )
    lab.on("master", "systemctl", "restart", "salt-master")
    wait_for(lab, "master", ALL_ANSWER)


def test_the_only_environment_that_has_the_formula_is_found(lab):
    assert faults(lab, "cms") == []
    code, data = lab.runner("cmha.plan", "pair=cms")
    assert (code, data["errors"]) == (0, [])
    assert data["sites"]["lab"]["cms"]["hosts"] == {host: [] for host in CMS}


def test_an_environment_without_it_is_one_line(lab):
    code, data = lab.runner("cmha.preflight", "saltenv=dev")
    assert code == 1
    assert data["errors"] == [
        "this master has no salt://cmha/defaults.yaml in the environment dev; it is in prod; say which: "
        "saltenv=prod"
    ]


def test_the_orchestration_goes_to_its_environment(lab):
    lab.on("mgmt1", "rm", ALERT)
    first = lab.orchestrate("saltenv=prod", "pillarenv=prod")
    assert first.code == 0, first.printed
    assert [host for step in first.changed.values() for host, ids in step.items() if ids] == [
        "mgmt1"
    ]
    lab.on("mgmt1", "test", "-x", ALERT)


def test_a_host_comes_back(lab):
    lab.on("mgmt2", "sh", "-c", "service pacemaker stop; service corosync stop; rm " + ALERT)
    code, data = lab.runner("cmha.rejoin", "mgmt2", "confirm=True")
    assert (code, data["error"]) == (0, None)
    lab.on("mgmt2", "test", "-x", ALERT)


def test_a_minion_that_is_set_to_it(lab):
    lab.on(
        "cms1",
        "sh",
        "-c",
        "printf 'saltenv: prod\npillarenv: prod\n' > /etc/salt/minion.d/env.conf",
    )
    lab.on("cms1", "systemctl", "restart", "salt-minion")
    wait_for(lab, "master", ALL_ANSWER)
    (states,) = lab.salt(["cms1"], "state.highstate").values()
    assert states
    assert all(each["result"] and not each["changes"] for each in states.values()), states
    assert lab.salt(["cms1"], "cmha_host.pending")["cms1"]["corosync"] == {}
    assert faults(lab, "cms") == []
