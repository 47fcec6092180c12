"""The one reader of YAML, for schemas and policies: every value with its line, and a mistake as a sentence there."""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from interlayer.errors import InvalidInput

Place = tuple[str | int, ...]
KeysAt = Callable[[Place], Iterable[str]]
"""Returns the keys that the mapping at a place may have."""

PROBLEMS_MAX: Final = 10
_NESTING_MAX: Final = 20
_SENTENCES: Final[Mapping[str, str]] = {  # of pydantic's error types: what is wrong, and the remedy
    "missing": "is missing; add it",
    "string_type": "takes text; put it in quotes",
    "dict_type": "takes keys and values; write them indented below, or as {key: value}",
    "model_type": "takes keys and values; write them indented below, or as {key: value}",
    "tuple_type": "takes a list; write [one, two]",
    "bool_type": "takes true or false",
    "bool_parsing": "takes true or false",
    "string_pattern_mismatch": "is no name; use at most 40 of a-z, 0-9 and _, with a letter first",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: its line (from 1), the value's place, and what is wrong with its remedy."""

    line: int
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class InvalidFile(InvalidInput):
    """A file with mistakes; the message has a line `file:line: place: problem; remedy` for each of them."""

    def __init__(self, origin: str, problems: Iterable[Problem]) -> None:
        found = sorted(problems, key=lambda problem: problem.line)
        lines = [f"{origin}:{problem.line}: {problem}" for problem in found[:PROBLEMS_MAX]]
        if len(found) > PROBLEMS_MAX:
            lines.append(f"{origin}: and {len(found) - PROBLEMS_MAX} more")
        first, _, rest = "\n".join(lines).partition(f":{found[0].line}: ")
        super().__init__(f"{first}:{found[0].line}", rest)
        self.problems = tuple(found)


@dataclass(frozen=True, slots=True)
class Located:
    """What a YAML text holds, and the line of every key and list entry; `()` is the place of the whole."""

    data: Any
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """Return the line of a value, or of the nearest thing around it.

        A part of a place that the file does not have is passed over: pydantic puts the names of its own steps in.
        """
        found: Place = ()
        for part in place:
            if (*found, part) in self.lines:
                found = (*found, part)
        return self.lines.get(found, 1)


class _Loader(yaml.CSafeLoader):
    """YAML whose only truth values are `true` and `false`: the value `no` of an enum, and the region NO, are words."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's way to configure a loader
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_yaml(text: str, origin: str, first_line: int = 1) -> Located:
    """Read a YAML text that begins in `first_line` of its file.

    Raises `InvalidFile` for what is no YAML, keys given twice, aliases and nesting beyond all sense.
    """
    lines: dict[Place, int] = {(): first_line}
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            problems = list(_walk(node, (), lines, set(), first_line)) if node is not None else []
            data = loader.construct_document(node) if node is not None and not problems else None
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        message = f"is no YAML: {said}; mind indentation, and quotes around text that holds : or #"
        raise InvalidFile(origin, [Problem(first_line + (mark.line if mark else 0), "", message)]) from error
    if problems:
        raise InvalidFile(origin, problems)
    return Located(data, lines)


def replace_entries(text: str, key: str, numbers: Collection[int], instead: str) -> str:
    """Return a YAML text, one that could be read, with these entries of the list under a key written otherwise."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    lists = [value for name, value in node.value if name.value == key] if isinstance(node, yaml.MappingNode) else []
    for entries in lists:
        for number in sorted(numbers, reverse=True):
            start, end = (mark.index for mark in (entries.value[number].start_mark, entries.value[number].end_mark))
            written = text[start:end]
            text = text[:start] + instead + written[len(written.rstrip()) :] + text[end:]
    return text


def problems_of(errors: Iterable[Any], located: Located, known: KeysAt) -> list[Problem]:
    """Return pydantic's error details as sentences with their lines.

    A validator that looks at several keys says `key: what is wrong` for each, in lines of its own; the key becomes
    part of the place.
    """
    found: list[Problem] = []
    for detail in errors:
        place: Place = tuple(part for part in detail["loc"] if part != "[key]")
        if detail["type"] == "value_error":
            for line in str(detail["ctx"]["error"]).splitlines():
                key, _, message = line.partition(": ")
                within: Place = (*place, *key.split("."))
                found.append(Problem(located.line(within), _dot(within), message))
        else:
            found.append(Problem(located.line(place), _dot(place), _sentence(detail, place, known)))
    return found


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint with the known word nearest to an unknown one, or all of them when none is near."""
    words = list(known)
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(words)}"


def _sentence(detail: Any, place: Place, known: KeysAt) -> str:
    if detail["type"] == "extra_forbidden":
        return f"unknown key; {nearest(str(place[-1]), known(place[:-1]))}"
    if detail["type"] == "literal_error":
        return f"{str(detail['input'])[:40]!r} is unknown; " + nearest(
            str(detail["input"]), re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        )
    sentence = _SENTENCES.get(detail["type"])
    return sentence or str(detail["msg"]).replace("Input should", "should")


def _dot(place: Place) -> str:
    return ".".join(str(part) for part in place)


def _walk(node: Any, place: Place, lines: dict[Place, int], seen: set[int], first_line: int) -> Iterable[Problem]:
    """Note the line of every value; yield what YAML allows and we do not: aliases, deep nesting, keys given twice."""
    if id(node) in seen or len(place) > _NESTING_MAX:
        message = "is an alias or nested too deep; write the value out"
        yield Problem(node.start_mark.line + first_line, _dot(place), message)
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            within, line = (*place, str(key.value)), key.start_mark.line + first_line
            if within in lines:
                message = f"is given twice, first in line {lines[within]}; keep one of them"
                yield Problem(line, _dot(within), message)
                continue
            lines[within] = line
            yield from _walk(value, within, lines, seen, first_line)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[*place, number] = value.start_mark.line + first_line
            yield from _walk(value, (*place, number), lines, seen, first_line)
