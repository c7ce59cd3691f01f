"""
Which sites there are, found in the pillars of minions, and what is wrong with the others.

Pure functions: pillars in, sites and lines out.
"""

import fnmatch
import re
import time

import cib
import cib_values
import cmha_fencing
import cmha_site
import quorum_device
from pillar_values import SiteError, nearest

# What the runner tells of a pair, and what its like work with
_OUTLINE = (
    "pair", "role", "cluster_name", "nodes", "resource", "service", "port", "timeouts", "qnetd",
    "start_on_boot",
)  # fmt: skip
_NEAR = 0.8
_DERIVED = {
    "device": quorum_device.declared,
    "wants_certificate": quorum_device.wants_certificate,
    "has_fence_devices": cmha_fencing.has_devices,
}


def __virtual__():
    return True


def read(pillars, defaults, only=None):
    """
    Find the sites, and check them.

    pillars
        By minion id, the value of the pillar key ``cmha``.
    defaults
        The content of ``cmha/defaults.yaml``.
    only
        See ``is_meant``; the default is all.

    Returns the sites' models (see ``cmha_site.site``), their pillars by site, and lines on what is wrong with
    the others.
    """
    by_site = _by_site(pillars)
    wanted = {name: minions for name, minions in by_site.items() if is_meant(name, only)}
    errors = [
        f"{_unnamed(each)}{_did_you_mean(each, by_site)}"
        for each in only or []
        if not _matching(wanted, each)
    ]
    models = []
    for name, minions in wanted.items():
        try:
            models.append(_site(minions, pillars, defaults))
        except ValueError as error:
            errors.append(f"site {name}: {error}")
    return models, {name: pillars[minions[0]] for name, minions in wanted.items()}, errors


def meant(said, keys):
    """
    What the orchestration keeps to.

    said
        Its pillar key ``cmha_only``: a mapping with ``sites`` (a name, a glob, or a list of these), ``pair``,
        and the pace: ``batch``, ``fail_fast``, ``canary``; or nothing.
    keys
        Keys of its pillar.

    Returns a list of names of sites or globs, and the name of a pair, each ``None`` for all; and the pace, a
    mapping with what is said of it, see ``cmha_orchestration.at_sites``. Raises SiteError when somebody has
    meant less than all, and nobody can tell what.
    """
    for key in keys:
        if key not in ("cmha", "cmha_only") and nearest(key, ["cmha_only"]):
            raise SiteError(key, "isn't read; did you mean cmha_only? nothing was done")
    misplaced = [key for key in keys if str(key).lower() in ("site", *_MEANT)]
    if misplaced:
        raise SiteError(
            misplaced[0],
            "isn't read there: it belongs under cmha_only, as pillar='{cmha_only: {sites: [east]}}'; nothing "
            "was done",
        )
    if said in ("", None):
        return None, None, {}
    if not isinstance(said, dict) or not said:
        raise SiteError(
            "cmha_only",
            f"should be a mapping with {', '.join(_MEANT)}, or some of these, is {said!r}; nothing was done",
        )
    for key in said:
        if key not in _MEANT:
            near = nearest(key, _MEANT)
            raise SiteError(f"cmha_only:{key}", f"isn't known{near}; nothing was done")
    sites = said.get("sites")
    sites = [sites] if isinstance(sites, str) else sites
    is_list = isinstance(sites, list) and all(isinstance(each, str) and each for each in sites)
    if "sites" in said and not (is_list and sites):
        raise SiteError(
            "cmha_only:sites", f"should be a list of names of sites, is {sites!r}; nothing was done"
        )
    pair = said.get("pair")
    if "pair" in said and not (isinstance(pair, str) and pair):
        raise SiteError(
            "cmha_only:pair", f"should be the name of a pair, is {pair!r}; nothing was done"
        )
    for key, (is_right, words) in _PACE.items():
        if key in said and not is_right(said[key]):
            raise SiteError(
                f"cmha_only:{key}", f"should be {words}, is {said[key]!r}; nothing was done"
            )
    pace = {key: said[key] for key in _PACE if said.get(key)}
    if "fail_fast" in pace and "batch" not in pace:
        raise SiteError(
            "cmha_only:fail_fast",
            "needs batch: without it all sites are begun at once; nothing was done",
        )
    return sites, pair, pace


def _is_number(value):
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def is_batch(value):
    """
    Whether something says how many sites are begun at once.

    value
        A number, or a percentage as text, to be right.
    """
    return _is_number(value) or bool(re.fullmatch(r"([1-9]|[1-9]\d|100)%", str(value)))


# What may be said of the pace, and in which words it is asked for
_PACE = {
    "batch": (is_batch, "a number of sites, as 5, or a percentage, as 10%"),
    "fail_fast": (
        lambda value: value is False or _is_number(value),
        "a number of failures, as 1, or false",
    ),
    "canary": (
        lambda value: isinstance(value, str) and bool(value),
        "the name of a site",
    ),
}
_MEANT = ["sites", "pair", *_PACE]


def is_meant(name, only):
    """
    Whether somebody means a site.

    name
        Its name.
    only
        A list of names, or of globs, of the sites that are meant; empty or ``None`` for all.
    """
    return not only or any(_matching([name], each) for each in only)


def is_glob(name):
    """
    Whether a name is a pattern of names.

    name
        A text, or anything else.
    """
    return isinstance(name, str) and any(character in name for character in "*?[")


def _matching(names, pattern):
    return [name for name in names if fnmatch.fnmatchcase(name, pattern)]


def unread_lines(unread):
    """
    What is said of pillars that don't render: a line for each error of Salt.

    unread
        By minion id, the error.
    """
    minions = {}
    for minion, error in sorted(unread.items()):
        minions.setdefault(error, []).append(minion)
    return [
        f"the pillar of {', '.join(each)} doesn't render: {error}"
        for error, each in minions.items()
    ]


def known(models, errors, unread, recalled, pillars):
    """
    The sites, for whoever looks at pairs or acts on one: what is seen of them doesn't depend on their pillar.

    models, errors
        What ``read`` returned.
    unread
        See ``unread_lines``.
    recalled
        What was known of sites, see ``cmha_memory.recall``.
    pillars
        What ``read`` got.

    Returns a mapping:

    ``sites``
        By name, see ``outline``; where pillar is wrong, as they were known the last time.
    ``seen_anyway``
        By name of such a site, the line that says what is wrong.
    ``hidden``
        Lines on what is wrong with sites of which nothing can be seen.
    ``gone``
        Names of sites that were known, and whose hosts are all other sites' now.
    """
    sites = {model["site"]: outline(model) for model in models}
    others = {node["id"] for each in sites.values() for node in nodes(each)}
    seen_anyway, gone, hidden = {}, [], list(errors)
    for name in sorted(recalled.keys() - sites.keys()):
        kept = recalled[name]["site"]
        hosts = [node["id"] for node in nodes(kept)]
        if others.issuperset(hosts):
            gone.append(name)
            continue
        # its hosts' pillars may call it otherwise now, or not at all
        names = (name, *_by_site({host: pillars[host] for host in hosts if host in pillars}))
        own = [
            line for line in errors if line.startswith(tuple(f"site {each}: " for each in names))
        ]
        of_hosts = {host: unread[host] for host in hosts if host in unread}
        wrong = own or [f"site {name}: {line}" for line in unread_lines(of_hosts)] or [_lost(name)]
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(recalled[name]["at"]))
        sites[name] = kept
        seen_anyway[name] = f"{wrong[0]} (its pairs are shown as they were known at {when})"
        hidden = [
            line for line in hidden if line not in own and line.partition(";")[0] != _unnamed(name)
        ]
    shown = {node["id"] for each in sites.values() for node in nodes(each)}
    hidden += unread_lines({host: error for host, error in unread.items() if host not in shown})
    return {"sites": sites, "seen_anyway": seen_anyway, "hidden": hidden, "gone": gone}


def wrong_with(known_sites, name, pair):
    """
    What is wrong about a pair's pillar, unless it is about another pair only.

    known_sites
        What ``known`` returned.
    name, pair
        The site's name and the pair's.

    Returns a line, or ``None``.
    """
    line = known_sites["seen_anyway"].get(name)
    elsewhere = line and re.match(
        rf"site .*?: pillar cmha:pairs:(?!{re.escape(pair)}:)[^\s:]+:", line
    )
    return None if elsewhere else line


def outline(site):
    """
    A site without its settings.

    site
        A site's model.

    Returns a mapping: ``site``, its name, and ``pairs``, a list.
    """
    return {
        "site": site["site"],
        "pairs": [outlined(pair) for pair in site["pairs"]],
    }


def outlined(pair):
    """
    A pair without its settings.

    pair
        A pair of a site's model.
    """
    return {
        **{key: pair[key] for key in _OUTLINE},
        **{key: of(pair) for key, of in _DERIVED.items()},
    }


def nodes(site):
    """
    The nodes of all pairs of a site, each with its pair's name.

    site
        A site's model, or its outline.
    """
    return [{**node, "pair": pair["pair"]} for pair in site["pairs"] for node in pair["nodes"]]


def _unnamed(site):
    return f"no minion's pillar names the site {site}"


def _did_you_mean(said, sites):
    """A slip of a finger; east and west are as near as many, and both may be meant."""
    of_lower = {name.lower(): name for name in sites}
    near = cib_values.nearest(said.lower(), of_lower, _NEAR)
    return f"; did you mean {of_lower[near]}?" if near else ""


def _lost(site):
    return (
        f"site {site}: {_unnamed(site)} any more; see cmha:site there and the pillar's top.sls, or, when the "
        f"site is no more, salt-run cmha.forget {site}"
    )


def _by_site(pillars):
    grouped = {}
    for minion, pillar in pillars.items():
        grouped.setdefault(str(pillar.get("site")), []).append(minion)
    return grouped


def _site(minions, pillars, defaults):
    pillar = pillars[minions[0]]
    site = cmha_site.site(pillar, defaults, cib.check_whole)
    for node in nodes(site):
        if node["id"] not in pillars:
            raise ValueError(
                f"{node['id']} is in the pair {node['pair']}, but its own pillar has no cmha; assign "
                "the site's pillar to it, and see that its key is accepted"
            )
    for minion in minions:
        if pillars[minion] != pillar:
            raise ValueError(
                f"{minions[0]} and {minion} have different pillars; all hosts of a site get the same"
            )
        if minion not in {pair["qnetd"] for pair in site["pairs"]}:
            cmha_site.pair_of(site, minion)
    return site
