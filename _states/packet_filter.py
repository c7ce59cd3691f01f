"""
Rules of the host's packet filter, whichever it is: let traffic through, and after a boot too.

Salt's own states fall short of it: ``iptables.insert`` predicts no change; ``firewalld.present`` of Salt 3006
turns off a zone's masquerading, and reloads, which loses what others have set until the next boot only;
``nftables.insert`` adds its rule again at each run; for ufw there is none.
"""

import os

from salt.exceptions import CommandExecutionError

_SCRIPT = "/etc/cmha/nftables.sh"
# Their unit and their ruleset are left alone: it runs ours after its own, at each start and reload
_DROP_IN = "/etc/systemd/system/nftables.service.d/cmha.conf"
_UNIT = """# Written by Salt (cmha).
[Service]
ExecStart=-/bin/sh {script}
ExecReload=-/bin/sh {script}
"""

_WORDS = {True: "allowed", False: "absent"}


def __virtual__():
    return True


def allowed(name, backend, rule):
    """
    Have a rule that lets traffic through, before all others. Rules of others are left alone.

    name
        Any text.
    backend
        ``iptables``, ``nftables``, ``firewalld`` or ``ufw``.
    rule
        See ``packet_filter.lines``.

    .. code-block:: yaml

        cmha firewall INPUT cms2:
          packet_filter.allowed:
            - backend: nftables
            - rule: {chain: INPUT, family: ipv4, match: {proto: udp, source: 192.0.2.12, dports: '5405'}}
    """
    return _converged(name, backend, rule, True)


def absent(name, backend, rule):
    """
    Have no such rule.

    name, backend, rule
        See ``allowed``.

    .. code-block:: yaml

        cmha no firewall INPUT cms2:
          packet_filter.absent:
            - backend: nftables
            - rule: {chain: INPUT, family: ipv4, match: {proto: udp, source: 192.0.2.12, dports: '5405'}}
    """
    return _converged(name, backend, rule, False)


def kept(name, backend, rules, save, saved):
    """
    Have rules, which are there now, after a boot too.

    firewalld and ufw keep them by themselves. For nftables a script of our own is run by ``nftables.service``
    after the host's own ruleset, which is left alone. For iptables all that is there now is written to the
    file that the host loads at boot, other people's rules for the moment too: only with ``save``, and only
    when the file lacks one of the rules.

    name
        Any text.
    backend
        See ``allowed``.
    rules
        A list of rules.
    save
        Whether to write iptables' file.
    saved
        Mapping with ``ipv4`` and ``ipv6``, the files, and ``loaded_by``, services of which one loads them.

    .. code-block:: yaml

        cmha firewall at boot:
          packet_filter.kept:
            - backend: iptables
            - rules: [{chain: INPUT, family: ipv4, match: {proto: udp, source: 192.0.2.12, dports: '5405'}}]
            - save: true
            - saved: {ipv4: /etc/iptables/rules.v4, loaded_by: [netfilter-persistent]}
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    if backend == "nftables":
        return _kept_by_nftables(ret, rules)
    if backend != "iptables":
        return {**ret, "comment": f"{backend} keeps its rules by itself"}
    if not save:
        comment = "iptables' rules are gone after a boot; each run adds them again (firewall:save)"
        return {**ret, "comment": comment}
    ret = _saved(ret, rules, saved, _lacks)
    if not _loader(saved):
        services = " or ".join(saved["loaded_by"])
        ret["warnings"] = [
            f"{__grains__['id']} has no service {services} that loads the saved rules at boot"
        ]
    return ret


def not_kept(name, backend, rules, save, saved):
    """
    Have rules, which are not there any more, not after a boot either.

    name, backend, rules, save, saved
        See ``kept``.

    .. code-block:: yaml

        cmha no firewall at boot:
          packet_filter.not_kept:
            - backend: iptables
            - rules: [{chain: INPUT, family: ipv4, match: {proto: udp, source: 192.0.2.12, dports: '5405'}}]
            - save: true
            - saved: {ipv4: /etc/iptables/rules.v4, loaded_by: [netfilter-persistent]}
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": "nothing of cmha's at boot"}
    for path in (_DROP_IN, _SCRIPT):
        ret = _both(ret, __states__["file.absent"](path))
    _have_systemd_read(ret)
    if backend == "iptables" and save:
        ret = _saved(ret, rules, saved, _has)
    return ret


# --- rules ---------------------------------------------------------------------------------------


def _converged(name, backend, rule, wanted):
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    try:
        before = __salt__["packet_filter.lines"](backend, rule)
        other = _other(before, wanted)
        if not before:
            way = "comes in" if rule["chain"] == "INPUT" else "goes out"
            return {**ret, "comment": f"{backend} on {__grains__['id']} doesn't filter what {way}"}
        if not other:
            return {**ret, "comment": f"{_WORDS[wanted]}: {'; '.join(before)}"}
        changes = {line: {"old": _WORDS[not wanted], "new": _WORDS[wanted]} for line in other}
        if __opts__["test"]:
            comment = f"would be {_WORDS[wanted]}: {'; '.join(other)}"
            return {**ret, "result": None, "changes": changes, "comment": comment}
        __salt__[f"packet_filter.{'allow' if wanted else 'withdraw'}"](backend, rule)
        still = _other(__salt__["packet_filter.lines"](backend, rule), wanted)
    except CommandExecutionError as error:
        return {**ret, "result": False, "comment": str(error)}
    if still:
        comment = f"still {_WORDS[not wanted]} on {__grains__['id']}: {'; '.join(still)}"
        return {**ret, "result": False, "comment": comment}
    return {**ret, "changes": changes, "comment": f"{_WORDS[wanted]}: {'; '.join(other)}"}


def _other(lines, wanted):
    return [line for line, there in lines.items() if there != wanted]


# --- at boot -------------------------------------------------------------------------------------


def _kept_by_nftables(ret, rules):
    if not _at_boot("nftables"):
        comment = f"no nftables.service starts at boot on {__grains__['id']}: each run adds the rules again"
        return {**ret, "comment": comment}
    try:
        script = __salt__["packet_filter.nft_script"](rules)
    except CommandExecutionError as error:
        return {**ret, "result": False, "comment": str(error)}
    unit = _UNIT.format(script=_SCRIPT)
    for path, text in ((_SCRIPT, script), (_DROP_IN, unit)):
        managed = __states__["file.managed"](path, contents=text, mode="0644", makedirs=True)
        ret = _both(ret, managed)
    _have_systemd_read(ret)
    return {**ret, "comment": ret["comment"] or f"nftables.service runs {_SCRIPT}"}


def _at_boot(service):
    return __salt__["service.available"](service) and __salt__["service.enabled"](service)


def _loader(saved):
    return next(filter(_at_boot, saved["loaded_by"]), None)


def _have_systemd_read(ret):
    if _DROP_IN in ret["changes"] and not __opts__["test"] and ret["result"]:
        __salt__["service.systemctl_reload"]()


def _both(ret, each):
    """What came of all so far, and of one more file."""
    if each["result"] is True and not each["changes"]:
        return ret
    result = each["result"] if ret["result"] is not False else False
    comment = "; ".join(filter(None, [ret["comment"], each["comment"]]))
    changes = (
        {**ret["changes"], each["name"]: each["changes"]} if each["changes"] else ret["changes"]
    )
    return {**ret, "result": result, "changes": changes, "comment": comment}


def _lacks(path, rules):
    return __salt__["packet_filter.saved"](path, rules) != rules


def _has(path, rules):
    return bool(__salt__["packet_filter.saved"](path, rules))


def _saved(ret, rules, saved, is_outdated):
    """Writes the files that are outdated."""
    written = []
    for family in sorted({rule["family"] for rule in rules}):
        path, own = saved[family], [rule for rule in rules if rule["family"] == family]
        if not is_outdated(path, own):
            continue
        written.append(path)
        if not __opts__["test"]:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            __salt__["iptables.save"](path, family)
            if is_outdated(path, own):
                comment = (
                    f"{path} on {__grains__['id']} isn't as iptables-save should have written it"
                )
                return {**ret, "result": False, "comment": comment}
    if not written:
        return {**ret, "comment": "the saved rules are up to date"}
    changes = {path: {"old": "", "new": "what iptables-save prints"} for path in written}
    changes = {**ret["changes"], **changes}
    comment = f"written: {', '.join(written)}"
    if __opts__["test"]:
        return {**ret, "result": None, "changes": changes, "comment": f"would be {comment}"}
    return {**ret, "changes": changes, "comment": comment}
