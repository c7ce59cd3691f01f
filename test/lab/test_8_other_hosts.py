"""Hosts that the guide doesn't think of: their server is a unit of systemd without an init script, and they
have neither crmsh nor pcs. The tests tell one story, in their order."""

import pytest
import turns
from conftest import CMS

pytestmark = [pytest.mark.lab(begins="converged"), turns.only("other hosts")]

SERVER = "cloudera-scm-server"
LSB, SYSTEMD = f"lsb:{SERVER}", f"systemd:{SERVER}"
SCRIPT, ELSEWHERE = f"/etc/init.d/{SERVER}", f"/usr/lib/cloudera-stand-in/{SERVER}"
UNIT = f"""\
[Unit]
Description=Cloudera Manager Server (stand-in)

[Service]
Type=forking
PIDFile=/run/{SERVER}/{SERVER}.pid
ExecStart={ELSEWHERE} start
ExecStop={ELSEWHERE} stop
TimeoutSec=5min

[Install]
WantedBy=multi-user.target
"""
ONLY_CMS = "pillar={cmha_only: {pair: cms}}"


def make_unit(lab, host):
    """What an upgrade of the server's package does that brings a unit in place of the init script."""
    script = f"""
        printf %s "$1" > /lib/systemd/system/{SERVER}.service
        mv {SCRIPT} {ELSEWHERE}
        rm -f /etc/rc?.d/[SK]??{SERVER}
        systemctl daemon-reload
        systemctl --quiet enable {SERVER}
    """
    lab.on(host, "sh", "-ec", script, "sh", UNIT)


def make_init_script(lab, host):
    lab.on(host, "sh", "-ec", f"cp {ELSEWHERE} {SCRIPT}; systemctl daemon-reload")


def running(lab):
    """On which host the server runs, and as which process."""
    (active,) = lab.started("cms1", SERVER)
    return active, lab.on(active, "cat", f"/run/{SERVER}/{SERVER}.pid")


@pytest.fixture(scope="module")
def with_crmsh(lab, pure):
    """The cluster of hosts as the guide has them, before these are."""
    return pure("cib").model(lab.cib("cms1"))


@pytest.fixture(scope="module", autouse=True)
def pillar(lab, with_crmsh):
    """These hosts' pillar."""
    before = lab.on("master", "cat", "/srv/pillar/cmha.sls")
    lab.run("reset", *CMS)
    pillar = before.replace("  site: lab", "  site: lab\n  crmsh: {install: false}")
    lab.write_pillar(pillar)
    return pillar


def test_hosts_of_two_kinds_are_no_pair(lab, pillar):
    make_unit(lab, "cms2")
    done = lab.orchestrate(ONLY_CMS)
    (line,) = done.failed
    assert line.startswith(
        f"site lab, pair cms: {SERVER} would be {LSB} on cms1, {SYSTEMD} on cms2; install the same"
    )
    assert list(done.steps) == [line]


def test_a_pair_whose_server_is_a_unit(lab, pillar):
    make_unit(lab, "cms1")
    done = lab.orchestrate(ONLY_CMS)
    assert (done.code, done.failed) == (0, [])
    active, _ = running(lab)
    for host in CMS:
        assert lab.on(host, "systemctl", "is-active", SERVER, check=False) == (
            "active" if host == active else "inactive"
        )
        assert lab.on(host, "systemctl", "is-enabled", SERVER, check=False) == "disabled"


def test_neither_crmsh_nor_pcs_is_needed(lab, pure, with_crmsh):
    for host in CMS:
        assert lab.on(host, "sh", "-c", "command -v crm pcs; true") == ""
    without = pure("cib").model(lab.cib("cms1"))
    assert with_crmsh["primitives"][SERVER].pop("agent") == LSB
    assert without["primitives"][SERVER].pop("agent") == SYSTEMD
    assert without == with_crmsh


def test_a_failover(lab):
    active, _ = running(lab)
    code, data = lab.runner("cmha.failover", "cms")
    assert (code, data["error"]) == (0, None)
    assert running(lab)[0] != active


def test_a_package_that_brings_another_kind_of_service_restarts_nothing(lab):
    before = running(lab)
    for host in CMS:
        make_init_script(lab, host)
    done = lab.orchestrate(ONLY_CMS)
    assert (done.code, done.failed, done.changed) == (0, [], {})
    assert f'class="systemd" type="{SERVER}"' in lab.cib("cms1")
    assert running(lab) == before


def test_pillar_asks_for_the_other_agent_and_the_plan_says_what_that_does(lab, pillar):
    active, pid = running(lab)
    agent = f"pacemaker: {{primitives: {{{SERVER}: {{agent: '{LSB}'}}}}}}"
    lab.write_pillar(pillar.replace("cluster_name: cmf", f"cluster_name: cmf\n      {agent}"))
    _, data = lab.runner("cmha.plan", "pair=cms")
    (first, second, *_) = data["sites"]["lab"]["cms"]["cluster"]["summary"]
    assert first.startswith("would stop or move what runs: ")
    assert SERVER in first
    assert second == f"would change primitives:{SERVER}:agent: {SYSTEMD} -> {LSB}"
    lab.state(["cms1"], "cmha.cluster")
    lab.state(["cms1"], "cmha.verify")
    assert f'class="lsb" type="{SERVER}"' in lab.cib("cms1")
    assert running(lab) != (active, pid)
