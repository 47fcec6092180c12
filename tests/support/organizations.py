"""Whole organizations for tests: a process on a home of its own, and what fills it through the public interfaces."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from interlayer.answers import as_json
from interlayer.app.composition import Parts, build
from interlayer.app.settings import Settings
from interlayer.memory.requests import PARTS, FactCandidate, MemorizeRequest, PropertyCandidate, RecallRequest
from interlayer.principal import Principal
from interlayer_policies.governance import Facets, PolicyFile

POLICY = """---
id: {id}
title: Discounts of {id}
rules:
  - {{id: R1, level: must, text: Say {word} before any discount.}}
---
# Discounts of {id}
## Why
The word {word} opens every door.
"""


class PassingClock:
    """Time that passes by a second at each look, or by as much as the test says."""

    def __init__(self, now: datetime = datetime(2026, 3, 1, 9, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def settings(home: Path, organization: str = "acme", agent: str = "tester", schema: Path | None = None) -> Settings:
    return Settings(home, None, schema, None, Principal(organization, agent), 400, "WARNING", debug=True)


@asynccontextmanager
async def home_of(
    home: Path, organization: str = "acme", *, clock: PassingClock | None = None, schema: Path | None = None
) -> AsyncGenerator[Parts]:
    """Compose a process and close it; nothing is prepared, so that a new home is empty."""
    parts = build(settings(home, organization, schema=schema), clock or PassingClock())
    try:
        yield parts
    finally:
        await parts.close()


async def memorize(parts: Parts, entity: str, *facts: str, **more: Any) -> dict[str, Any]:
    properties = [PropertyCandidate(name, value, 0.9) for name, value in more.pop("properties", {}).items()]
    request = MemorizeRequest(
        entity=entity, facts=[FactCandidate(text, 0.9) for text in facts], properties=properties, **more
    )
    return as_json(await parts.memory.memorizer.memorize(parts.settings.principal, request))


async def recall(parts: Parts, entity: str, **more: Any) -> dict[str, Any]:
    request = RecallRequest(entity=entity, include=PARTS, limit=200, max_tokens=8_000, **more)
    return as_json(await parts.memory.recaller.recall(parts.settings.principal, request))


async def publish(parts: Parts, *words: str) -> int:
    files = [PolicyFile(f"{word}.md", POLICY.format(id=word, word=word)) for word in words]
    return (await parts.domains.governance.publish(parts.settings.principal, files, reason="a test")).revision


async def context(parts: Parts, task: str = "Offer a discount", **facets: Any) -> Any:
    return await parts.domains.governance.context(parts.settings.principal, task, Facets(**facets))


async def listed(parts: Parts, entity_types: Sequence[str]) -> list[dict[str, Any]]:
    answers = [
        await parts.memory.searcher.list_entities(parts.settings.principal, one, [], 100, None) for one in entity_types
    ]
    return [entity for answer in answers for entity in as_json(answer.entities)]
