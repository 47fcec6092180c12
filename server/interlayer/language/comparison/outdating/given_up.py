"""What a newer statement gives up: a thing by its name, a wish, a defect that is put right, an objection.

"We dropped Okta" is told of an older "Sign-on goes through Okta", however little else the two have in common.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from interlayer.language.comparison.content import Content, Word
from interlayer.language.comparison.statement import Clause
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.comparison.vocabulary import Phrases, Span
from interlayer.language.lexicon.reader import words

_DAYS: Final = words("relative_days")
_LEFT_MAX: Final = 2  # content words of the older statement that may be over along with what is given up
_FEW: Final = 2
_NOUNS_AS_NAMES: Final = "de"


def judge_given_up(newer: Clause, older: Clause) -> Verdict:
    """Judge a statement by which a thing, a wish, a defect or an objection of the older one is over."""
    if newer.conditional:
        return Verdict.DISTINCT
    for judge in (_judge_name, _judge_wish, _judge_repair, _judge_consent):
        verdict = judge(newer, older)
        if verdict is not Verdict.DISTINCT:
            return verdict
    return Verdict.DISTINCT


def _judge_name(newer: Clause, older: Clause) -> Verdict:
    """Judge a name that is dropped or given for another, and that the older statement says is in use."""
    moves = [text for start, end, _ in older.changes for text in older.texts[start:end]]
    if older.denied or older.past or older.ends or not older.known.outdating.using.issuperset(moves):
        return Verdict.DISTINCT
    for over in (*_dropped(newer), *_exchanged(newer)):
        said = [word for word in over if word.name]
        if said and all(map(older.content.says, over)) and _is_in_use(older, said):
            own = [word for word in newer.content.beside(older.content) if word.name]
            told = [word for word in older.content.beside(newer.content) if word.name]
            is_told = newer.known.language != _NOUNS_AS_NAMES  # there every noun has a capital
            return Verdict.LIKELY if is_told and own and told else _weigh(newer, older)
    return Verdict.DISTINCT


def _dropped(clause: Clause) -> Iterator[Sequence[Word]]:
    """Yield the names right behind a verb of dropping, or right before it: "Okta abgeschafft"."""
    row = clause.row
    for start, end, _ in clause.known.outdating.dropping.find(clause.texts):
        for places in (range(end, len(row)), reversed(range(start))):
            found: list[Word] = []
            for at in places:
                if row[at].name or (row[at].content and found and row[at].kind == "word"):
                    found.append(row[at])
                elif found or row[at].content or row[at].kind == "mark":
                    break
            yield found


def _exchanged(clause: Clause) -> Iterator[Sequence[Word]]:
    """Yield what is given for something else: A in "swapped A for B", in "A gegen B getauscht"."""
    row, texts = clause.row, clause.texts
    for start, end, preposition in clause.known.outdating.exchanging.find(texts):
        for at in (at for at, text in enumerate(texts) if text == preposition):
            first = end if at >= end else next((place + 1 for place in reversed(range(at)) if row[place].stative), 0)
            last = len(row) if at >= end else start
            if any(word.content for word in row[at + 1 : last]):
                yield [word for word in row[first:at] if word.content]


def _is_in_use(older: Clause, said: Sequence[Word]) -> bool:
    """Whether one of some names stands behind the verb of a statement, which tells that it is in use."""
    verb = next(
        (at for at, word in enumerate(older.row) if word.stative or word.text in older.known.outdating.using), None
    )
    colon = next((at for at, word in enumerate(older.row) if word.text == ":"), None)
    at = verb if colon is None else colon
    return at is not None and any(word.key in {one.key for one in said} for word in older.row[at + 1 :])


def _judge_wish(newer: Clause, older: Clause) -> Verdict:
    """Judge a wish or a need that there is no longer."""
    known = newer.known
    wishes = known.outdating.wishing.find(older.texts)
    if not wishes or older.denied:
        return Verdict.DISTINCT
    objects = _objects(newer, known.outdating.unwished)
    if not objects or not all(map(older.content.says, objects)):
        return Verdict.DISTINCT
    return _weigh(newer, older, wishes) if _is_head(older, objects) else Verdict.DISTINCT


def _judge_repair(newer: Clause, older: Clause) -> Verdict:
    """Judge a defect that is put right."""
    known = newer.known
    defects = known.outdating.defects.find(older.texts)
    if not defects or older.changes or known.outdating.unwished.find(older.texts):
        return Verdict.DISTINCT
    objects = _objects(newer, known.outdating.repaired, known.outdating.defects)
    ends = {end for _, end, _ in known.outdating.repaired.find(newer.texts)}
    acts = [word for at, word in enumerate(newer.row) if at in ends and not word.name]  # "wieder gedruckt"
    named = [word for word in objects if all(word is not act for act in acts)]
    if not named or not all(map(older.content.says, named)):
        return Verdict.DISTINCT
    is_denied = newer.denied and not any(
        text in known.denying
        for start, end, _ in known.outdating.repaired.find(newer.texts)
        for text in newer.texts[start:end]
    )
    return Verdict.DISTINCT if is_denied else _weigh(newer, older, defects)


def _judge_consent(newer: Clause, older: Clause) -> Verdict:
    """Judge an objection that there is no longer."""
    if not older.denied or newer.denied:
        return Verdict.DISTINCT
    objects = _objects(newer, newer.known.outdating.consent)
    if len(objects) < _FEW or not all(map(older.content.says, objects)):
        return Verdict.DISTINCT
    limits = [word for word in older.content.words if word.kind == "time" and not newer.content.says(word)]
    return Verdict.LIKELY if limits else _weigh(newer, older)


def _objects(clause: Clause, said: Phrases, *idle: Phrases) -> Sequence[Word]:
    """Return what a clause says something of: its content beside the phrases that say it, and times.

    Nothing, where none of the phrases is in it.
    """
    spans: list[Span] = [*said.find(clause.texts)]
    if not spans:
        return ()
    spans += [span for phrases in idle for span in phrases.find(clause.texts)]
    return [
        word
        for word in clause.without(*spans).words
        if word.kind != "time" and not word.itself and word.text not in _DAYS
    ]


def _is_head(older: Clause, objects: Sequence[Word]) -> bool:
    """Whether a single word is what is spoken of, and does not only tell of what kind that is."""
    if len(objects) > 1:
        return True
    last = Content(objects)
    return any(
        last.says(word) and not (at + 1 < len(older.row) and _goes_on(older, at + 1))
        for at, word in enumerate(older.row)
        if word.content
    )


def _goes_on(older: Clause, at: int) -> bool:
    word = older.row[at]
    return word.content and word.kind == "word" and not word.stative


def _weigh(newer: Clause, older: Clause, spans: Sequence[Span] = ()) -> Verdict:
    """Return whether all of the older statement is over, or a part of it."""
    left = [word for word in older.without(*spans).words if not newer.content.says(word) and word.kind != "time"]
    return (
        Verdict.REPLACED
        if len(left) <= _LEFT_MAX and not any(word.kind == "number" for word in left)
        else Verdict.PARTLY
    )
