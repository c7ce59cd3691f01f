"""
What ``crm_mon`` says, as data.

Pure functions: text in, mappings out. Source: ``crm_mon(8)``; ``/usr/share/pacemaker/api/*.rng``.
"""

import re
from xml.etree import ElementTree

import cib_values

_RUNNING_ROLES = ("Started", "Promoted", "Unpromoted")
# Its name up to Pacemaker 3.0.1, and since
_FENCING = ("stonith-enabled", "fencing-enabled")
_PENDING = ("Starting", "Stopping", "Migrating")


def __virtual__():
    return True


def status(xml):
    """
    The cluster's status.

    xml
        Output of ``crm_mon -1 --output-as xml``, or of ``crm_mon --as-xml`` in versions before
        2.0.3.

    Returns a mapping:

    - ``dc``: name of the designated controller, or ``None``; ``dc_version``; ``with_quorum``,
      ``maintenance``; ``fencing``, whether it is on, ``None`` from before Pacemaker 1.1.14, which doesn't say
    - ``nodes``: by name ``id``, ``online``, ``standby``, ``maintenance``, ``pending``, ``unclean``,
      ``shutdown``, ``dc``, ``remote`` (without a cluster of its own), ``resources`` (how many it runs)
    - ``resources``: by id, primitives inside groups, clones and bundles as well, ``agent``,
      ``nodes`` (where it is active), ``started`` (where it has come up), ``active``, ``failed``,
      ``managed``, ``blocked``, ``orphaned``, ``role``, ``roles`` (by node), ``target_role``,
      ``pending``
    - ``failures``: list of mappings with ``resource``, ``task``, ``node``, ``rc``, ``status``,
      ``reason``, ``when``
    - ``fencings``: list of mappings, the newest first, with ``node``, ``action``, ``status`` (``success``,
      ``failed`` or ``pending``), ``by`` (whose device did it), ``asked_by``, ``reason``, ``when``; what the
      fencer remembers, from Pacemaker 2.0.3 on
    """
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise cib_values.InvalidCib(
            "", f"crm_mon's output is not well-formed XML: {error}"
        ) from None
    dc = _attributes(root.find("summary/current_dc"))
    options = _attributes(root.find("summary/cluster_options"))
    return {
        "dc": dc.get("name") if _yes(dc, "present") else None,
        "dc_version": dc.get("version"),
        "with_quorum": _yes(dc, "with_quorum"),
        "maintenance": _yes(options, "maintenance-mode"),
        "fencing": _fencing(options),
        "nodes": {
            node.get("name"): _node_status(node)
            for node in root.findall("nodes/node")
            if node.get("name")
        },
        "resources": _resources_status(root.find("resources")),
        "failures": [_failure(each) for each in root.findall("failures/failure")],
        "fencings": [_fencing_event(each) for each in root.findall("fence_history/fence_event")],
    }


def _attributes(element):
    return {} if element is None else element.attrib


def _yes(attributes, name):
    return attributes.get(name) == "true"


def _fencing(options):
    said = [options[name] == "true" for name in _FENCING if name in options]
    return any(said) if said else None


def _fencing_event(element):
    asked_by = [element.get("client"), element.get("origin")]
    return {
        "node": element.get("target") or "",
        "action": element.get("action"),
        "status": element.get("status"),
        "by": element.get("delegate"),
        "asked_by": " on ".join(filter(None, asked_by)) or None,
        "reason": element.get("exit-reason"),
        "when": element.get("completed"),
    }


def _number(element, name):
    said = element.get(name, "")
    return int(said) if re.fullmatch("[0-9]{1,9}", said) else 0


def _node_status(node):
    flags = ("online", "standby", "maintenance", "pending", "unclean", "shutdown")
    return {
        "id": node.get("id"),
        **{flag: _yes(node.attrib, flag) for flag in flags},
        "dc": _yes(node.attrib, "is_dc"),
        "remote": node.get("type") == "remote",
        "resources": _number(node, "resources_running"),
    }


def _resources_status(section):
    resources = {}
    for instance in section.iter("resource") if section is not None else ():
        # a globally unique clone's instances are named id:0, id:1
        identifier = (instance.get("id") or "").partition(":")[0]
        if not identifier:
            continue
        known = resources.setdefault(identifier, _resource_status(instance))
        _count_instance(known, instance)
    return resources


def _resource_status(instance):
    flags = ("managed", "blocked", "orphaned")
    return {
        "agent": instance.get("resource_agent"),
        "role": instance.get("role"),
        "target_role": instance.get("target_role"),
        "pending": None,
        "active": False,
        "failed": False,
        **{flag: _yes(instance.attrib, flag) for flag in flags},
        "nodes": [],
        "started": [],
        "roles": {},
    }


def _count_instance(known, instance):
    role, pending = instance.get("role"), instance.get("pending")
    on = [node.get("name") for node in instance.findall("node") if node.get("name")]
    known["failed"] = known["failed"] or _yes(instance.attrib, "failed")
    known["pending"] = known["pending"] or pending
    if _yes(instance.attrib, "active"):
        known["role"] = known["role"] if known["active"] else role
        known["active"] = True
        known["nodes"] += on
        known["roles"].update(dict.fromkeys(on, role))
    if cib_values.role(role or "") in _RUNNING_ROLES and pending not in _PENDING:
        known["started"] += on


def _failure(element):
    key = element.get("op_key") or ""
    resource, _, _ = key.rpartition("_")[0].rpartition("_")
    return {
        "resource": resource or element.get("id"),
        "task": element.get("task"),
        "node": element.get("node"),
        "rc": _number(element, "exitcode"),
        "status": element.get("status"),
        "reason": element.get("exitreason") or element.get("exitstatus"),
        "when": element.get("last-rc-change"),
    }
