"""A short `make bench NAME=kills`: servers and processes killed at random moments and at named write steps."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_and_nothing_forgotten_comes_back() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS), "kills", "--runs", "9", "--seed", "7", "--json"],
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    report = json.loads(done.stdout)
    assert report["broken"] == []
    assert report["acknowledged: memorized"] > 0
