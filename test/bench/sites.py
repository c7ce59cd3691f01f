"""What many sites cost, against one: jobs, seconds, processors and memory, as sites grow in number.

    make bench-sites               SITES="1 10 50 250"; QUICK=1: hosts answer at once

A real salt-master on this machine's loopback, with this formula and sites of two pairs each; and minions that
are none (test/bench/swarm.py): real keys, sessions and returns over Salt's own channels. What they return is
made up, after the seconds that the lab's hosts took. So this measures Salt and cmha, and no host; "own" is
the time of the whole without that of the hosts, which take as long at one site as at many, side by side. The
swarm has the same processors as the master.

First all pairs are bare; then there is nothing to do; then comes status. A last line gives the growth: the
power of the number of sites by which a figure grows (0 not at all, 1 as the number itself). To bench.json (or
$CMHA_BENCH) goes ``sites``.
"""

import contextlib
import json
import math
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import salt.cache
import salt.config
import salt.crypt
import yaml

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / "_utils"), str(REPO / "test")]

import cib  # noqa: E402
import cmha_master  # noqa: E402
import cmha_site  # noqa: E402

ORCHESTRATE = ("state.orch", "cmha.orchestrate")

PAIRS = """\
    cms:
      role: server
      cluster_name: cmf
      nodes:
        {0}-cms1: {{nodeid: 1, address: 192.0.2.11}}
        {0}-cms2: {{nodeid: 2, address: 192.0.2.12}}
    mgmt:
      role: agent
      cluster_name: mgmt
      nodes:
        {0}-mgmt1: {{nodeid: 1, address: 192.0.2.21}}
        {0}-mgmt2: {{nodeid: 2, address: 192.0.2.22}}
"""
PILLAR = "cmha:\n  site: {0}\n  pairs:\n" + PAIRS


def free_port():
    with socket.socket() as listens:
        listens.bind(("127.0.0.1", 0))
        return listens.getsockname()[1]


class Site:
    """One site: what its pillar says, and what is made of that."""

    def __init__(self, number, defaults):
        self.name = f"s{number:04}"
        self.pillar = yaml.safe_load(PILLAR.format(self.name))
        self.model = cmha_site.site(self.pillar["cmha"], defaults, cib.check_whole)
        self.minions = [node["id"] for pair in self.model["pairs"] for node in pair["nodes"]]

    def for_swarm(self):
        pairs = [
            {
                **{key: pair[key] for key in ("pair", "resource", "port", "nodes")},
                "agent": pair["pacemaker"]["primitives"][pair["resource"]]["agent"],
            }
            for pair in self.model["pairs"]
        ]
        return {"digest": cmha_site.digest(self.pillar["cmha"]), "pairs": pairs}


class Master:
    """A salt-master in a directory, with these sites' minions signed in."""

    def __init__(self, directory, sites, quick):
        self.directory, self.sites = Path(directory), sites
        self.ports = {"publish_port": free_port(), "ret_port": free_port()}
        self._write_config()
        self.opts = salt.config.master_config(str(self.directory / "master"))
        self._accept()
        self._process = self._swarm = None
        self._quick = quick

    def _write_config(self):
        config = {
            "root_dir": str(self.directory),
            "interface": "127.0.0.1",
            **self.ports,
            "sock_dir": str(self.directory / "sock"),
            "file_roots": {"base": [str(REPO)]},
            "pillar_roots": {"base": [str(self.directory / "pillar")]},
            "user": "root",
            "log_level": "error",
            "log_level_logfile": "error",
            "keysize": 2048,
        }
        (self.directory / "master").write_text(json.dumps(config))
        pillar = self.directory / "pillar"
        pillar.mkdir()
        (pillar / "top.sls").write_text("base:\n  '*':\n    - cmha\n")
        of_minion = PILLAR.format("{{ grains.id.split('-')[0] }}")
        (pillar / "cmha.sls").write_text(of_minion)

    def _accept(self):
        """All minions' keys, and what the master keeps of a minion that has asked for its pillar once."""
        keys = self.directory / "minions-keys"
        keys.mkdir()
        salt.crypt.write_keys(str(keys), "minion", 2048)
        accepted = Path(self.opts["pki_dir"]) / "minions"
        accepted.mkdir(parents=True)
        cache = salt.cache.factory(self.opts)
        for site in self.sites:
            for minion in site.minions:
                shutil.copy(keys / "minion.pub", accepted / minion)
                grains = {"id": minion, "os_family": "Debian", "oscodename": "bookworm"}
                cache.store("grains", minion, grains)
                cache.store("pillar", minion, site.pillar)

    def __enter__(self):
        self._process = subprocess.Popen(
            ["salt-master", "-c", str(self.directory)], start_new_session=True
        )
        self._wait_until_it_listens()
        self._swarm = self._signed_in()
        return self

    def _wait_until_it_listens(self):
        while True:
            with contextlib.suppress(OSError):
                return [
                    socket.create_connection(("127.0.0.1", port)).close()
                    for port in self.ports.values()
                ]
            if self._process.poll() is not None:
                sys.exit("salt-master ended")
            time.sleep(0.1)

    def _signed_in(self):
        modules = self.directory / "modules"
        modules.mkdir()
        for kind in cmha_master.SYNCED:
            (modules / kind).symlink_to(REPO / f"_{kind}")
        config = self.directory / "swarm.json"
        config.write_text(
            json.dumps(
                {
                    **self.ports,
                    "pki_dir": str(self.directory / "minions-keys"),
                    "quick": self._quick,
                    "code": cmha_master.code(str(modules)),
                    "sites": [site.for_swarm() for site in self.sites],
                    "minion": {"root_dir": str(self.directory), "sock_dir": self.opts["sock_dir"]},
                }
            )
        )
        swarm = subprocess.Popen(
            [sys.executable, str(REPO / "test/bench/swarm.py"), str(config)],
            env={**os.environ, "PYTHONPATH": str(REPO / "test")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if swarm.stdout.readline().strip() != "ready":
            sys.exit("the simulated minions can't sign in")
        self.jobs = []
        threading.Thread(target=self._hear, args=(swarm.stdout,), daemon=True).start()
        return swarm

    def _hear(self, lines):
        for line in lines:
            self.jobs.append(json.loads(line))

    def __exit__(self, *_):
        if self._swarm:
            self._swarm.stdin.close()
            self._swarm.wait()
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()

    def run(self, *command):
        """What a command of salt-run costs, which has to go well."""
        del self.jobs[:]
        cpu, own = self._seconds_of_processors(), resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        with Peak(self._process.pid) as peak:
            done = subprocess.run(
                ["salt-run", "-c", str(self.directory), "--out=json", *command],
                capture_output=True,
                text=True,
                check=False,
            )
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(
                f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
            )
        return {
            "jobs": len(self.jobs),
            "seconds": round(wall, 2),
            "hosts": round(sum(seconds for _, _, seconds in self.jobs), 2),
            "master_cpu": round(self._seconds_of_processors() - cpu, 2),
            "salt_run_cpu": round(after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime, 2),
            "master_mib": round(peak.bytes / 2**20),
            "salt_run_mib": round(after.ru_maxrss / 2**10),
            "of_job": self.jobs[:],
        }

    def _seconds_of_processors(self):
        ticks = 0
        for pid in family(self._process.pid):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(int(each) for each in fields[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")


def family(pid):
    """A process and all that descend from it."""
    found, left = [], [pid]
    while left:
        found.append(left.pop())
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{found[-1]}/task").iterdir():
                left += map(int, (task / "children").read_text().split())
    return found


class Peak:
    """The most memory that a family of processes has, what they share counted once."""

    def __init__(self, pid):
        self.bytes, self._pid, self._ended = 0, pid, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _look(self):
        while not self._ended.wait(1):
            total = 0
            for pid in family(self._pid):
                with contextlib.suppress(OSError, AttributeError):
                    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                    total += int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) * 1024
            self.bytes = max(self.bytes, total)


def measured(number, quick):
    """What a number of sites costs: at first, and then with nothing to do."""
    defaults = yaml.safe_load((REPO / "cmha/defaults.yaml").read_text())
    sites = [Site(each, defaults) for each in range(number)]
    with (
        tempfile.TemporaryDirectory(prefix="cmha-bench-sites-") as directory,
        Master(directory, sites, quick) as master,
    ):
        print(f"{number} sites: the first time", file=sys.stderr)
        first = master.run(*ORCHESTRATE)
        print(f"{number} sites: nothing to do", file=sys.stderr)
        again = master.run(*ORCHESTRATE)
        return {"first": first, "nothing": again, "status": master.run("cmha.status")}


def growth(rows, what, key):
    """The power of the number of sites by which a figure grows, by least squares."""
    points = [
        (math.log(number), math.log(max(row[what][key], 0.01))) for number, row in rows.items()
    ]
    if len(points) < 2:
        return 0
    mean_x, mean_y = (sum(each) / len(points) for each in zip(*points))
    across = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / across


COLUMNS = ("jobs", "seconds", "own", "master_cpu", "salt_run_cpu", "master_mib", "salt_run_mib")


def kept(rows):
    path = Path(os.environ.get("CMHA_BENCH", "bench.json"))
    before = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**before, "sites": rows}, indent=1) + "\n")


def main():
    numbers = [int(each) for each in os.environ.get("SITES", "1 10 50 250").split()]
    quick = bool(os.environ.get("QUICK"))
    rows = {number: measured(number, quick) for number in numbers}
    for row in rows.values():
        for what, figures in row.items():
            least = rows[numbers[0]][what]["hosts"]
            figures["own"] = round(figures["seconds"] - (0 if quick else least), 2)
    for what in ("first", "nothing", "status"):
        print(f"\n{what:10}" + "".join(f"{each:>14}" for each in COLUMNS))
        for number, row in rows.items():
            print(f"{number:10}" + "".join(f"{row[what][each]:14}" for each in COLUMNS))
        print(f"{'growth':10}" + "".join(f"{growth(rows, what, each):14.2f}" for each in COLUMNS))
    kept(rows)


if __name__ == "__main__":
    main()
