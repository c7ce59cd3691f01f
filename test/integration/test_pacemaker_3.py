"""A configuration in Pacemaker 3: its own schema, its own names, and what its tools say of ours."""

import os
import re
import subprocess

import pytest
from conftest import CibFile
from everything import EVERYTHING

GUIDE = {
    "properties": {"no-quorum-policy": "ignore", "stonith-enabled": False},
    "rsc_defaults": {"resource-stickiness": 100},
    "primitives": {"cloudera-scm-server": "lsb:cloudera-scm-server"},
}
# What a new cluster has where Pacemaker was built with a stickiness for it (SUSE)
NEW_CLUSTERS_DEFAULTS = """
<rsc_defaults><meta_attributes id="build-resource-defaults">
<nvpair id="build-resource-stickiness" name="resource-stickiness" value="1"/>
</meta_attributes></rsc_defaults>
"""


@pytest.fixture
def cib_file(pacemaker_3_tools, tmp_path, monkeypatch):
    """A new cluster's CIB in a file, as Pacemaker 3 makes it."""
    monkeypatch.setenv("PATH", f"{pacemaker_3_tools}:{os.environ['PATH']}")
    monkeypatch.setenv("CIB_file", str(tmp_path / "cib.xml"))
    empty = subprocess.run(["cibadmin", "--empty"], capture_output=True, text=True, check=True)
    assert 'validate-with="pacemaker-4' in empty.stdout
    nodes = '<nodes><node id="1" uname="cms1"/><node id="2" uname="cms2"/></nodes>'
    return CibFile(tmp_path / "cib.xml", empty.stdout.replace("<nodes/>", nodes))


@pytest.fixture
def apply(salt_modules, cib_file):
    return salt_modules["crm.apply"]


def spelling(cib_file):
    """By which name this very version knows stonith-enabled."""
    listed = cib_file.run("crm_attribute", "--list-options=cluster", "--all")
    (name,) = set(re.findall(r"\* (stonith-enabled|fencing-enabled):", listed))
    return name


def test_the_guides_configuration_by_the_names_that_it_has(apply, cib_file):
    apply(GUIDE)
    properties = re.findall(r'name="((?:stonith|fencing)[^"]*)" value="([^"]*)"', cib_file.text())
    assert properties == [(spelling(cib_file), "false")]
    cib_file.run("crm_verify", "--xml-file", str(cib_file.path), "--verbose")


@pytest.mark.parametrize("name", ["stonith-enabled", "fencing-enabled"])
def test_the_second_time_nothing_changes_by_whatever_name(apply, cib_file, name):
    apply(GUIDE)
    before = cib_file.text()
    properties = {"no-quorum-policy": "ignore", name: False}
    assert apply({**GUIDE, "properties": properties}) == {"changes": {}}
    assert cib_file.text() == before


def test_what_its_own_tool_has_set_is_gone_on_with(apply, cib_file):
    cib_file.run("crm_attribute", "--name", spelling(cib_file), "--update", "true")
    apply(GUIDE)
    assert len(re.findall(r'name="(?:stonith|fencing)-enabled"', cib_file.text())) == 1
    told = cib_file.run("crm_attribute", "--name", spelling(cib_file), "--query", "--quiet")
    assert told.strip() == "false"


def test_a_new_clusters_defaults_are_taken_over(apply, cib_file, cib):
    text = cib_file.text().replace("<constraints/>", f"<constraints/>{NEW_CLUSTERS_DEFAULTS}")
    cib_file.path.write_text(text)
    defaults = {"resource-stickiness": "100", "migration-threshold": "3"}
    apply({**GUIDE, "rsc_defaults": defaults})
    sets = re.findall(r'<meta_attributes id="([^"]*)"', cib_file.text())
    assert sets == ["build-resource-defaults"]
    assert cib.model(cib_file.run("cibadmin", "--query"))["rsc_defaults"] == defaults


def test_every_section_and_every_short_form(apply, cib_file):
    changes = apply(EVERYTHING)["changes"]
    assert len(changes) > 40
    assert apply(EVERYTHING) == {"changes": {}}
