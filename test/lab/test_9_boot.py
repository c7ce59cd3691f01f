"""What starts when a host boots, after a crash and after a clean shutdown. The tests tell one story, in their
order; the host that goes down is cms2, and the service stays on cms1."""

import pytest
import turns
from conftest import CMS
from guide import wait_for

pytestmark = [pytest.mark.lab(begins="converged"), turns.only("boot")]

DAEMONS = ("corosync", "pacemaker")


@pytest.fixture(scope="module", autouse=True)
def pillar(lab):
    """The service on cms1, and the site's pillar."""
    code, data = lab.runner("cmha.failover", "cms", "to=cms1")
    assert (code, data["error"]) == (0, None)
    return lab.on("master", "cat", "/srv/pillar/cmha.sls")


def apply(lab, pillar, start_on_boot):
    """Another setting, and which states then change something on the hosts. The firewall's rules are none of
    this test: they don't survive a boot."""
    lab.write_pillar(pillar.replace("site: lab", f"site: lab\n  start_on_boot: {start_on_boot}"))
    states = lab.state(CMS, "cmha.host")
    assert all(each["result"] for host in states.values() for each in host.values())
    return {
        host: [
            name
            for name, each in states[host].items()
            if each["changes"] and "firewall" not in name
        ]
        for host in CMS
    }


def running(lab, host):
    return [each for each in DAEMONS if not lab.code(host, "systemctl", "is-active", each)]


def booted(lab, host):
    """Until the host's boot is over: nothing that starts by itself is still to come."""
    wait_for(lab, host, "systemctl is-system-running --wait | grep -Eq 'running|degraded'")


def crash(lab, host):
    lab.run("crash", host)
    lab.run("boot", host)
    booted(lab, host)


def reboot(lab, host):
    lab.run("reboot", host)
    booted(lab, host)


def at_boot(lab):
    _, data = lab.runner("cmha.status", "pair=cms")
    return data["sites"]["lab"]["cms"]["at_boot"]


def is_back(lab, host):
    wait_for(lab, "cms1", "crm_mon -1 | grep -q 'Online: . cms1 cms2 .'")
    assert lab.started("cms1", "cloudera-scm-server") == ["cms1"]
    return running(lab, host) == list(DAEMONS)


def test_never(lab):
    reboot(lab, "cms2")
    assert running(lab, "cms2") == []
    lab.on("cms2", "systemctl", "start", *DAEMONS)
    assert is_back(lab, "cms2")


def test_after_clean_shutdown_nothing_is_restarted(lab, pillar):
    before = [lab.on(host, "pidof", *DAEMONS) for host in CMS]
    changed = apply(lab, pillar, "after_clean_shutdown")
    for host in CMS:
        assert len(changed[host]) == 5
        assert changed[host][-1] == "cmha start after a clean shutdown"
    assert [lab.on(host, "pidof", *DAEMONS) for host in CMS] == before
    assert at_boot(lab) == {host: ["cmha-boot"] for host in CMS}


def test_after_clean_shutdown_a_rebooted_host_comes_back_by_itself(lab):
    reboot(lab, "cms2")
    assert is_back(lab, "cms2")


def test_after_clean_shutdown_a_crashed_host_waits(lab):
    crash(lab, "cms2")
    assert running(lab, "cms2") == []


def test_after_clean_shutdown_a_cluster_that_was_stopped_stays_stopped(lab):
    reboot(lab, "cms2")
    assert running(lab, "cms2") == []
    lab.on("cms2", "systemctl", "start", *DAEMONS)
    assert is_back(lab, "cms2")


def test_always_even_after_a_crash(lab, pillar):
    changed = apply(lab, pillar, "always")
    assert at_boot(lab) == {host: list(DAEMONS) for host in CMS}
    assert "cmha no start after a clean shutdown" in changed["cms2"]
    crash(lab, "cms2")
    assert is_back(lab, "cms2")


def test_never_again_leaves_nothing_behind(lab, pillar):
    lab.write_pillar(pillar)
    lab.state(CMS, "cmha.host")
    assert at_boot(lab) == {}
    for host in CMS:
        left = (
            "find /etc /usr/lib/cmha /var/lib/cmha -name '*cmha-boot*' -o -path '*pacemaker*cmha*'"
        )
        assert lab.on(host, "sh", "-c", f"{left} 2>/dev/null; true") == ""
        stops = lab.on(host, "systemctl", "show", "--property=ExecStopPost", "pacemaker")
        assert "cmha" not in stops
