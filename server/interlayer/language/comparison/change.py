"""What has become of the same thing: another state on a scale, or another value told in another sentence."""

from collections.abc import Sequence
from typing import Final

from interlayer.language.comparison.content import Content, past, stateful
from interlayer.language.comparison.exchange import kind_of
from interlayer.language.comparison.opposition import exclude, find_states
from interlayer.language.comparison.statement import Row, Word, is_denied
from interlayer.language.comparison.verdict import Verdict
from interlayer.language.comparison.vocabulary import Vocabulary

_VALUE_MAX: Final = 6  # content words
_MEASURED_AGAIN_S: Final = 60
_MORE_MAX: Final = 5  # content words that the newer statement may say beside its state


def judge_state(newer: Row, older: Row, known: Vocabulary) -> Verdict:
    """Judge two states of what the older statement is about."""
    for start, end, was in find_states(older, known):
        about = Content([*older[:start], *older[end:]])
        if not about.words or is_denied(about.row, known):
            continue
        for first, last, is_now in find_states(newer, known):
            rest = Content([*newer[:first], *newer[last:]])
            if is_denied(rest.row, known) or not exclude(is_now, was):
                continue
            if rest.share(about.words) == 1:
                more = [word for word in rest.beside(about) if word.kind == "word"]
                return Verdict.REPLACED if len(more) <= _MORE_MAX else Verdict.LIKELY
    return Verdict.DISTINCT


def judge_change(newer: Row, older: Row, known: Vocabulary, later_s: float, *, now: bool) -> Verdict:
    """Judge another value of what both statements are about, told in another sentence."""
    changed = known.changing.find([word.text for word in newer])
    said = Content([word for at, word in enumerate(newer) if not any(start <= at < end for start, end, _ in changed)])
    told = Content(older)
    shared = [word for word in told.words if said.says(word) and word.kind == "word"]
    value, was = said.beside(told), told.beside(said)
    if not shared or not value or not was or is_denied(newer, known) or is_denied(older, known):
        return Verdict.DISTINCT
    if len(value) > _VALUE_MAX or len(was) > _VALUE_MAX or not told.in_a_row(was) or not stateful(older):
        return Verdict.DISTINCT
    if past(older, known) or any(word.text in known.indefinite for word in older):
        return Verdict.DISTINCT
    kinds = kind_of(value), kind_of(was)
    if kinds[0] != kinds[1] or kinds[0] == "word":
        return Verdict.LIKELY if changed and kinds[0] == kinds[1] else Verdict.DISTINCT
    if changed or now:
        return Verdict.REPLACED
    return _judge_frames(newer, value, was, said, kinds[0], later_s, known)


def _judge_frames(
    newer: Row, value: Sequence[Word], was: Sequence[Word], said: Content, kind: str, later_s: float, known: Vocabulary
) -> Verdict:
    """Judge two plain statements of one attribute: "Kickoff takes place on ...", "The kickoff is on ..."."""
    if past(newer, known) or any(word.text in known.indefinite for word in newer) or not stateful(newer):
        return Verdict.DISTINCT
    if not said.in_a_row(value) or len(value) + len(was) == 0:
        return Verdict.DISTINCT
    if kind == "number" and later_s < _MEASURED_AGAIN_S:
        return Verdict.DISTINCT
    if kind == "name":
        return Verdict.LIKELY
    return Verdict.REPLACED
