"""Arguments of tools: bounded first, then read into the tool's input, with errors that name field and remedy.

A model of a library tells of every fault that it finds, and a caller can send as many as it likes. So what is too long
to be any good is refused before.
"""

import difflib
import json
from collections.abc import Mapping
from typing import Any, Final

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import ValidationError

from interlayer.app.mcp_server.json_shape import describe_excess
from interlayer.memory.requests import FACTS_MAX
from interlayer_tools import Tool

_FAULTS_SHOWN: Final = 5
_ITEMS_MAX: Final = 2 * FACTS_MAX  # of any list or object; what is exactly too many, each tool says itself
_NAME_CHARACTERS_SHOWN: Final = 60
_UNION_MEMBERS: Final = {"str", "int", "float", "bool", "list[str]", "constrained-str"}


def parse_arguments(tool: Tool[Any, Any], arguments: Mapping[str, Any]) -> Any:
    """Return the tool's input. Raises `ToolError` that names what is wrong, in two sentences at most."""
    known = tool.input.model_fields
    for name in arguments:
        if name not in known:
            shown = str(name)[:_NAME_CHARACTERS_SHOWN]
            near = difflib.get_close_matches(shown, known, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ToolError(f"{shown!r}: unknown argument of {tool.name}.{hint} Known: {', '.join(known)}.")
    given = {
        name: _unwrap(name, value, known[name].annotation) for name, value in arguments.items() if value is not None
    }
    for name, value in given.items():
        if isinstance(value, list | dict) and len(value) > _ITEMS_MAX:
            raise ToolError(f"{name}: {len(value)} given, and {_ITEMS_MAX} is more than any call may have.")
    try:
        return tool.input.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = "; ".join(f"{_place(problem['loc'])}: {problem['msg']}" for problem in problems[:_FAULTS_SHOWN])
        more = f" (and {len(problems) - _FAULTS_SHOWN} more)" if len(problems) > _FAULTS_SHOWN else ""
        raise ToolError(f"{told}{more}. Known arguments: {', '.join(known)}.") from error


def _unwrap(name: str, value: Any, annotation: Any) -> Any:
    """Return a list or object that a client sent as a JSON string, as some do."""
    if isinstance(value, str) and value[:1] in "[{" and getattr(annotation, "__origin__", None) in (list, dict):
        excess = describe_excess(value)
        if excess:
            raise ToolError(f"{name}: the text has {excess}; send less at once.")
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _place(location: tuple[int | str, ...]) -> str:
    """Return where a problem is, without the names of union members that pydantic adds."""
    return ".".join(str(part) for part in location if not (isinstance(part, str) and part in _UNION_MEMBERS))
