#!/usr/bin/python3
"""When was each of Cloudera's services active on which host, and on two hosts at once?

    test/lab/activity.py [LOG]

reads the heartbeats of the lab (or LOG), prints both, and exits 1 when two hosts were active at
once. Times are seconds of the kernel's monotonic clock: `time.monotonic()` on this machine.
"""

import sys
from collections import namedtuple
from pathlib import Path

Beat = namedtuple("Beat", "time host service process")
Interval = namedtuple("Interval", "service host start end")
Overlap = namedtuple("Overlap", "service hosts start end")

LOG = "activity.log"  # in the directory that all hosts share


def beats(lines, since=0):
    """The heartbeats in a log, from a time on. A line that is being written is none yet."""
    for line in lines:
        words = line.split()
        if line.endswith("\n") and len(words) == len(Beat._fields):
            time, *who = words
            if float(time) >= since:
                yield Beat(float(time), *who)


def intervals(heartbeats):
    """The life of each process, by service, host and start: from its first heartbeat to its last. One that
    had to wait for a busy machine was active all the same."""
    lives = {}
    for beat in heartbeats:
        lives.setdefault(beat[1:], []).append(beat.time)
    return sorted(
        Interval(service, host, min(times), max(times))
        for (host, service, _), times in lives.items()
    )


def overlaps(active):
    """The times in which a service was active on two hosts at once, for each pair of intervals."""
    active = sorted(active)
    return [
        Overlap(one.service, (one.host, other.host), start, end)
        for n, one in enumerate(active)
        for other in active[n + 1 :]
        if one.service == other.service and one.host != other.host
        for start, end in [(max(one.start, other.start), min(one.end, other.end))]
        if start <= end
    ]


def read(log, since=0):
    """The intervals in a log file, from a time on; none when there is no log yet."""
    if not Path(log).exists():
        return []
    with open(log) as lines:
        return intervals(beats(lines, since))


def main(words):
    from cmhalab import settings  # noqa: PLC0415  # the functions above need no lab

    log = words[0] if words else settings.from_environment().shared / LOG
    active = read(log)
    for spell in active:
        print(f"{spell.service:26} {spell.host:8} {spell.start:10.2f} to {spell.end:10.2f}")
    twice = overlaps(active)
    for spell in twice:
        print(
            f"{spell.service}: {' and '.join(spell.hosts)} at once"
            f" for {spell.end - spell.start:.2f} s from {spell.start:.2f}"
        )
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
