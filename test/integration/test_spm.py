"""FORMULA is good for Salt's package manager: what it builds can be installed, and is where Salt looks."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SPM = Path(sys.executable).with_name("spm")


@pytest.fixture
def clone(formula, tmp_path):
    """The formula without what the tests have made Python leave in it, on which Salt 3006's spm stumbles."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    return shutil.copytree(formula, tmp_path / "clone", ignore=ignored, symlinks=True)


@pytest.fixture
def spm(clone, tmp_path):
    config = tmp_path / "etc"
    config.mkdir()
    settings = {
        "root_dir": tmp_path,
        "spm_build_dir": tmp_path / "build",
        "spm_db": tmp_path / "packages.db",
        "spm_logfile": tmp_path / "spm.log",
        "formula_path": tmp_path / "formulas",
        "pillar_path": tmp_path / "pillar",
    }
    text = "".join(f"{key}: {value}\n" for key, value in settings.items())
    (config / "spm").write_text(text)
    (config / "master").write_text(text)

    def run(*words):
        done = subprocess.run(
            [SPM, "--config-dir", config, "--assume-yes", *words],
            cwd=clone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_a_package_holds_the_formula_where_salt_looks_for_it(spm, clone, tmp_path):
    spm("build", ".")
    (package,) = (tmp_path / "build").iterdir()
    spm("local", "install", package)
    installed = tmp_path / "formulas"
    for folder in ("cmha", "_beacons", "_modules", "_output", "_runners", "_states", "_utils"):
        for path in (clone / folder).rglob("*"):
            if path.is_file():
                there = installed / path.relative_to(clone)
                assert there.read_bytes() == path.read_bytes()
    assert not (installed / "test").exists()
    assert (tmp_path / "pillar/cmha.sls.orig").exists()
