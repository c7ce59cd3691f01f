"""Many at the same time: who asks the same at the same time shares a job, and nobody waits for another."""

import threading
import time

import pytest

OPTS = {}


@pytest.fixture
def together(pure):
    return pure("cmha_together")


class Jobs:
    """Salt jobs: ``asked`` has the hosts of each. A host returns when it is let to; all may at first."""

    def __init__(self):
        self.asked = []
        self.held = {}

    def hold(self, *hosts):
        self.held.update({host: threading.Event() for host in hosts})

    def __call__(self, hosts):
        self.asked.append(hosts)
        for host in sorted(hosts, key=lambda host: host in self.held):
            if host in self.held:
                assert self.held[host].wait(30)
            yield host, f"of {host}"


@pytest.fixture
def jobs():
    return Jobs()


@pytest.fixture
def patient(together, monkeypatch):
    """Whoever asks waits until nobody else can come."""
    monkeypatch.setattr(together, "_LEAST", 60)
    monkeypatch.setattr(together, "_MOST", 60)


def things(*names):
    return {name: [f"{name}1", f"{name}2"] for name in names}


def test_what_all_ask_is_one_job(together, patient, jobs):
    def work(name, hosts):
        first = together.asked(["f", 1], hosts, jobs)
        second = together.asked(["g"], hosts, jobs)
        return [*first.values(), *second.values()]

    done = together.each(OPTS, "sites", things("a", "b", "c"), work)
    assert done == {name: [f"of {name}1", f"of {name}2"] * 2 for name in "abc"}
    assert jobs.asked == [["a1", "a2", "b1", "b2", "c1", "c2"]] * 2


def test_different_questions_are_different_jobs(together, patient, jobs):
    together.each(
        OPTS, "sites", things("a", "b"), lambda name, hosts: together.asked([name], hosts, jobs)
    )
    assert sorted(jobs.asked) == [["a1", "a2"], ["b1", "b2"]]


def test_as_long_as_others_come_they_are_waited_for(together, monkeypatch):
    """The answers of many hosts come one after the other, and so do the next questions."""
    monkeypatch.setattr(together, "_LEAST", 0.5)
    monkeypatch.setattr(together, "_PART", 0)
    monkeypatch.setattr(together, "_EACH", 60)
    jobs, names = Jobs(), "abcdefgh"
    jobs.hold(*(f"{name}{number}" for name in names for number in "12"))

    def work(name, hosts):
        together.asked(["f"], hosts, jobs)
        return together.asked(["g"], hosts, jobs)

    def one_after_the_other():
        while not jobs.asked:
            time.sleep(0.01)
        for held in jobs.held.values():
            time.sleep(0.1)  # twice the time that is waited for when nobody comes, for all
            held.set()

    threading.Thread(target=one_after_the_other).start()
    together.each(OPTS, "sites", things(*names), work)
    assert len(jobs.asked) == 2


def test_a_host_of_two_is_asked_once(together, patient, jobs):
    """A quorum device of two sites."""
    done = together.each(
        OPTS, "sites", {"a": ["d"], "b": ["d"]}, lambda _, hosts: together.asked(["f"], hosts, jobs)
    )
    assert (done, jobs.asked) == ({"a": {"d": "of d"}, "b": {"d": "of d"}}, [["d"]])


def test_nobody_waits_for_the_slow_host_of_another(together, jobs):
    jobs.hold("b2")

    def work(name, hosts):
        together.asked(["f"], hosts, jobs)
        if name == "a":
            together.asked(["g"], hosts, jobs)
            jobs.held["b2"].set()  # only now may b go on
        return name

    assert together.each(OPTS, "sites", things("a", "b"), work) == {"a": "a", "b": "b"}
    assert jobs.asked == [["a1", "a2", "b1", "b2"], ["a1", "a2"]]


def test_a_host_that_returns_nothing_is_missing(together):
    def job(hosts):
        yield from ((host, 1) for host in hosts if host != "b2")

    done = together.each(
        OPTS, "sites", things("a", "b"), lambda _, hosts: together.asked(["f"], hosts, job)
    )
    assert done == {"a": {"a1": 1, "a2": 1}, "b": {"b1": 1}}


def test_a_job_that_fails_fails_for_all_who_asked(together):
    def job(hosts):
        raise OSError("no master")
        yield

    def work(name, hosts):
        with pytest.raises(OSError, match="no master"):
            together.asked(["f"], hosts, job)
        return "told"

    done = together.each(OPTS, "sites", things("a", "b"), work)
    assert done == {"a": "told", "b": "told"}


@pytest.mark.parametrize("number", [0, 1])
def test_one_alone_is_worked_at_as_it_is(together, number):
    """By this thread, and by jobs of its own."""

    def work(name, hosts):
        assert together.asked(["f"], hosts, None) is None
        return threading.current_thread() is threading.main_thread()

    done = together.each(OPTS, "sites", things(*"a"[:number]), work)
    assert done == dict.fromkeys("a"[:number], True)


def test_who_is_among_many_is_not_many(together, patient, jobs):
    """What works at pairs side by side may itself be at a site among others."""

    def inner(name, hosts):
        return together.asked(["f"], hosts, jobs)

    together.each(
        OPTS,
        "sites",
        {"a": things("a", "b"), "c": things("c", "d")},
        lambda _, pairs: together.each(OPTS, "pairs", pairs, inner),
    )
    assert jobs.asked == [["a1", "a2", "c1", "c2"], ["b1", "b2", "d1", "d2"]]


def test_no_more_than_these_at_once(together):
    lock, now, most = threading.Lock(), [0], [0]
    both = threading.Barrier(2, timeout=30)

    def work(name, hosts):
        with lock:
            now[0] += 1
            most[0] = max(now[0], most[0])
        both.wait()
        with lock:
            now[0] -= 1

    together.each(OPTS, "sites", things(*"abcdef"), work, at_most=2)
    assert most == [2]


def test_none_is_begun_any_more(together):
    begun = []
    done = together.each(
        OPTS,
        "sites",
        things(*"abcd"),
        lambda name, _: begun.append(name) or name,
        at_most=1,
        go_on=lambda: len(begun) < 2,
    )
    assert (done, begun) == ({"a": "a", "b": "b"}, ["a", "b"])


def test_what_one_raises_is_raised_when_all_have_ended(together, jobs):
    ended = []

    def work(name, hosts):
        if name == "a":
            raise ValueError("a defect")
        together.asked(["f"], hosts, jobs)
        ended.append(name)

    with pytest.raises(ValueError, match="a defect"):
        together.each(OPTS, "sites", things("a", "b"), work)
    assert ended == ["b"]


def test_an_interruption_ends_what_each_waits_for_and_begins_no_other(together, monkeypatch):
    """Each is told once: what it asks then, to leave nothing half-done, is answered."""
    waits, never = threading.Barrier(3, timeout=30), threading.Event()
    begun, cleaned = [], []

    def job(hosts):
        waits.wait()
        never.wait(30)
        yield from ()

    def work(name, hosts):
        begun.append(name)
        with pytest.raises(KeyboardInterrupt):
            together.asked([name], hosts, job)
        cleaned.append(together.asked(["clean"], hosts, Jobs()))

    join = together._join

    def interrupted(workers):
        monkeypatch.setattr(together, "_join", join)
        waits.wait()
        raise SystemExit

    monkeypatch.setattr(together, "_join", interrupted)
    with pytest.raises(SystemExit):
        together.each(OPTS, "sites", things("a", "b", "c"), work, at_most=2)
    never.set()
    assert sorted(begun) == ["a", "b"]
    assert len(cleaned) == 2


@pytest.mark.parametrize("which", ["a worker", "a job"])
def test_a_thread_that_cannot_be_started_is_told(together, jobs, monkeypatch, which):
    """Nobody waits without end: the limit of processes is reached."""

    class Thread(threading.Thread):
        def start(self):
            of_a_job = getattr(self._target, "__name__", "") == "_carry_out"
            if of_a_job == (which == "a job") and self.name.endswith("-told"):
                raise RuntimeError("can't start new thread")
            super().start()

    started = []

    def thread(**given):
        of_a_job = getattr(given["target"], "__name__", "") == "_carry_out"
        started.append(of_a_job)
        told = of_a_job if which == "a job" else len(started) == 2
        return Thread(**given, name="x-told" if told else "x")

    monkeypatch.setattr(together.threading, "Thread", thread)

    def work(name, hosts):
        return together.asked(["f"], hosts, jobs)

    with pytest.raises(RuntimeError, match="can't start new thread"):
        together.each(OPTS, None, things("a", "b"), work)


def test_what_is_begun_together_is_not_held_back(together, monkeypatch):
    """Whatever the last job took, and whoever else may ask."""
    monkeypatch.setattr(together, "_LEAST", 60)
    monkeypatch.setattr(together, "_MOST", 60)
    free = threading.Event()

    def work(name, hosts):
        if name == "b":
            assert free.wait(30)
            return
        together.asked(["f"], hosts, Jobs(), patience=0.1)
        free.set()

    together.each(OPTS, None, things("a", "b"), work)
    assert free.is_set()
