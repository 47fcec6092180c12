"""An extraction model that answers as a test says, or does not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio

from interlayer.memory.extraction.extractor import ExtractedFact, Extraction, ExtractionTask


@dataclass
class ScriptedExtractor:
    """Answers every task with what `answer` makes of it, and keeps the tasks."""

    answer: Callable[[ExtractionTask], Any]
    name: str = "scripted"
    timeout_s: float = 5.0
    tasks: list[ExtractionTask] = field(default_factory=list[ExtractionTask])

    async def extract(self, task: ExtractionTask) -> Extraction:
        """Answer, whatever it is."""
        self.tasks.append(task)
        return self.answer(task)


class SilentExtractor:
    """Never answers."""

    name = "silent"
    timeout_s = 0.01

    async def extract(self, task: ExtractionTask) -> Extraction:
        """Wait for ever."""
        await anyio.sleep_forever()
        raise AssertionError(task)


def says(*facts: ExtractedFact | tuple[str, str]) -> ScriptedExtractor:
    """Return a model that finds these facts: (text, quote), or as they are."""
    found = [one if isinstance(one, ExtractedFact) else ExtractedFact(one[0], one[1], 0.9) for one in facts]
    return ScriptedExtractor(lambda _: Extraction(found))
