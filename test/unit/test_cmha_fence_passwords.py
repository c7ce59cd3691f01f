"""The files from which fence agents read their passwords."""

import subprocess

import pytest

PASSWORD = "hunter2 &;$"
AGENTS = ("fence_ipmilan", "stonith:fence_ipmilan")
GLUE = ("external/ipmi", "stonith:external/ipmi")


@pytest.fixture
def files(pure):
    return pure("cmha_fence_passwords")


@pytest.mark.parametrize(
    "password", [PASSWORD, "it's", "'; touch /x; '", "%s\\n", "-n", "ä ö", '"x"']
)
def test_the_program_prints_the_password(files, tmp_path, password):
    program = tmp_path / "program"
    program.write_text(files.kept("x", "fence_x", {"password": password})["content"])
    program.chmod(0o700)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout == f"{password}\n"


@pytest.mark.parametrize(
    ("agent", "param", "told", "content"),
    [
        ("fence_x", "password", {"password_script": "/etc/cmha/fencing/fence-x"}, None),
        ("stonith:fence_x", "passwd", {"passwd_script": "/etc/cmha/fencing/fence-x"}, None),
        (
            "external/ipmi",
            "passwd",
            {"passwd": "/etc/cmha/fencing/fence-x.password", "passwd_method": "file"},
            f"{PASSWORD}\n",
        ),
        ("external/ipmi", "password", None, None),
        ("external/riloe", "passwd", None, None),
    ],
)
def test_where_an_agent_reads_it(files, agent, param, told, content):
    params = {"ip": "x", param: PASSWORD}
    kept = files.kept("fence-x", agent, params)
    if told is None:
        assert (kept, files.without("fence-x", agent, params)) == (None, params)
        return
    assert files.without("fence-x", agent, params) == {"ip": "x", **told}
    assert files.reads_file(told) in told
    assert f"/etc/cmha/fencing/{kept['file']}" in told.values()
    assert content in (None, kept["content"])
    assert files.is_ours(kept["file"], kept["content"])


@pytest.mark.parametrize(
    ("name", "content"), [("fence-x", "#!/bin/sh\necho x\n"), ("my.password", "secret\n")]
)
def test_what_somebody_else_wrote_is_not_ours(files, name, content):
    assert not files.is_ours(name, content)


@pytest.mark.parametrize(
    ("names", "twice"),
    [
        (["password"], []),
        (["password", "passwd"], ["password", "passwd"]),
        (["password_script", "password"], ["password", "password_script"]),
    ],
)
def test_a_password_is_said_once(files, names, twice):
    assert files.named_twice(dict.fromkeys(names, "x")) == twice
