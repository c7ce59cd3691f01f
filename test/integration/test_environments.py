"""A master that has the formula in a branch of a repository, pillar in an environment too, and no base."""

import shutil
import subprocess

import pytest
import yaml
from pillars import SITE, with_

ONE_PAIR = with_("pairs", {"cms": SITE["pairs"]["cms"]})

AS_MANY_HAVE_IT = {
    "pillar_cache": True,
    "minion_data_cache": False,
    "pillarenv_from_saltenv": True,
    "top_file_merging_strategy": "same",
}


@pytest.fixture(scope="module")
def repository(formula, formula_yaml, tmp_path_factory):
    """A bare repository whose branch prod holds the formula, and whose branch dev doesn't."""
    # the image in which Salt 3006 is tried, where this machine's Python is too new for it, has none
    if shutil.which("git") is None:
        pytest.skip("needs git")
    work, bare = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("bare")

    def git(*words):
        who = ("-c", "user.name=x", "-c", "user.email=x@example.net")
        subprocess.run(("git", *who, *words), cwd=work, check=True, capture_output=True)

    git("init", "--initial-branch=dev")
    git("commit", "--allow-empty", "--message=nothing yet")
    git("checkout", "-b", "prod")
    for name in formula_yaml("FORMULA")["files"]:
        if (formula / name).is_dir() and name != "docs":
            shutil.copytree(formula / name, work / name)
    git("add", "--force", ".")
    git("commit", "--message=the formula")
    git("clone", "--bare", ".", str(bare))
    return bare


@pytest.fixture(scope="module")
def master(salt_factories, repository, tmp_path_factory):
    pillar = tmp_path_factory.mktemp("pillar")
    (pillar / "top.sls").write_text("prod: {'*': [cmha]}")
    (pillar / "cmha.sls").write_text(yaml.safe_dump({"cmha": ONE_PAIR}))
    daemon = salt_factories.salt_master_daemon(
        "master",
        overrides={
            "fileserver_backend": ["gitfs"],
            "gitfs_provider": "gitpython",
            "gitfs_remotes": [f"file://{repository}"],
            "file_roots": {},
            "pillar_roots": {"prod": [str(pillar)]},
            "open_mode": True,
            **AS_MANY_HAVE_IT,
        },
    )
    with daemon.started():
        assert daemon.salt_run_cli().run("fileserver.update").returncode == 0
        yield daemon


@pytest.fixture(scope="module")
def minions(master):
    with master.salt_minion_daemon("cms1").started(), master.salt_minion_daemon("cms2").started():
        synced = master.salt_run_cli().run("saltutil.sync_all", "saltenv=prod")
        assert "runners.cmha" in synced.data["runners"]
        yield


@pytest.fixture
def sites(master, minions):
    def run(*arguments):
        done = master.salt_run_cli(timeout=60).run("cmha.sites", *arguments)
        assert "Traceback" not in done.stdout + done.stderr
        return done.data

    return run


def test_nobody_says_where_and_it_is_in_one(sites):
    report = sites()
    assert report["errors"] == []
    assert [site["site"] for site in report["sites"]] == ["east"]


def test_an_environment_without_it(sites):
    (line,) = sites("saltenv=dev")["errors"]
    assert line == (
        "this master has no salt://cmha/defaults.yaml in the environment dev; it is in prod; say which: "
        "saltenv=prod"
    )


def test_a_minion_plans_by_the_files_of_the_environment(master, minions):
    ask = master.salt_cli(timeout=60)
    synced = ask.run("saltutil.sync_all", "saltenv=prod", minion_tgt="cms1")
    assert "modules.cmha_host" in synced.data["modules"]
    done = ask.run(
        "cmha_host.pending", "planned=True", "saltenv=prod", "pillarenv=prod", minion_tgt="cms1"
    )
    assert isinstance(done.data, dict), done.data
    assert done.data["running"] is False
    assert done.data["corosync"] == {}


@pytest.fixture
def tagged(master, repository):
    """The formula in a second environment."""

    def tag(*words):
        subprocess.run(["git", "tag", *words], cwd=repository, check=True)
        assert master.salt_run_cli().run("fileserver.update").returncode == 0

    tag("v1", "prod")
    yield
    tag("--delete", "v1")


@pytest.mark.usefixtures("tagged")
def test_two_environments_have_it(sites):
    (line,) = sites()["errors"]
    assert line == (
        "this master has no salt://cmha/defaults.yaml in the environment base; it is in prod and v1; say "
        "which: saltenv=prod"
    )
    report = sites("saltenv=v1", "pillarenv=prod")
    assert report["errors"] == []
    assert [site["site"] for site in report["sites"]] == ["east"]
