"""Calls whose content a model is reading: kept before it is asked, so that nothing is lost with a process.

A call is taken away in the transaction that remembers it, or when it is refused. What a process leaves behind that died
is memorized by another one, under the same memory id: however late the first one wakes, only one of them is stored.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from interlayer.errors import Ambiguous, Conflict, InvalidInput, Refused, Unavailable
from interlayer.ids import Clock, parse_instant, timestamp
from interlayer.memory.log import keys
from interlayer.memory.memorize.answer import MemorizeAnswer
from interlayer.memory.memorize.call import Call
from interlayer.memory.requests import FactCandidate, MemorizeRequest, PropertyCandidate, RelationCandidate
from interlayer.principal import Principal
from interlayer.storage.items import Item, ItemStore, Put
from interlayer.storage.optimistic import apply_if_unchanged
from interlayer.text.private import untellable

_KEPT_FOR: Final = timedelta(days=30)
_GRACE: Final = timedelta(seconds=30)  # beyond the time that the model is given
_CLAIM: Final = timedelta(minutes=15)
_PART: Final = 80_000  # characters, of four bytes at most


Remember = Callable[[Call], Awaitable[MemorizeAnswer]]
"""Returns the answer of memorize to a call."""


class InFlightCalls:
    """The calls of all organizations whose content is being read."""

    def __init__(self, store: ItemStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def keep(self, call: Call, request: MemorizeRequest, within_s: float) -> None:
        """Keep a call, whose content has been rid of secrets; others leave it alone for `within_s`."""
        if call.parts:
            return
        now = self._clock()
        text = json.dumps(_body(request), ensure_ascii=False)
        parts = [text[start : start + _PART] for start in range(0, len(text), _PART)]
        due = timestamp(now + timedelta(seconds=within_s) + _GRACE)
        who = {"agent": call.principal.agent, "user": call.principal.user, "asked": call.asked}
        first = {**who, "parts": len(parts), "due": due}
        expires_at = int((now + _KEPT_FOR).timestamp())
        puts: list[Put] = []
        for number, part in enumerate(parts):
            place = keys.in_flight(call.principal.organization, call.memory_id, number)
            puts.append(Put(place, {"text": part, **(first if number == 0 else {})}, expires_at=expires_at))
        await self._store.transact(puts)
        call.parts = len(parts)

    async def abandon(self, call: Call) -> None:
        """Take away a call that was refused, answered before, or whose entity is forgotten."""
        if call.parts:
            with suppress(Unavailable):
                await self._store.transact(call.removal())

    async def resume(self, organization: str, remember: Remember) -> AsyncGenerator[str]:
        """Memorize what processes left that died while a model read it; yield in words why a call could not be."""
        for call in await self._claim_abandoned(organization):
            try:
                if (await remember(call)).replayed:
                    await self.abandon(call)
            except (InvalidInput, Ambiguous, Refused) as error:
                await self.abandon(call)
                yield f"{call.memory_id}: {error}"
            except (Unavailable, Conflict) as error:  # it is tried again
                yield f"{call.memory_id}: {error}"

    async def _claim_abandoned(self, organization: str) -> Sequence[Call]:
        """Return the calls that nobody works on any more, each claimed for this process."""
        claimed: list[Call] = []
        now = self._clock()
        for call, item in await self._all(organization):
            if timestamp(now) < item.body["due"]:
                continue
            body = {**item.body, "due": timestamp(now + _CLAIM)}
            expires_at = int((now + _KEPT_FOR).timestamp())
            # Where that fails, it is done, or another process has it.
            if await apply_if_unchanged(self._store, [Put(item.key, body, item.version, expires_at)]):
                claimed.append(call)
        return claimed

    async def waiting(self, organization: str) -> Sequence[Call]:
        """Return all calls whose content is being read, or was to be."""
        return [call for call, _ in await self._all(organization)]

    async def _all(self, organization: str) -> Sequence[tuple[Call, Item]]:
        page = await self._store.query("memory", keys.in_flight(organization, "", 0).partition)
        by_call: dict[str, list[Item]] = {}
        for item in page.items:
            by_call.setdefault(item.key.sort.partition("#")[0], []).append(item)
        found: list[tuple[Call, Item]] = []
        for memory_id, items in by_call.items():
            first = items[0].body
            if len(items) == first.get("parts"):  # else it was taken away while the pages were read
                request = _request(json.loads("".join(item.body["text"] for item in items)))
                who = Principal(organization, first["agent"], user=first.get("user", ""))
                found.append((Call(memory_id, who, request, len(items), first.get("asked", "")), items[0]))
        return found


def _body(request: MemorizeRequest) -> dict[str, Any]:
    """Return a call as JSON can hold it, without what a gate would turn down as secret anyway."""
    facts = [_fact_body(one) for one in request.facts if not untellable(f"{one.text} {one.replaces or ''}")]
    values = [
        [one.name, one.value, one.confidence, one.remove, one.about]
        for one in request.properties
        if not untellable(str(one.value))
    ]
    return {
        "entity": request.entity,
        "content": request.content,
        "facts": facts,
        "properties": values,
        "relations": [
            [one.type, one.target, one.source, one.ended, one.observed_at, one.confidence] for one in request.relations
        ],
        "identifiers": dict(request.identifiers),
        "name": request.name,
        "source": request.source,
        "observed_at": timestamp(request.observed_at) if request.observed_at else None,
        "idempotency_key": request.idempotency_key,
        "visibility": request.visibility,
    }


def _fact_body(fact: FactCandidate) -> dict[str, Any]:
    said = {"text": fact.text, "confidence": fact.confidence, "observed_at": fact.observed_at}
    return {**said, "replaces": fact.replaces, "ended": fact.ended, "about": fact.about}


def _value(
    name: str, value: Any, confidence: float, remove: bool = False, about: str | None = None
) -> PropertyCandidate:
    return PropertyCandidate(name, value, confidence, remove=remove, about=about)


def _request(body: Mapping[str, Any]) -> MemorizeRequest:
    observed_at = body["observed_at"]
    more: dict[str, Any] = {
        "facts": [FactCandidate(**one) for one in body["facts"]],
        "properties": [_value(*one) for one in body["properties"]],
        "relations": [RelationCandidate(*one) for one in body["relations"]],
        "observed_at": parse_instant(observed_at, "observed_at") if observed_at else None,
    }
    return MemorizeRequest(**{**body, **more})
