"""Verifying what is in force: every item that the trail answers for, compared with what the trail says of it.

Events are folded as they are read; receipts are compared with the items they name as they are read, page by page; at
last every item is looked for in what was named. In memory are the digests of what events wrote, one for each entity,
and eight bytes for each other item. Whatever was written before there were digests is counted as not covered.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from typing import Any, Final

from interlayer.audit.chain import Fault, Problem, What
from interlayer.audit.in_force.folded import Folded
from interlayer.audit.in_force.governance import GovernanceState
from interlayer.audit.ledger import body_of, hours
from interlayer.audit.receipts import RECEIPT, hour_of, receipts_partition
from interlayer.audit.state import (
    GONE,
    HEAD,
    SCHEMA,
    STATE,
    Name,
    fingerprint,
    memory_organization,
    name_of,
    partitions,
    prefixes,
    read_name,
    revision_of,
    value_of,
)
from interlayer.audit.trail import chain_partition, event_place
from interlayer.errors import Corrupt, Unavailable
from interlayer.ids import first_id, instant_of, timestamp
from interlayer.storage.items import Item, ItemStore, Span
from interlayer.storage.streaming import stream

_PAGE: Final = 200
"""Items that are looked up at once."""
_HEAD: Final = "policies/head"
_OF_HEAD: Final = ("policies/", "policy/", "waiver/")
"""With what the names of faults begin that a publish or a waiver may bring about."""
_LATELY: Final = timedelta(minutes=5)
"""Before it begins: receipts made since may still land while it is verified."""


class StateCheck:
    """Compares one organization's items with its trail; `faults` holds what is wrong, `uncovered` counts the rest."""

    def __init__(self, store: ItemStore, organization: str, started: datetime) -> None:
        self._store = store
        self._organization = organization
        self._since = started - _LATELY
        self._lately: set[str] = set()
        self._pending = False
        self._folded = Folded()
        self._governance = GovernanceState()
        self._known = array("Q")
        self._heads: dict[str, str] = {}
        self._asked: list[tuple[Name, str, Mapping[str, Any]]] = []
        self._key: bytes | None = None
        self._found: dict[str, Fault] = {}
        self._expired_until = ""
        self.compared = 0
        self.unscanned = ""
        self.uncovered = 0

    def event(self, event: Mapping[str, Any]) -> None:
        """Take the next event, as long as the chain is read."""
        self._folded.add(event)
        self._governance.add(event)

    def begin(self, key: bytes | None, damage: Corrupt | None = None) -> None:
        """Take the key, when all events are read."""
        self._key = key
        said = self._folded.key
        if damage or (said and key is None):
            told = str(damage) if damage else "it is not there"
            self._found["key"] = Fault("key", "receipt-key", "missing", f"{told}; no digest can be compared")
        elif key and said and fingerprint(key) != said:
            told = "it is not the one that the trail was written with; no digest can be compared"
            self._found["key"] = Fault("key", "receipt-key", "replaced", told)
            self._key = None

    def expire(self, receipt_id: str) -> None:
        """Take note of a receipt that was kept long enough: what it said of its time is not on record any more."""
        with suppress(ValueError):
            self._expired_until = max(self._expired_until, timestamp(instant_of(receipt_id)))

    async def receipt(self, receipt_id: str, body: Mapping[str, Any], *, sound: bool) -> None:
        """Take the next receipt: what it says is compared unless it was changed itself, or an event said later."""
        if receipt_id >= first_id(RECEIPT, self._since):
            self._lately.add(receipt_id)
        state = body.get(STATE)
        if not isinstance(state, dict) or not state:
            return
        at = str(body.get("at"))
        if self._folded.since is None or (self._folded.since and at < self._folded.since):
            self._folded.since = at
        for text, value in state.items():
            if name := read_name(str(text)):
                self._known.append(_mark(name.text))
                if sound and self._key:
                    self._ask(name, str(value), {**body, "id": receipt_id})
        if len(self._asked) >= _PAGE:
            await self._compare()

    def _ask(self, name: Name, value: str, receipt: Mapping[str, Any]) -> None:
        """Take what a receipt says of an item: of a head the newest counts, of anything else an event before it."""
        if name.kind == "e" and name.sort == HEAD:
            if revision_of(value) > revision_of(self._heads.get(name.text, "")):
                self._heads[name.text] = value
        elif name.text not in self._folded.values:
            self._asked.append((name, value, receipt))

    async def end(self, number: int, now: datetime, count: Callable[[], None]) -> list[Fault]:
        """Compare what is left, look for strangers, and return the faults.

        What was written while this went on, after the event of that number, is no fault.
        """
        await self._compare()
        outbox = await self._store.query("memory", f"{memory_organization(self._organization)}#outbox", limit=1)
        self._pending = bool(outbox.items)
        self._known = array("Q", sorted(self._known))
        await self._compare_written()
        for table, partition in partitions(self._organization):
            async for item in stream(self._store, table, partition):
                self._look(item)
        try:
            for prefix in prefixes(self._organization) if self._key else ():
                async with aclosing(self._store.scan("memory", prefix)) as items:
                    async for item in items:
                        self._look(item)
                        count()
        except Unavailable as error:  # such as a role that may not scan
            self.unscanned = str(error)
        said, checked = await self._governance.compare(self._store, self._organization, timestamp(now))
        self.compared += checked
        self._found.update(said)
        if self._found:
            await self._drop_written_meanwhile(number, now)
        return list(self._found.values())

    async def _drop_written_meanwhile(self, number: int, now: datetime) -> None:
        """Take back what is said of items that events and receipts tell of that were not read yet."""
        names, later = set[str](), Folded()
        async for item in stream(
            self._store, "audit", chain_partition(self._organization), Span(event_place(number + 1))
        ):
            later.add(body_of(item))
        names.update(later.values)
        span = Span(first_id(RECEIPT, self._since))
        for hour in hours(hour_of(self._since), hour_of(now)):
            async for item in stream(self._store, "audit", receipts_partition(self._organization, hour), span):
                state = body_of(item).get(STATE)
                if item.key.sort not in self._lately and isinstance(state, dict):
                    names.update(map(str, state))
        published = tuple(_OF_HEAD) if _HEAD in names else ()
        for name, fault in list(self._found.items()):
            if name in names or (published and name.startswith(published)) or later.is_erased(fault.name, fault.name):
                del self._found[name]

    async def _compare(self) -> None:
        """Compare the items that receipts name."""
        asked, self._asked = self._asked, []
        found = await self._store.get_many([name.key(self._organization) for name, _, _ in asked])
        for name, value, receipt in asked:
            item = found.get(name.key(self._organization))
            memory_id, ref = _of_receipt(name, receipt)
            if item is None:
                if not self._folded.is_erased(ref, memory_id):
                    told = f"receipt {receipt['id']} says that it was stored, and no event that it was erased"
                    self._fault(name, memory_id, "missing", told)
            elif self._key and value_of(self._key, name, body_of(item)) != value:
                told = f"it is not what receipt {receipt['id']} says was stored"
                self._fault(name, memory_id, "changed", told)
            else:  # an entry may be written again by a later call: the last receipt counts
                self._found.pop(name.text, None)
                self.compared += 1

    async def _compare_written(self) -> None:
        """Compare the items that events name, and the heads that receipts do."""
        wanted = {name: (value, f"event {number}") for name, (value, number) in self._folded.values.items()}
        for name, value in self._heads.items():
            if revision_of(value) > revision_of(wanted.get(name, ("", ""))[0]) or name not in wanted:
                wanted[name] = (value, "a receipt")
        names = [name for text in wanted if (name := read_name(text))]
        for first in range(0, len(names) if self._key else 0, _PAGE):
            page = names[first : first + _PAGE]
            found = await self._store.get_many([name.key(self._organization) for name in page])
            for name in page:
                self._judge(name, found.get(name.key(self._organization)), *wanted[name.text])

    def _judge(self, name: Name, item: Item | None, value: str, source: str) -> None:
        """Compare an item with the last that is said of it."""
        is_memory = name.kind in ("e", "s")
        ref = _ref(name) if name.kind == "e" else ""
        memory_id = name.rest if name.kind == "s" else ""
        if item is None:
            if value != GONE and not (is_memory and self._folded.is_erased(ref, memory_id)):
                self._fault(name, memory_id, "missing", f"{source} says that it is there")
        elif name.text == SCHEMA and body_of(item).get("begun"):
            self.uncovered += 1  # it is being changed, and its event comes with the last step
        elif value == GONE:
            self._fault(name, str(body_of(item).get("id", "")), "restored", f"{source} has deleted it")
        elif self._key and value_of(self._key, name, body_of(item)) != value:
            self._fault(name, str(body_of(item).get("id", "")), "changed", f"it is not what {source} says was stored")
        else:
            self.compared += 1

    def _look(self, item: Item) -> None:
        """Name an item that nothing on record has put there, and a memory that was erased."""
        name, body = name_of(item.key), body_of(item)
        if name is None:
            return
        if name.kind == "e" and name.sort != HEAD and self._is_back(name, body):
            return
        if name.text in self._folded.values or name.text in self._heads or self._is_known(name.text):
            return
        since, made = self._folded.since, _made(name, body)
        if since is not None and name.kind in ("e", "s"):
            # What is older than the trail itself was made by a clock that was wrong: its receipt has gone by that time.
            since = max(since, self._expired_until, self._folded.began)
        if since is None or (since and made <= since):
            self.uncovered += 1
            return
        self._fault(name, str(body.get("id", "")), "forged", "nothing on record has put it there")

    def _is_back(self, name: Name, body: Mapping[str, Any]) -> bool:
        memory_id = str(body.get("id", ""))
        told = "an event says that it was erased, and it is there"
        if memory_id and self._folded.is_erased(_ref(name), memory_id):
            if self._pending:  # its erasure is not complete: an entry of the outbox goes on with it
                return True
            self._fault(name, memory_id, "restored", told)
            return True
        facts = body.get("facts")
        for fact in facts if isinstance(facts, list) else ():
            if isinstance(fact, dict) and fact.get("id") in self._folded.facts:
                self._fault(name, memory_id, "restored", f"fact {fact['id']}: {told}")
                return True
        return False

    def _is_known(self, name: str) -> bool:
        mark = _mark(name)
        place = bisect_left(self._known, mark)
        return place < len(self._known) and self._known[place] == mark

    def _fault(self, name: Name, memory_id: str, problem: Problem, detail: str) -> None:
        what = "entity" if name.kind == "e" and name.sort == HEAD else _WHAT[name.kind]
        self._found.setdefault(name.text, Fault(what, _called(name, memory_id), problem, detail))


_WHAT: Final[Mapping[str, What]] = {
    "policies": "policy set",
    "access": "key",
    "proposals": "proposal",
    "settings": "setting",
    "e": "memory",
    "s": "content",
}


def _called(name: Name, memory_id: str = "") -> str:
    """Return what an item is called in a report."""
    if name.kind == "e":
        return _ref(name) if name.sort == HEAD else memory_id or f"{_ref(name)} {name.sort}"
    return name.rest if name.kind == "s" else name.sort


def _ref(name: Name) -> str:
    return name.rest.replace("#", ":", 1)


def _of_receipt(name: Name, receipt: Mapping[str, Any]) -> tuple[str, str]:
    """Return the memory and the entity that an item of a receipt is of."""
    return str(receipt.get("memory_id", "")), _ref(name) if name.kind == "e" else str(receipt.get("entity"))


def _made(name: Name, body: Mapping[str, Any]) -> str:
    """Return when an item says that it was made, by the id that it bears; nothing where that cannot be told."""
    bearer = {"e": name.rest if name.sort == HEAD else str(body.get("id", "")), "s": name.rest}.get(
        name.kind, name.sort
    )
    try:
        return timestamp(instant_of(bearer))
    except ValueError:
        return str(body.get("at", "")) if name.kind == "policies" else ""


def _mark(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
