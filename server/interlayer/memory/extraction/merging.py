"""One extraction from several: of the passages of a long content, or of a first answer and its correction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from interlayer.memory.extraction.extractor import ExtractedFact, ExtractedProperty, Extraction


def merged(found: Sequence[Extraction]) -> Extraction:
    """Merge what several passages say, each thing once: facts in the same words, properties of the same name.

    Of a fact the surer saying counts. Of a property the surest value counts, the later one of two that are as sure;
    lists are put together. What one of them lost stays lost.
    """
    facts: dict[str, ExtractedFact] = {}
    properties: dict[tuple[str, bool], ExtractedProperty] = {}
    for extraction in found:
        for fact in extraction.facts:
            same = facts.get(_fold(fact.text))
            facts[_fold(fact.text)] = _surer(same, fact) if same else fact
        for prop in extraction.properties:
            place = (prop.name, prop.remove)
            known = properties.get(place)
            properties[place] = _join(known, prop) if known else prop
    lost = [entry for extraction in found for entry in extraction.lost]
    unknown = sum(extraction.unknown_facts for extraction in found)
    return Extraction(list(facts.values()), list(properties.values()), lost=lost, unknown_facts=unknown)


def amended(first: Extraction, second: Extraction) -> Extraction:
    """Put what was usable of a first answer beside its correction, which may hold only what it corrects.

    What the first lost is found again where the correction quotes the same words, or, where no words are known, if it
    has as many entries as the first had.
    """
    quotes = [_fold(one.quote) for one in second.facts]
    names = {one.name for one in second.properties}
    facts = [*second.facts, *(one for one in first.facts if not _is_among(one.quote, quotes))]
    properties = [*second.properties, *(one for one in first.properties if one.name not in names)]
    had = len(first.facts) + len(first.properties) + len(first.lost)
    is_whole = len(second.facts) + len(second.properties) >= had
    said = [*quotes, *(_fold(one.quote) for one in (*second.properties, *second.lost))]
    lost = [one for one in first.lost if not (_is_among(one.quote, said) if one.quote else is_whole)]
    again = [one for one in lost if one.why not in {other.why for other in second.lost}]
    return Extraction(facts, properties, second.by, [*second.lost, *again], second.unknown_facts)


def _surer(known: ExtractedFact, new: ExtractedFact) -> ExtractedFact:
    """Return the surer of two sayings; what only one of them knew to be repeated, replaced or over, both say."""
    one, other = (new, known) if new.confidence > known.confidence else (known, new)
    return replace(
        one,
        repeats=one.repeats or other.repeats,
        replaces=one.replaces or other.replaces,
        ended=one.ended or other.ended,
    )


def _join(known: ExtractedProperty, new: ExtractedProperty) -> ExtractedProperty:
    surer = new if new.confidence >= known.confidence else known
    if isinstance(known.value, list) and isinstance(new.value, list):
        return replace(surer, value=list(dict.fromkeys([*known.value, *new.value])))
    return surer


def _is_among(quote: str, quotes: Iterable[str]) -> bool:
    said = _fold(quote)
    return any(said in one or one in said for one in quotes if one)


def _fold(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(" .")
