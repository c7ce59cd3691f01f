"""What every kind of test starts from: the formula's own files."""

import importlib.util
from pathlib import Path

import pytest
import yaml

FORMULA = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def formula():
    """The checkout."""
    return FORMULA


@pytest.fixture(scope="session")
def formula_yaml():
    """Reads a YAML file of the checkout."""
    return lambda path: yaml.safe_load((FORMULA / path).read_text())


@pytest.fixture(scope="session")
def defaults(formula_yaml):
    return formula_yaml("cmha/defaults.yaml")


@pytest.fixture(scope="session")
def pure():
    """Loads a module of _utils as what it is: pure functions that need no loader."""

    def load(name):
        spec = importlib.util.spec_from_file_location(name, FORMULA / "_utils" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def cmha_site(pure):
    return pure("cmha_site")


@pytest.fixture(scope="session")
def site_model(pure, cmha_site, defaults):
    """Reads a site's pillar as the formula does."""
    return lambda pillar: cmha_site.site(pillar, defaults, pure("cib").check)
