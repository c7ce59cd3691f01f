"""Fencing by cluster-glue's agent, by a second device where the first is lost, and by a BMC that is slow. The
tests tell one story, in their order."""

import re

import pytest
import turns
from cmhalab import orders, settings, waiting
from cmhalab.settings import BMC_PASSWORD as PASSWORD
from cmhalab.settings import BMC_USER
from conftest import CMS, booted_pair
from day_two import (
    SERVER,
    back,
    faults,
    home,
    it_is_good,
    mate,
    nobody_can_read,
    orchestrated,
    rejoined,
    served,
    status,
)

pytestmark = turns.only("fencing")

SITE = "/srv/pillar/cmha.sls"
WRONG = "not that word"
FIRST, SECOND = 0, 1
ADVICE = re.compile(r"crm resource cleanup [\w-]+|stonith_admin --cleanup --history [\w-]+")
PROPERTIES = "properties: {dc-deadtime: 2s}"


@pytest.fixture(scope="module")
def lab(ready):
    with booted_pair("levels", LAB_BMC="yes") as lab:
        yield lab


@pytest.fixture(scope="module")
def site(lab):
    return lab.on("master", "cat", SITE)


def bmc(lab, host, which):
    return settings.from_environment(lab.environment).bmc_addresses(host)[which]


def change_bmc(lab, host, **how):
    orders.ask(settings.from_environment(lab.environment), "bmc", host, how=how)


def by_glue(lab, site, password=PASSWORD):
    nodes = "".join(
        f"\n      {host}: {{hostname: {host}, ipaddr: {bmc(lab, host, FIRST)}}}" for host in CMS
    )
    return site.replace(
        "site: lab",
        f"""fencing:
    packages: [cluster-glue, ipmitool]
    agent: external/ipmi
    params: {{userid: {BMC_USER}, passwd: "{password}", interface: lanplus}}
    nodes:{nodes}
  site: lab""",
        1,
    )


def with_second_level(lab, site):
    """As docs/fencing.md says: in Pacemaker's own words."""
    devices, places, levels = [], [], []
    for host in CMS:
        devices.append(
            f"second-{host}: {{agent: 'stonith:fence_ipmilan', operations: {{monitor: {{interval: 60s}}}}, "
            f"params: {{ip: {bmc(lab, host, SECOND)}, lanplus: true, username: {BMC_USER}, "
            f"password_script: /root/say, pcmk_host_list: {host}}}}}"
        )
        places.append(
            f"second-{host}-elsewhere: {{rsc: second-{host}, node: {host}, score: -INFINITY}}"
        )
        levels += [
            f"{host}-1: {{target: {host}, index: 1, devices: [fence-{host}]}}",
            f"{host}-2: {{target: {host}, index: 2, devices: [second-{host}]}}",
        ]
        lab.on(host, "sh", "-c", f"printf '#!/bin/sh\\necho \"{PASSWORD}\"\\n' > /root/say")
        lab.on(host, "chmod", "700", "/root/say")
    more = f"""{PROPERTIES}
    primitives: {{{", ".join(devices)}}}
    locations: {{{", ".join(places)}}}
    fencing_levels: {{{", ".join(levels)}}}"""
    return (
        by_glue(lab, site)
        .replace("packages: [", "packages: [fence-agents, ")
        .replace(PROPERTIES, more)
    )


def test_a_wrong_password_is_one_line_and_nothing_is_configured(lab, site):
    orchestrated(lab)
    lab.write_pillar(by_glue(lab, site, WRONG), CMS)
    done = lab.orchestrate()
    assert done.failed == ["lab cms: see that cms1 and cms2 can fence each other"]
    for device, host in (("fence-cms1", "cms2"), ("fence-cms2", "cms1")):
        said = f"{device} (stonith:external/ipmi) doesn't work from {host}: the device refuses, or "
        assert said in done.printed
    assert "fence-cms1" not in lab.cib("cms1")
    for host in CMS:
        assert "fence-" not in lab.on(host, "ls", "-A", "/etc/cmha/fencing", check=False)


def test_an_agent_of_cluster_glue_fences(lab, site):
    lab.write_pillar(by_glue(lab, site), CMS)
    orchestrated(lab)
    assert orchestrated(lab).changed == {}
    it_is_good(lab)
    victim = home(lab)
    code, data = lab.runner("cmha.fence", victim, "confirm=True")
    assert (code, data["error"]) == (0, None)
    lab.run("activity.py")
    back(lab, victim)


def test_nobody_can_read_the_password(lab):
    nobody_can_read(lab, PASSWORD)
    for host in CMS:
        files = lab.on(host, "stat", "--format=%a %U %n", "/etc/cmha/fencing/fence-cms1.password")
        assert files == "700 root /etc/cmha/fencing/fence-cms1.password"


def test_two_levels_are_taken_in_while_the_pair_runs(lab, site):
    lab.write_pillar(with_second_level(lab, site), CMS)
    with lab.client() as seen:
        orchestrated(lab)
    assert seen["missed"] == []
    assert orchestrated(lab).changed == {}
    it_is_good(lab)


def test_the_second_level_fences_where_the_first_is_lost(lab):
    victim = home(lab)
    survivor = mate(victim)
    change_bmc(lab, victim, answer=[SECOND])
    report = status(lab)[1]
    assert report["survival"][victim] == {"takes_over": survivor, "why": []}
    lab.run("crash", victim)
    served(lab, survivor)
    lab.run("activity.py")
    assert f"reboot of {victim} successful" in lab.on(
        survivor, "stonith_admin", "--history", victim
    )
    back_with_its_bmcs(lab, victim)


def told_to_clean_up(lab, host):
    """What Pacemaker noticed of a BMC that was lost, it remembers until a person says that it is over."""

    def done():
        lines = faults(lab)
        for advice in filter(None, map(ADVICE.search, lines)):
            lab.on(host, *advice.group(0).split(), check=False)
        return not lines

    # an agent that is asking a lost BMC has a minute for that
    waiting.wait_until(done, 300, lambda: "status has still something to say")


def back_with_its_bmcs(lab, host):
    change_bmc(lab, host)
    rejoined(lab, host)
    told_to_clean_up(lab, mate(host))
    it_is_good(lab)


def test_status_says_when_both_levels_are_lost(lab):
    active = home(lab)
    change_bmc(lab, active, answer=[])
    code, report = status(lab)
    assert code == 1
    assert report["survival"][active]["takes_over"] is None
    (why,) = report["survival"][active]["why"]
    assert why.startswith(f"no level of the fencing topology can fence {active}: level 1 lacks ")
    change_bmc(lab, active)
    told_to_clean_up(lab, active)
    it_is_good(lab)


def test_a_host_whose_bmcs_died_with_it_is_off_on_a_persons_word(lab):
    victim = home(lab)
    survivor = mate(victim)
    change_bmc(lab, victim, answer=[])
    code, data = lab.runner("cmha.fence", victim, "is_off=True", "confirm=True")
    assert (code, data["done"]) == (1, [])
    assert data["error"] == f"refused: {victim} answers this master, so it is on"
    lab.run("crash", victim)
    hint = f"salt-run cmha.fence node={victim} is_off=True"
    waiting.wait_until(
        lambda: any(line.endswith(hint) for line in faults(lab)),
        120,
        lambda: f"status doesn't say {hint}",
    )
    code, data = lab.runner("cmha.fence", victim, "is_off=True")
    assert (code, data["error"], data["done"]) == (0, None, [])
    assert data["next"].startswith("have you seen that ")
    assert lab.started(survivor, SERVER) != [survivor]
    code, data = lab.runner("cmha.fence", victim, "is_off=True", "confirm=True")
    assert (code, data["error"]) == (0, None)
    assert data["done"][-1] == f"{SERVER} runs on {survivor}"
    lab.run("activity.py")
    back_with_its_bmcs(lab, victim)


def test_a_bmc_that_is_slow_fences_all_the_same(lab):
    victim = home(lab)
    survivor = mate(victim)
    change_bmc(lab, victim, takes=3)
    it_is_good(lab)
    lab.run("crash", victim)
    served(lab, survivor, 180)
    lab.run("activity.py")
    back_with_its_bmcs(lab, victim)
