"""The embedding spaces of an organization: which one is searched, which others are written beside it.

The record of the spaces lies in the item store, so that every process goes by the same one. A call takes the current
space once, at most a second old, and stays in it to its end: its query, the views and the index it looks into are all
of that space, so spaces are never mixed. Whoever writes to the index reads the record anew for each batch and writes
to every space in it; `reembedding` moves an organization from one to another.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import anyio

from interlayer.errors import Corrupt, Refused, Unavailable
from interlayer.memory.log import keys
from interlayer.models.calibration import calibrate
from interlayer.models.choice import BUNDLED, EmbedderChoice
from interlayer.models.embedder import Embedder, EmbeddingModel, Space, UnknownEmbedder
from interlayer.models.scale import REFERENCE, Scale
from interlayer.storage.items import ABSENT, ItemStore, Put
from interlayer.storage.optimistic import apply_if_unchanged
from interlayer.storage.vectors import VectorIndex

FOLLOWED_S: Final = 1.0
"""How old the record that a read goes by may be."""

logger = logging.getLogger(__name__)

EmbedderFactory = Callable[[EmbedderChoice, int], Embedder]
IndexFactory = Callable[[Space], VectorIndex]


class _NoAnswer(Unavailable):
    """A model has not answered once, so that its space is not known."""


@dataclass(frozen=True, slots=True)
class SpaceEntry:
    """One space on record: the model as it is configured, its space, and the scale of its cosines."""

    choice: EmbedderChoice
    space: Space
    scale: Scale


@dataclass(frozen=True, slots=True)
class SpaceRecord:
    """The spaces of an organization, at most two of them written at a time.

    `following` is being built, `former` is kept after a flip, `dropping` is being deleted. `gaps`: the one that is not
    current has missed writes. `moved_at`: when `reembed` chose the current one. `version` is 0 if there is no record.
    """

    current: SpaceEntry
    following: SpaceEntry | None = None
    former: SpaceEntry | None = None
    dropping: SpaceEntry | None = None
    gaps: bool = False
    moved_at: str = ""
    version: int = ABSENT

    @property
    def beside(self) -> SpaceEntry | None:
        """The space that is written beside the current one."""
        return self.following or self.former


@dataclass(frozen=True, slots=True)
class ActiveSpace(EmbeddingModel):
    """A space in use: its embedder, the scale of its cosines, and the index of its vectors.

    There is no index as long as a model has not answered once: then nothing is known of its space.
    """

    made: VectorIndex | None

    @property
    def index(self) -> VectorIndex:
        """The index. Raises `Unavailable` when there is none yet."""
        if self.made is None:
            raise Unavailable(self.embedder.trouble)
        return self.made

    @property
    def id(self) -> str:
        """The name of the space."""
        return self.embedder.space.id


class Spaces:
    """The spaces of all organizations, and the embedders and indexes of this process for them."""

    def __init__(
        self, store: ItemStore, configured: EmbedderChoice, embedder_of: EmbedderFactory, index_of: IndexFactory
    ) -> None:
        self._store = store
        self._configured = configured
        self._embedder_of = embedder_of
        self._index_of = index_of
        self._unmeasured: Embedder | None = None
        self._unknown = UnknownEmbedder(configured.name)
        self._active: dict[tuple[str, EmbedderChoice], ActiveSpace] = {}
        self._indexes: dict[str, VectorIndex] = {}
        self._seen: dict[str, tuple[float, SpaceRecord]] = {}

    async def of(self, organization: str = "") -> ActiveSpace:
        """Return the space to read from, claiming the configured one for an organization that has none.

        Where its model has not answered once, it is one without vectors. Without an organization, as for policies that
        are only tried out, it is the one that was used last, or that of the bundled model where that has not answered.
        """
        try:
            return self.active(await self._current(organization))
        except _NoAnswer as error:
            self._unknown.trouble = str(error)
            return ActiveSpace(self._unknown if organization else self.bundled().embedder, REFERENCE, None)

    async def _current(self, organization: str) -> SpaceEntry:
        if not organization:
            last = next(reversed(self._seen.values()), None)
            return last[1].current if last else await self._measure()
        seen_at, record = self._seen.get(organization, (0.0, None))
        if record is None or anyio.current_time() - seen_at > FOLLOWED_S:
            try:
                record = await self.record(organization)
            except Unavailable:
                if record is None:
                    raise
        return (record or await self.claim(organization)).current

    async def record(self, organization: str) -> SpaceRecord | None:
        """Return the record as it is now."""
        item = await self._store.get(keys.space(organization))
        if item is None:
            self._seen.pop(organization, None)
            return None
        record = _read(item.body, item.version)
        known = self._seen.get(organization)
        if known and known[1].current.space != record.current.space:
            logger.info("embedding space of %s: from now on %s", organization, record.current.space.id)
        self._seen[organization] = (anyio.current_time(), record)
        return record

    async def claim(self, organization: str) -> SpaceRecord:
        """Return the record, made with the configured model if there is none. Raises `Unavailable`."""
        while (record := await self.record(organization)) is None:
            made = SpaceRecord(await self._measure())
            await apply_if_unchanged(self._store, [self.put(organization, made)])  # else another process was first
        return record

    async def whole(self, organization: str) -> list[ActiveSpace]:
        """Return the spaces that hold every fact: the current one and the former one, not one that is being built."""
        record = await self.claim(organization)
        return [self.active(entry) for entry in (record.current, record.former) if entry]

    async def check(self, organization: str) -> str:
        """Say what there is to say of the configured model: nothing, no answer so far, or another one since a move.

        Raises `Refused` when the organization's vectors are of another model than the configured one.
        """
        try:
            record = await self.claim(organization)
        except _NoAnswer as error:
            return f"{error} Until it answers, words alone find what is remembered."
        known, wanted = record.current, self._configured
        if known.choice.name == wanted.name:
            self.active(known)
            return ""
        if record.moved_at:
            return (
                f"{organization} moved to {known.choice.name} at {record.moved_at} by `interlayer reembed`, so that is "
                f"used and not INTERLAYER_EMBEDDER, {wanted.name}. Set INTERLAYER_EMBEDDER={known.choice.name}."
            )
        raise Refused(
            f"INTERLAYER_EMBEDDER: the stored vectors are of {known.space.id}, the configured model is {wanted.name}. "
            f"Set the former model again (INTERLAYER_EMBEDDER={known.choice.name}), or move to the other one with "
            f"`interlayer reembed --to {wanted.name}`."
        )

    async def entry(self, choice: EmbedderChoice) -> SpaceEntry:
        """Return a model's space and scale, asking the model where they are not known. Raises `Unavailable`."""
        embedder = self._embedder_of(choice, 0)
        scale = REFERENCE if choice == BUNDLED else await calibrate(embedder)
        return SpaceEntry(choice, embedder.space, scale)

    async def _measure(self) -> SpaceEntry:
        """Return the configured model's space and scale, which a call waits for. Raises `_NoAnswer`."""
        if self._configured == BUNDLED:
            return await self.entry(BUNDLED)
        if self._unmeasured is None:  # one object, which knows when it failed
            self._unmeasured = self._embedder_of(self._configured, 0)
        try:
            scale = await calibrate(self._unmeasured, waiting=True)
        except Unavailable as error:
            raise _NoAnswer(str(error)) from error
        return SpaceEntry(self._configured, self._unmeasured.space, scale)

    def bundled(self) -> EmbeddingModel:
        """Return the model that comes with the program, which judges where another one is away."""
        return EmbeddingModel(self._embedder_of(BUNDLED, 0), REFERENCE)

    def active(self, entry: SpaceEntry) -> ActiveSpace:
        """Return a space of the record as this process uses it. Raises `Corrupt` when no version of it fits."""
        # Where a model is served may differ from machine to machine: what is configured here goes before the record.
        choice = self._configured if self._configured.name == entry.choice.name else entry.choice
        place = (entry.space.id, choice)
        if place not in self._active:
            embedder = self._embedder_of(choice, entry.space.dims)
            if embedder.space != entry.space:
                raise Corrupt(
                    f"INTERLAYER_EMBEDDER: the stored vectors are of {entry.space.id}, this version makes "
                    f"{embedder.space.id} of {choice.name}. Install the version that they were made with."
                )
            self._active[place] = ActiveSpace(embedder, entry.scale, self.index(entry.space))
        return self._active[place]

    def index(self, space: Space) -> VectorIndex:
        """Return the index of a space; one object a space, which knows what it has opened."""
        if space.id not in self._indexes:
            self._indexes[space.id] = self._index_of(space)
        return self._indexes[space.id]

    def put(self, organization: str, record: SpaceRecord) -> Put:
        """Build the operation that writes a record, if it is still the one that was read."""
        return Put(keys.space(organization), _body(record), record.version)

    async def write(self, put: Put) -> None:
        """Write a record. Raises `VersionConflict` when it is not the one any more that was read."""
        await self._store.transact([put])

    async def close(self) -> None:
        """Close every index; idempotent."""
        for index in self._indexes.values():
            await index.close()


def with_gaps(record: SpaceRecord) -> SpaceRecord:
    """Return a record that says that the space beside the current one has missed a write."""
    return replace(record, gaps=True)


def _body(record: SpaceRecord) -> dict[str, Any]:
    entries = {
        name: _entry_body(entry)
        for name, entry in {
            "following": record.following,
            "former": record.former,
            "dropping": record.dropping,
        }.items()
        if entry
    }
    noted = {"gaps": True} if record.gaps else {}
    moved = {"moved_at": record.moved_at} if record.moved_at else {}
    return {**_entry_body(record.current), **entries, **noted, **moved}


def _read(body: Mapping[str, Any], version: int) -> SpaceRecord:
    beside: Sequence[SpaceEntry | None] = [
        _entry(body[name]) if name in body else None for name in ("following", "former", "dropping")
    ]
    return SpaceRecord(
        _entry(body), *beside, gaps=body.get("gaps", False), moved_at=body.get("moved_at", ""), version=version
    )


def _entry_body(entry: SpaceEntry) -> dict[str, Any]:
    space, choice = entry.space, {name: value for name, value in asdict(entry.choice).items() if value}
    return {"space": space.id, **asdict(space), **choice, "scale": asdict(entry.scale)}


def _entry(body: Mapping[str, Any]) -> SpaceEntry:
    if "name" not in body:  # a record of the first version, which knew the bundled model only
        model, dims, recipe = body["model"], *body["space"].rsplit(".", 2)[1:]
        return SpaceEntry(BUNDLED, Space(model, int(dims), recipe), REFERENCE)
    choice = EmbedderChoice(body["name"], body.get("api_base", ""), body.get("folder", ""))
    return SpaceEntry(choice, Space(body["model"], body["dims"], body["recipe"]), Scale(**body["scale"]))
