"""
Which versions of Pacemaker can be in one cluster.

Pure functions. Source: Pacemaker's ``controld_utils.c`` (``feature_set_compatible``). A cluster takes the
feature set of its oldest node; whoever joins needs at least that one. So an old node may stay, and can't come
back when only newer ones are left.
"""

import itertools


def __virtual__():
    return True


def may_join(joining, there):
    """
    Whether a Pacemaker may join a cluster whose nodes all have another one.

    joining, there
        Feature sets, as ``3.16.1``; ``None`` where nobody knows one.

    The first number has to be the same, the second not less.
    """
    if not joining or not there:
        return True  # Pacemaker itself will say
    (first, second), (first_there, second_there) = (
        map(int, each.split(".")[:2]) for each in (joining, there)
    )
    return first == first_there and second >= second_there


def mixed(found, running):
    """
    What it means that hosts of a pair have different versions of Pacemaker: a line for each that can't come
    back to the other, and nothing where both can.

    found
        By minion id a mapping with ``version`` and ``feature_set``, ``None`` where nobody knows.
    running
        The minion ids whose node is in the cluster.
    """
    return [
        _comes_not_back(host, other, found, host in running)
        for host, other in itertools.permutations(found, 2)
        if other in running
        and not may_join(found[host]["feature_set"], found[other]["feature_set"])
    ]


def _comes_not_back(host, other, found, is_in):
    own, needed = found[host]["version"], found[other]["version"]
    if is_in:
        return (
            f"{host} has Pacemaker {own}, {other} has {needed}: when {host} leaves the cluster (a crash, a "
            f"stop, a reboot), it can't come back before its Pacemaker is upgraded; upgrade {host} next"
        )
    return (
        f"{host} has Pacemaker {own}, and can't come back to {other}, which has {needed}; upgrade "
        f"Pacemaker on {host}, then salt-run cmha.rejoin node={host}"
    )
