"""
The states in which the master finds a host, each with the one line that says what it means and what to do.

Pure functions. What is seen of a host by its peer makes of silence something that one can act on.
"""

SILENT, SEEN, OFF, ALONE = "silent", "seen by its peer", "off", "silent as its peer"
NO_KEY, NO_MASTER = "no key", "no master"
ERROR, WITHOUT_MODULES, ANOTHER_VERSION = "error", "without modules", "another version"

_LINES = {
    SILENT: "{host} doesn't answer this master; see that it and its salt-minion run",
    SEEN: "{host} doesn't answer this master, but {peer} sees it online: its cluster runs and its "
    "salt-minion doesn't; start it there",
    OFF: "{host} doesn't answer this master, and {peer} sees it offline: it is down, or cut off; see to it, "
    "then salt-run cmha.rejoin node={host}",
    ALONE: "{host} doesn't answer this master, nor does a cluster on {peer} say how it is; see that it and "
    "its salt-minion run",
    NO_KEY: "{host} isn't known to this master, which has no accepted key of it; salt-key -a {host}, if it "
    "is that host; a rejected one needs --include-rejected, and salt-minion started again there",
    NO_MASTER: "{host} can't be asked, since this master takes no job ({said}); see that salt-master runs, "
    "then salt-run cmha.status: what was begun on {host} goes on",
    ERROR: "{said}",
    WITHOUT_MODULES: "{host} doesn't know {function} yet; run salt-run cmha.preflight, which gives it cmha's "
    "modules",
    ANOTHER_VERSION: "{host} answers {function} as another version of cmha does: {said}; run salt "
    "{host} saltutil.sync_all, then try again",
}


def __virtual__():
    return True


def line(state, host, **words):
    """
    What a state of a host means, and what to do.

    state
        One of this module's names.
    host
        Minion id.
    words
        ``function``, ``said``, ``peer``, where the state has them.
    """
    return _LINES[state].format(host=host, **words)


def seen_by_peer(host, peer, online):
    """
    The line on a silent host, with what its peer says.

    host, peer
        Minion ids.
    online
        Whether the peer's cluster has the host online; ``None`` when the peer doesn't say either.
    """
    state = ALONE if online is None else SEEN if online else OFF
    return line(state, host, peer=peer)
