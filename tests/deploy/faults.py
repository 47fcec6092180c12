"""Plants faults in the modules, one at a time, and prints which check catches which: `make deploy-faults`.

The cheap checks go first: the provider's schema, then our judgements on what the double made, then the modules' own
tests, then an emulator, then checkov. docs/deployment-checks.md says which one has to catch each; `--write` writes what
came out into it. Exits 1 when a fault gets past all checks, or is caught by another than the page says.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from judging import judge
from recording import recording_emulator
from workspace import PHASES, ROOT, SOON, Workspace, workspace

PAGE: Final = ROOT / "docs" / "deployment-checks.md"
_TABLE: Final = re.compile(r"^\| fault \| caught by \|\n(?:\|.*\n)+\n\d+ faults, \d+ caught\.", re.MULTILINE)
FULLEST: Final[dict[str, dict[str, Any]]] = {
    "1-foundation": {
        "region": "eu-central-1",
        "organization": "acme",
        "support": {"account_id": "999988887777", "external_id": "k3-9fj2-x81m-0pq7", "until": SOON},
    },
    "2-network": {"posture": "endpoints"},
    "4-service": {
        "model": "bedrock/eu.anthropic.claude-sonnet-4-5",
        "balancer": {
            "certificate_arn": "arn:aws:acm:eu-central-1:123456789012:certificate/c",
            "callers": ["10.0.0.0/8"],
        },
        "deployers": ["arn:aws:iam::123456789012:role/pipeline"],
    },
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Text of a module put in place of another."""

    what: str
    file: str
    old: str
    new: str

    @property
    def phase(self) -> str:
        """Return the phase it is planted in."""
        return self.file.split("/")[0]


FAULTS: Final = [
    Fault("argument misspelt", "3-data/main.tf", "billing_mode   ", "billing_mod    "),
    Fault("resource type misspelt", "1-foundation/key.tf", 'resource "aws_kms_alias"', 'resource "aws_kms_alais"'),
    Fault("required argument dropped", "3-data/main.tf", "    enabled     = true\n    kms_key_arn", "    kms_key_arn"),
    Fault("block twice where one is allowed", "3-data/main.tf", "  ttl {", "  ttl {\n    enabled = false\n  }\n\n  ttl {"),
    Fault("a word for a number", "4-service/balancer.tf", "idle_timeout               = 120", 'idle_timeout               = "long"'),
    Fault("a list for a string", "4-service/indexer.tf", "kms_key_arn   = local.foundation.key_arn\n\n  # One", "kms_key_arn   = [local.foundation.key_arn]\n\n  # One"),
    Fault("reference to what nobody declared", "2-network/endpoints.tf", "aws_vpc.this.id\n  service_name      =", "aws_vpc.main.id\n  service_name      ="),
    Fault("reference to an output that is not there", "4-service/main.tf", "local.data.environment,", "local.data.enviroment,"),
    Fault("billing mode that DynamoDB does not know", "3-data/main.tf", "local.described.billing_mode", '"PER_REQUEST"'),
    Fault("key attribute not defined", "3-data/main.tf", "[local.described.partition_key, local.described.sort_key]", "[local.described.partition_key]"),
    Fault("stream without what is to be indexed", "3-data/main.tf", "= each.value.stream_view_type\n", '= "KEYS_ONLY"\n'),
    Fault("deletion protection off", "3-data/main.tf", "var.deletion_protection && local.described.deletion_protection", "false"),
    Fault("no point-in-time recovery", "3-data/main.tf", "local.described.point_in_time_recovery", "false"),
    Fault("tables under a key of AWS", "3-data/main.tf", "  server_side_encryption {\n    enabled     = true\n    kms_key_arn = local.foundation.key_arn\n  }\n", ""),
    Fault("expiry by an attribute nobody sets", "3-data/main.tf", "attribute_name = local.described.ttl_attribute", 'attribute_name = "expires_at"'),
    Fault("bucket open to public policies", "3-data/main.tf", "block_public_policy     = true", "block_public_policy     = false"),
    Fault("vectors not versioned", "3-data/main.tf", 'status = "Enabled"\n  }\n}\n\n# With', 'status = "Suspended"\n  }\n}\n\n# With'),
    Fault("bucket takes requests in the clear", "3-data/main.tf", '"aws:SecureTransport" = "false"', '"aws:SecureTransport" = "true", "aws:PrincipalIsAWSService" = "true"'),
    Fault("key does not rotate", "1-foundation/key.tf", "enable_key_rotation     = true", "enable_key_rotation     = false"),
    Fault("key open to anybody", "1-foundation/key.tf", "Principal = { AWS = local.root }", 'Principal = { AWS = "*" }'),
    Fault("key open to the trails of other accounts", "1-foundation/key.tf", '        Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }\n', ""),
    Fault("trail bucket takes anybody's trail", "1-foundation/trail.tf", '"aws:SourceArn" = local.trail_arn, "s3:x-amz-acl"', '"s3:x-amz-acl"'),
    Fault("trail may write anywhere in the bucket", "1-foundation/trail.tf", "/AWSLogs/${local.account}/*\"\n        Condition = {\n          StringEquals", "/*\"\n        Condition = {\n          StringEquals"),
    Fault("trail without the tables", "1-foundation/trail.tf", "AWS::DynamoDB::Table", "AWS::DynamoDB::Stream"),
    Fault("reads of the policies by anybody left out", "1-foundation/trail.tf", "not_starts_with = [local.task_sessions]", 'not_starts_with = ["arn:"]'),
    Fault("writes of the policies left out", "1-foundation/trail.tf", 'equals = ["false"]', 'equals = ["true"]'),
    Fault("audit table left out of the trail", "1-foundation/trail.tf", "not_starts_with = [local.governance_arn]", 'not_starts_with = [local.governance_arn, "${local.table_arns}a"]'),
    Fault("trail can be changed unnoticed", "1-foundation/trail.tf", "enable_log_file_validation    = true", "enable_log_file_validation    = false"),
    Fault("support without an external id", "1-foundation/roles.tf", 'merge(local.until, { StringEquals = { "sts:ExternalId" = try(var.support.external_id, "") } })', "local.until"),
    Fault("support for ever", "1-foundation/roles.tf", '{ DateLessThan = { "aws:CurrentTime"', '{ DateGreaterThan = { "aws:CurrentTime"'),
    Fault("support for twelve hours", "1-foundation/roles.tf", "max_session_duration = 3600", "max_session_duration = 43200"),
    Fault("support reads items", "1-foundation/roles.tf", '"dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive"', '"dynamodb:DescribeTable", "dynamodb:Query"'),
    Fault("wrong name of an endpoint", "2-network/endpoints.tf", '"bedrock-runtime"', '"bedrock-runtimes"'),
    Fault("endpoint without private names", "2-network/endpoints.tf", "private_dns_enabled = true", "private_dns_enabled = false"),
    Fault("subnets that overlap", "2-network/main.tf", "cidrsubnet(var.cidr, 4, each.value)\n  availability_zone = each.key\n\n  tags = { Name = \"${local.name}-private", "cidrsubnet(var.cidr, 4, 8)\n  availability_zone = each.key\n\n  tags = { Name = \"${local.name}-private"),
    Fault("everything let out", "2-network/endpoints.tf", 'count             = var.posture == "endpoints" ? 0 : 1', "count             = 1"),
    Fault("wrong service may take a role", "4-service/roles.tf", 'task     = { service = "ecs-tasks.amazonaws.com"', 'task     = { service = "ec2.amazonaws.com"'),
    Fault("role open to other accounts' services", "4-service/roles.tf", '{ StringEquals = { "aws:SourceAccount" = local.account } }', "{}"),
    Fault("an effect that IAM does not know", "4-service/roles.tf", 'Sid       = "Key"\n      Effect    = "Allow"', 'Sid       = "Key"\n      Effect    = "Permit"'),
    Fault("an action that AWS does not have", "3-data/outputs.tf", '"dynamodb:${right}"', '"dynamodb:${right}s"'),
    Fault("every key of the account", "4-service/roles.tf", "Resource  = local.foundation.key_arn\n      Condition = { StringEquals = { \"kms:ViaService\" = [local.via.dynamodb, local.via.s3] } }", "Resource  = \"*\"\n      Condition = { StringEquals = { \"kms:ViaService\" = [local.via.dynamodb, local.via.s3] } }"),
    Fault("the key for other things than the stores", "4-service/roles.tf", "      Condition = { StringEquals = { \"kms:ViaService\" = [local.via.dynamodb, local.via.s3] } }\n    }])", "    }])"),
    Fault("partitions of every organization", "4-service/roles.tf", '["${local.foundation.organization}#*"]', '["*"]'),
    Fault("condition that a scan passes", "4-service/roles.tf", '    Null                      = { "dynamodb:LeadingKeys" = "false" }\n', ""),
    Fault("audit trail can be changed", "3-data/outputs.tf", "for right in local.described.tables[key].service_may", "for right in local.described.tables[\"memory\"].service_may"),
    Fault("whole bucket", "4-service/roles.tf", "${local.data.bucket_arn}/${local.data.vectors_prefix}/*", "${local.data.bucket_arn}/*"),
    Fault("roles handed to any service", "4-service/roles.tf", '        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }\n', ""),
    Fault("Fargate size that is not sold", "4-service/variables.tf", '"512"  = range(1024, 4097, 1024)', '"512"  = range(512, 4097, 512)'),
    Fault("file system that can be written to", "4-service/service.tf", "readonlyRootFilesystem = true", "readonlyRootFilesystem = false"),
    Fault("root in the container", "4-service/service.tf", '"10001:10001"', '"0:0"'),
    Fault("no health check", "4-service/service.tf", "healthCheck = {", "healthcheck = {"),
    Fault("server without authentication", "4-service/main.tf", "INTERLAYER_AUTH          = var.auth.mode", 'INTERLAYER_AUTH          = "none"'),
    Fault("handler that is not in the image", "4-service/indexer.tf", "interlayer.app.stream.handler", "interlayer.stream.handler"),
    Fault("function that runs too long", "4-service/indexer.tf", "timeout       = 300", "timeout       = 1200"),
    Fault("dead letters lost", "4-service/indexer.tf", "  destination_config {\n    on_failure {\n      destination_arn = aws_sqs_queue.dead_letters[0].arn\n    }\n  }\n", ""),
    Fault("a bad record tried for ever", "4-service/indexer.tf", "  maximum_retry_attempts             = 5\n", ""),
    Fault("callers' keys in the clear", "4-service/balancer.tf", '"HTTPS"', '"HTTP"'),
    Fault("images that can be swapped", "4-service/main.tf", '"IMMUTABLE"', '"MUTABLE"'),
    Fault("amount of memory that Fargate does not sell", "4-service/service.tf", "tostring(var.memory)", '"1500"'),
    Fault("network mode that ECS does not know", "4-service/service.tf", '"awsvpc"', '"vpc"'),
    Fault("architecture that Lambda does not know", "4-service/indexer.tf", '"arm64"', '"aarch64"'),
    Fault("beginning of a stream that Lambda does not know", "4-service/indexer.tf", '"TRIM_HORIZON"', '"EARLIEST"'),
    Fault("batch larger than Lambda takes", "4-service/indexer.tf", "batch_size                         = 100", "batch_size                         = 100000"),
    Fault("comparison that CloudWatch does not know", "4-service/watch.tf", '"LessThanThreshold", threshold = 1, period = 60, periods = 5', '"LessThan", threshold = 1, period = 60, periods = 5'),
    Fault("metric that autoscaling does not know", "4-service/service.tf", '"ECSServiceAverageCPUUtilization"', '"ECSServiceAverageCPU"'),
    Fault("encryption that S3 does not know", "3-data/main.tf", '"aws:kms"', '"aws:kms:cmk"'),
    Fault("indexer may erase settings", "4-service/roles.tf", '["outbox", "?", "?#*"]', '["*"]'),
    Fault("indexer reads every table", "4-service/roles.tf", "concat(local.indexer_rights,", "concat(values(local.table_rights),"),
    Fault("a log kept for 33 days", "4-service/service.tf", "= var.log_days", "= 33"),
    Fault("log retention that CloudWatch does not have", "4-service/variables.tf", "contains([1, 3, 5, 7, 14, 30,", "contains([1, 3, 5, 7, 14, 30, 33,"),
]  # fmt: skip


class Checks:
    """The checks in order of their price; each returns what it says against a fault, or nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.base = workspace(folder / "base")
        self.base.variables = dict(FULLEST)
        self.base.apply(*PHASES[:3])

    def planted(self, fault: Fault) -> Workspace:
        """Return a copy of everything with the fault in it."""
        self._count += 1
        made = self.base.copy(self._folder / f"fault-{self._count}")
        path = made.phase(fault.file)
        text = path.read_text(encoding="utf-8")
        assert fault.old in text, f"{fault.file} does not have: {fault.old}"
        path.write_text(text.replace(fault.old, fault.new, 1), encoding="utf-8")
        return made

    def schema(self, made: Workspace, fault: Fault) -> str:
        """Check by the provider's schema, with `terraform validate`."""
        outcome = made.terraform(fault.phase, "validate", "-no-color")
        return outcome.text if outcome.code else ""

    def judgement(self, made: Workspace, fault: Fault) -> str:
        """Judge what the double made; a plan that fails counts too."""
        for phase in PHASES[PHASES.index(fault.phase) :]:
            outcome = made.terraform(
                phase, "apply", "-auto-approve", "-no-color", "-input=false", *made.settings(phase)
            )
            if outcome.code:
                return f"plan: {outcome.text[-300:]}"
            found = {"planned_values": json.loads(made.done(phase, "show", "-json"))["values"]}
            if wrong := judge(found):
                return wrong[0]
        return ""

    def own_tests(self, made: Workspace, fault: Fault) -> str:
        """Run the tests that come with the modules."""
        outcome = made.terraform(fault.phase, "test", "-no-color")
        return outcome.text if outcome.code else ""

    def emulator(self, made: Workspace, fault: Fault) -> str:
        """Apply from nothing in an emulator."""
        del made
        with recording_emulator() as (url, _):
            again = workspace(self._folder / f"emulated-{self._count}", endpoint=url)
            again.variables = dict(FULLEST)
            path = again.phase(fault.file)
            path.write_text(path.read_text(encoding="utf-8").replace(fault.old, fault.new, 1), encoding="utf-8")
            for phase in PHASES[: PHASES.index(fault.phase) + 1]:
                outcome = again.terraform(phase, "apply", "-auto-approve", "-no-color", *again.settings(phase))
                if outcome.code:
                    return outcome.text
        return ""

    def scanner(self, made: Workspace, fault: Fault) -> str:
        """Scan with checkov, less what we declined."""
        config = ROOT / "tests/deploy/support/checkov.yaml"
        command = [ROOT / ".venv-checkov/bin/checkov", "-d", made.phase(fault.phase), "--config-file", config]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode else ""


def table(rows: Mapping[str, str]) -> str:
    """Tabulate in Markdown what catches each fault."""
    lines = [f"| {what} | {caught or '**nothing**'} |" for what, caught in rows.items()]
    caught = sum(map(bool, rows.values()))
    return "\n".join(["| fault | caught by |", "| --- | --- |", *lines, "", f"{len(rows)} faults, {caught} caught."])


def documented() -> str:
    """Return the table of the page."""
    found = _TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert found, f"{PAGE} has no table of faults"
    return found[0]


def main(*, write: bool) -> int:
    """Plant every fault; print what catches it."""
    rows: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        checks = Checks(Path(folder))
        order: list[tuple[str, Callable[[Workspace, Fault], str]]] = [
            ("schema", checks.schema),
            ("judgement", checks.judgement),
            ("own tests", checks.own_tests),
            ("emulator", checks.emulator),
            ("checkov", checks.scanner),
        ]
        for fault in FAULTS:
            made = checks.planted(fault)
            rows[fault.what] = ""
            for name, check in order:
                told = check(made, fault)
                if told:
                    rows[fault.what] = "plan" if told.startswith("plan: ") else name
                    break
            say(f"| {fault.what} | {rows[fault.what] or '**nothing**'} |")
    if write:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(text.replace(documented(), table(rows)), encoding="utf-8")
    elif table(rows) != documented():
        said = set(documented().splitlines())
        say("\n".join(["", "Other than the page says:", *(one for one in table(rows).splitlines() if one not in said)]))
        return 1
    return 0 if all(rows.values()) else 1


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(write="--write" in sys.argv))
