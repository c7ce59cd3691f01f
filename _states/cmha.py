"""
The orchestration's steps. These states run on the master; what they apply on the hosts are the formula's
state files.
"""

import json

# Where this run keeps what was done at sites side by side
_DONE = "cmha_at_sites"


def __virtual__():
    return True


def at_sites(name, sites, batch=None, fail_fast=None, canary=None):
    """
    Work at several sites side by side. The states of their steps come after it, and say what was done.

    name
        Any.
    sites
        A list of sites, each with its ``steps``, as the runner ``cmha.fit_sites`` returns it; as JSON, too.
    batch
        How many are begun at once, a number, or a percentage of them; the default is all.
    fail_fast
        After so many failures no other site is begun; the default is never.
    canary
        The name of a site that goes first: the others are begun when all went well there.

    .. code-block:: yaml

        2 sites:
          cmha.at_sites:
            - sites: [{site: east, steps: [...]}, {site: west, steps: [...]}]
            - batch: 10%
            - canary: east
    """
    sites = json.loads(sites) if isinstance(sites, str) else sites
    done = __utils__["cmha_orchestration.at_sites"](__opts__, sites, batch, fail_fast, canary)
    __context__[_DONE] = done["steps"]
    return {"name": name, "changes": {}, "result": done["result"], "comment": done["comment"]}


def reported(name):
    """
    What ``at_sites`` has done at a step.

    name
        The step's.

    .. code-block:: yaml

        'east cms: prepare cms1 and cms2':
          cmha.reported: []
    """
    wasnt = {"name": name, "result": False, "changes": {}, "comment": "wasn't begun"}
    return __context__.get(_DONE, {}).get(name, wasnt)


def step(name, site, pair, hosts, sls):
    """
    Apply state files on hosts, and say so while it goes on: events under ``cmha/``, lines on the terminal.

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
    return _do("step", name, {"site": site, "pair": pair, "hosts": hosts, "sls": sls})


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
    return _do("verified", name, {"site": site, "pair": pair, "hosts": hosts, "sls": sls})


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
    return _do("certified", name, {"site": site, "pair": pair})


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
    return _do("reconfigured", name, {"site": site, "pair": pair})


def idle(name, comment, warnings=(), verified=None):
    """
    A step that has nothing to do, as the orchestration has seen at its begin.

    name
        What would be done, with site, pair and hosts.
    comment
        What was seen.
    warnings
        A list of lines.
    verified
        Of the step that would verify a pair, which is seen to be good: a mapping with ``site``, ``pair``
        (its name) and ``hosts``. It is told on the event bus, as ever.

    .. code-block:: yaml

        'east cms: prepare cms1 and cms2':
          cmha.idle:
            - comment: nothing to do
    """
    said = {"comment": comment, "warnings": warnings, "verified": verified}
    return _do("idle", name, said)


def _do(function, name, arguments):
    step_ = {"name": name, "function": function, "arguments": arguments}
    return __utils__["cmha_orchestration.do"](__opts__, step_)
