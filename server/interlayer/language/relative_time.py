"""Relative time in plain words, and the absolute time put behind it: "next quarter" becomes "next quarter (2026-Q3)".

Only what is certain is resolved. "Recently", "the last year" (a window as often as a calendar year) and weekdays
without a direction are left alone. Weeks begin on Monday, quarters are those of the calendar. Of other languages than
English days, periods and distances are known, "gestern", "le mois dernier", "hace 3 días".
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

from interlayer.language.dates import MONTH, RELATIVE_DAYS, SHIFTS, UNITS, WEEKDAYS
from interlayer.language.lexicon.reader import entries, figures, forms, meanings, pattern, words_by_language
from interlayer.language.quantities.numerals import WORDED, numerals
from interlayer.language.sieve import sieve

_DAY: Final = pattern(WEEKDAYS)
_PERIOD: Final = pattern({*UNITS.values()} - {"day"})
_COUNT: Final = rf"(?:\d{{1,3}}|an?|a couple of|{WORDED})"
_UNIT: Final = f"(?:{pattern(UNITS)})"
_SAID_UNITS: Final = meanings("units_behind_counts")
_SAID_COUNTS: Final = {**figures("counts"), **figures("articles_as_counts")}
_SAID_COUNT: Final = rf"(?:\d{{1,3}}|{pattern(_SAID_COUNTS)}|{WORDED})"
_SAID_UNIT: Final = f"(?:{pattern(_SAID_UNITS)})"
_SAID_PAST: Final = pattern(forms("words_before_past_distances"))
_SAID_COMING: Final = pattern(forms("words_before_coming_distances"))
_NAMED_BY_THE: Final = pattern(SHIFTS.keys() - {"last", "next"})  # "the last year" is a window as often as a year
_PHRASES: Final = meanings("relative_periods")
_BEFORE_MORNING: Final = re.compile(rf"(?i)\b(?:{pattern(forms('words_before_morning'))})\s$")
_TOMORROW_OR_MORNING: Final = frozenset({"morgen", "mañana"})
# "hier" is yesterday in French, and here in German and Dutch: the words around it tell.
_YESTERDAY_OR_HERE: Final = "hier"
_FUNCTION_WORDS: Final = words_by_language("function_words")
_WORD: Final = re.compile(r"[^\W\d_]+")
_SHORT_UNITS: Final = {entry.meaning: entry.forms[0] for entry in entries("calendar_units")}

_RELATIVE: Final = re.compile(
    r"(?i)(?<![\w/@.#&-])(?:"
    rf"(?P<word>(?:the (?=day))?(?:{pattern(RELATIVE_DAYS)}))"
    rf"|(?P<phrase>{pattern(_PHRASES)})"
    rf"|(?:on |by |before |until )?(?P<day_of>{_DAY}) (?P<of_week>next|this|last) week"
    rf"|(?P<which_day>last|this|next|this coming|this past) (?P<named>{_DAY})"
    rf"|(?:by|before|until|till|due|due on|no later than)(?: on)? (?P<deadline>{_DAY})"
    r"|(?:the )?(?P<edge>end|start|beginning) of (?:the )?(?:(?P<edge_of>this|next|last|current) )?"
    rf"(?P<edge_unit>{_PERIOD})"
    rf"|by (?:the )?end of (?:the |this )?(?P<end_of_day>day)"
    rf"|(?P<period>(?<!the )(?<!over )(?:last|next)|(?:the )?(?:{_NAMED_BY_THE})) "
    rf"(?P<unit>weekend|{_PERIOD})"
    rf"|in (?P<ahead>{_COUNT}) (?P<ahead_unit>{_UNIT})(?:['’] time)?"
    rf"|(?P<from_now>{_COUNT}) (?P<from_unit>{_UNIT}) from (?:now|today)"
    rf"|(?P<back>{_COUNT}) (?P<back_unit>{_UNIT}) ago"
    # "Il y a 30 jours de congé" is how many there are, and "hace 3 días que ..." is how long it has been so.
    rf"|(?:{_SAID_PAST}) (?P<past>{_SAID_COUNT}) (?P<past_unit>{_SAID_UNIT})(?! que\b| de\b| d['’])"
    rf"|(?:{_SAID_COMING}) (?P<coming>{_SAID_COUNT}) (?P<coming_unit>{_SAID_UNIT})(?! de\b| d['’])"
    r")(?:['’]s)?(?![\w-])(?![.@]\w)(?! of\b)"
)
_MAY_BE_RELATIVE: Final = sieve(_RELATIVE.pattern)
_SHORT: Final = re.compile(rf"(?<![\w/@.#&-])EO(?P<short>[{''.join(_SHORT_UNITS)}])(?![\w-])")
# What already stands behind: a date in brackets, a year, a month, a quarter.
_DATED_AFTER: Final = re.compile(
    r"(?i)\s?\(\d{4}|[\s,(–—-]{1,3}(?:on |the )?(?:\d{4}\b|\d{1,2}[./]\d|q[1-4]\b"
    rf"|(?:\d{{1,2}}(?:st|nd|rd|th|\.)? )?{MONTH} ?\d)"
)
_DATED_BEFORE: Final = re.compile(r"(?:\d{4}-\d{2}-\d{2}|\b\d{4}|Q[1-4])\s?[,(]\s?$")
_SENTENCE_START: Final = ".!?:;\"'“‘(-•*|\n"


def anchor(text: str, instant: datetime) -> str:
    """Return the text with each relative time followed by what it means at an instant, in parentheses.

    An anchored text is returned as it is, and so is one that has no relative time.
    """
    today = instant.date()
    if _MAY_BE_RELATIVE(text):
        text = _RELATIVE.sub(lambda match: _with_time(match, _resolve, today), text)
    return _SHORT.sub(lambda match: _with_time(match, _resolve_short, today), text)


def _with_time(match: "re.Match[str]", resolve: "Callable[[re.Match[str], date], str]", today: date) -> str:
    before = match.string[max(match.start() - 16, 0) : match.start()]
    dated = _DATED_AFTER.match(match.string, match.end()) or _DATED_BEFORE.search(before)
    if dated or _is_name(before, match[0]) or _means_another(match, before):
        return match[0]
    try:
        return f"{match[0]} ({resolve(match, today)})"
    except (OverflowError, ValueError):  # before the year 1 or after 9999
        return match[0]


def _means_another(match: "re.Match[str]", before: str) -> bool:
    """Whether a word that is a day in one place is none in this one: the morning, or here."""
    word = match[0].casefold()
    if word == _YESTERDAY_OR_HERE:
        said = {one.casefold() for one in _WORD.findall(match.string)}
        germanic = max(len(said & _FUNCTION_WORDS[language]) for language in ("de", "nl"))
        return len(said & _FUNCTION_WORDS["fr"]) <= germanic
    return word in _TOMORROW_OR_MORNING and bool(_BEFORE_MORNING.search(before))


def _is_name(before: str, found: str) -> bool:
    """Whether a capital inside a sentence tells that this is a name: "USA Today"."""
    opens = not before.strip() or before.rstrip(" ")[-1] in _SENTENCE_START
    return found[0].isupper() and found[1].islower() and not opens


def _resolve(match: "re.Match[str]", today: date) -> str:
    for group, resolve in _RESOLVERS.items():
        if match[group]:
            return resolve(match, today)
    raise ValueError(match[0])


def _resolve_short(match: "re.Match[str]", today: date) -> str:
    return _edge("end", _SHORT_UNITS[match["short"]], today).isoformat()


def _of_word(match: "re.Match[str]", today: date) -> str:
    return _plus(today, RELATIVE_DAYS[" ".join(match["word"].lower().removeprefix("the ").split())]).isoformat()


def _of_day_of_week(match: "re.Match[str]", today: date) -> str:
    monday = _plus(_monday(today), 7 * SHIFTS[match["of_week"].lower()])
    return _plus(monday, WEEKDAYS[match["day_of"].lower()]).isoformat()


def _of_named_day(match: "re.Match[str]", today: date) -> str:
    which, number = match["which_day"].lower(), WEEKDAYS[match["named"].lower()]
    if which in {"last", "this past"}:
        return _plus(today, -((today.weekday() - number - 1) % 7) - 1).isoformat()
    if which == "next":  # of the next week
        return _plus(_monday(today), number + 7).isoformat()
    return _plus(today, (number - today.weekday()) % 7).isoformat()


def _of_deadline(match: "re.Match[str]", today: date) -> str:
    return _plus(today, (WEEKDAYS[match["deadline"].lower()] - today.weekday()) % 7).isoformat()


def _of_edge(match: "re.Match[str]", today: date) -> str:
    unit = match["edge_unit"].lower()
    moved = _move(today, unit, SHIFTS[(match["edge_of"] or "this").lower()])
    return _edge(match["edge"].lower(), unit, moved).isoformat()


def _of_period(match: "re.Match[str]", today: date) -> str:
    unit = match["unit"].lower()
    which = match["period"].lower().removeprefix("the ")
    moved = _move(today, "week" if unit == "weekend" else unit, SHIFTS[which])
    if unit == "weekend":
        saturday = _plus(_monday(moved), 5)
        return f"{saturday.isoformat()} to {_plus(saturday, 1).isoformat()}"
    return _name(moved, unit)


def _of_phrase(match: "re.Match[str]", today: date) -> str:
    unit, _, shift = _PHRASES[" ".join(match["phrase"].casefold().split())].partition(" ")
    return _name(_move(today, unit, int(shift)), unit)


def _of_distance(count: str, unit: str, direction: int, today: date) -> str:
    number = _count(count.casefold())
    unit = UNITS.get(unit.casefold()) or _SAID_UNITS[unit.casefold()]
    moved = _move(today, unit, direction * number)
    return moved.isoformat() if unit in {"day", "week"} else _name(moved, unit)


def _count(count: str) -> int:
    if count.isdigit() or count in {"a", "an", "a couple of"}:
        return int(count) if count.isdigit() else 2 if count.endswith("of") else 1
    return int(_SAID_COUNTS.get(count) or sum(one.value for one in numerals(count)))


def _name(day: date, unit: str) -> str:
    """Return the name of the period that a day lies in."""
    if unit == "week":
        return f"{_monday(day).isoformat()} to {_plus(_monday(day), 6).isoformat()}"
    if unit == "month":
        return f"{day.year:04d}-{day.month:02d}"
    return f"{day.year:04d}" + (f"-Q{(day.month + 2) // 3}" if unit == "quarter" else "")


def _edge(edge: str, unit: str, day: date) -> date:
    """Return the first or last day of a period; a week ends on Friday, as people at work mean it."""
    if unit == "day":
        return day
    if unit == "week":
        return _plus(_monday(day), 4 if edge == "end" else 0)
    first = date(day.year, {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[unit], 1)
    return _plus(_move(first, unit, 1), -1) if edge == "end" else first


def _move(day: date, unit: str, count: int) -> date:
    """Return the day that many units later; months and longer lead to the first of the month."""
    if unit in {"day", "week"}:
        return _plus(day, count * (7 if unit == "week" else 1))
    if count == 0:
        return day
    months = day.year * 12 + day.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[unit]
    return date(months // 12, months % 12 + 1, 1)


def _plus(day: date, days: int) -> date:
    return day + timedelta(days=days)


def _monday(day: date) -> date:
    return _plus(day, -day.weekday())


_RESOLVERS: Final[dict[str, Callable[["re.Match[str]", date], str]]] = {
    "word": _of_word,
    "day_of": _of_day_of_week,
    "which_day": _of_named_day,
    "deadline": _of_deadline,
    "edge": _of_edge,
    "end_of_day": lambda _, today: today.isoformat(),
    "period": _of_period,
    "phrase": _of_phrase,
    "ahead": lambda match, today: _of_distance(match["ahead"], match["ahead_unit"], 1, today),
    "from_now": lambda match, today: _of_distance(match["from_now"], match["from_unit"], 1, today),
    "past": lambda match, today: _of_distance(match["past"], match["past_unit"], -1, today),
    "coming": lambda match, today: _of_distance(match["coming"], match["coming_unit"], 1, today),
    "back": lambda match, today: _of_distance(match["back"], match["back_unit"], -1, today),
}
