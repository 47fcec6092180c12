"""The ways to run in an account of AWS, each described once, and what each costs a month under a stated load.

A posture says what is paid for by the hour. The load says what is paid for by use: of N rounds a month, a round being
one `memorize` of a note of 500 words, one `recall_entity` and one `get_governance_context` for an entity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from interlayer.app.cost.prices import Line, Prices

ROUNDS: Final = 50_000
"""Rounds a month unless told otherwise: 1,600 notes a day."""

# Counted on the wire for DynamoDB (docs/cost.md names the calls): requests, read units, write units of a round.
_REQUESTS, _READS, _WRITES = 13, 9, 16
# A server looks at the policies' head each second and at some five items a minute to seal receipts.
_IDLE_REQUESTS: Final = 2_800_000
# The trail leaves out a task's own reads of the policies: one a round, and all of an idle server but the sealing.
_UNLOGGED, _IDLE_LOGGED = 1, 200_000
# As deploy/terraform makes them; autoscaling adds two of its own.
_ALARMS, _BALANCER_ALARMS = 15, 2
# LanceDB on S3, one commit a round and one search: 4 PUT and 4 LIST measured, GET assumed.
_S3_WRITES, _S3_READS = 8, 20


@dataclass(frozen=True, slots=True)
class Posture:
    """How many tasks of which size, how they reach AWS, and how they are reached."""

    about: str
    gives_up: str
    vcpu: float = 0.5
    memory_gb: float = 1
    tasks: int = 1
    network: Literal["public", "nat", "endpoints"] = "public"
    """Public addresses, one NAT gateway, or interface endpoints alone."""
    zones: int = 2
    """Availability zones of the endpoints."""
    balancer: Literal["none", "public", "internal"] = "none"


POSTURES: Final[Mapping[str, Posture]] = {
    "starter": Posture(
        about="one small task, reached through a tunnel or VPN",
        gives_up="load balancer, second task; half a GB leaves no room for much at once",
        vcpu=0.25,
        memory_gb=0.5,
    ),
    "small": Posture(
        about="one task, reached through a tunnel or VPN",
        gives_up="load balancer, second task",
    ),
    "default": Posture(
        about="one task behind a public load balancer with TLS",
        gives_up="second task: while a failed one is replaced nobody is served",
        balancer="public",
    ),
    "highly-available": Posture(
        about="two tasks in two zones behind a public load balancer",
        gives_up="private subnets: tasks have public addresses, their security group lets in the load balancer only",
        tasks=2,
        balancer="public",
    ),
    "private": Posture(
        about="one task in private subnets, NAT gateway, internal load balancer",
        gives_up="second task",
        network="nat",
        balancer="internal",
    ),
    "private-highly-available": Posture(
        about="two tasks in private subnets, NAT gateway, public load balancer",
        gives_up="the one gateway stands in one zone: when that fails, calls of a provider's model fail",
        tasks=2,
        network="nat",
        balancer="public",
    ),
    "isolated": Posture(
        about="one task without a way to the internet, endpoints in one zone, reached through a VPN",
        gives_up="load balancer, second task and zone, every model but Bedrock's",
        network="endpoints",
        zones=1,
    ),
    "isolated-two-zones": Posture(
        about="as isolated, with an internal load balancer, which takes two zones",
        gives_up="second task, every model but Bedrock's",
        network="endpoints",
        balancer="internal",
    ),
}
ENDPOINTS: Final = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "bedrock-runtime")


def posture_lines(posture: Posture, prices: Prices, rounds: int) -> list[Line]:
    """Return every line of a posture's bill at so many rounds a month."""
    return [
        *_compute(posture, prices),
        *_network(posture, prices),
        *_balancer(posture, prices),
        prices.line("KMS key", 1, "kms_key"),
        prices.line("Secret, key of a model", 1, "secret"),
        prices.line("Alarms", _ALARMS + (_BALANCER_ALARMS if posture.balancer != "none" else 0), "alarm"),
        prices.line("Metric of logged errors", 1, "metric"),
        prices.line("Image, 1 GB", 1, "image_storage"),
        *_load(posture, prices, rounds),
    ]


def _compute(posture: Posture, prices: Prices) -> Sequence[Line]:
    tasks = f"{posture.tasks} x Fargate ARM"
    return [
        prices.hourly(f"{tasks}, {posture.vcpu:g} vCPU", posture.tasks * posture.vcpu, "fargate_vcpu_arm"),
        prices.hourly(f"{tasks}, {posture.memory_gb:g} GB", posture.tasks * posture.memory_gb, "fargate_gb_arm"),
    ]


def _network(posture: Posture, prices: Prices) -> Sequence[Line]:
    if posture.network == "public":
        return [prices.hourly("Public addresses of tasks", posture.tasks, "public_ipv4")]
    if posture.network == "nat":
        return [
            prices.hourly("NAT gateway", 1, "nat_gateway"),
            prices.hourly("Its public address", 1, "public_ipv4"),
            prices.line("Its traffic", 5, "nat_traffic", by_use=True),
        ]
    count = len(ENDPOINTS) * posture.zones
    return [
        prices.hourly(f"{len(ENDPOINTS)} endpoints x {posture.zones} zones", count, "interface_endpoint"),
        prices.line("Their traffic", 5, "endpoint_traffic", by_use=True),
    ]


def _balancer(posture: Posture, prices: Prices) -> Sequence[Line]:
    if posture.balancer == "none":
        return []
    lines = [
        prices.hourly("Load balancer", 1, "load_balancer"),
        prices.line("Its capacity, 0.2 LCU", 0.2 * prices.hours, "load_balancer_capacity", by_use=True),
    ]
    if posture.balancer == "public":
        lines.append(prices.hourly("Its public addresses", 2, "public_ipv4"))
    return lines


def _load(posture: Posture, prices: Prices, rounds: int) -> Sequence[Line]:
    idle = posture.tasks * _IDLE_REQUESTS
    table_events = rounds * (_REQUESTS - _UNLOGGED) + posture.tasks * _IDLE_LOGGED
    object_events = rounds * (_S3_WRITES + _S3_READS)
    return [
        Line(item, quantity, prices.table[price], by_use=True)
        for item, quantity, price in (
            ("DynamoDB, writes", rounds * _WRITES / 1e6, "dynamodb_writes"),
            ("DynamoDB, reads", (rounds * _READS + idle) / 1e6, "dynamodb_reads"),
            ("DynamoDB, 1 GB kept", 1, "dynamodb_storage"),
            ("DynamoDB, 1 GB recoverable", 1, "dynamodb_recovery"),
            ("S3, 5 GB kept", 5, "s3_storage"),
            ("S3, PUT and LIST", rounds * _S3_WRITES / 1e3, "s3_writes"),
            ("S3, GET", rounds * _S3_READS / 1e3, "s3_reads"),
            ("KMS, 50,000 requests", 3, "kms_requests"),
            ("Logs, 1 GB written", 1, "log_ingestion"),
            ("Logs, 1 GB kept", 1, "log_storage"),
            ("CloudTrail, calls of tables", table_events / 1e5, "data_events"),
            ("CloudTrail, calls of objects", object_events / 1e5, "data_events"),
        )
    ]
