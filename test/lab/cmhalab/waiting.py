"""Waiting for what nobody tells."""

import os
import time

from .settings import LabError

POLL = 0.1


def wait_until(condition, timeout, complaint):
    """Asks until the answer is yes; the complaint says what was seen instead."""
    began = time.monotonic()
    looks, longest = 0, 0
    while True:
        looked = time.monotonic()
        if condition():
            return
        now = time.monotonic()
        looks, longest = looks + 1, max(longest, now - looked)
        if now > began + timeout:
            # a machine that stood still, or had too much to do, shows here
            raise LabError(
                f"{complaint()} after {timeout} s: {looks} looks, the longest of {longest:.0f} s, load "
                f"{os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
            )
        time.sleep(POLL)
