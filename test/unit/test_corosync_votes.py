"""Whether what is left has quorum, by what corosync-quorumtool says."""

import pytest

HEAD = """Quorum information
------------------
Date:             Thu Nov 26 23:48:07 2026
Quorum provider:  corosync_votequorum
Nodes:            {nodes}
Node ID:          {own}
Ring ID:          1.8
Quorate:          Yes

Votequorum information
----------------------
Expected votes:   {expected}
Highest expected: {expected}
Total votes:      {total}
Quorum:           {quorum}
Flags:            {flags}

Membership information
----------------------
    Nodeid      Votes {title}Name
"""


def said(members, flags="Quorate", expected=2, quorum="2"):
    head = HEAD.format(
        nodes=2, own=1, expected=expected, total=expected, quorum=quorum, flags=flags, title=""
    )
    return head + "\n".join(members) + "\nLocal node ID 1, transport udpu\n"


TWO = ["         1          1 cms1 (local)", "         2          1 cms2"]
THREE = [*TWO, "         3          1 cms3"]
DEVICE = [
    "         1          1    A,V,NMW cms1 (local)",
    "         2          1    A,V,NMW cms2",
    "         0          1            Qdevice",
]
SILENT = [line.replace("A,V,NMW cms2", "A,NV,NMW cms2") for line in DEVICE]
UNREGISTERED = [line.replace("A,V,NMW cms2", "NR cms2") for line in DEVICE]


@pytest.mark.parametrize(
    ("text", "dead", "quorate"),
    [
        (said(TWO, "2Node Quorate WaitForAll", quorum="1"), "1", True),
        (said(TWO, "2Node Quorate WaitForAll", quorum="1"), "2", True),
        (said(TWO), "1", False),
        (said(TWO, quorum="2 Activity blocked"), "1", False),
        (said(THREE, expected=3), "1", True),
        (said(DEVICE, "Quorate Qdevice", expected=3), "1", True),
        (said(SILENT, "Quorate Qdevice", expected=3), "1", False),
        (said(SILENT, "Quorate Qdevice", expected=3), "2", True),
        (said(UNREGISTERED, "Quorate Qdevice", expected=3), "1", False),
        # nobody is left
        (said(TWO[:1], "2Node Quorate", quorum="1"), "1", False),
        (said(["1 1 cms1", "2 0 cms2"], "2Node Quorate", quorum="1"), "1", False),
        (said(TWO, "Quorate AutoTieBreaker", expected=4, quorum="3"), "2", False),
        (said(["1 2 cms1", "2 1 cms2"], "Quorate AutoTieBreaker", expected=3), "1", False),
        (said(["1 1 cms1", "2 2 cms2"], "Quorate AutoTieBreaker", expected=3), "2", True),
        (said(TWO, "Quorate AutoTieBreaker"), "2", True),
        # an id is a number, however it is printed
        (said(["0x00000001 1 cms1", "0x00000002 1 cms2"], "Quorate AutoTieBreaker"), "2", True),
        (said(["0x00000001 1 cms1", "0x00000002 1 cms2"], "Quorate AutoTieBreaker"), "1", False),
        (said(["1 1 cms1", "02 1 cms2"], "Quorate AutoTieBreaker"), "2", True),
        (said(TWO, "Quorate AutoTieBreaker"), "1", False),
        # votequorum doesn't run, or nothing does
        ("Quorum provider:  none\nQuorate:  Yes\n", "1", False),
        ("", "1", False),
        (said([], "Quorate AutoTieBreaker"), "1", False),
    ],
)
def test_quorum_without_a_node(pure, text, dead, quorate):
    assert pure("corosync_votes").quorate_without(text, dead) is quorate


@pytest.mark.parametrize(
    ("tie_breaker", "left"),
    [("lowest", ["2"]), ("highest", ["1"]), ("2", ["1"]), ("1", ["2"]), ("9 1", ["2"]), ("9", [])],
)
def test_who_breaks_a_tie(pure, tie_breaker, left):
    text = said(TWO, "Quorate AutoTieBreaker")
    votes = pure("corosync_votes")
    assert [dead for dead in "12" if votes.quorate_without(text, dead, tie_breaker)] == left


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        (said(TWO, "2Node Quorate", quorum="1"), ["1", "2"]),  # each half has quorum
        (said(TWO, "Quorate"), []),
        (said(TWO, "Quorate AutoTieBreaker"), ["1"]),
        (said(DEVICE, "Quorate Qdevice", expected=3), []),
    ],
)
def test_a_half_has_no_device_for_sure(pure, text, alone):
    """Of two halves a quorum device votes for one."""
    votes = pure("corosync_votes")
    other = {"1": "2", "2": "1"}
    assert [one for one in "12" if votes.quorate_without(text, other[one], device=False)] == alone
