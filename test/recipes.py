"""What the documentation tells people to write into their pillar."""

import re
from pathlib import Path

import yaml

_DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def fencing():
    """Each recipe of docs/fencing.md, the setting ``fencing``, by its agent."""
    said = [each for block in _blocks() for each in (block, *block.get("pairs", {}).values())]
    return {each["fencing"]["agent"]: each["fencing"] for each in said if "fencing" in each}


def levels():
    """What a pair says of a second device for each node."""
    pairs = [each["pairs"]["cms"] for each in _blocks() if "pairs" in each]
    (found,) = (each for each in pairs if "pacemaker" in each)
    return found


def _blocks():
    text = (_DOCS / "fencing.md").read_text()
    return [yaml.safe_load(block)["cmha"] for block in _BLOCK.findall(text)]


def parameters(recipe):
    """The names of all parameters of an agent that a recipe gives."""
    return {*recipe["params"], *(name for own in recipe["nodes"].values() for name in own)}
