"""Rounds of faults, chosen by a seeded generator, on a booted pair; after each, whether all is as it should.

    make campaign ROUNDS=20 SEED=1 [PAIR=cms] [PROTECTION=fencing|device|guide] [FAULT=words] [HIGHSTATES=1]
                  [LAB=name] [KEEP=1]

FAULT keeps to the faults that have this in their names. With HIGHSTATES=1 a highstate runs on all hosts every
few seconds. With KEEP=1 the lab goes on standing at the first round that falls short. The last line is
``N rounds, seed S: M short``; the exit status is 0 for M = 0 alone.
"""

import os
import random
import signal
import sys
import time

import pytest
import record
import table
from cmhalab.settings import LabError
from faults import FAULTS
from field import PROTECTIONS, Field
from guide import PAIRS

# Seconds: for what the pair does by itself, which may be a monitor that comes every 30; and for all that a
# person does
BY_ITSELF, BY_HAND = 120, 400
HOLDS = (1, 5, 20, 45)  # for which a fault lasts that is mended
EVERY = 10  # rounds, after which an orchestration has to change nothing
# What the lab says when something can't be done, or answers what is no answer
BROKEN = (LabError, pytest.fail.Exception, ValueError, KeyError)


def main(environment):
    words = {
        "ROUNDS": "20",
        "SEED": str(random.randrange(10**6)),
        "PAIR": "cms",
        "PROTECTION": "fencing",
        "LAB": "campaign",
        "KEEP": "",
        "FAULT": "",
        "HIGHSTATES": "",
    }
    words = {name: environment.get(name) or default for name, default in words.items()}
    wrong = _wrong(words)
    if wrong:
        print(f"campaign: {wrong}", file=sys.stderr)
        return 64
    flags = {"stays": bool(words["KEEP"]), "highstates": bool(words["HIGHSTATES"])}
    field = Field(words["LAB"], words["PAIR"], words["PROTECTION"], **flags)
    if field.stands():
        lab = words["LAB"]
        print(
            f"campaign: the lab {lab} is up; make lab-down LAB={lab}, or name another",
            file=sys.stderr,
        )
        return 64
    rounds, wanted = [], int(words["ROUNDS"])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _campaign(field, words, rounds)
    except (KeyboardInterrupt, *BROKEN) as error:
        print(f"campaign: {error or 'interrupted'}", file=sys.stderr)
    if rounds:
        print(table.markdown(rounds))
    short = sum(bool(each.short) for each in rounds)
    print(f"{len(rounds)} rounds, seed {words['SEED']}: {short} short")
    return int(short > 0 or len(rounds) < wanted)


def _wrong(words):
    if not words["ROUNDS"].isdigit() or not int(words["ROUNDS"]):
        return f"ROUNDS={words['ROUNDS']}: should be a number, 1 or more"
    for name, known in (("PAIR", PAIRS), ("PROTECTION", PROTECTIONS)):
        if words[name] not in known:
            return f"{name}={words[name]}: should be {' or '.join(known)}"
    if not _possible(words["PROTECTION"], words["FAULT"]):
        return f"FAULT={words['FAULT']}: no fault has that in its name"
    return None


def _possible(protection, part=""):
    return [each for each in FAULTS if each.needs in ("", protection) and part in each.name]


def _campaign(field, words, rounds):
    """Adds the rounds to a list. With KEEP it ends with the first that falls short."""
    chance, total = random.Random(words["SEED"]), int(words["ROUNDS"])
    faults = _possible(field.protection, words["FAULT"])
    kept = False
    try:
        field.build()
        for number in range(1, total + 1):
            fault = chance.choice(faults)
            which = chance.choice(("active", "standby") if fault.standby else ("active",))
            whole = number % EVERY == 0 or number == total
            done = _round(field, fault, which, chance.choice(HOLDS), whole)
            rounds.append(done)
            _say(f"{number}/{total}", done)
            if done.short and words["KEEP"]:
                kept = True
                break
            if done.short and number < total:
                field.build()
    finally:
        if not kept:
            field.down()


def _round(field, fault, which, holds, whole):
    name = f"{fault.name}, {which}" if fault.alone else fault.name
    try:
        seen, by_hand, short = _struck(field, fault, which, holds, whole)
    except BROKEN as error:
        seen, by_hand, short = record.NOTHING, [], [f"{type(error).__name__}: {error}"]
    if field.protection == "fencing" and seen.twice:
        short.insert(0, f"two were active for {seen.twice:.2f} s")
    if by_hand or short:
        lasts = f" for {holds} s" if fault.holds else ""
        print(f"    {name}{lasts}: {'; '.join([*by_hand, *(f'SHORT: {each}' for each in short)])}")
    return table.Round(name, *seen, bool(by_hand), short)


def _struck(field, fault, which, holds, whole):
    """What was seen from the fault until all was well again, what was done by hand, and what isn't well."""
    home = field.home()
    field.begin()
    _strike(field, fault, home if which == "active" else field.mate(home), holds)
    by_hand, short = field.bring_back(BY_HAND, fault.unfinished)
    if fault.unfinished and not short:
        by_hand.append("orchestrated")
        short = field.orchestrate().failed
        if not short:
            again, short = field.bring_back(BY_HAND)
            by_hand += again
    ended = time.monotonic()
    short = short or _differs(field, whole)
    return record.seen(field.intervals(), field.cut_times(), field.began, ended), by_hand, short


def _strike(field, fault, host, holds):
    """The fault, and what the pair does by itself."""
    fault.strike(field, host)
    if fault.holds:
        time.sleep(holds)
        fault.mend(field, host)
    if fault.alone:
        field.wait_until_served(BY_ITSELF)
    if not fault.holds:
        fault.mend(field, host)


def _differs(field, whole):
    """What a plan, or an orchestration, would still change."""
    code, data = field.lab.runner("cmha.plan", f"pair={field.pair}")
    plan = data["sites"]["lab"][field.pair]
    lines = list(data["errors"])
    lines += [
        f"plan: {host}: {each['state']}" for host, all_ in plan["hosts"].items() for each in all_
    ]
    lines += [f"plan: {path}" for path in (plan["cluster"] or {}).get("changes", {})]
    if whole and not lines:
        done = field.orchestrate()
        lines += [f"orchestration: {each}" for each in done.failed]
        lines += [
            f"orchestration changes {', '.join(ids)} on {host}"
            for changes in done.changed.values()
            for host, ids in changes.items()
            if ids
        ]
    return lines if lines or code == 0 else [f"plan: exit {code}"]


def _say(number, done):
    print(
        f"{number:>9}  {done.fault}: away {done.away:.1f} s, back after {done.back:.1f} s"
        f"{f', two for {done.twice:.1f} s' if done.twice else ''}{', SHORT' if done.short else ''}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(os.environ))
