"""
A CIB as a document that can be searched and changed.

It knows XML and ids; what the elements are for is ``cib_objects``'s business.
Pure: text in, text out.
"""

import re
from xml.etree import ElementTree

from cib_values import InvalidCib

# Before this version of the schema, roles are called Master and Slave.
_NEW_ROLES_SINCE = (3, 7)
_OLD_ROLES = {"Promoted": "Master", "Unpromoted": "Slave"}
_ROLE_OPTIONS = ("role", "rsc-role", "with-rsc-role", "target-role")

# Before this version, a promotable clone is an element master, and its options have other names.
_PROMOTABLE_CLONES_SINCE = (3, 1)
_OLD_NAMES = {"promoted-max": "master-max", "promoted-node-max": "master-node-max"}
NEW_NAMES = {old: new for new, old in _OLD_NAMES.items()}
_OLD_BUNDLE_NAMES = {"promoted-max": "masters"}

# From this feature set on (Pacemaker 3.0.2), some cluster properties have new names.
_RENAMED_PROPERTIES_SINCE = (3, 20, 5)

# Here id is the id of something else, or any text: no other object's is taken by it.
NO_IDS = ("obj_ref", "resource_ref", "role", "node", "acl_target")


def __virtual__():
    return True


def older_names(attribute):
    """The names that an attribute has in documents of older versions."""
    return tuple(old for new, old in _OLD_BUNDLE_NAMES.items() if new == attribute)


class Document:
    """A CIB that can be searched and changed."""

    def __init__(self, text):
        # comments belong to whoever wrote them
        parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
        try:
            self.root = ElementTree.fromstring(text, parser)
        except ElementTree.ParseError as error:
            raise InvalidCib("", f"the CIB is not well-formed XML: {error}") from None
        self.configuration = self.root.find("configuration")
        if self.configuration is None:
            raise InvalidCib("", "the CIB has no configuration section")
        self._parents = {child: each for each in self.configuration.iter() for child in each}
        self._by_id = {
            each.get("id"): each
            for each in self.configuration.iter()
            if each.get("id") and each.tag not in NO_IDS
        }
        self._made = []
        self._schema = _version(self.root.get("validate-with"))

    @property
    def has_promotable_clones(self):
        """Whether this cluster knows a clone with the option promotable, and not only master."""
        return self._schema >= _PROMOTABLE_CLONES_SINCE

    @property
    def has_renamed_properties(self):
        """Whether this cluster knows ``cib_values.RENAMED_PROPERTIES`` by their new names."""
        numbers = re.findall(r"\d+", self.root.get("crm_feature_set", ""))
        return tuple(map(int, numbers)) >= _RENAMED_PROPERTIES_SINCE

    def spelled(self, option, value):
        """A value as this cluster's version of Pacemaker spells it."""
        if option in _ROLE_OPTIONS and self._schema < _NEW_ROLES_SINCE:
            return _OLD_ROLES.get(value, value)
        return value

    def pair_name(self, name):
        """The name of an option as this cluster's version of Pacemaker has it."""
        return name if self.has_promotable_clones else _OLD_NAMES.get(name, name)

    @staticmethod
    def option(element, name):
        """An attribute of an element, in today's spelling or an older one."""
        return element.get(name, element.get(_OLD_BUNDLE_NAMES.get(name, name)))

    def set_option(self, element, name, value):
        old = _OLD_BUNDLE_NAMES.get(name, name)
        spelled = old if old in element.attrib or not self.has_promotable_clones else name
        element.set(spelled, self.spelled(name, value))

    @staticmethod
    def drop_option(element, name):
        for spelled in (name, _OLD_BUNDLE_NAMES.get(name)):
            element.attrib.pop(spelled, None)

    def text(self):
        """The document as XML, without sections that were made and stayed empty."""
        for section in self._made:
            if not len(section):
                self.configuration.remove(section)
        self._made = []
        return ElementTree.tostring(self.root, encoding="unicode")

    def section(self, tag):
        """The section of that name, made when it isn't there; while empty it isn't written."""
        found = self.configuration.find(tag)
        if found is None:
            found = self.add(self.configuration, tag)
            self._made.append(found)
        return found

    def with_id(self, identifier):
        return self._by_id.get(identifier)

    def referred(self, element):
        """The element itself, or the one that it stands for by id-ref."""
        return self._by_id.get(element.get("id-ref"), element)

    def name_and_value(self, pair):
        """What an nvpair says, itself or by id-ref; ``None`` stands for what it doesn't."""
        content = self.referred(pair)
        return pair.get("name") or content.get("name"), content.get("value")

    def is_referred_to(self, element):
        return any(each.get("id-ref") == element.get("id") for each in self.configuration.iter())

    @staticmethod
    def children(element):
        """The elements right below one, without comments."""
        return [each for each in element if isinstance(each.tag, str)]

    def parent(self, element):
        return self._parents[element]

    def add(self, parent, tag, identifier=None, attributes=None):
        """A new element at the end of its parent; with an identifier, an id that is free and like it."""
        element = ElementTree.SubElement(parent, tag)
        if identifier is not None:
            element.set("id", self._free_id(identifier))
            self._by_id[element.get("id")] = element
        element.attrib.update(attributes or {})
        self._parents[element] = parent
        return element

    def move(self, element, parent, position=None):
        """Take an element to another parent, or to another place in its own."""
        self._parents[element].remove(element)
        parent.insert(len(parent) if position is None else position, element)
        self._parents[element] = parent

    def remove(self, element):
        self._parents.pop(element).remove(element)
        for each in element.iter():
            if each.tag not in NO_IDS and self._by_id.get(each.get("id")) is each:
                del self._by_id[each.get("id")]

    def _free_id(self, identifier):
        wanted = re.sub(r"[^A-Za-z0-9_.-]", "_", identifier)
        unique, number = wanted, 0
        while unique in self._by_id:
            number += 1
            unique = f"{wanted}-{number}"
        return unique


def _version(schema):
    """The version of a schema's name, such as pacemaker-3.9; what has no number is the newest."""
    found = re.fullmatch(r"pacemaker-(\d+)\.(\d+)", schema or "")
    return tuple(map(int, found.groups())) if found else (99, 0)
