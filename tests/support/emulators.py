"""DynamoDB, S3, Lambda and streams on loopback: an emulator in a process and an environment of its own.

It pins its own libraries, so it lives in `.venv-aws`, which `make test` makes. Where that is missing a test skips and
says how to get it; under CI it is an error, so that a missing emulator never passes for a green run.
"""

import os
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from processes import status

REGION: Final = "us-east-1"
BUCKET: Final = "vectors"
LOCK_TABLE: Final = "lance-commits"
_PYTHON: Final = Path(__file__).parents[2] / ".venv-aws" / "bin" / "python"
_START_S: Final = 60.0
_PASSED_ON: Final = ("PATH", "HOME", "TMPDIR", "LANG")


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: where it answers."""

    url: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client in another process needs to reach it as if it were AWS."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def emulating() -> Generator[Emulator]:
    """Run an emulator with nothing in it; it ends with the block, and its data with it."""
    if not _PYTHON.exists():
        reason = f"no emulator at {_PYTHON}; `make emulators` installs it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    process = subprocess.Popen(
        [str(_PYTHON), "-m", "ministack"],
        env={**inherited, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "SFTP_ENABLED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + _START_S
        while status(f"{url}/_ministack/health") != 200:
            assert process.poll() is None, "the emulator ended"
            assert time.monotonic() < deadline, "the emulator did not start"
            time.sleep(0.05)
        yield Emulator(url)
    finally:
        process.kill()
        process.wait(timeout=10)


def reach(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process, and those it starts, take the emulator for AWS, with a bucket and a table for commits."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    import boto3
    from botocore.exceptions import ClientError

    session = boto3.Session()
    s3, dynamodb = session.client("s3"), session.client("dynamodb")
    keys = {"base_uri": ("HASH", "S"), "version": ("RANGE", "N")}
    try:
        s3.head_bucket(Bucket=BUCKET)
    except ClientError:
        s3.create_bucket(Bucket=BUCKET)
        dynamodb.create_table(
            TableName=LOCK_TABLE,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, (kind, _) in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": one} for name, (_, one) in keys.items()],
            BillingMode="PAY_PER_REQUEST",
        )
