"""Tools of others over what we ship: checkov on modules, hadolint on the image, Helm and Kubernetes on the chart."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import helm_python
import kubernetes_validate
import yaml

from workspace import MODULES, ROOT

CHART = ROOT / "deploy" / "helm" / "interlayer"
SUPPORT = Path(__file__).parent / "support"
VALUES: dict[str, dict[str, Any]] = {
    "on AWS": {
        "image": {"repository": "registry.acme.example/interlayer"},
        "organization": "acme",
        "store": {"tables": "interlayer", "region": "eu-central-1"},
        "vectors": {"uri": "s3://acme-vectors/vectors"},
    },
    "on compatible stores, by token, with an ingress": {
        "image": {"repository": "registry.acme.example/interlayer", "digest": "sha256:" + "0" * 64},
        "organization": "acme",
        "store": {"tables": "interlayer", "region": "local", "endpoint": "http://dynamodb.stores:8000"},
        "vectors": {"uri": "s3://vectors/acme", "endpoint": "http://s3.stores:9000"},
        "auth": {
            "mode": "jwt",
            "issuer": "https://id.acme.example/",
            "audience": "a",
            "jwks": "https://id.acme.example/k",
        },
        "existingSecret": "stores",
        "ingress": {"enabled": True, "className": "nginx", "host": "memory.acme.example", "tlsSecret": "tls"},
    },
}
REFUSED: dict[str, dict[str, Any]] = {
    "no image": {"image": {"repository": ""}},
    "no authentication": {"auth": {"mode": "none"}},
    "a setting nobody knows": {"replica": 3},
    "vectors in no bucket": {"vectors": {"uri": "/var/vectors"}},
}


@pytest.mark.timeout(180)
def test_checkov_finds_nothing_that_we_have_not_declined_with_a_reason() -> None:
    checkov = ROOT / ".venv-checkov" / "bin" / "checkov"
    if not checkov.exists():
        pytest.skip("no checkov; `make deploy-tools` installs it")
    done = subprocess.run(
        [checkov, "-d", MODULES, "--config-file", SUPPORT / "checkov.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "Passed checks:" in done.stdout or not done.stdout.strip(), done.stdout


def test_hadolint_is_content_with_the_image() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, ROOT / "deploy/docker/Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", VALUES)
def test_the_chart_renders_to_what_kubernetes_takes(kind: str) -> None:
    chart = helm_python.Chart.load(str(CHART))
    chart.validate_schema(VALUES[kind])
    kinds: set[str] = set()
    rendered = chart.render(VALUES[kind], name="memory", namespace="agents")
    for text in (text for path, text in rendered.items() if path.endswith(".yaml")):
        for document in yaml.safe_load_all(text):
            if isinstance(document, dict):
                for version in ("1.34", "1.36"):
                    kubernetes_validate.validate(document, version, strict=True)
                kinds.add(document["kind"])
    assert {"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy"} <= kinds


@pytest.mark.parametrize("what", REFUSED)
def test_the_chart_refuses_what_cannot_work(what: str) -> None:
    chart = helm_python.Chart.load(str(CHART))
    with pytest.raises(helm_python.HelmError):
        chart.validate_schema({**VALUES["on AWS"], **REFUSED[what]})


def test_helm_lints_the_chart() -> None:
    found = helm_python.lint(str(CHART), VALUES["on AWS"])
    assert [one for one in found["messages"] if one["severity"] > 1] == []
