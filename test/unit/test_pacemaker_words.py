"""What Pacemaker would ignore without a word, and cmha refuses."""

import pytest

DUMMY = "ocf:pacemaker:Dummy"


@pytest.fixture
def cib(pure):
    return pure("cib")


def primitive(**content):
    return {"primitives": {"x": {"agent": DUMMY, **content}}}


def operation(name="monitor", **options):
    return primitive(operations={name: {"interval": "10s", **options}})


WRONG = [
    (
        operation(meta_sets={"s": {"score": 1, "values": {"timout": 1}}}),
        "monitor:meta_sets:s:values:timout: is no",
        "timeout?",
    ),
    (
        {
            "alerts": {
                "a": {"path": "/x", "recipients": {"r": {"value": "x", "meta": {"timeot": 1}}}}
            }
        },
        "alerts:a:recipients:r:meta:timeot: is no",
        "timeout?",
    ),
    (
        {"properties": {"stonith-watchdog-timeout": "soon"}},
        "properties:stonith-watchdog-timeout: should be a duration, as 10s, or -1",
        "",
    ),
    (
        {"properties": {"no-quorum-polcy": "stop"}},
        "properties:no-quorum-polcy: is no property",
        "no-quorum-policy?",
    ),
    (
        {"properties": {"no_quorum_policy": "stop"}},
        "properties:no_quorum_policy: is no",
        "no-quorum-policy?",
    ),
    (
        {"properties": {"stonith-enable": True}},
        "properties:stonith-enable: is no",
        "did you mean stonith-enabled?",
    ),
    (
        {"properties": {"no-quorum-policy": "stopp"}},
        "no-quorum-policy: should be stop, freeze,",
        "mean stop?",
    ),
    (
        {"properties": {"stonith-enabled": "flase"}},
        "stonith-enabled: should be true or false, is 'flase'",
        "",
    ),
    (
        {"properties": {"batch-limit": "many"}},
        "properties:batch-limit: should be a whole number, is 'many'",
        "",
    ),
    (
        {"properties": {"load-threshold": "high"}},
        "load-threshold: should be a percentage, as 80%",
        "",
    ),
    (
        {"properties": {"node-health-red": "low"}},
        "node-health-red: should be a number, INFINITY or",
        "",
    ),
    (
        {"rsc_defaults": {"resource-stickyness": 1}},
        "rsc_defaults:resource-stickyness: is no",
        "resource-stickiness?",
    ),
    (
        {"rsc_defaults": {"resource-stickiness": "high"}},
        "resource-stickiness: should be a number",
        "",
    ),
    (
        {"op_defaults": {"timout": "60s"}},
        "op_defaults:timout: is no option of an operation",
        "did you mean timeout?",
    ),
    (
        {"op_defaults": {"timeout": "5minutes"}},
        "op_defaults:timeout: should be a duration, as 60s",
        "",
    ),
    (
        primitive(meta={"is_managed": True}),
        "primitives:x:meta:is_managed: is no meta attribute",
        "is-managed?",
    ),
    (
        primitive(meta={"clone-max": 1}),
        "primitives:x:meta:clone-max: is no meta attribute of a primitive",
        "",
    ),
    (
        primitive(meta={"target-role": "Startet"}),
        "x:meta:target-role: should be Stopped, Started",
        "mean Started?",
    ),
    (
        primitive(
            operations={
                "monitor": [
                    {"interval": "60s", "role": "Started"},
                    {"interval": "1min", "role": "Stopped"},
                ]
            }
        ),
        "x:operations:monitor: two of one interval, and Pacemaker runs neither",
        "",
    ),
    (
        primitive(
            operations={
                "monitor": [
                    {"interval": "60s", "meta": {"timeuot": "5s"}},
                    {"interval": "9s", "role": "Stopped"},
                ]
            }
        ),
        "operations:monitor:meta:timeuot: is no option of an operation",
        "did you mean timeout?",
    ),
    (
        primitive(operations={"moniter": {"interval": "9s"}}),
        "x:operations:moniter: is no action",
        "monitor?",
    ),
    (
        operation(intervall="5s"),
        "operations:monitor:intervall: is no attribute of an operation",
        "mean interval?",
    ),
    (
        operation(on_fail="block"),
        "operations:monitor:on_fail: is no attribute",
        "did you mean on-fail?",
    ),
    (operation(timeout="PT5M"), "x:operations:monitor:timeout: should be a duration, as 60s", ""),
    ({"op_defaults": {"timeout": "PT60S"}}, "op_defaults:timeout: should be a duration", ""),
    (
        {"alerts": {"a": {"path": "/x", "meta": {"timeout": "PT15S"}}}},
        "alerts:a:meta:timeout: should be a duration",
        "",
    ),
    (
        {"rsc_defaults": {"migration-threshold": -1}},
        "migration-threshold: should be a number from 0 on",
        "",
    ),
    (
        primitive(meta={"migration-threshold": "-INFINITY"}),
        "x:meta:migration-threshold: should",
        "",
    ),
    ({"properties": {"load-threshold": 80}}, "load-threshold: should be a percentage, as 80%", ""),
    (
        {"properties": {"stonith-max-attempts": 0}},
        "stonith-max-attempts: should be a number from 1",
        "",
    ),
    ({"properties": {"cluster-ipc-limit": -1}}, "cluster-ipc-limit: should be a number from 1", ""),
    ({"properties": {"dc-version": "x"}}, "dc-version: is what Pacemaker writes itself", ""),
    (
        {"properties": {"migration-threshold": 3}},
        "properties:migration-threshold: is no property; it belongs under rsc_defaults",
        "",
    ),
    ({"rsc_defaults": {"timeout": "3s"}}, "timeout: is no meta", "it belongs under op_defaults"),
    ({"colocations": {"c": {"rsc": "x", "with-rsc": "y"}}}, "colocations:c:score: is missing", ""),
    ({"colocations": {"c": {"sets": [["x", "y"]], "score": 0}}}, "colocations:c:score: is 0", ""),
    *(
        (
            {"primitives": {"f": {"agent": "stonith:fence_x", "params": {name: value}}}},
            f"f:params:{name}: {says}",
            near,
        )
        for name, value, says, near in (
            ("pcmk_hostlist", "a", "is no parameter of a fence device", "mean pcmk_host_list?"),
            ("pcmk_host_check", "static", "should be dynamic-list, static-list", "static-list?"),
            ("pcmk_reboot_timeout", "5minutes", "should be a duration", ""),
            ("pcmk_delay_max", "15 s", "should be a duration", ""),
            ("pcmk_off_retries", "x", "should be a whole number", ""),
        )
    ),
    (
        {"node_attributes": {"cms1": {"standby": "onn"}}},
        "cms1:standby: should be true or false",
        "",
    ),
    (
        {"node_attributes": {"cms1": {"#health-cpu": "orange"}}},
        "cms1:#health-cpu: should be red, yellow or green, or a score, is 'orange'",
        "",
    ),
    (primitive(utilization={"memory": "4G"}), "x:utilization:memory: should be a whole number", ""),
    (
        primitive(utilization_sets={"s": {"score": 1, "values": {"cpu": 1.5}}}),
        "x:utilization_sets:s:values:cpu: should be a whole number, is '1.5'",
        "",
    ),
    (
        {"node_utilization": {"cms1": {"memory": "much"}}},
        "node_utilization:cms1:memory: should be a whole number, is 'much'",
        "",
    ),
    (
        {"node_utilization_sets": {"cms1": {"s": {"score": 1, "values": {"memory": "x"}}}}},
        "node_utilization_sets:cms1:s:values:memory: should be a whole number",
        "",
    ),
    (operation(timeout="5minutes"), "x:operations:monitor:timeout: should be a duration", ""),
    (operation(timeout="1 min"), "x:operations:monitor:timeout: should be a duration", ""),
    (
        operation(**{"on-fail": "blok"}),
        "operations:monitor:on-fail: should be ignore, block",
        "mean block?",
    ),
    (operation(enabled="perhaps"), "operations:monitor:enabled: should be true or false", ""),
    (operation(meta={"timout": "1s"}), "operations:monitor:meta:timout: is no option", "timeout?"),
    (
        primitive(meta_sets={"s": {"score": 1, "values": {"priorty": 1}}}),
        "primitives:x:meta_sets:s:values:priorty: is no",
        "priority?",
    ),
    (
        {"properties_sets": {"s": {"score": 1, "values": {"stonith-enabld": 1}}}},
        "properties_sets:s:values:stonith-enabld: is no",
        "stonith-enabled?",
    ),
    (
        {"clones": {"c": {"resource": "x", "meta": {"inteleave": True}}}},
        "clones:c:meta:inteleave: is no",
        "interleave?",
    ),
    (
        {"alerts": {"a": {"path": "/x", "meta": {"timestamp": "%H"}}}},
        "alerts:a:meta:timestamp: is no",
        "timestamp-format?",
    ),
]


@pytest.mark.parametrize(("declared", "where", "hint"), WRONG)
def test_a_word_that_pacemaker_does_not_know(cib, declared, where, hint):
    with pytest.raises(ValueError) as error:
        cib.check_whole(declared, "cmha:pacemaker")
    assert str(error.value).startswith("cmha:pacemaker:")
    assert where in str(error.value)
    assert hint in str(error.value)
    assert str(error.value).endswith("; allow_unknown lets it pass")


@pytest.mark.parametrize(("declared", "where", "hint"), WRONG)
def test_what_is_allowed_passes(cib, declared, where, hint):
    name = where.split(": ")[0].rpartition(":")[2]
    allowing = {**declared, "allow_unknown": [name]}
    assert cib.check_whole(allowing)["allow_unknown"] == [name]
    with pytest.raises(ValueError):
        cib.check_whole({**declared, "allow_unknown": ["another"]})


@pytest.mark.parametrize(
    "declared",
    [
        {
            "properties": {
                "no-quorum-policy": "suicide",
                "stonith-watchdog-timeout": -1,
                "maintenance-mode": "on",
            }
        },
        {
            "properties": {
                "redis_REPL_INFO": "cms1",
                "fencing-enabled": "y",
                "load-threshold": "80%",
            }
        },
        {
            "rsc_defaults": {
                "resource-stickiness": "INFINITY",
                "failure-timeout": "PT10M",
                "is-managed": "#default",
            }
        },
        {"op_defaults": {"timeout": 60, "on-fail": "standby", "record-pending": False}},
        primitive(
            meta={
                "target-role": "Master",
                "requires": "fencing",
                "remote-node": "x",
                "multiple-active": "block",
            }
        ),
        operation(OCF_CHECK_LEVEL=10, depth=0, role="Slave", enabled=1),
        primitive(operations={"migrate_to": {}, "validate-all": {}, "reload-agent": {}}),
        {
            "clones": {
                "c": {
                    "resource": "x",
                    "meta": {"promoted-max": 1, "clone-node-max": 1, "priority": 5},
                }
            }
        },
        {"groups": {"g": {"members": ["x"], "meta": {"ordered": False}}}},
    ],
)
def test_what_pacemaker_knows(cib, declared):
    assert cib.check_whole(declared)


def test_names_to_allow_are_names(cib):
    with pytest.raises(ValueError, match="^allow_unknown: a list is wanted, not text"):
        cib.check_whole({"allow_unknown": "x"})
    with pytest.raises(ValueError, match="^allow_unknown:0: a name is text, not a number"):
        cib.check_whole({"allow_unknown": [7]})


def test_an_export_allows_what_is_there(cib):
    xml = (
        '<cib validate-with="pacemaker-3.9"><configuration><crm_config><cluster_property_set id="p">'
        '<nvpair id="n" name="no-quorum-polcy" value="stop"/></cluster_property_set></crm_config>'
        "<nodes/><resources/><constraints/></configuration></cib>"
    )
    exported = cib.export(xml)
    assert exported["allow_unknown"] == ["no-quorum-polcy"]
    assert cib.check_whole(exported)
    assert cib.difference(xml, exported)["changes"] == {}


# --- words of some versions ----------------------------------------------------------------------


def changed(*paths):
    return {path: {"old": None, "new": {}} for path in paths}


WORDS = {
    "properties": {"shutdown-lock": "true", "no-quorum-policy": "demote", "dc-deadtime": "20s"},
    "rsc_defaults": {"isolation": "x"},
    "primitives": {
        "cm": {
            "agent": "lsb:cm",
            "meta": {"critical": "false"},
            "operations": {
                "monitor": [{"interval": "10s", "role": "Promoted", "on-fail": "demote"}]
            },
        }
    },
}
FOUND = {
    "properties:shutdown-lock": "shutdown-lock",
    "properties:no-quorum-policy": "no-quorum-policy=demote",
    "rsc_defaults:isolation": "isolation",
    "primitives:cm:meta:critical": "critical",
    "primitives:cm:operations:monitor:on-fail": "on-fail=demote",
}


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (
            [
                "properties:shutdown-lock",
                "properties:no-quorum-policy",
                "rsc_defaults:isolation",
                "primitives:cm",
            ],
            set(FOUND),
        ),
        (
            ["primitives:cm:operations:monitor 10s:on-fail"],
            {"primitives:cm:operations:monitor:on-fail"},
        ),
        (["primitives:cm:operations:monitor 10s"], {"primitives:cm:operations:monitor:on-fail"}),
        (["primitives:cm:operations:start"], set()),
        (["primitives:cm:meta:critical"], {"primitives:cm:meta:critical"}),
        (["primitives:cmx", "properties:dc-deadtime"], set()),
        ([], set()),
    ],
)
def test_what_is_new_and_not_in_all_versions(pure, paths, found):
    of_some_versions = pure("cib").words_of_some_versions
    said = of_some_versions(WORDS, changed(*paths))
    assert {path: word for path, _, word in said} == {path: FOUND[path] for path in found}
    gone = {path: {"old": "1", "new": None} for path in paths}
    assert of_some_versions(WORDS, gone) == []


def test_what_is_allowed_is_not_told(pure):
    declared = {**WORDS, "allow_unknown": ["shutdown-lock"]}
    assert pure("cib").words_of_some_versions(declared, changed("properties:shutdown-lock")) == []


@pytest.mark.parametrize(
    ("version", "word", "said"),
    [
        ("2.0.3", "shutdown-lock", "since 2.0.4"),
        ("2.0.4", "shutdown-lock", None),
        ("3.0.2-1.el10", "shutdown-lock", None),
        ("2.0.0", "fence-reaction", "from 1.1.22 to 1.1.24, since 2.0.3"),
        ("1.1.23-1.el7", "fence-reaction", None),
        ("2.1.5", "is-managed-default", "until 1.1.24"),
        ("1.1.24", "is-managed-default", None),
        ("1.1.12", "isolation", "from 1.1.13 to 2.1.11"),
    ],
)
def test_since_when_and_until_when_there_is_a_word(pure, version, word, said):
    line = pure("pacemaker_words").unknown_to(version, word)
    assert line == (said and f"Pacemaker {version} doesn't know {word}, which there is {said}")


def test_each_word_of_some_versions_is_one_that_is_known(pure):
    words = pure("pacemaker_table")
    known = {**words.PROPERTIES, **words.CLONE_META, **words.OPERATION}
    for each in words.KNOWN:
        name, _, value = each.partition("=")
        assert name in known
        assert not value or value in known[name]
