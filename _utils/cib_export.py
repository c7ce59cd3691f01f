"""
What a CIB holds, as data for pillar; and what it holds that can't be said so.

Pure. ``cib.export`` is the way in.
"""

import cib_references
import cib_roles
import cib_sets
import cib_values
import pacemaker_words
from cib_objects import (
    ADMINISTRATORS_OWN,
    MAINTENANCE,
    MAINTENANCE_MARK,
    PACEMAKERS_OWN,
)
from cib_sections import SECTIONS
from cib_values import at

# What was left out, beside the sections: lines for people
LEFT_OUT = "left_out"

# What an element of that name has beside what is declared
_NODE_ATTRIBUTES = ("id", "uname", "type", "description", "score")


def __virtual__():
    return True


def export(document):
    """
    What is worth declaring, by section; under ``allow_unknown`` the names that Pacemaker doesn't know; and
    under ``left_out`` a line for each thing that isn't there.

    document
        A ``cib_document.Document``.
    """
    found, left_out = {}, []
    for section in SECTIONS:
        kept, faults = _divided(section, _worth_declaring(section, document))
        left_out += [f"{at(section.key, each.path)}: {each.message}" for each in faults.values()]
        left_out += _unread(section, document, faults)
        if kept:
            found[section.key] = kept
    _leave_out_what_refers_to_nothing(document, found, left_out)
    _leave_out_doubles(found)
    left_out += _unknown(document)
    unknown = set(pacemaker_words.unknown(found))
    unknown |= {name for _, name, _ in cib_references.nowhere(document, found)}
    unknown |= {name for _, name in cib_references.taken(document, found)}
    unknown |= {name for _, name, _ in cib_roles.never(document, found)}
    if unknown:
        found[pacemaker_words.ALLOW] = sorted(unknown)
    if left_out:
        found[LEFT_OUT] = [cib_values.printable(line) for line in left_out]
    return found


def _divided(section, objects):
    """What could be declared, and of the rest the fault."""
    check = getattr(section, "check_complete", section.check)
    if not cib_values.fault(check, objects):
        return objects, {}
    faults = {name: cib_values.fault(check, {name: each}) for name, each in objects.items()}
    kept = {name: each for name, each in objects.items() if not faults[name]}
    return kept, {name: fault for name, fault in faults.items() if fault}


def _unread(section, document, faults):
    whole = [at(section.key, name) for name in faults]
    return [
        f"{path}: {why}"
        for path, why in section.unread(document)
        if not any(path == each or path.startswith(f"{each}:") for each in whole)
    ]


def _worth_declaring(section, document):
    objects = section.read(document)
    if section.key == "properties":
        ours = (MAINTENANCE_MARK, MAINTENANCE) if MAINTENANCE_MARK in objects else ()
        not_theirs = (*PACEMAKERS_OWN, *ours)
        return {name: each for name, each in objects.items() if name not in not_theirs}
    return {
        name: _without_empty(each)
        for name, each in objects.items()
        if not str(name).startswith(ADMINISTRATORS_OWN)
    }


def _without_empty(value):
    if not isinstance(value, dict):
        return value
    return {key: each for key, each in value.items() if each != {}}


def _leave_out_doubles(found):
    """What a set says already isn't said by name too."""
    for key in list(found):
        sets = found.get(f"{key}_sets")
        if not sets:
            continue
        if key.startswith("node_"):
            rest = {
                node: cib_sets.without_doubles(each, sets.get(node, {}))
                for node, each in found[key].items()
            }
            found[key] = {node: each for node, each in rest.items() if each}
        else:
            found[key] = cib_sets.without_doubles(found[key], sets)
        if not found[key]:
            del found[key]


def _leave_out_what_refers_to_nothing(document, found, left_out):
    """Without what was left out, what refers to it couldn't be made anew."""
    ids = _ids(document)
    while True:
        missing = ids - {name for key in found for name in found[key]}
        dangling = [
            (key, name, reference)
            for key in found
            for name, each in found[key].items()
            for _, reference in cib_references.ids(each)
            if reference in missing
        ]
        if not dangling:
            return
        for key, name, reference in dangling:
            if found[key].pop(name, None) is not None:
                left_out.append(f"{at(key, name)}: refers to {reference}, which is left out")
        for key in [key for key in found if not found[key]]:
            del found[key]


def _ids(document):
    """The ids of all objects."""
    kinds = [section for section in SECTIONS if hasattr(section, "elements")]
    return {each.get("id") for section in kinds for each in section.elements(document)}


def _unknown(document):
    """Elements and attributes that belong to no section."""
    known = {}
    for section in SECTIONS:
        known.setdefault(section.home, set()).update(section.tags)
    for home in document.children(document.configuration):
        if home.tag not in known:
            yield f"{home.tag}: is a section that has no word"
            continue
        for element in document.children(home):
            if element.tag not in known[home.tag]:
                yield f"{home.tag}:{element.get('id') or element.tag}: is a {element.tag}, which has no word"
    for node in document.section("nodes").findall("node"):
        for name in set(node.attrib) - {*_NODE_ATTRIBUTES}:
            yield f"nodes:{node.get('uname')}:{name}: is an attribute that has no word"
