"""Import of collection files: property definitions as another product exports them, turned into a schema of ours.

The file is a JSON list of collections: `collectionName`, `entityType`, and `properties` with `propertyName`,
`systemName`, `type` (text, options, array, number, date, boolean), `options` ("a, b, c"), `description`, `update`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from interlayer.errors import InvalidInput
from interlayer.memory.schema.schema import Schema, starter_schema

_TYPES: Final = {
    "text": "text",
    "options": "enum",
    "array": "list",
    "number": "number",
    "date": "date",
    "boolean": "boolean",
}
_INDEXED: Final = frozenset({"enum", "number", "date", "boolean"})
_HEADER: Final = """\
# Made from a collection file. Edit it freely: docs/writing-schemas.md says what each key means.
# Values of an enum may be given synonyms: `Closed Won: [won, signed]`.
"""


class _Property(BaseModel):
    model_config = ConfigDict(extra="ignore")

    systemName: str  # noqa: N815 - the file's own words
    type: str
    propertyName: str = ""  # noqa: N815
    options: str = ""
    description: str = ""
    update: bool = True
    status: str = "Active"


class _Collection(BaseModel):
    model_config = ConfigDict(extra="ignore")

    entityType: str  # noqa: N815
    properties: tuple[_Property, ...]
    collectionName: str = ""  # noqa: N815
    definition: str = ""
    status: str = "Active"


_COLLECTIONS: Final = TypeAdapter(tuple[_Collection, ...])


def schema_of(text: str, origin: str, only: Sequence[str] = ()) -> tuple[str, list[str]]:
    """Return the YAML of a schema with the collections of a JSON text, and notes on what was left out.

    `only` names the collections to take. Types of the starter schema that no collection replaces are kept. Raises
    `InvalidInput` naming `origin` and the place in it.
    """
    chosen = [one for one in _read(text, origin) if one.status == "Active" and (not only or one.collectionName in only)]
    if not chosen:
        known = ", ".join(repr(one.collectionName) for one in _read(text, origin))
        raise InvalidInput("collection", f"none of that name is active in {origin}.", f"It holds {known}.")
    starter = starter_schema().model_dump(mode="json", exclude_defaults=True)
    entities: dict[str, dict[str, Any]] = dict(starter["entities"])
    notes: list[str] = []
    made: dict[str, dict[str, Any]] = {}
    for collection in chosen:
        kind = _name(collection.entityType)
        known = entities.get(kind, {})
        entity = made.setdefault(
            kind,
            {
                "description": known.get("description") or collection.definition,
                "identifiers": list(known.get("identifiers", ["crm_id"])),
                "properties": {},
            },
        )
        notes += _add(entity["properties"], collection, f"{origin}: {collection.collectionName}")
    kept = {name: starter[name] for name in ("identifiers", "relations")}
    document = {"version": 1, "entities": {**entities, **made}, **kept}
    Schema.model_validate(document)
    return _HEADER + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110), notes


def _read(text: str, origin: str) -> tuple[_Collection, ...]:
    try:
        return _COLLECTIONS.validate_python(json.loads(text))
    except ValueError as error:
        if not isinstance(error, ValidationError):
            raise InvalidInput("collections", f"{origin}: no JSON: {error}.") from error
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("collections", f"{origin}: {place}: {first['msg']}.") from error


def _add(properties: dict[str, Any], collection: _Collection, origin: str) -> list[str]:
    known: list[str] = []
    inactive: list[str] = []
    for one in collection.properties:
        name = _name(one.systemName)
        if one.status != "Active":
            inactive.append(name)
        elif name in properties:
            known.append(name)
        else:
            properties[name] = _property(one, f"{origin}.{name}")
    notes = [f"{origin}: not active and left out: {', '.join(inactive)}"] if inactive else []
    return notes + ([f"{origin}: known already, the first definition stands: {', '.join(known)}"] if known else [])


def _property(one: _Property, origin: str) -> Mapping[str, Any]:
    kind = _TYPES.get(one.type)
    if kind is None:
        raise InvalidInput("collections", f"{origin}: unknown type {one.type!r}.", f"Known: {', '.join(_TYPES)}.")
    made: dict[str, Any] = {"type": kind}
    if one.description:
        made["description"] = one.description
    if kind == "enum":
        made["values"] = {value.strip(): [] for value in one.options.split(",") if value.strip()}
        if not made["values"]:
            raise InvalidInput("collections", f"{origin}: options are missing.")
    if kind == "list":
        made["update"] = "append"
    elif not one.update:
        made["update"] = "keep_first"
    if kind in _INDEXED:
        made["indexed"] = True
    return made


def _name(given: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", given.casefold()).strip("_")[:40]
    if not re.match(r"[a-z]", name):
        raise InvalidInput("collections", f"{given!r} cannot be a name.", "Names begin with a letter.")
    return name
