"""The lab's networks: a bridge in the keeper's own network namespace, and a cable to each host; and a second
bridge, on which the BMCs are, with a second cable.

A cable's lab end has the host's name, the second's with a dot and the side; the other end is the host's eth0,
or eth1. One cable may be bad: it ends at a bridge of its own, between which and the others' is a relay.
"""

import json

from .settings import PREFIX
from .shell import run
from .waiting import wait_until

BRIDGE = "lan.0"  # the dot: no host is called so
SIDE = "bmc.0"
BAD = "bad.0"
BAD_ENDS = {"bad.1": BAD, "bad.2": BRIDGE}  # the relay's two devices, the host's first
LOG_LINES = 512  # as systemd has it
CARRIER_TIME = 30  # seconds, of which a cable needs few milliseconds, or up to one second


def make_bridge(name=BRIDGE, addresses=()):
    """With addresses, the lab itself is there too."""
    run("ip", "link", "add", "name", name, "type", "bridge", "mcast_snooping", "0")
    for address in addresses:
        run("ip", "address", "add", f"{address}/{PREFIX}", "dev", name)
    run("ip", "link", "set", "dev", name, "up")


def make_namespace(namespace):
    """A network namespace without any past, mounted at that path."""
    namespace.touch()
    run("unshare", f"--net={namespace}", "true")
    # systemd does it itself, sysvinit doesn't
    run("nsenter", f"--net={namespace}", "ip", "link", "set", "dev", "lo", "up")
    # A real host's systemd raises it, one in a container may not. Where the log's socket takes no more than
    # ten lines, Corosync spins with realtime priority until the journal has read them.
    queue = "/proc/sys/net/unix/max_dgram_qlen"
    run("nsenter", f"--net={namespace}", "sh", "-c", f"echo {LOG_LINES} > {queue}")


def plug_in(cable, address, namespace, bridge=BRIDGE, interface="eth0"):
    """A cable to a host."""
    other_end = ("peer", "name", interface, "netns", namespace)
    run("ip", "link", "add", "name", cable, "type", "veth", *other_end)
    inside = ("nsenter", f"--net={namespace}", "ip")
    run(*inside, "address", "add", f"{address}/{PREFIX}", "dev", interface)
    # IPv4 only: less to explain
    run(*inside, "link", "set", "dev", interface, "addrgenmode", "none")
    run(*inside, "link", "set", "dev", interface, "up")
    run("ip", "link", "set", "dev", cable, "master", bridge, "up")


def side_cable(host):
    return f"{host}.s"


def unplug(cables, namespace):
    """Takes the cables away first, so that nothing of a dying host reaches the others."""
    for cable in cables:
        run("ip", "link", "delete", "dev", cable)
    run("umount", "--lazy", namespace)


def cut(cable):
    run("ip", "link", "set", "dev", cable, "down")


def heal(cable, namespace):
    """Plugs the cable in again, and waits until frames pass: the kernel tells the ends of a cable later."""
    run("ip", "link", "set", "dev", cable, "up")
    wait_until(
        lambda: _forwards(cable) and _is_up_inside(namespace),
        CARRIER_TIME,
        lambda: f"the cable {cable} is plugged in, and has no link",
    )


def _forwards(cable):
    """Whether the bridge takes frames from the cable, and gives it some."""
    return _link(cable)["linkinfo"]["info_slave_data"]["state"] == "forwarding"


def _is_up_inside(namespace):
    return _link("eth0", ("nsenter", f"--net={namespace}"))["operstate"] == "UP"


def _link(device, inside=()):
    (link,) = json.loads(run(*inside, "ip", "-json", "-details", "link", "show", "dev", device))
    return link


def make_bad():
    """What a bad cable needs beside the relay."""
    make_bridge(BAD)
    for device, bridge in BAD_ENDS.items():
        run("ip", "tuntap", "add", "mode", "tap", "name", device)
        run("ip", "link", "set", "dev", device, "master", bridge, "up")


def wait_for_bad():
    """Until the relay has opened its two devices."""
    wait_until(
        lambda: all(_forwards(device) for device in BAD_ENDS),
        CARRIER_TIME,
        lambda: "the relay of the bad cable doesn't begin",
    )


def remove_bad():
    for device in (*BAD_ENDS, BAD):
        run("ip", "link", "delete", "dev", device)


def move(cable, bridge):
    run("ip", "link", "set", "dev", cable, "master", bridge)
