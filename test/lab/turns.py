"""Which of the lab's tests are run today: some take turns, since all together take longer than anybody waits.

    python test/lab/turns.py

prints whose turn it is. CMHA_TURN names another one, or all (make test-all).
"""

import datetime
import os

import pytest

NAMES = (
    "boot",
    "bullseye",
    "elsewhere",
    "fencing",
    "firewalls",
    "mixed",
    "next",
    "other hosts",
    "quorum device",
    "rhel-10",
    "rhel-9",
    "sites",
    "sles-15",
    "sles-16",
    "sysvinit",
    "trixie",
    "ubuntu-24.04",
    "ubuntu-26.04",
)


def chosen(names=NAMES, environment=os.environ, today=None):
    """Those of the names whose turn it is."""
    wanted = environment.get("CMHA_TURN", "")
    if wanted == "all":
        return list(names)
    if wanted and wanted not in NAMES:
        raise pytest.UsageError(f"CMHA_TURN={wanted}: should be all, or one of: {', '.join(NAMES)}")
    day = (today or datetime.date.today()).toordinal()
    turn = wanted or NAMES[day % len(NAMES)]
    return [name for name in names if name == turn]


def only(name):
    """A mark for tests that run when it is their turn."""
    return pytest.mark.skipif(
        not chosen([name]), reason=f"it isn't its turn: CMHA_TURN='{name}' runs it"
    )


if __name__ == "__main__":
    print(f"CMHA_TURN={', '.join(chosen())}")
