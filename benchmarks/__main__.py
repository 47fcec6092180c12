"""Run a benchmark: `python benchmarks NAME`, its options after the name; `list` shows them all.

A benchmark is a module of this folder: it prints figures, and judges none but its own promises. `support/` holds what
benchmarks use, `checks/` the commands that pass or fail.
"""

import ast
import runpy
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
# In the order in which Python looks: benchmarks import from both by plain names.
IMPORTED: Final = (FOLDER.parent / "tests" / "support", FOLDER / "support")


def benchmarks() -> dict[str, str]:
    """Map the name of each benchmark to the first sentence of its docstring."""
    files = sorted(file for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))
    parsed = {file.stem: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    return {name: (ast.get_docstring(tree) or "").split("\n")[0] for name, tree in parsed.items()}


def main() -> None:
    """Run what the first argument names, or list what there is; exit 2 when nothing has that name."""
    name, *options = sys.argv[1:] or ["list"]
    known = benchmarks()
    if name not in known:
        width = max(map(len, known))
        print("\n".join(f"{one:<{width}}  {purpose}" for one, purpose in known.items()))
        if name == "list":
            return
        print(f"There is no benchmark {name!r}; above are those that there are.", file=sys.stderr)
        sys.exit(2)
    sys.path[:0] = map(str, IMPORTED)
    file = FOLDER / f"{name}.py"
    sys.argv = [str(file), *options]
    runpy.run_path(str(file), run_name="__main__")


if __name__ == "__main__":
    main()
