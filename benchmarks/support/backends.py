"""The places that a benchmark measures: files of a folder, or emulators of DynamoDB and S3 (`make emulators` first)."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import anyio

from emulators import REGION, emulating
from interlayer.storage.dynamodb.client import Place
from interlayer.storage.dynamodb.tables import Wish, create_tables

BACKENDS: Final = ("embedded", "aws")


@contextmanager
def backend(name: str) -> Generator[dict[str, str]]:
    """Yield the settings STORE and VECTORS, none for embedded files; this process and its children reach them."""
    if name == "embedded":
        yield {}
        return
    with emulating() as emulator:
        os.environ.update(emulator.environment)
        anyio.run(create_tables, Place("bench", REGION, emulator.url), Wish(), _unseen)
        _make_bucket()
        yield {
            "STORE": f"dynamodb://bench?region={REGION}&endpoint_url={emulator.url}",
            "VECTORS": "s3://bench/vectors",
        }


def _unseen(_: str) -> None:
    pass


def _make_bucket() -> None:
    import boto3

    boto3.client("s3").create_bucket(Bucket="bench")
