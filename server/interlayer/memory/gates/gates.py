"""The gates every candidate passes before it is remembered. Each rejection has a reason code and is returned.

| reason             | holds for   | turned down because                                              |
| ------------------ | ----------- | ---------------------------------------------------------------- |
| `secret`           | all         | it holds a key, token, password or card number                   |
| `instruction`      | all         | it gives an order to a model ("ignore all previous instructions")|
|                    |             | or stands where the content does; what is doubtful can be        |
|                    |             | admitted by a person                                             |
| `oversized`        | all         | longer than one statement can be                                 |
| `empty`            | all         | nothing is said: no letter, or no word beside function words     |
| `low_confidence`   | all         | below what the schema asks for                                   |
| `unknown_property` | all         | the schema has no such property, or has retired it               |
| `type`             | all         | the schema's type does not take the value                        |
| `ambiguous`        | all         | the value can be read in two ways; the reason names both         |
| `ungrounded`       | a model     | its quote, a number, a date or a name is not in the content      |
|                    |             | or the sentences around its quote deny it or say nothing of it   |
| `other_entity`     | a model     | it is about somebody else                                        |
| `dangling`         | a model     | it leans on a pronoun that nothing in it explains                |
| `unanchored`       | a model     | the time that it gives for the fact is no time                   |
| `question`         | content     | it asks                                                          |
| `greeting`         | content     | it greets, thanks, or takes leave                                |
| `fragment`         | content     | it assents, or says nothing without what it answers              |
| `furniture`        | content     | it heads, signs or quotes: heads of mails, footers, headings     |
| `not_in_form`      | a model     | its entry of the answer cannot be read                           |
| `unknown_fact`     | a model     | the fact that it names as known was not shown; the rest counts   |

What a caller states is never turned down, and a caller's words are never changed, for how they are put. What plain
content is made of beside statements is counted only: it is kept with the content and nobody has to review it.
"""

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from interlayer.ids import timestamp
from interlayer.language.evidence import denies_value
from interlayer.language.grounding import Ground
from interlayer.language.prompt_injection.orders import is_certain_instruction, is_instruction
from interlayer.language.terms import terms
from interlayer.language.writing.conventions import UNKNOWN, conventions_of
from interlayer.memory.gates.context import GateContext
from interlayer.memory.gates.rejection import UNTRUSTED, GateCode, Rejection
from interlayer.memory.gates.wording import decontextualize
from interlayer.memory.log.records import Observation
from interlayer.memory.requests import FactCandidate, Origin, PropertyCandidate
from interlayer.memory.schema.schema import EntitySchema, PropertySchema
from interlayer.memory.schema.types import AmbiguousValue, ValueProblem
from interlayer.text.private import MASK, masked

_OBEYED: Final = Rejection("ungrounded", "the words it rests on speak to a model")
_ORDER: Final = Rejection("instruction", "it addresses a model")
_DOUBTFUL: Final = Rejection("instruction", f"{UNTRUSTED}: it may address a model; kept until a person admits it")
_BESIDE: Final = Rejection("instruction", f"{UNTRUSTED}: it stands where the content addresses a model")
_SCHEME: Final = re.compile(r"(?i)^(?:https?://(?:www\.)?|[a-z][a-z0-9_]*:(?!//))")
_SECRECY: Final = Rejection("secret", "it holds a key, token, password or card number; nothing of it is kept")
_FORMED: Final = {"text", "number", "integer", "money", "date", "datetime", "phone", "list"}
"""Types whose values a model takes from the content; a value of an enum and a truth value follow from it."""
_COPIED: Final = {"email", "url", "reference"}
_DENIABLE: Final = {"number", "integer", "money"}
"""Of a text it is not certain: "they dislike X" states X for what it may be asked as."""

_NOTHING: Final = (None, "", [])
"""What a removal that empties a property has for a value."""

T = TypeVar("T")


@dataclass(slots=True)
class Gates:
    """The count of one call: how many candidates were checked, and why some were turned down.

    `ground` is the content that a model has read; it is only needed for a model's candidates. `redacted` says that
    secrets were blotted out of the content. `addressed` are the places of the `content` that speak to a model: whatever
    is said there grounds nothing, so that a model that obeys them has no effect.
    """

    context: GateContext
    ground: Ground | None = None
    redacted: bool = False
    addressed: Sequence[tuple[int, int]] = ()
    content: str = ""
    checked: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])

    def fact(self, candidate: FactCandidate) -> FactCandidate | Rejection:
        """Return the fact as it is to be remembered, or why it is turned down."""
        return self._count(self._problem_of_fact(candidate) or self._reword(candidate))

    def leave_out(self, code: GateCode) -> None:
        """Count a piece of plain content that states nothing."""
        self._count(Rejection(code))

    def value(self, candidate: PropertyCandidate) -> Observation | Rejection:
        """Return the value in normal form, or why it is turned down; the reason says what would pass."""
        known = self.context.schema.current.get(candidate.name)
        if known is None:
            hint = _hint(candidate.name, self.context.schema)
            return self._count(self._secret_in(candidate) or Rejection("unknown_property", hint))
        return self._count(self._problem_of_value(candidate, known) or self._normal(candidate, known))

    def turn_down(self, code: GateCode, count: int = 1) -> None:
        """Count what was proposed and is turned down without being looked at."""
        self.checked += count
        self.rejected.update({code: count} if count else {})

    @property
    def passed(self) -> int:
        """How many candidates came through."""
        return self.checked - self.rejected.total()

    def _reword(self, candidate: FactCandidate) -> FactCandidate | Rejection:
        """Put a model's statement so that it is understood on its own; everybody else's words stay."""
        if candidate.origin != "extractor" or self.ground is None:
            return candidate
        if self._is_told_to(candidate.quote, self.ground):
            return _OBEYED
        return decontextualize(candidate, self.context, self.ground)

    def _normal(self, candidate: PropertyCandidate, known: PropertySchema) -> Observation | Rejection:
        if _empties(candidate):
            return Observation(
                candidate.name, None, candidate.confidence, timestamp(self.context.observed_at), remove=True
            )
        read_in = self.ground if candidate.origin == "extractor" else None
        try:
            value = known.normal(candidate.value, conventions_of(read_in.content) if read_in else UNKNOWN)
        except AmbiguousValue as problem:
            return Rejection("ambiguous", f"{candidate.name} {problem}")
        except ValueProblem as problem:
            return Rejection("type", f"{candidate.name} {problem}")
        if candidate.confidence < known.minimum_confidence:
            return Rejection("low_confidence", f"{candidate.name} needs {known.minimum_confidence}")
        span = self.ground.locate(candidate.quote) if self.ground and candidate.quote else candidate.span
        observed_at = timestamp(self.context.observed_at)
        return Observation(candidate.name, value, candidate.confidence, observed_at, span, remove=candidate.remove)

    def _problem_of_fact(self, candidate: FactCandidate) -> Rejection | None:
        settings = self.context.gates
        if self._is_secret(candidate.text, candidate.origin):
            return _SECRECY
        if order := self._why_order(candidate.text, candidate):
            return order
        if len(candidate.text) > settings.fact_characters_max:
            return Rejection("oversized")
        if not any(character.isalpha() for character in candidate.text) or not terms(candidate.text):
            return Rejection("empty")
        thresholds = settings.minimum_confidence
        least = {"caller": thresholds.caller, "plain": 0.0, "extractor": thresholds.extractor}[candidate.origin]
        return Rejection("low_confidence", f"a fact needs {least}") if candidate.confidence < least else None

    def _secret_in(self, candidate: PropertyCandidate) -> Rejection | None:
        return _SECRECY if self._is_secret(f"{candidate.name}: {candidate.value}", candidate.origin) else None

    def _problem_of_value(self, candidate: PropertyCandidate, known: PropertySchema) -> Rejection | None:
        if problem := self._secret_in(candidate):
            return problem
        if order := self._why_order(str(candidate.value), candidate):
            return order
        if candidate.origin == "extractor" and self.ground:
            if self._is_told_to(candidate.quote, self.ground):
                return _OBEYED
            return self._why_ungrounded(candidate, self.ground, known.type)
        return None

    def _why_ungrounded(self, candidate: PropertyCandidate, ground: Ground, kind: str) -> Rejection | None:
        if "ungrounded" in self.context.gates.off:
            return None
        span = ground.locate(candidate.quote or "")
        if span is None:
            return Rejection("ungrounded", "its quote is not in the content")
        if kind in _COPIED and not _empties(candidate):
            bare = _SCHEME.sub("", str(candidate.value)).rstrip("/")
            return None if ground.locate(bare) else Rejection("ungrounded", "the value is not in the content")
        if kind not in _FORMED or _empties(candidate):
            return None
        stated = _texts_of(candidate.value)
        missing = next(filter(None, map(ground.missing_value, stated)), None)
        if missing:
            return Rejection("ungrounded", f"{missing} is not in the content")
        is_denied = kind in _DENIABLE and not candidate.remove and denies_value(stated, ground.around(span))
        return Rejection("ungrounded", "the sentences around its quote deny it") if is_denied else None

    def _why_order(self, text: str, candidate: FactCandidate | PropertyCandidate) -> Rejection | None:
        """Return why a candidate is no statement but an order to a model, if so."""
        span = candidate.span if candidate.origin == "plain" else None
        is_beside = span is not None and any(_share(span, place) for place in self.addressed)
        if span and not is_beside and text in self.content[slice(*span)]:
            return None  # it was looked through with the content
        if is_instruction(text):
            return _ORDER if is_certain_instruction(text) else _DOUBTFUL
        return _BESIDE if is_beside else None

    def _is_told_to(self, quote: str | None, ground: Ground) -> bool:
        """Whether a quote stands, wholly or in part, where the content speaks to a model."""
        span = ground.locate(quote or "") if self.addressed else None
        return span is not None and any(start < span[1] and span[0] < end for start, end in self.addressed)

    def _is_secret(self, text: str, origin: Origin) -> bool:
        if self.redacted and MASK in text:
            return True
        return origin != "plain" and masked(text) != text  # plain content was looked through as a whole

    def _count(self, judged: T) -> T:
        self.checked += 1
        if isinstance(judged, Rejection):
            self.rejected[judged.code] += 1
        return judged


def _share(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two places share at least half of the shorter one: sentences are not always cut alike."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common > 0 and 2 * common >= min(one[1] - one[0], other[1] - other[0])


def _empties(candidate: PropertyCandidate) -> bool:
    """Whether a property has no value any more, as its candidate says."""
    return candidate.remove and candidate.value in (None, "", [])


def _texts_of(value: Any) -> list[str]:
    """State a value as texts in which a single word with a capital counts as a name."""
    if isinstance(value, dict):
        return [str(value.get("amount", ""))]
    texts = [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]
    return [text if len(text.split()) > 1 else f"is {text}" for text in texts]


def _hint(name: str, schema: EntitySchema) -> str:
    if name in schema.properties:
        return f"{name} is retired"
    near = difflib.get_close_matches(name, schema.current, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(schema.current)}"
