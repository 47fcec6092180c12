"""A room whose content is read by a chat model over HTTP, and whose backlog can be worked off."""

from typing import Any

from interlayer.memory.curation.reextraction import Rereader
from interlayer.memory.curation.reextraction_diff import Change
from interlayer.memory.erasure.planner import ErasurePlanner
from interlayer.memory.extraction.model_choice import ModelChoice
from interlayer.models.chat import ChatSettings
from rooms import Room


def settings_of(url: str, **more: Any) -> ChatSettings:
    """Return settings for a scripted server."""
    given: dict[str, Any] = {"models": ("openai/scripted",), "api_base": url, "api_key": "k", "timeout_s": 30.0, **more}
    return ChatSettings(**given)


class ReadingRoom:
    """Memory with a model: what one process of a server has."""

    def __init__(self, room: Room, settings: ChatSettings) -> None:
        self.room = room
        self.choice = ModelChoice(room.store, room.trail, room.clock, settings)
        room.extractors = self.choice
        self.process = room.other()
        self.rereader = rereader_of(self.process, self.choice)

    async def work_off(self, *, early: bool = True) -> list[Change | str]:
        """Have the backlog read; return what it came to."""
        return [one async for one in self.rereader.work_off(self.room.principal, early=early)]


def rereader_of(room: Room, choice: Any) -> Rereader:
    """Build what reads again in a room."""
    return Rereader(
        room.store,
        room.entities,
        room.projector,
        ErasurePlanner(room.store, room.entities, room.trail, room.schema, room.clock),
        room.trail,
        room.spaces,
        room.schema,
        room.clock,
        choice,
    )
