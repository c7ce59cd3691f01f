"""What every kind of test starts from: the formula's own files."""

import importlib.util
from pathlib import Path

import pytest
import salt._logging
import yaml

FORMULA = Path(__file__).resolve().parent.parent

pytest_plugins = ["loader", "times"]


def pytest_configure():
    # Salt holds back what is logged until a daemon's logging is set up. No test is one, and at the end
    # there would be no stream left to print all that to.
    salt._logging.shutdown_temp_handler()


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


def load(path, **dunders):
    """A file of the formula as a module, with what Salt's loader would give it (``salt={...}``)."""
    if isinstance(dunders.get("salt"), dict):
        dunders["salt"].setdefault("bounded.run", _unbounded(dunders["salt"]))
        dunders["salt"].setdefault("bounded.hurried", lambda: False)
    name = Path(path).stem
    spec = importlib.util.spec_from_file_location(name, FORMULA / path)
    module = importlib.util.module_from_spec(spec)
    for dunder, value in dunders.items():
        setattr(module, f"__{dunder}__", value)
    spec.loader.exec_module(module)
    return module


def _beside(module, *names):
    """Gives a module other ones of the formula, by what it has itself. Returns them by name."""
    others = {}
    for name in names:
        others[name] = other = load(
            f"_modules/{name}.py",
            salt=module.__salt__,
            utils=module.__utils__,
            grains=module.__grains__,
        )
        for function in vars(other).values():
            if getattr(function, "__module__", None) == name and not function.__name__.startswith(
                "_"
            ):
                module.__salt__[f"{name}.{function.__name__}"] = function
    return others


def _unbounded(salt):
    """bounded.run, whose limit isn't the matter of a test that gives commands another answer."""

    def run(command, seconds=None, stdin=None, env=None, rstrip=True):
        options = {"stdin": stdin, "env": env, "output_loglevel": "quiet", "rstrip": rstrip}
        return salt["cmd.run_all"](command, python_shell=False, ignore_retcode=True, **options)

    return run


@pytest.fixture(scope="session")
def load_file():
    return load


@pytest.fixture(scope="session")
def beside():
    return _beside


@pytest.fixture(scope="session")
def pure():
    """Loads a module of _utils as what it is: pure functions that need no loader."""
    return lambda name: load(f"_utils/{name}.py")


@pytest.fixture(scope="session")
def cmha_site(pure):
    return pure("cmha_site")


@pytest.fixture(scope="session")
def site_model(pure, cmha_site, defaults):
    """Reads a site's pillar as the formula does."""
    return lambda pillar: cmha_site.site(pillar, defaults, pure("cib").check_whole)
