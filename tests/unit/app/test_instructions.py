"""Instructions are put into a project's files without touching what is there, and taken out without a trace."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from interlayer.app.agent_texts import project_lines, skill
from interlayer.app.hosts.instructions import BEGIN, END, instructions, remove, write
from interlayer.errors import InvalidInput
from interlayer_tools import TOOLS

HOSTS = ["claude-code", "cursor", "vscode", "agents-md"]
DOCUMENTED = Path(__file__).parents[3] / "docs" / "agent-instructions.md"


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("host", HOSTS)
def test_what_was_written_is_found_once_and_leaves_nothing_behind(tmp_path: Path, host: str) -> None:
    assert write(instructions(host, tmp_path))
    once = contents(tmp_path)
    assert write(instructions(host, tmp_path)) == []
    assert contents(tmp_path) == once
    assert "get_governance_context" in "".join(text.decode() for text in once.values())
    assert remove(instructions(host, tmp_path))
    assert contents(tmp_path) == {}
    assert remove(instructions(host, tmp_path)) == []


@given(text=st.text(st.sampled_from("ab #\n\r-"), max_size=30))
def test_a_project_s_own_words_stay_to_the_byte(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    root = tmp_path_factory.mktemp("project")
    own = root / "AGENTS.md"
    own.write_bytes(text.encode())
    write(instructions("agents-md", root))
    assert own.read_bytes().startswith(text.encode())
    if text:
        assert (root / "AGENTS.md.bak").read_bytes() == text.encode()
    remove(instructions("agents-md", root))
    assert (own.read_bytes() if own.exists() else b"") == text.encode()


def test_an_older_block_is_replaced_where_it_stands(tmp_path: Path) -> None:
    own = tmp_path / "CLAUDE.md"
    own.write_text(f"Mine.\n{BEGIN}\nold words\n{END}\nMine too.\n", encoding="utf-8")
    write(instructions("claude-code", tmp_path))
    text = own.read_text(encoding="utf-8")
    assert text == f"Mine.\n{BEGIN}\n{project_lines()}{END}\nMine too.\n"
    remove(instructions("claude-code", tmp_path))
    assert own.read_text(encoding="utf-8") == "Mine.\nMine too.\n"


def test_a_file_of_ours_that_somebody_changed_is_kept_beside(tmp_path: Path) -> None:
    write(instructions("cursor", tmp_path))
    rule = tmp_path / ".cursor" / "rules" / "interlayer.mdc"
    rule.write_text("changed", encoding="utf-8")
    remove(instructions("cursor", tmp_path))
    assert not rule.exists()
    assert rule.with_name("interlayer.mdc.bak").read_text(encoding="utf-8") == "changed"


@pytest.mark.parametrize("text", [BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_damaged_marks_are_left_to_a_person(tmp_path: Path, text: str) -> None:
    own = tmp_path / "CLAUDE.md"
    own.write_text(text, encoding="utf-8")
    for change in (write, remove):
        with pytest.raises(InvalidInput, match="by hand"):
            change(instructions("claude-code", tmp_path))
    assert contents(tmp_path) == {"CLAUDE.md": text.encode()}


def test_the_skill_is_one_by_its_format() -> None:
    _, head, body = skill().split("---\n", 2)
    fields = yaml.safe_load(head)
    assert set(fields) == {"name", "description"}
    assert fields["name"] == "interlayer", "the name of its folder"
    assert len(fields["description"]) <= 1_024
    assert body.startswith("# ")


def test_the_texts_name_tools_that_there_are_and_the_docs_show_them_whole() -> None:
    documented = DOCUMENTED.read_text(encoding="utf-8")
    names = {tool.name for tool in TOOLS}
    for text in (project_lines(), skill()):
        assert text in documented
        assert {"recall_entity", "get_governance_context", "check_compliance", "memorize"} <= {
            name for name in names if f"`{name}`" in text
        }
