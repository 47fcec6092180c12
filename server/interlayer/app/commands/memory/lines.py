"""How answers stand on a page: lines that a terminal wraps at words, dates as people say them, values as they write."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from interlayer.ids import parse_instant, system_clock

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.memory.recall.answer import Withheld

HEADING: Final = "bold"
ASIDE: Final = "dim"
OLD: Final = "red"
NEW: Final = "green"
_WEEK: Final = 7
_MONTH: Final = 31
_YEAR: Final = 365
_VALUE_CHARACTERS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Dates:
    """Says when something was, in a time zone and as seen from now."""

    zone: tzinfo
    now: datetime

    def day(self, instant: str) -> str:
        """Return the day of a stored instant, such as `12 Nov 2026`. A midnight in UTC stands for a date."""
        at = self._local(instant)
        return f"{at.day} {at:%b %Y}"

    def passed(self, instant: str) -> str:
        """Return the day, and how long ago that is."""
        days = self._days_since(instant)
        return f"{self.day(instant)} ({_ago(days)})" if days else "today"

    def told(self, instant: str) -> str:
        """Return the day, and how long ago that is; of today the time."""
        at = self._local(instant)
        return self.passed(instant) if self._days_since(instant) or _is_date(at) else f"today {at:%H:%M}"

    def _days_since(self, instant: str) -> int:
        return (self.now.astimezone(self.zone).date() - self._local(instant).date()).days

    def _local(self, instant: str) -> datetime:
        at = parse_instant(instant, "time")
        return at if _is_date(at) else at.astimezone(self.zone)


def _is_date(at: datetime) -> bool:
    return at.utcoffset() == timedelta() and (at.hour, at.minute, at.second) == (0, 0, 0)


def _ago(days: int) -> str:
    if days < 0:
        return "tomorrow" if days == -1 else f"in {-days} days"
    for size, name in ((_YEAR, "year"), (_MONTH, "month"), (_WEEK, "week")):
        if days >= 2 * size or (days >= size and size == _YEAR):
            count = days // size
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "yesterday" if days == 1 else f"{days} days ago"


class Page:
    """Prints lines on standard output, or on standard error where the output is for programs."""

    def __init__(self, *, to_stderr: bool = False) -> None:
        self._console = Console(highlight=False, stderr=to_stderr)

    def say(self, *parts: str | tuple[str, str], indent: int = 0) -> None:
        """Print one line of texts, each plain or with a style."""
        text = Text.assemble(*parts)  # data is never markup
        if self._console.is_terminal:
            self._console.print(Padding(text, (0, 0, 0, indent)))
        else:
            self._console.print(Text(" " * indent) + text, soft_wrap=True)

    def space(self) -> None:
        """Leave a line free."""
        self._console.print()


def dates_of(parts: "Parts") -> Dates:
    """Return how whoever reads here is told dates: in the organization's time zone."""
    return Dates(parts.settings.time_zone, system_clock())


def print_notes(withheld: "Sequence[Withheld] | None", degraded: Sequence[str] | None) -> None:
    """Say on standard error what an answer could not hold, and why."""
    for one in withheld or ():
        click.echo(f"withheld: {one.name} ({one.why})", err=True)
    for note in degraded or ():
        click.echo(f"degraded: {note}", err=True)


def is_conversation() -> bool:
    """Tell whether a person sits there who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def value_of(value: Any) -> str:
    """Return a property's value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping) and {"amount", "currency"} <= value.keys():
        return f"{value['amount']:,} {value['currency']}"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_of, value))
    return str(value)


def short(text: str, most: int = _VALUE_CHARACTERS_MAX) -> str:
    """Return a text cut at a word to so many characters."""
    if len(text) <= most:
        return text
    return f"{text[:most].rsplit(' ', 1)[0]} …"


def joined(*parts: str) -> str:
    """Join what there is of some parts."""
    return " · ".join(part for part in parts if part)
