"""Rule files of every host are found, with what they take in; what is not read is told."""

from pathlib import Path

from interlayer_policies.document.parser import parse
from interlayer_policies.document.policy import Policy
from interlayer_policies.rule_files.conversion import imported
from interlayer_policies.rule_files.outcome import Imported
from interlayer_policies.rule_files.search import find_rule_files


def found_in(root: Path, files: dict[str, str]) -> dict[str, Imported]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return {one.source: one for one in imported(find_rule_files(root))}


def texts(found: Imported) -> list[str]:
    return [rule.text for rule in found.rules]


def test_what_a_file_takes_in_becomes_a_policy_of_its_own(tmp_path: Path) -> None:
    found = found_in(
        tmp_path,
        {
            "CLAUDE.md": "@docs/rules.md\n\n- Never forget tests.\n",
            "docs/rules.md": "- Never deploy on Friday. See @more.md.\n",
            "docs/more.md": "- Always ask.\n- `@docs/code.md` is code.\n",
        },
    )
    assert list(found) == ["CLAUDE.md", "docs/rules.md", "docs/more.md"]
    assert texts(found["docs/rules.md"]) == ["Never deploy on Friday. See @more.md."]
    assert found["CLAUDE.md"].includes == ("docs/rules.md",)
    converted = found["CLAUDE.md"].file
    assert converted is not None
    assert "@docs" not in converted.text, "its words are in the other policy"


def test_a_file_holds_where_the_one_holds_that_takes_it_in(tmp_path: Path) -> None:
    found = found_in(
        tmp_path,
        {"api/AGENTS.md": "@../shared.md\n- Never a.\n", "shared.md": "- Never b.\n", "AGENTS.md": "- Never c.\n"},
    )
    assert set(found["shared.md"].tags) == {"api", "api/*"}
    both = found_in(tmp_path, {"AGENTS.md": "@shared.md\n"})
    assert both["shared.md"].tags == (), "what two folders take in holds everywhere"


def test_a_file_that_only_takes_in_others_becomes_no_policy(tmp_path: Path) -> None:
    found = found_in(
        tmp_path,
        {"AGENTS.md": "- Never a.\n", "CLAUDE.md": "@AGENTS.md\n", "GEMINI.md": "AGENTS.md", "b/AGENTS.md": "notes.md"},
    )
    assert (found["CLAUDE.md"].file, found["CLAUDE.md"].includes) == (None, ("AGENTS.md",))
    assert (found["GEMINI.md"].file, found["GEMINI.md"].includes) == (None, ("AGENTS.md",))
    assert found["b/AGENTS.md"].file is not None, "a path of nothing is a text"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("- Never out.\n", encoding="utf-8")
    found = found_in(
        tmp_path / "repository",
        {
            "AGENTS.md": "@gone.md\n@../outside.md\n@~/mine.md\n- Never a.\n",
            "CLAUDE.local.md": "- Never mine.\n",
        },
    )
    reasons = {source: one.not_read for source, one in found.items() if one.not_read}
    assert reasons["gone.md"] == "AGENTS.md:1 includes it, and there is no such file"
    assert "AGENTS.md:2" in reasons["outside.md"]
    assert "outside of SOURCE" in reasons["outside.md"]
    assert "outside of SOURCE" in reasons["~/mine.md"]
    assert "one person's own" in reasons["CLAUDE.local.md"]
    assert all(one.file is None for one in found.values() if one.not_read)


def test_files_that_take_each_other_in_end(tmp_path: Path) -> None:
    found = found_in(tmp_path, {"AGENTS.md": "@a.md\n", "a.md": "@b.md\n- Never a.\n", "b.md": "@a.md\n- Never b.\n"})
    assert texts(found["a.md"]) == ["Never a."]
    assert texts(found["b.md"]) == ["Never b."]


def test_files_of_other_hosts_are_read_with_their_scope(tmp_path: Path) -> None:
    found = found_in(
        tmp_path,
        {
            ".github/copilot-instructions.md": "- Never copilot.\n",
            ".github/instructions/ts.instructions.md": "---\napplyTo: '**/*.ts,**/*.tsx'\n---\n- Never var.\n",
            ".github/ISSUE_TEMPLATE/bug.md": "- Never this.\n",
            "web/.claude/rules/r.md": "---\npaths:\n  - 'src/**'\n---\n- Never claude.\n",
            ".cursorrules": "Never use any.\nAlways test.\n",
            ".windsurf/rules/w.md": "---\ntrigger: model_decision\ndescription: x\n---\n- Never wind.\n",
            ".cursor/rules/all.mdc": "---\nglobs: '**/*'\n---\n- Never cursor.\n",
        },
    )
    assert ".github/ISSUE_TEMPLATE/bug.md" not in found
    assert {source: set(one.tags) for source, one in found.items()} == {
        ".github/copilot-instructions.md": set(),
        ".github/instructions/ts.instructions.md": {"*.ts", "*.tsx"},
        "web/.claude/rules/r.md": {"web/src/*"},
        ".cursorrules": set(),
        ".windsurf/rules/w.md": set(),
        ".cursor/rules/all.mdc": set(),
    }
    assert texts(found[".cursorrules"]) == ["Never use any.", "Always test."]
    assert texts(found[".windsurf/rules/w.md"]) == [], "it is read only for tasks that it is relevant to"


def test_names_in_any_script_become_ids_that_tell_files_apart(tmp_path: Path) -> None:
    found = found_in(
        tmp_path,
        {
            "返金.md": "# 返金\n返金は十日以内。\n",
            "возврат.md": "# Возврат\nТекст.\n",
            "Größe & Maß.md": "# Größe\nText.\n",
        },
    )
    ids = {
        source: policy.id for source, one in found.items() if isinstance(policy := one.file and parse(one.file), Policy)
    }
    assert ids == {"返金.md": "返金", "возврат.md": "возврат", "Größe & Maß.md": "grosse-mass"}
