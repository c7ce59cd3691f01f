"""
What could keep a resource from a node, found in a CIB; and the same CIB without some of it.

Pure functions. Nothing here knows how the scheduler decides: whoever wants to know what is in the way takes
things away and asks it again (see ``crm_forecast``).
"""

import copy
import re
from xml.etree import ElementTree

import cib_document
import cib_values
import posix_regex

# By property, the value with which it keeps nothing from anywhere. What has no such value isn't in the way.
_HARMLESS = {
    "maintenance-mode": "false",
    "stop-all-resources": "false",
    "symmetric-cluster": "true",
    "is-managed-default": "true",
    "node-health-strategy": "none",
    "placement-strategy": "default",
    "no-quorum-policy": "ignore",
    "stonith-enabled": "false",
    "shutdown-lock": "false",
}
_WHY = {
    "no-quorum-policy": "the cluster has no quorum then",
    "stonith-enabled": "no device that works can fence the other node",
}
# Of those, Pacemaker's defaults that aren't harmless
_UNSET = {"no-quorum-policy": "stop", "stonith-enabled": "true"}

# Meta attributes that can keep a resource stopped, or from a node
_HINDRANCES = (
    "is-managed",
    "maintenance",
    "target-role",
    "migration-threshold",
    "requires",
    "clone-max",
    "clone-node-max",
    "resource-stickiness",
)
_REMEDIES = {
    "is-managed": "crm resource manage {resource}",
    "maintenance": "crm resource maintenance {resource} off",
    "target-role": "crm resource start {resource}",
}
_NODE_REMEDIES = {"standby": "crm node online {node}", "maintenance": "crm node ready {node}"}

# Exit codes of what went well: OCF's success, not running, promoted; and, in a history, an action under way
_WENT_WELL = ("0", "7", "8", "193", "-1")

_FAILURE = re.compile(r"(?:fail-count|last-failure)-(?P<resource>[^#]+)(?:#.*)?")


def __virtual__():
    return True


class Obstacle:
    """
    Something that can be taken away: the elements that go; or the one whose value becomes harmless; or the
    cluster's property, a name and a harmless value, that is set since its default is in the way.
    """

    def __init__(self, what, remedy, elements, harmless=None, unset=None):
        self.what, self.remedy = what, remedy
        self.elements, self.harmless, self.unset = elements, harmless, unset

    @property
    def line(self):
        return f"{self.what}; {self.remedy}" if self.remedy else self.what


def obstacles(xml, node, dead):
    """
    What could keep resources from a node, when another one dies.

    xml
        A CIB as text, with its status.
    node
        The node's name.
    dead
        The name of the one that dies. What it runs in maintenance isn't started anywhere else.

    Returns a list of obstacles, what explains most first: failures; what is said of resources, of the
    node, of the cluster; constraints.
    """
    root = ElementTree.fromstring(xml)
    number = {element: index for index, element in enumerate(root.iter())}
    found = [
        *_failures(root, node),
        *_of_resources(root),
        *_of_the_node(root, node),
        *_of_the_node(root, dead, only=("maintenance",)),
        *_of_the_cluster(root),
        *_constraints(root),
    ]
    known = [
        Obstacle(what, remedy, [number[each] for each in elements], harmless)
        for what, remedy, elements, harmless in found
    ]
    return known + _defaults()


def without(xml, taken_away):
    """
    A CIB in which some of its obstacles aren't there.

    xml
        The CIB as text.
    taken_away
        Some of the list that ``obstacles`` made of it.

    Returns it as text.
    """
    root = ElementTree.fromstring(xml)
    elements = list(root.iter())
    parents = {child: parent for parent in elements for child in parent}
    for obstacle in taken_away:
        for index in obstacle.elements:
            if obstacle.harmless is not None:
                elements[index].set("value", obstacle.harmless)
            else:
                parents[elements[index]].remove(elements[index])
        if obstacle.unset:
            _set(root, *obstacle.unset)
    return ElementTree.tostring(root, encoding="unicode")


def search(suspects):
    """
    Look for the fewest of a list that have to go together, each of them needed; of several such, for the one
    with what stands earlier in the list. It asks some two times the logarithm of the list's length, for each
    one found.

    suspects
        A list.

    Returns a search. While its ``part`` is a list, it wants to be told whether that it is gone suffices, by
    ``tell``. In the end that is ``None``, and ``found`` a list, or ``None`` when not even all of it suffices.
    It isn't given a function to ask: Salt's loader has no ``__salt__`` for one that is called from here.
    """
    return _Search(suspects)


class _Search:
    def __init__(self, suspects):
        self.found = None
        self._asking = _smallest(suspects)
        self.part = next(self._asking)

    def tell(self, suffices):
        try:
            self.part = self._asking.send(suffices)
        except StopIteration as end:
            self.part, self.found = None, end.value


def _smallest(suspects):
    if not (yield suspects):
        return None
    return (yield from _needed([], [], suspects)) if suspects else []


def _needed(gone, just_gone, suspects):
    if just_gone and (yield gone):
        return []
    if len(suspects) == 1:
        return suspects
    half = len(suspects) // 2
    earlier, later = suspects[:half], suspects[half:]
    of_later = yield from _needed(gone + earlier, earlier, later)
    of_earlier = yield from _needed(gone + of_later, of_later, earlier)
    return of_earlier + of_later


def resolved(xml):
    """
    A CIB in which nothing stands for something else: what refers to an element by ``id-ref`` is a copy of it.
    So whatever there is can be taken away by itself. What only names ids, and decides nothing, is gone: ACLs.

    xml
        A CIB as text.

    Returns it as text.
    """
    root = ElementTree.fromstring(xml)
    configuration = root.find("configuration")
    for acls in configuration.findall("acls"):
        configuration.remove(acls)
    by_id = {
        each.get("id"): each
        for each in configuration.iter()
        if each.get("id") and each.tag not in cib_document.NO_IDS
    }
    referring = [each for each in configuration.iter() if each.get("id-ref") in by_id]
    for number, each in enumerate(referring):
        source = copy.deepcopy(by_id[each.attrib.pop("id-ref")])
        for inner in source.iter():
            if inner.get("id") and inner.tag not in cib_document.NO_IDS:
                inner.set("id", f"{inner.get('id')}-cmha{number}")
        each.attrib.update({**source.attrib, **each.attrib})
        each.extend(source)
    return ElementTree.tostring(root, encoding="unicode")


def without_node(xml, dead, left, quorate):
    """
    A CIB as those have it who are left when a node has died: what it ran is known, its passing attributes are
    gone, and another one is the DC.

    xml
        A CIB as text.
    dead, left
        The ids of the node that dies, and of one that is left.
    quorate
        Whether those who are left have quorum.

    Returns it as text.
    """
    root = ElementTree.fromstring(xml)
    root.set("have-quorum", "1" if quorate else "0")
    root.set("dc-uuid", left)
    for state in root.iterfind("status/node_state"):
        if state.get("id") == dead:
            state.attrib.update(in_ccm="false", crmd="offline", join="down", expected="member")
            for passing in state.findall("transient_attributes"):
                state.remove(passing)
    return ElementTree.tostring(root, encoding="unicode")


_HELD = "cmha-held"


def held(xml, resource, node):
    """
    A CIB in which a constraint holds a resource at a node, as a move does, and none of an earlier move does.

    xml
        A CIB as text.
    resource, node
        Their id and name.
    """
    root = ElementTree.fromstring(xml)
    constraints = root.find("configuration/constraints")
    for each in constraints.findall("rsc_location"):
        if each.get("id", "").startswith("cli-") and each.get("rsc") == resource:
            constraints.remove(each)
    holds = {"id": _HELD, "rsc": resource, "node": node, "score": "INFINITY"}
    ElementTree.SubElement(constraints, "rsc_location", holds)
    return ElementTree.tostring(root, encoding="unicode")


def released(xml):
    """
    The CIB without the constraint that ``held`` made.

    xml
        A CIB as text.
    """
    root = ElementTree.fromstring(xml)
    constraints = root.find("configuration/constraints")
    for each in constraints.findall(f"rsc_location[@id='{_HELD}']"):
        constraints.remove(each)
    return ElementTree.tostring(root, encoding="unicode")


def fences(xml, by_tools=None):
    """
    Whether fencing is on: as Pacemaker's tools say, or, where they don't, by what stands in the CIB.

    xml
        A CIB as text.
    by_tools
        What ``crm.status`` says, ``None`` from before Pacemaker 1.1.14.
    """
    if by_tools is not None:
        return by_tools
    said = _properties(ElementTree.fromstring(xml))
    return cib_values.is_true(said.get("stonith-enabled", "true"))  # Pacemaker's default


def no_quorum_policy(xml):
    """
    What a half without quorum does with what it runs.

    xml
        A CIB as text.
    """
    return _properties(ElementTree.fromstring(xml)).get("no-quorum-policy", "stop")


def has_watchdog(xml):
    """
    Whether a watchdog fences: SBD without a disk.

    xml
        A CIB as text.
    """
    said = _properties(ElementTree.fromstring(xml))
    timeout = cib_values.duration(said.get("stonith-watchdog-timeout", "0"))
    return cib_values.is_true(said.get("have-watchdog", "")) and bool(timeout)


def fencing_levels(xml, node):
    """
    By which devices a node is fenced, where a topology says so.

    xml
        A CIB as text.
    node
        The node's name.

    Returns a mapping of a level's index, a text, to its devices, a list of names; empty where no level is for
    that node.
    """
    root = ElementTree.fromstring(xml)
    attributes = {
        (each.get("name"), each.get("value"))
        for each in root.iterfind(
            f"configuration/nodes/node[@uname='{_quoted(node)}']/instance_attributes/nvpair"
        )
    }
    levels = [
        each
        for each in root.iterfind("configuration/fencing-topology/fencing-level")
        if re.fullmatch("0*[1-9]", each.get("index", ""))
    ]
    # the fencer keeps a topology for each target, and takes the one by name, else the first that fits
    fitting = [each for each in levels if (each.get("target") or "").lower() == node.lower()]
    fitting += [each for each in levels if not each.get("target") and _fits(each, node, attributes)]
    found = {}
    for each in fitting:
        if _target(each) == _target(fitting[0]):
            found.setdefault(each.get("index"), []).extend(
                re.findall(r"[^\s,]+", each.get("devices", ""))
            )
    return found


def _target(level):
    # those by name differ in capitals at most
    by_name = level.get("target") is not None
    return by_name or tuple(
        level.get(key) for key in ("target-pattern", "target-attribute", "target-value")
    )


def _fits(level, node, attributes):
    pattern = level.get("target-pattern")
    if pattern is None:
        return (level.get("target-attribute"), level.get("target-value")) in attributes
    if posix_regex.costly(pattern):
        return False
    try:
        return re.search(posix_regex.as_python(pattern), node) is not None
    except (re.error, OverflowError, RecursionError):
        return False


# --- what there is -------------------------------------------------------------------------------


def _failures(root, node):
    """What failed there, each resource's count and history as one."""
    by_resource = {}
    for state in root.findall(f"status/node_state[@uname='{_quoted(node)}']"):
        for pair in state.iterfind("transient_attributes//nvpair"):
            match = _FAILURE.fullmatch(pair.get("name", ""))
            if match:
                by_resource.setdefault(match["resource"], []).append(pair)
        for history in state.iterfind("lrm/lrm_resources/lrm_resource"):
            if any(each.get("rc-code") not in _WENT_WELL for each in history):
                by_resource.setdefault(history.get("id"), []).append(history)
    for resource, elements in by_resource.items():
        yield (
            f"{resource} has failed on {node}{_count(elements)}",
            f"when that is mended: crm resource cleanup {resource}",
            elements,
            None,
        )


def _count(elements):
    counts = [
        each.get("value") for each in elements if each.get("name", "").startswith("fail-count-")
    ]
    return f" (fail count {counts[0]})" if counts else ""


def _of_resources(root):
    for owner in root.iterfind("configuration/resources//*[meta_attributes]"):
        for pair in owner.iterfind("meta_attributes/nvpair"):
            if cib_values.property_name(pair.get("name", "")) in _HINDRANCES:
                yield _said_of(owner.get("id"), pair)
    for pair in root.iterfind("configuration/rsc_defaults//nvpair"):
        if pair.get("name") in _HINDRANCES:
            name, value = pair.get("name"), pair.get("value")
            remedy = f"crm_attribute --type rsc_defaults --name {name} --delete"
            yield f"rsc_defaults say {name}={value}", remedy, [pair], None


def _said_of(resource, pair):
    name, value = pair.get("name"), pair.get("value")
    remedy = _REMEDIES.get(
        name, "crm_resource --resource {resource} --meta --delete-parameter {name}"
    )
    remedy = remedy.format(resource=resource, name=name)
    return f"{resource} has the meta attribute {name}={value}", remedy, [pair], None


def _of_the_node(root, node, only=None):
    lasting = root.iterfind(f"configuration/nodes/node[@uname='{_quoted(node)}']//nvpair")
    passing = root.iterfind(
        f"status/node_state[@uname='{_quoted(node)}']/transient_attributes//nvpair"
    )
    for pairs, lifetime in ((lasting, "forever"), (passing, "reboot")):
        for pair in pairs:
            name, value = pair.get("name", ""), pair.get("value")
            if _FAILURE.fullmatch(name) or (only and name not in only):
                continue
            delete = f"crm_attribute --node {node} --name '{name}' --lifetime {lifetime} --delete"
            remedy = _NODE_REMEDIES.get(name, delete) if lifetime == "forever" else delete
            yield (
                f"{node} has the attribute {name}={value}",
                remedy.format(node=node),
                [pair],
                None,
            )


def _of_the_cluster(root):
    for pair in root.iterfind("configuration/crm_config//nvpair"):
        name, value = pair.get("name", ""), pair.get("value")
        meant = cib_values.property_name(name)
        harmless = _HARMLESS.get(meant)
        if harmless is not None:
            why = f": {_WHY[meant]}" if meant in _WHY else ""
            yield (
                f"the cluster's property {name} is {value}{why}",
                None if meant in _WHY else f"crm configure property {name}={harmless}",
                [pair],
                harmless,
            )


def _defaults():
    """
    Properties that nobody may have set. Where one is set, and counts, another set of them that comes after it
    changes nothing, and is in nobody's way.
    """
    return [
        Obstacle(
            f"the cluster's property {name} isn't set and {value} then: {_WHY[name]}",
            None,
            [],
            unset=(name, _HARMLESS[name]),
        )
        for name, value in _UNSET.items()
    ]


def _properties(root):
    """The cluster's properties by name; of those that stand there twice the first."""
    said = {}
    for pair in root.iterfind("configuration/crm_config//nvpair"):
        said.setdefault(cib_values.property_name(pair.get("name", "")), pair.get("value", ""))
    return said


def _set(root, name, value):
    home = root.find("configuration/crm_config")
    options = ElementTree.SubElement(home, "cluster_property_set", id=f"cmha-{name}")
    ElementTree.SubElement(options, "nvpair", id=f"cmha-{name}-value", name=name, value=value)


def _constraints(root):
    for each in root.iterfind("configuration/constraints/*"):
        kind = each.tag.removeprefix("rsc_")
        said = [
            each.get(name)
            for name in ("rsc", "with-rsc", "first", "then", "node", "score", "ticket")
            if each.get(name)
        ]
        about = f" ({' '.join(said)})" if said else ""
        remedy = {
            "location": f"crm configure delete {each.get('id')}",
            "ticket": f"crm_ticket --ticket {each.get('ticket')} --grant, when this site may have it",
        }.get(kind, f"crm configure show {each.get('id')}")
        yield (
            f"the constraint {each.get('id')} is in the way: {kind}{about}",
            remedy,
            [each],
            None,
        )


def _quoted(name):
    # ElementTree's paths know no escape; a name with a quote is no node's
    return name.replace("'", "")
