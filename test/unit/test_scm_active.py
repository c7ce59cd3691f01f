"""Who owned the database, by the log of a server that ended itself for that."""

import time

import pytest


@pytest.fixture
def module(load_file, tmp_path, monkeypatch):
    module = load_file("_modules/scm_active.py")
    monkeypatch.setattr(module, "_LOG", str(tmp_path / "{0}.log"))
    module.log = tmp_path / "cm.log"
    return module


def line(owner, ago=0, text="ERROR main:com.cloudera.server.cmf.Main: ScmActive at bootup: "):
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - ago))
    return f"{when},123 {text}The database is owned by {owner}\n"


def test_the_last_owner_counts(module):
    module.log.write_text(line("cms9", 60) + line("cms1") + "2026-11-27 x INFO on it goes\n")
    assert module.owner("cm") == "cms1"


def test_only_the_end_of_a_long_log_is_read(module):
    module.log.write_bytes(line("cms1").encode() + b"\xff" * 70_000)
    assert module.owner("cm") is None
    module.log.write_bytes(b"\xff\n" * 70_000 + line("cms1").encode())
    assert module.owner("cm") == "cms1"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "The database is owned by cms1\n",
        "2026-99-99 10:00:00,1 ERROR The database is owned by cms1\n",
        line("cms1", ago=3600),
        line("cms1", text="INFO nothing of it. ").replace("owned", "used"),
    ],
    ids=["nothing", "no time", "no date", "long ago", "other words"],
)
def test_what_says_nothing_of_now(module, said):
    module.log.write_text(said)
    assert module.owner("cm") is None


def test_a_host_without_that_log(module):
    assert module.owner("no-such") is None
