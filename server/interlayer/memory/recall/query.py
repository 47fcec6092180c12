"""What a caller asks: the words of a query that tell facts apart, and the words that an answer may hold beside them."""

from collections.abc import Collection, Sequence
from functools import lru_cache

from interlayer.errors import InvalidInput
from interlayer.language.terms import content_words, stem
from interlayer.memory.log.identifiers import check_text
from interlayer.memory.requests import ALSO_MAX, PHRASE_MAX, QUERY_MAX


def check_query(query: str, also: Sequence[str], follow: Sequence[str] = ()) -> None:
    """Raise `InvalidInput` for a query that is too long, and for words beside it that are too many or too long."""
    check_text(query, "query", QUERY_MAX)
    for name, phrases in (("also", also), ("follow", follow)):
        if len(phrases) > ALSO_MAX:
            raise InvalidInput(name, f"{len(phrases)} phrases.", f"At most {ALSO_MAX} are taken.")
        for place, phrase in enumerate(phrases):
            check_text(phrase, f"{name}.{place}", PHRASE_MAX)


def asked(query: str, names: Collection[str]) -> str:
    """Return the query without the entity's own names: every fact is about it, so they tell none from another."""
    return _without_names(query, tuple(names))


@lru_cache(maxsize=64)  # a recall asks twice: for the meaning and for the words
def _without_names(query: str, names: Sequence[str]) -> str:
    own = {stem(word) for name in names for word in content_words(name)}
    kept = [part for part in query.split() if not own.issuperset(stem(word) for word in content_words(part)) or not own]
    rest = " ".join(part for part in kept if part)
    return rest if any(True for _ in content_words(rest)) else query


def expected(query: str, also: Sequence[str]) -> str:
    """Return the words that an answer may hold and that the query does not have, in one text."""
    known = {stem(word) for word in content_words(query)}
    fresh = [word for phrase in also for word in content_words(phrase) if stem(word) not in known]
    return " ".join(dict.fromkeys(fresh))


def meant(query: str, also: Sequence[str]) -> str:
    """Return the text whose meaning stands for a query."""
    return " ".join([query, *also])
