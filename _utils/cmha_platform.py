"""
The platform model: what ``cmha/platforms.yaml`` says about the host that reports these grains.

Pure functions. Which layers there are, and which one wins, is written at the head of that file.
"""

import cmha_site


def __virtual__():
    return True


def platform(table, grains, unit_only=False, like=None):
    """
    Find a host's platform.

    table
        The content of ``cmha/platforms.yaml``.
    grains
        The host's grains, of which ``id``, ``os``, ``os_family``, ``osmajorrelease`` and ``init`` count.
    unit_only
        Whether the Cloudera service is a unit of systemd there, without an init script.
    like
        The platform that the host is like, as ``RedHat 9``, where pillar says it (``cmha:platform``).

    A release that isn't in the table is taken as the newest one there that is older: a distribution's next
    release is nearer to its last one than to nothing. A release without a number is newer than all; and all
    that is newer than a rolling one is that one.

    Returns the platform's settings as one mapping, with ``platform`` (as ``RedHat 9``), ``taken_as`` (the
    platform of the table whose settings these are, where it is another one and pillar doesn't say so, or
    ``None``) and with the settings of the host's service manager. Raises ValueError when the table has no
    platform for the host.
    """
    described = _described_as(table, like) if like else grains
    section, settings = _distribution(table, described)
    releases = settings.pop("releases", {})
    settings.pop("family", None)
    release = _nearest(releases, described.get("osmajorrelease"))
    if release is None:
        raise ValueError(
            f"cmha doesn't know the platform of {grains['id']}: {_name(grains)}, of the family "
            f"{grains.get('os_family')}; it knows {', '.join(_known(table))} (cmha/platforms.yaml). If the "
            "host is like one of these, name that one in pillar, cmha:platform"
        )
    settings = cmha_site.overlaid(settings, releases[release])
    is_known = settings.pop("rolling", None) or like or release == described.get("osmajorrelease")
    managers = table["service_managers"]
    if grains.get("init") in managers:
        settings["service_manager"] = grains["init"]
    manager = settings["service_manager"]
    own = managers["systemd unit" if unit_only and manager == "systemd" else manager]
    return {
        **settings,
        **own,
        "platform": _name(grains),
        "taken_as": None if is_known else f"{section} {release}",
    }


def service(name, init):
    """
    The name by which Salt knows a service.

    Salt's module for systemd takes a name that ends like a type of unit, as corosync-qdevice does, for that
    of a unit of this type.

    name
        The service.
    init
        The grain ``init``.
    """
    return f"{name}.service" if init == "systemd" and name.endswith("device") else name


def packages(platform, crmsh, backend, device=False, fencing=()):
    """
    The packages that a host needs.

    platform
        What ``platform`` returned.
    crmsh
        The setting ``crmsh`` of the host's pair.
    backend
        The firewall's, or ``None`` where there are no rules to write.
    device
        Whether the cluster has a quorum device.
    fencing
        The packages that pillar names for fencing.

    Raises ValueError when crmsh is wanted, the distribution has none, and pillar names no repository.
    """
    groups = platform["packages"]
    wanted = list(groups["cluster"])
    if crmsh["install"]:
        _need_crmsh_from_somewhere(platform, crmsh)
        wanted += groups["crmsh"]
    wanted += groups["firewall"].get(backend, [])
    if device:
        wanted += groups["device"]
    return [*wanted, *fencing]


def need_place_to_save(platform, backend, save):
    """
    Refuse to save iptables' rules where no file is loaded at boot.

    platform
        What ``platform`` returned.
    backend
        The firewall's.
    save
        The setting ``firewall:save`` of the host's pair.

    Raises ValueError.
    """
    if save and backend == "iptables" and not platform["iptables_saved"]:
        raise ValueError(
            f"pillar cmha:firewall:save: {platform['platform']} has no file of iptables' rules that it loads "
            "at boot; leave it false"
        )


def _need_crmsh_from_somewhere(platform, crmsh):
    if platform["crmsh_from"] == "pillar" and not crmsh["repository"]:
        raise ValueError(
            f"pillar cmha:crmsh:repository: is missing; {platform['platform']} has no crmsh of its own. "
            "Name a repository that has it, or set cmha:crmsh:install to false: cmha needs only Pacemaker's "
            "own tools"
        )


def _described_as(table, like):
    """The grains of a host of the platform that pillar names."""
    if like not in _known(table):
        raise ValueError(
            f"pillar cmha:platform: {like} isn't known; it can be {', '.join(_known(table))} "
            "(cmha/platforms.yaml)"
        )
    section, release = like.rsplit(" ", 1)
    family = table[section].get("family", section)
    return {"os_family": family, "os": section, "osmajorrelease": int(release)}


def _nearest(releases, release):
    if not releases or not isinstance(release, (int, type(None))):
        return None
    if release is None:
        return max(releases)
    return max((known for known in releases if known <= release), default=None)


def _distribution(table, grains):
    """The section of the table that has the host's releases, and all that holds for them."""
    section, settings = None, table["default"]
    for key in dict.fromkeys((grains.get("os_family"), grains.get("os"))):
        if "releases" in table.get(key, {}):
            # Ubuntu's releases aren't Debian's
            section, settings = key, cmha_site.overlaid({**settings, "releases": {}}, table[key])
    return section, dict(settings)


def _name(grains):
    return f"{grains.get('os')} {grains.get('osmajorrelease')}"


def _known(table):
    for key, section in table.items():
        for release, settings in section.get("releases", {}).items():
            if "rolling" not in settings:
                yield f"{key} {release}"
