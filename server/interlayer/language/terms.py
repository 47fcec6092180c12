"""From text to index terms: words, folded, without stop words, stemmed (Snowball English)."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import Stemmer

from interlayer.language.lexicon import reader as lexicon

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_STEMMER: Final = Stemmer.Stemmer("english")

STOP_WORDS: Final = lexicon.words("stop_words")
"""Function words, without negations."""


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
