"""How long a configuration of N resources takes, ours and others' ways, in one run, as ratios.

    make bench                     a table, and its data as JSON in bench.json (or $CMHA_BENCH)

On a CIB in a file, with Pacemaker's own tools, so that no cluster's work is in the figures. Each figure is
the median of several runs; where a way would take minutes, a part of its commands is run and the rest
reckoned, which the table says. Every row of a table comes from the same run: compare within it alone.

ours    the module crm, called in a process that has Salt loaded, as in a state run
floor   cibadmin --query, crm_diff, cibadmin --patch: what the same change costs at least
crmsh   one crm command an object
pcs     linux-system-roles/ha_cluster's way: one pcs -f an object, then crm_diff and a patch
load    salt-shaptools' way: crm configure load update, each time, whether or not something differs
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import figures
import salt.config
import salt.loader

FORMULA = Path(__file__).resolve().parents[2]
TOOLS = FORMULA / "test/tools/pacemaker-tools"
SIZES = (1, 10, 100, 1000)
RUNS = 5
MOST_COMMANDS = 10  # of those that a slow way starts

EMPTY = (
    '<cib admin_epoch="0" epoch="1" num_updates="0" crm_feature_set="3.16.1"'
    ' validate-with="pacemaker-3.9" have-quorum="1" dc-uuid="1"><configuration><crm_config>'
    '<cluster_property_set id="cib-bootstrap-options"><nvpair id="cib-bootstrap-options-stonith-enabled"'
    ' name="stonith-enabled" value="false"/></cluster_property_set></crm_config>'
    '<nodes><node id="1" uname="cms1"/></nodes><resources/><constraints/></configuration><status/></cib>'
)


def declared(size, priority=1):
    """N resources; the last one with another priority is the one change."""
    primitives = {
        f"r{number}": {
            "agent": "ocf:pacemaker:Dummy",
            "params": {"fake": number},
            "meta": {"priority": 1},
            "operations": {"monitor": {"interval": "10s", "timeout": "20s"}},
        }
        for number in range(size)
    }
    primitives[f"r{size - 1}"]["meta"]["priority"] = priority
    return {"primitives": primitives}


class Workshop:
    """A CIB in a file, and the processes that work on it."""

    def __init__(self, directory, tools):
        self.directory = Path(directory)
        self.cib = self.directory / "cib.xml"
        os.environ["CIB_file"] = str(self.cib)  # noqa: SIM112  # Pacemaker spells it so
        os.environ["PATH"] = f"{tools}:{os.environ['PATH']}"
        self.crm = self._loaded()

    def run(self, *command, stdin=None, check=True):
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, timeout=600
        )
        if check and done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
        return done.stdout

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return str(path)

    def _loaded(self):
        opts = salt.config.minion_config(None)
        opts.update(
            id="cms1",
            file_client="local",
            cachedir=str(self.directory / "cache"),
            extension_modules=str(self.directory / "extmods"),
            module_dirs=[str(FORMULA / "_modules")],
            utils_dirs=[str(FORMULA / "_utils")],
            grains={"id": "cms1", "kernel": "Linux", "os_family": "Debian", "os": "Debian"},
        )
        modules = salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))
        modules["crm.installed"]()  # loads what is loaded once
        return modules


# --- the ways ------------------------------------------------------------------------------------


class Ours:
    name = "ours"

    def __init__(self, shop, size):
        self._shop = shop

    def apply(self, wanted):
        self._shop.crm["crm.apply"](wanted)
        return 1


class Floor:
    """Knows the new CIB beforehand: nothing is computed but by Pacemaker's tools."""

    name = "floor"

    def __init__(self, shop, size):
        self._shop = shop
        self._utils = salt.loader.utils(shop.crm.opts)

    def prepare(self, wanted):
        difference = self._utils["cib.difference"](self._shop.cib.read_text(), wanted)
        self._new = difference["xml"] and self._shop.write("new.xml", difference["xml"])

    def apply(self, _wanted):
        old = self._shop.write("old.xml", self._shop.run("cibadmin", "--query"))
        if self._new:
            diff = ("crm_diff", "--no-version", "--original", old, "--new", self._new)
            patch = self._shop.run(*diff, check=False)
            self._shop.run("cibadmin", "--patch", "--xml-pipe", stdin=patch)
        return 1


class OneByOne:
    """One command an object. Runs a part of them where there are many, and says which part."""

    def __init__(self, shop, size):
        self._shop = shop

    def apply(self, wanted):
        objects = list(wanted["primitives"].items())
        some = objects[-MOST_COMMANDS:]
        for identifier, primitive in some:
            self.one(identifier, primitive)
        return len(objects) / len(some)


class Crmsh(OneByOne):
    name = "crmsh"

    def one(self, identifier, primitive):
        shown = self._shop.run("crm", "configure", "show", identifier, check=False)
        priority = str(primitive["meta"]["priority"])
        if not shown:
            self._shop.run("crm", "-F", "configure", *_crm_words(identifier, primitive))
        elif f"priority={priority}" not in shown:
            self._shop.run("crm", "resource", "meta", identifier, "set", "priority", priority)


class Pcs(OneByOne):
    name = "pcs"

    def apply(self, wanted):
        old = self._shop.write("old.xml", self._shop.run("cibadmin", "--query"))
        work = self._shop.write("work.xml", EMPTY)
        self._work = work
        scale = super().apply(wanted)
        diff = ("crm_diff", "--no-version", "--original", old, "--new", work)
        self._shop.run(*diff, check=False)
        return scale

    def one(self, identifier, primitive):
        self._shop.run(
            "pcs", "-f", self._work, "resource", "create", identifier, primitive["agent"],
            f"fake={primitive['params']['fake']}", "op", "monitor", "interval=10s", "timeout=20s",
            "meta", f"priority={primitive['meta']['priority']}", "--force", "--no-default-ops",
        )  # fmt: skip


class Load:
    name = "load"

    def __init__(self, shop, size):
        self._shop = shop

    def apply(self, wanted):
        lines = [" ".join(_crm_words(*each)) for each in wanted["primitives"].items()]
        text = self._shop.write("cluster.config", "\n".join(lines) + "\n")
        self._shop.run("crm", "-F", "-n", "configure", "load", "update", text)
        return 1


def _crm_words(identifier, primitive):
    return [
        "primitive", identifier, primitive["agent"], "params", f"fake={primitive['params']['fake']}",
        "meta", f"priority={primitive['meta']['priority']}",
        "op", "monitor", "interval=10s", "timeout=20s",
    ]  # fmt: skip


# --- measuring -----------------------------------------------------------------------------------


def used():
    mine, theirs = (
        resource.getrusage(resource.RUSAGE_SELF),
        resource.getrusage(resource.RUSAGE_CHILDREN),
    )
    return sum(each.ru_utime + each.ru_stime for each in (mine, theirs))


def measured(way, shop, before, wanted):
    """Median seconds, CPU seconds and the share of commands that were run."""
    seconds, cpu = [], []
    slow = isinstance(way, (OneByOne, Load))
    for _ in range(1 if slow and len(wanted["primitives"]) > MOST_COMMANDS else RUNS):
        shop.cib.write_text(before)
        if hasattr(way, "prepare"):
            way.prepare(wanted)
        start, start_cpu = time.perf_counter(), used()
        scale = way.apply(wanted)
        seconds.append((time.perf_counter() - start) * scale)
        cpu.append((used() - start_cpu) * scale)
    return {"seconds": statistics.median(seconds), "cpu": statistics.median(cpu), "scale": scale}


def bench(shop, ways, sizes):
    rows = []
    for size in sizes:
        shop.cib.write_text(EMPTY)
        shop.crm["crm.apply"](declared(size))
        full = shop.cib.read_text()
        cases = {
            "first apply": (EMPTY, declared(size)),
            "one change": (full, declared(size, priority=2)),
            "no change": (full, declared(size)),
        }
        for case, (before, wanted) in cases.items():
            row = {"resources": size, "case": case, "ways": {}}
            for make in ways:
                print(f"{size} resources, {case}: {make.name}", file=sys.stderr)
                row["ways"][make.name] = measured(make(shop, size), shop, before, wanted)
            rows.append(row)
    return rows


def table(rows):
    names = list(rows[0]["ways"])
    others = [name for name in names if name not in ("ours", "floor")]
    yield (
        f"{'resources':>9} {'case':12} {'ours':>9} {'ours/floor':>11} {'CPU/floor':>10} "
        + " ".join(f"{name + '/ours':>12}" for name in others)
    )
    for row in rows:
        ours, floor = row["ways"]["ours"]["seconds"], row["ways"]["floor"]["seconds"]
        ratios = []
        for name in others:
            way = row["ways"][name]
            mark = "*" if way["scale"] > 1 else " "
            ratios.append(f"{way['seconds'] / ours:11.1f}{mark}")
        cpu = row["ways"]["ours"]["cpu"] / row["ways"]["floor"]["cpu"]
        figures = f"{ours:8.3f}s {ours / floor:11.2f} {cpu:10.2f}"
        yield f"{row['resources']:9} {row['case']:12} {figures} " + " ".join(ratios)
    if any(way["scale"] > 1 for row in rows for way in row["ways"].values()):
        yield f"* {MOST_COMMANDS} of its commands were run, the rest is reckoned"
    mine, childs = peak_memory()
    yield f"peak memory: {mine} MiB in the process, {childs} MiB in the largest of its children"


def peak_memory():
    """In MiB, of this process and of the largest of its children."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return [resource.getrusage(each).ru_maxrss // 1024 for each in who]


def main():
    tools = subprocess.run([TOOLS, "--with-pcs"], check=True, stdout=subprocess.PIPE, text=True)
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    with tempfile.TemporaryDirectory() as directory:
        shop = Workshop(directory, tools.stdout.strip())
        ways = [Ours, Floor, Crmsh, Load] + ([Pcs] if shutil.which("pcs") else [])
        rows = bench(shop, ways, sizes)
    print("\n".join(table(rows)))
    figures.keep(anew=True, rows=rows, peak_mib=peak_memory())


if __name__ == "__main__":
    main()
