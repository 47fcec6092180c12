"""Values that a schema takes as any string or number and AWS does not: held against the service models of botocore.

What botocore does not know either, the sizes of Fargate and how long CloudWatch keeps logs, stands here.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from botocore.session import get_session

# Where a value lies in a resource, block by block, and the shape in the model of the service that takes it.
SHAPES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "aws_dynamodb_table": {
        "billing_mode": ("dynamodb", "BillingMode"),
        "stream_view_type": ("dynamodb", "StreamViewType"),
        "attribute.type": ("dynamodb", "ScalarAttributeType"),
    },
    "aws_s3_bucket_ownership_controls": {"rule.object_ownership": ("s3", "ObjectOwnership")},
    "aws_s3_bucket_versioning": {"versioning_configuration.status": ("s3", "BucketVersioningStatus")},
    "aws_s3_bucket_lifecycle_configuration": {"rule.status": ("s3", "ExpirationStatus")},
    "aws_s3_bucket_server_side_encryption_configuration": {
        "rule.apply_server_side_encryption_by_default.sse_algorithm": ("s3", "ServerSideEncryption"),
    },
    "aws_eip": {"domain": ("ec2", "DomainType")},
    "aws_vpc_endpoint": {"vpc_endpoint_type": ("ec2", "VpcEndpointType")},
    "aws_ecr_repository": {
        "image_tag_mutability": ("ecr", "ImageTagMutability"),
        "encryption_configuration.encryption_type": ("ecr", "EncryptionType"),
    },
    "aws_ecs_service": {"launch_type": ("ecs", "LaunchType")},
    "aws_ecs_task_definition": {
        "network_mode": ("ecs", "NetworkMode"),
        "requires_compatibilities": ("ecs", "Compatibility"),
        "runtime_platform.cpu_architecture": ("ecs", "CPUArchitecture"),
        "runtime_platform.operating_system_family": ("ecs", "OSFamily"),
    },
    "aws_appautoscaling_target": {
        "service_namespace": ("application-autoscaling", "ServiceNamespace"),
        "scalable_dimension": ("application-autoscaling", "ScalableDimension"),
    },
    "aws_appautoscaling_policy": {
        "policy_type": ("application-autoscaling", "PolicyType"),
        "target_tracking_scaling_policy_configuration.predefined_metric_specification.predefined_metric_type": (
            "application-autoscaling",
            "MetricType",
        ),
    },
    "aws_lambda_function": {
        "package_type": ("lambda", "PackageType"),
        "architectures": ("lambda", "Architecture"),
        "memory_size": ("lambda", "MemorySize"),
        "logging_config.log_format": ("lambda", "LogFormat"),
    },
    "aws_lambda_event_source_mapping": {
        "starting_position": ("lambda", "EventSourcePosition"),
        "batch_size": ("lambda", "BatchSize"),
        "maximum_batching_window_in_seconds": ("lambda", "MaximumBatchingWindowInSeconds"),
        "function_response_types": ("lambda", "FunctionResponseType"),
    },
    "aws_scheduler_schedule": {"flexible_time_window.mode": ("scheduler", "FlexibleTimeWindowMode")},
    "aws_cloudwatch_metric_alarm": {
        "comparison_operator": ("cloudwatch", "ComparisonOperator"),
        "statistic": ("cloudwatch", "Statistic"),
        "evaluation_periods": ("cloudwatch", "EvaluationPeriods"),
    },
    "aws_lb": {"load_balancer_type": ("elbv2", "LoadBalancerTypeEnum")},
    "aws_lb_target_group": {
        "protocol": ("elbv2", "ProtocolEnum"),
        "target_type": ("elbv2", "TargetTypeEnum"),
        "health_check.timeout": ("elbv2", "HealthCheckTimeoutSeconds"),
        "health_check.interval": ("elbv2", "HealthCheckIntervalSeconds"),
    },
    "aws_lb_listener": {
        "protocol": ("elbv2", "ProtocolEnum"),
        "default_action.type": ("elbv2", "ActionTypeEnum"),
    },
}
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
FARGATE: Final[Mapping[int, range | tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTIONS: Final = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)
MISSING: Final = frozenset({"missing", "ignore", "breaching", "notBreaching"})


def judge_values(kind: str, _: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of a resource that AWS does not take."""
    for path, (service, shape) in SHAPES.get(kind, {}).items():
        names, least, most = allowed(service, shape)
        for value in at(values, path.split(".")):
            if (names and value not in names) or (isinstance(value, int | float) and not least <= value <= most):
                yield f"{path}: {service} takes no {value}"
    if kind == "aws_ecs_task_definition" and int(values["memory"]) not in FARGATE.get(int(values["cpu"]), ()):
        yield f"Fargate sells no {values['memory']} MiB with {values['cpu']} units of CPU"
    if kind == "aws_cloudwatch_log_group" and values["retention_in_days"] not in RETENTIONS:
        yield f"CloudWatch keeps no log for {values['retention_in_days']} days"
    if kind == "aws_cloudwatch_metric_alarm" and values["treat_missing_data"] not in MISSING:
        yield f"an alarm cannot take missing data for {values['treat_missing_data']}"


def at(values: Any, path: list[str]) -> Iterator[Any]:
    """Yield what lies at a path, in every block that is there; nothing for what was not given."""
    if isinstance(values, list):
        for one in values:
            yield from at(one, path)
    elif path:
        yield from at((values or {}).get(path[0]), path[1:])
    elif values is not None:
        yield values


@cache
def allowed(service: str, shape: str) -> tuple[frozenset[str], float, float]:
    """Return the names of an enumeration, none if it is none, and the least and most of a number."""
    found = get_session().get_service_model(service).shape_for(shape)
    bounds = found.metadata
    return frozenset(getattr(found, "enum", ())), bounds.get("min", 0), bounds.get("max", float("inf"))
