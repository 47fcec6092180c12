"""What a client offers while somebody types the address of an entity: types, and names as far as he may see them."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from mcp.server.mcpserver import MCPServer
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from interlayer.errors import InterlayerError
from interlayer.principal import Principal
from interlayer.text.visible import visible
from interlayer_tools import Domains

ENTITY: Final = "entity://{type}/{id}"
_VALUES_MAX: Final = 100  # the protocol's own limit

Open = Callable[[], Awaitable[tuple[Domains, Principal]]]
"""Returns the domains and who asks. Raises for whoever may read nothing."""


def add_completions(server: MCPServer[Any], open_domains: Open) -> None:
    """Have a server complete the parts of an entity's address; a name stands for an id there."""

    @server.completion()
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion | None:
        if not isinstance(ref, ResourceTemplateReference) or ref.uri != ENTITY:
            return None
        try:
            domains, reader = await open_domains()
        except InterlayerError:  # whoever may read nothing is offered nothing
            return None
        types = list(domains.memory.schema.entities)
        if argument.name == "type":
            return _completion([one for one in types if one.startswith(argument.value)])
        entity_type = ((context.arguments if context else None) or {}).get("type", "")
        if argument.name != "id" or entity_type not in types:
            return None
        entities = domains.memory.entities
        sight = entities.sight(reader)
        return _completion(await entities.names_from(reader.organization, entity_type, argument.value, sight))


def _completion(values: list[str]) -> Completion:
    shown = [visible(one) for one in values[:_VALUES_MAX]]
    return Completion(values=shown, total=len(values), has_more=len(values) > len(shown))
