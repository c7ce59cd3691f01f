"""The lab's network: a bridge in the keeper's own network namespace, and a cable to each host.

A cable's lab end has the host's name; its other end is the host's eth0.
"""

from .settings import PREFIX
from .shell import run

BRIDGE = "lan.0"  # the dot: no host is called so


def make_bridge():
    run("ip", "link", "add", "name", BRIDGE, "type", "bridge", "mcast_snooping", "0")
    run("ip", "link", "set", "dev", BRIDGE, "up")


def plug_in(host, address, namespace):
    """Gives a host a network namespace without any past, mounted at that path, and a cable."""
    namespace.touch()
    run("unshare", f"--net={namespace}", "true")
    other_end = ("peer", "name", "eth0", "netns", namespace)
    run("ip", "link", "add", "name", host, "type", "veth", *other_end)
    inside = ("nsenter", f"--net={namespace}", "ip")
    run(*inside, "link", "set", "dev", "lo", "up")  # systemd does it itself, sysvinit doesn't
    run(*inside, "address", "add", f"{address}/{PREFIX}", "dev", "eth0")
    run(*inside, "link", "set", "dev", "eth0", "addrgenmode", "none")  # IPv4 only: less to explain
    run(*inside, "link", "set", "dev", "eth0", "up")
    run("ip", "link", "set", "dev", host, "master", BRIDGE, "up")


def unplug(host, namespace):
    """Takes the cable away first, so that nothing of a dying host reaches the others."""
    run("ip", "link", "delete", "dev", host)
    run("umount", "--lazy", namespace)


def cut(host):
    run("ip", "link", "set", "dev", host, "down")


def heal(host):
    run("ip", "link", "set", "dev", host, "up")
