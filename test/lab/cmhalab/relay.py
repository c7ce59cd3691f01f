"""A cable that isn't well: between two TAP devices, what comes in goes out late, twice, or not at all.

The kernel's own means for that (netem) aren't had everywhere. The keeper starts it, the devices are there:
python -m cmhalab.relay HOSTS_DEVICE LANS_DEVICE HOW
"""

import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time
from dataclasses import dataclass

FRAME = 65536
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h


@dataclass(frozen=True)
class How:
    """What befalls a frame. ``lost``: the shares of those from the host, and of those to it, that never
    arrive; ``late``: the most seconds by which one comes later, so that others pass it; ``twice``: the share
    that comes twice."""

    lost: tuple = (0, 0)
    late: float = 0
    twice: float = 0

    def arrivals(self, direction, chance):
        """How many seconds later a frame arrives; nothing for one that is lost."""
        if chance.random() < self.lost[direction]:
            return []
        copies = 1 + (chance.random() < self.twice)
        return [chance.uniform(0, self.late) for _ in range(copies)]


def relay(ends, how, chance):
    """Between two open devices, until one of them ends."""
    waiting, number = [], 0
    while True:
        due = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for end in select.select(ends, [], [], due)[0]:
            direction = ends.index(end)
            frame = os.read(end, FRAME)
            if not frame:
                return
            for later in how.arrivals(direction, chance):
                number += 1  # what is due at the same time goes in order
                heapq.heappush(
                    waiting, (time.monotonic() + later, number, ends[1 - direction], frame)
                )
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(waiting)
            os.write(end, frame)


def _open(device):
    end = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH", device.encode(), _IFF_TAP | _IFF_NO_PI))
    return end


if __name__ == "__main__":
    *devices, how = sys.argv[1:]
    relay([_open(each) for each in devices], How(**json.loads(how)), random.Random())
