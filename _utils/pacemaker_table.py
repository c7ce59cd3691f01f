"""
The words that Pacemaker 1.1 to 3.0 knows: cluster properties, meta attributes by kind of object, operations
and their attributes, each with the kind of its value; and between which versions there is one that not all
have.

Plain data. Sources: ``pacemaker-schedulerd(7)``, ``pacemaker-controld(7)`` and ``pacemaker-fenced(7)`` of
each version, and their sources for what these leave out; "Pacemaker Explained".
"""

import re


def __virtual__():
    return True


BOOLEAN, DURATION, INTEGER = "true or false", "a duration, as 60s or 5min", "a whole number"
TIMEOUT = "a duration, as 10s, or -1"
SPAN = "a duration, as 60s or 5min, and not of ISO 8601"
THRESHOLD, POSITIVE = "a number from 0 on, or INFINITY", "a number from 1 on"
SCORE, PERCENTAGE, TEXT = "a number, INFINITY or -INFINITY", "a percentage, as 80%", "text"


def _of(kind, names):
    return dict.fromkeys(names.split(), kind)


PROPERTIES = {
    **_of(
        BOOLEAN,
        "symmetric-cluster maintenance-mode start-failure-is-fatal enable-startup-probes stonith-enabled "
        "fencing-enabled startup-fencing concurrent-fencing stop-all-resources stop-orphan-resources "
        "stop-orphan-actions stop-removed-resources cancel-removed-actions remove-after-stop "
        "is-managed-default "
        "enable-acl shutdown-lock have-watchdog fence-remote-without-quorum",
    ),
    **_of(
        DURATION,
        "cluster-delay dc-deadtime cluster-recheck-interval election-timeout shutdown-escalation "
        "join-integration-timeout join-finalization-timeout transition-delay crmd-integration-timeout "
        "crmd-finalization-timeout crmd-transition-delay stonith-timeout fencing-timeout "
        "priority-fencing-delay "
        "shutdown-lock-limit node-pending-timeout default-action-timeout",
    ),
    **_of(
        INTEGER,
        "batch-limit migration-limit node-action-limit pe-error-series-max pe-warn-series-max "
        "pe-input-series-max",
    ),
    **_of(POSITIVE, "cluster-ipc-limit stonith-max-attempts fencing-max-attempts"),
    **_of(
        SCORE,
        "default-resource-stickiness "
        "default-resource-failure-stickiness default-migration-threshold node-health-base "
        "node-health-green "
        "node-health-yellow node-health-red",
    ),
    **_of(PERCENTAGE, "load-threshold"),
    **_of(
        TEXT,
        "cluster-infrastructure cluster-name dc-version last-lrm-refresh notification-agent "
        "notification-recipient "
        "cmha-maintenance",
    ),
    **_of(TIMEOUT, "stonith-watchdog-timeout fencing-watchdog-timeout"),
    **_of(INTEGER, "expected-quorum-votes"),
    "no-quorum-policy": ("stop", "freeze", "ignore", "demote", "fence", "suicide"),
    "stonith-action": ("reboot", "off", "poweroff"),
    "fencing-action": ("reboot", "off", "poweroff"),
    "fence-reaction": ("stop", "panic"),
    "fencing-reaction": ("stop", "panic"),
    "node-health-strategy": ("none", "migrate-on-red", "only-green", "progressive", "custom"),
    "placement-strategy": ("default", "utilization", "minimal", "balanced"),
}

# Some agents keep their state among the properties, as redis_REPL_INFO
AGENTS_OWN = re.compile(r"_REPL_INFO$|^hana_|^azure-events")

ROLES = ("Stopped", "Started", "Promoted", "Unpromoted", "Master", "Slave")
REQUIRES = ("nothing", "quorum", "fencing", "unfencing", "stonith")

RESOURCE_META = {
    **_of(
        BOOLEAN,
        "is-managed maintenance critical allow-migrate allow-unhealthy-nodes remote-allow-migrate",
    ),
    **_of(SCORE, "priority resource-stickiness resource-failure-stickiness"),
    **_of(THRESHOLD, "migration-threshold"),
    **_of(DURATION, "failure-timeout remote-connect-timeout"),
    **_of(INTEGER, "remote-port"),
    **_of(
        TEXT,
        "container container-attribute-target remote-node remote-addr provides isolation isolation-wrapper "
        "isolation-instance isolation-host",
    ),
    "target-role": ROLES,
    "requires": REQUIRES,
    "multiple-active": ("block", "stop_only", "stop_start", "stop_unexpected"),
    "restart-type": ("ignore", "restart"),
}

GROUP_META = {**RESOURCE_META, **_of(BOOLEAN, "ordered collocated")}

CLONE_META = {
    **GROUP_META,
    **_of(BOOLEAN, "globally-unique notify interleave promotable"),
    **_of(
        INTEGER,
        "clone-max clone-min clone-node-max promoted-max promoted-node-max master-max master-node-max",
    ),
}

OPERATION = {
    **_of(DURATION, "interval"),
    **_of(SPAN, "timeout start-delay"),
    **_of(BOOLEAN, "enabled record-pending"),
    **_of(TEXT, "interval-origin description"),
    "on-fail": (
        "ignore",
        "block",
        "demote",
        "migrate",
        "stop",
        "restart",
        "standby",
        "fence",
        "restart-container",
    ),
    "role": ROLES,
    "requires": REQUIRES,
}

ALERT_META = {
    **_of(SPAN, "timeout"),
    **_of(TEXT, "timestamp-format"),
    **_of(BOOLEAN, "enabled"),
}

# What Pacemaker itself reads of a fence device's parameters; all that begins so is its own
OF_THE_FENCER = re.compile(r"pcmk_")
FENCING_ACTIONS = ("reboot", "off", "on", "list", "monitor", "status", "metadata", "validate-all")
FENCING = {
    "pcmk_host_check": ("dynamic-list", "static-list", "status", "none"),
    **_of(
        TEXT, "pcmk_host_list pcmk_host_map pcmk_host_argument pcmk_arg_map pcmk_poweroff_action"
    ),
    **_of(TEXT, "pcmk_delay_base"),  # a duration, or one for each node
    **_of(DURATION, "pcmk_delay_max"),
    **_of(INTEGER, "pcmk_action_limit"),
    **{f"pcmk_{action}_action": TEXT for action in FENCING_ACTIONS},
    **{f"pcmk_{action}_timeout": DURATION for action in FENCING_ACTIONS},
    **{f"pcmk_{action}_retries": INTEGER for action in FENCING_ACTIONS},
}

# Attributes of a node that Pacemaker acts by; any other name is an administrator's
HEALTH = re.compile("#health")
OF_A_NODE = dict.fromkeys(
    ("standby", "maintenance", "terminate", "resource-discovery-enabled"), BOOLEAN
)
COLOURS = ("red", "yellow", "green")

# Between which versions a word, or one of its values, is known: the first and the last, for each time. What
# isn't here, all of them know, or cmha spells as the version does. Distributions take some into older ones.
KNOWN = {
    "allow-unhealthy-nodes": [("2.1.3", None)],
    "clone-min": [("1.1.14", None)],
    "cluster-ipc-limit": [("1.1.17", None)],
    "concurrent-fencing": [("1.1.15", None)],
    "container-attribute-target": [("1.1.18", None)],
    "crmd-finalization-timeout": [(None, "2.1.11")],
    "crmd-integration-timeout": [(None, "2.1.11")],
    "crmd-transition-delay": [(None, "2.1.11")],
    "critical": [("2.1.0", None)],
    "default-action-timeout": [(None, "1.1.24")],
    "default-migration-threshold": [(None, "1.1.7")],
    "default-resource-failure-stickiness": [(None, "1.1.24")],
    "default-resource-stickiness": [(None, "1.1.24")],
    "expected-quorum-votes": [(None, "2.1.11")],
    "fence-reaction": [("1.1.22", "1.1.24"), ("2.0.3", None)],
    "fence-remote-without-quorum": [("2.1.10", "2.1.11"), ("3.0.1", None)],
    "is-managed-default": [(None, "1.1.24")],
    "isolation": [("1.1.13", "2.1.11")],
    "isolation-host": [("1.1.13", "2.1.11")],
    "isolation-instance": [("1.1.13", "2.1.11")],
    "isolation-wrapper": [("1.1.13", "2.1.11")],
    "join-finalization-timeout": [("2.0.0", None)],
    "join-integration-timeout": [("2.0.0", None)],
    "load-threshold": [("1.1.11", None)],
    "multiple-active=stop_unexpected": [("2.1.3", None)],
    "no-quorum-policy=demote": [("2.0.5", None)],
    "no-quorum-policy=fence": [("2.1.9", None)],
    "node-action-limit": [("1.1.11", None)],
    "node-health-base": [("1.1.16", None)],
    "node-pending-timeout": [("2.1.7", None)],
    "notification-agent": [("1.1.14", "1.1.24")],
    "notification-recipient": [("1.1.14", "1.1.24")],
    "on-fail=demote": [("2.0.5", None)],
    "priority-fencing-delay": [("1.1.23", "1.1.24"), ("2.0.4", None)],
    "remote-allow-migrate": [("1.1.12", None)],
    "remove-after-stop": [(None, "2.1.11")],
    "resource-failure-stickiness": [(None, "1.1.24")],
    "restart-type": [(None, "2.1.11")],
    "shutdown-lock": [("2.0.4", None)],
    "shutdown-lock-limit": [("2.0.4", None)],
    "stonith-max-attempts": [("1.1.17", None)],
    "stonith-watchdog-timeout": [("1.1.13", None)],
    "transition-delay": [("2.0.0", None)],
}
# Of OCF, of fencing devices, and what Pacemaker itself asks for
ACTIONS = (
    "start stop monitor promote demote notify migrate_to migrate_from reload reload-agent validate-all "
    "meta-data status "
    "recover usage methods restart force-reload on off reboot list list-status metadata"
).split()
