"""An emulator of AWS that writes down which action every request was, on what, and with whose key.

Emulators do not enforce policies as AWS does; what was asked for can be compared with what a policy grants instead,
both ways: nothing asked for that is not granted, nothing granted that is never asked for.
"""

import fnmatch
import io
import json
import logging
import re
import threading
import urllib.request
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from judging import each
from workspace import Workspace

_OF_TRANSACTION: Final = {
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "Update": "UpdateItem",
    "ConditionCheck": "ConditionCheckItem",
}
_OF_METHOD: Final = {
    "PUT": "PutObject",
    "POST": "PutObject",
    "GET": "GetObject",
    "HEAD": "GetObject",
    "DELETE": "DeleteObject",
}


@dataclass(frozen=True, slots=True, order=True)
class Asked:
    """One thing that was asked of AWS; `partitions` are the keys of items."""

    key: str
    action: str
    resource: str
    partitions: tuple[str, ...] = ()


@dataclass(slots=True)
class Recorder:
    """A WSGI application around the emulator. It takes no part of an upload into a folder called `torn`."""

    application: Callable[..., Any]
    asked: set[Asked] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        body = b""
        if int(environ.get("CONTENT_LENGTH") or 0) and _service(environ) in ("dynamodb", "s3", "ecr", "ecs"):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(body)
        try:
            self.asked.update(_read(environ, body))
        except (KeyError, ValueError, IndexError) as error:
            self.unread.add(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}: {error!r}")
        if "/torn/" in environ["PATH_INFO"] and "partNumber=" in environ.get("QUERY_STRING", ""):
            start_response("403 Forbidden", [("content-type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>no part of it</Message></Error>"]
        return self.application(environ, start_response)


@dataclass(frozen=True, slots=True)
class Account:
    """An installation in an emulator, and what was asked of the emulator."""

    workspace: Workspace
    url: str
    recorder: Recorder


@contextmanager
def recording_emulator() -> Generator[tuple[str, Recorder]]:
    """Run the emulator on loopback; yields its address and what it writes down."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    recorder = Recorder(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, recorder, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        # It remembers in this process what another one of it was told.
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"), timeout=30).close()
        yield url, recorder
    finally:
        server.shutdown()
        thread.join(timeout=10)


def _credential(environ: Mapping[str, Any]) -> tuple[str, str, str] | None:
    found = re.search(r"Credential=(\w+)/\d+/([\w-]+)/([\w-]+)/", str(environ.get("HTTP_AUTHORIZATION", "")))
    return (found[1], found[2], found[3]) if found else None


def _service(environ: Mapping[str, Any]) -> str:
    credential = _credential(environ)
    return credential[2] if credential else ""


def _read(environ: Mapping[str, Any], body: bytes) -> Iterator[Asked]:
    credential = _credential(environ)
    if not credential:
        return
    key, region, service = credential
    here = f"arn:aws:{service}:{region}:123456789012"
    operation = environ.get("HTTP_X_AMZ_TARGET", ".").split(".")[1]
    if service == "dynamodb":
        for action, resource, partitions in _items(here, environ["HTTP_X_AMZ_TARGET"], json.loads(body or b"{}")):
            yield Asked(key, f"dynamodb:{action}", resource, partitions)
    elif service == "s3":
        yield from _objects(key, environ, body)
    elif service in ("ecr", "ecs"):
        yield from (Asked(key, *one) for one in _rolled_out(service, here, operation, json.loads(body or b"{}")))
    elif service == "lambda" and environ["PATH_INFO"].endswith("/code"):
        function = unquote(environ["PATH_INFO"]).split("/")[-2]
        yield Asked(key, "lambda:UpdateFunctionCode", f"{here}:function:{function}")


def _rolled_out(service: str, here: str, operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is asked of the registry and of ECS; whoever registers a definition hands over its roles."""
    resource = "*"
    if "repositoryName" in request:
        resource = f"{here}:repository/{request['repositoryName']}"
    elif named := request.get("service") or next(iter(request.get("services", ())), None):
        resource = f"{here}:service/{request['cluster']}/{named}"
    yield f"{service}:{operation}", resource
    for role in ("executionRoleArn", "taskRoleArn"):
        if operation == "RegisterTaskDefinition" and role in request:
            yield "iam:PassRole", request[role]


def _items(here: str, target: str, request: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    interface, operation = target.split(".")
    if interface.startswith("DynamoDBStreams"):
        # An iterator begins with the stream that it is of.
        yield operation, request.get("StreamArn") or request.get("ShardIterator", "").split("|")[0] or "*", ()
    elif operation == "TransactWriteItems":
        for entry in request["TransactItems"]:
            for kind, one in entry.items():
                yield _OF_TRANSACTION[kind], f"{here}:table/{one['TableName']}", _partition(one)
    elif operation == "BatchGetItem":
        for table, one in request["RequestItems"].items():
            yield operation, f"{here}:table/{table}", tuple(key["p"]["S"] for key in one["Keys"])
    else:
        yield operation, f"{here}:table/{request.get('TableName', '*')}", _partition(request)


def _partition(one: Mapping[str, Any]) -> tuple[str, ...]:
    keys = one.get("Key") or one.get("Item")
    if keys:
        return (keys["p"]["S"],)
    condition = one.get("KeyConditionExpression", "")
    names = one.get("ExpressionAttributeNames", {})
    found = re.match(r"\(?\s*([#\w]+)\s*=\s*(:\w+)", condition)
    if found and names.get(found[1], found[1]) == "p":
        return (one["ExpressionAttributeValues"][found[2]]["S"],)
    return ()


def _objects(key: str, environ: Mapping[str, Any], body: bytes) -> Iterator[Asked]:
    method, query = environ["REQUEST_METHOD"], parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    bucket, _, name = unquote(environ["PATH_INFO"]).lstrip("/").partition("/")
    arn = f"arn:aws:s3:::{bucket}"
    if name:
        action = _OF_METHOD[method]
        if method == "DELETE":
            action = (
                "AbortMultipartUpload"
                if "uploadId" in query
                else "DeleteObjectVersion"
                if "versionId" in query
                else action
            )
        yield Asked(key, f"s3:{action}", f"{arn}/{name}")
    elif "delete" in query:
        for entry in re.findall(r"<Object>(.*?)</Object>", body.decode(), re.DOTALL):
            version = "Version" if "<VersionId>" in entry else ""
            yield Asked(key, f"s3:DeleteObject{version}", f"{arn}/{re.findall('<Key>(.*?)</Key>', entry)[0]}")
    elif method == "GET":
        yield Asked(
            key,
            "s3:ListBucketVersions" if "versions" in query else "s3:ListBucket",
            arn,
            tuple(query.get("prefix", [""])),
        )


def not_granted(policy: Mapping[str, Any], asked: Iterable[Asked]) -> list[Asked]:
    """List what was asked for and is not granted."""
    return sorted(one for one in asked if not _granted(policy, one))


def not_asked(policy: Mapping[str, Any], asked: Iterable[Asked]) -> list[str]:
    """Return `action on resource` for what is granted and was never asked for."""
    seen = list(asked)
    granted = (
        (action, where)
        for statement in policy["Statement"]
        for action in each(statement["Action"])
        for where in each(statement["Resource"])
    )
    return [
        f"{action} on {where}"
        for action, where in granted
        if not any(one.action == action and fnmatch.fnmatchcase(one.resource, where) for one in seen)
    ]


def _granted(policy: Mapping[str, Any], asked: Asked) -> bool:
    return any(
        statement["Effect"] == "Allow"
        and asked.action in each(statement["Action"])
        and any(fnmatch.fnmatchcase(asked.resource, where) for where in each(statement["Resource"]))
        and _holds(statement.get("Condition", {}), asked)
        for statement in policy["Statement"]
    )


def _holds(condition: Mapping[str, Any], asked: Asked) -> bool:
    leading = each(condition.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys"))
    prefixes = each(condition.get("StringLike", {}).get("s3:prefix"))
    if condition.get("Null", {}).get("dynamodb:LeadingKeys") == "false" and not asked.partitions:
        return False
    patterns = leading or prefixes
    return not patterns or all(any(fnmatch.fnmatchcase(one, like) for like in patterns) for one in asked.partitions)
