"""What an order to a model is known by: marks with weights, and what is one by itself.

| mark | says | weight |
| --- | --- | --- |
| `turn` | a line poses as a turn of a conversation or as the system: "system: ...", "[ADMIN]" | 0.6 |
| `called` | a model, bot or assistant is spoken to: "note to AI agents", "you, the assistant" | 0.8, loosely 0.4-0.6 |
| `order` | a verb of what agents are told to do, as an order: "send", "must approve" | 0.4 |
| `condition` | "if anybody asks about ...", "when summarizing this", and what to say then | 0.5, with it 1.0 |
| `secrecy` | "do not tell the user", and what to say instead | 0.4-0.6 |
| `first` | "before you answer", "do the following first", "your new task" | 0.4-0.6 |
| `answers` | "to the end of every answer" | 0.7 |
| `tools` | "call the tool ...", "delete the memory" | 0.4-0.6 |
| `secrets` | passwords, keys, the system prompt, and an address to send to | 0.4, 0.05 |
| `pose` | "governance notice:", "new policy for all agents", "approved by the user already" | 0.4-0.7 |
| `loosened` | "needs no approval", "skip the checks" | 0.5 |
| `replaced` | "your instructions have changed", "forget everything" | 0.5-0.7 |
| `persona` | "you are now", "from now on, approve" | 0.7 |
| `colleague` | "call me", "let us know": somebody speaks to a colleague | -0.3 |

The weights of the marks that a sentence has are added up, of each mark the highest; from `THRESHOLD` on it is an order.
Nothing but the threshold is fitted: `python benchmarks injections` chooses it over folds of labelled texts.
"""

from functools import cache
from typing import Any, Final

import re2

from interlayer.language.prompt_injection.address_patterns import ADDRESSING
from interlayer.language.prompt_injection.content_patterns import CONTENT

THRESHOLD: Final = 1.0
_MEMORY: Final = 64 << 20  # bytes at most, for the states of a pattern of many words

_MARKS: Final = {**ADDRESSING, **CONTENT}
_NEEDED: Final = ("turn", "called", "condition", "secrecy", "first", "answers", "tools", "pose", "persona", "replaced")
"""Without one of these marks no sentence comes to the threshold."""


def needed_signs() -> str:
    """Return a pattern for what every sentence has that its marks make an order."""
    sources = (source for name in _NEEDED for _, source in _MARKS[name])
    return "|".join(source.replace(r"^\W*", r"(?:^|[.!?;>。！？])\W*") for source in sources)


def compiled(source: str) -> Any:
    """Return a pattern for RE2, for any case and each line."""
    return re2.compile(f"(?ms){source}", _options())


def marks_of(sentence: str) -> dict[str, float]:
    """Return the marks of a sentence with their weights."""
    known, patterns = _all()
    found: dict[str, float] = {}
    for number in patterns.Match(sentence) or ():
        name, weight = known[number]
        found[name] = max(found.get(name, 0.0), weight, key=abs)
    return found


@cache
def _all() -> tuple[list[tuple[str, float]], Any]:
    """Return the mark and weight of each pattern, and all of them as one, made when first needed."""
    known: list[tuple[str, float]] = []
    patterns: Any = re2.Set.SearchSet(_options())
    for name, signs in _MARKS.items():
        for weight, source in signs:
            patterns.Add(f"(?ms){source}")
            known.append((name, weight))
    patterns.Compile()
    return known, patterns


def _options() -> Any:
    options = re2.Options()
    options.never_capture, options.log_errors, options.max_mem = True, False, _MEMORY
    options.case_sensitive = False
    return options
