"""
Each packet filter for real, on hosts whose firewall lets nobody in: nftables, iptables, firewalld and ufw,
two at a time, one on each host. What is heard is heard because of cmha's rules, after a boot too.
"""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import turns
from conftest import CMS, HERE

pytestmark = [pytest.mark.lab(begins="prepared"), turns.only("firewalls")]

V4 = {"cms1": "192.0.2.11", "cms2": "192.0.2.12"}
V6 = {"cms1": "fd00::11", "cms2": "fd00::12"}
PORTS = (5404, 5405)

BY_V6 = {"pairs": {"cms": {"nodes": {host: {"address": V6[host]} for host in CMS}}}}

LISTEN = """
import select, socket, sys, time
heard = {}
for address in sys.argv[1:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in (5404, 5405):
        listener = socket.socket(family, socket.SOCK_DGRAM)
        listener.bind((address, port))
        heard[listener] = f"{address} {port}"
print("listening", flush=True)
end = time.monotonic() + 1.5
while heard and time.monotonic() < end:
    for listener in select.select(list(heard), [], [], 0.1)[0]:
        print(heard.pop(listener))
"""

SEND = """
import contextlib, socket, sys
for address in sys.argv[1:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in (5404, 5405):
        with contextlib.suppress(PermissionError):  # this is how a firewall says no to what goes out
            socket.socket(family, socket.SOCK_DGRAM).sendto(b"hello", (address, port))
"""

# Firewalls that let nobody in but the master, and nobody out but the minion, as someone else has set them up
IPTABLES = """
apt-get -qq install iptables-persistent >/dev/null
for iptables in iptables ip6tables; do
    $iptables -A INPUT -i lo -j ACCEPT
    $iptables -A OUTPUT -p tcp --dport 4505:4506 -j ACCEPT
    $iptables -P INPUT DROP
    $iptables -P OUTPUT DROP
done
iptables -A INPUT -s 192.0.2.2 -j ACCEPT
ip6tables -A INPUT -p icmpv6 -j ACCEPT
ip6tables -A OUTPUT -p icmpv6 -j ACCEPT
netfilter-persistent save
"""
NFTABLES = """
apt-get -qq install nftables >/dev/null
cat >/etc/nftables.conf <<'END'
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		iif lo accept
		ip saddr 192.0.2.2 accept
		meta l4proto icmpv6 accept
		udp dport 5404-5405 drop
	}
	chain output {
		type filter hook output priority filter; policy drop;
		tcp dport 4505-4506 accept
		meta l4proto icmpv6 accept
	}
}
table ip second {
	chain in {
		type filter hook input priority filter + 10; policy accept;
		udp dport 5405 drop
	}
}
END
systemctl enable --now nftables
"""
UFW = """
apt-get -qq install ufw >/dev/null
ufw default deny outgoing
ufw allow out 4505:4506/tcp
ufw allow from 192.0.2.2
ufw deny 5405/udp
ufw --force enable
"""
FIREWALLD = """
apt-get -qq install firewalld >/dev/null
for when in '' --permanent; do
    firewall-cmd --zone=trusted --add-source=192.0.2.2 $when
    firewall-cmd --zone=work --add-source=192.0.2.11 $when
    firewall-cmd --zone=work --add-masquerade $when
done
"""
NO_MORE = """
systemctl disable --now nftables 2>/dev/null
for iptables in iptables ip6tables; do
    $iptables -P INPUT ACCEPT; $iptables -P OUTPUT ACCEPT; $iptables -F
done
apt-get -qq purge iptables-persistent netfilter-persistent nftables >/dev/null
"""

# What there is of other people's rules; a rule of cmha's would show in it
RULES = {
    "iptables": "iptables-save; ip6tables-save",
    "nftables": "nft list ruleset",
    "ufw": "ufw show added",
    "firewalld": "firewall-cmd --list-all-zones; firewall-cmd --list-all-zones --permanent",
}

ROUNDS = [
    {"cms1": ("iptables", IPTABLES), "cms2": ("nftables", NFTABLES)},
    {"cms1": ("ufw", NO_MORE + UFW), "cms2": ("firewalld", NO_MORE + FIREWALLD)},
]


@pytest.fixture(
    scope="module", params=ROUNDS, ids=lambda walls: "-".join(w[0] for w in walls.values())
)
def walls(request, lab):
    """By host, the backend whose firewall is up, and all of its rules before cmha."""
    for host, (_, script) in request.param.items():
        lab.on(host, "sh", "-c", f"export DEBIAN_FRONTEND=noninteractive; {script}")
        lab.on(host, "ip", "address", "replace", f"{V6[host]}/64", "dev", "eth0", "nodad")
    backends = {host: backend for host, (backend, _) in request.param.items()}
    return {host: (backend, rules(lab, host, backend)) for host, backend in backends.items()}


def rules(lab, host, backend):
    text = lab.on(host, "sh", "-c", RULES[backend])
    # counters, and times of day
    return [
        line.partition(" [")[0] for line in text.splitlines() if not line.startswith("#") and line
    ]


def apply(lab, sls, pillar=None, test=False):
    pillar = {"cmha": {"firewall": {"save": True}, **(pillar or {})}}
    return lab.state(CMS, sls, f"pillar={json.dumps(pillar)}", f"test={test}")


def heard(lab, addresses):
    """What each host hears from the other, at these addresses."""
    return {
        there: _heard(lab, here, there, [each[there] for each in addresses])
        for here, there in (CMS, CMS[::-1])
    }


def _heard(lab, here, there, addresses):
    with subprocess.Popen(
        [str(HERE / "on"), there, "python3", "-c", LISTEN, *addresses],
        env=lab.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as listening:
        assert listening.stdout.readline() == "listening\n"
        lab.on(here, "python3", "-c", SEND, *addresses)
        return sorted(listening.stdout.read().splitlines())


def everything(addresses):
    return {
        host: sorted(f"{each[host]} {port}" for each in addresses for port in PORTS) for host in CMS
    }


def changed(answers):
    for host, states in answers.items():
        assert all(state["result"] is not False for state in states.values()), (host, states)
    return {
        host: [name for name, state in states.items() if state["changes"]]
        for host, states in answers.items()
    }


def test_the_pair_is_heard_by_ipv6(lab, walls):
    assert heard(lab, [V4, V6]) == {host: [] for host in CMS}
    changed(apply(lab, "cmha.firewall", BY_V6))
    assert heard(lab, [V4, V6]) == everything([V6])


def test_the_pair_is_heard_by_ipv4_as_predicted(lab, walls):
    now = {host: rules(lab, host, backend) for host, (backend, _) in walls.items()}
    predicted = changed(apply(lab, "cmha.firewall", test=True))
    for host, (backend, _) in walls.items():
        assert rules(lab, host, backend) == now[host]
        assert "cmha firewall INPUT cms1" in predicted[host]
        assert ("cmha firewall OUTPUT cms1" in predicted[host]) is (backend != "firewalld")
    assert changed(apply(lab, "cmha.firewall")) == predicted
    assert heard(lab, [V4, V6]) == everything([V4, V6])


def test_other_peoples_rules_are_left_alone(lab, walls):
    for host, (backend, before) in walls.items():
        assert set(before) <= set(rules(lab, host, backend))


def test_rules_survive_a_boot(lab, walls):
    with ThreadPoolExecutor() as both:
        list(both.map(lambda host: lab.run("reboot", host), CMS))
    assert heard(lab, [V4]) == everything([V4])
    assert changed(apply(lab, "cmha.firewall", test=True)) == {host: [] for host in CMS}


def test_rules_are_taken_away(lab, walls):
    changed(apply(lab, "cmha.clean", BY_V6))
    gone = changed(apply(lab, "cmha.clean"))
    assert all("cmha no firewall INPUT cms1" in ids for ids in gone.values())
    for host, (backend, before) in walls.items():
        assert sorted(rules(lab, host, backend)) == sorted(before)
    assert heard(lab, [V4]) == {host: [] for host in CMS}


def test_a_cluster_of_a_host_with_ufw_and_one_with_firewalld(lab):
    done = lab.orchestrate("pillar={cmha_only: {pair: cms}}")
    assert done.code == 0, done.printed
    prepared = done.changed["lab cms: prepare cms1 and cms2"]
    assert "cmha firewall INPUT cms2" in prepared["cms1"]
    assert "cmha firewall INPUT cms1" in prepared["cms2"]
