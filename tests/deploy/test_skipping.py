"""On a machine without Terraform: skipped aloud, and under CI_NEEDS_TERRAFORM no pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

ONE = "tests/deploy/test_terraform.py::test_modules_are_formatted"


@pytest.mark.parametrize(("needed", "code"), [("1", 1), ("", 0)])
def test_a_run_that_skips_is_a_pass_only_where_that_is_allowed(needed: str, code: int) -> None:
    nowhere = {**os.environ, "PATH": "/nowhere", "CI_NEEDS_TERRAFORM": needed}
    command = [sys.executable, "-m", "pytest", "-W", "default", "-p", "no:cacheprovider", "-n", "1", ONE]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert "1 skipped" in done.stdout
    assert "terraform is not on this machine" in done.stdout
    assert ("FAILED: 1 tests of deployments were skipped" in done.stdout) == bool(code)
