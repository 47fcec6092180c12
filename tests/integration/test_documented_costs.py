"""docs/cost.md is true: every command in it prints what it shows, and its table of models is the command's."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from guide import run_guide
from interlayer.main import cli

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"


def test_the_page_shows_what_its_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = [*run_guide(PAGE.read_text(encoding="utf-8"), tmp_path)]
    assert len(shown) == 2
    for one in shown:
        assert one.documented == one.printed, one.command


def test_the_table_of_models_is_what_the_command_reckons() -> None:
    rows = re.findall(r"^\| `(--\w+) (\S+)` \| ([\d.]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 5
    for option, model, usd in rows:
        done = CliRunner().invoke(cli, ["cost", "--posture", "starter", "--calls", "1000", option, model, "--json"])
        assert done.exit_code == 0, done.output
        reckoned = sum(line["usd"] for line in json.loads(done.stdout)["lines"] if model in line["item"])
        assert f"{reckoned:.2f}" == usd, model
