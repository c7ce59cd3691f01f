"""
The packages of daemons: which versions are there, and which shall be.
"""

__virtualname__ = "daemons"


def __virtual__():
    return __virtualname__


def other_versions(versions):
    """
    The packages that are installed in another version than they shall be.

    versions
        Mapping of package name to version, as the package manager spells it.

    Returns ``{name: {'old': installed version, 'new': version}}``.

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.other_versions '{corosync: "3.1.7-1+deb12u1"}'
    """
    installed = {name: __salt__["pkg.version"](name) for name in versions}
    return {
        name: {"old": installed[name], "new": version}
        for name, version in versions.items()
        if installed[name] and installed[name] != version
    }


def not_in_repositories(versions):
    """
    The packages that no repository of this host has in the version that they shall have, after the package
    index was read anew.

    versions
        Mapping of package name to version, as the package manager spells it.

    Returns a list of names.

    CLI Example:

    .. code-block:: bash

        salt cms1 daemons.not_in_repositories '{corosync: "3.1.7-1+deb12u1"}'
    """
    if not versions:
        return []
    __salt__["pkg.refresh_db"]()
    there = __salt__["pkg.list_repo_pkgs"](*versions)
    return [name for name, version in versions.items() if version not in there.get(name, [])]
