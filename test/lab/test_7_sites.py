"""Three sites at once, one of which loses a host in the middle. The tests tell one story, in their order."""

import pytest
import turns
from conftest import booted, own_name
from day_two import lost_in_its_installation
from guide import wait_for

pytestmark = turns.only("sites")

SITES = {"east": ("cms1", "cms2"), "north": ("cms3", "cms4"), "west": ("cms5", "cms6")}
HOSTS = [host for hosts in SITES.values() for host in hosts]
SERVER = "cloudera-scm-server"

# Each host has its own site's pillar, and so would the master, as many have it in their top.sls
PILLAR = """
{% set sites = SITES %}
{% set addresses = ADDRESSES %}
{% set mine = [] %}
{% for name, hosts in sites.items() if grains.id in hosts %}{% do mine.append(name) %}{% endfor %}
{% set site = mine | first | default('east') %}
cmha:
  site: {{ site }}
  pacemaker:
    properties: {dc-deadtime: 2s}
  pairs:
    cms:
      role: server
      cluster_name: {{ site }}
      nodes:
{% for host in sites[site] %}
        {{ host }}: {nodeid: {{ loop.index }}, address: {{ addresses[host] }}}
{% endfor %}
"""


@pytest.fixture(scope="module")
def lab():
    with booted(own_name("sites"), LAB_HOSTS=" ".join(HOSTS)) as lab:
        hosts = lab.on("master", "cat", "/etc/hosts").splitlines()
        addresses = {name: address for address, name in map(str.split, hosts) if name in HOSTS}
        text = PILLAR.replace("SITES", str({name: list(of) for name, of in SITES.items()}))
        lab.write_pillar(text.replace("ADDRESSES", str(addresses)), HOSTS)
        yield lab


def jobs(lab):
    """How many Salt jobs the master has had."""
    found = lab.on("master", "sh", "-c", "ls -d /var/cache/salt/master/jobs/*/* | wc -l")
    return int(found)


def steps_of(done, site):
    return {name: step for name, step in done.steps.items() if name.startswith(f"{site} ")}


@pytest.fixture(scope="module")
def lost(lab):
    """The first orchestration."""
    return lost_in_its_installation(lab, "cms4")


def test_a_site_that_loses_a_host_holds_no_other_up(lab, lost):
    assert lost.code != 0
    assert lost.failed == ["3 sites", "north cms: prepare cms3 and cms4"]
    assert lost.steps["3 sites"]["comment"] == "1 failed: north; 2 of 3 sites went well"
    assert "Run failed on minions: cms4" in lost.steps[lost.failed[1]]["comment"]
    for site in ("east", "west"):
        steps = steps_of(lost, site)
        assert len(steps) == 5
        assert all(step["result"] for step in steps.values())
        (active,) = lab.started(SITES[site][0], SERVER)
        assert lab.code(active, "service", SERVER, "status") == 0


def test_each_site_is_its_own_cluster(lab, lost):
    for site in ("east", "west"):
        for host in SITES[site]:
            shown = lab.on(host, "crm_mon", "-1")
            assert all(each in shown for each in SITES[site])
            assert lab.on(host, "corosync-cmapctl", "-g", "totem.cluster_name").endswith(site)


def test_what_is_lost_is_one_line_and_the_others_are_seen(lab, lost):
    code, data = lab.runner("cmha.status")
    assert code == 2
    assert {name: of["cms"]["health"] for name, of in data["sites"].items()} == {
        "east": "good",
        "north": "unknown",
        "west": "good",
    }
    done = lab.orchestrate()
    assert done.failed[0].startswith("site north: nothing was done there: cms4 doesn't answer")
    assert len(done.failed) == 1
    assert steps_of(done, "east")


def test_a_canary_that_is_not_fit_keeps_the_others_from_being_begun(lab, lost):
    done = lab.orchestrate("pillar={cmha_only: {canary: north}}")
    assert done.code != 0
    assert done.failed[-1] == "cmha_only:canary: the site north can't go first; nothing was done"
    assert not steps_of(done, "east")


def test_jobs_hardly_grow_with_the_number_of_sites(lab, lost):
    lab.run("boot", "cms4")
    wait_for(lab, "master", "salt --timeout 2 cms4 test.ping | grep -q True")
    assert lab.orchestrate().code == 0
    before = jobs(lab)
    done = lab.orchestrate()
    all_of_them = jobs(lab) - before
    assert (done.code, done.changed) == (0, {})
    assert lab.orchestrate("pillar={cmha_only: {sites: east}}").code == 0
    of_one = jobs(lab) - before - all_of_them
    assert all_of_them <= 1.5 * of_one


def test_all_are_good(lab, lost):
    assert lab.faults() == []
    code, data = lab.runner("cmha.plan", "site=[ew]*t")
    assert (code, sorted(data["sites"])) == (0, ["east", "west"])
