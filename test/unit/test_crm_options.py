"""Which properties Pacemaker's daemons say that they have."""

import pytest

NAMES = {
    "schedulerd": "maintenance-mode",
    "controld": "dc-deadtime",
    "based": "enable-acl",
    "fenced": "x",
}
METADATA = """<?xml version="1.0"?><resource-agent name="{0}"><parameters>
<parameter name="{1}"><content type="boolean"/></parameter></parameters></resource-agent>"""


@pytest.fixture
def place(tmp_path):
    for name, option in NAMES.items():
        path = tmp_path / f"pacemaker-{name}"
        path.write_text(METADATA.format(name, option))
        path.chmod(0o755)
    return tmp_path


@pytest.fixture
def module(load_file, place, monkeypatch):
    def run(command):
        path, action = command
        assert action == "metadata"
        return {"retcode": 0, "stdout": open(path).read()}

    module = load_file("_modules/crm_options.py", salt={"bounded.run": run})
    monkeypatch.setattr(module, "_PLACES", ("/nonexistent", str(place)))
    return module


def test_what_the_daemons_have(module):
    assert module.known() == sorted(NAMES.values())


def test_daemons_of_before_2_0(module, place):
    for new, old in (
        ("schedulerd", "pengine"),
        ("controld", "crmd"),
        ("based", "cib"),
        ("fenced", "stonithd"),
    ):
        (place / f"pacemaker-{new}").rename(place / old)
    assert module.known() == sorted(NAMES.values())


@pytest.mark.parametrize("text", ["", "usage: x", "<a/>"])
def test_one_that_does_not_say(module, place, text):
    (place / "pacemaker-based").write_text(text)
    assert module.known() is None


def test_one_that_is_not_there(module, place):
    (place / "pacemaker-fenced").unlink()
    assert module.known() is None
