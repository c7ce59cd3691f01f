"""
What the runner asks of a host, and has it do: facts for preflight, plan and status, the move with a client
that watches, and what is known about a crash.

Pillar is compiled anew for each answer (``at_once``: for several), so that none is given from an old one. No
answer holds a secret.
"""

import contextlib
import hashlib
import os
import re
import socket
import threading
import time

import salt.utils.files
import salt.utils.path
import salt.utils.systemd
import salt.utils.yaml
from salt.exceptions import CommandExecutionError

try:
    import salt.utils.secret  # since Salt 3008, which masks pillar

    _UNMASKED = {"unmask": True}
except ImportError:
    _UNMASKED = {}

_TABLES = ("defaults", "platforms")

# Where CMF_JAVA_OPTS is, and what in it switches Cloudera Manager's own failover on
_SETTINGS_OF_SERVICES = ("/etc/default", "/etc/sysconfig")
_OWN_FAILOVER = re.compile(r"^[^#\n]*-Dcom\.cloudera\.cmf\.haMode=true\b", re.MULTILINE)

# How often the client of a moving service asks, and how long it waits for an answer, in seconds
_PAUSE = 0.1
_PATIENCE = 1

# Seconds in which a tool that a look needs has to answer; and all of them
_FOR_EACH, _FOR_ALL = 4, 10
# Daemons without which the cluster goes on when they are replaced
_REPLACED = ("pacemaker-execd", "pacemaker-sched", "pacemaker-attrd", "pacemaker-fence")
# Daemons that Pacemaker's tools wait for
_ASKED = ("corosync", "pacemakerd", "pacemaker-based", "cib")


# ``by_name``: what has been found in the look that is on. Salt may run jobs as threads.
_found = threading.local()


def __virtual__():
    return True


@contextlib.contextmanager
def at_once():
    """
    For modules: while the body runs, pillar is compiled once for all answers, and so is what it means here.

    CLI Example: none; it gives a context to Python's ``with``.
    """
    _found.by_name = {}
    try:
        yield
    finally:
        _found.by_name = None


def _once(what, find):
    found = getattr(_found, "by_name", None)
    if found is None:
        return find()
    if what not in found:
        found[what] = find()
    return found[what]


# --- facts ---------------------------------------------------------------------------------------


def fitness(saltenv=None, pillarenv=None):
    """
    What preflight has to know about this host. Touches nothing; sends a few packets to the peer, see
    ``corosync.reaches``, for which the peer has to be asked at the same time.

    saltenv, pillarenv
        The environments of the formula and of pillar; the default is what this minion is set to.

    Returns a mapping: ``pillar`` (a digest of what this host sees of it), ``code`` (of its modules, see
    ``cmha_master.code``), ``time`` (seconds of the epoch),
    ``nodename`` (``uname -n``), ``platform`` and ``taken_as`` (see ``cmha_platform.platform``), ``addresses``
    (its own), ``resolves`` (node name to addresses),
    ``corosync`` and ``pacemaker`` (versions, or ``None``), ``to_come`` (by name, of those that aren't there
    yet, see ``daemons.to_come``), ``agent`` and ``has_agent``, ``service`` and
    ``has_service``, ``cluster`` (see ``corosync.cluster``), ``conf`` (whose corosync.conf this is:
    ``none``, ``cmha``, ``this pair``, ``packaged`` or ``another``), ``running``, ``members`` (addresses
    that have joined), ``ports`` (see ``corosync.reaches``; of a link beyond the first, with its number),
    ``firewall_open`` and ``firewall`` (whether cmha's rules are there, and the backend), ``authenticated``
    (whether Corosync will take no stranger's messages), ``own_failover`` (whether Cloudera Manager's own
    is on), ``watchdog`` (why SBD here doesn't suit pillar, see ``sbd.unfit``), ``device_silent`` (why the
    quorum device doesn't answer, or ``None``) and ``certified`` (whether it has what certificate it needs for
    that).

    CLI Example:

    .. code-block:: bash

        salt -L cms1,cms2 cmha_host.fitness
    """
    now = time.time()
    pillar = _pillar(saltenv, pillarenv)
    cmha = _mapping(pillar, saltenv)
    agent = cmha["pacemaker"]["primitives"][cmha["resource"]]["agent"]
    running = __salt__["corosync.running"]()
    members = __salt__["corosync.members"]().values()
    # before a package manager is asked, which may take its time: the peer tries at the same time
    ports = {} if running else _ports(cmha)
    versions = {
        "corosync": __salt__["corosync.version"](),
        "pacemaker": __salt__["crm.version"](),
    }
    return {
        "pillar": __utils__["cmha_site.digest"](pillar),
        "time": now,
        "code": __utils__["cmha_master.code"](__opts__["extension_modules"]),
        "nodename": os.uname().nodename,
        "platform": cmha["platform"],
        "taken_as": cmha["taken_as"],
        "addresses": __salt__["network.ip_addrs"]() + __salt__["network.ip_addrs6"](),
        "resolves": {node["name"]: _resolved(node["name"]) for node in cmha["nodes"]},
        **versions,
        "to_come": {
            name: __salt__["daemons.to_come"](name, cmha["versions"].get(name))
            for name, version in versions.items()
            if not version
        },
        "agent": agent,
        "has_agent": agent.startswith("ocf:cm:") or __salt__["resource_agent.installed"](agent),
        "service": cmha["service"],
        "has_service": __salt__["service.available"](cmha["service"]),
        "cluster": __salt__["corosync.cluster"](cmha["nodes"]),
        "conf": _whose_conf(cmha["nodes"]),
        "running": running,
        "members": [each["address"] for each in members if each["status"] == "joined"],
        "ports": ports,
        "firewall_open": all(
            _is_there(rule, cmha["firewall"]["backend"]) for rule in cmha["rules"]
        ),
        "firewall": cmha["firewall"]["backend"],
        "authenticated": cmha["authenticated"],
        "device_silent": _device_silent(cmha),
        "own_failover": _own_failover(cmha),
        "watchdog": __salt__["sbd.unfit"](cmha["pacemaker"]["properties"], starts=not running),
        "certified": not cmha["wants_certificate"]
        or __salt__["qdevice.certified"](cmha["cluster_name"]),
    }


def health(known=None, saltenv=None, pillarenv=None):
    """
    What status has to know about this host and its cluster. Touches nothing, and takes no more than 16
    seconds, whatever hangs; on a host that is busy, up to three times as long.

    What is seen doesn't depend on what is wanted: a wrong pillar, or a platform that cmha doesn't know, is
    one line in the answer.

    known
        What the master knows of this host's pair: a mapping with ``resource``, ``service`` and ``port``. The
        default is what pillar says.
    saltenv, pillarenv
        See ``fitness``.

    Returns a mapping:

    ``hangs``, ``recovers``
        Lists of lines: daemons that are there and don't answer; of these, those that pacemakerd ends and
        starts anew by itself.
    ``corosync``
        Whether it runs; ``None`` when it hangs.
    ``cluster``
        See ``crm.status``; ``None`` where none runs, or none answers.
    ``leftovers``, ``maintenance``
        See ``cib.leftovers`` and ``cib.maintenance``.
    ``since``
        Seconds of the epoch, by node, for the nodes where the service is started.
    ``service``
        What the service's own agent says here, see ``resource_agent.seen``, and ``every``, the seconds after
        which Pacemaker asks it again, or ``None``; ``owner``, see ``scm_active.owner``.
    ``answers``
        Whether the service's port gives a page here; ``None`` without a port.
    ``frozen``
        How the service's own process hangs, or ``None``, see ``resource_agent.seen``.
    ``unable``
        A list of lines: why this host couldn't start the service.
    ``survival``, ``unsure``
        See ``crm_forecast.survival``; and why nobody can tell, or ``None``.
    ``twice``
        The nodes that would both run the service when the network between them is cut, a list of names.
    ``unfenced``
        A list of lines: why this host, where the service is started, couldn't fence the other node, while
        fencing is on.
    ``pillar``
        A digest of what this host sees of it; ``None`` where something hangs.
    ``wrong``
        What is wrong with pillar or platform, or ``None``. Without them nothing is known of the next three.
    ``drift``
        A list of lines: what isn't as pillar says, or as the file on disk says.
    ``at_boot``
        Daemons that start at boot, or ``None``.
    ``device``
        See ``qdevice.status``; ``None`` where there is none, or Corosync doesn't run.

    CLI Example:

    .. code-block:: bash

        salt cms1 cmha_host.health
    """
    with __salt__["bounded.hurry"](_FOR_EACH, _FOR_ALL):
        hangs = [f"{name} hangs: it is stopped" for name in __salt__["daemons.hanging"]()]
        recovers = [line for line in hangs if _recovers(line)]
        seen = _seen_of_cluster(hangs)
        pillar = None if hangs else _pillar(saltenv, pillarenv)
        wanted, wrong = (None, None) if hangs else _wanted(pillar, saltenv)
        given = known or wanted or {}
        return {
            "hangs": [line for line in hangs if line not in recovers],
            "recovers": [
                *(f"{line}; pacemakerd replaces it within a minute" for line in recovers),
                *([] if hangs else _given_up()),
            ],
            "corosync": seen["corosync"],
            "cluster": seen["cluster"],
            "leftovers": __utils__["cib.leftovers"](seen["cib"]) if seen["cib"] else [],
            "maintenance": __utils__["cib.maintenance"](seen["cib"]) if seen["cib"] else None,
            **_seen_of_service(seen, *map(given.get, ("resource", "service", "port"))),
            "wrong": wrong,
            "pillar": None if hangs else __utils__["cmha_site.digest"](pillar),
            "pacemaker": _pacemaker(),
            **_compared(seen, wanted),
        }


def _given_up():
    """What pacemakerd doesn't start again, as a process of its own that takes its place would."""
    gone = __salt__["daemons.missing"]()
    if not gone:
        return []
    then = "" if salt.utils.systemd.booted() else ", then service pacemaker start"
    return [
        f"{' and '.join(gone)} doesn't run, and Pacemaker doesn't start it again, so that it can't be "
        f"stopped in less than 20 minutes; on this host: pkill -KILL pacemakerd{then} (its resources run on, "
        "and what is missing is started)"
    ]


def _pacemaker():
    found = __salt__["crm.version"](), __salt__["crm.feature_set"]()
    return dict(zip(("version", "feature_set"), found)) if all(found) else None


def _seen_of_cluster(hangs):
    """What Corosync and Pacemaker say; who doesn't answer comes to ``hangs``."""
    seen = {"corosync": None, "cluster": None, "cib": None}
    with _told_to(hangs):
        if not _hangs("corosync", hangs):
            seen["corosync"] = __salt__["corosync.running"]()
    # its tools would wait for these
    if not any(_hangs(name, hangs) for name in _ASKED):
        with _told_to(hangs):
            if __salt__["crm.running"]():
                seen["cib"] = __salt__["crm.query"]()
                cluster = __salt__["crm.status"]()
                fences = __utils__["cib_obstacles.fences"](seen["cib"], cluster["fencing"])
                seen["cluster"] = {**cluster, "fencing": fences}
    return seen


@contextlib.contextmanager
def _told_to(lines):
    try:
        yield
    except CommandExecutionError as error:
        own = f"{__grains__['id']}: "  # which whoever reads this line puts there himself
        said = str(error)
        lines.append(said[len(own) :] if said.startswith(own) else said)


def _recovers(line):
    """
    Since 2.1.3 pacemakerd kills what doesn't answer it. But a controller that begins anew when its peer has
    died meanwhile knows nothing of it and starts nothing; and with the CIB manager it begins anew too.
    """
    if not line.startswith(_REPLACED):
        return False
    return not __utils__["corosync_keys.is_before"](__salt__["crm.version"](), "2.1.3")


def _hangs(name, hangs):
    return any(line.startswith(f"{name} hangs") for line in hangs)


def _wanted(pillar, saltenv):
    """What the map gives this host, or why nothing. It asks the cluster, and would wait for what hangs."""
    try:
        return _mapping(pillar, saltenv), None
    except CommandExecutionError as error:
        wrong = str(error)
    try:
        return _mapping(_of_this_host(pillar), saltenv), wrong
    except CommandExecutionError:
        return None, wrong


def _seen_of_service(seen, resource, service, port):
    cib, cluster = seen["cib"], seen["cluster"]
    known = __utils__["cib.primitive"](cib, resource) if cib else None
    agent = known["agent"] if known else f"service:{service}"
    params = known.get("params") if known else None
    here = cluster["resources"].get(resource, {}).get("started", []) if cluster else []
    survival, twice, unsure = {}, [], None
    if cluster:
        try:
            survival = __salt__["crm_forecast.survival"](resource)
            twice = _twice(survival)
        except CommandExecutionError as error:
            unsure = str(error)
    told = __salt__["resource_agent.seen"](agent, params, service)
    return {
        "since": {node: __utils__["cib.since"](cib, resource, node) for node in here},
        "service": {
            "running": told["running"],
            "text": told["text"],
            "every": __utils__["cib.monitored_every"]((known or {}).get("operations", {})),
            "owner": __salt__["scm_active.owner"](service) if port else None,
        },
        "answers": _in_time(port) if port else None,
        "frozen": told["frozen"],
        "unable": [told["fault"]] if known and told["fault"] else [],
        "survival": survival,
        "twice": twice,
        "unfenced": _unfenced(cluster, here) if cluster else [],
        "unsure": unsure,
    }


def _in_time(port):
    return __salt__["page.answers"](port, seconds=__salt__["bounded.stretched"](_FOR_EACH))


def _twice(survival):
    """A node that dies, and one that is merely cut off, are the same to who takes over."""
    return [
        name
        for node, each in survival.items()
        if each["takes_over"] and __salt__["crm_forecast.stays"](node)
        for name in sorted([node, each["takes_over"]])
    ]


def _unfenced(cluster, here):
    """Why the node that has the service couldn't fence the other. The other says the same in ``survival``; a
    BMC of a node that is off has nothing to say."""
    lines = []
    with _told_to(lines):
        if not cluster["fencing"] or __salt__["crm.node"]() not in here:
            return []
        for name, node in cluster["nodes"].items():
            if name not in here and node["online"] and not node["remote"]:
                lines += __salt__["crm_forecast.unfenced"](name)
    return lines


def _compared(seen, cmha):
    """What isn't as pillar says."""
    if cmha is None:
        return {"drift": [], "at_boot": None, "device": None}
    device = __utils__["quorum_device.declared"](cmha) and seen["corosync"]
    drift = []
    with _told_to(drift):
        drift += _conf_drift(cmha)
        if cmha["fence_devices"]:
            drift += [
                f"the password of {name} isn't as pillar says; the orchestration tries it from both hosts"
                for name in __salt__["fencing.unkept_passwords"]()
            ]
    if seen["cluster"] and seen["cluster"]["fencing"]:
        with _told_to(drift):
            drift += _unconfigured_devices(seen["cib"])
    return {
        "drift": drift + (_cib_drift(cmha) if seen["cluster"] else []),
        "at_boot": _at_boot(cmha),
        "device": __salt__["qdevice.status"]() if device else None,
    }


def pending(planned=False, saltenv=None, pillarenv=None):
    """
    What the running cluster of this host takes in only by a reload or a restart.

    planned
        Whether to compare with what pillar declares, and not with the corosync.conf that is there.
    saltenv, pillarenv
        See ``fitness``.

    Returns a mapping: ``running``, whether this pair's Corosync does; ``pacemaker``, whether Pacemaker does;
    ``corosync`` and ``way``, the changes of corosync.conf and how they are taken in (see
    ``corosync.pending``); ``refused``, of these the keys that Corosync was started with, and didn't take in;
    ``packages``, ``{name: {'old': version, 'new': version}}``.

    CLI Example:

    .. code-block:: bash

        salt cms1 cmha_host.pending
    """
    pillar = _pillar(saltenv, pillarenv)
    cmha = _mapping(_of_this_host(pillar), saltenv)
    # the one-node cluster that Debian's packages start is taken away, and not changed
    running = __salt__["corosync.cluster"](cmha["nodes"])["runs"] == "this pair"
    found = {"changes": {}, "way": None}
    if running:
        found = __salt__["corosync.pending"](*(_declared(cmha, pillar) if planned else ()))
    packages = __salt__["daemons.other_versions"](cmha["versions"]) if running else {}
    noted = __salt__["corosync.refused"]() if found["changes"] else {}
    return {
        "running": running,
        "pacemaker": __salt__["crm.running"](),
        "corosync": found["changes"],
        "way": found["way"],
        "refused": [
            key
            for key, change in found["changes"].items()
            if key in noted and noted[key] == change["new"]
        ],
        "packages": packages,
    }


def for_both(cmha):
    """
    What pillar says otherwise of Corosync than a pair runs with, and only both its hosts can take in at the
    same time: one that started with it alone wouldn't meet its peer, and might start a second server.

    cmha
        What the map gives this host, see ``cmha.mapping``.

    Returns a list of keys, as in cmap_keys(7); empty where there is nothing of that kind, or no pair yet.

    CLI Example:

    .. code-block:: bash

        salt cms1 cmha_host.for_both "$(cat mapping.json)"
    """
    runs = __salt__["corosync.cluster"](cmha["nodes"])["runs"]
    is_pair = runs == "this pair" or (
        runs == "none" and _whose_conf(cmha["nodes"]) in ("cmha", "this pair")
    )
    if not is_pair:
        return []
    found = __salt__["corosync.pending"](*_declared(cmha, __pillar__["cmha"]), at_rest=True)
    return sorted(found["changes"]) if found["way"] == "together" else []


def other_agent(cmha):
    """
    The agent by which the cluster runs the pair's service, where pillar has another one. To change it
    restarts the service, and a host that hasn't the new one yet counts as one that can't run it: so it is for
    the orchestration, which prepares both hosts first.

    cmha
        What the map gives this host, see ``cmha.mapping``.

    Returns its name, or ``None``.

    CLI Example:

    .. code-block:: bash

        salt cms1 cmha_host.other_agent "$(cat mapping.json)"
    """
    there = __salt__["crm.agent"](cmha["resource"])
    declared = cmha["pacemaker"]["primitives"][cmha["resource"]]["agent"]
    return there if there != declared else None


def fencing_waits(cmha):
    """
    What of the cluster's fencing is for the orchestration, since both hosts have to agree: a device that
    pillar declares and the cluster doesn't have so, which both hosts try before it counts; a watchdog,
    without which Pacemaker ends itself on either host; and that pillar turns off what is on.

    cmha
        What the map gives this host, see ``cmha.mapping``.

    Returns a line, or ``None``.

    CLI Example:

    .. code-block:: bash

        salt cms1 cmha_host.fencing_waits "$(cat mapping.json)"
    """
    try:
        return _fencing_waits(cmha)
    except CommandExecutionError as error:
        # out of a template it would end the highstate of the whole host
        return f"nobody can tell what differs about its fencing ({error})"


def _fencing_waits(cmha):
    devices = cmha["fence_devices"]
    unproven = __salt__["fencing.unproven"](devices) if devices else []
    if unproven:
        return f"{' and '.join(unproven)} will count when both hosts have seen that it works"
    there = __utils__["cib.model"](__salt__["crm.query"]())["properties"]
    declared = cmha["pacemaker"]["properties"]
    watchdog = __salt__["sbd.timeout"](declared)
    if watchdog and watchdog != __salt__["sbd.timeout"](there):
        return "a watchdog will count when both hosts have seen that their SBD suits"
    if "stonith-enabled" not in there:
        return None
    on = [__utils__["cib_values.is_true"](each["stonith-enabled"]) for each in (there, declared)]
    return "pillar turns fencing off, which is on" if on == [True, False] else None


def plan(saltenv=None, pillarenv=None):
    """
    What pillar would change in this host's cluster, and what the cluster would do then; see ``crm.plan``.

    saltenv, pillarenv
        See ``fitness``.

    CLI Example:

    .. code-block:: bash

        salt cms1 cmha_host.plan
    """
    cmha = _mapping(_of_this_host(_pillar(saltenv, pillarenv)), saltenv)
    return _plan(cmha, cmha["serves"])


def causes(lines=10, saltenv=None, pillarenv=None):
    """
    What this host knows about why it, or its cluster, went down.

    lines
        How many lines of each log, at most.
    saltenv, pillarenv
        See ``fitness``.

    Returns a mapping: ``booted`` (seconds of the epoch), ``logs`` (name to lines: the end of the boot before
    this one, what the cluster's daemons said last), ``service`` (``running``, ``stopped``, or why nobody can
    tell).

    Source: ``journalctl(1)``; on a host without it, syslog's files.

    CLI Example:

    .. code-block:: bash

        salt cms1 cmha_host.causes
    """
    return {"booted": _booted(), "logs": _logs(int(lines)), "service": service(saltenv, pillarenv)}


def service(saltenv=None, pillarenv=None):
    """
    What the service's own agent says on this host, whatever the cluster believes: ``running``, ``stopped``,
    or why nobody can tell.

    saltenv, pillarenv
        See ``fitness``.

    CLI Example:

    .. code-block:: bash

        salt cms1 cmha_host.service
    """
    cmha = _mapping(_of_this_host(_pillar(saltenv, pillarenv)), saltenv)
    primitive = cmha["pacemaker"]["primitives"][cmha["resource"]]
    try:
        return __salt__["resource_agent.monitor"](primitive["agent"], primitive.get("params"))
    except CommandExecutionError as error:
        return str(error)


# --- actions -------------------------------------------------------------------------------------


# Salt 3006 passes no keyword-only arguments
def move(resource, node, addresses, port=None, timeout=600, service=None):  # noqa: PLR0917
    """
    Move a resource and watch it as a client does: ten times a second it asks the service for its page, on all
    the pair's addresses.

    Without a port there is no page; then Pacemaker is asked whether the resource is started.

    resource
        Id of a resource.
    node
        Name of the node to move to.
    addresses
        List of the pair's addresses.
    port
        TCP port of the service.
    timeout
        Seconds to wait.
    service
        Name of the service, whose log may say why nobody answers.

    Returns a mapping: ``away``, the seconds for which nobody answered; ``seen_by``, what was asked;
    ``started``, the nodes where the resource is started afterwards; ``overcome``, a list of lines: failures
    on the node that the move brought, and that were over when somebody answered. They are cleaned up, since
    each counts against the node. Raises CommandExecutionError, and leaves no constraint behind, see
    ``crm.move``; where nobody answers in time, though somebody did before, the resource is moved back.

    CLI Example:

    .. code-block:: bash

        salt cms2 cmha_host.move cloudera-scm-server cms2 '[192.0.2.11, 192.0.2.12]' 7180
    """
    if port is None:
        client = _Client(lambda: bool(__salt__["crm.started"](resource)))
    else:
        client = _Client(lambda: any(_answers(address, port) for address in addresses))
    failed_before, served, late = _failed(resource, node), client.ask(), []

    def answered():
        try:
            client.ask_until_answered(timeout)
        except CommandExecutionError as error:
            if served:
                raise  # it goes back to where somebody answered
            late.append(error)

    try:
        started = __salt__["crm.move"](resource, node, timeout, watch=client.ask, until=answered)
        if late:
            raise late[0]
        client.ask_until_answered(timeout)  # where it was there already
    except CommandExecutionError as error:
        owner = service and __salt__["scm_active.owner"](service)
        if owner and owner not in str(error):
            raise CommandExecutionError(
                f"{error}; its log says: the database is owned by {owner}"
            ) from None
        raise
    over = [each for each in _failed(resource, node) if each not in failed_before]
    if over:
        __salt__["crm.cleanup"](resource, node)
    return {
        "away": round(client.away, 1),
        "seen_by": "Pacemaker's status" if port is None else f"the page on port {port}",
        "started": started,
        "overcome": [f"{each['task']} failed on {node}: {each['reason']}" for each in over],
    }


def _failed(resource, node):
    failures = __salt__["crm.status"]()["failures"]
    return [each for each in failures if (each["resource"], each["node"]) == (resource, node)]


def _answers(address, port):
    return __salt__["page.answers"](port, address, _PATIENCE)


class _Client:
    """Asks a service again and again, and knows for how long nobody answered."""

    def __init__(self, answers):
        self._answers = answers
        self._last_answer = time.monotonic()
        self._missed = False
        self.away = 0.0

    def ask(self):
        now = time.monotonic()
        if not self._answers():
            self._missed = True
            return False
        if self._missed:
            self.away += now - self._last_answer
        self._last_answer, self._missed = now, False
        return True

    def ask_until_answered(self, timeout):
        end = time.monotonic() + timeout
        while not self.ask():
            if time.monotonic() > end:
                raise CommandExecutionError(
                    f"{__grains__['id']}: the resource is started, but nobody answers within {timeout} s"
                )
            time.sleep(_PAUSE)


# --- helpers -------------------------------------------------------------------------------------


def _pillar(saltenv, pillarenv):
    said = {"saltenv": saltenv, "pillarenv": pillarenv}
    environment = {key: value for key, value in said.items() if value}
    return _once(
        ("pillar", saltenv, pillarenv),
        lambda: __salt__["pillar.items"](**_UNMASKED, **environment).get("cmha"),
    )


def _of_this_host(pillar):
    return __utils__["cmha_site.of_host"](pillar, __grains__["id"])


def _mapping(pillar, saltenv):
    saltenv = saltenv or __opts__.get("saltenv") or "base"
    tables = _once(("tables", saltenv), lambda: [_table(table, saltenv) for table in _TABLES])
    cmha = __salt__["cmha.mapping"](*tables, pillar=pillar)
    if "error" in cmha:
        raise CommandExecutionError(cmha["error"])
    return {**cmha, "saltenv": saltenv}


def _table(name, saltenv):
    path = f"salt://cmha/{name}.yaml"
    text = __salt__["cp.get_file_str"](path, saltenv=saltenv)
    if not text:
        raise CommandExecutionError(
            f"{__grains__['id']}: the master has no {path} in the environment {saltenv}; set this minion's "
            "saltenv, or name it: saltenv=…"
        )
    return salt.utils.yaml.safe_load(text)


def _resolved(name):
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):  # a name that can't be one, as a..b
        return []
    return sorted({address[0] for *_, address in found})


def _ports(cmha):
    here = cmha["node"]
    (peer,) = (node for node in cmha["nodes"] if node["id"] != here["id"])
    seen = {}
    for link in __utils__["corosync_totem.links"](cmha):
        number = link["number"]
        own, other = here["addresses"][number], peer["addresses"][number]
        if link["proto"] == "udp":  # the other, sctp, can't be tried with packets
            found = __salt__["corosync.reaches"](own, other, link["ports"])
            at = f" (link {number})" if number else ""
            seen.update({f"{port}{at}": outcome for port, outcome in found.items()})
    return seen


def _at_boot(cmha):
    """What starts at boot, by the daemons' own names."""
    daemons = __utils__["cmha_site.daemons"](bool(__utils__["quorum_device.declared"](cmha)))
    return [
        daemon
        for daemon in (*daemons, "cmha-boot", cmha["service"])
        if _starts_at_boot(__utils__["cmha_platform.service"](daemon, __grains__.get("init")))
    ]


def _starts_at_boot(service):
    return __salt__["service.available"](service) and __salt__["service.enabled"](service)


def _device_silent(cmha):
    device = __utils__["quorum_device.declared"](cmha)
    if not device:
        return None
    return __salt__["qdevice.reaches"](device["net"]["host"], cmha["device_port"])


def _is_there(rule, backend):
    return all(__salt__["packet_filter.lines"](backend, rule).values())


def _own_failover(cmha):
    """Whether the server is in the mode of Cloudera Manager's own in which both run, 7.7.1 and later."""
    if cmha["role"] != "server":
        return False
    for directory in _SETTINGS_OF_SERVICES:
        path = f"{directory}/{cmha['service']}"
        with contextlib.suppress(OSError, UnicodeError), salt.utils.files.fopen(path) as file:
            if _OWN_FAILOVER.search(file.read()):
                return True
    return False


def _whose_conf(nodes):
    text = __salt__["corosync.conf"]()
    if not text.strip():
        return "none"
    if text.startswith("# Written by Salt (cmha)"):
        return "cmha"
    named = __utils__["corosync_conf.addresses"](text)
    if named and named <= {address for node in nodes for address in node["addresses"]}:
        return "this pair"
    return "packaged" if named <= {"127.0.0.1", "::1"} else "another"


def _declared_conf(cmha):
    source = f"salt://cmha/files/{cmha['conf_template']}"
    return __salt__["slsutil.renderer"](
        source, default_renderer="jinja", saltenv=cmha["saltenv"], cmha=cmha
    )


def _declared(cmha, pillar):
    """What ``corosync.pending`` is to compare with: the corosync.conf, and the digest of the key."""
    key = __utils__["cmha_site.authkey"](pillar, __grains__["id"])
    return _declared_conf(cmha), hashlib.sha256(key).hexdigest() if key else None


def _conf_drift(cmha):
    file, declared = (
        __utils__["corosync_conf.keys"](text)
        for text in (__salt__["corosync.conf"](), _declared_conf(cmha))
    )
    lines = [
        f"corosync.conf says {key} {change['old']}, pillar says {change['new']}"
        for key, change in __utils__["corosync_conf.difference"](file, declared).items()
    ]
    key = __salt__["corosync.authkey"](cmha["key_file"])
    if key["changes"]:
        lines.append(f"{cmha['key_file']} isn't what pillar says: {', '.join(key['changes'])}")
    held = __salt__["corosync.pending"]()["changes"]
    lines += [
        f"Corosync runs with {key} {change['old']}, its file says {change['new']}"
        for key, change in held.items()
    ]
    versions = __salt__["daemons.other_versions"](cmha["versions"])
    lines += [
        f"package {name} is {change['old']}, pillar says {change['new']}"
        for name, change in versions.items()
    ]
    return lines


def _unconfigured_devices(xml):
    return [
        f"Pacemaker would fence with {name} from here, which its configuration doesn't have; on this host: "
        f"stonith_admin --deregister {name}"
        for name in __salt__["fencing.unconfigured"](xml)
    ]


def _cib_drift(cmha):
    try:
        return [f"Pacemaker: {path}" for path in _plan(cmha)["changes"]]
    except CommandExecutionError as error:
        return [str(error)]


def _plan(cmha, serves=None):
    declared = dict(cmha["pacemaker"])
    absent, purge = declared.pop("absent"), declared.pop("purge")
    return __salt__["crm.plan"](declared, absent, purge, serves)


def _booted():
    return int(time.time() - float(__salt__["status.uptime"]()["seconds"]))


def _logs(lines):
    if not salt.utils.path.which("journalctl"):
        return _syslog(lines)
    show = ("journalctl", "--no-pager", "--quiet", "--output=short-iso")
    units = [f"--unit={daemon}" for daemon in ("corosync", "corosync-qdevice", "pacemaker")]
    logs = {
        "last lines of the boot before": _said(*show, "--boot=-1", f"--lines={20 * lines}"),
        "warnings of the boot before": _said(*show, "--boot=-1", "--priority=warning"),
        "warnings since this boot": _said(*show, "--boot=0", "--priority=warning"),
        "corosync and pacemaker": _said(*show, *units, f"--lines={lines}"),
    }
    # Salt's own chatter is no cause
    return {
        name: [line for line in said if "salt-minion[" not in line][-lines:]
        for name, said in logs.items()
    }


def _syslog(lines):
    """It doesn't know boots: what came after the crash may be all that its end holds."""
    files = ("/var/log/syslog", "/var/log/messages")
    said = _said("tail", "--quiet", f"--lines={100 * lines}", *files)
    daemons = [line for line in said if any(daemon in line for daemon in ("corosync", "pacemaker"))]
    return {"syslog": said[-lines:], "corosync and pacemaker": daemons[-lines:]}


def _said(*command):
    answer = __salt__["bounded.run"](list(command))
    return answer["stdout"].splitlines() if answer["stdout"] else []
