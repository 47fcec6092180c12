"""How tests start the program: as a user would, with settings of their own and none inherited."""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path


def environment(home: Path, **settings: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INTERLAYER_")}
    return {
        **clean,
        "COLUMNS": "200",
        "INTERLAYER_HOME": str(home),
        **{f"INTERLAYER_{name}": value for name, value in settings.items()},
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "interlayer", *arguments]


def status(request: "str | urllib.request.Request") -> int:
    """Return the HTTP status of a request, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0
