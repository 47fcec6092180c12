"""Measure how well checks tell violations from harmless texts, and what a check costs; needs the research data.

`python benchmarks compliance [--json] [--wrong] [--data DIR]`: labelled texts by check, first those of the data, then
the project's own; the discounts that the starter check sees in real business texts, where there are none; and the time
of one check of 2 kB. `--wrong` prints the texts that were told wrongly.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from interlayer_policies.checks.draft import Draft
from labelled_texts import OWN, STARTER_DISCOUNT, Tally, business_texts, check_of, tallies
from measuring import ROOT, percentile, show

CHARACTERS: Final = 2_000
ROUNDS: Final = 5


def row(source: str, name: str, tally: Tally) -> dict[str, Any]:
    """Return the figures of one check."""
    return {
        "texts": source,
        "check": name,
        "breaking": tally.counts[True, True] + tally.counts[True, False],
        "found": tally.counts[True, True],
        "harmless": tally.counts[False, True] + tally.counts[False, False],
        "flagged": tally.counts[False, True],
        "recall": round(tally.recall, 3),
        "false alarms": round(tally.false_alarms, 3),
    }


def milliseconds(texts: list[str]) -> list[float]:
    """Return what each check of the first characters of a text took, reading it anew each time."""
    check = check_of(STARTER_DISCOUNT)
    taken: list[float] = []
    for number in range(ROUNDS):
        for text in texts:
            draft = Draft(f"{text[:CHARACTERS]} {number}")
            start = time.perf_counter()
            check.findings(draft)
            taken.append((time.perf_counter() - start) * 1_000)
    return taken[len(texts) :]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    given = parser.parse_args()
    sources = {"data": given.data / "compliance", "own": OWN}
    if not sources["data"].is_dir():
        sys.exit(f"no {sources['data']}; name the folder with --data")
    told = {source: tallies(folder) for source, folder in sources.items()}
    rows = [row(source, name, tally) for source, by_check in told.items() for name, tally in by_check.items()]
    real = list(business_texts(given.data / "governed-memory"))
    check = check_of(STARTER_DISCOUNT)
    hits = sum(len(check(Draft(text))) for text in real)
    taken = milliseconds([text for text in real if len(text) >= CHARACTERS])
    other = {
        "real texts": len(real),
        "discounts seen in them": hits,
        "ms p50": round(percentile(taken, 0.5), 2),
        "ms p99": round(percentile(taken, 0.99), 2),
    }
    if given.json:
        sys.stdout.write(json.dumps({"checks": rows, **other}, indent=2) + "\n")
        return
    columns = list(rows[0])
    show("Checks (bars: recall 0.9, false alarms 0.08)", columns, [[one[c] for c in columns] for one in rows])
    show("Real texts (bar: 3 seen), one check of 2 kB (bar: 3 ms p50)", list(other), [list(other.values())])
    if given.wrong:
        for source, by_check in told.items():
            for text in by_check["all"].wrong:
                sys.stdout.write(f"\n{source}: {text}\n")


if __name__ == "__main__":
    main()
