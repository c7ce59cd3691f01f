"""
Which meta attribute counts for a resource: what stands nearest to it, its own before those of its template
and of its group, and these before the cluster's defaults.

Pure functions, on what pillar or ``cib.check`` has below ``pacemaker``. What isn't what it should be counts
for nothing; it is refused where its section is checked.
Source: "Pacemaker Explained", "Resource Options".
"""

from pillar_values import mapping


def __virtual__():
    return True


def nearest(declared, resource, name, sets=True):
    """
    The meta attribute that a resource has.

    declared
        Mapping by section.
    resource
        Id of a primitive.
    name
        The attribute.
    sets
        Whether sets of values count, too: each may, whatever its rule and its score.

    Returns its value and where it stands, as a tuple of keys; ``(None, ())`` where nothing says it.
    """
    for values, keys in _nearest_first(declared, resource, sets):
        said = mapping(values).get(name)
        if said is not None:
            return said, (*keys, name)
    return None, ()


def _nearest_first(declared, resource, sets):
    said = mapping(declared.get("primitives")).get(resource)
    primitive = mapping(said)
    yield from _of(primitive, ("primitives", resource), sets)
    agent = primitive.get("agent", said)
    for section, is_its in (
        ("templates", lambda name, _: agent == f"@{name}"),
        ("groups", lambda _, each: resource in listed(each.get("members"))),
    ):
        for name, each in mapping(declared.get(section)).items():
            if isinstance(each, dict) and is_its(name, each):
                yield from _of(each, (section, name), sets)
    yield declared.get("rsc_defaults"), ("rsc_defaults",)
    if sets:
        yield from _in_sets(declared.get("rsc_defaults_sets"), ("rsc_defaults_sets",))


def _of(owner, keys, sets):
    yield owner.get("meta"), (*keys, "meta")
    if sets:
        yield from _in_sets(owner.get("meta_sets"), (*keys, "meta_sets"))


def _in_sets(found, keys):
    for name, each in mapping(found).items():
        yield mapping(each).get("values"), (*keys, name, "values")


def listed(said):
    """
    A value, or several, as a list.

    said
        What pillar says.
    """
    return said if isinstance(said, (list, tuple)) else [said]
