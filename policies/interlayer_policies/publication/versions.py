"""Immutable versions of policies in the item store (table `governance`): `ORG#policy#ID` / `v000003`.

A version is written before the set that holds it, under a number that nothing else has, so that a publish which
stops halfway leaves nothing visible and its retry finds its own work.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from interlayer.errors import Corrupt
from interlayer.storage.items import (
    ITEM_BYTES_MAX,
    TRANSACT_BYTES_MAX,
    TRANSACT_OPERATIONS_MAX,
    ItemStore,
    Key,
    Put,
    Span,
    VersionConflict,
)
from interlayer.storage.optimistic import optimistically
from interlayer.text.budget import compact_json
from interlayer_policies.document.names import fold_id
from interlayer_policies.publication.sets import MENDED_BY, SetEntry, Source, StoredPolicy, sha256_of


class PolicyVersions:
    """Reads and writes versions."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store

    async def sources(self, organization: str, entries: Sequence[SetEntry]) -> list[StoredPolicy]:
        """Read what was published for these entries, in their order. Raises `Corrupt` when one is not there."""
        keys = [_version_key(organization, entry.id, entry.version) for entry in entries]
        found = await self._store.get_many(keys)
        stored: list[StoredPolicy] = []
        for key, entry in zip(keys, entries, strict=True):
            item = found.get(key)
            one = _read_stored(entry.id, entry.version, item.body) if item else None
            if one is None or one.sha256 != entry.sha256:
                raise Corrupt(f"policy {entry.id} v{entry.version} is not what was published. {MENDED_BY}")
            stored.append(one)
        return stored

    async def version(self, organization: str, policy_id: str, version: int) -> StoredPolicy | None:
        """Return one version of a policy, whether or not it is in the present set."""
        item = await self._store.get(_version_key(organization, policy_id, version))
        return _read_stored(policy_id, version, item.body) if item else None

    async def store(
        self, organization: str, sources: Sequence[Source], before: Mapping[str, SetEntry]
    ) -> list[SetEntry]:
        """Write what is new and return the entries of the whole set."""
        entries: dict[str, SetEntry] = {}  # by id, as it is compared; so is `before`
        waiting: dict[Key, tuple[Source, int]] = {}
        for source in sources:
            old = before.get(source.key)
            if old is not None and old.sha256 == source.sha256:
                entries[source.key] = SetEntry(source.id, old.version, old.sha256, source.title)
            else:
                number = old.version + 1 if old else 1
                waiting[_version_key(organization, source.id, number)] = (source, number)
        for batch in _batches(waiting):
            for source, number in await self._put(organization, batch):
                entries[source.key] = SetEntry(source.id, number, source.sha256, source.title)
        return [entries[source.key] for source in sources]

    async def _put(self, organization: str, batch: Mapping[Key, tuple[Source, int]]) -> list[tuple[Source, int]]:
        done: list[tuple[Source, int]] = []
        waiting = dict(batch)

        async def attempt() -> list[tuple[Source, int]]:
            try:
                if waiting:
                    await self._store.transact([_version_put(key, source) for key, (source, _) in waiting.items()])
            except VersionConflict as conflict:
                for key in conflict.keys:
                    source, _ = waiting.pop(key)
                    newest, is_same = await self._newest(organization, source)
                    if is_same:
                        done.append((source, newest))
                    else:
                        waiting[_version_key(organization, source.id, newest + 1)] = (source, newest + 1)
                raise
            return [*done, *waiting.values()]

        return await optimistically(attempt, "the same policies are being published by several at once; publish again")

    async def _newest(self, organization: str, source: Source) -> tuple[int, bool]:
        """Return the newest version's number, 0 when there is none, and whether it is this very text, undamaged."""
        page = await self._store.query(
            "governance", _partition(organization, source.id), Span.prefix("v"), reverse=True, limit=1
        )
        if not page.items:
            return 0, False
        item = page.items[0]
        number = int(item.key.sort.removeprefix("v"))
        try:
            return number, _read_stored(source.id, number, item.body).sha256 == source.sha256
        except Corrupt:
            return number, False


def _batches(waiting: Mapping[Key, tuple[Source, int]]) -> list[dict[Key, tuple[Source, int]]]:
    """Split into transactions within the store's limits."""
    batches: list[dict[Key, tuple[Source, int]]] = [{}]
    size = 0
    for key, (source, number) in waiting.items():
        length = len(compact_json(_version_put(key, source).body).encode())
        if len(batches[-1]) >= TRANSACT_OPERATIONS_MAX or size + length > TRANSACT_BYTES_MAX - ITEM_BYTES_MAX:
            batches.append({})
            size = 0
        batches[-1][key] = (source, number)
        size += length
    return batches


def _version_put(key: Key, source: Source) -> Put:
    return Put(key, {"path": source.path, "title": source.title, "text": source.text, "sha256": source.sha256})


def _read_stored(policy_id: str, version: int, body: Mapping[str, Any]) -> StoredPolicy:
    damaged = Corrupt(f"policy {policy_id} v{version} is damaged. {MENDED_BY}")
    try:
        found = StoredPolicy(policy_id, version, body["title"], body["path"], body["text"], body["sha256"])
        if sha256_of(found.text) != found.sha256:
            raise damaged
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged from error
    return found


def _version_key(organization: str, policy_id: str, version: int) -> Key:
    return Key("governance", _partition(organization, policy_id), f"v{version:06d}")


def _partition(organization: str, policy_id: str) -> str:
    return f"{organization}#policy#{fold_id(policy_id)}"
