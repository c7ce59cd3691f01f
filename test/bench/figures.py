"""Where the figures of all benchmarks go: to bench.json, or to $CMHA_BENCH."""

import json
import os
from pathlib import Path


def keep(anew=False, **rows):
    """Beside what the other tables have written, or in their place."""
    path = Path(os.environ.get("CMHA_BENCH", "bench.json"))
    before = json.loads(path.read_text()) if path.exists() and not anew else {}
    path.write_text(json.dumps({**before, **rows}, indent=1) + "\n")
