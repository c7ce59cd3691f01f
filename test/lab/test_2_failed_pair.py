"""A pair whose service doesn't start: the site's next pair isn't begun."""

import pytest
from conftest import CMS, MGMT

pytestmark = pytest.mark.lab(begins="bare")


def test_mgmt_does_not_begin_when_cms_fails(lab):
    for host in CMS:
        lab.on(host, "sh", "-c", "echo FAIL_START=yes >> /etc/default/cloudera-scm-server")
    done = lab.orchestrate()
    assert done.code != 0
    assert done.failed == ["lab cms: verify that cloudera-scm-server runs once"]
    failed = done.steps[done.failed[0]]
    assert "cms1" in failed["comment"]
    for host in MGMT:
        assert lab.code(host, "test", "-e", "/usr/sbin/corosync") == 1
