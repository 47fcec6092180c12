"""A fact and what the whole log says of it: who confirms it, what contradicts it, and what is merely near to it."""

from dataclasses import dataclass, field

from interlayer.memory.log.records import FactRecord, LogEntry


@dataclass(slots=True, eq=False)
class FactState:
    """A fact and what the later log says of it. `number` is its place in the view's indexes.

    `said_as` are the ids under which the log names the statement, `voices` the instants at which each voice was
    recorded and what it says was observed. `contradicts`, `likely` and `alike` hold in both directions: what cannot be
    so at one time, what probably cannot, and what says nearly the same. `replaced` are those that were said in so many
    words to take its place, with when that was recorded. `ended` is when it was said to be over: recorded, observed.
    """

    record: FactRecord
    memory: LogEntry
    number: int
    confirmed_by: list[str] = field(default_factory=list[str])
    said_as: set[str] = field(default_factory=set[str])
    confidence: float = 0.0
    seen_at: str = ""
    voices: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    contradicts: "list[FactState]" = field(default_factory=list["FactState"])
    likely: "list[FactState]" = field(default_factory=list["FactState"])
    alike: "list[FactState]" = field(default_factory=list["FactState"])
    replaced: "dict[FactState, str]" = field(default_factory=dict["FactState", str])
    ended: tuple[str, str] | None = None

    @property
    def superseded_by(self) -> "FactState | None":
        """The last observed of the facts that take the place of this one."""
        over = [other for other in self.contradicts if self.gives_way_to(other)]
        return max(over, key=lambda other: (other.seen_at, other.number)) if over else None

    @property
    def is_over(self) -> bool:
        """Whether it was said to be over, and nobody has said it again since."""
        return self.ended is not None and not self._said_since(*self.ended)

    @property
    def is_current(self) -> bool:
        """Whether it still holds, as far as is known."""
        return not self.is_over and self.superseded_by is None

    @property
    def newer(self) -> "FactState | None":
        """The newest of the current facts that probably take its place and were observed later."""
        found = [last_word(other) for other in self.likely if other.seen_at > self.seen_at]
        # The last word may be of an earlier time: a fact that was said again to replace a later one.
        current = [other for other in found if other.is_current and other.seen_at > self.seen_at]
        return max(current, key=lambda other: (other.seen_at, other.number)) if current else None

    def gives_way_to(self, other: "FactState") -> bool:
        """Tell whether a fact that contradicts this one takes its place.

        The later observed does, and of those that one memory tells at one time the last told. If one was said to
        replace the other, that holds until the other one is said again.
        """
        said, said_back = self.replaced.get(other, ""), other.replaced.get(self, "")
        if said > said_back:
            return not self._said_since(said, other.seen_at)
        if said_back > said:
            return other._said_since(said_back, self.seen_at)
        told_after = other.memory is self.memory and other.number > self.number
        return other.seen_at > self.seen_at or (other.seen_at == self.seen_at and told_after)

    def _said_since(self, recorded_at: str, observed_at: str) -> bool:
        """Tell whether a voice that came after an instant says that it was so at another one, or later."""
        return any(recorded > recorded_at and seen >= observed_at for recorded, seen in self.voices)


def last_word(fact: FactState) -> FactState:
    """Return the fact that has taken the place of one in the end, step by step; the fact itself if none has."""
    passed: set[FactState] = set()
    while fact not in passed and (newer := fact.superseded_by):
        passed.add(fact)
        fact = newer
    return fact
