"""What every test shares: async tests run on asyncio, hypothesis is reproducible in CI."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from emulators import Emulator, emulating

settings.register_profile(
    "default",
    deadline=None,
    max_examples=40,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("default")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def emulator() -> Generator[Emulator]:
    """AWS on loopback, one for all tests of a process: each test uses tables and buckets of its own."""
    with emulating() as running:
        yield running
