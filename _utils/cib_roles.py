"""
Constraints that wait for a role which a resource never has: promoted, where nothing makes it promotable.

Pure. Source: "Pacemaker Explained", chapters "Constraints" and "Promotable clones".
"""

import cib_values
from cib_objects import RESOURCE_TAGS
from cib_references import chosen
from cib_values import InvalidCib, at

_OF_A_ROLE = {
    "locations": {"role": "rsc"},
    "colocations": {"rsc-role": "rsc", "with-rsc-role": "with-rsc"},
    "orders": {},  # say it by an action
    "tickets": {"rsc-role": "rsc"},
}
_PROMOTING = ("promote", "demote")


def __virtual__():
    return True


def never(document, declared, only=None):
    """
    What is constrained to be promoted, or to come when something is, and never is.

    document
        The ``cib_document.Document`` with everything declared in it.
    declared
        All sections, as ``cib.check`` returns them.
    only
        A set of tuples of section and id; the default is every object.

    Returns tuples of the path, the resource's id, and why.
    """
    if any(map(_says_promotable, document.configuration.findall("rsc_defaults"))):
        return  # every clone may be
    parents = {child: parent for parent in document.configuration.iter() for child in parent}
    for section, place, each in chosen(declared, _OF_A_ROLE, only):
        for key, resource, why in _promoted(section, each):
            element = document.with_id(resource)
            if element is None or element.tag not in RESOURCE_TAGS:
                continue  # what isn't there is told elsewhere; a tag is more than one
            if not _is_promotable(element, parents):
                yield at(place, key), resource, why


def refuse_never(document, declared, only, allowed):
    """
    Refuse the first constraint that waits for ever.

    document, declared, only
        See ``never``.
    allowed
        Ids that pass.
    """
    for path, resource, why in never(document, declared, only):
        if resource not in allowed:
            raise InvalidCib(
                path, f"{resource} is never promoted, since no clone of it is promotable{why}"
            )


def _promoted(section, constraint):
    """What has to be promoted in a constraint: the key that says it, the resource, and a hint."""
    for key, whose in _OF_A_ROLE[section].items():
        if cib_values.role(constraint.get(key, "")) == "Promoted" and isinstance(
            constraint.get(whose), str
        ):
            yield key, constraint[whose], ""
    if section == "orders":
        first = constraint.get("first-action")
        then = constraint.get("then-action", first)
        hint = "" if "then-action" in constraint else "; it has first's action: write then-action"
        for key, whose, action, more in (
            ("first-action", "first", first, ""),
            ("then-action", "then", then, hint),
        ):
            if action in _PROMOTING and isinstance(constraint.get(whose), str):
                yield key, constraint[whose], more
    for number, each in enumerate(constraint.get("sets", ())):
        if cib_values.role(each.get("role", "")) == "Promoted" or each.get("action") in _PROMOTING:
            for resource in each["resources"]:
                yield f"sets:{number}", resource, ""


def _is_promotable(element, parents):
    """Whether something around it, or in it, may promote it. Values by reference may say anything."""
    while element is not None and element.tag in RESOURCE_TAGS:
        if element.tag == "master" or (element.tag == "bundle" and _says_promoted(element)):
            return True
        if element.tag == "clone" and _says_promotable(element):
            return True
        element = parents.get(element)
    return False


def _says_promoted(bundle):
    names = ("promoted-max", "masters")
    return any(each.get(name, "0") != "0" for each in bundle for name in names)


def _says_promotable(clone):
    for values in clone.findall("meta_attributes"):
        if values.get("id-ref"):
            return True
        for pair in values.iter("nvpair"):
            if pair.get("id-ref") and not pair.get("value"):
                return True
            if pair.get("name") == "promotable" and cib_values.is_true(pair.get("value", "")):
                return True
    return False
