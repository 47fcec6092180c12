"""What asks back: tools and a prompt that need an answer of the client's before they have one of their own.

A 2026-07-28 server asks by an `InputRequiredResult`; the client calls again with the answers and with the state it was
given, which the SDK seals.
"""

from typing import Any, Final

from contents import text
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
)

Answer = str | InputRequiredResult
CALLED: Final = "test_input_required_result_"
NAME: Final = "What is your name?"


def add_rounds(server: MCPServer[None]) -> None:
    """Register everything that asks."""
    for name, tool in {
        "elicitation": ask_name,
        "sampling": ask_model,
        "list_roots": ask_roots,
        "request_state": keep_state,
        "multiple_inputs": ask_three,
        "multi_round": ask_twice,
        "tampered_state": guard_state,
        "capabilities": ask_the_able,
    }.items():
        server.add_tool(tool, name=CALLED + name, structured_output=False)
    server.add_tool(need_sampling, name="test_missing_capability", structured_output=False)
    server.prompt(name=f"{CALLED}prompt")(ask_context)


async def ask_name(ctx: Context) -> Answer:
    """Greet by name."""
    if "user_name" in _answers(ctx):
        return f"Hello, {_typed(ctx, 'user_name', 'name')}!"
    return InputRequiredResult(input_requests={"user_name": _form(NAME, "name")})


async def ask_model(ctx: Context) -> Answer:
    """Repeat what the client's model says."""
    answer = _answers(ctx).get("capital_question")
    if isinstance(answer, CreateMessageResult):
        return f"The model said: {getattr(answer.content, 'text', '')}"
    return InputRequiredResult(input_requests={"capital_question": _sample("What is the capital of France?")})


async def ask_roots(ctx: Context) -> Answer:
    """Count the client's roots."""
    answer = _answers(ctx).get("client_roots")
    if isinstance(answer, ListRootsResult):
        return f"The client has {len(answer.roots)} roots."
    return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})


async def keep_state(ctx: Context) -> Answer:
    """See its own state again."""
    if "confirm" in _answers(ctx) and ctx.request_state == "kept":
        return "state-ok"
    return InputRequiredResult(input_requests={"confirm": _form("Go on?", "ok", "boolean")}, request_state="kept")


async def ask_three(ctx: Context) -> Answer:
    """Ask the user, the model and the client at once."""
    wanted: dict[str, InputRequest] = {
        "user_name": _form(NAME, "name"),
        "greeting": _sample("Generate a greeting"),
        "client_roots": ListRootsRequest(),
    }
    if wanted.keys() <= _answers(ctx).keys():
        return "All three have answered."
    return InputRequiredResult(input_requests=wanted, request_state="three")


async def ask_twice(ctx: Context) -> Answer:
    """Ask two questions, one after the other, and carry the first answer along in the state."""
    stage, _, name = (ctx.request_state or "").partition(":")
    if stage == "named" and "step2" in _answers(ctx):
        return f"{name} likes {_typed(ctx, 'step2', 'color')}."
    if stage == "begun" and "step1" in _answers(ctx):
        asked = _form("Step 2: What is your favorite color?", "color")
        return InputRequiredResult(
            input_requests={"step2": asked}, request_state=f"named:{_typed(ctx, 'step1', 'name')}"
        )
    return InputRequiredResult(input_requests={"step1": _form(f"Step 1: {NAME}", "name")}, request_state="begun")


async def guard_state(ctx: Context) -> Answer:
    """Accept any state; that a changed one never arrives is the SDK's doing."""
    if ctx.request_state is not None:
        return "state-ok"
    return InputRequiredResult(input_requests={"confirm": _form("Go on?", "ok", "boolean")}, request_state="guarded")


async def ask_the_able(ctx: Context) -> Answer:
    """Ask for what the client declared to be able to answer, and for nothing else."""
    able = ctx.client_capabilities
    asked: dict[str, InputRequest] = {}
    if able is None or able.sampling is not None:
        asked["sample"] = _sample("Say hello")
    if able is None or able.elicitation is not None:
        asked["ask"] = _form(NAME, "name")
    return InputRequiredResult(input_requests=asked, request_state="asked")


async def need_sampling(ctx: Context) -> str:
    """Refuse clients that cannot sample."""
    able = ctx.client_capabilities
    if able is None or able.sampling is None:
        raise MCPError(
            code=MISSING_REQUIRED_CLIENT_CAPABILITY,
            message="This tool needs the client to sample.",
            data={"requiredCapabilities": {"sampling": {}}},
        )
    return "The client can sample."


async def ask_context(ctx: Context) -> list[UserMessage] | InputRequiredResult:
    """Ask what the prompt is about."""
    if "user_context" in _answers(ctx):
        return [UserMessage(f"Use this context: {_typed(ctx, 'user_context', 'context')}")]
    return InputRequiredResult(input_requests={"user_context": _form("What is it about?", "context")})


def _answers(ctx: Context) -> dict[str, Any]:
    return dict(ctx.input_responses or {})


def _typed(ctx: Context, key: str, field: str) -> str:
    """Read what the user typed into a field of a form, "nobody" when the form was declined."""
    answer = _answers(ctx)[key]
    return str(answer.content.get(field)) if isinstance(answer, ElicitResult) and answer.content else "nobody"


def _form(question: str, field: str, kind: str = "string") -> ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=question, requested_schema=schema))


def _sample(question: str) -> CreateMessageRequest:
    said = SamplingMessage(role="user", content=text(question))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[said], max_tokens=100))
