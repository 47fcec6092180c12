"""Deployments under test: made once a run, in nothing (the double makes values up) or in an emulator.

Its libraries live in an environment of their own; elsewhere every module here skips itself.
"""

import json
import os
import shutil
from collections.abc import Generator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from recording import Account
    from workspace import Workspace

STATES: Final = "acme-states"
"""Bucket of the states of the installation in the emulator."""


@pytest.fixture(scope="session")
def terraform() -> str:
    found = shutil.which("terraform")
    if not found:
        if os.environ.get("CI_NEEDS_TERRAFORM"):
            pytest.fail("terraform is not on this machine")
        pytest.skip("terraform is not on this machine")
    return found


@pytest.fixture(scope="session")
def fresh(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> "Workspace":
    """Return the modules, initialized, nothing applied."""
    assert terraform
    from workspace import workspace

    return workspace(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def founded(fresh: "Workspace", tmp_path_factory: pytest.TempPathFactory) -> "Workspace":
    """Return foundation and data made by the double: what every posture stands on."""
    made = fresh.copy(tmp_path_factory.mktemp("founded") / "repository")
    made.apply("1-foundation", "3-data")
    return made


@pytest.fixture(scope="session")
def account(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> Generator["Account"]:
    """Apply all four phases in an emulator, with the one command, and with the states in a bucket of it."""
    assert terraform
    import boto3

    from recording import Account, recording_emulator
    from workspace import REGION, workspace

    with recording_emulator() as (url, recorder):
        made = workspace(tmp_path_factory.mktemp("account"), endpoint=url, init=False)
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
