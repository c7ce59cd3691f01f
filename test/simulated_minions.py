"""Hosts that are none: many of Salt's minions in one process, where a test or the bench wants many sites.

    python test/simulated_minions.py CONFIG     (JSON, as many_sites.Master writes it)

Each has its own id and session with the master, over Salt's own channels, with real keys (one pair for all:
to make a thousand takes minutes). They hear jobs on one subscription. What they return is what a well
host answers (test/facts.py), after the seconds that it took on the lab's hosts; ``quick`` makes these none.
Prints "ready" when all have signed in, then a line for each job: its function, how many hosts it reached, and
the seconds that each of them takes. Ends with its standard input.
"""

import asyncio
import functools
import json
import sys
import threading
import time

import facts
import salt.channel.client
import salt.config

try:
    from tornado.ioloop import IOLoop
except ImportError:  # Salt 3006 brings its own
    from salt.ext.tornado.ioloop import IOLoop

# Seconds, as the lab's hosts took
SECONDS = {
    "test.ping": 0.05,
    "cmha_host.fitness": 0.6,
    "cmha_look.everything": 1.9,  # where a cluster runs; where none does, it's little more than fitness
    "cmha_host.pending": 0.4,
    "cmha_host.health": 0.9,
    "state.running": 0.05,
}
STEPS = {
    "cmha.host,cmha.corosync": 30,
    "cmha.start": 24,
    "cmha.managed,cmha.cluster": 6,
    "cmha.verify": 3,
}
LOOK = "cmha_look.everything"

# States in a return, and bytes of each: what the real ones have
STATES = 40


class Host:
    """What one host answers."""

    def __init__(self, name, pair, node, digest, code):
        self.name, self.pair, self.node = name, pair, node
        self.digest, self.code, self.runs = digest, code, False

    def answer(self, function, arguments):
        """Seconds, and what it returns then."""
        question = "cmha_host.fitness" if function == LOOK and not self.runs else function
        seconds = STEPS[arguments[0]] if function == "state.apply" else SECONDS.get(question, 0.1)
        return seconds, getattr(self, f"_{function.replace('.', '_')}")(arguments)

    def _test_ping(self, _):
        return True

    def _state_running(self, _):
        return []

    def _maintenance_status(self, _):
        return {"on": False, "ours": False}

    def _cmha_host_fitness(self, _):
        nodes = self.pair["nodes"]
        here = nodes[self.node]
        return facts.answer(
            "cmha_host.fitness",
            pillar=self.digest,
            code=self.code,
            time=time.time(),
            nodename=here["name"],
            addresses=["127.0.0.1", here["address"]],
            resolves={each["name"]: [each["address"]] for each in nodes},
            agent=self.pair["agent"],
            service=self.pair["resource"],
            conf="cmha" if self.runs else "none",
            cluster={"is": "this pair" if self.runs else "none", "runs": "none", "seen": ""},
            running=self.runs,
            members=[each["address"] for each in nodes] if self.runs else [],
            pacemaker="2.1.5",
            to_come={},
        )

    def _cmha_look_everything(self, _):
        seen = dict.fromkeys(("to_do", "pending", "health"))
        if self.runs:
            seen = {
                "to_do": [],
                "pending": self._cmha_host_pending(_),
                "health": self._cmha_host_health(_),
            }
        return {"fitness": self._cmha_host_fitness(_), **seen, "spent": 0.1}

    def _cmha_host_pending(self, _):
        return {**facts.NOTHING_WAITS, "running": self.runs, "pacemaker": self.runs}

    def _cmha_host_health(self, _):
        resource = self.pair["resource"]
        first, second = (each["name"] for each in self.pair["nodes"])
        good = facts.answer("cmha_host.health")
        node = {**good["cluster"]["nodes"]["cms1"], "online": True}
        started = {**good["cluster"]["resources"]["cloudera-scm-server"]}
        started.update(started=[first], nodes=[first])
        cluster = {**good["cluster"], "dc": first, "failures": [], "fencings": []}
        cluster.update(nodes={first: node, second: node}, resources={resource: started})
        here = self.node == 0
        nothing = ("hangs", "recovers", "leftovers", "unable", "drift", "at_boot", "unfenced")
        return {
            **good,
            **{each: [] for each in nothing},
            "cluster": cluster,
            "since": {first: int(time.time()) - 60},
            "service": {**good["service"], "running": here},
            "answers": here if self.pair["port"] else None,
            "survival": {first: {"takes_over": second, "why": []}},
            "pillar": self.digest,
            "device": None,
        }

    def _state_apply(self, arguments):
        self.runs = self.runs or "cmha.start" in arguments[0]
        return {
            f"file_|-{number}_|-/etc/cmha/{number}_|-managed": {
                "__id__": str(number), "__run_num__": number, "__sls__": arguments[0].split(",")[0],
                "name": f"/etc/cmha/{number}", "result": True, "comment": "x" * 80, "duration": 1.5,
                "start_time": "10:00:00.000000", "changes": {} if number else {"diff": "New file"},
            }
            for number in range(STATES)
        }  # fmt: skip


class Minions:
    """All of them, signed in at the master."""

    def __init__(self, opts, hosts, quick):
        self.opts, self.hosts, self.quick = opts, hosts, quick
        self.loop, self.channels, self.listens = IOLoop.current(), {}, None
        self.tokens, self.under_way = {}, set()

    async def sign_in(self):
        for name in self.hosts:
            channel = salt.channel.client.AsyncReqChannel.factory({**self.opts, "id": name})
            if not channel.auth.authenticated:
                await channel.auth.authenticate()
            channel.auth.gen_token = functools.partial(self._token, channel.auth.gen_token)
            self.channels[name] = channel
        first = {**self.opts, "id": next(iter(self.hosts))}
        self.listens = salt.channel.client.AsyncPubChannel.factory(first)
        await self.listens.connect()
        self.listens.on_recv(self.heard)

    def _token(self, signed, text):
        """What a minion signs for each request. They all have the same key."""
        if text not in self.tokens:
            self.tokens[text] = signed(text)
        return self.tokens[text]

    def heard(self, payload):
        load = payload["load"]
        meant = [self.hosts[each] for each in load["tgt"] if each in self.hosts]
        each_takes = [self._answer_later(host, load) for host in meant]
        if meant and load["fun"] != "saltutil.find_job":
            print(json.dumps([load["fun"], len(meant), max(each_takes)]), flush=True)
        done = asyncio.Future()  # Salt 3008 waits for it, 3006 doesn't
        done.set_result(None)
        return done

    def _answer_later(self, host, load):
        """The seconds that it takes."""
        function, mine = load["fun"], (host.name, load["jid"])
        arguments = [each for each in load["arg"] if not isinstance(each, dict)]
        if function == "saltutil.find_job":
            at_it = (host.name, arguments[0]) in self.under_way
            seconds, value = 0, {"jid": arguments[0]} if at_it else {}
        else:
            seconds, value = host.answer(function, arguments)
            self.under_way.add(mine)
        ret = {
            "cmd": "_return", "id": host.name, "jid": load["jid"], "fun": function, "success": True,
            "fun_args": load["arg"], "return": value, "retcode": 0,
        }  # fmt: skip

        def send():
            self.under_way.discard(mine)
            return self.channels[host.name].send(ret, timeout=120)

        self.loop.call_later(0 if self.quick else seconds, send)
        return seconds


def main(path):
    with open(path) as file:
        config = json.load(file)
    opts = {**salt.config.minion_config(None), **config["opts"]}
    hosts = {
        node["id"]: Host(node["id"], pair, number, each["digest"], config["code"])
        for each in config["sites"]
        for pair in each["pairs"]
        for number, node in enumerate(pair["nodes"])
    }
    minions = Minions(opts, hosts, config["quick"])
    minions.loop.run_sync(minions.sign_in)
    print("ready", flush=True)

    def until_nobody_wants_them():
        sys.stdin.read()
        minions.loop.add_callback(minions.loop.stop)

    threading.Thread(target=until_nobody_wants_them, daemon=True).start()
    minions.loop.start()


if __name__ == "__main__":
    main(sys.argv[1])
