"""What a value in pillar may be that reaches a file, a rule, a unit or a command of a host."""

import pytest
from pillars import with_


@pytest.fixture
def refused(site_model):
    """The line that a site gets in which a value stands at a path."""

    def line(path, value):
        with pytest.raises(ValueError) as error:
            site_model(with_(path, value))
        said = str(error.value)
        assert said.startswith(f"pillar cmha:{path}")
        assert said.isprintable()
        return said

    return line


ADDRESS = "pairs:cms:nodes:cms2:address"
CONTROLS = ["\n", "\r", "\t", "\x00", "\x1b[2J", "\x85", "\u2028", "\u2029", "\u202e", "\x7f"]


@pytest.mark.parametrize(
    "scope",
    ["eth0", "1", "", "eth0\n    }\n}\nquorum {\n expected_votes: 1", "x accept; tcp dport 22"],
)
@pytest.mark.parametrize("address", ["fe80::1", "2001:db8::12"])
def test_no_address_has_a_scope(refused, address, scope):
    assert "should be an IP address" in refused(ADDRESS, f"{address}%{scope}")


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("255.255.255.255", "broadcast"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("0.1.2.3", "0.0.0.0/8"),
        ("240.0.0.1", "reserved"),
        ("254.1.1.1", "reserved"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::1", "loopback"),
        ("::ffff:192.0.2.12", "write the IPv4 address"),
        ("::192.0.2.12", "reserved"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
    ],
)
def test_an_address_that_can_not_be_a_nodes(refused, address, what):
    assert what in refused(ADDRESS, address)
    assert what in refused("pairs:cms:nodes:cms2", {"nodeid": 2, "addresses": [address]})


@pytest.mark.parametrize("address", ["192.0.2.12", "10.0.0.2", "100.64.0.1", "198.18.0.1"])
def test_an_address_of_a_node(site_model, address):
    assert site_model(with_(ADDRESS, address))["pairs"][0]["nodes"][1]["address"] == address


@pytest.mark.parametrize(
    "value", [3221225985, None, True, 1.5, "192.0.2.12/24", " 192.0.2.12", "192.0.2"]
)
@pytest.mark.parametrize(
    "path", [ADDRESS, "corosync:interface:0:bindnetaddr", "corosync:interface:0:mcastaddr"]
)
def test_what_is_no_address(site_model, path, value):
    place = with_(path, value) if path == ADDRESS else _with_interface(path, value)
    with pytest.raises(ValueError, match="should be an IP address"):
        site_model(place)


def _with_interface(path, value):
    return with_("corosync:interface", {0: {path.rpartition(":")[2]: value}})


def test_a_scope_in_an_interfaces_address(site_model):
    for key in ("bindnetaddr", "mcastaddr"):
        with pytest.raises(ValueError, match="should be an IP address"):
            site_model(with_("corosync:interface", {0: {key: "ff02::1%x\n}"}}))


COMMAND = "corosync:quorum:device:heuristics:exec_ping"


def _with_command(command):
    net = {"host": "192.0.2.9", "algorithm": "ffsplit"}
    heuristics = {"mode": "on", "exec_ping": command}
    device = {"model": "net", "votes": 1, "net": net, "heuristics": heuristics}
    return with_("corosync:quorum:device", device)


@pytest.mark.parametrize("control", CONTROLS)
def test_a_command_is_one_line_that_can_be_printed(site_model, control):
    with pytest.raises(ValueError, match=f"pillar cmha:{COMMAND}") as error:
        site_model(_with_command(f"/bin/ping{control}expected_votes: 1"))
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("/bin/sh -c { true; }", "begins a section"),
        ("x" * 401, "at most 400 bytes, has 401"),
        ("é" * 201, "at most 400 bytes, has 402"),
        ("   ", "a command in one line"),
        (7, "a command in one line"),
    ],
)
def test_a_command_that_corosync_would_read_otherwise(site_model, command, says):
    with pytest.raises(ValueError, match=says):
        site_model(_with_command(command))


def test_a_command(site_model):
    command = '/bin/ping -q -c 1 "192.0.2.1"; [ $? = 0 ] # 100% } sure'
    device = site_model(_with_command(command))["pairs"][0]["corosync"]["quorum"]["device"]
    assert device["heuristics"]["exec_ping"] == command


@pytest.mark.parametrize("control", CONTROLS)
def test_a_pattern_of_processes_can_be_printed(refused, control):
    refused("agent_processes", f"^A{control}B")


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("-f/etc/shadow", "begins with a dash"),
        ("-e", "begins with a dash"),
        ("a'b", "without single quotes"),
        ("'; rm -rf / #", "without single quotes"),
        ("", "without single quotes"),
    ],
)
def test_a_pattern_that_the_agent_could_not_hold(refused, pattern, says):
    assert says in refused("agent_processes", pattern)


@pytest.mark.parametrize(
    "path",
    [
        "/var/log/../../etc/passwd",
        "/var/log/..",
        "/var/log/./corosync.log",
        "/var/log/",
        "//var/log/corosync.log",
        "/",
        "/var//log",
    ],
)
def test_a_file_has_the_path_of_one(refused, path):
    assert "should be the path of a file" in refused("corosync:logging:logfile", path)
    assert "should be the path of a file" in refused("corosync:totem:keyfile", path)


@pytest.mark.parametrize("value", ["-oDPkg::Pre-Invoke::=id", "--force", "a b", "", "a;b", "a\nb"])
def test_a_package_is_no_option(site_model, value):
    with pytest.raises(ValueError, match="pillar cmha:versions"):
        site_model(with_("versions", {value: "1.0"}))
    with pytest.raises(ValueError, match="pillar cmha:versions:corosync"):
        site_model(with_("versions", {"corosync": value}))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("site", "x" * 256),
        ("pairs:cms:cluster_name", "x" * 256),
        ("pairs:cms:nodes:cms2:name", "x" * 256),
        ("service", "x" * 256),
        ("corosync:logging:logfile", "/var/log/" + "x" * 400),
    ],
)
def test_no_name_is_longer_than_its_line(refused, path, value):
    assert "should have at most" in refused(path, value)


def test_digits_are_ascii(refused):
    refused("corosync:quorum:auto_tie_breaker_node", "\u0661")
