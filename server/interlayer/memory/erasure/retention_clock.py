"""Up to when retention may count: the clock of a machine may be wrong, and what is erased does not come back.

The store keeps up to when retention has counted. A clock that is behind that, or behind the newest event, is wrong.
One that is more than some days ahead may be wrong, or nobody was at work: a long weekend lies within the limit, a
holiday does not. Only its going on tells, so such a clock has to hold for a day, and then a week is made up; where that
is not enough it has to hold for another day. So a clock that is wrong for one start erases nothing, and one that stays
wrong for days erases, for each of them, at most what was due within a week. Whoever knows the clock to be right says
so, which is an event of the audit trail.

The newest event is no measure of how far to count: a wrong clock may have dated it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from interlayer.audit.trail import Event, Trail
from interlayer.errors import InvalidInput, Refused
from interlayer.ids import Clock, parse_instant, timestamp
from interlayer.memory.log import keys
from interlayer.principal import Principal
from interlayer.storage.items import ABSENT, ItemStore, Put
from interlayer.storage.optimistic import apply_if_unchanged, optimistically

TRUSTED: Final = "retention.clock_trusted"
"""Type of the event that records that somebody vouched for the clock."""

_SKEW: Final = timedelta(minutes=5)  # between the machines that share a store
_AHEAD: Final = timedelta(days=4)  # from Friday noon to Tuesday noon
_HELD: Final = timedelta(days=1)
_MADE_UP: Final = timedelta(days=7)


class ClockInDoubt(Refused):
    """The clock may be wrong, so that nothing may be erased by it; `behind` tells that it is wrong or was.

    One that is ahead may be right: nobody was at work for a while.
    """

    def __init__(self, message: str, *, behind: bool) -> None:
        super().__init__(message)
        self.behind = behind


@dataclass(frozen=True, slots=True)
class _Counted:
    """Up to when retention has counted; since when a clock that is far ahead of it has held, if one has."""

    until: datetime
    held_since: datetime | None = None


class RetentionClock:
    """Tells up to when retention may count, by a clock that may be wrong."""

    def __init__(self, store: ItemStore, trail: Trail, clock: Clock) -> None:
        self._store = store
        self._trail = trail
        self._clock = clock

    async def begin(self, organization: str) -> None:
        """Note that retention counts from the newest event on, or from now where there is none; idempotent.

        It comes before the first event that this process writes: by a wrong clock, that would be wrong as well.
        """
        stored, version = await self._stored(organization)
        if stored is None:
            put = Put(keys.retention(organization), _body(await self._beginning(organization)), version)
            await apply_if_unchanged(self._store, [put])  # where that fails, another process was first

    async def advance(self, organization: str) -> datetime:
        """Return up to when what was kept may be erased now. Raises `ClockInDoubt` with what is the matter."""

        async def attempt() -> tuple[_Counted, ClockInDoubt | None]:
            stored, version = await self._stored(organization)
            counted = stored or await self._beginning(organization)
            reached, doubt = _reach(counted, self._clock(), await self._newest(organization))
            if reached != stored:
                await self._store.transact([Put(keys.retention(organization), _body(reached), version)])
            return reached, doubt

        reached, doubt = await optimistically(attempt, "retention: others counted at the same time. Try again.")
        if doubt:
            raise doubt
        return reached.until

    async def doubt(self, organization: str) -> ClockInDoubt | None:
        """Return why the clock may be wrong, None if nothing speaks for it. Writes nothing."""
        stored, _ = await self._stored(organization)
        counted = stored or await self._beginning(organization)
        return _reach(counted, self._clock(), await self._newest(organization))[1]

    async def trust(self, principal: Principal) -> datetime:
        """Let retention count up to now, on the word of the principal; return that instant."""
        place = keys.retention(principal.organization)

        async def attempt() -> datetime:
            stored, version = await self._stored(principal.organization)
            now = self._clock()
            detail = {"from": timestamp(stored.until) if stored else None, "to": timestamp(now)}
            event = Event(TRUSTED, "retention", detail)
            await self._trail.commit(principal, event, [Put(place, _body(_Counted(now)), version)])
            return now

        return await optimistically(attempt, "retention: others counted at the same time. Try again.")

    async def _stored(self, organization: str) -> tuple[_Counted | None, int]:
        """Return the record, None if there is none that can be read, with its version."""
        item = await self._store.get(keys.retention(organization))
        return (_read(item.body), item.version) if item else (None, ABSENT)

    async def _beginning(self, organization: str) -> _Counted:
        now = self._clock()
        newest = await self._newest(organization)
        return _Counted(min(newest or now, now))

    async def _newest(self, organization: str) -> datetime | None:
        """Return when the last event was; None without one, or if somebody has made its time unreadable."""
        tail = await self._trail.tail(organization, 1)
        return _instant(tail[0].body.get("at")) if tail else None


def _reach(counted: _Counted, now: datetime, newest: datetime | None) -> tuple[_Counted, ClockInDoubt | None]:
    """Return how far retention may count, and why it may not go on, None if it may."""
    last = max(counted.until, newest or counted.until)
    if now < last - _SKEW:
        behind = (
            f"the clock shows {_minute(now)}, the newest record is of {_minute(last)}: retention waits and nothing is "
            "erased. Set the clock; if the clock is right and the record is not, `interlayer memory expire "
            "--trust-clock` goes on."
        )
        return counted, ClockInDoubt(behind, behind=True)
    ahead = now - counted.until
    if ahead <= _AHEAD:
        return _Counted(max(now, counted.until)), None
    far = (
        f"the clock shows {_minute(now)}, {ahead.days} days after retention last counted ({_minute(counted.until)}): "
        "retention waits and nothing is erased. If the clock is wrong, set it. If it is right, retention goes on by "
        "itself when the clock has held for a day, a week a day; `interlayer memory expire --trust-clock` makes up all "
        "at once."
    )
    if counted.held_since is None or now < counted.held_since:  # or the clock was set back since
        return replace(counted, held_since=now), ClockInDoubt(far, behind=False)
    if now - counted.held_since < _HELD:
        return counted, ClockInDoubt(far, behind=False)
    return _Counted(min(now, counted.until + _MADE_UP), held_since=now), None


def _body(counted: _Counted) -> dict[str, Any]:
    held = {"held_since": timestamp(counted.held_since)} if counted.held_since else {}
    return {"until": timestamp(counted.until), **held}


def _read(body: Mapping[str, Any]) -> _Counted | None:
    until = _instant(body.get("until"))
    return _Counted(until, _instant(body.get("held_since"))) if until else None


def _instant(value: Any) -> datetime | None:
    try:
        return parse_instant(value, "at") if isinstance(value, str) else None
    except InvalidInput:
        return None


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
