"""Governance as people read it: test runs, differences, histories, proposals, explanations."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from interlayer.answers import as_json
from interlayer.app.tables import print_table

if TYPE_CHECKING:
    from interlayer_policies.delivery.explanation import Explanation
    from interlayer_policies.governance import Published
    from interlayer_policies.publication.approvals import Group
    from interlayer_policies.publication.proposals import Decision, Proposal
    from interlayer_policies.publication.stewardship import ListedWaiver
    from interlayer_policies.review.diff import Difference, Line
    from interlayer_policies.review.owners import Ownership
    from interlayer_policies.review.policy_tests import Case
    from interlayer_policies.review.rule_budget import ScopeCost
    from interlayer_policies.review.trial_report import TrialReport
    from interlayer_policies.review.vocabulary_use import StrayValue, VocabularyUse

_CALLS_SHOWN: Final = 20
_IRRELEVANT_SHOWN: Final = 10
_FLAGS_SHOWN: Final = 5
_BAR: Final = 12
_CALLS: Final = {"open": "that gives no facet", "elsewhere": "whose facets no scope names"}
_STANDINGS: Final = {
    "unknown": "not in the vocabulary: counts as not given",
    "not_given": "says nothing: counts as not given",
    "in_no_scope": "no policy is for it",
}
_MARKS: Final = {"removed": ("[-", "-]", "red"), "added": ("{+", "+}", "green")}


def print_cases(cases: "Sequence[Case]") -> None:
    """Print a test run: one line a case, failures with what is wrong."""
    console = Console()
    for case in cases:
        mark = Text("ok  ", style="green") if case.passed else Text("FAIL", style="bold red")
        console.print(mark, Text(f"{case.file}:{case.line}: {case.name}"))
        if not case.passed:
            console.print(Text(f"     {case.failure}", style="red"))
    failed = sum(not case.passed for case in cases)
    console.print(f"{len(cases)} tests, {failed} failed", markup=False)


def print_difference(found: "Difference") -> None:
    """Print what a publish would come to."""
    console = Console()
    for one in found.policies:
        tokens = one.rule_tokens_after - one.rule_tokens_before
        console.print(Text(f"{one.outcome}: {one.id}", style="bold"))
        console.print(f"  for {' -> '.join(one.scopes)}; rules {tokens:+} tokens", markup=False)
        for line in one.lines:
            is_whole = one.outcome == "removed" and line.what.startswith("section ")
            console.print(Text(f"  {line.what}: removed", style="red") if is_whole else _line(line))
    if not found.policies:
        console.print("Nothing changes: the two sets say the same.", markup=False)
        return
    for problem in found.warnings:
        console.print(Text(f"warning: {problem}", style="yellow"))
    if found.approvals:
        console.print(f"It needs the approval of {_everybody(found.approvals)}.", markup=False)
    total = found.rule_tokens_after
    console.print(
        f"Policies that differ: {len(found.policies)}. All rules together: {total} tokens "
        f"({total - found.rule_tokens_before:+}).",
        markup=False,
    )
    rows = [
        {
            "calls": one.calls,
            "agent": one.agent,
            "facets": ", ".join(f"{name}={'/'.join(values)}" for name, values in one.facets.items()) or "none",
            "gets": ", ".join(one.gained),
            "loses": ", ".join(one.lost),
            "reads anew": ", ".join(one.changed),
        }
        for one in found.calls[:_CALLS_SHOWN]
    ]
    touched = sum(one.calls for one in found.calls)
    console.print(f"Of the {found.replayed} newest calls on record, {touched} would get other rules.", markup=False)
    print_table(console, rows, ("calls", "agent", "facets", "gets", "loses", "reads anew"))


def print_published(done: "Published") -> None:
    """Print the outcome of a publish, a rollback or an approval."""
    console = Console()
    counts = f"{len(done.added)} added, {len(done.changed)} changed, {len(done.removed)} removed"
    proposal = done.proposal
    waits = _everybody(proposal.waiting_for) if proposal else ""
    if proposal and proposal.state == "pending":
        console.print(f"{proposal.id}: {counts}; nothing is published before {waits} agree", markup=False)
        console.print(f"  `interlayer policy approve {proposal.id} --reason TEXT`", markup=False)
        return
    nothing = "" if done.new else " (nothing changed)"
    console.print(f"revision {done.revision}: {counts}{nothing}", markup=False)
    if done.warnings:
        console.print(f"{len(done.warnings)} warnings; `interlayer policy lint` on the folder shows them", markup=False)
    if proposal:
        console.print(f"published without approval; {waits} still have to look at {proposal.id}", markup=False)


def print_history(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print publications."""
    shown = [
        {
            **row,
            "at": _minute(row["at"]),
            "approved by": ", ".join(row["approved_by"]) + ("broken glass" if row["break_glass"] else ""),
            "changes": f"+{row['added']} ~{row['changed']} -{row['removed']}",
        }
        for row in rows
    ]
    version = ("version",) if rows and "version" in rows[0] else ()
    print_table(Console(), shown, ("revision", *version, "at", "author", "approved by", "changes", "reason"))


def print_proposals(found: "Sequence[Proposal]") -> None:
    """Print proposals."""
    rows = [
        {
            "id": one.id,
            "state": one.state,
            "by": one.author,
            "changes": ", ".join(one.changed),
            "waits for": _everybody(one.waiting_for),
            "decided": "; ".join(map(_word, one.decisions)),
            "reason": one.reason,
        }
        for one in found
    ]
    print_table(Console(), rows, ("id", "state", "by", "changes", "waits for", "decided", "reason"))
    if not rows:
        Console().print("No proposals wait for anybody.", markup=False)


def _everybody(groups: "Sequence[Group]") -> str:
    """Say who has to agree: one of each group, of one that is listed several times so many."""
    from interlayer_policies.document.approvers import Approvers

    return "; ".join(str(Approvers(group, count)) for group, count in Counter(groups).items())


def _word(decision: "Decision") -> str:
    said = "yes" if decision.approved else "no"
    return f"{decision.by}{'' if decision.proven else ' (self-declared)'}: {said} ({decision.reason})"


def print_waivers(found: "Sequence[ListedWaiver]", zone: tzinfo) -> None:
    """Print waivers; those that end with a day of the zone by that day."""
    from interlayer_policies.document.days import last_said

    rows = [
        {
            **as_json(one.waiver),
            "for": ", ".join(f"{name}={'|'.join(values)}" for name, values in one.waiver.scope.items()) or "every call",
            "until": last_said(one.waiver.until.astimezone(zone)),
            "holds": "yes" if one.holds else "no: the rule has changed",
        }
        for one in found
    ]
    print_table(Console(), rows, ("id", "rule", "for", "until", "approver", "holds", "reason"))
    if not rows:
        Console().print("No rule is waived.", markup=False)


def print_explanation(found: "Explanation") -> None:
    """Print what a call gets and why."""
    console = Console()
    known = ", ".join(f"{facet}={'/'.join(values)}" for facet, values in found.situation.items())
    console.print(f"known: {known}", markup=False)
    console.print(f"assumed: {', '.join(found.answer.assumed) or 'nothing'}", markup=False)
    rules = [{**as_json(one), "is": one.verdict.replace("_", " ")} for one in found.rules]
    print_table(console, rules, ("ref", "level", "is", "why", "text"))
    others = [one for one in found.sections if one.verdict != "not_relevant"]
    irrelevant = [one for one in found.sections if one.verdict == "not_relevant"]
    sections = [
        {**as_json(one), "is": one.verdict.replace("_", " "), "score": "-" if one.score is None else one.score}
        for one in [*others, *irrelevant[:_IRRELEVANT_SHOWN]]
    ]
    print_table(console, sections, ("ref", "is", "why", "score", "relevance", "cosine", "coverage"))
    if len(irrelevant) > _IRRELEVANT_SHOWN:
        more = len(irrelevant) - _IRRELEVANT_SHOWN
        console.print(f"and {more} more sections that are not relevant; --json has them all", markup=False)
    budget = found.answer.budget
    console.print(f"{budget.used} of {budget.max} tokens, {budget.rules} of them rules", markup=False)


def print_owners(found: "Sequence[Ownership]") -> None:
    """Print who answers for which policies, and of which nobody can be asked."""
    rows = [
        {"owner": one.owner or "nobody", "policies": ", ".join(one.policies), "warning": one.warning} for one in found
    ]
    print_table(Console(), rows, ("owner", "policies", *(("warning",) if any(one.warning for one in found) else ())))


def print_budget(found: "Sequence[ScopeCost]") -> None:
    """Print what a call in each scope is given; the bar is the share of the default budget that rules take."""
    console = Console()
    if not found:
        console.print("no policy has rules")
        return
    heaviest = max(one.tokens for one in found)
    rows = [
        {
            "a call": _CALLS.get(one.call) or ", ".join(f"{name}={'/'.join(v)}" for name, v in one.facets.items()),
            "policies": one.policies,
            "rules": one.rules,
            "tokens": one.tokens,
            "": "█" * max(1, round(_BAR * one.tokens / heaviest)),
            "left": one.left,
            "most by": " ".join(map(str, one.most[0])) if one.most else "",
        }
        for one in found
    ]
    print_table(console, rows, ("a call", "policies", "rules", "tokens", "", "left", "most by"))
    console.print("left: of the default budget of 2,000 tokens; guidance that is relevant has a third in any case.")


def print_vocabulary(found: "VocabularyUse") -> None:
    """Print the vocabulary or, where calls were asked for, what they said that leads nowhere and what may be meant."""
    console = Console()
    if found.used is None:
        rows = [
            {**as_json(one), "aliases": ", ".join(one.aliases), "in": ", ".join(one.lies_in)} for one in found.values
        ]
        print_table(console, rows, ("facet", "value", "in", "aliases", "policies"))
        console.print(f"revision {found.revision}; `policies`: how many name the value in their scope", markup=False)
        return
    rows = [
        {**as_json(one), "last": _minute(one.last_at), "is": _STANDINGS[one.standing], "meant": _meant(one)}
        for one in found.used
    ]
    print_table(console, rows, ("facet", "value", "calls", "last", "is", "meant"))
    console.print(f"Calls since {_minute(found.since or '')}: {found.calls}. Values that lead nowhere: {len(rows)}.")
    if any(one.standing == "unknown" for one in found.used):
        console.print("Add aliases or values to facets.yaml, or tell the callers which words to use.", markup=False)


def _meant(one: "StrayValue") -> str:
    if one.means and one.means.casefold() != one.value.casefold():
        return one.means
    return f"{one.nearest}?" if one.nearest else ""


def print_trials(found: "TrialReport") -> None:
    """Print what trials would have done."""
    console = Console()
    rows = [
        {
            "trial": f"{one.ref} v{one.version}",
            "is": one.state.replace("_", " "),
            "delivered": one.delivered,
            "drafts": f"{one.flagged} of {one.drafts} flagged" if one.kind == "rule" else "-",
            "channels": _counted(one.channels),
            "audiences": _counted(one.audiences),
            "displaces": _counted(one.displaced),
        }
        for one in found.trials
    ]
    print_table(console, rows, ("trial", "is", "delivered", "drafts", "channels", "audiences", "displaces"))
    for one in found.trials:
        for draft in one.flagged_drafts[:_FLAGS_SHOWN]:
            where = ", ".join(f"{start}-{end}" for start, end in draft.places)
            console.print(f"{one.ref} would flag {draft.receipt_id} of {_minute(draft.at)} at {where}", markup=False)
    console.print(f"Of {found.calls} calls and {found.drafts} drafts since {_minute(found.since)}.", markup=False)
    if not rows:
        console.print("Nothing is in trial: write `trial: true` at a policy or a rule, and publish.", markup=False)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _minute(instant: str) -> str:
    """Return an ISO 8601 instant in UTC as people read it."""
    return f"{instant[:16].replace('T', ' ')} UTC"


def _line(line: "Line") -> Text:
    text = Text(f"  {line.what}: ")
    for kind, words in line.words:
        before, after, style = _MARKS.get(kind, ("", "", ""))
        text.append(f"{before}{words}{after}", style)
    return text
