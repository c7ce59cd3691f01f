"""What the documentation tells people to write into their pillar."""

import re
from pathlib import Path

import yaml

_DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def fencing():
    """Each recipe of docs/fencing.md, the setting ``fencing``, by its agent."""
    blocks = map(yaml.safe_load, _BLOCK.findall((_DOCS / "fencing.md").read_text()))
    found = [block["cmha"]["fencing"] for block in blocks]
    return {each["agent"]: each for each in found}


def parameters(recipe):
    """The names of all parameters of an agent that a recipe gives."""
    return {*recipe["params"], *(name for own in recipe["nodes"].values() for name in own)}
