"""From nothing to a service that answers, in an emulator, with the time of each step: `make deploy-try`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from installation import installed, like_aws
from installed import environment
from workspace import ROOT

SERVER = ROOT / ".venv" / "bin" / "python"
SUPPORT = ROOT / "tests" / "deploy" / "support"


def say(what: str, seconds: float) -> None:
    """Print a step and how long it took."""
    sys.stdout.write(f"{seconds:6.1f} s  {what}\n")
    sys.stdout.flush()


def main() -> int:
    """Make everything, use it once, take it down."""
    if not shutil.which("terraform"):
        sys.stderr.write("terraform is not on this machine: install 1.9 or newer\n")
        return 2
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, installed(Path(folder)) as account:
        say("emulator started, all four phases applied", time.monotonic() - begun)
        like_aws(account)
        settings = account.workspace.outputs("4-service")["environment"]
        there = environment(account.url, settings, f"{folder}/home", "TASK")
        there["PYTHONPATH"] = str(ROOT / "tests" / "support")
        called = subprocess.run([SERVER, SUPPORT / "first_call.py"], env=there, capture_output=True, check=False)
        if called.returncode:
            sys.stderr.write(called.stderr.decode())
            return 1
        for what, seconds in json.loads(called.stdout).items():
            say(what, seconds)
        say("altogether", time.monotonic() - begun)
    sys.stdout.write(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
