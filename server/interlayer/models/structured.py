"""JSON from a model: how it is asked for in each form of response, and how it is got out of what came back."""

import json
from collections.abc import Mapping
from typing import Any, Final

from interlayer.models.vendor import Message

_SHOWN: Final = 4_000
_AGAIN: Final = "Answer again with the whole corrected JSON object and nothing else."


class NotInForm(ValueError):
    """What is wrong with an answer, in words that the model that gave it can act on."""


def response_format(name: str, schema: Mapping[str, Any], form: str) -> Mapping[str, Any] | None:
    """Return the response format of a call in one of the forms `json_schema`, `json_object` and `text`."""
    if form == "json_schema":
        return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(schema), "strict": True}}
    return {"type": "json_object"} if form == "json_object" else None


def told(user: str, schema: Mapping[str, Any], form: str) -> str:
    """Return the user's message; where the provider does not know the schema, the model is told it."""
    if form == "json_schema":
        return user
    shape = json.dumps(schema, ensure_ascii=False)
    return f"{user}\n\nAnswer with one JSON object and nothing else. It has to follow this JSON schema:\n{shape}"


def parsed(text: str, *, cut: bool = False) -> Any:
    """Return the JSON value of an answer, which may stand in a fence or among words. Raises `NotInForm`."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    if start < 0:
        raise NotInForm("there is no JSON object in it")
    try:
        value, _ = decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        problem = "it ends before the JSON is complete; answer with fewer entries" if cut else f"it is no JSON: {error}"
        raise NotInForm(problem) from error
    except RecursionError as error:
        raise NotInForm("it is nested too deep") from error
    return value


def repair(answer: str, mistake: str) -> list[Message]:
    """Return what shows a model its answer and its mistake."""
    return [
        {"role": "assistant", "content": answer[:_SHOWN]},
        {"role": "user", "content": f"That cannot be used: {mistake}. {_AGAIN}"},
    ]
