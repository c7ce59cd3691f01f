"""
Every state file, rendered by a real Salt for every platform from the grains that its hosts report, against
golden files. test/golden/debian-12.yaml says what cmha does there, the others say in what a platform differs
from that. When a change of them is meant,

    CMHA_GOLDEN=write python -m pytest test/integration/test_platforms.py

writes them anew; read the difference before you commit it.
"""

import copy
import os
from functools import cache
from pathlib import Path

import pytest
import salt.loader
import yaml
from pillars import SITE, with_
from salt.exceptions import CommandExecutionError
from salt.grains import core

FORMULA = Path(__file__).resolve().parents[2]
PLATFORMS = sorted(path.stem for path in (FORMULA / "test/platforms").glob("*.yaml"))
# All but the orchestration, which the master renders, whatever its platform
STEPS = sorted(path.stem for path in (FORMULA / "cmha").glob("*.sls") if path.stem != "init")
EVERY_SLS = ["cmha", *(f"cmha.{step}" for step in STEPS)]
HOSTS = ("cms1", "mgmt1")  # one of each role

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BASE = "debian-12"  # whose golden file is whole
GONE = "isn't there"  # what a platform has not, and the base has
TABLE = yaml.load((FORMULA / "cmha/platforms.yaml").read_text(), Loader)


def reports(platform):
    """What the hosts of a platform, and of its rebuilds, report: the grains of each."""
    hosts = yaml.load((FORMULA / f"test/platforms/{platform}.yaml").read_text(), Loader)
    return [host["grains"] for host in hosts]


def place(grains):
    """The section and the release of the table that a host is of; of a rolling distribution, the first."""
    section = grains["os"] if grains["os"] in TABLE else grains["os_family"]
    return section, max(
        each for each in TABLE[section]["releases"] if each <= grains["osmajorrelease"]
    )


def _needs_repository(platform):
    section, release = place(reports(platform)[0])
    return TABLE[section]["releases"][release].get("crmsh_from") == "pillar"


WITHOUT_CRMSH = [platform for platform in PLATFORMS if _needs_repository(platform)]
WITH_COROSYNC_1 = ("rhel-6", "sles-11")
WITH_REPOSITORY = with_(
    "crmsh:repository", {"name": "crmsh", "baseurl": "https://mirror.example.com/crmsh"}
)


@pytest.fixture
def minion(minion_opts, tmp_path, monkeypatch):
    """The execution modules of a host with these grains, and with none of this machine's programs."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def modules(grains, host="cms1", **settings):
        opts = copy.deepcopy(minion_opts)
        opts.update(settings)
        opts.update(
            id=host,
            grains={"id": host, "kernel": "Linux", **grains},
            file_roots={"base": [str(FORMULA)]},
            pillar_roots={"base": [str(tmp_path)]},
            # any that finds no program; without one, Salt reads all of its modules each time
            providers={"pkg": "aptpkg"},
        )
        return salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))

    return modules


def show(modules, pillar, sls=EVERY_SLS):
    """By state file, by state: its functions with their arguments."""
    shown = modules["state.show_sls"](sls, pillar={"cmha": pillar})
    assert isinstance(shown, dict), shown
    files = {}
    for name, state in shown.items():
        functions = (_function(*item) for item in state.items() if not item[0].startswith("__"))
        files.setdefault(state["__sls__"], {})[name] = dict(functions)
    return files


def _function(module, parts):
    (function,) = (part for part in parts if isinstance(part, str))
    arguments = {}
    for part in parts:
        if isinstance(part, dict):
            arguments.update(part)
    arguments.pop("order")
    return f"{module}.{function}", arguments


def everything(modules, pillar):
    """All states, with the text of corosync.conf in place of what its template is given."""
    files = show(modules, pillar)
    conf = files["cmha.corosync"]["cmha corosync.conf"]["file.managed"]
    render = modules["slsutil.renderer"]
    conf["text"] = render(conf["source"], default_renderer="jinja", **conf.pop("context"))
    return files


class Dumper(yaml.SafeDumper):
    """Prints Salt's ordered mappings as mappings, and a text of many lines as such."""

    def ignore_aliases(self, data):
        return True


def _text(dumper, text):
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, _text)
Dumper.add_multi_representer(dict, Dumper.represent_dict)


def as_text(hosts):
    return yaml.dump(hosts, Dumper=Dumper, default_flow_style=None, width=100)


def differences(base, other):
    """What makes one tree of mappings the other."""
    if not isinstance(base, dict) or not isinstance(other, dict):
        return other
    found = {key: GONE for key in base if key not in other}
    for key, value in other.items():
        if key not in base:
            found[key] = value
        elif as_text(base[key]) != as_text(value):  # to Python, 1 is True
            found[key] = differences(base[key], value)
    return found


def applied(base, found):
    """The tree of mappings that ``differences`` was asked about."""
    if not isinstance(base, dict) or not isinstance(found, dict):
        return found
    kept = {key: value for key, value in base.items() if found.get(key) != GONE}
    return kept | {
        key: applied(kept.get(key), value) for key, value in found.items() if value != GONE
    }


@pytest.mark.parametrize("platform", [BASE, *(each for each in PLATFORMS if each != BASE)])
def test_what_cmha_does_there(minion, platform):
    grains = reports(platform)[0]
    pillar = WITH_REPOSITORY if platform in WITHOUT_CRMSH else SITE
    hosts = {host: everything(minion(grains, host), pillar) for host in HOSTS}
    golden = FORMULA / f"test/golden/{platform}.yaml"
    if os.environ.get("CMHA_GOLDEN") == "write":
        base = {} if platform == BASE else said_of(BASE)
        golden.write_text(as_text(differences(base, hosts)))
    assert as_text(hosts) == as_text(said_of(platform))


@cache
def said_of(platform):
    """What the golden files say that cmha does there."""
    found = yaml.load((FORMULA / f"test/golden/{platform}.yaml").read_text(), Loader)
    return found if platform == BASE else applied(said_of(BASE), found)


TRIMMED = {"trim_blocks": True, "lstrip_blocks": True}
SETTINGS = [
    {"jinja_env": TRIMMED, "jinja_sls_env": TRIMMED},
    {"jinja_env": {"trim_blocks": True}, "jinja_sls_env": {"trim_blocks": True}},
    {"jinja_env": {"lstrip_blocks": True}, "jinja_sls_env": {"lstrip_blocks": True}},
    {"jinja_trim_blocks": True, "jinja_lstrip_blocks": True},
    {"jinja_sls_env": {"line_statement_prefix": "%", "line_comment_prefix": "##"}},
    {"renderer": "jinja|json"},
    {"renderer": "py"},
    {"failhard": True, "state_aggregate": True},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("platform", ["debian-12", "rhel-6"])
def test_no_setting_of_a_minion_changes_that(minion, platform, settings):
    grains = reports(platform)[0]
    hosts = {host: everything(minion(grains, host, **settings), SITE) for host in HOSTS}
    assert as_text(hosts) == as_text(said_of(platform))


AGENT_STOPS = ("hard_stop_confirmed", "next_stop_hard", "stop_supervisord")


@pytest.mark.parametrize("agent_stop", AGENT_STOPS)
@pytest.mark.parametrize("settings", SETTINGS[:4], ids=str)
def test_no_setting_of_a_minion_changes_the_agent(minion, settings, agent_stop):
    """Nor the script that starts the cluster at boot."""
    grains = reports("debian-12")[0]
    known = {"agent_stop": agent_stop, "agent_processes": "x", "service": "y", "daemons": ["z"]}
    for file in ("agent.jinja", "boot/cmha-boot.init"):
        one, other = (
            minion(grains, **each)["slsutil.renderer"](
                f"salt://cmha/files/{file}", default_renderer="jinja", **known
            )
            for each in ({}, settings)
        )
        assert one.rstrip("\n") == other.rstrip("\n")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_corosync_conf_is_of_the_platforms_generation(platform):
    for files in said_of(platform).values():
        text = files["cmha.corosync"]["cmha corosync.conf"]["file.managed"]["text"]
        assert ("compatibility: whitetank" in text) == (platform in WITH_COROSYNC_1)
        assert ("nodelist {" in text) == (platform not in WITH_COROSYNC_1)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_rebuild_gets_what_the_original_gets(minion, formula_yaml, platform):
    tables = [formula_yaml(f"cmha/{table}.yaml") for table in ("defaults", "platforms")]
    original, *rebuilds = (
        minion(grains)["cmha.mapping"](*tables, pillar=WITH_REPOSITORY)
        for grains in reports(platform)
    )
    for rebuild in rebuilds:
        assert rebuild == {**original, "platform": rebuild["platform"]}


def test_no_state_file_asks_what_the_table_knows():
    for path in FORMULA.glob("cmha/**/*"):
        assert path.is_dir() or "grains" not in path.read_text() or path.name == "platforms.yaml"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_salt_reports_so(formula_yaml, platform):
    # By Salt's private functions, in both of its versions: what a distribution calls itself, and its
    # version, make the other grains
    for host in formula_yaml(f"test/platforms/{platform}.yaml"):
        grains = host["grains"]
        name = core._derive_os_grain(grains["osfullname"])
        if "os_release" in host:
            read = core._legacy_linux_distribution_data({}, host["os_release"], True)
            assert {key: read[key] for key in ("osfullname", "osrelease")} == {
                key: grains[key] for key in ("osfullname", "osrelease")
            }
            name = read["os"]
        found = core._osrelease_data(name, grains["osfullname"], grains["osrelease"])
        assert grains["os"] == name
        assert grains["os_family"] == core._OS_FAMILY_MAP.get(name, name)
        assert grains["osmajorrelease"] == found["osmajorrelease"]
        assert grains["osfinger"] == found["osfinger"]


def test_every_platform_of_the_table_is_reached():
    known = {
        (section, release)
        for section, settings in TABLE.items()
        for release in settings.get("releases", {})
    }
    reached = set()
    for platform in PLATFORMS:
        for grains in reports(platform):
            reached.add(place(grains))
            assert grains["init"] in TABLE["service_managers"]
    assert reached == known


def test_no_rhel_since_8_has_crmsh():
    assert WITHOUT_CRMSH == ["rhel-10", "rhel-8", "rhel-9"]


@pytest.mark.parametrize("platform", WITHOUT_CRMSH)
def test_where_the_distribution_has_no_crmsh(minion, platform):
    modules = minion(reports(platform)[0])
    states = show(modules, SITE, "cmha.packages")["cmha.packages"]
    said = states["cmha pillar"]["test.fail_without_changes"]["comment"]
    assert said.startswith("pillar cmha:crmsh:repository: is missing; RedHat ")
    assert "or set cmha:crmsh:install to false" in said
    assert "\n" not in said


@pytest.mark.parametrize("platform", ["rhel-9", "debian-12"])
def test_nobody_has_to_have_crmsh(minion, platform):
    pillar = with_("crmsh:install", False)
    states = show(minion(reports(platform)[0]), pillar, "cmha.packages")["cmha.packages"]
    assert list(states) == ["cmha packages"]
    packages = states["cmha packages"]["daemons.installed"]
    assert "crmsh" not in packages["pkgs"]
    assert "command" not in packages


def test_the_runners_module_knows_the_same_platforms(minion, tmp_path):
    (tmp_path / "top.sls").write_text("{base: {'*': [cmha]}}")
    (tmp_path / "cmha.sls").write_text(yaml.safe_dump({"cmha": SITE}))
    assert minion(reports("debian-12")[0])["cmha_host.pending"]()["running"] is False
    with pytest.raises(CommandExecutionError, match="RedHat 9 has no crmsh of its own"):
        minion(reports("rhel-9")[0])["cmha_host.pending"]()


@pytest.mark.parametrize(
    ("platform", "started_by"),
    [
        ("debian-12", "/etc/systemd/system/cmha-boot.service"),
        ("rhel-7", "/etc/systemd/system/cmha-boot.service"),
        ("rhel-6", "/etc/init.d/cmha-boot"),
        ("sles-11", "/etc/init.d/cmha-boot"),
    ],
)
def test_start_on_boot(minion, platform, started_by):
    modules, steps = minion(reports(platform)[0]), ["cmha.autostart", "cmha.boot"]
    after_clean, always = (
        show(modules, with_("start_on_boot", setting), steps)
        for setting in ("after_clean_shutdown", "always")
    )
    files = {
        state["file.managed"]["name"]: state["file.managed"]
        for state in after_clean["cmha.boot"].values()
        if "file.managed" in state
    }
    assert started_by in files
    for file in (each for each in files.values() if "source" in each):
        assert modules["cp.get_file_str"](file["source"]).count("# Written by Salt (cmha)") == 1
    assert (
        after_clean["cmha.boot"]["cmha start after a clean shutdown"]["daemons.at_boot"]["name"]
        == "cmha-boot"
    )
    lock = files.pop("/var/lock/subsys/cmha-boot", None)
    assert (lock is not None) == started_by.startswith("/etc/init.d")
    assert "cmha no start after a clean shutdown" in always["cmha.boot"]
    for daemon in ("corosync", "pacemaker"):
        assert f"cmha {daemon} not at boot" in after_clean["cmha.autostart"]
        assert f"cmha {daemon} at boot" in always["cmha.autostart"]
