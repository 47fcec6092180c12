"""What a statement begins with and does not say itself: a greeting, who speaks, that it is so now."""

from collections.abc import Sequence
from typing import Final

from interlayer.language.comparison.content import Row
from interlayer.language.comparison.tokens import Token
from interlayer.language.comparison.vocabulary import Vocabulary

_LABEL_MAX: Final = 4  # words
_GREETING_MAX: Final = 5  # words


def without_greeting(found: Sequence[Token], known: Vocabulary) -> Sequence[Token]:
    """Leave out the greeting that a sentence begins with, up to its comma: "Hello again, ..."."""
    greeting = next(iter(known.greetings.find([token.text for token in found[:_GREETING_MAX]])), None)
    comma = next((at for at, token in enumerate(found[: _GREETING_MAX + 1]) if token.text == ","), 0)
    return found[comma + 1 :] if greeting and greeting[0] == 0 and comma else found


def without_new(found: list[Token], known: Vocabulary) -> tuple[list[Token], bool]:
    """Leave out that what a sentence begins with is new, where there is one at a time: "the new contact is ..."."""
    texts = [token.text for token in found]
    at = next((at for at, text in enumerate(texts[:2]) if text in known.new), None)
    if at is None or not any(start == 0 for start, _, _ in known.outdating.held_once.find(texts[at + 1 :])):
        return found, False
    return [*found[:at], *found[at + 1 :]], True


def without_idle(found: Sequence[Token], known: Vocabulary) -> tuple[list[Token], bool]:
    """Leave out words for "now" and openers of corrections, and say whether it is so now."""
    texts = [token.text for token in found]
    idle = {place for start, end, _ in known.idle.find(texts) for place in range(start, end)}
    now = bool(known.now.find(texts))
    return [token for place, token in enumerate(found) if place not in idle], now


def split_speaker(row: Row, known: Vocabulary) -> tuple[str, Row]:
    """Split off who speaks: a label that names no attribute."""
    colon = next((at for at, word in enumerate(row[: _LABEL_MAX + 1]) if word.text == ":"), 0)
    label = row[:colon]
    if not label:
        return "", _told(row, known)
    named = all(word.kind == "word" and (word.name or at == 0) for at, word in enumerate(label))
    if not label or not named or any(word.text in known.labels or word.key in known.labels for word in label):
        return "", row
    return " ".join(word.text for word in label), row[colon + 1 :]


def _told(row: Row, known: Vocabulary) -> Row:
    """Return what somebody is said to have told: what stands behind the colon of "Ann called about it: ..."."""
    colon = next((at for at, word in enumerate(row) if word.text == ":"), 0)
    tells = any(word.text in known.telling for word in row[:colon])
    return row[colon + 1 :] if tells and sum(word.content for word in row[colon + 1 :]) > 1 else row
