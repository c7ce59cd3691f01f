"""What a person types who follows the guide, on Debian with Corosync 2.x or later."""

COROSYNC_CONF = """\
totem {{
version: 2
secauth: off
cluster_name: {cluster_name}
transport: udpu
}}

nodelist {{
  node {{
        ring0_addr: {first[1]}
        nodeid: 1
        name: {first[0]}
       }}
  node {{
        ring0_addr: {second[1]}
        nodeid: 2
        name: {second[0]}
       }}
}}

quorum {{
provider: corosync_votequorum
two_node: 1
}}
"""

CLUSTER = (
    "crm configure property no-quorum-policy=ignore",
    "crm configure property stonith-enabled=false",
    "crm configure rsc_defaults resource-stickiness=100",
)

SERVER = "crm configure primitive cloudera-scm-server lsb:cloudera-scm-server"


def install(lab, host):
    lab.on(
        host, "env", "DEBIAN_FRONTEND=noninteractive",
        "apt-get", "install", "-y", "-q", "pacemaker", "corosync", "crmsh",
    )  # fmt: skip


def write_corosync_conf(lab, host, **values):
    text = COROSYNC_CONF.format(**values)
    script = 'printf %s "$1" > /etc/corosync/corosync.conf; rm -rf /var/lib/pacemaker/cib/*'
    lab.on(host, "systemctl", "stop", "pacemaker", "corosync")
    lab.on(host, "sh", "-c", script, "sh", text)


def start(lab, hosts):
    for host in hosts:
        lab.on(host, "systemctl", "start", "corosync", "pacemaker")
    wait_for(
        lab,
        hosts[0],
        'crm_mon -1 | grep -q "2 nodes configured" && crm_mon -1 | grep -q "Online: .*2.* "',
    )


def wait_for(lab, host, condition, seconds=120):
    """Until a shell condition holds on a host."""
    loop = f"until {condition}; do sleep 0.2; done"
    lab.on(host, "timeout", str(seconds), "sh", "-c", loop)
