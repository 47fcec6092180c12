"""Whom an organization knows: the bearers of names and identifiers as a caller may see them, looked up at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import anyio

from interlayer.errors import InvalidInput
from interlayer.memory.entities.repository import BEARERS_MAX, Entities
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log import keys
from interlayer.memory.log.identifiers import EntityString, fold_name, normal_identifier
from interlayer.memory.log.naming.name_index import without_legal_form
from interlayer.memory.log.records import EntityId, Head
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import ItemStore, Key

_BEARERS: Final = 10  # a name that more bear names nobody

Identifier = tuple[str, str, str]
"""Entity type, kind and normal form."""


@dataclass(slots=True)
class Known:
    """What was looked up: the bearers of each folded name and of each identifier, as they may be shown."""

    named: dict[str, list[Head]] = field(default_factory=dict[str, list[Head]])
    held: dict[Identifier, Head] = field(default_factory=dict[Identifier, Head])
    main: Head | None = None

    @property
    def heads(self) -> list[Head]:
        """All that were found, each once."""
        found = [head for some in self.named.values() for head in some]
        found += [*self.held.values(), *([self.main] if self.main else [])]
        return list({head.entity: head for head in found}.values())

    def add(self, other: "Known") -> None:
        """Add what was looked up later."""
        self.named |= other.named
        self.held |= other.held


class Directory:
    """Looks up names and identifiers, each kind of read once for all of them."""

    def __init__(self, store: ItemStore, entities: Entities, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._schema = schema

    def identifier(self, entity_type: str, kind: str, value: str) -> Identifier | None:
        """Return an identifier in normal form, None for what is none."""
        try:
            return (entity_type, kind, normal_identifier(kind, value, self._schema))
        except InvalidInput:
            return None

    async def look_up(
        self,
        organization: str,
        sight: Sight,
        names: Sequence[str],
        identifiers: Iterable[Identifier],
        main: Head | None = None,
        settled: Mapping[str, Identifier] | None = None,
    ) -> Known:
        """Return who bears names and identifiers. A name that a caller may not know somebody by is nobody's.

        `settled` are names beside which an identifier says whose they are: they are not looked up where it is known.
        """
        hints = {keys.borne(organization, name): name for name in names}
        claims = {keys.identifier(organization, kind, value, of): (kind, of, value) for kind, of, value in identifiers}
        found = await self._store.get_many([*hints, *claims]) if hints or claims else {}
        told = {claims[key] for key in found if key in claims}
        plain = {name for name, one in (settled or {}).items() if one in told}
        borne = await self._bearers({hints[key]: key for key in found if key in hints and hints[key] not in plain})
        holders = {
            claims[key]: EntityId(claims[key][0], item.body["id"]) for key, item in found.items() if key in claims
        }
        heads = {main.entity: main} if main else {}
        wanted = sorted({*(one for some in borne.values() for one in some), *holders.values()} - heads.keys())
        heads |= {head.entity: head for head in await self._entities.heads(organization, wanted)} if wanted else {}
        known = Known()
        if main:
            known.main = await self._entities.shown(organization, main, sight)
        for name, bearers in borne.items():
            shown = [await self._shown(organization, heads.get(one), sight, name) for one in bearers]
            if seen := [head for head in shown if head]:
                known.named[name] = seen
        for one, holder in holders.items():
            if head := await self._shown(organization, heads.get(holder), sight, one[2]):
                known.held[one] = head
        return known

    async def _bearers(self, names: Mapping[str, Key]) -> dict[str, list[EntityId]]:
        """Return who bears each of the names that are borne."""
        found: dict[str, list[EntityId]] = {}

        async def ask(name: str, place: Key) -> None:
            page = await self._store.query("memory", place.partition, limit=BEARERS_MAX)
            sorts = [item.key.sort.split("#", 1) for item in page.items if item.key.sort != keys.BEARER]
            bearers = [EntityId(kind, one) for kind, one in sorts]
            found[name] = bearers if len(bearers) <= _BEARERS else []

        try:
            async with anyio.create_task_group() as group:
                for name, place in names.items():
                    group.start_soon(ask, name, place)
        except BaseExceptionGroup as errors:  # the store is away for all of them alike
            raise errors.exceptions[0] from errors
        return found

    async def _shown(self, organization: str, head: Head | None, sight: Sight, called: str) -> Head | None:
        """Return a head as it may be shown, if the caller may know it by what it is called."""
        if head is None or head.merged_into or head.entity.type not in self._schema.entities:
            return None
        shown = await self._entities.shown(organization, head, sight)
        if shown is None or not head.labels:
            return shown
        bare = {form for name in shown.names for form in (fold_name(name), without_legal_form(fold_name(name)))}
        is_so_called = called in bare or self._entities.bears(shown, EntityString(head.entity.type, called))
        return shown if is_so_called else None
