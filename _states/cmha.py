"""
The orchestration's steps. These states run on the master; what they apply on the hosts are the formula's
state files.
"""

import salt.utils.state

# In this one hosts wait for each other: it is begun on both, or on none.
_MEET = "cmha.start"


def __virtual__():
    return True


def step(name, site, pair, hosts, sls):
    """
    Apply state files on hosts, and say so while it goes on: ``salt.state``, with events under ``cmha/`` and
    lines on the terminal.

    name
        What is done, with site, pair and hosts: by it a failed step is found.
    site
        The site's name.
    pair
        The pair, as the runner ``cmha.sites`` lists it.
    hosts
        List of minion ids.
    sls
        State file, or a list of them.

    .. code-block:: yaml

        'east cms: prepare cms1 and cms2':
          cmha.step:
            - site: east
            - pair: {pair: cms, resource: cloudera-scm-server, nodes: [...]}
            - hosts: [cms1, cms2]
            - sls: cmha.host
    """
    what = name.removeprefix(f"{site} {pair['pair']}: ")
    with __utils__["cmha_master.told"](
        __opts__, site, pair["pair"], "orchestrate", what=what, hosts=hosts
    ) as outcome:
        ret = _applied(name, hosts, sls)
        if ret["result"] is False:
            way_back = __utils__["cmha_reconfigure.way_back"](__opts__, pair)
            ret["comment"] = ". ".join(filter(None, (ret["comment"], way_back)))
            outcome["failed"] = ret["comment"]
    return ret


def _applied(name, hosts, sls):
    """What ``salt.state`` returns; a host that is busy with other states gets them when it has done those."""
    if _MEET in sls:
        still = __utils__["cmha_master.at_rest"](__opts__, hosts)
        if still:
            return {"name": name, "result": False, "changes": {}, "comment": still}
    done, comments = {}, []
    while True:
        # timeout (seconds) is when the master begins to ask whether a busy host still works at it; it ends
        # no step
        ret = __utils__["cmha_answers.shown"](
            __states__["salt.state"](
                name,
                tgt=hosts,
                tgt_type="list",
                sls=sls,
                timeout=30,
                **__utils__["cmha_master.environment"](__opts__),
            )
        )
        answers = ret["changes"].get("ret", {})
        occupied = __utils__["cmha_master.busy"](answers)
        done.update({host: each for host, each in answers.items() if host not in occupied})
        if not occupied or not all(map(_went_well, done.values())):
            break
        comments.append(f"{' and '.join(occupied)} had other states to do first")
        still = __utils__["cmha_master.at_rest"](__opts__, list(occupied))
        if still:
            return {**ret, "comment": still}
        hosts = list(occupied)
    if comments:
        ret["comment"] = ". ".join([*comments, ret["comment"]])
    if done:
        ret["changes"] = {**ret["changes"], "out": "highstate", "ret": {**done, **answers}}
        if __opts__["test"] and ret["result"]:  # the last host has nothing to change, another has
            ret["result"] = None
    return ret


def _went_well(answer):
    return salt.utils.state.check_result(answer, recurse=True)


def verified(name, site, pair, hosts, sls):
    """
    As ``step``; and where that went well, warn when the pair would not survive its active host, or a host
    couldn't fence the other.

    name, site, pair, hosts, sls
        See ``step``.

    .. code-block:: yaml

        'east cms: verify that cloudera-scm-server runs once':
          cmha.verified:
            - site: east
            - pair: {pair: cms, resource: cloudera-scm-server, nodes: [...]}
            - hosts: [cms1, cms2]
            - sls: cmha.verify
    """
    ret = step(name, site, pair, hosts, sls)
    if ret["result"]:
        (report,) = __utils__["cmha_pair.health"](__opts__, [(site, pair)])
        warnings = __utils__["cmha_status.warnings"](report)
        if warnings:
            ret["warnings"] = [*ret.get("warnings", []), *warnings]
        ret["comment"] = ". ".join([ret["comment"], *__utils__["cmha_status.outlook"](report)])
    return ret


def certified(name, site, pair):
    """
    Each node of a pair has a certificate for the pair's quorum device; see ``cmha_qdevice.certify``.

    name
        What is done, with site and pair.
    site
        The site's name.
    pair
        The pair, as the runner ``cmha.sites`` lists it.

    .. code-block:: yaml

        'east cms: certify cms1 and cms2 at qnetd':
          cmha.certified:
            - site: east
            - pair: {pair: cms, cluster_name: cmf, qnetd: qnetd, nodes: [...]}
    """
    return {
        "name": name,
        **__utils__["cmha_qdevice.certify"](__opts__, site, pair, __opts__["test"]),
    }


def reconfigured(name, site, pair):
    """
    A running pair takes in what Corosync reads only at a reload or a restart, and packages of another
    version, while its service runs on; see ``cmha_reconfigure.reconfigure``.

    name
        What is done, with site and pair.
    site
        The site's name.
    pair
        The pair, as the runner ``cmha.sites`` lists it.

    .. code-block:: yaml

        'east cms: reload or restart what changed':
          cmha.reconfigured:
            - site: east
            - pair: {pair: cms, resource: cloudera-scm-server, nodes: [...]}
    """
    done = __utils__["cmha_reconfigure.attempt"](__opts__, site, pair, __opts__["test"])
    return {"name": name, **done}
