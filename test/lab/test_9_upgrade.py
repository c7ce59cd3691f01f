"""A pair goes from one Debian to the next, host by host, each with a new disk: docs/upgrade.md. The tests
tell one story, in their order."""

import re

import pytest
import turns
from conftest import CMS, booted_pair
from day_two import home, mate, status

pytestmark = turns.only("mixed")

SITE = "site: lab"
MEANWHILE = f"{SITE}\n  preflight: {{ignore: [versions]}}"


@pytest.fixture(scope="module")
def lab(ready):
    with booted_pair("upgrade") as lab:
        yield lab


def change_pillar(lab, old, new):
    site = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    assert old in site
    lab.write_pillar(site.replace(old, new), CMS)


def schema(lab, host):
    return re.search(r'validate-with="([^"]*)"', lab.cib(host))[1]


def releases(lab):
    return {host: lab.on(host, "sh", "-c", ". /etc/os-release; echo $VERSION_ID") for host in CMS}


def give_new_disk(lab, host):
    """It has the new release, the same name and the same key for Salt. The orchestration does the rest."""
    lab.run("reset", f"{host}=trixie")
    with lab.client() as seen:
        done = lab.orchestrate()
    assert (done.code, done.failed) == (0, []), done.printed
    assert (seen["asked"] > 20, seen["missed"]) == (True, [])


@pytest.fixture(scope="module")
def first(lab):
    """The host that is upgraded first: the one where the server isn't."""
    done = lab.orchestrate()
    assert (done.code, done.failed) == (0, []), done.printed
    return mate(home(lab))


def test_the_first_host_is_upgraded_while_the_server_runs(lab, first):
    before = schema(lab, mate(first))
    change_pillar(lab, SITE, MEANWHILE)
    give_new_disk(lab, first)
    assert home(lab) == mate(first)
    assert releases(lab) == {first: "13", mate(first): "12"}
    assert schema(lab, first) == before


def test_in_between_status_says_which_host_is_next(lab, first):
    old = mate(first)
    code, report = status(lab)
    assert (code, report["health"]) == (1, "poor")
    assert report["survival"][old]["takes_over"] == first
    (line,) = report["problems"]
    assert line.startswith(
        f"{old} has Pacemaker 2.1.5, {first} has 3.0.0: when {old} leaves the cluster"
    )
    assert line.endswith(f"upgrade {old} next")


def test_in_between_highstates_change_nothing(lab, first):
    for host, states in lab.state(CMS, "cmha").items():
        assert all(each["result"] for each in states.values()), (host, states)
        assert not any(each["changes"] for each in states.values()), (host, states)


def test_in_between_changes_reach_both(lab, first):
    change_pillar(lab, "dc-deadtime: 2s", "dc-deadtime: 3s")
    change_pillar(
        lab, "cluster_name: cmf", "cluster_name: cmf\n      corosync: {totem: {token: 4000}}"
    )
    with lab.client() as seen:
        done = lab.orchestrate()
    assert (done.code, done.failed) == (0, []), done.printed
    assert seen["missed"] == []
    for host in CMS:
        assert 'name="dc-deadtime" value="3s"' in lab.cib(host)
        assert "4000" in lab.on(host, "corosync-cmapctl", "-g", "runtime.config.totem.token")


def test_the_server_moves_to_the_new_release(lab, first):
    code, data = lab.runner("cmha.failover", "cms", f"to={first}")
    assert (code, data["error"]) == (0, None)
    assert home(lab) == first


def test_the_second_host_is_upgraded_and_the_pair_is_good(lab, first):
    give_new_disk(lab, mate(first))
    change_pillar(lab, MEANWHILE, SITE)
    assert releases(lab) == dict.fromkeys(CMS, "13")
    assert lab.orchestrate().changed == {}
    code, report = status(lab)
    assert (code, report["problems"]) == (0, [])


def test_and_it_fails_over_both_ways(lab, first):
    for target in (mate(first), first):
        code, data = lab.runner("cmha.failover", "cms", f"to={target}")
        assert (code, data["error"]) == (0, None)
    lab.run("activity.py")
