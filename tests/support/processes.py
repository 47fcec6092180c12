"""How tests start the program: as a user would, with settings of their own and none inherited."""

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

KILL = signal.SIGUSR1 if sys.platform == "linux" else signal.SIGKILL
"""What kills a process that `forked` started: whoever waits for it then, waits until it is dead."""
_SUPPORT = Path(__file__).parent


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


def forked(*arguments: str) -> list[str]:
    """Return a command for the same program, or for a script by its path, without the seconds that importing takes."""
    if sys.platform != "linux":  # elsewhere a process with threads is better not forked
        return [sys.executable, *arguments] if arguments[0].endswith(".py") else command(*arguments)
    return [sys.executable, "-I", "-S", str(_SUPPORT / "forked.py"), _forking(), *arguments]


@cache
def _forking() -> str:
    """Return where the one process listens that forks for all tests of this process; it ends with this one."""
    folder = tempfile.mkdtemp(prefix="forking")
    place = f"{folder}/socket"
    script = str(_SUPPORT / "forking.py")
    path = os.pathsep.join(one for one in sys.path if one)
    process = subprocess.Popen(
        [sys.executable, script, place],
        env={**environment(Path(folder)), "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    atexit.register(process.communicate, timeout=10)
    return place


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
