"""
One at a time: who works on a site from this master.

A lock is a file that its holder has locked (``flock(2)``). The kernel takes it away with the process that
holds it, however that ends: one that died leaves none behind.
"""

import contextlib
import fcntl
import json
import os
import threading
import time
import urllib.parse

import salt.utils.user

_DIRECTORY = "cmha_locks"  # of the master's cachedir

# The open files of the locks that this process keeps, by path. Salt's loader executes a module again for each
# of its loaders; what is open stays open.
_kept = globals().get("_kept", {})


def __virtual__():
    return True


def take(opts, site, action):
    """
    Have a site for oneself until it is given back, or this process ends.

    In a process that goes on for ever nobody can tell when an action has ended: the reactor of a master runs
    an orchestration in a thread. There it is only asked whether somebody else is at work.

    opts
        The master's configuration.
    site
        The site's name.
    action
        What is done there: ``orchestrate``.

    Returns ``None``, or a line: somebody else works there.
    """
    path = _path(opts, site)
    if path in _kept:
        return None
    file, busy = _lock(path, site, action)
    if file is not None:
        _kept[path] = file
        if threading.current_thread() is not threading.main_thread():
            give_back(opts, site)
    return busy


def give_back(opts, site):
    """
    No longer have a site for oneself.

    opts, site
        See ``take``.
    """
    file = _kept.pop(_path(opts, site), None)
    if file is not None:
        os.close(file)


@contextlib.contextmanager
def held(opts, site, action):
    """
    Have a site for oneself while the body runs.

    opts, site, action
        See ``take``.

    Gives what ``take`` returns: with a line the body has nothing for itself.
    """
    path = _path(opts, site)
    file, busy = (None, None) if path in _kept else _lock(path, site, action)
    try:
        yield busy
    finally:
        if file is not None:
            os.close(file)


def _path(opts, site):
    return os.path.join(opts["cachedir"], _DIRECTORY, urllib.parse.quote(site, safe=""))


def _lock(path, site, action):
    """The open file by which a site is locked, or who has it."""
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return None, _cant(site, path, error)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(file)
        os.close(file)
        return None, f"site {site}: {holder}; nothing was done: wait until that has ended"
    except OSError as error:
        os.close(file)
        return None, _cant(site, path, error)
    with contextlib.suppress(OSError):  # it is for people; the lock holds without
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(_myself(action)).encode(), 0)
    return file, None


def _cant(site, path, error):
    return (
        f"site {site}: nobody can tell whether somebody else is at work there: {path} can't be locked "
        f"({error.strerror}); nothing was done"
    )


def _myself(action):
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    # salt-run of a master that isn't root's has become the master's user by now
    sudo = os.environ.get("SUDO_USER")
    user = f"sudo_{sudo}" if sudo else salt.utils.user.get_specific_user()
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
