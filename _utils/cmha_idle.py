"""
Which pairs have nothing to do: their hosts have seen by a test run of the state files that the orchestration
would apply that these would change nothing, nothing waits for a restart, and the pair is good. Such a pair's
steps are reported, and send no job.

A test run that doesn't look at something, and calls it well, would be a lie here; see
``test/lab/test_7_nothing_to_do.py``.
"""

import cmha_qdevice
import cmha_reconfigure
import cmha_status
import state_returns
from cmha_master import HostError, Interrupted, Master
from cmha_together import each


def __virtual__():
    return True


def of_sites(opts, sites, seen):
    """
    The pairs that have nothing to do.

    opts
        The master's configuration.
    sites
        A list of sites, as ``cmha.sites`` lists them.
    seen
        By site, in it by host, what ``cmha_look.everything`` says.

    Returns by site, in it by name of each such pair, ``comment`` and ``warnings`` for the step that verifies
    it. A pair that comes after one that has something to do isn't among them: it may have something to do by
    then.
    """
    of_all = {
        f"{site['site']} {pair['pair']}": (pair, seen[site["site"]])
        for site in sites
        for pair in site["pairs"]
    }
    what = "pairs" if len(sites) > 1 else None
    said = each(opts, what, of_all, lambda _, pair: _said(opts, *pair))
    return {site["site"]: _until_one_has_something_to_do(site, said) for site in sites}


def _until_one_has_something_to_do(site, said):
    idle = {}
    for pair in site["pairs"]:
        of_pair = said[f"{site['site']} {pair['pair']}"]
        if not of_pair:
            break
        idle[pair["pair"]] = of_pair
    return idle


def _said(opts, pair, seen):
    """What is said of a pair that has nothing to do; else ``None``."""
    answers = {node["id"]: seen.get(node["id"]) for node in pair["nodes"]}
    if not all(_has_nothing_to_do(each_one) for each_one in answers.values()):
        return None
    pending, health = (
        {host: each_one[key] for host, each_one in answers.items()} for key in ("pending", "health")
    )
    if not cmha_reconfigure.nothing_waits(pending):
        return None
    report = cmha_status.judge(pair, health, {})
    if report["health"] != "good" or not _device_has_nothing_to_do(opts, pair):
        return None
    return {
        "comment": ". ".join(["nothing to do", *cmha_status.outlook(report)]),
        "warnings": cmha_status.warnings(report),
    }


def _has_nothing_to_do(answer):
    return answer and answer["to_do"] == [] and answer["pending"] and answer["health"]


def _device_has_nothing_to_do(opts, pair):
    """Of the quorum device that the orchestration prepares, if the pair has one."""
    device = pair["qnetd"]
    if not device:
        return True
    try:
        # one that is busy with other states isn't waited for: the steps do that
        answers = Master(opts).ask_once([device], "state.apply", "cmha.qnetd", test=True)
        certified = not pair["wants_certificate"]
        return state_returns.to_do(answers[device]) == [] and (
            certified or _is_certified(opts, pair)
        )
    except Interrupted:
        raise
    except HostError:  # the steps will say it
        return False


def _is_certified(opts, pair):
    ret = cmha_qdevice.certify(opts, None, pair, test=True)
    return ret["result"] is True and not ret["changes"]
