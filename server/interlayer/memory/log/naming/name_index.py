"""Who bears a name, in any type: the items by which names in a content are looked up, many at once.

Each bearer has an item under the folded name, and beside them lies an empty one that says that there are any: whether
a hundred words are names is one read. It is only a hint. Whoever gives a name writes it, whatever is there; who takes
a name away asks whether others still bear it, and conflicts with whoever gives or takes it at the same time.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from interlayer.language.lexicon.reader import words
from interlayer.memory.log import keys
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.schema.schema import EntitySchema
from interlayer.storage.items import Delete, ItemStore, Key, Operation, Put

_WORD: Final = re.compile(r"[^\W_]+")
_LEGAL_FORMS: Final = words("legal_forms")


def forms_of(head: Head | None, schema: EntitySchema) -> list[str]:
    """Return the forms under which a content may name an entity: its display names, folded, and without legal forms."""
    found: list[str] = []
    for name in head.names if head else ():
        found.append(fold_name(name))
        if "he" not in schema.pronouns:  # nobody is called so
            found.append(without_legal_form(found[-1]))
    return list(dict.fromkeys(found))


def without_legal_form(folded: str) -> str:
    """Return a folded name without the legal forms at its end, the whole name if nothing else would be left."""
    said = folded.split()
    while len(said) > 1 and (_is_legal_form(said[-1]) or said[-1] in {"&", "+"}):
        said.pop()
    return " ".join(said).rstrip(",")


def _is_legal_form(word: str) -> bool:
    return "".join(_WORD.findall(word)) in _LEGAL_FORMS


def name_changes(
    organization: str, entity: EntityId, before: Sequence[str], after: Sequence[str]
) -> Iterator[Operation]:
    """Yield what follows when an entity goes by other forms of names than before."""
    for form in before:
        if form not in after:
            yield Delete(keys.borne(organization, form, entity))
    for form in after:
        if form not in before:
            yield Put(keys.borne(organization, form, entity), {}, expect=None)
            yield Put(keys.borne(organization, form), {}, expect=None)


async def names_left(store: ItemStore, operations: Iterable[Operation]) -> list[Operation]:
    """Return what becomes of the hints to the names that operations take away: gone where nobody else bears one."""
    taken = dict.fromkeys(one.key for one in operations if isinstance(one, Delete) and keys.is_borne(one.key))
    partitions: dict[str, set[str]] = {}
    for key in taken:
        partitions.setdefault(key.partition, set()).add(key.sort)
    given = {one.key.partition for one in operations if isinstance(one, Put) and keys.is_borne(one.key)}
    found: list[Operation] = []
    for partition, gone in partitions.items():
        if partition in given:
            continue
        items = (await store.query("memory", partition, limit=len(gone) + 2)).items
        others = [one for one in items if one.key.sort != keys.BEARER and one.key.sort not in gone]
        if others:
            hint = (await store.get_many([Key("memory", partition, keys.BEARER)])).values()
            found += [Put(one.key, {}, one.version) for one in hint]
        else:
            found += [Delete(one.key, one.version) for one in items if one.key.sort == keys.BEARER]
    return found


def once_each(operations: Iterable[Operation]) -> list[Operation]:
    """Return operations without the hints that several of them give: two new entities may bear one name."""
    seen: set[Key] = set()
    left: list[Operation] = []
    for one in operations:
        is_hint = keys.is_borne(one.key) and one.key.sort == keys.BEARER
        if not is_hint or one.key not in seen:
            left.append(one)
        if is_hint:
            seen.add(one.key)
    return left
