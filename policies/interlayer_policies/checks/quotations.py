"""What a draft says in the words of somebody else: quoted mail, quotation marks, and "you asked for ...".

A quotation is told by who is named as its speaker; marks of quotation alone make none, so that nobody hides an offer in
them. In doubt the writer says it himself.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final

from interlayer.language.lexicon.reader import forms, meanings, pattern
from interlayer_policies.checks.clauses import clauses
from interlayer_policies.checks.denials import is_negation
from interlayer_policies.checks.draft import Draft, Word
from interlayer_policies.checks.lexicon import Forms, listed

_EVER: Final = datetime.max.replace(tzinfo=UTC)
_MARKED: Final = re.compile(r"\"[^\"\n]{2,600}\"|(?<!\w)'(?=\S)[^\n]{2,400}?(?<=[\w.,!?])'(?!\w)")
_SAID_WITHIN: Final = 8  # words between whoever said something and the word for saying
_ATTRIBUTED_WITHIN: Final = 16  # words before a quotation in which its speaker stands
_BEHIND: Final = 4
_LOOKED_AT: Final = 40  # words of a clause on either side, so that time stays linear
_SPEAKERS_AT_LINES: Final = re.compile(r"(?m)^\W{0,3}([^\W\d_]+)(?: [^\W\d_]+)?\s?:\s")

_ABOUT: Final = frozenset({"for", "to", "regards", "regarding"})  # as for your request
WRITER: Final = frozenset(
    {"i", "we", "i've", "we've", "ich", "wir", "je", "nous", "io", "noi", "ik", "wij", "nosotros"}
)
"""Words by which the writer speaks of himself as who acts."""
_HIS: Final = frozenset({"our", "my", "us", "it", "this", "which", "that"})
_SUPPOSING: Final = frozenset(
    "if do does did would could can should may might will when wenn falls si se als quando indien quand".split()
)
_ALSO_OBJECTS: Final = frozenset({"nous", "noi"})

Place = tuple[int, int]


class _Words:
    """The lists that tell who says something, read at first use."""

    def __init__(self) -> None:
        self.others: Forms[str] = listed("other_parties")
        self.said: Forms[str] = listed("requests")
        self.accepted: Forms[str] = listed("accepted_words")
        self.participles: Forms[str] = listed("participles_of_asking")
        self.third: Forms[str] = listed("verbs_of_others")
        self.saying: Forms[str] = listed("verbs_of_saying")
        self.modal: Forms[str] = listed("modal_verbs")
        self.comparing: Forms[str] = listed("comparing_words")
        self.negations: Forms[str] = listed("negations", "negative_words")


def quoted(draft: Draft, first: int, last: int) -> bool:
    """Return whether the words [first, last) are said by somebody else than the writer."""
    start = draft.words[first].start
    places = draft.worked_out(_quoted_places)
    at = bisect_right(places, (start, len(draft.lower))) - 1
    if at >= 0 and start < places[at][1] and draft.words[last - 1].end <= places[at][1]:
        return True
    return _is_reported(draft, first)


def _quoted_places(draft: Draft) -> list[Place]:
    """Return the places, in order and apart, of quoted mail, of quotations and of what others say."""
    found: list[Place] = []
    for start, end in sorted([*_mail(draft.plain), *_marked(draft), *_lines_of_others(draft)]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


@cache
def _may_quote() -> "re.Pattern[str]":
    """Return the pattern of what only a mail has; without it a text is not read as one."""
    senders = [key for key, role in meanings("mail_headers").items() if role == "from"]
    return re.compile(
        rf"(?im)^\s*>|\b(?:{pattern(forms('quote_verbs'))})\b[^\n]{{0,80}}:\s*$"
        rf"|\b(?:{pattern(forms('original_marks'))})\b|^\W{{0,4}}(?:{pattern(senders)})\s?:"
    )


def _mail(text: str) -> Iterator[Place]:
    if not _may_quote().search(text):
        return
    from interlayer.documents.lines import lines_of  # a reader of mails, whose patterns are many
    from interlayer.documents.mail import mark_mails

    lines = lines_of(text)
    mark_mails(lines, _EVER)
    yield from ((line.start, line.end) for line in lines if line.kind == "quoted")


def _marked(draft: Draft) -> Iterator[Place]:
    """Yield the quotations in marks that somebody else is named as the speaker of."""
    for match in _MARKED.finditer(draft.lower):
        at, behind = draft.word_at(match.start()), draft.word_at(match.end())
        if at >= len(draft.words):
            continue
        parts = draft.worked_out(clauses)
        number = parts.of[at]
        begin = parts.all[parts.sentence(number)[0]].first
        before = draft.words[max(begin, at - _ATTRIBUTED_WITHIN) : at]
        after = draft.words[behind : behind + _BEHIND]
        if _names_speaker(before) or _names_speaker(after):
            yield match.span()


def _names_speaker(words: Sequence[Word]) -> bool:
    known = _lists()
    return known.others.found(words, 0, len(words)) and known.said.found(words, 0, len(words))


def _lines_of_others(draft: Draft) -> Iterator[Place]:
    """Yield the lines that a customer says in a record of a talk: "Customer: we need 30% off"."""
    for match in _SPEAKERS_AT_LINES.finditer(draft.lower):
        label = match[1]
        if _lists().others.one(label) and len(label) > 4:
            end = draft.lower.find("\n", match.end())
            yield match.start(), end if end >= 0 else len(draft.lower)


def _is_reported(draft: Draft, first: int) -> bool:
    """Whether a clause tells what somebody else asked for or said, and nothing grants it."""
    known, parts, words = _lists(), draft.worked_out(clauses), draft.words
    number = parts.of[first]
    clause = parts.all[number]
    begin, end = max(clause.first, first - _LOOKED_AT), min(clause.last, first + _LOOKED_AT)
    asked_behind = known.participles.one(words[end - 1].text) and known.others.found(words, begin, first)
    if not asked_behind and not _says(draft, begin, first):
        return False
    following = parts.all[min(number + 1, len(parts.all) - 1)]
    end = min(following.last if not following.begins else clause.last, first + _LOOKED_AT)
    granted = any(known.accepted.one(word.text) for word in words[first:end])
    answered = any(word.text[0].isdigit() for word in words[clause.last : end])
    return not granted or answered or any(is_negation(word.text, known.negations) for word in words[first:end])


def _says(draft: Draft, first: int, last: int) -> bool:
    """Whether somebody else is the one who says what stands behind: "you asked for", "their wish of"."""
    known, words = _lists(), draft.words
    said, others = draft.worked_out(_said), draft.worked_out(_others)
    for at in said[bisect_left(said, first) : bisect_left(said, last)]:
        if at > first and known.modal.one(words[at - 1].text):
            continue  # you may ask for a refund
        if known.third.one(words[at].text) and not _is_of_writer(words, first, at):
            return True
        named = others[bisect_left(others, max(first, at - _SAID_WITHIN)) : bisect_left(others, at)]
        if not named or _speaks_himself(words, named[-1], at) or _is_supposed(words, first, named[-1]):
            continue
        begin = max(first, at - _SAID_WITHIN)
        compared = [one for one in range(begin, named[0]) if known.comparing.one(words[one].text)]
        if not any(words[one + 1].text not in _ABOUT for one in compared):
            return True
    return False


def _said(draft: Draft) -> list[int]:
    """Return where words for saying and asking stand; what "you say" says needs its speaker right before it."""
    known, words = _lists(), draft.words
    beside = (at for at, _, _ in known.saying.scan(words) if at and known.others.one(words[at - 1].text))
    return sorted({*(at for at, _, _ in known.said.scan(words)), *beside})


def _others(draft: Draft) -> list[int]:
    return [at for at, _, _ in _lists().others.scan(draft.words)]


def _is_of_writer(words: Sequence[Word], first: int, at: int) -> bool:
    """Whether the writer, or what is his, stands right before a verb in the third person: our policy says."""
    return any(word.text in WRITER or word.text in _HIS for word in words[max(first, at - _BEHIND) : at])


def _is_supposed(words: Sequence[Word], first: int, other: int) -> bool:
    """Whether somebody is asked, or it is supposed of him: do you want, if you ask."""
    return other > first and words[other - 1].text in _SUPPOSING


def _speaks_himself(words: Sequence[Word], other: int, at: int) -> bool:
    """Whether the writer stands between somebody else and the word for saying: you know that we offered ..."""
    between = [word.text for word in words[other + 1 : at]]
    return any(word in WRITER for word in between[1:]) or (bool(between) and between[0] in WRITER - _ALSO_OBJECTS)


@cache
def _lists() -> _Words:
    return _Words()
