"""What a date means: it begins with its first moment in the organization's time zone and, as an end, is included whole.

A date and time is taken as it is written; without an offset it is in that zone too.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo


def begins(given: date | datetime, zone: tzinfo) -> datetime:
    """Return the instant with which a date begins, or the one that is given."""
    if isinstance(given, datetime):
        return given if given.tzinfo else given.replace(tzinfo=zone)
    return datetime(given.year, given.month, given.day, tzinfo=zone)


def ends(given: date | datetime, zone: tzinfo) -> datetime:
    """Return the first instant after a date, or the one that is given."""
    if isinstance(given, datetime):
        return begins(given, zone)
    # An end on the last day that there is stands for no end, one day earlier.
    return begins(given + timedelta(days=1) if given < date.max else given, zone)


def last_said(end: datetime) -> str:
    """Return an exclusive end as people say it: the last day that it includes, or the minute and its zone."""
    if (end.hour, end.minute, end.second, end.microsecond) == (0, 0, 0, 0) and end.date() > date.min:
        return f"{end.date() - timedelta(days=1)}{_zone(end)}"
    return _minute(end)


def first_said(start: datetime) -> str:
    """Return a beginning as people say it: its day, or the minute and its zone."""
    if (start.hour, start.minute, start.second, start.microsecond) == (0, 0, 0, 0):
        return f"{start.date()}{_zone(start)}"
    return _minute(start)


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}{_zone(instant) or ' UTC'}"


def _zone(instant: datetime) -> str:
    """Return the zone with a blank before it, nothing for UTC."""
    return "" if instant.tzinfo in (None, UTC) or not instant.utcoffset() else f" ({instant.tzinfo})"
