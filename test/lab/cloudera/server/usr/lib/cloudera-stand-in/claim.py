"""A server's claim on the database, by which it knows of another one that uses it.

A file that all hosts share stands for the database's row: who owns it, and when that was said the last time.
An owner that was silent for CLAIM_AGE seconds has lost it. A server that finds it owned by another host when
it starts, or later, says so in its log and ends itself, after its init script has said that all is well.
CLAIM_AGE=0: a server of before 5.7, which knows no claim. CLAIM_GIVEN_BACK: whether a clean stop ends it.
"""

import os
import socket
import threading
import time
from pathlib import Path

ROW = Path("/mnt/cm-shared/database-owner")
LOG = Path("/var/log/cloudera-scm-server/cloudera-scm-server.log")
AGE = float(os.environ.get("CLAIM_AGE") or 0)
HOST = socket.gethostname()


def begin():
    """Claims the database, for as long as this process lives; ends it where another owns that."""
    if AGE:
        _claim()
        threading.Thread(target=_renew, daemon=True).start()


def end():
    """After a clean stop."""
    if AGE and os.environ.get("CLAIM_GIVEN_BACK") == "yes" and _owner()[0] == HOST:
        ROW.unlink()


def _renew():
    while True:
        time.sleep(AGE / 6)
        _claim()


def _claim():
    owner, said = _owner()
    if owner not in (None, HOST) and time.monotonic() - said < AGE:
        _log("ERROR", "ScmActive detected spurious CM")
        _log("ERROR", f"The database is owned by {owner}")
        os._exit(1)
    new = ROW.with_suffix(f".{HOST}")
    new.write_text(f"{HOST} {time.monotonic()}")
    new.rename(ROW)


def _owner():
    """Who claims it, and when that was said, by the clock that all hosts have."""
    try:
        owner, said = ROW.read_text().split()
    except FileNotFoundError:
        return None, 0
    return owner, float(said)


def _log(level, text):
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')},000 {level} main:com.cloudera: {text}\n")
