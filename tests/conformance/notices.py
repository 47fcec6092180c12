"""What tells besides answering: progress, log lines, changes of the lists; and what older revisions asked for.

Log messages, log levels and subscriptions belong to 2025-11-25 and before. The product serves none of them.
"""

from typing import Any

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import EmptyResult, SetLevelRequestParams, SubscribeRequestParams, UnsubscribeRequestParams

_PAUSE_S = 0.05  # so that one notice is on its way before the next is sent


def add_notices(server: MCPServer[None]) -> None:
    """Register everything that notifies."""
    server.add_tool(count_up, name="test_tool_with_progress", structured_output=False)
    server.add_tool(think_aloud, name="test_tool_with_logging", structured_output=False)
    server.add_tool(log_when_asked, name="test_logging_tool", structured_output=False)
    server.add_tool(count_up, name="test_streaming_elicitation", structured_output=False)
    server.add_tool(change_tools, name="test_trigger_tool_change", structured_output=False)
    server.add_tool(change_prompts, name="test_trigger_prompt_change", structured_output=False)

    async def accept(*_: Any) -> EmptyResult:
        return EmptyResult()

    older = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]  # MCPServer leaves these three unserved
    older.add_request_handler("logging/setLevel", SetLevelRequestParams, accept)
    older.add_request_handler("resources/subscribe", SubscribeRequestParams, accept)
    older.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, accept)


async def count_up(ctx: Context) -> str:
    """Report progress three times."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100, f"Completed step {done} of 100")
        await anyio.sleep(_PAUSE_S)
    return "done"


async def think_aloud(ctx: Context) -> str:
    """Log three lines to the client."""
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(line)  # pyright: ignore[reportDeprecated]
        await anyio.sleep(_PAUSE_S)
    return "done"


async def log_when_asked(ctx: Context) -> str:
    """Log one line, which the SDK drops unless the request asked for log lines."""
    await ctx.info("one line")  # pyright: ignore[reportDeprecated]
    return "done"


async def change_tools(ctx: Context) -> str:
    """Say that the list of tools has changed."""
    await ctx.notify_tools_changed()
    return "done"


async def change_prompts(ctx: Context) -> str:
    """Say that the list of prompts has changed."""
    await ctx.notify_prompts_changed()
    return "done"
