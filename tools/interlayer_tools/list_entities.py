"""list_entities: what an agent calls to see whom the organization knows."""

from typing import Annotated

from pydantic import Field

from interlayer.memory.recall.answer import ListAnswer
from interlayer.memory.requests import RESULTS_MAX
from interlayer.principal import Principal
from interlayer_tools.renderings.memory import list_text
from interlayer_tools.tool import Domains, Input, OptionalText, Tool
from interlayer_tools.where import ConditionInput, conditions

DESCRIPTION = """\
List entities of one type with their properties, e.g. where [{property: stage, op: eq, value: proposal}]."""


class ListInput(Input):
    """Arguments of list_entities."""

    entity_type: str
    where: list[ConditionInput] = []
    limit: Annotated[int, Field(ge=1, le=RESULTS_MAX)] = 20
    cursor: OptionalText = None


async def list_entities(domains: Domains, principal: Principal, given: ListInput) -> ListAnswer:
    """List entities. Raises `InterlayerError`."""
    return await domains.memory.list_entities(
        principal, given.entity_type, conditions(given.where), given.limit, given.cursor
    )


TOOL = Tool(
    name="list_entities",
    title="List entities",
    description=DESCRIPTION,
    input=ListInput,
    output=ListAnswer,
    run=list_entities,
    text=list_text,
    role="reader",
    read_only=True,
    idempotent=True,
)
