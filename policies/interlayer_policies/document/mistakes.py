"""What authors of front matter slip on, told in their words with the remedy: quotes, colons, tabs, dates, truth values.

YAML names what its parser expected. Who wrote the line meant a sentence, and is told how to write it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from interlayer.language.lexicon.reader import meanings

_FORM: Final = "write the date as year-month-day, such as 2026-12-01"
_IN_FIGURES: Final = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_YEAR_FIRST: Final = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})")
_VALUE: Final = re.compile(r"^(?P<before>\s*(?:-\s+)?(?:[A-Za-z_][\w-]*:\s+)?)(?P<value>\S.*)$")
_PARAMETER: Final = re.compile(r"\{[A-Za-z_]\w*\}")
_INNER: Final = re.compile(r"\{[^{}]*(?<!['\"\w])[^{}'\"]*\{[A-Za-z_]\w*\}")
_TWO_COLONS: Final = re.compile(r":\s[^,{}\[\]'\"]*:\s")
_DAY: Final = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
_COMMENT: Final = re.compile(r"^\s*-\s+(?:text:\s+)?(?P<text>[^'\"{\[\s].*?\s#[^\s#].*)$")
_BRACKETS: Final = ("[]", "{}")
_SPECIAL: Final = "@`%&*!|>"
_QUOTES: Final = "\"'"
_IS_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"")
_SENTENCES: Final = {
    "missing": "is missing; add it",
    "string_type": "takes a text; put it in quotes",
    "string_pattern_mismatch": "is empty or holds a sign that cannot be shown; write plain text",
}
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Mistake:
    """A slip: the line, counted from 0, and what is wrong with its remedy."""

    line: int
    message: str


def quoted(text: str) -> str:
    """Return a text as YAML takes it whatever it holds."""
    return "'" + text.replace("'", "''") + "'"


def explain_yaml(lines: Sequence[str], at: int) -> Mistake | None:
    """Return what is wrong in or just above the line at which YAML gave up, None where the lines do not show it."""
    for number in dict.fromkeys((min(at, len(lines) - 1), at - 1)):
        if 0 <= number < len(lines):
            message = _explain_line(lines[number])
            if message:
                return Mistake(number, message)
    opened = next((number for number, line in enumerate(lines) if _is_unclosed(line)), None)
    if opened is not None:
        return Mistake(opened, "a quote is opened and never closed; close it, or write a quote inside of '...' twice")
    if 0 < at < len(lines) and lines[at].strip():
        return Mistake(at, "the line is indented otherwise than what it belongs to; align it with the lines around it")
    return None


def explain_value(kind: str, given: Any, place: Sequence[str | int]) -> str:
    """Return what is wrong with a value of pydantic's error type, empty where its own words do."""
    if kind == "string_type" and isinstance(given, bool | int | float | date):
        shown = str(given).lower() if isinstance(given, bool) else str(given)
        read = "a truth value" if isinstance(given, bool) else "a date" if isinstance(given, date) else "a number"
        return f"{shown} is read as {read}; put it in quotes: {quoted(shown)}"
    if kind == "tuple_type":
        inner = ", ".join(cast("dict[str, Any]", given)) if isinstance(given, dict) else str(given)
        return f"takes a list; write [{inner[:_SHOWN]}], or each entry in a line of its own with - before it"
    if kind == "model_type":
        return _ask_for_keys(given, str(given), place)
    return _SENTENCES.get(kind, "")


def ask_for_date(said: str) -> str:
    """Return how to write a date that was written otherwise."""
    meant = [one.isoformat() for one in _dates(said)]
    if not meant:
        return f"{said!r} is no date; {_FORM}"
    return f"{said!r} is no date that is read alike everywhere; write {' or '.join(dict.fromkeys(meant))}"


def cut_by_comment(line: str) -> str:
    """Return what to write where a # in a rule's sentence makes a comment of the rest, empty where none does."""
    found = _COMMENT.match(line)
    return f"what stands behind # is a comment; put the sentence in quotes: {quoted(found['text'])}" if found else ""


def bare_parameters(document: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the place of each `{name}` without quotes, which YAML takes for keys, and what to write."""
    rules = document.get("rules")
    for number, rule in enumerate(cast("list[Any]", rules) if isinstance(rules, list) else []):
        check = cast("dict[str, Any]", rule).get("check") if isinstance(rule, dict) else None
        for option, value in cast("dict[str, Any]", check).items() if isinstance(check, dict) else ():
            for one in cast("list[Any]", value) if isinstance(value, list) else [value]:
                if isinstance(one, dict) and list(cast("dict[str, Any]", one).values()) == [None]:
                    name = next(iter(cast("dict[str, Any]", one)))
                    message = f"check: {option}: {{{name}}} needs quotes; write '{{{name}}}'"
                    yield ("rules", number, "check", option), f"rules.{number}: {message}"


def _explain_line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        return "it is indented with a tab; use blanks"
    found = _VALUE.match(line)
    if not found:
        return ""
    value = found["value"].rstrip()
    remedy = quoted(value)[:_SHOWN]
    slips = (
        (_is_bare_parameter(value), f"a text that begins with {{ needs quotes; write {remedy}"),
        (any(value[0] == first and value.count(first) > value.count(last) for first, last in _BRACKETS),
         f"a {value[0]} is opened and never closed in this line; close it, or put the text in quotes"),
        (_is_special(value), f"a text that begins with {value[0]} needs quotes; write {remedy}"),
        (bool(_INNER.match(value)),
         "a text with {name} in it needs quotes inside of { }; write {text: '... {name} ...'}"),
        (value[0] in _QUOTES and not _is_unclosed(line) and not _IS_QUOTED.fullmatch(value),
         f"words follow a text in quotes; put the whole of it in quotes: {remedy}"),
        (value[0] not in "\"'[{" and bool(re.search(r":\s+\S", value)),
         f"a text with a colon in it needs quotes; put the sentence in quotes: {remedy}"),
        (value[0] == "{" and bool(_TWO_COLONS.search(value)),
         "a text with a colon in it needs quotes inside of { }; write {text: '...: ...'}"),
        (bool(_DAY.search(value)), "there is no such day; correct it, as year-month-day"),
    )  # fmt: skip
    return next((message for is_so, message in slips if is_so), "")


def _is_bare_parameter(value: str) -> bool:
    return bool(_PARAMETER.match(value)) and _PARAMETER.fullmatch(value) is None


def _is_special(value: str) -> bool:
    return value[0] in _SPECIAL and value[:2].strip() not in {"|", ">", "|-", ">-"}


def _is_unclosed(line: str) -> bool:
    found = _VALUE.match(line)
    value = found["value"].rstrip() if found else ""
    return value[:1] in {"'", '"'} and value.count(value[0]) % 2 == 1


def _ask_for_keys(given: Any, shown: str, place: Sequence[str | int]) -> str:
    if place[0] == "rules":
        inner = str(cast("list[Any]", given)[0]) if isinstance(given, list) and given else shown
        return f"takes a sentence or keys; write - {quoted(inner[:_SHOWN])}, or - text: and level: below it"
    if place[0] == "tests":
        return f"takes keys; write - {{task: {quoted(shown[:_SHOWN])}, expect_rules: [R1]}}"
    if place[0] == "scope":
        return "takes keys and values; write {regions: [EU]}"
    if place[0] == "params":
        return f"takes keys; write {{value: {shown[:_SHOWN]}}}"
    return "takes keys and values; write them indented below, or as {key: value}"


def _dates(said: str) -> Iterator[date]:
    """Yield the days that a date may mean: the day first, as most countries write it."""
    figures, year_first = _IN_FIGURES.fullmatch(said.strip()), _YEAR_FIRST.fullmatch(said.strip())
    if year_first:
        year, orders = int(year_first[1]), [(int(year_first[3]), int(year_first[2]))]
    elif figures:
        first, second, year = int(figures[1]), int(figures[2]), int(figures[3])
        orders = [(first, second)] if "." in said else [(first, second), (second, first)]
    else:
        words = re.findall(r"[^\W\d_]+", said.casefold())
        months = [int(number) for word in words if (number := meanings("months").get(word))]
        numbers = [int(one) for one in re.findall(r"\d+", said)]
        year = next((one for one in numbers if one > 1_000), 0)
        days = [one for one in numbers if one <= 31]
        orders = [(days[0], months[0])] if months and days and year else []
    for day, month in orders:
        try:
            yield date(year, month, day)
        except ValueError:
            continue
