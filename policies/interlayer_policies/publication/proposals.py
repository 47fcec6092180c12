"""Changes that wait for approval, and the word of each approver.

One of each group named has to agree, of a group that is named twice two people; never the author or whoever handed the
change in. A word counts for the change that it was given on and for no other.
"""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from interlayer.audit.trail import Event, Trail
from interlayer.errors import Conflict, NotFound, Refused
from interlayer.ids import new_id, timestamp
from interlayer.principal import Principal
from interlayer.storage.items import ItemStore, Key, Put, Span, VersionConflict
from interlayer.text.budget import compact_json
from interlayer_policies.document.approvers import TEAM, Approvers
from interlayer_policies.document.policy import PolicyFile, folded
from interlayer_policies.publication.approvals import Group, groups_of
from interlayer_policies.publication.sets import Head

State = Literal["pending", "published", "rejected", "outdated", "break_glass", "approved_later", "rejected_later"]

OPEN: Final = ("pending", "break_glass")
"""States in which somebody still has to decide."""

_PART_BYTES: Final = 300_000
_NAMES_IN_EVENT: Final = 100


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody's word on a proposal.

    `names` are the approvers that they are, `digest` is of the change that they saw. It is `proven` where a key or a
    token showed who gave it, and otherwise said by whoever ran the command.
    """

    by: str
    at: str
    reason: str
    approved: bool
    names: tuple[str, ...] = ()
    digest: str = ""
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that needs approval: `groups` are those of each of whom one has to agree, `digest` is of the change.

    `asked` are the policies whose approvers these are: those that it edits, and those that it narrows. It is `proven`
    where a key or a token showed who handed it in.
    """

    id: str
    at: str
    author: str
    submitter: str
    reason: str
    base_revision: int
    changed: tuple[str, ...]
    groups: tuple[Group, ...]
    state: State = "pending"
    decisions: tuple[Decision, ...] = ()
    parts: int = 0
    digest: str = ""
    asked: tuple[str, ...] = ()
    proven: bool = False
    item_version: int = field(default=0, compare=False)

    @property
    def waiting_for(self) -> tuple[Group, ...]:
        """The groups of whom somebody still has to agree, as often as there are people missing."""
        said = [one for one in self.decisions if one.approved and one.digest == self.digest]
        missing: list[Group] = []
        for group, needed in Counter(self.groups).items():
            names = set(map(folded, group))
            agreed = {folded(one.by) for one in said if names & {*map(folded, one.names), folded(one.by)}}
            missing += [group] * (needed - len(agreed))
        return tuple(missing)

    def names_of(self, principal: Principal) -> tuple[str, ...]:
        """Return the approvers that somebody is; none for the author and for whoever handed the change in."""
        names = names_of(principal)
        if folded(principal.person) in {folded(self.author), folded(self.submitter)}:
            return ()
        return tuple(sorted({one for group in self.groups for one in group if folded(one) in names}))

    def decided(self, decision: Decision, state: State | None = None) -> "Proposal":
        """Return it with one more decision."""
        return replace(self, decisions=(*self.decisions, decision), state=state or self.state)


def names_of(principal: Principal) -> set[str]:
    """Return the names by which somebody may be an approver, as they are compared."""
    return {folded(principal.person), *(folded(TEAM + team) for team in principal.teams)}


def digest_of(files: Sequence[PolicyFile], set_hash: str) -> str:
    """Return the hash of a change: of the files that would be the whole set, and of the set that they would follow."""
    content = [set_hash, sorted([file.path, file.text] for file in files)]
    return hashlib.sha256(compact_json(content).encode(errors="surrogatepass")).hexdigest()


class People:
    """Who counts as a person: where an organization has keys or tokens, whom one of these names; else who says so."""

    def __init__(self, has_proofs: Callable[[str], Awaitable[bool]] | None = None) -> None:
        self._has_proofs = has_proofs

    async def are_recognized(self, organization: str) -> bool:
        """Whether a name alone proves nothing in an organization."""
        return self._has_proofs is not None and await self._has_proofs(organization)

    async def demand(self, principal: Principal, what: str, *, always: bool = False) -> None:
        """Raise `Refused` for a caller who has to prove to be a person, and does not."""
        if principal.proven and principal.user:
            return
        if not always and not await self.are_recognized(principal.organization):
            return
        if principal.proven:
            told = f"the key or token of {principal.agent} names no person"
            remedy = "use one that does (`interlayer access create AGENT --user PERSON --role steward`)"
        else:
            told, remedy = "a name alone proves nothing here", "set INTERLAYER_TOKEN to your API key or access token"
        raise Refused(f"{what} needs a person who is recognized: {told}; {remedy}")


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
        told = {"reason": proposal.reason, "author": proposal.author, "digest": proposal.digest}
        await self.update(principal, whole, "policy.proposed", told)
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


def new_proposal(
    now: datetime,
    principal: Principal,
    head: Head,
    files: Sequence[PolicyFile],
    changed: tuple[str, ...],
    approvers: Mapping[str, Sequence[Approvers]],
    author: str | None,
    reason: str,
) -> Proposal:
    """Return a change of the set in force as somebody hands it in; ids of later ones sort behind."""
    return Proposal(
        id=new_id("pr", now),
        at=timestamp(now),
        author=author or principal.person,
        submitter=principal.person,
        reason=reason,
        base_revision=head.revision,
        changed=changed,
        groups=groups_of(one for named in approvers.values() for one in named),
        digest=digest_of(files, head.set_hash),
        asked=tuple(sorted(approvers)),
        proven=principal.proven,
    )


def put(organization: str, proposal: Proposal) -> Put:
    """Build the operation that stores a proposal as it stands now, on what was read of it."""
    body = asdict(proposal)
    del body["item_version"]
    return Put(_key(organization, proposal.id), body, expect=proposal.item_version)


def _read(body: Mapping[str, Any], version: int) -> Proposal:
    given: dict[str, Any] = dict(body)
    given |= {name: tuple(body.get(name, ())) for name in ("changed", "asked")}
    given["groups"] = tuple(tuple(group) for group in body["groups"])
    words: list[dict[str, Any]] = [{**one, "names": tuple(one.get("names", ()))} for one in body["decisions"]]
    given["decisions"] = tuple(Decision(**one) for one in words)
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


def _key(organization: str, proposal_id: str) -> Key:
    return Key("governance", f"{organization}#proposals", proposal_id)


def _part_key(organization: str, proposal_id: str, number: int) -> Key:
    return Key("governance", f"{organization}#proposal#{proposal_id}", f"{number:03d}")
