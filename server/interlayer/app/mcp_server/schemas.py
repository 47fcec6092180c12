"""JSON schemas that every client takes: inlined, without titles, defaults or null unions.

Cursor rejected unions with null, Gemini CLI broke on `$ref`, Codex rendered references as strings.
"""

from typing import Any, Final

from pydantic import BaseModel

from interlayer.answers import schema_of

_NOISE: Final = frozenset({"title", "default", "additionalProperties", "minimum", "maximum", "minLength", "maxLength"})


def slim_input(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a tool's arguments in its plainest form.

    That unknown arguments are refused is not announced: the refusal itself says what is known.
    """
    schema = model.model_json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    schema.pop("description", None)  # of the class, written for programmers
    slimmed: dict[str, Any] = _slim(schema, definitions)
    return slimmed


def slim_output(answer: type[Any]) -> dict[str, Any]:
    """Return the JSON schema of a tool's answer, in which every field has its name and its place.

    Which words a field may have, whether it is always there, and that it is a list of texts or a map, says the answer
    itself: every conversation pays for each word of what is announced.
    """
    return {"type": "object", **_named(schema_of(answer))}


def _named(node: dict[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    if "properties" in node:
        named["properties"] = {name: _named(one) for name, one in node["properties"].items()}
    if "items" in node:
        named["items"] = _named(node["items"])
    return named


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
        elif key not in _NOISE:
            slimmed[key] = _slim(value, definitions)
    choices = [one for one in slimmed.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        return {**{key: value for key, value in slimmed.items() if key != "anyOf"}, **choices[0]}
    return slimmed
