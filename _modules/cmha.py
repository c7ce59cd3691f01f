"""
What the formula's map asks on a minion.
"""

from salt.exceptions import CommandExecutionError

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

    Raises CommandExecutionError, with the pillar path, when the pillar is wrong.

    CLI Example:

    .. code-block:: bash

        salt '*' cmha.mapping "$(cat defaults.json)" "$(cat os_family.json)" "$(cat init.json)"
    """
    try:
        site = __utils__["cmha_site.site"](__pillar__.get("cmha"), defaults, __utils__["cib.check"])
        pair, node = __utils__["cmha_site.pair_of"](site, __grains__["id"])
    except ValueError as error:
        raise CommandExecutionError(str(error)) from None
    return {
        **_platform(os_family, init),
        **pair,
        "site": site["site"],
        "node": node,
        "rules": __utils__["cmha_site.firewall_rules"](pair),
    }


def _platform(os_family, init):
    family = __grains__["os_family"]
    if family not in os_family:
        raise CommandExecutionError(
            f"cmha doesn't know the platform {family} of {__grains__['id']}; "
            f"it knows {', '.join(sorted(os_family))} (cmha/os_family.yaml)"
        )
    return {**os_family[family], **init.get(__grains__.get("init"), init["default"])}
