"""
What the formula's map asks on a minion.
"""

import os
import re

import salt.serializers.yaml
import salt.utils.yaml
from salt.exceptions import CommandExecutionError

_DEFAULTS = "salt://cmha/defaults.yaml"

# The mapping of a run of states, in __context__
_MADE = "cmha.mapping"

_FIRST_WITH_ALERTS = [1, 1, 15]

_INIT_SCRIPTS = "/etc/init.d"
# Where packages and administrators put units (systemd.unit(5)); those that systemd makes of init scripts
# are elsewhere.
_UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def __virtual__():
    return True


def mapping(defaults, platforms, pillar=None):
    """
    Make one mapping of defaults, platform and pillar: what the state files print.

    defaults
        The content of ``cmha/defaults.yaml``.
    platforms
        The content of ``cmha/platforms.yaml``.
    pillar
        The value of the pillar key ``cmha``; the default is what this minion has. Where that has
        ``cmha_only:pair``, as a rejoin gives it, only this host's pair has to be right.

    Returns the mapping of this minion's pair, see ``cmha_site.site`` and ``cmha_corosync.fitted``, with
    ``saltenv`` (whose files were read), ``site``, ``node`` (this host), ``rules`` (of the firewall, for the
    ``firewall:backend`` that this host has), ``daemons`` (of the cluster), ``idle_daemons`` (that it could
    have, and hasn't), ``at_boot``, ``fence_devices`` (see ``cmha_fencing``), ``device_port`` and
    ``wants_certificate`` (see ``cmha_site``) and the keys of both platform files. It holds no key of
    Corosync. A Pacemaker that has no alerts (before 1.1.15) makes ``alerts`` false, whatever pillar says.

    A wrong pillar, or a platform that cmha doesn't know, gives a mapping with one key: ``error``, a line
    that names the pillar path.

    CLI Example:

    .. code-block:: bash

        salt '*' cmha.mapping "$(cat defaults.json)" "$(cat platforms.json)"
    """
    if pillar is not None:
        return _mapping(defaults, platforms, pillar)
    found = made()
    if found is None:
        found = _mapping(defaults, platforms, _own_pillar())
        __context__[_MADE] = (__context__.get("fileclient"), found)
    return found


def made():
    """
    The mapping that ``mapping`` has made in this run of states; ``None`` before it was asked.

    Every state file asks, and one run of states reads them all before a state changes what is asked here. A
    run is told from another by the file client that it has put into the context.

    CLI Example:

    .. code-block:: bash

        salt '*' cmha.made
    """
    run = __context__.get("fileclient")
    made_for, found = __context__.get(_MADE, (None, None))
    return None if run is None or made_for is not run else found


def data(value, sort_keys=False):
    """
    How data go into a state file: as YAML that is one line and stays what it was, a number or the text
    ``007``, with control characters, of any length.

    value
        Data as YAML has them.
    sort_keys
        Keys in the order of the alphabet; the default is their own order.

    Returns a text.

    CLI Example:

    .. code-block:: bash

        salt '*' cmha.data '{a: "007"}'
    """
    # as slsutil.serialize, which makes a loader for each value: a tenth of a run of states
    return salt.serializers.yaml.serialize(
        value,
        default_flow_style=True,
        default_style='"',
        width=2147483647,
        sort_keys=sort_keys,
    )


def _mapping(defaults, platforms, pillar):
    try:
        site, pair, node = _here(defaults, pillar)
        platform = __utils__["cmha_platform.platform"](
            platforms, __grains__, _is_unit_only(pair["service"]), pair["platform"]
        )
        # what is written for it before it is there has to suit what comes, whatever the platform has had
        version = __salt__["corosync.version"]() or __salt__["daemons.to_come"](
            "corosync", pair["versions"].get("corosync")
        )
        generation = __salt__["corosync.generation"](platform["corosync_generation"], version)
        pair = __utils__["cmha_corosync.fitted"](pair, generation, version)
        rules = __utils__["cmha_firewall.rules"](pair)
        firewall = _firewall(pair["firewall"], platform) if rules else pair["firewall"]
        backend = firewall["backend"] if rules else None
        has_device = bool(__utils__["quorum_device.declared"](pair))
        packages = __utils__["cmha_platform.packages"](
            platform, pair["crmsh"], backend, has_device, pair["fencing"]["packages"]
        )
        daemons = _services(__utils__["cmha_site.daemons"](has_device))
    except (ValueError, CommandExecutionError) as error:
        return {"error": str(error)}
    return {
        **platform,
        **pair,
        "platform": platform["platform"],
        "saltenv": __opts__.get("saltenv") or "base",
        "site": site["site"],
        "node": node,
        "firewall": firewall,
        "rules": rules,
        "packages": packages,
        "fence_devices": __utils__["cmha_fencing.devices"](pair, node["name"]),
        "wants_certificate": __utils__["quorum_device.wants_certificate"](pair),
        "device_port": __utils__["quorum_device.port"](pair),
        "daemons": daemons,
        "idle_daemons": [
            each for each in _services(__utils__["cmha_site.daemons"](True)) if each not in daemons
        ],
        "at_boot": _services(__utils__["cmha_site.at_boot"](pair["start_on_boot"], has_device)),
    }


def declared(secrets=False):
    """
    The configuration of Pacemaker that pillar, with the defaults, declares for this host's cluster.

    secrets
        Show secrets, and don't mask them. Called from the command line, they go to the job cache.

    Returns a mapping by section, and ``absent`` and ``purge``, as ``cib.check_whole`` does. Raises
    ``CommandExecutionError`` with a line that names the pillar path when the pillar is wrong.

    CLI Example:

    .. code-block:: bash

        salt '*' cmha.declared
    """
    defaults = salt.utils.yaml.safe_load(__salt__["cp.get_file_str"](_DEFAULTS))
    try:
        _, pair, _ = _here(defaults, __pillar__.get("cmha"))
    except ValueError as error:
        raise CommandExecutionError(f"{__grains__['id']}: {error}") from None
    return pair["pacemaker"] if secrets else __utils__["cib.masked"](pair["pacemaker"])


def _own_pillar():
    pillar = __pillar__.get("cmha")
    if not (__pillar__.get("cmha_only") or {}).get("pair"):
        return pillar
    return __utils__["cmha_site.of_host"](pillar, __grains__["id"])


def _here(defaults, pillar):
    """The site, the pair and the node of this host, by its pillar."""
    site = __utils__["cmha_site.site"](pillar, defaults, __utils__["cib.check_whole"])
    pair, node = __utils__["cmha_site.pair_of"](site, __grains__["id"])
    if pair["agent_by_host"]:
        pair = __utils__["cmha_site.with_agent"](pair, _agent(pair))
    if pair["alerts"] and _older_than_alerts(__salt__["crm.version"]()):
        pair = __utils__["cmha_site.without_alerts"](pair)
    return site, pair, node


def _firewall(settings, platform):
    """The settings of the firewall, with the backend of this host."""
    backend = __utils__["packet_rules.choose"](
        settings["backend"],
        __salt__["packet_filter.active"](),
        platform["firewall_backend"],
        __grains__["id"],
    )
    __utils__["cmha_platform.need_place_to_save"](platform, backend, settings["save"])
    return {**settings, "backend": backend}


def _agent(pair):
    """By which agent the service is run. What its cluster has stays, also when a package brings a unit in
    place of an init script: another agent restarts the service, and that is for pillar to ask for."""
    resource = pair["resource"]
    script = pair["pacemaker"]["primitives"][resource]["agent"]
    name = script.partition(":")[2]
    unit = f"systemd:{name}"
    there = __utils__["cib.agent"](__salt__["crm.query"](), resource)
    if there in (script, unit):
        return there
    return unit if __grains__.get("init") == "systemd" and _is_unit_only(name) else script


def _services(daemons):
    init = __grains__.get("init")
    return [__utils__["cmha_platform.service"](daemon, init) for daemon in daemons]


def _older_than_alerts(pacemaker):
    """Whether this version of Pacemaker has no alerts; what will yet be installed is taken to have them."""
    numbers = [int(number) for number in re.findall(r"\d+", pacemaker or "")[:3]]
    return bool(numbers) and numbers < _FIRST_WITH_ALERTS


def _is_unit_only(service):
    """Whether the service is a unit of its own. One that isn't there, or not yet, is none."""
    if os.path.exists(f"{_INIT_SCRIPTS}/{service}"):
        return False
    return any(os.path.exists(f"{units}/{service}.service") for units in _UNITS)
