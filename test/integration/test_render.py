"""The state files, rendered by a real masterless Salt: what a wrong pillar prints, and a right one gives."""

import base64
import copy
import logging

import pytest
import salt.client
import salt.config
from pillars import SITE, WRONG, with_

CALL = "state.show_sls"


@pytest.fixture(scope="module")
def minion(formula, tmp_path_factory):
    """A masterless minion named cms1, with the formula synced."""
    root = tmp_path_factory.mktemp("minion")
    config = root / "minion"
    config.write_text(
        f"""
id: cms1
root_dir: {root}
file_client: local
file_roots: {{base: ['{formula}']}}
pillar_roots: {{base: ['{root}/pillar']}}
state_aggregate: false
grains: {{os: Debian, os_family: Debian, osmajorrelease: 12, init: systemd}}
"""
    )
    opts = salt.config.minion_config(str(config))
    caller = salt.client.Caller(mopts=opts)
    caller.cmd("saltutil.sync_all")
    return salt.client.Caller(mopts=salt.config.minion_config(str(config)))


@pytest.fixture
def show(minion):
    return lambda pillar, sls="cmha": minion.cmd(CALL, sls, pillar={"cmha": pillar})


def only_error(shown):
    """The comment of the one failing state that a wrong pillar leaves of the state files."""
    assert list(shown) == ["cmha pillar"], shown
    function = shown["cmha pillar"]["test"]
    assert "fail_without_changes" in function
    return next(item["comment"] for item in function if "comment" in item)


@pytest.mark.parametrize(("path", "value", "message"), WRONG)
def test_a_wrong_pillar_is_one_line_and_nothing_else(show, caplog, path, value, message):
    with caplog.at_level(logging.WARNING):
        assert message in only_error(show(with_(path, value)))
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("sls", ["host", "start", "cluster", "verify", "stopped", "packages"])
def test_no_entry_gets_past_a_wrong_pillar(show, sls):
    assert "cmha:site" in only_error(show(with_("site", 7), f"cmha.{sls}"))


def test_a_minion_that_no_pair_lists(show):
    pillar = copy.deepcopy(SITE)
    nodes = pillar["pairs"]["cms"]["nodes"]
    nodes["cms9"] = nodes.pop("cms1")
    assert "no pair lists this minion, cms1; did you mean" in only_error(show(pillar))


@pytest.mark.parametrize(
    "sls",
    [
        "cmha",
        "cmha.host",
        "cmha.start",
        "cmha.cluster",
        "cmha.verify",
        "cmha.stopped",
        "cmha.waiting",
    ],
)
def test_every_entry_renders(show, sls):
    shown = show(SITE, sls)
    assert isinstance(shown, dict), shown
    assert shown


@pytest.mark.parametrize(
    "sls",
    ["packages", "autostart", "firewall", "corosync", "agent", "resource", "identity", "alerts"],
)
def test_every_step_renders_by_itself(show, sls):
    assert isinstance(show(SITE, f"cmha.{sls}"), dict)


KEY = base64.b64encode(b"hunter2!" * 32).decode()


def test_a_key_is_placed_before_the_file_and_shown_nowhere(show, minion, formula_yaml):
    pillar = with_("corosync:authkey", KEY)
    shown = show(pillar)
    (arguments,) = (
        {key: value for item in parts if isinstance(item, dict) for key, value in item.items()}
        for name, parts in shown["cmha corosync key"].items()
        if name == "corosync"
    )
    assert (arguments["name"], arguments["needed"]) == ("/etc/corosync/authkey", True)
    assert arguments["require_in"] == [{"file": "cmha corosync.conf"}]
    tables = (formula_yaml(f"cmha/{table}.yaml") for table in ("defaults", "platforms"))
    mapping = minion.cmd("cmha.mapping", *tables, pillar=pillar)
    assert mapping["authenticated"] is True
    for text in (str(shown), str(mapping)):
        assert KEY[:20] not in text
        assert "hunter2" not in text


def test_without_a_key_no_key_is_asked_for(show):
    assert "cmha corosync key" not in show(SITE)
    assert "cmha corosync key" in show(with_("corosync:totem:secauth", "on"))


def test_what_the_hosts_corosync_does_not_know(show):
    said = only_error(show(with_("roles:server:corosync:totem:rrp_mode", "passive")))
    assert said == (
        "pillar cmha:roles:server:corosync:totem:rrp_mode: Corosync 3.x doesn't know it; use link_mode"
    )


def test_every_state_names_the_formula(show):
    assert all(name.startswith("cmha ") for name in show(SITE))


def test_only_one_file_starts_anything_of_a_cluster(formula):
    starting = {
        path.name
        for path in (formula / "cmha").rglob("*.sls")
        if "daemons.running" in path.read_text() or "service.running" in path.read_text()
    }
    assert starting == {"start.sls", "qnetd.sls"}  # the latter is for a host of no cluster


@pytest.mark.parametrize(
    ("alerts", "beacon", "file"), [(True, "present", "managed"), (False, "absent", "absent")]
)
def test_alerts_are_deployed_or_taken_away(show, alerts, beacon, file):
    shown = show(with_("alerts", alerts))
    assert beacon in shown["cmha alert beacon"]["minion_beacon"]
    assert file in shown["cmha alert agent"]["file"]
