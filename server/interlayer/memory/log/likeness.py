"""Why two entities look like one by what they are called, in the words in which people are told."""

from collections.abc import Collection, Iterator
from typing import Final

from interlayer.language.fuzzy_names import words_lacking, words_of
from interlayer.memory.log.called import Called
from interlayer.memory.log.identifiers import fold_name
from interlayer.text.confusables import look_alike

LOOK_ALIKE: Final = "look-alike characters"
SAME_NAME: Final = "same name"
OTHER_FORM: Final = "same name in another form"
SIMILAR_NAME: Final = "similar name"
IN_ADDRESS: Final = "name in the address"
SAME_DOMAIN: Final = "same domain"
_STRONGEST_FIRST: Final = (LOOK_ALIKE, SAME_NAME, OTHER_FORM, IN_ADDRESS, SIMILAR_NAME)


def reasons_for(one: Called, other: Called) -> list[str]:
    """Return what speaks for two entities being one, the strongest first; nothing where too little does.

    Nothing alone speaks for it but a name. One that is only similar does not where two companies' addresses, or a
    single word, may be those of two people.
    """
    found = set(_of_names(one, other))
    domains = _pairs(one.mail_domains, other.mail_domains)
    imitated = any(look_alike(*pair) for pair in domains)
    if imitated and (found or set(one.handles) & set(other.handles)):
        found.add(LOOK_ALIKE)
    name = next((reason for reason in _STRONGEST_FIRST if reason in found), None)
    is_shared = any(mine == theirs for mine, theirs in domains)
    is_apart = bool(domains) and not is_shared and name != LOOK_ALIKE
    if name is None or (is_apart and (name == SIMILAR_NAME or _is_short(one, other))):
        return []
    return [name, *([SAME_DOMAIN] if is_shared else [])]


def _of_names(one: Called, other: Called) -> Iterator[str]:
    """Yield in which ways two entities are called alike."""
    for mine, theirs in _pairs(one.names, other.names):
        yield from _of_two(mine, theirs)
    if one.names and other.names:
        return
    for mine, theirs in _pairs(one.names or one.handles, other.names or other.handles):
        first, second = words_of(mine), words_of(theirs)
        if look_alike("".join(first), "".join(second)):
            yield LOOK_ALIKE
        elif sorted(first) == sorted(second) and (one.names or other.names or len(first) > 1):
            yield IN_ADDRESS


def _of_two(one: str, other: str) -> Iterator[str]:
    """Yield how two names are alike."""
    first, second = words_of(one), words_of(other)
    if fold_name(one) == fold_name(other):
        yield SAME_NAME
    elif sorted(first) == sorted(second):
        yield OTHER_FORM
    elif look_alike(" ".join(first), " ".join(second)):
        yield LOOK_ALIKE
    elif _is_near(one, other):
        yield SIMILAR_NAME


def _is_near(one: str, other: str) -> bool:
    lacking = words_lacking(one, other)
    return lacking == 0 or (lacking == 1 and min(len(words_of(one)), len(words_of(other))) > 1)


def _is_short(one: Called, other: Called) -> bool:
    """Tell whether one of two is called by a single word, which many may be called."""
    return any(all(len(words_of(name)) < 2 for name in called.names or called.handles) for called in (one, other))


def _pairs(one: Collection[str], other: Collection[str]) -> list[tuple[str, str]]:
    return [(mine, theirs) for mine in one for theirs in other]
