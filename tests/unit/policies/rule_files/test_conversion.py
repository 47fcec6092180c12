"""Existing rule files become policies that lint accepts, and no word of them is lost."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.errors import InvalidInput
from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy
from interlayer_policies.review.lint import lint
from interlayer_policies.rule_files.conversion import imported
from interlayer_policies.rule_files.outcome import Imported
from interlayer_policies.rule_files.placement import RuleFile
from interlayer_policies.rule_files.search import find_rule_files

AGENTS = """# Working in this repository

Read this first.

## Commits
- Never commit **secrets** or
  customer data.
- Always run the tests; CI runs them too.
- It always returns null.
- Prefer small commits.

## Money
- Amounts must be integers of cents.
- Do not round {amount} twice.

## Steps
1. Never skip step two.
2. Must be step two.
<!--
- Never read this.
-->
```sh
- never a rule
```
- Always do this:
  - never that
"""


def one(path: str, text: str) -> tuple[Imported, Policy]:
    [found] = imported([RuleFile(path, text)])
    assert found.file is not None
    policy = parse(found.file)
    assert isinstance(policy, Policy)
    return found, policy


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[a-z]{2,}", text.lower()))


def said(policy: Policy) -> Counter[str]:
    sections = [f"{section.title} {section.text}" for section in policy.sections]
    return words(" ".join([policy.title, policy.description, *(rule.text for rule in policy.rules), *sections]))


def errors(*found: Imported) -> list[str]:
    return [str(p) for p in lint([one.file for one in found if one.file]) if p.severity == "error"]


def test_plain_obligations_become_rules_and_the_rest_stays_guidance() -> None:
    found, policy = one("AGENTS.md", AGENTS)
    assert [(rule.id, rule.level, rule.text, rule.line) for rule in found.rules] == [
        ("R1", "must_not", "Commits: Never commit secrets or customer data.", 6),
        ("R2", "must", "Commits: Always run the tests; CI runs them too.", 8),
        ("R3", "must", "Money: Amounts must be integers of cents.", 13),
        ("R4", "must_not", "Steps: Never skip step two.", 17),
        ("R5", "must", "Steps: Must be step two.", 18),
        ("R6", "must_not", "Steps: Always do this: never that", 26),
    ]
    assert [(rule.level, rule.text) for rule in policy.rules] == [(rule.level, rule.text) for rule in found.rules]
    assert policy.title == "Working in this repository"
    texts = {section.id: section.text for section in policy.sections}
    assert list(texts) == ["overview", "commits", "money", "steps"]
    assert texts["commits"] == "- It always returns null.\n- Prefer small commits."
    assert "Never read this" in texts["steps"]
    assert not words(AGENTS) - said(policy)
    assert errors(found) == []


def test_a_section_that_was_all_rules_leaves_its_heading_with_them() -> None:
    _, policy = one(
        "CLAUDE.md", "## Secrets\n- Never log keys.\n### Logs\nAre kept.\n## Access\n- Always ask.\n## Empty\n"
    )
    assert [rule.text for rule in policy.rules] == ["Secrets: Never log keys.", "Access: Always ask."]
    assert [(section.id, section.text) for section in policy.sections] == [
        ("secrets", "### Logs\nAre kept.\n\n**Empty**")
    ]


@pytest.mark.parametrize(
    ("path", "head", "tags", "rules"),
    [
        ("AGENTS.md", "", (), 1),
        ("packages/api/AGENTS.md", "", ("packages/api", "packages/api/*"), 1),
        ("a/[id]/CLAUDE.md", "", ("a/[[]id]", "a/[[]id]/*"), 1),
        ("handbook/sales.md", "", (), 1),
        (".cursor/rules/a.mdc", "---\nalwaysApply: true\n---\n", (), 1),
        (".cursor/rules/a.mdc", "---\ndescription: x\nglobs: *.ts,src/**/*.{js,jsx}\nalwaysApply: false\n---\n",
         ("*.ts", "src/*.js", "src/*.jsx"), 1),
        (".cursor/rules/a.mdc", '---\nglobs: ["**/*.py"]\n---\n', ("**.py",), 1),
        ("web/.cursor/rules/a.mdc", "---\nglobs:\n  - '*.ts'\n---\n", ("web/*.ts",), 1),
        (".cursor/rules/a.mdc", "---\ndescription: When data is changed\nalwaysApply: false\n---\n", (), 0),
        ("web/.cursor/rules/a.mdc", "", ("web", "web/*"), 0),
    ],
)  # fmt: skip
def test_where_a_file_holds_becomes_its_scope(path: str, head: str, tags: tuple[str, ...], rules: int) -> None:
    found, policy = one(path, head + "# Title\n- Never do harm.\n")
    wanted = {"**.py": "*.py"}
    assert set(found.tags) == {wanted.get(tag, tag) for tag in tags}
    assert policy.scope.patterns("tags") == set(found.tags)
    assert len(policy.rules) == rules
    assert found.relevant_only is (rules == 0)
    assert errors(found) == []


def test_front_matter_that_means_nothing_here_stays_as_text() -> None:
    _, policy = one(
        "notes.md", "---\nlayout: post\ndescription: How we write notes to one another\n---\n# Notes\nText.\n"
    )
    assert policy.description == "How we write notes to one another"
    assert "layout: post" in policy.sections[0].text


def test_a_file_that_is_a_policy_already_is_taken_as_it_is() -> None:
    text = "---\nid: mine\nrules: [Never lie.]\n---\n## More\nText.\n"
    found, policy = one("mine.md", text)
    assert found.file is not None
    assert (found.file.text, policy.id) == (text, "mine")
    with pytest.raises(InvalidInput, match="mine"):
        imported([RuleFile("a.md", text), RuleFile("b.md", text + "More.\n")])


def test_one_text_under_two_names_becomes_one_policy_and_an_empty_file_none() -> None:
    found = imported([RuleFile("AGENTS.md", AGENTS), RuleFile("CLAUDE.md", AGENTS), RuleFile("a.md", " \n")])
    assert [(one.source, one.same_as, one.file is None) for one in found] == [
        ("AGENTS.md", "", False),
        ("CLAUDE.md", "AGENTS.md", True),
        ("a.md", "", True),
    ]


_LINE = st.one_of(
    st.sampled_from(["", "---", "```", "~~~", "<!--", "-->", "# Top", "## ", "## Same", "### Deep", "- Never do it.",
                     "* always sing", "  more words", "  - never nested", "1. never step", "> quote", "# Other"]),
    st.tuples(
        st.sampled_from(["", "# ", "## ", "### ", "- Never ", "- You must ", "- **A b**: do not ", "- ", "\t"]),
        st.text(st.sampled_from("abc xyz.:?!{}#*_'\"\u00e9\u2028\x85\u200b\t-"), max_size=40),
    ).map("".join),
    st.sampled_from(["- never " + "word " * count for count in (20, 99, 150)]),
)  # fmt: skip


@given(st.lists(_LINE, max_size=25), st.sampled_from(["AGENTS.md", "a/b/AGENTS.md", ".cursor/rules/x.mdc", "n.md"]))
def test_no_word_of_any_file_is_lost_and_lint_accepts_the_policy(lines: list[str], path: str) -> None:
    text = "\n".join(lines)
    [found] = imported([RuleFile(path, text)])
    if found.file is None:
        assert not text.strip()
        return
    policy = parse(found.file)
    assert isinstance(policy, Policy)
    lost = words(text) - said(policy)
    assert not lost, (lost, found.file.text)
    assert errors(found) == []


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"# {path}\nText of {path}.\n", encoding="utf-8")


def test_a_repository_gives_its_rule_files_and_nothing_else(tmp_path: Path) -> None:
    rules = [".cursor/rules/deep/x.mdc", "AGENTS.md", "a/CLAUDE.md", "a/.cursor/rules/y.mdc"]
    write(tmp_path, *rules, "README.md", "node_modules/m/AGENTS.md", ".venv/AGENTS.md", "docs/z.mdc")
    assert [file.path for file in find_rule_files(tmp_path)] == sorted(rules)


def test_a_folder_of_markdown_gives_every_file_but_those_written_before(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "b/c.md", "out/a.md", "b/notes.txt")
    assert [file.path for file in find_rule_files(tmp_path, tmp_path / "out")] == ["a.md", "b/c.md"]
    assert [file.path for file in find_rule_files(tmp_path / "a.md")] == ["a.md"]
    (tmp_path / "b" / "c.md").write_bytes(b"\xff\xfe")
    for wrong, reason in ((tmp_path, "UTF-8"), (tmp_path / "none", "neither"), (tmp_path / "empty", "holds no")):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(InvalidInput, match=reason):
            find_rule_files(wrong)
