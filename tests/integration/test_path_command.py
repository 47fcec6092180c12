"""How two entities are connected, from the calls that told of it to what the command line says."""

import json
from pathlib import Path
from typing import Any

import pytest

from command_line import interlayer

pytestmark = pytest.mark.anyio


async def test_the_ways_between_two_people_are_printed_by_name(home: Path, connect: Any) -> None:
    company = "company:halcyon.example"
    async with connect() as call:
        await call("memorize", entity=company, name="Halcyon", facts=[{"text": "Halcyon makes clocks."}])
        for key, name in (("ann", "Ann Lee"), ("ben", "Ben Carter")):
            works = [{"type": "works_at", "target": company}]
            await call("memorize", entity=f"contact:{key}@home.example", name=name, relations=works)
        await call("memorize", entity="contact:eve@home.example", name="Eve", facts=[{"text": "Eve skis."}])
    ends = ["contact:Ann Lee", "contact:Ben Carter"]
    said = interlayer(home, "entity", "path", *ends).stdout
    assert said.startswith("Ann Lee -works_at-> Halcyon <-works_at- Ben Carter  (")
    found = json.loads(interlayer(home, "entity", "path", *ends, "--json").stdout)
    assert [step["to"]["name"] for step in found["paths"][0]["steps"]] == ["Halcyon", "Ben Carter"]
    none = interlayer(home, "entity", "path", "contact:Ann Lee", "contact:Eve", "--steps", "2").stdout
    assert none == "No way of up to 2 relations from Ann Lee to Eve is known.\n"
