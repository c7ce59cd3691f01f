"""Waiting for what nobody tells."""

import time

from .settings import LabError

POLL = 0.1


def wait_until(condition, timeout, complaint):
    """Asks until the answer is yes; the complaint says what was seen instead."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"{complaint()} after {timeout} s")
        time.sleep(POLL)
