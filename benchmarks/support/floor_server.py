"""`floor_server.py FILE`: the protocol and nothing else.

A server of the same SDK over stdio whose one tool answers what FILE holds for the query. What a call takes here is the
floor for any server that gives that answer: the SDK's work on both sides, the pipe, and the size of the payload.
FILE is a JSON object of results as they go over the wire, by query; "" is for a call without one.
"""

import json
import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult


def build(file: Path) -> MCPServer[None]:
    """Return the server."""
    answers = {
        query: CallToolResult.model_validate(result)
        for query, result in json.loads(file.read_text(encoding="utf-8")).items()
    }
    server: MCPServer[None] = MCPServer("floor", log_level="WARNING")

    @server.tool()
    async def recall_entity(entity: str, query: str = "") -> CallToolResult:  # noqa: ARG001  # pyright: ignore[reportUnusedFunction]
        return answers[query]

    return server


if __name__ == "__main__":
    build(Path(sys.argv[1])).run()
