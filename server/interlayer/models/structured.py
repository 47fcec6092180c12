"""JSON from a model: how it is asked for in each form of response, and how it is got out of what came back."""

import json
from collections.abc import Mapping
from typing import Any, Final

from interlayer.models.vendor import Message

_SHOWN: Final = 4_000
_AGAIN: Final = "Answer again with the whole corrected JSON object and nothing else."


FORMS: Final = ("bounded", "json_schema", "json_object", "text")
"""How an answer is asked for, the strictest first: by a schema with every bound, by one without, as JSON, as text.

What decodes under a grammar keeps bounds (llama.cpp, Ollama, vLLM), and a small model that goes round in circles then
comes to an end; some hosted strict modes refuse a schema that has any.
"""

_BOUNDS: Final = {"maxItems", "maxLength"}


class NotInForm(ValueError):
    """What is wrong with an answer, in words that the model that gave it can act on.

    `usable` is what there is without the parts that are wrong, None if that is nothing.
    """

    def __init__(self, mistake: str, usable: Any = None) -> None:
        super().__init__(mistake)
        self.usable = usable


def response_format(name: str, schema: Mapping[str, Any], form: str) -> Mapping[str, Any] | None:
    """Return the response format of a call in one of the forms."""
    if form in {"bounded", "json_schema"}:
        asked = schema if form == "bounded" else unbounded(schema)
        return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(asked), "strict": True}}
    return {"type": "json_object"} if form == "json_object" else None


def unbounded(schema: Any) -> Any:
    """Return a JSON schema without what bounds the length of an answer and without lists of numbers."""
    if isinstance(schema, list):
        return [unbounded(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    left_out = _BOUNDS | ({"enum"} if schema.get("type") == "number" else set())
    return {name: unbounded(value) for name, value in schema.items() if name not in left_out}


def told(user: str, schema: Mapping[str, Any], form: str) -> str:
    """Return the user's message; where the provider does not know the schema, the model is told it."""
    if form in {"bounded", "json_schema"}:
        return user
    shape = json.dumps(unbounded(schema), ensure_ascii=False)
    return f"{user}\n\nAnswer with one JSON object and nothing else. It has to follow this JSON schema:\n{shape}"


def parsed(text: str) -> Any:
    """Return the JSON value of an answer, which may stand in a fence or among words. Raises `NotInForm`."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    if start < 0:
        raise NotInForm("there is no JSON object in it")
    try:
        value, _ = decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise NotInForm(f"it is no JSON: {error}") from error
    except RecursionError as error:
        raise NotInForm("it is nested too deep") from error
    return value


def whole_part(text: str) -> str:
    """Keep what is whole of a JSON answer that was cut short: up to the last entry of a list that ended, closed."""
    start = max(text.find("{"), 0)
    open_, quoted, escaped = list[str](), False, False
    whole = ""
    for place, character in enumerate(text[start:], start):
        if quoted:
            quoted, escaped = escaped or character != '"', not escaped and character == "\\"
        elif character == '"':
            quoted = True
        elif character in "{[":
            open_.append("}" if character == "{" else "]")
        elif character in "}]" and open_:
            open_.pop()
            if open_ and open_[-1] == "]":
                whole = text[start : place + 1] + "".join(reversed(open_))
    return whole


def repair(answer: str, mistake: str) -> list[Message]:
    """Write to a model what its answer and its mistake were."""
    return [
        {"role": "assistant", "content": answer[:_SHOWN]},
        {"role": "user", "content": f"That cannot be used: {mistake}. {_AGAIN}"},
    ]
