"""
Puts Pacemaker's alerts on the master's event bus.

Pacemaker's alert agent (``cmha/files/alert.sh``) leaves each alert as a file in a spool directory. This
beacon sends them in their order, as events with the tag ``cmha/SITE/PAIR/alert/KIND``, where the kind is
``node``, ``fencing`` or ``resource``. A file goes once the master has taken its event: while there is no
master, alerts wait.

What a beacon returns gets tags that begin with ``salt/beacon/``, and is lost without a master. So this
one returns nothing and sends by itself, in a process of its own, as the minion runs its jobs: to wait for a
master that is away would otherwise hold up all else that the minion does. Not in a thread: the minion forks
for every job, and a lock that a thread holds at that moment is locked for good in the job.
"""

import datetime
import logging
import multiprocessing
import os
import signal

import salt.channel.client
import salt.utils.process

log = logging.getLogger(__name__)

__virtualname__ = "cmha_alerts"

_SETTINGS = ("site", "pair", "spool")

_KINDS = ("node", "fencing", "resource")

# Seconds until the master is called silent, for now.
_PATIENCE = 15


def __virtual__():
    return __virtualname__


def validate(config):
    """
    Check the beacon's configuration.

    config
        A list of mappings, each with one setting: ``site`` and ``pair``, which become part of the events'
        tags, and ``spool``, the directory that the alert agent writes to.

    .. code-block:: yaml

        beacons:
          cmha_alerts:
            - site: east
            - pair: cms
            - spool: /var/spool/cmha/alerts
            - interval: 2
    """
    if not isinstance(config, list) or not all(isinstance(each, dict) for each in config):
        return False, "cmha_alerts: the configuration should be a list of mappings"
    settings = _merged(config)
    for key in _SETTINGS:
        if not isinstance(settings.get(key), str) or not settings[key]:
            return False, f"cmha_alerts: {key} should be text, is {settings.get(key)!r}"
    if not os.path.isabs(settings["spool"]):
        return False, f"cmha_alerts: spool should be an absolute path, is {settings['spool']!r}"
    return True, "cmha_alerts: valid"


def beacon(config):
    """
    Send the alerts that wait. Returns no events for the minion to send.

    config
        See ``validate``.
    """
    settings = _merged(config)
    if _waiting(settings["spool"]) and not _sending():
        process = salt.utils.process.SignalHandlingProcess(
            target=_send_all, args=(settings, dict(__opts__)), name=__virtualname__, daemon=True
        )
        # as the minion does: what reaches the child before it has its own handlers ends it
        with salt.utils.process.default_signals(signal.SIGINT, signal.SIGTERM):
            process.start()
    return []


def _merged(config):
    return {key: value for each in config for key, value in each.items()}


def _sending():
    # By its name, for a refresh of the beacons loads this module anew while a process of the old one runs.
    return any(child.name == __virtualname__ for child in multiprocessing.active_children())


def _waiting(spool):
    """The files of the alerts, the oldest first."""
    try:
        with os.scandir(spool) as entries:
            whole = [entry for entry in entries if not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    return sorted(entry.path for entry in whole if entry.is_file(follow_symlinks=False))


def _send_all(settings, opts):
    for path in _waiting(settings["spool"]):
        event = _event(path, settings, opts["id"])
        if event is not None and not _sent(event, opts):
            return
        os.unlink(path)


def _event(path, settings, host):
    """The event's tag and data; None when nobody would care, or nobody could tell what it is."""
    try:
        alert = _read(path)
        kind = alert["kind"]
        if not _interesting(alert):
            return None
        data = _data(alert)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        log.error("the alert %s is dropped, for it can't be read: %r", path, error)
        return None
    place = {"host": host, "site": settings["site"], "pair": settings["pair"]}
    return f"cmha/{settings['site']}/{settings['pair']}/alert/{kind}", {**place, **data}


def _read(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    return {key: value for key, _, value in (line.partition(" ") for line in lines) if key}


def _interesting(alert):
    """A monitor that finds what was expected is no news; every other operation is."""
    if alert["kind"] == "resource" and alert.get("task") == "monitor":
        return alert["rc"] != alert["target_rc"]
    return alert["kind"] in _KINDS


def _data(alert):
    text = {"kind": "kind", "node": "node", "resource": "rsc", "task": "task", "text": "desc"}
    numbers = ("rc", "status")
    return {
        **{name: alert[key] for name, key in text.items() if key in alert},
        **{name: int(alert[name]) for name in numbers if name in alert},
        "time": _time(alert),
    }


def _time(alert):
    moment = datetime.datetime.fromtimestamp(int(alert["timestamp_epoch"]), datetime.timezone.utc)
    return moment.replace(microsecond=int(alert.get("timestamp_usec", 0))).isoformat()


def _sent(event, opts):
    """
    Whether the master has taken an event.

    ``event.fire_master`` wouldn't tell: it hands the event to the minion, which drops it when the master
    is away.
    """
    tag, data = event
    load = {"cmd": "_minion_event", "id": opts["id"], "tag": tag, "data": data}
    try:
        with salt.channel.client.ReqChannel.factory(opts) as channel:
            channel.send(load, tries=1, timeout=_PATIENCE)
    except Exception as error:  # whatever it is, the alert stays and is tried again
        log.info("alerts wait: the master doesn't take %s: %r", tag, error)
        return False
    return True
