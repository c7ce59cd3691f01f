"""What is kept of a lab in which a test failed, for whoever looks into it."""

import re
from pathlib import Path

from cmhalab import hosts, orders
from cmhalab.settings import FORMULA, LabError

ARTIFACTS = FORMULA / "test" / "artifacts"
ENOUGH = 20  # tests; what fails after so many others has the same cause

# What to ask a host for, by the name of the file that keeps it.
QUESTIONS = {
    "journal": "journalctl --no-pager --output=short-precise || cat /var/log/syslog",
    "corosync.log": "cat /var/log/cluster/corosync.log",
    "corosync.conf": "cat /etc/corosync/corosync.conf",
    "pacemaker.log": "cat /var/log/pacemaker/pacemaker.log",
    "crm_mon": "timeout 20 crm_mon -1 --inactive --failcounts --operations",
    "cib.xml": "timeout 20 cibadmin --query",
    "quorum": "timeout 20 corosync-quorumtool -s; timeout 20 corosync-cfgtool -s",
    "salt.log": "cat /var/log/salt/*",
    "processes": "ps -ef",
    "pillar": "cat /srv/pillar/cmha.sls",
    "firewall": "iptables-save; ip6tables-save",
}


def keep(lab, test):
    """Asks each host that is on; says where the answers are, or None when the lab isn't up."""
    place = (
        ARTIFACTS / re.sub(r"[^\w.=-]+", "-", test.removeprefix("test/lab/")).strip("-") / lab.name
    )
    if not orders.keeper_pid(lab) or len(list(ARTIFACTS.glob("*"))) >= ENOUGH:
        return None
    try:
        on = [host for host, is_ in orders.ask(lab, "hosts").items() if is_["state"] == "up"]
        for name, question in QUESTIONS.items():
            for host, answer in hosts.on_each(lab, on, "sh", "-c", f"{question} 2>&1").items():
                _write(place / host / name, answer)
    except LabError as error:  # the lab, or a host, ends just now
        _write(place / "incomplete", str(error))
    for file in (*lab.directory.glob("*.console"), lab.directory / "keeper.log"):
        _write(place / file.name, file.read_text(errors="replace"))
    return place


def _write(file: Path, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
