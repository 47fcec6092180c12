"""What a policy is: rules that are delivered whenever in scope, and guidance that is delivered when relevant.

Values only. Reading them from files is `parsing`, which of them holds in a situation is `selecting`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from interlayer_policies.document.approvers import Approvers
from interlayer_policies.document.days import first_said, last_said

Level = Literal["must_not", "must", "should_not", "should", "may"]
Tier = Literal["law", "org", "unit", "team", "agent"]
Merge = Literal["min", "max", "union", "intersect"]
Severity = Literal["error", "warning"]
ParameterValue = float | str | tuple[str, ...]

LEVELS: Final[tuple[Level, ...]] = ("must_not", "must", "should_not", "should", "may")
"""Strongest first: prohibition over requirement over permission."""

TIERS: Final[tuple[Tier, ...]] = ("law", "org", "unit", "team", "agent")
"""Highest first."""


def is_higher(tier: Tier, than: Tier) -> bool:
    """Return whether a tier stands above another one."""
    return TIERS.index(tier) < TIERS.index(than)


BINDING_LEVELS: Final = frozenset({"must_not", "must"})

FACET_OF_SCOPE_KEY: Final = {
    "agents": "agent",
    "teams": "team",
    "channels": "channel",
    "audiences": "audience",
    "regions": "region",
    "entity_types": "entity_type",
    "tags": "tags",
}
PROPERTY_FACET: Final = "entity."
"""`when: {stage: [...]}` limits the facet `entity.stage`."""

_MANY_VALUED: Final = frozenset({"team", "tags"})
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

Situation = Mapping[str, tuple[str, ...]]
"""What is known at a call: facet -> its values, folded by `folded`. A facet that is not there is unknown."""


def folded(value: Any) -> str:
    """Return a scalar as the text that scopes are compared in: lower case, `15.0` as `15`, `True` as `true`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).casefold().split())


def is_pattern(text: str) -> bool:
    """Return whether a scope's value is a pattern and not a plain value."""
    return any(character in text for character in "*?[")


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A proposed policy: its path below the policy folder, with `/`, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong with a file; an error stops a publish, a warning does not."""

    file: str
    line: int
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Facet -> patterns, folded and sorted: any pattern of a facet may match, every facet must."""

    limits: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def specificity(self) -> int:
        """How many facets are limited."""
        return len(self.limits)

    def patterns(self, facet: str) -> frozenset[str]:
        """Return the patterns of a facet; none when the facet is not limited."""
        return frozenset(next((patterns for name, patterns in self.limits if name == facet), ()))

    def excludes(self, other: "Scope") -> bool:
        """Return whether both never hold: of a facet with one value at a time they name different plain values."""
        for facet, patterns in self.limits:
            others = other.patterns(facet)
            plain = not any(map(is_pattern, (*patterns, *others)))
            if facet not in _MANY_VALUED and others and plain and not others & set(patterns):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Effective:
    """When a policy holds: from `start` (inclusive) until `end` (exclusive), with their zones; None is unbounded."""

    start: datetime | None = None
    end: datetime | None = None

    def __str__(self) -> str:
        start = first_said(self.start) if self.start else "always"
        return f"from {start} until {last_said(self.end) if self.end else 'further notice'}"

    def overlap(self, other: "Effective") -> "Effective | None":
        """Return when both hold, None if never."""
        start = max((one.start for one in (self, other) if one.start), default=None)
        end = min((one.end for one in (self, other) if one.end), default=None)
        return None if start and end and start >= end else Effective(start, end)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named value of a policy and how it combines with the same one of another policy's rule."""

    value: ParameterValue
    merge: Merge | None = None


Parameters = Mapping[str, Parameter]


@dataclass(frozen=True, slots=True)
class Check:
    """A deterministic check, its options as written: placeholders are filled in by `filled`."""

    kind: str
    options: Mapping[str, Any]

    def filled(self, values: Mapping[str, ParameterValue]) -> "Check":
        """Return the check with parameters in place; a value that is one placeholder keeps its type."""
        return Check(self.kind, {name: _fill(option, values) for name, option in self.options.items()})


@dataclass(frozen=True, slots=True)
class Rule:
    """A one-line obligation. `text` and `remedy` may hold `{parameter}`.

    `overrides` are references of rules (`policy#rule`) whose place it takes where it holds, of its own tier or below.
    One in `trial` is delivered to nobody and breaks nothing.
    """

    id: str
    level: Level
    text: str
    key: str | None = None
    check: Check | None = None
    remedy: str = ""
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    line: int = 1
    trial: bool = False

    @property
    def placeholders(self) -> frozenset[str]:
        """Names of the parameters that the text, the remedy or the check use."""
        check = "" if self.check is None or self.check.kind == "forbid_pattern" else str(dict(self.check.options))
        return frozenset(_PLACEHOLDER.findall(f"{self.text} {self.remedy} {check}"))


@dataclass(frozen=True, slots=True)
class Section:
    """Guidance under one heading."""

    id: str
    title: str
    text: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class Expectation:
    """A test of a policy: what a task must be given, and must not, or which rules a draft must break.

    References are `rule` or `policy#rule`, sections alike. `at` is when; None is the instant of the test.
    """

    task: str
    situation: Situation
    rules: tuple[str, ...]
    sections: tuple[str, ...]
    line: int
    absent: tuple[str, ...] = ()
    draft: str | None = None
    violations: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy file, understood. One in `trial` is so with all its rules and sections."""

    id: str
    title: str
    file: str
    description: str
    owner: str
    tier: Tier
    scope: Scope
    effective: Effective
    supersedes: tuple[str, ...]
    parameters: Parameters
    rules: tuple[Rule, ...]
    sections: tuple[Section, ...]
    expectations: tuple[Expectation, ...]
    approvers: Approvers = field(default_factory=Approvers)
    tier_approvers: Mapping[Tier, Approvers] = field(default_factory=dict[Tier, Approvers])
    title_line: int = 1
    description_line: int = 1
    trial: bool = False

    @property
    def values(self) -> dict[str, ParameterValue]:
        """The values of the parameters by name."""
        return {name: parameter.value for name, parameter in self.parameters.items()}

    @property
    def rules_in_force(self) -> tuple[Rule, ...]:
        """The rules that are not in trial."""
        return () if self.trial else tuple(rule for rule in self.rules if not rule.trial)

    @property
    def has_trial(self) -> bool:
        """Whether it, or a rule of it, is in trial."""
        return self.trial or any(rule.trial for rule in self.rules)

    def promoted(self) -> "Policy":
        """Return it with nothing in trial any more."""
        if not self.has_trial:
            return self
        return replace(self, trial=False, rules=tuple(replace(rule, trial=False) for rule in self.rules))


def filled(text: str, values: Mapping[str, ParameterValue]) -> str:
    """Return the text with every known `{parameter}` replaced by its value; unknown ones stay."""

    def value_of(match: re.Match[str]) -> str:
        return written(values[match[1]]) if match[1] in values else match[0]

    return _PLACEHOLDER.sub(value_of, text)


def _fill(option: Any, values: Mapping[str, ParameterValue]) -> Any:
    if isinstance(option, str):
        whole = _PLACEHOLDER.fullmatch(option)
        if whole and whole[1] in values:
            value = values[whole[1]]
            return list(value) if isinstance(value, tuple) else value
        return filled(option, values)
    if isinstance(option, list):
        filled_items: list[Any] = []
        for item in option:
            value = _fill(item, values)
            filled_items.extend(value if isinstance(value, list) else [value])
        return filled_items
    if isinstance(option, dict):
        return {name: _fill(value, values) for name, value in option.items()}
    return option


def written(value: ParameterValue) -> str:
    """Return a value as it stands in a text: a whole number without a point, a list with commas."""
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
