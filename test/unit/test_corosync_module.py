"""What Corosync's tools print, and whose cluster that is."""

import contextlib
import hashlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from salt.exceptions import CommandExecutionError

# corosync-cmapctl of 3.1.7, shortened
CMAP_3 = """\
nodelist.node.0.name (str) = cms1
runtime.members.1.config_version (u64) = 0
runtime.members.1.ip (str) = r(0) ip(192.0.2.11)
runtime.members.1.join_count (u32) = 1
runtime.members.1.status (str) = joined
runtime.members.2.config_version (u64) = 0
runtime.members.2.ip (str) = r(0) ip(192.0.2.12)
runtime.members.2.join_count (u32) = 2
runtime.members.2.status (str) = left
"""

# corosync-objctl of 1.4 and corosync-cmapctl of 2.x, as in the guide
CMAP_1 = """\
runtime.totem.pg.mrp.srp.members.1.ip=r(0) ip(192.0.2.11)
runtime.totem.pg.mrp.srp.members.1.status=joined
"""
CMAP_2 = """\
runtime.totem.pg.mrp.srp.members.1.ip (str) = r(0) ip(192.0.2.11) r(1) ip(198.51.100.11)
runtime.totem.pg.mrp.srp.members.1.status (str) = joined
"""

PAIR = [
    {"name": "cms1", "address": "192.0.2.11"},
    {"name": "cms2", "address": "192.0.2.12"},
]


@pytest.fixture
def corosync(load_file, monkeypatch):
    """The module on a host where corosync is installed; ``says`` is what its tools print."""

    def with_answers(says, retcode=0, cib_nodes=(), resources=()):
        module = load_file(
            "_modules/corosync.py",
            grains={"id": "cms1"},
            salt={
                "cmd.run_all": lambda *_, **__: {
                    "stdout": says,
                    "stderr": "",
                    "retcode": retcode,
                },
                "crm.query": lambda: "<cib/>",
            },
            utils={
                "cib.nodes": lambda xml: dict.fromkeys(cib_nodes, "1"),
                "cib.model": lambda xml: {"primitives": {name: {} for name in resources}},
            },
        )
        monkeypatch.setattr("salt.utils.path.which", lambda name: f"/usr/sbin/{name}")
        return module

    return with_answers


@pytest.mark.parametrize(
    ("says", "version", "generation"),
    [
        ("Corosync Cluster Engine, version '3.1.7'\nCopyright (c) 2006-2021 Red Hat", "3.1.7", 3),
        ("Corosync Cluster Engine, version '4.0.0'", "4.0.0", 3),
        ("Corosync Cluster Engine, version '2.4.5'", "2.4.5", 2),
        ("Corosync Cluster Engine, version '1.4.7'", "1.4.7", 1),
    ],
)
def test_version_and_generation(corosync, says, version, generation):
    assert corosync(says).version() == version
    assert corosync(says).generation(9) == generation


def test_not_installed(corosync, monkeypatch):
    module = corosync("")
    monkeypatch.setattr("salt.utils.path.which", lambda name: None)
    assert module.version() is None
    assert module.generation(1) == 1
    assert module.members() == {}
    assert module.running() is False


def test_a_version_that_cannot_be_read_is_not_guessed(corosync):
    with pytest.raises(Exception, match="corosync -v on cms1 names no version"):
        corosync("garbage").version()


def test_members_of_three_generations(corosync):
    one = {1: {"address": "192.0.2.11", "status": "joined"}}
    assert corosync(CMAP_1).members() == one
    assert corosync(CMAP_2).members() == one
    assert corosync(CMAP_3).members() == {
        **one,
        2: {"address": "192.0.2.12", "status": "left"},
    }


def test_a_stopped_corosync_has_no_members(corosync):
    module = corosync("Could not connect to CMAP service", retcode=1)
    assert module.members() == {}
    assert module.running() is False


LOOPBACK = (
    "runtime.members.1.ip (str) = r(0) ip(127.0.0.1)\nruntime.members.1.status (str) = joined"
)
FOREIGN = (
    "runtime.members.1.ip (str) = r(0) ip(192.0.2.77)\nruntime.members.1.status (str) = joined"
)


@pytest.mark.parametrize(
    ("cmap", "cib_nodes", "resources", "answer"),
    [
        (None, [], [], "none"),
        (CMAP_3, ["cms1", "cms2"], ["x"], "this pair"),
        (CMAP_3, [], [], "this pair"),
        (None, ["cms1", "cms2"], ["x"], "this pair"),
        (None, ["cms1"], [], "this pair"),
        (LOOPBACK, ["node1"], [], "packaged"),
        (LOOPBACK, [], [], "packaged"),
        (LOOPBACK, ["cms1"], [], "packaged"),
        (None, ["node1"], [], "packaged"),
        (LOOPBACK, ["node1"], ["cloudera-scm-server"], "another"),
        (LOOPBACK, ["cms1"], ["cloudera-scm-server"], "another"),
        (None, ["node1"], ["cloudera-scm-server"], "another"),
        (CMAP_3, ["cms1", "cms2", "node1"], [], "another"),
        (FOREIGN, ["cms1", "cms2"], [], "another"),
        (FOREIGN, [], [], "another"),
        (None, ["db1", "db2"], [], "another"),
    ],
)
def test_whose_cluster(corosync, cmap, cib_nodes, resources, answer):
    module = corosync(cmap or "", 0 if cmap else 1, cib_nodes, resources)
    found = module.cluster(PAIR)
    assert found["is"] == answer
    assert found["runs"] == (answer if cmap else "none")


# --- pending, reload, stop -----------------------------------------------------------------------

CONF = "totem {\n token: 3000\n}\n"


@pytest.fixture
def running(load_file, pure, monkeypatch, tmp_path, clock):
    """The module where Corosync runs with ``memory``, the text of its map, or ``None`` where it doesn't."""
    (tmp_path / "corosync.conf").write_text(CONF)
    monkeypatch.setattr("salt.utils.path.which", lambda name: f"/usr/sbin/{name}")

    def with_memory(memory, refuses=None, maintenance=True, code=1, missing=()):
        called = []

        def run_all(command, **_):
            called.append(command[0])
            if command == ["corosync", "-v"]:
                return {"retcode": 0, "stdout": "version '3.1.7'", "stderr": ""}
            if command == ["corosync-cfgtool", "-R"]:
                return {"retcode": code if refuses else 0, "stdout": "", "stderr": refuses or ""}
            text = memory() if callable(memory) else memory
            return {"retcode": int(text is None), "stdout": text or "", "stderr": ""}

        module = load_file(
            "_modules/corosync.py",
            grains={"id": "cms1"},
            salt={
                "cmd.run_all": run_all,
                "crm.running": lambda: memory is not None,
                "crm.status": lambda: {"maintenance": maintenance},
                "daemons.missing": lambda: list(missing),
                "daemons.stop": lambda name: called.append(f"stop {name}"),
            },
            utils={
                f"corosync_conf.{name}": getattr(pure("corosync_conf"), name)
                for name in ("keys", "memory", "difference", "way")
            }
            | {
                "cmha_platform.service": pure("cmha_platform").service,
                "corosync_totem.is_authenticated": pure("corosync_totem").is_authenticated,
                "cmha_site.authkey": lambda pillar, minion: pillar["key"],
            },
            pillar={"cmha": {"key": None}},
        )
        module.CONF = str(tmp_path / "corosync.conf")
        module.time, module.called = clock, called
        return module

    return with_memory


OLD = {"changes": {"totem.token": {"old": "1000", "new": "3000"}}, "way": "reload"}
NONE = {"changes": {}, "way": None}


@pytest.mark.parametrize(
    ("memory", "text", "pending"),
    [
        ("totem.token (u32) = 1000", None, OLD),
        ("totem.token (u32) = 3000", None, NONE),
        ("totem.token (u32) = 3000", CONF.replace("3", "4"), {**OLD, "changes": {
            "totem.token": {"old": "3000", "new": "4000"}}}),
        # the next start takes all in
        (None, None, NONE),
    ],
)  # fmt: skip
def test_pending(running, memory, text, pending):
    assert running(memory).pending(text) == pending


def test_what_would_be_pending_if_it_ran(running, tmp_path):
    there = (tmp_path / "corosync.conf").read_text()
    module = running(None)
    assert module.pending(there, at_rest=True) == NONE
    assert module.pending(there.replace("3000", "4000"), at_rest=True)["way"] == "reload"
    assert module.pending("totem {\n transport: knet\n}", at_rest=True)["way"] == "together"
    # what runs counts before the file
    assert running("totem.token (u32) = 1000").pending(there, at_rest=True) == OLD


# --- what a start didn't bring -------------------------------------------------------------------

HOLDS = "totem.token (u32) = 1000\n"
REFUSED = 'runtime.cmha.refused (str) = {"totem.token": "3000"}\n'


@pytest.mark.parametrize(
    ("memory", "refused"),
    [
        (HOLDS, {}),
        (HOLDS + REFUSED, {"totem.token": "3000"}),
        (f"{HOLDS}runtime.cmha.refused (str) = nonsense\n", {}),
        (f"{HOLDS}runtime.cmha.refused (str) = []\n", {}),
        (None, {}),
    ],
)
def test_what_is_noted_of_a_start(running, memory, refused):
    assert running(memory).refused() == refused


@pytest.mark.parametrize(
    ("memory", "left", "noted"),
    [
        (HOLDS, ["totem.token"], ['{"totem.token": "3000"}']),
        (HOLDS + REFUSED, ["totem.token"], []),
        (HOLDS.replace("1000", "3000") + REFUSED, [], ["{}"]),
        (HOLDS.replace("1000", "3000"), [], []),
    ],
)
def test_what_a_start_did_not_bring_is_noted_in_its_memory(running, memory, left, noted):
    module = running(memory)
    run, writes = module.__salt__["cmd.run_all"], []
    module.__salt__["bounded.run"] = lambda command: (
        writes.append(command) or {"retcode": 0, "stdout": "", "stderr": ""}
        if "-s" in command
        else run(command)
    )
    assert list(module.note_refused()) == left
    assert writes == [
        ["corosync-cmapctl", "-s", "runtime.cmha.refused", "str", each] for each in noted
    ]


# --- the key -------------------------------------------------------------------------------------

SECURE = "totem.secauth (str) = on\ntotem.transport (str) = knet"
SECURE_CONF = "totem {\n secauth: on\n transport: knet\n}\n"
ANOTHER = {
    "changes": {"totem.authkey": {"old": "(secret)", "new": "(secret)"}},
    "way": "together",
}


class Processes:
    """A /proc with one Corosync, which may be another one."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "sys/kernel/random").mkdir(parents=True)
        self.boot("b1")
        self.start(100, 5000)

    def boot(self, name):
        (self.directory / "sys/kernel/random/boot_id").write_text(f"{name}\n")

    def start(self, pid, ticks, name="corosync"):
        process = self.directory / str(pid)
        process.mkdir(exist_ok=True)
        (process / "comm").write_text(f"{name}\n")
        (process / "stat").write_text(f"{pid} (a) b) " + "0 " * 19 + f"{ticks} 0 0\n")

    def end(self, pid):
        for file in (self.directory / str(pid)).iterdir():
            file.unlink()
        (self.directory / str(pid)).rmdir()


@pytest.fixture
def keyed(running, tmp_path):
    """The module where Corosync runs with a key; ``place`` lets pillar have one and places it."""
    (tmp_path / "corosync.conf").write_text(
        SECURE_CONF.replace("}", f" keyfile: {tmp_path}/key\n}}")
    )
    module = running(f"{SECURE}\ntotem.keyfile (str) = {tmp_path}/key")
    module._HELD = str(tmp_path / "run" / "held")
    module._PROC = str(tmp_path / "proc")
    module._OWNER = f"{os.getuid()}:{os.getgid()}"
    module.KEY_FILE = str(tmp_path / "key")
    module.processes = Processes(tmp_path / "proc")

    def place(key):
        module.__pillar__["cmha"]["key"] = key
        return module.place_authkey(module.KEY_FILE)

    module.place = place
    return module


A, B = b"a" * 256, b"b" * 256


def test_a_key_is_placed_for_root_alone(keyed, tmp_path):
    assert keyed.place(A) == {"key": {"old": None, "new": "(secret)"}}
    file = tmp_path / "key"
    assert (file.read_bytes(), oct(file.stat().st_mode)) == (A, "0o100400")
    assert keyed.place(A) == {}
    assert keyed.place(B) == {"key": {"old": "(secret)", "new": "(secret)"}}
    assert file.read_bytes() == B
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "corosync.conf",
        "key",
        "proc",
        "run",
    ]


def test_no_one_else_can_read_a_key_at_any_time(keyed, tmp_path, monkeypatch):
    (tmp_path / "key").write_bytes(A)
    (tmp_path / "key").chmod(0o644)
    seen = []

    def replace(new, path):
        if path == keyed.KEY_FILE:
            seen.append(
                (oct(os.stat(new).st_mode), *(Path(each).read_bytes() for each in (new, path)))
            )
        rename(new, path)

    rename = os.replace
    monkeypatch.setattr(keyed.os, "replace", replace)
    keyed.place(B)
    assert seen == [("0o100400", B, A)]


def test_a_key_with_another_mode(keyed, tmp_path):
    keyed.place(A)
    (tmp_path / "key").chmod(0o644)
    changes = {"mode": {"old": "0644", "new": "0400"}}
    assert keyed.authkey(keyed.KEY_FILE) == {"in_pillar": True, "there": True, "changes": changes}
    assert keyed.place(A) == changes
    assert oct((tmp_path / "key").stat().st_mode) == "0o100400"


def test_without_a_key_in_pillar_nothing_is_placed(keyed, tmp_path):
    (tmp_path / "key").write_bytes(A)
    found = keyed.authkey(keyed.KEY_FILE)
    assert found == {"in_pillar": False, "there": True, "changes": {}}
    assert keyed.place(None) == {}
    assert (tmp_path / "key").read_bytes() == A


def test_something_else_than_a_key_is_one_line(keyed, monkeypatch):
    def refuse(pillar, minion):
        raise ValueError("pillar cmha:corosync:authkey: should be base64")

    monkeypatch.setitem(keyed.__utils__, "cmha_site.authkey", refuse)
    with pytest.raises(CommandExecutionError, match="^pillar cmha:corosync:authkey: should be"):
        keyed.authkey()


def test_a_failed_write_leaves_nothing(keyed, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keyed.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        keyed.place(A)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["corosync.conf", "proc", "run"]
    assert list((tmp_path / "run").iterdir()) == []


def test_a_key_below_a_running_corosync_is_pending_until_it_starts_anew(keyed, tmp_path):
    (tmp_path / "key").write_bytes(A)
    assert keyed.pending() == NONE
    keyed.place(A)
    assert keyed.pending() == NONE
    keyed.place(B)
    assert keyed.pending() == ANOTHER
    keyed.processes.end(100)
    keyed.processes.start(101, 6000)
    assert keyed.pending() == NONE


def test_a_key_that_comes_back_is_the_one_that_runs(keyed, tmp_path):
    (tmp_path / "key").write_bytes(A)
    keyed.place(B)
    keyed.place(A + b"2")
    assert keyed.pending() == ANOTHER
    keyed.place(A)
    assert keyed.pending() == NONE


@pytest.mark.parametrize("what", ["the same pid", "the same pid after a boot"])
def test_another_process_is_not_taken_for_the_one_that_ran(keyed, tmp_path, what):
    (tmp_path / "key").write_bytes(A)
    keyed.place(B)
    if what == "the same pid":
        keyed.processes.start(100, 5001)
    else:
        keyed.processes.boot("b2")
    assert keyed.pending() == NONE
    # and its own key is remembered in its turn
    keyed.place(A)
    assert keyed.pending() == ANOTHER


def test_a_key_that_was_placed_while_nothing_ran_is_not_pending(keyed, tmp_path):
    (tmp_path / "key").write_bytes(A)
    keyed.processes.end(100)
    keyed.processes.start(7, 1, name="corosync-qdevice")
    keyed.place(B)
    keyed.processes.start(101, 6000)
    assert keyed.pending() == NONE


def test_a_plan_compares_with_the_key_to_come(keyed, tmp_path):
    (tmp_path / "key").write_bytes(A)
    digests = {key: hashlib.sha256(key).hexdigest() for key in (A, B)}
    assert keyed.pending(key=digests[A]) == NONE
    assert keyed.pending(key=digests[B]) == ANOTHER
    keyed.place(B)
    assert keyed.pending(key=digests[A]) == NONE


def test_a_key_to_come_where_nothing_runs(keyed, tmp_path, monkeypatch):
    (tmp_path / "key").write_bytes(A)
    keyed.processes.end(100)
    monkeypatch.setattr(keyed, "_map", lambda: None)
    digests = {key: hashlib.sha256(key).hexdigest() for key in (A, B)}
    assert keyed.pending(key=digests[A], at_rest=True) == NONE
    assert keyed.pending(key=digests[B], at_rest=True) == ANOTHER


@pytest.mark.parametrize("change", ["the file", "the memory"])
def test_a_key_that_is_not_used_on_both_sides_is_not_the_change(keyed, tmp_path, change):
    (tmp_path / "key").write_bytes(A)
    keyed.place(B)
    open_conf = "totem {\n secauth: off\n transport: knet\n}\n"
    if change == "the file":
        found = keyed.pending(open_conf)["changes"]
    else:
        keyed.__salt__["cmd.run_all"] = lambda command, **_: {
            "stdout": "version '3.1.7'\ntotem.secauth (str) = off",
            "stderr": "",
            "retcode": 0,
        }
        found = keyed.pending()["changes"]
    assert "totem.secauth" in found
    assert "totem.authkey" not in found


def test_a_host_without_a_file(running, tmp_path):
    (tmp_path / "corosync.conf").unlink()
    module = running(None)
    assert (module.conf(), module.pending()) == ("", NONE)


def test_a_directory_in_place_of_the_file_is_said(running, tmp_path):
    (tmp_path / "corosync.conf").unlink()
    (tmp_path / "corosync.conf").mkdir()
    with pytest.raises(CommandExecutionError, match=r"/corosync\.conf is no file; move it away$"):
        running(None).conf()


def test_a_reload_waits_until_its_values_are_held(running, clock):
    memory = ["totem.token (u32) = 1000"] * 3 + ["totem.token (u32) = 3000"]
    module = running(lambda: memory.pop(0))
    assert module.reload() == NONE
    assert clock.monotonic() == pytest.approx(0.6)


def test_a_reload_that_leaves_something_says_what(running, clock):
    assert running("totem.token (u32) = 1000").reload() == OLD
    assert 10 <= clock.monotonic() < 11


def test_a_reload_that_is_refused(running):
    with pytest.raises(CommandExecutionError, match="^cms1: Corosync doesn't .*: no such key$"):
        running("", refuses="no such\n key").reload()


def test_a_tool_that_knows_no_reload_and_exits_with_0(running):
    with pytest.raises(
        CommandExecutionError, match="^cms1: Corosync doesn't reload .* option -- 'R'$"
    ):
        running("", refuses="corosync-cfgtool: invalid option -- 'R'", code=0).reload()


def test_a_stop_in_maintenance_mode(running):
    module = running("")
    assert module.stop() is True
    assert [each for each in module.called if "stop" in each] == [
        "stop pacemaker",
        "stop corosync-qdevice",
        "stop corosync",
    ]


def test_a_stop_without_maintenance_mode_would_stop_the_service(running):
    module = running("", maintenance=False)
    with pytest.raises(CommandExecutionError, match="^cms1: the cluster isn't in maintenance mode"):
        module.stop()
    assert not any("stop" in each for each in module.called)


def test_a_pacemaker_that_would_not_end_is_not_stopped(running):
    module = running("", missing=["pacemaker-attrd"])
    with pytest.raises(
        CommandExecutionError,
        match="^cms1: Pacemaker can't be stopped while its pacemaker-attrd doesn't run: see",
    ):
        module.stop()
    assert not any("stop" in each for each in module.called)


def test_a_host_that_is_stopped_is_stopped(running):
    module = running(None, maintenance=False)
    assert module.stop() is True


# --- what is left of a cluster -------------------------------------------------------------------


@pytest.fixture
def on_disk(running, monkeypatch, tmp_path):
    """The module, and the paths of corosync.conf, of the key and of Pacemaker's configuration."""
    module, key, cib = running(None), tmp_path / "authkey", tmp_path / "pacemaker" / "cib"
    key.write_bytes(b"k" * 128)
    key.chmod(0o400)
    cib.mkdir(parents=True)
    (cib / "cib.xml").write_text("<cib/>")
    cib.chmod(0o750)
    monkeypatch.setattr(module, "_CIB", str(cib))
    return module, tmp_path / "corosync.conf", key, cib


def test_remains_are_set_aside_and_nothing_is_lost(on_disk):
    module, conf, key, cib = on_disk
    assert module.remains(str(key)) == [str(conf), str(key), str(cib)]
    moved = module.set_aside(str(key))
    assert list(moved) == [str(conf), str(key), str(cib)]
    assert moved[str(conf)] == {"old": "there", "new": f"{conf}.removed"}
    assert Path(moved[str(conf)]["new"]).read_text() == CONF
    aside = Path(moved[str(key)]["new"])
    assert (aside.read_bytes(), aside.stat().st_mode & 0o777) == (b"k" * 128, 0o400)
    (kept,) = Path(moved[str(cib)]["new"]).rglob("cib.xml")
    assert kept.read_text() == "<cib/>"
    assert (list(cib.iterdir()), cib.stat().st_mode & 0o777) == ([], 0o750)
    assert (module.remains(str(key)), module.set_aside(str(key))) == ([], {})


def test_pacemaker_still_owns_its_directory(on_disk, monkeypatch):
    module, _, key, cib = on_disk
    owner, owned = cib.stat(), []
    monkeypatch.setattr(module.os, "chown", lambda *arguments: owned.append(arguments))
    module.set_aside(str(key))
    assert owned == [(str(cib), owner.st_uid, owner.st_gid)]


def test_a_part_of_it(on_disk):
    module, conf, key, cib = on_disk
    conf.unlink()
    key.unlink()
    assert (module.remains(str(key)), list(module.set_aside(str(key)))) == ([str(cib)], [str(cib)])
    cib.rmdir()
    assert module.remains(str(key)) == []


# --- reaches: two hosts on the loopback interface ------------------------------------------------

ONE, TWO = "127.0.0.1", "127.0.0.2"


@pytest.fixture
def ports():
    """Two UDP ports that are free on both addresses."""
    found = []
    with contextlib.ExitStack() as stack:
        while len(found) < 2:
            first, second = (
                stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in "12"
            )
            first.bind((ONE, 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError):
                second.bind((TWO, port))
                found.append(port)
    return found


@pytest.fixture
def reaches(load_file):
    return load_file("_modules/corosync.py", grains={"id": "cms1"}).reaches


def every(ports, outcome):
    return {str(port): outcome for port in ports}


def test_two_hosts_that_hear_each_other(reaches, ports):
    with ThreadPoolExecutor() as pool:
        there = pool.submit(reaches, TWO, ONE, ports)
        assert reaches(ONE, TWO, ports) == every(ports, "heard")
        assert there.result() == every(ports, "heard")


def test_hosts_that_hear_each_other_do_not_wait_out_the_time(reaches, ports):
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        there = pool.submit(reaches, TWO, ONE, ports, 30)
        reaches(ONE, TWO, ports, 30)
        there.result()
    assert time.monotonic() - began < 10


def test_a_peer_that_begins_later(reaches, ports):
    with ThreadPoolExecutor() as pool:
        here = pool.submit(reaches, ONE, TWO, ports)
        time.sleep(0.3)
        assert reaches(TWO, ONE, ports) == every(ports, "heard")
        assert here.result() == every(ports, "heard")


def test_a_peer_that_is_not_there(reaches, ports):
    assert reaches(ONE, TWO, ports, seconds=0.3) == every(ports, "silent")


def test_one_port_of_two(reaches, ports):
    first, second = ports
    with ThreadPoolExecutor() as pool:
        there = pool.submit(reaches, TWO, ONE, [first], 1)
        assert reaches(ONE, TWO, ports, 1) == {str(first): "heard", str(second): "silent"}
        assert there.result() == {str(first): "heard"}


@contextlib.contextmanager
def somebody(address, port, peer, words):
    """Says these words to a peer, again and again, whatever it hears."""
    over = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line, ThreadPoolExecutor() as pool:
        line.bind((address, port))

        def talk():
            while not over.wait(0.05):
                for word in words:
                    line.sendto(word, (peer, port))

        pool.submit(talk)
        try:
            yield
        finally:
            over.set()


@pytest.mark.parametrize(
    ("sender", "words", "outcome"),
    [
        (TWO, [b"cmha: here"], "one way"),
        (TWO, [b"cmha: heard"], "heard"),
        (TWO, [b"cmha: here", b"cmha: heard"], "heard"),
        (TWO, [b"noise"], "silent"),
        ("127.0.0.3", [b"cmha: here", b"cmha: heard"], "silent"),
    ],
)
def test_what_is_heard(reaches, ports, sender, words, outcome):
    port = ports[0]
    with somebody(sender, port, ONE, words):
        assert reaches(ONE, TWO, [port], seconds=0.5) == {str(port): outcome}


def test_an_address_that_is_not_this_hosts(reaches, ports):
    assert reaches("192.0.2.1", TWO, ports, seconds=0.2) == every(
        ports, "can't be used on 192.0.2.1: Cannot assign requested address"
    )


def test_a_port_that_is_in_use(reaches, ports):
    port = ports[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((ONE, port))
        (outcome,) = reaches(ONE, TWO, [port], seconds=0.2).values()
    assert outcome == "can't be used on 127.0.0.1: Address already in use"
