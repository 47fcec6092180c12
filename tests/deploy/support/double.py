"""A double of terraform-provider-aws: the real schema, and no AWS behind it.

Terraform is attached to it as to a plugin (protocol 6). It validates and plans by the schema that `bindings` rebuilt;
what it "creates" is made up from names, or, with an endpoint, made in an emulator by `emulated`. Customers' own
`terraform init` fetches the real provider; this never leaves the tests.
"""

import atexit
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import grpc
import msgpack
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc, tfplugin_pb2_grpc
from tf.gen import tfplugin_pb2 as pb

ACCOUNT: Final = "123456789012"
UNKNOWN: Final = msgpack.ExtType(0, b"\x00")
_NESTING: Final = {name: getattr(pb.Schema.NestedBlock, name.upper()) for name in ("single", "list", "set", "map")}
_IDS: Final = {"aws_vpc": "vpc", "aws_subnet": "subnet", "aws_security_group": "sg", "aws_vpc_endpoint": "vpce"}

Schema = Mapping[str, Any]


def read(value: Any) -> Any:
    """Read a dynamic value, `UNKNOWN` where it is not known yet."""
    if value.json:
        return json.loads(value.json)
    hook: Callable[[int, bytes], Any] = lambda code, data: UNKNOWN if code == 0 else msgpack.ExtType(code, data)  # noqa: E731
    return msgpack.unpackb(value.msgpack, ext_hook=hook, strict_map_key=False) if value.msgpack else None


def written(value: Any) -> Any:
    """Return a dynamic value that holds this."""
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def block(schema: Schema) -> Any:
    """Return a block of the schema as the protocol has it."""
    attributes = [
        pb.Schema.Attribute(
            name=name,
            type=json.dumps(one["type"]).encode(),
            required=one.get("required", False),
            optional=one.get("optional", False),
            computed=one.get("computed", False),
        )
        for name, one in sorted(schema["attributes"].items())
    ]
    blocks = [
        pb.Schema.NestedBlock(
            type_name=name,
            nesting=_NESTING[one["nesting_mode"]],
            min_items=one.get("min_items", 0),
            max_items=one.get("max_items", 0),
            block=block(one["block"]),
        )
        for name, one in sorted(schema["block_types"].items())
    ]
    return pb.Schema.Block(attributes=attributes, block_types=blocks)


def planned(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    """Return a new resource as it is planned: what the provider computes is unknown yet."""
    computed = {name for name, one in schema["attributes"].items() if one.get("computed")}
    out = {name: UNKNOWN if one is None and name in computed else one for name, one in value.items()}
    return out | {name: one for name, _, one in _nested(schema, out, planned)}


def applied(kind: str, schema: Schema, value: dict[str, Any], salt: str) -> dict[str, Any]:
    """Return a resource with everything known: what is left unknown is made up."""

    def deep(inner: Schema, one: dict[str, Any]) -> dict[str, Any]:
        return applied(kind, inner, one, salt)

    types = {name: one["type"] for name, one in schema["attributes"].items()}
    out = {
        name: _made_up(kind, name, types[name], salt) if one == UNKNOWN and name in types else one
        for name, one in value.items()
    }
    return out | {name: [] if one == UNKNOWN else one for name, _, one in _nested(schema, out, deep)}


def _nested(
    schema: Schema, value: Mapping[str, Any], deep: Callable[[Schema, dict[str, Any]], dict[str, Any]]
) -> Iterator[tuple[str, Schema, Any]]:
    for name, one in schema["block_types"].items():
        inner = value.get(name)
        if isinstance(inner, list):
            inner = [deep(one["block"], each) if isinstance(each, dict) else each for each in inner]
        elif isinstance(inner, dict):
            inner = deep(one["block"], inner)
        yield name, one["block"], inner


def _made_up(kind: str, name: str, shape: Any, salt: str) -> Any:
    digest = hashlib.sha256(f"{kind}{name}{salt}".encode()).hexdigest()
    if shape == "string":
        if name == "arn" or name.endswith("_arn"):
            return f"arn:aws:{kind.split('_')[1]}:us-east-1:{ACCOUNT}:{kind}/{digest[:12]}"
        known = {
            "account_id": ACCOUNT,
            "partition": "aws",
            "reverse_dns_prefix": "com.amazonaws",
            "dns_suffix": "amazonaws.com",
        }
        return known.get(name) or (f"{_IDS[kind]}-{digest[:17]}" if name == "id" and kind in _IDS else digest[:12])
    if isinstance(shape, list):
        collection, element = shape
        if name == "names" and kind == "data.aws_availability_zones":
            return ["us-east-1a", "us-east-1b", "us-east-1c"]
        if collection == "object":
            return {member: _made_up(kind, member, inner, salt) for member, inner in element.items()}
        return {} if collection == "map" else []
    return {"number": 1, "bool": False}.get(shape)


def _unblocked(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if name in schema["attributes"] or name in schema["block_types"]}


class Provider(tfplugin_pb2_grpc.ProviderServicer):
    """Answers terraform; methods are named as the protocol names them."""

    def __init__(self, schema: Schema, maker: Any) -> None:
        self._schema = schema
        self._maker = maker

    def _resource(self, kind: str) -> Schema:
        return self._schema["resource"][kind]["block"]

    def GetMetadata(self, request: Any, context: Any) -> Any:
        return pb.GetMetadata.Response(
            server_capabilities=pb.ServerCapabilities(),
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in self._schema["resource"]],
            data_sources=[pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self._schema["data"]],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        return self._described

    @cached_property
    def _described(self) -> Any:
        def all_of(part: str) -> dict[str, Any]:
            return {name: pb.Schema(version=0, block=block(one["block"])) for name, one in self._schema[part].items()}

        return pb.GetProviderSchema.Response(
            provider=pb.Schema(version=0, block=block(self._schema["provider"]["block"])),
            resource_schemas=all_of("resource"),
            data_source_schemas=all_of("data"),
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        if self._maker:
            self._maker.region = read(request.config)["region"]
        return pb.ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        return pb.UpgradeResourceState.Response(upgraded_state=pb.DynamicValue(json=request.raw_state.json))

    def ReadResource(self, request: Any, context: Any) -> Any:
        return pb.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        proposed = read(request.proposed_new_state)
        if proposed is not None and read(request.prior_state) is None:
            return pb.PlanResourceChange.Response(
                planned_state=written(planned(self._resource(request.type_name), proposed))
            )
        return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:
        kind = request.type_name
        prior, value = read(request.prior_state), read(request.planned_state)
        try:
            made = self._maker.change(kind, prior, value) if self._maker else {}
        except Exception as error:  # noqa: BLE001  # whatever the emulator says is what terraform has to show
            problem = pb.Diagnostic(
                severity=pb.Diagnostic.ERROR, summary=type(error).__name__, detail=str(error)[:2000]
            )
            return pb.ApplyResourceChange.Response(new_state=request.prior_state, diagnostics=[problem])
        if value is None:
            return pb.ApplyResourceChange.Response(new_state=request.planned_state)
        whole = {**value, **_unblocked(self._resource(kind), made)}
        salt = json.dumps(value, default=str, sort_keys=True)
        return pb.ApplyResourceChange.Response(new_state=written(applied(kind, self._resource(kind), whole, salt)))

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        kind = request.type_name
        schema = self._schema["data"][kind]["block"]
        value = planned(schema, read(request.config))
        if self._maker:
            value |= self._maker.look_up(kind)
        return pb.ReadDataSource.Response(state=written(applied(f"data.{kind}", schema, value, "")))

    def StopProvider(self, request: Any, context: Any) -> Any:
        return pb.StopProvider.Response()


@cache
def attached(described: Path, endpoint: str | None) -> dict[str, Any]:
    """Return where terraform reaches a provider with this schema; it answers in threads until this process ends.

    Terraform starts a provider several times a command, which takes half a second of processor time; one that it is
    told to be attached to, by TF_REATTACH_PROVIDERS, it neither starts nor ends.
    """
    maker = _maker(endpoint) if endpoint else None
    provider = Provider(json.loads(described.read_text(encoding="utf-8")), maker)
    server = grpc.server(futures.ThreadPoolExecutor(8))

    class Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):
        def Shutdown(self, request: Any, context: Any) -> Any:
            return grpc_controller_pb2.Empty()

    class Stdio(grpc_stdio_pb2_grpc.GRPCStdioServicer):
        def StreamStdio(self, request: Any, context: Any) -> Any:
            return iter(())

    tfplugin_pb2_grpc.add_ProviderServicer_to_server(provider, server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(), server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(Stdio(), server)
    folder = tempfile.TemporaryDirectory(prefix="double")
    address = f"{folder.name}/double.sock"
    server.add_insecure_port(f"unix://{address}")
    server.start()

    def end() -> None:
        server.stop(None).wait()
        folder.cleanup()

    atexit.register(end)
    place = {"Network": "unix", "String": address}
    return {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": place}


def _maker(endpoint: str) -> Any:
    import emulated_service  # registers what it can make  # noqa: F401
    from emulated import Maker

    return Maker(endpoint)
