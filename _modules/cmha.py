"""
What the formula's map asks on a minion.
"""

__virtualname__ = "cmha"


def __virtual__():
    return __virtualname__


def mapping(defaults, os_family, init):
    """
    Make one mapping of defaults, platform and pillar: what the state files print.

    defaults
        The content of ``cmha/defaults.yaml``.
    os_family
        The content of ``cmha/os_family.yaml``, by the grain ``os_family``.
    init
        The content of ``cmha/init.yaml``, by the grain ``init``.

    Returns the mapping of this minion's pair, see ``cmha_site.site``, with ``site``, ``node`` (this
    host), ``rules`` (of the firewall) and the keys of both platform files.

    A wrong pillar, or a platform that cmha doesn't know, gives a mapping with one key: ``error``, a line
    that names the pillar path.

    CLI Example:

    .. code-block:: bash

        salt '*' cmha.mapping "$(cat defaults.json)" "$(cat os_family.json)" "$(cat init.json)"
    """
    try:
        site = __utils__["cmha_site.site"](__pillar__.get("cmha"), defaults, __utils__["cib.check"])
        pair, node = __utils__["cmha_site.pair_of"](site, __grains__["id"])
        platform = _platform(os_family, init)
    except ValueError as error:
        return {"error": str(error)}
    return {
        **platform,
        **pair,
        "site": site["site"],
        "node": node,
        "rules": __utils__["cmha_site.firewall_rules"](pair),
    }


def _platform(os_family, init):
    family = __grains__["os_family"]
    if family not in os_family:
        raise ValueError(
            f"cmha doesn't know the platform {family} of {__grains__['id']}; "
            f"it knows {', '.join(sorted(os_family))} (cmha/os_family.yaml)"
        )
    return {**os_family[family], **init.get(__grains__.get("init"), init["default"])}
