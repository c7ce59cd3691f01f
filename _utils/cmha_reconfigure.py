"""
How a running pair takes in what Corosync reads only at a reload or at its start, and packages of another
version, while the service runs on.
"""

import pacemaker_versions
from cmha_master import HostError, Master
from corosync_conf import ONE_BY_ONE, RELOAD, TOGETHER


def __virtual__():
    return True


def reconfigure(opts, site, pair, test=False):
    """
    Let a pair take its changes in.

    Values that Corosync reloads are reloaded. For others the cluster goes into maintenance mode, in which
    services run on without it; then one host after the other is restarted, or, where hosts with the old and
    the new values can't talk to each other, both are stopped. What is stopped here is started by the
    orchestration's next step, and the one after it ends the maintenance mode.

    opts
        The master's configuration.
    site
        The site's name.
    pair
        The pair, as ``cmha.sites`` lists it.
    test
        Only say what would be done, from pillar.

    Returns a mapping: ``changes`` (by host: ``corosync``, ``packages`` and ``how``) and ``comment``. Raises
    ``HostError`` with what went wrong, the state the pair is left in, and the way back.
    """
    return _Reconfiguration(Master(opts), site, pair).run(test)


def attempt(opts, site, pair, test=False):
    """``reconfigure``, as the return of a state: ``result``, ``changes`` and ``comment``."""
    try:
        done = reconfigure(opts, site, pair, test)
    except HostError as trouble:
        return {"result": False, "changes": {}, "comment": str(trouble)}
    return {"result": None if test and done["changes"] else True, **done}


def nothing_waits(pending):
    """
    Whether nothing waits for a reload or a restart.

    pending
        By host, what ``cmha_host.pending`` says from pillar.
    """
    return all(each["running"] and not _something(each) for each in pending.values())


def way_back(opts, pair):
    """
    What to say when a later step of the orchestration has failed while the pair is in the maintenance mode
    that cmha has begun; empty when it isn't.

    opts
        The master's configuration.
    pair
        The pair, as ``cmha.sites`` lists it.
    """
    hosts = [node["id"] for node in pair["nodes"]]
    # where the cluster is stopped, the CIB on the disk tells
    answers = Master(opts).ask(hosts, "maintenance.status").values()
    if any(isinstance(each, dict) and each["on"] and each["ours"] for each in answers):
        return _way_back(f"{pair['resource']} is left as it is", hosts)
    return ""


class _Reconfiguration:
    def __init__(self, master, site, pair):
        self.master, self.site, self.pair = master, site, pair
        self.hosts = [node["id"] for node in pair["nodes"]]
        self.names = {node["id"]: node["name"] for node in pair["nodes"]}

    def run(self, test):
        pending = self._pending(self.hosts, planned=test)
        running = [host for host in self.hosts if pending[host]["running"]]
        concerned = [host for host in running if _something(pending[host])]
        if not concerned:
            return {"changes": {}, "comment": "nothing waits for a reload or a restart"}
        _refuse_again({host: pending[host] for host in concerned})
        how = _how([pending[host] for host in concerned])
        if how != RELOAD:
            self._refuse_older(concerned, pending)
        changes = {host: _change(pending[host], how) for host in concerned}
        if test:
            return {"changes": changes, "comment": f"would be taken in by {_said(how, concerned)}"}
        if how == RELOAD and not self._reload(concerned):
            how = ONE_BY_ONE
            self._refuse_older(concerned, pending)
            changes = {host: _change(pending[host], how) for host in concerned}
        if how != RELOAD:
            whole = [host for host in running if pending[host]["pacemaker"]]
            # one that is left alone, or was left half-way, can't wait for the other
            at_once = how == TOGETHER or len(whole) < len(self.hosts)
            self._restart(running if at_once else concerned, whole, at_once)
        return {"changes": changes, "comment": f"taken in by {_said(how, concerned)}"}

    def _pending(self, hosts, **options):
        return self.master.need(hosts, "cmha_host.pending", **options)

    def _step(self, what, hosts):
        return self.master.told(self.site, self.pair["pair"], "orchestrate", what, hosts)

    def _reload(self, hosts):
        """Whether all hosts then run with their corosync.conf. One host's reload reaches all."""
        with self._step("reload corosync.conf", hosts):
            self.master.need(hosts[:1], "corosync.reload")
            left = self.master.need(hosts, "corosync.pending")
        return not any(each["changes"] for each in left.values())

    def _restart(self, hosts, whole, at_once):
        self._need_packages(hosts)
        if not whole:  # Corosync alone has no services to leave running
            self._stop(hosts)
            return
        home = self._home(whole)
        self.master.need_rest(self.hosts)
        self._begin_maintenance(whole[0])
        try:
            if at_once:
                self._stop(hosts)
                return
            # the host without the service first: what fails there harms least
            for host in sorted(hosts, key=lambda each: self.names[each] == home):
                self._stop([host])
                self._start(host, home)
        except HostError as trouble:
            raise HostError(f"{trouble}. {self._way_back(home)}") from None

    def _refuse_older(self, hosts, pending):
        """In the middle of an upgrade the older host could not come back from a restart."""
        sets = self.master.need(self.hosts, "crm.feature_set")
        for host in hosts:
            newer = [
                other
                for other in self.hosts
                if not pacemaker_versions.may_join(sets[host], sets[other])
            ]
            if newer and "pacemaker" not in pending[host]["packages"]:
                raise HostError(
                    f"{host} has an older Pacemaker (feature set {sets[host]}) than {newer[0]} "
                    f"({sets[newer[0]]}), and could not come back from a restart; nothing was restarted. "
                    f"Upgrade {host} first, or take the change out of pillar"
                )

    def _home(self, running):
        resource = self.pair["resource"]
        where = self.master.need(running[:1], "crm.started", resource)[running[0]]
        if len(where) != 1:
            raise HostError(
                f"{resource} runs on {' and '.join(where) or 'no host'}, not on one; nothing was restarted. "
                "Mend that first, then run the orchestration again; or stop the cluster on both hosts, to "
                "start it with what is new"
            )
        return where[0]

    def _need_packages(self, hosts):
        """Before anything is stopped."""
        for host, pending in self._pending(hosts).items():
            wanted = {name: change["new"] for name, change in pending["packages"].items()}
            missing = self.master.need([host], "daemons.not_in_repositories", wanted)[host]
            if missing:
                named = " and ".join(f"{name} {wanted[name]}" for name in missing)
                raise HostError(
                    f"no repository of {host} has {named} (cmha:versions); nothing was restarted"
                )

    def _begin_maintenance(self, host):
        try:
            with self._step("begin maintenance mode", [host]):
                self.master.need([host], "maintenance.begin")
        except HostError as trouble:
            raise HostError(
                f"{trouble}; nothing was restarted. A run that goes well "
                "ends maintenance mode, if it has begun"
            ) from None

    def _stop(self, hosts):
        with self._step(f"stop Pacemaker and Corosync on {' and '.join(hosts)}", hosts):
            self.master.need(hosts, "corosync.stop")
            # no more than what is stopped may get another version
            self.master.apply(hosts, "cmha.packages")

    def _start(self, host, home):
        with self._step(f"start Corosync and Pacemaker on {host}", [host]):
            self.master.apply([host], "cmha.start")
            self._need_taken_in(host)
            self._need_at_home(host, home)

    def _need_taken_in(self, host):
        left = self._pending([host])[host]
        if _something(left):
            keys = ", ".join([*left["corosync"], *left["packages"]])
            raise HostError(f"{host} runs again, but without the new {keys}")

    def _need_at_home(self, host, home):
        self.master.need([host], "crm.wait", 60)
        where = self.master.need([host], "crm.started", self.pair["resource"])[host]
        if where != [home]:
            seen = f"on {' and '.join(where)}" if where else "nowhere"
            raise HostError(
                f"{host}: Pacemaker finds {self.pair['resource']} {seen}, it was on {home}"
            )

    def _way_back(self, home):
        resource = self.pair["resource"]
        return _way_back(f"{resource} is left running on {home}", self.hosts)


def _way_back(left, hosts):
    return (
        f"The pair stays in maintenance mode: {left}, and nothing fails over. Mend what is wrong, then "
        "run the orchestration again: it goes on from here and ends the maintenance mode. To go back, give "
        f"pillar the old values first. By hand: start corosync and pacemaker on {' and '.join(hosts)}, then "
        "crm configure property maintenance-mode=false"
    )


def _refuse_again(pending):
    """No restart for what a restart didn't bring."""
    for host, each in pending.items():
        if each["refused"] and not each["packages"]:  # a newer Corosync may take it in
            said = ", ".join(f"{key} {each['corosync'][key]['new']}" for key in each["refused"])
            raise HostError(
                f"{host}: Corosync was started with {said} and doesn't take it in; nothing was restarted. "
                "Take it out of pillar"
            )


def _something(pending):
    return bool(pending["corosync"] or pending["packages"])


def _how(pendings):
    if any(each["way"] == TOGETHER for each in pendings):
        return TOGETHER
    if any(each["way"] == ONE_BY_ONE or each["packages"] for each in pendings):
        return ONE_BY_ONE
    return RELOAD


def _change(pending, how):
    return {
        **{key: pending[key] for key in ("corosync", "packages") if pending[key]},
        "how": how,
    }


def _said(how, hosts):
    both = " and ".join(hosts)
    return {
        RELOAD: f"a reload on {both}",
        ONE_BY_ONE: f"a restart in maintenance mode, one host after the other: {both}",
        TOGETHER: f"a restart in maintenance mode, of both hosts at once: {both}",
    }[how]
