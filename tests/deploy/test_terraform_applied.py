"""The four phases applied in an emulator: idempotent, protected, and what a server needs to run on."""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import boto3

from installation import like_aws
from installed import environment
from recording import Account, Asked, not_asked, not_granted
from workspace import PHASES, REGION, ROOT

pytestmark = pytest.mark.timeout(300)

SERVER = ROOT / ".venv" / "bin" / "python"
SUPPORT = ROOT / "tests" / "deploy" / "support"
ORGANIZATION = "acme"
MOVED_TO = "openai/hashed"
# What AWS does in the name of a role, where no emulator does: stores ask for the key, Lambda looks for streams when the
# mapping is made, leaves dead letters and writes the log. Bedrock is not asked without a model.
BY_AWS = {
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "dynamodb:ListStreams",
    "sqs:SendMessage",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
}


def client(account: Account, service: str, key: str = "look") -> Any:
    return boto3.client(
        service, endpoint_url=account.url, region_name=REGION, aws_access_key_id=key, aws_secret_access_key="test"
    )


@pytest.mark.parametrize("phase", PHASES)
def test_a_second_plan_is_empty(account: Account, phase: str) -> None:
    settings = account.workspace.settings(phase)
    again = account.workspace.terraform(phase, "plan", "-detailed-exitcode", "-no-color", "-input=false", *settings)
    assert again.code == 0, again.text


def test_the_states_lie_in_the_bucket_and_who_holds_one_keeps_others_out(account: Account) -> None:
    s3 = client(account, "s3")
    bucket = account.workspace.environment["STATE_BUCKET"]
    lying = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert lying == [f"{phase}/terraform.tfstate" for phase in PHASES]
    assert not [phase for phase in PHASES if (account.workspace.phase(phase) / "terraform.tfstate").exists()]
    held = {"Bucket": bucket, "Key": "2-network/terraform.tfstate.tflock"}
    s3.put_object(
        **held, Body=json.dumps({"ID": "1", "Operation": "OperationTypeApply", "Who": "a colleague"}).encode()
    )
    refused = account.workspace.terraform("2-network", "apply", "-auto-approve", "-no-color", "-input=false")
    s3.delete_object(**held)
    assert refused.code != 0
    assert "a colleague" in refused.text


def test_tables_are_what_the_application_describes(account: Account) -> None:
    described = json.loads((ROOT / "server/interlayer/storage/dynamodb/tables.json").read_text(encoding="utf-8"))
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


def test_the_trail_logs_all_but_what_tasks_read_of_the_policies(account: Account) -> None:
    selectors = client(account, "cloudtrail").get_event_selectors(TrailName="interlayer")["AdvancedEventSelectors"]
    fields = [{field["Field"]: field for field in one["FieldSelectors"]} for one in selectors]
    tables = f"arn:aws:dynamodb:{REGION}:123456789012:table/interlayer-"
    told = [
        (
            one["resources.ARN"]["StartsWith"],
            one["resources.ARN"].get("NotStartsWith"),
            one.get("readOnly", {}).get("Equals"),
            one.get("userIdentity.arn", {}).get("NotStartsWith"),
        )
        for one in fields
        if "resources.ARN" in one
    ]
    policies = f"{tables}governance"
    assert told == [
        ([tables], [policies], None, None),
        ([policies], None, ["false"], None),
        ([policies], None, ["true"], ["arn:aws:sts::123456789012:assumed-role/interlayer-task/"]),
        ([f"arn:aws:s3:::{account.workspace.outputs('1-foundation')['bucket']}/"], None, None, None),
    ]


def test_the_task_runs_with_the_settings_that_are_put_out(account: Account) -> None:
    ecs = client(account, "ecs")
    service = ecs.describe_services(cluster="interlayer", services=["interlayer"])["services"][0]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    named = {one["name"]: one["value"] for one in task["containerDefinitions"][0]["environment"]}
    assert named == account.workspace.outputs("4-service")["environment"]
    assert named["INTERLAYER_STORE"] == f"dynamodb://interlayer?region={REGION}"
    assert named["INTERLAYER_ORG"] == "acme"


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(SERVER), *command], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@contextmanager
def _function(env: dict[str, str]) -> Iterator[Callable[[dict[str, Any]], Any]]:
    """Start the function of the image, as Lambda starts one for many events; yields what invokes it."""
    command = [str(SERVER), str(SUPPORT / "indexing.py")]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:

        def invoke(event: dict[str, Any]) -> Any:
            assert started.stdin
            assert started.stdout
            started.stdin.write(json.dumps(event, default=str) + "\n")
            started.stdin.flush()
            return json.loads(started.stdout.readline())

        yield invoke
    assert started.returncode == 0


def _demand_both_ways(account: Account, role: str, key: str, before: set[Asked], *, does_without: str = "") -> None:
    """Nothing was asked for that the role may not, and the role may nothing that was never asked for.

    `does_without` is an action that may be asked for in vain.
    """
    asked = {one for one in account.recorder.asked - before if one.key == key and one.action != does_without}
    policy = account.workspace.outputs("4-service")["policies"][role]
    assert not_granted(policy, asked) == []
    assert [one for one in not_asked(policy, asked) if one.split()[0] not in BY_AWS] == []
    assert account.recorder.unread == set()


def test_a_server_needs_the_rights_of_its_role_and_no_others(account: Account, tmp_path: Path) -> None:
    """The acceptance path over MCP, the work of operators, and an upload that has to be taken back."""
    like_aws(account)
    settings = account.workspace.outputs("4-service")["environment"]
    before = set(account.recorder.asked)
    _run(str(SUPPORT / "acceptance.py"), account.url, json.dumps(settings), MOVED_TO)
    env = environment(account.url, settings, str(tmp_path), "TASK")
    _run(str(SUPPORT / "torn.py"), settings["INTERLAYER_VECTORS"], env=env)
    # `audit verify` looks at every item where it may scan, and says what it did not look for where it may not.
    _demand_both_ways(account, "task", "TASK", before, does_without="dynamodb:Scan")


def test_the_indexer_needs_the_rights_of_its_role_and_no_others(account: Account, tmp_path: Path) -> None:
    """Servers that could not reach the vectors left work behind, the stream is read as Lambda reads it.

    One of the two embedding spaces that the test before has left cannot be written: its model is asked for where there
    is none.
    """
    like_aws(account)
    settings = account.workspace.outputs("3-data")["environment"]
    apart = {**settings, "INTERLAYER_VECTORS": "s3://nobody-has-this/vectors"}
    task = environment(account.url, apart, str(tmp_path / "task"), "TASK")
    nowhere = {
        "INTERLAYER_EMBEDDER": MOVED_TO,
        "INTERLAYER_EMBEDDER_API_BASE": f"{account.url}/v1",
        "OPENAI_API_KEY": "k",
    }
    indexer = environment(account.url, settings | nowhere, str(tmp_path / "indexer"), "INDEXER")
    before = set(account.recorder.asked)
    lefts = (["company:delta.com", "Delta sells."], ["company:beta.com", "Beta is in Rome.", "company:delta.com"])
    with _function(indexer) as invoke:
        for left in lefts:
            _run(str(SUPPORT / "left_behind.py"), *left, env=task)
            assert _outbox(account), "nothing was left behind"
            assert invoke({"Records": _records(account, "INDEXER")}) == {"batchItemFailures": []}
            assert _outbox(account) == []
        invoke({"optimize": [ORGANIZATION]})
    _run(str(SUPPORT / "torn.py"), settings["INTERLAYER_VECTORS"], env=indexer)
    _demand_both_ways(account, "indexer", "INDEXER", before)


def _outbox(account: Account) -> list[dict[str, Any]]:
    partition = {":p": {"S": f"{ORGANIZATION}#outbox"}}
    query = {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": partition}
    return client(account, "dynamodb").query(TableName="interlayer-memory", **query)["Items"]


def _records(account: Account, key: str) -> list[dict[str, Any]]:
    """Read the stream of the memory table from its beginning."""
    streams = client(account, "dynamodbstreams", key)
    arn = account.workspace.outputs("3-data")["stream_arn"]
    found: list[dict[str, Any]] = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**place)["ShardIterator"]
        found += streams.get_records(ShardIterator=iterator)["Records"]
    return found


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
    for phase in PHASES:
        assert account.workspace.done(phase, "state", "list") == ""
    assert client(account, "dynamodb").list_tables()["TableNames"] == []
    planned = account.workspace.all_phases("plan")
    assert "1-foundation is not applied yet" in planned, "a plan of nothing ends where there is nothing to plan from"
    assert "aws_vpc" not in planned
