"""
What one asks at the master: which sites there are, whether they can be worked on, and what their clusters
hold.
"""

import salt.client
import salt.utils.minions
import salt.utils.yaml

__virtualname__ = "cmha"


def __virtual__():
    return __virtualname__


def sites(only=None):
    """
    Find the sites, check their pillars, and see whether their hosts answer.

    Pillars are compiled here on the master, so that nothing of them enters a job's return.

    only
        Names of sites; the default is all.

    Returns a mapping: ``sites``, a list as ``cmha_site.site`` makes it, without the settings, and
    ``errors``, a list of lines that each say what is wrong, where, and what to do. A site with an error
    isn't in ``sites``.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.sites
        salt-run cmha.sites '[east]'
    """
    pillars = _pillars()
    wanted = {
        name: minions for name, minions in _by_site(pillars).items() if not only or name in only
    }
    errors = [
        f"no minion's pillar names the site {name}" for name in only or [] if name not in wanted
    ]
    if not pillars:
        errors.append(
            "no minion's pillar has cmha:pairs; assign it in the pillar's top.sls, then "
            "salt '*' saltutil.refresh_pillar"
        )
    found = []
    for name, minions in wanted.items():
        try:
            found.append(_outline(_site(minions, pillars)))
        except ValueError as error:
            errors.append(f"site {name}: {error}")
    silent = _silent({node["id"] for site in found for node in _nodes(site)})
    errors += [_lost(site, silent) for site in found if _lost(site, silent)]
    return {"sites": [site for site in found if not _lost(site, silent)], "errors": errors}


def export(site=None, secrets=False):
    """
    Turn the live clusters' configuration into pillar data: what stands, or could stand, under
    ``cmha:pairs:…:pacemaker``.

    site
        Name of a site; the default is all.
    secrets
        Show secrets, and don't mask them. They then go to the master's job cache.

    Returns a mapping by site, in it by pair; and, where something is wrong, ``errors``, a list of lines.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.export --out=yaml
        salt-run cmha.export site=east
    """
    found = sites([site] if site else None)
    exported, errors = {}, list(found["errors"])
    for each in found["sites"]:
        for pair in each["pairs"]:
            host = _host_with_cluster(pair)
            answer = _ask([host], "crm.export", secrets).get(host) if host else None
            if isinstance(answer, dict):
                exported.setdefault(each["site"], {})[pair["pair"]] = {"pacemaker": answer}
            else:
                why = answer or "its cluster runs on no host"
                errors.append(f"site {each['site']}, pair {pair['pair']}: {why}")
    return {**exported, **({"errors": errors} if errors else {})}


def _host_with_cluster(pair):
    ids = [node["id"] for node in pair["nodes"]]
    running = _ask(ids, "crm.running")
    return next((host for host in ids if running.get(host) is True), None)


def _ask(minions, function, *arguments):
    with salt.client.get_local_client(mopts=__opts__) as client:
        return client.cmd(minions, function, arguments, tgt_type="list")


def _pillars():
    candidates = salt.utils.minions.CkMinions(__opts__).check_minions("cmha:pairs", "pillar")
    compiled = {minion: __salt__["pillar.show_pillar"](minion) for minion in candidates["minions"]}
    return {
        minion: pillar["cmha"]
        for minion, pillar in sorted(compiled.items())
        if isinstance(pillar.get("cmha"), dict)
    }


def _by_site(pillars):
    grouped = {}
    for minion, pillar in pillars.items():
        grouped.setdefault(str(pillar.get("site")), []).append(minion)
    return grouped


def _site(minions, pillars):
    pillar = pillars[minions[0]]
    site = __utils__["cmha_site.site"](pillar, _defaults(), __utils__["cib.check_whole"])
    for node in _nodes(site):
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
        __utils__["cmha_site.pair_of"](site, minion)
    return site


def _outline(site):
    keys = ("pair", "role", "cluster_name", "nodes", "resource")
    return {
        "site": site["site"],
        "pairs": [{key: pair[key] for key in keys} for pair in site["pairs"]],
    }


def _nodes(site):
    return [{**node, "pair": pair["pair"]} for pair in site["pairs"] for node in pair["nodes"]]


def _silent(minions):
    answers = _ask(sorted(minions), "test.ping") if minions else {}
    return {minion for minion in minions if answers.get(minion) is not True}


def _lost(site, silent):
    lost = sorted(node["id"] for node in _nodes(site) if node["id"] in silent)
    if not lost:
        return None
    return (
        f"site {site['site']}: {' and '.join(lost)} {'does' if len(lost) == 1 else 'do'} not answer this "
        "master; nothing was done at this site. See that host and salt-minion run, then try again"
    )


def _defaults():
    text = __salt__["salt.cmd"]("cp.get_file_str", "salt://cmha/defaults.yaml")
    return salt.utils.yaml.safe_load(text)
