"""The OCF agents before the judges that resource-agents brings: `ocf-tester`, and its schemas of metadata."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from agent_host import VARIANTS, AgentHost
from server_host import ServerHost


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
def directory():
    """Where ocf-tester's nobody, whose permissions it checks, can read the agent: not below tmp_path."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(params=VARIANTS)
def agent(formula, directory, request):
    host = AgentHost(formula, directory)
    host.install(request.param)
    yield host
    host.clean()


@pytest.fixture
def server(formula, directory):
    host = ServerHost(formula, directory)
    yield host
    host.clean()


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


@pytest.mark.parametrize("runs", [False, True])
def test_the_servers_passes_ocf_tester(server, tools, runs):
    if runs:
        server.run("start")
    name = "cloudera-scm-server"
    done = tools(server.environment(), "ocf-tester", "-v", "-n", name, server.script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{server.script} passed all tests" in done.stdout
    assert not server.is_alive()


SCHEMAS = pytest.mark.parametrize(
    "schema", [["--dtdvalid", "ra-api-1.dtd"], ["--relaxng", "metadata.rng"]], ids=lambda it: it[1]
)


@pytest.fixture
def judged(tools, schemas):
    def by(schema, host):
        return tools(
            host.environment(),
            *("xmllint", "--noout", *schema, "-"),
            input=host.run("meta-data").stdout,
            cwd=schemas,
        )

    return by


@SCHEMAS
def test_its_metadata_is_valid(agent, judged, schema):
    done = judged(schema, agent)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@SCHEMAS
def test_the_servers_metadata_is_valid(server, judged, schema):
    done = judged(schema, server)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
