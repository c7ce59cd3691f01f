"""
How the master says what happens: as events under ``cmha/``, and on the terminal of whoever waits for a runner
or an orchestration.
"""

import contextlib
import contextvars
import shutil
import sys
import threading
import time

import salt.utils.event

_BEGAN = time.monotonic()

# To a terminal: the line that is there is written once more; and how wide the time before it is
_BEGUN_ANEW = "\r\x1b[K"
_TIME = 11

# Seconds between two lines of a step that goes on
_PATIENCE = 5

# What a person reads; in other formats a progress is nobody's
_FOR_PEOPLE = (None, "nested", "highstate", "cmha")

# Where many are worked at side by side: those, and the one that is this thread's
_mine = contextvars.ContextVar("cmha_progress", default=None)


def __virtual__():
    return True


def tell(opts, site, pair, action, outcome, **data):
    """
    Put an event on the master's bus: ``cmha/SITE/PAIR/ACTION/OUTCOME``.

    opts
        The master's configuration.
    site, pair
        Their names.
    action
        ``orchestrate``, ``failover``, ``rejoin``, ``fence``, ``clean``.
    outcome
        ``begin``, ``done`` or ``failed``.
    data
        What the event carries beside ``site`` and ``pair``.
    """
    event = {"site": site, "pair": pair, **data}
    with salt.utils.event.get_master_event(opts, opts["sock_dir"], listen=False) as bus:
        bus.fire_event(event, "/".join(("cmha", site, pair, action, outcome)))


@contextlib.contextmanager
def told(opts, site, pair, action, *, what, hosts):
    """
    While the body runs, say so: events when it begins and when it is done or failed; on the terminal of
    salt-run (its standard error), a line when it begins, and one every few seconds with the time so far and
    the hosts that haven't returned.

    opts
        The master's configuration.
    site, pair, action
        See ``tell``.
    what
        The step, in words.
    hosts
        The minions that work at it.

    Gives a mapping, whose ``failed`` the body sets to a text when it failed without an exception.
    """
    outcome = {"failed": None}
    data = {"step": what, "hosts": list(hosts)}
    tell(opts, site, pair, action, "begin", **data)
    began = time.monotonic()
    try:
        with shown(opts, f"{site} {pair}: {what}", hosts):
            yield outcome
    except BaseException as error:
        outcome["failed"] = str(error) or type(error).__name__
        raise
    finally:
        data["seconds"] = round(time.monotonic() - began, 1)
        if outcome["failed"] is None:
            tell(opts, site, pair, action, "done", **data)
        else:
            tell(opts, site, pair, action, "failed", **data, why=outcome["failed"])


@contextlib.contextmanager
def shown(opts, line, hosts, at_once=True):
    """
    While the body runs, say so on the terminal of salt-run, as ``told`` does, and nowhere else.

    opts
        The master's configuration.
    line
        What is done, in words.
    hosts
        The minions that work at it.
    at_once
        Whether to say it when it begins, and not only when it takes long.
    """
    if _mine.get():
        many, name = _mine.get()
        with many.at(name, line):
            yield
        return
    if not _somebody_reads(opts):
        yield
        return
    if at_once:
        _print(line)
    over = threading.Event()
    clock = threading.Thread(target=_go_on, args=(opts, line, frozenset(hosts), over), daemon=True)
    clock.start()
    try:
        yield
    finally:
        over.set()
        clock.join()


def _somebody_reads(opts):
    # an API's or a reactor's runner has no one at its terminal
    return opts.get("__cli") == "salt-run" and not opts.get("quiet")


def _go_on(opts, line, hosts, over):
    """Until the step is over, say every few seconds that it goes on, and for whom it waits."""
    waiting = set()
    next_line = time.monotonic() + _PATIENCE
    with salt.utils.event.get_event("master", opts["sock_dir"], opts=opts, listen=True) as bus:
        while not over.is_set():
            event = bus.get_event(wait=0.2, tag="salt/job/") or {}
            if "minions" in event:  # a new job
                waiting.update(hosts.intersection(event["minions"]))
            elif "return" in event:
                waiting.discard(event.get("id"))
            if time.monotonic() >= next_line and not over.is_set():
                _print(line + (f" (waiting for {', '.join(sorted(waiting))})" if waiting else ""))
                next_line += _PATIENCE


def _print(line, start="", end="\n"):
    # nobody may be there to read it any more: no reason to stop in the middle
    with contextlib.suppress(OSError, ValueError):
        print(f"{start}{_spent():7.1f} s  {line}", end=end, file=sys.stderr, flush=True)


def _spent():
    return time.monotonic() - _BEGAN


def _changes():
    """Whether a line can change where it is read."""
    return sys.stderr.isatty()


class Many:
    """
    What is said while many are worked at side by side: a line for all of them, which changes on a terminal
    and comes every few seconds elsewhere.

    opts
        The master's configuration.
    what
        What they are, in words: ``sites``.
    number
        How many they are.
    """

    def __init__(self, opts, what, number):
        self._reads = _somebody_reads(opts) and opts.get("output") in _FOR_PEOPLE
        self._what, self._number = what, number
        self._lock = threading.Lock()
        self._done, self._failed, self._under_way = 0, 0, {}
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._go_on, daemon=True)

    def __enter__(self):
        if self._reads:
            self._clock.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        if self._reads:
            self._clock.join()

    def mine(self, name):
        """From now on, what this thread shows is of the one of this name."""
        _mine.set((self, name))
        with self._lock:
            self._under_way[name] = (name, time.monotonic())

    def over(self, name, failed=None):
        """One is done; or has failed: a line on its own."""
        with self._lock:
            self._under_way.pop(name, None)
            self._done += not failed
            self._failed += bool(failed)
        if failed and self._reads:
            self._say(f"{name}: {failed}")

    @contextlib.contextmanager
    def at(self, name, line):
        """While the body runs, this is done for the one of this name."""
        with self._lock:
            before = self._under_way.get(name)
            self._under_way[name] = (line, time.monotonic())
        try:
            yield
        finally:
            with self._lock:
                if before and name in self._under_way:
                    self._under_way[name] = before

    def line(self):
        """How far all of them are."""
        with self._lock:
            under_way = sorted(self._under_way.values(), key=lambda each: each[1])
            counts = [f"{self._done} of {self._number} {self._what} done"]
            if self._failed:
                counts.append(f"{self._failed} failed")
        if not under_way:
            return ", ".join(counts)
        (slowest, since), spent = under_way[0], time.monotonic()
        counts.append(f"{len(under_way)} under way")
        return f"{', '.join(counts)}; longest at one step: {slowest} ({spent - since:.0f} s)"

    def _go_on(self):
        while not self._over.wait(1 if _changes() else _PATIENCE):
            self._say(self.line(), end="" if _changes() else "\n")
        if _changes():
            self._say(self.line())

    @staticmethod
    def _say(line, end="\n"):
        if not _changes():
            _print(line)
            return
        width = shutil.get_terminal_size().columns
        _print(line[: width - _TIME - 1], start=_BEGUN_ANEW, end=end)
