"""
What in pillar keeps a pair's service from running once, and on a host that is there: its resource, and what
Pacemaker is told of it.

Pure functions. Each raises a ``SiteError`` for the first thing that is wrong.
Sources: "Pacemaker Explained", "Resource Options" and "Resource Operations".
"""

import re

import cib_meta
import cib_values
from pillar_values import SiteError, mapping

_PAGE_AGENT = "ocf:cm:server"
_THRESHOLD = "migration-threshold"
_LONGEST_START_DELAY = 600_000  # milliseconds
_OF_SERVICES = r"(?:lsb|systemd|service|upstart):(.+?)(?:\.service)?"


def __virtual__():
    return True


def refuse(pair):
    """
    Refuse what doesn't fit the pair's service.

    pair
        The pair, with its settings.
    """

    def at(*keys):
        return ":".join(("cmha", "pairs", pair["pair"], "pacemaker", *map(str, keys)))

    for each in (_threshold, _requires, _watched, _page_agent, _second_server):
        each(pair, at)


def _page_agent(pair, _at):
    """
    Refuse the agent that asks Cloudera Manager for its page where there is none.

    pair
        The pair, with its settings.
    """
    if not _asks_for_page(pair):
        return
    if pair["role"] != "server":
        raise SiteError(
            f"cmha:pairs:{pair['pair']}:resource",
            f"{_PAGE_AGENT} is for a pair of role server; {pair['service']} gives no page",
        )
    if pair["port"] is None:
        raise SiteError(
            f"cmha:pairs:{pair['pair']}:port", f"{_PAGE_AGENT} needs the port of the page"
        )


def _asks_for_page(pair):
    primitive = pair["pacemaker"]["primitives"].get(pair["resource"])
    return (primitive.get("agent") if isinstance(primitive, dict) else primitive) == _PAGE_AGENT


def _threshold(pair, at):
    """
    Refuse to give the server up after one failure. A server that starts while the database is still claimed
    by the host that has crashed ends itself, and Pacemaker counts that: it would stay stopped for good. The
    start of an agent that asks for the page waits for the claim to run out.

    pair
        The pair, with its settings.
    """
    if pair["role"] != "server" or _asks_for_page(pair):
        return
    said, keys = cib_meta.nearest(pair["pacemaker"], pair["resource"], _THRESHOLD)
    if re.fullmatch(r"[+]?0*1", str(said).strip()):
        raise SiteError(
            at(*keys),
            "1 leaves Cloudera Manager stopped after a crash: its server ends itself while the database "
            "is claimed by the host that crashed, and that is a failure; leave it out, or say 3",
        )


def _requires(pair, at):
    """
    Refuse that the service is started before its other host is fenced, or without quorum.

    pair
        The pair, with its settings.
    """
    said, keys = cib_meta.nearest(pair["pacemaker"], pair["resource"], "requires")
    fences = cib_values.is_true(
        str(mapping(pair["pacemaker"]["properties"]).get("stonith-enabled"))
    )
    if said == "nothing" or (said == "quorum" and fences):
        raise SiteError(
            at(*keys),
            f"{said} starts {pair['service']} before its other host is fenced: it may run on both; leave it "
            "out",
        )


def _watched(pair, at):
    """
    Refuse operations by which nobody sees that the service has died, or that it didn't stop.

    pair
        The pair, with its settings.
    """
    monitors = _operations(pair, "monitor", at)
    unseen = [_why_unseen(each, pair["service"]) for each, _ in monitors]
    if monitors and all(unseen):
        (key, why), (_, place_of) = unseen[0], monitors[0]
        raise SiteError(place_of(key), why)
    for each, place_of in _operations(pair, "stop", at):
        if str(each.get("on-fail")).lower() == "ignore":
            raise SiteError(
                place_of("on-fail"),
                f"ignore starts {pair['service']} on the other host while it still runs on the first; leave "
                "it out",
            )


def _operations(pair, name, at):
    """The resource's operations of that name, its own and its template's, with what all operations have by
    default; and for each what is called with a key, and gives its pillar path."""
    declared = pair["pacemaker"]
    said = declared["primitives"].get(pair["resource"])
    primitive = mapping(said)
    template = str(primitive.get("agent", said)).removeprefix("@")
    by_default = {
        key: value
        for key, value in mapping(declared.get("op_defaults")).items()
        if key in ("on-fail", "enabled", "start-delay")
    }
    found = {}
    for owner, where in (
        (primitive, ("primitives", pair["resource"])),
        (mapping(mapping(declared.get("templates")).get(template)), ("templates", template)),
    ):
        for each in map(mapping, cib_meta.listed(mapping(owner.get("operations")).get(name, ()))):

            def place_of(key, own=each, where=where):
                if key in by_default and key not in own:
                    return at("op_defaults", key)
                return at(*where, "operations", name, *([key] if key else []))

            found.setdefault(str(each.get("interval")), ({**by_default, **each}, place_of))
    return list(found.values())


def _why_unseen(monitor, service):
    """Why a monitor does nothing about a dead service: the key that says so, and a line; or ``None``."""
    if not _recurs(monitor):
        return "", (
            f"never runs again after the start: nobody would see that {service} has died; say an "
            "interval, as 30s"
        )
    said = str(monitor.get("on-fail")).lower()
    if said in _NOTHING_DONE:
        return (
            "on-fail",
            f"{said} does nothing that brings {service} back when it has died; leave it out",
        )
    delay = cib_values.duration(str(monitor.get("start-delay", "0")))
    if isinstance(delay, int) and delay > _LONGEST_START_DELAY:
        return "start-delay", (
            f"for {delay // 1000} s nobody would see that {service} has died; the start itself waits until "
            "it runs, so leave it out"
        )
    return None


_NOTHING_DONE = ("ignore", "block", "stop")


def _recurs(monitor):
    """Whether it runs again and again where the service is started."""
    every = cib_values.duration(str(monitor.get("interval", "0")))
    return (
        every != 0  # what is no duration is refused where its section is checked
        and cib_values.is_true(str(monitor.get("enabled", "true")))
        and cib_values.role(str(monitor.get("role", "Started"))) == "Started"
    )


def _second_server(pair, at):
    """
    Refuse what would run the pair's service twice: a clone of its resource, and another resource for it.

    pair
        The pair, with its settings.
    """
    declared, resource, service = pair["pacemaker"], pair["resource"], pair["service"]
    holders = {resource} | {
        name
        for name, each in mapping(declared.get("groups")).items()
        if resource in cib_meta.listed(each.get("members") if isinstance(each, dict) else each)
    }
    for section, key in (("clones", "resource"), ("bundles", "primitive")):
        for name, each in mapping(declared.get(section)).items():
            held = each.get(key) if isinstance(each, dict) else each
            if isinstance(held, str) and held in holders:
                raise SiteError(
                    at(section, name),
                    f"would run {resource} on both hosts at once; a pair's service runs on one",
                )
    for name, each in mapping(declared.get("primitives")).items():
        agent = each.get("agent") if isinstance(each, dict) else each
        is_for_it = _run_by(each) == service or agent == f"ocf:cm:{pair['role']}"
        if is_for_it and name != resource and resource in declared["primitives"]:
            raise SiteError(
                at("primitives", name),
                f"is for {service} too, which {resource} runs; one resource is for one service",
            )


def _run_by(primitive):
    """The service that a primitive's agent runs by its name, if it does."""
    agent = primitive.get("agent") if isinstance(primitive, dict) else primitive
    found = re.fullmatch(_OF_SERVICES, str(agent))
    return found[1] if found else None
