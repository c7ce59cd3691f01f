"""Booted hosts for the tests. Without what they need, the tests say so and are skipped.

A file says from which state of the lab its tests begin: ``pytestmark = pytest.mark.lab(begins="converged")``.
"""

import contextlib
import json
import os
import subprocess
import time
from pathlib import Path

import activity
import evidence
import pytest
import times
from cmhalab import inside, settings, states

# what they ask of a pair is shown when it isn't so, as a test's own
pytest.register_assert_rewrite("day_two", "guide")

HERE = Path(__file__).parent
CMS = ["cms1", "cms2"]
MGMT = ["mgmt1", "mgmt2"]
HOSTS = CMS + MGMT


class Lab:
    """The lab's commands, and what tests ask of it again and again."""

    of_this_process = []  # noqa: RUF012  # a test that fails leaves what they all have to say

    def __init__(self, name, **environment):
        self.environment = {**os.environ, "LAB": name, **environment}
        self.begins = None  # the state to which it was put back last
        self.spent = {}  # by command: how often, and for how many seconds in all
        self.of_this_process.append(self)

    def run(self, command, *arguments, check=True, stdin=""):
        """A command of test/lab. With check, a failure fails the test and shows what it printed."""
        on_a_host = command == "on" and arguments[1:]
        with self._timed(*(on_a_host or (command, *arguments))):
            done = subprocess.run(
                [str(HERE / command), *arguments],
                env=self.environment,
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
            )
        return self._checked(done, command, arguments) if check else done

    def on(self, host, *command, check=True):
        """A command on a host; its output, without the last newline."""
        done = self._attempt(host, command)
        return (self._checked(done, host, command) if check else done).stdout.rstrip("\n")

    def code(self, host, *command):
        """A command on a host; its exit code."""
        return self._attempt(host, command).returncode

    def _attempt(self, host, command):
        """What test/lab/on does, some thousand times in a run, without a Python of its own."""
        lab = settings.from_environment(self.environment)
        states.touch(lab)
        with self._timed(*command):
            return inside.attempt(lab, host, *command)

    @contextlib.contextmanager
    def _timed(self, *command):
        """Notes how long a command takes, by its first word; of Salt also by the function, of restore by the
        state."""
        words = [Path(command[0]).name, *(each for each in command[1:] if each[0:1].isalpha())]
        more = {"salt-run": words[1:2], "restore": words[1:2], "salt": words[2:3]}.get(words[0], [])
        name = " ".join([words[0], *more])
        began = time.monotonic()
        try:
            yield
        finally:
            spent = self.spent.setdefault(name, [0, 0])
            spent[0] += 1
            spent[1] += time.monotonic() - began

    @staticmethod
    def _checked(done, what, arguments):
        if done.returncode:
            pytest.fail(
                f"{what} {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def salt(self, hosts, function, *arguments, check=True):
        """An execution module's answers, by host."""
        answer = self.on(
            "master", "salt", "--timeout=60", "-L", ",".join(hosts), "--out=json", "--static",
            function, *arguments, check=check,
        )  # fmt: skip
        return json.loads(answer)

    def state(self, hosts, *arguments):
        """state.apply: the results of each host, by state id."""
        answers = self.salt(hosts, "state.apply", *arguments, check=False)
        return {host: by_id(answer) for host, answer in answers.items()}

    def orchestrate(self, *arguments):
        """The orchestration: its exit code, its steps by name, and all that it printed."""
        done = self.run(
            "on", "master", "salt-run", "--out=json", "state.orch", "cmha.orchestrate", *arguments,
            check=False,
        )  # fmt: skip
        return Orchestration(done)

    def runner(self, function, *arguments):
        """A runner's report: its exit code, and its data."""
        done = self.run("on", "master", "salt-run", "--out=json", function, *arguments, check=False)
        if "{" not in done.stdout:
            pytest.fail(f"{function}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.returncode, json.loads(done.stdout[done.stdout.index("{") :])

    def faults(self, *which):
        """What status finds to say, in lines, the master's first; none when all is well."""
        code, data = self.runner("cmha.status", *which)
        pairs = [pair for site in data["sites"].values() for pair in site.values()]
        lines = data["errors"] + [line for pair in pairs for line in pair["problems"]]
        return lines if lines or code == 0 else [f"nothing, but exit {code}"]

    def shown(self, function, *arguments):
        """What a runner prints for people, and on standard error."""
        done = self.run("on", "master", "salt-run", function, *arguments, check=False)
        return done.stdout, done.stderr

    @contextlib.contextmanager
    def client(self, addresses=("192.0.2.11", "192.0.2.12")):
        """A client asks for Cloudera Manager's page all the time; gives what it has seen, afterwards."""
        script, seen = (HERE / "client.py").read_text(), {}
        with subprocess.Popen(
            [str(HERE / "on"), "master", "python3", "-c", script, *addresses],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as asking:
            assert asking.stdout.readline() == "asking\n"
            yield seen
            seen.update(json.loads(asking.communicate()[0]))

    def active(self, since):
        """Since a time (time.monotonic), when was each service active where: see activity.py."""
        lab = settings.from_environment(self.environment)
        return activity.read(lab.shared / activity.LOG, since)

    def write_pillar(self, text, hosts=HOSTS):
        """Another pillar for the lab's site; every host has it afterwards."""
        self.on("master", "sh", "-c", 'printf %s "$1" > /srv/pillar/cmha.sls', "sh", text)
        self.salt(hosts, "saltutil.refresh_pillar", "wait=True")

    def keep_to_cms(self):
        """A site of one pair, where there are hosts for no more."""
        site = self.on("master", "cat", "/srv/pillar/cmha.sls")
        self.write_pillar(site[: site.index("    mgmt:")], CMS)

    def cib(self, host):
        return self.on(host, "cibadmin", "--query")

    def started(self, host, resource):
        return self.salt([host], "crm.started", resource)[host]


class Orchestration:
    def __init__(self, done):
        self.code = done.returncode
        self.printed = done.stdout + done.stderr
        start = done.stdout.find("{")
        data = json.loads(done.stdout[start:])["data"]
        (steps,) = (by_id(states) for states in data.values())
        self.warnings = [name for name in steps if name.startswith("warning: ")]
        self.steps = {name: steps[name] for name in steps if name not in self.warnings}

    @property
    def failed(self):
        """The steps that failed themselves, not those that never began."""
        return [
            name
            for name, step in self.steps.items()
            if step["result"] is False and "requisite" not in step["comment"]
        ]

    @property
    def changed(self):
        """The ids of the states that changed, or would change, something, by step and host."""
        return {
            name: {host: changed_ids(states) for host, states in step["changes"]["ret"].items()}
            for name, step in self.steps.items()
            if "ret" in step["changes"]
        }

    @property
    def restarted(self):
        """What the running pairs took in, by step: by host how, and what of corosync.conf or packages."""
        return {
            name: step["changes"]
            for name, step in self.steps.items()
            if step["changes"] and "ret" not in step["changes"]
        }


def changed_ids(states):
    """The ids of the states that changed, or would change, something."""
    return [name for name, state in by_id(states).items() if state["changes"]]


def by_id(states):
    """State results by id, in the order in which they ran; a text (an error) as it is."""
    if not isinstance(states, dict):
        return states
    ran = sorted(states.items(), key=lambda item: item[1].get("__run_num__", 0))
    return {key.split("_|-")[1]: state for key, state in ran}


@pytest.fixture(scope="session")
def ready():
    """Skips what needs a lab where none can run, and says why."""
    asked = subprocess.run([str(HERE / "ready")], capture_output=True, text=True, check=False)
    if asked.returncode == 69:
        pytest.skip(f"no lab here: {asked.stderr.strip()}")


@pytest.fixture(scope="session")
def standing(ready):
    """The one lab of this process, bare. CMHA_LAB names a lab that stands already, and goes on standing."""
    if "CMHA_LAB" in os.environ:
        lab = Lab(os.environ["CMHA_LAB"])
        lab.run("up")
        yield lab
        if lab.begins:  # so that the next try needn't wait for it
            lab.run("restore", lab.begins)
        return
    with booted(own_name("test")) as lab:
        yield lab


@contextlib.contextmanager
def booted(name, **environment):
    """A lab for the body alone. It ends with this process, too."""
    lab = Lab(name, **environment)
    lab.run("down")
    try:
        lab.run("up", "--die-with", str(os.getpid()))
        yield lab
    finally:
        lab.run("down")


@contextlib.contextmanager
def booted_pair(name, **environment):
    """A lab of one pair, of this process alone."""
    with booted(own_name(name), LAB_HOSTS=" ".join(CMS), **environment) as lab:
        lab.keep_to_cms()
        yield lab


def own_name(name):
    """The name of a lab that no other process of this run has."""
    return "-".join([name, *os.environ.get("PYTEST_XDIST_WORKER", "").split()])


@pytest.fixture(scope="module")
def lab(standing, request):
    """The lab, put back to the state from which the tests of this file begin."""
    standing.begins = request.node.get_closest_marker("lab").kwargs["begins"]
    standing.run("restore", standing.begins)
    return standing


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    for lab in Lab.of_this_process:
        report.user_properties.append((times.OF_THE_LAB, dict(lab.spent)))
        lab.spent.clear()
    if report.failed:
        for lab in Lab.of_this_process:
            kept = evidence.keep(settings.from_environment(lab.environment), item.nodeid)
            if kept:
                report.sections.append(("what its hosts have to say", str(kept)))
    return report
