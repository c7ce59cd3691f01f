"""
Whether a pair's service runs where Pacemaker says, and nowhere else: what its hosts themselves see of it.

Pure functions. The facts are ``cmha_host.health``'s.
"""

import re

# OCF_ERR_GENERIC, by which an agent says that it is half there
_LEFT = re.compile(r"neither running nor stopped: exit code 1\b")


def __virtual__():
    return True


def bad(pair, service, found, facts):
    """
    What keeps the service from being served by exactly one host.

    pair
        The pair, as ``cmha.sites`` lists it.
    service
        Where it is, see ``cmha_status.judge``.
    found
        What Pacemaker says of the resource, see ``crm.status``; ``None`` when nothing.
    facts
        By node, what its host said.

    Returns a list of lines, each with what to do.
    """
    where = service["nodes"]
    lines = _elsewhere(pair, where, {node: facts[node] for node in service["seen"]}, found)
    lines += [
        line
        for node, fact in facts.items()
        if found and node not in where and node not in service["seen"]
        for line in _unseen(pair, node, fact)
    ]
    lines += [
        f"something of {pair['resource']} is left on {node}: {fact['service']['text']}; end it there"
        for node, fact in facts.items()
        if node not in where and _is_half_there(fact)
    ]
    for node in where:
        if node in facts:
            lines += _not_served(pair, node, facts[node], service["since"])
    return lines + (_failed(pair, found) if found and found["failed"] else [])


def untold(pair, facts):
    """
    Where nobody can tell whether the service runs, though it could run there.

    pair, facts
        See ``bad``.

    Returns a list of lines, each with what the host said.
    """
    return [
        f"nobody can tell whether {pair['resource']} runs on {node}: {fact['service']['text']}"
        for node, fact in facts.items()
        if _is_untold(fact) and fact["service"]["text"] and not _is_half_there(fact)
    ]


def _is_untold(fact):
    """Whether the agent gave no answer; of one that can't be asked, others tell."""
    others = fact["unable"] or fact["hangs"] or fact["frozen"]
    return fact["service"]["running"] is None and not others


def _is_half_there(fact):
    return _is_untold(fact) and _LEFT.search(fact["service"]["text"]) is not None


def _elsewhere(pair, where, running, found):
    """Who runs it though Pacemaker doesn't know."""
    resource = pair["resource"]
    lines = []
    for node, fact in running.items():
        if node in where:
            continue
        if fact["hangs"] or fact["recovers"]:
            # it may be the one that runs it, as long as nobody else's Pacemaker has it elsewhere
            if found:
                too, then = (" too", f"; stop it on {node}") if where else ("", "")
                lines.append(f"{resource} runs on {node}{too}, whose cluster doesn't answer{then}")
        elif fact["cluster"] is None:
            also = f", and on {' and '.join(where)}; stop it on {node}" if where else ""
            lines.append(f"{resource} runs on {node}, outside the cluster{also}")
        else:
            too = " too" if where else ""
            then = "stop both and start one" if where else "count it"
            lines.append(
                f"{resource} runs on {node}{too}, which Pacemaker doesn't know; crm resource refresh "
                f"{resource} makes it look, and {then}"
            )
    return lines


def _unseen(pair, node, fact):
    """Of a service that its own agent doesn't see, though it is there: it hangs, or gives a page."""
    resource = pair["resource"]
    if fact["frozen"]:
        yield f"{resource} hangs on {node}, where it shouldn't be: {fact['frozen']}; end it there"
    if fact["answers"]:
        yield (
            f"port {pair['port']} of {node} gives a page, where {resource} shouldn't run and its own script "
            f"says that it doesn't; see what listens there (ss -ltnp), and end a second server"
        )


def _not_served(pair, node, fact, since):
    """Why nobody is served by the host where Pacemaker has it started."""
    resource, here = pair["resource"], fact["service"]
    mend = f"salt-run cmha.failover {pair['pair']}"
    every = here["every"]
    looks = f"in at most {every:g} s" if every else "never: it has no monitor"
    if here["running"] is False:
        why = f"; its log says: the database is owned by {here['owner']}" if here["owner"] else ""
        return [
            f"{resource} doesn't run on {node}, where Pacemaker has it started; Pacemaker looks {looks}{why}"
        ]
    if fact["frozen"]:
        return [f"{resource} hangs on {node}: {fact['frozen']}; {mend}"]
    if _is_half_there(fact):
        return [
            f"{resource} has failed on {node}, where Pacemaker has it started: {here['text']}; Pacemaker "
            f"looks {looks}"
        ]
    if fact["answers"] is False:
        began = f", since {since}," if since else ""
        return [
            f"{resource} doesn't answer on port {pair['port']} of {node}, where it is started{began} and may "
            f"still be starting; else: {mend}"
        ]
    return []


def _failed(pair, found):
    resource, on = pair["resource"], " and ".join(found["nodes"]) or "no host"
    if not found["managed"]:  # a node or a cluster in maintenance, too
        return [
            f"{resource} has failed on {on}, and Pacemaker doesn't manage it: it leaves it as it is"
        ]
    if not found["blocked"]:
        return [f"{resource} has failed on {on}; Pacemaker is at it"]
    return [
        f"{resource} has failed on {on} and is blocked, so Pacemaker leaves it as it is; see that it is "
        f"stopped there, then crm resource cleanup {resource}"
    ]
