"""A key in pillar, which nobody gets to see, and a second link: without downtime."""

import re

import pytest
import yaml
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
from guide import wait_for

pytestmark = pytest.mark.lab(begins="converged")


def new_key(lab):
    """A key from the runner, in one line."""
    printed, _ = lab.shown("cmha.keygen")
    return "".join(yaml.safe_load(printed)["cmha"]["corosync"]["authkey"].split())


# Salt's own cache of compiled pillars (minion_data_cache) has all that pillar has
FIND = """\
import base64, os, subprocess, sys
key = base64.b64decode(sys.stdin.read())
marks = [key[:24], base64.b64encode(key)[:32], key[:24].hex().encode()]
journal = subprocess.run(["journalctl", "--no-pager"], capture_output=True).stdout
contents = [("the journal", journal)]
for top in ("/var/cache/salt", "/var/log", "/run/salt", "/tmp", "/etc/salt"):
    for directory, _, files in os.walk(top):
        if not directory.startswith("/var/cache/salt/master/pillar"):
            for path in (os.path.join(directory, file) for file in files):
                try:
                    with open(path, "rb") as file:
                        contents.append((path, file.read()))
                except OSError:  # no file, or gone
                    pass
print(*(path for path, content in contents if any(mark in content for mark in marks)), sep=chr(10))
"""


def traces(lab, key):
    """Where on any machine the key is, beside its file and Salt's pillar."""
    return {
        host: found
        for host in ("master", *CMS)
        if (found := lab.run("on", host, "python3", "-c", FIND, stdin=key).stdout.split())
    }


def test_a_key_in_pillar_encrypts_and_is_shown_nowhere(lab):
    key, another = new_key(lab), new_key(lab)
    printed = ""
    with pillar(lab, "cluster_name: cmf", cms_alone(f"corosync: {{authkey: {key}}}")):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        printed += done.printed
        keys = ["totem.crypto_cipher", "totem.crypto_hash", "totem.secauth", "totem.transport"]
        assert taken_in(done) == dict.fromkeys(CMS, ("together", keys))
        for host in CMS:
            assert lab.on(host, "stat", "-c", "%a %U %G", KEY_FILE) == "400 root root"
            assert lab.on(host, "base64", "-w0", KEY_FILE) == key
            assert "transport knet" in lab.on(host, "corosync-cfgtool", "-s")
            cipher = lab.on(host, "corosync-cmapctl", "-g", "totem.crypto_cipher")
            assert cipher.endswith("= aes256")
            assert "--dports 5405 " in lab.on(host, "iptables-save")
        _, data = lab.runner("cmha.preflight", "pair=cms")
        assert not any("authenticated" in line for line in data["warnings"])

        with pillar(lab, key, another):
            code, data = lab.runner("cmha.plan", "pair=cms")
            planned = data["sites"]["lab"]["cms"]
            assert (code, data["errors"]) == (0, [])
            secret = {"totem.authkey": {"old": "(secret)", "new": "(secret)"}}
            change = {"corosync": secret, "how": "together"}
            assert planned["restart"]["changes"] == dict.fromkeys(CMS, change)
            with uninterrupted(lab):
                done = orchestrate(lab)
            assert (done.code, done.failed) == (0, [])
            printed += done.printed + str(planned)
            assert taken_in(done) == dict.fromkeys(CMS, ("together", ["totem.authkey"]))
            for host in CMS:
                assert lab.on(host, "base64", "-w0", KEY_FILE) == another
            assert faults(lab) == []

            before = corosyncs(lab)
            done = orchestrate(lab)
            assert (done.code, done.restarted) == (0, {})
            assert corosyncs(lab) == before
        for each in (key, another):
            assert each[:32] not in printed
            assert traces(lab, each) == {}
        lab.on("master", "sh", "-c", f"echo {key} > /tmp/left-behind")
        assert traces(lab, key) == {"master": ["/tmp/left-behind"]}
        lab.on("master", "rm", "/tmp/left-behind")
    with uninterrupted(lab):
        assert orchestrate(lab).code == 0


def test_a_second_link_over_ipv6_carries_the_cluster_alone(lab):
    device = "$(ip -o -4 address show to 192.0.2.0/24 | awk '{print $2}')"
    for number, host in enumerate(CMS, 1):
        lab.on(host, "sh", "-c", f"ip address add 2001:db8::1{number}/64 dev {device} nodad")
    first = "cms1: {nodeid: 1, address: 192.0.2.11}"
    second = "cms2: {nodeid: 2, address: 192.0.2.12}"
    with (
        pillar(lab, first, "cms1: {nodeid: 1, addresses: [192.0.2.11, '2001:db8::11']}"),
        pillar(lab, second, "cms2: {nodeid: 2, addresses: [192.0.2.12, '2001:db8::12']}"),
    ):
        with uninterrupted(lab):
            done = orchestrate(lab)
        assert (done.code, done.failed) == (0, [])
        assert "--dports 5406 " in lab.on("cms1", "ip6tables-save")
        drop = ("-p", "udp", "--dport", "5405", "-j", "DROP")
        lab.on("cms1", "iptables", "-I", "INPUT", *drop)
        wait_for(lab, "cms1", "corosync-cfgtool -s | grep -q 'nodeid: *2:.*disconnected'")
        links = lab.on("cms1", "corosync-cfgtool", "-s")
        members = lab.salt(["cms1"], "corosync.members")["cms1"]
        lab.on("cms1", "iptables", "-D", "INPUT", *drop)
        assert re.findall(r"nodeid: +2:\s+(\w+)", links) == ["disconnected", "connected"]
        assert [each["status"] for each in members.values()] == ["joined", "joined"]
        wait_for(lab, "cms1", "! corosync-cfgtool -s | grep -q 'disconnected'")
    with uninterrupted(lab):
        assert orchestrate(lab).code == 0
