"""What a campaign found, as a table."""

import statistics
from collections import namedtuple

Round = namedtuple("Round", "fault away back twice by_hand short")

_HEAD = (
    "fault", "rounds", "back after (median, 95 %, most)", "away (most)", "two active: rounds, seconds",
    "by hand", "short",
)  # fmt: skip


def markdown(rounds):
    """
    A row for each fault, and one for all.

    rounds
        A list of ``Round``: the fault's name, seconds (see ``record.seen``), whether a person was needed, and
        what fell short, a list of lines.
    """
    faults = sorted({each.fault for each in rounds})
    rows = [_row(fault, [each for each in rounds if each.fault == fault]) for fault in faults]
    rows.append(_row("all", rounds))
    return "\n".join(
        "| " + " | ".join(cells) + " |" for cells in [_HEAD, ["---"] * len(_HEAD), *rows]
    )


def _row(name, rounds):
    back = sorted(each.back for each in rounds)
    twice = [each.twice for each in rounds if each.twice]
    return [
        name,
        str(len(rounds)),
        f"{statistics.median(back):.1f}, {_percentile(back, 0.95):.1f}, {back[-1]:.1f} s",
        f"{max(each.away for each in rounds):.1f} s",
        f"{len(twice)}, {max(twice):.1f} s at most" if twice else "none",
        str(sum(each.by_hand for each in rounds)),
        str(sum(bool(each.short) for each in rounds)),
    ]


def _percentile(ordered, share):
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
