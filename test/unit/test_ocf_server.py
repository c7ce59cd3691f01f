"""The OCF agent of the server, run by a real sh, on a host that plays cloudera-scm-server."""

import socket
import xml.etree.ElementTree as ET

import pytest
from server_host import ServerHost

SUCCESS, GENERIC, UNIMPLEMENTED, INSTALLED, CONFIGURED, NOT_RUNNING = 0, 1, 3, 5, 6, 7


@pytest.fixture
def host(formula, tmp_path):
    host = ServerHost(formula, tmp_path)
    yield host
    host.clean()


def test_a_server_that_gives_its_page_is_started_and_runs(host):
    assert host.run("start").returncode == SUCCESS
    assert host.run("start").returncode == SUCCESS
    assert host.said("tries") == "1"
    assert host.run("monitor", interval=30).returncode == SUCCESS


def test_a_server_that_is_stopped(host):
    assert host.run("monitor").returncode == NOT_RUNNING
    assert host.run("stop").returncode == SUCCESS
    host.run("start")
    assert host.run("stop").returncode == SUCCESS
    assert not host.is_alive()
    assert host.run("monitor", interval=30).returncode == NOT_RUNNING


def test_a_server_that_died_without_systemd_noticing_is_started_anew(host):
    host.run("start")
    host.clean()
    assert host.run("monitor", interval=30).returncode == NOT_RUNNING
    assert host.said("unit") == "active"
    assert host.run("start").returncode == SUCCESS
    assert host.is_alive()


# --- hung, slow, starting ------------------------------------------------------------------------


def test_a_server_that_hangs_is_a_failure(host):
    host.run("start")
    host.set("page", "silent")
    done = host.run("monitor", seconds=8, interval=30)
    assert done.returncode == GENERIC
    assert done.stderr.startswith(
        f"ocf-exit-reason:cloudera-scm-server runs, and gives no page on port {host.port}"
    )
    assert 2 < done.took < 8  # one request alone isn't enough, and Pacemaker needn't end it


# 6: the time limit is near when the first was too slow
@pytest.mark.parametrize("seconds", [6, 12])
def test_one_slow_answer_is_no_failure(host, seconds):
    host.run("start")
    host.set("page", "slow")
    done = host.run("monitor", seconds=seconds, interval=30)
    assert (done.returncode, host.said("page")) == (SUCCESS, "ready")
    assert done.took > 2


def test_a_probe_asks_only_whether_it_runs(host):
    host.run("start")
    host.set("page", "silent")
    done = host.run("monitor", interval=0)
    assert (done.returncode, done.took < 3) == (SUCCESS, True)


@pytest.mark.parametrize("page", ["refused", "unready"])
def test_what_is_starting_is_left_alone_for_a_while(host, page):
    host.set("page", page)
    done = host.run("start", seconds=16)
    assert (done.returncode, host.is_alive()) == (SUCCESS, True)
    assert host.run("monitor", seconds=8, interval=30).returncode == SUCCESS
    late = host.run("monitor", seconds=8, interval=30, OCF_RESKEY_starting="0")
    assert late.returncode == GENERIC


def test_the_while_begins_anew_when_it_was_ready(host):
    host.set("page", "unready")
    host.run("start", seconds=8)
    host.set("page", "ready")
    assert host.run("monitor", interval=30).returncode == SUCCESS
    host.set("page", "unready")
    done = host.run("monitor", seconds=8, interval=30, OCF_RESKEY_starting="5")
    assert done.returncode == SUCCESS


def test_it_speaks_https_where_the_page_does(host):
    """What isn't HTTP is asked by HTTPS; a port that speaks neither gives no page."""
    host.run("start")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = host.run("monitor", seconds=8, interval=30, OCF_RESKEY_port=port)
        assert done.returncode == GENERIC
    closed = host.run("monitor", seconds=8, interval=30, OCF_RESKEY_port=port)
    assert closed.returncode == SUCCESS  # nobody takes connections there yet


# --- a start that has to wait --------------------------------------------------------------------


def test_a_server_that_ends_itself_is_started_until_it_stays(host):
    host.set("page", "refused")
    for number in (1, 2):
        host.set(f"lives-{number}", "0.3")
    host.set("lives-3", "600")
    host.set("page-3", "ready")
    done = host.run("start", seconds=25)
    assert (done.returncode, host.said("tries")) == (SUCCESS, "3")


def test_a_server_that_goes_on_ending_itself_says_why(host):
    host.set("page", "refused")
    host.set("lives", "0.3")
    host.logs("ERROR x", "ScmActive at bootup: The database is owned by cms1.example.com\x1b[2J")
    done = host.run("start", seconds=8)
    assert done.returncode == GENERIC
    assert done.stderr.strip() == (
        f"ocf-exit-reason:no page on port {host.port} within 8 s, cloudera-scm-server is stopped "
        "database is owned by cms1.example.com[2J"
    )
    assert done.took < 8


def test_a_start_that_is_refused_fails_at_once(host):
    host.set("fails-start")
    done = host.run("start")
    assert (done.returncode, done.took < 5) == (GENERIC, True)


# --- a stop that ends it -------------------------------------------------------------------------


@pytest.mark.parametrize("systemd", [True, False])
@pytest.mark.parametrize("how", ["hangs", "fails-stop"])
def test_what_does_not_end_by_itself_is_killed(host, how, systemd):
    host.has_systemd(systemd)
    host.run("start")
    host.set(how)
    done = host.run("stop", seconds=12)
    assert (done.returncode, host.is_alive()) == (SUCCESS, False)
    assert "it is killed" in done.stderr
    assert done.took < 12


def test_what_does_not_even_die_is_a_failure_in_time(host):
    host.run("start")
    for name in ("fails-stop", "immortal"):
        host.set(name)
    done = host.run("stop", seconds=12)
    assert (done.returncode, done.took < 12) == (GENERIC, True)
    assert "ocf-exit-reason:cloudera-scm-server is still running" in done.stderr


# --- what the host has ---------------------------------------------------------------------------


def test_a_unit_without_an_init_script(host):
    host.is_unit_only()
    assert host.run("validate-all").returncode == SUCCESS
    assert host.run("monitor").returncode == NOT_RUNNING
    assert host.run("start").returncode == SUCCESS
    assert host.run("monitor", interval=30).returncode == SUCCESS
    assert host.run("stop").returncode == SUCCESS


def test_a_host_without_systemd_and_without_the_server(host):
    host.is_unit_only()
    host.has_systemd(False)
    host.set("mute")
    done = host.run("monitor", seconds=10)
    assert (done.returncode, done.took < 3) == (NOT_RUNNING, True)


def test_a_host_without_the_server(host):
    host.is_unit_only()
    host.set("missing")
    assert host.run("monitor").returncode == NOT_RUNNING
    for action in ("start", "validate-all"):
        done = host.run(action)
        assert done.returncode == INSTALLED
        assert "cloudera-scm-server is not installed" in done.stderr


def test_a_unit_of_which_systemd_says_nothing_for_a_moment(host):
    host.is_unit_only()
    host.run("start")
    host.set("mute")
    assert host.run("monitor", interval=30).returncode == SUCCESS


def test_a_masked_service_goes_by_its_unit(host):
    host.set("masked")
    assert host.run("monitor").returncode == NOT_RUNNING


@pytest.mark.parametrize("how", ["#!/bin/sh\nexit 27", "#!/bin/sh\nexit 127"])
def test_a_curl_that_is_broken_is_not_held_against_the_server(host, how):
    host.run("start")
    host.without_curl(how)
    done = host.run("monitor", interval=30)
    assert (done.returncode, "curl can't ask" in done.stderr) == (SUCCESS, True)


def test_a_probe_needs_no_curl(host):
    host.run("start")
    host.without_curl("")
    assert host.run("monitor").returncode == SUCCESS


@pytest.mark.parametrize("name", ["port", "starting"])
def test_a_parameter_that_is_no_number(host, name):
    done = host.run("validate-all", **{f"OCF_RESKEY_{name}": "30min"})
    assert (done.returncode, "whole numbers, not 30min" in done.stderr) == (CONFIGURED, True)


@pytest.mark.parametrize("note", ["99999999", "nonsense", ""])
def test_a_note_that_can_not_be_is_made_anew(host, note):
    host.run("start")
    host.set("page", "unready")
    host.notes(note)
    assert (
        host.run("monitor", seconds=8, interval=30, OCF_RESKEY_starting="60").returncode == SUCCESS
    )
    assert (
        host.run("monitor", seconds=8, interval=30, OCF_RESKEY_starting="0").returncode == GENERIC
    )


def test_where_nothing_can_be_noted_it_is_starting(host):
    host.set("page", "unready")
    host.no_notes()
    assert host.run("start", seconds=16).returncode == SUCCESS
    assert host.run("monitor", seconds=8, interval=30).returncode == SUCCESS


@pytest.mark.parametrize("code", [4, 127])
def test_a_status_that_says_nothing_clear_is_a_failure(host, code):
    host.set("fails-status", code)
    assert host.run("monitor").returncode == GENERIC
    assert host.run("stop", seconds=8).returncode == GENERIC


def test_an_action_that_it_does_not_know(host):
    done = host.run("promote")
    assert (done.returncode, "usage:" in done.stderr) == (UNIMPLEMENTED, True)
    assert host.run("usage").returncode == SUCCESS


def test_its_metadata_has_the_times_of_the_defaults(host, defaults):
    metadata = ET.fromstring(host.run("meta-data").stdout)
    said = {each.get("name"): each.get("timeout") for each in metadata.iter("action")}
    for name, operation in defaults["agents"]["ocf:cm:server"]["primitive"]["operations"].items():
        assert said[name] == operation["timeout"]
    (port, _) = metadata.iter("content")
    assert port.get("default") == str(host.port)
