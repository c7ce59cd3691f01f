"""
The sites that this master finds: by the pillars that it has kept, as long as hosts see the same.

What it has kept may be old. So nothing wrong is said of it; and before anything is done with a site, one of
its hosts has told what it sees, or its pillars were compiled.
"""

from collections import namedtuple

import cmha_pillars
import cmha_site
import cmha_sites

Found = namedtuple("Found", "models pillars errors unread minions guessed")
Found.__doc__ = """
What a search has found: ``models``, ``pillars`` (by site) and ``errors``, see ``cmha_sites.read``;
``unread``, and by minion what its pillar says, ``minions``, see ``cmha_pillars.read``; and by site the ids of
those of its minions whose pillar wasn't compiled, ``guessed``.
"""


def __virtual__():
    return True


def search(opts, defaults, wrong=None, only=None, also=(), doubted=None):  # noqa: PLR0917
    """
    Find the sites.

    opts
        The master's configuration.
    defaults
        The content of ``cmha/defaults.yaml``.
    wrong
        Why there are no defaults: a line.
    only
        Names of sites, or globs; the default is all.
    also, doubted
        See ``cmha_pillars.read``.

    Returns a ``Found``.
    """
    if wrong:
        return Found([], {}, [wrong], {}, {}, {})
    found = _in_kept(opts, defaults, only, also, set(doubted)) if doubted is not None else None
    if not found or _is_missing(found, only):
        found = _search(opts, defaults, only, also)
    if not found.minions and not found.unread:
        found.errors.append(
            "no minion's pillar has cmha:pairs; assign it in the pillar's top.sls, then "
            "salt '*' saltutil.refresh_pillar"
        )
    return found


def _in_kept(opts, defaults, only, also, doubted):
    """What there is as far as kept pillars say; what is wrong is said only of those that were compiled."""
    while True:
        found = _search(opts, defaults, only, also, doubted)
        nodes = {node["id"] for model in found.models for node in cmha_sites.nodes(model)}
        # a quorum device's minion is no node, and isn't asked what it sees
        unsettled = set().union(*found.guessed.values()) - nodes
        if not unsettled:
            return found
        doubted |= unsettled


def _is_missing(found, only):
    """Whether somebody means a site that no kept pillar names."""
    return any(
        not any(cmha_sites.is_meant(name, [each]) for name in found.pillars) for each in only or ()
    )


def _search(opts, defaults, only, also, doubted=None):
    # with a glob nobody could tell that a site is missing
    names = None if any(map(cmha_sites.is_glob, only or ())) else only
    found = _read(opts, defaults, only, also, names, doubted)
    if names and doubted is None and (found.errors or found.unread):
        # what is missing there may have been elsewhere, as far as this master knew
        found = _read(opts, defaults, only, also, None, doubted)
    return found


def _read(opts, defaults, only, also, names, doubted):  # noqa: PLR0917
    pillars, unread, guessed = cmha_pillars.read(opts, also, names, doubted)
    models, by_site, errors = cmha_sites.read(pillars, defaults, only)
    of_site = {}
    for minion in guessed:
        of_site.setdefault(str(pillars[minion].get("site")), set()).add(minion)
    meant = {site: minions for site, minions in of_site.items() if cmha_sites.is_meant(site, only)}
    return Found(models, by_site, errors, unread, pillars, meant)


def begin(opts, defaults, wrong=None, only=None, also=()):
    """
    Begin to find the sites in kept pillars.

    opts, defaults, wrong, only, also
        See ``search``.

    Returns a ``Search``.
    """
    return Search(lambda doubted: search(opts, defaults, wrong, only, also, doubted))


class Search:
    """
    A search in kept pillars.

    find
        What is called with ids of minions whose kept pillar isn't to be believed, and gives a ``Found``.
    """

    def __init__(self, find):
        self._find = find

    def settle(self, look):
        """
        Look at sites, until hosts see what this master takes for their pillar, or it was compiled. It is a
        method, and no function, since Salt's loader would run ``look`` with the wrong ``__salt__``.

        look
            What is called with a ``Found`` and the names of those of its sites that are to be looked at, for
            the first time or again. Returns by site a set: the digests of the pillar that its hosts see, of
            those that say it.

        Returns the ``Found`` at the end.
        """
        doubted, seen, found = set(), {}, self._find(())
        while True:
            digests = {site: cmha_site.digest(it) for site, it in found.pillars.items()}
            due = [site for site, digest in digests.items() if seen.get(site) != digest]
            if seen and not due:  # what was compiled is what it was taken for
                return found
            told = look(found, due)
            seen.update({site: digests[site] for site in due})
            stale = {
                minion
                for site in due
                if told.get(site) != {digests[site]}
                for minion in found.guessed.get(site, ())
            }
            if not stale:
                return found
            doubted |= stale
            found = self._find(doubted)
