"""Shared by the contract suites."""

import pytest

from emulators import Emulator
from item_stores import EMULATOR, STORES, OpenStore


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=STORES)
def adapter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an adapter of the item store, with what it stands on within reach of every process."""
    name: str = request.param
    if name.startswith("dynamodb"):
        emulator: Emulator = request.getfixturevalue("emulator")
        monkeypatch.setenv(EMULATOR, emulator.url)
        for variable, value in emulator.environment.items():
            if variable != "AWS_ENDPOINT_URL":
                monkeypatch.setenv(variable, value)
    return name


@pytest.fixture
def open_store(adapter: str) -> OpenStore:
    return STORES[adapter]
