"""The gates every candidate passes before it is remembered. Each rejection has a reason code and is returned.

| reason             | turned down because                                                        |
| ------------------ | -------------------------------------------------------------------------- |
| `empty`            | nothing is said: no letter, or no word beside function words               |
| `oversized`        | longer than one statement can be                                           |
| `instruction`      | it talks to a model ("ignore all previous instructions") instead of about the entity |
| `unknown_property` | the schema has no such property, or has retired it                         |
| `type`             | the schema's type does not take the value                                  |
| `low_confidence`   | below what the schema asks for                                             |
| `secret`           | it holds a key, a token, a password or a payment card number, which is kept nowhere |
| `ungrounded`       | a model's quote, number or name is not in the content                      |
| `dangling`         | a model's statement depends on a pronoun that nothing in it explains       |
| `unanchored`       | a model gives a time that is none                                          |
| `other_entity`     | a model says that it is about somebody else                                |

What the calling agent gives is never turned down for style, and plain content is not either: the last four are asked of
a model alone.
"""

import difflib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import re2

from interlayer.memory.requests import PropertyCandidate
from interlayer.memory.schema import EntitySchema, GateSettings
from interlayer.memory.values import ValueProblem
from interlayer.text.private import is_masked
from interlayer.text.terms import terms

# Sentences that are addressed to a language model. Narrow on purpose: a customer may well write about
# instructions, but nobody states a fact by telling the reader to ignore what it was told before.
_INSTRUCTION: Final = re2.compile(
    r"(?is)\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|preceding|all|any"
    r"|your|system)\b[^.\n]{0,30}\b(?:instructions?|prompts?|rules|polic(?:y|ies)|guardrails|guidelines)\b"
    r"|\b(?:reveal|print|repeat|show|output|leak)\b[^.\n]{0,30}\b(?:your|the) (?:system|hidden|initial|developer) "
    r"(?:prompt|message|instructions?)\b"
    r"|\byou are now\b[^.\n]{0,40}\b(?:mode|assistant|jailbroken|unrestricted|model|DAN)\b"
    r"|<\|?(?:im_start|im_end|system|endoftext)\|?>|\[/?INST\]|^\s*(?:system|assistant)\s*:\s*you (?:are|must|will)\b"
)


@dataclass(slots=True)
class Gates:
    """The count of one call: how many candidates were checked, and why some were turned down."""

    checked: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])

    def fact(self, text: str, limits: GateSettings, confidence: float | None = None) -> str | None:
        """Return why a fact is turned down, or None; `confidence` is given for what a model extracted."""
        return self.count(_fact_problem(text, limits, confidence))

    def value(self, candidate: PropertyCandidate, schema: EntitySchema) -> tuple[Any, str | None]:
        """Return the value in normal form and why it is turned down, or None; the reason says what would pass."""
        self.checked += 1
        known = schema.current.get(candidate.name)
        if known is None:
            self.rejected["unknown_property"] += 1
            return candidate.value, f"unknown_property: {_hint(candidate.name, schema)}"
        if is_masked(str(candidate.value)):
            self.rejected["secret"] += 1
            return candidate.value, "secret: it looks like a key, a password or a card number"
        if is_instruction(str(candidate.value)):
            self.rejected["instruction"] += 1
            return candidate.value, "instruction: it addresses a model"
        try:
            value = known.normal(candidate.value)
        except ValueProblem as problem:
            self.rejected["type"] += 1
            return candidate.value, f"type: {candidate.name} {problem}"
        if candidate.confidence < known.minimum_confidence:
            self.rejected["low_confidence"] += 1
            return value, f"low_confidence: {candidate.name} needs {known.minimum_confidence}"
        return value, None

    @property
    def passed(self) -> int:
        """How many candidates came through."""
        return self.checked - self.rejected.total()

    def count(self, reason: str | None) -> str | None:
        """Count a candidate with its verdict and return the verdict."""
        self.checked += 1
        if reason:
            self.rejected[reason] += 1
        return reason


def is_instruction(text: str) -> bool:
    """Return whether a text speaks to a model rather than about anything."""
    return bool(_INSTRUCTION.search(text))


def _hint(name: str, schema: EntitySchema) -> str:
    if name in schema.properties:
        return f"{name} is retired"
    near = difflib.get_close_matches(name, schema.current, 1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(schema.current)}"


def _fact_problem(text: str, limits: GateSettings, confidence: float | None) -> str | None:
    if is_masked(text):
        return "secret"
    if is_instruction(text):
        return "instruction"
    if len(text) > limits.fact_characters_max and "oversized" not in limits.off:
        return "oversized"
    if not any(character.isalpha() for character in text) or not terms(text):
        return "empty"
    weak = confidence is not None and confidence < limits.minimum_confidence
    return "low_confidence" if weak and "low_confidence" not in limits.off else None
