"""A running pair gets a newer Salt, and a newer cmha: docs/upgrade.md. What is on the hosts stays valid, and
nothing of the service is touched. The tests of each lab tell one story, in their order."""

import subprocess
from contextlib import contextmanager

import pytest
import turns
from cmhalab import settings
from cmhalab.settings import FORMULA, FORMULA_ON_MASTER
from cmhalab.snapshots import FORMULAS_CODE
from conftest import CMS, booted_pair
from day_two import home, it_is_good, mate, orchestrated
from guide import wait_for

pytestmark = turns.only("next")

OLDER_SALT, NEWER_SALT = "3006", "3008"
OLDER_CMHA = "d293767"  # landed on 2026-11-28; a release as soon as there is one
ON_MASTER = "/srv/older"


@contextmanager
def untouched(lab):
    """The server answers every question, and no process of it ends or begins."""
    before = lab.on(home(lab), "pidof", "corosync", "pacemakerd"), server(lab)
    with lab.client() as seen:
        yield
    assert (seen["asked"] > 20, seen["missed"]) == (True, [])
    assert (lab.on(home(lab), "pidof", "corosync", "pacemakerd"), server(lab)) == before


def server(lab):
    return lab.on(home(lab), "cat", "/run/cloudera-scm-server/cloudera-scm-server.pid")


def highstates(lab):
    """What changed, by host."""
    applied = lab.state(CMS)
    for host, states in applied.items():
        assert all(each["result"] for each in states.values()), (host, states)
    return {
        host: [name for name, each in states.items() if each["changes"]]
        for host, states in applied.items()
    }


def it_fails_over(lab):
    for _ in CMS:
        code, data = lab.runner("cmha.failover", "cms", f"to={mate(home(lab))}")
        assert (code, data["error"]) == (0, None)
    lab.run("activity.py")


# --- Salt, from one release series to the next: the master first ---------------------------------


@pytest.fixture(scope="module")
def salts(ready):
    with booted_pair("salts", LAB_SALT=OLDER_SALT, LAB_NEXT_SALT=NEWER_SALT) as lab:
        orchestrated(lab)
        yield lab


def upgrade_salt(lab, host, daemon):
    """What a package does: its programs are other ones, and its daemon is restarted."""
    here = lab.on(host, "readlink", f"/usr/local/bin/{daemon}")
    there = here.replace(OLDER_SALT, NEWER_SALT, 1)
    assert there != here
    link = 'for program in "$(dirname "$1")"/salt*; do ln -sf "$program" /usr/local/bin/; done'
    lab.on(host, "sh", "-c", link, "sh", there)
    lab.on(host, "systemctl", "restart", daemon)
    wait_for(lab, "master", f"salt --timeout=5 -L {','.join(CMS)} test.ping")


def salt_of(lab, host):
    return lab.salt([host], "test.version")[host].split(".")[0]


def nothing_to_do(lab):
    it_is_good(lab)
    assert highstates(lab) == {host: [] for host in CMS}
    assert orchestrated(lab).changed == {}


def test_the_master_goes_first(salts):
    with untouched(salts):
        upgrade_salt(salts, "master", "salt-master")
        assert salts.on("master", "salt", "--version").split()[1].startswith(NEWER_SALT)
        nothing_to_do(salts)
    assert {salt_of(salts, host) for host in CMS} == {OLDER_SALT}


def test_then_one_minion(salts):
    with untouched(salts):
        upgrade_salt(salts, mate(home(salts)), "salt-minion")
        nothing_to_do(salts)
    assert sorted(salt_of(salts, host) for host in CMS) == [OLDER_SALT, NEWER_SALT]
    it_fails_over(salts)


def test_then_the_other(salts):
    with untouched(salts):
        upgrade_salt(salts, home(salts), "salt-minion")
        nothing_to_do(salts)
    assert {salt_of(salts, host) for host in CMS} == {NEWER_SALT}
    it_fails_over(salts)


# --- cmha, from what landed before to this checkout ----------------------------------------------


@pytest.fixture(scope="module")
def older():
    """An older cmha, as an archive."""
    archive = subprocess.run(
        ["git", "archive", OLDER_CMHA, *FORMULAS_CODE],
        cwd=FORMULA,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        pytest.skip(f"this clone doesn't reach back to {OLDER_CMHA}")
    return archive.stdout


@pytest.fixture(scope="module")
def releases(ready, older):
    with booted_pair("releases") as lab:
        serve(lab, ON_MASTER, older)
        orchestrated(lab)
        yield lab


def serve(lab, place, archive=None):
    """From now on the master's formula is the one in this place; nothing of it is synchronised yet."""
    if archive:
        shared = settings.from_environment(lab.environment).shared
        shared.joinpath("older.tar").write_bytes(archive)
        lab.on(
            "master", "sh", "-c", f"mkdir {place} && tar -xf /mnt/cm-shared/older.tar -C {place}"
        )
    roots = f"file_roots: {{base: [/srv/salt, {place}]}}"
    lab.on(
        "master",
        "sh",
        "-c",
        f"echo '{roots}' > /etc/salt/master.d/formula.conf && systemctl restart salt-master",
    )
    wait_for(lab, "master", f"salt --timeout=5 -L {','.join(CMS)} test.ping")


def test_status_is_right_before_anything_is_synchronised(releases):
    with untouched(releases):
        serve(releases, FORMULA_ON_MASTER)
        it_is_good(releases)


def test_and_with_the_master_alone_synchronised(releases):
    with untouched(releases):
        releases.on("master", "salt-run", "saltutil.sync_all")
        it_is_good(releases)


def test_highstates_are_safe(releases):
    with untouched(releases):
        highstates(releases)
        it_is_good(releases)


def test_the_orchestration_restarts_nothing(releases):
    with untouched(releases):
        assert orchestrated(releases).restarted == {}
        assert orchestrated(releases).changed == {}
        it_is_good(releases)
    it_fails_over(releases)
