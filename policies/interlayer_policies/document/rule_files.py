"""Rule files that teams have already: where they lie, and what their front matter and folder say of when they hold.

Known are `AGENTS.md` and `CLAUDE.md` in any folder, `.cursor/rules/*.mdc`, and, where there are none of these, every
Markdown file of a folder. Turning their text into policies is `importing`.
"""

import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from interlayer.errors import InvalidInput

INSTRUCTION_FILES: Final = ("AGENTS.md", "CLAUDE.md")

Activation = Literal["always", "relevant"]
"""Whether a file holds whenever its scope matches, or only for tasks that it is relevant to."""

_CURSOR_RULES: Final = ".cursor/rules/"
_FIELD: Final = re.compile(r"(description|globs|alwaysApply):[ \t]*(.*)$")
_LISTED: Final = re.compile(r"[ \t]*-[ \t]+(.+)$")
_BRACES: Final = re.compile(r"\{([^{}]*,[^{}]*)\}")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file as it was found: its path below the source, with `/`, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A file's text without the front matter that was understood, and what that and its folder say.

    `tags` are globs over the files and folders that a task works on; none: everywhere. `kept` are lines of front matter
    that mean nothing here. `first_line` is where the body begins.
    """

    body: list[str]
    first_line: int
    description: str
    tags: tuple[str, ...]
    activation: Activation
    kept: list[str]


def find_rule_files(source: Path, leave_out: Path | None = None) -> list[RuleFile]:
    """Return the rule files of a file, a repository or a folder, by path; nothing below `leave_out`.

    Raises `InvalidInput` when there is none, or one is not UTF-8 text.
    """
    if source.is_file():
        return [_read(source, source.name)]
    if not source.is_dir():
        raise InvalidInput("SOURCE", f"{source} is neither a file nor a folder.")
    paths = sorted(_walk(source, leave_out))
    known = [path for path in paths if _is_known(path)]
    found = known or [path for path in paths if path.endswith((".md", ".mdc"))]
    if not found:
        raise InvalidInput("SOURCE", f"{source} holds no AGENTS.md, CLAUDE.md, .cursor/rules/*.mdc or other .md file.")
    return [_read(source / path, path) for path in found]


def placed(file: RuleFile) -> Placed:
    """Return when a file holds."""
    lines = file.text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or end is None:
        fields, kept, end = {}, [], -1
    else:
        fields, kept = _fields(lines[1:end])
    base = _base(file.path)
    globs = [one for text in fields.get("globs", []) for one in _globs(text)]
    description = " ".join(" ".join(fields.get("description", [])).split())
    is_cursor = file.path.endswith(".mdc")
    always = not is_cursor or bool(globs) or fields.get("alwaysApply") == ["true"]
    if fields.get("alwaysApply") == ["true"] and globs:
        kept, globs = [*kept, f"globs: {', '.join(globs)}"], []
    below = [f"{glob.escape(base)}/{one}" for one in globs] if base else globs
    tags = below or ([glob.escape(base), f"{glob.escape(base)}/*"] if base else [])
    return Placed(
        body=lines[end + 1 :],
        first_line=end + 2,
        description=description,
        tags=tuple(dict.fromkeys(tags)),
        activation="always" if always else "relevant",
        kept=kept,
    )


def _walk(source: Path, leave_out: Path | None) -> Iterator[str]:
    unwanted = leave_out.resolve() if leave_out else None
    for folder, names, files in os.walk(source):
        names[:] = [
            name
            for name in names
            if (not name.startswith(".") or name == ".cursor")
            and name != "node_modules"
            and (Path(folder) / name).resolve() != unwanted
        ]
        for name in files:
            yield (Path(folder) / name).relative_to(source).as_posix()


def _is_known(path: str) -> bool:
    return PurePosixPath(path).name in INSTRUCTION_FILES or (
        path.endswith(".mdc") and f"/{_CURSOR_RULES}" in f"/{path}"
    )


def _read(path: Path, name: str) -> RuleFile:
    try:
        return RuleFile(name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("SOURCE", f"{path} cannot be read as UTF-8 text: {error}.") from error


def _base(path: str) -> str:
    """Return the folder that a nested file is for, with `/`; empty for the root, and for plain Markdown."""
    if not _is_known(path):
        return ""
    head, found, _ = f"/{path}".partition(f"/{_CURSOR_RULES}")
    return head.strip("/") if found else str(PurePosixPath(path).parent).removeprefix(".")


def _fields(head: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the fields that Cursor knows, and the other lines. Its front matter is often no YAML: `globs: *.ts`."""
    fields: dict[str, list[str]] = {}
    kept: list[str] = []
    field = ""
    for line in head:
        found, listed = _FIELD.fullmatch(line), _LISTED.fullmatch(line)
        if found and found[1] not in fields:
            field = found[1]
            fields[field] = [_unquote(found[2])] if found[2].strip() else []
        elif listed and field == "globs":
            fields[field].append(_unquote(listed[1]))
        elif line.strip():
            field = ""
            kept.append(line)
    return fields, kept


def _unquote(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _globs(text: str) -> Iterator[str]:
    """Yield the patterns of a `globs:` value as scopes read them, where `*` crosses folders and braces mean nothing."""
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    for part in re.split(r",(?![^{]*\})", inner):
        for pattern in _without_braces(_unquote(part)):
            if pattern:
                yield pattern.replace("**/", "*").replace("**", "*")


def _without_braces(pattern: str) -> Iterator[str]:
    found = _BRACES.search(pattern)
    if found is None:
        yield pattern
        return
    for choice in found[1].split(","):
        yield from _without_braces(pattern[: found.start()] + choice.strip() + pattern[found.end() :])
