"""Measure which hidden orders come back from memory and which harmless texts do not; needs the research data.

`python benchmarks injections [--json] [--data DIR] [--wrong]`: every labelled text is told to an entity of its own
through `memorize` and recalled with all parts. An order is stored if a piece of it comes back, a harmless text refused
if a piece of it does not. The threshold of the marks is chosen on four fifths of the texts and judged on the fifth, and
a hundred harmless mails are told. Last, the time that looking through a note of 500 words takes.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import anyio

from hidden_orders import HARMLESS, ORDERS
from interlayer.ids import system_clock
from interlayer.language.prompt_injection.orders import addressed, is_instruction
from interlayer.memory.memory import Memory
from interlayer.memory.projection.spaces import Spaces
from interlayer.memory.schema.schema import starter_schema
from interlayer.models.choice import EmbedderChoice
from interlayer.models.local import LocalEmbedder
from interlayer.principal import Principal
from interlayer.storage.lance.index import LanceIndex
from interlayer.storage.sqlite.items import SqliteItems
from measuring import ROOT, machine, show
from told_injections import Told, folds, harmless_mails, labelled, refusals, tell

CALLER: Final = Principal("bench", "benchmark")
BARS: Final = {"stored": 0.10, "refused": 0.03, "mails refused": 1}
WORDS: Final = 500
ROUNDS: Final = 50


async def measured(data: Path) -> tuple[list[Told], list[str]]:
    """Tell all texts to a memory of their own; return what came back, and the mails of which something was refused."""
    embedder = LocalEmbedder()
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteItems(Path(folder) / "interlayer.db")
        index = LanceIndex(str(Path(folder) / "vectors"), embedder.space)
        spaces = Spaces(store, EmbedderChoice(embedder.space.model), always(embedder), always(index))
        memory = Memory.over(store, spaces, starter_schema(), system_clock)
        told = [await tell(memory, CALLER, row) for row in labelled(data / "injections")]
        mails = list(harmless_mails(data))
        refused = [name for at, (name, text) in enumerate(mails) if await refusals(memory, CALLER, f"m{at}", text)]
        await index.close()
        await store.close()
    return told, refused


def always(thing: Any) -> Any:
    """Return a factory of one thing."""
    return lambda *_: thing  # type: ignore[reportUnknownLambdaType]


def milliseconds(data: Path) -> float:
    """Return how long a note of 500 words takes to look through, the median of many times."""
    words = " ".join(text for _, text in harmless_mails(data)).split(" ")[:WORDS]
    note, times = " ".join(words), list[float]()
    for _ in range(ROUNDS):
        start = perf_counter()
        addressed(note)
        times.append(perf_counter() - start)
    return round(sorted(times)[ROUNDS // 2] * 1_000, 2)


def by_form(told: Sequence[Told]) -> list[dict[str, Any]]:
    """Return texts and wrong ones by form, orders first."""
    forms: defaultdict[tuple[bool, str], list[Told]] = defaultdict(list)
    for one in told:
        forms[not one.is_order, one.row["form"]].append(one)
    return [
        {
            "kind": "harmless" if harmless else "order",
            "form": form,
            "texts": len(found),
            "wrong": sum(not one.is_right for one in found),
        }
        for (harmless, form), found in sorted(forms.items())
    ]


def share(told: Sequence[Told]) -> float:
    """Return the share of texts that are not as their label says."""
    return round(sum(not one.is_right for one in told) / len(told), 3)


def main() -> None:
    """Measure and print; exit 1 below a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="print what is wrong")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    given = parser.parse_args()
    if not (given.data / "injections").is_dir():
        sys.exit(f"no {given.data / 'injections'}; name the folder with --data")
    told, mails = anyio.run(measured, given.data)
    stored = share([one for one in told if one.is_order])
    refused = share([one for one in told if not one.is_order])
    figures: dict[str, Any] = {"stored": stored, "refused": refused, "mails refused": len(mails)}
    own = {
        "own orders missed": sum(not is_instruction(text) for text in ORDERS) / len(ORDERS),
        "own harmless refused": sum(map(is_instruction, HARMLESS)) / len(HARMLESS),
        "500 words, ms": milliseconds(given.data),
    }
    forms, parts = by_form(told), list(folds(labelled(given.data / "injections")))
    if given.json:
        rows = [vars(one) for one in parts]
        sys.stdout.write(json.dumps({**figures, **own, "forms": forms, "folds": rows}, indent=2) + "\n")
    else:
        show("By form", ("kind", "form", "texts", "wrong"), [list(one.values()) for one in forms])
        columns = ("fold", "threshold", "orders", "missed", "harmless", "refused")
        show("Threshold chosen on the other folds (without what cannot be seen)", columns,
             [list(vars(one).values()) for one in parts])  # fmt: skip
        bars = [[name, value, BARS.get(name, "")] for name, value in {**figures, **own}.items()]
        show(f"Hidden orders ({machine()})", ("figure", "measured", "at most"), bars)
    if given.wrong:
        for one in (one for one in told if not one.is_right):
            print(one.row["id"], one.row["form"], repr(one.row["text"]), file=sys.stderr)
        print(*mails, file=sys.stderr)
    sys.exit(any(figures[name] > most for name, most in BARS.items()))


if __name__ == "__main__":
    main()
