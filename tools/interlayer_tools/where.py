"""The `where` argument that search_memory and list_entities share."""

from collections.abc import Sequence

from interlayer.memory.requests import Condition, Operator
from interlayer_tools.tool import Input, PropertyValue


class ConditionInput(Input):
    """One comparison of an indexed property."""

    property: str
    op: Operator
    value: PropertyValue


def conditions(given: Sequence[ConditionInput]) -> list[Condition]:
    """Return the conditions of a call."""
    return [Condition(one.property, one.op, one.value) for one in given]
