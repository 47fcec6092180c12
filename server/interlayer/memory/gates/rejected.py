"""Candidates that the gates turned down: how they are shown, kept for review, and erased with what they belong to.

One item holds what one call had turned down, so that a call costs one write more at most, and a second one by which
an entity's are found. Secrets are blotted out before anything gets here. All of it expires by itself.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from interlayer.ids import timestamp
from interlayer.memory.gates.rejection import Rejection
from interlayer.memory.log import keys
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.requests import FactCandidate, PropertyCandidate
from interlayer.storage.items import ItemStore, Key, Operation, Put
from interlayer.text.private import masked

KEPT_A_CALL: Final = 50
KEPT_FOR: Final = timedelta(days=90)
_TEXT_MAX: Final = 4_000
_SHOWN_MAX: Final = 200
_CALL_MAX: Final = 40_000  # characters: beyond them only the beginning of a text is kept, so that an item holds all
_BEGINNING: Final = 300
_VALUE_MAX: Final = 1_000
_QUOTE_MAX: Final = 300
_NAME_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate and why it was turned down."""

    candidate: FactCandidate | PropertyCandidate
    reason: Rejection

    @property
    def shown(self) -> FactCandidate | PropertyCandidate:
        """The candidate as an answer may show it: without secrets, and cut where it is long."""
        one = self.candidate
        if isinstance(one, FactCandidate):
            return replace(one, text=masked(one.text)[:_SHOWN_MAX])
        return replace(one, name=masked(one.name)[:_NAME_MAX], value=_show(one))


@dataclass(frozen=True, slots=True)
class RejectionRecord:
    """The rejected candidates of one call, with what a later admission takes from the call."""

    organization: str
    memory_id: str
    entity: EntityId | None
    named: str
    who: str
    agent: str
    source: str | None
    observed_at: str
    idempotency: str | None
    candidates: Sequence[Rejected]
    counts: Mapping[str, int]
    kept_for: timedelta = KEPT_FOR
    visibility: str = ""

    def operations(self, now: datetime) -> Iterator[Operation]:
        """Yield what keeps them; nothing if there are none."""
        if not self.candidates:
            return
        expires_at = int((now + self.kept_for).timestamp())
        body: dict[str, Any] = {
            "entity": keys.entity_body(self.entity) if self.entity else None,
            "named": masked(self.named),
            "agent": self.agent,
            "at": timestamp(now),
            "observed_at": self.observed_at,
            "counts": dict(self.counts),
            "candidates": list(self._bodies()),
            "expires_at": expires_at,
        }
        if self.source:
            body["source"] = self.source
        if self.visibility:
            body["visibility"] = self.visibility
        if self.idempotency:
            body["idempotency"] = self.idempotency
        entity_type = self.named.partition(":")[0]
        by_entity = keys.rejected_of(self.organization, entity_type, self.who, self.memory_id)
        yield Put(keys.rejected(self.organization, self.memory_id), body, expires_at=expires_at)
        yield Put(by_entity, {}, expires_at=expires_at)

    def _bodies(self) -> Iterator[dict[str, Any]]:
        left = _CALL_MAX
        for number, one in enumerate(self.candidates[:KEPT_A_CALL]):
            body = _candidate_body(one, number, _TEXT_MAX if left > 0 else _BEGINNING)
            left -= len(body.get("text", ""))
            yield body


def _candidate_body(rejected: Rejected, number: int, characters: int) -> dict[str, Any]:
    """Return how a candidate is kept, with so much of its text; what does not apply is left out."""
    candidate = rejected.candidate
    body: dict[str, Any] = {"number": number, "reason": str(rejected.reason), "origin": candidate.origin}
    body["confidence"] = candidate.confidence
    if candidate.quote:
        body["quote"] = masked(candidate.quote)[:_QUOTE_MAX]
    if isinstance(candidate, PropertyCandidate):
        return body | {"name": masked(candidate.name)[:_NAME_MAX], "value": _show(candidate)}
    text = masked(candidate.text)
    body["text"] = text[:characters]
    if len(text) > characters:
        body["cut"] = True
    if candidate.observed_at:
        body["observed_at"] = candidate.observed_at[:40]
    return body


def bearers(head: Head) -> list[str]:
    """Return under what an entity's rejected candidates may be found: ids, identifiers and names that it was called."""
    identifiers = [f"{kind}={value}" for kind, values in head.identifiers.items() for value in values]
    names = [fold_name(name) for name in (head.name, *head.names)]
    return list(dict.fromkeys([head.entity.id, *(one.id for one in head.absorbed), *identifiers, *names]))


def places(organization: str, entity: EntityId, memory_id: str) -> list[Key]:
    """Return the keys under which the rejected candidates of a memory of an entity may lie."""
    by_entity = keys.rejected_of(organization, entity.type, entity.id, memory_id)
    return [keys.rejected(organization, memory_id), by_entity]


async def memories_of(
    store: ItemStore, organization: str, entity_type: str, who: Iterable[str]
) -> list[tuple[str, Key]]:
    """Return (memory id, key of the entry) of every call about these bearers that had something turned down."""
    found: list[tuple[str, Key]] = []
    for bearer in who:
        place = keys.rejected_of(organization, entity_type, bearer, "")
        found += [(item.key.sort, item.key) for item in (await store.query("memory", place.partition)).items]
    return found


async def traces(store: ItemStore, organization: str, head: Head) -> list[Key]:
    """Return the keys of all that is kept of an entity's rejected candidates, answers kept for replay included."""
    found: list[Key] = []
    for memory_id, entry in await memories_of(store, organization, head.entity.type, bearers(head)):
        item = await store.get(keys.rejected(organization, memory_id))
        found += [entry, keys.rejected(organization, memory_id)]
        if item and "idempotency" in item.body:
            found.append(keys.idempotency(organization, item.body["agent"], item.body["idempotency"]))
    return found


def _show(candidate: PropertyCandidate) -> Any:
    """Return a value without secrets, as JSON, and cut if it is long."""
    value = _plain(candidate.value)
    if isinstance(value, str):
        label = f"{candidate.name}: "  # "password: hunter2" is known by its label
        value = masked(label + value)[len(label) :]
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= _VALUE_MAX else text[:_VALUE_MAX]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {masked(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    text = masked(str(value))
    is_number = isinstance(value, int | float) and math.isfinite(value) and text == str(value)
    return value if is_number else text
