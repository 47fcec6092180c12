"""The door: a content and who calls, and from that whom it tells of."""

from interlayer.documents.document import Document
from interlayer.memory.entities.repository import Entities
from interlayer.memory.entities.resolution import EntityReference, Resolution
from interlayer.memory.log.records import EntityId
from interlayer.memory.memorize.mentions.told import Told
from interlayer.memory.schema.schema import Schema
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore


class Mentions:
    """Finds whom contents tell of."""

    def __init__(self, store: ItemStore, entities: Entities, resolution: Resolution, schema: Schema) -> None:
        self._store = store
        self._entities = entities
        self._resolution = resolution
        self._schema = schema

    async def told(
        self,
        principal: Principal,
        content: str,
        document: Document,
        main: EntityReference | None,
        entity: EntityId | None,
    ) -> Told:
        """Return whom a content tells of.

        `main` is whom the call names, `entity` who that is, as far as it is known; both None where it names nobody.
        """
        return Told(main_type=main.entity.type if main else "")
