"""A right pillar, and a table of wrong ones."""

import copy

SITE = {
    "site": "east",
    "pairs": {
        "cms": {
            "role": "server",
            "cluster_name": "cmf",
            "nodes": {
                "cms1": {"nodeid": 1, "address": "192.0.2.11"},
                "cms2": {"nodeid": 2, "address": "192.0.2.12"},
            },
        },
        "mgmt": {
            "role": "agent",
            "cluster_name": "mgmt",
            "nodes": {
                "mgmt1": {"nodeid": 1, "address": "192.0.2.21"},
                "mgmt2": {"nodeid": 2, "address": "192.0.2.22"},
            },
        },
    },
}

REMOVED = object()


def site_like(name, prefix):
    """A site like SITE of another name, whose minions' ids begin with a prefix."""
    site = {**copy.deepcopy(SITE), "site": name}
    for pair in site["pairs"].values():
        pair["nodes"] = {f"{prefix}{minion}": node for minion, node in pair["nodes"].items()}
    return site


def with_(path, value):
    """SITE with the value at a pillar path below cmha; REMOVED takes it out."""
    pillar = copy.deepcopy(SITE)
    *parents, last = path.split(":")
    place = pillar
    for key in parents:
        place = place.setdefault(key, {})
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    return pillar


# (what is wrong, where, and what the message says: where it is and what helps)
CMS = SITE["pairs"]["cms"]
CMS1, CMS2 = CMS["nodes"].values()
OWN = {"agent": "stonith:fence_x"}
FENCING = {"agent": "fence_x", "nodes": {"cms1": {"ip": "x"}, "cms2": {"ip": "y"}}}
ONCE = "1 leaves Cloudera Manager stopped after a crash"
WRONG = [
    (
        "pairs:cms:pacemaker",
        {"rsc_defaults": {"migration-threshold": 1}},
        f"rsc_defaults:migration-threshold: {ONCE}",
    ),
    (
        "pacemaker",
        {"primitives": {"cloudera-scm-server": {"meta": {"migration-threshold": "1"}}}},
        f"pillar cmha:pairs:cms:pacemaker:primitives:cloudera-scm-server:meta:migration-threshold: {ONCE}",
    ),
    ("pairs:cms:fencing", {"nodes": {}}, "pillar cmha:pairs:cms:fencing:nodes: is empty"),
    (
        "fencing",
        {"params": {"ip": "x"}, "nodes": {"cms1": {}}},
        "pillar cmha:fencing:agent: is missing",
    ),
    ("fencing", {"agent": "fence_ipmilan"}, "pillar cmha:fencing:nodes: is missing"),
    (
        "roles:server:fencing",
        {"agent": "fence_ipmilan", "nodes": {"cms1": {}}},
        "pillar cmha:roles:server:fencing:nodes:cms2: is missing: each node of a pair needs its device",
    ),
    (
        "pairs:cms:fencing",
        {"agent": "fence_ipmilan", "nodes": {"cms1": {}, "cms22": {}}},
        "pillar cmha:pairs:cms:fencing:nodes:cms22: is no node of this site; did you mean cms2?",
    ),
    *(
        (
            "pairs:cms:fencing",
            {"agent": wrong, "nodes": {"cms1": {}, "cms2": {}}},
            "pillar cmha:pairs:cms:fencing:agent: should be a fence agent as fence_ipmilan or external/ipmi, "
            f"is {wrong!r}",
        )
        for wrong in ("/bin/sh", "reboot", "meatware")
    ),
    (
        "pairs:cms:fencing",
        {"agent": "fence_ipmilan", "nodes": {"cms1": {"ip": []}, "cms2": {}}},
        "pillar cmha:pairs:cms:pacemaker:primitives:fence-cms1:params:ip: ",
    ),
    *(
        (
            "pairs:cms:fencing",
            {"agent": "fence_x", "params": {"passwd": wrong}, "nodes": {"cms1": {}, "cms2": {}}},
            "pillar cmha:pairs:cms:fencing:params:passwd: should be text of one line",
        )
        for wrong in (None, True, ["x"], "two\nlines", 83, "")
    ),
    (
        "pairs:cms:fencing",
        {
            "agent": "fence_x",
            "params": {"passwd": "a"},
            "nodes": {"cms1": {"password": "b"}, "cms2": {}},
        },
        "pillar cmha:pairs:cms:fencing:nodes:cms1: has password and passwd; say the password once",
    ),
    (
        "pairs:cms:fencing",
        {"agent": "fence_x", "params": {"ip": "x"}, "nodes": {"cms1": {}, "cms2": {}}},
        "pillar cmha:pairs:cms:fencing:nodes: the devices of cms1 and cms2 are the same",
    ),
    (
        "pairs:cms:fencing",
        {
            "agent": "fence_x",
            "params": {"pcmk_delay_base": "5s"},
            "nodes": {"cms1": {"ip": "x"}, "cms2": {"ip": "y"}},
        },
        "pillar cmha:pairs:cms:fencing:nodes: both devices have the same pcmk_delay_base",
    ),
    *(
        (
            "pairs:cms:fencing",
            {
                "agent": "fence_x",
                "nodes": {"cms1": {"ip": "x", **one}, "cms2": {"ip": "y", **other}},
            },
            "pillar cmha:pairs:cms:fencing:nodes: both devices have the same pcmk_delay_base",
        )
        for one, other in (
            ({"pcmk_delay_base": "5s"}, {"pcmk_delay_base": 5}),
            ({"pcmk_delay_base": "60s"}, {"pcmk_delay_base": "1min"}),
            ({"pcmk_delay_base": 0}, {}),
            ({"pcmk_delay_max": "0s"}, {}),
        )
    ),
    (
        "pairs:cms:fencing",
        {
            "agent": "fence_x",
            "params": {"password_script": "/etc/cmha/fencing/mine"},
            "nodes": {"cms1": {"ip": "x"}, "cms2": {"ip": "y"}},
        },
        "pillar cmha:pairs:cms:fencing:params:password_script: is in /etc/cmha/fencing, which is cmha's own",
    ),
    (
        "pairs:cms:fencing",
        {
            "agent": "fence_x",
            "params": {"pcmk_host_list": "cms1"},
            "nodes": {"cms1": {"ip": "x"}, "cms2": {"ip": "y"}},
        },
        "pillar cmha:pairs:cms:fencing:params:pcmk_host_list: isn't for this short form",
    ),
    *(
        (
            "fencing",
            {"agent": "fence_x", key: "password=hunter2"},
            f"pillar cmha:fencing:{key}: should be a mapping",
        )
        for key in ("params", "nodes")
    ),
    (
        "fencing:packages",
        "ipmitool",
        "pillar cmha:fencing:packages: should be a list, is 'ipmitool'",
    ),
    (
        "fencing:packages",
        ["a b"],
        "pillar cmha:fencing:packages: should be the name of a package, is 'a b'",
    ),
    ("pairs", REMOVED, "pillar cmha:pairs: is missing"),
    ("pairs", {}, "pillar cmha:pairs: is empty"),
    ("pairs", ["cms"], "pillar cmha:pairs: should be a mapping, is a list"),
    ("pairs:cms", None, "pillar cmha:pairs:cms: should be a mapping, is empty"),
    ("site", REMOVED, "pillar cmha:site: is missing"),
    ("site", "the east", "pillar cmha:site: should be a name of letters"),
    ("site", 7, "pillar cmha:site: should be a name of letters"),
    ("pears", {}, "pillar cmha:pears: is no known key; did you mean pairs?"),
    ("pairs:cms:nodes", REMOVED, "pillar cmha:pairs:cms:nodes: is missing"),
    (
        "pairs:cms:nodes:cms2",
        REMOVED,
        "pillar cmha:pairs:cms:nodes: a pair has two nodes, this one",
    ),
    ("pairs:cms:nodes:cms3", {"nodeid": 3, "address": "192.0.2.13"}, "this one has 3"),
    ("pairs:cms:nodes:cms2:nodeid", 1, "cms:nodes:cms2:nodeid: 1 is cms1's too"),
    ("pairs:cms:nodes:cms2:nodeid", REMOVED, "cms:nodes:cms2:nodeid: is missing"),
    ("pairs:cms:nodes:cms2:nodeid", "2", "nodeid: should be a number from 1 to 2147483647, is '2'"),
    ("pairs:cms:nodes:cms2:nodeid", True, "nodeid: should be a number from 1"),
    ("pairs:cms:nodes:cms2:nodeid", 0, "nodeid: should be a number from 1"),
    ("pairs:cms:nodes:cms2:address", "192.0.2.11", "cms2:address: 192.0.2.11 is cms1's too"),
    ("pairs:cms:nodes:cms2:address", "cms2", "cms2:address: should be an IP address, is 'cms2'"),
    ("pairs:cms:nodes:cms2:address", "127.0.1.1", "address: 127.0.1.1 can't be reached"),
    ("pairs:cms:nodes:cms2:name", "cms1", "cms2:name: cms1 is cms1's too"),
    ("pairs:cms:nodes:cms2:name", "cms 2", "cms2:name: should be a name of letters"),
    ("pairs:cms:nodes:cms2:adress", "192.0.2.12", "adress: is no known key; did you mean address?"),
    (
        "pairs:mgmt:nodes:cms1",
        {"nodeid": 3, "address": "192.0.2.99"},
        "pillar cmha:pairs:mgmt:nodes: a pair has two nodes",
    ),
    (
        "pairs:cms:role",
        "sever",
        "pillar cmha:pairs:cms:role: should be server or agent, is 'sever'",
    ),
    (
        "roles:agent:agent_stop",
        "hard_stop",
        "agent_stop: should be hard_stop_confirmed, next_stop_hard",
    ),
    (
        "roles:agent:agent_processes",
        "A='x'",
        "agent_processes: should be a regular expression without",
    ),
    ("agent_processes", "", "cmha:agent_processes: should be a regular expression"),
    ("pairs:cms:role", REMOVED, "pillar cmha:pairs:cms:role: is missing"),
    ("pairs:cms:cluster_name", 'c"m', "pillar cmha:pairs:cms:cluster_name: should be a name"),
    (
        "pairs:cms:cluster_name",
        "cmf; reboot",
        "pillar cmha:pairs:cms:cluster_name: should be a name",
    ),
    ("corosync:quorum:two_nodes", 1, "two_nodes: is no known key; did you mean two_node?"),
    ("corosync:totemm", {}, "pillar cmha:corosync:totemm: is no known key; did you mean totem?"),
    ("corosync:totem:secauth", "of", "pillar cmha:corosync:totem:secauth: should be on or off"),
    ("corosync:totem:token", "1s", "pillar cmha:corosync:totem:token: should be a number"),
    ("corosync:totem:transport", "tcp", "transport: should be udpu, udp or knet, is 'tcp'"),
    ("corosync:totem:key", "hunter2", "pillar cmha:corosync:totem:key: is no known key"),
    (
        "corosync:interface",
        {"ring0": {}},
        "cmha:corosync:interface:ring0: should be a number from 0",
    ),
    (
        "corosync:interface",
        {8: {}},
        "cmha:corosync:interface:8: should be a number from 0 to 7, is 8",
    ),
    ("corosync:interface", {0: {"ringnumber": 0}}, "interface:0:ringnumber: is no known key"),
    ("corosync:interface", {0: {"mcastport": 0}}, "mcastport: should be a number from 1 to 65535"),
    ("corosync:interface", {0: {"ttl": 256}}, "interface:0:ttl: should be a number from 0 to 255"),
    (
        "corosync:interface",
        {0: {"mcastaddr": "192.0.2.1"}},
        "mcastaddr: should be a multicast addr",
    ),
    ("corosync:interface", {0: {"bindnetaddr": "cms1"}}, "bindnetaddr: should be an IP address"),
    ("corosync:quorum:auto_tie_breaker_node", "first", "should be lowest, highest or the nodeid"),
    ("corosync:quorum:device", {"model": "disk"}, "quorum:device:model: should be net, is 'disk'"),
    (
        "corosync:quorum:device",
        {"net": {"tls": "yes"}},
        "device:net:tls: should be on, off or requi",
    ),
    (
        "corosync:quorum:device",
        {"heuristics": {"exec_ping": "a\nb"}},
        "quorum:device:heuristics:exec_ping: should be a command in one line",
    ),
    (
        "corosync:quorum:device",
        {"heuristics": {"execping": "a"}},
        "heuristics:execping: is no known key",
    ),
    (
        "corosync:logging:logger_subsys",
        {"QB": {"debug": "maybe"}},
        "logging:logger_subsys:QB:debug: should be on, off or trace, is 'maybe'",
    ),
    (
        "corosync:logging:logger_subsys",
        {"QUROUM": {"debug": "on"}},
        "did you mean QUORUM?",
    ),
    (
        "corosync:totem",
        {"knet_compression_model": "zlibb"},
        "knet_compression_model: should be zlib, lz4, lz4hc, lzo2, lzma, bzip2 or zstd, is 'zlibb'",
    ),
    ("corosync:authkey", 7, "pillar cmha:corosync:authkey: should be base64; salt-run cmha.keygen"),
    (
        "pairs:cms:corosync",
        {"authkey": "aGk="},
        "authkey: should be a key of 128 to 4096 bytes, has 2",
    ),
    (
        "roles:server:corosync",
        {"authkey": "-----BEGIN PGP MESSAGE-----\n"},
        "pillar cmha:roles:server:corosync:authkey: is still encrypted: the first line",
    ),
    (
        "pairs:cms:nodes:cms2:address",
        REMOVED,
        "cms2:address: is missing; or addresses, one for each",
    ),
    (
        "pairs:cms:nodes:cms2:addresses",
        ["192.0.2.12"],
        "cms2:address: a node has either one address or addresses",
    ),
    (
        "pairs:cms:nodes:cms2",
        {"nodeid": 2, "addresses": ["192.0.2.12", "198.51.100.12"]},
        "cms2:addresses: has 2, cms1 has 1; a link needs an address on each node",
    ),
    (
        "pairs:cms:nodes:cms2",
        {"nodeid": 2, "addresses": ["192.0.2.12", "192.0.2.12"]},
        "cms2:addresses: has an address twice",
    ),
    (
        "pairs:cms:nodes:cms2",
        {"nodeid": 2, "addresses": ["192.0.2.11"]},
        "cms2:addresses: 192.0.2.11 is cms1's too",
    ),
    (
        "pairs:cms:nodes:cms2",
        {"nodeid": 2, "addresses": "192.0.2.12"},
        "cms2:addresses: should be a list of 1 to 8 addresses, one for each link, is '192.0.2.12'",
    ),
    ("pairs:cms:nodes:cms2:address", "2001:db8::12", "are of one link, and of two families"),
    ("pairs:cms:nodes:cms2:quorum_votes", "many", "cms2:quorum_votes: should be a number"),
    ("corosync:logging:logfile", "corosync.log", "logfile: should be an absolute path"),
    ("corosync:logging:logfile", "/var/log/a b.log", "logfile: should be one word"),
    (
        "corosync:logging:logfile",
        "/etc/shadow",
        "logfile: /etc/shadow is in a place of the system's",
    ),
    (
        "corosync:totem:keyfile",
        "/etc/passwd",
        "keyfile: /etc/passwd is in a place of the system's own",
    ),
    (
        "corosync:totem:keyfile",
        "/usr/bin/salt",
        "keyfile: /usr/bin/salt is in a place of the system's",
    ),
    (
        "corosync:logging:logger_subsys",
        {"QB": {"logfile": "/dev/sda"}},
        "QB:logfile: /dev/sda is in a place of the system's own",
    ),
    ("versions", {"corosync": "latest"}, "versions:corosync: should be a version as the package"),
    (
        "crmsh:repository",
        {"name": "deb https://x y z", "file": "/etc/apt/sources.list.d/a.list\n/etc/passwd"},
        "crmsh:repository:file: has a character that can't be printed: '\\n'",
    ),
    ("corosync:totem:cluster_name", "cmf", "pillar cmha:corosync:totem:cluster_name: is no known"),
    ("firewall:enabled", "yes", "pillar cmha:firewall:enabled: should be true or false, is 'yes'"),
    ("firewall:sources", "all", "pillar cmha:firewall:sources: should be pair or any, is 'all'"),
    (
        "firewall:backend",
        "ufv",
        "pillar cmha:firewall:backend: should be auto, iptables, nftables,",
    ),
    ("alerts", "off", "pillar cmha:alerts: should be true or false, is 'off'"),
    ("crmsh:install", "no", "pillar cmha:crmsh:install: should be true or false, is 'no'"),
    ("crmsh:instal", True, "pillar cmha:crmsh:instal: is no known key; did you mean install?"),
    ("crmsh:repository", "https://x", "crmsh:repository: should be a mapping, is 'https://x'"),
    ("crmsh:repository", {"baseurl": "https://x"}, "crmsh:repository:name: is missing; see Salt's"),
    (
        "start_on_boot",
        "after_clean_shutdwn",
        "cmha:start_on_boot: should be never, after_clean_shutdown or always, is",
    ),
    (
        "platform",
        "RHEL9",
        "pillar cmha:platform: should be a platform as RedHat 9 or Debian 12, is 'RHEL9'",
    ),
    ("platform", 9, "pillar cmha:platform: should be a platform as RedHat 9 or Debian 12, is 9"),
    ("platform", "Red Hat 9", "pillar cmha:platform: should be a platform as RedHat 9"),
    ("timeouts:online", -1, "pillar cmha:timeouts:online: should be a number from 1"),
    (
        "pairs:cms:resource",
        "sysmted:cm",
        "pillar cmha:pairs:cms:resource: should be a name of letters",
    ),
    ("roles:master", {}, "pillar cmha:roles:master: is no known key"),
    ("pairs:cms:resource", "cloudera-scm-serve", "did you mean cloudera-scm-server?"),
    (
        "pacemaker:properties:no-quorum-policy",
        ["ignore", "stop"],
        "pillar cmha:pacemaker:properties:no-quorum-policy",
    ),
    (
        "pairs:mgmt:pacemaker:primitives:bad id",
        "lsb:x",
        "pillar cmha:pairs:mgmt:pacemaker:primitives:",
    ),
    ("pacemaker:propertys", {}, "did you mean properties?"),
    # what doesn't go together
    ("pairs:mgmt:cluster_name", "cmf", "cmha:pairs:mgmt:cluster_name: cmf is pair cms's too"),
    (
        "pairs:mgmt:cluster_name",
        "CMF",
        "mgmt:cluster_name: CMF and pair cms's cmf differ in capitals",
    ),
    ("pairs:CMS", {**SITE["pairs"]["mgmt"], "cluster_name": "x"}, "mgmt1 is in pair mgmt already"),
    (
        "pairs:cms:nodes:cms2:name",
        "CMS1",
        "nodes:cms2:name: CMS1 and cms1's cms1 differ in capitals",
    ),
    (
        "pairs:mgmt:nodes",
        {
            "CMS1": {"nodeid": 1, "address": "192.0.2.21"},
            "mgmt2": {"nodeid": 2, "address": "192.0.2.22"},
        },
        "pairs:mgmt:nodes:CMS1: CMS1 and pair cms, cms1's cms1 differ in capitals only",
    ),
    ("versions", {"openssl": "3.0.1"}, "cmha:versions:openssl: is no package of the cluster; cmha"),
    ("versions", {"corosink": "3.0.1"}, "is no package of the cluster; did you mean corosync?"),
    ("corosync:interface", {0: {}, "0": {}}, "cmha:corosync:interface: has a number twice"),
    (
        "corosync:totem:token",
        100,
        "cmha:corosync:totem:token: leaves 23 ms for each of 4 retransmits",
    ),
    ("corosync:totem:token", 29, "cmha:corosync:totem:token: should be at least 30 ms, is 29"),
    ("corosync:totem:hold", 10, "cmha:corosync:totem:hold: should be at least 14 ms, is 10"),
    (
        "corosync:totem:consensus",
        1000,
        "totem:consensus: should be at least 1.2 times token (3600 ms)",
    ),
    ("corosync:totem:join", 5000, "totem:join: should be at most consensus (3600 ms), is 5000"),
    (
        "corosync:totem:netmtu",
        100,
        "cmha:corosync:totem:netmtu: should be at least 576 bytes, is 100",
    ),
    (
        "corosync:totem:token_warning",
        101,
        "token_warning: should be a percentage, 0 to 100, is 101",
    ),
    ("corosync:quorum:expected_votes", 3, "quorum:expected_votes: is 3, and the nodes have 2"),
    (
        "pairs:cms:nodes:cms1:quorum_votes",
        2,
        "pairs:cms:nodes:cms1:quorum_votes: goes not with two_node, by which each",
    ),
    (
        "corosync:quorum:auto_tie_breaker_node",
        3,
        "no node of this pair has the nodeid 3; they have 1",
    ),
    (
        "corosync:quorum:device",
        {"model": "net", "net": {"host": "192.0.2.9"}},
        "cmha:corosync:quorum:device:net:algorithm: is missing",
    ),
    *(
        (
            "corosync:quorum:device",
            {"model": "net", **more, "net": {"host": host, "algorithm": "lms", **net}},
            message,
        )
        for host, net, more, message in (
            ("127.0.0.1", {}, {}, "device:net:host: 127.0.0.1 can't be reached from the peer"),
            ("localhost", {}, {}, "device:net:host: localhost is each node itself"),
            ("192.0.2.300", {}, {}, "net:host: should be an IP address, is '192.0.2.300'"),
            ("-x", {}, {}, "net:host: should be an IP address or the name of a host, is '-x'"),
            ("a..b", {}, {}, "net:host: should be an IP address or the name of a host, is 'a..b'"),
            ("192.0.2.11", {}, {}, "net:host: 192.0.2.11 is cms1, a node of this pair"),
            (
                "CMS2",
                {},
                {},
                "net:host: CMS2 is cms2, a node of this pair: the device has to be a third",
            ),
            ("ip6-localhost", {}, {}, "device:net:host: ip6-localhost is each node itself"),
            ("0x7f000001", {}, {}, "net:host: should be an IP address, is '0x7f000001'"),
            (
                "q",
                {"tie_breaker": "1 2"},
                {},
                "tie_breaker: should be lowest, highest or one nodeid",
            ),
            ("q", {"connect_timeout": 999}, {}, "should be a number from 1000 to 120000, is 999"),
            (
                "q",
                {},
                {"heuristics": {"interval": 1}},
                "should be a number from 1000 to 3600000, is 1",
            ),
            (
                "q",
                {},
                {"heuristics": {"timeout": 1}},
                "should be a number from 1000 to 120000, is 1",
            ),
            (
                "q",
                {},
                {"heuristics": {"exec_ping": "/bin/ping"}},
                "quorum:device:heuristics:mode: is missing, and off then: exec_ping isn't run",
            ),
            (
                "q",
                {},
                {"heuristics": {"mode": "sync", "interval": 1000}},
                "quorum:device:heuristics:mode: is sync, and no exec_NAME says what to run",
            ),
            ("q", {"tie_breaker": 0}, {}, "net:tie_breaker: no node of this pair has the nodeid 0"),
            ("q", {"tie_breaker": 7}, {}, "net:tie_breaker: no node of this pair has the nodeid 7"),
            ("q", {}, {"votes": 2}, "quorum:device:votes: a pair's device has one vote, with lms"),
        )
    ),
    (
        "qnetd",
        "cms1",
        "cmha:pairs:cms:qnetd: cms1 is a node of this pair: the device has to be a third",
    ),
    ("agent_processes", "(?i)x", "cmha:agent_processes: has a (?, which grep doesn't know"),
    ("pacemaker", {"primitives": 3}, "cmha:pacemaker:primitives: should be a mapping, is 3"),
    (
        "crmsh:repository",
        {"name": "x", "require": []},
        "repository:require: is no option of Salt's",
    ),
    (
        "agent_processes",
        r"NAME=\d+-mgmt",
        r"agent_processes: has \d, which grep -E doesn't know; [0-9]",
    ),
    ("agent_processes", "^PATH=", "agent_processes: matches the environment of every process"),
    ("pacemaker", {"rsc_defaults": "resource-stickiness=100"}, "rsc_defaults"),
    ("pacemaker", {"rsc_defaults": ["x"]}, "rsc_defaults"),
    (
        "pacemaker",
        {"primitives": {"cloudera-scm-server": {"meta": "x"}}},
        "cloudera-scm-server:meta",
    ),
    (
        "pacemaker",
        {
            "primitives": {
                "f": {"agent": "stonith:fence_x", "params": {"pcmk_reboot_action": False}}
            }
        },
        "primitives:f:params:pcmk_reboot_action: is 'false'; write 'off', in quotes",
    ),
    ("pacemaker", {"properties": {"stonith-action": False}}, "is 'false'; write 'off', in quotes"),
    ("pairs:cms:pacemaker", {"rsc_defaults": {"migration-threshold": "+1"}}, f"threshold: {ONCE}"),
    ("pairs:cms:pacemaker", {"rsc_defaults": {"migration-threshold": "01"}}, f"threshold: {ONCE}"),
    (
        "pairs:cms:pacemaker",
        {"groups": {"g": {"members": ["cloudera-scm-server"], "meta": {"migration-threshold": 1}}}},
        f"pillar cmha:pairs:cms:pacemaker:groups:g:meta:migration-threshold: {ONCE}",
    ),
    *(
        (
            "pairs:cms:pacemaker",
            {
                "templates": {"t": {"agent": "lsb:cloudera-scm-server", **said}},
                "primitives": {"cloudera-scm-server": agent},
            },
            f"pillar cmha:pairs:cms:pacemaker:templates:t:{where}:migration-threshold: {ONCE}",
        )
        for said, agent, where in (
            ({"meta": {"migration-threshold": 1}}, "@t", "meta"),
            ({"meta": {"migration-threshold": 1}}, {"agent": "@t"}, "meta"),
            (
                {"meta_sets": {"s": {"values": {"migration-threshold": 1}}}},
                "@t",
                "meta_sets:s:values",
            ),
        )
    ),
    (
        "pairs:cms:pacemaker",
        {"rsc_defaults_sets": {"s": {"values": {"migration-threshold": 1}}}},
        f"rsc_defaults_sets:s:values:migration-threshold: {ONCE}",
    ),
    ("agent_processes", "(", "cmha:agent_processes: is no regular expression, missing ), "),
    ("agent_processes", "[[:digits:]]", "is no regular expression, there is no class [:digits:]"),
    *(
        ("agent_processes", pattern, "agent_processes: matches the environment of every process")
        for pattern in (".*", "x*", "^", "=", "A|", "^[A-Z_]+=")
    ),
    ("crmsh:repository", {"name": None}, "crmsh:repository:name: should be text, is empty"),
    (
        "crmsh:repository",
        {"name": "x", 7: "y"},
        "crmsh:repository:7: is no option of Salt's pkgrepo",
    ),
    (
        "corosync:totem",
        {"two_node": 1},
        "totem:two_node: is no known key; it belongs under corosync:quorum",
    ),
    (
        "corosync",
        {"token": 1},
        "cmha:corosync:token: is no known key; it belongs under corosync:totem",
    ),
    ("totem", {}, "pillar cmha:totem: is no known key; it belongs under corosync"),
    (
        "pairs:cms:pacemaker:stonith-enabled",
        False,
        "pacemaker:stonith-enabled: unknown section, it belongs under properties",
    ),
    (
        "pairs:cms:pacemaker:resource-stickiness",
        100,
        "pacemaker:resource-stickiness: unknown section, it belongs under rsc_defaults",
    ),
    ("pairs:cms:cluster-name", "cmf", "cluster-name: is no known key; did you mean cluster_name?"),
    (
        "corosync:quorum:expected-quorum-votes",
        2,
        "expected-quorum-votes: is no known key; did you mean expected_votes?",
    ),
    (
        "corosync:logging:priority",
        "info",
        "logging:priority: is no known key; did you mean syslog_priority?",
    ),
    (
        "pairs:cms:nodes:cms1:alerts",
        False,
        "cms1:alerts: is no known key",
    ),
    ("pairs:cms:maintenance", True, "cms:maintenance: is no known key"),
    (
        "pairs:cms:pacemaker:maintenance",
        True,
        "pacemaker:maintenance: unknown section, known are",
    ),
    (
        "pairs:cms:pacemaker:dc-version",
        "1",
        "pacemaker:dc-version: unknown section, known are",
    ),
    (
        "pairs:cms:no-quorum-policy",
        "ignore",
        "cms:no-quorum-policy: is no known key; it belongs under pacemaker:properties",
    ),
    (
        "migration-threshold",
        3,
        "cmha:migration-threshold: is no known key; it belongs under pacemaker:rsc_defaults",
    ),
    (
        "pairs:cms:primitives",
        {},
        "cms:primitives: is no known key; it belongs under pacemaker",
    ),
    *(
        ("agent_processes", pattern, says)
        for pattern, says in (
            ("^NAME=[:digit:]+-mgmt", "[:digit:] stands in brackets of its own, [[:digit:]]"),
            ("a{99999}", "agent_processes: repeats too often for grep"),
            ("(((x{200}){200}){200})", "agent_processes: repeats a group that has a repetition"),
            (
                "(" * 200 + "x" + ")" * 200 + "y" * 200,
                "should have at most 500 characters, has 601",
            ),
            (
                "(.*)+-cloudera",
                "agent_processes: repeats a group that has a repetition, or alternatives, in",
            ),
            (
                ".*a.*b.*c.*d.*e.*f.*",
                "agent_processes: has 7 repetitions, of at most 6, which takes too",
            ),
            ("INVOCATION_ID=", "matches the environment of every process"),
            ("USER=root|x", "matches the environment of every process"),
            ("[0-9]+", "matches the environment of every process"),
        )
    ),
    *(
        ("corosync:totem:keyfile", path, says)
        for path, says in (
            ("/etc/corosync/corosync.conf", "is Corosync's own, for something else"),
            ("/etc/corosync/uidgid.d/x", "is Corosync's own, for something else"),
            ("/etc/corosync", "in a place of the system's own"),
            ("/root/key", "in a place of the system's own"),
            ("/srv/.ssh/authorized_keys", "in a place of the system's own"),
            ("/var/lib/pacemaker/cib/cib.xml", "in a place of the system's own"),
        )
    ),
    *(
        ("corosync:logging:logfile", path, says)
        for path, says in (
            ("/etc/corosync/authkey", "is where configuration is; a log may be in /var/log"),
            ("/var/spool/cron/root", "in a place of the system's own"),
            ("/run/x", "in a place of the system's own"),
            ("/var/log", "in a place of the system's own"),
        )
    ),
    *(
        ("crmsh:repository", {"name": "x", **options}, says)
        for options, says in (
            ({"file": "/etc/passwd"}, "repository:file: should be a file of repositories"),
            ({"file": "/etc/apt/sources.list.d/../x"}, "repository:file: should be a file of"),
            ({"check_cmd": "true"}, "repository:check_cmd: is no option of Salt's pkgrepo"),
            ({"runas": "x"}, "repository:runas: is no option"),
            ({"__id__": "x"}, "repository:__id__: is no option"),
        )
    ),
    (
        "corosync:quorum",
        {
            "allow_downscale": 1,
            "device": {"model": "net", "net": {"host": "q", "algorithm": "lms"}},
        },
        "corosync:quorum:allow_downscale: goes not with a quorum device",
    ),
    (
        "corosync:quorum",
        {"expected_votes": 3, "device": {"model": "net", "net": {"host": "q", "algorithm": "lms"}}},
        "corosync:quorum:device:votes: is missing, and Corosync wants it where expected_votes is",
    ),
    (
        "corosync:quorum:device",
        {"model": "net", "heuristics": {"exec_ping": "ping -c 1 192.0.2.1"}},
        "exec_ping: should begin with the path of a program, which no shell looks for",
    ),
    (
        "corosync:quorum:device",
        {
            "model": "net",
            "net": {"host": "q", "algorithm": "lms"},
            "heuristics": {"mode": "on", **{f"exec_{n}": "/bin/true" for n in range(33)}},
        },
        "quorum:device:heuristics: has 33 commands; corosync-qdevice runs 32 at most",
    ),
    ("pacemaker:groups", {"g": {"members": 7}}, "pacemaker:groups:g:members: "),
    (
        "pairs:cms:pacemaker",
        {"clones": {"c": "cloudera-scm-server"}},
        "pairs:cms:pacemaker:clones:c: would run cloudera-scm-server on both hosts at once",
    ),
    (
        "pairs:cms:pacemaker",
        {"groups": {"g": ["cloudera-scm-server"]}, "clones": {"c": {"resource": "g"}}},
        "pairs:cms:pacemaker:clones:c: would run cloudera-scm-server on both hosts at once",
    ),
    (
        "pairs:cms:pacemaker",
        {"primitives": {"again": {"agent": "systemd:cloudera-scm-server"}}},
        "pacemaker:primitives:again: is for cloudera-scm-server too, which cloudera-scm-server runs",
    ),
    ("pairs:cms:service", "corosync", "cms:service: corosync is no service for a pair"),
    (
        "corosync:totem:keyfile",
        "c2VjcmV0" * 9,
        "keyfile: should be an absolute path, is another text",
    ),
    (
        "pairs:cms:corosync",
        {
            "totem": {"transport": "udp"},
            "interface": {
                0: {"mcastaddr": "239.1.1.1", "mcastport": 5405},
                1: {"mcastaddr": "239.1.1.1", "mcastport": 5406},
            },
        },
        "interface:1:mcastport: goes to 239.1.1.1 and port 5406, which interface 0 hears too",
    ),
    ("a\x1b[2J", {}, "pillar cmha:'a\\x1b[2J': is no known key"),
    (
        "pacemaker:primitives",
        {"a\x1b[2J": "ocf:pacemaker:Dummy"},
        "pacemaker:primitives:a\\x1b[2J: ",
    ),
    # --- what would leave a pair without its failover, though each value is one that it may be
    *(
        ("pairs:cms", {**CMS, **more}, f"pillar cmha:pairs:cms:{said}")
        for more, said in (
            (
                {
                    "corosync": {"quorum": {"two_node": 0}},
                    "pacemaker": {"properties": {"no-quorum-policy": "stop"}},
                },
                "corosync:quorum:two_node: is 0, and no-quorum-policy is stop: when a node dies, the other",
            ),
            (
                {"corosync": {"totem": {"token": 300_001}}},
                "corosync:totem:token: is in milliseconds: a dead host would be noticed after 300 s",
            ),
            (
                {"corosync": {"totem": {"token": 10_000, "consensus": 3_600_000}}},
                "corosync:totem:consensus: is in milliseconds: the others would go on without a dead host",
            ),
            *(
                (
                    {
                        "qnetd": "qnetd1",
                        "corosync": {
                            "quorum": {
                                "device": {
                                    "model": "net",
                                    key: 300_001,
                                    "net": {"host": "192.0.2.50", "algorithm": "ffsplit"},
                                }
                            }
                        },
                    },
                    f"corosync:quorum:device:{key}: is in milliseconds: a {what}",
                )
                for key, what in (
                    ("timeout", "quorum device that died would be noticed after 300 s"),
                    (
                        "sync_timeout",
                        "host's death would be decided without the quorum device after",
                    ),
                )
            ),
            (
                {"service": "cloudera-scm-server.service"},
                "service: say the service's name alone: cloudera-scm-server",
            ),
            (
                {"nodes": {"cms1.a": CMS1, "cms2.a": CMS2}, "qnetd": "cms2"},
                "qnetd: cms2 is a node of this pair: the device has to be a third host",
            ),
            (
                {
                    "nodes": {"cms1.a": CMS1, "cms2.a": CMS2},
                    "corosync": {
                        "quorum": {
                            "device": {
                                "model": "net",
                                "net": {"host": "CMS1", "algorithm": "lms"},
                            }
                        }
                    },
                },
                "corosync:quorum:device:net:host: CMS1 is cms1.a, a node of this pair",
            ),
        )
    ),
    *(
        (
            "pairs:cms:pacemaker:primitives",
            {"cloudera-scm-server": {"operations": {"monitor": monitor}}},
            f"primitives:cloudera-scm-server:operations:monitor:{said}",
        )
        for monitor, said in (
            ({"interval": "30s", "on-fail": "ignore"}, "on-fail: ignore does nothing that brings"),
            ({"interval": "30s", "start-delay": "1h"}, "start-delay: for 3600 s nobody would see"),
        )
    ),
    (
        "pacemaker:properties",
        {"cmha-maintenance": "was-false"},
        "pillar cmha:pacemaker:properties:cmha-maintenance: is cmha's own mark",
    ),
    ("pairs:cms:nodes:cms1", {"nodeid": 1, "addresses": []}, "for each link, has 0"),
    # --- what keeps a fence device from fencing its host
    *(
        (
            "pairs:cms:fencing",
            {"agent": "fence_ipmilan", "nodes": {"cms1": one, "cms2": two}},
            "pillar cmha:pairs:cms:fencing:nodes: the devices of cms1 and cms2 are the same",
        )
        for one, two in (
            ({"ip": "x", "lanplus": 1}, {"ip": "x"}),
            ({"ip": "BMC.a"}, {"ipaddr": " bmc.a."}),
            ({"ip": "x", "username": "a"}, {"ip": "x", "username": "b"}),
            ({"ip": "x", "ipport": 623}, {"ip": "x", "power_timeout": 9}),
        )
    ),
    *(
        (
            "pairs:cms",
            {**CMS, "fencing": FENCING, "pacemaker": pacemaker},
            f"pillar cmha:pairs:cms:pacemaker:{said}",
        )
        for pacemaker, said in (
            (
                {"primitives": {"fence-cms1": {"meta": {"target-role": "Stopped"}}}},
                "primitives:fence-cms1:meta:target-role: Stopped keeps fence-cms1 from fencing",
            ),
            (
                {"primitives": {"fence-cms1": {"params": {"pcmk_host_list": "cms2"}}}},
                "primitives:fence-cms1:params: fence-cms1 is cms1's device, and isn't for cms1 here",
            ),
            (
                {"primitives": {"f": {**OWN, "params": {"ip": "x", "pcmk_host_list": "a b"}}}},
                "primitives:f:params: is for 'a b', and the pair's nodes are cms1 and cms2",
            ),
            (
                {"primitives": {"f": {**OWN, "params": {"ip": "x", "pcmk_host_map": "a:1;b:2"}}}},
                "primitives:f:params: is for 'a:1;b:2', and the pair's nodes are cms1 and cms2",
            ),
            (
                {"locations": {"ban": {"rsc": "fence-cms1", "node": "cms2", "score": "-INFINITY"}}},
                "locations:ban: fence-cms1 may not run on cms2: nobody can fence cms1 with it",
            ),
            (
                {
                    "fencing_levels": {
                        "l": {"target": "cms1", "index": 1, "devices": ["fence-cms1", "fence-cms2"]}
                    }
                },
                "fencing_levels:l: fence-cms2 is for cms2, and not for cms1",
            ),
            (
                {"properties": {"startup-fencing": False}},
                "properties:startup-fencing: false starts cloudera-scm-server while a host that",
            ),
            (
                {"properties": {"stonith-timeout": "1ms"}},
                "properties:stonith-timeout: is 0.001 s, in which no device fences",
            ),
            (
                {"primitives": {"fence-cms1": {"params": {"pcmk_reboot_timeout": 1}}}},
                "primitives:fence-cms1:params:pcmk_reboot_timeout: is 1 s, in which no device fences",
            ),
            (
                {"primitives": {"fence-cms1": {"params": {"pcmk_delay_base": "five"}}}},
                "primitives:fence-cms1:params:pcmk_delay_base: should be a duration as 5s, is 'five'",
            ),
        )
    ),
    *(
        ("pairs:cms", {**CMS, "fencing": fencing}, f"pillar cmha:pairs:cms:fencing:{said}")
        for fencing, said in (
            (
                {**FENCING, "params": {"pcmk_reboot_timeout": "2s"}},
                "params:pcmk_reboot_timeout: is 2 s, in which no device fences",
            ),
            (
                {
                    "agent": "fence_x",
                    "nodes": {"cms1": {"pcmk_delay_base": "five"}, "cms2": {"ip": "y"}},
                },
                "nodes:cms1:pcmk_delay_base: should be a duration as 5s, is 'five'",
            ),
            (
                {**FENCING, "params": {"pcmk_delay_base": "cms1:five;cms2:0s"}},
                "params:pcmk_delay_base: should be a duration as 5s, is 'five'",
            ),
            (
                {
                    "agent": "fence_x",
                    "nodes": {"cms1": {"pcmk_delay_base": "cms1=5s"}, "cms2": {"ip": "y"}},
                },
                "nodes:cms1:pcmk_delay_base: should be a duration as 5s, is 'cms1=5s'",
            ),
            (
                {**FENCING, "params": {"pcmk_delay_base": "cms1:5s,cms2:0s"}},
                "params:pcmk_delay_base: should be a duration as 5s, is '5s,cms2:0s'",
            ),
            ({**FENCING, "params": {True: 1}}, "params: has the key True; write names in quotes"),
        )
    ),
    (
        "pairs:cms",
        {
            **CMS,
            "fencing": FENCING,
            "pacemaker": {
                "properties": {"symmetric-cluster": False},
                "locations": {
                    "l": {"rsc": "fence-cms1", "node": "cms1", "score": 1},
                    "m": {"rsc": "fence-cms2", "node": "cms1", "score": 1},
                },
            },
        },
        "false lets a resource run only where a location has it, and fence-cms1 has none for cms2",
    ),
    (
        "pairs:cms:pacemaker",
        {
            "properties": {"stonith-enabled": True},
            "primitives": {
                "f": {
                    "agent": "stonith:fence_ipmilan",
                    "params": {"ip": "x", "pcmk_host_list": "cms1"},
                },
                "g": {
                    "agent": "stonith:fence_ilo",
                    "params": {"ip": "X.", "pcmk_host_list": "cms2"},
                },
            },
        },
        "pillar cmha:pairs:cms:pacemaker:primitives:g: the devices of cms's cms1 and cms's cms2 are the same",
    ),
    (
        "pairs:cms",
        {
            **CMS,
            "fencing": FENCING,
            "pacemaker": {
                "properties": {"symmetric-cluster": False},
                "locations": {"l": {"rsc": "cloudera-scm-server", "node": "cms1", "score": 1}},
            },
        },
        "pacemaker:properties:symmetric-cluster: false lets a resource run only where a location has it",
    ),
    (
        "pairs:cms:pacemaker",
        {"op_defaults": {"on-fail": "ignore"}},
        "pillar cmha:pairs:cms:pacemaker:op_defaults:on-fail: ignore does nothing that brings",
    ),
    (
        "pairs:cms",
        {
            **CMS,
            "resource": "srv",
            "pacemaker": {
                "templates": {
                    "t": {
                        "agent": "lsb:cloudera-scm-server",
                        "operations": {"monitor": {"interval": "30s", "on-fail": "block"}},
                    }
                },
                "primitives": {"srv": "@t"},
            },
        },
        "templates:t:operations:monitor:on-fail: block does nothing that brings",
    ),
    (
        "fencing",
        {
            "agent": "fence_ipmilan",
            "nodes": {
                "cms1": {"ip": "1"},
                "cms2": {"ip": "2"},
                "mgmt1": {"ip": "3"},
                "mgmt2": {"ip": "2"},
            },
        },
        "pillar cmha:fencing:nodes: the devices of cms's cms2 and mgmt's mgmt2 are the same",
    ),
]
