"""Another version of Corosync comes to a running pair. The tests tell one story, in their order."""

import pytest
from conftest import CMS, HERE
from day_two import (
    SERVER,
    cms_alone,
    corosyncs,
    faults,
    home,
    mate,
    orchestrate,
    pillar,
    status,
    uninterrupted,
)

pytestmark = pytest.mark.lab(begins="converged")


@pytest.fixture
def newer_corosync(lab):
    """Another version of Corosync in the repositories of CMS; its version."""
    script = (HERE / "newer-package").read_text()
    versions = {lab.run("on", host, "sh", "-s", "corosync", stdin=script).stdout for host in CMS}
    return versions.pop().strip()


def test_a_failure_half_way_stays_in_maintenance_and_tells_the_way_back(lab, newer_corosync):
    """The new package comes, and the host's own Corosync doesn't start any more."""
    here = home(lab)
    there = mate(here)
    broken = "/etc/systemd/system/corosync.service.d/broken.conf"
    unit = "[Service]\\nExecStartPre=/bin/false\\n"
    lab.on(there, "sh", "-c", f"mkdir -p $(dirname {broken}); printf '{unit}' > {broken}")
    lab.on(there, "systemctl", "daemon-reload")
    change = cms_alone(f"versions: {{corosync: '{newer_corosync}'}}")
    with pillar(lab, "cluster_name: cmf", change):
        with uninterrupted(lab):
            done = orchestrate(lab)
        (step,) = done.failed
        assert step == "lab cms: reload or restart what changed on cms1 and cms2"
        said = done.steps[step]["comment"]
        assert said.startswith(f"{there}: cmha corosync runs: ")
        assert f"stays in maintenance mode: {SERVER} is left running on {here}" in said
        assert "run the orchestration again: it goes on from here" in said
        code, report = status(lab)
        assert (code, report["maintenance"]) == (1, "cmha")
        assert report["nodes"] == {here: "online", there: "stopped"}

        # a highstate in between ends nothing
        states = lab.state([here], "cmha")[here]
        assert all(state["result"] for state in states.values()), states
        assert status(lab)[1]["maintenance"] == "cmha"

        lab.on(there, "rm", broken)
        lab.on(there, "systemctl", "daemon-reload")
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        for host in CMS:
            version = lab.on(host, "dpkg-query", "-W", "-f", "${Version}", "corosync")
            assert version == newer_corosync
            for unit in ("corosync", "pacemaker"):
                enabled = lab.on(host, "systemctl", "is-enabled", unit, check=False)
                assert enabled == "disabled"
        assert faults(lab) == []


def test_a_package_that_no_repository_has_restarts_nothing(lab):
    before = corosyncs(lab)
    with pillar(lab, "cluster_name: cmf", cms_alone("versions: {corosync: '9.9-9'}")):
        done = orchestrate(lab)
    (step,) = done.failed
    assert (
        "has corosync 9.9-9 (cmha:versions); nothing was restarted" in done.steps[step]["comment"]
    )
    assert corosyncs(lab) == before
    assert "maintenance" not in lab.cib("cms1")
