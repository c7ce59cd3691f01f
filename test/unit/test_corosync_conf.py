"""corosync.conf as the guide has it, for each generation, and what goes beyond it."""

import base64
import re

import jinja2
import pytest
from pillars import SITE, with_

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
def conf(formula, pure, cmha_site, site_model):
    """The file that a host gets, without comments and empty lines."""

    def render(generation, host, pillar=SITE):
        site = site_model(pillar)
        pair, node = cmha_site.pair_of(site, host)
        pair = pure("cmha_corosync").fitted(pair, generation)
        source = (formula / "cmha/files" / pair["conf_template"]).read_text()
        text = jinja2.Template(source).render(cmha={**pair, "site": site["site"], "node": node})
        return re.sub(r"(?m)^\s*(#.*)?\n", "", text).strip()

    return render


@pytest.mark.parametrize("host", ["mgmt1", "mgmt2"])
def test_1_has_each_hosts_own_bindnetaddr(conf, host):
    here = {"mgmt1": "192.0.2.21", "mgmt2": "192.0.2.22"}[host]
    assert conf(1, host) == GUIDE_1.replace("HERE", here).strip()


@pytest.mark.parametrize("generation", [2, 3])
@pytest.mark.parametrize("host", ["mgmt1", "mgmt2"])
def test_2_lists_the_pairs_own_hosts_and_is_the_same_on_both(conf, host, generation):
    assert conf(generation, host) == GUIDE_2.strip()


# --- beyond the guide ----------------------------------------------------------------------------


def linked(*networks, **corosync):
    nodes = {
        f"mgmt{host}": {"nodeid": host, "addresses": [f"{network}{host}" for network in networks]}
        for host in (1, 2)
    }
    return {**with_("pairs:mgmt:nodes", nodes), "corosync": corosync}


def test_1_has_an_interface_a_ring(conf):
    pillar = linked("192.0.2.2", "198.51.100.2", interface={1: {"mcastport": 5415}})
    assert """
    rrp_mode: passive
    interface {
        member {
            memberaddr: 192.0.2.21
        }
        member {
            memberaddr: 192.0.2.22
        }
        ringnumber: 0
        bindnetaddr: 192.0.2.22
        mcastport: 5405
    }
    interface {
        member {
            memberaddr: 198.51.100.21
        }
        member {
            memberaddr: 198.51.100.22
        }
        ringnumber: 1
        bindnetaddr: 198.51.100.22
        mcastport: 5415
    }
}
""" in conf(1, "mgmt2", pillar)


def test_1_with_multicast_has_no_members(conf):
    interface = {0: {"mcastaddr": "239.255.1.1", "bindnetaddr": "192.0.2.0"}}
    pillar = with_("corosync", {"totem": {"transport": "udp"}, "interface": interface})
    assert """
    interface {
        ringnumber: 0
        mcastport: 5405
        mcastaddr: 239.255.1.1
        bindnetaddr: 192.0.2.0
    }
""" in conf(1, "mgmt1", pillar)


def test_1_over_ipv6_has_the_nodeid_that_it_can_not_make(conf):
    text = conf(1, "mgmt2", linked("2001:db8::2"))
    assert "    nodeid: 2\n" in text
    assert "bindnetaddr: 2001:db8::22" in text


@pytest.mark.parametrize(("generation", "number"), [(2, "ringnumber"), (3, "linknumber")])
def test_later_an_interface_has_what_pillar_says(conf, generation, number):
    text = conf(
        generation, "mgmt1", linked("192.0.2.2", "198.51.100.2", interface={1: {"mcastport": 7}})
    )
    assert f"    interface {{\n        {number}: 1\n        mcastport: 7\n    }}\n}}" in text
    assert "        ring0_addr: 192.0.2.21\n        ring1_addr: 198.51.100.21\n" in text
    assert text.count("interface {") == 1


def test_a_quorum_device_and_a_logger(conf):
    device = {"model": "net", "votes": 1, "net": {"host": "q", "algorithm": "lms", "tls": False}}
    pillar = with_("corosync:quorum", {"device": device})
    pillar["corosync"]["logging"] = {"logger_subsys": {"QUORUM": {"debug": True}}}
    text = conf(3, "mgmt1", pillar)
    assert (
        """
quorum {
    provider: corosync_votequorum
    two_node: 0
    device {
        model: net
        votes: 1
        net {
            host: q
            algorithm: lms
            tls: off
        }
    }
}
"""
        in text
    )
    assert "    logger_subsys {\n        subsys: QUORUM\n        debug: on\n    }\n}" in text


def test_a_nodes_votes(conf):
    pillar = with_("pairs:mgmt:nodes:mgmt1:quorum_votes", 2)
    pillar["corosync"] = {"quorum": {"two_node": 0}}
    assert "        name: mgmt1\n        quorum_votes: 2\n" in conf(3, "mgmt2", pillar)


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_no_file_holds_the_key(conf, generation):
    key = base64.b64encode(bytes(128)).decode()
    assert key[:60] not in conf(generation, "mgmt1", with_("corosync:authkey", key))


def test_a_number_that_is_no_links(pure):
    key = f"totem.interface.{'9' * 5000}.mcastport"
    conf = pure("corosync_conf")
    assert conf.difference({key: "5405"}, {}) == {key: {"old": "5405", "new": None}}
    assert conf.difference({}, {key: "5405"}) == {key: {"old": None, "new": "5405"}}
