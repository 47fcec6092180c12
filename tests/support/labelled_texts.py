"""Texts with a label each, whether they break a rule, and how well a check tells: `checks.json` and `texts.jsonl`."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from interlayer_policies.checks.checks import Checker, compiled
from interlayer_policies.checks.draft import Draft

OWN: Final = Path(__file__).parent / "texts_to_check"
"""Texts of this project, in seven languages."""

STARTER_DISCOUNT: Final[dict[str, Any]] = {
    "kind": "max_number",
    "unit": "%",
    "near": ["discount", "off", "rebate", "reduction", "cheaper"],
    "max": 15,
}
"""The check of the starter policy on discounts."""

BUSINESS: Final = ("emails", "chats", "transcripts", "call_notes", "documents", "multi_source")


@dataclass(slots=True)
class Tally:
    """How many texts break a rule or not, and how many of them were told wrongly; `wrong` has these texts."""

    counts: Counter[tuple[bool, bool]] = field(default_factory=Counter[tuple[bool, bool]])
    wrong: list[str] = field(default_factory=list[str])

    @property
    def recall(self) -> float:
        """The share of violations that are found."""
        return _share(self.counts[True, True], self.counts[True, False])

    @property
    def false_alarms(self) -> float:
        """The share of harmless texts that count as a violation."""
        return _share(self.counts[False, True], self.counts[False, False])


def check_of(options: dict[str, Any]) -> Checker:
    """Return a check as the front matter of a policy has it."""
    return compiled(options["kind"], {name: value for name, value in options.items() if name != "kind"})


def tallies(folder: Path) -> dict[str, Tally]:
    """Hold every text of a folder against its check; `all` has the sums."""
    given: dict[str, dict[str, Any]] = json.loads((folder / "checks.json").read_text(encoding="utf-8"))
    checks = {name: check_of(options) for name, options in given.items()}
    found: dict[str, Tally] = {"all": Tally()}
    for line in (folder / "texts.jsonl").read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        told = (bool(one["flag"]), bool(checks[one["check"]](Draft(one["text"]))))
        for tally in (found["all"], found.setdefault(one["check"], Tally())):
            tally.counts[told] += 1
            if told[0] != told[1]:
                tally.wrong.append(one["text"])
    return found


def business_texts(folder: Path) -> Iterator[str]:
    """Yield the texts of a folder of mails, chats, transcripts, notes and documents."""
    for kind in BUSINESS:
        for file in sorted((folder / kind).rglob("*.txt")):
            yield file.read_text(encoding="utf-8")


def _share(some: int, others: int) -> float:
    return some / (some + others) if some + others else 0.0
