"""How the master says what happens: events, and lines at a terminal."""

import contextlib
import threading

import pytest


class Bus:
    """The master's event bus: what is fired, and, for who listens, what comes."""

    def __init__(self):
        self.fired, self.coming = [], []
        self.heard_all = lambda: None

    @contextlib.contextmanager
    def open(self, *_, **__):
        yield self

    def fire_event(self, data, tag):
        self.fired.append((tag, data))

    def get_event(self, wait, tag):
        assert tag == "salt/job/"
        if self.coming:
            return self.coming.pop(0)
        self.heard_all()
        return None


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def progress(pure, bus, clock, monkeypatch):
    module = pure("cmha_progress")
    for name in ("get_master_event", "get_event"):
        monkeypatch.setattr(f"salt.utils.event.{name}", bus.open)
    module.time = clock
    monkeypatch.setattr(module, "_BEGAN", 0.0)
    return module


OPTS = {"sock_dir": "/nonexistent"}
AT_A_TERMINAL = {**OPTS, "__cli": "salt-run"}
STEP = {"what": "move it", "hosts": ["h1", "h2"]}


def told(progress, opts=OPTS):
    return progress.told(opts, "east", "cms", "failover", **STEP)


def test_a_step_that_goes_well(progress, bus, clock):
    with told(progress):
        clock.sleep(1.25)
    common = {"site": "east", "pair": "cms", "step": "move it", "hosts": ["h1", "h2"]}
    assert bus.fired == [
        ("cmha/east/cms/failover/begin", common),
        ("cmha/east/cms/failover/done", {**common, "seconds": 1.2}),
    ]


@pytest.mark.parametrize(
    ("error", "why"),
    [(ValueError("no disk"), "no disk"), (KeyboardInterrupt(), "KeyboardInterrupt")],
)
def test_a_step_that_raises(progress, bus, error, why):
    with pytest.raises(type(error)), told(progress):
        raise error
    tag, data = bus.fired[-1]
    assert (tag, data["why"], len(bus.fired)) == ("cmha/east/cms/failover/failed", why, 2)


def test_a_step_that_says_it_failed(progress, bus):
    with told(progress) as outcome:
        outcome["failed"] = "no"
    tag, data = bus.fired[-1]
    assert (tag, data["why"]) == ("cmha/east/cms/failover/failed", "no")


@pytest.mark.parametrize(
    "opts", [OPTS, {**OPTS, "__cli": "salt-master"}, {**AT_A_TERMINAL, "quiet": True}]
)
def test_nobody_at_the_terminal_sees_a_line(progress, capsys, opts):
    with told(progress, opts):
        pass
    assert capsys.readouterr() == ("", "")


def test_at_the_terminal_a_step_is_a_line_on_stderr(progress, bus, clock, capsys):
    clock.sleep(12.34)
    with told(progress, AT_A_TERMINAL):
        pass
    out, err = capsys.readouterr()
    assert (out, err) == ("", "   12.3 s  east cms: move it\n")


@pytest.fixture
def go_on(progress, bus, clock, capsys):
    """The lines of a step that takes eleven seconds, in which these events come."""

    def lines(events):
        over = threading.Event()

        def time_passes():
            clock.sleep(2.5)
            if clock.monotonic() > 11:
                over.set()

        bus.coming, bus.heard_all = list(events), time_passes
        progress._go_on(AT_A_TERMINAL, "east cms: move it", frozenset(STEP["hosts"]), over)
        return capsys.readouterr().err.splitlines()

    return lines


NEW_JOB = {"minions": ["h2", "h1", "elsewhere"]}


@pytest.mark.parametrize(
    ("events", "waits"),
    [
        ([], ""),
        ([NEW_JOB], " (waiting for h1, h2)"),
        ([NEW_JOB, {"id": "h1", "return": {}}], " (waiting for h2)"),
        ([NEW_JOB, {"id": "h1", "return": {}}, {"id": "h2", "return": False}], ""),
        # another job meanwhile
        ([{"minions": ["elsewhere"]}, {"id": "elsewhere", "return": 1}], ""),
    ],
)
def test_a_step_that_goes_on_says_for_whom_it_waits(go_on, events, waits):
    assert go_on(events) == [
        f"    5.0 s  east cms: move it{waits}",
        f"   10.0 s  east cms: move it{waits}",
    ]


def test_the_lines_stop_with_the_step(progress, bus, clock, capsys):
    threads, heard = threading.active_count(), threading.Event()
    bus.heard_all = lambda: (clock.sleep(6), heard.set())
    with told(progress, AT_A_TERMINAL):
        assert heard.wait(10)
    assert len(capsys.readouterr().err.splitlines()) > 1
    assert threading.active_count() == threads


def test_a_step_that_ends_while_it_is_listened_to(progress, bus, clock, capsys):
    over = threading.Event()
    bus.heard_all = lambda: (clock.sleep(60), over.set())
    progress._go_on(AT_A_TERMINAL, "line", frozenset(), over)
    assert capsys.readouterr().err == ""
