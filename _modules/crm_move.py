"""
How a resource moves: it is asked to, waited for, and taken back where it couldn't start. ``crm.move`` is the
door.
"""

import contextlib
import time

from salt.exceptions import CommandExecutionError

# Seconds for which a cluster rests that won't do anything more
_PATIENCE = 10


def __virtual__():
    return True


def carried_out(resource, node, home, timeout, keep, watch, until):  # noqa: PLR0917
    """
    Move a resource that is elsewhere, in a cluster that runs and has a DC; see ``crm.move``.

    home
        The nodes where it is started.

    CLI Example: none; ``crm.move`` has one.
    """
    watch = watch or (lambda: None)
    failed_before = __salt__["crm.status"]()["failures"]
    try:
        with _cleared_afterwards(resource, [] if keep else [node]):
            watch()
            __salt__["crm.begin_move"](resource, node)
            _wait_for_start(resource, node, timeout, watch, failed_before)
            _wait_for_more(until)
    except _MoveFailed as error:
        if keep:
            raise
        failures = _failed_since(failed_before, __salt__["crm.status"]())
        brought = [each for each in failures if each["node"] == node]
        outcome = _taken_back(resource, home, timeout, watch, brought)
        raise CommandExecutionError(f"{error}; {outcome}") from None
    return __salt__["crm.started"](resource)


class _MoveFailed(CommandExecutionError):
    """A move that was begun, and didn't end as it should."""


@contextlib.contextmanager
def _cleared_afterwards(resource, nodes):
    """Whatever happens, a move's constraints go; and why it failed is never lost for one that stays."""
    try:
        yield
    except CommandExecutionError as error:
        try:
            _clear_each(resource, nodes)
        except CommandExecutionError as another:
            raise type(error)(
                f"{error}; and the move's constraint is left: {another}; crm resource clear {resource}"
            ) from None
        raise
    except BaseException:
        _clear_each(resource, nodes)
        raise
    _clear_each(resource, nodes)


def _clear_each(resource, nodes):
    for node in nodes:
        __salt__["crm.clear"](resource, node)


def _wait_for_start(resource, node, timeout, watch, failed_before):
    end, rests = time.monotonic() + timeout, 0
    while not _has_come_up(resource, node, seen := __salt__["crm.status"]()):
        failures = _failed_since(failed_before, seen)
        for each in failures:
            if each["resource"] == resource:
                _raise_what_no_waiting_ends(resource, node, each, seen["resources"][resource])
        rests = rests + 1 if __salt__["crm.settled"]() else 0
        if rests > _PATIENCE:
            others = [f"{each['resource']} ({_told_of(each)})" for each in failures]
            why = f", since this failed: {', '.join(others)}" if others else ""
            raise _MoveFailed(
                f"{__grains__['id']}: {resource} didn't start on {node}{why}; the cluster rests, and "
                f"{_is_where(resource, seen)}"
            )
        if time.monotonic() > end:
            raise _MoveFailed(
                f"{__grains__['id']}: {resource} didn't start on {node} within {timeout} s; "
                f"{_is_where(resource, seen)}"
            )
        _pause(watch)


def _wait_for_more(until):
    try:
        if until:
            until()
    except CommandExecutionError as error:
        raise _MoveFailed(str(error)) from None


def _has_come_up(resource, node, seen):
    # until it has been stopped, what failed to start is listed as started
    started = __salt__["crm.started"](resource, seen)
    return started == [node] and not seen["resources"][resource]["failed"]


def _is_where(resource, seen):
    started = __salt__["crm.started"](resource, seen)
    return f"it is started on: {', '.join(started) or 'nowhere'}"


def _told_of(failure):
    return f"{failure['task']} on {failure['node']}: {failure['reason']}"


def _failed_since(before, seen):
    return [each for each in seen["failures"] if each not in before]


def _raise_what_no_waiting_ends(resource, node, failure, found):
    if failure["task"] == "stop" and not found["blocked"]:
        return  # the node is fenced
    if (failure["task"], failure["node"]) == ("stop", node):
        raise _MoveFailed(  # whatever started there, has to be ended there, and not at home
            f"{__grains__['id']}: {resource} neither starts on {node} nor stops there: {failure['reason']}; "
            f"see that it is stopped there, then crm resource cleanup {resource}"
        )
    if failure["task"] == "stop":
        raise CommandExecutionError(
            f"{__grains__['id']}: {resource} doesn't stop on {failure['node']}: {failure['reason']}; "
            f"Pacemaker leaves it as it is. End it there (service {resource} stop, or kill its process), "
            f"then crm resource cleanup {resource}"
        )
    if (failure["task"], failure["node"]) == ("start", node):
        raise _MoveFailed(
            f"{__grains__['id']}: {resource} doesn't start on {node}: {failure['reason']}; when that is "
            f"mended: crm resource cleanup {resource}"
        )


def _pause(watch):
    for _ in range(10):
        watch()
        time.sleep(0.1)


def _taken_back(resource, home, timeout, watch, brought):
    """
    Where a resource is after a move that failed, when it could be brought home. It is moved there, since
    nothing else need keep it from a node where its start may fail again and again. ``brought`` are the
    failures that the move has led to, also of what has to be where the resource is: each may hold all of it
    for good.
    """
    there = " and ".join(home) or "no host"
    refused, held = "", []
    try:
        with _cleared_afterwards(resource, held):
            # Pacemaker refuses to move it to where it is, or is about to be
            if len(home) == 1 and __salt__["crm.status"]()["resources"][resource]["nodes"] != home:
                try:
                    __salt__["crm.begin_move"](resource, home[0])
                    held.append(home[0])
                except CommandExecutionError as error:  # it may be on its way since
                    refused = f" ({error})"
            came = _is_home(resource, home, timeout, watch, brought)
    except CommandExecutionError as error:
        return f"it didn't come back to {there}: {error}"
    if came:
        return f"it runs on {there} again"
    return f"it didn't come back to {there}{refused}; salt-run cmha.status says what is in the way"


def _is_home(resource, home, timeout, watch, brought):
    """Whether it comes to be, with the failures cleaned up that keep it from there."""
    end, rests = time.monotonic() + timeout, 0
    while __salt__["crm.started"](resource, seen := __salt__["crm.status"]()) != home:
        for each in brought:
            if seen["resources"].get(each["resource"], {}).get("blocked"):
                __salt__["crm.cleanup"](each["resource"], each["node"])
        rests = rests + 1 if __salt__["crm.settled"]() else 0
        if rests > _PATIENCE or time.monotonic() > end:
            return False
        _pause(watch)
    return True
