"""What the heartbeats of a round say: for how long nobody was served, and whether two were active.

Pure functions on the intervals of ``test/lab/activity.py``. Times are seconds of the monotonic clock.
"""

from collections import namedtuple

import activity

# Shorter pauses are a busy machine's: the heart beats every 0.05 s
_PAUSE = 0.5

Seen = namedtuple("Seen", "away back twice")
NOTHING = Seen(0.0, 0.0, 0.0)


def seen(intervals, cuts, began, ended):
    """
    What a round was like for who needs the service.

    intervals
        A list of ``activity.Interval``, of one service.
    cuts
        By host, a list of pairs of times: from when to when nobody could reach it.
    began, ended
        When the fault struck, and when all was well again.

    Returns ``away``, for how many seconds nobody could reach it; ``back``, how many seconds after the fault
    it was there for good; ``twice``, for how many seconds it was active on two hosts.
    """
    served = _joined(part for each in intervals for part in _without(each, cuts.get(each.host, ())))
    gaps = _gaps(served, began, ended)
    twice = activity.overlaps(intervals)
    return Seen(
        sum(end - start for start, end in gaps),
        gaps[-1][1] - began if gaps else 0.0,
        sum(each.end - each.start for each in twice),
    )


def _without(interval, cuts):
    """What is left of an interval when some times are taken out of it."""
    start = interval.start
    for cut, healed in sorted(cuts):
        if cut > start:
            yield (start, min(cut, interval.end))
        start = max(start, healed)
        if start >= interval.end:
            return
    yield (start, interval.end)


def _joined(parts):
    joined = []
    for start, end in sorted(part for part in parts if part[0] < part[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _gaps(served, began, ended):
    edges = [began]
    for start, end in served:
        edges += [max(start, began), max(end, began)]
    edges.append(ended)
    gaps = zip(edges[::2], edges[1::2])
    return [(start, end) for start, end in gaps if end - start > _PAUSE]
