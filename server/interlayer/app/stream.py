"""The consumer of the stream of table `memory`, as an AWS Lambda function: `interlayer.app.stream.handler`.

It brings into the vector layer what servers left in the outbox, because they died or could not reach it. What a server
has projected itself is gone from the outbox by then, and what both project is there once. On a schedule, with an event
such as {"optimize": ["ORG"]}, it optimizes datasets instead. It is configured as a server is.
"""

import logging
from collections.abc import Mapping
from typing import Any

import anyio

from interlayer.app.composition import Parts, build
from interlayer.app.settings import load
from interlayer.errors import InterlayerError
from interlayer.memory.log import keys

logger = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Return the records that have to be sent again, in the form of `ReportBatchItemFailures`."""
    del context
    return anyio.run(_handle, event)


async def _handle(event: Mapping[str, Any]) -> dict[str, Any]:
    parts = build(load({}))
    try:
        for organization in event.get("optimize", ()):
            record = await parts.memory.spaces.claim(organization)
            for entry in filter(None, (record.current, record.beside)):
                await parts.memory.spaces.index(entry.space).optimize(organization)
        return {"batchItemFailures": await _project(parts, event)}
    finally:
        await parts.close()


async def _project(parts: Parts, event: Mapping[str, Any]) -> list[dict[str, str]]:
    """Project the outbox of every organization that records speak of; return the first record of each that failed."""
    first: dict[str, str] = {}
    for record in event.get("Records", ()):
        organization = keys.outbox_owner(record["dynamodb"]["Keys"]["p"]["S"])
        if organization is not None and record["eventName"] == "INSERT":
            first.setdefault(organization, record["dynamodb"]["SequenceNumber"])
    failed: list[dict[str, str]] = []
    for organization, number in first.items():
        try:
            done = await parts.memory.projector.drain(organization)
            logger.info("%s: %d outbox entries projected", organization, done)
        except InterlayerError as error:
            logger.warning("%s: %s The records come again.", organization, error)
            failed.append({"itemIdentifier": number})
    return failed
