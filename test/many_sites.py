"""A real salt-master, on this machine's loopback, with sites of two pairs whose hosts are none.

``Master`` gives it this formula and these sites' pillar, and minions from simulated_minions.py: real keys,
sessions and returns over Salt's own channels; what they return is made up.
"""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import salt.cache
import salt.config
import yaml

REPO = Path(__file__).resolve().parents[1]
sys.path.append(str(REPO / "_utils"))

import cib  # noqa: E402
import cmha_master  # noqa: E402
import cmha_site  # noqa: E402
from pillars import site_like  # noqa: E402

DEFAULTS = yaml.safe_load((REPO / "cmha/defaults.yaml").read_text())


def pillar(name):
    return {"cmha": site_like(name, f"{name}-")}


def free_port():
    with socket.socket() as listens:
        listens.bind(("127.0.0.1", 0))
        return listens.getsockname()[1]


class Site:
    """One site: what its pillar says, and what is made of that."""

    def __init__(self, number):
        self.pillar = pillar(f"s{number:04}")
        self.model = cmha_site.site(self.pillar["cmha"], DEFAULTS, cib.check_whole)
        self.minions = [node["id"] for pair in self.model["pairs"] for node in pair["nodes"]]

    def for_minions(self):
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
        self._process = self._minions = None
        self._log, self._quick = self.directory / "salt-master.log", quick
        self.jobs = []  # each a function, how many hosts it reached, and the seconds that each of them takes

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
        files = self.directory / "pillar"
        files.mkdir()
        (files / "top.sls").write_text("base:\n  '*':\n    - cmha\n")
        (files / "cmha.sls").write_text(json.dumps(pillar("{{ grains.id.split('-')[0] }}")))

    def _accept(self):
        """All minions' keys, and what the master has kept of each."""
        keys = self.directory / "minions-keys"
        keys.mkdir()
        made = ("--gen-keys=minion", f"--gen-keys-dir={keys}", "--keysize=2048")
        self._ran("salt-key", *made).check_returncode()
        accepted = Path(self.opts["pki_dir"]) / "minions"
        accepted.mkdir(parents=True)
        cache = salt.cache.factory(self.opts)
        for site in self.sites:
            for minion in site.minions:
                shutil.copy(keys / "minion.pub", accepted / minion)
                self.keep(cache, minion, site.pillar)

    @staticmethod
    def keep(cache, minion, pillar):
        """What a master keeps of a minion that asks for its pillar."""
        grains = {"id": minion, "os_family": "Debian", "oscodename": "bookworm"}
        cache.store("grains", minion, grains)
        cache.store("pillar", minion, pillar)
        # as Salt 3006 keeps it
        cache.store(f"minions/{minion}", "data", {"grains": grains, "pillar": pillar})

    def __enter__(self):
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                # it ends with whoever wants it, also when that is killed
                ["setpriv", "--pdeathsig", "TERM", "salt-master", "-c", str(self.directory)],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_it_listens()
            self._minions = self._signed_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_until_it_listens(self):
        while True:
            with contextlib.suppress(OSError):
                return [
                    socket.create_connection(("127.0.0.1", port)).close()
                    for port in self.ports.values()
                ]
            if self._process.poll() is not None:
                raise RuntimeError(f"salt-master has ended: {self._log.read_text()[-3000:]}")
            time.sleep(0.1)

    def _signed_in(self):
        modules = self.directory / "modules"
        modules.mkdir()
        for kind in cmha_master.SYNCED:
            (modules / kind).symlink_to(REPO / f"_{kind}")
        config = self.directory / "minions.json"
        config.write_text(
            json.dumps(
                {
                    "quick": self._quick,
                    "code": cmha_master.code(str(modules)),
                    "sites": [site.for_minions() for site in self.sites],
                    "opts": {
                        "root_dir": str(self.directory),
                        "sock_dir": self.opts["sock_dir"],
                        "pki_dir": str(self.directory / "minions-keys"),
                        "master_ip": "127.0.0.1",
                        "master_uri": f"tcp://127.0.0.1:{self.ports['ret_port']}",
                        "publish_port": self.ports["publish_port"],
                    },
                }
            )
        )
        log = self.directory / "minions.log"
        with log.open("w") as said:
            minions = subprocess.Popen(
                [sys.executable, str(REPO / "test/simulated_minions.py"), str(config)],
                env={**os.environ, "PYTHONPATH": str(REPO / "test")},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        if minions.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the simulated minions can't sign in: {log.read_text()[-3000:]}")
        threading.Thread(target=self._hear, args=(minions.stdout,), daemon=True).start()
        return minions

    def _hear(self, lines):
        for line in lines:
            self.jobs.append(json.loads(line))

    def __exit__(self, *_):
        if self._minions:
            self._minions.stdin.close()
            self._minions.wait()
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()

    def run(self, *command):
        """A command of salt-run, with data for its output."""
        return self._ran("salt-run", "--out=json", *command)

    def _ran(self, program, *words):
        return subprocess.run(
            [program, "-c", str(self.directory), *words],
            capture_output=True,
            text=True,
            check=False,
        )

    def cost(self, *command):
        """What a command of salt-run costs, which has to go well."""
        del self.jobs[:]
        cpu, own = self._seconds_of_processors(), resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        with Peak(self._process.pid) as peak:
            done = self.run(*command)
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            said = f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{said}")
        return {
            "jobs": len(self.jobs),
            "seconds": round(wall, 2),
            "hosts": round(sum(seconds for _, _, seconds in self.jobs), 2),
            "master_cpu": round(self._seconds_of_processors() - cpu, 2),
            "salt_run_cpu": round(after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime, 2),
            "master_mib": round(peak.bytes / 2**20),
            "salt_run_mib": round(after.ru_maxrss / 2**10),
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
