"""What a model's answer leaves open of a content: the sentences on which it said something that was lost.

Where entries of an answer cannot be read, or it breaks off, nobody can tell whether the model passed a sentence over
or spoke of it in vain. Such sentences are read the plain way, and the content stays in the backlog, so that nothing is
lost by somebody else's mistake. A sentence that a usable quotation touches is not open: it was judged.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from interlayer.language.grounding import Ground
from interlayer.language.terms import terms
from interlayer.memory.extraction.extractor import Extracted, LostEntry
from interlayer.memory.requests import FactCandidate

_ALIKE_MIN: Final = 0.5  # of the words of a quotation that was not copied: the sentence that it was taken from
_WORDS_MIN: Final = 2

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class OpenSentences:
    """The sentences of a content that are open, as plain statements with their places, and why they are."""

    why: str
    facts: tuple[FactCandidate, ...]

    def hold(self, span: Span | None) -> bool:
        """Return whether a place of the content is in an open sentence."""
        return span is not None and any(one.span and _touch(one.span, span) for one in self.facts)


def open_sentences(
    found: Extracted, ground: Ground, plain: Callable[[], Iterable[FactCandidate]], *, may_stray: bool = False
) -> OpenSentences | None:
    """Return the sentences that an answer leaves open, None where it is whole. `plain` reads all of the content.

    A quotation that is not in the content leaves its sentence open too, unless quotations `may_stray`.
    """
    refused = [one.candidate for one in found.refused]
    quotes = [one.quote or "" for one in (*found.facts, *found.properties, *refused)]
    strays = [] if may_stray else [quote for quote in quotes if ground.locate(quote) is None]
    if not found.lost and not strays:
        return None
    stated = [*found.facts, *(one for one in refused if isinstance(one, FactCandidate))]
    judged = _Places(span for one in stated if (span := ground.locate(one.quote or "")) is not None)
    sentences = [(one.span, one) for one in plain() if one.span]
    untouched = [span for span, _ in sentences if not judged.touch(span)]
    opened = {
        span for lost in found.lost for span in _of_lost(lost, ground, [span for span, _ in sentences], untouched)
    }
    if strays and len(strays) == len(quotes):  # it copied nothing: none of what it says can be told from invention
        opened.update(untouched)
    opened.update(_nearest(strays, ground, untouched))
    facts = tuple(one for span, one in sentences if span in opened)
    return OpenSentences(_why(found.lost, len(strays)), facts) if found.lost or facts else None


class _Places:
    """Places of a text, sorted, to be asked whether one of them touches another."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            self._starts.append(start)
            self._ends.append(max(end, self._ends[-1]) if self._ends else end)

    def touch(self, span: Span) -> bool:
        before = bisect_left(self._starts, span[1])  # those that begin before it ends
        return before > 0 and self._ends[before - 1] > span[0]


def _of_lost(lost: LostEntry, ground: Ground, sentences: Sequence[Span], untouched: Sequence[Span]) -> Iterator[Span]:
    """Yield the sentences that a lost entry may have been about: its quotation's, or all that nothing else is about."""
    span = ground.locate(lost.quote) if lost.quote else None
    if span:
        yield from (one for one in sentences if _touch(one, span))
        return
    start = max(ground.content.find(lost.passage), 0) if lost.passage else 0
    place = (start, start + len(lost.passage)) if lost.passage else (0, len(ground.content))
    yield from (one for one in untouched if _touch(one, place))


def _nearest(quotes: Sequence[str], ground: Ground, untouched: Sequence[Span]) -> Iterator[Span]:
    """Yield the sentences that quotations were taken from in other words, where one is like them."""
    holding: dict[str, list[int]] = {}
    for number, span in enumerate(untouched if quotes else ()):
        for word in set(terms(ground.content[slice(*span)])):
            holding.setdefault(word, []).append(number)
    for quote in quotes:
        wanted = set(terms(quote))
        shared = Counter(number for word in sorted(wanted) for number in holding.get(word, ()))
        for number, most in shared.most_common(1):
            if most >= max(_WORDS_MIN, _ALIKE_MIN * len(wanted)):
                yield untouched[number]


def _why(lost: Sequence[LostEntry], strays: int) -> str:
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    entries = f"{lost[0].why}{more}" if lost else ""
    quotes = f"quotes that are not in the content: {strays}" if strays else ""
    return f"its answer was read in part; {'; '.join(filter(None, (entries, quotes)))}"


def _touch(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
