"""
One at a time: who works on a site from this master.

A lock is a file that its holder has locked (``flock(2)``). The kernel takes it away with the process that
holds it, however that ends: one that died leaves none behind.
"""

import contextlib
import fcntl
import json
import os
import time
import urllib.parse

import salt.utils.user

_DIRECTORY = "cmha_locks"  # of the master's cachedir

# The locks that this process has until it ends
_taken = set()


def __virtual__():
    return True


def take(opts, site, action):
    """
    Have a site for oneself until this process ends.

    opts
        The master's configuration.
    site
        The site's name.
    action
        What is done there: ``orchestrate``.

    Returns ``None``, or a line: somebody else works there.
    """
    path = _path(opts, site)
    if path in _taken:
        return None
    file, busy = _lock(path, site, action)
    if file is not None:  # it stays open
        _taken.add(path)
    return busy


@contextlib.contextmanager
def held(opts, site, action):
    """
    Have a site for oneself while the body runs.

    opts, site, action
        See ``take``.

    Gives what ``take`` returns: with a line the body has nothing for itself.
    """
    path = _path(opts, site)
    file, busy = (None, None) if path in _taken else _lock(path, site, action)
    try:
        yield busy
    finally:
        if file is not None:
            os.close(file)


def _path(opts, site):
    directory = os.path.join(opts["cachedir"], _DIRECTORY)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    return os.path.join(directory, urllib.parse.quote(site, safe=""))


def _lock(path, site, action):
    """The open file by which a site is locked, or who has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = _holder(file)
        os.close(file)
        return None, f"site {site}: {holder}; nothing was done: wait until that has ended"
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps(_myself(action)).encode(), 0)
    return file, None


def _myself(action):
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    user = salt.utils.user.get_specific_user()
    return {"action": action, "user": user, "pid": os.getpid(), "since": since}


def _holder(file):
    try:
        who = json.loads(os.pread(file, 4096, 0))
        return (
            f"{who['action']} is at work there, started by {who['user']} at {who['since']} (process "
            f"{who['pid']} on this master)"
        )
    except (ValueError, TypeError, KeyError):  # it is about to write it
        return "somebody else is at work there, on this master"
