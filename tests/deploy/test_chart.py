"""The chart: Kubernetes takes what it renders, it refuses what cannot work, and a server runs on what it renders."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import boto3
import helm_python
import kubernetes_validate
import yaml

from charts import CHART, COMBINATIONS, COMPATIBLE, INGRESS, JWT, ON_AWS, README, rendered
from emulators import Emulator, emulating
from processes import status
from workspace import ROOT

SERVER = ROOT / ".venv" / "bin" / "python"
REFUSED: dict[str, dict[str, Any]] = {
    "no image": {"image": {"repository": ""}},
    "a digest that is none": {"image": {"repository": "r.example/i", "digest": "latest"}},
    "no authentication": {"auth": {"mode": "none"}},
    "tokens of nobody": {"auth": {**JWT, "issuer": ""}},
    "keys of tokens in the clear": {"auth": {**JWT, "jwks": "http://id.acme.example/k"}},
    "a setting nobody knows": {"replica": 3},
    "no tables": {"store": {"tables": "", "region": "eu-central-1"}},
    "vectors in no bucket": {"vectors": {"uri": "/var/vectors"}},
    "a model at no address": {"modelApiBase": "models:8000"},
    "a provider's key in the clear": {"extraEnv": {"INTERLAYER_MODEL_API_KEY": "s"}},
    "a key of AWS in the clear": {"extraEnv": {"AWS_SECRET_ACCESS_KEY": "s"}},
    "a setting that another value makes": {"extraEnv": {"INTERLAYER_AUTH": "none"}},
    "an ingress without TLS": {"ingress": {**INGRESS, "tlsSecret": ""}},
    "no pod at all times": {"autoscaling": {"minReplicas": 0}},
}


@pytest.mark.parametrize("kind", COMBINATIONS)
def test_the_chart_renders_to_what_kubernetes_takes(kind: str) -> None:
    values, wanted = COMBINATIONS[kind]
    made = rendered(values)
    for document in made.values():
        for version in ("1.34", "1.36"):
            kubernetes_validate.validate(document, version, strict=True)
    assert set(made) == wanted


@pytest.mark.parametrize("what", REFUSED)
def test_the_chart_refuses_what_cannot_work(what: str) -> None:
    chart = helm_python.Chart.load(str(CHART))
    chart.validate_schema(ON_AWS)
    with pytest.raises(helm_python.HelmError):
        chart.validate_schema({**ON_AWS, **REFUSED[what]})


def test_helm_lints_the_chart() -> None:
    for values, _ in COMBINATIONS.values():
        assert [one for one in helm_python.lint(str(CHART), values)["messages"] if one["severity"] > 1] == []


def test_pods_may_reach_the_endpoints_that_are_given_and_nothing_else() -> None:
    def ports(values: dict[str, Any]) -> set[int]:
        policy = rendered(values)["NetworkPolicy"]["spec"]
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        return {one["port"] for rule in policy["egress"] if "to" not in rule for one in rule["ports"]}

    assert ports(ON_AWS) == {53, 443}
    assert ports(COMPATIBLE) == {53, 443, 8000, 9000}
    plain = {**COMPATIBLE, "store": {"tables": "t", "endpoint": "http://dynamodb.stores"}}
    assert ports({**plain, "networkPolicy": {"egressPorts": []}}) == {53, 80, 9000}


def test_keys_are_never_in_what_is_rendered_but_named() -> None:
    made = rendered(COMPATIBLE)
    (container,) = made["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert {"secretRef": {"name": "stores"}} in container["envFrom"]
    assert "env" not in container
    assert not re.search(r"KEY|SECRET|PASSWORD", " ".join(made["ConfigMap"]["data"]))
    assert "Secret" not in made


def test_the_role_is_the_service_accounts() -> None:
    account = rendered(ON_AWS)["ServiceAccount"]
    assert account["metadata"]["annotations"] == ON_AWS["serviceAccount"]["annotations"]
    assert "annotations" not in rendered({**ON_AWS, "serviceAccount": {}})["ServiceAccount"]["metadata"]
    pod = rendered(ON_AWS)["Deployment"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == account["metadata"]["name"] == "memory-interlayer"


def leaves(values: dict[str, Any], schema: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value with its default; what the schema leaves open is one value."""
    assert set(values) == set(schema["properties"]) - {"global"}, above
    for name, value in values.items():
        inner = schema["properties"][name]
        if "properties" in inner:
            yield from leaves(value, inner, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def test_readme_schema_and_values_tell_the_same() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    told = {
        name: json.loads(default) for name, default in re.findall(r"^\| `(\S+)` \| `(.+?)` \|", README, re.MULTILINE)
    }
    assert told == dict(leaves(values, schema))


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with emulating() as running:
        client = boto3.client(
            "s3", endpoint_url=running.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        for bucket in ("acme-vectors", "vectors"):
            client.create_bucket(Bucket=bucket)
        yield running


@pytest.mark.timeout(180)
@pytest.mark.parametrize("where", ["on AWS", "on compatible stores"])
def test_a_server_runs_on_what_the_deployment_carries(where: str, emulator: Emulator, tmp_path: Path) -> None:
    """Endpoints come from the values; on AWS they are AWS's own, so there the emulator takes AWS's place."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    if where == "on AWS":
        made = rendered(ON_AWS)
        brought = {**keys, "AWS_ENDPOINT_URL": emulator.url}  # keys as a role would bring them
    else:
        endpoint = {"endpoint": emulator.url}
        made = rendered({**COMPATIBLE, **{one: {**COMPATIBLE[one], **endpoint} for one in ("store", "vectors")}})
        brought = keys  # the Secret
    (container,) = made["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"][0] == {"configMapRef": {"name": made["ConfigMap"]["metadata"]["name"]}}
    assert made["ConfigMap"]["data"]["AWS_REGION"] == (ON_AWS if where == "on AWS" else COMPATIBLE)["store"]["region"]
    mounts = [one["mountPath"] for one in container["volumeMounts"]]
    assert mounts == [made["ConfigMap"]["data"]["INTERLAYER_HOME"], "/tmp"]  # noqa: S108
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_EC2_METADATA_DISABLED": "true",
        **made["ConfigMap"]["data"],
        **brought,
        "INTERLAYER_HOME": str(tmp_path),
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (named,) = container["ports"]
    arguments = [one.replace(f"0.0.0.0:{named['containerPort']}", f"127.0.0.1:{port}") for one in container["args"]]
    assert arguments[-1] == f"127.0.0.1:{port}"
    program = [str(SERVER), "-m", "interlayer"]
    subprocess.run([*program, "store", "create", "--no-protection", "--no-recovery"], env=environment, check=True)
    server = subprocess.Popen([*program, *arguments], env=environment, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 90
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container[kind]["httpGet"]
            assert asked["port"] == named["name"]
            while status(f"http://127.0.0.1:{port}{asked['path']}") != 200:
                assert server.poll() is None, "the server ended"
                assert time.monotonic() < deadline, f"{kind} never succeeded"
                time.sleep(0.1)
        assert status(f"http://127.0.0.1:{port}/mcp") == 401
        doctor = subprocess.run(
            [*program, "doctor"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert doctor.returncode == 0, doctor.stdout
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0
