"""list_entities: what an agent calls to see whom the organization knows."""

from typing import Annotated

from pydantic import Field

from interlayer.errors import InvalidInput
from interlayer.memory.recall.answer import ListAnswer
from interlayer.memory.requests import RESULTS_MAX, RelatedTo
from interlayer.principal import Principal
from interlayer_tools.renderings.memory import list_text
from interlayer_tools.tool import Domains, Input, OptionalText, Tool
from interlayer_tools.where import ConditionInput, conditions

DESCRIPTION = """\
List entities of one type, e.g. where [{property: stage, op: eq, value: proposal}]."""


class ListInput(Input):
    """Arguments of list_entities."""

    entity_type: str
    where: list[ConditionInput] = []
    related_to: OptionalText = None
    relation: OptionalText = None
    limit: Annotated[int, Field(ge=1, le=RESULTS_MAX)] = 20
    cursor: OptionalText = None


async def list_entities(domains: Domains, principal: Principal, given: ListInput) -> ListAnswer:
    """List entities. Raises `InterlayerError`."""
    if given.relation and not given.related_to:
        raise InvalidInput("relation", "needs related_to.", "Name the entity that they are related to.")
    related = RelatedTo(given.related_to, given.relation) if given.related_to else None
    return await domains.memory.list_entities(
        principal, given.entity_type, conditions(given.where), given.limit, given.cursor, related
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
