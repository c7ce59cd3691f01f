"""Pacemaker's own tools and crmsh, unpacked but not installed, on a CIB in a file."""

import os
import subprocess
from pathlib import Path

import jinja2
import pytest
import salt.config
import salt.loader

FORMULA = Path(__file__).resolve().parents[2]

EMPTY_CIB = """
<cib admin_epoch="0" epoch="1" num_updates="0" crm_feature_set="3.16.1"
     validate-with="pacemaker-3.9" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config/>
    <nodes><node id="1" uname="cms1"/><node id="2" uname="cms2"/></nodes>
    <resources/>
    <constraints/>
  </configuration>
  <status/>
</cib>
"""


@pytest.fixture(scope="session")
def pacemaker_tools():
    """The directory that holds the tools."""
    return _tools()


@pytest.fixture(scope="session")
def pacemaker_3_tools():
    """The directory that holds Pacemaker 3's own tools, of Debian 13."""
    return _tools("--suite", "trixie")


def _tools(*options):
    found = subprocess.run(
        [FORMULA / "test/tools/pacemaker-tools", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        why = found.stderr.strip().splitlines() or ["no reason given"]
        pytest.skip(f"needs Pacemaker's tools from Debian's packages: {why[-1]}")
    return found.stdout.strip()


class CibFile:
    """A CIB in a file, on which the tools work as on a live cluster."""

    def __init__(self, path, text=EMPTY_CIB):
        self.path = path
        path.write_text(text)

    def text(self):
        return self.path.read_text()

    def run(self, *command, stdin="", check=True):
        done = subprocess.run(
            command,
            input=stdin,
            timeout=60,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "CIB_file": str(self.path)},
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done.stdout

    def crm(self, line):
        """One literal crm command; forced, for its agents aren't installed here."""
        return self.run("crm", "-F", *line.split())


@pytest.fixture
def cib_file(pacemaker_tools, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{pacemaker_tools}:{os.environ['PATH']}")
    monkeypatch.setenv("CIB_file", str(tmp_path / "cib.xml"))
    return CibFile(tmp_path / "cib.xml")


@pytest.fixture
def another_cib_file(cib_file, tmp_path):
    return CibFile(tmp_path / "another.xml")


@pytest.fixture(scope="session")
def corosync_conf():
    """The corosync.conf that a node of a pair gets, fitted to its Corosync."""

    def printed(cmha, node):
        source = (FORMULA / "cmha/files" / cmha["conf_template"]).read_text()
        return jinja2.Template(source).render(cmha={**cmha, "site": "east", "node": node})

    return printed


@pytest.fixture
def cib(pure):
    return pure("cib")


@pytest.fixture(scope="session")
def minion_opts(tmp_path_factory):
    home = tmp_path_factory.mktemp("minion")
    opts = salt.config.minion_config(None)
    opts.update(
        id="cms1",
        file_client="local",
        cachedir=str(home / "cache"),
        extension_modules=str(home / "extmods"),
        module_dirs=[str(FORMULA / "_modules")],
        utils_dirs=[str(FORMULA / "_utils")],
        states_dirs=[str(FORMULA / "_states")],
    )
    opts["grains"] = {
        "id": "cms1",
        "kernel": "Linux",
        "os": "Debian",
        "os_family": "Debian",
        "osrelease": "12",
        "osmajorrelease": 12,
    }
    return opts


@pytest.fixture(scope="session")
def salt_utils(minion_opts):
    return salt.loader.utils(minion_opts)


@pytest.fixture(scope="session")
def salt_modules(minion_opts, salt_utils):
    """Execution modules as Salt's own loader gives them to a minion."""
    return salt.loader.minion_mods(minion_opts, utils=salt_utils)


@pytest.fixture
def salt_states(minion_opts, salt_utils, salt_modules):
    serializers = salt.loader.serializers(minion_opts)
    return salt.loader.states(minion_opts, salt_modules, salt_utils, serializers)
