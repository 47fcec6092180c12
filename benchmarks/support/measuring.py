"""What the benchmarks share: a home of their own, the machine they ran on, percentiles and tables."""

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = os.pathsep.join(str(ROOT / folder) for folder in ("server", "tools", "policies"))


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a server with this home, this tree's code, and no settings of the caller's.

    Python may keep bytecode, as it does for whoever installed the program.
    """
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("INTERLAYER_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**clean, "INTERLAYER_HOME": str(home), "PYTHONPATH": SOURCES}


def machine() -> dict[str, Any]:
    """Return where figures were taken; the load tells whether anybody else was at work."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "mcp": version("mcp"),
        "load_at_start": load,
    }


def percentile(values: Sequence[float], part: float) -> float:
    """Return the nearest-rank percentile; part is between 0 and 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a Markdown table with aligned columns."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    sys.stdout.write(f"\n{title}\n\n" + "\n".join(lines) + "\n")
