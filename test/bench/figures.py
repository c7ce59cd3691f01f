"""The figures of all benchmarks: they go to bench.json, or to $CMHA_BENCH."""

import json
import os
from pathlib import Path


def keep(anew=False, **rows):
    """Beside what the other tables have written, or in their place."""
    path = Path(os.environ.get("CMHA_BENCH", "bench.json"))
    before = json.loads(path.read_text()) if path.exists() and not anew else {}
    path.write_text(json.dumps({**before, **rows}, indent=1) + "\n")


def row(seconds, compared_to, its_seconds):
    """What something took, against what it is compared to."""
    return {
        "seconds": round(seconds, 2),
        "compared_to": compared_to,
        "its_seconds": round(its_seconds, 2),
        "ratio": round(seconds / its_seconds, 2),
    }


def show(**rows):
    for name, each in rows.items():
        print(f"{name:17} {each['seconds']:6.2f} {each['its_seconds']:6.2f} {each['ratio']:5.2f}")
