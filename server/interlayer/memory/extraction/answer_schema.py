"""The JSON schema of what a model is asked to answer when it reads content."""

from collections.abc import Mapping
from typing import Any, Final

from interlayer.memory.schema.schema import Schema

NAME: Final = "extraction"
_CHARACTERS_A_FACT: Final = 60  # dense notes have one in as many
_FACTS_MAX: Final = (5, 10, 20, 40, 80)  # of one passage, in steps: a server compiles each schema that it sees
_CHARACTERS_MAX: Final = 400  # of a statement, a quotation, a value
_ENTRIES_MAX: Final = 20  # of a list that is a value
_LABEL_MAX: Final = 4  # F1 to F999
_NAME_MAX: Final = 120
_IDENTIFIERS_MAX: Final = 3
_TYPE_MAX: Final = 40
_DAY: Final = len("2026-02-21")
_SHARES: Final = (0.95, 0.85, 0.7, 0.5, 0.3, 0.1)


def answer_schema(
    schema: Schema, entity_type: str, characters: int, *, facts_known: bool = False, values_known: bool = False
) -> dict[str, Any]:
    """Return the JSON schema of an answer: closed objects with every key required, as strict modes ask.

    It is bounded by how long the passage is, so that whatever decodes by it comes to an end. Which known fact is
    repeated or replaced is only asked where there are any, and so is which value goes: small models get no more to fill
    in than they have to.
    """
    text, share = _text(_CHARACTERS_MAX), {"type": "number", "enum": list(_SHARES)}
    properties = list(dict.fromkeys(name for one in schema.entities.values() for name in one.current))
    names = {"type": "string", "enum": properties} if properties else text
    entries = {"type": "array", "items": text, "maxItems": _ENTRIES_MAX}
    value = {"anyOf": [text, {"type": "number"}, {"type": "boolean"}, entries]}
    truth, label, day, who = {"type": "boolean"}, _text(_LABEL_MAX), _text(_DAY), _text(_NAME_MAX)
    identifiers = {"type": "array", "items": who, "maxItems": _IDENTIFIERS_MAX}
    entity = _closed_object(
        {"name": who, "type": {"type": "string", "enum": list(schema.entities)}, "identifiers": identifiers}
    )
    # The quote first: what a model has just copied, it states; what it has stated already, it finds a quote for.
    said = {"quote": text, "about": who, "text": text, "confidence": share, "observed_at": day}
    fact = _closed_object(said | ({"repeats": label, "replaces": label, "ended": truth} if facts_known else {}))
    stated = {"quote": text, "about": who, "name": names, "value": value, "confidence": share}
    prop = _closed_object(stated | ({"remove": truth} if values_known else {}))
    ends = {"source": who, "type": _text(_TYPE_MAX), "target": who}
    relation = _closed_object({"quote": text, **ends, "confidence": share, "ended": truth, "observed_at": day})
    facts_max = next((most for most in _FACTS_MAX if most * _CHARACTERS_A_FACT >= characters), _FACTS_MAX[-1])
    most = {
        "entities": facts_max,
        "facts": facts_max,
        "properties": max(len(schema.entities[entity_type].current), facts_max),
        "relations": facts_max,
    }
    items = {"entities": entity, "facts": fact, "properties": prop, "relations": relation}
    return _closed_object({name: {"type": "array", "items": items[name], "maxItems": most[name]} for name in items})


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": most}


def _closed_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
