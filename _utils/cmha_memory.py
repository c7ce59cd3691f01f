"""
What the master knew of sites when their pillar was right the last time, for whoever has to see a pair though
its pillar is wrong now. Names, addresses and ports; no settings and no secrets.

It lies in Salt's own cache, of which ``salt-run cache.list cmha/sites`` tells.
"""

import contextlib
import logging
import time
import urllib.parse

import salt.cache
from salt.exceptions import SaltException

_BANK = "cmha/sites"

log = logging.getLogger(__name__)


def __virtual__():
    return True


def remember(opts, sites):
    """
    Keep what is known of sites.

    opts
        The master's configuration.
    sites
        A list of sites, as ``cmha.sites`` lists them.
    """
    cache = salt.cache.factory(opts)
    for site in sites:
        # who may not write there, or has no room, can look all the same
        with _logged():
            cache.store(_BANK, _key(site["site"]), {"at": int(time.time()), "site": site})


def recall(opts):
    """
    What was known of sites.

    opts
        The master's configuration.

    Returns a mapping by name: ``at``, seconds of the epoch, and ``site``, as ``cmha.sites`` lists it.
    """
    cache, found = salt.cache.factory(opts), {}
    with _logged():
        for key in cache.list(_BANK):
            kept = cache.fetch(_BANK, key)
            if _is_whole(kept):
                found[kept["site"]["site"]] = kept
    return found


def forget(opts, name):
    """
    Know nothing of a site any more.

    opts
        The master's configuration.
    name
        The site's name.
    """
    with _logged():
        salt.cache.factory(opts).flush(_BANK, _key(name))


def _key(name):
    """A name that every kind of cache can have for a file."""
    return urllib.parse.quote(name, safe="")


@contextlib.contextmanager
def _logged():
    try:
        yield
    except (OSError, SaltException, ValueError) as error:
        log.info("the cache %s can't be used: %s", _BANK, error)


def _is_whole(kept):
    """Another version of cmha may have written it, or half of it be there."""
    try:
        site = kept["site"]
        return (
            isinstance(kept["at"], int)
            and isinstance(site["site"], str)
            and all(len(pair["nodes"]) == 2 and set(pair) >= _NEEDED for pair in site["pairs"])
        )
    except (KeyError, TypeError):
        return False


_NEEDED = {
    *("pair", "role", "cluster_name", "nodes", "resource", "service", "port", "timeouts"),
    *("qnetd", "start_on_boot", "device", "wants_certificate"),
}
