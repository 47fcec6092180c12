"""What a sentence is by its form: a statement, or what states nothing of anybody.

What can be told from words alone is told from the word lists, in any of their languages. In doubt it is a statement.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

from interlayer.documents.document import Kind
from interlayer.language.lexicon.reader import forms, pattern, words
from interlayer.language.terms import STOP_WORDS

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_QUESTION: Final = re.compile(r"[?？؟][\s\"'”’»)\]}!?？\U0001f300-\U0001faff\u2600-\u27bf]*$")
_TAG: Final = re.compile(rf"(?i)[,–-]\s*(?:{pattern(forms('question_tags'))})\s*[?？؟]\W*$")
_INNER: Final = re.compile(r"(?:\S+\s+){3}\S*[.!]\s+\S")  # a statement that was not cut off before the question
_SALUTATION: Final = re.compile(
    rf"(?i)(?:{pattern(forms('salutations'))})\b(?:[^.!?;:,\d]|(?<=\b\w\w)\.|(?<=\b\w\w\w)\.){{0,60}}[,.!:;]*$"
)
_CLOSING: Final = re.compile(rf"(?i)(?:{pattern(forms('closings'))})\b[\s,.!;:–-]*(?P<rest>.{{0,60}})$")
_DISCLAIMER: Final = re.compile(rf"(?i)(?<!\w)(?:{pattern(forms('disclaimers'))})(?!\w)")
_COURTESY: Final = re.compile(rf"(?i)\W*(?:{pattern(forms('courtesies'))})(?!\w)")
_CLAUSE: Final = re.compile(r"[,;:–—!.]\s+|\s(?:and|but|und|aber|et|mais|y|pero|e|ma|mas|en|maar)\s", re.IGNORECASE)
_BRACKETED: Final = re.compile(r"[\[(*_~]+[^\[\]()]{1,120}[\])*_~]+\.?$")
_SMALL_TALK: Final = words("small_talk", "salutations", "closings") | STOP_WORDS
_UNSPACED: Final = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2}")
_NAME_WORDS: Final = 5


def kind_of(text: str, names: Sequence[str] = (), called: Collection[str] = ()) -> Kind:
    """Return the kind of a sentence.

    `names` are those of whoever wrote it, full names first; `called` are folded words that name whom it may speak to.
    """
    said = _WORD.findall(text)
    return _furniture(text, said, names) or _said_kind(text, [word for word in said if word.casefold() not in called])


def _furniture(text: str, said: Sequence[str], names: Sequence[str]) -> Kind | None:
    """Return the kind of a sentence if it belongs to the form of a text and not to what is said in it."""
    if is_disclaimer(text):
        return "disclaimer"
    if is_signature(text, names):
        return "signature"
    if is_greeting(text):
        return "greeting"
    return "furniture" if _BRACKETED.match(text) and len(said) <= 10 else None


def _said_kind(text: str, said: Sequence[str]) -> Kind:
    if _QUESTION.search(text):
        is_more = _INNER.search(text) or (_TAG.search(text) and len(said) > _NAME_WORDS)
        return "statement" if is_more else "question"
    if _is_courteous(text):
        return "greeting"
    return "fragment" if not said or _says_nothing(text, said) else "statement"


def is_disclaimer(text: str) -> bool:
    """Return whether a text is what a house puts below all its mails."""
    return _DISCLAIMER.search(text) is not None


def is_greeting(text: str) -> bool:
    """Whether a line or sentence but greets somebody."""
    return bool(_SALUTATION.match(text)) and len(text.split()) <= 1 + _NAME_WORDS


def is_closing(text: str) -> bool:
    """Whether a line takes leave, alone or before a name."""
    found = _CLOSING.match(text.strip())
    return bool(found) and _is_short_name(found["rest"])


def is_signature(text: str, names: Sequence[str]) -> bool:
    """Whether a sentence is but the leave and the name of whoever wrote it, with the role behind it."""
    bare = text.strip(" .,-–—")
    closing = _CLOSING.match(bare)
    if closing and closing["rest"] and _is_short_name(closing["rest"]):
        return True
    for name in names:
        if bare.casefold() == name.casefold():
            return True
        if bare.casefold().startswith(name.casefold()) and re.match(r"\s*[,|/–-]", bare[len(name) :]):
            return all(len(part.split()) <= _NAME_WORDS for part in re.split(r"[,|/]", bare)) and "." not in bare
    return False


def _is_short_name(text: str) -> bool:
    """Whether nothing stands there, or no more than a name and a role."""
    parts = text.split()
    return len(parts) <= 2 * _NAME_WORDS and all(part[0].isupper() or not part[0].isalpha() for part in parts)


def _is_courteous(text: str) -> bool:
    """Whether a sentence begins with courtesy and has nothing else to say, in any of its clauses."""
    if not _COURTESY.match(text) or any(character.isdigit() for character in text):
        return False
    return all(
        _COURTESY.match(clause) or len(clause.split()) < 4 or _says_nothing(clause, _WORD.findall(clause))
        for clause in _CLAUSE.split(text)
    )


def _says_nothing(text: str, said: Sequence[str]) -> bool:
    """Whether no word is left without function words and small talk, one name at the end apart."""
    if any(character.isdigit() for character in text) or _UNSPACED.search(text):
        return False
    left = [word for word in said if word.casefold().replace("’", "'") not in _SMALL_TALK]
    if not left:
        return True
    if len(said) == 1:
        return True
    return len(left) == 1 and left[0] == said[-1] and left[0][0].isupper() and len(said) <= 4
