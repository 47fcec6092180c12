"""Background work of a running server: what is loaded before it is needed, watched, and caught up on."""

import logging
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from interlayer.errors import Corrupt, InterlayerError, Unavailable
from interlayer.principal import Principal

if TYPE_CHECKING:
    from interlayer.app.composition import Parts
    from interlayer.models.embedder import Embedder

_FOLLOW_S: Final = 1.0
_FOLLOW_AGAIN_S: Final = 30.0
_BACKLOG_S: Final = 10.0

logger = logging.getLogger(__name__)


async def embedder_trouble(parts: "Parts", organization: str) -> str:
    """Say what is wrong with the embedding model, which is asked only while something is."""
    embedder = (await parts.memory.spaces.of(organization)).embedder
    if embedder.trouble:
        with suppress(Unavailable):  # no cache knows this text
            await embedder.embed([f"ready at {anyio.current_time()}"], waiting=True)
    return embedder.trouble


async def policy_damage(parts: "Parts", principal: Principal) -> str:
    """Say what is damaged of the published set, which this process may have loaded while it was whole."""
    try:
        await parts.domains.governance.verify(principal)
    except Corrupt as error:
        return str(error)
    return ""


async def load_embedder(parts: "Parts", organization: str) -> None:
    """Load the models before the first call needs them."""
    try:
        space = await parts.memory.spaces.of(organization)
        await anyio.to_thread.run_sync(_load, space.embedder)
        await space.embedder.embed(["ready"], waiting=True)
    except InterlayerError as error:
        logger.warning("embedder: %s Recall ranks by words alone until it can be reached.", error)


def _load(embedder: "Embedder") -> None:
    from interlayer.models.words import word_vectors

    word_vectors().rows(["ready"])  # whatever the embedder, words have vectors of their own
    embedder.preload()


async def follow_spaces(parts: "Parts", organization: str) -> None:
    """Look at the record of the embedding spaces, and get ready for one that is being built."""
    ready = ""
    while True:
        await anyio.sleep(_FOLLOW_S)
        try:
            record = await parts.memory.spaces.record(organization)
            if record and record.following and record.following.space.id != ready:
                space = parts.memory.spaces.active(record.following)
                await anyio.to_thread.run_sync(space.embedder.preload)
                await parts.domains.governance.make_ready(organization, space)
                ready = record.following.space.id
        except InterlayerError as error:
            logger.warning("embedding space: %s", error)
            await anyio.sleep(_FOLLOW_AGAIN_S)


async def load_chat_model(parts: "Parts", organization: str) -> None:
    """Import what asks models before the first call has to, if there is a model to ask."""
    try:
        if await parts.models.current(organization):
            from interlayer.models.vendor import loaded

            await loaded()
    except InterlayerError as error:
        logger.warning("model: %s", error)


async def read_backlog(parts: "Parts", organization: str) -> None:
    """Have a model read what it could not read when it was memorized, as soon as that is due."""
    principal, memorizer = Principal(organization, "extraction"), parts.memory.memorizer
    while True:
        try:
            async with aclosing(memorizer.in_flight.resume(organization, memorizer.remember)) as resumed:
                async for one in resumed:
                    logger.warning("a call that a process left behind: %s", one)
            async with aclosing(parts.memory.rereader.work_off(principal)) as done:
                async for one in done:
                    if isinstance(one, str):
                        logger.warning("extraction is still pending: %s", one)
        except InterlayerError as error:
            logger.warning("extraction: %s It is tried again.", error)
        await anyio.sleep(_BACKLOG_S)
