"""
Sets of name-value pairs: those of one owner, read and written as one mapping.

Pure. Source: "Pacemaker Explained", chapter "Rules" (of several sets the one with the highest score counts)
and "Shared option sets" (``id-ref``).
"""

import cib_document
import cib_values
from cib_values import InvalidCib


def __virtual__():
    return True


def is_apart(document, element):
    """
    Whether a rule, or a score, sets a set of values apart.

    document
        The ``cib_document.Document``.
    element
        The set, or what stands for it by id-ref.
    """
    content = document.referred(element)
    return content.find("rule") is not None or _score(content) != 0


def is_special(document, element):
    """
    Whether a set of values is declared by itself: one that is apart; and one that says something else than
    a set under a rule with the same score does, since then it counts which of them stands first.

    document, element
        See ``is_apart``.
    """
    if is_apart(document, element):
        return True
    names = set(own_values(document, document.referred(element)))
    siblings = map(document.referred, document.parent(element).findall(element.tag))
    return any(
        each.find("rule") is not None
        and _score(each) == 0
        and names & set(own_values(document, each))
        for each in siblings
    )


def _score(content):
    return cib_values.rank(content.get("score", "0"))


def own_values(document, element):
    """
    What one set says, by name.

    document
        The ``cib_document.Document``.
    element
        The set.
    """
    values = {}
    for pair in element.findall("nvpair"):
        name, value = document.name_and_value(pair)
        if cib_values.is_name(name) and value is not None:
            values.setdefault(cib_document.NEW_NAMES.get(name, name), value)
    return values


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
        """By name the value that counts."""
        values = {}
        for each in sorted(self._rule_free(), key=self._rank):
            for pair in reversed(self._pairs_that_count(each)):
                values[self._name(pair)] = self._value(pair)
        return values

    def settled(self):
        """``values``, without those on which sets of the same score disagree."""
        unsettled = self._unsettled()
        return {name: value for name, value in self.values().items() if name not in unsettled}

    def _unsettled(self):
        if len(self._rule_free()) < 2 and not self._renamed:
            return []
        return [name for name in self.values() if self._disagree(name)]

    def _disagree(self, name):
        return not self.hold(name, self._value(self._pairs_counting(name)[0]))

    def hold(self, name, value):
        """Whether this value counts already, whichever of equal sets does."""
        counting = self._pairs_counting(name)
        said = map(self._value, counting + self._others(name))
        same = cib_values.same if self._by_meaning else lambda _, one, other: one == other
        return bool(counting) and all(same(name, each, value) for each in said)

    def plain(self):
        """What the sets say that no rule and no score sets apart, as ``values`` does."""
        values = {}
        for each in self._rule_free():
            if not self._is_special(each):
                for pair in self._pairs_that_count(each):
                    values.setdefault(self._name(pair), self._value(pair))
        return values

    def unread(self):
        """What is there and has no words: ``(name, why)``."""
        for each in self._sets():
            seen = set()
            for pair in self._document.referred(each).findall("nvpair"):
                name = self._literal_name(pair)
                if name is None:
                    yield each.get("id"), "holds a pair without a name"
                elif self._value(pair) is None:
                    yield name, "has no value"
                elif not cib_values.is_name(name):
                    yield name, "is no name that could be declared"
                elif name in seen:
                    yield name, "stands there twice; the first counts"
                seen.add(name)
        for name in self._unsettled():
            yield (
                name,
                "differs in two sets of the same score: versions of Pacemaker differ in which counts",
            )

    def put(self, name, value):
        self._put(name, value)
        for pair in self._others(name):
            self._document.remove(pair)

    def _put(self, name, value):
        counting = self._counting(name)
        # a set that another one overrides stays as it is: by a negative score, or of properties by any
        overridden = counting and (
            self._rank(counting[0]) < (False, 0)
            or (self._always_first is not None and all(map(self._is_special, counting)))
        )
        if not counting or overridden:
            self._add(self._home(), name, value)
        else:
            for each in counting:
                if self._is_borrowed(each):
                    self._own_set(each)
            for pair in self._pairs_counting(name):
                self._own(pair, name).set("value", self._document.spelled(name, value))

    def remove(self, name, plain=False):
        """Take a value away; with ``plain`` only out of the sets that nothing sets apart."""
        # what isn't looked at while the newer name is there would come into effect
        for pair in self._others(name):
            self._document.remove(pair)
        for each in self._rule_free():
            for pair in self._all_named(name, each):
                if plain and self._is_special(each):
                    continue
                if self._is_borrowed(each):
                    raise InvalidCib(
                        name, f"comes from the shared set {each.get('id-ref')}: remove it there"
                    )
                self._document.remove(pair)
                if not self._pairs(each) and not self._document.is_referred_to(each):
                    self._document.remove(each)

    def _sets(self):
        return self._owner.findall(self._tag)

    def _rule_free(self):
        sets = self._sets()
        return [each for each in sets if self._document.referred(each).find("rule") is None]

    def _is_special(self, each):
        return is_special(self._document, each)

    def _rank(self, each):
        content = self._document.referred(each)
        first = self._always_first is not None and content.get("id") == self._always_first
        return (first, _score(content))

    def _counting(self, name):
        holding = [each for each in self._rule_free() if self._pairs_named(name, each)]
        top = max(map(self._rank, holding), default=None)
        return [each for each in holding if self._rank(each) == top]

    def _pairs(self, each):
        """Those that Pacemaker looks at: one without a value is none."""
        pairs = self._document.referred(each).findall("nvpair")
        return [
            pair
            for pair in pairs
            if cib_values.is_name(self._literal_name(pair)) and self._value(pair) is not None
        ]

    def _value(self, pair):
        return self._document.name_and_value(pair)[1]

    def _pairs_that_count(self, each):
        return [pair for pair in self._pairs(each) if pair not in self._others(self._name(pair))]

    def _pairs_named(self, name, each):
        return [pair for pair in self._pairs_that_count(each) if self._name(pair) == name]

    def _pairs_counting(self, name):
        """Of each of the sets that count the first pair of that name."""
        return [self._pairs_named(name, each)[0] for each in self._counting(name)]

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
        return self._old_names.get(name, cib_document.NEW_NAMES.get(name, name))

    def _literal_name(self, pair):
        return self._document.name_and_value(pair)[0]

    def _all_named(self, name, each):
        pairs = self._document.referred(each).findall("nvpair")
        return [pair for pair in pairs if self._name(pair) == name]

    def _own_set(self, each):
        """Put a copy in the place of what stands for a set by id-ref: the set belongs to others too."""
        content = self._document.referred(each)
        score = {"score": content.get("score")} if "score" in content.attrib else {}
        own = self._document.add(self._owner, self._tag, self._set_id, score)
        self._document.move(own, self._owner, list(self._owner).index(each))
        for pair in content.findall("nvpair"):
            name = self._literal_name(pair)
            attributes = {"name": name, "value": self._value(pair)}
            present = {key: text for key, text in attributes.items() if text is not None}
            self._document.add(own, "nvpair", f"{own.get('id')}-{name}", present)
        self._document.remove(each)

    def _is_borrowed(self, each):
        return "id-ref" in each.attrib

    def _home(self):
        own = [
            each
            for each in self._rule_free()
            if not self._is_borrowed(each) and not self._is_special(each)
        ]
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
