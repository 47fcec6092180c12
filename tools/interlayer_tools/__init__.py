"""The eight tools: one file each, and this catalogue in the order in which clients see them."""

from typing import Any

from interlayer_tools import (
    check_compliance,
    describe_schema,
    forget,
    get_governance_context,
    list_entities,
    memorize,
    recall_entity,
    search_memory,
)
from interlayer_tools.tool import Domains, Tool

TOOLS: tuple[Tool[Any, Any], ...] = (
    memorize.TOOL,
    recall_entity.TOOL,
    get_governance_context.TOOL,
    check_compliance.TOOL,
    search_memory.TOOL,
    list_entities.TOOL,
    describe_schema.TOOL,
    forget.TOOL,
)

__all__ = ["TOOLS", "Domains", "Tool"]
