"""
The operations of a resource: a field, as those of ``cib_fields``.

Pure. Source: "Pacemaker Explained", chapter "Resource Operations".
"""

import cib_values
from cib_sets import META, META_SETS, PARAMS, PARAMS_SETS, refuse_contradiction, without_doubles
from cib_values import InvalidCib, at


def __virtual__():
    return True


# What <op> takes as attributes of its own; anything else is an instance attribute of the operation.
_OP_ATTRIBUTES = (
    "interval", "timeout", "role", "on-fail", "enabled", "start-delay", "interval-origin",
    "record-pending", "requires", "description",
)  # fmt: skip

# What an operation has beside its attributes, by key. A parameter of that name has one value, no mapping.
_PARTS = {field.key: field for field in (META, META_SETS, PARAMS_SETS)}
# What Pacemaker never repeats, and what on-fail of a stop can't be (pcmk_sched_recurring.c, pe_actions.c)
_ONCE = ("start", "stop", "promote", "demote", "migrate_to", "migrate_from", "reload-agent")
_NOT_OF_A_STOP = ("standby", "demote", "stop")

_TAKEN = (*_OP_ATTRIBUTES, *_PARTS, "name", "id")
_MEANT_TOGETHER = (("params", "params_sets"), ("meta", "meta_sets"))


def _may_demote(name, operation):
    promoted = cib_values.role(operation.get("role", "")) == "Promoted"
    return name in ("promote", "stop") or (name == "monitor" and promoted and _recurs(operation))


class Operations:
    """
    The operations of a resource: by name one mapping, or a list of those where there are several.

    An operation's attributes and parameters stand side by side; its meta attributes under ``meta``.
    """

    key = "operations"
    attributes = ()
    tags = ("operations",)

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
        value = cib_values.mapping(value, path)
        parts = {key: each for key, each in value.items() if _is_part(key, each)}
        for key in _PARTS:
            if key.endswith("_sets"):  # no agent has a parameter of that name
                cib_values.mapping(value.get(key), at(path, key))
        operation = PARAMS.check(
            {key: each for key, each in value.items() if key not in parts}, path
        )
        for key in ("name", "id"):
            if key in operation:
                raise InvalidCib(at(path, key), "is what the operation is called; leave it out")
        if name == "monitor" and "interval" not in operation:
            raise InvalidCib(
                path, "a monitor needs an interval: without one it never runs again after the start"
            )
        operation.setdefault("interval", "0s")
        if not cib_values.is_duration(operation["interval"]):
            raise InvalidCib(at(path, "interval"), f"{operation['interval']!r} is not a duration")
        if name in _ONCE and _recurs(operation):
            raise InvalidCib(
                at(path, "interval"), f"Pacemaker never repeats a {name}; leave it out"
            )
        if name == "stop" and operation.get("on-fail", "").lower() in _NOT_OF_A_STOP:
            raise InvalidCib(
                at(path, "on-fail"),
                f"{operation['on-fail']} isn't for a stop, and Pacemaker takes its default: block, or fence "
                "where fencing is on",
            )
        if operation.get("on-fail", "").lower() == "demote" and not _may_demote(name, operation):
            raise InvalidCib(
                at(path, "on-fail"),
                "demote is for promote, and for a monitor of the role Promoted; else Pacemaker takes its "
                "default",
            )
        for key, each in parts.items():
            operation[key] = _PARTS[key].check(each, at(path, key))
        flat = {"params": operation, "meta": operation.get("meta", {})}
        for key, sets in _MEANT_TOGETHER:
            refuse_contradiction(flat[key], operation.get(sets, {}), at(path, sets))
        return operation

    def read(self, document, element):
        operations = {}
        for each, operation in self._readable(document, element):
            operations.setdefault(each.get("name"), []).append(operation)
        return {name: each[0] if len(each) == 1 else each for name, each in operations.items()}

    def _readable(self, document, element):
        """
        Each operation that has words and that Pacemaker looks at: of several that are alike the first, and
        none where they recur. One without words counts among those that are alike: Pacemaker sees it too.
        """
        alike = {}
        for each in self._ops(document, element):
            operation = self._read_one(document, each)
            identity = (each.get("name"), cib_values.operation_identity(operation))
            alike.setdefault(identity, []).append((each, operation))
        for those in alike.values():
            if (len(those) == 1 or not _recurs(those[0][1])) and not self._fault(*those[0]):
                yield those[0]

    def _fault(self, element, operation):
        return cib_values.fault(self.check, {element.get("name"): operation})

    def unread(self, document, element):
        readable = [each for each, _ in self._readable(document, element)]
        for each in self._ops(document, element):
            operation = self._read_one(document, each)
            label = _label(str(each.get("name")), operation)
            fault = self._fault(each, operation)
            if fault:
                yield fault.path, fault.message
            elif each not in readable:
                neither = "stands there twice, and Pacemaker runs neither"
                first = "stands there twice; Pacemaker takes the first"
                yield label, neither if _recurs(operation) else first
            for name in set(each.attrib) - {"id", "name", *_OP_ATTRIBUTES}:
                yield label, f"has an attribute {name}"
            for part in (PARAMS, *_PARTS.values()):
                for name, why in part.unread(document, each):
                    yield f"{label}:{name}", why
            sets = PARAMS_SETS.read(document, each)
            for name in without_doubles(PARAMS.read(document, each), sets):
                if name in _TAKEN:
                    yield (
                        f"{label}:{name}",
                        "is a parameter, and called like an attribute of operations",
                    )

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
        if operation.get("name") == "monitor":
            attributes.setdefault("interval", "0s")
        parts = {key: part.read(document, operation) for key, part in _PARTS.items()}
        parts["meta"] = without_doubles(parts["meta"], parts["meta_sets"])
        params = without_doubles(PARAMS.read(document, operation), parts["params_sets"])
        return {
            **{name: each for name, each in params.items() if name not in _TAKEN},
            **attributes,
            **{key: each for key, each in parts.items() if each},
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
        # an attribute that isn't there has what a meta attribute of its name says
        present = {"interval": "0", **META.read(edit.document, operation), **present}
        for name in _OP_ATTRIBUTES:
            if name in wanted and not cib_values.same(name, present.get(name), wanted[name]):
                edit.document.set_option(operation, name, wanted[name])
                edit.record(at(path, name), name, present.get(name), wanted[name])
        parts = {key: each for key, each in wanted.items() if _is_part(key, each)}
        for key in sorted(parts, reverse=True):  # the sets first
            _PARTS[key].put(edit, at(path, key), operation, parts[key])
        rest = {*wanted} - {*_OP_ATTRIBUTES} - {*parts}
        PARAMS.put(edit, path, operation, {name: wanted[name] for name in wanted if name in rest})

    def purge(self, edit, path, element, wanted):
        for operation in self._ops(edit.document, element):
            name, read = operation.get("name"), self._read_one(edit.document, operation)
            if self._fault(operation, read):
                continue  # what has no words can't have been declared
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
    left = {cib_values.operation_identity(read): element for element, read in reversed(present)}
    different = len(left)
    pairs = [[each, left.pop(cib_values.operation_identity(each), None)] for each in wanted]
    lonely = [pair for pair in pairs if pair[1] is None]
    if len(lonely) == len(left) == 1 and len(wanted) == different:
        (_, role), element = next(iter(left.items()))
        if cib_values.operation_identity(lonely[0][0])[1] == role:
            lonely[0][1] = element
    return pairs


def _is_part(key, value):
    return key in _PARTS and isinstance(value, dict)


def _recurs(operation):
    return cib_values.duration(operation.get("interval", "0")) != 0


def _label(name, operation):
    interval = operation.get("interval", "0")
    parts = [name, interval if cib_values.duration(interval) else "", operation.get("role", "")]
    return " ".join(part for part in parts if part)
