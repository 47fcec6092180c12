"""The YAML at the head of a policy file: its keys, their forms, and the line of everything that is wrong in it."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError

from interlayer_policies.document.policy import LEVELS, Level, Merge, Problem, Tier

_NESTING_MAX: Final = 20


def _one_or_many(given: Any) -> Any:
    return [given] if isinstance(given, str | int | float) else given


def _level(given: Any) -> Any:
    return given.strip().lower().replace(" ", "_").replace("-", "_") if isinstance(given, str) else given


def _rule(given: Any) -> Any:
    return {"text": given} if isinstance(given, str) else given


def _moment(given: Any) -> datetime | date | None:
    if isinstance(given, str):
        return date.fromisoformat(given) if len(given) == len("2026-01-01") else datetime.fromisoformat(given)
    if given is None or isinstance(given, date):  # a datetime is a date as well
        return given
    raise ValueError("must be a date or a date and time in ISO 8601")


# Checked by hand: pydantic would turn a date into its midnight, and an `until` date includes its whole day.
Moment = Annotated[datetime | date | None, PlainValidator(_moment)]
Scalar = str | bool | int | float
Patterns = Annotated[tuple[Scalar, ...], BeforeValidator(_one_or_many), Field(min_length=1, max_length=200)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_many), Field(max_length=2_000)]
Line = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
PolicyId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class ScopeKeys(_Strict):
    """`scope:`."""

    agents: Patterns | None = None
    teams: Patterns | None = None
    channels: Patterns | None = None
    audiences: Patterns | None = None
    regions: Patterns | None = None
    entity_types: Patterns | None = None
    tags: Patterns | None = None
    when: dict[str, Patterns] = {}


class EffectiveKeys(_Strict):
    """`effective:`."""

    start: Moment = Field(default=None, alias="from")
    end: Moment = Field(default=None, alias="until")


class ParameterKeys(_Strict):
    """One entry of `params:`."""

    value: float | str | tuple[str, ...]
    merge: Merge | None = None


class CheckKeys(_Strict):
    """`check:`; which options a kind takes is `OPTIONS`."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: Literal["forbid_terms", "forbid_pattern", "require_text", "max_number", "min_number", "pii", "secrets"]


class RuleKeys(_Strict):
    """One entry of `rules:`."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")] | None = None
    level: Annotated[Level, BeforeValidator(_level)] | None = None
    key: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    text: Line
    check: CheckKeys | None = None
    remedy: Annotated[str, Field(max_length=500)] = ""
    good: Texts = ()
    bad: Texts = ()


class ExpectationKeys(_Strict):
    """One entry of `tests:`; the facets are optional and mean what they mean at a call."""

    task: Annotated[str, Field(min_length=1, max_length=8_000)]
    expect_rules: Texts = ()
    expect_sections: Texts = ()
    agent: str | None = None
    team: str | None = None
    channel: str | None = None
    audience: str | None = None
    region: str | None = None
    entity_type: str | None = None
    tags: Texts = ()


class FrontMatter(_Strict):
    """All keys of a policy's front matter."""

    id: PolicyId | None = None
    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    description: Annotated[str, Field(max_length=500)] = ""
    owner: str = ""
    tier: Tier = "org"
    scope: ScopeKeys = ScopeKeys()
    effective: EffectiveKeys = EffectiveKeys()
    supersedes: Texts = ()
    params: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ParameterKeys] = {}
    approvers: Texts = ()
    tier_approvers: dict[Tier, Texts] = {}
    rules: tuple[Annotated[RuleKeys, BeforeValidator(_rule)], ...] = ()
    tests: tuple[ExpectationKeys, ...] = ()


_KNOWN: Final[Mapping[str, type[BaseModel]]] = {
    "scope": ScopeKeys,
    "effective": EffectiveKeys,
    "params": ParameterKeys,
    "rules": RuleKeys,
    "tests": ExpectationKeys,
    "check": CheckKeys,
}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """Validated front matter and where each of its values stands in the file (lines count from 1)."""

    keys: FrontMatter
    lines: Mapping[Path, int]

    def line(self, *path: str | int) -> int:
        """Return the line of a value, or of the nearest thing around it."""
        return _line(self.lines, path)


class _Loader(yaml.CSafeLoader):
    """YAML whose only truth values are `true` and `false`: the region NO is not False, the channel `on` not True."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's way to configure a loader
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_header(text: str, file: str, first_line: int) -> Header | list[Problem]:
    """Parse and validate YAML that begins at `first_line` of `file`; on failure return every problem found."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            lines: dict[Path, int] = {}
            problems = _walk(node, (), lines, first_line, set()) if node is not None else []
            document = loader.construct_document(node) if node is not None and not problems else {}
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or str(error)
        return [Problem(file, first_line + (mark.line if mark else 0), f"not YAML: {message}")]
    if problems:
        return [Problem(file, line, message) for line, message in problems]
    if not isinstance(document, dict):
        return [Problem(file, first_line, "the front matter must be keys and values")]
    try:
        return Header(FrontMatter.model_validate(document), lines)
    except ValidationError as error:
        return [_problem(detail, lines, file) for detail in error.errors()]


def nearest(word: str, known: list[str]) -> str:
    """Return a hint that names the known word nearest to an unknown one, or all of them when none is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def _walk(
    node: Any,
    path: Path,
    lines: dict[Path, int],
    first_line: int,
    seen: set[int],
) -> list[tuple[int, str]]:
    """Note the line of every value; return what YAML allows and a policy does not: aliases, doubled keys."""
    line = node.start_mark.line + first_line
    lines[path] = line
    if id(node) in seen or len(path) > _NESTING_MAX:
        return [(line, "YAML aliases and deep nesting are not supported; write the value out")]
    seen.add(id(node))
    problems: list[tuple[int, str]] = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            if (*path, name) in lines:
                problems.append((key.start_mark.line + first_line, f"key {name!r} is given twice"))
            problems += _walk(value, (*path, name), lines, first_line, seen)
            lines[(*path, name)] = key.start_mark.line + first_line
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            problems += _walk(value, (*path, number), lines, first_line, seen)
    return problems


def _problem(detail: Any, lines: Mapping[Path, int], file: str) -> Problem:
    location: Path = tuple(detail["loc"])
    where = ".".join(str(part) for part in location)
    if detail["type"] == "extra_forbidden":
        name = str(location[-1])
        container = next((part for part in reversed(location[:-1]) if part in _KNOWN), None)
        model = _KNOWN[str(container)] if container else FrontMatter
        known = [field.alias or field_name for field_name, field in model.model_fields.items()]
        return Problem(file, _line(lines, location), f"unknown key {where!r}; {nearest(name, known)}")
    message = str(detail["msg"]).removeprefix("Value error, ")
    if "level" in location:
        message = f"must be one of {', '.join(LEVELS)}"
    return Problem(file, _line(lines, location), f"{where}: {message}")


def _line(lines: Mapping[Path, int], path: Path) -> int:
    found = lines.get((), 1)
    at: Path = ()
    for part in path:
        if (*at, part) in lines:
            at = (*at, part)
            found = lines[at]
    return found
