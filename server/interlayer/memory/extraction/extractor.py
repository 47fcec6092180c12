"""The extractor port: a model that reads content and proposes what to remember of it.

Whatever a model does, content is remembered: when it fails, the plain way is taken until it answers, and the call says
so (`pending`).
"""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

import anyio

from interlayer.errors import InvalidInput, Unavailable
from interlayer.memory.log.identifiers import check_text
from interlayer.memory.requests import PROPERTIES_MAX, FactCandidate, PropertyCandidate
from interlayer.memory.schema.schema import EntitySchema
from interlayer.text.private import masked

EXTRACTED_MAX: Final = 2_000  # facts in the longest content: more than these are a model that runs in circles
_REASON_MAX: Final = 120

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact that a model is told of while it reads, so that it may say what of it is repeated or replaced."""

    id: str
    text: str


Nearest = Callable[[str], Awaitable[Sequence[KnownFact]]]
"""Returns those of the entity's facts that are nearest to a text."""


async def nothing_near(text: str) -> Sequence[KnownFact]:
    """Return nothing: of an entity of which nothing is known."""
    _ = text
    return ()


@dataclass(frozen=True, slots=True)
class ExtractionTask:
    """What a model is given to read. Secrets are blotted out of the content already."""

    content: str
    entity_type: str
    schema: EntitySchema
    name: str
    observed_at: datetime
    known: Mapping[str, Any]
    nearest: Nearest = nothing_near


@dataclass(frozen=True, slots=True)
class ExtractedFact:
    """A statement, the very words of the content that it rests on, and, if told, since when it holds and of whom.

    `repeats` and `replaces` are ids of known facts. `ended`: what the statement is about is over.
    """

    text: str
    quote: str
    confidence: float
    observed_at: str | None = None
    subject: str | None = None
    repeats: str | None = None
    replaces: str | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class ExtractedProperty:
    """A value for a property of the schema, and the very words of the content that it rests on.

    `remove`: the value is no longer one, or, without a value, the property has none any more.
    """

    name: str
    value: Any
    quote: str
    confidence: float
    remove: bool = False


@dataclass(frozen=True, slots=True)
class LostEntry:
    """Something of a model's answer that cannot be used, and what it said as far as that can be told.

    `passage` is what the model was reading, empty for all of the content: what was lost is about something in there.
    """

    why: str
    text: str = ""
    quote: str = ""
    passage: str = ""


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a model found. `by` is the model that answered and its prompt; empty: the extractor's name says it all.

    `lost` is what of its answer cannot be used. `unknown_facts` counts what it named as known and was not told.
    """

    facts: Sequence[ExtractedFact] = ()
    properties: Sequence[ExtractedProperty] = ()
    by: str = ""
    lost: Sequence[LostEntry] = ()
    unknown_facts: int = 0


class Extractor(Protocol):
    """Reads content. Raises `Unavailable` when the model cannot be reached or does not answer in form."""

    @property
    def name(self) -> str:
        """What answers and memories call it."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long a call waits for it."""
        ...

    async def extract(self, task: ExtractionTask) -> Extraction:
        """Read what the content says of the entity."""
        ...


class Extractors(Protocol):
    """Says which extractor an organization has just now. Raises `Unavailable` when that cannot be told."""

    async def current(self, organization: str) -> Extractor | None:
        """Return the extractor, None where no model is configured."""
        ...


@dataclass(frozen=True, slots=True)
class Always:
    """The same extractor for every organization."""

    extractor: Extractor | None = None

    async def current(self, organization: str) -> Extractor | None:
        """Return it."""
        _ = organization
        return self.extractor


NO_MODEL: Final = Always()


@dataclass(frozen=True, slots=True)
class Extracted:
    """A model's candidates, who they are from, and what of its answer was lost (`Extraction`)."""

    extractor: str
    facts: tuple[FactCandidate, ...]
    properties: tuple[PropertyCandidate, ...]
    lost: tuple[LostEntry, ...] = ()
    unknown_facts: int = 0


async def extract_from(extractor: Extractor, task: ExtractionTask, patience: float = 1) -> Extracted | str:
    """Return a model's candidates, or in a few words why there are none to be had.

    `patience` is how many times longer than a call the caller waits.
    """
    timeout_s = extractor.timeout_s * patience
    try:
        with anyio.fail_after(timeout_s):
            return _candidates(extractor.name, await extractor.extract(task))
    except TimeoutError:
        reason = f"no answer within {timeout_s:g} s"
    except Unavailable as error:
        reason = str(error)
    except InvalidInput as error:
        reason = f"its answer cannot be used: {error}"
    except Exception as error:  # noqa: BLE001 - a fault of somebody else's model must not cost the content
        reason = f"it failed with {type(error).__name__}"
    reason = masked(" ".join(reason.split()))[:_REASON_MAX].rstrip(" .")
    logger.warning("%s unavailable: %s", extractor.name, reason)
    return reason


def _candidates(name: str, found: Any) -> Extracted:
    """Return an extraction as candidates. Raises `InvalidInput` for what is not in form."""
    if not isinstance(found, Extraction):
        raise InvalidInput("extraction", f"{type(found).__name__} is no extraction.")
    if len(found.facts) > EXTRACTED_MAX or len(found.properties) > PROPERTIES_MAX:
        raise InvalidInput("extraction", f"over {EXTRACTED_MAX} facts or {PROPERTIES_MAX} properties.")
    facts: list[FactCandidate] = []
    for one in found.facts:
        if not isinstance(one, ExtractedFact):  # pyright: ignore[reportUnnecessaryIsInstance] - a model's answer
            raise InvalidInput("facts", f"{type(one).__name__} is no fact.")
        _check(one.confidence, one.text, one.quote, one.observed_at or "", one.subject or "")
        text = " ".join(one.text.split())
        said = FactCandidate(text, one.confidence, one.observed_at, None, "extractor", one.quote, one.subject or None)
        # That something is over counts only of a fact that was known: else a slip would hide what is new.
        facts.append(
            replace(said, replaces=one.replaces, ended=one.ended and one.replaces is not None, repeats=one.repeats)
        )
    properties: list[PropertyCandidate] = []
    for prop in found.properties:
        if not isinstance(prop, ExtractedProperty):  # pyright: ignore[reportUnnecessaryIsInstance] - a model's answer
            raise InvalidInput("properties", f"{type(prop).__name__} is no property.")
        _check(prop.confidence, prop.name, prop.quote, str(prop.value))
        value = PropertyCandidate(prop.name, prop.value, prop.confidence, None, "extractor", prop.quote, prop.remove)
        properties.append(value)
    return Extracted(found.by or name, tuple(facts), tuple(properties), tuple(found.lost), found.unknown_facts)


def _check(confidence: Any, *texts: Any) -> None:
    for text in texts:
        if not isinstance(text, str):
            raise InvalidInput("extraction", f"{type(text).__name__} instead of text.")
        check_text(text, "extraction")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not math.isfinite(confidence):
        raise InvalidInput("confidence", "is no number.")
    if not 0 <= confidence <= 1:
        raise InvalidInput("confidence", f"{confidence} is not between 0 and 1.")
