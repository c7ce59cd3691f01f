"""Finding the sites at the master: good ones are worked on, wrong and silent ones are named."""

import copy

import pytest
from pillars import SITE, with_


@pytest.fixture
def master(load_file, pure, formula, monkeypatch):
    """The runner on a master that knows ``pillars`` (minion id to pillar) and hears ``answering``."""

    def with_pillars(pillars, answering=None, **functions):
        answering = pillars if answering is None else answering
        answers = {"test.ping": lambda _: True, **functions}

        class Client:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def cmd(self, tgt, fun, arg, tgt_type):
                assert tgt_type == "list"
                answer = answers.get(fun, lambda minion, *_: None)
                return {minion: answer(minion, *arg) for minion in tgt if minion in answering}

        class Minions:
            def __init__(self, opts):
                pass

            def check_minions(self, expr, tgt_type):
                assert (expr, tgt_type) == ("cmha:pairs", "pillar")
                return {"minions": list(pillars)}

        monkeypatch.setattr("salt.utils.minions.CkMinions", Minions)
        monkeypatch.setattr("salt.client.get_local_client", lambda mopts: Client())
        defaults = (formula / "cmha/defaults.yaml").read_text()
        return load_file(
            "_runners/cmha.py",
            opts={},
            salt={
                "pillar.show_pillar": lambda minion: {"cmha": pillars[minion]},
                "salt.cmd": lambda fun, path: defaults,
            },
            utils={
                "cmha_site.site": pure("cmha_site").site,
                "cmha_site.pair_of": pure("cmha_site").pair_of,
                "cib.check_whole": pure("cib").check_whole,
            },
        )

    return with_pillars


HOSTS = ("cms1", "cms2", "mgmt1", "mgmt2")


def of(site, prefix=""):
    return {prefix + host: copy.deepcopy(site) for host in HOSTS}


def west():
    site = copy.deepcopy(SITE)
    site["site"] = "west"
    for pair in site["pairs"].values():
        pair["nodes"] = {f"w-{minion}": node for minion, node in pair["nodes"].items()}
    return of(site, "w-")


def test_a_good_site(master):
    found = master(of(SITE)).sites()
    assert found["errors"] == []
    (site,) = found["sites"]
    assert (site["site"], [pair["pair"] for pair in site["pairs"]]) == ("east", ["cms", "mgmt"])
    assert [node["id"] for node in site["pairs"][0]["nodes"]] == ["cms1", "cms2"]


def test_nothing_of_the_settings_leaves_the_runner(master):
    (site,) = master(of(SITE)).sites()["sites"]
    assert set(site["pairs"][0]) == {"pair", "role", "cluster_name", "nodes", "resource"}


def test_two_sites_and_one_of_them(master):
    both = {**of(SITE), **west()}
    assert [site["site"] for site in master(both).sites()["sites"]] == ["east", "west"]
    assert [site["site"] for site in master(both).sites(["west"])["sites"]] == ["west"]


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


@pytest.mark.parametrize(
    ("silent", "said"), [({"mgmt2"}, "mgmt2 does"), ({"cms1", "mgmt2"}, "cms1 and mgmt2 do")]
)
def test_a_site_with_silent_hosts_is_not_begun(master, silent, said):
    found = master({**of(SITE), **west()}, {*of(SITE), *west()} - silent).sites()
    assert [site["site"] for site in found["sites"]] == ["west"]
    (error,) = found["errors"]
    assert error.startswith(f"site east: {said} not answer this master; nothing was done at this")


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
            "site east, pair mgmt: ERROR: no memory",
        ]
    }


def test_export_of_an_unknown_site(master):
    assert master(of(SITE)).export("west") == {"errors": ["no minion's pillar names the site west"]}
