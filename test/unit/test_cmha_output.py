"""What people read of the runner's reports: the bad news first, short, aligned."""

import pytest


@pytest.fixture
def cmha(load_file):
    return load_file("_output/cmha.py", opts={"color": False, "color_theme": None})


def report(kind, **data):
    return {"outputter": "cmha", "report": kind, "retcode": 0, **data}


def pair(health="good", **changes):
    return {
        "health": health,
        "problems": [],
        "dc": "cms1",
        "quorum": True,
        "nodes": {"cms1": "online", "cms2": "online"},
        "service": {"resource": "cm", "nodes": ["cms1"], "since": None},
        "outlook": [],
        **changes,
    }


def test_drills_at_several_sites(cmha):
    move = {"from": "cms1", "to": "cms2", "away": 3.1, "seen_by": "the page", "overcome": []}
    well = {"resource": "cm", "moves": [move], "cleared": [], "outlook": ["if x"], "error": None}
    data = report(
        "drills",
        pair="cms",
        sites={"a": well, "b": {"error": "refused: no"}},
        not_begun=["c", "d"],
        errors=[],
    )
    assert cmha.output(data).splitlines() == [
        "b cms: refused: no",
        "a cms: cm moved from cms1 to cms2; it was away for 3.1 s, by the page",
        "a cms: if x",
        "not begun: c, d",
    ]


def test_a_fit_site(cmha):
    data = report(
        "preflight",
        sites={"east": ["cms", "mgmt"], "west": ["cms"], "north": []},
        errors=[],
        warnings=["w"],
    )
    assert cmha.output(data).splitlines() == [
        "warning: w",
        "east: cms and mgmt are fit",
        "west: cms is fit",
    ]


def test_an_error_of_preflight_is_not_followed_by_good_news(cmha):
    data = report("preflight", sites={"east": ["cms"]}, errors=["e", "f"], warnings=["w"])
    assert cmha.output(data).splitlines() == ["e", "f", "warning: w"]


STATUS = report(
    "status",
    errors=["no minion's pillar names the site x"],
    sites={
        "east": {
            "cms": pair(outlook=["if cms1 dies, so"]),
            "mgmt": pair("poor", problems=["cms2 is standby"], dc="cms2"),
        },
        "north": {
            "cms": pair(
                "bad",
                problems=["worst", "bad"],
                dc=None,
                quorum=False,
                nodes={"alpha": "online", "beta": "stopped"},
                service={"resource": "cm", "nodes": ["alpha", "beta"], "since": None},
            ),
            "mgmt": pair(service={"resource": "cm", "nodes": ["cms1"], "since": "noon"}),
            "db": pair(
                "bad",
                quorum=None,
                dc=None,
                nodes={"db1": "silent", "db2": "silent"},
                service={"resource": "db", "nodes": [], "since": None},
            ),
        },
    },
)


def test_status(cmha):
    assert cmha.output(STATUS).splitlines() == [
        "no minion's pillar names the site x",
        "bad   north cms   cm on alpha and beta              alpha online, beta stopped     no quorum",
        "      worst",
        "      bad",
        "bad   north db    db on no host                     db1 silent, db2 silent         no cluster",
        "poor  east mgmt   cm on cms1                        cms1 online, cms2 online (DC)  quorum",
        "      cms2 is standby",
        "good  east cms    cm on cms1                        cms1 online (DC), cms2 online  quorum",
        "      if cms1 dies, so",
        "good  north mgmt  cm on cms1            since noon  cms1 online (DC), cms2 online  quorum",
    ]


def test_a_status_of_nothing(cmha):
    assert cmha.output(report("status", errors=[], sites={})) == ""


PLANNED = {"hosts": {}, "restart": None, "cluster": None, "error": None}


def planned(**changes):
    return report("plan", errors=[], warnings=[], sites={"east": {"cms": {**PLANNED, **changes}}})


def test_a_plan_of_nothing(cmha):
    nothing = {"changes": {}, "comment": "x", "summary": ["no change"], "warnings": []}
    data = planned(hosts={"cms1": []}, restart=nothing, cluster=nothing)
    assert cmha.lines(data) == [("east cms: nothing differs", "good")]


def test_a_plan_that_failed_is_not_called_good(cmha):
    data = {**planned(error="cms1: no"), "errors": ["site east, pair cms: cms1: no"]}
    assert cmha.lines(data) == [("site east, pair cms: cms1: no", "bad"), ("east cms", "good")]


def test_a_plan(cmha):
    change = {"old": "1000", "new": "3000"}
    data = planned(
        hosts={
            "cms1": [
                {"state": "corosync.conf", "changes": {"diff": "-a\n+b"}, "comment": "would\nlong"},
                {"state": "iptables", "changes": {}, "comment": ""},
            ]
        },
        restart={
            "changes": {
                "cms1": {"corosync": {"totem.token": change}, "how": "reload"},
                "cms2": {"packages": {"corosync": change}, "how": "reload"},
            },
            "comment": "would be taken in by a reload on cms1 and cms2",
        },
        cluster={
            "changes": {"x": change},
            "summary": ["would stop or move what runs: Stop old", "would add properties:x: 1"],
            "warnings": [],
        },
    )
    assert cmha.output(data).splitlines() == [
        "east cms",
        "  would stop or move what runs: Stop old",
        "  would add properties:x: 1",
        "  would be taken in by a reload on cms1 and cms2; the service runs on",
        "    cms1: totem.token 1000 -> 3000",
        "    cms2: corosync 1000 -> 3000",
        "  cms1: corosync.conf: would",
        "      -a",
        "      +b",
        "  cms1: iptables: ",
    ]
    healths = dict(cmha.lines(data))
    assert healths["  would stop or move what runs: Stop old"] == "bad"
    assert healths["  would add properties:x: 1"] is None


def test_a_plan_that_stops_nothing(cmha):
    data = planned(
        cluster={
            "changes": {"x": 1},
            "summary": ["would add properties:x: 1"],
            "warnings": ["y: odd"],
        }
    )
    assert ("  would add properties:x: 1", None) in cmha.lines(data)
    assert ("  warning: y: odd", "poor") in cmha.lines(data)


MOVE = {
    "from": "cms1",
    "to": "cms2",
    "away": 3.1,
    "seen_by": "the page on port 7180",
    "overcome": [],
}


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (
            {
                "moves": [MOVE],
                "cleared": ["cli-ban-cm"],
                "outlook": ["if cms2 dies, so"],
                "error": None,
            },
            [
                ("cleared cli-ban-cm, which an earlier move had left", None),
                (
                    "cm moved from cms1 to cms2; it was away for 3.1 s, by the page on port 7180",
                    "good",
                ),
                ("if cms2 dies, so", None),
            ],
        ),
        (
            {"moves": [], "cleared": [], "outlook": [], "error": None},
            [("cm is there already; nothing was moved", "good")],
        ),
        ({"moves": [], "cleared": [], "outlook": [], "error": "refused"}, [("refused", "bad")]),
        (
            {"moves": [MOVE], "cleared": [], "outlook": [], "error": "no way back"},
            [
                ("no way back", "bad"),
                (
                    "cm moved from cms1 to cms2; it was away for 3.1 s, by the page on port 7180",
                    "good",
                ),
            ],
        ),
    ],
)
def test_failover(cmha, data, lines):
    assert cmha.lines(report("failover", resource="cm", **data)) == lines


REJOIN = report(
    "rejoin",
    host="cms2",
    service={"resource": "cm", "nodes": ["cms1"], "since": "2026-11-24T12:00:00Z"},
    failures=[{"resource": "cm", "task": "start", "node": "cms2", "reason": "timed out"}],
    causes={"booted": 1, "logs": {"before": ["x", "y"], "since": []}, "service": "stopped"},
    done=[],
    fenced=None,
    next="when you know why",
    error=None,
)


def test_rejoin_unconfirmed(cmha):
    assert cmha.output(REJOIN).splitlines() == [
        "cm runs on cms1 since 2026-11-24T12:00:00Z",
        "cm: start failed on cms2: timed out",
        "cms2, before:",
        "    x",
        "    y",
        "cms2, since:",
        "    nothing",
        "when you know why",
    ]


def test_rejoin_of_a_host_that_was_fenced(cmha):
    lines = cmha.lines({**REJOIN, "fenced": "cms2 was fenced"})
    assert lines[2] == ("cms2 was fenced", "poor")


def test_rejoin_done(cmha):
    text = cmha.output({**REJOIN, "done": ["runs", "cleaned"], "next": None})
    assert text.splitlines()[2:] == ["runs", "cleaned"]


def test_rejoin_of_a_silent_host(cmha):
    nowhere = {"resource": "cm", "nodes": [], "since": None}
    data = {**REJOIN, "service": nowhere, "causes": None, "failures": [], "error": "silent"}
    assert cmha.lines({**data, "next": None}) == [("silent", "bad"), ("cm runs on no host", "bad")]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"steps": ["a", "b"], "next": "confirm", "error": None}, "  a\n  b\nconfirm"),
        ({"steps": ["a"], "next": None, "error": "h1: no"}, "h1: no\n  a"),
    ],
)
def test_clean(cmha, data, text):
    assert cmha.output(report("clean", **data)) == text


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ({"done": [], "next": "confirm"}, ["cm runs on cms1", "confirm"]),
        ({"done": ["fenced"], "next": "look"}, ["fenced", "look"]),
        ({"done": [], "next": None, "error": "refused"}, ["refused", "cm runs on cms1"]),
    ],
)
def test_fence(cmha, data, lines):
    service = {"resource": "cm", "nodes": ["cms1"]}
    said = cmha.lines(report("fence", host="cms1", service=service, **{"error": None, **data}))
    assert [line for line, _ in said] == lines


@pytest.mark.parametrize("kind", ["failover", "rejoin", "fence", "clean"])
def test_a_deed_that_was_never_begun(cmha, kind):
    assert cmha.lines(report(kind, error="no site has a pair csm")) == [
        ("no site has a pair csm", "bad")
    ]


@pytest.mark.parametrize("data", ["Exception occurred in runner", ["x"], {"a": 1}, None])
def test_what_is_no_report_is_shown_as_it_is(cmha, data):
    assert cmha.output(data) == str(data)


def test_colours_only_when_they_are_on(cmha):
    assert "\x1b" not in cmha.output(STATUS)
    cmha.__opts__["color"] = True
    coloured = cmha.output(STATUS).splitlines()
    assert all(line.startswith("\x1b") for line in coloured if not line.startswith(" "))
    assert all(line.endswith("\x1b[0;0m") for line in coloured if line.startswith("\x1b"))


@pytest.mark.parametrize("forged", ["\x1b[2J\x1b[1;1H", "\x9b2J", "\r", "\n", "\u2028", "\x00"])
def test_no_line_holds_a_command_to_a_terminal(cmha, forged):
    evil = f"x{forged}good  east cms"
    reports = [
        report(
            "status", sites={"east": {"cms": pair("bad", problems=[evil], dc=evil)}}, errors=[evil]
        ),
        report("preflight", sites={evil: ["cms"]}, errors=[], warnings=[evil]),
        report("failover", error=evil),
    ]
    for data in reports:
        printed = cmha.output(data)
        assert all(line.isprintable() for line in printed.split("\n"))
        assert not any(line.startswith("good") for line in printed.split("\n"))
