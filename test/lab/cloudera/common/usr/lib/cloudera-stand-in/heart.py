"""The life of a process that stands for one of Cloudera's: as long as it lives, it says so.

Every beat is a line `T HOST SERVICE PID.START` in a log that all hosts share. T is the kernel's monotonic
clock, the same on all of them. A pid alone doesn't name a process, since each boot counts from 1; with the
kernel's time of its start it does. test/lab/activity.py reads it.
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
    who = f"{socket.gethostname()} {service} {os.getpid()}.{_start()}\n"
    while True:
        with open(LOG, "a") as log:
            log.write(f"{time.monotonic():.3f} {who}")
        time.sleep(INTERVAL)


def _start():
    """When this process began, in ticks since the kernel did: proc(5), the 22nd field of stat."""
    with open("/proc/self/stat") as stat:
        return stat.read().rpartition(")")[2].split()[19]


def _seconds(name):
    return float(os.environ.get(name) or 0)
