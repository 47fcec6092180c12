"""The three commands of the night, word for word as docs/operating-in-aws.md has them, by AWS's own command line.

The emulator denies whatever the condition of a policy says, scales nothing and lets tables be read without their key.
What it cannot show stands in the page; what the program answers without the key: tests/integration/test_key_off.py.
"""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tf", reason="runs in an environment of its own: make test-deploy")

import boto3
from botocore.exceptions import ClientError

from installation import like_aws
from recording import Account
from workspace import REGION, ROOT

pytestmark = pytest.mark.timeout(300)

PAGE = (ROOT / "docs" / "operating-in-aws.md").read_text(encoding="utf-8")
POLICY = "AWSRevokeOlderSessions"
Credentials = dict[str, str]
TEST: Credentials = {"aws_access_key_id": "look", "aws_secret_access_key": "test"}


def documented() -> dict[str, tuple[str, str]]:
    """Return the command and the one that undoes it, by what is revoked."""
    section = PAGE.partition("## Three in the morning\n")[2].partition("\n## ")[0]
    parts = re.split(r"^\*\*\d\. ([\w ]+)\.\*\*", section, flags=re.MULTILINE)[1:]
    found: dict[str, tuple[str, str]] = {}
    for what, text in zip(parts[::2], parts[1::2], strict=True):
        command, undoing = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        found[what] = (command, undoing)
    return found


def client(account: Account, service: str, who: Credentials = TEST) -> Any:
    return boto3.client(service, endpoint_url=account.url, region_name=REGION, **who)


def run(account: Account, command: str, who: Credentials = TEST) -> None:
    """Run a command of the page in a shell, as who is woken up would."""
    environment = {
        "PATH": f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}",
        "HOME": str(account.workspace.folder),
        "AWS_ENDPOINT_URL": account.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_PAGER": "",
        **{name.upper(): value for name, value in who.items()},
    }
    shell = ["/bin/bash", "-euc", command]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def policies_enforced(account: Account) -> Generator[None]:
    """Let the emulator check every request against the policies of who makes it."""

    def allow(requests: bytes) -> None:
        url = f"{account.url}/moto-api/reset-auth"
        asked = urllib.request.Request(url, requests, {"Content-Type": "text/plain"}, method="POST")
        urllib.request.urlopen(asked, timeout=10).close()

    allow(b"0")
    try:
        yield
    finally:
        allow(b"inf")


def administrator(account: Account) -> Credentials:
    iam = client(account, "iam")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.create_user(UserName="night")
    iam.put_user_policy(UserName="night", PolicyName="all", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName="night")["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def session_of_a_task(account: Account) -> Credentials:
    role = "arn:aws:iam::123456789012:role/interlayer-task"
    taken = client(account, "sts").assume_role(RoleArn=role, RoleSessionName="taken")["Credentials"]
    return {
        "aws_access_key_id": taken["AccessKeyId"],
        "aws_secret_access_key": taken["SecretAccessKey"],
        "aws_session_token": taken["SessionToken"],
    }


def test_the_page_begins_with_three_commands_and_what_undoes_them() -> None:
    assert PAGE.index("\n## ") == PAGE.index("\n## Three in the morning")
    assert list(documented()) == ["Sessions", "The service", "The key"]


def test_sessions_are_worthless_until_the_policy_is_gone(account: Account) -> None:
    revoke, undo = documented()["Sessions"]
    bucket = account.workspace.outputs("1-foundation")["bucket"]
    like_aws(account)
    client(account, "s3").put_object(Bucket=bucket, Key="vectors/a", Body=b"a")
    night, taken = administrator(account), session_of_a_task(account)
    roles = {one["RoleName"] for one in client(account, "iam").list_roles()["Roles"]}
    with policies_enforced(account):
        reading = client(account, "s3", taken)
        reading.get_object(Bucket=bucket, Key="vectors/a")
        before = datetime.now(UTC).replace(microsecond=0)
        run(account, revoke, night)
        after = datetime.now(UTC)
        with pytest.raises(ClientError, match="AccessDenied"):
            reading.get_object(Bucket=bucket, Key="vectors/a")
        iam = client(account, "iam", night)
        assert roles == {f"interlayer-{role}" for role in ("start", "task", "indexer", "schedule")}
        for role in roles:
            [said] = iam.get_role_policy(RoleName=role, PolicyName=POLICY)["PolicyDocument"]["Statement"]
            moment = datetime.fromisoformat(said.pop("Condition")["DateLessThan"]["aws:TokenIssueTime"])
            assert before <= moment <= after
            assert said == {"Effect": "Deny", "Action": "*", "Resource": "*"}
        run(account, undo, night)
        reading.get_object(Bucket=bucket, Key="vectors/a")
        assert all(POLICY not in iam.list_role_policies(RoleName=role)["PolicyNames"] for role in roles)


def test_the_service_stays_at_no_task_until_it_is_let(account: Account) -> None:
    stop, back = documented()["The service"]
    ecs, scaling = client(account, "ecs"), client(account, "application-autoscaling")

    def numbers() -> tuple[int, int, int]:
        service = ecs.describe_services(cluster="interlayer", services=["interlayer"])["services"][0]
        [target] = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        assert target["ResourceId"] == "service/interlayer/interlayer"
        return target["MinCapacity"], service["desiredCount"], target["MaxCapacity"]

    made = numbers()
    assert made == (1, 1, 4)
    run(account, stop)
    assert numbers() == (0, 0, 0)
    run(account, back)
    assert numbers() == made
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]


def test_the_key_is_off_until_it_is_on_again(account: Account) -> None:
    off, on = documented()["The key"]
    kms = client(account, "kms")
    arn = account.workspace.outputs("1-foundation")["key_arn"]
    sealed = kms.encrypt(KeyId=arn, Plaintext=b"memory")["CiphertextBlob"]
    run(account, off)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    run(account, on)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"memory"
