"""What a server that died left in the outbox reaches the vectors by the stream: DynamoDB Streams, Lambda, S3, emulated.

The function is the handler of the image, run by the server's own Python: the emulator cannot run images.
"""

import io
import json
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import boto3

from emulators import REGION, Emulator
from workspace import ROOT

SERVER = ROOT / ".venv" / "bin" / "python"
SUPPORT = ROOT / "tests" / "deploy" / "support"
FUNCTION = """
import json, os, subprocess

def handler(event, context):
    done = subprocess.run(os.environ["INDEXING"].split(), input=json.dumps(event), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])
"""


def run(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([SERVER, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def archive(source: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("index.py", source)
    return target.getvalue()


@pytest.mark.timeout(180)
def test_the_indexer_brings_what_a_dead_server_left_into_the_vectors(emulator: Emulator, tmp_path: Path) -> None:
    def aws(service: str) -> Any:
        return boto3.client(
            service, endpoint_url=emulator.url, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
        )

    aws("s3").create_bucket(Bucket="stream-vectors")
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        **emulator.environment,
        "INTERLAYER_HOME": str(tmp_path / "home"),
        "INTERLAYER_ORG": "acme",
        "INTERLAYER_STORE": f"dynamodb://stream?region={REGION}",
        "INTERLAYER_VECTORS": "s3://stream-vectors/vectors",
    }
    run(environment, "-m", "interlayer", "store", "create")
    apart = {**environment, "INTERLAYER_VECTORS": "s3://nobody-has-this/vectors"}
    run(apart, str(SUPPORT / "left_behind.py"), "company:acme.com", "Acme opened an office in Berlin.")
    outbox = {"TableName": "stream-memory", "KeyConditionExpression": "p = :p"}
    outbox |= {"ExpressionAttributeValues": {":p": {"S": "acme#outbox"}}}
    assert aws("dynamodb").query(**outbox)["Count"] > 0, "the dead server left nothing"

    made = aws("lambda").create_function(
        FunctionName="stream-indexer",
        Runtime="python3.11",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/indexer",
        Code={"ZipFile": archive(FUNCTION)},
        Timeout=120,
        Environment={"Variables": {**environment, "INDEXING": f"{SERVER} {SUPPORT / 'indexing.py'}"}},
    )
    stream = aws("dynamodb").describe_table(TableName="stream-memory")["Table"]["LatestStreamArn"]
    aws("lambda").create_event_source_mapping(
        EventSourceArn=stream,
        FunctionName=made["FunctionArn"],
        StartingPosition="TRIM_HORIZON",
        BatchSize=100,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    deadline = time.monotonic() + 120
    while aws("dynamodb").query(**outbox)["Count"]:
        assert time.monotonic() < deadline, "the indexer left the outbox as it was"
        time.sleep(0.2)
    found = aws("s3").list_objects_v2(Bucket="stream-vectors", Prefix="vectors/acme/").get("Contents", [])
    assert any("/data/" in one["Key"] for one in found), json.dumps([one["Key"] for one in found])
