"""What a model's answer leaves open of a content: the sentences on which it said something that was lost.

Where entries of an answer cannot be read, or it breaks off, nobody can tell whether the model passed a sentence over
or spoke of it in vain. Such sentences are read the plain way, and the content stays in the backlog, so that nothing is
lost by somebody else's mistake. A sentence that a usable quotation touches is not open: it was judged.
"""

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
    """Return what an answer leaves open, None where it is whole. `plain` reads all sentences of the content.

    A quotation that is not in the content leaves its sentence open too, unless quotations `may_stray`.
    """
    quotes = [one.quote or "" for one in (*found.facts, *found.properties)]
    strays = [] if may_stray else [quote for quote in quotes if ground.locate(quote) is None]
    if not found.lost and not strays:
        return None
    judged = [span for one in found.facts if (span := ground.locate(one.quote or "")) is not None]
    sentences = [one for one in plain() if one.span]
    untouched = [one for one in sentences if not any(_touch(one.span or (0, 0), span) for span in judged)]
    opened = [one for lost in found.lost for one in _of_lost(lost, ground, sentences, untouched)]
    if strays and len(strays) == len(quotes):  # it copied nothing: none of what it says can be told from invention
        opened += untouched
    opened += [one for quote in strays for one in _nearest(quote, ground, untouched)]
    facts = tuple(one for one in sentences if any(one is other for other in opened))
    return OpenSentences(_why(found.lost, len(strays)), facts) if found.lost or facts else None


def _of_lost(
    lost: LostEntry, ground: Ground, sentences: Sequence[FactCandidate], untouched: Sequence[FactCandidate]
) -> Iterator[FactCandidate]:
    """Yield the sentences that a lost entry may have been about: its quotation's, or all that nothing else is about."""
    span = ground.locate(lost.quote) if lost.quote else None
    if span:
        yield from (one for one in sentences if one.span and _touch(one.span, span))
        return
    start = max(ground.content.find(lost.passage), 0) if lost.passage else 0
    place = (start, start + len(lost.passage)) if lost.passage else (0, len(ground.content))
    yield from (one for one in untouched if one.span and _touch(one.span, place))


def _nearest(quote: str, ground: Ground, untouched: Sequence[FactCandidate]) -> Iterator[FactCandidate]:
    """Yield the sentence that a quotation was taken from in other words, if it is like one."""
    wanted = set(terms(quote))
    shared = [(len(wanted & set(terms(ground.content[slice(*(one.span or (0, 0)))]))), one) for one in untouched]
    most, sentence = max(shared, key=lambda one: one[0], default=(0, None))
    if sentence and most >= max(_WORDS_MIN, _ALIKE_MIN * len(wanted)):
        yield sentence


def _why(lost: Sequence[LostEntry], strays: int) -> str:
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    entries = f"{lost[0].why}{more}" if lost else ""
    quotes = f"quotes that are not in the content: {strays}" if strays else ""
    return f"its answer was read in part; {'; '.join(filter(None, (entries, quotes)))}"


def _touch(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
