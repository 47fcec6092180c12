"""Look-alike entities: whatever is asked about one of them, nothing of another one comes back."""

import json
from typing import Any

import pytest

from research_data import needed

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

QUESTIONS = (
    "What is their technology stack?",
    "How large is the deal and when do they decide?",
    "What are their problems?",
    "Who are the competitors?",
    "Who is the main contact?",
)


async def test_no_answer_about_one_entity_holds_anything_of_another(call: Any) -> None:
    folders = sorted(needed("governed-memory/entity_isolation").iterdir())
    entities: dict[str, str] = {}
    for folder in folders:
        known = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        entity = f"contact:{known['email']}"
        content = (folder / "content.txt").read_text(encoding="utf-8")
        stored = await call("memorize", entity=entity, name=known["name"], content=content, source=folder.name)
        entities[entity] = stored["memory_id"]
    assert len(entities) == len(folders)
    results = 0
    for entity, memory_id in entities.items():
        for query in QUESTIONS:
            answer = await call("recall_entity", entity=entity, query=query, limit=10)
            assert answer["facts"]
            assert {fact["memory_id"] for fact in answer["facts"]} == {memory_id}
            assert {one["memory_id"] for one in answer["properties"]} <= {memory_id}
            results += len(answer["facts"])
    assert results > 1_000
