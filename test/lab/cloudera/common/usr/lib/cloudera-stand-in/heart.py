"""The life of a process that stands for one of Cloudera's: as long as it lives, it says so.

Every beat is a line `T HOST SERVICE PID` in a log that all hosts share; T is the kernel's monotonic
clock, the same on all of them. test/lab/activity.py reads it.
"""

import os
import signal
import socket
import threading
import time

LOG = "/mnt/cm-shared/activity.log"
INTERVAL = 0.05


def live(service, begin=lambda: None):
    """Begins START_DELAY seconds after the first beat, ends STOP_DELAY seconds after SIGTERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_beat, args=[service], daemon=True).start()
    if signal.sigtimedwait({signal.SIGTERM}, _seconds("START_DELAY")) is None:
        begin()
        signal.sigwait({signal.SIGTERM})
    time.sleep(_seconds("STOP_DELAY"))


def _beat(service):
    who = f"{socket.gethostname()} {service} {os.getpid()}\n"
    while True:
        with open(LOG, "a") as log:
            log.write(f"{time.monotonic():.3f} {who}")
        time.sleep(INTERVAL)


def _seconds(name):
    return float(os.environ.get(name) or 0)
