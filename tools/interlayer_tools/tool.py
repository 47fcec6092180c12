"""What a tool is: its words for the model, the shape of its input, and one call into a domain, whose answer it is.

No protocol here: the app turns these into MCP tools, and anything else could as well.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from interlayer.principal import Principal
from interlayer_tools.renderings.outline import Answer, outline

if TYPE_CHECKING:  # listing the tools must not cost what the domains cost to import
    from interlayer.memory.memory import Memory
    from interlayer_policies.governance import Governance


@dataclass(frozen=True, slots=True)
class Domains:
    """Everything that tools call."""

    memory: "Memory"
    governance: "Governance"


class Input(BaseModel):
    """Base of tool inputs: an argument that is not declared is an error, and numbers are finite.

    An argument that may be left out and is null, an empty text, list or object is taken for left out: several hosts
    send every argument.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def leave_out_nothing(cls, given: Any) -> Any:
        """Drop what says nothing of what may be left out."""
        if not isinstance(given, dict):
            return given
        fields = cls.model_fields
        return {
            name: value
            for name, value in cast("dict[str, Any]", given).items()
            if name not in fields or fields[name].is_required() or not _is_nothing(value)
        }


def _is_nothing(value: object) -> bool:
    return value is None or value in ("", [], {})


In = TypeVar("In", bound=Input)
Out = TypeVar("Out")

# A value that may be left out. Null is taken for "left out" and not announced, because unions with null make
# several clients reject or mangle the schema.
OptionalText = str | SkipJsonSchema[None]
Confidence = Annotated[float, Field(ge=0, le=1)] | SkipJsonSchema[None]
EntityText = str
"""`type:key`, where key is the entity's id, any of its identifiers, or its display name."""
PropertyValue = str | float | bool | list[str] | SkipJsonSchema[dict[str, str | float]]
"""A property value as a model writes it, or as an answer gives it; the schema decides what it becomes."""


@dataclass(frozen=True, slots=True)
class Tool(Generic[In, Out]):
    """One tool; its `output` is what `run` answers, and `text` says the same in lines.

    `run` raises `InterlayerError` for what the caller can mend.
    """

    name: str
    title: str
    description: str
    input: type[In]
    output: type[Out]
    run: Callable[[Domains, Principal, In], Awaitable[Out]]
    role: str
    text: Callable[[Answer], str] = outline
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
