"""Whether SBD suits what a cluster shall count on: a file system and processes of the test's own."""

import pytest

STONITH, FENCING = "stonith-watchdog-timeout", "fencing-watchdog-timeout"


@pytest.fixture
def sbd(load_file, pure, tmp_path):
    """The module on a host where SBD runs."""
    module = load_file(
        "_modules/sbd.py",
        salt={"service.enabled": lambda name: name == "sbd" and module.enabled},
        utils={
            f"cib_values.{name}": getattr(pure("cib_values"), name)
            for name in ("duration", "property_name")
        },
    )
    module.enabled = False
    module._PROC = str(tmp_path)
    module._PID = (str(tmp_path / "nowhere"), str(tmp_path / "sbd.pid"))
    module._SETTINGS = (str(tmp_path / "nowhere"), str(tmp_path / "settings"))
    (tmp_path / "sbd.pid").write_text("   77\n")
    (tmp_path / "77").mkdir()
    (tmp_path / "77/comm").write_text("sbd\n")
    return module


@pytest.mark.parametrize("properties", [{}, {STONITH: "0"}, {FENCING: "0s"}])
def test_who_counts_on_no_watchdog_needs_none(sbd, tmp_path, properties):
    (tmp_path / "sbd.pid").unlink()
    assert sbd.unfit(properties) == []


@pytest.mark.parametrize(
    ("properties", "timeout"),
    [({}, 0), ({STONITH: "0"}, 0), ({STONITH: "10s"}, 10000), ({FENCING: "10"}, 10000)],
)
def test_how_long_a_cluster_waits(sbd, properties, timeout):
    assert sbd.timeout(properties) == timeout


@pytest.mark.parametrize("name", [STONITH, FENCING])
@pytest.mark.parametrize("value", ["10s", "11000ms", "-1", "P1D"])
def test_one_that_suits(sbd, name, value):
    assert sbd.unfit({name: value}) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [("sbd.pid", ""), ("sbd.pid", "x"), ("sbd.pid", "78"), ("77/comm", "systemd\n")],
)
@pytest.mark.parametrize("value", ["10s", "-1"])
def test_sbd_does_not_run(sbd, tmp_path, file, text, value):
    (tmp_path / file).write_text(text)
    (line,) = sbd.unfit({STONITH: value})
    assert line.startswith(f"{STONITH} is {value}, and SBD doesn't run here: Pacemaker would end")


@pytest.mark.parametrize("enabled", [True, False])
def test_sbd_starts_with_corosync(sbd, tmp_path, enabled):
    (tmp_path / "sbd.pid").unlink()
    sbd.enabled = enabled
    lines = sbd.unfit({STONITH: "10s"}, starts=True)
    assert len(lines) == int(not enabled)
    assert all("SBD doesn't start with Corosync here" in line for line in lines)


@pytest.mark.parametrize(
    ("said", "value", "needs"),
    [
        ("", "5s", "5"),
        ("SBD_WATCHDOG_TIMEOUT=15", "10s", "15"),
        ("#SBD_WATCHDOG_TIMEOUT=3\n  SBD_WATCHDOG_TIMEOUT='15' # more\n", "15s", "15"),
        ('SBD_WATCHDOG_TIMEOUT=3\nexport SBD_WATCHDOG_TIMEOUT="20"', "10s", "20"),
        ("SBD_WATCHDOG_TIMEOUT=", "4", "5"),
    ],
)
def test_sbd_needs_longer(sbd, tmp_path, said, value, needs):
    (tmp_path / "settings").write_text(said)
    (line,) = sbd.unfit({STONITH: value})
    assert f"SBD's watchdog here needs {needs} s (SBD_WATCHDOG_TIMEOUT)" in line


def test_settings_that_cannot_be_read_are_the_default(sbd, tmp_path):
    (tmp_path / "settings").write_text("SBD_WATCHDOG_TIMEOUT=soon")
    assert sbd.unfit({STONITH: "1s"}) == []
