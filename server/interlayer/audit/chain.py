"""The chain of events, looked through in order: each in its place, unchanged, and following the one before."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from interlayer.audit.trail import GENESIS, event_hash

_PLACE: Final = re.compile(r"\d{12}", re.ASCII)

What = Literal[
    "event", "segment", "receipt", "checkpoint", "key", "policy", "policy set", "waiver", "proposal", "setting",
    "entity", "memory", "content",
]  # fmt: skip
Problem = Literal["changed", "missing", "reordered", "forged", "replaced", "differs", "doubled", "unsealed", "restored"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was written: what, which, what is wrong, and how that shows."""

    what: What
    name: str
    problem: Problem
    detail: str

    def __str__(self) -> str:
        return f"{self.what} {self.name}: {self.problem}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a chain at a moment, as it is kept elsewhere."""

    organization: str
    number: int
    hash: str
    at: str


@dataclass(slots=True)
class ChainCheck:
    """Looks at events in the order of their places and keeps what it finds in `faults`."""

    faults: list[Fault]
    checkpoints: Mapping[int, Sequence[Checkpoint]] = field(default_factory=dict[int, Sequence[Checkpoint]])
    events: int = 0
    compared: int = 0
    number: int = 0
    hash: str = GENESIS
    _linked: bool = True

    def look(self, place: str, body: Mapping[str, Any]) -> bool:
        """Take the next event; return whether it is what was written there."""
        self.events += 1
        if not _PLACE.fullmatch(place) or int(place) == 0:
            self._report(place, "forged", "no event has such a place in the chain")
            return False
        number = int(place)
        if number > self.number + 1:
            self._report(_range(self.number + 1, number - 1), "missing", f"the next one there is {number}")
            self._linked = False
        sound = self._sound(number, body)
        self._linked, self.number, self.hash = sound, number, str(body.get("hash"))
        for checkpoint in self.checkpoints.get(number, ()):
            self._compare(checkpoint)
        return sound

    def end(self) -> None:
        """Say what was to come after the last event."""
        for number in sorted(self.checkpoints):
            for checkpoint in self.checkpoints[number] if number > self.number else ():
                lost = _range(self.number + 1, number)
                self._report(
                    lost, "missing", f"the chain ends at {self.number}, the checkpoint of {checkpoint.at} does not"
                )
                self.compared += 1
        if 0 in self.checkpoints:
            self.compared += len(self.checkpoints[0])

    def _sound(self, number: int, body: Mapping[str, Any]) -> bool:
        if event_hash(body) != body.get("hash"):
            self._report(str(number), "changed", "its content does not have its hash")
            return False
        if body.get("number") != number:
            self._report(str(number), "reordered", f"event {body.get('number')} stands in its place")
            return False
        if self._linked and body.get("previous") != self.hash:
            if number == 1:
                self._report("1", "forged", "it follows another event, and the first one follows none")
            else:
                told = f"event {number} follows another one: either this one was replaced or {number} is forged"
                self._report(str(number - 1), "replaced", told)
        return True

    def _compare(self, checkpoint: Checkpoint) -> None:
        self.compared += 1
        if checkpoint.hash != self.hash:
            told = f"the checkpoint of {checkpoint.at} has hash {checkpoint.hash[:16]}…, the event {self.hash[:16]}…"
            self.faults.append(Fault("checkpoint", str(checkpoint.number), "differs", told))

    def _report(self, name: str, problem: Problem, detail: str) -> None:
        self.faults.append(Fault("event", name, problem, detail))


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
