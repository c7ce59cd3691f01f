"""What a pair's settings say of its quorum device."""

import copy

import pytest
from pillars import with_

DEVICE = {"model": "net", "net": {"host": "192.0.2.2", "algorithm": "ffsplit"}}


@pytest.fixture
def quorum_device(pure):
    return pure("quorum_device")


def test_two_sites_with_one_name_at_one_device(site_model, quorum_device):
    east = site_model(with_("corosync:quorum:device", DEVICE))
    west = {**copy.deepcopy(east), "site": "west"}
    pair = east["pairs"][0]
    assert quorum_device.taken_for_another("east", pair, [east, west]) == (
        "cmf is the name of site west, pair cms too, and both have the quorum device 192.0.2.2, which tells "
        "clusters apart by it; each needs its own"
    )
    assert quorum_device.taken_for_another("east", pair, [east]) is None


@pytest.mark.parametrize(
    ("tls", "wants"), [(None, True), ("on", True), ("required", True), ("off", False)]
)
def test_a_certificate_is_for_a_device_that_encrypts(site_model, quorum_device, tls, wants):
    net = {**DEVICE["net"], **({"tls": tls} if tls else {})}
    pillar = with_("pairs:cms:corosync:quorum:device", {**DEVICE, "net": net})
    cms, mgmt = site_model(pillar)["pairs"]
    assert (quorum_device.wants_certificate(cms), quorum_device.wants_certificate(mgmt)) == (
        wants,
        False,
    )
