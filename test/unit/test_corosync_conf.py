"""corosync.conf as the guide has it, for both generations."""

import re

import jinja2
import pytest
from pillars import SITE

GUIDE_1 = """
compatibility: whitetank
totem {
    version: 2
    secauth: off
    transport: udpu
    interface {
        member {
            memberaddr: 192.0.2.21
        }
        member {
            memberaddr: 192.0.2.22
        }
        ringnumber: 0
        bindnetaddr: HERE
        mcastport: 5405
    }
}
logging {
    fileline: off
    to_logfile: yes
    to_syslog: yes
    logfile: /var/log/cluster/corosync.log
    debug: off
    timestamp: on
    logger_subsys {
        subsys: AMF
        debug: off
    }
}
service {
    name: pacemaker
    ver: 1
}
"""

GUIDE_2 = """
totem {
    cluster_name: mgmt
    version: 2
    secauth: off
    transport: udpu
}
nodelist {
    node {
        ring0_addr: 192.0.2.21
        nodeid: 1
        name: mgmt1
    }
    node {
        ring0_addr: 192.0.2.22
        nodeid: 2
        name: mgmt2
    }
}
quorum {
    provider: corosync_votequorum
    two_node: 1
}
logging {
    fileline: off
    to_logfile: yes
    to_syslog: yes
    logfile: /var/log/cluster/corosync.log
    debug: off
    timestamp: on
}
"""


@pytest.fixture
def conf(formula, cmha_site, site_model):
    """The file that a host gets, without comments and empty lines."""

    def render(generation, host):
        site = site_model(SITE)
        pair, node = cmha_site.pair_of(site, host)
        source = (formula / f"cmha/files/corosync-{generation}.conf.jinja").read_text()
        text = jinja2.Template(source).render(cmha={**pair, "site": site["site"], "node": node})
        return re.sub(r"(?m)^\s*(#.*)?\n", "", text).strip()

    return render


@pytest.mark.parametrize("host", ["mgmt1", "mgmt2"])
def test_1_has_each_hosts_own_bindnetaddr(conf, host):
    here = {"mgmt1": "192.0.2.21", "mgmt2": "192.0.2.22"}[host]
    assert conf(1, host) == GUIDE_1.replace("HERE", here).strip()


@pytest.mark.parametrize("host", ["mgmt1", "mgmt2"])
def test_2_lists_the_pairs_own_hosts_and_is_the_same_on_both(conf, host):
    assert conf(2, host) == GUIDE_2.strip()
