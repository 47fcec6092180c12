"""Deployments under test: made once a run, in nothing (the double makes values up) or in an emulator.

Its libraries live in an environment of their own; elsewhere every module here skips itself.
"""

import os
import shutil
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from recording import Account
    from workspace import Workspace


@pytest.fixture(scope="session")
def terraform() -> str:
    found = shutil.which("terraform")
    if not found:
        if os.environ.get("CI_NEEDS_TERRAFORM"):
            pytest.fail("terraform is not on this machine")
        pytest.skip("terraform is not on this machine")
    return found


@pytest.fixture(scope="session")
def fresh(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> "Workspace":
    """Return the modules, initialized, nothing applied."""
    assert terraform
    from workspace import workspace

    return workspace(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def founded(fresh: "Workspace", tmp_path_factory: pytest.TempPathFactory) -> "Workspace":
    """Return foundation and data made by the double: what every posture stands on."""
    made = fresh.copy(tmp_path_factory.mktemp("founded") / "repository")
    made.apply("1-foundation", "3-data")
    return made


@pytest.fixture(scope="module")
def account(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Generator["Account"]:
    """Apply all four phases in an emulator, with the one command."""
    assert terraform
    from installation import installed

    with installed(tmp_path_factory.mktemp("account")) as made:
        yield made
