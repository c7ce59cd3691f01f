"""
The pillars of minions: as this master compiles them, or has kept them the last time.

Salt takes a tenth of a second for each that it compiles. What it has kept is as good, as long as the minion
sees the same, which only that can say (``cmha_found``).
"""

import salt.pillar
import salt.utils.data
import salt.utils.minions
from cmha_master import ask
from cmha_sites import is_meant


def __virtual__():
    return True


def read(opts, also=(), only=None, doubted=None):
    """
    Read the pillars of cmha's minions, and of others.

    opts
        The master's configuration.
    also
        Ids of those others.
    only
        Names of sites: minions that this master knows at others are left out. What it knows may be old, so
        a reading that misses something has to be done again without. The default is all.
    doubted
        Ids of minions whose pillar may be another one than this master has kept. The default is all.

    Returns two mappings by minion id: the value of the pillar key ``cmha``; and, of those that have cmha's
    pillar or are in ``also``, why their pillar doesn't render. Then the ids of those whose pillar wasn't
    compiled now.
    """
    kept = _kept_pillars(opts)
    candidates = {
        minion
        for minion, pillar in kept.items()
        if _may_be_cmhas(pillar) and _may_be_meant(pillar, only)
    }
    wanted = {*candidates, *also}
    guessed = set() if doubted is None else _held(kept, wanted - set(doubted))
    compiled = _compiled(opts, wanted - guessed)
    strange = [] if only else _strange(opts, compiled, kept)
    if strange:
        # it may need their grains, which come with the question for their pillar
        ask(opts, strange, "saltutil.refresh_pillar", wait=True)
        compiled.update(_compiled(opts, strange))
    found = {**compiled, **{minion: kept[minion] for minion in guessed}}
    pillars = {
        minion: pillar["cmha"]
        for minion, pillar in sorted(found.items())
        if isinstance(pillar.get("cmha"), dict)
    }
    unread = {
        minion: " ".join(str(pillar["_errors"][0]).split())
        for minion, pillar in compiled.items()
        if minion not in pillars and pillar.get("_errors")
    }
    if pillars:
        # of a minion that is gone, and was never one of cmha's, nobody has to hear
        unread = {
            minion: why for minion, why in unread.items() if minion in also or minion not in strange
        }
    return pillars, unread, guessed


def _held(kept, minions):
    """Those of the minions of which this master has kept a pillar with a site of cmha's."""
    pillars = {minion: kept.get(minion) or {} for minion in minions}
    return {
        minion
        for minion, pillar in pillars.items()
        if not pillar.get("_errors")
        and isinstance(pillar.get("cmha"), dict)
        and pillar["cmha"].get("site") is not None
    }


def _strange(opts, compiled, kept):
    """The minions of which this master has kept nothing, though it keeps data, and whose pillar may be
    another one with their grains."""
    if not opts.get("minion_data_cache"):
        return []
    any_found = any("cmha" in pillar for pillar in compiled.values())
    return [
        minion
        for minion, pillar in compiled.items()
        if kept.get(minion) is None and (pillar.get("_errors") or not any_found)
    ]


def _compiled(opts, minions):
    """As Salt's ``pillar.show_pillar`` has them. In an orchestration that would merge the master's own pillar
    into each of them."""
    at_master = {**opts, "pillar": {}}
    return {minion: _compile(at_master, minion) for minion in sorted(minions)}


def _compile(opts, minion):
    found, grains, _ = salt.utils.minions.get_minion_data(minion, opts)
    grains = {"fqdn": minion} if grains is None else grains
    saltenv, pillarenv = opts.get("saltenv") or "base", opts.get("pillarenv")
    pillar = salt.pillar.Pillar(opts, grains, found, saltenv, pillarenv=pillarenv)
    return pillar.compile_pillar()


def _kept_pillars(opts):
    """What the master has kept of each minion's pillar, or ``None``. Salt's own search by pillar passes over
    minions of which it has kept nothing, and its release 3008 begins with nothing."""
    kept = {}
    for minion in salt.utils.minions.CkMinions(opts).check_minions("*", "glob")["minions"]:
        _, grains, pillar = salt.utils.minions.get_minion_data(minion, opts)
        kept[minion] = (pillar or {}) if grains else None  # Salt keeps both together
    return kept


def _may_be_meant(pillar, only):
    cmha = (pillar or {}).get("cmha")
    site = cmha.get("site") if isinstance(cmha, dict) else None
    return site is None or is_meant(str(site), only)


def _may_be_cmhas(pillar):
    return pillar is None or salt.utils.data.subdict_match(pillar, "cmha:pairs")
