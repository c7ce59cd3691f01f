"""
A CIB as a document that can be searched and changed.

It knows XML, ids and sets of name-value pairs; what the elements are for is ``cib_objects``'s business.
Pure: text in, text out.
"""

import re
from xml.etree import ElementTree

import cib_values
from cib_values import InvalidCib

__virtualname__ = "cib_document"

# Before this version of the schema, roles are called Master and Slave.
_NEW_ROLES_SINCE = (3, 7)
_OLD_ROLES = {"Promoted": "Master", "Unpromoted": "Slave"}
_ROLE_OPTIONS = ("role", "rsc-role", "with-rsc-role", "target-role")

# Before this version, a promotable clone is an element master, and its options have other names.
_PROMOTABLE_CLONES_SINCE = (3, 1)
_OLD_NAMES = {"promoted-max": "master-max", "promoted-node-max": "master-node-max"}
_NEW_NAMES = {old: new for new, old in _OLD_NAMES.items()}
_OLD_BUNDLE_NAMES = {"promoted-max": "masters"}

# From this feature set on (Pacemaker 3.0.2), some cluster properties have new names.
_RENAMED_PROPERTIES_SINCE = (3, 20, 5)

# Here id is the id of something else.
_REFERENCES = ("obj_ref", "resource_ref", "role")


def __virtual__():
    return __virtualname__


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
            if each.get("id") and each.tag not in _REFERENCES
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
            if each.tag not in _REFERENCES and self._by_id.get(each.get("id")) is each:
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


class Nvpairs:
    """
    The rule-free sets of name-value pairs of one owner, read and written as one mapping.

    Of several sets the one with the highest score counts. Where scores are equal, versions of
    Pacemaker differ in which set counts, so a change is written to each of the equals.

    Of names in ``renamed`` (old to new) the old one is the mapping's, whichever is in the document. A pair
    keeps the name that it has, unless this cluster doesn't look at it by that.
    """

    def __init__(
        self, document, owner, tag, set_id, *, by_meaning=True, always_first=None, renamed=None
    ):
        self._document = document
        self._owner = owner
        self._tag = tag
        self._set_id = set_id
        self._by_meaning = by_meaning
        self._always_first = always_first
        self._renamed = renamed or {}
        self._old_names = {new: old for old, new in self._renamed.items()}

    def values(self):
        values = {}
        for each in sorted(self._rule_free(), key=self._rank):
            for pair in reversed(self._pairs_that_count(each)):
                values[self._name(pair)] = self._document.referred(pair).get("value", "")
        return values

    def hold(self, name, value):
        """Whether this value counts already, whichever of equal sets does."""
        counting = [
            self._document.referred(pair).get("value", "")
            for pair in self._pairs_named(name, self._counting(name))
        ]
        others = [self._document.referred(pair).get("value", "") for pair in self._others(name)]
        if self._by_meaning:
            return bool(counting) and all(
                cib_values.same(name, each, value) for each in counting + others
            )
        return set(counting) == {value}

    def put(self, name, value):
        self._put(name, value)
        for pair in self._others(name):
            self._document.remove(pair)

    def _put(self, name, value):
        counting = self._counting(name)
        if not counting:
            self._add(self._home(), name, value)
        elif any(self._is_borrowed(each) for each in counting):
            score = str(max(self._rank(each)[1] for each in counting) + 1)
            home = self._document.add(self._owner, self._tag, self._set_id, {"score": score})
            self._add(home, name, value)
        else:
            for pair in self._pairs_named(name, counting):
                self._own(pair, name).set("value", self._document.spelled(name, value))

    def remove(self, name):
        # what isn't looked at while the newer name is there would come into effect
        for pair in self._others(name):
            self._document.remove(pair)
        for each in self._rule_free():
            for pair in self._pairs_named(name, [each]):
                if self._is_borrowed(each):
                    raise InvalidCib(
                        name, f"comes from the shared set {each.get('id-ref')}: remove it there"
                    )
                self._document.remove(pair)
                if not self._pairs(each) and not self._document.is_referred_to(each):
                    self._document.remove(each)

    def _rule_free(self):
        sets = self._owner.findall(self._tag)
        return [each for each in sets if self._document.referred(each).find("rule") is None]

    def _rank(self, each):
        content = self._document.referred(each)
        first = self._always_first is not None and content.get("id") == self._always_first
        return (first, cib_values.rank(content.get("score", "0")))

    def _counting(self, name):
        holding = [each for each in self._rule_free() if self._pairs_named(name, [each])]
        top = max(map(self._rank, holding), default=None)
        return [each for each in holding if self._rank(each) == top]

    def _pairs(self, each):
        return self._document.referred(each).findall("nvpair")

    def _pairs_that_count(self, each):
        return [pair for pair in self._pairs(each) if pair not in self._others(self._name(pair))]

    def _pairs_named(self, name, sets):
        pairs = [pair for each in sets for pair in self._pairs_that_count(each)]
        return [pair for pair in pairs if self._name(pair) == name]

    def _others(self, name):
        """What has an option's other name, and isn't looked at by this cluster."""
        new = self._renamed.get(name)
        if new is None:
            return []
        pairs = [pair for each in self._rule_free() for pair in self._pairs(each)]
        with_new = [pair for pair in pairs if self._literal_name(pair) == new]
        if not self._document.has_renamed_properties:
            return with_new
        return [pair for pair in pairs if with_new and self._literal_name(pair) == name]

    def _name(self, pair):
        name = self._literal_name(pair)
        return self._old_names.get(name, _NEW_NAMES.get(name, name))

    def _literal_name(self, pair):
        return pair.get("name") or self._document.referred(pair).get("name")

    def _is_borrowed(self, each):
        return "id-ref" in each.attrib

    def _home(self):
        own = [each for each in self._rule_free() if not self._is_borrowed(each)]
        preferred = [each for each in own if each.get("id") == self._set_id]
        if preferred or own:
            return (preferred or own)[0]
        return self._document.add(self._owner, self._tag, self._set_id)

    def _add(self, home, name, value):
        spelled = self._document.pair_name(name)
        if self._document.has_renamed_properties:
            spelled = self._renamed.get(spelled, spelled)
        value = self._document.spelled(name, value)
        identifier = f"{home.get('id')}-{spelled}"
        self._document.add(home, "nvpair", identifier, {"name": spelled, "value": value})

    def _own(self, pair, name):
        if "id-ref" not in pair.attrib:
            return pair
        home, literal = self._document.parent(pair), self._literal_name(pair)
        self._document.remove(pair)
        return self._document.add(home, "nvpair", f"{home.get('id')}-{name}", {"name": literal})
