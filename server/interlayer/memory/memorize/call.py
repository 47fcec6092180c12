"""A call of memorize on its way: as it came, as its content was read, as it passed the gates, prepared."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from interlayer.documents.document import Document
from interlayer.memory.entities.resolution import EntityReference, ResolvedEntity
from interlayer.memory.extraction.extractor import Extracted
from interlayer.memory.gates.gates import Gates
from interlayer.memory.gates.rejected import Rejected
from interlayer.memory.log import keys
from interlayer.memory.log.records import Observation
from interlayer.memory.memorize.answer import AmbiguousMention
from interlayer.memory.projection.spaces import ActiveSpace
from interlayer.memory.requests import FactCandidate, MemorizeRequest, RelationCandidate
from interlayer.models.embedder import Vectors
from interlayer.principal import Principal
from interlayer.storage.items import Delete


@dataclass(slots=True)
class Call:
    """A call, who sent it, and under which id it is remembered; `parts` items keep it, none before a model is asked.

    `asked` is the fingerprint of what was sent.
    """

    memory_id: str
    principal: Principal
    request: MemorizeRequest
    parts: int = 0
    asked: str = ""

    def removal(self) -> list[Delete]:
        """List what takes away the items that keep it."""
        organization = self.principal.organization
        return [Delete(keys.in_flight(organization, self.memory_id, number)) for number in range(self.parts)]


def fingerprint_of(principal: Principal, request: MemorizeRequest) -> str:
    """Return what is equal for calls that ask for the same on behalf of the same user."""
    given = {one.name: getattr(request, one.name) for one in fields(request)}
    lists = {name: list(value) for name, value in given.items() if isinstance(value, list | tuple)}
    asked = {**given, **lists, "identifiers": sorted(request.identifiers.items()), "user": principal.user}
    return hashlib.sha256(repr(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reading:
    """The content of a call without its secrets, as a document, and what a model made of it: candidates, or why none.

    There is no document of content that a model reads anew. `addressed` are the places that speak to a model. As a
    part of a call reads it, `document` holds what is about its entity and `valued` what may state a value of it;
    `extracted` is what the model says of it, `answered` all that the model said.
    """

    content: str
    redacted: bool
    document: Document | None = None
    extracted: Extracted | None = None
    failed: str | None = None
    addressed: Sequence[tuple[int, int]] = ()
    valued: Document | None = None
    answered: Extracted | None = None


@dataclass(frozen=True, slots=True)
class GateResult:
    """The candidates of a call: those that came through the gates, and those that did not."""

    facts: tuple[FactCandidate, ...]
    properties: tuple[Observation, ...]
    rejected: tuple[Rejected, ...]
    gates: Gates
    extractor: str
    pending: str = ""  # why a model has still to read the content


@dataclass(frozen=True, slots=True)
class PreparedRelation:
    """A relation that a call states, whom it points at, and what the caller is to be told of its type."""

    said: RelationCandidate
    target: EntityReference
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPart:
    """What a call says of one entity, after the gates: everything that a retry needs again.

    `vectors` is (len(gated.facts), dims) of the call's space, None when they could not be had. `naming` are words by
    which facts are named that no longer hold.
    """

    memory_id: str
    reference: EntityReference
    gated: GateResult
    relations: Sequence[PreparedRelation] = ()
    vectors: Vectors | None = None
    naming: Sequence[str] = ()
    naming_vectors: Vectors | None = None
    is_told: bool = False
    resolved: ResolvedEntity | None = None
    """Whom it was found to name when the content was read; good for the first attempt to commit."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to remember of the entity."""
        return not (self.gated.facts or self.gated.properties or self.relations or self.reference.identifiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCall:
    """A call after the gates, in parts: what it says of whom it is mainly about, then of each other entity.

    `request` is without secrets. `ambiguous` are mentions in its content that may be of several entities.
    """

    call: Call
    request: MemorizeRequest
    observed_at: str
    space: ActiveSpace
    parts: tuple[PreparedPart, ...]
    degraded: tuple[str, ...] = ()
    ambiguous: tuple[AmbiguousMention, ...] = ()

    @property
    def main(self) -> PreparedPart:
        """What it says of the entity that it is mainly about."""
        return self.parts[0]

    @property
    def is_all_rejected(self) -> bool:
        """Whether the call proposed candidates, none came through, and there is nothing beside them to remember."""
        beside = self.request.name or self.main.gated.pending
        is_empty = all(one.is_empty for one in self.parts)
        return is_empty and not beside and any(one.gated.rejected for one in self.parts)


def with_fewer_parts(prepared: PreparedCall) -> PreparedCall | None:
    """Return a call that reaches fewer entities: what the content says of the last of them stays with the main one.

    None where the rest is what its caller, or a model, named.
    """
    told = [one for one in prepared.parts[1:] if one.is_told]
    if not told:
        return None
    gone = told[-max(len(told) // 3, 1) :]
    main = prepared.main
    for one in gone:
        said = replace(one, reference=main.reference, gated=replace(one.gated, properties=()), relations=())
        main = joined(main, said)
    parts = tuple(one for one in prepared.parts[1:] if one not in gone)
    names = ", ".join(one.reference.display_name or one.reference.entity.key for one in gone)
    note = f"entities: more are told of than one call can reach; what is said of {names[:200]} stays with the main one."
    return replace(prepared, parts=(main, *parts), degraded=(*prepared.degraded, note))


def joined(one: PreparedPart, other: PreparedPart) -> PreparedPart:
    """Return two parts as one, of the entity that both of them turned out to name."""
    gated, more = one.gated, other.gated
    values = {(seen.name, seen.remove): seen for seen in (*more.properties, *gated.properties)}
    gates = replace(gated.gates, checked=gated.gates.checked + more.gates.checked)
    gates.rejected = gated.gates.rejected + more.gates.rejected
    names = {**other.reference.identifiers, **other.reference.key_identifiers, **one.reference.identifiers}
    return replace(
        one,
        reference=replace(one.reference, identifiers=names, name=one.reference.name or other.reference.display_name),
        gated=replace(
            gated,
            facts=(*gated.facts, *more.facts),
            properties=tuple(values.values()),
            rejected=(*gated.rejected, *more.rejected),
            gates=gates,
        ),
        relations=[*one.relations, *other.relations],
        vectors=_joined(one.vectors, other.vectors),
        naming=[*one.naming, *other.naming],
        naming_vectors=_joined(one.naming_vectors, other.naming_vectors),
    )


def _joined(one: Vectors | None, other: Vectors | None) -> Vectors | None:
    return None if one is None or other is None else np.concatenate([one, other])
