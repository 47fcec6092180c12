"""What the governance tools answer: plain values that cost little to import."""

from dataclasses import dataclass
from typing import Final, Literal

from interlayer_policies.document.policy import Level

REFUSAL: Final = (
    "Take no externally visible or irreversible action until governance answers again; then ask for the context anew."
)
"""What an agent is told instead of an answer that could not be given."""


@dataclass(frozen=True, slots=True)
class DeliveredPolicy:
    """A policy whose rules are in the answer; `etag` stands for these rules, `why` is absent where all are meant."""

    policy_id: str
    version: int
    title: str
    tier: str
    etag: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveredRule:
    """A rule that governs the task; `why` says what brought it to the top of the list, if anything did."""

    policy_id: str
    rule_id: str
    level: Level
    text: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveredSection:
    """Guidance that was chosen for the task; `score` is 0 to 1 among the sections in scope."""

    policy_id: str
    version: int
    section_id: str
    title: str
    text: str
    why: str
    score: float
    etag: str


@dataclass(frozen=True, slots=True)
class Omitted:
    """A relevant section that was left out, and its size in tokens."""

    policy_id: str
    section_id: str
    why: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Overridden:
    """A rule in scope that another rule or policy (`by`) takes the place of."""

    policy_id: str
    rule_id: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Clash:
    """Rules about one key that are all delivered, because none may take the place of another."""

    key: str
    rules: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens: the caller's maximum, the whole answer, `rules` alone, and how far the answer is over."""

    max: int
    used: int
    rules: int
    exceeded_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextAnswer:
    """The answer of `get_governance_context`."""

    etag: str
    revision: int
    unchanged: bool
    policies: tuple[DeliveredPolicy, ...]
    rules: tuple[DeliveredRule, ...]
    sections: tuple[DeliveredSection, ...]
    held: tuple[str, ...]
    omitted: tuple[Omitted, ...]
    overridden: tuple[Overridden, ...]
    conflicts: tuple[Clash, ...]
    assumed: tuple[str, ...]
    budget: Budget
    valid_until: str | None = None
    degraded: tuple[str, ...]
    receipt_id: str


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a text breaks a rule: `text[start:end]` in characters, both 0 when something is missing."""

    policy_id: str
    version: int
    rule_id: str
    level: Level
    start: int
    end: int
    excerpt: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """What looks as if it broke a rule and does not count: it is denied, quoted, or a figure of another subject."""

    policy_id: str
    rule_id: str
    start: int
    end: int
    why: Literal["denied", "quoted", "other_subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """The answer of `check_compliance`. `not_checked` are `policy#rule` that no deterministic check covers.

    `compliant` is false when a `must` or `must_not` is broken; lesser levels are reported only, and what is `doubtful`
    does not count. At most `VIOLATIONS_MAX` of each are listed, `more` says how many violations there are beyond them.
    """

    compliant: bool
    violations: tuple[Violation, ...]
    more: int
    doubtful: tuple[Doubt, ...] = ()
    not_checked: tuple[str, ...]
    assumed: tuple[str, ...]
    revision: int
    degraded: tuple[str, ...]
    receipt_id: str
