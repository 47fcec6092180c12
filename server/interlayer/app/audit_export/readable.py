"""Events, receipts and who knew what, as people read them on a terminal."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interlayer.audit.queries import Knower, shown_of_body
from interlayer.audit.reads import READS


def event_line(event: Mapping[str, Any]) -> str:
    """Return an event as a line."""
    number, at, actor, kind, subject = (str(event.get(name)) for name in ("number", "at", "actor", "type", "subject"))
    detail = json.dumps(event.get("detail"), ensure_ascii=False)
    actor += behalf(event)
    return f"{number:>6} {at[:19]}Z {actor:<12} {kind} {subject}  {detail}"


def receipt_lines(receipt: Mapping[str, Any]) -> str:
    """Return a receipt as lines."""
    made, kind, whom = (str(receipt.get(name)) for name in ("at", "kind", "agent"))
    whom += behalf(receipt)
    first = f"{made[:19]}Z {receipt['id']} {kind}"
    if kind == "memorize":
        first += f" by {whom}, {receipt.get('memory_id')} of {receipt.get('entity') or 'nothing known'}"
        shown = ("facts", "properties", "rejected")
        return "\n".join([first, *(f"  {name}: {_count_line(receipt[name])}" for name in shown if receipt.get(name))])
    if kind in READS:
        return "\n".join([f"{first} by {whom}", *(f"  {line}" for line in _shown_lines(receipt))])
    first += f" to {whom}, revision {receipt.get('revision')}"
    told = ("rules", "sections")
    return "\n".join([first, *(f"  {name}: {' '.join(receipt[name])}" for name in told if receipt.get(name))])


def _shown_lines(receipt: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a read showed, an entity a line."""
    if receipt.get("everything"):
        yield "everything"
    if receipt.get("asked_hmac"):
        yield "nothing: of nobody who is known"
    for one in shown_of_body(receipt):
        told = [f"revision {one['revision']}"] if one.get("revision") is not None else []
        told += [f"{len(one[name])} {name}" for name in ("facts", "properties", "sources") if one.get(name)]
        told += [f"{one[name]} {name}" for name in ("more_facts", "relations", "observations") if one.get(name)]
        yield f"{one.get('entity')}: {', '.join(told) or 'its name'}"


def knower_lines(found: Sequence[Knower]) -> str:
    """Return who knew what as lines."""
    if not found:
        return "nobody, as far as receipts are kept"
    return "\n".join(line for one in found for line in _lines_of(one))


def _lines_of(one: Knower) -> Iterator[str]:
    counts = f"{one.reads} reads" + (f", {len(one.memorized)} memorized" if one.memorized else "")
    yield f"{one.agent}{behalf({'user': one.user})}: {counts}, from {one.first_at[:19]}Z to {one.last_at[:19]}Z"
    if one.everything:
        yield "  everything there was, in an export"
    told = {
        "revisions": [str(revision) for revision in one.revisions],
        "facts": one.facts,
        "properties": [
            f"{name} ({', '.join(memories)})" if memories else name for name, memories in one.properties.items()
        ],
        "sources": one.sources,
        "memorized": one.memorized,
    }
    for name, ids in told.items():
        if ids:
            more = f" and {one.more_facts} more" if name == "facts" and one.more_facts else ""
            yield f"  {name}: {' '.join(ids)}{more}"


def behalf(record: Mapping[str, Any]) -> str:
    """Say for whom the agent of an event or receipt worked, if for anybody."""
    return f" for {record['user']}" if record.get("user") else ""


def _count_line(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
