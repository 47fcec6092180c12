"""Deployments under test: made once a run, in nothing (the double makes values up) or in an emulator.

Its libraries live in an environment of their own; elsewhere every module here skips itself. With CI_NEEDS_TERRAFORM set
a run that skips anything has failed: what was not tested is no pass.
"""

import os
import shutil
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from recording import Account
    from workspace import Workspace


def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get("CI_NEEDS_TERRAFORM") and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if os.environ.get("CI_NEEDS_TERRAFORM") and (skipped := _skipped(config)):
        remedy = "put terraform 1.9 or newer on the path, or set CI_NEEDS_TERRAFORM= to do without"
        terminalreporter.write_line(f"FAILED: {skipped} tests of deployments were skipped; {remedy}")


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", [])) if reporter else 0


@pytest.fixture(scope="session")
def terraform() -> str:
    return shutil.which("terraform") or pytest.skip("terraform is not on this machine")


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
    """Apply all four phases in an emulator, with the one command, and with the states in a bucket of it."""
    assert terraform
    from installation import installed

    with installed(tmp_path_factory.mktemp("account")) as made:
        yield made
