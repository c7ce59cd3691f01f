"""
What the pillar ``cmha`` may say: its keys, and what stands under each.

Pure functions. The keys and their spelling are those of corosync.conf(5), votequorum(5) and the guide;
``pillar.example`` explains each. How a single value may look is ``pillar_values``'.
"""

import copy
import re

import cib_sections
import cib_values
import corosync_keys
import pacemaker_words
import pillar_values
from pillar_values import SiteError, below, nearest, need_mapping, need_printable, shown

# What preflight finds out and a site may have it only warn of (cmha:preflight:ignore).
PREFLIGHT_CHECKS = ("nodename", "address", "resolve", "reach", "versions", "service", "clock")
# What is found out when a change is ready, and then refused.
FAILOVER = "failover"


def __virtual__():
    return True


def checked(pillar):
    """
    Check what a site's pillar says, key by key; what the keys mean together is ``cmha_site.site``'s.

    pillar
        The value of the pillar key ``cmha``.

    Returns it with every value as it is used. Raises SiteError for the first thing that is wrong.
    """
    return _checked(pillar, _SITE, "cmha")


def settings(layer):
    """
    What of a layer of pillar may stand at a site, at a role and at a pair alike.

    layer
        A site, a role or a pair.
    """
    return {key: value for key, value in layer.items() if key in _SETTINGS}


# --- rules ---------------------------------------------------------------------------------------


def _checked(value, rule, path):
    return rule(value, path) if callable(rule) else _mapping(rule)(value, path)


def _mapping(rules):
    def rule(value, path):
        need_mapping(value, path)
        for key in value:
            if key not in rules:
                raise SiteError(below(path, key), f"is no known key{_belongs(key, rules)}")
        return {key: _checked(value[key], rules[key], below(path, key)) for key in value}

    return rule


def _mapping_of(key_rule, value_rule):
    def rule(value, path):
        need_mapping(value, path)
        if not value:
            raise SiteError(path, "is empty")
        found = {
            key_rule(key, below(path, key)): _checked(item, value_rule, below(path, key))
            for key, item in value.items()
        }
        if len(found) < len(value):
            raise SiteError(path, "has a number twice, once as text")
        return found

    return rule


def _belongs(key, rules):
    """Where a key belongs, or the nearest that is known here."""
    if str(key).replace("-", "_") in rules:
        return nearest(key, rules)
    homes = [home for home, keys in _homes().items() if key in keys]
    if (section := pacemaker_words.home(key)) and not nearest(key, rules):
        homes.append(f"pacemaker:{section}")
    if homes and key not in rules:
        return f"; it belongs under {' or '.join(homes)}"
    return nearest(key, rules)


def _heuristics(value, path):
    need_mapping(value, path)
    commands = {
        key: _COMMANDS["exec_"]
        for key in value
        # Corosync's names of keys end at 255 characters, those before it included
        if isinstance(key, str) and re.fullmatch(r"exec_[A-Za-z0-9_-]{1,225}", key)
    }
    known = {key: rule for key, rule in _COMMANDS.items() if key != "exec_"}
    return _mapping({**known, **commands})(value, path)


def _section(value, path):
    # What stands in a section of the CIB is checked by the CIB model, which knows its rules.
    need_mapping(value, path)
    section = {key: copy.deepcopy(each) for key, each in value.items() if each is not None}
    # what the roles' own are laid over
    need_mapping(section.get("primitives", {}), below(path, "primitives"))
    # Before the layers become one: by whichever name pillar calls a property, it overrides the default
    properties = section.get("properties")
    for old, new in cib_values.RENAMED_PROPERTIES.items():
        if isinstance(properties, dict) and new in properties and old not in properties:
            properties[old] = properties.pop(new)
    return section


def _versions(value, path):
    need_mapping(value, path)
    return {
        pillar_values.package(name, path): pillar_values.version(value[name], below(path, name))
        for name in value
    }


def _repository(value, path):
    # Salt's own pkgrepo.managed takes it, whose arguments differ by package manager.
    need_mapping(value, path)
    for key in value:
        if (
            not isinstance(key, str)
            or not re.fullmatch(r"[A-Za-z][A-Za-z_]*", key)
            or key in _REQUISITES
        ):
            raise SiteError(below(path, key), "is no option of Salt's pkgrepo.managed")
    if value and not (isinstance(value.get("name"), str) and value["name"].strip()):
        said = f"should be text, is {shown(value['name'])}" if "name" in value else "is missing"
        raise SiteError(f"{path}:name", f"{said}; see Salt's pkgrepo.managed")
    for key, each in value.items():
        # they become lines of a file of the host
        for text in each if isinstance(each, list) else [each]:
            need_printable(str(text), below(path, key))
    if "file" in value and not _REPOSITORY_FILE.fullmatch(str(value["file"])):
        raise SiteError(
            below(path, "file"),
            f"should be a file of repositories, as /etc/apt/sources.list.d/x.list, is {shown(value['file'])}",
        )
    return copy.deepcopy(value)


_REPOSITORY_FILE = re.compile(
    r"/etc/(apt/sources\.list(\.d/[\w-][\w.-]*)?|(yum\.repos|zypp/repos)\.d/[\w-][\w.-]*)", re.ASCII
)

# Of every state, and cmha's own to set
_REQUISITES = (
    "require", "require_in", "require_any", "watch", "watch_in", "watch_any", "onchanges", "onchanges_in",
    "onchanges_any", "onfail", "onfail_in", "onfail_any", "prereq", "prereq_in", "use", "use_in", "listen",
    "listen_in", "order", "onlyif", "unless", "failhard", "reload_modules", "reload_grains", "reload_pillar",
    "fun", "state", "names", "check_cmd", "retry", "parallel", "runas", "runas_password", "umask",
    "fire_event", "creates", "state_aggregate", "saltenv", "test",
)  # fmt: skip


def _params(value, path):
    # What an agent takes is checked as of any primitive, when the device has become one. What stands here may
    # be a secret, and isn't shown.
    if not isinstance(value, dict):
        raise SiteError(path, "should be a mapping of parameters; what it is isn't shown")
    return copy.deepcopy(value)


def _each_params(value, path):
    if not isinstance(value, dict):
        raise SiteError(path, "should be a mapping by node; what it is isn't shown")
    return _mapping_of(pillar_values.name, _params)(value, path)


def _packages(value, path):
    if not isinstance(value, list):
        raise SiteError(path, f"should be a list, is {shown(value)}")
    return [pillar_values.any_package(each, path) for each in value]


def _checks(value, path):
    if not isinstance(value, list):
        raise SiteError(path, f"should be a list, is {shown(value)}")
    return [pillar_values.one_of(*PREFLIGHT_CHECKS, FAILOVER)(each, path) for each in value]


_PORT = pillar_values.number(1, 65535)
_COUNT = pillar_values.number(0, 2**31 - 1)
_SECONDS = pillar_values.number(1, 24 * 60 * 60)
_ON_OFF = pillar_values.switch("on", "off")
_YES_NO = pillar_values.switch("yes", "no")
_ONE_ZERO = pillar_values.switch(1, 0)


def _link(value, path):
    # JSON has no other keys than text
    plain = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]", value) else value
    return pillar_values.number(0, pillar_values.LINKS - 1)(plain, path)


_KINDS = {
    corosync_keys.COUNT: _COUNT,
    corosync_keys.PORT: _PORT,
    corosync_keys.BYTE: pillar_values.number(0, 255),
    corosync_keys.FILE: pillar_values.file,
    corosync_keys.LOG: pillar_values.log,
    corosync_keys.ON_OFF: _ON_OFF,
    corosync_keys.YES_NO: _YES_NO,
    corosync_keys.ONE_ZERO: _ONE_ZERO,
    corosync_keys.ADDRESS: pillar_values.network,
    corosync_keys.MULTICAST: pillar_values.multicast,
    corosync_keys.HOST: pillar_values.host,
    corosync_keys.COMMAND: pillar_values.command,
    corosync_keys.TIE_BREAKER: pillar_values.tie_breaker,
    corosync_keys.TIE_BREAKER_OF_DEVICE: pillar_values.tie_breaker_of_device,
}


def _section_of_corosync(name):
    """The rules of a section of corosync.conf, for all generations together."""
    return {
        key: _rule_of_corosync(rule, corosync_keys.RANGES.get((name, key)))
        for key, (_, rule) in corosync_keys.SECTIONS[name].items()
    }


def _rule_of_corosync(rule, limits):
    if limits:
        return pillar_values.number(*limits)
    return pillar_values.spelt(tuple(rule)) if isinstance(rule, dict) else _KINDS[rule]


_COMMANDS = _section_of_corosync("quorum:device:heuristics")

_COROSYNC = {
    "totem": _section_of_corosync("totem"),
    "interface": _mapping_of(_link, _section_of_corosync("interface")),
    "quorum": {
        **_section_of_corosync("quorum"),
        "device": {
            **_section_of_corosync("quorum:device"),
            "net": _section_of_corosync("quorum:device:net"),
            "heuristics": _heuristics,
        },
    },
    "logging": {
        **_section_of_corosync("logging"),
        "logger_subsys": _mapping_of(
            pillar_values.one_of(*corosync_keys.SUBSYSTEMS),
            _section_of_corosync("logging:logger_subsys"),
        ),
    },
    "authkey": pillar_values.authkey,
}

_SETTINGS = {
    "service": pillar_values.service,
    "resource": pillar_values.resource,
    "port": _PORT,
    "corosync": _COROSYNC,
    "firewall": {
        "enabled": pillar_values.flag,
        "backend": pillar_values.one_of("auto", "iptables", "nftables", "firewalld", "ufw"),
        "sources": pillar_values.one_of("pair", "any"),
        "save": pillar_values.flag,
    },
    "pacemaker": _section,
    "fencing": {
        "packages": _packages,
        "agent": pillar_values.fence_agent,
        "params": _params,
        "nodes": _each_params,
    },
    "alerts": pillar_values.flag,
    "platform": pillar_values.platform,
    "start_on_boot": pillar_values.one_of("never", "after_clean_shutdown", "always"),
    "timeouts": {"online": _SECONDS, "started": _SECONDS},
    "versions": _versions,
    "qnetd": pillar_values.name,
    "crmsh": {"install": pillar_values.flag, "repository": _repository},
    "agent_stop": pillar_values.one_of("hard_stop_confirmed", "next_stop_hard", "stop_supervisord"),
    "agent_processes": pillar_values.pattern,
    "preflight": {"clock_difference": _SECONDS, "ignore": _checks},
}


def _homes():
    """By section, the keys that people look for elsewhere."""
    return {
        "corosync:totem": _COROSYNC["totem"],
        "corosync:quorum": {key for key in _COROSYNC["quorum"] if key != "device"},
        "corosync:quorum:device:net": _COROSYNC["quorum"]["device"]["net"],
        "corosync:logging": _COROSYNC["logging"],
        "corosync:interface:NUMBER": _section_of_corosync("interface"),
        "corosync": _COROSYNC,
        "pacemaker": {section.key for section in cib_sections.SECTIONS} - _SETTINGS.keys(),
    }


_NODE = {
    "nodeid": pillar_values.number(1, 2**31 - 1),
    "address": pillar_values.address,
    "addresses": pillar_values.addresses,
    "name": pillar_values.name,
    **_section_of_corosync("node"),
}

_PAIR = {
    **_SETTINGS,
    "role": pillar_values.one_of("server", "agent"),
    "cluster_name": pillar_values.name,
    "nodes": _mapping_of(pillar_values.name, _NODE),
}

_SITE = {
    **_SETTINGS,
    "site": pillar_values.name,
    "pairs": _mapping_of(pillar_values.name, _PAIR),
    "roles": {"server": _SETTINGS, "agent": _SETTINGS},
}
