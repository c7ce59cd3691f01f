"""
Values of objects, by name; and sets of them that a rule or a score sets apart, by id.

.. code-block:: yaml

    meta: {resource-stickiness: 100}
    meta_sets:
      by-day: {score: 5, rule: {expressions: [...]}, values: {resource-stickiness: INFINITY}}
      of-somebody-else: id-ref        # the set of that id, which belongs to another object

Both are fields, as those of ``cib_fields``. Pure. Source: "Pacemaker Explained", chapter "Rules".
"""

import cib_nvpairs
import cib_rules
import cib_values
from cib_nvpairs import Nvpairs
from cib_values import InvalidCib, at

_BY_REFERENCE = "id-ref"


def __virtual__():
    return True


class Values:
    """Sets of name-value pairs, as one mapping. What isn't declared stays, unless it is purged."""

    attributes = ()

    def __init__(
        self,
        key,
        tag,
        set_id="{id}-{tag}",
        *,
        by_meaning=True,
        always_first=None,
        kept=(),
        renamed=None,
    ):
        self.key = key
        self.tags = (tag,)
        self._tag = tag
        self._set_id = set_id
        self._by_meaning = by_meaning
        self._always_first = always_first
        self._kept = kept
        self._renamed = renamed or {}

    @property
    def absent(self):
        return {}

    def check(self, value, path):
        checked = _checked_values(value, path)
        for old, new in self._renamed.items():
            if old in checked and new in checked:
                raise InvalidCib(
                    at(path, new), f"is {old} too, by its newer name: declare one of them"
                )
            if new in checked:
                checked[old] = checked.pop(new)
        return checked

    def pairs(self, document, element):
        set_id = self._set_id.format(id=element.get("id"), tag=self._tag)
        return Nvpairs(
            document, element, self._tag, set_id,
            by_meaning=self._by_meaning, always_first=self._always_first, renamed=self._renamed,
        )  # fmt: skip

    def read(self, document, element):
        return self.pairs(document, element).settled()

    def effective(self, document, element):
        """What counts, also where versions of Pacemaker differ in that."""
        return self.pairs(document, element).values()

    def put(self, edit, path, element, wanted):
        pairs = self.pairs(edit.document, element)
        present = pairs.values()
        for name, value in wanted.items():
            if not pairs.hold(name, value):
                pairs.put(name, value)
                edit.record(at(path, name), name, present.get(name), value)

    def remove(self, edit, path, element, names):
        pairs = self.pairs(edit.document, element)
        present = pairs.values()
        for name in names:
            if name in present:
                pairs.remove(name)
                edit.record(at(path, name), name, present[name], None)

    def purge(self, edit, path, element, wanted):
        pairs = self.pairs(edit.document, element)
        plain = pairs.plain()
        for name in sorted(set(plain) - set(wanted) - set(self._kept)):
            pairs.remove(name, plain=True)
            edit.record(at(path, name), name, plain[name], None)

    def unread(self, document, element):
        yield from self.pairs(document, element).unread()


class Sets:
    """The sets that a rule or a score sets apart. Each is owned as a whole."""

    absent = None
    attributes = ()

    def __init__(self, key, tag):
        self.key = key
        self._tag = tag
        self.tags = (tag,)

    def check(self, value, path):
        found = {
            cib_values.identifier(each, at(path, each)): self._check_one(inner, at(path, each))
            for each, inner in cib_values.mapping(value, path).items()
        }
        self._refuse_plain(found, path)
        return found

    @staticmethod
    def _refuse_plain(found, path):
        """One that nothing sets apart has a place here beside one under a rule: the first counts."""
        apart = [each for each in found.values() if each == _BY_REFERENCE or "rule" in each]
        for identifier, each in found.items():
            if not apart and cib_values.rank(each.get("score", "0")) == 0:
                raise InvalidCib(
                    at(path, identifier),
                    "needs a rule, or a score that isn't 0: else declare its values by name alone",
                )

    @staticmethod
    def _check_one(value, path):
        if value == _BY_REFERENCE:
            return value
        cib_values.some_mapping(value, path)
        cib_values.known_keys(value, ["score", "rule", "values"], path, "key")
        found = {}
        if value.get("score") is not None:
            found["score"] = cib_values.score(value["score"], at(path, "score"))
        if value.get("rule") is not None:
            found["rule"] = cib_rules.check_plain(value["rule"], at(path, "rule"))
        found["values"] = _checked_values(value.get("values"), at(path, "values"))
        return found

    def read(self, document, element):
        found = (
            (self._id(each), self._read_one(document, each))
            for each in self._special(document, element)
        )
        return {each: content for each, content in found if not self._fault(each, content)} or None

    def _special(self, document, element, is_such=cib_nvpairs.is_special):
        return [each for each in element.findall(self._tag) if is_such(document, each)]

    def _fault(self, identifier, content):
        check_id = cib_values.fault(cib_values.identifier, identifier)
        return check_id or cib_values.fault(self._check_one, content)

    @staticmethod
    def _id(element):
        return element.get(_BY_REFERENCE) or element.get("id")

    @staticmethod
    def _read_one(document, element):
        if _BY_REFERENCE in element.attrib:
            return _BY_REFERENCE
        found = {"score": element.get("score")} if "score" in element.attrib else {}
        if element.find("rule") is not None:
            found["rule"] = cib_rules.read(document, element.find("rule"))
        found["values"] = cib_nvpairs.own_values(document, element)
        return found

    def put(self, edit, path, element, wanted):
        for identifier, each in wanted.items():
            found = self._find(element, identifier)
            present = None if found is None else self._read_one(edit.document, found)
            if cib_values.meant(present) != cib_values.meant(each):
                self._write(edit, at(path, identifier), element, (identifier, each), found)
                edit.record(at(path, identifier), identifier, present, each)

    def _find(self, element, identifier):
        sets = element.findall(self._tag)
        return next((each for each in sets if self._id(each) == identifier), None)

    def _write(self, edit, path, element, wanted, found):
        document, (identifier, content) = edit.document, wanted
        position = len(element)
        if found is not None:
            position = list(element).index(found)
            document.remove(found)
        if content == _BY_REFERENCE:
            self._need_set(document, path, identifier)
            made = document.add(element, self._tag, attributes={_BY_REFERENCE: identifier})
        else:
            edit.need_free(path, identifier)
            score = {"score": content["score"]} if "score" in content else {}
            made = document.add(element, self._tag, identifier, score)
            if "rule" in content:
                cib_rules.write(document, made, content["rule"])
            for name, value in content["values"].items():
                pair = {"name": document.pair_name(name), "value": document.spelled(name, value)}
                document.add(made, "nvpair", f"{identifier}-{name}", pair)
        document.move(made, element, position)

    def _need_set(self, document, path, identifier):
        found = document.with_id(identifier)
        if found is None or found.tag != self._tag:
            what = "there is none" if found is None else f"that is a {found.tag}"
            raise InvalidCib(path, f"should be the id of a {self._tag}, {what}")

    def remove(self, edit, path, element, identifiers):
        for identifier in identifiers:
            found = self._find(element, identifier)
            if found is not None:
                edit.record(
                    at(path, identifier), identifier, self._read_one(edit.document, found), None
                )
                edit.document.remove(found)

    def purge(self, edit, path, element, wanted):
        apart = self._special(edit.document, element, cib_nvpairs.is_apart)
        surplus = {self._id(each) for each in apart} - set(wanted)
        self.remove(edit, path, element, sorted(surplus, key=str))  # some have no id

    def unread(self, document, element):
        for each in self._special(document, element):
            fault = self._fault(self._id(each), self._read_one(document, each))
            if fault:
                path = at(str(self._id(each)), fault.path) if fault.path else str(self._id(each))
                yield path, fault.message


def _checked_values(value, path):
    return {
        cib_values.name(name, at(path, name)): _checked_value(name, each, at(path, name))
        for name, each in cib_values.mapping(value, path).items()
    }


def _checked_value(name, value, path):
    said = cib_values.text(value, path)
    if said == cib_values.MASK and cib_values.masked("", name):
        raise InvalidCib(
            path, "is the mask of a secret, and not the secret: export it with secrets=True"
        )
    return said


def refuse_contradiction(values, sets, path):
    """
    Refuse a value that a set of a higher score would override.

    values
        What is declared by name.
    sets
        What ``Sets.check`` returned, of the same object.
    path
        Where the sets stand.
    """
    for identifier, each in (sets or {}).items():
        if each == _BY_REFERENCE or "rule" in each or cib_values.rank(each.get("score", "0")) <= 0:
            continue
        for name, value in each.get("values", {}).items():
            if name in values and not cib_values.same(name, values[name], value):
                raise InvalidCib(
                    at(at(path, identifier), f"values:{name}"),
                    f"is {value} here, and {values[name]} without a set: this score overrides it",
                )


def without_doubles(values, sets):
    """
    Values by name, without what a set that has no rule says already.

    values, sets
        As ``Values.read`` and ``Sets.read`` return them, of the same object.
    """
    said = {}
    free = [each for each in (sets or {}).values() if each != _BY_REFERENCE and "rule" not in each]
    for each in sorted(free, key=lambda each: cib_values.rank(each.get("score", "0"))):
        said.update(each.get("values", {}))
    return {name: value for name, value in values.items() if said.get(name) != value}


PARAMS = Values("params", "instance_attributes", by_meaning=False)
# An administrator sets these with crm resource: they are no part of what a configuration system declares.
META = Values("meta", "meta_attributes", kept=("target-role", "is-managed", "maintenance"))
UTILIZATION = Values("utilization", "utilization")

# The sets go before the values: a value that a set has already isn't added to another.
PARAMS_SETS = Sets("params_sets", "instance_attributes")
META_SETS = Sets("meta_sets", "meta_attributes")
UTILIZATION_SETS = Sets("utilization_sets", "utilization")
