"""
What objects of Pacemaker's configuration refer to: other objects by id, and nodes by name.

Pure.
"""

import re

import cib_values
from cib_objects import RESOURCE_TAGS
from cib_values import InvalidCib, at

_BY_ID = (
    "members", "resource", "primitive", "rsc", "with-rsc", "first", "then", "resources", "references",
    "reference", "roles",
)  # fmt: skip

# What leads nowhere in these is an error of whoever has declared it; elsewhere a check of its own says so. A
# permission may name any id, also one that Pacemaker or a tool has made for a set of values.
_SECTIONS = (
    "templates", "primitives", "locations", "colocations", "orders", "tickets", "fencing_levels",
    "acl_users", "acl_groups", "tags",
)  # fmt: skip

# What the last part of a key leads to; any other key of a constraint leads to a resource
_LEADS_TO = {
    "agent": "template",
    "devices": "fence device",
    "roles": "ACL role",
    "references": "object",
}


# The meta attribute of a resource that is a guest, a node of its own
_GUEST = "remote-node"


def __virtual__():
    return True


def ids(value):
    """
    The ids that an object refers to.

    value
        The object, as a section's ``check`` returns it.

    Returns tuples of the key and the id.
    """
    if not isinstance(value, dict):
        return
    for key, each in value.items():
        if key == "agent" and each.startswith("@"):
            yield key, each[1:]
        elif key == "devices":
            yield from ((key, device) for device in each.split(","))
        elif key in _BY_ID:
            yield from ((key, one) for one in ([each] if isinstance(each, str) else each))
        elif key in ("sets", "permissions"):
            for number, part in enumerate(each):
                yield from ((f"{key}:{number}:{below}", one) for below, one in ids(part))


def nodes(section, value):
    """
    The nodes that an object names: tuples of the key and the name.

    section, value
        The object, and the section it stands in.
    """
    key = {"locations": "node", "fencing_levels": "target"}.get(section)
    if key and key in value:
        yield key, value[key]
    yield from _nodes_of_rules(value, "")


def _nodes_of_rules(value, path):
    """Of each rule in it, however deep it stands."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        if _names_a_node(value):
            yield at(path, "value"), value["value"]
        for key, each in value.items():
            yield from _nodes_of_rules(each, at(path, key))


def _names_a_node(expression):
    literal = expression.get("value-source", "literal") == "literal"
    is_name = expression.get("attribute") == "#uname" and expression.get("operation") == "eq"
    return literal and is_name and "value" in expression


def chosen(declared, sections, only=None):
    """
    The objects of some sections.

    declared, only
        See ``nowhere``.
    sections
        Their names.

    Returns tuples of the section, the path and the object.
    """
    for section in sections:
        for identifier, each in declared.get(section, {}).items():
            if only is None or (section, identifier) in only:
                yield section, at(section, identifier), each


def nowhere(document, declared, only=None):
    """
    What leads nowhere.

    document
        The ``cib_document.Document`` with everything declared in it.
    declared
        All sections, as ``cib.check`` returns them.
    only
        A set of tuples of section and id; the default is every object.

    Returns tuples of the path, the id or name, and what it should be.
    """
    known = _node_names(document)
    in_rules = {name.lower() for name in known}  # which compare without regard to capitals
    for _, place, each in chosen(declared, _SECTIONS, only):
        for key, one in ids(each):
            what = _LEADS_TO.get(key.rpartition(":")[2], "resource")
            if not _is_a(what, document, document.with_id(one)):
                yield at(place, key), one, what
    sections = [section for section, objects in declared.items() if isinstance(objects, dict)]
    for section, place, each in chosen(declared, sections, only):
        for key, one in nodes(section, each):
            is_there = one.lower() in in_rules if "expressions" in key else one in known
            if known and not is_there:
                yield at(place, key), one, "node"


def refuse_nowhere(document, declared, only, allowed):
    """
    Refuse the first thing that leads nowhere.

    document, declared, only
        See ``nowhere``.
    allowed
        Names that pass.
    """
    for path, name, what in nowhere(document, declared, only):
        if name not in allowed:
            known = _node_names(document) if what == "node" else _all_of(what, document)
            near = cib_values.nearest(name, known)
            there = ", ".join(sorted(known)) or "none"
            hint = f"did you mean {near}?" if near else f"it has {there}"
            raise InvalidCib(path, f"the cluster has no {what} {name}; {hint}")


def taken(document, declared, only=None):
    """
    Guests whose name a resource or a node has already: Pacemaker makes no guest of them, or mixes up both.

    document, declared, only
        See ``nowhere``.

    Returns tuples of the path and the name.
    """
    theirs = {
        each.get("uname")
        for each in document.section("nodes").findall("node")
        if each.get("type") != "remote"  # which Pacemaker writes of guests too
    }
    theirs |= set(_all_of("resource", document))
    theirs.discard(None)
    for _, place, each in chosen(declared, ("templates", "primitives"), only):
        name = (each.get("meta") or {}).get(_GUEST)
        if name in theirs:
            yield at(at(place, "meta"), _GUEST), name


def refuse_taken(document, declared, only, allowed):
    """
    Refuse the first guest whose name is another's.

    document, declared, only
        See ``nowhere``.
    allowed
        Names that pass.
    """
    for path, name in taken(document, declared, only):
        if name not in allowed:
            raise InvalidCib(
                path, f"{name} is a resource or a node already; a guest has a name of its own"
            )


def _is_a(what, document, element):
    if element is None:
        return False
    if what == "template":
        return element.tag == "template"
    if what == "ACL role":
        return element.tag == "acl_role"
    if what == "fence device":
        own = document.with_id(element.get("template"))
        return (element if own is None else own).get("class") == "stonith"
    return True  # a constraint may name a tag


def _all_of(what, document):
    tags = {"template": ("template",), "ACL role": ("acl_role",)}.get(what, RESOURCE_TAGS)
    return [
        each.get("id")
        for each in document.configuration.iter()
        if each.tag in tags and each.get("id") and _is_a(what, document, each)
    ]


# So many containers of a bundle are known as nodes; it may say any number
_GUESTS = 1000


def _node_names(document):
    """Cluster nodes, and the remote nodes and guests that resources make."""
    names = {each.get("uname") for each in document.section("nodes").findall("node")}
    for each in document.section("resources").iter():
        if each.tag == "primitive" and each.get("type") == "remote":
            names.add(each.get("id"))
        elif each.tag == "bundle":
            # its containers are guests: ID-0, ID-1, …
            container = each.find("*[@image]")
            said = {} if container is None else container.attrib
            count = said.get("replicas", said.get("promoted-max", "1"))
            replicas = range(min(int(count), _GUESTS) if re.fullmatch("[0-9]{1,9}", count) else 1)
            names.update(f"{each.get('id')}-{number}" for number in replicas)
        elif each.tag == "nvpair" and each.get("name") == _GUEST:
            names.add(each.get("value"))
    return names - {None}
