"""Measure additions, searches, an erasure and memory of the vector layer, in a folder and on an S3 emulator.

`python benchmarks vectors [--vectors URL ...] [--rows 10000] [--dims 256] [--json]`. Without `--vectors` the local
folder and the tests' emulator on loopback are measured beside each other: an emulator shows how many requests there
are, not how long AWS takes for one.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import anyio
import numpy as np

from interlayer.models.embedder import Space, Vectors
from interlayer.storage.lance.index import LanceIndex
from interlayer.storage.vectors import Row
from measuring import machine, percentile, show

BATCH: Final = 500
SINGLES: Final = 40
SEARCHES: Final = 60
OWNERS: Final = 200


def unit_vectors(count: int, dims: int) -> Vectors:
    """Return (count, dims) random unit vectors."""
    vectors = np.random.default_rng(1).normal(size=(count, dims)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


async def timed(calls: list[Callable[[], Awaitable[Any]]]) -> list[float]:
    """Return how long each call took, in milliseconds."""
    took: list[float] = []
    for call in calls:
        begun = time.perf_counter()
        await call()
        took.append(1_000 * (time.perf_counter() - begun))
    return took


async def measured(location: str, rows: int, dims: int) -> dict[str, Any]:
    """Return the figures of one place."""
    index = LanceIndex(location, Space("bench", dims, "v1"))
    vectors = unit_vectors(rows + SINGLES, dims)
    all_rows = [
        Row(f"r{n}", f"company:o{n % OWNERS}", "company", f"Contract {n} covers the harbour crane number {n}.")
        for n in range(rows + SINGLES)
    ]

    def adding(first: int, count: int) -> Callable[[], Awaitable[Any]]:
        return lambda: index.add("acme", all_rows[first : first + count], vectors[first : first + count])

    def searching(number: int, owners: list[str] | None) -> Callable[[], Awaitable[Any]]:
        return lambda: index.search("acme", vectors[number], f"crane {number}", owners=owners, limit=20)

    await index.add("warm", all_rows[:1], vectors[:1])  # what is imported and opened once is not measured
    await index.search("warm", vectors[0], "crane", limit=1)
    batches = await timed([adding(first, BATCH) for first in range(0, rows, BATCH)])
    await index.optimize("acme")
    everywhere = await timed([searching(n, None) for n in range(SEARCHES)])
    narrowed = await timed([searching(n, [f"company:o{n % OWNERS}"]) for n in range(SEARCHES)])
    singles = await timed([adding(rows + n, 1) for n in range(SINGLES)])
    fragmented = await timed([searching(n, [f"company:o{n % OWNERS}"]) for n in range(SEARCHES)])
    (erased,) = await timed([lambda: index.remove("acme", ["r7", "r8"])])
    await index.drop("acme")
    await index.close()
    return {
        "rows added a second, 500 at a time": round(BATCH * len(batches) / (sum(batches) / 1_000)),
        "add one row, ms p50 / p99": pair(singles),
        "search all, ms p50 / p99": pair(everywhere),
        "searches a second, one after another": round(SEARCHES / (sum(everywhere) / 1_000)),
        "search one entity, ms p50 / p99": pair(narrowed),
        f"the same after {SINGLES} single additions": pair(fragmented),
        "erase two rows, ms": round(erased),
        "peak memory so far, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def pair(took: list[float]) -> str:
    """Return median and 99th percentile."""
    return f"{percentile(took, 0.5):.1f} / {percentile(took, 0.99):.1f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--vectors", nargs="*", default=[])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--dims", type=int, default=256)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        places: dict[str, str] = {place: place for place in options.vectors}
        if not places:
            places = {"local folder": str(folder), "S3 emulator": emulated(stack)}
        figures = {name: anyio.run(measured, place, options.rows, options.dims) for name, place in places.items()}
    if options.json:
        sys.stdout.write(json.dumps({"machine": machine(), "rows": options.rows, "figures": figures}, indent=2) + "\n")
        return
    sys.stdout.write(f"{machine()}\n")
    lines = [[what, *(str(figures[name][what]) for name in figures)] for what in next(iter(figures.values()))]
    show(f"{options.rows:,} rows of {options.dims} dims", ["what", *figures], lines)


def emulated(stack: ExitStack) -> str:
    """Start the tests' emulator, take it for AWS, and return a location on it."""
    from emulators import BUCKET, emulating

    emulator = stack.enter_context(emulating())
    os.environ.update(emulator.environment)
    import boto3

    boto3.client("s3").create_bucket(Bucket=BUCKET)
    return f"s3://{BUCKET}/bench"


if __name__ == "__main__":
    main()
