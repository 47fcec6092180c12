"""How tests start the program: as a user would, with settings of their own and none inherited."""

import os
import sys
from pathlib import Path


def environment(home: Path, **settings: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INTERLAYER_")}
    return {**clean, "INTERLAYER_HOME": str(home), **{f"INTERLAYER_{name}": value for name, value in settings.items()}}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "interlayer", *arguments]
