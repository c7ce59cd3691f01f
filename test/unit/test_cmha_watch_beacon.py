"""The beacon that looks at what Pacemaker doesn't know: what is news, when, and how it is left to be sent."""

import contextlib
import os

import pytest
from salt.exceptions import CommandExecutionError

CONFIG = [
    {"resource": "cm"},
    {"service": "cm-service"},
    {"port": 7180},
    {"spool": "/var/spool/x"},
    {"interval": 20},
]
HERE = {"node": "cms1", "where": ["cms1"], "running": True, "answers": True}
SECOND = {"node": "cms1", "where": ["cms2"], "running": True, "answers": None}
SILENT = {**HERE, "answers": False}


@pytest.fixture
def there():
    """What the host's modules answer."""
    return {
        "crm.running": True,
        "crm.status": {"resources": {"cm": {"started": ["cms1"]}}},
        "crm.node": "cms1",
        "crm.agent": "lsb:cm-service",
        "crm.settled": True,
        "resource_agent.runs": {"running": True, "text": ""},
        "page.answers": True,
    }


@pytest.fixture
def watch(load_file, there, tmp_path, monkeypatch):
    def called(name):
        def call(*arguments):
            answer = there[name]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    salt = {name: called(name) for name in there}
    salt["bounded.hurry"] = lambda *_: contextlib.nullcontext()
    module = load_file("_beacons/cmha_watch.py", salt=salt, opts={"id": "cms1"})
    monkeypatch.setattr(module, "_NOTES", str(tmp_path / "notes"))
    return module


@pytest.fixture
def settings(tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    return {"resource": "cm", "service": "cm-service", "port": 7180, "spool": str(spool)}


def followed(watch, *looks):
    """What is told in a row of looks, each a time and what is seen."""
    notes, told = {}, []
    for now, seen in looks:
        news, notes = watch.news(seen, notes, now)
        told += [(now, kind, "over" if over else "so") for kind, over in news]
    return told


def test_nothing_is_news_of_a_good_pair(watch):
    standby = {"node": "cms2", "where": ["cms1"], "running": False, "answers": None}
    assert followed(watch, (0, HERE), (20, standby)) == []


def test_a_second_one_is_told_once_and_when_it_is_over(watch):
    looks = [(time, SECOND) for time in (0, 20, 40, 60)]
    assert followed(watch, *looks, (80, HERE), (100, HERE)) == [
        (20, "second", "so"),
        (80, "second", "over"),
    ]


def test_what_was_on_its_way_is_no_news(watch):
    assert followed(watch, (0, SECOND), (20, HERE), (40, SECOND), (50, SECOND), (60, HERE)) == []


def test_a_silent_server_is_told_after_a_minute(watch):
    looks = [(time, SILENT) for time in range(0, 200, 20)]
    assert followed(watch, *looks, (200, HERE)) == [(60, "silent", "so"), (200, "silent", "over")]


def test_nobody_can_tell(watch):
    unsure = {**SECOND, "running": None}
    nowhere = {**SECOND, "where": []}
    assert followed(watch, (0, unsure), (60, unsure), (120, nowhere), (180, nowhere)) == []


def left(settings):
    return [
        open(os.path.join(settings["spool"], name)).read().splitlines()
        for name in sorted(os.listdir(settings["spool"]))
    ]


def test_what_is_told_lies_in_the_spool_as_an_alert(watch, there, settings, clock, load_file):
    watch.time = clock
    clock.time = lambda: 1_795_521_263.5
    there["crm.status"] = {"resources": {"cm": {"started": ["cms2"]}}}
    watch._look(settings)
    assert left(settings) == []
    clock.time = lambda: 1_795_521_283.25
    watch._look(settings)
    ((kind, node, resource, text, seconds, micro),) = left(settings)
    assert (kind, node, resource) == ("kind second", "node cms1", "rsc cm")
    assert text == "desc cm runs on cms1 too, which Pacemaker doesn't know"
    assert (seconds, micro) == ("timestamp_epoch 1795521283", "timestamp_usec 250000")
    # and the other beacon takes it
    alerts = load_file("_beacons/cmha_alerts.py")
    (path,) = alerts._waiting(settings["spool"])
    tag, data = alerts._event(path, {"site": "east", "pair": "cms"}, "cms1.example.com")
    assert tag == "cmha/east/cms/alert/second"
    assert (data["host"], data["node"], data["resource"]) == ("cms1.example.com", "cms1", "cm")


def test_who_moves_it_is_not_suspected(watch, there, settings):
    there["crm.status"] = {"resources": {"cm": {"started": ["cms2"]}}}
    there["crm.settled"] = False
    assert watch._seen(settings)["running"] is None


def test_a_stopped_cluster_ends_nothing(watch, there, settings, clock):
    watch.time = clock
    there["crm.status"] = {"resources": {"cm": {"started": ["cms2"]}}}
    for at in (100.0, 120.0):
        clock.time = lambda at=at: at
        watch._look(settings)
    notes = watch._notes()
    assert (len(left(settings)), notes["second"]["told"]) == (1, True)
    there["crm.running"] = False
    watch._look(settings)
    assert (len(left(settings)), watch._notes()) == (1, notes)
    # and when it is back, and the service is where it should be, it is over
    there["crm.running"] = True
    there["crm.status"] = {"resources": {"cm": {"started": ["cms1"]}}}
    clock.time = lambda: 140.0
    watch._look(settings)
    assert left(settings)[1][3] == "desc over: cm runs on cms1 too, which Pacemaker doesn't know"


def test_what_hangs_is_no_news(watch, there, settings):
    there["crm.running"] = CommandExecutionError("cibadmin doesn't answer within 5 s")
    watch._look(settings)
    assert left(settings) == []


def test_a_service_without_a_port_has_nothing_to_answer(watch, settings):
    assert watch._seen({**settings, "port": None})["answers"] is None


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", '{"second": 1}', '{"second": {"since": "x"}}']
)
def test_notes_that_are_none(watch, tmp_path, text):
    (tmp_path / "notes").write_text(text)
    assert watch._notes() == {}


def test_nothing_of_another_users_is_written_to(watch, settings, tmp_path, caplog):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    name = f".{1:010}.{0:010}-0000000000-{os.getpid()}"
    os.symlink(victim, os.path.join(settings["spool"], name))
    watch.time.time, before = (lambda: 1.0), watch.time.time
    try:
        watch._leave("second", "cms1", "x", settings)
    finally:
        watch.time.time = before
    assert victim.read_text() == "precious"
    assert "is dropped" in caplog.text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "valid"),
        ({"spool": "relative"}, "absolute"),
        ({"resource": 7}, "resource should be text"),
        ({"service": ""}, "service should be text"),
        ({"port": None}, "valid"),
    ],
)
def test_the_configuration(watch, change, says):
    config = [
        {key: value}
        for each in CONFIG
        for key, value in {**each, **{k: v for k, v in change.items() if k in each}}.items()
    ]
    fits, said = watch.validate(config)
    assert says in said
    assert fits is (says == "valid")


@pytest.mark.parametrize("config", [None, {}, ["x"], []])
def test_a_configuration_of_another_kind(watch, config):
    assert watch.validate(config)[0] is False
