"""What the environment asks for: the lab's name, its hosts, their release and their Salt."""

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

LAB = Path(__file__).resolve().parent.parent  # test/lab
FORMULA = LAB.parent.parent  # the checkout
FORMULA_ON_MASTER = "/srv/formula"
LABS = Path("/run/cmha-lab")  # one directory a lab

MASTER = "master"
NETWORK = "192.0.2"  # TEST-NET-1 of RFC 5737
SIDE_NETWORK = "198.51.100"  # TEST-NET-2: with LAB_BMC the hosts, above 100 and 200 their BMCs
BMC_USER, BMC_PASSWORD = "fencer", "fencers word"
PREFIX = 24
ADDRESSES = {MASTER: 2, "cms1": 11, "cms2": 12, "mgmt1": 21, "mgmt2": 22}
FIRST_FREE_ADDRESS = 31  # for hosts of any other name
CLUSTER_HOSTS = "cms1 cms2 mgmt1 mgmt2"

MASTER_SUITE = "bookworm"
LOOK_ALIKES = tuple(sorted(path.stem for path in LAB.glob("look-alikes/*.toml")))
SUITES = ("bullseye", "bookworm", "trixie", *LOOK_ALIKES)
INITS = ("systemd", "sysvinit")
SWITCH = ("no", "yes")

NAME = re.compile(r"[a-z][a-z0-9-]{0,14}")  # a network interface's name has 15 characters


class LabError(Exception):
    """Something the person at the keyboard can act on, said in one line."""

    status = 69  # EX_UNAVAILABLE of sysexits.h


class UsageError(LabError):
    """Not how the command is called; says how it is."""

    status = 64  # EX_USAGE

    def __init__(self, usage):
        super().__init__(f"usage: {usage}")


class Unverified(LabError):
    """The lab works, what runs in it doesn't."""

    status = 1


@dataclass(frozen=True)
class Settings:
    """What a lab is made of. Fixed when it comes up."""

    name: str
    hosts: tuple  # of the cluster: the master is one more
    suite: str  # of the hosts, and of single ones: "bookworm cms2=trixie"
    init: str  # of the hosts; the master has systemd
    salt: str  # of the master
    minion_salt: str
    next_salt: str  # to which any host may be upgraded, or none
    disk: str  # yes: the cluster's hosts share a disk
    bmc: str  # yes: each host of the cluster has a BMC, and a second cable by which others reach it
    state_events: str  # yes: each state of a run becomes an event, which doubles a run's time
    checkout: str = str(FORMULA)  # whose files the master serves, and whose digest a snapshot has

    @property
    def directory(self):
        return LABS / self.name

    @property
    def shared(self):
        """What all hosts see at /mnt/cm-shared; stands for the guide's NFS."""
        return self.directory / "cm-shared"

    @property
    def everyone(self):
        return (MASTER, *self.hosts)

    def suite_of(self, host):
        first, *single = self.suite.split()
        return dict(each.split("=") for each in single).get(host, first)

    def init_of(self, host):
        return "systemd" if host == MASTER else self.init

    def addresses(self):
        """Every host's address: the guide's hosts have theirs for good, others in their order."""
        others = [host for host in self.hosts if host not in ADDRESSES]
        last = {**ADDRESSES, **{host: FIRST_FREE_ADDRESS + n for n, host in enumerate(others)}}
        return {host: f"{NETWORK}.{last[host]}" for host in self.everyone}

    def side_addresses(self):
        """The address of each host that has a BMC, on the side on which the BMCs are."""
        return {
            host: address.replace(NETWORK, SIDE_NETWORK, 1)
            for host, address in self.addresses().items()
            if self.bmc == "yes" and host != MASTER
        }

    def bmc_addresses(self, host):
        """Of its BMC, and of a second one."""
        side, _, last = self.side_addresses()[host].rpartition(".")
        return [f"{side}.{int(last) + more}" for more in (100, 200)]

    def as_dict(self):
        return {**asdict(self), "hosts": list(self.hosts)}

    @classmethod
    def from_dict(cls, words):
        return cls(**{**words, "hosts": tuple(words["hosts"])})


def from_environment(environment=os.environ):
    hosts = tuple(environment.get("LAB_HOSTS", CLUSTER_HOSTS).split())
    salt = environment.get("LAB_SALT", "3008")
    settings = Settings(
        name=environment.get("LAB", "lab"),
        hosts=hosts,
        suite=environment.get("LAB_SUITE", "bookworm"),
        init=environment.get("LAB_INIT", "systemd"),
        salt=salt,
        minion_salt=environment.get("LAB_MINION_SALT", salt),
        next_salt=environment.get("LAB_NEXT_SALT", ""),
        disk=environment.get("LAB_DISK", "no"),
        bmc=environment.get("LAB_BMC", "no"),
        state_events=environment.get("LAB_STATE_EVENTS", "no"),
    )
    _check_suites(settings)
    _one_of("LAB_INIT", settings.init, INITS)
    _check_look_alikes(settings)
    _one_of("LAB_STATE_EVENTS", settings.state_events, SWITCH)
    _one_of("LAB_DISK", settings.disk, SWITCH)
    _one_of("LAB_BMC", settings.bmc, SWITCH)
    if settings.bmc == "yes" and any(len(host) > 13 for host in hosts):
        raise LabError("LAB_BMC=yes: a host's name has at most 13 characters")
    for name in (settings.name, *hosts):
        if not NAME.fullmatch(name):
            raise LabError(
                f"{name!r} can't be a lab's or a host's name: a-z, 0-9 and -, at most 15"
            )
    if MASTER in hosts or len(set(hosts)) != len(hosts) or not hosts:
        raise LabError(f"LAB_HOSTS={' '.join(hosts)!r}: name each host once, and not {MASTER}")
    return settings


def _check_suites(settings):
    first, *single = settings.suite.split() or [""]
    _one_of("LAB_SUITE", first, SUITES)
    for each in single:
        host, _, suite = each.partition("=")
        if host not in settings.hosts:
            raise LabError(
                f"LAB_SUITE: {each!r} should be HOST=SUITE, of {' '.join(settings.hosts)}"
            )
        _one_of("LAB_SUITE", suite, SUITES)


def _check_look_alikes(settings):
    for suite in map(settings.suite_of, settings.hosts):
        if suite in LOOK_ALIKES and settings.init != "systemd":
            raise LabError(f"LAB_INIT={settings.init}: {suite} boots with systemd")


def check_suite(suite):
    _one_of("a release", suite, SUITES)


def _one_of(variable, value, known):
    if value not in known:
        raise LabError(f"{variable}={value!r}: the lab knows {', '.join(known)}")
