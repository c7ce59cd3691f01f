"""The host's packet filter: what is active, what is asked of each, and what a state makes of it."""

from pathlib import Path

import pytest
from salt.exceptions import CommandExecutionError

MATCH = {"proto": "udp", "dports": "5404,5405"}
IN = {"id": "a", "chain": "INPUT", "family": "ipv4", "match": {"source": "192.0.2.12", **MATCH}}
OUT = {
    "id": "b",
    "chain": "OUTPUT",
    "family": "ipv4",
    "match": {"destination": "192.0.2.12", **MATCH},
}
IN6 = {"id": "c", "chain": "INPUT", "family": "ipv6", "match": {"source": "fd00::12", **MATCH}}
UFW = "allow from 192.0.2.12 to any port 5404,5405 proto udp"
NFT = "ip saddr 192.0.2.12 udp dport { 5404, 5405 } accept"
RICH = 'rule family="ipv4" source address="192.0.2.12" port port="5404-5405" protocol="udp" accept'
IPTABLES = "-s 192.0.2.12/32 -p udp -m multiport --dports 5404,5405 -j ACCEPT"
CHAINS = """\
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
	}
}
"""


class Host:
    """What the packet filters of a host answer; ``deeds`` are the commands that changed something."""

    def __init__(self, tmp_path):
        self.programs, self.services, self.deeds = {"ufw", "nft", "firewall-cmd"}, {}, []
        self.ufw, self.version = [], "ufw 0.36.2"
        self.nft, self.chains = [], CHAINS
        self.iptables, self.warning = set(), ""
        self.zones = {
            permanent: {
                f"public{active}": self.zone(),
                "home": self.zone(),
                f"trusted{active}": self.zone("ACCEPT"),
            }
            for permanent, active in ((False, " (active)"), (True, ""))
        }
        self.default_zone = "public"
        self.conf = tmp_path / "ufw.conf"

    @staticmethod
    def zone(target="default"):
        return {"target": [target], "rich rules": [""]}

    def salt(self):
        return {
            "cmd.run_all": self.run,
            "service.available": lambda name: name in self.services,
            "service.status": lambda name: self.services[name] == "runs",
            "service.enabled": lambda name: self.services[name] == "at boot",
            "iptables.check": lambda table, chain, text, family: (
                (chain, text, family) in self.iptables
            ),
            "iptables.insert": self.iptables_insert,
            "iptables.delete": self.iptables_delete,
            "firewalld.list_zones": lambda permanent: self.zones[permanent],
            "firewalld.default_zone": lambda: self.default_zone,
            "firewalld.add_rich_rule": lambda *words: self.rich("append", *words),
            "firewalld.remove_rich_rule": lambda *words: self.rich("remove", *words),
        }

    def run(self, command, **options):
        assert options["python_shell"] is False
        assert options["output_loglevel"] == "quiet"
        program = {"ufw": self.run_ufw, "nft": self.run_nft}[command[0]]
        code, text = program(*command[1:])
        return {"retcode": code, "stdout": "" if code else text, "stderr": text if code else ""}

    def run_ufw(self, *words):
        if words == ("version",):
            return 0, self.version
        if words == ("show", "added"):
            return 0, "Added:\n" + "".join(f"ufw {each}\n" for each in self.ufw)
        self.deeds.append(" ".join(("ufw", *words)))
        if words[0] == "delete":
            self.ufw.remove(" ".join(words[1:]))
        elif "fd00::12" in words:
            return 1, "ERROR: IPv6 support not enabled"
        else:
            self.ufw.append(" ".join(words[words[0] == "prepend" :]))
        return 0, ""

    def run_nft(self, *words):
        if words == ("list", "chains"):
            return 0, self.chains
        if words == ("--handle", "list", "chain", "inet", "filter", "input"):
            return 0, "".join(f"\t\t{rule} # handle {n}\n" for n, rule in enumerate(self.nft))
        self.deeds.append(" ".join(("nft", *words)))
        if words[0] == "insert":
            self.nft.insert(0, words[-1])
        else:
            self.nft[int(words[-1])] = ""
        return 0, ""

    def iptables_insert(self, table, chain, position, text, family):
        assert (table, position) == ("filter", 1)
        self.deeds.append(f"{family} {chain}")
        if self.warning != "no":
            self.iptables.add((chain, text, family))
        return self.warning

    def iptables_delete(self, table, chain, rule, family):
        if self.warning != "no":
            self.iptables.discard((chain, rule, family))
        return self.warning

    def rich(self, change, zone, text, permanent):
        self.deeds.append(f"{change} {zone} {permanent}")
        (settings,) = (
            each for name, each in self.zones[permanent].items() if name.split()[0] == zone
        )
        getattr(settings["rich rules"], change)(text)


@pytest.fixture
def there(tmp_path):
    return Host(tmp_path)


@pytest.fixture
def module(load_file, pure, there, monkeypatch):
    rooms = pure("packet_rules")
    utils = {f"packet_rules.{name}": getattr(rooms, name) for name in vars(rooms)}
    module = load_file(
        "_modules/packet_filter.py", salt=there.salt(), utils=utils, grains={"id": "cms1"}
    )
    monkeypatch.setattr(module, "_UFW_CONF", str(there.conf))
    monkeypatch.setattr(module.salt.utils.path, "which", lambda name: name in there.programs)
    return module


# --- what is active ------------------------------------------------------------------------------


def test_nothing_is_active_where_nothing_is_installed(module, there):
    there.services = {"firewalld": "runs", "nftables": "runs"}
    there.conf.write_text("ENABLED=yes")
    there.programs = set()
    assert module.active() == []


@pytest.mark.parametrize(
    ("services", "ufw", "active"),
    [
        ({}, None, []),
        ({"firewalld": "runs"}, None, ["firewalld"]),
        ({"firewalld": "at boot"}, "no", []),
        ({"nftables": "runs"}, "no", ["nftables"]),
        ({"nftables": "at boot"}, "no", ["nftables"]),
        ({"nftables": "off"}, "yes", ["ufw"]),
        ({"firewalld": "runs", "nftables": "runs"}, "yes", ["firewalld", "ufw", "nftables"]),
    ],
)
def test_what_is_active(module, there, services, ufw, active):
    there.services = services
    if ufw:
        there.conf.write_text(f"ENABLED={ufw}")
    assert module.active() == active


def test_a_service_without_a_chain_filters_nothing(module, there, monkeypatch):
    there.services = {"nftables": "runs"}
    monkeypatch.setattr(there, "chains", "")
    assert module.active() == []


# --- each of them --------------------------------------------------------------------------------


def test_iptables(module, there):
    line = f"iptables INPUT {IPTABLES}"
    assert module.lines("iptables", IN) == {line: False}
    there.warning = "# Warning: iptables-legacy tables present"
    module.allow("iptables", IN)
    module.allow("iptables", IN)
    assert there.deeds == ["ipv4 INPUT"]
    assert module.lines("iptables", IN) == {line: True}
    module.withdraw("iptables", IN)
    assert module.lines("iptables", IN) == {line: False}
    module.allow("iptables", IN)
    there.warning = "no"
    with pytest.raises(CommandExecutionError, match="^iptables on cms1: no$"):
        module.withdraw("iptables", IN)
    assert next(iter(module.lines("iptables", IN6))).startswith("ip6tables INPUT -s fd00::12/128 ")


def test_iptables_that_refuses(module, there):
    there.warning = "no"
    with pytest.raises(CommandExecutionError, match="^iptables on cms1: no$"):
        module.allow("iptables", IN)


def test_iptables_that_is_not_installed_yet(module):
    for function in ("check", "insert", "delete"):
        del module.__salt__[f"iptables.{function}"]
    assert module.lines("iptables", IN) == {f"iptables INPUT {IPTABLES}": False}


def test_nftables(module, there):
    line = f"nft inet filter input {NFT}"
    assert module.lines("nftables", IN) == {line: False}
    module.allow("nftables", IN)
    module.allow("nftables", IN)
    assert there.deeds == [f'nft insert rule inet filter input {NFT} comment "cmha"']
    there.nft += ["iif lo accept", f"{NFT} counter packets 1 bytes 2"]
    module.withdraw("nftables", IN)
    assert there.nft == ["", "iif lo accept", f"{NFT} counter packets 1 bytes 2"]
    assert module.lines("nftables", IN) == {line: False}


def test_nftables_takes_each_copy_away(module, there):
    there.nft = [NFT, "iif lo accept", NFT]
    module.withdraw("nftables", IN)
    assert there.nft == ["", "iif lo accept", ""]


def test_nftables_without_a_chain_for_it(module, there):
    assert module.lines("nftables", OUT) == {}
    there.programs = set()
    assert module.lines("nftables", IN) == {}


def test_firewalld_now_and_permanently_in_the_zones_that_are_used(module, there):
    lines = [f"firewalld zone public: {RICH}", f"firewalld zone public permanently: {RICH}"]
    assert module.lines("firewalld", IN) == dict.fromkeys(lines, False)
    there.zones[True]["public"]["rich rules"].append(RICH)
    module.allow("firewalld", IN)
    assert there.deeds == ["append public False"]
    assert module.lines("firewalld", IN) == dict.fromkeys(lines, True)
    assert module.lines("firewalld", OUT) == {}


def test_firewalld_takes_a_rule_away_from_zones_that_are_no_longer_used(module, there):
    there.zones[True]["home"]["rich rules"].append(RICH)
    module.withdraw("firewalld", IN)
    assert there.deeds == ["remove home True"]


def test_firewalld_has_interfaces_of_no_zone_in_the_default_one(module, there):
    there.default_zone = "home"
    assert f"firewalld zone home: {RICH}" in module.lines("firewalld", IN)


@pytest.mark.parametrize(("version", "first"), [("ufw 0.36.2", "prepend "), ("ufw 0.35", "")])
def test_ufw(module, there, version, first):
    there.version = version
    assert module.lines("ufw", IN) == {f"ufw {UFW}": False}
    module.allow("ufw", IN)
    module.allow("ufw", IN)
    assert there.deeds == [f"ufw {first}{UFW}"]
    module.withdraw("ufw", IN)
    assert there.deeds[1:] == [f"ufw delete {UFW}"]
    assert there.ufw == []


def test_ufw_that_refuses(module):
    with pytest.raises(CommandExecutionError, match="on cms1: ERROR: IPv6 support not enabled$"):
        module.allow("ufw", IN6)


def test_a_script_of_the_chains_that_are_there(module):
    assert f'insert rule inet filter input {NFT} comment "cmha"' in module.nft_script([IN, OUT])


def test_saved(module, tmp_path):
    path = tmp_path / "rules.v4"
    assert module.saved(str(path), [IN, OUT]) == []
    path.write_text(f"*filter\n-A INPUT {IPTABLES}\nCOMMIT\n")
    assert module.saved(str(path), [IN, OUT]) == [IN]


# --- the states ----------------------------------------------------------------------------------


class Files:
    """Salt's own states of files, which note what there is."""

    def __init__(self):
        self.there, self.reloads = {}, 0

    def managed(self, path, contents, mode, makedirs, test):
        assert (mode, makedirs) == ("0644", True)
        return self._became(path, contents, test)

    def absent(self, path, test):
        return self._became(path, None, test)

    def _became(self, path, text, test):
        ret = {"name": path, "result": True, "changes": {}, "comment": ""}
        if self.there.get(path) == text:
            return ret
        if not test:
            self.there[path] = text
        return {**ret, "result": None if test else True, "changes": {"diff": "x"}, "comment": path}

    def reload(self):
        self.reloads += 1


@pytest.fixture
def files():
    return Files()


@pytest.fixture
def states(load_file, module, there, files):
    def mode(test=False):
        salt = {
            **there.salt(),
            "iptables.save": save,
            "service.systemctl_reload": files.reload,
            **{
                f"packet_filter.{name}": getattr(module, name)
                for name in ("lines", "allow", "withdraw", "nft_script", "saved")
            },
        }
        return load_file(
            "_states/packet_filter.py",
            salt=salt,
            states={
                "file.managed": lambda path, **how: files.managed(path, test=test, **how),
                "file.absent": lambda path: files.absent(path, test=test),
            },
            opts={"test": test},
            grains={"id": "cms1"},
        )

    def save(path, family):
        lines = [f"-A {chain} {text}" for chain, text, of in there.iptables if of == family]
        Path(path).write_text("\n".join(lines))

    return mode


@pytest.mark.parametrize("backend", ["iptables", "nftables", "firewalld", "ufw"])
def test_a_rule_is_predicted_added_found_and_taken_away(states, module, there, backend):
    predicted = states(test=True).allowed("x", backend, IN)
    assert predicted["result"] is None
    assert predicted["changes"] == {
        line: {"old": "absent", "new": "allowed"} for line in module.lines(backend, IN)
    }
    assert there.deeds == []
    done = states().allowed("x", backend, IN)
    assert (done["result"], done["changes"]) == (True, predicted["changes"])
    for test in (True, False):
        again = states(test).allowed("x", backend, IN)
        assert (again["result"], again["changes"]) == (True, {})
    predicted = states(test=True).absent("x", backend, IN)
    assert predicted["result"] is None
    gone = states().absent("x", backend, IN)
    assert (gone["result"], gone["changes"]) == (True, predicted["changes"])
    assert states().absent("x", backend, IN)["changes"] == {}


def test_what_is_not_filtered_needs_no_rule(states):
    done = states().allowed("x", "firewalld", OUT)
    assert (done["result"], done["changes"]) == (True, {})
    assert done["comment"] == "firewalld on cms1 doesn't filter what goes out"


def test_a_rule_that_is_refused_is_one_line(states):
    done = states().allowed("x", "ufw", IN6)
    assert (done["result"], done["changes"]) == (False, {})
    assert done["comment"].endswith("on cms1: ERROR: IPv6 support not enabled")


def test_what_counts_is_the_outcome(states, there, monkeypatch):
    monkeypatch.setattr(there, "run_ufw", lambda *words: (0, "ufw 0.36"))
    done = states().allowed("x", "ufw", IN)
    assert (done["result"], done["changes"]) == (False, {})
    assert done["comment"] == f"still absent on cms1: ufw {UFW}"


SAVED = {"loaded_by": ["netfilter-persistent", "iptables-persistent"]}


@pytest.mark.parametrize("backend", ["firewalld", "ufw"])
def test_what_is_kept_anyway(states, files, backend):
    done = states().kept("x", backend, [IN], False, SAVED)
    assert (done["result"], done["changes"], files.there) == (True, {}, {})


def test_nftables_service_reads_rules_of_our_own(states, there, files):
    there.services = {"nftables": "at boot"}
    predicted = states(test=True).kept("x", "nftables", [IN], False, SAVED)
    assert (predicted["result"], files.there, files.reloads) == (None, {}, 0)
    done = states().kept("x", "nftables", [IN], False, SAVED)
    assert (done["result"], done["changes"]) == (True, predicted["changes"])
    script, unit = files.there["/etc/cmha/nftables.sh"], files.there[DROP_IN]
    assert NFT in script
    assert unit.count("=-/bin/sh /etc/cmha/nftables.sh\n") == 2
    assert files.reloads == 1
    assert states().kept("x", "nftables", [IN], False, SAVED)["changes"] == {}
    assert files.reloads == 1
    gone = states().not_kept("x", "nftables", [IN], False, SAVED)
    assert list(gone["changes"]) == [DROP_IN, "/etc/cmha/nftables.sh"]
    assert (set(files.there.values()), files.reloads) == ({None}, 2)


DROP_IN = "/etc/systemd/system/nftables.service.d/cmha.conf"


@pytest.mark.parametrize("services", [{}, {"nftables": "runs"}])
def test_nobody_reads_nftables_rules_at_boot(states, there, files, services):
    there.services = services
    done = states().kept("x", "nftables", [IN], False, SAVED)
    assert (done["result"], files.there) == (True, {})
    assert "each run adds the rules again" in done["comment"]


@pytest.fixture
def saved(tmp_path):
    return {**SAVED, "ipv4": str(tmp_path / "new/rules.v4"), "ipv6": str(tmp_path / "new/rules.v6")}


def test_iptables_is_saved_when_a_rule_is_missing_in_the_file(states, there, saved, tmp_path):
    there.services = {"iptables-persistent": "at boot"}
    states().allowed("x", "iptables", IN)
    predicted = states(test=True).kept("x", "iptables", [IN], True, saved)
    assert predicted["result"] is None
    assert not (tmp_path / "new").exists()
    done = states().kept("x", "iptables", [IN], True, saved)
    assert (done["result"], done["changes"]) == (True, predicted["changes"])
    assert list(done["changes"]) == [saved["ipv4"]]
    assert "warnings" not in done
    # someone else's rule for the moment isn't made permanent for it
    there.iptables.add(("INPUT", "-j LOG", "ipv4"))
    again = states().kept("x", "iptables", [IN], True, saved)
    assert (again["result"], again["changes"]) == (True, {})
    states().absent("x", "iptables", IN)
    assert states().not_kept("x", "iptables", [IN], False, saved)["changes"] == {}
    gone = states().not_kept("x", "iptables", [IN], True, saved)
    assert (gone["result"], list(gone["changes"])) == (True, [saved["ipv4"]])
    assert IPTABLES not in (tmp_path / "new/rules.v4").read_text()
    assert states().not_kept("x", "iptables", [IN], True, saved)["changes"] == {}


def test_iptables_is_not_saved_unless_asked_to(states, saved, tmp_path):
    done = states().kept("x", "iptables", [IN], False, saved)
    assert (done["result"], done["changes"]) == (True, {})
    assert not (tmp_path / "new").exists()


def test_what_was_saved_is_looked_at(states, saved):
    # the rule isn't there, so it can't have been saved
    done = states().kept("x", "iptables", [IN], True, saved)
    assert (done["result"], done["changes"]) == (False, {})
    assert "isn't as iptables-save should have written it" in done["comment"]


def test_a_file_that_nobody_loads_is_told(states, saved):
    states().allowed("x", "iptables", IN)
    for _ in range(2):
        done = states().kept("x", "iptables", [IN], True, saved)
        assert done["result"] is True
        assert done["warnings"] == [
            "cms1 has no service netfilter-persistent or iptables-persistent that loads the saved rules at "
            "boot"
        ]
