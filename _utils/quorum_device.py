"""
What a pair's settings say of its quorum device.

Pure functions.
"""

import corosync_totem


def __virtual__():
    return True


def declared(settings):
    """
    The quorum device that settings declare (``corosync:quorum:device``), or ``None``.

    settings
        A pair of what ``cmha_site.site`` returned, or a layer of one.
    """
    return settings.get("corosync", {}).get("quorum", {}).get("device")


def port(pair):
    """
    The TCP port of a pair's quorum device, or ``None``.

    pair
        A pair of what ``cmha_site.site`` returned.
    """
    device = declared(pair)
    return device and device["net"].get("port", corosync_totem.QNETD_PORT)


def wants_certificate(pair):
    """
    Whether a pair's nodes need a certificate for their quorum device (``tls``; Corosync's default is on).

    pair
        A pair of what ``cmha_site.site`` returned.
    """
    return bool(declared(pair)) and declared(pair)["net"].get("tls", "on") != "off"


def taken_for_another(site, pair, site_models):
    """
    Why a pair's quorum device would take it for another pair: it tells clusters apart by cluster_name alone.

    site, pair
        The name of a site, and a pair of what ``cmha_site.site`` returned.
    site_models
        A list of those whose pairs may have the same device.

    Returns what is wrong with the pair's cluster_name, or ``None``. Source: ``corosync-qnetd-tool(8)``.
    """
    if not declared(pair):
        return None
    host, name = declared(pair)["net"]["host"], pair["cluster_name"]
    for other in site_models:
        for each in other["pairs"]:
            itself = (other["site"], each["pair"]) == (site, pair["pair"])
            known = (declared(each) or {}).get("net", {}).get("host"), each["cluster_name"]
            if not itself and known == (host, name):
                return (
                    f"{name} is the name of site {other['site']}, pair {each['pair']} too, and both have the "
                    f"quorum device {host}, which tells clusters apart by it; each needs its own"
                )
    return None
