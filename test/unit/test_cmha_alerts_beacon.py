"""The beacon on a spool: what is sent in which order, and that nothing is lost."""

import logging
import multiprocessing
import os
import threading

import pytest

START = {
    "kind": "resource",
    "node": "cms1",
    "rsc": "cloudera-scm-server",
    "task": "start",
    "interval": "0",
    "rc": "0",
    "target_rc": "0",
    "status": "0",
    "desc": "ok",
    "timestamp_epoch": "1795521263",
    "timestamp_usec": "000089",
}
LOST = {
    "kind": "node",
    "node": "cms2",
    "nodeid": "2",
    "desc": "lost",
    "timestamp_epoch": "1795521264",
}
# As Pacemaker documents it: the summary names target, origin and outcome.
FENCED = {
    "kind": "fencing",
    "node": "cms2",
    "task": "reboot",
    "rc": "0",
    "desc": "Operation reboot of cms2 by cms1 for pacemaker-controld.123@cms1: OK (ref=4f)",
    "timestamp_epoch": "1795521265",
}
PLACE = {"host": "cms1", "site": "east", "pair": "cms"}


class Spool:
    def __init__(self, path):
        self.path = path

    def put(self, name, alert):
        text = alert
        if isinstance(alert, dict):
            text = "".join(f"{key} {value}\n" for key, value in alert.items())
        (self.path / name).write_text(text)

    def names(self):
        return sorted(os.listdir(self.path))


class Master:
    """A master, or none, at the other end of a channel."""

    def __init__(self):
        self.events = []
        self.is_away = False
        self.before_answer = lambda: None

    def factory(self, opts):
        assert opts["id"] == "cms1"
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def send(self, load, tries, timeout):
        assert tries == 1
        assert timeout > 0
        assert (load["cmd"], load["id"]) == ("_minion_event", "cms1")
        self.before_answer()
        if self.is_away:
            raise TimeoutError("no answer")
        self.events.append((load["tag"], load["data"]))


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path)


@pytest.fixture
def master():
    return Master()


@pytest.fixture
def module(load_file, master, monkeypatch):
    module = load_file("_beacons/cmha_alerts.py", opts={"id": "cms1"})
    monkeypatch.setattr(module.salt.channel.client, "ReqChannel", master)
    return module


@pytest.fixture
def config(spool):
    return [
        {"site": "east"},
        {"pair": "cms"},
        {"spool": str(spool.path)},
        {"_beacon_name": "cmha_alerts"},
    ]


class AtOnce:
    """Takes the place of a process: what it would do is done here, so that one sees it."""

    def __init__(self, target, args, name, daemon):
        assert (name, daemon) == ("cmha_alerts", True)
        self.start = lambda: target(*args)


@pytest.fixture
def run(module, config, monkeypatch):
    """The beacon, and then until it has sent what it can."""

    def run():
        monkeypatch.setattr(module.salt.utils.process, "SignalHandlingProcess", AtOnce)
        assert module.beacon(config) == []

    return run


def test_what_an_operation_becomes(run, spool, master):
    spool.put("1", START)
    run()
    assert master.events == [
        (
            "cmha/east/cms/alert/resource",
            {
                **PLACE,
                "kind": "resource",
                "node": "cms1",
                "resource": "cloudera-scm-server",
                "task": "start",
                "rc": 0,
                "status": 0,
                "text": "ok",
                "time": "2026-11-24T11:54:23.000089+00:00",
            },
        )
    ]
    assert spool.names() == []


def test_what_the_loss_of_a_node_becomes(run, spool, master):
    spool.put("1", LOST)
    run()
    time = "2026-11-24T11:54:24+00:00"
    data = {**PLACE, "kind": "node", "node": "cms2", "text": "lost", "time": time}
    assert master.events == [("cmha/east/cms/alert/node", data)]


def test_what_fencing_becomes(run, spool, master):
    spool.put("1", FENCED)
    run()
    ((tag, data),) = master.events
    assert tag == "cmha/east/cms/alert/fencing"
    assert (data["node"], data["task"], data["rc"]) == ("cms2", "reboot", 0)
    assert data["text"] == FENCED["desc"]


@pytest.mark.parametrize(
    ("alert", "sent"),
    [
        ({"task": "monitor", "interval": "30000"}, False),
        ({"task": "monitor", "rc": "7", "target_rc": "7"}, False),
        ({"task": "monitor", "rc": "7"}, True),
        ({"task": "monitor", "rc": "0", "target_rc": "7"}, True),
        ({"task": "monitor", "rc": "1", "status": "4"}, True),
        ({"task": "stop"}, True),
        ({"task": "promote"}, True),
        ({"task": "start", "rc": "1"}, True),
        ({"kind": "attribute"}, False),
    ],
)
def test_a_monitor_is_news_only_when_it_was_not_expected(run, spool, master, alert, sent):
    spool.put("1", {**START, **alert})
    run()
    assert len(master.events) == sent
    assert spool.names() == []


def test_the_oldest_comes_first(run, spool, master):
    for name in ("3", "1", "2"):
        spool.put(name, {**LOST, "node": name})
    run()
    assert [data["node"] for _, data in master.events] == ["1", "2", "3"]


def test_without_a_master_alerts_wait_and_none_is_lost(run, spool, master):
    spool.put("1", START)
    spool.put("2", LOST)
    master.is_away = True
    run()
    run()
    assert (master.events, spool.names()) == ([], ["1", "2"])
    master.is_away = False
    run()
    assert [data["kind"] for _, data in master.events] == ["resource", "node"]
    assert spool.names() == []


def test_none_overtakes_one_that_the_master_did_not_take(run, spool, master):
    spool.put("1", START)
    spool.put("2", LOST)
    away = iter([True, False])
    master.before_answer = lambda: setattr(master, "is_away", next(away))
    run()
    assert (master.events, spool.names()) == ([], ["1", "2"])


def test_a_file_is_there_until_the_master_has_answered(run, spool, master):
    spool.put("1", LOST)
    seen = []
    master.before_answer = lambda: seen.append(spool.names())
    run()
    assert seen == [["1"]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "kind node\ntimestamp_epoch soon\n",
        "kind node\n",
        "kind resource\ntask monitor\ntimestamp_epoch 1\n",
        "kind node\ntimestamp_epoch 99999999999999999999\n",
        "kind node\ntimestamp_epoch 1\ntimestamp_usec 1000000\n",
    ],
)
def test_nonsense_goes_with_one_line_and_holds_up_nothing(run, spool, master, caplog, text):
    spool.put("1", text)
    spool.put("2", LOST)
    with caplog.at_level(logging.INFO):
        run()
    assert len(master.events) == 1
    assert spool.names() == []
    (record,) = caplog.records
    assert str(spool.path / "1") in record.getMessage()


def test_bytes_that_are_no_text_are_nonsense_too(run, spool, master):
    (spool.path / "1").write_bytes(b"kind \xff\n")
    run()
    assert (master.events, spool.names()) == ([], [])


def test_what_is_no_whole_file_is_left_alone(run, spool, master, tmp_path):
    spool.put(".1", LOST)
    (spool.path / "directory").mkdir()
    (spool.path / "link").symlink_to(spool.path / ".1")
    os.mkfifo(spool.path / "pipe")
    run()
    assert master.events == []
    assert spool.names() == [".1", "directory", "link", "pipe"]


def test_no_spool_is_no_alert(run, spool, master):
    spool.path.rmdir()
    run()
    assert master.events == []


def test_a_slow_master_holds_up_nobody_and_hears_everything_once(module, config, spool, master):
    answer, heard = multiprocessing.Event(), multiprocessing.Queue()
    master.before_answer = lambda: answer.wait(60) and heard.put("an event")
    threads = threading.active_count()
    spool.put("1", LOST)
    assert module.beacon(config) == []
    assert module.beacon(config) == []
    (sending,) = multiprocessing.active_children()
    # a thread's locks would be locked for good in the jobs for which the minion forks
    assert (sending.name, threading.active_count()) == ("cmha_alerts", threads)
    answer.set()
    sending.join()
    assert heard.get(timeout=60) == "an event"
    assert (heard.empty(), spool.names()) == (True, [])
    assert module.beacon(config) == []
    assert multiprocessing.active_children() == []


def test_a_right_configuration(module, config):
    assert module.validate([*config, {"interval": 2}])[0] is True


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"site": "east"}, "cmha_alerts: the configuration should be a list of mappings"),
        (["site"], "cmha_alerts: the configuration should be a list of mappings"),
        ([{"pair": "cms"}], "cmha_alerts: site should be text, is None"),
        ([{"site": "east"}, {"pair": 7}], "cmha_alerts: pair should be text, is 7"),
        (
            [{"site": "east"}, {"pair": "cms"}, {"spool": "alerts"}],
            "cmha_alerts: spool should be an absolute path, is 'alerts'",
        ),
    ],
)
def test_a_wrong_configuration_is_named(module, wrong, message):
    assert module.validate(wrong) == (False, message)


EVIL = [
    "cms1\n",
    "cms1\nown:\n  runner.salt.cmd:\n    - fun: cmd.run",
    "$(id)",
    "cms1; reboot",
    "'cms1'",
    '"',
    "{{ 7 * 7 }}",
    "cms1\x1b[2J",
    "cms1\u2028own:",
    "../../salt/job",
    "",
    "x" * 256,
    "-rf",
]


FIELDS = ("kind", "node", "rsc", "task", "rc", "timestamp_epoch")


@pytest.mark.parametrize(
    "alert",
    [{**START, field: evil} for field in FIELDS for evil in EVIL if evil and "\n" not in evil],
)
def test_a_field_without_its_form_drops_the_alert(run, spool, master, caplog, alert):
    spool.put("1", alert)
    spool.put("2", LOST)
    run()
    assert [tag for tag, _ in master.events] == ["cmha/east/cms/alert/node"]
    assert spool.names() == []
    assert f"the alert {spool.path}/1 is dropped" in caplog.text
    assert "\x1b" not in caplog.text


def test_a_description_may_say_anything_and_reaches_no_terminal(run, spool, master):
    spool.put("1", {**LOST, "desc": "lost\x1b[2J\x9b1m\u202e" + "x" * 5000})
    run()
    ((_, data),) = master.events
    assert data["text"].startswith("lost\\x1b[2J\\x9b1m\\u202exxx")
    assert data["text"].isprintable()
    assert len(data["text"]) < 1100


@pytest.mark.parametrize("kind", ["symlink", "hard link", "large", "fifo"])
def test_no_other_file_is_read(run, spool, master, tmp_path_factory, kind):
    secret = tmp_path_factory.mktemp("etc") / "shadow"
    secret.write_text("kind node\nnode root\ntimestamp_epoch 1\n")
    place = spool.path / "1"
    if kind == "symlink":
        place.symlink_to(secret)
    elif kind == "hard link":
        os.link(secret, place)
    elif kind == "large":
        spool.put("1", {**LOST, "desc": "x" * 70000})
    else:
        os.mkfifo(place)
    run()
    assert master.events == []
    assert secret.exists()


def test_a_file_that_becomes_a_link_is_not_followed(module, spool, tmp_path_factory):
    secret = tmp_path_factory.mktemp("etc") / "shadow"
    secret.write_text("kind node\n")
    (spool.path / "1").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic links"):
        module._read(str(spool.path / "1"))


@pytest.mark.parametrize(
    "name", ["east/cms", "../salt", "a b", "east\n", "{{ x }}", "-", "x" * 256]
)
def test_a_place_is_a_name(module, config, name):
    for key in ("site", "pair"):
        valid, said = module.validate([*config, {key: name}])
        assert (valid, said) == (False, f"cmha_alerts: {key} should be a name, is {name!r}")
