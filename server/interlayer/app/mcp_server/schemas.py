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
