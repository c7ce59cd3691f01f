"""
Looks whether the pair's service runs where Pacemaker says, and answers there. What isn't so goes into the
spool of the alerts, from which the beacon ``cmha_alerts`` sends it: kind ``second``, when this host runs the
service though Pacemaker has it elsewhere; kind ``silent``, when it should answer here and hasn't for
a minute.

As ``cmha_alerts`` does, it looks in a process of its own: what hangs there doesn't hold the minion up. What
was seen is kept in a file, since that process ends.
"""

import contextlib
import json
import logging
import multiprocessing
import os
import signal
import time

import salt.utils.process
from salt.exceptions import CommandExecutionError

log = logging.getLogger(__name__)

__virtualname__ = "cmha_watch"

_SETTINGS = ("resource", "service", "spool")

# Seconds for which something has to be so before it is told. Between two looks everything may be on its way.
_TOLD_AFTER = {"second": 15, "silent": 60}
_TEXTS = {
    "second": "{resource} runs on {node} too, which Pacemaker doesn't know",
    "silent": "{resource} doesn't answer on port {port} of {node}",
}

# What was seen the last time; in a directory of root's, and gone with a boot
_NOTES = "/run/cmha-watch"
_MOST = 1000  # files that may wait in the spool

# Seconds for each tool, and for all of a look
_FOR_EACH, _FOR_ALL = 5, 20


def __virtual__():
    return __virtualname__


def validate(config):
    """
    Check the beacon's configuration.

    config
        A list of mappings, each with one setting: ``resource``, ``service``, ``port`` (or none), ``spool``.

    .. code-block:: yaml

        beacons:
          cmha_watch:
            - resource: cloudera-scm-server
            - service: cloudera-scm-server
            - port: 7180
            - spool: /var/spool/cmha/alerts
            - interval: 20
    """
    if not isinstance(config, list) or not all(isinstance(each, dict) for each in config):
        return False, "cmha_watch: the configuration should be a list of mappings"
    settings = _merged(config)
    for key in _SETTINGS:
        if not isinstance(settings.get(key), str) or not settings[key]:
            return False, f"cmha_watch: {key} should be text, is {settings.get(key)!r}"
    if not os.path.isabs(settings["spool"]):
        return False, f"cmha_watch: spool should be an absolute path, is {settings['spool']!r}"
    return True, "cmha_watch: valid"


def beacon(config):
    """
    Look. Returns no events for the minion to send.

    config
        See ``validate``.
    """
    # by its name, as cmha_alerts does
    if not any(child.name == __virtualname__ for child in multiprocessing.active_children()):
        process = salt.utils.process.SignalHandlingProcess(
            target=_look, args=(_merged(config),), name=__virtualname__, daemon=True
        )
        with salt.utils.process.default_signals(signal.SIGINT, signal.SIGTERM):
            process.start()
    return []


def _merged(config):
    return {key: value for each in config for key, value in each.items()}


def _look(settings):
    try:
        with __salt__["bounded.hurry"](_FOR_EACH, _FOR_ALL):
            if not __salt__["crm.running"]():
                return  # nobody says where it should run: what was so stays as it was
            seen = _seen(settings)
    except CommandExecutionError as error:
        log.info("nobody can tell where %s runs: %s", settings["resource"], error)
        return
    told, notes = news(seen, _notes(), time.time())
    _note(notes)
    for kind, is_over in told:
        text = _TEXTS[kind].format(node=seen["node"], **settings)
        _leave(kind, seen["node"], f"over: {text}" if is_over else text, settings)


def _seen(settings):
    """What is so on this host."""
    resource, port = settings["resource"], settings.get("port")
    where = __salt__["crm.status"]()["resources"].get(resource, {}).get("started", [])
    node = __salt__["crm.node"]()
    agent = __salt__["crm.agent"](resource) or f"service:{settings['service']}"
    # while the cluster moves it, it may end here and begin there
    idle = node in where or __salt__["crm.settled"]()
    return {
        "node": node,
        "where": where,
        "running": __salt__["resource_agent.runs"](agent)["running"] if idle else None,
        "answers": __salt__["page.answers"](port) if port and node in where else None,
    }


def news(seen, notes, now):
    """
    What is to be told of what was seen.

    seen
        A mapping: ``node`` (this host's), ``where`` the resource is started, whether it is ``running`` here
        and ``answers`` here (or ``None``).
    notes
        What this returned the last time.
    now
        Seconds of the epoch.

    Returns a list of pairs, a kind and whether it is over; and the notes for the next time.
    """
    elsewhere = bool(seen["where"]) and seen["node"] not in seen["where"]
    is_so = {
        "second": elsewhere and seen["running"] is True,
        "silent": seen["node"] in seen["where"] and seen["answers"] is False,
    }
    told, kept = [], {}
    for kind, so in is_so.items():
        before = notes.get(kind)
        if not so:
            if before and before["told"]:
                told.append((kind, True))
            continue
        since = before["since"] if before else now
        is_due = now - since >= _TOLD_AFTER[kind]
        if is_due and not (before and before["told"]):
            told.append((kind, False))
        kept[kind] = {"since": since, "told": is_due}
    return told, kept


def _notes():
    try:
        with open(_NOTES) as file:
            notes = json.load(file)
        return {
            kind: {"since": float(each["since"]), "told": bool(each["told"])}
            for kind, each in notes.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _note(notes):
    with contextlib.suppress(OSError):
        with open(f"{_NOTES}.new", "w") as file:
            json.dump(notes, file)
        os.replace(f"{_NOTES}.new", _NOTES)


def _leave(kind, node, text, settings):
    """An alert in the spool, as Pacemaker's agent leaves them."""
    now = time.time()
    fields = {
        "kind": kind,
        "node": node,
        "rsc": settings["resource"],
        "desc": text,
        "timestamp_epoch": int(now),
        "timestamp_usec": int(now % 1 * 1e6),
    }
    name = f"{int(now):010}.{int(now % 1 * 1e6):010}-0000000000-{os.getpid()}"
    hidden = os.path.join(settings["spool"], f".{name}")
    try:
        if len(os.listdir(settings["spool"])) > _MOST:
            raise OSError("too many alerts wait there")
        # the directory is another user's: nothing that is there is written to
        file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
        with os.fdopen(file, "w") as alert:
            alert.writelines(f"{key} {value}\n" for key, value in fields.items())
        os.rename(hidden, os.path.join(settings["spool"], name))
    except OSError as error:
        log.error("the alert that %s is dropped: %s", text, error)
