"""Whole labs as they were saved: where they are kept, and the key that says whether they still hold.

A snapshot is a directory: for each host the layer above its image, Salt's and pillar's files of the master,
and what a look at the hosts showed. Its key is made of all that went into it. When one is made, those of the
same lab and state with other keys are removed.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from .settings import FORMULA, LAB

# What a host's disk comes from, and what an orchestration does with it.
LABS_CODE = (
    "image inside-image look-alike look-alikes salt-venv cmhalab cloudera disk pillar salt".split()
)
FORMULAS_CODE = "cmha _beacons _modules _output _runners _states _utils".split()
TREES = ("salt", "pillar")  # of the lab's directory: what the master serves

# What an image has, and what it can install.
CONTENTS = ("var/lib/dpkg/status", "opt/debs/Packages", "opt/rpms/repodata/repomd.xml")

FACTS = "facts.json"


@dataclass(frozen=True)
class Snapshot:
    """One saved lab, or the place where it will be."""

    path: Path

    @property
    def exists(self):
        return self.path.is_dir()

    def layer(self, host):
        return self.path / host

    @property
    def facts(self):
        return json.loads((self.path / FACTS).read_text())

    @contextlib.contextmanager
    def being_made(self):
        """A directory to fill. It becomes the snapshot at the end; nobody else makes the same meanwhile."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kind, _, _ = self.path.name.rpartition(".")
        with open(self.path.with_name(f"{kind}.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.exists:  # somebody else was faster
                yield None
                return
            building = self.path.with_name(f"{self.path.name}.building")
            _remove(building)
            building.mkdir()
            yield building
            _remove_older(self.path.parent.glob(f"{kind}.*/"), building)
            building.rename(self.path)


def of(lab, state, bases, formula):
    """The snapshot of a lab of these settings in a state; ``formula``: whether its files went into it."""
    settings = {
        key: value for key, value in lab.as_dict().items() if key not in ("name", "checkout")
    }
    kind = _digest([json.dumps(settings, sort_keys=True).encode()])
    parts = [
        *(each.encode() for base in dict.fromkeys(bases) for each in _base(base)),
        *_contents(LAB, LABS_CODE),
        *(formula_files() if formula else ()),
    ]
    cache = Path(os.environ.get("CMHA_CACHE", "/var/cache/cmha"))
    return Snapshot(cache / "snapshots" / f"{state}-{kind}.{_digest(parts)}")


def formula_digest():
    """What says whether two checkouts have the same formula."""
    return _digest(formula_files())


def formula_files():
    return _contents(FORMULA, FORMULAS_CODE)


def _base(base):
    """What tells an image, and the Salt for it, from others of the same path."""
    yield str(base.image)
    for path in (Path(base.image) / each for each in CONTENTS):
        if path.exists():
            yield path.read_text()
    yield str(base.venv)
    yield from (path.name for path in Path(base.venv).glob("lib/*/site-packages/salt-*.dist-info"))


def _contents(top, names):
    for name in names:
        place = top / name
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{path.relative_to(top)} {path.stat().st_mode:o}\n".encode()
                yield path.read_bytes()


def _digest(parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()[:12]


def _remove_older(snapshots, but):
    """Removes those that no lab runs from."""
    for snapshot in snapshots:
        if snapshot == but:
            continue
        with contextlib.suppress(OSError):  # in use, or already gone
            held = os.open(snapshot, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(snapshot)
            finally:
                os.close(held)


def _remove(directory):
    shutil.rmtree(directory, ignore_errors=True)
