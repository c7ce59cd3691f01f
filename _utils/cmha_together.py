"""
Many sites, or pairs, at the same time: each by a thread of its own, as if it were the only one. What they ask
their hosts in the same words, at about the same time, is one Salt job for all those hosts.

So work at one is written as work at one, and jobs hardly grow with the number. A thread goes on as soon as
its own hosts have answered, whatever others of that job do.
"""

import contextlib
import contextvars
import json
import threading
import time
from collections import deque

from cmha_progress import Many

# Seconds for which what is asked waits for others who may ask the same: at least, at most; and in between,
# this part of what the last job took. Hosts that do the same take about as long.
_LEAST, _MOST, _PART = 0.2, 10, 0.25
# As long as others come one after the other it waits for more: so many seconds for each of them that works
# side by side. The answers of a thousand hosts take a master that long.
_EACH = 0.02

# Those who work side by side with this thread
_together = contextvars.ContextVar("cmha_together", default=None)


def __virtual__():
    return True


def each(opts, what, things, work, at_most=None, go_on=None):  # noqa: PLR0917
    """
    Work at many things side by side.

    opts
        The master's configuration.
    what
        What the things are, in words, for a line on all of them: ``sites``. With ``None`` each has its own.
    things
        A mapping by name.
    work
        What is called with a name and its thing. In it ``cmha_master.Master`` asks for all of them. What it
        returns may have a ``failed``, a line for the progress.
    at_most
        How many are begun at once; the default is all.
    go_on
        What is called before each is begun; none is begun any more when it says no. The default is yes.

    Returns by name what ``work`` returned, of those that were begun. Raises what one of them raised, when all
    have ended. Who interrupts it has those that are under way end with that, each in its own way, and no
    other begun; that is raised then, too.
    """
    if len(things) < 2 or _together.get():
        return {name: work(name, thing) for name, thing in things.items() if not go_on or go_on()}
    with Many(opts, what, len(things)) if what else contextlib.nullcontext() as many:
        return _SideBySide(things, work, many, go_on).run(at_most)


def asked(question, hosts, job, patience=None):
    """
    What hosts return to a job that others, who work side by side, may have asked for, too.

    question
        All that makes it the same job, but for the hosts: what JSON can say.
    hosts
        The minion ids.
    job
        What is called with a list of hosts, and gives a minion id and its return at a time.
    patience
        The seconds for which others are waited for, at most.

    Returns the returns by host; ``None`` where nobody works side by side with this thread.
    """
    together = _together.get()
    if not together:
        return None
    text = json.dumps(question, sort_keys=True, default=repr)
    return together.ask(text, hosts, job, patience)


class _SideBySide:
    def __init__(self, things, work, many, go_on):
        self._left = deque(things.items())
        self._work, self._many, self._go_on = work, many, go_on or (lambda: True)
        self._done, self._raised = {}, []
        self._lock = threading.Lock()

    def run(self, at_most):
        number = min(len(self._left), at_most or len(self._left))
        together = Together(number)
        workers = [
            threading.Thread(
                target=contextvars.copy_context().run, args=(self._worker, together), daemon=True
            )
            for _ in range(number)
        ]
        begun = []
        try:
            for worker in workers:
                worker.start()
                begun.append(worker)
            _join(begun)
        except BaseException:  # Salt makes Ctrl-C a SystemExit; and a thread may be one too many
            self._left.clear()
            together.interrupt()
            _join(begun)
            raise
        if self._raised:
            raise self._raised[0]
        return self._done

    def _worker(self, together):
        _together.set(together)
        together.enter()
        try:
            while (next_one := self._next()) is not None:
                name, thing = next_one
                self._at(name, thing)
        finally:
            together.leave()

    def _at(self, name, thing):
        if self._many:
            self._many.mine(name)
        failed = None
        try:
            done = self._done[name] = self._work(name, thing)
            failed = done.get("failed") if isinstance(done, dict) else None
        except BaseException as error:  # raised where somebody waits for it
            self._raised.append(error)
            failed = str(error) or type(error).__name__
        finally:
            if self._many:
                self._many.over(name, failed)

    def _next(self):
        with self._lock:
            return self._left.popleft() if self._left and self._go_on() else None


def _join(threads):
    for thread in threads:
        while thread.is_alive():  # one that is waited for without end could not be interrupted
            thread.join(1)


class _Asked:
    """One who waits for a job."""

    def __init__(self, hosts):
        self.missing = set(hosts)
        self.returns, self.error = {}, None
        self.over = threading.Event()


class Together:
    """
    Threads that work side by side.

    number
        How many they are.
    """

    def __init__(self, number):
        self._changed = threading.Condition(threading.RLock())
        self._threads = set()
        self._awake = number  # who may still ask something
        self._jobs = 0  # whose returns wake others
        self._open = {}  # by question, those who wait for its job to begin
        self._waiting = {}  # by thread, what it waits for
        self._interrupted = set()
        self._took = threading.local()
        self._longest = number * _EACH
        self._moved = 0  # when the last of them asked something, or had its answer

    def ask(self, question, hosts, job, patience=None):
        """See ``asked``."""
        began = time.monotonic()
        mine = _Asked(hosts)
        with self._changed:
            self._stop_if_interrupted()
            self._waiting[threading.get_ident()] = mine
            self._awake -= 1
            self._moved = began
            self._changed.notify_all()
            those = self._open.setdefault(question, [])
            those.append(mine)
            if those[0] is mine:
                self._begin_when_no_other_comes(question, job, mine.over, patience)
        mine.over.wait()
        with self._changed:
            del self._waiting[threading.get_ident()]
            self._stop_if_interrupted()
        self._took.seconds = time.monotonic() - began
        if mine.error:
            raise mine.error
        return mine.returns

    def enter(self):
        """A thread begins."""
        with self._changed:
            self._threads.add(threading.get_ident())

    def leave(self):
        """A thread has ended, and asks nothing any more."""
        with self._changed:
            self._threads.discard(threading.get_ident())
            self._awake -= 1
            self._changed.notify_all()

    def interrupt(self):
        """What threads wait for, or ask next, ends with a KeyboardInterrupt: once, so that they can see to
        what they leave."""
        with self._changed:
            self._interrupted.update(self._threads)
            for each_one in self._waiting.values():
                self._wake(each_one)
            self._changed.notify_all()

    def _wake(self, asked_):
        """Whoever waits for that may ask something again, from now on."""
        if not asked_.over.is_set():
            self._awake += 1
            self._moved = time.monotonic()
            asked_.over.set()

    def _stop_if_interrupted(self):
        if threading.get_ident() in self._interrupted:
            self._interrupted.discard(threading.get_ident())
            raise KeyboardInterrupt

    def _begin_when_no_other_comes(self, question, job, interrupted, patience):
        began = time.monotonic()
        longest = min(max(_LEAST, getattr(self._took, "seconds", 0) * _PART), _MOST)
        end = began + min(longest, patience or longest)
        last = began + max(patience or 0, self._longest)
        while (
            (self._awake or self._jobs)
            and (left := max(end, min(self._moved + _LEAST, last)) - time.monotonic()) > 0
            and not interrupted.is_set()
        ):
            self._changed.wait(left)
        those = [each_one for each_one in self._open.pop(question) if not each_one.over.is_set()]
        if those:
            self._jobs += 1
            thread = threading.Thread(target=self._carry_out, args=(those, job), daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # one too many
                self._end(those, error)

    def _carry_out(self, those, job):
        of_host = {}
        for each_one in those:
            for host in each_one.missing:
                of_host.setdefault(host, []).append(each_one)
        wrong = None
        try:
            for host, returned in job(sorted(of_host)):
                self._take(host, returned, of_host.get(host, ()))
        except BaseException as error:  # raised where somebody waits for it
            wrong = error
        finally:
            self._end(those, wrong)

    def _end(self, those, wrong):
        """A job is over, for all who still wait for it."""
        with self._changed:
            for each_one in those:
                if not each_one.over.is_set():
                    each_one.error = wrong
                self._wake(each_one)
            self._jobs -= 1
            self._changed.notify_all()

    def _take(self, host, returned, those):
        for each_one in those:
            each_one.returns[host] = returned
            each_one.missing.discard(host)
            if not each_one.missing:
                with self._changed:
                    self._wake(each_one)
