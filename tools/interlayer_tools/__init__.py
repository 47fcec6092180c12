"""The eight tools: one file each, and this catalogue in the order in which clients see them."""

from typing import Any

from interlayer_tools import (
    check_compliance,
    data_subject,
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

PRIVACY_TOOLS: tuple[Tool[Any, Any], ...] = (data_subject.TOOL,)
"""What only callers with the role of a tool are shown and served."""

__all__ = ["PRIVACY_TOOLS", "TOOLS", "Domains", "Tool"]
