"""
What a section of Pacemaker's configuration can be: values, nodes' values, objects of one kind.

A section is declared as a mapping: by name for values, by id for objects. It checks what is declared, reads
what a document holds, and changes a document through an edit (``cib.difference``). ``cib_sections`` has all
of them. Sources: "Pacemaker Explained"; the schemas in ``/usr/share/pacemaker/*.rng``.
"""

import cib_fields
import cib_values
from cib_fields import References
from cib_values import InvalidCib, at

RESOURCE_TAGS = ("primitive", "group", "clone", "master", "bundle")

# What Pacemaker itself writes among the cluster properties.
PACEMAKERS_OWN = (
    "cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog", "last-lrm-refresh",
)  # fmt: skip

# Maintenance mode belongs to whoever began it; beside it cmha leaves a mark when it was cmha.
MAINTENANCE = "maintenance-mode"
MAINTENANCE_MARK = "cmha-maintenance"

# Constraints that crm_resource makes for an administrator's move or ban.
ADMINISTRATORS_OWN = "cli-"


def __virtual__():
    return True


class ValueSection:
    """A section that is one set of values: cluster properties, defaults."""

    def __init__(self, key, home, values):
        self.key = key
        self.home = home
        self.tags = values.tags
        self._values = values

    def check(self, value, path):
        return self._values.check(value, path)

    def check_absent(self, value, path):
        names = [cib_values.name(each, path) for each in cib_values.listed(value, path)]
        return [cib_values.property_name(each) for each in names]

    def read(self, document):
        return self._values.read(document, document.section(self.home)) or {}

    def effective(self, document):
        """What counts, also where versions of Pacemaker differ in that."""
        return self._values.effective(document, document.section(self.home))

    def unread(self, document):
        for name, why in self._values.unread(document, document.section(self.home)):
            yield at(self.key, name), why

    def put(self, edit, wanted):
        self._values.put(edit, self.key, edit.document.section(self.home), wanted)

    def remove(self, edit, names):
        self._values.remove(edit, self.key, edit.document.section(self.home), names)

    def purge(self, edit, wanted):
        self._values.purge(edit, self.key, edit.document.section(self.home), wanted)


class NodeSection:
    """Values of the cluster's nodes, by the node's name. Nodes come and go with the cluster alone."""

    home = "nodes"
    tags = ("node",)

    def __init__(self, key, values):
        self.key = key
        self._values = values

    def check(self, value, path):
        return {
            cib_values.name(node, at(path, node)): self._values.check(each, at(path, node))
            for node, each in cib_values.mapping(value, path).items()
        }

    def check_absent(self, value, path):
        return {
            cib_values.name(node, at(path, node)): [
                cib_values.name(each, at(path, node))
                for each in cib_values.listed(names, at(path, node))
            ]
            for node, names in cib_values.mapping(value, path).items()
        }

    def read(self, document):
        values = {}
        for node in document.section("nodes").findall("node"):
            # of two that a changed nodeid has left, the first, as for put
            values.setdefault(node.get("uname"), self._values.read(document, node))
        return {
            name: each
            for name, each in values.items()
            if each not in (None, {}) and cib_values.is_name(name)
        }

    def unread(self, document):
        for node in document.section("nodes").findall("node"):
            path = at(self.key, node.get("uname"))
            if not cib_values.is_name(node.get("uname")):
                yield path, "is no name that could be declared"
                continue
            if self._node_of(document, node.get("uname")) is not node:
                yield (
                    path,
                    f"is another node of this name, with the id {node.get('id')}; crm_node removes it",
                )
                continue
            for name, why in self._values.unread(document, node):
                yield at(path, name) if name else path, why

    def put(self, edit, wanted):
        for name, values in wanted.items():
            self._values.put(edit, at(self.key, name), self._node(edit, name), values)

    def remove(self, edit, wanted):
        for name, names in wanted.items():
            self._values.remove(edit, at(self.key, name), self._node(edit, name), names)

    def purge(self, edit, wanted):
        for node in edit.document.section("nodes").findall("node"):
            name = node.get("uname")
            self._values.purge(edit, at(self.key, name), node, wanted.get(name, {}))

    @staticmethod
    def _node_of(document, name):
        nodes = document.section("nodes").findall("node")
        return next((node for node in nodes if node.get("uname") == name), None)

    def _node(self, edit, name):
        found = self._node_of(edit.document, name)
        if found is None:
            nodes = edit.document.section("nodes").findall("node")
            known = ", ".join(node.get("uname") for node in nodes) or "none"
            raise InvalidCib(
                at(self.key, name), f"the cluster has no node {name} (it has: {known})"
            )
        return found


class NodeAttribute(NodeSection):
    """One XML attribute of nodes, by the node's name."""

    def check_absent(self, value, path):
        return [cib_values.name(each, path) for each in cib_values.listed(value, path)]

    def remove(self, edit, wanted):
        for name in wanted:
            self._values.clear(edit, at(self.key, name), self._node(edit, name))

    def purge(self, edit, wanted):
        for node in edit.document.section("nodes").findall("node"):
            name = node.get("uname")
            if name not in wanted:
                self._values.clear(edit, at(self.key, name), node)


# The keys with a list as their value whose objects may be declared as that list.
_LISTS = ("members", "permissions", "roles", "references")


class Kind:
    """Objects of one kind, by id."""

    has_own_ids = True  # no other object has them

    def __init__(
        self, key, tag, home, fields, *, required=(), short=None, either=(), exclusive=(), sense=None
    ):  # fmt: skip
        self.key = key
        self.tags = (tag,)
        self.home = home
        self._fields = fields
        self._required = required
        self._short = short
        # Keys of which an object has exactly one, or at most one: declaring one takes the others away.
        self._either = either
        self._exclusive = [*either, *exclusive]
        # Refuses, by path, an object whose parts are well and make no sense together
        self._sense = sense

    # declared

    def check(self, value, path):
        return {
            self._identifier(each, at(path, each)): self._check_one(inner, at(path, each))
            for each, inner in cib_values.mapping(value, path).items()
        }

    def _identifier(self, value, path):
        return cib_values.identifier(value, path)

    def _check_one(self, value, path):
        if isinstance(value, str) and self._short:
            value = {self._short: value}
        if isinstance(value, (list, tuple)) and self._short in _LISTS:
            value = {self._short: list(value)}
        found = cib_fields.checked(value, self._fields, path, self._required)
        for keys in self._exclusive:
            both = [key for key in keys if key in found]
            if len(both) > 1:
                raise InvalidCib(at(path, both[1]), f"not together with {both[0]}")
        if self._sense:
            self._sense(found, path)
        return {
            **{field.key: field.absent for field in self._fields if field.absent == {}},
            **found,
        }

    def check_complete(self, value, path):
        """As ``check``, for objects that are to be made."""
        found = self.check(value, path)
        for identifier, each in found.items():
            self._need_complete(at(path, identifier), each)
        return found

    def check_absent(self, value, path):
        return [self._identifier(each, path) for each in cib_values.listed(value, path)]

    # present

    def elements(self, document):
        return [each for each in document.section(self.home).iter() if each.tag in self.tags]

    def path_of(self, element):
        return at(self.key, element.get("id"))

    def read(self, document):
        return {each.get("id"): self.read_one(document, each) for each in self.elements(document)}

    def read_one(self, document, element):
        found = cib_fields.read(document, element, self._fields)
        return {key: value for key, value in found.items() if value is not None}

    def unread(self, document):
        for element in self.elements(document):
            if str(element.get("id")).startswith(ADMINISTRATORS_OWN):
                yield self.path_of(element), "is what crm_resource has written for an administrator"
                continue
            for path, why in cib_fields.unread(document, element, self._fields):
                yield at(self.path_of(element), path), why

    # changed

    def put(self, edit, wanted):
        for identifier, each in wanted.items():
            path = at(self.key, identifier)
            element = self._find(edit.document, identifier)
            if element is not None:
                self._put_one(edit, path, element, each)
                continue
            if self.has_own_ids:
                edit.need_free(path, identifier)
            self._need_complete(path, each)
            with edit.one_change(path, identifier) as change:
                element = self._make(edit.document, identifier, each)
                self._put_one(edit, path, element, each)
                change["new"] = self.read_one(edit.document, element)

    def _find(self, document, identifier):
        found = document.with_id(identifier)
        return found if found is not None and found.tag in self.tags else None

    def _make(self, document, identifier, _wanted):
        return document.add(document.section(self.home), self.tags[0], identifier)

    def _need_complete(self, path, wanted):
        for keys in self._either:
            if not any(key in wanted for key in keys):
                raise InvalidCib(path, f"needs {' or '.join(keys)}")

    def _put_one(self, edit, path, element, wanted):
        for keys in self._exclusive:
            if any(key in wanted for key in keys):
                for field in self._fields:
                    # what has no words stays: Pacemaker doesn't read it either
                    is_rival = field.key in keys and field.key not in wanted
                    if is_rival and field.read(edit.document, element) not in (None, {}, []):
                        field.clear(edit, at(path, field.key), element)
        cib_fields.put(edit, path, element, wanted, self._fields)

    def remove(self, edit, identifiers):
        for identifier in identifiers:
            element = self._find(edit.document, identifier)
            if element is not None:
                self.remove_one(edit, element)
            elif self.has_own_ids and edit.document.with_id(identifier) is not None:
                found = edit.document.with_id(identifier).tag
                raise InvalidCib(at(self.key, identifier), f"is a {found}, not a {self.tags[0]}")

    def remove_one(self, edit, element):
        old = self.read_one(edit.document, element)
        edit.record(self.path_of(element), element.get("id"), old, None)
        self._take_away(edit, element)

    def _take_away(self, edit, element):
        edit.document.remove(element)
        edit.forget(element.get("id"))

    def purge(self, edit, wanted):
        for element in self.elements(edit.document):
            identifier = element.get("id")
            if edit.document.with_id(identifier) is not element:
                continue  # it went with another
            if identifier in wanted:
                self._purge_one(edit, at(self.key, identifier), element, wanted[identifier])
            elif not identifier.startswith(ADMINISTRATORS_OWN):
                self.purge_whole(edit, element)

    def purge_whole(self, edit, element):
        self.remove_one(edit, element)

    def _purge_one(self, edit, path, element, wanted):
        for field in self._fields:
            if hasattr(field, "purge"):
                field.purge(edit, at(path, field.key), element, wanted.get(field.key, {}))


class ResourceKind(Kind):
    """Resources and their templates. A resource that is removed takes what refers to it along."""

    def purge_whole(self, edit, element):
        edit.purged_resources.append(element.get("id"))
        super().purge_whole(edit, element)


class PrimitiveKind(ResourceKind):
    """Primitives stand by themselves, in a group, a clone or a bundle."""

    def _take_away(self, edit, element):
        parent = edit.document.parent(element)
        super()._take_away(edit, element)
        edit.remove_if_hollow(parent)


class CollectionKind(ResourceKind):
    """Resources that hold others: groups, clones, bundles."""

    def _take_away(self, edit, element):
        """What a collection held goes on by itself."""
        home = edit.document.parent(element)
        for held in _held(edit.document, element):
            edit.document.move(held, home)
        super()._take_away(edit, element)


class CloneKind(CollectionKind):
    """Clones; what Pacemaker 1.1 calls master is a clone with the meta attribute promotable."""

    def __init__(self, *words, **rest):
        super().__init__(*words, **rest)
        self.tags = ("clone", "master")

    def read_one(self, document, element):
        found = super().read_one(document, element)
        if element.tag == "master":
            found["meta"] = {**found["meta"], "promotable": "true"}  # whatever is said there
        return found

    def _make(self, document, identifier, wanted):
        old = self._is_promotable(wanted) and not document.has_promotable_clones
        return document.add(document.section(self.home), "master" if old else "clone", identifier)

    @staticmethod
    def _is_promotable(wanted):
        return cib_values.same("promotable", wanted["meta"].get("promotable"), "true")

    def _put_one(self, edit, path, element, wanted):
        if element.tag == "master" and "promotable" in wanted["meta"]:
            if not self._is_promotable(wanted):
                raise InvalidCib(
                    at(path, "meta:promotable"), "a master can't be made a plain clone"
                )
            rest = {key: value for key, value in wanted["meta"].items() if key != "promotable"}
            wanted = {**wanted, "meta": rest}
        super()._put_one(edit, path, element, wanted)


class UserKind(Kind):
    """ACL users: ids may be any name, and another object's id too."""

    has_own_ids = False

    def _identifier(self, value, path):
        return cib_values.text(value, path)

    def read(self, document):
        elements = self.elements(document)
        return {
            each.get("id"): self.read_one(document, each)
            for each in elements
            if not _is_there_twice(each, elements)
        }

    def unread(self, document):
        elements = self.elements(document)
        doubles = {each.get("id") for each in elements if _is_there_twice(each, elements)}
        for identifier in sorted(map(str, doubles)):
            yield (
                at(self.key, identifier),
                "stands there twice; Pacemaker gives it the roles of both",
            )
        yield from super().unread(document)

    def _find(self, document, identifier):
        targets = self.elements(document)
        return next((each for each in targets if each.get("id") == identifier), None)

    def _make(self, document, identifier, _wanted):
        attributes = {"id": identifier}
        return document.add(document.section(self.home), self.tags[0], attributes=attributes)

    def _take_away(self, edit, element):
        edit.document.remove(element)  # nothing refers to it

    def purge(self, edit, wanted):
        for element in self.elements(edit.document):
            if element.get("id") not in wanted:
                self.remove_one(edit, element)


def _is_there_twice(element, elements):
    return sum(each.get("id") == element.get("id") for each in elements) > 1


# --- what stands inside another resource ---------------------------------------------------------


def _held(document, element):
    return [each for each in document.children(element) if each.tag in RESOURCE_TAGS]


class Held:
    """The resources inside another: several, in order, or one."""

    absent = None
    attributes = ()

    def __init__(self, key, tags, *, several):
        self.key = key
        self.tags = RESOURCE_TAGS  # what of them may be here, its kind says
        self._tags = tags
        self._several = several

    def check(self, value, path):
        if not self._several:
            return cib_values.identifier(value, path)
        members = cib_values.listed(value, path)
        if not members:
            raise InvalidCib(path, "is empty")
        return References(self.key, "").check(list(members), path)

    def read(self, document, element):
        held = [each.get("id") for each in _held(document, element)]
        return held if self._several else next(iter(held), None)

    def unread(self, document, element):
        more = [] if self._several else _held(document, element)[1:]
        for each in more:
            yield "", f"{each.get('id')} is in it too; one is all that Pacemaker takes"

    def put(self, edit, path, element, wanted):
        present = self.read(edit.document, element)
        if present == wanted:
            return
        ids = wanted if self._several else [wanted]
        found = [self._resource(edit.document, identifier, path) for identifier in ids]
        home = edit.document.parent(element)
        for each in _held(edit.document, element):
            if each not in found:
                edit.document.move(each, home)
        for each in found:
            left = edit.document.parent(each)
            edit.document.move(each, element)
            if left is not element:
                edit.touched.append(left)
        edit.record(path, self.key, present, wanted)

    def _resource(self, document, identifier, path):
        found = document.with_id(identifier)
        if found is None or found.tag not in self._tags:
            what = "there is none" if found is None else f"it is a {found.tag}"
            wanted = " or ".join(tag for tag in self._tags if tag != "master")
            raise InvalidCib(path, f"{identifier} should be a {wanted}, {what}")
        return found
