"""What documents say of the modules is what the modules are: inputs, outputs, and the table of planted faults."""

import re

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

from faults import FAULTS, documented
from workspace import MODULES, PHASES

CHECKS = {"schema", "plan", "judgement", "own tests", "emulator", "checkov"}
_BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)


def told(body: str, name: str) -> str | None:
    """Return an argument of a block, on one line."""
    found = re.search(rf"^  {name}\s*= (\{{\n.*?^  \}}|.+?)$", body, re.MULTILINE | re.DOTALL)
    if not found:
        return None
    first, *inner = (re.sub(r"\s+", " ", line.strip()) for line in found[1].splitlines())
    return f"{{ {', '.join(inner[:-1])} }}" if inner else first


def declared(phase: str) -> dict[str, list[list[str]]]:
    """Return the rows that the README of a module has to have."""
    rows: dict[str, list[list[str]]] = {"input": [], "output": []}
    for file in ("variables.tf", "outputs.tf"):
        for kind, name, body in _BLOCK.findall((MODULES / phase / file).read_text(encoding="utf-8")):
            meaning = (told(body, "description") or "").strip('"')
            if kind == "output":
                rows["output"].append([f"`{name}`", meaning])
                continue
            default = told(body, "default")
            rows["input"].append([f"`{name}`", f"`{default}`" if default else "required", meaning])
    return rows


def written(phase: str) -> dict[str, list[list[str]]]:
    """Return the rows of the README of a module."""
    text = (MODULES / phase / "README.md").read_text(encoding="utf-8")
    found: dict[str, list[list[str]]] = {}
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines())
        found[head[0]] = rows
    return found


@pytest.mark.parametrize("phase", PHASES)
def test_a_readme_has_the_inputs_and_outputs_of_its_module(phase: str) -> None:
    rows = declared(phase)
    assert rows["input"]
    assert written(phase) == rows


def test_the_page_has_every_planted_fault_and_what_catches_it() -> None:
    rows = [line.strip("| ").split(" | ") for line in documented().splitlines()[2:-2]]
    assert [what for what, _ in rows] == [fault.what for fault in FAULTS], "make deploy-faults WRITE=--write"
    assert {by for _, by in rows} <= CHECKS
    assert documented().endswith(f"\n\n{len(FAULTS)} faults, {len(FAULTS)} caught.")
