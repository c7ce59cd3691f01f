"""
Pacemaker: read its configuration (the CIB) and its status, change the configuration in one
transaction, move resources, wait.

It works with Pacemaker's own tools ``cibadmin``, ``crm_diff``, ``crm_verify``, ``crm_mon``,
``crm_resource``, ``crmadmin`` and ``pacemakerd`` (each has its man page, section 8), and with the
``cib`` utility module of this formula. It loads where Pacemaker isn't installed too, so that a state
can say so.

With ``CIB_file`` in the environment the tools work on that file in place of a cluster
(``cibadmin(8)``), and so does this module.
"""

import logging
import os
import re
import tempfile
import time

import salt.utils.files
import salt.utils.path
from salt.exceptions import CommandExecutionError

log = logging.getLogger(__name__)

_CIB_ON_DISK = "/var/lib/pacemaker/cib/cib.xml"

# Others may edit at the same time; each lost race costs one more read.
_ATTEMPTS = 50

# CRM_EX_OLD of Pacemaker 2 and later; 1.1 has other codes but the same words (cibadmin(8))
_LOST_RACE_CODE = 103
_LOST_RACE_WORDS = (
    "older than existing",
    "Application of an update diff failed",
    "Application of update diff failed",
)

# CRM_EX_USAGE, of sysexits.h
_USAGE = 64

# Seconds beside those that a tool was told itself
_USUAL = 30

# Seconds for what a controller is asked, where it waits for its answer itself
_CONTROLLER = 6

# What getopt says of an option that a tool doesn't know; the exit code may be 0 all the same
_UNKNOWN_OPTION = ("unrecognized option", "invalid option", "Unknown option")

# Exit codes of a monitor, from the OCF resource agent API 1.1
_NOT_RUNNING = 7
_RUNNING_CODES = {0: True, _NOT_RUNNING: False, 8: True}
_UNIMPLEMENTED_CODE = 3

_HOW_TO_START = "start it with: service corosync start; service pacemaker start"


def __virtual__():
    return True


# --- is there a cluster --------------------------------------------------------------------------


def installed():
    """
    Whether Pacemaker's command line tools are installed on this host.

    CLI Example:

    .. code-block:: bash

        salt '*' crm.installed
    """
    return bool(salt.utils.path.which("cibadmin"))


def version():
    """
    The version of the installed Pacemaker, as text, or ``None`` when it isn't installed or doesn't say.

    Source: ``pacemakerd(8)``.

    CLI Example:

    .. code-block:: bash

        salt '*' crm.version
    """
    return _found(["pacemakerd", "--version"], r"^Pacemaker (\d\S*)")


def feature_set():
    """
    The feature set of the installed Pacemaker, as ``3.16.1``: by it a cluster decides who may join. ``None``
    when it isn't installed or doesn't say.

    Source: ``pacemakerd(8)``.

    CLI Example:

    .. code-block:: bash

        salt '*' crm.feature_set
    """
    return _found(["pacemakerd", "--features"], r"Supporting v?([0-9]+\.[0-9]+(?:\.[0-9]+)?):")


def _found(command, pattern):
    """The pattern's group in what a command says; None where it isn't installed, or says something else."""
    if not salt.utils.path.which(command[0]):
        return None
    found = re.search(pattern, _run(command)["stdout"], re.MULTILINE)
    return found.group(1) if found else None


def running():
    """
    Whether a live cluster runs on this host, that is, whether its CIB manager answers.

    Raises ``CommandExecutionError`` when it is there, and doesn't answer in time.

    CLI Example:

    .. code-block:: bash

        salt '*' crm.running
    """
    if not installed():
        return False
    answer = _run(["cibadmin", "--query", "--local", "--scope", "crm_config"])
    _require_in_time(answer, "Pacemaker's CIB manager")
    return answer["retcode"] == 0


def dc():
    """
    Name of the designated controller (DC), or ``None`` while none is elected or no cluster runs
    here.

    Source: ``crmadmin(8)``.

    CLI Example:

    .. code-block:: bash

        salt '*' crm.dc
    """
    if not installed():
        return None
    answer = _crmadmin("--dc_lookup")
    _, found, name = answer["stdout"].partition("is: ")
    words = name.split()
    return words[0] if answer["retcode"] == 0 and found and words else None


def node():
    """
    Name of this host's own node, as Pacemaker has it.

    Raises ``CommandExecutionError`` when no cluster runs here.

    Source: ``crm_node(8)``.

    CLI Example:

    .. code-block:: bash

        salt '*' crm.node
    """
    _require_installed()
    return _command(["crm_node", "--name"], "asking for this node's name").strip()


def agent(resource):
    """
    The agent of a resource, as ``lsb:cloudera-scm-server``, or ``None`` when there is no such resource.

    resource
        Id of a primitive.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.agent cloudera-scm-server
    """
    return __utils__["cib.agent"](_query()[0], resource)


# --- reading -------------------------------------------------------------------------------------


def query():
    """
    The CIB as XML text, secrets masked, since an answer goes to the master's job cache: of the live
    cluster; where it is stopped, what Pacemaker left on the disk; where there is nothing, an empty one.

    Source: ``cibadmin(8)``.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.query
    """
    return __utils__["cib.masked_xml"](_query()[0])


def nodes():
    """
    The cluster nodes that the CIB knows: a mapping of node name to node id.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.nodes
    """
    return __utils__["cib.nodes"](_query()[0])


def status(file=None):
    """
    Status of the cluster as data: DC, quorum, nodes, resources and failures.

    file
        Path of a CIB in a file, to say it of that; the default is the live cluster.

    Returns the mapping that the ``cib`` utility's ``status`` describes. Raises
    ``CommandExecutionError`` when no cluster runs on this host.

    Source: ``crm_mon(8)``.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.status
    """
    _require_installed()
    env = {"CIB_file": file} if file else None
    answer = _run(["crm_mon", "-1", "--inactive", "--output-as=xml"], env=env)
    if not answer.get("late") and not answer["stdout"].lstrip().startswith("<"):
        # before Pacemaker 2.0.3; some then print their help, without a word on what they don't know
        answer = _run(["crm_mon", "--as-xml", "--inactive"], env=env)
    _require_in_time(answer, "Pacemaker")
    if answer["retcode"] != 0:
        raise CommandExecutionError(
            f"{__grains__['id']}: no cluster status: {_said(answer)}; {_HOW_TO_START}"
        )
    return __utils__["crm_mon.status"](answer["stdout"])


def started(resource, seen=None):
    """
    List of the nodes on which a resource has started, sorted by name. Starting or stopping isn't
    started.

    resource
        Id of a primitive. One inside a group or clone counts too.
    seen
        What ``crm.status`` has returned; it is asked for by default.

    Raises ``CommandExecutionError`` when the cluster has no such resource, or no cluster runs on
    this host.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.started cloudera-scm-server
    """
    resources = (seen or status())["resources"]
    if resource not in resources:
        known = ", ".join(sorted(resources)) or "none"
        raise CommandExecutionError(
            f"{__grains__['id']}: the cluster has no resource {resource} (it has: {known})"
        )
    return sorted(resources[resource]["started"])


def settled():
    """
    Whether the cluster has nothing left to do: the controller on the DC is idle.

    Source: ``crmadmin(8)``.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.settled
    """
    coordinator = dc()
    if coordinator is None:
        return False
    answer = _crmadmin(f"--status={coordinator}")
    return answer["retcode"] == 0 and "S_IDLE" in answer["stdout"]


def given_up(resource):
    """
    Whether the cluster has given a resource up: its start failed on every node that could run it, and
    the cluster has settled. It then makes no further attempt until someone cleans these failures up.

    resource
        Id of a primitive.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.given_up cloudera-scm-server
    """
    seen = status()
    failed = {
        failure["node"]
        for failure in seen["failures"]
        if (failure["resource"], failure["task"]) == (resource, "start")
    }
    able = {name for name, node in seen["nodes"].items() if node["online"] and not node["standby"]}
    known = seen["resources"].get(resource)
    busy = known is None or known["active"] or known["pending"]
    return bool(able) and able <= failed and not busy and settled()


def check(resource):
    """
    Run a resource's own monitor on this host, now, whatever the cluster believes.

    resource
        Id of a primitive.

    Returns ``{'running': bool or None, 'rc': int, 'text': str}``. ``rc`` is the agent's in OCF's
    terms, into which what an LSB script says is translated: 0 running, 8 running promoted,
    7 not running; with any other ``running`` is ``None``, for nobody can tell.

    Source: ``crm_resource(8)``. From Pacemaker 2.1 on it runs no unit of systemd; systemd is asked then.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.check cloudera-scm-server
    """
    _require_installed()
    answer = _run(["crm_resource", "--resource", resource, "--force-check"])
    code, said = answer["retcode"], _said(answer)
    if code == _UNIMPLEMENTED_CODE:
        code, said = _checked_otherwise(resource, code, said)
    return {"running": _RUNNING_CODES.get(code), "rc": code, "text": said}


def _checked_otherwise(resource, code, said):
    agent = __utils__["cib.agent"](_query()[0], resource) or ""
    if agent.startswith("lsb:"):
        # it is what the script's status says when it isn't running, and Pacemaker 2.0 passes it on as it is
        return _NOT_RUNNING, said
    if agent.startswith(("systemd:", "service:")):
        seen = __salt__["resource_agent.monitor"](agent)
        return (0 if seen == "running" else _NOT_RUNNING), f"systemd says {seen}"
    return code, said


# --- changing the configuration ------------------------------------------------------------------


def plan(declared=None, absent=None, purge=None, serves=None):
    """
    What ``apply`` would change, and what the cluster would then do about it. Nothing is touched.

    declared
        Mapping by section: ``properties``, ``rsc_defaults``, ``op_defaults`` (name to value),
        ``primitives`` (id to agent, or to a mapping with agent, params, meta and operations), and the
        others that the ``cib`` utility describes. The default is what pillar declares for this host.
    absent
        What shall not be there: mapping of section to a list of names.
    purge
        ``True``, or a list of sections: what isn't declared there shall not be there.
    serves
        Id of the resource for which the cluster is there. A change is refused by which it would not be
        started any more, with all nodes or when one of them is gone.

    Returns a mapping, secrets masked:

    - ``summary``: list of lines for people; when a running resource would stop or move, the first says so
    - ``warnings``: list of lines: what Pacemaker may ignore, and what it would say of it
    - ``changes``: ``{path: {'old': …, 'new': …}}``
    - ``effects``: list of what ``crm_simulate`` says: ``action``, ``what``, ``where``, ``why``

    Raises ``CommandExecutionError`` that names the path of what can't be configured.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.plan
        salt 'cms1*' crm.plan '{properties: {stonith-enabled: false}, primitives: {vip:
        "ocf:heartbeat:IPaddr2"}}'
    """
    xml, live = _query()
    declared, absent, purge = _wanted(declared, absent, purge)
    wanted = _difference(xml, declared, absent, purge)
    warnings = __salt__["crm_refusals.of_plan"](xml, wanted, declared, serves) if live else []
    effects = __salt__["crm_scheduler.effects"](wanted["xml"]) if live and wanted["xml"] else []
    return {
        "summary": __utils__["crm_summary.lines"](wanted["changes"], effects),
        "warnings": warnings,
        "changes": wanted["changes"],
        "effects": effects,
    }


def apply(declared=None, absent=None, purge=None, nodes=None, serves=None):
    """
    Make the live cluster's configuration what is declared, in one transaction.

    One read, and where something differs one write, which fails when anyone else changed the
    configuration in between; then it is read again. Other people's objects and edits stay.

    Processes: one ``cibadmin`` when nothing differs; else ``cibadmin``, ``crmadmin`` (is there a DC?),
    ``crm_verify``, ``crm_diff`` and ``cibadmin``, for any number of objects, one ``crm_simulate`` where
    orders, groups or tags change, with ``serves`` one and another for each node, and one
    ``crm_resource`` for each agent of a resource that is new or gets other parameters. A lost race costs two
    more ``cibadmin``, and one to see the outcome.

    declared
        See ``plan``.
    absent
        See ``plan``.
    purge
        See ``plan``. A resource that runs isn't purged; name it in ``absent``.
    nodes
        List of node names, or a mapping by node name. If given, the cluster's nodes must be exactly
        these.
    serves
        See ``plan``.

    Returns ``{'changes': {path: {'old': …, 'new': …}}}``, secrets masked. Raises
    ``CommandExecutionError`` when no cluster runs here, no DC is elected, the nodes are others, an agent
    isn't installed, resources would wait for each other, what the cluster serves would not be started, or
    Pacemaker refuses the configuration.

    Source: ``cibadmin(8)``, ``crm_diff(8)``, ``crm_verify(8)``.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.apply
        salt 'cms1*' crm.apply '{rsc_defaults: {resource-stickiness: 100}}' nodes='[cms1, cms2]'
    """
    asked_for = _wanted(declared, absent, purge)
    patch, made_for, done = None, None, {}
    exact, refused = False, None
    for _ in range(_ATTEMPTS):
        before = _query_live()
        _require_nodes(before, nodes)
        wanted = _difference(before, *asked_for)
        if wanted["xml"] is None:
            return {"changes": done}
        # What others change in between rarely touches what is changed here. Then the same patch does, and
        # so little time passes before it is there that the next race is likely won.
        made_now = wanted["changes"] != made_for
        if made_now:
            patch, made_for = (
                _checked_patch(before, wanted, asked_for[0], serves),
                wanted["changes"],
            )
        # That a race was lost is what old versions say of a patch whose form they don't take, too. Then
        # nothing has moved.
        if refused is not None and not exact:
            exact = __utils__["cib.version"](refused) == __utils__["cib.version"](before)
        refusal = _push(__utils__["cib.patch_onto"](patch, before, exact))
        refused = before if refusal == "" else None
        if refusal is None and made_now:
            return {"changes": {**done, **wanted["changes"]}}
        if refusal is None:
            done.update(wanted["changes"])  # and whether it fitted is seen in the next round
        elif refusal and made_now:
            raise CommandExecutionError(
                f"{__grains__['id']}: the cluster refused the change: {refusal}"
            )
        elif refusal:
            made_for = None
    raise CommandExecutionError(
        f"{__grains__['id']}: someone changed the cluster's configuration during each of {_ATTEMPTS} "
        "attempts to change it; try again later"
    )


def export(secrets=False):
    """
    What the cluster's configuration holds, as data for pillar (``cmha:pairs:…:pacemaker``).

    What Pacemaker itself and an administrator's move have put there isn't in it. To apply what was exported
    on the same cluster changes nothing.

    secrets
        Show secrets, and don't mask them. They then go to the master's job cache.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.export --out=json
    """
    return __utils__["cib.export"](_query()[0], secrets)


# --- resources -----------------------------------------------------------------------------------


def move(resource, node, timeout=600, keep=False, watch=None, until=None):  # noqa: PLR0917
    """
    Move a resource to a node, and wait until it has started there and nowhere else.

    ``crm_resource --move`` makes a location constraint, which would pin the resource for good. It
    is cleared afterwards, whether or not the move went well. A move that failed is taken back: the resource
    is moved where it ran, and cleaned of the failure when that is what keeps it from there.

    resource
        Id of a resource.
    node
        Name of the node to move to.
    timeout
        Seconds to wait, 600 by default: Cloudera Manager takes minutes.
    keep
        Leave the constraint behind.
    watch
        For modules: called without arguments ten times a second while the resource moves.
    until
        For modules: called without arguments when the resource has started. The constraint holds it there
        until that returns; where it raises ``CommandExecutionError``, the move has failed.

    Returns the list of the nodes where the resource is started, that is ``[node]``. Raises
    ``CommandExecutionError`` when its stop or its start there fails, or the resource didn't arrive in time;
    it says where the resource is then.

    Source: ``crm_resource(8)``.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.move cloudera-scm-server cms2
    """
    _require_live()
    _require_dc()
    home = started(resource)
    if home == [node]:
        return [node]
    return __salt__["crm_move.carried_out"](resource, node, home, timeout, keep, watch, until)


def begin_move(resource, node):
    """
    Let a move begin, and wait for nothing. It leaves a location constraint, which ``clear`` removes.

    resource
        Id of a resource.
    node
        Name of the node to move to.

    Returns ``True``. Raises ``CommandExecutionError``.

    Source: ``crm_resource(8)``.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.begin_move cloudera-scm-server cms2
    """
    _require_installed()
    # the constraint takes the place of one that an earlier call has made
    _command(
        ["crm_resource", "--move", "--resource", resource, "--node", node],
        f"moving {resource} to {node}",
    )
    return True


def clear(resource, node=None):
    """
    Remove the location constraints that moves of a resource have left behind.

    resource
        Id of a resource.
    node
        Only those about this node; all of them by default.

    Returns ``True``. Raises ``CommandExecutionError``.

    Source: ``crm_resource(8)``.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.clear cloudera-scm-server
    """
    _require_installed()
    only = ["--node", node] if node else []
    _command(
        ["crm_resource", "--clear", "--resource", resource, *only],
        f"clearing the constraints of {resource}",
    )
    return True


def cleanup(resource=None, node=None):
    """
    Forget the failures of resources, so that the cluster tries again where it had given up.

    resource
        Id of a resource; all of them by default.
    node
        Only the failures on this node; on all of them by default.

    Returns ``True``. Raises ``CommandExecutionError``.

    Source: ``crm_resource(8)``.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.cleanup node=cms2
    """
    _require_live()
    only = (["--resource", resource] if resource else []) + (["--node", node] if node else [])
    _command(["crm_resource", "--cleanup", *only], "cleaning failures up")
    return True


def wait(timeout=600):
    """
    Wait until the cluster has nothing left to do.

    timeout
        Seconds to wait.

    Returns ``True``. Raises ``CommandExecutionError`` when the cluster is still busy.

    Source: ``crm_resource(8)``.

    CLI Example:

    .. code-block:: bash

        salt 'cms1*' crm.wait timeout=120
    """
    _require_live()
    end = time.monotonic() + int(timeout)
    doing = f"waiting {timeout} s for the cluster to rest"
    # it has its own limit, and says what it waited for
    answer = _run(
        ["crm_resource", "--wait", f"--timeout={int(timeout)}s"], seconds=int(timeout) + _USUAL
    )
    if _is_unknown(answer):
        # before Pacemaker 1.1.13
        while not settled():
            if time.monotonic() > end:
                raise CommandExecutionError(f"{__grains__['id']}: {doing} failed: it is still busy")
            time.sleep(0.5)
    elif answer["retcode"] != 0:
        raise CommandExecutionError(f"{__grains__['id']}: {doing} failed: {_said(answer)}")
    return True


# --- helpers -------------------------------------------------------------------------------------


def _run(command, stdin=None, env=None, seconds=None):
    return __salt__["bounded.run"](command, seconds, stdin=stdin, env=env, rstrip=False)


def _require_in_time(answer, who):
    if answer.get("late"):
        raise CommandExecutionError(f"{__grains__['id']}: {who} hangs: {_said(answer)}")


def _command(command, doing):
    answer = _run(command)
    if answer["retcode"] != 0:
        raise CommandExecutionError(f"{__grains__['id']}: {doing} failed: {_said(answer)}")
    return answer["stdout"]


def _crmadmin(question):
    """
    What a controller answers within five seconds. A number without its unit is milliseconds, but seconds in
    Pacemaker 2.1.5; Pacemaker 2.0.5 knows no units, and older ones no limit.
    """
    for limit in (["--timeout=5000ms"], ["--timeout=5000"], []):
        answer = _run(["crmadmin", question, *limit], seconds=_CONTROLLER)
        if answer["retcode"] != _USAGE and not _is_unknown(answer):
            break
    return answer


def _is_unknown(answer):
    """Whether a tool doesn't know an option. Pacemaker 1.1's then print their help, and exit with 0."""
    said = answer["stderr"] + answer["stdout"]
    return any(words in said for words in _UNKNOWN_OPTION)


def _said(answer):
    return __utils__["crm_commands.said"](answer)


def _require_installed():
    if not installed():
        raise CommandExecutionError(
            f"{__grains__['id']}: Pacemaker isn't installed: cibadmin isn't there"
        )


def _require_live():
    _require_installed()
    if not running():
        raise CommandExecutionError(f"{__grains__['id']}: no cluster runs here; {_HOW_TO_START}")


def _require_dc():
    # a change before the election may be overwritten by a node that joins
    if not __utils__["crm_commands.on_a_file"]() and dc() is None:
        raise CommandExecutionError(
            f"{__grains__['id']}: the cluster has no designated controller (DC) yet; "
            "wait until crm_mon shows one"
        )


def _require_nodes(xml, wanted):
    if wanted is None:
        return
    found, wanted = set(__utils__["cib.nodes"](xml)), set(wanted)
    faults = [f"{node} is missing" for node in sorted(wanted - found)]
    faults += [f"{node} doesn't belong" for node in sorted(found - wanted)]
    if faults:
        raise CommandExecutionError(
            f"{__grains__['id']}: this cluster isn't {', '.join(sorted(wanted))}: {'; '.join(faults)}; "
            "start corosync on a missing node, remove a foreign one with crm node delete"
        )


def _query():
    """The CIB, and whether it is a live cluster's."""
    live = _query_cluster() if installed() else None
    if live is not None:
        return live, True
    if os.path.exists(_CIB_ON_DISK):
        with salt.utils.files.fopen(_CIB_ON_DISK) as cib:
            return cib.read(), False
    return __utils__["cib.empty"](), False


def _query_live():
    _require_installed()
    live = _query_cluster()
    if live is None:
        raise CommandExecutionError(f"{__grains__['id']}: no cluster runs here; {_HOW_TO_START}")
    return live


def _query_cluster():
    answer = _run(["cibadmin", "--query"])
    _require_in_time(answer, "Pacemaker's CIB manager")
    return answer["stdout"] if answer["retcode"] == 0 else None


def _wanted(declared, absent, purge):
    """What the caller says, or else what pillar does."""
    if declared is not None:
        _refuse_unknown_words(declared)
        return declared, absent, purge
    pillar = dict(__salt__["cmha.declared"](secrets=True))
    in_pillar = pillar.pop("absent"), pillar.pop("purge")
    return pillar, absent or in_pillar[0], purge or in_pillar[1]


def _refuse_unknown_words(declared):
    try:
        __utils__["cib.check_words"](declared)
    except ValueError as error:
        raise CommandExecutionError(f"{__grains__['id']}: {error}") from None


def _difference(xml, declared, absent, purge):
    try:
        return __utils__["cib.difference"](xml, declared, absent, purge)
    except ValueError as error:
        raise CommandExecutionError(f"{__grains__['id']}: {error}") from None


def _checked_patch(before, wanted, declared, serves):
    """The patch, when nothing speaks against it."""
    _require_dc()
    __salt__["crm_refusals.of_apply"](before, wanted, declared, serves)
    return _patch(before, wanted["xml"])


def _patch(before, after):
    """A patch by ``crm_diff``, from files: arguments show to everyone in the process list."""
    with tempfile.TemporaryDirectory(prefix="cmha-") as directory:
        old, new = os.path.join(directory, "old.xml"), os.path.join(directory, "new.xml")
        for path, text in ((old, before), (new, after)):
            with salt.utils.files.fopen(path, "w") as file:
                file.write(text)
        answer = _run(["crm_diff", "--original", old, "--new", new])
    # 1 means that they differ
    if answer["retcode"] != 1:
        raise CommandExecutionError(f"{__grains__['id']}: crm_diff failed: {_said(answer)}")
    return answer["stdout"]


def _push(patch):
    """``None`` when the patch was taken, no text when someone else changed the configuration meanwhile, and
    else why it was refused."""
    answer = _run(["cibadmin", "--patch", "--xml-pipe"], stdin=patch)
    if answer["retcode"] == 0:
        return None
    said = _said(answer)
    if answer["retcode"] == _LOST_RACE_CODE or any(words in said for words in _LOST_RACE_WORDS):
        log.info(
            "the cluster's configuration changed while a change was prepared; reading it again"
        )
        return ""
    return said
