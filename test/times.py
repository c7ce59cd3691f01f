"""How long each file of tests takes: in which order files are begun, and what is said of it at the end.

    CMHA_TIMES=write make test

notes what was measured, in test/times.json.
"""

import json
import os
from collections import Counter
from pathlib import Path

# A report's property: by command how often, and for how many seconds
OF_THE_LAB = "commands of the lab"

NOTED = Path(__file__).with_name("times.json")
SLOWEST = 10


def pytest_configure(config):
    config.pluginmanager.register(Times(config), "times of this run")


def pytest_collection_modifyitems(items):
    """The longest file first, and a new one before it: none is left over when the others are done."""
    noted = read()
    items.sort(key=lambda item: -noted.get(file_of(item.nodeid), float("inf")))


class Times:
    """What the tests of a run took."""

    def __init__(self, config):
        self.is_worker = hasattr(config, "workerinput")
        self.by_test = Counter()
        self.by_command = {}

    def pytest_runtest_logreport(self, report):
        self.by_test[report.nodeid] += report.duration
        for name, commands in report.user_properties:
            for command, (count, seconds) in commands.items() if name == OF_THE_LAB else ():
                before = self.by_command.get(command, (0, 0))
                self.by_command[command] = (before[0] + count, before[1] + seconds)

    def pytest_terminal_summary(self, terminalreporter):
        if self.is_worker or not self.by_test:
            return
        by_file = Counter()
        for test, seconds in self.by_test.items():
            by_file[file_of(test)] += seconds
        for title, times in (
            (f"the {SLOWEST} slowest tests, in seconds", self.by_test.most_common(SLOWEST)),
            ("by file", by_file.most_common()),
        ):
            terminalreporter.section(title)
            for name, seconds in times:
                terminalreporter.write_line(f"{seconds:7.1f}  {name}")
        if self.by_command:
            terminalreporter.section("by command of the lab: seconds, how often")
        slowest = sorted(self.by_command.items(), key=lambda item: -item[1][1])
        for command, (count, seconds) in slowest[: 2 * SLOWEST]:
            terminalreporter.write_line(f"{seconds:7.1f}  {count:4}  {command}")
        if os.environ.get("CMHA_TIMES") == "write":
            write({**read(), **by_file})


def file_of(test):
    return test.partition("::")[0]


def read():
    """Seconds by file, as they were noted last."""
    return json.loads(NOTED.read_text()) if NOTED.exists() else {}


def write(seconds):
    noted = {file: max(1, round(seconds[file])) for file in sorted(seconds) if Path(file).exists()}
    NOTED.write_text(json.dumps(noted, indent=1) + "\n")
