"""Finding the sites at the master: good ones are worked on, wrong and silent ones are named."""

import copy
import time
from types import MappingProxyType

import pytest
import salt.pillar
from pillars import SITE, site_like, with_


class Hosts:
    """What hosts answer to jobs: ``functions`` by name, each gets the minion id. It takes the place of
    Salt's client."""

    def __init__(self, answering, functions):
        self.answering, self.returners = answering, {}
        self.functions = {
            "test.ping": lambda _: True,
            "cmha_look.everything": self._everything,
            **functions,
        }
        self.asked, self.environments = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cmd(self, tgt, fun, arg, *, tgt_type, kwarg=None, full_return=False, timeout=None):
        assert tgt_type == "list"
        self.asked.append(fun)
        self.environments.append(kwarg)
        if isinstance(fun, list):  # a sync, whose answers nobody reads
            return {}
        assert full_return
        return dict(self._returns(tgt, fun, arg, kwarg))

    def cmd_cli(self, tgt, fun, arg, *, tgt_type, kwarg=None, timeout=None):
        """For many sites: the answers as they come."""
        assert tgt_type == "list"
        self.asked.append(fun)
        self.environments.append(kwarg)
        if not isinstance(fun, list):
            for minion, returned in self._returns(tgt, fun, arg, kwarg):
                yield {minion: returned}

    def _everything(self, minion, sls, **environment):
        """Where no cluster runs yet."""
        fitness = self.functions["cmha_host.fitness"](minion, **environment)
        if not isinstance(fitness, dict):
            return fitness
        return {"fitness": fitness, "to_do": None, "pending": None, "health": None, "spent": 0}

    def _returns(self, tgt, fun, arg, kwarg):
        for minion in tgt:
            if minion in self.answering:
                yield minion, self._answer(self.functions[fun](minion, *arg, **kwarg))

    @staticmethod
    def _answer(value):
        return {"ret": value, "retcode": int(str(value).startswith("ERROR"))}


def shown(pillar):
    """What Salt makes of a minion's pillar; a text is the error for which it doesn't render."""
    if isinstance(pillar, str):
        return {"_errors": [pillar]}
    return {} if pillar is None else {"cmha": pillar}


@pytest.fixture
def master(load_file, pure, formula, monkeypatch, tmp_path):
    """The runner on a master that knows ``pillars`` (minion id to pillar) and hears ``answering``. What
    its ``utils`` would do beside looking may be replaced."""

    memory = {}

    def with_pillars(
        pillars,
        answering=None,
        utils=None,
        environments=("base",),
        configured=None,
        *,
        forgotten=(),
        known=MappingProxyType({}),
        **functions,
    ):
        hosts = Hosts(pillars if answering is None else answering, functions)
        synced, compiled, read = [], [], []

        class Minions:
            def __init__(self, opts):
                pass

            def check_minions(self, expr, tgt_type):
                assert (expr, tgt_type) == ("*", "glob")
                return {"minions": list(pillars)}

        def kept(minion, opts):
            assert opts["cachedir"] == str(tmp_path)
            if minion not in pillars:
                return minion, None, None
            pillar = (
                {} if pillars[minion] is None else {"cmha": {"pairs": {}, **known.get(minion, {})}}
            )
            # nothing is {} in Salt 3008, and None in 3006
            return (minion, {}, {}) if minion in forgotten else (minion, {"id": minion}, pillar)

        class Pillar:
            """Salt's compiler of pillars."""

            def __init__(self, opts, grains, minion, saltenv, *, pillarenv):
                # Salt merges that into what it compiles
                assert opts["pillar"] == {}
                of = {"saltenv": saltenv, "pillarenv": pillarenv}
                compiled.append({k: v for k, v in of.items() if v not in ("base", None)})
                read.append(minion)
                self.minion = minion

            def compile_pillar(self):
                return shown(pillars.get(self.minion))

        monkeypatch.setattr("salt.pillar.Pillar", Pillar)
        monkeypatch.setattr("salt.utils.minions.CkMinions", Minions)
        monkeypatch.setattr("salt.utils.minions.get_minion_data", kept)
        monkeypatch.setattr("salt.client.get_local_client", lambda mopts: hosts)
        defaults = (formula / "cmha/defaults.yaml").read_text()
        names = {
            "quorum_device": ("declared",),
            "cmha_fit": ("look", "silent"),
            "cmha_found": ("begin", "search"),
            "cmha_idle": ("of_sites",),
            "cmha_master": ("code",),
            "cmha_sites": (
                "is_batch",
                "is_glob",
                "is_meant",
                "known",
                "meant",
                "nodes",
                "outline",
                "unread_lines",
                "wrong_with",
            ),
            "cmha_pair": ("exports",),
        }
        lock = pure("cmha_lock")
        own = {
            f"{module}.{name}": getattr(pure(module), name)
            for module in names
            for name in names[module]
        }
        runner = load_file(
            "_runners/cmha.py",
            opts={
                "extension_modules": "/nonexistent",
                "cachedir": str(tmp_path),
                **(configured or {}),
            },
            salt={
                "salt.cmd": lambda *command, saltenv=None: {
                    ("cp.get_file_str", "salt://cmha/defaults.yaml"): (
                        saltenv in environments and defaults
                    ),
                    ("cp.cache_dir", "salt://_beacons"): [],
                    ("cp.envs",): list(environments),
                }[command],
                **{
                    f"saltutil.sync_{kind}": lambda *, saltenv: synced.append(saltenv)
                    for kind in ("utils", "modules", "states")
                },
            },
            utils={
                "cmha_steps.of_site": pure("cmha_steps").of_site,
                "cmha_steps.states": pure("cmha_steps").states,
                "cmha_lock.give_back": lock.give_back,
                "cmha_lock.held": lock.held,
                "cmha_lock.take": lock.take,
                **own,
                "cmha_pair.seen": lambda opts, pairs: ([], {}),
                "cmha_memory.recall": lambda opts: dict(memory),
                "cmha_memory.remember": lambda opts, sites: memory.update(
                    {each["site"]: {"at": 0, "site": each} for each in sites}
                ),
                "cmha_memory.forget": lambda opts, name: memory.pop(name, None),
                # to be called by nobody
                **dict.fromkeys(("cmha_failover.failover", "cmha_clean.clean")),
                **(utils or {}),
            },
        )
        runner.hosts, runner.synced, runner.compiled, runner.read = hosts, synced, compiled, read
        return runner

    return with_pillars


DEVICE = {"model": "net", "net": {"host": "192.0.2.2", "algorithm": "ffsplit"}}
HOSTS = ("cms1", "cms2", "mgmt1", "mgmt2")


def of(site, prefix=""):
    return {prefix + host: copy.deepcopy(site) for host in HOSTS}


def west():
    return of(site_like("west", "w-"), "w-")


def test_a_good_site(master):
    found = master(of(SITE)).sites()
    assert found["errors"] == []
    (site,) = found["sites"]
    assert (site["site"], [pair["pair"] for pair in site["pairs"]]) == ("east", ["cms", "mgmt"])
    assert [node["id"] for node in site["pairs"][0]["nodes"]] == ["cms1", "cms2"]


def test_nothing_of_the_settings_leaves_the_runner(master):
    (site,) = master(of(SITE)).sites()["sites"]
    known = (
        "pair role cluster_name nodes resource service port timeouts start_on_boot qnetd device "
        "wants_certificate has_fence_devices"
    )
    assert set(site["pairs"][0]) == set(known.split())


def test_the_device_of_a_site_may_have_its_pillar_and_is_no_node(master):
    site = {**SITE, "qnetd": "third", "corosync": {"quorum": {"device": DEVICE}}}
    found = master({**of(site), "third": site}).sites()
    assert found["errors"] == []
    pair = found["sites"][0]["pairs"][0]
    assert (pair["qnetd"], pair["device"]) == ("third", DEVICE)
    errors = master({**of(site), "fourth": site}).sites()["errors"]
    assert "no pair lists this minion, fourth" in errors[0]


def test_two_sites_and_one_of_them(master):
    both = {**of(SITE), **west()}
    assert [site["site"] for site in master(both).sites()["sites"]] == ["east", "west"]
    assert [site["site"] for site in master(both).sites(["west"])["sites"]] == ["west"]


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ("w*", ["west"]),
        (["e*", "west"], ["east", "west"]),
        ("[ew]?st", ["east", "west"]),
        ("east", ["east"]),
    ],
)
def test_sites_by_a_glob(master, only, found):
    both = {**of(SITE), **west()}
    assert [site["site"] for site in master(both).sites(only)["sites"]] == found


def test_a_glob_that_means_nobody(master):
    assert master(of(SITE)).sites("n*")["errors"] == ["no minion's pillar names the site n*"]


def test_who_does_something_names_one_site(master):
    error = master({**of(SITE), **west()}).failover("cms", site="*st")["error"]
    assert error == "the sites east and west have a pair cms; say which: site=east"


def test_a_site_that_nobody_has(master):
    found = master(of(SITE)).sites(["north"])
    assert found == {"sites": [], "errors": ["no minion's pillar names the site north"]}


def test_no_site_at_all(master):
    (error,) = master({}).sites()["errors"]
    assert error.startswith("no minion's pillar has cmha:pairs; assign it")


def test_a_wrong_site_does_not_stop_another(master):
    found = master({**of(with_("pairs:cms:role", "sever")), **west()}).sites()
    assert [site["site"] for site in found["sites"]] == ["west"]
    (error,) = found["errors"]
    assert error.startswith("site east: pillar cmha:pairs:cms:role: should be server or agent")


def test_hosts_that_disagree(master):
    pillars = of(SITE)
    pillars["mgmt2"]["timeouts"] = {"online": 1}
    (error,) = master(pillars).sites()["errors"]
    assert error.startswith("site east: cms1 and mgmt2 have different pillars")


def test_a_host_without_the_pillar(master):
    pillars = of(SITE)
    del pillars["cms2"]
    (error,) = master(pillars).sites()["errors"]
    assert error.startswith("site east: cms2 is in the pair cms, but its own pillar has no cmha")


def test_a_host_that_no_pair_lists(master):
    pillars = {**of(SITE), "cms3": copy.deepcopy(SITE)}
    (error,) = master(pillars).sites()["errors"]
    assert "no pair lists this minion, cms3" in error


@pytest.mark.parametrize("silent", [{"mgmt2"}, {"cms1", "mgmt2"}])
def test_a_site_with_silent_hosts_is_not_begun(master, silent):
    found = master({**of(SITE), **west()}, {*of(SITE), *west()} - silent).sites()
    assert [site["site"] for site in found["sites"]] == ["west"]
    (error,) = found["errors"]
    each = (
        f"{host} doesn't answer this master; see that it and its salt-minion run"
        for host in sorted(silent)
    )
    assert error == f"site east: nothing was done there: {'; '.join(each)}"


# --- export --------------------------------------------------------------------------------------


def test_export_asks_where_the_cluster_runs(master):
    runner = master(
        of(SITE),
        **{
            "crm.running": lambda minion: minion in ("cms2", "mgmt1"),
            "crm.export": lambda minion, secrets: {"tags": {minion: [str(secrets)]}},
        },
    )
    assert runner.export() == {
        "east": {
            "cms": {"pacemaker": {"tags": {"cms2": ["False"]}}},
            "mgmt": {"pacemaker": {"tags": {"mgmt1": ["False"]}}},
        }
    }
    assert runner.export("east", secrets=True)["east"]["cms"]["pacemaker"]["tags"] == {
        "cms2": ["True"]
    }


def test_export_of_a_stopped_pair_and_of_one_that_can_not_tell(master):
    runner = master(
        of(SITE),
        **{
            "crm.running": lambda minion: minion == "mgmt1",
            "crm.export": lambda minion, secrets: "ERROR: no memory",
        },
    )
    assert runner.export() == {
        "errors": [
            "site east, pair cms: its cluster runs on no host",
            "site east, pair mgmt: mgmt1: no memory",
        ]
    }


def test_export_of_an_unknown_site(master):
    assert master(of(SITE)).export("west") == {"errors": ["no minion's pillar names the site west"]}


def at(site, *minions):
    """What the master has kept of these."""
    return {minion: {"site": site} for minion in minions}


def test_of_sites_that_are_not_meant_no_pillar_is_read(master):
    pillars = {**of(SITE), **west()}
    known = {**at("east", *of(SITE)), **at("west", *west())}
    runner = master(pillars, known=known)
    assert [each["site"] for each in runner.sites("east")["sites"]] == ["east"]
    assert runner.read == sorted(of(SITE))
    assert len(runner.sites()["sites"]) == 2


def test_a_glob_may_mean_a_site_that_nobody_knew(master):
    pillars = {**of(SITE), **west()}
    known = {**at("old", *of(SITE)), **at("west", *west())}
    found = master(pillars, known=known).sites("[ew]*t")
    assert [each["site"] for each in found["sites"]] == ["east", "west"]


@pytest.mark.parametrize("wrong", [["site"], "text", 7, None, {}])
def test_a_kept_pillar_of_any_kind_hides_no_other(master, monkeypatch, wrong):
    pillars = {**of(SITE), **west()}
    runner = master(pillars)
    data = __import__("salt.utils.minions").utils.minions.get_minion_data
    monkeypatch.setattr(
        "salt.utils.minions.get_minion_data",
        lambda minion, opts: (
            (minion, {"id": minion}, {"cmha": wrong}) if minion == "w-cms1" else data(minion, opts)
        ),
    )
    monkeypatch.setattr("salt.utils.data.subdict_match", lambda *_: True)
    found = runner.sites("east")
    assert ([each["site"] for each in found["sites"]], found["errors"]) == (["east"], [])


def test_a_host_that_was_elsewhere_is_found(master):
    """What the master has kept is old: then it reads all."""
    known = {**at("east", *of(SITE)), **at("west", "cms2", *west())}
    found = master({**of(SITE), **west()}, known=known).sites("east")
    assert ([each["site"] for each in found["sites"]], found["errors"]) == (["east"], [])


def test_a_site_that_nobody_knew_is_found(master):
    known = at("west", *of(SITE), *west())
    found = master({**of(SITE), **west()}, known=known).sites("east")
    assert ([each["site"] for each in found["sites"]], found["errors"]) == (["east"], [])


# --- what an orchestration keeps to -----

MISPLACED = (
    "isn't read there: it belongs under cmha_only, as pillar='{cmha_only: {sites: [east]}}'; nothing "
    "was done"
)


@pytest.mark.parametrize(
    ("said", "only", "pair"),
    [
        ("", None, None),
        (None, None, None),
        ({"sites": ["east", "w*"]}, ["east", "w*"], None),
        ({"sites": "east", "pair": "cms"}, ["east"], "cms"),
        ({"pair": "cms"}, None, "cms"),
    ],
)
def test_what_an_orchestration_keeps_to(pure, said, only, pair):
    assert pure("cmha_sites").meant(said, ["cmha", "cmha_only", "x"]) == (only, pair, {})


@pytest.mark.parametrize(
    "pace",
    [
        {"batch": 5},
        {"batch": "10%", "fail_fast": 1},
        {"batch": "100%", "canary": "east"},
    ],
)
def test_at_which_pace_it_goes(pure, pace):
    assert pure("cmha_sites").meant(pace, ["cmha_only"]) == (None, None, pace)


def test_a_pace_that_is_off_is_none(pure):
    assert pure("cmha_sites").meant({"fail_fast": False}, ["cmha_only"]) == (None, None, {})


@pytest.mark.parametrize(
    ("said", "keys", "line"),
    [
        ("", ["cmha_olny"], "cmha_olny: isn't read; did you mean cmha_only? nothing was done"),
        (None, ["x", "sites"], f"sites: {MISPLACED}"),
        (None, ["Pair"], f"Pair: {MISPLACED}"),
        ({"pair": "cms"}, ["cmha_only", "site"], f"site: {MISPLACED}"),
        (
            {"site": ["east"]},
            (),
            "cmha_only:site: isn't known; did you mean sites?; nothing was done",
        ),
        (
            {"pairs": "cms"},
            (),
            "cmha_only:pairs: isn't known; did you mean pair?; nothing was done",
        ),
        ({"x": "cms"}, (), "cmha_only:x: isn't known; nothing was done"),
        (
            {},
            (),
            "cmha_only: should be a mapping with sites, pair, batch, fail_fast, canary, or some of these, is "
            "{}; nothing was done",
        ),
        (
            "east",
            (),
            "cmha_only: should be a mapping with sites, pair, batch, fail_fast, canary, or some of these, is "
            "'east'; nothing was done",
        ),
        (
            {"sites": []},
            (),
            "cmha_only:sites: should be a list of names of sites, is []; nothing was done",
        ),
        (
            {"sites": None},
            (),
            "cmha_only:sites: should be a list of names of sites, is None; nothing was done",
        ),
        (
            {"sites": [""]},
            (),
            "cmha_only:sites: should be a list of names of sites, is ['']; nothing was done",
        ),
        (
            {"pair": None},
            (),
            "cmha_only:pair: should be the name of a pair, is None; nothing was done",
        ),
        (
            {"pair": ["cms"]},
            (),
            "cmha_only:pair: should be the name of a pair, is ['cms']; nothing was done",
        ),
        *[
            (
                {"batch": batch},
                (),
                "cmha_only:batch: should be a number of sites, as 5, or a percentage, as 10%, is "
                f"{batch!r}; nothing was done",
            )
            for batch in (0, -1, True, "0%", "101%", "10", "10 %", "half", None, 1.5, [1])
        ],
        *[
            (
                {"fail_fast": fast},
                (),
                "cmha_only:fail_fast: should be a number of failures, as 1, or false, is "
                f"{fast!r}; nothing was done",
            )
            for fast in (0, -1, True, "1", None)
        ],
        *[
            (
                {"canary": canary},
                (),
                f"cmha_only:canary: should be the name of a site, is {canary!r}; nothing was done",
            )
            for canary in ("", 1, ["east"])
        ],
        (
            {"fail_fast": 1},
            (),
            "cmha_only:fail_fast: needs batch: without it all sites are begun at once; nothing was done",
        ),
        (
            {"bacth": 5},
            (),
            "cmha_only:bacth: isn't known; did you mean batch?; nothing was done",
        ),
    ],
)
def test_who_means_less_than_all_gets_no_more(master, fitness, said, keys, line):
    """Whatever is mistyped there would orchestrate every site."""
    runner = master(of(SITE), **{"cmha_host.fitness": fitness})
    found = runner.fit_sites(said=said, keys=keys)
    assert found == {"sites": [], "states": [], "errors": [f"pillar {line}"], "warnings": []}
    assert runner.hosts.asked == []


# --- fit_sites and preflight ---------------------------------------------------------------------


def facts(pure, site):
    """What a fit host answers to ``cmha_host.fitness``."""
    nodes = {
        minion: node["address"]
        for pair in site["pairs"].values()
        for minion, node in pair["nodes"].items()
    }

    def fitness(minion, **changes):
        return {
            "pillar": pure("cmha_site").digest(site),
            "code": pure("cmha_master").code("/nonexistent"),
            "time": time.time(),
            "nodename": minion,
            "platform": "Debian 12",
            "taken_as": None,
            "addresses": [nodes[minion]],
            "resolves": {each: [address] for each, address in nodes.items()},
            "corosync": "3.1.7",
            "pacemaker": "2.1.5",
            "agent": "lsb:x",
            "has_agent": True,
            "service": "x",
            "has_service": True,
            "cluster": {"is": "none", "runs": "none", "seen": ""},
            "conf": "none",
            "running": False,
            "members": [],
            "ports": {"5404": "heard", "5405": "heard"},
            "firewall_open": True,
            "firewall": "iptables",
            "device_silent": None,
            "own_failover": False,
            "watchdog": [],
            "certified": True,
            "authenticated": False,
            **changes,
        }

    return fitness


@pytest.fixture
def fitness(pure):
    return facts(pure, SITE)


def test_fit_hosts(master, fitness):
    runner = master(of(SITE), **{"cmha_host.fitness": fitness})
    report = runner.preflight()
    assert (report["outputter"], report["report"], report["retcode"]) == ("cmha", "preflight", 0)
    assert (report["sites"], report["errors"]) == ({"east": ["cms", "mgmt"]}, [])
    assert [each.partition(": ")[0] for each in report["warnings"]] == (
        ["site east, pair cms"] * 2 + ["site east, pair mgmt"] * 2
    )
    assert [site["site"] for site in runner.fit_sites()["sites"]] == ["east"]


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ({"canary": "east"}, True),
        ({"canary": "north"}, False),
        ({"canary": "west", "pair": "mgmt"}, False),  # it has no such pair
    ],
)
def test_a_canary_that_cannot_go_first_lets_nobody_go(master, pure, said, first):
    pillars = {**of(SITE), **{host: west()[host] for host in ("w-cms1", "w-cms2")}}
    for host in ("w-cms1", "w-cms2"):
        del pillars[host]["pairs"]["mgmt"]
    per_site = {host: facts(pure, pillar) for host, pillar in pillars.items()}
    fitness = {"cmha_host.fitness": lambda host, **more: per_site[host](host, **more)}
    found = master(pillars, **fitness).fit_sites(said=said, keys=["cmha_only"])
    if first:
        assert [site["site"] for site in found["sites"]] == ["east", "west"]
        assert found["states"][0]["arguments"][1:] == [{"canary": "east"}]
    else:
        line = f"cmha_only:canary: the site {said['canary']} can't go first; nothing was done"
        assert (found["sites"], found["states"], found["errors"][-1]) == ([], [], line)


@pytest.mark.parametrize(
    ("answers", "qnetd", "warned"), [(True, "third", False), (False, None, True)]
)
def test_a_device_whose_minion_is_silent_is_left_as_it_is(master, pure, answers, qnetd, warned):
    site = {**copy.deepcopy(SITE), "corosync": {"quorum": {"device": DEVICE}}}
    site["pairs"]["cms"]["qnetd"] = "third"
    hosts = [*HOSTS, *(["third"] if answers else [])]
    runner = master(of(site), hosts, **{"cmha_host.fitness": facts(pure, site)})
    found = runner.fit_sites()
    assert found["errors"] == []
    assert [pair["qnetd"] for pair in found["sites"][0]["pairs"]] == [qnetd, None]
    line = "site east, pair cms: third, the minion of its quorum device, doesn't answer this master"
    assert any(each.startswith(line) for each in found["warnings"]) is warned


def test_a_silent_device_that_has_certified_nobody_is_an_error(master, pure):
    site = {**SITE, "qnetd": "third", "corosync": {"quorum": {"device": DEVICE}}}
    fitness = facts(pure, site)
    uncertified = {"cmha_host.fitness": lambda minion: fitness(minion, certified=minion != "cms1")}
    (error,) = master(of(site), HOSTS, **uncertified).fit_sites()["errors"]
    assert error.startswith("site east, pair cms: cms1 has no certificate of")


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (
            "e5cms11",
            "there are 40, among them e5cms1, e9cms1, e8cms1; salt-run cmha.sites lists them",
        ),
        ("x", "there are 40; salt-run cmha.sites lists them"),
    ],
)
def test_of_many_nodes_those_are_named_that_may_be_meant(master, deeds, node, said):
    pillars = {}
    for prefix in (f"e{number}" for number in range(10)):
        pillars.update(of(site_like(prefix, prefix), prefix))
    seen, utils = deeds
    report = master(pillars, utils=utils).rejoin(node)
    assert seen == []
    assert report["error"] == f"no site has a node {node}; {said}"


def test_one_pair_is_looked_at(master, fitness):
    asked = []
    runner = master(
        of(SITE), **{"cmha_host.fitness": lambda minion: asked.append(minion) or fitness(minion)}
    )
    report = runner.preflight("east", "cms")
    assert (report["sites"], report["errors"], report["retcode"]) == ({"east": ["cms"]}, [], 0)
    assert asked == ["cms1", "cms2"]


def test_a_pair_that_no_site_has(master, fitness):
    report = master(of(SITE), **{"cmha_host.fitness": fitness}).preflight(pair="csm")
    assert report["errors"] == ["no site has a pair csm; there is cms, mgmt"]
    assert report["retcode"] == 1


def test_a_fault_names_site_pair_and_host(master, fitness):
    def one_without_a_service(minion):
        return fitness(minion, has_service=minion != "mgmt2")

    report = master(of(SITE), **{"cmha_host.fitness": one_without_a_service}).preflight()
    assert report["errors"] == ["site east, pair mgmt: mgmt2 has no service x; install it first"]
    assert report["retcode"] == 1


def test_a_host_that_can_not_tell(master, fitness):
    def broken(minion):
        return "ERROR: no cibadmin" if minion == "cms1" else fitness(minion)

    (error,) = master(of(SITE), **{"cmha_host.fitness": broken}).preflight()["errors"]
    assert error == "site east, pair cms: cms1: no cibadmin"


def test_a_site_with_faults_is_left_out(master, pure):
    pillars = {**of(SITE), **west()}
    per_site = {minion: facts(pure, pillars[minion]) for minion in pillars}

    def fitness(minion):
        return per_site[minion](minion, has_service=minion != "mgmt1")

    found = master(pillars, **{"cmha_host.fitness": fitness}).fit_sites()
    assert [site["site"] for site in found["sites"]] == ["west"]
    assert [each.partition(":")[0] for each in found["errors"]] == ["site east, pair mgmt"]
    assert any(each.startswith("site east, pair cms: fencing") for each in found["warnings"])


@pytest.mark.parametrize("only", [None, "east"])
def test_a_name_that_another_site_has_at_the_same_device(master, pure, only):
    device = {"quorum": {"device": DEVICE}}
    pillars = {
        host: {**pillar, "corosync": device} for host, pillar in {**of(SITE), **west()}.items()
    }
    for pillar in pillars.values():
        pillar["pairs"]["mgmt"]["cluster_name"] = f"{pillar['site']}-mgmt"
    per_site = {host: facts(pure, pillars[host]) for host in pillars}
    runner = master(pillars, **{"cmha_host.fitness": lambda minion: per_site[minion](minion)})
    report = runner.preflight(only)
    assert [line.partition(" is ")[::2] for line in report["errors"]] == [
        (
            f"site {site}, pair cms: pillar cmha:pairs:cms:cluster_name: cmf",
            f"the name of site {other}, pair cms too, and both have the quorum device 192.0.2.2, which tells "
            "clusters apart by it; each needs its own",
        )
        for site, other in (("east", "west"), ("west", "east"))
        if only in (None, site)
    ]
    assert runner.fit_sites(only and [only])["sites"] == []


def test_the_orchestration_of_one_pair(master, fitness):
    runner = master(of(SITE), **{"cmha_host.fitness": fitness})
    (site,) = runner.fit_sites(["east"], "mgmt")["sites"]
    assert [pair["pair"] for pair in site["pairs"]] == ["mgmt"]
    # what pillar.get gives for a key that isn't there
    (site,) = runner.fit_sites("", "")["sites"]
    assert [pair["pair"] for pair in site["pairs"]] == ["cms", "mgmt"]
    found = runner.fit_sites(None, "nosuch")
    assert found["errors"] == ["no site has a pair nosuch; there is cms, mgmt"]
    assert [site["pairs"] for site in found["sites"]] == [[]]


@pytest.mark.parametrize(("code", "synced"), [(None, 0), ("another", 1)])
def test_modules_are_synced_where_they_differ(master, fitness, code, synced):
    runner = master(
        of(SITE),
        **{"cmha_host.fitness": lambda minion: fitness(minion, **({"code": code} if code else {}))},
    )
    runner.preflight()
    assert sum(isinstance(each, list) for each in runner.hosts.asked) == synced


def test_preflight_says_what_it_can_of_the_others(master, fitness):
    silent = {"cms1", "mgmt1", "mgmt2"}
    of_other = {"pillar": "another"}
    runner = master(
        of(SITE), silent, **{"cmha_host.fitness": lambda host: fitness(host, **of_other)}
    )
    errors = runner.preflight()["errors"]
    assert errors[0].startswith("site east, pair cms: cms2 doesn't answer this master")
    assert [line.split(" sees ")[0].rpartition(" ")[2] for line in errors[1:]] == [
        "cms1",
        "mgmt1",
        "mgmt2",
    ]
    found = runner.fit_sites()
    assert found["sites"] == []
    assert found["errors"][0].startswith("site east: nothing was done there: cms2 doesn't")


# --- status and plan -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("healths", "retcode"),
    [
        (("good", "good"), 0),
        (("good", "poor"), 1),
        (("bad", "poor"), 2),
        (("unknown", "good"), 2),
    ],
)
def test_the_worst_pair_is_the_exit_code(master, healths, retcode):
    health = dict(zip(("cms", "mgmt"), healths))
    utils = {
        "cmha_pair.seen": lambda opts, pairs: (
            [{"health": health[pair["pair"]]} for _, pair in pairs],
            {},
        )
    }
    report = master(of(SITE), utils=utils).status()
    assert report["retcode"] == retcode
    assert report["sites"]["east"]["mgmt"] == {"health": healths[1]}


def test_status_of_one_pair_asks_no_other(master):
    utils = {"cmha_pair.seen": lambda opts, pairs: ([{"health": "good"} for _ in pairs], {})}
    report = master(of(SITE), utils=utils).status("east", "mgmt")
    assert report["sites"] == {"east": {"mgmt": {"health": "good"}}}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"site": "north"}, "no minion's pillar names the site north"),
        ({"pair": "csm"}, "no site has a pair csm; there is cms, mgmt"),
    ],
)
def test_status_of_what_is_not_there_is_no_success(master, arguments, error):
    report = master(of(SITE)).status(**arguments)
    assert (report["errors"], report["retcode"]) == ([error], 2)


def test_a_plan_that_fails(master, fitness):
    utils = {
        "cmha_pair.plans": lambda opts, pairs: [
            {"error": "cms1: no" if pair["pair"] == "cms" else None} for _, pair in pairs
        ]
    }
    report = master(of(SITE), utils=utils, **{"cmha_host.fitness": fitness}).plan()
    assert (report["errors"], report["retcode"]) == (["site east, pair cms: cms1: no"], 1)


# --- deeds ---------------------------------------------------------------------------------------


@pytest.fixture
def deeds():
    """Notes what would be done, and to whom."""
    done = []

    def action(name):
        def do(opts, site, pair, *arguments, **options):
            done.append((name, site, pair["pair"], *arguments, *options.values()))
            return {"error": None}

        return do

    names = ("failover", "rejoin", "clean", "fence")
    return done, {f"cmha_{name}.{name}": action(name) for name in names}


@pytest.mark.parametrize(
    ("call", "done"),
    [
        (lambda cmha: cmha.failover("cms"), ("failover", "east", "cms", None, False)),
        (
            lambda cmha: cmha.failover("mgmt", to="mgmt1", drill=True, site="east"),
            ("failover", "east", "mgmt", "mgmt1", True),
        ),
        (lambda cmha: cmha.rejoin("mgmt2"), ("rejoin", "east", "mgmt", "mgmt2", False)),
        (lambda cmha: cmha.rejoin("cms2", confirm=True), ("rejoin", "east", "cms", "cms2", True)),
        (lambda cmha: cmha.clean("cms", "cms1"), ("clean", "east", "cms", "cms1", False)),
        (
            lambda cmha: cmha.clean("cms", "cms1", confirm=True),
            ("clean", "east", "cms", "cms1", True),
        ),
    ],
)
def test_a_deed_goes_to_its_pair(master, deeds, call, done):
    seen, utils = deeds
    report = call(master(of(SITE), utils=utils))
    assert seen == [done]
    assert (report["site"], report["pair"], report["retcode"]) == (*done[1:3], 0)


def test_a_host_is_found_by_the_name_of_its_node(master, deeds):
    seen, utils = deeds
    pillar = with_("pairs:cms:nodes:cms2:name", "alpha")
    master(of(pillar), utils=utils).rejoin("alpha")
    assert seen == [("rejoin", "east", "cms", "cms2", False)]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda cmha: cmha.failover("csm"), "no site has a pair csm; there is cms, mgmt"),
        (
            lambda cmha: cmha.failover("cms"),
            "the sites east and west have a pair cms; say which: site=east",
        ),
        (
            lambda cmha: cmha.clean("cms", "cms1"),
            "the sites east and west have a pair cms; say which: site=east",
        ),
        (
            lambda cmha: cmha.failover("cms", site="north"),
            "no minion's pillar names the site north; no site has a pair cms; there is nothing",
        ),
        (
            lambda cmha: cmha.rejoin("cms3"),
            "no site has a node cms3; there is cms1, cms2, mgmt1, mgmt2, ",
        ),
    ],
)
def test_nothing_is_done_to_what_is_unknown_or_ambiguous(master, deeds, call, error):
    seen, utils = deeds
    report = call(master({**of(SITE), **west()}, utils=utils))
    assert report["error"].startswith(error)
    assert (report["retcode"], seen) == (1, [])


@pytest.mark.parametrize("site", ["2024", 2024, ["2024"]])
@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("failover", lambda cmha, site: cmha.failover(1, site=site)),
        ("clean", lambda cmha, site: cmha.clean(1, 101, site=site)),
        ("rejoin", lambda cmha, site: cmha.rejoin(101, site=site)),
        ("fence", lambda cmha, site: cmha.fence(101, site=site)),
    ],
)
def test_a_name_that_salt_takes_for_a_number_or_a_list_is_a_name(master, deeds, site, action, call):
    seen, utils = deeds
    numbered = copy.deepcopy(SITE)
    numbered["site"] = "2024"
    numbered["pairs"]["1"] = numbered["pairs"].pop("cms")
    numbered["pairs"]["1"]["nodes"]["cms1"]["name"] = "101"
    runner = master({**of(numbered), **west()}, utils=utils)
    assert (call(runner, site)["error"], seen[0][:3]) == (None, (action, "2024", "1"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda cmha: cmha.status(site=["east"])["sites"], ["east"]),
        (lambda cmha: cmha.status(site=7)["errors"], ["no minion's pillar names the site 7"]),
        (lambda cmha: cmha.status(site=True)["errors"], ["no minion's pillar names the site True"]),
        (lambda cmha: cmha.sites([None])["errors"], ["no minion's pillar names the site None"]),
        (lambda cmha: cmha.sites(7)["errors"], ["no minion's pillar names the site 7"]),
        (
            lambda cmha: cmha.status(site="East")["errors"],
            ["no minion's pillar names the site East; did you mean east?"],
        ),
        (
            lambda cmha: cmha.sites(["esat", "east"])["errors"],
            ["no minion's pillar names the site esat"],
        ),
        (lambda cmha: cmha.forget(["north"])["error"], "no site north is known"),
        (lambda cmha: cmha.forget("*")["error"], "say the name of one site; '*' is none"),
        (
            lambda cmha: cmha.forget(["n", "s"])["error"],
            "say the name of one site; ['n', 's'] is none",
        ),
        (lambda cmha: cmha.forget("")["error"], "say the name of one site; '' is none"),
        (
            lambda cmha: cmha.export(secrets="maybe")["errors"],
            ["secrets should be True or False, is 'maybe'; nothing was done"],
        ),
    ],
)
def test_what_somebody_types_for_a_site(master, call, said):
    found = call(master(of(SITE), utils=GOOD))
    assert (list(found) if isinstance(found, dict) else found) == said


@pytest.mark.parametrize("name", ["site", "to", "keep"])
def test_an_empty_word_is_no_choice(master, deeds, name):
    seen, utils = deeds
    runner = master(of(SITE), utils=utils)
    action = runner.clean if name == "keep" else runner.failover
    report = action("cms", **{name: ""})
    said = f"{name} is empty; say what it should be, or leave it out; nothing was done"
    assert (report["error"], seen) == (said, [])


def test_an_empty_site_of_a_host_is_no_choice(master, deeds):
    seen, utils = deeds
    runner = master(of(SITE), utils=utils)
    for action in (runner.rejoin, runner.fence):
        assert action("cms1", site="", confirm=True)["error"].startswith("site is empty; ")
    assert seen == []


@pytest.mark.parametrize(("own", "done"), [({}, []), ({"sites": ["nginx"]}, ["east"])])
def test_what_the_masters_own_pillar_says_is_not_meant_for_the_orchestration(
    master, monkeypatch, fitness, own, done
):
    """A master may have a key of that name for something else."""
    runner = master(of(SITE), **{"cmha_host.fitness": fitness})
    compiled = salt.pillar.Pillar

    class Pillar(compiled):
        def compile_pillar(self):
            return own if self.minion == "m_master" else super().compile_pillar()

    monkeypatch.setattr("salt.pillar.Pillar", Pillar)
    monkeypatch.setitem(runner.__opts__, "id", "m_master")
    found = runner.fit_sites(keys=["cmha", "sites"])
    assert [site["site"] for site in found["sites"]] == done
    assert any("sites: isn't read there" in line for line in found["errors"]) == (not done)


def test_a_node_of_the_same_name_at_two_sites(master, deeds):
    seen, utils = deeds
    there = west()
    for pillar in there.values():
        pillar["pairs"]["cms"]["nodes"]["w-cms1"]["name"] = "cms1"
    report = master({**of(SITE), **there}, utils=utils).rejoin("cms1")
    assert report["error"] == "the sites east and west have a node cms1; say which: site=east"
    assert seen == []


def test_a_deed_with_an_error_is_no_success(master):
    utils = {"cmha_failover.failover": lambda *_, **__: {"error": "refused: cms2 is offline"}}
    assert master(of(SITE), utils=utils).failover("cms")["retcode"] == 1


# --- a key ---------------------------------------------------------------------------------------


def test_a_key_is_printed_and_not_returned(master, capsys):
    asked = []
    utils = {"cmha_key.made": lambda *arguments: asked.append(arguments) or "the secret\n"}
    runner = master(of(SITE), utils=utils)
    runner.__opts__["__cli"] = "salt-run"
    report = runner.keygen(2, gpg="somebody", gnupghome="/keys")
    assert capsys.readouterr().out == "the secret\n"
    assert report == {"outputter": "cmha", "report": "keygen", "retcode": 0}
    assert asked == [(2, "somebody", "/keys")]


def test_a_key_is_for_the_terminal_only(master, capsys):
    runner = master(of(SITE), utils={"cmha_key.made": lambda *_: pytest.fail("no key may be made")})
    report = runner.keygen()
    assert capsys.readouterr().out == ""
    assert report["retcode"] == 1
    assert report["error"].startswith("keygen prints a secret")


def test_a_key_that_can_not_be_made_is_a_line(master, capsys):
    def refuse(*_):
        raise ValueError("generation should be one of 1, 2, 3, is 4")

    runner = master(of(SITE), utils={"cmha_key.made": refuse})
    runner.__opts__["__cli"] = "salt-run"
    report = runner.keygen(4)
    assert (report["retcode"], report["error"]) == (1, "generation should be one of 1, 2, 3, is 4")
    assert capsys.readouterr().out == ""


# --- what is seen doesn't depend on what is wanted -----------------------------------------------

GOOD = {"cmha_pair.seen": lambda opts, pairs: ([{"health": "good"} for _ in pairs], {})}


def broken(path, value):
    return {host: with_(path, value) for host in HOSTS}


@pytest.mark.parametrize(
    ("pillars", "line"),
    [
        (broken("pairs:cms:nodez", {}), "site east: pillar cmha:pairs:cms:nodez"),
        (
            dict.fromkeys(HOSTS, "Rendering SLS 'cmha' failed:\n  x"),
            "the pillar of cms1, cms2, mgmt1, ",
        ),
    ],
)
def test_a_site_is_seen_as_it_was_known(master, pillars, line):
    assert master(of(SITE), utils=GOOD).status()["retcode"] == 0
    report = master(pillars, utils=GOOD).status()
    assert (report["retcode"], list(report["sites"]["east"])) == (1, ["cms", "mgmt"])
    (error,) = report["errors"]
    assert line in error
    assert "as they were known at 1970-01-01" in error
    assert "\n" not in error


def test_a_site_that_nobody_has_known_is_hidden(master):
    report = master(broken("pairs:cms:nodez", {}), utils=GOOD).status()
    assert (report["retcode"], report["sites"]) == (2, {})
    report = master({"cms1": "no YAML"}, utils=GOOD).status()
    assert report["errors"] == ["the pillar of cms1 doesn't render: no YAML"]


def renamed(site):
    return of({**copy.deepcopy(SITE), "site": site})


def test_a_site_whose_hosts_are_another_sites_now_is_forgotten(master):
    master(of(SITE), utils=GOOD).status()
    for _ in range(2):
        report = master(renamed("esat"), utils=GOOD).status()
        assert (list(report["sites"]), report["errors"], report["retcode"]) == (["esat"], [], 0)


@pytest.mark.parametrize(
    ("pillars", "said"),
    [
        ({}, "site east: no minion's pillar names the site east any more; see cmha:site there"),
        (of({key: each for key, each in SITE.items() if key != "site"}), "site None: pillar cmha:"),
        (renamed(["east"]), "site ['east']: pillar cmha:site"),
    ],
)
def test_a_site_that_pillar_names_no_more_is_seen_and_can_be_forgotten(master, pillars, said):
    master({**of(SITE), **west()}, utils=GOOD).status()
    runner = master({**pillars, **west()}, utils=GOOD)
    for _ in range(2):
        report = runner.status()
        assert (sorted(report["sites"]), report["retcode"]) == (["east", "west"], 1)
        (line,) = report["errors"]
        assert line.startswith(said)
    assert runner.forget("east")["retcode"] == 0
    assert list(runner.status()["sites"]) == ["west"]
    (again, named) = runner.forget("east"), runner.forget("west")
    assert (again["error"], again["retcode"]) == ("no site east is known", 1)
    assert named["error"].startswith("pillar names the site west")


def test_what_is_wrong_about_all_pairs_is_about_each(master):
    master(of(SITE), utils=GOOD).status()
    report = master(broken("pairs", []), utils=GOOD).failover("cms")
    assert report["error"].startswith("site east: pillar cmha:pairs: ")


def test_a_host_whose_key_is_gone_hides_no_pair(master):
    master(of(SITE), utils=GOOD).status()
    runner = master(of(SITE), utils=GOOD)
    runner.salt.utils.minions.CkMinions.check_minions = lambda *_: {"minions": list(HOSTS[1:])}
    report = runner.status()
    assert (report["retcode"], report["errors"]) == (0, [])


@pytest.mark.parametrize("forgotten", [HOSTS, HOSTS[:1]])
def test_a_site_is_found_of_which_the_master_has_kept_nothing(master, forgotten):
    """It is so after a first start of Salt 3008, which keeps the data of minions elsewhere."""
    runner = master(of(SITE), utils=GOOD, configured=KEPT, forgotten=forgotten)
    report = runner.status()
    assert (list(report["sites"]), report["retcode"], report["errors"]) == (["east"], 0, [])
    assert runner.hosts.asked == []


KEPT = {"minion_data_cache": True}
NEEDS_GRAINS = "Jinja variable 'dict object' has no attribute 'fqdn'"


@pytest.mark.parametrize("without", [NEEDS_GRAINS, None])  # or its top.sls gives it nothing
def test_a_pillar_that_needs_grains_of_which_nothing_is_kept(master, without):
    site = of(SITE)
    pillars = dict.fromkeys([*site, "stranger"], without)

    def refresh(minion, wait):
        pillars[minion] = site[minion]  # its question for its pillar brings its grains
        return wait

    runner = master(
        pillars,
        answering=site,
        utils=GOOD,
        configured=KEPT,
        forgotten=pillars,
        **{"saltutil.refresh_pillar": refresh},
    )
    report = runner.status()
    assert (list(report["sites"]), report["retcode"], report["errors"]) == (["east"], 0, [])
    assert runner.hosts.asked == ["saltutil.refresh_pillar"]


def test_a_known_minion_whose_pillar_does_not_render_is_an_error(master):
    pillars = {**of(SITE), "stranger": NEEDS_GRAINS}
    runner = master(pillars, utils=GOOD, configured=KEPT)
    (line,) = runner.status()["errors"]
    assert line == f"the pillar of stranger doesn't render: {NEEDS_GRAINS}"
    assert runner.hosts.asked == []


def test_when_no_site_is_found_each_pillar_that_does_not_render_is_named(master):
    pillars = {"stranger": NEEDS_GRAINS}
    runner = master(pillars, answering=[], configured=KEPT, forgotten=pillars)
    assert f"the pillar of stranger doesn't render: {NEEDS_GRAINS}" in runner.status()["errors"]


def test_a_minion_that_has_no_pillar_of_cmha_is_passed_over(master):
    runner = master({**of(SITE), "stranger": None}, utils=GOOD)
    assert runner.status()["retcode"] == 0
    assert len(runner.compiled) == len(HOSTS)


def test_the_orchestration_begins_nothing_from_memory(master):
    master(of(SITE), utils=GOOD).status()
    found = master(broken("pairs:cms:nodez", {}), utils=GOOD).sites()
    assert found["sites"] == []
    assert found["errors"][0].startswith("site east: pillar cmha:pairs:cms:nodez")


MOVED = {
    "cmha_failover.failover": lambda opts, site, pair, **_: {"error": None, "moves": [pair["pair"]]}
}


def test_a_failover_minds_only_what_is_wrong_with_its_pair(master):
    master(of(SITE), utils=GOOD).status()
    runner = master(broken("pairs:cms:nodez", {}), utils=MOVED)
    assert runner.failover("mgmt")["moves"] == ["mgmt"]
    refused = runner.failover("cms")
    assert refused["retcode"] == 1
    assert refused["error"].startswith("site east: pillar cmha:pairs:cms:nodez")


@pytest.mark.parametrize("pillars", [broken("totum", {}), dict.fromkeys(HOSTS, "no YAML")])
def test_what_is_wrong_with_the_whole_site_is_wrong_with_each_pair(master, pillars):
    master(of(SITE), utils=GOOD).status()
    assert master(pillars, utils=MOVED).failover("mgmt")["error"].startswith("site east: ")


# --- environments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environments", "configured", "said", "used"),
    [
        (["base"], {}, {}, {}),
        (["base", "prod"], {}, {}, {}),
        (["prod"], {}, {}, {"saltenv": "prod"}),  # the only one that has the formula
        (["base", "prod"], {}, {"saltenv": "prod"}, {"saltenv": "prod"}),
        (["prod", "dev"], {"saltenv": "dev"}, {}, {"saltenv": "dev"}),
        (["base"], {"pillarenv": "prod"}, {}, {"pillarenv": "prod"}),
        (["base"], {"pillarenv": "prod"}, {"pillarenv": "dev"}, {"pillarenv": "dev"}),
        (
            ["prod"],
            {"pillarenv_from_saltenv": True},
            {"saltenv": "prod"},
            {"saltenv": "prod", "pillarenv": "prod"},
        ),
    ],
)
def test_all_goes_to_the_environment_that_is_meant(master, environments, configured, said, used):
    def fitness(minion, **environment):
        asked.append(environment)
        return "ERROR: enough"

    asked = []
    runner = master(
        of(SITE),
        environments=environments,
        configured=configured,
        **{"cmha_host.fitness": fitness},
    )
    report = runner.preflight(**said)
    assert report["sites"] == {"east": ["cms", "mgmt"]}
    assert asked
    assert all(each == used for each in [*asked, *runner.compiled])
    assert runner.synced == [used.get("saltenv", "base")] * 3


@pytest.mark.parametrize(
    ("environments", "said", "line"),
    [
        (["dev", "prod"], {}, "environment base; it is in dev and prod; say which: saltenv=dev"),
        (["prod"], {"saltenv": "dev"}, "environment dev; it is in prod; say which: saltenv=prod"),
        ([], {}, "environment base; nor in another"),
    ],
)
def test_an_environment_without_the_formula_is_named(master, environments, said, line):
    runner = master(of(SITE), environments=environments)
    for report in (runner.status(**said), runner.preflight(**said), runner.sites(**said)):
        assert report["errors"] == [f"this master has no salt://cmha/defaults.yaml in the {line}"]
    assert line in runner.failover("cms", **said)["error"]
    assert not runner.hosts.asked


def test_what_was_known_stays_known_in_a_wrong_environment(master):
    master(of(SITE), utils=GOOD).status()
    seen = master(of(SITE), utils=GOOD).status(saltenv="nosuch")
    assert (list(seen["sites"]), seen["retcode"]) == (["east"], 2)
    assert list(master(of(SITE), utils=GOOD).status()["sites"]) == ["east"]


# --- one at a time -------------------------------------------------------------------------------


@pytest.fixture
def somebody_else(pure, tmp_path):
    """Works on the site east from this master."""
    with pure("cmha_lock").held({"cachedir": str(tmp_path)}, "east", "orchestrate"):
        yield


def test_an_orchestration_touches_no_site_that_another_works_on(master, pure, somebody_else):
    pillars = {**of(SITE), **west()}
    asked = []
    per_site = {host: facts(pure, pillar) for host, pillar in pillars.items()}
    runner = master(
        pillars,
        **{"cmha_host.fitness": lambda minion: asked.append(minion) or per_site[minion](minion)},
    )
    found = runner.fit_sites(alone=True)
    assert [site["site"] for site in found["sites"]] == ["west"]
    (line,) = found["errors"]
    assert line.startswith("site east: orchestrate is at work there")
    assert set(asked) == set(west())


def test_who_only_looks_is_told_all(master, fitness, somebody_else):
    found = master(of(SITE), **{"cmha_host.fitness": fitness}).fit_sites()
    assert ([site["site"] for site in found["sites"]], found["errors"]) == (["east"], [])


def test_an_orchestration_keeps_its_sites_until_it_ends(master, fitness, pure, tmp_path):
    runner = master(of(SITE), **{"cmha_host.fitness": fitness})
    runner.fit_sites(alone=True)
    with pure("cmha_lock").held({"cachedir": str(tmp_path)}, "east", "failover") as busy:
        assert "orchestrate is at work there" in busy


@pytest.mark.parametrize(
    "call",
    [
        lambda runner: runner.failover("cms"),
        lambda runner: runner.clean("cms", keep="cms1", confirm=True),
        lambda runner: runner.rejoin("cms1", confirm=True),
    ],
)
def test_nothing_is_done_where_somebody_else_is_at_work(master, somebody_else, call):
    report = call(master(of(SITE), utils={"cmha_rejoin.rejoin": None, "cmha_fence.fence": None}))
    assert report["retcode"] == 1
    assert report["error"].startswith("site east: orchestrate is at work there")


@pytest.mark.parametrize(
    "call",
    [
        lambda runner: runner.clean("cms", keep="cms1"),
        lambda runner: runner.rejoin("cms1"),
        lambda runner: runner.fence("cms1"),
    ],
)
def test_who_only_asks_what_would_be_done_is_told(master, somebody_else, call):
    done = lambda *_, **__: {"error": None}  # noqa: E731
    utils = {"cmha_rejoin.rejoin": done, "cmha_fence.fence": done, "cmha_clean.clean": done}
    assert call(master(of(SITE), utils=utils))["retcode"] == 0


def test_a_node_is_fenced_by_its_id_or_name(master):
    def fence(opts, site, pair, host, confirm, *, is_off):
        return {"host": host, "confirm": (confirm, is_off), "error": None}

    report = master(of(SITE), utils={"cmha_fence.fence": fence}).fence("cms2", confirm=True)
    told = {key: report[key] for key in ("site", "pair", "host", "confirm", "retcode")}
    assert told == {
        "site": "east",
        "pair": "cms",
        "host": "cms2",
        "confirm": (True, False),
        "retcode": 0,
    }
    runner = master(of(SITE), utils={"cmha_fence.fence": fence})
    assert runner.fence("cms2", is_off=True)["confirm"] == (False, True)
    assert runner.fence("cms3")["error"].startswith("no site has a node cms3")


@pytest.mark.parametrize("refused", ["a host is silent", "preflight finds something"])
def test_a_site_that_is_not_begun_is_given_back(master, fitness, pure, tmp_path, refused):
    hosts = HOSTS[:-1] if refused == "a host is silent" else None
    changed = {} if hosts else {"has_service": False}
    runner = master(
        of(SITE), hosts, **{"cmha_host.fitness": lambda minion: fitness(minion, **changed)}
    )
    assert runner.fit_sites(alone=True)["sites"] == []
    with pure("cmha_lock").held({"cachedir": str(tmp_path)}, "east", "rejoin") as busy:
        assert busy is None


def test_a_drill_by_fencing(master):
    def drill(opts, site, pair):
        return {"host": pair["nodes"][0]["id"], "error": None}

    runner = master(of(SITE), utils={"cmha_fence.drill": drill})
    report = runner.failover("cms", drill="fence")
    assert (report["report"], report["host"], report["retcode"]) == ("fence", "cms1", 0)


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (
            lambda cmha: cmha.rejoin("cms2", confirm="flase"),
            "confirm should be True or False, is 'flase'",
        ),
        (
            lambda cmha: cmha.fence("cms2", confirm="ture"),
            "confirm should be True or False, is 'ture'",
        ),
        (
            lambda cmha: cmha.fence("cms2", is_off="yes"),
            "is_off should be True or False, is 'yes'",
        ),
        (
            lambda cmha: cmha.clean("cms", "cms1", confirm=1),
            "confirm should be True or False, is 1",
        ),
        (
            lambda cmha: cmha.failover("cms", drill="fense"),
            "drill should be True, False or fence, is 'fense'",
        ),
    ],
)
def test_what_somebody_has_mistyped_is_no_yes(master, action, line):
    works = ("cmha_rejoin.rejoin", "cmha_fence.fence", "cmha_clean.clean", "cmha_failover.failover")
    runner = master(of(SITE), utils=dict.fromkeys(works, pytest.fail))
    report = action(runner)
    assert (report["retcode"], report["error"]) == (1, f"{line}; nothing was done")
    assert runner.hosts.asked == []


def test_a_drill_by_fencing_has_no_target(master):
    report = master(of(SITE)).failover("cms", "cms2", drill="fence")
    assert (report["retcode"], report["error"].partition(":")[0]) == (
        1,
        "drill=fence goes without to",
    )


# --- drills at several sites ---------------------------------------------------------------------


@pytest.fixture
def drilled(master):
    """What is drilled by a command, and the report."""

    def run(pillars, *words, wrong=None, **options):
        asked = []

        def at_sites(opts, pairs, by_fencing, batch):
            asked.append((sorted(pairs), by_fencing, batch))
            done = {site: {"error": None} for site in pairs}
            return {**done, **(wrong or {})} if wrong != {} else {}

        utils = {"cmha_drills.at_sites": at_sites}
        return asked, master(pillars, utils=utils).failover(*words, **options)

    return run


def test_a_drill_of_a_pair_that_has_a_number_for_a_name(drilled):
    numbered = copy.deepcopy(SITE)
    numbered["pairs"]["1"] = numbered["pairs"].pop("cms")
    asked, _ = drilled(of(numbered), 1, site="*", drill=True)
    assert asked == [(["east"], False, 1)]


def test_a_drill_takes_a_glob(drilled):
    asked, report = drilled({**of(SITE), **west()}, "cms", site="*", drill=True, batch="50%")
    assert asked == [(["east", "west"], False, "50%")]
    assert (report["retcode"], list(report["sites"]), report["not_begun"]) == (
        0,
        ["east", "west"],
        [],
    )
    asked, _ = drilled({**of(SITE), **west()}, "cms", site="w*", drill="fence")
    assert asked == [(["west"], True, 1)]


def test_a_drill_that_went_wrong_somewhere_is_the_exit_code(drilled):
    _, report = drilled(of(SITE), "cms", site="*", drill=True, wrong={"east": {"error": "no"}})
    assert (report["retcode"], report["not_begun"]) == (1, [])
    _, report = drilled(of(SITE), "cms", site="*", drill=True, wrong={})
    assert (report["retcode"], report["not_begun"]) == (1, ["east"])


@pytest.mark.parametrize("batch", [0, "x", True, "0%", None])
def test_a_batch_of_drills_that_is_none(drilled, batch):
    asked, report = drilled(of(SITE), "cms", site="*", drill=True, batch=batch)
    assert (asked, report["retcode"]) == ([], 1)
    assert report["error"].startswith("batch should be a number of sites, as 5, or a percentage")


def test_no_drill_where_a_pillar_is_wrong(drilled):
    pillars = {**of(SITE), **west()}
    drilled(pillars, "cms", site="*", drill=True)  # they are known from then on
    for host in west():
        pillars[host] = {**pillars[host], "pairs": 7}
    asked, report = drilled(pillars, "cms", site="*", drill=True)
    assert (asked, report["retcode"], report["not_begun"]) == ([], 1, ["east", "west"])
    assert "site west: pillar cmha:pairs" in report["errors"][0]


def test_a_failover_that_is_no_drill_takes_no_glob(drilled):
    asked, report = drilled({**of(SITE), **west()}, "cms", site="*")
    assert asked == []
    assert report["error"] == "the sites east and west have a pair cms; say which: site=east"


# --- kept pillars --------------------------------------------------------------------------------


def fit_host(pure, pillars):
    """A fit host of any site, which sees what its pillar says now."""
    return lambda minion: facts(pure, pillars[minion])(minion)


def healthy(pure, pillars, asked):
    """Hosts that are well, and see what their pillar says now."""

    def health(opts, pairs):
        asked.extend((site, pair["pair"]) for site, pair in pairs)
        hosts = [node["id"] for _, pair in pairs for node in pair["nodes"]]
        digests = {each: pure("cmha_site").digest(pillars[each]) for each in hosts}
        return [{"health": "good"} for _ in pairs], digests

    return health


def later(site):
    """The same site, after a change of its pillar."""
    changed = copy.deepcopy(site)
    changed["pairs"]["cms"]["cluster_name"] = "changed"
    return changed


def name_of(report):
    return report["sites"][0]["pairs"][0]["cluster_name"]


def test_where_hosts_see_what_this_master_has_kept_no_pillar_is_compiled(master, pure):
    both, asked = {**of(SITE), **west()}, []
    looks = {"cmha_host.fitness": fit_host(pure, both)}
    utils = {"cmha_pair.seen": healthy(pure, both, asked)}
    runner = master(both, known=both, utils=utils, **looks)
    assert [each["site"] for each in runner.fit_sites()["sites"]] == ["east", "west"]
    assert runner.preflight()["errors"] == []
    assert set(runner.status()["sites"]) == {"east", "west"}
    assert runner.status("w*")["retcode"] == 0
    assert (runner.read, len(asked)) == ([], 6)
    assert runner.hosts.asked == ["test.ping", "cmha_look.everything", "cmha_host.fitness"]


def test_a_site_whose_hosts_see_something_else_is_looked_at_again_and_no_other(master, pure):
    kept = {**of(SITE), **west()}
    pillars, asked = {**of(later(SITE)), **west()}, []
    looks = {"cmha_host.fitness": fit_host(pure, pillars)}
    utils = {"cmha_pair.seen": healthy(pure, pillars, asked)}
    runner = master(pillars, known=kept, utils=utils, **looks)
    found = runner.fit_sites()
    assert (found["errors"], len(found["sites"]), name_of(found)) == ([], 2, "changed")
    assert runner.read == sorted(of(SITE))
    assert runner.status()["errors"] == []
    assert [site for site, _ in asked] == ["east", "east", "west", "west", "east", "east"]


def test_of_what_is_old_nothing_wrong_is_said(master, pure):
    """Somebody has mended pillar, and this master has kept the one before."""
    kept = of(with_("pairs:cms:role", "sever"))
    runner = master(of(SITE), known=kept, **{"cmha_host.fitness": fit_host(pure, of(SITE))})
    assert runner.preflight()["errors"] == []
    kept["cms2"] = later(SITE)
    assert runner.preflight()["errors"] == []


def test_what_is_wrong_by_now_is_seen(master, pure):
    pillars = of(with_("pairs:cms:role", "sever"))
    sees = facts(pure, SITE)
    runner = master(
        pillars,
        known=of(SITE),
        **{"cmha_host.fitness": lambda minion: {**sees(minion), "pillar": "another"}},
    )
    (error,) = runner.fit_sites()["errors"]
    assert error.startswith("site east: pillar cmha:pairs:cms:role: should be server or agent")


def test_a_site_that_says_nothing_is_compiled(master, pure):
    runner = master(of(later(SITE)), answering=(), known=of(SITE))
    assert "cms1 doesn't answer this master" in runner.fit_sites()["errors"][0]
    assert runner.read == sorted(of(SITE))
    outlines = []
    health = {"cmha_pair.seen": lambda opts, pairs: outlines.extend(pairs) or ([], {})}
    master(of(later(SITE)), known=of(SITE), utils=health).status(pair="cms")
    assert [pair["cluster_name"] for _, pair in outlines] == ["cmf", "changed"]


@pytest.mark.parametrize("only", ["new", "n*", None])
def test_a_site_that_was_renamed(master, pure, only):
    """By its new name, too, which this master hasn't heard."""
    pillars = of({**SITE, "site": "new"})
    runner = master(pillars, known=of(SITE), **{"cmha_host.fitness": fit_host(pure, pillars)})
    found = runner.fit_sites(only)
    assert ([each["site"] for each in found["sites"]], found["errors"]) == (["new"], [])


def test_a_site_that_was_renamed_is_nobodys_under_its_old_name(master, pure):
    pillars = of({**SITE, "site": "new"})
    runner = master(pillars, known=of(SITE), **{"cmha_host.fitness": fit_host(pure, pillars)})
    assert runner.fit_sites("east")["errors"] == ["no minion's pillar names the site east"]
    pillars = of(SITE)
    runner = master(pillars, known=of(SITE), **{"cmha_host.fitness": fit_host(pure, pillars)})
    assert runner.fit_sites("east")["errors"] == []


def test_the_minion_of_a_device_is_not_asked_what_it_sees(master, pure):
    site = {**SITE, "qnetd": "third", "corosync": {"quorum": {"device": DEVICE}}}
    pillars = {**of(site), "third": later(site)}
    looks = {"cmha_host.fitness": fit_host(pure, of(site))}
    runner = master(pillars, known={**of(site), "third": site}, **looks)
    (error,) = runner.preflight()["errors"]
    assert error.startswith("site east: cms1 and third have different pillars")


@pytest.mark.parametrize("node", ["w-cms1", "w-cms2"])
def test_who_means_a_node_gets_the_pillar_of_its_site_as_it_is_now(master, node):
    both, done = {**of(SITE), **west()}, []
    pillars = {**both, **{minion: later(site) for minion, site in west().items()}}

    def rejoin(opts, site, pair, host, confirm):
        done.append((site, pair["cluster_name"], host))
        return {"error": None}

    runner = master(pillars, known=both, utils={"cmha_rejoin.rejoin": rejoin})
    assert runner.rejoin(node)["error"] is None
    assert done == [("west", "changed", node)]
    assert runner.read == sorted(west())


def test_a_node_that_this_master_has_not_heard_of(master):
    moved = copy.deepcopy(SITE)
    node = moved["pairs"]["cms"]["nodes"].pop("cms2")
    moved["pairs"]["cms"]["nodes"]["cms3"] = node
    pillars = {("cms3" if minion == "cms2" else minion): moved for minion in of(SITE)}
    done = []
    runner = master(
        pillars,
        known=of(SITE),
        utils={"cmha_rejoin.rejoin": lambda *about: done.append(about[3]) or {"error": None}},
    )
    assert (runner.rejoin("cms3")["error"], done) == (None, ["cms3"])
    error = runner.rejoin("cms2")["error"]
    assert error.startswith("no site has a node cms2; there is cms1, cms3, mgmt1, mgmt2")


def test_of_many_sites_a_few_are_named(master):
    sites = {}
    for number in range(1, 7):
        sites.update(of(site_like(f"s{number}", f"{number}-"), f"{number}-"))
    runner = master(sites, known=sites)
    said = "6 sites have a pair cms (s1, s2, s3, …); say which: site=s1"
    assert runner.failover("cms")["error"] == said
    assert runner.read == []


@pytest.mark.parametrize("known", [True, False])
def test_a_name_that_two_pairs_of_a_site_have_for_a_node_is_nobodys(master, known):
    """Each in its own cluster: nobody can tell which host is meant, and nothing is done."""
    site = copy.deepcopy(SITE)
    for pair in site["pairs"].values():
        pair["nodes"][min(pair["nodes"])]["name"] = "node1"
    fenced = {"cmha_fence.fence": lambda *_, **__: pytest.fail("it fenced one of them")}
    runner = master(of(site), known=of(site) if known else {}, utils=fenced)
    error = runner.fence("node1", confirm=True)["error"]
    assert error == (
        "the site east has two nodes node1: cms1 in the pair cms and mgmt1 in the pair mgmt; "
        "say the minion id, node=cms1"
    )


def test_a_name_that_is_another_nodes_minion_id_is_nobodys(master):
    """To say the minion id wouldn't help, and could mean the wrong host."""
    site = copy.deepcopy(SITE)
    nodes = site["pairs"]["cms"]["nodes"]
    nodes["cms1"]["name"], nodes["cms2"]["name"] = "cms2", "cms1"
    fenced = {"cmha_fence.fence": lambda *_, **__: pytest.fail("it fenced one of them")}
    error = master(of(site), utils=fenced).fence("cms2", confirm=True)["error"]
    assert error.endswith("minion id of the other; name the nodes otherwise in pillar")


@pytest.mark.parametrize("empty", [{"gpg": ""}, {"gpg": "somebody", "gnupghome": ""}])
def test_a_key_for_an_empty_recipient_is_not_made(master, capsys, empty):
    runner = master(of(SITE))
    runner.__opts__["__cli"] = "salt-run"
    assert "is empty; " in runner.keygen(**empty)["error"]
    assert capsys.readouterr().out == ""


def test_what_another_site_has_at_the_same_device_is_not_taken_from_what_is_old(master, pure):
    device = {"quorum": {"device": DEVICE}}
    pillars = {
        host: {**pillar, "corosync": device} for host, pillar in {**of(SITE), **west()}.items()
    }
    before = {host: later(pillars[host]) for host in west()}
    looks = {"cmha_host.fitness": fit_host(pure, pillars)}
    runner = master(pillars, known={**pillars, **before}, **looks)
    cms, _ = runner.preflight("east")["errors"]
    assert "cmf is the name of site west, pair cms too" in cms
