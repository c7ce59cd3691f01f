"""A lab's saved states: which of them still hold, and what a lab that was put back has to show."""

import fcntl
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from cmhalab import settings, snapshots, states
from cmhalab.disk import Base

FILES = ("image", "salt-venv", "disk/minion/etc/salt/minion", "cmhalab/disk.py")
CONTENTS = (
    "root/opt/debs/Packages",
    "root/opt/rpms/repodata/repomd.xml",
    "root/var/lib/dpkg/status",
)
FORMULA_FILES = ("cmha/init.sls", "_modules/crm.py")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A small formula with a small lab, and what their hosts' disks are made of."""
    for name in (*FILES, *FORMULA_FILES, "test_1_orchestrate.py"):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name)
    for name in CONTENTS:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("corosync 3.1.7")
    (tmp_path / "venv/lib/python3.11/site-packages/salt-3008.4.dist-info").mkdir(parents=True)
    monkeypatch.setattr(snapshots, "LAB", tmp_path)
    monkeypatch.setattr(snapshots, "FORMULA", tmp_path)
    monkeypatch.setenv("CMHA_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def lab():
    return settings.from_environment({})


@pytest.fixture
def where(checkout, lab):
    """The place of a snapshot, as things are now."""
    bases = [Base(str(checkout / "root"), str(checkout / "venv"))]
    return lambda formula=True, **settings: (
        snapshots.of(replace(lab, **settings), "converged", bases, formula).path
    )


def test_labs_of_all_names_share_what_is_saved(where):
    """And of all checkouts with the same files."""
    assert where(name="one") == where(name="another")
    assert where(checkout="/one") == where(checkout="/another")


@pytest.mark.parametrize(
    "change",
    [
        *FILES,
        *FORMULA_FILES,
        *CONTENTS,
        "cmha/new.sls",
    ],
)
def test_whatever_goes_in_changes_the_key(checkout, where, change):
    before = where()
    (checkout / change).write_text("something else")
    assert where() != before


def test_another_salt_changes_the_key(checkout, where):
    before = where()
    (salt,) = (checkout / "venv").glob("lib/*/site-packages/salt-*")
    salt.rename(salt.with_name("salt-3008.5.dist-info"))
    assert where() != before


def test_other_settings_are_another_lab(where):
    assert len({where().name, where(suite="trixie").name, where(hosts=("cms1",)).name}) == 3


def test_a_script_that_may_not_run_any_more_changes_the_key(checkout, where):
    before = where()
    (checkout / "image").chmod(0o600)
    assert where() != before


def test_tests_and_what_python_leaves_behind_change_nothing(checkout, where):
    before = where()
    (checkout / "test_1_orchestrate.py").write_text("another test")
    (checkout / "cmhalab/__pycache__").mkdir()
    (checkout / "cmhalab/__pycache__/disk.pyc").write_text("compiled")
    assert where() == before


def test_bare_hosts_know_nothing_of_the_formula(checkout, where):
    before = where(formula=False)
    (checkout / "cmha/init.sls").write_text("another formula")
    assert where(formula=False) == before


def make(where, content="first"):
    with snapshots.Snapshot(where()).being_made() as directory:
        if directory is None:
            return False
        (directory / "content").write_text(content)
        return True


def test_what_was_made_stays_until_its_key_changes(checkout, where):
    first = where()
    assert make(where)
    assert not make(where, "second")
    assert (first / "content").read_text() == "first"
    (checkout / "cmha/init.sls").write_text("another formula")
    assert make(where, "second")
    assert not first.exists()
    assert (where() / "content").read_text() == "second"


def test_what_a_lab_runs_from_is_not_removed(checkout, where):
    first = where()
    assert make(where)
    held = os.open(first, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    (checkout / "cmha/init.sls").write_text("another formula")
    assert make(where)
    os.close(held)
    assert first.exists()


def test_what_was_not_made_to_its_end_is_no_snapshot(where):
    with (
        pytest.raises(RuntimeError),
        snapshots.Snapshot(where()).being_made() as directory,
    ):
        (directory / "content").write_text("half")
        raise RuntimeError
    assert not snapshots.Snapshot(where()).exists
    assert make(where)
    assert [path.name for path in where().iterdir()] == ["content"]


def test_two_labs_make_it_once(where):
    made = []
    with snapshots.Snapshot(where()).being_made() as directory:
        other = threading.Thread(target=lambda: made.append(make(where)))
        other.start()
        (directory / "content").write_text("first")
    other.join()
    assert made == [False]


def test_what_is_another_than_was_saved_is_named():
    saved = {"cms1": {"the CIB": "a", "the members": "b"}, "cms2": {"the CIB": "a"}}
    shown = {"cms1": {"the CIB": "x", "the members": "b"}, "cms2": {"the CIB": "a"}}
    assert states._differences(saved, shown) == ["the CIB on cms1"]
    assert states._differences(saved, saved) == []


def test_all_that_makes_a_pair_is_looked_at():
    text = " ".join(states.LOOKS.values())
    for wanted in ("epoch", "minion.pub", "authkey", "crm_node", "iptables-save", "cibadmin"):
        assert wanted in text


def test_every_file_that_makes_a_lab_is_in_the_key():
    names = {*snapshots.LABS_CODE, "__pycache__", "command"}
    others = {
        path.name
        for path in Path(settings.LAB).iterdir()
        if path.name not in names and not path.is_symlink()
    }
    made_of = {name for name in others if not name.endswith((".py", ".md"))}
    # tools of the machine, of its BMCs, and of tests
    assert made_of == {"bmc-requirements.txt", "elsewhere", "install", "newer-package"}
