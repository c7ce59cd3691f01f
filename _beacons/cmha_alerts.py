"""
Puts Pacemaker's alerts on the master's event bus.

Pacemaker's alert agent (``cmha/files/alert.sh``) leaves each alert as a file in a spool directory. This
beacon sends them in their order, as events with the tag ``cmha/SITE/PAIR/alert/KIND``, where the kind is
``node``, ``fencing`` or ``resource``, or one of those that the beacon ``cmha_watch`` leaves there. A file
goes once the master has taken its event: while there is no master, alerts wait.

What a beacon returns gets tags that begin with ``salt/beacon/``, and is lost without a master. So this
one returns nothing and sends by itself, in a process of its own, as the minion runs its jobs: to wait for a
master that is away would otherwise hold up all else that the minion does. Not in a thread: the minion forks
for every job, and a lock that a thread holds at that moment is locked for good in the job.

The spool is hacluster's, and root reads it: no link is followed, and each field has to have its form before
it becomes part of an event. An alert in which one hasn't is dropped, with a line in the minion's log.
"""

import datetime
import logging
import multiprocessing
import os
import re
import signal
import stat

import salt.channel.client
import salt.utils.process

log = logging.getLogger(__name__)

__virtualname__ = "cmha_alerts"

_SETTINGS = ("site", "pair", "spool")

# Pacemaker's, and those of the beacon cmha_watch
_KINDS = ("node", "fencing", "resource", "second", "silent")

# What a field of an alert may be. None of it means anything to YAML, to a shell or to a terminal.
_PLACE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9])?")
_FORMS = {
    "kind": re.compile(r"[a-z]{1,32}"),
    "node": re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}"),
    "rsc": re.compile(r"[A-Za-z_][A-Za-z0-9._:-]{0,254}"),
    "task": re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}"),
    **dict.fromkeys(("rc", "target_rc", "status"), re.compile(r"-?[0-9]{1,9}")),
    **dict.fromkeys(("timestamp_epoch", "timestamp_usec"), re.compile(r"[0-9]{1,15}")),
}
_LONGEST_TEXT = 1000  # of Pacemaker's own description, in characters
_LARGEST = 65536  # bytes of an alert

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
    for key in ("site", "pair"):
        if not _PLACE.fullmatch(settings[key]):
            return False, f"cmha_alerts: {key} should be a name, is {settings[key]!r}"
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
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1 or about.st_size > _LARGEST:
            raise ValueError("no file of the alert agent's")
        lines = os.read(file, _LARGEST).decode("utf-8").split("\n")
    finally:
        os.close(file)
    alert = {key: value for key, _, value in (line.partition(" ") for line in lines) if key}
    for key, form in _FORMS.items():
        if key in alert and not form.fullmatch(alert[key]):
            raise ValueError(f"{key} {alert[key][:100]!r}")
    return alert


def _interesting(alert):
    """A monitor that finds what was expected is no news; every other operation is."""
    if alert["kind"] == "resource" and alert.get("task") == "monitor":
        return alert["rc"] != alert["target_rc"]
    return alert["kind"] in _KINDS


def _data(alert):
    text = {"kind": "kind", "node": "node", "resource": "rsc", "task": "task", "text": "desc"}
    numbers = ("rc", "status")
    if "desc" in alert:
        alert = {**alert, "desc": _printable(alert["desc"])}
    return {
        **{name: alert[key] for name, key in text.items() if key in alert},
        **{name: int(alert[name]) for name in numbers if name in alert},
        "time": _time(alert),
    }


def _printable(text):
    """A text of somebody's, which no terminal takes for a command."""
    shown = (
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text[:_LONGEST_TEXT]
    )
    return "".join(shown)


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
