"""Which shutdown counts as clean, and what a boot makes of it: the scripts themselves, with directories and
commands of the test's own."""

import subprocess

import jinja2
import pytest

DAEMON = """\
#!/bin/sh
name=${0##*/}
echo "$name $1" >>DIRECTORY/log
[ "$1" != status ] || [ -e DIRECTORY/$name.runs ] || exit 3
case $1 in
    start) : >DIRECTORY/$name.runs ;;
    stop) rm -f DIRECTORY/$name.runs ;;
esac
[ ! -e DIRECTORY/$name.$1.fails ]
"""


class Host:
    def __init__(self, directory, formula):
        self.directory, self.formula = directory, formula
        self.mark = directory / "clean-shutdown"
        self.log = directory / "log"
        self.log.touch()
        (directory / "subsys").mkdir()
        (directory / "init.d").mkdir()
        for name in ("corosync", "pacemaker"):
            self.command(f"init.d/{name}", DAEMON.replace("DIRECTORY", str(directory)))
        self.command("sync", f"#!/bin/sh\necho sync >>{self.log}\n")

    def command(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o755)

    def running(self):
        for name in ("corosync", "pacemaker"):
            self.touch(f"{name}.runs")

    def touch(self, name):
        (self.directory / name).touch()

    def run(self, script, *arguments, **environment):
        template = (self.formula / f"cmha/files/boot/{script}").read_text()
        text = jinja2.Template(template).render(daemons=["corosync", "pacemaker"])
        for path, here in (
            ("/var/lib/cmha/clean-shutdown", "clean-shutdown"),
            ("/etc/init.d", "init.d"),
            ("/var/lock/subsys", "subsys"),
        ):
            text = text.replace(f"={path}", f"={self.directory}/{here}")
        return subprocess.run(
            ["sh", "-c", text, script, *arguments],
            env={"PATH": f"{self.directory}:/usr/bin:/bin", **environment},
            capture_output=True,
            text=True,
            check=False,
        ).returncode

    def did(self):
        return [line for line in self.log.read_text().splitlines() if "status" not in line]


@pytest.fixture
def host(tmp_path, formula):
    return Host(tmp_path, formula)


# --- init script ---------------------------------------------------------------------------------

STOPPED = ["pacemaker stop", "corosync stop"]


@pytest.mark.parametrize("runlevel", ["0", "6"])
def test_a_shutdown_stops_the_cluster_and_leaves_the_mark(host, runlevel):
    host.running()
    assert host.run("cmha-boot.init", "stop", RUNLEVEL=runlevel) == 0
    assert host.did() == [*STOPPED, "sync"]
    assert host.mark.exists()


@pytest.mark.parametrize("runlevel", ["1", "2", "S"])
def test_what_is_no_shutdown_leaves_none_and_stops_nothing(host, runlevel):
    host.running()
    assert host.run("cmha-boot.init", "stop", RUNLEVEL=runlevel) == 0
    assert host.did() == []
    assert not host.mark.exists()


def test_without_an_environment_the_host_is_asked_for_its_runlevel(host):
    host.running()
    host.command("runlevel", "#!/bin/sh\necho 2 6\n")
    assert host.run("cmha-boot.init", "stop") == 0
    assert host.mark.exists()


def test_a_cluster_that_was_stopped_before_stays_stopped(host):
    assert host.run("cmha-boot.init", "stop", RUNLEVEL="6") == 0
    assert host.did() == []
    assert not host.mark.exists()


@pytest.mark.parametrize("daemon", ["corosync", "pacemaker"])
def test_a_stop_that_fails_is_not_clean(host, daemon):
    host.running()
    host.touch(f"{daemon}.stop.fails")
    assert host.run("cmha-boot.init", "stop", RUNLEVEL="6") == 1
    assert not host.mark.exists()


def test_a_boot_takes_the_mark_away_before_anything_starts(host):
    host.mark.touch()
    assert host.run("cmha-boot.init", "start") == 0
    assert host.did() == ["sync", "corosync start", "pacemaker start"]
    assert not host.mark.exists()
    host.log.write_text("")
    assert host.run("cmha-boot.init", "start") == 0
    assert host.did() == []


def test_a_mark_that_can_not_be_taken_away_starts_nothing(host):
    host.mark.mkdir()
    assert host.run("cmha-boot.init", "start") == 1
    assert host.did() == []


def test_pacemaker_is_not_started_without_corosync(host):
    host.mark.touch()
    host.touch("corosync.start.fails")
    assert host.run("cmha-boot.init", "start") == 1
    assert host.did() == ["sync", "corosync start"]


def test_red_hats_rc_finds_that_it_has_something_to_stop(host):
    lock = host.directory / "subsys/cmha-boot"
    host.run("cmha-boot.init", "start")
    assert lock.exists()
    host.run("cmha-boot.init", "stop", RUNLEVEL="6")
    assert not lock.exists()


@pytest.mark.parametrize("everybodys", ["mode", "group", "link"])
def test_no_lock_is_written_where_others_may_write_too(host, everybodys):
    directory, elsewhere = host.directory / "subsys", host.directory / "elsewhere"
    passwd = host.directory / "passwd"
    passwd.write_text("root")
    (directory / "cmha-boot").symlink_to(passwd)
    if everybodys == "link":
        directory.rename(elsewhere)
        directory.symlink_to(elsewhere)
    else:
        directory.chmod({"mode": 0o1777, "group": 0o775}[everybodys])
    host.mark.touch()
    assert host.run("cmha-boot.init", "start") == 0
    assert host.did()[1:] == ["corosync start", "pacemaker start"]
    host.run("cmha-boot.init", "stop", RUNLEVEL="6")
    assert passwd.read_text() == "root"
    assert (directory / "cmha-boot").is_symlink()


def test_a_host_without_lock_files(host):
    (host.directory / "subsys").rmdir()
    host.mark.touch()
    assert host.run("cmha-boot.init", "start") == 0
    assert host.did()[1:] == ["corosync start", "pacemaker start"]


def test_the_init_script_has_what_insserv_and_chkconfig_read(formula):
    text = (formula / "cmha/files/boot/cmha-boot.init").read_text()
    assert "\n# Provides:          cmha-boot\n" in text
    assert "\n# chkconfig: 2345 99 01\n" in text


# --- systemd -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "result", "status", "clean"),
    [
        ("stopping", "success", 0, True),
        ("running", "success", 0, False),
        ("degraded", "success", 0, False),
        ("starting", "success", 0, False),
        ("stopping", "timeout", 0, False),
        ("stopping", "signal", 9, False),
        # Pacemaker's CRM_EX_FATAL, which its unit calls a success
        ("stopping", "success", 100, False),
    ],
)
def test_pacemaker_stopped(host, system, result, status, clean):
    host.command(
        "systemctl",
        f"""#!/bin/sh
case "$*" in
    is-system-running) echo {system} ;;
    "show --property=Result --property=ExecMainStatus pacemaker.service")
        echo ExecMainStatus={status}; echo Result={result} ;;
    *) exit 1 ;;
esac
""",
    )
    assert host.run("pacemaker-stopped") == 0
    assert host.mark.exists() is clean
    assert host.did() == (["sync"] if clean else [])
