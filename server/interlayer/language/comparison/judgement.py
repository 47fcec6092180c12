"""The judgement on two statements of one entity, by their words; cosine only proposes whom to compare."""

from collections.abc import Sequence
from typing import Final

from interlayer.language.comparison.change import judge_announced, judge_change, judge_state
from interlayer.language.comparison.content import Word
from interlayer.language.comparison.correction import judge_correction, judge_denial, judge_end
from interlayer.language.comparison.coverage import covers
from interlayer.language.comparison.exchange import Exchange, judge_exchange
from interlayer.language.comparison.outdating.figure import judge_figure, judge_growth
from interlayer.language.comparison.outdating.given_up import judge_given_up
from interlayer.language.comparison.outdating.matter import judge_matter
from interlayer.language.comparison.restatement import restates
from interlayer.language.comparison.statement import Clause, Reading, Statement, read_pair
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.distinction import find_distinction

_LESS: Final = {
    Verdict.REPLACED: Verdict.LIKELY,
    Verdict.PARTLY: Verdict.LIKELY,
    Verdict.LIKELY: Verdict.DISTINCT,
    Verdict.DISTINCT: Verdict.DISTINCT,
}
_MORE_MAX: Final = 6  # content words beside twice those of the older statement
_ALIKE: Final = 0.86  # cosine of what says much the same


def compare(newer: Statement, older: Statement, cosine: float, later_s: float, own: frozenset[str]) -> Verdict:
    """Judge how the newer statement stands to the older.

    `later_s` is by how many seconds it was observed later, `own` are the stems of the entity's names.
    """
    new, old = read_pair(newer.text, older.text, own)
    if new.text == old.text:
        return Verdict.SAME
    if cosine < _ALIKE and not _may_meet(new.full, old.full):
        return Verdict.DISTINCT
    if covers(old, new) or restates(new, old):
        return Verdict.SAME
    if new.asks or old.asks or (new.speaker != old.speaker and new.speaker and old.speaker):
        return Verdict.DISTINCT
    verdict = _judge(new, old, later_s)
    if verdict is Verdict.DISTINCT and new.announces:
        verdict = judge_announced(new.whole, old.whole, cosine)
    if new.exclaims or old.exclaims:
        verdict = _LESS[verdict]
    if verdict is Verdict.DISTINCT and cosine >= _ALIKE and _says_alike(newer.text, older.text, new, old):
        return Verdict.ALIKE
    return verdict


def _may_meet(one: Clause, other: Clause) -> bool:
    """Whether two statements have a word or a matter in common."""
    return not (one.content.keys.isdisjoint(other.content.keys) and one.matters.keys().isdisjoint(other.matters))


def _judge(new: Reading, old: Reading, later_s: float) -> Verdict:
    """Judge the statements as wholes, then clause by clause: what is outdated in one clause only is kept."""
    if new.keys.isdisjoint(old.keys) and not _may_meet(new.whole, old.whole):
        return Verdict.DISTINCT
    now = new.now and not old.now
    verdict = _judge_clauses(new.whole, old.whole, later_s, now=now)
    if verdict is Verdict.REPLACED and old.whole.goes_on and not new.whole.goes_on:
        return Verdict.PARTLY
    if verdict is Verdict.DISTINCT:
        verdict = _judge_parts(new.whole, old.whole)
    if verdict is Verdict.REPLACED or not (new.clauses or old.clauses):
        return verdict
    found = {verdict}
    for one in new.clauses or (new.whole,):
        for other in old.clauses or (old.whole,):
            found.add(_judge_clauses(one, other, later_s, now=now))
    if Verdict.REPLACED in found:
        return Verdict.PARTLY if old.clauses else Verdict.REPLACED
    return next((one for one in (Verdict.PARTLY, Verdict.LIKELY) if one in found), Verdict.DISTINCT)


def _judge_parts(newer: Clause, older: Clause) -> Verdict:
    """Judge a part of a statement that the other one denies."""
    found = Verdict.DISTINCT
    if newer.denied == older.denied or newer.conditional or older.conditional:
        return found
    for one in newer.parts:
        for other in older.parts:
            if judge_denial(one, other) is Verdict.REPLACED:
                is_whole = len(other.content.words) == len(older.content.words)
                found = Verdict.REPLACED if is_whole else Verdict.PARTLY
    return found


def _judge_clauses(newer: Clause, older: Clause, later_s: float, *, now: bool) -> Verdict:
    exchange = Exchange.of(newer.bare, older.bare)
    found = [judge_exchange(exchange, newer.known, later_s, now=now)] if exchange else []
    if found and found[0] is Verdict.REPLACED:
        return found[0]
    if newer.denied != older.denied:
        found.append(judge_denial(newer, older))
    told: list[Verdict] = []
    if len(newer.content.words) > 2 * len(older.content.words) + _MORE_MAX:
        return found[0] if found else Verdict.DISTINCT  # a report that also speaks of it
    told += [judge_growth(newer, older), judge_matter(newer, older, now=now)]
    over = [judge_given_up(newer, older)]
    (told if newer.speaking else over).append(judge_figure(newer, older))
    if newer.corrects and not older.denied:
        told.append(judge_correction(newer, older))
    if newer.ends:
        told.append(judge_end(newer, older))
    if newer.states and older.states and not (exchange and exchange.is_subject):
        told.append(judge_state(newer, older))
    same_frame = exchange and exchange.is_of_figures and not newer.changes
    if not same_frame and (not exchange or exchange.is_double or exchange.has_verb or newer.changes):
        told.append(judge_change(newer, older, later_s, now=now))
    # What people say of themselves changes less than their words do.
    found += [_LESS[verdict] for verdict in told] if newer.speaking or older.speaking else told
    found += over
    return next((one for one in (Verdict.REPLACED, Verdict.PARTLY, Verdict.LIKELY) if one in found), Verdict.DISTINCT)


def _says_alike(newer: str, older: str, new: Reading, old: Reading) -> bool:
    """Whether nothing tells the two apart: no number, date, name or denial, and no word in the place of another."""
    if find_distinction(newer, older) or find_distinction(older, newer):
        return False
    exchange = Exchange.of(new.whole.bare, old.whole.bare)
    said, told = new.whole.content, old.whole.content
    fresh = [word for word in said.words if not told.says(word)]
    if any(word.name or word.kind != "word" for word in fresh):
        return False
    return not exchange and not _reordered(said.words, told.words)


def _reordered(one: Sequence[Word], other: Sequence[Word]) -> bool:
    ones, others = [word.key for word in one], [word.key for word in other]
    return ones != others and sorted(ones) == sorted(others)
