"""describe_schema: what an agent reads before it memorizes."""

from interlayer.memory.schema.description import SchemaDescription, described
from interlayer.principal import Principal
from interlayer_tools.renderings.memory import schema_text
from interlayer_tools.tool import Domains, Input, Tool

DESCRIPTION = """\
List entity types, properties and identifier kinds. Read it once before memorize, to use the right names."""


class DescribeInput(Input):
    """describe_schema takes no arguments."""


async def describe_schema(domains: Domains, principal: Principal, given: DescribeInput) -> SchemaDescription:
    """Describe the schema."""
    return described(domains.memory.schema)


TOOL = Tool(
    name="describe_schema",
    title="Describe the schema",
    description=DESCRIPTION,
    input=DescribeInput,
    output=SchemaDescription,
    run=describe_schema,
    text=schema_text,
    role="reader",
    read_only=True,
    idempotent=True,
)
