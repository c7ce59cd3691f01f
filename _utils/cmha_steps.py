"""
What the orchestration does at a site, in its order, as data: ``cmha.orchestrate`` prints it.

Pure functions. A step is a state of ``_states/cmha.py``. Its name says site, pair, hosts and what is done: a
failed step is found by reading its name. Each step requires the one before it, of the pair before too.
"""

import json


def of_site(site, idle=()):
    """
    The steps of a site.

    site
        A mapping with ``site``, its name, and ``pairs``, as the runner ``cmha.sites`` lists it.
    idle
        The pairs that have nothing to do, see ``cmha_idle.look``: their steps only say so.

    Returns a list of mappings: ``name``; ``function``, of the state module ``cmha``; ``arguments``, a
    mapping; and ``after``, the name of the step that it requires, or ``None``.
    """
    steps, after = [], None
    for pair in site["pairs"]:
        for what, function, more in _of_pair(pair):
            name = f"{site['site']} {pair['pair']}: {what}"
            step = {"function": function, "arguments": {"site": site["site"], "pair": pair, **more}}
            if pair["pair"] in idle:
                step = _idle(function, step["arguments"], idle[pair["pair"]])
            steps.append({"name": name, **step, "after": after})
            after = name
    return steps


def state_files(pair):
    """
    The state files that the steps of a pair apply on its hosts, in their order.

    pair
        A pair, as the runner ``cmha.sites`` lists it.
    """
    hosts = {node["id"] for node in pair["nodes"]}
    applied = [more for _, _, more in _of_pair(pair) if hosts.issuperset(more.get("hosts", ()))]
    return list(dict.fromkeys(sls for more in applied for sls in more.get("sls", ())))


def states(sites, pace):
    """
    The orchestration as states of ``_states/cmha.py``.

    sites
        A list of sites, each with its ``steps``.
    pace
        See ``cmha_sites.meant``.

    Returns a list of mappings: ``name``, ``function``, and ``arguments``, as a state file has them. Several
    sites are worked at by the first of the states; those of the steps then say what was done.
    """
    if len(sites) < 2:
        return [_state(step, step["function"], step["arguments"]) for step in _all(sites)]
    # as a text: YAML takes seconds to read the data of many sites
    arguments = {"sites": json.dumps(sites), **pace}
    first = {"name": f"{len(sites)} sites", "after": None}
    reported = [_state(step, "reported", {}) for step in _all(sites)]
    return [_state(first, "at_sites", arguments), *reported]


def _all(sites):
    return [step for site in sites for step in site["steps"]]


def _state(step, function, arguments):
    listed = [{key: value} for key, value in arguments.items()]
    if step["after"]:
        listed.append({"require": [{"cmha": step["after"]}]})
    return {"name": step["name"], "function": function, "arguments": listed}


def _idle(function, arguments, seen):
    """In place of a step; what was seen is said by the one that would verify it."""
    if function != "verified":
        return {"function": "idle", "arguments": {"comment": "nothing to do"}}
    where = {
        "site": arguments["site"],
        "pair": arguments["pair"]["pair"],
        "hosts": arguments["hosts"],
    }
    return {"function": "idle", "arguments": {**seen, "verified": where}}


def _of_pair(pair):
    """What is done, by which function, with which arguments beside site and pair."""
    ids = [node["id"] for node in pair["nodes"]]
    both, device, cluster = " and ".join(ids), pair["qnetd"], pair["cluster_name"]
    yield f"prepare {both}", "step", {"hosts": ids, "sls": ["cmha.host", "cmha.corosync"]}
    if device:
        yield (
            f"prepare the quorum device {device}",
            "step",
            {"hosts": [device], "sls": ["cmha.qnetd"]},
        )
        yield f"reach {device} from {both}", "step", {"hosts": ids, "sls": ["cmha.qdevice"]}
    if device and pair["wants_certificate"]:
        yield f"certify {both} at {device}", "certified", {}
    yield f"reload or restart what changed on {both}", "reconfigured", {}
    yield f"start the cluster {cluster} on {both}", "step", {"hosts": ids, "sls": ["cmha.start"]}
    if pair["has_fence_devices"]:
        # devices that don't answer end it here: nothing would fail over if that went on
        yield (
            f"leave maintenance mode on {ids[0]}",
            "step",
            {"hosts": ids[:1], "sls": ["cmha.managed"]},
        )
        yield (
            f"see that {both} can fence each other",
            "step",
            {"hosts": ids, "sls": ["cmha.fencing"]},
        )
        yield (
            f"keep the passwords of fence devices on {both}",
            "step",
            {"hosts": ids, "sls": ["cmha.fence_passwords"]},
        )
    yield (
        f"configure the cluster {cluster} on {ids[0]}",
        "step",
        {"hosts": ids[:1], "sls": ["cmha.managed", "cmha.cluster"]},
    )
    yield (
        f"verify that {pair['resource']} runs once",
        "verified",
        {"hosts": ids, "sls": ["cmha.verify"]},
    )
