"""The four phases applied in an emulator: idempotent, protected, and what a server needs to run on."""

import json
import subprocess
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import boto3

from installation import like_aws
from recording import Account, not_asked, not_granted
from workspace import PHASES, REGION, ROOT

pytestmark = pytest.mark.timeout(300)

SERVER = ROOT / ".venv" / "bin" / "python"
# Granted, and asked for only when something rare happens: an erasure of many objects, an upload of many megabytes.
RARE = {"s3:AbortMultipartUpload", "s3:DeleteObjectVersion", "s3:ListBucketVersions", "s3:DeleteObject"}
# Rights that tables.json gives every server, for operations of the store that nothing on this path uses.
SPARE = {
    "dynamodb:ConditionCheckItem": ("memory", "governance", "audit"),
    "dynamodb:DeleteItem": ("governance",),
    "dynamodb:GetItem": ("audit",),
    "dynamodb:BatchGetItem": ("audit",),
}


def client(account: Account, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=account.url, region_name=REGION, aws_access_key_id="look", aws_secret_access_key="test"
    )


@pytest.mark.parametrize("phase", PHASES)
def test_a_second_plan_is_empty(account: Account, phase: str) -> None:
    settings = account.workspace.settings(phase)
    again = account.workspace.terraform(phase, "plan", "-detailed-exitcode", "-no-color", "-input=false", *settings)
    assert again.code == 0, again.text


def test_tables_are_what_the_application_describes(account: Account) -> None:
    described = json.loads((ROOT / "server/interlayer/storage/tables.json").read_text(encoding="utf-8"))
    key = account.workspace.outputs("1-foundation")["key_arn"]
    dynamodb = client(account, "dynamodb")
    for name, wanted in described["tables"].items():
        table = dynamodb.describe_table(TableName=f"interlayer-{name}")["Table"]
        assert [one["AttributeName"] for one in table["KeySchema"]] == [
            described["partition_key"],
            described["sort_key"],
        ]
        assert table["DeletionProtectionEnabled"] is True
        assert table["SSEDescription"]["KMSMasterKeyArn"] == key
        assert table.get("StreamSpecification", {}).get("StreamViewType") == wanted["stream_view_type"]
        ttl = dynamodb.describe_time_to_live(TableName=f"interlayer-{name}")["TimeToLiveDescription"]
        assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", described["ttl_attribute"])
        backups = dynamodb.describe_continuous_backups(TableName=f"interlayer-{name}")["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_the_trail_logs_tables_and_bucket(account: Account) -> None:
    selectors = client(account, "cloudtrail").get_event_selectors(TrailName="interlayer")["AdvancedEventSelectors"]
    starts = [field["StartsWith"][0] for one in selectors for field in one["FieldSelectors"] if "StartsWith" in field]
    outputs = account.workspace.outputs("1-foundation")
    assert f"arn:aws:dynamodb:{REGION}:123456789012:table/interlayer-" in starts
    assert f"arn:aws:s3:::{outputs['bucket']}/" in starts


def test_the_task_runs_with_the_settings_that_are_put_out(account: Account) -> None:
    ecs = client(account, "ecs")
    service = ecs.describe_services(cluster="interlayer", services=["interlayer"])["services"][0]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    named = {one["name"]: one["value"] for one in task["containerDefinitions"][0]["environment"]}
    assert named == account.workspace.outputs("4-service")["environment"]
    assert named["INTERLAYER_STORE"] == f"dynamodb://interlayer?region={REGION}"
    assert named["INTERLAYER_ORG"] == "acme"


def test_a_server_runs_on_it_with_the_rights_of_its_role_and_no_others(account: Account) -> None:
    """The acceptance path over MCP; then what was asked for is compared with what the role may do, both ways."""
    can = subprocess.run([SERVER, "-c", "import interlayer.storage.dynamodb, interlayer.storage.s3"], check=False)
    if can.returncode:
        pytest.skip("this version of the server has no DynamoDB store or no S3 vectors")
    like_aws(account)
    script = ROOT / "tests" / "deploy" / "support" / "acceptance.py"
    settings = account.workspace.outputs("4-service")["environment"]
    before = set(account.recorder.asked)
    done = subprocess.run(
        [SERVER, script, account.url, json.dumps(settings)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    asked = {one for one in account.recorder.asked - before if one.key == "TASK"}
    assert asked
    policy = account.workspace.outputs("4-service")["policies"]["task"]
    assert not_granted(policy, asked) == []
    stores = {
        **policy,
        "Statement": [one for one in policy["Statement"] if one["Sid"] != "Key"],
    }  # KMS is asked by the stores
    spare = {f"{action} on interlayer-{table}" for action, tables in SPARE.items() for table in tables}
    unused = [one for one in not_asked(stores, asked) if one.split()[0] not in RARE]
    assert {one.replace(f"arn:aws:dynamodb:{REGION}:123456789012:table/", "") for one in unused} <= spare


def test_deletion_protection_stands_in_the_way_until_told(account: Account) -> None:
    """The last test: it takes the installation down."""
    refused = account.workspace.terraform("3-data", "destroy", "-auto-approve", "-no-color")
    assert refused.code != 0
    assert "protect" in refused.text.lower()
    names = {"interlayer-audit", "interlayer-governance", "interlayer-memory"}
    assert set(client(account, "dynamodb").list_tables()["TableNames"]) == names
    account.workspace.environment["TF_VAR_deletion_protection"] = "false"
    account.workspace.apply("3-data")
    account.workspace.all_phases("destroy")
    assert client(account, "dynamodb").list_tables()["TableNames"] == []
