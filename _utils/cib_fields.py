"""
The parts that objects of Pacemaker's configuration are made of: how each is declared, read from an
element, and put into one.

A field checks what is declared (``check``), reads what an element holds in the same form (``read``; what it
doesn't hold reads as ``absent``), and makes an element hold what is wanted (``put``). Fields record what they
change in an edit (``cib.difference``).
"""

import cib_rules
import cib_values
from cib_document import Nvpairs
from cib_values import InvalidCib, at

__virtualname__ = "cib_fields"


def __virtual__():
    return __virtualname__


class Attribute:
    """One XML attribute of the element."""

    absent = None

    def __init__(self, key, check=cib_values.text, attribute=None):
        self.key = key
        self._check = check
        self._attribute = attribute or key

    def check(self, value, path):
        return self._check(value, path)

    def read(self, document, element):
        return document.option(element, self._attribute)

    def put(self, edit, path, element, wanted):
        present = self.read(edit.document, element)
        if not cib_values.same(self.key, present, wanted):
            edit.document.set_option(element, self._attribute, wanted)
            edit.record(path, self.key, present, wanted)

    def clear(self, edit, path, element):
        present = self.read(edit.document, element)
        if present is not None:
            edit.document.drop_option(element, self._attribute)
            edit.record(path, self.key, present, None)


class Agent:
    """Class, provider and type, or the template, of a resource: ``ocf:heartbeat:IPaddr2``, ``@vips``."""

    key = "agent"
    absent = None

    @staticmethod
    def check(value, path):
        return cib_values.agent(value, path)

    @staticmethod
    def read(_document, element):
        if element.get("template"):
            return f"@{element.get('template')}"
        parts = (element.get("class"), element.get("provider"), element.get("type"))
        return ":".join(part for part in parts if part) or None

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


class Values:
    """Sets of name-value pairs, as one mapping. What isn't declared stays, unless it is purged."""

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
        checked = {
            cib_values.name(name, at(path, name)): cib_values.text(each, at(path, name))
            for name, each in cib_values.mapping(value, path).items()
        }
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
        surplus = set(self.read(edit.document, element)) - set(wanted) - set(self._kept)
        self.remove(edit, path, element, sorted(surplus))


PARAMS = Values("params", "instance_attributes", by_meaning=False)
# An administrator sets these with crm resource: they are no part of what a configuration system declares.
META = Values("meta", "meta_attributes", kept=("target-role", "is-managed", "maintenance"))
UTILIZATION = Values("utilization", "utilization")


# What <op> takes as attributes of its own; anything else is an instance attribute of the operation.
_OP_ATTRIBUTES = (
    "interval", "timeout", "role", "on-fail", "enabled", "start-delay", "interval-origin",
    "record-pending", "description",
)  # fmt: skip


class Operations:
    """The operations of a resource: by name one mapping, or a list of those where there are several."""

    key = "operations"

    @property
    def absent(self):
        return {}

    def check(self, value, path):
        return {
            cib_values.name(name, at(path, name)): self._check_one_name(name, each, at(path, name))
            for name, each in cib_values.mapping(value, path).items()
        }

    def _check_one_name(self, name, value, path):
        several = isinstance(value, (list, tuple))
        operations = [
            self._check_one(name, each, f"{path}:{number}" if several else path)
            for number, each in enumerate(value if several else [value])
        ]
        if not operations:
            raise InvalidCib(path, "an empty list: leave the name out instead")
        identities = [cib_values.operation_identity(operation) for operation in operations]
        if len(set(identities)) < len(identities):
            raise InvalidCib(path, "two operations with the same interval and role")
        return operations

    @staticmethod
    def _check_one(name, value, path):
        operation = PARAMS.check(value, path)
        if name == "monitor" and "interval" not in operation:
            raise InvalidCib(
                path, "a monitor needs an interval: without one it never runs again after the start"
            )
        operation.setdefault("interval", "0s")
        if not isinstance(cib_values.duration(operation["interval"]), int):
            raise InvalidCib(at(path, "interval"), f"{operation['interval']!r} is not a duration")
        return operation

    def read(self, document, element):
        operations = {}
        for each in self._ops(document, element):
            operations.setdefault(each.get("name"), []).append(self._read_one(document, each))
        return {name: each[0] if len(each) == 1 else each for name, each in operations.items()}

    @staticmethod
    def _ops(document, element):
        homes = [document.referred(each) for each in element.findall("operations")]
        return [operation for each in homes for operation in each.findall("op")]

    @staticmethod
    def _read_one(document, operation):
        attributes = {
            name: document.option(operation, name)
            for name in _OP_ATTRIBUTES
            if name in operation.attrib
        }
        # an attribute of <op> counts before a meta attribute of the same name
        return {
            **PARAMS.read(document, operation),
            **META.read(document, operation),
            **attributes,
        }

    def put(self, edit, path, element, wanted):
        for name, operations in wanted.items():
            self._put_one_name(edit, path, element, name, operations)

    def _put_one_name(self, edit, path, element, name, wanted):
        before = len(edit.changes)
        present = [
            (each, self._read_one(edit.document, each))
            for each in self._ops(edit.document, element)
            if each.get("name") == name
        ]
        for operation, found in _paired(wanted, present):
            if found is None:
                with edit.one_change(at(path, _label(name, operation)), name) as change:
                    self._add(edit, element, name, operation)
                    change["new"] = operation
            else:
                label = _label(name, self._read_one(edit.document, found))
                self._put_one(edit, at(path, label), found, operation)
        if len(edit.changes) > before and element.find("operations[@id-ref]") is not None:
            raise InvalidCib(at(path, name), "shared by id-ref: change it where it is defined")

    def _add(self, edit, element, name, wanted):
        own = (each for each in element.findall("operations") if "id-ref" not in each.attrib)
        home = next(own, None)
        if home is None:
            home = edit.document.add(element, "operations")
        identifier = f"{element.get('id')}-{name}-{wanted['interval']}"
        attributes = {"name": name, "interval": wanted["interval"]}
        self._put_one(edit, "", edit.document.add(home, "op", identifier, attributes), wanted)

    def _put_one(self, edit, path, operation, wanted):
        present = self._read_one(edit.document, operation)
        for name in _OP_ATTRIBUTES:
            default = "0" if name == "interval" else None
            if name in wanted and not cib_values.same(
                name, present.get(name, default), wanted[name]
            ):
                edit.document.set_option(operation, name, wanted[name])
                edit.record(at(path, name), name, present.get(name), wanted[name])
        rest = {name: value for name, value in wanted.items() if name not in _OP_ATTRIBUTES}
        PARAMS.put(edit, path, operation, rest)

    def purge(self, edit, path, element, wanted):
        for operation in self._ops(edit.document, element):
            name, read = operation.get("name"), self._read_one(edit.document, operation)
            identities = map(cib_values.operation_identity, wanted.get(name, []))
            if cib_values.operation_identity(read) not in set(identities):
                edit.document.remove(operation)
                edit.record(at(path, _label(name, read)), name, read, None)


def _paired(wanted, present):
    """
    Each wanted operation with the element of the same interval and role, or with None.

    When all but one have found theirs, and there are as many present as wanted, then the odd ones
    belong together: its interval is what changes.
    """
    left = {cib_values.operation_identity(read): element for element, read in present}
    pairs = [[each, left.pop(cib_values.operation_identity(each), None)] for each in wanted]
    lonely = [pair for pair in pairs if pair[1] is None]
    if len(lonely) == len(left) == 1 and len(wanted) == len(present):
        (_, role), element = next(iter(left.items()))
        if cib_values.operation_identity(lonely[0][0])[1] == role:
            lonely[0][1] = element
    return pairs


def _label(name, operation):
    interval = operation.get("interval", "0")
    parts = [name, interval if cib_values.duration(interval) else "", operation.get("role", "")]
    return " ".join(part for part in parts if part)


class _Whole:
    """A part that is compared, and where it differs replaced, as a whole."""

    absent = None

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
        return present is not None and cib_values.meant(present) == cib_values.meant(wanted)


class References(_Whole):
    """Ids of other objects, each in a child element: ``<obj_ref id="…"/>``."""

    def __init__(self, key, tag, *, ordered=False):
        self.key = key
        self._tag = tag
        self._ordered = ordered

    def check(self, value, path):
        ids = [value] if isinstance(value, str) else cib_values.listed(value, path)
        found = [cib_values.identifier(each, f"{path}:{n}") for n, each in enumerate(ids)]
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
        self, key, tag, attributes, *, references=None, short=None, one_of=(), suffix=None
    ):
        self.key = key
        self._tag = tag
        self._fields = [Attribute(name, check) for name, check in attributes.items()]
        self._short = short
        self._one_of = one_of
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
        found = checked(value, self._fields, path)
        if self._one_of and not any(key in found for key in self._one_of):
            raise InvalidCib(path, f"needs {' or '.join(self._one_of)}")
        return found

    def read(self, document, element):
        return [
            whole(read(document, document.referred(each), self._fields))
            for each in element.findall(self._tag)
        ] or None

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

    @staticmethod
    def check(value, path):
        rules = value if isinstance(value, (list, tuple)) else [value]
        return [cib_rules.check(each, f"{path}:{number}") for number, each in enumerate(rules)]

    @staticmethod
    def read(document, element):
        return [cib_rules.read(document, each) for each in element.findall("rule")] or None

    @staticmethod
    def _write(document, element, wanted):
        for each in element.findall("rule"):
            document.remove(each)
        for each in wanted:
            cib_rules.write(document, element, each)


class Select(_Whole):
    """What an alert is told of: ``[nodes, fencing, resources]``, or also ``{attributes: [pingd]}``."""

    key = "select"
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
                names = sorted(each.get("name") for each in part.findall("attribute"))
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

    def __init__(self, key, fields, tag=None):
        self.key = key
        self._fields = fields
        self._tag = tag or key

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

    def __init__(self, key, tag, fields, *, short=None):
        self.key = key
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
        return {
            each.get("id"): whole(read(document, each, self._fields))
            for each in element.findall(self._tag)
        }

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
    return {
        field.key: field.check(value[field.key], at(path, field.key))
        for field in fields
        if value.get(field.key) is not None
    }


def read(document, element, fields):
    """What an element holds, by key."""
    return {field.key: field.read(document, element) for field in fields}


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
