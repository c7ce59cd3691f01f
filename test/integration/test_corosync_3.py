"""Corosync 3's own word: its manual pages on the keys, and ``corosync -t`` on files that are made for it."""

import base64
import gzip
import os
import re
import subprocess
from pathlib import Path

import pytest
from pillars import with_

# --- the manual pages ----------------------------------------------------------------------------

OWN = {
    "cluster_name",
    "key",
    "linknumber",
    "ringX_addr",
    "nodeid",
    "name",
    "subsys",
    "provider",
}


@pytest.fixture(scope="module")
def tree(pacemaker_tools):
    """The root of the unpacked packages."""
    root = Path(pacemaker_tools).parent
    if not (root / "usr/sbin/corosync").exists():
        pytest.skip("Pacemaker is installed here; needs Corosync's package, unpacked")
    return root


@pytest.fixture(scope="module")
def page(tree):
    return lambda name: gzip.decompress((tree / "usr/share/man" / name).read_bytes()).decode()


def entries(text):
    """The names that a manual page explains, each in a paragraph of its own."""
    return set(re.findall(r"^\.TP\n+(\w+)(?: \((?:udp|UDP) only\))?$", text, re.MULTILINE))


def known(pure, *sections):
    table = pure("corosync_keys").SECTIONS
    return {key for section in sections for key, (those, _) in table[section].items() if 3 in those}


def test_every_key_of_corosync_conf_is_known_and_no_other(pure, page):
    text = page("man5/corosync.conf.5.gz")
    begin = text.index("linknumber")
    explained, elsewhere = text[begin - 10 :].split("Within the\n.B system\n", 1)
    ours = known(pure, "totem", "interface", "node", "logging")
    # of a node's votes, votequorum(5) tells; of to_stderr, to_logfile and to_syslog it tells in one
    assert entries(explained) - OWN == ours - {"quorum_votes"}
    assert "sched_rr" in entries(elsewhere)


def test_every_key_of_votequorum_is_known_and_no_other(pure, page):
    text = page("man5/votequorum.5.gz")
    features = set(re.findall(r"^\.B (\w+):", text, re.MULTILINE))
    assert features | {"provider", "expected_votes"} == known(pure, "quorum")
    for key in ("provider", "expected_votes", *known(pure, "node")):
        assert f"{key}: " in text


# --- corosync -t ---------------------------------------------------------------------------------

KEY = base64.b64encode(bytes(range(256))).decode()
SECRET = {"authkey": KEY}


def nodes(*networks):
    return {
        f"cms{host}": {"nodeid": host, "addresses": [f"{network}{host}" for network in networks]}
        for host in (1, 2)
    }


@pytest.fixture
def corosync_takes(tree, corosync_conf, pure, site_model, tmp_path):
    """Whether ``corosync -t`` takes the file of cms1, and what it prints."""
    home = (
        os.uname().nodename
    )  # Corosync finds the local node by this name, where it has no address

    def tested(corosync, networks=("192.0.2.1",)):
        pillar = with_("pairs:cms:nodes", nodes(*networks))
        pillar["pairs"]["cms"]["nodes"]["cms1"]["name"] = home
        (pair, _) = site_model({**pillar, "corosync": corosync})["pairs"]
        cmha = pure("cmha_corosync").fitted(pair, 3)
        (tmp_path / "authkey").write_bytes(
            pure("cmha_site").authkey({**pillar, "corosync": corosync}, "cms1") or b""
        )
        cmha["corosync"]["totem"]["keyfile"] = str(tmp_path / "authkey")
        cmha["corosync"]["logging"]["logfile"] = str(tmp_path / "corosync.log")
        text = corosync_conf(cmha, pair["nodes"][0])
        conf = tmp_path / "corosync.conf"
        conf.write_text(f"{text}\nsystem {{\n    state_dir: {tmp_path}\n}}\n")
        return run(tree, conf)

    return tested


def run(tree, conf):
    libraries = [
        *tree.glob("usr/lib/*-linux-gnu*"),
        *tree.glob("lib/*-linux-gnu*"),
        tree / "usr/lib",
    ]
    done = subprocess.run(
        [tree / "usr/sbin/corosync", "-t", "-c", conf],
        env={**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr + conf.read_text()


V4, OTHER, V6 = "192.0.2.1", "198.51.100.1", "2001:db8::1"
KNET = {"totem": {"transport": "knet"}}
DEVICE = {
    "model": "net",
    "votes": 1,
    "timeout": 10000,
    "sync_timeout": 30000,
    "net": {
        "host": "192.0.2.2",
        "port": 5403,
        "algorithm": "ffsplit",
        "tls": False,
        "tie_breaker": "lowest",
        "connect_timeout": 8000,
        "force_ip_version": 4,
        "keep_active_partition_tie_breaker": True,
    },
    "heuristics": {"mode": True, "interval": 30000, "exec_ping": "/bin/ping -c 1 192.0.2.2"},
}


@pytest.mark.parametrize(
    ("corosync", "networks"),
    [
        ({}, [V4]),
        ({}, [V6]),
        (SECRET, [V4]),
        (SECRET, [V6]),
        (SECRET, [V4, OTHER]),
        ({**SECRET, "totem": {"crypto_model": "openssl", "link_mode": "active"}}, [V4, V6]),
        ({**SECRET, "totem": {"crypto_cipher": "aes128", "crypto_hash": "sha512"}}, [V4]),
        ({"totem": {"secauth": True}, **SECRET}, [V4]),
        ({**SECRET, "totem": {"transport": "udpu"}}, [V4]),
        ({"totem": {"transport": "udp"}}, [V4]),
        ({"totem": {"transport": "udp"}}, [V6]),
        (
            {
                "totem": {"transport": "udp"},
                "interface": {0: {"mcastaddr": "239.255.7.7", "mcastport": 5407, "ttl": 4}},
            },
            [V4],
        ),
        ({"totem": {"transport": "udp"}, "interface": {0: {"broadcast": True}}}, [V4]),
        (
            {
                **KNET,
                "interface": {
                    0: {"knet_link_priority": 2, "mcastport": 5500},
                    1: {
                        "knet_transport": "sctp",
                        "knet_ping_interval": 500,
                        "knet_ping_timeout": 1000,
                        "knet_ping_precision": 1024,
                        "knet_pong_count": 3,
                    },
                },
            },
            [V4, OTHER],
        ),
        ({"totem": {"token": 5000, "consensus": 6000, "token_retransmits_before_loss_const": 10}}, [V4]),
        ({**KNET, "totem": {"transport": "knet", "knet_compression_model": "zlib", "knet_mtu": 1400}}, [V4]),
        ({"quorum": {"two_node": 0, "wait_for_all": 1}}, [V4]),
        ({"quorum": {"auto_tie_breaker": 1, "auto_tie_breaker_node": "lowest"}}, [V4]),
        ({"quorum": {"last_man_standing": 1, "last_man_standing_window": 20000, "two_node": 0}}, [V4]),
        ({"quorum": {"device": DEVICE}}, [V4]),
        (
            {
                "logging": {
                    "to_stderr": False,
                    "timestamp": "hires",
                    "blackbox": True,
                    "debug": "trace",
                    "syslog_facility": "local3",
                    "syslog_priority": "warning",
                    "logger_subsys": {"QUORUM": {"debug": True, "to_syslog": False}},
                }
            },
            [V4],
        ),
    ],
)  # fmt: skip
def test_corosync_takes_what_the_model_takes(corosync_takes, corosync, networks):
    takes, said = corosync_takes(corosync, networks)
    assert takes, said
    assert "error" not in said
    assert " warning " not in said, said


def test_corosync_refuses_what_the_model_refuses(corosync_takes, tree, tmp_path):
    """The checks above can fail."""
    corosync_takes({**SECRET, "totem": {"transport": "udpu"}})
    conf = tmp_path / "corosync.conf"
    wrong = conf.read_text().replace("secauth: off", "secauth: on")
    conf.write_text(wrong)
    takes, said = run(tree, conf)
    assert not takes
    assert "only valid for the Knet transport" in said
