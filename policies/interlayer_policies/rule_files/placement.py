"""Rule files that teams have already: where they lie, and what their front matter and folder say of when they hold.

Known are the instruction files of coding agents in any folder, the rules in their hidden folders, and, where there are
none of these, every Markdown file of a folder. Turning their text into policies is `conversion`.
"""

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

INSTRUCTION_FILES: Final = ("AGENTS.md", "AGENT.md", "CLAUDE.md", "GEMINI.md")

PERSONAL_FILES: Final = ("CLAUDE.local.md", "AGENTS.local.md", "AGENTS.override.md", "GEMINI.local.md")
"""They are one person's own; whoever means them for everybody imports them by name."""

Activation = Literal["always", "relevant"]
"""Whether a file holds whenever its scope matches, or only for tasks that it is relevant to."""

# `.cursor/rules/*.mdc`, `.claude/rules/*.md`, `.github/instructions/*.md`, `.kiro/steering/*.md` and their like.
RULE_FOLDERS: Final = ("rules", "steering", "instructions")
_IN_RULE_FOLDER: Final = re.compile(rf"(?P<base>.*/)?\.[\w-]+/(?:{'|'.join(RULE_FOLDERS)})/.*\.mdc?$")
_HIDDEN_FILE: Final = re.compile(
    r"(?P<base>.*/)?(?:\.[a-z]+rules|\.github/copilot-instructions\.md|\.junie/guidelines\.md|\.clinerules/.*\.md)$"
)
_FIELD: Final = re.compile(r"(description|globs|alwaysApply):[ \t]*(.*)$")
_FIELD_OF_HOSTS: Final = re.compile(
    r"(description|globs|alwaysApply|applyTo|paths|fileMatchPattern|trigger|inclusion):[ \t]*(.*)$"
)
_GLOBS: Final = ("globs", "applyTo", "paths", "fileMatchPattern")
_ONLY_ON_DEMAND: Final = frozenset({"manual", "model_decision", "auto"})
_LISTED: Final = re.compile(r"[ \t]*-[ \t]+(.+)$")
_BRACES: Final = re.compile(r"\{([^{}]*,[^{}]*)\}")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file as it was found: its path below the source, with `/`, and its text.

    `base` is the folder of the file that includes it, `includes` are the files that it takes in; `unread` says why a
    file that was found is not read.
    """

    path: str
    text: str
    base: str | None = None
    includes: tuple[str, ...] = ()
    unread: str = ""


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


def placed(file: RuleFile) -> Placed:
    """Return when a file holds."""
    lines = file.text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or end is None:
        fields, kept, end = {}, [], -1
    else:
        fields, kept = _fields(lines[1:end], _FIELD_OF_HOSTS if is_instruction_file(file.path) else _FIELD)
    base = base_of(file.path) if file.base is None else file.base
    globs = [one for name in _GLOBS for text in fields.get(name, []) for one in _globs(text)]
    description = " ".join(" ".join(fields.get("description", [])).split())
    is_cursor = file.path.endswith(".mdc")
    on_demand = {one for name in ("trigger", "inclusion") for one in fields.get(name, [])} & _ONLY_ON_DEMAND
    always = bool(globs) or fields.get("alwaysApply") == ["true"] or not (is_cursor or on_demand)
    if fields.get("alwaysApply") == ["true"] and globs:
        kept, globs = [*kept, f"globs: {', '.join(globs)}"], []
    below = [f"{glob.escape(base)}/{one}" for one in globs] if base else globs
    tags = below or ([glob.escape(base), f"{glob.escape(base)}/*"] if base else [])
    tags = [] if "*" in tags else tags  # every file is no limit
    return Placed(
        body=lines[end + 1 :],
        first_line=end + 2,
        description=description,
        tags=tuple(dict.fromkeys(tags)),
        activation="always" if always else "relevant",
        kept=kept,
    )


def is_instruction_file(path: str) -> bool:
    """Return whether a path is one at which a host looks for what its agents are told."""
    named = PurePosixPath(path).name in INSTRUCTION_FILES
    return named or bool(_IN_RULE_FOLDER.match(path) or _HIDDEN_FILE.match(path))


def base_of(path: str) -> str:
    """Return the folder that a nested file is for, with `/`; empty for the root, and for plain Markdown."""
    found = _IN_RULE_FOLDER.match(path) or _HIDDEN_FILE.match(path)
    if found:
        return (found["base"] or "").strip("/")
    named = PurePosixPath(path).name in INSTRUCTION_FILES
    return str(PurePosixPath(path).parent).removeprefix(".") if named else ""


def _fields(head: list[str], known: re.Pattern[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the known fields and the other lines. Cursor's front matter is often no YAML: `globs: *.ts`."""
    fields: dict[str, list[str]] = {}
    kept: list[str] = []
    field = ""
    for line in head:
        found, listed = known.fullmatch(line), _LISTED.fullmatch(line)
        if found and found[1] not in fields:
            field = found[1]
            fields[field] = [_unquote(found[2])] if found[2].strip() else []
        elif listed and field in _GLOBS:
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
