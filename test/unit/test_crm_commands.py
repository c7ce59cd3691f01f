"""What Pacemaker's tools say of a failure, in one line."""

import pytest


@pytest.fixture
def said(pure):
    return pure("crm_commands").said


def answer(stdout="", stderr="", retcode=1):
    return {"stdout": stdout, "stderr": stderr, "retcode": retcode}


@pytest.mark.parametrize(
    ("of", "line"),
    [
        (answer(stderr="  no such\n\n  resource \n"), "no such resource"),
        (answer(stdout="out", stderr="err"), "err"),
        (answer(stdout="only out"), "only out"),
        (answer(retcode=69), "exit code 69"),
        # it may hold a password
        (answer(stderr='bad\n<nvpair value="secret"/>\nindeed'), "bad indeed"),
        (answer(stderr="<cib/>", retcode=78), "exit code 78"),
        (answer(stderr="x" * 600), "x" * 500),
    ],
)
def test_a_failure_is_one_line_without_xml(said, of, line):
    assert said(of) == line


def test_a_file_in_place_of_a_cluster(pure, monkeypatch):
    monkeypatch.delenv("CIB_file", raising=False)
    assert not pure("crm_commands").on_a_file()
    monkeypatch.setenv("CIB_file", "/tmp/cib.xml")
    assert pure("crm_commands").on_a_file()
