"""What a person types who follows the guide, on Debian with Corosync 2.x or later."""

from collections import namedtuple

Pair = namedtuple("Pair", "hosts addresses cluster_name service primitive")

PAIRS = {
    "cms": Pair(
        ("cms1", "cms2"),
        ("192.0.2.11", "192.0.2.12"),
        "cmf",
        "cloudera-scm-server",
        "crm configure primitive cloudera-scm-server lsb:cloudera-scm-server",
    ),
    "mgmt": Pair(
        ("mgmt1", "mgmt2"),
        ("192.0.2.21", "192.0.2.22"),
        "mgmt",
        "cloudera-scm-agent",
        "crm configure primitive cloudera-scm-agent ocf:cm:agent",
    ),
}

COROSYNC_CONF = """\
totem {{
version: 2
secauth: off
cluster_name: {cluster_name}
transport: udpu
}}

nodelist {{
  node {{
        ring0_addr: {addresses[0]}
        nodeid: 1
        name: {names[0]}
       }}
  node {{
        ring0_addr: {addresses[1]}
        nodeid: 2
        name: {names[1]}
       }}
}}

quorum {{
provider: corosync_votequorum
two_node: 1
}}
"""

# Does what the guide's wrapper for systemd does, in fewer words.
AGENT_FILE = "/usr/lib/ocf/resource.d/cm/agent"
AGENT = """\
#!/bin/sh
agent() { service cloudera-scm-agent "$1"; }
case $1 in
    meta-data)
        cat <<END
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="Cloudera Manager Agent" version="1.0">
<version>1.0</version>
<longdesc lang="en">Cloudera Manager Agent</longdesc>
<shortdesc lang="en">Cloudera Manager Agent</shortdesc>
<parameters />
<actions>
<action name="start" timeout="20" />
<action name="stop" timeout="20" />
<action name="monitor" timeout="20" interval="10" depth="0"/>
<action name="meta-data" timeout="5" />
</actions>
</resource-agent>
END
        ;;
    start) agent start || exit 1 ;;
    stop) agent next_stop_hard; agent stop || exit 1 ;;
    monitor) agent status || exit 7 ;;
esac
"""

CLUSTER = (
    "crm configure property no-quorum-policy=ignore",
    "crm configure property stonith-enabled=false",
    "crm configure rsc_defaults resource-stickiness=100",
)


def follow(lab, pair, names):
    """The guide from its beginning to the running service, with these names for the nodes."""
    for host in pair.hosts:
        install(lab, host)
    for host in pair.hosts:
        write_corosync_conf(lab, host, pair, names)
    start(lab, pair.hosts, names)
    if "ocf:cm:agent" in pair.primitive:
        for host in pair.hosts:
            write_agent(lab, host)
    for command in (*CLUSTER, pair.primitive):
        lab.on(pair.hosts[0], *command.split())
    wait_for(lab, pair.hosts[0], "crm_mon -1 | grep -q 'Started '")


def install(lab, host):
    lab.on(
        host, "env", "DEBIAN_FRONTEND=noninteractive",
        "apt-get", "install", "-y", "-q", "pacemaker", "corosync", "crmsh",
    )  # fmt: skip


def write_corosync_conf(lab, host, pair, names):
    text = COROSYNC_CONF.format(names=names, **pair._asdict())
    script = 'printf %s "$1" > /etc/corosync/corosync.conf; rm -rf /var/lib/pacemaker/cib/*'
    lab.on(host, "systemctl", "stop", "pacemaker", "corosync")
    lab.on(host, "sh", "-c", script, "sh", text)


def write_agent(lab, host):
    script = f'mkdir -p {AGENT_FILE.rpartition("/")[0]}; printf %s "$1" > {AGENT_FILE}'
    lab.on(host, "sh", "-c", script, "sh", AGENT)
    lab.on(host, "chmod", "770", AGENT_FILE)


def start(lab, hosts, names):
    for host in hosts:
        lab.on(host, "systemctl", "start", "corosync", "pacemaker")
    wait_for(lab, hosts[0], f"crm_mon -1 | grep -q 'Online: . {names[0]} {names[1]} .'")


def wait_for(lab, host, condition, seconds=120):
    """Until a shell condition holds on a host."""
    loop = f"until {condition}; do sleep 0.4; done"
    lab.on(host, "timeout", str(seconds), "sh", "-c", loop)
