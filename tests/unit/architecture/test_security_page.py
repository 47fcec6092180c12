"""The security page promises nothing that no test shows: each test that it names exists, and each promise names one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_a_test_that_the_page_names_exists(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(|^class {name}\(|^{name} = ", text, re.MULTILINE), f"{file} has no {name}"


def test_every_promise_names_the_test_that_shows_it() -> None:
    section = PAGE.partition("## Promised, and tested")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ") and not row.startswith(("| ---", "| promise"))]
    assert len(rows) > 30
    assert [row for row in rows if "`tests/" not in row.rsplit(" | ", 1)[-1]] == []
