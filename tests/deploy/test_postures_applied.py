"""The postures with private subnets, each made in an emulator from nothing and planned again: there is nothing to do.

The default posture is made in `test_terraform_applied`, where a server runs on it.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import boto3

from recording import recording_emulator
from workspace import PHASES, REGION, Workspace, workspace

pytestmark = pytest.mark.timeout(300)

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:openai-AbCdEf"
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
    certificate: str

    def client(self, service: str) -> Any:
        return _client(self.url, service)


def _client(url: str, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=url, region_name=REGION, aws_access_key_id="look", aws_secret_access_key="test"
    )


@pytest.fixture(scope="module")
def emulated(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Emulated]:
    assert terraform
    with recording_emulator() as (url, _):
        certificate = _client(url, "acm").request_certificate(DomainName="memory.acme.example")["CertificateArn"]
        yield Emulated(workspace(tmp_path_factory.mktemp("postures"), endpoint=url), url, certificate)


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
    network = made.outputs("2-network")
    assert _ways_out(emulated, network["task_subnet_ids"]) == ({"0.0.0.0/0"} if network["posture"] == "nat" else set())


def _ways_out(emulated: Emulated, subnets: list[str]) -> set[str]:
    """Return where the routes of subnets lead, but for the network itself."""
    among = [{"Name": "association.subnet-id", "Values": subnets}]
    tables = emulated.client("ec2").describe_route_tables(Filters=among)["RouteTables"]
    assert tables
    routes = [route for table in tables for route in table["Routes"] if route.get("GatewayId") != "local"]
    return {route["DestinationCidrBlock"] for route in routes if "DestinationCidrBlock" in route}
