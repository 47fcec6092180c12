"""Rejected candidates, kept for a while so that a person can look at them and admit what a gate got wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from interlayer.errors import NotFound, Refused
from interlayer.memory import keys
from interlayer.memory.entities import Entities
from interlayer.memory.identities import known_entity
from interlayer.memory.memorizing import Memorizer
from interlayer.memory.records import EntityId
from interlayer.memory.requests import CALLER_CONFIDENCE, FactCandidate, MemorizeRequest, PropertyCandidate
from interlayer.memory.schema import Schema, ValueProblem
from interlayer.principal import Principal
from interlayer.storage.items import Delete, Item, ItemStore
from interlayer.storage.trail import Event, Trail

_NEVER: Final = frozenset({"secret", "instruction", "empty"})


@dataclass(frozen=True, slots=True)
class Rejection:
    """A candidate that was turned down; `text` is a fact's, `name` and `value` are a property's."""

    id: str
    reason: str
    entity: EntityId
    memory_id: str
    agent: str
    at: str
    observed_at: str
    source: str | None
    confidence: float
    text: str | None = None
    name: str | None = None
    value: Any = None

    def shown(self) -> dict[str, Any]:
        """Return it as JSON."""
        stated: dict[str, Any] = {"text": self.text} if self.text else {"name": self.name, "value": self.value}
        return {
            "id": self.id,
            "reason": self.reason,
            **stated,
            "entity": self.entity.ref,
            "confidence": self.confidence,
            "memory_id": self.memory_id,
            "agent": self.agent,
            "at": self.at,
            "observed_at": self.observed_at,
            "source": self.source or "",
        }


class Rejections:
    """Lists, admits and dismisses rejected candidates."""

    def __init__(
        self,
        store: ItemStore,
        entities: Entities,
        memorizer: Memorizer,
        trail: Trail,
        schema: Schema,
    ) -> None:
        self._store = store
        self._entities = entities
        self._memorizer = memorizer
        self._trail = trail
        self._schema = schema

    async def listed(
        self, principal: Principal, *, entity: str | None = None, reason: str | None = None, limit: int = 50
    ) -> Sequence[Rejection]:
        """Return the newest first, of an entity or a reason code if one is given."""
        of = None
        if entity:
            of = (await known_entity(self._entities, self._schema, principal, entity)).head.entity
        page = await self._store.query("memory", keys.rejection(principal.organization, "").partition, reverse=True)
        found = [_read(item) for item in page.items]
        chosen = [one for one in found if (of is None or one.entity == of) and (not reason or _code(one) == reason)]
        return chosen[:limit]

    async def summary(self, principal: Principal) -> Mapping[str, int]:
        """Return how many are kept by reason code."""
        found = Counter(_code(one) for one in await self.listed(principal, limit=1_000_000))
        return dict(found.most_common())

    async def admit(self, principal: Principal, rejection_id: str, reason: str) -> dict[str, Any]:
        """Memorize a rejected candidate after all; return the answer of memorize.

        Raises `NotFound`, and `Refused` for what is never admitted: secrets and instructions.
        """
        one = await self._one(principal, rejection_id)
        if _code(one) in _NEVER:
            raise Refused(f"{rejection_id}: a candidate turned down as {_code(one)} is never admitted.")
        self._check_type(one)
        confidence = max(one.confidence, CALLER_CONFIDENCE)  # somebody has looked at it
        request = MemorizeRequest(
            entity=one.entity.ref,
            facts=[FactCandidate(one.text, confidence)] if one.text else [],
            properties=[PropertyCandidate(one.name, one.value, confidence)] if one.name else [],
            source=one.source,
            observed_at=datetime.fromisoformat(one.observed_at),
            idempotency_key=f"admit {one.id}",
            admitted=True,
        )
        answer = await self._memorizer.memorize(principal, request)
        detail = {"reason": reason, "memory_id": answer["memory_id"], "gate": _code(one)}
        operations = [Delete(keys.rejection(principal.organization, one.id))]
        await self._trail.commit(principal, Event("memory.admitted", one.entity.ref, detail), operations)
        return answer

    async def dismiss(self, principal: Principal, rejection_id: str) -> None:
        """Take a candidate off the list."""
        one = await self._one(principal, rejection_id)
        await self._store.transact([Delete(keys.rejection(principal.organization, one.id))])

    def _check_type(self, one: Rejection) -> None:
        """Raise `Refused` for a property that the schema still does not take."""
        if one.name is None:
            return
        remedy = "Change the schema, or memorize it anew."
        of_type = self._schema.stored(one.entity.type)
        declared = of_type.current.get(of_type.current_name(one.name))
        if declared is None:
            raise Refused(f"{one.id}: {one.entity.type} has no property {one.name}. {remedy}")
        try:
            declared.normal(one.value)
        except ValueProblem as problem:
            raise Refused(f"{one.id}: {one.name} {problem}. {remedy}") from problem

    async def _one(self, principal: Principal, rejection_id: str) -> Rejection:
        item = await self._store.get(keys.rejection(principal.organization, rejection_id[:80]))
        if item is None:
            raise NotFound(f"{rejection_id[:80]!r} is not on the list. `interlayer memory rejected` shows it.")
        return _read(item)


def _read(item: Item) -> Rejection:
    body = dict(item.body)
    return Rejection(id=item.key.sort, entity=EntityId(**body.pop("entity")), **body)


def _code(one: Rejection) -> str:
    return one.reason.partition(":")[0]
