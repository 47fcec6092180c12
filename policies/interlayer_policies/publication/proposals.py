"""Who has to approve a change of the policies, and changes that wait for it.

A policy names its own `approvers`; any policy may name `tier_approvers` for all policies of a tier. What is in force
and what is proposed both count, so nobody can take an approver out without that approver. One of each group named has
to agree, and never the author or whoever handed the change in.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from interlayer.audit.trail import Event, Trail
from interlayer.errors import Conflict, NotFound
from interlayer.ids import new_id, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore, Key, Put, Span, VersionConflict
from interlayer_policies.delivery.snapshot import Edition, Snapshot
from interlayer_policies.document.names import fold_id, unify_references
from interlayer_policies.document.policy import Policy, PolicyFile

State = Literal["pending", "published", "rejected", "outdated", "break_glass", "approved_later", "rejected_later"]

OPEN: Final = ("pending", "break_glass")
"""States in which somebody still has to decide."""

_PART_BYTES: Final = 300_000
_NAMES_IN_EVENT: Final = 100


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody's word on a proposal."""

    by: str
    at: str
    reason: str
    approved: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that needs approval: `groups` are those of each of whom one has to agree."""

    id: str
    at: str
    author: str
    submitter: str
    reason: str
    base_revision: int
    changed: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    state: State = "pending"
    decisions: tuple[Decision, ...] = ()
    parts: int = 0
    item_version: int = field(default=0, compare=False)

    @property
    def waiting_for(self) -> tuple[tuple[str, ...], ...]:
        """The groups nobody of whom has agreed yet."""
        agreed = {_name(one.by) for one in self.decisions if one.approved}
        return tuple(group for group in self.groups if not agreed & {_name(one) for one in group})

    def may_decide(self, who: str) -> bool:
        """Whether it is somebody's to decide: one of the approvers, and not the author or the submitter."""
        named = {_name(one) for group in self.groups for one in group}
        return _name(who) in named - {_name(self.author), _name(self.submitter)}

    def decided(self, decision: Decision, state: State | None = None) -> "Proposal":
        """Return it with one more decision."""
        return replace(self, decisions=(*self.decisions, decision), state=state or self.state)


def groups_for(
    before: Mapping[str, Policy], after: Mapping[str, Policy], changed: Iterable[str]
) -> tuple[tuple[str, ...], ...]:
    """Return the groups of approvers that a change of these policies needs, each once.

    Whoever displaces a rule changes it: what the changed policies supersede or override counts as changed too.
    """
    named_by = [{fold_id(name): policy for name, policy in policies.items()} for policies in (before, after)]
    changed = dict.fromkeys(map(fold_id, changed))
    touched = [*changed, *sorted(_displaced(after, changed) - changed.keys())]
    tiers = [policy.tier_approvers for policies in named_by for policy in policies.values()]
    found: dict[tuple[str, ...], None] = {}
    for name in touched:
        for policy in filter(None, (policies.get(name) for policies in named_by)):
            of_tier = [named[policy.tier] for named in tiers if policy.tier in named]
            for group in (policy.approvers, *of_tier):
                if group:
                    found[tuple(sorted(set(group)))] = None
    return tuple(found)


def _displaced(policies: Mapping[str, Policy], by: Collection[str]) -> set[str]:
    """Return the policies of which some of these supersede or override anything."""
    unified = unify_references(list(policies.values()))
    snapshot = Snapshot(0, [Edition(policy, 1) for policy in unified], (), None)
    ids = [fold_id(edition.policy.id) for edition in snapshot.editions]
    found = {fold_id(ref.rpartition("#")[0]) for ref, rivals in snapshot.rivals.items()
             if any(ids[rival.number] in by for rival in rivals)}  # fmt: skip
    return found | {ids[target] for number, target in snapshot.superseding if ids[number] in by}


class Proposals:
    """Proposals in the item store (table `governance`): `ORG#proposals` / id, their files in `ORG#proposal#ID`."""

    def __init__(self, store: ItemStore, trail: Trail) -> None:
        self._store = store
        self._trail = trail

    async def add(self, principal: Principal, proposal: Proposal, files: Sequence[PolicyFile]) -> Proposal:
        """Store a proposal with its files; the proposal itself last, so that it never lacks any."""
        organization = principal.organization
        parts = list(_parts(files))
        for number, part in enumerate(parts):
            await self._store.transact([Put(_part_key(organization, proposal.id, number), {"files": part})])
        whole = replace(proposal, parts=len(parts))
        await self.update(principal, whole, "policy.proposed", {"reason": proposal.reason, "author": proposal.author})
        return whole

    async def update(self, principal: Principal, proposal: Proposal, event: str, detail: Mapping[str, Any]) -> None:
        """Store what became of a proposal, with its event. Raises `Conflict` when somebody else was first."""
        told = {**detail, "changed": list(proposal.changed[:_NAMES_IN_EVENT])}
        try:
            await self._trail.commit(
                principal, Event(event, proposal.id, told), [put(principal.organization, proposal)]
            )
        except VersionConflict as conflict:
            raise Conflict(f"{proposal.id} was decided on by somebody else meanwhile; look at it again") from conflict

    async def get(self, organization: str, proposal_id: str) -> Proposal:
        """Return a proposal. Raises `NotFound`."""
        item = await self._store.get(_key(organization, proposal_id[:80]))
        if item is None:
            raise NotFound(f"no proposal {proposal_id[:80]!r}; `interlayer policy proposals` lists them")
        return _read(item.body, item.version)

    async def files(self, organization: str, proposal: Proposal) -> list[PolicyFile]:
        """Return the files that a proposal would make the whole set."""
        keys = [_part_key(organization, proposal.id, number) for number in range(proposal.parts)]
        found = await self._store.get_many(keys)
        if len(found) != len(keys):
            raise Conflict(f"proposal {proposal.id} is not whole; propose it again")
        return [PolicyFile(path, text) for key in keys for path, text in found[key].body["files"]]

    async def listed(self, organization: str) -> list[Proposal]:
        """Return the proposals, newest first."""
        page = await self._store.query("governance", f"{organization}#proposals", Span(), reverse=True)
        return [_read(item.body, item.version) for item in page.items]


def new_proposal_id(now: datetime) -> str:
    """Return an id; later ones sort behind."""
    return new_id("pr", now)


def decision(by: str, now: datetime, reason: str, *, approved: bool) -> Decision:
    """Return somebody's word."""
    return Decision(by, timestamp(now), reason, approved)


def put(organization: str, proposal: Proposal) -> Put:
    """Build the operation that stores a proposal as it stands now, on what was read of it."""
    body = asdict(proposal)
    del body["item_version"]
    return Put(_key(organization, proposal.id), body, expect=proposal.item_version)


def _read(body: Mapping[str, Any], version: int) -> Proposal:
    given: dict[str, Any] = dict(body)
    given["changed"] = tuple(body["changed"])
    given["groups"] = tuple(tuple(group) for group in body["groups"])
    given["decisions"] = tuple(Decision(**one) for one in body["decisions"])
    return Proposal(**given, item_version=version)


def _parts(files: Sequence[PolicyFile]) -> Iterable[list[list[str]]]:
    part: list[list[str]] = []
    size = 0
    for file in files:
        length = len(file.text.encode()) + len(file.path.encode())
        if part and size + length > _PART_BYTES:
            yield part
            part, size = [], 0
        part.append([file.path, file.text])
        size += length
    yield part


def _name(who: str) -> str:
    return " ".join(who.casefold().split())


def _key(organization: str, proposal_id: str) -> Key:
    return Key("governance", f"{organization}#proposals", proposal_id)


def _part_key(organization: str, proposal_id: str, number: int) -> Key:
    return Key("governance", f"{organization}#proposal#{proposal_id}", f"{number:03d}")
