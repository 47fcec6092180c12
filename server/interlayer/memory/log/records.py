"""What is stored of an entity: its head and the log that everything else is folded from.

An entry of the log is what one `memorize` or a later reading added, a merge or a split. It is rewritten only to erase,
and to read its content anew. So a fact's confirmations, its successors and every property's history are readings of the
log: the past can be replayed, and forgetting a memory takes back exactly what rested on it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, order=True)
class EntityId:
    """The internal name of an entity; the same in every store."""

    type: str
    id: str

    @property
    def ref(self) -> str:
        """The entity string that every tool takes."""
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class FactRecord:
    """A statement as it was memorized. `span` is where its words stand in the source, in characters.

    `given` says that the caller stated it beside content: reading that content again does not touch it.

    `contradicts` names the facts that cannot be so at the same time; which of them is current follows from when each
    was last observed, so that the order of arrival does not matter. `likely` names those that probably cannot, `alike`
    those that say nearly the same. `replaces` names what it was said to take the place of, whatever the time; `ended`
    says that it is over.
    """

    id: str
    text: str
    confidence: float
    observed_at: str
    span: tuple[int, int] | None = None
    contradicts: tuple[str, ...] = ()
    given: bool = False
    likely: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Another voice for a known fact, in its own words: it becomes the fact if the first voice is forgotten.

    `replaces` and `ended` are those of a fact; a voice that says that it is over does not confirm it.
    """

    fact_id: str
    similarity: float
    text: str
    confidence: float
    observed_at: str
    span: tuple[int, int] | None = None
    given: bool = False
    replaces: tuple[str, ...] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """A property value as it was observed; which one is current is decided by the fold.

    `remove` says that the value holds no more, or the entries of a list; without a value that nothing does. `derived`:
    nobody stated it, it follows from a relation.
    """

    name: str
    value: Any
    confidence: float
    observed_at: str
    span: tuple[int, int] | None = None
    given: bool = False
    remove: bool = False
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed link from the entity to another one."""

    type: str
    target: EntityId


@dataclass(frozen=True, slots=True)
class RelationRecord:
    """What a memory says of a relation: that it holds, or with `ended` that it is over.

    `observed_at` is empty where that is the time of the memory. `span` is where its words stand in the content, None
    for what the caller said.
    """

    type: str
    target: EntityId
    observed_at: str = ""
    confidence: float = 0.9
    ended: bool = False
    span: tuple[int, int] | None = None

    @property
    def relation(self) -> Relation:
        """The link that it speaks of."""
        return Relation(self.type, self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What every entry of a log says: who added it, when, and the statements that it adds.

    `context` are the words of the content that no statement of it has, by the place at which they stand: they are never
    shown, and help to find what stands beside them. `closes` names facts that are over because they state a property's
    value that this entry displaces. `visibility` says who may see it, empty for the whole organization. `home` is set
    in views only: the log that holds the entry, and its revision there. `part_of` is the memory that an interaction is
    kept as, in the log of every other entity that it tells of; empty in the log of the entity that it is mainly about.
    """

    id: str
    revision: int
    agent: str
    recorded_at: str
    observed_at: str
    extractor: str
    source: str | None = None
    facts: tuple[FactRecord, ...] = ()
    confirms: tuple[Confirmation, ...] = ()
    properties: tuple[Observation, ...] = ()
    relations: tuple[RelationRecord, ...] = ()
    closes: tuple[str, ...] = ()
    context: tuple[tuple[int, str], ...] = ()
    visibility: str = ""
    part_of: str = ""
    home: tuple[EntityId, int] | None = None

    @property
    def interaction(self) -> str:
        """The id of the memory that it belongs to, and by which everybody knows it."""
        return self.part_of or self.id

    @property
    def content_of(self) -> str | None:
        """The id of the memory with whose content its words are kept; None if there is no content."""
        return None

    @property
    def voice(self) -> str:
        """Where its words are from: equal for one source, and apart for calls that name none."""
        return self.source or self.interaction

    @property
    def witness(self) -> str:
        """Two memories with the same of it are no independent witnesses: of one source, or of one agent without any."""
        return self.source or f"agent {self.agent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memorized(_Entry):
    """What one `memorize` added. `pending` says why a model has still to read its content; empty: none has to."""

    has_content: bool = False
    idempotency: str | None = None
    pending: str = ""

    @property
    def content_of(self) -> str | None:
        """The interaction, if that came with content."""
        return self.interaction if self.has_content else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reextracted(_Entry):
    """What was read later of the content of `extracts`: of its source and time, kept as long and forgotten with it."""

    extracts: str

    @property
    def content_of(self) -> str | None:
        """The id of the memory that brought the content."""
        return self.part_of or self.extracts

    @property
    def voice(self) -> str:
        """That of the memory that brought the content."""
        return self.source or self.part_of or self.extracts


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(_Entry):
    """Another entity became part of this one.

    `same` are pairs of a fact of the absorbed entity and the fact of this one that it repeats, `opposed` pairs that
    contradict each other, `likely` pairs that probably do, `alike` pairs that say nearly the same.
    """

    absorbs: EntityId
    same: tuple[tuple[str, str], ...] = ()
    opposed: tuple[tuple[str, str], ...] = ()
    likely: tuple[tuple[str, str], ...] = ()
    alike: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(_Entry):
    """An absorbed entity stands for itself again; `facts` are what this one had only confirmed of it."""

    releases: EntityId


LogEntry = Memorized | Reextracted | Merged | Split
"""One event in the log of an entity. What `memorize` and later readings add are its memories."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What an entity is called by the memories of one visibility, and which of its revisions those made.

    `since` is the revision of the first of them, `named` of the last that gave a display name, 0 for none.
    """

    name: str
    names: tuple[str, ...] = ()
    identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    revisions: tuple[int, ...] = ()
    since: int = 0
    named: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """The one mutable item of an entity.

    `revision` counts its changes and decides every race; `epoch` counts its erasures, after which the log has to be
    read anew from its beginning. An entity that was merged into another one keeps its head as it was, with
    `merged_into` and the names that it lent; nothing is written to it until it is split off again.
    """

    entity: EntityId
    name: str
    names: tuple[str, ...]
    identifiers: Mapping[str, tuple[str, ...]]
    revision: int
    created_at: str
    updated_at: str
    properties: Mapping[str, Any]
    facts: int = 0
    epoch: int = 0
    absorbed: tuple[EntityId, ...] = ()
    merged_into: EntityId | None = None
    lent: tuple[str, ...] = ()
    oldest: str = ""
    voices: Mapping[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    """Property -> the confidence of its value, and the only agent who says so; empty where several do."""

    observed: tuple[str, ...] = ()
    """Every property of which something was ever observed."""

    labels: Mapping[str, Labels] = field(default_factory=dict[str, Labels])
    """Visibility -> what it knows the entity by; empty while all of it is the whole organization's."""

    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])
    """Property -> every value that may be current for somebody, where not all may see the same memories."""

    @property
    def since(self) -> str:
        """An instant before which nothing in the log was recorded."""
        return self.oldest or ("" if self.absorbed else self.created_at)


@dataclass(frozen=True, slots=True)
class FactId:
    """The id of a fact: the memory that voices a statement, and the statement, by memory and number that made it first.

    Written `f_MEMORY_NUMBER` by the memory that made it, and `f_VOICE_MEMORY_NUMBER` by another one, which goes on
    with it when the first voice is not there any more. Memories stand in it without their `m_`.
    """

    memory: str
    statement: str

    @classmethod
    def of(cls, memory_id: str, number: int) -> "FactId":
        """Name the n-th fact of a memory; no two are alike."""
        return cls(memory_id, f"{memory_id.removeprefix('m_')}_{number}")

    @classmethod
    def parse(cls, text: str) -> "FactId":
        """Take an id apart; what is no id names a memory and a statement that do not exist."""
        parts = text.removeprefix("f_").split("_")
        return cls(f"m_{parts[0]}", "_".join(parts[-2:]))

    def voiced_by(self, memory_id: str) -> "FactId":
        """Name the statement as another memory said it."""
        return FactId(memory_id, self.statement)

    def __str__(self) -> str:
        memory = self.memory.removeprefix("m_")
        first = self.statement.rpartition("_")[0] == memory
        return f"f_{self.statement}" if first else f"f_{memory}_{self.statement}"


def statement_of(fact_id: str) -> str:
    """Name the statement that a fact is, whoever voices it: equal for all ids of one statement."""
    return FactId.parse(fact_id).statement


_PART: Final = "-"


def part_id(memory_id: str, number: int) -> str:
    """Name the n-th further part of an interaction: what its memory says of another entity."""
    return f"{memory_id}{_PART}{number}"


def interaction_of(memory_id: str) -> str:
    """Name the interaction that a memory is, or is a part of."""
    return memory_id.partition(_PART)[0]


_ENTRIES: Final[Mapping[type[LogEntry], TypeAdapter[Any]]] = {
    one: TypeAdapter(one) for one in (Memorized, Reextracted, Merged, Split)
}
_MARKS: Final[Mapping[str, type[LogEntry]]] = {"extracts": Reextracted, "absorbs": Merged, "releases": Split}
"""What only the body of such an entry holds."""
_PENDING: Final = re.compile(r"(?s)(?:caller\+)?pending \((.*)\)")
_HEAD: Final = TypeAdapter(Head)
_FACTS: Final = TypeAdapter(tuple[FactRecord, ...])
_CONFIRMATIONS: Final = TypeAdapter(tuple[Confirmation, ...])


def entry_body(entry: LogEntry) -> dict[str, Any]:
    """Turn an entry into JSON; what stands at its default is left out."""
    body: dict[str, Any] = _ENTRIES[type(entry)].dump_python(entry, mode="json", exclude_defaults=True)
    return body


def read_entry(body: Mapping[str, Any]) -> LogEntry:
    """Read the entry of a stored body."""
    kind = next((kind for mark, kind in _MARKS.items() if mark in body), Memorized)
    entry: LogEntry = _ENTRIES[kind].validate_python(body)
    if isinstance(entry, Memorized) and entry.has_content and (unread := _PENDING.fullmatch(entry.extractor)):
        return replace(entry, pending=unread[1])  # written before `pending` was a field
    return entry


def part_body(facts: tuple[FactRecord, ...], confirms: tuple[Confirmation, ...]) -> dict[str, Any]:
    """Turn a further part of an entry into JSON."""
    return {
        "facts": _FACTS.dump_python(facts, mode="json", exclude_defaults=True),
        "confirms": _CONFIRMATIONS.dump_python(confirms, mode="json", exclude_defaults=True),
    }


def with_part(entry: LogEntry, body: Mapping[str, Any]) -> LogEntry:
    """Join an entry with a further part of it."""
    facts = _FACTS.validate_python(body["facts"])
    confirms = _CONFIRMATIONS.validate_python(body["confirms"])
    return replace(entry, facts=(*entry.facts, *facts), confirms=(*entry.confirms, *confirms))


def head_body(head: Head) -> dict[str, Any]:
    """Turn a head into JSON."""
    body: dict[str, Any] = _HEAD.dump_python(head, mode="json")
    return body


def read_head(body: Mapping[str, Any]) -> Head:
    """Read the head of a stored body."""
    return _HEAD.validate_python(body)
