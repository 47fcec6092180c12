"""The postures with private subnets, each made in an emulator from nothing and planned again: there is nothing to do.

The default posture is made in `test_terraform_applied`, where a server runs on it.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import boto3

from recording import Recorder, not_asked, not_granted, recording_emulator
from workspace import PHASES, REGION, Workspace, workspace

pytestmark = pytest.mark.timeout(300)

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:openai-AbCdEf"
# Layers are pushed over HTTP to a registry, which the emulator is not.
BY_DOCKER = {
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
}
DEFINITION = (
    "family",
    "requiresCompatibilities",
    "networkMode",
    "cpu",
    "memory",
    "executionRoleArn",
    "taskRoleArn",
    "containerDefinitions",
    "volumes",
    "runtimePlatform",
)
# By the names that `interlayer cost` has for them.
POSTURES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "private": {
        "2-network": {"posture": "nat"},
        "4-service": {"balancer": {"callers": ["10.0.0.0/8"]}},
    },
    "private-highly-available": {
        "2-network": {"posture": "nat"},
        "4-service": {
            "tasks": {"least": 2, "most": 6},
            "balancer": {"public": True, "callers": ["203.0.113.0/24"]},
            "model": "openai/gpt-5-mini",
            "secrets": {"OPENAI_API_KEY": SECRET},
            "deployers": ["arn:aws:iam::123456789012:role/pipeline"],
        },
    },
    "isolated-two-zones": {
        "2-network": {"posture": "endpoints"},
        "4-service": {
            "model": "bedrock/eu.anthropic.claude-sonnet-4-5",
            "balancer": {"callers": ["10.0.0.0/8"]},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Emulated:
    """The modules, nothing applied, the emulator that is behind them, and a certificate in it."""

    modules: Workspace
    url: str
    recorder: Recorder
    certificate: str

    def client(self, service: str, key: str = "look") -> Any:
        return _client(self.url, service, key)


def _client(url: str, service: str, key: str = "look") -> Any:
    return boto3.client(
        service, endpoint_url=url, region_name=REGION, aws_access_key_id=key, aws_secret_access_key="test"
    )


@pytest.fixture(scope="module")
def emulated(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Emulated]:
    assert terraform
    with recording_emulator() as (url, recorder):
        certificate = _client(url, "acm").request_certificate(DomainName="memory.acme.example")["CertificateArn"]
        yield Emulated(workspace(tmp_path_factory.mktemp("postures"), endpoint=url), url, recorder, certificate)


@pytest.mark.parametrize("posture", POSTURES)
def test_a_posture_is_made_once(emulated: Emulated, tmp_path: Path, posture: str) -> None:
    made = emulated.modules.copy(tmp_path / "repository")
    service = POSTURES[posture]["4-service"]
    made.variables = {
        "1-foundation": {"region": REGION, "organization": "acme", "name": "".join(w[:4] for w in posture.split("-"))},
        "2-network": POSTURES[posture]["2-network"],
        "4-service": service | {"balancer": service["balancer"] | {"certificate_arn": emulated.certificate}},
    }
    made.apply(*PHASES)
    for phase in ("2-network", "4-service"):
        settings = made.settings(phase)
        again = made.terraform(phase, "plan", "-detailed-exitcode", "-no-color", "-input=false", *settings)
        assert again.code == 0, again.text
    if "deployers" in service:
        _roll_out(emulated, made.outputs("4-service"))
    network = made.outputs("2-network")
    assert _ways_out(emulated, network["task_subnet_ids"]) == ({"0.0.0.0/0"} if network["posture"] == "nat" else set())


def _roll_out(emulated: Emulated, outputs: dict[str, Any]) -> None:
    """Roll an image out with the deploy role, and demand that it needs the rights of the role and no others."""
    name, role = outputs["cluster"], outputs["deploy_role_arn"].rpartition("/")[2]
    registry, tasks, functions = (emulated.client(one, "PIPELINE") for one in ("ecr", "ecs", "lambda"))
    registry.get_authorization_token()
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {},
        "layers": [],
    }
    registry.put_image(repositoryName=name, imageTag="0.1.1", imageManifest=json.dumps(manifest))
    image = f"{outputs['repository_url']}:0.1.1"
    running = tasks.describe_services(cluster=name, services=[name])["services"][0]
    known = tasks.describe_task_definition(taskDefinition=running["taskDefinition"])["taskDefinition"]
    known["containerDefinitions"][0]["image"] = image
    made = tasks.register_task_definition(**{one: known[one] for one in DEFINITION})["taskDefinition"]
    rolled = tasks.update_service(cluster=name, service=name, taskDefinition=made["taskDefinitionArn"])["service"]
    assert rolled["taskDefinition"] == made["taskDefinitionArn"]
    functions.update_function_code(FunctionName=f"{name}-indexer", ImageUri=image)
    asked = {one for one in emulated.recorder.asked if one.key == "PIPELINE"}
    policy = emulated.client("iam").get_role_policy(RoleName=role, PolicyName="may")["PolicyDocument"]
    assert not_granted(policy, asked) == []
    assert [one for one in not_asked(policy, asked) if one.split()[0] not in BY_DOCKER] == []


def _ways_out(emulated: Emulated, subnets: list[str]) -> set[str]:
    """Return where the routes of subnets lead, but for the network itself."""
    among = [{"Name": "association.subnet-id", "Values": subnets}]
    tables = emulated.client("ec2").describe_route_tables(Filters=among)["RouteTables"]
    assert tables
    routes = [route for table in tables for route in table["Routes"] if route.get("GatewayId") != "local"]
    return {route["DestinationCidrBlock"] for route in routes if "DestinationCidrBlock" in route}
