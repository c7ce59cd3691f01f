"""The hosts of a lab as a whole: switched on, reached by Salt, shut down in order."""

from concurrent.futures import ThreadPoolExecutor

from . import inside, orders, waiting
from .disk import service_of
from .settings import MASTER

BOOT_TIME = 120


def boot(lab, hosts):
    """Switches hosts on that are off, and waits until all of them are up."""
    for host in hosts:
        orders.ask(lab, "boot", host)
    waiting.wait_until(
        lambda: not _not(lab, hosts, "up"),
        BOOT_TIME,
        lambda: f"{', '.join(_not(lab, hosts, 'up'))} didn't boot (see {lab.directory}/*.console)",
    )


def shut_down(lab, hosts):
    """Shuts hosts down, each one in order: nothing is lost, all is on the disk."""
    on_each(lab, hosts, "poweroff")
    waiting.wait_until(
        lambda: not _not(lab, hosts, "off"),
        BOOT_TIME,
        lambda: f"{', '.join(_not(lab, hosts, 'off'))} didn't shut down",
    )


def boots(lab, host):
    """How often a host was switched on or rebooted."""
    return orders.ask(lab, "hosts")[host]["boots"]


def reachable(lab, among):
    """Those hosts whose minions the master can reach."""
    fine = [
        host
        for host, is_ in orders.ask(lab, "hosts").items()
        if is_["state"] == "up" and not is_["cut"]
    ]
    return [host for host in among if host in fine and host != MASTER] if MASTER in fine else []


def install_cloudera(lab, hosts):
    """The end of a package's installation, a minute ago: enabled at boot, never started."""
    for host in hosts:
        service = service_of(host)
        if service:
            inside.run(lab, host, "update-rc.d", f"cloudera-scm-{service}", "defaults")


def on_each(lab, hosts, *command, stdin=None):
    """Runs a command on hosts at the same time; what it printed, by host. ``stdin``: a text for each."""
    stdin = stdin or {}
    return _at_once(
        hosts,
        lambda host: inside.attempt(lab, host, *command, stdin=stdin.get(host, "")).stdout,
    )


def run_on_each(lab, hosts, *command):
    """Runs a command on hosts at the same time. A failure on one of them is an error that says why."""
    _at_once(hosts, lambda host: inside.run(lab, host, *command))


def _at_once(hosts, work):
    with ThreadPoolExecutor(max_workers=len(hosts) or 1) as pool:
        return dict(zip(hosts, pool.map(work, hosts)))


def _not(lab, hosts, state):
    states = orders.ask(lab, "hosts")
    return [host for host in hosts if states[host]["state"] != state]
