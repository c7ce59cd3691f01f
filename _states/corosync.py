"""
Whose cluster a host has: leave another's alone, take the one away that the packages started. And the key of
the cluster that it is to have.
"""

from salt.exceptions import CommandExecutionError


def __virtual__():
    return True


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


def authkey(name, needed=False):
    """
    Place Corosync's key that pillar has for this host (``cmha:corosync:authkey``), readable by root alone.
    Neither the state's arguments nor its changes hold it. Without one in pillar, a key that is there is left
    alone.

    name
        The key file.
    needed
        Fail when there is a key neither in pillar nor on this host.

    .. code-block:: yaml

        /etc/corosync/authkey:
          corosync.authkey:
            - needed: true
    """
    ret = {"name": name, "result": True, "changes": {}}
    try:
        found = __salt__["corosync.authkey"](name)
        if not found["in_pillar"]:
            return {**ret, **_without_key_in_pillar(name, found["there"], needed)}
        if not found["changes"]:
            return {**ret, "comment": f"{name} is the key that pillar has"}
        if __opts__["test"]:
            comment = f"{name} would be changed"
            return {**ret, "result": None, "changes": found["changes"], "comment": comment}
        changes = __salt__["corosync.place_authkey"](name)
    except (CommandExecutionError, OSError) as error:
        return {**ret, "result": False, "comment": str(error)}
    return {**ret, "changes": changes, "comment": f"{name} is the key that pillar has now"}


def _without_key_in_pillar(name, there, needed):
    if there:
        return {"comment": f"{name} is this host's own: pillar has no key"}
    if not needed:
        return {"comment": "there is no key, and none is needed"}
    return {
        "result": False,
        "comment": (
            f"traffic is to be authenticated, and {__grains__['id']} has no {name}: give pillar a key "
            "(cmha:corosync:authkey; salt-run cmha.keygen makes one)"
        ),
    }


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


def forgotten(name, key_file):
    """
    Set aside what makes this host a member of a cluster: corosync.conf, its key and Pacemaker's
    configuration.

    name
        Any text.
    key_file
        Where Corosync's key is.

    .. code-block:: yaml

        the cluster is forgotten:
          corosync.forgotten:
            - key_file: /etc/corosync/authkey
    """
    ret = {"name": name, "result": True, "changes": {}}
    present = __salt__["corosync.remains"](key_file)
    if not present:
        return {**ret, "comment": "nothing of a cluster is here"}
    if __opts__["test"]:
        change = {path: {"old": "there", "new": "set aside"} for path in present}
        return {**ret, "result": None, "changes": change, "comment": "would be set aside"}
    change = __salt__["corosync.set_aside"](key_file)
    return {**ret, "changes": change, "comment": f"set aside: {', '.join(change)}"}


def taken_in(name):
    """
    Fail when Corosync, which has just been started, holds something else than corosync.conf says. That is
    noted, so that nobody restarts it for that again.

    name
        The cluster_name of the pair.

    .. code-block:: yaml

        cmf:
          corosync.taken_in
    """
    ret = {"name": name, "result": True, "changes": {}}
    try:
        if __opts__["test"]:
            return {**ret, "comment": "is looked at when it has started"}
        left = __salt__["corosync.note_refused"]()
    except CommandExecutionError as error:
        return {**ret, "result": False, "comment": str(error)}
    if not left:
        return {**ret, "comment": "Corosync holds what corosync.conf says"}
    said = ", ".join(f"{key} {each['new']} (it holds {each['old']})" for key, each in left.items())
    return {
        **ret,
        "result": False,
        "comment": (
            f"Corosync on {__grains__['id']} was started with this, and doesn't take it in: {said}. Take it "
            "out of pillar; no further restart is made for it"
        ),
    }


def _described(nodes):
    return " and ".join(f"{node['name']} ({node['address']})" for node in nodes)
