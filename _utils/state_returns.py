"""
What a host's return of a run of states says. Pure functions; a return may be anything.
"""


def __virtual__():
    return True


def to_do(states):
    """
    What a test run would do.

    states
        The return of a test run.

    Returns a list of the states that aren't as they should be already, or of lines on why nobody can tell.
    """
    if not isinstance(states, dict):
        return [str(each) for each in states] if isinstance(states, list) else [str(states)]
    return [name for name, each in states.items() if not _is_clean(each)]


def why_failed(states):
    """
    Why a run of states didn't go well.

    states
        Its return.

    Returns a line: the first state that failed, with its comment, or what is there in place of states;
    ``None`` when no state failed.
    """
    if not isinstance(states, dict):
        return " ".join(map(str, states)) if isinstance(states, list) else str(states)
    failed = [
        each for each in states.values() if isinstance(each, dict) and each.get("result") is False
    ]
    if not failed:
        return None
    first = min(failed, key=lambda each: each.get("__run_num__", 0))
    return f"{first.get('__id__')}: {first.get('comment')}"


def _is_clean(state):
    return isinstance(state, dict) and state.get("result") is True and not state.get("changes")
