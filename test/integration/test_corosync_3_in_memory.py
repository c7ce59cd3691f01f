"""Every key that pillar takes, in a running Corosync 3: what it holds after a start, and after a reload.

A difference that stays would be taken in again by every orchestration, and restart both hosts each time.
"""

import copy
import subprocess
from pathlib import Path

import pytest
from pillars import with_

ALONE = Path(__file__).resolve().parents[1] / "tools/corosync-alone"

# Of what isn't a word: a value that isn't Corosync's default
EXAMPLES = {
    "count": (3,),
    "port": (5500,),
    "byte": (3,),
    "on or off": (True, False),
    "yes or no": (True, False),
    "1 or 0": (1, 0),
    "address": ("192.0.2.0",),
    "multicast address": ("239.255.7.7",),
    "host": ("192.0.2.9",),
    "command": ("/bin/true",),
    "tie breaker": ("lowest", 2),
    "tie breaker of a device": ("lowest", 2),
}
OWN = {
    ("totem", "token"): (2500,),
    ("totem", "token_retransmit"): (300,),
    ("totem", "hold"): (200,),
    ("totem", "join"): (60,),
    ("totem", "consensus"): (4000,),
    ("totem", "merge"): (250,),
    ("totem", "downcheck"): (900,),
    ("totem", "max_network_delay"): (60,),
    ("totem", "netmtu"): (1400,),
    ("totem", "knet_mtu"): (1400,),
    ("totem", "crypto_model"): ("nss", "openssl"),  # gcrypt is in no kronosnet of Debian's
    ("totem", "keyfile"): (),  # a test of the key has it
    ("logging", "logfile"): (),  # the run's own
    ("logging:logger_subsys", "logfile"): ("/var/log/cluster/totem.log",),
    # newer builds of kronosnet refuse less than 200 ms
    ("interface", "knet_ping_interval"): (500,),
    ("interface", "knet_ping_timeout"): (900,),
    ("quorum", "expected_votes"): (2,),
    ("quorum:device", "votes"): (1,),
    ("interface", "bindnetaddr"): (),  # refused: Corosync 3.x binds to the node's address
}
TRANSPORTS = ("knet", "udpu", "udp")
PLACES = {
    "interface": ("interface", 0),
    "logging:logger_subsys": ("logging", "logger_subsys", "TOTEM"),
}


def variants(keys):
    """Every key with every value that is tried: the section's path, the key, the value."""
    for section, table in keys.SECTIONS.items():
        for key, (generations, rule) in table.items():
            if 3 not in generations:
                continue
            words = (
                [word for word, those in rule.items() if 3 in those]
                if isinstance(rule, dict)
                else None
            )
            limits = keys.RANGES.get((section, key))
            for value in OWN.get((section, key), words or limits or EXAMPLES.get(rule)):
                yield section, key, value


def needs(section, key, value):
    """What goes with a setting."""
    if section.startswith("quorum:device"):
        host = "2001:db8::9" if (key, value) == ("force_ip_version", "6") else "192.0.2.9"
        yield ["quorum", "device"], "model", "net"
        yield ["quorum", "device", "net"], "host", host
        if key != "algorithm":
            yield ["quorum", "device", "net"], "algorithm", "ffsplit"
    heuristics = ["quorum", "device", "heuristics"]
    if key == "mode" and value != "off":
        yield heuristics, "exec_ping", "/bin/true"
    if key == "exec_":
        yield heuristics, "mode", "on"
    if key == "crypto_cipher" and value != "none":
        yield ["totem"], "crypto_hash", "sha256"
    if (key, value) == ("ip_version", "ipv6"):
        yield ["node"], "address", "2001:db8::"
    if section == "node":
        yield ["quorum"], "two_node", 0


def placed(corosync, section, key, value):
    """These settings with one more, and what that one needs; None where they have another value."""
    corosync = copy.deepcopy(corosync)
    name = "exec_ping" if key == "exec_" else key
    wanted = [(PLACES.get(section, section.split(":")), name, value), *needs(section, key, value)]
    for path, each, its_value in wanted:
        place = corosync
        for step in path:
            place = place.setdefault(step, {})
        if place.setdefault(each, its_value) != its_value:
            return None
    return corosync


@pytest.fixture(scope="module")
def conf(pure, site_model, corosync_conf):
    """A corosync.conf of cms1 with these settings of pillar; ValueError where the model refuses them."""

    def printed(corosync):
        corosync = copy.deepcopy(corosync)
        of_node = corosync.pop("node", {})
        pillar = with_("corosync", corosync)
        for number, node in enumerate(pillar["pairs"]["cms"]["nodes"].values(), 1):
            node.update(of_node, address=f"{of_node.get('address', '192.0.2.')}{number}")
        (pair, _) = site_model(pillar)["pairs"]
        return corosync_conf(pure("cmha_corosync").fitted(pair, 3), pair["nodes"][0])

    return printed


@pytest.fixture(scope="module")
def groups(pure, conf):
    """Settings of pillar that one Corosync takes together: in all of them, every key with every value."""
    found, refused = [], []
    for variant in variants(pure("corosync_keys")):
        for number, base in enumerate(
            [*found, *({"totem": {"transport": each}} for each in TRANSPORTS)]
        ):
            group = placed(base, *variant)
            if group and takes(conf, group):
                found[number : number + 1] = [group]
                break
        else:
            refused.append(variant)
    assert not refused  # each would be a key that pillar may have, and never can
    return found


def takes(conf, corosync):
    try:
        return bool(conf(corosync))
    except ValueError:
        return False


@pytest.fixture
def held_of(pacemaker_tools, tmp_path):
    """What Corosync holds, once started with a file, or having read another one since."""

    def held(started, reloaded=None):
        for name, text in (("started", started), ("reloaded", reloaded)):
            (tmp_path / f"{name}.conf").unlink(missing_ok=True)
            if text:
                (tmp_path / f"{name}.conf").write_text(
                    f"{text}\nsystem {{\n    state_dir: {tmp_path}\n}}\n"
                )
        done = subprocess.run(
            [ALONE, Path(pacemaker_tools).parent, tmp_path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{started}"
        return (tmp_path / f"{'reloaded' if reloaded else 'started'}.map").read_text()

    return held


@pytest.fixture
def differences(pure):
    """What Corosync holds otherwise than a file says, as the formula sees it."""
    rules = pure("corosync_conf")
    return lambda held, wanted: rules.difference(rules.memory(held), rules.keys(wanted))


def test_a_start_takes_every_key_in(conf, groups, held_of, differences, pacemaker_tools):
    if "bookworm" not in pacemaker_tools:
        pytest.skip("with Debian 12's packages: the kronosnet of Debian 13 knows no SCTP")
    stay = {}
    for group in groups:
        wanted = conf(group)
        stay.update(differences(held_of(wanted), wanted))
    assert stay == {}


def reloadable(group, way):
    """Of these settings, what a running Corosync reads again."""
    totem = {"transport": group["totem"]["transport"]}
    for key, value in group["totem"].items():
        if way({f"totem.{key}": {"old": None, "new": str(value)}}, {}) == "reload":
            totem[key] = value
    return {"totem": totem, "logging": group.get("logging", {})}


def test_a_reload_takes_in_what_needs_no_restart(pure, conf, groups, held_of, differences):
    rules = pure("corosync_conf")
    stay = {}
    for group in groups:
        before = conf({"totem": {"transport": group["totem"]["transport"]}})
        after = conf(reloadable(group, rules.way))
        changes = rules.difference(rules.keys(before), rules.keys(after))
        assert rules.way(changes, rules.keys(after)) in ("reload", None)
        stay.update(differences(held_of(before, after), after))
    assert stay == {}
