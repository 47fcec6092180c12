"""What the command line shows to people: tables and colours through rich."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from interlayer.answers import as_json
from interlayer.app.tables import print_table

if TYPE_CHECKING:
    from interlayer.app.evaluation.scoring import Score
    from interlayer.memory.curation.answer import RejectedCandidate
    from interlayer.memory.curation.reconsideration import Reconsidered
    from interlayer.memory.curation.reextraction_diff import Change
    from interlayer.memory.migration.plan import SchemaPlan
    from interlayer.memory.recall.answer import RecallAnswer
    from interlayer.memory.recall.explanation import FactExplanation, PropertyExplanation, RelationExplanation
    from interlayer.memory.schema.schema import Schema

_SCORES_WIDTH: Final = 125  # also where nothing says how wide the page is


def print_dossier(answer: "RecallAnswer") -> None:
    """Print an answer of recall_entity as a dossier."""
    console = Console()
    if answer.entity is None:
        near = ", ".join(answer.near or ()) or "none"
        console.print(f"Nothing is known of that entity. Near names: {near}.", markup=False)
        return
    entity = answer.entity
    console.print(Text(f"{entity.name}  ({entity.ref}, revision {answer.revision})", style="bold"))
    for kind, values in entity.identifiers.items():
        console.print(f"  {kind}: {', '.join(values)}", markup=False)
    tables = {
        "Properties": (answer.properties, ("name", "value", "confidence", "observed_at", "source")),
        "Facts": (answer.facts, ("text", "confidence", "observed_at", "source", "fact_id")),
        "Relations": (answer.relations, ("type", "name", "entity", "status", "observed_at", "source")),
        "Sources": (answer.sources, ("memory_id", "source", "agent", "recorded_at", "excerpt")),
        "History": (answer.history, ("name", "value", "observed_at", "agent", "memory_id")),
    }
    for title, (rows, columns) in tables.items():
        _table(console, title, as_json(rows or ()), columns)


def print_why(found: "FactExplanation | PropertyExplanation | RelationExplanation") -> None:
    """Print where a fact, a property or a relation comes from."""
    from interlayer.memory.recall.explanation import FactExplanation, RelationExplanation

    console = Console()
    if isinstance(found, FactExplanation):
        said = f"{found.fact.text}  ({found.fact.status}, confidence {found.fact.confidence})"
    elif isinstance(found, RelationExplanation):
        said = "\n".join(
            f"{one.type} {one.to.name}  ({one.status}, confidence {one.confidence})" for one in found.relations
        )
    else:
        said = f"{found.property.name}: {found.property.value}"
    console.print(Text(said, style="bold"))
    console.print(f"of {found.entity.name} ({found.entity.ref})\n", markup=False)
    for voice in found.voices:
        source = f", {voice.source}" if voice.source else ""
        console.print(f"{voice.observed_at}  {voice.agent}{source}  ({voice.memory_id})", markup=False)
        console.print(f"  said: {voice.said}  ({voice.extractor}, {voice.confidence})", markup=False)
        if voice.quote:
            parts = (voice.before, "dim"), (voice.quote, "bold"), (voice.after, "dim")
            console.print(Text.assemble("  read: …", *parts, "…"))
    if isinstance(found, FactExplanation):
        near = {"Contradicts": found.contradicts, "Probably contradicts": found.likely, "Alike": found.alike}
        for title, others in near.items():
            _table(console, title, as_json(others), ("text", "status", "observed_at", "fact_id"))


def print_schema(schema: "Schema") -> None:
    """Print a schema: a table for each entity type, and the kinds of identifier."""
    console = Console()
    for name, entity in schema.entities.items():
        rows = [
            {
                "property": key,
                "type": one.type + (f" ({one.unit})" if one.unit else ""),
                "takes": ", ".join(one.values or one.target) or one.pattern,
                "kept": ", ".join([one.update, one.sensitivity, *(["indexed"] if one.indexed else [])]),
                "description": "(retired) " * one.retired + one.description,
            }
            for key, one in entity.properties.items()
        ]
        _table(console, f"{name}: {entity.description}", rows, tuple(rows[0]) if rows else ())
        console.print(f"  identifiers: {', '.join(entity.identifiers) or 'none'}\n", markup=False)
    kinds = [{"identifier": kind, "pattern": one.pattern or ""} for kind, one in schema.identifiers.items()]
    _table(console, "Kinds of identifier", kinds, ("identifier", "pattern"))


def print_schema_plan(plan: "SchemaPlan", *, applied: bool) -> None:
    """Print what a change of the schema does, or has done, to stored data."""
    console = Console()
    labels = {"additive": "additive", "migration": "needs migration", "breaking": "breaking"}
    rows = [
        {
            "place": one.difference.place,
            "change": one.difference.change,
            "kind": labels[one.difference.kind],
            "stored data": one.effect + (f" ({', '.join(one.examples)})" if one.examples else ""),
        }
        for one in plan.changes
    ]
    _table(console, "Changes", rows, ("place", "change", "kind", "stored data"))
    if plan.resumes:
        console.print("An earlier change was begun and not finished; applying this one settles it.", markup=False)
    if not plan.changes and not plan.resumes:
        console.print("Nothing changes: this is the schema on record.", markup=False)
        return
    done = "were" if applied else "would be"
    console.print(
        f"{plan.rewritten} of {plan.looked_at} entities looked at {done} rewritten, {plan.index_written} index items "
        f"written, {plan.index_removed} removed.",
        markup=False,
    )
    if plan.breaking and not applied:
        console.print(f"{len(plan.breaking)} breaking changes: refused without --allow-breaking.", markup=False)


def print_rejected(found: "Sequence[RejectedCandidate]") -> None:
    """Print rejected candidates as a table."""
    console = Console()
    rows = [{**as_json(one), "candidate": one.text or f"{one.name} = {one.value}"} for one in found]
    _table(console, "Rejected", rows, ("id", "at", "named", "reason", "candidate", "confidence", "agent"))
    hint = "`interlayer memory admit ID` remembers one after all, `dismiss ID` takes it off the list"
    console.print(f"{len(found)} rejected" + (f"; {hint}" if found else ""), markup=False)


def print_rejected_summary(days: Mapping[str, Mapping[str, int]]) -> None:
    """Print how many candidates were turned down by day and reason."""
    console = Console()
    reasons = tuple(sorted({reason for counts in days.values() for reason in counts}))
    rows = [{"day": day, "all": sum(counts.values()), **counts} for day, counts in days.items()]
    _table(console, "Rejected by day", rows, ("day", *reasons, "all"))
    total = sum(sum(counts.values()) for counts in days.values())
    console.print(f"{total} rejected in the last 90 days", markup=False)


def _table(console: Console, title: str, rows: Sequence[Mapping[str, Any]], columns: tuple[str, ...]) -> None:
    print_table(console, rows, columns, title=title)


def print_change(change: "Change") -> None:
    """Print what reading content again changes, as a diff."""
    console = Console()
    source = f", {change.source}" if change.source else ""
    console.print(
        Text(f"{change.memory_id} ({change.entity}{source}): {change.before_by} -> {change.by}", style="bold")
    )
    for before, after in change.changed:
        console.print(Text(f"  - {before}", style="red"))
        console.print(Text(f"  + {after}", style="green"))
    for text in change.dropped:
        console.print(Text(f"  - {text}", style="red"))
    for text in change.added:
        console.print(Text(f"  + {text}", style="green"))
    for name, before, after in change.properties:
        console.print(Text(f"  {name}: {before!r} -> {after!r}", style="yellow"))
    rejected = ", ".join(f"{reason} {count}" for reason, count in change.rejected.items())
    console.print(f"  {change.kept} facts as before" + (f"; rejected: {rejected}" if rejected else ""), markup=False)


def print_reconsidered(found: "Reconsidered") -> None:
    """Print what comparing an entity's statements once more changes, as a diff."""
    console = Console()
    console.print(Text(f"{found.name} ({found.entity}), {found.facts} facts", style="bold"))
    for text in found.added:
        console.print(Text(f"  + {text}  (was merged away)", style="green"))
    for text in found.released:
        console.print(Text(f"  + {text}  (was superseded)", style="green"))
    for text, by in found.superseded:
        console.print(Text(f"  - {text}  (superseded{f' by: {by}' if by else ''})", style="red"))
    for text, into in found.merged:
        console.print(Text(f"  - {text}  (merged into: {into})", style="yellow"))


def print_scores(model: str, scores: "Mapping[str, Score]") -> None:
    """Print how well a model reads, a row a kind of sample."""
    console = Console(width=max(Console().width, _SCORES_WIDTH))
    table = Table(title=f"{model}: what is stored, compared with the labels by content", title_justify="left")
    total = scores["all"]
    names = [*total.shares(), "dangling", "unanchored", "repeated", "unquoted", "pending", "tokens"]
    for name in ("kind", "samples", *names):
        table.add_column(name.replace("_", " "), min_width=max(map(len, name.split("_"))))
    for kind, one in scores.items():
        shares = [f"{share:.3f}" for share in one.shares().values()]
        counts = [one.dangling, one.unanchored, one.repeated, one.unquoted, one.pending, one.tokens]
        table.add_row(kind, str(one.samples), *shares, *map(str, counts))
    console.print(table)
    rejected = ", ".join(f"{reason} {count}" for reason, count in total.rejected.most_common()) or "nothing"
    if total.pending:
        console.print(f"{total.pending} samples could not be read and are in no score; --missed says why", markup=False)
    console.print(f"candidates {total.checked}, of which the gates rejected: {rejected}", markup=False)
