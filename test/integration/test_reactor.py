"""The reactor of docs/day-two.md, rendered by Salt's own, with what nobody should be able to say."""

import re

import pytest
import salt.config
import salt.utils.reactor

TAG = "cmha/east/cms/alert/node"
EVENT = {
    "host": "cms1",
    "site": "east",
    "pair": "cms",
    "kind": "node",
    "node": "cms2",
    "text": "lost",
}

EVIL = [
    "cms1\n\nown:\n  runner.salt.cmd:\n    - args:\n      - fun: cmd.run\n      - cmd: id",
    "$(id)",
    "`id`",
    "; id",
    "' id '",
    '" id "',
    '"\nown: {runner.salt.cmd: []}',
    "{{ salt['cmd.run']('id') }}",
    "{% do salt['cmd.run']('id') %}",
    "*",
    "-f /etc/shadow",
    "a\u2028own:\u2028  runner.salt.cmd:\u2028    - args: []",
    "a\x85own:\x85  runner.salt.cmd: []",
    "a: b",
    "- a",
    "x" * 2000,
]


@pytest.fixture(scope="module")
def example(formula):
    """The SLS that the documentation shows."""
    text = (formula / "docs/day-two.md").read_text()
    (found,) = re.findall(r"`/srv/reactor/node.sls`:\n\n```yaml\n(.*?)```", text, re.DOTALL)
    return found


@pytest.fixture(scope="module")
def react(example, tmp_path_factory):
    home = tmp_path_factory.mktemp("master")
    (home / "node.sls").write_text(example)
    (home / "master").write_text(f"{{root_dir: '{home}', cachedir: '{home}/cache'}}")
    opts = salt.config.master_config(str(home / "master"))
    reactor = salt.utils.reactor.Reactor(opts)
    return lambda event, host="cms1": reactor.render_reaction(
        str(home / "node.sls"), TAG, {"id": host, "tag": TAG, "data": event}
    )


def reactions(rendered):
    """By its name, what each reaction runs, for whom, with what."""
    found = {}
    for name, body in rendered.items():
        for kind, parts in body.items():
            if kind.startswith("__"):
                continue
            (function,) = (part for part in parts if isinstance(part, str))
            options = {k: v for part in parts if isinstance(part, dict) for k, v in part.items()}
            arguments = {k: v for part in options["args"] for k, v in part.items()}
            found[f"{kind}.{function}"] = (name, options.get("tgt"), arguments)
    return found


def test_what_it_does(react):
    assert reactions(react(EVENT)) == {
        "local.cmd.run": (
            "write it into the log of the host that tells",
            ["cms1"],
            {"cmd": ["logger", "-t", "cmha", "--", "cms2 is lost"], "python_shell": False},
        ),
        "runner.cmha.status": (
            "ask the hosts how the pair is",
            None,
            {"site": "east", "pair": "cms"},
        ),
    }
    assert react({**EVENT, "text": "member"}) in ({}, None)


@pytest.mark.parametrize("field", ["host", "site", "pair", "node", "id"])
@pytest.mark.parametrize("evil", EVIL)
def test_whatever_an_event_says_stays_a_value(react, field, evil):
    host = evil if field == "id" else "cms1"
    rendered = react(EVENT if field == "id" else {**EVENT, field: evil}, host)
    found = reactions(rendered or {})
    # or nothing at all is done, where YAML can't hold it
    assert not rendered or set(found) == {"local.cmd.run", "runner.cmha.status"}
    if rendered:
        command = found["local.cmd.run"][2]["cmd"]
        assert command[:4] == ["logger", "-t", "cmha", "--"]
        assert len(command) == 5
        if field == "node" and not set("\u2028\x85") & set(evil):  # YAML folds these two
            assert command[4] == f"{evil} is lost"
        assert found["local.cmd.run"][2]["python_shell"] is False
