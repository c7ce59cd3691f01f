"""A lab for a benchmark: there while it measures, and gone afterwards."""

import subprocess

import conftest


def measured(measure, what, name, **environment):
    """What ``measure`` returns of a fresh lab; ``None`` where none can run, which a line says."""
    if subprocess.run([str(conftest.HERE / "ready")], capture_output=True, check=False).returncode:
        print(f"\nno lab can run here: {what} measured")
        return None
    lab = conftest.Lab(name, **environment)
    lab.run("down")
    try:
        return measure(lab)
    finally:
        lab.run("down")
