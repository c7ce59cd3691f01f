"""What the master asks of hosts."""

import socket
import sys
import types
from types import SimpleNamespace

import facts
import pytest
import salt.config
from salt.exceptions import SaltClientError

OPTS = {"sock_dir": "/nonexistent"}


class Client:
    """Salt's client: full returns by minion id."""

    def __init__(self, *returns):
        self.returns = list(returns)
        self.jobs = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cmd(self, *job, **options):
        self.jobs.append((*job, options))
        return self.returns.pop(0) if self.returns else {}


@pytest.fixture
def master(pure, clock, monkeypatch):
    """The module, with ``master.hear(*returns)`` for what a job brings."""
    module = pure("cmha_master")

    def hear(*returns):
        client = Client(*returns)
        monkeypatch.setattr("salt.client.get_local_client", lambda mopts: client)
        return client

    module.hear = hear
    module.time = clock
    return module


def returned(value, retcode=0):
    return {"ret": value, "retcode": retcode}


# --- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "function", "timeout"),
    [(49, "m.f", None), (100, "m.f", 7), (1000, "m.f", 25), (1000, "state.apply", 50)],
)
def test_many_hosts_have_more_time(master, number, function, timeout):
    client = master.hear({})
    master.Master({"timeout": 5}).ask_once([f"h{each}" for each in range(number)], function)
    ((*_, how),) = client.jobs
    assert how.get("timeout") == timeout


def test_the_end_of_a_job_takes_no_module_from_who_loads_one(master, tmp_path, monkeypatch):
    """Another thread may be in the middle of that: Salt's client forgets what all loaders have loaded."""
    opts = {**salt.config.client_config(str(tmp_path / "master")), "ret_port": None}
    loaded = {
        name: types.ModuleType(name)
        for kind in ("module", "returner", "utils")
        for name in [f"salt.loaded.int.{kind}.cmha_test_{kind}"]
    }
    for name, module in loaded.items():
        monkeypatch.setitem(sys.modules, name, module)
    full = {"h1": returned(True)}
    monkeypatch.setattr("salt.client.LocalClient.cmd", lambda *_, **__: full)
    assert master.Master(opts).ask_once(["h1"], "m.f") == {"h1": True}
    assert loaded.items() <= sys.modules.items()


@pytest.mark.parametrize("value", [True, False, None, 0, "", [], {}, {"a": 1}, "text", ["x"]])
def test_an_answer_is_an_answer(master, value):
    client = master.hear({"h1": returned(value)})
    assert master.ask({}, ["h1"], "m.f", 1, b=2) == {"h1": value}
    assert client.jobs == [
        (["h1"], "m.f", (1,), {"kwarg": {"b": 2}, "tgt_type": "list", "full_return": True})
    ]


SILENT = "h1 doesn't answer this master; see that it and its salt-minion run"


@pytest.mark.parametrize(
    ("full", "said"),
    [
        (None, SILENT),
        (False, SILENT),
        ({}, SILENT),
        ({"ret": "x"}, SILENT),
        ({"out": "no_return", "ret": "Minion did not return. [No response]"}, SILENT),
        (returned("Minion did not return. [Not connected]"), SILENT),
        (
            returned("'m.f' is not available.", 254),
            "h1 doesn't know m.f yet; run salt-run cmha.preflight, which gives it cmha's modules",
        ),
        (
            returned("Passed invalid arguments to m.f: f() got 2 arguments\n\n    Its text.\n", 1),
            "h1 answers m.f as another version of cmha does: Passed invalid arguments to m.f: f() got 2 "
            "arguments; run salt h1 saltutil.sync_all",
        ),
        (returned("ERROR: no memory", 1), "h1: no memory"),
        (returned("ERROR: h1: no memory", 1), "h1: no memory"),
        (returned("ERROR: crm on h1 says no", 1), "crm on h1 says no"),
        (
            returned("The minion function caused an exception", 1),
            "h1: The minion function caused an",
        ),
        (
            returned(
                "The minion function caused an exception: Traceback (most recent call last):\n"
                "  File \"x\"\nIsADirectoryError: [Errno 21] Is a directory: '/x'\n",
                1,
            ),
            "h1: m.f ended with IsADirectoryError: [Errno 21] Is a directory: '/x'; salt-minion's log",
        ),
        # of another function
        (returned("'pkg.version' is not available.", 1), "h1: 'pkg.version' is not available."),
    ],
)
def test_what_is_no_answer_is_trouble_in_one_line(master, full, said):
    master.hear({"h1": full, "h2": returned(2)})
    answers = master.ask({}, ["h1", "h2"], "m.f")
    assert isinstance(answers["h1"], master.HostError)
    assert str(answers["h1"]).startswith(said)
    assert answers["h2"] == 2


def test_a_host_whose_key_is_not_accepted(master, accepted):
    accepted["minions"] = ["h1"]
    master.hear({})
    answers = master.ask({}, ["h1", "h2"], "m.f")
    assert str(answers["h1"]) == SILENT
    assert str(answers["h2"]).startswith("h2 isn't known to this master")
    assert "a rejected one needs --include-rejected, and salt-minion started again" in str(
        answers["h2"]
    )
    assert [each.state for each in answers.values()] == ["silent", "no key"]


def test_a_master_that_takes_no_job(master):
    """Salt's client then raises, each of its reasons in its own way, and may have sent the job before."""
    client = master.hear()
    client.cmd = lambda *_, **__: (_ for _ in ()).throw(SaltClientError("Salt request\ntimed out"))
    answers = master.ask({}, ["h1", "h2"], "m.f")
    assert {host: (str(each), each.state) for host, each in answers.items()} == {
        host: (
            f"{host} can't be asked, since this master takes no job (Salt request timed out); see that "
            f"salt-master runs, then salt-run cmha.status: what was begun on {host} goes on",
            "no master",
        )
        for host in ("h1", "h2")
    }
    master.Master({}).sync(["h1"])


@pytest.fixture
def port():
    """A port on which nobody listens, and which nobody else gets meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held


def test_a_master_on_which_nobody_listens_is_told_at_once(master, port, clock):
    client = master.hear({"h1": {"ret": 1, "retcode": 0}})
    opts = {"interface": "127.0.0.1", "ret_port": port.getsockname()[1]}
    line = str(master.ask(opts, ["h1"], "m.f")["h1"])
    assert f"takes no job (nobody listens on 127.0.0.1, port {opts['ret_port']}); see that" in line
    assert client.jobs == []
    assert 30 < clock.monotonic() < 32
    port.listen()
    assert master.ask(opts, ["h1"], "m.f") == {"h1": 1}


def test_a_master_that_restarts_is_waited_for(master, port, clock, monkeypatch):
    def sleep(seconds):
        clock.sleep(seconds)
        port.listen()

    monkeypatch.setattr(master, "time", SimpleNamespace(monotonic=clock.monotonic, sleep=sleep))
    master.hear({"h1": {"ret": 1, "retcode": 0}})
    opts = {"interface": "127.0.0.1", "ret_port": str(port.getsockname()[1])}
    assert master.ask(opts, ["h1"], "m.f") == {"h1": 1}


@pytest.mark.parametrize("interface", ["no host of that name", "192.0.2.300"])
def test_what_else_is_wrong_with_an_address_is_salts_to_say(master, interface):
    master.hear({"h1": {"ret": 1, "retcode": 0}})
    assert master.ask({"interface": interface, "ret_port": 4506}, ["h1"], "m.f") == {"h1": 1}


def test_a_host_that_is_missing_in_the_return(master):
    master.hear({})
    assert str(master.ask({}, ["h1"], "m.f")["h1"]) == SILENT


def test_states_that_failed_are_an_answer(master):
    """A return code alone is no trouble: it comes with data."""
    master.hear({"h1": returned({"a": 1}, 2), "h2": returned(["no"], 1)})
    assert master.ask({}, ["h1", "h2"], "state.apply") == {"h1": {"a": 1}, "h2": ["no"]}


def test_who_needs_an_answer_gets_the_first_trouble(master):
    master.hear({"h1": returned(1), "h2": returned("ERROR: no", 1)})
    with pytest.raises(master.HostError, match="^h2: no$"):
        master.Master({}).need(["h1", "h2"], "m.f")


# --- apply ---------------------------------------------------------------------------------------


def state(result, number, name, comment="c"):
    return {"result": result, "__run_num__": number, "__id__": name, "comment": comment}


def test_states_that_go_well(master):
    client = master.hear({"h1": returned({"a": state(True, 0, "x"), "b": state(None, 1, "y")})})
    master.Master({}).apply(["h1"], "cmha.host", "cmha.start", pillar={"a": 1})
    ((hosts, function, arguments, options),) = client.jobs
    assert (hosts, function, arguments) == (["h1"], "state.apply", ("cmha.host,cmha.start",))
    assert options["kwarg"] == {"pillar": {"a": 1}}


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (
            {"b": state(False, 2, "later"), "a": state(False, 1, "first", "why"), "c": state(True, 0, "x")},
            "^h1: first: why$",
        ),
        (["Rendering SLS failed", "line 3"], "^h1: Rendering SLS failed line 3$"),
    ],
)  # fmt: skip
def test_the_first_state_that_failed_is_named(master, states, said):
    master.hear({"h1": returned(states, 2)})
    with pytest.raises(master.HostError, match=said):
        master.Master({}).apply(["h1"], "cmha.host")


# --- modules -------------------------------------------------------------------------------------


@pytest.fixture
def synced(tmp_path):
    """What Salt has synced to a directory."""
    for kind in ("utils", "modules", "states", "beacons", "output"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "a.py").write_text(kind)
    return tmp_path


def test_the_same_modules_have_the_same_digest(master, synced):
    digest = master.code(str(synced))
    (synced / "modules" / "__pycache__").mkdir()
    (synced / "output" / "a.py").write_text("no host needs it")
    assert master.code(str(synced)) == digest


def test_a_masters_beacons_are_elsewhere(master, synced, tmp_path):
    own = tmp_path / "_beacons"
    own.mkdir()
    (synced / "beacons" / "a.py").rename(own / "a.py")
    without = master.code(str(synced))
    at_the_master = master.code(str(synced), [str(own / "a.py")])
    (synced / "beacons" / "a.py").write_text((own / "a.py").read_text())
    assert master.code(str(synced)) == at_the_master != without


@pytest.mark.parametrize("kind", ["utils", "modules", "states", "beacons"])
@pytest.mark.parametrize("change", ["content", "name", "more", "less"])
def test_other_modules_have_another_digest(master, synced, kind, change):
    before, path = master.code(str(synced)), synced / kind / "a.py"
    if change == "content":
        path.write_text("another")
    elif change == "name":
        path.rename(synced / kind / "b.py")
    elif change == "more":
        (synced / kind / "b.py").write_text("")
    else:
        path.unlink()
    assert master.code(str(synced)) != before


def fitness(code):
    return facts.answer("cmha_host.fitness", code=code)


OURS, OLD = (returned(fitness(code)) for code in ("ours", "old"))


@pytest.mark.parametrize(
    ("first", "synced"),
    [
        ({"h1": OURS, "h2": OURS}, False),
        ({"h1": OURS, "h2": OLD}, True),
        ({"h1": OURS, "h2": returned("'x' is not available.", 254)}, True),
        ({"h1": OURS, "h2": returned({"code": "ours"})}, True),
    ],
)
def test_modules_are_synced_only_where_they_differ(master, first, synced):
    now = dict.fromkeys(("h1", "h2"), OURS)
    client = master.hear(first, *([{}, now] if synced else []))
    assert master.fitness(OPTS, ["h1", "h2"], "ours") == dict.fromkeys(now, fitness("ours"))
    functions = [job[1] for job in client.jobs]
    sync = [f"saltutil.sync_{kind}" for kind in ("utils", "modules", "states", "beacons")]
    asked = "cmha_host.fitness"
    assert functions == ([asked, sync, asked] if synced else [asked])


def everything(code):
    whole = facts.answer("cmha_look.everything")
    return {**whole, "fitness": {**whole["fitness"], "code": code}}


def test_all_is_asked_at_once_where_that_is_meant(master):
    old, ours = (returned(everything(code)) for code in ("old", "ours"))
    client = master.hear({"h1": old}, {}, {"h1": ours})
    answers = master.fitness(OPTS, ["h1"], "ours", "cmha.host")
    assert answers["h1"]["fitness"]["code"] == "ours"
    asked = [job[1:3] for job in client.jobs if isinstance(job[1], str)]
    assert asked == [("cmha_look.everything", ("cmha.host",))] * 2


@pytest.mark.parametrize(("first", "synced"), [(OURS, False), (OLD, True)])
def test_a_silent_host_is_asked_once(master, first, synced):
    client = master.hear({"h1": first}, *([{}, {"h1": OURS}] if synced else []))
    answers = master.fitness(OPTS, ["h1", "h2"], "ours")
    assert (answers["h1"], str(answers["h2"])) == (fitness("ours"), SILENT.replace("h1", "h2"))
    assert [job[0] for job in client.jobs] == [["h1", "h2"], *([["h1"]] * 2 if synced else [])]


def test_an_answer_of_another_shape_is_one_line_of_that_host(master):
    master.hear({"h1": OURS, "h2": returned({"code": "ours"})})
    answers = master.ask(OPTS, ["h1", "h2"], "cmha_host.fitness")
    assert answers["h1"] == fitness("ours")
    assert isinstance(answers["h2"], master.HostError)
    assert str(answers["h2"]) == (
        "h2 answers cmha_host.fitness as another version of cmha does: the answer has no pillar; run salt h2 "
        "saltutil.sync_all, then try again"
    )


FORGED = "\x1b[2J\x1b[1;1Hgood  east cms"


def test_what_hosts_say_is_no_command_to_a_terminal(master):
    master.hear({"h1": returned({"text": FORGED}), "h2": returned(FORGED, 1)})
    answers = master.ask(OPTS, ["h1", "h2"], "test.echo")
    assert answers["h1"] == {"text": "\\x1b[2J\\x1b[1;1Hgood  east cms"}
    assert str(answers["h2"]) == "h2: \\x1b[2J\\x1b[1;1Hgood  east cms"


def test_an_export_is_what_it_was(master):
    configuration = {"primitives": {"vip": {"description": "a\u00a0b\u0080c\u200b"}}}
    master.hear({"h1": returned(configuration)})
    assert master.ask(OPTS, ["h1"], "crm.export") == {"h1": configuration}


# --- environments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opts", "named"),
    [
        ({}, {}),
        ({"saltenv": None, "pillarenv": None}, {}),
        ({"saltenv": "base"}, {}),  # a host goes by its own configuration
        ({"saltenv": "prod", "pillarenv": "dev"}, {"saltenv": "prod", "pillarenv": "dev"}),
    ],
)
def test_what_reads_files_or_pillar_is_told_the_environment(master, opts, named):
    client = master.hear()
    asks = master.Master({**opts, "sock_dir": "/nonexistent"})
    asks._without_key = lambda answers: {}
    asks.ask(["cms1"], "cmha_host.fitness")
    asks.ask(["cms1"], "state.apply", "cmha.start", test=True)
    asks.ask(["cms1"], "crm.running")
    given = [options["kwarg"] for *_, options in client.jobs]
    assert given == [named, {**named, "test": True}, {}]


def test_modules_are_synced_from_the_environment(master):
    client = master.hear()
    master.Master({"saltenv": "prod"}).sync(["cms1"])
    master.Master({}).sync(["cms1"])
    assert [job[2] for job in client.jobs] == [[["prod"]] * 4, [[]] * 4]


# --- hosts that are busy with other states -------------------------------------------------------

BUSY = (
    'The function "state.apply" is running as PID 4711 and was started at 2026, Nov 28 07:51:05.123456 '
    "with jid 20261128075105123456"
)


def test_a_host_that_is_busy_with_other_states_is_asked_again(master):
    client = master.hear(
        {"h1": returned({"a": {}}), "h2": returned([BUSY], 1)},
        {"h2": returned([BUSY])},
        {"h2": returned([])},
        {"h2": returned({"b": {}})},
    )
    answers = master.ask({}, ["h1", "h2"], "state.apply", "cmha.host")
    assert answers == {"h1": {"a": {}}, "h2": {"b": {}}}
    assert [(job[0], job[1]) for job in client.jobs] == [
        (["h1", "h2"], "state.apply"),
        (["h2"], "state.running"),
        (["h2"], "state.running"),
        (["h2"], "state.apply"),
    ]


class Hosts:
    """Salt's client at hosts that have other states to do: by host, what it says each time."""

    def __init__(self, **said):
        self.said, self.asked = said, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cmd(self, hosts, function, *_, **__):
        self.asked.append((function, *hosts))
        return {host: returned(self._next(host, function)) for host in hosts}

    def _next(self, host, function):
        left = self.said[host]
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, BaseException):
            raise said
        return [said] if said else ([] if function == "state.running" else {"a": {}})


@pytest.fixture
def hosts(monkeypatch):
    def at(**said):
        found = Hosts(**said)
        monkeypatch.setattr("salt.client.get_local_client", lambda mopts: found)
        return found

    return at


def other(jid):
    return BUSY.replace("20261128075105123456", jid)


def test_other_states_that_do_not_end_are_told(master, hosts):
    """Those that are in the way then, and not those of before; of the host that is busy, and no other."""
    hosts(h1=[other("11"), other("11"), None], h2=[other("22"), other("23")])
    answers = master.ask({}, ["h1", "h2"], "state.apply", "cmha.host")
    assert answers["h1"] == {"a": {}}
    line = str(answers["h2"])
    assert line.startswith("other states still run after 15 minutes (h2: The function ")
    assert "jid 23)" in line
    assert line.endswith("(salt HOST saltutil.kill_job JID)")


def test_the_waiting_ends_also_where_one_follows_the_other(master, hosts, clock):
    hosts(h1=[each for n in range(5000) for each in (other(str(n)), None)])
    (trouble,) = master.ask({}, ["h1"], "state.apply", "cmha.host").values()
    assert "still run after 15 minutes" in str(trouble)
    assert clock.monotonic() < 1000


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit()])
def test_who_interrupts_the_waiting_ends_it(master, hosts, stop):
    hosts(h1=[other("1"), stop])
    with pytest.raises(
        master.HostError, match="interrupted while waiting for other states on h1; noth"
    ):
        master.ask({}, ["h1"], "state.apply", "cmha.host")
    hosts(h1=[other("1"), stop])
    with pytest.raises(master.HostError, match="interrupted while waiting"):
        master.Master({}).need_rest(["h1"])


def test_hosts_at_rest(master, hosts):
    found = hosts(h1=[None], h2=[other("1"), None])
    assert master.Master({}).need_rest(["h1", "h2"]) is None
    assert found.asked == [("state.running", "h1", "h2"), ("state.running", "h2")]
    hosts(h1=[other("1")])
    with pytest.raises(master.HostError, match=r"^other states still run after 15 minutes \(h1: "):
        master.Master({}).need_rest(["h1"])


@pytest.mark.parametrize(
    "answer", [["Rendering SLS failed"], [], [{}], {}, "text", None, True, [BUSY[:20]]]
)
def test_what_is_no_other_state(master, answer):
    assert master.busy({"h1": answer}) == {}
