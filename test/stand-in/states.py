"""Calls states through Salt's own loader, on the host that it runs on: JSON in, JSON out."""

import json
import subprocess
import sys
from pathlib import Path

import salt.config
import salt.loader

FORMULA = Path(__file__).resolve().parents[2]


def loader(grains, cache, test):
    opts = salt.config.minion_config(None)
    opts.update(
        id="cms1",
        test=test,
        file_client="local",
        cachedir=cache,
        extension_modules=f"{cache}/extmods",
        module_dirs=[str(FORMULA / "_modules")],
        utils_dirs=[str(FORMULA / "_utils")],
        states_dirs=[str(FORMULA / "_states")],
        grains={"id": "cms1", "kernel": "Linux", **grains},
    )
    utils = salt.loader.utils(opts)
    modules = salt.loader.minion_mods(opts, utils=utils)
    return modules, salt.loader.states(opts, modules, utils, salt.loader.serializers(opts))


def main():
    asked = json.load(sys.stdin)
    answers = []
    for step in asked["steps"]:
        if "shell" in step:
            subprocess.run(["sh", "-c", step["shell"]], check=True, stdout=sys.stderr)
            continue
        # a loader of its own for each step: a run of Salt remembers nothing of the one before
        modules, states = loader(asked["grains"], asked["cache"], step.get("test", False))
        answer = states[step["state"]](**step["arguments"])
        module = modules["service.enabled"].__module__.rpartition(".")[2]
        answers.append({**answer, "service_module": module})
    json.dump(answers, sys.stdout)


main()
