"""
Start tools with a limit in time. A daemon that hangs lets whoever asks it wait, and a highstate that waits
for ever blocks every later one.
"""

import contextlib
import time

from salt.exceptions import CommandExecutionError

# Seconds that a tool may take where nobody is in a hurry. Pacemaker's tools give their daemons 30 by
# themselves, where they give up at all.
_USUAL = 60
# Even where no time is left, a tool whose daemon is well has answered by then
_LEAST = 0.5

# The hurry that is on: seconds for each tool, and when they are over for all. It is the module's own, and not
# in __context__, since the body of a ``with`` may be another loader's, as a beacon's is.
_NONE = (float("inf"), float("inf"))
_hurry = [_NONE]

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
    limit = min(seconds or _USUAL, *_limits())
    began = time.monotonic()
    answer = __salt__["cmd.run_all"](
        ["timeout", "--kill-after=1", str(limit), *command],
        python_shell=False,
        stdin=stdin,
        env=env,
        output_loglevel="quiet",
        ignore_retcode=True,
        rstrip=rstrip,
    )
    if answer["retcode"] in (_ENDED, *_KILLED) and time.monotonic() - began >= limit:
        said = f"{command[0]} doesn't answer within {limit} s"
        return {**answer, "retcode": _ENDED, "stdout": "", "stderr": said, "late": True}
    if answer["retcode"] == _FAILED and answer["stderr"].startswith("timeout: "):
        raise CommandExecutionError(
            f"{__grains__['id']}: {command[0]} can't be started with a limit: {answer['stderr'].strip()}"
        )
    return answer


@contextlib.contextmanager
def hurry(seconds, together):
    """
    For modules: while the body runs, no tool that is run here takes longer, nor do all of them together.

    seconds
        For each of them.
    together
        For all of them.

    CLI Example: none; it gives a context to Python's ``with``.
    """
    _hurry.append((seconds, time.monotonic() + together))
    try:
        yield
    finally:
        _hurry.pop()


def hurried():
    """
    Whether a ``hurry`` is on: then nothing is asked that has no limit of its own.

    CLI Example:

    .. code-block:: bash

        salt cms1 bounded.hurried
    """
    return _hurry[-1] is not _NONE


def _limits():
    seconds, end = _hurry[-1]
    return seconds, max(round(end - time.monotonic(), 1), _LEAST)
