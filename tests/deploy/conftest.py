"""Deployments under test: made once a run, in nothing (the double makes values up) or in an emulator."""

import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

if not shutil.which("terraform"):
    collect_ignore_glob = ["test_terraform*.py"]  # said once by test_tools.py, which skips with the reason

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import workspace as workspaces
from workspace import PHASES, Workspace


@dataclass(frozen=True)
class Account:
    """An installation in an emulator, and what was asked of the emulator since."""

    workspace: Workspace
    url: str
    recorder: Any


@pytest.fixture(scope="session")
def terraform() -> str:
    found = shutil.which("terraform")
    if not found:
        if os.environ.get("CI_NEEDS_TERRAFORM"):
            pytest.fail("terraform is not on this machine")
        pytest.skip("terraform is not on this machine")
    return found


@pytest.fixture(scope="session")
def fresh(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The modules, initialized, nothing applied."""
    assert terraform
    return workspaces.workspace(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def founded(fresh: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Foundation and data made by the double: what every posture stands on."""
    made = fresh.copy(tmp_path_factory.mktemp("founded") / "repository")
    made.apply("1-foundation", "3-data")
    return made


@pytest.fixture(scope="session")
def account(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Account]:
    """All four phases applied in an emulator."""
    assert terraform
    from recording import recording_emulator

    folder: Path = tmp_path_factory.mktemp("account")
    with recording_emulator() as (url, recorder):
        made = workspaces.workspace(folder, endpoint=url)
        made.variables["4-service"] = {"alarm_email": "night@acme.example"}
        made.apply(*PHASES)
        yield Account(made, url, recorder)
