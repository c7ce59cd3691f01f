"""
Where pillar says something: at a pair, at its role, or for all of the site; what stands nearest counts.

Pure functions, for the paths in messages.
"""

import pillar_values


def __virtual__():
    return True


def of_fencing(checked, role, name, key):
    """
    Where pillar says a key of ``fencing``, or would say it.

    checked
        The pillar, as ``cmha_pillar.checked`` returns it.
    role, name
        A pair's.
    key
        The key below ``fencing``.
    """
    places = _nearest_first(role, name)
    layers = [checked["pairs"][name], checked.get("roles", {}).get(role, {}), checked]
    said = [layer.get("fencing") for layer in layers]
    nearest = next(
        (place for place, each in zip(places, said) if each and key in each),
        next((place for place, each in zip(places, said) if each), ()),
    )
    return ":".join(("cmha", *nearest, "fencing", key))


def of_device(checked, pair, device=None):
    """
    Where pillar declares a fence device, or those of a pair in short.

    checked
        See ``of_fencing``.
    pair
        A pair of a site's model.
    device
        The device's name.
    """
    if device is None or device in pair["fencing"]["devices"]:
        return of_fencing(checked, pair["role"], pair["pair"], "nodes")
    return of_pacemaker(checked, pair)("primitives", device)


def of_pacemaker(checked, pair):
    """
    Where pillar says something below ``pacemaker``, or would say it for one pair. A parameter of a device in
    short stands below ``fencing``.

    checked
        See ``of_fencing``.
    pair
        A pair of a site's model.

    Returns a function, which is called with keys and gives the pillar path.
    """
    places = _nearest_first(pair["role"], pair["pair"])
    of_device = {
        device: node["id"] for device, node in zip(pair["fencing"]["devices"], pair["nodes"])
    }

    def at(*keys):
        ways = [("pacemaker", *keys)]
        if keys[:1] == ("primitives",) and keys[1] in of_device and len(keys) > 3:
            ways += [
                ("fencing", "nodes", of_device[keys[1]], keys[3]),
                ("fencing", "params", keys[3]),
            ]
        for way in ways:
            for place in places:
                if _has(checked, *place, *way):
                    return ":".join(("cmha", *place, *map(str, way)))
        return ":".join(("cmha", *places[0], *map(str, ways[0])))

    return at


def _nearest_first(role, name):
    return [("pairs", name), ("roles", role), ()]


def _has(place, *keys):
    for key in keys:
        if not isinstance(place, dict) or key not in place:
            return False
        place = place[key]
    return True


def of_corosync(checked, role, name):
    """
    Where pillar says what of Corosync: ``{'totem:token': 'cmha:pairs:cms:corosync:totem:token'}``.

    checked, role, name
        See ``of_fencing``.
    """
    places = {}
    for place in reversed(_nearest_first(role, name)):
        layer = checked
        for key in place:
            layer = layer.get(key, {})
        path = ":".join(("cmha", *place, "corosync"))
        places.update({key: f"{path}:{key}" for key in _leaves(layer.get("corosync", {}), "")})
    return places


def _leaves(mapping, path):
    for key, value in mapping.items():
        here = pillar_values.below(path, key) if path else str(key)
        if isinstance(value, dict):
            yield from _leaves(value, here)
        else:
            yield here


def place_of(places, pair, path):
    """
    Where pillar says something of Corosync, or would say it for one pair.

    places
        The ``places`` of what ``site`` returned for the pair.
    pair
        The pair's name.
    path
        What is looked for, below ``corosync``: ``totem:token``, or a section, ``quorum:device``.
    """
    for key, place in places.items():
        if key == path or key.startswith(f"{path}:"):
            return place.removesuffix(key) + path
    section, _, key = path.rpartition(":")
    return (
        f"{place_of(places, pair, section)}:{key}"
        if section
        else f"cmha:pairs:{pair}:corosync:{key}"
    )
