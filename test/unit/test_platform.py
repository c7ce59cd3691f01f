"""The platform model: which layer wins, and what is said of a host that the table doesn't know."""

import pytest

FIREWALL = {"iptables": ["iptables"], "nftables": ["nftables"]}
TABLE = {
    "default": {
        "packages": {
            "cluster": ["corosync"],
            "crmsh": ["crmsh"],
            "firewall": FIREWALL,
            "device": ["qd"],
        },
        "crmsh_from": "distribution",
        "service_manager": "systemd",
        "defaults_file": "/default",
    },
    "Debian": {
        "defaults_file": "/debian",
        "releases": {12: {}, 13: {"packages": {"firewall": {"iptables": ["iptables-nft"]}}}},
    },
    "Ubuntu": {"family": "Debian", "releases": {14: {"service_manager": "upstart"}, 16: {}}},
    "RedHat": {"defaults_file": "/redhat", "releases": {9: {"crmsh_from": "pillar"}}},
    "Suse": {"releases": {15: {}, 16: {}, 20150101: {"rolling": "Tumbleweed"}}},
    "service_managers": {
        "systemd": {"agent_stop": "next_stop_hard"},
        "upstart": {"agent_stop": "hard_stop_confirmed"},
    },
}

WANTED = {"install": True, "repository": {}}


@pytest.fixture
def cmha_platform(pure):
    return pure("cmha_platform")


@pytest.fixture
def platform(cmha_platform):
    def found(distribution, family, release, like=None, **grains):
        reported = {"id": "cms1", "os": distribution, "os_family": family, **grains}
        return cmha_platform.platform(TABLE, {**reported, "osmajorrelease": release}, like=like)

    return found


def test_what_is_nearer_to_the_host_wins(platform):
    assert platform("Debian", "Debian", 12)["defaults_file"] == "/debian"
    assert platform("Ubuntu", "Debian", 14)["defaults_file"] == "/debian"
    assert platform("Rocky", "RedHat", 9)["defaults_file"] == "/redhat"
    assert platform("Debian", "Debian", 13)["packages"] == {
        "cluster": ["corosync"],
        "crmsh": ["crmsh"],
        "firewall": {"iptables": ["iptables-nft"], "nftables": ["nftables"]},
        "device": ["qd"],
    }


def test_the_host_knows_its_service_manager_better_than_the_table(platform):
    assert platform("Ubuntu", "Debian", 14)["agent_stop"] == "hard_stop_confirmed"
    assert platform("Ubuntu", "Debian", 14, init="systemd")["service_manager"] == "systemd"
    assert platform("Debian", "Debian", 12, init="upstart")["agent_stop"] == "hard_stop_confirmed"
    assert platform("Debian", "Debian", 12, init="unknown")["agent_stop"] == "next_stop_hard"


@pytest.mark.parametrize(
    ("distribution", "family", "release"),
    [
        ("Debian", "Debian", 10),
        ("Ubuntu", "Debian", 12),  # a release of Debian's
        ("Amazon", "RedHat", 2),
        ("Rocky", "RedHat", "9"),
        ("Arch", "Arch", None),
        ("service_managers", "default", 9),
    ],
)
def test_a_platform_that_the_table_does_not_know(platform, distribution, family, release):
    with pytest.raises(ValueError) as error:
        platform(distribution, family, release)
    assert str(error.value) == (
        f"cmha doesn't know the platform of cms1: {distribution} {release}, of the family {family}; it "
        "knows Debian 12, Debian 13, Ubuntu 14, Ubuntu 16, RedHat 9, Suse 15, Suse 16 (cmha/platforms.yaml). "
        "If the host is like one of these, name that one in pillar, cmha:platform"
    )


@pytest.mark.parametrize(
    ("distribution", "family", "release", "taken_as"),
    [
        ("Debian", "Debian", 13, None),
        ("Debian", "Debian", 14, "Debian 13"),
        ("Debian", "Debian", None, "Debian 13"),  # testing, before it has a number
        ("Mint", "Debian", 14, "Debian 13"),
        ("Ubuntu", "Debian", 15, "Ubuntu 14"),
        ("Ubuntu", "Debian", 28, "Ubuntu 16"),
        ("Rocky", "RedHat", 9, None),
        ("Rocky", "RedHat", 11, "RedHat 9"),
        ("Fedora", "RedHat", 43, "RedHat 9"),
        ("SUSE", "Suse", 17, "Suse 16"),
        ("SUSE", "Suse", 20150101, None),
        ("SUSE", "Suse", 20261101, None),  # Tumbleweed of a day
    ],
)
def test_a_release_is_taken_as_the_newest_older_one(
    platform, distribution, family, release, taken_as
):
    found = platform(distribution, family, release)
    assert found["taken_as"] == taken_as
    assert found["platform"] == f"{distribution} {release}"
    assert not {"releases", "rolling", "family"} & set(found)


def test_pillar_says_what_a_host_is_like(platform):
    found = platform("Arch", "Arch", None, like="RedHat 9")
    assert (found["defaults_file"], found["crmsh_from"]) == ("/redhat", "pillar")
    assert (found["platform"], found["taken_as"]) == ("Arch None", None)
    ubuntu = platform("Pop", "Debian", 14, like="Ubuntu 14")
    assert (ubuntu["defaults_file"], ubuntu["service_manager"]) == ("/debian", "upstart")
    with pytest.raises(
        ValueError, match="^pillar cmha:platform: RHEL 9 isn't known; it can be Deb"
    ):
        platform("Arch", "Arch", None, like="RHEL 9")


def test_a_host_that_reports_nothing(cmha_platform):
    with pytest.raises(ValueError, match="doesn't know the platform of cms1: None None"):
        cmha_platform.platform(TABLE, {"id": "cms1"})


def test_packages_are_for_what_is_wanted(cmha_platform, platform):
    debian = platform("Debian", "Debian", 12)
    assert cmha_platform.packages(debian, WANTED, "iptables") == ["corosync", "crmsh", "iptables"]
    assert cmha_platform.packages(debian, {**WANTED, "install": False}, None) == ["corosync"]
    assert cmha_platform.packages(debian, WANTED, None, True) == ["corosync", "crmsh", "qd"]


@pytest.mark.parametrize(
    ("backend", "packages"),
    [("iptables", ["iptables"]), ("nftables", ["nftables"]), ("firewalld", []), ("ufw", [])],
)
def test_a_firewall_is_installed_only_where_it_closes_nothing(
    cmha_platform, platform, backend, packages
):
    debian = platform("Debian", "Debian", 12)
    assert cmha_platform.packages(debian, WANTED, backend) == ["corosync", "crmsh", *packages]


def test_rules_are_saved_where_they_are_loaded(cmha_platform):
    suse = {"platform": "SUSE 15", "iptables_saved": {}}
    with pytest.raises(ValueError, match="^pillar cmha:firewall:save: SUSE 15 has no file of"):
        cmha_platform.need_place_to_save(suse, "iptables", True)
    cmha_platform.need_place_to_save(suse, "iptables", False)
    cmha_platform.need_place_to_save(suse, "nftables", True)
    debian = {"platform": "Debian 12", "iptables_saved": {"ipv4": "/etc/iptables/rules.v4"}}
    cmha_platform.need_place_to_save(debian, "iptables", True)


def test_crmsh_comes_from_somewhere(cmha_platform, platform):
    rocky = platform("Rocky", "RedHat", 9)
    with pytest.raises(
        ValueError, match="^pillar cmha:crmsh:repository: is missing; Rocky 9 has no"
    ):
        cmha_platform.packages(rocky, WANTED, None)
    somewhere = {**WANTED, "repository": {"name": "crmsh"}}
    assert cmha_platform.packages(rocky, somewhere, None) == ["corosync", "crmsh"]
    assert cmha_platform.packages(rocky, {**WANTED, "install": False}, None) == ["corosync"]


def test_the_table_is_not_changed(platform):
    platform("Debian", "Debian", 12)["packages"]["cluster"].append("x")
    assert platform("Debian", "Debian", 12)["packages"]["cluster"] == ["corosync"]


@pytest.mark.parametrize(
    ("name", "init", "known_as"),
    [
        ("corosync", "systemd", "corosync"),
        ("corosync-qdevice", "systemd", "corosync-qdevice.service"),
        ("corosync-qdevice", "sysvinit", "corosync-qdevice"),
    ],
)
def test_a_service_that_salt_would_take_for_a_device(cmha_platform, name, init, known_as):
    assert cmha_platform.service(name, init) == known_as
