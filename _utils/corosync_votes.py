"""
What ``corosync-quorumtool`` says of votes, and whether the rest has quorum when a node is gone.

Pure functions. Source: corosync-quorumtool(8), votequorum(5).
"""

import re

_FIELD = re.compile(r"^(?P<name>[A-Z][A-Za-z ]*):\s+(?P<value>.*?)\s*$", re.MULTILINE)
# "1 1 A,V,NMW cms1 (local)"; without a quorum device the third column isn't there
_MEMBER = re.compile(
    r"^\s*(?P<id>0x[0-9a-f]{1,8}|[0-9]{1,10})\s+(?P<votes>[0-9]{1,10})\s+(?P<device>[A-Z]+(?:,[A-Z]+)+\s+|NR\s+)?(?P<name>\S.*)$",
    re.MULTILINE,
)
_NUMBER = re.compile(r"[0-9]{1,10}")
_DEVICE = 0


def __virtual__():
    return True


def quorate_without(text, node, tie_breaker="lowest", device=True):
    """
    Whether the other nodes have quorum when one of them is gone.

    text
        Output of ``corosync-quorumtool -s``.
    node
        Its id, as text.
    tie_breaker
        Corosync's ``auto_tie_breaker_node``: ``lowest``, ``highest``, or a list of ids.
    device
        Whether they have the quorum device's vote: of two halves, it votes for one.

    Returns a boolean. Where votequorum doesn't run, it is ``False``: half of two is no majority.
    """
    fields = {match["name"]: match["value"] for match in _FIELD.finditer(text)}
    quorum = _NUMBER.match(fields.get("Quorum", ""))
    if not quorum:
        return False
    flags = fields.get("Flags", "").split()
    members = {
        _id(match["id"]): match
        for match in _MEMBER.finditer(text.partition("Membership information")[2])
    }
    left = {name: match for name, match in members.items() if name not in (_id(node), _DEVICE)}
    votes = sum(int(match["votes"]) for match in left.values())
    if device and _DEVICE in members and any(map(_has_device, left.values())):
        votes += int(members[_DEVICE]["votes"])
    if votes >= int(quorum[0]):
        return True
    expected = _NUMBER.match(fields.get("Expected votes", ""))
    # half of what is expected, or less by a half
    is_tie = "AutoTieBreaker" in flags and expected and votes == int(expected[0]) // 2
    return bool(left and is_tie) and _breaks_tie(left, members, tie_breaker)


def _has_device(member):
    """Whether the device is alive to this node, and votes for it."""
    return {"A", "V"} <= set((member["device"] or "").strip().split(","))


def _breaks_tie(left, members, tie_breaker):
    nodes = sorted(name for name in members if name != _DEVICE)
    if tie_breaker in ("lowest", "highest"):
        return nodes[0 if tie_breaker == "lowest" else -1] in left
    listed = [name for name in map(_id, tie_breaker.split()) if name in members]
    return bool(listed) and listed[0] in left


def _id(text):
    """A node's id as a number: some versions print it as 0x00000001. What is none is nobody's."""
    try:
        return int(text, 16 if text.startswith("0x") else 10)
    except ValueError:
        return None
