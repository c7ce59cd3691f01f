"""
What Corosync knows, by generation: every key of corosync.conf that pillar may set, which generations know
it, and what it may say. Corosync ignores a key that it doesn't know, without a word: hence this table.

Data only. A generation is the first number of Corosync's version: 1 (1.4), 2 (2.4), 3 (3.1). Sources:
``corosync.conf(5)``, ``votequorum(5)`` and ``corosync-qdevice(8)`` of each; for 1.4 its ``totemconfig.c``.
Left out is what the model sets itself (``cluster_name``, ``nodeid``, the numbers and members of interfaces,
the nodelist), ``key``, a secret that has no place in a file that everyone may read, and the transport
``iba``.
"""

import re

ALL, ONLY_1, ONLY_2, ONLY_3 = (1, 2, 3), (1,), (2,), (3,)
UNTIL_2, SINCE_2 = (1, 2), (2, 3)

# What a value may be. A mapping stands for words, each with the generations that know it.
COUNT, PORT, BYTE, FILE = "count", "port", "byte", "file"
LOG = "file of a log"
ON_OFF, YES_NO, ONE_ZERO = "on or off", "yes or no", "1 or 0"
ADDRESS, MULTICAST, HOST, COMMAND = "address", "multicast address", "host", "command"
TIE_BREAKER = "tie breaker"
TIE_BREAKER_OF_DEVICE = "tie breaker of a device"


def _words(generations, text):
    return dict.fromkeys(text.split(), generations)


def _keys(generations, rule, text):
    return dict.fromkeys(text.split(), (generations, rule))


_PRIORITY = _words(ALL, "alert crit debug emerg err info notice warning")

_LOGGER = {
    **_keys(ALL, YES_NO, "to_stderr to_logfile to_syslog"),
    **_keys(ALL, _PRIORITY, "logfile_priority syslog_priority"),
    "debug": (ALL, _words(ALL, "on off trace")),
    "logfile": (ALL, LOG),
    "syslog_facility": (
        ALL,
        _words(ALL, "daemon local0 local1 local2 local3 local4 local5 local6 local7"),
    ),
}

# What has a log of its own: Corosync's parts; on 1.x also services that it loads, as openais and Pacemaker.
# Of another one it takes settings without a word, and nobody ever logs as it.
SUBSYSTEMS = tuple(
    "MAIN TOTEM KNET QUORUM VOTEQ SERV SYNC SYNCV2 CFG CMAP CPG CONFDB EVS IPC APIDEF YKD MON PLOAD STATS WD "
    "QB AMF CKPT CLM EVT LCK MSG TMR TEST pcmk".split()
)

# By section, by key: the generations, and the rule
SECTIONS = {
    "totem": {
        "version": (ALL, _words(ALL, "2")),
        "transport": (ALL, {**_words(ALL, "udpu udp"), "knet": ONLY_3}),
        "secauth": (ALL, ON_OFF),
        "keyfile": (ALL, FILE),
        "crypto_cipher": (
            SINCE_2,
            {**_words(SINCE_2, "none aes256 aes192 aes128"), "3des": ONLY_2},
        ),
        "crypto_hash": (SINCE_2, _words(SINCE_2, "none md5 sha1 sha256 sha384 sha512")),
        "crypto_model": (ONLY_3, _words(ONLY_3, "nss openssl gcrypt")),
        "crypto_type": (ONLY_1, _words(ONLY_1, "sober nss")),
        "crypto_accept": (ONLY_1, _words(ONLY_1, "old new")),
        "ip_version": (
            SINCE_2,
            {**_words(SINCE_2, "ipv4 ipv6"), **_words(ONLY_3, "ipv4-6 ipv6-4")},
        ),
        "link_mode": (ONLY_3, _words(ONLY_3, "passive active rr")),
        "rrp_mode": (UNTIL_2, _words(UNTIL_2, "none active passive")),
        "vsftype": (ONLY_1, _words(ONLY_1, "ykd none")),
        # what there may be of libknet; which of them is, its packages say
        "knet_compression_model": (
            ONLY_3,
            _words(ONLY_3, "zlib lz4 lz4hc lzo2 lzma bzip2 zstd"),
        ),
        "clear_node_high_bit": (ALL, YES_NO),
        **_keys(SINCE_2, YES_NO, "block_unlisted_ips cancel_token_hold_on_retransmit"),
        **_keys(
            ALL,
            COUNT,
            "token token_retransmit token_retransmits_before_loss_const hold join send_join consensus merge "
            "downcheck fail_recv_const seqno_unchanged_const heartbeat_failures_allowed max_network_delay "
            "window_size max_messages miss_count_const netmtu",
        ),
        **_keys(ONLY_1, COUNT, "threads"),
        **_keys(
            UNTIL_2,
            COUNT,
            "rrp_problem_count_timeout rrp_problem_count_threshold rrp_problem_count_mcast_threshold "
            "rrp_token_expired_timeout rrp_autorecovery_check_timeout",
        ),
        **_keys(SINCE_2, COUNT, "config_version token_coefficient"),
        **_keys(
            ONLY_3,
            COUNT,
            "token_warning knet_compression_level knet_compression_threshold knet_mtu knet_pmtud_interval",
        ),
    },
    "interface": {
        "bindnetaddr": (ALL, ADDRESS),
        "broadcast": (ALL, YES_NO),
        "mcastaddr": (ALL, MULTICAST),
        "mcastport": (ALL, PORT),
        "ttl": (ALL, BYTE),
        "knet_link_priority": (ONLY_3, BYTE),
        "knet_transport": (ONLY_3, _words(ONLY_3, "udp sctp")),
        **_keys(
            ONLY_3,
            COUNT,
            "knet_ping_interval knet_ping_timeout knet_ping_precision knet_pong_count",
        ),
    },
    # Of a node in pillar, this is what goes to the nodelist as it is
    "node": {"quorum_votes": (SINCE_2, COUNT)},
    # 1.x counts no votes here: Pacemaker does
    "quorum": {
        "provider": (SINCE_2, _words(SINCE_2, "corosync_votequorum")),
        **_keys(
            SINCE_2,
            ONE_ZERO,
            "two_node wait_for_all last_man_standing auto_tie_breaker allow_downscale "
            "expected_votes_tracking",
        ),
        **_keys(SINCE_2, COUNT, "expected_votes last_man_standing_window"),
        "auto_tie_breaker_node": (SINCE_2, TIE_BREAKER),
    },
    "quorum:device": {
        "model": (SINCE_2, _words(SINCE_2, "net")),
        **_keys(SINCE_2, COUNT, "votes timeout sync_timeout"),
    },
    "quorum:device:net": {
        "host": (SINCE_2, HOST),
        "port": (SINCE_2, PORT),
        "algorithm": (SINCE_2, _words(SINCE_2, "ffsplit lms")),
        "tls": (SINCE_2, _words(SINCE_2, "on off required")),
        "tie_breaker": (SINCE_2, TIE_BREAKER_OF_DEVICE),
        "connect_timeout": (SINCE_2, COUNT),
        "force_ip_version": (SINCE_2, _words(SINCE_2, "0 4 6")),
        "keep_active_partition_tie_breaker": (SINCE_2, ON_OFF),
    },
    # Beside these, any exec_NAME
    "quorum:device:heuristics": {
        "mode": (SINCE_2, _words(SINCE_2, "on off sync")),
        **_keys(SINCE_2, COUNT, "timeout sync_timeout interval"),
        "exec_": (SINCE_2, COMMAND),
    },
    "logging": {
        "timestamp": (ALL, {**_words(ALL, "on off"), "hires": ONLY_3}),
        **_keys(ALL, ON_OFF, "fileline function_name"),
        "blackbox": (SINCE_2, ON_OFF),
        **_LOGGER,
    },
    "logging:logger_subsys": _LOGGER,
}

# The least and the most that corosync-qdevice takes, milliseconds; it doesn't start with what is beyond.
# Source: qdevice-config.h and qnet-config.h of corosync-qdevice, and of Corosync 2.4.
RANGES = {
    ("quorum:device:net", "connect_timeout"): (1000, 2 * 60 * 1000),
    ("quorum:device:heuristics", "timeout"): (1000, 2 * 60 * 1000),
    ("quorum:device:heuristics", "sync_timeout"): (1000, 2 * 60 * 1000),
    ("quorum:device:heuristics", "interval"): (1000, 60 * 60 * 1000),
}

# Of what a generation didn't know from its beginning on: since which version. By section and key, or by
# section, key and word. Source: which of its tags reads it.
SINCE = {
    ("totem", "block_unlisted_ips"): {2: "2.4.5", 3: "3.0.2"},
    ("totem", "cancel_token_hold_on_retransmit"): {2: "2.4.6", 3: "3.1.6"},
    ("totem", "config_version"): {2: "2.1.0"},
    ("totem", "ip_version"): {2: "2.1.1"},
    ("totem", "knet_mtu"): {3: "3.1.7"},
    ("totem", "rrp_problem_count_mcast_threshold"): {1: "1.4.2"},
    ("totem", "token_coefficient"): {2: "2.3.4"},
    ("totem", "crypto_cipher", "3des"): {2: "2.1.1"},
    ("totem", "crypto_cipher", "aes128"): {2: "2.1.1"},
    ("totem", "crypto_cipher", "aes192"): {2: "2.1.1"},
    ("totem", "crypto_model", "gcrypt"): {3: "3.1.3"},  # and then where its kronosnet has it
    ("quorum", "auto_tie_breaker_node"): {2: "2.3.4"},
    ("quorum", "expected_votes_tracking"): {2: "2.3.3"},
    ("quorum:device", "model"): {2: "2.4.0"},
    ("quorum:device:net", "keep_active_partition_tie_breaker"): {2: "2.4.6"},
    ("quorum:device:heuristics", "mode"): {2: "2.4.3"},
    ("quorum:device:heuristics", "exec_"): {2: "2.4.3"},
    ("logging", "blackbox"): {2: "2.4.4"},
    ("logging", "debug", "trace"): {1: "1.4.5", 2: "2.1.0"},
    ("logging:logger_subsys", "debug", "trace"): {1: "1.4.5", 2: "2.1.0"},
}

# What says the same in another generation
INSTEAD = {
    ("totem", "crypto_cipher", 1): "secauth",
    ("totem", "crypto_hash", 1): "secauth",
    ("totem", "crypto_type", 2): "crypto_cipher",
    ("totem", "crypto_type", 3): "crypto_cipher",
    ("totem", "link_mode", 1): "rrp_mode",
    ("totem", "link_mode", 2): "rrp_mode",
    ("totem", "rrp_mode", 3): "link_mode",
}


def __virtual__():
    return True


def unknown(generation, section, key, value, version=None):
    """
    What a Corosync doesn't know.

    generation
        1, 2 or 3.
    version
        Of the Corosync that is installed, as ``2.4.6``; without it, the newest of its generation is meant.
    section
        A key of ``SECTIONS``.
    key, value
        As pillar has them, checked.

    Returns a text, what is wrong; ``None`` when the generation knows both. Raises KeyError for a key that no
    generation has.
    """
    keys = SECTIONS[section]
    key = "exec_" if section.endswith("heuristics") and key.startswith("exec_") else key
    generations, rule = keys[key]
    if generation not in generations:
        instead = INSTEAD.get((section, key, generation))
        return f"Corosync {generation}.x doesn't know it{f'; use {instead}' if instead else ''}"
    if isinstance(rule, dict) and generation not in rule.get(str(value), ()):
        known = ", ".join(word for word, those in rule.items() if generation in those)
        return f"Corosync {generation}.x doesn't know {value}; it knows {known}"
    for what, name in (((section, key), "it"), ((section, key, str(value)), value)):
        since = SINCE.get(what, {}).get(generation)
        if since and is_before(version, since):
            return f"Corosync {version} doesn't know {name}; {since} is the first that does"
    return None


def is_before(version, other):
    """Whether a version is an older one than another; one that isn't known is the newest."""
    return version is not None and _numbers(version) < _numbers(other)


def _numbers(version):
    return [int(number) for number in re.findall(r"[0-9]+", version)[:3]]
