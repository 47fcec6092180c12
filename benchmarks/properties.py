"""Measure precision and recall of properties found without a model; needs the research data.

`python benchmarks properties [--json] [--data DIR]`: the data's first property collection is imported as a schema,
and what is found for its listed and formed properties is compared with what the data expects. A value that the text
states and nobody expected counts as wrong.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from interlayer.memory.extraction.plain import properties_of
from interlayer.memory.schema.collection_import import schema_of
from interlayer.memory.schema.schema import EntitySchema, parse_schema
from measuring import ROOT, show

KINDS: Final = ("documents", "call_notes", "emails", "chats", "transcripts")
FORMED: Final = frozenset({"enum", "boolean", "date", "number"})


def counted(folder: Path, schema: EntitySchema) -> Counter[str]:
    """Return how many values were found, right, and expected in a folder of samples."""
    counts: Counter[str] = Counter()
    for path in sorted(folder.glob("*.txt")):
        truth = json.loads(path.with_name(f"{path.stem}.ground_truth.json").read_text(encoding="utf-8"))
        expected: dict[str, Any] = truth["expected_properties"]
        counts["expected"] += sum(
            name in schema.properties and schema.properties[name].type in FORMED for name in expected
        )
        for one in properties_of(path.read_text(encoding="utf-8"), schema, []):
            counts["found"] += 1
            counts["right"] += expected.get(one.name) == schema.properties[one.name].normal(one.value)
    return counts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "governed-memory")
    given = parser.parse_args()
    collections = given.data / "collections.json"
    if not collections.is_file():
        sys.exit(f"no {collections}; name the folder with --data")
    text = collections.read_text(encoding="utf-8")
    made, _ = schema_of(text, collections.name, [json.loads(text)[0]["collectionName"]])
    schema = parse_schema(made, collections.name).entities["contact"]
    rows = [
        {
            "kind": kind,
            "precision": round(counts["right"] / counts["found"], 3),
            "recall": round(counts["right"] / counts["expected"], 3),
            **counts,
        }
        for kind in KINDS
        if (counts := counted(given.data / kind, schema))["found"]
    ]
    if given.json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        columns = ("kind", "precision", "recall", "found", "right", "expected")
        show(
            "Properties found without a model (bar: precision 0.9)",
            columns,
            [[one[c] for c in columns] for one in rows],
        )


if __name__ == "__main__":
    main()
