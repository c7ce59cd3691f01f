"""A cluster in memory, which answers Pacemaker's commands, for the tests of the `crm` module and state."""

import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

CIB = """
<cib admin_epoch="0" epoch="5" num_updates="3" crm_feature_set="3.16.1" validate-with="pacemaker-3.9">
  <configuration>
    <crm_config/>
    <nodes><node id="1" uname="cms1"/><node id="2" uname="cms2"/></nodes>
    <resources/>
    <constraints/>
  </configuration>
  <status/>
</cib>
"""

MON = """
<pacemaker-result>
  <summary>
    <current_dc present="true" name="cms1" id="1" version="2.1.5" with_quorum="true"/>
    <cluster_options maintenance-mode="false"/>
  </summary>
  <nodes>
    <node name="cms1" id="1" online="true" is_dc="true" resources_running="1"/>
    <node name="cms2" id="2" online="true" is_dc="false" resources_running="0"/>
  </nodes>
  <resources>
    <resource id="cm" resource_agent="lsb:cm" role="Started" active="true" managed="true">
      <node name="cms1" id="1"/>
    </resource>
  </resources>
</pacemaker-result>
"""


def without_version(xml):
    return re.sub(r'(epoch|num_updates)="\d+"', "", xml)


class Cluster:
    """What the commands of Pacemaker do, as far as the module asks for it."""

    def __init__(self):
        self.cib = CIB
        self.mon = MON
        self.dc = "cms1"
        self.node = "cms1"
        self.controller = "S_IDLE"
        self.missing_agents = []
        self.not_understood = []
        self.options = None
        self.simulated = ""
        self.is_running = True
        self.version = (0, "Pacemaker 2.1.5\nWritten by Andrew Beekhof\n")
        self.check = (0, "ok")
        self.watchdog = {}  # by property, what is wrong with this host's SBD
        self.verdict = lambda xml: (0, "")
        self.before_patch = []
        self.commands = []
        self.stdins = []

    def run_all(self, command, stdin=None, **options):
        assert isinstance(command, list)
        assert all(isinstance(word, str) for word in command)
        assert options["python_shell"] is False
        assert options["output_loglevel"] == "quiet"
        self.commands.append(command)
        self.stdins.append(stdin)
        code, text = self.answer(command, stdin) if self.is_running else (102, "")
        output, error = (text, "") if code in (0, 1) else ("", text)
        return {"retcode": code, "stdout": output, "stderr": error, "pid": 1}

    def answer(self, command, stdin):
        return getattr(self, "_" + command[0])(command, stdin)

    def has_agent(self, agent):
        return agent not in self.missing_agents

    def sbd_unfit(self, properties):
        return [line for name, line in self.watchdog.items() if name in properties]

    def agents_faults(self, xml, changes, allowed):
        assert "<cib" in xml
        return [line for line in self.not_understood if not any(name in line for name in allowed)]

    def writes(self):
        return [command for command in self.commands if "--patch" in command]

    def somebody_edits(self, old, new):
        self.cib = self.cib.replace(old, new)
        self.cib = re.sub(
            r'( epoch=")(\d+)', lambda found: f"{found[1]}{int(found[2]) + 1}", self.cib
        )

    def _cibadmin(self, command, stdin):
        return self._patch(stdin) if "--patch" in command else (0, self.cib)

    def _patch(self, stdin):
        if self.before_patch:
            self.before_patch.pop(0)(self)
        patch = ElementTree.fromstring(stdin)
        source, now = patch.find("version/source"), ElementTree.fromstring(self.cib)
        if any(now.get(name) != value for name, value in source.attrib.items()):
            return 103, "Call failed: Update was older than existing configuration"
        if without_version(patch.find("old").text) != without_version(self.cib):
            return 78, "Call failed: Update does not conform to the configured schema"
        self.cib = patch.find("new").text
        self.somebody_edits("", "")
        return 0, ""

    @staticmethod
    def _crm_diff(command, _stdin):
        old, new = (
            Path(command[command.index(option) + 1]).read_text()
            for option in ("--original", "--new")
        )
        patch = ElementTree.Element("diff", {"digest": "of all, the status too"})
        versions = {
            name: ElementTree.fromstring(old).get(name)
            for name in ("admin_epoch", "epoch", "num_updates")
        }
        ElementTree.SubElement(ElementTree.SubElement(patch, "version"), "source", versions)
        ElementTree.SubElement(patch, "old").text = old
        ElementTree.SubElement(patch, "new").text = new
        return 1, ElementTree.tostring(patch, encoding="unicode")

    def _crm_simulate(self, _command, stdin):
        assert "<cib" in stdin
        return 0, self.simulated

    def _crm_verify(self, _command, stdin):
        return self.verdict(stdin)

    def _crmadmin(self, command, _stdin):
        if f"--status={self.dc}" in command:
            return 0, f"Controller on {self.dc} in state {self.controller}: ok"
        return (0, f"Designated Controller is: {self.dc}") if self.dc else (102, "timed out")

    def _crm_mon(self, _command, _stdin):
        return 0, self.mon

    def _crm_node(self, _command, _stdin):
        return 0, self.node + "\n"

    def _pacemakerd(self, _command, _stdin):
        return self.version

    def _crm_resource(self, command, _stdin):
        if "--force-check" in command:
            return self.check
        if "--move" in command and self.mon:
            target = command[command.index("--node") + 1]
            if target != "cms-that-never-starts":
                self.mon = re.sub(
                    r'<node name="\w+" id="\d"/>', f'<node name="{target}" id="2"/>', self.mon
                )
        return 0, ""


@pytest.fixture
def cib(pure):
    return pure("cib")


@pytest.fixture
def cluster():
    return Cluster()


@pytest.fixture
def crm(load_file, beside, pure, cluster, clock, monkeypatch):  # noqa: PLR0917
    """The module, on a cluster in memory, with a clock that doesn't make one wait."""
    utils = {
        f"{name}.{function}": getattr(pure(name), function)
        for name in (
            "cib",
            "cib_fresh",
            "cib_obstacles",
            "cmha_answers",
            "crm_mon",
            "crm_simulate",
            "crm_summary",
            "crm_commands",
            "pacemaker_words",
        )
        for function in dir(pure(name))
        if not function.startswith("_")
    }
    module = load_file(
        "_modules/crm.py",
        salt={
            "cmd.run_all": cluster.run_all,
            "resource_agent.installed": cluster.has_agent,
            "sbd.unfit": cluster.sbd_unfit,
            "crm_agents.faults": cluster.agents_faults,
            "crm_options.known": lambda: cluster.options,
        },
        utils=utils,
        grains={"id": "cms1"},
    )
    monkeypatch.setattr(module.salt.utils.path, "which", lambda name: f"/usr/sbin/{name}")
    monkeypatch.setattr(module, "_CIB_ON_DISK", "/nonexistent/cib.xml")
    monkeypatch.delenv("CIB_file", raising=False)
    beside(module, "crm_refusals", "crm_scheduler")
    moves = load_file("_modules/crm_move.py", salt=module.__salt__, grains={"id": "cms1"})
    for name in ("begin_move", "clear", "cleanup", "settled", "started", "status", "version"):
        # as a test may have put something in its place
        module.__salt__[f"crm.{name}"] = lambda *words, name=name: getattr(module, name)(*words)
    module.__salt__["crm_move.carried_out"] = moves.carried_out
    module.time = moves.time = clock
    return module


@pytest.fixture
def clock():
    """A clock that moves on when someone sleeps. It takes the place of a module's ``time``, and of that
    alone: the test runner's own threads live by the real one."""
    now = [0.0]
    return SimpleNamespace(
        monotonic=lambda: now[0],
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
    )


@pytest.fixture
def members():
    return {
        1: {"address": "10.1.0.11", "status": "joined"},
        2: {"address": "10.1.0.12", "status": "joined"},
    }


@pytest.fixture
def state(load_file, crm, members, clock):
    """The state, on the module, on the cluster in memory. ``state.opts["test"]`` may be set."""
    functions = "apply check dc given_up node plan running settled started status".split()
    salt = {f"crm.{name}": getattr(crm, name) for name in functions}
    salt["corosync.members"] = lambda: members
    salt["page.answers"] = lambda port: port == 7180
    opts = {"test": False}
    module = load_file("_states/crm.py", salt=salt, opts=opts, grains={"id": "cms1"})
    module.opts = opts
    module.time = clock
    return module


@pytest.fixture(autouse=True)
def accepted(monkeypatch):
    """The minions whose key the master has accepted."""

    names = ("h", "cms", "mgmt", "w-cms", "w-mgmt", "qnetd")
    status = {"minions": [f"{name}{number}" for name in names for number in ("", 1, 2)] + ["third"]}
    monkeypatch.setattr(
        "salt.key.get_key", lambda opts: SimpleNamespace(list_status=lambda _: status)
    )
    return status
