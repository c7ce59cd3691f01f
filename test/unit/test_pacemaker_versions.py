"""Which Pacemakers can be one cluster, and what people are told of two that differ."""

import pytest


@pytest.mark.parametrize(
    ("joining", "there", "may"),
    [
        ("3.16.1", "3.16.1", True),
        ("3.16.0", "3.16.9", True),  # the third number is for resource agents
        ("3.20.0", "3.16.1", True),  # the newer one may come
        ("3.16.1", "3.20.0", False),
        ("3.9.0", "3.16.0", False),  # numbers, and no text
        ("4.0.0", "3.16.1", False),
        (None, "3.16.1", True),  # nobody knows: Pacemaker itself will say
        ("3.16.1", None, True),
    ],
)
def test_who_may_join(pure, joining, there, may):
    assert pure("pacemaker_versions").may_join(joining, there) is may


OLD = {"version": "2.1.5", "feature_set": "3.16.1"}
NEW = {"version": "3.0.0", "feature_set": "3.20.0"}


@pytest.mark.parametrize(
    ("found", "running", "lines"),
    [
        ({"cms1": OLD, "cms2": OLD}, ["cms1", "cms2"], []),
        ({"cms1": OLD, "cms2": {**OLD, "feature_set": "3.16.2"}}, ["cms1", "cms2"], []),
        (
            {"cms1": OLD, "cms2": NEW},
            ["cms1", "cms2"],
            [
                "cms1 has Pacemaker 2.1.5, cms2 has 3.0.0: when cms1 leaves the cluster (a crash, a stop, a "
                "reboot), it can't come back before its Pacemaker is upgraded; upgrade cms1 next"
            ],
        ),
        (
            {"cms1": OLD, "cms2": NEW},
            ["cms2"],
            [
                "cms1 has Pacemaker 2.1.5, and can't come back to cms2, which has 3.0.0; upgrade "
                "Pacemaker on cms1, then salt-run cmha.rejoin node=cms1"
            ],
        ),
        ({"cms1": OLD, "cms2": NEW}, ["cms1"], []),  # the newer one may come
        ({"cms1": OLD, "cms2": NEW}, [], []),
        ({"cms1": OLD}, ["cms1", "cms2"], []),  # nobody knows
    ],
)
def test_what_people_are_told(pure, found, running, lines):
    assert pure("pacemaker_versions").mixed(found, running) == lines
