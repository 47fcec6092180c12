"""The schema that an organization's data was last written under, recorded beside the data.

Heads and index items hold what the log came to under the schema of their writer. So a process writes only under the
schema on record; another one is brought in by `migrating`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from interlayer.errors import Refused, Unavailable
from interlayer.memory.log import keys
from interlayer.memory.schema.diff import Difference, Former, differences, former_after
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import ABSENT, ItemStore, Put


@dataclass(frozen=True, slots=True)
class Recorded:
    """The record: the schema, names that observations may be hidden under, and changes begun but not finished."""

    schema: Schema
    former: Former = field(default_factory=dict[str, frozenset[str]])
    begun: tuple[Schema, ...] = ()
    version: int = ABSENT

    def differences(self, new: Schema) -> list[Difference]:
        """List what the new schema changes."""
        return differences(self.schema, new, self.former)

    def unsettled(self, new: Schema) -> list[Difference]:
        """List what may have to be written anew: what the new schema changes, and what was begun towards others."""
        found = self.differences(new)
        for one in self.begun:
            found += differences(one, new, former_after(self.former, self.differences(one)))
        return found

    def put(self, organization: str, *, begun: tuple[Schema, ...]) -> Put:
        """Build the operation that marks changes as begun."""
        return Put(keys.schema(organization), _body(self.schema, self.former, begun), self.version)

    def put_schema(self, organization: str, new: Schema) -> Put:
        """Build the operation that puts another schema on record, every begun change being finished."""
        former = former_after(self.former, self.unsettled(new))
        return Put(keys.schema(organization), _body(new, former, ()), self.version)


async def recorded(store: ItemStore, organization: str) -> Recorded | None:
    """Return the record, None for an organization that has none yet. Raises `Refused` for one that is too new."""
    item = await store.get(keys.schema(organization))
    if item is None:
        return None
    try:
        return Recorded(
            Schema.model_validate_json(item.body["schema"]),
            {name: frozenset(names) for name, names in item.body["former"].items()},
            tuple(Schema.model_validate_json(one) for one in item.body["begun"]),
            item.version,
        )
    except ValidationError as error:
        raise Refused(
            "schema: the one on record was written by another version of interlayer, which knows other keys. "
            "Use that version."
        ) from error


async def ensure_in_force(store: ItemStore, organization: str, schema: Schema) -> None:
    """Return if the schema is the one on record, or none is.

    Raises `Refused` for another one and `Unavailable` while it is being changed: what this process would write then,
    or look up in an index, would not be what the others read.
    """
    item = await store.get(keys.schema(organization))
    if item is None:
        return
    if item.body["begun"]:
        raise Unavailable(
            "schema: it is being changed just now; send the same call again in a moment. If that lasts, the change was "
            "cut off: `interlayer schema apply` completes it."
        )
    if item.body["digest"] != schema.digest:
        raise Refused("schema: it was changed since this server started. Start the server anew with that one.")


def _body(schema: Schema, former: Former, begun: tuple[Schema, ...]) -> Mapping[str, Any]:
    # Schemas are kept as text, so that to compare digests, at every write, is to read few values.
    return {
        "schema": schema.canonical,
        "digest": schema.digest,
        "former": {name: sorted(names) for name, names in former.items()},
        "begun": [one.canonical for one in begun],
    }
