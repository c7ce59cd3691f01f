"""The `crm` module against a cluster in memory: what it starts, what it writes, what it refuses."""

import re
from xml.etree import ElementTree

import pytest
from salt.exceptions import CommandExecutionError

DECLARED = {"properties": {"no-quorum-policy": "ignore"}, "primitives": {"cm": "lsb:cm"}}
FENCE = {"primitives": {"f": {"agent": "stonith:fence_x", "params": {"passwd": "hunter2"}}}}


def first_words(cluster):
    return [command[0] for command in cluster.commands]


# --- apply ---------------------------------------------------------------------------------------


def test_apply_is_one_transaction(crm, cluster):
    changes = crm.apply(DECLARED)["changes"]
    assert list(changes) == ["properties:no-quorum-policy", "primitives:cm"]
    assert len(cluster.writes()) == 1
    assert crm.plan(DECLARED)["changes"] == {}


def test_the_second_apply_writes_nothing(crm, cluster):
    crm.apply(DECLARED)
    before = cluster.cib
    cluster.commands.clear()
    assert crm.apply(DECLARED) == {"changes": {}}
    assert cluster.cib == before
    assert all("--query" in command for command in cluster.commands)


def test_the_number_of_processes(crm, cluster):
    crm.apply(DECLARED)
    assert first_words(cluster) == ["cibadmin", "crmadmin", "crm_verify", "crm_diff", "cibadmin"]
    cluster.commands.clear()
    crm.apply(DECLARED)
    assert first_words(cluster) == ["cibadmin"]
    cluster.commands.clear()
    crm.plan(DECLARED)
    assert first_words(cluster) == ["cibadmin"]
    cluster.commands.clear()
    crm.plan(FENCE)
    assert first_words(cluster) == ["cibadmin", "crm_verify", "crm_simulate"]


def test_apply_survives_a_status_update_in_between(crm, cluster):
    cluster.before_patch.append(
        lambda it: setattr(it, "cib", it.cib.replace('num_updates="3"', 'num_updates="77"'))
    )
    crm.apply(DECLARED)
    assert len(cluster.writes()) == 1


def test_a_lost_race_loses_nobodys_edit(crm, cluster):
    theirs = '<cluster_property_set id="p"><nvpair id="px" name="x" value="theirs"/></cluster_property_set>'
    cluster.before_patch.append(
        lambda it: it.somebody_edits("<crm_config/>", f"<crm_config>{theirs}</crm_config>")
    )
    crm.apply(DECLARED)
    assert len(cluster.writes()) == 3  # lost, doesn't fit any more, made anew
    assert 'value="theirs"' in cluster.cib
    assert crm.plan(DECLARED)["changes"] == {}


def test_a_race_that_is_always_lost_ends(crm, cluster):
    cluster.before_patch += [lambda it: it.somebody_edits("", "")] * 99
    with pytest.raises(CommandExecutionError, match="^cms1: someone changed .* try again"):
        crm.apply(DECLARED)
    assert len(cluster.writes()) == 50


def test_a_lost_race_is_won_with_the_same_patch(crm, cluster):
    cluster.before_patch.append(lambda it: it.somebody_edits("", ""))
    assert list(crm.apply(DECLARED)["changes"]) == ["properties:no-quorum-policy", "primitives:cm"]
    words = first_words(cluster)
    assert words == [
        *("cibadmin", "crmadmin", "crm_verify", "crm_diff", "cibadmin"),  # lost
        *("cibadmin", "cibadmin"),  # won
        "cibadmin",  # seen
    ]


def pacemaker_1_1_10(cluster):
    """Takes a patch only with the exact versions before and after, and says else that a race was lost."""

    def patch(stdin):
        version = ElementTree.fromstring(stdin).find("version")
        source, target = version.find("source").attrib, version.find("target")
        now = ElementTree.fromstring(cluster.cib)
        names = ("admin_epoch", "epoch", "num_updates")
        wanted = {
            "admin_epoch": now.get("admin_epoch"),
            "epoch": str(int(now.get("epoch")) + 1),
            "num_updates": "0",
        }
        if (
            source != {name: now.get(name) for name in names}
            or target is None
            or target.attrib != wanted
        ):
            return 206, "Call failed: Application of an update diff failed"
        return taken(stdin)

    def diff(command, stdin):
        code, text = made(command, stdin)
        root = ElementTree.fromstring(text)
        ElementTree.SubElement(root.find("version"), "target", root.find("version/source").attrib)
        return code, ElementTree.tostring(root, encoding="unicode")

    taken, made = cluster._patch, cluster._crm_diff
    cluster._patch, cluster._crm_diff = patch, diff


def test_a_pacemaker_that_takes_only_the_exact_version(crm, cluster):
    pacemaker_1_1_10(cluster)
    assert list(crm.apply(DECLARED)["changes"]) == ["properties:no-quorum-policy", "primitives:cm"]
    assert len(cluster.writes()) == 2
    assert crm.plan(DECLARED)["changes"] == {}


def test_nor_does_it_lose_anybodys_edit(crm, cluster):
    pacemaker_1_1_10(cluster)
    theirs = '<cluster_property_set id="p"><nvpair id="px" name="x" value="theirs"/></cluster_property_set>'
    cluster.before_patch += [
        lambda it: it.somebody_edits("<crm_config/>", f"<crm_config>{theirs}</crm_config>")
    ]
    crm.apply(DECLARED)
    assert 'value="theirs"' in cluster.cib
    assert crm.plan(DECLARED)["changes"] == {}


HELP = "crm_mon - Provides a summary of cluster's current state.\nUsage: crm_mon mode [<options>]\n"


@pytest.mark.parametrize("code", [0, 1, 64])
def test_a_crm_mon_that_prints_its_help(crm, cluster, code):
    def crm_mon(command, _stdin):
        return (0, cluster.mon) if "--as-xml" in command else (code, HELP)

    cluster._crm_mon = crm_mon
    assert crm.status()["dc"] == "cms1"


@pytest.mark.parametrize("code", [0, 22])
def test_a_crm_resource_that_can_not_wait(crm, cluster, monkeypatch, code):
    resource = cluster._crm_resource
    said = (code, "crm_resource: unrecognized option '--wait'")
    cluster._crm_resource = lambda command, stdin: (
        said if "--wait" in command else resource(command, stdin)
    )
    assert crm.wait() is True
    cluster.controller = "S_TRANSITION_ENGINE"
    with pytest.raises(
        CommandExecutionError, match="^cms1: waiting 0 s for the cluster to rest failed"
    ):
        crm.wait(timeout=0)


def answer_first(cluster, *answers):
    """To the first patches the cluster says this, and does nothing."""
    patch, left = cluster._patch, list(answers)

    def answer(stdin):
        return left.pop(0) if left else patch(stdin)

    cluster._patch = answer


def test_a_patch_that_no_longer_fits_is_made_anew(crm, cluster):
    """Somebody edits; and the second time what the patch changes has got another id."""
    answer_first(cluster, (103, "older"), (65, "no such object"))
    assert crm.apply(DECLARED)["changes"]
    assert first_words(cluster).count("crm_diff") == 2
    assert crm.plan(DECLARED)["changes"] == {}


def test_a_patch_that_did_not_do_what_it_should_is_seen(crm, cluster):
    """The race was lost, and the same patch is taken on what others made of the configuration."""
    answer_first(cluster, (103, "older"), (0, ""))
    assert crm.apply(DECLARED)["changes"]
    assert crm.plan(DECLARED)["changes"] == {}


def test_somebody_else_did_it_first(crm, cluster):
    def they_do_the_same(it):
        it.somebody_edits(
            "<crm_config/>",
            '<crm_config><cluster_property_set id="p"><nvpair id="px" name="no-quorum-policy"'
            ' value="ignore"/></cluster_property_set></crm_config>',
        )

    cluster.before_patch.append(they_do_the_same)
    only_that = {"properties": {"no-quorum-policy": "ignore"}}
    assert crm.apply(only_that) == {"changes": {}}
    assert len(cluster.writes()) == 1


def test_a_refused_change_is_an_error(crm, cluster, monkeypatch):
    monkeypatch.setattr(cluster, "_patch", lambda stdin: (13, "Permission denied\n1 <cib>hunter2"))
    with pytest.raises(
        CommandExecutionError, match="^cms1: the cluster refused the change: Permission denied$"
    ):
        crm.apply(DECLARED)


def test_an_invalid_configuration_is_never_pushed(crm, cluster):
    cluster.verdict = lambda xml: (78, "does not validate") if 'type="cm"' in xml else (0, "")
    with pytest.raises(CommandExecutionError, match="^cms1: Pacemaker finds .* does not validate"):
        crm.apply(DECLARED)
    assert cluster.writes() == []


def test_what_was_invalid_before_is_not_for_us_to_refuse(crm, cluster):
    cluster.verdict = lambda xml: (78, "Errors found during check: config not valid")
    assert crm.apply(DECLARED)["changes"]


STONITH = "(unpack_resources) error: Resource start-up disabled since no STONITH resources"


@pytest.mark.parametrize(
    ("code", "new"),
    [
        (78, "(is_op_dup) error: Operation m2 is duplicate of m1"),
        (-6, "(log_assertion_as) error: order_actions: Triggered fatal assertion"),
    ],
)
def test_what_is_newly_invalid_is_refused_whatever_was_before(crm, cluster, code, new):
    """A cluster without fencing is called invalid, and not all that it gets is well for that."""
    cluster.verdict = lambda xml: (
        (code, f"{STONITH}\n{new}") if 'type="cm"' in xml else (78, STONITH)
    )
    with pytest.raises(CommandExecutionError) as error:
        crm.apply(DECLARED)
    assert new in str(error.value)
    assert "STONITH" not in str(error.value)
    assert ("ends itself" in str(error.value)) == (code < 0)
    assert cluster.writes() == []


@pytest.mark.parametrize(
    "said", ["Warnings found during check", "Configuration invalid (with warnings)"]
)
def test_mere_warnings_refuse_nothing(crm, cluster, said):
    cluster.verdict = lambda xml: (78, "x" * 999 + said) if "lsb" in xml else (0, "")
    assert crm.apply(DECLARED)["changes"]


def test_absent(crm, cluster):
    crm.apply(DECLARED)
    changes = crm.apply({}, {"primitives": ["cm"]})["changes"]
    assert list(changes) == ["primitives:cm"]
    assert "lsb" not in cluster.cib


@pytest.mark.parametrize(
    "nodes", [["cms1", "cms2"], {"cms1": {"nodeid": 1}, "cms2": {"nodeid": 2}}]
)
def test_the_right_nodes(crm, cluster, nodes):
    crm.apply(DECLARED, nodes=nodes)
    assert cluster.writes()


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (["cms1", "mgmt2"], "isn't cms1, mgmt2: mgmt2 is missing; cms2 doesn't belong; "),
        (["cms1"], "cms2 doesn't belong"),
        (["cms1", "cms2", "cms3"], "cms3 is missing"),
    ],
)
def test_the_wrong_nodes_are_refused(crm, cluster, nodes, message):
    with pytest.raises(CommandExecutionError, match=f"^cms1: this cluster .*{message}"):
        crm.apply(DECLARED, nodes=nodes)
    assert cluster.writes() == []


def test_nothing_is_written_before_a_dc_is_elected(crm, cluster):
    cluster.dc = None
    with pytest.raises(CommandExecutionError, match=r"^cms1: .*no designated controller \(DC\)"):
        crm.apply(DECLARED)
    assert cluster.writes() == []


def test_nothing_is_written_where_no_cluster_runs(crm, cluster):
    cluster.is_running = False
    with pytest.raises(CommandExecutionError, match="^cms1: no cluster runs here; start it with"):
        crm.apply(DECLARED)


def test_without_pacemaker(crm, cluster, monkeypatch):
    monkeypatch.setattr(crm.salt.utils.path, "which", lambda name: None)
    assert not crm.installed()
    assert not crm.running()
    assert crm.dc() is None
    assert "primitives:cm" in crm.plan(DECLARED)["changes"]
    for refused in (lambda: crm.apply(DECLARED), crm.status, lambda: crm.clear("cm"), crm.wait):
        with pytest.raises(CommandExecutionError, match="^cms1: Pacemaker isn't installed"):
            refused()
    assert cluster.commands == []


def test_a_bad_declaration_names_its_path(crm, cluster):
    with pytest.raises(CommandExecutionError, match="^cms1: primitives:vip: has no agent$"):
        crm.plan({"primitives": {"vip": {}}})
    with pytest.raises(CommandExecutionError, match="^cms1: primitives:vip: has no agent$"):
        crm.apply({"primitives": {"vip": {}}})
    assert cluster.writes() == []


def test_secrets_go_by_stdin_only(crm, cluster):
    assert "hunter2" not in str(crm.plan(FENCE))
    assert "hunter2" not in str(crm.apply(FENCE))
    assert "hunter2" not in str(cluster.commands)
    assert "hunter2" in str(cluster.stdins)


def test_no_file_is_left_behind(crm, cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(crm.tempfile, "tempdir", str(tmp_path))
    crm.plan(FENCE)
    crm.apply(FENCE)
    assert {"crm_diff", "crm_simulate"} <= set(first_words(cluster))
    assert list(tmp_path.iterdir()) == []


# --- plan ----------------------------------------------------------------------------------------

MOVES = """
Transition Summary:
  * Move       cm     ( cms1 -> cms2 )
  * Start      vip    (         cms2 )  due to unrunnable start (blocked)

Executing Cluster Transition:
  * Resource action: cm              stop on cms1
"""


def test_a_plan_says_first_what_it_stops(crm, cluster):
    cluster.simulated = MOVES
    plan = crm.plan(DECLARED)
    assert plan["summary"] == [
        "would stop or move what runs: Move cm (cms1 -> cms2)",
        "would add properties:no-quorum-policy: ignore",
        'would add primitives:cm: {"agent": "lsb:cm"}',
        "and then: Start vip (cms2)",
    ]
    assert cluster.writes() == []


def test_a_plan_of_a_change_and_a_removal(crm):
    crm.apply(DECLARED)
    plan = crm.plan({"properties": {"no-quorum-policy": "stop"}}, {"primitives": ["cm"]})
    assert plan["summary"] == [
        "would change properties:no-quorum-policy: ignore -> stop",
        'would remove primitives:cm: {"agent": "lsb:cm"}',
    ]


def test_a_stopped_cluster_has_no_effects(crm, cluster):
    cluster.is_running = False
    assert crm.plan(DECLARED)["effects"] == []
    assert "crm_simulate" not in first_words(cluster)


def test_without_arguments_it_is_pillars(crm, cluster):
    pillar = {**DECLARED, "absent": {}, "purge": []}
    crm.__salt__["cmha.declared"] = lambda secrets: pillar if secrets else {}
    assert list(crm.plan()["changes"]) == ["properties:no-quorum-policy", "primitives:cm"]
    crm.apply()
    assert crm.plan()["changes"] == {}
    pillar.update(primitives={}, absent={"primitives": ["cm"]})
    assert list(crm.plan()["changes"]) == ["primitives:cm"]


# --- agents, purge, export -----------------------------------------------------------------------


def test_a_missing_agent_is_an_error_first(crm, cluster):
    cluster.missing_agents = ["lsb:cm"]
    with pytest.raises(
        CommandExecutionError,
        match="^cms1: primitives:cm: the resource agent lsb:cm isn't installed",
    ):
        crm.apply(DECLARED)
    assert cluster.writes() == []


def test_a_missing_agent_of_what_is_there_already_is_no_matter(crm, cluster):
    crm.apply(DECLARED)
    cluster.missing_agents = ["lsb:cm"]
    assert crm.apply({"primitives": {"cm": {"agent": "lsb:cm", "meta": {"priority": 1}}}})[
        "changes"
    ]


def test_another_agent_that_is_missing(crm, cluster):
    crm.apply(DECLARED)
    cluster.missing_agents = ["ocf:cm:agent"]
    with pytest.raises(
        CommandExecutionError, match="primitives:cm:agent: the resource agent ocf:cm"
    ):
        crm.apply({"primitives": {"cm": "ocf:cm:agent"}})


def test_what_an_agent_would_not_understand_is_refused(crm, cluster):
    cluster.not_understood = ["primitives:cm:params:ipp: ocf:a:b has no such parameter"]
    for act in (crm.plan, crm.apply):
        with pytest.raises(
            CommandExecutionError,
            match=r"^cms1: primitives:cm:params:ipp: .* \(allow_unknown: \[NAME\] in pillar",
        ):
            act(DECLARED)
    assert cluster.writes() == []
    assert crm.apply({**DECLARED, "allow_unknown": ["ipp"]})["changes"]
    assert crm.apply(DECLARED)["changes"] == {}  # what is there already is no matter


PENDING = {"properties": {"node-pending-timeout": "2h"}}
SINCE = (
    "properties:node-pending-timeout: Pacemaker 2.1.5 doesn't know node-pending-timeout, "
    "which there is since 2.1.7"
)


def test_a_property_of_a_later_version_is_refused_when_pacemaker_does_not_have_it(crm, cluster):
    cluster.options = ["maintenance-mode"]
    for act in (crm.plan, crm.apply):
        with pytest.raises(CommandExecutionError, match=f"^cms1: {SINCE}; allow_unknown: "):
            act(PENDING)
    assert cluster.writes() == []
    assert crm.plan({**PENDING, "allow_unknown": ["node-pending-timeout"]})["warnings"] == []
    cluster.options = ["node-pending-timeout"]  # a distribution's own
    assert crm.plan(PENDING)["warnings"] == []
    assert crm.apply(PENDING)["changes"]


def test_what_nobody_can_tell_is_a_warning(crm, cluster, caplog):
    assert crm.plan(PENDING)["warnings"] == [SINCE]
    demote = {"properties": {"no-quorum-policy": "demote"}}
    assert crm.plan(demote)["warnings"] == []
    cluster.version = (0, "Pacemaker 2.0.4\n")
    cluster.options = ["no-quorum-policy"]
    (line,) = crm.plan(demote)["warnings"]
    assert line.startswith(
        "properties:no-quorum-policy: Pacemaker 2.0.4 doesn't know no-quorum-policy=demote"
    )
    assert crm.apply(demote)["changes"]
    assert line in caplog.text
    assert crm.plan(demote)["warnings"] == []  # it is there already


def test_what_crm_verify_warns_of_is_shown_when_it_is_new(crm, cluster):
    def verdict(xml):
        return 78, "(x) \twarning: old\n" + ("(y) warning: two of it\n" if 'id="cm"' in xml else "")

    cluster.verdict = verdict
    assert crm.plan(DECLARED)["warnings"] == ["crm_verify: two of it"]


def test_a_stopped_cluster_asks_no_agent(crm, cluster):
    cluster.is_running, cluster.not_understood = False, ["primitives:cm:params:ipp: no"]
    assert crm.plan(DECLARED)["changes"]


def test_a_purge_of_what_runs_is_refused(crm, cluster):
    crm.apply(DECLARED)
    cluster.commands.clear()
    for purge in (crm.plan, crm.apply):
        with pytest.raises(
            CommandExecutionError, match=r"purge would remove what runs: cm \(on cms1\); declare it"
        ):
            purge({}, purge=["primitives"])
    assert cluster.writes() == []
    assert crm.apply({}, {"primitives": ["cm"]}, purge=["primitives"])["changes"]


def test_a_purge_of_what_is_stopped(crm, cluster):
    crm.apply({"primitives": {"other": "lsb:other"}})
    assert list(crm.apply({}, purge=True)["changes"]) == ["primitives:other"]


def test_export(crm, cluster):
    crm.apply(FENCE)
    assert crm.export()["primitives"]["f"]["params"] == {"passwd": "********"}
    assert crm.export(secrets=True) == FENCE


# --- reading -------------------------------------------------------------------------------------


def same(one, other):
    return ElementTree.canonicalize(one) == ElementTree.canonicalize(other)


def test_query_of_a_live_cluster(crm, cluster):
    assert same(crm.query(), cluster.cib)
    assert crm.nodes() == {"cms1": "1", "cms2": "2"}


def test_query_of_a_stopped_cluster_reads_the_disk(crm, cluster, tmp_path, monkeypatch):
    cluster.is_running = False
    on_disk = tmp_path / "cib.xml"
    on_disk.write_text(cluster.cib)
    monkeypatch.setattr(crm, "_CIB_ON_DISK", str(on_disk))
    assert same(crm.query(), cluster.cib)


def test_query_where_nothing_is(crm, cib, cluster):
    cluster.is_running = False
    assert same(crm.query(), cib.empty())


def test_a_query_shows_no_secret(crm, cluster):
    crm.apply(FENCE)
    assert "hunter2" in cluster.cib
    assert "hunter2" not in crm.query()
    assert 'value="********"' in crm.query()


def test_dc_and_node(crm, cluster):
    assert (crm.dc(), crm.node()) == ("cms1", "cms1")
    cluster.dc = None
    assert crm.dc() is None
    cluster.is_running = False
    assert crm.dc() is None


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Designated Controller is: cms2\n", "cms2"),
        ("Designated Controller is: cms2 (DC version 2.0)\n", "cms2"),
        ("Designated Controller is not yet elected\n", None),
        ("Designated Controller is: \n", None),
    ],
)
def test_the_dc_in_all_versions_words(crm, cluster, monkeypatch, said, name):
    monkeypatch.setattr(cluster, "_crmadmin", lambda command, stdin: (0, said))
    assert crm.dc() == name


def test_the_dc_where_crmadmin_knows_no_units(crm, cluster, monkeypatch):
    """As Pacemaker 2.0.5 on Debian 11 does."""
    monkeypatch.setattr(
        cluster,
        "_crmadmin",
        lambda command, stdin: (
            (0, "Designated Controller is: cms1\n")
            if "--timeout=5000" in command
            else (64, "Cannot parse integer value")
        ),
    )
    assert crm.dc() == "cms1"


def test_status_and_started(crm):
    assert crm.status()["dc"] == "cms1"
    assert crm.started("cm") == ["cms1"]
    with pytest.raises(CommandExecutionError, match=r"no resource nosuch \(it has: cm\)"):
        crm.started("nosuch")


def test_status_of_an_old_pacemaker(crm, cluster, monkeypatch):
    def old(command, stdin):
        return (0, cluster.mon) if "--as-xml" in command else (64, "unrecognized option")

    monkeypatch.setattr(cluster, "_crm_mon", old)
    assert crm.status()["dc"] == "cms1"


def test_status_of_a_stopped_cluster(crm, cluster):
    cluster.is_running = False
    with pytest.raises(CommandExecutionError, match="^cms1: no cluster status: .*start it with"):
        crm.status()


@pytest.mark.parametrize(
    ("answer", "running"),
    [((0, "ok"), True), ((8, "promoted"), True), ((7, "not running"), False), ((1, "oops"), None)],
)
def test_check(crm, cluster, answer, running):
    cluster.check = answer
    assert crm.check("cm") == {"running": running, "rc": answer[0], "text": answer[1]}


@pytest.mark.parametrize(
    ("agent", "seen", "found"),
    [
        ("systemd:x", "running", (True, 0)),
        ("systemd:x", "stopped", (False, 7)),
        ("service:x", "running", (True, 0)),
        # Pacemaker 2.0 passes on what the script's status says
        ("lsb:x", None, (False, 7)),
        ("ocf:cm:x", None, (None, 3)),
    ],
)
def test_what_a_check_means_that_pacemaker_did_not_do(crm, cluster, agent, seen, found):
    kind, _, provider = agent.rpartition(":")[0].partition(":")
    provider = f'provider="{provider}"' if provider else ""
    primitive = f'<primitive id="cm" class="{kind}" {provider} type="x"/>'
    cluster.cib = cluster.cib.replace("<resources/>", f"<resources>{primitive}</resources>")
    cluster.check = (3, "Manual execution of the systemd standard is unsupported")
    asked = []
    crm.__salt__["resource_agent.monitor"] = lambda agent: asked.append(agent) or seen
    answer = crm.check("cm")
    assert (answer["running"], answer["rc"]) == found
    assert asked == ([agent] if seen else [])


# --- move, clear, wait ---------------------------------------------------------------------------


def resource_commands(cluster):
    return [command[1:] for command in cluster.commands if command[0] == "crm_resource"]


MOVE = ["--move", "--resource", "cm", "--node", "cms2"]
CLEAR = ["--clear", "--resource", "cm", "--node", "cms2"]


def test_move_waits_and_clears_its_constraint(crm, cluster):
    assert crm.move("cm", "cms2") == ["cms2"]
    assert resource_commands(cluster) == [MOVE, CLEAR]


def test_move_keeps_the_constraint_when_asked_to(crm, cluster):
    crm.move("cm", "cms2", keep=True)
    assert resource_commands(cluster) == [MOVE]


def test_no_move_to_where_it_is(crm, cluster):
    assert crm.move("cm", "cms1") == ["cms1"]
    assert resource_commands(cluster) == []


def test_a_move_that_fails_clears_its_constraint(crm, cluster):
    with pytest.raises(
        CommandExecutionError, match="didn't start on cms-that-never-starts within 5 s; .*: cms1"
    ):
        crm.move("cm", "cms-that-never-starts", timeout=5)
    assert resource_commands(cluster)[-1][0] == "--clear"


FAILED = (
    '<failures><failure op_key="cm_start_0" node="{}" exitstatus="error" exitcode="1" task="start"'
    ' exitreason="no database" last-rc-change="{}"/></failures></pacemaker-result>'
)


def failed(node, when):
    return lambda mon: mon.replace("</pacemaker-result>", FAILED.format(node, when))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((None, failed("cms9", "now")), "cm doesn't start on cms9: no database; .*cleanup cm"),
        ((failed("cms9", "then"), None), "didn't start on cms9 within 5 s"),
        ((None, failed("cms1", "now")), "didn't start on cms9 within 5 s"),
    ],
)
def test_a_start_that_fails_meanwhile_ends_the_wait(crm, cluster, monkeypatch, changes, said):
    before, meanwhile = changes

    def move(command, stdin):
        if "--move" in command and meanwhile:
            cluster.mon = meanwhile(cluster.mon)
        return 0, ""

    monkeypatch.setattr(cluster, "_crm_resource", move)
    if before:
        cluster.mon = before(cluster.mon)
    with pytest.raises(CommandExecutionError, match=said):
        crm.move("cm", "cms9", timeout=5)


def test_a_move_that_pacemaker_refuses_clears_too(crm, cluster, monkeypatch):
    commands = []

    def refuse(command, stdin):
        commands.append(command[1])
        return (6, "no such node") if "--move" in command else (0, "")

    monkeypatch.setattr(cluster, "_crm_resource", refuse)
    with pytest.raises(
        CommandExecutionError, match="^cms1: moving cm to cms9 failed: no such node"
    ):
        crm.move("cm", "cms9")
    assert commands == ["--move", "--clear"]


def test_clear_all(crm, cluster):
    assert crm.clear("cm")
    assert resource_commands(cluster) == [["--clear", "--resource", "cm"]]


def test_wait(crm, cluster):
    assert crm.wait(30)
    assert resource_commands(cluster) == [["--wait", "--timeout=30s"]]


# --- version -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("Pacemaker 1.1.12-22.el7_1.2\nWritten by Andrew Beekhof\n", "1.1.12-22.el7_1.2"),
        ("Pacemaker 2.1.5\nWritten by Andrew Beekhof\n", "2.1.5"),
        ("Pacemaker 3.0.0\nWritten by Andrew Beekhof and the Pacemaker project\n", "3.0.0"),
        ("", None),
    ],
)
def test_the_version_is_what_pacemakerd_says(crm, cluster, said, version):
    cluster.version = (0, said)
    assert crm.version() == version


@pytest.mark.parametrize(
    ("said", "feature_set"),
    [
        ("Pacemaker 1.1.8 (Build: 1f8858c)\n Supporting: agent-manpages ncurses\n", None),
        ("Pacemaker 1.1.12 (Build: 561c4cf)\n Supporting v3.0.9: agent-manpages\n", "3.0.9"),
        (
            "Pacemaker 2.1.5 (Build: a3f44794f94)\n Supporting v3.16.1: default-concurrent\n",
            "3.16.1",
        ),
        ("", None),
    ],
)
def test_the_feature_set_is_what_pacemakerd_says(crm, cluster, said, feature_set):
    cluster.version = (0, said)
    assert crm.feature_set() == feature_set


def test_what_is_not_installed_has_no_version(crm, cluster, monkeypatch):
    monkeypatch.setattr(crm.salt.utils.path, "which", lambda name: None)
    assert crm.version() is None
    assert crm.feature_set() is None
    assert cluster.commands == []


# --- cleanup, a move that is watched -------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ({}, []),
        ({"resource": "cm"}, ["--resource", "cm"]),
        ({"node": "cms2"}, ["--node", "cms2"]),
        ({"resource": "cm", "node": "cms2"}, ["--resource", "cm", "--node", "cms2"]),
    ],
)
def test_cleanup(crm, cluster, arguments, options):
    assert crm.cleanup(**arguments) is True
    assert cluster.commands[-1] == ["crm_resource", "--cleanup", *options]


def test_cleanup_that_is_refused(crm, cluster, monkeypatch):
    monkeypatch.setattr(cluster, "_crm_resource", lambda *_: (105, "No such resource"))
    with pytest.raises(CommandExecutionError, match="^cms1: cleaning failures up .*No such"):
        crm.cleanup("nosuch")


def test_a_move_is_watched_from_before_it_begins(crm, cluster):
    """And ten times a second, while the resource is on its way."""
    seen = []

    def watch():
        seen.append((crm.time.monotonic(), any("--move" in each for each in cluster.commands)))

    with pytest.raises(CommandExecutionError, match="didn't start on cms-that-never-starts"):
        crm.move("cm", "cms-that-never-starts", timeout=3, watch=watch)
    assert seen[0] == (0, False)
    assert all(moving for _, moving in seen[1:])
    times = [time for time, _ in seen[1:]]
    assert times[:12] == pytest.approx([each / 10 for each in range(12)])
    assert resource_commands(cluster)[-1][0] == "--clear"


def test_a_move_that_is_none_is_not_watched(crm):
    assert crm.move("cm", "cms1", watch=lambda: pytest.fail("nothing to watch")) == ["cms1"]


# --- a move that failed is taken back ------------------------------------------------------------


class Failing:
    """A cluster in which the start on cms2 fails; ``blocked`` until it is cleaned up."""

    def __init__(self, cluster, blocked=False, comes_back=True):
        self.cluster, self.blocked, self.comes_back = cluster, blocked, comes_back
        self.good = cluster.mon
        cluster._crm_resource = self

    def __call__(self, command, stdin):
        verb = command[1]
        if verb == "--move":
            gone = self.good.replace(
                'role="Started" active="true"', 'role="Stopped" active="false"'
            )
            gone = re.sub(r'<node name="cms1" id="1"/>\s*</resource>', "</resource>", gone)
            flag = f'managed="true" blocked="{str(self.blocked).lower()}"'
            self.cluster.mon = failed("cms2", "now")(gone.replace('managed="true"', flag))
        elif verb == "--cleanup" or (verb == "--clear" and not self.blocked and self.comes_back):
            self.cluster.mon = self.good
        return 0, ""


def test_a_move_that_failed_is_taken_back(crm, cluster):
    Failing(cluster)
    with pytest.raises(CommandExecutionError, match="no database.*; it runs on cms1 again$"):
        crm.move("cm", "cms2", timeout=60)
    assert [each[0] for each in resource_commands(cluster)] == ["--move", "--clear"]


def test_what_blocks_it_on_its_way_back_is_cleaned_up(crm, cluster):
    Failing(cluster, blocked=True)
    with pytest.raises(CommandExecutionError, match="no database.*; it runs on cms1 again$"):
        crm.move("cm", "cms2", timeout=60)
    cleaned, cleared = resource_commands(cluster)[-2:]
    assert cleaned == ["--cleanup", "--resource", "cm", "--node", "cms2"]
    assert cleared == ["--clear", "--resource", "cm", "--node", "cms1"]


def test_where_it_may_fail_again_and_again_it_is_moved_home(crm, cluster):
    """With start-failure-is-fatal=false nothing else keeps it from there."""
    failing = Failing(cluster, comes_back=False)
    tried_again = cluster.mon

    def move(command, stdin):
        if "--move" in command and command[-1] == "cms1":
            cluster.mon = tried_again
            return 0, ""
        return failing(command, stdin)

    cluster._crm_resource = move
    with pytest.raises(CommandExecutionError, match="no database.*; it runs on cms1 again$"):
        crm.move("cm", "cms2", timeout=60)
    assert resource_commands(cluster) == [
        ["--move", "--resource", "cm", "--node", "cms2"],
        ["--clear", "--resource", "cm", "--node", "cms2"],
        ["--move", "--resource", "cm", "--node", "cms1"],
        ["--clear", "--resource", "cm", "--node", "cms1"],
    ]


@pytest.mark.parametrize("verb", ["--clear", "--move"])
def test_why_a_move_failed_is_never_lost(crm, cluster, verb):
    """The constraint can't be cleared, or it can't be moved home."""
    failing = Failing(cluster, comes_back=False)

    def move(command, stdin):
        if verb in command and command[-1] == ("cms2" if verb == "--clear" else "cms1"):
            return 1, "no DC"
        return failing(command, stdin)

    cluster._crm_resource = move
    said = {
        "--clear": "no database.*; and the move's constraint is left: .*no DC; crm resource clear cm; it ",
        "--move": "no database.*; it didn't come back to cms1 .*no DC",
    }
    with pytest.raises(CommandExecutionError, match=said[verb]):
        crm.move("cm", "cms2", timeout=60)


def test_what_is_about_to_start_at_home_is_waited_for(crm, cluster):
    """Pacemaker refuses to move it to where it starts already."""
    failing = Failing(cluster, comes_back=False)

    def move(command, stdin):
        if "--clear" in command:
            starting = failing.good.replace('role="Started"', 'role="Started" pending="Starting"')
            cluster.mon = starting if cluster.mon is not starting else cluster.mon
            return 0, ""
        return failing(command, stdin)

    waits = iter([False] * 3)

    def settled():
        if next(waits, None) is None:
            cluster.mon = failing.good
        return False

    cluster._crm_resource, crm.settled = move, settled
    with pytest.raises(CommandExecutionError, match="no database.*; it runs on cms1 again$"):
        crm.move("cm", "cms2", timeout=60)
    assert [each[0] for each in resource_commands(cluster)] == ["--move", "--clear"]


def test_it_is_held_there_until_more_than_a_start_is_seen(crm, cluster):
    asked = []

    def until():
        asked.append([each[0] for each in resource_commands(cluster)])

    assert crm.move("cm", "cms2", timeout=60, until=until) == ["cms2"]
    assert asked == [["--move"]]
    assert [each[0] for each in resource_commands(cluster)] == ["--move", "--clear"]


def test_a_start_that_nobody_sees_is_taken_back(crm, cluster):
    def until():
        raise CommandExecutionError("nobody answers")

    with pytest.raises(CommandExecutionError, match="^nobody answers; it runs on cms1 again$"):
        crm.move("cm", "cms2", timeout=60, until=until)
    moves = [each[-1] for each in resource_commands(cluster) if each[0] == "--move"]
    assert moves == ["cms2", "cms1"]


def test_what_does_not_come_back_is_told_when_the_cluster_rests(crm, cluster):
    Failing(cluster, comes_back=False)
    with pytest.raises(
        CommandExecutionError, match="it didn't come back to cms1; salt-run cmha.status"
    ):
        crm.move("cm", "cms2", timeout=600)
    assert crm.time.monotonic() < 60


def test_a_stop_that_fails_where_it_was_to_start_is_taken_back(crm, cluster):
    failing = Failing(cluster, blocked=True)

    def move(command, stdin):
        done = failing(command, stdin)
        if "--move" in command:
            cluster.mon = cluster.mon.replace("cm_start_0", "cm_stop_0")
            cluster.mon = cluster.mon.replace('task="start"', 'task="stop"')
        return done

    cluster._crm_resource = move
    with pytest.raises(
        CommandExecutionError,
        match="neither starts on cms2 nor stops there.*; it runs on cms1 again$",
    ):
        crm.move("cm", "cms2", timeout=60)
    cleaned, cleared = resource_commands(cluster)[-2:]
    assert cleaned == ["--cleanup", "--resource", "cm", "--node", "cms2"]
    assert cleared == ["--clear", "--resource", "cm", "--node", "cms1"]


OTHER = """
<resource id="fs" resource_agent="ocf:heartbeat:Filesystem" role="Started" active="true" managed="true"
 blocked="{}" failed="{}"><node name="cms2" id="2"/></resource>
"""


def test_what_has_to_be_where_it_is_fails_and_is_held(crm, cluster):
    """Another member of its group starts there neither, nor stops."""
    failing = Failing(cluster, blocked=True)

    def move(command, stdin):
        done = failing(command, stdin)
        if "--move" in command:
            mon = cluster.mon.replace("cm_start_0", "fs_stop_0").replace(
                'task="start"', 'task="stop"'
            )
            mon = mon.replace('blocked="true"', 'blocked="false"')
            cluster.mon = mon.replace("<resources>", f"<resources>{OTHER.format('true', 'true')}")
        return done

    cluster._crm_resource = move
    said = (
        r"cm didn't start on cms2, since this failed: fs \(stop on cms2: no database\); the cluster rests, "
        "and it is started on: nowhere; it runs on cms1 again$"
    )
    with pytest.raises(CommandExecutionError, match=said):
        crm.move("cm", "cms2", timeout=600)
    assert crm.time.monotonic() < 60
    cleaned, cleared = resource_commands(cluster)[-2:]
    assert cleaned == ["--cleanup", "--resource", "fs", "--node", "cms2"]
    assert cleared == ["--clear", "--resource", "cm", "--node", "cms1"]


def test_a_failed_start_that_is_listed_as_started_is_no_arrival(crm, cluster, monkeypatch):
    def move(command, stdin):
        if "--move" in command:
            mon = cluster.mon.replace('<node name="cms1" id="1"/>', '<node name="cms2" id="2"/>')
            mon = mon.replace('active="true" managed', 'active="true" failed="true" managed')
            cluster.mon = failed("cms2", "now")(mon)
        return 0, ""

    monkeypatch.setattr(cluster, "_crm_resource", move)
    with pytest.raises(CommandExecutionError, match="cm doesn't start on cms2: no database"):
        crm.move("cm", "cms2", timeout=60)


def stop_fails(cluster, blocked):
    def move(command, stdin):
        if "--move" in command:
            stop = FAILED.replace("start", "stop").format("cms1", "now")
            flag = f'managed="true" blocked="{blocked}" failed="true"'
            mon = cluster.mon.replace('managed="true"', flag)
            cluster.mon = mon.replace("</pacemaker-result>", stop)
        return 0, ""

    return move


def test_a_stop_that_fails_is_waited_for_where_fencing_ends_it(crm, cluster, monkeypatch):
    monkeypatch.setattr(cluster, "_crm_resource", stop_fails(cluster, "false"))
    monkeypatch.setattr(crm, "settled", lambda: False)
    with pytest.raises(
        CommandExecutionError, match="didn't start on cms2 within 60 s; it is started"
    ):
        crm.move("cm", "cms2", timeout=60)


def test_a_stop_that_fails_ends_the_move_at_once(crm, cluster, monkeypatch):
    move = stop_fails(cluster, "true")

    monkeypatch.setattr(cluster, "_crm_resource", move)
    with pytest.raises(
        CommandExecutionError, match="doesn't stop on cms1: no database; Pacemaker leaves it"
    ):
        crm.move("cm", "cms2", timeout=600)
    assert crm.time.monotonic() < 5
    assert "--clear" in cluster.commands[-1]


@pytest.mark.parametrize("name", ["stonith-watchdog-timeout", "fencing-watchdog-timeout"])
def test_pacemaker_is_not_told_to_count_on_a_watchdog_that_is_not_there(crm, cluster, name):
    cluster.watchdog = {name: "SBD doesn't run here"}
    with pytest.raises(crm.CommandExecutionError, match="^cms1: SBD doesn't run here$"):
        crm.apply({**DECLARED, "properties": {name: "10s"}})
    assert cluster.writes() == []
    # what is there already is not this change's
    assert crm.apply(DECLARED)["changes"]
