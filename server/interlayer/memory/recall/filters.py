"""`where`: which entities have certain property values, answered from the indexes of the item store."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from interlayer.errors import InvalidInput
from interlayer.memory.entities.sight import Sight
from interlayer.memory.log import keys
from interlayer.memory.migration.record import ensure_in_force
from interlayer.memory.requests import CONDITIONS_MAX, Condition
from interlayer.memory.schema.schema import PropertySchema, Schema
from interlayer.memory.schema.types import ValueProblem
from interlayer.storage.items import LAST, ItemStore, Span


class Filters:
    """Finds entities by their indexed properties."""

    def __init__(self, store: ItemStore, schema: Schema) -> None:
        self._store = store
        self._schema = schema

    async def matching(self, organization: str, entity_type: str, where: Sequence[Condition], sight: Sight) -> set[str]:
        """Return the ids of the entities that may meet every condition. Raises `InvalidInput`.

        Where not all may see the same memories of one, it has still to be seen whether it `meets` them.
        """
        withheld = sight.withheld(self._schema.entity(entity_type, "entity_type"))
        for condition in where:
            if condition.property in withheld:
                problem = f"{condition.property} is not yours to filter by."
                raise InvalidInput("where", problem, "Leave it out; its values are withheld from you.")
        if len(where) > CONDITIONS_MAX:
            raise InvalidInput("where", f"{len(where)} conditions.", f"At most {CONDITIONS_MAX} are taken.")
        await ensure_in_force(self._store, organization, self._schema)
        found: set[str] | None = None
        for condition in where:
            ids = await self._bearing(organization, entity_type, condition)
            found = ids if found is None else found & ids
        return found or set()

    def meets(self, entity_type: str, where: Sequence[Condition], properties: Mapping[str, Any]) -> bool:
        """Tell whether values meet every condition as they would in the index."""
        for condition in where:
            if condition.property not in properties:
                return False
            value = keys.index_value(properties[condition.property])
            spans = _spans(condition, self._schema.indexed(entity_type, condition.property))
            if not any(span.start <= f"{value}#" < span.end and accepts(value) for span, accepts in spans):
                return False
        return True

    async def _bearing(self, organization: str, entity_type: str, condition: Condition) -> set[str]:
        declared = self._schema.indexed(entity_type, condition.property)
        found: set[str] = set()
        for span, accepts in _spans(condition, declared):
            place = keys.index(organization, entity_type, condition.property, "", "")
            page = await self._store.query("memory", place.partition, span)
            for item in page.items:
                value, _, entity_id = item.key.sort.rpartition("#")
                if accepts(value):
                    found.add(entity_id)
        return found


def _spans(condition: Condition, declared: PropertySchema) -> list[tuple[Span, Callable[[str], bool]]]:
    """Return the parts of the index to read, and which of the values there count."""
    if condition.op == "contains":
        wanted = keys.index_value(str(condition.value))
        return [(Span(), lambda value: wanted in value)]
    values = condition.value if condition.op == "in" else [condition.value]
    if not isinstance(values, list):
        raise InvalidInput("where.value", "op in takes a list of values.")
    encoded = [keys.index_value(_normal(condition.property, declared, value)) for value in values]
    if condition.op in {"eq", "in"}:
        return [(Span.prefix(f"{value}#"), _always) for value in encoded]
    one = encoded[0]
    spans: Mapping[str, list[tuple[Span, Callable[[str], bool]]]] = {
        "ne": [(Span(), lambda value: value != one)],
        "gt": [(Span(start=one), lambda value: value > one)],
        "gte": [(Span(start=one), lambda value: value >= one)],
        "lt": [(Span(end=one), _always)],
        "lte": [(Span(end=f"{one}#{LAST}"), lambda value: value <= one)],
    }
    return spans[condition.op]


def _always(_: str) -> bool:
    return True


def _normal(name: str, declared: PropertySchema, value: Any) -> Any:
    try:
        normal = declared.normal(value)
    except ValueProblem as problem:
        raise InvalidInput("where.value", f"{name} {problem}.") from problem
    return normal
