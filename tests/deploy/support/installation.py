"""An installation in an emulator, from nothing, with the one command, and with the states in a bucket of it."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import boto3
from moto.backends import get_backend

from recording import Account, recording_emulator
from workspace import REGION, workspace

STATES: Final = "acme-states"
"""Bucket of the states of the installation in the emulator."""


@contextmanager
def installed(folder: Path) -> Generator[Account]:
    """Start an emulator and apply all four phases in it; both are gone after the block."""
    with recording_emulator() as (url, recorder):
        made = workspace(folder, endpoint=url, init=False)
        made.environment |= {
            "TF_VAR_region": REGION,
            "TF_VAR_organization": "acme",
            "TF_VAR_alarm_email": "night@acme.example",
            "IMAGE": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/interlayer:0.1.0",
            "AUTO_APPROVE": "1",
            "STATE_BUCKET": STATES,
            "STATE_REGION": REGION,
            "TF_VAR_state": json.dumps({"backend": "s3", "config": {"bucket": STATES, "region": REGION}}),
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "DEPLOY",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        made.variables.clear()
        s3 = boto3.client(
            "s3", endpoint_url=url, region_name=REGION, aws_access_key_id="look", aws_secret_access_key="test"
        )
        s3.create_bucket(Bucket=STATES, CreateBucketConfiguration={"LocationConstraint": REGION})
        made.all_phases("apply")
        yield Account(made, url, recorder)


def like_aws(account: Account) -> None:
    """Take out what the emulator does otherwise: denying whatever the condition says, and calling images in docker."""
    s3 = boto3.client("s3", endpoint_url=account.url, aws_access_key_id="look", aws_secret_access_key="test")
    s3.delete_bucket_policy(Bucket=account.workspace.outputs("1-foundation")["bucket"])
    get_backend("dynamodb")["123456789012"][REGION].tables["interlayer-memory"].lambda_event_source_mappings.clear()
