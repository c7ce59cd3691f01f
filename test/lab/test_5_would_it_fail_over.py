"""What status says would happen when the active host dies, and what then happens.

After each change of a pair, status is asked; then the active host crashes, and who runs the service is looked
at: not in Pacemaker, but by the service itself. CMHA_CHANGES=all tries all changes (make
survival), else a few.
"""

import os
import re
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import pytest
from day_two import AGENT, PAGE, SERVER, home, mate, status

pytestmark = pytest.mark.lab(begins="converged")

# Seconds in which a service that fails over does, and one that doesn't would have
LONG_ENOUGH = 120

# On which node what is typed; whether the service then survives the active host; what status says of it. In
# what is typed, R is the resource, A the active node and S the other.
Change = namedtuple("Change", "pair on typed survives says", defaults=(True, ""))


def on_both(on, typed, survives=True, says=""):
    return [Change(pair, on, typed, survives, says) for pair in ("cms", "mgmt")]


DUMMY = "crm configure primitive dummy ocf:pacemaker:Dummy"

# A device that says that it fenced, and does nothing: what it fences has crashed here already
FENCE = (
    "crm configure primitive fence stonith:null params hostlist='{}'{};"
    " crm_attribute -n stonith-enabled -v true"
)

# While pacemakerd replaces a daemon, Pacemaker 2.1 may miss that the other node dies, and never act: seen
# with the executor, on one of two pairs. Status promises nothing then.
LUCK = None

NO_SCRIPT = "mv /etc/init.d/R /root; systemctl daemon-reload"

CHANGES = {
    "nothing": on_both("A", "true"),
    "unmanaged": on_both("A", "crm resource unmanage R", False, "is-managed=false"),
    "a resource in maintenance": on_both(
        "A", "crm_resource -r R --meta -p maintenance -v true", False, "maintenance=true"
    ),
    "maintenance mode": on_both(
        "A", "crm_attribute -n maintenance-mode -v true", False, "maintenance mode is on"
    ),
    "never there": on_both(
        "A", "crm configure location never R -inf: S", False, "the constraint never"
    ),
    "rather here": on_both("A", "crm configure location rather R 50: A"),
    "sticky": on_both("A", "crm_resource -r R --meta -p resource-stickiness -v 5000"),
    "wanted started": on_both("A", "crm_resource -r R --meta -p target-role -v Started"),
    "given up there": on_both(
        "A", "crm_attribute -N S -n 'fail-count-R#start_0' -v INFINITY -l reboot", False, "R has failed on S"
    ),
    "at its threshold there": on_both(
        "A",
        "crm_resource -r R --meta -p migration-threshold -v 2;"
        " crm_attribute -N S -n 'fail-count-R#monitor_30000' -v 2 -l reboot",
        False,
        "R has failed on S",
    ),
    "below its threshold there": on_both(
        "A",
        "crm_resource -r R --meta -p migration-threshold -v 3;"
        " crm_attribute -N S -n 'fail-count-R#monitor_30000' -v 2 -l reboot",
    ),
    "only where it is told": on_both(
        "A",
        "crm configure location here R 100: A; crm_attribute -n symmetric-cluster -v false",
        False,
        "symmetric-cluster",
    ),
    "told both": on_both(
        "A",
        "crm configure location here R 100: A; crm configure location there R 10: S;"
        " crm_attribute -n symmetric-cluster -v false",
    ),
    "a red host": on_both(
        "A",
        "crm_attribute -n node-health-strategy -v only-green;"
        " crm_attribute -N S -n '#health-disk' -v red -l reboot",
        False,
        "#health-disk=red",
    ),
    "a yellow host that may": on_both(
        "A",
        "crm_attribute -n node-health-strategy -v migrate-on-red;"
        " crm_attribute -N S -n '#health-disk' -v yellow -l reboot",
    ),
    "standby": on_both("A", "crm node standby S", False, "standby"),
    "a node in maintenance": on_both("A", "crm node maintenance S", False, "maintenance"),
    "by an attribute": on_both(
        "A",
        "crm_attribute -N S -n zone -v b; crm configure location zone R rule -inf: zone eq b",
        False,
        "zone=b",
    ),
    "not by an attribute": on_both(
        "A", "crm_attribute -N S -n zone -v b; crm configure location zone R rule -inf: zone eq c"
    ),
    "with one that may not": on_both(
        "A",
        f"{DUMMY}; crm configure location never dummy -inf: S;"
        " crm configure colocation together inf: R dummy",
        False,
        "never",
    ),
    "after one that may not": on_both(
        "A",
        f"{DUMMY}; crm configure location never dummy -inf: S;"
        " crm configure order after Mandatory: dummy R",
        False,
        "never",
    ),
    "beside one that may not": on_both("A", f"{DUMMY}; crm configure location never dummy -inf: S"),
    "beside one that is stopped": on_both("A", f"{DUMMY} meta target-role=Stopped"),
    "after one that is stopped, if it can": on_both(
        "A",
        f"{DUMMY} meta target-role=Stopped; crm configure order after Optional: dummy R",
    ),
    "locked to where it ran": on_both(
        "A", "crm_attribute -n shutdown-lock -v true", False, "shutdown-lock"
    ),
    "no room": on_both(
        "A",
        "crm_attribute -n placement-strategy -v utilization;"
        " crm_attribute --utilization -N S -n memory -v 1 -t nodes;"
        " crm_attribute --utilization -N A -n memory -v 9 -t nodes;"
        " crm_resource -r R --utilization -p memory -v 4",
        False,
        "placement-strategy",
    ),
    "fencing without a device": on_both(
        "A", "crm_attribute -n stonith-enabled -v true", False, "stonith-enabled"
    ),
    "fencing by a device": on_both("A", FENCE.format("A S", "")),
    "fencing by a device that is stopped": on_both(
        "A", FENCE.format("A S", " meta target-role=Stopped"), False, "can fence A"
    ),
    "fencing by a device for the other": on_both("A", FENCE.format("S", ""), False, "can fence A"),
    "fencing by a device that may not run there": on_both(
        "A", f"{FENCE.format('A S', '')}; crm configure location never fence -inf: S", False, "can fence A"
    ),
    "stops without quorum, which two have": on_both("A", "crm_attribute -n no-quorum-policy -v stop"),
    "stops without quorum, which one hasn't": on_both(
        "S",
        "crm_attribute -n no-quorum-policy -v stop; corosync-cmapctl -s quorum.two_node u8 0",
        False,
        "no-quorum-policy",
    ),
    "Pacemaker is stopped there": on_both("S", "service pacemaker stop", False, "S is offline"),
    "Corosync is stopped there": on_both(
        "S", "service pacemaker stop; service corosync stop", False, "S is offline"
    ),
    "the executor hangs there": on_both("S", "pkill -STOP pacemaker-exe", LUCK, "pacemaker-execd hangs"),
    "the controller hangs there": on_both("S", "pkill -STOP pacemaker-con", False, "pacemaker-contr hangs"),
    "the scheduler hangs there": on_both("S", "pkill -STOP pacemaker-sch", LUCK, "pacemaker-sched hangs"),
    "Salt is stopped there": on_both("S", "systemctl stop salt-minion", True, "S"),
    "the unit is masked there": on_both("S", "systemctl mask R", False, "R is masked"),
    "no init script there": [
        Change("cms", "S", NO_SCRIPT, False, f"lsb:{SERVER} isn't there"),
        Change("mgmt", "S", NO_SCRIPT, False, "ocf:cm:agent finds itself unfit"),
    ],
    "no right to the agent there": [
        Change("cms", "S", f"chmod a-x /etc/init.d/{SERVER}", False, "can't be executed"),
        Change("mgmt", "S", "chmod a-x /usr/lib/ocf/resource.d/cm/agent", False, "can't be executed"),
    ],
    "freezes without quorum": on_both(
        "S",
        "crm_attribute -n no-quorum-policy -v freeze; corosync-cmapctl -s quorum.two_node u8 0",
        False,
        "no-quorum-policy",
    ),
    "not probed there, but wanted": on_both(
        "A", "crm configure location blind R resource-discovery=never 0: S"
    ),
    "probed here only": on_both(
        "A", "crm configure location here R resource-discovery=exclusive 0: A", False, "the constraint here"
    ),
    "never since a day": on_both(
        "A",
        "crm configure location since R rule -inf: '#uname' eq S and date gt 2020-01-01",
        False,
        "the constraint since",
    ),
    "never until a day": on_both(
        "A", "crm configure location until R rule -inf: '#uname' eq S and date lt 2020-01-01"
    ),
    "apart from one that stays there": on_both(
        "A",
        f"{DUMMY} meta resource-stickiness=INFINITY; crm configure location there dummy 100: S;"
        " crm configure colocation apart -inf: R dummy",
        False,
        "the constraint apart",
    ),
    "by a ticket that it has": on_both(
        "A",
        "crm_ticket --ticket t --grant --force; crm configure rsc_ticket permit t: R loss-policy=stop",
    ),
    "managed by nobody": on_both(
        "A", "crm_attribute -t rsc_defaults -n is-managed -v false", False, "is-managed=false"
    ),
    "standby until Pacemaker starts": on_both(
        "A", "crm_attribute -N S -n standby -v on -l reboot", False, "standby"
    ),
    "one action at a time": on_both("A", "crm_attribute -n batch-limit -v 1"),
    "the attributes hang there": on_both("S", "pkill -STOP pacemaker-att", LUCK, "pacemaker-attrd hangs"),
    "the CIB hangs there": on_both("S", "pkill -STOP pacemaker-bas", False, "pacemaker-based hangs"),
    "fencing's daemon hangs there": on_both("S", "pkill -STOP pacemaker-fen", LUCK, "pacemaker-fence hangs"),
    "Corosync hangs there": on_both("S", "pkill -STOP corosync", False, "corosync"),
    "Pacemaker's first daemon hangs there": on_both("S", "pkill -STOP pacemakerd", True, "pacemakerd hangs"),
    "no agent there": [
        Change("cms", "A", "true"),
        Change("mgmt", "S", "rm /usr/lib/ocf/resource.d/cm/agent", False, "ocf:cm:agent isn't there"),
    ],
}  # fmt: skip
FEW = ("nothing", "given up there", "no agent there")


def chosen():
    return CHANGES if os.environ.get("CMHA_CHANGES") == "all" else FEW


@pytest.mark.parametrize("name", chosen())
def test_what_status_foresees_happens(lab, name):
    lab.run("restore", "converged")
    changes = CHANGES[name]
    active = {change.pair: home(lab, change.pair) for change in changes}
    for change in changes:
        host = {"A": active[change.pair], "S": mate(active[change.pair])}[change.on]
        lab.on(host, "sh", "-c", filled_in(change.typed, change.pair, active[change.pair]))
    for node in active.values():  # when the cluster has done what the change asked of it
        lab.on(node, "timeout", "20", "crm_resource", "--wait", check=False)
    said = {pair: status(lab, pair)[1] for pair in active}
    for node in active.values():
        lab.run("crash", node)
    with ThreadPoolExecutor() as pool:
        pairs = [(lab, pair, node) for pair, node in active.items()]
        lives = dict(zip(active, pool.map(lambda pair: goes_on(*pair), pairs)))
    for pair, _, _, survives, says in changes:
        report, node = said[pair], active[pair]
        foreseen = report["survival"][node]
        assert (foreseen["takes_over"] is not None) == bool(survives), report
        assert survives is LUCK or lives[pair] == survives, report
        problems = "\n".join(report["problems"])
        assert filled_in(says, pair, node) in problems
        assert report["health"] == ("poor" if problems else "good"), report
        assert problems or survives


def filled_in(text, pair, node):
    words = {"R": {"cms": SERVER, "mgmt": AGENT}[pair], "A": node, "S": mate(node)}
    return re.sub(r"\b[RAS]\b", lambda word: words[word[0]], text)


def goes_on(lab, pair, dead):
    """Whether the service runs on the node that is left, as soon as that is sure."""
    node, service = mate(dead), {"cms": SERVER, "mgmt": AGENT}[pair]
    serves = {
        "cms": PAGE,
        "mgmt": "pgrep -f [c]loudera-mgmt-eventserver >/dev/null",
    }[pair]
    gone = f"crm_mon -1 | grep -Eq '(OFFLINE|UNCLEAN).*{dead}|{dead}.*(OFFLINE|UNCLEAN)'"
    idle = f"{gone} && timeout 9 crm_resource --wait && ! service {service} status >/dev/null"
    end = time.monotonic() + LONG_ENOUGH
    while time.monotonic() < end:
        if lab.code(node, "sh", "-c", serves) == 0:
            return True
        if lab.code(node, "timeout", "12", "sh", "-c", idle) == 0:
            return False
    return False
