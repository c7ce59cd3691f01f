"""A real master and a real minion, which have never synced anything: what the orchestration says."""

import json
import shutil

import pytest
from pillars import SITE, with_


@pytest.fixture(scope="module")
def master(salt_factories, formula, tmp_path_factory):
    pillar = tmp_path_factory.mktemp("pillar")
    (pillar / "top.sls").write_text("base: {'*': [cmha]}")
    daemon = salt_factories.salt_master_daemon(
        "master",
        overrides={
            "file_roots": {"base": [str(formula)]},
            "pillar_roots": {"base": [str(pillar)]},
            "open_mode": True,
        },
    )
    daemon.pillar = pillar
    with daemon.started():
        yield daemon


@pytest.fixture(scope="module")
def minion(master):
    daemon = master.salt_minion_daemon("cms1")
    with daemon.started():
        yield daemon


@pytest.fixture
def orchestrate(master, minion):
    """Runs the orchestration with a site's pillar; its failing states' names, and all it printed."""

    def run(site, theirs=None, **told):
        """``theirs``: what else stands in the pillar of all; ``told``: what the orchestration is told."""
        (master.pillar / "cmha.sls").write_text(json.dumps({"cmha": site, **(theirs or {})}))
        answer = master.salt_cli(timeout=60).run(
            "saltutil.refresh_pillar", "wait=True", minion_tgt="cms1"
        )
        assert answer.data is True
        # seven seconds on an idle machine; the harness's own limit is no more than 25 on a busy one
        done = master.salt_run_cli(timeout=60).run("state.orch", "cmha.orchestrate", **told)
        states = next(iter(done.data["data"].values()))
        assert isinstance(states, dict), states
        failed = [state["name"] for state in states.values() if state["result"] is False]
        return done.returncode, failed, done.stdout + done.stderr

    return run


def test_a_wrong_pillar_is_one_line(orchestrate):
    code, failed, printed = orchestrate(with_("pairs:cms:role", "sever"))
    assert code != 0
    assert failed == [
        "site east: pillar cmha:pairs:cms:role: should be server or agent, is 'sever'; "
        "did you mean server?"
    ]
    assert "Traceback" not in printed


def test_a_site_whose_hosts_are_not_all_enrolled_is_not_begun(orchestrate):
    code, failed, printed = orchestrate(SITE)
    assert code != 0
    (line,) = failed
    assert line.startswith("site east: cms2 is in the pair cms, but its own pillar has no cmha")
    assert "Traceback" not in printed


def test_what_belongs_under_cmha_only_is_no_orchestration_of_all(orchestrate):
    _, _, printed = orchestrate(SITE, pillar={"sites": ["east"]})
    assert "sites: isn't read there: it belongs under cmha_only" in printed
    _, failed, printed = orchestrate(SITE, theirs={"sites": ["nginx"]})
    assert "isn't read there" not in printed
    assert failed[0].startswith("site east: cms2 is in the pair cms")


def test_no_site_at_all(master, orchestrate):
    code, failed, _ = orchestrate({})
    assert code != 0
    assert failed[0].startswith("no minion's pillar has cmha:pairs; assign it")


def test_the_orchestration_needs_no_sync_before(master, orchestrate):
    shutil.rmtree(f"{master.config['extension_modules']}/runners", ignore_errors=True)
    _, failed, _ = orchestrate(with_("site", 7))
    assert failed[0].startswith("site 7: pillar cmha:site: should be a name of letters")
