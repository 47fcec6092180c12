"""What trials would have done to the calls on record: how often, for whom, and what would have become of drafts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from interlayer_policies.delivery.snapshot import Snapshot
from interlayer_policies.document.names import fold_id

TrialState = Literal["in_trial", "changed_since", "ended"]

RECEIPTS_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class FlaggedDraft:
    """A draft that a rule in trial would have flagged: its receipt and the places, in characters."""

    receipt_id: str
    at: str
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A rule or section in trial at a version, and what it would have done.

    `delivered` counts calls for a task, `drafts` texts that it would have been held against, `flagged` those of them
    that it would have found fault with. `displaced` counts the calls that would have lost a rule by it. Of receipts and
    flagged drafts the newest are named.
    """

    ref: str
    version: int
    kind: Literal["rule", "section"]
    state: TrialState
    delivered: int
    drafts: int
    flagged: int
    agents: Mapping[str, int]
    channels: Mapping[str, int]
    audiences: Mapping[str, int]
    displaced: Mapping[str, int]
    receipts: tuple[str, ...]
    flagged_drafts: tuple[FlaggedDraft, ...]


@dataclass(frozen=True, slots=True)
class TrialReport:
    """The trials, out of so many calls for a task and so many drafts that were checked since an instant."""

    revision: int
    since: str
    calls: int
    drafts: int
    trials: tuple[TrialRow, ...]


@dataclass(slots=True)
class _Tally:
    kind: Literal["rule", "section"]
    delivered: int = 0
    drafts: int = 0
    flagged: int = 0
    agents: Counter[str] = field(default_factory=Counter[str])
    channels: Counter[str] = field(default_factory=Counter[str])
    audiences: Counter[str] = field(default_factory=Counter[str])
    displaced: Counter[str] = field(default_factory=Counter[str])
    receipts: list[str] = field(default_factory=list[str])
    flags: list[FlaggedDraft] = field(default_factory=list[FlaggedDraft])


@dataclass(frozen=True, slots=True)
class TriedCall:
    """A call that trials would have had a part in; `noted` is what its receipt says of them."""

    receipt_id: str
    at: str
    agent: str
    is_draft: bool
    facets: Mapping[str, tuple[str, ...]]
    noted: Mapping[str, Any]


def trial_rows(snapshot: Snapshot, calls: Iterable[TriedCall], policy: str | None = None) -> tuple[TrialRow, ...]:
    """Return the trials in force and those that calls, newest first, tell of; of a policy or a rule alone if named."""
    tallies = {ref: _Tally(kind) for ref, kind in trials_of(snapshot)}
    current = frozenset(tallies)
    for call in calls:
        _count(tallies, call)
    ids = {ref.rpartition("@")[0] for ref in current}
    rows = [
        _row(
            ref, tally, "in_trial" if ref in current else "changed_since" if ref.rpartition("@")[0] in ids else "ended"
        )
        for ref, tally in tallies.items()
        if policy is None or fold_id(policy) in (fold_id(ref.partition("#")[0]), fold_id(ref.rpartition("@")[0]))
    ]
    return tuple(sorted(rows, key=lambda row: (row.state != "in_trial", row.ref, -row.version)))


def trials_of(snapshot: Snapshot) -> Iterator[tuple[str, Literal["rule", "section"]]]:
    """Yield what of a set is in trial, `policy#rule@version` or `policy#section@version`, and which of them it is."""
    for edition in snapshot.published:
        policy = edition.policy
        for rule in policy.rules:
            if policy.trial or rule.trial:
                yield f"{policy.id}#{rule.id}@{edition.version}", "rule"
        for section in policy.sections if policy.trial else ():
            yield f"{policy.id}#{section.id}@{edition.version}", "section"


def _count(tallies: dict[str, _Tally], call: TriedCall) -> None:
    for kind in ("rule", "section"):
        for ref in map(str, call.noted.get(f"{kind}s", ())):
            tally = tallies.setdefault(ref, _Tally(kind))
            tally.delivered += not call.is_draft
            tally.drafts += call.is_draft
            tally.agents[call.agent] += 1
            tally.channels.update(call.facets.get("channel", ("not given",)))
            tally.audiences.update(call.facets.get("audience", ("not given",)))
            tally.displaced.update(_displaced_by(ref, call.noted))
            if len(tally.receipts) < RECEIPTS_NAMED:
                tally.receipts.append(call.receipt_id)
    for ref, places in call.noted.get("flagged", ()):
        tally = tallies.setdefault(str(ref), _Tally("rule"))
        tally.flagged += 1
        if len(tally.flags) < RECEIPTS_NAMED:
            read = tuple((int(start), int(end)) for start, end in places)
            tally.flags.append(FlaggedDraft(call.receipt_id, call.at, read))


def _displaced_by(ref: str, noted: Mapping[str, Any]) -> Iterator[str]:
    """Yield the rules that a rule, or its policy by superseding theirs, would have displaced."""
    named = {ref.rpartition("@")[0], ref.partition("#")[0]}
    yield from (str(lost) for lost, by in noted.get("displaced", ()) if by in named)


def _row(ref: str, tally: _Tally, state: TrialState) -> TrialRow:
    name, _, version = ref.rpartition("@")
    return TrialRow(
        ref=name,
        version=int(version) if version.isdecimal() else 0,
        kind=tally.kind,
        state=state,
        delivered=tally.delivered,
        drafts=tally.drafts,
        flagged=tally.flagged,
        agents=dict(tally.agents.most_common()),
        channels=dict(tally.channels.most_common()),
        audiences=dict(tally.audiences.most_common()),
        displaced=dict(tally.displaced.most_common()),
        receipts=tuple(tally.receipts),
        flagged_drafts=tuple(tally.flags),
    )
