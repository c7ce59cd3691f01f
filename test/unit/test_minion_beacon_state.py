"""A beacon in its file and in the running minion: both, or a prediction of both."""

import pytest
import yaml

SETTINGS = {"site": "east", "interval": 2}
CONFIGURED = [{"site": "east"}, {"interval": 2}]
PATH = "/etc/salt/minion.d/watch.conf"


class Minion:
    """A minion with beacons, which may run or not, and a file."""

    def __init__(self):
        self.text = None
        self.beacons = {"load": []}
        self.is_refreshed = False
        self.refuses = False
        self.test = False

    def salt(self):
        return {
            "beacons.list": lambda return_yaml: self.beacons,
            "beacons.add": self.add,
            "beacons.modify": self.modify,
            "beacons.delete": self.delete,
            "saltutil.refresh_beacons": lambda: setattr(self, "is_refreshed", True),
        }

    def states(self):
        return {"file.managed": self.managed, "file.absent": lambda path: self.write(path, None)}

    def managed(self, path, contents, mode, makedirs):
        assert (mode, makedirs) == ("0644", True)
        return self.write(path, contents)

    def write(self, path, text):
        assert path == PATH
        ret = {"name": path, "result": True, "changes": {}, "comment": "as it should be"}
        if text == self.text:
            return ret
        ret.update(changes={"diff": "…"}, result=None if self.test else True)
        if not self.test:
            self.text = text
        return ret

    def add(self, name, settings):
        assert name not in self.beacons
        return self.modify(name, settings)

    def modify(self, name, settings):
        assert self.is_refreshed
        assert not self.test
        if self.refuses:
            return {"result": False, "comment": "not valid"}
        self.beacons[name] = settings
        return {"result": True, "comment": ""}

    def delete(self, name):
        assert not self.test
        del self.beacons[name]
        return {"result": True, "comment": ""}


@pytest.fixture
def minion():
    return Minion()


@pytest.fixture
def state(load_file, minion):
    opts = {"config_dir": "/etc/salt", "default_include": "minion.d/*.conf", "test": False}
    module = load_file(
        "_states/minion_beacon.py", salt=minion.salt(), states=minion.states(), opts=opts
    )

    def run(function, *arguments, test=False):
        opts["test"] = minion.test = test
        ret = getattr(module, function)("watch", *arguments)
        assert ret["name"] == "watch"
        return ret

    return run


def test_a_new_beacon_is_in_the_file_and_in_the_minion(state, minion):
    ret = state("present", SETTINGS)
    assert ret["result"] is True
    assert yaml.safe_load(minion.text) == {"beacons": {"watch": CONFIGURED}}
    assert minion.beacons == {"load": [], "watch": CONFIGURED}
    assert ret["changes"] == {"diff": "…", "running minion": {"old": None, "new": CONFIGURED}}


def test_the_second_time_nothing_changes(state):
    state("present", SETTINGS)
    ret = state("present", SETTINGS)
    assert (ret["result"], ret["changes"]) == (True, {})


def test_a_minion_that_lost_it_gets_it_again(state, minion):
    state("present", SETTINGS)
    del minion.beacons["watch"]
    ret = state("present", SETTINGS)
    assert ret["changes"] == {"running minion": {"old": None, "new": CONFIGURED}}
    assert minion.beacons["watch"] == CONFIGURED


def test_other_settings_are_a_change(state, minion):
    state("present", SETTINGS)
    ret = state("present", {"site": "west"})
    assert ret["changes"]["running minion"] == {"old": CONFIGURED, "new": [{"site": "west"}]}
    assert minion.beacons["watch"] == [{"site": "west"}]


@pytest.mark.parametrize("before", [None, {"site": "west"}, SETTINGS])
def test_a_prediction_is_what_then_changes(state, minion, before):
    if before:
        state("present", before)
    text, beacons = minion.text, dict(minion.beacons)
    predicted = state("present", SETTINGS, test=True)
    assert (minion.text, minion.beacons) == (text, beacons)
    real = state("present", SETTINGS)
    assert predicted["changes"] == real["changes"]
    assert predicted["result"] is (None if real["changes"] else True)


def test_where_no_minion_runs_the_file_is_enough(state, minion):
    minion.beacons = None
    ret = state("present", SETTINGS)
    assert (ret["result"], ret["changes"]) == (True, {"diff": "…"})


def test_a_refusal_is_a_failure_that_says_why(state, minion):
    minion.refuses = True
    ret = state("present", SETTINGS)
    assert (ret["result"], ret["comment"]) == (False, "not valid")


def test_absent_takes_it_from_both(state, minion):
    state("present", SETTINGS)
    predicted = state("absent", test=True)
    assert "watch" in minion.beacons
    ret = state("absent")
    assert (minion.text, minion.beacons) == (None, {"load": []})
    assert ret["changes"] == predicted["changes"]
    assert ret["changes"]["running minion"] == {"old": CONFIGURED, "new": None}
    again = state("absent")
    assert (again["result"], again["changes"]) == (True, {})
