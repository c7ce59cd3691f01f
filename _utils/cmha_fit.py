"""
Whether sites can be worked on: preflight, at all of them side by side.
"""

import time

import cmha_preflight
import cmha_site
import cmha_sites
import cmha_steps
import quorum_device
from cmha_master import ask, fitness
from cmha_together import each


def __virtual__():
    return True


def look(opts, chosen, pillars, ours, models, deep=False):  # noqa: PLR0917
    """
    Look at pairs of sites.

    opts
        The master's configuration.
    chosen
        By site, a list of models of pairs.
    pillars
        By site, its pillar.
    ours
        See ``cmha_master.fitness``.
    models
        Those of all sites, where pairs have a quorum device that other sites may have, too.
    deep
        See, too, whether there is anything to do.

    Returns by site a mapping: ``pairs`` as they can be worked on; ``wrong`` and ``warnings``, lists of lines;
    ``seen``, by host what ``cmha_look.everything`` says, where that was asked; ``digests``, a set: of the
    pillar that the hosts see.
    """

    def at(name, pairs):
        pairs, unheard = _with_devices_that_answer(opts, name, pairs)
        seen = _preflight(opts, name, pillars[name], pairs, ours, deep)
        return {
            "pairs": pairs,
            "wrong": seen["wrong"] + _taken_at_device(name, pairs, models),
            "warnings": unheard + seen["warnings"],
            "seen": seen["seen"],
            "digests": seen["digests"],
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


def _preflight(opts, site, pillar, pairs, ours, deep):  # noqa: PLR0917
    """What is wrong with pairs of a site, and what their hosts say."""
    found = {"wrong": [], "warnings": [], "seen": {}, "digests": set()}
    digest = cmha_site.digest(pillar)
    for hosts, sls in _questions(pairs, deep):
        asked = time.time()
        answers = fitness(opts, hosts, ours, sls)
        answered = time.time()
        if deep:
            there = {
                host: each for host, each in answers.items() if not isinstance(each, Exception)
            }
            found["seen"].update(there)
            answered -= min((each["spent"] for each in there.values()), default=0)
            answers.update({host: each["fitness"] for host, each in there.items()})
        for pair in pairs:
            if pair["nodes"][0]["id"] in hosts:
                _judge(site, pair, answers, (digest, asked, answered), found)
    return found


def _questions(pairs, deep):
    """Hosts that are asked the same, with the state files that it is about: all at once where that can be."""
    of_sls = {}
    for pair in pairs:
        sls = ",".join(cmha_steps.state_files(cmha_sites.outlined(pair))) if deep else None
        of_sls.setdefault(sls, []).extend(node["id"] for node in pair["nodes"])
    return [(hosts, sls) for sls, hosts in of_sls.items()]


def _judge(site, pair, answers, of_question, found):
    at = f"site {site}, pair {pair['pair']}: "
    here = {node["id"]: answers[node["id"]] for node in pair["nodes"]}
    troubles = [str(each) for each in here.values() if isinstance(each, Exception)]
    here = {host: each for host, each in here.items() if not isinstance(each, Exception)}
    found["digests"].update(each["pillar"] for each in here.values())
    wrong, less = cmha_preflight.judge(pair, here, *of_question) if here else ([], [])
    found["wrong"] += [at + line for line in troubles + wrong]
    found["warnings"] += [at + line for line in less]
