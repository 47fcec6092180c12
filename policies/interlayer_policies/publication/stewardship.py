"""What stewards and approvers do beside publishing: decide on proposals, grant and end waivers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from interlayer.audit.trail import Event
from interlayer.errors import Conflict, InvalidInput, NotFound, Refused
from interlayer.ids import Clock, new_id, timestamp
from interlayer.principal import Principal
from interlayer.storage.optimistic import optimistically
from interlayer_policies.delivery.snapshot import BoundRule, Snapshot
from interlayer_policies.delivery.waivers import WAIVERS_MAX, Waiver
from interlayer_policies.document.names import fold_id
from interlayer_policies.document.policy import FACET_OF_SCOPE_KEY, PolicyFile, folded, is_pattern
from interlayer_policies.document.vocabulary import FACETS, Vocabulary
from interlayer_policies.publication.approvals import approvers_of
from interlayer_policies.publication.proposals import OPEN, Decision, People, Proposal, Proposals, names_of
from interlayer_policies.publication.publisher import Published, Publisher
from interlayer_policies.publication.sets import Head
from interlayer_policies.publication.snapshot_cache import SnapshotCache
from interlayer_policies.publication.store import PolicySets

WAIVER_DAYS_MAX: Final = 366
REASON_MAX: Final = 1_000
_BUSY: Final = "waivers are being changed by several at once; nothing was changed, try again"


@dataclass(frozen=True, slots=True)
class ListedWaiver:
    """A waiver and whether it holds: one of a rule that was changed or removed does not."""

    waiver: Waiver
    holds: bool


def demand_steward(principal: Principal) -> None:
    """Raise `Refused` unless somebody may change what governs."""
    if not principal.roles & {"steward", "operator"}:
        raise Refused("publishing policies needs the role steward or operator; ask someone who has it")


def check_reason(reason: str) -> str:
    """Return a reason. Raises `InvalidInput` when it says nothing or too much."""
    if not reason.strip():
        raise InvalidInput("reason", "is empty.", "Say why; it is kept with what you do.")
    if len(reason) > REASON_MAX:
        raise InvalidInput("reason", f"{len(reason)} characters.", f"At most {REASON_MAX} are possible; shorten it.")
    return reason


class Stewardship:
    """Decides and exempts. Safe for any number of concurrent calls, of any organizations."""

    def __init__(
        self,
        sets: PolicySets,
        proposals: Proposals,
        people: People,
        publisher: Publisher,
        library: SnapshotCache,
        clock: Clock,
    ) -> None:
        self._sets = sets
        self._proposals = proposals
        self._people = people
        self._publisher = publisher
        self._library = library
        self._clock = clock

    async def proposals(self, principal: Principal, *, everything: bool = False) -> list[Proposal]:
        """Return the proposals that need a decision, or all of them, newest first.

        A pending one that was made on another set than the one in force is outdated: nobody can approve it any more.
        """
        head = await self._sets.head(principal.organization)
        revision = head.revision if head else 0
        found = [
            replace(one, state="outdated") if one.state == "pending" and one.base_revision != revision else one
            for one in await self._proposals.listed(principal.organization)
        ]
        return [one for one in found if everything or one.state in OPEN]

    async def approve(self, principal: Principal, proposal_id: str, reason: str) -> Published | None:
        """Agree to a proposal; the last one needed publishes it. None while others still have to agree.

        Raises `Refused` for whoever may not decide, `Conflict` when the set has moved on since.
        """
        proposal = await self._require_undecided(principal, proposal_id)
        agreed = proposal.decided(self._word(principal, proposal, reason, approved=True))
        waiting = [list(group) for group in agreed.waiting_for]
        detail = {"reason": reason, "waiting_for": waiting, "digest": proposal.digest, "proven": principal.proven}
        if agreed.waiting_for:
            await self._proposals.update(principal, agreed, "policy.approved", detail)
            return None
        if proposal.state == "break_glass":
            await self._proposals.update(principal, replace(agreed, state="approved_later"), "policy.approved", detail)
            return None
        return await self._publisher.publish_approved(principal, replace(agreed, state="published"))

    async def reject(self, principal: Principal, proposal_id: str, reason: str) -> Proposal:
        """Turn a proposal down. What was published by breaking the glass stays until somebody rolls it back."""
        proposal = await self._require_undecided(principal, proposal_id)
        state = "rejected_later" if proposal.state == "break_glass" else "rejected"
        rejected = proposal.decided(self._word(principal, proposal, reason, approved=False), state)
        detail = {"reason": reason, "digest": proposal.digest, "proven": principal.proven}
        await self._proposals.update(principal, rejected, "policy.rejected", detail)
        return rejected

    async def proposed_files(self, principal: Principal, proposal_id: str) -> list[PolicyFile]:
        """Return the files that a proposal would make the whole set. Raises `Conflict` where they are in force."""
        proposal = await self._proposals.get(principal.organization, proposal_id)
        if not proposal.parts:
            told = f"{proposal.id} is in force since it was handed in"
            raise Conflict(f"{told}; `interlayer policy diff {proposal.base_revision} {proposal.base_revision + 1}`")
        return await self._proposals.files(principal.organization, proposal)

    async def waivers(self, principal: Principal) -> list[ListedWaiver]:
        """Return the waivers that have not ended, by the rule that they are of."""
        head, snapshot = await self._now(principal.organization)
        etags = {rule.ref: rule.etag for rule in snapshot.rules}
        current = [one for one in head.waivers if one.until > self._clock()]
        return [ListedWaiver(one, etags.get(one.rule) == one.rule_etag) for one in sorted(current, key=_by_rule)]

    async def waive(
        self, principal: Principal, rule: str, scope: Mapping[str, Sequence[str]], until: datetime, reason: str
    ) -> Waiver:
        """Exempt a scope from a rule (`policy#rule`) until an instant; `scope` has the keys of a policy's scope.

        Raises `Refused` for a rule of the tier law and for whoever is not among the policy's approvers.
        """
        demand_steward(principal)
        check_reason(reason)

        async def attempt() -> Waiver:
            now = self._clock()
            head, snapshot = await self._now(principal.organization)
            bound = _rule(snapshot, rule)
            await self._check_may_waive(principal, snapshot, bound)
            if not now < until <= now + timedelta(days=WAIVER_DAYS_MAX):
                raise InvalidInput("until", "is not within a year from now.", "A waiver ends; it can be granted again.")
            waiver = Waiver(
                id=new_id("w", now),
                rule=bound.ref,
                rule_etag=bound.etag,
                scope=_facets(scope, snapshot.vocabulary),
                until=until,
                approver=principal.person,
                reason=reason,
                granted_at=now,
            )
            kept = [one for one in head.waivers if one.until > now]
            if len(kept) >= WAIVERS_MAX:
                raise InvalidInput("rule", f"{WAIVERS_MAX} waivers hold already.", "End one first, or change the rule.")
            detail = {
                "waiver": waiver.id,
                "until": timestamp(until),
                "scope": {k: list(v) for k, v in waiver.scope.items()},
            }
            event = Event("policy.waived", bound.ref, {**detail, "reason": reason})
            await self._sets.move_waivers(principal, head, [*kept, waiver], event, now)
            return waiver

        return await optimistically(attempt, _BUSY)

    async def end_waiver(self, principal: Principal, waiver_id: str, reason: str) -> Waiver:
        """Put a rule into force again. Raises `NotFound`."""
        demand_steward(principal)
        check_reason(reason)

        async def attempt() -> Waiver:
            head, _ = await self._now(principal.organization)
            ended = next((one for one in head.waivers if one.id == waiver_id), None)
            if ended is None:
                raise NotFound(f"no waiver {waiver_id[:80]!r}; `interlayer policy waivers` lists them")
            kept = [one for one in head.waivers if one.id != waiver_id]
            event = Event("policy.waiver_ended", ended.rule, {"waiver": waiver_id, "reason": reason})
            await self._sets.move_waivers(principal, head, kept, event, self._clock())
            return ended

        return await optimistically(attempt, _BUSY)

    async def _require_undecided(self, principal: Principal, proposal_id: str) -> Proposal:
        demand_steward(principal)
        proposal = await self._proposals.get(principal.organization, proposal_id)
        if proposal.state not in ("pending", "break_glass"):
            raise Refused(f"{proposal.id} is {proposal.state} already")
        await self._people.demand(principal, "deciding on a proposal", always=proposal.proven)
        if proposal.state == "pending" and principal.proven and not proposal.proven:
            told = f"nobody proved to be {proposal.submitter} when {proposal.id} was handed in"
            raise Refused(f"{told}; hand the change in again, with INTERLAYER_TOKEN")
        if not proposal.names_of(principal):
            named = "; ".join(" or ".join(group) for group in dict.fromkeys(proposal.groups))
            told = f"{proposal.id} is for {named} to decide, and never for its author"
            raise Refused(f"{told}; you are {principal.person}")
        if folded(principal.person) in {folded(one.by) for one in proposal.decisions}:
            raise Refused(f"{principal.person} has decided on {proposal.id} already; it waits for others")
        return proposal

    def _word(self, principal: Principal, proposal: Proposal, reason: str, *, approved: bool) -> Decision:
        names = proposal.names_of(principal)
        at = timestamp(self._clock())
        return Decision(principal.person, at, check_reason(reason), approved, names, proposal.digest, principal.proven)

    async def _check_may_waive(self, principal: Principal, snapshot: Snapshot, rule: BoundRule) -> None:
        """Raise `Refused` unless somebody may exempt from a rule alone: no law, and the word of nobody else needed."""
        policy = rule.edition.policy
        if policy.tier == "law":
            raise Refused(f"{rule.ref} is law, and law is not waived")
        approvers = approvers_of(snapshot, policy.id)
        if approvers:
            await self._people.demand(principal, f"waiving {rule.ref}")
        for one in approvers:
            if one.quorum > 1:
                told = f"{rule.ref} takes the word of {one}, and a waiver has one approver"
                raise Refused(f"{told}; publish a change of it, which they are asked for")
            if not names_of(principal) & set(map(folded, one.names)):
                raise Refused(f"{rule.ref} is for {one} to waive; you are {principal.person}")

    async def _now(self, organization: str) -> tuple[Head, Snapshot]:
        snapshot = (await self._library.current(organization)).snapshot
        head = await self._sets.head(organization)
        if head is None:
            raise NotFound("no policies are published; publish some first")
        return head, snapshot


def _rule(snapshot: Snapshot, ref: str) -> BoundRule:
    found = next((rule for rule in snapshot.rules if fold_id(rule.ref) == fold_id(ref)), None)
    if found is None:
        policy, _, _ = ref.partition("#")
        known = [rule.ref for rule in snapshot.rules if fold_id(rule.edition.policy.id) == fold_id(policy)][:20]
        hint = f"its rules are {', '.join(known)}" if known else "name it as POLICY#RULE"
        raise NotFound(f"no rule {ref[:120]!r} is in force; {hint}")
    return found


def _facets(scope: Mapping[str, Sequence[str]], vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Return facet -> patterns. A plain value has to be in the vocabulary: else it would match no call, ever."""
    facets: dict[str, tuple[str, ...]] = {}
    for key, values in scope.items():
        if key not in FACET_OF_SCOPE_KEY:
            raise InvalidInput("scope", f"{key!r} is no scope.", f"Known are {', '.join(FACET_OF_SCOPE_KEY)}.")
        if values:
            facet = FACET_OF_SCOPE_KEY[key]
            facets[facet] = tuple(sorted({_value(key, facet, value, vocabulary) for value in values}))
    return facets


def _value(key: str, facet: str, said: str, vocabulary: Vocabulary) -> str:
    if facet not in FACETS.values() or is_pattern(said):
        return folded(said)
    value = vocabulary.read(facet, said)
    if value is None:
        near = vocabulary.nearest(facet, said)
        raise InvalidInput(key, f"{said[:60]!r} is in no vocabulary.", f"The nearest is {near}." if near else "")
    return value


def _by_rule(waiver: Waiver) -> tuple[str, str]:
    return waiver.rule, waiver.id
