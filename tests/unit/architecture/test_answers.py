"""Answers of the domains are types: no public name hands out a dictionary, and tools announce what they answer."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import pytest

from interlayer_tools import TOOLS

ROOT = Path(__file__).parents[3]
DOMAINS = ("server/interlayer/memory", "server/interlayer/audit", "policies/interlayer_policies")
LOOSE = re.compile(r"\b(dict|Mapping|MutableMapping)\[str, (Any|object)\]")
CODEC = re.compile(r"\w*body|body_of|answer_schema")
"""Functions that write or read what is stored, and the schema that a model answers by."""


def loose(source: str) -> Iterator[str]:
    """Yield the public functions and methods of a module that return dictionaries of anything; codecs are left out."""
    for node in ast.parse(source).body:
        members = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else [node]
        for one in members:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and not one.name.startswith("_"):
                is_codec = one is node and CODEC.fullmatch(one.name)
                if one.returns and LOOSE.search(ast.unparse(one.returns)) and not is_codec:
                    yield one.name


def test_no_public_name_of_a_domain_returns_a_dictionary_of_anything() -> None:
    sources = [path for domain in DOMAINS for path in (ROOT / domain).rglob("*.py")]
    assert len(sources) > 50
    found = {path.name: list(loose(path.read_text(encoding="utf-8"))) for path in sources}
    assert not {name: names for name, names in found.items() if names}


@pytest.mark.parametrize(
    "source",
    [
        "def told() -> dict[str, Any]: ...",
        "class Teller:\n    async def told(self) -> list[Mapping[str, Any]]: ...",
        "class Teller:\n    def body(self) -> tuple[str, dict[str, object]]: ...",
    ],
)
def test_a_dictionary_of_anything_is_found(source: str) -> None:
    assert list(loose(source))
    assert not list(loose("def head_body() -> dict[str, Any]: ...\ndef counts() -> dict[str, int]: ..."))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_what_a_tool_announces_is_a_frozen_type(tool: Any) -> None:
    assert is_dataclass(tool.output)
    assert vars(tool.output)["__dataclass_params__"].frozen


def test_listing_the_tools_loads_no_domain() -> None:
    code = "import sys, interlayer_tools\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = [name for name in done.stdout.split() if name.startswith("interlayer.memory.")]
    modules = {name for name in loaded if (ROOT / "server" / f"{name.replace('.', '/')}.py").is_file()}
    assert {name.rpartition(".")[2] for name in modules} == {"answer", "description", "requests"}
