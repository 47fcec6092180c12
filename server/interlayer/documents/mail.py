"""Mails in a pasted text: their heads, what they quote, what they forward, and who has signed them.

The heads stand in any of the languages of the word lists, alone or above one another in a thread. What a mail quotes is
older than the mail; what is forwarded, or stands in a thread between rules, is said anew.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import getaddresses
from typing import Final

from interlayer.documents.document import Kind, Participant
from interlayer.documents.kinds import is_closing, is_disclaimer, is_greeting
from interlayer.documents.lines import RULE, Line, word_count, written
from interlayer.documents.times import read_time
from interlayer.language.lexicon.reader import forms, meanings, pattern

_ROLES: Final = meanings("mail_headers")
_HEADER: Final = re.compile(rf"(?i)[\s>*_]*(?P<key>{pattern(_ROLES)})[*_]*\s?:[*_]*\s*(?P<value>.*)$")
_MARK: Final = re.compile(r"[\s>*_=-]*(?P<said>[^*_=]{4,60}?)[\s:*_=-]*$")
_FORWARDED: Final = re.compile(rf"(?i)(?:{pattern(forms('forward_marks'))})\b")
_ORIGINAL: Final = re.compile(rf"(?i)(?:{pattern(forms('original_marks'))})\b")
_FORWARD_SUBJECT: Final = re.compile(rf"(?i)\s*(?:{pattern(forms('forward_subjects'))})\s?:")
_WROTE: Final = re.compile(rf"(?i)\b(?:{pattern(forms('quote_verbs'))})\b")
_QUOTE: Final = re.compile(r"\s*>")
_DELIMITER: Final = re.compile(r"\s*(?:--|_{20,})\s*$")
_DASHED_NAME: Final = re.compile(r"\s*[-–—~][^\W\d_a-z]\w+(?: [^\W\d_a-z][\w.'’-]*){0,2}$")
_IN_BRACKETS: Final = re.compile(r"\(([^()\s@]+@[^()\s@]+)\)")
_MARK_MAX: Final = 200
_SIGNATURE_WORDS: Final = 9
_SIGNATURE_LINES: Final = 15
_REACH: Final = 60  # lines below that are looked at, blank ones among them


@dataclass(slots=True)
class _Head:
    """The head of a mail: the lines [first, last) and what they say."""

    first: int
    last: int
    roles: dict[str, str]

    @property
    def sent_at(self) -> datetime | None:
        """When the mail was sent, as far as that can be read."""
        return read_time(self.roles.get("date", ""))

    @property
    def people(self) -> Iterator[Participant]:
        """Whom it names."""
        for role in ("from", "to"):
            for name, address in getaddresses([_IN_BRACKETS.sub(r"<\1>", self.roles.get(role, ""))]):
                if name or address:
                    yield Participant(name.strip(" *"), address if "@" in address else "", role)


def mark_mails(lines: Sequence[Line], latest: datetime) -> list[Participant]:
    """Note heads, quotations and signatures on the lines of a text; return whom the heads name.

    A date after `latest` is not when a mail was sent.
    """
    for line in lines:
        if _QUOTE.match(line.text):
            line.kind = "quoted"
        elif is_greeting(line.text.strip()):
            line.kind = "greeting"
    heads = list(_heads(lines))
    people = [person for head in heads for person in head.people]
    for number, head in enumerate(heads):
        end = heads[number + 1].first if number + 1 < len(heads) else len(lines)
        outer = heads[number - 1] if number else None
        is_quoted = _is_quotation(lines, head, outer)
        _mark(lines[head.first : head.last], "quoted" if is_quoted else "header")
        if is_quoted:
            _mark(lines[head.last : end], "quoted")
            continue
        sender = next(iter(head.people), None)
        sent_at = head.sent_at
        for line in lines[head.first : end]:
            line.writer = (sender.address or sender.name) if sender and sender.role == "from" else ""
            line.written_at = sent_at if sent_at and sent_at <= latest else None
        _mark_reply(lines[head.last : end])
        _sign(lines[head.last : end], names_of(sender))
    before = lines[: heads[0].first] if heads else lines
    _mark_reply(before)
    _sign(before, ())
    return list(dict.fromkeys(people))


def names_of(sender: Participant | None) -> tuple[str, ...]:
    """Return how somebody may sign: the whole name, then its parts."""
    if sender is None or not sender.name:
        return ()
    parts = sender.name.replace(",", " ").split()
    return tuple(dict.fromkeys([sender.name, *(part for part in (parts[0], parts[-1]) if len(part) > 1)]))


def _heads(lines: Sequence[Line]) -> Iterator[_Head]:
    first = next((number for number, line in enumerate(lines) if not line.is_blank), 0)
    at = 0
    while at < len(lines):
        roles, last = _roles_from(lines, at)
        opens = at == first or bool(RULE.match(lines[at - 1].text))
        if roles and _is_head(roles, last - at, opens=opens):
            yield _Head(at, last, roles)
        at = max(last, at + 1)


def _roles_from(lines: Sequence[Line], first: int) -> tuple[dict[str, str], int]:
    """Read the lines of a head from one on: what they say, and where they end."""
    roles: dict[str, str] = {}
    at = first
    while at < len(lines) and at - first < 60:
        found = _HEADER.match(lines[at].text)
        if found and found["key"][0].isupper() and lines[at].kind is None:
            role = _ROLES[" ".join(found["key"].casefold().split())]
            roles[role] = f"{roles[role]}, {found['value']}" if role in roles else found["value"].strip()
        elif not roles or not lines[at].text[:1].isspace() or lines[at].is_blank:
            break
        at += 1
    return roles, at


def _is_head(roles: dict[str, str], count: int, *, opens: bool) -> bool:
    """Whether lines are a head: they name a sender, or open the text or a part of it with a subject."""
    sender = roles.get("from", "")
    if "@" in sender:
        return True
    if count > 1 and sender and ({"subject", "to", "date"} & roles.keys()) and not sender[:1].isdigit():
        return True
    return opens and "subject" in roles and (count > 1 or "@" in "".join(roles.values()))


def _is_quotation(lines: Sequence[Line], head: _Head, outer: _Head | None) -> bool:
    """Whether the mail of a head is quoted by the one around it, and neither part of a thread nor forwarded."""
    told = _told_by(next(iter([*written(lines[max(head.first - 3, 0) : head.first])][-1:]), None))
    if told is not None:
        return told
    if outer is None:
        return any(line.kind is None for line in written(lines[: head.first])) and not _is_forward(lines, head)
    if _FORWARD_SUBJECT.match(outer.roles.get("subject", "")):
        return False
    inner_time, outer_time = head.sent_at, outer.sent_at
    return not (inner_time and outer_time) or inner_time.date() <= outer_time.date()


def _told_by(above: Line | None) -> bool | None:
    """Return whether the line above a head says that its mail is quoted; None where it says nothing of it."""
    said = _MARK.match(above.text) if above and len(above.text) <= _MARK_MAX else None
    if above and said and _FORWARDED.match(said["said"]):
        above.kind = "header"
        return False
    if above and said and _ORIGINAL.match(said["said"]):
        above.kind = "quoted"
        return True
    return False if above and RULE.match(above.text) and len(above.text.strip()) < 20 else None


def _is_forward(lines: Sequence[Line], head: _Head) -> bool:
    """Whether little stands above the only head of a text: a word to whoever it was forwarded to."""
    return word_count(" ".join(line.text for line in lines[: head.first])) <= 30


def _mark(lines: Sequence[Line], kind: Kind) -> None:
    for line in lines:
        line.kind = line.kind or kind


def _mark_reply(lines: Sequence[Line]) -> None:
    """Mark "On Monday Ann wrote:" and, if nothing below it is marked as quoted, all that stands below it."""
    for at, line in enumerate(lines):
        if line.kind or line.is_blank or len(line.text) > _MARK_MAX or not line.text.rstrip().endswith(":"):
            continue
        said = _MARK.match(line.text)
        is_mark = bool(said and _ORIGINAL.match(said["said"]))
        below = next((lines[under] for under in range(at + 1, len(lines)) if not lines[under].is_blank), None)
        is_quoted = below is not None and below.kind == "quoted"
        if not is_mark and not (_WROTE.search(line.text) and (is_quoted or any(map(str.isdigit, line.text)))):
            continue
        line.kind = "quoted"
        if not is_quoted:
            _mark(lines[at + 1 :], "quoted")


def _sign(lines: Sequence[Line], names: Sequence[str]) -> None:
    """Mark the signatures of a mail: from where it takes leave, as long as the lines are short."""
    own = [line for line in lines if line.kind is None]
    dashed = [line for line in own if _DASHED_NAME.match(line.text)]
    for at, line in enumerate(own):
        if line.is_blank or line.kind:
            continue
        is_name = _is_name_line(line.text, names) or [line] == dashed  # several are a list
        is_signed = bool(at and is_name and _is_last(own[at + 1 : at + _REACH]))
        if _DELIMITER.match(line.text) or is_closing(line.text) or is_signed:
            _mark_short(own[at : at + _REACH], _SIGNATURE_LINES)


def _is_name_line(text: str, names: Sequence[str]) -> bool:
    return any(text.strip(" *,.-–—").casefold() == name.casefold() for name in names)


def _is_last(lines: Sequence[Line]) -> bool:
    """Whether but short lines stand below."""
    below = [line for line in written(lines) if not is_disclaimer(line.text)][:_SIGNATURE_LINES]
    return all(word_count(line.text) <= _SIGNATURE_WORDS for line in below[:3])


def _mark_short(lines: Sequence[Line], most: int) -> None:
    marked, name = 0, ""
    for number, line in enumerate(lines):
        if line.is_blank:
            continue
        if number and (_is_sentence(line.text) or marked >= most or RULE.match(line.text)):
            return
        line.kind = "signature"
        line.writer = line.writer or name
        name = name or ("" if is_closing(line.text) or _DELIMITER.match(line.text) else line.text.strip(" *,"))
        marked += 1


def _is_sentence(text: str) -> bool:
    said = sum(any(map(str.isalpha, word)) for word in text.split())
    return said > _SIGNATURE_WORDS or (said > 3 and text.rstrip().endswith((".", "?", "!")) and "|" not in text)
