"""What a pair's corosync.conf is to say on each generation of Corosync: what follows, and what is refused."""

import base64
import re
import subprocess

import pytest
from pillars import SITE, with_

KEY = base64.b64encode(bytes(256)).decode()
SHORT_KEY = base64.b64encode(bytes(128)).decode()


@pytest.fixture
def fitted(pure, site_model):
    def fit(generation, corosync=None, pillar=None, **nodes):
        pillar = with_("corosync", corosync) if corosync is not None else pillar or SITE
        pillar = {**pillar, "pairs": {"cms": {**pillar["pairs"]["cms"]}}}
        pillar["pairs"]["cms"]["nodes"] = {
            host: {"nodeid": int(host[-1]), **node}
            for host, node in {**pillar["pairs"]["cms"]["nodes"], **nodes}.items()
        }
        (pair,) = site_model(pillar)["pairs"]
        return pure("cmha_corosync").fitted(pair, generation)

    return fit


def links(*networks, **more):
    """Both nodes with an address in each network."""
    return {
        f"cms{host}": {"addresses": [f"{network}{host}" for network in networks], **more}
        for host in (1, 2)
    }


TWO = links("192.0.2.1", "198.51.100.1")
SIX = links("2001:db8::1")


def forced(host, version):
    """A quorum device that is reached by one IP version."""
    net = {"host": host, "algorithm": "ffsplit", "force_ip_version": version}
    return {"model": "net", "net": net}


NO_KEY = {"secauth": "off", "transport": "udpu"}


# --- what follows --------------------------------------------------------------------------------


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_without_a_key_it_is_the_guides(fitted, generation):
    pair = fitted(generation)
    assert pair["corosync"]["totem"] == {"version": 2, **NO_KEY}
    assert (pair["authenticated"], pair["key_size"]) == (False, None)
    assert pair["conf_template"] == f"corosync-{1 if generation == 1 else 2}.conf.jinja"
    assert pair["key_file"] == "/etc/corosync/authkey"


@pytest.mark.parametrize("generation", [1, 2])
def test_with_a_key_1_and_2_authenticate_udpu(fitted, generation):
    pair = fitted(generation, {"authkey": SHORT_KEY})
    assert pair["corosync"]["totem"] == {"version": 2, "secauth": "on", "transport": "udpu"}
    assert pair["authenticated"] is True


def test_with_a_key_3_encrypts_over_knet(fitted):
    pair = fitted(3, {"authkey": KEY})
    assert pair["corosync"]["totem"] == {
        "version": 2,
        "secauth": "on",
        "transport": "knet",
        "crypto_cipher": "aes256",
        "crypto_hash": "sha256",
    }
    assert (pair["authenticated"], pair["key_size"]) == (True, 256)


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_no_key_is_anywhere_in_the_model(fitted, site_model, generation):
    pillar = with_("corosync:authkey", SHORT_KEY)
    for model in (site_model(pillar), fitted(generation, {"authkey": SHORT_KEY})):
        assert SHORT_KEY not in str(model)
        assert repr(bytes(8))[2:-1] not in str(model)


@pytest.mark.parametrize(
    ("totem", "left", "authenticated"),
    [
        # pillar wins, whatever else would follow
        ({"transport": "udpu"}, {"transport": "udpu", "secauth": "off"}, False),
        ({"secauth": "off"}, {"transport": "udpu", "secauth": "off"}, False),
        ({"transport": "knet"}, {"crypto_hash": "sha256"}, True),
        ({"crypto_hash": "sha512"}, {"crypto_hash": "sha512", "crypto_cipher": "aes256"}, True),
        ({"crypto_cipher": "aes128"}, {"crypto_cipher": "aes128", "transport": "knet"}, True),
        ({"secauth": "on"}, {"crypto_cipher": "aes256", "transport": "knet"}, True),
        ({"crypto_cipher": "none", "crypto_hash": "none"}, {"crypto_hash": "none"}, False),
    ],
)
def test_what_pillar_says_goes_before_what_follows_from_the_key(fitted, totem, left, authenticated):
    pair = fitted(3, {"authkey": KEY, "totem": totem})
    found = pair["corosync"]["totem"]
    assert {key: found.get(key) for key in left} == left
    assert pair["authenticated"] is authenticated


@pytest.mark.parametrize("said", [{"secauth": "on"}, {"crypto_hash": "sha256"}])
def test_with_a_key_of_the_hosts_own_encryption_is_over_knet_too(fitted, said):
    pair = fitted(3, {"totem": said})
    assert pair["corosync"]["totem"]["transport"] == "knet"
    assert "crypto_cipher" not in pair["corosync"]["totem"]
    assert (pair["authenticated"], pair["key_size"]) == (True, None)


@pytest.mark.parametrize("place", ["corosync", "roles:server:corosync", "pairs:cms:corosync"])
def test_a_key_may_stand_at_every_level(fitted, place):
    assert fitted(3, pillar=with_(f"{place}:authkey", KEY))["authenticated"]


@pytest.mark.parametrize(("generation", "mode"), [(1, "passive"), (2, "passive"), (3, None)])
def test_two_rings_have_a_mode(fitted, generation, mode):
    totem = fitted(generation, **TWO)["corosync"]["totem"]
    assert totem.get("rrp_mode") == mode
    assert totem["transport"] == ("knet" if generation == 3 else "udpu")


@pytest.mark.parametrize(
    ("generation", "transport", "version"),
    [
        (1, "udpu", None),
        (2, "udpu", "ipv6"),
        (3, "udpu", None),  # its own default, ipv6-4, will do
        (3, "udp", "ipv6"),
        (3, "knet", None),
    ],
)
def test_ipv6(fitted, generation, transport, version):
    totem = fitted(generation, {"totem": {"transport": transport}}, **SIX)["corosync"]["totem"]
    assert totem.get("ip_version") == version


@pytest.mark.parametrize(
    ("generation", "corosync", "nodes", "message"),
    [
        (3, {"totem": {"ip_version": "ipv6"}}, {}, "totem:ip_version: is ipv6, and cms1 has 192.0.2.11"),
        (2, {"totem": {"ip_version": "ipv6"}}, {}, "totem:ip_version: is ipv6, and cms1 has 192.0.2.11"),
        (3, {"totem": {"ip_version": "ipv4"}}, SIX, "totem:ip_version: is ipv4, and cms1 has 2001:db8::11"),
        (2, {"totem": {"ip_version": "ipv4"}}, SIX, "totem:ip_version: is ipv4, and cms1 has 2001:db8::11"),
        (3, {"totem": {"transport": "udp"}, "interface": {0: {"mcastaddr": "ff05::7"}}}, {},
         "interface:0:mcastaddr: ff05::7 isn't of the IP version of the nodes' addresses, such as"),
        (1, {"totem": {"transport": "udp"}, "interface": {0: {"mcastaddr": "239.255.7.7"}}}, SIX,
         "interface:0:mcastaddr: 239.255.7.7 isn't of the IP version of the nodes'"),
        (3, {"quorum": {"device": forced("192.0.2.9", 6)}}, {},
         "quorum:device:net:force_ip_version: is 6, and the host is 192.0.2.9; leave it out"),
        (2, {"quorum": {"device": forced("2001:db8::9", "4")}}, {},
         "quorum:device:net:force_ip_version: is 4, and the host is 2001:db8::9; leave it out"),
    ],
)  # fmt: skip
def test_addresses_of_another_ip_version(fitted, generation, corosync, nodes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        fitted(generation, corosync, **nodes)


@pytest.mark.parametrize(
    ("corosync", "nodes"),
    [
        ({"totem": {"ip_version": "ipv4-6"}}, {}),
        ({"totem": {"ip_version": "ipv6-4"}}, SIX),
        ({"totem": {"ip_version": "ipv6"}}, SIX),
        ({"quorum": {"device": forced("qnetd.example.com", 6)}}, {}),
        ({"quorum": {"device": forced("192.0.2.9", 0)}}, {}),
        ({"quorum": {"device": forced("192.0.2.9", 4)}}, {}),
    ],
)
def test_addresses_of_the_ip_version_that_is_said(fitted, corosync, nodes):
    assert fitted(3, corosync, **nodes)


def test_an_interface_of_1_always_has_a_port(fitted):
    found = fitted(1, {"interface": {1: {"mcastport": 5500}}}, **TWO)["interfaces"]
    assert found == [
        {"number": 0, "settings": {"mcastport": 5405}},
        {"number": 1, "settings": {"mcastport": 5500}},
    ]


@pytest.mark.parametrize("generation", [2, 3])
def test_later_only_what_pillar_says_of_interfaces(fitted, generation):
    assert fitted(generation, **TWO)["interfaces"] == []
    found = fitted(generation, {"interface": {1: {"mcastport": 5500}}}, **TWO)["interfaces"]
    assert found == [{"number": 1, "settings": {"mcastport": 5500}}]


DEVICE = {"model": "net", "votes": 1, "net": {"host": "192.0.2.2", "algorithm": "ffsplit"}}


@pytest.mark.parametrize("quorum", [{"device": DEVICE}, {"auto_tie_breaker": 1}])
def test_a_device_or_the_tie_breaker_take_the_place_of_two_node(fitted, quorum):
    assert fitted(3, {"quorum": quorum})["corosync"]["quorum"]["two_node"] == 0
    assert fitted(3)["corosync"]["quorum"]["two_node"] == 1


def test_the_guides_logger_of_1_may_be_overridden(fitted):
    logger = fitted(1)["corosync"]["logging"]["logger_subsys"]
    assert logger == {"AMF": {"debug": "off"}}
    logger = fitted(1, {"logging": {"logger_subsys": {"AMF": {"debug": True}}}})
    assert logger["corosync"]["logging"]["logger_subsys"] == {"AMF": {"debug": "on"}}
    assert "logger_subsys" not in fitted(3)["corosync"]["logging"]


# --- how the file is tried -----------------------------------------------------------------------

# Corosync as its main.c takes options in each of these versions; a good file says totem.
COROSYNC = """#!/bin/sh
conf=${{COROSYNC_MAIN_CONFIG_FILE:-/nowhere}}
while getopts {options} option; do
    case $option in
        t) testing=yes ;;
        c) conf=$OPTARG ;;
        *) printf 'usage:\\n        -f     : Start application in foreground.\\n{usage}' >&2; exit 1 ;;
    esac
done
[ "${{testing:-}}" ] || exit 3 # that would start it
grep -q totem "$conf"
"""
CAN_TEST = "        -t     : Test configuration and exit.\\n"


@pytest.fixture
def accepted(fitted, tmp_path, monkeypatch):
    """Whether a generation's file is accepted by a Corosync that takes these options."""

    def accept(generation, options, text):
        usage = CAN_TEST if "t" in options else ""
        (tmp_path / "corosync").write_text(COROSYNC.format(options=options, usage=usage))
        (tmp_path / "corosync").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        conf = tmp_path / "corosync.conf"
        conf.write_text(text)
        # as file.managed does
        command = f"{fitted(generation)['conf_check']} {conf}"
        return subprocess.run(command, shell=True, check=False).returncode == 0

    return accept


@pytest.mark.parametrize(
    ("generation", "options", "can_try"),
    [(2, "fprv", False), (2, "fprtv", True), (3, "c:ftv", True)],  # the first is 2.3.3
)
def test_a_file_is_tried_as_its_corosync_can(accepted, generation, options, can_try):
    assert accepted(generation, options, "totem {}")
    assert accepted(generation, options, "rubbish") is not can_try


def test_1_has_no_way_to_try_a_file(fitted):
    assert fitted(1)["conf_check"] is None


# --- what is refused -----------------------------------------------------------------------------

AT = "pillar cmha:corosync:"


@pytest.mark.parametrize(
    ("version", "section", "since"),
    [
        ("2.4.3", {"logging": {"blackbox": "off"}}, "2.4.4"),
        ("1.4.4", {"logging": {"debug": "trace"}}, "1.4.5"),
        ("2.4.4", {"totem": {"block_unlisted_ips": "no"}}, "2.4.5"),
        ("2.4.5", {"totem": {"cancel_token_hold_on_retransmit": "no"}}, "2.4.6"),
        ("3.1.5", {"totem": {"cancel_token_hold_on_retransmit": "no"}}, "3.1.6"),
        ("2.3.3", {"totem": {"token_coefficient": 0}}, "2.3.4"),
        ("2.3.3", {"quorum": {"auto_tie_breaker_node": 1}}, "2.3.4"),
        ("1.4.1", {"totem": {"rrp_problem_count_mcast_threshold": 9}}, "1.4.2"),
        (
            "2.3.6",
            {"quorum": {"device": {"model": "net", "net": {"host": "q", "algorithm": "lms"}}}},
            "2.4.0",
        ),
    ],
)
def test_what_came_with_a_later_version(site_model, pure, version, section, since):
    fitted = pure("cmha_corosync").fitted
    pair = site_model(with_("corosync", section))["pairs"][0]
    with pytest.raises(
        ValueError, match=rf"Corosync {version} doesn't know \w+; {since} is the first that does"
    ):
        fitted(pair, int(version[0]), version)
    assert fitted(pair, int(version[0]), since)
    assert fitted(pair, int(version[0]))


@pytest.mark.parametrize(("generation", "version"), [(1, None), (1, "1.4.7"), (2, "2.3.3")])
def test_one_ring_broadcasts_and_another_has_an_address(site_model, pure, generation, version):
    pillar = with_("pairs:cms:corosync:totem:transport", "udp")
    interfaces = {0: {"broadcast": True}, 1: {"mcastaddr": "239.0.0.1"}}
    pillar["pairs"]["cms"]["corosync"]["interface"] = interfaces
    nodes = {"cms1": ["192.0.2.11", "198.51.100.1"], "cms2": ["192.0.2.12", "198.51.100.2"]}
    for number, (name, addresses) in enumerate(nodes.items(), 1):
        pillar["pairs"]["cms"]["nodes"][name] = {"nodeid": number, "addresses": addresses}
    pair = site_model(pillar)["pairs"][0]
    with pytest.raises(
        ValueError, match="interface:1:mcastaddr: goes not with broadcast of ring 0"
    ):
        pure("cmha_corosync").fitted(pair, generation, version)
    assert pure("cmha_corosync").fitted(pair, 2, "2.4.6")


def test_a_port_below_which_there_is_none(site_model, pure):
    pair = site_model(with_("corosync:interface", {0: {"mcastport": 1}}))["pairs"][0]
    with pytest.raises(ValueError, match="interface:0:mcastport: should be a number from 2 on"):
        pure("cmha_corosync").fitted(pair, 3)


@pytest.mark.parametrize("generation", [2, 3])
def test_bindnetaddr_is_the_nodes_own(site_model, pure, generation):
    pair = site_model(with_("corosync:interface", {0: {"bindnetaddr": "192.0.2.0"}}))["pairs"][0]
    with pytest.raises(
        ValueError, match="interface:0:bindnetaddr: Corosync .* binds to the node's address"
    ):
        pure("cmha_corosync").fitted(pair, generation)


@pytest.mark.parametrize(
    ("generation", "corosync", "message"),
    [
        (1, {"totem": {"crypto_cipher": "aes256"}}, "totem:crypto_cipher: Corosync 1.x doesn't know it; use"),
        (1, {"totem": {"transport": "knet"}}, "totem:transport: Corosync 1.x doesn't know knet; it knows ud"),
        (2, {"totem": {"transport": "knet"}}, "totem:transport: Corosync 2.x doesn't know knet"),
        (2, {"totem": {"link_mode": "rr"}}, "totem:link_mode: Corosync 2.x doesn't know it; use rrp_mode"),
        (3, {"totem": {"rrp_mode": "none"}}, "totem:rrp_mode: Corosync 3.x doesn't know it; use link_mode"),
        (3, {"totem": {"crypto_cipher": "3des"}}, "totem:crypto_cipher: Corosync 3.x doesn't know 3des; it"),
        (2, {"totem": {"ip_version": "ipv6-4"}}, "totem:ip_version: Corosync 2.x doesn't know ipv6-4"),
        (1, {"quorum": {"two_node": 1}}, "quorum:two_node: Corosync 1.x doesn't know it"),
        (1, {"quorum": {"device": DEVICE}}, "quorum:device:model: Corosync 1.x doesn't know it"),
        (2, {"logging": {"timestamp": "hires"}}, "logging:timestamp: Corosync 2.x doesn't know hires"),
        (2, {"interface": {0: {"knet_pong_count": 3}}}, "interface:0:knet_pong_count: Corosync 2.x doesn't"),
        # what can't be
        (3, {"totem": {"transport": "udpu", "secauth": "on"}}, "totem:secauth: needs transport knet: Corosy"),
        (3, {"totem": {"transport": "udp", "crypto_hash": "sha1"}}, "totem:crypto_hash: needs transport kne"),
        (3, {"totem": {"transport": "knet", "crypto_cipher": "aes256"}}, "totem:crypto_cipher: needs a cryp"),
        (2, {"totem": {"crypto_cipher": "aes256"}}, "totem:crypto_cipher: needs a crypto_hash too"),
        (2, {"authkey": KEY}, "authkey: Corosync 2.x reads 128 bytes of a key, this one has 256; make one "
                              "with salt-run cmha.keygen generation=2"),
        (3, {"interface": {0: {"ttl": 2}}}, "interface:0:ttl: needs transport udp, this is udpu"),
        (3, {"interface": {0: {"mcastaddr": "239.1.1.1"}}}, "interface:0:mcastaddr: needs transport udp"),
        (3, {"interface": {0: {"knet_pong_count": 3}}}, "interface:0:knet_pong_count: needs transport knet"),
        (3, {"interface": {0: {"bindnetaddr": "192.0.2.0"}}}, "interface:0:bindnetaddr: Corosync 3.x binds"),
        (3, {"interface": {1: {"mcastport": 5500}}}, "interface:1: there is no such link; the nodes have 1"),
        (1, {"totem": {"transport": "udp"}}, "interface:0:mcastaddr: is missing"),
        (3, {"quorum": {"device": DEVICE, "two_node": 1}}, "quorum:two_node: goes not with a quorum device"),
        (3, {"quorum": {"device": DEVICE, "last_man_standing": 1}}, "quorum:last_man_standing: goes not wit"),
        (3, {"quorum": {"device": DEVICE, "auto_tie_breaker": 1}}, "quorum:auto_tie_breaker: goes not with"),
        (3, {"quorum": {"auto_tie_breaker": 1, "two_node": 1}}, "quorum:two_node: goes not with auto_tie_br"),
    ],
)  # fmt: skip
def test_refused_where_pillar_says_it(fitted, generation, corosync, message):
    with pytest.raises(ValueError) as error:
        fitted(generation, corosync)
    said = str(error.value)
    assert message in said
    assert said.startswith((AT, "pillar cmha:pairs:cms:corosync:"))
    assert "\n" not in said


@pytest.mark.parametrize("place", ["corosync", "roles:server:corosync", "pairs:cms:corosync"])
def test_the_path_is_the_one_where_it_stands(fitted, place):
    with pytest.raises(ValueError, match=f"^pillar cmha:{place}:totem:crypto_hash: Corosync 1.x"):
        fitted(1, pillar=with_(f"{place}:totem:crypto_hash", "sha256"))


@pytest.mark.parametrize(
    ("generation", "corosync", "nodes", "message"),
    [
        (3, {"totem": {"transport": "udpu"}}, TWO, "cms1:addresses: 2 links need transport knet, with udpu"),
        (2, {}, links("192.0.2.1", "198.51.100.1", "203.0.113.1"), "cms1:addresses: Corosync 2.x has 2 ring"),
        (1, {}, links("192.0.2.1", "2001:db8::1"), "cms1:addresses: Corosync 1.x has rings of one address f"),
        (1, {}, links("192.0.2.1", quorum_votes=1), "cms1:quorum_votes: Corosync 1.x doesn't know it"),
    ],
)  # fmt: skip
def test_refused_of_nodes(fitted, generation, corosync, nodes, message):
    with pytest.raises(ValueError) as error:
        fitted(generation, corosync, **nodes)
    assert f"pillar cmha:pairs:cms:nodes:{message}" in str(error.value)


def test_two_rings_without_a_mode(fitted):
    with pytest.raises(ValueError, match="totem:rrp_mode: two rings need active or passive"):
        fitted(2, {"totem": {"rrp_mode": "none"}}, **TWO)


def test_3_has_links_of_both_families(fitted):
    nodes = links("192.0.2.1", "2001:db8::1")
    assert fitted(3, {}, **nodes)["corosync"]["totem"]["transport"] == "knet"


def test_what_the_defaults_say_is_no_mistake_of_pillar(fitted):
    assert fitted(1)["corosync"]["quorum"]["two_node"] == 1
