"""
What one asks at the master: which sites there are, whether they can be worked on, how they are, what would
change; and what one has done there: a failover, a host's return, the end of a pair. And a new key.

All of it goes by Salt jobs. What is printed for people is data in every other format (``--out=json``); its
``retcode`` is the exit code of ``salt-run``.
"""

import contextlib
import difflib

import salt.pillar
import salt.utils.yaml

_DEFAULTS = "salt://cmha/defaults.yaml"

_EXIT = {"good": 0, "poor": 1, "unknown": 2, "bad": 2}


def __virtual__():
    return True


# --- sites ---------------------------------------------------------------------------------------


def sites(only=None, saltenv=None, pillarenv=None):
    """
    Find the sites, check their pillars, and see whether their hosts answer.

    Pillars are compiled here on the master, so that nothing of them enters a job's return.

    only
        A list of names of sites, or of globs; or one of them. The default is all.
    saltenv
        The environment of this master that has the formula. The default is the master's own setting of this
        name, then ``base``, then the only one that has it.
    pillarenv
        The environment of pillar; the default is the master's own setting, then all of them, as Salt has it.

    Returns a mapping: ``sites``, a list as ``cmha_site.site`` makes it, without the settings, and
    ``errors``, a list of lines that each say what is wrong, where, and what to do. A site with an error
    isn't in ``sites``.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.sites
        salt-run cmha.sites '[east]'
    """
    return _sites(_opts(saltenv, pillarenv), _listed(only))


def _sites(opts, only):
    found = _found(opts, only)
    lost = _lost(opts, found.models)
    there = [_outline(site) for site in found.models if site["site"] not in lost]
    return {"sites": there, "errors": [*_errors(found), *lost.values()]}


def fit_sites(  # noqa: PLR0917
    only=None, pair=None, saltenv=None, pillarenv=None, alone=False, said=None, keys=()
):
    """
    The sites that preflight finds nothing against: what the orchestration works on.

    only
        A list of names of sites, or of globs; or one of them. The default is all.
    pair
        Name of a pair; the default is all.
    saltenv, pillarenv
        See ``sites``.
    alone
        Whoever asks has them for itself until its process ends, and a site where somebody else is at work is
        an error.
    said, keys
        What the orchestration's pillar says, in place of ``only`` and ``pair``, see ``cmha_sites.meant``.

    Returns what ``sites`` does, each site with ``steps``, see ``cmha_steps.of_site``; ``states``, what the
    orchestration prints, see ``cmha_steps.states``; and ``warnings``, a list of lines.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.fit_sites
        salt-run cmha.fit_sites '[east]' pair=cms
    """
    opts, pace = _opts(saltenv, pillarenv), {}
    if said is not None or keys:
        try:
            only, pair, pace = _meant(opts, said, keys)
        except ValueError as error:
            return {"sites": [], "states": [], "errors": [str(error)], "warnings": []}
    looked_at, errors, warnings = _preflighted(
        opts, _listed(only), pair, whole=True, alone=alone, deep=True
    )
    fit = [_chosen(each) for each in looked_at if not each["wrong"]]
    canary = pace.get("canary")
    if canary and canary not in {site["site"] for site in fit if site["pairs"]}:
        errors = [*errors, f"cmha_only:canary: the site {canary} can't go first; nothing was done"]
        fit = []
    seen = {each["site"]["site"]: each["seen"] for each in looked_at}
    idle = __utils__["cmha_idle.of_sites"](opts, fit, seen)
    steps = __utils__["cmha_steps.of_site"]
    sites_ = [{**site, "steps": steps(site, idle[site["site"]])} for site in fit]
    states = __utils__["cmha_steps.states"](sites_, pace)
    return {"sites": sites_, "states": states, "errors": errors, "warnings": warnings}


def preflight(site=None, pair=None, saltenv=None, pillarenv=None):
    """
    Find out whether sites can be worked on, before anything is touched. The orchestration does it first.

    Every host has to answer, see the same pillar, have its node's address and name, resolve and reach its
    peer on Corosync's ports, have the service, the same versions and about the same time as its peer, and
    no other cluster. Gives the hosts cmha's modules where theirs are others, and touches nothing else.

    site
        Name of a site, or a glob; the default is all.
    pair
        Name of a pair; the default is all.
    saltenv, pillarenv
        See ``sites``.

    Returns a mapping: ``sites`` (by name, the pairs that were looked at), ``errors`` and ``warnings``, lists
    of lines; ``retcode`` 1 when there is an error.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.preflight
        salt-run cmha.preflight site=east pair=cms --out=json
    """
    opts = _opts(saltenv, pillarenv)
    looked_at, errors, warnings = _preflighted(opts, _listed(site), pair)
    seen = {each["site"]["site"]: [pair["pair"] for pair in each["pairs"]] for each in looked_at}
    return _report("preflight", bool(errors), sites=seen, errors=errors, warnings=warnings)


def export(site=None, secrets=False, saltenv=None, pillarenv=None):
    """
    Turn the live clusters' configuration into pillar data: what stands, or could stand, under
    ``cmha:pairs:…:pacemaker``.

    site
        Name of a site, or a glob; the default is all.
    secrets
        Show secrets, and don't mask them. They then go to the master's job cache.
    saltenv, pillarenv
        See ``sites``.

    Returns a mapping by site, in it by pair; and, where something is wrong, ``errors``, a list of lines.

    CLI Example:

    .. code-block:: bash

        salt-run --out=json cmha.export
        salt-run cmha.export site=east
    """
    opts = _opts(saltenv, pillarenv)
    mistyped = _mistyped({"secrets": secrets})
    if mistyped:
        return {"errors": [mistyped]}
    found = _sites(opts, _listed(site))
    pairs = [(each["site"], pair) for each in found["sites"] for pair in each["pairs"]]
    exported, errors = {}, list(found["errors"])
    answers = __utils__["cmha_pair.exports"](opts, pairs, secrets)
    for (where, pair), answer in zip(pairs, answers):
        if isinstance(answer, dict):
            exported.setdefault(where, {})[pair["pair"]] = {"pacemaker": answer}
        else:
            why = answer or "its cluster runs on no host"
            errors.append(f"site {where}, pair {pair['pair']}: {why}")
    return {**exported, **({"errors": errors} if errors else {})}


# --- looking -------------------------------------------------------------------------------------


def status(site=None, pair=None, saltenv=None, pillarenv=None):
    """
    How the pairs are: one screen for all sites. Touches nothing.

    site
        Name of a site, or a glob; the default is all.
    pair
        Name of a pair; the default is all.
    saltenv, pillarenv
        See ``sites``.

    Returns a mapping: ``sites``, by site and pair what ``cmha_status.judge`` describes; ``errors``, a list of
    lines; ``retcode``: 0 all is well; 1 the services run, but something isn't as it should be; 2 a service
    doesn't run on exactly one host, or nobody can tell.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.status
        salt-run cmha.status site=east --out=json
        salt-run cmha.status site='eu-*'
    """
    opts, only, pair = _opts(saltenv, pillarenv), _listed(site), _text(pair)
    recalled, reports = _recalled(only), {}

    def look(found, due):
        outlines = _known_of(found, recalled)["sites"]
        asked = [
            (name, each)
            for name in outlines
            if name in due or name not in reports
            for each in outlines[name]["pairs"]
            if not pair or each["pair"] == pair
        ]
        reports.update({name: {} for name, _ in asked})
        healths, digests = __utils__["cmha_pair.seen"](opts, asked)
        for (name, each), report in zip(asked, healths):
            reports[name][each["pair"]] = report
        return {
            name: {digests[node["id"]] for node in _nodes(outline) if node["id"] in digests}
            for name, outline in outlines.items()
        }

    known = _known_of(_begun(opts, only, _hosts_of(recalled)).settle(look), recalled)
    _remember(known)
    seen = {name: reports.get(name, {}) for name in known["sites"]}
    hidden = known["hidden"] + _nowhere(pair, known["sites"].values())
    worst = max(
        (_EXIT[each["health"]] for pairs in seen.values() for each in pairs.values()), default=0
    )
    least = _EXIT["unknown"] if hidden else _EXIT["poor"] if known["seen_anyway"] else _EXIT["good"]
    errors = hidden + list(known["seen_anyway"].values())
    return _report("status", max(worst, least), sites=seen, errors=errors)


def plan(site=None, pair=None, saltenv=None, pillarenv=None):
    """
    What the orchestration would change on every host and in every cluster, and what the clusters would do
    then. Touches nothing.

    site
        Name of a site, or a glob; the default is all.
    pair
        Name of a pair; the default is all.
    saltenv, pillarenv
        See ``sites``.

    Returns a mapping: ``sites``, by site and pair what ``cmha_pair.plan`` describes; ``errors`` and
    ``warnings`` (preflight's), lists of lines; ``retcode`` 1 when there is an error.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.plan
        salt-run cmha.plan site=east pair=cms --out=json
    """
    opts = _opts(saltenv, pillarenv)
    looked_at, errors, warnings = _preflighted(opts, _listed(site), pair)
    of_all = [(each["site"]["site"], pair) for each in looked_at for pair in _chosen(each)["pairs"]]
    seen = {each["site"]["site"]: {} for each in looked_at}
    for (where, each), planned in zip(of_all, __utils__["cmha_pair.plans"](opts, of_all)):
        seen[where][each["pair"]] = planned
    errors += [
        f"site {name}, pair {each}: {planned['error']}"
        for name, pairs in seen.items()
        for each, planned in pairs.items()
        if planned["error"]
    ]
    return _report("plan", bool(errors), sites=seen, errors=errors, warnings=warnings)


# --- doing ---------------------------------------------------------------------------------------


def failover(  # noqa: PLR0917
    pair, to=None, site=None, drill=False, saltenv=None, pillarenv=None, batch=1
):
    """
    The guide's test of the failover: move a pair's service to its other node, and verify that it is active
    there and stopped where it was. No constraint is left behind; one that an interrupted move has left is
    cleared first.

    It is refused when the target isn't fit, or Pacemaker says beforehand that it wouldn't go there.

    pair
        Name of the pair.
    to
        Name or minion id of the node; the default is the one where the service isn't.
    site
        Name of the site; needed when several have such a pair. A drill takes a glob, too: several sites.
    drill
        ``True`` moves it back afterwards. ``fence`` moves nothing: the node where the service is gets fenced,
        see ``fence``, and the other takes over, as after a crash.
    saltenv, pillarenv
        See ``sites``.
    batch
        Of a drill at several sites, how many are begun at once: a number, or a percentage. After the first
        that goes wrong no other is begun.

    Returns a mapping: ``site``, ``pair``, what ``cmha_failover.failover`` (with ``drill=fence``
    ``cmha_fence.drill``) describes, and ``retcode`` 1 when something went wrong. With a glob: ``pair``,
    ``sites`` (the same by site), ``not_begun`` (a list of sites), ``errors`` and ``retcode``.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.failover cms
        salt-run cmha.failover cms to=cms2 site=east
        salt-run cmha.failover mgmt drill=True
        salt-run cmha.failover cms drill=fence
        salt-run cmha.failover cms site='eu-*' drill=True batch=2
    """
    opts, pair, to = _opts(saltenv, pillarenv), _text(pair), _text(to)
    if drill in (True, "fence") and not to and __utils__["cmha_sites.is_glob"](site):
        return _drills(opts, site, pair, drill == "fence", batch)
    if drill == "fence":
        if to:
            error = "drill=fence goes without to: the node is fenced where the service is"
            return _report("failover", True, error=error)
        return _with_pair(opts, "fence", __utils__["cmha_fence.drill"], site, pair)
    work = __utils__["cmha_failover.failover"]
    return _with_pair(opts, "failover", work, site, pair, to=to, drill=drill)


def rejoin(node, site=None, confirm=False, saltenv=None, pillarenv=None):
    """
    After a crash: show whether the failover succeeded and what is known about the cause; and, confirmed,
    start Corosync and Pacemaker on the host, wait until both nodes are online, and clean up the failures.

    node
        Minion id of the host, or the name of its node.
    site
        Name of the site; needed when several have such a node.
    confirm
        Start it. Without it nothing is touched: the guide wants a person to look first.
    saltenv, pillarenv
        See ``sites``.

    Returns a mapping: ``site``, ``pair``, what ``cmha_rejoin.rejoin`` describes, and ``retcode`` 1 when
    something is wrong.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.rejoin cms2
        salt-run cmha.rejoin cms2 confirm=True
    """
    work = __utils__["cmha_rejoin.rejoin"]
    return _with_node(_opts(saltenv, pillarenv), "rejoin", work, node, site, confirm)


def fence(  # noqa: PLR0917
    node, site=None, confirm=False, is_off=False, saltenv=None, pillarenv=None
):
    """
    Show what it would mean to fence a node, and, confirmed, have Pacemaker do it: the proof that fencing
    works, and the end of a host that hangs. Its power is taken away, without a shutdown, and given back.

    It is refused when no device that answers could fence the node, or its peer wouldn't take the service
    over.

    node
        Minion id of the host, or the name of its node.
    site
        Name of the site; needed when several have such a node.
    confirm
        Fence it. Without it nothing is touched.
    is_off
        You have seen that the host has no power, and it keeps none: its BMC died with it, so that nobody can
        fence it, and Pacemaker waits. Confirmed, Pacemaker is told so, and starts the service elsewhere. If
        the host is on, the service then runs on both.
    saltenv, pillarenv
        See ``sites``.

    Returns a mapping: ``site``, ``pair``, what ``cmha_fence.fence`` describes, and ``retcode`` 1 when
    something is wrong.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.fence cms2
        salt-run cmha.fence cms2 confirm=True
        salt-run cmha.fence cms2 is_off=True confirm=True
    """
    work = __utils__["cmha_fence.fence"]
    opts = _opts(saltenv, pillarenv)
    return _with_node(opts, "fence", work, node, site, confirm, is_off=is_off)


def clean(  # noqa: PLR0917
    pair, keep, site=None, confirm=False, saltenv=None, pillarenv=None
):
    """
    Take a pair apart: Cloudera Manager goes on, without a cluster, on the host of your choice, and starts at
    boot there again; the other host has neither.

    pair
        Name of the pair.
    keep
        Name or minion id of the node where the service goes on.
    site
        Name of the site; needed when several have such a pair.
    confirm
        Do it. Without it only the steps are listed.
    saltenv, pillarenv
        See ``sites``.

    Returns a mapping: ``site``, ``pair``, what ``cmha_clean.clean`` describes, and ``retcode`` 1 when
    something went wrong.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.clean cms keep=cms1
        salt-run cmha.clean cms keep=cms1 confirm=True
    """
    opts = _opts(saltenv, pillarenv)
    work = __utils__["cmha_clean.clean"]
    return _with_pair(opts, "clean", work, site, pair, keep=_text(keep), confirm=confirm)


def forget(site, saltenv=None, pillarenv=None):
    """
    Know nothing any more of a site that is no more: ``status`` shows it as it was known the last time, with a
    line on the pillar that doesn't name it, until then. Its hosts are left as they are.

    site
        Name of the site.
    saltenv, pillarenv
        See ``sites``.

    Returns a mapping: ``error``, a line or ``None``, and ``retcode`` 1 when there is one.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.forget east
    """
    names = _listed(site) or []
    if len(names) != 1 or __utils__["cmha_sites.is_glob"](names[0]):
        return _report("forget", True, error=f"say the name of one site; {site!r} is none")
    (site,) = names
    found = _found(_opts(saltenv, pillarenv), [site])
    if found.models or site in {str(each.get("site")) for each in found.minions.values()}:
        named = f"pillar names the site {site}; a site that is no more has no pillar"
        return _report("forget", True, error=named)
    if site not in __utils__["cmha_memory.recall"](__opts__):
        return _report("forget", True, error=f"no site {site} is known")
    __utils__["cmha_memory.forget"](__opts__, site)
    return _report("forget", False, error=None, site=site)


def keygen(generation=3, gpg=None, gnupghome="/etc/salt/gpgkeys"):
    """
    Make a key for Corosync and print it as pillar data. With it in the pillar of a site, or of one pair, its
    traffic is encrypted.

    It is printed, and not returned: what a runner returns stays in the master's job cache and goes over the
    event bus. So it needs ``salt-run``, at whose standard output it comes.

    generation
        Of the Corosync that shall read it: 1, 2 or 3. Every generation can read a key of 1 or 2.
    gpg
        Encrypt it to this recipient, for Salt's ``gpg`` renderer.
    gnupghome
        The directory of GPG's keys; the default is where Salt's ``gpg`` renderer looks.

    Returns a mapping: ``retcode``, 1 when there is an ``error``, a line.

    Source: ``corosync-keygen(8)``.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.keygen >> /srv/pillar/sites/east-key.sls
        salt-run cmha.keygen gpg=salt-master@example.com
    """
    if __opts__.get("__cli") != "salt-run":
        return _report(
            "keygen",
            True,
            error="keygen prints a secret, which no other client may have; run it by salt-run",
        )
    empty = _mistyped({"gpg": gpg, "gnupghome": gnupghome})
    if empty:  # the key would be printed as it is
        return _report("keygen", True, error=empty)
    try:
        print(__utils__["cmha_key.made"](generation, gpg, gnupghome), end="", flush=True)
    except ValueError as error:
        return _report("keygen", True, error=str(error))
    return _report("keygen", False)


def _drills(opts, site, pair, by_fencing, batch):
    if not __utils__["cmha_sites.is_batch"](batch):
        error = f"batch should be a number of sites, as 5, or a percentage, as 10%, is {batch!r}"
        return _report("drills", True, error=f"{error}; nothing was done")
    known, found = _sought(opts, [site], lambda known: _pairs_called(known, pair), several=True)
    if not found:
        return _unknown("drills", f"pair {pair}", [], _names_of_pairs(known), known)
    pairs = dict(found)
    wrong = [__utils__["cmha_sites.wrong_with"](known, name, pair) for name in pairs]
    errors = [*known["hidden"], *filter(None, wrong)]
    if errors:
        return _report("drills", True, pair=pair, sites={}, not_begun=sorted(pairs), errors=errors)
    done = __utils__["cmha_drills.at_sites"](opts, pairs, by_fencing, batch)
    left = sorted(pairs.keys() - done.keys())
    failed = bool(left) or any(each["error"] for each in done.values())
    return _report("drills", failed, pair=pair, sites=done, not_begun=left, errors=[])


def _with_node(opts, action, work, node, site, confirm, **more):  # noqa: PLR0917
    """The report on what is done with a node, by its name or minion id."""
    node = _text(node)
    mistyped = _mistyped({"site": site, "confirm": confirm, **more})
    if mistyped:
        return _report(action, True, error=mistyped)
    known, found = _sought(opts, _listed(site), lambda known: _nodes_called(known, node))
    if len(found) != 1:
        others = [each["id"] for outline in known["sites"].values() for each in _nodes(outline)]
        if len({each[0] for each in found}) == 1:
            return _report(action, True, error=_twice(node, found))
        return _unknown(action, f"node {node}", [each[0] for each in found], others, known)
    ((name, pair, host),) = found
    wrong = __utils__["cmha_sites.wrong_with"](known, name, pair["pair"])
    if wrong:
        return _report(action, True, error=wrong)
    where = (name, pair["pair"])
    return _done(
        opts, action, where, confirm, lambda: work(opts, name, pair, host, confirm, **more)
    )


def _with_pair(opts, action, work, site, pair, **options):
    pair = _text(pair)
    mistyped = _mistyped({"site": site, **options})
    if mistyped:
        return _report(action, True, error=mistyped)
    known, found = _sought(opts, _listed(site), lambda known: _pairs_called(known, pair))
    if len(found) != 1:
        where = [name for name, _ in found]
        return _unknown(action, f"pair {pair}", where, _names_of_pairs(known), known)
    ((name, outline),) = found
    wrong = __utils__["cmha_sites.wrong_with"](known, name, pair)
    if wrong:
        return _report(action, True, error=wrong)
    acts = options.get("confirm", True)
    return _done(opts, action, (name, pair), acts, lambda: work(opts, name, outline, **options))


def _pairs_called(known, pair):
    """Sites, each with its pair of that name."""
    return [
        (name, each)
        for name, outline in known["sites"].items()
        for each in outline["pairs"]
        if each["pair"] == pair
    ]


def _nodes_called(known, node):
    """Sites, each with a pair and the minion id of its node of that name; of one site there may be two."""
    return [
        (name, pair, each["id"])
        for name, outline in known["sites"].items()
        for pair in outline["pairs"]
        for each in pair["nodes"]
        if node in (each["id"], each["name"])
    ]


def _names_of_pairs(known):
    return [each["pair"] for outline in known["sites"].values() for each in outline["pairs"]]


def _done(opts, action, where, acts, work):
    """The report on what is done with a pair; where something is touched, with its site for oneself."""
    site, pair = where
    alone = __utils__["cmha_lock.held"](opts, site, action) if acts else contextlib.nullcontext()
    with alone as busy:
        if busy:
            return _report(action, True, error=busy)
        done = work()
    return _report(action, bool(done["error"]), site=site, pair=pair, **done)


def _mistyped(options):
    """A line on an option that is to be true or false: whatever else somebody has typed might mean yes. Or on
    one that is empty, as a shell's variable may be."""
    empty = [name for name, said in options.items() if said == ""]
    if empty:
        return f"{empty[0]} is empty; say what it should be, or leave it out; nothing was done"
    known = {
        "confirm": "True or False",
        "drill": "True, False or fence",
        "is_off": "True or False",
        "secrets": "True or False",
    }
    return next(
        (
            f"{name} should be {words}, is {options[name]!r}; nothing was done"
            for name, words in known.items()
            if not isinstance(options.get(name, False), bool)
        ),
        None,
    )


def _twice(node, found):
    """A name counts in its own pair's cluster only."""
    said = " and ".join(f"{host} in the pair {pair['pair']}" for _, pair, host in found)
    hosts = [host for _, _, host in found]
    remedy = f"say the minion id, node={hosts[0]}"
    if node in hosts:
        remedy = "it is the name of one and the minion id of the other; name the nodes otherwise in pillar"
    return f"the site {found[0][0]} has two nodes {node}: {said}; {remedy}"


def _unknown(action, what, where, others, known):
    if where:
        who = f"the sites {' and '.join(where)}"
        if len(where) > 3:
            who = f"{len(where)} sites"
            what += f" ({', '.join(where[:3])}, …)"
        said = f"{who} have a {what}; say which: site={where[0]}"
    else:
        said = f"no site has a {what}; {_what_there_is(what.partition(' ')[2], others)}"
    errors = [*known["hidden"], *known["seen_anyway"].values()]
    return _report(action, True, error="; ".join([*errors, said]))


def _what_there_is(meant, names):
    """Names for a line; of many only those that are like the one that was typed."""
    names = sorted(set(names))
    if len(names) <= _NAMED:
        return f"there is {', '.join(names) or 'nothing'}"
    near = difflib.get_close_matches(meant, names, 3)
    among = f", among them {', '.join(near)}" if near else ""
    return f"there are {len(names)}{among}; salt-run cmha.sites lists them"


# So many names are read at a glance
_NAMED = 12


def _report(kind, retcode, **data):
    """What a runner returns: printed by the outputter of that name, data for any other."""
    return {"outputter": "cmha", "report": kind, "retcode": int(retcode), **data}


# --- helpers -------------------------------------------------------------------------------------


def _meant(opts, said, keys):
    """A key that this master's own pillar has, too, wasn't typed by anybody."""
    meant = __utils__["cmha_sites.meant"]
    try:
        return meant(said, keys)
    except ValueError:
        pillar = salt.pillar.Pillar(
            {**opts, "pillar": {}},
            opts.get("grains") or {},
            opts.get("id"),
            opts.get("saltenv") or "base",
            pillarenv=opts.get("pillarenv"),
        )
        own = pillar.compile_pillar()
        return meant(said, [key for key in keys if key not in own])


def _listed(only):
    """Names, or globs, of the sites that somebody means; ``None`` for all."""
    if only in (None, ""):
        return None
    return [str(each) for each in (only if isinstance(only, (list, tuple)) else [only])]


def _text(said):
    """A name as it was typed: Salt makes a number of one that looks like it."""
    return said if said is None else str(said)


def _preflighted(opts, only, pair=None, *, whole=False, alone=False, deep=False):
    """The sites, each with the pairs that were chosen and what is wrong with them; then everything that is
    wrong, and all warnings. ``whole``: only sites whose hosts all answer. ``alone``: only those where nobody
    else is at work. ``deep``: see, too, whether there is anything to do."""
    pair = _text(pair)
    left_out, looked_at = {}, {}  # by site: a line that says why; what was seen there

    def look(found, due):
        models = [site for site in found.models if site["site"] in due]
        for name in due:
            left_out.pop(name, None)
            looked_at.pop(name, None)
        if alone:
            models = _without(left_out, models, _busy(opts, models))
        if whole:
            lost = _lost(opts, models)
            models = _without(left_out, models, lost)
            if alone:  # somebody may rejoin a host there meanwhile
                _give_back(opts, lost)
        chosen = {
            site["site"]: [each for each in site["pairs"] if not pair or each["pair"] == pair]
            for site in models
        }
        at_devices = _at_devices(opts, chosen, found.models if not only else None)
        ours = _synced(opts) if models else None
        seen = __utils__["cmha_fit.look"](opts, chosen, found.pillars, ours, at_devices, deep)
        looked_at.update({site["site"]: {"site": site, **seen[site["site"]]} for site in models})
        return {name: each["digests"] for name, each in seen.items()}

    found = _begun(opts, only).settle(look)
    names = [site["site"] for site in found.models]
    seen = [looked_at[name] for name in names if name in looked_at]
    if alone:
        fit = {each["site"]["site"] for each in seen if not each["wrong"]}
        _give_back(opts, looked_at.keys() - fit)
    errors = [
        *_errors(found),
        *(left_out[name] for name in names if name in left_out),
        *_nowhere(pair, found.models),
        *(line for each in seen for line in each["wrong"]),
    ]
    return seen, errors, [line for each in seen for line in each["warnings"]]


def _without(left_out, models, lines):
    """The sites but those that there is a line for, which are left out by it."""
    left_out.update(lines)
    return [site for site in models if site["site"] not in lines]


def _busy(opts, models):
    """By site that this process can't have for itself, a line that says why."""
    take = __utils__["cmha_lock.take"]
    lines = {site["site"]: take(opts, site["site"], "orchestrate") for site in models}
    return {name: line for name, line in lines.items() if line}


def _give_back(opts, names):
    for name in names:
        __utils__["cmha_lock.give_back"](opts, name)


def _at_devices(opts, chosen, models):
    """The models of all sites, when some of the chosen pairs have a quorum device; ``models`` is None when
    only some sites are known."""
    pairs = [pair for pairs in chosen.values() for pair in pairs]
    if models is None and any(map(__utils__["quorum_device.declared"], pairs)):
        models = _found(opts, None).models
    return models or []


def _synced(opts):
    """Gives this master the modules that hosts' are compared with; their digest."""
    for kind in ("utils", "modules", "states"):
        __salt__[f"saltutil.sync_{kind}"](saltenv=opts["saltenv"])
    # which it can't sync for itself
    beacons = __salt__["salt.cmd"]("cp.cache_dir", "salt://_beacons", saltenv=opts["saltenv"])
    return __utils__["cmha_master.code"](opts["extension_modules"], beacons)


def _sought(opts, only, called, several=False):
    """What is known of sites; and what of it somebody means by a name, a list: one, unless there may be
    ``several``. Where that is this master knows from the pillars that it has kept, and compiles them only
    there."""
    recalled = _recalled(only)
    kept = _known_of(_found(opts, only, _hosts_of(recalled), doubted=()), recalled)
    found = called(kept)
    if len(found) > 1 and not several:
        return kept, found
    for where in [[name for name, *_ in found], only] if found else [only]:
        known = _known(opts, where)
        found = called(known)
        if found:
            break
    return known, found


def _known(opts, only):
    """The sites, see ``cmha_sites.known``. What is known of them now is remembered."""
    recalled = _recalled(only)
    known = _known_of(_found(opts, only, _hosts_of(recalled)), recalled)
    _remember(known)
    return known


def _recalled(only):
    return {
        name: each
        for name, each in __utils__["cmha_memory.recall"](__opts__).items()
        if __utils__["cmha_sites.is_meant"](name, only)
    }


def _hosts_of(recalled):
    return [node["id"] for each in recalled.values() for node in _nodes(each["site"])]


def _known_of(found, recalled):
    return __utils__["cmha_sites.known"](
        found.models, found.errors, found.unread, recalled, found.minions
    )


def _remember(known):
    seen = [site for name, site in known["sites"].items() if name not in known["seen_anyway"]]
    __utils__["cmha_memory.remember"](__opts__, seen)
    for name in known["gone"]:
        __utils__["cmha_memory.forget"](__opts__, name)


def _nowhere(pair, models):
    known = sorted({each["pair"] for site in models for each in site["pairs"]})
    if not pair or not known or pair in known:
        return []
    return [f"no site has a pair {pair}; there is {', '.join(known)}"]


def _found(opts, only, also=(), doubted=None):
    """What there is, see ``cmha_found.search``."""
    defaults, wrong = _defaults(opts)
    return __utils__["cmha_found.search"](opts, defaults, wrong, only, also, doubted)


def _begun(opts, only, also=()):
    """A search by what this master has kept, see ``cmha_found.begin``."""
    defaults, wrong = _defaults(opts)
    return __utils__["cmha_found.begin"](opts, defaults, wrong, only, also)


def _errors(found):
    return found.errors + __utils__["cmha_sites.unread_lines"](found.unread)


def _lost(opts, models):
    """By site where a host doesn't answer, a line that says which."""
    silent = __utils__["cmha_fit.silent"](
        opts, {node["id"] for site in models for node in _nodes(site)}
    )
    lines = {site["site"]: _lost_line(site, silent) for site in models}
    return {name: line for name, line in lines.items() if line}


def _chosen(looked_at):
    """The outline of a site with the pairs that preflight has looked at."""
    return _outline({**looked_at["site"], "pairs": looked_at["pairs"]})


def _outline(site):
    return __utils__["cmha_sites.outline"](site)


def _nodes(site):
    return __utils__["cmha_sites.nodes"](site)


def _lost_line(site, silent):
    lost = sorted(node["id"] for node in _nodes(site) if node["id"] in silent)
    if not lost:
        return None
    return (
        f"site {site['site']}: nothing was done there: {'; '.join(silent[each] for each in lost)}"
    )


def _opts(saltenv, pillarenv):
    """This master's configuration, with the environments that are meant."""
    saltenv, by_pillar = saltenv or __opts__.get("saltenv"), __opts__.get("pillarenv")
    if __opts__.get("pillarenv_from_saltenv"):
        by_pillar = by_pillar or saltenv
    return {**__opts__, "saltenv": saltenv, "pillarenv": pillarenv or by_pillar}


def _defaults(opts):
    """The formula's defaults, and what is wrong with its environment. What nobody has said of that is found
    out here, once, and written down in ``opts``."""
    wanted = opts["saltenv"]
    opts["saltenv"] = wanted or "base"
    defaults = _formulas_defaults(opts["saltenv"])
    if defaults:
        return defaults, None
    known = {each: _formulas_defaults(each) for each in sorted(__salt__["salt.cmd"]("cp.envs"))}
    others = [each for each, defaults in known.items() if defaults]
    if len(others) == 1 and not wanted:
        (opts["saltenv"],) = others
        return known[others[0]], None
    found = (
        f"it is in {' and '.join(others)}; say which: saltenv={others[0]}"
        if others
        else "nor in another"
    )
    return None, f"this master has no {_DEFAULTS} in the environment {opts['saltenv']}; {found}"


def _formulas_defaults(saltenv):
    text = __salt__["salt.cmd"]("cp.get_file_str", _DEFAULTS, saltenv=saltenv)
    return salt.utils.yaml.safe_load(text) if text else None
