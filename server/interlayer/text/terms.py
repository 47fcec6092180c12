"""From text to index terms: words, folded, without stop words, stemmed (Snowball English)."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import Stemmer

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_STEMMER: Final = Stemmer.Stemmer("english")

# Function words of English: articles, pronouns, prepositions, conjunctions, auxiliaries and question words.
# Negations are kept on purpose: "does not" and "does" must not look alike.
_FUNCTION_WORDS: Final = """
    a an the this that these those i me my we us our you your he him his she her it its they them their who
    whom whose which what when where why how there here am is are was were be been being do does did done have
    has had having will would shall should can could may might must about above after again against all also
    and any as at because before below between both but by down during each few for from further if in into
    just more most of off on once only or other out over own same so some such than then through to too under
    until up very while with
"""
STOP_WORDS: Final = frozenset(_FUNCTION_WORDS.split())


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the Snowball stem of one lower-case word."""
    return str(_STEMMER.stemWord(word))


def words(text: str) -> list[str]:
    """Return the words of a text, compatibility-folded and lower case, in order."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def terms(text: str) -> list[str]:
    """Return the index terms of a text: its words without stop words and possessive endings, stemmed, in order."""
    return [stem(word) for word in content_words(text)]


def content_words(text: str) -> Iterator[str]:
    """Yield the words of a text without stop words and possessive endings, as they stand, in order."""
    yield from without_stop_words(words(text))


def without_stop_words(found: Iterable[str]) -> Iterator[str]:
    """Yield what `words` found without stop words and possessive endings."""
    for word in found:
        bare = word.removesuffix("'s").removesuffix("’s")
        if bare and bare not in STOP_WORDS:
            yield bare
