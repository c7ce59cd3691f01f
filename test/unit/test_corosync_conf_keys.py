"""corosync.conf and Corosync's memory as mappings, their difference, and how a running pair takes it in."""

import pytest
from test_corosync_conf import GUIDE_1, GUIDE_2


@pytest.fixture
def conf(pure):
    return pure("corosync_conf")


# --- what a file says ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", {}),
        ("# totem {\n\n   #x: y\n", {}),
        ("compatibility: whitetank", {"compatibility": "whitetank"}),
        ("totem {\n  token: 1000\n}", {"totem.token": "1000"}),
        ("totem{\ntoken:1000\n}", {"totem.token": "1000"}),
        (
            "logging {\n logfile: /var/log/a:b.log \n}",
            {"logging.logfile": "/var/log/a:b.log"},
        ),
        # a later value counts
        ("totem {\n token: 1\n token: 2\n}", {"totem.token": "2"}),
        # interfaces go by their number, or by their place
        (
            "totem {\n interface {\n ttl: 1\n }\n interface {\n ttl: 2\n }\n}",
            {"totem.interface.0.ttl": "1", "totem.interface.1.ttl": "2"},
        ),
        (
            "nodelist {\n node {\n nodeid: 1\n name: a\n }\n node {\n nodeid: 2\n }\n}",
            {
                "nodelist.node.0.nodeid": "1",
                "nodelist.node.0.name": "a",
                "nodelist.node.1.nodeid": "2",
            },
        ),
        (
            "logging {\n logger_subsys {\n subsys: AMF\n debug: off\n }\n}",
            {"logging.logger_subsys.AMF.subsys": "AMF", "logging.logger_subsys.AMF.debug": "off"},
        ),
        (
            "quorum {\n device {\n model: net\n net {\n host: q\n }\n }\n two_node: 1\n}",
            {
                "quorum.device.model": "net",
                "quorum.device.net.host": "q",
                "quorum.two_node": "1",
            },
        ),
    ],
)
def test_keys(conf, text, keys):
    assert conf.keys(text) == keys


@pytest.mark.parametrize("number", ["linknumber", "ringnumber"])
def test_an_interface_goes_by_its_number(conf, number):
    found = conf.keys(f"totem {{\n interface {{\n mcastport: 5405\n {number}: 3\n }}\n}}")
    assert found["totem.interface.3.mcastport"] == "5405"


# --- what is in memory ---------------------------------------------------------------------------

# corosync-cmapctl of 3.1.7, of a pair with the guide's corosync.conf; shortened
CMAPCTL = """\
internal_configuration.service.0.name (str) = corosync_cmap
logging.debug (str) = off
logging.fileline (str) = off
logging.logfile (str) = /var/log/cluster/corosync.log
logging.timestamp (str) = on
logging.to_logfile (str) = yes
logging.to_syslog (str) = yes
nodelist.local_node_pos (u32) = 0
nodelist.node.0.name (str) = mgmt1
nodelist.node.0.nodeid (u32) = 1
nodelist.node.0.ring0_addr (str) = 192.0.2.21
nodelist.node.1.name (str) = mgmt2
nodelist.node.1.nodeid (u32) = 2
nodelist.node.1.ring0_addr (str) = 192.0.2.22
quorum.provider (str) = corosync_votequorum
quorum.two_node (u8) = 1
runtime.config.totem.consensus (u32) = 1200
runtime.config.totem.token (u32) = 1000
runtime.members.1.ip (str) = r(0) ip(192.0.2.21)
totem.cluster_name (str) = mgmt
totem.interface.0.bindnetaddr (str) = 192.0.2.21
totem.secauth (str) = off
totem.transport (str) = udpu
totem.version (u32) = 2
"""


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("totem.token (u32) = 1000", "totem.token", "1000"),
        ("totem.token=1000", "totem.token", "1000"),
        ("quorum.two_node (u8) = 1", "quorum.two_node", "1"),
        ("logging.logfile (str) = /a=b (x).log ", "logging.logfile", "/a=b (x).log"),
        ("runtime.members.1.ip=r(0) ip(192.0.2.1) ", "runtime.members.1.ip", "r(0) ip(192.0.2.1)"),
        ("totem.empty (str) =", "totem.empty", ""),
        (
            "runtime.blackbox.dump-flight (str) = no",
            "runtime.blackbox.dump-flight",
            "no",
        ),
    ],
)
def test_memory(conf, line, key, value):
    assert conf.memory(f"\nCould not read this\n{line}\n") == {key: value}


# --- the difference ------------------------------------------------------------------------------


def difference(conf, memory, file):
    return conf.difference(conf.memory(memory), conf.keys(file))


def test_corosync_runs_with_its_file(conf):
    """What Corosync adds by itself is no difference."""
    assert difference(conf, CMAPCTL, GUIDE_2) == {}


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("debug: off", "debug: on", {"logging.debug": {"old": "off", "new": "on"}}),
        ("    debug: off\n", "", {"logging.debug": {"old": "off", "new": None}}),
        ("version: 2", "version: 2\n token: 1000", {"totem.token": {"old": None, "new": "1000"}}),
        (
            "ring0_addr: 192.0.2.22",
            "ring0_addr: 192.0.2.23",
            {"nodelist.node.1.ring0_addr": {"old": "192.0.2.22", "new": "192.0.2.23"}},
        ),
        ("two_node: 1", "two_node: 0", {"quorum.two_node": {"old": "1", "new": "0"}}),
        # Corosync's other sections are nobody's business here
        ("logging {", "system {\n allow_knet_handle_fallback: yes\n}\nlogging {", {}),
    ],
)
def test_a_difference(conf, old, new, change):
    assert difference(conf, CMAPCTL, GUIDE_2.replace(old, new)) == change


@pytest.mark.parametrize(
    ("in_effect", "change"),
    [
        ("3000", {}),
        ("1000", {"totem.token": {"old": "1000", "new": "3000"}}),
    ],
)
def test_a_number_counts_when_it_is_in_effect(conf, in_effect, change):
    held = f"totem.token (u32) = 3000\nruntime.config.totem.token (u32) = {in_effect}"
    assert difference(conf, held, "totem {\n token: 3000\n}") == change


def test_a_number_without_a_word_on_its_effect_counts_as_it_is(conf):
    assert difference(conf, "totem.x (u32) = 3000", "totem {\n x: 3000\n}") == {}


def test_a_word_counts_as_it_is(conf):
    held = "totem.rrp_mode (str) = none\nruntime.config.totem.rrp_mode (str) = passive"
    assert difference(conf, held, "totem {\n rrp_mode: none\n}") == {}


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("totem {\n version: 2\n key: hunter2\n}", True),
        ("totem {\n version: 2\n # key: hunter2\n keyfile: /etc/corosync/key\n}", False),
        ("", False),
    ],
)
def test_a_file_with_the_key_in_it(conf, text, shows):
    assert conf.shows_key(text) is shows


LINKS = "totem {\n interface {\n linknumber: 1\n mcastport: 5415\n }\n}"


@pytest.mark.parametrize("text", [GUIDE_1, GUIDE_2, LINKS])
def test_a_file_is_no_other_than_itself(conf, text):
    assert conf.difference(conf.keys(text), conf.keys(text)) == {}


def test_a_key_is_a_secret(conf):
    change = difference(conf, "totem.key (str) = hunter2", "totem {\n key: hunter3\n}")
    assert change == {"totem.key": {"old": "(secret)", "new": "(secret)"}}


UDP = GUIDE_2.replace("transport: udpu", "transport: udp")
INTERFACE = "version: 2\n    interface {{\n        ringnumber: 0\n        {}\n    }}\n"
MADE = "totem.interface.0.mcastaddr (str) = 239.192.2.0\ntotem.interface.0.mcastport (u16) = {}\n"


def memory_with(port, transport="udp"):
    return CMAPCTL.replace("= udpu", f"= {transport}") + MADE.format(port)


@pytest.mark.parametrize("transport", ["udp", "udpu"])
def test_what_corosync_makes_of_nothing_is_no_difference(conf, transport):
    """As 2.x does, and 3.x with multicast."""
    file = GUIDE_2.replace("transport: udpu", f"transport: {transport}")
    assert difference(conf, memory_with(5405, transport), file) == {}


@pytest.mark.parametrize(
    ("port", "said", "change"),
    [
        ("5405", "mcastport: 5500", {"mcastport": {"old": "5405", "new": "5500"}}),
        ("5500", "mcastport: 5500", {}),
        ("5500", "ttl: 2", {"mcastport": {"old": "5500", "new": None}, "ttl": {"old": None, "new": "2"}}),
        ("5405", "mcastaddr: 239.192.2.0", {}),
        ("5405", "mcastaddr: 239.9.9.9", {"mcastaddr": {"old": "239.192.2.0", "new": "239.9.9.9"}}),
    ],
)  # fmt: skip
def test_what_the_file_says_of_it_counts(conf, port, said, change):
    file = UDP.replace("version: 2\n", INTERFACE.format(said))
    assert difference(conf, memory_with(port), file) == {
        f"totem.interface.0.{key}": each for key, each in change.items()
    }


def test_another_port_than_corosyncs_own_is_one_that_was_said(conf):
    (change,) = difference(conf, memory_with(5500), UDP).items()
    assert change == ("totem.interface.0.mcastport", {"old": "5500", "new": None})


# --- the way -------------------------------------------------------------------------------------

UDPU = {"totem.transport": "udpu"}


@pytest.mark.parametrize(
    ("changed", "wanted", "way"),
    [
        ([], UDPU, None),
        (["logging.debug"], UDPU, "reload"),
        (["logging.logger_subsys.AMF.debug", "totem.token"], UDPU, "reload"),
        (["totem.token_coefficient", "totem.consensus"], UDPU, "reload"),
        # 1.x can't reload
        (["totem.token", "logging.debug"], {**UDPU, "compatibility": "whitetank"}, "one by one"),
        (["quorum.two_node"], UDPU, "one by one"),
        (["totem.threads", "totem.token"], UDPU, "one by one"),
        (["totem.cluster_name"], UDPU, "one by one"),
        (["totem.cluster_name"], {"totem.transport": "knet"}, "one by one"),
        # by multicast the name makes the address
        (["totem.cluster_name"], {"totem.transport": "udp"}, "together"),
        (["totem.cluster_name"], {}, "together"),
        (["quorum.two_node"], {"totem.transport": "udp"}, "one by one"),
        (["totem.secauth"], UDPU, "together"),
        (["totem.authkey", "totem.token"], UDPU, "together"),
        (["totem.transport", "logging.debug"], UDPU, "together"),
        (["totem.token", "quorum.two_node", "totem.crypto_hash"], UDPU, "together"),
        # the nodes
        (["nodelist.node.0.ring0_addr"], UDPU, "together"),
        (["nodelist.node.1.name"], UDPU, "together"),
        # nobody knows
        (["totem.of_the_future"], UDPU, "together"),
        (["totem.tokens"], UDPU, "together"),
        (["totem.interface.0.mcastport"], UDPU, "together"),
    ],
)
def test_way(conf, changed, wanted, way):
    changes = {key: {"old": "1", "new": "2"} for key in changed}
    assert conf.way(changes, wanted) == way


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", set()),
        (GUIDE_2, {"192.0.2.21", "192.0.2.22"}),
        ("ring0_addr: cms1\n  ring1_addr: 2001:db8::1", {"2001:db8::1"}),
        ("memberaddr: 192.0.2.1\nbindnetaddr: 192.0.2.0", {"192.0.2.1", "192.0.2.0"}),
        ("# ring0_addr: 192.0.2.1\nmcastaddr: 239.255.1.1", set()),
    ],
)
def test_addresses(conf, text, addresses):
    assert conf.addresses(text) == addresses


# corosync-objctl of 1.4, whose keys have no numbers
OBJCTL = """\
compatibility=whitetank
totem.version=2
totem.secauth=off
totem.transport=udpu
totem.interface.ringnumber=0
totem.interface.bindnetaddr=192.0.2.21
totem.interface.mcastport=5405
totem.interface.member.memberaddr=192.0.2.21
totem.interface.member.memberaddr=192.0.2.22
logging.fileline=off
logging.to_logfile=yes
logging.to_syslog=yes
logging.logfile=/var/log/cluster/corosync.log
logging.debug=off
logging.timestamp=on
logging.logger_subsys.subsys=AMF
logging.logger_subsys.debug=off
service.name=pacemaker
service.ver=1
runtime.totem.pg.mrp.srp.members.1.status=joined
"""


def test_corosync_1_runs_with_its_file(conf):
    file = GUIDE_1.replace("HERE", "192.0.2.21")
    assert difference(conf, OBJCTL, file) == {}


@pytest.mark.parametrize("number", ["linknumber", "ringnumber"])
def test_an_interfaces_number_is_no_key_in_memory(conf, number):
    """Corosync 2 and 3 take it for the place (coroparse.c)."""
    held = "totem.interface.1.mcastport (u16) = 5405"
    assert (
        difference(conf, held, f"totem {{\n interface {{\n {number}: 1\n mcastport: 5405\n}}\n}}")
        == {}
    )
