"""
Install daemons without starting them, say which start at boot, start them when asked to.

They wrap Salt's own states ``pkg.installed``, ``service.disabled``, ``service.enabled`` and
``service.running``, and add what
these don't promise: that a package's own scripts start nothing, that the outcome was checked, and that a
test run predicts every change.
"""

import contextlib


def __virtual__():
    return True


def installed(name, pkgs, daemons, command=None, versions=None):
    """
    Install packages; the daemons that they bring neither run nor start at boot afterwards.

    Debian's packages start and enable Corosync and Pacemaker at once, as a cluster of one node named
    node1. A mask of systemd, or where there is none the policy that Debian's package scripts ask, prevents
    the start, and lasts only as long as the installation. A daemon that was there before is left as it is.

    While one of the daemons runs, an installed package keeps its version, whatever is declared: to change
    it would restart the daemon, and stop what it manages.

    name
        Any text.
    pkgs
        The packages, a list of names.
    daemons
        The services that these packages bring, a list of names.
    command
        A command that must run once the packages are installed (it is called with ``--version``).
    versions
        Mapping of package name to version, for those that shall have a certain one; they are installed too.

    .. code-block:: yaml

        cmha packages:
          daemons.installed:
            - pkgs: [corosync, pacemaker, crmsh]
            - daemons: [corosync, pacemaker]
            - command: crm
    """
    versions = versions or {}
    other = __salt__["daemons.other_versions"](versions)
    new = [daemon for daemon in daemons if not __salt__["service.available"](daemon)]
    stopped = [each for each in daemons if each not in new and not __salt__["service.status"](each)]
    kept = other if len(new) + len(stopped) < len(daemons) else {}
    wanted = [
        {each: versions[each]} if each in versions and each not in kept else each
        for each in dict.fromkeys([*pkgs, *versions])
    ]
    if __opts__["test"]:
        ret = _with_kept(__states__["pkg.installed"](name, pkgs=wanted), kept)
        problems = _doesnt_run(command) if ret["result"] is True else []
        return {**ret, "result": False, "comment": "; ".join(problems)} if problems else ret
    with _kept_from_starting(new + (stopped if other else [])):
        ret = _with_kept(__states__["pkg.installed"](name, pkgs=wanted), kept)
    if ret["result"] is False:
        return ret
    problems = _at_boot_off(new) + _doesnt_run(command)
    if problems:
        return {**ret, "result": False, "comment": "; ".join(problems)}
    return ret


def not_at_boot(name, from_package=False, may_be_missing=False):
    """
    Keep a service from starting at boot; leave it running or stopped as it is.

    ``service.disabled`` chooses chkconfig, update-rc.d or systemctl; what counts is that the service is
    off afterwards, not what the tool's exit code says.

    name
        The service.
    from_package
        Whether an earlier state of the same run may have brought it: then a test run doesn't mind its
        absence.
    may_be_missing
        Whether it is all right that the host has no such service.

    .. code-block:: yaml

        pacemaker:
          daemons.not_at_boot
    """
    if may_be_missing and not __salt__["service.available"](name):
        comment = f"{__grains__['id']} has no service {name}"
        return {"name": name, "result": True, "changes": {}, "comment": comment}
    return _switched(name, "off", from_package)


def at_boot(name, from_package=False):
    """
    Have a service start at boot; leave it running or stopped as it is.

    ``service.enabled`` chooses chkconfig, update-rc.d or systemctl; what counts is that the service is on
    afterwards.

    name
        The service.
    from_package
        Whether an earlier state of the same run may have brought it.

    .. code-block:: yaml

        pacemaker:
          daemons.at_boot
    """
    return _switched(name, "on", from_package)


def known(name):
    """
    The service manager knows a service as its files are on the disk; nothing is restarted for that. Only
    systemd keeps them in memory.

    name
        The service.

    Source: ``systemctl(1)``, daemon-reload; ``NeedDaemonReload`` of a unit.

    .. code-block:: yaml

        pacemaker:
          daemons.known
    """
    comment = f"{name} is known as its files say"
    if not _is_out_of_date(name):
        return {"name": name, "result": True, "changes": {}, "comment": comment}
    if __opts__["test"]:
        return {
            "name": name,
            "result": None,
            "changes": {},
            "comment": f"{name} would be read anew",
        }
    __salt__["service.systemctl_reload"]()
    result = not _is_out_of_date(name)
    said = comment if result else f"systemd on {__grains__['id']} keeps what {name} was before"
    return {"name": name, "result": result, "changes": {}, "comment": said}


def running(name):
    """
    Start a service that is stopped. Leaves the start at boot as it is.

    ``service.running``, with a prediction that counts as a change, and a word of the mask that an
    installation leaves when it is killed.

    name
        The service.

    .. code-block:: yaml

        corosync:
          daemons.running
    """
    if __opts__["test"] and not __salt__["service.status"](name):
        change = {name: {"old": "stopped", "new": "running"}}
        comment = f"{name} would be started"
        return {"name": name, "result": None, "changes": change, "comment": comment}
    ret = __states__["service.running"](name)
    if ret["result"] is False and _is_masked(name):
        comment = (
            f"{name} is masked on {__grains__['id']} until the next boot, as a killed installation "
            f"leaves it. If nobody else masked it: systemctl unmask --runtime {name}"
        )
        return {**ret, "comment": comment}
    return ret


def _switched(name, to, from_package):
    on, words = to == "on", {True: "starts at boot", False: "does not start at boot"}
    ret = {"name": name, "result": True, "changes": {}, "comment": f"{name} {words[on]}"}
    change = {name: {"old": words[not on], "new": words[on]}}
    if not __salt__["service.available"](name):
        if not (__opts__["test"] and from_package):
            comment = f"{__grains__['id']} has no service {name}; install it first"
            return {**ret, "result": False, "comment": comment}
        if not on:
            return {**ret, "comment": f"{name} is not installed yet; cmha installs it switched off"}
    elif bool(__salt__["service.enabled"](name)) is on:
        return ret
    if __opts__["test"]:
        comment = f"{name} would be switched {to} at boot"
        return {**ret, "result": None, "changes": change, "comment": comment}
    attempt = __states__["service.enabled" if on else "service.disabled"](name)
    if bool(__salt__["service.enabled"](name)) is not on:
        still = "does not start" if on else "still starts"
        comment = f"{name} {still} at boot on {__grains__['id']}: {attempt['comment']}"
        return {**ret, "result": False, "comment": comment}
    return {
        **ret,
        "changes": change,
        "comment": f"{name} {'now' if on else 'no longer'} starts at boot",
    }


def _is_masked(name):
    # only systemd's module knows it
    return "service.masked" in __salt__ and __salt__["service.masked"](name, runtime=True)


def _is_out_of_date(name):
    if "service.systemctl_reload" not in __salt__:
        return False
    return __salt__["service.show"](name).get("NeedDaemonReload") == "yes"


def _with_kept(ret, kept):
    said = [
        f"{name} stays {change['old']} while the cluster runs; the orchestration makes it {change['new']}"
        for name, change in kept.items()
    ]
    return {**ret, "comment": "; ".join([ret["comment"], *said])}


def _kept_from_starting(daemons):
    if not daemons:
        return contextlib.nullcontext()
    if __grains__.get("init") == "systemd":
        return _masked(daemons)
    if __grains__.get("os_family") == "Debian":
        return _held_back(daemons)
    return contextlib.nullcontext()


@contextlib.contextmanager
def _masked(daemons):
    masked = []
    try:
        for daemon in daemons:
            __salt__["service.mask"](daemon, runtime=True)
            masked.append(daemon)
        yield
    finally:
        for daemon in masked:
            __salt__["service.unmask"](daemon, runtime=True)


@contextlib.contextmanager
def _held_back(daemons):
    __salt__["daemons.hold_back"](daemons)
    try:
        yield
    finally:
        __salt__["daemons.release"]()


def _at_boot_off(daemons):
    problems = []
    for daemon in daemons:
        if not __salt__["service.available"](daemon):
            problems.append(f"the packages brought no service {daemon}")
            continue
        __salt__["service.disable"](daemon)
        if __salt__["service.enabled"](daemon):
            problems.append(f"{daemon} still starts at boot on {__grains__['id']}")
        if __salt__["service.status"](daemon):
            problems.append(f"{daemon} was started by its package on {__grains__['id']}; stop it")
    return problems


def _doesnt_run(command):
    if command is None:
        return []
    answer = __salt__["bounded.run"]([command, "--version"])
    if answer["retcode"] == 0:
        return []
    said = (answer["stderr"] or answer["stdout"]).strip().splitlines() or ["nothing"]
    return [f"{command} --version fails on {__grains__['id']}: {said[-1]}"]
