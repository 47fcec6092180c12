"""Entities that may be one, from the calls that made them to what a person decides on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from command_line import interlayer

pytestmark = pytest.mark.anyio


async def test_duplicates_are_offered_decided_on_and_remembered(home: Path, connect: Any) -> None:
    said = [
        ("contact:ben@halcyon.example", "Ben Carter"),
        ("contact:b.carter@halcyon.example", "Ben Cartre"),
        ("contact:zoe@halcyon.example", "Zoe Winter"),
        ("contact:z.winter@halcyon.example", "Zoe Winters"),
    ]
    async with connect() as call:
        for entity, name in said:
            await call("memorize", entity=entity, name=name, facts=[{"text": "They asked for an offer."}])
    pairs = json.loads(interlayer(home, "entity", "duplicates", "--json").stdout)
    names = {tuple(sorted((pair["one"]["name"], pair["other"]["name"]))) for pair in pairs}
    assert names == {("Ben Carter", "Ben Cartre"), ("Zoe Winter", "Zoe Winters")}
    ends = ["contact:ben@halcyon.example", "contact:b.carter@halcyon.example"]
    assert "is now a part" in interlayer(home, "entity", "duplicates", "accept", *ends, "--reason", "one man").stdout
    ends = ["contact:zoe@halcyon.example", "contact:z.winter@halcyon.example"]
    done = interlayer(home, "entity", "duplicates", "reject", *ends, "--reason", "sisters")
    assert "are two" in done.stdout
    shown = interlayer(home, "entity", "duplicates", "--anew").stdout
    assert shown.startswith("0 pairs may be one")
