"""
Pacemaker as it shall be: a pair that is online, a configuration in one transaction, a resource that
runs.

All states work on the module ``crm`` of this formula. ``test=True`` touches nothing and says
exactly what would change; on a host where no cluster runs it compares with the configuration on the
disk. No state starts a cluster: after a crash a person looks first.
"""

import time

from salt.exceptions import CommandExecutionError

_PAUSE = 1
# Looks at a cluster that rests until nothing more is expected of it
_PATIENCE = 10

_TRIES_NO_MORE = (
    "the cluster has tried on every node and makes no further attempt; mend the service, then run:"
)


def __virtual__():
    return True


# --- barrier -------------------------------------------------------------------------------------


def online(name, nodes, timeout=120):
    """
    Wait until the cluster is whole: all its members joined, its nodes online, a designated
    controller (DC) elected. Reports no change.

    name
        Any text; by custom the name of the pair.
    nodes
        Mapping of node name to ``{nodeid: …, address: …}``, or a list of such mappings with a
        ``name`` each, or a list of node names.
    timeout
        Seconds to wait.

    On a time-out the comment names the hosts that are missing, and what was seen.

    Source: ``crm_mon(8)``, ``corosync-cmapctl(8)``.

    .. code-block:: yaml

        cms is online:
          crm.online:
            - nodes:
                cms1.example.com: {nodeid: 1, address: 10.1.0.11}
                cms2.example.com: {nodeid: 2, address: 10.1.0.12}
            - timeout: 120
    """
    if __opts__["test"] and not __salt__["crm.running"]():
        return _result(name, None, "would wait for the cluster, which doesn't run yet")
    nodes = _by_name(nodes)
    end = time.monotonic() + timeout
    while True:
        faults = _faults_of_the_cluster(nodes)
        if not faults:
            return _result(name, True, f"online: {', '.join(nodes)}; DC {__salt__['crm.dc']()}")
        if __opts__["test"]:
            return _result(name, None, f"would wait for: {'; '.join(faults)}")
        if time.monotonic() >= end:
            return _result(name, False, f"not online within {timeout} s: {'; '.join(faults)}")
        time.sleep(_PAUSE)


def _faults_of_the_cluster(nodes):
    try:
        seen = __salt__["crm.status"]()
        members = __salt__["corosync.members"]()
    except CommandExecutionError as error:
        return [str(error)]
    faults = _missing_members(nodes, members) + _missing_nodes(nodes, seen["nodes"])
    if not faults and __salt__["crm.dc"]() is None:
        faults = ["no designated controller (DC) is elected yet"]
    return faults


def _by_name(nodes):
    if isinstance(nodes, dict):
        return nodes
    return {each["name"]: each for each in map(_described, nodes)}


def _described(node):
    return node if isinstance(node, dict) else {"name": node}


def _missing_members(nodes, members):
    joined = {str(nodeid): each for nodeid, each in members.items() if each["status"] == "joined"}
    seen = f"corosync sees {_addresses(joined)}"
    absent = [
        f"{node} ({each.get('address')}, nodeid {each['nodeid']}) hasn't joined, {seen}"
        for node, each in nodes.items()
        if "nodeid" in each and str(each["nodeid"]) not in joined
    ]
    too_few = f"{len(joined)} of {len(nodes)} members have joined, {seen}"
    return absent or ([too_few] if len(joined) < len(nodes) else [])


def _addresses(members):
    return (
        ", ".join(f"nodeid {nodeid} at {each.get('address')}" for nodeid, each in members.items())
        or "nobody"
    )


def _missing_nodes(nodes, seen):
    return [
        f"{node} is {_condition(seen.get(node))} in Pacemaker, which sees "
        + (
            ", ".join(f"{each} {_condition(state)}" for each, state in sorted(seen.items()))
            or "nobody"
        )
        for node in nodes
        if _condition(seen.get(node)) not in ("online", "standby", "in maintenance")
    ]


def _condition(node):
    if node is None:
        return "unknown"
    words = {
        "unclean": "unclean",
        "pending": "pending",
        "standby": "standby",
        "maintenance": "in maintenance",
    }
    if not node["online"]:
        return "unclean" if node["unclean"] else "offline"
    return next((word for flag, word in words.items() if node[flag]), "online")


# --- configuration -------------------------------------------------------------------------------


def configured(  # noqa: PLR0917 - Salt calls by name, and knows no keyword-only arguments
    name,
    properties_sets=None,
    properties=None,
    rsc_defaults_sets=None,
    rsc_defaults=None,
    op_defaults_sets=None,
    op_defaults=None,
    node_descriptions=None,
    node_scores=None,
    node_attributes_sets=None,
    node_attributes=None,
    node_utilization_sets=None,
    node_utilization=None,
    templates=None,
    primitives=None,
    groups=None,
    clones=None,
    bundles=None,
    locations=None,
    colocations=None,
    orders=None,
    tickets=None,
    fencing_levels=None,
    acl_roles=None,
    acl_users=None,
    acl_groups=None,
    alerts=None,
    tags=None,
    allow_unknown=None,
    absent=None,
    purge=None,
    nodes=None,
    serves=None,
):
    """
    Make the cluster's configuration what is declared, in one transaction. What isn't declared stays
    as it is, unless its section is purged.

    With ``test=True`` the comment says what would change, and what the cluster would then do about it.

    name
        Any text; by custom the name of the pair.
    properties, rsc_defaults, op_defaults
        Cluster properties, and defaults of resources and operations: mapping of name to value.
    node_attributes, node_utilization
        Mapping of node to a mapping of name to value.
    properties_sets, rsc_defaults_sets, op_defaults_sets, node_attributes_sets, node_utilization_sets
        The sets of them that a rule or a score sets apart: mapping of id to a mapping with ``rule``,
        ``score`` and ``values``; for nodes, a mapping of node to such a mapping.
    node_descriptions, node_scores
        Mapping of node to text, or to a score.
    primitives, templates
        Mapping of id to agent, or to a mapping with ``agent``, ``description``, ``params``, ``meta``,
        ``operations`` and ``utilization``, and sets of them (``meta_sets``, …). The agent ``@ID`` is that
        of a template.
    groups
        Mapping of id to the list of its members, or to a mapping with ``members``, ``meta``, ….
    clones
        Mapping of id to the resource, or to a mapping with ``resource``, ``meta``, …. A promotable clone
        has the meta attribute ``promotable``.
    bundles
        Mapping of id to a mapping with ``docker``, ``podman`` or ``rkt``, ``network``, ``storage`` and
        ``primitive``.
    locations
        Mapping of id to a mapping with ``rsc``, ``rsc-pattern`` or ``sets``; ``node`` and ``score``, or
        ``rules``; ``role``, ``resource-discovery``.
    colocations
        Mapping of id to a mapping with ``rsc`` and ``with-rsc``, or ``sets``; ``score``, roles, ….
    orders
        Mapping of id to a mapping with ``first`` and ``then``, or ``sets``; ``kind``, actions, ….
    tickets
        Mapping of id to a mapping with ``ticket``; ``rsc`` or ``sets``; ``loss-policy``.
    fencing_levels
        Mapping of id to a mapping with ``target``, ``target-pattern``, or ``target-attribute`` and
        ``target-value``; ``index`` and ``devices``.
    acl_roles
        Mapping of id to the list of permissions, each a mapping, or text such as ``read xpath //status``.
    acl_users, acl_groups
        Mapping of name to the list of roles.
    alerts
        Mapping of id to path, or to a mapping with ``path``, ``params``, ``meta``, ``select`` and
        ``recipients``.
    tags
        Mapping of id to the list of ids.
    allow_unknown
        List of names (properties, meta attributes, operations and their options) that Pacemaker doesn't know,
        and that are meant: newer ones, or those of an agent of your own.
    absent
        What shall not be there: mapping of section to a list of names.
    purge
        ``True``, or a list of sections: what isn't declared there is removed, but for what Pacemaker itself
        or an administrator's ``crm resource`` has put there. A resource that runs isn't purged.
    nodes
        List of node names, or a mapping by node name. If given, a cluster with other nodes is
        refused.
    serves
        Id of the resource for which the cluster is there. A change is refused by which it would not be
        started any more, with all nodes or when one of them is gone.

    Source: "Pacemaker Explained".

    .. code-block:: yaml

        cms is configured:
          crm.configured:
            - properties: {no-quorum-policy: ignore, stonith-enabled: false}
            - rsc_defaults: {resource-stickiness: 100}
            - primitives:
                cloudera-scm-server:
                  agent: lsb:cloudera-scm-server
                  operations:
                    start: {timeout: 600s}
                    monitor: {interval: 30s, timeout: 60s}
                vip: {agent: 'ocf:heartbeat:IPaddr2', params: {ip: 10.0.0.9}}
            - groups: {cloudera: [vip, cloudera-scm-server]}
            - locations: {at-home: {rsc: cloudera, node: cms1.example.com, score: 50}}
            - nodes: [cms1.example.com, cms2.example.com]
    """
    sections = {
        "properties_sets": properties_sets,
        "properties": properties,
        "rsc_defaults_sets": rsc_defaults_sets,
        "rsc_defaults": rsc_defaults,
        "op_defaults_sets": op_defaults_sets,
        "op_defaults": op_defaults,
        "node_descriptions": node_descriptions,
        "node_scores": node_scores,
        "node_attributes_sets": node_attributes_sets,
        "node_attributes": node_attributes,
        "node_utilization_sets": node_utilization_sets,
        "node_utilization": node_utilization,
        "templates": templates,
        "primitives": primitives,
        "groups": groups,
        "clones": clones,
        "bundles": bundles,
        "locations": locations,
        "colocations": colocations,
        "orders": orders,
        "tickets": tickets,
        "fencing_levels": fencing_levels,
        "acl_roles": acl_roles,
        "acl_users": acl_users,
        "acl_groups": acl_groups,
        "alerts": alerts,
        "tags": tags,
        "allow_unknown": allow_unknown,
    }
    declared = {key: value for key, value in sections.items() if value is not None}
    return _converged(name, declared, absent, purge, nodes, serves)


def property_present(name, value):
    """
    Set one cluster property.

    name
        Name of the property.
    value
        Text, number or boolean.

    Source: ``pacemaker-schedulerd(7)``, ``pacemaker-controld(7)``.

    .. code-block:: yaml

        no-quorum-policy:
          crm.property_present:
            - value: ignore
    """
    return _converged(name, {"properties": {name: value}})


def property_absent(name):
    """
    Remove one cluster property, so that Pacemaker's own default counts.

    name
        Name of the property.

    .. code-block:: yaml

        maintenance-mode:
          crm.property_absent
    """
    return _converged(name, {}, {"properties": [name]})


def rsc_default_present(name, value):
    """
    Set the default of one meta attribute of all resources.

    name
        Name of the meta attribute.
    value
        Text, number or boolean.

    .. code-block:: yaml

        resource-stickiness:
          crm.rsc_default_present:
            - value: 100
    """
    return _converged(name, {"rsc_defaults": {name: value}})


def rsc_default_absent(name):
    """
    Remove the default of one meta attribute of all resources.

    name
        Name of the meta attribute.

    .. code-block:: yaml

        migration-threshold:
          crm.rsc_default_absent
    """
    return _converged(name, {}, {"rsc_defaults": [name]})


def op_default_present(name, value):
    """
    Set one default of all operations.

    name
        Name of the option.
    value
        Text, number or boolean; durations with their unit.

    .. code-block:: yaml

        timeout:
          crm.op_default_present:
            - value: 60s
    """
    return _converged(name, {"op_defaults": {name: value}})


def op_default_absent(name):
    """
    Remove one default of all operations.

    name
        Name of the option.

    .. code-block:: yaml

        timeout:
          crm.op_default_absent
    """
    return _converged(name, {}, {"op_defaults": [name]})


def primitive_present(name, agent, params=None, meta=None, operations=None):
    """
    Make one primitive what is declared.

    name
        Id of the primitive.
    agent
        ``ocf:PROVIDER:TYPE``, ``lsb:TYPE``, ``systemd:TYPE``, …
    params
        Instance attributes: mapping of name to value.
    meta
        Meta attributes: mapping of name to value.
    operations
        Mapping of operation to its options, or to a list of those for several monitors.

    .. code-block:: yaml

        cloudera-scm-server:
          crm.primitive_present:
            - agent: lsb:cloudera-scm-server
            - operations:
                monitor: {interval: 30s, timeout: 60s}
    """
    primitive = {"agent": agent, "params": params, "meta": meta, "operations": operations}
    return _converged(name, {"primitives": {name: primitive}})


def primitive_absent(name):
    """
    Remove one primitive, with the constraints that name it.

    name
        Id of the primitive.

    .. code-block:: yaml

        old-vip:
          crm.primitive_absent
    """
    return _converged(name, {}, {"primitives": [name]})


def _converged(name, declared, absent=None, purge=None, nodes=None, serves=None):  # noqa: PLR0917
    try:
        if __opts__["test"]:
            return _predicted(name, __salt__["crm.plan"](declared, absent, purge, serves))
        changes = __salt__["crm.apply"](declared, absent, purge, nodes, serves)["changes"]
    except CommandExecutionError as error:
        return _result(name, False, str(error))
    comment = f"changed: {', '.join(changes)}" if changes else "already as declared"
    return _result(name, True, comment, changes)


def _predicted(name, plan):
    if not plan["changes"]:
        return _result(name, True, "already as declared")
    lines = [*plan["summary"], *(f"warning: {line}" for line in plan["warnings"])]
    return _result(name, None, "\n".join(lines), plan["changes"])


# --- verification --------------------------------------------------------------------------------


def started(name, nodes=None, port=None, timeout=600):
    """
    Verify that a resource is started on exactly one node, and that this host agrees: where it is
    started its port gives a page, elsewhere its own agent says that it isn't running. Waits for what is on
    its way: a page that may yet come, a cluster that does something. It doesn't wait for a cluster that
    rests, or has tried to start the resource on every node and makes no further attempt. Reports no change.

    name
        Id of the resource.
    nodes
        List of node names, or a mapping by node name, of which it has to be one.
    port
        TCP port that gives a page by HTTP or HTTPS, on this host's loopback address, where the resource is
        started. Without it the agent's own monitor is asked.
    timeout
        Seconds to wait.

    Source: ``crm_mon(8)``, ``crm_resource(8)``.

    .. code-block:: yaml

        cloudera-scm-server:
          crm.started:
            - nodes: [cms1.example.com, cms2.example.com]
            - port: 7180
            - timeout: 600
    """
    if __opts__["test"] and not __salt__["crm.running"]():
        return _result(name, None, "would wait for the resource; the cluster doesn't run yet")
    end, rests = time.monotonic() + timeout, 0
    while True:
        where, fault = _fault_of_the_resource(name, nodes, port)
        if not fault:
            return _result(name, True, f"started on {where}")
        if __opts__["test"]:
            return _result(name, None, f"would wait: {fault}")
        if time.monotonic() >= end:
            return _result(name, False, f"not as it should be within {timeout} s: {fault}")
        if _says("crm.given_up", name):
            return _result(name, False, f"{fault}; {_TRIES_NO_MORE} crm resource cleanup {name}")
        rests = rests + 1 if not isinstance(fault, _MayYetCome) and _says("crm.settled") else 0
        if rests > _PATIENCE:
            return _result(
                name,
                False,
                f"{fault}; the cluster rests, and no waiting ends that: see salt-run cmha.status",
            )
        time.sleep(_PAUSE)


def _says(function, *arguments):
    try:
        return __salt__[function](*arguments)
    except CommandExecutionError:
        return False  # the cluster doesn't answer at the moment: that is worth waiting for


class _MayYetCome(str):
    """A fault that ends without the cluster doing anything."""

    __slots__ = ()


def _fault_of_the_resource(name, nodes, port):
    """Where the resource is, and what is wrong about it."""
    try:
        seen = __salt__["crm.status"]()
        where = __salt__["crm.started"](name, seen)
        if len(where) != 1:
            somewhere = ", ".join(where) or "no host"
            return None, f"{name} is started on {somewhere}, not on one{_failures(name, seen)}"
        if seen["resources"][name]["failed"]:
            # Until it has been stopped there, Pacemaker lists a start that failed as started.
            return None, f"{name} has failed on {where[0]}{_failures(name, seen)}"
        if nodes is not None and where[0] not in nodes:
            return None, f"{name} is started on {where[0]}, which isn't one of {', '.join(nodes)}"
        return where[0], _fault_here(name, where[0] == __salt__["crm.node"](), port)
    except CommandExecutionError as error:
        return None, str(error)


def _failures(name, seen):
    said = [
        f"{each['task']} failed on {each['node']}: {each['reason']}"
        for each in seen["failures"]
        if each["resource"] == name
    ]
    return f" ({'; '.join(said)})" if said else ""


def _fault_here(name, is_here, port):
    if is_here and port is not None:
        if _answers(port):
            return None
        return _MayYetCome(f"{name} is started here, but nothing answers on port {port}")
    here = __salt__["crm.check"](name)
    if here["running"] is is_here:
        return None
    said = f"(rc {here['rc']}: {here['text']})"
    if is_here:
        return f"{name} is started here, but its agent says that it isn't {said}"
    return f"{name} {'runs here too' if here['running'] else 'may run here too'} {said}"


def _answers(port):
    return __salt__["page.answers"](port)


# --- results -------------------------------------------------------------------------------------


def _result(name, result, comment, changes=None):
    return {"name": name, "result": result, "comment": comment, "changes": changes or {}}
