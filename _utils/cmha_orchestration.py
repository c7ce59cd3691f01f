"""
How the orchestration works at sites: at each the steps of ``cmha_steps``, one after the other; at all sites
side by side. What it applies on hosts are the formula's state files.
"""

import contextlib

import cmha_pair
import cmha_qdevice
import cmha_reconfigure
import cmha_status
import cmha_together
import salt.utils.state
import state_returns
from cmha_master import HostError, Master, busy, line_on
from cmha_progress import told

# In this one hosts wait for each other: it is begun on both, or on none.
_MEET = "cmha.start"

# Seconds for which that waits for other sites that do the same
_AT_ONCE = 0.5

# So many sites are named where something is said of them
_NAMED = 10


def __virtual__():
    return True


def at_sites(opts, sites, batch=None, fail_fast=None, canary=None):
    """
    Work at sites side by side. One that fails, or is slow, holds no other up.

    opts
        The master's configuration.
    sites, batch, fail_fast, canary
        See the state ``cmha.at_sites``.

    Returns a mapping: ``steps``, by name the return of a state, for each step that was tried; ``result`` and
    ``comment`` of the whole.
    """
    return _AtSites(opts, fail_fast).run(sites, batch, canary)


class _AtSites:
    def __init__(self, opts, fail_fast):
        self._opts, self._fail_fast = opts, fail_fast
        self._steps, self._failed, self._begun, self._interrupted = {}, [], [], False

    def run(self, sites, batch, canary):
        of_name = {site["site"]: site for site in sites}
        first = {canary: of_name.pop(canary)} if canary in of_name else {}
        self._work(first, None)
        if not self._failed and not self._interrupted:
            self._work(of_name, at_once(batch, len(of_name)))
        left = [site["site"] for site in sites if site["site"] not in self._begun]
        foreseen = any(each["result"] is None for each in self._steps.values())
        return {
            "steps": self._steps,
            "result": False if self._failed or left else None if foreseen else True,
            "comment": _summary(len(sites), sorted(self._failed), left),
        }

    def _work(self, of_name, at_most):
        # who interrupts it is told by the sites, each of which has ended
        try:
            cmha_together.each(self._opts, "sites", of_name, self._at, at_most, self._goes_on)
        except (KeyboardInterrupt, SystemExit):
            self._interrupted = True

    def _do(self, step):
        """What one site can't go on with is no other's concern, nor is a defect."""
        try:
            return do(self._opts, step)
        except (Exception, KeyboardInterrupt) as error:
            return {
                "name": step["name"],
                "result": False,
                "changes": {},
                "comment": line_on(error),
            }

    def _goes_on(self):
        return not self._fail_fast or len(self._failed) < self._fail_fast

    def _at(self, name, site):
        self._begun.append(name)
        for step in site["steps"]:
            done = self._steps[step["name"]] = self._do(step)
            if done["result"] is False:
                self._failed.append(name)
                return {"failed": f"{step['name'].removeprefix(f'{name} ')}: {done['comment']}"}
        return {}


def _summary(number, failed, left):
    parts = [
        f"{len(names)} {what}: {', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''}"
        for names, what in ((failed, "failed"), (left, "not begun"))
        if names
    ]
    well = number - len(failed) - len(left)
    return "; ".join([*parts, f"{well} of {number} sites went well"])


def at_once(batch, number):
    """
    How many sites are begun at once.

    batch
        A number, a percentage, as text, or ``None`` for all.
    number
        How many sites there are.
    """
    if batch is None:
        return None
    text = str(batch)
    return max(1, number * int(text[:-1]) // 100) if text.endswith("%") else int(text)


def do(opts, step):
    """
    One step.

    opts
        The master's configuration.
    step
        See ``cmha_steps.of_site``.

    Returns the return of a state.
    """
    return _FUNCTIONS[step["function"]](opts, step["name"], **step["arguments"])


def apply(opts, name, site, pair, hosts, sls):  # noqa: PLR0917
    """
    Apply state files on hosts, and say so while it goes on: events under ``cmha/``, lines on the terminal.

    opts
        The master's configuration.
    name, site, pair, hosts, sls
        See the state ``cmha.step``.

    Returns the return of a state; in its ``changes`` what the hosts returned that changed something, or
    failed, as Salt's ``salt.state`` has it.
    """
    what = name.removeprefix(f"{site} {pair['pair']}: ")
    with told(opts, site, pair["pair"], "orchestrate", what=what, hosts=hosts) as outcome:
        ret = _applied(opts, name, hosts, [sls] if isinstance(sls, str) else sls)
        if ret["result"] is False:
            with contextlib.suppress(HostError):
                way_back = cmha_reconfigure.way_back(opts, pair)
                ret["comment"] = ". ".join(filter(None, (ret["comment"], way_back)))
            outcome["failed"] = ret["comment"]
    return ret


def verify(opts, name, site, pair, hosts, sls):  # noqa: PLR0917
    """
    As ``apply``; and where that went well, warn when the pair would not survive its active host, or a host
    couldn't fence the other.

    opts, name, site, pair, hosts, sls
        See ``apply``.
    """
    ret = apply(opts, name, site, pair, hosts, sls)
    if ret["result"]:
        try:
            (report,) = cmha_pair.health(opts, [(site, pair)])
        except HostError as trouble:  # it was interrupted
            return {**ret, "result": False, "comment": f"{ret['comment']}. {trouble}"}
        warnings = cmha_status.warnings(report)
        if warnings:
            ret["warnings"] = [*ret.get("warnings", []), *warnings]
        ret["comment"] = ". ".join([ret["comment"], *cmha_status.outlook(report)])
    return ret


def certify(opts, name, site, pair):
    """
    See ``cmha_qdevice.certify``.

    opts, name, site, pair
        See ``apply``.
    """
    return {"name": name, **cmha_qdevice.certify(opts, site, pair, opts["test"])}


def reconfigure(opts, name, site, pair):
    """
    See ``cmha_reconfigure.reconfigure``.

    opts, name, site, pair
        See ``apply``.
    """
    return {"name": name, **cmha_reconfigure.attempt(opts, site, pair, opts["test"])}


def idle(opts, name, comment, warnings=(), verified=None):
    """
    Nothing; where it is seen that all is well, that is told as the step would have told it.

    opts
        The master's configuration.
    name, comment, warnings, verified
        See the state ``cmha.idle``.
    """
    if verified:
        site, pair, hosts = (verified[key] for key in ("site", "pair", "hosts"))
        what = name.removeprefix(f"{site} {pair}: ")
        with told(opts, site, pair, "orchestrate", what=what, hosts=hosts):
            pass
    ret = {"name": name, "result": True, "changes": {}, "comment": comment}
    return {**ret, "warnings": list(warnings)} if warnings else ret


_FUNCTIONS = {
    "idle": idle,
    "step": apply,
    "verified": verify,
    "certified": certify,
    "reconfigured": reconfigure,
}


def _applied(opts, name, hosts, sls):
    """A host that is busy with other states gets these when it has done those."""
    # what both hosts have to begin together isn't held back for other sites
    master = Master(opts, patience=_AT_ONCE if _MEET in sls else None)
    options = {"test": True} if opts["test"] else {}
    answers, left, comments = {}, hosts, []
    try:
        if _MEET in sls:
            master.need_rest(hosts)
        while left:
            answers.update(master.ask_once(left, "state.apply", ",".join(sls), **options))
            left = list(busy(answers))
            done = [each for host, each in answers.items() if host not in left]
            if not left or not all(map(_went_well, done)):
                break
            comments.append(f"{' and '.join(left)} had other states to do first")
            master.need_rest(left)
    except HostError as trouble:  # it was interrupted, or others don't end
        return _ret(opts, name, answers, str(trouble))
    return _ret(opts, name, answers, None, comments)


def _ret(opts, name, answers, wrong, comments=()):
    """The return of a state that had these answers, by host; ``wrong``: a line on what else ended it."""
    failed = {host: _why(each) for host, each in answers.items() if not _went_well(each)}
    changed = [host for host, each in answers.items() if host not in failed and _changes(each)]
    kept = {
        host: False if isinstance(each, HostError) else each
        for host, each in answers.items()
        if host in failed or host in changed
    }
    if wrong:
        said, result = [wrong], False
    elif failed:
        why = [
            f"{host}: {each}" if not each.startswith(host) else each
            for host, each in failed.items()
        ]
        said, result = [f"Run failed on minions: {', '.join(failed)}", *why], False
    else:
        said, result = [_went(answers, changed)], None if opts["test"] and changed else True
    return {
        "name": name,
        "result": result,
        "changes": {"out": "highstate", "ret": kept} if kept else {},
        "comment": ". ".join([*comments, *said]),
    }


def _went(answers, changed):
    rest = [host for host in answers if host not in changed]
    updated = f". Updating {', '.join(changed)}" if changed else ""
    same = f". No changes made to {', '.join(rest)}" if rest else ""
    return f"States ran successfully{updated}{same}"


def _went_well(answer):
    return isinstance(answer, dict) and salt.utils.state.check_result(answer, recurse=True)


def _changes(answer):
    return any(each.get("changes") for each in answer.values() if isinstance(each, dict))


def _why(answer):
    """In one line why states didn't go well on a host."""
    if isinstance(answer, HostError):
        return str(answer)
    return state_returns.why_failed(answer) or "it answered without a state"
