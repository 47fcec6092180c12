"""How strict the gates are: the section `gates` of a schema file."""

from typing import Annotated, Any, Final

from pydantic import Field, field_validator

from interlayer.memory.schema.property import Strict

STYLE_GATES: Final = ("dangling", "other_entity", "unanchored", "ungrounded")
"""Gates that judge how a model puts something. They can be switched off; the others guard the store itself."""

Share = Annotated[float, Field(ge=0, le=1)]


class Thresholds(Strict):
    """The least confidence of a fact, by who states it. Plain sentences carry no judgement and have no threshold."""

    caller: Share = 0.0
    extractor: Share = 0.5


class GateSettings(Strict):
    """What an organization may set."""

    minimum_confidence: Thresholds = Thresholds()
    fact_characters_max: Annotated[int, Field(ge=40, le=5_000)] = 1_000
    off: tuple[str, ...] = ()

    @field_validator("minimum_confidence", mode="before")
    @classmethod
    def _one_figure_holds_for_both(cls, given: Any) -> Any:
        is_figure = isinstance(given, int | float) and not isinstance(given, bool)
        return {"caller": given, "extractor": given} if is_figure else given

    @field_validator("off")
    @classmethod
    def _only_style_is_switched_off(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for reason in given:
            if reason not in STYLE_GATES:
                raise ValueError(f"{reason[:40]!r} cannot be switched off; these can: {', '.join(STYLE_GATES)}")
        return given
