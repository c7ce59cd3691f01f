"""What documentation, pillar and code promise each other: who adds to one is told what the others lack."""

import ast
import os
import re

import pytest


@pytest.fixture(scope="module")
def leaves(pure):
    """The paths below cmha that pillar may have, each as a tuple of names; of each role and pair once."""
    rules = pure("cmha_pillar")

    def below(place, path):
        for key, rule in place.items():
            if isinstance(rule, dict):
                yield from below(rule, (*path, key))
            else:
                yield (*path, key)

    site = {key: rule for key, rule in rules._SITE.items() if key not in ("roles", "pairs")}
    of_pair = {key: rule for key, rule in rules._PAIR.items() if key not in rules._SETTINGS}
    more = {
        "pairs": {**of_pair, "nodes": rules._NODE},
        "corosync": {
            "interface": rules._section_of_corosync("interface"),
            "logging": {"logger_subsys": rules._section_of_corosync("logging:logger_subsys")},
            "quorum": {"device": {"heuristics": rules._COMMANDS}},
        },
    }
    return {*below(site, ()), *below(more, ())}


@pytest.fixture(scope="module")
def docs(formula):
    return {path: path.read_text() for path in [formula / "README.md", *formula.glob("docs/*.md")]}


def says(text, name):
    """Whether a text has a name as a word; of exec_NAME its beginning will do."""
    end = "" if name.endswith("_") else r"(?![\w-])"
    return re.search(rf"(?<![\w-]){re.escape(name)}{end}", text)


@pytest.mark.parametrize(
    "folder", ["_modules", "_states", "_beacons", "_runners", "_output", "_utils"]
)
def test_every_room_is_on_the_map(formula, folder):
    """As the table of its folder has it, and nothing else."""
    tables = re.split(r"^\| room of ", (formula / "docs/rooms.md").read_text(), flags=re.MULTILINE)
    mapped = [
        room
        for table in tables[1:]
        if f"`{folder}/`" in table.splitlines()[0]
        for line in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
        for room in re.findall(r"`(\w+)`", line)
    ]
    assert sorted(mapped) == sorted(path.stem for path in (formula / folder).glob("*.py"))


def test_every_key_of_pillar_is_documented(leaves, docs):
    text = "\n".join(docs.values())
    missing = sorted(":".join(leaf) for leaf in leaves if not says(text, leaf[-1]))
    assert not missing, "write into README.md or a page of docs/"


def test_every_key_of_pillar_is_in_the_example(leaves, formula):
    """But for those of corosync.conf, which have a page of their own."""
    text = (formula / "pillar.example").read_text()
    own = [leaf for leaf in leaves if leaf[0] != "corosync"]
    missing = sorted(":".join(leaf) for leaf in own if not says(text, leaf[-1]))
    assert not missing, "write into pillar.example, if only as a comment"


KEYS_PAGE = """# The keys of corosync.conf

What pillar may say below `cmha:corosync` (of a node: below `cmha:pairs:PAIR:nodes:NODE`), and which versions
of Corosync know it. A number there is the first version that does. What an installed Corosync doesn't know is
refused. A test writes this page: `CMHA_GOLDEN=write`, see `test/unit/test_promises.py`.
"""


def keys_page(keys):
    """The page, from the table of keys."""
    lines = [KEYS_PAGE]
    for section, table in keys.SECTIONS.items():
        lines += [
            f"## {section}",
            "",
            "| key | value | 1.x | 2.x | 3.x |",
            "| --- | --- | --- | --- | --- |",
        ]
        for key, (generations, rule) in table.items():
            since = keys.SINCE.get((section, key), {})
            known = [since.get(each, "yes") if each in generations else "" for each in (1, 2, 3)]
            value = (
                _words(keys, section, key, rule)
                if isinstance(rule, dict)
                else rule.replace("count", "number")
            )
            lines.append(
                f"| `{key}{'NAME' if key.endswith('_') else ''}` | {value} | {' | '.join(known)} |"
            )
        lines.append("")
    return "\n".join(lines)


def _words(keys, section, key, rule):
    """Words that a value may be, each with the versions that know it where the key's others do more."""
    everywhere = keys.SECTIONS[section][key][0]
    shown = []
    for word, generations in rule.items():
        since = keys.SINCE.get((section, key, word), {})
        only = [since.get(each, f"{each}.x") for each in generations]
        shown.append(f"{word} ({', '.join(only)})" if since or generations != everywhere else word)
    return ", ".join(shown)


def test_the_page_of_corosyncs_keys(pure, formula):
    page = formula / "docs/corosync-keys.md"
    written = keys_page(pure("corosync_keys"))
    if os.environ.get("CMHA_GOLDEN") == "write":
        page.write_text(written)
    assert page.read_text() == written


def test_every_key_of_pillar_is_read(leaves, formula):
    """But for those of corosync.conf, which the template prints whatever they are."""
    text = "\n".join(
        path.read_text()
        for pattern in (
            "_utils/*.py",
            "_modules/*.py",
            "_states/*.py",
            "cmha/**/*.sls",
            "cmha/**/*.jinja",
        )
        for path in formula.glob(pattern)
        if path.name != "cmha_pillar.py"
    )
    own = [leaf for leaf in leaves if leaf[0] != "corosync"]
    missing = sorted(":".join(leaf) for leaf in own if not says(text, leaf[-1]))
    assert not missing, "nothing reads it"


def test_the_checks_that_can_be_ignored(pure, docs, formula):
    """In pillar's rule, in preflight's table and in the documentation they are the same."""
    preflight = pure("cmha_preflight")
    checks = {each.name for each in preflight._CHECKS if each.weight == preflight._UNLESS_IGNORED}
    assert set(pure("cmha_pillar").PREFLIGHT_CHECKS) == checks
    (sentence,) = re.findall(
        r"`preflight: \{ignore: \[\w+\]\}` makes a warning of ([^.]*)\.",
        docs[formula / "docs/day-two.md"],
    )
    assert set(re.findall(r"`(\w+)`", sentence)) == checks


def anchor(heading):
    """As a page of Markdown names its headings."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def test_every_link_leads_somewhere(docs, formula):
    pages = {**docs, formula / "test/lab/README.md": (formula / "test/lab/README.md").read_text()}
    lost = []
    for path, text in pages.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", link):
                continue
            file, _, place = link.partition("#")
            there = (path.parent / file).resolve() if file else path
            headings = (
                re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE) if there.is_file() else []
            )
            if not there.exists() or (place and place not in map(anchor, headings)):
                lost.append(f"{path.name}: {link}")
    assert not lost


def test_every_section_that_is_named_is_there(docs, formula):
    """ "see README, Events" and its like."""
    headings = {
        path.stem: {heading.strip() for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
        for path, text in docs.items()
    }
    sources = [
        *formula.glob("docs/*.md"), *formula.glob("_*/*.py"), *formula.glob("cmha/**/*"),
        formula / "pillar.example", formula / "README.md",
    ]  # fmt: skip
    lost = []
    for path in (each for each in sources if each.is_file()):
        for page, section in re.findall(
            r"\b(README|[a-z-]+)(?:\.md)?, ([A-Z][a-z]+(?: [a-z]+)*)[).;:]", path.read_text()
        ):
            if page in headings and section not in headings[page]:
                lost.append(f"{path.name}: {page}, {section}")
    assert not lost


def test_the_attempts_that_a_transaction_makes(load_file, docs, formula):
    attempts = load_file("_modules/crm.py")._ATTEMPTS
    assert f"{attempts} times at most" in docs[formula / "docs/cib.md"]


def test_every_release_is_documented(formula_yaml, docs, formula):
    """What platforms.yaml knows, docs/platforms.md says, and no other."""
    rows = re.findall(
        r"^\| (RHEL|Ubuntu|Debian|SLES|openSUSE) ([\d., ]+|Tumbleweed) \|",
        docs[formula / "docs/platforms.md"],
        re.MULTILINE,
    )
    said = {(name, release.split(".")[0]) for name, some in rows for release in some.split(", ")}
    names = {"RedHat": "RHEL", "Suse": "SLES", ("Suse", 42): "openSUSE"}
    known = {
        ("openSUSE", settings["rolling"])
        if "rolling" in settings
        else (names.get((name, release), names.get(name, name)), str(release))
        for name, section in formula_yaml("cmha/platforms.yaml").items()
        for release, settings in section.get("releases", {}).items()
    }
    assert said == known


@pytest.mark.parametrize("kind", ["_modules", "_states", "_runners", "_beacons"])
def test_no_utility_is_given_a_function_that_needs_salt(formula, kind):
    """Salt's loader has no ``__salt__`` and no ``__utils__`` for one that is called from a utility."""
    for path in sorted((formula / kind).glob("*.py")):
        tree = ast.parse(path.read_text())
        own = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
        own -= {
            each.id
            for each in ast.walk(tree)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
        given = [
            f"{path.name}:{call.lineno}"
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("__utils__[")
            for each in (*call.args, *(keyword.value for keyword in call.keywords))
            if isinstance(each, ast.Lambda) or (isinstance(each, ast.Name) and each.id in own)
        ]
        assert given == []
