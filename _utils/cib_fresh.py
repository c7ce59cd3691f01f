"""
A CIB on nodes that have just come: what is configured decides alone, and nothing that happened before.

Pure functions. The scheduler is asked what it would start of it (see ``crm``).
"""

from xml.etree import ElementTree

import cib_obstacles
import cib_values

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
        configuration.find("crm_config"), "cluster_property_set", id="cmha"
    )
    ElementTree.SubElement(off, "nvpair", id="cmha-off", name="stonith-enabled", value="false")
    return _just_come(root)


def just_come(xml):
    """
    The same cluster, without what is known only when it has run for a while: what resources say of nodes, the
    time of day, tickets. What waits for such things isn't kept from anywhere here. It isn't in maintenance
    mode, in which people know that nothing is started.

    xml
        A CIB as text.

    Returns it as text.
    """
    root = ElementTree.fromstring(cib_obstacles.resolved(xml))
    lasting = {each.get("name") for each in root.iterfind("configuration/nodes//nvpair")}
    unknown = [
        each for each in root.iterfind("configuration/constraints/*") if _depends(each, lasting)
    ]
    for constraints in root.iterfind("configuration/constraints"):
        constraints[:] = [each for each in constraints if each not in unknown]
    # who is invited by what isn't known yet may come
    away = ["maintenance-mode", *(["symmetric-cluster"] if any(map(_invites, unknown)) else [])]
    for values in root.iterfind("configuration/crm_config/cluster_property_set"):
        values[:] = [
            each for each in values if cib_values.property_name(each.get("name", "")) not in away
        ]
    return _just_come(root)


def _depends(constraint, lasting):
    """Whether it decides by what only a running cluster knows."""
    attributes = {each.get("attribute", "") for each in constraint.iter("expression")} - lasting
    return (
        constraint.tag == "rsc_ticket"
        or constraint.find(".//date_expression") is not None
        or not all(each.startswith("#") for each in attributes)
    )


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
    if gone is None:
        return xml
    left = next(each for name, each in ids.items() if name != gone)
    return cib_obstacles.without_node(xml, ids[gone], left, quorate=True)


def lacks(xml, resource):
    """
    Whether a CIB has no such resource.

    xml
        A CIB as text.
    resource
        Its id.
    """
    resources = ElementTree.fromstring(xml).iterfind("configuration/resources//*")
    return all(each.get("id") != resource for each in resources)
