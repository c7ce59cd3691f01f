"""
What the master asks of hosts, by Salt jobs.
"""

import contextlib
import functools
import glob
import hashlib
import os
import re
import socket
import threading
import time

import cmha_answers
import cmha_presence
import cmha_progress
import cmha_together
import salt.client
import salt.key
import salt.loader.lazy
import salt.utils.files
import state_returns
from salt.exceptions import SaltException

# How Salt says that a function has been called with arguments that it doesn't have
_OTHER_ARGUMENTS = ("Passed invalid arguments", "keyword arguments are not valid")

# What a host does with this master's files, or with pillar: in the environment that has them
_IN_AN_ENVIRONMENT = (
    "state.apply", "cmha_host.causes", "cmha_host.fitness", "cmha_host.health", "cmha_host.pending",
    "cmha_host.plan", "cmha_look.everything",
)  # fmt: skip

_TRACEBACK = "Traceback (most recent call last)"

# How Salt says that a host does nothing, since it is busy with other states
_BUSY = re.compile(r'The function "\S+" is running as PID ')

# Seconds for which other states are waited for: a first installation takes minutes
_LONGEST = 900

# Seconds before the master begins to ask whether hosts still work at what takes long; they end nothing
_SLOW = {"state.apply": 30, "cmha_look.everything": 15}
# and how many more for each host: a master takes in a hundred answers in a second, or fewer
_FOR_EACH_HOST = 0.02

# The kinds of modules that a host needs
SYNCED = ("utils", "modules", "states", "beacons")

_ONE_AT_A_TIME = threading.Lock()

# Seconds for which a salt-master may listen nowhere that is about to start
_RESTARTS = 30


def __virtual__():
    return True


class HostError(Exception):
    """What went wrong on a host, in one line that names the host; and in which state it was found."""

    def __init__(self, line, state=cmha_presence.ERROR):
        super().__init__(cmha_answers.shown(line))
        self.state = state


def line_on(error):
    """
    A line on what ended work at one of many.

    error
        An exception; one that isn't a ``HostError`` is a defect.
    """
    return str(error) if isinstance(error, HostError) else repr(error)


class Interrupted(HostError):
    """A person, or Salt, doesn't want to wait any longer."""


class Master:
    """Asks hosts by Salt jobs, in the environments of its configuration: ``saltenv``, ``pillarenv``.
    ``patience``: see ``cmha_together.asked``."""

    def __init__(self, opts, patience=None):
        self.opts, self.patience = opts, patience

    def ask(self, hosts, function, *arguments, **options):
        """The answers by host. What is no answer is a HostError; it isn't raised. A host that is busy with
        other states is asked again when it has done them."""
        end = time.monotonic() + _LONGEST
        answers = self.ask_once(hosts, function, *arguments, **options)
        while occupied := busy(answers):
            still = self.wait_for_rest(occupied, end)
            lines = {host: HostError(_still_busy({host: said})) for host, said in still.items()}
            answers.update(lines)
            free = [host for host in occupied if host not in still]
            if free:
                answers.update(self.ask_once(free, function, *arguments, **options))
        return answers

    def wait_for_rest(self, occupied, end):
        """Until hosts have done the states that they are busy with, or the end; those that still do them, as
        ``busy`` returns them."""
        waits = f"waiting for other states to end: {_each(occupied)}"
        with cmha_progress.shown(self.opts, waits, occupied):
            while occupied and time.monotonic() <= end:
                time.sleep(1)
                try:
                    occupied = busy(self.ask_once(list(occupied), "state.running"))
                except Interrupted:
                    raise Interrupted(
                        f"interrupted while waiting for other states on {' and '.join(occupied)}; nothing "
                        "was begun there"
                    ) from None
        return occupied

    def need_rest(self, hosts):
        """Before something is begun on all of them together: none is busy with other states."""
        occupied = busy(self.ask_once(hosts, "state.running"))
        still = occupied and self.wait_for_rest(occupied, time.monotonic() + _LONGEST)
        if still:
            raise HostError(_still_busy(still))

    def ask_once(self, hosts, function, *arguments, **options):
        """As ``ask``; what a host that is busy with other states says is its answer."""
        deaf = self._deaf()
        if deaf:
            return {host: _trouble(cmha_presence.NO_MASTER, host, said=deaf) for host in hosts}
        try:
            kwarg = {**self._environment(function), **options}
            how = {"timeout": _SLOW[function]} if function in _SLOW else {}
            returned = self._returned(hosts, function, arguments, kwarg=kwarg, **how)
        except (KeyboardInterrupt, SystemExit):  # Salt makes Ctrl-C a SystemExit
            raise Interrupted(
                f"interrupted; {function} goes on on {' and '.join(hosts)} by itself, salt-run cmha.status "
                "shows the outcome"
            ) from None
        except SaltException as error:
            said = " ".join(str(error).split())
            return {host: _trouble(cmha_presence.NO_MASTER, host, said=said) for host in hosts}
        answers = {host: _answer(host, function, returned.get(host)) for host in hosts}
        return {**answers, **self._without_key(answers)}

    def _returned(self, hosts, function, arguments, **how):
        """The full returns by host; by a job for all who ask the same side by side."""
        job = functools.partial(self._job, function, arguments, **how)
        question = [function, arguments, how]
        shared = cmha_together.asked(question, hosts, job, self.patience)
        if shared is not None:
            return shared
        how = self._patient(hosts, **how)
        with _client(self.opts) as client:
            return client.cmd(
                list(hosts), function, arguments, tgt_type="list", full_return=True, **how
            )

    def _job(self, function, arguments, hosts, **how):
        """The full returns, as they come."""
        with _client(self.opts) as client:
            with (
                _ONE_AT_A_TIME
            ):  # what the client loads at its first answer: Salt 3006 can't by two threads
                client.returners.get(f"{self.opts.get('master_job_cache')}.get_load")
            how = self._patient(hosts, **how)
            for returned in client.cmd_cli(hosts, function, arguments, tgt_type="list", **how):
                yield from (returned or {}).items()

    def _patient(self, hosts, **how):
        """Many answers take the master a while; who has none by then is asked whether it still works."""
        more = int(len(hosts) * _FOR_EACH_HOST)
        if not more:
            return how
        return {**how, "timeout": how.get("timeout", self.opts.get("timeout", 5)) + more}

    def _deaf(self):
        """Why salt-master takes no job, or ``None``. One that restarts is waited for; Salt itself would try
        for one and a half minutes."""
        where = (self.opts.get("interface"), self.opts.get("ret_port"))
        end = time.monotonic() + _RESTARTS
        while all(where) and _refuses(*where):
            if time.monotonic() > end:
                return f"nobody listens on {where[0]}, port {where[1]}"
            time.sleep(0.5)
        return None

    def _environment(self, function):
        """Without any, a host goes by its own configuration."""
        return environment(self.opts) if function in _IN_AN_ENVIRONMENT else {}

    def _without_key(self, answers):
        """Hosts that are silent since nobody listens to them."""
        silent = [host for host, each in answers.items() if _is_silent(each)]
        if not silent:
            return {}
        accepted = salt.key.get_key(self.opts).list_status("accepted")["minions"]
        return {host: _trouble(cmha_presence.NO_KEY, host) for host in set(silent) - set(accepted)}

    def need(self, hosts, function, *arguments, **options):
        """The answers by host; raises the first HostError."""
        answers = self.ask(hosts, function, *arguments, **options)
        for answer in answers.values():
            if isinstance(answer, HostError):
                raise answer
        return answers

    def sync(self, hosts):
        """Gives hosts the formula's modules."""
        functions = [f"saltutil.sync_{kind}" for kind in SYNCED]
        where = environment(self.opts).get("saltenv")
        arguments = [[where] if where else [] for _ in functions]
        # why this master takes no job, says whoever asks next
        if self._deaf():
            return
        with contextlib.suppress(SaltException):
            self._returned(hosts, functions, arguments)

    def apply(self, hosts, *sls, **options):
        """Applies state files; raises a HostError that says which state failed where, and why."""
        for host, states in self.need(hosts, "state.apply", ",".join(sls), **options).items():
            why = state_returns.why_failed(states)
            if why:
                raise HostError(f"{host}: {why}")

    def told(self, site, pair, action, what, hosts):
        return cmha_progress.told(self.opts, site, pair, action, what=what, hosts=hosts)

    def shown(self, line, hosts):
        return cmha_progress.shown(self.opts, line, hosts, at_once=False)


@contextlib.contextmanager
def _client(opts):
    """Salt's client. At its end it would take away what all loaders of this process have loaded, and a thread
    that loads a module at that moment would fail."""
    with salt.client.get_local_client(mopts=opts) as client:
        try:
            yield client
        finally:
            for kind, held in list(vars(client).items()):
                if isinstance(held, salt.loader.lazy.LazyLoader):
                    setattr(client, kind, {})


def _refuses(host, port):
    """Whether nobody listens there. What else may be wrong is for who really has something to say."""
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except ConnectionRefusedError:
        return True
    except (OSError, ValueError):
        return False
    return False


def environment(opts):
    """
    The environment that a job on a host has to name: ``saltenv`` and ``pillarenv``, those that aren't Salt's
    own default.

    opts
        The master's configuration.
    """
    default = {"saltenv": "base", "pillarenv": None}
    return {key: opts[key] for key, value in default.items() if opts.get(key) not in (None, value)}


def ask(opts, hosts, function, *arguments, **options):
    """
    Ask hosts by a Salt job.

    opts
        The master's configuration.
    hosts
        List of minion ids.
    function, arguments, options
        The execution function and what it gets.

    Returns the answers by host; what is no answer is a ``HostError``, an exception that isn't raised.
    """
    return Master(opts).ask(hosts, function, *arguments, **options)


def busy(answers):
    """
    The hosts that did nothing, since they are busy with other states: what Salt says of these, by host.

    answers
        What a job that applies states returned, by host.
    """
    return {
        host: answer[0]
        for host, answer in answers.items()
        if isinstance(answer, list) and answer and _BUSY.match(str(answer[0]))
    }


def _still_busy(occupied):
    return (
        f"other states still run after {_LONGEST // 60} minutes ({_each(occupied)}); wait until they have "
        "ended, or end them (salt HOST saltutil.kill_job JID)"
    )


def _each(occupied):
    return "; ".join(f"{host}: {said}" for host, said in sorted(occupied.items()))


def fitness(opts, hosts, ours, sls=None):
    """
    What ``cmha_host.fitness`` says on hosts, or ``cmha_look.everything``. They get the formula's modules
    where theirs aren't this master's.

    opts
        The master's configuration.
    hosts
        List of minion ids.
    ours
        The digest of this master's modules, see ``code``.
    sls
        What ``cmha_look.everything`` gets; without it ``cmha_host.fitness`` is asked.

    Returns the answers by host, as ``ask`` does.
    """
    master = Master(opts)
    question = ("cmha_look.everything", sls) if sls else ("cmha_host.fitness",)
    with master.shown("preflight", hosts):
        # in one job: a pair's hosts try at the same time whether they hear each other
        answers = master.ask(hosts, *question)
        there = [host for host, each in answers.items() if not _is_silent(each)]
        if any(_code(answers[host]) != ours for host in there):
            master.sync(there)
            answers.update(master.ask(there, *question))
    return answers


def _code(answer):
    if isinstance(answer, HostError):
        return None
    return answer.get("fitness", answer)["code"]


def _is_silent(answer):
    states = (cmha_presence.SILENT, cmha_presence.NO_KEY)
    return isinstance(answer, HostError) and answer.state in states


def _answer(host, function, returned):
    silent = not returned or "ret" not in returned or "retcode" not in returned
    if silent or str(returned["ret"]).startswith("Minion did not return"):
        return _trouble(cmha_presence.SILENT, host)
    value = returned["ret"]
    if returned.get("retcode") and isinstance(value, str):
        return _complaint(host, function, value)
    value = cmha_answers.taken(function, value)
    problem = cmha_answers.problem(function, value)
    if problem:
        return _trouble(cmha_presence.ANOTHER_VERSION, host, function=function, said=problem)
    return value


def _complaint(host, function, said):
    """What a host says in place of an answer."""
    if said.startswith(f"'{function}' is not available"):
        return _trouble(cmha_presence.WITHOUT_MODULES, host, function=function)
    if any(words in said for words in _OTHER_ARGUMENTS):
        first = said.splitlines()[0]
        return _trouble(cmha_presence.ANOTHER_VERSION, host, function=function, said=first)
    if _TRACEBACK in said:
        last = said.strip().splitlines()[-1]
        return HostError(f"{host}: {function} ended with {last}; salt-minion's log there has more")
    return HostError(_named(host, said.removeprefix("ERROR: ").strip()))


def _trouble(state, host, **words):
    return HostError(cmha_presence.line(state, host, **words), state)


def _named(host, said):
    return said if host in said else f"{host}: {said}"


def code(directory, beacons=()):
    """
    A digest of the modules that Salt has synced to a directory, by which a host's are compared with the
    master's: to compare takes less than to sync.

    directory
        The configuration's ``extension_modules``.
    beacons
        Paths of beacons that are elsewhere: a master syncs none for itself.
    """
    synced = (glob.glob(os.path.join(directory, kind, "*.py")) for kind in SYNCED)
    named = {_kind_and_name(path): path for paths in (*synced, beacons) for path in paths}
    found = hashlib.sha256()
    for name, path in sorted(named.items()):
        with salt.utils.files.fopen(path, "rb") as file:
            found.update(name.encode() + file.read())
    return found.hexdigest()


def _kind_and_name(path):
    directory, name = os.path.split(path)
    return f"{os.path.basename(directory).lstrip('_')}/{name}"
