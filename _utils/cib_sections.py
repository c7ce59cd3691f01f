"""
The sections of Pacemaker's configuration: what kinds of objects there are, what each is made of, and where it
stands in the CIB.

Plain data. Sources: "Pacemaker Explained"; the schemas in ``/usr/share/pacemaker/*.rng``.
"""

import re

import cib_fields
import cib_sets
import cib_values
import posix_regex
from cib_fields import Agent, Attribute, Items, Lifetime, Nested, Objects, References
from cib_objects import (
    MAINTENANCE,
    MAINTENANCE_MARK,
    PACEMAKERS_OWN,
    CloneKind,
    CollectionKind,
    Held,
    Kind,
    NodeAttribute,
    NodeSection,
    PrimitiveKind,
    ResourceKind,
    UserKind,
    ValueSection,
)
from cib_operations import Operations
from cib_sets import Sets, Values
from cib_values import InvalidCib, at


def __virtual__():
    return True


_ROLE = cib_values.one_of("Promoted", "Unpromoted", "Started", "Stopped")
_ACTION = cib_values.one_of("start", "stop", "promote", "demote")
_ORDER_KIND = cib_values.one_of("Mandatory", "Optional", "Serialize")

_DESCRIPTION = Attribute("description")

# The sets before the values, see there
_RESOURCE = (
    _DESCRIPTION,
    cib_sets.META_SETS,
    cib_sets.META,
    cib_sets.PARAMS_SETS,
    cib_sets.PARAMS,
)

_PRIMITIVE = (
    Agent(),
    *_RESOURCE,
    Operations(),
    cib_sets.UTILIZATION_SETS,
    cib_sets.UTILIZATION,
)


def _set_of(value, path):
    return {"resources": value} if isinstance(value, list) else value


_SETS = Items(
    "sets",
    "resource_set",
    {
        "sequential": cib_values.boolean,
        "require-all": cib_values.boolean,
        "ordering": cib_values.one_of("group", "listed"),
        "action": _ACTION,
        "role": _ROLE,
        "score": cib_values.score,
        "kind": _ORDER_KIND,
    },
    references=References("resources", "resource_ref", ordered=True),
    short=_set_of,
    one_of=("resources",),
    suffix="set",
)


def _permission(value, path):
    words = value.split(None, 2) if isinstance(value, str) else []
    if len(words) == 3 and words[1] in ("xpath", "reference", "object-type"):
        return {"kind": words[0], words[1]: words[2]}
    raise InvalidCib(
        path, "write KIND xpath XPATH, KIND reference ID or KIND object-type TAG, or a mapping"
    )


_PERMISSIONS = Items(
    "permissions",
    "acl_permission",
    {
        "kind": cib_values.one_of("read", "write", "deny"),
        "xpath": cib_values.text,
        "reference": cib_values.identifier,
        "object-type": cib_values.text,
        "attribute": cib_values.text,
        "description": cib_values.text,
    },
    short=_permission,
    one_of=("xpath", "reference", "object-type"),
    required=("kind",),
    suffix="permission",
)

_ACL_USER = (References("roles", "role"), Attribute("name"))

_CONTAINER = (
    Attribute("image"),
    Attribute("replicas", cib_values.number),
    Attribute("replicas-per-host", cib_values.number),
    Attribute("promoted-max", cib_values.number),
    Attribute("run-command"),
    Attribute("network"),
    Attribute("options"),
)

_NETWORK = (
    Attribute("ip-range-start"),
    Attribute("control-port", cib_values.number),
    Attribute("host-interface"),
    Attribute("host-netmask", cib_values.number),
    Attribute("add-host", cib_values.boolean),
    Objects(
        "port-mappings",
        "port-mapping",
        (
            Attribute("port", cib_values.number),
            Attribute("internal-port", cib_values.number),
            Attribute("range"),
        ),
    ),
)

_STORAGE = (
    Objects(
        "storage-mappings",
        "storage-mapping",
        tuple(
            Attribute(name) for name in ("source-dir", "source-dir-root", "target-dir", "options")
        ),
    ),
)


def _level(value, path):
    """The fencer keeps nine levels; it leaves a device of another one out."""
    said = cib_values.number(value, path)
    if not re.fullmatch("0*[1-9]", said):
        raise InvalidCib(path, f"should be a number from 1 to 9, is {said!r}")
    return said


def _pattern(value, path):
    said = cib_values.text(value, path)
    try:
        re.compile(posix_regex.as_python(said))
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidCib(path, f"is no regular expression, {error}: {said!r}") from None
    return said


def _filled(value, path):
    said = cib_values.text(value, path)
    if not said.strip():
        raise InvalidCib(path, "is empty")
    return said


def _devices(value, path):
    devices = value.split(",") if isinstance(value, str) else cib_values.listed(value, path)
    if not devices:
        raise InvalidCib(path, "is empty")
    return ",".join(cib_values.identifier(each, path) for each in devices)


def _order_of_different_actions(order, path):
    """Pacemaker's scheduler ends itself over an action that waits for itself."""
    first = order.get("first-action", "start")
    both = [("first", first), ("then", order.get("then-action", first))]
    members = _members(order, both, "action", "start")
    _refuse_twice(members, path, "would wait for itself")


def _colocation_of_different_resources(colocation, path):
    both = [(key, colocation.get(f"{key}-role", "Started")) for key in ("rsc", "with-rsc")]
    members = _members(colocation, both, "role", "Started")
    _refuse_twice(members, path, "is where it is")


def _members(constraint, both, what, default):
    """Tuples of the key, the resource, and its action or role, as ``both`` has it where there are no sets."""
    for key, each in both:
        if key in constraint:
            yield key, constraint[key], each
    for number, each in enumerate(constraint.get("sets", ())):
        for resource in each["resources"]:
            yield f"sets:{number}", resource, each.get(what, default)


def _refuse_twice(members, path, why):
    seen = set()
    for key, *member in members:
        if tuple(member) in seen:
            raise InvalidCib(at(path, key), f"{member[0]} stands there twice, and {why}")
        seen.add(tuple(member))


SECTIONS = (
    ValueSection("properties_sets", "crm_config", Sets("", "cluster_property_set")),
    ValueSection(
        "properties",
        "crm_config",
        Values(
            "properties", "cluster_property_set", "cib-bootstrap-options",
            always_first="cib-bootstrap-options",
            kept=(*PACEMAKERS_OWN, MAINTENANCE, MAINTENANCE_MARK),
            renamed=cib_values.RENAMED_PROPERTIES,
        ),
    ),
    ValueSection("rsc_defaults_sets", "rsc_defaults", Sets("", "meta_attributes")),
    ValueSection("rsc_defaults", "rsc_defaults", Values("", "meta_attributes", "rsc-options")),
    ValueSection("op_defaults_sets", "op_defaults", Sets("", "meta_attributes")),
    ValueSection("op_defaults", "op_defaults", Values("", "meta_attributes", "op-options")),
    NodeAttribute("node_descriptions", Attribute("description")),
    NodeAttribute("node_scores", Attribute("score", cib_values.score)),
    NodeSection("node_attributes_sets", Sets("", "instance_attributes")),
    NodeSection("node_attributes", Values("", "instance_attributes", "nodes-{id}")),
    NodeSection("node_utilization_sets", Sets("", "utilization")),
    NodeSection("node_utilization", Values("", "utilization", "nodes-{id}-utilization")),
    ResourceKind("templates", "template", "resources", _PRIMITIVE, short="agent", required=["agent"]),
    PrimitiveKind("primitives", "primitive", "resources", _PRIMITIVE, short="agent", required=["agent"]),
    CollectionKind(
        "groups",
        "group",
        "resources",
        (
            Held("members", ("primitive",), several=True),
            *_RESOURCE,
        ),
        short="members",
        required=["members"],
    ),
    CloneKind(
        "clones",
        "clone",
        "resources",
        (
            Held("resource", ("primitive", "group"), several=False),
            *_RESOURCE,
        ),
        short="resource",
        required=["resource"],
    ),
    CollectionKind(
        "bundles",
        "bundle",
        "resources",
        (
            *(Nested(name, _CONTAINER) for name in ("docker", "podman", "rkt")),
            Nested("network", _NETWORK),
            Nested("storage", _STORAGE),
            Held("primitive", ("primitive",), several=False),
            *_RESOURCE,
        ),
        either=[("docker", "podman", "rkt")],
    ),
    Kind(
        "locations",
        "rsc_location",
        "constraints",
        (
            Attribute("rsc", cib_values.identifier),
            Attribute("rsc-pattern", _pattern),
            _SETS,
            Attribute("role", _ROLE),
            Attribute("node"),
            Attribute("score", cib_values.score),
            cib_fields.Rules(),
            Attribute("resource-discovery", cib_values.one_of("always", "never", "exclusive")),
            Lifetime(),
        ),
        either=[("rsc", "rsc-pattern", "sets"), ("node", "rules"), ("score", "rules")],
    ),
    Kind(
        "colocations",
        "rsc_colocation",
        "constraints",
        (
            Attribute("rsc", cib_values.identifier),
            Attribute("with-rsc", cib_values.identifier),
            _SETS,
            Attribute("score", cib_values.score),
            Attribute("rsc-role", _ROLE),
            Attribute("with-rsc-role", _ROLE),
            Attribute("node-attribute"),
            # Written by old tools; Pacemaker reads neither any more, or never did
            Attribute("score-attribute"),
            Attribute("score-attribute-mangle"),
            Attribute("influence", cib_values.boolean),
            Lifetime(),
        ),
        either=[("rsc", "sets"), ("with-rsc", "sets")],
        exclusive=[("score", "score-attribute", "score-attribute-mangle")],
        sense=_colocation_of_different_resources,
    ),
    Kind(
        "orders",
        "rsc_order",
        "constraints",
        (
            Attribute("first", cib_values.identifier),
            Attribute("then", cib_values.identifier),
            _SETS,
            Attribute("first-action", _ACTION),
            Attribute("then-action", _ACTION),
            Attribute("kind", _ORDER_KIND),
            Attribute("score", cib_values.score),
            Attribute("symmetrical", cib_values.boolean),
            Attribute("require-all", cib_values.boolean),
            Lifetime(),
        ),
        either=[("first", "sets"), ("then", "sets")],
        exclusive=[("kind", "score")],
        sense=_order_of_different_actions,
    ),
    Kind(
        "tickets",
        "rsc_ticket",
        "constraints",
        (
            Attribute("ticket", _filled),
            Attribute("rsc", cib_values.identifier),
            _SETS,
            Attribute("rsc-role", _ROLE),
            Attribute("loss-policy", cib_values.one_of("stop", "demote", "fence", "freeze")),
            Lifetime(),
        ),
        required=["ticket"],
        either=[("rsc", "sets")],
    ),
    Kind(
        "fencing_levels",
        "fencing-level",
        "fencing-topology",
        (
            Attribute("target"),
            Attribute("target-pattern", _pattern),
            Attribute("target-attribute"),
            Attribute("target-value"),
            Attribute("index", _level),
            Attribute("devices", _devices),
        ),
        required=["index", "devices"],
        either=[("target", "target-pattern", "target-value")],
    ),
    Kind("acl_roles", "acl_role", "acls", (_DESCRIPTION, _PERMISSIONS), short="permissions"),
    UserKind("acl_users", "acl_target", "acls", _ACL_USER, short="roles"),
    UserKind("acl_groups", "acl_group", "acls", _ACL_USER, short="roles"),
    Kind(
        "alerts",
        "alert",
        "alerts",
        (
            Attribute("path", _filled),
            *_RESOURCE,
            cib_fields.Select(),
            Objects(
                "recipients",
                "recipient",
                (Attribute("value"), *_RESOURCE),
                short="value",
            ),
        ),
        short="path",
        required=["path"],
    ),
    Kind(
        "tags",
        "tag",
        "tags",
        (References("references", "obj_ref", check=cib_values.reference),),
        short="references",
        required=["references"],
    ),
)  # fmt: skip
