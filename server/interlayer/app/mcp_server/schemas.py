"""JSON schemas that every client takes: inlined, without titles, null unions or defaults of null.

Cursor rejected unions with null, Gemini CLI broke on `$ref`, Codex rendered references as strings.
"""

from typing import Any, Final

from pydantic import BaseModel

_NOISE: Final = frozenset({"title", "additionalProperties", "minimum", "maximum", "minLength", "maxLength"})


def slim_input(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a tool's arguments in its plainest form.

    That unknown arguments are refused is not announced: the refusal itself says what is known.
    """
    return _slimmed(model)


def slim_output(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a tool's answer, in which every field is named once.

    Hosts pay for each word of a schema in every conversation. So inside the parts of an answer a plain value that is
    always there is named under `required` alone, and anything else under `properties` alone.
    """
    schema = _slimmed(model)
    schema.pop("required", None)
    schema["properties"] = {name: _named_once(one) for name, one in schema["properties"].items()}
    return schema


def _slimmed(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    schema.pop("description", None)  # of the class, written for programmers
    slimmed: dict[str, Any] = _slim(schema, definitions)
    return slimmed


def _slim(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_slim(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: dict[str, Any] = definitions[node["$ref"].rpartition("/")[2]]
        return _slim({key: value for key, value in target.items() if key != "description"}, definitions)
    slimmed: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            slimmed[key] = {name: _slim(one, definitions) for name, one in value.items()}
        elif key not in _NOISE and not (key == "default" and value in (None, [], {}, "", 0)):
            slimmed[key] = _slim(value, definitions)
    choices = [one for one in slimmed.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        return {**{key: value for key, value in slimmed.items() if key != "anyOf"}, **choices[0]}
    return slimmed


def _named_once(node: dict[str, Any]) -> dict[str, Any]:
    node.pop("default", None)
    if "items" in node:
        node["items"] = _named_once(node["items"])
        if node["items"].keys() == {"type"}:
            del node["items"]
    if "properties" in node:
        fields: dict[str, Any] = node["properties"]
        always = [
            name for name in node.get("required", ()) if not {"properties", "items", "anyOf"} & fields[name].keys()
        ]
        node["required"] = always
        named = {name: _named_once(one) for name, one in fields.items() if name not in always}
        node["properties"] = {name: one for name, one in named.items() if one}  # what may be anything needs no words
    return {key: value for key, value in node.items() if value not in ([], {})}
