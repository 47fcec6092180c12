"""The chart as its README sets it, in every combination of values that it tells of, and what it renders."""

import re
from typing import Any

import helm_python
import yaml

from workspace import ROOT

CHART = ROOT / "deploy" / "helm" / "interlayer"
README = (CHART / "README.md").read_text(encoding="utf-8")
ON_AWS, COMPATIBLE = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL))
JWT = {"mode": "jwt", "issuer": "https://id.acme.example/", "audience": "a", "jwks": "https://id.acme.example/k"}
INGRESS = {"enabled": True, "className": "nginx", "host": "memory.acme.example", "tlsSecret": "tls"}
ALWAYS = {"ConfigMap", "Deployment", "Service", "PodDisruptionBudget"}
USUAL = {*ALWAYS, "ServiceAccount", "HorizontalPodAutoscaler", "NetworkPolicy"}
COMBINATIONS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "on AWS with IRSA": (ON_AWS, USUAL),
    "on AWS with Pod Identity": ({**ON_AWS, "serviceAccount": {}}, USUAL),
    "on compatible stores": (COMPATIBLE, USUAL),
    "by token, with an ingress": ({**ON_AWS, "auth": JWT, "ingress": INGRESS}, {*USUAL, "Ingress"}),
    "by digest": ({**ON_AWS, "image": {"repository": "r.example/i", "digest": "sha256:" + "0" * 64}}, USUAL),
    "an account that is there": (
        {**ON_AWS, "serviceAccount": {"create": False, "name": "own"}},
        USUAL - {"ServiceAccount"},
    ),
    "a fixed number, no policy": (
        {**ON_AWS, "autoscaling": {"enabled": False}, "replicas": 3, "networkPolicy": {"enabled": False}},
        ALWAYS | {"ServiceAccount"},
    ),
    "a model of one's own, everything placed": (
        {
            **COMPATIBLE,
            "model": "hosted_vllm/m",
            "modelApiBase": "https://models.acme.example/v1",
            "extraEnv": {"INTERLAYER_LOG_LEVEL": "INFO", "INTERLAYER_MODEL_DAILY_TOKENS": "100000"},
            "nodeSelector": {"kubernetes.io/arch": "amd64"},
            "tolerations": [{"key": "agents", "operator": "Exists"}],
            "podAnnotations": {"acme.example/team": "agents"},
            "image": {**COMPATIBLE["image"], "pullSecrets": ["registry"]},
            "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"agents": "yes"}}}]},
        },
        USUAL,
    ),
}


def rendered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Render the chart with values, by kind."""
    chart = helm_python.Chart.load(str(CHART))
    chart.validate_schema(values)
    texts = chart.render(values, name="memory", namespace="agents")
    documents = [one for path, text in texts.items() if path.endswith(".yaml") for one in yaml.safe_load_all(text)]
    return {one["kind"]: one for one in documents if isinstance(one, dict)}
