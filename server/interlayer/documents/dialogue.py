"""Who speaks, and when: turns of transcripts, messages of chats, entries of a log, and the date of a document."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from interlayer.documents.lines import BULLET, HEADING, Line, word_count, written
from interlayer.documents.times import read_clock, read_time
from interlayer.language.dates import MONTH
from interlayer.language.lexicon.reader import forms, pattern, words

_DAY: Final = rf"(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}|\d{{1,2}}\.? (?i:{MONTH}) \d{{4}})"
_CLOCK: Final = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?"
_STAMP: Final = rf"(?:(?P<day>{_DAY})(?:,?[ T]+(?P<clock>{_CLOCK})(?:Z|\s?UTC)?)?|(?P<only>{_CLOCK}))"
_WHO: Final = r"(?P<who>@?[^\W\d_][^:\[\]\n|]{0,39}?)"
# "[09:15] ann: ...", "08/01/2026, 09:15 - Ann: ...", with the arrow of an answer before or behind the stamp.
_STAMPED: Final = re.compile(rf"[\s↳>*-]*\[?{_STAMP}\]?\s*[-–—|]?[\s↳*]*{_WHO}\*{{0,2}}:\*{{0,2}}\s+(?=\S)")
# "Ann (09:15): ...", "Ann [2026-01-08 09:15] ...", "Ann  9:15 AM".
_TIMED: Final = rf"(?:(?P<day>{_DAY}),?[ T]+)?(?P<clock>{_CLOCK})"
_STAMPED_BEHIND: Final = re.compile(
    rf"\s*\**{_WHO}\**\s*(?:[\[(]{_TIMED}[\])]\s*:?\s*|\s{_TIMED.replace('?P<', '?P<l')}$)"
)
# A line between dashes that holds a date parts what is said then from what stands above.
_DIVIDER: Final = re.compile(r"\s*(?:[-=*_#]\s?){2,}(?P<said>.*\d.*?)(?:\s?[-=*_#]){2,}\s*$")
_SPOKEN: Final = re.compile(r"\s*\**(?P<who>@?[^\W\d_][^:\[\]\n|*]{0,39}?)\**\s?:\**\s+(?=\S)")
# "2026-01-08 | Call | ...", "2026-01-08 09:15 NOTE ...".
_ENTRY: Final = re.compile(rf"[\s*•-]{{0,4}}\[?{_STAMP}\]?\s*(?:[|:–—\t]|-\s|(?<=\d )(?=[A-Z_]{{3,}}\s))")
_NAME: Final = re.compile(r"@?[\w.'’-]+(?: [^\W\d_][\w.'’-]*){0,3}(?: ?\([^()]{1,30}\))?")
_PERSONAL: Final = re.compile(
    rf"(?i)[!?]|\b(?:{pattern(forms('first_and_second_person_pronouns'))}|i'm|we're|ich|wir|sie|je|nous|vous|yo|nosotros)\b"
)
_DATE_LABEL: Final = re.compile(rf"(?i)[\s*_#-]*(?:{pattern(forms('date_labels'))})[*_]*\s?:[*_]*\s*(?P<value>\S.*)$")
_NO_NAMES: Final = words("field_labels")
_TITLE_WORDS: Final = 14
_DIVIDER_MAX: Final = 160


def mark_dates(lines: Sequence[Line], latest: datetime) -> None:
    """Note on the lines of a text when they were written, as far as a line above, or their own beginning, says so.

    A date after `latest` is not when anything was written.
    """
    current = _title_date(lines, latest)
    for line in lines:
        if line.kind is None:
            labelled = _DATE_LABEL.match(line.text)
            divided = _DIVIDER.match(line.text) if len(line.text) <= _DIVIDER_MAX and not labelled else None
            stated = labelled["value"] if labelled else divided["said"] if divided else ""
            if stated and (read := read_time(stated)) and read <= latest:
                current, line.kind = read, "header" if labelled else "furniture"
            entry = _ENTRY.match(line.text)
            if entry and entry["day"] and (read := read_time(entry[0])) and read <= latest:
                line.written_at, line.opens = read, True
                continue
        line.written_at = line.written_at or current


def _title_date(lines: Sequence[Line], latest: datetime) -> datetime | None:
    """Return the date in the title of a text: "Minutes of 3 March 2026"."""
    first = next(written(lines), None)
    if first is None or word_count(first.text) > _TITLE_WORDS or first.text.endswith((".", "!", "?", ";", ",")):
        return None
    if _ENTRY.match(first.text) or not (HEADING.match(first.text) or len(lines) > 1):
        return None
    read = read_time(first.text)
    return read if read and read <= latest else None


def mark_turns(lines: Sequence[Line], latest: datetime) -> int:
    """Note on the lines of a text who speaks in them; return how many turns there are."""
    turns = _stamped_turns(lines) or _spoken_turns(lines)
    speaker, written_at = "", None
    for number, line in enumerate(lines):
        if line.kind or HEADING.match(line.text):
            speaker = ""
            continue
        turn = turns.get(number)
        if turn:
            speaker, line.body, line.opens = turn["who"].strip(" *"), turn.end(), True
            written_at = _time_of(turn, line.written_at, latest)
        if speaker:
            line.speaker, line.written_at = speaker, written_at or line.written_at
    return len(turns)


def _stamped_turns(lines: Sequence[Line]) -> dict[int, "re.Match[str]"]:
    found: dict[int, re.Match[str]] = {}
    for number, line in enumerate(lines):
        if line.kind is None:
            match = _STAMPED.match(line.text)
            behind = None if match else _STAMPED_BEHIND.match(line.text)
            if match and word_count(match["who"]) <= 4:
                found[number] = match
            elif behind and (_is_name(behind["who"]) or behind["who"].islower()):
                found[number] = behind
    return found


def _spoken_turns(lines: Sequence[Line]) -> dict[int, "re.Match[str]"]:
    """Return the turns of a transcript without times: names before a colon that come again, or that talk."""
    found = {
        number: match
        for number, line in enumerate(lines)
        if line.kind is None and (match := _SPOKEN.match(line.text)) and _is_name(match["who"])
    }
    said = Counter(match["who"] for match in found.values())
    talking = sum(bool(_PERSONAL.search(lines[number].text, match.end())) for number, match in found.items())
    is_talk = talking * 2 >= len(found)
    if len(said) > 1 and (len(found) > len(said) or (len(said) <= 3 and is_talk)) and talking * 4 >= len(found):
        return found
    only = next(written(lines), None)
    alone = len(found) == 1 and only is lines[next(iter(found))] and is_talk
    return found if alone or (len(said) == 1 and len(found) > 1 and is_talk) else {}


def _is_name(who: str) -> bool:
    """Whether what stands before a colon may be whoever speaks: a handle, or words with capitals that label nothing."""
    if not _NAME.fullmatch(who) or BULLET.match(who):
        return False
    said = who.casefold().split()
    if who.casefold() in _NO_NAMES or any(word.strip("()") in _NO_NAMES for word in said):
        return False
    return who.startswith("@") or all(not word[0].islower() for word in who.replace("(", "").split()) or "." in who


def _time_of(turn: "re.Match[str]", day: datetime | None, latest: datetime) -> datetime | None:
    """Return when a turn was said: its own date, or its time of day on the date of the document."""
    groups = turn.groupdict()
    own = groups.get("day") or groups.get("lday")
    clock = read_clock(groups.get("clock") or groups.get("only") or groups.get("lclock") or groups.get("lonly") or "")
    at = read_time(own) if own else day
    if at is None:
        return None
    if clock:
        at = at.replace(hour=clock.hour, minute=clock.minute)
    return at if at <= latest else day
