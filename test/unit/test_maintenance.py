"""cmha's own maintenance mode: marked, ended by cmha alone, and somebody else's is left alone."""

import pytest
from salt.exceptions import CommandExecutionError

MODE, MARK = "maintenance-mode", "cmha-maintenance"


def properties(**values):
    pairs = "".join(
        f'<nvpair id="cib-bootstrap-options-{name}" name="{name}" value="{value}"/>'
        for name, value in ((key.replace("_", "-"), each) for key, each in values.items())
    )
    content = f'<cluster_property_set id="cib-bootstrap-options">{pairs}</cluster_property_set>'
    return f"<crm_config>{content}</crm_config>"


@pytest.fixture
def in_cib(cluster):
    """Gives the cluster in memory these properties."""

    def put(**values):
        cluster.cib = cluster.cib.replace("<crm_config/>", properties(**values))

    return put


# --- the model -----------------------------------------------------------------------------------


def xml(**values):
    return (
        f'<cib epoch="1"><configuration>{properties(**values)}<nodes/><resources/><constraints/>'
        "</configuration><status/></cib>"
    )


OURS = {"maintenance_mode": "true", "cmha_maintenance": "was-unset"}
OURS_BEFORE = {"maintenance_mode": "true", "cmha_maintenance": "was-false"}
THEIRS = {"maintenance_mode": "true"}


@pytest.mark.parametrize(
    ("values", "on", "ours"),
    [
        ({}, False, False),
        ({"maintenance_mode": "false"}, False, False),
        (THEIRS, True, False),
        ({"maintenance_mode": "yes"}, True, False),
        (OURS, True, True),
        # ended by hand
        ({"maintenance_mode": "false", "cmha_maintenance": "was-unset"}, False, True),
        ({"cmha_maintenance": "was-unset"}, False, True),
    ],
)
def test_whose_it_is(cib, values, on, ours):
    seen = cib.maintenance(xml(**values))
    assert (seen["on"], seen["ours"]) == (on, ours)


@pytest.mark.parametrize(("values", "before"), [(OURS, None), (OURS_BEFORE, "false")])
def test_what_was_before(cib, values, before):
    assert cib.maintenance(xml(**values))["before"] == before


def changed(cib, values, declared=None, absent=None, purge=None):
    done = cib.difference(xml(**values), {"properties": declared or {}}, absent, purge)
    return set(done["changes"])


@pytest.mark.parametrize(
    ("declared", "absent", "purge"),
    [
        ({MODE: False}, None, None),
        ({MODE: True}, None, None),
        ({}, {"properties": [MODE]}, None),
        ({}, None, True),
        ({}, None, ["properties"]),
        ({MODE: "false"}, None, True),
    ],
)
def test_while_the_mark_is_there_a_highstate_does_not_end_it(cib, declared, absent, purge):
    assert changed(cib, OURS, declared, absent, purge) == set()


def test_the_rest_of_what_is_declared_is_done_meanwhile(cib):
    declared = {MODE: False, "no-quorum-policy": "ignore"}
    assert changed(cib, OURS, declared) == {"properties:no-quorum-policy"}
    gone = {"properties": [MODE, "x"]}
    assert changed(cib, {**OURS, "x": "1"}, {}, gone) == {"properties:x"}


@pytest.mark.parametrize(
    ("declared", "absent"),
    [
        ({MODE: False}, {"properties": [MARK]}),
        ({}, {"properties": [MODE, MARK]}),
    ],
)
def test_who_takes_the_mark_away_ends_it(cib, declared, absent):
    assert changed(cib, OURS, declared, absent) == {f"properties:{MODE}", f"properties:{MARK}"}


def test_a_mark_that_was_left_hinders_nobody(cib):
    left = {"cmha_maintenance": "was-unset"}
    assert changed(cib, left, {MODE: True}) == {f"properties:{MODE}"}


@pytest.mark.parametrize("purge", [True, ["properties"]])
def test_a_purge_never_ends_somebodys(cib, purge):
    assert changed(cib, {**THEIRS, "x": "1"}, {}, None, purge) == {"properties:x"}


def test_somebodys_ends_when_it_is_declared_so(cib):
    assert changed(cib, THEIRS, {MODE: False}) == {f"properties:{MODE}"}
    assert changed(cib, THEIRS, {}, {"properties": [MODE]}) == {f"properties:{MODE}"}


@pytest.mark.parametrize(
    ("values", "exported"), [(OURS, {}), (THEIRS, {"properties": {MODE: "true"}})]
)
def test_ours_is_nothing_to_declare(cib, values, exported):
    assert cib.export(xml(**values)) == exported


# --- the module ----------------------------------------------------------------------------------


@pytest.fixture
def maintenance(load_file, crm, cib, cluster):
    functions = "apply export query status wait".split()
    return load_file(
        "_modules/maintenance.py",
        salt={f"crm.{name}": getattr(crm, name) for name in functions},
        utils={"cib.maintenance": cib.maintenance},
        grains={"id": "cms1"},
    )


@pytest.fixture
def obedient(cluster):
    """The cluster goes into maintenance mode when it is told to."""
    cluster.mon = cluster.mon.replace('maintenance-mode="false"', 'maintenance-mode="true"')
    return cluster


@pytest.mark.parametrize("before", [{}, {"maintenance_mode": "false"}, {"maintenance_mode": "no"}])
def test_it_begins_and_ends_and_leaves_no_trace(maintenance, obedient, in_cib, cib, before):
    in_cib(stonith_enabled="false", **before)
    was = cib.model(obedient.cib)["properties"]
    value = before.get("maintenance_mode")

    assert maintenance.begin() == {"on": True, "ours": True, "before": value}
    assert len(obedient.writes()) == 1
    assert any("--wait" in command for command in obedient.commands)
    assert maintenance.status()["ours"]

    assert set(maintenance.end()) == {f"properties:{MODE}", f"properties:{MARK}"}
    assert cib.model(obedient.cib)["properties"] == was
    assert (maintenance.end(), len(obedient.writes())) == ({}, 2)


@pytest.mark.parametrize(("values", "ours"), [(THEIRS, False), (OURS, True)])
def test_what_is_on_already_is_left_as_it_is(maintenance, obedient, in_cib, values, ours):
    in_cib(**values)
    seen = maintenance.begin()
    assert (seen["on"], seen["ours"], obedient.writes()) == (True, ours, [])


@pytest.mark.parametrize("values", [{}, THEIRS])
def test_only_ours_is_ended(maintenance, cluster, in_cib, values):
    in_cib(**values)
    assert (maintenance.end(), cluster.writes()) == ({}, [])


@pytest.mark.parametrize("mode", [{}, {"maintenance_mode": "false"}])
def test_of_what_somebody_has_ended_by_hand_only_the_mark_goes(maintenance, cluster, in_cib, mode):
    in_cib(cmha_maintenance="was-true", **mode)
    assert set(maintenance.end()) == {f"properties:{MARK}"}


def test_a_cluster_that_does_not_obey(maintenance, cluster):
    with pytest.raises(CommandExecutionError, match="^cms1: the cluster didn't go into maint"):
        maintenance.begin()


# --- the state -----------------------------------------------------------------------------------

ON_AND_OURS = {"on": True, "ours": True}


class Cluster:
    def __init__(self):
        self.mode = ON_AND_OURS
        self.nodes = {"cms1": {"online": True}, "cms2": {"online": True}}
        self.where, self.settled = ["cms1"], True
        self.error, self.ends = None, 0
        self.after = lambda seconds: None

    def status(self):
        if self.error:
            raise CommandExecutionError(self.error)
        return {"nodes": self.nodes}

    def end(self):
        self.ends += 1
        return {f"properties:{MODE}": {"old": "true", "new": None}}


@pytest.fixture
def there():
    return Cluster()


@pytest.fixture
def ended(load_file, clock, there):
    def run(test=False, timeout=120):
        module = load_file(
            "_states/maintenance.py",
            opts={"test": test},
            salt={
                "maintenance.status": lambda: there.mode,
                "maintenance.end": there.end,
                "crm.status": there.status,
                "crm.started": lambda resource: there.where,
                "crm.settled": lambda: there.settled,
            },
        )
        sleep = clock.sleep

        def sleep_and_see(seconds):
            sleep(seconds)
            there.after(clock.monotonic())

        module.time = clock
        clock.sleep = sleep_and_see
        return module.ended("cm", ["cms1", "cms2"], timeout)

    return run


def test_it_ends_when_all_is_well(ended, there, clock):
    ret = ended()
    assert (ret["name"], ret["result"], there.ends) == ("cm", True, 1)
    assert ret["changes"] == {f"properties:{MODE}": {"old": "true", "new": None}}
    assert clock.monotonic() == 0


@pytest.mark.parametrize(
    ("mode", "comment"),
    [
        ({"on": False, "ours": False}, "no maintenance mode"),
        ({"on": True, "ours": False}, "somebody else's maintenance mode stays"),
    ],
)
@pytest.mark.parametrize("test", [False, True])
def test_there_is_nothing_of_ours_to_end(ended, there, mode, comment, test):
    there.mode, there.where = mode, []
    ret = ended(test)
    assert (ret["result"], ret["changes"], ret["comment"]) == (True, {}, comment)
    assert there.ends == 0


def test_a_mark_that_was_left_goes_without_waiting(ended, there, clock):
    there.mode, there.where = {"on": False, "ours": True}, []
    assert ended()["result"] is True
    assert (there.ends, clock.monotonic()) == (1, 0)


def test_a_prediction(ended, there):
    ret = ended(test=True)
    assert (ret["result"], there.ends) == (None, 0)
    assert ret["changes"] == {"maintenance mode": {"old": "on", "new": "off"}}


NOT_WELL = [
    ({"nodes": {"cms1": {"online": True}}}, "cms2 not online"),
    ({"nodes": {"cms1": {"online": False}, "cms2": {}}}, "cms1 and cms2 not online"),
    ({"where": []}, "cm runs on no host, not on one"),
    ({"where": ["cms1", "cms2"]}, "cm runs on cms1 and cms2, not on one"),
    ({"settled": False}, "the cluster hasn't settled yet"),
    ({"error": "cms1: no cluster runs here"}, "cms1: no cluster runs here"),
]


@pytest.mark.parametrize(("state", "fault"), NOT_WELL)
def test_what_is_not_well_keeps_it_on(ended, there, clock, state, fault):
    vars(there).update(state)
    ret = ended(timeout=30)
    assert (ret["result"], ret["changes"], there.ends) == (False, {}, 0)
    assert ret["comment"].startswith(f"{fault}. The cluster stays in maintenance mode: cm is left")
    assert "crm configure property maintenance-mode=false" in ret["comment"]
    assert clock.monotonic() == 30


@pytest.mark.parametrize(("state", "fault"), NOT_WELL)
def test_what_gets_well_in_time_is_waited_for(ended, there, clock, state, fault):
    well = {**vars(there)}
    vars(there).update(state)
    there.after = lambda now: now >= 10 and vars(there).update(well)
    assert ended(timeout=30)["result"] is True
    assert (there.ends, clock.monotonic()) == (1, 10)


def test_an_end_that_fails(ended, there):
    def end():
        raise CommandExecutionError("cms1: the cluster refused")

    there.end = end
    ret = ended()
    assert (ret["result"], ret["comment"]) == (False, "cms1: the cluster refused")


@pytest.mark.parametrize("values", [{}, THEIRS])
def test_nothing_was_before_what_never_began(cib, values):
    assert cib.maintenance(xml(**values))["before"] is None
