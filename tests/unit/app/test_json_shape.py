"""A JSON text is measured before it is parsed, and a hostile one is not read to its end."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlayer.app.mcp_server.json_shape import DEPTH_MAX, PARTS_MAX, describe_excess

MANY = PARTS_MAX + 1
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(), inner, max_size=8),
    max_leaves=50,
)


@given(values)
def test_whatever_an_agent_says_passes(value: Any) -> None:
    assert describe_excess(json.dumps(value)) == ""
    assert describe_excess(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")) == ""


@given(st.text())
def test_what_stands_in_a_text_counts_for_nothing(text: str) -> None:
    said = text + '[{,"\\' * MANY
    assert describe_excess(json.dumps({"content": said})) == ""


@pytest.mark.parametrize(
    "hostile",
    ["[" + "[]," * MANY, "[" + "1," * MANY, '{"a":[' + '{"b":0},' * MANY, '["",' + '"",' * MANY],
    ids=["lists", "numbers", "objects", "texts"],
)
def test_too_many_values_are_told(hostile: str) -> None:
    assert "values" in describe_excess(hostile)
    assert "values" in describe_excess(hostile.encode())


def test_depth_is_told() -> None:
    assert "deep" in describe_excess("[" * (DEPTH_MAX + 1))
    assert describe_excess("[" * DEPTH_MAX + "]" * DEPTH_MAX) == ""
    assert describe_excess('{"a":[]},' * 3_000) == ""


@pytest.mark.parametrize("hostile", ['"' + '\\"' * 500_000, " " * 1_000_000, "1" * 1_000_000, '"' + "a" * 1_000_000])
def test_what_never_ends_is_read_once(hostile: str) -> None:
    assert describe_excess(hostile) == ""  # quadratic it would take an hour


def test_the_largest_call_that_is_good_for_something_passes() -> None:
    fact = {"text": "x, y", "confidence": 0.9, "observed_at": "2026-01-01", "replaces": "z", "ended": False}
    call = {"name": "memorize", "arguments": {"content": "a, b" * 50_000, "facts": [fact] * 500}}
    assert describe_excess(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})) == ""
