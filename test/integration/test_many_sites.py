"""Several sites at a real salt-master, by real jobs. Their hosts are simulated: test/simulated_minions.py."""

import json

import pytest
import salt.cache
from many_sites import Master, Site

NUMBER = 3
LOOK = "cmha_look.everything"


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    sites = [Site(number) for number in range(NUMBER)]
    with Master(tmp_path_factory.mktemp("master"), sites, quick=True) as master:
        yield master


def done(master, *command):
    """What a command of salt-run returns, which goes well; and its jobs, each with how many hosts it had."""
    del master.jobs[:]
    ran = master.run(*command)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout), [(function, hosts) for function, hosts, _ in master.jobs]


def steps(returned):
    """The orchestration's states, by name."""
    (states,) = returned["data"].values()
    return {state["name"]: state for state in states.values()}


@pytest.fixture(scope="module")
def begun(master):
    return done(master, "state.orch", "cmha.orchestrate")


def test_all_sites_are_worked_at_and_one_job_is_for_all_of_them(begun):
    of, jobs = steps(begun[0]), begun[1]
    assert of["3 sites"]["comment"] == "3 of 3 sites went well"
    assert sum(name.startswith("s0") for name in of) == NUMBER * 10
    assert jobs[:2] == [("test.ping", NUMBER * 4), (LOOK, NUMBER * 4)]
    # a step of a pair is a job for two hosts of each site, a few of them while others still come
    assert len(jobs) < 2 * 16


def test_nothing_to_do_is_two_jobs_and_a_look_at_each_pair(master, begun):
    returned, jobs = done(master, "state.orch", "cmha.orchestrate")
    assert not any(each["changes"] for each in steps(returned).values())
    assert {function for function, _ in jobs} == {"test.ping", LOOK}
    assert sum(hosts for function, hosts in jobs if function == LOOK) == NUMBER * 4


def test_status_is_a_job_for_each_role(master, begun):
    report, jobs = done(master, "cmha.status")
    assert {pair["health"] for site in report["sites"].values() for pair in site.values()} == {
        "good"
    }
    assert jobs == [("cmha_host.health", NUMBER * 2)] * 2


def test_what_the_master_has_kept_is_old(master, begun):
    """Its minions have asked for their pillar before somebody changed it."""
    cache, site = salt.cache.factory(master.opts), master.sites[1]
    old = json.loads(json.dumps(site.pillar).replace('"cmf"', '"before"'))
    for minion in site.minions:
        master.keep(cache, minion, old)
    report, jobs = done(master, "cmha.status")
    assert [site["cms"]["cluster_name"] for site in report["sites"].values()] == ["cmf"] * NUMBER
    assert jobs == [("cmha_host.health", NUMBER * 2)] * 2 + [("cmha_host.health", 2)] * 2
    returned, _ = done(master, "state.orch", "cmha.orchestrate")
    assert "start the cluster cmf" in " ".join(steps(returned))
    assert "before" not in " ".join(steps(returned))
