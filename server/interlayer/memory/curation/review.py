"""Review of what the gates turned down: list it, count it, remember it after all, or dismiss it."""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from interlayer.answers import display_time
from interlayer.audit.trail import Event, Trail
from interlayer.errors import InvalidInput, NotFound, Refused
from interlayer.ids import parse_instant, timestamp
from interlayer.language.relative_time import anchor
from interlayer.memory.curation.answer import RejectedCandidate
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import ORGANIZATION, Sight
from interlayer.memory.gates import rejected
from interlayer.memory.gates.rejection import Rejection
from interlayer.memory.log import keys
from interlayer.memory.log.identifiers import (
    REASON_MAX,
    EntityString,
    check_text,
    fold_name,
    parse_entity,
    possible_identifiers,
)
from interlayer.memory.memorize.answer import MemorizeAnswer
from interlayer.memory.memorize.memorizer import Memorizer
from interlayer.memory.requests import FactCandidate, MemorizeRequest, PropertyCandidate
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore, Operation, Put

_PAGE: Final = 100


class Rejections:
    """What was turned down of an organization's calls, as long as it is kept."""

    def __init__(
        self, store: ItemStore, entities: Entities, memorizer: Memorizer, trail: Trail, schema: Schema
    ) -> None:
        self._store = store
        self._entities = entities
        self._memorizer = memorizer
        self._trail = trail
        self._schema = schema

    async def listed(
        self, principal: Principal, *, entity: str | None = None, reason: str | None = None, limit: int = 50
    ) -> list[RejectedCandidate]:
        """Return rejected candidates, newest first; of one entity, or for one reason code."""
        found: list[RejectedCandidate] = []
        async for item in self._items(principal, entity):
            for candidate in reversed(item.body["candidates"]):
                if reason is None or _code(candidate) == reason:
                    found.append(_show(item, candidate))
                if len(found) == limit:
                    return found
        return found

    async def summary(self, principal: Principal, *, entity: str | None = None) -> dict[str, dict[str, int]]:
        """Return {day: {reason code: count}}, newest day first; what was admitted or dismissed since is counted too."""
        days: dict[str, Counter[str]] = {}
        async for item in self._items(principal, entity):
            days.setdefault(item.body["at"][:10], Counter()).update(item.body["counts"])
        return {day: dict(days[day].most_common()) for day in sorted(days, reverse=True)}

    async def admit(self, principal: Principal, rejection_id: str, reason: str) -> MemorizeAnswer:
        """Remember a candidate after all, as of when and from where it came; return the answer of memorize.

        Raises `Refused` for secrets and for what addresses a model for certain.
        """
        check_text(reason, "reason", REASON_MAX)
        item, candidate = await self._find(principal, rejection_id)

        async def commit(operations: Sequence[Operation]) -> None:
            # Read again at every attempt: somebody else may have been first, and then nothing is remembered twice.
            stored, now = await self._find(principal, rejection_id)
            detail = {"reason": reason, "gate": _code(now), "rejection": rejection_id}
            event = Event("memory.admitted", _audit_subject(stored), detail)
            await self._trail.commit(principal, event, [*operations, _without(stored, now)])

        return await self._memorizer.admit(principal, _request(item, candidate), commit)

    async def dismiss(self, principal: Principal, rejection_id: str) -> None:
        """Take a candidate off the list for good."""
        item, candidate = await self._find(principal, rejection_id)
        event = Event("memory.dismissed", _audit_subject(item), {"gate": _code(candidate), "rejection": rejection_id})
        await self._trail.commit(principal, event, [_without(item, candidate)])

    async def _items(self, principal: Principal, entity: str | None) -> AsyncGenerator[Item]:
        """Yield the calls that had something turned down and that the caller may see, newest first."""
        sight = self._entities.sight(principal)
        async with aclosing(self._all(principal.organization, entity)) as found:
            async for item in found:
                if sight.sees(item.body.get("visibility", ORGANIZATION)):
                    yield self._without_withheld(item, sight)

    def _without_withheld(self, item: Item, sight: Sight) -> Item:
        """Return a call without the values that may not be seen, and without all else that came beside them."""
        withheld = sight.withheld(self._schema.stored(str(item.body["named"]).partition(":")[0]))
        if not withheld:
            return item
        candidates = item.body["candidates"]
        hidden = [one for one in candidates if one.get("name") in withheld]
        return replace(item, body={**item.body, "candidates": []}) if hidden else item

    async def _all(self, organization: str, entity: str | None) -> AsyncGenerator[Item]:
        if entity is None:
            partition, cursor = keys.rejected(organization, "").partition, None
            while True:
                page = await self._store.query("memory", partition, reverse=True, limit=_PAGE, cursor=cursor)
                for item in page.items:
                    yield item
                cursor = page.cursor
                if cursor is None:
                    return
        parsed = parse_entity(entity, self._schema)
        calls = await rejected.memories_of(
            self._store, organization, parsed.type, await self._who(organization, parsed)
        )
        for memory_id in sorted({memory_id for memory_id, _ in calls}, reverse=True):
            item = await self._store.get(keys.rejected(organization, memory_id))
            if item:
                yield item

    async def _who(self, organization: str, parsed: EntityString) -> list[str]:
        """Return under what an entity's candidates are kept; nobody has to be remembered for candidates to be."""
        known = await self._entities.resolve(organization, parsed)
        stored = await self._entities.head(organization, known) if known else None
        if stored:
            return rejected.bearers(stored.head)
        possible = possible_identifiers(parsed, self._schema)
        return [*(f"{kind}={value}" for kind, value in possible.items()), fold_name(parsed.key)]

    async def _find(self, principal: Principal, rejection_id: str) -> tuple[Item, Mapping[str, Any]]:
        memory, _, number = rejection_id[:80].removeprefix("q_").rpartition("_")
        item = await self._store.get(keys.rejected(principal.organization, f"m_{memory}"))
        if item and not self._entities.sight(principal).sees(item.body.get("visibility", ORGANIZATION)):
            item = None
        for candidate in item.body["candidates"] if item else ():
            if item and str(candidate["number"]) == number:
                return item, candidate
        remedy = "Take an id from `interlayer memory rejected`; what is admitted, dismissed or expired is not there."
        raise NotFound(f"id: {rejection_id[:80]!r} is no rejected candidate. {remedy}")


def _show(item: Item, candidate: Mapping[str, Any]) -> RejectedCandidate:
    body = item.body
    return RejectedCandidate(
        id=f"q_{item.key.sort.removeprefix('m_')}_{candidate['number']}",
        at=display_time(body["at"]),
        entity=_subject(item),
        named=body["named"],
        memory_id=item.key.sort,
        agent=body["agent"],
        source=body.get("source", ""),
        **{name: value for name, value in candidate.items() if name != "number"},
    )


def _subject(item: Item) -> str:
    entity = item.body["entity"]
    return f"{entity['type']}:{entity['id']}" if entity else str(item.body["named"])


def _audit_subject(item: Item) -> str:
    """Name the entity as the audit trail does: what was never remembered has a type and no name there."""
    return _subject(item) if item.body["entity"] else str(item.body["named"]).partition(":")[0]


def _code(candidate: Mapping[str, Any]) -> str:
    return Rejection.parse(candidate["reason"]).code


def _without(item: Item, candidate: Mapping[str, Any]) -> Put:
    """Build the operation that takes a candidate off the list; the counts stay."""
    left = [one for one in item.body["candidates"] if one["number"] != candidate["number"]]
    return Put(item.key, {**item.body, "candidates": left}, item.version, item.body["expires_at"])


def _request(item: Item, candidate: Mapping[str, Any]) -> MemorizeRequest:
    """Return the call that remembers a candidate. Raises `Refused` for what never is, `InvalidInput` for a part."""
    body = item.body
    if Rejection.parse(
        candidate["reason"]
    ).is_final:  # what was secret in it is blotted out, so that the gate would not know it again
        raise Refused(f"id: {candidate['reason']}. This is never remembered; dismiss it.")
    observed_at = parse_instant(body["observed_at"], "observed_at")
    if candidate.get("cut"):
        raise InvalidInput("id", "it was too long to be kept whole.", "Memorize it in several facts.")
    confidence = float(candidate["confidence"])
    request = MemorizeRequest(
        entity=_subject(item),
        source=body.get("source"),
        observed_at=observed_at,
        visibility=body.get("visibility", ORGANIZATION),
    )
    if "name" in candidate:
        value = PropertyCandidate(candidate["name"], candidate["value"], confidence)
        return replace(request, properties=[value])
    text = candidate["text"]
    if candidate["origin"] != "caller":
        text = anchor(text, observed_at)
    fact = FactCandidate(text, confidence, _since(candidate, observed_at))
    return replace(request, facts=[fact])


def _since(candidate: Mapping[str, Any], observed_at: datetime) -> str | None:
    """Return since when the fact holds; a time that nobody can read is left out."""
    try:
        given = parse_instant(candidate.get("observed_at", ""), "observed_at")
    except InvalidInput:
        return None
    return timestamp(given if candidate["origin"] == "caller" else min(given, observed_at))
