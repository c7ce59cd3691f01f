"""
The parts that objects of Pacemaker's configuration are made of: how each is declared, read from an
element, and put into one.

A field checks what is declared (``check``), reads what an element holds in the same form (``read``; what it
doesn't hold reads as ``absent``), and makes an element hold what is wanted (``put``). Fields record what they
change in an edit (``cib.difference``). What of an element a field has words for is in ``attributes`` and
``tags``; what is there and ``check`` wouldn't take isn't read, and ``unread`` names it and says why.
"""

import cib_document
import cib_rules
import cib_sets
import cib_values
from cib_values import InvalidCib, at


def __virtual__():
    return True


class Attribute:
    """One XML attribute of the element."""

    absent = None
    tags = ()

    def __init__(self, key, check=cib_values.text, attribute=None):
        self.key = key
        self._check = check
        self._attribute = attribute or key
        self.attributes = (self._attribute, *cib_document.older_names(self._attribute))

    def check(self, value, path):
        return self._check(value, path)

    def read(self, document, element):
        said = document.option(element, self._attribute)
        return None if said is None or cib_values.fault(self._check, said) else said

    def unread(self, document, element):
        said = document.option(element, self._attribute)
        if said is not None:
            yield from cib_values.unreadable(self._check, said)

    def put(self, edit, path, element, wanted):
        present = edit.document.option(element, self._attribute)
        if not cib_values.same(self.key, present, wanted):
            edit.document.set_option(element, self._attribute, wanted)
            edit.record(path, self.key, present, wanted)

    def clear(self, edit, path, element):
        present = edit.document.option(element, self._attribute)
        if present is not None:
            edit.document.drop_option(element, self._attribute)
            edit.record(path, self.key, present, None)


class Agent:
    """Class, provider and type, or the template, of a resource: ``ocf:heartbeat:IPaddr2``, ``@vips``."""

    key = "agent"
    absent = None
    attributes = ("class", "provider", "type", "template")
    tags = ()

    @staticmethod
    def check(value, path):
        return cib_values.agent(value, path)

    @staticmethod
    def read(_document, element):
        if element.get("template"):
            return f"@{element.get('template')}"
        parts = (element.get("class"), element.get("provider"), element.get("type"))
        return ":".join(part for part in parts if part) or None

    def unread(self, _document, _element):
        return ()  # an object without an agent that has words has none itself

    def put(self, edit, path, element, wanted):
        present = self.read(edit.document, element)
        if present == wanted:
            return
        for name in ("class", "provider", "type", "template"):
            element.attrib.pop(name, None)
        element.attrib.update(self._attributes(wanted))
        edit.record(path, self.key, present, wanted)

    @staticmethod
    def _attributes(agent):
        if agent.startswith("@"):
            return {"template": agent[1:]}
        class_, _, rest = agent.partition(":")
        provider, _, name = rest.partition(":") if class_ == "ocf" else ("", "", rest)
        return {"class": class_, **({"provider": provider} if provider else {}), "type": name}


class _Whole:
    """A part that is compared, and where it differs replaced, as a whole."""

    absent = None
    attributes = ()

    def unread(self, document, element):
        present = self.read(document, element)
        if present is not None:
            yield from cib_values.unreadable(self.check, present)

    def put(self, edit, path, element, wanted):
        present = self.read(edit.document, element)
        if self._same(present, wanted):
            return
        self._write(edit.document, element, wanted)
        edit.record(path, self.key, present, wanted)

    def clear(self, edit, path, element):
        present = self.read(edit.document, element)
        if present is not None:
            self._write(edit.document, element, [])
            edit.record(path, self.key, present, None)

    def _same(self, present, wanted):
        if not present or not wanted:  # an empty one is written as none
            return not present and not wanted
        return cib_values.meant(present) == cib_values.meant(wanted)


class References(_Whole):
    """Ids of other objects, each in a child element: ``<obj_ref id="…"/>``."""

    def __init__(self, key, tag, *, ordered=False, check=cib_values.identifier):
        self.key = key
        self.tags = (tag,)
        self._tag = tag
        self._ordered = ordered
        self._check = check

    def check(self, value, path):
        ids = [value] if isinstance(value, str) else cib_values.listed(value, path)
        found = [self._check(each, f"{path}:{n}") for n, each in enumerate(ids)]
        for number, each in enumerate(found):
            if each in found[:number]:
                raise InvalidCib(f"{path}:{number}", f"{each} is listed twice")
        return found

    def read(self, _document, element):
        return [each.get("id") for each in element.findall(self._tag)] or None

    def _same(self, present, wanted):
        if self._ordered:
            return (present or []) == wanted
        return sorted(present or []) == sorted(wanted)

    def _write(self, document, element, wanted):
        for each in element.findall(self._tag):
            document.remove(each)
        for identifier in wanted:
            document.add(element, self._tag, attributes={"id": identifier})


class Items(_Whole):
    """A list of child elements with attributes, and perhaps a list of ids each."""

    def __init__(
        self,
        key,
        tag,
        attributes,
        *,
        references=None,
        short=None,
        one_of=(),
        suffix=None,
        required=(),
    ):
        self.key = key
        self.tags = (tag,)
        self._tag = tag
        self._fields = [Attribute(name, check) for name, check in attributes.items()]
        self._short = short
        self._one_of, self._required = one_of, required
        self._suffix = suffix or tag
        if references:
            self._fields.append(references)

    def check(self, value, path):
        return [
            self._check_one(each, f"{path}:{number}")
            for number, each in enumerate(cib_values.listed(value, path))
        ]

    def _check_one(self, value, path):
        if self._short and not isinstance(value, dict):
            value = self._short(value, path)
        found = checked(value, self._fields, path, self._required)
        if self._one_of and not any(found.get(key) for key in self._one_of):
            raise InvalidCib(path, f"needs {' or '.join(self._one_of)}")
        return found

    def read(self, document, element):
        return [
            whole(read(document, document.referred(each), self._fields))
            for each in element.findall(self._tag)
        ] or None

    def unread(self, document, element):
        yield from super().unread(document, element)
        for number, each in enumerate(element.findall(self._tag)):
            for path, why in unread(document, document.referred(each), self._fields):
                yield at(number, path), why

    def _write(self, document, element, wanted):
        for each in element.findall(self._tag):
            document.remove(each)
        for number, each in enumerate(wanted):
            identifier = f"{element.get('id')}-{self._suffix}" + (f"-{number}" if number else "")
            child = document.add(element, self._tag, identifier)
            put_quietly(document, child, each, self._fields)


class Rules(_Whole):
    """The rules of a location constraint."""

    key = "rules"
    tags = ("rule",)

    @staticmethod
    def check(value, path):
        rules = value if isinstance(value, (list, tuple)) else [value]
        return [cib_rules.check(each, f"{path}:{number}") for number, each in enumerate(rules)]

    def read(self, document, element):
        home = self._home(element)
        rules = [] if home is None else home.findall("rule")
        return [cib_rules.read(document, each) for each in rules] or None

    @staticmethod
    def _home(element):
        return element

    @staticmethod
    def _write(document, element, wanted):
        for each in element.findall("rule"):
            document.remove(each)
        for each in wanted:
            cib_rules.write(document, element, each)


class Lifetime(Rules):
    """The rules by which a constraint counts only for a time."""

    key = "lifetime"
    tags = ("lifetime",)

    @staticmethod
    def _home(element):
        return element.find("lifetime")

    @staticmethod
    def _write(document, element, wanted):
        for each in element.findall("lifetime"):
            document.remove(each)
        if wanted:
            home = document.add(element, "lifetime")
            for each in wanted:
                cib_rules.write(document, home, each, f"{element.get('id')}-lifetime")


class Select(_Whole):
    """What an alert is told of: ``[nodes, fencing, resources]``, or also ``{attributes: [pingd]}``."""

    key = "select"
    tags = ("select",)
    _KINDS = ("nodes", "fencing", "resources", "attributes")

    def check(self, value, path):
        if isinstance(value, (list, tuple)):
            value = {cib_values.text(each, f"{path}:{n}"): True for n, each in enumerate(value)}
        chosen = cib_values.mapping(value, path)
        cib_values.known_keys(chosen, self._KINDS, path, "kind of event")
        found = {}
        for kind, each in chosen.items():
            if kind == "attributes" and not isinstance(each, bool):
                names = enumerate(cib_values.listed(each, at(path, kind)))
                found[kind] = sorted(
                    cib_values.text(name, f"{path}:{kind}:{n}") for n, name in names
                )
            elif cib_values.boolean(each, at(path, kind)) == "true":
                found[kind] = [] if kind == "attributes" else "true"
        return found

    def read(self, _document, element):
        chosen = element.find("select")
        if chosen is None:
            return None
        found = {}
        for kind in self._KINDS:
            part = chosen.find(f"select_{kind}")
            if part is not None:
                names = sorted(each.get("name", "") for each in part.findall("attribute"))
                found[kind] = names if kind == "attributes" else "true"
        return found

    @staticmethod
    def _write(document, element, wanted):
        for each in element.findall("select"):
            document.remove(each)
        if not wanted:
            return
        chosen = document.add(element, "select")
        for kind, names in wanted.items():
            part = document.add(chosen, f"select_{kind}")
            for name in names if kind == "attributes" else ():
                identifier = f"{element.get('id')}-select-{name}"
                document.add(part, "attribute", identifier, {"name": name})


class Nested:
    """One child element with fields of its own."""

    absent = None
    attributes = ()

    def __init__(self, key, fields):
        self.key = key
        self.tags = (key,)
        self._fields = fields
        self._tag = key

    def unread(self, document, element):
        child = element.find(self._tag)
        if child is not None:
            yield from unread(document, child, self._fields)

    def check(self, value, path):
        return checked(value, self._fields, path)

    def read(self, document, element):
        child = element.find(self._tag)
        return None if child is None else whole(read(document, child, self._fields))

    def put(self, edit, path, element, wanted):
        child = element.find(self._tag)
        if child is None:
            with edit.one_change(path, self.key) as change:
                child = edit.document.add(element, self._tag)
                put(edit, path, child, wanted, self._fields)
                change["new"] = wanted
        else:
            put(edit, path, child, wanted, self._fields)

    def clear(self, edit, path, element):
        present = self.read(edit.document, element)
        if present is not None:
            edit.document.remove(element.find(self._tag))
            edit.record(path, self.key, present, None)


class Objects:
    """Child objects, each with an id of its own and owned one by one."""

    attributes = ()

    def __init__(self, key, tag, fields, *, short=None):
        self.key = key
        self.tags = (tag,)
        self._tag = tag
        self._fields = fields
        self._short = short

    @property
    def absent(self):
        return {}

    def check(self, value, path):
        return {
            cib_values.identifier(each, at(path, each)): checked(
                {self._short: inner} if self._short and isinstance(inner, str) else inner,
                self._fields,
                at(path, each),
                required=[self._short] if self._short else (),
            )
            for each, inner in cib_values.mapping(value, path).items()
        }

    def read(self, document, element):
        found = {
            each.get("id"): whole(read(document, each, self._fields))
            for each in element.findall(self._tag)
        }
        return {each: content for each, content in found.items() if not self._fault(each, content)}

    def _fault(self, identifier, content):
        return cib_values.fault(self.check, {identifier: content})

    def unread(self, document, element):
        for each in element.findall(self._tag):
            content = whole(read(document, each, self._fields))
            yield from cib_values.unreadable(self.check, {each.get("id"): content})
            for path, why in unread(document, each, self._fields):
                yield at(each.get("id"), path), why

    def put(self, edit, path, element, wanted):
        present = {each.get("id"): each for each in element.findall(self._tag)}
        for identifier, each in wanted.items():
            if identifier in present:
                put(edit, at(path, identifier), present[identifier], each, self._fields)
                continue
            edit.need_free(at(path, identifier), identifier)
            with edit.one_change(at(path, identifier), identifier) as change:
                child = edit.document.add(element, self._tag, identifier)
                put(edit, "", child, each, self._fields)
                change["new"] = whole(each)

    def purge(self, edit, path, element, wanted):
        for each in element.findall(self._tag):
            if each.get("id") not in wanted:
                old = whole(read(edit.document, each, self._fields))
                edit.document.remove(each)
                edit.record(at(path, each.get("id")), self._tag, old, None)


# --- several fields ------------------------------------------------------------------------------


def checked(value, fields, path, required=()):
    """What is declared by key, each checked by its field."""
    cib_values.some_mapping(value, path)
    cib_values.known_keys(value, [field.key for field in fields], path, "key")
    for key in required:
        if value.get(key) is None:
            raise InvalidCib(path, f"has no {key}")
    found = {
        field.key: field.check(value[field.key], at(path, field.key))
        for field in fields
        if value.get(field.key) is not None
    }
    for key, sets in found.items():
        values = found.get(key.removesuffix("_sets"))
        if key.endswith("_sets") and values:
            cib_sets.refuse_contradiction(values, sets, at(path, key))
    return found


def read(document, element, fields):
    """What an element holds, by key."""
    found = {field.key: field.read(document, element) for field in fields}
    return {
        key: cib_sets.without_doubles(value, found[f"{key}_sets"])
        if f"{key}_sets" in found
        else value
        for key, value in found.items()
    }


def unread(document, element, fields):
    """What an element holds and no field has words for: ``(path, why)``."""
    known = {"id", *(name for field in fields for name in field.attributes)}
    for name in element.attrib:
        if name not in known:
            yield name, "is an attribute that has no word"
    tags = {tag for field in fields for tag in field.tags}
    for child in document.children(element):
        if child.tag not in tags:
            yield child.tag, "is an element that has no word"
    for field in fields:
        for path, why in field.unread(document, element):
            yield at(field.key, path) if path else field.key, why


def whole(values):
    """A mapping without what isn't there."""
    return {key: value for key, value in values.items() if value not in (None, {})}


def put(edit, path, element, wanted, fields):
    """Make an element hold what is wanted of it."""
    for field in fields:
        if field.key in wanted:
            field.put(edit, at(path, field.key), element, wanted[field.key])


def put_quietly(document, element, wanted, fields):
    """Make an element that is part of something compared as a whole hold what is wanted of it."""
    put(_Silence(document), "", element, wanted, fields)


class _Silence:
    """An edit that records nothing."""

    def __init__(self, document):
        self.document = document

    def record(self, *_):
        pass
