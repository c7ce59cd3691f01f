"""A cable that isn't well, between two pairs of sockets that stand for TAP devices."""

import os
import random
import socket
import threading

import pytest
from cmhalab.relay import How, relay

FROM, TO = 0, 1


@pytest.mark.parametrize(
    ("how", "arrive"),
    [
        (How(), (100, 100)),
        (How(lost=(1, 0)), (0, 100)),
        (How(lost=(0, 1)), (100, 0)),
        (How(twice=1), (200, 200)),
    ],
)
def test_how_many_arrive(how, arrive):
    chance = random.Random(1)
    for direction, expected in zip((FROM, TO), arrive):
        assert sum(len(how.arrivals(direction, chance)) for _ in range(100)) == expected


def test_a_share_is_lost():
    chance = random.Random(1)
    arrived = sum(len(How(lost=(0.33, 0)).arrivals(FROM, chance)) for _ in range(1000))
    assert 620 < arrived < 720


def test_some_come_later_than_others():
    later = How(late=0.3).arrivals
    chance = random.Random(1)
    times = [later(FROM, chance)[0] for _ in range(20)]
    assert times != sorted(times)
    assert all(0 <= each <= 0.3 for each in times)


def test_frames_go_through_in_order_where_nothing_is_late():
    host, hosts_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lan, lans_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ends = [os.dup(end.fileno()) for end in (hosts_end, lans_end)]
    threading.Thread(target=relay, args=(ends, How(), random.Random(1)), daemon=True).start()
    for frame in (b"one", b"two", b"three"):
        host.send(frame)
    assert [lan.recv(100) for _ in range(3)] == [b"one", b"two", b"three"]
    lan.send(b"back")
    assert host.recv(100) == b"back"
