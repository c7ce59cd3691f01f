"""
Start tools with a limit in time. A daemon that hangs lets whoever asks it wait, and a highstate that waits
for ever blocks every later one.
"""

import contextlib
import os
import threading
import time

from salt.exceptions import CommandExecutionError

# Seconds that a tool may take where nobody is in a hurry. Pacemaker's tools give their daemons 30 by
# themselves, where they give up at all.
_USUAL = 60
# Even where no time is left, a tool whose daemon is well has answered by then
_LEAST = 0.5
# What such a tool takes at most is no time lost
_QUICK = 1
# On a host that has more to do than it can, everything takes longer, up to so many times
_BUSIEST = 3

# The hurry that is on: seconds for each tool, and those that all may still lose. It is the module's own, and
# not in __context__, since the body of a ``with`` may be another loader's, as a beacon's is.
_NONE = (float("inf"), float("inf"))
_hurry = [_NONE]

# Tools that only tell how things are. In a hurry each is asked once: to ask is most of what a look costs, and
# what is judged together is seen at one moment.
_TELL = {
    ("cibadmin", "--query"), ("corosync", "-v"), ("corosync-cmapctl",), ("corosync-objctl",),
    ("corosync-quorumtool", "-s"), ("crm_mon", "-1", "--inactive", "--output-as=xml"),
    ("crm_mon", "--as-xml", "--inactive"), ("crm_node", "--name"), ("pacemakerd", "--version"),
    ("pacemakerd", "--features"),
}  # fmt: skip
# ``answers``: by what was asked, what they have said in the hurry that is on. Salt may run jobs as threads.
_heard = threading.local()

# Exit codes of timeout(1): it ended the command; had to kill it a second later, and itself with it; can't do
# what it is told
_ENDED, _KILLED, _FAILED = 124, (137, -9), 125


def __virtual__():
    return True


def run(command, seconds=None, stdin=None, env=None, rstrip=True):
    """
    Run a tool without a shell, and end it, with all that it has started, when it takes too long. What it
    reads and says isn't logged: it may hold secrets.

    command
        A list of words.
    seconds
        The most that it may take, a number; the default is 60, or less in a ``hurry``.
    stdin
        What it reads.
    env
        What is added to its environment.
    rstrip
        Whether white space is removed from the end of its output.

    Returns what ``cmd.run_all`` does. Of a tool that was ended, ``retcode`` is 124, ``stdout`` empty,
    ``stderr`` says so, and there is ``late``, which is true.

    Raises ``CommandExecutionError`` where nothing can be limited: before coreutils 8.5 timeout(1) has no
    ``--kill-after``.

    Source: ``timeout(1)``.

    CLI Example:

    .. code-block:: bash

        salt cms1 bounded.run '[crm_mon, "-1"]' seconds=5
    """
    heard = getattr(_heard, "answers", None)
    if heard is None or stdin is not None or tuple(command) not in _TELL:
        return _answer(command, seconds, stdin=stdin, env=env, rstrip=rstrip)
    asked = (*command, *sorted((env or {}).items()), rstrip)
    if asked not in heard:
        heard[asked] = _answer(command, seconds, env=env, rstrip=rstrip)
    return dict(heard[asked])


def _answer(command, seconds, stdin=None, **options):
    limit = min(seconds or _USUAL, _limit())
    began = time.monotonic()
    answer = __salt__["cmd.run_all"](
        ["timeout", "--kill-after=1", str(limit), *command],
        python_shell=False,
        stdin=stdin,
        output_loglevel="quiet",
        ignore_retcode=True,
        **options,
    )
    took = time.monotonic() - began
    late = answer["retcode"] in (_ENDED, *_KILLED) and took >= limit
    _lose(took if late else max(took - _QUICK * _crowd(), 0))
    if late:
        said = f"{command[0]} doesn't answer within {limit:g} s"
        return {**answer, "retcode": _ENDED, "stdout": "", "stderr": said, "late": True}
    if answer["retcode"] == _FAILED and answer["stderr"].startswith("timeout: "):
        raise CommandExecutionError(
            f"{__grains__['id']}: {command[0]} can't be started with a limit: {answer['stderr'].strip()}"
        )
    return answer


@contextlib.contextmanager
def hurry(seconds, together):
    """
    For modules: while the body runs, no tool that is run here takes longer, nor do all of them together when
    they don't answer. A tool that answers within a second costs nothing of that. A busy host has up to three
    times as long. A tool that only tells how the cluster is, is asked once.

    seconds
        For each of them.
    together
        For all of them.

    CLI Example: none; it gives a context to Python's ``with``.
    """
    with _entered((seconds, together), {}):
        yield


@contextlib.contextmanager
def patience():
    """
    For modules: while the body runs no hurry is on, and it takes nothing of the time of what comes after it.
    It may take so long that afterwards all is asked anew.

    CLI Example: none; it gives a context to Python's ``with``.
    """
    with _entered(_NONE, None):
        yield
    if getattr(_heard, "answers", None):
        _heard.answers.clear()


@contextlib.contextmanager
def _entered(hurry_, answers):
    _hurry.append(hurry_)
    before, _heard.answers = getattr(_heard, "answers", None), answers
    try:
        yield
    finally:
        _heard.answers = before
        _hurry.pop()


def stretched(seconds):
    """
    How long something takes on this host now that takes so long at most where nothing else is done.

    seconds
        A number.

    CLI Example:

    .. code-block:: bash

        salt cms1 bounded.stretched 4
    """
    return round(seconds * _crowd(), 1)


def hurried():
    """
    Whether a ``hurry`` is on: then nothing is asked that has no limit of its own.

    CLI Example:

    .. code-block:: bash

        salt cms1 bounded.hurried
    """
    return _hurry[-1] is not _NONE


def _limit():
    return stretched(max(min(_hurry[-1]), _LEAST))


def _lose(seconds):
    if hurried():
        usual, left = _hurry[-1]
        _hurry[-1] = (usual, left - seconds / _crowd())


def _crowd():
    """How many times as long everything takes, since others want this host's processors as well."""
    try:
        load = os.getloadavg()[0]
    except OSError:
        return 1
    return min(max(load / (os.cpu_count() or 1), 1), _BUSIEST)
