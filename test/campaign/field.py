"""The pair that a campaign is about, on booted hosts of its own: what is done to it, and how it is brought
back, as a person does who reads what cmha says."""

import os
import re
import subprocess
import time

import activity
import conftest
from cmhalab import fencing, hosts, minions, orders, settings
from cmhalab.settings import LabError
from guide import PAIRS

PROTECTIONS = ("fencing", "device", "guide")

_SITE = "/srv/pillar/cmha.sls"
_DEVICE = """
      qnetd: master
      corosync: {quorum: {device: {model: net, votes: 1, net: {host: 192.0.2.2, algorithm: ffsplit}}}}"""

# What status and rejoin tell a person to type, on a host of the pair
_ADVICE = re.compile(
    r"crm resource (?:cleanup|refresh|clear) [\w-]+|stonith_admin --cleanup --history [\w-]+"
    r"|pkill -KILL pacemakerd"
)
_ORCHESTRATE = "an orchestration that goes well ends it"
_BY_ORCHESTRATION = "run the orchestration"
_NAME = re.compile(r"cluster_name: \w+")
_STOP_FIRST = re.compile(r"stop it there first: (service [\w-]+ stop)")

LONGEST_DEED = 900  # seconds
_STEADY = 3  # seconds in which nothing may change


# A highstate on all hosts, again and again, until nobody holds its standard input any more
_HIGHSTATES = """
while read -r -t 3 _; [ $? -gt 128 ]; do
    salt --timeout=20 -L "$1" state.apply cmha >/dev/null 2>&1
done
"""


class Field:
    def __init__(self, name, pair, protection, *, stays=False, highstates=False):
        self.pair, self.protection, self.stays = pair, protection, stays
        self.with_highstates, self._highstates = highstates, None
        self.hosts, self.service = list(PAIRS[pair].hosts), PAIRS[pair].service
        self.lab = conftest.Lab(
            name,
            LAB_HOSTS=" ".join(self.hosts),
            LAB_BMC="yes" if protection == "fencing" else "no",
        )
        self.settings = settings.from_environment(self.lab.environment)
        self.log = self.settings.shared / activity.LOG
        self.began, self._at, self.cuts = 0.0, 0, {}
        self._deeds = []

    # --- the lab ---------------------------------------------------------------------------------

    def stands(self):
        """Whether somebody has a lab of that name."""
        return bool(orders.keeper_pid(self.settings))

    def build(self):
        """From bare hosts to a verified pair."""
        self.down()
        self.lab.run("up", *([] if self.stays else ["--die-with", str(os.getpid())]))
        self._write_pillar()
        done = self.orchestrate()
        if done.code or done.failed:
            raise LabError(f"the pair can't be made: {done.printed}")
        if self.with_highstates:
            words = ("bash", "-c", _HIGHSTATES, "bash", ",".join(self.hosts))
            self._highstates = self._begun(*words, stdin=subprocess.PIPE)

    def down(self):
        if self._highstates:
            self._highstates.communicate()
            self._highstates = None
        self.lab.run("down")

    def _write_pillar(self):
        text = self._with_this_pair_alone(self.lab.on("master", "cat", _SITE))
        if self.protection == "fencing":
            text = fencing.declared(self.settings, text)
        if self.protection == "device":
            self.lab.on("master", "systemctl", "start", "salt-minion")
            name = f"cluster_name: {PAIRS[self.pair].cluster_name}"
            text = text.replace(name, f"{name}{_DEVICE}", 1)
        self.lab.write_pillar(text, self.hosts)

    def _with_this_pair_alone(self, site):
        head, pairs = site.split("    cms:\n", 1)
        cms, mgmt = pairs.split("    mgmt:\n", 1)
        return f"{head}    {self.pair}:\n{cms if self.pair == 'cms' else mgmt}"

    def orchestrate(self):
        return self.lab.orchestrate()

    # --- what is seen ----------------------------------------------------------------------------

    def begin(self):
        """A round begins: what was active before it is over."""
        self._at = self.log.stat().st_size if self.log.exists() else 0
        self.began, self.cuts = time.monotonic(), {}

    def intervals(self):
        with open(self.log) as log:
            log.seek(self._at)
            log.readline()  # the rest of one
            active = activity.intervals(activity.beats(log, self.began))
        return [each for each in active if each.service == self.service]

    def cut_times(self):
        """By host, from when to when it was cut off, up to now."""
        now = time.monotonic()
        return {
            host: [(start, end or now) for start, end in times] for host, times in self.cuts.items()
        }

    def home(self):
        """Where Pacemaker has the service, as any host says that is asked."""
        locate = ("crm_resource", "--quiet", "--locate", "--resource", self.service)
        for host in self.hosts:
            found = self.try_on(host, "timeout", "5", *locate).split()
            if len(found) == 1:
                return found[0]
        raise LabError(f"nobody says where {self.service} is")

    def mate(self, host):
        (other,) = set(self.hosts) - {host}
        return other

    def _reachable_and_active(self):
        now = time.monotonic()
        cut = {host for host, times in self.cuts.items() if times and times[-1][1] is None}
        return {each.host for each in self.intervals() if each.end > now - 1} - cut

    def wait_until_served(self, seconds):
        """Until one host alone has had the service for a while, or so many seconds are over."""
        end, since, last = time.monotonic() + seconds, None, None
        while time.monotonic() < end:
            active = self._reachable_and_active()
            if len(active) != 1 or active != last:
                since, last = time.monotonic(), active
            elif time.monotonic() - since > _STEADY:
                return
            time.sleep(0.2)

    # --- what is done to it ----------------------------------------------------------------------

    def try_on(self, host, *command):
        """A command on a host, which may be off, or lose its power meanwhile; what it prints, or nothing."""
        try:
            return self.lab.on(host, *command, check=False)
        except LabError:
            return ""

    def signal(self, host, name, pattern):
        """Sends a signal to processes; what strikes nobody is no fault."""
        if self.lab.code(host, "pkill", f"-{name}", "-f", pattern):
            raise LabError(f"no process of {host} is called {pattern}")

    def cut(self, host):
        orders.ask(self.settings, "cut", host)
        self.cuts.setdefault(host, []).append((time.monotonic(), None))

    def heal(self, host):
        orders.ask(self.settings, "heal", host)
        if host in self.cuts:
            start, _ = self.cuts[host].pop()
            self.cuts[host].append((start, time.monotonic()))

    def spoil(self, host, **how):
        """Its cable loses, delays or doubles frames, see cmhalab.relay.How; heal() mends it."""
        orders.ask(self.settings, "spoil", host, how=how)
        if 1 in how.get("lost", ()):
            self.cuts.setdefault(host, []).append((time.monotonic(), None))

    def crash(self, host):
        orders.ask(self.settings, "crash", host)

    # --- what an administrator does meanwhile ----------------------------------------------------

    def begin_deed(self, *command):
        """A runner's function, beside what follows."""
        silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        self._deeds.append(self._begun("salt-run", *command, **silent))

    def _begun(self, *command, **streams):
        """A command on the master, beside what follows."""
        on = [str(conftest.HERE / "on"), "master"]
        return subprocess.Popen([*on, *command], env=self.lab.environment, **streams)

    def wait_for_deeds(self):
        for deed in self._deeds:
            try:
                deed.wait(LONGEST_DEED)
            except subprocess.TimeoutExpired:
                raise LabError(f"{' '.join(deed.args[2:])} doesn't end") from None
        self._deeds = []

    def kill_master(self):
        """Salt's master, and what it is doing for somebody; and it is started again."""
        self.lab.on("master", "systemctl", "kill", "--signal=KILL", "salt-master", check=False)
        self.lab.on("master", "pkill", "-KILL", "-f", "[s]alt-run", check=False)
        self.lab.on("master", "systemctl", "restart", "salt-master")
        minions.wait_for(self.settings, hosts.reachable(self.settings, self.hosts))

    def change_pillar(self):
        """What a restart of Corosync on each host has to follow: the cluster gets another name."""
        site, usual = self.lab.on("master", "cat", _SITE), PAIRS[self.pair].cluster_name
        name = f"{usual}x" if f"cluster_name: {usual}\n" in site else usual
        self.lab.write_pillar(_NAME.sub(f"cluster_name: {name}", site), self.hosts)

    # --- how it comes back -----------------------------------------------------------------------

    def bring_back(self, seconds, unfinished=False):
        """
        As a person: hosts that are off get power, and what status says is done, until it has nothing to say.
        Whoever was interrupted orchestrates where status has no better word.

        Returns what was done by hand, a list of lines; and what status still says after so many seconds.
        """
        end, done = time.monotonic() + seconds, []
        while True:
            self._switch_on()
            faults, states = self._status()
            if not faults:
                return list(dict.fromkeys(done)), []
            if time.monotonic() > end:
                return list(dict.fromkeys(done)), faults
            done += self._as_told(faults, states, unfinished)

    def _switch_on(self):
        for host in self.hosts:
            if orders.ask(self.settings, "hosts")[host]["state"] == "off":
                orders.ask(self.settings, "boot", host)
        for host in self.hosts:
            hosts.boot(self.settings, [host])  # waits until it is up

    def _status(self):
        code, data = self.lab.runner("cmha.status", f"pair={self.pair}")
        report = data["sites"]["lab"][self.pair]
        faults = data["errors"] + report["problems"]
        return faults if faults or code == 0 else [f"exit {code}"], report["nodes"]

    def _as_told(self, faults, states, unfinished):
        out = [host for host in self.hosts if states[host] == "stopped"]
        if len(out) == len(self.hosts):
            return self._orchestrated()
        if out:
            return self._rejoin(out[0])
        if any(_ORCHESTRATE in line for line in faults):
            return self._orchestrated()
        for line in faults:
            advice = _ADVICE.search(line)
            if advice:
                named = re.findall(rf"\b({'|'.join(self.hosts)}): ", line[: advice.start()])
                self._type(advice.group(0), named[-1] if named else None)
                return [advice.group(0)]
        if unfinished:
            return self._orchestrated()
        time.sleep(1)
        return []

    def _orchestrated(self):
        self.orchestrate()
        return ["orchestrated"]

    def _rejoin(self, host):
        _, data = self.lab.runner("cmha.rejoin", host, "confirm=True")
        first = _STOP_FIRST.search(data["error"] or "")
        if first:
            self.try_on(host, *first.group(1).split())
            return [f"{first.group(1)} on {host}"]
        if _BY_ORCHESTRATION in (data["error"] or ""):
            return self._orchestrated()
        return [f"rejoin {host}{': ' + data['error'] if data['error'] else ''}"]

    def _type(self, command, where):
        """On the host that a line names, or on any whose cluster answers."""
        if where in self.hosts:
            self.try_on(where, "timeout", "60", *command.split())
            return
        for host in self.hosts:
            if self.try_on(host, "timeout", "5", "crm_node", "--name"):
                self.try_on(host, "timeout", "60", *command.split())
                return
