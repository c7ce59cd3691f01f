"""Versions of packages: which are there, and which a repository has."""

import pytest


@pytest.fixture
def daemons(load_file):
    def on(installed=None, repositories=None):
        installed, repositories, calls = installed or {}, repositories or {}, []
        module = load_file(
            "_modules/daemons.py",
            salt={
                "pkg.version": lambda name: installed.get(name, ""),
                "pkg.refresh_db": lambda: calls.append("refresh"),
                "pkg.list_repo_pkgs": lambda *names: calls.append("list") or repositories,
            },
        )
        module.calls = calls
        return module

    return on


@pytest.mark.parametrize(
    ("installed", "other"),
    [
        ({"corosync": "3.1.7"}, {"corosync": {"old": "3.1.7", "new": "3.1.8"}}),
        ({"corosync": "3.1.8"}, {}),
        # it comes in the right version by itself
        ({}, {}),
        ({"pacemaker": "1"}, {}),
    ],
)
def test_other_versions(daemons, installed, other):
    assert daemons(installed).other_versions({"corosync": "3.1.8"}) == other
    assert daemons(installed).other_versions({}) == {}


@pytest.mark.parametrize(
    ("repositories", "missing"),
    [
        ({"corosync": ["3.1.8", "3.1.7"]}, []),
        ({"corosync": ["3.1.7"]}, ["corosync"]),
        ({"corosync": []}, ["corosync"]),
        ({}, ["corosync"]),
    ],
)
def test_not_in_repositories(daemons, repositories, missing):
    module = daemons(repositories=repositories)
    assert module.not_in_repositories({"corosync": "3.1.8"}) == missing
    assert module.calls == ["refresh", "list"]


def test_nothing_is_wanted_and_no_index_is_read(daemons):
    module = daemons()
    assert (module.not_in_repositories({}), module.calls) == ([], [])
