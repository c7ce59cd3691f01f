"""Running the tools that the lab stands on."""

import subprocess

from .settings import LabError


def run(*command, **options):
    """Runs a command to its end; its output is nobody's business unless it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command], check=False, capture_output=True, text=True, **options
        )
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed: run test/lab/install") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise LabError(f"{' '.join(map(str, command))}: {said[-1] if said else 'failed'}")
    return done.stdout
