"""Finds the rule files of a file, a repository or a folder, and what they take in with `@path`, as some hosts do.

A line that is nothing but such a path goes, because the file that it names becomes a policy of its own. What is named
and cannot be read is told; nothing outside of the source is read.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final

from interlayer.errors import InvalidInput
from interlayer_policies.document.fences import code_lines
from interlayer_policies.rule_files.placement import (
    PERSONAL_FILES,
    RULE_FOLDERS,
    RuleFile,
    base_of,
    is_instruction_file,
)

_INCLUDE: Final = re.compile(r"(?<![\w`@/.])@((?:~|\.{0,2}/)?[^\s`@'\"()<>,;]*\.(?:md|mdc|markdown|txt))(?![\w/])")
_ALONE: Final = re.compile(r"\s*(?:[-*+]\s+)?@\S+\s*$")
_LINK: Final = re.compile(r"\s*(\.{0,2}/?[\w./-]+\.(?:md|mdc))\s*$")  # a symbolic link that was checked out as text
_DEPTH_MAX: Final = 5


@dataclass(slots=True)
class _Inclusion:
    """The files found so far by path, and those that cannot be read."""

    root: Path
    files: dict[str, RuleFile] = field(default_factory=dict[str, RuleFile])
    unread: dict[str, RuleFile] = field(default_factory=dict[str, RuleFile])


def find_rule_files(source: Path, leave_out: Path | None = None) -> list[RuleFile]:
    """Return the rule files of a file, a repository or a folder, by path; nothing below `leave_out`.

    Raises `InvalidInput` when there is none, or one is not UTF-8 text.
    """
    if source.is_file():
        return _with_includes(source.parent, [_read(source, source.name)])
    if not source.is_dir():
        raise InvalidInput("SOURCE", f"{source} is neither a file nor a folder.")
    paths = sorted(_walk(source, leave_out))
    known = [path for path in paths if is_instruction_file(path)]
    found = known or [path for path in paths if path.endswith((".md", ".mdc")) and not _is_hidden(path)]
    if not found:
        raise InvalidInput("SOURCE", f"{source} holds no AGENTS.md, CLAUDE.md, .cursor/rules/*.mdc or other .md file.")
    personal = [path for path in paths if PurePosixPath(path).name in PERSONAL_FILES]
    files = [_read(source / path, path) for path in found if path not in personal]
    reason = "it is one person's own; import it by name if it is meant for everybody"
    return [*_with_includes(source, files), *(RuleFile(path, "", unread=reason) for path in personal)]


def _with_includes(root: Path, files: Iterable[RuleFile]) -> list[RuleFile]:
    """Return the files, what they include behind them, and by name what they include and cannot be read."""
    found = _Inclusion(root.resolve(), {file.path: file for file in files})
    for path in list(found.files):
        _follow(found, path, base_of(path), 0)
    return [*found.files.values(), *found.unread.values()]


def _follow(found: _Inclusion, path: str, base: str, depth: int) -> None:
    file = found.files[path]
    lines = file.text.split("\n")
    took: list[str] = []
    for number, included, alone in list(_included(found.root, path, lines)):
        target = _target(found.root, path, included)
        reason = _unreadable(found.root, target, depth)
        name = _name(found.root, target) if target else included
        if target is None or reason:
            message = f"{path}:{number + 1} includes it, and {reason}"
            found.unread.setdefault(name, RuleFile(name, "", unread=message))
            continue
        took.append(name)
        if alone:
            lines[number] = ""
        if name not in found.files:
            found.files[name] = replace(_read(target, name), base=base)
            _follow(found, name, base, depth + 1)
        elif found.files[name].base not in {None, base}:
            found.files[name] = replace(found.files[name], base="")  # what two folders take in holds everywhere
    if took:
        found.files[path] = replace(file, text="\n".join(lines), includes=tuple(dict.fromkeys(took)))


def _included(root: Path, path: str, lines: list[str]) -> Iterator[tuple[int, str, bool]]:
    """Yield the line, from 0, of each file that is named with `@`, its path, and whether the line is nothing else.

    A text that is nothing but the path of a file names it as well.
    """
    said = [number for number, line in enumerate(lines) if line.strip()]
    link = _LINK.match(lines[said[0]]) if len(said) == 1 else None
    if link and not _unreadable(root, _target(root, path, link[1]), 0):
        yield said[0], link[1], True
        return
    for number, (line, in_code) in enumerate(zip(lines, code_lines(lines), strict=True)):
        if not in_code:
            for match in _INCLUDE.finditer(line):
                yield number, match[1], bool(_ALONE.match(line))


def _target(root: Path, path: str, included: str) -> Path | None:
    if included.startswith("~"):
        return None
    folder = root if included.startswith("/") else root / PurePosixPath(path).parent
    return (folder / included.lstrip("/")).resolve()


def _unreadable(root: Path, target: Path | None, depth: int) -> str:
    if target is None or not target.is_relative_to(root):
        return "it lies outside of SOURCE"
    if not target.is_file():
        return "there is no such file"
    return "it is nested too deep" if depth >= _DEPTH_MAX else ""


def _name(root: Path, target: Path) -> str:
    return target.relative_to(root).as_posix() if target.is_relative_to(root) else target.name


def _walk(source: Path, leave_out: Path | None) -> Iterator[str]:
    unwanted = leave_out.resolve() if leave_out else None
    for folder, names, files in os.walk(source):
        names[:] = [
            name
            for name in names
            if (not name.startswith(".") or _holds_rules(Path(folder) / name))
            and name != "node_modules"
            and (Path(folder) / name).resolve() != unwanted
        ]
        for name in files:
            yield (Path(folder) / name).relative_to(source).as_posix()


def _holds_rules(folder: Path) -> bool:
    """Whether a hidden folder is one in which a host keeps rules."""
    named = folder.name in {".github", ".junie", ".clinerules"}
    return named or any((folder / inner).is_dir() for inner in RULE_FOLDERS)


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


def _read(path: Path, name: str) -> RuleFile:
    try:
        return RuleFile(name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("SOURCE", f"{path} cannot be read as UTF-8 text: {error}.") from error
