"""JSON schemas that every client takes: inlined, without titles, null unions or defaults of null.

Cursor rejected unions with null, Gemini CLI broke on `$ref`, Codex rendered references as strings.
"""

from typing import Any

from pydantic import BaseModel


def slim(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a model in its plainest form."""
    schema = model.model_json_schema(mode="validation")
    return _slim(schema, schema.pop("$defs", {}))


def _slim(node: Any, definitions: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        return [_slim(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _slim(definitions[node["$ref"].rpartition("/")[2]], definitions)
    slimmed: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            slimmed[key] = {name: _slim(one, definitions) for name, one in value.items()}
        elif not (key == "title" or (key == "default" and value in (None, [], {}, ""))):
            slimmed[key] = _slim(value, definitions)
    choices = [one for one in slimmed.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        return {**{key: value for key, value in slimmed.items() if key != "anyOf"}, **choices[0]}
    return slimmed
