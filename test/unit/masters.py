"""A master whose hosts answer from a table, for the tests of what is done to a pair."""

import contextlib

from cmha_master import HostError, Master

PAIR = {
    "pair": "cms",
    "role": "server",
    "cluster_name": "cmf",
    "resource": "cm",
    "service": "cm-service",
    "port": 7180,
    "timeouts": {"online": 5, "started": 6},
    "start_on_boot": "never",
    "device": None,
    "has_fence_devices": False,
    "nodes": [
        {"id": "h1", "name": "cms1", "address": "192.0.2.11"},
        {"id": "h2", "name": "cms2", "address": "192.0.2.12"},
    ],
}

# What only looks.
LOOKS = (
    "cmha_host.health", "cmha_host.causes", "cmha_host.pending", "cmha_host.plan", "crm.plan", "crm.check",
    "crm.feature_set", "crm.version",
    "crm.running", "crm.started", "crm.wait", "crm_forecast.after_move", "crm_forecast.unfenced",
    "fencing.missing_passwords",
    "corosync.pending", "daemons.not_in_repositories", "service.status",
)  # fmt: skip


class FakeMaster(Master):
    """
    Takes the place of ``cmha_master.Master``.

    ``answers`` has by function a value, or what is called with the host, the arguments and the options.
    ``asked`` lists all that hosts were asked, ``deeds`` what of it changes something.
    """

    def __init__(self, answers):
        super().__init__({})
        self.answers = answers
        self.asked, self.deeds, self.steps = [], [], []

    def __call__(self, opts):
        return self

    def ask(self, hosts, function, *arguments, **options):
        self._note(function, hosts, arguments, options)
        return {host: self._answer(host, function, arguments, options) for host in hosts}

    def ask_once(self, hosts, function, *arguments, **options):
        return self.ask(hosts, function, *arguments, **options)

    def need_rest(self, hosts):
        self.asked.append(("state.running", *hosts))

    def apply(self, hosts, *sls, **options):
        self._note(" ".join(sls), hosts, (), options)
        for host in hosts:
            failed = self._answer(host, sls[0], (), options)
            if failed:
                raise HostError(f"{host}: {failed}")

    @contextlib.contextmanager
    def told(self, site, pair, action, what, hosts):
        self.steps.append((site, pair, action, what))
        yield {}

    @contextlib.contextmanager
    def shown(self, line, hosts):
        yield

    def _note(self, what, hosts, arguments, options):
        looks = what in LOOKS or options.get("test")
        self.asked.append((what, *arguments))
        if not looks:
            self.deeds.append(f"{what} {'+'.join(hosts)}")

    def _answer(self, host, function, arguments, options):
        answer = self.answers.get(function)
        if not callable(answer):
            return answer
        try:
            return answer(host, *arguments, **options)
        except HostError as trouble:
            return trouble
