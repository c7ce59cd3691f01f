"""
Which pairs have nothing to do: seen by a test run of the state files that the orchestration would apply, and
by its own functions, on all hosts at once. Such a pair's steps are reported, and send no job.

A test run that doesn't look at something, and calls it well, would be a lie here; see
``test/lab/test_7_sites.py``.
"""

import cmha_pair
import cmha_qdevice
import cmha_reconfigure
import cmha_status
from cmha_master import Master, Trouble
from cmha_together import each


def __virtual__():
    return True


def look(opts, sites, running):
    """
    Look at pairs whose clusters run. Touches nothing.

    opts
        The master's configuration.
    sites
        A list of sites, as ``cmha.sites`` lists them.
    running
        By site, the names of pairs whose hosts both run Corosync.

    Returns by site, in it by name of each pair that has nothing to do, ``comment`` and ``warnings`` for the
    step that verifies it. A pair that comes after one that has something to do isn't among them: it may have
    something to do by then.
    """
    of_all = {
        f"{site['site']} {pair['pair']}": (site["site"], pair)
        for site in sites
        for pair in site["pairs"]
        if pair["pair"] in running[site["site"]]
    }
    what = "pairs" if len(sites) > 1 else None
    seen = each(opts, what, of_all, lambda _, where: _look(Master(opts), *where))
    return {site["site"]: _until_one_has_something_to_do(site, seen) for site in sites}


def _until_one_has_something_to_do(site, seen):
    idle = {}
    for pair in site["pairs"]:
        said = seen.get(f"{site['site']} {pair['pair']}")
        if not said:
            break
        idle[pair["pair"]] = said
    return idle


def _look(master, site, pair):
    """What is said of a pair that has nothing to do; else ``None``."""
    try:
        with master.shown(f"{site} {pair['pair']}: is there anything to do", _hosts(pair)):
            return _said(master, site, pair) if _nothing_to_do(master, site, pair) else None
    except Trouble:  # the steps will say it
        return None


def _nothing_to_do(master, site, pair):
    hosts, device = _hosts(pair), pair["qnetd"]
    return (
        _is_clean(master, hosts, _sls(pair))
        and (not device or _is_clean(master, [device], ["cmha.qnetd"]))
        and (not _certifies(pair) or _is_done(cmha_qdevice.certify, master, site, pair))
        and _is_done(cmha_reconfigure.attempt, master, site, pair)
    )


def _sls(pair):
    """Those of all steps of ``cmha_steps`` that the pair's hosts have, in their order."""
    device = ["cmha.qdevice"] if pair["qnetd"] else []
    fencing = ["cmha.fencing", "cmha.fence_passwords"] if pair["has_fence_devices"] else []
    first, last = ["cmha.host", "cmha.corosync"], ["cmha.managed", "cmha.cluster", "cmha.verify"]
    return [*first, *device, "cmha.start", *fencing, *last]


def _is_clean(master, hosts, sls):
    answers = master.need(hosts, "state.apply", ",".join(sls), test=True)
    return all(_are_clean(states) for states in answers.values())


def _are_clean(states):
    return isinstance(states, dict) and all(
        isinstance(each_one, dict)
        and each_one.get("result") is True
        and not each_one.get("changes")
        for each_one in states.values()
    )


def _is_done(work, master, site, pair):
    ret = work(master.opts, site, pair, test=True)
    return ret["result"] is True and not ret["changes"]


def _said(master, site, pair):
    (report,) = cmha_pair.health(master.opts, [(site, pair)])
    if report["health"] != "good":
        return None
    return {
        "comment": ". ".join(["nothing to do", *cmha_status.outlook(report)]),
        "warnings": cmha_status.warnings(report),
    }


def _certifies(pair):
    return pair["qnetd"] and pair["wants_certificate"]


def _hosts(pair):
    return [node["id"] for node in pair["nodes"]]
