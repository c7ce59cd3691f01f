"""
Rules of Pacemaker's configuration: ``<rule>`` and the expressions in it.

A rule is declared as a mapping with Pacemaker's own names:

.. code-block:: yaml

    score: -INFINITY
    boolean-op: or
    expressions:
      - not_defined pingd                 # the short form of a comparison: OPERATION ATTRIBUTE
      - pingd lt 1                        # … or ATTRIBUTE OPERATION VALUE
      - {attribute: pingd, operation: lt, value: 1, type: number}
      - date_expression: {operation: date_spec, date_spec: {hours: 9-17}}
      - rule: {expressions: [...]}

or, with one expression and the score INFINITY, as that expression's text. Pure functions. Source: "Pacemaker
Explained", chapter "Rules".
"""

import re

import cib_dates
import cib_values
from cib_values import InvalidCib, at

_RULE = {
    "score": cib_values.score,
    "score-attribute": cib_values.text,
    "boolean-op": cib_values.one_of("and", "or"),
    "role": cib_values.one_of("Promoted", "Unpromoted", "Started", "Stopped"),
}
_COMPARISONS = ("lt", "gt", "lte", "gte", "eq", "ne")
_TESTS = ("defined", "not_defined")
_ELEMENTS = {
    "expression": {
        "attribute": cib_values.text,
        "operation": cib_values.one_of(*_COMPARISONS, *_TESTS),
        "value": cib_values.text,
        "type": cib_values.one_of("string", "integer", "number", "version"),
        "value-source": cib_values.one_of("literal", "param", "meta"),
    },
    "date_expression": {
        "operation": cib_values.one_of("in_range", "gt", "lt", "date_spec"),
        "start": cib_dates.moment,
        "end": cib_dates.moment,
    },
    "rsc_expression": dict.fromkeys(("class", "provider", "type"), cib_values.text),
    "op_expression": dict.fromkeys(("name", "interval"), cib_values.text),
}
_ALL_TIMES = (
    "years months weeks days hours minutes seconds monthdays weekdays yeardays yearsdays weekyears "
    "moon".split()
)
_BOUNDS = {
    "months": (1, 12), "monthdays": (1, 31), "weeks": (1, 53), "weekdays": (1, 7), "yeardays": (1, 366),
    "hours": (0, 23), "minutes": (0, 59), "seconds": (0, 59), "moon": (0, 7),
}  # fmt: skip
_ANY_NUMBER = (0, 999999999)
# What stands inside an expression: how much time goes by, or when
_INSIDE = {
    "date_expression": {
        "duration": dict.fromkeys(_ALL_TIMES, cib_values.number),
        "date_spec": {name: cib_dates.span(*_BOUNDS.get(name, _ANY_NUMBER)) for name in _ALL_TIMES},
    }
}
# By operation, of what at least one is needed
_NEEDS = {
    "in_range": ("start", "end"),
    "gt": ("start",),
    "lt": ("end",),
    "date_spec": ("date_spec",),
}
_SUFFIXES = {"expression": "expr"}


def __virtual__():
    return True


def check(value, path):
    """Check a rule, and return it in its full form."""
    if isinstance(value, str):
        value = {"score": "INFINITY", "expressions": [value]}
    return _rule(value, path)


def check_plain(value, path):
    """Check a rule that has no score, as that of a set of values."""
    return _rule({"expressions": [value]} if isinstance(value, str) else value, path)


def _rule(value, path):
    cib_values.some_mapping(value, path)
    cib_values.known_keys(value, [*_RULE, "expressions"], path, "key")
    if not value.get("expressions"):
        raise InvalidCib(path, "has no expressions")
    if value.get("score") is not None and value.get("score-attribute") is not None:
        raise InvalidCib(at(path, "score-attribute"), "not together with score")
    expressions = cib_values.listed(value["expressions"], at(path, "expressions"))
    return {
        **_attributes(value, _RULE, path),
        "expressions": [
            _expression(each, f"{path}:expressions:{number}")
            for number, each in enumerate(expressions)
        ],
    }


def _expression(value, path):
    if isinstance(value, str):
        found = _comparison(value.split(), value, path)
        _check_comparison(found, path)
        return found
    cib_values.some_mapping(value, path)
    if "attribute" in value:
        return _element("expression", value, path)
    if len(value) != 1:
        raise InvalidCib(path, "should be a comparison with attribute and operation, or one of "
                         "date_expression, rsc_expression, op_expression and rule")  # fmt: skip
    ((kind, inner),) = value.items()
    if kind == "rule":
        return {"rule": _rule(inner, at(path, kind))}
    cib_values.known_keys(value, [*list(_ELEMENTS)[1:], "rule"], path, "kind of expression")
    return {kind: _element(kind, inner, at(path, kind))}


def _comparison(words, said, path):
    if len(words) == 2 and words[0] in _TESTS:
        return {"attribute": words[1], "operation": words[0]}
    if len(words) >= 3 and words[1] in _COMPARISONS:
        value = said.split(None, 2)[2]
        if {"and", "or"} & {word.lower() for word in words[2:]}:
            raise InvalidCib(
                path,
                f"{said!r} is several comparisons: write each as one of expressions, with boolean-op",
            )
        if words[0] == "date":
            raise InvalidCib(
                path, f"{said!r} compares with an attribute date; write date_expression"
            )
        return {"attribute": words[0], "operation": words[1], "value": value}
    raise InvalidCib(
        path,
        f"{said!r} is no comparison: write ATTRIBUTE OPERATION VALUE with one of "
        f"{', '.join(_COMPARISONS)}, or {' or '.join(_TESTS)} ATTRIBUTE",
    )


def _element(kind, value, path):
    cib_values.some_mapping(value, path)
    inside = _INSIDE.get(kind, {})
    cib_values.known_keys(value, [*_ELEMENTS[kind], *inside], path, "key")
    found = _attributes(value, _ELEMENTS[kind], path)
    if kind in ("expression", "date_expression") and "operation" not in found:
        raise InvalidCib(path, "has no operation")
    for part, times in inside.items():
        if value.get(part) is not None:
            cib_values.some_mapping(value[part], at(path, part))
            cib_values.known_keys(value[part], list(times), at(path, part), "key")
            found[part] = _attributes(value[part], times, at(path, part))
    if kind == "date_expression":
        _check_needs(found, path)
    if kind == "expression":
        _check_comparison(found, path)
    return found


# What Pacemaker itself says of a node; of its health there is any number
_OWN_ATTRIBUTE = re.compile(
    r"#(uname|id|kind|is_dc|cluster-name|site-name|role|ra-version|node-unfenced|digests-.*|health.*"
    r"|feature-set|attrd-protocol)"
)


def _check_comparison(expression, path):
    operation, attribute = expression["operation"], expression["attribute"]
    if operation in _TESTS and "value" in expression:
        raise InvalidCib(
            at(path, "value"), f"goes not with {operation}, which compares with nothing"
        )
    if operation in _COMPARISONS and "value" not in expression:
        raise InvalidCib(at(path, "value"), f"is missing; {operation} compares with it")
    if attribute.startswith("#") and not _OWN_ATTRIBUTE.fullmatch(attribute):
        near = cib_values.nearest(attribute, ["#uname", "#id", "#kind", "#is_dc", "#site-name"])
        if near:  # else it may be one of a later version
            raise InvalidCib(
                at(path, "attribute"),
                f"{attribute} is none of Pacemaker's own; did you mean {near}?",
            )


def _check_needs(expression, path):
    operation = expression["operation"]
    needs = _NEEDS[operation]
    if not any(key in expression for key in needs):  # one without any span is always
        raise InvalidCib(path, f"with operation {operation} needs {cib_values.alternatives(needs)}")


def _attributes(value, known, path):
    return {
        name: check_one(value[name], at(path, name))
        for name, check_one in known.items()
        if value.get(name) is not None
    }


def read(document, element):
    """What a rule says, in the form that ``check`` returns."""
    element = document.referred(element)
    return {
        **_without_id(element),
        "expressions": [_read_expression(document, each) for each in document.children(element)],
    }


def _read_expression(document, element):
    if element.tag == "rule":
        return {"rule": read(document, element)}
    found = _without_id(element)
    for part in document.children(element):
        found[part.tag] = _without_id(part)
    return found if element.tag == "expression" else {element.tag: found}


def _without_id(element):
    # what has no words is there too: then the check of what was read says so
    return {name: value for name, value in element.attrib.items() if name != "id"}


def write(document, parent, rule, stem=None):
    """Add a rule to an element; the ids in it begin with a stem, by default the element's id."""
    element = document.add(parent, "rule", f"{stem or parent.get('id')}-rule")
    for name in _RULE:
        if name in rule:
            document.set_option(element, name, rule[name])
    for expression in rule["expressions"]:
        _write_expression(document, element, expression)


def _write_expression(document, rule, expression):
    if "rule" in expression:
        write(document, rule, expression["rule"])
        return
    kind, inner = "expression", expression
    if "attribute" not in expression:
        ((kind, inner),) = expression.items()
    suffix = _SUFFIXES.get(kind, kind)
    element = document.add(rule, kind, f"{rule.get('id')}-{suffix}")
    for name, value in inner.items():
        if isinstance(value, dict):
            document.add(element, name, f"{element.get('id')}-{name}", value)
        else:
            element.set(name, value)
