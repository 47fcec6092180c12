"""What the resources of a Terraform plan (`terraform show -json PLAN`) cost a month.

Priced is what is paid by the hour or month; what is paid by use is listed with its prices and no sum. A type of
resource that the price table does not know is named, never taken to be free.
Source: developer.hashicorp.com/terraform/internals/json-format.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from interlayer.app.cost.prices import Line, Prices
from interlayer.errors import InvalidInput

_HOURLY: Final = {"aws_nat_gateway": "nat_gateway", "aws_eip": "public_ipv4", "aws_lb": "load_balancer"}
_MONTHLY: Final = {
    "aws_appautoscaling_policy": (2, "alarm"),  # those that it makes to track a target
    "aws_cloudwatch_log_metric_filter": (1, "metric"),
    "aws_cloudwatch_metric_alarm": (1, "alarm"),
    "aws_kms_key": (1, "kms_key"),
    "aws_secretsmanager_secret": (1, "secret"),
}
_TASKS: Final = "aws_ecs_service"


@dataclass(frozen=True, slots=True)
class PlanCosts:
    """The priced lines of plans, and counts by type of what is paid by use, free, and not in the price table."""

    lines: Sequence[Line]
    by_use: Mapping[str, int]
    free: Mapping[str, int]
    unknown: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Resource:
    address: str
    type: str
    values: Mapping[str, Any]


class _Plan:
    """What will be there once a plan is applied, and which resources an argument refers to."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.resources = [
            _Resource(one["address"], one["type"], one["change"]["after"])
            for one in data["resource_changes"]
            if one["mode"] == "managed" and one["change"]["after"] is not None
        ]
        self._arguments = dict(_arguments("", data.get("configuration", {}).get("root_module", {})))

    def behind(self, resource: _Resource, argument: str, type_: str) -> list[_Resource]:
        """Return the resources of a type that an argument whose value is not known yet refers to."""
        plain = _plain(resource.address)
        module, _, _ = plain.rpartition(f"{resource.type}.")
        expression = self._arguments.get(plain, {}).get(argument, {})
        names = {module + ".".join(_plain(one).split(".")[:2]) for one in expression.get("references", [])}
        return [one for one in self.resources if one.type == type_ and _plain(one.address) in names]

    def count(self, resource: _Resource, argument: str, default: int) -> int:
        """Return how many subnets an argument holds: as planned, as configured, or as is usual."""
        known = resource.values.get(argument)
        return len(known) if known else len(self.behind(resource, argument, "aws_subnet")) or default


def _plain(address: str) -> str:
    """Return an address without the indices of `count` and `for_each`, as the configuration writes it."""
    return re.sub(r"\[[^]]*]", "", address)


def _arguments(path: str, module: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in module.get("resources", []):
        yield path + one["address"], one.get("expressions", {})
    for name, call in module.get("module_calls", {}).items():
        yield from _arguments(f"{path}module.{name}.", call.get("module", {}))


def price_plans(files: Sequence[Path], prices: Prices) -> PlanCosts:
    """Price the plans of several root modules together. Raises `InvalidInput` for what is no plan."""
    lines: list[Line] = []
    types: Counter[str] = Counter()
    for file in files:
        try:
            plan = _Plan(json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(
                str(file), "is no Terraform plan.", "Write `terraform show -json PLAN` to it."
            ) from error
        types.update(_type(one) for one in plan.resources)
        for one in plan.resources:
            lines.extend(_lines(one, plan, prices))
    known = {*_HOURLY, *_MONTHLY, _TASKS, *prices.by_use, *prices.free}
    return PlanCosts(
        lines,
        {name: count for name, count in types.items() if name in prices.by_use},
        {name: count for name, count in types.items() if name in prices.free},
        {name: count for name, count in types.items() if name not in known},
    )


def _type(one: _Resource) -> str:
    """Return the type as the price table has it: an endpoint that is a gateway is free, unlike the others."""
    is_gateway = one.type == "aws_vpc_endpoint" and one.values.get("vpc_endpoint_type") == "Gateway"
    return f"{one.type}, Gateway" if is_gateway else one.type


def _lines(one: _Resource, plan: _Plan, prices: Prices) -> Iterator[Line]:
    if one.type in _MONTHLY:
        count, price = _MONTHLY[one.type]
        yield prices.line(one.address, count, price)
    elif one.type in _HOURLY:
        yield prices.hourly(one.address, 1, _HOURLY[one.type])
        if one.type == "aws_lb" and not one.values.get("internal"):
            yield prices.hourly(f"{one.address}, addresses", plan.count(one, "subnets", 2), "public_ipv4")
    elif one.type == "aws_vpc_endpoint" and one.values.get("vpc_endpoint_type") == "Interface":
        yield prices.hourly(one.address, plan.count(one, "subnet_ids", 1), "interface_endpoint")
    elif one.type == _TASKS:
        yield from _tasks(one, plan, prices)


def _tasks(service: _Resource, plan: _Plan, prices: Prices) -> Iterator[Line]:
    definitions = plan.behind(service, "task_definition", "aws_ecs_task_definition")
    count = service.values.get("desired_count") or 0
    if len(definitions) != 1:
        problem = "its task definition is not in the plan."
        raise InvalidInput(service.address, problem, "Plan the root module that holds both.")
    task = definitions[0].values
    platform = (task.get("runtime_platform") or [{}])[0].get("cpu_architecture") or "X86_64"
    kind = "arm" if platform == "ARM64" else "x86"
    vcpu, memory = int(task["cpu"]) / 1024, int(task["memory"]) / 1024
    yield prices.hourly(f"{service.address}, {count} x {vcpu:g} vCPU {kind}", count * vcpu, f"fargate_vcpu_{kind}")
    yield prices.hourly(f"{service.address}, {count} x {memory:g} GB {kind}", count * memory, f"fargate_gb_{kind}")
    network = (service.values.get("network_configuration") or [{}])[0]
    if network.get("assign_public_ip"):
        yield prices.hourly(f"{service.address}, addresses", count, "public_ipv4")
