"""Where the sentences of a block are: nupunkt, the marks of Chinese and Japanese, and what must not be cut.

Nothing is longer than it may be: what is too long is cut at a clause, else at a blank, else where it has to be.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from interlayer.language.dates import MONTHS
from interlayer.language.lexicon.reader import forms, pattern

Span = tuple[int, int]

_WIDE_END: Final = re.compile(r"[。！？｡]+[」』”’）)】]*|；")
_WIDE: Final = re.compile(r"[\u3000-\u303f\u3040-\u30ff\u3400-\u9fff\uff01-\uff65]")
# A short form at the end of what was cut, or the day before a month: "Mme.", "am 3.".
_SHORT_FORM: Final = re.compile(rf"(?i)(?:^|[\s(„\"'])(?:{pattern(forms('abbreviations'))})\.$")
_DAY: Final = re.compile(r"(?:^|\s)\d{1,2}\.$")
_AFTER_DAY: Final = re.compile(rf"\s*(?:(?i:{pattern(MONTHS)}|quartal|trimest\w*|jahrhundert)\b|[a-zäöüà-ÿ])")
# What ends a sentence for all that nupunkt takes it for a short form: a whole word before a capital.
_MISSED: Final = re.compile(r"(?<=[^\W\d_])[.!]\s+(?=[\"'„“«(]?[^\W\d_a-zà-öø-ÿ])")
_LAST_WORD: Final = re.compile(r"[^\W\d_]+$")
_SHORT_FORMS: Final = frozenset(
    form.casefold().rstrip(".") for form in forms("abbreviations", "titles", "legal_forms", "months")
)
_END: Final = re.compile(r"[.!?]\s+")
_PART: Final = 4_000
_CLAUSE: Final = re.compile(r"[;:,，、；：…—–)\]]\s*|\s(?=[-•|])")


def sentence_spans(block: str, longest: int) -> Iterator[Span]:
    """Yield where the sentences of a block are, in order and without blanks around them, none over `longest` long."""
    for start, end in _joined(block):
        for part_start, part_end in _missed_spans(block, start, end):
            for first, last in _wide_spans(block, part_start, part_end):
                yield from fit(block, first, last, longest)


def fit(text: str, start: int, end: int, longest: int) -> Iterator[Span]:
    """Yield a place whole or in parts of at most `longest` characters, cut where the text allows it best."""
    while end - start > longest:
        cut = _best_cut(text, start, start + longest)
        yield from _bare(text, start, cut)
        start = cut
    yield from _bare(text, start, end)


def _best_cut(text: str, start: int, limit: int) -> int:
    """Return where to cut at the latest: behind the last clause of the second half, else at a blank, else there."""
    half = start + (limit - start) // 2
    clauses = [match.end() for match in _CLAUSE.finditer(text, half, limit)]
    if clauses:
        return clauses[-1]
    blank = max(text.rfind(" ", half, limit), text.rfind("\n", half, limit))
    return blank + 1 if blank >= half else limit


def _bare(text: str, start: int, end: int) -> Iterator[Span]:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    end = start + len(part.strip())
    if start < end:
        yield start, end


def _joined(block: str) -> Iterator[Span]:
    """Yield the sentences that nupunkt finds, those joined again that it should not have cut."""
    held: Span | None = None
    for start, end in _cut(block):
        if held and _is_cut_wrongly(block[held[0] : held[1]].rstrip(), block[start:end]):
            held = (held[0], end)
            continue
        if held:
            yield held
        held = (start, end)
    if held:
        yield held


def _is_cut_wrongly(before: str, after: str) -> bool:
    if _SHORT_FORM.search(before[-12:]):
        return True
    return bool(_DAY.search(before[-4:]) and _AFTER_DAY.match(after))


def _cut(block: str) -> Iterator[Span]:
    """Yield the sentences that nupunkt finds; a long block is given to it in parts, so that its time stays linear."""
    start = 0
    while len(block) - start > _PART:
        ends = [match.end() for match in _END.finditer(block, start + _PART // 2, start + _PART)]
        end = ends[-1] if ends else _best_cut(block, start, start + _PART)
        yield from _cut_part(block, start, end)
        start = end
    yield from _cut_part(block, start, len(block))


def _cut_part(block: str, start: int, end: int) -> Iterator[Span]:
    part = block[start:end]
    if len(part) < 2:
        yield from [(start, end)] if part.strip() else []
        return
    for first, last in _punkt()(part):
        yield start + int(first), start + int(last)


def _missed_spans(block: str, start: int, end: int) -> Iterator[Span]:
    """Cut a sentence further where a whole word ends it: at least three letters, no short form."""
    for match in _MISSED.finditer(block, start, end):
        word = _LAST_WORD.search(block, max(start, match.start() - 30), match.start())
        least = 4 if word and word[0][0].isupper() else 3
        if word and len(word[0]) >= least and word[0].casefold() not in _SHORT_FORMS:
            yield start, match.end()
            start = match.end()
    if start < end:
        yield start, end


def _wide_spans(block: str, start: int, end: int) -> Iterator[Span]:
    """Cut a sentence further at the marks of Chinese and Japanese."""
    if _WIDE.search(block, start, end):
        for match in _WIDE_END.finditer(block, start, end):
            yield start, match.end()
            start = match.end()
    if start < end:
        yield start, end


@lru_cache(maxsize=1)
def _punkt() -> Callable[[str], list[Span]]:
    from nupunkt import sent_spans

    return sent_spans
