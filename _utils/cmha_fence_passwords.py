"""
The passwords of fence devices. What Pacemaker is told, it shows and logs; so each host has a device's
password in a file of its own, which the agent reads.

Pure functions. Sources: the library of fence-agents; cluster-glue's ``external/ipmi``, "passwd_method".
"""

from collections import namedtuple

_PLACE = "/etc/cmha/fencing"
_MARK = "#!/bin/sh\n# cmha keeps this, and takes it away again\n"

# A parameter that says the password; the one that says where it is instead; what goes with that; how the
# file's name ends, and what is in it.
_Way = namedtuple("_Way", "param reads others ending content")


def _program(password):
    quoted = password.replace("'", "'\\''")
    return f"{_MARK}printf '%s\\n' '{quoted}'\n"


def _plain(password):
    return f"{password}\n"


_PLAIN_ENDING = ".password"
DEVICES = "fence-"  # how the devices of the short form are called
_FENCE_AGENTS = (
    _Way("password", "password_script", {}, "", _program),
    _Way("passwd", "passwd_script", {}, "", _program),  # of those before fence-agents 4.1
)
_GLUE = {
    "external/ipmi": (_Way("passwd", "passwd", {"passwd_method": "file"}, _PLAIN_ENDING, _plain),)
}

_SAID = {way.param for ways in (_FENCE_AGENTS, *_GLUE.values()) for way in ways}
_READ = {way.reads for ways in (_FENCE_AGENTS, *_GLUE.values()) for way in ways}


def __virtual__():
    return True


def place():
    """The directory of these files."""
    return _PLACE


def said():
    """The parameters that may say a password in plain words."""
    return sorted(_SAID)


def reading():
    """The parameters that may say where a password is."""
    return sorted(_READ)


def named_twice(params):
    """
    The parameters of a device that say the same password.

    params
        The device's parameters.

    Returns a list of two or more; else an empty one.
    """
    names = [name for way in _FENCE_AGENTS for name in (way.param, way.reads) if name in params]
    return names if len(names) > 1 else []


def without(device, agent, params):
    """
    A device's parameters as Pacemaker is told them, where its agent can read the password from a file.

    device
        Its name.
    agent
        As in a primitive.
    params
        Its parameters.
    """
    way = _way(agent, params)
    if way is None:
        return params
    others = {name: value for name, value in params.items() if name != way.param}
    return {**others, way.reads: f"{_PLACE}/{device}{way.ending}", **way.others}


def kept(device, agent, params):
    """
    What a host keeps of a device's password.

    device, agent, params
        See ``without``.

    Returns ``None`` when its agent can't read one; else a mapping: ``file``, a name in ``place``;
    ``content``, and ``password``.
    """
    way = _way(agent, params)
    if way is None:
        return None
    password = str(params[way.param])
    return {
        "file": f"{device}{way.ending}",
        "content": way.content(password),
        "password": password,
    }


def is_ours(name, content):
    """
    Whether a file of that directory is one of cmha's.

    name
        The file's.
    content
        Text.
    """
    plain = name.startswith(DEVICES) and name.endswith(_PLAIN_ENDING)
    return plain or content.startswith(_MARK)


def reads_file(params):
    """
    By which parameter a device's agent reads its password from a file of cmha's; ``None`` when it doesn't.

    params
        The device's parameters.
    """
    return next((name for name in sorted(_READ) if is_there(params.get(name, ""))), None)


def is_there(path):
    """Whether a path is in the directory of these files."""
    return str(path).startswith(f"{_PLACE}/")


def _way(agent, params):
    name = agent.removeprefix("stonith:")
    ways = _GLUE.get(name, ()) if "/" in name else _FENCE_AGENTS
    said_otherwise = {each for way in ways for each in way.others}
    if said_otherwise & set(params):
        return None
    return next((way for way in ways if way.param in params), None)
