"""
Whose cluster a host has: leave another's alone, take the one away that the packages started.
"""

from salt.exceptions import CommandExecutionError

__virtualname__ = "corosync"


def __virtual__():
    return __virtualname__


def no_other_cluster(name, nodes):
    """
    Fail when this host belongs to a cluster that isn't this pair's. Changes nothing.

    name
        The cluster_name of the pair.
    nodes
        The nodes of the pair, a list of mappings with ``name`` and ``address``.

    .. code-block:: yaml

        cmf:
          corosync.no_other_cluster:
            - nodes:
              - {name: cms1, address: 192.0.2.11}
              - {name: cms2, address: 192.0.2.12}
    """
    ret = {"name": name, "result": True, "changes": {}}
    try:
        found = __salt__["corosync.cluster"](nodes)
    except CommandExecutionError as error:
        return {**ret, "result": False, "comment": str(error)}
    if found["is"] != "another":
        return {**ret, "comment": f"no cluster but {name} here"}
    return {
        **ret,
        "result": False,
        "comment": (
            f"{__grains__['id']} belongs to another cluster ({found['seen']}), while pillar says "
            f"{_described(nodes)}. Nothing was changed. If it is the same cluster, give its nodes "
            "those names in pillar (cmha:pairs:…:nodes:…:name); if it is an old one, remove it first"
        ),
    }


def packaged_cluster_absent(name, nodes):
    """
    Stop the one-node cluster that Debian's packages start with their own corosync.conf, and set its CIB
    aside. Does nothing to any other cluster.

    name
        The cluster_name of the pair.
    nodes
        The nodes of the pair, a list of mappings with ``name`` and ``address``.

    .. code-block:: yaml

        cmf:
          corosync.packaged_cluster_absent:
            - nodes:
              - {name: cms1, address: 192.0.2.11}
              - {name: cms2, address: 192.0.2.12}
    """
    ret = {"name": name, "result": True, "changes": {}}
    try:
        found = __salt__["corosync.cluster"](nodes)
        if found["is"] == "another":
            return no_other_cluster(name, nodes)
        if found["is"] != "packaged":
            return {**ret, "comment": "no cluster of the packages' own here"}
        change = {"packaged cluster": {"old": found["seen"], "new": None}}
        if __opts__["test"]:
            comment = "the packages' own cluster would be stopped, its CIB set aside"
            return {**ret, "result": None, "changes": change, "comment": comment}
        aside = __salt__["corosync.remove_packaged_cluster"]()
    except CommandExecutionError as error:
        return {**ret, "result": False, "comment": str(error)}
    comment = f"the packages' own cluster was stopped; its CIB is in {aside}"
    return {**ret, "changes": change, "comment": comment}


def stopped(name):
    """
    Fail while Corosync runs here. Changes nothing.

    name
        Any text.

    .. code-block:: yaml

        the cluster is stopped:
          corosync.stopped
    """
    ret = {"name": name, "changes": {}}
    if not __salt__["corosync.running"]():
        return {**ret, "result": True, "comment": "Corosync doesn't run here"}
    return {
        **ret,
        "result": False,
        "comment": f"Corosync runs on {__grains__['id']}; salt-run cmha.clean stops it in the right order",
    }


def forgotten(name):
    """
    Set aside what makes this host a member of a cluster: corosync.conf and Pacemaker's configuration.

    name
        Any text.

    .. code-block:: yaml

        the cluster is forgotten:
          corosync.forgotten
    """
    ret = {"name": name, "result": True, "changes": {}}
    present = __salt__["corosync.remains"]()
    if not present:
        return {**ret, "comment": "nothing of a cluster is here"}
    if __opts__["test"]:
        change = {path: {"old": "there", "new": "set aside"} for path in present}
        return {**ret, "result": None, "changes": change, "comment": "would be set aside"}
    change = __salt__["corosync.set_aside"]()
    return {**ret, "changes": change, "comment": f"set aside: {', '.join(change)}"}


def _described(nodes):
    return " and ".join(f"{node['name']} ({node['address']})" for node in nodes)
