"""Installing without starting; switching off at boot by outcome."""

import pytest


class Host:
    """
    A host with services; ``brings`` are those that its packages bring, started and enabled unless they are
    masked: by systemd, or by whom Debian's packages ask where there is none.
    """

    def __init__(self, brings=("corosync", "pacemaker"), present=(), crm=0, sticky=False):
        self.brings, self.crm, self.sticky = brings, crm, sticky
        self.enabled = set(present)
        self.available = set(present)
        self.running = set()
        self.masked = set()
        self.stale = set()
        self.calls = []
        self.installs = True
        self.versions = {}
        self.wanted = None

    def salt(self, init):
        masks = {
            "systemd": {
                "service.mask": self.mask,
                "service.unmask": lambda name, runtime: self.masked.discard(name),
                "service.masked": lambda name, runtime: runtime and name in self.masked,
            },
            "sysvinit": {
                "daemons.hold_back": self.masked.update,
                "daemons.release": self.masked.clear,
            },
        }
        return {
            **masks[init],
            "service.available": lambda name: name in self.available,
            "service.enabled": lambda name: name in self.enabled,
            "service.status": lambda name: name in self.running,
            "service.disable": self.disable,
            "service.show": self.show,
            "service.systemctl_reload": self.reload,
            "daemons.other_versions": self.other_versions,
            "cmd.run_all": lambda *_, **__: {"retcode": self.crm, "stderr": "boom", "stdout": ""},
        }

    def states(self):
        return {
            "pkg.installed": self.install,
            "service.disabled": self.service_disabled,
            "service.enabled": self.service_enabled,
            "service.running": self.service_running,
        }

    def other_versions(self, versions):
        return {
            name: {"old": self.versions[name], "new": version}
            for name, version in versions.items()
            if self.versions.get(name, version) != version
        }

    def disable(self, name):
        self.calls.append(f"disable {name}")
        if not self.sticky:
            self.enabled.discard(name)
        return True

    def mask(self, name, runtime):
        assert runtime
        self.masked.add(name)

    def install(self, name, pkgs):
        self.calls.append("install")
        self.wanted, self.masked_while_installing = pkgs, set(self.masked)
        ret = {"name": name, "result": self.installs, "changes": {}, "comment": "dpkg says no"}
        if not self.installs:
            return ret
        new = set(self.brings) - self.available
        self.available |= new
        self.enabled |= new
        self.running |= new - self.masked
        return {**ret, "changes": {name: {"old": "", "new": "1"} for name in sorted(new)}}

    def service_disabled(self, name):
        self.disable(name)
        return {"name": name, "result": True, "changes": {}, "comment": "exit code 0"}

    def service_enabled(self, name):
        self.calls.append(f"enable {name}")
        if not self.sticky:
            self.enabled.add(name)
        return {"name": name, "result": True, "changes": {}, "comment": "exit code 0"}

    def show(self, name):
        return {"NeedDaemonReload": "yes" if name in self.stale else "no"}

    def reload(self):
        self.calls.append("reload")
        if not self.sticky:
            self.stale.clear()

    def service_running(self, name):
        if name in self.masked or self.sticky:
            return {"name": name, "result": False, "changes": {}, "comment": "failed to start"}
        new = name not in self.running
        self.running.add(name)
        return {"name": name, "result": True, "changes": {name: new} if new else {}, "comment": ""}


@pytest.fixture(params=["systemd", "sysvinit"])
def daemons(load_file, request):
    def on(host, test=False):
        return load_file(
            "_states/daemons.py",
            opts={"test": test},
            grains={"id": "cms1", "init": request.param, "os_family": "Debian"},
            salt=host.salt(request.param),
            states=host.states(),
        )

    return on


def install(module):
    return module.installed("p", ["corosync", "pacemaker"], ["corosync", "pacemaker"], "crm")


def test_new_daemons_neither_run_nor_start_at_boot_and_no_mask_stays(daemons):
    host = Host()
    ret = install(daemons(host))
    assert ret["result"] is True
    assert set(ret["changes"]) == {"corosync", "pacemaker"}
    assert (host.running, host.enabled, host.masked) == (set(), set(), set())


def test_daemons_that_were_there_are_left_alone(daemons):
    host = Host(present=("corosync", "pacemaker"))
    host.running = {"corosync", "pacemaker"}
    ret = install(daemons(host))
    assert ret["result"] is True
    assert host.running == {"corosync", "pacemaker"}
    assert "disable corosync" not in host.calls


def test_a_failed_installation_leaves_no_mask(daemons):
    host = Host()
    host.installs = False
    ret = install(daemons(host))
    assert (ret["result"], ret["comment"]) == (False, "dpkg says no")
    assert host.masked == set()


def test_an_exception_leaves_no_mask(daemons):
    host = Host()
    host.install = None
    with pytest.raises(TypeError):
        install(daemons(host))
    assert host.masked == set()


def test_packages_without_the_daemons_are_a_failure(daemons):
    ret = install(daemons(Host(brings=("corosync",))))
    assert ret["result"] is False
    assert "brought no service pacemaker" in ret["comment"]


def test_a_crm_that_does_not_run_is_a_failure(daemons):
    ret = install(daemons(Host(crm=1)))
    assert ret["result"] is False
    assert ret["comment"] == "crm --version fails on cms1: boom"


def test_a_test_run_sees_a_crm_that_does_not_run(daemons):
    """Nothing would install it: the packages are there."""
    host = Host(present=("corosync", "pacemaker"), crm=1)
    ret = install(daemons(host, test=True))
    assert (ret["result"], ret["comment"]) == (False, "crm --version fails on cms1: boom")


def test_a_test_run_masks_nothing(daemons):
    host = Host()
    install(daemons(host, test=True))
    assert host.calls == ["install"]  # Salt's own state, which predicts
    assert host.masked == set()


def test_switched_off_once(daemons):
    host = Host(present=("x",))
    module = daemons(host)
    first, second = module.not_at_boot("x"), module.not_at_boot("x")
    assert first["changes"] == {"x": {"old": "starts at boot", "new": "does not start at boot"}}
    assert (second["result"], second["changes"]) == (True, {})
    assert host.calls == ["disable x"]


def test_the_outcome_counts_and_not_the_exit_code(daemons):
    ret = daemons(Host(present=("x",), sticky=True)).not_at_boot("x")
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"] == "x still starts at boot on cms1: exit code 0"


def test_a_prediction_changes_nothing(daemons):
    host = Host(present=("x",))
    ret = daemons(host, test=True).not_at_boot("x")
    assert ret["result"] is None
    assert ret["changes"]
    assert host.calls == []


@pytest.mark.parametrize("test", [False, True])
def test_a_service_that_is_not_there(daemons, test):
    ret = daemons(Host(), test).not_at_boot("cloudera-scm-server")
    assert ret["result"] is False
    assert ret["comment"] == "cms1 has no service cloudera-scm-server; install it first"


@pytest.mark.parametrize("test", [False, True])
def test_a_service_that_may_be_missing(daemons, test):
    ret = daemons(Host(), test).not_at_boot("cmha-boot", may_be_missing=True)
    assert (ret["result"], ret["changes"]) == (True, {})
    host = Host(present=("cmha-boot",))
    assert daemons(host).not_at_boot("cmha-boot", may_be_missing=True)["changes"]
    assert host.calls == ["disable cmha-boot"]


def test_a_service_that_this_run_may_bring(daemons):
    assert daemons(Host(), True).not_at_boot("corosync", from_package=True)["result"] is True
    assert daemons(Host(), False).not_at_boot("corosync", from_package=True)["result"] is False


def test_switched_on_once(daemons):
    host = Host(present=("x",))
    host.enabled.clear()
    predicted = daemons(host, test=True).at_boot("x")
    assert (predicted["result"], host.enabled) == (None, set())
    module = daemons(host)
    first, second = module.at_boot("x"), module.at_boot("x")
    assert first["changes"] == predicted["changes"]
    assert first["changes"] == {"x": {"old": "does not start at boot", "new": "starts at boot"}}
    assert (second["result"], second["changes"]) == (True, {})
    assert host.calls == ["enable x"]


def test_what_does_not_stay_on_is_a_failure(daemons):
    host = Host(present=("x",), sticky=True)
    host.enabled.clear()
    ret = daemons(host).at_boot("x")
    assert (ret["result"], ret["changes"]) == (False, {})
    assert ret["comment"] == "x does not start at boot on cms1: exit code 0"


def test_what_this_run_will_bring_is_predicted_to_start_at_boot(daemons):
    predicted = daemons(Host(), True).at_boot("x", from_package=True)
    assert (predicted["result"], list(predicted["changes"])) == (None, ["x"])
    assert daemons(Host(), True).at_boot("x")["result"] is False
    assert daemons(Host(), False).at_boot("x", from_package=True)["result"] is False


@pytest.mark.parametrize("test", [False, True])
def test_systemd_reads_a_changed_unit_anew_and_only_then(daemons, test):
    host = Host(present=("x",))
    module = daemons(host, test)
    assert module.known("x")["result"] is True
    assert host.calls == []
    host.stale.add("x")
    ret = module.known("x")
    assert (ret["result"], ret["changes"]) == (None if test else True, {})
    assert host.calls == ([] if test else ["reload"])


def test_a_unit_that_stays_as_it_was_is_a_failure(daemons):
    host = Host(present=("x",), sticky=True)
    host.stale.add("x")
    ret = daemons(host).known("x")
    assert (ret["result"], ret["comment"]) == (False, "systemd on cms1 keeps what x was before")


def test_other_service_managers_keep_no_files_in_memory(daemons):
    host = Host(present=("x",))
    host.stale.add("x")
    module = daemons(host)
    del module.__salt__["service.systemctl_reload"]
    assert module.known("x")["result"] is True
    assert host.calls == []


def test_a_start_is_predicted_and_then_happens_once(daemons):
    host = Host(present=("corosync",))
    predicted = daemons(host, test=True).running("corosync")
    assert predicted["result"] is None
    assert predicted["changes"] == {"corosync": {"old": "stopped", "new": "running"}}
    assert host.running == set()
    assert daemons(host).running("corosync")["changes"]
    assert daemons(host).running("corosync")["changes"] == {}
    assert daemons(host, test=True).running("corosync")["result"] is True


def test_a_mask_that_a_killed_installation_left(daemons):
    host = Host(present=("corosync",))
    host.masked = {"corosync"}
    module = daemons(host)
    said = module.running("corosync")
    assert (said["result"], said["changes"]) == (False, {})
    if module.__grains__["init"] == "systemd":
        assert "systemctl unmask --runtime corosync" in said["comment"]
    else:
        assert said["comment"] == "failed to start"


def test_a_daemon_that_does_not_start_for_another_reason(daemons):
    said = daemons(Host(present=("corosync",), sticky=True)).running("corosync")
    assert (said["result"], said["comment"]) == (False, "failed to start")


# --- versions ------------------------------------------------------------------------------------

WANTED = {"corosync": "3.1.8"}


def install_version(module):
    return module.installed(
        "p", ["corosync", "pacemaker"], ["corosync", "pacemaker"], versions=WANTED
    )


@pytest.mark.parametrize("test", [False, True])
def test_an_installed_version_is_kept_while_a_daemon_runs(daemons, test):
    host = Host(present=("corosync", "pacemaker"))
    host.versions = {"corosync": "3.1.7"}
    host.running = {"corosync"}
    ret = install_version(daemons(host, test))
    assert host.wanted == ["corosync", "pacemaker"]
    assert "corosync" not in host.masked_while_installing
    assert (
        "corosync stays 3.1.7 while the cluster runs; the orchestration makes it 3.1.8"
        in (ret["comment"])
    )


def test_the_wanted_version_that_runs_stays_declared(daemons):
    host = Host(present=("corosync", "pacemaker"))
    host.versions = dict(WANTED)
    host.running = {"corosync", "pacemaker"}
    ret = install_version(daemons(host))
    assert host.wanted == [WANTED, "pacemaker"]
    assert "stays" not in ret["comment"]


def test_a_stopped_host_gets_the_version_and_its_daemons_are_not_started(daemons):
    host = Host(present=("corosync", "pacemaker"))
    host.versions = {"corosync": "3.1.7"}
    install_version(daemons(host))
    assert host.wanted == [WANTED, "pacemaker"]
    assert host.masked_while_installing == {"corosync", "pacemaker"}
    assert (host.running, host.masked) == (set(), set())


def test_a_package_that_only_the_versions_name_is_installed_too(daemons):
    host = Host()
    daemons(host).installed("x", ["corosync"], ["corosync"], versions={"libknet1": "1.24-2"})
    assert host.wanted == ["corosync", {"libknet1": "1.24-2"}]


def test_a_new_host_gets_the_version(daemons):
    host = Host()
    install_version(daemons(host))
    assert host.wanted == [WANTED, "pacemaker"]
    assert host.running == set()


def test_a_stopped_daemon_of_the_right_version_is_not_masked(daemons):
    host = Host(present=("corosync", "pacemaker"))
    host.versions = dict(WANTED)
    install_version(daemons(host))
    assert host.masked_while_installing == set()
