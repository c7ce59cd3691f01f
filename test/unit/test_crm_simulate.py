"""What `crm_simulate` says, as data."""

import pytest

SAID = """Current cluster status:
  * Node List:
    * Online: [ cms1 cms2 ]

Transition Summary:
  * Fence (reboot) cms2 'peer is no longer part of the cluster'
  * Start      web:0   ( web-bundle-0 )  due to unrunnable web-bundle-0 start (blocked)
  * Move       cm      (   cms1 -> cms2 )
  * Stop       old     (           cms1 )  due to node availability
  * Promote    db:0    ( Unpromoted -> Promoted cms1 )

Executing Cluster Transition:
  * Resource action: cm              stop on cms1
"""

# Pacemaker 1.1
OLD = """
Transition Summary:
 * Restart cm\t(Started cms1)
 * Start   vip\t(cms1)

Executing cluster transition:
"""


@pytest.fixture
def crm_simulate(pure):
    return pure("crm_simulate")


def test_effects(crm_simulate):
    found = crm_simulate.effects(SAID)
    assert [crm_simulate.described(effect) for effect in found] == [
        "Fence cms2 (reboot)",
        "Start web:0 (web-bundle-0)",
        "Move cm (cms1 -> cms2)",
        "Stop old (cms1)",
        "Promote db:0 (Unpromoted -> Promoted cms1)",
    ]
    assert found[0]["why"] == "'peer is no longer part of the cluster'"
    assert found[3]["why"] == "due to node availability"


def test_which_of_them_end_something(crm_simulate):
    found = crm_simulate.disruptive(crm_simulate.effects(SAID))
    assert [effect["what"] for effect in found] == ["cms2", "cm", "old"]


def test_the_words_of_old_versions(crm_simulate):
    found = crm_simulate.effects(OLD)
    assert [crm_simulate.described(effect) for effect in found] == [
        "Restart cm (Started cms1)",
        "Start vip (cms1)",
    ]


@pytest.mark.parametrize("text", ["", "Transition Summary:\n\nExecuting", "crm_simulate: no CIB"])
def test_no_effects(crm_simulate, text):
    assert crm_simulate.effects(text) == []
