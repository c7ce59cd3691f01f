"""What totem makes of its settings: the links' ports, and whether messages are authenticated."""

import pytest


@pytest.fixture
def totem(pure):
    return pure("corosync_totem")


def pair(transport, interface=None, links=1):
    nodes = [{"addresses": [f"192.0.{link}.1" for link in range(links)]}]
    return {
        "corosync": {"totem": {"transport": transport}, "interface": interface or {}},
        "nodes": nodes,
    }


@pytest.mark.parametrize(
    ("settings", "ports"),
    [
        (("udpu",), [[5404, 5405]]),
        (("udp",), [[5404, 5405]]),
        (("knet",), [[5405]]),
        (("udpu", {0: {"mcastport": 5500}}), [[5499, 5500]]),
        (("knet", {0: {"mcastport": 5500}}), [[5500]]),
        (("knet", None, 3), [[5405], [5406], [5407]]),
        (("knet", {1: {"mcastport": 7000}}, 3), [[5405], [7000], [5407]]),
        (("udpu", None, 2), [[5404, 5405], [5404, 5405]]),
        (("udp", {0: {"broadcast": "yes"}}, 2), [[5404, 5405], [5406, 5407]]),
        (("udp", {0: {"broadcast": "no"}}, 2), [[5404, 5405], [5404, 5405]]),
    ],
)
def test_ports_of_each_link(totem, settings, ports):
    found = totem.links(pair(*settings))
    assert [link["ports"] for link in found] == ports
    assert [link["number"] for link in found] == list(range(len(ports)))
    assert {link["proto"] for link in found} == {"udp"}


def test_a_link_of_sctp(totem):
    found = totem.links(pair("knet", {1: {"knet_transport": "sctp"}}, 2))
    assert [link["proto"] for link in found] == ["udp", "sctp"]


@pytest.mark.parametrize(
    ("transport", "multicast"), [("udp", True), ("udpu", False), ("knet", False)]
)
def test_only_udp_talks_to_all(totem, transport, multicast):
    assert totem.links(pair(transport))[0]["multicast"] is multicast


ON, OFF = {"secauth": "on"}, {"secauth": "off"}
SHA, NONE = {"crypto_hash": "sha256"}, {"crypto_hash": "none"}
UDPU, KNET = {"transport": "udpu"}, {"transport": "knet"}


@pytest.mark.parametrize(
    ("generation", "settings", "authenticated"),
    [
        # what each does when nobody says anything
        (1, {}, True),
        (2, {}, True),
        (3, {}, False),
        (1, OFF, False),
        (1, {**OFF, **SHA}, False),
        (2, OFF, False),
        (2, {**OFF, **SHA}, True),
        (2, {**ON, **NONE}, False),
        (2, {**ON, **UDPU}, True),
        (3, {**ON, **UDPU}, False),
        (3, {**SHA, **UDPU}, False),
        (3, ON, True),
        (3, {**ON, **KNET}, True),
        (3, {**OFF, **KNET}, False),
        (3, {**OFF, **KNET, **SHA}, True),
        (3, {**ON, **KNET, **NONE}, False),
    ],
)
def test_whether_messages_are_authenticated(totem, generation, settings, authenticated):
    assert totem.is_authenticated(settings, generation) is authenticated


@pytest.mark.parametrize(
    ("generation", "key", "values", "problem"),
    [
        (2, "rrp_problem_count_threshold", (2, 1), "should be at least 2, is 1"),
        (1, "rrp_problem_count_mcast_threshold", (2, 1), "should be at least 2, is 1"),
        (2, "rrp_problem_count_timeout", (30, 29), "should be at least 30 ms, is 29"),
        (1, "rrp_token_expired_timeout", (30, 29), "should be at least 30 ms, is 29"),
        (1, "netmtu", (10000, 10001), "should be at most 10000 bytes, is 10001"),
        (2, "netmtu", (10001, 100), "should be at least 576 bytes, is 100"),
    ],
)
def test_what_corosync_does_not_start_with(totem, generation, key, values, problem):
    good, bad = values
    assert totem.wrong_time({key: good}, generation) is None
    assert totem.wrong_time({key: bad}, generation) == (key, problem)
