"""
Pacemaker's configuration (the CIB) as plain data: check it, read it, compare it, change it.

Everything here is pure: text and mappings in, text and mappings out. No file, no process, no clock.

What is declared is a mapping by section, in Pacemaker's own words:

.. code-block:: yaml

    properties: {no-quorum-policy: ignore, stonith-enabled: false}
    rsc_defaults: {resource-stickiness: 100}
    op_defaults: {timeout: 60s}
    primitives:
      cloudera-scm-server: lsb:cloudera-scm-server        # the short form: an agent only
      vip:
        agent: ocf:heartbeat:IPaddr2
        params: {ip: 10.0.0.9}
        meta: {target-role: Started}
        operations:
          start: {timeout: 60s}
          monitor: [{interval: 10s, timeout: 20s}, {interval: 60s, depth: 10}]

Only what is declared is owned: an object, an attribute or an operation that it doesn't name stays
as it is.

Sources: "Pacemaker Explained"; the schemas in ``/usr/share/pacemaker/*.rng``;
``pacemaker-schedulerd(7)`` and ``pacemaker-controld(7)`` for cluster properties; ``crm_mon(8)``.
"""

import contextlib
import difflib
import math
import re
from xml.etree import ElementTree

__virtualname__ = "cib"

MASK = "********"

_VALUE_SECTIONS = ("properties", "rsc_defaults", "op_defaults")
_SECTIONS = (*_VALUE_SECTIONS, "primitives")
_PRIMITIVE_KEYS = ("agent", "params", "meta", "operations")

# An id is an XML ID, of which only the ASCII part is easy to type in crmsh.
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NAME = re.compile(r"[A-Za-z0-9_#][A-Za-z0-9_.:#-]*")
_AGENT = re.compile(
    r"ocf:[\w.-]+:[\w.+-]+|(?:lsb|systemd|service|upstart|stonith|nagios):[\w.@:\\+-]+", re.ASCII
)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SECRET = re.compile(
    r"pass(wd|word|phrase)|(^|[_-])(pass|pw|secret|token)($|[_-])|private[_-]?key|secret", re.I
)

# What <op> takes as attributes of its own; anything else is an instance attribute of the operation.
_OP_ATTRIBUTES = (
    "interval", "timeout", "role", "on-fail", "enabled", "start-delay", "interval-origin",
    "record-pending", "description",
)  # fmt: skip


def __virtual__():
    return __virtualname__


class InvalidCib(ValueError):
    """What was declared can't be configured; the message begins with the path of the fault."""

    def __init__(self, path, message):
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path


# --- what is declared: check and normalise -------------------------------------------------------


def check(declared, path=""):
    """
    Check what is declared, and return it in its full form.

    declared
        Mapping of sections: ``properties``, ``rsc_defaults``, ``op_defaults`` (name to value) and
        ``primitives`` (id to agent, or to a mapping with ``agent``, ``params``, ``meta``,
        ``operations``).
    path
        Where the mapping stands, as a prefix for messages, for example ``cmha:pairs:cms``.

    Returns a new mapping with all sections, each value as the text that Pacemaker spells, each
    primitive in its full form, and each operation name with a list of operations.

    Raises ``InvalidCib``, a ``ValueError``, whose message begins with the path of the first fault,
    for example ``primitives:cloudera-scm-server:meta:priority: one value is wanted, not a list``.
    """
    sections = _mapping(declared, path)
    _known_keys(sections, _SECTIONS, path, "section")
    checked = {
        section: _values(sections.get(section), _at(path, section)) for section in _VALUE_SECTIONS
    }
    checked["primitives"] = _primitives(sections.get("primitives"), _at(path, "primitives"))
    return checked


def check_absent(absent, path="absent"):
    """
    Check what is to be absent, and return it in its full form.

    absent
        Mapping of section to a list of names or ids, for example ``{primitives: [old-vip]}``.
    path
        Where the mapping stands, as a prefix for messages.

    Returns a new mapping with all sections. Raises ``InvalidCib``, as ``check`` does.
    """
    sections = _mapping(absent, path)
    _known_keys(sections, _SECTIONS, path, "section")
    return {
        section: [
            _identifier(name, _at(path, section))
            if section == "primitives"
            else _name(name, _at(path, section))
            for name in _list(sections.get(section), _at(path, section))
        ]
        for section in _SECTIONS
    }


def _at(path, key):
    return f"{path}:{key}" if path else str(key)


def _kind(value):
    kinds = {
        dict: "a mapping",
        list: "a list",
        tuple: "a list",
        bool: "a boolean",
        str: "text",
        type(None): "nothing",
    }
    return next(
        (word for kind, word in kinds.items() if isinstance(value, kind)), type(value).__name__
    )


def _mapping(value, path):
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidCib(path, f"a mapping is wanted, not {_kind(value)}")
    return value


def _list(value, path):
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise InvalidCib(path, f"a list is wanted, not {_kind(value)}")
    return value


def _known_keys(mapping, known, path, word):
    for key in mapping:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise InvalidCib(_at(path, key), f"unknown {word}, {hint}")


def _matching(pattern, value, path, word, rule):
    if not isinstance(value, str):
        raise InvalidCib(path, f"{word} is text, not {_kind(value)} ({value!r}): quote it")
    if not pattern.fullmatch(value):
        raise InvalidCib(path, f"{value!r} is not {word}: {rule}")
    return value


def _identifier(value, path):
    rule = "begin with a letter or underscore; then letters, digits, underscore, dot and hyphen"
    return _matching(_ID, value, path, "an id", rule)


def _name(value, path):
    rule = "letters, digits, underscore, dot, colon, # and hyphen"
    return _matching(_NAME, value, path, "a name", rule)


def _agent(value, path):
    rule = "write ocf:PROVIDER:TYPE, or CLASS:TYPE with class lsb, systemd, service or stonith"
    return _matching(_AGENT, value, path, "a resource agent", rule)


def _text(value, path):
    """One value as Pacemaker spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    if isinstance(value, float) and math.isnan(value):
        raise InvalidCib(path, "not a number")
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise InvalidCib(path, f"one value is wanted, not {_kind(value)}")
    if _NOT_IN_XML.search(value):
        raise InvalidCib(path, "the value holds a control character, which XML can't carry")
    return value


def _values(mapping, path):
    return {
        _name(name, _at(path, name)): _text(value, _at(path, name))
        for name, value in _mapping(mapping, path).items()
    }


def _primitives(mapping, path):
    return {
        _identifier(name, _at(path, name)): _primitive(value, _at(path, name))
        for name, value in _mapping(mapping, path).items()
    }


def _primitive(value, path):
    if isinstance(value, str):
        value = {"agent": value}
    if not isinstance(value, dict):
        raise InvalidCib(path, f"an agent or a mapping with an agent is wanted, not {_kind(value)}")
    _known_keys(value, _PRIMITIVE_KEYS, path, "key")
    if "agent" not in value:
        raise InvalidCib(path, "has no agent")
    return {
        "agent": _agent(value["agent"], _at(path, "agent")),
        "params": _values(value.get("params"), _at(path, "params")),
        "meta": _values(value.get("meta"), _at(path, "meta")),
        "operations": _operations(value.get("operations"), _at(path, "operations")),
    }


def _operations(mapping, path):
    return {
        _name(name, _at(path, name)): _operations_of_one_name(name, value, _at(path, name))
        for name, value in _mapping(mapping, path).items()
    }


def _operations_of_one_name(name, value, path):
    several = isinstance(value, (list, tuple))
    operations = [
        _operation(name, each, f"{path}:{number}" if several else path)
        for number, each in enumerate(value if several else [value])
    ]
    if not operations:
        raise InvalidCib(path, "an empty list: leave the name out instead")
    identities = [_operation_identity(operation) for operation in operations]
    if len(set(identities)) < len(identities):
        raise InvalidCib(path, "two operations with the same interval and role")
    return operations


def _operation(name, value, path):
    operation = _values(value, path)
    if name == "monitor" and "interval" not in operation:
        raise InvalidCib(
            path, "a monitor needs an interval: without one it never runs again after the start"
        )
    operation.setdefault("interval", "0s")
    if not isinstance(_duration(operation["interval"]), int):
        raise InvalidCib(_at(path, "interval"), f"{operation['interval']!r} is not a duration")
    return operation


# --- what values mean ----------------------------------------------------------------------------

_TRUE = ("true", "on", "yes", "y", "1")
_FALSE = ("false", "off", "no", "n", "0")
_MILLISECONDS = {
    "": 1000, "s": 1000, "sec": 1000, "ms": 1, "msec": 1, "us": 0.001, "usec": 0.001,
    "m": 60000, "min": 60000, "h": 3600000, "hr": 3600000,
}  # fmt: skip
_ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_INFINITY = 1000000
_OLD_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}


def _boolean(text):
    word = text.lower()
    return True if word in _TRUE else False if word in _FALSE else text


def _duration(text):
    """Milliseconds, or the text itself where it is no duration."""
    text = text.strip()
    plain = re.fullmatch(r"(\d+)\s*([a-z]*)", text)
    if plain and plain[2] in _MILLISECONDS:
        return int(int(plain[1]) * _MILLISECONDS[plain[2]])
    iso = _ISO_DURATION.fullmatch(text) if text not in ("P", "PT") else None
    if iso:
        days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
    return text


def _score(text):
    if text.lstrip("+") == "INFINITY":
        return _INFINITY
    if text == "-INFINITY":
        return -_INFINITY
    if re.fullmatch(r"[+-]?\d+", text):
        return max(-_INFINITY, min(_INFINITY, int(text)))
    return text


def _role(text):
    role = text.capitalize()
    return _OLD_ROLES.get(role, role)


def _named(meaning, names):
    return dict.fromkeys(names.split(), meaning)


# Names of other options, and every agent's parameters, have no meaning that is known here: they
# compare as text.
_MEANINGS = {
    **_named(
        _boolean,
        "symmetric-cluster maintenance-mode stonith-enabled fencing-enabled startup-fencing "
        "stop-all-resources stop-orphan-resources stop-orphan-actions stop-removed-resources "
        "start-failure-is-fatal enable-startup-probes enable-acl remove-after-stop "
        "concurrent-fencing shutdown-lock is-managed-default is-managed maintenance "
        "allow-migrate critical globally-unique ordered interleave notify promotable "
        "allow-unhealthy-nodes remote-allow-migrate enabled record-pending",
    ),
    **_named(
        _duration,
        "cluster-delay dc-deadtime cluster-recheck-interval election-timeout "
        "shutdown-escalation join-integration-timeout join-finalization-timeout "
        "transition-delay stonith-timeout fencing-timeout stonith-watchdog-timeout "
        "fencing-watchdog-timeout priority-fencing-delay shutdown-lock-limit "
        "node-pending-timeout failure-timeout interval timeout start-delay",
    ),
    **_named(
        _score,
        "resource-stickiness default-resource-stickiness migration-threshold priority "
        "node-health-red node-health-yellow node-health-green node-health-base",
    ),
    **_named(_role, "role target-role"),
}


def _same(name, one, other):
    if one is None or other is None:
        return one is other
    meaning = _MEANINGS.get(name, str)
    return meaning(one) == meaning(other)


def _operation_identity(operation):
    role = operation.get("role", "")
    return (_duration(operation.get("interval", "0")), _role(role) if role else "")


def masked(value, name=""):
    """
    A copy of a value or a mapping in which whatever has the name of a secret is masked.

    value
        Text, or a mapping or list with text in it.
    name
        The name that the value goes by.
    """
    if isinstance(value, dict):
        return {key: masked(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each, name) for each in value]
    return MASK if value is not None and _SECRET.search(str(name)) else value


def masked_xml(xml):
    """
    The text of a CIB in which every value that goes by the name of a secret is masked.

    xml
        Text of a CIB.
    """
    document = _Document(xml)
    for pair in document.configuration.iter("nvpair"):
        content = document.referred(pair)
        name = pair.get("name") or content.get("name")
        if "value" in content.attrib:
            content.set("value", masked(content.get("value"), name))
    return document.text()


# --- the document --------------------------------------------------------------------------------


# Here id is the id of something else.
_REFERENCES = ("obj_ref", "resource_ref", "role")


class _Document:
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
        self._by_id = {
            each.get("id"): each
            for each in self.configuration.iter()
            if each.get("id") and each.tag not in _REFERENCES
        }
        self._made = []

    def text(self):
        for section in self._made:
            if not len(section):
                self.configuration.remove(section)
        self._made = []
        return ElementTree.tostring(self.root, encoding="unicode")

    def with_id(self, identifier):
        return self._by_id.get(identifier)

    def section(self, tag):
        """The section of that name, made when it isn't there; while empty it isn't written."""
        found = self.configuration.find(tag)
        if found is None:
            found = ElementTree.SubElement(self.configuration, tag)
            self._made.append(found)
        return found

    def primitive(self, identifier):
        found = self.with_id(identifier)
        return found if found is not None and found.tag == "primitive" else None

    def add(self, parent, tag, identifier, attributes=None):
        wanted = re.sub(r"[^A-Za-z0-9_.-]", "_", identifier)
        unique, number = wanted, 0
        while unique in self._by_id:
            number += 1
            unique = f"{wanted}-{number}"
        element = ElementTree.SubElement(parent, tag, {"id": unique, **(attributes or {})})
        self._by_id[unique] = element
        return element

    def referred(self, element):
        """The element itself, or the one that it stands for by id-ref."""
        return self._by_id.get(element.get("id-ref"), element)

    def is_referred_to(self, element):
        return any(each.get("id-ref") == element.get("id") for each in self.configuration.iter())

    def parent(self, element):
        return next(each for each in self.configuration.iter() if element in list(each))

    def remove(self, element):
        self.parent(element).remove(element)


class _Nvpairs:
    """
    The rule-free sets of name-value pairs of one owner, read and written as one mapping.

    Of several sets the one with the highest score counts. Where scores are equal, versions of
    Pacemaker differ in which set counts, so a change is written to each of the equals.
    """

    def __init__(self, document, owner, tag, set_id, *, by_meaning=True, always_first=None):
        self._document = document
        self._owner = owner
        self._tag = tag
        self._set_id = set_id
        self._by_meaning = by_meaning
        self._always_first = always_first

    def values(self):
        values = {}
        for each in sorted(self._rule_free(), key=self._rank):
            for pair in reversed(self._pairs(each)):
                values[self._name(pair)] = self._document.referred(pair).get("value", "")
        return values

    def hold(self, name, value):
        """Whether this value counts already, whichever of equal sets does."""
        counting = [
            self._document.referred(pair).get("value", "")
            for pair in self._pairs_named(name, self._counting(name))
        ]
        if self._by_meaning:
            return bool(counting) and all(_same(name, each, value) for each in counting)
        return set(counting) == {value}

    def put(self, name, value):
        counting = self._counting(name)
        if not counting:
            self._add(self._home(), name, value)
        elif any(self._is_borrowed(each) for each in counting):
            score = str(max(self._rank(each)[1] for each in counting) + 1)
            home = self._document.add(self._owner, self._tag, self._set_id, {"score": score})
            self._add(home, name, value)
        else:
            for pair in self._pairs_named(name, counting):
                self._own(pair, name).set("value", value)

    def remove(self, name):
        for each in self._rule_free():
            for pair in self._pairs_named(name, [each]):
                if self._is_borrowed(each):
                    raise InvalidCib(
                        name, f"comes from the shared set {each.get('id-ref')}: remove it there"
                    )
                each.remove(pair)
                if not self._pairs(each) and not self._document.is_referred_to(each):
                    self._owner.remove(each)

    def _rule_free(self):
        sets = self._owner.findall(self._tag)
        return [each for each in sets if self._document.referred(each).find("rule") is None]

    def _rank(self, each):
        content = self._document.referred(each)
        score = _score(content.get("score", "0"))
        first = self._always_first is not None and content.get("id") == self._always_first
        return (first, score if isinstance(score, int) else 0)

    def _counting(self, name):
        holding = [each for each in self._rule_free() if self._pairs_named(name, [each])]
        top = max(map(self._rank, holding), default=None)
        return [each for each in holding if self._rank(each) == top]

    def _pairs(self, each):
        return self._document.referred(each).findall("nvpair")

    def _pairs_named(self, name, sets):
        return [pair for each in sets for pair in self._pairs(each) if self._name(pair) == name]

    def _name(self, pair):
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
        self._document.add(
            home, "nvpair", f"{home.get('id')}-{name}", {"name": name, "value": value}
        )

    def _own(self, pair, name):
        if "id-ref" not in pair.attrib:
            return pair
        home = self._document.parent(pair)
        home.remove(pair)
        return self._document.add(home, "nvpair", f"{home.get('id')}-{name}", {"name": name})


def _section_pairs(document, section):
    if section == "properties":
        return _Nvpairs(
            document, document.section("crm_config"), "cluster_property_set",
            "cib-bootstrap-options", always_first="cib-bootstrap-options",
        )  # fmt: skip
    set_id = {"rsc_defaults": "rsc-options", "op_defaults": "op-options"}[section]
    return _Nvpairs(document, document.section(section), "meta_attributes", set_id)


def _params(document, owner):
    return _Nvpairs(
        document,
        owner,
        "instance_attributes",
        f"{owner.get('id')}-instance_attributes",
        by_meaning=False,
    )


def _meta(document, owner):
    return _Nvpairs(document, owner, "meta_attributes", f"{owner.get('id')}-meta_attributes")


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

    Returns a mapping of the sections that are understood: ``properties``, ``rsc_defaults``,
    ``op_defaults`` with the value that counts for each name, and ``primitives``. An operation name
    has a mapping where there is one such operation, else a list. Values are spelled as in the CIB,
    and aren't masked. A primitive that is made from a template has ``@TEMPLATE`` for its agent.
    """
    document = _Document(xml)
    found = {section: _section_pairs(document, section).values() for section in _VALUE_SECTIONS}
    found["primitives"] = {
        element.get("id"): _read_primitive(document, element)
        for element in document.section("resources").iter("primitive")
    }
    return found


def nodes(xml):
    """
    The cluster nodes that a CIB knows: node name to node id. Remote nodes and guests aren't among
    them.

    xml
        Text of a CIB.
    """
    return {
        node.get("uname"): node.get("id")
        for node in _Document(xml).section("nodes").findall("node")
        if node.get("type") != "remote"
    }


def _read_agent(element):
    if element.get("template"):
        return f"@{element.get('template')}"
    parts = (element.get("class"), element.get("provider"), element.get("type"))
    return ":".join(part for part in parts if part)


def _read_primitive(document, element):
    operations = {}
    for operation in _ops(document, element):
        operations.setdefault(operation.get("name"), []).append(
            _read_operation(document, operation)
        )
    return {
        "agent": _read_agent(element),
        "params": _params(document, element).values(),
        "meta": _meta(document, element).values(),
        "operations": {
            name: each[0] if len(each) == 1 else each for name, each in operations.items()
        },
    }


def _ops(document, element):
    groups = [document.referred(each) for each in element.findall("operations")]
    return [operation for each in groups for operation in each.findall("op")]


def _read_operation(document, operation):
    attributes = {name: operation.get(name) for name in _OP_ATTRIBUTES if name in operation.attrib}
    # an attribute of <op> counts before a meta attribute of the same name
    return {
        **_params(document, operation).values(),
        **_meta(document, operation).values(),
        **attributes,
    }


# --- comparing and changing ----------------------------------------------------------------------


def difference(xml, declared, absent=None):
    """
    What has to change in a CIB so that it holds what is declared, compared by meaning, not by
    spelling or id.

    xml
        Text of the CIB as it is.
    declared
        What it shall hold, as ``check`` takes it.
    absent
        What it shall not hold: mapping of section to a list of names or ids.

    Returns ``{'changes': {path: {'old': …, 'new': …}}, 'xml': text}``. Paths are such as
    ``properties:no-quorum-policy`` or ``primitives:vip:operations:monitor 10s:timeout``; ``None``
    stands for what isn't there; secrets are masked. ``xml`` is the new CIB, or ``None`` when
    nothing has to change. Ids that exist are kept, new ones are as crmsh would choose them.

    Raises ``InvalidCib``, a ``ValueError``, with the path of the fault.
    """
    declared = check(declared)
    absent = check_absent(absent)
    _not_both(declared, absent)
    edit = _Edit(xml)
    for section in _VALUE_SECTIONS:
        pairs = _section_pairs(edit.document, section)
        edit.put_values(section, pairs, declared[section])
        edit.remove_values(section, pairs, absent[section])
    for identifier, wanted in declared["primitives"].items():
        edit.put_primitive(identifier, wanted)
    for identifier in absent["primitives"]:
        edit.remove_primitive(identifier)
    return {"changes": edit.changes, "xml": edit.document.text() if edit.changes else None}


def _not_both(declared, absent):
    for section in _SECTIONS:
        for name in absent[section]:
            if name in declared[section]:
                raise InvalidCib(_at(section, name), "is declared and also declared absent")


class _Edit:
    """Changes to one document, and the account of them."""

    def __init__(self, xml):
        self.document = _Document(xml)
        self.changes = {}

    def put_values(self, path, pairs, wanted):
        present = pairs.values()
        for name, value in wanted.items():
            if not pairs.hold(name, value):
                pairs.put(name, value)
                self._record(_at(path, name), name, present.get(name), value)

    def remove_values(self, path, pairs, names):
        present = pairs.values()
        for name in names:
            if name in present:
                pairs.remove(name)
                self._record(_at(path, name), name, present[name], None)

    def put_primitive(self, identifier, wanted):
        path = _at("primitives", identifier)
        element = self.document.primitive(identifier)
        if element is not None:
            self._change_primitive(path, element, wanted)
            return
        if self.document.with_id(identifier) is not None:
            taken_by = self.document.with_id(identifier).tag
            raise InvalidCib(path, f"the id is taken by a {taken_by}")
        element = self.document.add(self.document.section("resources"), "primitive", identifier)
        with self._as_one_change(path, identifier) as change:
            self._change_primitive(path, element, wanted)
            change["new"] = _read_primitive(self.document, element)

    def remove_primitive(self, identifier):
        path = _at("primitives", identifier)
        element = self.document.primitive(identifier)
        if element is not None:
            self._record(path, identifier, _read_primitive(self.document, element), None)
            self._remove_resource(element)
        elif self.document.with_id(identifier) is not None:
            found = self.document.with_id(identifier).tag
            raise InvalidCib(path, f"is a {found}, not a primitive")

    def _record(self, path, name, old, new):
        self.changes[path] = {"old": masked(old, name), "new": masked(new, name)}

    def _change_primitive(self, path, element, wanted):
        self._put_agent(_at(path, "agent"), element, wanted["agent"])
        self.put_values(_at(path, "params"), _params(self.document, element), wanted["params"])
        self.put_values(_at(path, "meta"), _meta(self.document, element), wanted["meta"])
        for name, operations in wanted["operations"].items():
            self._put_operations(_at(path, "operations"), element, name, operations)

    def _put_agent(self, path, element, agent):
        present = _read_agent(element)
        if present == agent:
            return
        for name in ("class", "provider", "type", "template"):
            element.attrib.pop(name, None)
        kind, _, rest = agent.partition(":")
        provider, _, name = rest.partition(":") if kind == "ocf" else ("", "", rest)
        element.set("class", kind)
        if provider:
            element.set("provider", provider)
        element.set("type", name)
        self._record(path, "agent", present or None, agent)

    def _put_operations(self, path, element, name, wanted):
        before = len(self.changes)
        present = [
            (each, _read_operation(self.document, each))
            for each in _ops(self.document, element)
            if each.get("name") == name
        ]
        for operation, found in _paired(wanted, present):
            if found is None:
                label = _at(path, _operation_label(name, operation))
                with self._as_one_change(label, name) as change:
                    self._add_operation(element, name, operation)
                    change["new"] = operation
            else:
                label = _at(path, _operation_label(name, _read_operation(self.document, found)))
                self._change_operation(label, found, operation)
        if len(self.changes) > before and element.find("operations[@id-ref]") is not None:
            raise InvalidCib(_at(path, name), "shared by id-ref: change it where it is defined")

    def _add_operation(self, element, name, wanted):
        own = (each for each in element.findall("operations") if "id-ref" not in each.attrib)
        home = next(own, None)
        if home is None:
            home = ElementTree.SubElement(element, "operations")
        identifier = f"{element.get('id')}-{name}-{wanted['interval']}"
        attributes = {"name": name, "interval": wanted["interval"]}
        self._change_operation("", self.document.add(home, "op", identifier, attributes), wanted)

    def _change_operation(self, path, operation, wanted):
        present = _read_operation(self.document, operation)
        for name in _OP_ATTRIBUTES:
            default = "0" if name == "interval" else None
            if name in wanted and not _same(name, present.get(name, default), wanted[name]):
                operation.set(name, wanted[name])
                self._record(_at(path, name), name, present.get(name), wanted[name])
        rest = {name: value for name, value in wanted.items() if name not in _OP_ATTRIBUTES}
        self.put_values(path, _params(self.document, operation), rest)

    def _remove_resource(self, element):
        """
        Remove a resource, what only wraps it, and what refers to it, as crmsh does: the schema
        allows no reference to nothing.
        """
        parent = self.document.parent(element)
        parent.remove(element)
        self._remove_references(element.get("id"))
        is_wrapper = parent.tag in ("group", "clone", "master")
        if is_wrapper and parent.find("primitive") is None and parent.find("group") is None:
            self._record_removal(parent, "resources")
            self._remove_resource(parent)

    def _remove_references(self, identifier):
        for constraint in list(self.document.section("constraints")):
            if identifier in (
                constraint.get(name) for name in ("rsc", "with-rsc", "first", "then")
            ):
                self._remove_whole(constraint, "constraints")
            elif constraint.find("resource_set") is not None:
                self._remove_from_sets(constraint, identifier)
        for tag in list(self.document.section("tags")):
            self._remove_members(tag, "obj_ref", identifier, "tags")

    def _remove_from_sets(self, constraint, identifier):
        section = _at("constraints", constraint.get("id"))
        for each in constraint.findall("resource_set"):
            self._remove_members(each, "resource_ref", identifier, section)
        if constraint.find("resource_set") is None:
            self._remove_whole(constraint, "constraints")

    def _remove_members(self, collection, tag, identifier, section):
        members = [each for each in collection.findall(tag) if each.get("id") == identifier]
        for member in members:
            collection.remove(member)
            path = _at(_at(section, collection.get("id")), identifier)
            self._record(path, tag, "member", None)
        if members and collection.find(tag) is None:
            self.document.remove(collection)

    def _remove_whole(self, element, section):
        self._record_removal(element, section)
        self.document.remove(element)

    def _record_removal(self, element, section):
        attributes = [f"{name}={value}" for name, value in element.attrib.items() if name != "id"]
        path = _at(section, element.get("id"))
        self._record(path, element.tag, " ".join([element.tag, *attributes]), None)

    @contextlib.contextmanager
    def _as_one_change(self, path, name):
        """What happens inside is recorded as one addition; the caller says of what."""
        account, self.changes = self.changes, {}
        change = {}
        yield change
        self.changes = account
        self._record(path, name, None, change["new"])


def _paired(wanted, present):
    """
    Each wanted operation with the element of the same interval and role, or with None.

    When all but one have found theirs, and there are as many present as wanted, then the odd ones
    belong together: its interval is what changes.
    """
    left = {_operation_identity(read): element for element, read in present}
    pairs = [[operation, left.pop(_operation_identity(operation), None)] for operation in wanted]
    lonely = [pair for pair in pairs if pair[1] is None]
    if len(lonely) == len(left) == 1 and len(wanted) == len(present):
        (_, role), element = next(iter(left.items()))
        if _operation_identity(lonely[0][0])[1] == role:
            lonely[0][1] = element
    return pairs


def _operation_label(name, operation):
    interval = operation.get("interval", "0")
    parts = [name, interval if _duration(interval) else "", operation.get("role", "")]
    return " ".join(part for part in parts if part)


# --- what the cluster does: crm_mon --------------------------------------------------------------

_RUNNING_ROLES = ("Started", "Promoted", "Unpromoted")
_PENDING = ("Starting", "Stopping", "Migrating")


def status(xml):
    """
    What ``crm_mon`` says, as data.

    xml
        Output of ``crm_mon -1 --output-as xml``, or of ``crm_mon --as-xml`` in versions before
        2.0.3.

    Returns a mapping:

    - ``dc``: name of the designated controller, or ``None``; ``dc_version``; ``with_quorum``,
      ``maintenance``
    - ``nodes``: by name ``id``, ``online``, ``standby``, ``maintenance``, ``pending``, ``unclean``,
      ``shutdown``, ``dc``, ``resources`` (how many it runs)
    - ``resources``: by id, primitives inside groups, clones and bundles as well, ``agent``,
      ``nodes`` (where it is active), ``started`` (where it has come up), ``active``, ``failed``,
      ``managed``, ``blocked``, ``orphaned``, ``role``, ``roles`` (by node), ``target_role``,
      ``pending``
    - ``failures``: list of mappings with ``resource``, ``task``, ``node``, ``rc``, ``status``,
      ``reason``, ``when``
    """
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise InvalidCib("", f"crm_mon's output is not well-formed XML: {error}") from None
    dc = _attributes(root.find("summary/current_dc"))
    options = _attributes(root.find("summary/cluster_options"))
    return {
        "dc": dc.get("name") if _yes(dc, "present") else None,
        "dc_version": dc.get("version"),
        "with_quorum": _yes(dc, "with_quorum"),
        "maintenance": _yes(options, "maintenance-mode"),
        "nodes": {node.get("name"): _node_status(node) for node in root.findall("nodes/node")},
        "resources": _resources_status(root.find("resources")),
        "failures": [_failure(each) for each in root.findall("failures/failure")],
    }


def _attributes(element):
    return {} if element is None else element.attrib


def _yes(attributes, name):
    return attributes.get(name) == "true"


def _node_status(node):
    flags = ("online", "standby", "maintenance", "pending", "unclean", "shutdown")
    return {
        "id": node.get("id"),
        **{flag: _yes(node.attrib, flag) for flag in flags},
        "dc": _yes(node.attrib, "is_dc"),
        "resources": int(node.get("resources_running", "0")),
    }


def _resources_status(section):
    resources = {}
    for instance in section.iter("resource") if section is not None else ():
        # a globally unique clone's instances are named id:0, id:1
        identifier = instance.get("id").partition(":")[0]
        known = resources.setdefault(identifier, _resource_status(instance))
        _count_instance(known, instance)
    return resources


def _resource_status(instance):
    flags = ("managed", "blocked", "orphaned")
    return {
        "agent": instance.get("resource_agent"),
        "role": instance.get("role"),
        "target_role": instance.get("target_role"),
        "pending": None,
        "active": False,
        "failed": False,
        **{flag: _yes(instance.attrib, flag) for flag in flags},
        "nodes": [],
        "started": [],
        "roles": {},
    }


def _count_instance(known, instance):
    role, pending = instance.get("role"), instance.get("pending")
    on = [node.get("name") for node in instance.findall("node")]
    known["failed"] = known["failed"] or _yes(instance.attrib, "failed")
    known["pending"] = known["pending"] or pending
    if _yes(instance.attrib, "active"):
        known["role"] = known["role"] if known["active"] else role
        known["active"] = True
        known["nodes"] += on
        known["roles"].update(dict.fromkeys(on, role))
    if _role(role or "") in _RUNNING_ROLES and pending not in _PENDING:
        known["started"] += on


def _failure(element):
    key = element.get("op_key") or ""
    resource, _, _ = key.rpartition("_")[0].rpartition("_")
    return {
        "resource": resource or element.get("id"),
        "task": element.get("task"),
        "node": element.get("node"),
        "rc": int(element.get("exitcode") or 0),
        "status": element.get("status"),
        "reason": element.get("exitreason") or element.get("exitstatus"),
        "when": element.get("last-rc-change"),
    }


# --- patches -------------------------------------------------------------------------------------


def patch_for_any_status(patch):
    """
    A patch by ``crm_diff`` that fails when the configuration moved, but not when only the status
    did.

    patch
        Output of ``crm_diff``, format 1 or 2, with versions.

    The version of a CIB is admin_epoch, epoch and num_updates; the last one counts status updates,
    which never rest on a live cluster. The digest covers the status too.
    """
    root = ElementTree.fromstring(patch)
    root.attrib.pop("digest", None)
    versioned = ("source", "target", "diff-removed", "diff-added")
    for element in root.iter():
        if element.tag in versioned or element.tag == "cib":
            element.attrib.pop("num_updates", None)
    return ElementTree.tostring(root, encoding="unicode")
