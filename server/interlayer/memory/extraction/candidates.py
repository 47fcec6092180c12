"""From what a model found to candidates: each with whom it is about, and what can be nobody's turned down.

A statement goes to whom the model says that it is about, if the content does not say it of another. So a model that
takes two people for one, or is talked into it, gives nobody what is not theirs.
"""

import logging
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import anyio

from interlayer.errors import InvalidInput, Unavailable
from interlayer.ids import parse_instant, timestamp
from interlayer.language.attribution import MAIN, Attribution, Span
from interlayer.language.evidence import denied
from interlayer.language.grounding import Ground
from interlayer.language.prompt_injection.orders import addressed
from interlayer.memory.extraction.extractor import (
    EXTRACTED_MAX,
    Extracted,
    ExtractedFact,
    ExtractedProperty,
    ExtractedRelation,
    Extraction,
    ExtractionTask,
    Extractor,
    Refusal,
)
from interlayer.memory.extraction.subjects import AmbiguousSubject, Subjects
from interlayer.memory.log.identifiers import check_text
from interlayer.memory.requests import FactCandidate, PropertyCandidate, RelationCandidate
from interlayer.text.private import masked

_REASON_MAX: Final = 120
_TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NO_LETTER: Final = re.compile(r"[^a-z0-9]+")
_ELSEWHERE: Final = "nothing at its quote says it of "
_SHOWN: Final = 60

logger = logging.getLogger(__name__)


async def extract_from(extractor: Extractor, task: ExtractionTask, patience: float = 1) -> Extracted | str:
    """Return a model's candidates, or in a few words why there are none to be had.

    `patience` is how many times longer than a call the caller waits.
    """
    timeout_s = extractor.timeout_s * patience
    try:
        with anyio.fail_after(timeout_s):
            found = await extractor.extract(task)
        return _Routing(task, _checked(found)).routed(extractor.name)
    except TimeoutError:
        reason = f"no answer within {timeout_s:g} s"
    except Unavailable as error:
        reason = str(error)
    except InvalidInput as error:
        reason = f"its answer cannot be used: {error}"
    except Exception as error:  # noqa: BLE001 - a fault of somebody else's model must not cost the content
        reason = f"it failed with {type(error).__name__}"
    reason = masked(" ".join(reason.split()))[:_REASON_MAX].rstrip(" .")
    logger.warning("%s unavailable: %s", extractor.name, reason)
    return reason


class _Routing:
    """Sends what a model found to those that it is about."""

    def __init__(self, task: ExtractionTask, found: Extraction) -> None:
        self._task = task
        self._found = found
        self._subjects = Subjects(task, found.entities)
        everybody = self._subjects.all
        called = [tuple(dict.fromkeys((*one.names, *one.keys))) for one in everybody]
        self._attribution = Attribution(task.content, called, task.spoken)
        self._ground = Ground(task.content, [name for names in called for name in names], task.observed_at)
        self._refused: list[Refusal] = []

    def routed(self, name: str) -> Extracted:
        """Return the candidates, each with whom it is about."""
        found = self._found
        facts = [self._fact(one) for one in found.facts]
        properties = [self._property(one) for one in found.properties]
        relations = tuple(self._relations())
        return Extracted(
            extractor=found.by or name,
            facts=tuple(one for one in facts if one),
            properties=tuple(one for one in properties if one),
            relations=relations,
            subjects=tuple(self._subjects.all[1:]),
            refused=tuple(self._refused),
            lost=tuple(found.lost),
            unknown_facts=found.unknown_facts,
        )

    def _fact(self, one: ExtractedFact) -> FactCandidate | None:
        text = " ".join(one.text.split())
        said = FactCandidate(text, one.confidence, one.observed_at, None, "extractor", one.quote, one.subject or None)
        # That something is over counts only of a fact that was known: else a slip would hide what is new.
        said = replace(said, replaces=one.replaces, ended=one.ended and one.replaces is not None, repeats=one.repeats)
        return self._about(said, one.subject, text)

    def _property(self, one: ExtractedProperty) -> PropertyCandidate | None:
        said = PropertyCandidate(one.name, one.value, one.confidence, None, "extractor", one.quote, one.remove)
        values = one.value if isinstance(one.value, list) else [one.value]
        return self._about(said, one.subject, " ".join(map(str, values)), is_strict=True)

    def _about(self, said: Any, subject: str | None, text: str, *, is_strict: bool = False) -> Any:
        """Return a candidate with whom it is about, None if that is refused.

        Whom a model names and nobody knows is left to the gates, which know what the main entity is called.
        """
        span = self._ground.locate(said.quote or "")
        try:
            number = self._subjects.find(subject or "")
        except AmbiguousSubject:
            return self._refuse(said, "other_entity", f"several are called {_short(subject)}")
        if number is None:
            is_refused = is_strict and "other_entity" not in self._task.schema.gates.off
            return self._refuse(said, "other_entity", f"it is about {_short(subject)}") if is_refused else said
        if why := self._why_not(number, text, span):
            return self._refuse(said, "other_entity", why)
        return replace(said, about=self._entity(number))

    def _why_not(self, number: int, text: str, span: Span | None, beside: int | None = None) -> str | None:
        """Return why what rests on a place is not of somebody; `beside` somebody else of whom it speaks."""
        if span is None or "other_entity" in self._task.schema.gates.off:
            return None
        one = self._subjects.all[number]
        kin = set(self._subjects.of_type(one.type)) - {beside}
        other = self._attribution.is_of_another(text, span, number, kin, is_near=self._subjects.belongs(number))
        if other is None:
            return None
        return f"the content says it of {_short(other)}" if other else f"{_ELSEWHERE}{_short(one.names[0])}"

    def _relations(self) -> Iterator[RelationCandidate]:
        orders = addressed(self._task.content)
        for one in self._found.relations:
            kind = _NO_LETTER.sub("_", one.type.casefold()).strip("_")
            text = f"{one.source} {kind.replace('_', ' ')} {one.target}"
            said = FactCandidate(text, one.confidence, origin="extractor", quote=one.quote)
            span = self._ground.locate(one.quote)
            if span is None or any(start < span[1] and span[0] < end for start, end in orders):
                why = "speak to a model" if span else "are not in the content"
                self._refuse(said, "ungrounded", f"the words it rests on {why}")
            elif not _TYPE.fullmatch(kind):
                self._refuse(said, "not_in_form", f"{one.type[:40]!r} is no relation")
            elif ends := self._ends(one, said, span):
                source, target = ends
                to = self._subjects.all[target].entity
                at = self._time(one.observed_at)
                yield RelationCandidate(kind, to, self._entity(source), one.ended, at, one.confidence)

    def _ends(self, one: ExtractedRelation, said: FactCandidate, span: Span) -> tuple[int, int] | None:
        """Return whom a relation links, None if it is refused."""
        least = self._task.schema.gates.minimum_confidence.extractor
        if one.confidence < least:
            return self._refuse(said, "low_confidence", f"a relation needs {least}")
        try:
            source, target = self._subjects.find(one.source), self._subjects.find(one.target)
        except AmbiguousSubject as error:
            return self._refuse(said, "other_entity", f"several are called {_short(str(error))}")
        if source is None or target is None or source == target:
            unknown = one.source if source is None else one.target
            return self._refuse(said, "other_entity", f"the content names nobody called {_short(unknown)} for it")
        if why := self._why_not(source, "", span, target) or self._why_not(target, "", span, source):
            return self._refuse(said, "other_entity", why)
        if not one.ended and denied(said.text, self._ground.around(span), self._subjects.all[source].names):
            return self._refuse(said, "ungrounded", "the sentence that it rests on says the opposite")
        return source, target

    def _entity(self, number: int) -> str | None:
        return None if number == MAIN else self._subjects.all[number].entity

    def _time(self, given: str | None) -> str | None:
        """Return since when a relation holds; what is said of the future was observed when it was said."""
        try:
            at = parse_instant(given, "observed_at") if given else None
        except InvalidInput:
            return None
        return timestamp(min(at, self._task.observed_at)) if at else None

    def _refuse(self, said: FactCandidate | PropertyCandidate, code: Any, why: str) -> None:
        self._refused.append(Refusal(said, code, why))


def _short(name: str | None) -> str:
    return (name or "")[:_SHOWN]


def _checked(found: Any) -> Extraction:
    """Return an extraction that is in form. Raises `InvalidInput` for what is not."""
    if not isinstance(found, Extraction):
        raise InvalidInput("extraction", f"{type(found).__name__} is no extraction.")
    if max(len(found.facts), len(found.properties), len(found.relations), len(found.entities)) > EXTRACTED_MAX:
        raise InvalidInput("extraction", f"over {EXTRACTED_MAX} facts, properties, relations or entities.")
    for one in found.facts:
        if not isinstance(one, ExtractedFact):  # pyright: ignore[reportUnnecessaryIsInstance] - a model's answer
            raise InvalidInput("facts", f"{type(one).__name__} is no fact.")
        _check(one.confidence, one.text, one.quote, one.observed_at or "", one.subject or "")
    for prop in found.properties:
        if not isinstance(prop, ExtractedProperty):  # pyright: ignore[reportUnnecessaryIsInstance] - a model's answer
            raise InvalidInput("properties", f"{type(prop).__name__} is no property.")
        _check(prop.confidence, prop.name, prop.quote, str(prop.value), prop.subject or "")
    _check_subjects(found)
    return found


def _check_subjects(found: Extraction) -> None:
    for one in found.relations:
        _check(one.confidence, one.source, one.type, one.target, one.quote, one.observed_at or "")
    for entity in found.entities:
        _check(0, entity.name, entity.type, *entity.identifiers)


def _check(confidence: Any, *texts: Any) -> None:
    for text in texts:
        if not isinstance(text, str):
            raise InvalidInput("extraction", f"{type(text).__name__} instead of text.")
        check_text(text, "extraction")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not math.isfinite(confidence):
        raise InvalidInput("confidence", "is no number.")
    if not 0 <= confidence <= 1:
        raise InvalidInput("confidence", f"{confidence} is not between 0 and 1.")
