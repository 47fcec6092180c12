"""The snapshots that calls are answered from: loaded when an organization's head moves, kept while it stands.

The head is read on every call. When it cannot be read, the last set that could is served for `STALE_MAX`, marked;
after that the answer is a refusal, because an agent must not act on rules that may have been withdrawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import anyio
import anyio.to_thread

from interlayer.errors import Corrupt, Unavailable
from interlayer.ids import Clock
from interlayer.models.embedder import Embedder
from interlayer_policies.embedding import PUBLISH_DEADLINE_S, QUERY_DEADLINE_S, SECTIONS_DEADLINE_S, Embeddings
from interlayer_policies.parsing import parse
from interlayer_policies.policy import Policy, PolicyFile
from interlayer_policies.relevance import Query
from interlayer_policies.sets import StoredPolicy
from interlayer_policies.snapshot import Edition, Snapshot, sections_of
from interlayer_policies.store import PolicySets
from interlayer_policies.waivers import Waiver

STALE_MAX: Final = timedelta(seconds=300)
REFUSAL: Final = (
    "Take no externally visible or irreversible action until governance answers again; then ask for the context anew."
)

_EMBED_AGAIN_AFTER: Final = timedelta(seconds=5)
_BUILT_INLINE_MAX: Final = 20  # policies: fewer take less time than handing them to a thread


@dataclass(slots=True)
class _Shelf:
    """What is kept of one organization."""

    snapshot: Snapshot
    seen_at: datetime
    embed_tried_at: datetime
    arrivals: int
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class Current:
    """The set to answer from and what was unavailable in getting it."""

    snapshot: Snapshot
    degraded: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @property
    def store_away(self) -> bool:
        """Whether this set is served from memory because the store could not be read."""
        return "store" in self.degraded


class Library:
    """Current snapshots by organization, and the embeddings that they share."""

    def __init__(self, sets: PolicySets, embedder: Embedder, clock: Clock) -> None:
        self._sets = sets
        self._embeddings = Embeddings(embedder)
        self._clock = clock
        self._shelves: dict[str, _Shelf] = {}
        self._loading: dict[str, anyio.Lock] = {}

    async def current(self, organization: str) -> Current:
        """Return the published set. Raises `Unavailable`, saying to take no action, when there is none to go by."""
        try:
            head = await self._sets.head(organization)
            shelf = await self._shelf(organization, head.revision) if head else None
        except Unavailable as error:
            return self._stale(organization, error)
        if shelf is None:
            raise Unavailable(f"No policies are published for {organization}: publish some. {REFUSAL}")
        shelf.seen_at = self._clock()
        if head and shelf.snapshot.revision == head.revision:
            shelf.waivers = head.waivers
        return Current(shelf.snapshot, (), shelf.waivers)

    async def query(self, snapshot: Snapshot, task: str, within: float = QUERY_DEADLINE_S) -> tuple[Query, bool]:
        """Return a task made ready, and whether its vectors could not be had in `within` seconds."""
        found = await self._embeddings.query(task, within)
        return found, found.vectors is None or not snapshot.index.has_vectors

    async def build(self, revision: int, editions: Sequence[Edition], within: float = SECTIONS_DEADLINE_S) -> Snapshot:
        """Return a snapshot of these policies; without vectors when they cannot be had in `within` seconds."""
        sections = sections_of(editions)
        vectors = await self._embeddings.of_sections([section.indexed for section in sections], within)
        if len(editions) <= _BUILT_INLINE_MAX:
            return Snapshot(revision, editions, sections, vectors)
        return await anyio.to_thread.run_sync(Snapshot, revision, editions, sections, vectors)

    async def prepare(self, editions: Sequence[Edition]) -> None:
        """Embed what a publish brings before it is in force, so that the first call after it need not wait."""
        await self._embeddings.of_sections([section.indexed for section in sections_of(editions)], PUBLISH_DEADLINE_S)

    def _is_good(self, shelf: _Shelf, revision: int) -> bool:
        if shelf.snapshot.revision < revision:
            return False
        if shelf.snapshot.index.has_vectors:
            return True
        nothing_new = shelf.arrivals == self._embeddings.arrivals
        return nothing_new and self._clock() - shelf.embed_tried_at < _EMBED_AGAIN_AFTER

    async def _embedded(self, shelf: _Shelf) -> bool:
        """Whether the vectors that a set was loaded without can be had now."""
        texts = [section.indexed for section in shelf.snapshot.sections]
        return await self._embeddings.of_sections(texts, QUERY_DEADLINE_S) is not None

    def _stale(self, organization: str, error: Unavailable) -> Current:
        shelf = self._shelves.get(organization)
        if shelf is None or self._clock() - shelf.seen_at > STALE_MAX:
            raise Unavailable(f"The policies are out of reach: {error} {REFUSAL}") from error
        return Current(shelf.snapshot, ("store",), shelf.waivers)

    async def _shelf(self, organization: str, revision: int) -> _Shelf:
        """Return a shelf with this revision or a later one, loading it once for all who wait."""
        shelf = self._shelves.get(organization)
        if shelf is not None and self._is_good(shelf, revision):
            return shelf
        async with self._loading.setdefault(organization, anyio.Lock()):
            shelf = self._shelves.get(organization)
            if shelf is not None and self._is_good(shelf, revision):
                return shelf
            arrivals = self._embeddings.arrivals
            if shelf is not None and shelf.snapshot.revision >= revision and not await self._embedded(shelf):
                shelf.embed_tried_at, shelf.arrivals = self._clock(), arrivals
                return shelf
            entries = await self._sets.entries(organization, revision)
            if entries is None:
                raise Corrupt(f"policy set {revision} of {organization} is missing; publish the policies again")
            known = {(e.policy.id, e.version): e for e in shelf.snapshot.editions} if shelf else {}
            unknown = [entry for entry in entries if (entry.id, entry.version) not in known]
            stored = await self._sets.versions.sources(organization, unknown)
            if len(stored) <= _BUILT_INLINE_MAX:
                parsed = _editions(stored)
            else:
                parsed = await anyio.to_thread.run_sync(_editions, stored)
            known |= {(edition.policy.id, edition.version): edition for edition in parsed}
            snapshot = await self.build(revision, [known[entry.id, entry.version] for entry in entries])
            shelf = self._shelves[organization] = _Shelf(snapshot, self._clock(), self._clock(), arrivals)
            return shelf


def _editions(stored: Sequence[StoredPolicy]) -> list[Edition]:
    editions: list[Edition] = []
    for source in stored:
        policy = parse(PolicyFile(source.path, source.text))
        if not isinstance(policy, Policy):
            raise Corrupt(f"policy {source.policy_id} v{source.version} cannot be read: {policy[0]}. Publish it again.")
        editions.append(Edition(policy, source.version))
    return editions
