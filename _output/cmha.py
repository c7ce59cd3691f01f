"""
Prints what the runner cmha returns for people: the bad news first, short, aligned.

Every other format (``--out=json``) gets the data as they are.
"""

import salt.utils.color

_COLORS = {"bad": "LIGHT_RED", "unknown": "LIGHT_RED", "poor": "YELLOW", "good": "GREEN"}
_ORDER = ("bad", "unknown", "poor", "good")


def __virtual__():
    return True


def output(data, **_):
    """
    A report as text.

    data
        What a function of the runner ``cmha`` returned.

    CLI Example:

    .. code-block:: bash

        salt-run cmha.status --out=cmha
    """
    return "\n".join(_printed(line) for line in lines(data))


def lines(data):
    """A report as a list of pairs of a line and its health: ``bad``, ``poor``, ``good`` or ``None``."""
    if not isinstance(data, dict) or data.get("report") not in _REPORTS:
        return [(str(data), "bad")]
    first = [(line, "bad") for line in [*data.get("errors", []), data.get("error")] if line]
    first += [(f"warning: {line}", "poor") for line in data.get("warnings", [])]
    return first + _REPORTS[data["report"]](data)


def _printed(line):
    text, health = _visible(line[0]), line[1]
    colors = salt.utils.color.get_colors(__opts__.get("color"), __opts__.get("color_theme"))
    if health is None:
        return text
    return f"{colors[_COLORS[health]]}{text}{colors['ENDC']}"


def _visible(text):
    """A line in which nothing is left that a terminal could take for a command, or for another line."""
    return text if text.isprintable() else "".join(map(_visible_character, text))


def _visible_character(character):
    if character == "\t":
        return " "
    return character if character.isprintable() else ascii(character)[1:-1]


def _pairs(data):
    """The pairs of a report: site, pair and what is said of it."""
    return [
        (site, pair, each)
        for site, pairs in data.get("sites", {}).items()
        for pair, each in pairs.items()
    ]


def _columns(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows
    ]


# --- one function a report -----------------------------------------------------------------------


def _preflight(data):
    if data["errors"]:
        return []
    return [
        (f"{site}: {' and '.join(pairs)} {'is' if len(pairs) == 1 else 'are'} fit", "good")
        for site, pairs in data["sites"].items()
        if pairs
    ]


def _status(data):
    pairs = sorted(_pairs(data), key=lambda each: _ORDER.index(each[2]["health"]))
    rows = [_status_row(*each) for each in pairs]
    found = []
    for (_, _, report), row in zip(pairs, _columns(rows) if rows else []):
        found.append((row, report["health"]))
        found += [(f"      {line}", None) for line in report["outlook"]]
        found += [(f"      {problem}", None) for problem in report["problems"]]
    return found


def _status_row(site, pair, report):
    service = report["service"]
    where = " and ".join(service["nodes"]) or "no host"
    nodes = ", ".join(
        f"{name} {state}{' (DC)' if name == report['dc'] else ''}"
        for name, state in report["nodes"].items()
    )
    quorum = {True: "quorum", False: "no quorum", None: "no cluster"}[report["quorum"]]
    since = f"since {service['since']}" if service["since"] else ""
    return (
        report["health"],
        f"{site} {pair}",
        f"{service['resource']} on {where}",
        since,
        nodes,
        quorum,
    )


def _plan(data):
    found = []
    for site, pair, plan in _pairs(data):
        body = [*_plan_of_cluster(plan), *_plan_of_restart(plan), *_plan_of_hosts(plan)]
        found.append(
            (f"{site} {pair}{'' if body or plan['error'] else ': nothing differs'}", "good")
        )
        found += body
    return found


def _plan_of_cluster(plan):
    cluster = plan["cluster"]
    if not cluster or not cluster["changes"]:
        return []
    stops, *rest = cluster["summary"]
    disruptive = stops.startswith("would stop or move")
    return [
        (f"  {stops}", "bad" if disruptive else None),
        *((f"  {line}", None) for line in rest),
        *((f"  warning: {line}", "poor") for line in cluster["warnings"]),
    ]


def _plan_of_restart(plan):
    restart = plan["restart"]
    if not restart or not restart["changes"]:
        return []
    found = [(f"  {restart['comment']}; the service runs on", "poor")]
    for host, change in restart["changes"].items():
        for kind in ("corosync", "packages"):
            found += [
                (f"    {host}: {key} {each['old']} -> {each['new']}", None)
                for key, each in change.get(kind, {}).items()
            ]
    return found


def _plan_of_hosts(plan):
    found = []
    for host, changes in plan["hosts"].items():
        for change in changes:
            comment = next(iter(str(change["comment"]).splitlines()), "")
            found.append((f"  {host}: {change['state']}: {comment}", None))
            diff = change["changes"].get("diff") if isinstance(change["changes"], dict) else None
            found += [(f"      {line}", None) for line in str(diff or "").splitlines()]
    return found


def _failover(data):
    if "moves" not in data:
        return []
    found = [(f"cleared {each}, which an earlier move had left", None) for each in data["cleared"]]
    found += [
        (
            f"{data['resource']} moved from {move['from']} to {move['to']}; it was away for "
            f"{move['away']} s, by {move['seen_by']}",
            "good",
        )
        for move in data["moves"]
    ]
    found += [
        (f"on the way {line}; that is over, and cleaned up", "poor")
        for move in data["moves"]
        for line in move["overcome"]
    ]
    found += [(line, None) for line in data["outlook"]]
    if not data["moves"] and not data["error"]:
        found.append((f"{data['resource']} is there already; nothing was moved", "good"))
    return found


def _drills(data):
    """The sites where it went wrong first."""
    found, sites = [], data.get("sites", {})
    for site, done in sorted(sites.items(), key=lambda each: (not each[1]["error"], each[0])):
        lines_ = [(done["error"], "bad")] if done["error"] else []
        lines_ += _failover(done) if "moves" in done else _fence(done)
        found += [(f"{site} {data['pair']}: {line}", health) for line, health in lines_]
    left = data.get("not_begun", [])
    return found + ([(f"not begun: {', '.join(left)}", "poor")] if left else [])


def _rejoin(data):
    if "host" not in data:
        return []
    service = data["service"]
    where = " and ".join(service["nodes"]) or "no host"
    since = f" since {service['since']}" if service["since"] else ""
    found = [
        (f"{service['resource']} runs on {where}{since}", "good" if service["nodes"] else "bad")
    ]
    found += [
        (f"{each['resource']}: {each['task']} failed on {each['node']}: {each['reason']}", "poor")
        for each in data["failures"]
    ]
    found += [(data["fenced"], "poor")] if data["fenced"] else []
    logs = data["causes"]["logs"] if data["causes"] and not data["done"] else {}
    for name, log in logs.items():
        found.append((f"{data['host']}, {name}:", None))
        found += [(f"    {line}", None) for line in log or ["nothing"]]
    found += [(line, "good") for line in data["done"]]
    return found + ([(data["next"], None)] if data["next"] else [])


def _fence(data):
    if not data.get("host"):
        return []
    service = data["service"]
    where = " and ".join(service["nodes"]) or "no host"
    found = [(f"{service['resource']} runs on {where}", "good" if service["nodes"] else "bad")]
    found = [] if data["done"] else found
    found += [(line, "good") for line in data["done"]]
    return found + ([(data["next"], None)] if data["next"] else [])


def _clean(data):
    found = [(f"  {step}", None) for step in data.get("steps", [])]
    return found + ([(data["next"], None)] if data.get("next") else [])


def _keygen(data):
    # the key is printed already, by the runner
    return []


def _forget(data):
    return [(f"{data['site']} is forgotten", None)] if data.get("site") else []


_REPORTS = {
    "preflight": _preflight,
    "status": _status,
    "plan": _plan,
    "failover": _failover,
    "drills": _drills,
    "rejoin": _rejoin,
    "fence": _fence,
    "clean": _clean,
    "forget": _forget,
    "keygen": _keygen,
}
