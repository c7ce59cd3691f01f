"""What a good host answers to the master's questions, by function: see ``_utils/cmha_answers.py``."""

import copy

_NODE = {
    **dict.fromkeys(("standby", "maintenance", "pending", "unclean", "shutdown", "dc"), False),
    "id": "1",
    "online": True,
    "resources": 1,
}
_FAILURE = {
    "resource": "cloudera-scm-server",
    "task": "monitor",
    "node": "cms2",
    "rc": 7,
    "status": "complete",
    "reason": "not running",
    "when": "2026-11-24",
}
_FENCING = {
    "node": "cms2",
    "action": "reboot",
    "status": "success",
    "by": "cms1",
    "asked_by": "pacemaker-controld.812 on cms1",
    "reason": None,
    "when": "2026-11-24 10:00:00 +01:00",
}
_PLAN = {
    "changes": {"properties:x": {"old": None, "new": "1"}},
    "summary": ["would change properties:x: None -> 1"],
    "warnings": ["properties:x: odd"],
    "effects": [{"action": "Start", "what": "vip", "where": "cms1", "why": None}],
}

_ANSWERS = {
    "cmha_host.fitness": {
        "pillar": "0f",
        "time": 1_000_000.0,
        "code": "0e",
        "nodename": "cms1",
        "platform": "Debian 12",
        "taken_as": None,
        "addresses": ["127.0.0.1", "192.0.2.11"],
        "resolves": {"cms1": ["192.0.2.11"], "cms2": ["192.0.2.12"]},
        "corosync": "3.1.7",
        "pacemaker": None,
        "to_come": {"pacemaker": "2.1.5"},
        "agent": "lsb:cloudera-scm-server",
        "has_agent": True,
        "service": "cloudera-scm-server",
        "has_service": True,
        "cluster": {"is": "none", "runs": "none", "seen": ""},
        "conf": "none",
        "running": False,
        "members": [],
        "ports": {"5404": "heard", "5405": "heard"},
        "firewall_open": True,
        "firewall": "iptables",
        "authenticated": False,
        "device_silent": None,
        "own_failover": False,
        "watchdog": [],
        "certified": True,
    },
    "cmha_host.health": {
        "hangs": ["corosync hangs: it is stopped"],
        "recovers": ["pacemaker-execd hangs: it is stopped"],
        "corosync": True,
        "cluster": {
            "dc": "cms1",
            "dc_version": "2.1.5",
            "with_quorum": True,
            "maintenance": False,
            "nodes": {"cms1": _NODE, "cms2": {**_NODE, "id": "2"}},
            "resources": {
                "cloudera-scm-server": {
                    "started": ["cms1"],
                    "nodes": ["cms1"],
                    **dict.fromkeys(("failed", "blocked"), False),
                    "managed": True,
                }
            },
            "failures": [_FAILURE],
            "fencing": False,
            "fencings": [_FENCING],
        },
        "leftovers": [{"id": "cli-prefer-cm", "resource": "cm", "node": None}],
        "maintenance": {"on": False, "ours": False, "before": None},
        "since": {"cms1": 1_700_000_000},
        "service": {"running": True, "text": "running", "every": 30.0, "owner": None},
        "answers": True,
        "frozen": None,
        "unable": ["lsb:cloudera-scm-server can't be executed: /etc/init.d/cloudera-scm-server"],
        "survival": {"cms1": {"takes_over": None, "why": ["cms2 is offline"]}},
        "twice": [],
        "unfenced": ["no fence device that answers can fence cms2"],
        "unsure": None,
        "pillar": "0" * 64,
        "wrong": None,
        "drift": ["corosync.conf says totem.token 7000, pillar says None"],
        "at_boot": ["pacemaker"],
        "device": {"state": "Connected", "tls": True, "votes": True},
        "pacemaker": {"version": "2.1.5", "feature_set": "3.16.1"},
    },
    "cmha_host.pending": {
        "running": True,
        "pacemaker": True,
        "corosync": {"totem.token": {"old": None, "new": "5000"}},
        "way": "reload",
        "refused": ["totem.token"],
        "packages": {"corosync": {"old": "3.1.6", "new": "3.1.7"}},
    },
    "cmha_host.causes": {"booted": 1_700_000_000, "logs": {"syslog": ["a"]}, "service": "stopped"},
    "cmha_host.move": {
        "away": 2.5,
        "seen_by": "the page on port 7180",
        "started": ["cms2"],
        "overcome": [],
    },
    "cmha_host.plan": _PLAN,
    "crm.plan": _PLAN,
    "crm.check": {"running": False, "rc": 7, "text": "not running"},
    "crm.feature_set": "3.16.1",
    "crm.started": ["cms1"],
    "crm_forecast.after_move": ["cms2"],
    "crm_forecast.unfenced": ["no fence device can fence cms1"],
    "fencing.missing_passwords": ["fence-cms1"],
    "fencing.fence": {
        "seconds": 7.5,
        "said": "cms2 was able to reboot node cms1 on behalf of stonith_admin",
    },
    "crm.running": True,
}
_ANSWERS["cmha_look.everything"] = {
    "fitness": _ANSWERS["cmha_host.fitness"],
    "to_do": [],
    "pending": _ANSWERS["cmha_host.pending"],
    "health": _ANSWERS["cmha_host.health"],
    "spent": 3.5,
}


def answer(function, **changes):
    """What a good host answers, with some of its fields changed."""
    good = copy.deepcopy(_ANSWERS[function])
    return {**good, **changes} if changes else good


def functions():
    return list(_ANSWERS)


# What ``cmha_host.pending`` says where nothing waits for a restart
NOTHING_WAITS = answer("cmha_host.pending", corosync={}, way=None, refused=[], packages={})
