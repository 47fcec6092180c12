"""What became of a rule file and of the text under each of its headings: rules, and what obliges and is no rule."""

from dataclasses import dataclass, field

from interlayer_policies.document.policy import Level, PolicyFile


@dataclass(frozen=True, slots=True)
class ImportedRule:
    """A rule and the line of the source that it was."""

    id: str
    level: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class KeptObligation:
    """A sentence that obliges and stayed guidance, its line, and why it is no rule."""

    line: int
    level: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a source: its policy, or the source with the same text that stands for it.

    `tags` is its scope (none: every call); with `relevant_only` it brings no rules. `kept` is what obliges and is no
    rule; `includes` are the files that it takes in, each a policy of its own; `not_read` says why it was not read.
    `parameters` are the blanks to fill in that it has, written `{{name}}`; each stands for its own name until then.
    """

    source: str
    file: PolicyFile | None
    title: str = ""
    tags: tuple[str, ...] = ()
    relevant_only: bool = False
    rules: tuple[ImportedRule, ...] = ()
    kept: tuple[KeptObligation, ...] = ()
    sections: tuple[str, ...] = ()
    same_as: str = ""
    includes: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    not_read: str = ""


@dataclass(frozen=True, slots=True)
class FoundRule:
    """A rule that the text holds, and its line, counted from 0."""

    line: int
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class KeptClause:
    """What obliges and stays guidance, its line, counted from 0, and why."""

    line: int
    level: Level
    text: str
    reason: str


@dataclass(slots=True)
class Reading:
    """What was found under a heading, and the lines that are wholly in rules."""

    rules: list[FoundRule] = field(default_factory=list[FoundRule])
    kept: list[KeptClause] = field(default_factory=list[KeptClause])
    moved: set[int] = field(default_factory=set[int])
