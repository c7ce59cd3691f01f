"""A lab on another machine: Debian 13, and an Ubuntu. Their files are real, the kernel is this machine's."""

import os
import subprocess

import pytest
import turns
from conftest import HERE, own_name

pytestmark = turns.only("elsewhere")

# what a person types there; the lab ends with the machine's first process
STORY = """
    test/lab/ready && exit 1
    set -eu
    test/lab/install
    test/lab/install
    test/lab/ready
    test/lab/up
    test/lab/on master salt cms1 state.apply cmha.packages
    test/lab/on master salt --out=txt '*' grains.get osfinger
    test/lab/down
    echo the end
"""


@pytest.mark.parametrize("release", ["trixie", "ubuntu-24.04"])
def test_a_lab_runs_on(ready, release):
    done = subprocess.run(
        [HERE / "elsewhere", release, "sh", "-c", STORY],
        env={
            **os.environ,
            "LAB": own_name("elsewhere"),
            "LAB_HOSTS": "cms1",
            "LAB_SUITE": "bookworm",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "ready: not installed: mmdebstrap, systemd-container (test/lab/install)" in said
    assert "Failed:    0" in said
    assert "cms1: Debian-12" in said
    assert done.stdout.endswith("the end\n")
