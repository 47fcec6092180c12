"""Instructions for an agent host's project: put beside what is there, and taken out again.

In a file that belongs to the project our lines stand between two marks, and only what is between them is ever touched.
A file that is ours alone is written whole. Whatever was there before is kept in a `.bak` file beside it.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from interlayer.app.agent_texts import project_lines, skill
from interlayer.errors import InvalidInput

BEGIN: Final = "<!-- interlayer:begin (written by `interlayer install`; changes in here are overwritten) -->"
END: Final = "<!-- interlayer:end -->"

_GAP: Final = "\n\n"
_CURSOR_HEAD: Final = (
    "---\ndescription: Shared memory and binding rules of the organization (Interlayer)\nalwaysApply: true\n---\n"
)


@dataclass(frozen=True, slots=True)
class Instructions:
    """A file and what belongs into it; `is_ours` when nothing else does."""

    path: Path
    text: str
    is_ours: bool


def instructions(client: str, working: Path) -> list[Instructions]:
    """List the files that a host reads in a project; nothing for a host that reads no file of it."""
    lines = project_lines()
    files = {
        "claude-code": [
            Instructions(working / "CLAUDE.md", lines, False),
            Instructions(working / ".claude" / "skills" / "interlayer" / "SKILL.md", skill(), True),
        ],
        "cursor": [Instructions(working / ".cursor" / "rules" / "interlayer.mdc", _CURSOR_HEAD + lines, True)],
        "vscode": [Instructions(working / ".github" / "copilot-instructions.md", lines, False)],
        "agents-md": [Instructions(working / "AGENTS.md", lines, False)],
    }
    return files.get(client, [])


def write(files: list[Instructions]) -> list[Path]:
    """Write them and return the paths that changed. Raises `InvalidInput` where only one of the marks is left."""
    texts = [(file, _read(file.path)) for file in files]
    wanted = [(file, before, file.text if file.is_ours else _with_block(file, before)) for file, before in texts]
    changed = [(file, before, after) for file, before, after in wanted if after != before]
    for file, before, after in changed:
        _replace(file.path, before, after)
    return [file.path for file, _, _ in changed]


def remove(files: list[Instructions]) -> list[Path]:
    """Take them out again and return the paths that changed; a file that then holds nothing is deleted."""
    texts = [(file, _read(file.path)) for file in files]
    wanted = [(file, before, "" if file.is_ours else _without_block(file, before)) for file, before in texts]
    changed = [(file, before, after) for file, before, after in wanted if before is not None and after != before]
    for file, before, after in changed:
        if after or before != _own_text(file):
            _replace(file.path, before, after)
        if not after:
            file.path.unlink()
            if file.is_ours and not any(file.path.parent.iterdir()):
                file.path.parent.rmdir()
    return [file.path for file, _, _ in changed]


def _own_text(file: Instructions) -> str:
    """Write out a file that nobody but us has written to."""
    return file.text if file.is_ours else _with_block(file, None)


def _with_block(file: Instructions, before: str | None) -> str:
    block = f"{BEGIN}\n{file.text.rstrip()}\n{END}\n"
    if not before:
        return block
    start, end = _find_block(file.path, before)
    return f"{before}{_GAP}{block}" if start is None else before[:start] + block + before[end:]


def _without_block(file: Instructions, before: str | None) -> str:
    if not before:
        return ""
    start, end = _find_block(file.path, before)
    if start is None:
        return before
    return before[:start].removesuffix(_GAP) + before[end:]


def _find_block(path: Path, text: str) -> tuple[int | None, int]:
    """Return where our block begins and ends, with its last line break; None where there is none."""
    start, end = text.find(BEGIN), text.find(END)
    if start < 0 and end < 0:
        return None, 0
    if start < 0 or end < start or text.count(BEGIN) != 1 or text.count(END) != 1:
        raise InvalidInput(str(path), "the marks of `interlayer install` are damaged.", "Take them out by hand.")
    end += len(END)
    return start, end + text[end:].startswith("\n")


def _read(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise InvalidInput(str(path), f"is not UTF-8 text ({error}).", "Add the lines by hand.") from error


def _replace(path: Path, before: str | None, after: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if before:
        shutil.copy2(path, path.with_name(path.name + ".bak"))
    partial = path.with_name(path.name + ".new")
    partial.write_text(after, encoding="utf-8", newline="")
    partial.replace(path)
