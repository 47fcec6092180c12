"""Tools of others over what we ship: checkov on modules, image and chart, hadolint on the image."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import yaml

from charts import COMBINATIONS, rendered
from workspace import MODULES, ROOT

SUPPORT = Path(__file__).parent / "support"


def reports(text: str) -> Iterator[dict[str, Any]]:
    """Yield checkov's reports: it prints a document, or a list of them, for each folder."""
    while text:
        told, end = json.JSONDecoder().raw_decode(text)
        yield from told if isinstance(told, list) else [told]
        text = text[end:].lstrip()


@pytest.mark.timeout(180)
def test_checkov_finds_nothing_that_we_have_not_declined_with_a_reason(tmp_path: Path) -> None:
    checkov = ROOT / ".venv-checkov" / "bin" / "checkov"
    if not checkov.exists():
        pytest.skip("no checkov; `make deploy-tools` installs it")
    for number, (values, _) in enumerate(COMBINATIONS.values()):
        for kind, document in rendered(values).items():
            (tmp_path / f"{number}-{kind}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    places = [part for place in (MODULES, ROOT / "deploy" / "docker", tmp_path) for part in ("-d", place)]
    settings = ("--config-file", SUPPORT / "checkov.yaml", "--output", "json")
    done = subprocess.run([checkov, *places, *settings], capture_output=True, text=True, check=False)
    told = {one["check_type"]: one for one in reports(done.stdout)}
    assert set(told) == {"terraform", "dockerfile", "kubernetes"}
    for kind, one in told.items():
        failed = [f"{it['check_id']} {it['resource']}: {it['check_name']}" for it in one["results"]["failed_checks"]]
        assert failed == [], kind
        assert one["summary"]["passed"] > 0, kind
    assert done.returncode == 0, done.stderr


def test_hadolint_is_content_with_the_image() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, ROOT / "deploy/docker/Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
