"""
A CIB on nodes that have just come: what is configured decides alone, and nothing that happened before.

Pure functions. The scheduler is asked what it would start of it (see ``crm``).
"""

from xml.etree import ElementTree

import cib_obstacles
import cib_values

# A CIB with an id twice is read by nobody
_NO_OTHERS_ID = "cmha-without-fencing"

# What keeps a resource from starting, whatever it waits for
_KEEPS_STOPPED = ("target-role", "is-managed", "maintenance")


def __virtual__():
    return True


def only_ordered(xml):
    """
    The same resources and orders, with nothing else that decides what starts: a resource that runs, or
    doesn't start for another reason, doesn't show that it waits for itself.

    xml
        A CIB as text.

    Returns it as text.
    """
    root = ElementTree.fromstring(cib_obstacles.resolved(xml))
    configuration = root.find("configuration")
    for tag in ("crm_config", "rsc_defaults", "op_defaults", "fencing-topology"):
        for section in configuration.findall(tag):
            section[:] = []
    for constraints in configuration.findall("constraints"):
        constraints[:] = constraints.findall("rsc_order")
    for values in configuration.findall("resources//meta_attributes"):
        values[:] = [each for each in values if each.get("name") not in _KEEPS_STOPPED]
    for node in configuration.iterfind("nodes/node"):
        node[:] = []
    off = ElementTree.SubElement(
        configuration.find("crm_config"), "cluster_property_set", id=_NO_OTHERS_ID
    )
    value = {"id": f"{_NO_OTHERS_ID}-value", "name": "stonith-enabled", "value": "false"}
    ElementTree.SubElement(off, "nvpair", value)
    return _just_come(root)


def just_come(xml, by_hand=()):
    """
    The same cluster, without what is known only when it has run for a while: what resources and agents say of
    nodes, the time of day, tickets. What waits for such things isn't kept from anywhere here. Nothing is in
    maintenance, of which people know that it isn't started.

    xml
        A CIB as text.
    by_hand
        What somebody keeps from starting for now, see ``kept_stopped``: it doesn't count.

    Returns it as text.
    """
    root = ElementTree.fromstring(cib_obstacles.resolved(xml))
    lasting = _lasting(root)
    unknown = [
        each for each in root.iterfind("configuration/constraints/*") if _waits(each, lasting)
    ]
    for constraints in root.iterfind("configuration/constraints"):
        constraints[:] = [each for each in constraints if each not in unknown]
    away = set(_MAINTENANCE)
    if any(map(_invites, unknown)):
        away.add("symmetric-cluster")  # who is invited by what isn't known yet may come
    if root.find(f"configuration/resources//*[@type='{_MEASURES}']") is not None:
        away.add("placement-strategy")
    by_owner = {(owner, name) for owner, name, _ in by_hand}
    for owner, values in _sets(root):
        values[:] = [
            each
            for each in values
            if _meant(each) not in away
            and (owner.get("id", owner.tag), _meant(each)) not in by_owner
        ]
    for owner, values in _sets(root):
        if values.tag != "instance_attributes" and _depends(values, lasting):
            owner.remove(values)
    return _just_come(root)


# What agents of this type say of nodes' capacities, they say when they run
_MEASURES = "NodeUtilization"
_MAINTENANCE = ("maintenance-mode", "maintenance", "is-managed", "is-managed-default")
_STOPS = ("standby", "target-role", "stop-all-resources")

# What Pacemaker itself knows of a node from the beginning
_KNOWN = {"#uname", "#id", "#kind", "#cluster-name", "#site-name", "#role"}


def kept_stopped(xml):
    """
    What keeps resources stopped by a word of its own: a node's standby, a resource's role, and the like.

    xml
        A CIB as text.

    Returns a set of tuples: whose it is, what, and its value.
    """
    root = ElementTree.fromstring(cib_obstacles.resolved(xml))
    return {
        (owner.get("id", owner.tag), _meant(each), each.get("value"))
        for owner, values in _sets(root)
        for each in values
        if _meant(each) in _STOPS and _stops(each.get("value", ""))
    }


def _stops(value):
    return value.lower() == "stopped" or cib_values.is_true(value)


def _meant(nvpair):
    return cib_values.property_name(nvpair.get("name", ""))


def _sets(root):
    """Each set of values that decides where resources run, and whose it is."""
    for owner in root.iterfind("configuration//*"):
        for tag in ("meta_attributes", "cluster_property_set", "instance_attributes"):
            if tag != "instance_attributes" or owner.tag == "node":
                for values in owner.findall(tag):
                    yield owner, values


def _lasting(root):
    """The nodes' attributes that no agent changes."""
    said = {each.get("name") for each in root.iterfind("configuration/nodes//nvpair")}
    agents = root.iterfind("configuration/resources//instance_attributes/nvpair[@name='name']")
    return said - {"pingd"} - {each.get("value") for each in agents}


def _waits(constraint, lasting):
    """Whether a constraint decides by what only a running cluster knows."""
    roles = {
        constraint.get(key) for key in ("rsc-role", "with-rsc-role", "first-action", "then-action")
    }
    roles |= {
        each.get(key) for each in constraint.iter("resource_set") for key in ("role", "action")
    }
    return (
        constraint.tag == "rsc_ticket"
        or not roles.isdisjoint(_OF_PROMOTION)  # agents say who may be promoted
        or any(each.get("score-attribute") for each in constraint.iter("rule"))
        or _depends(constraint, lasting)
    )


_OF_PROMOTION = {"Promoted", "Unpromoted", "Master", "Slave", "promote", "demote"}


def _depends(element, lasting):
    attributes = {each.get("attribute", "") for each in element.iter("expression")}
    return element.find(".//date_expression") is not None or not attributes <= lasting | _KNOWN


def _invites(constraint):
    return any(not rule.get("score", "").startswith("-") for rule in constraint.iter("rule"))


def nodes(xml):
    """
    The cluster's own nodes, without remote ones.

    xml
        A CIB as text.

    Returns a mapping of name to id.
    """
    return {each.get("uname"): each.get("id") for each in _members(ElementTree.fromstring(xml))}


def _members(root):
    """A remote one is a resource first."""
    return [
        each
        for each in root.iterfind("configuration/nodes/node")
        if each.get("type", "member") in ("member", "normal")
    ]


def _just_come(root):
    root.set("have-quorum", "1")
    for status in root.findall("status"):
        root.remove(status)
    status = ElementTree.SubElement(root, "status")
    there = {"in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"}
    for node in _members(root):
        about = {"id": node.get("id"), "uname": node.get("uname")}
        ElementTree.SubElement(status, "node_state", about | there)
    return ElementTree.tostring(root, encoding="unicode")


def lost(xml, gone=None):
    """
    What is left when one of the nodes has gone, with quorum.

    xml
        A CIB as text, as ``just_come`` returns it.
    gone
        The node's name; without one, nothing has.

    Returns it as text.
    """
    ids = nodes(xml)
    if gone not in ids:
        return xml
    left = next(each for name, each in ids.items() if name != gone)
    return cib_obstacles.without_node(xml, ids[gone], left, quorate=True)


def primitives(xml, resource):
    """
    What of a resource is started.

    xml
        A CIB as text.
    resource
        Its id.

    Returns a list of ids of primitives: its own, or those of a group or a clone; empty where there is no such
    resource, and ``None`` for a bundle, whose containers have names of their own.
    """
    root = ElementTree.fromstring(xml)
    for bundle in root.iterfind("configuration/resources//bundle"):
        if resource in (bundle.get("id"), *(each.get("id") for each in bundle.iter("primitive"))):
            return None
    return [
        each.get("id")
        for owner in root.iterfind("configuration/resources//*")
        if owner.get("id") == resource and owner.tag in _RESOURCES
        for each in owner.iter("primitive")
    ]


_RESOURCES = ("primitive", "group", "clone", "master")
