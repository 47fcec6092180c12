"""What the suite reads: one tool for each kind of content, resources, prompts, and completion."""

import base64
from collections.abc import Callable
from typing import Annotated, Any, Final

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import AudioContent, Completion, ContentBlock, EmbeddedResource, ImageContent, TextContent
from mcp.types import TextResourceContents as ResourceText
from pydantic import Field

PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
SILENCE: Final = (  # a wave file of 8 kHz, 16 bits and no sample
    b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little") + b"\1\0\1\0"
    b"\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\0\0\0"
)


def text(words: str) -> TextContent:
    """Return a text block."""
    return TextContent(type="text", text=words)


def image() -> ImageContent:
    """Return one pixel."""
    return ImageContent(type="image", data=base64.b64encode(PIXEL).decode(), mime_type="image/png")


def resource(uri: str, mime_type: str, words: str) -> EmbeddedResource:
    """Return a text resource as a block."""
    return EmbeddedResource(type="resource", resource=ResourceText(uri=uri, mime_type=mime_type, text=words))


BLOCKS: Final[dict[str, list[ContentBlock]]] = {
    "test_simple_text": [text("This is a simple text response for testing.")],
    "test_image_content": [image()],
    "test_audio_content": [
        AudioContent(type="audio", data=base64.b64encode(SILENCE).decode(), mime_type="audio/wav"),
    ],
    "test_embedded_resource": [
        resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    ],
    "test_multiple_content_types": [
        text("Multiple content types test:"),
        image(),
        resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ],
}

SCHEMA_2020_12: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def add_contents(server: MCPServer[None]) -> None:
    """Register everything that answers the same each time."""
    for name, blocks in BLOCKS.items():
        server.add_tool(_answering(blocks), name=name, description="Answers fixed content", structured_output=False)
    server.add_tool(_fail, name="test_error_handling", description="Always fails")
    server.add_tool(_region, name="test_x_mcp_header", description="Takes an argument that HTTP repeats as a header")
    _add_schema_tool(server)
    _add_resources(server)
    _add_prompts(server)

    @server.completion()
    async def complete(*_: Any) -> Completion:  # pyright: ignore[reportUnusedFunction]
        return Completion(values=[], total=0, has_more=False)


def _answering(blocks: list[ContentBlock]) -> Callable[[], list[ContentBlock]]:
    def answer() -> list[ContentBlock]:
        return blocks

    return answer


def _fail() -> str:
    raise ToolError("This tool intentionally returns an error for testing")


def _region(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})] = "") -> str:
    return f"region={region}"


def _add_schema_tool(server: MCPServer[None]) -> None:
    """Register a tool whose schema must reach the client as it is; the SDK derives schemas from signatures alone."""
    name = "json_schema_2020_12_tool"
    server.add_tool(lambda: name, name=name, description="Has a schema of many keywords", structured_output=False)
    tool = server._tool_manager.get_tool(name)  # pyright: ignore[reportPrivateUsage]
    assert tool is not None
    tool.parameters = SCHEMA_2020_12


def _add_resources(server: MCPServer[None]) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:  # pyright: ignore[reportUnusedFunction]
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:  # pyright: ignore[reportUnusedFunction]
        return PIXEL

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:  # pyright: ignore[reportUnusedFunction]  # noqa: A002
        return f'{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}'

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:  # pyright: ignore[reportUnusedFunction]
        return "Watched resource content"


def _add_prompts(server: MCPServer[None]) -> None:
    @server.prompt(name="test_simple_prompt", description="Has no arguments")
    def simple() -> list[UserMessage]:  # pyright: ignore[reportUnusedFunction]
        return [UserMessage("This is a simple prompt for testing.")]

    @server.prompt(name="test_prompt_with_arguments", description="Repeats its arguments")
    def with_arguments(arg1: str, arg2: str) -> list[UserMessage]:  # pyright: ignore[reportUnusedFunction]
        return [UserMessage(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")]

    @server.prompt(name="test_prompt_with_embedded_resource", description="Carries a resource")
    def with_resource(resourceUri: str) -> list[UserMessage]:  # pyright: ignore[reportUnusedFunction]  # noqa: N803
        embedded = resource(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(embedded), UserMessage("Please process the embedded resource above.")]

    @server.prompt(name="test_prompt_with_image", description="Carries an image")
    def with_image() -> list[UserMessage]:  # pyright: ignore[reportUnusedFunction]
        return [UserMessage(image()), UserMessage("Please analyze the image above.")]
