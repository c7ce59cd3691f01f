"""
What is seen of a cluster's fencing: its devices, and who was fenced.

Pure functions. The facts are ``crm.status``'s.
"""

_STONITH = "stonith:"


def __virtual__():
    return True


def seen(cluster, facts=()):
    """
    What Pacemaker says of fencing.

    cluster
        See ``crm.status``; ``None`` where none runs.
    facts
        By minion id, what ``cmha_host.health`` returned.

    Returns a mapping: ``on``, ``None`` when Pacemaker doesn't say; ``devices``, by name a list of the nodes
    from which Pacemaker watches whether it works; ``last``, by node the last fencing that it remembers:
    ``action``, ``status`` (``success``, ``failed`` or ``pending``), ``by`` (the node whose device did it),
    ``asked_by``, ``reason`` and ``when``, texts or ``None``; ``unclean``, names of nodes that may be on, so
    that nothing of theirs starts elsewhere before they are fenced; ``unable``, by minion id why the host,
    where the service is, couldn't fence the other, a list of lines.
    """
    if not cluster:
        return {"on": None, "devices": {}, "last": {}, "unclean": [], "unable": {}}
    devices = {
        name: each["started"]
        for name, each in cluster["resources"].items()
        if str(each.get("agent")).startswith(_STONITH)
    }
    last = {}
    for event in cluster.get("fencings", []):  # the newest comes first
        last.setdefault(event["node"], {key: event[key] for key in event if key != "node"})
    lines = {host: facts[host].get("unfenced") for host in facts}
    unable = {host: each for host, each in lines.items() if each}
    unclean = [name for name, node in cluster["nodes"].items() if node["unclean"]]
    return {
        "on": cluster.get("fencing"),
        "devices": devices,
        "last": last,
        "unclean": unclean,
        "unable": unable,
    }


def problems(fencing, nodes, maintenance=False):
    """
    What is wrong with fencing, or goes on.

    fencing
        See ``seen``.
    nodes
        The state of each node, see ``cmha_status.judge``.
    maintenance
        Whether the cluster is in maintenance mode: it starts nothing then.

    Returns a list of lines.
    """
    lines = unable(fencing)
    lines += [
        f"{line(node, event)}; when that is mended: stonith_admin --cleanup --history {node}"
        for node, event in fencing["last"].items()
        if event["status"] == "failed"
    ]
    lines += [
        line(node, event) for node, event in fencing["last"].items() if event["status"] == "pending"
    ]
    if fencing["on"]:
        lines += [
            f"nobody knows yet that {node} is off, so nothing of it starts elsewhere; where you see that it "
            f"has no power: salt-run cmha.fence node={node} is_off=True"
            for node in fencing["unclean"]
            if fencing["last"].get(node, {}).get("status") != "success"
        ]
    # a device may not run on the node that it fences, so one without the other may have none
    if fencing["on"] and not maintenance and set(nodes.values()) == {"online"}:
        lines += [
            f"the fence device {name} runs on no node: nobody watches whether it works; crm resource cleanup "
            f"{name}"
            for name, where in fencing["devices"].items()
            if not where
        ]
    return lines


def unable(fencing):
    """
    Why a host couldn't fence the other.

    fencing
        See ``seen``.

    Returns a list of lines.
    """
    return [f"{host}: {why}" for host, all_ in fencing["unable"].items() for why in all_]


def line(node, event):
    """
    What is known of a fencing, a line.

    node
        The node's name.
    event
        See ``seen``, ``last``.
    """
    when = f" at {event['when']}" if event["when"] else ""
    by = f" by {event['by']}" if event["by"] else ""
    asked = f", as {event['asked_by']} asked" if event["asked_by"] else ""
    why = f": {event['reason']}" if event["reason"] else ""
    if event["status"] == "pending":
        return f"{node} is being fenced ({event['action']}){asked}"
    if event["status"] == "failed":
        return f"{node} was to be fenced ({event['action']}){when}{by}{asked}, which failed{why}"
    return f"{node} was fenced ({event['action']}){when}{by}{asked}"
