"""One extraction from several: of the passages of a long content, or of a first answer and its correction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from interlayer.memory.extraction.extractor import (
    ExtractedEntity,
    ExtractedFact,
    ExtractedProperty,
    ExtractedRelation,
    Extraction,
)


def merged(found: Sequence[Extraction]) -> Extraction:
    """Merge what several passages say, each thing once: facts in the same words, properties of the same name.

    Of a fact the surer saying counts. Of a property of one subject the surest value counts, the later one of two that
    are as sure; lists are put together. Relations are the same by both ends and type. Whom one of them names, all may
    be about. What one of them lost stays lost.
    """
    facts: dict[tuple[str, str], ExtractedFact] = {}
    properties: dict[tuple[str, str, bool], ExtractedProperty] = {}
    relations: dict[tuple[str, ...], ExtractedRelation] = {}
    entities: dict[tuple[str, ...], ExtractedEntity] = {}
    for extraction in found:
        for fact in extraction.facts:
            said = (_fold(fact.text), _fold(fact.subject or ""))
            same = facts.get(said)
            facts[said] = _surer(same, fact) if same else fact
        for prop in extraction.properties:
            place = (_fold(prop.subject or ""), prop.name, prop.remove)
            known = properties.get(place)
            properties[place] = _join(known, prop) if known else prop
        for link in extraction.relations:
            known_link = relations.get(_ends(link))
            if known_link is None or known_link.confidence < link.confidence:
                relations[_ends(link)] = link
        for one in extraction.entities:
            entities.setdefault((_fold(one.name), one.type, *map(_fold, one.identifiers)), one)
    lost = [entry for extraction in found for entry in extraction.lost]
    unknown = sum(extraction.unknown_facts for extraction in found)
    return Extraction(
        list(facts.values()),
        list(properties.values()),
        list(relations.values()),
        list(entities.values()),
        lost=lost,
        unknown_facts=unknown,
    )


def amended(first: Extraction, second: Extraction) -> Extraction:
    """Put what was usable of a first answer beside its correction, which may hold only what it corrects.

    What the first lost is found again where the correction quotes the same words, or, where no words are known, if it
    has as many entries as the first had.
    """
    quotes = [_fold(one.quote) for one in second.facts]
    names = {(one.name, _fold(one.subject or "")) for one in second.properties}
    links = {_ends(one) for one in second.relations}
    facts = [*second.facts, *(one for one in first.facts if not _is_among(one.quote, quotes))]
    properties = [
        *second.properties,
        *(one for one in first.properties if (one.name, _fold(one.subject or "")) not in names),
    ]
    relations = [*second.relations, *(one for one in first.relations if _ends(one) not in links)]
    entities = list(dict.fromkeys([*second.entities, *first.entities]))
    is_whole = _entries(second) >= _entries(first) + len(first.lost)
    said = [*quotes, *(_fold(one.quote) for one in (*second.properties, *second.relations, *second.lost))]
    lost = [one for one in first.lost if not (_is_among(one.quote, said) if one.quote else is_whole)]
    again = [one for one in lost if one.why not in {other.why for other in second.lost}]
    return Extraction(facts, properties, relations, entities, second.by, [*second.lost, *again], second.unknown_facts)


def _ends(one: ExtractedRelation) -> tuple[str, ...]:
    return _fold(one.source), _fold(one.type), _fold(one.target), str(one.ended)


def _entries(found: Extraction) -> int:
    return len(found.facts) + len(found.properties) + len(found.relations)


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
