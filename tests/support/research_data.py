"""The research data that some tests and benchmarks measure with; it is read in place and never part of the project."""

import json
import os
from pathlib import Path

import pytest

from interlayer_policies.document.policy import PolicyFile

FOLDER = Path(os.environ.get("INTERLAYER_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


def needed(name: str) -> Path:
    """Return a folder of the research data, or skip the test with the reason."""
    folder = FOLDER / name
    if not folder.is_dir():
        pytest.skip(f"no research data at {folder}; set INTERLAYER_TEST_DATA to the folder that holds {name}")
    return folder


def bank_policies(folder: Path) -> list[PolicyFile]:
    """Return the documents of the bank as files of plain guidance, named by the documents' ids."""
    documents = (folder / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        PolicyFile(f"{one['id']}.md", f"# {one['title']}\n\n{one['content']}\n") for one in map(json.loads, documents)
    ]
