"""Salt in the lab: which minions answer, and whether they have the formula's modules."""

from . import inside, waiting
from .settings import MASTER

PATIENCE = 120


def wait_for(lab, hosts):
    """Waits until every host's minion answers the master."""
    silent = set(hosts)

    def all_answered():
        silent.difference_update(_answering(lab, silent))
        return not silent

    waiting.wait_until(
        all_answered,
        PATIENCE,
        lambda: f"Salt on {', '.join(sorted(silent))} doesn't answer the master",
    )


def sync(lab, hosts):
    """Gives master and minions the formula's modules as the checkout has them now."""
    inside.run(lab, MASTER, "salt-run", "saltutil.sync_all")
    if hosts:
        inside.run(lab, MASTER, "salt", "-L", ",".join(hosts), "saltutil.sync_all")


def _answering(lab, hosts):
    if not hosts:
        return set()
    ping = ("salt", "--out", "txt", "--timeout", "2", "-L", ",".join(sorted(hosts)), "test.ping")
    said = inside.run(lab, MASTER, *ping, check=False)
    return {line.split(":")[0] for line in said.splitlines() if line.endswith(": True")}
