"""docs/stewards.md is true: every command of the guide is run in its order and prints what the guide shows."""

from pathlib import Path

import pytest

from guide import GUIDE, masked, run_guide


def test_the_guide_shows_what_its_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = [*run_guide(GUIDE.read_text(encoding="utf-8"), tmp_path)]
    assert len(shown) > 12
    for one in shown:
        assert masked(one.documented) == masked(one.printed), one.command
