"""What no tool catches: judgements of our own over a plan, and over the policies in it.

Each yields sentences about what is wrong. They know what an installation promises (who may take a role, what a policy
may leave open, which endpoints there are), not how the modules say it.
"""

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from enums import judge_values

# Actions that AWS itself knows no resource for.
UNSCOPED: Final = {
    "ecr:GetAuthorizationToken", "ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition",
    "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "cloudwatch:DescribeAlarms",
}  # fmt: skip
TRUSTED: Final = {
    "start": "ecs-tasks.amazonaws.com",
    "task": "ecs-tasks.amazonaws.com",
    "indexer": "lambda.amazonaws.com",
    "schedule": "scheduler.amazonaws.com",
}
ENDPOINTS: Final = {"s3", "dynamodb", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "bedrock-runtime"}
DATA_READS: Final = {
    "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:GetRecords",
    "s3:GetObject", "kms:Decrypt", "secretsmanager:GetSecretValue", "logs:GetLogEvents", "logs:FilterLogEvents",
}  # fmt: skip
LOGGED: Final = (
    ("AWS::DynamoDB::Table", "memory"),
    ("AWS::DynamoDB::Table", "governance"),
    ("AWS::DynamoDB::Table", "audit"),
    ("AWS::S3::Object", ""),
)
NEVER_AUDIT: Final = {"dynamodb:DeleteItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:*"}

Document = Mapping[str, Any]


def each(value: Any) -> list[Any]:
    """Return a value that may stand alone or in a list as a list."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def resources(plan: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield type, address and planned values of every resource of a plan."""
    for one in plan["planned_values"]["root_module"].get("resources", []):
        yield one["type"], one["address"], one["values"]


def judge(plan: Document) -> list[str]:
    """Return everything that is wrong with a plan."""
    judgements = (
        _keys,
        _endpoints,
        _roles,
        _policies,
        _tables,
        _buckets,
        _trail,
        _tasks,
        _network,
        _indexer,
        judge_values,
    )
    found = [(kind, address, values) for kind, address, values in resources(plan)]
    return [
        f"{address}: {wrong}"
        for kind, address, values in found
        for one in judgements
        for wrong in one(kind, address, values)
    ]


def _keys(kind: str, _: str, values: Document) -> Iterator[str]:
    if kind != "aws_kms_key":
        return
    if not values["enable_key_rotation"]:
        yield "the key does not rotate"
    if values["deletion_window_in_days"] < 30:
        yield "less than 30 days to take a deletion back"
    for statement in json.loads(values["policy"] or "{}").get("Statement", []):
        principal = statement["Principal"]
        if principal == "*" or principal.get("AWS") == "*":
            yield "anybody may use the key"
        if "Service" in principal and not statement.get("Condition"):
            yield f"{principal['Service']} may use the key for anybody's account"


def _endpoints(kind: str, _: str, values: Document) -> Iterator[str]:
    if kind != "aws_vpc_endpoint":
        return
    found = re.fullmatch(r"(?:cn\.)?com\.amazonaws\.[a-z]{2}(?:-[a-z]+)+-\d\.(.+)", values["service_name"])
    if not found or found[1] not in ENDPOINTS:
        yield f"AWS has no endpoint {values['service_name']}"
    elif (found[1] in ("s3", "dynamodb")) != (values["vpc_endpoint_type"] == "Gateway"):
        yield f"{values['vpc_endpoint_type']} is the wrong kind of endpoint for {found[1]}"
    if values["vpc_endpoint_type"] == "Interface" and not values["private_dns_enabled"]:
        yield "nobody finds an endpoint without private names"


def _roles(kind: str, address: str, values: Document) -> Iterator[str]:
    if kind != "aws_iam_role":
        return
    for statement in json.loads(values["assume_role_policy"])["Statement"]:
        yield from _trust(address, statement)
    if "support" in address and values["max_session_duration"] != 3600:
        yield "support is let in for more than an hour"


def _trust(address: str, statement: Document) -> Iterator[str]:
    principal, condition = statement["Principal"], statement.get("Condition", {})
    if principal == "*" or "*" in each(principal.get("AWS")):
        yield "anybody may take the role"
        return
    named = re.search(r'\["(\w+)"\]', address)
    if named and principal.get("Service") != TRUSTED[named[1]]:
        yield f"{principal} may take the role"
    if principal.get("Service") in (
        "ecs-tasks.amazonaws.com",
        "scheduler.amazonaws.com",
    ) and "aws:SourceAccount" not in str(condition):
        yield "the service may take the role for somebody else's account"
    if "support" in address:
        if not condition.get("StringEquals", {}).get("sts:ExternalId"):
            yield "support comes in without an external id"
        if not condition.get("DateLessThan", {}).get("aws:CurrentTime"):
            yield "support never ends"


def _policies(kind: str, address: str, values: Document) -> Iterator[str]:
    if kind not in ("aws_iam_role_policy", "aws_iam_policy") or not values.get("policy"):
        return
    yield from judge_policy(address, json.loads(values["policy"]))


def judge_policy(address: str, policy: Document) -> Iterator[str]:
    """Yield what is wrong with the policy of a role, or with the boundary."""
    boundary = "boundary" in address
    for statement in policy["Statement"]:
        actions, where = each(statement["Action"]), each(statement["Resource"])
        yield from (f"{statement['Sid']}: AWS has no action {one}" for one in actions if not _known(one))
        if statement["Effect"] not in ("Allow", "Deny"):
            yield f"{statement['Sid']}: {statement['Effect']} is no effect"
        if statement["Effect"] == "Deny":
            continue
        if "*" in where and set(actions) - UNSCOPED:
            yield f"{statement['Sid']}: {', '.join(sorted(set(actions) - UNSCOPED))} on everything"
        if not boundary and any("*" in action for action in actions):
            yield f"{statement['Sid']}: actions by wildcard"
        if not boundary:
            yield from _rights(statement, actions, where)
        if "support" in address:
            if DATA_READS & set(actions):
                yield f"support reads data: {', '.join(sorted(DATA_READS & set(actions)))}"
            if "aws:CurrentTime" not in str(statement.get("Condition")):
                yield f"{statement['Sid']}: support never ends"
    if '["indexer"]' in address:
        yield from _of_indexer(policy)
    denied = {action for one in policy["Statement"] if one["Effect"] == "Deny" for action in each(one["Action"])}
    if "support" in address and not {one for one in DATA_READS if one != "s3:GetObject"} <= denied:
        yield "support is not kept from data by a denial"


def _of_indexer(policy: Document) -> Iterator[str]:
    """Yield what an indexer may beyond the table that it indexes."""
    for statement in policy["Statement"]:
        for where in each(statement["Resource"]):
            if re.search(r":table/.*-(governance|audit)$", where):
                yield f"{statement['Sid']}: the indexer reaches {where.rsplit('/', 1)[-1]}"
        if "dynamodb:DeleteItem" in each(statement["Action"]):
            leading = each(statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
            if any(fnmatch.fnmatchcase("#settings", f"#{like.partition('#')[2]}") for like in leading):
                yield f"{statement['Sid']}: the indexer can erase the settings"


@cache
def _known(action: str) -> bool:
    """Tell whether AWS has an action, or one that a wildcard stands for."""
    from policy_sentry.querying.actions import get_actions_for_service

    service = action.split(":", maxsplit=1)[0]
    return any(fnmatch.fnmatchcase(one.lower(), action.lower()) for one in get_actions_for_service(service))


def _rights(statement: Document, actions: list[str], where: list[str]) -> Iterator[str]:
    condition = statement.get("Condition", {})
    kms = [one for one in actions if one.startswith("kms:")]
    if kms and not condition.get("StringEquals", {}).get("kms:ViaService"):
        yield f"{statement['Sid']}: uses the key for other things than the stores"
    items = [one for one in actions if re.fullmatch(r"dynamodb:(Batch)?\w*(Item|Query|Scan)", one)]
    if items:
        leading = condition.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
        if not leading or any(not re.fullmatch(r"[^*?#]+#.+", one) for one in each(leading)):
            yield f"{statement['Sid']}: reaches partitions of every organization"
        if condition.get("Null", {}).get("dynamodb:LeadingKeys") != "false":
            yield f"{statement['Sid']}: a call without a partition passes the condition"
    if any(one.endswith("-audit") for one in where) and NEVER_AUDIT & set(actions):
        yield f"{statement['Sid']}: the audit trail can be changed"
    if any("Object" in one for one in actions) and not all(re.search(r"/[^*/]+/\*$", one) for one in where):
        yield f"{statement['Sid']}: reaches objects outside of its folder"
    if "s3:ListBucket" in actions and not condition.get("StringLike", {}).get("s3:prefix"):
        yield f"{statement['Sid']}: lists the whole bucket"
    if "iam:PassRole" in actions and not condition.get("StringEquals", {}).get("iam:PassedToService"):
        yield f"{statement['Sid']}: hands roles to any service"


def _tables(kind: str, _: str, values: Document) -> Iterator[str]:
    if kind != "aws_dynamodb_table":
        return
    if not values["deletion_protection_enabled"]:
        yield "can be deleted"
    if not (values["point_in_time_recovery"] and values["point_in_time_recovery"][0]["enabled"]):
        yield "cannot be restored"
    if not values["server_side_encryption"]:
        yield "is not under the customer's key"
    if not (values["ttl"] and values["ttl"][0]["enabled"] and values["ttl"][0]["attribute_name"] == "ttl"):
        yield "does not forget what has expired"
    if values["billing_mode"] != "PAY_PER_REQUEST":
        yield "is not on demand"
    if (values["hash_key"], values["range_key"]) != ("p", "s"):
        yield "has keys the application does not know"
    if values["name"].endswith("-memory") and values["stream_view_type"] not in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        yield "its stream does not carry what is to be indexed"


def _buckets(kind: str, address: str, values: Document) -> Iterator[str]:
    if kind == "aws_s3_bucket_public_access_block":
        names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
        if not all(values[name] for name in names):
            yield "may be opened to the public"
    if kind == "aws_s3_bucket_versioning" and values["versioning_configuration"][0]["status"] != "Enabled":
        yield "keeps no versions"
    if kind == "aws_s3_bucket" and values["force_destroy"]:
        yield "is emptied without being told"
    if kind == "aws_s3_bucket_server_side_encryption_configuration" and "vectors" in address:
        rule = values["rule"][0]
        if rule["apply_server_side_encryption_by_default"][0]["sse_algorithm"] != "aws:kms":
            yield "vectors are not under the customer's key"
        if not rule["bucket_key_enabled"]:
            yield "asks KMS for every object, which costs"
    if kind == "aws_s3_bucket_policy" and values.get("policy"):
        yield from judge_bucket(json.loads(values["policy"]))


def judge_bucket(policy: Document) -> Iterator[str]:
    """Yield what is wrong with the policy of a bucket."""
    secure = [
        one
        for one in policy["Statement"]
        if one["Effect"] == "Deny" and "aws:SecureTransport" in str(one.get("Condition"))
    ]
    if not secure:
        yield "takes requests in the clear"
    for one in policy["Statement"]:
        if one["Effect"] != "Allow":
            continue
        if one["Principal"] == "*" or "Service" not in one["Principal"]:
            yield f"{one['Sid']}: lets in {one['Principal']}"
        elif "aws:SourceArn" not in str(one.get("Condition")):
            yield f"{one['Sid']}: lets {one['Principal']['Service']} in for anybody's trail"
        if "s3:PutObject" in each(one["Action"]) and not all("/AWSLogs/" in where for where in each(one["Resource"])):
            yield f"{one['Sid']}: writes where AWS does not write logs"


def _trail(kind: str, _: str, values: Document) -> Iterator[str]:
    if kind != "aws_cloudtrail":
        return
    if not values["enable_log_file_validation"]:
        yield "log files can be changed unnoticed"
    selectors = [
        {field["field"]: field for field in one["field_selector"]} for one in values["advanced_event_selector"]
    ]
    for wanted, table in LOGGED:
        for read_only, what in (("true", "reads"), ("false", "writes")):
            if not any(_logs(one, wanted, table, read_only) for one in selectors):
                yield f"does not log {what} of {table or wanted}"


def _logs(selector: Mapping[str, Document], kind: str, table: str, read_only: str) -> bool:
    """Tell whether a selector takes what somebody who is no task does to a table, or to things of another kind."""
    if kind not in each(selector.get("resources.type", {}).get("equals")):
        return False
    if read_only not in (each(selector.get("readOnly", {}).get("equals")) or [read_only]):
        return False
    if not all("-task/" in one for one in each(selector.get("userIdentity.arn", {}).get("not_starts_with"))):
        return False
    where = selector.get("resources.ARN", {})
    taken, left_out = each(where.get("starts_with")), each(where.get("not_starts_with"))
    ours = re.sub(r"(:table/.*-)\w*$", rf"\g<1>{table}", taken[0])
    return ours.startswith(taken[0]) and not any(ours.startswith(one) for one in left_out)


def _tasks(kind: str, _: str, values: Document) -> Iterator[str]:
    if kind == "aws_ecr_repository" and values["image_tag_mutability"] != "IMMUTABLE":
        yield "an image can be swapped under its tag"
    if kind != "aws_ecs_task_definition" or not values.get("container_definitions"):
        return
    for one in json.loads(values["container_definitions"]):
        if not one.get("readonlyRootFilesystem"):
            yield "the file system can be written to"
        if one.get("user", "0").split(":")[0] in ("0", "root"):
            yield "runs as root"
        if "healthCheck" not in one:
            yield "nobody asks whether it is well"
        named = {entry["name"]: entry["value"] for entry in one["environment"]}
        if named.get("INTERLAYER_AUTH") not in ("keys", "jwt"):
            yield "does not start beyond loopback without authentication"
        if leaked := [name for name in named if re.search(r"KEY|SECRET|TOKEN|PASSWORD", name)]:
            yield f"secrets in the clear: {', '.join(leaked)}"


def _network(kind: str, address: str, values: Document) -> Iterator[str]:
    if (
        kind == "aws_vpc_security_group_ingress_rule"
        and values["cidr_ipv4"] == "0.0.0.0/0"
        and "balancer" not in address
    ):
        yield "the whole internet may call"
    if kind == "aws_vpc_security_group_egress_rule" and values["ip_protocol"] == "-1":
        yield "everything is let out"
    if kind == "aws_lb_listener" and (values["protocol"] != "HTTPS" or "TLS13" not in str(values["ssl_policy"])):
        yield "callers' keys travel in the clear or under old ciphers"
    if kind == "aws_subnet" and values["map_public_ip_on_launch"]:
        yield "everything in it gets a public address"


def _indexer(kind: str, _: str, values: Document) -> Iterator[str]:
    if kind == "aws_lambda_function" and values["timeout"] > 900:
        yield "Lambda ends functions after 900 s"
    if kind == "aws_lambda_function" and values["image_config"][0]["command"] != ["interlayer.app.stream.handler"]:
        yield "the image has no such handler"
    if kind == "aws_lambda_event_source_mapping":
        if "ReportBatchItemFailures" not in each(values["function_response_types"]):
            yield "a batch that failed in part counts as done"
        if not values["destination_config"]:
            yield "what cannot be indexed is lost"
        if not 0 <= (values["maximum_retry_attempts"] if values["maximum_retry_attempts"] is not None else -1) <= 20:
            yield "a bad record is tried for ever"
