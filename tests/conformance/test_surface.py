"""What a client sees of the tools: which there are, what they cost, what their schemas hold, and that answers fit."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client
from mcp.types import CallToolResult, ResourceTemplateReference, Tool

from interlayer.app.mcp_server.process import Interlayer, running
from interlayer.app.mcp_server.transports import build_server
from interlayer.app.settings import load
from interlayer_tools import TOOLS

pytestmark = pytest.mark.anyio

NAMES = [
    "memorize",
    "recall_entity",
    "get_governance_context",
    "check_compliance",
    "search_memory",
    "list_entities",
    "describe_schema",
    "forget",
]
ENTITY = "company:acme.example"
CALLS: dict[str, dict[str, Any]] = {
    "memorize": {
        "entity": ENTITY,
        "content": "Acme sells pumps.",
        "facts": [{"text": "Acme opened a plant in Lyon."}],
        "properties": [{"name": "employees", "value": 40}],
        "relations": [{"type": "partner_of", "target": "company:globex.example"}],
    },
    "recall_entity": {"entity": ENTITY, "query": "where is the plant?"},
    "get_governance_context": {"task": "Write an e-mail that offers a prospect 30% discount.", "channel": "email"},
    "check_compliance": {"text": "We can give you 45% off, guaranteed.", "channel": "email"},
    "search_memory": {"query": "who sells pumps?"},
    "list_entities": {"entity_type": "company"},
    "describe_schema": {},
    "forget": {"entity": ENTITY, "reason": "asked for"},
}
ANSWERED = {  # what must not be empty, so that a schema has something to hold
    "memorize": ["facts", "properties", "relations"],
    "recall_entity": ["entity", "facts", "properties", "relations"],
    "get_governance_context": ["rules", "sections"],
    "check_compliance": ["violations"],
    "search_memory": ["results"],
    "list_entities": ["entities"],
    "describe_schema": ["entity_types"],
    "forget": ["erased"],
}
BUDGET_TOKENS = 3_200


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


@asynccontextmanager
async def connected(home: Path, mode: Any) -> AsyncGenerator[Client]:
    """Connect to the real server in memory."""
    interlayer = Interlayer(load({"HOME": str(home)}, {}))
    server = build_server(interlayer)
    async with running(interlayer), Client(server, mode=mode) as client:
        yield client


async def listed(home: Path, mode: Any) -> list[Tool]:
    async with connected(home, mode) as client:
        return (await client.list_tools()).tools


async def test_the_tools_are_the_contracts_in_its_order(tmp_path: Path, mode: Any) -> None:
    assert [tool.name for tool in await listed(tmp_path, mode)] == NAMES


async def test_it_shows_a_title_and_an_icon_and_says_how_long_its_lists_hold(tmp_path: Path) -> None:
    async with connected(tmp_path, "auto") as client:
        assert client.server_info
        assert client.server_info.title == "Interlayer"
        assert client.server_info.icons
        assert client.server_info.icons[0].src.startswith("data:image/svg+xml;base64,")
        tools = await client.list_tools()
        assert (tools.ttl_ms, tools.cache_scope) == (60_000, "private")
        assert all(tool.title for tool in tools.tools)
        assert (await client.list_prompts()).ttl_ms == 3_600_000
        assert (await client.read_resource("schema://entities")).ttl_ms == 0


async def test_all_tools_together_cost_less_than_3200_tokens(tmp_path: Path, mode: Any) -> None:
    """A token is taken to be 4 bytes of UTF-8, a common estimate for JSON.

    No model vendor's tokenizer is to be had offline. `make bench` shows the count of the bundled one as well,
    whose vocabulary is small, so that it counts more pieces than those vendors' do.
    """
    tools = [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in await listed(tmp_path, mode)]
    text = json.dumps({"tools": tools}, ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode()) / 4 < BUDGET_TOKENS


async def test_the_address_of_an_entity_is_completed_by_types_and_names(tmp_path: Path, mode: Any) -> None:
    address = ResourceTemplateReference(type="ref/resource", uri="entity://{type}/{id}")
    async with connected(tmp_path, mode) as client:
        for name in ("Ann Lee", "Anna Roth", "Bob Ray"):
            key = name.replace(" ", ".").lower()
            facts = [{"text": f"{name} skis."}]
            works = [{"type": "works_at", "target": "company:Halcyon Works"}]
            entity = f"contact:{key}@x.example"
            await client.call_tool("memorize", {"entity": entity, "name": name, "facts": facts, "relations": works})
        types = await client.complete(address, {"name": "type", "value": "con"})
        assert types.completion.values == ["contact"]
        names = await client.complete(address, {"name": "id", "value": "ann"}, {"type": "contact"})
        assert names.completion.values == ["Ann Lee", "Anna Roth"]
        read = await client.read_resource("entity://contact/Ann%20Lee")
        assert "Ann Lee skis." in str(read.contents)
        assert "Halcyon Works" in str(read.contents), "whom she is related to is told by name"
        nothing = await client.complete(address, {"name": "id", "value": "ann"}, {"type": "spaceship"})
        assert nothing.completion.values == []


async def test_the_governance_tools_name_the_values_that_the_organization_has(tmp_path: Path, mode: Any) -> None:
    assert "prospect" in str(await _facet("audience", tmp_path, mode, wait=True)), "the starter vocabulary"
    own = tmp_path / "policies"
    own.mkdir()
    (own / "a.md").write_text("---\nid: a\nrules: [Be kind.]\n---\n", encoding="utf-8")
    many = "".join(f"  wholesaler-{n}: {{in: buyer}}\n" for n in range(30))
    (own / "facets.yaml").write_text(f"audiences:\n{many}  buyer: {{}}\n", encoding="utf-8")
    settings = load({"HOME": str(tmp_path / "other"), "POLICIES": str(own)}, {})
    told = str((await _facet("audience", tmp_path, mode, settings=settings))["description"])
    assert told.startswith("buyer, wholesaler-0, "), "what lies in no other first"
    assert told.endswith(", ...")
    assert len(told) <= 90


@pytest.mark.parametrize(("answers", "has_text", "has_structure"), [("text", True, False), ("structured", False, True)])
async def test_a_host_that_shows_both_is_given_one(
    tmp_path: Path, mode: Any, answers: str, has_text: bool, has_structure: bool
) -> None:
    interlayer = Interlayer(load({"HOME": str(tmp_path), "ANSWERS": answers}, {}))
    async with running(interlayer), Client(build_server(interlayer), mode=mode) as client:
        tools = (await client.list_tools()).tools
        assert {tool.output_schema is not None for tool in tools} == {has_structure}
        result = await client.call_tool("get_governance_context", {"task": "Write a letter"})
        assert not result.is_error
        assert bool(result.content) is has_text
        assert bool(result.structured_content) is has_structure


async def _facet(name: str, home: Path, mode: Any, *, wait: bool = False, settings: Any = None) -> Any:
    interlayer = Interlayer(settings or load({"HOME": str(home)}, {}))
    async with running(interlayer), Client(build_server(interlayer), mode=mode) as client:
        if wait:
            await interlayer.ready()
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for tool in ("get_governance_context", "check_compliance"):
        assert tools[tool].input_schema["properties"][name]
    return tools["get_governance_context"].input_schema["properties"][name]


async def test_schemas_hold_nothing_that_clients_break_on(tmp_path: Path, mode: Any) -> None:
    for tool in await listed(tmp_path, mode):
        for kind, schema in (("input", tool.input_schema), ("output", tool.output_schema or {})):
            faults = list(breaking(schema, f"{tool.name}.{kind}"))
            assert not faults, faults
        assert tool.input_schema["type"] == "object"
        assert tool.output_schema
        assert tool.output_schema["type"] == "object"


def breaking(schema: Any, place: str) -> Iterator[str]:
    """Yield references, types of null or of several, and titles; names of properties are no keywords."""
    if isinstance(schema, list):
        schema = dict(enumerate(schema))
    if not isinstance(schema, dict):
        return
    yield from (f"{place}: {keyword}" for keyword in ("$ref", "$defs", "title") if keyword in schema)
    if not isinstance(schema.get("type", ""), str) or schema.get("type") == "null":
        yield f"{place}: type {schema['type']}"
    for keyword, part in schema.items():
        if keyword == "properties":
            for name, one in part.items():
                yield from breaking(one, f"{place}.{name}")
        elif keyword not in ("enum", "const", "default", "required"):
            yield from breaking(part, f"{place}.{keyword}")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/x"},
        {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
        {"items": {"title": "A"}},
        {"type": ["string", "null"]},
    ],
)
def test_what_clients_break_on_is_found(schema: dict[str, Any]) -> None:
    assert list(breaking(schema, "tool"))
    assert not list(breaking({"properties": {"title": {"type": "string"}}}, "tool"))


async def test_every_tool_has_a_title_a_description_and_all_four_hints(tmp_path: Path, mode: Any) -> None:
    for tool in await listed(tmp_path, mode):
        assert tool.title, tool.name
        assert tool.description, tool.name
        assert tool.annotations, tool.name
        hints = tool.annotations
        given = [hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint]
        assert None not in given, tool.name
        assert hints.destructive_hint == (tool.name == "forget")
        assert hints.read_only_hint == (tool.name not in ("memorize", "forget"))


async def answers(client: Client) -> AsyncGenerator[tuple[Tool, dict[str, Any], CallToolResult]]:
    """Call every tool once; each finds what the ones before it have stored."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for name, arguments in CALLS.items():
        result = await client.call_tool(name, arguments)
        assert not result.is_error, (name, result.content)
        assert isinstance(result.structured_content, dict), name
        yield tools[name], result.structured_content, result


async def test_answers_fit_their_schemas_and_their_text_says_the_same(tmp_path: Path, mode: Any) -> None:
    async with connected(tmp_path, mode) as client:
        async for tool, answer, result in answers(client):
            assert tool.output_schema, tool.name
            jsonschema.validate(answer, tool.output_schema, jsonschema.Draft202012Validator)
            assert all(answer[field] for field in ANSWERED[tool.name]), (tool.name, answer)
            text = next(one.text for one in TOOLS if one.name == tool.name)
            assert [getattr(block, "text", "") for block in result.content] == [text(answer)], tool.name


async def test_answers_hold_no_field_that_their_schema_does_not_name(tmp_path: Path, mode: Any) -> None:
    async with connected(tmp_path, mode) as client:
        unnamed = {
            tool.name: sorted(answer.keys() - (tool.output_schema or {})["properties"].keys())
            async for tool, answer, _ in answers(client)
        }
    assert not {name: fields for name, fields in unnamed.items() if fields}
