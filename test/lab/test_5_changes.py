"""A running pair takes in what changed in pillar. The tests tell one story, in their order."""

import pytest
from conftest import CMS
from day_two import (
    KEY_FILE,
    cms_alone,
    corosyncs,
    faults,
    orchestrate,
    pillar,
    taken_in,
    uninterrupted,
)

pytestmark = pytest.mark.lab(begins="converged")


def test_a_token_is_reloaded(lab):
    before = corosyncs(lab)
    with pillar(lab, "cluster_name: cmf", cms_alone("corosync: {totem: {token: 5000}}")):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        assert taken_in(done) == dict.fromkeys(CMS, ("reload", ["totem.token"]))
        assert corosyncs(lab) == before
        for host in CMS:
            token = lab.on(host, "corosync-cmapctl", "-g", "runtime.config.totem.token")
            assert token.endswith("= 5000")
        assert orchestrate(lab).restarted == {}
        assert {name.split(":")[0] for name in done.steps} == {"lab cms"}
    with uninterrupted(lab):
        assert orchestrate(lab).code == 0
    assert corosyncs(lab) == before


def test_what_a_start_did_not_bring_is_an_error_and_no_restart(lab):
    before = corosyncs(lab)
    for (
        host
    ) in CMS:  # as the start notes it, of a value that Corosync reads otherwise than it is written
        note = """corosync-cmapctl -s runtime.cmha.refused str '{"totem.token": "7000"}'"""
        lab.on(host, "sh", "-c", note)
    with pillar(lab, "cluster_name: cmf", cms_alone("corosync: {totem: {token: 7000}}")):
        with uninterrupted(lab):
            done = orchestrate(lab)
        (failed,) = done.failed
        assert "reload or restart what changed" in failed
        assert (
            "cms1: Corosync was started with totem.token 7000 and doesn't take it in"
            in done.printed
        )
        assert corosyncs(lab) == before
    assert orchestrate(lab).code == 0
    assert corosyncs(lab) == before


def test_a_cluster_name_rolls_through_the_pair(lab):
    before = corosyncs(lab)
    with pillar(lab, "cluster_name: cmf", "cluster_name: cmg"):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        assert taken_in(done) == dict.fromkeys(CMS, ("one by one", ["totem.cluster_name"]))
        for host in CMS:
            assert corosyncs(lab)[host] != before[host]
            name = lab.on(host, "corosync-cmapctl", "-g", "totem.cluster_name")
            assert name.endswith("= cmg")
        assert 'name="cluster-name" value="cmg"' in lab.cib("cms1")
        assert "cmha-maintenance" not in lab.cib("cms1")
        assert faults(lab) == []


def test_transport_and_encryption_change_on_both_hosts_at_once(lab):
    key = lab.on("cms1", "sh", "-c", f"corosync-keygen -l >/dev/null; base64 -w0 {KEY_FILE}")
    lab.on("cms2", "sh", "-c", f"umask 277; echo {key} | base64 -d > {KEY_FILE}")
    # from another cluster_name too: hosts with old and new values must not meet
    with pillar(lab, "cluster_name: cmf", cms_alone("corosync: {totem: {transport: knet}}")):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        keys = ["totem.cluster_name", "totem.transport"]
        assert taken_in(done) == dict.fromkeys(CMS, ("together", keys))
        secret = "corosync: {totem: {transport: knet, secauth: 'on'}}"
        with pillar(lab, "corosync: {totem: {transport: knet}}", secret):
            with uninterrupted(lab):
                done = orchestrate(lab)
            assert (done.code, done.failed) == (0, [])
            assert taken_in(done) == dict.fromkeys(CMS, ("together", ["totem.secauth"]))
            _, data = lab.runner("cmha.preflight", "pair=cms")
            assert not any("authenticated" in line for line in data["warnings"])
            assert faults(lab) == []
    assert orchestrate(lab).code == 0
