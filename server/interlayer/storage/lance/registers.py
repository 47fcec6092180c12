"""The two stores that a lease can be written to: an S3 object by conditional PUT, a DynamoDB item by condition."""

import uuid
from typing import Any, Final

from interlayer.storage.aws_errors import code_of, translate
from interlayer.storage.lance.lease import Mark

_REMEDY: Final = "Check the endpoint, the credentials and their permissions."
_CHANGED: Final = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404"}


class S3Register:
    """`Register` in an object; its token is the ETag."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self.name = f"s3://{bucket}/{key}"
        self._client = client
        self._place = {"Bucket": bucket, "Key": key}

    def read(self) -> Mark | None:
        """Read what is there now; None if nothing ever was."""
        with translate(self.name, _REMEDY):
            try:
                found = self._client.get_object(**self._place)
            except self._client.exceptions.NoSuchKey:
                return None
            return Mark(found["ETag"], found["Body"].read().decode())

    def write(self, text: str, expect: str | None) -> str | None:
        """Replace the state with this token; return the new token, None if it has changed."""
        condition = {"IfNoneMatch": "*"} if expect is None else {"IfMatch": expect}
        with translate(self.name, _REMEDY):
            try:
                return str(self._client.put_object(**self._place, Body=text.encode(), **condition)["ETag"])
            except self._client.exceptions.ClientError as error:
                if code_of(error) not in _CHANGED:
                    raise
                return None


class DynamoRegister:
    """`Register` in the lock table of a store without conditional PUT, beside LanceDB's own items."""

    def __init__(self, client: Any, table: str, key: str) -> None:
        self.name = f"{table}: {key}"
        self._client = client
        self._table = table
        self._key = {"base_uri": {"S": f"lease:{key}"}, "version": {"N": "0"}}

    def read(self) -> Mark | None:
        """Read what is there now; None if nothing ever was."""
        with translate(self.name, _REMEDY):
            found = self._client.get_item(TableName=self._table, Key=self._key, ConsistentRead=True).get("Item")
        return Mark(found["token"]["S"], found["mark"]["S"]) if found else None

    def write(self, text: str, expect: str | None) -> str | None:
        """Replace the state with this token; return the new token, None if it has changed."""
        token = uuid.uuid4().hex
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(base_uri)"}
        if expect is not None:
            condition = {
                "ConditionExpression": "#token = :expect",
                "ExpressionAttributeNames": {"#token": "token"},
                "ExpressionAttributeValues": {":expect": {"S": expect}},
            }
        item = {**self._key, "token": {"S": token}, "mark": {"S": text}}
        with translate(self.name, _REMEDY):
            try:
                self._client.put_item(TableName=self._table, Item=item, **condition)
            except self._client.exceptions.ConditionalCheckFailedException:
                return None
        return token
