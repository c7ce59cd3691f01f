"""A host as ocf:cm:server sees it: `service` and `systemctl` that play cloudera-scm-server, whose process is
a real one and gives a real page. How the real systemd answers is the lab's to show."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import jinja2
from played_host import PlayedHost

# A server that does what the directory says: `page` is ready, unready (503), refused (it doesn't listen),
# silent (it takes connections), or slow: silent for one request; `lives`, for how many seconds.
SERVER = """\
import http.server, pathlib, sys, time
home = pathlib.Path(sys.argv[1])
said = lambda name: (home / name).read_text().strip()

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = said("page")
        if page == "slow":
            (home / "page").write_text("ready")
        if page in ("silent", "slow"):
            time.sleep(600)
        self.send_response(503 if page == "unready" else 200)
        self.end_headers()

    def log_message(self, *_):
        pass

if said("page") != "refused":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(said("port"))), Page)
    import threading
    threading.Thread(target=server.serve_forever, daemon=True).start()
(home / "listens").touch()
time.sleep(float(said("lives")))
"""

PLAY = """\
cd {play}
echo "$*" >> calls

alive() {{
    [ -s pid ] && grep -qs '^State:.[^Z]' "/proc/$(cat pid)/status" # which may vanish at any time
}}

start() {{
    [ ! -e fails-start ] || exit 1
    # to systemd it is still active, as a unit is that it made of an init script
    [ "$(cat unit)" != active ] || return 0
    echo active > unit
    rm -f listens
    tries=$(($(cat tries) + 1))
    echo "$tries" > tries
    for what in lives page; do
        [ ! -e "$what-$tries" ] || cp "$what-$tries" "$what"
    done
    {python} server.py {play} >/dev/null 2>&1 &
    echo $! > pid
    until [ -e listens ]; do sleep 0.05; done
}}

stop() {{
    [ ! -e hangs ] || sleep 600
    [ ! -e fails-stop ] || exit 1
    ! alive || kill "$(cat pid)"
    while alive; do sleep 0.05; done
    echo inactive > unit
}}
"""

SERVICE = """\
#!/bin/sh
{play}
case $2 in
    start | stop) "$2" ;;
    *) exit 2 ;;
esac
"""

# Asks systemd when it is called, as Debian's and Red Hat's do, unless it is told not to
SCRIPT = """\
#!/bin/sh
{play}
[ "$1" = status ] || exit 2
[ ! -e fails-status ] || exit "$(cat fails-status)"
if [ -z "$SYSTEMCTL_SKIP_REDIRECT" ] || [ -z "$SYSTEMD_NO_WRAP" ]; then
    [ "$(cat unit)" = active ]
    exit
fi
alive || exit 3
"""

SYSTEMCTL = """\
#!/bin/sh
{play}
case $1 in
    kill) [ -e immortal ] || kill -s KILL "$(cat pid)" ;;
    start | stop) "$1" ;;
    show)
        case $2 in
            *LoadState) [ ! -e masked ] && echo LoadState=loaded || echo LoadState=masked ;;
            *)
                if [ -e mute ]; then
                    rm mute
                elif alive; then
                    echo ActiveState=active
                else
                    echo ActiveState=failed
                fi
                ;;
        esac ;;
    reset-failed) echo inactive > unit ;;
    cat) [ ! -e missing ] ;;
    *) exit 1 ;;
esac
"""


class ServerHost(PlayedHost):
    """One host, in a directory of its own; ``script`` is the agent there."""

    def __init__(self, formula, directory):
        super().__init__(directory)
        self.port = port = _free_port()
        template = (formula / "cmha/files/server.jinja").read_text()
        text = jinja2.Template(template).render(service="cloudera-scm-server", port=port)
        for path in ("/etc/init.d", "/var/run", "/run", "/var/log"):
            text = text.replace(f"={path}/", f"={directory}{path}/")
            text = text.replace(f'"{path}/', f'"{directory}{path}/')
            text = text.replace(f"-d {path}/", f"-d {directory}{path}/")
        self.script = directory / "ocf-server"
        self._write_program("ocf-server", text)
        play = PLAY.format(play=directory, python=sys.executable)
        self._write_program("bin/service", SERVICE.format(play=play))
        self._write_program("bin/systemctl", SYSTEMCTL.format(play=play))
        self._write_program("etc/init.d/cloudera-scm-server", SCRIPT.format(play=play))
        (directory / "server.py").write_text(SERVER)
        for name, value in (("unit", "inactive"), ("page", "ready"), ("lives", 600), ("tries", 0)):
            self.set(name, value)
        self.set("port", port)
        self.has_systemd(True)

    def said(self, name):
        return (self._directory / name).read_text().strip()

    def has_systemd(self, there):
        directory = self._directory / "run/systemd/system"
        directory.mkdir(parents=True, exist_ok=True)
        if not there:
            directory.rmdir()
            note = self._directory / "var/run/cloudera-scm-server/cloudera-scm-server.pid"
            note.parent.mkdir(exist_ok=True, parents=True)
            note.symlink_to(self._directory / "pid")

    def is_unit_only(self):
        (self._directory / "etc/init.d/cloudera-scm-server").unlink()

    def without_curl(self, instead):
        self._write_program("bin/curl", instead)

    def notes(self, text):
        path = self._directory / "var/run/cmha-server/cloudera-scm-server.unready"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def no_notes(self):
        (self._directory / "var/run").mkdir(parents=True, exist_ok=True)
        (self._directory / "var/run/cmha-server").write_text("a file where a directory should be")

    def logs(self, *lines):
        log = self._directory / "var/log/cloudera-scm-server/cloudera-scm-server.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("\n".join(lines))

    def run(self, action, seconds=60, interval=0, **variables):
        """The agent's answer, when Pacemaker gives it these seconds; ``took`` are those that it took."""
        (self._directory / "calls").unlink(missing_ok=True)
        variables["OCF_RESKEY_CRM_meta_timeout"] = str(seconds * 1000)
        variables["OCF_RESKEY_CRM_meta_interval"] = str(interval * 1000)
        began = time.monotonic()
        done = subprocess.run(
            [self.script, action],
            env={**self.environment(), **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        done.took = time.monotonic() - began
        return done

    def is_alive(self):
        with suppress(OSError, ValueError):
            status = Path(f"/proc/{int(self.said('pid'))}/status").read_text()
            return "State:\tZ" not in status
        return False

    def clean(self):
        with suppress(OSError, ValueError):
            os.kill(int(self.said("pid")), 9)


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
