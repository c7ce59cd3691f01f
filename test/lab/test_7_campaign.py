"""A few rounds of the campaign, as a seed has chosen them: `make campaign` has more."""

import os
import subprocess
import sys

from conftest import HERE, own_name

ROUNDS, SEED = 4, 14209


def test_a_few_rounds(ready):
    tests = HERE.parent
    words = {
        **dict.fromkeys(("PAIR", "PROTECTION", "FAULT", "HIGHSTATES", "KEEP"), ""),
        "ROUNDS": str(ROUNDS),
        "SEED": str(SEED),
        "LAB": own_name("rounds"),
        "PYTHONPATH": f"{HERE}:{tests}",
    }
    done = subprocess.run(
        [sys.executable, str(tests / "campaign")],
        env={**os.environ, **words},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.splitlines()[-1:]
    assert (done.returncode, last) == (0, [f"{ROUNDS} rounds, seed {SEED}: 0 short"]), (
        done.stdout + done.stderr
    )
