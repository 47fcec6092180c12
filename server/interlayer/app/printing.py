"""What the command line shows to people: tables and colours through rich."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_dossier(answer: Mapping[str, Any]) -> None:
    """Print an answer of recall_entity as a dossier."""
    console = Console()
    if not answer["found"]:
        near = ", ".join(answer["near"]) or "none"
        console.print(f"Nothing is known of that entity. Near names: {near}.", markup=False)
        return
    entity = answer["entity"]
    console.print(Text(f"{entity['name']}  ({entity['ref']}, revision {answer['revision']})", style="bold"))
    for kind, values in entity["identifiers"].items():
        console.print(f"  {kind}: {', '.join(values)}", markup=False)
    _table(console, "Properties", answer["properties"], ("name", "value", "confidence", "observed_at", "source"))
    _table(console, "Facts", answer["facts"], ("text", "confidence", "observed_at", "source", "fact_id"))
    _table(console, "Relations", answer["relations"], ("type", "target", "source"))
    _table(console, "Sources", answer.get("sources", []), ("memory_id", "source", "agent", "recorded_at", "excerpt"))
    _table(console, "History", answer.get("history", []), ("name", "value", "observed_at", "agent", "memory_id"))


def print_rejected(found: Sequence[Mapping[str, Any]]) -> None:
    """Print rejected candidates as a table."""
    console = Console()
    rows = [{**one, "candidate": one.get("text") or f"{one['name']} = {one['value']}"} for one in found]
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
    if not rows:
        return
    table = Table(title=title, title_justify="left", title_style="bold cyan")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(row.get(column, ""))) for column in columns))  # Text: data is never markup
    console.print(table)
