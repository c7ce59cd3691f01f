"""
Whether sites can be worked on: preflight, at all of them side by side.
"""

import time

import cmha_preflight
import cmha_site
import quorum_device
from cmha_master import ask, fitness
from cmha_together import each


def __virtual__():
    return True


def look(opts, chosen, pillars, beacons, models):
    """
    Look at pairs of sites.

    opts
        The master's configuration.
    chosen
        By site, a list of models of pairs.
    pillars
        By site, its pillar.
    beacons
        See ``cmha_master.fitness``.
    models
        Those of all sites, where pairs have a quorum device that other sites may have, too.

    Returns by site a mapping: ``pairs`` as they can be worked on; ``wrong`` and ``warnings``, lists of lines;
    ``running``, the names of the pairs whose hosts both run Corosync.
    """

    def at(name, pairs):
        pairs, unheard = _with_devices_that_answer(opts, name, pairs)
        seen = _preflight(opts, name, pillars[name], pairs, beacons)
        return {
            "pairs": pairs,
            "wrong": seen["wrong"] + _taken_at_device(name, pairs, models),
            "warnings": unheard + seen["warnings"],
            "running": seen["running"],
        }

    return each(opts, "sites", chosen, at)


def silent(opts, minions):
    """
    Ask minions whether they are there.

    opts
        The master's configuration.
    minions
        A set of minion ids.

    Returns by minion that doesn't answer what is said instead.
    """
    answers = ask(opts, sorted(minions), "test.ping") if minions else {}
    return {minion: str(answer) for minion, answer in answers.items() if answer is not True}


def _with_devices_that_answer(opts, site, pairs):
    """Pairs, and a line for each whose quorum device's minion doesn't answer. To such a pair the device is
    somebody else's: it is left as it is, and what it has to be for that is for preflight to see."""
    asked = {pair["qnetd"] for pair in pairs if pair["qnetd"]}
    unheard = silent(opts, asked)
    lines = [
        f"site {site}, pair {pair['pair']}: {pair['qnetd']}, the minion of its quorum device, "
        "doesn't answer this master; the device is left as it is"
        for pair in pairs
        if pair["qnetd"] in unheard
    ]
    return [{**pair, "qnetd": None} if pair["qnetd"] in unheard else pair for pair in pairs], lines


def _taken_at_device(site, pairs, models):
    """A line for each pair that its quorum device would take for another one, of whatever site."""
    problems = {pair["pair"]: quorum_device.taken_for_another(site, pair, models) for pair in pairs}
    return [
        f"site {site}, pair {name}: pillar cmha:pairs:{name}:cluster_name: {problem}"
        for name, problem in problems.items()
        if problem
    ]


def _preflight(opts, site, pillar, pairs, beacons):
    """What is wrong with pairs of a site, and which run."""
    seen = {"wrong": [], "warnings": [], "running": []}
    hosts = [node["id"] for pair in pairs for node in pair["nodes"]]
    if not hosts:
        return seen
    asked = time.time()
    facts = fitness(opts, hosts, beacons)
    answered = time.time()
    digest = cmha_site.digest(pillar)
    for pair in pairs:
        at = f"site {site}, pair {pair['pair']}: "
        here = {node["id"]: facts[node["id"]] for node in pair["nodes"]}
        troubles = [str(each) for each in here.values() if isinstance(each, Exception)]
        here = {host: each for host, each in here.items() if not isinstance(each, Exception)}
        wrong, less = [], []
        if here:
            wrong, less = cmha_preflight.judge(pair, here, digest, asked, answered)
        seen["wrong"] += [at + line for line in troubles + wrong]
        seen["warnings"] += [at + line for line in less]
        if not troubles and all(each["running"] for each in here.values()):
            seen["running"].append(pair["pair"])
    return seen
