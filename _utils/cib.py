"""
Pacemaker's configuration (the CIB) as plain data: check it, read it, compare it, change it.

Everything here is pure: text and mappings in, text and mappings out. No file, no process, no clock.

What is declared is a mapping by section, in Pacemaker's own words:

.. code-block:: yaml

    properties: {no-quorum-policy: ignore, stonith-enabled: false}
    rsc_defaults: {resource-stickiness: 100}
    op_defaults: {timeout: 60s}
    node_attributes: {cms1: {rack: a}}
    primitives:
      cloudera-scm-server: lsb:cloudera-scm-server        # the short form: an agent only
      vip:
        agent: ocf:heartbeat:IPaddr2
        params: {ip: 10.0.0.9}
        meta: {target-role: Started}
        operations:
          start: {timeout: 60s}
          monitor: [{interval: 10s, timeout: 20s}, {interval: 60s, depth: 10}]
    groups: {cm: [vip, cloudera-scm-server]}
    clones: {ping-everywhere: {resource: ping, meta: {interleave: true}}}
    locations:
      cm-likes-cms1: {rsc: cm, node: cms1, score: 50}
      cm-needs-network: {rsc: cm, rules: [{score: -INFINITY, expressions: [pingd lt 1]}]}
    colocations: {ip-with-cm: {rsc: ip, with-rsc: cm, score: INFINITY}}
    orders: {ip-then-cm: {first: ip, then: cm, kind: Mandatory}}

``cib_sections`` has all of them and what their objects are made of.

Only what is declared is owned: an object, an attribute or an operation that it doesn't name stays as it
is, unless its section is purged.

Sources: "Pacemaker Explained"; the schemas in ``/usr/share/pacemaker/*.rng``.
"""

import contextlib
import datetime
import re
from xml.etree import ElementTree

import cib_export
import cib_references
import cib_roles
import cib_sets
import cib_values
import pacemaker_words
from cib_document import Document
from cib_objects import (
    ADMINISTRATORS_OWN,
    MAINTENANCE,
    MAINTENANCE_MARK,
)
from cib_sections import SECTIONS
from cib_values import InvalidCib, at

MASK = cib_values.MASK

# Sets first: what they leave may be declared by name then
_SETS = [section for section in SECTIONS if section.key.endswith("_sets")]
_IN_ORDER_OF_PURGE = _SETS + [section for section in reversed(SECTIONS) if section not in _SETS]

_BY_KEY = {section.key: section for section in SECTIONS}

# As crm_resource writes the end of a move's lifetime
_END = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:Z| ?([+-]\d\d:\d\d))")


def __virtual__():
    return True


# --- what is declared ----------------------------------------------------------------------------


def sections():
    """The names of all sections, in the order in which they are worked on."""
    return list(_BY_KEY)


def check(declared, path=""):
    """
    Check what is declared, and return it in its full form.

    declared
        Mapping by section.
    path
        Where the mapping stands, as a prefix for messages, for example ``cmha:pairs:cms``.

    Returns a new mapping with all sections, each value as the text that Pacemaker spells, each object in
    its full form, and each operation name with a list of operations.

    Beside the sections there may be ``left_out``, as ``export`` writes it, which declares nothing; and
    ``allow_unknown``, see ``check_words``.

    Raises ``InvalidCib``, a ``ValueError``, whose message begins with the path of the first fault,
    for example ``primitives:cloudera-scm-server:meta:priority: one value is wanted, not a list``.
    """
    declared = cib_values.mapping(declared, path)
    beside = (cib_export.LEFT_OUT, pacemaker_words.ALLOW)
    cib_values.known_keys(declared, [*_BY_KEY, *beside], path, "section", pacemaker_words.home)
    found = {
        key: section.check(declared.get(key), at(path, key)) for key, section in _BY_KEY.items()
    }
    _refuse_contradictions(found, path)
    _refuse_two_places(found, path)
    allowed = _allowed(declared, path)
    return {**found, **({pacemaker_words.ALLOW: allowed} if allowed else {})}


def check_words(declared, path=""):
    """
    Refuse cluster properties, meta attributes, operations and options of operations that Pacemaker doesn't
    know, or not with this value: it would ignore them without a word. Names in ``allow_unknown`` pass.

    declared
        Mapping by section.
    path
        Where the mapping stands, as a prefix for messages.

    Raises ``InvalidCib``, as ``check`` does.
    """
    pacemaker_words.check(check(declared, path), path)


def words_of_some_versions(declared, changes):
    """
    See ``pacemaker_words.of_some_versions``.

    declared
        Mapping by section.
    changes
        See there.
    """
    return pacemaker_words.of_some_versions(check(declared), changes)


def _allowed(declared, path):
    path = at(path, pacemaker_words.ALLOW)
    names = cib_values.listed(declared.get(pacemaker_words.ALLOW), path)
    # an export names also what no cluster should have had, as a node that is gone
    return [
        (cib_values.text if isinstance(each, str) else cib_values.name)(each, at(path, number))
        for number, each in enumerate(names)
    ]


def _refuse_contradictions(declared, path):
    # of properties, those by name are in the set that always counts first
    for key in ("rsc_defaults", "op_defaults"):
        sets = f"{key}_sets"
        cib_sets.refuse_contradiction(declared[key], declared[sets], at(path, sets))
    for key in ("node_attributes", "node_utilization"):
        sets = f"{key}_sets"
        for node, each in declared[sets].items():
            cib_sets.refuse_contradiction(
                declared[key].get(node, {}), each, at(at(path, sets), node)
            )


def _refuse_two_places(declared, path):
    """A resource stands in one collection; the other would be left without it."""
    places = {}
    for section, key in (("groups", "members"), ("clones", "resource"), ("bundles", "primitive")):
        for identifier, each in declared[section].items():
            held = each.get(key) or ()
            for resource in [held] if isinstance(held, str) else held:
                here = at(section, identifier)
                there = places.setdefault(resource, here)
                if there != here:
                    raise InvalidCib(
                        at(path, at(here, key)),
                        f"{resource} is in {there} already, and stands in one place",
                    )


def check_absent(absent, path="absent"):
    """
    Check what is to be absent, and return it in its full form.

    absent
        Mapping of section to a list of names or ids, for example ``{primitives: [old-vip]}``; of
        ``node_attributes`` and ``node_utilization`` to a mapping of node to such a list.
    path
        Where the mapping stands, as a prefix for messages.

    Returns a new mapping with all sections. Raises ``InvalidCib``, as ``check`` does.
    """
    absent = cib_values.mapping(absent, path)
    cib_values.known_keys(absent, list(_BY_KEY), path, "section")
    return {
        key: section.check_absent(absent.get(key), at(path, key))
        for key, section in _BY_KEY.items()
    }


def check_purge(purge, path="purge"):
    """
    Check which sections are to be purged.

    purge
        ``True`` for all, ``False`` or ``None`` for none, or a list of sections.
    path
        Where it stands, as a prefix for messages.

    Returns the list of sections. Raises ``InvalidCib``, as ``check`` does.
    """
    if isinstance(purge, bool) or purge is None:
        return list(_BY_KEY) if purge else []
    chosen = cib_values.listed(purge, path)
    cib_values.known_keys(chosen, list(_BY_KEY), path, "section")
    return list(chosen)


def check_whole(value, path=""):
    """
    Check sections, and beside them what is to be absent and what is to be purged.

    value
        Mapping by section, with perhaps the keys ``absent`` and ``purge``.
    path
        Where the mapping stands, as a prefix for messages.

    Returns a new mapping: all sections as ``check`` returns them, ``absent`` without sections where
    nothing is to be, and ``purge``, a list. Raises ``InvalidCib``, as ``check`` does.
    """
    whole = dict(cib_values.mapping(value, path))
    absent = check_absent(whole.pop("absent", None), at(path, "absent"))
    purge = check_purge(whole.pop("purge", None), at(path, "purge"))
    declared = check(whole, path)
    _not_both(declared, absent, path)
    pacemaker_words.check(declared, path)
    return {
        **declared,
        "absent": {key: names for key, names in absent.items() if names},
        "purge": purge,
    }


def masked(value, name=""):
    """
    A copy of a value or a mapping in which whatever has the name of a secret is masked.

    value
        Text, or a mapping or list with text in it.
    name
        The name that the value goes by.
    """
    return cib_values.masked(value, name)


def masked_xml(xml):
    """
    The text of a CIB in which every value that goes by the name of a secret is masked.

    xml
        Text of a CIB.
    """
    document = Document(xml)
    for pair in document.configuration.iter("nvpair"):
        name, value = document.name_and_value(pair)
        if value is not None:
            document.referred(pair).set("value", masked(value, name))
    return document.text()


# --- reading -------------------------------------------------------------------------------------


def empty():
    """
    The text of a CIB without any content, in a syntax that every Pacemaker since 1.1 takes.

    Source: ``cibadmin --empty``.
    """
    return (
        '<cib admin_epoch="0" epoch="0" num_updates="0" crm_feature_set="3.0.9"'
        ' validate-with="pacemaker-1.2">'
        "<configuration><crm_config/><nodes/><resources/><constraints/></configuration>"
        "<status/></cib>"
    )


def model(xml):
    """
    What a CIB holds, as a mapping like the one that is declared.

    xml
        Text of a CIB.

    Returns a mapping of all sections. Of each name the value that counts is there, spelled as in the
    CIB, and not masked. An operation name has a mapping where there is one such operation, else a list. A
    primitive that is made from a template has ``@TEMPLATE`` for its agent. What cmha has no words for
    (sets of values under a rule, a constraint's lifetime) isn't there.
    """
    document = Document(xml)
    return {key: section.read(document) for key, section in _BY_KEY.items()}


def export(xml, secrets=False):
    """
    What a CIB holds, as data for pillar: what ``model`` says without what is empty, and without what
    Pacemaker itself or an administrator's ``crm resource move`` has put there.

    xml
        Text of a CIB.
    secrets
        Whether to leave secrets as they are, and not mask them.

    Returns a mapping that ``check`` takes. What has no words, or is nothing that could be declared, isn't
    there; ``left_out`` is a list of lines, each with the path of one such thing and why it is left out.
    """
    found = cib_export.export(Document(xml))
    return found if secrets else masked(found)


def primitive(xml, name):
    """
    A primitive, with what its template says of it.

    xml
        Text of a CIB.
    name
        Its id.

    Returns what ``model`` says of it: with its template's agent, and with those of the template's parameters
    and operations that aren't its own; ``None`` when there is no such primitive.
    """
    return with_templates(xml, [("primitives", name)])["primitives", name]


def with_templates(xml, wanted):
    """
    Primitives and templates of a CIB, see ``primitive``.

    xml
        Text of the CIB.
    wanted
        A collection of pairs: ``primitives`` or ``templates``, and an id.

    Returns a mapping by pair.
    """
    whole = model(xml)
    return {each: _with_template(whole, *each) for each in wanted}


def _with_template(whole, section, name):
    own = whole[section].get(name)
    if own is None or not own["agent"].startswith("@"):
        return own
    template = whole["templates"].get(own["agent"][1:], {})
    both = {
        key: {**template.get(key, {}), **own.get(key, {})}
        for key in ("params", "params_sets", "operations")
    }
    operations = {
        each: _with_others(own.get("operations", {}).get(each, ()), template["operations"][each])
        for each in template.get("operations", {})
    }
    both["operations"].update(operations)
    return {**template, **own, **both, "agent": template.get("agent", own["agent"])}


def _with_others(own, others):
    """Operations of one name, with those of a template that are none of them."""
    own = _all_of(own)
    known = {cib_values.operation_identity(each) for each in own}
    return [
        *own,
        *(each for each in _all_of(others) if cib_values.operation_identity(each) not in known),
    ]


def agent(xml, name):
    """
    The agent of a primitive, as ``lsb:cloudera-scm-server``, or ``None`` when there is no such primitive.

    xml
        Text of a CIB.
    name
        Its id.
    """
    return (primitive(xml, name) or {}).get("agent")


def nodes(xml):
    """
    The cluster nodes that a CIB knows: node name to node id. Remote nodes and guests aren't among
    them.

    xml
        Text of a CIB.
    """
    return {
        node.get("uname"): node.get("id")
        for node in Document(xml).section("nodes").findall("node")
        if node.get("type") != "remote"
    }


def leftovers(xml):
    """
    The constraints that moves and bans of resources have left behind, and that still hold: a list of mappings
    with ``id``, ``resource`` and ``node``.

    xml
        Text of a CIB.
    """
    document = Document(xml)
    return [
        {"id": each.get("id"), "resource": each.get("rsc"), "node": _node_of(each)}
        for each in document.section("constraints").findall("rsc_location")
        if each.get("id", "").startswith(ADMINISTRATORS_OWN) and not _is_over(each)
    ]


def _is_over(location):
    """Whether it was made with a lifetime that has passed, as ``crm_resource --lifetime`` writes its end."""
    until = location.find("rule[@boolean-op='and']/date_expression[@operation='lt']")
    said = None if until is None else _END.fullmatch(until.get("end", ""))
    if said is None:
        return False
    try:
        end = datetime.datetime.fromisoformat(f"{said[1]}T{said[2]}{said[3] or '+00:00'}")
    except ValueError:
        return False
    return end <= datetime.datetime.now(datetime.timezone.utc)


def _node_of(location):
    # a constraint with a lifetime names its node in a rule
    named = location.find(".//expression[@attribute='#uname']")
    return location.get("node") or (None if named is None else named.get("value"))


def maintenance(xml):
    """
    Whether the cluster is in maintenance mode.

    xml
        Text of a CIB.

    Returns a mapping: ``on``; ``ours``, whether cmha has begun it (without ``on``: and somebody has ended
    it); ``before``, the value that ``maintenance-mode`` had before cmha did, or ``None``.
    """
    properties = _BY_KEY["properties"].effective(Document(xml))
    mark = properties.get(MAINTENANCE_MARK)
    on = cib_values.is_true(properties.get(MAINTENANCE, ""))
    before = (mark or "").removeprefix("was-")
    return {
        "on": on,
        "ours": mark is not None,
        "before": None if before in ("", "unset") else before,
    }


def since(xml, resource, node):
    """
    When a resource was started on a node, or found there running, as Pacemaker remembers it.

    xml
        Text of a CIB with its status.
    resource
        Id of a primitive.
    node
        Name of a node.

    Returns seconds of the epoch, or ``None``.
    """
    status = Document(xml).root.find("status")
    operations = [
        operation
        for state in (status if status is not None else ())
        if state.get("uname") == node
        for each in state.iter("lrm_resource")
        if each.get("id") == resource
        for operation in each.findall("lrm_rsc_op")
    ]
    good = [each for each in operations if each.get("rc-code") == "0"]
    begun = [each for each in good if each.get("operation") in ("start", "promote")]
    times = [each.get("last-rc-change", "") for each in begun or good]
    return min(
        (int(time) for time in times if re.fullmatch("[1-9][0-9]{0,11}", time)), default=None
    )


def monitored_every(operations):
    """
    How often Pacemaker asks whether a resource runs where it is started.

    operations
        Those of a primitive.

    Returns seconds, or ``None`` when it doesn't.
    """
    every = [
        cib_values.duration(str(each.get("interval", "0")))
        for each in _all_of(operations.get("monitor", ()))
        if cib_values.is_true(each.get("enabled", "true"))
        and cib_values.role(each.get("role", "Started")) != "Stopped"
    ]
    known = [each / 1000 for each in every if isinstance(each, int) and each]
    return min(known, default=None)


def _all_of(operations):
    return [operations] if isinstance(operations, dict) else operations


# --- comparing and changing ----------------------------------------------------------------------


def difference(xml, declared, absent=None, purge=None):
    """
    What has to change in a CIB so that it holds what is declared, compared by meaning, not by
    spelling, order or id.

    xml
        Text of the CIB as it is.
    declared
        What it shall hold, as ``check`` takes it.
    absent
        What it shall not hold, as ``check_absent`` takes it.
    purge
        Sections that shall hold nothing else, as ``check_purge`` takes it.

    Returns a mapping:

    - ``changes``: ``{path: {'old': …, 'new': …}}``. Paths are such as ``properties:no-quorum-policy``
      or ``primitives:vip:operations:monitor 10s:timeout``; ``None`` stands for what isn't there; secrets
      are masked.
    - ``xml``: the new CIB, or ``None`` when nothing has to change. Ids that exist are kept, new ones are
      as crmsh would choose them.
    - ``purged_resources``: ids of the resources that only a purge takes away.

    Raises ``InvalidCib``, a ``ValueError``, with the path of the fault.
    """
    declared, absent = check(declared), check_absent(absent)
    _not_both(declared, absent)
    _leave_maintenance_alone(xml, declared, absent)
    edit = _Edit(xml)
    for section in SECTIONS:
        section.put(edit, declared[section.key])
    for section in reversed(SECTIONS):
        section.remove(edit, absent[section.key])
    purged = check_purge(purge)
    for section in _IN_ORDER_OF_PURGE:
        if section.key in purged:
            section.purge(edit, declared[section.key])
    edit.refuse_hollow_collections()
    if edit.changes:
        changed = {tuple(path.split(":")[:2]) for path in edit.changes}
        allowed = declared.get(pacemaker_words.ALLOW, ())
        cib_references.refuse_nowhere(edit.document, declared, changed, allowed)
        cib_references.refuse_taken(edit.document, declared, changed, allowed)
        cib_roles.refuse_never(edit.document, declared, changed, allowed)
    return {
        "changes": edit.changes,
        "xml": edit.document.text() if edit.changes else None,
        "purged_resources": edit.purged_resources,
    }


def _not_both(declared, absent, path=""):
    for key, names in absent.items():
        for name in names:
            if name in declared[key] and not isinstance(names, dict):
                raise InvalidCib(at(path, at(key, name)), "is declared and also declared absent")


def _leave_maintenance_alone(xml, declared, absent):
    """While cmha holds the cluster in maintenance mode, only what takes its mark away may end that: a
    highstate in between must not."""
    properties, gone = declared["properties"], absent["properties"]
    now = maintenance(xml)
    if now["on"] and now["ours"] and MAINTENANCE_MARK not in {*properties, *gone}:
        properties.pop(MAINTENANCE, None)
        absent["properties"] = [name for name in gone if name != MAINTENANCE]


class _Edit:
    """Changes to one document, and the account of them."""

    def __init__(self, xml):
        self.document = Document(xml)
        self.changes = {}
        self.purged_resources = []
        self.touched = []  # collections out of which a resource was taken

    def record(self, path, name, old, new):
        """Note a change; a value's secrecy goes by its name."""
        self.changes[path] = {"old": masked(old, name), "new": masked(new, name)}

    @contextlib.contextmanager
    def one_change(self, path, name):
        """What happens inside is recorded as one addition; the caller says of what."""
        account, self.changes = self.changes, {}
        change = {}
        yield change
        self.changes = account
        self.record(path, name, None, change["new"])

    def need_free(self, path, identifier):
        taken_by = self.document.with_id(identifier)
        if taken_by is not None:
            raise InvalidCib(path, f"the id is taken by a {taken_by.tag}")

    def refuse_hollow_collections(self):
        for each in self.touched:
            if self.document.with_id(each.get("id")) is each and _is_hollow(each):
                raise InvalidCib(
                    _kind(each).path_of(each),
                    "has nothing in it any more: declare it absent, or say what it holds",
                )

    def remove_if_hollow(self, collection):
        """Remove what only wraps a resource when that is gone."""
        if _is_hollow(collection):
            home = self.document.parent(collection)
            _kind(collection).remove_one(self, collection)
            self.remove_if_hollow(home)

    def forget(self, identifier):
        """Remove what refers to an object that is gone: the schema allows no reference to nothing."""
        for constraint in self._known("constraints"):
            if identifier in [constraint.get(name) for name in _CONSTRAINED]:
                _kind(constraint).remove_one(self, constraint)
            else:
                self._forget_in(constraint, "sets", "resource_ref", "id", identifier)
        for tag in self._known("tags"):
            self._forget_in(tag, "references", "obj_ref", "id", identifier)
        for each in self._known("acls"):
            if each.tag == "acl_role":
                self._forget_in(each, "permissions", "acl_permission", "reference", identifier)
            else:
                self._forget_in(each, "roles", "role", "id", identifier)

    def _known(self, section):
        return [each for each in self.document.section(section) if each.tag in _KINDS]

    def _forget_in(self, element, key, tag, attribute, identifier):
        """Take what refers to the object out of one field of another object."""
        gone = [each for each in element.iter(tag) if each.get(attribute) == identifier]
        if not gone:
            return
        kind = _kind(element)
        before = kind.read_one(self.document, element)
        for each in gone:
            collection = self.document.parent(each)
            self.document.remove(each)
            if collection is not element and collection.find(tag) is None:
                self.document.remove(collection)
        after = kind.read_one(self.document, element)
        if key in after or tag in _MAY_BE_EMPTY:
            self.record(at(kind.path_of(element), key), key, before[key], after.get(key))
        else:
            kind.remove_one(self, element)


_CONSTRAINED = ("rsc", "with-rsc", "first", "then")
_MAY_BE_EMPTY = ("acl_permission", "role")
_KINDS = {tag: section for section in SECTIONS for tag in getattr(section, "tags", ())}


def _kind(element):
    return _KINDS[element.tag]


def _is_hollow(element):
    if element.tag not in ("group", "clone", "master"):
        return False
    return element.find("primitive") is None and element.find("group") is None


# --- patches -------------------------------------------------------------------------------------


def version(xml):
    """
    The version of a CIB: admin_epoch, epoch and num_updates, of which the last counts the status too.

    xml
        Text of a CIB.
    """
    root = ElementTree.fromstring(xml)
    return tuple(root.get(name, "0") for name in ("admin_epoch", "epoch", "num_updates"))


def patch_onto(patch, xml, exact=False):
    """
    A patch for a CIB as it is: one that the cluster refuses when the configuration has moved since, but
    not when only the status did.

    patch
        Output of ``crm_diff``, format 1 or 2, with versions; it may have been made from an earlier CIB.
    xml
        Text of the CIB that it is meant for.
    exact
        Make it one that is refused when the status has moved too, and that names the version that it makes:
        Pacemaker before 1.1.12 takes no other.

    The version of a CIB is admin_epoch, epoch and num_updates; the last one counts status updates,
    which never rest on a live cluster. The digest covers the status too.
    """
    root = ElementTree.fromstring(patch)
    root.attrib.pop("digest", None)
    if exact:
        return _exact(root, version(xml))
    now = ElementTree.fromstring(xml)
    for element in root.iter():
        if element.tag in _VERSIONED:
            element.attrib.pop("num_updates", None)
            for name in ("admin_epoch", "epoch"):
                if name in element.attrib:
                    element.set(name, now.get(name, "0"))
    return ElementTree.tostring(root, encoding="unicode")


def _exact(root, now):
    admin_epoch, epoch, num_updates = now
    before = {"admin_epoch": admin_epoch, "epoch": epoch, "num_updates": num_updates}
    after = {**before, "epoch": str(int(epoch) + 1), "num_updates": "0"}
    for place, numbers in (
        ("version/source", before),
        ("version/target", after),
        ("diff-removed", before),
        ("diff-removed/cib", before),
        ("diff-added", after),
        ("diff-added/cib", after),
    ):
        for element in root.findall(place):
            element.attrib.update(numbers)
    return ElementTree.tostring(root, encoding="unicode")


# Where a patch has the version of what it was made from, and of what it makes of it. The cluster raises the
# epoch by itself.
_VERSIONED = ("source", "target", "diff-removed", "diff-added", "cib")
