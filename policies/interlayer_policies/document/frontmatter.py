"""The YAML at the head of a policy file: its keys, their forms, and the line of everything that is wrong in it."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from interlayer.text.yaml_source import InvalidFile, Located, Place, read_yaml
from interlayer_policies.document.mistakes import (
    ask_for_date,
    bare_parameters,
    cut_by_comment,
    explain_value,
    explain_yaml,
    quoted,
)
from interlayer_policies.document.names import POLICY_ID_MAX, RULE_ID_MAX, check_id
from interlayer_policies.document.policy import LEVELS, Level, Merge, Problem, Tier


def _one_or_many(given: Any) -> Any:
    return [given] if isinstance(given, str | int | float) else given


def _level(given: Any) -> Any:
    return given.strip().lower().replace(" ", "_").replace("-", "_") if isinstance(given, str) else given


def _rule(given: Any) -> Any:
    return {"text": given} if isinstance(given, str) else given


def _approvers(given: Any) -> Any:
    return {"of": given} if isinstance(given, str | list) else given


def _moment(given: Any) -> datetime | date | None:
    if given is None or isinstance(given, date):  # a datetime is a date as well
        return given
    try:
        said = str(given)
        return date.fromisoformat(said) if len(said) == len("2026-01-01") else datetime.fromisoformat(said)
    except ValueError:
        raise ValueError(ask_for_date(str(given))) from None


def _one_line(given: Any) -> Any:
    return " ".join(given.split()) if isinstance(given, str) else given


# Checked by hand: pydantic would turn a date into its midnight, and an `until` date includes its whole day.
Moment = Annotated[datetime | date | None, PlainValidator(_moment)]
Scalar = str | bool | int | float
Patterns = Annotated[tuple[Scalar, ...], BeforeValidator(_one_or_many), Field(min_length=1, max_length=200)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_many), Field(max_length=2_000)]
Line = Annotated[str, BeforeValidator(_one_line), Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
PolicyId = Annotated[str, AfterValidator(lambda name: check_id(name, POLICY_ID_MAX))]
RuleId = Annotated[str, AfterValidator(lambda name: check_id(name, RULE_ID_MAX))]


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

    id: RuleId | None = None
    level: Annotated[Level, BeforeValidator(_level)] | None = None
    key: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    text: Line
    check: CheckKeys | None = None
    remedy: Annotated[str, Field(max_length=500)] = ""
    good: Texts = ()
    bad: Texts = ()
    overrides: Texts = ()
    trial: bool = False


class ApproverKeys(_Strict):
    """`approvers:`, and each of `tier_approvers:`; a name or a list of names asks one of them."""

    of: Texts = ()
    quorum: Annotated[int, Field(ge=1, le=20)] = 1


class EntityKeys(_Strict):
    """`entity:` of a test: the type of a remembered entity and its properties."""

    type: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    properties: dict[str, Patterns] = {}


class ExpectationKeys(_Strict):
    """One entry of `tests:`; the facets are optional and mean what they mean at a call."""

    task: Annotated[str, Field(min_length=1, max_length=8_000)] | None = None
    expect_rules: Texts = ()
    expect_sections: Texts = ()
    expect_not: Texts = ()
    draft: Annotated[str, Field(min_length=1, max_length=100_000)] | None = None
    expect_violations: Texts | None = None
    at: Moment = None
    agent: str | None = None
    team: str | None = None
    channel: str | None = None
    audience: str | None = None
    region: str | None = None
    entity_type: str | None = None
    entity: EntityKeys | None = None
    tags: Texts = ()

    @model_validator(mode="after")
    def _asks_something(self) -> "ExpectationKeys":
        if self.task is None and self.draft is None:
            raise ValueError("a test needs a task that an agent asks with, or a draft that is checked")
        if (self.draft is None) != (self.expect_violations is None):
            raise ValueError(
                "draft and expect_violations go together; write expect_violations: [] for a draft that is fine"
            )
        if self.task is None and (self.expect_rules or self.expect_sections or self.expect_not):
            raise ValueError("expect_rules, expect_sections and expect_not need a task")
        return self


GivenApprovers = Annotated[ApproverKeys, BeforeValidator(_approvers)]


class FrontMatter(_Strict):
    """All keys of a policy's front matter."""

    id: PolicyId | None = None
    title: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    description: Annotated[str, Field(max_length=500)] = ""
    owner: str = ""
    tier: Tier = "org"
    trial: bool = False
    scope: ScopeKeys = ScopeKeys()
    effective: EffectiveKeys = EffectiveKeys()
    supersedes: Texts = ()
    params: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ParameterKeys] = {}
    approvers: GivenApprovers = ApproverKeys()
    tier_approvers: dict[Tier, GivenApprovers] = {}
    rules: tuple[Annotated[RuleKeys, BeforeValidator(_rule)], ...] = ()
    tests: tuple[ExpectationKeys, ...] = ()


_KNOWN: Final[Mapping[str, type[BaseModel]]] = {
    "scope": ScopeKeys,
    "effective": EffectiveKeys,
    "params": ParameterKeys,
    "approvers": ApproverKeys,
    "tier_approvers": ApproverKeys,
    "rules": RuleKeys,
    "tests": ExpectationKeys,
    "entity": EntityKeys,
    "check": CheckKeys,
}


@dataclass(frozen=True, slots=True)
class Header:
    """Validated front matter and where each of its values stands in the file (lines count from 1)."""

    keys: FrontMatter
    located: Located

    def line(self, *place: str | int) -> int:
        """Return the line of a value, or of the nearest thing around it."""
        return self.located.line(place)


def read_header(text: str, file: str, first_line: int) -> Header | list[Problem]:
    """Parse and validate YAML that begins at `first_line` of `file`; on failure return every problem found."""
    try:
        located = read_yaml(text, file, first_line)
    except InvalidFile as error:
        lines = text.split("\n")
        return [_mistake(one.line, one.place, one.message, lines, file, first_line) for one in error.problems]
    document = {} if located.data is None else located.data
    if not isinstance(document, dict):
        return [Problem(file, first_line, "the front matter must be keys and values: write `title: Refunds`")]
    strange = [Problem(file, located.line(place), message) for place, message in bare_parameters(document)]
    strange += _cut_rules(text.split("\n"), located, file, first_line)
    try:
        header = Header(FrontMatter.model_validate(document), located)
    except ValidationError as error:
        return strange + _problems(error, located, file)
    return strange or header


def nearest(word: str, known: list[str]) -> str:
    """Return a hint that names the known word nearest to an unknown one, or all of them when none is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def _mistake(line: int, place: str, message: str, lines: list[str], file: str, first_line: int) -> Problem:
    """Return a problem of the YAML itself, with the remedy where the line shows what its author meant."""
    if place:
        return Problem(file, line, f"{place!r} {message}")
    found = explain_yaml(lines, line - first_line)
    if found is None:
        return Problem(file, line, f"the front matter {message}")
    return Problem(file, first_line + found.line, f"the front matter cannot be read here: {found.message}")


def _problems(error: ValidationError, located: Located, file: str) -> list[Problem]:
    """Return pydantic's errors as sentences; a sentence that a colon made a key of is told once."""
    details = error.errors()
    split = {detail["loc"][:2] for detail in details if _is_split_sentence(detail)}
    found = [_problem(detail, located, file) for detail in details if detail["loc"][:2] not in split]
    for place in sorted(split, key=str):
        first = next(one for one in details if one["loc"][:2] == place and _is_split_sentence(one))
        sentence = f"{first['loc'][2]}: {first['input']}"
        message = f"the colon in {sentence!r} makes a key of what stands before it; put the sentence in quotes"
        found.append(Problem(file, located.line(place), f"{place[0]}.{place[1]}: {message}: - {quoted(sentence)}"))
    return sorted(found)


def _cut_rules(lines: list[str], located: Located, file: str, first_line: int) -> Iterator[Problem]:
    """Yield the rules of which YAML took a part for a comment."""
    for place, line in located.lines.items():
        if len(place) == len(("rules", 0)) and place[0] == "rules":
            message = cut_by_comment(lines[line - first_line])
            if message:
                yield Problem(file, line, f"rules.{place[1]}: {message}")


def _is_split_sentence(detail: Any) -> bool:
    """Whether an entry is a sentence with an unquoted colon: its key has a blank in it."""
    place = detail["loc"]
    listed = len(place) == len(("rules", 0, "key")) and place[0] in {"rules", "tests"}
    return listed and detail["type"] == "extra_forbidden" and " " in str(place[2])


def _problem(detail: Any, located: Located, file: str) -> Problem:
    location: Place = tuple(detail["loc"])
    where, line = ".".join(str(part) for part in location), located.line(location)
    if detail["type"] == "extra_forbidden":
        name = str(location[-1])
        container = next((part for part in reversed(location[:-1]) if part in _KNOWN), None)
        model = _KNOWN[str(container)] if container else FrontMatter
        known = [field.alias or field_name for field_name, field in model.model_fields.items()]
        return Problem(file, line, f"unknown key {where!r}; {nearest(name, known)}")
    message = explain_value(detail["type"], detail["input"], location)
    if "level" in location:
        message = f"{str(detail['input'])[:40]!r} is no level; write one of {', '.join(LEVELS)}"
    return Problem(file, line, f"{where}: {message or str(detail['msg']).removeprefix('Value error, ')}")
