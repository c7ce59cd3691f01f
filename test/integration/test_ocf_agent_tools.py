"""The OCF agent before the judges that resource-agents brings: `ocf-tester`, and its schemas of metadata."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from agent_host import VARIANTS, AgentHost


@pytest.fixture(scope="module")
def tools(pacemaker_tools):
    """Runs a tool on the path; those of the machine itself need resource-agents and libxml2-utils there."""
    path = f"{pacemaker_tools}:{os.environ['PATH']}"
    for tool in ("ocf-tester", "xmllint"):
        if not shutil.which(tool, path=path):
            pytest.skip(f"needs {tool}")

    def run(environment, *command, **options):
        environment = {**environment, "PATH": f"{pacemaker_tools}:{environment['PATH']}"}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, **options
        )

    return run


@pytest.fixture(scope="module")
def schemas(pacemaker_tools):
    found = Path(pacemaker_tools).parent / "usr/share/resource-agents"
    return found if found.exists() else Path("/usr/share/resource-agents")


@pytest.fixture
def host(formula):
    """Where ocf-tester's nobody, whose permissions it checks, can read the agent: not below tmp_path."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    host = AgentHost(formula, directory)
    yield host
    host.clean()
    shutil.rmtree(directory)


@pytest.fixture(params=VARIANTS)
def agent(host, request):
    host.install(request.param)
    return host


@pytest.mark.parametrize("state", ["stopped", "running", "failed"])
def test_it_passes_ocf_tester(agent, tools, state):
    if state != "stopped":
        agent.run("start")
    agent.set("agent", state)
    name = "cloudera-scm-agent"
    done = tools(agent.environment(), "ocf-tester", "-v", "-n", name, agent.script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{agent.script} passed all tests" in done.stdout
    assert not agent.has_roles()


@pytest.mark.parametrize(
    "schema", [["--dtdvalid", "ra-api-1.dtd"], ["--relaxng", "metadata.rng"]], ids=lambda it: it[1]
)
def test_its_metadata_is_valid(agent, tools, schemas, schema):
    metadata = agent.run("meta-data").stdout
    done = tools(
        agent.environment(), "xmllint", "--noout", *schema, "-", input=metadata, cwd=schemas
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
