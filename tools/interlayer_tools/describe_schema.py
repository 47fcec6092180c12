"""describe_schema: what an agent reads before it memorizes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from interlayer.principal import Principal
from interlayer_tools.tool import Domains, Input, Output, Tool

if TYPE_CHECKING:
    from interlayer.memory.schema.schema import Schema

DESCRIPTION = """\
List entity types, properties and identifier kinds. Read it once before memorize, to use the right names."""


class DescribeInput(Input):
    """describe_schema takes no arguments."""


class DescribeOutput(Output):
    """Answer of describe_schema."""

    entity_types: list[dict[str, Any]]
    identifier_kinds: list[str]


def described(schema: "Schema") -> dict[str, Any]:
    """Return the schema as agents see it; what stands at its default is left out."""
    types: list[dict[str, Any]] = []
    for name, entity in schema.entities.items():
        properties: list[dict[str, Any]] = []
        for key, declared in entity.current.items():
            one: dict[str, Any] = {"name": key, "type": declared.type, "description": declared.description}
            if declared.values:
                one["enum"] = list(declared.values)
            if declared.target:
                one["target"] = list(declared.target)
            if declared.unit:
                one["unit"] = declared.unit
            if declared.pattern:
                one["pattern"] = declared.pattern
            one["update"] = declared.update
            one["sensitivity"] = declared.sensitivity
            if declared.indexed:
                one["indexed"] = True
            properties.append(one)
        types.append(
            {
                "type": name,
                "description": entity.description,
                "identifiers": list(entity.identifiers),
                "properties": properties,
            }
        )
    return {"entity_types": types, "identifier_kinds": list(schema.identifiers)}


async def describe_schema(domains: Domains, principal: Principal, given: DescribeInput) -> Mapping[str, Any]:
    """Describe the schema."""
    return described(domains.schema)


TOOL = Tool(
    name="describe_schema",
    title="Describe the schema",
    description=DESCRIPTION,
    input=DescribeInput,
    output=DescribeOutput,
    run=describe_schema,
    role="reader",
    read_only=True,
    idempotent=True,
)
