"""Moving an organization to another embedding model while every process goes on serving.

begin -> fill -> verify -> flip. Each step is one conditional write of the spaces' record, with its event in the audit
trail, and can be run again after it was killed: from `begin` on, every writer fills both spaces, so that filling only
has to bring what was there before, and knows from the index itself what it has done already. The flip expects the
record that was verified; a write that the new space has missed since then changes the record, and filling is done
again. After the flip the former space is still written, so the way back is another flip.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import anyio

from interlayer.audit.trail import Event, Trail
from interlayer.errors import Conflict, Refused
from interlayer.ids import Clock, timestamp
from interlayer.memory.log import keys
from interlayer.memory.projection.acceptance import Verified, verify
from interlayer.memory.projection.backfill import Backfill, Progress
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.spaces import FOLLOWED_S, SpaceEntry, SpaceRecord, Spaces
from interlayer.models.choice import EmbedderChoice
from interlayer.principal import Principal
from interlayer.storage.items import VersionConflict
from interlayer.storage.optimistic import optimistically

_ATTEMPTS: Final = 20
_LEFT_S: Final = 3 * FOLLOWED_S
"""How long a space is left in place after the last process may have begun a call in it."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move came to: the space that is current now, and what was verified; nothing if there was no need."""

    space: str
    added: int
    verified: Verified | None


class Reembedder:
    """Moves organizations between embedding spaces. Raises `Refused` for what the record does not allow."""

    def __init__(self, spaces: Spaces, trail: Trail, projector: Projector, filler: Backfill, clock: Clock) -> None:
        self._spaces = spaces
        self._trail = trail
        self._projector = projector
        self._filler = filler
        self._clock = clock

    async def move(
        self, principal: Principal, to: EmbedderChoice, progress: Progress = lambda _: None, rate: float | None = None
    ) -> Moved:
        """Build the space of a model and make it the current one; goes on where an earlier run was cut off."""
        organization = principal.organization
        record = await self._begin(principal, to)
        if record.following is None:
            return Moved(record.current.space.id, 0, None)
        added = 0
        wanted = record.following
        busy = f"{to.name}: it kept missing writes. Look at the log for why, and run the same command again."

        async def attempt() -> Moved:
            nonlocal added
            record = await self._claim_record(organization)
            if record.current.space == wanted.space:  # another run was quicker
                return Moved(wanted.space.id, added, None)
            if record.following is None or record.following.space != wanted.space:
                raise Conflict(busy)
            record = await self._without_gaps(principal, record)
            added += (await self._filler.fill(organization, self._spaces.active(wanted), progress, rate)).added
            found = await self._verify(organization, record, wanted)
            if found.missing:  # somebody wrote beside this run, as in any other conflict
                raise VersionConflict([keys.space(organization)])
            await self._change(principal, record, self._flip(record, wanted), "space.flipped", **asdict(found))
            return Moved(wanted.space.id, added, found)

        return await optimistically(attempt, busy, attempts=_ATTEMPTS)

    async def rollback(self, principal: Principal, progress: Progress = lambda _: None) -> str:
        """Give up a build, or make the former space the current one again; return the id of the current space."""
        organization = principal.organization
        record = await self._claim_record(organization)
        if record.following:
            given_up = replace(record, following=None, dropping=record.following, gaps=False)
            await self._change(principal, record, given_up, "space.build_given_up", of=record.following.choice.name)
            await self._drop(principal)
            return record.current.space.id

        async def attempt() -> str:
            record = await self._claim_record(organization)
            former = record.former
            if former is None:
                raise Refused("there is no former space to go back to. `interlayer reembed --to MODEL` builds one.")
            if record.gaps:
                record = await self._without_gaps(principal, record)
                await self._filler.fill(organization, self._spaces.active(former), progress)
            await self._change(principal, record, self._flip(record, former), "space.rolled_back")
            return former.space.id

        busy = "the former space kept missing writes. Look at the log for why, and try again."
        return await optimistically(attempt, busy, attempts=_ATTEMPTS)

    async def drop_old(self, principal: Principal) -> str:
        """Delete the former space; return its id. After that there is no way back but another move."""
        record = await self._claim_record(principal.organization)
        if record.dropping is None:
            if record.former is None:
                raise Refused("there is no former space.")
            less = replace(record, former=None, dropping=record.former, gaps=False)
            await self._change(principal, record, less, "space.dropped", of=record.former.choice.name)
        return await self._drop(principal)

    async def _begin(self, principal: Principal, to: EmbedderChoice) -> SpaceRecord:
        """Put the space of a model on record beside the current one, unless it is there."""
        organization = principal.organization
        record = await self._spaces.claim(organization)
        if record.dropping:
            await self._drop(principal)
            record = await self._claim_record(organization)
        if record.following and record.following.choice.name == to.name:
            return record
        if record.following:
            name = record.following.choice.name
            raise Refused(
                f"--to: the move to {name} is not complete. Complete it with `interlayer reembed --to {name}` or give "
                "it up with `interlayer reembed --rollback` first."
            )
        if record.current.choice.name == to.name:
            return record
        if record.former:
            raise Refused(
                f"--to: the space before the present one, of {record.former.choice.name}, is still kept. Go back to it "
                "with `interlayer reembed --rollback`, or delete it with `interlayer reembed --drop-old` first."
            )
        entry = await self._spaces.entry(to)
        return await self._change(principal, record, replace(record, following=entry), "space.build_begun", to=to.name)

    async def _without_gaps(self, principal: Principal, record: SpaceRecord) -> SpaceRecord:
        """Take the note off that writes were missed, before they are filled in: whoever misses one later notes it."""
        return await self._change(principal, record, replace(record, gaps=False), None) if record.gaps else record

    async def _verify(self, organization: str, record: SpaceRecord, wanted: SpaceEntry) -> Verified:
        """Compare a space with the log. A fact is missing while it is on its way, or merged while the log is read."""
        await self._projector.drain(organization)
        return await verify(
            self._filler,
            self._projector,
            organization,
            self._spaces.active(wanted),
            self._spaces.active(record.current),
        )

    async def _drop(self, principal: Principal) -> str:
        """Delete the space that is on record for that, when no call can be in it any more."""
        record = await self._claim_record(principal.organization)
        if record.dropping is None:
            raise Refused("there is no former space.")
        await anyio.sleep(_LEFT_S)
        await self._spaces.index(record.dropping.space).drop(principal.organization)
        dropped = record.dropping.space.id

        async def attempt() -> str:
            record = await self._claim_record(principal.organization)
            if record.dropping:
                await self._change(principal, record, replace(record, dropping=None), None)
            return dropped

        return await optimistically(attempt, f"{dropped} is deleted, and still on record. Run the same command again.")

    def _flip(self, record: SpaceRecord, wanted: SpaceEntry) -> SpaceRecord:
        return replace(record, current=wanted, following=None, former=record.current, moved_at=timestamp(self._clock()))

    async def _claim_record(self, organization: str) -> SpaceRecord:
        return await self._spaces.claim(organization)

    async def _change(
        self, principal: Principal, record: SpaceRecord, changed: SpaceRecord, event: str | None, **detail: Any
    ) -> SpaceRecord:
        """Write a record in place of the one that was read, with its event. Raises `VersionConflict`."""
        put = self._spaces.put(principal.organization, changed)
        if event:
            what = Event(event, changed.current.space.id, {"from": record.current.space.id, **detail})
            await self._trail.commit(principal, what, [put])
        else:
            await self._spaces.write(put)
        return await self._claim_record(principal.organization)
