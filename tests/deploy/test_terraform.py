"""The four phases: valid by the provider's schema, guarded, right in every posture."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

from judging import judge, resources
from workspace import MODULES, PHASES, ROOT, SOON, Workspace

pytestmark = pytest.mark.timeout(300)

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:openai-AbCdEf"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/c"
JWT = {"mode": "jwt", "issuer": "https://login.acme.example/", "audience": "a", "jwks": "https://login.acme.example/k"}
POSTURES: dict[str, dict[str, dict[str, Any]]] = {
    "public": {"4-service": {"alarm_email": "night@acme.example"}},
    "nat, a provider outside, a public balancer": {
        "2-network": {"posture": "nat"},
        "4-service": {
            "model": "openai/gpt-5-mini",
            "secrets": {"OPENAI_API_KEY": SECRET},
            "balancer": {"certificate_arn": CERTIFICATE, "public": True, "callers": ["203.0.113.0/24"]},
            "auth": JWT,
            "deployers": ["arn:aws:iam::123456789012:role/pipeline"],
            "tasks": {"least": 2, "most": 6},
        },
    },
    "endpoints, Bedrock, an internal balancer": {
        "2-network": {"posture": "endpoints"},
        "4-service": {
            "model": "bedrock/eu.anthropic.claude-sonnet-4-5",
            "balancer": {"certificate_arn": CERTIFICATE, "callers": ["10.0.0.0/8"]},
        },
    },
    "endpoints, a model in the network, no indexer, x86": {
        "2-network": {"posture": "endpoints", "bedrock": False, "zones": 1},
        "4-service": {
            "model": "hosted_vllm/qwen3",
            "model_api_base": "http://10.42.8.20:8000/v1",
            "indexer": False,
            "architecture": "X86_64",
            "cpu": 1024,
            "memory": 4096,
        },
    },
}


def state(workspace: Workspace, phase: str) -> dict[str, Any]:
    """Read what a phase made, in the shape of a plan."""
    return {"planned_values": json.loads(workspace.done(phase, "show", "-json"))["values"]}


def test_modules_are_formatted(terraform: str) -> None:
    done = subprocess.run([terraform, "fmt", "-check", "-recursive", str(MODULES)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_is_valid_by_the_schema_of_the_provider(fresh: Workspace, phase: str) -> None:
    assert json.loads(fresh.done(phase, "validate", "-json"))["diagnostics"] == []


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_passes_its_own_tests(fresh: Workspace, phase: str) -> None:
    told = fresh.done(phase, "test", "-no-color")
    passed = re.search(r"Success! (\d+) passed, 0 failed", told)
    written = sum(
        text.count('\nrun "') for text in (one.read_text() for one in (MODULES / phase).rglob("*.tftest.hcl"))
    )
    assert passed, told
    assert int(passed[1]) == written > 0, told


def test_foundation_and_data_are_as_promised(founded: Workspace) -> None:
    for phase in ("1-foundation", "3-data"):
        assert judge(state(founded, phase)) == []


@pytest.mark.parametrize("posture", POSTURES)
def test_a_posture_is_as_promised(founded: Workspace, tmp_path: Path, posture: str) -> None:
    made = founded.copy(tmp_path / "repository")
    made.variables |= POSTURES[posture]
    made.apply("2-network", "4-service")
    assert judge(state(made, "2-network")) == []
    assert judge(state(made, "4-service")) == []
    kinds = [kind for kind, _, _ in resources(state(made, "4-service"))]
    assert ("aws_lb" in kinds) == ("balancer" in POSTURES[posture]["4-service"])
    assert ("aws_lambda_function" in kinds) == POSTURES[posture]["4-service"].get("indexer", True)


def test_support_is_let_in_to_look_at_no_data_and_not_for_ever(fresh: Workspace, tmp_path: Path) -> None:
    made = fresh.copy(tmp_path / "repository")
    support = {"account_id": "999988887777", "external_id": "k3-9fj2-x81m-0pq7", "until": SOON}
    made.variables["1-foundation"] = {**made.variables["1-foundation"], "support": support}
    made.apply("1-foundation")
    found = state(made, "1-foundation")
    assert judge(found) == []
    assert "aws_iam_role.support[0]" in [address for _, address, _ in resources(found)]


def test_no_region_account_or_partition_is_written_into_a_module() -> None:
    for path in MODULES.rglob("*.tf"):
        text = re.sub(r'(description|error_message)\s*=\s*".*"|#.*', "", path.read_text(encoding="utf-8"))
        text = re.sub(r'default\s*=\s*".*"|regex\(".*?"', "", text)
        assert not re.search(r"\b(us|eu|ap|sa|ca|cn)-[a-z]+-\d\b|\b\d{12}\b|arn:aws", text), path


def test_every_alarm_is_explained_and_no_other(founded: Workspace, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operating-in-aws.md").read_text(encoding="utf-8")
    section = page.partition("## Alarms\n")[2].partition("\n## ")[0]
    explained: list[str] = []
    for names, means, do in re.findall(r"^\| (`.+`) \| (.+) \| (.+) \|$", section, re.MULTILINE):
        assert len(means) > 20
        assert len(do) > 10
        for name in re.findall("`(.+?)`", names):
            tables = ("memory", "governance", "audit") if name.startswith("TABLE-") else ("",)
            explained += [name.replace("TABLE", table) for table in tables]
    made = founded.copy(tmp_path / "repository")
    made.variables["4-service"] = POSTURES["nat, a provider outside, a public balancer"]["4-service"]
    made.apply("2-network", "4-service")
    named = [told["alarm_name"] for kind, _, told in resources(state(made, "4-service")) if kind.endswith("_alarm")]
    assert sorted(named) == sorted(f"interlayer-{name}" for name in explained)
