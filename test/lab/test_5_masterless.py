"""Without a master: the host has formula and pillar in files of its own, and applies them by salt-call."""

import json

import pytest
from conftest import CMS
from day_two import ALERT, faults, home, mate

pytestmark = pytest.mark.lab(begins="converged")

HERE = "/root/masterless"
FORMULA = ("cmha", "_modules", "_states", "_utils", "_beacons")


@pytest.fixture(scope="module")
def host(lab):
    """The host that doesn't run the server, with all that it needs."""
    host = mate(home(lab))
    assert host in CMS
    unpack = f"mkdir -p {HERE} && base64 -d | tar -xz -C {HERE}"
    for place, names in (("/srv/formula", FORMULA), ("/srv", ("pillar",))):
        packed = lab.on("master", "sh", "-c", f"tar -czh -C {place} {' '.join(names)} | base64 -w0")
        lab.run("on", host, "sh", "-c", unpack, stdin=packed)
    call(lab, host, "saltutil.sync_all")
    return host


def call(lab, host, *words):
    roots = (f"--file-root={HERE}", f"--pillar-root={HERE}/pillar")
    printed = lab.on(host, "salt-call", "--local", "--out=json", *roots, *words)
    return json.loads(printed)["local"]


def test_nothing_is_to_be_done_on_a_host_that_a_master_has_prepared(lab, host):
    states = call(lab, host, "state.apply", "cmha", "test=True")
    assert len(states) > 20
    assert {
        name: each["comment"] for name, each in states.items() if each["result"] is not True
    } == {}
    assert not any(each["changes"] for each in states.values())


def test_what_is_missing_comes_and_the_cluster_runs_on(lab, host):
    lab.on(host, "rm", ALERT)
    states = call(lab, host, "state.apply", "cmha")
    changed = [each["name"] for each in states.values() if each["changes"]]
    assert changed == [ALERT]
    lab.on(host, "test", "-x", ALERT)
    assert faults(lab, "cms") == []
