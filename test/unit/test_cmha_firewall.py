"""The packet filter rules that a pair needs."""

import pytest
from pillars import SITE, with_


@pytest.fixture
def cmha_firewall(pure):
    return pure("cmha_firewall")


def test_the_firewall_lets_the_pair_through_and_nobody_else(site_model, cmha_firewall):
    rules = cmha_firewall.rules(site_model(SITE)["pairs"][0])
    udp = {"proto": "udp", "dports": "5404,5405"}
    assert [(rule["chain"], rule["family"], rule["match"]) for rule in rules] == [
        ("INPUT", "ipv4", {"source": "192.0.2.11", **udp}),
        ("INPUT", "ipv4", {"source": "192.0.2.12", **udp}),
        ("OUTPUT", "ipv4", {"destination": "192.0.2.11", **udp}),
        ("OUTPUT", "ipv4", {"destination": "192.0.2.12", **udp}),
    ]


def two_links(networks=("192.0.2.1", "198.51.100.1"), **corosync):
    nodes = {
        f"cms{host}": {"nodeid": host, "addresses": [f"{network}{host}" for network in networks]}
        for host in (1, 2)
    }
    return {**with_("pairs:cms:nodes", nodes), "corosync": corosync}


def udp(ports, **more):
    return {**more, "proto": "udp", "dports": ports}


def rules(site_model, cmha_firewall, pillar):
    """Of the pair cms: id, family and match of each rule."""
    found = cmha_firewall.rules(site_model(pillar)["pairs"][0])
    assert len({rule["id"] for rule in found}) == len(found)
    return [(rule["id"], rule["family"], rule["match"]) for rule in found]


def test_the_firewall_opens_the_ports_of_every_link(site_model, cmha_firewall):
    pillar = two_links(("192.0.2.1", "2001:db8::1"), totem={"transport": "knet"})
    assert rules(site_model, cmha_firewall, pillar)[:4] == [
        ("INPUT cms1", "ipv4", udp("5405", source="192.0.2.11")),
        ("INPUT cms2", "ipv4", udp("5405", source="192.0.2.12")),
        ("INPUT cms1 link 1", "ipv6", udp("5406", source="2001:db8::11")),
        ("INPUT cms2 link 1", "ipv6", udp("5406", source="2001:db8::12")),
    ]


def test_the_firewall_follows_the_port(site_model, cmha_firewall):
    pillar = with_("corosync:interface", {0: {"mcastport": 6000}})
    found = rules(site_model, cmha_firewall, pillar)
    assert {match["dports"] for _, _, match in found} == {"5999,6000"}


def test_the_firewall_lets_multicast_out(site_model, cmha_firewall):
    found = rules(site_model, cmha_firewall, with_("corosync:totem:transport", "udp"))
    assert found == [
        ("INPUT cms1", "ipv4", udp("5404,5405", source="192.0.2.11")),
        ("INPUT cms2", "ipv4", udp("5404,5405", source="192.0.2.12")),
        ("OUTPUT multicast", "ipv4", udp("5404,5405")),
    ]


def test_the_firewall_for_anybody_has_all_links_of_a_family_in_one_rule(site_model, cmha_firewall):
    networks = ("192.0.2.1", "2001:db8::1", "198.51.100.1")
    pillar = two_links(networks, totem={"transport": "knet"})
    pillar["firewall"] = {"sources": "any"}
    assert rules(site_model, cmha_firewall, pillar) == [
        ("INPUT", "ipv4", udp("5405,5407")),
        ("INPUT ipv6 udp", "ipv6", udp("5406")),
        ("OUTPUT", "ipv4", udp("5405,5407")),
        ("OUTPUT ipv6 udp", "ipv6", udp("5406")),
    ]


def test_a_link_of_sctp_is_opened_as_such(site_model, cmha_firewall):
    pillar = two_links(totem={"transport": "knet"}, interface={1: {"knet_transport": "sctp"}})
    found = rules(site_model, cmha_firewall, pillar)
    assert [match["proto"] for _, _, match in found] == ["udp", "udp", "sctp", "sctp"] * 2


def test_the_guides_firewall_and_none(site_model, cmha_firewall):
    udp = {"proto": "udp", "dports": "5404,5405"}
    pair = site_model(with_("firewall:sources", "any"))["pairs"][0]
    assert [rule["match"] for rule in cmha_firewall.rules(pair)] == [udp, udp]
    pair = site_model(with_("firewall:enabled", False))["pairs"][0]
    assert cmha_firewall.rules(pair) == []


@pytest.mark.parametrize(
    ("net", "family", "port"),
    [
        ({"host": "192.0.2.2", "algorithm": "lms"}, "ipv4", "5403"),
        ({"host": "2001:DB8:0::2", "port": 5400, "algorithm": "ffsplit"}, "ipv6", "5400"),
    ],
)
def test_the_firewall_lets_the_pair_reach_its_device(site_model, cmha_firewall, net, family, port):
    pillar = with_("pairs:cms:corosync:quorum:device", {"model": "net", "net": net})
    cms, mgmt = site_model(pillar)["pairs"]
    (rule,) = (each for each in cmha_firewall.rules(cms) if each["match"]["proto"] == "tcp")
    assert (rule["chain"], rule["family"]) == ("OUTPUT", family)
    # as the packet filters spell it
    address = {"ipv4": "192.0.2.2", "ipv6": "2001:db8::2"}[family]
    assert rule["match"] == {"destination": address, "proto": "tcp", "dports": port}
    assert not any(each["match"]["proto"] == "tcp" for each in cmha_firewall.rules(mgmt))


def test_a_device_by_name_has_no_rule(site_model, cmha_firewall):
    device = {"model": "net", "net": {"host": "third.example.com", "algorithm": "ffsplit"}}
    cms, _ = site_model(with_("pairs:cms:corosync:quorum:device", device))["pairs"]
    assert not any(each["match"]["proto"] == "tcp" for each in cmha_firewall.rules(cms))
