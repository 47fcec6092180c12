"""Whom a query names: the entities that bear a name or an identifier that stands in it, as it is written there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import anyio

from interlayer.language.terms import STOP_WORDS
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log.identifiers import fold_name, parse_entity, possible_identifiers
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.schema.schema import Schema

_WORDS_MAX: Final = 5  # of a name
_PLAIN_WORDS_MAX: Final = 3  # of one that is written without a capital or a digit
_LOOKED_UP_MAX: Final = 48  # names times types: each is a read of its own
_NAMED_MAX: Final = 10  # entities; a name that more bear names nobody
_EDGES: Final = ".,;:!?\"'“”„‚‘’«»()[]{}<>…"


@dataclass(frozen=True, slots=True)
class _Run:
    """Words of a query in a row that may be a name, and their places."""

    text: str
    first: int
    last: int


class Mentions:
    """Finds the entities that queries name."""

    def __init__(self, entities: Entities, schema: Schema) -> None:
        self._entities = entities
        self._schema = schema

    async def named_in(self, organization: str, query: str, entity_type: str | None, sight: Sight) -> Sequence[Head]:
        """Return the entities that a query names, as they may be shown, of a type if one is given.

        The longest name that is borne counts.
        """
        types = [entity_type] if entity_type else list(self._schema.entities)
        runs = _runs(query)[: max(_LOOKED_UP_MAX // len(types), 1)]
        borne = await self._bearers(organization, runs, types)
        heads = await self._shown(organization, borne, sight)
        taken: set[int] = set()
        named: dict[EntityId, Head] = {}
        for run in runs:
            places = set(range(run.first, run.last + 1))
            found = {one: heads[run, one] for one in sorted(borne[run]) if (run, one) in heads}
            if found and not places & taken:
                taken |= places
                if len(found) <= _NAMED_MAX:
                    named |= found
        return list(named.values())[:_NAMED_MAX]

    async def _shown(
        self, organization: str, borne: Mapping[_Run, set[EntityId]], sight: Sight
    ) -> Mapping[tuple[_Run, EntityId], Head]:
        """Return the heads of the bearers that a caller may know by the words of a run."""
        stored = await self._entities.heads(organization, sorted({one for found in borne.values() for one in found}))
        heads = {head.entity: head for head in stored}
        shown: dict[tuple[_Run, EntityId], Head] = {}
        for run, found in borne.items():
            for one in found:
                called = parse_entity(f"{one.type}:{run.text}", self._schema)
                head = await self._entities.shown(organization, heads[one], sight, called) if one in heads else None
                if head:
                    shown[run, one] = head
        return shown

    async def _bearers(
        self, organization: str, runs: Sequence[_Run], types: Sequence[str]
    ) -> Mapping[_Run, set[EntityId]]:
        """Look up who bears the words of each run as a name or an identifier, all at once."""
        borne: dict[_Run, set[EntityId]] = {run: set() for run in runs}

        async def look_up(run: _Run, kind: str) -> None:
            for value in self._spellings(kind, run.text):
                by_identifier, so_called = await self._entities.bearers(organization, kind, value)
                borne[run] |= {EntityId(kind, one) for one in by_identifier | so_called}

        try:
            async with anyio.create_task_group() as group:
                for run in runs:
                    for kind in types:
                        group.start_soon(look_up, run, kind)
        except BaseExceptionGroup as errors:  # the store is away for all of them alike
            raise errors.exceptions[0] from errors
        return borne

    def _spellings(self, kind: str, text: str) -> set[str]:
        """Return the forms under which a name or an identifier of a type would be kept."""
        if " " in text or text.isalpha():
            return {fold_name(text)}
        return {
            fold_name(text),
            *possible_identifiers(parse_entity(f"{kind}:{text}", self._schema), self._schema).values(),
        }


def _runs(query: str) -> list[_Run]:
    """Return the runs that may be names, longest first; where words look like names, one begins and one ends a run."""
    words = [_bare(word) for word in query.split()]
    looks = [any(one.isupper() or one.isdigit() for one in word) or "@" in word or "." in word for word in words]
    content = [bool(word) and word.casefold() not in STOP_WORDS for word in words]
    proper = [one and other for one, other in zip(looks, content, strict=True)]
    edges, longest = (proper, _WORDS_MAX) if any(proper) else (content, _PLAIN_WORDS_MAX)
    runs = [
        _Run(" ".join(words[first : last + 1]), first, last)
        for first in range(len(words))
        for last in range(first, min(first + longest, len(words)))
        if edges[first] and edges[last]
    ]
    return sorted(runs, key=lambda run: run.first - run.last)


def _bare(word: str) -> str:
    """Return a word without the punctuation around it and a possessive ending."""
    bare = word.strip(_EDGES)
    for ending in ("'s", "’s"):
        bare = bare.removesuffix(ending)
    return bare
