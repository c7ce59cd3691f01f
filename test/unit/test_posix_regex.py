"""POSIX's regular expressions in Python's words."""

import re
import warnings

import pytest


@pytest.fixture
def as_python(pure):
    return pure("posix_regex").as_python


@pytest.mark.parametrize(
    ("pattern", "matches", "not_"),
    [
        ("^a[[:digit:]]$", "a7", "ab"),
        ("^[[:alpha:][:digit:]_]+$", "a7_", "-"),
        ("^[^][:space:]]$", "x", "]"),
        ("^[]a]$", "]", "b"),
        (r"^\[:x$", "[:x", "x"),
    ],
)
def test_what_matches(as_python, pattern, matches, not_):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Python warns of what may be a set in a set
        found = re.compile(as_python(pattern))
    assert found.search(matches)
    assert not found.search(not_)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("[:digit:]", r"\[:digit:\] stands in brackets of its own"),
        ("[a][:digit:]", r"\[:digit:\] stands in brackets of its own"),
        ("[[:digits:]]", r"there is no class \[:digits:\]"),
    ],
)
def test_what_is_none(as_python, pattern, says):
    with pytest.raises(re.error, match=says):
        as_python(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(.*)+-cloudera", "(.*)*Z", "((.*)*)*Z", "(.+.+)+Z", "(.|.|.)*Z", "((.|.))+Z", "(.?.?)*Z",
        "(.*){20}Z", ".*.*.*.*.*.*.*Z", "(a(b+))*",
    ],
)  # fmt: skip
def test_what_takes_for_ever(pure, pattern):
    assert pure("posix_regex").costly(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^SUPERVISOR_PROCESS_NAME=[0-9]+-cloudera-mgmt-", "(EVENT|HOST).*=(x|y)", "(a+)?b", "[(*+|)]+",
        r"(\*)*", "[]*]*", "(ab)*c", "x|y*", "a{2,3}", ")*",
    ],
)  # fmt: skip
def test_what_does_not(pure, pattern):
    assert pure("posix_regex").costly(pattern) is None
