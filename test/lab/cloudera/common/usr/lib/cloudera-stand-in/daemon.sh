# What both init scripts share. They set $name (of the service) and $program.
# shellcheck shell=sh disable=SC2154,SC2034

# Debian's init scripts pass on to systemd here, when a person or Pacemaker calls them on its hosts.
# shellcheck source=/dev/null
. /lib/lsb/init-functions

set -a
# shellcheck source=/dev/null
. "/etc/default/$name"
set +a

pidfile=/run/$name/$name.pid

fail_if() { # the switch $1 is yes
    [ "$1" = yes ] || return 0
    echo "$name: ${2:-told to fail} (/etc/default/$name)" >&2
    exit 1
}

is_running() {
    start-stop-daemon --status --pidfile "$pidfile"
}

start() {
    fail_if "$FAIL_START"
    mkdir -p "/run/$name"
    start-stop-daemon --start --oknodo --background --make-pidfile --pidfile "$pidfile" \
        --startas /usr/bin/python3 -- "/usr/lib/cloudera-stand-in/$program"
}

end() { # the process of the pidfile $1, and wait for its end
    start-stop-daemon --stop --oknodo --remove-pidfile --pidfile "$1" --retry TERM/300/KILL/5
}

status() {
    if is_running; then
        echo "$name is running"
    elif [ -e "$pidfile" ]; then
        echo "$name is dead, its pid file is there"
        return 1
    else
        echo "$name is stopped"
        return 3
    fi
}
