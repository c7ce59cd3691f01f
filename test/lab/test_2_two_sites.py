"""Two sites of one master, each of one pair, worked at side by side."""

import pytest
from conftest import CMS, MGMT
from day_two import ALERT

pytestmark = pytest.mark.lab(begins="converged")


@pytest.fixture(scope="module")
def sites(lab):
    """The lab's pairs are sites of their own. So each host has its own site's pillar, and the master one of
    them, as many have it in their top.sls."""
    site = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    begin, cms, mgmt = (site.index(each) for each in ("  pairs:", "    cms:", "    mgmt:"))
    parts = {"east": site[cms:mgmt], "west": site[mgmt:]}
    of = "{% if grains.id in ['mgmt1', 'mgmt2'] %}WEST{% else %}EAST{% endif %}"
    for name, part in parts.items():
        of = of.replace(name.upper(), f"\n  site: {name}\n  pairs:\n{part}\n")
    lab.write_pillar(site[:begin].replace("  site: lab\n", "") + of)
    # a host's events carry its site's name
    assert lab.orchestrate().failed == []


def test_both_are_seen(lab, sites):
    code, data = lab.runner("cmha.status")
    assert (code, data["errors"]) == (0, [])
    assert {name: list(pairs) for name, pairs in data["sites"].items()} == {
        "east": ["cms"],
        "west": ["mgmt"],
    }


def test_both_are_worked_at(lab, sites):
    done = lab.orchestrate()
    assert (done.code, done.changed) == (0, {}), done.printed
    assert next(iter(done.steps)) == "2 sites"
    assert done.steps["2 sites"]["comment"] == "2 of 2 sites went well"
    assert [name.split(":")[0] for name in done.steps][1:] == ["east cms"] * 5 + ["west mgmt"] * 5


def test_a_site_that_fails_does_not_hold_the_other_up(lab, sites):
    """Something is in the way of a file of cms2's, and mgmt1 has something to mend."""
    lab.on(MGMT[0], "sh", "-c", "echo >>$1", "sh", ALERT)
    lab.on(CMS[1], "sh", "-c", "mv $1 $1.away; mkdir -p $1/there", "sh", ALERT)
    done = lab.orchestrate()
    lab.on(CMS[1], "sh", "-c", "rm -r $1; mv $1.away $1", "sh", ALERT)
    step = "east cms: prepare cms1 and cms2"
    assert (done.code != 0, done.failed) == (True, ["2 sites", step])
    assert done.steps["2 sites"]["comment"] == "1 failed: east; 1 of 2 sites went well"
    assert "cms2: cmha alert agent: " in done.steps[step]["comment"]
    assert list(done.changed["west mgmt: prepare mgmt1 and mgmt2"]) == ["mgmt1"]
    assert all(each["result"] for name, each in done.steps.items() if name.startswith("west "))


def test_one_of_them(lab, sites):
    done = lab.orchestrate("pillar={cmha_only: {sites: 'w*'}}")
    assert (done.code, done.failed) == (0, [])
    assert [name.split(":")[0] for name in done.steps] == ["west mgmt"] * 5
