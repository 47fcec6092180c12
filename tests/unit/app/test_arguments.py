"""Arguments of tools as hosts send them: several send every argument, with nothing in those that were left out."""

from typing import Any

import pytest

from interlayer.app.mcp_server.arguments import parse_arguments
from interlayer_tools import TOOLS

TOOL = {tool.name: tool for tool in TOOLS}
LEAST: dict[str, dict[str, Any]] = {
    "memorize": {"entity": "company:acme.example"},
    "recall_entity": {"entity": "company:acme.example"},
    "get_governance_context": {"task": "Write an e-mail"},
    "check_compliance": {"text": "Hello."},
    "search_memory": {"query": "pumps"},
    "list_entities": {"entity_type": "company"},
    "describe_schema": {},
    "forget": {"reason": "asked for"},
}


@pytest.mark.parametrize("nothing", ["", None, [], {}], ids=repr)
@pytest.mark.parametrize("name", LEAST)
def test_an_optional_argument_with_nothing_in_it_counts_as_left_out(name: str, nothing: Any) -> None:
    tool, least = TOOL[name], LEAST[name]
    rest = {field: nothing for field in tool.input.model_fields if field not in least}
    assert parse_arguments(tool, {**least, **rest}) == parse_arguments(tool, least)


def test_so_does_one_within_a_list() -> None:
    fact = {"text": "Acme sells pumps.", "confidence": "", "observed_at": None, "replaces": "", "ended": ""}
    given = parse_arguments(TOOL["memorize"], {**LEAST["memorize"], "facts": [fact]})
    assert given == parse_arguments(TOOL["memorize"], {**LEAST["memorize"], "facts": [{"text": fact["text"]}]})
