"""What is told of a data subject: where it is held and named, and what an erasure did. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Certainty = Literal["certain", "likely"]
"""`certain`: by an identifier; `likely`: by a name, which others may bear as well."""

Place = Literal[
    "name",
    "identifier",
    "fact",
    "property",
    "relation",
    "source",
    "content",
    "rejected",
    "answer",
    "conflict",
    "unread",
    "forgotten",
]
"""Where it stands: `source` is what a call named as its source, `content` the text itself, `answer` one for replay,
`unread` a call that a model still reads, `forgotten` what can be taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A place outside the person's own entities that names the person; `entity` and `memory` where there are any.

    `namesake` says that the entity bears the same name itself: it may be another person.
    """

    place: Place
    certainty: Certainty
    count: int = 1
    entity: str | None = None
    memory: str | None = None
    namesake: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEntity:
    """An entity that is the person: what is held of it, and the legal hold that it is under, if any."""

    entity: str
    name: str
    memories: int
    facts: int
    properties: int
    relations: int
    hold: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectReport:
    """Everything that is held of a person.

    `receipts` and `events` of the audit trail name the person by id or HMAC only. `passed_over` are names of one word
    that were not looked for, `incomplete` says that there are more mentions than are listed.
    """

    person: str
    identifiers: tuple[str, ...]
    names: tuple[str, ...]
    own: tuple[OwnEntity, ...]
    mentions: tuple[Mention, ...]
    receipts: int
    events: int
    policies: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    incomplete: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The words in a place that name the person."""

    place: Place
    text: str
    certainty: Certainty
    entity: str | None = None
    memory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many of a kind were erased or redacted, and an HMAC over them with the key of the organization's receipts."""

    count: int
    hmac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is still there of a person, and why."""

    what: str
    count: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What an erasure of a person came to. It names the person by the ids of the erased entities only."""

    case: str
    at: str
    by: str
    reason: str
    reference: str
    entities: tuple[str, ...]
    erased: Mapping[str, Erased]
    redacted: Mapping[str, Erased]
    left: tuple[Left, ...]
    event: int
    event_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasurePreview:
    """What an erasure would do: it goes on only with the token of what was shown."""

    report: SubjectReport
    erased: int
    redacted: int
    skipped: tuple[Left, ...]
    token: str
