"""Identifiers and instants: short, sortable by time, made from a clock and randomness that are passed in."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from interlayer.errors import InvalidInput

Clock = Callable[[], datetime]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no letter that reads as a digit
_TIME_BITS, _RANDOM_BITS = 45, 35


def system_clock() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def new_id(prefix: str, now: datetime, random_bits: Callable[[int], int] = secrets.randbits) -> str:
    """Return `prefix_` and 16 characters: 45 bits of milliseconds since 1970, then 35 random bits.

    Ids made by one process later in time sort later. Two made in the same millisecond collide with
    probability 2**-35; every id is written "if absent", so a collision is a conflict and never an overwrite.
    """
    number = (int(now.timestamp() * 1000) << _RANDOM_BITS) | random_bits(_RANDOM_BITS)
    digits = [_ALPHABET[(number >> shift) & 31] for shift in range(_TIME_BITS + _RANDOM_BITS - 5, -1, -5)]
    return f"{prefix}_{''.join(digits)}"


def first_id(prefix: str, instant: datetime) -> str:
    """Return the id that sorts before or at every id made at that instant or later, and after all earlier ones."""
    return new_id(prefix, instant, lambda _: 0)


def instant_of(id_: str) -> datetime:
    """Return when an id was made, to the millisecond. Raises `ValueError` for what is no id of ours."""
    digits = id_.rpartition("_")[2].partition("-")[0]  # parts of one memory have numbers
    if len(digits) != (_TIME_BITS + _RANDOM_BITS) // 5:
        raise ValueError(f"{id_[:40]!r} is no id")
    number = 0
    for digit in digits:
        number = number << 5 | _ALPHABET.index(digit)
    try:
        return datetime.fromtimestamp((number >> _RANDOM_BITS) / 1_000, UTC)
    except OverflowError as error:
        raise ValueError(f"{id_[:40]!r} is no id") from error


def timestamp(instant: datetime) -> str:
    """Return the instant as ISO 8601 in UTC with microseconds and `Z`: strings that sort like the instants."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_instant(text: str, field: str) -> datetime:
    """Return the instant of an ISO 8601 date or time; without an offset it is UTC. Raises `InvalidInput`.

    It keeps the offset, so that its day is the one where it was observed.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
        instant.astimezone(UTC)  # what cannot be told in UTC cannot be kept
        return instant
    except (ValueError, OverflowError) as error:
        remedy = "Write ISO 8601, such as 2026-03-31 or 2026-03-31T09:30:00Z."
        raise InvalidInput(field, f"{text[:40]!r} is no date.", remedy) from error
