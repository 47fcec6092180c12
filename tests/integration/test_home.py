"""The home folder is its user's alone, whoever made its files, and whatever the umask."""

import os
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from command_line import interlayer
from interlayer.app.composition import build
from interlayer.app.settings import load

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(os.name != "posix", reason="Windows keeps a user's folders by itself"),
]


@pytest.fixture(autouse=True)
def _open_umask() -> Generator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(home: Path) -> dict[str, int]:
    """Return what others may do with the home and with everything in it, of what they may do anything with."""
    everything = {path: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.rglob("*"))}
    return {str(path.relative_to(home)): mode & 0o077 for path, mode in everything.items() if mode & 0o077}


def names(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()}


async def test_what_a_server_makes_is_its_users_alone(connect: Any, home: Path) -> None:
    async with connect() as call:
        await call("memorize", entity="contact:ann@acme.example", facts=[{"text": "Ann likes tea.", "confidence": 0.9}])
        assert (await call("search_memory", query="tea"))["results"]
        assert {"interlayer.db", "interlayer.db-wal", "interlayer.db-shm", "vectors"} <= names(home)
        assert modes(home) == {}
    assert modes(home) == {}


def test_what_a_command_makes_is_its_users_alone(home: Path) -> None:
    assert interlayer(home, "policy", "show").returncode == 0
    assert modes(home) == {}
    assert os.umask(0o022) == 0o022, "what else the process makes is as its user wants it"


def test_an_open_home_is_closed_and_that_is_said_once(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert interlayer(home, "policy", "show").returncode == 0
    (home / "vectors" / "of").mkdir(parents=True)
    for name in ("interlayer.toml", "interlayer.db.bak", "interlayer.log", "vectors/of/rows", "others.txt"):
        (home / name).touch(mode=0o644)
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for _ in range(2):
        assert interlayer(home, "policy", "show").returncode == 0
    assert caplog.messages == [f"{home}: 9 files and folders were open to others and are not any more."]
    assert modes(home) == {"others.txt": 0o044}, "what is not ours is left, and nobody gets to it"


async def test_what_cannot_be_closed_stops_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkdir(home, mode=0o755)  # noqa: PTH102
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    parts = build(load({"HOME": str(home)}, {"INTERLAYER_CONFIG": "/nowhere"}))
    await parts.prepare()
    await parts.close()
    assert "belongs to another user" in caplog.text


def test_a_folder_that_is_meant_for_all_stays_so(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    assert interlayer(shared, "policy", "show").returncode == 0
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    assert stat.S_IMODE((shared / "interlayer.db").stat().st_mode) == 0o600
