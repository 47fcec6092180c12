"""The judgement on two statements of one entity, by their words; cosine only proposes whom to compare."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from interlayer.language.comparison.change import judge_change, judge_state
from interlayer.language.comparison.content import Content
from interlayer.language.comparison.correction import judge_correction, judge_denial, judge_end
from interlayer.language.comparison.coverage import covers
from interlayer.language.comparison.exchange import Exchange, judge_exchange
from interlayer.language.comparison.statement import Reading, Row, Statement, Word, read_pair
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.distinction import find_distinction
from interlayer.language.terms import stem

_ALIKE: Final = 0.86  # cosine of what says much the same
_ITSELF: Final = "°"


def compare(newer: Statement, older: Statement, cosine: float, later_s: float, own: frozenset[str]) -> Verdict:
    """Judge how the newer statement stands to the older.

    `later_s` is by how many seconds it was observed later, `own` are the stems of the entity's names.
    """
    new, old = read_pair(newer.text, older.text)
    if covers(old, new):
        return Verdict.SAME
    if new.asks or old.asks:
        return Verdict.DISTINCT
    verdict = _judge(new, old, later_s, own)
    if verdict is Verdict.DISTINCT and cosine >= _ALIKE and _says_alike(newer.text, older.text, new, old):
        return Verdict.ALIKE
    return verdict


def _judge(new: Reading, old: Reading, later_s: float, own: frozenset[str]) -> Verdict:
    """Judge the statements as wholes, then clause by clause: what is outdated in one clause only is kept."""
    if not new.keys & old.keys:
        return Verdict.DISTINCT
    now = new.now and not old.now
    newer, older = _mask(new.words, own), _mask(old.words, own)
    verdict = _judge_rows(newer, older, new, later_s, now=now)
    if verdict is Verdict.REPLACED or not (new.clauses or old.clauses):
        return verdict
    found = {verdict}
    for one in new.clauses or (new.words,):
        for other in old.clauses or (old.words,):
            found.add(_judge_rows(_mask(one, own), _mask(other, own), new, later_s, now=now))
    if Verdict.REPLACED in found:
        return Verdict.LIKELY if old.clauses else Verdict.REPLACED
    return Verdict.LIKELY if Verdict.LIKELY in found else Verdict.DISTINCT


def _judge_rows(newer: Row, older: Row, new: Reading, later_s: float, *, now: bool) -> Verdict:
    known = new.vocabulary
    exchange = Exchange.of(_unmarked(newer), _unmarked(older))
    found = [judge_exchange(exchange, known, later_s, now=now)] if exchange else []
    if found and found[0] is Verdict.REPLACED:
        return found[0]
    found += [
        judge_denial(newer, older, known),
        judge_correction(newer, older, known),
        judge_end(newer, older, known),
    ]
    if not exchange or not exchange.is_subject:
        found.append(judge_state(newer, older, known))
    if not exchange or exchange.is_double or known.changing.find([word.text for word in exchange.newer]):
        found.append(judge_change(newer, older, known, later_s, now=now))
    return next((verdict for verdict in (Verdict.REPLACED, Verdict.LIKELY) if verdict in found), Verdict.DISTINCT)


def _mask(row: Row, own: frozenset[str]) -> Row:
    """Put one sign for the entity's own names and the pronouns that it goes by."""
    masked: list[Word] = []
    for word in row:
        itself = word.kind == "word" and (word.pronoun or stem(word.text) in own)
        if not itself:
            masked.append(word)
        elif not (masked and masked[-1].key == _ITSELF):
            masked.append(replace(word, key=_ITSELF, name=False, function=True))
    return tuple(masked)


def _unmarked(row: Row) -> Row:
    kept = [word for word in row if word.kind != "mark" or word.text == ":"]
    return tuple(kept[1:] if kept and kept[0].text == ":" else kept)


def _says_alike(newer: str, older: str, new: Reading, old: Reading) -> bool:
    """Whether nothing tells the two apart: no number, date, name or denial, and no word in the place of another."""
    if find_distinction(newer, older) or find_distinction(older, newer):
        return False
    exchange = Exchange.of(_unmarked(new.words), _unmarked(old.words))
    told = Content(old.words)
    fresh = [word for word in Content(new.words).words if not told.says(word)]
    if any(word.name or word.kind != "word" for word in fresh):
        return False
    return not exchange and not _reordered(Content(new.words).words, Content(old.words).words)


def _reordered(one: Sequence[Word], other: Sequence[Word]) -> bool:
    ones, others = [word.key for word in one], [word.key for word in other]
    return ones != others and sorted(ones) == sorted(others)
