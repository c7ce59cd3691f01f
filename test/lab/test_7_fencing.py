"""Fencing, proven by faults: fence_ipmilan, and a BMC of each host that really cuts its power. The tests
tell one story, in their order."""

import pytest
import recipes
import turns
from cmhalab import fencing, hosts, settings, waiting
from cmhalab.settings import BMC_PASSWORD as PASSWORD
from conftest import CMS, booted_pair
from day_two import (
    SERVER,
    back,
    home,
    it_is_good,
    mate,
    nobody_can_read,
    orchestrated,
    served,
    status,
)
from guide import wait_for

pytestmark = turns.only("fencing")

OFTEN = "properties: {dc-deadtime: 2s}"
WRONG = "not that word"


@pytest.fixture(scope="module")
def lab(ready):
    with booted_pair("fencing", LAB_BMC="yes") as lab:
        yield lab


@pytest.fixture(scope="module")
def site(lab):
    return lab.on("master", "cat", "/srv/pillar/cmha.sls")


def declare_fencing(lab, site, password, **more):
    site = fencing.declared(
        settings.from_environment(lab.environment), site, password=password, **more
    )
    # a device that fails is noticed by its monitor, and nobody wants to wait for a minute
    often = ", ".join(
        f"fence-{host}: {{operations: {{monitor: {{interval: 5s}}}}}}" for host in CMS
    )
    assert OFTEN in site
    lab.write_pillar(site.replace(OFTEN, f"{OFTEN}\n    primitives: {{{often}}}"), CMS)


def properties(lab, host="cms1"):
    return {
        name: lab.on(host, "crm_attribute", "--query", "--quiet", "--name", name, check=False)
        for name in ("stonith-enabled", "no-quorum-policy")
    }


GUIDES = {"stonith-enabled": "false", "no-quorum-policy": "ignore"}


def test_without_fencing_everybody_is_told(lab, site):
    done = orchestrated(lab)
    assert any("two active servers" in line for line in done.warnings)
    assert properties(lab) == GUIDES
    assert status(lab)[1]["twice"] == CMS
    assert f"if the network between cms1 and cms2 is cut, {SERVER} runs on both" in shown(lab)


def shown(lab):
    return lab.shown("cmha.status", "pair=cms")[0]


def test_an_agent_that_is_not_there_is_one_line(lab, site):
    declare_fencing(lab, site, PASSWORD, packages="[]")
    done = lab.orchestrate()
    assert done.failed == ["lab cms: see that cms1 and cms2 can fence each other"]
    assert "there is no fence_ipmilan; name its package in cmha:fencing:packages" in done.printed
    assert properties(lab) == GUIDES


def test_a_wrong_password_is_one_line_and_nothing_is_configured(lab, site):
    declare_fencing(lab, site, WRONG)
    before = lab.cib("cms1")
    done = lab.orchestrate()
    assert done.failed == ["lab cms: see that cms1 and cms2 can fence each other"]
    for device, host in (("fence-cms1", "cms2"), ("fence-cms2", "cms1")):
        assert f"{device} (stonith:fence_ipmilan) doesn't work from {host}: " in done.printed
    assert WRONG not in done.printed
    assert configuration(lab.cib("cms1")) == configuration(before)


def configuration(cib):
    return cib[cib.index("<configuration") : cib.index("</configuration>")]


def test_highstate_leaves_new_devices_to_the_orchestration(lab, site):
    declare_fencing(lab, site, PASSWORD)
    for states in lab.state(CMS).values():
        assert all(each["result"] for each in states.values()), states
        (waits,) = (
            each for name, each in states.items() if "fencing waits for the orchestration" in name
        )
        assert "fence-cms1 and fence-cms2 will count" in waits["comment"]
    assert properties(lab) == GUIDES


def test_the_orchestration_turns_fencing_on(lab, site):
    with lab.client() as seen:
        done = orchestrated(lab)
    assert seen["missed"] == []
    assert "see that cms1 and cms2 can fence each other" in done.printed
    assert properties(lab) == {"stonith-enabled": "true", "no-quorum-policy": "stop"}
    assert not [line for line in done.warnings if "two active servers" in line]
    assert orchestrated(lab).changed == {}
    for states in lab.state(CMS).values():
        assert not any(each["changes"] for each in states.values()), states
    it_is_good(lab)
    report = status(lab)[1]
    assert (report["twice"], report["fencing"]["on"], report["fencing"]["last"]) == ([], True, {})
    assert report["fencing"]["devices"] == {"fence-cms1": ["cms2"], "fence-cms2": ["cms1"]}


@pytest.mark.parametrize("agent", recipes.fencing())
def test_the_agents_know_what_the_recipes_say(lab, agent):
    known = lab.salt(["cms1"], "crm_agents.parameters", f"stonith:{agent}")["cms1"]
    assert recipes.parameters(recipes.fencing()[agent]) - set(known) == set()


def test_nobody_can_read_the_password(lab):
    nobody_can_read(lab, PASSWORD)


def boots(lab, host):
    return hosts.boots(settings.from_environment(lab.environment), host)


def test_a_person_has_the_active_host_fenced(lab):
    victim = home(lab)
    before = boots(lab, victim)
    code, data = lab.runner("cmha.fence", victim)
    assert (code, data["error"], data["done"]) == (0, None, [])
    assert boots(lab, victim) == before
    code, data = lab.runner("cmha.fence", victim, "confirm=True")
    assert (code, data["error"]) == (0, None)
    fenced, follows = data["done"]
    assert fenced.startswith(f"{victim} was fenced in ")
    assert f"{victim}" in fenced.partition(": ")[2]
    assert follows == f"{SERVER} runs on {mate(victim)}"
    never_twice(lab)
    was_fenced(lab, victim)
    back(lab, victim)
    assert boots(lab, victim) == before + 1


def was_fenced(lab, host):
    """Status and rejoin know it, and by whom."""
    last = status(lab)[1]["fencing"]["last"]
    assert {name: (each["status"], each["by"]) for name, each in last.items()} == {
        host: ("success", mate(host))
    }
    line = lab.runner("cmha.rejoin", host)[1]["fenced"]
    assert line.startswith(f"{host} was fenced (reboot) at 20")
    assert f" by {mate(host)}, as stonith_admin" in line


def never_twice(lab):
    """No two servers at any recorded instant."""
    lab.run("activity.py")


def test_a_cut_network_leaves_one_server(lab):
    before = {host: boots(lab, host) for host in CMS}
    cut = home(lab)
    lab.run("cut", cut)
    wait_until_fenced(lab, before)
    (fenced,) = (host for host in CMS if boots(lab, host) > before[host])
    survivor = mate(fenced)
    served(lab, survivor)
    never_twice(lab)
    lab.run("heal", cut)
    # nothing starts its cluster again: no fencing loop
    assert lab.code(fenced, "pidof", "corosync") != 0
    back(lab, fenced)
    assert {host: boots(lab, host) - before[host] for host in CMS} == {fenced: 1, survivor: 0}


def wait_until_fenced(lab, before):
    """One of the hosts that have booted so often."""
    waiting.wait_until(
        lambda: any(boots(lab, host) > number for host, number in before.items()),
        120,
        lambda: "nobody was fenced",
    )


def test_a_crashed_host_is_fenced_before_the_service_starts_elsewhere(lab):
    victim = home(lab)
    lab.run("crash", victim)
    served(lab, mate(victim))
    said = lab.on(mate(victim), "stonith_admin", "--history", victim)
    assert "reboot" in said
    never_twice(lab)
    back(lab, victim)


def test_a_drill_by_fencing(lab):
    victim = home(lab)
    before = boots(lab, victim)
    code, data = lab.runner("cmha.failover", "cms", "drill=fence")
    assert (code, data["error"], data["host"]) == (0, None, victim)
    assert home(lab) == mate(victim)
    never_twice(lab)
    back(lab, victim)
    assert boots(lab, victim) == before + 1


def test_a_host_whose_cluster_hangs_is_fenced(lab):
    victim = home(lab)
    before = boots(lab, victim)
    lab.on(victim, "sh", "-c", "kill -STOP $(pidof corosync)")
    wait_until_fenced(lab, {victim: before})
    served(lab, mate(victim))
    never_twice(lab)
    back(lab, victim)


def test_status_says_when_nobody_could_fence(lab):
    active = home(lab)
    lab.on(mate(active), "ip", "link", "set", "dev", "eth1", "down")
    running = f"crm_resource --quiet --locate --resource fence-{active} 2>/dev/null | grep -q ."
    for condition in (
        "true",
        f"! {running}",
    ):  # before Pacemaker's monitor has noticed, and afterwards
        wait_for(lab, mate(active), condition)
        # the fencer goes on listing it
        assert f"fence-{active}" in lab.on(mate(active), "stonith_admin", "--list", active)
        code, report = status(lab)
        assert code == 1
        assert report["survival"][active]["takes_over"] is None
        (why,) = report["survival"][active]["why"]
        assert why.startswith(f"no fence device that answers can fence {active}: fence-{active}: ")
    code, data = lab.runner("cmha.fence", active, "confirm=True")
    assert (code, data["done"]) == (1, [])
    assert data["error"].startswith("refused, nothing was fenced: nobody would take")
    lab.on(mate(active), "ip", "link", "set", "dev", "eth1", "up")
    lab.on(mate(active), "crm_resource", "--cleanup", "--resource", f"fence-{active}")
    wait_for(lab, mate(active), running)
    it_is_good(lab)


def test_a_watchdog_that_is_not_there_is_refused(lab):
    """Pacemaker would end itself on both hosts."""
    before = configuration(lab.cib("cms1"))
    site = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.write_pillar(site.replace(OFTEN, f"{OFTEN[:-1]}, stonith-watchdog-timeout: 10s}}"), CMS)
    done, states = lab.orchestrate(), lab.state(CMS)
    lab.write_pillar(site, CMS)
    assert [line.split(": ")[1] for line in done.failed] == CMS
    assert all("SBD doesn't run here: Pacemaker would end itself" in each for each in done.failed)
    for host in CMS:
        assert all(each["result"] for each in states[host].values()), states[host]
        (waits,) = (
            each for name, each in states[host].items() if "waits for the orchestration" in name
        )
        assert "a watchdog will count when both hosts" in waits["comment"]
    assert configuration(lab.cib("cms1")) == before
    it_is_good(lab)


def test_status_says_what_only_the_fencer_knows(lab):
    """As Pacemaker 2.0.5 can leave it, when a device was renamed."""
    lab.on("cms1", "stonith_admin", "--register", "fence-old", "--agent", "fence_ipmilan",
           "--option", "pcmk_host_list=cms2", "--option", "ip=198.51.100.112")  # fmt: skip
    (line,) = (each for each in status(lab)[1]["problems"] if "fence-old" in each)
    assert line.startswith("cms1: Pacemaker would fence with fence-old from here")
    lab.on("cms1", *line.rpartition("on this host: ")[2].split())
    it_is_good(lab)


def test_status_says_when_the_active_host_could_not_fence_the_other(lab):
    active = home(lab)
    lab.on(active, "ip", "link", "set", "dev", "eth1", "down")
    code, report = status(lab)
    done = lab.orchestrate()
    lab.on(active, "ip", "link", "set", "dev", "eth1", "up")
    said = (
        f"{active}: no fence device that answers can fence {mate(active)}: fence-{mate(active)}: "
    )
    assert code == 1
    assert report["survival"][active]["takes_over"] == mate(active)
    assert any(line.startswith(said) for line in report["problems"])
    # nothing differs, and what was there works; that it doesn't now is a warning
    assert done.failed == []
    (warnings,) = (step["warnings"] for step in done.steps.values() if step.get("warnings"))
    assert any(line.startswith(said) for line in warnings)
    lab.on(active, "crm_resource", "--cleanup", "--resource", f"fence-{mate(active)}")
    lab.on(active, "timeout", "60", "crm_resource", "--wait")
    it_is_good(lab)
