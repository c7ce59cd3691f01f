"""A rule in the words of each packet filter, and what each of them says is there."""

import subprocess

import pytest

PORTS = {"proto": "udp", "dports": "5404,5405"}
IN = {"chain": "INPUT", "family": "ipv4", "match": {"source": "192.0.2.12", **PORTS}}
OUT = {"chain": "OUTPUT", "family": "ipv4", "match": {"destination": "192.0.2.12", **PORTS}}
IN6 = {"chain": "INPUT", "family": "ipv6", "match": {"source": "fd00::12", **PORTS}}
OUT6 = {"chain": "OUTPUT", "family": "ipv6", "match": {"destination": "fd00::12", **PORTS}}
ANY = {"chain": "INPUT", "family": "ipv4", "match": PORTS}
ANY_OUT = {"chain": "OUTPUT", "family": "ipv4", "match": PORTS}
ANY6 = {"chain": "INPUT", "family": "ipv6", "match": PORTS}
ONE = {**IN, "match": {"source": "192.0.2.12", "proto": "tcp", "dports": "5405"}}


@pytest.fixture
def rules(pure):
    return pure("packet_rules")


# --- which one -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "active", "chosen"),
    [
        ("auto", [], "iptables"),
        ("auto", ["nftables"], "nftables"),
        ("auto", ["firewalld"], "firewalld"),
        ("auto", ["ufw"], "ufw"),
        ("iptables", ["firewalld", "ufw"], "iptables"),
        ("nftables", [], "nftables"),
        ("ufw", ["firewalld", "ufw"], "ufw"),
    ],
)
def test_what_is_active_is_chosen_unless_pillar_says_otherwise(rules, wanted, active, chosen):
    assert rules.choose(wanted, active, "iptables", "cms1") == chosen


def test_of_two_active_ones_pillar_chooses(rules):
    with pytest.raises(ValueError, match="is auto, and ufw and nftables are active on cms1; say"):
        rules.choose("auto", ["ufw", "nftables"], "iptables", "cms1")


@pytest.mark.parametrize("wanted", ["firewalld", "ufw"])
def test_what_is_off_stays_off(rules, wanted):
    with pytest.raises(
        ValueError, match=f"^pillar cmha:firewall:backend: {wanted} isn't active on"
    ):
        rules.choose(wanted, ["nftables"], "iptables", "cms1")


# --- iptables ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (IN, "-s 192.0.2.12/32 -p udp -m multiport --dports 5404,5405 -j ACCEPT"),
        (OUT, "-d 192.0.2.12/32 -p udp -m multiport --dports 5404,5405 -j ACCEPT"),
        (IN6, "-s fd00::12/128 -p udp -m multiport --dports 5404,5405 -j ACCEPT"),
        (ANY, "-p udp -m multiport --dports 5404,5405 -j ACCEPT"),
        (ONE, "-s 192.0.2.12/32 -p tcp -m multiport --dports 5405 -j ACCEPT"),
    ],
)
def test_iptables(rules, rule, text):
    assert rules.iptables_rule(rule) == text
    saved = f"*filter\n:INPUT DROP [0:0]\n-A {rule['chain']} {text}\nCOMMIT\n"
    assert rules.iptables_saved(saved, rule)
    assert rules.iptables_saved(saved.replace("\n", " \n"), rule)  # iptables 1.4.7's
    assert not rules.iptables_saved(saved.replace("540", "541"), rule)
    assert not rules.iptables_saved(saved.replace("PUT -", "PUT -i eth0 -"), rule)
    assert not rules.iptables_saved("", rule)


# --- nftables ------------------------------------------------------------------------------------

# nft list chains, of a host that has a bit of everything
CHAINS = """\
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
	}
	chain output {
		type filter hook output priority filter; policy accept;
	}
	chain own {
	}
}
table ip nat {
	chain in {
		type nat hook input priority 100; policy accept;
	}
}
table ip mine {
	chain INCOMING {
		type filter hook input priority filter + 10; policy accept;
	}
}
table ip6 mine {
	chain incoming {
		type filter hook input priority filter + 10; policy accept;
	}
}
table arp mine {
	chain incoming {
		type filter hook input priority filter; policy accept;
	}
}
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
	}
	chain OUTPUT {
		type filter hook output priority filter; policy drop;
	}
}
table inet firewalld {
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
	}
}
"""
INET, IP, IP6 = ("inet", "filter", "input"), ("ip", "mine", "INCOMING"), ("ip6", "mine", "incoming")


@pytest.mark.parametrize(
    ("rule", "chains"),
    [
        (None, [INET, IP, IP6]),
        (IN, [INET, IP]),
        (IN6, [INET, IP6]),
        (OUT, [("inet", "filter", "output")]),
        (OUT6, [("inet", "filter", "output")]),
    ],
)
def test_a_packet_has_to_pass_each_of_the_hosts_own_chains(rules, rule, chains):
    assert rules.nft_chains(CHAINS, rule) == chains


def test_chains_of_nobody(rules):
    assert rules.nft_chains("") == []
    assert rules.nft_chains(CHAINS[CHAINS.index("table arp") :]) == []


@pytest.mark.parametrize(
    ("family", "rule", "text"),
    [
        ("inet", IN, "ip saddr 192.0.2.12 udp dport { 5404, 5405 } accept"),
        ("ip", IN, "ip saddr 192.0.2.12 udp dport { 5404, 5405 } accept"),
        ("inet", OUT, "ip daddr 192.0.2.12 udp dport { 5404, 5405 } accept"),
        ("inet", IN6, "ip6 saddr fd00::12 udp dport { 5404, 5405 } accept"),
        ("inet", ANY, "meta nfproto ipv4 udp dport { 5404, 5405 } accept"),
        ("inet", ANY6, "meta nfproto ipv6 udp dport { 5404, 5405 } accept"),
        ("ip", ANY, "udp dport { 5404, 5405 } accept"),
        ("ip", ONE, "ip saddr 192.0.2.12 tcp dport 5405 accept"),
    ],
)
def test_nftables(rules, family, rule, text):
    assert rules.nft_rule(family, rule) == text


LISTING = """\
table inet filter {
	chain input { # handle 1
		type filter hook input priority filter; policy drop;
		ip saddr 192.0.2.12 udp dport { 5404, 5405 } accept comment "cmha" # handle 8
		ip saddr 192.0.2.12 udp dport { 5404, 5405} counter packets 7 bytes 812 accept # handle 14
		ip saddr 192.0.2.12 udp dport { 5404, 5405 } drop # handle 15
		iif "eth1" ip saddr 192.0.2.12 udp dport { 5404, 5405 } accept # handle 16
		ip saddr 192.0.2.13 udp dport { 5404, 5405 } accept # handle 17
	}
}
"""


def test_a_rule_is_found_whoever_spelt_it(rules):
    text = "ip saddr 192.0.2.12 udp dport { 5404, 5405 } accept"
    assert rules.nft_handles(LISTING, text) == ["8", "14"]
    assert rules.nft_handles(LISTING, text.replace("5405", "5406")) == []


INSERTED = [
    'insert rule inet filter input ip saddr 192.0.2.12 udp dport { 5404, 5405 } accept comment "cmha"',
    'insert rule ip mine INCOMING ip saddr 192.0.2.12 udp dport { 5404, 5405 } accept comment "cmha"',
    'insert rule inet filter output ip6 daddr fd00::12 udp dport { 5404, 5405 } accept comment "cmha"',
]


@pytest.mark.parametrize("gone", ["no chain", "filter input", "mine INCOMING"])
def test_a_script_for_the_next_boot(rules, tmp_path, gone):
    script = rules.nft_script(CHAINS, [IN, OUT6])
    assert script.startswith("# Written by Salt (cmha)")
    nft = tmp_path / "nft"
    nft.write_text(f'#!/bin/sh\ncase "$*" in *"{gone}"*) exit 1 ;; esac; echo "$*"')
    nft.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/bin:/usr/bin"}
    command = ["sh", "-e", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [each for each in INSERTED if gone not in each]


# --- firewalld -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "start"),
    [
        (IN, 'rule family="ipv4" source address="192.0.2.12" '),
        (IN6, 'rule family="ipv6" source address="fd00::12" '),
        (ANY, 'rule family="ipv4" '),
    ],
)
def test_firewalld(rules, rule, start):
    assert rules.rich_rules(rule) == [f'{start}port port="5404-5405" protocol="udp" accept']


@pytest.mark.parametrize(
    ("dports", "ranges"),
    [
        ("5405", ["5405"]),
        ("5404,5405", ["5404-5405"]),
        ("5404,5405,5406,5410,5412,5413", ["5404-5406", "5410", "5412-5413"]),
    ],
)
def test_firewalld_takes_ranges_of_ports(rules, dports, ranges):
    rule = {**ANY, "match": {"proto": "udp", "dports": dports}}
    assert rules.rich_rules(rule) == [
        f'rule family="ipv4" port port="{each}" protocol="udp" accept' for each in ranges
    ]


def test_firewalld_lets_out_what_it_likes(rules):
    assert rules.rich_rules(OUT) == rules.rich_rules(ANY_OUT) == []


def test_zones(rules):
    listed = {
        "public": {"interfaces": [""], "rich rules": [""]},
        "work (active)": {"sources": ["192.0.2.0/24"], "rich rules": ["", "rule one", "rule two"]},
        "home (default, active)": {"target": ["ACCEPT"]},
        "own (default)": {},
    }
    assert rules.zones(listed) == {
        "public": {"active": False, "open": False, "rich": []},
        "work": {"active": True, "open": False, "rich": ["rule one", "rule two"]},
        "home": {"active": True, "open": True, "rich": []},
        "own": {"active": False, "open": False, "rich": []},
    }


# --- ufw -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (IN, "allow from 192.0.2.12 to any port 5404,5405 proto udp"),
        (OUT, "allow out to 192.0.2.12 port 5404,5405 proto udp"),
        (IN6, "allow from fd00::12 to any port 5404,5405 proto udp"),
        (ANY, "allow 5404,5405/udp"),
        (ANY_OUT, "allow out 5404,5405/udp"),
        (ONE, "allow from 192.0.2.12 to any port 5405 proto tcp"),
    ],
)
def test_ufw(rules, rule, text):
    assert rules.ufw_rule(rule) == text


def test_what_ufw_says_was_added(rules):
    # ufw show added, of 0.36
    listing = """\
Added user rules (see 'ufw status' for running firewall):
ufw allow 22/tcp
ufw allow out to 192.0.2.12 port 5404,5405 proto udp comment 'ours'
ufw allow from fd00::12 to any port 5404,5405 proto udp
"""
    assert rules.ufw_added(listing) == [
        "allow 22/tcp",
        "allow out to 192.0.2.12 port 5404,5405 proto udp",
        "allow from fd00::12 to any port 5404,5405 proto udp",
    ]
    assert rules.ufw_added("(None)\n") == []


@pytest.mark.parametrize(
    ("version", "prepends"),
    [
        ("ufw 0.36.2\nCopyright", True),
        ("ufw 0.36", True),
        ("ufw 1.0", True),
        ("ufw 0.35", False),
        ("ufw 0.34~rc", False),
        ("", False),
    ],
)
def test_only_a_ufw_that_can_puts_rules_first(rules, version, prepends):
    assert rules.ufw_prepends(version) is prepends


@pytest.mark.parametrize(
    ("conf", "enabled"),
    [
        ("# /etc/ufw/ufw.conf\nENABLED=yes\nLOGLEVEL=low\n", True),
        ("ENABLED=no\n", False),
        ("#ENABLED=yes\n", False),
        ("LOGLEVEL=low\n ENABLED = yes\n", True),
        ('ENABLED="yes"\n', True),
        ("", False),
    ],
)
def test_whether_ufw_is_enabled(rules, conf, enabled):
    assert rules.ufw_enabled(conf) is enabled
