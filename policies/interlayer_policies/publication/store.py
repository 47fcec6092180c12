"""Published sets in the item store (table `governance`): immutable versions and sets, and a head that moves.

Items of an organization:
- `ORG#policies` / `head`: revision, set_hash, published_at; moved by compare-and-swap, never by two at once;
- `ORG#policies` / `set#00000007`: who published what and when; its entries in `part#00000007#000` and on;
- `ORG#policy#ID` / `v000003`: path, text and sha256 of one version of one policy (`versions`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from interlayer.audit.trail import Event, Trail
from interlayer.errors import Conflict, Corrupt, NotFound
from interlayer.ids import timestamp
from interlayer.principal import Principal
from interlayer.storage.items import (
    ABSENT,
    Item,
    ItemStore,
    Key,
    Operation,
    Put,
    Span,
    VersionConflict,
)
from interlayer.storage.optimistic import optimistically
from interlayer.text.budget import compact_json
from interlayer_policies.delivery.waivers import Waiver, read_waivers, waivers_body
from interlayer_policies.document.names import fold_id
from interlayer_policies.document.policy import PolicyFile
from interlayer_policies.publication.sets import MENDED_BY, Change, Head, PolicyChange, Publication, SetEntry, Source
from interlayer_policies.publication.versions import PolicyVersions

_PART_ENTRIES: Final = 800  # of at most 430 bytes each: under the limit of an item
_NAMES_IN_EVENT: Final = 1_000
_NAMES_IN_MESSAGE: Final = 10
_PAGE: Final = 50


class PolicySets:
    """Reads and writes the published sets of organizations."""

    def __init__(self, store: ItemStore, trail: Trail) -> None:
        self._store = store
        self._trail = trail
        self.versions = PolicyVersions(store)

    async def head(self, organization: str) -> Head | None:
        """Return which set is published now; one consistent read."""
        item = await self._store.get(_head_key(organization))
        if item is None:
            return None
        waivers, unread = read_waivers(item.body.get("waivers", ()))
        try:
            return Head(int(item.body["revision"]), str(item.body["set_hash"]), item.version, waivers, unread)
        except (KeyError, TypeError, ValueError) as error:
            raise Corrupt(f"the head of {organization}'s policies is damaged; restore a backup or an export") from error

    async def entries(self, organization: str, revision: int) -> list[SetEntry] | None:
        """Return the entries of a set by policy id, None when there is no such revision. Raises `Corrupt`."""
        item = await self._store.get(_set_key(organization, revision))
        if item is None:
            return None
        damaged = Corrupt(f"policy set {revision} of {organization} is damaged. {MENDED_BY}")
        try:
            parts = [_part_key(organization, revision, number) for number in range(item.body["parts"])]
            found = await self._store.get_many(parts)
            entries = [SetEntry(**entry) for part in parts for entry in found[part].body["policies"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise damaged from error
        if _set_hash(entries) != item.body.get("set_hash"):
            raise damaged
        return entries

    async def files(self, organization: str, revision: int) -> list[PolicyFile]:
        """Return the files of a published set. Raises `NotFound` when there was none."""
        entries = await self.entries(organization, revision)
        if entries is None:
            raise NotFound(
                f"revision {revision} was never published; `interlayer policy history` lists those that were"
            )
        return [PolicyFile(one.path, one.text) for one in await self.versions.sources(organization, entries)]

    async def published_entries(self, organization: str, head: Head) -> list[SetEntry]:
        """Return the entries of the set that a head leads to. Raises `Corrupt` when they are not what was published."""
        entries = await self.entries(organization, head.revision)
        if entries is None or _set_hash(entries) != head.set_hash:
            raise Corrupt(f"policy set {head.revision} of {organization} is missing or another. {MENDED_BY}")
        return entries

    async def history(self, organization: str, limit: int) -> list[Publication]:
        """Return the newest publications, newest first."""
        page = await self._store.query(
            "governance", _partition(organization), Span.prefix("set#"), reverse=True, limit=limit
        )
        return [_publication(item) for item in page.items]

    async def changes_of(self, organization: str, policy_id: str, limit: int) -> list[PolicyChange]:
        """Return the publications that brought, changed or removed a policy, newest first."""
        found: list[PolicyChange] = []
        cursor: str | None = None
        newer: tuple[Publication, SetEntry | None] | None = None
        while len(found) < limit:
            page = await self._store.query(
                "governance", _partition(organization), Span.prefix("set#"), reverse=True, limit=_PAGE, cursor=cursor
            )
            for item in page.items:
                publication = _publication(item)
                entries = await self.entries(organization, publication.revision)
                entry = next((one for one in entries or () if one.key == fold_id(policy_id)), None)
                if newer and newer[1] != entry:
                    found.append(PolicyChange(newer[0], newer[1].version if newer[1] else None))
                newer = publication, entry
            cursor = page.cursor
            if cursor is None:
                if newer and newer[1]:
                    found.append(PolicyChange(newer[0], newer[1].version))
                break
        return found[:limit]

    async def difference(self, organization: str, sources: Sequence[Source], *, anew: bool = False) -> Change:
        """Return how the published set would change if these sources became the whole set; `anew` as in `publish`."""
        head = None if anew else await self.head(organization)
        return _change(await self._before(organization, head), sources)

    async def publish(
        self,
        principal: Principal,
        sources: Sequence[Source],
        *,
        head: Head | None,
        author: str,
        reason: str,
        now: datetime,
        approved_by: Sequence[str] = (),
        break_glass: bool = False,
        anew: bool = False,
        also: Sequence[Operation] = (),
    ) -> tuple[int, Change]:
        """Make these sources the whole set that follows `head`; return its revision and how it differs.

        `also` joins the transaction. Returns the present revision when nothing differs. With `anew` nothing of the
        present set is relied on, because it is damaged. Raises `Conflict` when the published set is another one by now.
        """
        organization = principal.organization
        before = await self._before(organization, None if anew else head)
        wanted = sorted(sources, key=lambda source: source.id)
        change = _change(before, wanted)
        set_hash = _set_hash(wanted)
        if head is not None and head.set_hash == set_hash and not anew:
            return head.revision, change
        entries = await self.versions.store(organization, wanted, before)
        revision = head.revision + 1 if head else 1
        counts = {name: len(ids) for name, ids in asdict(change).items()}
        record = {
            "revision": revision,
            "at": timestamp(now),
            "author": author,
            "reason": reason,
            "set_hash": set_hash,
            "approved_by": list(approved_by),
            "break_glass": break_glass,
        }
        parts = [entries[first : first + _PART_ENTRIES] for first in range(0, len(entries), _PART_ENTRIES)]
        operations = [
            *also,
            Put(_set_key(organization, revision), {**record, **counts, "total": len(entries), "parts": len(parts)}),
            *(
                Put(_part_key(organization, revision, number), {"policies": [asdict(entry) for entry in part]})
                for number, part in enumerate(parts)
            ),
        ]
        named = {name: list(ids[:_NAMES_IN_EVENT]) for name, ids in asdict(change).items()}
        detail = {name: value for name, value in record.items() if name != "at"} | named
        await self._move(principal, head, record, Event("policy.published", "policies", detail), operations, before)
        return revision, change

    async def _move(
        self,
        principal: Principal,
        head: Head | None,
        record: Mapping[str, Any],
        event: Event,
        operations: Sequence[Operation],
        before: Mapping[str, SetEntry],
    ) -> None:
        """Move the head to what `record` says, with everything that belongs to it, in one transaction."""
        organization, now = principal.organization, datetime.fromisoformat(record["at"])
        place = _head_key(organization)
        last = head

        async def attempt() -> None:
            nonlocal last
            body = {**record, "waivers": waivers_body(last.waivers if last else (), now)}
            move = Put(place, body, expect=last.item_version if last else ABSENT)
            try:
                await self._trail.commit(principal, event, [move, *operations])
            except VersionConflict as conflict:
                winner = await self.head(organization)
                if last is None or winner is None or winner.set_hash != last.set_hash or place not in conflict.keys:
                    raise Conflict(await self._why_lost(organization, before, winner)) from conflict
                last = winner  # the set is still the same: only a waiver came or went
                raise

        busy = "waivers are being changed by several at once; nothing was published, publish again"
        await optimistically(attempt, busy)

    async def move_waivers(
        self, principal: Principal, head: Head, waivers: Sequence[Waiver], event: Event, now: datetime
    ) -> None:
        """Put these waivers into force with their event. Raises `VersionConflict` when the head has moved since."""
        item = await self._store.get(_head_key(principal.organization))
        body = {**(item.body if item else {}), "waivers": waivers_body(waivers, now)}
        put = Put(_head_key(principal.organization), body, expect=head.item_version)
        await self._trail.commit(principal, event, [put])

    async def _why_lost(self, organization: str, before: Mapping[str, SetEntry], winner: Head | None) -> str:
        """Describe what somebody else has published meanwhile."""
        told = "Nothing of yours was published; look at theirs and publish again."
        if winner is None:
            return f"another set was published by someone else meanwhile. {told}"
        entries = await self._before(organization, winner)
        changed = [name for name in before.keys() | entries.keys() if before.get(name) != entries.get(name)]
        theirs = sorted((entries.get(name) or before[name]).id for name in changed)
        named = ", ".join(theirs[:_NAMES_IN_MESSAGE]) + (" and more" if len(theirs) > _NAMES_IN_MESSAGE else "")
        return f"revision {winner.revision} was published by someone else meanwhile and changed {named}. {told}"

    async def _before(self, organization: str, head: Head | None) -> dict[str, SetEntry]:
        entries = await self.published_entries(organization, head) if head else []
        return {entry.key: entry for entry in entries}


def _publication(item: Item) -> Publication:
    names = Publication.__dataclass_fields__
    given: dict[str, Any] = {name: value for name, value in item.body.items() if name in names}
    given["approved_by"] = tuple(given.get("approved_by", ()))
    return Publication(**given)


def _change(before: Mapping[str, SetEntry], wanted: Sequence[Source]) -> Change:
    now = {source.key: source for source in wanted}
    both = now.keys() & before.keys()
    return Change(
        added=tuple(sorted(now[key].id for key in now.keys() - before.keys())),
        changed=tuple(sorted(now[key].id for key in both if now[key].sha256 != before[key].sha256)),
        removed=tuple(sorted(before[key].id for key in before.keys() - now.keys())),
    )


def _set_hash(sources: Sequence[Source | SetEntry]) -> str:
    return hashlib.sha256(compact_json([[source.id, source.sha256] for source in sources]).encode()).hexdigest()


def _partition(organization: str) -> str:
    return f"{organization}#policies"


def _head_key(organization: str) -> Key:
    return Key("governance", _partition(organization), "head")


def _set_key(organization: str, revision: int) -> Key:
    return Key("governance", _partition(organization), f"set#{revision:08d}")


def _part_key(organization: str, revision: int, number: int) -> Key:
    return Key("governance", _partition(organization), f"part#{revision:08d}#{number:03d}")
