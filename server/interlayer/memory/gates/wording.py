"""How a statement taken from content is put, so that it is understood on its own: names for pronouns, dates for days.

A model's statements are held to it and turned down where it fails. Plain sentences only gain what is certain.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from interlayer.documents.document import Document, Piece
from interlayer.errors import InvalidInput
from interlayer.ids import parse_instant, timestamp
from interlayer.language.evidence import denied, replaced, unsupported
from interlayer.language.grounding import Ground
from interlayer.language.pronouns import is_dangling, leading_pronoun, names_nobody_else, with_name
from interlayer.language.relative_time import anchor
from interlayer.memory.gates.context import GateContext
from interlayer.memory.gates.rejection import Rejection
from interlayer.memory.requests import FactCandidate

SENTENCE_CONFIDENCE: Final = 0.7  # the words are the source's own, but nobody judged them


def decontextualize(candidate: FactCandidate, context: GateContext, ground: Ground) -> FactCandidate | Rejection:
    """Put a model's statement as it is to be remembered, or say why it is turned down."""
    off = context.gates.off
    span = ground.locate(candidate.quote or "")
    problem = None if "ungrounded" in off else _why_ungrounded(candidate.text, span, context, ground)
    if not problem and "other_entity" not in off:
        problem = _of_another(candidate, span, context, ground)
    if problem:
        return problem
    text = with_name(candidate.text, context.name, context.schema.pronouns) or candidate.text
    if "dangling" not in off and is_dangling(text, context.known):
        return Rejection("dangling", "it leans on a pronoun that nothing in it explains")
    observed_at = _time_of(candidate, context)
    if isinstance(observed_at, Rejection):
        return observed_at
    return replace(candidate, text=_anchor(text, context), span=span, observed_at=observed_at)


def _why_ungrounded(text: str, span: tuple[int, int] | None, context: GateContext, ground: Ground) -> Rejection | None:
    """Return why a statement does not rest on the content, if so."""
    if span is None:
        return Rejection("ungrounded", "its quote is not in the content")
    missing = ground.missing(text)
    if missing:
        return Rejection("ungrounded", f"{missing} is not in the content")
    if denied(text, ground.around(span), context.known):
        return Rejection("ungrounded", "the sentence that it rests on says the opposite")
    if unsupported(text, ground.around(span, more=1), ground.content, context.known):
        return Rejection("ungrounded", "the sentences around its quote say nothing of it")
    return None


def _of_another(
    candidate: FactCandidate, span: tuple[int, int] | None, context: GateContext, ground: Ground
) -> Rejection | None:
    """Return of whom a statement really is, if it is of another than the entity.

    One that was found to be about the entity is not asked again whether that is called so.
    """
    if candidate.about is None and candidate.subject and not context.bears(candidate.subject):
        return Rejection("other_entity", f"it is about {candidate.subject[:60]}")
    other = replaced(candidate.text, ground.around(span), ground.content, context.known) if span else None
    return Rejection("other_entity", f"the content says it of {other[:60]}") if other else None


def plain_facts(content: str, document: Document, context: GateContext, *, dated: bool) -> Iterator[FactCandidate]:
    """Yield a fact for each statement of plain content, under the label that it needs: who says it, or on what.

    With `dated` each is observed when its part of the content says that it was written.
    """
    before: Piece | None = None
    for piece in document.statements:
        text = _short_enough(piece.said, piece.text, context)
        text = text if piece.label else _replace_pronoun(content, before, piece, context)
        written_at = piece.written_at or context.observed_at
        yield FactCandidate(
            _short_enough(anchor(text, written_at), text, context),
            SENTENCE_CONFIDENCE,
            observed_at=timestamp(written_at) if dated and piece.written_at else None,
            span=(piece.start, piece.end),
            origin="plain",
        )
        before = piece


def _replace_pronoun(content: str, before: Piece | None, piece: Piece, context: GateContext) -> str:
    """Return a sentence with the name for its first pronoun, if the one before it can be about nobody else."""
    pronoun = leading_pronoun(piece.text)
    if pronoun is None or before is None or not context.names:
        return piece.text
    gap = content[before.end : piece.start]
    together = not gap.strip() and gap.count("\n") <= 1 and content.startswith(pronoun, piece.start)
    if not together or not names_nobody_else(before.text, context.names, pronoun):
        return piece.text
    return _short_enough(with_name(piece.text, context.name, context.schema.pronouns), piece.text, context)


def _anchor(text: str, context: GateContext) -> str:
    return _short_enough(anchor(text, context.observed_at), text, context)


def _short_enough(longer: str | None, text: str, context: GateContext) -> str:
    """Return the longer form, unless it is what makes the statement too long."""
    return longer if longer and len(longer) <= context.gates.fact_characters_max else text


def _time_of(candidate: FactCandidate, context: GateContext) -> str | Rejection | None:
    """Return since when a statement holds; what is said of the future was observed when it was said."""
    if not candidate.observed_at:
        return None
    try:
        given = parse_instant(candidate.observed_at, "observed_at")
    except InvalidInput:
        is_let_through = "unanchored" in context.gates.off
        return None if is_let_through else Rejection("unanchored", f"{candidate.observed_at[:40]!r} is no time")
    return timestamp(min(given, context.observed_at))
