"""Hosts on which Debian's packages have started a cluster of their own."""

import re

import pytest
from conftest import CMS
from guide import install, wait_for

pytestmark = pytest.mark.lab(begins="converged")


@pytest.fixture(scope="module")
def orchestrated(lab):
    """The configuration that hosts which had no cluster before have."""
    return lab.cib("cms1")


@pytest.fixture(scope="module")
def after_debians_own(lab, orchestrated):
    """Orchestrated, on hosts where Debian's packages had started their own cluster."""
    lab.run("reset", *CMS)
    for host in CMS:
        install(lab, host)
        wait_for(lab, host, "crm_mon -1 | grep -q 'Online: . node1 .'")
    return lab.orchestrate(), lab.cib("cms1")


def test_debians_own_cluster_is_taken_away(lab, after_debians_own, orchestrated, pure):
    done, cib = after_debians_own
    assert (done.code, done.failed) == (0, [])
    nodes = re.findall(r'<node id="(\d)" uname="([^"]+)"', cib)
    assert nodes == [("1", "cms1"), ("2", "cms2")]
    assert 'value="debian"' not in cib
    assert lab.on("cms1", "sh", "-c", "ls -d /var/lib/pacemaker/cib-packaged-*")
    assert pure("cib").model(cib) == pure("cib").model(orchestrated)
