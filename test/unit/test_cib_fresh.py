"""The cluster on nodes that have just come: what counts there, and what doesn't."""

import pytest

CIB = """<cib have-quorum="0"><configuration>
<crm_config><cluster_property_set id="p">{properties}</cluster_property_set></crm_config>
<nodes><node id="1" uname="cms1"/><node id="2" uname="cms2" type="member">
<instance_attributes id="n">{of_node}</instance_attributes></node>
<node id="r" uname="remote" type="remote"/></nodes>
<resources><group id="g"><primitive id="a" class="ocf" type="Dummy">
<meta_attributes id="m">{meta}</meta_attributes></primitive>
<primitive id="b"/></group>
<bundle id="w"><primitive id="inside"/></bundle></resources>
<constraints>{constraints}</constraints>
</configuration><status><node_state id="1" uname="cms1"><lrm/></node_state></status></cib>"""


@pytest.fixture
def fresh(pure):
    return pure("cib_fresh")


def cib(properties="", of_node="", meta="", constraints=""):
    return CIB.format(properties=properties, of_node=of_node, meta=meta, constraints=constraints)


def said(name, value):
    return f'<nvpair id="{name}" name="{name}" value="{value}"/>'


@pytest.mark.parametrize(
    ("place", "name", "value", "owner"),
    [
        ("properties", "stop-all-resources", "yes", "crm_config"),
        ("of_node", "standby", "on", "2"),
        ("meta", "target-role", "Stopped", "a"),
    ],
)
def test_what_keeps_resources_stopped(fresh, place, name, value, owner):
    text = cib(**{place: said(name, value)})
    assert fresh.kept_stopped(text) == {(owner, name, value)}
    assert f'name="{name}"' in fresh.just_come(text)
    assert f'name="{name}"' not in fresh.just_come(text, fresh.kept_stopped(text))


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("properties", "stop-all-resources", "false"),
        ("of_node", "standby", "off"),
        ("meta", "target-role", "Started"),
        ("meta", "priority", "1"),
    ],
)
def test_what_keeps_nothing_stopped(fresh, place, name, value):
    assert fresh.kept_stopped(cib(**{place: said(name, value)})) == set()


@pytest.mark.parametrize(
    ("place", "name"),
    [("properties", "maintenance-mode"), ("of_node", "maintenance"), ("meta", "is-managed")],
)
def test_nothing_is_in_maintenance(fresh, place, name):
    assert f'name="{name}"' not in fresh.just_come(cib(**{place: said(name, "true")}))


@pytest.mark.parametrize(
    ("constraint", "stays"),
    [
        ('<rsc_location id="x" rsc="a" node="cms1" score="5"/>', True),
        ('<rsc_ticket id="x" rsc="a" ticket="t"/>', False),
        ('<rsc_colocation id="x" rsc="a" with-rsc="b" with-rsc-role="Promoted"/>', False),
        ('<rsc_order id="x" first="b" first-action="promote" then="a"/>', False),
        ('<rsc_order id="x" first="b" then="a"/>', True),
    ],
)
def test_what_only_a_running_cluster_knows_is_away(fresh, constraint, stays):
    assert ('id="x"' in fresh.just_come(cib(constraints=constraint))) is stays


def test_its_own_nodes_are_there_and_nothing_has_happened(fresh):
    text = fresh.just_come(cib())
    assert fresh.nodes(text) == {"cms1": "1", "cms2": "2"}
    assert text.count("<node_state") == 2
    assert "<lrm" not in text
    assert 'have-quorum="1"' in text
    assert fresh.lost(text) == text
    assert 'in_ccm="false"' in fresh.lost(text, "cms1")


@pytest.mark.parametrize(
    ("resource", "found"),
    [("a", ["a"]), ("g", ["a", "b"]), ("w", None), ("inside", None), ("m", []), ("no", [])],
)
def test_what_of_a_resource_is_started(fresh, resource, found):
    assert fresh.primitives(cib(), resource) == found
